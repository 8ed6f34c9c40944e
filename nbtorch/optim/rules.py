"""Optimisers whose step is one rule, applied to each parameter by itself.

A rule is written once, in plain maths with operators and the functions of ``m``, and runs in two ways: on the arrays
behind the tensors (the ordinary step, outside the graph: for a small model what recording costs would be most of the
time), and on the tensors themselves, where the step is to be differentiated or the arrays don't fit together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import enable_grad, no_grad
from ..autograd.engine import maths
from ..autograd.variable import where_called
from ..ops import tensor
from ..tensor import Tensor, zeros_like
from .arrays import in_blocks, mark_changed, same_kind
from .optimizer import Optimizer, ParamGroup
from .recording import recording

__all__ = ["MomentsOptimizer", "RuleOptimizer", "TensorOptimizer", "average", "check_betas", "check_not_negative"]


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


def _numbers(group: ParamGroup) -> tuple[ParamGroup, bool]:
    """A group's options with numbers for tensors that hold one, and whether the step needs no graph."""
    options, plain = group, not group.get("differentiable", False)
    for name, value in group.items():
        if isinstance(value, Tensor):
            if value.requires_grad:
                plain = False
            else:
                options = {**options, name: value.item()}
        elif type(value) is tuple and any(isinstance(item, Tensor) for item in value):
            if any(item.requires_grad for item in value):
                plain = False
            else:
                options = {**options, name: tuple(float(item) for item in value)}
    return options, plain


class CountingOptimizer(Optimizer):
    """An optimiser that counts each parameter's steps in a tensor."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for entries in self.state.values():  # PyTorch's older files have plain numbers
            if "step" in entries and not isinstance(entries["step"], Tensor):
                entries["step"] = tensor(float(entries["step"]))


class RuleOptimizer(CountingOptimizer):
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
            options, plain = _numbers(group)
            for p in group["params"]:
                grad = p.grad
                if grad is not None:
                    self._change(p, grad, options, plain, where)
        return loss

    def _change(self, p: Tensor, grad: Tensor, group: ParamGroup, plain: bool, where: Any) -> None:
        if group.get("capturable") and p.device.type == "cpu":
            raise AssertionError(
                "If capturable=True, params and state_steps must be on supported devices: ['cuda'].\n"
                f"  got: a parameter on {p.device}\n  fix: leave capturable out: it is for CUDA graphs"
            )
        state = self.state[p]
        if not state:
            with recording(False):
                state["step"] = tensor(0.0)
                state.update(self.initial_state(p, group))
        count = state["step"]
        count._array += 1
        step = float(count._array)
        if plain and same_kind(p, grad):
            names = [name for name in state if name != "step"]
            arrays = [p._array, grad._array, *(state[name]._array for name in names)]
            for piece in in_blocks(p, arrays):
                self._with_options(
                    p._backend, piece[0], piece[1], dict(zip(names, piece[2:], strict=True)), step, group
                )
            mark_changed(p, where)
        else:
            with recording(group.get("differentiable", False)):
                self._with_options(maths, p, grad, state, step, group)

    def _with_options(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        """The rule, after the options that all rules share."""
        if group.get("maximize"):
            g = -g
        weight_decay = group["weight_decay"] if "weight_decay" in self.defaults else 0
        if weight_decay != 0:
            if group.get("decoupled_weight_decay"):
                p *= 1 - group["lr"] * weight_decay
            else:
                g = g + p * weight_decay
        self.rule(m, p, g, s, step, group)


class MomentsOptimizer(RuleOptimizer):
    """An optimiser that keeps the running means ``exp_avg`` of g and ``exp_avg_sq`` of g²."""

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}


def average(mean: Any, value: Any, beta: float) -> Any:
    """``beta * mean + (1 - beta) * value``, in place."""
    if isinstance(beta, Tensor):  # one that gradients are wanted of: the old mean must not be saved and then changed
        mean += (value - mean) * (1 - beta)
    else:
        mean *= beta
        mean += value * (1 - beta)
    return mean


class TensorOptimizer(CountingOptimizer):
    """The loop of optimisers whose step is written with tensors; subclasses define :meth:`change`."""

    def change(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: ParamGroup) -> None:
        """One step on one parameter, in place."""
        raise NotImplementedError(f"{type(self).__name__} has to define change()")

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
        with no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self.change(p, -p.grad if group.get("maximize") else p.grad, self.state[p], group)
        return loss
