"""Still pictures of landscapes and decision boundaries, as SVG: for GitHub, PDF, and whatever runs no scripts."""

from __future__ import annotations

import functools
import json
import math
import pathlib
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from nbtorch_widgets.landscape.problems import Range

_WIDTH = 720
_PAD = 16
_CELLS = 40  # along each side of the picture of a field
LEVELS = 14
_DEPTH = 1000.0  # as `Shade` in src/landscape/field.ts
_FAR = 4000.0  # px, where a line that leaves the picture ends
_ORDER = (0, 5, 2, 3, 1, 4, 6)
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "12 4")


@functools.cache
def _palette() -> dict[str, Any]:
    path = pathlib.Path(__file__).parents[1] / "palette.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _rgb(colour: str) -> npt.NDArray[np.float64]:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)


def _hex(rgb: npt.NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(float(c)):02x}" for c in rgb)


def categories(theme: str) -> list[str]:
    """The colours of optimizers and classes."""
    colours = _palette()["categories"][theme]
    return [colours[k] for k in _ORDER]


def washes(theme: str) -> list[str]:
    """The colours of a field from its lowest level to its highest, thinned with the ground."""
    stops = np.stack([_rgb(stop) for stop in _palette()[theme]])
    ground, share = (np.full(3, 255.0), 0.45) if theme == "light" else (_rgb("#1c1f23"), 0.5)
    at = (0.06 + 0.78 * np.linspace(0, 1, LEVELS)) * (len(stops) - 1)
    mixed = np.stack([np.interp(at, np.arange(len(stops)), stops[:, c]) for c in range(3)], 1)
    return [_hex(ground + (colour - ground) * share) for colour in mixed]


@functools.cache
def _style() -> str:
    def rules(theme: str) -> str:
        dark = theme == "dark"
        text, muted, card, line = (
            ("#e6e8eb", "#9aa4af", "#1c1f23", "#3d444d") if dark else ("#1f2328", "#59636e", "#fff", "#d5d9de")
        )
        fills = "".join(f".f{level}{{fill:{colour}}}" for level, colour in enumerate(washes(theme)))
        kinds = "".join(f".k{k}{{fill:{c}}}.l{k}{{stroke:{c}}}" for k, c in enumerate(categories(theme)))
        return (
            f".card{{fill:{card};stroke:{line}}}.t{{fill:{text}}}.m{{fill:{muted}}}.o{{stroke:{card}}}"
            f".s{{stroke:{text}}}.g{{stroke:{line}}}.x{{fill:{'#ff7a6b' if dark else '#c62828'}}}{fills}{kinds}"
        )

    return (
        "text{font:12px system-ui,sans-serif}.b{font-weight:600}.n{font-weight:400}.e{text-anchor:end}"
        ".c{text-anchor:middle}rect{shape-rendering:crispEdges}polyline{fill:none;stroke-linejoin:round}"
        f"{rules('light')}@media(prefers-color-scheme:dark){{{rules('dark')}}}"
    )


