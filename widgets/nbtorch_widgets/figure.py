"""A run as a Matplotlib figure, for papers and slides."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np

from nbtorch_widgets.gradients import INF, NAN, NO_GRAD, ZERO
from nbtorch_widgets.telemetry import Telemetry

_ROWS = 64  # names that an axis can carry


def pyplot() -> Any:
    """`matplotlib.pyplot`, or an error that says what to install."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("plot() needs Matplotlib. Install it with: pip install matplotlib") from error
    return plt


def run_figure(telemetry: Telemetry, *, loss: bool, gradients: bool) -> Any:
    """The loss over the steps, below it the gradient norms as a heat map; a `matplotlib.figure.Figure`."""
    plt = pyplot()
    rows = telemetry.rows().lineage(telemetry.all_branches())
    names = telemetry.names
    height = 0.24 * min(len(names), _ROWS) + 0.8
    heights = [2.0] * loss + [max(1.6, height)] * gradients
    figure, grid = plt.subplots(
        len(heights),
        1,
        figsize=(9, sum(heights)),
        height_ratios=heights,
        squeeze=False,
        sharex=True,
        layout="constrained",
    )
    axes = list(grid[:, 0])
    if loss:
        known = np.isfinite(rows.loss)
        axes[0].plot(rows.steps[known], rows.loss[known], color="#1769aa", linewidth=1.4)
        axes[0].set_ylabel(telemetry.loss_name)
        axes[0].spines[["top", "right"]].set_visible(False)
    if gradients and len(rows):
        _heat_map(plt, figure, axes[-1], rows, names)
    axes[-1].set_xlabel("step")
    plt.close(figure)  # the caller shows it: a notebook would otherwise show it twice
    return figure


def _heat_map(plt: Any, figure: Any, axes: Any, rows: Any, names: list[str]) -> None:
    from matplotlib.colors import LinearSegmentedColormap, LogNorm

    palette = json.loads((pathlib.Path(__file__).parent / "palette.json").read_text(encoding="utf-8"))
    colours = LinearSegmentedColormap.from_list("nbtorch", palette["light"])
    ordinary = ((rows.flags & (NAN | INF | ZERO | NO_GRAD)) == 0) & (rows.norms > 0)
    norms = np.ma.masked_array(rows.norms, ~ordinary).T
    edges = np.append(rows.steps, rows.steps[-1] + 1).astype(float) - 0.5
    scale = LogNorm(norms.min(), norms.max()) if ordinary.any() and norms.min() < norms.max() else None
    axes.set_facecolor("#eceff2")
    image = axes.pcolormesh(edges, np.arange(len(names) + 1) - 0.5, norms, cmap=colours, norm=scale, rasterized=True)
    broken = (rows.flags & (NAN | INF)) != 0
    if broken.any():
        mask = np.ma.masked_array(np.ones(norms.shape), ~broken.T)
        axes.pcolor(
            edges,
            np.arange(len(names) + 1) - 0.5,
            mask,
            hatch="////",
            facecolor="none",
            edgecolor="#c62828",
            linewidth=0,
        )
    axes.set_ylim(len(names) - 0.5, -0.5)
    every = -(-len(names) // _ROWS)
    shown = list(range(0, len(names), every))
    # A dollar sign would begin a formula.
    axes.set_yticks(shown, [names[i].replace("$", r"\$") for i in shown], fontfamily="monospace", fontsize=8)
    axes.tick_params(axis="y", length=0)
    if ordinary.any():
        figure.colorbar(image, ax=axes, label="gradient norm", pad=0.01, aspect=30)
