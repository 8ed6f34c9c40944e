"""The tape: the operations that led to a loss, in order, with their values; and the walk of the gradients back over it.

Gradients are never computed here. A reader (`torch_reader.py`, `graph_reader.py`, `own_reader.py`) lets the library or
the learner's own code run backward and says for each operation what it made of the gradient that arrived. That is done
four times: in the right way and in three wrong ones, for which only the arriving gradient is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from nbtorch_widgets.stepper.rules import RULES, Rule

Array = Any  # numpy.ndarray of float64

#: Right, and wrong in one way or both: visited in no topological order ("order"), `=` for `+=` ("assign").
VARIANTS = ("right", "order", "assign", "both")


class StepperError(ValueError):
    """The stepper can't show this; the message says why and what to do."""


@dataclass
class Item:
    """One thing on the tape: a leaf, an operation with its result, or `cut`, an operation that isn't gone into.

    Attributes:
        operands: what the operation was applied to: the position of an item, a constant array, or None where unknown.
        slots: for each gradient that the operation's backward gives, the operand that it is for.
        value: the result; None where the library didn't keep it.
        formula: the library's own formula of the derivatives, if it has one and there is no rule.
    """

    name: str
    kind: str
    op: str = ""
    operands: list[Any] = field(default_factory=list)
    slots: list[int | None] = field(default_factory=list)
    value: Array | None = None
    handle: Any = None
    formula: str = ""
    named: bool = False

    @property
    def rule(self) -> Rule | None:
        rule = RULES.get(self.op)
        return rule if rule is not None and len(rule.derivatives) == len(self.operands) else None

    def inputs(self) -> list[int]:
        """The items that it was computed from, each once."""
        return list(dict.fromkeys(o for o in self.operands if isinstance(o, int)))


@dataclass
class Pass:
    """What one operation hands to one of its inputs: `product` is added to the `before` of `target`, giving `after`."""

    target: int
    operand: int
    product: Array
    before: Array | None
    after: Array
    local: Array | None


@dataclass
class Visit:
    """One operation's turn in backward: the gradient that it works with, and what it hands on."""

    item: int
    incoming: Array | None
    passes: list[Pass]


@dataclass
class Walk:
    """One run of backward over the tape; `totals` are the gradients at its end, `None` where none arrived."""

    visits: list[Visit]
    totals: list[Array | None]


#: What an operation makes of the gradient that arrives: for each slot a gradient or None.
Products = dict[int, list["Array | None"]]
#: Says what arrives at an item, given what the items after it made.
Choose = Callable[[int, Products], "Array | None"]


class Reader(Protocol):
    """Where a tape comes from."""

    items: list[Item]

    def sweep(self, choose: Choose) -> Products:
        """Run backward; each operation gets what `choose` says. The user's own gradients stay as they were."""


def inputs_first(root: Any, above: Callable[[Any], Sequence[Any]], key: Callable[[Any], Any] = id) -> list[Any]:
    """Everything that `root` was computed from, each thing once and after its own inputs, `root` at the end.

    Args:
        above: the inputs of a thing, from the first to the last.
        key: what two names of one thing have in common.
    """
    order: list[Any] = []
    seen: set[Any] = set()
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        thing, ready = stack.pop()
        if ready:
            order.append(thing)
        elif key(thing) not in seen:
            seen.add(key(thing))
            stack.append((thing, True))
            stack.extend((one, False) for one in reversed(above(thing)))
    return order


def visit_orders(items: Sequence[Item]) -> tuple[list[int], list[list[int]]]:
    """The right order of operations in backward, and the wrong ones that don't wait.

    The wrong ones go on to an input as soon as it has got its first gradient: depth first, the inputs from the first to
    the last, or from the last to the first.
    """
    operations = [index for index, item in enumerate(items) if item.kind == "op"]
    wrong = []
    for direction in (1, -1):
        order: list[int] = []
        stack = [len(items) - 1]
        seen: set[int] = set()
        while stack:
            index = stack.pop()
            if index in seen or items[index].kind != "op":
                continue
            seen.add(index)
            order.append(index)
            stack.extend(items[index].inputs()[::-direction])
        wrong.append(order)
    return operations[::-1], wrong


