"""Reading and writing elements by position: slices, masks and index tensors, as in square brackets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.modes import grad_mode
from ..autograd.variable import TensorT, Variable, wrap
from ..backends.dtypes import from_numpy_dtype, int64
from ..backends.layouts import in_order, in_rows, memory_order
from .conversion import to_dtype
from .exact_out import takes_out_apart
from .operands import NUMBERS, broadcast_shapes, require_tensor
from .pieces import SELECT, SLICE
from .record import Op, apply, apply_view, check_same_device, gradient_mask, of_one_backend
from .writing import become, check_writable, overwrite

__all__ = ["index_put", "masked_fill", "masked_select", "nonzero", "tril", "triu"]

UNSQUEEZE_INDEX = Op(
    "getitem_none",
    lambda m, input, index: m.index(input, index),
    node="UnsqueezeBackward0",
    input=lambda m, g, index, shape: m.index_backward(g, index, shape, True),
    formula=r"\text{the gradient takes the old shape}",
)


def _read(m: Any, input: Any, index: Any) -> Any:
    """``input[index]``; where index tensors pick, in PyTorch's order in memory (NumPy puts these outermost)."""
    out = m.index(input, index)
    items = index if isinstance(index, tuple) else (index,)
    picked = [i for i in items if hasattr(i, "ndim")]
    if out.ndim < 2 or not picked:
        return out
    if any(type(i) is not m.ndarray for i in picked):
        return in_rows(m, out, ())
    count = max(1 if i.dtype.kind == "b" else i.ndim for i in picked)
    steps: list[int] = []  # the strides of the dimensions that stay
    places: list[int] = []
    at = 0
    for item in items:
        if hasattr(item, "ndim"):
            places.append(len(steps))
            at += item.ndim if item.dtype.kind == "b" else 1
        elif isinstance(item, slice):
            steps.append(input.strides[at] * (1 if item.step is None else item.step))
            at += 1
        elif item is None:
            steps.append(0)
        else:
            return in_rows(m, out, ())
    steps += input.strides[at:]
    lead = places[0] if places[0] == places[-1] else 0
    shape = out.shape
    if len(steps) + count != len(shape):
        return in_rows(m, out, ())
    own = [math.prod(shape[k + 1 : lead + count]) for k in range(lead, lead + count)]
    nothing = [0] * len(steps)
    order = memory_order(
        shape,
        [*steps[:lead], *[0] * count, *steps[lead:]],
        [*nothing[:lead], *own, *nothing[lead:]],
    )
    return in_order(m, out, order)


INDEX = Op(
    "index",
    lambda m, input, index: _read(m, input, index),
    input=lambda m, g, index, shape: m.index_backward(g, index, shape, False),
    formula=r"\text{zeros, with } g \text{ added wherever it was read}",
)
INDEX_BACKWARD = Op(
    "index_backward",
    lambda m, g, index, shape, basic: m.index_backward(g, index, shape, basic),
    g=lambda m, g, index: m.index(g, index),
    node="IndexPutBackward0",
    formula=r"\text{read again where it was added}",
)
INDEX_PUT = Op(
    "index_put",
    lambda m, input, values, index, accumulate: m.index_put(input, index, values, accumulate),
    tensors=2,
    input=lambda m, g, index, accumulate: g if accumulate else m.index_put(g, index, _nothing(g), False),
    values=lambda m, g, index: m.index(g, index),
    formula=r"\text{the gradient goes to what was written; what was there before gets } 0",
)


# Writing to a slice, where no element can be named twice: PyTorch shows it as the base of a changed view.
SET_SLICE = Op(
    "set_slice",
    lambda m, input, values, index: m.index_put(input, index, values, False),
    tensors=2,
    node="CopySlices",
    input=lambda m, g, index: m.index_put(g, index, _nothing(g), False),
    values=lambda m, g, index: m.index(g, index),
    formula=r"\text{outside the region } g,\ \text{inside it the gradient goes to what was written}",
)


def _nothing(g: Any) -> Any:
    """0 to write, in the form that ``g`` needs."""
    return wrap(g._backend.zeros((), g._array.dtype), g._backend) if isinstance(g, Variable) else 0


@INDEX
def index(input: Any, index: Any) -> Any:
    """``input[index]`` for an index already in arrays; what derivatives call."""
    return apply(INDEX, (_where_index_is(input, index),), (index,))


