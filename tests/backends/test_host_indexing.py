"""Taking and adding by index tensors on the host gives what the generic bodies give."""

from __future__ import annotations

from typing import Any

import numpy as np
from backends.test_primitives import ORACLE, call
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtorch.backends import get_backend

DTYPES = ["float32", "float64", "float16", "int64", "int32", "uint8", "bool"]


def agree(name: str, *args: Any) -> None:
    actual, expected = call(get_backend("cpu"), name, args), call(ORACLE, name, args)
    assert actual.dtype == expected.dtype
    # Rows that are added up before they are added to what is there round otherwise.
    rough = {"float32": 1e-4, "float64": 1e-12, "float16": 2e-2}.get(str(expected.dtype), 0)
    np.testing.assert_allclose(actual, expected, rtol=rough, atol=rough, err_msg=name)


@st.composite
def tables(draw: Any) -> Any:
    """An array of one to three dimensions, and a generator for what goes with it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(st.sampled_from([(7,), (5, 3), (3, 4, 2), (300, 64), (20, 6, 40), (1, 1), (0, 3), (4, 0)]))
    x = (rng.normal(size=shape) * 8).astype(draw(st.sampled_from(DTYPES)))
    if x.dtype == np.float32 and x.size and draw(st.booleans()):
        x.flat[0] = rng.choice([np.nan, np.inf])
    return (x.T if draw(st.booleans()) else x), rng


@settings(max_examples=60, deadline=None)
@given(given=tables(), data=st.data())
def test_along_a_dimension(given: Any, data: Any) -> None:
    x, rng = given
    dim = data.draw(st.integers(0, x.ndim - 1))
    sizes = [min(n, data.draw(st.sampled_from([1, n]))) for n in x.shape]
    sizes[dim] = data.draw(st.sampled_from([0, 1, 9])) if x.shape[dim] else 0
    index = rng.integers(0, max(x.shape[dim], 1), sizes)
    src = (rng.normal(size=[n + 1 for n in sizes]) * 8).astype(x.dtype)
    agree("gather", x, dim, index)
    agree("scatter_add", x, dim, index, src)
    agree("scatter_add", x, dim, index.astype(np.int32), src)
    agree("gather_backward", src, dim, index, x.shape)
    unique = np.sort(index, dim)[tuple(slice(0, 1) if d == dim else slice(None) for d in range(x.ndim))]
    agree("scatter", x, dim, unique, src)
    agree("scatter", x, dim, unique, 1)
    agree("gather_backward", src[tuple(slice(0, n) for n in unique.shape)], dim, unique, x.shape, True)


@settings(max_examples=80, deadline=None)
@given(given=tables(), data=st.data())
def test_adding_at_an_index(given: Any, data: Any) -> None:
    x, rng = given
    n = data.draw(st.sampled_from([1, 4, 600]))
    if not x.size:
        return agree("add_at", x, np.zeros((0,), np.int64), 1)

    def along(d: int, shape: Any = (n,)) -> Any:
        return rng.integers(-x.shape[d], x.shape[d], shape)

    whole = slice(None)
    kinds: list[Any] = [along(0), (along(0),), (along(0, (2, 3)),)]
    if x.ndim > 1:
        kinds += [(whole, along(1)), (along(0), along(1)), (along(0, (3, 1)), along(1, (2,))), (along(0), slice(1, 2))]
        kinds += [(along(0) // 2, along(1).astype(np.int32)), (None, along(0)), (x[..., 0] > 0,)]
    if x.ndim > 2:
        kinds += [(along(0), whole, along(2)), (whole, along(1), along(2)), (whole, whole, along(2))]
    for index in [*kinds, x > 0]:
        region = x[index].shape
        values = (rng.normal(size=region) * 8).astype(x.dtype)
        agree("add_at", x, index, values)
        agree("add_at", x, index, 1)
        agree("index_add", x, 0, along(0, (2,)), x[:1].repeat(2, 0))
        agree("index_backward", values, index, x.shape, False)
