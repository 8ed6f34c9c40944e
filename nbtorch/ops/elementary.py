"""Functions of one number, elementwise: roots, exponentials, logarithms, trigonometry, rounding.

Integer and bool inputs of the real-valued ones become the default floating dtype. References for the derivatives: any
calculus table; where there is none (``abs`` at 0) PyTorch's choice is taken.
"""

from __future__ import annotations

import math
from typing import Any

from ..autograd.variable import TensorT, Variable
from .dispatch import FLOATS_ONLY, NO_BOOLS, PROMOTE, refuse_dtype, unary
from .exact_out import write_exact_out
from .operands import require_tensor
from .record import Op
from .writing import write_out

__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceil",
    "cos",
    "cosh",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "fix",
    "floor",
    "log",
    "log1p",
    "log2",
    "log10",
    "neg",
    "negative",
    "reciprocal",
    "round",
    "rsqrt",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
]  # fmt: skip


def is_bool(x: Any) -> bool:
    return isinstance(x, bool) or (isinstance(x, Variable) and x._array.dtype.kind == "b")


# -- one operand ---

NEG = Op("neg", lambda m, input: m.neg(input), input=lambda g: -g, formula=r"(-x)' = -1")


@NEG
def neg(input: TensorT, *, out: Any = None) -> TensorT:
    """``-input``.

    Raises:
        RuntimeError: for a bool tensor; use ``~`` or ``logical_not``.
    """
    if is_bool(input):
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead.\n  fix: ~mask"
        )
    return unary(NEG, input, PROMOTE, out=out)


ABS = Op(
    "abs",
    lambda m, input: m.abs(input),
    input=lambda m, g, input: m.abs_backward(g, input),
    formula=r"|x|' = \operatorname{sign}(x)",
)


@ABS
def abs(input: TensorT, *, out: Any = None) -> TensorT:
    """The absolute value; its derivative at 0 is taken as 0."""
    return unary(ABS, input, NO_BOOLS, out=out)


def sign_of(m: Any, input: Any) -> Any:
    """-1, 0 or 1; 0 for NaN, as in PyTorch."""
    return m.direction(input) if input.dtype.kind in "fV" else m.sign(input)


SIGN = Op("sign", sign_of, input=lambda g: g * 0, formula=r"\operatorname{sign}'(x) = 0")


@SIGN
def sign(input: TensorT, *, out: Any = None) -> TensorT:
    """-1, 0 or 1; its derivative is 0."""
    if is_bool(input):
        return input.clone() if out is None else write_exact_out("sign", out, input)  # type: ignore[attr-defined]
    return unary(SIGN, input, PROMOTE, out=out)


SQUARE = Op(
    "square",
    lambda m, input: m.mul(input, input),
    node="PowBackward0",
    input=lambda g, input: g * (2 * input),
    formula=r"(x^2)' = 2x",
)


@SQUARE
def square(input: TensorT, *, out: Any = None) -> TensorT:
    """``input * input``."""
    if is_bool(input):
        input = input.long()  # type: ignore[attr-defined]
    result: TensorT = unary(SQUARE, input, PROMOTE)
    return result if out is None else write_out("square", out, result)


RECIPROCAL = Op(
    "reciprocal",
    lambda m, input: m.reciprocal(input),
    input=lambda g, out: -g * (out * out),
    formula=r"\left(\tfrac1x\right)' = -\tfrac{1}{x^2}",
)


@RECIPROCAL
def reciprocal(input: TensorT, *, out: Any = None) -> TensorT:
    """``1 / input``."""
    return unary(RECIPROCAL, input, out=out)


SQRT = Op(
    "sqrt",
    lambda m, input: m.sqrt(input),
    input=lambda g, out: g / (2 * out),
    formula=r"\sqrt{x}\,' = \frac{1}{2\sqrt{x}}",
)


@SQRT
def sqrt(input: TensorT, *, out: Any = None) -> TensorT:
    """The square root; NaN below 0."""
    return unary(SQRT, input, out=out)


