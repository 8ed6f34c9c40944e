"""Scaled sums of long vectors in one pass, by NumPy's own BLAS: what optimizers spend their time with."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from .threads import openblas

__all__ = ["HostSums"]

Array = Any

# Elements from which a call by ctypes, a few microseconds, is less than what reading and writing twice costs.
_LONG = 1 << 15
_C = {np.dtype(np.float32): ("s", ctypes.c_float), np.dtype(np.float64): ("d", ctypes.c_double)}


@functools.cache
def _axpby(dtype: Any) -> Any:
    """``y = a x + b y`` of OpenBLAS for a dtype, which needs the lengths in 64 bits; None where there is none."""
    letter, number = _C[dtype]
    function = getattr(openblas(), f"scipy_cblas_{letter}axpby64_", None)
    if function is not None:
        size, pointer = ctypes.c_int64, ctypes.c_void_p
        function.argtypes = [size, number, pointer, size, number, pointer, size]
        function.restype = None
    return function


class HostSums:
    """Overrides of the primitives that add a multiple of one array to another."""

    def axpby(self, a: float, x: Array, b: float, y: Array) -> None:
        n = y.size
        if (
            n >= _LONG
            and y.dtype in _C
            and x.dtype is y.dtype
            and x.shape == y.shape
            and x.flags.c_contiguous
            and y.flags.c_contiguous
            and y.flags.writeable
            and a != 0  # BLAS doesn't look at what it multiplies by 0, which may be infinite
            and b != 0
            and (function := _axpby(y.dtype)) is not None
        ):
            function(n, a, x.__array_interface__["data"][0], 1, b, y.__array_interface__["data"][0], 1)
            return
        if b != 1:
            y *= b
        y += x if a == 1 else x * a
