"""The strict device's array module: an object with the names that CuPy 14 has, and no others.

A function keeps the parameters and their order that CuPy gives it, computes with NumPy's function of the same name,
and refuses NumPy arrays. What CuPy lacks is an AttributeError here, what NumPy lacks is one too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from . import strict_counters as counters
from .strict_array import UFUNCS, matmul, ndarray, ufunc, unwrap, wrap, wrap_view
from .strict_memory import FACTS, Host, check_dtype, poison

# The host learns the size or the value of the result before the function returns.
_SYNCHRONIZING = frozenset((
    "argwhere", "bincount", "compress", "extract", "flatnonzero", "histogram", "in1d", "intersect1d", "isin",
    "setdiff1d", "setxor1d", "trim_zeros", "union1d", "unique", "unique_all", "unique_counts", "unique_inverse",
    "unique_values",
))  # fmt: skip


def asarray(a: Any, dtype: Any = None, order: Any = None, *, copy: Any = None, blocking: bool = False) -> Any:
    """A device array of a device array (itself, where nothing has to change), a NumPy array, a number or a list.

    Uploading is a transfer, which is counted.

    Raises:
        ValueError: for a dtype that no kernel can be written for.
    """
    if type(a) is ndarray:
        if not copy and (dtype is None or a.dtype == dtype):
            return a
        return a.astype(a.dtype if dtype is None else dtype)
    if isinstance(a, (list, tuple)) and any(type(x) is ndarray for x in a):
        stacked = xp.stack([asarray(x) for x in a])
        return stacked if dtype is None else stacked.astype(dtype)
    host = np.array(a, dtype=dtype, order=order)
    check_dtype(host.dtype)
    counters.transfer()
    return wrap(host)


def array(
    obj: Any, dtype: Any = None, copy: Any = True, order: Any = "K", subok: bool = False, ndmin: int = 0,
    *, blocking: bool = False,
) -> Any:  # fmt: skip
    """``asarray`` that copies a device array too."""
    out = asarray(obj, dtype, copy=copy)
    return out.reshape((1,) * (ndmin - out.ndim) + out.shape) if out.ndim < ndmin else out


def asnumpy(a: Any, stream: Any = None, order: Any = "C", out: Any = None, *, blocking: bool = True) -> Host:
    """A NumPy array with the numbers of ``a``."""
    if type(a) is ndarray:
        return a.get(stream, order, out, blocking)
    return np.asarray(a)


def empty(shape: Any, dtype: Any = float, order: Any = "C") -> Any:
    """A new array of numbers that nobody could mean."""
    return ndarray(shape, dtype, order=order)


def empty_like(prototype: Any, dtype: Any = None, order: Any = "K", subok: Any = None, shape: Any = None) -> Any:
    """``empty`` with the shape and dtype of another device array."""
    host = np.empty_like(unwrap(prototype, "empty_like"), dtype, order, True, shape)
    return wrap(poison(host))


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: Any = None, shape: Any = None
) -> Any:
    """A new array of one number with the shape and dtype of another device array."""
    out = empty_like(a, dtype, order, subok, shape)
    out.fill(fill_value)
    return out


def full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C") -> Any:
    """A new array of one number."""
    if dtype is None:
        dtype = fill_value.dtype if hasattr(fill_value, "dtype") else np.array(fill_value).dtype
    out = empty(shape, dtype, order)
    out.fill(fill_value)
    return out


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """``x`` where the condition holds, else ``y``; with neither, the indices of what isn't zero."""
    if x is None and y is None:
        return condition.nonzero()
    for value in (condition, x, y):
        unwrap(value, "where")
    if type(condition) is not ndarray:
        raise TypeError(f"where: the condition must be a device array, got {type(condition).__name__}")
    if counters.watched:
        counters.launch()
    return wrap(np.where(condition._a, unwrap(x, "where"), unwrap(y, "where")))


def get_array_module(*args: Any) -> Any:
    """This module where a device array is among the arguments, else NumPy."""
    return xp if any(type(x) is ndarray for x in args) else np


def as_strided(x: Any, shape: Any = None, strides: Any = None) -> Any:
    """A view of the memory with other steps. As in CuPy it doesn't know its base."""
    return ndarray(x.shape if shape is None else shape, x.dtype, x.data, x.strides if strides is None else strides)


def einsum(*operands: Any, **kwargs: Any) -> Any:
    """Einstein's sum."""
    for name in kwargs:
        if name != "dtype":
            raise TypeError(f"einsum() got an unexpected keyword argument {name!r}: CuPy's takes 'dtype' alone")
    if counters.watched:
        counters.launch()
    result = np.einsum(*[_plain(x, "einsum") for x in operands], **kwargs)
    source = next((x for x in operands if type(x) is ndarray), None)
    return wrap(result) if source is None else wrap_view(result, source)


def _plain(x: Any, function: str) -> Any:
    """``x`` for NumPy: device arrays unwrapped, also in a list or tuple of them."""
    if isinstance(x, (list, tuple)) and any(isinstance(y, (ndarray, np.ndarray)) for y in x):
        plain = []
        for y in x:
            if type(y) is not ndarray:
                unwrap(y, function)
                raise TypeError(f"{function}: a {type(y).__name__} can't stand beside device arrays; upload it first")
            plain.append(y._a)
        return plain
    return unwrap(x, function)


