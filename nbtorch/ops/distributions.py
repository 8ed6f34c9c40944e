"""What random numbers are made of: from words of the Mersenne Twister to the distributions, bit for bit as PyTorch.

A float32 in [0, 1) takes the low 24 bits of one 32-bit word, a float64 the low 53 bits of two. Normal numbers come from
the Box-Muller transform: in blocks of 16 where a whole contiguous tensor of 16 or more is filled, in pairs of doubles
otherwise. PyTorch's x86 wheels compute the blocks of float32 with AVX2 instructions and the Cephes polynomials for log,
sin and cos, rounding once per multiply-add; the same is done here in double precision, rounded to single after every
step. Doubles take the C library's functions, which PyTorch takes too; NumPy's own differ in the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backends import host
from .generator import Generator

Array = np.ndarray[Any, Any]
F32, F64 = np.dtype(np.float32), np.dtype(np.float64)


def by_c_library(function: Callable[[float], float], x: Array) -> Array:
    """``function`` of Python's ``math`` on every element of a float64 array."""
    return np.fromiter(map(function, x.reshape(-1).tolist()), F64, x.size).reshape(x.shape)


def multiply_add(a: Array, b: float, c: float) -> Array:
    """``a · b + c`` of doubles, rounded once: the product's and the sum's rounding errors are added at the end."""
    if b == 1.0 and c == 0.0:
        return a
    split = 134217729.0  # 2**27 + 1 halves a double's digits (Dekker 1971)
    product = a * b
    a_high = a * split - (a * split - a)
    b_high = b * split - (b * split - b)
    a_low, b_low = a - a_high, b - b_high
    error = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    total = product + c
    back = total - product
    rest = (product - (total - back)) + (c - back)
    return np.where(np.isfinite(total), total + (rest + error), total)


def narrowed(x: Array, dtype: Any) -> Array:
    """``x`` in ``dtype``; from double to half precision by way of single, as C++ converts."""
    return (x.astype(F32) if x.dtype == F64 and dtype.itemsize == 2 else x).astype(dtype, copy=False)


# -- uniform ---


_BLOCK = 1 << 15  # draws at a time: the words they are made of are several times as large as the numbers


def _by_blocks(n: int, dtype: Any, draw: Callable[[int], Array]) -> Array:
    """``n`` numbers, drawn one after the other by ``draw(how many)``."""
    if n <= _BLOCK:
        return draw(n)
    out = np.empty(n, dtype)
    for start in range(0, n, _BLOCK):
        some = out[start : start + _BLOCK]
        some[...] = draw(some.size)
    return out


def unit(g: Generator, n: int) -> Array:
    """``n`` doubles in [0, 1)."""
    return _by_blocks(n, F64, lambda n: _unit(g, n))


def _unit(g: Generator, n: int) -> Array:
    words = g.double_words(n)
    words &= np.uint64(2**53 - 1)
    numbers = words.astype(F64)
    numbers *= 2.0**-53
    return numbers


def unit_below(g: Generator, n: int, p: float) -> Array:
    """``n`` times whether a double in [0, 1) came out below ``p``."""
    return _by_blocks(n, np.dtype(bool), lambda n: unit(g, n) < p)


def uniform(g: Generator, n: int, dtype: Any, low: float = 0.0, high: float = 1.0) -> Array:
    """``n`` numbers in [low, high)."""
    return _by_blocks(n, dtype, lambda n: _uniform(g, n, dtype, low, high))


def _uniform(g: Generator, n: int, dtype: Any, low: float, high: float) -> Array:
    if dtype == F64:
        numbers = multiply_add(unit(g, n), high - low, low)
    else:
        # Half precision is drawn in single, and rounded at the end.
        numbers = (g.words(n) & np.uint64(2**24 - 1)).astype(F32) * np.float32(2.0**-24)
        if low != 0.0 or high != 1.0:
            start, end = np.float32(low), np.float32(high)
            numbers = (numbers.astype(F64) * np.float64(end - start) + np.float64(start)).astype(F32)
        numbers = numbers.astype(dtype, copy=False)
    if n and (dtype.itemsize == 2 or low != 0.0 or high != 1.0):
        # Rounding can reach the upper end, which is not part of the range: the lower end stands in for it.
        ends = np.array([low, high], F32).astype(dtype) if dtype != F64 else np.array([low, high])
        reached = numbers == ends[1]
        if reached.any():
            numbers[reached] = ends[0]
    return numbers


