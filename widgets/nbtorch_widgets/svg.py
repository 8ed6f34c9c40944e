"""Still pictures of a run, for places without a front end: GitHub, PDF, a lesson that is executed by a program.

A picture depends on the numbers of the run alone: no time, no rate, no random identifier. Colours come in few levels
and numbers with few digits, so that the last bits of a sum, which differ between machines, don't show. It brings its
own background and so is readable on any page; where the reader's system is dark it is dark.
"""

from __future__ import annotations

import functools
import json
import math
import os
import pathlib
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from nbtorch_widgets.gradients import FROZEN, INF, NAN, NO_GRAD, ZERO
from nbtorch_widgets.history import Samples
from nbtorch_widgets.telemetry import Telemetry

WIDTH = 720
PAD = 16
_COLUMNS = 48
_LEVELS = 24
_RAMP = 96  # px, the legend's scale; whole pixels a level
MAX_ROWS = 64
CHARACTER = 6.65  # px, the advance of the 11 px monospaced labels

_MARKS = ((NAN, "NaN"), (INF, "infinite"), (ZERO, "zero"), (NO_GRAD, "no gradient"))

# What a picture says, for the language "ko"; the keys are the English texts.
_KOREAN = {
    "Step {}": "스텝 {}",
    "Step {} of {}": "스텝 {} / {}",
    "step {} to {}": "스텝 {}부터 {}까지",
    "and {} more parameters": "그 밖에 파라미터 {}개",
    "Training run: {}": "학습: {}",
    "Gradient norms: {}": "그래디언트 노름: {}",
    "loss": "손실",
    "infinite": "무한대",
    "zero": "0",
    "no gradient": "그래디언트 없음",
    "ready": "준비",
    "running": "실행 중",
    "paused": "일시 정지",
    "stopping": "중지하는 중",
    "finished": "완료",
    "stopped": "중지됨",
    "left": "중간에 나감",
    "interrupted": "인터럽트됨",
    "failed": "오류로 끝남",
}
_SPECIAL = NAN | INF | ZERO | NO_GRAD

_STYLE = """
.card{fill:#fff;stroke:#d5d9de}.t{fill:#1f2328}.m{fill:#59636e}.s{stroke:#1769aa}.d{fill:#1769aa}.g{fill:#eceff2}
.x{fill:#c62828}.h{stroke:#c62828}.z{fill:none;stroke:#59636e}
text{font:12px system-ui,sans-serif}.l{font:11px ui-monospace,Menlo,Consolas,monospace}
.b{font-weight:600}.n{font-weight:400}.e{text-anchor:end}rect{shape-rendering:crispEdges}
@media(prefers-color-scheme:dark){.card{fill:#1c1f23;stroke:#3d444d}.t{fill:#e6e8eb}.m{fill:#9aa4af}.s{stroke:#6cb6ff}
.d{fill:#6cb6ff}.g{fill:#2b3036}.x{fill:#ff7a6b}.h{stroke:#ff7a6b}.z{stroke:#9aa4af}}
""".replace("\n", "")


