"""Steps by the signs of the gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor, full_like, zeros_like
from .optimizer import ParamGroup
from .rules import RuleOptimizer, check_not_negative

__all__ = ["Rprop"]


class Rprop(RuleOptimizer):
    """Riedmiller & Braun, 1993: only the signs of the gradients count; each element has a step size of its own.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the first step size; not negative.
        etas: how the step shrinks after a change of sign, and grows without one: ``0 < eta⁻ < 1 < eta⁺``.
        step_sizes: the smallest and the largest step.
        capturable: for parameters on a GPU; the count of steps stays on the host all the same.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        differentiable: record the step itself, to differentiate through it.

    Raises:
        ValueError: if an option is out of its range.
    """

    entries = ("prev", "step_size")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"prev": zeros_like(p), "step_size": full_like(p, float(group["lr"]))}

    def factors(self, numbers: dict[str, float], step: float, group: ParamGroup) -> tuple[Any, ...]:
        return (*group["etas"], *group["step_sizes"])

    def rule(
        self, m: Any, p: Any, g: Any, s: dict[str, Any], shrink: float, grow: float, least: float, most: float
    ) -> None:
        before, size = s["prev"], s["step_size"]
        agreement = m.mul(g, before)
        size *= m.where(agreement > 0, grow, 1.0) * m.where(agreement < 0, shrink, 1.0)
        size[...] = m.clamp(size, least, most)
        g = m.where(agreement < 0, 0.0, g)  # after a change of sign the element waits for one step
        p -= m.mul(m.sign(g), size)
        before[...] = g
