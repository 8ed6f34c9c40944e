"""The strict device: everything that CuPy refuses is refused, on a machine without a GPU."""

from __future__ import annotations

from .accelerator import AcceleratorBackend
from .device import device
from .strict_module import xp


class StrictBackend(AcceleratorBackend):
    """Computes with NumPy behind CuPy's rules, so that the whole test-suite can run as if on a GPU.

    Not fast, and not for users: ``pytest --device strict``.
    """

    def __init__(self, device: device) -> None:
        super().__init__(xp, device)