def _where_index_is(t: Any, index: Any) -> Any:
    """``t``, inside ``vmap`` lifted to where the arrays of the index are."""
    for i in index if isinstance(index, tuple) else ():
        if hasattr(i, "backend") and i.backend is not t._backend:
            t = of_one_backend(INDEX, (t, wrap(i, i.backend)))[0]
    return t


@INDEX_BACKWARD
def index_backward(g: Any, index: Any, shape: Any, basic: bool) -> Any:
    """Zeros of ``shape`` with ``g`` added at ``index``."""
    return apply(INDEX_BACKWARD, (_where_index_is(g, index),), (index, tuple(shape), basic))


def _array_index(item: Any, m: Any) -> Any:
    """One advanced index as an array of the device, guarded copies of what the user may change later."""
    if isinstance(item, Variable):
        if item._backend is not m:
            if item._backend.device.type != "cpu" and item._backend.device != m.device:
                raise RuntimeError(
                    f"indices should be either on cpu or on the same device as the indexed tensor ({m.device})\n"
                    f"  got: indices on {item._backend.device}"
                )
            array = m.as_array(item._array) if item._backend.device == m.device else m.from_host(item._array)
        else:
            array = item._array
    elif type(item) is m.ndarray and m.device.type != "cpu":
        array = item  # an index that was parsed before, in a derivative that is recorded
    else:
        host = np.asarray(item)
        if host.size == 0 and host.dtype.kind == "f":
            host = host.astype(np.int64)
        if host.dtype.kind == "O":
            raise TypeError(
                f"can't index with {type(item).__name__}: {item!r}\n  expected: ints, bools or an index tensor"
            )
        array = m.from_host(host)
    kind = array.dtype.kind
    if kind == "f":
        raise IndexError(
            "tensors used as indices must be long, int, byte or bool tensors\n"
            f"  got: {from_numpy_dtype(array.dtype)!r}\n  fix: index.long()"
        )
    if kind == "u":
        return m.astype(array, np.bool_)  # PyTorch's old mask dtype
    # While recording, the graph keeps the index: a later write to the user's tensor must not change it.
    return m.copy(array) if grad_mode.enabled else array


_SEQUENCES = (slice, Variable, list, tuple, range, np.ndarray)


def parse_index(input: Variable, index: Any) -> tuple[Any, bool]:
    """An index as the backend takes it.

    Returns:
        the index, and whether it is basic (a view).

    Raises:
        IndexError: for too many indices, indices out of range, or things that can't index.
        TypeError: for text.
        ValueError: for a slice that steps backwards, and for numbers that don't fit 64 bits.
    """
    m = input._backend
    items = index if isinstance(index, tuple) else (index,)
    if isinstance(index, list) and any(isinstance(i, _SEQUENCES) or i is None or i is Ellipsis for i in index):
        items = tuple(index)  # as PyTorch (still) reads a list of sequences
    out: list[Any] = []
    basic = True
    for item in items:
        if isinstance(item, (bool, np.bool_)):
            basic = False
            out.append(bool(item))
        elif isinstance(item, (int, np.integer)):
            if not -(2**63) <= item < 2**63:
                raise ValueError(f"Overflow when unpacking long long\n  got: {item} as an index")
            out.append(int(item))
        elif item is None or item is Ellipsis:
            out.append(item)
        elif isinstance(item, slice):
            out.append(_slice(item))
        elif (
            isinstance(item, Variable)
            and item._array.ndim == 0
            and item._array.dtype.kind == "i"
            and item._backend.device.type == "cpu"
        ):
            out.append(int(item._array))
        elif isinstance(item, (Variable, np.ndarray, m.ndarray, list, tuple, range)):
            basic = False
            out.append(_array_index(list(item) if isinstance(item, range) else _plain(item), m))
        else:
            raise (TypeError if isinstance(item, str) else IndexError)(
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
                f"(got {type(item).__name__})\n  got: {item!r}"
            )
    _check_index(input, out)
    if not basic and any(i is Ellipsis for i in out):
        # NumPy takes index tensors on the two sides of an ellipsis for apart even where it stands for nothing.
        at = _position(out)
        out[at : at + 1] = [slice(None)] * (input._array.ndim - sum(_consumes(i) for i in out))
    return tuple(out), basic


def _plain(item: Any) -> Any:
    """Lists of 0-d tensors as lists of numbers."""
    if not isinstance(item, (list, tuple)):
        return item
    return [i._array.item() if isinstance(i, Variable) and not i._array.ndim else _plain(i) for i in item]


