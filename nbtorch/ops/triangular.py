"""Factorisations into triangles by elimination: LU, LDLᵀ, and solving from them.

The derivative of LU is from de Hoog, Anderssen and Lukas 2011 ("Differentiation of matrix functionals using triangular
factorization"); a wide or tall matrix is its square part and what that part determines.
"""

from __future__ import annotations

from typing import Any

from ..autograd.variable import TensorT, Variable, wrap
from .decompositions import no_derivative
from .exact_out import takes_exact_out
from .matrices import (
    backend_of,
    broadcast_batch,
    constant,
    expand_batch,
    eye_like,
    inverse_order,
    mT,
    named,
    permute_rows,
    raise_where_failed,
    require_matrix,
    require_real,
    require_same,
    type_name,
)
from .operands import require_tensor
from .record import Op, apply, mathematical
from .solving import linalg_solve_triangular, require_fit

__all__ = ["lu", "lu_solve", "lu_unpack"]

# -- LU ---


def _square(m: Any, gL: Any, gU: Any, L: Any, U: Any) -> Any:
    """``P A = L U`` for square matrices: the gradient of ``P A``."""
    inner = m.tril(m.matmul(mT(m, L), gL), -1) + m.triu(m.matmul(gU, mT(m, U)))
    inner = m.linalg_solve_triangular(mT(m, L), inner, upper=True, unitriangular=True)
    return m.linalg_solve_triangular(mT(m, U), inner, upper=False, left=False)


def _lu_input(m: Any, g: Any, out: Any) -> Any:
    LU, pivots, _ = out
    rows, columns = LU.shape[-2:]
    k = min(rows, columns)
    L = m.tril(LU[..., :k], -1) + eye_like(m, LU, rows, k)
    U = m.triu(LU[..., :k, :])
    gL, gU = m.tril(g[0][..., :k], -1), m.triu(g[0][..., :k, :])
    if columns > k:  # U = [U1 U2] with U2 = L⁻¹ P A2
        second = m.linalg_solve_triangular(mT(m, L), gU[..., k:], upper=True, unitriangular=True)
        gL = gL - m.tril(m.matmul(second, mT(m, U[..., k:])), -1)
        first = _square(m, gL, gU[..., :k], L, U[..., :k])
        gA = m.cat((first, second), LU.ndim - 1)
    elif rows > k:  # L = [L1; L2] with L2 = (P A)2 U⁻¹
        second = m.linalg_solve_triangular(mT(m, U), gL[..., k:, :], upper=False, left=False)
        gU = gU - m.triu(m.matmul(mT(m, L[..., k:, :]), second))
        first = _square(m, gL[..., :k, :], gU, L[..., :k, :], U)
        gA = m.cat((first, second), LU.ndim - 2)
    else:
        gA = _square(m, gL, gU, L, U)
    backend = backend_of(m, LU)
    order = backend.pivots_to_permutation(pivots._array if isinstance(pivots, Variable) else pivots, rows)
    return permute_rows(m, gA, inverse_order(backend, order))


LU_FACTOR_EX = Op(
    "linalg_lu_factor_ex",
    lambda m, A: m.linalg_lu_factor_ex(A),
    outputs=3,
    A=_lu_input,
    formula=r"\bar A = P^\top L^{-\top}\left[\mathrm{tril}_{-1}(L^\top \bar L) + \mathrm{triu}(\bar U U^\top)\right]"
    r"U^{-\top}",
)


def _lu_factor(A: Any, pivot: bool, function: str = "torch.lu_factor") -> Any:
    require_tensor(function, "A", A)
    if A._array.ndim < 2:
        raise RuntimeError(
            f"{function}: Expected tensor with 2 or more dimensions. Got size: {list(A._array.shape)} instead"
        )
    require_real(function, A, "lu_cpu", ints=True)
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    return apply(LU_FACTOR_EX, (A,))


@takes_exact_out
@LU_FACTOR_EX
def linalg_lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """As ``linalg.lu_factor``, with ``info``: 0, or the place of the first pivot that is zero."""
    LU, pivots, info = _lu_factor(A, pivot)
    if check_errors:
        raise_where_failed("torch.linalg.lu_factor_ex", info, _ZERO, RuntimeError)
    return named("linalg_lu_factor_ex", LU=LU, pivots=pivots, info=info)


_ZERO = (
    "U[{info},{info}] is zero and using it on lu_solve would result in a division by zero. If you still want to "
    "perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
)


@takes_exact_out
def linalg_lu_factor(A: Any, *, pivot: bool = True, out: Any = None) -> Any:
    """``A = P L U`` kept compactly: L below and U on and above the diagonal of LU, and the row exchanges.

    ``pivots[i] - 1`` is the row that was exchanged with row i; int32.

    Raises:
        RuntimeError: where a pivot is zero, so that nothing could be solved with the result.
    """
    LU, pivots, info = _lu_factor(A, pivot)
    raise_where_failed("torch.linalg.lu_factor", info, _ZERO, RuntimeError)
    return named("linalg_lu_factor", LU=LU, pivots=pivots)


