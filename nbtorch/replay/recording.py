"""Runs one step for real and records it: every tensor's array is stood in for, and what the step changes is noted."""

from __future__ import annotations

import builtins
import gc
import inspect
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from copy import copy
from itertools import compress
from typing import Any

import numpy as np

from ..autograd.node import FREED, Node
from ..autograd.variable import Variable
from ..backends import device, host
from ..ops import distributions
from ..ops.generator import Generator
from ..optim import Optimizer
from ..optim.lr_scheduler import LRScheduler
from .arrays import ReadFloat, ReadInt, Recorded, RecordedArray, plain
from .reach import Reach
from .tape import STATIC, Ref, Tape, root_of

__all__ = ["Given", "Grad", "Kept", "Output", "Recording", "record"]

_WRITING = {"add_at": 0, "reduce_at": 0}  # primitives that write to their first argument
# Primitives that are short compositions of NumPy's functions as long as their argument is small: these functions are
# recorded in their place.
_COMPOSED = frozenset(("mean", "sum", "sum_to_size"))
_SMALL = 1024
_one_at_a_time = threading.RLock()


class Output:
    """A tensor that the step returns.

    Attributes:
        value: the number of its array on the tape.
        tensor: what the recorded step returned.
    """

    __slots__ = ("tensor", "value")

    def __init__(self, value: int, tensor: Any) -> None:
        self.value, self.tensor = value, tensor


class Given:
    """An argument, returned as it is.

    Attributes:
        value: its position.
    """

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value


class Kept:
    """Something returned as it is: a tensor that was there before, or another object."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing


class Grad:
    """What a tensor's ``.grad`` becomes: a new tensor with this value, or None for -1."""

    __slots__ = ("tensor", "value", "version")

    def __init__(self, tensor: Any, value: int, version: int) -> None:
        self.tensor, self.value, self.version = tensor, value, version


class Recording:
    """A recorded step.

    Attributes:
        tape: its calls.
        result: what the step returned.
        returned: the same with Outputs for tensors, Refs for numbers that were read.
        grads: for each noted optimizer call, and at last for the end, what became of gradients.
        present: for each noted call of an optimizer the ids of the parameters that had a gradient.
        fixed: arguments that have to be the same tensor in each call, with their positions.
        lasting: the values in memory that the recording before had, too: what is in it may change.
        entry: for each tensor whose gradient changed, whether it had one before.
        touched: storages and how many changes they counted.
        reach: what Python objects the step can reach.
    """

    def __init__(self, reach: Reach) -> None:
        self.tape = Tape()
        self.reach = reach
        self.result: Any = None
        self.returned: Any = None
        self.grads: list[list[Grad]] = []
        self.present: list[set[int]] = []
        self.fixed: list[tuple[int, Any]] = []
        self.lasting: set[int] = set()
        self.entry: list[tuple[Any, bool]] = []
        self.touched: list[tuple[Any, int]] = []


def _kinds(*bases: type) -> frozenset[type]:
    """These classes and all that are derived from them."""
    found: set[type] = set(bases)
    stack = list(bases)
    while stack:
        derived: list[type] = type.__subclasses__(stack.pop())
        for cls in derived:
            if cls not in found:
                found.add(cls)
                stack.append(cls)
    return frozenset(found)


class _Heap:
    """The objects that there are, as the garbage collector knows them.

    While it is open nothing is collected by itself, so that all that is new stands in the youngest generation, and
    looking for what is new takes little time.
    """

    def __init__(self) -> None:
        self._enabled = gc.isenabled()
        self._collected = False
        gc.callbacks.append(self._note)
        gc.disable()

    def _note(self, phase: str, info: dict[str, Any]) -> None:
        self._collected = True

    def all(self, *bases: type) -> list[Any]:
        """Every object of these classes."""
        objects = gc.get_objects()
        return list(compress(objects, map(_kinds(*bases).__contains__, map(type, objects))))

    def new(self, *bases: type) -> list[Any]:
        """At least those that were made since the heap was opened."""
        kinds = _kinds(*bases)
        return [x for x in gc.get_objects(None if self._collected else 0) if type(x) in kinds]

    def close(self) -> None:
        """Collects again as before."""
        gc.callbacks.remove(self._note)
        if self._enabled:
            gc.enable()


def _is_made(t: Any) -> bool:
    """Whether a tensor has all its parts: another thread may be about to make one."""
    return getattr(t, "_view", _is_made) is not _is_made and getattr(t, "_backend", None) is not None


def _restore_array(x: Any) -> None:
    """Gives a tensor or a node its arrays back."""
    if isinstance(x, Variable):
        array = getattr(x, "_array", None)
        if isinstance(array, Recorded):
            x._array = np.asarray(array._real)
    else:
        saved = getattr(x, "saved", None)
        if isinstance(saved, tuple):
            x.saved = plain(saved)


