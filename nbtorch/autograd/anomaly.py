"""The NaN detective: ``detect_anomaly`` finds where a NaN was born and says so inside the exception.

While it is on, every recorded operation is looked at: the first that makes a bad value (NaN or infinite) of good ones
is noted. In backward the first node that returns a NaN raises, with its line, the numbers at that place, what the
forward pass had noted, and the remedy where a NaN came back through a branch that ``where`` had masked out.
"""

from __future__ import annotations

import linecache
import weakref
from types import TracebackType
from typing import Any

import numpy as np

from .modes import grad_mode
from .variable import Variable, Where, describe_where

# How many threads look at every operation now. Operations ask this first: one look at a module's global.
noting = 0
_MOST = 256  # notes that are kept
_MASKS = ("where", "masked_fill", "index", "index_select", "gather", "masked_select", "masked_scatter")


class set_detect_anomaly:
    """Switches anomaly detection for this thread; as a context manager, until its end.

    Args:
        mode: look at every result and every gradient for NaN (slow: each look waits for the device).
        check_nan: accepted for PyTorch's sake; the check is what this does.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = grad_mode.anomaly
        _switch(bool(mode) and check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        _switch(self._before)


class detect_anomaly(set_detect_anomaly):
    """Inside, backward raises at the first node that returns a NaN, and names the user's line that recorded it."""

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)


def _switch(on: bool) -> None:
    global noting
    if on != grad_mode.anomaly:
        noting += 1 if on else -1
        grad_mode.anomaly = on
    if not on:
        grad_mode.births, grad_mode.masks = (), ()


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on in this thread."""
    return grad_mode.anomaly


# -- the forward pass ---


def note(node: Any, arrays: Any, out: Any) -> None:
    """Notes a node whose result has a bad value though its inputs have none, and the nodes that mask values."""
    if not grad_mode.anomaly:
        return
    op = node.op.name
    if op in _MASKS:
        grad_mode.masks = (*grad_mode.masks[-_MOST:], weakref.ref(node))
    for result in out if isinstance(out, (tuple, list)) else (out,):
        bad = _bad(result)
        if bad is None or any(_bad(a) is not None for a in arrays):
            continue
        text = f"{node.name().removesuffix('Backward0')} made {_describe(result, bad, arrays, node)}"
        grad_mode.births = (*grad_mode.births[-_MOST:], (node.sequence_nr, text, node.where))
        return


def _bad(array: Any) -> Any:
    """Where an array is NaN or infinite; None where it is not, or is no array of floating numbers."""
    if getattr(getattr(array, "dtype", None), "kind", "") != "f":
        return None
    bad = (array != array) | (array == np.inf) | (array == -np.inf)
    return bad if bool(bad.any()) else None


def _first(mask: Any) -> tuple[int, ...]:
    """The position of the first True."""
    flat = int(mask.reshape(-1).argmax())
    return tuple(int(i) for i in np.unravel_index(flat, tuple(mask.shape)))


def _number(array: Any, at: tuple[int, ...]) -> str:
    return f"{float(array[at].item()):g}"


def _describe(result: Any, bad: Any, arrays: Any, node: Any) -> str:
    at = _first(bad)
    place = f" at {list(at)}" if at else ""
    count = int(bad.sum().item())
    given = [
        f"{name} {_number(a, at)}"
        for name, a in zip(node.op.inputs or ("input",), arrays, strict=False)
        if getattr(a, "shape", None) == result.shape
    ]
    among = f" ({count} of {bad.size} elements)" if bad.size > 1 else ""
    return f"{_number(result, at)}{place}{among}{' of ' + ', '.join(given) if given else ''}"


# -- backward ---


def check_gradients(node: Any, grads: Any, incoming: Any = None) -> None:
    """Raises if a gradient has a NaN.

    Args:
        node: the node that computed the gradients.
        grads: of its inputs.
        incoming: the gradient of its output.

    Raises:
        RuntimeError: naming the node, the line of the forward pass that made it, and what is known of the cause.
    """
    for i, grad in enumerate(grads):
        array = grad._array if isinstance(grad, Variable) else grad
        if getattr(getattr(array, "dtype", None), "kind", "") != "f" or not bool((array != array).any()):
            continue
        lines = [f"Function '{node.name()}' returned nan values in its {i}th output."]
        lines.append(f"  recorded at {describe_where(node.where)}{_source(node.where)}")
        g = incoming._array if isinstance(incoming, Variable) else incoming
        nan = array != array
        arrived = _arrived(g, nan)
        lines += _evidence(node, nan, arrived)
        births = _born(node)
        if births:
            lines.append(f"  first bad value of the forward pass: {births[0][1]}")
            lines.append(f"    at {describe_where(births[0][2])}{_source(births[0][2])}")
        if arrived == "0":
            lines += _masked(node)
        elif arrived == "nan":
            lines.append("  the NaN arrived from above: what came before this node in backward was not recorded here")
        else:
            lines.append(
                "  usual causes: log or sqrt or a division at 0, or inf - inf; where() does not hide it, since 0 * inf "
                "is NaN too\n"
                "  fix: keep the input in the domain before the operation, for example x.clamp(min=1e-12).log()"
            )
        raise RuntimeError("\n".join(lines))


def _arrived(g: Any, nan: Any) -> str | None:
    """The gradient that arrived where a NaN went on: ``0`` if it was 0 everywhere there, ``nan``, else a number."""
    if getattr(g, "shape", None) != nan.shape:
        return None
    there = g[nan]
    if bool((there == 0).all()):
        return "0"
    return "nan" if bool((there != there).all()) else _number(g, _first(nan))


def _evidence(node: Any, nan: Any, arrived: str | None) -> list[str]:
    at = _first(nan)
    facts = []
    if node.plan is not None and isinstance(node.saved, tuple):
        for name, value in zip(node.plan.names, node.saved, strict=False):
            if getattr(value, "shape", None) == nan.shape and getattr(value.dtype, "kind", "") == "f":
                facts.append(f"{'its result' if name == 'out' else name} was {_number(value, at)}")
    if arrived is not None:
        facts.append(f"the gradient that arrived was {arrived}")
    return [f"  first NaN{f' at {list(at)}' if at else ''}: {', '.join(facts)}"] if facts else []


def _source(where: Where | None) -> str:
    """The text of the user's line, on a line of its own."""
    if where is None:
        return ""
    code, offset = where
    line = next((n for start, end, n in code.co_lines() if start <= offset < end and n is not None), None)
    text = linecache.getline(code.co_filename, line).strip() if line is not None else ""
    return f"\n      {text}" if text else ""


