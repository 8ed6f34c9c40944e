"""Losses of classes: the log-probability of the right class, of one in many or of yes and no."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import Variable
from ..backends.dtypes import int64
from .conversion import narrowed, to_dtype, widened
from .loss import check_kernel, check_reduction, reduce_loss, reduced, share
from .operands import broadcast_shapes, require_tensor, result_type
from .pointwise import where
from .record import Op, apply, check_same_device
from .reduction import log_softmax
from .reduction import sum as sum_over

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "nll_loss"]


def _nll_parts(m: Any, like: Any, shape: Any, target: Any, weight: Any, ignore: int | None) -> tuple[Any, ...]:
    """The class of each sample, which samples count (None for all), and what each weighs (None for 1)."""
    column = m.reshape(target, (shape[0], 1, *shape[2:]))
    valid = each = None
    if ignore is not None:
        valid = column != ignore
        column = m.where(valid, column, column * 0)
    if weight is not None:
        each = m.gather(m.expand(m.reshape(weight, (1, shape[1]) + (1,) * (len(shape) - 2)), shape), 1, column)
    if valid is not None:
        zero = m.new_zeros(like, ())
        each = m.where(valid, zero + 1 if each is None else each, zero)
    return column, valid, each


def _nll(m: Any, input: Any, target: Any, weight: Any, ignore: int | None, reduction: str) -> Any:
    if weight is None and ignore is None and input.ndim == 2:
        picked = m.pick(input, target)
        return -(picked if reduction == "none" else m.sum(picked) if reduction == "sum" else m.mean(picked))
    column, valid, each = _nll_parts(m, input, input.shape, target, weight, ignore)
    loss = -m.gather(input, 1, column)
    if each is not None:
        loss = loss * each
        if valid is not None:
            # A sample that doesn't count may hold -inf, and 0 * inf would spoil the sum.
            loss = m.where(valid, loss, each)
    if reduction == "none":
        return m.reshape(loss, (input.shape[0], *input.shape[2:]))
    total = m.sum(loss)
    if reduction == "sum":
        return total
    # Of no samples, or none that counts, the mean is 0 / 0.
    return m.mean(loss) if each is None else narrowed(m, total / m.sum(each), input)


def _nll_input(m: Any, g: Any, target: Any, weight: Any, ignore: int | None, reduction: str, shape: Any) -> Any:
    if weight is None and ignore is None and len(shape) == 2 and not isinstance(g, Variable):
        return m.pick_backward(-share(g, reduction, shape[0]), target, shape)
    column, valid, each = _nll_parts(m, g, shape, target, weight, ignore)
    if reduction == "none":
        g = m.reshape(g, column.shape)
    elif reduction == "mean":
        g = share(g, reduction, math.prod(column.shape)) if each is None else g / m.sum(each)
    each = m.expand(-g, column.shape) if each is None else each * -g
    if valid is not None:
        # Nothing for what doesn't count, even where nothing counts and the loss is NaN.
        each = m.where(valid, each, m.new_zeros(each, ()))
    return m.scatter_add(m.new_zeros(g, shape), 1, column, each)


_NLL_FORMULA = r"\frac{\partial L}{\partial \log p_{nc}} = -\frac{w_c}{\sum_n w_{y_n}}\,[c = y_n]"

NLL = Op(
    "nll_loss",
    _nll,
    tensors=3,
    node="NllLossBackward0",
    input=_nll_input,
    formula=_NLL_FORMULA,
)
NLL_2D = Op(
    "nll_loss2d",
    lambda m, input, target, weight, ignore, reduction: _nll(m, input, target, weight, ignore, reduction),
    tensors=3,
    node="NllLoss2DBackward0",
    input=_nll_input,
    formula=_NLL_FORMULA,
)


@NLL
def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """The negative log-probability of the target class, weighted; the mean is over the weights that counted.

    Args:
        input: log-probabilities, shape (N, C, ...) or (C).
        target: class numbers, int64 or uint8, shape (N, ...) or ().
        weight: one for each class, or None for 1.
        ignore_index: targets that don't count.

    Raises:
        IndexError: for a class number outside [0, C).
        RuntimeError: for targets that are neither int64 nor uint8.
        ValueError: for batch sizes that differ, or an unknown reduction.
    """
    check_reduction(reduction)
    ignore = _check_classes("nll_loss", input, target, ignore_index)
    _check_class_weight("nll_loss", input, weight)
    check_kernel("nll_loss_out_frame", input._dtype())
    return _checked_nll(input, target, weight, ignore, reduction)


def _checked_nll(input: Any, target: Any, weight: Any, ignore: int | None, reduction: str) -> Any:
    if target._array.dtype != np.int64:
        target = to_dtype(target, int64)
    if input._array.ndim == 1:
        loss = _checked_nll(input.reshape(1, -1), target.reshape(1), weight, ignore, reduction)
        return loss.reshape(()) if reduction == "none" else loss
    return apply(NLL if input._array.ndim == 2 else NLL_2D, (input, target, weight), (ignore, reduction))


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
    if weight._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"expected scalar type {input._dtype()!r} but found {weight._dtype()!r}\n  operation: {function}: the "
            "weights have the dtype of the input\n  fix: weight.to(input.dtype)"
        )


def _check_classes(function: str, input: Any, target: Any, ignore_index: int) -> int | None:
    """Checks class numbers; gives ``ignore_index`` where it may be among them, else None.

    Where nothing is ignored the sum is shorter; on a device that can't be known without waiting for it.
    """
    require_tensor(function, "input", input)
    require_tensor(function, "target", target)
    check_same_device(NLL, (input, target))
    shape, expected = tuple(input._array.shape), tuple(target._array.shape)
    if not shape:
        raise ValueError(f"Expected 1 or more dimensions (got 0)\n  operation: {function}")
    if len(shape) == 1 and expected not in ((), (1,)):
        raise ValueError(
            f"Expected input batch_size (1) to match target batch_size ({expected[0]}).\n"
            f"  operation: {function} on an input of shape {shape}: one class number, of shape ()"
        )
    if len(shape) > 1:
        if not expected or expected[0] != shape[0]:
            raise ValueError(
                f"Expected input batch_size ({shape[0]}) to match target batch_size "
                f"({expected[0] if expected else 'none: it is 0-d'}).\n"
                f"  operation: {function} on an input of shape {shape}: one class number for each row"
            )
        if expected[1:] != shape[2:]:
            raise RuntimeError(
                "0D or 1D target tensor expected, multi-target not supported\n"
                f"  operation: {function} on shapes {shape} and {expected}"
                if len(shape) == 2
                else f"Expected target size {[shape[0], *shape[2:]]}, got {list(expected)}\n"
                f"  operation: {function} on an input of shape {shape}: dimension 1 holds the classes"
            )
    if target._array.dtype not in (np.int64, np.uint8):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {target._dtype()!r}\n  operation: {function}\n"
            "  expected: the number of the right class for each row, int64\n  fix: target.long()"
        )
    array = target._array
    if target._backend.device.type != "cpu":
        return ignore_index
    if not array.size:
        return None
    # Compared as they are: a captured step repeats the comparisons, and would be held to numbers read from arrays.
    classes, low, high = shape[min(1, len(shape) - 1)], array.min(), array.max()
    if low >= 0 and high < classes:
        return ignore_index if low <= ignore_index <= high and (array == ignore_index).any() else None
    wrong = (array != ignore_index) & ((array < 0) | (array >= classes))
    if wrong.any():
        raise IndexError(
            f"Target {int(array[wrong].flat[0])} is out of bounds.\n"
            f"  expected: classes 0 to {classes - 1}, or ignore_index={ignore_index}\n"
            "  fix: number the classes from 0, or give the last layer one output for each class"
        )
    return ignore_index


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
    if input._array.shape == target._array.shape:
        if not target._dtype().is_floating_point:
            raise RuntimeError(
                f"Expected floating point type for target with class probabilities, got {target._dtype()!r}\n"
                f"  operation: cross_entropy on two tensors of shape {tuple(input._array.shape)}\n"
                "  expected: class numbers without the dimension of the classes, or probabilities"
            )
        _check_class_weight("cross_entropy", input, weight)
        if ignore_index >= 0:
            raise RuntimeError(
                "ignore_index is not supported for floating point target\n"
                f"  got: ignore_index={ignore_index} and class probabilities"
            )
        return _probability_cross_entropy(input, target, weight, reduction, label_smoothing)
    if target._array.dtype.kind == "f" and target._array.shape[:1] == input._array.shape[:1]:
        raise RuntimeError(
            f"expected scalar type Long but found {target._dtype()!r}\n  operation: cross_entropy\n"
            f"  expected: class numbers (int64), or probabilities of the input's shape {tuple(input._array.shape)}\n"
            f"  got: floating targets of shape {tuple(target._array.shape)}\n"
            "  fix: target.long() for class numbers, F.one_hot(target, num_classes).float() for probabilities"
        )
    check_kernel("log_softmax_lastdim_kernel_impl", input._dtype())
    ignore = _check_classes("cross_entropy", input, target, ignore_index)
    _check_class_weight("cross_entropy", input, weight)
    dim = 0 if input._array.ndim == 1 else 1
    log_p = log_softmax(input, dim)
    loss = _checked_nll(log_p, target, weight, ignore, reduction)
    if not label_smoothing:
        return loss
    # The smoothed part: the mean of -log p over all classes, with the same weights and the same rows ignored.
    if target._array.shape and input._array.ndim == 1:
        target = target.reshape(())
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
        return sum_over(loss) / math.prod(loss._array.shape)
    return reduce_loss(loss, reduction)


# -- two classes ---


def _size(x: Any) -> str:
    return f"torch.Size({list(x._array.shape)})"


def _check_factor(function: str, input: Any, *factors: Any) -> None:
    """What multiplies a loss may be broadcast to it, not the other way round."""
    shape = tuple(input._array.shape)
    for factor in factors:
        if factor is not None:
            require_tensor(function, "weight", factor)
            wide = broadcast_shapes(function, shape, tuple(factor._array.shape))
            if wide != shape:
                raise RuntimeError(
                    f"output with shape {list(shape)} doesn't match the broadcast shape {list(wide)}\n"
                    f"  operation: {function}, with a weight of shape {tuple(factor._array.shape)}"
                )


def _bce_each(m: Any, input: Any, target: Any) -> Any:
    return -(target * m.clamp(m.log(input), -100, None) + (1 - target) * m.clamp(m.log1p(-input), -100, None))


def _bce(m: Any, input: Any, target: Any, weight: Any, reduction: str) -> Any:
    loss = _bce_each(m, widened(m, input), widened(m, target))
    return narrowed(m, reduced(m, loss if weight is None else loss * weight, reduction), input)


def _bce_inputs(m: Any, g: Any, input: Any, target: Any, weight: Any, reduction: str, needs: Any) -> tuple[Any, ...]:
    g = share(g, reduction, math.prod(input.shape))
    h = g if weight is None else g * weight
    return (
        # The denominator is kept from 0 as PyTorch keeps it.
        h * (input - target) / m.clamp(input * (1 - input), 1e-12, None) if needs[0] else None,
        h * (m.log1p(-input) - m.log(input)) if needs[1] else None,
        g * _bce_each(m, input, target) if needs[2] else None,
    )


BCE = Op(
    "binary_cross_entropy",
    _bce,
    tensors=3,
    joint=_bce_inputs,
    formula=r"\frac{\partial L}{\partial p} = \frac{p-y}{p\,(1-p)}",
)


@BCE
def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """``-(y log p + (1 - y) log(1 - p))`` for probabilities p; each logarithm is kept above -100.

    Raises:
        RuntimeError: for a probability outside [0, 1], and for a target of another dtype.
        ValueError: where the shapes differ, or for an unknown reduction.
    """
    require_tensor("binary_cross_entropy", "input", input)
    require_tensor("binary_cross_entropy", "target", target)
    check_reduction(reduction)
    if input._array.shape != target._array.shape:
        raise ValueError(
            f"Using a target size ({_size(target)}) that is different to the input size ({_size(input)}) is "
            "deprecated. "
            "Please ensure they have the same size."
        )
    check_kernel("binary_cross_entropy", input._dtype())
    if target._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"Found dtype {target._dtype()!r} but expected {input._dtype()!r}\n"
            "  operation: binary_cross_entropy: the target has the dtype of the input\n  fix: target.to(input.dtype)"
        )
    _check_factor("binary_cross_entropy", input, weight)
    if input._backend.device.type == "cpu" and input._array.size:
        for name, x in (("input", input._array), ("target", target._array)):
            if not (x.min() >= 0 and x.max() <= 1):
                raise RuntimeError(
                    f"all elements of {name} should be between 0 and 1\n"
                    f"  got: values from {float(x.min()):.4g} to {float(x.max()):.4g}\n"
                    "  fix: apply sigmoid first, or use binary_cross_entropy_with_logits on the raw scores"
                )
    return apply(BCE, (input, target, weight), (reduction,))


def _logits_each(m: Any, input: Any, target: Any, pos_weight: Any) -> Any:
    if pos_weight is None:
        return m.clamp(input, 0, None) - input * target + m.log1p(m.exp(-m.abs(input)))
    # softplus(-x) is -log sigmoid(x); from 40 on it is x itself, to the last bit of float64.
    return input * (1 - target) + (target * (pos_weight - 1) + 1) * m.softplus(-input, 1, 40)


def _logits(m: Any, input: Any, target: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    if input.dtype.itemsize < 4:
        # Half precision is rounded after each step, where PyTorch rounds.
        part = narrowed(m, narrowed(m, 1 - target, input) * input, input)
        log_p = narrowed(m, m.softplus(widened(m, -input), 1, 40), input)
        if pos_weight is not None:
            log_p = narrowed(m, narrowed(m, narrowed(m, pos_weight - 1, input) * target + 1, input) * log_p, input)
        loss = narrowed(m, part + log_p, input)
        loss = loss if weight is None else loss * weight
    else:
        loss = _logits_each(m, input, target, pos_weight)
        loss = loss if weight is None else loss * weight
    return narrowed(m, reduced(m, loss, reduction), input)


def _logits_inputs(
    m: Any, g: Any, input: Any, target: Any, weight: Any, pos_weight: Any, reduction: str, needs: Any
) -> tuple[Any, ...]:
    g = share(g, reduction, math.prod(input.shape))
    h = g if weight is None else g * weight
    of_input = of_target = None
    if pos_weight is None:
        of_input = h * (m.sigmoid(input) - target) if needs[0] else None
        of_target = -(h * input) if needs[1] else None
    else:
        scaled = target * pos_weight
        if needs[0]:
            of_input = h * ((scaled + 1 - target) * m.sigmoid(input) - scaled)
        if needs[1]:
            of_target = h * (m.softplus(-input, 1, 40) * pos_weight - m.softplus(input, 1, 40))
    return (
        of_input,
        of_target,
        g * _logits_each(m, input, target, pos_weight) if needs[2] else None,
        h * target * m.softplus(-input, 1, 40) if needs[3] else None,
    )


BCE_LOGITS = Op(
    "binary_cross_entropy_with_logits",
    _logits,
    tensors=4,
    joint=_logits_inputs,
    formula=r"\frac{\partial L}{\partial z} = \sigma(z) - y",
)


@BCE_LOGITS
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """``binary_cross_entropy(sigmoid(input), target)`` without overflow; ``pos_weight`` multiplies the positive part.

    Raises:
        RuntimeError: for weights that are larger than the input, and for integers.
        ValueError: where the shapes differ, or for an unknown reduction.
    """
    require_tensor("binary_cross_entropy_with_logits", "input", input)
    require_tensor("binary_cross_entropy_with_logits", "target", target)
    check_reduction(reduction)
    if input._array.shape != target._array.shape:
        raise ValueError(
            f"Target size ({_size(target)}) must be the same as input size ({_size(input)})\n"
            "  fix: target.view_as(input), or take the last dimension of the logits away with squeeze(-1)"
        )
    check_kernel("log_sigmoid_cpu", input._dtype())
    if not target._dtype().is_floating_point:
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {target._dtype()!r}\n"
            "  operation: binary_cross_entropy_with_logits: targets are probabilities\n  fix: target.to(input.dtype)"
        )
    _check_factor("binary_cross_entropy_with_logits", input, weight, pos_weight)
    d = result_type(input, target)
    for factor in (weight, pos_weight):
        if factor is not None and factor._array.dtype.kind == "f":
            d = result_type(input, factor) if result_type(input, factor).itemsize > d.itemsize else d
    given = (None if x is None else to_dtype(x, d) for x in (input, target, weight, pos_weight))
    return apply(BCE_LOGITS, tuple(given), (reduction,))
