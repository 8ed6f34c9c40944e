"""Clearing gradients, as modules and optimisers both do."""

from __future__ import annotations

from collections.abc import Iterable

from ..autograd.outside import note_changes
from ..tensor import Tensor

__all__ = ["clear_gradients"]


def clear_gradients(parameters: Iterable[Tensor], set_to_none: bool) -> None:
    """Forget the gradients of ``parameters``, or fill them with zeros, in place and cut off from any graph."""
    if set_to_none:
        for parameter in parameters:
            parameter.grad = None
        return
    filled = []
    for parameter in parameters:
        grad = parameter.grad
        if grad is None:
            continue
        array = grad._array
        if grad._grad_fn is None and grad._view is None and getattr(array.flags, "writeable", True):
            grad._requires_grad = False
            array[...] = 0
            filled.append(grad)
            continue
        if grad.grad_fn is None:
            grad.requires_grad_(False)
        else:
            grad.detach_()
        grad.zero_()
    note_changes(filled)
