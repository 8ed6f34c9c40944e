"""Pieces of tensors: views along one dimension, one alone or all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ..autograd.variable import TensorT, Variable
from .joining import pieces_of
from .operands import normalize_dim, numpy_names, require_tensor
from .record import Op, apply, apply_view, apply_views
from .shape import sizes

__all__ = [
    "chunk", "dsplit", "hsplit", "narrow", "select", "split", "split_with_sizes", "tensor_split", "unbind",
    "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "vsplit",
]  # fmt: skip


def _cut_up(m: Any, input: Any, dim: int, lengths: Sequence[int]) -> tuple[Any, ...]:
    return pieces_of(m, input, dim, lengths)


def _several(g: Any) -> Any:
    """The gradients of several outputs, where there may be one alone."""
    return g if isinstance(g, (list, tuple)) else (g,)


_TOGETHER = r"\text{the gradients of the pieces, joined as the pieces were}"
# How ``split`` is called decides the name of its node: by one size, or by the sizes of all pieces.
SPLIT = Op("split", _cut_up, outputs=0, input=lambda m, g, dim: m.cat(_several(g), dim), formula=_TOGETHER)
SPLIT_SIZES = Op(
    "split_with_sizes", _cut_up, outputs=0, input=lambda m, g, dim: m.cat(_several(g), dim), formula=_TOGETHER
)
UNSAFE_SPLIT = Op(
    "unsafe_split", _cut_up, outputs=0, input=lambda m, g, dim: m.cat(_several(g), dim), formula=_TOGETHER
)
UNBIND = Op(
    "unbind",
    lambda m, input, dim: tuple([m.index(input, (slice(None),) * dim + (i,)) for i in range(input.shape[dim])]),
    outputs=0,
    input=lambda m, g, dim: m.stack(_several(g), dim),
    formula=_TOGETHER,
)
SLICE = Op(
    "slice",
    lambda m, input, index: m.index(input, index),
    node="SliceBackward0",
    input=lambda m, g, index, shape: m.index_backward(g, index, shape, True),
    formula=r"\text{zeros, with } g \text{ in the slice}",
)
SELECT = Op(
    "select",
    lambda m, input, index: m.index(input, index),
    node="SelectBackward0",
    input=lambda m, g, index, shape: m.index_backward(g, index, shape, True),
    formula=r"\text{zeros, with } g \text{ in the slice}",
)


def narrow(input: TensorT, dim: int, start: int, length: int) -> TensorT:
    """A view of ``length`` elements along ``dim``, from ``start``.

    Raises:
        IndexError: for a start outside the dimension.
        RuntimeError: where they are not all there.
    """
    require_tensor("narrow", "input", input)
    if not input._array.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    d = normalize_dim(dim, input._array.ndim, "narrow")
    n = input._array.shape[d]
    if isinstance(start, Variable):
        if start._array.ndim or start._array.dtype.kind not in "iu":
            raise RuntimeError(f"start must be an 0-dim integral Tensor.\n  got: {start._dtype()!r}")
        start = start.item()  # type: ignore[attr-defined]
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative.\n  got: {length}")
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    begin = int(start) + n if start < 0 else int(start)
    if begin + length > n:
        raise RuntimeError(
            f"start ({start}) + length ({length}) exceeds dimension size ({n}).\n"
            f"  got: shape {tuple(input._array.shape)}, dim {d}"
        )
    return _slice(input, d, begin, begin + length)


def _slice(input: Any, d: int, start: int, stop: int) -> Any:
    return apply_view(SLICE, input, ((slice(None),) * d + (slice(start, stop),),))


def select(input: TensorT, dim: int, index: int) -> TensorT:
    """A view of the elements at ``index`` along ``dim``, without that dimension."""
    require_tensor("select", "input", input)
    if not input._array.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.\n  fix: x.item() for the number itself")
    d = normalize_dim(dim, input._array.ndim, "select")
    n = input._array.shape[d]
    if not -n <= index < n:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input._array.shape)} at dimension {d}"
        )
    return apply_view(SELECT, input, ((slice(None),) * d + (int(index),),))


@numpy_names
def split(tensor: TensorT, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[TensorT, ...]:
    """Views of consecutive pieces along ``dim``: of one size (the last may be smaller), or of the sizes given.

    Raises:
        RuntimeError: where the sizes given do not add up.
    """
    op, d, lengths = _lengths("split", tensor, split_size_or_sections, dim)
    return apply_views(op, tensor, (d, lengths))


def _lengths(function: str, tensor: Any, split_size_or_sections: Any, dim: int) -> tuple[Op, int, tuple[int, ...]]:
    """The record of a split, its dimension, and the lengths of the pieces."""
    require_tensor(function, "tensor", tensor)
    if not tensor._array.ndim:
        raise RuntimeError(f"{function} expects at least a 1-dimensional tensor\n  fix: x.reshape(1)")
    d = normalize_dim(dim, tensor._array.ndim, function)
    n = tensor._array.shape[d]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size < 0 or (size == 0 and n):
            raise RuntimeError(
                f"split expects split_size be non-negative, but got split_size={size}\n"
                "  expected: how many elements each piece has"
                if size < 0
                else f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}"
            )
        return SPLIT, d, tuple([min(size, n - i) for i in range(0, n, size)] if n else [0])
    else:
        lengths = sizes((split_size_or_sections,), function)
        if sum(lengths) != n or any(length < 0 for length in lengths):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {d}), "
                "but "
                f"got split_sizes={list(lengths)}\n  fix: sizes that add up to {n}, or one size for all pieces"
            )
    return SPLIT_SIZES, d, lengths


def split_with_sizes(input: TensorT, split_sizes: Sequence[int], dim: int = 0) -> tuple[TensorT, ...]:
    """``split`` into pieces of the given sizes."""
    return split(input, tuple(sizes((split_sizes,), "split_with_sizes")), dim)


def unsafe_split(tensor: TensorT, split_size: int, dim: int = 0) -> tuple[TensorT, ...]:
    """``split`` whose pieces don't know of each other: a change to one in place is no change to the others' graph.

    It is unsafe where they are changed in place and the original is used too.
    """
    _, d, lengths = _lengths("split", tensor, split_size, dim)
    return apply(UNSAFE_SPLIT, (tensor,), (d, lengths))


def unsafe_split_with_sizes(input: TensorT, split_sizes: Sequence[int], dim: int = 0) -> tuple[TensorT, ...]:
    """``unsafe_split`` into pieces of the given sizes."""
    _, d, lengths = _lengths("split", input, tuple(split_sizes), dim)
    return apply(UNSAFE_SPLIT, (input,), (d, lengths))


def unsafe_chunk(input: TensorT, chunks: int, dim: int = 0) -> tuple[TensorT, ...]:
    """``chunk`` whose pieces don't know of each other, as those of ``unsafe_split``."""
    d, size = _chunk_size(input, chunks, dim)
    if not input._array.shape[d]:
        return unsafe_split_with_sizes(input, (0,) * chunks, d)
    return unsafe_split(input, size, d)


