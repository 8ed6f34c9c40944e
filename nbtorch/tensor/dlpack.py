"""DLPack: handing memory to NumPy, PyTorch and CuPy and taking it from them, without a copy.

NumPy (or CuPy) makes and reads the capsules. It knows no bfloat16: such memory crosses as 16-bit integers, and the
dtype in the capsule is changed on the way.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ..autograd.variable import Variable, expose, wrap
from ..backends import get_backend
from ..backends.dtypes import bfloat16
from ..ops.creation import from_numpy

_CPU, _CUDA, _PINNED = 1, 2, 3
_UNSIGNED, _BFLOAT = 1, 4


class _Tensor(ctypes.Structure):
    """DLPack's ``DLTensor``, as far as the dtype."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
    )


class _Capsule:
    """A capsule as an object that NumPy takes."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **wishes: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return _CPU, 0


def _described(capsule: Any) -> Any:
    """The tensor that an unversioned capsule describes, to be read and changed."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    try:
        address = pointer(capsule, b"dltensor")
    except ValueError:
        raise RuntimeError(
            "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you "
            "might have already constructed a tensor from it once."
        ) from None
    return ctypes.cast(address, ctypes.POINTER(_Tensor)).contents


def dlpack_device(self: Any) -> tuple[int, int]:
    """The kind of device that the memory is on, and its number."""
    if self._backend.device.type == "cpu":
        return _CPU, 0
    return tuple(int(i) for i in self._array.__dlpack_device__())  # type: ignore[return-value]


def dlpack(self: Any, *, stream: Any = -1, max_version: Any = None, dl_device: Any = None, copy: Any = None) -> Any:
    """A DLPack capsule over the memory of the tensor. A write by whoever takes it is noticed like one through NumPy.

    Raises:
        BufferError: for a tensor that requires grad, and where the memory would have to be on another device.
        AssertionError: for a stream where there is none.
    """
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    here = dlpack_device(self)
    wanted = here if dl_device is None else (int(dl_device[0]), int(dl_device[1]))
    if wanted[0] == _CPU and here[0] != _CPU:
        return self.cpu().__dlpack__(max_version=max_version)
    if wanted != here:
        raise BufferError(f"a tensor on {self._backend.device} can't be exported to DLPack device {wanted}")
    source = self.detach().clone() if copy else self.detach()
    if here[0] != _CPU:
        return source._array.__dlpack__(stream=None if stream == -1 else stream)
    if stream not in (None, -1):
        raise AssertionError("stream should be None on cpu.")
    array = expose(source, source._array, lasting=False)
    if self._dtype() is bfloat16:
        capsule = array.view(np.uint16).__dlpack__()
        _described(capsule).code = _BFLOAT
        return capsule
    if max_version is not None:
        try:
            return array.__dlpack__(max_version=max_version)
        except TypeError:  # NumPy before 2.1 knows of no versions
            pass
    return array.__dlpack__()


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor over the memory of another library's array: a write to one is seen in the other.

    Args:
        ext_tensor: a NumPy array, a tensor of PyTorch's, a CuPy array, anything with ``__dlpack__``; or a capsule.
        device: move it there (a copy).
        copy: True copies in any case, False never (and raises where it would be needed).

    Raises:
        RuntimeError: for anything else, and for a capsule that was taken already.
        TypeError: for a dtype that has no tensor.
        BufferError: for what can't be exported, such as a tensor that requires grad.
        ValueError: where ``copy`` is False and a copy is needed, and for negative strides.
    """
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = _Capsule(ext_tensor)
    elif not hasattr(ext_tensor, "__dlpack__"):
        raise RuntimeError(
            f"from_dlpack received {type(ext_tensor).__name__}, which is no DLPack capsule and has no __dlpack__\n"
            "  fix: torch.tensor(data)"
        )
    kind, index = (int(i) for i in ext_tensor.__dlpack_device__())
    if kind == _CUDA:
        backend = get_backend(f"cuda:{index}")
        made = wrap(backend.xp.from_dlpack(ext_tensor), backend)
    elif kind in (_CPU, _PINNED):
        made = from_numpy(_as_array(ext_tensor))
    else:
        raise BufferError(f"memory on a device of DLPack's kind {kind} can't be taken: only the CPU and CUDA")
    if device is not None and get_backend(device) is not made._backend:
        if copy is False:
            raise ValueError(f"cannot move from {made.device} to {device} without a copy\n  fix: copy=None")
        return made.to(device)
    return made.clone() if copy else made


def _as_array(source: Any) -> np.ndarray[Any, Any]:
    if isinstance(source, np.ndarray):
        return source
    if isinstance(source, Variable) or "bfloat16" in str(getattr(source, "dtype", "")) or isinstance(source, _Capsule):
        capsule = source.__dlpack__()
        described = _described(capsule)
        if described.code == _BFLOAT:
            described.code = _UNSIGNED
            return _writable(np.from_dlpack(_Capsule(capsule))).view(bfloat16.numpy)
        return _writable(np.from_dlpack(_Capsule(capsule)))
    return np.from_dlpack(source)


class _Memory:
    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self._keep = array
        self.__array_interface__ = {
            **array.__array_interface__,
            "data": (array.__array_interface__["data"][0], False),
        }


def _writable(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """``array`` writable: NumPy makes what comes in a capsule without a version read-only, to be on the safe side."""
    return array if array.flags.writeable else np.asarray(_Memory(array))
