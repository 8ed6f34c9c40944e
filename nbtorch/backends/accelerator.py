"""What CuPy and the strict device have in common: primitives that their array module does in another way than NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Array, Backend

# The dtypes that atomic additions exist for; the others take a detour through one of these.
_ATOMIC = frozenset(("int32", "int64", "float16", "float32", "float64"))


class AcceleratorBackend(Backend):
    """Arrays in a memory of their own, behind CuPy's interface."""

    def from_host(self, array: np.ndarray[Any, Any]) -> Array:
        return self.xp.array(array)

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        return array.get()

    def add_at(self, x: Array, index: Any, values: Any) -> None:
        if x.dtype.name in _ATOMIC:
            self.xp.add.at(x, index, values)
            return
        wide = x.astype(np.float32 if x.dtype.name == "bfloat16" else np.int32)
        self.xp.add.at(wide, index, values)
        x[...] = wide.astype(x.dtype)

    def matmul(self, a: Array, b: Array) -> Array:
        if a.dtype.name == "bfloat16" and (a.ndim > 2 or b.ndim > 2):
            # CuPy 14 has no batches of bfloat16 matrices.
            return self.xp.matmul(a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
        return super().matmul(a, b)
