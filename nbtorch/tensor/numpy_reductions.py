"""NumPy's reductions and running totals on tensors."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .numpy_table import converted, into, o, of, refuse, t


def _masked(x: Any, where: Any, neutral: Any) -> Any:
    if where is True or where is np._NoValue:
        return x
    return o.where(t(where, x), x, neutral)


def _reduction(
    names: tuple[str, ...], reduce: Callable[[Any, Any, bool], Any], neutral: Any = None, combine: Any = None
) -> None:
    @of(*names)
    def reduction(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None,
        where: Any = True,
    ) -> Any:  # fmt: skip
        if where is not True and neutral is None:
            refuse(where=(where, True))
        x = _masked(converted(t(a), dtype), where, neutral)
        result = reduce(x, axis, keepdims is True)
        if initial is not None and initial is not np._NoValue:
            result = combine(result, initial)
        return into(out, result)


def _over(name: str) -> Callable[[Any, Any, bool], Any]:
    def reduce(x: Any, axis: Any, keepdims: bool) -> Any:
        if axis == ():
            return x + 0 if name in ("sum", "prod", "amax", "amin") else getattr(o, name)(x, axis, keepdims)
        return getattr(o, name)(x, axis, keepdims)

    return reduce


def _product(x: Any, axis: Any, keepdims: bool) -> Any:
    if axis is None and not keepdims:
        return o.prod(x)
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for d in sorted((d % x.ndim for d in axes), reverse=True):
        x = o.prod(x, d, keepdims)
    return x


def _extreme(name: str) -> Callable[[Any, Any, bool], Any]:
    def reduce(x: Any, axis: Any, keepdims: bool) -> Any:
        return getattr(o, name)(x, tuple(range(x.ndim)) if axis is None else axis, keepdims)

    return reduce


_reduction(("sum",), _over("sum"), 0, lambda x, initial: x + initial)
_reduction(("prod",), _product, 1, lambda x, initial: x * initial)
_reduction(("nansum",), lambda x, axis, keep: o.nansum(x, axis, keep), 0, lambda x, initial: x + initial)
_reduction(("nanprod",), lambda x, axis, keep: _product(o.where(o.isnan(x), 1, x), axis, keep), 1)
_reduction(("nanmean",), lambda x, axis, keep: o.nanmean(x, axis, keep), math.nan)


@of("mean")
def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    x = converted(t(a), dtype)
    if not x._dtype().is_floating_point:
        x = x.double()
    if where is not True and where is not np._NoValue:
        mask = o.broadcast_to(t(where, x), x.shape)
        count = o.sum(mask, axis, keepdims is True)
        return into(out, o.sum(o.where(mask, x, 0), axis, keepdims is True) / count)
    return into(out, o.mean(x, axis, keepdims is True))


def _extremes(names: tuple[str, ...], name: str, combine: str) -> None:
    @of(*names)
    def extreme(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
    ) -> Any:
        x = t(a)
        if where is not True and where is not np._NoValue:
            x = _masked(x, where, -math.inf if combine == "maximum" else math.inf)
        result = _extreme(name)(x, axis, keepdims is True)
        if initial is not None and initial is not np._NoValue:
            result = getattr(o, combine)(result, t(initial, x))
        return into(out, result)


_extremes(("max", "amax"), "amax", "maximum")
_extremes(("min", "amin"), "amin", "minimum")


def _without_nan(name: str, filler: float) -> Callable[..., Any]:
    def extreme(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
        refuse(**{key: (value, None) for key, value in rest.items()})
        x = t(a)
        missing = o.isnan(x)
        found = _extreme(name)(o.where(missing, filler, x), axis, keepdims is True)
        nothing = o.all(missing, axis, keepdims is True) if axis is not None else o.all(missing)
        return into(out, o.where(nothing, math.nan, found))

    return extreme


of("nanmax")(_without_nan("amax", -math.inf))
of("nanmin")(_without_nan("amin", math.inf))


@of("ptp")
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    x = t(a)
    return into(out, _extreme("amax")(x, axis, keepdims is True) - _extreme("amin")(x, axis, keepdims is True))


def _spread(name: str) -> Callable[..., Any]:
    def spread(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False,
        *, where: Any = True, mean: Any = None, correction: Any = None,
    ) -> Any:  # fmt: skip
        refuse(where=(where, True), mean=(mean, None))
        x = converted(t(a), dtype)
        x = x if x._dtype().is_floating_point else x.double()
        if correction is not None and correction is not np._NoValue:
            ddof = correction
        return into(out, getattr(o, name)(x, axis, correction=ddof, keepdim=keepdims is True))

    return spread


of("var")(_spread("var"))
of("std")(_spread("std"))


def _nan_var(a: Any, axis: Any, ddof: float, keep: bool) -> Any:
    x = t(a)
    missing = o.isnan(x)
    filled = o.where(missing, 0.0, x)  # before anything is computed, so that no NaN comes back as a gradient
    centered = o.where(missing, 0.0, filled - o.sum(filled, axis, True) / o.sum(~missing, axis, True))
    return o.sum(centered * centered, axis, keep) / (o.sum(~missing, axis, keep) - ddof)


@of("nanvar")
def nanvar(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False) -> Any:
    return into(out, _nan_var(converted(t(a), dtype), axis, ddof, keepdims is True))


@of("nanstd")
def nanstd(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False) -> Any:
    return into(out, o.sqrt(_nan_var(converted(t(a), dtype), axis, ddof, keepdims is True)))


def _whether(name: str) -> Callable[..., Any]:
    def whether(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True) -> Any:
        x = _masked(t(a), where, name == "all")
        return into(out, getattr(o, name)(x, axis, keepdims is True))

    return whether


of("all")(_whether("all"))
of("any")(_whether("any"))


@of("count_nonzero")
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return o.sum(t(a) != 0, axis, keepdims)


@of("average")
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    x, keep = t(a), keepdims is True
    if weights is None:
        result = mean(x, axis, keepdims=keep)
        total = result * 0 + x.numel() / builtins.max(result.numel(), 1)
    else:
        w = t(weights, x)
        if w.shape != x.shape:
            w = w.reshape([n if d == axis % x.ndim else 1 for d, n in enumerate(x.shape)])
        total = o.sum(o.broadcast_to(w, x.shape), axis, keep)
        result = o.sum(x * w, axis, keep) / total
    return (result, total) if returned else result


def _quantile(a: Any, q: Any, axis: Any, keepdims: Any, method: str, name: str, scale: float = 1) -> Any:
    x = t(a)
    x = x if x._dtype().is_floating_point else x.double()
    q = t(q, x).to(x._dtype()) / scale
    if isinstance(axis, (tuple, list)):
        kept = [d for d in range(x.ndim) if d not in {v % x.ndim for v in axis}]
        x = o.permute(x, (*kept, *(v % x.ndim for v in axis))).flatten(len(kept))
        axis = -1
    return getattr(o, name)(x, q, axis, keepdims is True, interpolation=method)


def _quantiles(name: str, ours: str, scale: float) -> Callable[..., Any]:
    def quantile(
        a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
        keepdims: Any = False, *, weights: Any = None, interpolation: Any = None,
    ) -> Any:  # fmt: skip
        refuse(weights=(weights, None))
        return into(out, _quantile(a, q, axis, keepdims, interpolation or method, ours, scale))

    return quantile


for _name, _ours in (("quantile", "quantile"), ("nanquantile", "nanquantile")):
    of(_name)(_quantiles(_name, _ours, 1))
    of(_name.replace("quantile", "percentile"))(_quantiles(_name, _ours, 100))


@of("median")
def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    return into(out, _quantile(a, 0.5, axis, keepdims, "linear", "quantile"))


@of("nanmedian")
def nanmedian(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    return into(out, _quantile(a, 0.5, axis, keepdims, "linear", "nanquantile"))


def _position(name: str, filler: float | None = None) -> Callable[..., Any]:
    def position(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        x = t(a)
        if filler is not None:
            x = o.where(o.isnan(x), filler, x)
        return into(out, getattr(o, name)(x, axis, keepdims is True))

    return position


of("argmax")(_position("argmax"))
of("argmin")(_position("argmin"))
of("nanargmax")(_position("argmax", -math.inf))
of("nanargmin")(_position("argmin", math.inf))


def _running(name: str, missing: float | None = None) -> Callable[..., Any]:
    def running(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        x = converted(t(a), dtype)
        if missing is not None:
            x = o.where(o.isnan(x), missing, x)
        if axis is None:
            x, axis = x.reshape(-1), 0
        return into(out, getattr(o, name)(x, axis))

    return running


of("cumsum", "cumulative_sum")(_running("cumsum"))
of("cumprod", "cumulative_prod")(_running("cumprod"))
of("nancumsum")(_running("cumsum", 0))
of("nancumprod")(_running("cumprod", 1))