# -- whole numbers ---


def below(g: Generator, n: int, low: int, span: int, wide: bool | None = None) -> Array:
    """``n`` whole numbers from ``low`` on, ``span`` of them possible, int64; from 64 bits each if ``wide``."""
    # From 2**28 on, the remainder of 32 bits would prefer small numbers too much: PyTorch's bound.
    draws = g.double_words(n) if (span >= 2**28 if wide is None else wide) else g.words(n)
    if span == 2**64:
        return draws.astype(np.int64)
    return (draws % np.uint64(span) + np.uint64(low % 2**64)).astype(np.int64)


def permutation(g: Generator, n: int) -> Array:
    """The numbers 0 to n - 1 in random order (Fisher and Yates), int64."""
    steps = (g.words(max(n - 1, 0)) % np.arange(n, 1, -1, dtype=np.uint64)).astype(np.int64)
    return _exchanged(steps + np.arange(len(steps)), n)


def _exchanged(partners: Array, n: int) -> Array:
    """The numbers 0 to n - 1 after exchanging the i-th with the ``partners[i]``-th, for one i after the other.

    No partner stands before i, so that what the i-th place gets stays there. What it gets was brought by the last
    exchange before with the same partner, or was there from the beginning. What exchange k brings is what was at k,
    which came from the last exchange with partner k, and so on: the beginnings of all chains are found at once.
    """
    if n < 100:
        order = list(range(n))
        for i, j in enumerate(partners.tolist()):
            order[i], order[j] = order[j], order[i]
        return np.array(order, np.int64)
    places = np.arange(n)
    partners = np.append(partners, n - 1)
    brought = places.copy()
    moved = np.flatnonzero(partners != places)
    brought[partners[moved]] = moved  # the last exchange with that partner
    while True:  # each round doubles how far back a chain is followed
        further = brought[brought]
        if np.array_equal(further, brought):
            break
        brought = further
    # Exchanges with the same partner, in their order.
    bits = n.bit_length()
    key = np.sort(partners << bits | places)
    again = np.flatnonzero(key[1:] >> bits == key[:-1] >> bits)
    key &= (1 << bits) - 1
    partners[key[again + 1]] = brought[key[again]]
    return partners


# -- normal ---


def normal(g: Generator, n: int, dtype: Any, mean: float = 0.0, std: float = 1.0, blocks: bool = True) -> Array:
    """``n`` normal numbers; ``blocks`` where PyTorch would see one contiguous tensor."""
    if n < 16 or not blocks:
        return narrowed(multiply_add(normals_in_pairs(g, n), std, mean), dtype)
    if dtype not in (F32, F64):  # half precision is drawn in single, and rounded; there, no number is drawn in vain
        singles = normal(g, n - n % 16, F32, mean, std)
        if n % 16:
            singles = np.append(singles[: n - 16], normal(g, 16, F32, mean, std))
        return singles.astype(dtype)
    transform = _block_in_single if dtype == F32 else _block_in_double
    flat = uniform(g, n, dtype)
    whole = n - n % 16
    head = transform(flat[:whole].reshape(-1, 16), mean, std)
    if whole == n:
        return head
    out = np.empty(n, dtype)
    out[:whole] = head
    # The last 16 are drawn again, so that the remainder is part of a whole block.
    out[n - 16 :] = transform(uniform(g, 16, dtype).reshape(1, 16), mean, std)
    return out


def normals_in_pairs(g: Generator, n: int) -> Array:
    """``n`` standard normal doubles, two at a time; the odd one is kept for the next call."""
    out: list[float] = []
    if n and g.spare is not None:
        out.append(g.spare)
        g.spare = None
    pairs = (n - len(out) + 1) // 2
    u = unit(g, 2 * pairs).tolist()
    for angle, distance in zip(u[::2], u[1::2], strict=True):
        radius = math.sqrt(-2.0 * math.log1p(-distance))
        theta = 2.0 * math.pi * angle
        out.append(radius * math.cos(theta))
        out.append(radius * math.sin(theta))
    if len(out) > n:
        g.spare = out.pop()
    return np.array(out, F64)


