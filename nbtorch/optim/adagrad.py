"""Steps scaled by the sum of all squared gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import tensor
from ..tensor import Tensor, full_like
from .optimizer import ParamGroup
from .recording import recording
from .rules import RuleOptimizer, check_not_negative

__all__ = ["Adagrad"]


class Adagrad(RuleOptimizer):
    """Duchi, Hazan & Singer, Adaptive Subgradient Methods, 2011: ``p -= lr_t * g / (sqrt(sum of g²) + eps)``.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size; not negative. At step t it is ``lr / (1 + (t - 1) * lr_decay)``.
        lr_decay: see ``lr``; not negative.
        weight_decay: the factor of the L2 penalty; not negative.
        initial_accumulator_value: where the sum of squares starts; not negative.
        eps: keeps the denominator from 0; not negative.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        differentiable: record the step itself, to differentiate through it.
        fused: accepted; there is one implementation.

    Raises:
        ValueError: if an option is out of its range.
    """

    entries = ("sum",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_not_negative(
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        if fused and differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)
        # The sums are there before the first step, as in PyTorch, so that they can be shared or loaded.
        with recording(False):
            for group in self.param_groups:
                for p in group["params"]:
                    self.state[p] = {"step": tensor(0.0), **self.initial_state(p, group)}

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"sum": full_like(p, group["initial_accumulator_value"])}

    def share_memory(self) -> None:
        """Accepted for PyTorch's sake: the sums are not shared between processes."""

    def factors(self, numbers: dict[str, float], step: float, group: ParamGroup) -> tuple[Any, ...]:
        return group["eps"], group["lr"] / (1 + (step - 1) * group["lr_decay"])

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], eps: float, size: Any) -> None:
        total = s["sum"]
        total += m.mul(g, g)
        m.axpby(-size, m.div(g, m.add(m.sqrt(total), eps)), 1, p)
