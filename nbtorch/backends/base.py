"""Array primitives: what every kind of device can do, in one generic body each.

A ``Backend`` wraps an array module with NumPy's interface (``xp``). Its methods take and return plain arrays, carry
PyTorch's names, and have dimensions already normalised (non-negative ints). Derivatives are written against these
names, so that one formula runs on arrays (through a backend) and on tensors (through the functions of ``ops``).
A subclass may override a method for speed; the body here is then the oracle that the override is tested against.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .activations import in_dtype_of
from .channels import ChannelPrimitives
from .convolution import ConvolutionPrimitives
from .decompositions import Decompositions
from .device import device
from .neural import NeuralPrimitives
from .pooling import PoolingPrimitives
from .recurrence import RecurrentPrimitives

Array = Any
Dims = tuple[int, ...] | None
Layout = tuple[tuple[int, ...], tuple[int, ...], int]  # shape, strides, offset

# PyTorch's name -> the name in NumPy and CuPy. Each is a ufunc: elementwise and broadcasting.
UFUNCS: dict[str, str] = {
    "abs": "absolute", "acos": "arccos", "acosh": "arccosh", "add": "add", "asin": "arcsin", "asinh": "arcsinh",
    "atan": "arctan", "atan2": "arctan2", "atanh": "arctanh", "bitwise_and": "bitwise_and",
    "bitwise_left_shift": "left_shift", "bitwise_not": "invert", "bitwise_or": "bitwise_or",
    "bitwise_right_shift": "right_shift", "bitwise_xor": "bitwise_xor", "ceil": "ceil", "copysign": "copysign",
    "cos": "cos", "cosh": "cosh", "div": "true_divide", "eq": "equal", "exp": "exp", "exp2": "exp2", "expm1": "expm1",
    "floor": "floor", "floor_divide": "floor_divide", "fmax": "fmax", "fmin": "fmin", "fmod": "fmod", "gcd": "gcd",
    "ge": "greater_equal", "gt": "greater", "hypot": "hypot", "isfinite": "isfinite", "isinf": "isinf",
    "isnan": "isnan", "lcm": "lcm", "le": "less_equal", "log": "log", "log10": "log10", "log1p": "log1p",
    "log2": "log2", "logaddexp": "logaddexp", "logaddexp2": "logaddexp2", "logical_and": "logical_and",
    "logical_not": "logical_not", "logical_or": "logical_or", "logical_xor": "logical_xor", "lt": "less",
    "maximum": "maximum", "minimum": "minimum", "mul": "multiply", "ne": "not_equal", "neg": "negative",
    "nextafter": "nextafter", "positive": "positive", "pow": "power", "reciprocal": "reciprocal",
    "remainder": "remainder", "round": "rint", "sgn": "sign", "sign": "sign", "signbit": "signbit", "sin": "sin",
    "sinh": "sinh", "sqrt": "sqrt", "square": "square", "sub": "subtract", "tan": "tan", "tanh": "tanh",
    "trunc": "trunc",
}  # fmt: skip


def _lowest(d: Any) -> Any:
    return False if d.kind == "b" else np.iinfo(d).min if d.kind in "iu" else -np.inf


def _highest(d: Any) -> Any:
    return True if d.kind == "b" else np.iinfo(d).max if d.kind in "iu" else np.inf


# What combining starts from where the elements that are there don't take part.
_NEUTRAL: dict[str, Callable[[Any], Any]] = {
    "sum": lambda d: 0, "mean": lambda d: 0, "prod": lambda d: 1, "amax": _lowest, "amin": _highest,
}  # fmt: skip


def _sortable(x: Array) -> Array:
    """bfloat16 as float32: its own comparisons in array modules know no place for NaN."""
    return x.astype(np.float32) if x.dtype.kind == "V" else x


class Backend(
    ConvolutionPrimitives, PoolingPrimitives, NeuralPrimitives, RecurrentPrimitives, ChannelPrimitives, Decompositions
):
    """The array primitives of one kind of device.

    Attributes:
        xp: the array module, with NumPy's interface.
        device: the device whose numbers it computes on.
        ndarray: the class of its arrays.
    """

    # The elementwise primitives are the array module's own functions: set in __init__, no Python frame in between.
    abs: Callable[..., Array]
    acos: Callable[..., Array]
    acosh: Callable[..., Array]
    add: Callable[..., Array]
    asin: Callable[..., Array]
    asinh: Callable[..., Array]
    atan: Callable[..., Array]
    atan2: Callable[..., Array]
    atanh: Callable[..., Array]
    bitwise_and: Callable[..., Array]
    bitwise_left_shift: Callable[..., Array]
    bitwise_not: Callable[..., Array]
    bitwise_or: Callable[..., Array]
    bitwise_right_shift: Callable[..., Array]
    bitwise_xor: Callable[..., Array]
    ceil: Callable[..., Array]
    copysign: Callable[..., Array]
    cos: Callable[..., Array]
    cosh: Callable[..., Array]
    div: Callable[..., Array]
    eq: Callable[..., Array]
    exp: Callable[..., Array]
    exp2: Callable[..., Array]
    floor: Callable[..., Array]
    fmax: Callable[..., Array]
    fmin: Callable[..., Array]
    gcd: Callable[..., Array]
    ge: Callable[..., Array]
    gt: Callable[..., Array]
    hypot: Callable[..., Array]
    isfinite: Callable[..., Array]
    isinf: Callable[..., Array]
    isnan: Callable[..., Array]
    lcm: Callable[..., Array]
    le: Callable[..., Array]
    log: Callable[..., Array]
    log10: Callable[..., Array]
    log2: Callable[..., Array]
    logaddexp2: Callable[..., Array]
    logical_and: Callable[..., Array]
    logical_not: Callable[..., Array]
    logical_or: Callable[..., Array]
    logical_xor: Callable[..., Array]
    lt: Callable[..., Array]
    maximum: Callable[..., Array]
    minimum: Callable[..., Array]
    mul: Callable[..., Array]
    ne: Callable[..., Array]
    neg: Callable[..., Array]
    nextafter: Callable[..., Array]
    positive: Callable[..., Array]
    pow: Callable[..., Array]
    reciprocal: Callable[..., Array]
    round: Callable[..., Array]
    sgn: Callable[..., Array]
    sign: Callable[..., Array]
    signbit: Callable[..., Array]
    sin: Callable[..., Array]
    sinh: Callable[..., Array]
    sqrt: Callable[..., Array]
    square: Callable[..., Array]
    sub: Callable[..., Array]
    tan: Callable[..., Array]
    tanh: Callable[..., Array]
    trunc: Callable[..., Array]

    def __init__(self, xp: Any, device: device) -> None:
        self.xp = xp
        self.device = device
        self.ndarray: type = xp.ndarray
        for name, ufunc in UFUNCS.items():
            if not hasattr(type(self), name):
                setattr(self, name, getattr(xp, ufunc))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.device)!r})"

    # -- to and from the host ---
    def from_host(self, array: np.ndarray[Any, Any]) -> Array:
        """A device array with the same numbers; may share memory with ``array`` where the device is the host."""
        return self.xp.asarray(array)

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        """A NumPy array with the same numbers; shares memory where the device is the host."""
        raise NotImplementedError(f"{type(self).__name__} must say how its arrays reach the host")

    def synchronize(self) -> None:
        """Waits until everything queued on the device is done; nothing to wait for on the host."""

    # -- creation ---
    def empty(self, shape: Sequence[int], dtype: Any) -> Array:
        return self.xp.empty(shape, dtype)

    def zeros(self, shape: Sequence[int], dtype: Any) -> Array:
        return self.xp.zeros(shape, dtype)

    def ones(self, shape: Sequence[int], dtype: Any) -> Array:
        return self.xp.ones(shape, dtype)

    def full(self, shape: Sequence[int], value: Any, dtype: Any) -> Array:
        return self.xp.full(shape, value, dtype)

    def new_zeros(self, x: Array, shape: Sequence[int]) -> Array:
        """Zeros of the dtype of ``x``."""
        return self.xp.zeros(shape, x.dtype)

    def new_ones(self, x: Array, shape: Sequence[int]) -> Array:
        """Ones of the dtype of ``x``."""
        return self.ones(shape, x.dtype)

    def arange(self, start: float, end: float, step: float, dtype: Any) -> Array:
        return self.xp.arange(start, end, step, dtype)

    def astype(self, x: Array, dtype: Any) -> Array:
        return x.astype(dtype)

    def copy(self, x: Array) -> Array:
        return x.copy()

    def contiguous(self, x: Array) -> Array:
        return self.xp.ascontiguousarray(x).reshape(x.shape)

    def as_array(self, x: Any) -> Array:
        """``x`` as an array: NumPy's reductions and ufuncs give scalars where a 0-d array is meant."""
        return x if type(x) is self.ndarray else self.xp.asarray(x)

    def shares_memory(self, x: Array, view: Array) -> bool:
        """Whether ``view``, made from ``x`` by reshaping or indexing, is over the same memory or had to be copied."""
        return view is x or (view.base is not None and (view.base is x or view.base is x.base))

    # -- memory ---
    def memory(self, x: Array) -> Array:
        """All the memory that ``x`` shows a part of, as a vector of its dtype."""
        owner, base = x, x.base
        while base is not None:
            if isinstance(base, self.ndarray):
                owner = base
            base = getattr(base, "base", None)
        order = sorted(range(owner.ndim), key=lambda d: -owner.strides[d])
        return owner.transpose(order).reshape(-1).view(x.dtype)

    def address(self, x: Array) -> int:
        """Where the first element of ``x`` stands, in bytes."""
        return int(x.data.ptr)

    def storage_offset(self, x: Array) -> int:
        """How many elements of its memory come before the first of ``x``."""
        return (self.address(x) - self.address(self.memory(x))) // x.itemsize

    def layout(self, x: Array) -> Layout:
        """Where the elements of ``x`` stand in its memory: shape, strides and offset, in elements."""
        item = x.itemsize
        return tuple(x.shape), tuple([s // item for s in x.strides]), self.storage_offset(x)

    def as_strided(self, x: Array, size: Sequence[int], stride: Sequence[int], offset: int) -> Array:
        """A view of the memory of ``x`` with steps of its own, counted in elements."""
        strides = tuple([s * x.itemsize for s in stride])
        return self.xp.lib.stride_tricks.as_strided(self.memory(x)[offset:], tuple(size), strides)

    # -- triangles ---
    def tril(self, x: Array, diagonal: int = 0) -> Array:
        return self.xp.tril(x, diagonal)

    def triu(self, x: Array, diagonal: int = 0) -> Array:
        return self.xp.triu(x, diagonal)

    # -- reductions ---
    def sum(self, x: Array, dim: Dims = None, keepdim: bool = False, dtype: Any = None) -> Array:
        if dtype is None and x.dtype.itemsize == 2 and x.dtype.kind in "fV":
            # A sum in half precision stops growing where its unit is as large as what is added.
            return x.sum(dim, np.float32, None, keepdim).astype(x.dtype)
        return x.sum(dim, dtype, None, keepdim)

    def prod(self, x: Array, dim: Dims = None, keepdim: bool = False, dtype: Any = None) -> Array:
        return x.prod(dim, dtype, None, keepdim)

    def mean(self, x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
        if x.dtype.itemsize == 2:
            return x.astype(np.float32).mean(dim, None, None, keepdim).astype(x.dtype)
        return x.mean(dim, None, None, keepdim)

    def amax(self, x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
        return x.max(dim, None, keepdim)

    def amin(self, x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
        return x.min(dim, None, keepdim)

    def argmax(self, x: Array, dim: int | None = None) -> Array:
        return self.xp.argmax(_sortable(x), dim)

    def argmin(self, x: Array, dim: int | None = None) -> Array:
        return self.xp.argmin(_sortable(x), dim)

    def any(self, x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
        return self.xp.any(x, dim, None, keepdim)

    def all(self, x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
        return self.xp.all(x, dim, None, keepdim)

    def cumsum(self, x: Array, dim: int) -> Array:
        return self.xp.cumsum(x, dim, x.dtype)

    def cumprod(self, x: Array, dim: int) -> Array:
        return self.xp.cumprod(x, dim, x.dtype)

    def running(self, function: str, x: Array, dim: int) -> Array:
        """The running ``maximum``, ``minimum`` or ``logaddexp`` along ``dim``."""
        # Steps of 1, 2, 4, …: each element then covers all before it. CuPy's ufuncs have no accumulate.
        combine, out, step = getattr(self, function), x, 1
        while x.ndim and step < x.shape[dim]:
            before = (slice(None),) * dim
            head, tail = out[(*before, slice(None, step))], out[(*before, slice(step, None))]
            out = self.cat([head, combine(tail, out[(*before, slice(None, -step))])], dim)
            step *= 2
        return out if out is not x else self.copy(x)

    def logcumsumexp(self, x: Array, dim: int) -> Array:
        # Summed in float64, as PyTorch does on the CPU: the logarithm of a long sum moves in small steps.
        return self.astype(self.running("logaddexp", self.astype(x, np.float64), dim), x.dtype)

    def sort(self, x: Array, dim: int, descending: bool) -> Array:
        """The indices that sort ``x`` stably along ``dim``, NaN greatest."""
        if not x.ndim:
            return self.xp.zeros((), np.int64)
        x = _sortable(x)
        if not descending:
            return self.xp.argsort(x, dim, kind="stable")
        # Sorting the reversed array and reversing the result keeps equal elements in their first order.
        backwards = self.xp.argsort(self.flip(x, (dim,)), dim, kind="stable")
        return self.flip(x.shape[dim] - 1 - backwards, (dim,))

    def topk(self, x: Array, k: int, dim: int, largest: bool) -> Array:
        """The indices of the ``k`` greatest (or least) along ``dim`` in order, of equal ones the first."""
        return self.sort(x, dim, largest)[(slice(None),) * dim + (slice(0, k),)]

    def nonzero(self, x: Array) -> Array:
        """The indices of nonzero elements, one row each, int64."""
        found = self.xp.nonzero(x) if x.ndim else self.xp.nonzero(x.reshape(1))
        return self.xp.stack(found, 1) if x.ndim else self.xp.zeros((found[0].shape[0], 0), np.int64)

    def logsumexp(self, x: Array, dim: tuple[int, ...], keepdim: bool = False) -> Array:
        if not x.size:  # no element to take the largest of; the logarithm of 0
            return self.log(self.sum(x, dim, keepdim))
        top = self.amax(x, dim, True)
        # An infinite maximum would give inf - inf; the sum is then decided by the maximum alone.
        top = self.where(self.isfinite(top), top, self.xp.zeros_like(top))
        total = self.log(self.sum(self.exp(x - top), dim, True)) + top
        return total if keepdim else total.reshape(tuple(n for i, n in enumerate(x.shape) if i not in dim))

    # -- linear algebra ---
    def matmul(self, a: Array, b: Array) -> Array:
        return in_dtype_of(a, self.xp.matmul(a, b))

    def einsum(self, equation: str, *operands: Array) -> Array:
        if operands[0].dtype.kind == "V":  # bfloat16, which no einsum knows
            return self.xp.einsum(equation, *[x.astype(np.float32) for x in operands]).astype(operands[0].dtype)
        return self.xp.einsum(equation, *operands)

    # -- shape ---
    def reshape(self, x: Array, shape: Sequence[int]) -> Array:
        return x.reshape(shape)

    def permute(self, x: Array, dims: Sequence[int]) -> Array:
        return x.transpose(dims)

    def transpose(self, x: Array, dim0: int, dim1: int) -> Array:
        return x.swapaxes(dim0, dim1)

    def expand(self, x: Array, shape: Sequence[int]) -> Array:
        return self.xp.broadcast_to(x, shape)

    def owns_memory(self, x: Array) -> bool:
        """Whether the memory of ``x`` is its own, so that who has the only reference to it may overwrite it."""
        return False

    def sum_to_size(self, x: Array, shape: tuple[int, ...]) -> Array:
        """Undoes broadcasting: sums ``x`` over the dimensions along which ``shape`` was stretched to reach it."""
        lead = x.ndim - len(shape)
        if lead < 0:  # a value with leading dimensions of size 1, written into a region without them
            x, lead = x.reshape((1,) * -lead + x.shape), 0
        if x.shape[lead:] == shape:  # the gradient of a bias
            return self.sum(x, tuple(range(lead))) if lead else x
        dims = tuple(range(lead)) + tuple([lead + i for i, n in enumerate(shape) if n == 1 and x.shape[lead + i] != 1])
        return self.sum(x, dims, True).reshape(shape) if dims else x.reshape(shape)

    def cat(self, arrays: Sequence[Array], dim: int) -> Array:
        return self.xp.concatenate(arrays, dim)

    def joined(self, arrays: Sequence[Array], out: Array | None = None) -> Array:
        """The elements of all arrays, one array after the other, as a vector."""
        return self.xp.concatenate([a.reshape(-1) for a in arrays], 0, out=out)

    def pieces(self, vector: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        """Views of a vector, one after the other, of these shapes: what :meth:`joined` put together."""
        found, start = [], 0
        for shape in shapes:
            end = start + self.numel(shape)
            found.append(vector[start:end].reshape(shape))
            start = end
        return found

    def stack(self, arrays: Sequence[Array], dim: int) -> Array:
        return self.xp.stack(arrays, dim)

    def constant_pad(self, x: Array, edges: Sequence[tuple[int, int]], value: Any = 0) -> Array:
        """``x`` with ``edges`` (before, after) of ``value`` for each dimension; negative ones cut off."""
        inner = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(edges, x.shape, strict=True))]
        shape = tuple(n + max(a, 0) + max(b, 0) for (a, b), n in zip(edges, inner.shape, strict=True))
        out = self.full(shape, value, x.dtype)
        out[tuple(slice(max(a, 0), max(a, 0) + n) for (a, _), n in zip(edges, inner.shape, strict=True))] = inner
        return out

    def flip(self, x: Array, dims: Sequence[int]) -> Array:
        chosen = set(dims)
        return x[tuple(slice(None, None, -1) if i in chosen else slice(None) for i in range(x.ndim))]

    def roll(self, x: Array, shifts: Any, dims: Any) -> Array:
        return self.xp.roll(x, shifts, dims)

    def diagonal(self, x: Array, offset: int, dim1: int, dim2: int) -> Array:
        """A view of the elements on the diagonal of two dimensions, as a last dimension."""
        view = x.diagonal(offset, dim1, dim2)
        if hasattr(view.flags, "writeable"):
            view.flags.writeable = x.flags.writeable  # NumPy gives one that is read-only
        return view

    def diagonal_backward(self, g: Array, shape: Sequence[int], offset: int, dim1: int, dim2: int) -> Array:
        """Zeros of ``shape`` with ``g`` on the diagonal."""
        out = self.zeros(shape, g.dtype)
        self.diagonal(out, offset, dim1, dim2)[...] = g
        return out

    def diagonal_scatter(self, x: Array, src: Array, offset: int, dim1: int, dim2: int) -> Array:
        """``x`` with ``src`` on the diagonal of two dimensions."""
        out = self.copy(x)
        self.diagonal(out, offset, dim1, dim2)[...] = src
        return out

    # -- indexing ---
    def index(self, x: Array, index: Any) -> Array:
        return x[index]

    def index_put(self, x: Array, index: Any, values: Any, accumulate: bool = False) -> Array:
        """``x`` with ``values`` written (or added, duplicates counted) at ``index``: a new array."""
        out = self.copy(self.as_array(x))
        if accumulate:
            self.add_at(out, index, values)
        else:
            out[index] = values
        return out

    def index_backward(self, g: Array, index: Any, shape: Sequence[int], basic: bool) -> Array:
        """Zeros of ``shape`` with ``g`` added at ``index``; ``basic`` where no element can be named twice."""
        out = self.zeros(shape, g.dtype)
        if basic:
            out[index] = g
        else:
            self.add_at(out, index, g)
        return out

    def add_at(self, x: Array, index: Any, values: Any) -> None:
        self.xp.add.at(x, index, values)

    def gather(self, x: Array, dim: int, index: Array) -> Array:
        return x[self._along(dim, index)]

    def scatter_add(self, x: Array, dim: int, index: Array, src: Array) -> Array:
        out = self.copy(x)
        self.add_at(out, self._along(dim, index), src[tuple(slice(0, n) for n in index.shape)])
        return out

    def scatter(self, x: Array, dim: int, index: Array, src: Any) -> Array:
        out = self.copy(x)
        out[self._along(dim, index)] = src[tuple(slice(0, n) for n in index.shape)] if hasattr(src, "shape") else src
        return out

    def index_fill(self, x: Array, dim: int, index: Array, value: Any) -> Array:
        """``x`` with ``value`` in the slices along ``dim`` that ``index`` names."""
        out = self.copy(x)
        out[(slice(None),) * dim + (index,)] = value
        return out

    def scatter_reduce(
        self, x: Array, dim: int, index: Array, src: Array, reduce: str, *, include_self: bool = True
    ) -> Array:
        """``x`` with ``src`` combined along ``dim`` at ``index``: sum, prod, mean, amax or amin."""
        at = self._along(dim, index)
        start = self.copy(x)
        if not include_self:
            start[at] = _NEUTRAL[reduce](x.dtype)
        if reduce in ("sum", "mean"):
            self.add_at(start, at, src)
        else:
            self.reduce_at(start, at, src, {"prod": "multiply", "amax": "maximum", "amin": "minimum"}[reduce])
        if reduce != "mean":
            return start
        count = self.xp.full(x.shape, int(include_self), np.int64)
        self.add_at(count, at, self.xp.ones(index.shape, np.int64))
        count = self.maximum(count, 1)
        return start // count.astype(x.dtype) if x.dtype.kind in "iu" else in_dtype_of(x, start / count.astype(x.dtype))

    def reduce_at(self, x: Array, index: Any, values: Array, ufunc: str) -> None:
        """``x[index] = ufunc(x[index], values)``, an index that is named twice counted twice.

        On the host: array modules of devices have no unbuffered product, and extremes for a few dtypes only.
        """
        host = self.to_host(x).copy()
        at = tuple(self.to_host(i) if isinstance(i, self.ndarray) else i for i in index)
        getattr(np, ufunc).at(host, at, self.to_host(values))
        x[...] = self.from_host(host)

    def _along(self, dim: int, index: Array) -> tuple[Array, ...]:
        """``index`` along ``dim`` and every other coordinate left where it is, as one advanced index."""
        if index.ndim == 0:
            return (index.reshape(1).reshape(()),) if dim == 0 else ()
        grids = []
        for i, n in enumerate(index.shape):
            if i == dim:
                grids.append(index)
            else:
                grids.append(self.xp.arange(n).reshape((1,) * i + (n,) + (1,) * (index.ndim - 1 - i)))
        return tuple(grids)

    def take(self, x: Array, index: Array, dim: int) -> Array:
        return self.xp.take(x, index, dim)

    def index_add(self, x: Array, dim: int, index: Array, source: Array) -> Array:
        out = self.copy(x)
        self.add_at(out, (slice(None),) * dim + (index,), source)
        return out

    def axpby(self, a: float, x: Array, b: float, y: Array) -> None:
        """``y = a x + b y``, in place, for numbers ``a`` and ``b``."""
        if b != 1:
            y *= b
        y += x if a == 1 else x * a

    def norm(self, x: Array) -> Array:
        """The Euclidean norm over all elements, 0-d."""
        return self.as_array(self.sqrt(self.sum(x * x)))

    @staticmethod
    def numel(shape: Sequence[int]) -> int:
        return math.prod(shape)
