"""What the primitives of networks are tried on: rows of all lengths, spread far apart, with NaN and infinities."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

DTYPES = ["float16", "float32", "float64"]


def filled(seed: int, shape: tuple[int, ...], dtype: str, spread: float = 3.0) -> Any:
    return np.asarray(np.random.default_rng(seed).normal(size=shape) * spread, dtype)


@st.composite
def numbers(draw: Any, count: int = 1, min_dims: int = 0) -> tuple[Any, ...]:
    """Arrays of one shape and dtype: in rows, transposed, or every second row of a larger one."""
    shape = tuple(draw(st.lists(st.sampled_from([0, 1, 2, 3, 5, 17]), min_size=min_dims, max_size=3)))
    dtype, seed = draw(st.sampled_from(DTYPES)), draw(st.integers(0, 10**6))
    spread = draw(st.sampled_from([1e-3, 1.0, 5.0, 200.0]))
    found = []
    for i in range(count):
        kind = draw(st.sampled_from(["rows", "transposed", "strided"])) if shape else "rows"
        x = filled(seed + i, shape[::-1] if kind == "transposed" else shape, dtype, spread)
        if kind == "transposed":
            x = x.T
        elif kind == "strided":
            x = np.repeat(x, 2, 0)[::2]
        if draw(st.integers(0, 3)) == 0 and x.size:
            x[tuple(n // 2 for n in shape)] = draw(st.sampled_from([np.inf, -np.inf, np.nan]))
        found.append(x)
    return tuple(found)


@st.composite
def along(draw: Any, count: int = 1) -> tuple[Any, ...]:
    """Arrays and one of their dimensions, not an empty one."""
    arrays = draw(numbers(count, 1).filter(lambda found: min(found[0].shape) > 0))
    return (*arrays, draw(st.integers(0, arrays[0].ndim - 1)))


@st.composite
def normalized(draw: Any, backward: bool) -> tuple[Any, ...]:
    """What layer normalisation is given."""
    (x,) = draw(numbers(1, 1).filter(lambda found: min(found[0].shape) > 0 and found[0].dtype.itemsize > 2))
    inner, seed, d = draw(st.integers(1, x.ndim)), draw(st.integers(0, 10**6)), x.dtype
    x = x.clip(-20, 20)
    shape = x.shape[x.ndim - inner :]
    weight, bias = (None if draw(st.booleans()) else filled(seed + i, shape, d) for i in range(2))
    if not backward:
        return x, weight, bias, inner, 1e-3
    kept = (*x.shape[: x.ndim - inner], *(1,) * inner)
    center, scale = filled(seed + 2, kept, d), abs(filled(seed + 3, kept, d, 1.0))
    g = filled(seed + 4, x.shape, d)
    if draw(st.booleans()):
        g = np.asfortranarray(g)
    needs = tuple(draw(st.tuples(*[st.booleans()] * 3)))
    return g, x, weight, center, scale, inner, needs


@st.composite
def channels(draw: Any, what: str) -> tuple[Any, ...]:
    """What batch normalisation is given: means near 0 and far from it."""
    n, c = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    shape = (n, c, *draw(st.lists(st.integers(1, 5), max_size=3)))
    dtype, seed = draw(st.sampled_from(DTYPES[1:])), draw(st.integers(0, 10**6))
    affine = (1, c) + (1,) * (len(shape) - 2)
    away = draw(st.sampled_from([0, 1, 10, 200]))
    x = filled(seed, shape, dtype) + away
    g = filled(seed + 1, shape, dtype)
    order = draw(st.sampled_from(["rows", "columns", "one for all"]))
    if order == "columns":
        x, g = np.asfortranarray(x), np.asfortranarray(g)
    elif order == "one for all":
        g = np.broadcast_to(g[:1], shape)
    fixed = draw(st.booleans())
    if draw(st.integers(0, 4)) == 0 and (fixed or what != "backward"):  # the statistics of such a batch aren't finite
        x[0, 0] = draw(st.sampled_from([np.inf, np.nan]))
    if what == "statistics":
        return (x,)
    center, scale = filled(seed + 2, affine, dtype) + away, abs(filled(seed + 3, affine, dtype, 0.3))
    weight, bias = (None if draw(st.booleans()) else filled(seed + i, (c,), dtype) for i in (4, 5))
    if what == "forward":
        return x, weight, bias, center, scale
    return g, x, weight, center, scale, fixed, tuple(draw(st.tuples(*[st.booleans()] * 3)))


@st.composite
def picked(draw: Any, backward: bool) -> tuple[Any, ...]:
    """A matrix, or a gradient, and a column for each row."""
    n, classes, seed = draw(st.integers(0, 4)), draw(st.integers(1, 4)), draw(st.integers(0, 10**6))
    dtype, numbers = draw(st.sampled_from(DTYPES)), np.random.default_rng(seed)
    index = numbers.integers(-classes if draw(st.booleans()) else 0, classes, n)
    if backward:
        return filled(seed, (n,) if draw(st.booleans()) else (), dtype), index, (n, classes)
    x = filled(seed, (n, classes), dtype)
    return (x if draw(st.booleans()) else np.asfortranarray(x)), index


NEURAL_CASES: dict[str, Any] = {
    "gelu": numbers(),
    "gelu_backward": numbers(2),
    "softmax": along(),
    "softmax_backward": along(2),
    "log_softmax": along(),
    "log_softmax_backward": along(2),
    "channel_statistics": channels("statistics"),
    "batch_norm": channels("forward"),
    "batch_norm_backward": channels("backward"),
    "later": st.tuples(st.integers(0, 4), st.integers(0, 4)),
    "pick": picked(False),
    "pick_backward": picked(True),
    "layer_norm": normalized(False),
    "layer_norm_backward": normalized(True),
}
