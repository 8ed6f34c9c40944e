"""Stochastic gradient descent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ..autograd.variable import where_called
from ..tensor import Tensor, zeros_like
from .arrays import BLOCK
from .optimizer import ParamGroup
from .recording import recording
from .rules import RuleOptimizer, options_of

__all__ = ["SGD", "sgd"]


class SGD(RuleOptimizer):
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

    entries, scalars, few = ("momentum_buffer",), (), 4

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

    def remembers(self, group: ParamGroup) -> bool:
        return bool(group["momentum"] != 0)

    def small(self, group: ParamGroup) -> int:
        return 1 << 12 if group["momentum"] != 0 or group["weight_decay"] != 0 else 1 << 10

    def block(self, group: ParamGroup) -> int:
        temporary = group["weight_decay"] != 0 or group["nesterov"] or group["maximize"]
        return BLOCK if temporary else 8 * BLOCK  # there is nothing to keep in the cache

    def begin(self, p: Tensor, group: ParamGroup) -> tuple[dict[str, Any], float]:
        """The state, with a place for the buffer; step 1 is the one that fills it, 2 any other."""
        if group["momentum"] == 0:
            return {}, 2.0
        state = self.state[p]
        if state.get("momentum_buffer") is not None:
            return state, 2.0
        with recording(False):
            state["momentum_buffer"] = zeros_like(p)
        return state, 1.0

    def factors(self, numbers: dict[str, float], step: float, group: ParamGroup) -> tuple[Any, ...]:
        return group["lr"], group["momentum"], 1 - group["dampening"], group["nesterov"], step == 1.0

    def rule(
        self, m: Any, p: Any, g: Any, s: dict[str, Any], lr: Any, momentum: float, new: float, ahead: bool, first: bool
    ) -> None:
        if momentum != 0:
            buffer = s["momentum_buffer"]
            if first:
                buffer[...] = g.detach() if isinstance(g, Tensor) else g
            else:
                m.axpby(new, g, momentum, buffer)
            g = m.add(g, m.mul(buffer, momentum)) if ahead else buffer
        m.axpby(-lr, g, 1, p)


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
    group: ParamGroup = {
        "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
        "maximize": maximize, "differentiable": differentiable,
    }  # fmt: skip
    options, plain = options_of(group)
    buffers: list[Tensor | None] = momentum_buffer_list if momentum != 0 else [None] * len(params)
    where = where_called()
    for i, (param, grad, buffer) in enumerate(zip(params, d_p_list, buffers, strict=True)):
        stepping = SGD.__new__(SGD)
        stepping.defaults, stepping.state = group, defaultdict(dict, {param: {"momentum_buffer": buffer}})
        stepping._change(param, grad, options, plain, where, {})
        if momentum != 0:
            momentum_buffer_list[i] = stepping.state[param]["momentum_buffer"]
