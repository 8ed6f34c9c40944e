"""Adam's second moment in the memory of one row and one column."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ..backends.dtypes import finfo
from ..ops import tensor
from ..tensor import Tensor, zeros_like
from .optimizer import ParamGroup
from .rules import TensorOptimizer

__all__ = ["Adafactor"]


def _root_mean_square(x: Tensor) -> float:
    return float(x.norm(2).item()) / math.sqrt(x.numel())


class Adafactor(TensorOptimizer):
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
