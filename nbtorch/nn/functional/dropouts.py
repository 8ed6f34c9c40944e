"""Values set to zero at random, for training."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ... import ops
from ...tensor import Tensor

__all__ = [
    "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout",
]  # fmt: skip


def _drop(kind: str, input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    if p < 0.0 or p > 1.0:
        raise ValueError(
            f"dropout probability has to be between 0 and 1, but got {p}\n  expected: the share of elements to drop"
        )
    function: Callable[..., Any] = getattr(ops, kind + "_" if inplace else kind)
    return function(input, p, training)  # type: ignore[no-any-return]


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Sets each value to 0 with probability ``p`` and divides the others by ``1 - p``; the input if not ``training``.

    Raises:
        ValueError: unless ``0 ≤ p ≤ 1``.
    """
    return _drop("dropout", input, p, training, inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps the mean 0 and variance 1 of a :func:`selu` network (Klambauer et al. 2017).

    Dropped values become the value that SELU has at minus infinity; then all are scaled and shifted.

    Raises:
        ValueError: unless ``0 ≤ p ≤ 1``.
    """
    return _drop("alpha_dropout", input, p, training, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """As :func:`alpha_dropout`, for whole channels: shape (batch, channels, ...).

    Raises:
        ValueError: unless ``0 ≤ p ≤ 1``.
    """
    return _drop("feature_alpha_dropout", input, p, training, inplace)


def _channels(input: Tensor, p: float, training: bool, inplace: bool, batched: bool) -> Tensor:
    if batched:
        return _drop("feature_dropout", input, p, training, inplace)
    result = _drop("feature_dropout", input.unsqueeze(0), p, training, inplace)
    return input if inplace else result.squeeze(0)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Drops whole channels of (batch, channels, length) or (channels, length).

    Raises:
        ValueError: unless ``0 ≤ p ≤ 1``.
        RuntimeError: for an input of another number of dimensions.
    """
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input.\n"
            "  expected: (batch, channels, length) or (channels, length)"
        )
    return _channels(input, p, training, inplace, input.dim() == 3)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Drops whole channels of (batch, channels, height, width).

    As in PyTorch, an input of 3 dimensions counts as (batch, channels, length).

    Raises:
        ValueError: unless ``0 ≤ p ≤ 1``.
    """
    if input.dim() not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {input.dim()}-D input to dropout2d, which is deprecated and will result in an "
            "error in a future release. To retain the behavior and silence this warning, please use dropout instead.",
            stacklevel=2,
        )
    elif input.dim() == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. Use dropout1d for that.",
            stacklevel=2,
        )
    return _channels(input, p, training, inplace, True)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Drops whole channels of (batch, channels, depth, height, width), or of one sample of it.

    Raises:
        ValueError: unless ``0 ≤ p ≤ 1``.
    """
    if input.dim() not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {input.dim()}-D input to dropout3d, which is deprecated and will result in an "
            "error in a future release. To retain the behavior and silence this warning, please use dropout instead.",
            stacklevel=2,
        )
    return _channels(input, p, training, inplace, input.dim() == 5)
