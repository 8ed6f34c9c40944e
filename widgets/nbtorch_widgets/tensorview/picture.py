"""Still pictures and figures of tensors: the same for the same numbers, in the colours of the tensors' own display."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any, Protocol

import numpy as np

from nbtorch.notebook.heatmap import Statistics, heatmap, statistics
from nbtorch.notebook.markup import number_text
from nbtorch.notebook.palette import STEPS, hex_color, ink
from nbtorch_widgets.svg import CHARACTER, PAD, WIDTH, Canvas
from nbtorch_widgets.tensorview.memory import Placed, Tape
from nbtorch_widgets.tensorview.read import Array, Reading
from nbtorch_widgets.tensorview.shapes import Axis, Numbers, crop, cropped

_CELLS = 1200  # of a panel in a picture
_TAPE = 192  # cells of a tape in a picture
_GRID = 256  # cells of a view below it


def tensors_svg(tensors: Mapping[str, tuple[Reading, dict[str, Array]]], label: str) -> str:
    """Each tensor below the other, its panels beside each other."""
    canvas = Canvas()
    y = float(PAD)
    for name, (reading, panels) in tensors.items():
        canvas.add(
            f'<text x="{PAD}" y="{y + 12:.0f}" class="t b">{escape(_fit(name, 60))}'
            f'<tspan dx="10" class="m n">{escape(f"{reading.dtype} {reading.shape}")}</tspan></text>'
        )
        y += 24
        if reading.note:
            canvas.text(PAD, y + 12, _fit(reading.note, 100), "m")
            y += 20
        x, tallest = float(PAD), 0.0
        for role, array in panels.items():
            drawn, width, height, facts = _panel(array)
            used = max(width, CHARACTER * len(facts)) + 28
            if x > PAD and x + used > WIDTH:
                x, y, tallest = float(PAD), y + tallest, 0.0
            canvas.text(x, y + 11, role, "m")
            if drawn:
                canvas.add(drawn.replace("<svg ", f'<svg x="{x:.0f}" y="{y + 18:.0f}" class="t" color="#59636e" ', 1))
            canvas.text(x, y + height + 34, facts, "m l")
            tallest = max(tallest, height + 46)
            x += used
        y += tallest + 8
    canvas.height = math.ceil(y)
    return canvas.render(label)


def _panel(array: Array) -> tuple[str, float, float, str]:
    """Heat map, its size, and the statistics in words."""
    if not array.size:
        return "", 60, 0, "no elements"
    facts = statistics(array)
    drawn = heatmap(np.atleast_1d(array), facts.scale, "heat map", _CELLS)
    width, height = (float(drawn.svg.split(f'{side}="')[1].split('"')[0]) for side in ("width", "height"))
    svg = drawn.svg
    if width > WIDTH - 2 * PAD:  # many facets: shrink the picture, not the card
        factor = (WIDTH - 2 * PAD) / width
        width, height = width * factor, height * factor
        rest = svg.split(" viewBox", 1)[1]
        svg = f'<svg width="{width:.0f}" height="{height:.0f}" viewBox{rest}'
    return svg, width, height, _facts(facts) + (f" · {drawn.note}" if drawn.note else "")


def _facts(facts: Statistics) -> str:
    if math.isnan(facts.minimum):
        text = "no finite values"
    elif facts.minimum == facts.maximum:
        text = f"all {number_text(facts.minimum)}"
    else:
        text = f"{number_text(facts.minimum, 3)} to {number_text(facts.maximum, 3)}"
    text += f" · ✕ {facts.nans} NaN" if facts.nans else ""
    return text + (f" · ▲ {facts.infinities} Inf" if facts.infinities else "")


def _fit(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


# ---- cells with numbers in them ----


def _level(value: float, scale: float) -> int:
    if not math.isfinite(value) or value == 0 or not scale:
        return 0
    return int(math.copysign(min(STEPS, max(1, math.ceil(abs(value) / scale * STEPS - 1e-9))), value))


def _cell(
    canvas: Canvas, x: float, y: float, width: float, height: float, value: float, scale: float, pale: bool = False
) -> None:
    level = _level(value, scale)
    fill = "none" if pale else hex_color(level) if math.isfinite(value) else "#cc79a7" if value != value else "#3b3b3b"
    dash = ' stroke-dasharray="3 2"' if pale else ""
    canvas.add(
        f'<rect x="{x + 0.5:.1f}" y="{y + 0.5:.1f}" width="{width - 1:.1f}" height="{height - 1:.1f}" rx="2" '
        f'fill="{fill}" stroke="#8c959f" stroke-opacity=".5"{dash}/>'
    )
    text = "✕" if value != value else "▲" if value == math.inf else "▼" if value == -math.inf else number_text(value, 3)
    if width >= 6 * len(text):
        look = 'class="m"' if pale else f'fill="{ink(level) if math.isfinite(value) else "#fff"}"'
        canvas.add(
            f'<text x="{x + width / 2:.1f}" y="{y + height / 2 + 4:.1f}" text-anchor="middle" {look} '
            f'style="font-size:11px">{escape(text)}</text>'
        )


def _grid(
    canvas: Canvas, array: Array, x: float, y: float, scale: float, pale: Array | None = None, room: float = 0
) -> tuple[float, float]:
    """Draw an array as grids over its last two axes, those of leading axes beside each other; its size."""
    shape = array.shape[-2:] if array.ndim > 1 else (1, array.size)
    grids = np.asarray(array, float).reshape(-1, *shape)
    veils = None if pale is None else pale.reshape(grids.shape)
    rows, columns = (min(size, limit) for size, limit in zip(shape, (16, 20), strict=True))
    width = min(40.0, max(14.0, ((room or WIDTH - 2 * PAD) - 8) / max(1, columns)))
    height, right, at, top = 20.0, 0.0, x, y
    for facet, grid in enumerate(grids):
        if at > x and at + columns * width > x + (room or WIDTH):
            at, top = x, top + rows * height + 10
        if top - y + rows * height > 640:
            canvas.text(x, top + 12, f"and {len(grids) - facet} more slices", "m")
            top += 16
            return right, top - y
        for row in range(rows):
            for column in range(columns):
                veil = veils is not None and bool(veils[facet, row, column])
                value = float(grid[row, column])
                _cell(canvas, at + column * width, top + row * height, width, height, value, scale, veil)
        at += columns * width + 12
        right = max(right, at - 12 - x)
    bottom = top - y + rows * height
    if (rows, columns) != tuple(shape):
        canvas.text(x, y + bottom + 13, f"{rows} × {columns} of {shape[0]} × {shape[1]}", "m")
        bottom += 16
    return right, bottom


def tape_svg(tapes: list[Tape], placed: Mapping[str, Placed], label: str) -> str:
    """Each tape with its cells numbered, and below it the tensors on it; in their cells stand the cells' numbers."""
    canvas = Canvas()
    y = float(PAD)
    for place, tape in enumerate(tapes):
        title = f"Storage {place + 1}" if len(tapes) > 1 else "Storage"
        canvas.add(
            f'<text x="{PAD}" y="{y + 12:.0f}" class="t b">{title}'
            f'<tspan dx="10" class="m n">{tape.size} × {escape(tape.dtype)}</tspan></text>'
        )
        y += 22
        count = min(len(tape.cells), _TAPE)
        scale = statistics(tape.cells).scale if tape.cells.size else 0.0
        per_row = max(1, int((WIDTH - 2 * PAD) // 36))
        for cell in range(count):
            x, top = PAD + cell % per_row * 36, y + cell // per_row * 38
            _cell(canvas, x, top, 36, 20, float(tape.cells[cell]), scale)
            canvas.add(
                f'<text x="{x + 18}" y="{top + 31:.0f}" text-anchor="middle" class="m" style="font-size:9px">'
                f"{tape.first + cell}</text>"
            )
        y += math.ceil(count / per_row) * 38 + 4
        if tape.size > count:
            canvas.text(PAD, y + 10, f"and {tape.size - count} more cells", "m")
            y += 18
        for name, tensor in ((name, tensor) for name, tensor in placed.items() if tensor.tape == place):
            facts = f"shape {tensor.shape}  strides {tensor.strides}  offset {tensor.offset}"
            facts += "" if tensor.contiguous else "  not contiguous"
            canvas.add(
                f'<text x="{PAD}" y="{y + 14:.0f}" class="t b">{escape(_fit(name, 40))}'
                f'<tspan dx="10" class="m n">{facts}</tspan></text>'
            )
            y += 22
            if math.prod(tensor.shape):
                y += _placed_grid(canvas, tape, tensor, y, scale)
            y += 10
        y += 6
    canvas.height = math.ceil(y)
    return canvas.render(label)


def _placed_grid(canvas: Canvas, tape: Tape, tensor: Placed, y: float, scale: float) -> float:
    offsets = tensor.offsets[tuple(slice(0, _GRID) for _ in tensor.shape)]
    inside = (offsets >= tape.first) & (offsets < tape.first + len(tape.cells))
    values = np.where(inside, tape.cells[np.where(inside, offsets - tape.first, 0)].astype(float), np.nan)
    _, first = np.unique(offsets.reshape(-1), return_index=True)
    repeated = np.ones(offsets.size, bool)
    repeated[first] = False
    return _grid(canvas, values, PAD, y, scale, repeated)[1]


class Board(Protocol):
    """What a picture needs of a `BroadcastBoard`."""

    names: tuple[str, str]
    op: str
    axes: list[Axis]
    operands: tuple[Numbers, Numbers]
    result: Numbers | None
    incoming: Numbers | None
    shares: tuple[Numbers, Numbers] | None
    gradients: tuple[Numbers, Numbers] | None
    backward: Any

    @property
    def fits(self) -> bool: ...
    @property
    def shape(self) -> tuple[int, ...] | None: ...
    @property
    def problem(self) -> str: ...


def board_svg(board: Board) -> str:
    """The shapes aligned from the right, and the operands stretched to the result beside it."""
    canvas = Canvas()
    names = [*board.names, "result"]
    left = PAD + CHARACTER * max(len(_fit(name, 24)) for name in names) + 24
    y = float(PAD)
    for row, name in enumerate(names):
        canvas.text(PAD, y + 14, _fit(name, 24), "t l")
        for place, axis in enumerate(board.axes):
            size = (axis.a, axis.b, axis.out)[row]
            x = left + place * 52
            stretched = axis.kind in (("stretch a", "new a"), ("stretch b", "new b"), ())[row]
            arrow = f"→ {axis.out}" if size is None else f"1 → {axis.out}"
            text = "✕" if row == 2 and size is None else arrow if stretched else str(size)
            look = "x" if axis.kind == "clash" else "m" if stretched else "t b"
            canvas.add(f'<text x="{x + 20}" y="{y + 14:.0f}" text-anchor="middle" class="{look}">{text}</text>')
        y += 20
    if not board.fits:
        canvas.add(f'<text x="{PAD}" y="{y + 16:.0f}" class="x">{escape(board.problem)}</text>')
        canvas.height = math.ceil(y + 24)
        return canvas.render(repr(board))
    assert board.shape is not None and board.result is not None and board.incoming is not None
    assert board.gradients is not None and board.shares is not None
    y += 8
    shown = crop(board.shape)
    arrays = board.shares if board.backward else board.operands
    words = [f"grad of {name}, before the sum" for name in board.names] if board.backward else list(board.names)
    panels: list[tuple[str, Array, Array | None]] = []
    for word, name, array, operand, gradient in zip(
        words, board.names, arrays, board.operands, board.gradients, strict=True
    ):
        spread = np.broadcast_to(array, board.shape)[tuple(slice(0, size) for size in shown)]
        panels.append((word, spread, None if board.backward else _repeats(operand.shape, shown)))
        if board.backward:
            panels.append((f"grad of {name}, shape {operand.shape}", cropped(gradient, shown), None))
    if board.backward:
        panels.insert(0, ("gradient of the result", cropped(board.incoming, shown), None))
    else:
        panels.append((f"{board.names[0]} {board.op} {board.names[1]}", cropped(board.result, shown), None))
    scale = max((statistics(panel[1]).scale for panel in panels if panel[1].size), default=0.0)
    columns = 1 if (shown and shown[-1] > 5) or len(shown) > 2 else 3
    room = (WIDTH - 2 * PAD) / columns
    tallest = 0.0
    for place, (word, grid, pale) in enumerate(panels):
        x = PAD + place % columns * room
        if place and place % columns == 0:
            y, tallest = y + tallest + 30, 0.0
        canvas.text(x, y + 12, _fit(word, 40), "m")
        if grid.size:
            tallest = max(tallest, _grid(canvas, grid, x, y + 18, scale, pale, room - 12)[1])
    canvas.height = math.ceil(y + tallest + 26)
    return canvas.render(repr(board))


def _repeats(shape: tuple[int, ...], shown: tuple[int, ...]) -> Array:
    """Which cells of a stretched operand are repetitions: all but the first along each stretched axis."""
    found = np.zeros(shown, bool)
    lacking = len(shown) - len(shape)
    for axis, size in enumerate(shown):
        if axis < lacking or (shape[axis - lacking] == 1 and size != 1):
            found |= (np.arange(size) > 0).reshape([-1 if a == axis else 1 for a in range(len(shown))])
    return found


# ---- matplotlib ----


def plot(tensors: Mapping[str, Mapping[str, Array]]) -> Any:
    """One image for each panel; of tensors with more than two axes the first slice."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plot() needs matplotlib, which is not installed: pip install matplotlib") from error
    wide = max((len(panels) for panels in tensors.values()), default=1)
    figure = Figure(figsize=(4.2 * max(1, wide), 3.2 * max(1, len(tensors))), layout="constrained")
    grid = figure.subplots(max(1, len(tensors)), max(1, wide), squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for row, (name, panels) in enumerate(tensors.items()):
        for axes, (role, array) in zip(grid[row], panels.items(), strict=False):
            axes.set_axis_on()
            slice_ = np.asarray(array, float)[(0,) * max(0, array.ndim - 2)] if array.size else np.zeros((0, 0))
            axes.set_title(f"{name}: {role}", fontsize=10)
            if not array.size:
                continue
            scale = statistics(array).scale or 1.0
            image = axes.imshow(
                np.atleast_2d(slice_), cmap="PuOr_r", vmin=-scale, vmax=scale, aspect="auto", interpolation="nearest"
            )
            figure.colorbar(image, ax=axes)
    return figure
