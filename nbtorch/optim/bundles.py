"""Small parameters that take their step together, as one vector.

An elementwise rule makes about a dozen calls for each parameter, and on a small one they cost more than its numbers do.
So the small parameters of a group are bundled: their gradients and their values are laid one after the other, the rule
runs once, and the values go back. What the optimiser remembers of them lies one after the other all the time; the
tensors in ``optimizer.state`` stay the objects they were and show their piece of it.

Parameters, gradients and state belong to the user as well, who may exchange any of them between two steps. Each step
therefore looks whether everything is what it was, by identity; where it is not, the parameters take their step one by
one, and the bundles are made anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import is_
from sys import getrefcount
from typing import Any

from ..autograd.variable import Where
from ..tensor import Tensor
from .arrays import mark_changed, same_kind

__all__ = ["Bundle", "Plan"]


# How many numbers a bundle has at most: beyond, calls cost little, and what is laid together takes memory.
_SHORTEST, _LONGEST = 1 << 10, 1 << 13


class Bundle:
    """Some parameters of one dtype and device, each with a gradient, and what is remembered of them.

    Attributes:
        values: the parameters' values, laid out anew in each step.
        held: by name the state that has the parameters' shapes, one after the other.
        counts: by name the state that is one number for each parameter.

    Args:
        params: the parameters.
        states: what is remembered of each, by name.
        scalars: which names stand for single numbers.
        scratch: room for the values and for the gradients during a step, as long as all parameters or longer.
    """

    __slots__ = (
        "_arrays",
        "_gradients",
        "_inside",
        "_pieces",
        "_shapes",
        "_tensors",
        "backend",
        "counts",
        "held",
        "params",
        "values",
    )

    def __init__(
        self,
        params: list[Tensor],
        states: list[dict[str, Tensor]],
        scalars: Sequence[str],
        scratch: tuple[Any, Any],
    ) -> None:
        self.params = params
        self.backend = backend = params[0]._backend
        self._arrays = [p._array for p in params]
        self._shapes = shapes = [a.shape for a in self._arrays]
        size = sum(a.size for a in self._arrays)
        self.values, self._gradients = scratch[0][:size], scratch[1][:size]
        self._pieces = backend.pieces(self.values, shapes)
        self.held: dict[str, Any] = {}
        self.counts: dict[str, Any] = {}
        for name in states[0]:
            arrays = [state[name]._array for state in states]
            home = states[0][name]._backend
            joined = home.joined(arrays)
            for state, piece in zip(states, home.pieces(joined, [a.shape for a in arrays]), strict=True):
                state[name]._array = piece
            (self.counts if name in scalars else self.held)[name] = joined
        self._tensors = list(chain.from_iterable(map(dict.values, states)))
        self._inside = [t._array for t in self._tensors]

    def gradients(self, state: Any) -> Any:
        """The gradients one after the other; None where a parameter, a gradient or the state isn't what it was."""
        params = self.params
        try:
            grads = [p._grad._array for p in params]  # type: ignore[union-attr]
            if self._tensors:
                tensors = list(chain.from_iterable(map(dict.values, map(state.get, params))))
                if not (
                    len(tensors) == len(self._tensors)
                    and all(map(is_, tensors, self._tensors))
                    and all(map(is_, [t._array for t in tensors], self._inside))
                ):
                    return None
        except (AttributeError, TypeError):
            return None
        if [g.shape for g in grads] != self._shapes or not all(map(is_, [p._array for p in params], self._arrays)):
            return None
        if [g.dtype for g in grads].count(self.values.dtype) != len(grads):
            return None
        return self.backend.joined(grads, self._gradients)

    def numbers(self) -> dict[str, float] | None:
        """The state that is one number for each parameter; None where it isn't the same for all."""
        found = {}
        for name, array in self.counts.items():
            values = array.tolist()
            if values.count(values[0]) != len(values):
                return None
            found[name] = values[0]
        return found

    def gather(self) -> Any:
        """The parameters' values, one after the other."""
        return self.backend.joined(self._arrays, self.values)

    def scatter(self, numbers: dict[str, float], where: Where | None) -> None:
        """Gives the parameters the values that were computed, and keeps the numbers."""
        for name, array in self.counts.items():
            array[...] = numbers[name]
        for p, array, piece in zip(self.params, self._arrays, self._pieces, strict=True):
            array[...] = piece
            storage = p._storage
            if storage is not None:
                storage.version += 1
                storage.changed = where
        for t in self._tensors:
            if t._storage is not None:
                mark_changed(t, where)