def _slice(s: slice) -> slice:
    def bound(b: Any) -> Any:
        return b if b is None else int(b)

    if s.step is not None and int(s.step) <= 0:
        raise ValueError("step must be greater than zero\n  fix: torch.flip(x, dims) turns a dimension round")
    return slice(bound(s.start), bound(s.stop), bound(s.step))


def _check_index(input: Variable, items: list[Any]) -> None:
    shape = input._array.shape
    used = sum(_consumes(i) for i in items)
    if used > len(shape):
        if not shape and all(isinstance(i, int) and not isinstance(i, bool) for i in items):
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                "convert "
                "a 0-dim tensor to a number\n  fix: x.item() for the number, x[None] for a vector of it"
            )
        raise IndexError(
            f"too many indices for tensor of dimension {len(shape)}\n  got: {used} indices, shape {tuple(shape)}"
        )
    dim = 0
    on_host = input._backend.device.type == "cpu"
    for i in items:
        if i is Ellipsis:
            dim = len(shape) - sum(_consumes(j) for j in items[_position(items) + 1 :])
            continue
        if isinstance(i, int) and not isinstance(i, bool):
            n = shape[dim]
            if not -n <= i < n:
                raise IndexError(
                    f"index {i} is out of bounds for dimension {dim} with size {n}\n"
                    f"  expected: {_range(n)}\n  got: shape {tuple(shape)}"
                )
        elif hasattr(i, "dtype"):
            if i.dtype == np.bool_:
                for k, size in enumerate(i.shape):
                    if size != shape[dim + k]:
                        raise IndexError(
                            f"The shape of the mask {list(i.shape)} at index {k} does not match the shape of the "
                            f"indexed tensor {list(shape)} at index {dim + k}\n"
                            "  expected: a mask with the sizes of the dimensions that it stands for"
                        )
            elif on_host and i.size:
                n = shape[dim]
                low, high = i.min(), i.max()
                if low < -n or high >= n:
                    raise IndexError(
                        f"index {low if low < -n else high} is out of bounds for dimension {dim} with size {n}\n"
                        f"  expected: {_range(n)}\n  got: shape {tuple(shape)}"
                    )
        dim += _consumes(i)


def _range(n: int) -> str:
    return f"a number from {-n} to {n - 1}" if n else "none: the dimension is empty"


def _position(items: list[Any]) -> int:
    return next(k for k, i in enumerate(items) if i is Ellipsis)


def _consumes(i: Any) -> int:
    """How many dimensions of the tensor one item of an index uses up."""
    if i is None or i is Ellipsis or isinstance(i, bool):
        return 0
    if hasattr(i, "dtype") and i.dtype == np.bool_:
        return int(i.ndim)
    return 1


def getitem(input: Any, item: Any) -> Any:
    """``input[item]``: a view for ints, slices, None and ``...``; a copy for masks and index tensors."""
    if type(item) is int:  # rows in a loop
        shape = input._array.shape
        if shape and -shape[0] <= item < shape[0]:
            return apply_view(SELECT, input, ((item,),))
    input = _of_the_batch(input, item)
    parsed, basic = parse_index(input, item)
    if basic:
        return apply_view(_view_record(parsed), input, (parsed,))
    if _has_numbers(parsed):
        input, parsed = _select_first(input, parsed)
    return apply(INDEX, (input,), (parsed,))


def _of_the_batch(input: Any, item: Any) -> Any:
    """``input``, inside ``vmap`` lifted to where the index tensors are."""
    for i in item if isinstance(item, tuple) else (item,):
        if isinstance(i, Variable) and i._backend is not input._backend and hasattr(i._backend, "level"):
            input = of_one_backend(INDEX, (input, i))[0]
    return input


def _has_numbers(parsed: tuple[Any, ...]) -> bool:
    return any(isinstance(i, int) and not isinstance(i, bool) for i in parsed)


