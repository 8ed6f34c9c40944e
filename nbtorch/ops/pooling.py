"""Pooling: the maximum or the average of windows, of fixed size, fitted to the output's size, or drawn at random."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.engine import maths
from ..autograd.variable import wrap
from ..backends.layouts import in_image_order
from ..backends.pooling import window_positions
from ..backends.resampling import Along
from ..backends.windows import Windows
from .dispatch import FLOATS_ONLY, FLOATS_OR_INT64, NO_BOOLS, refuse_dtype
from .operands import refuse_scalar, require_tensor
from .record import Op, apply, mathematical
from .shape import reshape

__all__: list[str] = []

Maps = tuple[Along | None, ...]


# -- maps along one dimension after the other ---


def separable(name: str, node: str) -> Op:
    """The record of a map that acts on one dimension after the other."""
    return Op(
        name,
        lambda m, input, maps, back: m.resample(input, maps, back),
        node=node,
        input=lambda m, g, maps, back: m.resample(g, back, maps),
        formula=r"Y = A\,X\,B^\top:\quad \frac{\partial L}{\partial X} = A^\top G\,B",
        layout=in_image_order,
    )


RESAMPLE = separable("resample", "ResampleBackward0")
AVG_POOL = {
    1: separable("avg_pool1d", "AvgPool1DBackward0"),
    2: separable("avg_pool2d", "AvgPool2DBackward0"),
    3: separable("avg_pool3d", "AvgPool3DBackward0"),
}
ADAPTIVE_AVG_POOL = {
    1: separable("adaptive_avg_pool1d", "AdaptiveAvgPool1DBackward0"),
    2: separable("adaptive_avg_pool2d", "AdaptiveAvgPool2DBackward0"),
    3: separable("adaptive_avg_pool3d", "AdaptiveAvgPool3DBackward0"),
}


@RESAMPLE
def resample(input: Any, maps: Maps, back: Maps) -> Any:
    """``input`` with one linear map for each of its last dimensions; ``back`` are the transposed maps."""
    return apply(RESAMPLE, (input,), (maps, back))


def run_separable(op: Op, input: Any, maps: Maps) -> Any:
    """Runs a record made by :func:`separable`."""
    return apply(op, (input,), (maps, tuple(None if a is None else transposed(a) for a in maps)))


_transposes: dict[int, tuple[Along, Along]] = {}


def transposed(along: Along) -> Along:
    """``along.transposed()``, made once for each map (they are few, and kept by their makers' caches)."""
    found = _transposes.get(id(along))
    if found is None or found[0] is not along:
        if len(_transposes) > 512:
            _transposes.clear()
        found = _transposes[id(along)] = (along, along.transposed())
    return found[1]


# -- arguments ---


def sizes_of(function: str, name: str, value: Any, n: int) -> tuple[int, ...]:
    """An int for all dimensions, or one for each, as a tuple.

    Raises:
        TypeError: for anything but ints.
        RuntimeError: for another number of them.
    """
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    out = []
    for v in given:
        if isinstance(v, (bool, float, str)) or not hasattr(v, "__index__"):
            raise TypeError(f"{function}(): argument '{name}' must be tuple of ints, not {type(v).__name__}")
        out.append(int(v.__index__()))
    if len(out) not in (1, n):
        raise RuntimeError(f"{function}: {name} must either be a single int, or a tuple of {n} ints\n  got: {given!r}")
    return tuple(out) * n if len(out) == 1 else tuple(out)


def check_plane(function: str, n: int, input: Any, *, batch_only_empty: bool = True) -> None:
    """``input`` has ``n`` dimensions to pool over, channels, and perhaps a batch, which alone may be empty."""
    require_tensor(function, "input", input)
    shape = tuple(input._array.shape)
    fits = len(shape) in (n + 1, n + 2)
    if fits and batch_only_empty:
        fits = 0 not in shape[len(shape) - n - 1 :] if len(shape) == n + 2 else 0 not in shape
    if not fits:
        raise RuntimeError(
            f"{function}: Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for input, "
            f"but got: {list(shape)}"
        )


def pool_windows(
    function: str, n: int, input: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Windows:
    """The windows of a pooling.

    Raises:
        RuntimeError: for numbers that make none, or an input that is too small.
    """
    if stride is None or (isinstance(stride, (tuple, list)) and not stride):
        stride = kernel
    kernel, steps = sizes_of(function, "kernel_size", kernel, n), sizes_of(function, "stride", stride, n)
    around, spread = sizes_of(function, "padding", padding, n), sizes_of(function, "dilation", dilation, n)
    for name, values in (("kernel_size", kernel), ("stride", steps), ("dilation", spread)):
        if min(values) <= 0:
            raise RuntimeError(f"{function}() {name} must be greater than zero, but got {min(values)}")
    for p, k, d in zip(around, kernel, spread, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}\n  operation: {function}")
        if p > ((k - 1) * d + 1) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                f"dilation={d}\n  operation: {function}"
            )
    check_plane(function, n, input)
    size = tuple(input._array.shape[input._array.ndim - n :])
    out = []
    for s, k, step, p, d in zip(size, kernel, steps, around, spread, strict=True):
        room = s + 2 * p - d * (k - 1) - 1
        count = -(-room // step) + 1 if ceil_mode else room // step + 1
        if ceil_mode and (count - 1) * step >= s + p:
            count -= 1  # the last window begins inside the input or its left padding
        if any(start % d >= s for start in range(-p, 0, step)[: max(count, 0)]):
            raise RuntimeError(
                f"{function}: a window has no element: with padding={p} and dilation={d} it steps over all {s} of the "
                "input\n  expected: at least one element of the input in each window (PyTorch reads beyond the array)"
            )
        out.append(count)
    if min(out) < 1:
        raise RuntimeError(
            f"Given input size: {size}. Calculated output size: {tuple(out)}. Output size is too small\n"
            f"  operation: {function}\n  expected: a window that fits into the input and its padding"
        )
    return Windows(size, tuple(out), kernel, steps, around, spread)


# -- averages ---


@functools.lru_cache(256)
def _window_sums(size: int, out: int, kernel: int, stride: int, before: int, after: str) -> Along:
    """Sums over windows along one dimension; ``after`` says what they are divided by."""
    start = np.arange(out) * stride - before
    positions = start[:, None] + np.arange(kernel)
    inside = (positions >= 0) & (positions < size)
    results = np.broadcast_to(np.arange(out)[:, None], positions.shape)[inside]
    along = Along.of(size, out, results, positions[inside])
    if after == "nothing":
        return along
    end = np.minimum(start + kernel, size + before)
    counts = end - start if after == "all" else np.minimum(end, size) - np.maximum(start, 0)
    if (counts == counts[0]).all():
        return along._replace(after=1.0 / float(counts[0]))
    return along._replace(after=1.0 / counts)


def truncated(total: Any, count: Any) -> Any:
    """The quotient of whole numbers, rounded towards zero."""
    down = total // count
    return down + ((down < 0) & (down * count != total))


def avg_pool(
    n: int, input: Any, kernel: Any, stride: Any, padding: Any, ceil_mode: bool, include: bool, divisor: int | None
) -> Any:
    """The average over windows of the last ``n`` dimensions."""
    function = f"avg_pool{n}d"
    if divisor == 0:
        raise RuntimeError("divisor must be not zero")
    require_tensor(function, "input", input)
    if n == 2:
        refuse_scalar(function, "input", input)
    at = pool_windows(function, n, input, kernel, stride, padding, 1, ceil_mode)
    if n == 3 and any(s < k for s, k in zip(at.size, at.kernel, strict=True)):
        raise RuntimeError(f"input image {at.size} smaller than kernel size {at.kernel}\n  operation: {function}")
    whole = input._array.dtype.kind in "iub"
    refuse_dtype(function, input._dtype(), FLOATS_OR_INT64)
    after = "nothing" if divisor is not None or whole else "all" if include else "inside"
    places = tuple(zip(at.size, at.out, at.kernel, at.stride, at.before, strict=True))
    maps = tuple(_window_sums(*place, after) for place in places)
    out = run_separable(AVG_POOL[n], input, maps)
    if whole:
        if divisor is not None:
            return truncated(out, divisor)
        count = np.ones((), np.int64)
        for place in places:
            along = _window_sums(*place, "all" if include else "inside").after
            shares = np.rint(1 / np.broadcast_to(np.asarray(along), (place[1],))).astype(np.int64)
            count = count[..., None] * shares
        return truncated(out, wrap(input._backend.from_host(count.astype(input._array.dtype)), input._backend))
    return out if divisor is None else out / divisor


@functools.lru_cache(256)
def adaptive_windows(size: int, out: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Where ``out`` windows that cover ``size`` elements as evenly as can be begin and end."""
    i = np.arange(out)
    return i * size // max(out, 1), -(-(i + 1) * size // max(out, 1))


@functools.lru_cache(256)
def adaptive_average(size: int, out: int) -> Along:
    """Averages over windows fitted to the number of results."""
    start, end = adaptive_windows(size, out)
    counts = end - start
    results = np.repeat(np.arange(out), counts)
    elements = np.concatenate([np.arange(s, e) for s, e in zip(start, end, strict=True)] or [np.arange(0)])
    along = Along.of(size, out, results, elements)
    if out and (counts == counts[0]).all():
        return along._replace(after=1.0 / float(counts[0]))
    return along._replace(after=1.0 / counts)


def adaptive_sizes(function: str, n: int, input: Any, output_size: Any) -> tuple[int, ...]:
    """The output's sizes, None among them for the input's own.

    Raises:
        RuntimeError: for another number of sizes, negative ones, or an input of the wrong shape.
    """
    require_tensor(function, "input", input)
    shape = tuple(input._array.shape)
    given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * n
    if 0 < len(shape) < n + 1 and n > 1:
        raise ValueError(f"Input dimension should be at least {n + 1}\n  operation: {function}\n  got: {list(shape)}")
    if len(shape) < n + 1:
        raise RuntimeError(f"{function}: Expected {n + 1}D or {n + 2}D tensor, but got {list(shape)}")
    if len(given) != n:
        raise RuntimeError(f"{function}: output_size must be {n}\n  got: {given!r}")
    sizes = tuple(s if o is None else o for o, s in zip(given, shape[len(shape) - n :], strict=True))
    sizes = sizes_of(function, "output_size", sizes, n)
    if min(sizes) < 0:
        raise RuntimeError(
            f"{function}: elements of output_size must be greater than or equal to 0 but received {list(sizes)}"
        )
    if len(shape) not in (n + 1, n + 2) or 0 in shape[1:]:
        raise RuntimeError(
            f"{function}: Expected {n + 1}D or {n + 2}D tensor whose non-batch dimensions have positive sizes, but got "
            f"{list(shape)}"
        )
    refuse_dtype(function, input._dtype(), FLOATS_ONLY)
    return sizes


def adaptive_avg_pool(n: int, input: Any, output_size: Any) -> Any:
    """Averages over windows that are fitted to the output's size."""
    sizes = adaptive_sizes(f"adaptive_avg_pool{n}d", n, input, output_size)
    shape = input._array.shape[input._array.ndim - n :]
    maps = tuple(None if s == o else adaptive_average(s, o) for s, o in zip(shape, sizes, strict=True))
    return run_separable(ADAPTIVE_AVG_POOL[n], input, maps)


# -- maxima ---


def _max_pool(name: str, node: str) -> Op:
    return Op(
        name,
        lambda m, input, at: m.max_pool(input, at),
        node=node,
        # Not from the result: a program may change that in place, by an activation, say.
        input=lambda m, g, input, at: m.max_pool_backward(g, input, at),
        formula=r"\text{the gradient of a maximum goes to the first place where it is}",
        layout=in_image_order,
    )


MAX_POOL = {
    1: _max_pool("max_pool1d", "MaxPool1DWithIndicesBackward0"),
    2: _max_pool("max_pool2d", "MaxPool2DWithIndicesBackward0"),
    3: _max_pool("max_pool3d", "MaxPool3DWithIndicesBackward0"),
}


@mathematical
def max_pool_backward(g: Any, input: Any, at: Windows) -> Any:
    """The gradient of max pooling, as a tensor: where the maxima are doesn't change with small steps."""
    index = max_indices(input, window_positions(at))
    return _place(maths, g, index, tuple(input._array.shape), len(at.size))


def _flat(shape: tuple[int, ...], n: int) -> tuple[int, ...]:
    lead = len(shape) - n
    return (*shape[:lead], math.prod(shape[lead:]))


def _pick(m: Any, input: Any, index: Any, n: int) -> Any:
    """The elements at ``index``, which counts through the last ``n`` dimensions."""
    flat = m.reshape(input, _flat(tuple(input.shape), n))
    places = m.reshape(index, _flat(tuple(index.shape), n))
    return m.reshape(m.gather(flat, flat.ndim - 1, places), tuple(index.shape))


def _place(m: Any, g: Any, index: Any, shape: tuple[int, ...], n: int) -> Any:
    """Zeros of ``shape`` with ``g`` added at ``index``: the transpose of :func:`_pick`."""
    places, values = (m.reshape(x, _flat(tuple(x.shape), n)) for x in (index, g))
    zeros = m.new_zeros(g, _flat(shape, n))
    return m.reshape(m.scatter_add(zeros, len(shape) - n, places, values), shape)


def _maximum(name: str, node: str) -> Op:
    """The record of maxima whose places are known."""
    return Op(
        name,
        lambda m, input, index, n: _pick(m, input, index, n),
        tensors=2,
        node=node,
        input=lambda m, g, index, shape, n: _place(m, g, index, tuple(shape), n),
        formula=r"\text{the gradient of a maximum goes to where it is}",
        layout=in_image_order,
    )


ADAPTIVE_MAX_POOL = {
    1: _maximum("adaptive_max_pool1d", "AdaptiveMaxPool1DBackward0"),
    2: _maximum("adaptive_max_pool2d", "AdaptiveMaxPool2DBackward0"),
    3: _maximum("adaptive_max_pool3d", "AdaptiveMaxPool3DBackward0"),
}
FRACTIONAL_MAX_POOL = {
    2: _maximum("fractional_max_pool2d", "FractionalMaxPool2DBackward0"),
    3: _maximum("fractional_max_pool3d", "FractionalMaxPool3DBackward0"),
}


def max_indices(input: Any, positions: Sequence[Any]) -> Any:
    """Where the maxima are: int64, without a gradient."""
    m = input._backend
    return wrap(m.max_pool_indices(input._array, positions), m, input._result_class)


def max_pool(
    n: int, input: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, indices: bool
) -> Any:
    """The maximum over windows of the last ``n`` dimensions; with ``indices``, also where it is."""
    function = f"max_pool{n}d"
    require_tensor(function, "input", input)
    at = pool_windows(function, n, input, kernel, stride, padding, dilation, ceil_mode)
    # In one dimension PyTorch has a kernel for floating numbers alone; with indices it borrows that of two.
    refuse_dtype(function, input._dtype(), FLOATS_ONLY if n == 1 and not indices else NO_BOOLS)
    out = apply(MAX_POOL[n], (input,), (at,))
    return (out, max_indices(input, window_positions(at))) if indices else out


def adaptive_max_pool(n: int, input: Any, output_size: Any, indices: bool) -> Any:
    """Maxima over windows that are fitted to the output's size."""
    sizes = adaptive_sizes(f"adaptive_max_pool{n}d", n, input, output_size)
    shape = tuple(input._array.shape[input._array.ndim - n :])
    positions = []
    for size, out in zip(shape, sizes, strict=True):
        start, end = adaptive_windows(size, out)
        taps = start + np.arange(int((end - start).max()) if out else 1)[:, None]
        positions.append(np.where(taps < end, taps, start))
    places = max_indices(input, positions)
    out = apply(ADAPTIVE_MAX_POOL[n], (input, places), (n,))
    return (out, places) if indices else out


def fractional_max_pool(n: int, input: Any, kernel: Any, sizes: tuple[int, ...], samples: Any, indices: bool) -> Any:
    """Maxima over windows whose places are drawn at random (Graham 2014), for each plane anew.

    Args:
        n: over how many dimensions.
        input: ``(batch, channels, *size)``, or without the batch.
        kernel: the size of a window.
        sizes: how many windows.
        samples: numbers in [0, 1), ``(batch, channels, n)``: where each plane's windows are.
        indices: whether to return where the maxima are, too.
    """
    function = f"fractional_max_pool{n}d"
    require_tensor(function, "input", input)
    refuse_scalar(function, "input", input)
    check_plane(function, n, input)
    kernel = sizes_of(function, "kernel_size", kernel, n)
    alone = input._array.ndim == n + 1
    batch = reshape(input, (1, *input._array.shape)) if alone else input
    shape = tuple(batch._array.shape)
    for size, k, out in zip(shape[2:], kernel, sizes, strict=True):
        if out + k - 1 > size:
            raise RuntimeError(
                f"{function}: kernel size {list(kernel)} and output size {list(sizes)} too large relative to input "
                f"size {list(shape[2:])}"
            )
    given = tuple(samples._array.shape)  # those of further planes are left over
    fits = len(given) == 3 and given[0] >= shape[0] and given[1:] == (shape[1], n)
    if not fits or samples._array.dtype != batch._array.dtype:
        raise RuntimeError(
            f"{function}: expected _random_samples of shape {[*shape[:2], n]} and dtype {batch._dtype()!r}, got "
            f"{list(samples._array.shape)} and {samples._dtype()!r}"
        )
    m = batch._backend
    drawn = m.to_host(samples._array)[: shape[0]]
    order = (1, 0) if n == 2 else (0, 1, 2)  # which of a plane's numbers is for which dimension
    starts = [
        m.from_host(_window_starts(drawn[..., j], size, out, k))
        for j, size, out, k in zip(order, shape[2:], sizes, kernel, strict=True)
    ]
    places = wrap(m.max_pool_indices_at(batch._array, starts, kernel), m, input._result_class)
    out = apply(FRACTIONAL_MAX_POOL[n], (batch, places), (n,))
    if alone:
        out, places = reshape(out, tuple(out._array.shape[1:])), reshape(places, tuple(places._array.shape[1:]))
    return (out, places) if indices else out


def _window_starts(sample: Any, size: int, out: int, kernel: int) -> Any:
    """Where the windows of each plane begin, ``(batch, channels, out)``: steps of two lengths in a random order."""
    starts = np.zeros((*sample.shape, out), np.int64)
    if out > 1:
        alpha = sample.dtype.type(size - kernel) / sample.dtype.type(out - 1)
        i = np.arange(out - 1).astype(sample.dtype)
        starts[..., :-1] = ((i + sample[..., None]) * alpha).astype(np.int64) - (sample * alpha).astype(np.int64)[
            ..., None
        ]
    if out > 0:
        starts[..., -1] = size - kernel
    return starts


# -- the way back from maxima ---


def _unpool(name: str, node: str) -> Op:
    return Op(
        name,
        lambda m, input, index, size: _write(m, input, index, size),
        tensors=2,
        node=node,
        input=lambda m, g, index, size: _pick(m, g, index, len(size)),
        formula=r"\text{each element gets the gradient from where it was written}",
        layout=in_image_order,
    )


def _write(m: Any, input: Any, index: Any, size: tuple[int, ...]) -> Any:
    n = len(size)
    places, values = (m.reshape(x, _flat(tuple(x.shape), n)) for x in (index, input))
    lead = tuple(values.shape[:-1])
    return m.reshape(m.scatter(m.new_zeros(input, (*lead, math.prod(size))), len(lead), places, values), (*lead, *size))


MAX_UNPOOL = {
    1: _unpool("max_unpool1d", "MaxUnpool1DBackward0"),
    2: _unpool("max_unpool2d", "MaxUnpool2DBackward0"),
    3: _unpool("max_unpool3d", "MaxUnpool3DBackward0"),
}


def max_unpool(n: int, input: Any, indices: Any, kernel: Any, stride: Any, padding: Any, output_size: Any) -> Any:
    """Zeros with the elements of ``input`` at ``indices``: where max pooling took them from."""
    function = f"max_unpool{n}d"
    require_tensor(function, "input", input)
    require_tensor(function, "indices", indices)
    shape = tuple(input._array.shape)
    refuse_scalar(function, "input", input)
    if len(shape) not in (n + 1, n + 2):
        raise RuntimeError(f"{function}: Input must be {n + 1}d or {n + 2}d tensor, but got shape {list(shape)}")
    kernel = sizes_of(function, "kernel_size", kernel, n)
    if stride is None or (isinstance(stride, (tuple, list)) and not stride):
        stride = kernel
    steps, around = sizes_of(function, "stride", stride, n), sizes_of(function, "padding", padding, n)
    own = shape[len(shape) - n :]
    default = tuple((o - 1) * s + k - 2 * p for o, s, k, p in zip(own, steps, kernel, around, strict=True))
    size = default
    if output_size is not None:
        size = tuple(int(v) for v in output_size)
        if len(size) == n + 2:
            size = size[2:]
        if len(size) != n:
            raise ValueError(
                f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of "
                f"'{len(size)}'"
            )
        for d, (wanted, usual, step) in enumerate(zip(size, default, steps, strict=True)):
            if not usual - step < wanted < usual + step:
                raise ValueError(
                    f'invalid output_size "{list(size)}" (dim {d} must be between {usual - step} and {usual + step})'
                )
    if indices._array.dtype != np.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {indices._dtype()!r}")
    if tuple(indices._array.shape) != shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(shape)}) but got indices tensor "
            f"with shape: {list(indices._array.shape)}"
        )
    places = indices._array
    count = math.prod(size)
    # On a device they are not looked at, since that would wait for it.
    if indices._backend.device.type == "cpu" and places.size and (places.min() < 0 or places.max() >= count):
        bad = int(places.min()) if places.min() < 0 else int(places.max())
        raise RuntimeError(
            f"Found an invalid max index: {bad} (output volumes are of size {' x '.join(map(str, size))})"
        )
    refuse_dtype(function, input._dtype(), FLOATS_ONLY)
    return apply(MAX_UNPOOL[n], (input, indices), (size,))
