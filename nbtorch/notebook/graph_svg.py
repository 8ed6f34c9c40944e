"""Draw a traced graph as SVG.

JupyterLab shows ``image/svg+xml`` as an image, so neither the page's fonts nor its theme variables reach the drawing.
It therefore brings its own colours: text stands on filled boxes, and what lies on the page itself is of a grey with a
contrast of at least 3.5 on white and on JupyterLab's dark background. No ids, no addresses, no scripts: equal graphs
give equal text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from .layout import Point, layered_layout
from .markup import coordinate as _n
from .markup import escape
from .trace import Kind, Survey, Trace, TracedNode, shape_text

_MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_SANS = "system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif"
_MONO_EM = 0.61  # the widest of the monospaced faces above
_SANS_EM = 0.57  # a generous mean; only the legend depends on it
_TITLE, _SMALL = 12.0, 10.5
_LINE = "#808892"
_PANEL, _PANEL_LINE, _PANEL_TEXT, _PANEL_MUTED = "#f5f7f9", "#c9d0d8", "#252b33", "#59636e"
_MARGIN = 10.0
_RING = 6.0  # by how much the outer line of a result is larger than the inner one
_LONGEST_LABEL = 32

_COLORS: dict[Kind, tuple[str, str, str]] = {  # fill, stroke, text
    "leaf": ("#ffe8c2", "#c47f00", "#4a2e00"),
    "operation": ("#dcebf8", "#3e7cb1", "#0f2a43"),
    "constant": ("none", _LINE, _LINE),
    "result": ("#cdf0e2", "#008f68", "#06382a"),
}
SYMBOLS = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "matmul": "@", "addmm": "@+", "neg": "−", "sum": "Σ"}


def graph_svg(trace: Trace, description: str) -> str:
    """The drawing of a graph: data flows down, from the leaves to the result."""
    lines = [_box_lines(node) for node in trace.nodes]
    sizes = [_box_size(node, text) for node, text in zip(trace.nodes, lines, strict=True)]
    layout = layered_layout(sizes, trace.edges)
    legend, legend_width, legend_height = _legend({node.kind for node in trace.nodes})
    inner = max(layout.width, legend_width)
    shift_x = _MARGIN + (inner - layout.width) / 2

    parts = [f'<g transform="translate({_n(shift_x)} {_n(_MARGIN)})">']
    dashed = [trace.nodes[source].kind == "constant" for source, _ in trace.edges]
    for is_dashed in (False, True):
        routes = [route for route, d in zip(layout.routes, dashed, strict=True) if d is is_dashed]
        if routes:
            dash = ' stroke-dasharray="3 3"' if is_dashed else ""
            curves = "".join(map(_curve, routes))
            heads = "".join(_arrow_head(route[-1]) for route in routes)
            parts.append(f'<path d="{curves}" fill="none" stroke="{_LINE}" stroke-width="1.5"{dash}/>')
            parts.append(f'<path d="{heads}" fill="{_LINE}"/>')
    parts.append(f'<g font-family="{_MONO}" text-anchor="middle">')
    for node, text, size, center in zip(trace.nodes, lines, sizes, layout.centers, strict=True):
        parts.append(_box(node, text, size, center))
    parts.append("</g></g>")
    top = _MARGIN + layout.height + 18
    parts.append(f'<g transform="translate({_n(_MARGIN + (inner - legend_width) / 2)} {_n(top)})">{legend}</g>')
    return _document(inner + 2 * _MARGIN, top + legend_height + _MARGIN, description, parts)


def survey_svg(survey: Survey, title: str, note: str, description: str) -> str:
    """A panel that describes a graph that is too large to draw: operations by number, depth, longest path."""
    names = survey.operations.most_common()
    names.sort(key=lambda item: (-item[1], item[0]))
    shown, rest = names[:10], names[10:]
    if rest:
        shown.append((f"{len(rest)} other kinds", sum(count for _, count in rest)))
    largest = max((count for _, count in shown), default=1)
    label_width = max((_mono_width(_shorten(name), _TITLE) for name, _ in shown), default=0.0)
    bar = 220.0
    width = max(460.0, label_width + bar + 130)
    y = 24.0
    parts = [
        _text(14, y, title, _TITLE + 1, _PANEL_TEXT, weight=600),
        _text(14, y + 19, note, _SMALL + 0.5, _PANEL_MUTED),
    ]
    y += 44
    fill, stroke, _ = _COLORS["operation"]
    for name, count in shown:
        length = max(2.0, bar * count / largest)
        x = 14 + label_width + 10
        parts.append(_text(14 + label_width, y, _shorten(name), _TITLE, _PANEL_TEXT, anchor="end", family=_MONO))
        parts.append(
            f'<rect x="{_n(x)}" y="{_n(y - 10)}" width="{_n(length)}" height="12" rx="2" fill="{fill}" '
            f'stroke="{stroke}"/>'
        )
        parts.append(_text(x + length + 8, y, f"{count:,}", _SMALL + 0.5, _PANEL_MUTED, family=_MONO))
        y += 20
    y += 8
    for line in path_lines(survey):
        parts.append(_text(14, y, line, _SMALL + 0.5, _PANEL_TEXT, family=_MONO))
        width = max(width, 28 + _mono_width(line, _SMALL + 0.5))
        y += 17
    height = y - 2
    panel = (
        f'<rect x="0.5" y="0.5" width="{_n(width - 1)}" height="{_n(height - 1)}" rx="8" fill="{_PANEL}" '
        f'stroke="{_PANEL_LINE}"/>'
    )
    return _document(width, height, description, [panel, *parts])


def path_lines(survey: Survey) -> list[str]:
    """The longest path in words, on one line or two."""
    start, end = " → ".join(map(_shorten, survey.path_start)), " → ".join(map(_shorten, survey.path_end))
    if not survey.path_end:
        return [f"longest path: {start}"]
    hidden = survey.depth + 1 - len(survey.path_start) - len(survey.path_end)
    if not hidden:
        return [f"longest path: {start} →", f"              {end}"]
    return [f"longest path: {start} → …", f"              … {hidden:,} more … → {end}"]


def _box_lines(node: TracedNode) -> list[str]:
    if node.kind == "constant":
        return []
    shape = "" if node.shape is None else shape_text(node.shape)
    label = _shorten(node.label)
    if node.kind == "operation":
        if node.alias:
            label = f"{_shorten(node.alias)} = {label}"
        elif node.label in SYMBOLS:
            label = f"{SYMBOLS[node.label]} {label}"
    return [line for line in (label, shape) if line]


def _box_size(node: TracedNode, lines: list[str]) -> tuple[float, float]:
    if node.kind == "constant":
        return 12.0, 12.0
    text = max((_mono_width(line, _SMALL if k else _TITLE) for k, line in enumerate(lines)), default=0.0)
    ring = _RING if node.kind == "result" else 0.0
    return round(max(44.0, text + 24) + ring, 1), (38.0 if len(lines) > 1 else 26.0) + ring


def _box(node: TracedNode, lines: list[str], size: tuple[float, float], center: Point) -> str:
    (width, height), (x, y) = size, center
    fill, stroke, ink = _COLORS[node.kind]
    if node.kind == "constant":
        return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="5" fill="none" stroke="{stroke}" stroke-dasharray="2 2"/>'
    radius = height / 2 if node.kind == "leaf" else 5.0
    parts = []
    if node.kind == "result":  # a second outline: the kinds differ in form, not in hue alone
        parts.append(_rect(x, y, width, height, radius + 3, "none", stroke, 1.0))
        width, height = width - _RING, height - _RING
    parts.append(_rect(x, y, width, height, radius, fill, stroke, 1.5))
    if len(lines) == 1:
        parts.append(_text(x, y + 4, lines[0], _TITLE, ink, weight=600))
    else:
        parts.append(_text(x, y - 3, lines[0], _TITLE, ink, weight=600))
        parts.append(_text(x, y + 12, lines[1], _SMALL, ink))
    return "".join(parts)


def _legend(kinds: set[Kind]) -> tuple[str, float, float]:
    words: dict[Kind, str] = {
        "leaf": "leaf: keeps .grad",
        "operation": "operation",
        "result": "result",
        "constant": "needs no gradient",
    }
    size = 11.0
    x, y = 12.0, 18.0
    parts: list[str] = []
    for kind, word in words.items():
        if kind not in kinds:
            continue
        fill, stroke, _ = _COLORS[kind]
        if kind == "constant":
            parts.append(
                f'<circle cx="{_n(x + 7)}" cy="{_n(y - 4)}" r="5" fill="none" stroke="{_PANEL_MUTED}" '
                'stroke-dasharray="2 2"/>'
            )
        else:
            radius = 5.0 if kind == "leaf" else 2.0
            if kind == "result":
                parts.append(_rect(x + 7, y - 4, 17, 13, radius + 1, "none", stroke, 1.0))
            parts.append(_rect(x + 7, y - 4, 14, 10, radius, fill, stroke, 1.2))
        parts.append(_text(x + 20, y, word, size, _PANEL_TEXT, family=_SANS))
        x += 20 + len(word) * size * _SANS_EM + 16
    arrows = ("↓ forward: values flow down", "↑ backward: gradients flow up the same lines")
    right = x - 4
    x = 12.0
    for line in arrows:
        parts.append(_text(x, y + 19, line, size, _PANEL_MUTED, family=_SANS))
        x += len(line) * size * _SANS_EM + 10
    width, height = max(right, x), y + 28
    panel = (
        f'<rect x="0.5" y="0.5" width="{_n(width - 1)}" height="{_n(height - 1)}" rx="6" fill="{_PANEL}" '
        f'stroke="{_PANEL_LINE}"/>'
    )
    return panel + "".join(parts), width, height


def _document(width: float, height: float, description: str, parts: Iterable[str]) -> str:
    w, h = _n(width), _n(height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" '
        f'aria-label="{escape(description)}" font-family="{_SANS}">\n' + "\n".join(parts) + "\n</svg>"
    )


def _curve(route: list[Point]) -> str:
    (x, y), commands = route[0], []
    end_x, end_y = route[-1]
    points = [*route[1:-1], (end_x, end_y - 6)]  # room for the arrow's head
    commands.append(f"M{_n(x)} {_n(y)}")
    for next_x, next_y in points:
        if next_x == x:
            commands.append(f"V{_n(next_y)}")
        else:
            middle = _n((y + next_y) / 2)
            commands.append(f"C{_n(x)} {middle} {_n(next_x)} {middle} {_n(next_x)} {_n(next_y)}")
        x, y = next_x, next_y
    return "".join(commands)


def _arrow_head(tip: Point) -> str:
    return f"M{_n(tip[0])} {_n(tip[1] - 0.5)}l-4 -7h8z"


def _rect(x: float, y: float, width: float, height: float, radius: float, fill: str, stroke: str, line: float) -> str:
    return (
        f'<rect x="{_n(x - width / 2)}" y="{_n(y - height / 2)}" width="{_n(width)}" height="{_n(height)}" '
        f'rx="{_n(radius)}" fill="{fill}" stroke="{stroke}" stroke-width="{_n(line)}"/>'
    )


def _text(
    x: float, y: float, text: str, size: float, fill: str, *, weight: int = 0, anchor: str = "", family: str = ""
) -> str:
    extra = f' font-weight="{weight}"' if weight else ""
    extra += f' text-anchor="{anchor}"' if anchor else ""
    extra += f' font-family="{family}"' if family else ""
    return f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" fill="{fill}"{extra}>{escape(text)}</text>'


def _shorten(text: str) -> str:
    half = _LONGEST_LABEL // 2
    return text if len(text) <= _LONGEST_LABEL else f"{text[: half - 1]}…{text[-half:]}"


def _mono_width(text: str, size: float) -> float:
    cells = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return cells * size * _MONO_EM
