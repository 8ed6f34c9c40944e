"""Attention on the host, some heads and queries at a time: the scores stay in the cache and are never there as a whole.

Where they all fit into one block they are kept for the way back, else only the logarithm of what each query's weights
were divided by, from which they are computed again; of a causal mask the upper half is not computed at all. The idea is
that of Dao et al. 2022 (FlashAttention), the blocks are those of plain products of matrices.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from .neural import NeuralPrimitives

Array = Any

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_SCORES = 131072  # of one block
_QUERIES = 64  # as many in one block where there are more than twice as many


@functools.lru_cache(maxsize=16)
def _corner(rows: int, columns: int, dtype: Any) -> Array:
    """What is added to a square block on the diagonal under a causal mask."""
    return np.triu(np.full((rows, columns), -np.inf, dtype), 1)


def _suits(arrays: Any, parts: Any) -> bool:
    """Whether the leading dimensions agree, and the numbers are of a kind that is computed here."""
    query = arrays[0]
    lead, d = query.shape[:-2], query.dtype
    return (
        len(lead) in (1, 2)
        and d in _FLOATS
        and all(x.dtype == d and x.shape[:-2] == lead and x.size for x in arrays)
        and all(x is None or x.dtype == d for x in parts)
    )


def _blocks(shape: tuple[int, ...], keys: int, causal: bool) -> Iterator[tuple[slice, slice, int]]:
    """(samples, queries, how many keys they may see) of each block; scores have ``shape`` (samples, ..., queries)."""
    length = shape[-1]
    step = _QUERIES if length > 2 * _QUERIES else length
    heads = int(np.prod(shape[1:-1]))
    samples = max(1, _SCORES // max(heads * step * keys, 1))
    for first in range(0, shape[0], samples):
        for start in range(0, length, step):
            end = min(start + step, length)
            yield slice(first, first + samples), slice(start, end), min(keys, end) if causal else keys


def _part(x: Any, shape: tuple[int, ...], at: slice, rows: slice, keys: int) -> Any:
    """The part of a bias or of factors that belongs to a block."""
    return None if x is None else np.broadcast_to(x, shape)[at][..., rows, :keys]


def _scores(query: Array, key: Array, bias: Any, rows: slice, causal: bool) -> Array:
    scores = np.matmul(query, key.swapaxes(-1, -2))
    if bias is not None:
        scores += bias
    if causal:
        start, n = rows.start, key.shape[-2]
        if start < n:
            scores[..., start:] += _corner(scores.shape[-2], n - start, scores.dtype)
    return scores


def _exponentials(scores: Array) -> tuple[Any, Array]:
    """``exp(scores - top)`` in place; the top, of all or of each row, and the sums of the rows as a column."""
    top: Any = np.maximum.reduce(scores, None)
    scores -= top
    np.exp(scores, scores)
    ones = np.empty(scores.shape[-1], scores.dtype)
    ones.fill(1)
    return top, scores.reshape(-1, ones.size).dot(ones).reshape(*scores.shape[:-1], 1)


class HostAttention(NeuralPrimitives):
    """Overrides for three and four dimensions that agree."""

    def attention(
        self: Any, query: Array, key: Array, value: Array, bias: Any, alive: Any, drop: Any, scale: float, causal: bool
    ) -> tuple[Array, Any]:
        if not _suits((query, key, value), (bias, alive, drop)):
            return super().attention(query, key, value, bias, alive, drop, scale, causal)
        lead, keys = query.shape[:-1], key.shape[-2]
        shape, width = (*lead, keys), value.shape[-1]
        out = np.empty_like(query) if width == query.shape[-1] else np.empty((*lead, width), query.dtype)
        blocks = list(_blocks(lead, keys, causal))
        logs = np.empty((*lead, 1), query.dtype) if len(blocks) > 1 else None
        scaled = query * query.dtype.type(scale)
        for at, rows, seen in blocks:
            q, k = scaled[at][..., rows, :], key[at][..., :seen, :]
            plus = _part(bias, shape, at, rows, seen)
            shares = _scores(q, k, plus, rows, causal)
            top, sums = _exponentials(shares)
            if not sums.min() > 1e-5:  # rows far below the top, or numbers that are none: each row from its own top
                shares = _scores(q, k, plus, rows, causal)
                top = shares.max(-1, keepdims=True)
                shares -= top
                np.exp(shares, shares)
                sums = shares.sum(-1, keepdims=True)
            np.reciprocal(sums, sums)
            if logs is None:
                shares *= sums
            else:
                logs[at][..., rows, :] = top - np.log(sums)
            if alive is not None:
                shares *= _part(alive, shape, at, rows, seen)
            given = shares if drop is None else shares * _part(drop, shape, at, rows, seen)
            found = np.matmul(given, value[at][..., :seen, :])
            if logs is not None:
                found *= sums
            out[at][..., rows, :] = found
        return out, (shares if logs is None else None, logs)

    def attention_backward(
        self: Any, g: Array, query: Array, key: Array, value: Array, bias: Any, alive: Any, drop: Any, scale: float,
        causal: bool, kept: Any, needs: Any,
    ) -> tuple[Any, Any, Any, Any]:  # fmt: skip
        if type(kept) is not tuple:
            return super().attention_backward(g, query, key, value, bias, alive, drop, scale, causal, kept, needs)
        whole, logs = kept
        lead, keys, d = query.shape[:-1], key.shape[-2], query.dtype
        shape = (*lead, keys)
        of_query = np.empty_like(query) if needs[0] else None
        # One block gives these in one piece; several add to them, and keys that no query sees get nothing.
        fill = np.empty_like if whole is not None and not (causal and keys > lead[-1]) else np.zeros_like
        of_key = fill(key) if needs[1] else None
        of_value = fill(value) if needs[2] else None
        of_bias = np.zeros(shape, d) if needs[3] else None
        scaled = query * d.type(scale)
        for at, rows, seen in _blocks(lead, keys, causal):
            q, k, v = scaled[at][..., rows, :], key[at][..., :seen, :], value[at][..., :seen, :]
            gradient = g[at][..., rows, :]
            if whole is not None:
                shares = whole
            else:
                shares = _scores(q, k, _part(bias, shape, at, rows, seen), rows, causal)
                shares -= logs[at][..., rows, :]
                np.exp(shares, shares)
                if alive is not None:
                    shares *= _part(alive, shape, at, rows, seen)
            factors = _part(drop, shape, at, rows, seen)
            if of_value is not None:
                given = shares if factors is None else shares * factors
                _put(of_value[at][..., :seen, :], given.swapaxes(-1, -2), gradient, whole is None)
            if needs[0] or needs[1] or needs[3]:
                h = np.matmul(gradient, v.swapaxes(-1, -2))
                if factors is not None:
                    h *= factors
                h -= np.vecdot(h, shares)[..., None]
                h *= shares
                if of_query is not None:
                    found = np.matmul(h, k)
                    found *= d.type(scale)
                    of_query[at][..., rows, :] = found
                if of_key is not None:
                    _put(of_key[at][..., :seen, :], h.swapaxes(-1, -2), q, whole is None)
                if of_bias is not None:
                    of_bias[at][..., rows, :seen] = h
        return of_query, of_key, of_value, of_bias


def _put(into: Array, a: Array, b: Array, adds: bool) -> None:
    """``a @ b`` written, or added, to ``into``."""
    if adds:
        into += np.matmul(a, b)
    else:
        into[...] = np.matmul(a, b)
