"""Gamma and Dirichlet numbers with gradients: PyTorch's stream, and slopes by implicit differentiation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.function import Function, once_differentiable
from ..autograd.variable import wrap
from ..backends.gamma import digamma
from ..ops.distributions import Array, normals_in_pairs, unit
from ..ops.generator import Generator, default_generator

__all__ = ["sample_dirichlet", "standard_gamma"]


def _draw(g: Generator, alpha: float, third: float, inverse: float) -> float:
    """One gamma number by Marsaglia and Tsang's rejection (2000, doi:10.1145/358407.358414), in PyTorch's order."""
    scale = 1.0
    if alpha < 1:
        if alpha == 0:
            return 0.0
        scale = math.pow(1 - float(unit(g, 1)[0]), inverse)
    d = third
    c = 1 / math.sqrt(9 * d)
    while True:
        y = 0.0
        while y <= 0:
            x = float(normals_in_pairs(g, 1)[0])
            y = 1 + c * x
        v = y * y * y
        u = 1 - float(unit(g, 1)[0])
        xx = x * x
        if u < 1 - _SQUEEZE * xx * xx or math.log(u) < 0.5 * xx + d * (1 - v + math.log(v)):
            return scale * d * v


_SQUEEZE = float(np.float32(0.0331))
_THIRD = np.float32(1) / np.float32(3)


def _gammas(alpha: Array) -> Array:
    flat = alpha.reshape(-1)
    kind = flat.dtype.type
    with np.errstate(divide="ignore", over="ignore"):
        # PyTorch shifts and inverts in the dtype of the parameter, before it computes in double.
        shifted = (np.where(flat < 1, flat + kind(1), flat) - kind(_THIRD)).astype(flat.dtype).tolist()
        inverses = (kind(1) / flat).tolist()
    g = default_generator
    drawn = [_draw(g, a, d, i) for a, d, i in zip(flat.tolist(), shifted, inverses, strict=True)]
    return np.array(drawn, np.float64).reshape(alpha.shape)


def gamma_slope(alpha: Array, x: Array) -> Array:
    """dx/dα of a gamma number at a fixed probability: -(∂P/∂α) / density.

    The series of P(α, x) has terms of the density's form, so that no gamma function is left in the quotient.
    """
    alpha, x = np.asarray(alpha, np.float64), np.asarray(x, np.float64)
    large = alpha > 1e4
    a = np.where(large, 1.0, alpha)
    z = np.where(large, 1.0, x)
    term, psi, total, n = z / a, digamma(np, a + 1), np.zeros_like(a), 0
    log_z = np.log(z)
    while n < 100_000:
        step = term * (psi - log_z)
        total = total + step
        n += 1
        psi = psi + 1 / (a + n)
        term = term * z / (a + n)
        if n > 2 and (np.abs(step) <= 1e-17 * np.abs(total) + 1e-300).all() and (z < a + n).all():
            break
    # Far out, by the expansion of Cornish and Fisher (1938).
    root = np.sqrt(np.where(large, alpha, 1.0))
    score = base = np.where(large, (x - alpha) / root, 0.0)
    for _ in range(8):
        score = base - (score**2 - 1) / (3 * root) - (score**3 - 7 * score) / (36 * root**2)
    slope = 1 + score / (2 * root) - (score**3 - 7 * score) / (72 * root**3)
    return np.where(large, slope, total)


def beta_slope(x: Array, a: Array, b: Array) -> Array:
    """dx/da of a beta number at a fixed probability, b fixed too: from the series of the nearer end."""
    left = x <= 0.5
    near, p = np.where(left, x, 1 - x), np.where(left, a, b)
    with np.errstate(divide="ignore"):
        log_x = np.log(x)
    term = x * (1 - x) / p
    total, n = np.zeros_like(x), 0
    psi_sum, psi_low = digamma(np, a + b), digamma(np, np.where(left, a + 1, a))
    while n < 100_000:
        step = term * (log_x + psi_sum - psi_low)
        total = total + step
        ratio = near * (a + b + n) / (p + 1 + n)
        psi_sum = psi_sum + 1 / (a + b + n)
        psi_low = psi_low + np.where(left, 1 / (a + 1 + n), 0.0)
        term = term * ratio
        n += 1
        if n > 2 and (np.abs(step) <= 1e-17 * np.abs(total) + 1e-300).all() and (ratio < 1).all():
            break
    return np.where(left, -total, total)


class StandardGamma(Function):
    """Gamma numbers of rate 1."""

    @staticmethod
    def forward(ctx: Any, concentration: Any) -> Any:
        m = concentration._backend
        host = m.to_host(concentration._array)
        drawn = np.maximum(_gammas(host).astype(host.dtype), np.finfo(host.dtype).tiny)
        result = wrap(m.from_host(drawn), m)
        ctx.save_for_backward(concentration, result)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Any) -> Any:
        alpha, x = ctx.saved_tensors
        m = alpha._backend
        host = m.to_host(alpha._array)
        slope = gamma_slope(host, m.to_host(x._array)).astype(host.dtype)
        return g * wrap(m.from_host(slope), m)


class SampleDirichlet(Function):
    """Vectors of gamma numbers divided by their sum."""

    @staticmethod
    def forward(ctx: Any, concentration: Any) -> Any:
        m = concentration._backend
        host = m.to_host(concentration._array)
        drawn = _gammas(host.astype(np.float64))
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = (drawn / drawn.sum(-1, keepdims=True)).astype(host.dtype)
        one = np.nextafter(host.dtype.type(1), host.dtype.type(0))
        result = wrap(m.from_host(np.clip(shares, np.finfo(host.dtype).tiny, one)), m)
        ctx.save_for_backward(concentration, result)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Any) -> Any:
        alpha, x = ctx.saved_tensors
        m = alpha._backend
        a, at = m.to_host(alpha._array), m.to_host(x._array).astype(np.float64)
        wide = a.astype(np.float64)
        slope = beta_slope(at, wide, wide.sum(-1, keepdims=True) - wide) / (1 - at)
        return wrap(m.from_host(slope.astype(a.dtype)), m) * (g - (x * g).sum(-1, keepdim=True))


def standard_gamma(concentration: Any) -> Any:
    """Gamma numbers of rate 1, differentiable by ``concentration``. Drawn on the host, as all random numbers."""
    return StandardGamma.apply(concentration)


def sample_dirichlet(concentration: Any) -> Any:
    """Points of the simplex; the gradient moves each share along its own beta distribution, as PyTorch's does."""
    return SampleDirichlet.apply(concentration)
