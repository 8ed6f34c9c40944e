"""Optimisers that scale each element's step by its own history, from before Adam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import tensor
from ..tensor import Tensor, full_like, zeros_like
from .optimizer import ParamGroup, recording
from .rules import RuleOptimizer, check_not_negative

__all__ = ["ASGD", "Adadelta", "Adagrad", "RMSprop", "Rprop"]


class Adagrad(RuleOptimizer):
    """Duchi, Hazan & Singer, Adaptive Subgradient Methods, 2011: ``p -= lr_t * g / (sqrt(sum of g²) + eps)``.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size; not negative. At step t it is ``lr / (1 + (t - 1) * lr_decay)``.
        lr_decay: see ``lr``; not negative.
        weight_decay: the factor of the L2 penalty; not negative.
        initial_accumulator_value: where the sum of squares starts; not negative.
        eps: keeps the denominator from 0; not negative.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        differentiable: record the step itself, to differentiate through it.
        fused: accepted; there is one implementation.

    Raises:
        ValueError: if an option is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_not_negative(
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        if fused and differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)
        # The sums are there before the first step, as in PyTorch, so that they can be shared or loaded.
        with recording(False):
            for group in self.param_groups:
                for p in group["params"]:
                    self.state[p] = {"step": tensor(0.0), **self.initial_state(p, group)}

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"sum": full_like(p, group["initial_accumulator_value"])}

    def share_memory(self) -> None:
        """Accepted for PyTorch's sake: the sums are not shared between processes."""

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        total = s["sum"]
        total += g * g
        p -= (g / (m.sqrt(total) + group["eps"])) * (group["lr"] / (1 + (step - 1) * group["lr_decay"]))


class Adadelta(RuleOptimizer):
    """Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012.

    One step is::

        v = rho * v + (1 - rho) * g²
        change = sqrt(u + eps) / sqrt(v + eps) * g
        u = rho * u + (1 - rho) * change²
        p = p - lr * change

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the factor of the change; not negative.
        rho: how much of the running means goes on, in [0, 1].
        eps: keeps the roots from 0; not negative.
        weight_decay: the factor of the L2 penalty; not negative.
        foreach: accepted; there is one implementation.
        capturable: accepted; the count of steps stays on the host.
        maximize: step along the gradient instead of against it.
        differentiable: record the step itself, to differentiate through it.

    Raises:
        ValueError: if an option is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative(eps=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"square_avg": zeros_like(p), "acc_delta": zeros_like(p)}

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        rho, eps = group["rho"], group["eps"]
        square, changes = s["square_avg"], s["acc_delta"]
        square *= rho
        square += g * g * (1 - rho)
        change = m.sqrt(changes + eps) / m.sqrt(square + eps) * g
        changes *= rho
        changes += change * change * (1 - rho)
        p -= change * group["lr"]


class RMSprop(RuleOptimizer):
    """Tieleman & Hinton, lecture 6.5 of Neural Networks for Machine Learning, 2012; centred by Graves 2013.

    One step is::

        v = alpha * v + (1 - alpha) * g²
        scale = sqrt(v) + eps                       # centered: sqrt(v - mean²), with the running mean of g
        p = p - lr * g / scale                      # with momentum: buffer = momentum * buffer + g / scale

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the step size; not negative.
        alpha: how much of the running mean goes on; not negative.
        eps: keeps the denominator from 0; not negative.
        weight_decay: the factor of the L2 penalty; not negative.
        momentum: how much of the last steps goes on; not negative.
        centered: divide by an estimate of the deviation instead of the root mean square.
        capturable: accepted; the count of steps stays on the host.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        differentiable: record the step itself, to differentiate through it.

    Raises:
        ValueError: if an option is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        state = {"square_avg": zeros_like(p)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = zeros_like(p)
        return state

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        alpha = group["alpha"]
        square = s["square_avg"]
        square *= alpha
        square += g * g * (1 - alpha)
        if group["centered"]:
            mean = s["grad_avg"]
            mean *= alpha
            mean += g * (1 - alpha)
            square = square - mean * mean
        change = g / (m.sqrt(square) + group["eps"])
        if group["momentum"] > 0:
            buffer = s["momentum_buffer"]
            buffer *= group["momentum"]
            buffer += change
            change = buffer
        p -= change * group["lr"]


class Rprop(RuleOptimizer):
    """Riedmiller & Braun, 1993: only the signs of the gradients count; each element has a step size of its own.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the first step size; not negative.
        etas: how the step shrinks after a change of sign, and grows without one: ``0 < eta⁻ < 1 < eta⁺``.
        step_sizes: the smallest and the largest step.
        capturable: accepted; the count of steps stays on the host.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.
        differentiable: record the step itself, to differentiate through it.

    Raises:
        ValueError: if an option is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_not_negative(lr=lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"prev": zeros_like(p), "step_size": full_like(p, float(group["lr"]))}

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        (shrink, grow), (least, most) = group["etas"], group["step_sizes"]
        before, size = s["prev"], s["step_size"]
        agreement = g * before
        size *= m.where(agreement > 0, grow, 1.0) * m.where(agreement < 0, shrink, 1.0)
        size[...] = m.clamp(size, least, most)
        g = m.where(agreement < 0, g * 0, g)  # after a change of sign the element waits for one step
        p -= m.sign(g) * size
        before[...] = g


class ASGD(RuleOptimizer):
    """Averaged stochastic gradient descent (Polyak & Juditsky 1992).

    One step is ``p = p * (1 - lambd * eta) - eta * g`` with ``eta = lr / (1 + lambd * lr * t)^alpha``; from step ``t0``
    on, ``state[p]["ax"]`` holds the mean of the parameters.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the first step size; not negative.
        lambd: the decay.
        alpha: the power of the step size.
        t0: where averaging starts.
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
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_not_negative(lr=lr, weight_decay=weight_decay)
        defaults = {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def initial_state(self, p: Tensor, group: ParamGroup) -> dict[str, Any]:
        return {"eta": tensor(float(group["lr"])), "mu": tensor(1.0), "ax": zeros_like(p)}

    def rule(self, m: Any, p: Any, g: Any, s: dict[str, Any], step: float, group: ParamGroup) -> None:
        eta, mu, average = float(s["eta"]), float(s["mu"]), s["ax"]
        lr, lambd = group["lr"], group["lambd"]
        p *= 1 - lambd * eta
        p -= g * eta
        if mu == 1:
            average[...] = p
        else:
            average += (p - average) * mu
        s["eta"][...] = lr / (1 + lambd * lr * step) ** group["alpha"]
        s["mu"][...] = 1 / max(1, step - group["t0"])
