"""Programs of convolutions and of the windows they look through."""

from __future__ import annotations

from typing import Any

import helpers

import nbtorch
from nbtorch.nn import functional as F
from programs.draw import Draw, Program


def _weight_gradient(d: Draw) -> Any:
    with nbtorch.enable_grad():
        weight = nbtorch.zeros(2, 1, 2, dtype=nbtorch.float64, device=helpers.device_name(), requires_grad=True)
        out = F.conv1d(d(2, 2, 4), weight, groups=2)
        return nbtorch.autograd.grad(out, weight, d(2, 2, 3), create_graph=True)[0]


PROGRAMS: dict[str, Program] = {
    "convolution": lambda d: F.conv2d(d(2, 2, 4, 3), d(2, 1, 2, 2), d(2), stride=(2, 1), padding=(1, 0), groups=2),
    "convolution_input": lambda d: F.conv_transpose1d(d(1, 2, 3), d(2, 2, 2), d(2), stride=2, padding=1, dilation=2),
    "convolution_weight": _weight_gradient,
    "im2col": lambda d: F.unfold(d(1, 2, 3, 4), 2, padding=1, stride=(1, 2)),
    "col2im": lambda d: F.fold(d(1, 8, 4), (3, 3), 2),
}
