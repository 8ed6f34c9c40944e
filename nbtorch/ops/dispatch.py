"""From operands to arrays and back: the short way that every elementwise operation takes."""

from __future__ import annotations

from typing import Any

from ..autograd.modes import grad_mode, intercepted, off
from ..autograd.variable import Variable, _new, sync_view, wrap
from ..backends.dtypes import BOOL, INTEGER, bool_, dtype, get_default_dtype, int64
from ..backends.layouts import like_operands
from ..backends.quiet import SILENT, hush, unhush
from .exact_out import write_exact_out
from .operands import (
    NUMBERS,
    broadcast_shapes,
    cast,
    float_of,
    operand,
    python_numbers,
    require_tensor,
    result_type,
)
from .record import Op, check_same_device, make_node, of_one_backend, result_class
from .writing import write_out

_REALS = (float, int)  # numbers that leave the dtype of a floating tensor as it is

# How an elementwise operation treats dtypes: takes all of them as they are; makes floats of integers and bools; makes
# bools of all; takes floating ones alone; all but bools; integers alone; floating ones and int64.
PROMOTE, FLOAT, BOOLEAN, FLOATS_ONLY, NO_BOOLS, INTEGERS_ONLY, FLOATS_OR_INT64 = 0, 1, 2, 3, 4, 5, 6
_EXPECTED = {
    FLOATS_ONLY: "a floating dtype",
    NO_BOOLS: "numbers, not bools",
    INTEGERS_ONLY: "an integer dtype",
    FLOATS_OR_INT64: "a floating dtype or torch.int64",
}


def unary(op: Op, input: Any, rule: int = FLOAT, static: tuple[Any, ...] = (), out: Any = None) -> Any:
    """An elementwise operation on one tensor; with FLOAT, integers and bools become the default floating dtype.

    The result is written into ``out`` where that is given: of any dtype that can hold it, or, where the dtype of the
    input is kept, of that alone, as in PyTorch.
    """
    if out is not None:
        write = write_out if rule == FLOAT else write_exact_out
        return write(op.name, out, unary(op, input, rule, static))
    if not isinstance(input, Variable):
        require_tensor(op.name, "input", input)
    m = input._backend
    a = input._array
    kind = a.dtype.kind
    if kind in "iub" and rule != PROMOTE:
        if rule == FLOAT:
            a = m.astype(a, get_default_dtype().numpy)
        else:
            refuse_dtype(op.name, input._dtype(), rule)
    if static:
        static = python_numbers(static)
    token = hush(SILENT)
    try:
        out = op.forward(m, a, *static) if static else op.forward(m, a)
    finally:
        unhush(token)
    if type(out) is not m.ndarray:
        out = m.as_array(out)
    if op.layout is not None and out.ndim > 1:
        out = op.layout(m, out, (a,))
    if kind == "V":
        out = _in_bfloat16(m, out, a.dtype)
    t: Any = _new(input._result_class)  # written out: what wrap does
    t._array = out
    t._backend = m
    t._grad = t._grad_fn = t._hooks = t._storage = t._view = None
    t._output_nr = 0
    t._requires_grad = False
    if (input._requires_grad or input._view is not None) and op.derivatives and (not off or grad_mode.enabled):
        if input._view is not None:
            sync_view(input)
        if input._requires_grad:
            record = make_node if intercepted else op.recorders.get(1)
            if record is None:
                record = op.recorder(1, 1)
            t._grad_fn = record(op, 1, (input,), (a,), out, static, t)
            t._requires_grad = True
    return t


def refuse_dtype(function: str, d: dtype, rule: int) -> None:
    """Raises where PyTorch has no kernel for dtype ``d``."""
    if (
        (rule == FLOATS_ONLY and not d.is_floating_point)
        or (rule == NO_BOOLS and d.category == BOOL)
        or (rule == INTEGERS_ONLY and d.category != INTEGER)
        or (rule == FLOATS_OR_INT64 and not (d.is_floating_point or d is int64))
    ):
        raise NotImplementedError(
            f'"{function}_cpu" not implemented for {d!r}\n  operation: {function}\n  expected: {_EXPECTED[rule]}\n'
            "  fix: convert first, for example with x.to(torch.float32)"
        )


