"""Snapshots: everything that a run must put back to go on from an earlier step exactly as it did then.

A snapshot lies in host memory: the model's and optimizer's states with their gradients, the states of all random
streams, and the place in the data. How many there are is bounded, by number and by bytes; when one goes, it is one that
leaves a small gap for its age, so that the recent past is dense and the beginning stays.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nbtorch_widgets.batches import Place
from nbtorch_widgets.history import Branch, lineage
from nbtorch_widgets.randomness import Randomness
from nbtorch_widgets.telemetry import Counters


class RewindError(RuntimeError):
    """A run could not go back; everything is as it was before."""


class Snapshots(NamedTuple):
    """How `watch` keeps snapshots: `watch(..., snapshots=Snapshots(every=50, keep=16))`."""

    every: int
    """One every this many steps, and one before the first."""
    keep: int = 32
    """At most this many."""
    megabytes: float = 1024.0
    """At most this much memory, all together."""


class State(NamedTuple):
    """A model and what trains it, copied."""

    model: Any
    gradients: list[Any]
    modes: list[bool]
    """`training` of each module."""
    optimizers: list[Any]
    schedulers: list[Any]
    randomness: Randomness


class Snapshot(NamedTuple):
    branch: int
    taken: int
    """How many snapshots had been taken before."""
    counters: Counters
    state: State
    place: Place | None
    """Where the loop stood in its data; None for a loop of the user's own."""
    clip: float | None
    size: int
    """In bytes."""

    @property
    def step(self) -> int:
        return self.counters.step


class Subject:
    """What is copied and put back: a model, and its optimizers and schedulers."""

    def __init__(
        self, model: Any, named: Sequence[tuple[str, Any]], optimizers: Sequence[Any], schedulers: Sequence[Any]
    ) -> None:
        self._model = model
        self._named = named
        self._optimizers = optimizers
        self._schedulers = schedulers

    @property
    def modules(self) -> list[Any]:
        modules = getattr(self._model, "modules", None)
        return list(modules()) if callable(modules) else []

    def copy(self, generators: Sequence[Any]) -> State:
        """Everything as it is now; what the loop does next doesn't change it."""
        return State(
            copied(self._model.state_dict()) if _has_state(self._model) else [_data(n, p) for n, p in self._named],
            [copied(getattr(parameter, "grad", None)) for _, parameter in self._named],
            [bool(getattr(module, "training", False)) for module in self.modules],
            [self._copy_of(optimizer) for optimizer in self._optimizers],
            [self._copy_of(scheduler) for scheduler in self._schedulers],
            Randomness(generators),
        )

    def put_back(self, state: State) -> None:
        """Make everything as it was, in the same objects."""
        if _has_state(self._model):
            self._model.load_state_dict(copied(state.model))
        else:
            for (_, parameter), data in zip(self._named, state.model, strict=True):
                _set_data(parameter, data)
        for (_, parameter), gradient in zip(self._named, state.gradients, strict=True):
            parameter.grad = copied(gradient) if gradient is None else _like(copied(gradient), parameter)
        for module, training in zip(self.modules, state.modes, strict=True):
            if hasattr(module, "training"):
                module.training = training
        for owner, saved in zip(
            (*self._optimizers, *self._schedulers), (*state.optimizers, *state.schedulers), strict=True
        ):
            if _has_state(owner):
                owner.load_state_dict(copied(saved))
            else:
                vars(owner).update(copy.deepcopy(saved, self._kept()))
        state.randomness.restore()

    def check(self, state: State) -> None:
        """Whether `state` fits what there is now.

        Raises:
            RewindError: if it doesn't, or a parameter isn't the tensor any more that the run watches.
        """
        if callable(getattr(self._model, "named_parameters", None)):
            now = {str(name): parameter for name, parameter in self._model.named_parameters()}
        else:
            now = {str(name): parameter for name, parameter in self._model.items()}
        for name, parameter in self._named:
            if now.get(name) is not parameter:
                raise RewindError(f"the parameter {name} is another tensor now than when the run began")
        if len(now) > len(self._named):
            raise RewindError("the model has more parameters now than when the run began")
        if _has_state(self._model):
            current = self._model.state_dict()
            for name in {**current, **state.model}:
                shapes = [_shape(of[name]) if name in of else "missing" for of in (current, state.model)]
                if shapes[0] != shapes[1]:
                    raise RewindError(f"{name} doesn't fit: {shapes[0]} now, {shapes[1]} in the snapshot")
        for optimizer, saved in zip(self._optimizers, state.optimizers, strict=True):
            if not (_has_state(optimizer) and isinstance(saved, dict) and "param_groups" in saved):
                continue
            sizes = [len(group["params"]) for group in optimizer.param_groups]
            if sizes != [len(group["params"]) for group in saved["param_groups"]]:
                raise RewindError(f"{type(optimizer).__name__} has other parameter groups now than in the snapshot")
        if len(self.modules) != len(state.modes):
            raise RewindError("the model has other modules now than in the snapshot")

    def _copy_of(self, owner: Any) -> Any:
        if _has_state(owner):
            return copied(owner.state_dict())
        return copy.deepcopy(vars(owner), self._kept())

    def _kept(self) -> dict[int, Any]:
        """What a deep copy leaves as it is: the objects that others hold, too."""
        kept = [self._model, *(p for _, p in self._named), *self._optimizers, *self._schedulers]
        return {id(thing): thing for thing in kept}