class Picture:
    """A run as a still picture, taken now: what `display` shows."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._text = f"Run({telemetry.summary()}, {magnitude_range(telemetry.overview_rows())})"
        self._svg = run_svg(telemetry)

    def __repr__(self) -> str:
        return self._text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self._text, "image/svg+xml": self._svg}


def magnitude_range(samples: Samples) -> str:
    """The least and the greatest gradient norm of a run, in words."""
    values = samples.norms[(samples.flags & (_SPECIAL | FROZEN)) == 0]
    if not values.size:
        return "no gradients"
    return f"|grad| {float(values.min()):.1e} to {float(values.max()):.1e}"


def run_svg(telemetry: Telemetry, *, gradients: bool = True, language: str | None = None) -> str:
    """Counters and loss of a run, and below them its gradients; in English, or Korean if `language` is "ko".

    None: as the environment variable NBTORCH_LANGUAGE says.
    """
    rows = telemetry.overview_rows()
    canvas = Canvas(language=language)
    if telemetry.total is None:
        title = canvas.say("Step {}", telemetry.step)
    else:
        title = canvas.say("Step {} of {}", telemetry.step, telemetry.total)
    state = f'<tspan dx="10" class="m n">{canvas.say(telemetry.state)}</tspan>'
    canvas.add(f'<text x="{PAD}" y="{PAD + 12}" class="t b">{title}{state}</text>')
    if telemetry.loss is not None:
        canvas.text(WIDTH - PAD - 150, PAD + 12, f"{canvas.say(telemetry.loss_name)} {telemetry.loss:.3g}", "t b e")
        _sparkline(canvas, rows, WIDTH - PAD - 138, PAD - 2, 138, 20)
    canvas.height = PAD + 28
    if gradients:
        _heat_map(canvas, telemetry.names, rows)
    return canvas.render(canvas.say("Training run: {}", telemetry.summary()))


def seismograph_svg(telemetry: Telemetry, *, language: str | None = None) -> str:
    """The gradient norms of a run as a heat map."""
    canvas = Canvas(language=language)
    canvas.height = PAD
    _heat_map(canvas, telemetry.names, telemetry.overview_rows())
    return canvas.render(canvas.say("Gradient norms: {}", telemetry.summary()))


class Canvas:
    """A picture being put together: `WIDTH` wide, `height` says how far down it has come."""

    def __init__(self, style: str = "", language: str | None = None) -> None:
        """`style` is CSS beside the family's; `language` "en" or "ko", None as NBTORCH_LANGUAGE in the environment."""
        if language is None:
            language = os.environ.get("NBTORCH_LANGUAGE", "")
        self._parts: list[str] = []
        self._style = style
        self._texts = _KOREAN if language.lower().startswith("ko") else {}
        self.height = 0

    def say(self, text: str, *values: object) -> str:
        """A text of `_KOREAN` in the picture's language, with the values in it; other texts stay as they are."""
        return self._texts.get(text, text).format(*values) if values else self._texts.get(text, text)

    def add(self, part: str) -> None:
        self._parts.append(part)

    def text(self, x: float, y: float, text: str, classes: str) -> None:
        self.add(f'<text x="{_short(x)}" y="{_short(y)}" class="{classes}">{escape(text)}</text>')

    def rect(self, x: float, y: float, width: float, height: float, look: str) -> None:
        self.add(f'<rect x="{_short(x)}" y="{_short(y)}" width="{_short(width)}" height="{_short(height)}" {look}/>')

    def render(self, label: str) -> str:
        height = self.height + PAD - 4
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-label="{escape(label)}">'
            f"<style>{_STYLE}{_colour_rules()}{self._style}</style>"
            '<defs><pattern id="nan" width="6" height="6" patternUnits="userSpaceOnUse">'
            '<path d="M-1 7L7-1M-1 1L1-1M5 7L7 5" class="h" stroke-width="1.5"/></pattern></defs>'
            f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="8" class="card" '
            'shape-rendering="auto"/>' + "".join(self._parts) + "</svg>"
        )


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


@functools.cache
def palette() -> dict[str, Any]:
    """The colours that both halves of the widgets share."""
    colours: dict[str, Any] = json.loads((pathlib.Path(__file__).parent / "palette.json").read_text(encoding="utf-8"))
    return colours


def rules(name: str, light: Sequence[str], dark: Sequence[str], attribute: str = "fill") -> str:
    """CSS classes `name0`, `name1`, ... with these colours in the two themes."""
    one, two = (
        "".join(f".{name}{index}{{{attribute}:{colour}}}" for index, colour in enumerate(colours))
        for colours in (light, dark)
    )
    return f"{one}@media(prefers-color-scheme:dark){{{two}}}"


@functools.cache
def _colour_rules() -> str:
    """CSS classes `c0`, `c1`, ... from the weakest magnitude to the strongest, for both themes."""
    return rules("c", levels(palette()["light"], _LEVELS), levels(palette()["dark"], _LEVELS))