RSQRT = Op(
    "rsqrt",
    lambda m, input: m.rsqrt(input),
    input=lambda g, out: -0.5 * g * (out * out * out),
    formula=r"(x^{-1/2})' = -\tfrac12 x^{-3/2}",
)


@RSQRT
def rsqrt(input: TensorT, *, out: Any = None) -> TensorT:
    """``1 / sqrt(input)``."""
    return unary(RSQRT, input, out=out)


EXP = Op("exp", lambda m, input: m.exp(input), input=lambda g, out: g * out, formula=r"(e^x)' = e^x")


@EXP
def exp(input: TensorT, *, out: Any = None) -> TensorT:
    """e to the power of each element."""
    return unary(EXP, input, out=out)


EXP2 = Op(
    "exp2", lambda m, input: m.exp2(input), input=lambda g, out: g * (out * math.log(2)), formula=r"(2^x)' = 2^x \ln 2"
)


@EXP2
def exp2(input: TensorT, *, out: Any = None) -> TensorT:
    """2 to the power of each element."""
    return unary(EXP2, input, out=out)


EXPM1 = Op("expm1", lambda m, input: m.expm1(input), input=lambda g, out: g * (out + 1), formula=r"(e^x-1)' = e^x")


@EXPM1
def expm1(input: TensorT, *, out: Any = None) -> TensorT:
    """``exp(input) - 1``, accurate near 0."""
    return unary(EXPM1, input, out=out)


LOG = Op("log", lambda m, input: m.log(input), input=lambda g, input: g / input, formula=r"(\ln x)' = \tfrac1x")


@LOG
def log(input: TensorT, *, out: Any = None) -> TensorT:
    """The natural logarithm; -inf at 0, NaN below."""
    return unary(LOG, input, out=out)


LOG2 = Op(
    "log2",
    lambda m, input: m.log2(input),
    input=lambda g, input: g / (input * math.log(2)),
    formula=r"(\log_2 x)' = \frac{1}{x \ln 2}",
)


@LOG2
def log2(input: TensorT, *, out: Any = None) -> TensorT:
    """The logarithm to base 2."""
    return unary(LOG2, input, out=out)


LOG10 = Op(
    "log10",
    lambda m, input: m.log10(input),
    input=lambda g, input: g / (input * math.log(10)),
    formula=r"(\log_{10} x)' = \frac{1}{x \ln 10}",
)


@LOG10
def log10(input: TensorT, *, out: Any = None) -> TensorT:
    """The logarithm to base 10."""
    return unary(LOG10, input, out=out)


LOG1P = Op(
    "log1p",
    lambda m, input: m.log1p(input),
    node="Log1PBackward0",
    input=lambda g, input: g / (input + 1),
    formula=r"\ln(1+x)' = \frac{1}{1+x}",
)


@LOG1P
def log1p(input: TensorT, *, out: Any = None) -> TensorT:
    """``log(1 + input)``, accurate near 0."""
    return unary(LOG1P, input, out=out)


SIN = Op("sin", lambda m, input: m.sin(input), input=lambda m, g, input: g * m.cos(input), formula=r"\sin' x = \cos x")


@SIN
def sin(input: TensorT, *, out: Any = None) -> TensorT:
    """The sine of an angle in radians."""
    return unary(SIN, input, out=out)


COS = Op(
    "cos", lambda m, input: m.cos(input), input=lambda m, g, input: -g * m.sin(input), formula=r"\cos' x = -\sin x"
)


@COS
def cos(input: TensorT, *, out: Any = None) -> TensorT:
    """The cosine of an angle in radians."""
    return unary(COS, input, out=out)


TAN = Op(
    "tan", lambda m, input: m.tan(input), input=lambda g, out: g * (1 + out * out), formula=r"\tan' x = 1+\tan^2 x"
)


@TAN
def tan(input: TensorT, *, out: Any = None) -> TensorT:
    """The tangent of an angle in radians."""
    return unary(TAN, input, out=out)


