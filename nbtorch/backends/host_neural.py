"""Activations, shares and normalisations on the host, for numbers in single and double precision.

What is slow in NumPy is left out: ``tanh`` and ``erf`` (polynomials instead), reductions along short rows (products
with ones, by BLAS), new memory for what is only needed between two steps (scratch of a size that stays in the cache).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .neural import NeuralPrimitives

Array = Any

_SINGLE, _DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
_BLOCK = 32768  # elements of a scratch array: 128 KiB
_ONE, _HALF = np.float32(1), np.float32(0.5)
_SIGN = np.int32(-(2**31))

# Of the normal distribution's tail Q(u): 1 / (2 Q(u)) is nearly the 16th power of 1 + u * (these in powers of u). As
# Abramowitz and Stegun 7.1.28, fitted anew: least greatest error of u Q(u) on [0, 5.6], 4.9e-8.
_TAIL = [
    np.float32(c)
    for c in (
        0.049869096653484046, 0.02112751568969635, 0.0033133000952246523, -5.147766764814643e-06, 7.47850526836e-05,
        -2.073192074398712e-06, 8.168558836939353e-07,
    )
]  # fmt: skip
# Of Q(u) - u times the density, the derivative of GELU at -u: its only zero, and what is left, in the form
# (1 - u / zero) / (2 D^16) with D = 1 + u * (these in powers of u). Greatest error on [0, 5.6]: 5.2e-8.
_ZERO = np.float32(-0.5 / 0.7517915246935644)
_SLOPE = [
    np.float32(c)
    for c in (
        0.016600561890368057, 0.02442697457695349, 0.00277779518798832, -0.0002971420147026666, 0.00017231326403787864,
        -1.9636693476205703e-05, 1.93452560008383e-06,
    )
]  # fmt: skip


def _power(u: Array, coefficients: list[Any], d: Array) -> None:
    """``(1 + u * polynomial(u)) ** 16`` into ``d``: it grows beyond all numbers, so that its inverse ends at 0."""
    np.multiply(u, coefficients[-1], d)
    for c in coefficients[-2::-1]:
        np.add(d, c, d)
        np.multiply(d, u, d)
    np.add(d, _ONE, d)
    for _ in range(4):
        np.square(d, d)


def _flat(out: Array, x: Array) -> Array:
    """The elements of ``x`` as a vector, in the order in which those of ``out``, which is dense, lie in memory."""
    if x.flags.c_contiguous:
        return x.reshape(-1)
    order = sorted(range(out.ndim), key=lambda d: -out.strides[d])
    return x.transpose(order).reshape(-1)


def _rows(x: Array, dim: int) -> Array | None:
    """``x`` as a matrix with ``dim`` as its rows, None where that isn't its last or takes a copy."""
    if dim in (x.ndim - 1, -1) and x.size and x.flags.c_contiguous and (x.dtype is _SINGLE or x.dtype is _DOUBLE):
        return x.reshape(-1, x.shape[-1])
    return None


def _ones(n: int, dtype: Any) -> Array:
    out = np.empty(n, dtype)
    out.fill(1)
    return out


def _from_the_top(x: Array, apart: Array, powers: Array) -> tuple[Array, bool]:
    """``x - top`` into ``apart`` and its exponentials into ``powers`` (both may be ``x``), for the rows of a matrix.

    All rows are measured from the greatest number of the matrix, which is found much faster than one for each row.

    Returns:
        The sums of the rows of ``powers``, and whether none lies so far below the top that digits were lost.
    """
    np.subtract(x, np.maximum.reduce(x, None), apart)
    np.exp(apart, powers)
    sums = powers.dot(_ones(x.shape[1], x.dtype))
    return sums, bool(np.minimum.reduce(sums) > 1e-5)  # not so where there is a NaN or an infinity


