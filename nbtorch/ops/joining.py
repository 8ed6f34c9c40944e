"""Joining tensors, and repeating them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.variable import TensorT, Variable, wrap
from ..backends import get_backend
from ..backends.dtypes import get_default_dtype, promote_types
from ..backends.layouts import contiguous_format, in_joined_order, in_rows
from .conversion import clone, to_dtype
from .exact_out import apart, takes_joined_out
from .operands import normalize_dim, numpy_names, require_tensor
from .record import Op, apply, check_same_device
from .shape import at_least, expand, reshape, sizes

__all__ = [
    "block_diag", "cat", "column_stack", "concat", "concatenate", "dstack", "hstack", "row_stack", "stack", "tile",
    "vstack",
]  # fmt: skip

# -- joining ---


def pieces_of(m: Any, g: Any, dim: Any, lengths: Any) -> tuple[Any, ...]:
    out, start = [], 0
    for n in lengths:
        out.append(m.index(g, (slice(None),) * dim + (slice(start, start + n),)))
        start += n
    return tuple(out)


CAT = Op(
    "cat",
    lambda m, inputs, dim, lengths: m.cat(inputs, dim),
    tensors=None,
    joint=pieces_of,
    formula=r"\text{each input gets its slice of the gradient}",
    layout=in_joined_order,
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


@apart
@takes_joined_out
@CAT
@numpy_names
def cat(tensors: Sequence[TensorT], dim: int = 0, *, out: Any = None) -> TensorT:
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
    layout=in_rows,
)


@apart
@takes_joined_out
@STACK
@numpy_names
def stack(tensors: Sequence[TensorT], dim: int = 0, *, out: Any = None) -> TensorT:
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


@takes_joined_out
def hstack(tensors: Sequence[TensorT], *, out: Any = None) -> TensorT:
    """Joined side by side: along dimension 1, or 0 where tensors have one dimension."""
    inputs = [at_least(1, x) for x in _tensor_list("hstack", tensors)]
    return cat(inputs, 0 if inputs[0]._array.ndim == 1 else 1)


@takes_joined_out
def vstack(tensors: Sequence[TensorT], *, out: Any = None) -> TensorT:
    """Joined as rows: along dimension 0, one-dimensional tensors as one row each."""
    return cat([at_least(2, x) for x in _tensor_list("vstack", tensors)], 0)


row_stack = vstack


@takes_joined_out
def dstack(tensors: Sequence[TensorT], *, out: Any = None) -> TensorT:
    """Joined along dimension 2, tensors with fewer dimensions as planes of depth 1."""
    return cat([at_least(3, x) for x in _tensor_list("dstack", tensors)], 2)


@takes_joined_out
def column_stack(tensors: Sequence[TensorT], *, out: Any = None) -> TensorT:
    """Joined as columns: along dimension 1, tensors with one dimension or none as one column each."""
    return hstack([reshape(x, -1, 1) if x._array.ndim < 2 else x for x in _tensor_list("column_stack", tensors)])


def block_diag(*tensors: Any) -> Any:
    """A matrix with the given matrices on its diagonal and zeros elsewhere; vectors count as one row.

    Raises:
        RuntimeError: for more than 2 dimensions.
    """
    blocks = _tensor_list("block_diag", tensors) if tensors else []
    if not blocks:
        backend = get_backend(None)
        return wrap(backend.empty((1, 0), get_default_dtype().numpy), backend)
    for i, x in enumerate(blocks):
        if x._array.ndim > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{i} has {x._array.ndim} dimensions"
            )
    blocks = [at_least(2, x) for x in blocks]
    width = sum(x._array.shape[1] for x in blocks)
    rows, before = [], 0
    for x in blocks:
        height, own = x._array.shape
        left, right = (x.new_zeros((height, n)) for n in (before, width - before - own))
        rows.append(cat([left, x, right], 1))
        before += own
    return cat(rows, 0)


# -- repeating ---


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
    return unshared(reshape(wide, tuple(r * s for r, s in zip(times, shape, strict=True))))


def unshared(x: Any) -> Any:
    """``x``, or a copy of it where its making took none: some results have memory of their own in any case."""
    return x if x._view is None else clone(x, memory_format=contiguous_format)


def tile(input: TensorT, *args: Any, dims: Any = None) -> TensorT:
    """Like ``repeat``, but missing repeats count as 1."""
    require_tensor("tile", "input", input)
    times = sizes(args if dims is None else (dims,), "tile")
    return repeat(input, (1,) * (input._array.ndim - len(times)) + times)


concat = concatenate = cat


class JoiningMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    repeat = repeat
    tile = tile
