"""Keeping gradients from becoming too large."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from types import GeneratorType
from typing import Any

from ...autograd import no_grad
from ...autograd.outside import arrays_of, note_changes
from ...autograd.variable import wrap
from ...backends.quiet import SILENT, hush, unhush
from ...ops.creation import tensor
from ...ops.joining import stack
from ...tensor import Tensor

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]

Tensors = Tensor | Iterable[Tensor]

# Elements up to which a gradient is laid together with others.
_SMALL = 1 << 14


def _as_list(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _norm(values: Tensor, norm_type: float) -> Tensor:
    """The p-norm of all elements; p = inf is the largest absolute value, p = 0 counts those that are not zero."""
    if norm_type == 2.0:
        return (values * values).sum().sqrt()
    magnitude = values.abs()
    if norm_type == math.inf:
        return magnitude.max()  # type: ignore[no-any-return]
    if norm_type == -math.inf:
        return magnitude.min()  # type: ignore[no-any-return]
    if norm_type == 0.0:
        return (magnitude != 0).sum().to(values.dtype)  # type: ignore[no-any-return]
    return (magnitude**norm_type).sum() ** (1.0 / norm_type)


def _norm_of_arrays(m: Any, arrays: list[Any], norm_type: float) -> Any:
    """The 2-norm or the largest magnitude of all arrays; small ones are laid together first, which saves calls."""
    small = [array for array in arrays if array.size <= _SMALL]
    vectors = [array for array in arrays if array.size > _SMALL]
    if small:
        vectors.append(m.joined(small))
    token = hush(SILENT)
    try:
        if norm_type == 2.0:
            return m.norm(m.joined([m.norm(v) for v in vectors]))
        return m.as_array(m.amax(m.joined([m.as_array(m.amax(m.abs(v))) for v in vectors])))
    finally:
        unhush(token)


@no_grad()
def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all tensors together, as if their elements stood in one vector.

    Args:
        tensors: one tensor or several.
        norm_type: p of the p-norm; ``math.inf`` for the largest absolute value.
        error_if_nonfinite: raise when the norm is infinite or NaN.
        foreach: accepted; there is one implementation.

    Returns:
        A 0-dimensional tensor on the device of the first.
    """
    norm_type = float(norm_type)
    listed = _as_list(tensors)
    if not listed:
        return tensor(0.0)  # type: ignore[no-any-return]
    arrays = arrays_of(listed)
    if arrays is not None and (norm_type == 2.0 or (norm_type == math.inf and all(a.size for a in arrays))):
        total: Tensor = wrap(_norm_of_arrays(listed[0]._backend, arrays, norm_type), listed[0]._backend)
    else:
        norms = [_norm(t, norm_type) for t in listed]
        total = _norm(stack([norm.to(norms[0].device) for norm in norms]), norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients of ``parameters`` by ``max_norm / total_norm`` where that makes them smaller."""
    grads = [grad for p in _as_list(parameters) if (grad := p.grad) is not None]
    arrays = arrays_of([total_norm, *grads])
    if arrays is None:
        # No branch on the value: it would wait for a GPU to finish.
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for grad in grads:
            grad.mul_(factor.to(grad.device))
        return
    m = total_norm._backend
    token = hush(SILENT)
    try:
        scale = m.as_array(m.minimum(float(max_norm) / (arrays[0] + 1e-6), 1.0))
        if m.device.type != "cpu" or scale != 1.0:
            for array in arrays[1:]:
                array *= scale
    finally:
        unhush(token)
    note_changes(grads)


@no_grad()
def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients of ``parameters`` in place, so that their norm taken together is at most ``max_norm``.

    Args:
        parameters: one tensor or several; those without gradient are passed over.
        max_norm: the largest norm allowed.
        norm_type: p of the p-norm; ``math.inf`` for the largest absolute value.
        error_if_nonfinite: raise when the norm is infinite or NaN.
        foreach: accepted; there is one implementation.

    Returns:
        The norm before clipping, a 0-dimensional tensor.
    """
    listed = _as_list(parameters)
    if isinstance(parameters, GeneratorType) and not listed:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3)
    grads = [grad for p in listed if (grad := p.grad) is not None]
    total = get_total_norm(grads, norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The older name of :func:`clip_grad_norm_`."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Bring every element of the gradients into [-clip_value, clip_value], in place."""
    limit = float(clip_value)
    grads = [grad for p in _as_list(parameters) if (grad := p.grad) is not None]
    arrays = arrays_of(grads)
    if arrays is None:
        for grad in grads:
            grad.clamp_(min=-limit, max=limit)
        return
    m = grads[0]._backend
    for array in arrays:
        array[...] = m.clamp(array, -limit, limit)
    note_changes(grads)
