"""Elementwise operations: arithmetic, powers, exponentials, trigonometry, rounding and clamping.

Each takes tensors of any shape and gives one of the broadcast shape. Integer and bool inputs of the real-valued
functions become the default floating dtype. References for the derivatives: any calculus table; at points without a
derivative (ties of ``maximum``, 0 for ``abs``) PyTorch's choice is taken.
"""

from __future__ import annotations

import math
from typing import Any

from ..autograd.variable import TensorT, Variable, wrap
from ..backends.dtypes import dtype, promote_types
from .comparison import gt, lt
from .conversion import to_dtype
from .dispatch import FLOAT, PROMOTE, binary, unary
from .operands import (
    NUMBERS,
    Number,
    broadcast_shapes,
    float_of,
    is_operand,
    number_dtype,
    operand,
    require_tensor,
    result_type,
)
from .record import Op, apply, check_same_device

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "addcdiv", "addcmul", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "clamp", "clamp_max",
    "clamp_min", "clip", "cos", "cosh", "div", "divide", "erf", "exp", "exp2", "expm1", "fix", "floor",
    "floor_divide", "fmod", "frac", "lerp", "log", "log10", "log1p", "log2", "logaddexp", "maximum", "minimum",
    "mul", "multiply", "neg", "negative", "pow", "reciprocal", "remainder", "round", "rsqrt", "sigmoid", "sign",
    "sin", "sinh", "sqrt", "square", "sub", "subtract", "tan", "tanh", "true_divide", "trunc", "where",
]  # fmt: skip

# -- arithmetic --------------------------------------------------------------------------------------------------------

ADD = Op(
    "add",
    lambda m, input, other: m.add(input, other),
    tensors=2,
    input=lambda g: g,
    other=lambda g: g,
    formula=r"\frac{\partial (x+y)}{\partial x} = 1,\quad \frac{\partial (x+y)}{\partial y} = 1",
)


@ADD
def add(input: TensorT, other: TensorT | Number, *, alpha: Number = 1) -> TensorT:
    """``input + alpha * other``, elementwise with broadcasting."""
    return binary(ADD, input, other if alpha == 1 else _scaled(other, alpha))


SUB = Op(
    "sub",
    lambda m, input, other: m.sub(input, other),
    tensors=2,
    input=lambda g: g,
    other=lambda g: -g,
    formula=r"\frac{\partial (x-y)}{\partial x} = 1,\quad \frac{\partial (x-y)}{\partial y} = -1",
)


@SUB
def sub(input: TensorT, other: TensorT | Number, *, alpha: Number = 1) -> TensorT:
    """``input - alpha * other``, elementwise with broadcasting.

    Raises:
        RuntimeError: for two bool tensors; use ``logical_xor`` or ``~``.
    """
    if _is_bool(input) and _is_bool(other):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )
    return binary(SUB, input, other if alpha == 1 else _scaled(other, alpha))


def _is_bool(x: Any) -> bool:
    return isinstance(x, bool) or (isinstance(x, Variable) and x._array.dtype.kind == "b")


def _scaled(other: Any, alpha: Number) -> Any:
    return other * alpha if isinstance(other, NUMBERS) else mul(other, alpha)


MUL = Op(
    "mul",
    lambda m, input, other: m.mul(input, other),
    tensors=2,
    input=lambda g, other: g * other,
    other=lambda g, input: g * input,
    formula=r"\frac{\partial (x\,y)}{\partial x} = y,\quad \frac{\partial (x\,y)}{\partial y} = x",
)


@MUL
def mul(input: TensorT, other: TensorT | Number) -> TensorT:
    """``input * other``, elementwise with broadcasting."""
    return binary(MUL, input, other)


DIV = Op(
    "div",
    lambda m, input, other: m.div(input, other),
    tensors=2,
    input=lambda g, other: g / other,
    other=lambda g, out, other: -g * out / other,
    formula=r"\frac{\partial}{\partial x}\frac{x}{y} = \frac{1}{y},\quad "
    r"\frac{\partial}{\partial y}\frac{x}{y} = -\frac{x}{y^2}",
)