ASIN = Op(
    "asin",
    lambda m, input: m.asin(input),
    input=lambda m, g, input: g * m.rsqrt(1 - input * input),
    formula=r"\arcsin' x = \frac{1}{\sqrt{1-x^2}}",
)


@ASIN
def asin(input: TensorT, *, out: Any = None) -> TensorT:
    """The angle in radians whose sine is given; NaN outside [-1, 1]."""
    return unary(ASIN, input, out=out)


ACOS = Op(
    "acos",
    lambda m, input: m.acos(input),
    input=lambda m, g, input: -g * m.rsqrt(1 - input * input),
    formula=r"\arccos' x = -\frac{1}{\sqrt{1-x^2}}",
)


@ACOS
def acos(input: TensorT, *, out: Any = None) -> TensorT:
    """The angle in radians whose cosine is given; NaN outside [-1, 1]."""
    return unary(ACOS, input, out=out)


ATAN = Op(
    "atan",
    lambda m, input: m.atan(input),
    input=lambda g, input: g / (input * input + 1),
    formula=r"\arctan' x = \frac{1}{1+x^2}",
)


@ATAN
def atan(input: TensorT, *, out: Any = None) -> TensorT:
    """The angle in radians whose tangent is given."""
    return unary(ATAN, input, out=out)


SINH = Op(
    "sinh", lambda m, input: m.sinh(input), input=lambda m, g, input: g * m.cosh(input), formula=r"\sinh' x = \cosh x"
)


@SINH
def sinh(input: TensorT, *, out: Any = None) -> TensorT:
    """The hyperbolic sine."""
    return unary(SINH, input, out=out)


COSH = Op(
    "cosh", lambda m, input: m.cosh(input), input=lambda m, g, input: g * m.sinh(input), formula=r"\cosh' x = \sinh x"
)


@COSH
def cosh(input: TensorT, *, out: Any = None) -> TensorT:
    """The hyperbolic cosine."""
    return unary(COSH, input, out=out)


TANH = Op(
    "tanh",
    lambda m, input: m.tanh(input),
    input=lambda m, g, out: m.tanh_backward(g, out),
    formula=r"\tanh' x = 1-\tanh^2 x",
)


@TANH
def tanh(input: TensorT, *, out: Any = None) -> TensorT:
    """The hyperbolic tangent."""
    return unary(TANH, input, out=out)


ASINH = Op(
    "asinh",
    lambda m, input: m.asinh(input),
    input=lambda m, g, input: g * m.rsqrt(input * input + 1),
    formula=r"\operatorname{arsinh}' x = \frac{1}{\sqrt{x^2+1}}",
)


@ASINH
def asinh(input: TensorT, *, out: Any = None) -> TensorT:
    """The inverse of ``sinh``."""
    return unary(ASINH, input, out=out)


ACOSH = Op(
    "acosh",
    lambda m, input: m.acosh(input),
    input=lambda m, g, input: g * m.rsqrt(input * input - 1),
    formula=r"\operatorname{arcosh}' x = \frac{1}{\sqrt{x^2-1}}",
)


@ACOSH
def acosh(input: TensorT, *, out: Any = None) -> TensorT:
    """The inverse of ``cosh``; NaN below 1."""
    return unary(ACOSH, input, out=out)


ATANH = Op(
    "atanh",
    lambda m, input: m.atanh(input),
    input=lambda g, input: g / (1 - input * input),
    formula=r"\operatorname{artanh}' x = \frac{1}{1-x^2}",
)


@ATANH
def atanh(input: TensorT, *, out: Any = None) -> TensorT:
    """The inverse of ``tanh``; NaN outside [-1, 1]."""
    return unary(ATANH, input, out=out)


SIGMOID = Op(
    "sigmoid",
    lambda m, input: m.sigmoid(input),
    input=lambda m, g, out: m.sigmoid_backward(g, out),
    formula=r"\sigma'(x) = \sigma(x)\,(1-\sigma(x))",
)


