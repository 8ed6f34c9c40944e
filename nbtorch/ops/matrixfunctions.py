"""Functions of a matrix: determinants, powers, the exponential, and products of Householder reflections.

Derivatives: of the determinant ``det(A) A⁻ᵀ``, the adjugate transposed (Giles 2008, section 2.2.4), of the exponential
the exponential of a block matrix (Mathias 1996; Al-Mohy and Higham 2009, "Computing the Fréchet derivative of the
matrix exponential, with an application to condition number estimation").
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.engine import maths
from ..autograd.variable import TensorT, Variable
from .exact_out import takes_exact_out
from .linalg import matmul
from .matrices import (
    backend_of,
    broadcast_batch,
    constant,
    diagonal_matrix,
    eye_like,
    mT,
    named,
    require_matrix,
    require_real,
    type_name,
)
from .operands import require_tensor
from .pointwise import where
from .record import Op, apply
from .solving import linalg_inv, linalg_solve_triangular
from .writing import takes_out

__all__ = ["det", "logdet", "matrix_exp", "matrix_power", "orgqr", "ormqr", "slogdet"]

# -- determinants ---


def _adjugate(m: Any, g: Any, A: Any) -> Any:
    """The derivative also where no inverse exists: by singular values, each replaced by the product of the others."""
    U, S, Vh = m.linalg_svd(A, True)
    dim = S.ndim - 1
    one = S[..., :1] * 0 + 1
    before = m.cumprod(m.cat((one, S[..., :-1]), dim), dim)
    after = m.flip(m.cumprod(m.flip(m.cat((S[..., 1:], one), dim), (dim,)), dim), (dim,))
    scale = m.linalg_det(U) * m.linalg_det(Vh) * g
    return m.matmul(U * (before * after * scale[..., None])[..., None, :], Vh)


def _regular(m: Any, g: Any, A: Any, out: Any) -> Any:
    d = g * out
    n = A.shape[-1]
    return m.solve_matrices(mT(m, A), diagonal_matrix(m, m.expand(d[..., None], (*tuple(d.shape), n))))


def _det_input(m: Any, g: Any, A: Any, out: Any) -> Any:
    backend = backend_of(m, A)
    host = backend.to_host(out._array if isinstance(out, Variable) else out)
    singular = np.abs(host) < 100 * np.finfo(host.dtype).eps
    if not A.shape[-1] or not singular.any():
        return _regular(m, g, A, out)
    if singular.all():
        return _adjugate(m, g, A)
    # Some are regular, some aren't: each kind by its own formula.
    result = A * 0
    for chosen, formula in ((singular, _adjugate), (~singular, None)):
        index = tuple(constant(A, backend.from_host(i)) for i in np.nonzero(chosen))
        a, b = m.index(A, index), m.index(g, index)
        part = formula(m, b, a) if formula is not None else _regular(m, b, a, m.index(out, index))
        result = m.index_put(result, index, part)
    return result


DET = Op(
    "linalg_det",
    lambda m, A: m.linalg_det(A),
    A=_det_input,
    formula=r"\bar A = \bar d\,\det(A)\,A^{-\top}",
)


@takes_exact_out
@DET
def linalg_det(A: TensorT, *, out: Any = None) -> TensorT:
    """The determinant of square matrices (*, n, n): shape (*). Its gradient is right for singular matrices too."""
    require_matrix("linalg.det", A, square=True)
    require_real("linalg.det", A, "lu_cpu")
    return apply(DET, (A,))


def det(input: TensorT) -> TensorT:
    """As ``linalg.det``."""
    return linalg_det(input)


def _slogdet_input(m: Any, g: Any, A: Any) -> Any:
    d = g[1]  # the sign is constant
    n = A.shape[-1]
    return m.solve_matrices(mT(m, A), diagonal_matrix(m, m.expand(d[..., None], (*tuple(d.shape), n))))


SLOGDET = Op(
    "linalg_slogdet",
    lambda m, A: m.linalg_slogdet(A),
    outputs=2,
    A=_slogdet_input,
    formula=r"\frac{\partial \ln|\det A|}{\partial A} = A^{-\top}",
)


def _slogdet(function: str, A: Any) -> Any:
    require_matrix(function, A, square=True)
    require_real(function, A)
    return apply(SLOGDET, (A,))


@takes_exact_out
@SLOGDET
def linalg_slogdet(A: Any, *, out: Any = None) -> Any:
    """The sign of the determinant and the logarithm of its size: (0, -inf) for a singular matrix."""
    sign, logabsdet = _slogdet("linalg.slogdet", A)
    return named("linalg_slogdet", sign=sign, logabsdet=logabsdet)


@takes_exact_out
def slogdet(input: Any, *, out: Any = None) -> Any:
    """As ``linalg.slogdet``."""
    sign, logabsdet = _slogdet("linalg.slogdet", input)
    return named("slogdet", sign=sign, logabsdet=logabsdet)


def logdet(input: TensorT) -> TensorT:
    """The logarithm of the determinant: NaN where that is negative, -inf where it is 0."""
    sign, logabsdet = _slogdet("logdet", input)
    return where(sign == -1, math.nan, logabsdet)


# -- powers ---


@takes_exact_out
def linalg_matrix_power(A: TensorT, n: int, *, out: Any = None) -> TensorT:
    """The ``n``-th power of square matrices, by squaring; of the inverse where ``n`` is negative.

    Raises:
        TypeError: where ``n`` is not an int.
        LinAlgError: for negative ``n`` where a matrix is singular.
    """
    if isinstance(n, (bool, float)) or not hasattr(n, "__index__"):
        raise TypeError(f"linalg_matrix_power(): argument 'n' (position 2) must be int, not {type(n).__name__}")
    require_matrix("linalg.matrix_power", A, square=True)
    n = n.__index__()
    if n == 0:
        return A.clone().zero_() + eye_like(None, A, A._array.shape[-1])  # type: ignore[attr-defined]
    if n < 0:
        A, n = linalg_inv(A), -n
    if n == 1:
        return A.clone()  # type: ignore[attr-defined]
    result: Any = None
    while n:
        if n & 1:
            result = A if result is None else matmul(result, A)
        n >>= 1
        if n:
            A = matmul(A, A)
    return result


@takes_exact_out
def matrix_power(input: TensorT, n: int, *, out: Any = None) -> TensorT:
    """As ``linalg.matrix_power``."""
    return linalg_matrix_power(input, n)


# -- the exponential ---


def _matrix_exp_input(m: Any, g: Any, A: Any) -> Any:
    # exp [[Aᵀ, G], [0, Aᵀ]] has the derivative of exp at Aᵀ in the direction G in its upper right corner.
    n = A.shape[-1]
    At = mT(m, A)
    last = A.ndim - 1
    block = m.cat((m.cat((At, g), last), m.cat((At * 0, At), last)), last - 1)
    return m.matrix_exp(block)[..., :n, n:]


MATRIX_EXP = Op(
    "linalg_matrix_exp",
    lambda m, A: m.matrix_exp(A),
    A=_matrix_exp_input,
    formula=r"\exp\begin{pmatrix}A^\top & G\\ 0 & A^\top\end{pmatrix} = \begin{pmatrix}e^{A^\top} & \bar A\\ 0 & "
    r"e^{A^\top}\end{pmatrix}",
)


@MATRIX_EXP
def matrix_exp(A: TensorT) -> TensorT:
    """The exponential ``I + A + A²/2! + ...`` of square matrices (*, n, n), by a Padé approximant and squaring."""
    require_matrix("linalg.matrix_exp", A, square=True)
    require_real("linalg.matrix_exp", A, low=True)
    if type_name(A) in ("Half", "BFloat16"):
        return matrix_exp(A.float()).to(A._dtype())  # type: ignore[attr-defined]
    return apply(MATRIX_EXP, (A,))


# -- products of Householder reflections ---


def _reflections(A: Any, tau: Any) -> tuple[Any, Any]:
    """V and T with ``H₁ ... Hₖ = I - V T Vᵀ`` (Schreiber and Van Loan 1989): all reflections as one product."""
    rows = A._array.shape[-2]
    k = tau._array.shape[-1]
    V = A[..., :k].tril(-1) + eye_like(None, A, rows, k)
    products = matmul(V.transpose(-2, -1), V).triu(1)
    D = diagonal_matrix(maths, tau)
    T = linalg_solve_triangular(tau.unsqueeze(-1) * products + eye_like(None, A, k), D, upper=True, unitriangular=True)
    return V, T


def _require_reflections(function: str, A: Any, tau: Any) -> None:
    require_tensor(function, "input", A)
    require_tensor(function, "tau", tau)
    a, t = A._array.shape, tau._array.shape
    if len(a) < 2:
        raise RuntimeError(f"{function}: input must have at least 2 dimensions.")
    if function == "torch.linalg.householder_product" and a[-2] < a[-1]:
        raise RuntimeError(f"{function}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if function == "torch.linalg.householder_product" and t and len(t) == len(a) - 1 and a[-1] < t[-1]:
        raise RuntimeError(f"{function}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if len(t) != len(a) - 1:
        raise RuntimeError(
            f"{function}: Expected tau to have one dimension less than input, but got tau.ndim equal to {len(t)} and "
            f"input.ndim is equal to {len(a)}"
        )
    if tuple(t[:-1]) != tuple(a[:-2]):
        raise RuntimeError(
            f"{function}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(t[:-1])}"
        )
    if A._array.dtype != tau._array.dtype:
        raise RuntimeError(f"{function}: tau dtype {type_name(tau)} does not match input dtype {type_name(A)}")
    require_real(function, A, "orgqr_cpu", ints=True)


@takes_out
def linalg_householder_product(A: TensorT, tau: TensorT, *, out: Any = None) -> TensorT:
    """The first columns of ``H₁ H₂ ... Hₖ``, the Q of ``geqrf``: shape (*, m, n), as A.

    Args:
        A: the vectors below the diagonal, ones on it; shape (*, m, n) with m >= n.
        tau: shape (*, k) with k <= n.
    """
    _require_reflections("torch.linalg.householder_product", A, tau)
    rows, columns = A._array.shape[-2:]
    V, T = _reflections(A, tau)
    product = matmul(V, matmul(T, V[..., :columns, :].transpose(-2, -1)))
    return eye_like(None, A, rows, columns) - product


@takes_out
def orgqr(input: TensorT, tau: TensorT, *, out: Any = None) -> TensorT:
    """As ``linalg.householder_product``."""
    return linalg_householder_product(input, tau)


@takes_exact_out
def ormqr(
    input: TensorT, tau: TensorT, other: TensorT, left: bool = True, transpose: bool = False, *, out: Any = None
) -> TensorT:
    """``Q @ other``, with the square Q that ``geqrf`` keeps as reflections, which is never made.

    Args:
        input: the vectors of the reflections, shape (*, m, k).
        tau: shape (*, k).
        other: the matrix to multiply.
        left: ``other @ Q`` with False.
        transpose: with Qᵀ.
    """
    require_tensor("ormqr", "other", other)
    require_tensor("ormqr", "input", input)
    require_tensor("ormqr", "tau", tau)
    if input._array.ndim < 2:
        raise RuntimeError("torch.ormqr: input must have at least 2 dimensions.")
    if other._array.ndim < 2:
        raise RuntimeError("torch.ormqr: other must have at least 2 dimensions.")
    side = -2 if left else -1
    rows = other._array.shape[side]
    if tau._array.ndim and rows < tau._array.shape[-1]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be greater than or equal to tau.shape[-1]")
    if rows != input._array.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2]")
    if tau._array.ndim and tau._array.shape[-1] > input._array.shape[-1]:
        raise RuntimeError("torch.ormqr: tau.shape[-1] must be less than or equal to input.shape[-1]")
    _require_reflections("torch.ormqr", input, tau)
    if other._array.ndim != input._array.ndim or tuple(other._array.shape[:-2]) != tuple(input._array.shape[:-2]):
        raise RuntimeError(
            "torch.ormqr: Expected batch dimensions of other to be equal to input.shape[:-2], but got "
            f"{list(other._array.shape[:-2])}"
        )
    if other._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"torch.ormqr: Expected input and other to have the same dtype, but got input dtype {type_name(input)} and "
            f"other dtype {type_name(other)}"
        )
    broadcast_batch("ormqr", input, other)
    V, T = _reflections(input, tau)
    if transpose:
        T = T.transpose(-2, -1)
    Vt = V.transpose(-2, -1)
    if left:
        return other - matmul(V, matmul(T, matmul(Vt, other)))
    return other - matmul(matmul(matmul(other, V), T), Vt)


class MatrixFunctionMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    det = det
    logdet = logdet
    matrix_exp = matrix_exp

    def slogdet(self) -> Any:
        """As ``torch.slogdet``."""
        return slogdet(self)

    def matrix_power(self: TensorT, n: int) -> TensorT:
        """As ``torch.matrix_power``."""
        return linalg_matrix_power(self, n)

    def orgqr(self: TensorT, input2: TensorT) -> TensorT:
        """As ``torch.orgqr``."""
        return linalg_householder_product(self, input2)

    def ormqr(self: TensorT, input2: TensorT, input3: TensorT, left: bool = True, transpose: bool = False) -> TensorT:
        """As ``torch.ormqr``."""
        return ormqr(self, input2, input3, left, transpose)