@DIV
def div(input: TensorT, other: TensorT | Number, *, rounding_mode: str | None = None) -> TensorT:
    """``input / other``, elementwise with broadcasting.

    Args:
        rounding_mode: None for true division (integers give floats), ``"floor"`` or ``"trunc"``.

    Raises:
        RuntimeError: for another rounding mode, and for an integer division by zero.
    """
    if rounding_mode is None:
        return binary(DIV, input, other, FLOAT)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode == "trunc":
        _no_zero_divisor(input, other)
        return binary(TRUNC_DIVIDE, input, other)
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found " + repr(rounding_mode)
    )


def _trunc_divide(m: Any, input: Any, other: Any) -> Any:
    quotient = m.div(input, other)
    return m.astype(m.trunc(quotient), m.add(input, other).dtype)


TRUNC_DIVIDE = Op("trunc_divide", _trunc_divide, tensors=2, node="DivBackward1", input=lambda g: g * 0,
                  other=lambda g: g * 0, formula=r"\operatorname{trunc}(x/y)' = 0")  # fmt: skip
FLOOR_DIVIDE = Op("floor_divide", lambda m, input, other: m.floor_divide(input, other), tensors=2,
                  node="FloorDivideBackward0", input=lambda g: g * 0, other=lambda g: g * 0,
                  formula=r"\lfloor x/y \rfloor' = 0")  # fmt: skip


@FLOOR_DIVIDE
def floor_divide(input: TensorT, other: TensorT | Number) -> TensorT:
    """The quotient rounded towards minus infinity. Its derivative is 0.

    Raises:
        RuntimeError: for an integer division by zero.
    """
    _no_zero_divisor(input, other)
    return binary(FLOOR_DIVIDE, input, other)


def _no_zero_divisor(input: Any, other: Any) -> None:
    """Integer division by zero has no value to give; NumPy would give 0."""
    if isinstance(input, float) or isinstance(other, float):
        return
    if any(isinstance(x, Variable) and x._array.dtype.kind == "f" for x in (input, other)):
        return
    zero = bool((other._array == 0).any()) if isinstance(other, Variable) else other == 0
    if zero:
        raise RuntimeError("ZeroDivisionError\n  got: an integer division by 0\n  fix: divide floats, or mask the zeros")


REMAINDER = Op(
    "remainder",
    lambda m, input, other: m.remainder(input, other),
    tensors=2,
    input=lambda g: g,
    other=lambda m, g, input, other: -g * m.floor(input / other),
    formula=r"\frac{\partial (x \bmod y)}{\partial x} = 1,\quad "
    r"\frac{\partial (x \bmod y)}{\partial y} = -\lfloor x/y \rfloor",
)


@REMAINDER
def remainder(input: TensorT, other: TensorT | Number) -> TensorT:
    """The remainder with the sign of the divisor: Python's ``%``."""
    _no_zero_divisor(input, other)
    return binary(REMAINDER, input, other)


FMOD = Op(
    "fmod",
    lambda m, input, other: m.fmod(input, other),
    tensors=2,
    input=lambda g: g,
    other=lambda m, g, input, other: -g * m.trunc(input / other),
    formula=r"\frac{\partial\,\mathrm{fmod}(x, y)}{\partial y} = -\operatorname{trunc}(x/y)",
)


@FMOD
def fmod(input: TensorT, other: TensorT | Number) -> TensorT:
    """The remainder with the sign of the dividend: C's ``fmod``."""
    _no_zero_divisor(input, other)
    return binary(FMOD, input, other)


def _pow(m: Any, input: Any, exponent: Any) -> Any:
    # NumPy's power is slow even for small whole exponents; these are what programs use.
    if isinstance(exponent, (int, float)) and not isinstance(input, NUMBERS):
        if exponent == 2:
            return m.mul(input, input)
        if exponent == 1:
            return m.copy(input)
        if exponent == 3:
            return m.mul(m.mul(input, input), input)
        if input.dtype.kind == "f":
            if exponent == 0.5:
                return m.sqrt(input)
            if exponent == -1:
                return m.reciprocal(input)
    return m.pow(input, exponent)


