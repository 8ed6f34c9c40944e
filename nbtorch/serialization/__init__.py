"""Checkpoints: PyTorch's own zip files, written and read without PyTorch, and ``safetensors``.

Nothing in a file is executed. What may be rebuilt is a short list (tensors, parameters, containers, numbers, dtypes,
sizes, devices); every other name in a file is refused, whatever ``weights_only`` says.
"""

from .archive import CorruptFileError
from .checkpoint import load, save
from .safe_tensors import load_file, save_file
from .unpickler import UnpicklingError, add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals

__all__ = [
    "CorruptFileError", "UnpicklingError", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "load",
    "load_file", "safe_globals", "save", "save_file",
]  # fmt: skip
