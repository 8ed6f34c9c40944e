"""``torch.__config__``: what the numbers are computed with."""

from __future__ import annotations

import platform

import numpy as np

from ._version import PYTORCH, __version__
from .switches import get_num_threads

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The versions that matter, one a line."""
    return (
        f"nbtorch {__version__}, which follows PyTorch {PYTORCH}\n"
        f"  - Python {platform.python_version()} on {platform.platform()}\n"
        f"  - NumPy {np.__version__}\n"
    )


def parallel_info() -> str:
    """How many threads compute."""
    return f"matrix products and large elementwise work: {get_num_threads()} threads\neverything else: 1 thread\n"
