"""NumPy's functions that choose, order and count elements, on tensors; and new tensors like another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.variable import Variable
from .numpy_shapes import broadcast_arrays
from .numpy_table import FUNCTIONS, NoCounterpart, converted, into, o, of, refuse, t

# -- choosing ---


@of("where")
def where(condition: Any, *choices: Any) -> Any:
    first = next((a for a in (condition, *choices) if isinstance(a, Variable)), None)
    c = t(condition, first)
    c = c if c._array.dtype == np.bool_ else c != 0
    if not choices:
        return nonzero(c)
    x, y = (a if isinstance(a, (bool, int, float)) else t(a, first) for a in choices)
    return o.where(c, x, y)


@of("nonzero")
def nonzero(a: Any) -> Any:
    return tuple(o.unbind(o.nonzero(t(a)), 1))


@of("flatnonzero")
def flatnonzero(a: Any) -> Any:
    return nonzero(t(a).reshape(-1))[0]


@of("argwhere")
def argwhere(a: Any) -> Any:
    return o.nonzero(t(a))


@of("clip")
def clip(
    a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None, **rest: Any
) -> Any:
    absent = np._NoValue
    a_min, a_max, min, max = (None if v is absent else v for v in (a_min, a_max, min, max))
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    x = t(a)
    if low is None and high is None:
        return into(out, x + 0)
    if any(isinstance(v, (np.ndarray, list, Variable)) for v in (low, high)):
        x = x if low is None else o.maximum(x, t(low, x))
        return into(out, x if high is None else o.minimum(x, t(high, x)))
    return into(out, o.clamp(x, low, high))


@of("take")
def take(a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise") -> Any:
    refuse(mode=(mode, "raise"))
    x = t(a)
    index = t(indices, x)
    if axis is None:
        return into(out, x.reshape(-1)[index])
    place = (slice(None),) * (axis % x.ndim)
    return into(out, x[(*place, index)])


@of("take_along_axis")
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    return o.take_along_dim(t(arr), t(indices, arr), axis)


@of("compress")
def compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Any:
    return take(a, flatnonzero(t(condition, a)), axis, out)


@of("extract")
def extract(condition: Any, arr: Any) -> Any:
    x = t(arr)
    return x.reshape(-1)[t(condition, x).reshape(-1) != 0]


@of("choose")
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    options = o.stack(list(broadcast_arrays(*choices)))
    index = o.broadcast_to(t(a, options), options.shape[1:])
    return into(out, o.take_along_dim(options, o.unsqueeze(index, 0), 0)[0])


@of("select")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result


@of("delete")
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    x = t(arr)
    if axis is None:
        x, axis = x.reshape(-1), 0
    kept = np.delete(np.arange(x.shape[axis]), obj.numpy() if isinstance(obj, Variable) else obj)  # type: ignore[attr-defined]
    return take(x, kept, axis)


@of("diag")
def diag(v: Any, k: int = 0) -> Any:
    return o.diag(t(v), k)


@of("diagflat")
def diagflat(v: Any, k: int = 0) -> Any:
    return o.diag(t(v).reshape(-1), k)


@of("diagonal")
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return o.diagonal(t(a), offset, axis1, axis2)


@of("linalg.diagonal")
def linalg_diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return o.diagonal(t(x), offset, -2, -1)


@of("trace")
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    return into(out, o.sum(converted(o.diagonal(t(a), offset, axis1, axis2), dtype), -1))


@of("linalg.trace")
def linalg_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return trace(x, offset, -2, -1, dtype)


@of("tril")
def tril(m: Any, k: int = 0) -> Any:
    return o.tril(t(m), k)


@of("triu")
def triu(m: Any, k: int = 0) -> Any:
    return o.triu(t(m), k)


@of("pad")
def pad(array: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0, **rest: Any) -> Any:
    """Every mode of NumPy's that says which element goes where, and ``constant`` with one number."""
    x = t(array)
    places = np.arange(x.numel()).reshape(tuple(x.shape))
    if mode == "constant" and np.size(constant_values) == 1:
        spots = np.pad(places, pad_width, constant_values=-1)
        value = float(np.asarray(constant_values).item())
        return o.where(t(spots >= 0, x), x.reshape(-1)[t(np.maximum(spots, 0), x)], value)
    if mode not in ("edge", "reflect", "symmetric", "wrap") or rest.get("reflect_type", "even") != "even":
        raise NoCounterpart(f"the mode {mode!r} is not there")
    return x.reshape(-1)[t(np.pad(places, pad_width, mode=mode), x)]  # type: ignore[call-overload]


@of("sort")
def sort(a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    x = t(a)
    return o.sort(x.reshape(-1) if axis is None else x, -1 if axis is None else axis, stable=True)[0]


@of("argsort")
def argsort(a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    x = t(a)
    return o.argsort(x.reshape(-1) if axis is None else x, -1 if axis is None else axis, stable=True)


@of("partition")
def partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = None, order: Any = None) -> Any:
    return sort(a, axis)


@of("argpartition")
def argpartition(a: Any, kth: Any, axis: int | None = -1, kind: Any = None, order: Any = None) -> Any:
    return argsort(a, axis)


@of("searchsorted")
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    first = a if isinstance(a, Variable) else v
    return o.searchsorted(t(a, first), v if isinstance(v, (int, float)) else t(v, first), side=side, sorter=sorter)


@of("digitize")
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    return o.bucketize(t(x), t(bins, x), right=not right)


@of("unique")
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, axis: Any = None,
    **rest: Any,
) -> Any:  # fmt: skip
    refuse(return_index=(return_index, False))
    return o.unique(t(ar), True, return_inverse, return_counts, axis)


@of("bincount")
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    return o.bincount(t(x), None if weights is None else t(weights, x), minlength)


@of("isin")
def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Any:
    return o.isin(t(element, test_elements), t(test_elements, element), assume_unique=assume_unique, invert=invert)


# -- new ones like another ---


def _like(name: str) -> Callable[..., Any]:
    def like(
        a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
    ) -> Any:
        x = t(a)
        size = x.shape if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        return converted(getattr(x, f"new_{name}")(size), dtype)

    return like


for _name in ("zeros", "ones", "empty"):
    of(f"{_name}_like")(_like(_name))


@of("full_like")
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None
) -> Any:
    blank = FUNCTIONS[np.zeros_like](a, dtype, shape=shape)
    return blank + (
        fill_value if isinstance(fill_value, (bool, int, float)) else t(fill_value, blank).to(blank._dtype())
    )


@of("copy")
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    return t(a).clone()


@of("astype")
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    return converted(t(x), dtype)


@of("copyto")
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    value = t(src, dst)
    into(dst, value if where is True else FUNCTIONS[np.where](where, value, t(dst)))
