"""``save`` and ``load``: PyTorch's zip checkpoints."""

from __future__ import annotations

import io
import os
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from ..autograd.variable import Storage, wrap
from ..backends import get_backend
from ..backends.device import device as Device
from ..nn.parameter import Parameter
from ..tensor import Tensor
from .archive import CorruptFileError, Reader, Writer, replacing
from .names import STORAGES, Global
from .pickler import Pickler
from .unpickler import UnpicklingError, unpickle

__all__ = ["load", "save"]


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Saves an object: a tensor, a ``state_dict``, or any nest of containers of them. PyTorch can load the file.

    A file is replaced only once the new one is complete and on the disk: whatever happens meanwhile, there is either
    the old file or the new one.

    Args:
        obj: what to save. Tensors that share memory share it in the file too.
        f: a path, or a file that is open for writing.
        pickle_module: accepted for PyTorch's sake.
        pickle_protocol: the version of the pickle; PyTorch reads 2.

    Raises:
        RuntimeError: where the folder does not exist.
    """
    if isinstance(f, (str, os.PathLike)):
        with replacing(f) as file:
            _write(obj, file, os.path.splitext(os.path.basename(os.fspath(f)))[0] or "archive", pickle_protocol)
    elif hasattr(f, "write"):
        _write(obj, f, "archive", pickle_protocol)
    else:
        raise AttributeError(
            f"expected 'f' to be string, path, or a file-like object with a 'write' attribute, got {f!r}"
        )


def _write(obj: Any, file: IO[bytes], root: str, protocol: int) -> None:
    pickled = io.BytesIO()
    pickler = Pickler(pickled, protocol)
    pickler.dump(obj)
    writer = Writer(file, root)
    writer.write("data.pkl", pickled.getvalue())
    writer.write(".format_version", b"1")
    writer.write(".storage_alignment", b"64")
    writer.write("byteorder", b"little")
    for storage in pickler.storages:
        array = storage.array
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        writer.write(f"data/{storage.key}", np.ascontiguousarray(little).view(np.uint8).tobytes())
    writer.write("version", b"3\n")
    writer.close()


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Loads what ``save`` of nbtorch or of PyTorch has written; all of it or nothing.

    Args:
        f: a path, or a file that is open for reading and can be searched.
        map_location: where the tensors go: a device, a dictionary from saved locations to devices, or a function of a
            storage and its location; None for where they were.
        pickle_module: accepted for PyTorch's sake.
        weights_only: accepted; the file's names are checked either way, see :mod:`nbtorch.serialization`.
        mmap: accepted; the file is read.

    Raises:
        FileNotFoundError: where there is no such file.
        CorruptFileError: for a file that is truncated or damaged (a ``RuntimeError``).
        UnpicklingError: for a file that names something that may not be rebuilt.
    """
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _read(file, os.fspath(f), map_location)
    if not (hasattr(f, "read") and hasattr(f, "seek")):
        raise AttributeError(
            "You can only torch.load from a file that is seekable. Please pre-load the data into a buffer like "
            f"io.BytesIO and try to load from it instead.\n  got: {type(f).__name__}"
        )
    return _read(f, getattr(f, "name", "the file"), map_location)


def _read(file: IO[bytes], source: Any, map_location: Any) -> Any:
    source = str(source)
    file.seek(0)
    start = file.read(4)
    if start[:2] != b"PK":
        raise CorruptFileError(
            f"{source} can't be read as a checkpoint: it does not begin like a zip file.\n"
            + ("  got: an empty file\n" if not start else "")
            + "  why: checkpoints are zip files since PyTorch 1.6; older ones are not read, since they run code\n"
            "  fix: load it with an old PyTorch and save it again, or copy the file again if it is damaged"
        )
    reader = Reader(file, source)
    order = reader.read("byteorder") if "byteorder" in reader else b"little"
    if order not in (b"little", b"big"):
        raise CorruptFileError(f"{source} can't be read as a checkpoint: its byte order is {order[:20]!r}.")
    storages = _Storages(reader, source, map_location, "<" if order == b"little" else ">")
    rebuild: dict[str, Callable[..., Any]] = {
        "torch._utils._rebuild_tensor_v2": storages.tensor,
        "torch._utils._rebuild_parameter": storages.parameter,
        "torch._utils._rebuild_parameter_with_state": storages.parameter,
        "torch._tensor._rebuild_from_type_v2": storages.with_attributes,
        "torch.device": lambda kind, index=None: Device(kind) if index is None else Device(kind, index),
    }
    return unpickle(reader.read("data.pkl"), storages.storage, rebuild, source)


class _Memory:
    """One storage, on the device that it is wanted on."""

    __slots__ = ("array", "backend", "record")

    def __init__(self, array: Any, backend: Any) -> None:
        self.array, self.backend, self.record = array, backend, Storage()


