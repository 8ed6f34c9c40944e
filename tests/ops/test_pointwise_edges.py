"""Elementwise operations at their edges, beside PyTorch: special values, dtypes, out=, in-place names."""

from __future__ import annotations

import math
import warnings
from typing import Any

import helpers
import numpy as np
import pytest

import nbtorch

torch = helpers.import_torch()

FLOATS = np.array([0.0, -0.0, 1, -1, 0.5, -0.5, 2.5, -2.5, 3, -3, math.inf, -math.inf, math.nan, 1e-30, 100, -100])
WHOLE = np.array([0, 1, -1, 2, -3, 5, 100, -100])
NUMBERS: dict[str, Any] = {
    "float64": FLOATS,
    "float32": FLOATS.astype("float32"),
    "float16": FLOATS.astype("float16"),
    "int64": WHOLE,
    "int8": WHOLE.astype("int8"),
    "uint8": np.abs(WHOLE).astype("uint8"),
    "bool": np.array([True, False]),
}
ONE = [
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "bitwise_not", "ceil", "cos", "cosh", "deg2rad",
    "digamma", "erf", "erfc", "erfinv", "exp", "exp2", "expm1", "floor", "frac", "i0", "isfinite", "isinf", "isnan",
    "isneginf", "isposinf", "isreal", "lgamma", "log", "log10", "log1p", "log2", "logical_not", "logit", "nan_to_num",
    "neg", "positive", "rad2deg", "reciprocal", "relu", "round", "rsqrt", "sgn", "sigmoid", "sign", "signbit", "sin",
    "sinc", "sinh", "sqrt", "square", "tan", "tanh", "trunc", "angle", "special.entr", "special.i0e", "special.i1",
    "special.i1e", "special.ndtr", "nn.functional.elu", "nn.functional.hardswish", "nn.functional.softplus",
    "nn.functional.silu", "nn.functional.mish",
]  # fmt: skip
TWO = [
    "add", "sub", "mul", "div", "floor_divide", "remainder", "fmod", "pow", "atan2", "maximum", "minimum", "eq", "lt",
    "bitwise_and", "bitwise_left_shift", "copysign", "fmax", "fmin", "gcd", "lcm", "hypot", "heaviside", "nextafter",
    "igamma", "float_power", "logaddexp", "logaddexp2", "xlogy", "logical_xor", "special.xlog1py",
]  # fmt: skip


def of(library: Any, name: str) -> Any:
    for part in name.split("."):
        library = getattr(library, part)
    return library


