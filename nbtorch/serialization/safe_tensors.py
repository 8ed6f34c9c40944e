"""The format of ``safetensors``: a header of JSON and plain bytes; there is nothing in it that could run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..autograd.variable import wrap
from ..backends import dtypes, get_backend
from ..tensor import Tensor
from .archive import CorruptFileError, replacing

__all__ = ["load_file", "save_file"]

_NAMES = {
    "F64": dtypes.float64, "F32": dtypes.float32, "F16": dtypes.float16, "BF16": dtypes.bfloat16, "I64": dtypes.int64,
    "I32": dtypes.int32, "I16": dtypes.int16, "I8": dtypes.int8, "U8": dtypes.uint8, "BOOL": dtypes.bool_,
}  # fmt: skip


def _package() -> Any:
    try:
        import safetensors
    except ImportError:
        raise ImportError("safetensors is not installed\n  fix: pip install safetensors") from None
    return safetensors


def save_file(tensors: Mapping[str, Tensor], filename: Any, metadata: dict[str, str] | None = None) -> None:
    """Saves tensors by name; atomically, as ``save``.

    Args:
        tensors: a ``state_dict``.
        filename: the path.
        metadata: further texts.
    """
    arrays = {}
    for name, t in tensors.items():
        if not isinstance(t, Tensor):
            raise TypeError(f"save_file: {name!r} is a {type(t).__name__}, expected a Tensor")
        host = t._backend.to_host(t._array)
        arrays[name] = np.ascontiguousarray(host).reshape(host.shape)
    _package()
    from safetensors.numpy import save as serialized

    data = serialized(arrays, metadata)
    with replacing(filename) as file:
        file.write(data)


def load_file(filename: Any, device: Any = "cpu") -> dict[str, Tensor]:
    """The tensors of a file, by name.

    Raises:
        CorruptFileError: for a file that is truncated or damaged.
    """
    package = _package()
    with open(filename, "rb") as file:
        data = file.read()
    try:
        entries = package.deserialize(data)
    except package.SafetensorError as error:
        raise CorruptFileError(f"{os.fspath(filename)} can't be read as safetensors: {error}") from None
    backend = get_backend(device)
    found = {}
    for name, entry in entries:
        if entry["dtype"] not in _NAMES:
            raise CorruptFileError(f"{os.fspath(filename)}: {name!r} has dtype {entry['dtype']}, which nbtorch has not")
        array = np.frombuffer(bytearray(entry["data"]), _NAMES[entry["dtype"]].numpy).reshape(entry["shape"])
        found[name] = wrap(backend.from_host(array), backend)
    return found
