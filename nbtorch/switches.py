"""Everyday names of PyTorch that switch something: threads, determinism, precision, compilation.

What has a meaning here is done; the rest is accepted, remembered, and changes nothing.
"""

from __future__ import annotations

import ctypes
import functools
import glob
import importlib
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from .backends.device import device as Device
from .backends.device import get_default_device

__all__ = [
    "are_deterministic_algorithms_enabled", "compile", "get_deterministic_debug_mode", "get_device_module",
    "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled", "set_deterministic_debug_mode", "set_float32_matmul_precision", "set_flush_denormal",
    "set_num_interop_threads", "set_num_threads", "set_warn_always", "use_deterministic_algorithms",
]  # fmt: skip


@functools.cache
def _blas() -> tuple[Any, Any] | None:
    """The functions of NumPy's own OpenBLAS that set and tell its threads; None where NumPy has another BLAS."""
    folder = os.path.dirname(os.path.dirname(np.__file__))
    patterns = ("numpy.libs/*openblas*", "numpy/.dylibs/*openblas*")
    for path in [p for pattern in patterns for p in glob.glob(os.path.join(folder, pattern))]:
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        for name in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads"):
            if hasattr(library, name.format("set")):
                return getattr(library, name.format("set")), getattr(library, name.format("get"))
    return None


def set_num_threads(num: int) -> None:
    """How many threads matrix products may use. Without effect where NumPy was built with another BLAS than OpenBLAS.

    Raises:
        RuntimeError: unless it is a positive int.
    """
    if not isinstance(num, int):
        raise RuntimeError(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    found = _blas()
    if found is not None:
        found[0](num)


def get_num_threads() -> int:
    """How many threads matrix products may use; 1 where that is not known."""
    found = _blas()
    return int(found[1]()) if found is not None else 1


def set_num_interop_threads(num: int) -> None:
    """Accepted: operations run one after the other."""


def get_num_interop_threads() -> int:
    """1: operations run one after the other."""
    return 1


def compile(model: Any = None, **options: Any) -> Any:
    """Returns what it is given: nothing is compiled. Works as a decorator, with and without arguments."""
    if model is None:
        return lambda function: function
    if not isinstance(model, Callable):  # type: ignore[arg-type]
        raise RuntimeError(f"torch.compile expects a function or a module, got {type(model).__name__}")
    return model


_remembered: dict[str, Any] = {"precision": "highest", "deterministic": 0, "warn": False}
_MODES = {"default": 0, "warn": 1, "error": 2}


def set_float32_matmul_precision(precision: str) -> None:
    """Accepted: products of float32 are computed in float32.

    Raises:
        RuntimeError: for another word than PyTorch's three.
    """
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(f"{precision} is not one of 'highest', 'high', or 'medium'; the current precision stays")
    _remembered["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What was set."""
    return str(_remembered["precision"])


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted: on the CPU everything is deterministic."""
    _remembered["deterministic"] = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled() -> bool:
    """What was set."""
    return bool(_remembered["deterministic"] > 0)


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """What was set."""
    return bool(_remembered["deterministic"] == 1)


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Accepted, as :func:`use_deterministic_algorithms`: "default" or 0, "warn" or 1, "error" or 2.

    Raises:
        RuntimeError: for another word or number.
        TypeError: for anything else.
    """
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    wanted = _MODES.get(debug_mode) if isinstance(debug_mode, str) else debug_mode
    if wanted not in _MODES.values():
        raise RuntimeError(
            f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
            if isinstance(debug_mode, str)
            else f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}"
        )
    _remembered["deterministic"] = wanted


def get_deterministic_debug_mode() -> int:
    """What was set: 0, 1 or 2."""
    return int(_remembered["deterministic"])


def set_warn_always(b: bool) -> None:
    """Accepted: Python's own filters decide how often a warning is shown."""
    _remembered["warn"] = bool(b)


def is_warn_always_enabled() -> bool:
    """What was set."""
    return bool(_remembered["warn"])


def get_device_module(device: Any = None) -> Any:
    """The module of a kind of device: ``torch.cpu``, ``torch.cuda``.

    Raises:
        RuntimeError: for a kind without one.
    """
    kind = get_default_device().type if device is None else Device(device).type
    if kind not in ("cpu", "cuda"):
        raise RuntimeError(f"Device '{kind}' does not have a corresponding module registered as 'torch.{kind}'.")
    return importlib.import_module(f"nbtorch.{kind}")


def set_flush_denormal(mode: bool) -> bool:
    """Denormal numbers are kept: returns False, as PyTorch does where the machine can't do it."""
    return False