def _block_in_double(u: Array, mean: float, std: float) -> Array:
    radius = np.sqrt(-2 * by_c_library(math.log, 1 - u[:, :8]))
    theta = 2.0 * math.pi * u[:, 8:]
    blocks = np.concatenate([radius * by_c_library(math.cos, theta), radius * by_c_library(math.sin, theta)], 1)
    return multiply_add(blocks, std, mean).reshape(-1)


def _singles(*numbers: float) -> list[float]:
    return [float(np.float32(x)) for x in numbers]


# The polynomials of Cephes' logf, sinf and cosf (Moshier 1989).
_LOG = _singles(
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
    2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
_LN2_LOW, _LN2_HIGH, _ROOT_HALF = _singles(-2.12194440e-4, 0.693359375, 0.707106781186547524)
_SIN = _singles(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COS = _singles(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_QUARTER_PI = _singles(-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)  # minus pi/4, in three parts
_FOUR_OVER_PI, _TWO_PI = _singles(1.27323954473516, 2.0 * math.pi)
_CHUNK = 1024  # blocks at a time, so that the intermediate arrays stay in the cache


def _rounded(x: Array) -> Array:
    return x.astype(F32).astype(F64)


def _fma(a: Any, b: Any, c: Any) -> Array:
    """A multiply-add of singles: exact in double precision but for the sum, rounded once (all but always)."""
    return (a * b + c).astype(F32).astype(F64)


def _block_in_single(u: Array, mean: float, std: float) -> Array:
    out = np.empty(u.shape, F32)
    mean, std = _singles(mean, std)
    for start in range(0, len(u), _CHUNK):
        rows = u[start : start + _CHUNK]
        radius = _rounded(np.sqrt((-2 * _log(1 - rows[:, :8])).astype(F32)))
        sin, cos = _sin_and_cos(_rounded(rows[:, 8:] * np.float64(_TWO_PI)))
        for half, wave in enumerate((cos, sin)):
            part = (radius * wave).astype(F32)
            if mean != 0.0 or std != 1.0:
                part = (part * np.float64(std) + mean).astype(F32)
            out[start : start + _CHUNK, 8 * half : 8 * half + 8] = part
    return out.reshape(-1)


def _log(x: Array) -> Array:
    """The natural logarithm of positive singles, as doubles that hold singles."""
    mantissa, exponent = np.frexp(x)
    x = mantissa.astype(F64)
    low = x < _ROOT_HALF
    e = (exponent - low).astype(F64)
    x = _rounded(x * (low + F64.type(1)) - 1)
    z = _rounded(x * x)
    y = np.full_like(x, _LOG[0])
    for c in _LOG[1:]:
        y = _fma(y, x, c)
    y = _fma(_rounded(y * x), z, _rounded(e * _LN2_LOW))
    y = _rounded(y - 0.5 * z)
    return _fma(e, _LN2_HIGH, _rounded(x + y))


def _sin_and_cos(x: Array) -> tuple[Array, Array]:
    octant = (_rounded(x * _FOUR_OVER_PI).astype(np.int32) + 1) & ~1
    y = octant.astype(F64)
    for part in _QUARTER_PI:
        x = _fma(y, part, x)
    z = _rounded(x * x)
    cos = _rounded(_fma(_fma(_COS[0], z, _COS[1]), z, _COS[2]) * z)
    cos = _rounded(_fma(cos, z, -0.5 * z) + 1)
    sin = _fma(_rounded(_fma(_fma(_SIN[0], z, _SIN[1]), z, _SIN[2]) * z), x, x)
    swapped = (octant & 2) != 0
    return (
        (1.0 - ((octant & 4) >> 1)) * host.where(swapped, cos, sin),
        (((octant - 2) & 4) * 0.5 - 1.0) * host.where(swapped, sin, cos),
    )


# -- made of doubles in [0, 1) ---


def exponential(g: Generator, n: int, rate: float = 1.0) -> Array:
    return -1.0 / rate * by_c_library(math.log1p, -unit(g, n))


def cauchy(g: Generator, n: int, median: float, sigma: float) -> Array:
    return multiply_add(by_c_library(math.tan, math.pi * (unit(g, n) - 0.5)), sigma, median)


def geometric(g: Generator, n: int, p: float) -> Array:
    u = unit(g, n)
    with np.errstate(divide="ignore"):
        logs = np.where(u > 0, by_c_library(math.log, np.where(u > 0, u, 1.0)), -np.inf)
        return np.ceil(logs / (math.log(1.0 - p) if p < 1.0 else -math.inf))


def log_normal(g: Generator, n: int, mean: float, std: float) -> Array:
    x = multiply_add(normals_in_pairs(g, n), std, mean)
    return by_c_library(math.exp, np.minimum(x, 709.0)) if n and x.max() > 709.0 else by_c_library(math.exp, x)


def poisson(g: Generator, rates: Array) -> Array:
    """One whole number for each rate, float64: Knuth's products below 10, Hörmann's rejection (PTRS, 1993) above."""
    return np.array([_poisson(g, rate) for rate in rates.tolist()], F64)


def _one(g: Generator) -> float:
    return float(unit(g, 1)[0])


def _poisson(g: Generator, rate: float) -> float:
    if rate == 0:
        return 0.0
    if rate < 10:
        bound, count, product = math.exp(-rate), 0, _one(g)
        while product > bound:
            count += 1
            product *= _one(g)
        return float(count)
    root, log_rate = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    accepted = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = _one(g) - 0.5, _one(g)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= accepted:
            return float(k)
        if k < 0 or (us < 0.013 and v > us):
            continue
        left = math.log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b)
        if left <= -rate + k * log_rate - math.lgamma(k + 1):
            return float(k)


def binomial(g: Generator, counts: Array, probabilities: Array) -> Array:
    """The number of successes in so many trials of such probability, float64."""
    pairs = zip(counts.tolist(), probabilities.tolist(), strict=True)
    return np.array([_binomial(g, n, p) for n, p in pairs], F64)


def _binomial(g: Generator, count: float, p: float) -> float:
    """Inversion by waiting times below 10 successes expected, Hörmann's rejection (BTRS, 1993) above."""
    if count <= 0.0 or p <= 0.0:
        return 0.0
    if p >= 1.0:
        return count
    if p > 0.5:
        return count - _few_or_many(g, count, 1.0 - p)
    return _few_or_many(g, count, p) if p <= 0.5 else math.nan


def _few_or_many(g: Generator, count: float, p: float) -> float:
    if count * p < 10.0:
        log_q, total, successes = math.log1p(-p), 0.0, 0
        while True:
            u = _one(g)
            total += math.ceil((math.log(u) if u > 0.0 else -math.inf) / log_q)
            if total > count:
                return float(successes)
            successes += 1
    stddev = math.sqrt(count * p * (1 - p))
    b = 1.15 + 2.53 * stddev
    a = -0.0873 + 0.0248 * b + 0.01 * p
    centre = count * p + 0.5
    v_r = 0.92 - 4.2 / b
    r = p / (1 - p)
    alpha = (2.83 + 5.1 / b) * stddev
    m = math.floor((count + 1) * p)
    while True:
        u, v = _one(g) - 0.5, _one(g)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + centre)
        if us >= 0.07 and v <= v_r:
            return float(k)
        if k < 0 or k > count:
            continue
        v = math.log(v * alpha / (a / (us * us) + b))
        bound = (
            (m + 0.5) * math.log((m + 1) / (r * (count - m + 1)))
            + (count + 1) * math.log((count - m + 1) / (count - k + 1))
            + (k + 0.5) * math.log(r * (count - k + 1) / (k + 1))
            + _stirling_tail(m)
            + _stirling_tail(count - m)
            - _stirling_tail(k)
            - _stirling_tail(count - k)
        )
        if v <= bound:
            return float(k)


_STIRLING = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
    0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287,
)  # fmt: skip


def _stirling_tail(k: float) -> float:
    """What Stirling's formula for ``log k!`` leaves over."""
    if k <= 9:
        return _STIRLING[int(k)]
    square = (k + 1) * (k + 1)
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)
