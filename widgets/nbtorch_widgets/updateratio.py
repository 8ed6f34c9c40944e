"""`UpdateRatio`: how far each step moves each parameter, beside the rule of thumb, with a sentence of advice."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets

from nbtorch_widgets.feed import Feed
from nbtorch_widgets.plotting import figure
from nbtorch_widgets.svg import CHARACTER, MAX_ROWS, PAD, WIDTH, Canvas, fit, levels, palette, rules
from nbtorch_widgets.updates import BAND, GUIDE, Updates, UpdatesFeed, sentence
from nbtorch_widgets.views import RunView

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_REACH = 2  # decades from the guide to the ends of the colours
_LEVELS = 17  # a quarter of a decade each
_COLUMNS = 48
_LINES = 12  # parameters up to which a plot draws lines


class UpdateRatio(RunView):
    """log10(std(Δw) / std(w)) of every parameter over the steps, with the guide at -3 and the band around it.

    The rule of thumb is Andrej Karpathy's: a step should change weights by about a thousandth of their size ("makemore,
    part 3", in his lectures "Neural Networks: Zero to Hero"). `advice` says what the newest ratios mean and which
    learning rate would bring their median there. A click on a parameter selects it in all widgets of the run.

    Args:
        run: what `watch` returned.
    """

    kind = traitlets.Unicode("updateratio").tag(sync=True)
    feeds: ClassVar[tuple[type[Feed], ...]] = (UpdatesFeed,)
    always: ClassVar[tuple[str, ...]] = ("updates",)

    @property
    def _feed(self) -> UpdatesFeed:
        feed = self._feeds["updates"]
        assert isinstance(feed, UpdatesFeed)
        return feed

    @property
    def history(self) -> Updates:
        """What was measured: steps [R], weight, update and ratio [R, P]; R rows, P parameters, NaN where unknown."""
        return self._feed.probe.updates()

    @property
    def advice(self) -> str:
        """What the newest ratios say, in a sentence."""
        return sentence(self._feed.probe.advice(), self.telemetry.names)

    @property
    def has_picture(self) -> bool:
        return len(self._feed.probe.overview()) > 0

    def __repr__(self) -> str:
        count = len(self.telemetry.names)
        median = _overview_median(self._feed.probe.overview())
        said = "nothing measured" if median is None else f"median {median:.1f}"
        return f"UpdateRatio({count} parameter{'s' if count != 1 else ''}, {self.telemetry.summary()}, {said})"

    def to_svg(self) -> str:
        return ratio_svg(self.telemetry.names, self._feed.probe.overview(), self.advice)

    def plot(self) -> Figure:
        """The ratios as a matplotlib figure: lines, or strips where there are many parameters."""
        rows, names = self.history, self.telemetry.names
        drawn, axes = figure(7.2, 3.6)
        logs = _logs(rows)
        if len(names) <= _LINES:
            axes.axhspan(*BAND, color="0.5", alpha=0.15, label="within a factor of 10")
            axes.axhline(GUIDE, color="0.3", linestyle="--", linewidth=1, label="rule of thumb")
            for name, column in zip(names, logs.T, strict=True):
                if np.isfinite(column).any():
                    axes.plot(rows.steps, np.where(np.isfinite(column), column, np.nan), label=name, linewidth=1.2)
            axes.set_ylabel("log10(std Δw / std w)")
            axes.legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1.01, 1))
        else:
            image = axes.pcolormesh(
                rows.steps if len(rows) else [0],
                np.arange(len(names)),
                logs.T if len(rows) else np.full((len(names), 1), np.nan),
                cmap="PuOr_r",
                vmin=GUIDE - _REACH,
                vmax=GUIDE + _REACH,
                shading="nearest",
            )
            axes.invert_yaxis()
            axes.set_yticks(np.arange(len(names)), names, fontsize="x-small")
            drawn.colorbar(image, ax=axes, label="log10(std Δw / std w)")
        axes.set_xlabel("step")
        return drawn


def _logs(rows: Updates) -> Any:
    """[R, P]: NaN where the ratio is zero or unknown."""
    known = rows.ratio > 0
    return np.log10(rows.ratio, where=known, out=np.full(rows.ratio.shape, np.nan, np.float32)).astype(float)


def _overview_median(rows: Updates) -> float | None:
    """The median over all known ratios, in one decimal."""
    logs = _logs(rows)
    known = logs[np.isfinite(logs)]
    return round(float(np.median(known)), 1) + 0.0 if known.size else None


def ratio_svg(names: list[str], rows: Updates, advice: str) -> str:
    """A strip a parameter, blue where it moves too slowly, orange where too fast, with the last ratio beside it."""
    canvas = Canvas(_style())
    canvas.height = PAD
    canvas.text(PAD, PAD + 12, "Update ratio", "t b")
    canvas.text(PAD + 92, PAD + 12, "log₁₀(std Δw / std w)", "m")
    top = PAD + 24
    for line in textwrap.wrap(advice, 104):
        canvas.text(PAD, top + 12, line, "t")
        top += 18
    top += 8
    if len(rows) > _COLUMNS:
        chosen = np.linspace(0, len(rows) - 1, _COLUMNS).round().astype(int)
        rows = Updates(*(column[chosen] for column in rows))
    logs = _logs(rows)
    shown = min(len(names), MAX_ROWS)
    row = 18 if shown <= 16 else 13
    characters = min(32, max(map(len, names), default=0))
    left = math.ceil(PAD + characters * CHARACTER + 10)
    width = WIDTH - PAD - 48 - left
    canvas.rect(left, top, width, shown * row, 'class="g" rx="3"')
    cell = width / max(1, len(rows))
    for index in range(shown):
        y = top + index * row
        canvas.text(left - 10, y + row / 2 + 4, fit(names[index], characters), "t l e")
        column = logs[:, index]
        marks = np.where(np.isfinite(column), np.floor((column - GUIDE) * 4 + _LEVELS / 2), -1)
        marks = np.where(np.isfinite(column), np.clip(marks, 0, _LEVELS - 1), -1).astype(int).tolist()
        first = 0
        for last in range(1, len(marks) + 1):
            if last == len(marks) or marks[last] != marks[first]:
                # Whole pixels, so that neighbours leave no seam.
                x, end = left + round(first * cell), left + round(last * cell)
                if marks[first] >= 0:
                    canvas.rect(x, y + 0.5, end - x, row - 1, f'class="r{marks[first]}"')
                first = last
        if len(rows):
            canvas.text(WIDTH - PAD, y + row / 2 + 4, _mark(float(column[-1]), float(rows.ratio[-1, index])), "m l e")
    bottom = top + shown * row
    if len(names) > shown:
        canvas.text(left, bottom + 14, f"and {len(names) - shown} more parameters", "m")
        bottom += 16
    y = bottom + 18
    if len(rows):
        canvas.text(left, y, f"step {int(rows.steps[0])} to {int(rows.steps[-1])}", "m")
    ramp = left + width - 150
    for level in range(_LEVELS):
        canvas.rect(ramp + level * 6, y - 9, 6, 9, f'class="r{level}"')
    canvas.text(ramp - 6, y, "too slow −5", "m e")
    canvas.text(ramp + 6 * _LEVELS + 6, y, "−1 too fast", "m")
    canvas.height = y + 8
    return canvas.render(f"Update ratios. {advice}")


def _mark(log: float, ratio: float) -> str:
    if not math.isfinite(log):
        return "0" if ratio == 0 else "–"
    arrow = "▲ " if log > BAND[1] else "▼ " if log < BAND[0] else ""
    return arrow + f"{log:.1f}".replace("-", "−")


def _style() -> str:
    diverging = palette()["diverging"]
    return rules("r", levels(diverging["light"], _LEVELS), levels(diverging["dark"], _LEVELS))
