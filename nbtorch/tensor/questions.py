"""Questions about tensors, and small functions that PyTorch has beside the operations."""

from __future__ import annotations

import builtins
import warnings
from typing import Any

import numpy as np

from ..autograd.modes import is_inference_mode_enabled
from ..backends.device import device as Device
from ..backends.dtypes import dtype, from_numpy_dtype
from ..ops import arange, from_numpy, operands
from ..ops.memory import Memory
from .size import Size
from .tensor import Tensor

__all__ = [
    "broadcast_shapes", "broadcast_tensors", "can_cast", "detach",
    "frombuffer", "get_device", "is_complex", "is_conj", "is_distributed", "is_floating_point",
    "is_inference", "is_neg", "is_nonzero", "is_same_size", "is_signed", "is_storage", "is_tensor",
    "is_vulkan_available", "numel", "range", "result_type", "typename",
]  # fmt: skip


def is_tensor(obj: object) -> bool:
    """Whether ``obj`` is a tensor."""
    return isinstance(obj, Tensor)


def is_storage(obj: object) -> bool:
    """Whether ``obj`` is a storage."""
    return isinstance(obj, Memory)


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype of ``input`` is a floating one."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """False: there are no complex tensors."""
    return False


def is_conj(input: Tensor) -> bool:
    """False: there are no complex tensors."""
    return False


def is_neg(input: Tensor) -> bool:
    """False: numbers are negated at once."""
    return False


def is_signed(input: Tensor) -> bool:
    """Whether the dtype of ``input`` has negative numbers."""
    return str(input.dtype) not in ("torch.uint8", "torch.bool")


def is_inference(input: Tensor) -> bool:
    """Whether gradients are off for good here: True inside ``inference_mode``."""
    return is_inference_mode_enabled()


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape."""
    return bool(input.shape == other.shape)


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not 0.

    Raises:
        RuntimeError: where there is not exactly one element.
    """
    return bool(input)


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()


def is_distributed(input: Tensor) -> bool:
    """False: there is one process."""
    return False


def is_vulkan_available() -> bool:
    """Always False: there is no Vulkan device."""
    return False


def get_device(input: Tensor) -> int:
    """The index of the GPU that ``input`` lives on; -1 for the CPU."""
    where: Device = input.device
    return -1 if where.type == "cpu" else where.index or 0


def typename(obj: Any) -> str:
    """The name of a tensor's type, such as ``torch.FloatTensor``, or of an object's class."""
    if isinstance(obj, Tensor):
        return str(obj.type())
    cls = obj if isinstance(obj, type) else type(obj)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The dtype that an operation between the two would have."""
    return operands.result_type(tensor1, tensor2)


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether PyTorch's promotion rules let values of one dtype be written to another in place."""
    return from_.category <= to.category


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors, expanded to their common shape."""
    shape = operands.broadcast_shapes("broadcast_tensors", *[tuple(t.shape) for t in tensors])
    return tuple(t.expand(shape) for t in tensors)


def broadcast_shapes(*shapes: Any) -> Size:
    """The common shape of several."""
    return Size(
        operands.broadcast_shapes("broadcast_shapes", *[(s,) if isinstance(s, int) else tuple(s) for s in shapes])
    )


def detach(input: Tensor) -> Tensor:
    """A leaf over the same memory that requires no gradient."""
    return input.detach()


def range(start: float = 0, end: Any = None, step: float = 1, **options: Any) -> Any:
    """As ``arange``, but with ``end``; PyTorch has deprecated it."""
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
        "Python's range builtin. Instead, use torch.arange, which produces values in [start, end).",
        UserWarning,
        stacklevel=2,
    )
    if end is None:
        start, end = 0, start
    count = int((end - start) / step) + 1
    options.setdefault("dtype", from_numpy_dtype(np.dtype(np.float32)))
    return arange(count, **options) * step + start


def frombuffer(
    buffer: Any, *, dtype: dtype, count: int = -1, offset: int = 0, requires_grad: builtins.bool = False
) -> Any:
    """A 1-D tensor over the memory of a buffer.

    Raises:
        ValueError: where the buffer is empty or too small.
    """
    array = np.frombuffer(buffer, dtype.numpy, count, offset)
    return from_numpy(array).requires_grad_(requires_grad)
