"""What numbers are made of: signs, exponents, neighbours, divisors; and what PyTorch calls complex, of real numbers.

nbtorch has no complex dtype: a tensor is its own conjugate and its own real part, as PyTorch's real tensors are.
"""

from __future__ import annotations

import math
from typing import Any

from ..autograd.variable import TensorT, Variable, wrap
from ..backends.dtypes import bool_, finfo, float64, from_numpy_dtype
from .conversion import to_dtype
from .dispatch import FLOAT, FLOATS_ONLY, INTEGERS_ONLY, PROMOTE, binary, unary
from .elementary import is_bool, sign_of
from .exact_out import write_exact_out
from .named import named
from .operands import Number, require_tensor
from .pointwise import pow, sub
from .record import Op, apply
from .writing import become, takes_out

__all__ = [
    "angle", "conj", "conj_physical", "copysign", "deg2rad", "float_power", "fmax", "fmin", "frexp", "gcd",
    "heaviside", "hypot", "imag", "isneginf", "isposinf", "isreal", "lcm", "ldexp", "logaddexp2", "nan_to_num",
    "nextafter", "positive", "rad2deg", "real", "resolve_conj", "resolve_neg", "rsub", "sgn", "signbit",
]  # fmt: skip


def _two_tensors(function: str, input: Any, other: Any, second: str = "other") -> None:
    require_tensor(function, "input", input)
    require_tensor(function, second, other)


_FLOATS = "fV"

# -- of real numbers, what complex ones have ---


def positive(input: TensorT) -> TensorT:
    """``+input``: the tensor itself.

    Raises:
        RuntimeError: for a bool tensor.
    """
    require_tensor("positive", "input", input)
    if is_bool(input):
        raise RuntimeError(
            "The `+` operator, on a bool tensor is not supported.\n  fix: convert first, as in mask.int()"
        )
    return input


def conj(input: TensorT) -> TensorT:
    """The conjugate: of real numbers, the tensor itself."""
    require_tensor("conj", "input", input)
    return input


def conj_physical(input: TensorT, *, out: Any = None) -> TensorT:
    """The conjugate: of real numbers, the tensor itself."""
    require_tensor("conj_physical", "input", input)
    return input if out is None else write_exact_out("conj_physical", out, input)


def resolve_conj(input: TensorT) -> TensorT:
    """The tensor itself: no conjugation waits to be done."""
    require_tensor("resolve_conj", "input", input)
    return input


def resolve_neg(input: TensorT) -> TensorT:
    """The tensor itself: no negation waits to be done."""
    require_tensor("resolve_neg", "input", input)
    return input


def real(input: TensorT) -> TensorT:
    """The real part: of real numbers, the tensor itself."""
    require_tensor("real", "input", input)
    return input


def imag(input: TensorT) -> TensorT:
    """The imaginary part, which only complex numbers have.

    Raises:
        RuntimeError: always, since every tensor is real.
    """
    require_tensor("imag", "input", input)
    raise RuntimeError(
        "imag is not implemented for tensors with non-complex dtypes.\n"
        "  why: the imaginary part of a real number is 0\n  fix: torch.zeros_like(x) where that is meant"
    )


def isreal(input: TensorT) -> TensorT:
    """Whether real, elementwise: True everywhere."""
    require_tensor("isreal", "input", input)
    m = input._backend
    return wrap(m.ones(input._array.shape, bool_.numpy), m, input._result_class)


ANGLE = Op(
    "angle",
    lambda m, input: m.where(m.isnan(input), input, (input < 0) * input.dtype.type(math.pi)),
    input=lambda g: g * 0,
    formula=r"\arg'(x) = 0",
)


@ANGLE
def angle(input: TensorT, *, out: Any = None) -> TensorT:
    """The angle in the complex plane: pi for negative numbers, 0 for the others."""
    return unary(ANGLE, input, out=out)


# -- signs ---