def _wrapped(result: Any, source: Any) -> Any:
    if isinstance(result, (np.ndarray, np.generic)):
        return wrap(result) if source is None else wrap_view(result, source)
    if isinstance(result, list):
        return [_wrapped(r, source) for r in result]
    # NumPy's named tuples, such as those of linalg.qr, become plain ones, as CuPy's mostly are.
    return tuple(_wrapped(r, source) for r in result) if isinstance(result, tuple) else result


def _positional_in_numpy(function: Callable[..., Any]) -> list[str] | None:
    """The positional parameters of a NumPy function, "" for one without a name to use; None where they aren't told."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in found):
        return None
    places = (p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    return [p.name if p.kind is p.POSITIONAL_OR_KEYWORD else "" for p in places]


def _adapt(name: str, function: Callable[..., Any], signature: str) -> Callable[..., Any]:
    """NumPy's ``function`` behind CuPy's parameters."""
    names = [n for n in signature.split(", ") if n]
    positional: list[str] = []
    for n in names:
        if n.startswith("*"):
            break
        positional.append(n)
    variadic = any(n.startswith("*") and not n.startswith("**") and n != "*" for n in names)
    keywords = {n for n in names if not n.startswith("*")}
    any_keyword = any(n.startswith("**") for n in names)
    # Where NumPy has the parameter in another place, or by keyword only, it goes by keyword.
    theirs = _positional_in_numpy(function)
    by_keyword = [
        theirs is not None and (i >= len(theirs) or (theirs[i] not in ("", n) and n in theirs))
        for i, n in enumerate(positional)
    ]

    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) > len(positional) and not variadic:
            raise TypeError(f"{name}() takes {len(positional)} positional arguments but {len(args)} were given")
        if not any_keyword:
            for key in kwargs:
                if key not in keywords:
                    raise TypeError(f"{name}() got an unexpected keyword argument {key!r}")
        plain: list[Any] = []
        for i, x in enumerate(args):
            x = _plain(x, name)
            if i < len(by_keyword) and by_keyword[i]:
                kwargs[positional[i]] = x
            else:
                plain.append(x)
        out = kwargs.get("out")
        if counters.watched:
            counters.launch()
        if name in _SYNCHRONIZING:
            counters.sync(f"{name}(): the size of the result is known on the device alone")
        result = function(*plain, **{k: _plain(v, name) for k, v in kwargs.items()})
        if out is not None:
            return out
        source = next((x for x in args if type(x) is ndarray), None)
        return _wrapped(result, source)

    call.__name__ = name
    return call


# Named here for their own rules; everything else is NumPy's behind CuPy's parameters.
_OWN: dict[str, Any] = {
    "ndarray": ndarray, "ufunc": ufunc, "array": array, "asarray": asarray, "asanyarray": asarray, "asnumpy": asnumpy,
    "empty": empty, "empty_like": empty_like, "full": full, "full_like": full_like, "where": where, "matmul": matmul,
    "einsum": einsum, "get_array_module": get_array_module, "is_available": lambda: True,
    "lib": SimpleNamespace(stride_tricks=SimpleNamespace(as_strided=as_strided)),
    # Reductions and rearrangements that arrays do themselves.
    "sum": lambda a, *args, **kwargs: a.sum(*args, **kwargs),
    "prod": lambda a, *args, **kwargs: a.prod(*args, **kwargs),
    "cumsum": lambda a, *args, **kwargs: a.cumsum(*args, **kwargs),
    "cumprod": lambda a, *args, **kwargs: a.cumprod(*args, **kwargs),
    "argsort": lambda a, axis=-1, kind=None: a.argsort(axis, kind),
    "nonzero": lambda a: a.nonzero(),
}  # fmt: skip


class _Namespace:
    """The module; a name is looked up once."""

    def __init__(self, name: str, functions: Any, own: dict[str, Any], numpy: Any) -> None:
        self._name = name
        self._functions = functions
        self._numpy = numpy
        self.__dict__.update(own)

    def __repr__(self) -> str:
        return f"<array module {self._name} of the strict device>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = UFUNCS.get(name) if self._numpy is np else None
        if found is None:
            found = self._from_numpy(name)
        setattr(self, name, found)
        return found

    def _from_numpy(self, name: str) -> Any:
        signature = self._functions.get(name)
        if signature is None and name not in FACTS["values"]:
            raise AttributeError(f"module {self._name!r} has no attribute {name!r} (in CuPy {FACTS['version']})")
        value = getattr(self._numpy, name, None)
        if value is None:
            raise AttributeError(f"{self._name}.{name} is in CuPy, but the strict device can't imitate it")
        return value if signature is None else _adapt(name, value, signature)


xp: Any = _Namespace("cupy", FACTS["functions"], _OWN, np)
xp.linalg = _Namespace("cupy.linalg", FACTS["linalg"], {"LinAlgError": np.linalg.LinAlgError}, np.linalg)
