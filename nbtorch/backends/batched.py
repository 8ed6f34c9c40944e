"""Arrays with a dimension that nobody sees: what ``vmap`` computes on.

A :class:`BatchedArray` has the shape of one example; its ``data`` has one dimension more, in front. Since a
:class:`BatchedBackend` offers NumPy's interface on such arrays, every operation and every derivative runs on them as it
is. Functions that batch by nature (elementwise, reductions, shapes, matrix products, most of ``linalg``) are computed at
once; the others example by example, and their results are stacked. An array that is the same for all examples has a
leading dimension of 1. Batches may be nested: ``data`` is then a BatchedArray in turn.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from .base import Array, Backend

_CONTROL_FLOW = (
    "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that "
    "yet.\n  why: each example of the batch may have another value here\n"
    "  fix: use torch.where or arithmetic instead of if, or call the function in a loop"
)
_ITEM = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, "
    "please try to rewrite what you're doing with other operations.\n"
    "  why: each example of the batch may have another value here"
)


class BatchedArray:
    """One array per example, with the shape of one of them."""

    __slots__ = ("data",)
    __array_priority__ = 2000
    __hash__ = None  # type: ignore[assignment]
    backend: Any

    def __init__(self, data: Any) -> None:
        self.data = data

    # -- what it is ---
    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.data.shape[1:])

    @property
    def ndim(self) -> int:
        return int(self.data.ndim) - 1

    @property
    def size(self) -> int:
        return math.prod(self.data.shape[1:])

    @property
    def dtype(self) -> Any:
        return self.data.dtype

    @property
    def itemsize(self) -> int:
        return int(self.data.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        return tuple(self.data.strides[1:])

    @property
    def flags(self) -> Any:
        return self.data.flags

    @property
    def base(self) -> Any:
        return self.data.base

    @property
    def T(self) -> Any:
        return self.transpose()

    @property
    def mT(self) -> Any:
        return self.swapaxes(-1, -2)

    def __len__(self) -> int:
        return int(self.data.shape[1])

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"BatchedArray({self.data!r})"

    # -- what it can't be ---
    def __bool__(self) -> bool:
        raise RuntimeError(_CONTROL_FLOW)

    def item(self, *_: Any) -> Any:
        raise RuntimeError(_ITEM)

    def tolist(self) -> Any:
        raise RuntimeError(_ITEM)

    def __float__(self) -> float:
        raise RuntimeError(_ITEM)

    def __int__(self) -> int:
        raise RuntimeError(_ITEM)

    def __index__(self) -> int:
        raise RuntimeError(_ITEM)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError(_ITEM)

    # -- as NumPy's functions see it ---
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        found = getattr(_deepest(self, inputs).xp, ufunc.__name__)
        return (found if method == "__call__" else getattr(found, method))(*inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        backend = _deepest(self, args)
        xp = backend.xp
        for part in function.__module__.split(".")[1:]:
            if not part.startswith("_"):
                xp = getattr(xp, part)
        return getattr(xp, function.__name__)(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        function = getattr(self.backend.xp, _METHODS.get(name, name))
        return lambda *args, **kwargs: function(self, *args, **kwargs)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        return type(self)(self.data.astype(dtype, *args, **kwargs))

    def copy(self, *_: Any) -> Any:
        return type(self)(self.backend.full_data(self).copy())

    def view(self, dtype: Any) -> Any:
        if not self.ndim:
            return type(self)(self.data.reshape(-1, 1).view(dtype).reshape(-1))
        return type(self)(self.data.view(dtype))

    def fill(self, value: Any) -> None:
        self[...] = value

    def reshape(self, *shape: Any, **_: Any) -> Any:
        if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)):
            shape = tuple(shape[0])
        if -1 in shape:
            known = math.prod(n for n in shape if n != -1)
            shape = tuple(self.size // known if n == -1 and known else n for n in shape)
        return type(self)(self.data.reshape((self.data.shape[0], *shape)))

    def ravel(self, *_: Any) -> Any:
        return self.reshape(-1)

    flatten = ravel

    def transpose(self, *dims: Any) -> Any:
        if len(dims) == 1 and not isinstance(dims[0], (int, np.integer)):
            dims = () if dims[0] is None else tuple(dims[0])
        order = [d % self.ndim for d in dims] if dims else range(self.ndim - 1, -1, -1)
        return type(self)(self.data.transpose((0, *[d + 1 for d in order])))

    def swapaxes(self, a: int, b: int) -> Any:
        return type(self)(self.data.swapaxes(_shift(a), _shift(b)))

    def sort(self, axis: int = -1, kind: Any = None) -> None:
        self.data.sort(_shift(axis), kind)

    # -- indexing ---
    def __getitem__(self, index: Any) -> Any:
        index = index if isinstance(index, tuple) else (index,)
        data, plain = self._plan(index)
        if plain is None:
            return self.backend.loop(lambda x, *i: x[i], (self, *index), {})
        return type(self)(data[plain])

    def __setitem__(self, index: Any, value: Any) -> None:
        index = index if isinstance(index, tuple) else (index,)
        backend = self.backend
        size = backend.size
        if isinstance(value, BatchedArray) and value.backend is not backend and value.backend.level > backend.level:
            raise _refuse_write()
        wide = self.data.shape[0] == size or not any(
            isinstance(x, BatchedArray) and x.backend is backend and x.data.shape[0] != 1 for x in (value, *index)
        )
        if not wide:
            if self.data.base is not None:
                raise _refuse_write()
            self.data = backend.full_data(self).copy()
        data, plain = self._plan(index)
        if plain is None:
            for i in range(data.shape[0]):
                part = data[i : i + 1]
                part[(0, *[backend.example(x, i) for x in index])] = backend.example(value, i)
            return
        if isinstance(value, (bool, int, float, np.generic)):
            data[plain] = value
            return
        region = data[plain]
        data[plain] = backend.aligned(backend.as_array(value), region.ndim - 1)

    def _plan(self, index: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...] | None]:
        """The data to index and the index to use on it; None where only a loop will do."""
        places = [i for i, x in enumerate(index) if hasattr(x, "dtype") and getattr(x, "ndim", 0)]
        places += [i for i, x in enumerate(index) if isinstance(x, (list, BatchedArray)) and i not in places]
        if not places:
            return self.data, (slice(None), *index)
        arrays = [index[i] for i in places]
        if any(isinstance(x, list) or x.dtype.kind == "b" for x in arrays):
            return self.data, None
        batched = [isinstance(x, BatchedArray) and x.backend is self.backend for x in arrays]
        if not any(b and x.data.shape[0] != 1 for b, x in zip(batched, arrays, strict=True)):
            # The same index for all examples: as it is, where its arrays (and numbers) stand side by side.
            fixed = [i for i, x in enumerate(index) if i in places or isinstance(x, (int, np.integer))]
            if fixed[-1] - fixed[0] + 1 != len(fixed):
                return self.data, None
            plain = [x.data[0] if isinstance(x, BatchedArray) and x.backend is self.backend else x for x in index]
            return self.data, (slice(None), *plain)
        if len(places) != len(index):
            return self.data, None
        backend = self.backend
        ndim = max(x.ndim for x in arrays)
        grid = backend.base.xp.arange(backend.size).reshape((backend.size,) + (1,) * ndim)
        return backend.full_data(self), (grid, *[backend.aligned(backend.as_array(x), ndim) for x in arrays])


def _refuse_write() -> RuntimeError:
    return RuntimeError(
        "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in "
        "extra_args that has more elements than `self`. This happened due to `other` being vmapped over but `self` "
        "not being vmapped over.\n  fix: make self of the batch, for example with zeros_like(other) or new_zeros"
    )


def _operator(name: str, reflected: bool = False) -> Callable[..., Any]:
    def method(self: Any, *others: Any) -> Any:
        operands = (*others, self) if reflected else (self, *others)
        for x in others:
            if not isinstance(x, (BatchedArray, bool, int, float, np.generic)) and not hasattr(x, "dtype"):
                return NotImplemented
        return getattr(_deepest(self, others).xp, name)(*operands)

    return method


def _in_place(name: str) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        self[...] = getattr(self.backend.xp, name)(self, other)
        return self

    return method


for _dunder, _name in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "left_shift", "rshift": "right_shift", "matmul": "matmul",
}.items():  # fmt: skip
    setattr(BatchedArray, f"__{_dunder}__", _operator(_name))
    setattr(BatchedArray, f"__r{_dunder}__", _operator(_name, True))
    setattr(BatchedArray, f"__i{_dunder}__", _in_place(_name))
for _dunder, _name in {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert",
}.items():  # fmt: skip
    setattr(BatchedArray, f"__{_dunder}__", _operator(_name))

_METHODS = {"round": "round", "conj": "conjugate"}


def _shift(axis: int) -> int:
    """An axis of one example as an axis of the data; one counted from the end stays."""
    return axis + 1 if axis >= 0 else axis


def _deepest(self: Any, arguments: Any) -> Any:
    """The backend of the innermost batch among the arguments."""
    backend = self.backend
    for x in arguments:
        for y in x if isinstance(x, (tuple, list)) else (x,):
            if isinstance(y, BatchedArray) and y.backend.level > backend.level:
                backend = y.backend
    return backend


class _Ufunc:
    """An elementwise function of the batch: NumPy's ufunc with its methods."""

    def __init__(self, backend: BatchedBackend, plain: Any) -> None:
        self._backend, self._plain = backend, plain
        self.__name__ = plain.__name__

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        backend = self._backend
        if out is None and len(args) > getattr(self._plain, "nin", len(args)):
            *args, out = args  # type: ignore[assignment]
        result = _elementwise(backend, self._plain, args, kwargs)
        if out is None:
            return result
        out = out[0] if isinstance(out, tuple) else out
        out[...] = result
        return out

    def reduce(self, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        return _reduction(self._backend, self._plain.reduce, (x, axis, dtype, out, keepdims), {})

    def accumulate(self, x: Any, axis: int = 0, *args: Any) -> Any:
        return _reduction(self._backend, self._plain.accumulate, (x, axis, *args), {})

    def at(self, x: Any, index: Any, *values: Any) -> None:
        backend = self._backend
        index = index if isinstance(index, tuple) else (index,)
        if x.data.shape[0] != backend.size:
            if x.data.base is not None:
                raise _refuse_write()
            x.data = backend.full_data(x).copy()
        for i in range(backend.size):
            part = x.data[i : i + 1]
            at = (0, *[backend.example(v, i) for v in index])
            self._plain.at(part, at, *[backend.example(v, i) for v in values])

    def outer(self, a: Any, b: Any) -> Any:
        return self._backend.loop(self._plain.outer, (a, b), {})


def _elementwise(backend: BatchedBackend, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    numbers = (bool, int, float, np.generic, type(None))
    known = [a if isinstance(a, numbers) else backend.as_array(a) for a in args]
    named = {k: backend.as_array(v) if hasattr(v, "dtype") and hasattr(v, "ndim") else v for k, v in kwargs.items()}
    ndim = max((a.ndim for a in [*known, *named.values()] if isinstance(a, BatchedArray)), default=0)
    arrays = [backend.aligned(a, ndim) if isinstance(a, BatchedArray) else a for a in known]
    named = {k: backend.aligned(v, ndim) if isinstance(v, BatchedArray) else v for k, v in named.items()}
    return backend.wrapped(function(*arrays, **named))


def _reduction(backend: BatchedBackend, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """A function of an array and an axis (or several, or None for all)."""
    x = backend.as_array(args[0])
    kwargs = dict(kwargs)
    rest = list(args[1:])
    axis = rest[0] if rest else kwargs.pop("axis", None)
    rest = rest[1:]
    if any(hasattr(v, "dtype") and hasattr(v, "ndim") for v in (*rest, *kwargs.values())):
        return backend.loop(function, args, {**kwargs, **({} if len(args) > 1 else {"axis": axis})})
    data = x.data
    keep = kwargs.get("keepdims") or (len(rest) > 1 and rest[-1] is True)
    if axis is None and function.__name__ in _OF_ONE_AXIS:
        data, axis = data.reshape(data.shape[0], -1), 1
        if keep:
            return backend.wrapped(function(data, axis)).reshape((1,) * x.ndim)
    elif axis is None:
        axis = tuple(range(1, data.ndim))
    elif isinstance(axis, (tuple, list)):
        axis = tuple(_shift(a) for a in axis)
    else:
        axis = _shift(int(axis))
    return backend.wrapped(function(data, axis, *rest, **kwargs))


_OF_ONE_AXIS = frozenset((
    "argmax", "argmin", "nanargmax", "nanargmin", "cumsum", "cumprod", "nancumsum", "nancumprod", "accumulate",
))  # fmt: skip
_REDUCTIONS = frozenset((
    "sum", "prod", "max", "min", "amax", "amin", "mean", "std", "var", "any", "all", "argmax", "argmin", "cumsum",
    "cumprod", "nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nancumsum", "nancumprod", "median", "nanmedian",
    "count_nonzero", "ptp", "flip", "squeeze", "nanargmax", "nanargmin",
))  # fmt: skip
_ELEMENTWISE = frozenset((
    "where", "clip", "nan_to_num", "isclose", "real", "imag", "angle", "sinc", "i0", "around", "round", "fix",
    "isposinf", "isneginf",
))  # fmt: skip
# Functions of leading batches already: matrices in the last two dimensions.
_OF_MATRICES = frozenset((
    "inv", "det", "slogdet", "cholesky", "qr", "svd", "svdvals", "eigh", "eigvalsh", "eig", "eigvals", "pinv",
    "matrix_power", "matrix_rank", "matrix_transpose",
))  # fmt: skip
_LAST_AXIS = frozenset(("sort", "argsort", "diff", "partition", "argpartition", "gradient"))
_FILLED = frozenset(("zeros", "ones", "empty", "full"))
_FILLED_LIKE = frozenset(("zeros_like", "ones_like", "empty_like", "full_like"))


class _Module:
    """The array module of a batch: NumPy's names, on arrays with a hidden dimension."""

    def __init__(self, backend: BatchedBackend, plain: Any) -> None:
        self._backend, self._plain = backend, plain
        self._known: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        known: dict[str, Any] = self.__dict__["_known"]
        if name not in known:
            known[name] = self._make(name)
        return known[name]

    def _make(self, name: str) -> Any:
        backend, plain = self._backend, getattr(self._plain, name)
        if isinstance(plain, (ModuleType, _Module)):
            return _Module(backend, plain)
        if hasattr(plain, "at") and hasattr(plain, "reduce"):
            return _MatMul(backend, plain) if name == "matmul" else _Ufunc(backend, plain)
        if isinstance(plain, type) or not callable(plain):
            return plain
        rule = _RULES.get(name)
        if rule is not None:
            return _named(name, lambda *a, **k: rule(backend, plain, a, k))
        if name in _FILLED:
            return _named(name, lambda shape, *a, **k: backend.filled(plain, shape, a, k))
        if name in _FILLED_LIKE:
            return _named(name, lambda x, *a, **k: backend.ndarray(plain(backend.full_data(backend.as_array(x)), *a, **k)))
        if name in _REDUCTIONS:
            return _named(name, lambda *a, **k: _reduction(backend, plain, a, k))
        if name in _ELEMENTWISE:
            return _named(name, lambda *a, **k: _elementwise(backend, plain, a, k))
        if name in _LAST_AXIS:
            return _named(name, lambda *a, **k: _along_last(backend, plain, a, k))
        if name in _OF_MATRICES:
            return _named(name, lambda x, *a, **k: backend.wrapped(plain(backend.as_array(x).data, *a, **k)))
        return _named(name, lambda *a, **k: backend.loop(plain, a, k))


def _named(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    function.__name__ = name
    return function


class _MatMul(_Ufunc):
    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        result = _matmul(self._backend, self._plain, args[:2], kwargs)
        if out is not None:
            out[...] = result
            return out
        return result


class BatchedBackend(Backend):
    """The primitives on batches of ``size`` examples, computed by those of ``base``.

    Args:
        base: the backend of the data: a device's, or that of a batch around this one.
        size: the number of examples.
        level: counts the batches around this one.
    """

    def __init__(self, base: Backend, size: int, level: int) -> None:
        self.base, self.size, self.level = base, size, level
        module: Any = _Module(self, base.xp)
        module.ndarray = type("BatchedArray", (BatchedArray,), {"__slots__": (), "backend": self})
        super().__init__(module, base.device)

    # -- in and out ---
    def enter(self, x: Array, dim: int) -> Array:
        """``x`` of the base with its dimension ``dim`` as the batch."""
        return self.ndarray(self.base.xp.moveaxis(x, dim, 0))

    def lift(self, x: Array) -> Array:
        """``x`` of the base as the same for every example."""
        return self.ndarray(x.reshape((1, *x.shape)))

    def leave(self, x: Array, dim: int) -> Array:
        """An array of the base with the batch as dimension ``dim``."""
        return self.base.xp.moveaxis(self.full_data(x), 0, dim)

    def sum_out(self, x: Array) -> Array:
        """The sum of all examples, an array of the base."""
        data = self.full_data(x)
        return self.base.sum(data, (0,))

    def full_data(self, x: Any) -> Any:
        """The data of ``x`` with one entry for each example."""
        data = x.data
        return data if data.shape[0] == self.size else self.base.xp.broadcast_to(data, (self.size, *data.shape[1:]))

    def wrapped(self, data: Any) -> Any:
        if isinstance(data, (tuple, list)):
            parts = [self.wrapped(d) for d in data]
            make = getattr(type(data), "_make", None)
            return make(parts) if make is not None else type(data)(parts)
        return self.ndarray(data)

    def aligned(self, x: Any, ndim: int) -> Any:
        """The data of ``x``, as of examples with ``ndim`` dimensions."""
        data = x.data
        missing = ndim + 1 - data.ndim
        return data.reshape((data.shape[0], *(1,) * missing, *data.shape[1:])) if missing > 0 else data

    def as_array(self, x: Any) -> Array:
        return x if type(x) is self.ndarray else self.lift(self.base.as_array(x))

    def from_host(self, array: np.ndarray[Any, Any]) -> Array:
        if type(array) is self.ndarray:
            return array
        return self.lift(self.base.from_host(array))

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        # NumPy's functions find their way back here through its protocols, and work on the batch.
        return self.ndarray(self.base.to_host(array.data))  # type: ignore[no-any-return]

    def shares_memory(self, x: Array, view: Array) -> bool:
        return view is x or self.base.shares_memory(x.data, view.data)

    def filled(self, function: Any, shape: Any, args: Any, kwargs: Any) -> Array:
        """New memory has an entry for each example: they may be given different values."""
        whole = (self.size, *((shape,) if isinstance(shape, (int, np.integer)) else shape))
        value = args[0] if args else None
        if isinstance(value, BatchedArray):
            out = self.base.empty(whole, args[1] if len(args) > 1 else value.dtype)
            out[...] = self.aligned(self.as_array(value), len(whole) - 1)
            return self.ndarray(out)
        return self.ndarray(function(whole, *args, **kwargs))

    # -- example by example ---
    def example(self, x: Any, i: int) -> Any:
        """What ``x`` is for the ``i``-th example."""
        if isinstance(x, BatchedArray) and x.backend is self:
            return x.data[0 if x.data.shape[0] == 1 else i]
        if isinstance(x, (tuple, list)) and not hasattr(x, "_fields"):
            return type(x)(self.example(v, i) for v in x)
        return x

    def loop(self, function: Any, args: Any, kwargs: Any) -> Any:
        """``function`` for each example, the results stacked."""
        wide = any(_is_wide(x, self) for x in (*args, *kwargs.values()))
        rows = [
            function(*[self.example(a, i) for a in args], **{k: self.example(v, i) for k, v in kwargs.items()})
            for i in range(self.size if wide else 1)
        ]
        return self._stacked(rows)

    def _stacked(self, rows: list[Any]) -> Any:
        first = rows[0] if rows else None
        if isinstance(first, (tuple, list)):
            parts = [self._stacked(list(column)) for column in zip(*rows, strict=True)]
            make = getattr(type(first), "_make", None)
            return make(parts) if make is not None else type(first)(parts)
        if first is None or isinstance(first, (bool, str)):
            return first
        arrays = [self.base.as_array(r) for r in rows]
        if any(a.shape != arrays[0].shape for a in arrays):
            raise RuntimeError(
                "vmap: an operation whose result has another shape for each example can't be batched (a dynamic shape)"
                "\n  fix: use operations whose shapes don't depend on the numbers, such as torch.where"
            )
        return self.ndarray(self.base.xp.stack(arrays))

    def nonzero(self, x: Array) -> Array:
        raise RuntimeError(
            "vmap: It looks like you're attempting to use an operator that returns a tensor whose shape depends on the "
            "numbers (nonzero, or a boolean index).\n  fix: torch.where(mask, x, 0) keeps the shape"
        )


def _is_wide(x: Any, backend: BatchedBackend) -> bool:
    if isinstance(x, BatchedArray):
        return x.backend is backend and x.data.shape[0] != 1
    return isinstance(x, (tuple, list)) and any(_is_wide(v, backend) for v in x)


# -- rules for functions that need more than a shifted axis: rule(backend, plain function, args, kwargs) ---


def _matmul(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x, y = b.as_array(args[0]), b.as_array(args[1])
    if not x.ndim or not y.ndim:
        raise ValueError("matmul: an operand has no dimensions")
    first, second = x, y
    if x.ndim == 1:
        x = x.reshape((1, x.shape[0]))
    if y.ndim == 1:
        y = y.reshape((y.shape[0], 1))
    ndim = max(x.ndim, y.ndim)
    out = b.ndarray(plain(b.aligned(x, ndim), b.aligned(y, ndim), **kwargs))
    shape = out.shape
    if second.ndim == 1:
        shape = shape[:-1]
    if first.ndim == 1:
        shape = (*shape[: len(shape) - (1 if second.ndim == 1 else 2)], *shape[len(shape) - (second.ndim != 1) :])
    return out if shape == out.shape else out.reshape(shape)


def _dot(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x, y = b.as_array(args[0]), b.as_array(args[1])
    if x.ndim <= 2 and y.ndim <= 2 and x.ndim and y.ndim:
        return b.xp.matmul(x, y)
    return b.loop(plain, args, kwargs)


def _einsum(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    equation, *operands = args
    if not isinstance(equation, str) or "->" not in equation:
        return b.loop(plain, args, kwargs)
    arrays = [b.as_array(x) for x in operands]
    letter = next((c for c in string.ascii_letters if c not in equation), None)
    if letter is None:
        return b.loop(plain, args, kwargs)
    inputs, output = equation.replace(" ", "").split("->")
    wide = [x.data.shape[0] != 1 or b.size == 1 for x in arrays]
    terms = [letter + t if w else t for t, w in zip(inputs.split(","), wide, strict=True)]
    data = [x.data if w else x.data[0] for x, w in zip(arrays, wide, strict=True)]
    result = plain(f"{','.join(terms)}->{letter if any(wide) else ''}{output}", *data, **kwargs)
    return b.ndarray(result) if any(wide) else b.lift(b.base.as_array(result))


def _along_last(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    """Functions whose axis is the last unless said otherwise."""
    x, *rest = args
    x = b.as_array(x)
    if not x.ndim:
        return b.loop(plain, args, kwargs)
    kwargs = dict(kwargs)
    if rest and plain.__name__ in ("sort", "argsort"):
        kwargs["axis"], *rest = rest
    elif len(rest) > 1:
        rest, kwargs["axis"] = rest[:1], rest[1]
    axis = kwargs.get("axis", -1)
    if axis is None or any(_is_wide(v, b) for v in (*rest, *kwargs.values())):
        return b.loop(plain, args, kwargs)
    return b.ndarray(plain(x.data, *rest, **{**kwargs, "axis": _shift(axis)}))


def _together(b: BatchedBackend, arrays: Any) -> list[Any]:
    """The data of several arrays, all wide if one is."""
    known = [b.as_array(x) for x in arrays]
    wide = any(x.data.shape[0] != 1 for x in known)
    return [b.full_data(x) if wide else x.data for x in known]


def _joined(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    arrays, *rest = args
    axis = rest.pop(0) if rest else kwargs.get("axis", 0)
    kwargs = {k: v for k, v in kwargs.items() if k != "axis"}
    if axis is None:
        arrays, axis = [b.as_array(x).reshape(-1) for x in arrays], 0
    return b.ndarray(plain(_together(b, arrays), _shift(axis), *rest, **kwargs))


def _pairwise_along(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    """take_along_axis(x, index, axis)"""
    x, index, *rest = args
    axis = rest[0] if rest else kwargs.get("axis", -1)
    if axis is None:
        x, axis = b.as_array(x).reshape(-1), 0
    data, places = _together(b, [x, index])
    return b.ndarray(plain(data, places, _shift(axis)))


def _put_along(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x, index, values, *rest = args
    axis = rest[0] if rest else kwargs["axis"]
    if x.data.shape[0] != b.size:
        if x.data.base is not None:
            raise _refuse_write()
        x.data = b.full_data(x).copy()
    index = b.as_array(index)
    values = b.aligned(b.as_array(values), index.ndim) if hasattr(values, "dtype") and values.ndim else values
    plain(x.data, b.full_data(index), values, _shift(axis))


def _take(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x, index, *rest = args
    axis = rest[0] if rest else kwargs.get("axis")
    if _is_wide(index, b) or axis is None:
        return b.loop(plain, args, kwargs)
    places = b.as_array(index).data[0] if hasattr(index, "dtype") else index
    return b.ndarray(plain(b.as_array(x).data, places, _shift(axis)))


def _by_method(method: str) -> Callable[..., Any]:
    return lambda b, plain, args, kwargs: getattr(b.as_array(args[0]), method)(*args[1:], **kwargs)


def _broadcast_to(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x, shape = b.as_array(args[0]), args[1] if len(args) > 1 else kwargs["shape"]
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    data = b.aligned(x, len(shape))
    return b.ndarray(plain(data, (data.shape[0], *shape)))


def _moveaxis(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x, source, target = args
    shift = lambda a: tuple(_shift(i) for i in a) if isinstance(a, (tuple, list)) else _shift(a)  # noqa: E731
    return b.ndarray(plain(b.as_array(x).data, shift(source), shift(target)))


def _expand_dims(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    axis = args[1] if len(args) > 1 else kwargs["axis"]
    axes = tuple(_shift(a) for a in axis) if isinstance(axis, (tuple, list)) else _shift(axis)
    return b.ndarray(plain(b.as_array(args[0]).data, axes))


def _squeeze(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x = b.as_array(args[0])
    axis = args[1] if len(args) > 1 else kwargs.get("axis")
    if axis is None:
        return x.reshape(tuple(n for n in x.shape if n != 1))
    return _reduction(b, plain, (x, axis), {})


def _diagonal(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x, offset, first, second = (*args, *(0, 0, 1)[len(args) - 1 :])
    offset, first, second = kwargs.get("offset", offset), kwargs.get("axis1", first), kwargs.get("axis2", second)
    return b.ndarray(b.as_array(x).data.diagonal(offset, _shift(first), _shift(second)))


def _triangle(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x = b.as_array(args[0])
    return b.loop(plain, args, kwargs) if x.ndim < 2 else b.ndarray(plain(x.data, *args[1:], **kwargs))


def _roll(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x, shift, *rest = args
    axis = rest[0] if rest else kwargs.get("axis")
    if axis is None or _is_wide(shift, b):
        return b.loop(plain, args, kwargs)
    axes = tuple(_shift(a) for a in axis) if isinstance(axis, (tuple, list)) else _shift(axis)
    return b.ndarray(plain(b.as_array(x).data, shift, axes))


def _solve(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    a, y = b.as_array(args[0]), b.as_array(args[1])
    column = y.ndim == 1
    if column:
        y = y.reshape((*y.shape, 1))
    ndim = max(a.ndim, y.ndim)
    out = b.ndarray(plain(*[np.broadcast_to(d, d.shape) if False else d for d in (b.aligned(a, ndim), b.aligned(y, ndim))]))
    return out.reshape(out.shape[:-1]) if column else out


def _tile(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x, reps = b.as_array(args[0]), args[1]
    reps = (reps,) if isinstance(reps, int) else tuple(reps)
    ndim = max(len(reps), x.ndim)
    return b.ndarray(plain(b.aligned(x, ndim), (1, *(1,) * (ndim - len(reps)), *reps)))


def _pad(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x, widths, *rest = args
    x = b.as_array(x)
    if isinstance(widths, int):
        widths = [(widths, widths)] * x.ndim
    elif isinstance(widths[0], int):
        widths = [tuple(widths)] * x.ndim
    if any(_is_wide(v, b) for v in (*rest, *kwargs.values())):
        return b.loop(plain, args, kwargs)
    return b.ndarray(plain(x.data, [(0, 0), *widths], *rest, **kwargs))


def _as_strided(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x = b.as_array(args[0])
    shape = args[1] if len(args) > 1 else kwargs.get("shape")
    strides = args[2] if len(args) > 2 else kwargs.get("strides")
    data = x.data
    return b.ndarray(plain(data, (data.shape[0], *(shape or x.shape)), (data.strides[0], *(strides or x.strides))))


def _windows(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x, window, *rest = args
    x = b.as_array(x)
    axis = rest[0] if rest else kwargs.get("axis")
    if axis is None:
        axis = tuple(range(x.ndim)) if isinstance(window, (tuple, list)) else 0
    axes = tuple(_shift(a) for a in axis) if isinstance(axis, (tuple, list)) else _shift(axis)
    return b.ndarray(plain(x.data, window, axes))


def _converted(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    x, *rest = args
    if isinstance(x, (list, tuple)) and any(isinstance(v, BatchedArray) for v in x):
        x = b.xp.stack([b.as_array(v) for v in x])
    dtype = rest[0] if rest else kwargs.get("dtype")
    if not isinstance(x, BatchedArray):
        return b.lift(plain(x, dtype))
    x = b.as_array(x)
    if plain.__name__ == "array" and kwargs.get("copy", True):
        x = x.copy()
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)


def _contiguous(b: BatchedBackend, plain: Any, args: Any, kwargs: Any) -> Any:
    return b.ndarray(plain(b.as_array(args[0]).data))


_RULES: dict[str, Callable[..., Any]] = {
    "dot": _dot, "einsum": _einsum, "concatenate": _joined, "stack": _joined, "take_along_axis": _pairwise_along,
    "put_along_axis": _put_along, "take": _take, "reshape": _by_method("reshape"), "ravel": _by_method("ravel"),
    "transpose": _by_method("transpose"), "swapaxes": _by_method("swapaxes"), "copy": _by_method("copy"),
    "broadcast_to": _broadcast_to, "moveaxis": _moveaxis, "expand_dims": _expand_dims, "squeeze": _squeeze,
    "diagonal": _diagonal, "tril": _triangle, "triu": _triangle, "roll": _roll, "solve": _solve, "tile": _tile,
    "pad": _pad, "as_strided": _as_strided, "sliding_window_view": _windows, "asarray": _converted,
    "array": _converted, "ascontiguousarray": _contiguous, "asanyarray": _converted, "matmul": _matmul,
}  # fmt: skip
