"""Convolution, pooling and interpolation where PyTorch's database has no sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import same, to_nbtorch, to_torch
from sides import as_torch

import nbtorch
from nbtorch.backends import backend_of
from nbtorch.backends.convolution import ConvolutionPrimitives
from nbtorch.backends.windows import Windows
from nbtorch.nn import functional as F


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)
