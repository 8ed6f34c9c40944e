"""NumPy's functions of shape on tensors: moving dimensions, joining, splitting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.variable import Variable
from .numpy_table import NoCounterpart, converted, into, o, of, refuse, t

# -- shape ---


@of("reshape")
def reshape(a: Any, shape: Any = None, order: str = "C", *, newshape: Any = None, copy: Any = None) -> Any:
    x, size = t(a), newshape if shape is None else shape
    size = (size,) if isinstance(size, int) else tuple(size)
    if order == "F":
        return transpose(o.reshape(transpose(x), size[::-1]))
    return o.reshape(x, size)


@of("ravel")
def ravel(a: Any, order: str = "C") -> Any:
    return reshape(a, -1, order)


@of("transpose", "permute_dims")
def transpose(a: Any, axes: Any = None) -> Any:
    x = t(a)
    return o.permute(x, tuple(range(x.ndim))[::-1] if axes is None else tuple(axes))


@of("matrix_transpose", "linalg.matrix_transpose")
def matrix_transpose(x: Any, /) -> Any:
    return o.transpose(t(x), -1, -2)


@of("swapaxes")
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    return o.transpose(t(a), axis1, axis2)


@of("moveaxis")
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    return o.movedim(t(a), source, destination)


@of("rollaxis")
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    x = t(a)
    axis, start = axis % x.ndim, start + x.ndim if start < 0 else start
    return o.movedim(x, axis, start - 1 if axis < start else start)


@of("expand_dims")
def expand_dims(a: Any, axis: Any) -> Any:
    x, axes = t(a), (axis,) if isinstance(axis, int) else tuple(axis)
    for d in sorted(d % (x.ndim + len(axes)) for d in axes):
        x = o.unsqueeze(x, d)
    return x


@of("squeeze")
def squeeze(a: Any, axis: Any = None) -> Any:
    x = t(a)
    if axis is None:
        return o.squeeze(x)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for d in axes:
        if x.shape[d] != 1:
            raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return o.squeeze(x, axes)


@of("broadcast_to")
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    return o.broadcast_to(t(array), (shape,) if isinstance(shape, int) else tuple(shape))


@of("broadcast_arrays")
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    tensors = [t(a) for a in args]
    shape = np.broadcast_shapes(*[tuple(x.shape) for x in tensors])
    return tuple(o.broadcast_to(x, shape) for x in tensors)


@of("flip")
def flip(m: Any, axis: Any = None) -> Any:
    x = t(m)
    return o.flip(x, tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis))


@of("fliplr")
def fliplr(m: Any) -> Any:
    return flip(m, 1)


@of("flipud")
def flipud(m: Any) -> Any:
    return flip(m, 0)


@of("rot90")
def rot90(m: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    return o.rot90(t(m), k, tuple(axes))


@of("roll")
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    x = t(a)
    if axis is not None and isinstance(shift, (tuple, list)) and isinstance(axis, int):
        axis = (axis,) * len(shift)
    if isinstance(axis, (tuple, list)) and isinstance(shift, int):
        shift = (shift,) * len(axis)
    return o.roll(x, shift, axis)


@of("tile")
def tile(A: Any, reps: Any) -> Any:
    return o.tile(t(A), (reps,) if isinstance(reps, int) else tuple(reps))


@of("repeat")
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    x = t(a)
    count = repeats if isinstance(repeats, (int, np.integer)) else t(repeats, x)
    if isinstance(count, Variable) and count.numel() == 1:  # type: ignore[attr-defined]
        count = int(count.item())  # type: ignore[attr-defined]
    return o.repeat_interleave(x, count, axis)


def _at_least(name: str) -> Callable[..., Any]:
    def at_least(*arys: Any) -> Any:
        made = tuple(getattr(o, name)(t(a)) for a in arys)
        return made[0] if len(made) == 1 else made

    return at_least


for _name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    of(_name)(_at_least(_name))


# -- joining and splitting ---


def _tensors(arrays: Any) -> list[Any]:
    first = next((a for a in arrays if isinstance(a, Variable)), None)
    return [t(a, first) for a in arrays]


@of("concatenate", "concat")
def concatenate(
    arrays: Any, /, axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    parts = _tensors(arrays)
    if axis is None:
        parts, axis = [x.reshape(-1) for x in parts], 0
    return into(out, converted(o.cat(parts, axis), dtype))


@of("stack")
def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return into(out, converted(o.stack(_tensors(arrays), axis), dtype))


@of("unstack")
def unstack(x: Any, /, *, axis: int = 0) -> Any:
    return o.unbind(t(x), axis)


def _stacked(name: str) -> Callable[..., Any]:
    def stacked(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
        return converted(getattr(o, name)(_tensors(tup)), dtype)

    return stacked


for _name in ("hstack", "vstack", "dstack", "column_stack"):
    of(_name)(_stacked(_name))
of("row_stack")(_stacked("vstack"))


@of("append")
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return concatenate((arr, values), axis)


def _indices(places: Any) -> Any:
    return places if isinstance(places, int) else [int(i) for i in places]


@of("array_split")
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    return list(o.tensor_split(t(ary), _indices(indices_or_sections), axis))


@of("split")
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    x = t(ary)
    if isinstance(indices_or_sections, int) and x.shape[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return array_split(x, indices_or_sections, axis)


@of("hsplit")
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    x = t(ary)
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


@of("vsplit")
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    return split(ary, indices_or_sections, 0)


@of("dsplit")
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    return split(ary, indices_or_sections, 2)


@of("meshgrid")
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    refuse(sparse=(sparse, False))
    return tuple(o.meshgrid(*[t(x).reshape(-1) for x in xi], indexing=indexing))


@of("block")
def block(arrays: Any) -> Any:
    def depth(x: Any) -> int:
        return 1 + depth(x[0]) if isinstance(x, list) else 0

    def joined(x: Any, level: int, ndim: int) -> Any:
        if not isinstance(x, list):
            made = t(x)
            return made.reshape((1,) * (ndim - made.ndim) + tuple(made.shape))
        return o.cat(_tensors([joined(part, level - 1, ndim) for part in x]), -level)

    def most(x: Any) -> int:
        return max(most(part) for part in x) if isinstance(x, list) else t(x).ndim

    levels = depth(arrays)
    return joined(arrays, levels, max(levels, most(arrays)))


@of("insert")
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    x = t(arr)
    if axis is None:
        x, axis = x.reshape(-1), 0
    if not isinstance(obj, (int, np.integer)):
        raise NoCounterpart("only one index can be inserted at")
    at = int(obj) + x.shape[axis] if obj < 0 else int(obj)
    v = t(values, x).to(x._dtype())
    before, after = o.split(x, [at, x.shape[axis] - at], axis)
    if v.ndim == x.ndim and x.ndim > 1:
        count = v.shape[axis]
    else:
        count = v.shape[0] if x.ndim == 1 and v.ndim == 1 else 1
        v = v if x.ndim == 1 or v.ndim == 0 else o.unsqueeze(v, axis)
    shape = [count if d == axis % x.ndim else n for d, n in enumerate(x.shape)]
    return o.cat([before, o.broadcast_to(v, shape), after], axis)
