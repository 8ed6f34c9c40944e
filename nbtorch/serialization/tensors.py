"""Tensors over the storages of a file, each checked to lie inside its storage."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.variable import Storage, wrap
from ..backends import get_backend
from ..backends.device import device as Device
from ..backends.layouts import strided
from ..nn.parameter import Buffer, Parameter
from ..tensor import Tensor
from .names import STORAGES, Global
from .unpickler import UnpicklingError

__all__ = ["LoadedStorage", "Tensors", "default_restore_location"]


class LoadedStorage:
    """The memory of one or several tensors, and where it goes: what a function given as ``map_location`` gets.

    It returns the storage itself, or one of ``storage.cpu()``, ``storage.cuda(index)``, ``storage.to(device)``.
    """

    def __init__(self, array: np.ndarray[Any, Any], place: Any = "cpu") -> None:
        self._array, self._place = array, Device(place)
        self._memory: Any = None

    @property
    def device(self) -> Device:
        """Where it goes."""
        return self._place

    def cpu(self) -> LoadedStorage:
        """The same memory for the CPU."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> LoadedStorage:
        """The same memory for a GPU."""
        if device is None:
            device = "cuda"
        return self.to(f"cuda:{device}" if isinstance(device, int) else device)

    def to(self, device: Any) -> LoadedStorage:
        """The same memory for a device."""
        return LoadedStorage(self._array, device)

    def nbytes(self) -> int:
        """How many bytes there are."""
        return int(self._array.nbytes)

    def size(self) -> int:
        """How many elements there are."""
        return int(self._array.size)

    __len__ = size

    def on_device(self) -> tuple[Any, Any, Storage]:
        """The memory on its device: backend, array, and the record that its tensors share."""
        if self._memory is None:
            backend = get_backend(self._place)
            self._memory = backend, backend.from_host(self._array), Storage()
        return self._memory  # type: ignore[no-any-return]


def default_restore_location(storage: Any, location: str) -> Any:
    """The storage on the device that it was saved on.

    Raises:
        RuntimeError: for a GPU where there is none, and for another kind of device.
    """
    if location == "cpu":
        return storage.cpu()
    if location.partition(":")[0] == "cuda":
        from .. import cuda

        if not cuda.is_available():
            raise RuntimeError(
                "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you "
                "are running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to "
                "map your storages to the CPU."
            )
        if Device(location).index is not None and Device(location).index >= cuda.device_count():  # type: ignore[operator]
            raise RuntimeError(
                f"Attempting to deserialize object on CUDA device {Device(location).index} but "
                f"torch.cuda.device_count() is {cuda.device_count()}. Please use torch.load with map_location to map "
                "your storages to an existing device."
            )
    elif location != "strict":
        raise RuntimeError(
            f"don't know how to restore data location of torch.storage.UntypedStorage (tagged with {location})\n"
            "  fix: torch.load(..., map_location='cpu')"
        )
    return storage.to(location)


def _restorer(map_location: Any) -> Callable[[LoadedStorage, str], Any]:
    if map_location is None:
        return default_restore_location
    if isinstance(map_location, dict):
        return lambda s, place: default_restore_location(s, str(map_location.get(place, place)))
    if isinstance(map_location, bytes):
        map_location = map_location.decode()
    if isinstance(map_location, (str, Device)):
        return lambda s, place: default_restore_location(s, str(map_location))
    if not callable(map_location):
        raise TypeError(
            f"map_location: expected a device, its name, a dictionary or a function, got {type(map_location).__name__}"
        )

    def asked(storage: LoadedStorage, place: str) -> Any:
        answer = map_location(storage, place)
        return default_restore_location(storage, place) if answer is None else answer

    return asked