def arrivals(items: Sequence[Item], order: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
    """The gradients in the order in which they arrive: (turn, from which item, from which slot, at which item)."""
    for turn, index in enumerate(order):
        item = items[index]
        for slot, operand in enumerate(item.slots):
            if operand is not None and isinstance(item.operands[operand], int):
                yield turn, index, slot, item.operands[operand]


def walk(reader: Reader, order: Sequence[int], accumulate: bool) -> Walk:
    """Run backward in this order of turns, adding gradients up or overwriting them."""
    items = reader.items
    last = len(items) - 1
    turn_of = {index: turn for turn, index in enumerate(order)}
    early: dict[int, list[tuple[int, int]]] = {index: [] for index in range(len(items))}
    for turn, source, slot, target in arrivals(items, order):
        if target not in turn_of or turn < turn_of[target]:
            early[target].append((source, slot))

    def combine(parts: Sequence[Array]) -> Array | None:
        if not parts:
            return None
        if not accumulate:
            return parts[-1]
        total = parts[0]
        for part in parts[1:]:
            total = np.asarray(total + part)
        return total

    def choose(index: int, products: Products) -> Array | None:
        if index == last:
            return np.ones_like(items[last].value) if items[last].value is not None else np.ones(())
        given = (products.get(source, [])[slot : slot + 1] for source, slot in early[index])
        return combine([part[0] for part in given if part and part[0] is not None])

    products = reader.sweep(choose)
    totals: list[Array | None] = [None] * len(items)
    totals[last] = np.ones_like(items[last].value) if items[last].value is not None else np.ones(())
    visits = []
    for index in order:
        incoming = choose(index, products)
        item = items[index]
        passes = []
        for slot, operand in enumerate(item.slots):
            if operand is None or not isinstance(item.operands[operand], int):
                continue
            product = products.get(index, [None] * len(item.slots))[slot]
            if product is None:
                continue
            target = item.operands[operand]
            before = totals[target]
            after = product if before is None or not accumulate else np.asarray(before + product)
            totals[target] = after
            passes.append(Pass(target, operand, product, before, after, local(items, item, operand, incoming, product)))
        visits.append(Visit(index, incoming, passes))
    return Walk(visits, totals)


def local(items: Sequence[Item], item: Item, operand: int, incoming: Array | None, product: Array) -> Array | None:
    """The local derivative as numbers, of the result's shape; None where it isn't one number for each element."""
    operands = [items[o].value if isinstance(o, int) else o for o in item.operands]
    rule = item.rule
    if rule is not None and rule.locals is not None and item.value is not None and all(o is not None for o in operands):
        with np.errstate(all="ignore"):
            return np.asarray(rule.locals[operand](item.value, *operands), float)
    if incoming is not None and incoming.size == 1 and product.size == 1 and incoming.item() != 0:
        with np.errstate(all="ignore"):
            return np.asarray(product.reshape(()) / incoming.reshape(()), float)
    return None


def walks(reader: Reader) -> tuple[dict[str, Walk], bool]:
    """All four walks, and whether visiting in no topological order goes wrong on this graph at all."""
    right, candidates = visit_orders(reader.items)
    result = {"right": walk(reader, right, True), "assign": walk(reader, right, False)}
    wrong = next((order for order in candidates if leaves_out(reader.items, order)), candidates[0])
    result["order"] = walk(reader, wrong, True)
    result["both"] = walk(reader, wrong, False)
    return {name: result[name] for name in VARIANTS}, leaves_out(reader.items, wrong)


def leaves_out(items: Sequence[Item], order: Sequence[int]) -> bool:
    """Whether in this order a gradient arrives at an operation that has had its turn."""
    turns = {index: turn for turn, index in enumerate(order)}
    return any(turn >= turns.get(target, len(order)) for turn, _, _, target in arrivals(items, order))


def differs(wrong: Array | None, right: Array | None) -> bool:
    """Whether two gradients differ by more than rounding."""
    if wrong is None or right is None:
        return (wrong is None) != (right is None)
    scale = max(float(np.max(np.abs(right), initial=0.0)), 1e-30)
    return not np.allclose(wrong, right, rtol=1e-5, atol=1e-6 * scale, equal_nan=True)
