"""`Ridgelines`: histograms over time of gradients, weights or activations, with dead and saturated units counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import numpy as np
import traitlets

from nbtorch_widgets.feed import Feed
from nbtorch_widgets.histograms import KINDS, Histograms, HistogramsFeed, Kind, Units
from nbtorch_widgets.plotting import figure
from nbtorch_widgets.svg import PAD, WIDTH, Canvas, fit, levels, palette, rules
from nbtorch_widgets.views import RunView

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RIDGES = 12  # of a facet in a still picture
_FACETS = 12
_RISE = 3.0  # how many ridges' distances the highest one is high


class Ridgelines(RunView):
    """One facet a tensor: its histogram at every sampled step, older ones behind newer, the roots of counts as heights.

    Of layers whose class is called ReLU, Tanh or Sigmoid, or ends so, units are counted over the recent samples: dead
    ones, whose outputs are all zero; saturated ones, more than half of whose outputs are beyond 0.97 (tanh), or outside
    0.03 to 0.97 (sigmoid). Activations are seen where a module without submodules returns them; a function such as
    `torch.relu(x)` can't be seen. Tensors of more than 262,144 elements are sampled evenly.

    Args:
        run: what `watch` returned.
        show: "gradients", "weights" or "activations". Without it activations, if the model has layers to count, else
            gradients.
        names: which parameters or layers; by default all, or twelve where there are more.
    """

    kind = traitlets.Unicode("ridgelines").tag(sync=True)
    feeds: ClassVar[tuple[type[Feed], ...]] = (HistogramsFeed,)
    always: ClassVar[tuple[str, ...]] = ("histograms",)

    def __init__(self, run: Any, show: Kind | None = None, names: Sequence[str] | None = None) -> None:
        if show is not None and show not in KINDS:
            raise ValueError(f"Ridgelines expected show to be one of {', '.join(get_args(Kind))}; got {show!r}")
        if isinstance(names, str):
            names = [names]
        if names is not None and show in ("gradients", "weights"):
            known = list(getattr(getattr(run, "telemetry", run), "names", ()))
            missing = [name for name in names if known and name not in known]
            if missing:
                raise ValueError(f"Ridgelines expected names of parameters, such as {known[0]!r}; got {missing[0]!r}")
        super().__init__(run)
        self._feed.pick(show, names)
        if self.saved:  # made after the run
            self.settle()

    @property
    def _feed(self) -> HistogramsFeed:
        feed = self._feeds["histograms"]
        assert isinstance(feed, HistogramsFeed)
        return feed

    @property
    def history(self) -> dict[str, Histograms]:
        """For each tensor shown: steps [R], counts [R, 64], ranges [R, 2] and odd [R]."""
        probe = self._feed.probe
        return {name: probe.histograms((kind, name)) for kind, name in probe.items(self._feed)}

    @property
    def units(self) -> dict[str, Units]:
        """For each layer shown whose units are counted: the share of each unit's outputs, and how many are bad."""
        probe = self._feed.probe
        found = {name: probe.units(name) for kind, name in probe.items(self._feed) if kind == "activations"}
        return {name: units for name, units in found.items() if units is not None}

    def _overview(self) -> dict[str, Histograms]:
        probe = self._feed.probe
        items = probe.items(self._feed)
        rows = {name: probe.histograms((kind, name), overview=True) for kind, name in items}
        return {name: each for name, each in rows.items() if len(each.steps)}

    @property
    def has_picture(self) -> bool:
        return bool(self._overview())

    def __repr__(self) -> str:
        count = len(self._overview())
        bad = [f"{name}: {u.bad} of {len(u.share)} units {u.kind}" for name, u in self.units.items() if u.bad]
        parts = [f"{self._feed.show} of {count} tensor{'s' if count != 1 else ''}", self.telemetry.summary(), *bad[:3]]
        return f"Ridgelines({', '.join(parts)})"

    def to_svg(self) -> str:
        return ridgelines_svg(self._feed.show, self._overview(), self.units)

    def plot(self) -> Figure:
        """The histograms as a matplotlib figure, a facet a tensor."""
        shown = {name: rows for name, rows in self.history.items() if len(rows.steps)}
        columns = min(3, max(1, len(shown)))
        lines = -(-max(1, len(shown)) // columns)
        drawn, axes = figure(7.2, 2.4 * lines, nrows=lines, ncols=columns, squeeze=False)
        for place in axes.flat[len(shown) :]:
            place.set_axis_off()
        for place, (name, rows) in zip(axes.flat, shown.items(), strict=False):
            chosen = _ridges(rows, 24)
            for depth, row in enumerate(chosen):
                low, high = rows.ranges[row].astype(float)
                edges = np.linspace(low, high, 65) if high > low else np.linspace(low - 0.5, low + 0.5, 65)
                height = np.sqrt(rows.counts[row] / max(1, rows.counts[row].max())) * _RISE
                base = len(chosen) - depth
                place.fill_between(
                    (edges[1:] + edges[:-1]) / 2, base, base + height, zorder=depth, facecolor="w", edgecolor="C0"
                )
            place.set_title(name, fontsize="small")
            place.set_yticks([])
        return drawn


def _ridges(rows: Histograms, most: int) -> list[int]:
    """At most so many rows that have finite values, evenly chosen, oldest first."""
    known = np.flatnonzero(~np.isnan(rows.ranges[:, 0]))
    if len(known) > most:
        known = known[np.linspace(0, len(known) - 1, most).round().astype(int)]
    return [int(row) for row in known]


def ridgelines_svg(show: str, shown: dict[str, Histograms], units: dict[str, Units]) -> str:
    """Facets in three columns; the newest ridge in front."""
    magnitudes = palette()
    canvas = Canvas(
        rules("h", levels(magnitudes["light"][3:], _RIDGES), levels(magnitudes["dark"][3:], _RIDGES))
        + ".k{stroke:#fff;stroke-width:1}@media(prefers-color-scheme:dark){.k{stroke:#1c1f23}}"
    )
    canvas.text(PAD, PAD + 12, show.capitalize(), "t b")
    canvas.text(PAD + 9 * len(show), PAD + 12, "by step, the newest in front; height √count", "m")
    top = PAD + 28
    columns = min(3, max(1, len(shown)))
    gap, height = 20, 92
    width = (WIDTH - 2 * PAD - (columns - 1) * gap) / columns
    for index, (name, rows) in enumerate(list(shown.items())[:_FACETS]):
        x = PAD + index % columns * (width + gap)
        y = top + index // columns * (height + 52)
        canvas.text(x, y + 10, fit(name, int(width / 6.7)), "t l")
        counted = units.get(name)
        if counted is not None:
            said = f"{counted.bad} of {len(counted.share)} units {counted.kind}"
            canvas.text(x, y + 24, said, "t" if counted.bad else "m")
        _facet(canvas, rows, x, y + 28, width, height)
    lines = -(-min(len(shown), _FACETS) // columns)
    bottom = top + lines * (height + 52)
    if len(shown) > _FACETS:
        canvas.text(PAD, bottom + 4, f"and {len(shown) - _FACETS} more", "m")
        bottom += 14
    canvas.height = bottom - 4
    return canvas.render(f"Histograms of {show}: {', '.join(list(shown)[:_FACETS])}")


def _facet(canvas: Canvas, rows: Histograms, x: float, y: float, width: float, height: float) -> None:
    chosen = _ridges(rows, _RIDGES)
    if not chosen:
        canvas.text(x, y + height / 2, "no finite values", "m")
        return
    low, high = float(rows.ranges[chosen, 0].min()), float(rows.ranges[chosen, 1].max())
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    distance = height / (len(chosen) + _RISE)
    for depth, row in enumerate(chosen):
        first, last = (float(end) for end in rows.ranges[row])
        base = y + (depth + 1 + _RISE) * distance
        counts = rows.counts[row].astype(float)
        # 32 points are enough, and whole pixels hide what a machine's last bits change.
        counts = counts.reshape(32, 2).sum(axis=1)
        at = np.linspace(first, last, 33)
        middle = (at[1:] + at[:-1]) / 2 if last > first else np.full(32, first)
        xs = x + np.round((middle - low) / (high - low) * width)
        ys = base - np.round(np.sqrt(counts / max(1.0, counts.max())) * _RISE * distance)
        points = " ".join(f"{a:.0f},{b:.0f}" for a, b in zip(xs, ys, strict=True))
        canvas.add(
            f'<polygon points="{xs[0]:.0f},{base:.0f} {points} {xs[-1]:.0f},{base:.0f}" '
            f'class="h{depth + _RIDGES - len(chosen)} k"/>'
        )
    canvas.text(x, y + height + 14, _short(low), "m")
    canvas.text(x + width, y + height + 14, _short(high), "m e")


def _short(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")
