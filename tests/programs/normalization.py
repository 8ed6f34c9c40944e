"""Programs of the normalisations."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np

import nbtorch
from nbtorch.nn import functional as F
from programs.draw import Draw, Program


def _gathered(channels: int) -> tuple[Any, Any]:
    """Running statistics."""
    return helpers.to_nbtorch(np.linspace(-1.0, 1.0, channels)), helpers.to_nbtorch(np.linspace(0.5, 2.0, channels))


def _batch_norm(d: Draw) -> Any:
    mean, var = _gathered(3)
    seen = F.batch_norm(d(4, 3), mean, var, d(3), d(3), training=True)
    known = F.batch_norm(d(2, 3, 2), *_gathered(3), d(3), None)
    return seen + known[:, :, 0].sum() + F.batch_norm(d(2, 2, 2), None, None, training=True).sum()


PROGRAMS: dict[str, Program] = {
    "layer_norm": lambda d: F.layer_norm(d(2, 4), (4,), d(4), d(4)) + F.layer_norm(d(2, 4), (2, 4)),
    "group_norm": lambda d: F.group_norm(d(2, 4, 2), 2, d(4), d(4)) + nbtorch.group_norm(d(2, 4, 2), 1, None, d(4)),
    "batch_norm": _batch_norm,
}

CONSTANT = {name: {"center", "scale"} for name in ("layer_norm", "group_norm", "batch_norm")}