def _pow_input(m: Any, g: Any, input: Any, exponent: Any) -> Any:
    if isinstance(exponent, (int, float)):
        return g * 0 if exponent == 0 else g * (exponent * m.pow(input, exponent - 1))
    # x**0 is 1 for every x, also where y * x**(y - 1) would be 0 * inf.
    return m.where(exponent == 0, g * 0, g * (exponent * m.pow(input, exponent - 1)))


def _pow_exponent(m: Any, g: Any, input: Any, exponent: Any, out: Any) -> Any:
    if isinstance(input, (int, float)):
        return g * (out * math.log(input)) if input > 0 else m.where(exponent >= 0, g * 0, g * math.nan)
    return m.where((input == 0) & (exponent >= 0), g * 0, g * (out * m.log(input)))


POW = Op(
    "pow",
    _pow,
    tensors=2,
    input=_pow_input,
    exponent=_pow_exponent,
    formula=r"\frac{\partial x^y}{\partial x} = y\,x^{y-1},\quad \frac{\partial x^y}{\partial y} = x^y \ln x",
)


@POW
def pow(input: TensorT | Number, exponent: TensorT | Number) -> TensorT:
    """``input ** exponent``, elementwise with broadcasting; one of the two may be a number.

    Raises:
        RuntimeError: for an integer tensor to a negative whole power.
    """
    if isinstance(exponent, int) and exponent < 0 and isinstance(input, Variable) and input._array.dtype.kind in "iub":
        raise RuntimeError("Integers to negative integer powers are not allowed.\n  fix: convert first, x.float() ** -1")
    return binary(POW, input, exponent)


ATAN2 = Op(
    "atan2",
    lambda m, input, other: m.atan2(input, other),
    tensors=2,
    input=lambda g, input, other: g * other / (input * input + other * other),
    other=lambda g, input, other: -g * input / (input * input + other * other),
    formula=r"\frac{\partial\,\mathrm{atan2}(y,x)}{\partial y} = \frac{x}{x^2+y^2},\quad "
    r"\frac{\partial\,\mathrm{atan2}(y,x)}{\partial x} = -\frac{y}{x^2+y^2}",
)


@ATAN2
def atan2(input: TensorT, other: TensorT) -> TensorT:
    """The angle of the point (other, input), in radians within [-pi, pi]."""
    return binary(ATAN2, input, other, FLOAT)


LOGADDEXP = Op(
    "logaddexp",
    lambda m, input, other: m.logaddexp(input, other),
    tensors=2,
    input=lambda m, g, input, out: g * m.exp(input - out),
    other=lambda m, g, other, out: g * m.exp(other - out),
    formula=r"\frac{\partial}{\partial x}\ln(e^x+e^y) = \frac{e^x}{e^x+e^y}",
)


@LOGADDEXP
def logaddexp(input: TensorT, other: TensorT) -> TensorT:
    """``log(exp(input) + exp(other))`` without overflow."""
    return binary(LOGADDEXP, input, other, FLOAT)


# At a tie each side gets half of the gradient, as in PyTorch.
MAXIMUM = Op(
    "maximum",
    lambda m, input, other: m.maximum(input, other),
    tensors=2,
    input=lambda g, input, other: g * (input > other) + g * 0.5 * (input == other),
    other=lambda g, input, other: g * (other > input) + g * 0.5 * (input == other),
    formula=r"\frac{\partial \max(x,y)}{\partial x} = [x>y] + \tfrac12[x=y]",
)


@MAXIMUM
def maximum(input: TensorT, other: TensorT) -> TensorT:
    """The larger of two, elementwise; NaN wins. A tie sends half of the gradient to each side."""
    return binary(MAXIMUM, input, other)


MINIMUM = Op(
    "minimum",
    lambda m, input, other: m.minimum(input, other),
    tensors=2,
    input=lambda g, input, other: g * (input < other) + g * 0.5 * (input == other),
    other=lambda g, input, other: g * (other < input) + g * 0.5 * (input == other),
    formula=r"\frac{\partial \min(x,y)}{\partial x} = [x<y] + \tfrac12[x=y]",
)


