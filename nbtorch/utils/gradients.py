"""Clearing gradients, as modules and optimisers both do."""

from __future__ import annotations

from collections.abc import Iterable

from ..tensor import Tensor

__all__ = ["clear_gradients"]


def clear_gradients(parameters: Iterable[Tensor], set_to_none: bool) -> None:
    """Forget the gradients of ``parameters``, or fill them with zeros, in place and cut off from any graph."""
    if set_to_none:
        for parameter in parameters:
            parameter.grad = None
        return
    for parameter in parameters:
        grad = parameter.grad
        if grad is not None:
            if grad.grad_fn is None:
                grad.requires_grad_(False)
            else:
                grad.detach_()
            grad.zero_()
