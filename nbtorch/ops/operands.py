"""What may stand on either side of an operator, and the dtype that an operation computes in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeGuard, TypeVar

import numpy as np

from ..autograd.variable import Variable, wrap
from ..backends.base import Backend
from ..backends.dtypes import (
    BOOL,
    INTEGER,
    bool_,
    dtype,
    from_numpy_dtype,
    get_default_dtype,
    int64,
    promote_types,
)

F = TypeVar("F", bound=Callable[..., Any])
Number = bool | int | float
NUMBERS = (bool, int, float)
OPERANDS = (Variable, bool, int, float, np.generic, np.ndarray)


def is_operand(x: object) -> TypeGuard[Any]:
    return isinstance(x, OPERANDS)


def refuse_scalar(function: str, name: str, x: Any) -> None:
    """Raises for a 0-d tensor where a dimension is asked for."""
    if not x._array.ndim:
        raise IndexError(
            f"Dimension specified as 0 but tensor has no dimensions\n  operation: {function}\n"
            f"  got: {name} of shape ()\n  expected: at least one dimension"
        )


def require_tensor(function: str, argument: str, value: Any) -> None:
    """Raises the TypeError of PyTorch, with the way out."""
    if not isinstance(value, Variable):
        raise TypeError(
            f"{function}(): argument '{argument}' must be Tensor, not {type(value).__name__}\n"
            f"  got: {_shorten(value)}\n  fix: make a tensor of it with torch.tensor(...)"
        )


def require_int(function: str, argument: str, value: Any) -> None:
    """Raises PyTorch's TypeError for what is not a whole number."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{function}(): argument '{argument}' must be int, not {type(value).__name__}")


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def operand(x: Any, backend: Backend, function: str, argument: str) -> Any:
    """``x`` as a tensor or a Python number.

    Raises:
        TypeError: for anything else.
        RuntimeError: for a NumPy array where the other operand lives on a device.
    """
    if isinstance(x, np.generic):  # asked first: a np.float64 is a Python float too
        return x.item()  # as PyTorch: a NumPy scalar counts as a Python number, and float32 stays float32
    if isinstance(x, (Variable, *NUMBERS)):
        return x
    if isinstance(x, np.ndarray):
        from_numpy_dtype(x.dtype)
        if backend.device.type != "cpu":
            raise RuntimeError(
                f"{function}(): Expected all tensors to be on the same device, but got a NumPy array (on the CPU) and "
                f"a tensor on {backend.device}\n  fix: torch.from_numpy(array).to({str(backend.device)!r})"
            )
        # A copy: the graph may keep it, and the caller may write into the array later.
        return wrap(np.array(x), backend)
    if isinstance(x, complex):
        raise TypeError(f"{function}(): complex numbers are not supported, got {argument}={x!r}")
    require_tensor(function, argument, x)
    return x


