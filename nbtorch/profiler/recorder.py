"""What is noted while operations run: one span for each, with its time, its parent, and what else was asked for."""

from __future__ import annotations

import contextlib
import sys
import weakref
from collections.abc import Sequence
from threading import get_ident, get_native_id
from time import perf_counter_ns
from types import CodeType
from typing import Any, NamedTuple

from ..autograd.variable import _PACKAGE, Variable

__all__ = ["FUNCTION", "NODE", "OP", "USER", "Recorder", "Span", "Wishes", "note_bytes", "recorder_here", "recorders"]

# Kinds of spans: an operation, a node of the graph in backward, what a program or the library named, a module's call.
OP, NODE, USER, FUNCTION = 0, 1, 2, 3

# The recorder of each thread that is being profiled. Nothing else says whether a profiler runs.
recorders: dict[int, Recorder] = {}


Described = tuple[tuple[int, ...], tuple[int, ...], Any]


class Wishes(NamedTuple):
    """What a profiler wants to know beside names and times."""

    shapes: bool = False
    memory: bool = False
    stack: bool = False
    flops: bool = False
    modules: bool = False


class Span:
    """One call.

    Attributes:
        name: as the tables and traces show it.
        kind: ``OP``, ``NODE``, ``USER`` or ``FUNCTION``.
        begin, end: in nanoseconds of ``time.perf_counter_ns``; ``end`` is 0 while it runs.
        parent: the span it was called in.
        sequence_nr: that of the graph's node which the call made, or which it ran; -1 for none.
        bytes: what its results take up, without memory of its inputs and of operations called in it.
        made: weak references to the arrays behind those results, so that they count once.
        inputs: where it was asked for, of each its shape, strides and dtype; of a list a list of them; else its class.
        flops: multiplications and additions, where they were asked for and are known.
        stack: the user's frames, as pairs of code and instruction, the innermost first.
    """

    __slots__ = (
        "begin", "bytes", "end", "flops", "inputs", "kind", "made", "name", "parent", "sequence_nr", "stack",
    )  # fmt: skip

    def __init__(self, name: str, kind: int, parent: Span | None) -> None:
        self.name, self.kind, self.parent = name, kind, parent
        self.end = 0
        self.sequence_nr = -1
        self.bytes = self.flops = 0
        self.inputs: Sequence[Any] = ()
        self.stack: tuple[tuple[CodeType, int], ...] = ()
        self.made: Sequence[weakref.ref[Any]] = ()
        self.begin = 0


class Recorder:
    """The spans of one thread, in the order in which they began, while at least one profiler looks at it.

    Attributes:
        shapes: note the inputs' shapes.
        memory: note the results' bytes.
        stack: note the user's lines.
        flops: count multiplications and additions.
        modules: note the calls of modules.
        top: the span that runs now.
    """

    __slots__ = ("flops", "memory", "modules", "native_thread", "shapes", "spans", "stack", "thread", "top", "wishes")

    shapes: bool
    memory: bool
    stack: bool
    flops: bool
    modules: bool

    def __init__(self) -> None:
        self.thread, self.native_thread = get_ident(), get_native_id()
        self.top: Span | None = None
        self.spans: list[Span] = []
        self.wishes: list[Wishes] = []
        self.heed()

    def heed(self) -> None:
        """Takes up what is wished now: anything that one profiler asked for."""
        for name in Wishes._fields:
            setattr(self, name, any(getattr(wish, name) for wish in self.wishes))

    def open(self, name: str, kind: int) -> Span:
        """A call begins."""
        span = Span(name, kind, self.top)
        if self.stack:
            span.stack = _users_frames(sys._getframe(2))
        self.spans.append(span)
        self.top = span
        span.begin = perf_counter_ns()
        return span

    def close(self, span: Span) -> None:
        """A call ends, and with it whatever it left open."""
        span.end = perf_counter_ns()
        inner = self.top
        while inner is not None and inner is not span:
            if not inner.end:
                inner.end = span.end
            inner = inner.parent
        if inner is span:
            self.top = span.parent

    def note_inputs(self, span: Span, args: Any, kwargs: Any) -> None:
        """Of each input that is a tensor its shape, strides and dtype."""
        span.inputs = [
            _described(value)
            if isinstance(value, Variable)
            else [_described(t) for t in value if isinstance(t, Variable)]
            if type(value) in (list, tuple)
            else type(value)
            for value in ((*args, *kwargs.values()) if kwargs else args)
        ]


def _described(t: Variable) -> Described:
    array = t._array
    return array.shape, array.strides, array.dtype


def recorder_here() -> Recorder | None:
    """The recorder of this thread, if it is being profiled."""
    return recorders.get(get_ident())


def _users_frames(frame: Any) -> tuple[tuple[CodeType, int], ...]:
    """The frames outside nbtorch, the innermost first; IPython's and the interpreter's own stay in."""
    found = []
    while frame is not None:
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(found)


def note_bytes(span: Span, results: Any, inputs: Sequence[Any]) -> None:
    """Counts the bytes of the arrays among ``results`` whose memory was made by this call itself.

    Args:
        results, inputs: arrays, tensors, or tuples and lists of them; anything else counts nothing.
    """
    alone = span.parent is None or span.parent.kind != OP
    if alone and not span.made:
        plain = _plain_bytes(results, inputs)
        if plain is not None:
            span.bytes = plain
            return
    known = {id(_owner(array)) for array in _arrays(inputs)}
    known.update(id(owner) for made in span.made if (owner := made()) is not None)
    made = list(span.made)
    for array in _arrays(results):
        owner = _owner(array)
        if id(owner) not in known:
            known.add(id(owner))
            span.bytes += int(array.nbytes)
            if not alone:
                with contextlib.suppress(TypeError):  # an array module whose arrays can't be referred to weakly
                    made.append(weakref.ref(owner))
    if not alone and span.parent is not None:
        span.parent.made = [*span.parent.made, *made]
    span.made = ()


def _plain_bytes(results: Any, inputs: Sequence[Any]) -> int | None:
    """The bytes where all results are arrays with memory of their own, or inputs: most are. None where some aren't."""
    total = 0
    before: Any = None
    for result in results if type(results) in (tuple, list) else (results,):
        if result is None or result is before:
            continue
        before = result
        array = result._array if isinstance(result, Variable) else result
        if getattr(array, "base", array) is not None:
            return None
        for value in inputs:
            if value is array or getattr(value, "_array", None) is array:
                break
        else:
            total += int(array.nbytes)
    return total


def _arrays(value: Any) -> list[Any]:
    """The arrays in ``value``, at whatever depth of tuples and lists."""
    found = []
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, (tuple, list)):
            stack.extend(item)
        elif isinstance(item, Variable):
            found.append(item._array)
        elif item is not None and hasattr(item, "strides"):
            found.append(item)
    return found


def _owner(array: Any) -> Any:
    """The array whose memory this is a part of."""
    base = getattr(array, "base", None)
    while base is not None and hasattr(base, "strides"):
        array, base = base, getattr(base, "base", None)
    return array
