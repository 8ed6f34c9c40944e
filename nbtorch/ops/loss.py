"""Losses: how far a prediction is from its target, reduced to a mean or a sum."""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any

import numpy as np

from ..autograd.variable import Variable, wrap
from .activation import softplus
from .operands import broadcast_shapes, require_tensor
from .pointwise import where
from .record import Op, apply, check_same_device
from .reduction import log_softmax, mean
from .reduction import sum as sum_over

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "huber_loss", "kl_div", "l1_loss",
    "mse_loss", "nll_loss", "smooth_l1_loss",
]  # fmt: skip

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(reduction: str) -> None:
    """Raises the ValueError of PyTorch for an unknown reduction."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction\n  expected: one of {', '.join(REDUCTIONS)}")


def reduce_loss(loss: Any, reduction: str) -> Any:
    """The mean, the sum, or the losses themselves."""
    check_reduction(reduction)
    return mean(loss) if reduction == "mean" else sum_over(loss) if reduction == "sum" else loss


def _pair(function: str, input: Any, target: Any, warn: bool = True) -> None:
    """Checks a prediction and its target; differing shapes are nearly always a mistake, so PyTorch warns."""
    require_tensor(function, "input", input)
    require_tensor(function, "target", target)
    check_same_device(MSE, (input, target))
    a, b = tuple(input._array.shape), tuple(target._array.shape)
    if a != b:
        if warn:
            warnings.warn(
                f"Using a target size (torch.Size({list(b)})) that is different to the input size "
                f"(torch.Size({list(a)})). "
                "This will likely lead to incorrect results due to broadcasting. Please ensure they have the same "
                "size.",
                UserWarning,
                stacklevel=_stack_level(),
            )
        broadcast_shapes(function, a, b)


def _stack_level() -> int:
    """How far up the user's line is, so that the warning names it."""
    level, frame = 1, sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("nbtorch."):
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    return level


def _mse(m: Any, input: Any, target: Any, mean: bool) -> Any:
    d = m.sub(input, target)
    d = m.mul(d, d)
    return m.mean(d) if mean else m.sum(d)


def _mse_input(m: Any, g: Any, input: Any, target: Any, mean: bool) -> Any:
    d = input - target
    return d * (g * (2 / max(math.prod(d.shape), 1) if mean else 2))


MSE = Op(
    "mse_loss",
    _mse,
    tensors=2,
    input=_mse_input,
    target=lambda m, g, input, target, mean: -_mse_input(m, g, input, target, mean),
    formula=r"\frac{\partial}{\partial x_i}\frac1n\sum_j (x_j-y_j)^2 = \frac2n (x_i-y_i)",
)