SGN = Op("sgn", sign_of, input=lambda g: g * 0, formula=r"\operatorname{sgn}'(x) = 0")


@SGN
def sgn(input: TensorT, *, out: Any = None) -> TensorT:
    """-1, 0 or 1: of real numbers the same as ``sign``."""
    require_tensor("sgn", "input", input)
    if is_bool(input):
        return input.clone() if out is None else write_exact_out("sgn", out, input)  # type: ignore[attr-defined]
    return unary(SGN, input, PROMOTE, out=out)


def _signbit(m: Any, input: Any) -> Any:
    return m.signbit(input) if input.dtype.kind in _FLOATS else input < 0


SIGNBIT = Op("signbit", _signbit)


@SIGNBIT
def signbit(input: TensorT, *, out: Any = None) -> TensorT:
    """Whether the sign is minus, elementwise, that of -0 included: a bool tensor."""
    return unary(SIGNBIT, input, PROMOTE, out=out)


COPYSIGN = Op(
    "copysign",
    lambda m, input, other: m.copysign(input, other),
    tensors=2,
    input=lambda m, g, input, out: g * (m.sign(input) * m.sign(out)),
    other=lambda g: g * 0,
    numbers={"other": "CopysignBackward1"},
    formula=r"\frac{\partial}{\partial x}\,|x|\operatorname{sign}(y) = \operatorname{sign}(x)\operatorname{sign}(y)",
)


