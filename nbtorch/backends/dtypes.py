"""Data types, and which one an operation between two of them gives.

NumPy's promotion differs from PyTorch's (``float32`` with ``int64`` is ``float64`` there, ``float32`` here), so the
rules are nbtorch's own: a lattice over the categories bool < integer < floating, as in PyTorch's documentation of
``torch.result_type``.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

__all__ = [
    "bfloat16", "bool_", "double", "dtype", "finfo", "float16", "float32", "float64", "from_numpy_dtype",
    "get_default_dtype", "half", "iinfo", "int8", "int16", "int32", "int64", "long", "promote_types",
    "set_default_dtype", "short", "uint8",
]  # fmt: skip


class dtype:
    """The type of a tensor's elements, such as ``float32``.

    Attributes:
        itemsize: bytes per element.
        is_floating_point: whether gradients can flow through tensors of this type.
        is_signed: whether negative values can be held.
    """

    __slots__ = ("_name", "_numpy", "category", "is_complex", "is_floating_point", "is_signed", "itemsize")

    def __init__(self, name: str, numpy_dtype: np.dtype[Any] | None, category: int, itemsize: int) -> None:
        self._name = name
        self._numpy = numpy_dtype
        self.category = category
        self.itemsize = itemsize
        self.is_floating_point = category == FLOATING
        self.is_complex = category == COMPLEX
        self.is_signed = name != "bool" and not name.startswith(("uint", "quint", "bits"))

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype that holds it.

        Raises:
            TypeError: for ``bfloat16`` where the package ``ml_dtypes`` is missing.
        """
        if self._numpy is None:
            if self._name != "bfloat16":
                raise TypeError(
                    f"{self!r} is not supported by nbtorch\n"
                    f"  expected: one of {', '.join(d._name for d in ALL)}\n"
                    f"  fix: {_instead_of(self._name)}"
                )
            self._numpy = _bfloat16_from_ml_dtypes()
            _FROM_NUMPY[self._numpy] = self
        return self._numpy

    # PyTorch prints its own name, and programs that print a dtype must print the same here.
    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def __reduce__(self) -> str | tuple[Any, ...]:
        return (_by_name, (self._name,))

    def __copy__(self) -> dtype:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> dtype:
        return self

    def to_complex(self) -> dtype:
        raise TypeError("complex dtypes are not supported by nbtorch: keep real and imaginary parts in two tensors")


def _bfloat16_from_ml_dtypes() -> np.dtype[Any]:
    try:
        import ml_dtypes
    except ImportError:
        raise TypeError(
            "bfloat16 needs the package ml_dtypes, which is not installed.\n"
            "  expected: an element type that NumPy knows, or ml_dtypes beside it\n"
            "  fix: pip install ml_dtypes, or use float32"
        ) from None
    return np.dtype(ml_dtypes.bfloat16)


BOOL, INTEGER, FLOATING, COMPLEX = 0, 1, 2, 3

bool_ = dtype("bool", np.dtype(np.bool_), BOOL, 1)
uint8 = dtype("uint8", np.dtype(np.uint8), INTEGER, 1)
int8 = dtype("int8", np.dtype(np.int8), INTEGER, 1)
int16 = short = dtype("int16", np.dtype(np.int16), INTEGER, 2)
int32 = dtype("int32", np.dtype(np.int32), INTEGER, 4)
int64 = long = dtype("int64", np.dtype(np.int64), INTEGER, 8)
float16 = half = dtype("float16", np.dtype(np.float16), FLOATING, 2)
bfloat16 = dtype("bfloat16", None, FLOATING, 2)
float32 = dtype("float32", np.dtype(np.float32), FLOATING, 4)
float64 = double = dtype("float64", np.dtype(np.float64), FLOATING, 8)

ALL: tuple[dtype, ...] = (bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64)
# Names that PyTorch has beside these, for tables of dtypes and comparisons: no tensor has one.
OTHERS: dict[str, dtype] = {
    name: dtype(name, None, category, size)
    for category, size, names in (
        (COMPLEX, 4, "complex32"),
        (COMPLEX, 8, "complex64"),
        (COMPLEX, 16, "complex128"),
        (INTEGER, 2, "uint16 bits16"),
        (INTEGER, 4, "uint32 qint32"),
        (INTEGER, 8, "uint64"),
        (INTEGER, 1, "int1 int2 int3 int4 int5 int6 int7 uint1 uint2 uint3 uint4 uint5 uint6 uint7 bits1x8 bits2x4 "
         "bits4x2 bits8 qint8 quint8 quint4x2 quint2x4"),
        (FLOATING, 1, "float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu float4_e2m1fn_x2"),
    )
    for name in names.split()
}  # fmt: skip
OTHERS.update(chalf=OTHERS["complex32"], cfloat=OTHERS["complex64"], cdouble=OTHERS["complex128"])