def _has_state(owner: Any) -> bool:
    return callable(getattr(owner, "state_dict", None)) and callable(getattr(owner, "load_state_dict", None))


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "detach") and hasattr(value, "clone") and hasattr(value, "shape")


def copied(value: Any) -> Any:
    """A deep copy of a state, its tensors in host memory."""
    if _is_tensor(value):
        tensor = value.detach()
        on_device = str(getattr(getattr(tensor, "device", None), "type", "cpu")) != "cpu"
        return tensor.cpu() if on_device else tensor.clone()
    if isinstance(value, Mapping) and hasattr(value, "copy"):
        # A copy first, for the type and what else it carries: PyTorch's state_dict has versions in an attribute.
        made: Any = copy.copy(value)
        for key, each in value.items():
            made[key] = copied(each)
        return made
    if type(value) in (list, tuple):
        return type(value)(copied(each) for each in value)
    return copy.deepcopy(value)


def _like(gradient: Any, parameter: Any) -> Any:
    """The gradient where its parameter lives."""
    device = getattr(parameter, "device", None)
    return gradient.to(device) if _is_tensor(gradient) and str(gradient.device) != str(device) else gradient


def _data(name: str, parameter: Any) -> Any:
    """The numbers of a parameter of a model without `state_dict`."""
    if _is_tensor(parameter) or isinstance(parameter, np.ndarray):
        return copied(parameter)
    if not hasattr(parameter, "data"):
        raise RewindError(f"the parameter {name} has no data that could be copied")
    return copied(parameter.data)


def _set_data(parameter: Any, data: Any) -> None:
    if _is_tensor(parameter):
        parameter.detach().copy_(data)
    elif isinstance(parameter, np.ndarray):
        parameter[...] = data
    elif isinstance(parameter.data, np.ndarray) and parameter.data.shape == np.shape(data):
        parameter.data[...] = data
    else:
        parameter.data = copied(data)


def _shape(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return "a value" if shape is None else f"[{', '.join(str(n) for n in shape)}]"


def size(value: Any) -> int:
    """Bytes of the tensors and arrays in a state."""
    if _is_tensor(value):
        return int(value.numel()) * int(value.element_size())
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, Mapping):
        return sum(map(size, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(size, value))
    return 0


class Keeper:
    """The snapshots of a run."""

    def __init__(self, limits: Snapshots) -> None:
        self.limits = limits
        self._kept: list[Snapshot] = []
        self._taken = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(snapshot.size for snapshot in self._kept)

    @property
    def steps(self) -> list[tuple[int, int]]:
        """[branch, step] of each."""
        return [(snapshot.branch, snapshot.step) for snapshot in self._kept]

    def add(self, branch: int, counters: Counters, state: State, place: Place | None, clip: float | None) -> bool:
        """Keep one more, and let others go; False if it alone is larger than all may be."""
        snapshot = Snapshot(branch, self._taken, counters, state, place, clip, size(state[:5]))
        if snapshot.size > self.limits.megabytes * 1e6:
            return False
        self._taken += 1
        self._kept.append(snapshot)
        while len(self._kept) > max(1, self.limits.keep) or self.size > self.limits.megabytes * 1e6:
            del self._kept[self._least_useful()]
        return True

    def _least_useful(self) -> int:
        """The one that leaves the smallest gap for its age; the first and the newest stay if others can go."""
        if len(self._kept) < 3:
            return 0

        def gap(index: int) -> float:
            before, one, after = self._kept[index - 1 : index + 2]
            start = before.step if before.branch == one.branch else 0
            end = after.step if after.branch == one.branch else one.step
            return (end - start) / (self._taken - one.taken)

        return min(range(1, len(self._kept) - 1), key=gap)

    def find(self, step: int, branches: Sequence[Branch], branch: int | None) -> Snapshot:
        """The last one at or before `step` on the way to the end of `branch` (by default the present one).

        Raises:
            RewindError: if there is none.
        """
        if branch is not None:
            if not 0 <= branch < len(branches):
                raise RewindError(f"expected a branch from 0 to {len(branches) - 1}, got {branch}")
            branches = branches[: branch + 1]
        way = lineage(branches)
        fitting = [s for s in self._kept if s.step <= min(step, way.get(s.branch, -1))]
        if not fitting:
            there = ", ".join(str(s.step) for s in self._kept if s.step <= way.get(s.branch, -1))
            raise RewindError(f"there is no snapshot at or before step {step}; there are some of steps {there or '–'}")
        return max(fitting, key=lambda s: (s.step, s.branch))
