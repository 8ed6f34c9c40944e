"""Writing into a tensor that is there already: in-place methods, ``out=`` arguments, and what they mean for the graph.

The new value's node takes the place of the tensor's old one. Where the tensor is a view, its base gets a node that
says "this region was overwritten" (PyTorch's ``CopySlices``), and other views of the base find their new history when
they are next looked at.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..autograd.modes import grad_mode, is_grad_enabled, no_grad
from ..autograd.variable import Variable, steps_to, why_not_rebased, wrap
from ..backends.dtypes import from_numpy_dtype
from ..backends.quiet import SILENT, hush, unhush
from .operands import beneath_names
from .record import Op, gradient_mask, make_node, mathematical, of_one_backend

F = TypeVar("F", bound=Callable[..., Any])


def check_writable(target: Any, one_value: bool = False) -> None:
    """Raises where a change in place would break the graph or has no meaning.

    Args:
        one_value: all elements get the same value, so that they may share a place.

    Raises:
        RuntimeError: for a leaf that requires grad (or a view of one) while recording, and for an expanded tensor.
    """
    if is_grad_enabled() and target.requires_grad:
        check_history(target)
    array = target._array
    strides = array.strides
    repeated = (
        0 in strides
        and not one_value
        and array.size
        and any(s == 0 and n > 1 for s, n in zip(strides, array.shape, strict=True))
    )
    # CuPy's arrays can't be read-only.
    if repeated or not getattr(array.flags, "writeable", True):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation.\n"
            "  why: it was made by expand() or broadcasting, or from a read-only NumPy array\n  fix: x = x.clone() "
            "first"
        )


def check_history(target: Any) -> None:
    """Raises where ``target`` can't get another history.

    Raises:
        RuntimeError: for a leaf that requires grad, a view of one, and a view whose history can't be made anew.
    """
    view = target._view
    if view is not None and view.kind:
        raise RuntimeError(why_not_rebased(target, "is being modified inplace"))
    if target._grad_fn is None and target._requires_grad:
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation.\n"
            "  why: its gradient would belong to a value that no longer exists\n"
            "  fix: update it inside `with torch.no_grad():`, or work on a copy, y = x.clone()"
        )
    if view is not None and view.base._grad_fn is None and view.base._requires_grad:
        raise RuntimeError(
            "a view of a leaf Variable that requires grad is being used in an in-place operation.\n"
            "  fix: update it inside `with torch.no_grad():`, or work on a copy, y = x.clone()"
        )


def overwrite(target: Any, op: Op, others: tuple[Any, ...], static: tuple[Any, ...], arrays: tuple[Any, ...]) -> Any:
    """Replaces the value of ``target`` by ``op(target, *others)`` in place, recorded where a gradient is wanted.

    Args:
        arrays: the inputs' arrays in the dtype to compute in, that of ``target`` first.
    """
    m = target._backend
    array = target._array
    if any(isinstance(t, Variable) and t._backend is not m for t in others):
        inputs = of_one_backend(op, (target, *others))
        check_same_batch(inputs[0], m)
        others = tuple(inputs[1:])
    inputs = (target, *others)
    token = hush(SILENT)
    try:
        out = m.as_array(op.forward(m, *arrays, *static))
        _check_fits(op.name + "_", out, array)
        mask = gradient_mask(inputs)
        node = None
        if mask:
            check_history(target)
            before = wrap(arrays[0], m)
            before._grad_fn, before._output_nr = target._grad_fn, target._output_nr
            if op.inputs[0] in op.plan(mask, len(inputs)).names:
                before._array = m.copy(arrays[0])
            saved = (before._array, *arrays[1:])
            node = make_node(op, mask, (before, *others), saved, out, static, None)
        array[...] = out
    finally:
        unhush(token)
    target._touch()
    if node is not None:
        rebase(target, node)
    return target


def become(target: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``target`` takes the elements of ``function(target, ...)``, and the history of that result.

    What makes an in-place method of any function; :func:`overwrite` is the shorter way for a single record.

    Raises:
        RuntimeError: where the result has another shape, or a dtype that the target can't hold.
    """
    check_writable(target)
    before = target
    if grad_mode.enabled and any(t.requires_grad for t in (target, *args, *kwargs.values()) if isinstance(t, Variable)):
        check_history(target)
        # The derivative may need the value that is about to be overwritten.
        before = wrap(target._backend.copy(target._array), target._backend, target._result_class)
        before._grad_fn, before._output_nr, before._requires_grad = (
            target._grad_fn, target._output_nr, target._requires_grad,
        )  # fmt: skip
    value = function(before, *args, **kwargs)
    if value is target:
        return target
    check_same_batch(value, target._backend)
    _check_fits(f"{function.__name__}_", value._array, target._array)
    if value.requires_grad and value._array.dtype != target._array.dtype:
        value = value.to(target._dtype())
    target._array[...] = value._array
    target._touch()
    if value._requires_grad:
        rebase(target, value._grad_fn, value._output_nr)
    return target


