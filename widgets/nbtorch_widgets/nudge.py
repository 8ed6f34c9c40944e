"""`Nudge`: a slope measured by moving the input a little, and how far off it is for every size of the nudge."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from nbtorch_widgets import frames
from nbtorch_widgets.frames import Frame, around
from nbtorch_widgets.svg import PAD, Canvas
from nbtorch_widgets.widget import NotebookWidget

Floats = npt.NDArray[np.float64]

#: What is measured: to one side, to both, to both in 32 bits.
METHODS = {"one": "one side", "both": "both sides", "both32": "both sides, 32 bits"}
#: The sizes of the nudge whose errors are drawn; the slider's ends and stops too.
STEPS: Floats = 10.0 ** np.arange(-16, 0.1, 0.5)
_FLOOR = 1e-13  # errors below it are drawn there
_SAMPLES = 201
_STYLE = (
    f"{frames.STYLE}.r{{fill:none;stroke:#b45309;stroke-width:1.5;stroke-dasharray:6 3}}.v{{opacity:.45}}"
    ".c{fill:none;stroke:#59636e;stroke-width:1.5}"
    "@media(prefers-color-scheme:dark){.r{stroke:#f0b35e}.c{stroke:#9aa4af}}"
)
_KOREAN = {
    "the curve and the line through the nudged points": "곡선과, 민 점을 지나는 직선",
    "error of the slope for each h": "h에 따른 기울기의 오차",
    "one side": "한쪽",
    "both sides": "양쪽",
    "both sides, 32 bits": "양쪽, 32비트",
}


class Nudge(NotebookWidget):
    """Left a curve with the line through two points of it, right the error of that line's slope for each distance.

        Nudge(f, x=2.0)
        Nudge(f, x=2.0, rule=lambda x: 3 * x**2)    # a claimed derivative: drawn as the tangent, and compared

    The point is dragged along the curve, or moved with the arrow keys; a slider goes over the sizes of the nudge, 1 to
    1e-16; buttons choose one side, (f(x + h) - f(x)) / h, or both, (f(x + h) - f(x - h)) / 2h, in 64 or 32 bits. The
    kernel computes each slope with the function itself.

    Args:
        f: takes a NumPy number, gives a number or a tensor of one element.
        x: where the slope is measured at first.
        h: the size of the nudge at first, 1e-16 to 1.
        method: "one", "both" or "both32".
        rule: the derivative that somebody claims. Without one, slopes are compared with an extrapolation to h = 0.
        span: the part of the x axis that is shown; two to each side of x, if it is left out.

    Raises:
        TypeError: f isn't callable, or doesn't give a number at x.
        ValueError: x, h, method or span are out of range, or f(x) is not finite.
    """

    kind = traitlets.Unicode("nudge").tag(sync=True)
    curve = traitlets.Dict().tag(sync=True)
    #: What the reader asks for: {"x", "h", "method"}.
    wish = traitlets.Dict().tag(sync=True)
    #: The kernel's answer to it.
    measured = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        f: Callable[[Any], Any],
        x: float = 1.0,
        h: float = 0.5,
        method: str = "one",
        *,
        rule: Callable[[Any], Any] | None = None,
        span: tuple[float, float] | None = None,
        language: str | None = None,
    ) -> None:
        for name, value in (("f", f), ("rule", rule)):
            if not callable(value) and (name == "f" or value is not None):
                raise TypeError(f"Nudge expected {name} to be a function of one number; got {type(value).__name__}")
        self.x, self.h, self.method = _within("x", x, -1e6, 1e6), _within("h", h, STEPS[0], STEPS[-1]), method
        if method not in METHODS:
            raise ValueError(f"Nudge expected one of the methods {', '.join(METHODS)}; got {method!r}")
        self.f, self.rule = f, rule
        if not math.isfinite(_number(f(np.float64(self.x)))):
            raise ValueError(f"Nudge expected a finite f(x); f({self.x:g}) is {_number(f(np.float64(self.x)))}")
        low, high = span or (self.x - 2, self.x + 2)
        if not (math.isfinite(high - low) and low < high and low <= self.x <= high):
            raise ValueError(
                f"Nudge expected span to be two numbers around x = {self.x:g}, the lesser first; got {span}"
            )
        self._xs: Floats = np.linspace(low, high, _SAMPLES)
        self._ys: Floats = np.array([self._at(x) for x in self._xs])
        super().__init__(**({} if language is None else {"language": language}))
        self.curve = {"x": self._xs.tolist(), "y": _plain(self._ys), "ruled": rule is not None}
        self._measure()
        self.wish = {"x": self.x, "h": self.h, "method": method}
        self.observe(self._wished, "wish")

    def slope(self, h: float, method: str = "both") -> float:
        """The slope at x by a nudge of h; NaN where f can't be computed."""
        kind = np.float32 if method == "both32" else np.float64
        x, step = kind(self.x), kind(h)
        with np.errstate(all="ignore"):
            if method == "one":
                return (self._at(x + step) - self._at(x)) / float(step)
            return (self._at(x + step) - self._at(x - step)) / float(2 * step)

    @property
    def expected(self) -> float:
        """The claimed derivative at x, or else the slopes of four sizes of h, extrapolated to 0 (Richardson)."""
        if self.rule is not None:
            return _number(self.rule(np.float64(self.x)))
        row = [self.slope(0.02 / 2**k) for k in range(4)]
        for order in (4, 16, 64):
            row = [(order * fine - coarse) / (order - 1) for coarse, fine in itertools.pairwise(row)]
        return row[0]

    @property
    def history(self) -> Floats:
        """The error of every method (`METHODS`) for each h, shape (33, 4): h, one, both, both32."""
        truth = self.expected
        return np.array([[h, *(abs(self.slope(h, method) - truth) for method in METHODS)] for h in STEPS])

    def _at(self, x: Any) -> float:
        """f(x); NaN where f has no value."""
        with np.errstate(all="ignore"), contextlib.suppress(ArithmeticError, ValueError):
            return _number(self.f(x))
        return math.nan

    def _wished(self, change: Any) -> None:
        """Measure at the place that the page asks for; what makes no sense stays as it was."""
        wish: Mapping[str, Any] = change["new"]
        with contextlib.suppress(TypeError, ValueError, KeyError):
            x = _within("x", wish["x"], self._xs[0], self._xs[-1])
            h = _within("h", wish["h"], STEPS[0], STEPS[-1])
            if wish["method"] in METHODS:
                self.x, self.h, self.method = x, h, wish["method"]
                self._measure()

    def _measure(self) -> None:
        errors = self.history
        self.measured = {
            "x": self.x,
            "h": self.h,
            "method": self.method,
            "slope": _plain(self.slope(self.h, self.method)),
            "expected": _plain(self.expected),
            "steps": STEPS.tolist(),
            "errors": {method: _plain(errors[:, i + 1]) for i, method in enumerate(METHODS)},
        }

    def __repr__(self) -> str:
        slope, expected = self.slope(self.h, self.method), self.expected
        word = "rule" if self.rule is not None else "extrapolated"
        return (
            f"Nudge(x = {self.x:g}, h = {self.h:.1g}, {METHODS[self.method]}: slope {slope:.5g}, {word} "
            f"{expected:.5g}, error {abs(slope - expected):.2g})"
        )

    def to_svg(self) -> str:
        canvas = Canvas(_STYLE, self.language)
        say = _KOREAN if canvas.say("ready") != "ready" else {}
        title, other = list(_KOREAN)[:2]
        seen = self._ys[np.isfinite(self._ys)]
        left = Frame(canvas, PAD, say.get(title, title), (self._xs[0], self._xs[-1]), around(seen))
        pairs = np.stack([self._xs, self._ys], 1)
        left.line(pairs[np.isfinite(self._ys)], "c")
        at = self._at(self.x)
        first = self.x if self.method == "one" else self.x - self.h
        base, slope = self._at(first), self.slope(self.h, self.method)
        if self.rule is not None:
            left.line([(x, at + self.expected * (x - self.x)) for x in self._xs], "r")
        if math.isfinite(slope):
            left.line([(x, base + slope * (x - first)) for x in self._xs], "u")
        left.dot(self.x, at, 5, "p")
        for x in {first, self.x + self.h} - {self.x}:
            left.dot(x, self._at(x), 4, "d")
        errors = self.history
        logs = np.log10(np.clip(errors, [1e-16, *[_FLOOR] * len(METHODS)], 1e6))
        ends = (-16.3, 0.3), (math.log10(_FLOOR) - 0.4, max(1.0, float(np.nanmax(logs[:, 1:], initial=1.0)) + 0.4))
        right = Frame(canvas, PAD + frames.WIDE + frames.GAP, say.get(other, other), *ends, lambda v: f"1e{v:.0f}")
        for i, method in enumerate(METHODS):
            known = np.isfinite(errors[:, i + 1])
            where = logs[known][:, [0, i + 1]]
            right.line(where, f"{_LINES[method]}{'' if method == self.method else ' v'}")
            if method == self.method:
                error = min(max(abs(slope - self.expected), _FLOOR), 1e6) if math.isfinite(slope) else _FLOOR
                right.dot(math.log10(self.h), math.log10(error), 5, "d")
        canvas.height = PAD + frames.HIGH + 40
        legend = "  ".join(f"{_SIGNS[method]} {say.get(text, text)}" for method, text in METHODS.items())
        canvas.text(PAD + frames.WIDE + frames.GAP, canvas.height - 8, legend, "m l")
        canvas.height += 14
        canvas.text(PAD, canvas.height + 2, repr(self)[6:-1], "t l")
        return canvas.render(repr(self))

    def plot(self) -> Any:
        """The curve with the line, and the errors, as a figure of Matplotlib."""
        from nbtorch_widgets import plotting

        figure, (left, right) = plotting.figure(9, 3.6, ncols=2)
        left.plot(self._xs, self._ys)
        left.axline((self.x, self._at(self.x)), slope=self.slope(self.h, self.method), linestyle="--")
        left.set(xlabel="x", ylabel="f(x)")
        for i, text in enumerate(METHODS.values()):
            right.loglog(STEPS, np.maximum(self.history[:, i + 1], _FLOOR), ".-", label=text)
        right.set(xlabel="h", ylabel="error of the slope")
        right.legend(frameon=False)
        return figure


_LINES = {"one": "r", "both": "u", "both32": "o"}
_SIGNS = {"one": "╌╌", "both": "──", "both32": "┈┈"}


def _number(value: Any) -> float:
    """A number or a tensor of one element as a float."""
    try:
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"Nudge expected f to give one number; got {type(value).__name__}: {error}") from error


def _within(name: str, value: Any, low: float, high: float) -> float:
    number = float(value)
    if not low * (1 - 1e-12 * math.copysign(1, low)) <= number <= high * (1 + 1e-12 * math.copysign(1, high)):
        raise ValueError(f"Nudge expected {name} from {low:g} to {high:g}; got {value!r}")
    return number


def _plain(value: Any) -> Any:
    """The numbers as JSON has them: None for what is not finite."""
    if isinstance(value, np.ndarray):
        return [_plain(float(v)) for v in value]
    return value if math.isfinite(value) else None
