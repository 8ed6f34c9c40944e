"""Losses that ask for a margin: between right and wrong classes, or between near and far pairs.

Sources: multi-class hinge, Crammer and Singer 2001; hinge embedding and margin ranking, Hadsell, Chopra and LeCun 2006;
triplets, Balntas et al. 2016.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import wrap
from .conversion import narrowed, to_dtype, widened
from .loss import check_kernel, check_reduction, reduce_loss, reduced, share
from .operands import broadcast_shapes, require_tensor, result_type
from .pointwise import where
from .record import Op, apply
from .reduction import sum as sum_over

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "soft_margin_loss", "triplet_margin_loss",
]  # fmt: skip


def _soft_margin(m: Any, input: Any, target: Any, reduction: str) -> Any:
    # log(1 + exp(-y x)) without overflow; from 40 on it is the argument itself, to the last bit of float64.
    loss = m.softplus(-(widened(m, target) * widened(m, input)), 1, 40)
    return narrowed(m, reduced(m, loss, reduction), input)


def _soft_margin_inputs(m: Any, g: Any, input: Any, target: Any, reduction: str, needs: Any) -> tuple[Any, Any]:
    product = target * input
    slope = m.sigmoid(-product) * share(-g, reduction, math.prod(product.shape))
    return slope * target if needs[0] else None, slope * input if needs[1] else None


SOFT_MARGIN = Op(
    "soft_margin_loss",
    _soft_margin,
    tensors=2,
    joint=_soft_margin_inputs,
    formula=r"\frac{\partial}{\partial x}\ln(1+e^{-yx}) = -y\,\sigma(-yx)",
)


@SOFT_MARGIN
def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """``log(1 + exp(-target * input))`` for targets of 1 and -1, by default its mean.

    Raises:
        RuntimeError: where the shapes don't broadcast, and for integers.
        ValueError: for an unknown reduction.
    """
    check_reduction(reduction)
    require_tensor("soft_margin_loss", "input", input)
    require_tensor("soft_margin_loss", "target", target)
    broadcast_shapes("soft_margin_loss", tuple(input._array.shape), tuple(target._array.shape))
    if not input._dtype().is_floating_point:
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {input._dtype()!r}\n"
            "  operation: soft_margin_loss\n  fix: input.float()"
        )
    d = result_type(input, target)
    return apply(SOFT_MARGIN, (to_dtype(input, d), to_dtype(target, d)), (reduction,))


# -- classes ---


def _rows(function: str, input: Any) -> tuple[int, int]:
    """Samples and classes of an input of shape (N, C), (C,) or ()."""
    require_tensor(function, "input", input)
    shape = tuple(input._array.shape)
    if len(shape) > 2 or 0 in shape[-1:] or (len(shape) == 1 and not shape[0]):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(shape)}\n"
            f"  operation: {function}: shape (N, C) or (C,)"
        )
    return (shape[0], shape[1]) if len(shape) == 2 else (1, shape[0] if shape else 1)


def _multi_margin(m: Any, input: Any, right: Any, each: Any, p: int, margin: float, reduction: str) -> Any:
    over = _excess(m, input, right, margin)
    loss = m.sum((over if p == 1 else over * over) * each, (1,))
    return reduced(m, loss, reduction)


def _excess(m: Any, input: Any, right: Any, margin: float) -> Any:
    """By how much each wrong class comes closer to the right one than ``margin``."""
    chosen = m.sum(m.where(right, input, input * 0), (1,), True)
    over = margin - chosen + input
    return m.where((over > 0) & ~right, over, over * 0)


def _multi_margin_input(
    m: Any, g: Any, input: Any, right: Any, each: Any, p: int, margin: float, reduction: str
) -> Any:
    over = _excess(m, input, right, margin)
    g = share(g, reduction, input.shape[0])
    if reduction == "none":
        g = m.reshape(g, (input.shape[0], 1))
    slope = (m.sign(over) if p == 1 else over * 2) * each * g
    return m.where(right, -m.expand(m.sum(slope, (1,), True), right.shape), slope)


MULTI_MARGIN = Op(
    "multi_margin_loss",
    _multi_margin,
    tensors=3,
    input=_multi_margin_input,
    formula=r"\ell = \tfrac1C\sum_{j\ne y}\max(0,\, d - x_y + x_j)^p:\quad "
    r"\frac{\partial \ell}{\partial x_j} = \tfrac pC\max(0,\cdot)^{p-1},\quad "
    r"\frac{\partial \ell}{\partial x_y} = -\textstyle\sum_j",
)


@MULTI_MARGIN
def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
) -> Any:
    """``sum over wrong classes of max(0, margin - input[right] + input[wrong])**p``, divided by the classes.

    Args:
        input: scores, shape (N, C) or (C,).
        target: the right classes, int64, shape (N,) or ().
        p: 1 or 2.
        margin: how far a wrong class should stay below the right one.
        weight: one for each class, or None for 1.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: for shapes and dtypes that don't fit, and class numbers out of range.
        ValueError: for another ``p``, a weight that isn't 1-D, or an unknown reduction.
    """
    check_reduction(reduction)
    if p not in (1, 2):
        raise ValueError(f"only p == 1 and p == 2 supported\n  got: {p}")
    require_tensor("multi_margin_loss", "target", target)
    if weight is not None and weight._array.ndim != 1:
        raise ValueError(f"weight must be one-dimensional\n  got: shape {tuple(weight._array.shape)}")
    n, classes = _rows("multi_margin_loss", input)
    if target._array.ndim > 1 or target._array.size != n or (input._array.ndim == 2 and not target._array.ndim):
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size [{n}], but got {list(target._array.shape)}. Input has shape "
            f"{list(input._array.shape)}."
        )
    if weight is not None and weight._array.size != classes:
        raise RuntimeError(
            f"multi_margin_loss: inconsistent weight size, expected {classes} but got {list(weight._array.shape)}"
        )
    check_kernel("multi_margin_loss_cpu_kernel", input._dtype())
    _require_classes(target)
    if weight is not None and weight._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"expected scalar type {input._dtype()!r} but found {weight._dtype()!r}\n"
            "  operation: multi_margin_loss\n  fix: weight.to(input.dtype)"
        )
    m = input._backend
    column = target._array.reshape(n, 1)
    if m.device.type == "cpu" and n and not (column.min() >= 0 and column.max() < classes):
        raise RuntimeError(
            f"multi_margin_loss: target out of range\n  got: classes {int(column.min())} to {int(column.max())}\n"
            f"  expected: 0 to {classes - 1}"
        )
    right = column == m.arange(0, classes, 1, np.int64)
    d = input._array.dtype
    each = m.full((1, 1), 1 / classes, d) if weight is None else weight._array[column] / d.type(classes)
    rows = input.reshape(n, classes)
    loss = apply(MULTI_MARGIN, (rows, wrap(right, m), wrap(each, m)), (p, margin, reduction))
    return loss.reshape(target._array.shape) if reduction == "none" and not target._array.ndim else loss


def _require_classes(target: Any) -> None:
    if target._array.dtype != np.int64:
        raise RuntimeError(
            f"expected scalar type Long but found {target._dtype()!r}\n  expected: class numbers, int64\n"
            "  fix: target.long()"
        )


def _multilabel(m: Any, input: Any, index: Any, valid: Any, wanted: Any, reduction: str) -> Any:
    loss = m.sum(_pairs(m, input, index, valid, wanted), (1, 2)) / input.shape[1]
    return narrowed(m, reduced(m, loss, reduction), input)


def _pairs(m: Any, input: Any, index: Any, valid: Any, wanted: Any) -> Any:
    """For each right class (rows) and each wrong one (columns) by how much they come closer than 1."""
    n, classes = input.shape
    chosen = m.reshape(m.gather(input, 1, index), (n, classes, 1))
    over = 1 - chosen + m.reshape(input, (n, 1, classes))
    counts = (over > 0) & (m.reshape(valid, (n, classes, 1)) & ~m.reshape(wanted, (n, 1, classes)))
    return m.where(counts, over, over * 0)


def _multilabel_input(m: Any, g: Any, input: Any, index: Any, valid: Any, wanted: Any, reduction: str) -> Any:
    n, classes = input.shape
    g = share(g, reduction, n) * (1 / classes)
    if reduction == "none":
        g = m.reshape(g, (n, 1, 1))
    slope = m.sign(_pairs(m, input, index, valid, wanted)) * g
    return m.scatter_add(m.sum(slope, (1,)), 1, index, -m.sum(slope, (2,)))


MULTILABEL_MARGIN = Op(
    "multilabel_margin_loss",
    _multilabel,
    tensors=4,
    input=_multilabel_input,
    formula=r"\ell = \tfrac1C\sum_{j\in y}\sum_{i\notin y}\max(0,\, 1 - x_j + x_i):\quad "
    r"+\tfrac1C \text{ to } x_i,\ -\tfrac1C \text{ to } x_j \text{ for each pair that is too close}",
)


@MULTILABEL_MARGIN
def multilabel_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """``sum over pairs of max(0, 1 - input[right] + input[wrong])``, divided by the classes.

    Args:
        input: scores, shape (N, C) or (C,).
        target: in each row the right classes, int64, ended by -1; the shape of ``input``.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: for shapes and dtypes that don't fit, and class numbers out of range.
        ValueError: for an unknown reduction.
    """
    check_reduction(reduction)
    n, classes = _rows("multilabel_margin_loss", input)
    require_tensor("multilabel_margin_loss", "target", target)
    shape, got = tuple(input._array.shape), tuple(target._array.shape)
    if (got != shape) if len(shape) == 2 else (len(got) > 1 or target._array.size != classes):
        raise RuntimeError(f"inconsistent target size: {list(got)} for input of size: {list(shape)}")
    check_kernel("multilabel_margin_loss_forward_out_frame", input._dtype())
    m = input._backend
    rows = target._array.reshape(n, classes)
    if m.device.type == "cpu" and n and not (rows.min() >= -1 and rows.max() < classes):
        raise RuntimeError(
            f"argument #2 'target' is out of range\n  got: {rows.min()} to {rows.max()}\n"
            f"  expected: classes 0 to {classes - 1}, and -1 after the last"
        )
    _require_classes(target)
    valid = m.cumsum(m.astype(rows < 0, np.int64), 1) == 0
    index = m.where(valid, rows, rows * 0)
    wanted = m.scatter_add(m.zeros((n, classes), np.int64), 1, index, m.astype(valid, np.int64)) > 0
    constants = tuple(wrap(x, m) for x in (index, valid, wanted))
    loss = apply(MULTILABEL_MARGIN, (input.reshape(n, classes), *constants), (reduction,))
    return loss.reshape(()) if reduction == "none" and len(shape) < 2 else loss


# -- pairs ---


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    """``input`` where the target is 1, ``max(0, margin - input)`` where it is -1.

    Raises:
        RuntimeError: where the shapes don't broadcast.
        ValueError: for an unknown reduction.
    """
    check_reduction(reduction)
    require_tensor("hinge_embedding_loss", "input", input)
    require_tensor("hinge_embedding_loss", "target", target)
    near = where(target != -1, input, input * 0)
    far = (margin - input).clamp(min=0)
    return reduce_loss(where(target != 1, far, far * 0) + near, reduction)


def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """``max(0, -target * (input1 - input2) + margin)``: the first should be larger where the target is 1.

    Raises:
        RuntimeError: where the numbers of dimensions differ, or the shapes don't broadcast.
        ValueError: for an unknown reduction.
    """
    check_reduction(reduction)
    for name, x in (("input1", input1), ("input2", input2), ("target", target)):
        require_tensor("margin_ranking_loss", name, x)
    if not input1._array.ndim == input2._array.ndim == target._array.ndim:
        sizes = [f"{name}: torch.Size({list(x._array.shape)})" for name, x in
                 (("input1", input1), ("input2", input2), ("target", target))]  # fmt: skip
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: " + ", ".join(sizes)
        )
    return reduce_loss((-target * (input1 - input2) + float(margin)).clamp(min=0), reduction)


def cosine_embedding_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """``1 - cos(input1, input2)`` where the target is 1, ``max(0, cos(input1, input2) - margin)`` where it is -1.

    Args:
        input1: vectors, shape (N, D) or (D,).
        input2: the same.
        target: 1 or -1, shape (N,) or ().
        margin: the cosine below which dissimilar vectors cost nothing.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: where the shapes don't fit.
        ValueError: for an unknown reduction.
    """
    check_reduction(reduction)
    for name, x in (("input1", input1), ("input2", input2), ("target", target)):
        require_tensor("cosine_embedding_loss", name, x)
    dims = target._array.ndim
    if dims > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not input1._array.ndim == input2._array.ndim == dims + 1:
        raise RuntimeError(
            f"{dims}D target tensor expects {dims + 1}D input tensors, but found inputs with sizes "
            f"{list(input1._array.shape)} and {list(input2._array.shape)}."
        )
    tiny = 1e-12
    products, first, second = (sum_over(x, dims) for x in (input1 * input2, input1 * input1, input2 * input2))
    cosine = products / ((first + tiny) * (second + tiny)).sqrt()
    near, far = 1 - cosine, (cosine - margin).clamp(min=0)
    return reduce_loss(where(target == 1, near, near * 0) + where(target == -1, far, far * 0), reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` with the p-norm as distance.

    Args:
        anchor: vectors, shape (N, D) or (D,).
        positive: those that should be near.
        negative: those that should be far.
        margin: by how much farther.
        p: which norm.
        eps: added to the differences.
        swap: take the smaller of the negative's distances to anchor and positive.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: where the shapes don't fit.
        ValueError: for an unknown reduction.
    """
    check_reduction(reduction)
    dims = []
    for name, x in (("anchor", anchor), ("positive", positive), ("negative", negative)):
        require_tensor("triplet_margin_loss", name, x)
        dims.append(x._array.ndim)
    if len(set(dims)) != 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D inputs"
        )

    def distance(a: Any, b: Any) -> Any:
        return (a - b + eps).norm(p, -1)

    far = distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return reduce_loss((margin + distance(anchor, positive) - far).clamp(min=0), reduction)
