"""``torch.accelerator``: the GPU, whatever its kind."""

from __future__ import annotations

from . import cuda
from .backends.device import device

__all__ = ["current_accelerator", "device_count", "is_available", "synchronize"]


def is_available() -> bool:
    """Whether there is a GPU to compute on."""
    return cuda.is_available()


def current_accelerator(check_available: bool = False) -> device | None:
    """The kind of GPU there is; None where there is none."""
    return device("cuda") if cuda.is_available() else None


def device_count() -> int:
    """How many GPUs can be used."""
    return cuda.device_count()


def synchronize() -> None:
    """Waits until everything queued on the GPU is done."""
    if cuda.is_available():
        cuda.synchronize()
