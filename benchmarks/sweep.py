"""How the time of a step grows with the size of the work, beside PyTorch's, as a figure.

Usage: python benchmarks/sweep.py [NAMES] [--rounds N] [--quick] [--figure sweeps.png]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from workloads import Step, chained_layers, classifier, images, transformer


def _width(torch: Any, width: int) -> Step:
    return classifier(torch, [width, width, width, 10], 64, lr=0.01)


def _batch(torch: Any, batch: int) -> Step:
    return classifier(torch, [64, 128, 128, 10], batch, "Adam", lr=1e-3)


def _depth(torch: Any, depth: int) -> Step:
    return chained_layers(torch, depth, width=16, batch=16)


def _sequence(torch: Any, length: int) -> Step:
    return transformer(torch, 1, 64, 4, length, 4)


def _image(torch: Any, side: int) -> Step:
    nn = torch.nn
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
              nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
              nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)]  # fmt: skip
    return images(torch, layers, (16, 3, side, side), lr=0.01)


class Sweep(NamedTuple):
    """One size that grows.

    Attributes:
        make: the workload at one size.
        title, axis: what the figure says above and below.
        points: the sizes; ``quick`` are few of them, for a look.
    """

    make: Callable[[Any, int], Step]
    title: str
    axis: str
    points: tuple[int, ...]

    @property
    def quick(self) -> tuple[int, ...]:
        return self.points[:: max(1, len(self.points) // 3)][:3]


SWEEPS = {
    "width": Sweep(_width, "MLP, two hidden layers", "width", (8, 16, 32, 64, 128, 256, 512, 1024, 2048)),
    "batch": Sweep(_batch, "MLP 64-128-128-10, Adam", "batch", (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)),
    "depth": Sweep(_depth, "deep MLP, width 16", "depth", (1, 3, 10, 30, 100, 300, 1000)),
    "sequence": Sweep(_sequence, "transformer block", "sequence", (16, 32, 64, 128, 256, 512)),
    "image": Sweep(_image, "convolutions, batch norm", "image side", (8, 12, 16, 24, 32, 48, 64)),
}


def measure(
    names: list[str], rounds: int, quick: bool = False, device: str = "cpu", threads: int = 1
) -> dict[str, Any]:
    """For each sweep its points, and for each round and library the microseconds at each point.

    Raises:
        SystemExit: where the libraries' losses differ.
    """
    from beside import ask_both, difference

    found: dict[str, Any] = {}
    for name in names:
        chosen = SWEEPS[name]
        row: dict[str, Any] = {"points": chosen.quick if quick else chosen.points, "ours": [], "theirs": []}
        for _ in range(rounds):
            ours, theirs = ask_both("sweep", device, threads, name=name, quick=quick)
            apart = difference(ours["losses"], theirs["losses"])
            if apart > 1e-3:
                sys.exit(f"the sweep of {name}: the losses differ by {apart:.2g}, so the times mean nothing")
            row["ours"].append(ours["us"])
            row["theirs"].append(theirs["us"])
        found[name] = row
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"which sweeps: {', '.join(SWEEPS)} (all unless given)")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of measurements (3)")
    parser.add_argument("--quick", action="store_true", help="three points of each, one round, for a look")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--figure", type=Path, help="where to draw it; the suffix chooses the format")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in SWEEPS]
    if unknown:
        parser.error(f"unknown sweep {unknown[0]!r}; expected some of {', '.join(SWEEPS)}")
    from beside import refuse_without
    from figure import draw, medians

    if options.device != "cpu":
        refuse_without(options.device)
    rounds = 1 if options.quick else options.rounds
    found = measure(options.names or list(SWEEPS), rounds, options.quick, options.device, options.threads)
    for name, row in found.items():
        print(f"\n| {SWEEPS[name].axis} | nbtorch | PyTorch | ratio |\n|---|---|---|---|")
        for point, ours, theirs, ratio in medians(row):
            print(f"| {point} | {ours:,.0f} µs | {theirs:,.0f} µs | **{ratio:.2f}** |")
    if options.figure:
        draw(found, options.figure)
        print(f"\n{options.figure}")


if __name__ == "__main__":
    main()