class _Patch:
    """Attributes that are other ones for a while."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, str, Any]] = []

    def set(self, thing: Any, name: str, value: Any) -> None:
        own = vars(thing)
        self._before.append((thing, name, own.get(name, _Patch)))
        setattr(thing, name, value)

    def undo(self) -> None:
        for thing, name, before in reversed(self._before):
            if before is _Patch:
                delattr(thing, name)
            else:
                setattr(thing, name, before)
        self._before.clear()


class _Recorder:
    """The work of :func:`record`."""

    def __init__(self, recording: Recording, arguments: tuple[Any, ...]) -> None:
        self.recording, self.tape = recording, recording.tape
        self.arguments = arguments
        self.heap = _Heap()
        self.primitives = _Patch()
        self.others = _Patch()
        self.before: dict[int, Any] = {}  # the tensors that were there before, or that an optimizer made
        self.made: dict[int, Any] = {}  # those that the step made before it called an optimizer
        self.arrays: dict[int, Any] = {}
        self.grads: dict[int, Any] = {}
        self.versions: dict[int, tuple[Any, int]] = {}
        self.left = False

    # -- in and out ---
    def enter(self) -> None:
        tape = self.tape
        # A tensor that the step also reaches by another way is that tensor, not whichever is given to the step.
        others = {id(t._array) for t in self.recording.reach.tensors}
        for position, t in enumerate(self.arguments):
            if id(t._array) in others:
                self.recording.fixed.append((position, t))
            else:
                tape.stand_in(t._array, "argument", position)
        things = self.heap.all(Variable, Optimizer, LRScheduler)
        self._stand_in([t for t in things if isinstance(t, Variable) and _is_made(t)])
        for t in self.before.values():
            self.grads[id(t)] = t._grad
        for owner in things:
            if not isinstance(owner, Variable):
                self._wrap_step(owner)
        for name, function in inspect.getmembers(distributions, inspect.isfunction):
            if next(iter(function.__code__.co_varnames), "") == "g" and function.__code__.co_argcount:
                self.others.set(distributions, name, self._drawing(name, function))
        for name in ("manual_seed", "set_state", "seed"):
            self.others.set(Generator, name, self._seeding(name, vars(Generator)[name]))
        self.others.set(builtins, "print", self._printing(builtins.print))
        tape.active = True

    def _stand_in(self, tensors: list[Any]) -> None:
        """Recorded arrays take the place of tensors' arrays, and recording primitives that of the host's."""
        tape = self.tape
        for t in tensors:
            if id(t) not in self.made:
                self.before[id(t)] = t
        for t in tensors:
            g = t._grad
            if g is not None and g._backend is host and tape.of(g._array) < 0:
                tape.stand_in(g._array, "grad", t)
        for t in tensors:
            storage = t._storage
            if storage is not None and id(t) in self.before:
                self.versions.setdefault(id(storage), (storage, storage.version))
            if t._backend is host and type(t._array) is np.ndarray:
                own = id(t) in self.before
                if own:
                    self.arrays[id(t)] = t._array
                t._array = tape.stand_in(t._array, "tensor", [weakref.ref(t)] if own else [])
        real = copy(host)
        for name, function in inspect.getmembers(real, callable):
            if not name.startswith("_") and not isinstance(function, (type, device)):
                self.primitives.set(host, name, self._primitive(name, function))
        self.primitives.set(host, "ndarray", RecordedArray)

    def _pause(self) -> None:
        self.tape.busy = True
        self.primitives.undo()
        self._count()
        self._restore()
        self.made = {id(t): t for t in self._new_tensors()}

    def _resume(self) -> None:
        self.versions.clear()
        self._stand_in([*self.before.values(), *self._new_tensors()])
        self.made.clear()
        self.tape.busy = False

    def leave(self) -> None:
        if self.left:
            return
        self.left = True
        self.tape.active = False
        self.others.undo()
        self.primitives.undo()
        self._count()
        self._restore()

    def _new_tensors(self) -> list[Any]:
        return [t for t in self.heap.new(Variable) if id(t) not in self.before and _is_made(t)]

    def _restore(self) -> None:
        for t in self.before.values():
            _restore_array(t)
        for x in self.heap.new(Variable, Node):
            _restore_array(x)
        self._check_arrays()

    def _count(self) -> None:
        """Adds up how many changes in place were counted."""
        for storage, version in self.versions.values():
            if storage.version != version:
                self.recording.touched.append((storage, storage.version - version))
        for t in self.before.values():
            storage = t._storage
            if storage is not None and id(storage) not in self.versions and storage.version:
                self.recording.touched.append((storage, storage.version))
                self.versions[id(storage)] = (storage, storage.version)

    def _check_arrays(self) -> None:
        for t in self.before.values():
            array = self.arrays.get(id(t))
            if array is not None and t._array is not array:
                self._broken("a tensor's memory is replaced by other memory (by .data, for example)", "memory")

    def _broken(self, reason: str, kind: str) -> None:
        before, self.tape.active = self.tape.active, True
        self.tape.broken(reason, kind)
        self.tape.active = before

    # -- what is noted ---
    def _primitive(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        tape = self.tape
        if name in STATIC:
            return lambda *args, **kwargs: function(*plain(args), **plain(kwargs))
        if name in ("to_host", "from_host"):

            def moved(array: Any) -> Any:
                if isinstance(array, Recorded) or not tape.active or tape.busy or tape.thread != threading.get_ident():
                    return array
                return tape.recorded(function(array))

            return moved
        if name == "as_array":

            def as_array(x: Any) -> Any:
                if type(x) is RecordedArray:
                    return x
                return tape.call("host", "as_array", np.asarray, (x,), {})

            return as_array
        if isinstance(function, np.ufunc):

            def ufunc(*args: Any, **kwargs: Any) -> Any:
                outs = args[function.nin :] + tuple(o for o in (kwargs.get("out"),) if o is not None)
                if kwargs:
                    return tape.call("numpy", f"{name}.__call__", function, args, kwargs, outs)
                return tape.call("ufunc", function.__name__, function, args, {}, outs)

            return ufunc

        def primitive(*args: Any, **kwargs: Any) -> Any:
            if name in _COMPOSED and args[0].size < _SMALL and tape.active and not tape.busy:
                return function(*args, **kwargs)  # its own calls are recorded
            writes = (args[_WRITING[name]],) if name in _WRITING else ()
            return tape.call("host", name, function, args, kwargs, writes)

        return primitive

    def _drawing(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: self.tape.call("draw", name, function, args, kwargs)

    def _seeding(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def seeding(generator: Generator, *args: Any) -> Any:
            self.tape.broken("a generator of random numbers is seeded", "seed")
            return function(generator, *args)

        return seeding

    def _printing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def printing(*args: Any, **kwargs: Any) -> Any:
            self.tape.broken("the step prints, which a replay would not do", "state")
            return function(*args, **kwargs)

        return printing

    def _wrap_step(self, owner: Any) -> None:
        """The step of an optimizer or of a schedule is run for real, and again at each replay."""
        step = owner.step
        tape = self.tape

        def real_step(*args: Any, **kwargs: Any) -> Any:
            if not tape.active or tape.busy or tape.thread != threading.get_ident():
                return step(*args, **kwargs)
            if args or kwargs:
                tape.broken(f"{type(owner).__name__}.step is given arguments", "arguments")
            self.check_state()
            optimizer = owner if isinstance(owner, Optimizer) else owner.optimizer
            changed = self._changed_grads()
            present = {id(p) for group in optimizer.param_groups for p in group["params"] if p.grad is not None}
            self._pause()
            try:
                result = step(*args, **kwargs)
                writes = [root_of(t._array) for t in _of_optimizer(optimizer)]
            finally:
                self._resume()
                self.recording.reach.refresh()
            if owner is optimizer or tape.reason is None:
                call = tape.note("python", type(owner).__name__, owner, writes)
                call.args = tuple((id(g.tensor), g.value) for g in changed)
                self.recording.grads.append(changed)
                self.recording.present.append(present)
            return result

        self.others.set(owner, "step", real_step)

    def _changed_grads(self) -> list[Grad]:
        """The gradients that changed since this was last asked."""
        changed = []
        for t in self.before.values():
            held, g = self.grads.get(id(t)), t._grad
            if held is g:
                continue
            if all(t is not other for other, _ in self.recording.entry):
                self.recording.entry.append((t, held is not None))
            self.grads[id(t)] = g
            if g is None:
                changed.append(Grad(t, -1, 0))
            elif t._backend is not host or g._requires_grad or id(g) in self.before:
                self._broken("a tensor gets a gradient that can't be made anew", "grad")
            else:
                array = g._array
                value = self.tape.recorded(array._real if isinstance(array, Recorded) else array)._value
                changed.append(Grad(t, value, 0 if g._storage is None else g._storage.version))
            if any(t is argument for argument in self.arguments):
                self._broken("an argument of the step gets a gradient", "grad")
        return sorted(changed, key=lambda grad: id(grad.tensor))

    def check_state(self) -> None:
        """Notes where the step changed Python objects."""
        changed = self.recording.reach.changed()
        if changed is not None:
            self.tape.broken(f"the step changes {changed}, which a replay would not do", "state")

    # -- the end ---
    def finish(self, box: list[Any]) -> None:
        """After the step: its result (taken out of ``box``), the gradients it left, and what it keeps."""
        result = box.pop()
        recording, tape = self.recording, self.tape
        self.check_state()
        recording.grads.append(self._changed_grads())
        made: list[Any] = []
        recording.returned = self._returned(result, made)
        recording.result = _real_result(result)
        del result
        self.leave()
        given = {id(root_of(t._array)) for t in self.arguments}
        if any(id(root) in given for call in tape.calls for root in call.writes):
            self._broken("an argument of the step is changed in place", "argument in place")
        if tape.reason is None:
            self._check_kept(made)

    def _returned(self, x: Any, made: list[Any]) -> Any:
        if isinstance(x, (ReadFloat, ReadInt)):
            return Ref(x.value)
        for number, value in self.tape.exact:
            if x is number:
                return Ref(value)
        if isinstance(x, Variable):
            for position, argument in enumerate(self.arguments):
                if x is argument:
                    return Given(position)
            if id(x) in self.before:
                return Kept(x)
            made.append(x)
            if x._backend is not host:
                self._broken("a tensor of another device is returned", "device")
                return Kept(x)
            if x._view is not None and id(x._view.base) in self.before:
                self._broken("a view of a tensor that was there before is returned", "view")
            if x._grad_fn is not None and not _is_done(x._grad_fn):
                self._broken("a tensor is returned that can still be differentiated", "graph")
            array = x._array
            return Output(self.tape.recorded(array._real if isinstance(array, Recorded) else array)._value, x)
        if type(x) is tuple or type(x) is list:
            return type(x)([self._returned(i, made) for i in x])
        if type(x) is dict:
            return {k: self._returned(v, made) for k, v in x.items()}
        return Kept(x)

    def _check_kept(self, made: list[Any]) -> None:
        """Looks for tensors and numbers that the step made and that something else than its result keeps."""
        allowed = {id(t) for t in made} | self.before.keys()
        for grads in self.recording.grads:
            allowed |= {id(g.tensor._grad) for g in grads}
        for t in made:
            allowed |= _behind(t)
        for attempt in range(2):
            kept = [t for t in self._new_tensors() if id(t) not in allowed and self.tape.of(t._array) >= 0]
            if not kept:
                break
            if attempt == 0:
                kept = []
                gc.collect()
        if kept:
            shape = tuple(kept[0]._array.shape)
            self._broken(f"the step keeps a tensor that it made, of shape {shape}, without returning it", "kept")
        for read in self.tape.reads:
            if sys.getrefcount(read) > 3:
                self._broken("a number read from a tensor is kept", "number")


def _of_optimizer(optimizer: Any) -> Iterator[Any]:
    for group in optimizer.param_groups:
        for p in group["params"]:
            yield p
            for value in optimizer.state.get(p, {}).values():
                if isinstance(value, Variable):
                    yield value


def _is_done(node: Any) -> bool:
    """Whether the graph behind a node holds no arrays any more."""
    seen, stack = {id(node)}, [node]
    while stack:
        n = stack.pop()
        if n.saved is not FREED and (n.guards or n.plan is None or n.plan.guarded):
            return False
        for e in n.edges:
            if e is not None and e._is_node and id(e) not in seen:
                seen.add(id(e))
                stack.append(e)
    return True


def _behind(t: Any) -> set[int]:
    """The tensors that a result keeps alive: what it is a view of, and leaves of its graph."""
    found = set()
    if t._view is not None:
        found.add(id(t._view.base))
    seen, stack = set(), [t._grad_fn]
    while stack:
        n = stack.pop()
        if n is None or id(n) in seen:
            continue
        seen.add(id(n))
        for e in n.edges:
            if e is not None and e._is_node:
                stack.append(e)
            elif e is not None:
                found.add(id(e))
    return found


def _real_result(x: Any) -> Any:
    if type(x) is tuple or type(x) is list:
        return type(x)([_real_result(i) for i in x])
    if type(x) is dict:
        return {k: _real_result(v) for k, v in x.items()}
    return x.number() if isinstance(x, (ReadFloat, ReadInt)) else x


def record(step: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], reach: Reach) -> Recording:
    """Runs ``step(*args, **kwargs)`` once, for real, and records it.

    Raises:
        Exception: what the step raises; everything is then as after an ordinary call.
    """
    recording = Recording(reach)
    arguments = tuple(a for a in (*args, *kwargs.values()) if isinstance(a, Variable))
    with _one_at_a_time:
        recorder = _Recorder(recording, arguments)
        try:
            recorder.enter()
            recorder.finish([step(*args, **kwargs)])
        finally:
            recorder.leave()
            recorder.heap.close()
    return recording