@numpy_names
def chunk(input: TensorT, chunks: int, dim: int = 0) -> tuple[TensorT, ...]:
    """``chunks`` views of nearly equal size along ``dim`` (fewer where they don't divide).

    Raises:
        RuntimeError: for less than one chunk.
    """
    d, size = _chunk_size(input, chunks, dim)
    return split(input, size if input._array.shape[d] else (0,) * chunks, d)


def _chunk_size(input: Any, chunks: int, dim: int) -> tuple[int, int]:
    require_tensor("chunk", "input", input)
    if not input._array.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor\n  fix: x.reshape(1)")
    if chunks < 1:
        raise RuntimeError(
            f"chunk expects `chunks` to be greater than 0, got: {chunks}\n  expected: the number of pieces"
        )
    d = normalize_dim(dim, input._array.ndim, "chunk")
    n = input._array.shape[d]
    return d, max(-(-n // chunks), 1)


def tensor_split(
    input: TensorT, indices_or_sections: Any, dim: int = 0, *, indices: Any = None, sections: Any = None
) -> tuple[TensorT, ...]:
    """Views of consecutive pieces along ``dim``: nearly equal ones, or with ends at the given positions.

    Args:
        indices_or_sections: how many pieces (the first may be one longer), or where to cut: ints or a tensor of them.

    Raises:
        RuntimeError: for a 0-d tensor, or less than one section.
    """
    require_tensor("tensor_split", "input", input)
    if not input._array.ndim:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims\n  fix: x.reshape(1)"
        )
    d = normalize_dim(dim, input._array.ndim, "tensor_split")
    n = int(input._array.shape[d])
    cuts = _cuts(n, indices_or_sections)
    return tuple([_slice(input, d, start, max(stop, start)) for start, stop in pairwise([*cuts, n])])


def _cuts(n: int, given: Any) -> list[int]:
    """Where the pieces begin."""
    if isinstance(given, Variable):
        if given._array.dtype.name != "int64" or given._array.ndim > 1 or given._backend.device.type != "cpu":
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor "
                f"of int64 on the CPU, but got a tensor with {given._array.ndim} dims of {given._dtype()!r} on "
                f"{given._backend.device}"
            )
        given = given._array.tolist()
    if isinstance(given, (tuple, list)):
        return [0, *[min(max(i + n if i < 0 else i, 0), n) for i in sizes((given,), "tensor_split")]]
    if isinstance(given, (bool, float)) or not hasattr(given, "__index__"):
        raise TypeError(f"tensor_split(): indices_or_sections must be int or ints, not {type(given).__name__}")
    if given <= 0:
        raise RuntimeError(f"number of sections must be larger than 0, got {given}")
    small, longer = divmod(n, int(given))
    return [i * small + min(i, longer) for i in range(given)]