@takes_exact_out
def lu(A: Any, pivot: bool = True, get_infos: bool = False, *, out: Any = None) -> tuple[Any, ...]:
    """As ``linalg.lu_factor_ex``: (LU, pivots), and ``info`` with ``get_infos``."""
    LU, pivots, info = _lu_factor(A, pivot)
    return (LU, pivots, info) if get_infos else (LU, pivots)


@takes_exact_out
def linalg_lu(A: Any, *, pivot: bool = True, out: Any = None) -> Any:
    """P, L and U of ``A = P L U``: P is a permutation, L has a diagonal of ones; A has shape (*, m, n)."""
    LU, pivots, _ = _lu_factor(A, pivot, "linalg.lu")
    P, L, U = lu_unpack(LU, pivots)
    return named("linalg_lu", P=P, L=L, U=U)


def _require_pivots(function: str, pivots: Any, dtype_sentence: str) -> None:
    require_tensor(function, "pivots", pivots)
    if type_name(pivots) != "Int":
        raise RuntimeError(f"{dtype_sentence}\n  got: {pivots._dtype()!r}")


@takes_exact_out
def lu_unpack(
    LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True, *, out: Any = None
) -> Any:
    """P, L and U from what ``linalg.lu_factor`` gives; an empty tensor for what is not asked for.

    Raises:
        RuntimeError: for pivots of another dtype than int32, or that name rows that aren't there.
    """
    require_tensor("lu_unpack", "LU_data", LU_data)
    if LU_data._array.ndim < 2:
        raise RuntimeError(
            "torch.lu_unpack: Expected tensor with 2 or more dimensions. Got size: "
            f"{list(LU_data._array.shape)} instead"
        )
    m = LU_data._backend
    *batch, rows, columns = LU_data._array.shape
    k = min(rows, columns)
    P = L = U = None
    if unpack_pivots:
        _require_pivots(
            "lu_unpack", LU_pivots,
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.",
        )  # fmt: skip
        host = m.to_host(LU_pivots._array)
        if host.shape != (*batch, k) or ((host < 1) | (host > rows)).any():
            raise RuntimeError(
                "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive."
                f"Did you properly pass the result of lu_factor?\n  got: pivots of shape {tuple(host.shape)} for LU of "
                f"shape {tuple(LU_data._array.shape)}"
            )
        order = m.pivots_to_permutation(LU_pivots._array, rows)
        # Row i of the factored matrix was row order[i]: a one in column i of that row.
        ones = m.eq(order[..., None, :], m.arange(0, rows, 1, order.dtype)[:, None])
        P = wrap(m.astype(ones, LU_data._array.dtype), m, LU_data._result_class)
    if unpack_data:
        L = LU_data[..., :k].tril(-1) + eye_like(m, LU_data, rows, k)
        U = LU_data[..., :k, :].triu()
    empty = LU_data.new_empty((0,))
    return named("lu_unpack", P=empty if P is None else P, L=empty if L is None else L, U=empty if U is None else U)


@takes_exact_out
def linalg_lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False, out: Any = None) -> Any:
    """The X of ``A X = B`` from the LU of A.

    Args:
        left: ``X A = B`` with False.
        adjoint: with Aᵀ in the place of A.

    Raises:
        RuntimeError: where shapes or dtypes don't fit.
    """
    function = "linalg.lu_solve"
    require_matrix(function, LU, "LU", square=True)
    require_matrix(function, B, "B")
    require_same(function, LU, B, "LU", "B")
    _require_pivots(function, pivots, f"{function}: pivots should be a Tensor of scalar type torch.int32")
    n = LU._array.shape[-1]
    if pivots._array.ndim < 1 or pivots._array.shape[-1] != n:
        raise RuntimeError(f"{function}: Number of pivots per batch should be same as the dimension of the matrix")
    if tuple(pivots._array.shape[:-1]) != tuple(LU._array.shape[:-2]):
        raise RuntimeError(f"{function}: Batch dimensions of pivots should be same as the batch dimensions of LU")
    require_fit(function, LU, B, left)
    require_real(function, LU, "lu_solve_cpu", ints=True)
    if not left:  # X A = B is Aᵀ Xᵀ = Bᵀ
        return linalg_lu_solve(LU, pivots, B.transpose(-2, -1), adjoint=not adjoint).transpose(-2, -1)
    batch = broadcast_batch(function, LU, B)
    B = expand_batch(B, batch)
    backend = LU._backend
    order = backend.pivots_to_permutation(pivots._array, n)
    if not adjoint:
        Y = permuted_rows(B, order)
        Y = linalg_solve_triangular(LU, Y, upper=False, unitriangular=True)
        return linalg_solve_triangular(LU, Y, upper=True)
    transposed = LU.transpose(-2, -1)
    Y = linalg_solve_triangular(transposed, B, upper=False)
    Y = linalg_solve_triangular(transposed, Y, upper=True, unitriangular=True)
    return permuted_rows(Y, inverse_order(backend, order))


