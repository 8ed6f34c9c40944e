"""Adam whose first steps are rectified."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor
from .optimizer import ParamGroup
from .rules import MomentsOptimizer, average, check_betas, check_not_negative

__all__ = ["RAdam"]


class RAdam(MomentsOptimizer):
    """Adam that waits with scaling until the variance of its scale is known (Liu et al. 2020).

    With ``rho = 2 / (1 - beta2) - 1`` and ``rho_t = rho - 2 t beta2^t / (1 - beta2^t)``, one step is Adam's times the
    rectification ``sqrt((rho_t-4)(rho_t-2) rho / ((rho-4)(rho-2) rho_t))`` where ``rho_t > 5``, and plain momentum
    before that.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size; not negative.
        betas: how much of the running means goes on, each in [0, 1).
        eps: keeps the denominator from 0; not negative.
        weight_decay: the factor of the L2 penalty, or of the decay itself where ``decoupled_weight_decay``.
        decoupled_weight_decay: shrink the parameter by ``lr * weight_decay`` instead of adding to its gradient.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        capturable: for parameters on a GPU; the count of steps stays on the host all the same.
        differentiable: record the step itself, to differentiate through it.

    Raises:
        ValueError: if an option is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        beta1, beta2 = group["betas"]
        mean = average(s["exp_avg"], g, beta1)
        square = average(s["exp_avg_sq"], g * g, beta2)
        change = mean * (group["lr"] / (1 - beta1**step))
        rho = 2 / (1 - beta2) - 1
        correction = 1 - beta2**step
        rho_t = rho - 2 * step * beta2**step / correction
        if rho_t > 5.0:
            rectified = math.sqrt((rho_t - 4) * (rho_t - 2) * rho / ((rho - 4) * (rho - 2) * rho_t))
            change = change / (m.sqrt(square) + group["eps"]) * (math.sqrt(correction) * rectified)
        p -= change
