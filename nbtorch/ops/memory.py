"""Views by place in memory: ``as_strided``, sliding windows, and methods that give a tensor another shape or memory.

An array knows the memory that it shows a part of; sizes, strides and the offset say which part. A derivative can't
rely on that, since a gradient lies in memory of its own: it finds the elements by their positions in the memory of
the value, which are worked out on the host and depend on the layouts alone.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..autograd.modes import grad_mode
from ..autograd.variable import TensorT, Variable, View, shared_storage, wrap
from ..backends import get_backend
from ..backends.base import Layout
from ..backends.dtypes import uint8
from .operands import normalize_dim, require_tensor
from .record import Op, apply, apply_view, mathematical
from .shape import sizes, squeeze, t, transpose, unsqueeze
from .writing import check_history, replace_memory

__all__ = ["as_strided", "as_strided_scatter"]


def positions(shape: Sequence[int], stride: Sequence[int], offset: int) -> np.ndarray[Any, Any]:
    """Where each element of a layout stands in the memory, as a vector."""
    out = np.full((1,) * len(shape), offset, np.int64)
    for d, (n, step) in enumerate(zip(shape, stride, strict=True)):
        out = out + (np.arange(n, dtype=np.int64) * step).reshape((-1,) + (1,) * (len(shape) - 1 - d))
    return np.ascontiguousarray(np.broadcast_to(out, tuple(shape))).reshape(-1)


def extent(shape: Sequence[int], stride: Sequence[int], offset: int) -> int:
    """How much memory a layout reaches over."""
    if 0 in shape:
        return 0
    return offset + 1 + sum((n - 1) * s for n, s in zip(shape, stride, strict=True))


def constant(like: Any, m: Any, host: np.ndarray[Any, Any]) -> Any:
    """Numbers worked out on the host, in the form that ``like`` has: a tensor or an array."""
    if isinstance(like, Variable):
        return wrap(like._backend.from_host(host), like._backend)
    return m.from_host(host)


def _show(m: Any, input: Any, size: Any, stride: Any, offset: int, layout: Layout) -> Any:
    if m.layout(input) == layout:
        return m.as_strided(input, size, stride, offset)
    # A stand-in with memory of its own, as a gradient is: its elements go to the places of the original's.
    memory = max(extent(*layout), extent(size, stride, offset))
    flat = m.zeros((memory,), input.dtype)
    flat[m.from_host(positions(*layout))] = m.reshape(input, (-1,))
    return m.reshape(flat[m.from_host(positions(size, stride, offset))], size)


def _as_strided_input(m: Any, g: Any, size: Any, stride: Any, offset: int, layout: Layout) -> Any:
    memory = max(extent(*layout), extent(size, stride, offset))
    shown, stand = positions(size, stride, offset), positions(*layout)
    flat = m.new_zeros(g, (memory,))
    if shown.size:
        flat = m.index_add(flat, 0, constant(g, m, shown), m.reshape(g, (shown.size,)))
    back = m.reshape(m.take(flat, constant(g, m, stand), 0), layout[0])
    count = np.bincount(stand, minlength=memory)
    if count.size and count.max() > 1:  # elements of the input that share a place share its gradient
        shares = count[stand].astype(g._array.dtype if isinstance(g, Variable) else g.dtype)
        back = back / constant(g, m, shares.reshape(layout[0]))
    return back


AS_STRIDED = Op(
    "as_strided",
    _show,
    input=_as_strided_input,
    formula=r"\text{each place in memory gets the sum of the gradients of the elements that show it}",
)


def _check_layout(input: Any, size: Any, stride: Any, offset: int | None) -> tuple[Any, Any, int]:
    require_tensor("as_strided", "input", input)
    shape, steps = sizes((size,), "as_strided"), sizes((stride,), "as_strided")
    if len(shape) != len(steps):
        raise RuntimeError(
            f"mismatch in length of strides and shape\n  got: {len(shape)} sizes and {len(steps)} strides"
        )
    if any(s < 0 for s in steps):
        raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(steps)}")
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(shape)}: a size is negative")
    m = input._backend
    start = m.storage_offset(input._array) if offset is None else offset
    if start < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {start}")
    needed, has = extent(shape, steps, start), int(m.memory(input._array).shape[0])
    if needed > has:
        raise RuntimeError(
            f"setStorage: sizes {list(shape)}, strides {list(steps)}, storage offset {start}, and itemsize "
            f"{input._array.itemsize} requiring a storage size of {needed * input._array.itemsize} are out of bounds "
            f"for storage of size {has * input._array.itemsize}"
        )
    return shape, steps, start


@AS_STRIDED
def as_strided(input: TensorT, size: Any, stride: Any, storage_offset: int | None = None) -> TensorT:
    """A view of the memory of ``input``: element ``(i, j)`` stands at ``offset + i*stride[0] + j*stride[1]``.

    Args:
        size: the shape of the view.
        stride: for each dimension, how many elements of memory lie between neighbours; 0 repeats.
        storage_offset: where in the memory the first element stands; that of ``input`` unless given.

    Raises:
        RuntimeError: for negative strides, and where the memory is not large enough.
    """
    shape, steps, offset = _check_layout(input, size, stride, storage_offset)
    m = input._backend
    out = apply_view(AS_STRIDED, input, (shape, steps, offset, m.layout(input._array)), shares=True)
    view = out._view
    if view.base is not input:
        # It may show elements that the view does not: the way from the base is by memory alone.
        view.replay = _by_memory(view.base, out)
    return out


def _by_memory(base: Any, view: Any) -> tuple[tuple[Op, tuple[Any, ...]], ...]:
    m = base._backend
    return ((AS_STRIDED, (*m.layout(view._array), m.layout(base._array))),)


def as_strided_scatter(
    input: TensorT, src: Variable, size: Any, stride: Any, storage_offset: int | None = None
) -> TensorT:
    """A copy of ``input``, of the same strides, with ``src`` written where ``as_strided`` of it would show.

    Raises:
        RuntimeError: where ``src`` is not of the shape ``size``.
    """
    require_tensor("as_strided_scatter", "src", src)
    shape, steps, offset = _check_layout(input, size, stride, storage_offset)
    if tuple(src._array.shape) != shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src._array.shape)}, slice size "
            f"= {list(shape)}"
        )
    m = input._backend
    return apply(AS_STRIDED_SCATTER, (input, src), (shape, steps, offset, m.layout(input._array)))


def _scattered(m: Any, input: Any, src: Any, size: Any, stride: Any, offset: int, layout: Layout) -> Any:
    memory = max(extent(*layout), extent(size, stride, offset))
    flat = m.zeros((memory,), input.dtype)
    stand = m.from_host(positions(*layout))
    flat[stand] = m.reshape(input, (-1,))
    flat[m.from_host(positions(size, stride, offset))] = m.reshape(m.astype(src, input.dtype), (-1,))
    return m.reshape(flat[stand], layout[0])


def _scattered_input(m: Any, g: Any, size: Any, stride: Any, offset: int, layout: Layout) -> Any:
    written = np.isin(positions(*layout), positions(size, stride, offset)).reshape(layout[0])
    return m.masked_fill(g, constant(g, m, written), 0)


def _scattered_src(m: Any, g: Any, size: Any, stride: Any, offset: int, layout: Layout) -> Any:
    memory = max(extent(*layout), extent(size, stride, offset))
    stand = positions(*layout)
    first = np.zeros(memory, np.int64)
    first[stand] = np.arange(stand.size)
    inside = np.isin(positions(size, stride, offset), stand)
    taken = m.take(m.reshape(g, (stand.size,)), constant(g, m, first[positions(size, stride, offset)]), 0)
    return m.reshape(m.masked_fill(taken, constant(g, m, ~inside), 0), size)


AS_STRIDED_SCATTER = Op(
    "as_strided_scatter",
    _scattered,
    tensors=2,
    input=_scattered_input,
    src=_scattered_src,
    formula=r"\text{the gradient goes to what was written; what was there before gets } 0",
)
AS_STRIDED_SCATTER(as_strided_scatter)


# -- sliding windows ---


def _windows(m: Any, input: Any, dim: int, size: int, step: int) -> Any:
    shape, stride, offset = m.layout(input)
    count = (shape[dim] - size) // step + 1
    return m.as_strided(
        input,
        (*shape[:dim], count, *shape[dim + 1 :], size),
        (*stride[:dim], stride[dim] * step, *stride[dim + 1 :], stride[dim]),
        offset,
    )


def _windows_input(m: Any, g: Any, dim: int, size: int, step: int, shape: Any) -> Any:
    ndim = len(shape)
    count = g.shape[dim]
    index = (np.arange(count)[:, None] * step + np.arange(size)).reshape(-1)
    together = m.permute(g, (*range(dim + 1), ndim, *range(dim + 1, ndim)))
    together = m.reshape(together, (*shape[:dim], count * size, *shape[dim + 1 :]))
    return m.index_add(m.new_zeros(g, shape), dim, constant(g, m, index), together)


UNFOLD = Op(
    "unfold",
    _windows,
    input=_windows_input,
    formula=r"\text{each element gets the sum of the gradients of the windows that show it}",
)


@mathematical
def tensor_unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """A view of all windows of ``size`` elements along ``dimension``, ``step`` apart, as a new last dimension.

    Raises:
        RuntimeError: for a window larger than the dimension, or a step that is not positive.
    """
    require_tensor("unfold", "input", input)
    if not input._array.ndim:
        return tensor_unfold(unsqueeze(input, 0), dimension, size, step).select(0, 0)
    d = normalize_dim(dimension, input._array.ndim, "unfold")
    n = input._array.shape[d]
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {d} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return apply_view(UNFOLD, input, (d, size, step), shares=True)


# -- another shape or memory for the tensor itself ---


def become_view(target: Any, function: Callable[..., Any], *args: Any) -> Any:
    """``target`` becomes the view ``function(target, ...)`` of what it was, and counts as changed.

    Raises:
        RuntimeError: for a leaf that requires grad.
    """
    if grad_mode.enabled and target.requires_grad:
        check_history(target)
    before = wrap(target._array, target._backend, target._result_class)
    for slot in ("_grad_fn", "_output_nr", "_requires_grad", "_storage", "_view"):
        setattr(before, slot, getattr(target, slot))
    value = function(before, *args)
    if value is not before:
        target._array = value._array
        target._grad_fn, target._output_nr = value._grad_fn, value._output_nr
        if target._view is None:
            shared_storage(target).relaid = _by_memory
        else:
            target._view = View(target._view.base, value._view.replay, target._view.kind)
    target._touch()
    return target


def _no_gradient(target: Any, what: str) -> None:
    if target.requires_grad:
        raise RuntimeError(f"cannot {what} variables that require grad\n  fix: x.detach() first")


def _resize(target: Any, shape: tuple[int, ...]) -> Any:
    """Another shape over the same memory, or over new and larger memory where that is too small."""
    _no_gradient(target, "resize")
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    m, count = target._backend, math.prod(shape)
    memory, offset = m.memory(target._array), m.storage_offset(target._array)
    if tuple(target._array.shape) == shape:
        return target
    if offset + count <= memory.shape[0]:
        target._array = m.reshape(memory[offset : offset + count], shape)
        if target._view is not None:
            target._view.replay = _by_memory(target._view.base, target)
        else:
            shared_storage(target).relaid = _by_memory
        target._touch()
        return target
    larger = m.empty((count,), target._array.dtype)
    kept = memory[offset:]
    larger[: kept.shape[0]] = kept
    replace_memory(target, m.reshape(larger, shape))
    return target


class MemoryMethods(Variable):
    """The functions of this file as methods of ``Tensor``, and the shape methods that end in an underscore."""

    __slots__ = ()

    as_strided = as_strided
    as_strided_scatter = as_strided_scatter

    def unfold(self: Any, dimension: int, size: int, step: int) -> Any:
        """A view of all windows of ``size`` elements along ``dimension``, ``step`` apart, in a new last dimension."""
        return tensor_unfold(self, dimension, size, step)

    def as_strided_(self: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
        """``as_strided`` in place: the tensor shows another part of its memory."""
        return become_view(self, as_strided, size, stride, storage_offset)

    def t_(self: TensorT) -> TensorT:
        """``t`` in place: the tensor itself is transposed, its memory stays as it is."""
        return become_view(self, t)

    def transpose_(self: TensorT, dim0: int, dim1: int) -> TensorT:
        """``transpose`` in place: the memory stays as it is."""
        return become_view(self, transpose, dim0, dim1)

    swapaxes_ = swapdims_ = transpose_

    def squeeze_(self: TensorT, dim: Any = None) -> TensorT:
        """``squeeze`` in place."""
        return become_view(self, squeeze, dim)

    def unsqueeze_(self: TensorT, dim: int) -> TensorT:
        """``unsqueeze`` in place."""
        return become_view(self, unsqueeze, dim)

    def resize_(self: TensorT, *size: Any, memory_format: Any = None) -> TensorT:
        """Another shape in place. What the memory holds stays; where it grows, the new elements hold anything.

        Memory that must grow is replaced by larger memory: other tensors that shared it keep the old.

        Raises:
            RuntimeError: for a tensor that requires grad.
        """
        return _resize(self, sizes(size, "resize_"))

    def resize_as_(self: TensorT, the_template: Variable, *, memory_format: Any = None) -> TensorT:
        """``resize_`` to the shape of another tensor."""
        return _resize(self, tuple(the_template._array.shape))

    def set_(self: Any, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Any:
        """Shows the memory of ``source`` (a tensor or a storage) from now on; without one, no memory at all.

        Raises:
            RuntimeError: for a tensor that requires grad, or a source of another dtype or device.
        """
        if grad_mode.enabled and self.requires_grad:
            check_history(self)
        m = self._backend
        if source is None:
            replace_memory(self, m.empty((0,), self._array.dtype))
            return self
        if not isinstance(source, Variable):
            source = source._tensor(self._dtype())
            size = (source._array.shape[0],) if size is None else size
        if source._backend is not m or source._array.dtype != self._array.dtype:
            raise RuntimeError(
                f"Could not set tensor of type {source._dtype()!r} to a tensor of type {self._dtype()!r}\n"
                f"  got: devices {source._backend.device} and {m.device}"
            )
        if size is not None:
            shape = sizes((size,), "set_")
            steps = tuple(math.prod(shape[d + 1 :]) for d in range(len(shape))) if stride is None else stride
            source = as_strided(source, shape, steps, storage_offset)
        storage = shared_storage(source)
        self._touch()
        self._array, self._storage, self._view = source._array, storage, None
        return self

    def fill_diagonal_(self: Any, fill_value: Any, wrap: bool = False) -> Any:
        """``fill_value`` on the main diagonal, in place.

        Args:
            wrap: in a matrix with more rows than columns, begin a new diagonal below each that ended.

        Raises:
            RuntimeError: for less than 2 dimensions, and for more than 2 that are not all of one size.
        """
        shape, strides, offset = self._backend.layout(self._array)
        if len(shape) < 2:
            raise RuntimeError("dimensions must larger than 1\n  operation: fill_diagonal_")
        if len(shape) > 2 and len(set(shape)) > 1:
            raise RuntimeError(f"all dimensions of input must be of equal length\n  got: shape {list(shape)}")
        height, width = shape[:2]
        as_strided(self, (min(shape),), (sum(strides),), offset).fill_(fill_value)
        if wrap and len(shape) == 2 and height > width + 1:
            rest = -(-height * width // (width + 1)) - min(shape)
            below = offset + strides[0] * (width + 1)
            as_strided(self, (rest,), (sum(strides),), below).fill_(fill_value)
        return self

    def _is_view(self) -> bool:
        """Whether this tensor is a view of another in the eyes of the graph."""
        return self._view is not None

    def is_set_to(self, tensor: Variable) -> bool:
        """Whether both show the same elements of the same memory in the same shape."""
        m = self._backend
        if tensor._backend is not m:
            return False
        a, b = self._array, tensor._array
        return bool(
            m.address(m.memory(a)) == m.address(m.memory(b))
            and (a.shape, a.strides) == (b.shape, b.strides)
            and m.address(a) == m.address(b)
        )

    def untyped_storage(self) -> UntypedStorage:
        """The memory behind the tensor, which all its views share."""
        return UntypedStorage(self)


class Memory(ABC):
    """What all storages are."""

    __slots__ = ()

    @abstractmethod
    def _tensor(self, dtype: Any) -> Any:
        """The memory as a vector of numbers of ``dtype``."""


class UntypedStorage(Memory):
    """The memory that a tensor and its views show parts of, in bytes."""

    __slots__ = ("_memory", "_owner")

    def __init__(self, tensor: Any = 0, *, device: Any = None) -> None:
        """
        Args:
            tensor: whose memory it is; or how many bytes of new memory, or the bytes.
            device: where new memory lives.
        """
        if not isinstance(tensor, Variable):
            m = get_backend(device)
            data = np.zeros(tensor, np.uint8) if isinstance(tensor, int) else np.array(list(tensor), np.uint8)
            tensor = wrap(m.from_host(data), m)
        self._owner = tensor
        self._memory = tensor._backend.memory(tensor._array)

    def _tensor(self, dtype: Any) -> Any:
        out = wrap(self._memory.view(dtype.numpy), self._owner._backend)
        out._storage = shared_storage(self._owner)
        return out

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return int(self._owner._backend.address(self._memory))

    def nbytes(self) -> int:
        """How many bytes there are."""
        return int(self._memory.nbytes)

    size = __len__ = nbytes

    @property
    def device(self) -> Any:
        """Where the memory is."""
        return self._owner._backend.device

    def tolist(self) -> list[int]:
        """The bytes."""
        raw = np.ascontiguousarray(self._owner._backend.to_host(self._memory))
        return list(raw.view(np.uint8).tolist())

    @staticmethod
    def from_file(filename: Any, shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """The bytes of a file, in memory of their own: writing to one is not seen in the other.

        Args:
            nbytes: how many, from the beginning; 0 for all.
        """
        m = get_backend(None)
        return UntypedStorage(wrap(np.fromfile(filename, np.uint8, nbytes or -1), m))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return UntypedStorage(self._tensor(uint8)[index].clone())
        return self.tolist()[index]

    def __iter__(self) -> Iterator[int]:
        return iter(self.tolist())

    def untyped(self) -> UntypedStorage:
        """The storage itself."""
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and other.data_ptr() == self.data_ptr()

    def __hash__(self) -> int:
        return hash(self.data_ptr())

    def __repr__(self) -> str:
        numbers = "\n ".join(map(str, self.tolist()))
        return f" {numbers}\n[torch.storage.UntypedStorage(device={self.device}) of size {self.nbytes()}]"
