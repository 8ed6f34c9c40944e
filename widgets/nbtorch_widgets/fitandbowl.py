"""`FitAndBowl`: a line fitted to points, and the bowl of its loss with the path that training took through it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from nbtorch_widgets import frames
from nbtorch_widgets.frames import Frame, around
from nbtorch_widgets.svg import PAD, Canvas
from nbtorch_widgets.tensorview.read import host_array
from nbtorch_widgets.widget import NotebookWidget

Floats = npt.NDArray[np.float64]

_MOST_POINTS, _MOST_STEPS = 60, 5000
_LEVELS = 9
_STYLE = f"{frames.STYLE}.w{{stroke-width:1.2}}"
_KOREAN = {"data and line": "데이터와 직선", "the loss over w and b": "w와 b에 따른 손실"}


class FitAndBowl(NotebookWidget):
    """Left the data with the line, right the bowl of the mean squared difference with the path through it.

        FitAndBowl(x, y, path)              # path: the (w, b) of each step, as your own loop recorded them
        FitAndBowl(x, y, path, lr=0.01)

    A slider goes over the steps. A point can be dragged, or moved with the arrow keys: the bowl changes, and plain
    gradient descent runs again from the same start, in the page, with the learning rate `lr`.

    Args:
        x, y: the points: tensors, arrays or lists of shape (N,) or (N, 1), at most 60.
        path: shape (T, 2), the pairs (w, b) in the order of the steps, at most 5,000; where they are no longer finite
            the path ends.
        lr: the learning rate; where it is left out, the one that explains the first step.
        step: the step shown at first; the last, if it is left out.

    Raises:
        TypeError: x, y or path are no real numbers.
        ValueError: their shapes don't fit, or they are too many.
    """

    kind = traitlets.Unicode("fitandbowl").tag(sync=True)
    fit = traitlets.Dict().tag(sync=True)
    #: The step that is shown; -1 is the last.
    step = traitlets.Int(-1).tag(sync=True)

    def __init__(
        self, x: Any, y: Any, path: Any, lr: float | None = None, step: int = -1, language: str | None = None
    ) -> None:
        self.x, self.y = _column("x", x), _column("y", y)
        if len(self.x) != len(self.y):
            raise ValueError(f"FitAndBowl expected as many x as y; got {len(self.x)} and {len(self.y)}")
        whole = _numbers("path", path)
        if whole.ndim != 2 or whole.shape[1] != 2 or not 1 <= len(whole) <= _MOST_STEPS:
            raise ValueError(
                f"FitAndBowl expected path of shape (T, 2) with 1 to {_MOST_STEPS} pairs (w, b); got {whole.shape}"
            )
        finite: npt.NDArray[np.bool_] = np.all(np.isfinite(whole), axis=1)
        whole = whole[: len(finite) if finite.all() else int(finite.argmin())]
        if not len(whole):
            raise ValueError("FitAndBowl expected a path that begins with finite numbers")
        #: The pairs (w, b), shape (T, 2), float64.
        self.history: Floats = whole
        self.lr = _rate(self.x, self.y, whole) if lr is None else float(lr)
        super().__init__(**({} if language is None else {"language": language}))
        self.fit = {"x": self.x.tolist(), "y": self.y.tolist(), "path": whole.tolist(), "lr": self.lr}
        self.step = step

    def losses(self) -> Floats:
        """The mean squared difference at each step, shape (T,)."""
        w, b = self.history[:, :1], self.history[:, 1:]
        with np.errstate(over="ignore"):  # a path that runs away
            found: Floats = ((w * self.x + b - self.y) ** 2).mean(1)
        return found

    def _at(self) -> int:
        last = len(self.history) - 1
        return last if self.step < 0 else min(self.step, last)

    def __repr__(self) -> str:
        w, b = self.history[self._at()]
        return (
            f"FitAndBowl({len(self.x)} points, step {self._at()} of {len(self.history) - 1}: y = {w:.3g} x {b:+.2g}, "
            f"loss {self.losses()[self._at()]:.2g})"
        )

    def to_svg(self) -> str:
        canvas = Canvas(_STYLE, self.language)
        say = _KOREAN if canvas.say("ready") != "ready" else {}
        w, b = self.history[self._at()]
        data = Frame(
            canvas, PAD, say.get("data and line", "data and line"), around(self.x), around([*self.y, 0.0], 0.25)
        )
        ends = np.array(data.across)
        data.line([(e, w * e + b) for e in ends], "u")
        for x, y in zip(self.x, self.y, strict=True):
            data.line([(x, y), (x, w * x + b)], "o")
        for x, y in zip(self.x, self.y, strict=True):
            data.dot(x, y, 5, "p")
        bottom, axes = _bowl(self.x, self.y)
        start = self.history[0]
        reach = 1.5 * max(1.0, *np.abs(start - bottom))
        near = self.history[np.hypot(*(self.history - bottom).T) < 2 * reach]
        over_w, over_b = (around([*near[:, i], bottom[i] - reach / 3, bottom[i] + reach / 3]) for i in (0, 1))
        title = say.get("the loss over w and b", "the loss over w and b")
        valley = Frame(canvas, PAD + frames.WIDE + frames.GAP, title, over_w, over_b)
        losses = self.losses()
        depth = float(((bottom[0] * self.x + bottom[1] - self.y) ** 2).mean())
        top = max(float(losses[0]) - depth, 1e-6)
        turn = np.linspace(0, 2 * math.pi, 49)
        for k in range(1, _LEVELS + 1):
            radii = [math.sqrt(top * 1.6 * (k / _LEVELS) ** 2 / curvature) for _, curvature in axes]
            ring = (
                bottom + np.outer(radii[0] * np.cos(turn), axes[0][0]) + np.outer(radii[1] * np.sin(turn), axes[1][0])
            )
            valley.line(ring, "k")
        valley.line(self.history[: self._at() + 1], "u w")
        valley.dot(float(bottom[0]), float(bottom[1]), 3, "p")
        valley.dot(w, b, 5, "d")
        canvas.height = PAD + frames.HIGH + 40
        canvas.text(PAD, canvas.height + 2, repr(self)[11:-1], "t l")
        return canvas.render(repr(self))

    def plot(self) -> Any:
        """The data with the line, and the bowl with the path, as a figure of matplotlib."""
        from nbtorch_widgets import plotting

        figure, (left, right) = plotting.figure(9, 3.6, ncols=2)
        w, b = self.history[self._at()]
        left.plot(self.x, self.y, "o")
        left.axline((0, b), slope=w)
        left.set(xlabel="x", ylabel="y")
        low, high = self.history.min(0) - 1, self.history.max(0) + 1
        ws, bs = np.meshgrid(np.linspace(low[0], high[0], 80), np.linspace(low[1], high[1], 80))
        loss = ((ws[..., None] * self.x + bs[..., None] - self.y) ** 2).mean(-1)
        right.contour(ws, bs, np.log10(loss + 1e-6), levels=12)
        right.plot(*self.history.T, ".-")
        right.set(xlabel="w", ylabel="b")
        return figure


def _bowl(x: Floats, y: Floats) -> tuple[Floats, list[tuple[Floats, float]]]:
    """The bottom (w, b) of the loss, and the two axes of its contours with the loss's curvature along each."""
    spread = float(x.var())
    w = float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 1e-12 else 0.0
    values, vectors = np.linalg.eigh(np.array([[(x * x).mean(), x.mean()], [x.mean(), 1.0]]))
    axes = [(vectors[:, i], max(float(values[i]), 1e-9)) for i in (1, 0)]
    return np.array([w, float(y.mean()) - w * float(x.mean())]), axes


