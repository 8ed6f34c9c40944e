"""Reading the tape of a library of one's own that keeps a graph of nodes, as the course builds one.

What it needs: tensors with their NumPy array in `data` and their node in `grad_fn`; nodes with `next_functions` (pairs
as in PyTorch) and `operation`, a class with `forward(ctx, *arrays)`, `backward(ctx, gradient)` and a classmethod
`apply`; at a leaf a node with `variable`. Such a graph keeps only what backward needs, so `recording` notes while a
program runs what each operation was given and what came out.
"""

from __future__ import annotations

import contextlib
import copy
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nbtorch_widgets.stepper.rules import RULES, SIGNS, snake
from nbtorch_widgets.stepper.tape import Array, Choose, Item, Products, StepperError, inputs_first

_MOST = 240


def is_graph_tensor(value: Any) -> bool:
    """Whether it is a tensor of one's own library with a graph: `grad_fn`, and a NumPy array in `data`."""
    return hasattr(type(value), "grad_fn") and isinstance(getattr(value, "data", None), np.ndarray)


@dataclass
class Calls:
    """For each node what its operation was given, and the array that came out."""

    made: dict[Any, tuple[tuple[Any, ...], Array]] = field(default_factory=dict)


@contextlib.contextmanager
def recording(functions: Iterable[type]) -> Iterator[Calls]:
    """Note every call of `apply` of these classes, and of those made from them."""
    calls = Calls()
    replaced: list[tuple[type, Any, Any]] = []
    for function in dict.fromkeys(functions):
        before = vars(function)["apply"]
        watched: Any = classmethod(_noting(before.__func__, calls))
        function.apply = watched  # type: ignore[attr-defined]
        replaced.append((function, before, watched))
    try:
        yield calls
    finally:
        for function, before, watched in replaced:
            if vars(function).get("apply") is watched:  # else the program has written another one meanwhile
                function.apply = before  # type: ignore[attr-defined]


def _noting(apply: Any, calls: Calls) -> Any:
    def noted(cls: Any, *inputs: Any) -> Any:
        out = apply(cls, *inputs)
        if is_graph_tensor(out) and out.grad_fn is not None:
            calls.made[out.grad_fn] = (inputs, np.array(out.data, np.float64))
        return out

    return noted


def functions_in(*namespaces: dict[str, Any]) -> list[type]:
    """The classes with an `apply` of their own in these namespaces and in the library of the course."""
    course = [vars(m) for name, m in list(sys.modules.items()) if name.split(".")[0] == "mytorch" and m is not None]
    found = [v for names in (*namespaces, *course) for v in list(names.values()) if isinstance(v, type)]
    return [
        c for c in dict.fromkeys(found)
        if isinstance(vars(c).get("apply"), classmethod) and c.__module__.split(".")[0] not in ("torch", "nbtorch")
    ]  # fmt: skip


def functions_of(loss: Any) -> list[type]:
    """The classes whose `apply` made the last operation of a graph."""
    operation = getattr(loss.grad_fn, "operation", None)
    made_by = [c for c in getattr(operation, "__mro__", ()) if isinstance(vars(c).get("apply"), classmethod)]
    return made_by[:1]


def as_double(tensor: Any) -> Any:
    """The same tensor in double precision."""
    made = copy.copy(tensor)
    made.data = tensor.data.astype(np.float64) if tensor.data.dtype.kind == "f" else tensor.data
    return made


