"""Reading the tape of a learner's own class, as one writes it in a first course on backpropagation.

What a class needs: `data` (a number or an array), `grad`, its parents in `_prev`, `_parents`, `parents`, `_children` or
`inputs` (a tuple, list or set; in a set a repeated parent is there once, and the result tells), and `_backward()`,
which adds to the parents' `grad`. The operation is named by `_op` or `op` ("*", "tanh", "**2", ...), if it is named.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np

from nbtorch_widgets.stepper.rules import RULES, SIGNS
from nbtorch_widgets.stepper.tape import Array, Choose, Item, Products, StepperError, inputs_first
from nbtorch_widgets.stepper.torch_reader import MOST, is_tensor

_PARENTS = ("_prev", "_parents", "parents", "_children", "inputs")
_POWER = re.compile(r"^(?:\*\*|\^|pow)\s*\(?(-?[\d.]+(?:e-?\d+)?)\)?$")


def is_own(value: Any) -> bool:
    """Whether it is an object of a learner's class with a tape."""
    return not is_tensor(value) and hasattr(value, "data") and hasattr(value, "grad") and parents(value) is not None


def parents(value: Any) -> list[Any] | None:
    """What it was computed from; None where the class has no such attribute."""
    for name in _PARENTS:
        found = getattr(value, name, None)
        if isinstance(found, (tuple, list, set, frozenset)):
            return list(found)
    return None


class OwnReader:
    """The tape behind an object of a learner's class. `notes` says what its backward does otherwise than it should."""

    def __init__(self, loss: Any, names: dict[int, str]) -> None:
        if np.size(loss.data) != 1:
            raise StepperError(
                f"the stepper walks back from one number, and this value has the shape {np.shape(loss.data)}"
            )
        order = inputs_first(loss, lambda value: self._above(value, names))
        if not parents(loss):
            raise StepperError("there is no tape behind this value: it has no parents")
        if len(order) > MOST:
            raise StepperError(
                f"this tape has {len(order)} values; the stepper shows at most {MOST} of a class of one's own"
            )
        self._values = order
        self.items: list[Item] = []
        self.overwrites = False
        self._position = {id(value): index for index, value in enumerate(order)}
        for value in order:
            self.items.append(self._item(value, names))

    @staticmethod
    def _above(value: Any, names: dict[int, str]) -> list[Any]:
        """The parents, in an order that doesn't depend on where in memory they are."""
        found = parents(value) or []
        if any(isinstance(getattr(value, name, None), (set, frozenset)) for name in _PARENTS):
            found.sort(key=lambda p: (names.get(id(p), "~") or "~", len(parents(p) or []), np.ravel(p.data).tolist()))
        return found

    def _item(self, value: Any, names: dict[int, str]) -> Item:
        above = self._above(value, names)
        name = names.get(id(value), "") or str(getattr(value, "label", "") or "")
        data = np.array(value.data, dtype=np.float64)
        if not above:
            return Item(name, "leaf", value=data, handle=value, named=bool(name))
        sign = str(getattr(value, "_op", "") or getattr(value, "op", "") or "").strip()
        operands: list[Any] = [self._position[id(parent)] for parent in above]
        power = _POWER.match(sign)
        op = "pow" if power else SIGNS.get(sign, sign.lower())
        item = Item(name, "op", op, operands, list(range(len(operands))), data, value, named=bool(name))
        if power:
            item.operands, item.slots = [operands[0], np.array(float(power[1]))], [0, None]
        elif op in RULES:
            self._arrange(item)
        return item

    def _arrange(self, item: Item) -> None:
        """Parents in a set have lost their order, and a repeated one is there once: the result tells."""
        rule = RULES[item.op]
        count = len(rule.derivatives)
        unique = list(dict.fromkeys(item.operands))
        choices = [unique * count] if len(unique) == 1 and count > 1 else []
        choices += [list(order) for order in itertools.permutations(item.operands) if len(order) == count]
        for operands in choices:
            values = [self.items[o].value for o in operands]
            result = _evaluate(item.op, values)
            known = np.asarray(item.value)
            if result is None or (result.shape == known.shape and np.allclose(result, known)):
                # A repeated parent gets both its parts in one sum; the walk shows that sum as one line.
                repeated = len(unique) < len(operands)
                item.operands = operands
                item.slots = [0] + [None] * (count - 1) if repeated else list(range(count))
                return

    def sweep(self, choose: Choose) -> Products:
        products: Products = {}
        before = [value.grad for value in self._values]
        try:
            for index in range(len(self._values) - 1, -1, -1):
                if self.items[index].kind != "op":
                    continue
                given = choose(index, products)
                item = self.items[index]
                products[index] = [None] * len(item.slots)
                if given is None:
                    continue
                made = self._run(index, given, 0.0)
                if not self.overwrites:
                    again = self._run(index, given, 1.0)
                    self.overwrites = any(
                        np.allclose(again[t], m) and not np.allclose(again[t], m + 1) for t, m in made.items()
                    )
                for slot, operand in enumerate(item.slots):
                    if operand is not None and isinstance(item.operands[operand], int):
                        products[index][slot] = made[item.operands[operand]]
        finally:
            for value, grad in zip(self._values, before, strict=True):
                value.grad = grad
        return products

    def _run(self, index: int, given: Array, start: float) -> dict[int, Array]:
        """Let the value hand on a gradient; its parents' gradients begin at `start`."""
        value = self._values[index]
        backward = getattr(value, "_backward", None)
        if not callable(backward):
            raise StepperError(
                f"{type(value).__name__} has no _backward() that hands its gradient on to its parents, which is how "
                "the stepper walks over the values of one's own class"
            )
        above = self.items[index].inputs()
        for target in above:
            data = self._values[target].data
            self._values[target].grad = np.full(np.shape(data), start) if np.ndim(data) else start
        value.grad = given.copy() if np.ndim(value.data) else float(given)
        try:
            backward()
        except Exception as error:
            raise StepperError(f"_backward() of {self.items[index].name or 'a value'} fails: {error}") from error
        return {target: np.array(self._values[target].grad, dtype=np.float64) for target in above}


def _evaluate(op: str, values: list[Array | None]) -> Array | None:
    """The operation on numbers, as far as that is plain arithmetic."""
    if any(value is None for value in values):
        return None
    plain = {
        "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "div": lambda x, y: x / y,
        "pow": lambda x, y: x**y, "rsub": lambda x, y: y - x, "mm": lambda x, y: x @ y,
    }  # fmt: skip
    run = plain.get(op)
    if run is None:
        return None
    try:
        with np.errstate(all="ignore"):
            return np.asarray(run(*values), float)
    except (ValueError, TypeError):
        return np.full((), np.nan)