@MSE
def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The squared difference, by default its mean.

    Warns:
        UserWarning: where the shapes differ, since (n, 1) against (n,) broadcasts to (n, n).
    """
    _pair("mse_loss", input, target)
    check_reduction(reduction)
    if reduction == "none" or input._array.dtype != target._array.dtype or input._array.dtype.kind != "f":
        d = input - target
        return reduce_loss(d * d, reduction)
    return apply(MSE, (input, target), (reduction == "mean",))


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The absolute difference, by default its mean."""
    _pair("l1_loss", input, target)
    return reduce_loss((input - target).abs(), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """Half the square over ``beta`` for differences below ``beta``, the difference less ``beta / 2`` above."""
    _pair("smooth_l1_loss", input, target)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return l1_loss(input, target, reduction)
    d = (input - target).abs()
    return reduce_loss(where(d < beta, d * d * (0.5 / beta), d - 0.5 * beta), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Half the square for differences below ``delta``, ``delta * (difference - delta / 2)`` above."""
    _pair("huber_loss", input, target)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    d = (input - target).abs()
    return reduce_loss(where(d <= delta, d * d * 0.5, (d - 0.5 * delta) * delta), reduction)


# -- classes ---


def _nll_parts(m: Any, like: Any, shape: Any, target: Any, weight: Any, ignore: int | None) -> tuple[Any, Any]:
    """The class of each row as a column, and the weight of each row; None where all weigh 1."""
    column = m.reshape(target, (target.shape[0], 1))
    counts = None
    if ignore is not None:
        valid = column != ignore
        column = m.where(valid, column, column * 0)
        counts = m.where(valid, m.new_zeros(like, ()) + 1, m.new_zeros(like, ()))
    if weight is not None:
        each = m.gather(m.expand(m.reshape(weight, (1, shape[1])), shape), 1, column)
        counts = each if counts is None else counts * each
    return column, counts


def _nll(m: Any, input: Any, target: Any, weight: Any, ignore: int | None, mean: bool) -> Any:
    column, counts = _nll_parts(m, input, input.shape, target, weight, ignore)
    picked = m.gather(input, 1, column)
    if counts is None:
        total = -m.sum(picked)
        return total / max(input.shape[0], 1) if mean else total
    # An ignored row may hold -inf, and 0 * inf would spoil the sum.
    total = -m.sum(m.where(counts == 0, m.new_zeros(input, ()), picked * counts))
    return total / m.sum(counts) if mean else total


def _nll_input(m: Any, g: Any, target: Any, weight: Any, ignore: int | None, mean: bool, shape: Any) -> Any:
    column, counts = _nll_parts(m, g, shape, target, weight, ignore)
    if counts is None:
        each = m.expand(m.reshape(g * (-1 / max(shape[0], 1) if mean else -1), (1, 1)), column.shape)
    else:
        each = counts * -(g / m.sum(counts) if mean else g)
    return m.scatter_add(m.new_zeros(g, shape), 1, column, each)


NLL = Op(
    "nll_loss",
    _nll,
    tensors=3,
    node="NllLossBackward0",
    input=_nll_input,
    formula=r"\frac{\partial L}{\partial \log p_{nc}} = -\frac{w_c}{\sum_n w_{y_n}}\,[c = y_n]",
)


@NLL
def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """The negative log-probability of the target class, weighted; the mean is over the weights that counted.

    Args:
        input: log-probabilities, shape (N, C, ...) or (C).
        target: class numbers, int64, shape (N, ...) or ().
        weight: one for each class, or None for 1.
        ignore_index: targets that don't count.

    Raises:
        IndexError: for a class number outside [0, C).
        RuntimeError: for targets that are not int64.
        ValueError: for batch sizes that differ, or an unknown reduction.
    """
    check_reduction(reduction)
    _check_classes("nll_loss", input, target, ignore_index)
    _check_class_weight("nll_loss", input, weight)
    if input._array.ndim == 1:
        loss = nll_loss(input.reshape(1, -1), target.reshape(1), weight, ignore_index, reduction)
        return loss.reshape(()) if reduction == "none" else loss
    if input._array.ndim == 2 and reduction != "none":
        # Where nothing is ignored, the shorter sum; on a device that can't be known without waiting for it.
        ignore = ignore_index if _ignores(target, ignore_index) else None
        w = weight if weight is None else weight.to(input._dtype())
        return apply(NLL, (input, target, w), (ignore, reduction == "mean"))
    valid = target != ignore_index
    safe = where(valid, target, target * 0)
    picked = input.gather(1, safe.unsqueeze(1)).squeeze(1)
    w = valid.to(input._dtype()) if weight is None else weight.to(input._dtype())[safe] * valid
    loss = where(valid, -picked * w, wrap(input._backend.zeros((), input._array.dtype), input._backend))
    return sum_over(loss) / sum_over(w) if reduction == "mean" else reduce_loss(loss, reduction)


def _check_class_weight(function: str, input: Any, weight: Any) -> None:
    if weight is None:
        return
    require_tensor(function, "weight", weight)
    classes = input._array.shape[min(1, input._array.ndim - 1)]
    if tuple(weight._array.shape) != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {list(weight._array.shape)}\n  operation: {function}"
        )


def _check_classes(function: str, input: Any, target: Any, ignore_index: int) -> None:
    require_tensor(function, "input", input)
    require_tensor(function, "target", target)
    check_same_device(MSE, (input, target))
    shape, expected = tuple(input._array.shape), tuple(target._array.shape)
    if target._array.dtype != np.int64:
        raise RuntimeError(
            f"expected scalar type Long but found {target._dtype()!r}\n  operation: {function}\n"
            "  expected: the number of the right class for each row, int64\n  fix: target.long()"
        )
    if not shape:
        raise ValueError(f"{function}: Expected 1 or more dimensions (got 0)")
    if len(shape) == 1 and expected != ():
        raise ValueError(f"{function}: for an input of shape {shape} expected a target of shape (), got {expected}")
    if len(shape) > 1:
        if not expected or expected[0] != shape[0]:
            raise ValueError(
                f"Expected input batch_size ({shape[0]}) to match target batch_size "
                f"({expected[0] if expected else 'none: it is 0-d'}).\n"
                f"  operation: {function} on an input of shape {shape}: one class number for each row"
            )
        if expected[1:] != shape[2:]:
            raise RuntimeError(
                f"Expected target size {[shape[0], *shape[2:]]}, got {list(expected)}\n"
                f"  operation: {function} on an input of shape {shape}: dimension 1 holds the classes"
            )
    array = target._array
    if target._backend.device.type == "cpu" and array.size:
        wrong = (array != ignore_index) & ((array < 0) | (array >= shape[min(1, len(shape) - 1)]))
        if wrong.any():
            raise IndexError(
                f"Target {int(array[wrong].flat[0])} is out of bounds.\n"
                f"  expected: classes 0 to {shape[min(1, len(shape) - 1)] - 1}, or ignore_index={ignore_index}\n"
                "  fix: number the classes from 0, or give the last layer one output for each class"
            )


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """``nll_loss(log_softmax(input))``: raw scores (logits) against classes or class probabilities.

    Args:
        input: logits, shape (N, C, ...) or (C).
        target: class numbers (int64, shape (N, ...)), or probabilities (floating, the shape of ``input``).
        weight: one for each class, or None for 1.
        ignore_index: class numbers that don't count.
        label_smoothing: this share of the probability is spread over all classes.

    Raises:
        IndexError: for a class number outside [0, C).
        RuntimeError: for a target of the wrong dtype or shape, and for smoothing outside [0, 1].
        ValueError: for batch sizes that differ, or an unknown reduction.
    """
    check_reduction(reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(
            f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}\n"
            "  expected: the share of probability to spread"
        )
    require_tensor("cross_entropy", "input", input)
    require_tensor("cross_entropy", "target", target)
    _check_class_weight("cross_entropy", input, weight)
    if input._array.shape == target._array.shape and target._array.dtype.kind == "f":
        return _probability_cross_entropy(input, target, weight, reduction, label_smoothing)
    if target._array.dtype.kind == "f":
        raise RuntimeError(
            f"expected scalar type Long but found {target._dtype()!r}\n  operation: cross_entropy\n"
            f"  expected: class numbers (int64), or probabilities of the input's shape {tuple(input._array.shape)}\n"
            f"  got: floating targets of shape {tuple(target._array.shape)}\n"
            "  fix: target.long() for class numbers, F.one_hot(target, num_classes).float() for probabilities"
        )
    _check_classes("cross_entropy", input, target, ignore_index)
    dim = 0 if input._array.ndim == 1 else 1
    log_p = log_softmax(input, dim)
    loss = nll_loss(log_p, target, weight, ignore_index, reduction)
    if not label_smoothing:
        return loss
    # The smoothed part: the mean of -log p over all classes, with the same weights and the same rows ignored.
    valid = target != ignore_index
    w = None if weight is None else weight.reshape([-1] + [1] * (input._array.ndim - 1 - dim))
    spread = sum_over(-log_p if w is None else -log_p * w, dim)
    spread = where(valid, spread, spread * 0)
    if reduction == "mean":
        safe = where(valid, target, target * 0)
        count = sum_over(valid) if weight is None else sum_over(weight[safe] * valid)
        spread = sum_over(spread) / count
    elif reduction == "sum":
        spread = sum_over(spread)
    classes = input._array.shape[dim]
    return loss * (1 - label_smoothing) + spread * (label_smoothing / classes)


def _ignores(target: Variable, ignore_index: int) -> bool:
    """Whether a row may have to be left out; on a device this can't be known without waiting for it."""
    if target._backend.device.type != "cpu":
        return True
    return (not ignore_index >= 0 and bool((target._array < 0).any())) or bool(
        ignore_index >= 0 and (target._array == ignore_index).any()
    )


def _probability_cross_entropy(input: Any, target: Any, weight: Any, reduction: str, label_smoothing: float) -> Any:
    dim = 0 if input._array.ndim == 1 else 1
    classes = input._array.shape[dim]
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    log_p = log_softmax(input, dim)
    if weight is not None:
        log_p = log_p * weight.reshape([-1] + [1] * (input._array.ndim - 1 - dim))
    loss = -sum_over(log_p * target, dim)
    if reduction == "mean":
        return sum_over(loss) / max(math.prod(loss._array.shape), 1)
    return reduce_loss(loss, reduction)


# -- two classes ---


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """``-(y log p + (1 - y) log(1 - p))`` for probabilities p; each logarithm is kept above -100.

    Raises:
        RuntimeError: for a probability outside [0, 1].
        ValueError: where the shapes differ.
    """
    require_tensor("binary_cross_entropy", "input", input)
    require_tensor("binary_cross_entropy", "target", target)
    if input._array.shape != target._array.shape:
        raise ValueError(
            f"Using a target size ({_size(target)}) that is different to the input size ({_size(input)}) is "
            "deprecated. "
            "Please ensure they have the same size."
        )
    p = input._array
    if input._backend.device.type == "cpu" and p.size and not (p.min() >= 0 and p.max() <= 1):
        raise RuntimeError(
            "all elements of input should be between 0 and 1\n"
            f"  got: values from {float(p.min()):.4g} to {float(p.max()):.4g}\n"
            "  fix: apply sigmoid first, or use binary_cross_entropy_with_logits on the raw scores"
        )
    loss = apply(BCE, (input, target))
    return reduce_loss(loss if weight is None else loss * weight, reduction)


BCE = Op(
    "binary_cross_entropy",
    lambda m, input, target: (
        -(target * m.clamp(m.log(input), -100, None) + (1 - target) * m.clamp(m.log1p(-input), -100, None))
    ),
    tensors=2,
    # The denominator is kept from 0 as PyTorch keeps it.
    input=lambda m, g, input, target: g * (input - target) / m.clamp(input * (1 - input), 1e-12, None),
    target=lambda m, g, input: g * (m.log1p(-input) - m.log(input)),
    formula=r"\frac{\partial L}{\partial p} = \frac{p-y}{p\,(1-p)}",
)
BCE(binary_cross_entropy)


def _size(x: Any) -> str:
    return f"torch.Size({list(x._array.shape)})"


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """``binary_cross_entropy(sigmoid(input), target)`` without overflow; ``pos_weight`` multiplies the positive part.

    Raises:
        ValueError: where the shapes differ.
    """
    require_tensor("binary_cross_entropy_with_logits", "input", input)
    require_tensor("binary_cross_entropy_with_logits", "target", target)
    if input._array.shape != target._array.shape:
        raise ValueError(
            f"Target size ({_size(target)}) must be the same as input size ({_size(input)})\n"
            "  fix: target.view_as(input), or take the last dimension of the logits away with squeeze(-1)"
        )
    if pos_weight is None:
        loss = apply(BCE_LOGITS, (input, target))
    else:
        w = target * (pos_weight - 1) + 1
        # log(1 + exp(-x)) without a threshold: softplus switches to the identity where the two agree in float32 only.
        loss = input * (1 - target) + w * softplus(-input, threshold=40.0)
    return reduce_loss(loss if weight is None else loss * weight, reduction)


BCE_LOGITS = Op(
    "binary_cross_entropy_with_logits",
    lambda m, input, target: m.maximum(input, 0) - input * target + m.log1p(m.exp(-m.abs(input))),
    tensors=2,
    node="BinaryCrossEntropyWithLogitsBackward0",
    input=lambda m, g, input, target: g * (m.sigmoid(input) - target),
    target=lambda g, input: -(g * input),
    formula=r"\frac{\partial L}{\partial z} = \sigma(z) - y",
)
BCE_LOGITS(binary_cross_entropy_with_logits)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """``target * (log target - input)``, where ``input`` holds log-probabilities; ``batchmean`` divides by the batch.

    Raises:
        ValueError: for an unknown reduction.
    """
    if log_target:
        loss = target.exp() * (target - input)
    else:
        # 0 log 0 is 0
        loss = where(target > 0, target * (where(target > 0, target, target * 0 + 1).log() - input), target * 0)
    if reduction == "batchmean":
        return sum_over(loss) / max(loss._array.shape[0] if loss._array.ndim else 1, 1)
    return reduce_loss(loss, reduction)