def check_same_batch(value: Any, backend: Any) -> None:
    """Raises where the examples of a batch, inside ``vmap``, are to be written to a tensor that they share.

    Raises:
        RuntimeError: in that case.
    """
    if getattr(value._backend, "level", 0) > getattr(backend, "level", 0):
        raise RuntimeError(
            "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in "
            "extra_args that has more elements than `self`. This happened due to `other` being vmapped over but `self` "
            "not being vmapped over.\n  fix: make self of the batch, for example with zeros_like(other) or new_zeros"
        )


def _check_fits(name: str, out: Any, array: Any) -> None:
    if out.shape != array.shape:
        raise RuntimeError(
            f"output with shape {list(array.shape)} doesn't match the broadcast shape {list(out.shape)}\n"
            f"  operation: {name}\n  fix: the out-of-place form gives the larger result"
        )
    if not can_hold(array.dtype, out.dtype):
        raise RuntimeError(
            f"result type {from_numpy_dtype(out.dtype)!r} can't be cast to the desired output type "
            f"{from_numpy_dtype(array.dtype)!r}\n  operation: {name}\n"
            "  fix: convert the tensor first, or use the out-of-place form"
        )


def can_hold(target: Any, value: Any) -> bool:
    """Whether elements of dtype ``value`` may be written to memory of dtype ``target`` (bool < integer < floating)."""
    return bool(target == value or from_numpy_dtype(value).category <= from_numpy_dtype(target).category)


@mathematical
def rebase(target: Any, node: Any, output_nr: int = 0) -> None:
    """Makes output ``output_nr`` of ``node`` the history of ``target``, and of the base that it is a view of."""
    view = target._view
    if not node.receives:
        if not node.tangents:
            return  # nothing is recorded now, and no tangent follows: the history stays
        node.level.carries(target)
    if view is None:
        target._grad_fn, target._output_nr, target._requires_grad = node, output_nr, True
        return
    base = view.base
    value = wrap(target._array, target._backend)
    value._grad_fn, value._output_nr, value._requires_grad = node, output_nr, True
    # The array is the base's own, changed already: what is recorded is the way of the gradient.
    mask = 2 | (1 if base._requires_grad else 0)
    inputs = (base, value)
    base._grad_fn = make_node(
        COPY_SLICES, mask, inputs, (base._array, value._array), base._array, (steps_to(target),), None
    )
    base._output_nr, base._requires_grad = 0, True
    if not base._grad_fn.receives:
        base._grad_fn.level.carries(base)


def _region(m: Any, g: Any, replay: Any) -> Any:
    for op, static in replay:
        g = op.run(g, static) if isinstance(g, Variable) else op.forward(m, g, *static)
    return g


def _outside(m: Any, g: Any, shape: Any, replay: Any) -> Any:
    """``g`` with zeros where the view wrote. Positions, not strides, say where: the gradient may lie otherwise."""
    backend = g._backend if isinstance(g, Variable) else m
    positions = backend.from_host(np.arange(int(np.prod(shape))).reshape(shape))
    written = backend.zeros((positions.size,), np.bool_)
    written[backend.contiguous(_region(backend, positions, replay)).reshape(-1)] = True
    written = written.reshape(shape)
    return m.masked_fill(g, wrap(written, backend) if isinstance(g, Variable) else written, 0)


