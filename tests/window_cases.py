"""What the primitives that look through windows can be given."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as npst
import numpy as np
from hypothesis import strategies as st

from nbtorch.backends.pooling import window_positions
from nbtorch.backends.resampling import Along
from nbtorch.backends.windows import Windows


class Kept(tuple):  # type: ignore[type-arg]
    """Arrays that stay on the host where the test sends the others to a device."""


_numbers = st.integers(-16, 16).map(lambda n: n / 4)


def _array(draw: Any, shape: tuple[int, ...], dtype: str) -> Any:
    return draw(npst.arrays(dtype, shape, elements=_numbers))


@st.composite
def windows(draw: Any, pooling: bool = False) -> Windows:
    """Windows of one or two dimensions; those of a pooling hold at least one element each."""
    n = draw(st.integers(1, 2))

    def several(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(n))

    size, kernel, stride = several(3, 6), several(1, 3), several(1, 2)
    dilation = (1,) * n if pooling else several(1, 2)
    before = tuple(draw(st.integers(0, k // 2)) for k in kernel) if pooling else several(0, 2)
    out = []
    for s, k, step, b, d in zip(size, kernel, stride, before, dilation, strict=True):
        out.append(max(1, (s + 2 * b - d * (k - 1) - 1) // step + 1))
    return Windows(size, tuple(out), kernel, stride, before, dilation)


@st.composite
def _convolution(draw: Any, shapes: str) -> tuple[Any, ...]:
    """Arguments of one of the three maps: ``x`` the input, ``g`` the output, ``w`` the weight, ``b`` the bias."""
    at, groups, n = draw(windows()), draw(st.integers(1, 2)), draw(st.integers(0, 2))
    ins, outs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 3))
    dtype = draw(st.sampled_from(["float16", "float32", "float64"]))
    found = {
        "x": (n, ins, *at.size),
        "g": (n, outs, *at.out),
        "w": (outs, ins // groups, *at.kernel),
        "b": ((outs,) if shapes[0] == "x" else (ins,)) if draw(st.booleans()) else None,
    }
    arrays = [None if found[s] is None else _array(draw, found[s], dtype) for s in shapes]
    return (*arrays, at, groups)


@st.composite
def _planes(draw: Any, what: str, pooling: bool = False) -> tuple[Any, ...]:
    at = draw(windows(pooling))
    shape = {
        "size": at.size,
        "covered": at.covered,
        "columns": (at.elements, at.number),
    }[what]
    return _array(draw, (2, *shape), "float64"), at


@st.composite
def _pooled_back(draw: Any) -> tuple[Any, ...]:
    at = draw(windows(True))
    # Numbers that differ: among equals the overrides may add up in another order.
    x = draw(st.permutations(range(2 * int(np.prod(at.size)))).map(lambda p: np.array(p, np.float64)))
    x = x.reshape(2, *at.size)
    return _array(draw, (2, *at.out), "float64"), x, at


@st.composite
def _resampled(draw: Any) -> tuple[Any, ...]:
    size, out = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    count = draw(st.integers(1, 8))
    results, elements = (draw(npst.arrays(np.int64, count, elements=st.integers(0, n - 1))) for n in (out, size))
    along = Along.of(size, out, results, elements, draw(npst.arrays(np.float64, count, elements=_numbers)))
    if draw(st.booleans()):
        along = along.transposed()
    return _array(draw, (2, along.size, 3), draw(st.sampled_from(["float16", "float64"]))), (along, None)


@st.composite
def _pooled_at(draw: Any) -> tuple[Any, ...]:
    starts = [draw(npst.arrays(np.int64, (1, 2, 2), elements=st.integers(0, 2))) for _ in range(2)]
    return _array(draw, (1, 2, 4, 5), "float64"), starts, (2, 3)


WINDOW_CASES: dict[str, Any] = {
    "convolution": _convolution("xwb"),
    "convolution_input": _convolution("gwb"),
    "convolution_weight": _convolution("gx"),
    "covered": _planes("size"),
    "uncovered": _planes("covered"),
    "sliding": _planes("covered"),
    "im2col": _planes("size"),
    "col2im": _planes("columns"),
    "max_pool": _planes("size", True),
    "max_pool_indices": _planes("size", True).map(lambda a: (a[0], Kept(window_positions(a[1])))),
    "max_pool_indices_at": _pooled_at(),
    "max_pool_backward": _pooled_back(),
    "resample": _resampled(),
}
