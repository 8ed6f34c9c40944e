"""The names under which older programs look for parts of :mod:`nbtorch.utils.data`."""

from . import collate, fetch, pin_memory, worker

__all__ = ["collate", "fetch", "pin_memory", "worker"]
