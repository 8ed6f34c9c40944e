"""One measurement of one library in this process, which the command beside this file starts for it alone.

    python benchmarks/worker.py '{"library": "nbtorch", "task": "time", "name": "chain", "device": "cpu", "threads": 1}'

prints its answer as one line of JSON.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import memory
from sweep import SWEEPS
from workloads import WORKLOADS, Make, Step

BLOCKS = 5  # timings of which the shortest counts: what lengthens one is the machine


class Run:
    """A library, made ready for a device and a number of threads."""

    def __init__(self, library: str, device: str, threads: int) -> None:
        self.torch: Any = importlib.import_module(library)
        self.torch.set_num_threads(threads)
        self.device = device
        # With one thread what counts is the processor's time, which the machine's other work doesn't lengthen.
        self.clock = time.process_time if threads == 1 and device == "cpu" else time.perf_counter
        self.wait: Callable[[], object] = self.torch.cuda.synchronize if device == "cuda" else lambda: None
        if device == "cuda" and library == "torch":
            self.torch.backends.cudnn.allow_tf32 = False  # both sides compute in float32

    def build(self, make: Make) -> Step:
        with self.torch.device(self.device):
            return make(self.torch)

    def microseconds(self, step: Step, steps: int) -> float:
        """The time of a step: the mean of ``steps``, the least of several such."""
        times = []
        for _ in range(BLOCKS):
            self.wait()
            start = self.clock()
            for _ in range(steps):
                step()
            self.wait()
            times.append((self.clock() - start) / steps * 1e6)
        return min(times)

    def time(self, name: str) -> dict[str, Any]:
        """The losses of the first steps, and then the time of one."""
        workload = WORKLOADS[name]
        step = self.build(workload.make)
        losses = [step() for _ in range(workload.losses)]
        return {"losses": losses, "us": self.microseconds(step, workload.steps)}

    def memory(self, name: str) -> dict[str, Any]:
        workload = WORKLOADS[name]

        def build() -> Step:
            return self.build(workload.make)

        process = None if self.device == "cuda" else memory.growth(build)
        counted = None if workload.graph_only else memory.count(self.torch, self.device, build)
        return {"process": process, "counted": None if counted is None else counted.as_dict()}

    def sweep(self, name: str, quick: bool) -> dict[str, Any]:
        """The time of a step at each point of a sweep, and the losses of the first three."""
        chosen = SWEEPS[name]
        answer: dict[str, Any] = {"us": [], "losses": []}
        for at in chosen.quick if quick else chosen.points:
            step = self.build(lambda torch, at=at: chosen.make(torch, at))
            answer["losses"] += [step() for _ in range(3)]
            self.wait()
            start = self.clock()
            step()
            self.wait()
            once = self.clock() - start
            steps = max(1, min(200, round((0.01 if quick else 0.04) / max(once, 1e-6))))
            answer["us"].append(self.microseconds(step, steps))
        return answer

    def missing(self) -> str | None:
        """Why the device can't be used, or None."""
        if self.device != "cuda" or self.torch.cuda.is_available():
            return None
        if self.torch.__name__ == "nbtorch":
            return str(self.torch.cuda.why_unavailable())
        return f"this PyTorch ({self.torch.__version__}) finds no GPU; one built for CUDA is needed"


def main() -> None:
    job = json.loads(sys.argv[1])
    if job["task"] == "missing":
        run = Run.__new__(Run)
        run.torch, run.device = importlib.import_module(job["library"]), job["device"]
        answer: Any = run.missing()
    else:
        run = Run(job["library"], job["device"], job["threads"])
        task = job["task"]
        if task == "sweep":
            answer = run.sweep(job["name"], job["quick"])
        else:
            answer = run.time(job["name"]) if task == "time" else run.memory(job["name"])
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
