"""Measures nbtorch beside PyTorch, in turn, in fresh processes: time, memory, allocations, and that both train alike.

Usage: python benchmarks/run.py [NAMES] [--rounds N] [--threads N] [--device cuda] [--time-only] [--write]

For each workload the time of a step under both (the median over the rounds) and the ratio nbtorch / PyTorch (below 1
is faster), pair by pair: its median, the least and the greatest. Both must have had the same losses before; where they
have not, the row says so and the exit status is 1. The first row is the time to import, nbtorch against NumPy. After
the times: the peak memory of a step and the buffers it asks for (what that means stands in memory.py).

With --write everything is measured (one thread, two threads, memory, the sweeps of sweep.py; with --device cuda what
concerns the GPU) and README.md, results.json and sweeps.png beside this file are brought up to date.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from typing import Any

import report
import sweep
from beside import Pairs, ask_both, difference, refuse_without, surroundings
from workloads import WORKLOADS

ALIKE = {"cpu": 1e-3, "cuda": 5e-3}  # how far the losses may go apart by rounding alone, relatively
IMPORT = "import (against NumPy)"


def import_times(rounds: int) -> Pairs:
    """Microseconds of processor time to import nbtorch, and NumPy alone, in fresh interpreters, compiled before."""
    found = Pairs()
    with tempfile.TemporaryDirectory() as cache:  # for the compiled files, so that the compiler isn't measured
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env["PYTHONPYCACHEPREFIX"] = cache
        for _ in range(rounds):
            least = []
            for module in ("nbtorch", "numpy"):
                program = f"import time; t = time.process_time(); import {module}; print(time.process_time() - t)"
                runs = [subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True,
                                       env=env) for _ in range(4)]  # fmt: skip
                least.append(min(float(run.stdout) for run in runs[1:]) * 1e6)
            found.add(*least)
    return found


def times(names: list[str], rounds: int, device: str, threads: int, with_import: bool) -> list[dict[str, Any]]:
    """The rows of the table of times, printed as they come."""
    rows: list[dict[str, Any]] = []

    def add(name: str, pairs: Pairs, reach: float | None, apart: float) -> None:
        rows.append({"name": name, "ours": pairs.ours, "theirs": pairs.theirs, "reach": reach, "apart": apart,
                     "alike": apart <= ALIKE[device]})  # fmt: skip
        print(report.time_row(rows[-1]), flush=True)

    print(report.TIME_HEAD)
    if with_import:
        add(IMPORT, import_times(rounds), 1.5, 0.0)
    for name in names:
        pairs, apart = Pairs(), 0.0
        for _ in range(rounds):
            ours, theirs = ask_both("time", device, threads, name=name)
            pairs.add(ours["us"], theirs["us"])
            apart = max(apart, difference(ours["losses"], theirs["losses"]))
        add(name, pairs, WORKLOADS[name].reach, apart)
    print(report.mean_rows([row for row in rows if row["name"] != IMPORT]), flush=True)
    return rows


def memories(names: list[str], device: str) -> list[dict[str, Any]]:
    """The rows of the table of memory, printed as they come."""
    print(report.MEMORY_HEAD)
    rows = []
    for name in names:
        ours, theirs = ask_both("memory", device, name=name)
        rows.append({"name": name, "ours": ours, "theirs": theirs})
        print(report.memory_row(rows[-1]), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n\n", 1)[0], epilog=f"workloads: {', '.join(WORKLOADS)}"
    )
    parser.add_argument("names", nargs="*", help="which workloads (all unless given)")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of measurements (3)")
    parser.add_argument("--threads", type=int, default=1, help="threads on both sides; from two on it is wall time")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--time-only", action="store_true", help="leave the memory out")
    parser.add_argument("--write", action="store_true", help="measure everything and store it beside this file")
    options = parser.parse_args()
    unknown = [n for n in options.names if n not in WORKLOADS]
    if unknown:
        parser.error(f"unknown workload {unknown[0]!r}; expected some of {', '.join(WORKLOADS)}")
    if options.rounds < 1 or options.threads < 1:
        parser.error("--rounds and --threads expect a positive number")
    if options.write and (options.names or options.time_only or options.threads != 1):
        parser.error("--write stores everything; it goes with --rounds and --device alone")
    if options.device != "cpu":
        refuse_without(options.device)
    names, rounds, device = options.names or list(WORKLOADS), options.rounds, options.device

    found: dict[str, Any] = {"where": surroundings(device), "rounds": rounds}
    threads = options.threads
    print(report.where_line(found["where"], rounds, device, threads) + "\n")
    found["times"] = times(names, rounds, device, threads, not options.names and device == "cpu")
    if options.write:  # part by part, so that an end in the middle leaves what was measured
        report.store(device, found)
    if not options.time_only:
        print()
        found["memory"] = memories(names, device)
    if options.write:
        report.store(device, found)
        print("\nthe sweeps ...", flush=True)
        found["sweeps"] = sweep.measure(list(sweep.SWEEPS), rounds, device=device)
        report.store(device, found)
        if device == "cpu" and (os.cpu_count() or 1) > 1:
            print("\nwith two threads\n")
            found["two_threads"] = times(names, rounds, device, 2, False)
            report.store(device, found)
        print(f"stored in {report.README.name}, {report.RESULTS.name} and {report.figure_of(device).name}")
    if not all(row["alike"] for row in [*found["times"], *found.get("two_threads", [])]):
        sys.exit("the losses of some rows differ, so their times mean nothing")


if __name__ == "__main__":
    main()
