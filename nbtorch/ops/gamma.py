"""The gamma function's family: its logarithm, that logarithm's derivatives, zeta, the incomplete gamma functions.

The array side is ``backends/gamma.py`` and ``backends/incomplete.py``. Sources of the derivatives: NIST handbook,
chapters 5, 8 and 25.
"""

from __future__ import annotations

import math
from typing import Any

from ..autograd.variable import TensorT, Variable
from .dispatch import FLOAT, FLOATS_ONLY, binary, unary
from .operands import Number, require_tensor
from .record import Op
from .writing import become

__all__ = ["digamma", "igamma", "igammac", "lgamma", "mvlgamma", "polygamma"]

LGAMMA = Op(
    "lgamma",
    lambda m, input: m.lgamma(input),
    input=lambda m, g, input: g * m.digamma(input),
    formula=r"(\ln|\Gamma(x)|)' = \psi(x)",
)
DIGAMMA = Op(
    "digamma",
    lambda m, input: m.digamma(input),
    input=lambda m, g, input: g * m.polygamma(1, input),
    formula=r"\psi'(x) = \psi^{(1)}(x)",
)
POLYGAMMA = Op(
    "polygamma",
    lambda m, input, n: m.polygamma(n, input),
    input=lambda m, g, input, n: g * m.polygamma(n + 1, input),
    formula=r"(\psi^{(n)})'(x) = \psi^{(n+1)}(x)",
)


@LGAMMA
def lgamma(input: TensorT, *, out: Any = None) -> TensorT:
    """The natural logarithm of the size of the gamma function; infinite at 0 and the negative whole numbers."""
    return unary(LGAMMA, input, out=out)


@DIGAMMA
def digamma(input: TensorT, *, out: Any = None) -> TensorT:
    """The derivative of ``lgamma``; NaN at the negative whole numbers, minus infinity at 0."""
    return unary(DIGAMMA, input, out=out)


@POLYGAMMA
def polygamma(n: int, input: TensorT, *, out: Any = None) -> TensorT:
    """The derivative of order ``n`` of ``digamma``.

    Raises:
        RuntimeError: for a negative order.
    """
    require_tensor("polygamma", "input", input)
    if isinstance(n, (bool, float, Variable)) or not hasattr(n, "__index__"):
        raise TypeError(f"polygamma(): argument 'n' must be int, not {type(n).__name__}")
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n.\n  got: n={n}")
    return unary(POLYGAMMA, input, FLOAT, (int(n),), out=out)


def _mvlgamma(m: Any, input: Any, p: int) -> Any:
    total = m.lgamma(input)
    for j in range(1, p):
        total = total + m.lgamma(input - 0.5 * j)
    return total + p * (p - 1) / 4 * math.log(math.pi)


def _mvlgamma_input(m: Any, g: Any, input: Any, p: int) -> Any:
    total = m.digamma(input)
    for j in range(1, p):
        total = total + m.digamma(input - 0.5 * j)
    return g * total


MVLGAMMA = Op(
    "mvlgamma",
    _mvlgamma,
    input=_mvlgamma_input,
    formula=r"(\ln\Gamma_p(x))' = \sum_{j=0}^{p-1} \psi\bigl(x - \tfrac j2\bigr)",
)


@MVLGAMMA
def mvlgamma(input: TensorT, p: int, *, out: Any = None) -> TensorT:
    """The logarithm of the multivariate gamma function of dimension ``p``; for ``input`` above ``(p - 1) / 2``.

    Raises:
        RuntimeError: for a dimension below 1.
    """
    require_tensor("mvlgamma", "input", input)
    if isinstance(p, (bool, float, Variable)):
        raise TypeError(f"mvlgamma(): argument 'p' (position 2) must be int, not {type(p).__name__}")
    if p < 1:
        raise RuntimeError(f"p has to be greater than or equal to 1\n  got: p={p}")
    return unary(MVLGAMMA, input, FLOAT, (p,), out=out)


