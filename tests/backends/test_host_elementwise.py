"""The elementwise overrides for the host on large arrays and awkward numbers give what the generic bodies give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backends.test_primitives import ORACLE, call
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtorch.backends import get_backend

AWKWARD = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-30, -1e-30, 1e30, -1e30, 88.5, -88.5, 104.0, -104.0, 1.0, -1.0, 5e-7]
# Units in the last place that a few more or fewer steps may cost, and what is lost where a result passes through 0.
ROUGH = {"float16": (4e-3, 4e-3), "float32": (4e-6, 3e-7), "float64": (1e-14, 1e-15)}


@st.composite
def numbers(draw: Any, dtypes: tuple[str, ...] = ("float32", "float64", "float32", "float16")) -> Any:
    """An array with awkward numbers in random places: vectors and matrices, long and short, with and without gaps."""
    dtype = draw(st.sampled_from(dtypes))
    shape = draw(st.sampled_from([(5000,), (70, 70), (3, 5), (1,), (0, 3), (), (2, 3, 1000)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = rng.normal(size=shape) * rng.choice([0.01, 1.0, 30.0])
    if draw(st.booleans()):
        x = np.where(rng.random(shape) < 0.3, rng.choice(AWKWARD, shape), x)
    with np.errstate(all="ignore"):
        x = np.asarray(x).astype(dtype)
    return np.repeat(x, 2, -1)[..., ::2] if x.ndim and draw(st.booleans()) else x.T if draw(st.booleans()) else x


def agree(name: str, *args: Any) -> None:
    actual, expected = call(get_backend("cpu"), name, args), call(ORACLE, name, args)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    rtol, atol = ROUGH.get(str(expected.dtype), (0, 0))
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol, err_msg=name)


@pytest.mark.parametrize(
    ("name", "static"),
    [
        ("sigmoid", ()), ("expm1", ()), ("log1p", ()), ("softplus", (1.0, 20.0)), ("softplus", (0.7, 1.0)),
        ("logsigmoid", ()), ("relu", ()), ("direction", ()), ("silu", ()), ("gelu_tanh", ()), ("leaky_relu", (0.01,)),
        ("leaky_relu", (0.0,)), ("leaky_relu", (1.5,)), ("leaky_relu", (-0.5,)), ("elu", (1.0, 1.0, 1.0)),
        ("elu", (1.673, 1.05, 1.0)), ("elu", (0.5, 1.0, 2.0)), ("clamp", (-0.5, 0.5)), ("clamp", (None, 0)),
        ("clamp", (1, None)), ("clamp", (2.0, 1.0)), ("clamp", (float("nan"), 1.0)),
    ],
)  # fmt: skip
@settings(max_examples=8, deadline=None)
@given(x=numbers())
def test_a_function_equals_its_generic_body(name: str, static: tuple[Any, ...], x: Any) -> None:
    agree(name, x, *static)


@pytest.mark.parametrize(
    ("name", "static"),
    [
        ("abs_backward", ()), ("tanh_backward", ()), ("sigmoid_backward", ()), ("relu_backward", ()),
        ("leaky_relu_backward", (0.01,)), ("leaky_relu_backward", (2.0,)), ("elu_backward", (1.0, 1.0, 1.0)),
        ("elu_backward", (1.673, 1.05, 1.0)), ("elu_backward", (0.5, 1.0, 2.0)), ("silu_backward", ()),
        ("softplus_backward", (1.0, 20.0)), ("softplus_backward", (0.7, 1.0)), ("gelu_tanh_backward", ()),
    ],
)  # fmt: skip
@settings(max_examples=8, deadline=None)
@given(x=numbers(), spread=st.booleans())
def test_a_derivative_equals_its_generic_body(name: str, static: tuple[Any, ...], x: Any, spread: bool) -> None:
    g: Any = np.random.default_rng(0).normal(size=x.shape)
    g = np.broadcast_to(np.asarray(0.5, x.dtype), x.shape) if spread else np.asarray(g).astype(x.dtype)
    agree(name, g, x, *static)


@settings(max_examples=30, deadline=None)
@given(
    x=numbers(("float32", "float64", "float16", "int64", "int32", "uint8", "bool")),
    kind=st.sampled_from(["same", "row", "number", "python number", "other dtype"]),
)
def test_choosing_by_bits_equals_choosing(x: Any, kind: str) -> None:
    rng = np.random.default_rng(1)
    other: Any = x[::-1] if x.ndim else x
    if kind == "row":
        other = x[:1] if x.ndim else x
    elif kind == "number":
        other = np.asarray(1, x.dtype)
    elif kind == "python number":
        other = 1
    elif kind == "other dtype":
        other = other.astype("float64")
    mask = np.asarray(rng.random(x.shape) < 0.5)
    for a, b in ((x, other), (other, x)):
        agree("where", mask, a, b)
        agree("where", mask[:1] if mask.ndim else mask, a, b)
    values = [0, 1] if x.dtype.kind in "iub" else [0, 0.0, -0.0, 1.5, float("nan"), float("-inf")]
    for value in [*values, np.asarray(1, x.dtype)]:
        agree("masked_fill", x, mask, value)
        agree("masked_fill", x[:1] if x.ndim else x, mask, value)


@settings(max_examples=20, deadline=None)
@given(x=numbers(("float32", "float64")), row=st.booleans())
def test_logaddexp_equals_its_generic_body(x: Any, row: bool) -> None:
    agree("logaddexp", x, x[:1] if row and x.ndim else np.ascontiguousarray(x[::-1] if x.ndim else x))
    agree("logaddexp", x, x)


@pytest.mark.parametrize("name", ["remainder", "fmod", "floor_divide"])
@settings(max_examples=25, deadline=None)
@given(x=numbers(("float32", "float32", "float64", "int64")), data=st.data())
def test_division_with_a_rest_equals_its_generic_body(name: str, x: Any, data: st.DataObject) -> None:
    other: Any = data.draw(st.sampled_from([0.7, -0.3, 2, 1e-3, 1e30, 1e-30, float("inf"), 0.1]))
    if x.dtype.kind == "i":
        other = 7
    elif data.draw(st.booleans()):
        other = np.random.default_rng(0).uniform(-1, 1, x.shape[-1:]).astype(x.dtype)
    args = (x, other)
    actual, expected = call(get_backend("cpu"), name, args), call(ORACLE, name, args)
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected)  # exact: so is the C library


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(3, 5), (70, 90), (2, 90, 70)])
def test_triangles_and_running_sums_equal_their_generic_bodies(shape: Any, dtype: str) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    if dtype == "float32":
        x[..., 0, 1] = np.nan
    for diagonal in (-71, -2, 0, 3, 99):
        agree("tril", x, diagonal)
        agree("triu", x.swapaxes(0, -1), diagonal)
    wide = np.random.default_rng(0).normal(size=(4, 5, 300)).astype(dtype if dtype != "bool" else "int64")
    for dim in range(3):
        agree("cumsum", wide, dim)
