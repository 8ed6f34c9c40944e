"""What the graph saves, as the user's hooks want it kept: packed when it is saved, unpacked when backward needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .modes import grad_mode, no_grad
from .variable import Variable, wrap


class Packed:
    """A saved tensor in the user's keeping: what ``pack`` returned, and how to get the tensor back."""

    __slots__ = ("_unpack", "_value")

    def __init__(self, t: Variable) -> None:
        pack, self._unpack = grad_mode.hooks[-1]
        before = t._version
        interceptor, grad_mode.interceptor = grad_mode.interceptor, None
        try:
            with no_grad():
                self._value = pack(t)
        finally:
            grad_mode.interceptor = interceptor
        if t._version != before:
            raise RuntimeError(
                "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook can "
                "not be modified by in-place operations as this can lead to unexpected side-effects.\n"
                "  fix: let the hook work on a copy, x.clone()"
            )

    def tensor(self) -> Any:
        """The tensor that ``unpack`` returns."""
        interceptor, grad_mode.interceptor = grad_mode.interceptor, None
        try:
            t = self._unpack(self._value)
        finally:
            grad_mode.interceptor = interceptor
        if not isinstance(t, Variable):
            raise TypeError(
                f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(t).__name__}"
            )
        return t


class PackedPlan:
    """A node's plan where the saved arrays are packed."""

    __slots__ = ("_plan", "guarded", "names", "op", "tensors")

    def __init__(self, plan: Any) -> None:
        self._plan = plan
        self.guarded, self.names, self.op, self.tensors = plan.guarded, plan.names, plan.op, plan.tensors

    def _arrays(self, saved: Any) -> Any:
        return tuple(tuple(_array(x) for x in entry) if type(entry) is tuple else _array(entry) for entry in saved)

    def run(self, m: Any, g: Any, saved: Any) -> Any:
        return self._plan.run(m, g, self._arrays(saved))

    def saved_tensors(self, node: Any, saved: Any = None) -> Any:
        return self._plan.saved_tensors(node, self._arrays(node.saved if saved is None else saved))

    def plain_tensors(self, node: Any) -> Any:
        return self._plan.mapped(self._arrays(node.saved), lambda a, _: wrap(a, node.backend))

    def saved_attribute(self, node: Any, name: str) -> Any:
        node.check()
        return self.saved_tensors(node)[self._plan.position(node, name)]

    def describe_saved(self, node: Any, which: int) -> tuple[str, Any]:
        return "saved tensor", "?"


def _array(x: Any) -> Any:
    return x.tensor()._array if type(x) is Packed else x


def pack_saved(node: Any, inputs: Any, result: Any) -> None:
    """Packs what a record's node has just saved."""
    plan = node.plan
    saved = list(node.saved)
    for position, which in plan.tensors:
        if which is None and isinstance(saved[position], tuple):
            saved[position] = tuple(Packed(wrap(a, node.backend)) for a in saved[position])
        elif which is None:
            saved[position] = Packed(_tensor(result, saved[position], node))
        elif which < 0:
            saved[position] = tuple(
                Packed(_tensor(t, a, node)) if isinstance(t, Variable) else a
                for t, a in zip(inputs, saved[position], strict=True)
            )
        elif isinstance(inputs[which], Variable):
            saved[position] = Packed(_tensor(inputs[which], saved[position], node))
    node.saved, node.guards = tuple(saved), ()
    node.plan = PackedPlan(plan)
    node._hooks()  # backward goes the way of nodes with hooks, since the user's code runs there


def _tensor(t: Any, array: Any, node: Any) -> Any:
    """The tensor whose ``array`` was saved: itself, unless what was saved is a converted copy."""
    return t if t is not None and t._array is array else wrap(array, node.backend)


def push_hooks(pack: Callable[[Any], Any], unpack: Callable[[Any], Any], interceptor: Any) -> None:
    """Lets ``pack`` and ``unpack`` keep what is saved from now on.

    Raises:
        RuntimeError: where that is disabled now.
    """
    if grad_mode.hooks_refused is not None:
        raise RuntimeError(grad_mode.hooks_refused)
    grad_mode.hooks = (*grad_mode.hooks, (pack, unpack))
    if grad_mode.interceptor is None:
        grad_mode.interceptor = interceptor


def pop_hooks() -> None:
    grad_mode.hooks = grad_mode.hooks[:-1]
    if not grad_mode.hooks and not grad_mode.levels:
        grad_mode.interceptor = None
