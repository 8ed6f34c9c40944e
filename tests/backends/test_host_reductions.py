"""Reductions on the host give what NumPy's own give, over layouts, lengths and dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends.test_primitives import ORACLE, call
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtorch.backends import get_backend


@st.composite
def arrays(draw: Any) -> Any:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(
        st.sampled_from(
            [(2100,), (700, 3), (3, 700), (50, 50), (2, 2000), (9, 11, 31), (5, 1, 500), (4, 8, 9, 10), (3, 4), (0, 3)]
        )
    )
    x = rng.uniform(-1, 1, shape).astype(draw(st.sampled_from(["float32", "float64", "float16", "int32"])))
    if x.dtype.kind == "f" and x.size and draw(st.booleans()):
        x.flat[rng.integers(0, x.size, 3)] = rng.choice([np.nan, np.inf, -np.inf], 3)
    order = draw(st.sampled_from(["C", "F", "gaps", "swapped"]))
    if order == "F":
        x = np.asfortranarray(x)
    elif order == "gaps":
        x = np.repeat(x, 2, 0)[::2]
    elif order == "swapped":
        x = x.swapaxes(0, -1)
    one = st.integers(0, x.ndim - 1)
    dims = draw(st.one_of(st.none(), one, st.sets(one).map(tuple)))
    return x, dims, draw(st.booleans())


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "amax", "amin"])
@settings(max_examples=60, deadline=None)
@given(args=arrays())
def test_a_reduction_equals_its_generic_body(name: str, args: Any) -> None:
    x = args[0]
    if name in ("amax", "amin", "mean") and not x.size:
        return
    if name == "prod":
        if x.dtype.itemsize == 2:
            return  # done in float32 by the operation
        # A part that runs to 0 makes NaN of an infinity, wherever the parts are cut.
        args = (x if x.dtype.kind == "i" else np.where(np.isfinite(x), 1 + x / 64, x).astype(x.dtype), *args[1:])
    actual, expected = call(get_backend("cpu"), name, args), call(ORACLE, name, args)
    assert actual.dtype == expected.dtype or name == "mean"
    assert actual.shape == expected.shape
    rough = {"float16": 2e-3, "float32": 1e-5, "float64": 1e-13}.get(str(x.dtype), 0)
    np.testing.assert_allclose(actual, expected, rtol=rough, atol=rough)


@pytest.mark.parametrize("shape", [(1, 1_000_000), (1_000_000, 1), (4000, 250), (250, 4000), (100, 100, 100)])
def test_long_sums_round_as_little_as_numpys(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).uniform(0.5, 1.5, shape).astype(np.float32)
    for dims in [(0,), (len(shape) - 1,), (0, len(shape) - 1), (1,)]:
        exact = x.astype(np.float64).sum(dims)
        ours = np.abs(get_backend("cpu").sum(x, dims) / exact - 1).max()
        assert ours < 2e-6, dims


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    shape=st.sampled_from([(100,), (3, 70), (70, 3), (2, 90, 2)]),
    dtype=st.sampled_from(["float32", "float64", "float16", "int64", "uint8"]),
    kind=st.sampled_from(["apart", "ties", "awkward"]),
    largest=st.booleans(),
)
def test_a_few_of_many_equal_the_first_of_all_sorted(
    seed: int, shape: Any, dtype: str, kind: str, largest: bool
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.permutation(int(np.prod(shape))).reshape(shape) % (7 if kind == "ties" else 250)
    x = x.astype(dtype)
    if kind == "awkward" and x.dtype.kind == "f":
        x.flat[rng.integers(0, x.size, 4)] = rng.choice([np.nan, np.inf, -np.inf], 4)
    for dim in range(x.ndim):
        for k in (1, 5, 15):
            if k <= x.shape[dim]:
                args = (x, k, dim, largest)
                np.testing.assert_array_equal(call(get_backend("cpu"), "topk", args), call(ORACLE, "topk", args))
