"""Convolution, pooling, interpolation and sampling where PyTorch's database has no sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sides import as_torch

from nbtorch.backends import get_backend
from nbtorch.backends.convolution import ConvolutionPrimitives
from nbtorch.backends.windows import Windows


def numbers(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def differentiated(lib: Any, function: Callable[..., Any], *arrays: Any) -> Any:
    leaves = [lib.make(a, requires_grad=True) for a in arrays]
    out = function(*leaves)
    return out, lib.autograd.grad((out * out).sum(), leaves)


NAN = np.array([[[1.0, np.nan, 3.0, -np.inf, -np.inf, -np.inf, 2.0, 2.0, np.inf]]])

CASES: dict[str, Callable[[Any], Any]] = {
    "an empty batch": lambda lib: differentiated(lib, lib.conv2d, numbers(0, 2, 4, 4), numbers(3, 2, 2, 2), numbers(3)),
    "an empty batch of pixels": lambda lib: differentiated(lib, lib.conv1d, numbers(0, 2, 4), numbers(3, 2, 1)),
    "a transposed input": lambda lib: differentiated(
        lib, lambda x, w: lib.conv2d(x.transpose(2, 3), w, padding="same"), numbers(1, 2, 5, 4), numbers(2, 2, 2, 3)
    ),
    "whole numbers": lambda lib: lib.conv1d(
        lib.make(np.arange(12).reshape(1, 2, 6)), lib.make(np.arange(8).reshape(2, 2, 2)), stride=2, padding=1
    ),
    "small whole numbers": lambda lib: lib.conv1d(
        lib.make(np.arange(100, 112, dtype=np.int8).reshape(1, 2, 6)), lib.make(np.ones((1, 2, 2), np.int8))
    ),
    "an infinity in the image": lambda lib: differentiated(
        lib, lib.conv2d, np.where(np.arange(16) == 3, np.inf, 1.0).reshape(1, 1, 4, 4), numbers(1, 1, 2, 2)
    )[1][1],
    "more channels out than in": lambda lib: differentiated(lib, lib.conv2d, numbers(2, 1, 6, 6), numbers(5, 1, 3, 3)),
    "a kernel larger than all": lambda lib: lib.conv2d(lib.make(numbers(1, 1, 2, 2)), lib.make(numbers(1, 1, 3, 3))),
    "wrong channels": lambda lib: lib.conv2d(lib.make(numbers(1, 3, 4, 4)), lib.make(numbers(1, 2, 3, 3))),
    "half a stride": lambda lib: lib.conv1d(lib.make(numbers(1, 1, 4)), lib.make(numbers(1, 1, 2)), stride=1.5),
    "maxima of NaN and infinities": lambda lib: lib.nn.functional.max_pool1d(lib.make(NAN), 3, return_indices=True),
    "gradients of NaN and infinities": lambda lib: lib.autograd.grad(
        lib.nn.functional.max_pool1d(x := lib.make(NAN, requires_grad=True), 3, 2).sum(), x
    ),
    "first of equal maxima": lambda lib: lib.autograd.grad(
        lib.nn.functional.max_pool2d(x := lib.make(np.ones((1, 4, 4)), requires_grad=True), 3, 1).sum(), x
    ),
    "maxima at the top": lambda lib: (
        lib.adaptive_max_pool1d(lib.make(numbers(1, 2, 7)), 3), lib.avg_pool1d(lib.make(numbers(2, 7)), 2),
    ),
    "no stride": lambda lib: lib.nn.functional.max_pool2d(lib.make(numbers(1, 4, 4)), 2, 0),
    "averages into out": lambda lib: lib.nn.functional.avg_pool2d(
        lib.make(numbers(1, 4, 4)), 2, out=lib.make(np.zeros((1, 2, 2)))
    ),
    "the same size by scale": lambda lib: [
        lib.nn.functional.interpolate(lib.make(numbers(1, 1, 3, 2)), scale_factor=1.3, mode=mode)
        for mode in ("nearest", "nearest-exact", "bilinear", "bicubic")
    ],
    "antialiased": lambda lib: [
        lib.nn.functional.interpolate(lib.make(numbers(1, 2, 9, 7)), (4, 8), mode=mode, antialias=True)
        for mode in ("bilinear", "bicubic", "lanczos")
    ],
    "bytes": lambda lib: lib.nn.functional.interpolate(
        lib.make(np.arange(0, 240, 5, dtype=np.uint8).reshape(1, 1, 6, 8)), (4, 11), mode="bicubic", antialias=True
    ),
    "size and factor": lambda lib: lib.nn.functional.interpolate(lib.make(numbers(1, 1, 3)), 2, 2.0),
    "a mode for other data": lambda lib: lib.nn.functional.interpolate(lib.make(numbers(1, 1, 3)), 2, mode="bilinear"),
    "places at the edge": lambda lib: [
        differentiated(
            lib,
            lambda x, grid, pad=pad: lib.nn.functional.grid_sample(x, grid, padding_mode=pad, align_corners=True),
            numbers(1, 1, 3, 3), np.array([[[[-1.0, 1.0], [0.0, 2.5], [-3.0, 0.5]]]]),
        )
        for pad in ("zeros", "border", "reflection")
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_as_torch(name: str, torch_ref: Any) -> None:
    as_torch(CASES[name])


class Generic(ConvolutionPrimitives):
    """The bodies that run on any array module, on NumPy."""

    xp = np


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    "at",
    [
        Windows((5, 6), (4, 4), (2, 3), (1, 1), (0, 0), (1, 1)),
        Windows((5, 6), (6, 6), (2, 3), (1, 1), (1, 1), (1, 1)),
        Windows((6,), (4,), (2,), (1,), (0,), (2,)),
        Windows((3, 4, 3), (3, 4, 3), (2, 3, 2), (1, 1, 1), (0, 1, 0), (1, 1, 1)),
        Windows((7, 7), (3, 3), (3, 3), (2, 2), (0, 0), (1, 1)),
        Windows((3, 3), (5, 5), (1, 1), (1, 1), (1, 1), (1, 1)),
    ],
)
@pytest.mark.parametrize("planes", [2, 8])
def test_the_host_convolves_as_the_generic_body(at: Windows, groups: int, planes: int) -> None:
    host, generic = get_backend("cpu"), Generic()
    x, g = numbers(3, 2, *at.size), numbers(3, planes, *at.out)
    w, b = numbers(planes, 2 // groups, *at.kernel), numbers(planes)
    for name, args in {
        "convolution": (x, w, b, at, groups),
        "convolution_input": (g, w, None, at, groups),
        "convolution_weight": (g, x, at, groups),
    }.items():
        np.testing.assert_allclose(getattr(host, name)(*args), getattr(generic, name)(*args), rtol=1e-10, atol=1e-10)
