"""How NumPy's functions work on batches: by a shifted axis where that is all, by a rule of their own, or in a loop."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from .batched_array import BatchedArray, refuse_write, shift_axis


class _Ufunc:
    """An elementwise function of the batch: NumPy's ufunc with its methods."""

    def __init__(self, backend: Any, plain: Any) -> None:
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
                raise refuse_write()
            x.data = backend.full_data(x).copy()
        for i in range(backend.size):
            part = x.data[i : i + 1]
            at = (0, *[backend.example(v, i) for v in index])
            self._plain.at(part, at, *[backend.example(v, i) for v in values])

    def outer(self, a: Any, b: Any) -> Any:
        return self._backend.loop(self._plain.outer, (a, b), {})


def _elementwise(backend: Any, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    numbers = (bool, int, float, np.generic, type(None))
    known = [a if isinstance(a, numbers) else backend.as_array(a) for a in args]
    named = {k: backend.as_array(v) if hasattr(v, "dtype") and hasattr(v, "ndim") else v for k, v in kwargs.items()}
    ndim = max((a.ndim for a in [*known, *named.values()] if isinstance(a, BatchedArray)), default=0)
    arrays = [backend.aligned(a, ndim) if isinstance(a, BatchedArray) else a for a in known]
    named = {k: backend.aligned(v, ndim) if isinstance(v, BatchedArray) else v for k, v in named.items()}
    return backend.wrapped(function(*arrays, **named))


def _reduction(backend: Any, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
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
        axis = tuple(shift_axis(a) for a in axis)
    else:
        axis = shift_axis(int(axis))
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


class BatchedModule:
    """The array module of a batch: NumPy's names, on arrays with a hidden dimension."""

    def __init__(self, backend: Any, plain: Any) -> None:
        self._backend, self._plain = backend, plain
        self._known: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        known: dict[str, Any] = self.__dict__["_known"]
        if name not in known:
            known[name] = self._make(name)
        return known[name]

    def _make(self, name: str) -> Any:
        backend, plain = self._backend, getattr(self._plain, name)
        if isinstance(plain, (ModuleType, BatchedModule)):
            return BatchedModule(backend, plain)
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
            return _named(
                name, lambda x, *a, **k: backend.ndarray(plain(backend.full_data(backend.as_array(x)), *a, **k))
            )
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


def is_wide(x: Any, backend: Any) -> bool:
    if isinstance(x, BatchedArray):
        return x.backend is backend and x.data.shape[0] != 1
    return isinstance(x, (tuple, list)) and any(is_wide(v, backend) for v in x)


# -- rules for functions that need more than a shifted axis: rule(backend, plain function, args, kwargs) ---


def _matmul(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
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


def _dot(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x, y = b.as_array(args[0]), b.as_array(args[1])
    if x.ndim <= 2 and y.ndim <= 2 and x.ndim and y.ndim:
        return b.xp.matmul(x, y)
    return b.loop(plain, args, kwargs)


def _einsum(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
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
    return b.ndarray(result) if any(wide) else b.unbatched(b.base.as_array(result))


def _along_last(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
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
    if axis is None or any(is_wide(v, b) for v in (*rest, *kwargs.values())):
        return b.loop(plain, args, kwargs)
    return b.ndarray(plain(x.data, *rest, **{**kwargs, "axis": shift_axis(axis)}))


def _together(b: Any, arrays: Any) -> list[Any]:
    """The data of several arrays, all wide if one is."""
    known = [b.as_array(x) for x in arrays]
    wide = any(x.data.shape[0] != 1 for x in known)
    return [b.full_data(x) if wide else x.data for x in known]


def _joined(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    arrays, *rest = args
    axis = rest.pop(0) if rest else kwargs.get("axis", 0)
    kwargs = {k: v for k, v in kwargs.items() if k != "axis"}
    if axis is None:
        arrays, axis = [b.as_array(x).reshape(-1) for x in arrays], 0
    return b.ndarray(plain(_together(b, arrays), shift_axis(axis), *rest, **kwargs))


def _pairwise_along(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    """take_along_axis(x, index, axis)"""
    x, index, *rest = args
    axis = rest[0] if rest else kwargs.get("axis", -1)
    if axis is None:
        x, axis = b.as_array(x).reshape(-1), 0
    data, places = _together(b, [x, index])
    return b.ndarray(plain(data, places, shift_axis(axis)))


def _put_along(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x, index, values, *rest = args
    axis = rest[0] if rest else kwargs["axis"]
    if x.data.shape[0] != b.size:
        if x.data.base is not None:
            raise refuse_write()
        x.data = b.full_data(x).copy()
    index = b.as_array(index)
    values = b.aligned(b.as_array(values), index.ndim) if hasattr(values, "dtype") and values.ndim else values
    plain(x.data, b.full_data(index), values, shift_axis(axis))


def _take(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x, index, *rest = args
    axis = rest[0] if rest else kwargs.get("axis")
    if is_wide(index, b) or axis is None:
        return b.loop(plain, args, kwargs)
    places = b.as_array(index).data[0] if hasattr(index, "dtype") else index
    return b.ndarray(plain(b.as_array(x).data, places, shift_axis(axis)))


def _by_method(method: str) -> Callable[..., Any]:
    return lambda b, plain, args, kwargs: getattr(b.as_array(args[0]), method)(*args[1:], **kwargs)


def _broadcast_to(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x, shape = b.as_array(args[0]), args[1] if len(args) > 1 else kwargs["shape"]
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    data = b.aligned(x, len(shape))
    return b.ndarray(plain(data, (data.shape[0], *shape)))


def _shift_axes(axis: Any) -> Any:
    return tuple(shift_axis(a) for a in axis) if isinstance(axis, (tuple, list)) else shift_axis(axis)


def _moveaxis(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x, source, target = args
    return b.ndarray(plain(b.as_array(x).data, _shift_axes(source), _shift_axes(target)))


def _expand_dims(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    axis = args[1] if len(args) > 1 else kwargs["axis"]
    axes = _shift_axes(axis)
    return b.ndarray(plain(b.as_array(args[0]).data, axes))


def _squeeze(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x = b.as_array(args[0])
    axis = args[1] if len(args) > 1 else kwargs.get("axis")
    if axis is None:
        return x.reshape(tuple(n for n in x.shape if n != 1))
    return _reduction(b, plain, (x, axis), {})


def _diagonal(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    named = {
        "offset": 0,
        "axis1": 0,
        "axis2": 1,
        **dict(zip(("offset", "axis1", "axis2"), args[1:], strict=False)),
        **kwargs,
    }
    first, second = shift_axis(named["axis1"]), shift_axis(named["axis2"])
    return b.ndarray(b.as_array(args[0]).data.diagonal(named["offset"], first, second))


def _triangle(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x = b.as_array(args[0])
    return b.loop(plain, args, kwargs) if x.ndim < 2 else b.ndarray(plain(x.data, *args[1:], **kwargs))


def _roll(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x, shift, *rest = args
    axis = rest[0] if rest else kwargs.get("axis")
    if axis is None or is_wide(shift, b):
        return b.loop(plain, args, kwargs)
    axes = _shift_axes(axis)
    return b.ndarray(plain(b.as_array(x).data, shift, axes))


def _solve(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    a, y = b.as_array(args[0]), b.as_array(args[1])
    column = y.ndim == 1
    if column:
        y = y.reshape((*y.shape, 1))
    ndim = max(a.ndim, y.ndim)
    out = b.ndarray(plain(b.aligned(a, ndim), b.aligned(y, ndim)))
    return out.reshape(out.shape[:-1]) if column else out


def _tile(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x, reps = b.as_array(args[0]), args[1]
    reps = (reps,) if isinstance(reps, int) else tuple(reps)
    ndim = max(len(reps), x.ndim)
    return b.ndarray(plain(b.aligned(x, ndim), (1, *(1,) * (ndim - len(reps)), *reps)))


def _pad(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x, widths, *rest = args
    x = b.as_array(x)
    if isinstance(widths, int):
        widths = [(widths, widths)] * x.ndim
    elif isinstance(widths[0], int):
        widths = [tuple(widths)] * x.ndim
    if any(is_wide(v, b) for v in (*rest, *kwargs.values())):
        return b.loop(plain, args, kwargs)
    return b.ndarray(plain(x.data, [(0, 0), *widths], *rest, **kwargs))


def _as_strided(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x = b.as_array(args[0])
    shape = args[1] if len(args) > 1 else kwargs.get("shape")
    strides = args[2] if len(args) > 2 else kwargs.get("strides")
    data = x.data
    return b.ndarray(plain(data, (data.shape[0], *(shape or x.shape)), (data.strides[0], *(strides or x.strides))))


def _windows(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x, window, *rest = args
    x = b.as_array(x)
    axis = rest[0] if rest else kwargs.get("axis")
    if axis is None:
        axis = tuple(range(x.ndim)) if isinstance(window, (tuple, list)) else 0
    axes = _shift_axes(axis)
    return b.ndarray(plain(x.data, window, axes))


def _converted(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
    x, *rest = args
    if isinstance(x, (list, tuple)) and any(isinstance(v, BatchedArray) for v in x):
        x = b.xp.stack([b.as_array(v) for v in x])
    dtype = rest[0] if rest else kwargs.get("dtype")
    if not isinstance(x, BatchedArray):
        return b.unbatched(plain(x, dtype))
    x = b.as_array(x)
    if plain.__name__ == "array" and kwargs.get("copy", True):
        x = x.copy()
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)


def _contiguous(b: Any, plain: Any, args: Any, kwargs: Any) -> Any:
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
