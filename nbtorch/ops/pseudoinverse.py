"""Where no inverse exists: the pseudoinverse, least squares, the rank, and low-rank approximations.

The derivative of the pseudoinverse is from Golub and Pereyra 1973 ("The differentiation of pseudo-inverses and
nonlinear least squares problems whose variables separate"); it holds while the rank stays what it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import TensorT, Variable, wrap
from .creation import empty
from .decompositions import linalg_eigvalsh, linalg_qr, linalg_svd, linalg_svdvals
from .exact_out import takes_exact_out
from .linalg import matmul
from .matrices import (
    LinAlgError,
    broadcast_batch,
    mT,
    named,
    require_matrix,
    require_real,
    require_same,
    type_name,
)
from .operands import require_tensor
from .random import randn
from .record import Op, apply
from .writing import takes_out

__all__: list[str] = ["pca_lowrank", "pinverse", "svd_lowrank"]


def _epsilon(A: Any) -> float:
    return float(np.finfo(A._array.dtype).eps) * max(A._array.shape[-2:])


def _tolerance(function: str, value: Any, A: Any) -> Any:
    """A tolerance as a number, or as an array to compare with the singular values of each matrix."""
    if isinstance(value, Variable):
        if value._array.dtype.kind == "c":
            raise RuntimeError(f"{function}: a tolerance must not be complex")
        return A._backend.astype(value._array, A._array.dtype)[..., None]
    return value


def _tolerances(function: str, A: Any, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """The absolute tolerance, 0 unless given; the relative one, by the precision unless either is given."""
    epsilon = _epsilon(A)
    if atol is None:
        absolute: Any = 0.0
        relative = epsilon if rtol is None else _tolerance(function, rtol, A)
        return absolute, relative
    absolute = _tolerance(function, atol, A)
    if rtol is not None:
        return absolute, _tolerance(function, rtol, A)
    if isinstance(atol, Variable):
        m = A._backend
        return absolute, m.astype(m.where(absolute > 0, 0.0, epsilon), A._array.dtype)
    return absolute, 0.0 if atol > 0 else epsilon


def _threshold(m: Any, S: Any, atol: Any, rtol: Any) -> Any:
    """What a singular value must exceed to count."""
    largest = m.amax(S, (S.ndim - 1,), True) if S.shape[-1] else m.zeros((*S.shape[:-1], 1), S.dtype)
    return m.maximum(m.as_array(largest * rtol), atol)


# -- pseudoinverse ---


def _pinv(m: Any, A: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    try:
        if hermitian:
            L, V = m.linalg_eigh(A, "L")
            size = m.abs(L)
            U, S, Vh = V, L, V.swapaxes(-2, -1)
        else:
            U, S, Vh = m.linalg_svd(A, False)
            size = S
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values."
        ) from None
    counts = size > _threshold(m, size, atol, rtol)
    inverted = m.where(counts, 1 / m.where(counts, S, m.ones((), S.dtype)), m.zeros((), S.dtype))
    return m.matmul(m.as_array(Vh.swapaxes(-2, -1) * inverted[..., None, :]), U.swapaxes(-2, -1))


def _pinv_input(m: Any, g: Any, A: Any, out: Any) -> Any:
    rows, columns = A.shape[-2:]
    Yt, gt = mT(m, out), mT(m, g)
    if rows <= columns:
        K = m.matmul(gt, out)
        KYt = m.matmul(K, Yt)
        return (
            KYt
            - mT(m, m.matmul(out, K))
            - m.matmul(m.matmul(A, out), KYt)
            + m.matmul(m.matmul(Yt, out), gt - m.matmul(K, A))
        )
    K = m.matmul(out, gt)
    YtK = m.matmul(Yt, K)
    return (
        YtK
        - mT(m, m.matmul(K, out))
        + m.matmul(m.matmul(gt - m.matmul(A, K), out), Yt)
        - m.matmul(m.matmul(YtK, out), A)
    )


PINV = Op(
    "linalg_pinv",
    _pinv,
    A=_pinv_input,
    formula=r"\mathrm d A^+ = -A^+\,\mathrm dA\,A^+ + A^+A^{+\top}\,\mathrm dA^\top(I - AA^+) + (I - A^+A)\,\mathrm "
    r"dA^\top A^{+\top}A^+",
)


@takes_out
@PINV
def linalg_pinv(
    A: TensorT, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> TensorT:
    """The pseudoinverse (Moore and Penrose) of matrices (*, m, n): shape (*, n, m).

    Args:
        rcond: an older name of ``rtol``.
        hermitian: the matrices are symmetric; the lower triangle is read.
        atol: singular values up to this count as zero; 0 unless given.
        rtol: or up to this part of the largest; max(m, n) * eps unless given.

    Raises:
        RuntimeError: for what is not a floating matrix.
        LinAlgError: where the matrix is not finite.
    """
    require_tensor("linalg.pinv", "A", A)
    if rcond is not None and rtol is not None:
        raise TypeError("linalg_pinv() received both rcond and rtol, which are two names of one thing")
    rtol = rcond if rtol is None else rtol
    if A._array.ndim < 2 or type_name(A) not in ("Float", "Double"):
        raise RuntimeError(
            f"linalg.pinv({type_name(A)}{{{list(A._array.shape)}}}): expected a tensor with 2 or more dimensions of "
            "float, double, cfloat or cdouble types"
        )
    hermitian = hermitian and bool(A._array.size)  # of nothing there are no eigenvalues to ask for
    if hermitian:
        require_matrix("linalg.eigh", A, square=True)
    absolute, relative = _tolerances("linalg.pinv", A, atol, rtol)
    return apply(PINV, (A,), (absolute, relative, bool(hermitian)))


def pinverse(input: TensorT, rcond: float = 1e-15) -> TensorT:
    """As ``linalg.pinv``."""
    return linalg_pinv(input, rcond)


@takes_out
def linalg_matrix_rank(
    A: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> Any:
    """How many singular values are larger than ``max(atol, rtol * largest)``: int64, shape (*).

    Args:
        tol: an older name of ``atol``; no relative tolerance then.
        hermitian: the matrices are symmetric; the lower triangle is read.
        atol: 0 unless given.
        rtol: max(m, n) * eps unless given.
    """
    require_matrix("torch.linalg.matrix_rank", A, "input")
    if type_name(A) not in ("Float", "Double"):
        raise RuntimeError("This function doesn't handle types other than float and double")
    if tol is not None:
        atol, rtol = tol, 0.0
    m = A._backend
    A = A.detach()
    if hermitian and A._array.size:
        require_matrix("linalg.eigh", A, square=True)
        S = m.abs(linalg_eigvalsh(A)._array)
    else:
        S = linalg_svdvals(A)._array
    absolute, relative = _tolerances("linalg.matrix_rank", A, atol, rtol)
    counts = m.as_array(_threshold(m, S, absolute, relative) < S)
    return wrap(m.as_array(m.sum(counts, (counts.ndim - 1,), False, np.int64)), m, A._result_class)


# -- least squares ---

_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


@takes_exact_out
def linalg_lstsq(A: Any, B: Any, rcond: float | None = None, *, driver: str | None = None, out: Any = None) -> Any:
    """The X for which ``|A X - B|`` is least, and of those the least itself.

    Args:
        A: shape (*, m, n).
        B: shape (*, m, k), or vectors (*, m).
        rcond: singular values up to this part of the largest count as zero; max(m, n) * eps unless given.
        driver: PyTorch's choice among algorithms of LAPACK; here all are one, by singular values, and the name decides
            only which of the other results are given, as in PyTorch.

    Returns:
        (solution, residuals, rank, singular_values).

    Raises:
        RuntimeError: where shapes or dtypes don't fit, and for an unknown driver.
    """
    function = "torch.linalg.lstsq"
    require_tensor(function, "A", A)
    require_tensor(function, "B", B)
    if A._array.ndim < 2:
        raise RuntimeError(f"{function}: input must have at least 2 dimensions.")
    if B._array.ndim < 1:
        raise RuntimeError(f"{function}: other must have at least 1 dimension.")
    require_same(
        function, A, B, "input", "other",
        f"{function}: Expected input and other to have the same dtype, but got input's dtype {type_name(A)} and "
        f"other's dtype {type_name(B)}",
    )  # fmt: skip
    if type_name(A) not in ("Float", "Double"):
        raise RuntimeError("This function doesn't handle types other than float and double")
    if not (0 <= A._array.ndim - B._array.ndim <= 1):
        raise RuntimeError(f"{function}: input.dim() must be greater or equal to other.dim() and (input.dim() - "
                           "other.dim()) <= 1")  # fmt: skip
    driver = "gelsy" if driver is None else driver
    if driver not in _DRIVERS:
        raise RuntimeError(f"{function}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")
    vector = A._array.ndim - B._array.ndim == 1
    if vector:
        B = B.unsqueeze(-1)
    rows, columns = A._array.shape[-2:]
    if B._array.shape[-2] != rows:
        raise RuntimeError(
            f"{function}: input.size(-2) should match other.size(-2)\n  got: shapes {tuple(A._array.shape)} and "
            f"{tuple(B._array.shape)}"
        )
    broadcast_batch(function, A, B)
    relative = _epsilon(A) if rcond is None else float(rcond)
    # "gels" takes the matrix for one of full rank and looks at no tolerance.
    X = matmul(linalg_pinv(A, rtol=0.0 if driver == "gels" else relative), B)
    rank = empty((0,), dtype=_int64(), device=A._backend.device)
    values = A.detach().new_empty((0,))
    full = True
    if driver != "gels":
        found = linalg_svdvals(A.detach())
        rank = linalg_matrix_rank(A, rtol=relative) * (1 if B._array.shape[-1] else 0)
        values = found if driver in ("gelsd", "gelss") else values
        full = bool((rank == columns).all())
    if rows > columns and driver != "gelsy" and full:
        error = matmul(A, X) - B
        residuals = (error * error).sum(-2)
    else:
        residuals = X.new_empty((0,)) + X.sum() * 0 if X.requires_grad else X.new_empty((0,))
    if vector:
        X = X.squeeze(-1)
    return named("linalg_lstsq", solution=X, residuals=residuals, rank=rank, singular_values=values)


def _int64() -> Any:
    from ..backends.dtypes import int64

    return int64


# -- low rank ---


def _basis(A: Any, q: int, niter: int, M: Any) -> Any:
    """A basis of about the range of ``A - M``: its image of ``q`` random vectors, and ``niter`` powers of it."""

    def times(x: Any, transposed: bool) -> Any:
        product = matmul(A.transpose(-2, -1) if transposed else A, x)
        if M is not None:
            product = product - matmul(M.transpose(-2, -1) if transposed else M, x)
        return product

    Q = linalg_qr(times(randn(A._array.shape[-1], q, dtype=A._dtype(), device=A._backend.device), False))[0]
    for _ in range(niter):
        Q = linalg_qr(times(Q, True))[0]
        Q = linalg_qr(times(Q, False))[0]
    return Q


def svd_lowrank(A: Any, q: int | None = 6, niter: int | None = 2, M: Any = None) -> Any:
    """U, S and V of ``A - M`` about to rank ``q``, by a random projection (Halko, Martinsson and Tropp 2009, 5.1).

    Args:
        A: shape (*, m, n).
        q: a little more than the rank that is looked for.
        niter: power iterations, which help where singular values fall slowly.
        M: subtracted from A; broadcast to its shape.
    """
    require_matrix("svd_lowrank", A)
    require_real("svd_lowrank", A, "geqrf_cpu")
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    rows, columns = A._array.shape[-2:]
    if M is not None:
        M = M.expand(tuple(A._array.shape))
    wide = rows < columns
    if wide:
        A, M = A.transpose(-2, -1), None if M is None else M.transpose(-2, -1)
    Q = _basis(A, q, niter, M)
    small = matmul(Q.transpose(-2, -1), A)
    if M is not None:
        small = small - matmul(Q.transpose(-2, -1), M)
    U, S, Vh = linalg_svd(small, False)
    U, V = matmul(Q, U), Vh.transpose(-2, -1)
    return (V, S, U) if wide else (U, S, V)


def pca_lowrank(A: Any, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """The principal components of the rows of A: ``svd_lowrank`` of A, its columns centred first unless told not to.

    Args:
        A: shape (*, m, n): m samples of n features.
        q: about the rank; min(6, m, n) unless given.

    Raises:
        ValueError: for a ``q`` beyond min(m, n), or a negative ``niter``.
    """
    require_matrix("pca_lowrank", A)
    rows, columns = A._array.shape[-2:]
    if q is None:
        q = min(6, rows, columns)
    elif not 0 <= q <= min(rows, columns):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(rows, columns)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if center:
        A = A - A.mean(-2, keepdim=True)
    return svd_lowrank(A, q, niter)


class PseudoinverseMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    pinverse = pinverse