COPY_SLICES = Op(
    "copy_slices",
    lambda m, input, value, replay: input,
    tensors=2,
    node="CopySlices",
    input=_outside,
    value=lambda m, g, replay: _region(m, g, replay),
    formula=r"\text{outside the region } g,\ \text{inside it the gradient goes to what was written}",
)


# -- out= ---


def serves_out(check: Callable[[str, Any, Any], None] | None = None) -> Callable[[F], F]:
    """Makes a decorator that serves the keyword ``out``: the result is written there.

    The decorated function itself never sees ``out``; it stands in its signature all the same, for its reader, the
    editor and the type checker.

    Args:
        check: ``check(function, out, value)`` refuses what PyTorch refuses beyond :func:`write_out`.
    """

    def decorate(function: F) -> F:
        plain = beneath_names(function)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not kwargs:
                return plain(*args)
            out = kwargs.pop("out", None)
            value = function(*args, **kwargs)
            if out is None:
                return value
            if check is not None:
                check(function.__name__, out, value)
            return write_out(function.__name__, out, value)

        return wrapper  # type: ignore[return-value]

    return decorate


takes_out = serves_out()


def write_out(function: str, out: Any, value: Any) -> Any:
    """Writes a result, or a tuple of them, into ``out`` and returns it; what has another shape is resized.

    Raises:
        RuntimeError: where a gradient is wanted, where ``out`` is of a dtype that can't hold the result, on another
            device, or has elements that share memory. Then nothing is written.
        TypeError: where ``out`` is not a tensor (or not as many tensors as there are results).
    """
    if not isinstance(value, tuple):
        _check_out(function, out, value)
        return _write(out, value)
    if not isinstance(out, (tuple, list)) or len(out) != len(value):
        raise TypeError(f"{function}(): argument 'out' must be a tuple of {len(value)} Tensors, got {_kinds(out)}")
    for o, v in zip(out, value, strict=True):
        _check_out(function, o, v)
    written = [_write(o, v) for o, v in zip(out, value, strict=True)]
    # A named tuple (values, indices) stays one.
    make = getattr(type(value), "_make", None)
    return tuple(written) if make is None else make(written)


def _check_out(function: str, out: Any, value: Any) -> None:
    if not isinstance(out, Variable):
        raise TypeError(f"{function}(): argument 'out' must be Tensor, not {_kinds(out)}")
    if grad_mode.enabled and (value.requires_grad or out.requires_grad):
        raise RuntimeError(
            f"{function}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad.\n  fix: use the result that the function returns, or wrap the call in "
            "`with torch.no_grad():`"
        )
    if out._backend is not value._backend:
        raise RuntimeError(
            f"Expected out tensor to have device {value._backend.device}, but got {out._backend.device} instead\n"
            f"  operation: {function}"
        )
    if not can_hold(out._array.dtype, value._array.dtype):
        raise RuntimeError(
            f"result type {value._dtype()!r} can't be cast to the desired output type {out._dtype()!r}\n"
            f"  operation: {function}, with out=\n  fix: give an out tensor of dtype {value._dtype()!r}"
        )
    if out._array.shape == value._array.shape:
        with no_grad():
            check_writable(out)


def _write(out: Any, value: Any) -> Any:
    if out._array.shape == value._array.shape:
        out._array[...] = value._array
        out._touch()
        return out
    if out._array.size:
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {list(out._array.shape)}, which does "
            f"not match the required output shape {list(value._array.shape)}. Give out= a tensor of that shape, or an "
            "empty one (out.resize_(0)).",
            stacklevel=5,
        )
    replace_memory(out, value._backend.copy(value._backend.astype(value._array, out._array.dtype)))
    return out


def replace_memory(target: Any, array: Any) -> None:
    """Gives ``target`` memory of its own, of any shape: what it shared with other tensors it shares no longer."""
    if target._storage is not None:
        target._touch()
    target._array, target._storage, target._view = array, None, None


def _kinds(x: Any) -> str:
    if isinstance(x, (tuple, list)):
        return f"{type(x).__name__} of ({', '.join(type(v).__name__ for v in x)})"
    return type(x).__name__