def _select_first(input: Any, parsed: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The basic part of a mixed index applied, and what is left for index tensors.

    To NumPy a number beside an index tensor is one more index tensor, which can move dimensions; to PyTorch it is not.
    """
    first: list[Any] = []
    then: list[Any] = []
    for i in parsed:
        if isinstance(i, bool) or hasattr(i, "dtype"):
            first += [slice(None)] * _consumes(i)
            then.append(i)
        else:
            first.append(i)
            if not isinstance(i, int):
                then.append(i if i is Ellipsis else slice(None))
    return apply_view(_view_record(tuple(first)), input, (tuple(first),)), tuple(then)


def _view_record(parsed: tuple[Any, ...]) -> Op:
    """The record of a basic index, by the name that PyTorch gives the last of its steps."""
    if any(isinstance(i, int) for i in parsed):
        return SELECT
    plain = all(i is None or i is Ellipsis or i == slice(None) for i in parsed)
    return UNSQUEEZE_INDEX if plain and None in parsed else SLICE


def _values(input: Variable, value: Any) -> Any:
    """What is to be written, as a tensor of this dtype and device."""
    if isinstance(value, Variable):
        if value._backend is not input._backend:
            if value._array.ndim and value._backend.device != input._backend.device:
                raise RuntimeError(
                    f"Expected all tensors to be on the same device, but found at least two devices, "
                    f"{input._backend.device} and {value._backend.device}!\n  operation: writing to a tensor by index"
                )
            value = value.to(input._backend.device)  # type: ignore[attr-defined]
        return to_dtype(value, input._dtype())
    if isinstance(value, (*NUMBERS, np.generic)):
        return wrap(input._backend.full((), value, input._array.dtype), input._backend)
    if isinstance(value, (np.ndarray, list, tuple)):
        return wrap(input._backend.from_host(np.array(value).astype(input._array.dtype)), input._backend)
    raise TypeError(f"can't assign a {type(value).__name__} to a {input._dtype()!r}\n  expected: a tensor or a number")


def setitem(input: Any, item: Any, value: Any) -> None:
    """``input[item] = value``, in the graph where a gradient is wanted.

    Raises:
        RuntimeError: where ``value`` can't be broadcast to what is indexed, and as for every change in place.
    """
    check_writable(input)
    parsed, basic = parse_index(input, item)
    if not basic and _has_numbers(parsed):
        input, parsed = _select_first(input, parsed)
    _put(input, parsed, _values(input, value), False, basic)


def _put(input: Any, parsed: Any, values: Any, accumulate: bool, basic: bool = False) -> Any:
    m = input._backend
    if not gradient_mask((input, values)):
        try:
            if accumulate:
                m.add_at(input._array, parsed, values._array)
            else:
                input._array[parsed] = values._array
        except (ValueError, TypeError):
            raise _mismatch(input, parsed, values) from None
        input._touch()
        return input
    op, static = (SET_SLICE, (parsed,)) if basic else (INDEX_PUT, (parsed, accumulate))
    try:
        return overwrite(input, op, (values,), static, (input._array, values._array))
    except (ValueError, TypeError):
        raise _mismatch(input, parsed, values) from None


def _mismatch(input: Any, parsed: Any, values: Any) -> RuntimeError:
    region = tuple(input._array[parsed].shape)
    return RuntimeError(
        f"shape mismatch: value tensor of shape {list(values._array.shape)} cannot be broadcast to indexing result of "
        f"shape {list(region)}"
    )


@INDEX_PUT
def index_put(input: Any, indices: tuple[Any, ...], values: Any, accumulate: bool = False) -> Any:
    """A copy of ``input`` with ``values`` written at ``indices``, or added there, duplicates counted."""
    parsed, _ = parse_index(input, tuple(indices))
    values = _values(input, values)
    try:
        return apply(INDEX_PUT, (input, values), (parsed, accumulate))
    except ValueError:
        raise _mismatch(input, parsed, values) from None


# -- masks ---

MASKED_FILL = Op(
    "masked_fill",
    lambda m, input, mask, value: m.masked_fill(input, mask, value),
    tensors=3,
    input=lambda m, g, mask: m.masked_fill(g, mask, 0),
    value=lambda m, g, mask: m.sum(g * mask),
    formula=r"\frac{\partial L}{\partial x} = g \text{ outside the mask, } 0 \text{ inside}",
    layout=in_rows,
)


@MASKED_FILL
def masked_fill(input: TensorT, mask: Variable, value: Any) -> TensorT:
    """A copy with ``value`` (a number or a 0-d tensor) where the bool ``mask`` holds.

    Raises:
        RuntimeError: for a mask that is not bool, or a value with dimensions.
    """
    return apply(MASKED_FILL, _mask_inputs("masked_fill", input, mask, value))


def _mask_inputs(function: str, input: Any, mask: Any, value: Any) -> tuple[Any, Any, Any]:
    require_tensor(function, "input", input)
    require_tensor(function, "mask", mask)
    if mask._array.dtype.kind != "b":
        raise RuntimeError(
            f"{function} only supports boolean masks, but got mask with dtype {mask._dtype()!r}\n  fix: mask.bool()"
        )
    if isinstance(value, Variable):
        if value._array.ndim:
            raise RuntimeError(
                f"{function} only supports a 0-dimensional value tensor, but got tensor with {value._array.ndim} "
                "dimension(s)."
            )
        value = to_dtype(value, input._dtype())
    elif isinstance(value, float) and input._array.dtype.kind in "iub" and not value.is_integer():
        raise RuntimeError(f"value cannot be converted to type {input._dtype()!r} without overflow: {value}")
    check_same_device(MASKED_FILL, (input, mask))
    broadcast_shapes(function, tuple(input._array.shape), tuple(mask._array.shape))
    return input, mask, value


@takes_out_apart
def masked_select(input: TensorT, mask: Variable, *, out: Any = None) -> TensorT:
    """The elements where ``mask`` holds, as a vector."""
    require_tensor("masked_select", "mask", mask)
    if mask._array.dtype.kind != "b":
        raise RuntimeError(f"masked_select: expected BoolTensor for mask, got {mask._dtype()!r}")
    shape = broadcast_shapes("masked_select", tuple(input._array.shape), tuple(mask._array.shape))
    return getitem(input.expand(shape), mask.expand(shape))  # type: ignore[attr-defined]


TRIL = Op(
    "tril",
    lambda m, input, diagonal: m.tril(input, diagonal),
    input=lambda m, g, diagonal: m.tril(g, diagonal),
    formula=r"\text{the gradient keeps the same triangle}",
    layout=in_rows,
)
TRIU = Op(
    "triu",
    lambda m, input, diagonal: m.triu(input, diagonal),
    input=lambda m, g, diagonal: m.triu(g, diagonal),
    formula=r"\text{the gradient keeps the same triangle}",
    layout=in_rows,
)


def _triangle(op: Op, input: Any, diagonal: int) -> Any:
    require_tensor(op.name, "input", input)
    if input._array.ndim < 2:
        raise RuntimeError(
            f"{op.name}: input tensor must have at least 2 dimensions, got shape {tuple(input._array.shape)}"
        )
    return apply(op, (input,), (diagonal,))


@takes_out_apart
@TRIL
def tril(input: TensorT, diagonal: int = 0, *, out: Any = None) -> TensorT:
    """The lower triangle of each matrix, zeros elsewhere."""
    return _triangle(TRIL, input, diagonal)


@takes_out_apart
@TRIU
def triu(input: TensorT, diagonal: int = 0, *, out: Any = None) -> TensorT:
    """The upper triangle of each matrix, zeros elsewhere."""
    return _triangle(TRIU, input, diagonal)


NONZERO = Op("nonzero", lambda m, input: m.nonzero(input))


@takes_out_apart
@NONZERO
def nonzero(input: Any, *, as_tuple: bool = False, out: Any = None) -> Any:
    """Where elements are nonzero: one row of indices each, or with ``as_tuple`` one vector for each dimension."""
    require_tensor("nonzero", "input", input)
    found = apply(NONZERO, (input,))
    if not as_tuple:
        return found
    if not input._array.ndim:
        return (found.new_zeros(found._array.shape[0], dtype=int64),)
    return tuple(found.unbind(1))


class IndexingMethods(Variable):
    """The functions of this file as methods of ``Tensor``, and square brackets."""

    __slots__ = ()

    index_put = index_put
    masked_fill = masked_fill
    masked_select = masked_select
    tril = tril
    triu = triu
    nonzero = nonzero

    def __getitem__(self: TensorT, item: Any) -> TensorT:
        return getitem(self, item)

    def __setitem__(self, item: Any, value: Any) -> None:
        setitem(self, item, value)

    def index_put_(self: TensorT, indices: tuple[Any, ...], values: Any, accumulate: bool = False) -> TensorT:
        """Writes (or adds) ``values`` at ``indices`` in place."""
        check_writable(self)
        parsed, _ = parse_index(self, tuple(indices))
        return _put(self, parsed, _values(self, values), accumulate)

    def tril_(self: TensorT, diagonal: int = 0) -> TensorT:
        """``tril`` in place."""
        return become(self, tril, diagonal)

    def triu_(self: TensorT, diagonal: int = 0) -> TensorT:
        """``triu`` in place."""
        return become(self, triu, diagonal)

    def masked_fill_(self: TensorT, mask: Variable, value: Any) -> TensorT:
        """``masked_fill`` in place."""
        check_writable(self)
        _, mask, value = _mask_inputs("masked_fill_", self, mask, value)
        number = value._array if isinstance(value, Variable) else value
        return overwrite(self, MASKED_FILL, (mask, value), (), (self._array, mask._array, number))
