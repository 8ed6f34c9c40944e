"""Adam with Nesterov momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import tensor
from ..tensor import Tensor
from .optimizer import ParamGroup
from .rules import MomentsOptimizer, average, average_square, check_betas, check_not_negative

__all__ = ["NAdam"]


class NAdam(MomentsOptimizer):
    """Adam that looks ahead along its momentum (Dozat, Incorporating Nesterov Momentum into Adam, 2016).

    The momentum of step t is ``mu_t = beta1 * (1 - 0.5 * 0.96^(t * momentum_decay))``; one step is::

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g²
        look = mu_(t+1) * m / (1 - mu_1 ... mu_(t+1)) + (1 - mu_t) * g / (1 - mu_1 ... mu_t)
        p = p - lr * look / (sqrt(v / (1 - beta2^t)) + eps)

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size; not negative.
        betas: how much of the running means goes on, each in [0, 1).
        eps: keeps the denominator from 0; not negative.
        weight_decay: the factor of the L2 penalty, or of the decay itself where ``decoupled_weight_decay``.
        momentum_decay: how fast the momentum grows to ``beta1``; not negative.
        decoupled_weight_decay: shrink the parameter by ``lr * weight_decay`` instead of adding to its gradient.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        capturable: for parameters on a GPU; the count of steps stays on the host all the same.
        differentiable: record the step itself, to differentiate through it.

    Raises:
        ValueError: if an option is out of its range.
    """

    scalars = ("step", "mu_product")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay, momentum_decay=momentum_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"mu_product": tensor(1.0), **super().initial_state(p, group)}

    def factors(self, numbers: dict[str, float], step: float, group: ParamGroup) -> tuple[Any, ...]:
        (beta1, beta2), decay, lr = group["betas"], group["momentum_decay"], group["lr"]
        now, following = [beta1 * (1 - 0.5 * 0.96 ** (t * decay)) for t in (step, step + 1)]
        numbers["mu_product"] *= now
        product = numbers["mu_product"]
        root = (1 - beta2**step) ** 0.5  # as in Adam
        of_gradient = lr * root * (1 - now) / (1 - product)
        of_mean = lr * root * following / (1 - product * following)
        return beta1, beta2, group["eps"] * root, of_gradient, of_mean

    def rule(
        self, m: Any, p: Any, g: Any, s: dict[str, Any], beta1: float, beta2: float, eps: float, of_g: Any, of_mean: Any
    ) -> None:
        mean = average(m, s["exp_avg"], g, beta1)
        square = average_square(m, s["exp_avg_sq"], g, beta2)
        look = m.add(m.mul(mean, of_mean), m.mul(g, of_g))
        p -= m.div(look, m.add(m.sqrt(square), eps))
