"""The format of ``safetensors``: a header of JSON and plain bytes; there is nothing in it that could run.

Eight bytes give the header's length (little-endian); the header names each tensor's dtype, shape and where its bytes
begin and end behind the header; the bytes lie one behind the other without gaps. Source: the description of the format
at github.com/huggingface/safetensors.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NoReturn

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
_LONGEST_HEADER = 100_000_000  # bytes; the limit of the format's own reader


def save_file(tensors: Mapping[str, Tensor], filename: Any, metadata: Mapping[str, str] | None = None) -> None:
    """Saves tensors by name; atomically, as ``save``. What was there before stays until the new file is whole.

    Args:
        tensors: a ``state_dict``. Each is written with bytes of its own, also where they share memory.
        filename: the path.
        metadata: further texts.

    Raises:
        TypeError: for what is no tensor, or metadata that is no text.
        ValueError: for a name that the format keeps for itself.
    """
    for name, t in tensors.items():
        if not isinstance(t, Tensor):
            raise TypeError(f"save_file: {name!r} is a {type(t).__name__}, expected a Tensor")
        if not isinstance(name, str):
            raise TypeError(f"save_file: the name {name!r} is a {type(name).__name__}, expected text")
    if "__metadata__" in tensors:
        raise ValueError("save_file: no tensor can have the name '__metadata__'")
    for key, text in (metadata or {}).items():
        if not (isinstance(key, str) and isinstance(text, str)):
            raise TypeError(f"save_file: metadata has to be text by text, got {key!r}: {text!r}")
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    kinds = {kind: name for name, kind in _NAMES.items()}
    # The widest numbers first, then by name: so every tensor begins at a multiple of its own width.
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    end = 0
    for name in names:
        t = tensors[name]
        begin, end = end, end + t.numel() * t.element_size()
        header[name] = {"dtype": kinds[t.dtype], "shape": list(map(int, t.shape)), "data_offsets": [begin, end]}
    described = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    described += b" " * (-len(described) % 8)
    with replacing(filename) as file:
        file.write(len(described).to_bytes(8, "little") + described)
        for name in names:
            host = tensors[name]._backend.to_host(tensors[name]._array)
            little = host.astype(host.dtype.newbyteorder("<"), copy=False)
            file.write(np.ascontiguousarray(little).reshape(-1).view(np.uint8).data)


def load_file(filename: Any, device: Any = "cpu") -> dict[str, Tensor]:
    """The tensors of a file, by name.

    Raises:
        CorruptFileError: for a file that is truncated or damaged; nothing of it is loaded.
    """
    backend = get_backend(device)
    with open(filename, "rb") as file:
        header, start = _Header(file, os.fspath(filename)).read()
        found = {}
        for name, (kind, shape, begin, end) in header.items():
            data = np.empty(end - begin, np.uint8)
            file.seek(start + begin)
            if file.readinto(data.data) != len(data):
                raise CorruptFileError(f"{os.fspath(filename)} can't be read as safetensors: {name!r} is cut off")
            array = data.view(kind.numpy).reshape(shape)
            found[name] = wrap(backend.from_host(array), backend)
    return found


class _Header:
    """The header of an open file, every field of it checked."""

    def __init__(self, file: Any, source: Any) -> None:
        self.file, self.source = file, source

    def corrupt(self, why: str) -> NoReturn:
        raise CorruptFileError(
            f"{self.source} can't be read as safetensors: {why}\n  fix: copy the file again, or take an older one; "
            "nothing was loaded"
        ) from None

    def read(self) -> tuple[dict[str, tuple[Any, list[int], int, int]], int]:
        """For each tensor its dtype, shape, and where its bytes begin and end; and where they begin at all."""
        size = self.file.seek(0, os.SEEK_END)
        self.file.seek(0)
        length = int.from_bytes(self.file.read(8), "little")
        if size < 8 or length > min(size - 8, _LONGEST_HEADER):
            self.corrupt(f"its header claims {length} bytes, the file has {size}")
        text = self.file.read(length)
        if text[:1] != b"{":
            self.corrupt("its header does not begin with {")
        try:
            header = json.loads(text.decode(), object_pairs_hook=self.once)
        except CorruptFileError:
            raise
        except (ValueError, RecursionError) as error:
            self.corrupt(f"its header is no JSON ({error})")
        metadata = header.pop("__metadata__", {})
        if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
            self.corrupt("its metadata are not texts")
        room = size - 8 - length
        tensors = {name: self.tensor(name, entry) for name, entry in header.items()}
        place = 0
        for name, (_, _, begin, end) in sorted(tensors.items(), key=lambda item: item[1][2:]):
            if begin != place:
                self.corrupt(f"{name!r} begins at byte {begin}, expected {place}: its tensors overlap or leave gaps")
            place = end
        if place != room:
            self.corrupt(f"its tensors have {place} bytes, the file has {room} for them")
        return tensors, 8 + length

    def once(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            self.corrupt("a name is there twice")
        return found

    def tensor(self, name: str, entry: Any) -> tuple[Any, list[int], int, int]:
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            self.corrupt(f"{name!r} is not described by dtype, shape and data_offsets")
        kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(kind, str) or kind not in _NAMES:
            self.corrupt(f"{name!r} has dtype {kind!r:.40}, which nbtorch has not")
        numbers = [*shape, *offsets] if isinstance(shape, list) and isinstance(offsets, list) else [None]
        if any(type(n) is not int or n < 0 for n in numbers) or len(offsets) != 2 or len(shape) > 64:
            self.corrupt(f"{name!r} has an impossible shape or place")
        needed = _NAMES[kind].itemsize
        for n in shape:
            needed *= n
            if needed >> 80:
                self.corrupt(f"{name!r} has an impossible shape")
        begin, end = offsets
        if end - begin != needed:
            self.corrupt(f"{name!r} has {end - begin} bytes, its shape needs {needed}")
        return _NAMES[kind], shape, begin, end
