"""Everyday names of PyTorch that switch something: threads, determinism, precision, compilation.

What has a meaning here is done; the rest is accepted, remembered, and changes nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from .backends import set_threads
from .backends.device import device as Device
from .backends.device import get_default_device
from .backends.threads import used_threads

__all__ = [
    "are_deterministic_algorithms_enabled", "compile", "get_deterministic_debug_mode", "get_device_module",
    "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled", "set_deterministic_debug_mode", "set_float32_matmul_precision", "set_flush_denormal",
    "set_num_interop_threads", "set_num_threads", "set_warn_always", "use_deterministic_algorithms",
]  # fmt: skip


def set_num_threads(num: int) -> None:
    """How many threads matrix products and large elementwise work may use.

    Matrix products go their own way where NumPy was built with another BLAS than OpenBLAS. Elementwise results are the
    same to the last bit whatever the number; sums within a matrix product may round otherwise.

    Raises:
        RuntimeError: unless it is a positive int.
    """
    _require_count("set_num_threads", num)
    set_threads(num)


def _require_count(function: str, num: Any) -> None:
    if isinstance(num, bool) or not isinstance(num, int):
        raise RuntimeError(f"{function} expects an int, but got {type(num).__name__}")
    if num < 1:
        raise RuntimeError(f"{function} expects a positive integer\n  got: {num}")


def get_num_threads() -> int:
    """How many threads matrix products and large elementwise work may use.

    To begin with, what ``OPENBLAS_NUM_THREADS`` or ``OMP_NUM_THREADS`` says; without them 1 on a machine with two cores
    or fewer, where a second thread mostly waits, and the number of cores on larger ones.
    """
    return used_threads()


def set_num_interop_threads(num: int) -> None:
    """Accepted, once: operations run one after the other.

    Raises:
        RuntimeError: unless it is a positive int; where it was called before.
    """
    _require_count("set_num_interop_threads", num)
    if _remembered["interop"]:
        raise RuntimeError(
            "Error: cannot set number of interop threads after parallel work has started or set_num_interop_threads "
            "called\n  fix: call it once, at the beginning of the program"
        )
    _remembered["interop"] = num


def get_num_interop_threads() -> int:
    """What was set, 1 without that."""
    return int(_remembered["interop"] or 1)


def compile(model: Any = None, **options: Any) -> Any:
    """Returns what it is given: nothing is compiled. Works as a decorator, with and without arguments."""
    if model is None:
        return lambda function: function
    if not isinstance(model, Callable):  # type: ignore[arg-type]
        raise RuntimeError(f"torch.compile expects a function or a module, got {type(model).__name__}")
    return model


_remembered: dict[str, Any] = {"interop": 0, "precision": "highest", "deterministic": 0, "warn": False}
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