class Card:
    """A picture with its own ground, readable on any page."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.height = 0.0

    def add(self, part: str) -> None:
        self.parts.append(part)

    def text(self, x: float, y: float, text: str, classes: str = "t") -> None:
        self.add(f'<text x="{_short(x)}" y="{_short(y)}" class="{classes}">{escape(text)}</text>')

    def line(self, points: Sequence[tuple[float, float]], look: str) -> None:
        if len(points) > 1:
            self.add(f'<polyline points="{" ".join(f"{_short(x)},{_short(y)}" for x, y in points)}" {look}/>')

    def shape(self, index: int, x: float, y: float, r: float, look: str) -> None:
        """The `index`-th of the shapes that stand for optimizers and classes."""
        corners = _SHAPES[index % len(_SHAPES)]
        if corners is None:
            self.add(f'<circle cx="{_short(x)}" cy="{_short(y)}" r="{_short(r)}" {look}/>')
        else:
            points = " ".join(f"{_short(x + dx * r)},{_short(y + dy * r)}" for dx, dy in corners)
            self.add(f'<polygon points="{points}" {look}/>')

    def render(self, label: str) -> str:
        height = round(self.height + _PAD)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
            f'height="{height}" role="img" aria-label="{escape(label)}"><style>{_style()}</style>'
            f'<rect x=".5" y=".5" width="{_WIDTH - 1}" height="{height - 1}" rx="8" class="card" '
            'shape-rendering="auto"/>' + "".join(self.parts) + "</svg>"
        )


_SHAPES: tuple[tuple[tuple[float, float], ...] | None, ...] = (
    None,
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    ((0, -1.2), (1.1, 0.85), (-1.1, 0.85)),
    ((0, -1.3), (1.15, 0), (0, 1.3), (-1.15, 0)),
    ((-0.4, -1.15), (0.4, -1.15), (0.4, -0.4), (1.15, -0.4), (1.15, 0.4), (0.4, 0.4), (0.4, 1.15), (-0.4, 1.15),
     (-0.4, 0.4), (-1.15, 0.4), (-1.15, -0.4), (-0.4, -0.4)),
    ((0, 1.2), (1.1, -0.85), (-1.1, -0.85)),
)  # fmt: skip


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


class Frame:
    """The axes of a plane in a card."""

    def __init__(self, card: Card, x: Range, y: Range, left: float, top: float, width: float, height: float) -> None:
        self.card, self.x, self.y = card, x, y
        self.left, self.top, self.width, self.height = left, top, width, height

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Half pixels, so that what a machine's last bits change doesn't show; far outside, a line just leaves."""
        px = self.left + (x - self.x[0]) / (self.x[1] - self.x[0]) * self.width
        py = self.top + (self.y[1] - y) / (self.y[1] - self.y[0]) * self.height
        return round(min(_FAR, max(-_FAR, px)) * 2) / 2, round(min(_FAR, max(-_FAR, py)) * 2) / 2

    def cells(self, levels: npt.NDArray[np.int_], prefix: str) -> None:
        """A map of small whole numbers [N, N]; -1 is hatched by the alarm's colour."""
        size = len(levels)
        for i in range(size):
            y0, y1 = (round(self.top + self.height * (size - k) / size) for k in (i + 1, i))
            first = 0
            for last in range(1, size + 1):
                if last == size or levels[i, last] != levels[i, first]:
                    x0, x1 = (round(self.left + self.width * k / size) for k in (first, last))
                    look = f"{prefix}{levels[i, first]}" if levels[i, first] >= 0 else "x"
                    self.card.add(f'<rect x="{x0}" y="{y0}" width="{x1 - x0}" height="{y1 - y0}" class="{look}"/>')
                    first = last

    def axes(self, labels: Sequence[str]) -> None:
        floor = self.top + self.height
        for mark in ticks(*self.x, 6):
            self.card.text(self.at(mark, 0)[0], floor + 16, _tick(mark), "m c")
        for mark in ticks(*self.y, 6):
            self.card.text(self.left - 8, min(max(self.at(0, mark)[1] + 4, self.top + 9), floor), _tick(mark), "m e")
        self.card.text(self.left + self.width / 2, floor + 32, labels[0], "m c")
        self.card.add(
            f'<text transform="translate({_short(self.left - 40)},{_short(self.top + self.height / 2)}) rotate(-90)" '
            f'class="m c">{escape(labels[1])}</text>'
        )


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers in [low, high], at most about `most`."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    every = next((m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9)), 10 * power)
    first = math.ceil(low / every - 1e-9)
    return [k * every for k in range(first, math.floor(high / every + 1e-9) + 1)]


def _tick(value: float) -> str:
    return f"{value:.4g}".replace("-", "−") if abs(value) > 1e-12 else "0"


def shades(values: npt.NDArray[Any], log: bool) -> npt.NDArray[np.float64]:
    """Values as shades in [0, 1], by the widget's rule; NaN for what isn't finite."""
    array = np.asarray(values, np.float64)
    finite = array[np.isfinite(array)]
    if not finite.size:
        return np.full(array.shape, np.nan)
    low, high = float(finite.min()), float(finite.max())
    share = (array - low) / (high - low) if high > low else np.zeros(array.shape)
    share[~np.isfinite(array)] = np.nan
    return np.log1p(_DEPTH * share) / math.log1p(_DEPTH) if log else share


def _levels(values: npt.NDArray[Any], log: bool) -> npt.NDArray[np.int_]:
    """Levels of a coarser grid of `_CELLS` rows and columns; -1 for what isn't finite."""
    size = len(values)
    pick = np.clip(((np.arange(_CELLS) + 0.5) / _CELLS * (size - 1)).round().astype(int), 0, size - 1)
    with np.errstate(invalid="ignore"):
        # Rounded a little up, so that a last bit can't move a number over an edge.
        scaled = np.nan_to_num(shades(values, log), nan=-1.0) * LEVELS + 1e-4
    levels = np.where(scaled < 0, -1, np.clip(np.floor(scaled), 0, LEVELS - 1))
    return levels[np.ix_(pick, pick)].astype(int)


