"""From a recorded step to one straight-line function that does the same on the same memory.

Arrays whose place in memory is known beforehand (tensors' own, results that are written into buffers, views of both)
are names of the function; only what is new at each replay is computed into local variables. What leads to nothing that
remains is left out; what depends on nothing that can change is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.modes import grad_mode
from ..autograd.variable import Storage, wrap
from ..backends import host
from ..backends.device import chosen
from ..backends.dtypes import get_default_dtype
from ..backends.quiet import SILENT, hush, unhush
from ..nn.modules.calls import GLOBAL_HOOKS
from .descent import written_out
from .reach import hooks_of
from .recording import Given, Kept, Output, Recording
from .tape import Call, Ref, refs

__all__ = ["MISSED", "compiled"]

MISSED: Any = object()  # what a replay returns where something isn't as it was: nothing was done

_PURE = frozenset(("ufunc", "numpy", "method", "attribute", "operator", "host"))


class _Names:
    """The names of a function's constants: its default arguments."""

    def __init__(self) -> None:
        self.things: list[Any] = []
        self._of: dict[int, str] = {}

    def __call__(self, thing: Any) -> str:
        found = self._of.get(id(thing))
        if found is None:
            found = self._of[id(thing)] = f"c{len(self.things)}"
            self.things.append(thing)
        return found


