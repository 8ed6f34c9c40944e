"""Edges, pixels and channels: functions that only move elements."""

from ...ops.layers import native_channel_shuffle
from ...ops.padding import pad
from ...ops.rearranging import channel_shuffle, pixel_shuffle, pixel_unshuffle

__all__ = ["channel_shuffle", "native_channel_shuffle", "pad", "pixel_shuffle", "pixel_unshuffle"]
