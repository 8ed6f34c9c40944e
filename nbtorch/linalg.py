"""Linear algebra: ``torch.linalg``."""

from __future__ import annotations

from typing import Any

from .ops.decompositions import linalg_cholesky as cholesky
from .ops.decompositions import linalg_cholesky_ex as cholesky_ex
from .ops.decompositions import linalg_eig as eig
from .ops.decompositions import linalg_eigh as eigh
from .ops.decompositions import linalg_eigvals as eigvals
from .ops.decompositions import linalg_eigvalsh as eigvalsh
from .ops.decompositions import linalg_qr as qr
from .ops.decompositions import linalg_svd as svd
from .ops.decompositions import linalg_svdvals as svdvals
from .ops.linalg import diagonal as _diagonal
from .ops.linalg import matmul
from .ops.matrices import LinAlgError
from .ops.matrixfunctions import linalg_det as det
from .ops.matrixfunctions import linalg_householder_product as householder_product
from .ops.matrixfunctions import linalg_matrix_power as matrix_power
from .ops.matrixfunctions import linalg_slogdet as slogdet
from .ops.matrixfunctions import matrix_exp
from .ops.norms import linalg_cond as cond
from .ops.norms import linalg_matrix_norm as matrix_norm
from .ops.norms import linalg_norm as norm
from .ops.norms import linalg_vector_norm as vector_norm
from .ops.products import linalg_cross as cross
from .ops.products import linalg_multi_dot as multi_dot
from .ops.products import linalg_vander as vander
from .ops.products import linalg_vecdot as vecdot
from .ops.pseudoinverse import linalg_lstsq as lstsq
from .ops.pseudoinverse import linalg_matrix_rank as matrix_rank
from .ops.pseudoinverse import linalg_pinv as pinv
from .ops.solving import linalg_inv as inv
from .ops.solving import linalg_inv_ex as inv_ex
from .ops.solving import linalg_solve as solve
from .ops.solving import linalg_solve_ex as solve_ex
from .ops.solving import linalg_solve_triangular as solve_triangular
from .ops.solving import linalg_tensorinv as tensorinv
from .ops.solving import linalg_tensorsolve as tensorsolve
from .ops.triangular import linalg_ldl_factor as ldl_factor
from .ops.triangular import linalg_ldl_factor_ex as ldl_factor_ex
from .ops.triangular import linalg_ldl_solve as ldl_solve
from .ops.triangular import linalg_lu as lu
from .ops.triangular import linalg_lu_factor as lu_factor
from .ops.triangular import linalg_lu_factor_ex as lu_factor_ex
from .ops.triangular import linalg_lu_solve as lu_solve

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
    "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex", "ldl_solve", "lstsq", "lu", "lu_factor",
    "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot",
    "norm", "pinv", "qr", "slogdet", "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv",
    "tensorsolve", "vander", "vecdot", "vector_norm",
]  # fmt: skip


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """As ``torch.diagonal``, of the last two dimensions unless told otherwise."""
    return _diagonal(A, offset, dim1, dim2)