def landscape_svg(landscape: Any) -> str:
    """The field of a `Landscape`, the paths on it, and what became of each."""
    card = Card()
    meta = landscape.meta
    card.add(f'<text x="{_PAD}" y="28" class="t b">Loss landscape · {escape(str(meta["title"]))}</text>')
    frame = Frame(card, tuple(meta["x"]), tuple(meta["y"]), 66, 44, 360, 300)
    card.add('<defs><clipPath id="in"><rect x="66" y="44" width="360" height="300"/></clipPath></defs>')
    values = landscape.grid
    frame.cells(_levels(values, landscape.log_scale), "f")
    frame.axes(meta["labels"])
    card.add('<g clip-path="url(#in)">')
    tracks = list(zip(landscape.paths.items(), landscape.findings(), strict=True))
    for index, ((_, points), _) in enumerate(tracks):
        line = _thin([frame.at(*map(float, point)) for point in points])
        card.line(line, 'class="o" stroke-width="4" opacity=".75"')
        card.line(line, f'class="l{index % 7}" stroke-width="1.8"')
    for index, ((_, points), _) in enumerate(tracks):
        card.shape(index, *frame.at(*map(float, points[-1])), 5, f'class="k{index % 7} o"')
    start = landscape.start
    if start is not None:
        card.shape(0, *frame.at(*start), 7, 'class="s" fill="none" stroke-width="2"')
    marks = [tuple(minimum) for minimum in meta["minima"]] or [landscape.minimum[:2]]
    for x, y in marks:
        if math.isfinite(x):
            px, py = frame.at(x, y)
            card.add(f'<path d="M{_short(px - 4)} {_short(py - 4)}l8 8m0-8l-8 8" class="s" stroke-width="2"/>')
    if meta["mode"] == "slice":
        card.shape(0, *frame.at(0.0, 0.0), 5, 'class="s" fill="none" stroke-width="2"')
    card.add("</g>")
    y = 60.0
    for index, (_, finding) in enumerate(tracks):
        card.line([(446, y - 4), (474, y - 4)], f'class="l{index % 7}" stroke-width="1.8"')
        card.shape(index, 460, y - 4, 4.5, f'class="k{index % 7}"')
        card.text(482, y, _cut(finding, 34))
        y += 22
    y += 8
    if meta["mode"] == "slice":
        card.text(446, y, f"{meta['weights']} weights, loss {landscape.centre_loss:.3g} at the centre", "m")
        y += 20
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (math.nan, math.nan)
    card.text(446, y, f"{low:.3g} to {high:.3g}{', log scale' if landscape.log_scale else ''}", "m")
    for level in range(LEVELS):
        card.add(f'<rect x="{446 + level * 12}" y="{_short(y + 8)}" width="12" height="10" class="f{level}"/>')
    card.text(446, y + 38, "× lowest, ○ start" if start is not None else "× lowest, ○ the model's weights", "m")
    if meta["source"]:
        card.text(_PAD, 394, _cut(str(meta["source"]), 110), "m")
    card.height = 388 if meta["source"] else 372
    return card.render(repr(landscape))


def _thin(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    kept = points[:1]
    for point in points[1:]:
        if abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) >= 1.5:
            kept.append(point)
    if points and kept[-1] != points[-1]:
        kept.append(points[-1])
    return kept


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def boundary_svg(
    regions: Any, data: Any, x: Range, y: Range, names: Sequence[str], features: Sequence[str], label: str
) -> str:
    """The regions of a model's classes and the data on them."""
    card = Card()
    card.text(_PAD, 28, "Decision boundary", "t b")
    frame = Frame(card, x, y, 66, 44, 360, 300)
    size = len(regions.classes)
    pick = ((np.arange(_CELLS) + 0.5) / _CELLS * (size - 1)).round().astype(int)
    cells = regions.classes[np.ix_(pick, pick)].astype(int)
    card.add('<g opacity=".35">')
    frame.cells(cells, "k")
    card.add("</g>")
    frame.axes(features)
    points, numbers = data
    for point, number in list(zip(points, numbers, strict=True))[:: max(1, len(points) // 300)]:
        card.shape(int(number), *frame.at(*map(float, point)), 4, f'class="k{int(number) % 7} o"')
    top = 60.0
    for number, name in enumerate(names):
        card.shape(number, 454, top - 4, 5, f'class="k{number % 7}"')
        card.text(468, top, _cut(name, 34))
        top += 22
    card.text(446, top + 8, f"accuracy {regions.accuracy:.1%} of {len(points)} points", "m")
    card.height = 372
    return card.render(label)
