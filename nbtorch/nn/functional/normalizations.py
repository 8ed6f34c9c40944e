"""Normalisations."""

from __future__ import annotations

from collections.abc import Sequence

from ...ops import (
    normalization,
)
from ...tensor import Tensor

__all__ = [
    "layer_norm", "normalize", "rms_norm",
]  # fmt: skip


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Subtracts the mean and divides by the deviation over the last dimensions, then scales and shifts."""
    return normalization.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Divides by the root of the mean square over the last dimensions, then scales."""
    return normalization.rms_norm(input, normalized_shape, weight, eps)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Divides by the p-norm along ``dim``, which is taken as ``eps`` where it is smaller; the shape stays."""
    return input / input.norm(p, dim, keepdim=True).clamp_min(eps)  # type: ignore[no-any-return]
