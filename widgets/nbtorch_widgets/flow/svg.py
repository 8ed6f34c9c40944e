"""GradFlow as a still picture: the graph from the input at the top to the loss at the bottom, with the last gradients.

Modules are taken together until the picture has few boxes; `nbtorch.notebook.layout` places them. As in all still
pictures of the widgets, what is drawn depends on the numbers alone and in few levels.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from nbtorch_widgets.flow.graph import Graph
from nbtorch_widgets.flow.origins import Origins, origins, since
from nbtorch_widgets.gradients import INF, NAN, NO_GRAD, ZERO
from nbtorch_widgets.history import Samples
from nbtorch_widgets.svg import CHARACTER, PAD, WIDTH, Canvas, _cell, _power, _short, fit, levels, palette, rules
from nbtorch_widgets.telemetry import Telemetry

_MOST = 22  # boxes
_CHARACTERS = 24
_BOX = 26
_LEVELS = 24
_KOREAN = {
    "Gradient flow": "그래디언트 흐름",
    "step": "스텝",
    "not finite from here": "여기서부터 유한하지 않음",
    "vanished from here back": "여기서부터 역방향으로 소실",
    "norm of the gradient at each output, from the loss at the bottom to the input": (
        "각 출력의 그래디언트 노름(맨 아래 손실에서 입력 방향)"
    ),
}


class _Box(NamedTuple):
    """Some of the graph's vertices, drawn as one."""

    name: str
    kind: str
    members: list[int]


def prefix(path: str, depth: int) -> str:
    return ".".join(path.split(".")[:depth])


def collapse(graph: Graph, most: int = _MOST) -> tuple[list[_Box], list[int]]:
    """Group the vertices by the first parts of their paths, as many as leave at most `most` boxes.

    Returns the boxes and the box of each vertex.
    """
    deepest = max((v.path.count(".") + 1 for v in graph.vertices), default=1)
    boxes: list[_Box] = []
    of: list[int] = []
    for depth in range(1, deepest + 1):
        found: dict[tuple[str, int], int] = {}
        tried: list[_Box] = []
        where: list[int] = []
        for number, vertex in enumerate(graph.vertices):
            whole = vertex.path.count(".") + 1 <= depth and not (vertex.kind == "join" and _depth(vertex.path) >= depth)
            key = ("", number) if whole or not vertex.path else (prefix(vertex.path, depth), -1)
            if key not in found:
                found[key] = len(tried)
                kind = vertex.kind if key[1] >= 0 else "group"
                name = vertex.label if vertex.kind in ("join", "input", "loss") else vertex.name
                tried.append(_Box(name if key[1] >= 0 else key[0], kind, []))
            tried[found[key]].members.append(number)
            where.append(found[key])
        if boxes and len(tried) > most:
            break
        boxes, of = tried, where
    return boxes, of


def _depth(path: str) -> int:
    return path.count(".") + 1 if path else 0


def _acyclic(edges: Sequence[tuple[int, int]], first: int) -> list[tuple[int, int]]:
    """The edges without those that lead back to a vertex under way of a depth-first walk."""
    following: dict[int, list[int]] = {}
    for source, target in edges:
        following.setdefault(source, []).append(target)
    state: dict[int, int] = {}
    kept: list[tuple[int, int]] = []
    for root in (first, *sorted(following)):
        if root in state:
            continue
        stack: list[tuple[int, int]] = [(root, 0)]
        state[root] = 1
        while stack:
            vertex, k = stack.pop()
            targets = following.get(vertex, [])
            if k == len(targets):
                state[vertex] = 2
                continue
            stack.append((vertex, k + 1))
            target = targets[k]
            if state.get(target) != 1:
                kept.append((vertex, target))
                if target not in state:
                    state[target] = 1
                    stack.append((target, 0))
    return kept


