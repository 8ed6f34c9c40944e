"""Adam and its relatives: steps scaled by running means of the gradient and of its square."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ..ops import tensor
from ..tensor import Tensor, zeros_like
from .optimizer import ParamGroup
from .rules import RuleOptimizer, check_betas, check_not_negative

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


def _average(mean: Any, value: Any, beta: float) -> Any:
    """``beta * mean + (1 - beta) * value``, in place."""
    mean *= beta
    mean += value * (1 - beta)
    return mean


class _Moments(RuleOptimizer):
    """An optimiser that keeps the running means ``exp_avg`` of g and ``exp_avg_sq`` of g²."""

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}


class Adam(_Moments):
    """Kingma & Ba, Adam: A Method for Stochastic Optimization, 2015; AMSGrad by Reddi et al. 2018.

    With gradient ``g``, one step is::

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g²            # amsgrad: then the largest v so far
        p = p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size, a number or a 1-element tensor; not negative.
        betas: how much of the running means goes on, each in [0, 1).
        eps: keeps the denominator from 0; not negative.
        weight_decay: the factor of the L2 penalty, or of the decay itself where ``decoupled_weight_decay``.
        amsgrad: divide by the largest running mean so far.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        capturable: accepted; the count of steps stays on the host.
        differentiable: record the step itself, to differentiate through it.
        fused: accepted; there is one implementation.
        decoupled_weight_decay: shrink the parameter by ``lr * weight_decay`` instead of adding to its gradient.

    Raises:
        ValueError: if an option is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
            raise ValueError("betas must be either both floats or both Tensors")
        if isinstance(betas[0], Tensor) and foreach and not capturable:
            raise ValueError("betas[0] as a Tensor is not supported for capturable=False and foreach=True")
        check_not_negative(lr=lr, eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        if fused and differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        state = super().initial_state(p, group)
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_like(p)
        return state

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        beta1, beta2 = group["betas"]
        if isinstance(beta1, Tensor):
            beta1, beta2 = float(beta1), float(beta2)
        mean = _average(s["exp_avg"], g, beta1)
        square = _average(s["exp_avg_sq"], g * g, beta2)
        if group["amsgrad"]:
            s["max_exp_avg_sq"][...] = square = m.maximum(s["max_exp_avg_sq"], square)
        root = m.sqrt(square)
        root = root / math.sqrt(1 - beta2**step)
        root += group["eps"]
        p -= (mean / root) * (group["lr"] / (1 - beta1**step))


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter itself (Loshchilov & Hutter 2019); see :class:`Adam`."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad,
            foreach=foreach, maximize=maximize, capturable=capturable, differentiable=differentiable, fused=fused,
            decoupled_weight_decay=True,
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True


class Adamax(RuleOptimizer):
    """Adam with the infinity norm (Kingma & Ba 2015, section 7.1).

    One step is::

        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, |g| + eps)
        p = p - lr / (1 - beta1^t) * m / u

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size; not negative.
        betas: how much of the running mean and of the norm goes on, each in [0, 1).
        eps: keeps the denominator from 0; not negative.
        weight_decay: the factor of the L2 penalty; not negative.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        differentiable: record the step itself, to differentiate through it.
        capturable: accepted; the count of steps stays on the host.

    Raises:
        ValueError: if an option is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"exp_avg": zeros_like(p), "exp_inf": zeros_like(p)}

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        beta1, beta2 = group["betas"]
        mean = _average(s["exp_avg"], g, beta1)
        norm = s["exp_inf"]
        norm[...] = m.maximum(norm * beta2, m.abs(g) + group["eps"])
        p -= (mean / norm) * (group["lr"] / (1 - beta1**step))


class NAdam(_Moments):
    """Adam that looks ahead along its momentum (Dozat, Incorporating Nesterov Momentum into Adam, 2016).

    The momentum of step t is ``mu_t = beta1 * (1 - 0.5 * 0.96^(t * momentum_decay))``; one step is::

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g²
        look = mu_(t+1) * m / (1 - mu_1 ... mu_(t+1)) + (1 - mu_t) * g / (1 - mu_1 ... mu_t)
        p = p - lr * look / (sqrt(v / (1 - beta2^t)) + eps)

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size; not negative.
        betas: how much of the running means goes on, each in [0, 1).
        eps: keeps the denominator from 0; not negative.
        weight_decay: the factor of the L2 penalty, or of the decay itself where ``decoupled_weight_decay``.
        momentum_decay: how fast the momentum grows to ``beta1``; not negative.
        decoupled_weight_decay: shrink the parameter by ``lr * weight_decay`` instead of adding to its gradient.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        capturable: accepted; the count of steps stays on the host.
        differentiable: record the step itself, to differentiate through it.

    Raises:
        ValueError: if an option is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay, momentum_decay=momentum_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"mu_product": tensor(1.0), **super().initial_state(p, group)}

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        beta1, beta2 = group["betas"]
        now, following = (beta1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1))
        s["mu_product"] *= now
        product = float(s["mu_product"])
        mean = _average(s["exp_avg"], g, beta1)
        square = _average(s["exp_avg_sq"], g * g, beta2)
        root = m.sqrt(square / (1 - beta2**step)) + group["eps"]
        lr = group["lr"]
        p -= (g / root) * (lr * (1 - now) / (1 - product))
        p -= (mean / root) * (lr * following / (1 - product * following))


class RAdam(_Moments):
    """Adam that waits with scaling until the variance of its scale is known (Liu et al. 2020).

    With ``rho = 2 / (1 - beta2) - 1`` and ``rho_t = rho - 2 t beta2^t / (1 - beta2^t)``, one step is Adam's times the
    rectification ``sqrt((rho_t-4)(rho_t-2) rho / ((rho-4)(rho-2) rho_t))`` where ``rho_t > 5``, and plain momentum
    before that.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size; not negative.
        betas: how much of the running means goes on, each in [0, 1).
        eps: keeps the denominator from 0; not negative.
        weight_decay: the factor of the L2 penalty, or of the decay itself where ``decoupled_weight_decay``.
        decoupled_weight_decay: shrink the parameter by ``lr * weight_decay`` instead of adding to its gradient.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        capturable: accepted; the count of steps stays on the host.
        differentiable: record the step itself, to differentiate through it.

    Raises:
        ValueError: if an option is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        beta1, beta2 = group["betas"]
        mean = _average(s["exp_avg"], g, beta1)
        square = _average(s["exp_avg_sq"], g * g, beta2)
        change = mean * (group["lr"] / (1 - beta1**step))
        rho = 2 / (1 - beta2) - 1
        correction = 1 - beta2**step
        rho_t = rho - 2 * step * beta2**step / correction
        if rho_t > 5.0:
            rectified = math.sqrt((rho_t - 4) * (rho_t - 2) * rho / ((rho - 4) * (rho - 2) * rho_t))
            change = change / (m.sqrt(square) + group["eps"]) * (math.sqrt(correction) * rectified)
        p -= change
