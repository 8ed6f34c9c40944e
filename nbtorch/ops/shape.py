"""Shape: views of the same memory, and copies with the elements in another order.

Functions marked as views share memory with their input, as in PyTorch: writing to one is seen in the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..autograd.variable import TensorT, Variable, shared_storage, wrap
from ..backends.dtypes import dtype as DType
from ..backends.layouts import in_rows, like_first
from .conversion import contiguous
from .operands import normalize_dim, normalize_dims, numpy_names, require_tensor
from .record import Op, apply, apply_view

__all__ = [
    "adjoint", "broadcast_to", "flatten", "flip", "moveaxis", "movedim", "permute", "ravel", "reshape", "roll",
    "squeeze", "swapaxes", "swapdims", "t", "transpose", "unflatten", "unsqueeze",
]  # fmt: skip


def sizes(args: tuple[Any, ...], function: str) -> tuple[int, ...]:
    """Sizes given as ints or as one sequence, as a tuple.

    Raises:
        TypeError: for anything that is not a whole number.
    """
    given = tuple(args[0]) if len(args) == 1 and isinstance(args[0], (tuple, list)) else args
    for n in given:
        if type(n) is not int:
            break
    else:
        return given
    out = []
    for n in given:
        if isinstance(n, Variable) and n._array.ndim == 0 and n._array.dtype.kind in "iu":
            n = int(n._array)
        if isinstance(n, (bool, float, str)) or not hasattr(n, "__index__"):
            raise TypeError(
                f"{function}(): argument 'size' must be tuple of ints, but found element of type "
                f"{type(n).__name__}\n  got: {given!r}"
            )
        out.append(int(n.__index__()))
    return tuple(out)


def infer_shape(shape: tuple[int, ...], numel: int, function: str) -> tuple[int, ...]:
    """``shape`` with its -1, if any, worked out.

    Raises:
        RuntimeError: where the sizes can't hold ``numel`` elements.
    """
    if math.prod(shape) == numel and min(shape, default=0) >= 0:
        return shape
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred\n  got: shape " + repr(list(shape)))
    if any(n < -1 for n in shape):
        raise RuntimeError(f"invalid shape dimension {min(shape)}\n  got: shape {list(shape)}")
    known = math.prod(n for n in shape if n != -1)
    if -1 in shape:
        if known == 0:
            raise RuntimeError(
                f"cannot reshape tensor of {numel} elements into shape {list(shape)} because the unspecified dimension "
                "size -1 can be any value and is ambiguous\n"
                "  fix: name every size; a tensor without elements decides none of them"
            )
        if numel % known == 0:
            return tuple(numel // known if n == -1 else n for n in shape)
    elif known == numel:
        return shape
    raise RuntimeError(
        f"shape '{list(shape)}' is invalid for input of size {numel}\n  operation: {function}\n"
        f"  expected: sizes whose product is {numel}" + (f", got {known}" if -1 not in shape else "")
    )


VIEW = Op(
    "view",
    lambda m, input, size: m.reshape(input, size),
    node="ViewBackward0",
    input=lambda m, g, shape: m.reshape(g, shape),
    formula=r"\text{the gradient takes the old shape}",
)
RESHAPE = Op(
    "reshape",
    lambda m, input, size: m.reshape(input, size),
    node="ViewBackward0",
    input=lambda m, g, shape: m.reshape(g, shape),
    formula=r"\text{the gradient takes the old shape}",
)


@RESHAPE
def reshape(input: TensorT, *args: Any, shape: Any = None) -> TensorT:
    """The same elements in another shape: a view where the memory allows it, else a copy. One size may be -1.

    Raises:
        RuntimeError: where the number of elements differs.
    """
    require_tensor("reshape", "input", input)
    size = infer_shape(sizes(args if shape is None else (shape,), "reshape"), input._array.size, "reshape")
    return apply_view(RESHAPE, input, (size,))


@VIEW
def view(input: TensorT, *args: Any, size: Any = None, dtype: DType | None = None) -> TensorT:
    """The same memory in another shape.

    Raises:
        RuntimeError: where that can't be had without a copy; ``reshape`` copies then.
    """
    require_tensor("view", "input", input)
    given = (dtype,) if dtype is not None else args if size is None else (size,)
    if len(given) == 1 and isinstance(given[0], DType):
        return _view_dtype(input, given[0])
    shape = infer_shape(sizes(given, "view"), input._array.size, "view")
    out = apply_view(VIEW, input, (shape,))
    if out._view is None and input._array.size:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead.\n"
            f"  got: shape {tuple(input._array.shape)} with strides {_strides(input)}, asked for {list(shape)}"
        )
    return out


def _view_dtype(input: Any, d: DType) -> Any:
    """The same bytes read as another dtype; not in the graph."""
    array, old, new = input._array, input._array.dtype.itemsize, d.itemsize
    if old != new:
        if not array.ndim:
            raise RuntimeError(
                f"self.dim() cannot be 0 to view {input._dtype()!r} as {d!r} (different element sizes)\n"
                "  fix: unsqueeze(0)"
            )
        n, step = array.shape[-1], array.strides[-1]
        if step != old and n > 1:
            raise RuntimeError(
                f"self.stride(-1) must be 1 to view {input._dtype()!r} as {d!r} (different element sizes), but got "
                f"{step // old}"
            )
        if n * old % new or any(s % new for s in array.strides[:-1]):
            raise RuntimeError(
                f"self.size(-1) must be divisible by {new // old} to view {input._dtype()!r} as {d!r} (different "
                f"element sizes), but got {n}"
            )
    out = wrap(array.view(d.numpy), input._backend, input._result_class)
    out._storage = shared_storage(input)
    return out


ALIAS = Op("alias", lambda m, input: m.index(input, ...), input=lambda g: g, formula="x' = 1")


def _strides(t: Variable) -> tuple[int, ...]:
    item = t._array.dtype.itemsize
    return tuple(s // item for s in t._array.strides)


PERMUTE = Op(
    "permute",
    lambda m, input, dims: m.permute(input, dims),
    input=lambda m, g, dims: m.permute(g, tuple(sorted(range(len(dims)), key=dims.__getitem__))),
    formula=r"\text{the dimensions go back to their places}",
)


@PERMUTE
def permute(input: TensorT, *args: Any, dims: Any = None) -> TensorT:
    """A view with the dimensions in the order ``dims``.

    Raises:
        RuntimeError: where ``dims`` does not name each dimension once.
    """
    require_tensor("permute", "input", input)
    given = sizes(args if dims is None else (dims,), "permute")
    ndim = input._array.ndim
    if len(given) != ndim:
        raise RuntimeError(
            "permute(): number of dimensions in the tensor input does not match the length of the desired ordering of "
            f"dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(given)}\n"
            f"  expected: each of the {ndim} dimensions once\n  got: {given}"
        )
    order = tuple([normalize_dim(d, ndim, "permute") for d in given])
    if len(set(order)) != ndim:
        raise RuntimeError(
            "permute(): duplicate dims are not allowed.\n"
            f"  expected: each of the {ndim} dimensions once\n  got: {given}"
        )
    return apply_view(PERMUTE, input, (order,))


TRANSPOSE = Op(
    "transpose",
    lambda m, input, dim0, dim1: m.transpose(input, dim0, dim1),
    input=lambda m, g, dim0, dim1: m.transpose(g, dim0, dim1),
    formula=r"\frac{\partial L}{\partial X} = G^\top",
)
T = Op(
    "t",
    lambda m, input: m.transpose(input, 0, 1),
    node="TBackward0",
    input=lambda m, g: m.transpose(g, 0, 1),
    formula=r"\frac{\partial L}{\partial X} = G^\top",
)


@TRANSPOSE
def transpose(input: TensorT, dim0: int, dim1: int) -> TensorT:
    """A view with two dimensions swapped."""
    require_tensor("transpose", "input", input)
    ndim = input._array.ndim
    d0, d1 = normalize_dim(dim0, ndim, "transpose"), normalize_dim(dim1, ndim, "transpose")
    return apply_view(TRANSPOSE, input, (d0, d1)) if ndim else reshape(input, ())


@T
def t(input: TensorT) -> TensorT:
    """The transpose of a matrix, a view; tensors with fewer dimensions as they are.

    Raises:
        RuntimeError: for more than 2 dimensions.
    """
    require_tensor("t", "input", input)
    if input._array.ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {input._array.ndim}D\n"
            "  fix: name the two dimensions, x.transpose(-2, -1)"
        )
    return apply_view(T, input) if input._array.ndim == 2 else reshape(input, tuple(input._array.shape))


def _writable(view: Any, x: Any) -> Any:
    """NumPy makes what it broadcasts read-only; a part of it whose elements are all its own may be written to."""
    if hasattr(view.flags, "writeable"):
        view.flags.writeable = x.flags.writeable
    return view


EXPAND = Op(
    "expand",
    lambda m, input, size: _writable(m.expand(input, size), input),
    input=lambda g: g,
    formula=r"\frac{\partial L}{\partial x} = \textstyle\sum_{\text{copies}} g",
)


@EXPAND
def expand(input: TensorT, *args: Any, size: Any = None) -> TensorT:
    """A read-only view in which dimensions of size 1 are repeated without copying; -1 keeps a size.

    Raises:
        RuntimeError: where a size that is not 1 would change.
    """
    require_tensor("expand", "input", input)
    wanted = sizes(args if size is None else (size,), "expand")
    shape = input._array.shape
    lead = len(wanted) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(wanted)}) must be greater or equal to the number of "
            "dimensions "
            f"in the tensor ({len(shape)})\n  fix: name every dimension; -1 keeps a size"
        )
    out = []
    for i, n in enumerate(wanted):
        have = shape[i - lead] if i >= lead else 1
        if n == -1:
            if i < lead:
                raise RuntimeError(
                    f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
                )
            n = have
        if have not in (1, n) or n < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({have}) at non-singleton "
                "dimension "
                f"{i}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(shape)}\n"
                "  expected: only sizes of 1 can be stretched\n  fix: x.repeat(...) copies any size"
            )
        out.append(n)
    return apply_view(EXPAND, input, (tuple(out),))


def at_least(ndim: int, x: Any) -> Any:
    """``x`` with dimensions of size 1 so that it has at least ``ndim``: rows first, the third dimension last."""
    require_tensor(f"atleast_{ndim}d", "input", x)
    shape = tuple(x._array.shape)
    if len(shape) >= ndim:
        return x
    if ndim == 3 and shape:
        return unsqueeze(unsqueeze(x, 0), 2) if len(shape) == 1 else unsqueeze(x, 2)
    return reshape(x, (1,) * (ndim - len(shape)) + shape)


def expand_as(input: TensorT, other: Variable) -> TensorT:
    """``input`` expanded to the shape of ``other``."""
    return expand(input, tuple(other._array.shape))


def broadcast_to(input: TensorT, size: Sequence[int]) -> TensorT:
    """Alias of ``expand``."""
    return expand(input, tuple(size))


SQUEEZE = Op(
    "squeeze",
    lambda m, input, size: m.reshape(input, size),
    node="SqueezeBackward0",
    input=lambda m, g, shape: m.reshape(g, shape),
    formula=r"\text{the gradient takes the old shape}",
)
SQUEEZE_DIM = Op(
    "squeeze_dim",
    lambda m, input, size, dim: m.reshape(input, size),
    node="SqueezeBackward1",
    input=lambda m, g, shape: m.reshape(g, shape),
    formula=r"\text{the gradient takes the old shape}",
)
UNSQUEEZE = Op(
    "unsqueeze",
    lambda m, input, size, dim: m.reshape(input, size),
    node="UnsqueezeBackward0",
    input=lambda m, g, shape: m.reshape(g, shape),
    formula=r"\text{the gradient takes the old shape}",
)


@SQUEEZE
@numpy_names
def squeeze(input: TensorT, dim: int | tuple[int, ...] | None = None) -> TensorT:
    """A view without dimensions of size 1: all of them, or those in ``dim`` that are."""
    require_tensor("squeeze", "input", input)
    shape = input._array.shape
    if dim is None:
        return apply_view(SQUEEZE, input, (tuple(n for n in shape if n != 1),))
    dims = normalize_dims(dim, len(shape), "squeeze")
    return apply_view(SQUEEZE_DIM, input, (tuple(n for i, n in enumerate(shape) if n != 1 or i not in dims), dim))


@UNSQUEEZE
@numpy_names
def unsqueeze(input: TensorT, dim: int) -> TensorT:
    """A view with a new dimension of size 1 at ``dim``."""
    require_tensor("unsqueeze", "input", input)
    shape = tuple(input._array.shape)
    d = normalize_dim(dim, len(shape) + 1, "unsqueeze")
    return apply_view(UNSQUEEZE, input, ((*shape[:d], 1, *shape[d:]), d))


def flatten(input: TensorT, start_dim: int = 0, end_dim: int = -1) -> TensorT:
    """Dimensions ``start_dim`` to ``end_dim`` merged into one; a view where the memory allows it.

    Raises:
        RuntimeError: where ``start_dim`` comes after ``end_dim``.
    """
    require_tensor("flatten", "input", input)
    shape = tuple(input._array.shape)
    count = max(len(shape), 1)  # a 0-d tensor counts as one of a single element
    start, end = normalize_dim(start_dim, count, "flatten"), normalize_dim(end_dim, count, "flatten")
    if not shape:
        return reshape(input, 1)
    if start > end:
        raise RuntimeError(
            f"flatten() has invalid args: start_dim cannot come after end_dim\n  got: {start_dim} and {end_dim}"
        )
    if start == end:
        return input
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def ravel(input: TensorT) -> TensorT:
    """``flatten`` to one dimension."""
    require_tensor("ravel", "input", input)
    return view(contiguous(input), -1)


def unflatten(input: TensorT, dim: int, sizes: Sequence[int]) -> TensorT:
    """Dimension ``dim`` split into several; one of ``sizes`` may be -1."""
    shape = tuple(input._array.shape)
    d = normalize_dim(dim, len(shape), "unflatten")
    if not shape:
        raise RuntimeError("unflatten: a 0-d tensor has no dimension to split\n  fix: x.reshape(sizes)")
    return reshape(input, (*shape[:d], *infer_shape(tuple(sizes), shape[d], "unflatten"), *shape[d + 1 :]))


def movedim(input: TensorT, source: Any, destination: Any) -> TensorT:
    """A view with the ``source`` dimensions moved to ``destination``, the others in their order."""
    ndim = input._array.ndim
    src, dst = normalize_dims(source, ndim, "movedim"), normalize_dims(destination, ndim, "movedim")
    if len(src) != len(dst):
        raise RuntimeError("movedim: Invalid source or destination dims: source and destination must have equal length")
    rest = iter(d for d in range(ndim) if d not in src)
    places = dict(zip(dst, src, strict=True))
    return permute(input, tuple(places[i] if i in places else next(rest) for i in range(ndim)))


FLIP = Op(
    "flip",
    lambda m, input, dims: m.contiguous(m.flip(input, dims)),
    input=lambda m, g, dims: m.flip(g, dims),
    formula=r"\text{the gradient is turned round too}",
    layout=like_first,
)


@FLIP
@numpy_names
def flip(input: TensorT, *args: Any, dims: Any = None) -> TensorT:
    """A copy with the order of elements along ``dims`` reversed."""
    require_tensor("flip", "input", input)
    return apply(
        FLIP, (input,), (normalize_dims(sizes(args if dims is None else (dims,), "flip"), input._array.ndim, "flip"),)
    )


ROLL = Op(
    "roll",
    lambda m, input, shifts, dims: m.roll(input, shifts, dims),
    input=lambda m, g, shifts, dims: m.roll(g, tuple(-s for s in shifts) if dims is not None else -shifts, dims),
    formula=r"\text{the gradient is rolled back}",
    layout=in_rows,
)


@ROLL
def roll(input: TensorT, shifts: Any, dims: Any = None) -> TensorT:
    """A copy shifted along ``dims`` (flattened unless given); what falls off one end comes in at the other."""
    require_tensor("roll", "input", input)
    s = tuple(shifts) if isinstance(shifts, (tuple, list)) else (shifts,)
    if not s:
        raise RuntimeError("`shifts` required\n  expected: a number, or one for each of dims")
    count = 0 if dims is None else len(dims) if isinstance(dims, (tuple, list)) else 1
    if len(s) != (count or 1):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(s)}, dims:{count}")
    if not count:
        return apply(ROLL, (input,), (s[0], None))
    if not input._array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions\n  operation: roll")
    return apply(ROLL, (input,), (s, normalize_dims(dims, input._array.ndim, "roll")))


def adjoint(input: TensorT) -> TensorT:
    """The last two dimensions swapped (and conjugated, were it complex), a view.

    Raises:
        RuntimeError: for a vector.
    """
    require_tensor("adjoint", "input", input)
    if input._array.ndim == 1:
        raise RuntimeError(
            "tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.\n"
            "  fix: unsqueeze() makes a matrix of it"
        )
    return transpose(input, -2, -1) if input._array.ndim else input


swapaxes = swapdims = transpose
moveaxis = movedim


class ShapeMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    reshape = reshape
    view = view
    permute = permute
    transpose = transpose
    t = t
    expand = expand
    expand_as = expand_as
    broadcast_to = broadcast_to
    squeeze = squeeze
    unsqueeze = unsqueeze
    flatten = flatten
    ravel = ravel
    unflatten = unflatten
    movedim = movedim
    moveaxis = moveaxis
    flip = flip
    roll = roll
    swapaxes = swapaxes
    swapdims = swapdims
    adjoint = adjoint

    def view_as(self: TensorT, other: Variable) -> TensorT:
        """``view`` with the shape of ``other``."""
        return view(self, tuple(other._array.shape))

    def reshape_as(self: TensorT, other: Variable) -> TensorT:
        """``reshape`` to the shape of ``other``."""
        return reshape(self, tuple(other._array.shape))

    @property
    def T(self: TensorT) -> TensorT:
        """The dimensions in reverse order, a view."""
        return permute(self, tuple(range(self._array.ndim))[::-1])

    @property
    def H(self: TensorT) -> TensorT:
        """A matrix transposed (and conjugated, were it complex), a view.

        Raises:
            RuntimeError: for anything but a matrix or a single number.
        """
        if self._array.ndim not in (0, 2):
            raise RuntimeError(
                f"tensor.H is only supported on matrices (2-D tensors). Got {self._array.ndim}-D tensor. For batches "
                "of matrices, consider using tensor.mH"
            )
        return transpose(self, 0, 1) if self._array.ndim else self

    @property
    def mH(self: TensorT) -> TensorT:
        """The last two dimensions swapped (and conjugated, were it complex), a view."""
        return adjoint(self)

    @property
    def mT(self: TensorT) -> TensorT:
        """The last two dimensions swapped, a view."""
        if not self._array.ndim:
            return self
        if self._array.ndim < 2:
            raise RuntimeError(
                f"tensor.mT is only supported on matrices or batches of matrices. Got {self._array.ndim}-D tensor."
            )
        return transpose(self, -2, -1)