def levels(scale: Sequence[str], count: int) -> list[str]:
    """So many colours of a continuous scale, evenly spaced from end to end."""
    stops = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in scale], float)
    at = np.linspace(0, len(stops) - 1, count)
    channels = [np.interp(at, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
    return [f"#{round(r):02x}{round(g):02x}{round(b):02x}" for r, g, b in zip(*channels, strict=True)]


def _columns(samples: Samples) -> Samples:
    """At most `_COLUMNS` rows, evenly chosen, the last among them."""
    if len(samples) <= _COLUMNS:
        return samples
    return samples.take(np.linspace(0, len(samples) - 1, _COLUMNS).round().astype(np.intp))


def _sparkline(canvas: Canvas, samples: Samples, x: float, y: float, width: float, height: float) -> None:
    samples = _columns(samples)
    known = np.isfinite(samples.loss)
    if known.sum() < 2:
        return
    loss = samples.loss[known].astype(float)
    low, high = float(loss.min()), float(loss.max())
    xs = x + np.linspace(0, width - 3, len(loss))
    ys = y + height - (height * (loss - low) / (high - low) if high > low else np.full(len(loss), height / 2))
    # Whole pixels: what a machine's last bits change is smaller.
    points = " ".join(f"{round(float(a))},{round(float(b))}" for a, b in zip(xs, ys, strict=True))
    canvas.add(f'<polyline points="{points}" class="s" fill="none" stroke-width="1.5" stroke-linejoin="round"/>')
    canvas.add(f'<circle cx="{round(float(xs[-1]))}" cy="{round(float(ys[-1]))}" r="2.5" class="d"/>')


def fit(name: str, characters: int) -> str:
    """A name in at most so many characters, its middle left out."""
    if len(name) <= characters:
        return name
    head = characters // 3
    return f"{name[:head]}…{name[len(name) - (characters - head - 1) :]}"


def _heat_map(canvas: Canvas, names: list[str], samples: Samples) -> None:
    samples = _columns(samples)
    shown = min(len(names), MAX_ROWS)
    row = 18 if shown <= 16 else 13
    characters = min(32, max(len(name) for name in names))
    left = math.ceil(PAD + characters * CHARACTER + 10)
    width = WIDTH - PAD - left
    top = canvas.height
    canvas.rect(left, top, width, shown * row, 'class="g" rx="3"')
    ordinary = (samples.flags & _SPECIAL) == 0
    positive = ordinary & (samples.norms > 0)
    logs = np.log10(samples.norms, where=positive, out=np.zeros(samples.norms.shape, np.float32)).astype(float)
    low, high = (
        (math.floor(float(logs[positive].min())), math.ceil(float(logs[positive].max()))) if positive.any() else (0, 1)
    )
    high = max(high, low + 1)
    levels = np.clip(np.floor((logs - low) / (high - low) * _LEVELS), 0, _LEVELS - 1).astype(int)
    cell = width / max(1, len(samples))
    for index in range(shown):
        y = top + index * row
        canvas.text(left - 10, y + row / 2 + 4, fit(names[index], characters), "t l e")
        kinds = [
            ("x", int(flag & _SPECIAL)) if flag & _SPECIAL else ("c", int(level))
            for flag, level in zip(samples.flags[:, index], levels[:, index], strict=True)
        ]
        first = 0
        for last in range(1, len(kinds) + 1):
            if last == len(kinds) or kinds[last] != kinds[first]:
                # Whole pixels, so that neighbours leave no seam.
                x, end = left + round(first * cell), left + round(last * cell)
                _cell(canvas, kinds[first], x, y + 0.5, end - x, row - 1)
                first = last
    bottom = top + shown * row
    if len(names) > shown:
        canvas.text(left, bottom + 14, canvas.say("and {} more parameters", len(names) - shown), "m")
        bottom += 16
    _legend(canvas, left, width, bottom, low, high, samples)


def _cell(canvas: Canvas, kind: tuple[str, int], x: float, y: float, width: float, height: float) -> None:
    family, value = kind
    if family == "c":
        canvas.rect(x, y, width, height, f'class="c{value}"')
    elif value & NAN:
        canvas.rect(x, y, width, height, 'fill="url(#nan)"')
    elif value & INF:
        canvas.rect(x, y, width, height, 'class="x"')
    elif value & ZERO:
        canvas.rect(x + 0.5, y + 3, max(1.0, width - 1), height - 6, 'class="z"')
    else:
        canvas.rect(x, y + height / 2 - 0.5, width, 1, 'class="m"')


def _legend(canvas: Canvas, left: float, width: float, bottom: float, low: int, high: int, samples: Samples) -> None:
    y = bottom + 18
    if len(samples):
        canvas.text(left, y, canvas.say("step {} to {}", int(samples.steps[0]), int(samples.steps[-1])), "m")
    ramp = left + width - 32 - _RAMP
    for level in range(_LEVELS):
        canvas.rect(ramp + level * _RAMP / _LEVELS, y - 9, _RAMP / _LEVELS, 9, f'class="c{level}"')
    canvas.text(ramp - 6, y, _power(low), "m e")
    canvas.text(ramp + _RAMP + 6, y, _power(high), "m")
    seen = int(np.bitwise_or.reduce(samples.flags, axis=None, initial=0))
    marks = [mark for mark in _MARKS if seen & mark[0]]
    if marks:
        y += 18
        for flag, english in marks:
            word = canvas.say(english)
            _cell(canvas, ("x", flag), left, y - 10, 16, 10)
            canvas.text(left + 22, y, word, "m")
            left += 40 + sum(7 if character < "ᄀ" else 12 for character in word)
    canvas.height = int(y) + 8


def _power(exponent: int) -> str:
    digits = str(abs(exponent)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{'⁻' if exponent < 0 else ''}{digits}" if exponent else "1"
