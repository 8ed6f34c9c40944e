"""The order in which weights lie in memory; here there is one, so these check and return."""

from __future__ import annotations

from typing import Any

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def convert_conv2d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Accepted; the weights of two-dimensional convolutions stay where they are."""
    return module


def convert_conv3d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Accepted; the weights of three-dimensional convolutions stay where they are."""
    return module
