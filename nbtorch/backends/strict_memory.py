"""The memory behind the strict device's arrays: the dtypes it holds, what is in it when new, how it is laid out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

Host = np.ndarray[Any, Any]

# What CuPy's front end has; written by tests/backends/write_cupy_facts.py.
FACTS: dict[str, Any] = json.loads(Path(__file__).with_name("cupy_facts.json").read_text(encoding="utf-8"))

_KINDS = "biufc"
_POISON = b"\xa5" * 8


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """``dtype`` as NumPy has it.

    Raises:
        ValueError: for one that no kernel can be written for.
    """
    found: np.dtype[Any] = np.dtype(dtype)
    if (found.kind not in _KINDS and found.name != "bfloat16") or found.itemsize > 8 * (1 + (found.kind == "c")):
        raise ValueError(f"Unsupported dtype {found}")
    return found


def poison(array: Host) -> Host:
    """Fills new memory with what nobody could mean: NaN, integers of the bytes A5, True."""
    if array.dtype.kind in "iu":
        array.fill(np.frombuffer(_POISON[: array.itemsize], array.dtype)[0])
    elif array.dtype.kind == "b":
        array.fill(True)
    else:
        array.fill(np.nan)
    return array


class Flags:
    """The memory layout of an array, as far as CuPy tells."""

    __slots__ = ("c_contiguous", "f_contiguous", "owndata")

    def __init__(self, array: Host, owndata: bool) -> None:
        self.c_contiguous = array.flags.c_contiguous
        self.f_contiguous = array.flags.f_contiguous
        self.owndata = owndata

    def __getitem__(self, name: str) -> bool:
        return bool(getattr(self, name.lower()))


class Pointer:
    """Where an array's memory starts."""

    __slots__ = ("mem", "ptr")

    def __init__(self, array: Any) -> None:
        self.mem = array
        self.ptr = array._a.ctypes.data
