"""Elements in another order, at the edges of other shapes, and copies of what is else a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.variable import TensorT, Variable
from ..backends.layouts import contiguous_format
from .conversion import clone
from .linalg import diagonal, diagonal_backward
from .memory import as_strided, tensor_unfold
from .operands import normalize_dim, numpy_names, require_tensor
from .pieces import narrow, select, split, split_with_sizes, unbind
from .record import Op, apply
from .shape import at_least, expand, flip, permute, reshape, squeeze, t, transpose, unsqueeze
from .writing import takes_out

__all__ = [
    "alias_copy", "as_strided_copy", "atleast_1d", "atleast_2d", "atleast_3d", "channel_shuffle", "detach_copy",
    "diag", "diag_embed", "diagflat", "diagonal_copy", "diagonal_scatter", "expand_copy", "fliplr", "flipud",
    "narrow_copy", "permute_copy", "pixel_shuffle", "pixel_unshuffle", "rot90", "select_copy", "select_scatter",
    "slice_copy", "slice_scatter", "split_copy", "split_with_sizes_copy", "squeeze_copy", "t_copy",
    "transpose_copy", "unbind_copy", "unfold_copy", "unsqueeze_copy", "view_copy",
]  # fmt: skip


# -- at least so many dimensions ---


def _each(ndim: int, tensors: tuple[Any, ...]) -> Any:
    if len(tensors) == 1 and not isinstance(tensors[0], (tuple, list)):
        return at_least(ndim, tensors[0])
    given = tensors[0] if len(tensors) == 1 else tensors
    return tuple([at_least(ndim, x) for x in given])


def atleast_1d(*tensors: Any) -> Any:
    """A single number as a vector, views; others as they are. Several tensors give a tuple."""
    return _each(1, tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Vectors as one row, views; others as they are. Several tensors give a tuple."""
    return _each(2, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Matrices with a third dimension of size 1, vectors with one on each side, views; others as they are."""
    return _each(3, tensors)


# -- turned round ---


def fliplr(input: TensorT) -> TensorT:
    """The order of the columns reversed, a copy.

    Raises:
        RuntimeError: for less than 2 dimensions.
    """
    require_tensor("fliplr", "input", input)
    if input._array.ndim < 2:
        raise RuntimeError(f"Input must be >= 2-d.\n  operation: fliplr\n  got: shape {tuple(input._array.shape)}")
    return flip(input, 1)


def flipud(input: TensorT) -> TensorT:
    """The order of the rows reversed, a copy.

    Raises:
        RuntimeError: for a 0-d tensor.
    """
    require_tensor("flipud", "input", input)
    if not input._array.ndim:
        raise RuntimeError("Input must be >= 1-d.\n  operation: flipud")
    return flip(input, 0)


def rot90(input: TensorT, k: int = 1, dims: Sequence[int] = (0, 1)) -> TensorT:
    """A copy turned by ``k`` quarters in the plane of two dimensions, from the first towards the second.

    Raises:
        RuntimeError: where ``dims`` are not two different dimensions.
    """
    require_tensor("rot90", "input", input)
    ndim = input._array.ndim
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == ndim:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    for d in dims:
        if not -ndim <= d < ndim:
            raise RuntimeError(f"Rotation dim out of range: {d} of a tensor with {ndim} dimensions")
    turns = k % 4
    if turns == 1:
        return _alone(transpose(flip(input, (dims[1],)), dims[0], dims[1]))
    if turns == 2:
        return flip(input, tuple(dims))
    if turns == 3:
        return _alone(transpose(flip(input, (dims[0],)), dims[0], dims[1]))
    return clone(input)


def _alone(view: Any) -> Any:
    """A view of what nobody else has, as a tensor of its own."""
    view._view = view._storage = None
    return view


# -- pixels and channels ---


def pixel_shuffle(input: TensorT, upscale_factor: int) -> TensorT:
    """``(*, C*r*r, H, W)`` as ``(*, C, H*r, W*r)``: channels become pixels.

    Raises:
        RuntimeError: where the number of channels is not divisible by the square of the factor.
    """
    require_tensor("pixel_shuffle", "input", input)
    shape, r = tuple(input._array.shape), upscale_factor
    if len(shape) < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {len(shape)} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *lead, c, h, w = shape
    if c % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={c} is not divisible by {r * r}"
        )
    n = len(lead)
    apart = reshape(input, (*lead, c // (r * r), r, r, h, w))
    apart = permute(apart, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return reshape(apart, (*lead, c // (r * r), h * r, w * r))


def pixel_unshuffle(input: TensorT, downscale_factor: int) -> TensorT:
    """``(*, C, H*r, W*r)`` as ``(*, C*r*r, H, W)``: pixels become channels; undoes ``pixel_shuffle``.

    Raises:
        RuntimeError: where height and width are not divisible by the factor.
    """
    require_tensor("pixel_unshuffle", "input", input)
    shape, r = tuple(input._array.shape), downscale_factor
    if len(shape) < 3:
        raise RuntimeError(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {len(shape)} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *lead, c, h, w = shape
    for name, size, at in (("height", h, -2), ("width", w, -1)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({at})={size} is "
                f"not divisible by {r}"
            )
    n = len(lead)
    apart = reshape(input, (*lead, c, h // r, r, w // r, r))
    apart = permute(apart, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return reshape(apart, (*lead, c * r * r, h // r, w // r))


def channel_shuffle(input: TensorT, groups: int) -> TensorT:
    """Channels ``(N, C, *)`` dealt out anew: the first of each group, then the second of each, and so on.

    Raises:
        RuntimeError: where the number of channels is not divisible by ``groups``.
    """
    require_tensor("channel_shuffle", "input", input)
    shape = tuple(input._array.shape)
    if len(shape) <= 2:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    n, c, *rest = shape
    if c % groups:
        raise RuntimeError(f"Number of channels must be divisible by groups. Got {c} channels and {groups} groups.")
    return reshape(transpose(reshape(input, (n, groups, c // groups, *rest)), 1, 2), shape)


# -- diagonals ---


@takes_out
def diag(input: TensorT, diagonal: int = 0, *, out: Any = None) -> TensorT:
    """A vector as the diagonal of a matrix; of a matrix its diagonal, a copy.

    Raises:
        RuntimeError: for other numbers of dimensions.
    """
    require_tensor("diag", "input", input)
    if input._array.ndim not in (1, 2):
        raise RuntimeError(
            f"diag(): Supports 1D or 2D tensors. Got {input._array.ndim}D\n  fix: torch.diagonal takes any number"
        )
    return diag_embed(input, diagonal) if input._array.ndim == 1 else diagonal_copy(input, diagonal)


def diag_embed(input: TensorT, offset: int = 0, dim1: int = -2, dim2: int = -1) -> TensorT:
    """Zeros with the last dimension of ``input`` on the diagonal of two new dimensions.

    Raises:
        RuntimeError: where both dimensions are the same.
    """
    require_tensor("diag_embed", "input", input)
    shape = tuple(input._array.shape)
    if not shape:
        raise IndexError("diag_embed: a 0-d tensor has no last dimension\n  fix: x.reshape(1)")
    ndim = len(shape) + 1
    d1, d2 = normalize_dim(dim1, ndim, "diag_embed"), normalize_dim(dim2, ndim, "diag_embed")
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = shape[-1] + abs(offset)
    sizes_then = list(shape[:-1])
    for d in sorted((d1, d2)):
        sizes_then.insert(d, n)
    return diagonal_backward(input, tuple(sizes_then), offset, d1, d2)


def diagflat(input: TensorT, offset: int = 0) -> TensorT:
    """A matrix with the flattened elements of ``input`` on its diagonal."""
    require_tensor("diagflat", "input", input)
    return diag_embed(reshape(input, -1), offset)


_WRITTEN = r"\text{the gradient goes to what was written; what was there before gets } 0"
DIAGONAL_SCATTER = Op(
    "diagonal_scatter",
    lambda m, input, src, offset, dim1, dim2: m.diagonal_scatter(input, src, offset, dim1, dim2),
    tensors=2,
    input=lambda m, g, src, offset, dim1, dim2: m.diagonal_scatter(g, m.new_zeros(g, src.shape), offset, dim1, dim2),
    src=lambda m, g, offset, dim1, dim2: m.diagonal(g, offset, dim1, dim2),
    formula=_WRITTEN,
)


@DIAGONAL_SCATTER
def diagonal_scatter(input: TensorT, src: Variable, offset: int = 0, dim1: int = 0, dim2: int = 1) -> TensorT:
    """A copy of ``input`` with ``src`` written on the diagonal of two dimensions.

    Raises:
        RuntimeError: where ``src`` has not the shape of the diagonal.
    """
    place = _written("diagonal_scatter", input, src, diagonal(input.detach(), offset, dim1, dim2))  # type: ignore[attr-defined]
    ndim = input._array.ndim
    return apply(DIAGONAL_SCATTER, (input, place), (offset, dim1 % ndim, dim2 % ndim))


def _written(function: str, input: Any, src: Any, place: Any) -> Any:
    require_tensor(function, "input", input)
    require_tensor(function, "src", src)
    if src._array.shape != place._array.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src._array.shape)}, slice size "
            f"= {list(place._array.shape)}\n  operation: {function}"
        )
    return src.to(input._dtype())


SELECT_SCATTER = Op(
    "select_scatter",
    lambda m, input, src, index: m.index_put(input, index, src, False),
    tensors=2,
    input=lambda m, g, src, index: _erased(m, g, index, src.shape),
    src=lambda m, g, index: m.index(g, index),
    formula=_WRITTEN,
)
SLICE_SCATTER = Op(
    "slice_scatter",
    lambda m, input, src, index: m.index_put(input, index, src, False),
    tensors=2,
    input=lambda m, g, src, index: _erased(m, g, index, src.shape),
    src=lambda m, g, index: m.index(g, index),
    formula=_WRITTEN,
)


def _erased(m: Any, g: Any, index: Any, shape: Any) -> Any:
    """``g`` with zeros at a basic index."""
    return m.index_put(g, index, m.new_zeros(g, shape), False)


def select_scatter(input: TensorT, src: Variable, dim: int, index: int) -> TensorT:
    """A copy of ``input`` with ``src`` written at ``index`` along ``dim``.

    Raises:
        IndexError: for an index out of range.
        RuntimeError: where ``src`` has not the shape of that slice.
    """
    place = _written("select_scatter", input, src, input.detach().select(dim, index))  # type: ignore[attr-defined]
    d = normalize_dim(dim, input._array.ndim, "select_scatter")
    return apply(SELECT_SCATTER, (input, place), ((slice(None),) * d + (int(index),),))


@takes_out
def slice_scatter(
    input: TensorT,
    src: Variable,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
    *,
    out: Any = None,
) -> TensorT:
    """A copy of ``input`` with ``src`` written to the slice ``start:end:step`` along ``dim``.

    Raises:
        RuntimeError: where ``src`` has not the shape of that slice, or the step is not positive.
    """
    require_tensor("slice_scatter", "input", input)
    if step <= 0:
        raise RuntimeError(f"slice step must be positive\n  got: {step}")
    d = normalize_dim(dim, input._array.ndim, "slice_scatter")
    index = (slice(None),) * d + (slice(start, end, step),)
    place = _written("slice_scatter", input, src, input.detach()[index])  # type: ignore[attr-defined]
    return apply(SLICE_SCATTER, (input, place), (index,))


# -- copies of views ---


def _compact(x: TensorT) -> TensorT:
    """A copy in row-major order."""
    return clone(x, memory_format=contiguous_format)


@takes_out
def alias_copy(input: TensorT, *, out: Any = None) -> TensorT:
    """A copy."""
    require_tensor("alias_copy", "input", input)
    return _compact(input)


@takes_out
def as_strided_copy(
    input: TensorT, size: Any, stride: Any, storage_offset: int | None = None, *, out: Any = None
) -> TensorT:
    """``as_strided`` as a copy."""
    return _compact(as_strided(input, size, stride, storage_offset))


def detach_copy(input: TensorT) -> TensorT:
    """``detach`` as a copy."""
    require_tensor("detach_copy", "input", input)
    return _compact(input.detach())  # type: ignore[attr-defined]


@takes_out
def diagonal_copy(input: TensorT, offset: int = 0, dim1: int = 0, dim2: int = 1, *, out: Any = None) -> TensorT:
    """``diagonal`` as a copy."""
    return _compact(diagonal(input, offset, dim1, dim2))


@takes_out
def expand_copy(input: TensorT, size: Any, *, implicit: bool = False, out: Any = None) -> TensorT:
    """``expand`` as a copy, in which every element has a place of its own."""
    return _compact(expand(input, size))


@takes_out
def narrow_copy(input: TensorT, dim: int, start: int, length: int, *, out: Any = None) -> TensorT:
    """``narrow`` as a copy.

    Raises:
        RuntimeError: for a dimension beyond the last, and as ``narrow``.
    """
    require_tensor("narrow_copy", "input", input)
    if input._array.ndim and dim >= input._array.ndim:
        raise RuntimeError(f"narrow_copy: expected a dim below {input._array.ndim}, got {dim}")
    return _compact(narrow(input, dim, start, length))


@takes_out
def permute_copy(input: TensorT, dims: Any, *, out: Any = None) -> TensorT:
    """``permute`` as a copy."""
    return _compact(permute(input, dims))


@takes_out
def select_copy(input: TensorT, dim: int, index: int, *, out: Any = None) -> TensorT:
    """``select`` as a copy."""
    return _compact(select(input, dim, index))


@takes_out
def slice_copy(
    input: TensorT, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1, *, out: Any = None
) -> TensorT:
    """The part ``start:end:step`` along ``dim`` as a copy.

    Raises:
        RuntimeError: unless ``step`` is positive.
    """
    require_tensor("slice_copy", "input", input)
    if step <= 0:
        raise RuntimeError(f"slice step must be positive\n  got: {step}")
    d = normalize_dim(dim, input._array.ndim, "slice_copy")
    return _compact(input[(*[slice(None)] * d, slice(start, end, step))])  # type: ignore[index]


@takes_out
def split_copy(input: TensorT, split_size: Any, dim: int = 0, *, out: Any = None) -> tuple[TensorT, ...]:
    """``split`` as copies."""
    return tuple([_compact(x) for x in split(input, split_size, dim)])


@takes_out
def split_with_sizes_copy(input: TensorT, split_sizes: Any, dim: int = 0, *, out: Any = None) -> tuple[TensorT, ...]:
    """``split_with_sizes`` as copies."""
    return tuple([_compact(x) for x in split_with_sizes(input, split_sizes, dim)])


@takes_out
@numpy_names
def squeeze_copy(input: TensorT, dim: Any = None, *, out: Any = None) -> TensorT:
    """``squeeze`` as a copy."""
    return _compact(squeeze(input, dim))


@takes_out
def t_copy(input: TensorT, *, out: Any = None) -> TensorT:
    """``t`` as a copy."""
    return _compact(t(input))


@takes_out
def transpose_copy(input: TensorT, dim0: int, dim1: int, *, out: Any = None) -> TensorT:
    """``transpose`` as a copy."""
    return _compact(transpose(input, dim0, dim1))


@takes_out
def unbind_copy(input: TensorT, dim: int = 0, *, out: Any = None) -> tuple[TensorT, ...]:
    """``unbind`` as copies."""
    return tuple([_compact(x) for x in unbind(input, dim)])


@takes_out
def unfold_copy(input: TensorT, dimension: int, size: int, step: int, *, out: Any = None) -> TensorT:
    """``Tensor.unfold`` as a copy."""
    return _compact(tensor_unfold(input, dimension, size, step))


@takes_out
def unsqueeze_copy(input: TensorT, dim: int, *, out: Any = None) -> TensorT:
    """``unsqueeze`` as a copy."""
    return _compact(unsqueeze(input, dim))


@takes_out
def view_copy(input: TensorT, size: Any, *, out: Any = None) -> TensorT:
    """``view`` as a copy, which any layout allows."""
    return _compact(reshape(input, size))


class RearrangingMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    fliplr = fliplr
    flipud = flipud
    rot90 = rot90
    diag = diag
    diag_embed = diag_embed
    diagflat = diagflat
    diagonal_scatter = diagonal_scatter
    select_scatter = select_scatter
    slice_scatter = slice_scatter
    narrow_copy = narrow_copy
