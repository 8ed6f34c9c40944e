"""Random permutations are those of exchanging one number after the other."""

from __future__ import annotations

import numpy as np
import pytest

from nbtorch.ops.distributions import _exchanged


@pytest.mark.parametrize("n", [0, 1, 2, 99, 100, 101, 500, 3000])
def test_exchanges_at_once_are_those_one_by_one(n: int) -> None:
    rng = np.random.default_rng(n)
    for most in (n, 3):  # far apart, and many with the same partner
        partners = np.array([rng.integers(i, min(i + most, n)) for i in range(max(n - 1, 0))], np.int64)
        order = list(range(n))
        for i, j in enumerate(partners.tolist()):
            order[i], order[j] = order[j], order[i]
        assert _exchanged(partners, n).tolist() == order
