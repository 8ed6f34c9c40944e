"""What ``out=`` may be where PyTorch is stricter, or more generous, than it is for elementwise operations."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from ..autograd.variable import Variable
from ..backends.dtypes import from_numpy_dtype
from .operands import beneath_names
from .writing import can_hold, serves_out, write_out

F = TypeVar("F", bound=Callable[..., Any])


def check_exact(function: str, out: Any, value: Any) -> None:
    """Raises where ``out`` has another dtype than the result that is to be written there."""
    if isinstance(out, Variable) and isinstance(value, Variable) and out._array.dtype != value._array.dtype:
        raise RuntimeError(
            f"Expected out tensor to have dtype {value._dtype()!r}, but got {out._dtype()!r} instead\n"
            f"  operation: {function}\n  fix: give an out tensor of dtype {value._dtype()!r}"
        )


def write_exact_out(function: str, out: Any, value: Any) -> Any:
    """``write_out`` of one result into a tensor that must have its dtype."""
    check_exact(function, out, value)
    return write_out(function, out, value)


def _check_each_exact(function: str, out: Any, value: Any) -> None:
    if isinstance(value, tuple) and isinstance(out, (tuple, list)) and len(out) == len(value):
        for o, v in zip(out, value, strict=True):
            check_exact(function, o, v)
    else:
        check_exact(function, out, value)


# Each tensor given must have the dtype of its result.
takes_exact_out = serves_out(_check_each_exact)


def _check_joined(function: str, out: Any, value: Any) -> None:
    if isinstance(out, Variable) and not can_hold(out._array.dtype, value._array.dtype):
        raise TypeError(
            f"torch.cat(): input types can't be cast to the desired output type {out._dtype()!r}\n"
            f"  operation: {function}, with out=\n  got: a result of {value._dtype()!r}"
        )


# For functions that join tensors: a TypeError where ``out`` can't hold the result.
takes_joined_out = serves_out(_check_joined)


def takes_out_apart(function: F) -> F:
    """Serves ``out`` of functions that gather: of the dtype of the result, and not over the memory of an input.

    Raises:
        RuntimeError: where the dtype differs, or where ``out`` shares memory with an input.
    """
    return apart(takes_exact_out(function))


def apart(function: F) -> F:
    """Refuses an ``out`` that shows memory of an input, above what serves ``out``.

    Raises:
        RuntimeError: where it does.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out")
        if isinstance(out, Variable):
            refuse_overlap(function.__name__, out, (*args, *[v for name, v in kwargs.items() if name != "out"]))
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def refuse_overlap(function: str, out: Variable, arguments: Any) -> None:
    """Raises where ``out`` shows memory that a tensor among the arguments shows too, both without gaps.

    Raises:
        RuntimeError: where it does.
    """
    m = out._backend
    array = out._array
    if array.size and any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True)):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            f"Please clone() the tensor before performing the operation.\n  operation: {function}, with out="
        )
    for x in arguments:
        if isinstance(x, (tuple, list)):
            refuse_overlap(function, out, x)
        elif isinstance(x, Variable) and x._backend is m and (x is out or _overlap(m, x._array, out._array)):
            raise RuntimeError(
                "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
                "memory location. Please clone() the tensor before performing the operation.\n"
                f"  operation: {function}, with out="
            )


def _overlap(m: Any, a: Any, b: Any) -> bool:
    if not (a.size and b.size and a.flags.c_contiguous and b.flags.c_contiguous):
        return False
    start, other = m.address(a), m.address(b)
    return bool(start < other + b.nbytes and other < start + a.nbytes)


def takes_out_as_dtype(function: F) -> F:
    """Serves ``out`` of a function that has ``dtype``: unless another is named, it computes in that of ``out``.

    Raises:
        RuntimeError: where ``dtype`` is named and ``out`` has another.
    """

    plain = beneath_names(function)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not kwargs:
            return plain(*args)
        out = kwargs.pop("out", None)
        if isinstance(out, Variable):
            wanted = from_numpy_dtype(out._array.dtype)
            given = kwargs.get("dtype")
            if given is not None and given is not wanted:
                raise RuntimeError(
                    f"Expected out tensor to have dtype {given!r}, but got {wanted!r} instead\n"
                    f"  operation: {function.__name__}, with dtype= and out="
                )
            value = function(*args, **kwargs)
            if from_numpy_dtype(value._array.dtype) is not wanted:
                value = function(*args, **{**kwargs, "dtype": wanted})
            return write_out(function.__name__, out, value)
        value = function(*args, **kwargs)
        return value if out is None else write_out(function.__name__, out, value)

    return wrapper  # type: ignore[return-value]
