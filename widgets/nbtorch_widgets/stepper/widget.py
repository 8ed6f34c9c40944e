"""`BackpropStepper`: a loss, walked back operation by operation."""

from __future__ import annotations

import importlib
import inspect
import math
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import traitlets

from nbtorch_widgets.stepper.encode import encode, forward_formula, local_formula
from nbtorch_widgets.stepper.graph_reader import is_graph_tensor
from nbtorch_widgets.stepper.own_reader import OwnReader, is_own
from nbtorch_widgets.stepper.program import (
    Check,
    FunctionProgram,
    Program,
    Recording,
    measure,
    names_in,
    new_leaf,
    program_of,
)
from nbtorch_widgets.stepper.tape import Array, Item, StepperError, Walk, differs
from nbtorch_widgets.stepper.torch_reader import is_tensor
from nbtorch_widgets.widget import NotebookWidget

__all__ = ["BackpropStepper", "StepperError"]


class BackpropStepper(NotebookWidget):
    """Walk over the operations behind a loss, forward and backward, with every number that flows.

        BackpropStepper(loss)            # the tape that led to a tensor of one element
        BackpropStepper(f, a, b)         # calls f(a, b) and can call it again, with other values

    Args:
        loss: a scalar tensor of PyTorch or nbtorch with a `grad_fn`, or of one's own library with a graph (see
            `graph_reader.py`); an object of one's own class (`data`, `grad`,
            parents in `_prev` and `_backward()`, see `own_reader.py`); or a function that returns one.
        leaves: the arguments for the function: tensors, objects of one's own class, or numbers.
        names: names for leaves and results, by name; the caller's variables if left out.

    The tensors, their `.grad` and the graph stay as they are: gradients are computed by the library, once in the right
    way and three times with the mistakes that the widget can show. A function, and a loss that `%%step` has recorded,
    can be evaluated again, so leaves can be edited and slopes be measured; a loss that was there before can be where
    the tape holds all it takes.
    """

    tape = traitlets.Dict().tag(sync=True)
    numbers = traitlets.Bytes().tag(sync=True)
    #: Where the reader is: 0 before the first operation.
    position = traitlets.Int(0).tag(sync=True)

    def __init__(self, loss: Any, *leaves: Any, names: dict[str, Any] | None = None, **traits: Any) -> None:
        recording: Recording
        program: Program | None
        if isinstance(loss, Recording):
            recording, program = loss, program_of(loss)
        elif is_tensor(loss) or is_own(loss) or is_graph_tensor(loss):
            if leaves:
                raise TypeError("leaves are the arguments of a function; of a loss the tape knows its leaves itself")
            if names is None:
                frame = sys._getframe(1)
                found = names_in(frame.f_globals, frame.f_locals)
            else:
                found = names_in(names)
            recording = Recording(loss, found)
            program = program_of(recording)
        elif callable(loss):
            given = [_leaf(leaf) for leaf in leaves]
            function = FunctionProgram(loss, given, _argument_names(loss, len(given)))
            recording = function.record(given)
            program = function.of(recording)
        else:
            raise TypeError(
                "BackpropStepper expected a scalar tensor with a grad_fn, an object of one's own class with data, "
                f"grad and _prev, or a function and its leaves; got {type(loss).__name__}"
            )
        super().__init__(kind="stepper", **traits)
        self._lock = threading.Lock()
        self._program = program
        self._take(recording, None)
        self.on_msg(self._receive)

    # ---- the tape ----

    def _take(self, recording: Recording, before: list[Item] | None) -> None:
        """Read a recording and show it."""
        reader, found, goes_wrong = recording.take()
        items = reader.items
        if before is not None and [(i.kind, i.op) for i in items] == [(i.kind, i.op) for i in before]:
            for item, old in zip(items, before, strict=True):
                item.name, item.named = old.name, old.named
        else:
            _name(items)
        checks, reason = self._measure(recording, items, found["right"])
        editable = [] if reason is not None or self._program is None else self._program.editable(items)
        facts = {
            "editable": bool(editable), "reason": reason or "", "unordered": goes_wrong,
            "overwrites": isinstance(reader, OwnReader) and reader.overwrites,
        }  # fmt: skip
        tree, numbers = encode(items, found, checks, editable, facts)
        self._items, self._walks, self._checks = items, found, checks
        with self.hold_sync():
            self.tape, self.numbers = tree, numbers

    def _measure(self, recording: Recording, items: list[Item], right: Walk) -> tuple[list[Check], str | None]:
        recorded = recording.trace is not None or recording.calls is not None
        if isinstance(self._program, FunctionProgram) and recorded:
            # The recorded calls allow slopes of results, too, in double precision.
            _, reason = measure(self._program, [*items], Walk([], [None] * len(items)))
            checks, failed = measure(program_of(recording), items, right)
            if failed is None and reason is None:
                return checks, None
        if self._program is None:
            return [], "unknown"
        return measure(self._program, items, right)

    def edit(self, leaf: str | int, value: float, element: int = 0) -> None:
        """Give an element of a leaf another value and walk again.

        Args:
            leaf: its name or its position on the tape.
            value: a finite number.
            element: which one, counted through the flattened tensor.

        Raises:
            StepperError: where that isn't possible; nothing has changed then.
        """
        with self._lock:
            index = leaf if isinstance(leaf, int) and not isinstance(leaf, bool) else self._find(str(leaf))
            if not 0 <= index < len(self._items) or self._items[index].kind != "leaf":
                raise StepperError("only a leaf can be edited")
            if self._program is None or index not in self._program.editable(self._items) or self.tape["reason"]:
                raise StepperError(f"this tape can't be evaluated again: {self.tape['reason'] or 'not an argument'}")
            current = np.asarray(self._items[index].value)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise StepperError("a leaf's value must be a finite number")
            if isinstance(element, bool) or not isinstance(element, int) or not 0 <= element < current.size:
                raise StepperError(f"there is no element {element} in a leaf of {current.size}")
            changed = current.copy()
            changed.flat[element] = value
            recording = self._program.run(self._items, {index: changed})
            program = self._program
            if isinstance(program, FunctionProgram):
                self._program = program.of(recording)
            else:
                self._program = program_of(recording)
            try:
                self._take(recording, self._items)
            except Exception:
                self._program = program
                raise

    def _find(self, name: str) -> int:
        found = [index for index, item in enumerate(self._items) if item.name == name and item.kind == "leaf"]
        if not found:
            raise StepperError(f"there is no leaf named {name!r}")
        return found[0]

    def _receive(self, _: Any, content: Any, buffers: Any) -> None:
        if not isinstance(content, dict) or content.get("op") != "edit":
            return
        number = content.get("id") if isinstance(content.get("id"), int) else 0
        node, element = content.get("node"), content.get("element", 0)
        try:
            if isinstance(node, bool) or not isinstance(node, int):
                raise StepperError("only a leaf can be edited")
            self.edit(node, content.get("value"), element)  # type: ignore[arg-type]
        except Exception as error:
            self.send({"op": "refused", "id": number, "reason": str(error) or type(error).__name__})
        else:
            self.send({"op": "edited", "id": number})

    # ---- without a front end ----

    @property
    def history(self) -> list[dict[str, Any]]:
        """The steps of the walk, forward and then backward, with copies of all arrays.

        Forward steps have `phase`, `name`, `op`, `inputs`, `value` and `formula`. Backward steps have `phase`, `name`,
        `op`, `incoming` and `passes`: for each input `to`, `local` (None where it isn't a number for each element),
        `product`, `before`, `after` and `formula`.
        """
        steps: list[dict[str, Any]] = []
        for index, item in enumerate(self._items):
            if item.kind == "op":
                steps.append({
                    "phase": "forward", "name": item.name, "op": item.op, "value": _copy(item.value),
                    "inputs": [self._items[i].name for i in item.inputs()],
                    "formula": self._named(" = ".join(filter(None, forward_formula(self._items, index)))),
                })  # fmt: skip
        for visit in self._walks["right"].visits:
            item = self._items[visit.item]
            steps.append({
                "phase": "backward", "name": item.name, "op": item.op, "incoming": _copy(visit.incoming),
                "passes": [{
                    "to": self._items[p.target].name, "local": _copy(p.local), "product": _copy(p.product),
                    "before": _copy(p.before), "after": _copy(p.after),
                    "formula": self._named(" = ".join(filter(None, local_formula(self._items, visit.item, p)))),
                } for p in visit.passes],
            })  # fmt: skip
        return steps

    def gradients(self, variant: str = "right") -> dict[str, Array | None]:
        """The gradients at the end of the walk, by name: "right", or wrong by "order", "assign" or "both"."""
        if variant not in self._walks:
            raise ValueError(f"variant expected one of {', '.join(self._walks)}, got {variant!r}")
        totals = self._walks[variant].totals
        return {item.name: _copy(total) for item, total in zip(self._items, totals, strict=True)}

    def mistaken(self, variant: str) -> list[str]:
        """The names whose gradients this mistake makes wrong: "order", "assign" or "both"."""
        right, wrong = self._walks["right"].totals, self._walks[variant].totals
        return [i.name for i, r, w in zip(self._items, right, wrong, strict=True) if differs(w, r)]

    def _named(self, formula: str) -> str:
        for index, item in enumerate(self._items):
            formula = formula.replace(rf"\name{{{index}}}", item.name)
        return formula

    def __repr__(self) -> str:
        operations = sum(item.kind == "op" for item in self._items)
        leaves = sum(item.kind == "leaf" for item in self._items)
        last = self._items[-1]
        value = f"{float(last.value.reshape(())):.4g}" if last.value is not None else "?"
        return f"BackpropStepper({last.name} = {value}, {operations} operations, {leaves} leaves)"

    def to_svg(self) -> str:
        from nbtorch_widgets.stepper.picture import stepper_svg

        return stepper_svg(self._items, self._walks["right"], self._checks)

    def plot(self) -> Any:
        """The graph with values and gradients as a matplotlib figure."""
        from nbtorch_widgets.stepper.picture import stepper_figure

        return stepper_figure(self._items, self._walks["right"])


