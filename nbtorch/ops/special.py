"""Special functions of one number or two: the error function's family, Bessel functions, entropies.

The array side is ``backends/special.py``. Sources of the derivatives: NIST handbook, chapters 7 and 10. Some of these
names PyTorch has in ``torch.special`` alone; ``nbtorch/special.py`` shows them.
"""

from __future__ import annotations

import math
from typing import Any

from ..autograd.variable import TensorT, Variable
from .dispatch import FLOAT, binary, unary
from .operands import Number
from .record import Op
from .writing import become

__all__ = ["erfc", "erfinv", "i0", "logit", "sinc", "xlogy"]

# -- the error function's family ---

_SLOPE = 2 / math.sqrt(math.pi)

ERFC = Op(
    "erfc",
    lambda m, input: m.erfc(input),
    input=lambda m, g, input: g * (-_SLOPE * m.exp(-(input * input))),
    formula=r"\operatorname{erfc}'(x) = -\frac{2}{\sqrt\pi} e^{-x^2}",
)
ERFINV = Op(
    "erfinv",
    lambda m, input: m.erfinv(input),
    input=lambda m, g, out: g * (m.exp(out * out) / _SLOPE),
    formula=r"(\operatorname{erf}^{-1})'(x) = \frac{\sqrt\pi}{2} e^{y^2},\ y = \operatorname{erf}^{-1}(x)",
)
ERFCX = Op(
    "erfcx",
    lambda m, input: m.erfcx(input),
    node="SpecialErfcxBackward0",
    input=lambda g, input, out: g * (2 * input * out - _SLOPE),
    formula=r"\operatorname{erfcx}'(x) = 2x\operatorname{erfcx}(x) - \frac{2}{\sqrt\pi}",
)
NDTR = Op(
    "ndtr",
    lambda m, input: m.ndtr(input),
    node="MulBackward1",
    input=lambda m, g, input: g * (m.exp(-0.5 * (input * input)) / math.sqrt(2 * math.pi)),
    formula=r"\Phi'(x) = \frac{1}{\sqrt{2\pi}} e^{-x^2/2}",
)
NDTRI = Op(
    "ndtri",
    lambda m, input: m.ndtri(input),
    node="SpecialNdtriBackward0",
    input=lambda m, g, out: g * (m.exp(0.5 * (out * out)) * math.sqrt(2 * math.pi)),
    formula=r"(\Phi^{-1})'(p) = \sqrt{2\pi}\, e^{y^2/2},\ y = \Phi^{-1}(p)",
)
LOG_NDTR = Op(
    "log_ndtr",
    lambda m, input: m.log_ndtr(input),
    node="SpecialLogNdtrBackward0",
    input=lambda m, g, input: g / m.erfcx(input * -math.sqrt(0.5)) * math.sqrt(2 / math.pi),
    formula=r"(\ln\Phi)'(x) = \frac{\sqrt{2/\pi}}{\operatorname{erfcx}(-x/\sqrt2)}",
)


@ERFC
def erfc(input: TensorT, *, out: Any = None) -> TensorT:
    """``1 - erf(input)`` without cancellation."""
    return unary(ERFC, input, out=out)


@ERFINV
def erfinv(input: TensorT, *, out: Any = None) -> TensorT:
    """The inverse of ``erf``: infinite at -1 and 1, NaN beyond."""
    return unary(ERFINV, input, out=out)


@ERFCX
def erfcx(input: TensorT, *, out: Any = None) -> TensorT:
    """``exp(input**2) * erfc(input)`` without overflow."""
    return unary(ERFCX, input, out=out)


@NDTR
def ndtr(input: TensorT, *, out: Any = None) -> TensorT:
    """The distribution function of the standard normal distribution."""
    return unary(NDTR, input, out=out)


@NDTRI
def ndtri(input: TensorT, *, out: Any = None) -> TensorT:
    """The inverse of ``ndtr``: minus infinity at 0, infinity at 1, NaN outside."""
    return unary(NDTRI, input, out=out)


