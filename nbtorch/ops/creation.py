"""New tensors: from data, filled, or spaced."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..autograd.engine import maths
from ..autograd.variable import Variable, expose, wrap
from ..backends import Backend, get_backend, new_on
from ..backends.device import chosen as chosen_device
from ..backends.dtypes import dtype as DType
from ..backends.dtypes import from_numpy_dtype, get_default_dtype, int64, of_python, promote_types
from ..backends.layouts import inverse, memory_order, order_of, preserve_format
from .exact_out import takes_out_as_dtype
from .operands import number_dtype, require_tensor
from .shape import sizes

__all__ = [
    "arange", "as_tensor", "asarray", "empty", "empty_like", "eye", "from_numpy", "full",
    "full_like", "linspace", "logspace", "ones", "ones_like", "tensor", "zeros", "zeros_like",
]  # fmt: skip


def _finish(array: Any, backend: Backend, requires_grad: bool) -> Any:
    t = wrap(array, backend)
    return t.requires_grad_(True) if requires_grad else t


def as_numpy_dtype(d: DType | None, default: DType | None = None) -> Any:
    if d is None:
        return (get_default_dtype() if default is None else default).numpy
    d = of_python(d)
    if not isinstance(d, DType):
        raise TypeError(
            f"dtype must be a torch.dtype such as torch.float32, not {type(d).__name__}: {d!r}\n"
            "  fix: the dtype itself, without quotation marks: dtype=torch.float32"
        )
    return d.numpy


# -- from data ---


def _leaf(x: Any, seen: set[DType]) -> Any:
    """Tensors inside lists as numbers; everything else as it is. ``seen`` collects the dtypes that elements bring."""
    if type(x) is float:
        seen.add(get_default_dtype())
    elif type(x) is int:
        seen.add(int64)
    elif isinstance(x, Variable):
        if x._array.size != 1:
            raise ValueError(
                "only one element tensors can be converted to Python scalars\n"
                f"  got: a tensor of shape {tuple(x._array.shape)} inside a list\n  fix: torch.stack(tensors)"
            )
        seen.add(x._dtype())
        return x._array.item()
    elif isinstance(x, (np.generic, np.ndarray)):
        seen.add(from_numpy_dtype(x.dtype))
    return x


def _infer(data: Any, dtype: DType | None) -> np.ndarray[Any, Any]:
    """Nested lists as an array: Python floats in the default dtype, NumPy's numbers and tensors in their own.

    Raises:
        ValueError: where rows differ in length, and for integers that don't fit 64 bits.
        TypeError: for text.
        RuntimeError: for other things that aren't numbers.
    """
    seen: set[DType] = set()
    if isinstance(data, (list, tuple)):
        data = _unwrapped(data, seen)
    try:
        array = np.array(data)
    except ValueError:
        raise ValueError(
            f"expected sequence of length {_first_length(data)} at dim 1: the rows differ in length\n"
            f"  got: {_shorten(data)}\n  expected: nested lists of equal lengths, like [[1, 2], [3, 4]]"
        ) from None
    except OverflowError as error:
        raise ValueError(f"Overflow when unpacking long long: {error}") from None
    kind = array.dtype.kind
    if kind in "OUSV":
        if kind == "O" and _has_big_int(data):
            raise ValueError("Overflow when unpacking long long\n  expected: integers that fit in 64 bits")
        kind_of_element = _element_type(data)
        text = kind_of_element in ("str", "bytes", "str_", "bytes_")
        refusal: type[Exception] = RuntimeError
        said = f"Could not infer dtype of {kind_of_element}"
        if text:
            refusal = ValueError if isinstance(data, list) else TypeError
            said = (
                f"too many dimensions '{kind_of_element}'"
                if isinstance(data, list)
                else (f"new(): invalid data type '{kind_of_element}'")
            )
        raise refusal(f"{said}\n  got: {_shorten(data)}\n  expected: numbers, bools, or nested lists of them")
    if kind == "c":
        raise TypeError("complex numbers are not supported: keep real and imaginary parts in two tensors")
    if kind in "iu" and dtype is None and seen:
        return array.astype(functools.reduce(promote_types, seen).numpy)
    if kind == "f" and dtype is None:
        floats = [d for d in seen if d.is_floating_point]
        return array.astype(functools.reduce(promote_types, floats).numpy if floats else get_default_dtype().numpy)
    return array


def _unwrapped(data: Any, seen: set[DType]) -> Any:
    return [_unwrapped(x, seen) if isinstance(x, (list, tuple)) else _leaf(x, seen) for x in data]


def _first_length(data: Any) -> int:
    first = data[0]
    return len(first) if isinstance(first, (list, tuple)) else 0


def _has_big_int(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(_has_big_int(x) for x in data)
    return isinstance(data, int) and not -(2**63) <= data < 2**63


def _element_type(data: Any) -> str:
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return type(data).__name__


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def tensor(
    data: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Any:
    """A new leaf tensor with a copy of ``data``.

    Args:
        data: a number, nested lists of numbers, a NumPy array or scalar, or a tensor (copied without its history).
        dtype: inferred unless given: Python floats become the default dtype, ints int64, bools bool; NumPy arrays keep
            their own.

    Raises:
        ValueError: for lists whose rows differ in length.
        TypeError: for elements that aren't numbers.
        RuntimeError: for ``requires_grad`` with a dtype that isn't floating.
    """
    if isinstance(data, Variable):
        backend = data._backend if device is None and chosen_device.device is None else new_on(device)
        host = data._backend.to_host(data._array)
    else:
        backend = new_on(device)
        host = np.asarray(data) if isinstance(data, (np.ndarray, np.generic)) else _infer(data, dtype)
        if not host.size and not isinstance(data, (np.ndarray, np.generic)) and dtype is None:
            host = host.astype(get_default_dtype().numpy)
    wanted = from_numpy_dtype(host.dtype).numpy if dtype is None else as_numpy_dtype(dtype)
    _check_range(host, wanted)
    return _finish(backend.from_host(np.array(host, dtype=wanted)), backend, requires_grad)


def _check_range(host: Any, wanted: Any) -> None:
    if wanted.kind in "iu" and host.dtype.kind in "iu" and wanted.itemsize < host.dtype.itemsize and np.size(host):
        limits = np.iinfo(wanted)
        low, high = int(np.min(host)), int(np.max(host))
        if low < limits.min or high > limits.max:
            raise RuntimeError(
                f"value cannot be converted to type {from_numpy_dtype(wanted)!r} without overflow: "
                f"{high if high > limits.max else low}\n  expected: {limits.min} to {limits.max}"
            )


def as_tensor(data: Any, dtype: DType | None = None, device: Any = None) -> Any:
    """``data`` as a tensor, sharing memory where that is possible (tensors, NumPy arrays on the CPU)."""
    if isinstance(data, Variable):
        return data.to(device=chosen_device.device if device is None else device, dtype=dtype)  # type: ignore[attr-defined]
    if hasattr(data, "_tensor"):  # a storage
        return data._tensor(get_default_dtype() if dtype is None else dtype)
    if isinstance(data, np.ndarray):
        backend = new_on(device)
        if backend.device.type == "cpu" and (dtype is None or as_numpy_dtype(dtype) == data.dtype):
            return from_numpy(data)
    return tensor(data, dtype=dtype, device=device)


def asarray(
    obj: Any, *, dtype: DType | None = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Any:
    """``obj`` as a tensor, as :func:`as_tensor`, in the graph only where ``requires_grad`` asks for it.

    Args:
        copy: True for memory of its own in any case, False to insist on shared memory, None for what is cheaper.

    Raises:
        ValueError: where the memory can't be shared and ``copy`` is False.
    """
    out = as_tensor(obj, dtype, device)
    if isinstance(obj, Variable) and not requires_grad:
        out = out.detach()
    shares = isinstance(obj, (Variable, np.ndarray)) and out.data_ptr() == (
        obj.data_ptr() if isinstance(obj, Variable) else obj.ctypes.data  # type: ignore[attr-defined]
    )
    if copy is False and not shares:
        raise ValueError(
            f"can't alias {type(obj).__name__} as a tensor without a copy\n  fix: copy=None, or its own dtype"
        )
    if copy and shares:
        out = out.clone()
    return out.requires_grad_(True) if requires_grad else out


def from_numpy(ndarray: np.ndarray[Any, Any]) -> Any:
    """A tensor on the CPU over the memory of a NumPy array: writing to one is seen in the other.

    A write into the array after the graph has saved it is noticed, and backward raises.

    Raises:
        TypeError: for anything but an array, and for dtypes that have no tensor.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})\n  fix: torch.tensor(data)")
    from_numpy_dtype(ndarray.dtype)
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array  with "
            "array.copy().) "
        )
    t = wrap(ndarray[...] if type(ndarray) is np.ndarray else np.asarray(ndarray), get_backend(None))
    expose(t, t._array, lasting=True)
    return t