def _unknown(function: str) -> Any:
    """The derivative that has no formula: PyTorch has none either."""

    def derivative(g: Any) -> Any:
        raise NotImplementedError(
            f"the derivative for '{function}' is not implemented.\n"
            "  why: it has no closed form, and PyTorch has none either\n"
            "  fix: detach that argument, if its gradient isn't needed"
        )

    return derivative


ZETA = Op(
    "zeta",
    lambda m, input, other: m.zeta(input, other),
    tensors=2,
    node="SpecialZetaBackward0",
    input=_unknown("zeta: input"),
    other=lambda m, g, input, other: g * (-1.0 * input) * m.zeta(input + 1, other),
    numbers={"other": "SpecialZetaBackward2", "input": "SpecialZetaBackward1"},
    formula=r"\frac{\partial \zeta(s,q)}{\partial q} = -s\,\zeta(s+1,q)",
)


@ZETA
def zeta(input: TensorT | Number, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """Hurwitz's zeta function, the sum of ``(other + k)**-input`` over k = 0, 1, 2, ..."""
    return binary(ZETA, input, other, FLOAT, out=out)


def _density(m: Any, input: Any, other: Any) -> Any:
    return m.exp((input - 1) * m.log(other) - other - m.lgamma(input))


IGAMMA = Op(
    "igamma",
    lambda m, input, other: m.igamma(input, other),
    tensors=2,
    input=_unknown("igamma: input"),
    other=lambda m, g, input, other: g * _density(m, input, other),
    formula=r"\frac{\partial P(a,x)}{\partial x} = \frac{x^{a-1}e^{-x}}{\Gamma(a)}",
)
IGAMMAC = Op(
    "igammac",
    lambda m, input, other: m.igammac(input, other),
    tensors=2,
    input=_unknown("igammac: input"),
    other=lambda m, g, input, other: -g * _density(m, input, other),
    formula=r"\frac{\partial Q(a,x)}{\partial x} = -\frac{x^{a-1}e^{-x}}{\Gamma(a)}",
)


@IGAMMA
def igamma(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The regularised lower incomplete gamma function: the integral of ``t**(input-1) exp(-t)`` from 0 to ``other``,
    divided by gamma(input). NaN where one of them is negative.
    """
    require_tensor("igamma", "input", input)
    require_tensor("igamma", "other", other)
    return binary(IGAMMA, input, other, FLOATS_ONLY, out=out)


@IGAMMAC
def igammac(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The regularised upper incomplete gamma function: ``1 - igamma(input, other)`` without cancellation."""
    require_tensor("igammac", "input", input)
    require_tensor("igammac", "other", other)
    return binary(IGAMMAC, input, other, FLOATS_ONLY, out=out)


class GammaMethods(Variable):
    """Those of this file that PyTorch has as methods of ``Tensor``."""

    __slots__ = ()

    lgamma = lgamma
    digamma = digamma
    mvlgamma = mvlgamma
    igamma = igamma
    igammac = igammac

    def polygamma(self: TensorT, n: int) -> TensorT:
        """The derivative of order ``n`` of ``digamma``."""
        return polygamma(n, self)

    def lgamma_(self: TensorT) -> TensorT:
        """``lgamma`` in place."""
        return become(self, lgamma)

    def digamma_(self: TensorT) -> TensorT:
        """``digamma`` in place."""
        return become(self, digamma)

    def mvlgamma_(self: TensorT, p: int) -> TensorT:
        """``mvlgamma`` in place."""
        return become(self, mvlgamma, p)

    def igamma_(self: TensorT, other: Any) -> TensorT:
        """``igamma`` in place."""
        return become(self, igamma, other)

    def igammac_(self: TensorT, other: Any) -> TensorT:
        """``igammac`` in place."""
        return become(self, igammac, other)

    def polygamma_(self: Any, n: int) -> Any:
        """``polygamma`` in place."""
        return become(self, type(self).polygamma, n)
