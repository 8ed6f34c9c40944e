"""Both libraries in turn, each time in a fresh process: what the two commands, ``run.py`` and ``sweep.py``, share."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LIBRARIES = ("nbtorch", "torch")
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass
class Pairs:
    """Times of a step in microseconds, ours and theirs, measured in turn."""

    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    def add(self, ours: float, theirs: float) -> None:
        self.ours.append(ours)
        self.theirs.append(theirs)

    @property
    def ratios(self) -> list[float]:
        """Ours divided by theirs, pair by pair, the least first."""
        return sorted(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)


def ask(library: str, task: str, device: str = "cpu", threads: int = 1, **more: Any) -> Any:
    """What a fresh process found out about a library.

    Raises:
        SystemExit: where it failed, with what it said.
    """
    job = json.dumps({"library": library, "task": task, "device": device, "threads": threads, **more})
    done = subprocess.run(
        [sys.executable, str(HERE / "worker.py"), job],
        capture_output=True, text=True, env={**os.environ, **dict.fromkeys(_THREADS, str(threads))},
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{done.stderr.strip()}\n\n{library} failed at {job}")
    return json.loads(done.stdout.splitlines()[-1])


def ask_both(task: str, device: str = "cpu", threads: int = 1, **more: Any) -> tuple[Any, Any]:
    ours, theirs = (ask(library, task, device, threads, **more) for library in LIBRARIES)
    return ours, theirs


def difference(ours: list[float], theirs: list[float]) -> float:
    """How far two trainings went apart: the greatest relative difference of their losses.

    A loss that has come down to a thousandth of the first is compared against that thousandth.
    """
    least = 1e-3 * max(abs(theirs[0]), 1e-3)
    return max(abs(a - b) / max(abs(b), least) for a, b in zip(ours, theirs, strict=True))


def refuse_without(device: str) -> None:
    """Ends the program with the reason where one of the libraries can't use ``device``."""
    for library in LIBRARIES:
        reason = ask(library, "missing", device)
        if reason is not None:
            sys.exit(f"--device {device} can't be measured here: {reason}")


def surroundings(device: str = "cpu") -> dict[str, str]:
    """The machine, the versions and the date, as they stand above a stored table."""
    found = {"machine": _machine(device), "python": platform.python_version(), "numpy": version("numpy"),
             "torch": version("torch"), "date": str(date.today())}  # fmt: skip
    if device == "cuda":
        found["cupy"] = str(__import__("cupy").__version__)
    return found


def _machine(device: str) -> str:
    if device == "cuda":
        cupy = __import__("cupy")
        return str(cupy.cuda.runtime.getDeviceProperties(0)["name"].decode())
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
