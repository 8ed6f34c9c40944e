"""Steps scaled by the running mean of squared gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor, zeros_like
from .optimizer import ParamGroup
from .rules import RuleOptimizer, average, average_square, check_not_negative

__all__ = ["RMSprop"]


class RMSprop(RuleOptimizer):
    """Tieleman & Hinton, lecture 6.5 of Neural Networks for Machine Learning, 2012; centred by Graves 2013.

    One step is::

        v = alpha * v + (1 - alpha) * g²
        scale = sqrt(v) + eps                       # centered: sqrt(v - mean²), with the running mean of g
        p = p - lr * g / scale                      # with momentum: buffer = momentum * buffer + g / scale

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size; not negative.
        alpha: how much of the running mean goes on; not negative.
        eps: keeps the denominator from 0; not negative.
        weight_decay: the factor of the L2 penalty; not negative.
        momentum: how much of the last steps goes on; not negative.
        centered: divide by an estimate of the deviation instead of the root mean square.
        capturable: for parameters on a GPU; the count of steps stays on the host all the same.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        differentiable: record the step itself, to differentiate through it.

    Raises:
        ValueError: if an option is out of its range.
    """

    entries = ("square_avg", "momentum_buffer", "grad_avg")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        state = {"square_avg": zeros_like(p)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = zeros_like(p)
        return state

    def factors(self, numbers: dict[str, float], step: float, group: ParamGroup) -> tuple[Any, ...]:
        return group["alpha"], group["eps"], group["lr"], group["momentum"], group["centered"]

    def rule(
        self,
        m: Any,
        p: Any,
        g: Any,
        s: dict[str, Any],
        alpha: float,
        eps: float,
        lr: Any,
        momentum: float,
        centered: bool,
    ) -> None:
        square = average_square(m, s["square_avg"], g, alpha)
        if centered:
            mean = average(m, s["grad_avg"], g, alpha)
            square = m.sub(square, m.mul(mean, mean))
        change = m.div(g, m.add(m.sqrt(square), eps))
        if momentum > 0:
            buffer = s["momentum_buffer"]
            m.axpby(1, change, momentum, buffer)
            m.axpby(-lr, buffer, 1, p)
        else:
            m.axpby(-lr, change, 1, p)