class GraphReader:
    """The tape behind a tensor of one's own library."""

    def __init__(self, loss: Any, names: dict[int, str], calls: Calls | None = None) -> None:
        if loss.grad_fn is None:
            raise StepperError(
                "there is no tape behind this value: nothing it was computed from requires a gradient. Make a leaf "
                "with requires_grad=True and compute the loss from it"
            )
        if loss.data.size != 1:
            raise StepperError(
                f"the stepper walks back from one number, and this tensor has the shape {loss.data.shape}. "
                "Make one number of it first"
            )
        self._loss = loss
        self._calls = calls.made if calls is not None else {}
        self.items: list[Item] = []
        #: For each operation its inputs as they were given, an item of the tape as its position in a list of one.
        self.given: dict[int, list[Any]] = {}
        self._position: dict[Any, int] = {}
        for target in self._order():
            self._position[_key(target)] = len(self.items)
            self.items.append(self._item(target, names))
        self._fill_values()

    def _order(self) -> list[Any]:
        """Leaves (tensors) and nodes, each after what it was computed from."""
        order = inputs_first(
            self._loss.grad_fn, lambda target: [t for t in self._targets(target) if t is not None], _key
        )
        if len(order) > _MOST:
            raise StepperError(
                f"this tape has {len(order)} values; the stepper shows at most {_MOST} of a library of one's own"
            )
        return order

    @staticmethod
    def _targets(node: Any) -> list[Any]:
        arrows = [] if is_graph_tensor(node) else [function for function, _ in node.next_functions]
        return [getattr(function, "variable", function) for function in arrows]

    def _item(self, target: Any, names: dict[int, str]) -> Item:
        name = names.get(id(target), "")
        if is_graph_tensor(target):
            return Item(name, "leaf", value=np.array(target.data, np.float64), handle=target, named=bool(name))
        item = Item(name, "op", _operation(target), handle=target, named=bool(name))
        inputs, item.value = self._calls.get(target, (None, None))
        if target is self._loss.grad_fn:
            item.value = np.array(self._loss.data, np.float64)
        targets = self._targets(target)
        given = self.given[len(self.items)] = list(inputs if inputs is not None else [None] * len(targets))
        for slot, (value, source) in enumerate(zip(given, targets, strict=False)):
            if source is not None:
                given[slot] = [self._position[_key(source)]]
                item.operands.append(given[slot][0])
            elif inputs is None:
                item.operands.append(self._saved(target, slot))
            else:
                constant = getattr(value, "data", value)
                if not _is_numbers(constant):  # a dimension, an index: no operand of the formula
                    item.slots.append(None)
                    continue
                item.operands.append(np.array(constant, np.float64))
            item.slots.append(len(item.operands) - 1)
        rule = RULES.get(item.op)
        if rule is not None and inputs is None:
            self._drop_unknown(item, len(rule.derivatives))
        return item

    @staticmethod
    def _drop_unknown(item: Item, count: int) -> None:
        """Inputs behind the operands, such as a dimension, of which nothing is known."""
        while len(item.operands) > count and not isinstance(item.operands[-1], int):
            item.operands.pop()
            item.slots[len(item.operands)] = None

    @staticmethod
    def _saved(node: Any, slot: int) -> Array | None:
        """An operation that has saved all its inputs has saved this one."""
        saved = getattr(node, "saved_tensors", None) or ()
        if len(saved) != len(node.next_functions) or not _is_numbers(saved[slot]):
            return None
        return np.array(saved[slot], np.float64)

    def _fill_values(self) -> None:
        """Without a recording: what the next operation saved of its operand, and what follows from known operands."""
        for index, item in enumerate(self.items):
            for slot, one in enumerate(self.given.get(index, ())):
                if isinstance(one, list) and self.items[one[0]].value is None:
                    self.items[one[0]].value = self._saved(item.handle, slot)
        for item in self.items:
            if item.kind == "op" and item.value is None:
                values = [self.items[o].value if isinstance(o, int) else o for o in item.operands]
                if len(values) == len(item.slots) and all(value is not None for value in values):
                    node = type(item.handle)(item.handle.operation, ())
                    with contextlib.suppress(Exception):
                        item.value = np.array(item.handle.operation.forward(node, *values), np.float64)

    def sweep(self, choose: Choose) -> Products:
        products: Products = {}
        for index in range(len(self.items) - 1, -1, -1):
            item = self.items[index]
            if item.kind != "op":
                continue
            gradient = choose(index, products)
            products[index] = [None] * len(item.slots)
            if gradient is None:
                continue
            if item.handle.saved_tensors is None:
                raise StepperError(
                    "backward() has used up this tape. Open the stepper before backward(), put %%step at the head of "
                    "the cell, or give a function: BackpropStepper(f, *leaves)"
                )
            backward = getattr(item.handle.operation, "backward", None)
            if backward is None:
                raise StepperError(f"{item.handle.operation.__name__} has no backward yet")
            try:
                parts = backward(item.handle, gradient.copy())
            except Exception as error:
                raise StepperError(f"{item.handle.operation.__name__}.backward fails: {error}") from error
            parts = parts if isinstance(parts, (tuple, list)) else (parts,)
            for slot, part in enumerate(parts[: len(item.slots)]):
                products[index][slot] = None if part is None else np.array(part, np.float64)
        return products


def _operation(node: Any) -> str:
    op = snake(node.name()) if callable(getattr(node, "name", None)) else snake(node.operation.__name__)
    joined = op.replace("_", "")  # MatMul, ReLU
    return SIGNS.get(joined, joined if joined in RULES else op)


def _is_numbers(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, (int, float, np.ndarray, np.generic))


def _key(target: Any) -> Any:
    return ("leaf", id(target)) if is_graph_tensor(target) else target