@MINIMUM
def minimum(input: TensorT, other: TensorT) -> TensorT:
    """The smaller of two, elementwise; NaN wins. A tie sends half of the gradient to each side."""
    return binary(MINIMUM, input, other)


# -- one operand -------------------------------------------------------------------------------------------------------

NEG = Op("neg", lambda m, input: m.neg(input), input=lambda g: -g, formula=r"(-x)' = -1")


@NEG
def neg(input: TensorT) -> TensorT:
    """``-input``.

    Raises:
        RuntimeError: for a bool tensor; use ``~`` or ``logical_not``.
    """
    if _is_bool(input):
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    return unary(NEG, input, PROMOTE)


ABS = Op("abs", lambda m, input: m.abs(input), input=lambda m, g, input: g * m.sign(input),
         formula=r"|x|' = \operatorname{sign}(x)")  # fmt: skip


@ABS
def abs(input: TensorT) -> TensorT:
    """The absolute value; its derivative at 0 is taken as 0."""
    return unary(ABS, input, PROMOTE)


SIGN = Op("sign", lambda m, input: m.sign(input), input=lambda g: g * 0, formula=r"\operatorname{sign}'(x) = 0")


@SIGN
def sign(input: TensorT) -> TensorT:
    """-1, 0 or 1; its derivative is 0."""
    if _is_bool(input):
        return input.clone()  # type: ignore[attr-defined, no-any-return]
    return unary(SIGN, input, PROMOTE)


SQUARE = Op("square", lambda m, input: m.mul(input, input), node="PowBackward0",
            input=lambda g, input: g * (2 * input), formula=r"(x^2)' = 2x")  # fmt: skip


@SQUARE
def square(input: TensorT) -> TensorT:
    """``input * input``."""
    return unary(SQUARE, input, PROMOTE)


RECIPROCAL = Op("reciprocal", lambda m, input: m.reciprocal(input), input=lambda g, out: -g * (out * out),
                formula=r"\left(\tfrac1x\right)' = -\tfrac{1}{x^2}")  # fmt: skip


@RECIPROCAL
def reciprocal(input: TensorT) -> TensorT:
    """``1 / input``."""
    return unary(RECIPROCAL, input)


SQRT = Op("sqrt", lambda m, input: m.sqrt(input), input=lambda g, out: g / (2 * out),
          formula=r"\sqrt{x}\,' = \frac{1}{2\sqrt{x}}")  # fmt: skip


@SQRT
def sqrt(input: TensorT) -> TensorT:
    """The square root; NaN below 0."""
    return unary(SQRT, input)


RSQRT = Op("rsqrt", lambda m, input: m.rsqrt(input), input=lambda g, out: -0.5 * g * (out * out * out),
           formula=r"(x^{-1/2})' = -\tfrac12 x^{-3/2}")  # fmt: skip


@RSQRT
def rsqrt(input: TensorT) -> TensorT:
    """``1 / sqrt(input)``."""
    return unary(RSQRT, input)


EXP = Op("exp", lambda m, input: m.exp(input), input=lambda g, out: g * out, formula=r"(e^x)' = e^x")


@EXP
def exp(input: TensorT) -> TensorT:
    """e to the power of each element."""
    return unary(EXP, input)


EXP2 = Op("exp2", lambda m, input: m.exp2(input), input=lambda g, out: g * (out * math.log(2)),
          formula=r"(2^x)' = 2^x \ln 2")  # fmt: skip


@EXP2
def exp2(input: TensorT) -> TensorT:
    """2 to the power of each element."""
    return unary(EXP2, input)


EXPM1 = Op("expm1", lambda m, input: m.expm1(input), input=lambda g, out: g * (out + 1), formula=r"(e^x-1)' = e^x")


@EXPM1
def expm1(input: TensorT) -> TensorT:
    """``exp(input) - 1``, accurate near 0."""
    return unary(EXPM1, input)


LOG = Op("log", lambda m, input: m.log(input), input=lambda g, input: g / input, formula=r"(\ln x)' = \tfrac1x")


