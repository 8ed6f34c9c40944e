"""The special functions are right to the last places, on every backend and in every floating dtype."""

from __future__ import annotations

import math
from typing import Any

import helpers
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


torch = helpers.import_torch()

EVERYWHERE = np.concatenate(
    [np.linspace(-25, 25, 2001), np.logspace(-300, 300, 301), -np.logspace(-300, 15, 301), [0, -0.0]]
)
UNIT = np.concatenate([np.linspace(-0.999, 0.999, 1001), 1 - np.logspace(-15, -1, 101), np.logspace(-300, -1, 101)])
ENDS = np.array([0.0, 1.0, -1.0, 2.0, -2.0, np.inf, -np.inf, np.nan])
# The name, where it is compared, and how far it may be from PyTorch's value: relative to it, or to 1 if that is larger.
ACCURACY: dict[str, tuple[Any, float]] = {
    "erfc": (EVERYWHERE, 2e-15),
    "erfcx": (EVERYWHERE[EVERYWHERE > -26], 1e-13),
    "erfinv": (UNIT, 2e-15),
    "ndtri": (UNIT, 2e-15),
    "ndtr": (EVERYWHERE, 2e-15),
    "log_ndtr": (EVERYWHERE, 4e-15),
    "i0": (EVERYWHERE, 2e-14),
    "i0e": (EVERYWHERE, 2e-14),
    "i1": (EVERYWHERE, 4e-14),
    "i1e": (EVERYWHERE, 4e-14),
    "gammaln": (EVERYWHERE, 1e-13),
    "psi": (EVERYWHERE, 1e-11),
    "sinc": (EVERYWHERE[np.abs(EVERYWHERE) < 30], 1e-15),
}
_OURS = {"gammaln": "lgamma", "psi": "digamma"}


def close(actual: Any, expected: Any, tolerance: float) -> None:
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite])
    error = np.abs(actual[finite] - expected[finite]) / np.maximum(np.abs(expected[finite]), 1)
    assert error.max() <= tolerance


@pytest.mark.parametrize("where", ["cpu", "strict"])
@pytest.mark.parametrize("name", ACCURACY)
def test_a_special_function_is_as_accurate_as_pytorchs(where: str, name: str) -> None:
    numbers, tolerance = ACCURACY[name]
    x = np.concatenate([numbers, ENDS])
    expected = getattr(torch.special, name)(torch.from_numpy(x)).numpy()
    backend = get_backend(where)
    with np.errstate(all="ignore"):
        actual = backend.to_host(getattr(backend, _OURS.get(name, name))(backend.from_host(x)))
    close(actual, expected, tolerance)


def test_the_incomplete_gamma_functions() -> None:
    a, x = (g.ravel() for g in np.meshgrid(np.logspace(-3, 4, 60), np.logspace(-3, 4, 60)))
    a, x = np.concatenate([a, a]), np.concatenate([x, a * (1 + 0.5 * np.sin(np.arange(a.size)))])  # and x near a
    backend = get_backend("cpu")
    with np.errstate(all="ignore"):
        low, high = backend.igamma(a, x), backend.igammac(a, x)
    # PyTorch's own uniform expansion is good to 5e-10.
    close(low, torch.igamma(torch.from_numpy(a), torch.from_numpy(x)).numpy(), 1e-9)
    close(high, torch.igammac(torch.from_numpy(a), torch.from_numpy(x)).numpy(), 1e-9)
    np.testing.assert_allclose(low + high, 1, rtol=1e-13)


def test_the_incomplete_gamma_functions_of_whole_numbers() -> None:
    """``igammac(n, x)`` is the probability of fewer than n events of Poisson's distribution: a finite sum."""
    backend = get_backend("cpu")
    for n in (1, 5, 21, 40, 90):
        for x in (0.1, 0.8 * n, 1.0 * n, 1.25 * n, 2.0 * n):
            exact = math.fsum(math.exp(k * math.log(x) - x - math.lgamma(k + 1)) for k in range(n))
            upper = backend.igammac(np.array([float(n)]), np.array([x]))[0]
            assert abs(upper - exact) <= 5e-14, (n, x)


def test_the_derivatives_of_the_logarithm_of_gamma() -> None:
    x = np.concatenate([np.linspace(-9.9, 30, 400), [np.nan]])
    backend = get_backend("cpu")
    with np.errstate(all="ignore"):
        for n in range(5):
            expected = torch.polygamma(n, torch.from_numpy(x)).numpy()
            # PyTorch's own trigamma is good to 1e-9.
            np.testing.assert_allclose(backend.polygamma(n, x), expected, rtol=1e-10 if n != 1 else 1e-8)


def test_zeta_of_hurwitz() -> None:
    backend = get_backend("cpu")
    s, q = np.array([2.0, 3.0, 4.0, 2.0]), np.array([1.0, 0.5, 2.0, -0.5])
    exact = [math.pi**2 / 6, 7 * 1.2020569031595942, math.pi**4 / 90 - 1, math.pi**2 / 2 + 4]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(backend.zeta(s, q), exact, rtol=1e-14)
        assert backend.zeta(np.array([1.0, 2.0, 2.5]), np.array([3.0, 0.0, -1.0])).tolist() == [math.inf] * 3
        assert np.isnan(backend.zeta(np.array([0.5, 2.5]), np.array([3.0, -1.5]))).all()
