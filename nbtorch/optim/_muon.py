"""Momentum made orthogonal."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ..ops import addmm
from ..tensor import Tensor, zeros_like
from .optimizer import ParamGroup
from .rules import TensorOptimizer

__all__ = ["Muon"]


class Muon(TensorOptimizer):
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
