"""The host's convolution equals the generic one, over kernels, strides, dilations, groups and paddings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtorch.backends import flat_convolution
from nbtorch.backends.base import Backend
from nbtorch.backends.device import device
from nbtorch.backends.numpy import NumpyBackend
from nbtorch.backends.windows import Windows


@st.composite
def _windows(draw: Any) -> Windows:
    n = draw(st.sampled_from([1, 2, 2, 2, 3]))
    size = tuple(draw(st.integers(1, 9 if n < 3 else 5)) for _ in range(n))
    kernel = tuple(draw(st.integers(1, 5 if n < 3 else 3)) for _ in range(n))
    stride = tuple(draw(st.integers(1, 3)) for _ in range(n)) if draw(st.booleans()) else (1,) * n
    dilation = tuple(draw(st.integers(1, 3)) for _ in range(n)) if draw(st.booleans()) else (1,) * n
    before = tuple(draw(st.integers(0, 4)) for _ in range(n))
    out = []
    for i in range(n):
        room = size[i] + 2 * before[i] - dilation[i] * (kernel[i] - 1) - 1
        out.append(max(1, room // stride[i] + 1 - draw(st.integers(0, 1))))
    return Windows(size, tuple(out), kernel, stride, before, dilation)


@pytest.mark.parametrize("lines", [False, True, None], ids=["whole windows", "lines of windows", "what pays"])
@settings(max_examples=60, deadline=None)
@given(
    at=_windows(),
    groups=st.integers(1, 3),
    channels=st.sampled_from([1, 2, 5]),
    planes=st.sampled_from([1, 2, 6]),
    n=st.sampled_from([0, 1, 2, 5]),
    dtype=st.sampled_from(["float16", "float32", "float64", "int64"]),
    room=st.sampled_from([1, 2000, 1 << 20]),
    order=st.sampled_from("CF"),
)
def test_host_convolution_equals_the_generic_one(
    lines: bool | None, at: Windows, groups: int, channels: int, planes: int, n: int, dtype: str, room: int, order: Any
) -> None:
    rng = np.random.default_rng(0)

    def numbers(*shape: int) -> Any:
        return rng.normal(0, 3, shape).astype(dtype, order)

    generic, host = Backend(np, device("cpu")), NumpyBackend()
    host.columns_at_a_time = room
    x, g = numbers(n, groups * channels, *at.size), numbers(n, groups * planes, *at.out)
    w = numbers(groups * planes, channels, *at.kernel)
    tolerance = {"float16": 1e-2, "float32": 1e-4, "float64": 1e-10, "int64": 0}[dtype]
    with pytest.MonkeyPatch.context() as patch:
        if lines is not None:
            patch.setattr(flat_convolution, "_lines", lambda at, *_: flat_convolution._as_lines(at) if lines else None)
        for name, args in (
            ("convolution", (x, w, numbers(groups * planes), at, groups)),
            ("convolution_input", (g, w, None, at, groups)),
            ("convolution_weight", (g, x, at, groups)),
        ):
            actual, expected = getattr(host, name)(*args), getattr(generic, name)(*args)
            assert actual.shape == expected.shape, name
            assert actual.dtype == expected.dtype, name
            np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=10 * tolerance, err_msg=name)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
@pytest.mark.parametrize("kernel", [(3, 3), (1, 3), (4, 2)])
def test_what_is_not_finite_stays_where_it_is(bad: float, kernel: tuple[int, int]) -> None:
    generic, host = Backend(np, device("cpu")), NumpyBackend()
    x = np.ones((2, 2, 6, 7))
    x[1, 0, 2, 6] = bad
    out = (7 - kernel[0], 10 - kernel[1])
    at = Windows((6, 7), out, kernel, (1, 1), (0, 1), (1, 1))
    w, g = np.ones((3, 2, *kernel)), np.ones((2, 3, *out))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(host.convolution(x, w, None, at, 1), generic.convolution(x, w, None, at, 1))
        np.testing.assert_array_equal(host.convolution_weight(g, x, at, 1), generic.convolution_weight(g, x, at, 1))
