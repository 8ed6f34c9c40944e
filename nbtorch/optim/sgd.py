"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..autograd import enable_grad
from ..autograd.variable import Where, where_called, wrap
from ..tensor import Tensor
from .arrays import in_blocks, mark_changed, same_kind
from .optimizer import Optimizer
from .recording import recording

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
        for group in self.param_groups:
            momentum = group["momentum"]
            params: list[Tensor] = []
            grads: list[Tensor] = []
            buffers: list[Tensor | None] = []
            for p in group["params"]:
                grad = p.grad
                if grad is not None:
                    params.append(p)
                    grads.append(grad)
                    if momentum != 0:
                        buffers.append(self.state[p].get("momentum_buffer"))
            sgd(
                params,
                grads,
                buffers,
                differentiable=self.defaults["differentiable"],
                weight_decay=group["weight_decay"],
                momentum=momentum,
                lr=group["lr"],
                dampening=group["dampening"],
                nesterov=group["nesterov"],
                maximize=group["maximize"],
            )
            if momentum != 0:
                for p, buffer in zip(params, buffers, strict=True):
                    self.state[p]["momentum_buffer"] = buffer
        return loss


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
    differentiable: bool = False,
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
    on_arrays = not (differentiable or isinstance(lr, Tensor) or isinstance(weight_decay, Tensor))
    where = where_called() if on_arrays else None
    options: tuple[Any, ...] = (weight_decay, momentum, lr, dampening, nesterov, maximize)
    for i, param in enumerate(params):
        grad = d_p_list[i]
        buffer = momentum_buffer_list[i] if momentum != 0 else None
        if on_arrays and same_kind(param, grad, buffer):
            made = _step_on_arrays(param, grad, buffer, where, *options)
        else:
            with recording(differentiable):
                made = _step_on_tensors(param, grad, buffer, *options)
        if momentum != 0:
            momentum_buffer_list[i] = made


def _step_on_tensors(
    param: Tensor,
    grad: Tensor,
    buffer: Tensor | None,
    weight_decay: float | Tensor,
    momentum: float,
    lr: float | Tensor,
    dampening: float,
    nesterov: bool,
    maximize: bool,
) -> Tensor | None:
    """The step as it is defined; recorded, it can be differentiated through. Returns the new momentum buffer."""
    if maximize:
        grad = -grad
    if isinstance(weight_decay, Tensor) or weight_decay != 0:
        grad = grad + param * weight_decay
    if momentum != 0:
        if buffer is None:
            buffer = grad.detach().clone()
        else:
            buffer.mul_(momentum).add_(grad, alpha=1 - dampening)
        grad = grad.add(buffer, alpha=momentum) if nesterov else buffer
    param.sub_(grad * lr)
    return buffer


def _step_on_arrays(
    param: Tensor,
    grad: Tensor,
    buffer: Tensor | None,
    where: Where | None,
    weight_decay: float,
    momentum: float,
    lr: float,
    dampening: float,
    nesterov: bool,
    maximize: bool,
) -> Tensor | None:
    """The same on the arrays behind the tensors: for a small model this is most of the step's time."""
    m = param._backend
    arrays = [param._array, grad._array]
    first = buffer is None
    if momentum != 0:
        if buffer is None:
            buffer = wrap(m.as_array(m.copy(grad._array)), m)
        else:
            mark_changed(buffer, where)
        arrays.append(buffer._array)
    for p, g, *held in in_blocks(param, arrays):
        if maximize:
            g = m.neg(g)
        if weight_decay != 0:
            g = m.add(g, m.mul(p, weight_decay))
        for b in held:
            if first:
                b[...] = g
            else:
                m.mul(b, momentum, b)
                m.add(b, g if dampening == 0 else m.mul(g, 1 - dampening), b)
            g = m.add(g, m.mul(b, momentum)) if nesterov else b
        m.sub(p, m.mul(g, lr), p)
    mark_changed(param, where)
    return buffer