def flow_svg(graph: Graph, rows: Samples, telemetry: Telemetry, language: str | None = None) -> str:
    """The picture; of the graph alone if no step was sampled."""
    from nbtorch.notebook.layout import layered_layout

    boxes, of = collapse(graph)
    columns = graph.columns
    norms = rows.norms[-1] if len(rows) else np.zeros(columns, np.float32)
    flags = rows.flags[-1] if len(rows) else np.full(columns, NO_GRAD, np.uint8)
    combined = [_combine(norms[box.members], flags[box.members]) for box in boxes]

    values: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for edge, (source, target) in enumerate((*graph.edges, *graph.ends)):
        if of[source] == of[target]:
            continue
        column = len(graph) + edge if edge < len(graph.edges) else source
        values.setdefault((of[source], of[target]), []).append((float(norms[column]), int(flags[column])))
    edges = sorted(_acyclic(list(values), of[Graph.INPUT]))
    lines = [_combine(*map(np.array, zip(*values[edge], strict=True))) for edge in edges]

    logs = [math.log10(norm) for norm, flag in (*combined, *lines) if not flag and norm > 0]
    low, high = (math.floor(min(logs)), math.ceil(max(logs))) if logs else (0, 1)
    high = max(high, low + 1)

    def level(norm: float) -> int:
        return min(_LEVELS - 1, max(0, math.floor((math.log10(norm) - low) / (high - low) * _LEVELS)))

    sizes = [(_width(box), float(_BOX if box.kind != "join" else 20)) for box in boxes]
    layout = layered_layout(sizes, edges, gap_x=26.0, gap_y=22.0)
    canvas = Canvas(_style(), language)
    korean = (os.environ.get("NBTORCH_LANGUAGE", "") if language is None else language).lower().startswith("ko")

    def say(text: str) -> str:
        return _KOREAN.get(text, text) if korean else text

    scale = min(1.0, (WIDTH - 2 * PAD) / layout.width) if layout.width else 1.0
    title = say("Gradient flow")
    last = f'<tspan dx="10" class="m n">{say("step")} {int(rows.steps[-1])}</tspan>' if len(rows) else ""
    canvas.add(f'<text x="{PAD}" y="{PAD + 12}" class="t b">{title}{last}</text>')
    left = (WIDTH - layout.width * scale) / 2
    top = PAD + 30
    canvas.add(f'<g transform="translate({_short(left)} {top}) scale({scale:.3f})">')
    for (norm, flag), route in zip(lines, layout.routes, strict=True):
        look = (
            f'class="k{level(norm)}"' if not flag and norm > 0 else 'class="kx"' if flag & (NAN | INF) else 'class="kn"'
        )
        width = 1.5 + 4.5 * (level(norm) + 1) / _LEVELS if not flag and norm > 0 else 2.0 if flag & (NAN | INF) else 1.2
        canvas.add(f'<path d="{_curve(route)}" fill="none" {look} stroke-width="{_short(width)}"/>')
    at = since(rows, len(graph), len(rows) - 1) if len(rows) else 0
    found = origins(graph, rows.norms[at], rows.flags[at]) if len(rows) else Origins([], [], [])
    marked = {of[v]: "not finite from here" for v in (*found.forward, *(() if found.forward else found.backward))}
    if not marked:
        marked = {of[v]: "vanished from here back" for v in found.vanished}
    for number, (box, (x, y), (width, height)) in enumerate(zip(boxes, layout.centers, sizes, strict=True)):
        _draw_box(canvas, box, combined[number], level, x - width / 2, y - height / 2, width, height)
        if number in marked:
            edge_x = x + width / 2
            canvas.add(f'<path d="M{_short(edge_x + 6)} {_short(y)}l8 -5v10z" class="x"/>')
            canvas.text(edge_x + 18, y + 4, say(marked[number]), "t b")
    canvas.add("</g>")
    y = top + layout.height * scale + 26
    canvas.text(PAD, y, say("norm of the gradient at each output, from the loss at the bottom to the input"), "m")
    ramp = WIDTH - PAD - 32 - 96
    for k in range(_LEVELS):
        canvas.rect(ramp + k * 4, y - 9, 4, 9, f'class="c{k}"')
    canvas.text(ramp - 6, y, _power(low), "m e")
    canvas.text(ramp + 102, y, _power(high), "m")
    canvas.height = math.ceil(y) + 8
    return canvas.render(f"{say('Gradient flow')}: {telemetry.summary()}")