def _split_along(function: str, least: int, input: Any, given: Any, dim: int) -> Any:
    require_tensor(function, "input", input)
    if input._array.ndim < least:
        raise RuntimeError(
            f"torch.{function} requires a tensor with at least {least} dimension{'s' if least > 1 else ''}, but got a "
            f"tensor with {input._array.ndim} dimensions!"
        )
    if not isinstance(given, (tuple, list, Variable)):
        n = input._array.shape[dim]
        if given <= 0 or n % given:
            raise RuntimeError(
                f"torch.{function} attempted to split along dimension {dim}, but the size of the dimension {n} is not "
                f"divisible by the split_size {given}!\n  fix: tensor_split takes any number of pieces"
            )
    return tensor_split(input, given, dim)


def hsplit(input: TensorT, indices_or_sections: Any) -> tuple[TensorT, ...]:
    """``tensor_split`` into columns: along dimension 1, or 0 of a vector; a number must divide the size."""
    along = 0 if isinstance(input, Variable) and input._array.ndim == 1 else 1
    return _split_along("hsplit", 1, input, indices_or_sections, along)


def vsplit(input: TensorT, indices_or_sections: Any) -> tuple[TensorT, ...]:
    """``tensor_split`` into rows: along dimension 0; a number must divide the size."""
    return _split_along("vsplit", 2, input, indices_or_sections, 0)


def dsplit(input: TensorT, indices_or_sections: Any) -> tuple[TensorT, ...]:
    """``tensor_split`` along dimension 2; a number must divide the size."""
    return _split_along("dsplit", 3, input, indices_or_sections, 2)


@numpy_names
def unbind(input: TensorT, dim: int = 0) -> tuple[TensorT, ...]:
    """A view for each index along ``dim``, without that dimension."""
    require_tensor("unbind", "input", input)
    if not input._array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions\n  operation: unbind")
    d = normalize_dim(dim, input._array.ndim, "unbind")
    return apply_views(UNBIND, input, (d,))


class PiecesMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    narrow = narrow
    select = select
    split = split
    split_with_sizes = split_with_sizes
    chunk = chunk
    unbind = unbind
    tensor_split = tensor_split
    hsplit = hsplit
    vsplit = vsplit
    dsplit = dsplit
    unsafe_split = unsafe_split
    unsafe_split_with_sizes = unsafe_split_with_sizes
    unsafe_chunk = unsafe_chunk
