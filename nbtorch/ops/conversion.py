"""From one dtype or device to another, and copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.function import Function
from ..autograd.variable import TensorT, Variable, wrap
from ..backends import get_backend
from ..backends.base import Backend
from ..backends.device import device as Device
from ..backends.dtypes import (
    bfloat16,
    bool_,
    dtype,
    float16,
    float32,
    float64,
    from_numpy_dtype,
    int8,
    int16,
    int32,
    int64,
    of_python,
    uint8,
)
from ..backends.layouts import contiguous_format, inverse, like_first, order_of, preserve_format
from ..backends.quiet import SILENT, hush, unhush
from .record import Op, apply, mathematical

__all__ = [
    "clone",
]  # fmt: skip

TO_COPY = Op(
    "to_copy",
    lambda m, input, dtype: m.astype(input, dtype),
    node="ToCopyBackward0",
    input=lambda g: g,  # the engine brings a gradient back to its input's dtype
    formula=r"x' = 1",
    layout=like_first,
)


@TO_COPY
def to_numpy_dtype(input: Any, dtype: np.dtype[Any]) -> Any:
    """A copy in another dtype, named as NumPy names it."""
    if dtype.kind in "iub":
        m, array = input._backend, input._array
        token = hush(SILENT)  # what no integer can hold (NaN, infinity) becomes one without a word, as in PyTorch
        try:
            out = m.astype(array, dtype)
        finally:
            unhush(token)
        return wrap(like_first(m, out, (array,)), m, input._result_class)
    return apply(TO_COPY, (input,), (dtype,))


def widened(m: Any, x: Any) -> Any:
    """``x`` in float32 where it is of half precision, whose sums would be too coarse."""
    if isinstance(x, Variable):
        return x if x._array.dtype.itemsize >= 4 else to_numpy_dtype(x, np.dtype(np.float32))
    return x if x.dtype.itemsize >= 4 else m.astype(x, np.float32)


def narrowed(m: Any, array: Any, like: Any) -> Any:
    """A result computed by way of :func:`widened`, in the dtype of the array ``like``."""
    return array if array.dtype == like.dtype else m.astype(array, like.dtype)


def to_dtype(input: TensorT, d: dtype) -> TensorT:
    """``input`` itself where it has the dtype already, else a copy in it."""
    wanted = (of_python(d) if isinstance(d, type) else d).numpy
    return input if input._array.dtype == wanted else to_numpy_dtype(input, wanted)


CLONE = Op("clone", lambda m, input, order: _in_order(m, input, order), input=lambda g: g, formula=r"x' = 1")


def _in_order(m: Any, input: Any, order: Any) -> Any:
    """A copy whose dimensions lie in memory in this order, or in their own where it is None."""
    if order is None:
        return like_first(m, input.copy("K"), (input,))
    return m.permute(m.permute(input, order).copy("C"), inverse(order))


def _order(input: Any, memory_format: Any) -> Any:
    if memory_format is None or memory_format is preserve_format:
        return None
    return order_of(memory_format, input._array.ndim)


@CLONE
def clone(input: TensorT, *, memory_format: Any = None) -> TensorT:
    """A copy with memory of its own, in the graph: gradients flow back through it."""
    return apply(CLONE, (input,), (_order(input, memory_format),))


CONTIGUOUS = Op(
    "contiguous", lambda m, input: m.contiguous(input), node="CloneBackward0", input=lambda g: g, formula=r"x' = 1"
)


@CONTIGUOUS
def contiguous(input: TensorT, memory_format: Any = None) -> TensorT:
    """``input`` itself where its elements lie in row-major order (or that of a memory format), else a copy that does.

    Raises:
        RuntimeError: for a memory format that tensors of this number of dimensions don't have.
    """
    if memory_format is not None and memory_format is not contiguous_format:
        if memory_format is preserve_format:
            raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
        order = order_of(memory_format, input._array.ndim)
        return input if input._array.transpose(order).flags.c_contiguous else apply(CLONE, (input,), (order,))
    return input if input._array.flags.c_contiguous else apply(CONTIGUOUS, (input,))


class ToCopy(Function):
    """A copy on another device; its gradient is the copy back."""

    @staticmethod
    def forward(ctx: Any, input: Any, target: Backend) -> Any:
        ctx.source, ctx.target = input._backend, target
        host = input._backend.to_host(input._array)
        # The CPU's own array is copied: the two tensors must not share memory.
        array = target.from_host(host.copy() if input._backend.device.type == "cpu" else host)
        return wrap(array, target, input._result_class)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return ToCopy.apply(grads[0], ctx.source), None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return ToCopy.apply(tangents[0], ctx.target)


def to_device(input: TensorT, where: str | int | Device) -> TensorT:
    """``input`` itself where it is on the device already, else a copy there; gradients are copied back."""
    target = get_backend(where)
    # A tensor inside vmap is a batch on the device.
    here = target is input._backend or target.device == input._backend.device
    return input if here else ToCopy.apply(input, target)


@mathematical
def type_as(input: TensorT, other: Variable) -> TensorT:
    """``input`` in the dtype and on the device of ``other``."""
    return to_dtype(to_device(input, other._backend.device), from_numpy_dtype(other._array.dtype))


def parse_to(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dtype | None, bool]:
    """What ``to(...)`` was asked for: a device, a dtype, another tensor's, in PyTorch's spellings.

    Returns:
        device or None, dtype or None, whether to copy in any case.
    """
    where = kwargs.pop("device", None)
    d = kwargs.pop("dtype", None)
    copy = bool(kwargs.pop("copy", False))
    kwargs.pop("non_blocking", None)
    kwargs.pop("memory_format", None)
    if "other" in kwargs:
        args = (kwargs.pop("other"), *args)
    if kwargs:
        raise TypeError(f"to() received an unexpected keyword argument {next(iter(kwargs))!r}")
    for position, a in enumerate(args):
        if isinstance(a, dtype):
            d = a
        elif isinstance(a, type) and isinstance(of_python(a), dtype):
            d = of_python(a)
        elif isinstance(a, bool):
            copy = a if position > 1 and a else copy
        elif isinstance(a, (str, int, Device)):
            where = a
        elif isinstance(a, Variable):
            where, d = a._backend.device, a._dtype()
        elif a is not None:
            raise TypeError(
                f"to() received an invalid argument of type {type(a).__name__}\n"
                "  expected: a device ('cuda'), a dtype (torch.float64) or another tensor"
            )
    d = of_python(d)
    if d is not None and not isinstance(d, dtype):
        raise TypeError(f"to(): argument 'dtype' must be torch.dtype, not {type(d).__name__}")
    return where, d, copy


class ConversionMethods(Variable):
    """Conversions as methods of ``Tensor``."""

    __slots__ = ()

    clone = clone
    contiguous = contiguous
    type_as = type_as

    def to(self: TensorT, *args: Any, **kwargs: Any) -> TensorT:
        """To a device, a dtype, or those of another tensor; ``self`` where nothing changes.

        Raises:
            RuntimeError: for a device that can't be used here.
            TypeError: for anything that is neither a device, a dtype nor a tensor.
        """
        format = kwargs.get("memory_format")
        where, d, copy = parse_to(args, kwargs)
        out = self if where is None else to_device(self, where)
        out = out if d is None else to_dtype(out, d)
        if format is not None and format.order is not None:
            out = contiguous(out, format)
        return clone(out) if copy and out is self else out

    def cpu(self: TensorT) -> TensorT:
        """The tensor on the CPU."""
        return to_device(self, "cpu")

    def cuda(self: TensorT, device: Any = None, non_blocking: bool = False) -> TensorT:
        """The tensor on a GPU."""
        return to_device(self, "cuda" if device is None else device)

    def float(self: TensorT, memory_format: Any = None) -> TensorT:
        """In float32."""
        return to_dtype(self, float32)

    def double(self: TensorT, memory_format: Any = None) -> TensorT:
        """In float64."""
        return to_dtype(self, float64)

    def half(self: TensorT, memory_format: Any = None) -> TensorT:
        """In float16."""
        return to_dtype(self, float16)

    def bfloat16(self: TensorT, memory_format: Any = None) -> TensorT:
        """In bfloat16; needs the package ``ml_dtypes``."""
        return to_dtype(self, bfloat16)

    def long(self: TensorT, memory_format: Any = None) -> TensorT:
        """In int64."""
        return to_dtype(self, int64)

    def int(self: TensorT, memory_format: Any = None) -> TensorT:
        """In int32."""
        return to_dtype(self, int32)

    def short(self: TensorT, memory_format: Any = None) -> TensorT:
        """In int16."""
        return to_dtype(self, int16)

    def char(self: TensorT, memory_format: Any = None) -> TensorT:
        """In int8."""
        return to_dtype(self, int8)

    def byte(self: TensorT, memory_format: Any = None) -> TensorT:
        """In uint8."""
        return to_dtype(self, uint8)

    def bool(self: TensorT, memory_format: Any = None) -> TensorT:
        """In bool: True where not 0."""
        return to_dtype(self, bool_)
