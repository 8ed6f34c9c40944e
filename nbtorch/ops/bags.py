"""Bags of rows: the rows of a table that each bag names, added up, averaged, or the largest of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import wrap
from .conversion import narrowed, widened
from .operands import require_tensor
from .record import Op, apply, check_same_device

__all__ = ["embedding_bag"]

_SUM, _MEAN, _MAX = 0, 1, 2


def _bag(m: Any, weight: Any, factors: Any, index: Any, bag: Any, share: Any, often: Any, bags: int) -> Any:
    rows = widened(m, m.take(weight, index, 0)) * share
    if factors is not None:
        rows = rows * m.reshape(factors, (factors.shape[0], 1))
    return narrowed(m, m.index_add(m.new_zeros(rows, (bags, weight.shape[1])), 0, bag, rows), weight)


def _bag_inputs(
    m: Any, g: Any, weight: Any, factors: Any, index: Any, bag: Any, share: Any, often: Any, needs: Any
) -> tuple[Any, ...]:
    each = m.take(g, bag, 0) * share
    of_weight = of_factors = None
    if needs[0]:
        rows = each if factors is None else each * m.reshape(factors, (factors.shape[0], 1))
        rows = rows if often is None else rows * often
        of_weight = m.index_add(m.new_zeros(rows, tuple(weight.shape)), 0, index, rows)
    if needs[1]:
        of_factors = m.sum(each * m.take(weight, index, 0), (1,))
    return of_weight, of_factors, None, None, None, None


BAG = Op(
    "embedding_bag",
    _bag,
    tensors=6,
    joint=_bag_inputs,
    formula=r"y_b = \textstyle\sum_{i\in b} a_i\, w_{x_i}:\quad "
    r"\frac{\partial L}{\partial w_r} = \sum_{i:\, x_i = r} a_i\, g_{b(i)},\quad "
    r"\frac{\partial L}{\partial a_i} = w_{x_i}\cdot g_{b(i)}",
)
LARGEST = Op(
    "embedding_bag_max",
    lambda m, weight, position, filled: m.gather(weight, 0, position) * filled,
    tensors=3,
    node="EmbeddingBagBackward0",
    weight=lambda m, g, position, filled, shape: m.scatter_add(m.new_zeros(g, shape), 0, position, g * filled),
    formula=r"\text{each gradient goes to the row that the largest value came from}",
)


@BAG
def embedding_bag(
    weight: Any,
    indices: Any,
    offsets: Any,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Any, Any, Any, Any]:
    """For each bag the sum (``mode`` 0), the mean (1) or the largest (2) of its rows; an empty bag gives zeros.

    Args:
        weight: the table, shape (rows, D).
        indices: the numbers of all bags' rows, one bag after the other, int32 or int64.
        offsets: where each bag begins in ``indices``.
        scale_grad_by_freq: divide a row's gradient by how often it is named.
        mode: 0, 1 or 2.
        sparse: accepted; gradients are dense.
        per_sample_weights: what each row is multiplied by, of the shape of ``indices``; with mode 0 only.
        include_last_offset: whether the last offset says where the last bag ends.
        padding_idx: a row that is passed over.

    Returns:
        The result, shape (bags, D); the bag of each index; the size of each bag; and with mode 2 the row that each
        largest value came from.

    Raises:
        RuntimeError: for indices and offsets out of range, and dtypes that don't fit.
    """
    for name, x in (("weight", weight), ("indices", indices), ("offsets", offsets)):
        require_tensor("embedding_bag", name, x)
    check_same_device(BAG, (weight, indices, offsets))
    m, rows = weight._backend, weight._array.shape[0]
    count = indices._array.shape[0]
    # The offsets are few, and say how large everything is: they are read on the host.
    begins = m.to_host(offsets._array)
    _check(weight, indices, offsets, per_sample_weights, begins, rows)
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise RuntimeError(
                f"padding_idx must be within the number of embeddings, {-rows} through {rows - 1}, but got "
                f"{padding_idx}"
            )
        padding_idx %= rows
    ends = np.append(begins[1:], count)
    if include_last_offset:
        begins, ends = begins[:-1], begins[1:]
    bags = len(begins)
    lengths = np.maximum(ends - begins, 0)
    bag = m.from_host(np.repeat(np.arange(bags), lengths))
    index = m.astype(indices._array, np.int64)[: bag.shape[0]]
    kept = m.ones(index.shape, bool) if padding_idx is None else index != padding_idx
    sizes = m.index_add(m.zeros((bags,), np.int64), 0, bag, m.astype(kept, np.int64))
    wide = widened(m, weight._array).dtype
    if mode == _MAX:
        position, filled = _positions(m, weight._array, index, kept, lengths)
        out = apply(LARGEST, (weight, wrap(position, m), wrap(m.astype(filled, weight._array.dtype), m)))
        return out, wrap(bag, m), wrap(sizes, m), wrap(position, m)
    share = m.astype(kept, wide).reshape(-1, 1)
    if mode == _MEAN:
        share = share / m.astype(m.maximum(sizes, 1), wide)[bag].reshape(-1, 1)
    often = None
    if scale_grad_by_freq:
        named = m.index_add(m.zeros((rows,), wide), 0, index, m.ones(index.shape, wide))
        often = wrap((1 / named[index]).reshape(-1, 1), m)
    factors = per_sample_weights
    if factors is not None and factors._array.shape[0] != bag.shape[0]:
        factors = factors[: bag.shape[0]]
    given = (weight, factors, wrap(index, m), wrap(bag, m), wrap(share, m), often)
    return apply(BAG, given, (bags,)), wrap(bag, m), wrap(sizes, m), wrap(sizes, m)


def _positions(m: Any, weight: Any, index: Any, kept: Any, lengths: Any) -> tuple[Any, Any]:
    """For each bag and column the row with the largest value, and which bags have one."""
    bags, longest = len(lengths), int(lengths.max(initial=0))
    shape = (bags, weight.shape[1])
    if not longest:
        return m.zeros(shape, np.int64), m.zeros((bags, 1), bool)
    # All bags at the same length: places behind a bag's end name its first index, and don't count.
    begins = np.cumsum(lengths) - lengths
    places = begins[:, None] + np.arange(longest)[None]
    inside = np.arange(longest)[None] < lengths[:, None]
    places = m.from_host(np.where(inside, places, 0))
    named = index[places]
    counts = (m.from_host(inside) & kept[places]).reshape(bags, longest, 1)
    values = m.where(counts, weight[named], m.full((), -math.inf, weight.dtype))
    best = m.argmax(values, 1)
    return m.gather(named, 1, best), m.any(counts, (1,))


def _check(weight: Any, indices: Any, offsets: Any, factors: Any, begins: Any, rows: int) -> None:
    for name, x in (("indices", indices), ("offsets", offsets)):
        if x._array.dtype.kind != "i" or x._array.dtype.itemsize < 4:
            raise RuntimeError(
                f"Expected tensor for argument #1 '{name}' to have one of the following scalar types: Long, Int; but "
                f"got {x._dtype()!r} instead (while checking arguments for embedding_bag)\n  fix: {name}.long()"
            )
    if not weight._dtype().is_floating_point:
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, "
            f"Float, Double; but got {weight._dtype()!r} instead (while checking arguments for embedding_bag)"
        )
    if factors is not None and factors._array.dtype != weight._array.dtype:
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 "
            f"'per_sample_weights'; but type {weight._dtype()!r} does not equal {factors._dtype()!r} (while checking "
            "arguments for embedding_bag)"
        )
    if len(begins) and begins[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
            f"got {begins[0]}"
        )
    count = indices._array.shape[0]
    if len(begins) and begins[-1] > count:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {count} but got offsets[-1] of {begins[-1]}"
        )
    if (np.diff(begins) < 0).any():
        raise RuntimeError(f"embedding_bag: offsets must not decrease\n  got: {begins.tolist()}")
    if indices._backend.device.type == "cpu":
        array = indices._array
        wrong = (array < 0) | (array >= rows)
        if wrong.any():
            at = int(wrong.argmax())
            raise RuntimeError(
                f"Index {at} of input takes value {int(array[at])} which is not in the valid range [0, {rows})"
            )
