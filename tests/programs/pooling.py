"""Programs of pooling."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np

import nbtorch
from nbtorch.nn import functional as F
from programs.draw import Draw, Program


def _resampled(d: Draw) -> Any:
    """The record behind the gradient of an average."""
    with nbtorch.enable_grad():
        x = nbtorch.zeros(1, 1, 5, dtype=nbtorch.float64, device=helpers.device_name(), requires_grad=True)
        return nbtorch.autograd.grad(F.avg_pool1d(x, 3, 2), x, d(1, 1, 2), create_graph=True)[0]


def _samples(n: int) -> Any:
    return helpers.to_nbtorch(np.full((1, 1, n), 0.4))


def _places(*index: int) -> Any:
    return helpers.to_nbtorch(np.array([[index]]))


PROGRAMS: dict[str, Program] = {
    "resample": _resampled,
    "avg_pool1d": lambda d: F.avg_pool1d(d(1, 2, 5), 3, 2, 1, count_include_pad=False),
    "avg_pool2d": lambda d: F.avg_pool2d(d(2, 1, 4, 5), (2, 3), stride=1, ceil_mode=True, divisor_override=5),
    "avg_pool3d": lambda d: F.avg_pool3d(d(1, 1, 2, 3, 4), (2, 1, 2), padding=(1, 0, 1)),
    "adaptive_avg_pool1d": lambda d: F.adaptive_avg_pool1d(d(2, 5), 3),
    "adaptive_avg_pool2d": lambda d: F.adaptive_avg_pool2d(d(1, 1, 4, 5), (2, None)),
    "adaptive_avg_pool3d": lambda d: F.adaptive_avg_pool3d(d(1, 2, 3, 2), (3, 2, 1)),
    "max_pool1d": lambda d: F.max_pool1d(d(1, 2, 6), 3, 1, 1, 2),
    "max_pool2d": lambda d: F.max_pool2d(d(1, 1, 4, 5), 2, ceil_mode=True),
    "max_pool3d": lambda d: F.max_pool3d(d(1, 1, 2, 3, 4), 2, 1),
    "adaptive_max_pool1d": lambda d: F.adaptive_max_pool1d(d(2, 5), 3),
    "adaptive_max_pool2d": lambda d: F.adaptive_max_pool2d(d(1, 1, 4, 5), (2, 3)),
    "adaptive_max_pool3d": lambda d: F.adaptive_max_pool3d(d(1, 2, 3, 2), (3, 2, 1)),
    "fractional_max_pool2d": lambda d: F.fractional_max_pool2d(d(1, 4, 5), 2, 2, _random_samples=_samples(2)),
    "fractional_max_pool3d": lambda d: F.fractional_max_pool3d(d(1, 4, 3, 4), 2, 2, _random_samples=_samples(3)),
    "max_unpool1d": lambda d: F.max_unpool1d(d(1, 1, 3), _places(0, 3, 4), 2),
    "max_unpool2d": lambda d: F.max_unpool2d(d(1, 1, 1, 2), _places(0, 6).reshape(1, 1, 1, 2), 2),
    "max_unpool3d": lambda d: F.max_unpool3d(d(1, 1, 1, 2), _places(3, 12).reshape(1, 1, 1, 2), 2),
}
