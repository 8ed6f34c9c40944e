"""What the primitives of linear algebra can be given: well-conditioned matrices, alone and in batches."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st


def _numbers(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def square(seed: int) -> Any:
    """A batch of two 3x3 matrices far from singular."""
    return _numbers(seed, 2, 3, 3) + 4 * np.eye(3)


def symmetric(seed: int) -> Any:
    a = square(seed)
    return a @ a.swapaxes(-1, -2)


def factored(seed: int) -> Any:
    return np.linalg.cholesky(symmetric(seed))


def right(seed: int) -> Any:
    return _numbers(seed + 1, 2, 3, 2)


def _case(make: Any) -> Any:
    return st.integers(0, 100).map(make)


MATRIX_CASES: dict[str, Any] = {
    "cholesky_inverse": _case(lambda k: (factored(k), False)),
    "cholesky_solve": _case(lambda k: (right(k), factored(k), False)),
    "eye": st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["float64", "int64"])),
    "geqrf": _case(lambda k: (_numbers(k, 4, 3),)),
    "linalg_cholesky_ex": _case(lambda k: (symmetric(k),)),
    "linalg_det": _case(lambda k: (square(k),)),
    "linalg_eigh": _case(lambda k: (symmetric(k), "L")),
    "linalg_inv_ex": _case(lambda k: (square(k),)),
    "linalg_ldl_factor_ex": _case(lambda k: (symmetric(k),)),
    "linalg_lu_factor_ex": _case(lambda k: (square(k),)),
    "linalg_qr": _case(lambda k: (_numbers(k, 4, 3), ("reduced", "complete", "r")[k % 3])),
    "linalg_slogdet": _case(lambda k: (square(k),)),
    "linalg_solve_ex": _case(lambda k: (square(k), right(k))),
    "linalg_svd": _case(lambda k: (_numbers(k, 2, 4, 3), bool(k % 2))),
    "linalg_svdvals": _case(lambda k: (_numbers(k, 2, 4, 3),)),
    "matrix_exp": _case(lambda k: (square(k) * (k % 5),)),
    "pivots_to_permutation": _case(lambda k: (np.array([[3, 2, 3], [1, 2, 3]], np.int32), 3)),
    "solve_matrices": _case(lambda k: (square(k), right(k))),
}
