"""The tape: what a step did with arrays, call by call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..autograd.variable import Where, describe_where, where_called
from .arrays import ReadFloat, ReadInt, Recorded, RecordedArray, RecordedScalar, plain, read_by_user

__all__ = ["Call", "Ref", "Tape", "Value", "difference", "refs", "root_of"]

# Backend methods that ask about an array, not about its numbers.
STATIC = frozenset(("address", "layout", "numel", "shares_memory", "storage_offset", "synchronize"))


# Kinds of reasons that are noticed only some time after the line that gave them.
_AFTERWARDS = ("argument in place", "graph", "grad", "kept", "memory", "state", "view")
# Functions of NumPy and primitives whose results are as large as the numbers say.
_SIZED_BY_NUMBERS = frozenset((
    "argwhere", "bincount", "compress", "delete", "extract", "flatnonzero", "intersect1d", "nonzero", "repeat",
    "setdiff1d", "setxor1d", "trim_zeros", "union1d", "unique", "unique_all", "unique_counts", "unique_inverse",
    "unique_values",
))  # fmt: skip


def _has_mask(index: Any) -> bool:
    """Whether an index selects by bools, so that the numbers decide how many elements there are."""
    return any(getattr(i, "dtype", None) == np.bool_ for i in (index if isinstance(index, tuple) else (index,)))


class Ref(NamedTuple):
    """In the arguments of a call: the value of this number."""

    value: int


class Value:
    """One array or NumPy scalar of the step.

    Attributes:
        real: the array itself.
        kind: ``"made"`` by a call; ``"tensor"``, the array of a tensor that was there before; ``"plain"``, another
            array from outside; ``"argument"`` of the step; ``"grad"``, the gradient that a tensor had before.
        source: of an argument its position; of a gradient the tensor that has it; of a tensor's array a list of weak
            references to the tensors that have it.
        root: the object that owns its memory.
    """

    __slots__ = ("kind", "real", "root", "source")

    def __init__(self, real: Any, kind: str, source: Any = None) -> None:
        self.real, self.kind, self.source = real, kind, source
        self.root = root_of(real)


class Call:
    """One call: a function, its arguments and results with :class:`Ref` for arrays, and what it writes to.

    Attributes:
        kind: where the function is from; with ``name`` what two recordings are compared by.
        results: a Ref, a tuple or list of results, or a Python number, which has to be the same in each replay.
        writes: the roots of the arrays whose memory it writes to.
        where: the line of the program that led to it.
    """

    __slots__ = ("args", "function", "kind", "kwargs", "name", "results", "where", "writes")

    def __init__(
        self, kind: str, name: str, function: Callable[..., Any], args: Any, kwargs: Any, where: Where
    ) -> None:
        self.kind, self.name, self.function, self.args, self.kwargs = kind, name, function, args, kwargs
        self.results: Any = None
        self.writes: tuple[Any, ...] = ()
        self.where = where


def root_of(array: Any) -> Any:
    """The object that owns the memory of an array."""
    root = array
    while True:
        base = getattr(root, "base", None)
        if base is None:
            return root
        root = base


class Tape:
    """Notes the calls of one step, made in one thread.

    Attributes:
        reason: why what was noted can't be replayed; None while it can.
        reads: numbers the program read: pairs of the number's stand-in and the value read.
        exact: those of them that became plain numbers.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.values: list[Value] = []
        self.active = False
        self.busy = False
        self.reason: tuple[str, str, Where] | None = None
        self.reads: list[Any] = []
        self.exact: list[tuple[Any, int]] = []
        self.thread = threading.get_ident()
        self._of_real: dict[int, Recorded] = {}
        self._known: dict[int, tuple[str, Any]] = {}

    def broken(self, reason: str, kind: str) -> None:
        """What was noted can't be replayed; the first reason counts."""
        if self.active and self.reason is None and threading.get_ident() == self.thread:
            self.reason = (reason, kind, where_called())

    def why(self) -> str:
        """The reason, with the line."""
        assert self.reason is not None
        what, kind, where = self.reason
        return what if kind in _AFTERWARDS else f"{what}, at {describe_where(where)}"

    # -- values ---
    def stand_in(self, real: Any, kind: str, source: Any) -> RecordedArray:
        """The recorded array in the place of ``real``; it gets on the tape only once something is done with it."""
        found = self._of_real.get(id(real))
        if found is None:
            found = self._of_real[id(real)] = RecordedArray(real, self, -1)
            self._known[id(real)] = (kind, source)
        elif kind == "tensor" and found._value >= 0 and self.values[found._value].kind == "tensor":
            self.values[found._value].source += source
        elif kind == "tensor" and self._known.get(id(real), ("", None))[0] == "tensor":
            self._known[id(real)][1].extend(source)
        return found  # type: ignore[return-value]

    def recorded(self, real: Any, made: bool = False) -> Any:
        """The recorded array in the place of ``real``, the same for the same array, on the tape."""
        found = self._of_real.get(id(real))
        if found is None:
            cls = RecordedArray if isinstance(real, np.ndarray) else RecordedScalar
            found = self._of_real[id(real)] = cls(real, self, -1)
        if found._value < 0:
            found._value = len(self.values)
            kind, source = self._known.get(id(real), ("made" if made else "plain", None))
            self.values.append(Value(real, kind, source))
        return found

    def of(self, real: Any) -> int:
        """The number of the value that is this very array, -1 if it isn't on the tape."""
        found = self._of_real.get(id(real))
        return -1 if found is None else found._value

    def _encoded(self, x: Any) -> Any:
        kind = type(x)
        if kind is RecordedArray or kind is RecordedScalar:
            return Ref(x._value if x._tape is self and x._value >= 0 else self.recorded(x._real)._value)
        if isinstance(x, np.ndarray):
            return Ref(self.recorded(x)._value)
        if kind is ReadFloat or kind is ReadInt:
            self.broken("a number read from a tensor is used before the step ends", "number")
            return x.number()
        if kind is tuple or kind is list:
            return kind([self._encoded(i) for i in x])
        if kind is dict:
            return {k: self._encoded(v) for k, v in x.items()}
        if kind is slice:
            return slice(self._encoded(x.start), self._encoded(x.stop), self._encoded(x.step))
        return x

    def _results(self, x: Any, call: Call) -> tuple[Any, Any]:
        """The results as they are noted, and as the library gets them."""
        if isinstance(x, (np.ndarray, np.generic)):
            if isinstance(x, np.generic):  # some are one object for many results
                known: Any = RecordedScalar(x, self, len(self.values))
                self.values.append(Value(x, "made"))
            else:
                known = self.recorded(x, True)
            return Ref(known._value), known
        if type(x) is tuple or type(x) is list:
            pairs = [self._results(i, call) for i in x]
            return type(x)([p[0] for p in pairs]), type(x)([p[1] for p in pairs])
        if isinstance(x, tuple) and hasattr(x, "_make"):
            pairs = [self._results(i, call) for i in x]
            return tuple([p[0] for p in pairs]), type(x)._make([p[1] for p in pairs])
        if x is not None and not isinstance(x, (bool, int, float, str, np.dtype)):
            self.broken(f"{call.name} gave what can't be followed, a {type(x).__name__}", "array")
        return x, x

    # -- calls ---
    def call(
        self,
        kind: str,
        name: str,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: dict[str, Any],
        writes: Sequence[Any] = (),
    ) -> Any:
        """Calls the function on the arrays themselves, and notes that."""
        if not self.active or self.busy or threading.get_ident() != self.thread:
            return function(*plain(tuple(args)), **plain(kwargs))
        self._check_read()
        if name in _SIZED_BY_NUMBERS or (name in ("getitem", "index") and _has_mask(args[1])):
            asked = "the program asks for the numbers of a tensor, or for its text"
            self.broken(asked if read_by_user() else f"the shape of what {name} gives depends on the numbers", "shape")
        call = Call(kind, name, function, self._encoded(tuple(args)), self._encoded(kwargs), where_called())
        self.busy = True
        try:
            result = function(*plain(tuple(args)), **plain(kwargs))
        finally:
            self.busy = False
        call.writes = tuple([root_of(plain(w)) for w in writes])
        call.results, shown = self._results(result, call)
        self.calls.append(call)
        return shown

    def _check_read(self) -> None:
        if self.exact:
            self.broken("a number read from a tensor is used before the step ends", "number")

    def note(self, kind: str, name: str, function: Callable[..., Any], writes: Sequence[Any]) -> Call:
        """Notes a call that was made already and has no results."""
        self._check_read()
        call = Call(kind, name, function, (), {}, where_called())
        call.writes = tuple(writes)
        self.calls.append(call)
        return call

    def read(self, x: Recorded, name: str, args: tuple[Any, ...]) -> Any:
        """A number, or a list of them, leaves the arrays."""
        number = getattr(x._real, name)(*args)
        if not self.active or self.busy or threading.get_ident() != self.thread:
            return number
        if not read_by_user():
            call = Call("read", name, getattr(type(x._real), name), (self._encoded(x), *args), {}, where_called())
            call.results = number
            self.calls.append(call)
            return number
        if name == "item" and not args and type(number) in (float, int):
            noted: Any = ReadFloat(number) if type(number) is float else ReadInt(number)
            noted.tape, noted.value = self, self._encoded(x).value
            self.reads.append(noted)
            return noted
        self.broken("the program asks for the numbers of a tensor", "number")
        return number


