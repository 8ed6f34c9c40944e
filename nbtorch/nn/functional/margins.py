"""The losses that ask for a margin, with PyTorch's older ways to say ``reduction``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import ops
from ...ops.loss import check_reduction, reduce_loss
from ...tensor import Tensor
from ..reduction import resolve_reduction

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``log(1 + exp(-target · input))`` for targets of 1 and -1; see :class:`nbtorch.nn.SoftMarginLoss`."""
    return ops.soft_margin_loss(input, target, resolve_reduction(reduction, size_average, reduce))  # type: ignore[no-any-return]


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The hinge loss of scores and right classes; see :class:`nbtorch.nn.MultiMarginLoss`."""
    reduction = resolve_reduction(reduction, size_average, reduce)
    return ops.multi_margin_loss(input, target, p, margin, weight, reduction)  # type: ignore[no-any-return]


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The hinge loss of every right class against every wrong one; see :class:`nbtorch.nn.MultiLabelMarginLoss`."""
    return ops.multilabel_margin_loss(input, target, resolve_reduction(reduction, size_average, reduce))  # type: ignore[no-any-return]


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The binary cross-entropy of logits, averaged over the classes, the last dimension.

    Raises:
        ValueError: for an unknown reduction.
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    check_reduction(reduction)
    loss = -(target * ops.logsigmoid(input) + (1 - target) * ops.logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduce_loss(loss.sum(-1) / input.size(-1), reduction)  # type: ignore[no-any-return]


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Distances where the target is 1, ``max(0, margin - distance)`` where it is -1."""
    return ops.hinge_embedding_loss(input, target, margin, resolve_reduction(reduction, size_average, reduce))  # type: ignore[no-any-return]


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, -target · (input1 - input2) + margin)``; see :class:`nbtorch.nn.MarginRankingLoss`."""
    reduction = resolve_reduction(reduction, size_average, reduce)
    return ops.margin_ranking_loss(input1, input2, target, margin, reduction)  # type: ignore[no-any-return]


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Whether vectors point the same way, as the target says; see :class:`nbtorch.nn.CosineEmbeddingLoss`."""
    reduction = resolve_reduction(reduction, size_average, reduce)
    return ops.cosine_embedding_loss(input1, input2, target, margin, reduction)  # type: ignore[no-any-return]


def _require_margin(margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)``; see :class:`nbtorch.nn.TripletMarginLoss`.

    Raises:
        ValueError: unless the margin is positive.
        RuntimeError: where the shapes don't fit.
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    _require_margin(margin)
    return ops.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction)  # type: ignore[no-any-return]


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """:func:`triplet_margin_loss` with a distance of one's own.

    Raises:
        ValueError: unless the margin is positive, and for an unknown reduction.
        RuntimeError: where the numbers of dimensions differ.
    """
    check_reduction(reduction)
    _require_margin(margin)
    if distance_function is None:
        return ops.triplet_margin_loss(anchor, positive, negative, margin, 2.0, 1e-6, swap, reduction)  # type: ignore[no-any-return]
    dims = anchor.ndim, positive.ndim, negative.ndim
    if len(set(dims)) != 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D inputs"
        )
    far: Any = distance_function(anchor, negative)
    if swap:
        far = far.minimum(distance_function(positive, negative))
    loss: Any = (margin + distance_function(anchor, positive) - far).clamp(min=0)
    return reduce_loss(loss, reduction)  # type: ignore[no-any-return]
