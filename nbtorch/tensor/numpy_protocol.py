"""NumPy's protocols: ``np.sin(t)``, ``np.sum(t, axis=0)``, ``np.concatenate([t, u])`` give tensors, recorded.

NumPy hands its ufuncs and functions over when a tensor is among their arguments (``__array_ufunc__``, NEP 13, and
``__array_function__``, NEP 18). What has no counterpart here raises, and says how to go on with plain arrays: silently
converting would lose the gradient.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.variable import Variable
from ..backends.base import UFUNCS
from ..ops.operands import operand

# What NumPy only looks at or prints: it gets plain arrays.
_ON_ARRAYS = (
    "array2string", "array_repr", "array_str", "may_share_memory", "save", "savetxt", "savez", "savez_compressed",
    "shares_memory", "can_cast", "min_scalar_type", "common_type", "busday_count",
)  # fmt: skip

_ufuncs: dict[str, Any] = {}


def _tables() -> Any:
    """The modules with the functions, imported at the first call: importing nbtorch doesn't wait for them."""
    for module in ("reductions", "shapes", "choices", "maths"):
        importlib.import_module(f".numpy_{module}", __package__)
    from . import numpy_table

    if not _ufuncs:
        for ours, numpys in {**UFUNCS, "matmul": "matmul"}.items():
            _ufuncs[getattr(np, numpys).__name__] = ours
        _ufuncs.update({
            "fabs": "abs", "conjugate": "conj", "deg2rad": "deg2rad", "radians": "deg2rad", "rad2deg": "rad2deg",
            "degrees": "rad2deg", "float_power": "float_power", "frexp": "frexp", "ldexp": "ldexp",
            "heaviside": "heaviside", "sign": "sign", "absolute": "abs", "divide": "div", "power": "pow",
            "cbrt": _cbrt, "divmod": lambda x, y: (_o().floor_divide(x, y), _o().remainder(x, y)),
            "modf": lambda x: (x - _o().trunc(x), _o().trunc(x)),
            "vecdot": lambda x, y: _o().sum(x * y, -1),
            "matvec": lambda x, y: _o().squeeze(_o().matmul(x, _o().unsqueeze(y, -1)), -1),
            "vecmat": lambda x, y: _o().squeeze(_o().matmul(_o().unsqueeze(x, -2), y), -2),
        })  # fmt: skip
    return numpy_table


def _o() -> Any:
    return _tables().o


def _cbrt(x: Any) -> Any:
    return _o().sign(x) * _o().pow(_o().abs(x), 1.0 / 3.0)


def _explain(name: str, why: str) -> TypeError:
    return TypeError(
        f"np.{name}: {why}\n  why: NumPy would compute without recording, and the gradient would be lost\n"
        f"  fix: use nbtorch's own functions, or plain numbers: np.{name}(x.detach().numpy(), ...)"
    )


def array_function(self: Any, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """NumPy's protocol for functions: the one of the table, or an error that says what to do.

    Raises:
        TypeError: where there is no counterpart.
    """
    if not all(issubclass(kind, (Variable, np.ndarray, np.generic)) for kind in types):
        return NotImplemented
    table = _tables()
    name = func.__module__.removeprefix("numpy").lstrip(".")
    name = f"{name}.{func.__name__}" if name.startswith(("linalg", "fft")) else func.__name__
    if func.__name__ in _ON_ARRAYS:
        return func(*_as_arrays(args), **_as_arrays(kwargs))
    found = table.FUNCTIONS.get(func)
    if found is None:
        raise _explain(name, "there is no such function for tensors")
    try:
        return found(*args, **kwargs)
    except table.NoCounterpart as missing:
        raise _explain(name, str(missing)) from None


def _as_arrays(x: Any) -> Any:
    if isinstance(x, Variable):
        return x.detach()._backend.to_host(x._array)  # type: ignore[attr-defined]
    if isinstance(x, (tuple, list)):
        return type(x)(_as_arrays(v) for v in x)
    if isinstance(x, dict):
        return {k: _as_arrays(v) for k, v in x.items()}
    return x


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
    """NumPy's protocol for ufuncs and their methods.

    Raises:
        TypeError: where there is no counterpart.
        RuntimeError: for a result written into an array by a tensor that requires grad.
    """
    table = _tables()
    name = ufunc.__name__
    if out is not None and not any(isinstance(x, Variable) for x in out):
        # ``array += tensor``: the array holds plain numbers, and asks for them.
        arrays = [x.numpy() if isinstance(x, Variable) else x for x in inputs]  # type: ignore[attr-defined]
        return getattr(ufunc, method)(*arrays, out=out, **kwargs)
    function = _ufuncs.get(name)
    if function is None:
        raise _explain(name, "there is no such function for tensors")
    try:
        if isinstance(function, str):
            function = getattr(table.o, function)
        given = [operand(x, self._backend, name, "input") if not isinstance(x, (list, tuple)) else table.t(x, self)
                 for x in inputs[: 1 if method in ("reduce", "accumulate", "at") else None]]  # fmt: skip
        return _METHODS[method](table, name, function, given, inputs, out, kwargs)
    except KeyError:
        raise _explain(f"{name}.{method}", "there is no such method for tensors") from None
    except table.NoCounterpart as missing:
        raise _explain(name, str(missing)) from None


# The operations that take Python's numbers beside a tensor; to the others they are given as tensors.
_TAKE_NUMBERS = {"add", "subtract", "multiply", "divide", "power", "float_power", "remainder", "fmod", "floor_divide"}


def _call(table: Any, name: str, function: Any, given: Any, inputs: Any, out: Any, kwargs: Any) -> Any:
    where, dtype = kwargs.pop("where", True), kwargs.pop("dtype", None)
    for key in ("casting", "order", "subok"):
        kwargs.pop(key, None)
    if kwargs:
        raise table.NoCounterpart(f"the argument {next(iter(kwargs))} is not there")
    if dtype is not None:
        given = [table.converted(x, dtype) if isinstance(x, Variable) else x for x in given]
    if name not in _TAKE_NUMBERS:
        like = next(x for x in (*given, *inputs) if isinstance(x, Variable))
        given = [table.t(x, like) for x in given]
    result = function(*given)
    if where is not True:
        if out is None:
            raise table.NoCounterpart("where= needs out=, since the other elements would hold anything")
        result = table.o.where(table.t(where, result), result, out[0])
    if out is None:
        return result
    if isinstance(result, tuple):
        return tuple(r if target is None else table.into(target, r) for target, r in zip(out, result, strict=True))
    return table.into(out, result)


def _tensor_of(x: Any) -> Any:
    return x if isinstance(x, Variable) else _tables().t(x)


_REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any",
}  # fmt: skip