@SIGMOID
def sigmoid(input: TensorT, *, out: Any = None) -> TensorT:
    """``1 / (1 + exp(-input))``."""
    return unary(SIGMOID, input, out=out)


ERF = Op(
    "erf",
    lambda m, input: m.erf(input),
    input=lambda m, g, input: g * (2 / math.sqrt(math.pi)) * m.exp(-(input * input)),
    formula=r"\operatorname{erf}'(x) = \frac{2}{\sqrt\pi} e^{-x^2}",
)


@ERF
def erf(input: TensorT, *, out: Any = None) -> TensorT:
    """The error function."""
    return unary(ERF, input, out=out)


# -- rounding: the derivative is 0 wherever there is one ---

FLOOR = Op("floor", lambda m, input: m.floor(input), input=lambda g: g * 0, formula=r"\lfloor x \rfloor' = 0")
CEIL = Op("ceil", lambda m, input: m.ceil(input), input=lambda g: g * 0, formula=r"\lceil x \rceil' = 0")
TRUNC = Op("trunc", lambda m, input: m.trunc(input), input=lambda g: g * 0, formula=r"\operatorname{trunc}' = 0")
ROUND = Op("round", lambda m, input: m.round(input), input=lambda g: g * 0, formula=r"\operatorname{round}' = 0")


def _rounded(op: Op, input: Any, out: Any) -> Any:
    require_tensor(op.name, "input", input)
    if input._array.dtype.kind in "iu":
        return input.clone() if out is None else write_exact_out(op.name, out, input)
    return unary(op, input, NO_BOOLS, out=out)


@FLOOR
def floor(input: TensorT, *, out: Any = None) -> TensorT:
    """The largest whole number that is not larger."""
    return _rounded(FLOOR, input, out)


@CEIL
def ceil(input: TensorT, *, out: Any = None) -> TensorT:
    """The smallest whole number that is not smaller."""
    return _rounded(CEIL, input, out)


@TRUNC
def trunc(input: TensorT, *, out: Any = None) -> TensorT:
    """The whole number towards 0."""
    return _rounded(TRUNC, input, out)


@ROUND
def round(input: TensorT, *, decimals: int = 0, out: Any = None) -> TensorT:
    """The nearest whole number, halves to the even one; with ``decimals``, the nearest multiple of 10**-decimals."""
    if decimals:
        refuse_dtype("round", input._dtype(), FLOATS_ONLY)
        scale = 10.0**decimals
        scaled: Any = input
        rounded = _rounded(ROUND, scaled * scale, None) / scale
        return rounded if out is None else write_exact_out("round", out, rounded)
    return _rounded(ROUND, input, out)


# -- other names that PyTorch gives ---

absolute, negative, fix = abs, neg, trunc
arcsin, arccos, arctan, arcsinh, arccosh, arctanh = asin, acos, atan, asinh, acosh, atanh


class ElementaryMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    neg = neg
    abs = abs
    sign = sign
    square = square
    reciprocal = reciprocal
    sqrt = sqrt
    rsqrt = rsqrt
    exp = exp
    exp2 = exp2
    expm1 = expm1
    log = log
    log2 = log2
    log10 = log10
    log1p = log1p
    sin = sin
    cos = cos
    tan = tan
    asin = asin
    acos = acos
    atan = atan
    sinh = sinh
    cosh = cosh
    tanh = tanh
    asinh = asinh
    acosh = acosh
    atanh = atanh
    sigmoid = sigmoid
    erf = erf
    floor = floor
    ceil = ceil
    trunc = trunc
    round = round
    absolute = absolute
    negative = negative
    arcsin = arcsin
    arccos = arccos
    arctan = arctan
    arcsinh = arcsinh
    arccosh = arccosh
    arctanh = arctanh
    fix = fix

    def __neg__(self: TensorT) -> TensorT:
        return neg(self)

    def __pos__(self: TensorT) -> TensorT:
        return self

    def __abs__(self: TensorT) -> TensorT:
        return abs(self)
