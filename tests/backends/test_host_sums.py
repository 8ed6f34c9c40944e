"""Scaled sums by BLAS against the generic body."""

from __future__ import annotations

import numpy as np
import pytest

from nbtorch.backends import get_backend
from nbtorch.backends.base import Backend
from nbtorch.backends.host_sums import _LONG, _axpby


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("shape", [(), (3,), (_LONG,), (_LONG // 256 + 1, 256), (2, 0)])
@pytest.mark.parametrize(("a", "b"), [(0.3, 0.9), (-1e-3, 1), (1, 0.5), (0.0, 0.5), (0.25, 0.0)])
def test_axpby(dtype: type, shape: tuple[int, ...], a: float, b: float) -> None:
    host, rng = get_backend("cpu"), np.random.default_rng(0)
    x, y = (rng.normal(size=shape).astype(dtype) for _ in range(2))
    for strange in (None, np.nan, np.inf):
        if strange is not None and x.size > 2:
            x.reshape(-1)[1] = y.reshape(-1)[2] = strange
        expected, found = y.copy(), y.copy()
        with np.errstate(all="ignore"):
            Backend.axpby(host, a, x, b, expected)
            host.axpby(a, x, b, found)
        np.testing.assert_allclose(found, expected, rtol=1e-6 if dtype is np.float32 else 1e-3, atol=1e-6)


def test_axpby_of_what_does_not_lie_in_one_piece() -> None:
    host = get_backend("cpu")
    x, y = np.ones((512, 512), np.float32), np.arange(512 * 512, dtype=np.float32).reshape(512, 512)
    for left, right in ((x.T[::2], y[::2]), (x, y.T), (x[0], y), (x.astype(np.float64), y)):
        expected = right.copy()
        Backend.axpby(host, 0.5, left, 0.25, expected)
        found = right.copy("K")
        host.axpby(0.5, left, 0.25, found)
        np.testing.assert_array_equal(found, expected)


def test_without_openblas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbtorch.backends.host_sums._axpby", lambda dtype: None)
    y = np.ones(_LONG, np.float32)
    get_backend("cpu").axpby(2.0, y.copy(), 3.0, y)
    assert (y == 5).all()


def test_the_function_is_there_in_numpys_own_wheels() -> None:
    if "openblas" not in str(np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]):
        pytest.skip("another BLAS")
    assert _axpby(np.dtype(np.float32)) is not None
