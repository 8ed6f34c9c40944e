"""What a report of a problem should say about the machine: ``python -m nbtorch.utils.collect_env``."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys

import numpy as np

from .._version import __version__

__all__ = ["get_pretty_env_info", "main"]


def get_pretty_env_info() -> str:
    """The versions and the machine, a line for each."""
    from .. import cuda

    lines = [
        f"nbtorch version: {__version__}",
        f"NumPy version: {np.__version__}",
        f"Python version: {sys.version}",
        f"OS: {platform.platform()}",
        f"Processors: {os.cpu_count()} ({platform.machine()})",
        f"Is CUDA available: {cuda.is_available()}",
    ]
    for name in ("cupy-cuda12x", "cupy-cuda13x", "ml_dtypes", "safetensors", "ipykernel", "jupyterlab", "anywidget"):
        try:
            lines.append(f"{name}: {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return "\n".join(lines)


def main() -> None:
    """Prints it."""
    print("Collecting environment information...")
    print(get_pretty_env_info())


if __name__ == "__main__":
    main()
