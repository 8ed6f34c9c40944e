"""Figures of landscapes and decision boundaries in matplotlib."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbtorch_widgets.landscape.picture import categories, shades

MARKERS = ("o", "s", "^", "D", "P", "v")


def pyplot(what: str) -> Any:
    """`matplotlib.pyplot`, or an error that says what to install."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{what}.plot() needs matplotlib, which isn't installed. Install it with: pip install matplotlib"
        ) from error
    return plt


def landscape_figure(landscape: Any) -> Any:
    """The map of a `Landscape` with its paths, and the losses over steps beside it where there are some."""
    plt = pyplot("Landscape")
    history = landscape.history
    meta = landscape.meta
    paths = history["paths"]
    figure, axes = plt.subplots(1, 2 if paths else 1, figsize=(10, 4.2) if paths else (6, 4.6), squeeze=False)
    plane = axes[0][0]
    shade = shades(history["grid"], landscape.log_scale)
    plane.contourf(history["x"], history["y"], np.ma.masked_invalid(shade), levels=14, cmap="viridis_r", alpha=0.5)
    plane.contour(
        history["x"], history["y"], np.ma.masked_invalid(shade), levels=14, colors="k", alpha=0.2, linewidths=0.7
    )
    for index, (label, points) in enumerate(paths.items()):
        look = {"color": categories("light")[index % 7], "marker": MARKERS[index % 6]}
        plane.plot(points[:, 0], points[:, 1], markersize=3, linewidth=1.5, label=label, **look)
        axes[0][1].plot(history["losses"][label], linewidth=1.5, color=look["color"], label=label)
    plane.set_xlim(*meta["x"])
    plane.set_ylim(*meta["y"])
    plane.set_xlabel(meta["labels"][0])
    plane.set_ylabel(meta["labels"][1])
    plane.set_title(f"Loss landscape · {meta['title']}")
    if paths:
        axes[0][1].set_xlabel("step")
        axes[0][1].set_ylabel("loss")
        axes[0][1].set_yscale("symlog", linthresh=1e-3)
        axes[0][1].legend()
    figure.tight_layout()
    plt.close(figure)
    return figure


def boundary_figure(history: dict[str, Any], points: Any, numbers: Any, names: Any, features: Any) -> Any:
    """The regions of a model's classes, fainter where it is less sure, and the data on them."""
    plt = pyplot("DecisionBoundary")
    figure, axes = plt.subplots(figsize=(6, 4.8))
    colours = categories("light")
    levels = np.arange(len(names) + 1) - 0.5
    fills = [colours[k % 7] for k in range(len(names))]
    axes.contourf(history["x"], history["y"], history["classes"], levels=levels, colors=fills, alpha=0.3)
    for number, name in enumerate(names):
        chosen = points[numbers == number]
        axes.scatter(*chosen.T, color=fills[number], marker=MARKERS[number % 6], edgecolor="white", label=name)
    axes.set_xlabel(features[0])
    axes.set_ylabel(features[1])
    axes.set_title("Decision boundary")
    axes.legend()
    figure.tight_layout()
    plt.close(figure)
    return figure