def _rate(x: Floats, y: Floats, path: Floats) -> float | None:
    """The learning rate that explains the first step, if it was one of plain gradient descent."""
    if len(path) < 2:
        return None
    error = path[0, 0] * x + path[0, 1] - y
    slope = np.array([2 * (error * x).mean(), 2 * error.mean()])
    moved, size = path[0] - path[1], float(slope @ slope)
    rate = float(moved @ slope) / size if size else 0.0
    return rate if rate > 0 and np.allclose(moved, rate * slope, rtol=1e-3, atol=1e-6) else None


def _numbers(name: str, value: Any) -> Floats:
    if isinstance(value, (list, tuple)):
        value = np.array([[_float(v) for v in row] if isinstance(row, (list, tuple)) else _float(row) for row in value])
    array, why = host_array(value)
    if array is None or array.dtype.kind not in "fiu":
        raise TypeError(f"FitAndBowl expected real numbers in {name}; got {why or type(value).__name__}")
    return array.astype(np.float64)


def _float(value: Any) -> float:
    return float(value.item() if hasattr(value, "item") else value)


def _column(name: str, value: Any) -> Floats:
    array = _numbers(name, value)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not 1 <= len(array) <= _MOST_POINTS or not np.isfinite(array).all():
        raise ValueError(
            f"FitAndBowl expected {name} of shape (N,) or (N, 1), 1 to {_MOST_POINTS} finite numbers; "
            f"got shape {array.shape}"
        )
    return array
