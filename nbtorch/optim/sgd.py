"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..autograd import enable_grad
from ..tensor import Tensor
from .optimizer import Optimizer, recording

__all__ = ["SGD", "sgd"]


class SGD(Optimizer):
    """Steps against the gradient, if wanted with momentum (Sutskever et al. 2013), as PyTorch defines it.

    With gradient ``g`` (negated if ``maximize``) and parameter ``p``, one step is::

        g = g + weight_decay * p
        buffer = momentum * buffer + (1 - dampening) * g        # at the first step: buffer = g
        g = g + momentum * buffer if nesterov else buffer
        p = p - lr * g

    where the two lines in the middle are left out without momentum.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size, a number or a 1-element tensor; not negative.
        momentum: how much of the last steps goes on; not negative.
        dampening: how much less of the gradient goes into the buffer.
        weight_decay: the factor of the L2 penalty; not negative.
        nesterov: look ahead along the momentum; needs momentum and no dampening.
        maximize: step along the gradient instead of against it.
        foreach: accepted; there is one implementation.
        differentiable: record the step itself, to differentiate through it.
        fused: accepted; there is one implementation.

    Raises:
        ValueError: if an option is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError(f"Tensor lr must be 1-element, got shape {tuple(lr.shape)}")
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        if fused and differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # groups saved by older versions may lack the newer options
            for name, default in _NEWER_OPTIONS:
                group.setdefault(name, default)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient once; see the class for the formula.

        Args:
            closure: computes the loss and its gradients anew.

        Returns:
            What the closure returned, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with recording(self.defaults["differentiable"]):
            for group in self.param_groups:
                momentum = group["momentum"]
                params = [p for p in group["params"] if p.grad is not None]
                grads = [p.grad for p in params]
                buffers = [self.state[p].get("momentum_buffer") for p in params] if momentum != 0 else []
                sgd(
                    params,
                    grads,
                    buffers,
                    weight_decay=group["weight_decay"],
                    momentum=momentum,
                    lr=group["lr"],
                    dampening=group["dampening"],
                    nesterov=group["nesterov"],
                    maximize=group["maximize"],
                )
                for p, buffer in zip(params, buffers, strict=False):
                    self.state[p]["momentum_buffer"] = buffer
        return loss


_NEWER_OPTIONS = (
    ("nesterov", False),
    ("maximize", False),
    ("foreach", None),
    ("differentiable", False),
    ("fused", False),
)


def sgd(
    params: list[Tensor],
    d_p_list: list[Tensor],
    momentum_buffer_list: list[Tensor | None],
    has_sparse_grad: bool = False,
    foreach: bool | None = None,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    *,
    weight_decay: float | Tensor,
    momentum: float,
    lr: float | Tensor,
    dampening: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """One step on ``params``, in place, with the gradients ``d_p_list``; see :class:`SGD`.

    ``momentum_buffer_list`` is empty without momentum; else it holds a buffer or None for each parameter, and the
    buffers after the step are put into it. The arguments up to ``found_inf`` are accepted for PyTorch's sake.
    """
    if isinstance(lr, Tensor) and not lr.requires_grad:
        lr = lr.item()
    for i, (param, grad) in enumerate(zip(params, d_p_list, strict=True)):
        if maximize:
            grad = -grad
        if isinstance(weight_decay, Tensor):
            grad = grad + param * weight_decay
        elif weight_decay != 0:
            grad = grad.add(param, alpha=weight_decay)
        if momentum != 0:
            buffer = momentum_buffer_list[i]
            if buffer is None:
                buffer = momentum_buffer_list[i] = grad.detach().clone()
            else:
                buffer.mul_(momentum).add_(grad, alpha=1 - dampening)
            grad = grad.add(buffer, alpha=momentum) if nesterov else buffer
        if isinstance(lr, Tensor):
            param.sub_(grad * lr)
        else:
            param.add_(grad, alpha=-lr)
