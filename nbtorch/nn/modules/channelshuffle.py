"""PyTorch's path of a layer that stands beside those of pixels."""

from .pixelshuffle import ChannelShuffle

__all__ = ["ChannelShuffle"]