def _instead_of(name: str) -> str:
    if name.startswith("complex"):
        return "keep real and imaginary parts in two tensors"
    return "use a wider dtype, such as int64" if "int" in name or "bits" in name else "use float16 or float32"


_FROM_NUMPY: dict[Any, dtype] = {d._numpy: d for d in ALL if d._numpy is not None}
_BY_NAME = {d._name: d for d in (*ALL, *OTHERS.values())}


def _by_name(name: str) -> dtype:
    return _BY_NAME[name]


def from_numpy_dtype(numpy_dtype: np.dtype[Any]) -> dtype:
    """The nbtorch dtype of a NumPy dtype.

    Raises:
        TypeError: where there is none (strings, objects, complex and unsigned types wider than 8 bits).
    """
    found = _FROM_NUMPY.get(numpy_dtype)
    if found is not None:
        return found
    if numpy_dtype.name == "bfloat16":
        _FROM_NUMPY[numpy_dtype] = bfloat16
        bfloat16._numpy = numpy_dtype
        return bfloat16
    native = numpy_dtype.newbyteorder("=")
    if native in _FROM_NUMPY:
        raise TypeError(
            f"can't hold an array of {numpy_dtype}: its bytes are in the other order.\n"
            f"  fix: pass array.astype('{native.name}')"
        )
    supported = ", ".join(d._name for d in ALL)
    raise TypeError(
        f"can't convert np.ndarray of type {numpy_dtype} to a tensor.\n"
        f"  expected: one of {supported}\n"
        f"  got: {numpy_dtype}\n"
        "  fix: convert first, for example array.astype('float32')"
    )


_default: dtype = float32


def get_default_dtype() -> dtype:
    """The floating dtype that Python floats become; ``float32`` unless changed."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Sets the floating dtype that Python floats become.

    Raises:
        TypeError: where ``d`` is not a floating dtype.
    """
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d!r}")
    _default = d


# The order within the integers and within the floating types; uint8 with int8, and float16 with bfloat16, meet above.
_WIDTH = {bool_: 0, uint8: 1, int8: 1, int16: 2, int32: 3, int64: 4, float16: 1, bfloat16: 1, float32: 2, float64: 3}


@functools.cache
def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype to which both can be converted: PyTorch's table, not NumPy's."""
    if type1 is type2:
        return type1
    if type1.category != type2.category:
        return type1 if type1.category > type2.category else type2
    if _WIDTH[type1] == _WIDTH[type2]:
        return float32 if type1.is_floating_point else int16
    return type1 if _WIDTH[type1] > _WIDTH[type2] else type2


class finfo:
    """Limits of a floating dtype: ``eps``, ``max``, ``min``, ``tiny``, ``bits``, ``resolution``."""

    def __init__(self, type: dtype | None = None) -> None:
        d = get_default_dtype() if type is None else type
        if not d.is_floating_point:
            raise TypeError(f"finfo needs a floating dtype, got {d!r}; use iinfo for integers")
        if d is bfloat16:
            import ml_dtypes

            info: Any = ml_dtypes.finfo(d.numpy)
        else:
            info = np.finfo(d.numpy)
        self.bits: int = info.bits
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.tiny)
        self.resolution = float(info.resolution)
        self.dtype = d._name

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer dtype: ``min``, ``max``, ``bits``."""

    def __init__(self, type: dtype) -> None:
        if type.category != INTEGER:
            raise TypeError(f"iinfo needs an integer dtype, got {type!r}; use finfo for floating types")
        info = np.iinfo(type.numpy)
        self.bits: int = info.bits
        self.max, self.min, self.dtype = int(info.max), int(info.min), type._name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


_OF_PYTHON = {float: float64, int: int64, bool: bool_}


def of_python(d: Any) -> Any:
    """The dtype that stands for one of Python's number types where a dtype is asked for; anything else as it is."""
    return _OF_PYTHON.get(d, d) if isinstance(d, type) else d
