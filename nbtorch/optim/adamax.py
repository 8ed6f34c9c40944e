"""Adam with the infinity norm."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor, zeros_like
from .optimizer import ParamGroup
from .rules import RuleOptimizer, average, check_betas, check_not_negative

__all__ = ["Adamax"]


class Adamax(RuleOptimizer):
    """Adam with the infinity norm (Kingma & Ba 2015, section 7.1).

    One step is::

        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, |g| + eps)
        p = p - lr / (1 - beta1^t) * m / u

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size; not negative.
        betas: how much of the running mean and of the norm goes on, each in [0, 1).
        eps: keeps the denominator from 0; not negative.
        weight_decay: the factor of the L2 penalty; not negative.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        differentiable: record the step itself, to differentiate through it.
        capturable: for parameters on a GPU; the count of steps stays on the host all the same.

    Raises:
        ValueError: if an option is out of its range.
    """

    entries = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"exp_avg": zeros_like(p), "exp_inf": zeros_like(p)}

    def factors(self, numbers: dict[str, float], step: float, group: ParamGroup) -> tuple[Any, ...]:
        beta1, beta2 = group["betas"]
        return beta1, beta2, group["eps"], group["lr"] / (1 - beta1**step)

    def rule(
        self, m: Any, p: Any, g: Any, s: dict[str, Any], beta1: float, beta2: float, eps: float, size: Any
    ) -> None:
        mean = average(m, s["exp_avg"], g, beta1)
        norm = s["exp_inf"]
        norm[...] = m.maximum(m.mul(norm, beta2), m.add(m.abs(g), eps))
        m.axpby(-size, m.div(mean, norm), 1, p)