# -- filled ---


def shape_of(size: tuple[Any, ...], by_keyword: Any, function: str) -> tuple[int, ...]:
    """The sizes of a new tensor, given one by one, as a sequence, or by keyword.

    Raises:
        RuntimeError: for a negative size.
    """
    shape = sizes(size if by_keyword is None else (by_keyword,), function)
    for n in shape:
        if n < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {n}: {list(shape)}\n  operation: {function}"
            )
    return shape


@takes_out_as_dtype
def zeros(
    *args: Any,
    size: Any = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
    out: Any = None,
) -> Any:
    """Zeros of shape ``size`` (ints or one sequence), in the default dtype unless given."""
    backend = new_on(device)
    return _finish(backend.zeros(shape_of(args, size, "zeros"), as_numpy_dtype(dtype)), backend, requires_grad)


@takes_out_as_dtype
def ones(
    *args: Any,
    size: Any = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
    out: Any = None,
) -> Any:
    """Ones of shape ``size`` (ints or one sequence), in the default dtype unless given."""
    backend = new_on(device)
    return _finish(backend.ones(shape_of(args, size, "ones"), as_numpy_dtype(dtype)), backend, requires_grad)


@takes_out_as_dtype
def empty(
    *args: Any,
    size: Any = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
    memory_format: Any = None,
    out: Any = None,
) -> Any:
    """A tensor of shape ``size`` with whatever its memory holds."""
    backend = new_on(device)
    shape = shape_of(args, size, "empty")
    order = range(len(shape)) if memory_format is None else order_of(memory_format, len(shape))
    made = backend.empty(tuple([shape[k] for k in order]), as_numpy_dtype(dtype))
    return _finish(backend.permute(made, inverse(order)), backend, requires_grad)


