"""Helpers beside the library proper: hook handles and, in :mod:`nbtorch.utils.data`, datasets and loaders."""

from . import data as data
from . import dlpack as dlpack
from . import hooks as hooks

__all__ = ["data", "dlpack", "hooks"]
