"""Still pictures of a walk: the graph with its values and gradients, and the steps of backward as a table."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from nbtorch_widgets.stepper.encode import forward_formula, local_formula
from nbtorch_widgets.stepper.layout import BOX, arrange
from nbtorch_widgets.stepper.program import Check
from nbtorch_widgets.stepper.tape import Array, Item, Walk
from nbtorch_widgets.svg import Canvas

_WIDTH = 720
_PAD = 16
_ROW = 20
_MOST_ROWS = 60
_SMALLEST = 0.45  # scale of the graph below which it is left out

_SIGNS = {
    r"\cdot": "·", r"\times": "×", r"\,": " ", r"\sum": "Σ", r"\partial ": "∂", r"\sigma": "σ", r"\ln": "ln ",
    r"\infty": "∞", r"\sin": "sin", r"\cos": "cos", r"\tanh": "tanh", r"\max": "max", r"\min": "min",
}  # fmt: skip
_UP = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def plain(formula: str, names: Sequence[str]) -> str:
    """A formula as a line of text."""
    # The names come last, so that nothing in them is taken for a formula.
    text = re.sub(r"\\bar\{\\name\{(\d+)\}\}", r"∇\\name<\1>", formula)
    text = re.sub(r"\\name\{(\d+)\}", r"\\name<\1>", text)
    text = re.sub(r"\\(?:operatorname|text)\{([^{}]*)\}", r"\1", text)
    text = re.sub(r"\\sqrt\{([^{}]*)\}", r"√(\1)", text)
    text = re.sub(r"\^\{(-?\d+)\}", lambda m: m[1].translate(_UP), text)
    text = re.sub(r"\^\{T\}", "ᵀ", text)
    for _ in range(4):
        text = re.sub(
            r"\^\{([^{}]*)\}", lambda m: f"^{m[1]}" if re.fullmatch(r"[\w.\\<>]+", m[1]) else f"^({m[1]})", text
        )
        text = re.sub(r"_\{([^{}]*)\}", r"_\1", text)
        text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", _fraction, text)
    for sign, character in _SIGNS.items():
        text = re.sub(re.escape(sign) + r"(?![a-z])", character, text)
    text = text.replace("-", "−")
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"\\name<(\d+)>", lambda m: names[int(m[1])] if int(m[1]) < len(names) else "?", text)


def _fraction(found: re.Match[str]) -> str:
    top, bottom = (
        f"({part})" if re.search(r"[-+ ]", part.strip()) and not part.startswith(r"\partial") else part
        for part in found.groups()
    )
    return f"{top}/{bottom}"


def short(array: Array | None) -> str:
    """A value in few digits; of a tensor its shape and its norm."""
    if array is None:
        return "–"
    if array.size == 1:
        value = float(array.reshape(()))
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"
        return f"{value + 0.0:.3g}".replace("-", "−")
    norm = float(np.linalg.norm(array))
    return f"{'×'.join(str(n) for n in array.shape)}, ‖·‖ {norm:.3g}" if math.isfinite(norm) else "not finite"


def stepper_svg(items: Sequence[Item], right: Walk, checks: Sequence[Check]) -> str:
    """The graph, and below it the steps of backward."""
    canvas = Canvas()
    names = [item.name for item in items]
    last = items[-1]
    canvas.text(_PAD, _PAD + 12, f"Backpropagation from {last.name} = {short(last.value)}", "t b")
    canvas.height = _PAD + 28
    corners, lines, width, height = arrange([item.inputs() for item in items])
    scale = min(1.0, (_WIDTH - 2 * _PAD) / width) if width else 1.0
    if scale >= _SMALLEST:
        top, left = canvas.height + 4, _PAD + (_WIDTH - 2 * _PAD - width * scale) / 2
        canvas.add(f'<g transform="translate({left:.1f} {top}) scale({scale:.3f})">')
        _graph(canvas, items, right, corners, lines)
        canvas.add("</g>")
        canvas.height = int(top + height * scale + 20)
    _table(canvas, items, right, names)
    states = [check.state for check in checks]
    if states:
        canvas.height += 4
        agreed = states.count("agrees")
        words = f"measured slopes agree with {agreed} of {len(states)} gradients"
        canvas.text(_PAD, canvas.height + 10, words, "m")
        canvas.height += 18
    return canvas.render(f"Backpropagation from {last.name}, {len(right.visits)} operations")


def _graph(canvas: Canvas, items: Sequence[Item], right: Walk, corners: Any, lines: Any) -> None:
    for points in lines.values():
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        canvas.add(f'<path d="M{path}" fill="none" class="z" stroke-width="1"/>')
    for item, (x, y), total in zip(items, corners, right.totals, strict=True):
        look = (
            'class="g" rx="6" shape-rendering="auto"'
            if item.kind == "leaf"
            else 'class="card" rx="6" shape-rendering="auto"'
        )
        canvas.rect(x, y, *BOX, look)
        canvas.text(x + 8, y + 17, _cut(item.name, 9), "t b")
        canvas.text(x + BOX[0] - 8, y + 17, _cut(item.op.replace("_", " "), 9), "m e")
        small = item.value is None or item.value.size == 1
        canvas.text(x + 8, y + 35, short(item.value) if small else "×".join(map(str, item.value.shape)), "t l")  # type: ignore[union-attr]
        canvas.text(x + BOX[0] - 8, y + 35, f"∇ {_flow(total)}", "m l e")


def _flow(gradient: Array | None) -> str:
    """A gradient in few signs: of a tensor its norm."""
    return short(gradient) if gradient is None or gradient.size == 1 else f"‖{float(np.linalg.norm(gradient)):.2g}‖"


def _table(canvas: Canvas, items: Sequence[Item], right: Walk, names: Sequence[str]) -> None:
    columns = (_PAD, _PAD + 210, _PAD + 300, _PAD + 590)
    y = canvas.height + 10
    for x, word in zip(columns, ("operation", "incoming", "× local derivative = outgoing", "gradient"), strict=True):
        canvas.text(x, y, word, "m")
    rows = 0
    hidden = 0
    for visit in right.visits:
        operation = plain(forward_formula(items, visit.item)[0], names)
        for place, step in enumerate(visit.passes):
            if rows >= _MOST_ROWS:
                hidden += 1
                continue
            rows += 1
            y += _ROW
            if place == 0:
                canvas.text(columns[0], y, _cut(operation, 34), "t")
                canvas.text(columns[1], y, _flow(visit.incoming), "t l")
            symbols = " = ".join(plain(part, names) for part in local_formula(items, visit.item, step)[:1] if part)
            value = f" = {short(step.local)}" if step.local is not None and step.local.size == 1 else ""
            formula = symbols if not value or symbols.endswith(value) else symbols + value
            canvas.text(columns[2], y, _cut(formula or f"to {names[step.target]}", 48), "t")
            total = f"{names[step.target]}: {'' if step.before is None else '+= '}{_flow(step.product)}"
            canvas.text(columns[3], y, _cut(total, 20), "t l")
    if hidden:
        y += _ROW
        canvas.text(_PAD, y, f"and {hidden} more steps", "m")
    canvas.height = int(y) + 12


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def stepper_figure(items: Sequence[Item], right: Walk) -> Any:
    """The graph as a matplotlib figure."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.patches import FancyBboxPatch
    except ImportError as error:
        raise ImportError(
            "plot() needs matplotlib, which can't be imported. Install it with: pip install matplotlib"
        ) from error
    corners, lines, width, height = arrange([item.inputs() for item in items])
    figure = Figure(figsize=(max(3.0, width / 90), max(2.0, height / 90)), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(-10, width + 10), ylim=(height + 10, -10), aspect="equal")
    axes.set_axis_off()
    for points in lines.values():
        axes.plot([x for x, _ in points], [y for _, y in points], color="0.6", linewidth=1, zorder=1)
    for item, (x, y), total in zip(items, corners, right.totals, strict=True):
        face = "#eef3f8" if item.kind == "leaf" else "white"
        axes.add_patch(
            FancyBboxPatch((x, y), *BOX, boxstyle="round,pad=0,rounding_size=6", facecolor=face, edgecolor="0.5")
        )
        axes.text(x + 8, y + 17, _cut(item.name, 12), fontsize=7, weight="bold", parse_math=False)
        axes.text(
            x + BOX[0] - 8, y + 17, item.op.replace("_", " "), fontsize=6, color="0.4", ha="right", parse_math=False
        )
        axes.text(x + 8, y + 36, _cut(short(item.value), 10), fontsize=7, parse_math=False)
        axes.text(
            x + BOX[0] - 8,
            y + 36,
            f"∇ {_cut(short(total), 9)}",
            fontsize=7,
            color="#1769aa",
            ha="right",
            parse_math=False,
        )
    return figure