@LOG
def log(input: TensorT) -> TensorT:
    """The natural logarithm; -inf at 0, NaN below."""
    return unary(LOG, input)


LOG2 = Op("log2", lambda m, input: m.log2(input), input=lambda g, input: g / (input * math.log(2)),
          formula=r"(\log_2 x)' = \frac{1}{x \ln 2}")  # fmt: skip


@LOG2
def log2(input: TensorT) -> TensorT:
    """The logarithm to base 2."""
    return unary(LOG2, input)


LOG10 = Op("log10", lambda m, input: m.log10(input), input=lambda g, input: g / (input * math.log(10)),
           formula=r"(\log_{10} x)' = \frac{1}{x \ln 10}")  # fmt: skip


@LOG10
def log10(input: TensorT) -> TensorT:
    """The logarithm to base 10."""
    return unary(LOG10, input)


LOG1P = Op("log1p", lambda m, input: m.log1p(input), input=lambda g, input: g / (input + 1),
           formula=r"\ln(1+x)' = \frac{1}{1+x}")  # fmt: skip


@LOG1P
def log1p(input: TensorT) -> TensorT:
    """``log(1 + input)``, accurate near 0."""
    return unary(LOG1P, input)


SIN = Op("sin", lambda m, input: m.sin(input), input=lambda m, g, input: g * m.cos(input), formula=r"\sin' x = \cos x")


@SIN
def sin(input: TensorT) -> TensorT:
    """The sine of an angle in radians."""
    return unary(SIN, input)


COS = Op("cos", lambda m, input: m.cos(input), input=lambda m, g, input: -g * m.sin(input),
         formula=r"\cos' x = -\sin x")  # fmt: skip


@COS
def cos(input: TensorT) -> TensorT:
    """The cosine of an angle in radians."""
    return unary(COS, input)


TAN = Op("tan", lambda m, input: m.tan(input), input=lambda g, out: g * (1 + out * out),
         formula=r"\tan' x = 1+\tan^2 x")  # fmt: skip


@TAN
def tan(input: TensorT) -> TensorT:
    """The tangent of an angle in radians."""
    return unary(TAN, input)


ASIN = Op("asin", lambda m, input: m.asin(input), input=lambda m, g, input: g * m.rsqrt(1 - input * input),
          formula=r"\arcsin' x = \frac{1}{\sqrt{1-x^2}}")  # fmt: skip


@ASIN
def asin(input: TensorT) -> TensorT:
    """The angle in radians whose sine is given; NaN outside [-1, 1]."""
    return unary(ASIN, input)


ACOS = Op("acos", lambda m, input: m.acos(input), input=lambda m, g, input: -g * m.rsqrt(1 - input * input),
          formula=r"\arccos' x = -\frac{1}{\sqrt{1-x^2}}")  # fmt: skip


@ACOS
def acos(input: TensorT) -> TensorT:
    """The angle in radians whose cosine is given; NaN outside [-1, 1]."""
    return unary(ACOS, input)


ATAN = Op("atan", lambda m, input: m.atan(input), input=lambda g, input: g / (input * input + 1),
          formula=r"\arctan' x = \frac{1}{1+x^2}")  # fmt: skip


@ATAN
def atan(input: TensorT) -> TensorT:
    """The angle in radians whose tangent is given."""
    return unary(ATAN, input)


SINH = Op("sinh", lambda m, input: m.sinh(input), input=lambda m, g, input: g * m.cosh(input),
          formula=r"\sinh' x = \cosh x")  # fmt: skip


@SINH
def sinh(input: TensorT) -> TensorT:
    """The hyperbolic sine."""
    return unary(SINH, input)


COSH = Op("cosh", lambda m, input: m.cosh(input), input=lambda m, g, input: g * m.sinh(input),
          formula=r"\cosh' x = \sinh x")  # fmt: skip


@COSH
def cosh(input: TensorT) -> TensorT:
    """The hyperbolic cosine."""
    return unary(COSH, input)


TANH = Op("tanh", lambda m, input: m.tanh(input), input=lambda g, out: g * (1 - out * out),
          formula=r"\tanh' x = 1-\tanh^2 x")  # fmt: skip


