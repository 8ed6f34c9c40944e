"""Two plots side by side in a still picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nbtorch_widgets.svg import PAD, Canvas

WIDE, HIGH, GAP = 334, 240, 20
#: Classes: k a frame or contour, u a line, p a point, o a dashed line.
STYLE = (
    ".k{fill:none;stroke:#d5d9de}.u{fill:none;stroke:#1769aa;stroke-width:2}.p{fill:#1f2328}"
    ".o{fill:none;stroke:#59636e;stroke-dasharray:3 3}@media(prefers-color-scheme:dark)"
    "{.k{stroke:#3d444d}.u{stroke:#6cb6ff}.p{fill:#e6e8eb}.o{stroke:#9aa4af}}"
)


class Frame:
    """One of the two plots of a still picture: a frame with the ends of its axes as numbers."""

    def __init__(
        self,
        canvas: Canvas,
        left: float,
        title: str,
        across: tuple[float, float],
        up: tuple[float, float],
        say: Callable[[float], str] = "{:.2g}".format,
    ) -> None:
        self.across, self.up, self._canvas = across, up, canvas
        self._left, self._top = left + 30.0, PAD + 18.0
        self._wide, self._high = WIDE - 34.0, float(HIGH - 18)
        canvas.text(left, PAD + 10, title, "m")
        canvas.rect(self._left, self._top, self._wide, self._high, 'class="k"')
        for value, y in ((up[0], self._top + self._high), (up[1], self._top + 10)):
            canvas.text(self._left - 4, y, say(value), "m l e")
        canvas.text(self._left, self._top + self._high + 14, say(across[0]), "m l")
        canvas.text(self._left + self._wide, self._top + self._high + 14, say(across[1]), "m l e")

    def _place(self, x: float, y: float) -> tuple[float, float]:
        (a, b), (c, d) = self.across, self.up
        with np.errstate(over="ignore"):
            return self._left + (x - a) / (b - a) * self._wide, self._top + (1 - (y - c) / (d - c)) * self._high

    def _inside(self, x: float, y: float) -> bool:
        return self._left - 1 <= x <= self._left + self._wide + 1 and self._top - 1 <= y <= self._top + self._high + 1

    def line(self, points: Any, classes: str) -> None:
        """A line through points, cut at the frame: pieces that leave it are left out."""
        piece: list[str] = []
        for x, y in [*((self._place(*p)) for p in points), (math.inf, math.inf)]:
            if self._inside(x, y):
                piece.append(f"{x:.1f},{y:.1f}")
                continue
            if len(piece) > 1:
                self._canvas.add(f'<polyline points="{" ".join(piece)}" class="{classes}"/>')
            piece = []

    def dot(self, x: float, y: float, radius: float, classes: str) -> None:
        at, height = self._place(x, y)
        if self._inside(at, height):
            self._canvas.add(f'<circle cx="{at:.1f}" cy="{height:.1f}" r="{radius}" class="{classes}"/>')


def around(values: Any, air: float = 0.12) -> tuple[float, float]:
    """The ends of these numbers with some air around them."""
    low, high = float(np.min(values)), float(np.max(values))
    room = (high - low or 1.0) * air
    return low - room, high + room