def _powers(x: Array, apart: Array, powers: Array) -> Array:
    """As :func:`_from_the_top`, with the rows that lost digits measured anew from their own greatest number."""
    sums, exact = _from_the_top(x, apart, powers)
    if not exact:
        low = ~(sums > 1e-5)
        again = x[low]
        again -= again.max(1, keepdims=True)
        apart[low] = again
        np.exp(again, again)
        powers[low] = again
        sums[low] = np.add.reduce(again, 1)
    return sums


class HostNeural(NeuralPrimitives):
    """The primitives of networks that NumPy's plain calls do slowly."""

    def gelu(self, x: Array) -> Array:
        """For single precision ``max(x, 0) - |x| Q(|x|)`` with the tail Q of the normal distribution.

        Within 3.6e-7 of the true value for all float32, found by trying them; what PyTorch computes is within 3.8e-7.
        """
        if x.dtype is not _SINGLE or not x.size or not x.ndim:
            return super().gelu(x)
        out = np.empty_like(x)
        size = min(x.size, _BLOCK)
        scratch = np.empty((2, size), np.float32), np.zeros(size, np.float32)
        source, result = _flat(out, x), _flat(out, out)
        for start in range(0, x.size, size):
            a, to = source[start : start + size], result[start : start + size]
            (u, d), zero = scratch if a.size == size else (scratch[0][:, : a.size], scratch[1][: a.size])
            np.absolute(a, u)
            _power(u, _TAIL, d)
            np.multiply(u, _HALF, u)
            np.divide(u, d, u)
            np.maximum(a, zero, out=to)
            np.subtract(to, u, to)
        # Infinite numbers divide infinity by infinity above; the sum finds them.
        return out if np.isfinite(result.dot(result)) else super().gelu(x)

    def gelu_backward(self, g: Array, x: Array) -> Array:
        """The derivative is within 8.5e-7 of the true value for all float32, found by trying them."""
        if x.dtype is not _SINGLE or g.dtype is not _SINGLE or g.shape != x.shape or not x.size or not x.ndim:
            return super().gelu_backward(g, x)
        out = np.empty_like(x)
        size = min(x.size, _BLOCK)
        scratch = np.empty((2, size), np.float32)
        source, incoming, result = _flat(out, x), _flat(out, g), _flat(out, out)
        for start in range(0, x.size, size):
            a = source[start : start + size]
            u, d = scratch if a.size == size else scratch[:, : a.size]
            np.absolute(a, u)
            _power(u, _SLOPE, d)
            np.multiply(u, _ZERO, u)
            np.add(u, _HALF, u)
            np.divide(u, d, u)
            np.subtract(_HALF, u, u)
            # The derivative less a half is odd: it gets the sign of x.
            bits, sign = u.view(np.int32), d.view(np.int32)
            np.bitwise_and(a.view(np.int32), _SIGN, sign)
            np.bitwise_xor(bits, sign, bits)
            np.add(u, _HALF, u)
            np.multiply(u, incoming[start : start + size], result[start : start + size])
        return out if np.isfinite(result.dot(result)) else super().gelu_backward(g, x)

    def softmax(self, x: Array, dim: int) -> Array:
        rows = _rows(x, dim)
        if rows is None:
            return super().softmax(x, dim)
        out = np.empty(rows.shape, x.dtype)
        sums = _powers(rows, out, out)
        np.divide(out, sums[:, None], out)
        return out.reshape(x.shape)

    def softmax_backward(self, g: Array, out: Array, dim: int) -> Array:
        shares = _rows(out, dim)
        if shares is None or g.dtype is not out.dtype:
            return super().softmax_backward(g, out, dim)
        incoming = np.ascontiguousarray(g).reshape(shares.shape)
        result = np.subtract(incoming, np.vecdot(incoming, shares)[:, None])
        np.multiply(result, shares, result)
        return result.reshape(out.shape)

    def log_softmax(self, x: Array, dim: int) -> Array:
        rows = _rows(x, dim)
        if rows is None:
            return super().log_softmax(x, dim)
        out = np.empty(rows.shape, x.dtype)
        sums = _powers(rows, out, np.empty(rows.shape, x.dtype))
        np.log(sums, sums)
        np.subtract(out, sums[:, None], out)
        return out.reshape(x.shape)

    def log_softmax_backward(self, g: Array, out: Array, dim: int) -> Array:
        logs = _rows(out, dim)
        if logs is None or g.dtype is not out.dtype:
            return super().log_softmax_backward(g, out, dim)
        incoming = np.ascontiguousarray(g).reshape(logs.shape)
        result = np.exp(logs)
        np.multiply(result, incoming.dot(_ones(result.shape[1], g.dtype))[:, None], result)
        return np.subtract(incoming, result, result).reshape(out.shape)

    def pick(self, x: Array, index: Array) -> Array:
        if not x.size or not x.flags.c_contiguous or np.minimum.reduce(index) < 0:
            return super().pick(x, index)
        return x.reshape(-1).take(np.arange(0, x.size, x.shape[1]) + index)

    def layer_norm(self, x: Array, weight: Any, bias: Any, inner: int, eps: float) -> tuple[Array, Array, Array]:
        if not _together(x, weight, bias):
            return super().layer_norm(x, weight, bias, inner, eps)
        lead = x.shape[: x.ndim - inner]
        n = self.numel(x.shape[x.ndim - inner :])
        rows = x.reshape(-1, n)
        center = rows.dot(_ones(n, x.dtype))
        center /= n
        y = np.subtract(rows, center[:, None])
        scale = np.vecdot(y, y)
        scale /= n
        scale += x.dtype.type(eps)
        np.sqrt(scale, scale)
        np.divide(1, scale, scale)
        y *= scale[:, None]
        if weight is not None:
            y *= weight.reshape(-1)
        if bias is not None:
            y += bias.reshape(-1)
        kept = (*lead, *(1,) * inner)
        return y.reshape(x.shape), center.reshape(kept), scale.reshape(kept)

    def layer_norm_backward(
        self, g: Array, x: Array, weight: Any, center: Array, scale: Array, inner: int, needs: tuple[bool, bool, bool]
    ) -> tuple[Any, Any, Any]:
        if not _together(x, g, weight):
            return super().layer_norm_backward(g, x, weight, center, scale, inner, needs)
        shape = x.shape[x.ndim - inner :]
        n = self.numel(shape)
        incoming, center, scale = g.reshape(-1, n), center.reshape(-1, 1), scale.reshape(-1, 1)
        w = _ones(n, x.dtype) if weight is None else weight.reshape(-1)
        column = _ones(incoming.shape[0], x.dtype)
        of_input = of_weight = of_bias = None
        if needs[2]:
            of_bias = column.dot(incoming).reshape(shape)
        if needs[0] or needs[1]:
            apart = np.subtract(x.reshape(-1, n), center)
            along = np.multiply(incoming, apart)
            if needs[1]:
                of_weight = scale[:, 0].dot(along).reshape(shape)
            if needs[0]:
                # (h - mean(h) - y mean(h y)) scale with h = g w and y = apart scale: the means are products with w, and
                # a column times a row is a product too, which is faster than two broadcasts.
                parts, means = along.dot(w)[:, None], incoming.dot(w)[:, None]
                parts /= n
                means /= n
                means *= scale
                for _ in range(3):
                    parts *= scale
                h = np.dot(scale, w[None], along)
                h *= incoming
                apart *= parts
                h -= apart
                h -= means
                of_input = h.reshape(x.shape)
        return of_input, of_weight, of_bias


def _together(x: Array, *others: Any) -> bool:
    """Whether all lie in rows and are of one dtype, single or double precision; None among them doesn't count."""
    dtype = x.dtype
    if not x.size or not x.flags.c_contiguous or not (dtype is _SINGLE or dtype is _DOUBLE):
        return False
    return all(o is None or (o.dtype is dtype and o.flags.c_contiguous) for o in others)