@TANH
def tanh(input: TensorT) -> TensorT:
    """The hyperbolic tangent."""
    return unary(TANH, input)


ASINH = Op("asinh", lambda m, input: m.asinh(input), input=lambda m, g, input: g * m.rsqrt(input * input + 1),
           formula=r"\operatorname{arsinh}' x = \frac{1}{\sqrt{x^2+1}}")  # fmt: skip


@ASINH
def asinh(input: TensorT) -> TensorT:
    """The inverse of ``sinh``."""
    return unary(ASINH, input)


ACOSH = Op("acosh", lambda m, input: m.acosh(input), input=lambda m, g, input: g * m.rsqrt(input * input - 1),
           formula=r"\operatorname{arcosh}' x = \frac{1}{\sqrt{x^2-1}}")  # fmt: skip


@ACOSH
def acosh(input: TensorT) -> TensorT:
    """The inverse of ``cosh``; NaN below 1."""
    return unary(ACOSH, input)


ATANH = Op("atanh", lambda m, input: m.atanh(input), input=lambda g, input: g / (1 - input * input),
           formula=r"\operatorname{artanh}' x = \frac{1}{1-x^2}")  # fmt: skip


@ATANH
def atanh(input: TensorT) -> TensorT:
    """The inverse of ``tanh``; NaN outside [-1, 1]."""
    return unary(ATANH, input)


SIGMOID = Op("sigmoid", lambda m, input: m.sigmoid(input), input=lambda g, out: g * (out * (1 - out)),
             formula=r"\sigma'(x) = \sigma(x)\,(1-\sigma(x))")  # fmt: skip


@SIGMOID
def sigmoid(input: TensorT) -> TensorT:
    """``1 / (1 + exp(-input))``."""
    return unary(SIGMOID, input)


ERF = Op("erf", lambda m, input: m.erf(input),
         input=lambda m, g, input: g * (2 / math.sqrt(math.pi)) * m.exp(-(input * input)),
         formula=r"\operatorname{erf}'(x) = \frac{2}{\sqrt\pi} e^{-x^2}")  # fmt: skip


@ERF
def erf(input: TensorT) -> TensorT:
    """The error function."""
    return unary(ERF, input)


# -- rounding: the derivative is 0 wherever there is one ----------------------------------------------------------------

FLOOR = Op("floor", lambda m, input: m.floor(input), input=lambda g: g * 0, formula=r"\lfloor x \rfloor' = 0")
CEIL = Op("ceil", lambda m, input: m.ceil(input), input=lambda g: g * 0, formula=r"\lceil x \rceil' = 0")
TRUNC = Op("trunc", lambda m, input: m.trunc(input), input=lambda g: g * 0, formula=r"\operatorname{trunc}' = 0")
ROUND = Op("round", lambda m, input: m.round(input), input=lambda g: g * 0, formula=r"\operatorname{round}' = 0")


def _rounded(op: Op, input: Any) -> Any:
    require_tensor(op.name, "input", input)
    return input.clone() if input._array.dtype.kind in "iu" else unary(op, input, PROMOTE)


@FLOOR
def floor(input: TensorT) -> TensorT:
    """The largest whole number that is not larger."""
    return _rounded(FLOOR, input)


@CEIL
def ceil(input: TensorT) -> TensorT:
    """The smallest whole number that is not smaller."""
    return _rounded(CEIL, input)


@TRUNC
def trunc(input: TensorT) -> TensorT:
    """The whole number towards 0."""
    return _rounded(TRUNC, input)


@ROUND
def round(input: TensorT, *, decimals: int = 0) -> TensorT:
    """The nearest whole number, halves to the even one; with ``decimals``, the nearest multiple of 10**-decimals."""
    if decimals:
        scale = 10.0**decimals
        return div(_rounded(ROUND, mul(input, scale)), scale)
    return _rounded(ROUND, input)


def frac(input: TensorT) -> TensorT:
    """The part after the point, with the sign of ``input``."""
    return sub(input, trunc(input))


# -- choosing and bounding -----------------------------------------------------------------------------------------------

