"""Precision and recall of the doctor on the catalogue: python tests/widgets/doctor_measure.py [nbtorch torch]"""

from __future__ import annotations

import importlib
import pathlib
import sys
import traceback
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from widgets.doctor_broken import BROKEN
from widgets.doctor_healthy import HEALTHY
from widgets.doctor_support import Bench


def measure(lib: Any, broken: Any, healthy: Any) -> tuple[int, int, int, int]:
    named = quiet = extra = 0
    for name, (codes, training) in broken.items():
        try:
            found = training(Bench(lib)).doctor().codes
        except Exception:
            traceback.print_exc()
            found = ["RAISED"]
        right = bool(found) and found[0] in codes
        named += right
        extra += len(set(found) - set(codes))
        if not right or len(found) > 1 or "-v" in sys.argv:
            mark = "ok " if right else "BAD"
            print(f"  {mark} {name}: {', '.join(found) or 'nothing'}; expected {codes[0]}")
    for name, training in healthy.items():
        try:
            report = training(Bench(lib)).doctor()
        except Exception:
            traceback.print_exc()
            continue
        quiet += report.healthy
        if not report.healthy:
            print(f"  BAD {name} is healthy\n{report}")
    return named, len(broken), quiet, len(healthy)


def main() -> None:
    names = [a for a in sys.argv[1:] if a in ("nbtorch", "torch")] or ["nbtorch", "torch"]
    for name in names:
        print(name)
        named, count, quiet, sound = measure(importlib.import_module(name), BROKEN, HEALTHY)
        print(f"  named first {named} of {count}, nothing said on {quiet} of {sound} healthy")


if __name__ == "__main__":
    main()
