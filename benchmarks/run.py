"""Times nbtorch against PyTorch, in turn, in fresh processes, with one thread each.

Usage: python benchmarks/run.py [NAMES] [--rounds N]

Prints for each workload the median time of a step under both and the ratio nbtorch / PyTorch (below 1 is faster), with
the ratios of the quietest and the noisiest pair, after checking that both computed the same losses. The first row is
the time to import, nbtorch against NumPy.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from typing import Any

from workloads import WORKLOADS

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def measure(library: str, name: str) -> dict[str, Any]:
    """One measurement in this process: processor time for a step, in microseconds, and the losses."""
    torch = importlib.import_module(library)
    if library == "torch":
        torch.set_num_threads(1)
    make, steps, _ = WORKLOADS[name]
    step = make(torch)
    losses = [step() for _ in range(3 if steps == 1 else 20)]
    times = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(steps):
            step()
        times.append((time.process_time() - start) / steps * 1e6)
    return {"us": min(times), "losses": losses}


def in_fresh_process(*arguments: str) -> dict[str, Any]:
    out = subprocess.run(
        [sys.executable, __file__, "--worker", *arguments],
        check=True, capture_output=True, text=True, env={**os.environ, **ONE_THREAD},
    )  # fmt: skip
    return json.loads(out.stdout)  # type: ignore[no-any-return]


def import_times(cache: str) -> tuple[float, float]:
    """Milliseconds of processor time to import nbtorch, and NumPy alone, in a fresh interpreter each, compiled before.

    Args:
        cache: a folder for the compiled files, so that what is measured is not the compiler.
    """
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPYCACHEPREFIX": cache}
    found = []
    for module in ("nbtorch", "numpy"):
        program = f"import time; t = time.process_time(); import {module}; print((time.process_time() - t) * 1e3)"
        runs = [subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=env)
                for _ in range(4)]  # fmt: skip
        found.append(min(float(run.stdout) for run in runs[1:]))
    return found[0], found[1]


def row(name: str, ours: list[float], theirs: list[float], unit: str, reach: float) -> str:
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    return (
        f"| {name} | {statistics.median(ours):,.0f} {unit} | {statistics.median(theirs):,.0f} {unit} "
        f"| **{statistics.median(ratios):.2f}** ({ratios[0]:.2f} to {ratios[-1]:.2f}) | {reach} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help=f"which workloads: {', '.join(WORKLOADS)} (all unless given)")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of measurements (5)")
    parser.add_argument("--worker", nargs=2, metavar=("LIBRARY", "NAME"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(*options.worker)))
        return
    unknown = [n for n in options.names if n not in WORKLOADS]
    if unknown:
        parser.error(f"unknown workload {unknown[0]!r}; expected some of {', '.join(WORKLOADS)}")
    machine = platform.processor() or platform.machine()
    print(f"{machine}, Python {platform.python_version()}, one thread, {date.today()}\n")
    print("| workload | nbtorch | PyTorch | ratio, median (least to most) | reach |\n|---|---|---|---|---|")
    if not options.names:
        with tempfile.TemporaryDirectory() as cache:
            pairs = [import_times(cache) for _ in range(options.rounds)]
        print(row("import (against NumPy)", [a for a, _ in pairs], [b for _, b in pairs], "ms", 1.5))
    for name in options.names or WORKLOADS:
        ours, theirs = [], []
        for _ in range(options.rounds):
            a, b = in_fresh_process("nbtorch", name), in_fresh_process("torch", name)
            worst = max(abs(x - y) / max(abs(y), 1e-6) for x, y in zip(a["losses"], b["losses"], strict=True))
            if worst > 1e-4:
                sys.exit(f"{name}: the losses differ by {worst:.2g}, so the times mean nothing")
            ours.append(a["us"])
            theirs.append(b["us"])
        print(row(name, ours, theirs, "µs", WORKLOADS[name][2]), flush=True)


if __name__ == "__main__":
    main()
