"""Programs of interpolation and sampling."""

from __future__ import annotations

from typing import Any

import nbtorch
from nbtorch.nn import functional as F
from programs.draw import Draw, Program

_SHAPES = {1: (1, 2, 4), 2: (1, 1, 3, 4), 3: (1, 1, 2, 3, 2)}
_MODES = {"nearest": "nearest", "nearest_exact": "nearest-exact"}


def _upsampled(mode: str, n: int, **kwargs: Any) -> Program:
    return lambda d: F.interpolate(d(*_SHAPES[n]), scale_factor=1.6, mode=mode, **kwargs)


def _placed(d: Draw) -> Any:
    """Sampling at places that don't meet a pixel."""
    grid = d(1, 2, 3, 2, low=-0.9, high=0.85)
    image = d(1, 2, 3, 4)
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False) + nbtorch.sum(
        F.grid_sample(image, grid, mode="bicubic", align_corners=True)
    )


PROGRAMS: dict[str, Program] = {
    **{f"upsample_{name}{n}d": _upsampled(mode, n) for name, mode in _MODES.items() for n in (1, 2, 3)},
    "upsample_linear1d": _upsampled("linear", 1),
    "upsample_bilinear2d": _upsampled("bilinear", 2, align_corners=True),
    "upsample_bicubic2d": _upsampled("bicubic", 2),
    "upsample_trilinear3d": _upsampled("trilinear", 3, recompute_scale_factor=True),
    **{
        f"upsample_{mode}2d_aa": lambda d, mode=mode: F.interpolate(d(1, 1, 5, 4), (3, 5), mode=mode, antialias=True)
        for mode in ("bilinear", "bicubic", "lanczos")
    },
    "with_slope": _placed,
}

CONSTANT = {"with_slope": {"value", "slope"}}