class _Compiler:
    def __init__(self, recording: Recording) -> None:
        self.recording, self.tape = recording, recording.tape
        self.names = _Names()
        self.values = self.tape.values
        self.known: dict[int, Any] = {}  # value -> the array that it is at every replay
        self.constant: set[int] = set()  # of those, the ones whose numbers are the same at every replay
        self.rewound: list[Any] = []  # generators that are put back where a check fails after they were drawn from
        self.free: dict[int, list[Any]] = {}  # memory to use again, by its size in bytes

    # -- which calls, in which order ---
    def plan(self) -> list[tuple[int, Call]]:
        """The calls to make, with their number on the tape; those that only check come first where they can."""
        values, calls = self.values, self.tape.calls
        returned = self.recording.returned
        self.escaping = {id(values[v].root) for v in _refs_of_result(returned, Output)}
        for grads in self.recording.grads:
            self.escaping |= {id(values[g.value].root) for g in grads if g.value >= 0}
        self.outside = {id(v.root) for v in values if v.kind in ("tensor", "argument", "grad")}
        self.written: set[int] = set()
        for call in calls:
            self.written |= {id(root) for root in call.writes}
        needed = self.escaping | {id(values[v].root) for v in _refs_of_result(returned, Ref)}
        chosen: list[tuple[int, Call]] = []
        for number in range(len(calls) - 1, -1, -1):
            call = calls[number]
            roots = {id(root) for root in call.writes}
            wanted = call.kind in ("draw", "python", "read") or bool(roots & (self.outside | needed))
            made = {id(values[v].root) for v in refs(call.results)}
            if wanted or made & needed:
                chosen.append((number, call))
                needed |= {id(values[v].root) for v in refs((call.args, call.kwargs))} | roots
        chosen.reverse()
        return self._checks_first(chosen)

    def _checks_first(self, chosen: list[tuple[int, Call]]) -> list[tuple[int, Call]]:
        """Moves what decides whether the replay holds before everything that can't be undone."""
        makers: dict[int, tuple[int, Call]] = {}
        for number, call in chosen:
            for v in refs(call.results):
                makers.setdefault(v, (number, call))
        first: dict[int, Call] = {}
        drawn: list[Any] = []
        acted = False
        for number, call in chosen:
            if call.kind == "read":
                before = self._leading_to(call, makers, first)
                if before is None:
                    if acted:
                        self.tape.active = True
                        self.tape.reason = (
                            "a number that was just computed decides what is computed next, and what was done before "
                            "can't be undone", "number", call.where,
                        )  # fmt: skip
                        self.tape.active = False
                        return []
                    self.rewound = [*drawn]
                    continue
                first.update(before)
                first[number] = call
            elif call.kind == "draw":
                drawn.append(call.args[0])
            elif call.kind == "python" or any(id(root) in self.outside for root in call.writes):
                acted = True
        ordered = sorted(first.items())
        return ordered + [(n, c) for n, c in chosen if n not in first]

    def _leading_to(
        self, call: Call, makers: dict[int, tuple[int, Call]], known: dict[int, Call]
    ) -> dict[int, Call] | None:
        """The calls that a check needs, where they depend on nothing that the step changes; else None."""
        found: dict[int, Call] = {}
        stack = refs((call.args, call.kwargs))
        while stack:
            v = stack.pop()
            if id(self.values[v].root) in self.written:
                return None
            maker = makers.get(v)
            if maker is None or maker[0] in found or maker[0] in known:
                continue
            if maker[1].kind not in _PURE or maker[1].writes:
                return None
            found[maker[0]] = maker[1]
            stack += refs((maker[1].args, maker[1].kwargs))
        return found

    # -- the function ---
    def compile(self) -> Callable[..., Any] | None:
        plan = self.plan()
        if self.tape.reason is not None:
            return None
        last: dict[int, int] = {}
        for place, (_, call) in enumerate(plan):
            for v in refs((call.args, call.kwargs, call.results)):
                last[id(self.values[v].root)] = place
        for v in _refs_of_result(self.recording.returned):
            last.pop(id(self.values[v].root), None)
        body: list[str] = []
        conditions = _modes(self.names)
        conditions += self.recording.reach.guards().conditions(self.names)
        conditions += self._entry(plan, body)
        lines: list[str] = []
        ending: dict[int, list[int]] = {}
        for root, place in last.items():
            ending.setdefault(place, []).append(root)
        buffers: dict[int, Any] = {}
        optimizers = 0
        for place, (_, call) in enumerate(plan):
            if call.kind == "python":
                short = self._written_out(call, optimizers) if self._is_alone(call, plan) else None
                lines += self._grads(optimizers)
                optimizers += 1
                if short is not None:
                    conditions += short[0]
                lines += [f"{self.names(call.function)}.step()"] if short is None else short[1]
            else:
                lines += self._call(call, buffers)
            lines += self._release(ending.get(place, ()), buffers)
        lines += self._grads(optimizers)
        for storage, count in self.recording.touched:
            lines.append(f"{self.names(storage)}.version += {count}")
        result = self._result(self.recording.returned, lines)
        source = ["def replay(A, {defaults}):"]
        source.append(f" if not ({' and '.join(dict.fromkeys(conditions))}): return M")
        source += [" " + line for line in body]
        if self.rewound:
            source.append(f" s = stands({self.names(tuple(dict.fromkeys(self.rewound)))})")
        source.append(" h = hush(S)")
        source.append(" try:")
        source += ["  " + line for line in lines]
        source.append(f"  return {result}")
        source.append(" finally: unhush(h)")
        fixed = {
            "M": MISSED, "S": SILENT, "back": _rewind, "host": host, "hush": hush, "new": _new_gradient,
            "same": _same_number, "stands": _stands, "unhush": unhush, "wrap": wrap,
        }  # fmt: skip
        names = {f"c{i}": thing for i, thing in enumerate(self.names.things)}
        everything = {**fixed, **names}
        text = "\n".join(source).replace("{defaults}", ", ".join(f"{n}={n}" for n in everything))
        space = dict(everything)
        exec(compile(text, "<replayed step>", "exec"), space)
        replay: Callable[..., Any] = space["replay"]
        return replay

    def _written_out(self, call: Call, which: int) -> tuple[list[str], list[str]] | None:
        gradients = {}
        for grad in self.recording.grads[which]:
            if grad.value >= 0:
                gradients[id(grad.tensor)] = (self._text(Ref(grad.value)), self.values[grad.value].real.dtype)
        return written_out(call.function, gradients, self.recording.present[which], self.names)

    def _is_alone(self, call: Call, plan: Sequence[tuple[int, Call]]) -> bool:
        """Whether nothing else that runs for real could change the optimizer's options on the way."""
        return sum(other.kind == "python" for _, other in plan) == 1 and "step" not in vars(call.function)

    def _entry(self, plan: Sequence[tuple[int, Call]], body: list[str]) -> list[str]:
        """The conditions on tensors, and the arrays that each replay finds anew."""
        conditions = []
        used = {v for _, call in plan for v in refs((call.args, call.kwargs, call.results))}
        used |= set(_refs_of_result(self.recording.returned))
        used |= {g.value for grads in self.recording.grads for g in grads if g.value >= 0}
        for position, t in self.recording.fixed:
            conditions.append(f"A[{position}] is {self.names(t)}")
        for t, had in self.recording.entry:
            conditions.append(f"({self.names(t)}._grad is {'not None' if had else 'None'})")
        for v in sorted(used):
            value = self.values[v]
            if value.kind == "tensor":
                self.known[v] = value.real
                for reference in value.source:
                    t = reference()
                    if t is not None:
                        name = self.names(t)
                        conditions.append(f"{name}._array is {self.names(value.real)}")
                        conditions.append(f"{name}._requires_grad is {t._requires_grad}")
                        if t._requires_grad:
                            none = t._hooks is None
                            held = "None" if none else self.names(hooks_of(t))
                            conditions.append(
                                f"{name}._hooks is None" if none else f"{self.names(hooks_of)}({name}) == {held}"
                            )
            elif value.kind == "plain":
                self.known[v] = value.real
                lasting = v in self.recording.lasting
                if id(value.root) not in self.written and id(value.root) not in self.outside and not lasting:
                    self.constant.add(v)
            elif value.kind == "argument":
                body.append(f"v{v} = A[{value.source}]._array")
            elif value.kind == "grad":
                t = self.names(value.source)
                conditions.append(f"{t}._grad is not None and not {t}._grad._requires_grad")
                for attribute in ("shape", "dtype", "strides"):
                    expected = self.names(getattr(value.real, attribute))
                    conditions.append(f"{t}._grad._array.{attribute} == {expected}")
                body.append(f"v{v} = {t}._grad._array")
        return conditions

    def _text(self, x: Any) -> str:
        """An argument, as Python."""
        if isinstance(x, Ref):
            return self.names(self.known[x.value]) if x.value in self.known else f"v{x.value}"
        if x is None or x is True or x is False or (type(x) is int and abs(x) < 10**6):
            return repr(x)
        if not refs(x):
            return self.names(x)
        if isinstance(x, list):
            return f"[{', '.join(map(self._text, x))}]"
        if isinstance(x, tuple):
            return f"({''.join(self._text(i) + ', ' for i in x)})"
        if isinstance(x, dict):
            return f"{{{', '.join(f'{k!r}: {self._text(v)}' for k, v in x.items())}}}"
        return f"slice({', '.join(map(self._text, (x.start, x.stop, x.step)))})"

    def _actual(self, x: Any) -> Any:
        """An argument, as it is at every replay."""
        if isinstance(x, Ref):
            return self.known[x.value]
        if isinstance(x, (list, tuple)):
            return type(x)([self._actual(i) for i in x])
        if isinstance(x, dict):
            return {k: self._actual(i) for k, i in x.items()}
        if isinstance(x, slice):
            return slice(self._actual(x.start), self._actual(x.stop), self._actual(x.step))
        return x

    def _call(self, call: Call, buffers: dict[int, Any]) -> list[str]:
        inputs = refs((call.args, call.kwargs))
        results = refs(call.results)
        values = self.values
        if call.kind == "read":
            name = self.names(call.function)
            back = "back(s); " if self.rewound else ""
            return [f"if not same({name}{self._arguments(call)}, {self.names(call.results)}): {back}return M"]
        made = [v for v in results if values[v].kind == "made" and v not in inputs and v not in self.known]
        if not call.writes and call.kind in _PURE:
            if results and not made:
                return []
            if self._computed_once(call, inputs, results):
                return []
            if all(v in self.known for v in inputs) and self._is_view(call, inputs, results):
                self._look(call, results)
                return []
            if len(made) == 1 and isinstance(call.results, Ref):
                line = self._into_buffer(call, made[0], buffers)
                if line is not None:
                    return [line]
        text = f"{self.names(call.function)}{self._arguments(call)}"
        if call.kind == "numpy" and call.name == "add.reduce" and self._sums(call):
            axis, keepdims = call.kwargs.get("axis", 0), call.kwargs.get("keepdims", False)
            text = (
                f"{self.names(call.function)}({self._joined((call.args[0], axis), {})}, None, None, {bool(keepdims)})"
            )
        dot = self._dot(call)
        if dot is not None:
            text = f"{dot[0]}({dot[1]})"
        elif call.kind == "method" and isinstance(call.args[0], Ref):
            rest = self._joined(call.args[1:], call.kwargs)
            text = f"{self._text(call.args[0])}.{call.name}({rest})"
        if not made or (call.writes and isinstance(call.results, Ref) and call.results.value in inputs):
            return [text]
        return [f"{self._target(call.results)} = {text}"]

    def _joined(self, args: Any, kwargs: Any) -> str:
        parts = [self._text(x) for x in args] + [f"{k}={self._text(x)}" for k, x in kwargs.items()]
        return ", ".join(parts)

    def _arguments(self, call: Call) -> str:
        return f"({self._joined(call.args, call.kwargs)})"

    def _target(self, results: Any) -> str:
        if isinstance(results, Ref):
            return f"v{results.value}" if results.value not in self.known else "_"
        if isinstance(results, (tuple, list)):
            return f"({''.join(self._target(r) + ', ' for r in results)})" if results else "_"
        return "_"

    def _computed_once(self, call: Call, inputs: list[int], results: list[int]) -> bool:
        """Whether all inputs are constant and nobody writes to the results: then they are what they were."""
        if not results or not all(v in self.constant for v in inputs):
            return False
        roots = {id(self.values[v].root) for v in results}
        if roots & (self.written | self.escaping | self.outside):
            return False
        for v in results:
            self.known[v] = self.values[v].real
            self.constant.add(v)
        return True

    def _is_view(self, call: Call, inputs: list[int], results: list[int]) -> bool:
        roots = {id(self.values[v].root) for v in inputs if isinstance(self.values[v].real, np.ndarray)}
        return bool(results) and all(
            isinstance(self.values[v].real, np.ndarray) and id(self.values[v].root) in roots for v in results
        )

    def _look(self, call: Call, results: list[int]) -> None:
        """Views of known memory are made once."""
        found = call.function(*self._actual(call.args), **self._actual(call.kwargs))

        def put(ref: Any, x: Any) -> None:
            if isinstance(ref, Ref):
                self.known.setdefault(ref.value, x)
            elif isinstance(ref, (tuple, list)):
                for r, y in zip(ref, x, strict=True):
                    put(r, y)

        put(call.results, found)

    def _into_buffer(self, call: Call, made: int, buffers: dict[int, Any]) -> str | None:
        """The call writing its result into memory that is kept, where the function can do that."""
        real = self.values[made].real
        if type(real) is not np.ndarray or real.base is not None or id(real) in self.escaping:
            return None
        if real.dtype.hasobject or (call.kwargs and call.name != "add.reduce") or real.dtype.kind not in "biuf":
            return None
        if call.kind == "ufunc":
            ufunc: Any = call.function
            if ufunc.nout != 1 or len(call.args) != ufunc.nin:
                return None
            text = self.names(call.function) + "({}, {})"
            arguments = self._joined(call.args, {})
        elif (dot := self._dot(call)) is not None and real.ndim and real.flags.c_contiguous:
            text, arguments = dot[0] + "({}, {})", dot[1]
        elif call.kind == "numpy" and call.name == "add.reduce" and self._sums(call):
            axis, keepdims = call.kwargs.get("axis", 0), call.kwargs.get("keepdims", False)
            text = self.names(call.function) + "({}, None, {}, " + f"{bool(keepdims)})"
            arguments = self._joined((call.args[0], axis), {})
        else:
            return None
        self.known[made] = buffer = self._buffer(real, buffers)
        return text.format(arguments, self.names(buffer))

    def _sums(self, call: Call) -> bool:
        """Whether a reduction has no options but the dimensions."""
        plain = call.kwargs.keys() <= {"axis", "dtype", "keepdims"} and call.kwargs.get("dtype") is None
        return plain and len(call.args) == 1

    def _dot(self, call: Call) -> tuple[str, str] | None:
        """A product of matrices as the method of the first and the second; None where it isn't one."""
        if call.kind != "host" or call.name != "matmul" or call.kwargs or len(call.args) != 2:
            return None
        first, second = call.args
        a, b = (self.values[x.value].real for x in call.args)
        if a.ndim > 2 or b.ndim > 2 or a.dtype is not b.dtype or a.dtype.kind != "f":
            return None
        if first.value in self.known:
            return self.names(self.known[first.value].dot), self._text(second)
        return self._text(first) + ".dot", self._text(second)

    def _buffer(self, real: Any, buffers: dict[int, Any]) -> Any:
        """An array of the shape, dtype and order in memory of ``real``."""
        size = max(real.nbytes, 1)
        free = self.free.get(size)
        memory = free.pop() if free else np.empty(size, np.uint8)
        buffers[id(real)] = memory
        buffer: Any = np.ndarray(real.shape, real.dtype, memory, 0, real.strides)
        return buffer

    def _release(self, roots: Sequence[int], buffers: dict[int, Any]) -> list[str]:
        """After the last use of some memory: buffers may serve again, other arrays of some size are let go."""
        for root in roots:
            memory = buffers.pop(root, None)
            if memory is not None:
                self.free.setdefault(memory.size, []).append(memory)
        ended = set(roots) - self.escaping
        names = [
            f"v{v}"
            for v, value in enumerate(self.values)
            if id(value.root) in ended and v not in self.known and value.kind == "made" and value.real.nbytes > 4096
        ]
        return [f"{' = '.join(names)} = None"] if names else []

    def _grads(self, which: int) -> list[str]:
        lines = []
        for grad in self.recording.grads[which]:
            t = self.names(grad.tensor)
            if grad.value < 0:
                lines.append(f"{t}._grad = None")
            else:
                array = self._fresh(grad.value)
                plain = not grad.version and isinstance(self.values[grad.value].real, np.ndarray)
                lines.append(f"{t}._grad = " + (f"wrap({array}, host)" if plain else f"new({array}, {grad.version})"))
        return lines

    def _fresh(self, v: int) -> str:
        """A value that others will keep: never one of the replay's own buffers."""
        text = self._text(Ref(v))
        value = self.values[v]
        if value.kind == "plain" or v in self.constant:
            return f"{text}.copy()"
        return text

    def _result(self, x: Any, lines: list[str]) -> str:
        if isinstance(x, Ref):
            return f"{self._text(x)}.item()"
        if isinstance(x, Given):
            return f"A[{x.value}]"
        if isinstance(x, Output):
            t = x.tensor
            name = f"r{len(lines)}"
            lines.append(f"{name} = wrap({self._fresh(x.value)}, host, {self.names(type(t))})")
            if t._requires_grad:
                lines.append(f"{name}._requires_grad = True")
            if t._grad_fn is not None:
                lines.append(f"{name}._grad_fn = {self.names(t._grad_fn)}")
                if t._output_nr:
                    lines.append(f"{name}._output_nr = {t._output_nr}")
            if self.values[x.value].kind == "tensor":
                lines.append(f"{name}._storage = {self.names(t._storage)}")
            return name
        if isinstance(x, tuple):
            return f"({''.join(self._result(i, lines) + ', ' for i in x)})"
        if isinstance(x, list):
            return f"[{', '.join([self._result(i, lines) for i in x])}]"
        if isinstance(x, dict):
            return f"{{{', '.join([f'{self.names(k)}: {self._result(i, lines)}' for k, i in x.items()])}}}"
        assert isinstance(x, Kept)
        return self.names(x.thing)