class _Storages:
    """The tensors of one file as they are rebuilt."""

    def __init__(self, reader: Reader, source: str, map_location: Any, order: Any) -> None:
        self.reader, self.source, self.map_location, self.order = reader, source, map_location, order
        self.known: dict[str, _Memory] = {}

    def damaged(self, why: str) -> UnpicklingError:
        return UnpicklingError(f"{self.source} is damaged: {why}; nothing was loaded")

    def storage(self, reference: Any) -> _Memory:
        """The memory behind a persistent id ``("storage", kind, key, location, count)``."""
        if not (isinstance(reference, tuple) and len(reference) == 5 and reference[0] == "storage"):
            raise self.damaged("a reference to something that is no storage")
        _, kind, key, location, count = reference
        if not (isinstance(kind, Global) and kind.module == "torch" and kind.name in STORAGES):
            raise self.damaged("a storage of unknown kind")
        if not (isinstance(key, str) and isinstance(location, str) and type(count) is int):
            raise self.damaged("a storage without name, place or size")
        if key not in self.known:
            dtype = STORAGES[kind.name].numpy
            data = self.reader.read(f"data/{key}")
            if len(data) != count * dtype.itemsize:
                raise self.damaged(
                    f"storage {key} has {len(data)} bytes where {count} x {dtype.itemsize} were expected"
                )
            stored = dtype if dtype.kind == "V" or dtype.itemsize == 1 else dtype.newbyteorder(self.order)
            array = np.frombuffer(bytearray(data), stored).astype(dtype, copy=False)
            backend = get_backend(self.place(location))
            self.known[key] = _Memory(backend.from_host(array), backend)
        found = self.known[key]
        if found.array.dtype != STORAGES[kind.name].numpy:
            raise self.damaged(f"storage {key} is used with two dtypes")
        return found

    def place(self, location: str) -> Any:
        """The device for what was saved on ``location``."""
        wanted: Any = self.map_location
        if callable(wanted) and not isinstance(wanted, (str, Device)):
            answer = wanted(None, location)
            wanted = "cpu" if answer is None and not location.startswith("cuda") else answer
        elif isinstance(wanted, dict):
            wanted = wanted.get(location, location)
        if wanted is None:
            wanted = location if location.startswith("cuda") and self.map_location is None else "cpu"
        if str(wanted).startswith("cuda") and self.map_location is None:
            from .. import cuda

            if not cuda.is_available():
                raise RuntimeError(
                    "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you "
                    "are running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to "
                    "map your storages to the CPU."
                )
        return wanted

    def tensor(
        self, memory: Any, offset: Any, size: Any, stride: Any, requires_grad: Any = False, hooks: Any = None,
        metadata: Any = None,
    ) -> Tensor:  # fmt: skip
        """A tensor over a storage; every element has to lie inside it."""
        size, stride = tuple(size), tuple(stride)
        if not isinstance(memory, _Memory) or len(size) != len(stride) or len(size) > 64:
            raise self.damaged("a tensor without storage, sizes or strides")
        if any(type(n) is not int or n < 0 for n in (offset, *size, *stride)):
            raise self.damaged("a tensor with impossible sizes or strides")
        last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
        empty = 0 in size
        if not empty and last >= memory.array.size:
            raise self.damaged("a tensor that reaches beyond its storage")
        m, flat = memory.backend, memory.array
        if empty:
            array = m.empty(size, flat.dtype)
        else:
            array = m.as_strided(flat, size, stride, offset)
        t: Tensor = wrap(array, m)
        t._storage = memory.record
        return t.requires_grad_(bool(requires_grad)) if requires_grad else t

    def parameter(self, data: Any, requires_grad: Any, hooks: Any = None, state: Any = None) -> Parameter:
        """A parameter, with the attributes it had."""
        if not isinstance(data, Tensor):
            raise self.damaged("a parameter without a tensor")
        made = Parameter(data, bool(requires_grad))
        return self._attributes(made, state)  # type: ignore[no-any-return]

    def with_attributes(self, function: Any, kind: Any, arguments: Any, state: Any) -> Any:
        """A tensor with attributes of the user's."""
        name = f"{function.module}.{function.name}" if isinstance(function, Global) else ""
        if name != "torch._utils._rebuild_tensor_v2" or not isinstance(arguments, tuple):
            raise self.damaged("a tensor that is rebuilt in an unknown way")
        return self._attributes(self.tensor(*arguments), state)

    def _attributes(self, t: Any, state: Any) -> Any:
        if isinstance(state, (dict, OrderedDict)):
            for key, value in state.items():
                if isinstance(key, str) and not hasattr(type(t), key):
                    t.__dict__[key] = value
                else:
                    warnings.warn(f"{self.source}: the attribute {key!r} of a tensor was left out", stacklevel=2)
        return t
