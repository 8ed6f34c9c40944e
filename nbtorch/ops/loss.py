"""Losses of numbers: how far a prediction is from its target, reduced to a mean or a sum.

Those of classes are in ``class_loss``, those that ask for a margin in ``margin_loss``.
"""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any

from ..autograd.variable import Variable
from .conversion import narrowed, to_dtype, widened
from .operands import broadcast_shapes, require_tensor, result_type
from .pointwise import where
from .record import Op, apply, check_same_device
from .reduction import mean
from .reduction import sum as sum_over

__all__ = ["huber_loss", "kl_div", "l1_loss", "mse_loss", "smooth_l1_loss"]

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(reduction: str) -> None:
    """Raises the ValueError of PyTorch for an unknown reduction."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction\n  expected: one of {', '.join(REDUCTIONS)}")


def reduce_loss(loss: Any, reduction: str) -> Any:
    """The mean, the sum, or the losses themselves."""
    check_reduction(reduction)
    return mean(loss) if reduction == "mean" else sum_over(loss) if reduction == "sum" else loss


def reduced(m: Any, loss: Any, reduction: str) -> Any:
    """:func:`reduce_loss` on arrays, inside a record."""
    return m.mean(loss) if reduction == "mean" else m.sum(loss) if reduction == "sum" else loss


def share(g: Any, reduction: str, count: int) -> Any:
    """The gradient that each of ``count`` losses gets."""
    return g * (1 / max(count, 1)) if reduction == "mean" else g


def check_kernel(kernel: str, d: Any) -> None:
    """Raises PyTorch's NotImplementedError for a loss of integers."""
    if not d.is_floating_point:
        raise NotImplementedError(
            f'"{kernel}" not implemented for {d!r}\n  expected: a floating dtype\n  fix: x.float()'
        )


def as_pair(function: str, input: Any, target: Any) -> tuple[int, ...]:
    """Checks a prediction and its target, and warns where their shapes differ, which is nearly always a mistake.

    Returns:
        the shape that the two broadcast to.
    """
    require_tensor(function, "input", input)
    require_tensor(function, "target", target)
    check_same_device(MSE, (input, target))
    a, b = tuple(input._array.shape), tuple(target._array.shape)
    if a == b:
        return a
    try:
        shape = broadcast_shapes(function, a, b)
    except RuntimeError:
        _warn_of_shapes(function, a, b, None)
        raise
    _warn_of_shapes(function, a, b, shape)
    return shape


def _warn_of_shapes(function: str, a: tuple[int, ...], b: tuple[int, ...], shape: tuple[int, ...] | None) -> None:
    text = (
        f"Using a target size (torch.Size({list(b)})) that is different to the input size (torch.Size({list(a)})). "
        "This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size."
    )
    if shape is not None:
        n = math.prod(shape)
        text += (
            f"\n  what happens: {function} of input {a} and target {b} compares every element with every other that "
            f"broadcasting brings together: {shape}, {n} differences"
        )
        if math.prod(a) == math.prod(b):
            text += f", where {math.prod(a)} predictions have {math.prod(b)} targets"
            if n > math.prod(a):
                text += ". THE LOSS AND ITS GRADIENT ARE NOT WHAT YOU WANT"
            text += f"\n  fix: target.reshape({', '.join(map(str, a))})"
            text += _squeezed("input", a, b) + _squeezed("target", b, a)
        else:
            text += "\n  fix: give both the same shape; if the broadcasting is meant, say so: target.expand_as(input)"
    warnings.warn(text, UserWarning, stacklevel=_stack_level())