@mathematical
def permuted_rows(x: TensorT, order: Any) -> TensorT:
    """Row ``order[i]`` at place i; ``order`` is an array."""
    backend = x._backend
    index = backend.expand(order[..., None], tuple(x._array.shape))
    return x.gather(-2, constant(x, index))  # type: ignore[attr-defined]


@takes_exact_out
def lu_solve(b: Any, LU_data: Any, LU_pivots: Any, *, out: Any = None) -> Any:
    """As ``linalg.lu_solve``, with the right side first."""
    return linalg_lu_solve(LU_data, LU_pivots, b)


# -- LDL ---

LDL_FACTOR_EX = Op(
    "linalg_ldl_factor_ex",
    lambda m, A: m.linalg_ldl_factor_ex(A),
    outputs=3,
    A=no_derivative,
    formula=r"\text{none}",
)


@takes_exact_out
@LDL_FACTOR_EX
def linalg_ldl_factor_ex(A: Any, *, hermitian: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """As ``linalg.ldl_factor``, with ``info``: 0, or the place of the first zero on the diagonal of D."""
    require_matrix("torch.linalg.ldl_factor_ex", A, square=True)
    require_real("torch.linalg.ldl_factor_ex", A, "ldl_factor_kernel_cpu")
    LD, pivots, info = apply(LDL_FACTOR_EX, (A,))
    if check_errors:
        raise_where_failed("torch.linalg.ldl_factor_ex", info, _ZERO_OF_D, RuntimeError)
    return named("linalg_ldl_factor_ex", LD=LD, pivots=pivots, info=info)


_ZERO_OF_D = "D[{info},{info}] is zero, so that nothing can be solved with the factorization"


@takes_exact_out
def linalg_ldl_factor(A: Any, *, hermitian: bool = False, out: Any = None) -> Any:
    """``A = L D Lᵀ`` for symmetric matrices (Bunch and Kaufman 1977), D with blocks of 1 and 2; L and D in one.

    A pivot k > 0 says that its row was exchanged with row k - 1; two equal ones below zero mark a block of 2.

    Raises:
        RuntimeError: where D is singular.
    """
    LD, pivots, info = linalg_ldl_factor_ex(A, hermitian=hermitian)
    raise_where_failed("torch.linalg.ldl_factor", info, _ZERO_OF_D, RuntimeError)
    return named("linalg_ldl_factor", LD=LD, pivots=pivots)


LDL_SOLVE = Op(
    "linalg_ldl_solve",
    lambda m, LD, pivots, B: m.linalg_ldl_solve(LD, pivots, B),
    tensors=3,
    B=lambda m, g, LD, pivots: m.linalg_ldl_solve(LD, pivots, g),
    formula=r"\bar B = (LDL^\top)^{-1}\bar X",
)


@takes_exact_out
@LDL_SOLVE
def linalg_ldl_solve(LD: Any, pivots: Any, B: Any, *, hermitian: bool = False, out: Any = None) -> Any:
    """The X of ``A X = B`` from what ``linalg.ldl_factor`` gives. A gradient flows to B alone.

    Raises:
        RuntimeError: where shapes or dtypes don't fit.
    """
    function = "torch.linalg.ldl_solve"
    require_matrix(function, LD, "LD", square=True)
    require_matrix(function, B, "B")
    require_tensor(function, "pivots", pivots)
    require_real(function, LD, "ldl_solve_cpu")
    ld, b, p = LD._array.shape, B._array.shape, pivots._array.shape
    if tuple(p) != tuple(ld[:-1]):
        raise RuntimeError(
            f"{function}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape {list(p)} "
            "instead"
        )
    if pivots._array.dtype.kind not in "iu":
        raise RuntimeError(f"{function}: Expected pivots to be integers. Got {type_name(pivots)}")
    if b[-2] != ld[-1]:
        raise RuntimeError(
            f"Incompatible matrix sizes for {function}: each A matrix is {ld[-1]} by {ld[-1]} but each b matrix is "
            f"{b[-2]} by {b[-1]}"
        )
    require_same(
        function, LD, B, "A", "b",
        f"Expected b and A to have the same dtype, but found b of type {type_name(B)} and A of type {type_name(LD)} "
        "instead.",
    )  # fmt: skip
    broadcast_batch(function, LD, B)
    return apply(LDL_SOLVE, (LD, pivots, B))


class TriangularMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    def lu(self, pivot: bool = True, get_infos: bool = False) -> tuple[Any, ...]:
        """As ``torch.lu``."""
        return lu(self, pivot, get_infos)

    def lu_solve(self: TensorT, LU_data: TensorT, LU_pivots: Any) -> TensorT:
        """As ``torch.lu_solve``."""
        return lu_solve(self, LU_data, LU_pivots)
