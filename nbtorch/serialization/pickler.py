"""Writes objects as PyTorch's pickles, with tensors' bytes set aside."""

from __future__ import annotations

import enum
import pickle
from collections import OrderedDict
from types import FunctionType
from typing import IO, Any, ClassVar

import numpy as np

from ..backends.device import device as Device
from ..backends.dtypes import dtype as DType
from ..nn.parameter import Buffer, Parameter
from ..tensor import Size, Tensor
from .names import Global, storage_name
from .trust import public_name

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

    def data(self) -> memoryview:
        """The bytes of the record."""
        little = self.array.astype(self.array.dtype.newbyteorder("<"), copy=False)
        return memoryview(np.ascontiguousarray(little).view(np.uint8))  # type: ignore[arg-type]


def _memory_of(t: Tensor) -> tuple[Any, tuple[int, ...], int]:
    """All the memory that a tensor shows a part of, and where in it the tensor is; where that can't be told, a copy."""
    m, array = t._backend, t._array
    try:
        memory = m.memory(array)
        _, strides, offset = m.layout(array)
        last = offset + sum((n - 1) * s for n, s in zip(array.shape, strides, strict=True))
        aligned = (m.address(array) - m.address(memory)) % array.dtype.itemsize == 0
        if aligned and min(strides, default=0) >= 0 and offset >= 0 and (0 in array.shape or last < memory.size):
            return memory, strides, offset
    except ValueError:  # memory that is no whole number of elements
        pass
    array = m.copy(array)
    return m.memory(array), m.layout(array)[1], 0


# The C pickler writes the name of a function only if it can import it; the one in Python lets names be written.
class Pickler(pickle._Pickler):
    """Pickles one object; afterwards ``storages`` holds the records to write beside it."""

    dispatch: ClassVar[dict[Any, Any]] = dict(pickle._Pickler.dispatch)

    def __init__(self, file: IO[bytes], protocol: int, old: bool = False) -> None:
        super().__init__(file, protocol)
        self.storages: list[_Storage] = []
        self._old = old  # the format of before PyTorch 1.6, whose references have one more field
        self._by_memory: dict[tuple[str, int], _Storage] = {}
        self._kept: list[Any] = []  # arrays whose addresses are keys must not be freed meanwhile

    def persistent_id(self, obj: Any) -> Any:
        """Storages are written as a reference to their record."""
        if isinstance(obj, _Storage):
            kind = Global("torch", storage_name(obj.dtype))
            reference = ("storage", kind, obj.key, obj.location, int(obj.array.size))
            return (*reference, None) if self._old else reference
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
        if isinstance(obj, enum.Enum):  # Python 3.11.0 to 3.11.3 would write a call of getattr
            return type(obj), (obj._value_,)
        return NotImplemented

    def _tensor(self, t: Tensor) -> Any:
        requires_grad = t.requires_grad
        if t.grad_fn is not None:
            t = t.detach()
        memory, strides, offset = _memory_of(t)
        location = str(t.device) if t.device.type == "cuda" else "cpu"
        key = (str(t.device), t._backend.address(memory))
        storage = self._by_memory.get(key) if memory.size else None
        if storage is None:
            self._kept.append(memory)
            storage = _Storage(str(len(self.storages)), t._backend.to_host(memory), t.dtype, location)
            self.storages.append(storage)
            self._by_memory[key] = storage
        elif storage.dtype is not t.dtype:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different types\n"
                f"  got: {storage.dtype} and {t.dtype}\n  fix: clone() one of them"
            )
        attributes = dict(t.__dict__)
        is_parameter = isinstance(t, (Parameter, Buffer))
        arguments: tuple[Any, ...] = (
            storage, int(offset), tuple(map(int, t.shape)), tuple(map(int, strides)),
            requires_grad and not is_parameter, OrderedDict(),
        )  # fmt: skip
        if isinstance(t, Parameter):
            data = _Reduced(_REBUILD_TENSOR, arguments)
            if attributes:
                return _REBUILD_PARAMETER_WITH_STATE, (data, requires_grad, OrderedDict(), attributes)
            return _REBUILD_PARAMETER, (data, requires_grad, OrderedDict())
        attributes.pop("persistent", None)
        own_class = type(t) not in (Tensor, Buffer)
        if attributes or own_class:
            kind = type(t) if own_class else _TENSOR
            return _REBUILD_FROM_TYPE, (_REBUILD_TENSOR, kind, arguments, attributes)
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

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Classes and functions of nbtorch have PyTorch's names in a file."""
        found = public_name(obj)
        if found is None:
            super().save_global(obj, name)  # type: ignore[misc]
        else:
            self.write(pickle.GLOBAL + f"{found[0]}\n{found[1]}\n".encode())  # type: ignore[attr-defined]
            self.memoize(obj)  # type: ignore[attr-defined]

    def save_reduced(self, obj: _Reduced) -> None:
        """Writes a call of a name."""
        self.save_reduce(obj.function, obj.arguments, obj=obj)  # type: ignore[attr-defined]

    dispatch[Global] = save_name
    dispatch[DType] = save_dtype
    dispatch[FunctionType] = save_global


class _Reduced:
    __slots__ = ("arguments", "function")

    def __init__(self, function: Global, arguments: tuple[Any, ...]) -> None:
        self.function, self.arguments = function, arguments


Pickler.dispatch[_Reduced] = Pickler.save_reduced
