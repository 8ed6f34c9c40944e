"""Measures from how many elements it pays to compute an elementwise function in shares, a thread each.

Usage: python benchmarks/threads.py [--threads N] [--repeats N]

The figures are the least wall-clock time of many repeats in microseconds: with one thread, and with N, in turn. They
mean something on a machine with N idle cores. ``nbtorch.backends.threads.SHARED_FROM`` is where we begin to share.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nbtorch.backends import get_backend
from nbtorch.backends.threads import SHARED_FROM, count_shares, shared

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "tanh": np.tanh, "log": np.log, "sin": np.sin,
    **{name: getattr(get_backend("cpu"), name) for name in ("sigmoid", "silu", "logsigmoid", "expm1")},
    "add one": lambda x: x + 1,
}  # fmt: skip
SIZES = (30_000, 100_000, 200_000, 300_000, 500_000, 1_000_000, 4_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--threads", type=int, default=2, help="how many threads to compare with one (2)")
    parser.add_argument("--repeats", type=int, default=50, help="measurements of each, the least of which counts (50)")
    options = parser.parse_args()
    count_shares(options.threads)
    print(f"shared from {SHARED_FROM:,} elements on; here always, by {options.threads} threads\n")
    print(f"| function | {' | '.join(f'{n:,}' for n in SIZES)} | pays from |\n|---|{'---|' * (len(SIZES) + 1)}")
    for name, plain in FUNCTIONS.items():
        several, cells, pays = shared(plain, 1), [], ""
        for n in SIZES:
            x = np.random.default_rng(0).uniform(0.1, 2, n).astype(np.float32)
            least = [1e9, 1e9]
            for _ in range(max(options.repeats * 100_000 // max(n, 100_000), 8)):
                for k, function in enumerate((plain, several)):
                    start = time.perf_counter()
                    function(x)
                    least[k] = min(least[k], time.perf_counter() - start)
            cells.append(f"{least[0] * 1e6:,.0f} / {least[1] * 1e6:,.0f}")
            pays = (pays or f"{n:,}") if least[1] < least[0] else ""
        print(f"| {name} | {' | '.join(cells)} | {pays or 'nowhere'} |", flush=True)


if __name__ == "__main__":
    main()
