"""Reads a tensor of any kind: nbtorch's, PyTorch's, NumPy's, or a learner's class with `data` and `grad`.

Only what these have in common is used, and what a tensor lacks is left out: a class without strides has none to show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

#: How the elements of each NumPy dtype that the front end can decode are called on the wire.
CODES = {
    "float16": "f2",
    "float32": "f4",
    "float64": "f8",
    "bool": "b1",
    **{f"{kind}int{bits}": f"{kind or 'i'}{bits // 8}" for kind in ("", "u") for bits in (8, 16, 32, 64)},
}


class Reading(NamedTuple):
    """A tensor's numbers in host memory. `array` and `gradient` have the tensor's shape."""

    type: str
    dtype: str
    shape: tuple[int, ...]
    #: None where the tensor has no plain numbers to show (meta, sparse).
    array: Array | None
    gradient: Array | None
    #: What the front end can't know: why there are no numbers, or why no gradient is beside them.
    note: str
    #: In elements; None where the tensor doesn't say.
    strides: tuple[int, ...] | None
    offset: int


def is_tensor(value: Any) -> bool:
    """Whether it has elements: an array, a tensor, a scalar, or an object with those in `data`."""
    if isinstance(value, np.ndarray | np.generic | bool | int | float | complex | list | tuple):
        return True
    return hasattr(value, "shape") or hasattr(value, "data")


def read(value: Any) -> Reading:
    """A snapshot: later changes of `value` don't show in it."""
    kind = type(value).__name__
    array, note = host_array(value)
    shape = tuple(int(size) for size in (getattr(value, "shape", None) if array is None else array.shape) or ())
    gradient, why = _gradient(value, shape)
    strides, offset = layout(value)
    return Reading(kind, dtype_name(value, array), shape, array, gradient, note or why, strides, offset)


def host_array(value: Any, copy: bool = True) -> tuple[Array | None, str]:
    """The elements as NumPy numbers, or None and the reason.

    bfloat16, which NumPy lacks, comes as float32: each of its numbers is one of those.
    """
    try:
        if hasattr(value, "detach"):
            host = value.detach()
            if getattr(host, "is_sparse", False):
                return None, "sparse: its elements have no places of their own"
            if str(getattr(host, "device", "")).startswith("meta"):
                return None, "on the device meta: a shape without numbers"
            host = host.cpu() if hasattr(host, "cpu") else host
            try:
                array = np.asarray(host.numpy())
            except TypeError:  # PyTorch's bfloat16
                array = np.asarray(host.float().numpy())
        elif hasattr(value, "data") and not isinstance(value, np.ndarray | np.generic):
            inner = value.data
            if isinstance(inner, memoryview):
                array = np.asarray(value)
            elif hasattr(inner, "detach"):
                return host_array(inner, copy)
            else:
                array = np.asarray(inner)
        else:
            array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        return None, f"its numbers can't be read: {error}"
    if array.dtype.kind == "V":  # ml_dtypes' bfloat16
        array = array.astype(np.float32)
    elif array.dtype.kind == "c":
        return np.array(array), ""
    elif array.dtype.name == "longdouble" or (array.dtype.name.startswith("float1") and array.dtype.itemsize > 8):
        array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        return None, f"elements of type {array.dtype} are not numbers"
    return (np.array(array) if copy else array), ""


def dtype_name(value: Any, array: Array | None) -> str:
    """`float32`, `bfloat16`, ...: as the tensor itself calls it."""
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return "" if array is None else array.dtype.name
    return str(getattr(dtype, "name", dtype)).rpartition(".")[2]


def _gradient(value: Any, shape: tuple[int, ...]) -> tuple[Array | None, str]:
    # PyTorch warns whoever asks a computed tensor for its gradient, so that is not asked.
    if not (getattr(value, "is_leaf", True) or getattr(value, "retains_grad", False)):
        return None, ""
    found = getattr(value, "grad", None)
    if found is None or callable(found):
        return None, ""
    gradient, why = host_array(found)
    if gradient is None:
        return None, f"gradient: {why}"
    if gradient.shape != shape:
        return None, f"its gradient has shape {gradient.shape}, which is not the tensor's"
    return gradient, ""


def layout(value: Any) -> tuple[tuple[int, ...] | None, int]:
    """Strides in elements and the offset of the first element in its storage."""
    inner = unwrap(value)
    if isinstance(inner, np.ndarray):
        if any(step % inner.itemsize for step in inner.strides):
            return None, 0
        root = root_of(inner)
        offset = (_address(inner) - lowest_address(root)) // inner.itemsize
        return tuple(step // inner.itemsize for step in inner.strides), offset
    if callable(getattr(inner, "stride", None)) and callable(getattr(inner, "storage_offset", None)):
        try:
            return tuple(int(step) for step in inner.stride()), int(inner.storage_offset())
        except (RuntimeError, NotImplementedError, TypeError):
            return None, 0
    return None, 0


def unwrap(value: Any) -> Any:
    """What holds the memory: a learner's class holds an array or a tensor in `data`."""
    if isinstance(value, np.ndarray) or hasattr(value, "stride"):
        return value
    inner = getattr(value, "data", None)
    if inner is not None and (isinstance(inner, np.ndarray) or hasattr(inner, "stride")):
        return inner
    return np.asarray(value) if isinstance(value, np.generic | list | tuple | int | float | complex) else value


def root_of(array: Array) -> Array:
    """The array that owns the memory of a view."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def lowest_address(array: Array) -> int:
    """The address of the element that lies first in memory; strides may be negative."""
    back = sum(min(0, (size - 1) * step) for size, step in zip(array.shape, array.strides, strict=True) if size)
    return int(_address(array) + back)


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


def named(values: Iterable[Any], names: Iterable[str] | None, more: Mapping[str, Any], word: str) -> dict[str, Any]:
    """Tensors with their names: given ones, those of keyword arguments, or `word` and a number."""
    listed = list(values)
    given = [clean(name) for name in names] if names is not None else None
    if given is not None and len(given) != len(listed):
        raise ValueError(f"expected {len(listed)} names, one for each tensor; got {len(given)}")
    if given is None:
        given = [word] if len(listed) == 1 and not more else [f"{word} {place}" for place in range(len(listed))]
    found = dict(zip(given, listed, strict=True))
    if len(found) < len(listed):
        raise ValueError(f"expected different names, got {given}")
    return {**found, **{clean(name): tensor for name, tensor in more.items()}}


def clean(name: object) -> str:
    """A name without what XML and JSON can't carry: control characters and lone surrogates."""
    return re.sub(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "\N{REPLACEMENT CHARACTER}", str(name))
