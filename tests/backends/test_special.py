"""The error function is right to the last places, on every backend and in every floating dtype."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nbtorch.backends import get_backend

X = np.concatenate([np.linspace(-7, 7, 20001), np.logspace(-300, 2, 2000), -np.logspace(-300, 2, 2000)])
EXACT = np.array([math.erf(x) for x in X])


@pytest.mark.parametrize("where", ["cpu", "strict"])
@pytest.mark.parametrize(("dtype", "places"), [("float64", 10), ("float32", 3), ("float16", 0.51)])
def test_erf_is_within_a_few_units_in_the_last_place(where: str, dtype: str, places: float) -> None:
    backend = get_backend(where)
    x = X[np.abs(X) < 1e4].astype(dtype)
    exact = np.array([math.erf(float(v)) for v in x])
    result = backend.to_host(backend.erf(backend.from_host(x)))
    assert result.dtype == x.dtype
    unit = np.spacing(np.maximum(np.abs(exact), np.finfo(dtype).tiny).astype(dtype)).astype(np.float64)
    assert np.max(np.abs(result.astype(np.float64) - exact) / unit) <= places


@pytest.mark.parametrize("where", ["cpu", "strict"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_erf_of_what_is_not_an_ordinary_number(where: str, dtype: str) -> None:
    backend = get_backend(where)
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan], dtype)
    result = backend.to_host(backend.erf(backend.from_host(x)))
    assert result[:4].tolist() == [0, 0, 1, -1] and np.isnan(result[4])
    assert not np.signbit(result[0]) and np.signbit(result[1])


def test_erf_is_odd_and_monotone() -> None:
    backend = get_backend("cpu")
    x = np.linspace(-7, 7, 4001)
    y = backend.erf(x)
    np.testing.assert_array_equal(y, -backend.erf(-x))
    # Neighbouring values may be out of order by their rounding alone.
    assert np.diff(y).min() > -1e-15


def test_erf_keeps_shapes() -> None:
    backend = get_backend("cpu")
    assert backend.erf(np.float32(np.zeros((0, 3)))).shape == (0, 3)
    assert backend.erf(np.zeros((2, 1, 3))).shape == (2, 1, 3)
