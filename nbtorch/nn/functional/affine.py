"""Affine maps."""

from __future__ import annotations

from ... import ops
from ...ops import (
    linear,
)
from ...tensor import Tensor

__all__ = [
    "bilinear", "linear",
]  # fmt: skip


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y[k] = x1 @ weight[k] @ x2 + bias[k]``: inputs ``(*, n)`` and ``(*, m)``, weight ``(out, n, m)``."""
    result = ops.einsum("...n,knm,...m->...k", input1, weight, input2)
    return result if bias is None else result + bias  # type: ignore[no-any-return]