def binary(op: Op, input: Any, other: Any, rule: int = PROMOTE, static: tuple[Any, ...] = (), out: Any = None) -> Any:
    """An elementwise operation on two operands, tensors or numbers, with broadcasting and promotion.

    The result is written into ``out`` where that is given.
    """
    if out is not None:
        return write_out(op.name, out, binary(op, input, other, rule, static))
    # This is the way of most operations of most programs, so it asks as little as it can.
    if type(input) is type(other) and isinstance(input, Variable):
        a, b, m = input._array, other._array, input._backend
        d = a.dtype
        fits = d is b.dtype and m is other._backend and (rule == PROMOTE or (d.kind == "f" and rule != INTEGERS_ONLY))
        tensors, cls = 3, input._result_class
    else:
        fits, a, b, m, tensors = _with_number(input, other)
        if fits:
            cls = (input if tensors == 1 else other)._result_class
    if not fits:
        input, other, a, b, m = _prepare(op, input, other, rule)
        tensors = isinstance(input, Variable) | isinstance(other, Variable) << 1
        cls = result_class((input, other))
    token = hush(SILENT)
    try:
        out = op.forward(m, a, b, *static) if static else op.forward(m, a, b)
    except (ValueError, OverflowError, TypeError) as error:
        raise _explain(op, input, other, error) from None
    finally:
        unhush(token)
    if type(out) is not m.ndarray:
        out = m.as_array(out)
    if out.ndim > 1 and type(a) is type(b) and out.strides != a.strides:
        out = like_operands(m, out, (a, b))
    if not fits:
        computed = (a if isinstance(input, Variable) else b).dtype
        if computed.kind == "V":
            out = _in_bfloat16(m, out, computed)
    t: Any = _new(cls)  # written out: what wrap does
    t._array = out
    t._backend = m
    t._grad = t._grad_fn = t._hooks = t._storage = t._view = None
    t._output_nr = 0
    t._requires_grad = False
    if op.derivatives and (not off or grad_mode.enabled):
        mask = 0
        if tensors & 1:
            if input._view is not None:
                sync_view(input)
            if input._requires_grad:
                mask = 1
        if tensors & 2:
            if other._view is not None:
                sync_view(other)
            if other._requires_grad:
                mask |= 2
        if mask:
            record = make_node if intercepted else op.recorders.get(mask)
            if record is None:
                record = op.recorder(mask, 2)
            t._grad_fn = record(op, mask, (input, other), (a, b), out, static, t)
            t._requires_grad = True
    return t


def _with_number(input: Any, other: Any) -> tuple[bool, Any, Any, Any, int]:
    """Whether these are a floating tensor and a number; both operands, the backend, 1 or 2 for the tensor."""
    if isinstance(input, Variable):
        if type(other) in _REALS and input._array.dtype.kind == "f":
            return True, input._array, other, input._backend, 1
    elif isinstance(other, Variable) and type(input) in _REALS and other._array.dtype.kind == "f":
        return True, input, other._array, other._backend, 2
    return False, None, None, None, 0


def _in_bfloat16(m: Any, out: Any, bfloat16: Any) -> Any:
    """``out``, which array modules give in float32 where bfloat16 met a Python number."""
    return m.astype(out, bfloat16) if out.dtype.kind == "f" else out


def _prepare(op: Op, input: Any, other: Any, rule: int) -> tuple[Any, Any, Any, Any, Any]:
    """Operands as tensors or numbers, and their arrays in the dtype to compute in."""
    first = input if isinstance(input, Variable) else other
    if not isinstance(first, Variable):
        require_tensor(op.name, "input", input)
    input = operand(input, first._backend, op.name, "input")
    other = operand(other, first._backend, op.name, "other")
    input, other = of_one_backend(op, _to_device_of_the_other(input, other))
    m = check_same_device(op, (input, other))
    d: dtype = bool_ if rule == BOOLEAN else result_type(input, other)
    if rule == FLOAT:
        d = float_of(d)
    elif rule > BOOLEAN:
        refuse_dtype(op.name, d, rule)
    return input, other, cast(input, d, m), cast(other, d, m), m


def _to_device_of_the_other(input: Any, other: Any) -> tuple[Any, Any]:
    """A 0-d tensor on the CPU may meet a tensor on a device: it counts as a number there, as in PyTorch."""
    if isinstance(input, Variable) and isinstance(other, Variable) and input._backend.device != other._backend.device:
        if other._array.ndim == 0 and other._backend.device.type == "cpu":
            return input, _moved(other, input._backend)
        if input._array.ndim == 0 and input._backend.device.type == "cpu":
            return _moved(input, other._backend), other
    return input, other


def _moved(number: Any, backend: Any) -> Any:
    """A 0-d tensor on another device; in the graph where a gradient or a tangent goes through it."""
    return number.to(backend.device) if number._requires_grad else wrap(backend.from_host(number._array), backend)


def _explain(op: Op, input: Any, other: Any, error: Exception) -> Exception:
    shapes = [tuple(x._array.shape) for x in (input, other) if isinstance(x, Variable)]
    try:
        broadcast_shapes(op.name, *shapes)
    except RuntimeError as explained:
        return explained
    if isinstance(error, OverflowError):
        number = next(x for x in (input, other) if isinstance(x, NUMBERS))
        tensor = input if isinstance(input, Variable) else other
        return RuntimeError(
            f"value cannot be converted to type {tensor._dtype()!r} without overflow: {number}\n  operation: {op.name}"
        )
    got = ", ".join(repr(x._dtype()) if isinstance(x, Variable) else type(x).__name__ for x in (input, other))
    return RuntimeError(f"{op.name} is not supported for {got}: {error}")
