"""The strict device: everything that CuPy refuses is refused, on a machine without a GPU."""

from __future__ import annotations

import numpy as np

from .accelerator import AcceleratorBackend
from .base import Array
from .device import device
from .strict_array import wrap
from .strict_module import xp


class StrictBackend(AcceleratorBackend):
    """Computes with NumPy behind CuPy's rules, so that the whole test-suite can run as if on a GPU.

    Not fast, and not for users: ``pytest --device strict``.
    """

    def __init__(self, device: device) -> None:
        super().__init__(xp, device)

    def memory(self, x: Array) -> Array:
        # A strided view doesn't know its base, here as in CuPy; the memory behind it is known all the same.
        owner = base = x._a
        while base is not None:
            owner = base if isinstance(base, np.ndarray) else owner
            base = getattr(base, "base", None)
        order = sorted(range(owner.ndim), key=lambda d: -owner.strides[d])
        return wrap(owner.transpose(order).reshape(-1).view(x.dtype), x)
