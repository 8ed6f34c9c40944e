"""Draws the sweeps: above, the time of a step under both libraries; below, the ratio of the two."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from sweep import SWEEPS

OURS, THEIRS, INK, FAINT, GOOD = "#1763c6", "#d9541e", "#24292f", "#d8dee4", "#eaf3ff"
STYLE = {
    "font.family": "DejaVu Sans", "font.size": 9, "text.color": INK, "axes.labelcolor": INK, "axes.titlecolor": INK,
    "axes.edgecolor": FAINT, "xtick.color": INK, "ytick.color": INK, "xtick.labelsize": 8, "ytick.labelsize": 8,
}  # fmt: skip


def medians(row: dict[str, Any]) -> list[tuple[int, float, float, float]]:
    """For each point of a sweep: its size, our microseconds, theirs, and the ratio; medians over the rounds."""
    table = []
    for i, point in enumerate(row["points"]):
        ours, theirs = [r[i] for r in row["ours"]], [r[i] for r in row["theirs"]]
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        table.append((point, statistics.median(ours), statistics.median(theirs), ratio))
    return table


def draw(found: dict[str, Any], path: Path) -> None:
    """Writes the figure of what ``sweep.measure`` found; the suffix of ``path`` chooses the format."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            2, len(found), sharex="col", sharey="row", squeeze=False, figsize=(2.35 * len(found) + 0.6, 4.5),
            gridspec_kw={"height_ratios": [3, 2], "hspace": 0.12, "wspace": 0.1},
        )  # fmt: skip
        every = []
        for (name, row), time, ratio in zip(found.items(), axes[0], axes[1], strict=True):
            points = list(row["points"])
            ratios = [[a / b for a, b in zip(x, y, strict=True)]
                      for x, y in zip(row["ours"], row["theirs"], strict=True)]  # fmt: skip
            every += [r for one in ratios for r in one]
            _plain(time)
            _plain(ratio)
            _line(time, points, row["theirs"], THEIRS)
            _line(time, points, row["ours"], OURS)
            ratio.axhspan(0.01, 1, color=GOOD, lw=0)
            ratio.axhline(1, color=INK, lw=0.8)
            _line(ratio, points, ratios, OURS)
            time.set_title(SWEEPS[name].title, fontsize=9, pad=7)
            ratio.set_xlabel(SWEEPS[name].axis)
            shown = points if len(points) <= 6 else points[:: 2 if len(points) % 2 else 3]
            ratio.set_xticks(shown, [str(p) for p in shown])
            ratio.margins(x=0.07)
        time, ratio = axes[0][0], axes[1][0]
        time.yaxis.set_major_formatter(lambda us, _: _time(us))
        time.set_ylabel("time of a step")
        for height, name, colour in ((0.9, "PyTorch", THEIRS), (0.8, "nbtorch", OURS)):
            time.text(0.05, height, name, transform=time.transAxes, color=colour, fontweight="bold",
                      bbox={"facecolor": "white", "lw": 0, "pad": 1.5})  # fmt: skip
        ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10) if min(every) / 1.3 <= t <= max(every) * 1.3 or t == 1]
        ratio.set_yticks(ticks, [f"{t:g}" for t in ticks])
        ratio.set_ylim(min([*every, 0.5]) / 1.25, max([*every, 1.5]) * 1.15)
        ratio.set_ylabel("nbtorch / PyTorch")
        ratio.text(0.05, 0.06, "nbtorch is faster", transform=ratio.transAxes, fontsize=7.5, color=OURS)
        figure.align_ylabels(axes[:, 0])
        same_bytes = {"metadata": {"Software": None}} if path.suffix == ".png" else {}
        figure.savefig(path, dpi=160, bbox_inches="tight", facecolor="white", **same_bytes)
        plt.close(figure)


def _plain(axis: Any) -> None:
    """Logarithmic both ways, with no more ink than it takes to read it."""
    from matplotlib.ticker import NullLocator

    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.grid(axis="y", color=FAINT, lw=0.6)
    axis.set_axisbelow(True)
    axis.tick_params(length=0, pad=3)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_minor_locator(NullLocator())


def _line(axis: Any, points: list[int], rounds: list[list[float]], colour: str) -> None:
    """The median over the rounds, and behind it the least to the greatest."""
    each = list(zip(*rounds, strict=True))
    axis.fill_between(points, [min(r) for r in each], [max(r) for r in each], color=colour, alpha=0.18, lw=0)
    axis.plot(points, [statistics.median(r) for r in each], color=colour, lw=1.8, marker="o", ms=3.2, mec="white",
              mew=0.6)  # fmt: skip


def _time(us: float) -> str:
    return f"{us:g} µs" if us < 1e3 else f"{us / 1e3:g} ms" if us < 1e6 else f"{us / 1e6:g} s"
