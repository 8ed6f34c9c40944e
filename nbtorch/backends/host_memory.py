"""How the C library keeps the memory that arrays have given back.

A training step allocates and frees the same arrays over and over. By default glibc returns the top of its heap to the
system as soon as a few megabytes of it are free, and the next step pays for getting each page again: a third of the
time of elementwise work on a million numbers. PyTorch's caching allocator does for the GPU what this does for the host.
"""

from __future__ import annotations

import ctypes
import os
import sys

__all__ = ["keep_freed_memory"]

# The parameters of mallopt(3), from glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_CHOSEN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_THRESHOLD_")
_KEPT = 256 << 20
_STEP = 16 << 20
_LARGEST_ON_HEAP = 32 << 20  # glibc's own upper limit; above, NumPy asks for huge pages, which are cheap to get


def keep_freed_memory() -> bool:
    """Lets up to 256 MiB of freed memory stay with the process; whether that could be asked for.

    Without effect where the C library isn't glibc, where the environment sets one of these parameters
    itself, or with ``NBTORCH_KEEP_MEMORY=0``.
    """
    if sys.platform != "linux" or os.environ.get("NBTORCH_KEEP_MEMORY") == "0":
        return False
    if "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "") or any(name in os.environ for name in _CHOSEN):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # Setting one ends glibc's own adjusting of all of them.
    return all([mallopt(_MMAP_THRESHOLD, _LARGEST_ON_HEAP), mallopt(_TRIM_THRESHOLD, _KEPT), mallopt(_TOP_PAD, _STEP)])