def _squeezed(name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """The call of squeeze that gives ``wanted``, where there is one."""
    for i, n in enumerate(shape):
        if n == 1 and shape[:i] + shape[i + 1 :] == wanted:
            return f", or {name}.squeeze({i})"
    return ""


def _stack_level() -> int:
    """How far up the user's line is, so that the warning names it."""
    level, frame = 1, sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("nbtorch."):
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    return level


def _promoted(kernel: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Both in their common dtype, which has to be a floating one."""
    if input._array.dtype == target._array.dtype and input._array.dtype.kind == "f":
        return input, target
    d = result_type(input, target)
    check_kernel(kernel, d)
    return to_dtype(input, d), to_dtype(target, d)


def _both(of_input: Any, needs: tuple[bool, ...]) -> tuple[Any, Any]:
    """What goes to the target of a loss of differences is minus what goes to the input."""
    return of_input if needs[0] else None, -of_input if needs[1] else None


def _mse(m: Any, input: Any, target: Any, reduction: str) -> Any:
    if input.dtype.itemsize < 4:
        return m.astype(_mse(m, widened(m, input), widened(m, target), reduction), input.dtype)
    d = m.sub(input, target)
    d = m.mul(d, d)
    return m.mean(d) if reduction == "mean" else m.sum(d) if reduction == "sum" else d


def _mse_inputs(m: Any, g: Any, input: Any, target: Any, reduction: str, needs: Any) -> tuple[Any, Any]:
    d = input - target
    return _both(d * (g * (2 / max(math.prod(d.shape), 1) if reduction == "mean" else 2)), needs)


MSE = Op(
    "mse_loss",
    _mse,
    tensors=2,
    joint=_mse_inputs,
    formula=r"\frac{\partial}{\partial x_i}\frac1n\sum_j (x_j-y_j)^2 = \frac2n (x_i-y_i)",
)


@MSE
def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The squared difference, by default its mean.

    Warns:
        UserWarning: where the shapes differ, since (n, 1) against (n,) broadcasts to (n, n).
    """
    if reduction not in REDUCTIONS:
        check_reduction(reduction)
    if not (
        isinstance(input, Variable)
        and isinstance(target, Variable)
        and (a := input._array).shape == (b := target._array).shape
        and a.dtype is b.dtype
        and a.dtype.kind == "f"
        and input._backend is target._backend
    ):  # else there is nothing to explain and nothing to convert
        as_pair("mse_loss", input, target)
        input, target = _promoted("mse_cpu", input, target)
    return apply(MSE, (input, target), (reduction,))


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The absolute difference, by default its mean.

    Warns:
        UserWarning: where the shapes differ, since (n, 1) against (n,) broadcasts to (n, n).
    """
    as_pair("l1_loss", input, target)
    return reduce_loss((input - target).abs(), reduction)


def _smooth_l1(m: Any, input: Any, target: Any, reduction: str, beta: float) -> Any:
    d = m.abs(widened(m, input) - widened(m, target))
    near = m.clamp(d, None, beta)
    loss = near * (d - near * 0.5) * (1 / beta)  # d² / 2β below β, d - β / 2 above
    return narrowed(m, reduced(m, loss, reduction), input)


def _smooth_l1_inputs(m: Any, g: Any, input: Any, target: Any, reduction: str, beta: float, needs: Any) -> Any:
    d: Any = input - target
    if isinstance(d, Variable):
        slope = m.where(m.abs(d) < beta, d * (1 / beta), m.sign(d))  # type: ignore[operator]
    else:
        slope = m.clamp(d * (1 / beta), -1, 1)
    return _both(slope * share(g, reduction, math.prod(d.shape)), needs)


SMOOTH_L1 = Op(
    "smooth_l1_loss",
    _smooth_l1,
    tensors=2,
    node="SmoothL1LossBackward0",
    joint=_smooth_l1_inputs,
    formula=r"\frac{\partial \ell}{\partial x} = \tfrac{x-y}{\beta}\ \text{where } |x-y|<\beta,"
    r"\quad \operatorname{sign}(x-y)\ \text{elsewhere}",
)


@SMOOTH_L1
def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """Half the square over ``beta`` for differences below ``beta``, the difference less ``beta / 2`` above.

    Raises:
        RuntimeError: for a negative ``beta``.

    Warns:
        UserWarning: where the shapes differ, since (n, 1) against (n,) broadcasts to (n, n).
    """
    as_pair("smooth_l1_loss", input, target)
    check_reduction(reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return reduce_loss((input - target).abs(), reduction)
    return apply(SMOOTH_L1, _promoted("smooth_l1_cpu", input, target), (reduction, beta))


def _huber(m: Any, input: Any, target: Any, reduction: str, delta: float) -> Any:
    d = m.abs(widened(m, input) - widened(m, target))
    near = m.clamp(d, None, delta)
    loss = near * (d - near * 0.5)  # d² / 2 below δ, (d - δ / 2) δ above
    return narrowed(m, reduced(m, loss, reduction), input)


def _huber_inputs(m: Any, g: Any, input: Any, target: Any, reduction: str, delta: float, needs: Any) -> Any:
    d: Any = input - target
    slope = m.where(m.abs(d) < delta, d, m.sign(d) * delta) if isinstance(d, Variable) else m.clamp(d, -delta, delta)
    return _both(slope * share(g, reduction, math.prod(d.shape)), needs)


HUBER = Op(
    "huber_loss",
    _huber,
    tensors=2,
    joint=_huber_inputs,
    formula=r"\frac{\partial \ell}{\partial x} = x-y\ \text{where } |x-y|<\delta,"
    r"\quad \delta\operatorname{sign}(x-y)\ \text{elsewhere}",
)


@HUBER
def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Half the square for differences below ``delta``, ``delta * (difference - delta / 2)`` above.

    Raises:
        RuntimeError: unless ``delta`` is positive.

    Warns:
        UserWarning: where the shapes differ, since (n, 1) against (n,) broadcasts to (n, n).
    """
    as_pair("huber_loss", input, target)
    check_reduction(reduction)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    check_kernel("huber_cpu", input._dtype())
    return apply(HUBER, (input, to_dtype(target, input._dtype())), (reduction, delta))


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """``target * (log target - input)``, where ``input`` holds log-probabilities; ``batchmean`` divides by the batch.

    Raises:
        RuntimeError: for integers.
        ValueError: for an unknown reduction.
    """
    require_tensor("kl_div", "input", input)
    require_tensor("kl_div", "target", target)
    for x in (input, target):
        if isinstance(x, Variable) and x._array.dtype.kind in "iub":
            raise RuntimeError(f"kl_div: Integral inputs not supported.\n  got: {x._dtype()!r}\n  fix: x.float()")
    if log_target:
        loss = target.exp() * (target - input)
    else:
        # 0 log 0 is 0
        zero = target == 0
        loss = where(zero, target * 0, target * where(zero, target * 0 + 1, target).log()) - target * input
    if reduction == "batchmean":
        return sum_over(loss) / (input._array.shape[0] if input._array.ndim else 1)
    return reduce_loss(loss, reduction)
