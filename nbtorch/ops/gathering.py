"""Taking, writing and adding along one dimension by tensors of indices, and what is built on that."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.engine import maths
from ..autograd.variable import TensorT, Variable, wrap
from ..backends.dtypes import int64
from .exact_out import takes_out_apart
from .indexing import getitem
from .joining import unshared
from .operands import Number, broadcast_shapes, normalize_dim, refuse_scalar, require_tensor
from .pieces import narrow
from .pointwise import where
from .record import Op, apply, check_same_device, mathematical
from .shape import expand, reshape, unsqueeze
from .writing import become, check_writable, overwrite

__all__ = [
    "embedding", "gather", "index_add", "index_select", "one_hot", "repeat_interleave",
    "scatter", "scatter_add", "take_along_dim",
]  # fmt: skip


def require_index(function: str, index: Any, input: Any) -> None:
    require_tensor(function, "index", index)
    if index._array.size and (index._array.dtype.kind != "i" or index._array.dtype.itemsize < 4):
        raise RuntimeError(
            f"{function}(): Expected dtype int64 for index\n  got: {index._dtype()!r}\n  fix: index.long()"
        )
    check_same_device(GATHER, (input, index))


def check_range(
    function: str, index: Any, size: int, dim: int, error: type[Exception] = RuntimeError, low: int = 0
) -> None:
    """Indices must be in range; on a device they are not looked at, since that would wait for it."""
    array = index._array
    if index._backend.device.type == "cpu" and array.size and (array.min() < low or array.max() >= size):
        bad = int(array.min()) if array.min() < low else int(array.max())
        raise error(f"index {bad} is out of bounds for dimension {dim} with size {size}\n  operation: {function}")


def check_smaller(function: str, index: Any, other: Any, dim: int, name: str, along: bool) -> None:
    a, b = index._array.shape, other._array.shape
    if len(a) != len(b) and (a or len(b) > 1) and (b or len(a) > 1):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as {name} tensor\n"
            f"  operation: {function}\n  got: index of shape {tuple(a)}, {name} of shape {tuple(b)}"
        )
    for d, (i, n) in enumerate(zip(a, b, strict=False)):
        if i > n and (along or d != dim):
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(a)} to be no larger than {name} {list(b)} "
                f"apart from dimension {dim}\n  operation: {function}"
            )


GATHER = Op(
    "gather",
    lambda m, input, index, dim: m.gather(input, dim, index),
    tensors=2,
    input=lambda m, g, index, dim, shape: m.gather_backward(g, dim, index, shape),
    formula=r"\text{each gradient is added to where its value was taken from}",
)


@takes_out_apart
@GATHER
def gather(input: TensorT, dim: int, index: Variable, *, sparse_grad: bool = False, out: Any = None) -> TensorT:
    """Along ``dim``, the elements at ``index``: ``out[i][j] = input[i][index[i][j]]`` for dim 1.

    Raises:
        RuntimeError: for an index of the wrong dtype, shape or range.
    """
    require_tensor("gather", "input", input)
    require_index("gather", index, input)
    d = normalize_dim(dim, input._array.ndim, "gather")
    if not index._array.size:  # nothing is taken, whatever the number of dimensions
        return narrow(reshape(input, -1), 0, 0, 0).reshape(tuple(index._array.shape))  # type: ignore[attr-defined]
    check_smaller("gather", index, input, d, "input", False)
    if not (input._array.ndim and index._array.ndim):
        taken = gather(as_vector(input), 0, as_vector(index))
        return taken.reshape(tuple(index._array.shape))
    check_range("gather", index, input._array.shape[d], d)
    return apply(GATHER, (input, as_index(index)), (d,))


def as_vector(x: Any) -> Any:
    """A 0-d tensor as a vector of one element: along a dimension, PyTorch takes the one for the other."""
    return x if x._array.ndim else x.reshape(1)


def as_index(index: Any) -> Any:
    """An index without elements may be of any dtype."""
    return index if index._array.dtype.kind == "i" else index.long()


SCATTER_ADD = Op(
    "scatter_add",
    lambda m, input, index, src, dim: m.scatter_add(input, dim, index, src),
    tensors=3,
    input=lambda g: g,
    src=lambda m, g, index, dim: m.gather(g, dim, index),
    formula=r"\text{the source gets the gradient from where it was added}",
)


@takes_out_apart
@SCATTER_ADD
def scatter_add(input: TensorT, dim: int, index: Variable, src: Variable, *, out: Any = None) -> TensorT:
    """A copy of ``input`` with ``src`` added along ``dim`` at ``index``, duplicates counted."""
    require_tensor("scatter_add", "input", input)
    require_tensor("scatter_add", "src", src)
    require_index("scatter_add", index, input)
    d = normalize_dim(dim, input._array.ndim, "scatter_add")
    require_same_dtype("scatter_add", input, src)
    check_smaller("scatter_add", index, src, d, "src", True)
    check_smaller("scatter_add", index, input, d, "self", False)
    if not (input._array.ndim and index._array.ndim and src._array.ndim):
        added = scatter_add(as_vector(input), 0, as_vector(index), as_vector(src))
        return added.reshape(tuple(input._array.shape))
    check_range("scatter_add", index, input._array.shape[d], d)
    return apply(SCATTER_ADD, (input, as_index(index), cut_to(src, index)), (d,))


def require_same_dtype(function: str, input: Any, src: Any) -> None:
    if input._array.dtype != src._array.dtype:
        raise RuntimeError(
            f"{function}(): Expected self.dtype to be equal to src.dtype\n"
            f"  got: {input._dtype()!r} and {src._dtype()!r}\n  fix: src.to(input.dtype)"
        )


def cut_to(src: Any, index: Any) -> Any:
    """The part of ``src`` that ``index`` speaks of."""
    shape = index._array.shape
    return src if src._array.shape == shape else getitem(src, tuple(slice(0, n) for n in shape))


SCATTER = Op(
    "scatter",
    lambda m, input, index, src, dim: m.scatter(input, dim, index, src),
    tensors=3,
    input=lambda m, g, index, dim: m.scatter(g, dim, index, 0),
    src=lambda m, g, index, dim: m.gather(g, dim, index),
    formula=r"\text{the source gets the gradient from where it was written}",
)


@takes_out_apart
@SCATTER
def scatter(
    input: TensorT,
    dim: int,
    index: Variable,
    src: Any = None,
    *,
    value: Number | None = None,
    reduce: str | None = None,
    out: Any = None,
) -> TensorT:
    """A copy of ``input`` with ``src`` (a tensor or a number) written along ``dim`` at ``index``.

    With ``reduce`` it is combined with what is there: ``"add"`` or ``"multiply"``.
    """
    if reduce is not None:
        return _scatter_combined(input, dim, index, value if src is None else src, reduce)
    require_tensor("scatter", "input", input)
    require_index("scatter", index, input)
    d = normalize_dim(dim, input._array.ndim, "scatter")
    given = value if src is None else src
    check_smaller("scatter", index, input, d, "self", False)
    if isinstance(given, Variable):
        require_same_dtype("scatter", input, given)
        check_smaller("scatter", index, given, d, "src", True)
    if not (input._array.ndim and index._array.ndim):
        written = scatter(
            as_vector(input), 0, as_vector(index), as_vector(given) if isinstance(given, Variable) else given
        )
        return written.reshape(tuple(input._array.shape))
    check_range("scatter", index, input._array.shape[d], d)
    if isinstance(given, Variable):
        given = cut_to(as_vector(given), index)
    return apply(SCATTER, (input, as_index(index), given), (d,))


def _scatter_combined(input: Any, dim: int, index: Any, src: Any, reduce: str) -> Any:
    if reduce not in ("add", "multiply"):
        raise RuntimeError(f"reduce argument must be either add or multiply.\n  got: {reduce!r}")
    if not isinstance(src, Variable):
        require_index("scatter", index, input)
        src = input.new_full(tuple(index._array.shape), src)
    if reduce == "add":
        return scatter_add(input, dim, index, src)
    return maths.scatter_reduce(input, dim, index, src, "prod")


INDEX_SELECT = Op(
    "index_select",
    lambda m, input, index, dim: m.take(input, index, dim),
    tensors=2,
    input=lambda m, g, index, dim, shape: m.index_add(m.new_zeros(g, shape), dim, index, g),
    formula=r"\text{each gradient is added to where its slice was taken from}",
)
INDEX_ADD = Op(
    "index_add",
    lambda m, input, index, source, dim: m.index_add(input, dim, index, source),
    tensors=3,
    input=lambda g: g,
    source=lambda m, g, index, dim: m.take(g, index, dim),
    formula=r"\text{the source gets the gradient from where it was added}",
)


@takes_out_apart
@INDEX_SELECT
def index_select(input: TensorT, dim: int, index: Variable, *, out: Any = None) -> TensorT:
    """A copy of the slices along ``dim`` whose numbers stand in the 1-D ``index``."""
    require_tensor("index_select", "input", input)
    require_index("index_select", index, input)
    if index._array.ndim > 1:
        raise IndexError(f"index_select(): Index is supposed to be a vector, got shape {tuple(index._array.shape)}")
    d = normalize_dim(dim, input._array.ndim, "index_select")
    check_range("index_select", index, input._array.shape[d] if input._array.ndim else 1, d, IndexError)
    if not input._array.ndim:
        if index._array.size != 1:
            raise RuntimeError(
                f"index_select(): Index to scalar can have only 1 value, got {index._array.size} value(s)"
            )
        return input.clone()  # type: ignore[attr-defined]
    return apply(INDEX_SELECT, (input, index.reshape(-1) if not index._array.ndim else index), (d,))  # type: ignore[attr-defined]


@mathematical
def take(input: TensorT, index: Variable, dim: int) -> TensorT:
    """``index_select`` as a backend spells it; what derivatives call."""
    return index_select(input, dim, index)


@takes_out_apart
@INDEX_ADD
def index_add(
    input: TensorT, dim: int, index: Variable, source: Variable, *, alpha: Number = 1, out: Any = None
) -> TensorT:
    """A copy of ``input`` with the slices of ``source`` added along ``dim`` at ``index``."""
    require_tensor("index_add", "input", input)
    require_index("index_add", index, input)
    d = normalize_dim(dim, input._array.ndim, "index_add")
    index, scaled = _slices_to_add("index_add", input, d, index, source, alpha)
    if not input._array.ndim:
        added = apply(INDEX_ADD, (as_vector(input), index, scaled), (0,))
        return added.reshape(())
    return apply(INDEX_ADD, (input, index, scaled), (d,))


def _slices_to_add(function: str, input: Any, d: int, index: Any, source: Any, alpha: Number) -> tuple[Any, Any]:
    """The index as a vector, and the slices times ``alpha``.

    Raises:
        IndexError: for an index with more than one dimension, or numbers out of range.
        RuntimeError: where shapes or dtypes don't fit.
    """
    require_tensor(function, "source", source)
    if index._array.ndim > 1:
        raise IndexError(f"{function}(): Index is supposed to be a vector, got shape {tuple(index._array.shape)}")
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"{function}(): self ({input._dtype()!r}) and source ({source._dtype()!r}) must have the same scalar type\n"
            "  fix: source.to(input.dtype)"
        )
    given = source._array.ndim
    index, source, input = as_vector(index), as_vector(source), as_vector(input)
    expected = (*input._array.shape[:d], index._array.shape[0], *input._array.shape[d + 1 :])
    if tuple(source._array.shape) != expected:
        kind = RuntimeError if given else IndexError  # a 0-d source has no dimension to be sliced along
        raise kind(
            f"{function}(): source must have one slice for each index\n  expected: a source of shape {expected}\n"
            f"  got: a source of shape {tuple(source._array.shape)}"
        )
    check_range(function, index, input._array.shape[d], d, IndexError)
    if alpha == 1:
        return index, source
    # Small integers wrap around, and a negative alpha does not fit uint8.
    wide = source if source._dtype().is_floating_point else source.long()
    return index, (wide * alpha).to(source.dtype)


@takes_out_apart
def take_along_dim(input: TensorT, indices: Variable, dim: int | None = None, *, out: Any = None) -> TensorT:
    """``gather`` with broadcasting; of the flattened tensor where ``dim`` is None."""
    require_tensor("take_along_dim", "input", input)
    require_tensor("take_along_dim", "indices", indices)
    if dim is None:
        return gather(input.reshape(-1), 0, _counted(indices, input._array.size).reshape(-1))  # type: ignore[attr-defined]
    if input._array.ndim != indices._array.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input._array.ndim} dimensions for input, and {indices._array.ndim} dimensions for indices\n"
            "  fix: unsqueeze() the one with fewer"
        )
    d = normalize_dim(dim, input._array.ndim, "take_along_dim")

    def with_size(shape: Any, n: int) -> tuple[int, ...]:
        return (*shape[:d], n, *shape[d + 1 :])

    a, b = tuple(input._array.shape), tuple(indices._array.shape)
    common = broadcast_shapes("take_along_dim", with_size(a, 1), with_size(b, 1))
    return gather(expand(input, with_size(common, a[d])), d, expand(_counted(indices, a[d]), with_size(common, b[d])))


def _counted(indices: Any, n: int) -> Any:
    """Indices with those below 0 counted from the end."""
    return where(indices < 0, indices + n, indices)


def repeat_interleave(input: Any, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Any:
    """A copy in which each element (along ``dim``, or of the flattened tensor) is repeated in place.

    Args:
        repeats: how often: a number for all, or a vector with one for each.
        dim: None for the flattened tensor.
        output_size: the size that ``dim`` will have, where it is known.

    Raises:
        RuntimeError: for negative repeats, or a vector of another length.
    """
    require_tensor("repeat_interleave", "input", input)
    if dim is None:
        input, dim = reshape(input, -1), 0
    refuse_scalar("repeat_interleave", "input", input)
    d = normalize_dim(dim, input._array.ndim, "repeat_interleave")
    shape = tuple(input._array.shape)
    if isinstance(repeats, Variable):
        if repeats._array.ndim > 1:
            raise RuntimeError(f"repeat_interleave: repeats must be 0-d or 1-d, got {tuple(repeats._array.shape)}")
        if repeats._array.size == 1:
            repeats = int(repeats._backend.to_host(repeats._array).reshape(-1)[0])
    if isinstance(repeats, Variable):
        times = repeats._backend.to_host(repeats._array)
        if times.shape != (shape[d],):
            raise RuntimeError(
                f"repeats must have the same size as input along dim, but got repeats.size(0) = {times.shape[0]} and "
                f"input.size({d}) = {shape[d]}"
            )
        if (times < 0).any():
            raise RuntimeError("repeats can not be negative")
        if output_size is not None and int(times.sum()) != output_size:
            raise RuntimeError(
                f"allocated size does not match required size\n  operation: repeat_interleave\n"
                f"  got: output_size={output_size} where the repeats add up to {int(times.sum())}"
            )
        positions = input._backend.from_host(np.repeat(np.arange(shape[d]), times))
        return index_select(input, d, wrap(positions, input._backend))
    if repeats < 0:
        raise RuntimeError(f"repeats can not be negative, got {repeats}")
    wide = expand(unsqueeze(input, d + 1), (*shape[: d + 1], repeats, *shape[d + 1 :]))
    return unshared(reshape(wide, (*shape[:d], shape[d] * repeats, *shape[d + 1 :])))


# -- by class or word ---

EMBEDDING = Op(
    "embedding",
    lambda m, weight, input, padding_idx: m.take(weight, input, 0),
    tensors=2,
    weight=lambda m, g, input, padding_idx, shape: _embedding_weight(m, g, input, padding_idx, shape),
    formula=r"\text{each row of the gradient is added to the row of its word}",
)


def _embedding_weight(m: Any, g: Any, input: Any, padding_idx: Any, shape: Any) -> Any:
    if padding_idx is not None:
        keep = input != padding_idx
        g = g * m.reshape(keep, (*keep.shape, 1))
    return m.index_backward(g, (input._array if isinstance(input, Variable) else input,), shape, False)


@EMBEDDING
def embedding(weight: TensorT, input: Variable, padding_idx: int | None = None) -> TensorT:
    """The rows of ``weight`` (words, features) whose numbers stand in ``input``; shape ``(*input.shape, features)``.

    Raises:
        IndexError: for a number outside the table.
        RuntimeError: for indices that are not int32 or int64.
    """
    require_tensor("embedding", "weight", weight)
    require_tensor("embedding", "input", input)
    if input._array.dtype.kind != "i" or input._array.dtype.itemsize < 4:
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{input._dtype()!r} instead (while checking arguments for embedding)\n  fix: input.long()"
        )
    if weight._array.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D\n  got: shape {tuple(weight._array.shape)}")
    check_same_device(EMBEDDING, (weight, input))
    check_range("embedding", input, weight._array.shape[0], 0, IndexError)
    return apply(EMBEDDING, (weight, input), (padding_idx,))


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """For each class number a row with a 1 there and zeros elsewhere: int64, shape ``(*tensor.shape, num_classes)``.

    Raises:
        RuntimeError: for a dtype other than int64, and for class numbers that are negative or too large.
    """
    require_tensor("one_hot", "tensor", tensor)
    if tensor._dtype() is not int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor, got {tensor._dtype()!r}\n  fix: x.long()"
        )
    m = tensor._backend
    if num_classes == -1:
        if not tensor._array.size:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        num_classes = int(tensor._array.max()) + 1
    if m.device.type == "cpu" and tensor._array.size:
        if tensor._array.min() < 0:
            raise RuntimeError("Class values must be non-negative.")
        if tensor._array.max() >= num_classes:
            raise RuntimeError(
                "Class values must be smaller than num_classes.\n"
                f"  got: {int(tensor._array.max())} and {num_classes} classes"
            )
    classes = m.arange(0, num_classes, 1, np.int64)
    indices = m.contiguous(tensor._array)
    return wrap(m.astype(indices.reshape((*indices.shape, 1)) == classes, np.int64), m)


class GatheringMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    gather = gather
    scatter_add = scatter_add
    scatter = scatter
    index_select = index_select
    index_add = index_add
    take_along_dim = take_along_dim
    repeat_interleave = repeat_interleave

    def scatter_add_(self: TensorT, dim: int, index: Variable, src: Variable) -> TensorT:
        """``scatter_add`` in place."""
        check_writable(self)
        require_index("scatter_add_", index, self)
        d = normalize_dim(dim, self._array.ndim, "scatter_add_")
        require_same_dtype("scatter_add_", self, src)
        check_smaller("scatter_add_", index, src, d, "src", True)
        check_smaller("scatter_add_", index, self, d, "self", False)
        if not (self._array.ndim and index._array.ndim and src._array.ndim):
            as_vector(self).scatter_add_(0, as_vector(index), as_vector(src))
            return self
        check_range("scatter_add_", index, self._array.shape[d], d)
        index, src = as_index(index), cut_to(src, index)
        return overwrite(self, SCATTER_ADD, (index, src), (d,), (self._array, index._array, src._array))

    def scatter_(
        self: TensorT,
        dim: int,
        index: Variable,
        src: Any = None,
        *,
        value: Number | None = None,
        reduce: str | None = None,
    ) -> TensorT:
        """``scatter`` in place."""
        if reduce is not None:
            return become(self, scatter, dim, index, src, value=value, reduce=reduce)
        check_writable(self)
        require_index("scatter_", index, self)
        d = normalize_dim(dim, self._array.ndim, "scatter_")
        given = value if src is None else src
        check_smaller("scatter_", index, self, d, "self", False)
        if isinstance(given, Variable):
            require_same_dtype("scatter_", self, given)
            check_smaller("scatter_", index, given, d, "src", True)
        if not (self._array.ndim and index._array.ndim):
            as_vector(self).scatter_(0, as_vector(index), as_vector(given) if isinstance(given, Variable) else given)
            return self
        check_range("scatter_", index, self._array.shape[d], d)
        index = as_index(index)
        if isinstance(given, Variable):
            given = cut_to(as_vector(given), index)
        array = given._array if isinstance(given, Variable) else given
        return overwrite(self, SCATTER, (index, given), (d,), (self._array, index._array, array))

    def index_add_(self: TensorT, dim: int, index: Variable, source: Any, *, alpha: Number = 1) -> TensorT:
        """``index_add`` in place."""
        check_writable(self)
        require_index("index_add_", index, self)
        d = normalize_dim(dim, self._array.ndim, "index_add_")
        index, source = _slices_to_add("index_add_", self, d, index, source, alpha)
        if not self._array.ndim:
            as_vector(self).index_add_(0, index, source)
            return self
        return overwrite(self, INDEX_ADD, (index, source), (d,), (self._array, index._array, source._array))
