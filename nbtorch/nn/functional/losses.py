"""The losses, with PyTorch's older ways to say ``reduction``, and the checks whose messages say how to go on."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ... import ops
from ...autograd import no_grad
from ...ops import ctc_loss
from ...ops.loss import reduce_loss
from ...tensor import Tensor, full_like
from ..reduction import resolve_reduction

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "ctc_loss", "gaussian_nll_loss",
    "huber_loss", "kl_div", "l1_loss", "linear_cross_entropy", "mse_loss", "nll_loss", "poisson_nll_loss",
    "smooth_l1_loss",
]  # fmt: skip


def _weighted(errors: Tensor, weight: Tensor, reduction: str, input: Tensor) -> Tensor:
    """The reduction of weighted errors; their mean is over the sum of the weights."""
    _check_weight(weight, input)
    weighted = errors * weight
    return weighted.sum() / weight.sum() if reduction == "mean" else reduce_loss(weighted, reduction)


def _check_weight(weight: Tensor, input: Tensor) -> None:
    if weight.shape != input.shape:
        raise ValueError(
            f"Weights and input must have the same size: got {tuple(weight.shape)} and {tuple(input.shape)}."
        )


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The mean (or sum, or each) of ``(input - target)²``, if wanted weighted; shapes that differ are warned of."""
    if size_average is not None or reduce is not None:
        reduction = resolve_reduction(reduction, size_average, reduce)
    if weight is not None:
        return _weighted(ops.mse_loss(input, target, "none"), weight, reduction, input)
    return ops.mse_loss(input, target, reduction)  # type: ignore[no-any-return]


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The mean (or sum, or each) of ``|input - target|``, if wanted weighted; shapes that differ are warned of."""
    reduction = resolve_reduction(reduction, size_average, reduce)
    if weight is not None:
        return _weighted(ops.l1_loss(input, target, "none"), weight, reduction, input)
    return ops.l1_loss(input, target, reduction)  # type: ignore[no-any-return]


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """``d² / (2·beta)`` where ``|d| < beta``, else ``|d| - beta/2``; shapes that differ are warned of.

    Raises:
        RuntimeError: if ``beta`` is negative.
    """
    return ops.smooth_l1_loss(input, target, resolve_reduction(reduction, size_average, reduce), beta)  # type: ignore[no-any-return]


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """``d² / 2`` where ``|d| ≤ delta``, else ``delta · (|d| - delta/2)``; shapes that differ are warned of.

    Raises:
        RuntimeError: unless ``delta`` is positive.
    """
    if not isinstance(delta, (int, float)):
        raise TypeError(f"huber_loss(): argument 'delta' (position 4) must be float, not {type(delta).__name__}")
    if weight is None:
        return ops.huber_loss(input, target, reduction, delta)  # type: ignore[no-any-return]
    _check_weight(weight, input)
    return reduce_loss(ops.huber_loss(input, target, "none", delta) * weight, reduction)  # type: ignore[no-any-return]


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-probability ``input`` of the right class ``target``; see :class:`nbtorch.nn.NLLLoss`."""
    return ops.nll_loss(input, target, weight, ignore_index, resolve_reduction(reduction, size_average, reduce))  # type: ignore[no-any-return]


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross-entropy of logits and classes, or probabilities; see :class:`nbtorch.nn.CrossEntropyLoss`."""
    reduction = resolve_reduction(reduction, size_average, reduce)
    return ops.cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)  # type: ignore[no-any-return]


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-(t · log(x) + (1-t) · log(1-x))``, where the logarithms are at least -100.

    Raises:
        ValueError: if the shapes differ.
        RuntimeError: if a value of the input is not between 0 and 1.
    """
    return ops.binary_cross_entropy(input, target, weight, resolve_reduction(reduction, size_average, reduce))  # type: ignore[no-any-return]


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """The binary cross-entropy of ``sigmoid(input)``, without overflow.

    Raises:
        ValueError: if the shapes differ.
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    return ops.binary_cross_entropy_with_logits(input, target, weight, reduction, pos_weight)  # type: ignore[no-any-return]


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """``target · (log target - input)``; see :class:`nbtorch.nn.KLDivLoss`."""
    reduction = resolve_reduction(reduction, size_average, reduce)
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' "
            "divides only by the batch size, and aligns with the KL div math definition.",
            stacklevel=2,
        )
    return ops.kl_div(input, target, reduction, log_target)  # type: ignore[no-any-return]


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-likelihood of counts; see :class:`nbtorch.nn.PoissonNLLLoss`."""
    reduction = resolve_reduction(reduction, size_average, reduce)
    return ops.poisson_nll_loss(input, target, log_input, full, eps, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-likelihood under normal distributions; see :class:`nbtorch.nn.GaussianNLLLoss`.

    Raises:
        ValueError: if a variance is negative, or its shape does not fit.
    """
    variance: Any = var if isinstance(var, Tensor) else full_like(input.detach(), var)
    if (variance < 0).any():
        raise ValueError("var has negative entry/entries")
    if variance.shape != input.shape:
        sizes, wanted = tuple(variance.shape), tuple(input.shape)
        if sizes == wanted[:-1]:
            variance = variance.unsqueeze(-1)
        elif len(sizes) != len(wanted) or sum(v for v, n in zip(sizes, wanted, strict=True) if v != n) != 1:
            raise ValueError(f"var is of incorrect size: got {sizes} for an input of {wanted}")
    variance = variance.clone()
    with no_grad():
        variance.clamp_(min=eps)
    errors = 0.5 * (variance.log() + (input - target) ** 2 / variance)
    return reduce_loss(errors + 0.5 * math.log(2 * math.pi) if full else errors, reduction)  # type: ignore[no-any-return]


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """The cross-entropy of ``linear(input, linear_weight, linear_bias)`` and a target.

    Args:
        input: ``(N, features)`` or ``(features,)``.
        linear_weight: ``(C, features)``, or ``(C, d1, …, features)`` for losses of several dimensions.
        target: class numbers ``(N, d1, …)``, or probabilities ``(N, C, d1, …)``.
        linear_bias: ``(C, d1, …)``.
        weight: ``(C,)``, the weight of each class.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        ignore_index: class numbers that don't count.
        label_smoothing: the part of the target that is spread evenly over all classes.
        options: how PyTorch cuts the batch to save memory; accepted, and the whole batch is computed at once.

    Raises:
        RuntimeError: where shapes don't fit.
    """
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}")
    features = input.size(-1)
    if features != linear_weight.size(-1):
        raise RuntimeError(
            f"expected equal input and linear_weight last dimensions (in_features), got {features} and "
            f"{linear_weight.size(-1)}, respectively"
        )
    outputs, batch = tuple(linear_weight.shape)[:-1], tuple(input.shape)[:-1]
    if linear_bias is not None and tuple(linear_bias.shape) != outputs:
        raise RuntimeError(f"expected linear_bias shape {outputs}, got {tuple(linear_bias.shape)}")
    if len(outputs) > 1 and not batch:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} requires batched input, "
            f"(N, {features}), got unbatched input with shape {tuple(input.shape)}"
        )
    if tuple(target.shape) == (*batch, *outputs) and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    logits = ops.linear(
        input,
        linear_weight.reshape(math.prod(outputs), features),
        None if linear_bias is None else linear_bias.reshape(-1),
    )
    if len(outputs) > 1:
        logits = logits.reshape(*batch, *outputs)
    ignored = -100 if ignore_index is None else ignore_index
    return ops.cross_entropy(logits, target, weight, ignored, reduction, label_smoothing)  # type: ignore[no-any-return]