@COPYSIGN
def copysign(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """The size of ``input`` with the sign of ``other``."""
    require_tensor("copysign", "input", input)
    return binary(COPYSIGN, input, other, FLOAT, out=out)


ISPOSINF = Op("isposinf", lambda m, input: input == math.inf)
ISNEGINF = Op("isneginf", lambda m, input: input == -math.inf)


@ISPOSINF
def isposinf(input: TensorT, *, out: Any = None) -> TensorT:
    """Whether plus infinity, elementwise: a bool tensor."""
    return unary(ISPOSINF, input, PROMOTE, out=out)


@ISNEGINF
def isneginf(input: TensorT, *, out: Any = None) -> TensorT:
    """Whether minus infinity, elementwise: a bool tensor."""
    return unary(ISNEGINF, input, PROMOTE, out=out)


def _heaviside(m: Any, input: Any, values: Any) -> Any:
    return m.where(input == 0, values, m.astype(input > 0, values.dtype))


HEAVISIDE = Op(
    "heaviside",
    _heaviside,
    tensors=2,
    input=lambda g: g * 0,
    values=lambda m, g, input: m.where(input == 0, g, g * 0),
    formula=r"\frac{\partial H(x, v)}{\partial v} = [x = 0]",
)


@HEAVISIDE
def heaviside(input: TensorT, values: TensorT, *, out: Any = None) -> TensorT:
    """0 below 0, 1 above it, and ``values`` at 0.

    Raises:
        RuntimeError: where the dtypes differ.
    """
    _two_tensors("heaviside", input, values, "values")
    if input._array.dtype != values._array.dtype or (out is not None and out._array.dtype != input._array.dtype):
        raise RuntimeError(
            "heaviside is not yet implemented for tensors with different dtypes.\n"
            f"  got: {input._dtype()!r} and {values._dtype()!r}\n  fix: values.to(input.dtype)"
        )
    return binary(HEAVISIDE, input, values, out=out)


# -- angles ---

_DEGREE = math.pi / 180

DEG2RAD = Op(
    "deg2rad",
    lambda m, input: input * _DEGREE,
    node="Deg2RadBackward0",
    input=lambda g: g * _DEGREE,
    formula=r"\left(\tfrac{\pi}{180}x\right)' = \tfrac{\pi}{180}",
)
RAD2DEG = Op(
    "rad2deg",
    lambda m, input: input * (1 / _DEGREE),
    node="Rad2DegBackward0",
    input=lambda g: g * (1 / _DEGREE),
    formula=r"\left(\tfrac{180}{\pi}x\right)' = \tfrac{180}{\pi}",
)


@DEG2RAD
def deg2rad(input: TensorT, *, out: Any = None) -> TensorT:
    """Angles in radians, from degrees."""
    return unary(DEG2RAD, input, out=out)


@RAD2DEG
def rad2deg(input: TensorT, *, out: Any = None) -> TensorT:
    """Angles in degrees, from radians."""
    return unary(RAD2DEG, input, out=out)


# -- of two ---


def _first_won(m: Any, reaches: Any, other: Any) -> Any:
    """Where the first operand is taken: it reaches the other, or the other is NaN."""
    return m.logical_or(reaches, m.isnan(other))


FMAX = Op(
    "fmax",
    lambda m, input, other: m.fmax(input, other),
    tensors=2,
    input=lambda m, g, input, other: m.masked_fill(g, ~_first_won(m, input >= other, other), 0),
    other=lambda m, g, input, other: m.masked_fill(g, _first_won(m, input >= other, other), 0),
    formula=r"\frac{\partial \max(x,y)}{\partial x} = [x \ge y]",
)
FMIN = Op(
    "fmin",
    lambda m, input, other: m.fmin(input, other),
    tensors=2,
    input=lambda m, g, input, other: m.masked_fill(g, ~_first_won(m, input <= other, other), 0),
    other=lambda m, g, input, other: m.masked_fill(g, _first_won(m, input <= other, other), 0),
    formula=r"\frac{\partial \min(x,y)}{\partial x} = [x \le y]",
)


@FMAX
def fmax(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The larger of two, elementwise; of a number and NaN the number. A tie sends the gradient to ``input``."""
    _two_tensors("fmax", input, other)
    return binary(FMAX, input, other, out=out)


@FMIN
def fmin(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The smaller of two, elementwise; of a number and NaN the number. A tie sends the gradient to ``input``."""
    _two_tensors("fmin", input, other)
    return binary(FMIN, input, other, out=out)


HYPOT = Op(
    "hypot",
    lambda m, input, other: m.hypot(input, other),
    tensors=2,
    input=lambda g, input, out: g * (input / out),
    other=lambda g, other, out: g * (other / out),
    formula=r"\frac{\partial}{\partial x}\sqrt{x^2+y^2} = \frac{x}{\sqrt{x^2+y^2}}",
)


@HYPOT
def hypot(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """``sqrt(input**2 + other**2)`` without overflow: the longest side of a right triangle."""
    _two_tensors("hypot", input, other)
    return binary(HYPOT, input, other, FLOATS_ONLY, out=out)


LOGADDEXP2 = Op(
    "logaddexp2",
    lambda m, input, other: m.logaddexp2(input, other),
    tensors=2,
    input=lambda m, g, input, other: g / (1 + m.exp2(other - input)),
    other=lambda m, g, input, other: g / (1 + m.exp2(input - other)),
    formula=r"\frac{\partial}{\partial x}\log_2(2^x+2^y) = \frac{2^x}{2^x+2^y}",
)


@LOGADDEXP2
def logaddexp2(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """``log2(2**input + 2**other)`` without overflow."""
    _two_tensors("logaddexp2", input, other)
    return binary(LOGADDEXP2, input, other, FLOATS_ONLY, out=out)


GCD = Op("gcd", lambda m, input, other: m.gcd(input, other), tensors=2)
LCM = Op("lcm", lambda m, input, other: m.lcm(input, other), tensors=2)
NEXTAFTER = Op(
    "nextafter",
    lambda m, input, other: m.nextafter(input, other),
    tensors=2,
    input=lambda g: g,
    other=lambda g: g * 0,
    formula=r"\frac{\partial\,\mathrm{nextafter}(x, y)}{\partial x} = 1,\quad "
    r"\frac{\partial\,\mathrm{nextafter}(x, y)}{\partial y} = 0",
)


@GCD
def gcd(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The greatest common divisor of integers; that of 0 and 0 is 0.

    Raises:
        NotImplementedError: for tensors that are not of integers.
    """
    _two_tensors("gcd", input, other)
    return binary(GCD, input, other, INTEGERS_ONLY, out=out)


@LCM
def lcm(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The least common multiple of integers; 0 where one of them is 0.

    Raises:
        NotImplementedError: for tensors that are not of integers.
    """
    _two_tensors("lcm", input, other)
    return binary(LCM, input, other, INTEGERS_ONLY, out=out)


@NEXTAFTER
def nextafter(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The floating number next to ``input`` on the way to ``other``.

    Raises:
        NotImplementedError: for tensors of integers.
    """
    _two_tensors("nextafter", input, other)
    return binary(NEXTAFTER, input, other, FLOATS_ONLY, out=out)


# -- exponents ---


LDEXP = Op(
    "ldexp",
    lambda m, input, other: input * m.exp2(other),
    tensors=2,
    input=lambda m, g, other: g * m.exp2(other),
    other=lambda g, out: g * out * math.log(2),
    formula=r"\frac{\partial\,x 2^y}{\partial x} = 2^y,\quad \frac{\partial\,x 2^y}{\partial y} = x 2^y \ln 2",
)


@LDEXP
def ldexp(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """``input * 2**other``."""
    _two_tensors("ldexp", input, other)
    return binary(LDEXP, input, other, FLOAT, out=out)


FREXP = Op(
    "frexp",
    lambda m, input, exponent: m.frexp(input)[0],
    tensors=2,
    input=lambda m, g, exponent: g * m.exp2(-exponent),
    formula=r"x = m\,2^e:\quad \frac{\partial m}{\partial x} = 2^{-e}",
)


@takes_out
@FREXP
def frexp(input: Any, *, out: Any = None) -> Any:
    """A pair (mantissa, exponent): ``input = mantissa * 2**exponent``, the mantissa's size in [1/2, 1) or 0.

    Raises:
        RuntimeError: for tensors of integers.
    """
    require_tensor("frexp", "input", input)
    if input._array.dtype.kind not in _FLOATS:
        raise RuntimeError(
            f"torch.frexp() only supports floating-point dtypes\n  got: {input._dtype()!r}\n  fix: x.float()"
        )
    m = input._backend
    exponent = wrap(m.as_array(m.frexp(input._array)[1]), m, input._result_class)
    return named("frexp", "mantissa", "exponent")((apply(FREXP, (input, exponent)), exponent))


@takes_out
def float_power(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """``input ** exponent`` in float64, whatever the dtypes; one of the two may be a number."""
    if not isinstance(input, Variable) and not isinstance(exponent, Variable):
        require_tensor("float_power", "input", input)
    input = to_dtype(input, float64) if isinstance(input, Variable) else float(input)
    return pow(input, to_dtype(exponent, float64) if isinstance(exponent, Variable) else float(exponent))


def rsub(input: TensorT, other: TensorT | Number, *, alpha: Number = 1) -> TensorT:
    """``other - alpha * input``: ``sub`` the other way round."""
    require_tensor("rsub", "input", input)
    return sub(other, input, alpha=alpha)  # type: ignore[type-var, return-value]


# -- what is not a number ---


def _nan_to_num(m: Any, input: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    limits = finfo(from_numpy_dtype(input.dtype))
    posinf = limits.max if posinf is None else posinf
    neginf = limits.min if neginf is None else neginf
    one = input.dtype.type
    out = m.where(m.isnan(input), one(0.0 if nan is None else nan), input)
    return m.where(out == math.inf, one(posinf), m.where(out == -math.inf, one(neginf), out))


NAN_TO_NUM = Op(
    "nan_to_num",
    _nan_to_num,
    input=lambda m, g, input: g * m.isfinite(input),
    formula=r"f'(x) = [x \text{ is finite}]",
)


@NAN_TO_NUM
def nan_to_num(input: TensorT, nan: Any = None, posinf: Any = None, neginf: Any = None, *, out: Any = None) -> TensorT:
    """``input`` with numbers in the place of NaN and the infinities.

    Args:
        nan: what NaN becomes, 0 unless given.
        posinf: what infinity becomes, the largest number of the dtype unless given.
        neginf: what minus infinity becomes, the lowest number of the dtype unless given.
    """
    require_tensor("nan_to_num", "input", input)
    if input._array.dtype.kind not in _FLOATS:
        return input.clone() if out is None else write_exact_out("nan_to_num", out, input)  # type: ignore[attr-defined]
    return unary(NAN_TO_NUM, input, PROMOTE, (nan, posinf, neginf), out=out)


def _refuse_narrow_base(input: Any, exponent: Any) -> None:
    if input._dtype() is not float64:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {input._dtype()!r} but the operation's result requires dtype "
            "torch.float64\n  fix: the out-of-place form, or x.double() first"
        )


class NumericMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    positive = positive
    conj = conj
    conj_physical = conj_physical
    resolve_conj = resolve_conj
    resolve_neg = resolve_neg
    isreal = isreal
    angle = angle
    sgn = sgn
    signbit = signbit
    copysign = copysign
    isposinf = isposinf
    isneginf = isneginf
    heaviside = heaviside
    deg2rad = deg2rad
    rad2deg = rad2deg
    fmax = fmax
    fmin = fmin
    hypot = hypot
    logaddexp2 = logaddexp2
    gcd = gcd
    lcm = lcm
    nextafter = nextafter
    ldexp = ldexp
    frexp = frexp
    float_power = float_power
    nan_to_num = nan_to_num

    @property
    def real(self: TensorT) -> TensorT:
        """The real part: the tensor itself."""
        return self

    @property
    def imag(self: TensorT) -> TensorT:
        """The imaginary part, which only complex numbers have: raises a RuntimeError."""
        return imag(self)

    def conj_physical_(self: TensorT) -> TensorT:
        """The tensor itself: real numbers are their own conjugates."""
        return self

    def sgn_(self: TensorT) -> TensorT:
        """``sgn`` in place."""
        return become(self, sgn)

    def copysign_(self: TensorT, other: Any) -> TensorT:
        """``copysign`` in place."""
        return become(self, copysign, other)

    def heaviside_(self: TensorT, values: Any) -> TensorT:
        """``heaviside`` in place."""
        return become(self, heaviside, values)

    def deg2rad_(self: TensorT) -> TensorT:
        """``deg2rad`` in place."""
        return become(self, deg2rad)

    def rad2deg_(self: TensorT) -> TensorT:
        """``rad2deg`` in place."""
        return become(self, rad2deg)

    def hypot_(self: TensorT, other: Any) -> TensorT:
        """``hypot`` in place."""
        return become(self, hypot, other)

    def gcd_(self: TensorT, other: Any) -> TensorT:
        """``gcd`` in place."""
        return become(self, gcd, other)

    def lcm_(self: TensorT, other: Any) -> TensorT:
        """``lcm`` in place."""
        return become(self, lcm, other)

    def nextafter_(self: TensorT, other: Any) -> TensorT:
        """``nextafter`` in place."""
        return become(self, nextafter, other)

    def ldexp_(self: TensorT, other: Any) -> TensorT:
        """``ldexp`` in place."""
        return become(self, ldexp, other)

    def float_power_(self: TensorT, exponent: Any) -> TensorT:
        """``float_power`` in place, of a float64 tensor."""
        _refuse_narrow_base(self, exponent)
        return become(self, float_power, exponent)

    def nan_to_num_(self: TensorT, nan: Any = None, posinf: Any = None, neginf: Any = None) -> TensorT:
        """``nan_to_num`` in place."""
        return become(self, nan_to_num, nan, posinf, neginf)
