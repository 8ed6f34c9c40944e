"""What the examples share and what is not about learning: the command line, the look of the figures, the digits."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure

from nbtorch import datasets

INK, GREY, PAPER = "#22272e", "#8b939c", "#ffffff"
BLUE, ORANGE, GREEN, RED = "#2f6fb7", "#e07b39", "#3a9a78", "#c4506a"

plt.rcParams.update({
    "figure.facecolor": PAPER, "figure.dpi": 110, "figure.constrained_layout.use": True,
    "font.size": 10, "text.color": INK, "axes.labelcolor": INK,
    "axes.titlesize": 11, "axes.titlelocation": "left", "axes.titleweight": "bold", "axes.titlepad": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": GREY,
    "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, RED]),
    "xtick.color": GREY, "ytick.color": GREY, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "lines.linewidth": 1.8, "legend.frameon": False, "image.cmap": "gray_r",
})  # fmt: skip


def arguments(description: str | None, **amount: int) -> argparse.Namespace:
    """The command line that all examples have: how long, which seed, where to compute, where the picture goes.

    Args:
        description: the script's docstring, shown by ``--help``.
        amount: the name and default of the option that says how long to train: ``epochs=30`` or ``steps=1000``.
    """
    script = Path(sys.argv[0])
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for unit, default in amount.items():
        parser.add_argument(f"--{unit}", type=int, default=default, help=f"how long to train (default {default})")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (default 0)")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--figure", type=Path, default=Path(script.stem + ".png"), help="the picture to write")
    parser.add_argument("--log", type=Path, help="a JSON file for the loss of every step, to compare runs")
    return parser.parse_args()


def digits(split: str, *, flat: bool = True) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Images, ``(N, 64)`` or ``(N, 1, 8, 8)``, and labels, ``(N,)``, as NumPy arrays, which suit either torch."""
    images, labels = datasets.digits(split, flat=flat)
    return images.numpy(), labels.numpy()


def smooth(values: list[float], width: int) -> np.ndarray[Any, Any]:
    """The mean over a sliding window, so that a noisy curve shows where it goes."""
    width = max(1, min(width, len(values)))
    return np.convolve(values, np.full(width, 1 / width), mode="valid")


def show_image(axes: Any, image: Any, title: str = "", color: str = INK) -> None:
    """One small picture without ticks, dark ink on light paper, with a word above it."""
    axes.imshow(image, vmin=0, vmax=1)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(visible=True, color="#d5d9de")
    axes.set_title(title, color=color, loc="center", fontsize=9, fontweight="normal", pad=4)


def finish(args: argparse.Namespace, figure: Figure, losses: list[float], summary: str) -> None:
    """Prints the result, saves the figure and the losses, and shows the figure where somebody sits in front of it."""
    print(summary)
    figure.savefig(args.figure)
    print(f"figure: {args.figure}")
    if args.log:
        args.log.write_text(json.dumps(losses))
    if sys.stdout.isatty() or hasattr(sys, "ps1"):
        plt.show()