def python_numbers(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """NumPy's scalars among the arguments as Python's numbers: a np.float64 would make float32 arrays wider."""
    return tuple([x.item() if isinstance(x, np.generic) else x for x in arguments])


def number_dtype(x: Number) -> dtype:
    return bool_ if isinstance(x, bool) else int64 if isinstance(x, int) else get_default_dtype()


def result_type(a: Any, b: Any) -> dtype:
    """The dtype of an operation between two tensors or numbers (PyTorch's ``torch.result_type``).

    A tensor with dimensions outranks a 0-d tensor, and that a Python number, unless the lower one is of a higher
    category (bool < integer < floating).
    """
    da, ra = (a._dtype(), 2 if a._array.ndim else 1) if isinstance(a, Variable) else (number_dtype(a), 0)
    db, rb = (b._dtype(), 2 if b._array.ndim else 1) if isinstance(b, Variable) else (number_dtype(b), 0)
    if ra != rb:
        high, low = (da, db) if ra > rb else (db, da)
        if low.category <= high.category:
            return high
        return low
    return promote_types(da, db)


def float_of(d: dtype) -> dtype:
    return d if d.is_floating_point else get_default_dtype()


def cast(x: Any, d: dtype, backend: Backend) -> Any:
    """The array (or number) of an operand, in dtype ``d``."""
    if isinstance(x, Variable):
        array = x._array
        return array if array.dtype == d.numpy else backend.astype(array, d.numpy)
    if d.category == BOOL:
        return np.bool_(x)
    if d.category == INTEGER:
        return _in_range(int(x), d)
    return x


def _in_range(x: int, d: dtype) -> int:
    """``x`` in two's complement where the integer dtype can't hold it, as PyTorch takes numbers beside tensors."""
    bits = 8 * d.numpy.itemsize
    low = 0 if d.numpy.kind == "u" else -1 << bits - 1
    return x if low <= x < low + (1 << bits) or bits == 64 else (x - low) % (1 << bits) + low


def broadcast_shapes(function: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape.

    Raises:
        RuntimeError: naming the first dimension that doesn't fit, counted as PyTorch counts.
    """
    ndim = max((len(s) for s in shapes), default=0)
    out = [1] * ndim
    for s in shapes:
        for i, n in enumerate(s, ndim - len(s)):
            if n != 1:
                if out[i] not in (1, n):
                    raise RuntimeError(
                        f"The size of tensor a ({out[i]}) must match the size of tensor b ({n}) at non-singleton "
                        f"dimension {i}\n  operation: {function}\n"
                        f"  got: shapes {' and '.join(str(tuple(s)) for s in shapes)}\n"
                        "  expected: from the right, sizes that are equal or 1\n"
                        "  fix: reshape one of them, for example with unsqueeze()"
                    )
                out[i] = n
    return tuple(out)


def normalize_dim(dim: int, ndim: int, function: str = "") -> int:
    """``dim`` counted from the front.

    Raises:
        IndexError: where it is out of range.
        TypeError: where it is not an int.
    """
    if type(dim) is int and 0 <= dim < ndim:
        return dim
    if isinstance(dim, (bool, float, str)) or not hasattr(dim, "__index__"):
        raise TypeError(f"{function}(): argument 'dim' must be int, not {type(dim).__name__}\n  got: {dim!r}")
    d = int(dim.__index__())
    n = max(ndim, 1)
    if not -n <= d < n:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {d})"
            + (f"\n  operation: {function} on a tensor with {ndim} dimensions" if function else "")
        )
    return d + n if d < 0 else d


def normalize_dims(dim: Any, ndim: int, function: str = "") -> tuple[int, ...]:
    """One dim, several, or None for all, as a tuple counted from the front."""
    if dim is None:
        return tuple(range(ndim))
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    out = tuple(normalize_dim(d, ndim, function) for d in dims)
    if len(set(out)) != len(out):
        raise RuntimeError(f"dim {out[-1]} appears multiple times in the list of dims\n  operation: {function}")
    return tuple(d for d in out if d < ndim)


_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def numpy_names(function: F) -> F:
    """Lets ``function`` be called with NumPy's ``axis`` and ``keepdims`` too, as PyTorch's functions can be."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if "axis" in kwargs or "keepdims" in kwargs:
            kwargs = {_NUMPY_NAMES.get(name, name): value for name, value in kwargs.items()}
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


_NAMED = numpy_names(lambda: None).__code__


def beneath_names(function: F) -> F:
    """What ``numpy_names`` was put on, if it was: for calls without keywords, which need no other names."""
    return function.__wrapped__ if function.__code__ is _NAMED else function  # type: ignore[attr-defined]


_TYPE_NAMES = {
    "bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long",
    "float16": "Half", "bfloat16": "BFloat16", "float32": "Float", "float64": "Double",
}  # fmt: skip


def type_name(x: Any) -> str:
    """The dtype of a tensor as PyTorch's sentences say it: Float, Long."""
    return _TYPE_NAMES[x._dtype()._name]