@LOG_NDTR
def log_ndtr(input: TensorT, *, out: Any = None) -> TensorT:
    """The logarithm of ``ndtr(input)``, accurate also where that is 0."""
    return unary(LOG_NDTR, input, out=out)


# -- modified Bessel functions of the first kind ---


def _off_zero(m: Any, input: Any) -> Any:
    """``input`` with ones for its zeros: to divide by where the quotient at 0 is known."""
    return m.where(input == 0, input + 1, input)


I0 = Op("i0", lambda m, input: m.i0(input), input=lambda m, g, input: g * m.i1(input), formula=r"I_0'(x) = I_1(x)")
I0E = Op(
    "i0e",
    lambda m, input: m.i0e(input),
    node="SpecialI0EBackward0",
    input=lambda m, g, input, out: g * (m.i1e(input) - m.sign(input) * out),
    formula=r"(e^{-|x|}I_0(x))' = e^{-|x|}\bigl(I_1(x) - \operatorname{sign}(x) I_0(x)\bigr)",
)
I1 = Op(
    "i1",
    lambda m, input: m.i1(input),
    node="SpecialI1Backward0",
    input=lambda m, g, input, out: g * m.where(input == 0, input * 0 + 0.5, m.i0(input) - out / _off_zero(m, input)),
    formula=r"I_1'(x) = I_0(x) - \tfrac1x I_1(x)",
)
I1E = Op(
    "i1e",
    lambda m, input: m.i1e(input),
    node="SpecialI1EBackward0",
    input=lambda m, g, input, out: (
        g
        * m.where(input == 0, input * 0 + 0.5, m.i0e(input) - out * (m.sign(input) + m.reciprocal(_off_zero(m, input))))
    ),
    formula=r"(e^{-|x|}I_1(x))' = e^{-|x|}\bigl(I_0(x) - (\operatorname{sign}(x) + \tfrac1x) I_1(x)\bigr)",
)


@I0
def i0(input: TensorT, *, out: Any = None) -> TensorT:
    """The modified Bessel function of the first kind of order 0."""
    return unary(I0, input, out=out)


@I0E
def i0e(input: TensorT, *, out: Any = None) -> TensorT:
    """``exp(-|input|) * i0(input)`` without overflow."""
    return unary(I0E, input, out=out)


@I1
def i1(input: TensorT, *, out: Any = None) -> TensorT:
    """The modified Bessel function of the first kind of order 1."""
    return unary(I1, input, out=out)


@I1E
def i1e(input: TensorT, *, out: Any = None) -> TensorT:
    """``exp(-|input|) * i1(input)`` without overflow."""
    return unary(I1E, input, out=out)


# -- logarithms ---


def _entr(m: Any, input: Any) -> Any:
    return m.where(input == 0, input, m.where(input < 0, input.dtype.type(-math.inf), -input * m.log(input)))


ENTR = Op(
    "entr",
    _entr,
    node="SpecialEntrBackward0",
    input=lambda m, g, input: g * (-m.log(input) - 1),
    formula=r"(-x\ln x)' = -\ln x - 1",
)


@ENTR
def entr(input: TensorT, *, out: Any = None) -> TensorT:
    """``-input * log(input)``: 0 at 0, minus infinity below."""
    return unary(ENTR, input, out=out)


def _logit(m: Any, input: Any, eps: Any) -> Any:
    if eps is not None:
        input = m.where(input < eps, input.dtype.type(eps), m.minimum(input, 1 - eps))
    return m.log(input / (1 - input))


def _logit_input(m: Any, g: Any, input: Any, eps: Any) -> Any:
    slope = g / (input * (1 - input))
    if eps is None:
        return m.where((input < 0) | (input > 1), math.nan, slope)  # a number: g * NaN would spoil the gradient of g
    return m.where((input < eps) | (input > 1 - eps), g * 0, slope)


