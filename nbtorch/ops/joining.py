"""Joining tensors, taking pieces of them, and repeating them.

Pieces (``narrow``, ``select``, ``split``, ``chunk``, ``unbind``) are views: they share memory with their input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.variable import TensorT, Variable
from ..backends.dtypes import promote_types
from .conversion import to_dtype
from .operands import normalize_dim, numpy_names, require_tensor
from .record import Op, apply, apply_view, check_same_device
from .shape import expand, reshape, sizes

__all__ = [
    "cat", "chunk", "concat", "concatenate", "hstack", "narrow", "select", "split", "stack", "tile", "unbind", "vstack",
]  # fmt: skip

# -- joining ---


def _slices(m: Any, g: Any, dim: Any, lengths: Any) -> tuple[Any, ...]:
    out, start = [], 0
    for n in lengths:
        out.append(m.index(g, (slice(None),) * dim + (slice(start, start + n),)))
        start += n
    return tuple(out)


CAT = Op(
    "cat",
    lambda m, inputs, dim, lengths: m.cat(inputs, dim),
    tensors=None,
    joint=_slices,
    formula=r"\text{each input gets its slice of the gradient}",
)


def _tensor_list(function: str, tensors: Any) -> list[Any]:
    if isinstance(tensors, Variable) or not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{function}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}\n"
            f"  fix: torch.{function}([a, b, ...])"
        )
    for i, x in enumerate(tensors):
        if not isinstance(x, Variable):
            raise TypeError(
                f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}\n  operation: {function}"
            )
    if not tensors:
        error = ValueError if function == "cat" else RuntimeError
        raise error(f"torch.{function}(): expected a non-empty list of Tensors\n  got: {tensors!r}")
    check_same_device(CAT, tensors)
    d = tensors[0]._dtype()
    for x in tensors[1:]:
        d = promote_types(d, x._dtype())
    return [to_dtype(x, d) for x in tensors]


@CAT
@numpy_names
def cat(tensors: Sequence[TensorT], dim: int = 0) -> TensorT:
    """Tensors joined along an existing dimension; their other sizes must agree.

    Raises:
        RuntimeError: for an empty list, 0-d tensors, or sizes that differ elsewhere.
    """
    inputs = _tensor_list("cat", tensors)
    shapes = [tuple(x._array.shape) for x in inputs]
    if any(not s for s in shapes):
        raise RuntimeError(
            f"zero-dimensional tensor (at position {shapes.index(())}) cannot be concatenated\n  fix: use stack()"
        )
    # PyTorch lets empty one-dimensional tensors pass, whatever the others' shape.
    inputs = [x for x in inputs if tuple(x._array.shape) != (0,)] or inputs[:1]
    shapes = [tuple(x._array.shape) for x in inputs]
    d = normalize_dim(dim, len(shapes[0]), "cat")
    for i, s in enumerate(shapes):
        if len(s) != len(shapes[0]):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(shapes[0])} and {len(s)}\n"
                f"  got: shapes {', '.join(map(str, shapes))}\n  fix: unsqueeze() adds a dimension"
            )
        for j, (a, b) in enumerate(zip(shapes[0], s, strict=True)):
            if j != d and a != b:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {d}. Expected size {a} but got size {b} for "
                    "tensor "
                    f"number {i} in the list.\n  got: shapes {', '.join(map(str, shapes))}"
                )
    return apply(CAT, inputs, (d, tuple(s[d] for s in shapes)))


STACK = Op(
    "stack",
    lambda m, inputs, dim: m.cat([m.reshape(a, (*a.shape[:dim], 1, *a.shape[dim:])) for a in inputs], dim),
    tensors=None,
    joint=lambda m, g, dim, needs: tuple(m.index(g, (slice(None),) * dim + (i,)) for i in range(len(needs))),
    formula=r"\text{each input gets its slice of the gradient}",
)


@STACK
@numpy_names
def stack(tensors: Sequence[TensorT], dim: int = 0) -> TensorT:
    """Tensors of one shape joined along a new dimension.

    Raises:
        RuntimeError: for an empty list, or shapes that differ.
    """
    inputs = _tensor_list("stack", tensors)
    first = tuple(inputs[0]._array.shape)
    for i, x in enumerate(inputs):
        if tuple(x._array.shape) != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and "
                f"{list(x._array.shape)} at entry {i}\n"
                "  fix: cat() joins along a dimension that is there, where sizes may differ"
            )
    return apply(STACK, inputs, (normalize_dim(dim, len(first) + 1, "stack"),))


def hstack(tensors: Sequence[TensorT]) -> TensorT:
    """Joined side by side: along dimension 1, or 0 where tensors have one dimension."""
    inputs = [reshape(x, 1) if not x._array.ndim else x for x in _tensor_list("hstack", tensors)]
    return cat(inputs, 0 if inputs[0]._array.ndim == 1 else 1)


def vstack(tensors: Sequence[TensorT]) -> TensorT:
    """Joined as rows: along dimension 0, one-dimensional tensors as one row each."""
    return cat([reshape(x, 1, -1) if x._array.ndim < 2 else x for x in _tensor_list("vstack", tensors)], 0)


# -- splitting ---

SPLIT = Op(
    "split",
    lambda m, input, index: m.index(input, index),
    node="SplitBackward0",
    input=lambda m, g, index, shape: m.index_backward(g, index, shape, True),
    formula=r"\text{zeros, with } g \text{ in the slice}",
)
UNBIND = Op(
    "unbind",
    lambda m, input, index: m.index(input, index),
    node="UnbindBackward0",
    input=lambda m, g, index, shape: m.index_backward(g, index, shape, True),
    formula=r"\text{zeros, with } g \text{ in the slice}",
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
    return apply_view(SLICE, input, ((slice(None),) * d + (slice(begin, begin + length),),))


def select(input: TensorT, dim: int, index: int) -> TensorT:
    """A view of the elements at ``index`` along ``dim``, without that dimension."""
    require_tensor("select", "input", input)
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
    require_tensor("split", "tensor", tensor)
    d = normalize_dim(dim, tensor._array.ndim, "split")
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
        lengths = [min(size, n - i) for i in range(0, n, size)] if n else [0]
    else:
        lengths = list(split_size_or_sections)
        if sum(lengths) != n or any(length < 0 for length in lengths):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {d}), "
                "but "
                f"got split_sizes={lengths}\n  fix: sizes that add up to {n}, or one size for all pieces"
            )
    out, start = [], 0
    for length in lengths:
        out.append(apply_view(SPLIT, tensor, ((slice(None),) * d + (slice(start, start + length),),)))
        start += length
    return tuple(out)


@numpy_names
def chunk(input: TensorT, chunks: int, dim: int = 0) -> tuple[TensorT, ...]:
    """``chunks`` views of nearly equal size along ``dim`` (fewer where they don't divide).

    Raises:
        RuntimeError: for less than one chunk.
    """
    if chunks < 1:
        raise RuntimeError(
            f"chunk expects `chunks` to be greater than 0, got: {chunks}\n  expected: the number of pieces"
        )
    d = normalize_dim(dim, input._array.ndim, "chunk")
    n = input._array.shape[d]
    return split(input, max(-(-n // chunks), 1), d)


@numpy_names
def unbind(input: TensorT, dim: int = 0) -> tuple[TensorT, ...]:
    """A view for each index along ``dim``, without that dimension."""
    require_tensor("unbind", "input", input)
    if not input._array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions\n  operation: unbind")
    d = normalize_dim(dim, input._array.ndim, "unbind")
    return tuple(apply_view(UNBIND, input, ((slice(None),) * d + (i,),)) for i in range(input._array.shape[d]))


def repeat(input: TensorT, *args: Any, repeats: Any = None) -> TensorT:
    """A copy in which each dimension is repeated; new dimensions come first.

    Raises:
        RuntimeError: where there are fewer repeats than dimensions.
    """
    require_tensor("repeat", "input", input)
    times = sizes(args if repeats is None else (repeats,), "repeat")
    shape = tuple(input._array.shape)
    if len(times) < len(shape):
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor\n"
            f"  got: {len(times)} repeats for {len(shape)} dimensions"
        )
    shape = (1,) * (len(times) - len(shape)) + shape
    between = reshape(input, tuple(n for s in shape for n in (1, s)))
    wide = expand(between, tuple(n for r, s in zip(times, shape, strict=True) for n in (r, s)))
    return reshape(wide, tuple(r * s for r, s in zip(times, shape, strict=True)))


def tile(input: TensorT, *args: Any, dims: Any = None) -> TensorT:
    """Like ``repeat``, but missing repeats count as 1."""
    require_tensor("tile", "input", input)
    times = sizes(args if dims is None else (dims,), "tile")
    return repeat(input, (1,) * (input._array.ndim - len(times)) + times)


concat = concatenate = cat


class JoiningMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    narrow = narrow
    select = select
    split = split
    chunk = chunk
    unbind = unbind
    repeat = repeat
    tile = tile
