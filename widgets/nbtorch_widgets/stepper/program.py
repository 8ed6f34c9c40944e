"""Evaluating a tape again, with other leaves: for edits, and for slopes measured by finite differences."""

from __future__ import annotations

import contextlib
import copy
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbtorch_widgets.gradients import named_parameters
from nbtorch_widgets.stepper.graph_reader import (
    Calls,
    GraphReader,
    as_double,
    functions_of,
    is_graph_tensor,
    recording,
)
from nbtorch_widgets.stepper.own_reader import OwnReader, is_own
from nbtorch_widgets.stepper.rules import library
from nbtorch_widgets.stepper.tape import Array, Item, Reader, StepperError, Walk, walks
from nbtorch_widgets.stepper.torch_reader import TorchReader, Trace, as_array, is_tensor, replay, tracing

_SECONDS = 1.0  # that the measuring of slopes may take
_ELEMENTS = 6  # of a tensor, whose slopes are measured


def new_leaf(leaf: Any, value: Array, double: bool = False) -> Any:
    """A leaf like `leaf` with another value; `leaf` stays as it is."""
    if is_tensor(leaf):
        lib = library(leaf) if library(leaf).__name__ in ("torch", "nbtorch") else library(leaf.detach())
        dtype = lib.float64 if double else leaf.dtype
        return lib.tensor(value, dtype=dtype, device=leaf.device, requires_grad=True)
    made = copy.copy(leaf)
    if is_graph_tensor(leaf):
        made.data = np.array(value, np.float64 if double else leaf.data.dtype)
        made.grad, made.grad_fn, made.requires_grad = None, None, True
        return made
    made.data = value.copy() if np.ndim(leaf.data) else float(value)
    made.grad = np.zeros_like(value) if np.ndim(leaf.data) else 0.0
    return made


@dataclass
class Recording:
    """A loss with all that was seen while it was computed."""

    loss: Any
    names: dict[int, str]
    trace: Trace | None = None
    leaves: tuple[Any, ...] = ()
    calls: Calls | None = None
    taken: tuple[Reader, dict[str, Walk], bool] | None = None

    def take(self) -> tuple[Reader, dict[str, Walk], bool]:
        """The tape and the walks over it, of the first time that this was called."""
        if self.taken is None:
            reader = self.read()
            self.taken = (reader, *walks(reader))
        return self.taken

    def read(self) -> Reader:
        """The tape as it is now."""
        if is_graph_tensor(self.loss):
            return GraphReader(self.loss, self.names, self.calls)
        return OwnReader(self.loss, self.names) if is_own(self.loss) else TorchReader(self.loss, self.names, self.trace)


class Program(ABC):
    """How a tape can be evaluated again. `run` takes values by the positions of items: leaves, or results as well."""

    #: Whether results may be replaced, too.
    inner = False

    @abstractmethod
    def run(self, items: Sequence[Item], values: dict[int, Array], double: bool = False) -> Recording:
        """Evaluate the tape with these values in the places of the items at their positions; in float64 if `double`."""

    def editable(self, items: Sequence[Item]) -> list[int]:
        """The positions of the leaves whose values can be replaced."""
        return [index for index, item in enumerate(items) if item.kind == "leaf"]

    def loss(self, items: Sequence[Item], values: dict[int, Array], double: bool = False) -> float:
        loss = self.run(items, values, double).loss
        return float(as_array(loss).reshape(())) if is_tensor(loss) else float(np.reshape(loss.data, ()))


