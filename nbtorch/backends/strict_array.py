"""The strict device's array: NumPy inside, and outside the rules of CuPy 14 where they are stricter than NumPy's.

- Nothing is converted to NumPy by itself, and no NumPy array with dimensions takes part in an operation: ``get`` and
  ``xp.asarray`` are the ways out and in.
- Results with no dimensions are arrays still, and an array selected by integers alone is a view.
- A number of the device reaches the host by a synchronization, which is counted (``strict_counters``).
- The loops of each ufunc, the parameters of each method and what is missing are CuPy's own, read from
  ``cupy_facts.json``.

Some rules are stricter than CuPy's, which would hide a mistake: an index out of range raises (CuPy wraps around), so
do two different values assigned to one place (CuPy takes either), NumPy's functions on a device array (CuPy is called
back, slowly), and index lists or NumPy index arrays (CuPy uploads them at each call).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import strict_counters as counters
from .strict_memory import FACTS, Flags, Host, Pointer, check_dtype, poison

_HOST = np.ndarray
_SCALARS = (bool, int, float, complex, np.generic)


def wrap(array: Any, base: Any = None) -> Any:
    """A device array around a NumPy array or scalar; ``base`` is the array whose memory it shows."""
    out = object.__new__(ndarray)
    out._a = array if type(array) is _HOST else np.asarray(array)
    out._base = base
    return out


def unwrap(x: Any, function: str) -> Any:
    """The NumPy array inside, or a scalar as it is.

    Raises:
        TypeError: for a NumPy array.
    """
    if type(x) is ndarray:
        return x._a
    if isinstance(x, _HOST):
        raise TypeError(
            f"Unsupported type {type(x)}: {function} got a NumPy array of shape {x.shape} among device arrays\n"
            "  fix: upload it once, with from_host() or xp.asarray()"
        )
    return x


def wrap_view(array: Any, x: Any) -> Any:
    """A device array around what NumPy made of the device array ``x``, which may be a view of it or a new array."""
    out = object.__new__(ndarray)
    if type(array) is not _HOST:
        array = np.asarray(array)
    out._a = array
    root = x if x._base is None else x._base
    owner = root._a
    base = array.base
    while base is not None and base is not owner:
        base = getattr(base, "base", None)
    # A base that isn't the owner is a temporary copy, which the result now owns.
    out._base = None if base is None else root
    if base is not None and x._a.flags.writeable and not array.flags.writeable:
        array.flags.writeable = True  # CuPy's arrays can't be read-only; NumPy's broadcast_to gives one
    return out


class ufunc:
    """An elementwise function with CuPy's loops: the same result dtypes, the same types refused."""

    __slots__ = ("__name__", "_function", "_loops", "_results", "nin", "nout")

    # CuPy's own lists of what its ufuncs' methods exist for.
    _REDUCE = ("add", "multiply")
    _AT = ("add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor")
    _AT_DTYPES = ("int32", "int64", "uint32", "uint64", "float32", "float64")

    def __init__(self, name: str, function: np.ufunc, loops: str) -> None:
        self.__name__ = name
        self._function = function
        self._loops = [tuple(part.split("->")) for part in loops.split()]
        self._results: dict[Any, np.dtype[Any] | None] = {}
        self.nin, self.nout = function.nin, function.nout

    def __repr__(self) -> str:
        return f"<ufunc 'cupy_{self.__name__}' of the strict device>"

    def __call__(self, *args: Any, out: Any = None, dtype: Any = None, casting: str = "same_kind") -> Any:
        arrays: list[Any] = []
        key: list[Any] = []
        if len(args) > self.nin:
            if len(args) > self.nin + 1 or out is not None:
                raise TypeError(f"Wrong number of arguments for {self!r}: {len(args)}")
            args, out = args[: self.nin], args[self.nin]
        for x in args:
            if type(x) is ndarray:
                array = x._a
                arrays.append(array)
                key.append(array.dtype)
            elif isinstance(x, _SCALARS):
                arrays.append(x)
                key.append(x.dtype if isinstance(x, np.generic) else type(x))
            else:
                raise TypeError(f"Unsupported type {type(x)} in {self.__name__} on the strict device: upload it first")
        if counters.watched:
            counters.launch()
        if out is not None:
            return self._into(out, arrays, dtype, casting)
        if dtype is not None:
            return wrap(self._function(*arrays, dtype=dtype, casting=casting))
        signature = tuple(key)
        try:
            expected = self._results[signature]
        except KeyError:
            expected = self._results[signature] = self._resolve(signature)
        result = self._function(*arrays)
        if self.nout > 1:
            return tuple(wrap(r) for r in result)
        if expected is not None and result.dtype is not expected:
            result = result.astype(expected)
        return wrap(result)

    def _into(self, out: Any, arrays: list[Any], dtype: Any, casting: str) -> Any:
        if isinstance(out, tuple) and len(out) == 1:
            out = out[0]
        if type(out) is not ndarray:
            raise TypeError(f"return arrays must be device arrays, got out={type(out)}")
        self._function(*arrays, out=out._a, dtype=dtype, casting=casting)
        return out

    def _resolve(self, signature: tuple[Any, ...]) -> np.dtype[Any] | None:
        """The dtype of the result, from the first loop that every operand can be cast to; None for several results.

        Raises:
            TypeError: where CuPy has no such loop.
        """
        dtypes = [s for s in signature if isinstance(s, np.dtype)]
        if len(dtypes) < len(signature):
            # Python's numbers take the dtype of the arrays, unless theirs is of a higher kind.
            weak = [s(0) for s in signature if not isinstance(s, np.dtype)]
            if any(d.name == "bfloat16" for d in dtypes):  # which meets Python floats in float32, as in NumPy
                dtypes = [*dtypes, *(np.dtype(np.float32) for w in weak if isinstance(w, float))]
                weak = []
            common = np.result_type(*dtypes, *weak)
            dtypes = [s if isinstance(s, np.dtype) else common for s in signature]
        # NumPy knows bfloat16, CuPy's "E", only through a dtype object of the package ml_dtypes.
        letters: dict[str, Any] = {"E": next((d for d in dtypes if d.name == "bfloat16"), None)}
        for ins, outs in self._loops:
            loop = [letters.get(c, c) for c in ins]
            if all(c is not None and np.can_cast(d, c) for d, c in zip(dtypes, loop, strict=True)):
                return np.dtype(letters.get(outs, outs)) if self.nout == 1 else None
        names = ", ".join(str(d) for d in dtypes)
        raise TypeError(f"Wrong type ({names}) of arguments for cupy_{self.__name__}: CuPy has no loop for it")

    def reduce(self, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """The reduction, where CuPy has it."""
        if self.__name__ not in self._REDUCE:
            raise NotImplementedError(f"`cupy_{self.__name__}.reduce` is not supported yet")
        return (x.sum if self.__name__ == "add" else x.prod)(axis, dtype, out, keepdims)

    def accumulate(self, x: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        """The running reduction, where CuPy has it."""
        if self.__name__ not in self._REDUCE:
            raise NotImplementedError(f"`cupy_{self.__name__}.accumulate` is not supported yet")
        return (x.cumsum if self.__name__ == "add" else x.cumprod)(axis, dtype, out)

    def outer(self, a: Any, b: Any) -> Any:
        """The function of every pair of elements."""
        if counters.watched:
            counters.launch()
        return wrap(self._function.outer(unwrap(a, self.__name__), unwrap(b, self.__name__)))

    def at(self, a: Any, indices: Any, b: Any = None) -> None:
        """The function applied at ``indices`` one after the other, duplicates counted.

        Raises:
            NotImplementedError: for a ufunc without it.
            TypeError: for a dtype without an atomic operation.
        """
        name = self.__name__
        if name not in self._AT:
            raise NotImplementedError(f"`cupy_{name}.at` is not supported yet")
        if counters.watched:
            counters.launch()
        supported = a._a.dtype.name in self._AT_DTYPES or (name == "add" and a._a.dtype.name == "float16")
        if name == "subtract" or name.startswith("bitwise"):
            supported = a._a.dtype.name in ("int32", "int64", "uint32", "uint64")
        if not supported:
            raise TypeError(f"`cupy_{name}.at` only supports {', '.join(self._AT_DTYPES)}, got {a._a.dtype}")
        values = unwrap(b, f"{name}.at")
        if isinstance(values, _HOST):
            values = values.astype(a._a.dtype, copy=False)
        self._function.at(a._a, _index(indices, f"{name}.at"), values)


def _make(name: str) -> ufunc:
    return ufunc(name, getattr(np, name), FACTS["ufuncs"][name])


UFUNCS: dict[str, ufunc] = {
    name: _make(name) for name in FACTS["ufuncs"] if isinstance(getattr(np, name, None), np.ufunc)
}


def _operator(name: str, reflected: bool = False) -> Callable[[Any, Any], Any]:
    function = UFUNCS[name]

    def method(self: Any, other: Any) -> Any:
        if type(other) is ndarray or isinstance(other, _SCALARS):
            return function(other, self) if reflected else function(self, other)
        unwrap(other, name)
        return NotImplemented

    return method


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    function = UFUNCS[name]

    def method(self: Any, other: Any) -> Any:
        if type(other) is ndarray or isinstance(other, _SCALARS):
            return function(self, other, out=self)
        unwrap(other, name)
        return NotImplemented

    return method


def _index(index: Any, where: str) -> Any:
    """A NumPy index for a CuPy index; an array among them stays one even with no dimensions.

    Raises:
        TypeError: for lists and NumPy arrays, which CuPy would upload at each call.
    """
    if isinstance(index, tuple):
        return tuple([_index(x, where) for x in index])
    if type(index) is ndarray:
        array = index._a
        if array.dtype.kind == "b":
            counters.sync(f"a boolean mask in {where}: the size of the result is known on the device alone")
        return array
    if isinstance(index, (_HOST, list)):
        raise TypeError(
            f"a host {type(index).__name__} as index in {where}: CuPy would upload it at each call\n"
            "  fix: make a device array of it once"
        )
    return index


def _is_basic(index: Any) -> bool:
    for x in index if isinstance(index, tuple) else (index,):
        if x is None or x is Ellipsis or isinstance(x, slice):
            continue
        if isinstance(x, (bool, np.bool_)) or not isinstance(x, (int, np.integer)):
            return False
    return True


class ndarray:
    """An array on the strict device, with CuPy's interface.

    Args:
        shape: its shape; the memory is filled with what nobody could mean.
        dtype: a NumPy dtype.
        memptr: memory to show instead of new memory, from ``data``.
        strides: how to walk through ``memptr``, in bytes.
        order: ``"C"`` or ``"F"``.
    """

    __slots__ = ("__weakref__", "_a", "_base")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]
    _a: Host
    _base: ndarray | None

    def __init__(
        self, shape: Any, dtype: Any = float, memptr: Any = None, strides: Any = None, order: str = "C"
    ) -> None:
        dtype = check_dtype(dtype)
        if memptr is None:
            self._a = poison(np.empty(shape, dtype, order=order))  # type: ignore[call-overload]
        else:
            self._a = np.lib.stride_tricks.as_strided(memptr.mem._a, shape, strides)
        self._base = None

    # -- refusals ------------------------------------------------------------------------------------------------
    def __array__(self, *args: Any, **kwargs: Any) -> Host:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array "
            "explicitly."
        )

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        # `np.float32(2) * x` arrives here and is fine; `np.exp(x)` and `host * x` are mistakes.
        scalars = any(isinstance(x, np.generic) for x in inputs)
        if method == "__call__" and scalars and not kwargs and function.__name__ in UFUNCS:
            return UFUNCS[function.__name__](*inputs)
        for x in inputs:
            unwrap(x, f"np.{function.__name__}")
        raise TypeError(f"np.{function.__name__} called on a device array; use xp.{function.__name__}")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError(f"np.{function.__name__} called on a device array; use xp.{function.__name__}")

    # -- what it is ----------------------------------------------------------------------------------------------
    @property
    def shape(self) -> tuple[int, ...]:
        return self._a.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._a.dtype

    @property
    def ndim(self) -> int:
        return self._a.ndim

    @property
    def size(self) -> int:
        return self._a.size

    @property
    def strides(self) -> tuple[int, ...]:
        return self._a.strides

    @property
    def itemsize(self) -> int:
        return self._a.itemsize

    @property
    def nbytes(self) -> int:
        return self._a.nbytes

    @property
    def base(self) -> ndarray | None:
        """The array that owns the memory, where this one is a view."""
        return self._base

    @property
    def flags(self) -> Flags:
        return Flags(self._a, self._base is None)

    @property
    def data(self) -> Pointer:
        return Pointer(self)

    @property
    def T(self) -> Any:
        return wrap_view(self._a.T, self)

    @property
    def mT(self) -> Any:
        return wrap_view(self._a.swapaxes(-1, -2), self)

    @property
    def real(self) -> Any:
        return wrap_view(self._a.real, self)

    def __repr__(self) -> str:
        return f"strict_{self._a!r}"

    def __str__(self) -> str:
        return str(self._a)

    def __len__(self) -> int:
        return len(self._a)

    def __iter__(self) -> Iterator[Any]:
        if not self._a.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self._a)))

    # -- to the host ---------------------------------------------------------------------------------------------
    def __bool__(self) -> bool:
        counters.sync("bool() of a device array")
        return bool(self._a)

    def __float__(self) -> float:
        counters.sync("float() of a device array")
        return float(self._a)

    def __int__(self) -> int:
        counters.sync("int() of a device array")
        return int(self._a)

    def __complex__(self) -> complex:
        counters.sync("complex() of a device array")
        return complex(self._a)

    def item(self) -> Any:
        """The only element, on the host."""
        counters.sync("item()")
        return self._a.item()

    def tolist(self) -> Any:
        """Nested lists on the host."""
        counters.sync("tolist()")
        return self._a.tolist()

    def tobytes(self, order: str = "C") -> bytes:
        """The bytes, on the host."""
        counters.sync("tobytes()")
        return self._a.tobytes(order)  # type: ignore[arg-type]

    def get(self, stream: Any = None, order: str = "C", out: Host | None = None, blocking: bool = True) -> Host:
        """A NumPy array with a copy of the numbers."""
        counters.sync("get()")
        counters.transfer()
        if out is not None:
            out[...] = self._a
            return out
        return np.array(self._a, order=order)  # type: ignore[call-overload]

    def set(self, arr: Host, stream: Any = None) -> None:
        """Overwrites the numbers with those of a NumPy array of the same shape and dtype."""
        if not isinstance(arr, _HOST):
            raise TypeError("Only numpy.ndarray can be set to a device array")
        if arr.dtype != self._a.dtype:
            raise TypeError(f"{arr.dtype} array cannot be set to {self._a.dtype} array")
        if arr.shape != self._a.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self._a.shape}, new shape: {arr.shape}")
        counters.transfer()
        self._a[...] = arr

    def __reduce__(self) -> Any:
        return (_from_host_copy, (self._a,))

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    # -- indexing ------------------------------------------------------------------------------------------------
    def __getitem__(self, index: Any) -> Any:
        if _is_basic(index):
            # With an ellipsis NumPy gives a view even of a single element.
            full = index if isinstance(index, tuple) else (index,)
            if not any(x is Ellipsis for x in full):
                full = (*full, Ellipsis)
            return wrap_view(self._a[full], self)
        if counters.watched:
            counters.launch()
        return wrap(np.array(self._a[_index(index, "getitem")]))

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(value, _HOST) and value.ndim:
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        if not (type(value) is ndarray or isinstance(value, (*_SCALARS, _HOST))):
            raise TypeError(f"a host {type(value).__name__} can't be assigned to a device array: upload it first")
        if counters.watched:
            counters.launch()
        if _is_basic(index):
            self._a[index] = value._a if type(value) is ndarray else value
            return
        where = _index(index, "setitem")
        if type(value) is not ndarray or value._a.size == 1:
            self._a[where] = value._a.reshape(()) if type(value) is ndarray else value
            return
        given = value._a.astype(self._a.dtype, copy=False)
        self._a[where] = given
        found = self._a[where]
        if not np.array_equal(found, np.broadcast_to(given, found.shape), equal_nan=found.dtype.kind in "fc"):
            raise RuntimeError(
                "two different values were assigned to one place: duplicate indices in __setitem__\n"
                f"  got: {found.size} values at indices that repeat\n"
                "  expected: indices that name each place once, since CuPy leaves open which value wins\n"
                "  fix: add with xp.add.at, or remove the duplicates"
            )

    # -- copies and views ----------------------------------------------------------------------------------------
    def copy(self, order: Any = "C") -> Any:
        if counters.watched:
            counters.launch()
        return wrap(self._a.copy(order))

    def astype(self, dtype: Any, order: str = "K", casting: Any = None, subok: Any = None, copy: bool = True) -> Any:
        dtype = check_dtype(dtype)
        if not copy and dtype == self._a.dtype:
            return self
        if counters.watched:
            counters.launch()
        return wrap(self._a.astype(dtype, order, casting or "unsafe"))  # type: ignore[call-overload]

    def view(self, dtype: Any = None, type: Any = None) -> Any:
        return wrap_view(self._a.view() if dtype is None else self._a.view(check_dtype(dtype)), self)

    def reshape(self, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        for n in sizes:
            if type(n) is ndarray:
                raise TypeError("a shape is made of ints, not of device arrays")
        return wrap_view(self._a.reshape(sizes, order=order, copy=copy), self)

    def transpose(self, *axes: Any) -> Any:
        return wrap_view(self._a.transpose(*axes), self)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        return wrap_view(self._a.swapaxes(axis1, axis2), self)

    def squeeze(self, axis: Any = None) -> Any:
        return wrap_view(self._a.squeeze(axis), self)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        view = self._a.diagonal(offset, axis1, axis2)
        view.flags.writeable = self._a.flags.writeable  # CuPy's is a view to write to, NumPy's read-only
        return wrap_view(view, self)

    def ravel(self, order: Any = "C") -> Any:
        return wrap_view(self._a.ravel(order), self)

    def flatten(self, order: Any = "C") -> Any:
        return wrap(self._a.flatten(order))

    def fill(self, value: Any) -> None:
        if isinstance(value, _HOST) and value.ndim:
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        if counters.watched:
            counters.launch()
        self._a.fill(unwrap(value, "fill") if not isinstance(value, _HOST) else value)

    def sort(self, axis: int = -1, kind: Any = None) -> None:
        if not self._a.flags.c_contiguous:
            raise NotImplementedError("Sorting non-contiguous array is not supported.")
        if counters.watched:
            counters.launch()
        self._a.sort(axis, kind)

    def argsort(self, axis: Any = -1, kind: Any = None) -> Any:
        if counters.watched:
            counters.launch()
        # CuPy gives one dimension where there is none.
        return wrap(np.atleast_1d(self._a).argsort(axis, kind))

    def nonzero(self) -> tuple[Any, ...]:
        counters.sync("nonzero(): the size of the result is known on the device alone")
        return tuple(wrap(np.ascontiguousarray(r)) for r in self._a.nonzero())

    def dot(self, b: Any, out: Any = None) -> Any:
        return _product(np.dot, self, b, out)

    def __matmul__(self, other: Any) -> Any:
        if type(other) is ndarray:
            return matmul(self, other)
        unwrap(other, "matmul")
        return NotImplemented


def _from_host_copy(array: Host) -> Any:
    return wrap(array.copy())


def _product(function: Callable[..., Any], a: Any, b: Any, out: Any) -> Any:
    for x in (a, b):
        if type(x) is not ndarray:
            unwrap(x, function.__name__)
            raise TypeError(f"Argument has incorrect type (expected a device array, got {type(x).__name__})")
    if counters.watched:
        counters.launch()
    if out is None:
        result = function(a._a, b._a)
        # NumPy's matmul answers in float32 to bfloat16.
        return wrap(result.astype(a._a.dtype) if a._a.dtype.kind == b._a.dtype.kind == "V" else result)
    if not out._a.flags.c_contiguous:
        raise ValueError("output array must be C-contiguous")
    function(a._a, b._a, out=out._a)
    return out


def matmul(a: Any, b: Any, out: Any = None) -> Any:
    """The matrix product of device arrays, broadcast over leading dimensions.

    Raises:
        TypeError: for batches of bfloat16 matrices, which CuPy 14 can't multiply.
    """
    if type(a) is ndarray and a._a.dtype.name == "bfloat16" and (a._a.ndim > 2 or b._a.ndim > 2):
        raise TypeError("matmul of bfloat16 arrays with more than two dimensions is not supported by CuPy")
    return _product(np.matmul, a, b, out)


for _name, _ufunc in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "left_shift", "rshift": "right_shift",
}.items():  # fmt: skip
    setattr(ndarray, f"__{_name}__", _operator(_ufunc))
    setattr(ndarray, f"__r{_name}__", _operator(_ufunc, reflected=True))
    setattr(ndarray, f"__i{_name}__", _in_place(_ufunc))