@takes_out_as_dtype
def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    out: Any = None,
    pin_memory: bool = False,
) -> Any:
    """A tensor of shape ``size`` filled with a number; its dtype follows the number unless given."""
    backend = new_on(device)
    value = fill_value.item() if hasattr(fill_value, "item") else fill_value
    if not isinstance(value, (bool, int, float)):
        raise TypeError(
            f"full(): argument 'fill_value' must be Number, not {type(fill_value).__name__}\n  got: {fill_value!r}"
        )
    d = number_dtype(value) if dtype is None else dtype
    shape = shape_of((size,) if isinstance(size, (tuple, list)) else ((size,),), None, "full")
    wanted = as_numpy_dtype(d)
    return _finish(backend.full(shape, number_for(value, wanted), wanted), backend, requires_grad)


def number_for(value: Any, d: Any) -> Any:
    """A number as memory of the NumPy dtype ``d`` takes it: cut off for integers, wrapped below 0 for unsigned ones.

    Raises:
        RuntimeError: where it doesn't fit.
    """
    if d.kind == "b":
        return bool(value)
    if d.kind not in "iu":
        return value
    number, limits = int(value), np.iinfo(d)
    if d.kind == "u" and -limits.max <= number < 0:
        return number % (limits.max + 1)
    if not limits.min <= number <= limits.max:
        raise RuntimeError(
            f"value cannot be converted to type {from_numpy_dtype(d)!r} without overflow: {value}\n"
            f"  expected: {limits.min} to {limits.max}"
        )
    return number