def _style() -> str:
    lines = rules("k", levels(palette()["light"], _LEVELS), levels(palette()["dark"], _LEVELS), "stroke")
    plain = ".bx{fill:#fff;stroke:#8c959f}.kn{stroke:#8c959f;stroke-dasharray:4 3}"
    plain += ".kx{stroke:#c62828;stroke-dasharray:2 3}"
    night = ".bx{fill:#22262b;stroke:#6e7781}.kn{stroke:#6e7781}.kx{stroke:#ff7a6b}"
    return f"{plain}{lines}@media(prefers-color-scheme:dark){{{night}}}"


def _width(box: _Box) -> float:
    if box.kind == "join":
        return max(20.0, 10 + CHARACTER * len(box.name))
    return 66 + CHARACTER * min(_CHARACTERS, len(box.name) + (2 if box.kind == "group" else 0))


def _combine(norms: np.ndarray, flags: np.ndarray) -> tuple[float, int]:
    """One norm and mark for several: broken if one is, else of those that are known."""
    ordinary = (flags & (NAN | INF | NO_GRAD)) == 0
    bad = int(np.bitwise_or.reduce(flags & (NAN | INF), initial=0))
    if bad:
        return 0.0, bad
    if not ordinary.any():
        return 0.0, NO_GRAD
    norm = float(np.max(norms[ordinary]))
    return norm, 0 if norm > 0 else ZERO


def _curve(route: Sequence[tuple[float, float]]) -> str:
    parts = [f"M{_short(route[0][0])} {_short(route[0][1])}"]
    for (x0, y0), (x1, y1) in itertools.pairwise(route):
        middle = (y0 + y1) / 2
        if abs(x0 - x1) < 0.5:
            parts.append(f"L{_short(x1)} {_short(y1)}")
        else:
            parts.append(f"C{_short(x0)} {_short(middle)} {_short(x1)} {_short(middle)} {_short(x1)} {_short(y1)}")
    return "".join(parts)


def _draw_box(
    canvas: Canvas,
    box: _Box,
    value: tuple[float, int],
    level: Callable[[float], int],
    x: float,
    y: float,
    width: float,
    height: float,
) -> None:
    norm, flag = value
    centre = y + height / 2 + 4
    corner = 10 if box.kind in ("join", "input", "loss") else 4

    def frame(shift: float) -> None:
        place = f'x="{_short(x + shift)}" y="{_short(y + shift)}" width="{_short(width)}" height="{_short(height)}"'
        canvas.add(f'<rect {place} rx="{corner}" class="bx"/>')

    if box.kind == "group":
        frame(3)
    frame(0)
    name = escape(fit(box.name + (" ▸" if box.kind == "group" else ""), _CHARACTERS))
    if box.kind in ("join", "input", "loss"):
        middle = f'x="{_short(x + width / 2)}" y="{_short(centre)}" text-anchor="middle"'
        canvas.add(f'<text {middle} class="t l">{name}</text>')
        return
    if not flag and norm > 0:
        canvas.rect(x + 5, y + 5, 8, height - 10, f'class="c{level(norm)}"')
    else:
        _cell(canvas, ("x", flag or ZERO), x + 5, y + 5, 8, height - 10)
    canvas.add(f'<text x="{_short(x + 19)}" y="{_short(centre)}" class="t l">{name}</text>')
    number = "NaN" if flag & NAN else "∞" if flag & INF else "–" if flag & NO_GRAD else "0" if flag else f"{norm:.0e}"
    canvas.add(f'<text x="{_short(x + width - 6)}" y="{_short(centre)}" class="m e">{number}</text>')