def _reduce(table: Any, name: str, function: Any, given: Any, inputs: Any, out: Any, kwargs: Any) -> Any:
    axis = inputs[1] if len(inputs) > 1 else kwargs.pop("axis", 0)
    dtype = inputs[2] if len(inputs) > 2 else kwargs.pop("dtype", None)
    if name in _REDUCTIONS:
        found = table.FUNCTIONS[getattr(np, _REDUCTIONS[name])]
        return found(table.converted(given[0], dtype), axis, out=out, **kwargs)
    x, keep = given[0], bool(kwargs.pop("keepdims", False))
    table.refuse(**{key: (value, None) for key, value in kwargs.items()})
    if name == "logaddexp":
        return table.into(out, table.o.logsumexp(x, tuple(range(x.ndim)) if axis is None else axis, keep))
    if not isinstance(axis, int):
        raise table.NoCounterpart("reduce goes over one axis")
    parts = table.o.unbind(x, axis)
    result = parts[0]
    for part in parts[1:]:
        result = function(result, part)
    return table.into(out, result.unsqueeze(axis) if keep else result)


_SCANS: dict[str, Callable[[Any, Any, int], Any]] = {
    "add": lambda o, x, axis: o.cumsum(x, axis),
    "multiply": lambda o, x, axis: o.cumprod(x, axis),
    "maximum": lambda o, x, axis: o.cummax(x, axis)[0],
    "minimum": lambda o, x, axis: o.cummin(x, axis)[0],
    "logaddexp": lambda o, x, axis: o.logcumsumexp(x, axis),
}


def _accumulate(table: Any, name: str, function: Any, given: Any, inputs: Any, out: Any, kwargs: Any) -> Any:
    axis = inputs[1] if len(inputs) > 1 else kwargs.pop("axis", 0)
    x = table.converted(given[0], kwargs.pop("dtype", None))
    if name in _SCANS:
        return table.into(out, _SCANS[name](table.o, x, axis))
    parts = list(table.o.unbind(x, axis))
    for i in range(1, len(parts)):
        parts[i] = function(parts[i - 1], parts[i])
    return table.into(out, table.o.stack(parts, axis))


def _outer(table: Any, name: str, function: Any, given: Any, inputs: Any, out: Any, kwargs: Any) -> Any:
    a, b = (_tensor_of(x) for x in given)
    return _call(table, name, function, [a.reshape(*a.shape, *(1,) * b.ndim), b], inputs, out, kwargs)


def _at(table: Any, name: str, function: Any, given: Any, inputs: Any, out: Any, kwargs: Any) -> None:
    target, place = given[0], inputs[1]
    if not isinstance(target, Variable):
        raise table.NoCounterpart("at changes a tensor in place, and its first argument is none")
    index = tuple(
        table.t(i, target) if isinstance(i, (list, np.ndarray)) else i
        for i in (place if isinstance(place, tuple) else (place,))
    )
    if name in ("add", "subtract"):
        value = table.t(inputs[2], target).to(target._dtype())
        target.index_put_(index, -value if name == "subtract" else value, accumulate=True)  # type: ignore[attr-defined]
        return
    # Index by index, so that an element named twice is changed twice.
    places = np.arange(target.numel()).reshape(tuple(target.shape))  # type: ignore[attr-defined]
    hosts = tuple(i.numpy() if isinstance(i, Variable) else i for i in index)  # type: ignore[attr-defined]
    spots = places[hosts].reshape(-1)
    flat = list(table.o.unbind(target.reshape(-1), 0))  # type: ignore[attr-defined]
    rest = [table.o.broadcast_to(table.t(v, target), places[hosts].shape).reshape(-1) for v in inputs[2:]]
    for k, spot in enumerate(spots.tolist()):
        flat[spot] = function(flat[spot], *[v[k] for v in rest])
    target.copy_(table.o.stack(flat).reshape(target.shape))  # type: ignore[attr-defined]


_METHODS: dict[str, Callable[..., Any]] = {
    "__call__": _call,
    "reduce": _reduce,
    "accumulate": _accumulate,
    "outer": _outer,
    "at": _at,
}