WHERE = Op(
    "where",
    lambda m, condition, input, other: m.where(condition, input, other),
    tensors=3,
    input=lambda m, g, condition: m.where(condition, g, g * 0),
    other=lambda m, g, condition: m.where(condition, g * 0, g),
    formula=r"\frac{\partial\,\mathrm{where}(c,x,y)}{\partial x} = c",
)


@WHERE
def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``; elementwise with broadcasting.

    With ``condition`` alone: the indices where it holds, as ``nonzero(as_tuple=True)``.
    A NaN or infinity on the side not chosen still spoils that side's gradient if it came from an operation outside
    its domain (0 times infinity is NaN); clamp the input of that operation first.

    Raises:
        RuntimeError: where ``condition`` is not a bool tensor.
    """
    require_tensor("where", "condition", condition)
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if condition._array.dtype.kind != "b":
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition._dtype()!r}\n"
            "  fix: compare first, as in torch.where(x > 0, a, b)"
        )
    m = condition._backend
    input, other = operand(input, m, "where", "input"), operand(other, m, "where", "other")
    d = result_type(input, other) if any(isinstance(x, Variable) for x in (input, other)) else _common(input, other)
    sides = [to_dtype(x, d) if isinstance(x, Variable) else wrap(m.full((), x, d.numpy), m) for x in (input, other)]
    inputs = (condition, *sides)
    check_same_device(WHERE, inputs)
    broadcast_shapes("where", *[tuple(t._array.shape) for t in inputs])
    return apply(WHERE, inputs)


def _common(a: Number, b: Number) -> dtype:
    return promote_types(number_dtype(a), number_dtype(b))


def _inside(input: Any, min: Any, max: Any) -> Any:
    inside = True
    if min is not None:
        inside = input >= min
    if max is not None:
        inside = (input <= max) if inside is True else inside & (input <= max)
    return inside


CLAMP = Op(
    "clamp",
    lambda m, input, min, max: m.clamp(input, min, max),
    input=lambda g, input, min, max: g * _inside(input, min, max),
    formula=r"\frac{\partial\,\mathrm{clamp}(x,a,b)}{\partial x} = [a \le x \le b]",
)


@CLAMP
def clamp(input: TensorT, min: Any = None, max: Any = None) -> TensorT:
    """``input`` bounded from below by ``min`` and from above by ``max``, numbers or tensors.

    The gradient passes where the value lies within the bounds, the bounds included.

    Raises:
        RuntimeError: where neither bound is given.
    """
    require_tensor("clamp", "input", input)
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Variable) or isinstance(max, Variable):
        out = input
        if min is not None:
            bound = operand(min, input._backend, "clamp", "min")
            out = where(lt(out, bound), bound, out)
        if max is not None:
            bound = operand(max, input._backend, "clamp", "max")
            out = where(gt(out, bound), bound, out)
        return out
    numbers = [b for b in (min, max) if b is not None]
    for b in numbers:
        if not isinstance(operand(b, input._backend, "clamp", "min or max"), NUMBERS):
            raise TypeError(f"clamp(): argument 'min' must be a number or Tensor, not {type(b).__name__}")
    if any(isinstance(b, float) for b in numbers) and input._array.dtype.kind in "iub":
        input = to_dtype(input, float_of(input._dtype()))
    return unary(CLAMP, input, PROMOTE, (min, max))


def clip(input: TensorT, min: Any = None, max: Any = None) -> TensorT:
    """Alias of ``clamp``."""
    return clamp(input, min, max)


def clamp_min(input: TensorT, min: Any) -> TensorT:
    """``clamp(input, min=min)``."""
    return clamp(input, min)


def clamp_max(input: TensorT, max: Any) -> TensorT:
    """``clamp(input, max=max)``."""
    return clamp(input, None, max)


# -- compositions --------------------------------------------------------------------------------------------------------


def lerp(input: TensorT, end: TensorT, weight: TensorT | float) -> TensorT:
    """``input + weight * (end - input)``."""
    return add(input, mul(sub(end, input), weight))


def addcmul(input: TensorT, tensor1: TensorT, tensor2: TensorT, *, value: Number = 1) -> TensorT:
    """``input + value * tensor1 * tensor2``."""
    return add(input, mul(mul(tensor1, tensor2), value))


def addcdiv(input: TensorT, tensor1: TensorT, tensor2: TensorT, *, value: Number = 1) -> TensorT:
    """``input + value * tensor1 / tensor2``."""
    return add(input, mul(div(tensor1, tensor2), value))


# -- other names that PyTorch gives --------------------------------------------------------------------------------------

absolute, multiply, subtract, divide, true_divide, negative = abs, mul, sub, div, div, neg
arcsin, arccos, arctan, arcsinh, arccosh, arctanh, arctan2 = asin, acos, atan, asinh, acosh, atanh, atan2
fix = trunc


class PointwiseMethods(Variable):
    """The functions of this file as methods of ``Tensor``, and the arithmetic operators."""

    __slots__ = ()

    add = add
    sub = sub
    mul = mul
    div = div
    floor_divide = floor_divide
    remainder = remainder
    fmod = fmod
    pow = pow
    atan2 = atan2
    logaddexp = logaddexp
    maximum = maximum
    minimum = minimum
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
    frac = frac
    clamp = clamp
    clip = clip
    clamp_min = clamp_min
    clamp_max = clamp_max
    lerp = lerp
    addcmul = addcmul
    addcdiv = addcdiv
    absolute = absolute
    multiply = multiply
    subtract = subtract
    divide = divide
    true_divide = true_divide
    negative = negative
    arcsin = arcsin
    arccos = arccos
    arctan = arctan
    arcsinh = arcsinh
    arccosh = arccosh
    arctanh = arctanh
    arctan2 = arctan2
    fix = fix

    def where(self: TensorT, condition: Any, other: Any) -> TensorT:
        """``self`` where ``condition`` holds, else ``other``."""
        return where(condition, self, other)

    def __add__(self: TensorT, other: Any) -> TensorT:
        return binary(ADD, self, other) if is_operand(other) else NotImplemented

    def __radd__(self: TensorT, other: Any) -> TensorT:
        return binary(ADD, self, other) if is_operand(other) else NotImplemented

    def __sub__(self: TensorT, other: Any) -> TensorT:
        return sub(self, other) if is_operand(other) else NotImplemented

    def __rsub__(self: TensorT, other: Any) -> TensorT:
        return sub(other, self) if is_operand(other) else NotImplemented

    def __mul__(self: TensorT, other: Any) -> TensorT:
        return binary(MUL, self, other) if is_operand(other) else NotImplemented

    def __rmul__(self: TensorT, other: Any) -> TensorT:
        return binary(MUL, self, other) if is_operand(other) else NotImplemented

    def __truediv__(self: TensorT, other: Any) -> TensorT:
        return binary(DIV, self, other, FLOAT) if is_operand(other) else NotImplemented

    def __rtruediv__(self: TensorT, other: Any) -> TensorT:
        return binary(DIV, other, self, FLOAT) if is_operand(other) else NotImplemented

    def __floordiv__(self: TensorT, other: Any) -> TensorT:
        return floor_divide(self, other) if is_operand(other) else NotImplemented

    def __rfloordiv__(self: TensorT, other: Any) -> TensorT:
        return floor_divide(other, self) if is_operand(other) else NotImplemented

    def __mod__(self: TensorT, other: Any) -> TensorT:
        return remainder(self, other) if is_operand(other) else NotImplemented

    def __rmod__(self: TensorT, other: Any) -> TensorT:
        return remainder(other, self) if is_operand(other) else NotImplemented

    def __pow__(self: TensorT, other: Any) -> TensorT:
        return pow(self, other) if is_operand(other) else NotImplemented

    def __rpow__(self: TensorT, other: Any) -> TensorT:
        return pow(other, self) if is_operand(other) else NotImplemented

    def __neg__(self: TensorT) -> TensorT:
        return neg(self)

    def __pos__(self: TensorT) -> TensorT:
        return self

    def __abs__(self: TensorT) -> TensorT:
        return abs(self)
