"""Optimisers whose step is one rule, applied to each parameter by itself.

A rule is written once, in plain maths with operators and the functions of ``m``, and runs in two ways: on the arrays
behind the tensors (the ordinary step, outside the graph: for a small model what recording costs would be most of the
time), and on the tensors themselves, where the step is to be differentiated or the arrays don't fit together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import enable_grad
from ..autograd.engine import maths
from ..autograd.variable import where_called
from ..ops import tensor
from ..tensor import Tensor
from .arrays import mark_changed, same_kind
from .optimizer import Optimizer, ParamGroup, recording

__all__ = ["RuleOptimizer", "check_betas", "check_not_negative"]


def check_not_negative(**options: Any) -> None:
    """Raises where an option is below 0.

    Raises:
        ValueError: naming the option, in PyTorch's words; also for a learning rate with several elements.
    """
    names = {"lr": "learning rate", "eps": "epsilon value", "weight_decay": "weight_decay value"}
    for option, value in options.items():
        if option == "lr" and isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError(f"Tensor lr must be 1-element, got shape {tuple(value.shape)}")
        if not value >= 0.0:
            raise ValueError(f"Invalid {names.get(option, option + ' value')}: {value}")


def check_betas(betas: tuple[float, ...]) -> None:
    """Raises where a decay rate is not in [0, 1).

    Raises:
        ValueError: naming its place.
    """
    for place, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {place}: {beta}")


class RuleOptimizer(Optimizer):
    """The loop around a rule; subclasses define :meth:`initial_state` and :meth:`rule`."""

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        """What is remembered of a parameter before its first step, without the count of steps."""
        raise NotImplementedError(f"{type(self).__name__} has to define initial_state()")

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        """One step, in place.

        Args:
            m: the functions to use: a backend's on arrays, the differentiable ones on tensors.
            p: the parameter.
            g: its gradient, which must not be changed in place.
            s: the state; its entries are to be changed in place.
            step: how many steps with this one.
            group: the options.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define rule()")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient once; see the class for the formula.

        Args:
            closure: computes the loss and its gradients anew.

        Returns:
            What the closure returned, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        where = where_called()
        for group in self.param_groups:
            options = group
            lr = group["lr"]
            if isinstance(lr, Tensor) and not lr.requires_grad:
                options = {**group, "lr": lr.item()}
            for p in group["params"]:
                if p.grad is not None:
                    self._change(p, p.grad, options, where)
        return loss

    def _change(self, p: Tensor, grad: Tensor, group: ParamGroup, where: Any) -> None:
        state = self.state[p]
        if not state:
            with recording(False):
                state["step"] = tensor(0.0)
                state.update(self.initial_state(p, group))
        count = state["step"]
        count._array += 1
        step = float(count._array)
        differentiable = group.get("differentiable", False)
        if not differentiable and not isinstance(group["lr"], Tensor) and same_kind(p, grad):
            arrays = {name: value._array if isinstance(value, Tensor) else value for name, value in state.items()}
            self._with_options(p._backend, p._array, grad._array, arrays, step, group)
            mark_changed(p, where)
        else:
            with recording(differentiable):
                self._with_options(maths, p, grad, state, step, group)

    def _with_options(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        """The rule, after the options that all rules share."""
        if group.get("maximize"):
            g = -g
        weight_decay = group.get("weight_decay", 0)
        if weight_decay != 0:
            if group.get("decoupled_weight_decay"):
                p *= 1 - group["lr"] * weight_decay
            else:
                g = g + p * weight_decay
        self.rule(m, p, g, s, step, group)