class Tensors:
    """The tensors of one file as they are rebuilt.

    Args:
        read: gives the bytes of a storage, by its key and how many they have to be, as an array of its own.
        source: the file's name, for errors.
        map_location: as for ``load``.
        order: the byte order of the file: ``<`` or ``>``.
    """

    def __init__(self, read: Callable[[str, int], Any], source: str, map_location: Any, order: str) -> None:
        self._read, self._source, self._order = read, source, order
        self._restore = _restorer(map_location)
        self._known: dict[str, tuple[LoadedStorage, str]] = {}
        self.rebuild: dict[str, Callable[..., Any]] = {
            "torch._utils._rebuild_tensor": self._tensor,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_parameter": self._parameter,
            "torch._utils._rebuild_parameter_with_state": self._parameter,
            "torch._tensor._rebuild_from_type_v2": self._with_attributes,
            "torch.device": self._device,
            "torch.serialization._get_layout": self._layout,
        }

    def _damaged(self, why: str) -> UnpicklingError:
        return UnpicklingError(f"{self._source} is damaged: {why}; nothing was loaded")

    def storage(self, reference: Any) -> LoadedStorage:
        """The memory behind a persistent id ``("storage", kind, key, location, count)``; older files add a view."""
        if not (isinstance(reference, tuple) and len(reference) in (5, 6) and reference[0] == "storage"):
            raise self._damaged("a reference to something that is no storage")
        _, kind, key, location, count, *view = reference
        if not (isinstance(kind, Global) and kind.module == "torch" and kind.name in STORAGES):
            raise self._damaged("a storage of unknown kind")
        if not (isinstance(key, str) and isinstance(location, str) and type(count) is int and count >= 0):
            raise self._damaged("a storage without name, place or size")
        if key not in self._known:
            dtype = STORAGES[kind.name].numpy
            data = self._read(key, count * dtype.itemsize)
            array = data.view(dtype)
            if self._order == ">" and dtype.itemsize > 1:
                array = data.reshape(-1, dtype.itemsize)[:, ::-1].copy().reshape(-1).view(dtype)
            self._known[key] = self._placed(LoadedStorage(array), location), kind.name
        found, name = self._known[key]
        if name != kind.name:
            raise self._damaged(f"storage {key} is used with two dtypes")
        return found if not view or view[0] is None else self._part(found, view[0])

    def _placed(self, storage: LoadedStorage, location: str) -> LoadedStorage:
        placed = self._restore(storage, location)
        if not isinstance(placed, LoadedStorage) or placed._array is not storage._array:
            raise TypeError(
                f"map_location returned a {type(placed).__name__}\n  expected: the storage that it was given, moved by "
                "its cpu(), cuda() or to(device), or None"
            )
        return placed

    def _part(self, storage: LoadedStorage, view: Any) -> LoadedStorage:
        """A storage that is a part of another, as the oldest files have it."""
        if not (isinstance(view, tuple) and len(view) == 3 and all(type(n) is int and n >= 0 for n in view[1:])):
            raise self._damaged("a part of a storage that is not described")
        _, offset, count = view
        if offset + count > storage.size():
            raise self._damaged("a part of a storage that reaches beyond it")
        backend, array, record = storage.on_device()
        part = LoadedStorage(storage._array[offset : offset + count], storage.device)
        part._memory = backend, array[offset : offset + count], record
        return part

    def _tensor(
        self, storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any = False, hooks: Any = None,
        metadata: Any = None,
    ) -> Tensor:  # fmt: skip
        """A tensor over a storage; every element has to lie inside it."""
        if not isinstance(size, (tuple, list)) or not isinstance(stride, (tuple, list)):
            raise self._damaged("a tensor without sizes or strides")
        size, stride = tuple(size), tuple(stride)
        if not isinstance(storage, LoadedStorage) or len(size) != len(stride) or len(size) > 64:
            raise self._damaged("a tensor without storage, sizes or strides")
        if any(type(n) is not int or n < 0 for n in (offset, *size, *stride)):
            raise self._damaged("a tensor with impossible sizes or strides")
        m, flat, record = storage.on_device()
        if 0 in size:
            array = m.empty(size, flat.dtype)
        elif offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) >= storage.size():
            raise self._damaged("a tensor that reaches beyond its storage")
        else:
            array = m.as_strided(flat, size, stride, offset)
        t: Tensor = wrap(array, m)
        t._storage = record
        return t.requires_grad_(True) if requires_grad is True else t

    def _parameter(self, data: Any, requires_grad: Any, hooks: Any = None, state: Any = None) -> Any:
        """A parameter, with the attributes it had."""
        if not isinstance(data, Tensor):
            raise self._damaged("a parameter without a tensor")
        return self._attributes(Parameter(data, bool(requires_grad)), state)

    def _with_attributes(self, function: Any, kind: Any, arguments: Any, state: Any) -> Any:
        """A tensor with attributes of the user's, or of a class of the user's."""
        name = f"{function.module}.{function.name}" if isinstance(function, Global) else ""
        if name not in ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter") or not isinstance(
            arguments, tuple
        ):
            raise self._damaged("a tensor that is rebuilt in an unknown way")
        made = self.rebuild[name](*arguments)
        if isinstance(kind, type) and issubclass(kind, Tensor) and not issubclass(kind, (Parameter, Buffer)):
            record, grad = made._storage, made.requires_grad
            made = wrap(made._array, made._backend, kind)
            made._storage = record
            made = made.requires_grad_(grad) if grad else made
        return self._attributes(made, state)

    def _attributes(self, t: Any, state: Any) -> Any:
        if isinstance(state, dict):
            for key, value in state.items():
                if isinstance(key, str) and not hasattr(type(t), key):
                    t.__dict__[key] = value
                else:
                    warnings.warn(f"{self._source}: the attribute {key!r} of a tensor was left out", stacklevel=2)
        return t

    def _device(self, kind: Any, index: Any = None) -> Device:
        return Device(kind) if index is None else Device(kind, index)

    def _layout(self, name: Any) -> Any:
        if name != "torch.strided":
            raise self._damaged(f"a layout that nbtorch has not: {name!r:.40}")
        return strided
