"""Builds the wheel, checks that lessons, widgets, data and types are in it, and imports it from outside the checkout.

Usage: check_wheel.py SCRATCH_DIRECTORY
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

NEEDED = (
    "nbtorch/__init__.py",
    "nbtorch/py.typed",
    "nbtorch/datasets/data/digits.npz",
    "nbtorch/course/lessons/en/00_start_here.ipynb",
    "nbtorch/course/lessons/ko/00_start_here.ipynb",
    "nbtorch/course/lessons/teaching/en/08_linear_regression.md",
    "nbtorch/course/lessons/teaching/ko/08_linear_regression.md",
    "nbtorch_widgets/__init__.py",
    "nbtorch_widgets/static/nbtorch.js",
    "nbtorch_widgets/static/loader.js",
    "nbtorch_widgets/static/offline.js",
    ".data/data/share/jupyter/kernels/nbtorch/kernel.json",
)


def main(scratch: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(scratch)], check=True)
    (wheel,) = scratch.glob("nbtorch-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    missing = [n for n in NEEDED if not any(name.endswith(n) for name in names)]
    unwanted = [
        n
        for n in names
        if n.startswith(("tests/", "widgets/", "examples/", "benchmarks/", "docs/")) or "node_modules" in n
    ]
    if missing or unwanted:
        sys.exit(f"{wheel.name}: missing {missing}, unwanted {unwanted[:5]}")
    target = scratch / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(pip, check=True)
    program = (
        f"import sys; sys.path.insert(0, {str(target)!r}); import nbtorch as torch; "
        "x = torch.ones(2, requires_grad=True); (x * x).sum().backward(); assert x.grad.tolist() == [2.0, 2.0]; "
        "torch.datasets.digits(); print(torch.__file__)"
    )
    out = subprocess.run([sys.executable, "-P", "-c", program], check=True, capture_output=True, text=True, cwd=scratch)
    if str(target) not in out.stdout:
        sys.exit(f"imported {out.stdout.strip()} instead of the wheel's own files")
    print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 1e6:.2f} MB, imports on its own")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