def _leaf(value: Any) -> Any:
    """A leaf of its own for the walk: what the caller gave stays as it is."""
    if is_tensor(value):
        if not value.dtype.is_floating_point:
            raise TypeError(f"a leaf must be a tensor of floating-point numbers, got {value.dtype}")
        return new_leaf(value, np.asarray(value.detach().cpu().double().numpy()))
    if is_own(value) or is_graph_tensor(value):
        return new_leaf(value, np.array(value.data, float))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        lib: Any = importlib.import_module("nbtorch")
        return lib.tensor(float(value), dtype=lib.float64, requires_grad=True)
    raise TypeError(f"a leaf must be a tensor, a value of one's own class, or a number; got {type(value).__name__}")


def _argument_names(function: Callable[..., Any], count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "x")
    return names + [f"{rest}{i}" for i in range(len(names) + 1, count + 1)]


def _name(items: list[Item]) -> None:
    """Names for what has none: v1, v2, ... for results, x1, ... for leaves, L for the loss; no name twice."""
    taken = {item.name for item in items if item.name}
    counts = {"v": 0, "x": 0}
    seen: set[str] = set()
    for item in items:
        if item.name in seen:
            item.name = ""
        if not item.name and item is items[-1] and "L" not in taken:
            item.name = "L"
        while not item.name or item.name in seen or (not item.named and item.name in taken):
            letter = "x" if item.kind == "leaf" else "v"
            counts[letter] += 1
            item.name, item.named = f"{letter}{counts[letter]}", False
        seen.add(item.name)


def _copy(array: Array | None) -> Array | None:
    return None if array is None else array.copy()
