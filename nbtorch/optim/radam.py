"""Adam whose first steps are rectified."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor
from .optimizer import ParamGroup
from .rules import MomentsOptimizer, average, average_square, check_betas, check_not_negative

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

    def factors(self, numbers: dict[str, float], step: float, group: ParamGroup) -> tuple[Any, ...]:
        (beta1, beta2), size = group["betas"], group["lr"] / (1 - group["betas"][0] ** step)
        rho, correction = 2 / (1 - beta2) - 1, 1 - beta2**step
        rho_t = rho - 2 * step * beta2**step / correction
        rectified = rho_t > 5.0
        if rectified:
            ratio = (rho_t - 4) * (rho_t - 2) * rho / ((rho - 4) * (rho - 2) * rho_t)
            size = size * (math.sqrt(correction) * math.sqrt(ratio))
        return beta1, beta2, group["eps"], size, rectified

    def rule(
        self, m: Any, p: Any, g: Any, s: dict[str, Any], beta1: float, beta2: float, eps: float, size: Any, ready: bool
    ) -> None:
        mean = average(m, s["exp_avg"], g, beta1)
        square = average_square(m, s["exp_avg_sq"], g, beta2)
        m.axpby(-size, m.div(mean, m.add(m.sqrt(square), eps)) if ready else mean, 1, p)