class Plan:
    """Which parameters of a group step together, and which one by one.

    Attributes:
        bundles: those that step together.
        rest: those that step by themselves.
    """

    __slots__ = ("_misses", "_names", "_params", "_steps", "_without", "bundles", "rest")

    def __init__(self) -> None:
        self.bundles: list[Bundle] = []
        self.rest: list[Tensor] = []
        self._params: list[Tensor] = []
        self._without: list[Tensor] = []
        self._names: tuple[Sequence[str], Sequence[str]] = ((), ())
        self._steps = self._misses = 0

    def fits(self, params: list[Tensor], entries: Sequence[str], scalars: Sequence[str]) -> bool:
        """Whether the plan is for these parameters and this state, and none has got its first gradient since."""
        if (
            self._names != (entries, scalars)
            or len(params) != len(self._params)
            or not all(map(is_, params, self._params))
        ):
            return False
        for p in self._without:
            if p._grad is not None:
                return False
        self._steps += 1
        return True

    def missed(self) -> None:
        """Something was exchanged: the next step plans anew, unless that happens all the time."""
        self._misses += 1
        self._params = []

    def make(
        self, params: list[Tensor], state: Any, entries: Sequence[str], scalars: Sequence[str], small: int
    ) -> None:
        """Bundles what fits together.

        Args:
            params: the parameters of the group.
            state: the optimiser's.
            entries: the names of what has the parameters' shapes, in a parameter's state.
            scalars: the names of the single numbers there.
            small: how many numbers a parameter may have at most.
        """
        self.bundles, self.rest, self._params = [], params, list(params)
        self._names = (entries, scalars)
        self._without = [p for p in params if p._grad is None]
        if (entries or scalars) and not all(state.get(p) for p in params if p._grad is not None):
            self._params = []  # the first step makes the state; the next one plans
            return
        if self._misses > 8 and self._misses * 4 > self._steps:
            self._without = []
            return
        # What a bundle needs besides is a small part of what the parameters take.
        limit = min(_LONGEST, max(_SHORTEST, sum(p._array.size for p in params) // 8))
        alike: dict[Any, list[Tensor]] = {}
        seen: set[int] = set()
        for p in _apart([p for p in params if _is_small(p, min(small, limit))]):
            key = _kind(p, state, entries, scalars, seen)
            if key is not None:
                alike.setdefault(key, []).append(p)
        taken: set[int] = set()
        for members in alike.values():
            portions = _portions(members, limit)
            longest = max((sum(p._array.size for p in portion) for portion in portions), default=0)
            first = members[0]
            room = first._backend.empty((2, longest), first._array.dtype)
            for bundled in portions:
                states = [state[p] if entries or scalars else {} for p in bundled]
                self.bundles.append(Bundle(bundled, states, scalars, (room[0], room[1])))
                taken.update(map(id, bundled))
        self.rest = [p for p in params if id(p) not in taken]


def _portions(members: list[Tensor], limit: int) -> list[list[Tensor]]:
    """The members in portions of at most ``limit`` numbers; none that is alone."""
    portions: list[list[Tensor]] = []
    room = 0
    for p in members:
        if p._array.size > room:
            portions.append([])
            room = limit
        portions[-1].append(p)
        room -= p._array.size
    return [portion for portion in portions if len(portion) > 1]


def _apart(params: list[Tensor]) -> list[Tensor]:
    """Those that share no memory with each other."""
    found, end = [], -1
    for p in sorted(params, key=lambda p: p._backend.address(p._array)):
        start = p._backend.address(p._array)
        if start >= end:
            found.append(p)
            end = start + p._array.nbytes
    order = {id(p): place for place, p in enumerate(params)}
    return sorted(found, key=lambda p: order[id(p)])


def _is_small(p: Tensor, small: int) -> bool:
    array, grad = p._array, p._grad
    return (
        type(p).grad is Tensor.grad
        and isinstance(grad, Tensor)
        and 0 < array.size <= small
        and array.flags.c_contiguous
        and same_kind(p, grad)
    )


def _kind(p: Tensor, state: Any, entries: Sequence[str], scalars: Sequence[str], seen: set[int]) -> Any:
    """What parameters of one bundle have in common; None for a parameter that can't be in one.

    Args:
        seen: the tensors of other parameters' state, by identity; those of ``p`` are added.
    """
    array, backend = p._array, p._backend
    kind: list[Any] = [backend, array.dtype]
    if entries or scalars:
        own = state.get(p)
        if not own:
            return None
        for name, t in own.items():
            if not isinstance(t, Tensor) or id(t) in seen or not _alone(t):
                return None
            seen.add(id(t))
            inner = t._array
            if name in scalars:
                if inner.shape or inner.dtype.kind != "f" or t._backend.device.type != "cpu":
                    return None
                kind += (name, float(inner), t._backend, inner.dtype)
            elif name in entries:
                if inner.shape != array.shape or inner.dtype is not array.dtype or t._backend is not backend:
                    return None
                kind.append(name)
            else:
                return None
    return tuple(kind)


def _alone(t: Tensor) -> bool:
    """Whether no other tensor, no NumPy array and no graph knows of the tensor's memory, so that it can move."""
    storage = t._storage
    return t._view is None and (
        storage is None or (storage.exports is None and storage.origin is None and getrefcount(storage) == 3)
    )
