"""Helpers beside the library proper: hook handles and, in :mod:`nbtorch.utils.data`, datasets and loaders."""

from __future__ import annotations

import importlib
from typing import Any

from . import data as data
from . import dlpack as dlpack
from . import hooks as hooks
from .swapping import swap_tensors

__all__ = ["data", "dlpack", "hooks", "swap_tensors"]


# Opened when first asked for: few programs need them.
_ROOMS = ("_pytree", "checkpoint", "collect_env", "deterministic", "gradients", "tensorboard")


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    from ..annex import missing

    return missing(__name__, name)