LOGIT = Op(
    "logit",
    _logit,
    input=_logit_input,
    formula=r"\left(\ln\tfrac{x}{1-x}\right)' = \frac{1}{x(1-x)}",
)


@LOGIT
def logit(input: TensorT, eps: float | None = None, *, out: Any = None) -> TensorT:
    """``log(input / (1 - input))``, the inverse of ``sigmoid``; with ``eps``, ``input`` is first bounded to
    [eps, 1 - eps].
    """
    return unary(LOGIT, input, FLOAT, (eps,), out=out)


XLOGY = Op(
    "xlogy",
    lambda m, input, other: m.xlogy(input, other),
    tensors=2,
    input=lambda m, g, input, other: m.masked_fill(m.xlogy(g, other), (input == 0) & (other <= 0), 0),
    other=lambda g, input, other: g * input / other,
    numbers={"other": "XlogyBackward2", "input": "XlogyBackward1"},
    formula=r"\frac{\partial\,x\ln y}{\partial x} = \ln y,\quad \frac{\partial\,x\ln y}{\partial y} = \frac xy",
)
XLOG1PY = Op(
    "xlog1py",
    lambda m, input, other: m.xlog1py(input, other),
    tensors=2,
    node="SpecialXlog1PyBackward0",
    input=lambda m, g, input, other: m.masked_fill(m.xlog1py(g, other), (input == 0) & (other <= -1), 0),
    other=lambda g, input, other: g * input / (other + 1),
    numbers={"other": "SpecialXlog1PyBackward2", "input": "SpecialXlog1PyBackward1"},
    formula=r"\frac{\partial\,x\ln(1+y)}{\partial y} = \frac{x}{1+y}",
)


@XLOGY
def xlogy(input: TensorT | Number, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """``input * log(other)``: 0 where ``input`` is 0, unless ``other`` is NaN."""
    return binary(XLOGY, input, other, FLOAT, out=out)


@XLOG1PY
def xlog1py(input: TensorT | Number, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """``input * log1p(other)``: 0 where ``input`` is 0, unless ``other`` is NaN."""
    return binary(XLOG1PY, input, other, FLOAT, out=out)


# -- sinc ---


def _sinc_input(m: Any, g: Any, input: Any) -> Any:
    # At 0 the tangent of the slope stands in, so that the second derivative is right there too.
    x = _off_zero(m, input)
    slope = (m.cos(x * math.pi) - m.sinc(x)) / x
    return g * m.where(input == 0, input * (-(math.pi**2) / 3), slope)


SINC = Op(
    "sinc",
    lambda m, input: m.sinc(input),
    input=_sinc_input,
    formula=r"\left(\frac{\sin\pi x}{\pi x}\right)' = \frac{\cos\pi x}{x} - \frac{\sin\pi x}{\pi x^2}",
)


@SINC
def sinc(input: TensorT, *, out: Any = None) -> TensorT:
    """``sin(pi * input) / (pi * input)``, 1 at 0."""
    return unary(SINC, input, out=out)


class SpecialMethods(Variable):
    """Those of this file that PyTorch has as methods of ``Tensor``."""

    __slots__ = ()

    erfc = erfc
    erfinv = erfinv
    i0 = i0
    logit = logit
    sinc = sinc
    xlogy = xlogy

    def erfc_(self: TensorT) -> TensorT:
        """``erfc`` in place."""
        return become(self, erfc)

    def erfinv_(self: TensorT) -> TensorT:
        """``erfinv`` in place."""
        return become(self, erfinv)

    def i0_(self: TensorT) -> TensorT:
        """``i0`` in place."""
        return become(self, i0)

    def logit_(self: TensorT, eps: float | None = None) -> TensorT:
        """``logit`` in place."""
        return become(self, logit, eps)

    def sinc_(self: TensorT) -> TensorT:
        """``sinc`` in place."""
        return become(self, sinc)

    def xlogy_(self: TensorT, other: Any) -> TensorT:
        """``xlogy`` in place."""
        return become(self, xlogy, other)