def _refs_of_result(x: Any, kind: type | tuple[type, ...] = (Output, Ref)) -> list[int]:
    if isinstance(x, (Output, Ref)):
        return [x.value] if isinstance(x, kind) else []
    if isinstance(x, (tuple, list)):
        return [v for i in x for v in _refs_of_result(i, kind)]
    if isinstance(x, dict):
        return [v for i in x.values() for v in _refs_of_result(i, kind)]
    return []


def _new_gradient(array: Any, version: int) -> Any:
    grad = wrap(array if type(array) is np.ndarray else np.asarray(array), host)
    if version:
        grad._storage = Storage()
        grad._storage.version = version
    return grad


def _same_number(a: Any, b: Any) -> bool:
    return bool(a == b) or (a != a and b != b)


def _stands(generators: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    """Where some generators of random numbers stand."""
    return [(generator, generator.get_state()) for generator in generators]


def _rewind(stands: list[tuple[Any, Any]]) -> None:
    for generator, state in stands:
        generator.set_state(state)


def _modes(give: Any) -> list[str]:
    """The conditions on the modes of the thread, as they are now."""
    mode = give(grad_mode)
    conditions = [f"{mode}.{name} is {give(getattr(grad_mode, name))}" for name in ("enabled", "backward", "inference")]
    conditions += [f"{mode}.interceptor is None", f"not {mode}.anomaly", f"not {mode}.batches"]
    conditions += [f"{give(get_default_dtype)}() is {give(get_default_dtype())}"]
    return [*conditions, f"{give(chosen)}.device is {give(chosen.device)}", f"not {give(GLOBAL_HOOKS)}"]


def compiled(recording: Recording) -> Callable[..., Any] | None:
    """The function that does again what was recorded, given the tensors it is called with.

    It returns ``MISSED``, and has done nothing, where something isn't as it was; None where the recording can't be
    replayed, which its tape then says.
    """
    return _Compiler(recording).compile()
