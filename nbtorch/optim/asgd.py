"""Averaged stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import tensor
from ..tensor import Tensor, zeros_like
from .optimizer import ParamGroup
from .rules import RuleOptimizer, check_not_negative

__all__ = ["ASGD"]


class ASGD(RuleOptimizer):
    """Averaged stochastic gradient descent (Polyak & Juditsky 1992).

    One step is ``p = p * (1 - lambd * eta) - eta * g`` with ``eta = lr / (1 + lambd * lr * t)^alpha``; from step ``t0``
    on, ``state[p]["ax"]`` holds the mean of the parameters.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the first step size; not negative.
        lambd: the decay.
        alpha: the power of the step size.
        t0: where averaging starts.
        weight_decay: the factor of the L2 penalty; not negative.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        differentiable: record the step itself, to differentiate through it.
        capturable: for parameters on a GPU; the count of steps stays on the host all the same.

    Raises:
        ValueError: if an option is out of its range.
    """

    entries, scalars = ("ax",), ("step", "eta", "mu")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, weight_decay=weight_decay)
        defaults = {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"eta": tensor(float(group["lr"])), "mu": tensor(1.0), "ax": zeros_like(p)}

    def factors(self, numbers: dict[str, float], step: float, group: ParamGroup) -> tuple[Any, ...]:
        eta, mu, lr, lambd = numbers["eta"], numbers["mu"], group["lr"], group["lambd"]
        numbers["eta"] = lr / (1 + lambd * lr * step) ** group["alpha"]
        numbers["mu"] = 1 / max(1, step - group["t0"])
        return eta, mu, 1 - lambd * eta

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], eta: float, mu: float, kept: float) -> None:
        average = s["ax"]
        m.axpby(-eta, g, kept, p)
        if mu == 1:
            average[...] = p
        else:
            m.axpby(mu, p, 1 - mu, average)
