"""Images made larger and smaller, and sampled at any place."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from ...ops import interpolation, sampling
from ...ops.sampling import affine_grid_generator, grid_sampler
from ...tensor import Tensor

__all__ = [
    "affine_grid", "grid_sample", "interpolate", "local_response_norm", "upsample", "upsample_bilinear",
    "upsample_nearest",
]  # fmt: skip

_DIMENSIONS = {"linear": 3, "bilinear": 4, "bicubic": 4, "lanczos": 4, "trilinear": 5}
_ANY = ("nearest", "nearest-exact", "area")


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """``input`` ``(n, channels, *size)`` resampled to another size.

    Args:
        input: with one to three dimensions of pixels.
        size: of the output; or
        scale_factor: of the output to the input, one number or one for each dimension.
        mode: ``nearest``, ``nearest-exact`` and ``area`` for any number of dimensions; ``linear`` for one,
            ``bilinear``, ``bicubic`` and ``lanczos`` for two, ``trilinear`` for three.
        align_corners: whether the centres of the corner pixels stay where they are, and not their outer corners.
        recompute_scale_factor: whether pixels are as far apart as the rounded size says, and not the factor.
        antialias: whether the filter grows with the reduction; for ``bilinear``, ``bicubic`` and ``lanczos``.

    Raises:
        ValueError: for arguments that contradict each other.
        NotImplementedError: for a mode that doesn't fit the number of dimensions.
    """
    if mode in _ANY and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    n = input.dim() - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    if recompute_scale_factor and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    given: Any = size if size is not None else scale_factor
    if isinstance(given, (tuple, list)) and len(given) != n:
        raise ValueError(
            "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {list(input.shape[2:])} and {'output size' if size is not None else 'scale_factor'} of {given}. "
            "Please provide input tensor in (N, C, d1, d2, ...,dK) format"
        )
    given = tuple(given) if isinstance(given, (tuple, list)) else (given,) * n
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and input.dim() == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if mode == "lanczos" and input.dim() == 4 and (align_corners or not antialias):
        raise ValueError("Lanczos mode requires antialias=True and does not support align_corners=True")
    if (mode not in _ANY and mode not in _DIMENSIONS) or input.dim() not in (3, 4, 5):
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported "
            f"(got {input.dim()}D) for the modes: {' | '.join((*_ANY, *_DIMENSIONS))} (got {mode})"
        )
    if _DIMENSIONS.get(mode, input.dim()) != input.dim():
        raise NotImplementedError(f"Got {input.dim()}D input, but {mode} mode needs {_DIMENSIONS[mode]}D input")
    scales: tuple[float | None, ...] = (None,) * n
    if size is not None:
        for s in given:
            if isinstance(s, (bool, float, str)) or not hasattr(s, "__index__"):
                raise TypeError(f"expected size to be one of int or a tuple of ints, but got {size!r}")
        sizes = tuple(int(s.__index__()) for s in given)
    else:
        sizes = tuple(interpolation.scaled_size(s, f) for s, f in zip(input.shape[2:], given, strict=True))
        if not recompute_scale_factor and mode != "area":
            scales = tuple(float(f) for f in given)
    return interpolation.upsample(mode, input, sizes, scales, bool(align_corners), antialias)  # type: ignore[no-any-return]


def upsample(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """The old name of :func:`interpolate`."""
    _outdated("upsample", "interpolate")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """The old name of :func:`interpolate` to the nearest pixel."""
    _outdated("upsample_nearest", "interpolate")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(
    input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """The old name of :func:`interpolate` in mode ``bilinear`` with aligned corners."""
    _outdated("upsample_bilinear", "interpolate")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _outdated(name: str, now: str) -> None:
    warnings.warn(f"`nn.functional.{name}` is deprecated. Use `nn.functional.{now}` instead.", stacklevel=3)


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """``input`` ``(n, channels, *size)`` at the places ``grid`` ``(n, *out, 2 or 3)``: ``(n, channels, *out)``.

    Args:
        input: images or volumes.
        grid: places, ``x`` first, from -1 to 1 across the image.
        mode: ``bilinear``, ``nearest`` or (for images) ``bicubic``.
        padding_mode: what is beyond the edge: ``zeros``, ``border``, or the image again by ``reflection``.
        align_corners: whether -1 and 1 are the centres of the corner pixels and not their outer corners.

    Raises:
        ValueError: for an unknown mode.
        RuntimeError: for shapes or dtypes that don't fit.
    """
    if mode not in sampling.MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in sampling.PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        _changed_default()
    modes = sampling.MODES.index(mode), sampling.PADDINGS.index(padding_mode)
    return grid_sampler(input, grid, *modes, bool(align_corners))


def _changed_default() -> None:
    warnings.warn(
        "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
        "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
        stacklevel=3,
    )


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The places that affine maps ``theta`` ``(n, 2, 3)`` or ``(n, 3, 4)`` send the pixels of images of ``size`` to.

    Args:
        theta: the maps.
        size: ``(n, channels, *out)`` of the images to be sampled.
        align_corners: as in :func:`grid_sample`.

    Raises:
        ValueError: where they don't fit together.
    """
    if align_corners is None:
        _changed_default()
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
            f"Got size {tuple(size)}."
        )
    n = len(size) - 2
    if theta.dim() != 3 or tuple(theta.shape[1:]) != (n, n + 1):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {tuple(size)}. Got "
            f"{tuple(theta.shape)}."
        )
    if align_corners and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. "
            "This is not an intended use case of affine_grid. See the documentation of affine_grid for details.",
            stacklevel=2,
        )
    elif min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    return affine_grid_generator(theta, size, bool(align_corners))  # type: ignore[no-any-return]


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """``input / (k + alpha * mean of squares of the size channels around)^beta`` (Krizhevsky et al. 2012).

    Raises:
        ValueError: for fewer than 3 dimensions.
    """
    if input.dim() < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.dim()} dimensions)")
    if not input.numel():
        return input
    mean = sampling.mean_of_neighbours(input * input, size)
    return input / (mean * alpha + k).pow(beta)  # type: ignore[no-any-return]
