"""Affine maps."""

from __future__ import annotations

from ... import ops
from ...ops import (
    linear,
)
from ...ops.operands import refuse_scalar
from ...tensor import Tensor

__all__ = [
    "bilinear", "linear",
]  # fmt: skip


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y[k] = x1 @ weight[k] @ x2 + bias[k]``: inputs ``(*, n)`` and ``(*, m)``, weight ``(out, n, m)``."""
    for name, x, size in (("input1", input1, weight.shape[1:2]), ("input2", input2, weight.shape[2:3])):
        refuse_scalar("bilinear", name, x)
        if size and x.shape[-1] != size[0]:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {x.shape[-1]} but expected {size[0]}"
            )
    result = ops.einsum("...n,knm,...m->...k", input1, weight, input2)
    return result if bias is None else result + bias  # type: ignore[no-any-return]
