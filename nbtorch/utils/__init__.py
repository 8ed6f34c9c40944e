"""Helpers beside the library proper: hook handles and, in :mod:`nbtorch.utils.data`, datasets and loaders."""

from __future__ import annotations

import importlib
from typing import Any

from ..absent import ABSENT, AbsentModule
from . import data as data
from . import dlpack as dlpack
from . import hooks as hooks
from .swapping import swap_tensors

__all__ = ["data", "dlpack", "hooks", "swap_tensors"]


def __getattr__(name: str) -> Any:
    if name in ("checkpoint", "collect_env", "deterministic"):  # which few programs need
        return importlib.import_module(f".{name}", __name__)
    if f"utils.{name}" in ABSENT:
        return AbsentModule(f"utils.{name}")
    raise AttributeError(f"module 'nbtorch.utils' has no attribute {name!r}")
