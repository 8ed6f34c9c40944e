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
from ..autograd.variable import Where, where_called
from ..backends.quiet import SILENT, hush, unhush
from ..ops import tensor
from ..ops.record import mathematical
from ..tensor import Tensor, zeros_like
from .arrays import BLOCK, Workbench, in_blocks, mark_changed, same_kind
from .bundles import Plan
from .optimizer import Optimizer, ParamGroup
from .recording import recording

__all__ = [
    "MomentsOptimizer",
    "RuleOptimizer",
    "TensorOptimizer",
    "average",
    "average_square",
    "check_betas",
    "check_not_negative",
]


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


# Classes of options that hold no tensor.
_PLAIN = frozenset((bool, float, int, str, list, type(None)))


def options_of(group: ParamGroup) -> tuple[ParamGroup, bool]:
    """A group's options with numbers for tensors that hold one, and whether the step needs no graph."""
    options, plain = group, not group.get("differentiable", False)
    if _PLAIN.issuperset(map(type, group.values())):
        return options, plain
    for name, value in group.items():
        if type(value) in _PLAIN:
            continue
        if isinstance(value, Tensor):
            if value.requires_grad:
                plain = False
            else:
                options = {**options, name: value.item()}
        elif type(value) is tuple and any(isinstance(item, Tensor) for item in value):
            if any(item.requires_grad for item in value):
                plain = False
            else:
                options = {**options, name: tuple([float(item) for item in value])}
    return options, plain


_NOTHING: dict[str, Any] = {}
_LARGE = 1 << 16  # from this many numbers on, room for temporary arrays is used again


def _bench(p: Tensor, benches: dict[Any, Any]) -> Any:
    """The functions for a large parameter, with room for temporary arrays; made once in a step."""
    m = p._backend
    if m.device.type != "cpu":
        return m
    bench = benches.get(m)
    if bench is None:
        bench = benches[m] = Workbench(m, BLOCK)
    return bench


