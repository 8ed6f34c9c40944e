"""How exact the primitives of networks are in single precision."""

from __future__ import annotations

import math

import numpy as np

from nbtorch.backends import get_backend
from nbtorch.backends.errorfunction import erfc


def test_gelu_and_its_derivative_stay_within_the_stated_error() -> None:
    m = get_backend("cpu")
    x = np.concatenate([np.linspace(-7, 7, 200_001), np.geomspace(1e-40, 1, 5000), -np.geomspace(1e-40, 1, 5000)])
    single = x.astype(np.float32)
    x = single.astype(np.float64)
    share = 0.5 * erfc(np, -x * math.sqrt(0.5))
    slope = share + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    assert np.abs(m.gelu(single) - x * share).max() < 3.8e-7
    assert np.abs(m.gelu_backward(np.ones_like(single), single) - slope).max() < 8.5e-7
