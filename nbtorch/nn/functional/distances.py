"""Similarities and distances of vectors."""

from __future__ import annotations

from ...ops.distances import pairwise_distance, pdist
from ...ops.operands import broadcast_shapes, result_type
from ...tensor import Tensor

__all__ = [
    "cosine_similarity", "pairwise_distance", "pdist",
]  # fmt: skip


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between ``x1`` and ``x2`` along ``dim``, which disappears."""
    shape = broadcast_shapes("cosine_similarity", tuple(x1.shape), tuple(x2.shape))
    common = result_type(x1, x2)
    if not common.is_floating_point:
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {common!r}\n"
            "  operation: cosine_similarity\n  fix: x1.float(), x2.float()"
        )
    x1, x2 = x1.expand(shape), x2.expand(shape)
    squares = (x1 * x1).sum(dim).clamp_min(eps * eps), (x2 * x2).sum(dim).clamp_min(eps * eps)
    return (x1 * x2).sum(dim) / (squares[0].sqrt() * squares[1].sqrt())
