"""What ``nbtorch.capture`` gains: a step as it is and replayed, in turn in one process, one thread.

Usage: python benchmarks/captured.py [NAMES]

Prints for each workload the processor time of a step both ways, each the shortest of several blocks, after checking
that both went through the same losses bit for bit. Where a step could not be captured, the reason stands in its row.
"""

from __future__ import annotations

import argparse
import time

from workloads import WORKLOADS, Step

import nbtorch

NAMES = ("linear_regression", "chain", "small_mlp", "adam_mlp", "lenet", "lstm", "gpt")
BLOCKS = 7


def microseconds(step: Step, steps: int) -> float:
    start = time.process_time()
    for _ in range(steps):
        step()
    return (time.process_time() - start) / steps * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help=f"workloads ({', '.join(NAMES)})")
    names = parser.parse_args().names or NAMES
    unknown = [name for name in names if name not in WORKLOADS]
    if unknown:
        parser.error(f"no workload {unknown[0]!r}; expected some of {', '.join(WORKLOADS)}")
    nbtorch.set_num_threads(1)
    print("| step | as it is | replayed | ratio |\n|---|--:|--:|--:|")
    for name in names:
        workload = WORKLOADS[name]
        eager, captured = workload.make(nbtorch), nbtorch.capture(workload.make(nbtorch))
        for _ in range(6):
            if eager() != captured():
                raise SystemExit(f"{name}: the replayed step has another loss")
        steps = max(1, workload.steps // 4)
        pairs = [(microseconds(eager, steps), microseconds(captured, steps)) for _ in range(BLOCKS)]
        before, after = (min(times) for times in zip(*pairs, strict=True))
        why = "" if captured.replays else f" ({captured.why_not})"
        print(f"| {name}{why} | {before:,.0f} µs | {after:,.0f} µs | **{after / before:.2f}** |", flush=True)


if __name__ == "__main__":
    main()