@contextlib.contextmanager
def _locals_of(function: Any) -> Iterator[dict[str, Any]]:
    """The variables of `function` at its end, for the names of results."""
    found: dict[str, Any] = {}
    code = getattr(function, "__code__", None)
    before = sys.getprofile()

    def look(frame: Any, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code is code:
            found.update(frame.f_locals)

    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(before)


class FunctionProgram(Program):
    """`function(*leaves)` is called again."""

    def __init__(self, function: Callable[..., Any], leaves: Sequence[Any], names: Sequence[str]) -> None:
        self._function = function
        self._names = list(names)
        self._leaves = list(leaves)

    def record(self, leaves: Sequence[Any]) -> Recording:
        lib = next((library(leaf) for leaf in leaves if is_tensor(leaf)), None)
        traced = tracing(lib) if lib is not None else contextlib.nullcontext()
        with traced as trace, _locals_of(self._function) as variables:
            loss = self._function(*leaves)
        calls = None
        if is_graph_tensor(loss):  # only now it is known whose operations are to be watched
            with recording(functions_of(loss)) as calls, _locals_of(self._function) as variables:
                loss = self._function(*leaves)
        if not is_tensor(loss) and not is_own(loss) and not is_graph_tensor(loss):
            raise StepperError(f"the function must return the loss as a tensor, and returned {type(loss).__name__}")
        names = {_identity(value): name for name, value in variables.items()}
        names.update({id(leaf): name for leaf, name in zip(leaves, self._names, strict=True)})
        return Recording(loss, names, trace, tuple(leaves), calls)

    def run(self, items: Sequence[Item], values: dict[int, Array], double: bool = False) -> Recording:
        place = {id(item.handle): index for index, item in enumerate(items)}
        leaves = []
        for leaf in self._leaves:
            index = place.get(id(leaf), -1)
            current = items[index].value if index >= 0 else as_array(leaf if is_tensor(leaf) else leaf.data)
            leaves.append(new_leaf(leaf, values.get(index, current), double))
        return self.record(leaves)

    def editable(self, items: Sequence[Item]) -> list[int]:
        given = {id(leaf) for leaf in self._leaves}
        return [index for index in super().editable(items) if id(items[index].handle) in given]

    def of(self, recording: Recording) -> FunctionProgram:
        return FunctionProgram(self._function, recording.leaves, self._names)


class RecordedProgram(Program):
    """The recorded calls are done again."""

    inner = True

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def run(self, items: Sequence[Item], values: dict[int, Array], double: bool = False) -> Recording:
        trace = self._recording.trace
        assert trace is not None
        replaced: dict[int, Any] = {}
        names = {}
        for index, item in enumerate(items):
            value = values.get(index, item.value if item.kind == "leaf" else None)
            if value is None:
                continue
            old = item.handle if item.kind == "leaf" else trace.results.get(item.handle)
            if old is None:
                raise StepperError("this result was made inside a larger operation and can't be replaced")
            replaced[id(old)] = new = new_leaf(old, value, double)
            names[id(new)] = item.name
        with tracing(library(self._recording.loss)) as again:
            loss = replay(trace, self._recording.loss, replaced, double)
        return Recording(loss, names, again)


class GraphProgram(Program):
    """The operations of a library of one's own are applied again."""

    inner = True

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def run(self, items: Sequence[Item], values: dict[int, Array], double: bool = False) -> Recording:
        reader = self._recording.take()[0]
        assert isinstance(reader, GraphReader)
        first = next(item.handle for item in items if item.kind == "leaf")
        known = self._recording.calls.made if self._recording.calls is not None else {}
        results: list[Any] = []
        names = {}
        with recording(functions_of(self._recording.loss)) as calls:
            for index, item in enumerate(items):
                if index in values or item.kind == "leaf":
                    value = values.get(index, item.value)
                    results.append(new_leaf(item.handle if item.kind == "leaf" else first, value, double))
                    names[id(results[-1])] = item.name
                    continue
                if item.handle not in known:
                    raise StepperError(
                        f"the graph keeps only what backward needs, and {item.op} can't be evaluated again from that. "
                        "%%step or BackpropStepper(f, *leaves) can"
                    )
                given = reader.given[index]
                inputs = [results[v[0]] if isinstance(v, list) else as_double(v) if double and is_graph_tensor(v) else v
                          for v in given]  # fmt: skip
                results.append(item.handle.operation.apply(*inputs))
        return Recording(results[-1], names, calls=calls)


class RuleProgram(Program):
    """The operations are done again by their rules, for a tape that was there before the stepper."""

    inner = True

    def __init__(self, loss: Any) -> None:
        self._loss = loss

    def run(self, items: Sequence[Item], values: dict[int, Array], double: bool = False) -> Recording:
        own = is_own(self._loss)
        lib = None if own else library(self._loss)
        if any(item.kind == "cut" for item in items):
            raise StepperError("this tape is longer than what is shown of it")
        first = next(item.handle for item in items if item.kind == "leaf")
        results: list[Any] = []
        names = {}

        def operand(o: Any) -> Any:
            if isinstance(o, int):
                return results[o]
            if own or lib is None:
                return float(o) if np.ndim(o) == 0 else o
            return lib.tensor(o, dtype=lib.float64 if double else first.dtype, device=first.device)

        with tracing(lib) if lib is not None else contextlib.nullcontext() as trace:
            for index, item in enumerate(items):
                if index in values or item.kind == "leaf":
                    value = values.get(index, item.value)
                    results.append(new_leaf(item.handle if item.kind == "leaf" else first, value, double))
                    names[id(results[-1])] = item.name
                    continue
                rule = item.rule
                if rule is None or rule.run is None or any(o is None for o in item.operands):
                    raise StepperError(
                        f"the tape keeps only what backward needs, and {item.op} can't be evaluated again from that. "
                        "%%step or BackpropStepper(f, *leaves) can"
                    )
                results.append(rule.run(*(operand(o) for o in item.operands)))
        return Recording(results[-1], names, trace)


def program_of(recording: Recording) -> Program:
    """How what was recorded can be evaluated again."""
    if is_graph_tensor(recording.loss):
        return GraphProgram(recording)
    return RecordedProgram(recording) if recording.trace is not None else RuleProgram(recording.loss)


def _identity(value: Any) -> int:
    node = getattr(value, "grad_fn", None)
    return id(value) if node is None or is_own(value) else id(node)


def names_in(*namespaces: dict[str, Any]) -> dict[int, str]:
    """Names for tensors, for the nodes that made them, and for the parameters of models, from variables."""
    names: dict[int, str] = {}
    for namespace in namespaces:
        for name, value in list(namespace.items()):
            if name.startswith("_") or isinstance(value, type):
                continue
            if is_tensor(value) or is_own(value) or is_graph_tensor(value):
                names[_identity(value)] = name
            elif callable(getattr(value, "parameters", None)):
                with contextlib.suppress(Exception):
                    for inner, parameter in named_parameters(value):
                        names.setdefault(id(parameter), f"{name}.{inner}")
    return names


@dataclass
class Check:
    """The measured slope of the loss beside the computed gradient. `state` is "agrees", "differs" or "kink"."""

    item: int
    element: int
    slope: float
    gradient: float
    state: str


def measure(program: Program, items: Sequence[Item], right: Walk) -> tuple[list[Check], str | None]:
    """Measure slopes by central differences.

    Returns:
        The checks, and why the tape can't be evaluated again: None where it can, "again" where it gives another loss
        each time, else a message.
    """
    recorded = items[-1].value
    expected = float(recorded.reshape(())) if recorded is not None else float("nan")
    try:
        if not np.isclose(program.loss(items, {}), expected, rtol=1e-4, atol=1e-6, equal_nan=True):
            return [], "again"
    except Exception as error:
        return [], str(error) or type(error).__name__
    double = True
    try:
        base = program.loss(items, {}, True)
        double = bool(np.isclose(base, expected, rtol=1e-3, atol=1e-5))
    except Exception:
        double = False
    if not double:
        base = expected
    step, tolerance = (1e-5, 1e-4) if double else (1e-2, 3e-2)
    if not np.isfinite(base):
        return [], None
    editable = set(program.editable(items))
    checks = []
    end = time.perf_counter() + _SECONDS
    for index in [*sorted(editable), *(i for i, item in enumerate(items) if item.kind == "op" and program.inner)]:
        gradient = right.totals[index]
        value = items[index].value
        if gradient is None or value is None or time.perf_counter() > end or gradient.shape != value.shape:
            continue
        found: Check | None = None
        order = np.argsort(-np.abs(np.nan_to_num(gradient)).ravel(), kind="stable")
        for element in order[:_ELEMENTS].tolist():
            try:
                check = _slope(
                    program, items, index, element, float(gradient.flat[element]), base, step, tolerance, double
                )
            except Exception:
                break
            if found is None or check.state != "agrees":
                found = check
            if check.state == "differs":
                break
        if found is not None:
            checks.append(found)
    return checks, None


def _slope(
    program: Program, items: Sequence[Item], index: int, element: int, gradient: float, base: float, step: float,
    tolerance: float, double: bool,
) -> Check:  # fmt: skip
    value = items[index].value
    assert value is not None
    h = step * max(1.0, abs(float(value.flat[element])))

    def at(shift: float) -> float:
        moved = value.copy()
        moved.flat[element] += shift
        return program.loss(items, {index: moved}, double)

    up, down = at(h), at(-h)
    slope = (up - down) / (2 * h)
    scale = max(abs(slope), abs(gradient), 1e-3 * max(1.0, abs(base)))
    rounding = 1e-6 * max(1.0, abs(base))  # what float32 leaves of a gradient that nearly vanishes, as tanh's far out
    state = "agrees" if abs(slope - gradient) <= tolerance * scale + rounding else "differs"
    if state == "differs":
        sides = sorted([(up - base) / h, (base - down) / h])
        room = tolerance * scale
        if sides[1] - sides[0] > 2 * room and sides[0] - room <= gradient <= sides[1] + room:
            state = "kink"
    return Check(index, element, slope, gradient, state)
