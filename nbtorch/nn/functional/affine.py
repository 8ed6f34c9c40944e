"""Affine maps."""

from ...ops import bilinear, linear

__all__ = ["bilinear", "linear"]
