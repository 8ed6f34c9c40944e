"""Writes objects as PyTorch's pickles, with tensors' bytes set aside."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from typing import IO, Any, ClassVar

import numpy as np

from ..backends.device import device as Device
from ..backends.dtypes import dtype as DType
from ..nn.parameter import Buffer, Parameter
from ..tensor import Size, Tensor
from .names import Global, storage_name

__all__ = ["Pickler"]

_REBUILD_TENSOR = Global("torch._utils", "_rebuild_tensor_v2")
_REBUILD_PARAMETER = Global("torch._utils", "_rebuild_parameter")
_REBUILD_PARAMETER_WITH_STATE = Global("torch._utils", "_rebuild_parameter_with_state")
_REBUILD_FROM_TYPE = Global("torch._tensor", "_rebuild_from_type_v2")
_TENSOR = Global("torch", "Tensor")
_SIZE = Global("torch", "Size")
_DEVICE = Global("torch", "device")


class _Storage:
    """The memory of one or several tensors, as one record."""

    __slots__ = ("array", "dtype", "key", "location")

    def __init__(self, key: str, array: np.ndarray[Any, Any], dtype: DType, location: str) -> None:
        self.key, self.array, self.dtype, self.location = key, array, dtype, location


def _owner(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array whose memory this one looks at, where it lies in one piece; else a copy in one piece."""
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    width = array.itemsize
    apart = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    if root.flags.c_contiguous and root.size and apart % width == 0:
        flat = root.reshape(-1).view(np.uint8)
        return flat[: flat.size // width * width].view(array.dtype)
    return array.copy(order="C")


# The C pickler writes the name of a function only if it can import it; the one in Python lets names be written.
class Pickler(pickle._Pickler):
    """Pickles one object; afterwards ``storages`` holds the records to write beside it."""

    dispatch: ClassVar[dict[Any, Any]] = dict(pickle._Pickler.dispatch)

    def __init__(self, file: IO[bytes], protocol: int) -> None:
        super().__init__(file, protocol)
        self.storages: list[_Storage] = []
        self._by_memory: dict[tuple[int, str], _Storage] = {}
        self._kept: list[Any] = []  # arrays whose addresses are keys must not be freed meanwhile

    def persistent_id(self, obj: Any) -> Any:
        """Storages are written as a reference to their record."""
        if isinstance(obj, _Storage):
            kind = Global("torch", storage_name(obj.dtype))
            return ("storage", kind, obj.key, obj.location, obj.array.size)
        return None

    def reducer_override(self, obj: Any) -> Any:
        """How the things that PyTorch has too are rebuilt there."""
        if isinstance(obj, Tensor):
            return self._tensor(obj)
        if isinstance(obj, Size):
            return _SIZE, (tuple(obj),)
        if isinstance(obj, Device):
            index = getattr(obj, "index", None)
            return _DEVICE, (obj.type,) if index is None else (obj.type, index)
        return NotImplemented

    def _tensor(self, t: Tensor) -> Any:
        if t.grad_fn is not None:
            t = t.detach()
        array = t._backend.to_host(t._array)
        owner = _owner(array)
        location = str(t.device) if t.device.type == "cuda" else "cpu"
        memory = owner.__array_interface__["data"][0]
        key = (memory, str(t.dtype))
        storage = self._by_memory.get(key) if owner.size else None
        if storage is None:
            self._kept.append(owner)
            storage = _Storage(str(len(self.storages)), owner.reshape(-1), t.dtype, location)
            self.storages.append(storage)
            self._by_memory[key] = storage
        shared = owner.size > 0 and np.shares_memory(owner, array)
        offset = (array.__array_interface__["data"][0] - memory) // array.itemsize if shared else 0
        laid_out = array if shared else np.ascontiguousarray(array)
        strides = tuple(int(s) // array.itemsize for s in laid_out.strides)
        attributes = dict(t.__dict__)
        is_parameter = isinstance(t, (Parameter, Buffer))
        arguments: tuple[Any, ...] = (
            storage, int(offset), tuple(map(int, array.shape)), strides, t.requires_grad and not is_parameter,
            OrderedDict(),
        )  # fmt: skip
        if isinstance(t, Parameter):
            data = _Reduced(_REBUILD_TENSOR, arguments)
            if attributes:
                return _REBUILD_PARAMETER_WITH_STATE, (data, t.requires_grad, OrderedDict(), attributes)
            return _REBUILD_PARAMETER, (data, t.requires_grad, OrderedDict())
        attributes.pop("persistent", None)
        if attributes:
            return _REBUILD_FROM_TYPE, (_REBUILD_TENSOR, _TENSOR, arguments, attributes)
        return _REBUILD_TENSOR, arguments

    def save_name(self, obj: Global) -> None:
        """Writes a name."""
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())  # type: ignore[attr-defined]
        self.memoize(obj)  # type: ignore[attr-defined]

    def save_dtype(self, obj: DType) -> None:
        """Dtypes are names of PyTorch's module."""
        module, _, name = str(obj).rpartition(".")
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())  # type: ignore[attr-defined]
        self.memoize(obj)  # type: ignore[attr-defined]

    def save_reduced(self, obj: _Reduced) -> None:
        """Writes a call of a name."""
        self.save_reduce(obj.function, obj.arguments, obj=obj)  # type: ignore[attr-defined]

    dispatch[Global] = save_name
    dispatch[DType] = save_dtype


class _Reduced:
    __slots__ = ("arguments", "function")

    def __init__(self, function: Global, arguments: tuple[Any, ...]) -> None:
        self.function, self.arguments = function, arguments


Pickler.dispatch[_Reduced] = Pickler.save_reduced