def _like(
    make: Any, input: Any, dtype: DType | None, device: Any, function: str, format: Any, requires_grad: bool
) -> Any:
    """A tensor like ``input``; its dimensions lie in memory in the order of ``input``, unless ``format`` says another.

    Args:
        make: ``make(backend, shape, dtype)``, the array.
    """
    require_tensor(function, "input", input)
    array = input._array
    backend = input._backend if device is None else get_backend(device)
    d = array.dtype if dtype is None else as_numpy_dtype(dtype)
    shape = tuple(array.shape)
    if format is None or format is preserve_format:
        if array.flags.c_contiguous:
            return _finish(make(backend, shape, d), backend, requires_grad)
        order = tuple(memory_order(shape, array.strides))
    else:
        order = order_of(format, len(shape))
    made = make(backend, tuple([shape[k] for k in order]), d)
    return _finish(backend.permute(made, inverse(order)), backend, requires_grad)


def zeros_like(
    input: Any,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
) -> Any:
    """Zeros of the shape, dtype and device of ``input``."""
    return _like(
        lambda m, shape, d: m.zeros(shape, d), input, dtype, device, "zeros_like", memory_format, requires_grad
    )


def ones_like(
    input: Any,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
) -> Any:
    """Ones of the shape, dtype and device of ``input``."""
    return _like(lambda m, shape, d: m.ones(shape, d), input, dtype, device, "ones_like", memory_format, requires_grad)


def empty_like(
    input: Any,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
) -> Any:
    """A tensor of the shape, dtype and device of ``input`` with whatever its memory holds."""
    return _like(
        lambda m, shape, d: m.empty(shape, d), input, dtype, device, "empty_like", memory_format, requires_grad
    )


def full_like(
    input: Any,
    fill_value: Any,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
) -> Any:
    """A tensor of the shape, dtype and device of ``input``, filled with a number."""
    value = fill_value.item() if hasattr(fill_value, "item") else fill_value
    return _like(
        lambda m, shape, d: m.full(shape, number_for(value, d), d),
        input, dtype, device, "full_like", memory_format, requires_grad,
    )  # fmt: skip


@takes_out_as_dtype
def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
) -> Any:
    """The identity matrix, ``n`` rows and ``m`` (or ``n``) columns."""
    if n < 0 or (m is not None and m < 0):
        raise RuntimeError(f"n must be greater or equal to 0, got {n if n < 0 else m}")
    backend = new_on(device)
    return _finish(backend.from_host(np.eye(n, m, dtype=as_numpy_dtype(dtype))), backend, requires_grad)


# -- spaced ---


def _number(x: Any) -> Any:
    return x.item() if hasattr(x, "item") else x


@takes_out_as_dtype
def arange(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    out: Any = None,
    pin_memory: bool = False,
) -> Any:
    """Numbers from ``start`` up to but without ``end``, ``step`` apart; int64 where all three are ints.

    Raises:
        RuntimeError: for a step of 0, or one that leads away from ``end``.
    """
    if end is None:
        start, end = 0, start
    start, end, step = _number(start), _number(end), _number(step)
    if not all(map(math.isfinite, (start, end, step))):
        raise RuntimeError(f"unsupported range: {start} -> {end}\n  expected: finite bounds\n  got: step={step}")
    whole = (int(start), int(end), int(step))
    if dtype is None:
        dtype = int64 if whole == (start, end, step) and isinstance(start + end + step, int) else get_default_dtype()
    if step == 0 or (whole[2] == 0 and dtype is int64):
        raise RuntimeError(f"step must be nonzero\n  got: step={step}\n  fix: give the distance between two numbers")
    if (end - start) * step < 0:
        raise RuntimeError(
            "upper bound and lower bound inconsistent with step sign\n"
            f"  got: start={start}, end={end}, step={step}\n  fix: give a negative step to count down"
        )
    backend = new_on(device)
    # Counted first: NumPy's own rounding may give one element more than PyTorch, which cuts the bounds to whole numbers
    # before the count for int64, and after it for the smaller integers.
    dtype = of_python(dtype)
    if dtype is int64:
        start, end, step = whole
    n = max(math.ceil((end - start) / step), 0)
    if not dtype.is_floating_point:
        start, end, step = whole
    wide = np.float64 if dtype.is_floating_point else np.int64
    array = np.arange(n, dtype=wide)
    if step != 1:
        array = array * step
    if start != 0:
        array = start + array
    return _finish(backend.from_host(array.astype(as_numpy_dtype(dtype), copy=False)), backend, requires_grad)


