"""Checkpoints: PyTorch's own files, written and read without PyTorch, and ``safetensors``.

Nothing in a file is executed. What may be rebuilt is a short list (tensors, parameters, containers, numbers, dtypes,
sizes, devices); ``weights_only=False`` adds modules, optimizers and objects of classes that the program has imported
already, put together without running code of theirs; every other name in a file is refused.
"""

from .archive import CorruptFileError
from .checkpoint import get_unsafe_globals_in_checkpoint, load, save
from .safe_tensors import load_file, save_file
from .tensors import LoadedStorage, default_restore_location
from .trust import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals
from .unpickler import UnpicklingError

DEFAULT_PROTOCOL = 2


class SourceChangeWarning(Warning):
    """PyTorch warns by it of classes that have changed since a file was written; programs silence it by name."""


__all__ = [
    "DEFAULT_PROTOCOL", "CorruptFileError", "LoadedStorage", "SourceChangeWarning", "UnpicklingError",
    "add_safe_globals", "clear_safe_globals", "default_restore_location", "get_safe_globals",
    "get_unsafe_globals_in_checkpoint", "load", "load_file", "safe_globals", "save", "save_file",
]  # fmt: skip