def _same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, slice):
        return _same((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    return a is b or bool(a == b) or (a != a and b != b)


def _same_value(a: Value, b: Value) -> bool:
    if a.kind != b.kind or type(a.real) is not type(b.real):
        return False
    if a.real.shape != b.real.shape or a.real.dtype != b.real.dtype or a.real.strides != b.real.strides:
        return False
    if a.kind == "tensor":
        return a.real is b.real
    if a.kind in ("argument", "grad"):
        return a.source is b.source
    return a.kind == "made" or a.real is b.real or a.real.tobytes() == b.real.tobytes()


def difference(one: Tape, other: Tape) -> tuple[str, str] | None:
    """What two recordings of the same step don't have in common: in words, and the kind of reason; None for nothing."""
    for a, b in zip(one.calls, other.calls, strict=False):
        at = describe_where(b.where)
        if (a.kind, a.name) != (b.kind, b.name):
            return f"it computes {b.name} where it computed {a.name} before, at {at}", "changes"
        if a.kind == "read" and not _same(a.results, b.results):
            return f"a number decides what is computed next, and it is another one in each call, at {at}", "changes"
        for x, y in zip(_values(a, one), _values(b, other), strict=False):
            if not _same_value(x, y):
                if x.kind == "tensor":
                    return f"{b.name} is computed with another tensor in each call, at {at}", "tensor"
                return f"{b.name} is computed with other numbers in each call, at {at}", "changes"
        if not (_same(a.args, b.args) and _same(a.kwargs, b.kwargs) and _same(a.results, b.results)):
            return f"{b.name} is computed with other numbers in each call, at {at}", "changes"
    if len(one.calls) != len(other.calls) or len(one.values) != len(other.values):
        return "it computes more or less than the call before", "changes"
    return None


def _values(call: Call, tape: Tape) -> list[Value]:
    return [tape.values[v] for v in refs((call.args, call.kwargs, call.results))]


def refs(x: Any) -> list[int]:
    """The numbers of the values that stand in the arguments or results of a call."""
    if isinstance(x, Ref):
        return [x.value]
    if isinstance(x, (tuple, list)):
        return [v for i in x for v in refs(i)]
    if isinstance(x, dict):
        return [v for i in x.values() for v in refs(i)]
    if isinstance(x, slice):
        return refs((x.start, x.stop, x.step))
    return []
