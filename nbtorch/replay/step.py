"""``capture``: a training step that is recorded and then replayed."""

from __future__ import annotations

import functools
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

from ..autograd.modes import grad_mode
from ..autograd.variable import Variable
from ..backends import host
from ..tensor import Tensor
from .program import MISSED, compiled
from .reach import Reach, equal
from .recording import Given, Kept, Output, Recording, record
from .tape import Ref, difference

__all__ = ["Captured", "capture"]

_KINDS = 4  # of arguments that get programs of their own
_PROGRAMS = 4  # for one kind of arguments
_RECORDINGS = 8  # at most, before it is given up
_PLAIN = (bool, int, float, str, type(None))
_FIXES = {
    "number": "read numbers after the step, from the tensors it returns; item() as the last thing is fine too",
    "state": "do that outside the step, with what the step returns",
    "kept": "return the tensor, and keep it outside the step",
    "graph": "call backward() inside the step, or return loss.detach()",
    "memory": "write in place instead, under no_grad: p.copy_(…), p.add_(…)",
    "seed": "seed outside the step",
    "device": "steps are captured on the CPU only",
    "argument in place": "work on a copy, x.clone(), or on a tensor that is not an argument",
    "argument": "give it tensors that require no grad, on the CPU, and plain numbers or strings",
    "tensor": "give it to the step as an argument",
    "changes": "give the step tensors as arguments, and keep what changes from call to call out of it",
    "shape": "choose with torch.where or a product with the mask, whose shapes are known beforehand",
    "arguments": "call step() without arguments; a closure can't be replayed",
}


class _Kind:
    """What is known of the step for one kind of arguments."""

    __slots__ = ("pending", "programs", "recordings")

    def __init__(self) -> None:
        self.programs: list[Callable[..., Any]] = []
        self.pending: list[Any] = []
        self.recordings = 0


class _Now(threading.local):
    recording = False


_now = _Now()


class Captured:
    """A step that is replayed where it can be; called as the step itself is.

    Attributes:
        step: the function that was captured.
        replays: how many calls were replays.
        why_not: why no call is replayed any more; None as long as they are, or may be.
    """

    def __init__(self, step: Callable[..., Any]) -> None:
        if not callable(step):
            raise TypeError(
                f"capture() expects a function, got {type(step).__name__}\n  fix: capture(step), without calling step"
            )
        self.step = step
        self.replays = 0
        self.why_not: str | None = None
        self._kinds: dict[Any, _Kind] = {}
        self._told_of_kinds = False
        functools.update_wrapper(self, step, updated=())

    def __repr__(self) -> str:
        return f"<captured {self._name()}, replayed {self.replays} times>"

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """As a method: each instance has a recording of its own, kept in the instance."""
        if instance is None:
            return self
        bound = Captured(self.step.__get__(instance, owner))
        name = self._name()
        if getattr(type(instance), name, None) is self and hasattr(instance, "__dict__"):
            instance.__dict__[name] = bound
        return bound

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.why_not is not None or _now.recording:
            return self.step(*args, **kwargs)
        key: Any = ()
        tensors: Any = ()
        if args or kwargs:
            key = _key(args, kwargs)
            if isinstance(key, str):
                self._give_up(key, "argument")
                return self.step(*args, **kwargs)
            tensors = [a for a in (*args, *kwargs.values()) if isinstance(a, Variable)]
        kind = self._kinds.get(key)
        if kind is None:
            return self._first(key, args, kwargs)
        programs = kind.programs
        for i, program in enumerate(programs):
            result = program(tensors)
            if result is not MISSED:
                self.replays += 1
                if i:
                    programs.insert(0, programs.pop(i))
                return result
        return self._record(kind, args, kwargs)

    def _first(self, key: Any, args: Any, kwargs: Any) -> Any:
        """The first call with arguments of a kind runs as it is: optimizers make their state, for example."""
        if len(self._kinds) < _KINDS:
            self._kinds[key] = _Kind()
        if len(self._kinds) > 1 and not self._told_of_kinds:
            self._told_of_kinds = True
            warnings.warn(
                f"capture: {self._name()} was recorded for other shapes, dtypes or numbers, and this call runs as it "
                f"is\n  expected: {_described(next(iter(self._kinds)))}\n  got: {_described(key)}\n"
                "  fix: batches of one size, as DataLoader(..., drop_last=True) gives them; what comes again and again "
                f"gets a recording of its own, up to {_KINDS} of them",
                stacklevel=3,
            )
        return self.step(*args, **kwargs)

    def _record(self, kind: _Kind, args: Any, kwargs: Any) -> Any:
        if not _ordinary():
            return self.step(*args, **kwargs)
        reach = Reach(self.step)
        for t in reach.tensors:
            if t._backend is not host:
                self._give_up(f"the step works with a tensor on {t._backend.device}", "device")
                return self.step(*args, **kwargs)
        _now.recording = True
        try:
            recording = record(self.step, args, kwargs, reach)
        finally:
            _now.recording = False
        result, recording.result = recording.result, None
        if recording.tape.reason is None:
            self._compare(kind, recording)
        if recording.tape.reason is not None:
            self._give_up(recording.tape.why(), recording.tape.reason[1])
        return result

    def _compare(self, kind: _Kind, recording: Recording) -> None:
        """What two recordings have in common is made a program; what differs each time can't be replayed."""
        kind.recordings += 1
        differs = None
        for other in kind.pending:
            differs = difference(other.tape, recording.tape) or _other_result(other.returned, recording.returned)
            if differs is None:
                mine, its = recording.tape.values, other.tape.values
                recording.lasting = {v for v in range(len(mine)) if mine[v].root is its[v].root}
                program = compiled(recording)
                if program is not None:
                    kind.programs.insert(0, program)
                    del kind.programs[_PROGRAMS:]
                    kind.pending.clear()
                break
        else:
            kind.pending = [*kind.pending[-2:], recording]
        if kind.recordings >= _RECORDINGS and self.replays < kind.recordings * _RECORDINGS:
            self._give_up(*(differs or ("what it works with is something else again and again", "changes")))

    def _give_up(self, why: str, kind: str) -> None:
        self.why_not = why
        self._kinds.clear()
        fix = f"\n  fix: {_FIXES[kind]}" if kind in _FIXES else ""
        message = (
            f"capture: {self._name()} can't be replayed faithfully, and runs as it is from now on\n  why: {why}{fix}"
        )
        frame: Any = sys._getframe(1)
        depth = 2
        while frame is not None and frame.f_code.co_filename == __file__:
            frame, depth = frame.f_back, depth + 1
        warnings.warn(message, stacklevel=depth)

    def _name(self) -> str:
        return getattr(self.step, "__name__", None) or type(self.step).__name__


