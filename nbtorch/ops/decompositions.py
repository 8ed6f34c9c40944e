"""Factorisations of matrices: Cholesky, QR, eigenvalues of symmetric matrices, singular values.

Derivatives: Cholesky from Murray 2016 ("Differentiation of the Cholesky decomposition"), QR from Roberts and Roberts
2020 ("QR and LQ decomposition matrix backpropagation algorithms for square, wide, and deep matrices"), the symmetric
eigenvalue problem from Giles 2008 ("Collected matrix derivative results for forward and reverse mode algorithmic
differentiation"), the singular value decomposition from Townsend 2016 ("Differentiating the singular value
decomposition"). Vectors are unique only up to a sign, so only functions that don't depend on it have a derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import TensorT, Variable
from .exact_out import takes_exact_out
from .matrices import (
    LinAlgError,
    diagonal_matrix,
    eye_like,
    mT,
    named,
    raise_where_failed,
    require_matrix,
    require_real,
)
from .operands import require_tensor
from .record import Op, apply
from .writing import takes_out

__all__ = ["cholesky", "geqrf", "qr", "svd"]

# -- Cholesky ---


def _cholesky(m: Any, A: Any, upper: bool) -> Any:
    L, info = m.linalg_cholesky_ex(A.swapaxes(-2, -1) if upper else A)
    return (L.swapaxes(-2, -1) if upper else L), info


def _cholesky_input(m: Any, g: Any, out: Any, upper: bool) -> Any:
    L, g = (mT(m, out[0]), mT(m, g[0])) if upper else (out[0], g[0])
    inner = m.tril(m.matmul(mT(m, L), g))
    # Only the lower triangle was read, but the gradient is that of a symmetric matrix.
    inner = (inner + mT(m, m.tril(inner, -1))) * 0.5
    inner = m.linalg_solve_triangular(mT(m, L), inner, upper=True)
    return m.linalg_solve_triangular(L, inner, upper=False, left=False)


CHOLESKY_EX = Op(
    "linalg_cholesky_ex",
    _cholesky,
    outputs=2,
    A=_cholesky_input,
    formula=r"\bar A = \tfrac12 L^{-\top}\,\Phi(L^\top \bar L)\,L^{-1},\quad \Phi(X) = X_\triangle + X_\triangle^\top "
    r"- \mathrm{diag}\,X",
)
_NOT_DEFINITE = (
    "The factorization could not be completed because the input is not positive-definite (the leading minor of order "
    "{info} is not positive-definite)."
)


def _cholesky_ex(function: str, A: Any, upper: bool) -> Any:
    require_matrix(function, A, square=True)
    require_real(function, A, "cholesky_cpu", ints=function == "cholesky")
    return apply(CHOLESKY_EX, (A,), (bool(upper),))


@takes_exact_out
@CHOLESKY_EX
def linalg_cholesky_ex(A: Any, *, upper: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """The triangular L of ``A = L Lᵀ`` (or U of ``Uᵀ U``) and ``info``: 0, or the order of the minor that failed.

    Raises:
        LinAlgError: with ``check_errors``, where a matrix is not positive-definite.
    """
    L, info = _cholesky_ex("linalg.cholesky", A, upper)
    if check_errors:
        raise_where_failed("torch.linalg.cholesky_ex", info, _NOT_DEFINITE)
    return named("linalg_cholesky_ex", L=L, info=info)


@takes_exact_out
def linalg_cholesky(A: TensorT, *, upper: bool = False, out: Any = None) -> TensorT:
    """The triangular L of ``A = L Lᵀ`` for positive-definite matrices, shape (*, n, n); U of ``Uᵀ U`` if ``upper``.

    Raises:
        LinAlgError: where a matrix is not positive-definite.
    """
    L, info = _cholesky_ex("linalg.cholesky", A, upper)
    raise_where_failed("linalg.cholesky", info, _NOT_DEFINITE)
    return L


@takes_out
def cholesky(input: TensorT, upper: bool = False, *, out: Any = None) -> TensorT:
    """As ``linalg.cholesky``, of which it is the older name."""
    L, info = _cholesky_ex("cholesky", input, upper)
    raise_where_failed("cholesky", info, _NOT_DEFINITE)
    return L


# -- QR ---


def _qr_input(m: Any, g: Any, A: Any, out: Any, mode: str) -> Any:
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
            "linalg.qr(A, mode='reduced') if you are going to require gradients."
        )
    (gQ, gR), (Q, R) = g, out
    rows, columns = A.shape[-2:]
    if mode == "complete" and rows > columns:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols\n"
            "  why: the last columns of Q are any that complete a basis\n  fix: mode='reduced'"
        )
    if rows >= columns:
        return _qr_tall(m, gQ, gR, Q, R)
    # A = [X Y] with X square: X = Q U, and V = Qᵀ Y.
    Y, U = A[..., rows:], R[..., :rows]
    gU = gV = None
    if gR is not None:
        gU, gV = gR[..., :rows], gR[..., rows:]
        from_v = m.matmul(Y, mT(m, gV))
        gQ = from_v if gQ is None else gQ + from_v
    gX = _qr_tall(m, gQ, gU, Q, U)
    gY = m.matmul(Q, gV) if gV is not None else Y * 0
    return m.cat((gX, gY), A.ndim - 1)


def _qr_tall(m: Any, gQ: Any, gR: Any, Q: Any, R: Any) -> Any:
    inner = None
    if gR is not None:
        inner = m.matmul(gR, mT(m, R))
    if gQ is not None:
        from_q = m.matmul(mT(m, Q), gQ)
        inner = -from_q if inner is None else inner - from_q
    lifted = m.triu(inner) + mT(m, m.triu(inner, 1))
    product = m.matmul(Q, lifted)
    if gQ is not None:
        product = product + gQ
    return m.linalg_solve_triangular(mT(m, R), product, upper=False, left=False)


QR = Op(
    "linalg_qr",
    lambda m, A, mode: m.linalg_qr(A, mode),
    outputs=2,
    materializes=False,
    A=_qr_input,
    formula=r"\bar A = \left[\bar Q + Q\,\mathrm{copyltu}(\bar R R^\top - Q^\top \bar Q)^{\!\top}\right] R^{-\top}",
)


@takes_exact_out
@QR
def linalg_qr(A: Any, mode: str = "reduced", *, out: Any = None) -> Any:
    """``A = Q R`` with orthonormal columns of Q and R upper triangular; A has shape (*, m, n), k = min(m, n).

    Args:
        mode: "reduced" for Q (*, m, k) and R (*, k, n), "complete" for (*, m, m) and (*, m, n), "r" for R alone.

    Raises:
        RuntimeError: for another mode, and for what is not a floating matrix.
    """
    require_matrix("linalg.qr", A)
    require_real("linalg.qr", A, "geqrf_cpu")
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    Q, R = apply(QR, (A,), (mode,))
    return named("linalg_qr", Q=Q, R=R)


@takes_exact_out
def qr(input: Any, some: bool = True, *, out: Any = None) -> Any:
    """As ``linalg.qr``: reduced if ``some``, else complete."""
    Q, R = linalg_qr(input, "reduced" if some else "complete")
    return named("qr", Q=Q, R=R)


# -- eigenvalues of symmetric matrices ---


def _eigh(m: Any, A: Any, UPLO: str) -> Any:
    try:
        return m.linalg_eigh(A, UPLO)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "linalg.eigh: The algorithm failed to converge because the input matrix is ill-conditioned or has too many "
            "repeated eigenvalues (error code: 1).\n  fix: look for NaN and infinity in the matrix"
        ) from None


def _eigh_input(m: Any, g: Any, out: Any) -> Any:
    (gL, gV), (L, V) = g, out
    if gV is None:
        return m.matmul(V * gL[..., None, :], mT(m, V))
    inner = m.matmul(mT(m, V), gV)
    # V stays orthogonal: only the antisymmetric part moves it.
    inner = (inner - mT(m, inner)) * 0.5 / (L[..., None, :] - L[..., :, None] + eye_like(m, L, L.shape[-1]))
    if gL is not None:
        inner = inner + diagonal_matrix(m, gL)
    return m.matmul(V, m.matmul(inner, mT(m, V)))


EIGH = Op(
    "linalg_eigh",
    _eigh,
    outputs=2,
    materializes=False,
    A=_eigh_input,
    formula=r"\bar A = V\left(\mathrm{diag}\,\bar\lambda + \frac{\mathrm{skew}(V^\top \bar V)}{\lambda_j - \lambda_i}"
    r"\right)V^\top",
)


@takes_exact_out
@EIGH
def linalg_eigh(A: Any, UPLO: str = "L", *, out: Any = None) -> Any:
    """The eigenvalues, ascending, and the eigenvectors (as columns) of symmetric matrices, shape (*, n, n).

    Args:
        UPLO: which triangle is read, "L" or "U".

    Raises:
        RuntimeError: for another triangle, and for what is not a square floating matrix.
        LinAlgError: where the matrix is not finite.
    """
    require_matrix("linalg.eigh", A, square=True)
    require_real("linalg.eigh", A, "linalg_eigh_cpu", ints=True)
    side = str(UPLO).upper()
    if side not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    values, vectors = apply(EIGH, (A,), (side,))
    return named("linalg_eigh", eigenvalues=values, eigenvectors=vectors)


@takes_exact_out
def linalg_eigvalsh(A: TensorT, UPLO: str = "L", *, out: Any = None) -> TensorT:
    """The eigenvalues of symmetric matrices, ascending."""
    return linalg_eigh(A, UPLO)[0]


def linalg_eig(A: Any) -> Any:
    """Not there: the eigenvalues of a matrix that is not symmetric are complex numbers."""
    raise _complex("eig")


def linalg_eigvals(A: Any) -> Any:
    """Not there: the eigenvalues of a matrix that is not symmetric are complex numbers."""
    raise _complex("eigvals")


def _complex(name: str) -> NotImplementedError:
    return NotImplementedError(
        f"linalg.{name} gives complex numbers, which nbtorch doesn't have\n"
        f"  fix: torch.linalg.{'eigh' if name == 'eig' else 'eigvalsh'}(A) where A is symmetric (its eigenvalues are "
        f"real); numpy.linalg.{name}(A.detach().cpu().numpy()) elsewhere"
    )


# -- singular values ---


def _svd(m: Any, A: Any, full_matrices: bool) -> Any:
    try:
        return m.linalg_svd(A, full_matrices)
    except np.linalg.LinAlgError:
        raise LinAlgError(_NOT_FINITE) from None


_NOT_FINITE = (
    "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values.\n"
    "  fix: look for NaN and infinity in the matrix"
)


def _skew(m: Any, x: Any) -> Any:
    return x - mT(m, x)


def _svd_input(m: Any, g: Any, out: Any, full_matrices: bool) -> Any:
    (gU, gS, gVh), (U, S, Vh) = g, out
    k = S.shape[-1]
    if full_matrices:  # what completes the bases is arbitrary and has no derivative
        U, Vh = U[..., :k], Vh[..., :k, :]
        gU = None if gU is None else gU[..., :k]
        gVh = None if gVh is None else gVh[..., :k, :]
    if gU is None and gVh is None:
        return m.matmul(U * gS[..., None, :], Vh)
    squares = S * S
    gaps = squares[..., None, :] - squares[..., :, None] + eye_like(m, S, k)
    inner = None
    if gU is not None:
        inner = _skew(m, m.matmul(mT(m, U), gU)) / gaps * S[..., None, :]
    if gVh is not None:
        from_v = S[..., :, None] * (_skew(m, m.matmul(Vh, mT(m, gVh))) / gaps)
        inner = from_v if inner is None else inner + from_v
    if gS is not None:
        inner = inner + diagonal_matrix(m, gS)
    if U.shape[-2] > k and gU is not None:
        scaled = gU / S[..., None, :]
        left = m.matmul(U, inner - m.matmul(mT(m, U), scaled)) + scaled
        return m.matmul(left, Vh)
    if Vh.shape[-1] > k and gVh is not None:
        scaled = gVh / S[..., :, None]
        return m.matmul(U, m.matmul(inner - m.matmul(scaled, mT(m, Vh)), Vh) + scaled)
    return m.matmul(U, m.matmul(inner, Vh))


SVD = Op(
    "linalg_svd",
    _svd,
    outputs=3,
    materializes=False,
    A=_svd_input,
    formula=r"\bar A = U\left(\frac{\mathrm{skew}(U^\top \bar U)}{E}\,\Sigma + "
    r"\Sigma\,\frac{\mathrm{skew}(V^\top \bar V)}{E} + \bar\Sigma\right)V^\top + "
    r"(I - UU^\top)\,\bar U\,\Sigma^{-1} V^\top + U\,\Sigma^{-1}\bar V^\top(I - VV^\top)"
    r",\quad E_{ij} = \sigma_j^2 - \sigma_i^2",
)


@takes_exact_out
@SVD
def linalg_svd(A: Any, full_matrices: bool = True, *, driver: str | None = None, out: Any = None) -> Any:
    """``A = U diag(S) Vh``, singular values descending; A has shape (*, m, n), k = min(m, n).

    Args:
        full_matrices: square U (*, m, m) and Vh (*, n, n); else (*, m, k) and (*, k, n).
        driver: PyTorch's choice of an algorithm on a GPU; has to be None here.

    Raises:
        RuntimeError: for what is not a floating matrix, and for a driver.
        LinAlgError: where the matrix is not finite.
    """
    _require_svd(A, driver)
    U, S, Vh = apply(SVD, (A,), (bool(full_matrices),))
    return named("linalg_svd", U=U, S=S, Vh=Vh)


def _require_svd(A: Any, driver: str | None) -> None:
    require_matrix("linalg.svd", A)
    require_real("linalg.svd", A, "linalg_svd_cpu")
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )


SVDVALS = Op("linalg_svdvals", lambda m, A: _svdvals(m, A))


def _svdvals(m: Any, A: Any) -> Any:
    try:
        return m.linalg_svdvals(A)
    except np.linalg.LinAlgError:
        raise LinAlgError(_NOT_FINITE) from None


@takes_exact_out
def linalg_svdvals(A: TensorT, *, driver: str | None = None, out: Any = None) -> TensorT:
    """The singular values, descending: shape (*, min(m, n)). Without a gradient to compute, U and V are not found."""
    _require_svd(A, driver)
    if A.requires_grad:
        return linalg_svd(A, False)[1]
    return apply(SVDVALS, (A,))


@takes_exact_out
def svd(input: Any, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """As ``linalg.svd``, with V instead of its transpose; reduced if ``some``; U, V are 0 without ``compute_uv``."""
    require_tensor("svd", "input", input)
    if input._array.ndim < 2:
        raise RuntimeError(
            f"linalg.svd: input should have at least 2 dimensions, but has {input._array.ndim} dimensions instead"
        )
    if not compute_uv:
        *batch, rows, columns = input._array.shape
        U, V = input.new_zeros((*batch, rows, rows)), input.new_zeros((*batch, columns, columns))
        return named("svd", U=U, S=linalg_svdvals(input), V=V)
    U, S, Vh = linalg_svd(input, not some)
    return named("svd", U=U, S=S, V=Vh.transpose(-2, -1))


# -- QR as LAPACK keeps it ---


def no_derivative(m: Any, g: Any) -> Any:
    """The derivative of what PyTorch doesn't differentiate either: backward raises, the value is free to be used."""
    raise NotImplementedError(
        "the derivative of this factorization is not implemented (in PyTorch neither)\n"
        "  fix: linalg.qr() and linalg.solve() have one"
    )


GEQRF = Op("geqrf", lambda m, input: m.geqrf(input), outputs=2, input=no_derivative, formula=r"\text{none}")


@takes_exact_out
@GEQRF
def geqrf(input: Any, *, out: Any = None) -> Any:
    """QR as LAPACK keeps it: ``a`` with R on and above the diagonal and Householder vectors below, and ``tau``.

    ``linalg.householder_product(a, tau)`` makes Q of it. It has no derivative; ``linalg.qr`` has.
    """
    require_tensor("geqrf", "input", input)
    if input._array.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    require_real("geqrf", input, "geqrf_cpu", ints=True)
    a, tau = apply(GEQRF, (input,))
    return named("geqrf", a=a, tau=tau)


class DecompositionMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    def cholesky(self: TensorT, upper: bool = False) -> TensorT:
        """As ``torch.cholesky``."""
        return cholesky(self, upper)

    def qr(self, some: bool = True) -> Any:
        """As ``torch.qr``."""
        return qr(self, some)

    def svd(self, some: bool = True, compute_uv: bool = True) -> Any:
        """As ``torch.svd``."""
        return svd(self, some, compute_uv)

    def geqrf(self) -> Any:
        """As ``torch.geqrf``."""
        return geqrf(self)
