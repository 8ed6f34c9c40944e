"""Optimisers that look at a parameter as a matrix."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd import enable_grad, no_grad
from ..backends.dtypes import finfo
from ..ops import addmm, tensor
from ..tensor import Tensor, zeros_like
from .optimizer import Optimizer, ParamGroup
from .rules import check_not_negative

__all__ = ["Adafactor", "Muon"]


class _TensorOptimizer(Optimizer):
    """The loop of optimisers whose step is written with tensors; subclasses define :meth:`change`."""

    def change(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: ParamGroup) -> None:
        """One step on one parameter, in place."""
        raise NotImplementedError(f"{type(self).__name__} has to define change()")

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
        with no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self.change(p, -p.grad if group.get("maximize") else p.grad, self.state[p], group)
        return loss


def _root_mean_square(x: Tensor) -> float:
    return float(x.norm(2).item()) / math.sqrt(x.numel())


class Adafactor(_TensorOptimizer):
    """Shazeer & Stern, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost, 2018.

    Of the squares of a matrix' gradient only the means of its rows and columns are kept. The step size is
    ``max(eps2, rms(p)) * min(lr, 1 / sqrt(t))``, over the update's own root mean square where that exceeds ``d``.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dictionaries of groups.
        lr: the largest relative step size; not negative.
        beta2_decay: the power of t by which the running means forget; at most 0.
        eps: what keeps the squares from 0 (None: the dtype's epsilon), and the least scale of a parameter.
        d: above which root mean square an update is scaled down; at least 1.
        weight_decay: how much of the parameter a step takes away, times ``lr``; not negative.
        foreach: accepted; there is one implementation.
        maximize: step along the gradient instead of against it.

    Raises:
        ValueError: if an option is out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError(f"Tensor lr must be 1-element, got shape {tuple(lr.shape)}")
        if not lr >= 0.0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not eps[0] >= 0.0:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not eps[1] >= 0.0:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        defaults = {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

    def change(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: ParamGroup) -> None:
        if not state:
            state["step"] = tensor(0.0)
            if grad.dim() > 1:
                state["row_var"] = grad.new_zeros((*grad.shape[:-1], 1))
                state["col_var"] = grad.new_zeros((*grad.shape[:-2], 1, grad.shape[-1]))
            else:
                state["variance"] = zeros_like(grad)
        state["step"] += 1
        step = float(state["step"].item())
        eps1 = finfo(p.dtype).eps if group["eps"][0] is None else group["eps"][0]
        lr = float(group["lr"])
        forget = step ** group["beta2_decay"]
        alpha = max(group["eps"][1], _root_mean_square(p)) * min(lr, 1 / math.sqrt(step))
        if group["weight_decay"] != 0:
            p.mul_(1 - lr * group["weight_decay"])
        squares = grad * grad
        if grad.dim() > 1:
            rows, columns = state["row_var"], state["col_var"]
            rows.lerp_(squares.mean(-1, keepdim=True), forget)
            columns.lerp_(squares.mean(-2, keepdim=True), forget)
            variance = rows @ columns / rows.mean(-2, keepdim=True).clamp(min=eps1)
        else:
            variance = state["variance"].lerp_(squares, forget)
        update = variance.clamp(min=eps1 * eps1).rsqrt() * grad
        p.add_(update, alpha=-alpha / max(1.0, _root_mean_square(update) / group["d"]))


class Muon(_TensorOptimizer):
    """Momentum whose matrix is made orthogonal (Jordan et al. 2024), for the weight matrices of hidden layers.

    The momentum is brought near the closest orthogonal matrix by a few steps of a Newton-Schulz iteration in
    bfloat16, ``X = a X + (b A + c A²) X`` with ``A = X Xᵀ``.

    Args:
        params: matrices; other parameters want another optimiser.
        lr: the step size; not negative.
        weight_decay: how much of the parameter a step takes away, times ``lr``; not negative.
        momentum: how much of the last steps goes on; not negative.
        nesterov: look ahead along the momentum.
        ns_coefficients: a, b and c.
        eps: the least norm to divide by.
        ns_steps: how many steps of the iteration, below 100.
        adjust_lr_fn: ``"original"`` (or None) scales the step by ``sqrt(max(1, rows / columns))``,
            ``"match_rms_adamw"`` by ``0.2 sqrt(max(rows, columns))`` (Liu et al. 2025).

    Raises:
        ValueError: if an option is out of its range, or a parameter is no matrix.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError(f"Tensor lr must be 1-element, got shape {tuple(lr.shape)}")
        if not lr >= 0.0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not momentum >= 0.0:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        check_not_negative(eps=eps)
        defaults = {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        }  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {p.size()}"
                    )

    def change(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: ParamGroup) -> None:
        if grad.dim() != 2:
            raise ValueError("Param gradient must be a 2D matrix")
        if not state:
            state["momentum_buffer"] = zeros_like(grad)
        buffer = state["momentum_buffer"]
        buffer.lerp_(grad, 1 - group["momentum"])
        update = _orthogonal(grad.lerp(buffer, group["momentum"]) if group["nesterov"] else buffer, group)
        rows, columns = p.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            scale = 0.2 * math.sqrt(max(rows, columns))
        else:
            scale = math.sqrt(max(1, rows / columns))
        lr = float(group["lr"])
        p.mul_(1 - lr * group["weight_decay"])
        p.add_(update, alpha=-lr * scale)


def _orthogonal(matrix: Tensor, group: ParamGroup) -> Any:
    """A matrix near the closest orthogonal one, by a Newton-Schulz iteration; shape and dtype stay."""
    if group["ns_steps"] >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(group["ns_coefficients"]) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = group["ns_coefficients"]
    tall = matrix.shape[0] > matrix.shape[1]
    x: Any = matrix.bfloat16()
    x = x.T if tall else x
    x = x / x.norm().clamp(min=group["eps"])
    for _ in range(group["ns_steps"]):
        gram = x @ x.T
        x = addmm(x, addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.T if tall else x).to(matrix.dtype)
