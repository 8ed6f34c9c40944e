"""Layers that make images larger and smaller."""

from __future__ import annotations

from collections.abc import Sequence

from ...tensor import Tensor
from .. import functional as F
from .module import Module

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]

Sizes = int | Sequence[int]
Ratios = float | tuple[float, ...]


class Upsample(Module):
    """An image, a signal or a volume in another size.

    Args:
        size: the new size; or
        scale_factor: how many times larger it is.
        mode: ``nearest``, ``nearest-exact``, ``linear``, ``bilinear``, ``bicubic``, ``trilinear`` or ``area``.
        align_corners: whether the centres of the corner pixels stay the corners; for the linear and cubic modes.
        recompute_scale_factor: compute with the ratio of the sizes and not with ``scale_factor`` itself.

    Shape:
        input ``(n, channels, *size)``; output ``(n, channels, *new size)``.
    """

    scale_factor: float | tuple[float, ...] | None

    def __init__(
        self,
        size: Sizes | None = None,
        scale_factor: Ratios | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(map(float, scale_factor))
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        size = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{size}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """:class:`Upsample` of images to the nearest pixel."""

    def __init__(self, size: Sizes | None = None, scale_factor: Ratios | None = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """:class:`Upsample` of images in mode ``bilinear`` with aligned corners."""

    def __init__(self, size: Sizes | None = None, scale_factor: Ratios | None = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
