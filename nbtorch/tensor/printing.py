"""Tensors as text, laid out as PyTorch lays them out, so that programs print the same."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import Variable
from ..backends.dtypes import bool_, get_default_dtype, int64


class _Options:
    precision = 4
    threshold = 1000
    edgeitems = 3
    linewidth = 80
    sci_mode: bool | None = None


options = _Options()
_PROFILES = {"default": (4, 1000, 3, 80), "short": (2, 1000, 2, 80), "full": (4, math.inf, 3, 80)}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """How tensors are printed.

    Args:
        precision: digits after the point (4).
        threshold: tensors with more elements are abridged (1000).
        edgeitems: how many elements of an abridged dimension are shown at either end (3).
        linewidth: characters in a line (80).
        profile: "default", "short" or "full", set before the rest.
        sci_mode: always (True) or never (False) with exponents; None decides by the values.
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"unknown profile {profile!r}; expected one of {', '.join(_PROFILES)}")
        options.precision, options.threshold, options.edgeitems, options.linewidth = _PROFILES[profile]  # type: ignore[assignment]
    for name, value in (
        ("precision", precision),
        ("threshold", threshold),
        ("edgeitems", edgeitems),
        ("linewidth", linewidth),
    ):
        if value is not None:
            setattr(options, name, value)
    options.sci_mode = sci_mode


class _Formatter:
    """Gives every element of a tensor the same width."""

    def __init__(self, values: np.ndarray[Any, Any], floating: bool) -> None:
        self.floating = floating
        self.whole = True
        self.scientific = False
        self.width = 1
        if not floating:
            self.width = max((len(str(v)) for v in values.reshape(-1).tolist()), default=1)
            return
        numbers = values.reshape(-1).astype(np.float64)
        numbers = numbers[np.isfinite(numbers) & (numbers != 0)]
        if not numbers.size:
            return
        sizes = np.abs(numbers)
        low, high = float(sizes.min()), float(sizes.max())
        self.whole = bool((numbers == np.ceil(numbers)).all())
        wide = high / low > 1000.0 or high > 1.0e8
        self.scientific = wide if self.whole else wide or low < 1.0e-4
        if options.sci_mode is not None:
            self.scientific = options.sci_mode
        self.width = max(len(self._number(v)) for v in numbers.tolist())

    def _number(self, value: float) -> str:
        if self.scientific:
            return f"{value:.{options.precision}e}"
        if self.whole:
            text = f"{value:.0f}"
            return text if math.isinf(value) or math.isnan(value) else text + "."
        return f"{value:.{options.precision}f}"

    def __call__(self, value: Any) -> str:
        return (self._number(value) if self.floating else str(value)).rjust(self.width)


def _edges(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What is left of an abridged array; its elements decide the common width."""
    e = options.edgeitems
    for axis in range(values.ndim):
        n = values.shape[axis]
        if n > 2 * e:
            values = np.take(values, [*range(e), *range(n - e, n)], axis)
    return values


def _layout(values: np.ndarray[Any, Any], indent: int, abridge: bool, form: _Formatter) -> str:
    if values.ndim == 0:
        return form(values.item())
    e = options.edgeitems
    n = values.shape[0]
    cut = abridge and n > 2 * e
    if values.ndim == 1:
        per_line = max(1, math.floor((options.linewidth - indent) / (form.width + 2)))
        if cut:
            items = [form(v) for v in values[:e].tolist()] + [" ..."] + [form(v) for v in values[n - e :].tolist()]
        else:
            items = [form(v) for v in values.tolist()]
        lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    chosen = [*range(e), None, *range(n - e, n)] if cut else list(range(n))
    parts = ["..." if i is None else _layout(values[i], indent + 1, abridge, form) for i in chosen]
    return "[" + ("," + "\n" * (values.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def tensor_text(t: Variable) -> str:
    """What ``repr`` of a tensor gives."""
    prefix = "tensor("
    indent = len(prefix)
    host = t._backend.to_host(t._array)
    d = t._dtype()
    notes = []
    if t._backend.device.type != "cpu":
        notes.append(f"device='{t._backend.device}'")
    usual = d in (get_default_dtype(), int64, bool_)
    if host.size == 0:
        if host.ndim != 1:
            notes.append(f"size={tuple(host.shape)}")
        if d is not get_default_dtype():
            notes.append(f"dtype={d!r}")
        text = "[]"
    else:
        if not usual:
            notes.append(f"dtype={d!r}")
        abridge = host.size > options.threshold
        wide = host.astype(np.float64) if d.is_floating_point else host
        text = _layout(wide, indent, abridge, _Formatter(_edges(wide) if abridge else wide, d.is_floating_point))
    if t.grad_fn is not None:
        notes.append(f"grad_fn=<{t.grad_fn.name()}>")
    elif t.requires_grad:
        notes.append("requires_grad=True")
    out = prefix + text
    column = len(out) - out.rfind("\n") + 1
    for note in notes:
        if column + len(note) + 2 > options.linewidth:
            out += ",\n" + " " * indent + note
            column = indent + len(note)
        else:
            out += ", " + note
            column += len(note) + 2
    return out + ")"
