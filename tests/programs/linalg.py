"""Programs of linear algebra: factorisations, solves, norms, distances, products."""

from __future__ import annotations

from typing import Any

import helpers

import nbtorch
from nbtorch import linalg
from nbtorch.nn import functional as F
from programs.draw import Draw, Program


def _eye(n: int, scale: float = 1.0) -> Any:
    return nbtorch.eye(n, dtype=nbtorch.float64, device=helpers.device_name()) * scale


def _regular(d: Draw, n: int, *batch: int) -> Any:
    """Square matrices far from singular ones."""
    return d(*batch, n, n) + _eye(n, 5.0)


def _spread(d: Draw, rows: int, columns: int) -> Any:
    """A matrix with distinct singular values, far from each other."""
    k = min(rows, columns)
    scale = nbtorch.arange(k, dtype=nbtorch.float64, device=helpers.device_name()) * 4 + 4
    wide = nbtorch.zeros(rows, columns, dtype=nbtorch.float64, device=helpers.device_name())
    wide.diagonal().copy_(scale)
    return d(rows, columns) * 0.4 + wide


def _symmetric(d: Draw, n: int) -> Any:
    x = _spread(d, n, n)
    return x + x.mT


def _positive(d: Draw, n: int, *batch: int) -> Any:
    x = d(*batch, n, n)
    return x @ x.mT + _eye(n, 4.0)


def _svd(d: Draw) -> Any:
    U, S, Vh = linalg.svd(_spread(d, 3, 2), full_matrices=False)
    V = linalg.svd(_spread(d, 2, 3), full_matrices=True)
    # Signs of vectors are arbitrary: a function of pairs of them is not.
    return (U * S) @ Vh + (U @ Vh) ** 2 + (V.U @ V.Vh[:2]).sum()


def _eigh(d: Draw) -> Any:
    values, vectors = linalg.eigh(_symmetric(d, 3))
    return vectors**2 @ values + linalg.eigvalsh(_symmetric(d, 2)).sum()


def _qr(d: Draw) -> Any:
    return sum((q @ (r * r)).sum() for q, r in (linalg.qr(_regular(d, 3)), linalg.qr(d(4, 2) + 3 * _eye(4)[:, :2]),
                                                linalg.qr(d(2, 3) + 3 * _eye(2) @ _eye(3)[:2])))  # fmt: skip


def _lu(d: Draw) -> Any:
    wide, tall = d(2, 3), d(3, 2)
    factors = [linalg.lu_factor(_regular(d, 3))[0]]
    factors.append(linalg.lu_factor(wide + 5 * _eye(3)[:2])[0])
    factors.append(linalg.lu_factor(tall + 5 * _eye(3)[:, :2])[0])
    P, L, U = linalg.lu(_regular(d, 2))
    return sum((f * f).sum() for f in factors) + (P @ L * U).sum()


def _ldl(d: Draw) -> Any:
    A = [[1.0, 2.0, 0.5], [2.0, 0.3, -1.0], [0.5, -1.0, 2.0]]
    LD, pivots = linalg.ldl_factor(nbtorch.tensor(A, dtype=nbtorch.float64, device=helpers.device_name()))
    return linalg.ldl_solve(LD, pivots, d(3, 2))


def _solved(d: Draw) -> Any:
    A = _regular(d, 3, 2)
    return linalg.solve(A, d(3, 2)) + linalg.solve(A, d(2, 2, 3), left=False).mT + linalg.solve(A[0], d(3))[:, None]


def _triangular(d: Draw) -> Any:
    upper = linalg.solve_triangular(_regular(d, 3, 2), d(3, 2), upper=True)
    lower = linalg.solve_triangular(_regular(d, 2), d(3, 2), upper=False, left=False, unitriangular=True)
    return upper + lower


def _singular(d: Draw) -> Any:
    """A regular matrix, one of rank n - 1, and both in a batch."""
    regular = d(2, 2, low=1.0) + _eye(2, 4.0)
    column = d(2, 1)
    flat = column @ column.detach().mT
    return linalg.det(regular) + linalg.det(flat) + linalg.det(nbtorch.stack([regular, regular * 2])).sum()


def _norms(d: Draw) -> Any:
    x = d(3, 4)
    total = linalg.vector_norm(x, 1.5) + linalg.vector_norm(x, 3, dim=0).sum() + x.norm() + x.norm(dim=1).sum()
    return total + linalg.vector_norm(x, float("inf"), 1).sum() + linalg.vector_norm(x, 1) + linalg.cond(x[:, :3])


def _distances(d: Draw) -> Any:
    x, y = d(3, 2), d(2, 4, 2) * 0.97 + 0.011  # no two differences are equal, where the maximum has a kink
    total = nbtorch.cdist(x, y).sum()
    for p in (1.0, 1.5, 3.0, float("inf")):
        total = total + nbtorch.cdist(x, y, p).sum()
    return total + F.pdist(x).sum() + F.pairwise_distance(x, y[0, :3]).sum()


PROGRAMS: dict[str, Program] = {
    "linalg_cholesky_ex": lambda d: linalg.cholesky(_positive(d, 3, 2)) + linalg.cholesky(_positive(d, 3), upper=True),
    "linalg_qr": _qr,
    "linalg_eigh": _eigh,
    "linalg_svd": _svd,
    "linalg_lu_factor_ex": _lu,
    "linalg_ldl_solve": _ldl,
    "linalg_solve_ex": _solved,
    "linalg_inv_ex": lambda d: linalg.inv(_regular(d, 3, 2)),
    "linalg_solve_triangular": _triangular,
    "cholesky_solve": lambda d: (
        nbtorch.cholesky_solve(d(3, 2), _regular(d, 3).tril())
        + nbtorch.cholesky_solve(d(3, 2), _regular(d, 3).triu(), upper=True)
    ),
    "cholesky_inverse": lambda d: nbtorch.cholesky_inverse(_regular(d, 3).tril()),
    "linalg_pinv": lambda d: linalg.pinv(_spread(d, 3, 2)).mT + linalg.pinv(_spread(d, 2, 3)).sum(),
    "linalg_det": _singular,
    "linalg_slogdet": lambda d: linalg.slogdet(_regular(d, 3, 2))[1] + nbtorch.logdet(_positive(d, 2)),
    "linalg_matrix_exp": lambda d: nbtorch.matrix_exp(d(2, 2)) + nbtorch.matrix_exp(d(3, 2, 2) * 0.1).sum(),
    "linalg_vector_norm": _norms,
    "cdist": _distances,
    "linalg_cross": lambda d: linalg.cross(d(2, 3), d(1, 3)) + nbtorch.cross(d(3, 3), d(3, 3), dim=0).sum(),
    "addmm": lambda d: nbtorch.addmm(d(4), d(3, 2), d(2, 4), beta=0.5, alpha=2),
    "addmv": lambda d: nbtorch.addmv(d(3), d(3, 2), d(2), beta=0.5, alpha=2),
    "addbmm": lambda d: nbtorch.addbmm(d(3, 4), d(2, 3, 2), d(2, 2, 4), beta=0.5, alpha=2),
    "baddbmm": lambda d: nbtorch.baddbmm(d(3, 4), d(2, 3, 2), d(2, 2, 4), beta=0.5, alpha=2),
    "addr": lambda d: nbtorch.addr(d(2, 1), d(2), d(3), beta=0.5, alpha=2),
}

# Factors and pivots that were found beforehand.
CONSTANT = {"linalg_ldl_solve": {"LD", "pivots"}}
