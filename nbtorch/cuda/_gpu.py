"""Which GPU is meant, for the functions of ``torch.cuda``."""

from __future__ import annotations

from typing import Any

from ..backends.cupy import NoCudaError, load_cupy, why_unavailable
from ..backends.device import device as _Device

__all__ = ["Where", "gpu", "is_available", "refuse_without_gpu"]

Where = int | str | _Device | None


def is_available() -> bool:
    """Whether tensors can live on device ``cuda``. Never raises; ``why_unavailable()`` says what is missing."""
    return why_unavailable() is None


def refuse_without_gpu() -> None:
    """
    Raises:
        RuntimeError: (and AssertionError, as PyTorch's CPU build) where no GPU can be used, with the reason.
    """
    reason = why_unavailable()
    if reason is not None:
        raise NoCudaError(f"Torch not compiled with CUDA enabled\n  why: {reason}")


def gpu(where: Where) -> tuple[Any, int]:
    """CuPy and the index of a GPU; None is the current one.

    Raises:
        ValueError: for a device of another kind.
        RuntimeError: where it can't be used.
    """
    wanted = None if where is None else _Device(where)
    if wanted is not None and wanted.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {wanted}")
    refuse_without_gpu()
    if wanted is not None and wanted.index is not None:
        return load_cupy(wanted.index), wanted.index
    cupy = load_cupy()
    return cupy, int(cupy.cuda.runtime.getDevice())