class CountingOptimizer(Optimizer):
    """An optimiser that counts each parameter's steps in a tensor."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for entries in self.state.values():  # PyTorch's older files have plain numbers
            if "step" in entries and not isinstance(entries["step"], Tensor):
                entries["step"] = tensor(float(entries["step"]))


class RuleOptimizer(CountingOptimizer):
    """The loop around a rule; subclasses define :meth:`initial_state`, :meth:`rule`, and what the rule calls for.

    Attributes:
        entries: the names of the state that has the parameter's shape.
        scalars: the names of the state that is one number for the parameter, the count of steps among them.
        few: how many parameters are too few to step together.
    """

    entries: tuple[str, ...] = ()
    scalars: tuple[str, ...] = ("step",)
    few: int = 1

    def small(self, group: ParamGroup) -> int:
        """Up to how many numbers a parameter steps together with others, sooner than by itself.

        Laying it there and back goes through it three times; what that saves are the rule's calls.
        """
        return 1 << 14

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        """What is remembered of a parameter before its first step, without the count of steps."""
        raise NotImplementedError(f"{type(self).__name__} has to define initial_state()")

    def block(self, group: ParamGroup) -> int:
        """How many numbers of a large parameter are worked on at once."""
        return BLOCK

    def factors(self, numbers: dict[str, float], step: float, group: ParamGroup) -> tuple[Any, ...]:
        """What the rule computes with, besides tensors: the same for all elements.

        Args:
            numbers: the single numbers of the state, to be changed in place.
            step: how many steps with this one.
            group: the options.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define factors()")

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], *factors: Any) -> None:
        """One step, in place. It is elementwise: a parameter may come in pieces, and several as one vector.

        Args:
            m: the functions to use: a backend's on arrays, the differentiable ones on tensors.
            p: the parameter.
            g: its gradient, which must not be changed in place.
            s: the state of its shape; to be changed in place.
            factors: what :meth:`factors` gave.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define rule()")

    def remembers(self, group: ParamGroup) -> bool:
        """Whether there is a state at all, with these options."""
        return True

    def begin(self, p: Tensor, group: ParamGroup) -> tuple[dict[str, Any], float]:
        """The state of a parameter, made at its first step, and how many steps with this one; not yet counted."""
        state = self.state[p]
        if not state:
            with recording(False):
                state["step"] = tensor(0.0)
                state.update(self.initial_state(p, group))
        return state, float(state["step"]._array) + 1

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
        bench: dict[Any, Any] = {}
        token = hush(SILENT)
        try:
            for number, group in enumerate(self.param_groups):
                options, plain = options_of(group)
                params = group["params"]
                if plain and not group.get("capturable"):
                    if len(params) > self.few:
                        params = self._together(number, params, options, where)
                    if not self.remembers(group):
                        params = self._directly(params, options, where, bench)
                for p in params:
                    grad = p.grad
                    if grad is not None:
                        self._change(p, grad, options, plain, where, bench)
        finally:
            unhush(token)
        return loss

    def _together(self, number: int, params: list[Tensor], group: ParamGroup, where: Where) -> list[Tensor]:
        """Steps the bundles of small parameters; the parameters that are left are returned."""
        plans = self.__dict__.setdefault("_plans", {})
        plan: Plan | None = plans.get(number)
        if plan is None:
            plan = plans[number] = Plan()
        remembered = (self.entries, self.scalars) if self.remembers(group) else ((), ())
        if not plan.fits(params, *remembered):
            plan.make(params, self.state, *remembered, self.small(group))
        missed: set[int] = set()
        for bundle in plan.bundles:
            g = bundle.gradients(self.state)
            numbers = None if g is None else bundle.numbers()
            if numbers is None:
                missed.update(map(id, bundle.params))
                continue
            step = numbers["step"] = numbers.get("step", 1.0) + 1
            factors = self.factors(numbers, step, group)
            self._apply(bundle.backend, bundle.gather(), g, bundle.held, group, factors)
            bundle.scatter(numbers, where)
        if not missed:
            return plan.rest
        plan.missed()
        missed.update(map(id, plan.rest))
        return [p for p in params if id(p) in missed]

    def _directly(self, params: list[Tensor], group: ParamGroup, where: Where, bench: dict[Any, Any]) -> list[Tensor]:
        """Steps parameters of which nothing is remembered, the short way; those that need the long one are returned."""
        factors = self.factors({}, 2.0, group)
        weight_decay = group.get("weight_decay", 0)
        bare = not group.get("maximize") and not isinstance(weight_decay, Tensor) and weight_decay == 0
        rest = []
        for p in params:
            grad = p.grad
            if grad is None:
                continue
            array = p._array
            size = array.size
            if size > BLOCK or not same_kind(p, grad):
                rest.append(p)
                continue
            m = p._backend if size < _LARGE else _bench(p, bench)
            if bare:
                self.rule(m, array, grad._array, _NOTHING, *factors)
            else:
                self._apply(m, array, grad._array, _NOTHING, group, factors)
            storage = p._storage
            if storage is not None:
                storage.version += 1
                storage.changed = where
        return rest

    def _change(
        self, p: Tensor, grad: Tensor, group: ParamGroup, plain: bool, where: Where, bench: dict[Any, Any]
    ) -> None:
        if group.get("capturable") and p.device.type == "cpu":
            raise AssertionError(
                "If capturable=True, params and state_steps must be on supported devices: ['cuda'].\n"
                f"  got: a parameter on {p.device}\n  fix: leave capturable out: it is for CUDA graphs"
            )
        state, step = self.begin(p, group)
        held = {name: state[name] for name in self.entries if name in state}
        numbers = {name: float(state[name]._array) for name in self.scalars}
        numbers["step"] = step
        if plain and same_kind(p, grad, held.values()):
            factors = self.factors(numbers, step, group)
            arrays = {name: t._array for name, t in held.items()}
            size = p._array.size
            m = p._backend if size < _LARGE else _bench(p, bench)
            if size <= BLOCK:
                self._apply(m, p._array, grad._array, arrays, group, factors)
            else:
                for array, g, *pieces in in_blocks(p, [p._array, grad._array, *arrays.values()], self.block(group)):
                    self._apply(m, array, g, dict(zip(arrays, pieces, strict=True)), group, factors)
            for t in (p, *held.values()):
                if t._storage is not None:
                    mark_changed(t, where)
        else:
            with recording(group.get("differentiable", False)):
                self._apply(maths, p, grad, state, group, self.factors(numbers, step, group))
        for name in self.scalars:
            state[name]._array[...] = numbers[name]

    def _apply(self, m: Any, p: Any, g: Any, s: dict[str, Any], group: ParamGroup, factors: tuple[Any, ...]) -> None:
        """The rule, after the options that all rules share."""
        if group.get("maximize"):
            g = m.neg(g)
        weight_decay = group["weight_decay"] if "weight_decay" in self.defaults else 0
        if isinstance(weight_decay, Tensor) or weight_decay != 0:
            if group.get("decoupled_weight_decay"):
                p *= 1 - group["lr"] * weight_decay
            else:
                g = m.add(g, m.mul(p, weight_decay))
        self.rule(m, p, g, s, *factors)


class MomentsOptimizer(RuleOptimizer):
    """An optimiser that keeps the running means ``exp_avg`` of g and ``exp_avg_sq`` of g²."""

    entries: tuple[str, ...] = ("exp_avg", "exp_avg_sq")

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}


@mathematical
def axpby(a: Any, x: Tensor, b: float, y: Tensor) -> None:
    """``y = a x + b y``, in place, on tensors, as the backends have it on arrays."""
    if b != 1:
        y *= b
    y += x * a


def average(m: Any, mean: Any, value: Any, beta: Any) -> Any:
    """``beta * mean + (1 - beta) * value``, in place."""
    if isinstance(beta, Tensor):  # one that gradients are wanted of: the old mean must not be saved and then changed
        mean += (value - mean) * (1 - beta)
    else:
        m.axpby(1 - beta, value, beta, mean)
    return mean


def average_square(m: Any, mean: Any, value: Any, beta: Any) -> Any:
    """``beta * mean + (1 - beta) * value²``, in place."""
    if isinstance(beta, Tensor):
        return average(m, mean, value * value, beta)
    m.axpby(1 - beta, m.mul(value, value), beta, mean)
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