@takes_out_as_dtype
def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
) -> Any:
    """``steps`` numbers from ``start`` to ``end``, both included, evenly spaced.

    Raises:
        RuntimeError: for a negative number of steps.
    """
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, got {steps}\n  expected: how many numbers to make")
    backend = new_on(device)
    start, end = _number(start), _number(end)
    dtype = of_python(dtype)
    if dtype is not None and not dtype.is_floating_point:
        start, end = int(start), int(end)
    array = np.linspace(start, end, steps)
    # The second half is counted from the end, as PyTorch does it: whole numbers are cut off the same way.
    if steps > 1:
        array[steps // 2 :] = end - np.arange(steps - steps // 2)[::-1] * ((end - start) / (steps - 1))
    return _finish(backend.from_host(array.astype(as_numpy_dtype(dtype))), backend, requires_grad)


@takes_out_as_dtype
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
) -> Any:
    """``base`` to the powers ``linspace(start, end, steps)``."""
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, got {steps}\n  expected: how many numbers to make")
    backend = new_on(device)
    start, end = _number(start), _number(end)
    dtype = of_python(dtype)
    if dtype is not None and not dtype.is_floating_point:
        start, end = int(start), int(end)
    array = np.power(base, np.linspace(start, end, steps)).astype(as_numpy_dtype(dtype))
    return _finish(backend.from_host(array), backend, requires_grad)


def _new_filled(name: str) -> Any:
    """What derivatives call for constants: zeros or ones beside a gradient."""

    def make(input: Any, shape: Any) -> Any:
        return wrap(getattr(input._backend, name)(tuple(shape), input._array.dtype), input._backend)

    return make


maths.new_zeros = _new_filled("zeros")
maths.new_ones = _new_filled("ones")


class CreationMethods(Variable):
    """``new_zeros`` and its kin: new tensors of this one's dtype and device."""

    __slots__ = ()

    def new_zeros(
        self,
        *size: Any,
        dtype: DType | None = None,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
    ) -> Any:
        """Zeros with this tensor's dtype and device unless given."""
        return zeros(*size, dtype=dtype or self._dtype(), device=device or self._backend, requires_grad=requires_grad)

    def new_ones(
        self,
        *size: Any,
        dtype: DType | None = None,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
    ) -> Any:
        """Ones with this tensor's dtype and device unless given."""
        return ones(*size, dtype=dtype or self._dtype(), device=device or self._backend, requires_grad=requires_grad)

    def new_empty(
        self,
        *size: Any,
        dtype: DType | None = None,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
    ) -> Any:
        """An uninitialised tensor with this one's dtype and device unless given."""
        return empty(*size, dtype=dtype or self._dtype(), device=device or self._backend, requires_grad=requires_grad)

    def new_full(
        self,
        size: Any,
        fill_value: Any,
        *,
        dtype: DType | None = None,
        device: Any = None,
        requires_grad: bool = False,
        layout: Any = None,
        pin_memory: bool = False,
    ) -> Any:
        """A filled tensor with this one's dtype and device unless given."""
        return full(
            size,
            fill_value,
            dtype=dtype or self._dtype(),
            device=device or self._backend,
            requires_grad=requires_grad,
        )

    def new_tensor(
        self,
        data: Any,
        *,
        dtype: DType | None = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> Any:
        """A copy of ``data`` with this tensor's dtype and device unless given."""
        return tensor(data, dtype=dtype or self._dtype(), device=device or self._backend, requires_grad=requires_grad)