def alike(name: str, *hosts: Any) -> None:
    """The same values, dtype and shape, or an exception of PyTorch's class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = of(torch, name)(*[torch.from_numpy(h.copy()) for h in hosts])
        except Exception as error:
            with pytest.raises(type(error)):
                of(nbtorch, name)(*[helpers.to_nbtorch(h) for h in hosts])
            return
        actual = of(nbtorch, name)(*[helpers.to_nbtorch(h) for h in hosts])
    tolerance = {torch.float16: 5e-3, torch.float32: 1e-5, torch.float64: 1e-9}.get(expected.dtype, 0)
    helpers.same(actual, expected, tolerance, tolerance)


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("name", ONE)
def test_one_operand(name: str, dtype: str) -> None:
    host = NUMBERS[dtype]
    for x in (host, host[1], host[:0], host[::2]):
        alike(name, np.asarray(x))


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("name", TWO)
def test_two_operands(name: str, dtype: str) -> None:
    for other in NUMBERS.values():
        alike(name, NUMBERS[dtype][:, None], other)
        alike(name, NUMBERS[dtype], np.asarray(other[1]))


def test_a_number_wraps_into_the_integer_dtype_beside_it() -> None:
    x = torch.tensor([1, 200, 255], dtype=torch.uint8)
    y = helpers.to_nbtorch(x.numpy())
    helpers.same(y * -3, x * -3)
    helpers.same(y + 300, x + 300)
    helpers.same(nbtorch.sub(y, y, alpha=-2), torch.sub(x, x, alpha=-2))


def test_every_elementwise_in_place_name_of_pytorch_is_there() -> None:
    names = set(ONE) | set(TWO) | {
        "arcsin", "arctan2", "absolute", "negative", "clip", "fix", "greater", "greater_equal", "less", "less_equal",
        "not_equal", "multiply", "subtract", "divide", "true_divide", "lerp", "addcmul", "addcdiv", "mvlgamma",
        "polygamma", "igammac", "ldexp",
    }  # fmt: skip
    missing = [n for n in names if hasattr(torch.Tensor, n + "_") and not hasattr(nbtorch.Tensor, n + "_")]
    assert not missing
    x = helpers.to_nbtorch(np.array([1.0, -4.0]))
    assert nbtorch.abs_(x) is x and x.tolist() == [1, 4]
    assert x.greater_(2) is x and x.tolist() == [0, 1]


@pytest.mark.parametrize("name", ["add", "exp", "eq", "xlogy", "lgamma", "where", "clamp"])
def test_out_is_written_resized_or_refused(name: str) -> None:
    host = np.array([[0.5, 1.5], [2.5, 3.5]])
    x = helpers.to_nbtorch(host)
    rest = {"clamp": (1.0, 2.0), "where": (x, x)}.get(name, (x,) if name in ("add", "eq", "xlogy") else ())
    first = x > 1 if name == "where" else x
    function = getattr(nbtorch, name)
    expected = function(first, *rest)
    out = nbtorch.zeros_like(expected)
    assert function(first, *rest, out=out) is out
    helpers.same(out, helpers.to_numpy(expected))
    empty = nbtorch.empty(0, dtype=expected.dtype, device=helpers.device_name())
    helpers.same(function(first, *rest, out=empty), helpers.to_numpy(expected))
    if expected.dtype.is_floating_point:
        with pytest.raises(RuntimeError):
            function(first, *rest, out=nbtorch.zeros(2, 2, dtype=nbtorch.int64, device=helpers.device_name()))
        with pytest.raises(RuntimeError, match="out="):
            function(first, *rest, out=out.clone().requires_grad_())


def test_a_view_given_as_out_writes_to_its_base() -> None:
    base = helpers.to_nbtorch(np.zeros((3, 2)))
    nbtorch.exp(helpers.to_nbtorch(np.zeros(2)), out=base[1])
    assert base.tolist() == [[0, 0], [1, 1], [0, 0]]


def test_real_numbers_as_complex_ones() -> None:
    x = helpers.to_nbtorch(np.array([1.0, -2.0]))
    assert nbtorch.real(x) is x and x.real is x and x.conj() is x and nbtorch.resolve_neg(x) is x
    for imaginary in (lambda: nbtorch.imag(x), lambda: x.imag):
        with pytest.raises(RuntimeError, match="imag is not implemented"):
            imaginary()


def test_frexp_has_names() -> None:
    result = nbtorch.frexp(helpers.to_nbtorch(np.array([8.0, -0.75])))
    assert result.mantissa.tolist() == [0.5, -0.75] and result.exponent.tolist() == [4, 0]
    assert result.exponent.dtype is nbtorch.int32


def test_the_unknown_derivatives_say_so() -> None:
    a = helpers.to_nbtorch(np.array([1.5]), requires_grad=True)
    for value in (nbtorch.igamma(a, a.detach()), nbtorch.igammac(a, a.detach()), nbtorch.special.zeta(a, a.detach())):
        with pytest.raises(NotImplementedError, match="the derivative for"):
            value.sum().backward()


@pytest.mark.parametrize("name", ["floor_divide_", "remainder_", "fmod_", "__ifloordiv__", "__imod__"])
def test_an_integer_division_by_zero_in_place_is_refused(name: str) -> None:
    x = helpers.to_nbtorch(np.array([4, 5]))
    for zero in (0, helpers.to_nbtorch(np.array([1, 0]))):
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            getattr(x, name)(zero)
    assert x.tolist() == [4, 5]
    getattr(helpers.to_nbtorch(np.array([4.0, 5.0])), name)(0)


CHOOSERS = {
    "relu": lambda t, x: t.relu(x),
    "clamp": lambda t, x: x.clamp(min=0),
    "clamp both": lambda t, x: x.clamp(0, 1),
    "where": lambda t, x: t.where(x > 0, x, 0.0),
    "other of where": lambda t, x: t.where(x > 0, 0.0, x),
    "maximum": lambda t, x: t.maximum(x, t.zeros_like(x)),
    "fmin": lambda t, x: t.fmin(x, t.zeros_like(x)),
    "hardshrink": lambda t, x: t.nn.functional.hardshrink(x),
    "hardswish": lambda t, x: t.nn.functional.hardswish(x),
    "hardsigmoid": lambda t, x: t.nn.functional.hardsigmoid(x),
}


@pytest.mark.parametrize("name", CHOOSERS)
@pytest.mark.parametrize("incoming", [math.inf, math.nan])
def test_what_was_not_chosen_gets_no_gradient(name: str, incoming: float) -> None:
    """``clamp(min=0).sqrt()`` and its kin: 0 times the infinite slope behind must not become NaN."""
    values = np.array([-4.0, -1.0, -0.2, 0.3, 1.0, 4.0], np.float32)
    slopes = []
    for t, make in ((torch, helpers.to_torch), (nbtorch, helpers.to_nbtorch)):
        x = make(values, requires_grad=True)
        y = CHOOSERS[name](t, x)
        slopes.append(t.autograd.grad(y, x, t.full_like(y, incoming))[0])
    helpers.same(slopes[1], slopes[0])


def test_sigmoid_keeps_its_digits_far_left() -> None:
    values = np.linspace(-80, 80, 321, dtype=np.float32)
    helpers.same(helpers.to_nbtorch(values).sigmoid(), helpers.to_torch(values).sigmoid(), rtol=2e-6, atol=0)
    helpers.same(helpers.to_nbtorch(values).sigmoid().log(), helpers.to_torch(values).sigmoid().log(), rtol=2e-6)


def test_where_takes_a_mask_of_bytes_with_a_warning():
    a, b = np.array([1.0, 2.0, 3.0], np.float32), np.zeros(3, np.float32)
    for lib, to in ((torch, helpers.to_torch), (nbtorch, helpers.to_nbtorch)):
        mask = to(np.array([1, 0, 2], np.uint8))
        with pytest.warns(UserWarning, match="where received a uint8 condition tensor"):
            assert lib.where(mask, to(a), to(b)).tolist() == [1, 0, 3]


def test_casts_of_what_no_integer_can_hold_are_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        helpers.to_nbtorch(np.array([math.nan, math.inf, 1e30], np.float32)).long()
