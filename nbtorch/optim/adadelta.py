"""Steps scaled by running means of squared gradients and squared changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor, zeros_like
from .optimizer import ParamGroup
from .rules import RuleOptimizer, average_square, check_not_negative

__all__ = ["Adadelta"]


class Adadelta(RuleOptimizer):
    """Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012.

    One step is::

        v = rho * v + (1 - rho) * g²
        change = sqrt(u + eps) / sqrt(v + eps) * g
        u = rho * u + (1 - rho) * change²
        p = p - lr * change

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the factor of the change; not negative.
        rho: how much of the running means goes on, in [0, 1].
        eps: keeps the roots from 0; not negative.
        weight_decay: the factor of the L2 penalty; not negative.
        foreach: accepted; there is one implementation.
        capturable: for parameters on a GPU; the count of steps stays on the host all the same.
        maximize: step along the gradient instead of against it.
        differentiable: record the step itself, to differentiate through it.

    Raises:
        ValueError: if an option is out of its range.
    """

    entries = ("square_avg", "acc_delta")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative(eps=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"square_avg": zeros_like(p), "acc_delta": zeros_like(p)}

    def factors(self, numbers: dict[str, float], step: float, group: ParamGroup) -> tuple[Any, ...]:
        return group["rho"], group["eps"], group["lr"]

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], rho: float, eps: float, lr: Any) -> None:
        changes = s["acc_delta"]
        square = average_square(m, s["square_avg"], g, rho)
        change = m.mul(m.sqrt(m.div(m.add(changes, eps), m.add(square, eps))), g)
        average_square(m, changes, change, rho)
        m.axpby(-lr, change, 1, p)
