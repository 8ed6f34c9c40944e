"""How the elements of a tensor lie in memory: PyTorch's memory formats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


class layout:
    """A kind of tensor storage; tensors here have one, ``strided``."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


class memory_format:
    """An order of the dimensions in memory: ``contiguous_format``, ``channels_last`` and the like."""

    __slots__ = ("name", "order")

    def __init__(self, name: str, order: tuple[int, ...] | None = None) -> None:
        self.name = name
        self.order = (
            order  # the dimensions from the outermost in memory to the innermost; None where any number will do
        )

    def __repr__(self) -> str:
        return f"torch.{self.name}"


strided = layout("strided")
# No tensor is of one of these: for comparisons with ``x.layout``.
_NAMES = ("sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "_mkldnn", "jagged")
SPARSE = {name: layout(name) for name in _NAMES}
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last", (0, 2, 3, 1))
channels_last_3d = memory_format("channels_last_3d", (0, 2, 3, 4, 1))


def order_of(format: memory_format, ndim: int) -> tuple[int, ...]:
    """The dimensions from the outermost in memory to the innermost.

    Raises:
        RuntimeError: for a format that tensors of this number of dimensions don't have.
    """
    if format.order is None:
        return tuple(range(ndim))
    if len(format.order) != ndim:
        raise RuntimeError(
            f"required rank {len(format.order)} tensor to use {format.name} format\n"
            f"  got: a tensor with {ndim} dimensions"
        )
    return format.order


def memory_order(shape: Sequence[int], *strides: Sequence[int]) -> list[int]:
    """The dimensions from the slowest to the fastest in memory, as PyTorch's TensorIterator sorts them.

    Of two dimensions the first operand decides that has a stride for both; stride 0 says nothing, and where no operand
    says anything they stay as they are. The rule is that of ``TensorIteratorBase::reorder_dimensions``.

    Args:
        shape: what the operands broadcast to.
        strides: of each operand, with 0 where it is stretched.
    """
    order = list(range(len(shape)))[::-1]

    def before(a: int, b: int) -> int:
        for steps in strides:
            if steps[a] and steps[b]:
                if steps[a] != steps[b]:
                    return 1 if steps[a] > steps[b] else -1
                if shape[a] > shape[b]:
                    return 1
        return 0

    for i in range(1, len(order)):
        at = i
        for earlier in range(i - 1, -1, -1):
            compared = before(order[earlier], order[at])
            if compared > 0:
                order[earlier], order[at] = order[at], order[earlier]
                at = earlier
            elif compared < 0:
                break
    return order[::-1]


def lies_in_order(array: Any, order: Sequence[int]) -> bool:
    """Whether an array is dense, with its dimensions in this order from the outermost to the innermost."""
    shape = array.shape
    wanted = dense_strides(shape, order)
    size = array.itemsize
    return all(n < 2 or s == w * size for n, s, w in zip(shape, array.strides, wanted, strict=True))


def in_order(m: Any, array: Any, order: Sequence[int]) -> Any:
    """The array itself where its dimensions lie in memory in this order without gaps, else a copy that does."""
    if lies_in_order(array, order):
        return array
    return m.permute(m.contiguous(m.permute(array, tuple(order))), inverse(order))


def in_rows(m: Any, out: Any, operands: Sequence[Any]) -> Any:
    """A result in row-major order, whatever the operands' is: as most operations of PyTorch give it."""
    return out if out.flags.c_contiguous else m.contiguous(out)


def like_first(m: Any, out: Any, operands: Sequence[Any]) -> Any:
    """A result of the first operand's shape, its dimensions in memory in the same order."""
    first = operands[0]
    if first.flags.c_contiguous:
        return in_rows(m, out, operands)
    return in_order(m, out, memory_order(out.shape, first.strides))


def has_channels_last(array: Any) -> bool:
    """Whether PyTorch takes an array for a batch of images or volumes whose channels lie innermost in memory.

    It looks at the strides alone, and where they leave it open the answer is no (``c10/core/MemoryFormat.h``).
    """
    if array.ndim not in (4, 5) or array.strides[1] == 0:
        return False
    if array.flags.c_contiguous and array.shape[-1] > 1:
        return False
    least = 0
    for d in (1, *range(array.ndim - 1, 1, -1), 0):
        if array.shape[d] == 0 or array.strides[d] < least or (d == 0 and least == array.strides[1]):
            return False
        least = array.strides[d] * array.shape[d]
    return True


def _channels_last(m: Any, out: Any) -> Any:
    return in_order(m, out, (0, *range(2, out.ndim), 1))


def in_image_order(m: Any, out: Any, operands: Sequence[Any]) -> Any:
    """A result in rows, or with the channels last where those of the first operand, a batch of images, are last."""
    if out.ndim > 3 and has_channels_last(operands[0]):
        return _channels_last(m, out)
    return in_rows(m, out, operands)


def in_convolution_order(m: Any, out: Any, operands: Sequence[Any]) -> Any:
    """As :func:`in_image_order`, also where it is the weight whose channels are last."""
    if out.ndim > 3 and (has_channels_last(operands[0]) or has_channels_last(operands[1])):
        return _channels_last(m, out)
    return in_rows(m, out, operands)


def in_joined_order(m: Any, out: Any, operands: Sequence[Any]) -> Any:
    """A result in rows, or with the channels last where those of all operands are."""
    if out.ndim > 3 and all(has_channels_last(x) for x in operands):
        return _channels_last(m, out)
    return in_rows(m, out, operands)


def like_operands(m: Any, out: Any, operands: Sequence[Any]) -> Any:
    """The result of an elementwise operation, its dimensions in memory in the order that PyTorch gives them.

    NumPy prefers rows where operands disagree; in PyTorch the first that is not stretched decides.
    """
    arrays = [x for x in operands if hasattr(x, "strides")]
    if out.flags.c_contiguous and all(x.flags.c_contiguous for x in arrays):
        return out
    shape = out.shape
    strides = []
    for x in arrays:
        lead = len(shape) - x.ndim
        sized = zip(x.shape, shape[lead:], x.strides, strict=True)
        strides.append([0] * lead + [s // x.itemsize if n == wide else 0 for n, wide, s in sized])
    return in_order(m, out, memory_order(shape, *strides))


def inverse(order: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes ``order``."""
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def dense_strides(shape: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    """Strides without gaps, where ``order`` names the dimensions from the outermost to the innermost."""
    out = [0] * len(shape)
    for i, d in enumerate(order):
        out[d] = math.prod(max(shape[k], 1) for k in order[i + 1 :])
    return tuple(out)
