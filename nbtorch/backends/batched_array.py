"""The array that ``vmap`` computes on: one array per example, with the shape of one of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

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
        return type(self)(self.data.swapaxes(shift_axis(a), shift_axis(b)))

    # Asked without a dimension these are checks of an argument, whose answer is one for the whole batch.
    def min(self, *args: Any, **kwargs: Any) -> Any:
        return self.backend.xp.min(self, *args, **kwargs) if args or kwargs else self.data.min()

    def max(self, *args: Any, **kwargs: Any) -> Any:
        return self.backend.xp.max(self, *args, **kwargs) if args or kwargs else self.data.max()

    def any(self, *args: Any, **kwargs: Any) -> Any:
        return self.backend.xp.any(self, *args, **kwargs) if args or kwargs else self.data.any()

    def all(self, *args: Any, **kwargs: Any) -> Any:
        return self.backend.xp.all(self, *args, **kwargs) if args or kwargs else self.data.all()

    def sort(self, axis: int = -1, kind: Any = None) -> None:
        self.data.sort(shift_axis(axis), kind)

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
            raise refuse_write()
        wide = self.data.shape[0] == size or not any(
            isinstance(x, BatchedArray) and x.backend is backend and x.data.shape[0] != 1 for x in (value, *index)
        )
        if not wide:
            if self.data.base is not None:
                raise refuse_write()
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
        places = [i for i, x in enumerate(index) if hasattr(x, "dtype") and x.ndim]
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


def refuse_write() -> RuntimeError:
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


def shift_axis(axis: int) -> int:
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
