"""NumPy's numbers, arrays and dtypes as its pickles describe them, rebuilt by hand: numbers only, never objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["NUMPY_PARTS", "set_state"]

_KINDS = re.compile(r"[<>=|]?(b1|i[1248]|u[1248]|f[248]|c8|c16|[SU]\d{1,6})")


def _dtype(name: Any, align: Any = False, copy: Any = False) -> np.dtype[Any]:
    if not isinstance(name, str) or not _KINDS.fullmatch(name):
        raise ValueError(f"the NumPy dtype {name!r}: only numbers and text are read")
    return np.dtype(name, copy=True)


def _scalar(dtype: Any, data: Any) -> Any:
    if not isinstance(dtype, np.dtype) or not isinstance(data, bytes) or len(data) != dtype.itemsize:
        raise ValueError("a NumPy number whose bytes do not fit its dtype")
    return np.frombuffer(data, dtype)[0]


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray[Any, Any]:
    if not isinstance(data, (bytes, bytearray)) or not isinstance(dtype, np.dtype) or order not in ("C", "F"):
        raise ValueError("a NumPy array that does not fit its description")
    return np.frombuffer(bytearray(data), dtype).reshape(shape, order=order)


def _parts() -> dict[str, Callable[..., Any]]:
    parts: dict[str, Callable[..., Any]] = {"numpy.dtype": _dtype}
    for home in ("numpy.core", "numpy._core"):  # NumPy 1 and 2
        parts[f"{home}.multiarray._reconstruct"] = lambda *a: np.empty(0)
        parts[f"{home}.multiarray.scalar"] = _scalar
        parts[f"{home}.numeric._frombuffer"] = _from_buffer
    return parts


#: For each name, what makes the object that it stands for.
NUMPY_PARTS = _parts()
#: A name that is only an argument of others.
NUMPY_PARTS["numpy.ndarray"] = _from_buffer


def set_state(target: Any, state: Any) -> None:
    """Fills a dtype or an array that was made empty.

    Raises:
        ValueError: for what is no plain dtype or array of numbers.
    """
    if isinstance(target, np.dtype):
        if not (isinstance(state, tuple) and len(state) == 8 and state[1] in ("<", ">", "=", "|")):
            raise ValueError("a NumPy dtype that is no plain number")
        if state[2:5] != (None, None, None):
            raise ValueError("a NumPy dtype with fields")
        target.__setstate__((3, state[1], None, None, None, *map(int, state[5:])))  # type: ignore[attr-defined]
        return
    if not (isinstance(state, tuple) and len(state) == 5 and isinstance(state[2], np.dtype)):
        raise ValueError("a NumPy array without shape and dtype")
    _, shape, dtype, fortran, data = state
    if not (isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape) and isinstance(data, bytes)):
        raise ValueError("a NumPy array that is not made of bytes")
    needed = dtype.itemsize
    for n in shape:
        needed *= n
    if needed != len(data) or dtype.hasobject or len(shape) > 32:
        raise ValueError(f"a NumPy array of {needed} bytes, of which the file has {len(data)}")
    target.__setstate__((1, shape, dtype, bool(fortran), data))
