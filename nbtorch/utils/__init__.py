"""Helpers beside the library proper: hook handles and, in :mod:`nbtorch.utils.data`, datasets and loaders."""

from __future__ import annotations

import importlib
from typing import Any

from . import data as data
from . import dlpack as dlpack
from . import hooks as hooks

__all__ = ["data", "dlpack", "hooks"]


def __getattr__(name: str) -> Any:
    if name == "checkpoint":  # with the machinery behind it, which few programs need
        return importlib.import_module(".checkpoint", __name__)
    raise AttributeError(f"module 'nbtorch.utils' has no attribute {name!r}")