for _name, _ufunc in {
    "lt": "less", "le": "less_equal", "eq": "equal", "ne": "not_equal", "gt": "greater", "ge": "greater_equal",
    "divmod": "divmod",
}.items():  # fmt: skip
    setattr(ndarray, f"__{_name}__", _operator(_ufunc))
for _name, _ufunc in {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}.items():
    setattr(ndarray, f"__{_name}__", lambda self, _function=UFUNCS[_ufunc]: _function(self))


def _method(name: str) -> Callable[..., Any]:
    """A method with CuPy's parameters, in CuPy's order, of NumPy's method of the same name."""
    names = FACTS["ndarray"][name].split(", ")

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) > len(names):
            raise TypeError(f"{name}() takes {len(names)} arguments at most, got {len(args)}")
        for key, value in zip(names, args, strict=False):
            if key in kwargs:
                raise TypeError(f"{name}() got multiple values for argument {key!r}")
            kwargs[key] = value
        for key in kwargs:
            if key not in names:
                raise TypeError(f"{name}() got an unexpected keyword argument {key!r}")
        out = kwargs.get("out")
        if out is not None:
            kwargs["out"] = unwrap(out, name)
        if counters.watched:
            counters.launch()
        for key in ("dtype", "out"):
            if key in kwargs and kwargs[key] is None:
                del kwargs[key]
        result = getattr(self._a, name)(**{k: unwrap(v, name) for k, v in kwargs.items()})
        return out if out is not None else wrap(result)

    method.__name__ = name
    return method


def _fold(name: str, function: Any) -> Callable[..., Any]:
    """A reduction that a ufunc does, with fewer steps in between: these are called in every training step."""

    def fold(self: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        if counters.watched:
            counters.launch()
        if out is None:
            return wrap(function(self._a, axis, dtype, None, keepdims))
        function(self._a, axis, dtype, unwrap(out, name), keepdims)
        return out

    def fold_in_kind(self: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        return fold(self, axis, None, out, keepdims)

    method = fold if "dtype" in FACTS["ndarray"][name] else fold_in_kind
    method.__name__ = name
    return method


for _name, _reduce in {
    "sum": np.add.reduce, "prod": np.multiply.reduce, "max": np.maximum.reduce, "min": np.minimum.reduce,
}.items():  # fmt: skip
    setattr(ndarray, _name, _fold(_name, _reduce))

# What CuPy's arrays have beyond the methods above, in NumPy's words.
for _name in (
    "all", "any", "argmax", "argmin", "choose", "clip", "compress", "conj", "cumprod", "cumsum", "mean", "repeat",
    "round", "searchsorted", "std", "take", "trace", "var",
):  # fmt: skip
    setattr(ndarray, _name, _method(_name))