def _upstream(node: Any) -> set[Any]:
    """The nodes that ``node`` was computed from, and itself."""
    seen, stack = {node}, [node]
    while stack:
        for e in stack.pop().edges:
            if e is not None and e._is_node and e not in seen:
                seen.add(e)
                stack.append(e)
    return seen


def _born(node: Any) -> list[Any]:
    """What the forward pass that ``node`` belongs to noted, the earliest first."""
    start = min(n.sequence_nr for n in _upstream(node))
    return [birth for birth in grad_mode.births if birth[0] >= start]


def _masked(node: Any) -> list[str]:
    """The remedy where the gradient was 0 and became NaN: an element that was masked out after the operation."""
    by = None
    for reference in grad_mode.masks:
        mask = reference()
        if mask is not None and node in _upstream(mask):
            by = mask
            break
    who = f"{by.op.name}() at {describe_where(by.where)}{_source(by.where)}" if by is not None else "what came after"
    op = node.op.name if node.op is not None else "f"
    return [
        f"  cause: a masked branch. The gradient of these elements is 0, since they were masked out by {who}",
        "    but 0 times the infinite slope of this operation is NaN: where() chooses values after they are computed",
        "  fix: choose a harmless input first, then the result (the double where):",
        "      safe = torch.where(mask, x, 1.0)",
        f"      y = torch.where(mask, torch.{op}(safe), other)",
    ]
