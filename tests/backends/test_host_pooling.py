"""The host's gradient of max pooling equals the generic one: ties, NaN, infinities and padding included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtorch.backends.base import Backend
from nbtorch.backends.device import device
from nbtorch.backends.numpy import NumpyBackend
from nbtorch.backends.pooling import window_positions
from nbtorch.backends.windows import Windows


@st.composite
def _pooled(draw: Any) -> tuple[Any, Any, Windows]:
    n = draw(st.integers(1, 3))
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(n))
    stride = tuple(draw(st.integers(1, 4)) for _ in range(n))
    dilation = tuple(draw(st.integers(1, 2)) for _ in range(n))
    before = tuple(draw(st.integers(0, ((k - 1) * d + 1) // 2)) for k, d in zip(kernel, dilation, strict=True))
    size = tuple(draw(st.integers(d * (k - 1) + 1, 7)) for k, d in zip(kernel, dilation, strict=True))
    out = []
    for i in range(n):
        room = size[i] + 2 * before[i] - dilation[i] * (kernel[i] - 1) - 1
        count = room // stride[i] + 1
        if draw(st.booleans()) and count * stride[i] < size[i] + before[i]:
            count += 1  # ceil_mode: the last window reaches beyond the padding
        out.append(count)
    at = Windows(size, tuple(out), kernel, stride, before, dilation)
    dtype = draw(st.sampled_from(["float16", "float32", "float64"]))
    lead = draw(st.sampled_from([(2,), (2, 3), (0, 2)]))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    x = rng.integers(-2, 3, (*lead, *size)).astype(dtype)  # many equal ones
    for odd in draw(st.lists(st.sampled_from([np.nan, np.inf, -np.inf]), max_size=2)):
        x[rng.random(x.shape) < draw(st.sampled_from([0.1, 0.6]))] = odd
    g = rng.integers(-3, 4, (*lead, *out)).astype(dtype)
    if draw(st.integers(0, 5)) == 0:
        g[rng.random(g.shape) < 0.1] = np.inf
    if draw(st.booleans()):
        g, x = np.asfortranarray(g), np.asfortranarray(x)
    return g, x, at


@settings(max_examples=250, deadline=None)
@given(_pooled())
def test_the_gradient_of_max_pooling_equals_the_generic_one(drawn: tuple[Any, Any, Windows]) -> None:
    g, x, at = drawn
    with np.errstate(all="ignore"):
        expected = Backend(np, device("cpu")).max_pool_backward(g, x, at)
        actual = NumpyBackend().max_pool_backward(g, x, at)
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected)


@settings(max_examples=60, deadline=None)
@given(
    kernel=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    out=st.lists(st.integers(1, 3), min_size=3, max_size=3),
    dtype=st.sampled_from(["float32", "float64", "int64"]),
    odd=st.sampled_from([None, np.nan, np.inf, -np.inf]),
    seed=st.integers(0, 10**6),
)
def test_the_places_of_maxima_equal_the_generic_ones(
    kernel: list[int], out: list[int], dtype: str, odd: Any, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    size = tuple(k * o for k, o in zip(kernel, out, strict=False))
    at = Windows(size, tuple(out[: len(size)]), tuple(kernel), tuple(kernel), (0,) * len(size), (1,) * len(size))
    x = rng.integers(-2, 3, (2, 3, *size)).astype(dtype)
    if odd is not None and dtype != "int64":
        x[rng.random(x.shape) < 0.3] = odd
    positions = window_positions(at)
    expected = Backend(np, device("cpu")).max_pool_indices(x, positions)
    actual = NumpyBackend().max_pool_indices(x, positions)
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_averages_keep_what_is_not_finite_in_its_windows(bad: float) -> None:
    import nbtorch

    x = nbtorch.ones(1, 2, 4, 4)
    x[0, 0, 0, 0] = bad
    out = nbtorch.nn.functional.adaptive_avg_pool2d(x, 2)
    assert nbtorch.isfinite(out).sum().item() == 7
    assert not nbtorch.isfinite(out[0, 0, 0, 0])
