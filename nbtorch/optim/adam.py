"""Adam, and its variant AMSGrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor, zeros_like
from .optimizer import ParamGroup
from .rules import MomentsOptimizer, average, average_square, check_betas, check_not_negative

__all__ = ["Adam"]


class Adam(MomentsOptimizer):
    """Kingma & Ba, Adam: A Method for Stochastic Optimization, 2015; AMSGrad by Reddi et al. 2018.

    With gradient ``g``, one step is::

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g²            # amsgrad: then the largest v so far
        p = p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size, a number or a 1-element tensor; not negative.
        betas: how much of the running means goes on, each in [0, 1).
        eps: keeps the denominator from 0; not negative.
        weight_decay: the factor of the L2 penalty, or of the decay itself where ``decoupled_weight_decay``.
        amsgrad: divide by the largest running mean so far.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        capturable: for parameters on a GPU; the count of steps stays on the host all the same.
        differentiable: record the step itself, to differentiate through it.
        fused: accepted; there is one implementation.
        decoupled_weight_decay: shrink the parameter by ``lr * weight_decay`` instead of adding to its gradient.

    Raises:
        ValueError: if an option is out of its range.
    """

    entries = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
            raise ValueError("betas must be either both floats or both Tensors")
        if isinstance(betas[0], Tensor) and foreach and not capturable:
            raise ValueError("betas[0] as a Tensor is not supported for capturable=False and foreach=True")
        check_not_negative(lr=lr, eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        if fused and differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        state = super().initial_state(p, group)
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_like(p)
        return state

    def factors(self, numbers: dict[str, float], step: float, group: ParamGroup) -> tuple[Any, ...]:
        beta1, beta2 = group["betas"]
        # sqrt(v / c) + eps is (sqrt(v) + eps sqrt(c)) / sqrt(c): what divides goes into the step size.
        root = (1 - beta2**step) ** 0.5
        return beta1, beta2, group["eps"] * root, group["lr"] * root / (1 - beta1**step), group["amsgrad"]

    def rule(
        self, m: Any, p: Any, g: Any, s: dict[str, Any], beta1: Any, beta2: Any, eps: Any, size: Any, amsgrad: bool
    ) -> None:
        mean = average(m, s["exp_avg"], g, beta1)
        square = average_square(m, s["exp_avg_sq"], g, beta2)
        if amsgrad:
            s["max_exp_avg_sq"][...] = square = m.maximum(s["max_exp_avg_sq"], square)
        m.axpby(-size, m.div(mean, m.add(m.sqrt(square), eps)), 1, p)
