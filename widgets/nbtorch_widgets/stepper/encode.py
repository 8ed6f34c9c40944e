"""What the front end gets of a tape: a small tree of words and positions, and one buffer with all numbers.

Buffer: for each array 24 bytes with minimum, maximum and mean (float64), then its elements, float64 where there are at
most 64 of them, else float32, each padded to 8 bytes. Arrays of more elements than the limit are sent as thumbnails,
the means of blocks. Equal arrays are there once. No NaN or infinity is ever in the tree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nbtorch_widgets.stepper.layout import BOX, arrange
from nbtorch_widgets.stepper.program import Check
from nbtorch_widgets.stepper.rules import fill, number
from nbtorch_widgets.stepper.tape import Array, Item, Pass, Visit, Walk, differs

_EXACT = 64
#: Most elements that go out as they are, and the side of a thumbnail; the next pair if the buffer gets too large.
_LIMITS = ((4096, 64), (1024, 32), (256, 16), (64, 8))
_MOST_BYTES = 3 << 20


class Packer:
    """Collects arrays; `add` gives the number under which the front end finds one, -1 for None."""

    def __init__(self, limit: tuple[int, int]) -> None:
        self._most, self._side = limit
        self._chunks: list[bytes] = []
        self._known: dict[tuple[Any, ...], int] = {}
        self.size = 0
        self.table: list[list[Any]] = []

    def add(self, array: Array | None) -> int:
        if array is None:
            return -1
        array = np.asarray(array, np.float64)
        key = (array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = len(self.table)
            shown = array if array.size <= self._most else thumbnail(array, self._side)
            finite = array[np.isfinite(array)]
            stats = (
                [float(array.min()), float(array.max()), float(array.mean())]
                if finite.size == array.size and array.size
                else [float(finite.min()), float(finite.max()), float("nan")] if finite.size else [float("nan")] * 3
            )  # fmt: skip
            exact = shown.size <= _EXACT
            with np.errstate(over="ignore"):
                data = np.ascontiguousarray(shown, "<f8" if exact else "<f4").tobytes()
            data = np.array(stats, "<f8").tobytes() + data + bytes(-len(data) % 8)
            self.table.append([self.size, int(shown.size), 8 if exact else 4, list(array.shape), list(shown.shape)])
            self._chunks.append(data)
            self.size += len(data)
        return self._known[key]

    def bytes(self) -> bytes:
        return b"".join(self._chunks)


def thumbnail(array: Array, side: int) -> Array:
    """The means of at most side × side blocks of an array, as a matrix."""
    if array.ndim < 2:
        columns = math.ceil(math.sqrt(array.size))
        flat = np.concatenate([array.ravel(), np.repeat(array.ravel()[-1:], -array.size % columns)])
        matrix = flat.reshape(-1, columns)
    else:
        matrix = array.reshape(-1, array.shape[-1])
    for axis in (0, 1):
        count = matrix.shape[axis]
        if count > side:
            starts = np.arange(side) * count // side
            sizes = np.diff([*starts, count]).reshape((-1, 1) if axis == 0 else (1, -1))
            matrix = np.add.reduceat(matrix, starts, axis=axis) / sizes
    return matrix


# ---- formulas: in them `\name{3}` is the name of item 3, which the front end puts in as text ----


def _is_number(value: Any) -> bool:
    return value is not None and np.size(value) == 1


def _text(items: Sequence[Item], operand: Any) -> str:
    """An operand by its name; a constant number by itself."""
    if isinstance(operand, int):
        return rf"\name{{{operand}}}"
    if operand is None:
        return "?"
    return number(float(operand.reshape(()))) if _is_number(operand) else r"\text{data}"


def _digits(items: Sequence[Item], operand: Any) -> str | None:
    value = items[operand].value if isinstance(operand, int) else operand
    return number(float(np.asarray(value).reshape(()))) if _is_number(value) else None


def _parts(items: Sequence[Item], index: int, numbers: bool) -> dict[str, str] | None:
    item = items[index]
    parts: dict[str, str] = {}
    for place, operand in enumerate([index, *item.operands]):
        text = _digits(items, operand) if numbers else _text(items, operand)
        if text is None:
            return None
        parts[str(place)] = text
    return parts


def forward_formula(items: Sequence[Item], index: int) -> tuple[str, str]:
    """The operation with names, and with numbers where all are numbers."""
    item = items[index]
    if item.kind != "op":
        return "", ""
    rule = item.rule
    name = rf"\name{{{index}}}"
    names = _parts(items, index, numbers=False) or {}
    if rule is None:
        inside = ", ".join(_text(items, operand) for operand in item.operands)
        return rf"{name} = \operatorname{{{_plain(item.op)}}}({inside})", ""
    symbols = f"{name} = {fill(rule.shows, names)}"
    numbers = _parts(items, index, numbers=True)
    return symbols, f"{fill(rule.shows, numbers)} = {numbers['0']}" if numbers else ""


def _plain(op: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "._ ") else " " for c in op).strip() or "op"


def local_formula(items: Sequence[Item], index: int, step: Pass) -> tuple[str, str]:
    """The local derivative with names, and with numbers."""
    item = items[index]
    rule = item.rule
    source, target = rf"\name{{{index}}}", rf"\name{{{step.target}}}"
    if rule is None:
        value = number(float(step.local)) if step.local is not None and step.local.size == 1 else ""
        head = rf"\frac{{\partial {source}}}{{\partial {target}}}"
        return (f"{head} = {value}" if value else ""), ""
    names = _parts(items, index, numbers=False) or {}
    template = rule.derivatives[step.operand]
    if rule.locals is None:
        bar = rf"\bar{{{source}}}"
        return rf"\bar{{{target}}} = {fill(template, {**names, 'g': bar})}", ""
    places = [o for o in item.operands if isinstance(o, int) and o == step.target]
    repeated = len(places) > 1 and item.slots.count(None) == len(item.slots) - 1
    if repeated:  # one number for both places of a repeated operand
        value = number(float(step.local)) if step.local is not None and step.local.size == 1 else "?"
        return rf"\frac{{\partial {source}}}{{\partial {target}}} = {value}", ""
    symbols = rf"\frac{{\partial {source}}}{{\partial {target}}} = {fill(template, names)}"
    numbers = _parts(items, index, numbers=True)
    if numbers is None or step.local is None:
        return symbols, ""
    value = number(float(step.local.reshape(())))
    filled = fill(template, numbers)
    known = symbols.endswith(f"= {filled}")  # nothing in it has a name
    if known and filled == value:
        return symbols, ""
    return symbols, value if known or filled == value else f"{filled} = {value}"


# ---- the tree ----


def encode(
    items: Sequence[Item],
    walks: dict[str, Walk],
    checks: Sequence[Check],
    editable: Sequence[int],
    facts: dict[str, Any],
) -> tuple[dict[str, Any], bytes]:
    """The tape for the front end, as small as it must be."""
    for limit in _LIMITS:
        packer = Packer(limit)
        tree = _encode(items, walks, checks, editable, facts, packer)
        if packer.size <= _MOST_BYTES:
            break
    return tree, packer.bytes()


def _encode(
    items: Sequence[Item], walks: dict[str, Walk], checks: Sequence[Check], editable: Sequence[int],
    facts: dict[str, Any], packer: Packer,
) -> dict[str, Any]:  # fmt: skip
    corners, lines, width, height = arrange([item.inputs() for item in items])
    nodes = []
    for index, item in enumerate(items):
        symbols, numbers = forward_formula(items, index)
        nodes.append({
            "name": item.name, "op": item.op, "kind": item.kind, "x": corners[index][0], "y": corners[index][1],
            "value": packer.add(item.value), "formula": symbols, "numbers": numbers, "edit": index in editable,
            "inputs": [operand if isinstance(operand, int) else -1 for operand in item.operands],
            "constants": [packer.add(o) for o in item.operands if o is not None and not isinstance(o, int)],
        })  # fmt: skip
    right = walks["right"].totals
    return {
        "v": 1,
        **facts,
        "size": [width, height, *BOX],
        "nodes": nodes,
        "edges": [[source, node, [c for point in points for c in point]] for (source, node), points in lines.items()],
        "walks": {
            name: {
                "visits": [_visit(items, visit, packer) for visit in walk.visits],
                "totals": [packer.add(total) for total in walk.totals],
                "wrong": [i for i, total in enumerate(walk.totals) if differs(total, right[i])],
            }
            for name, walk in walks.items()
        },
        "checks": [
            {"node": c.item, "element": c.element, "state": c.state, "slope": packer.add(np.array(c.slope)),
             "gradient": packer.add(np.array(c.gradient))}
            for c in checks
        ],
        "arrays": packer.table,
    }  # fmt: skip


def _visit(items: Sequence[Item], visit: Visit, packer: Packer) -> dict[str, Any]:
    passes = []
    for step in visit.passes:
        symbols, numbers = local_formula(items, visit.item, step)
        passes.append({
            "target": step.target, "local": packer.add(step.local), "symbols": symbols, "numbers": numbers,
            "product": packer.add(step.product), "before": packer.add(step.before), "after": packer.add(step.after),
            "note": "" if items[visit.item].rule is not None else items[visit.item].formula,
        })  # fmt: skip
    return {"node": visit.item, "incoming": packer.add(visit.incoming), "passes": passes}