def _ordinary() -> bool:
    """Whether nothing is switched on that looks at every operation."""
    return not (grad_mode.anomaly or grad_mode.levels or grad_mode.batches or grad_mode.interceptor is not None)


def _key(args: Any, kwargs: Any) -> Any:
    """What has to be the same for one recording to serve, or a string that says why none can."""
    parts: list[Any] = []
    seen: dict[int, int] = {}
    for x in (*args, *kwargs.values()):
        if type(x) is Tensor:
            if x._backend is not host:
                return f"it is called with a tensor on {x._backend.device}"
            if x._requires_grad or (x._view is not None and x.requires_grad):
                return "it is called with a tensor that requires grad"
            a = x._array
            parts.append((a.shape, a.strides, a.dtype, seen.setdefault(id(a), len(seen))))
        elif isinstance(x, _PLAIN):
            parts.append((type(x), repr(x)))
        else:
            return f"it is called with a {type(x).__name__}"
    return (*parts, *kwargs) if kwargs else tuple(parts)


def _described(key: Any) -> str:
    parts = [f"{part[2]}{list(part[0])}" if len(part) == 4 else part[1] for part in key if isinstance(part, tuple)]
    return f"({', '.join(parts)})"


def _other_result(a: Any, b: Any) -> tuple[str, str] | None:
    """How what two recordings returned differs, as far as no replay could make it."""
    if type(a) is not type(b):
        same = False
    elif isinstance(a, (Given, Output, Ref)):
        same = a.value == b.value
    elif isinstance(a, Kept):
        same = a.thing is b.thing or equal(a.thing, b.thing)
    elif isinstance(a, dict):
        same = a.keys() == b.keys() and all(_other_result(a[k], b[k]) is None for k in a)
    else:
        same = len(a) == len(b) and all(_other_result(x, y) is None for x, y in zip(a, b, strict=True))
    return None if same else ("what it returns, besides tensors, is something else in each call", "changes")


def capture(step: Callable[..., Any]) -> Captured:
    """Records one training step and replays it: the same numbers, bit for bit, at less cost.

    ::

        @torch.capture
        def step(x, y):
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        for x, y in loader:
            losses.append(step(x, y).item())

    The first call runs as it is, the next two are recorded as they run, and where both recordings agree all further
    calls are replays. Parameters, gradients, buffers, optimizer states, random numbers and results come out as they
    would without; what is returned is new at each call. Where the step can't be replayed faithfully it runs as it is,
    and one warning says why. What is noticed, and what isn't, stands in ``docs/capture.md``.

    Args:
        step: a function of tensors (on the CPU, not requiring grad) and of plain numbers and strings.

    Returns:
        A function that is called as ``step`` is. Its ``replays`` counts the calls that were replays; its ``why_not``
        says why there are none.

    Raises:
        TypeError: for what can't be called.
    """
    return Captured(step)
