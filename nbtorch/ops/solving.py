"""Systems of linear equations: solve, inverse, triangular systems, and solving from a Cholesky factor.

Derivatives: of ``X = A⁻¹B`` they are ``B̄ = A⁻ᵀX̄`` and ``Ā = -B̄Xᵀ`` (Giles 2008, section 2.3.1), of the inverse
``Ā = -YᵀȲYᵀ`` (section 2.2.3); a triangular A keeps its triangle of the first.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import TensorT, Variable, wrap
from .exact_out import takes_exact_out
from .matrices import (
    INVERSION,
    SOLUTION,
    broadcast_batch,
    expand_batch,
    mT,
    named,
    raise_where_failed,
    require_matrix,
    require_real,
    require_same,
    type_name,
)
from .operands import normalize_dims, require_tensor
from .record import Op, apply, mathematical
from .writing import takes_out

__all__ = ["cholesky_inverse", "cholesky_solve", "inverse", "triangular_solve"]

# -- solve ---

SOLVE_EX = Op(
    "linalg_solve_ex",
    lambda m, A, B: m.linalg_solve_ex(A, B),
    tensors=2,
    outputs=2,
    A=lambda m, g, A, out: -m.matmul(m.solve_matrices(mT(m, A), g[0]), mT(m, out[0])),
    B=lambda m, g, A: m.solve_matrices(mT(m, A), g[0]),
    formula=r"AX = B:\quad \bar B = A^{-\top}\bar X,\quad \bar A = -\bar B X^\top",
)


@mathematical
def solve_matrices(A: Any, B: Any) -> Any:
    """The X of ``A X = B`` where B is a batch of matrices for sure."""
    return apply(SOLVE_EX, (A, B))[0]


def is_vector(A: Any, B: Any) -> bool:
    """Whether B is a vector, or a batch of vectors, one for each matrix of A."""
    a, b = A._array.shape, B._array.shape
    return len(b) == 1 or (len(a) - 1 == len(b) and tuple(b) == tuple(a[:-1]))


def _solve(A: Any, B: Any, left: bool) -> tuple[Any, Any]:
    function = "linalg.solve"
    require_tensor(function, "A", A)
    require_tensor(function, "B", B)
    if B._array.ndim < 1:
        raise RuntimeError(f"{function}: The input tensor B must have at least 1 dimensions.")
    require_matrix(function, A, square=True)
    require_same(function, A, B)
    require_real(function, A, "lu_cpu")
    vector = is_vector(A, B)
    if vector and not left and B._array.ndim > 1:
        raise RuntimeError(
            f"{function}: Vector broadcasting of the left hand side is not supported for left=False. In this case "
            "linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    if vector:
        B = B.unsqueeze(-1)
    require_fit(function, A, B, left)
    if not left:
        A, B = A.transpose(-2, -1), B.transpose(-2, -1)
    broadcast_batch(function, A, B)
    X, info = apply(SOLVE_EX, (A, B))
    X = X if left else X.transpose(-2, -1)
    return (X.squeeze(-1) if vector else X), info


def require_fit(function: str, A: Any, B: Any, left: bool) -> None:
    """The sizes of A and B make an equation.

    Raises:
        RuntimeError: where they don't.
    """
    a, b = A._array.shape, B._array.shape
    if a[-1] != b[-2 if left else -1]:
        raise RuntimeError(
            f"{function}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({a[-2]}x{a[-1]} and {b[-2]}x{b[-1]})\n  got: shapes {tuple(a)} and {tuple(b)}"
        )


@takes_exact_out
@SOLVE_EX
def linalg_solve_ex(A: Any, B: Any, *, left: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """As ``linalg.solve``, with ``info`` instead of an error: 0, or the place of the first pivot that is zero."""
    X, info = _solve(A, B, left)
    if check_errors:
        raise_where_failed("torch.linalg.solve_ex", info, SOLUTION)
    return named("linalg_solve_ex", result=X, info=info)


@takes_exact_out
def linalg_solve(A: TensorT, B: TensorT, *, left: bool = True, out: Any = None) -> TensorT:
    """The X of ``A X = B``, or of ``X A = B`` with ``left=False``.

    Args:
        A: shape (*, n, n).
        B: shape (*, n, k), or vectors (n) or (*, n) where * are the batch dimensions of A.

    Raises:
        LinAlgError: where a matrix is singular.
        RuntimeError: where shapes or dtypes don't fit.
    """
    X, info = _solve(A, B, left)
    raise_where_failed("torch.linalg.solve", info, SOLUTION)
    return X


# -- inverse ---


def _inv_input(m: Any, g: Any, out: Any) -> Any:
    Yt = mT(m, out[0])
    return -m.matmul(Yt, m.matmul(g[0], Yt))


INV_EX = Op(
    "linalg_inv_ex",
    lambda m, A: m.linalg_inv_ex(A),
    outputs=2,
    A=_inv_input,
    formula=r"Y = A^{-1}:\quad \bar A = -Y^\top\,\bar Y\,Y^\top",
)


def _inv(A: Any) -> tuple[Any, Any]:
    require_matrix("linalg.inv", A, square=True)
    require_real("linalg.inv", A)
    return apply(INV_EX, (A,))


@takes_exact_out
@INV_EX
def linalg_inv_ex(A: Any, *, check_errors: bool = False, out: Any = None) -> Any:
    """The inverse and ``info``: 0, or the place of the first pivot that is zero."""
    Y, info = _inv(A)
    if check_errors:
        raise_where_failed("torch.linalg.inv_ex", info, INVERSION)
    return named("linalg_inv_ex", inverse=Y, info=info)


@takes_exact_out
def linalg_inv(A: TensorT, *, out: Any = None) -> TensorT:
    """The inverse of square matrices, shape (*, n, n).

    Raises:
        LinAlgError: where a matrix is singular.
    """
    Y, info = _inv(A)
    raise_where_failed("linalg.inv", info, INVERSION)
    return Y


@takes_exact_out
def inverse(input: TensorT, *, out: Any = None) -> TensorT:
    """As ``linalg.inv``."""
    return linalg_inv(input)


# -- triangular systems ---


def _other_side(m: Any, g: Any, A: Any, upper: bool, left: bool, unitriangular: bool) -> Any:
    return m.linalg_solve_triangular(mT(m, A), g, upper=not upper, left=left, unitriangular=unitriangular)


def _triangle(m: Any, g: Any, A: Any, out: Any, upper: bool, left: bool, unitriangular: bool) -> Any:
    gB = _other_side(m, g, A, upper, left, unitriangular)
    full = -m.matmul(gB, mT(m, out)) if left else -m.matmul(mT(m, out), gB)
    return m.triu(full, 1 if unitriangular else 0) if upper else m.tril(full, -1 if unitriangular else 0)


SOLVE_TRIANGULAR = Op(
    "linalg_solve_triangular",
    lambda m, A, B, upper, left, unitriangular: m.linalg_solve_triangular(
        A, B, upper=upper, left=left, unitriangular=unitriangular
    ),
    tensors=2,
    A=_triangle,
    B=_other_side,
    formula=r"TX = B:\quad \bar B = T^{-\top}\bar X,\quad \bar T = -\mathrm{triangle}(\bar B X^\top)",
)


@takes_exact_out
@SOLVE_TRIANGULAR
def linalg_solve_triangular(
    A: TensorT, B: TensorT, *, upper: bool, left: bool = True, unitriangular: bool = False, out: Any = None
) -> TensorT:
    """The X of ``A X = B`` (of ``X A = B`` with ``left=False``) where A is triangular; nothing is checked for zeros.

    Args:
        A: shape (*, n, n); only the triangle that ``upper`` names is read.
        B: shape (*, n, k), or (*, k, n) with ``left=False``.
        unitriangular: take the diagonal for ones without reading it.

    Raises:
        RuntimeError: where shapes or dtypes don't fit.
    """
    function = "linalg.solve_triangular"
    require_matrix(function, A, square=True)
    require_matrix(function, B, "B")
    require_same(function, A, B)
    require_fit(function, A, B, left)
    require_real(function, A, "triangular_solve_cpu", ints=True)
    broadcast_batch(function, A, B)
    return apply(SOLVE_TRIANGULAR, (A, B), (bool(upper), bool(left), bool(unitriangular)))


def _older(function: str, b: Any, A: Any, kernel: str) -> None:
    """The checks of the functions that are older than ``linalg``, where the right side comes first."""
    require_tensor(function, "input", b)
    require_tensor(function, "A", A)
    for name, x in (("b", b), ("A" if function == "triangular_solve" else "u", A)):
        if x._array.ndim < 2:
            start = f"torch.{function}: Expected {name} to" if function == "triangular_solve" else f"{name} should"
            have = "it has" if function == "triangular_solve" else "has"
            raise RuntimeError(f"{start} have at least 2 dimensions, but {have} {x._array.ndim} dimensions instead")
    require_same(
        function, b, A, "b", "A",
        f"Expected b and A to have the same dtype, but found b of type {type_name(b)} and A of type {type_name(A)} "
        "instead.",
    )  # fmt: skip
    shape = A._array.shape
    if shape[-1] != shape[-2]:
        raise RuntimeError(f"A must be batches of square matrices, but they are {shape[-2]} by {shape[-1]} matrices")
    if shape[-1] != b._array.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for {function}: each A matrix is {shape[-1]} by {shape[-1]} but each b matrix "
            f"is {b._array.shape[-2]} by {b._array.shape[-1]}"
        )
    require_real(function, A, kernel, ints=True)


@takes_exact_out
def triangular_solve(
    b: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False, *, out: Any = None
) -> Any:
    """The X of ``A X = b`` (of ``Aᵀ X = b`` with ``transpose``) for triangular A, and a copy of A.

    An older form of ``linalg.solve_triangular``, which takes A first.
    """
    _older("triangular_solve", b, A, "triangular_solve_cpu")
    batch = broadcast_batch("triangular_solve", b, A)
    if transpose:
        X = linalg_solve_triangular(A.transpose(-2, -1), b, upper=not upper, unitriangular=unitriangular)
    else:
        X = linalg_solve_triangular(A, b, upper=upper, unitriangular=unitriangular)
    return named("triangular_solve", solution=X, cloned_coefficient=expand_batch(A, batch).clone())


# -- from a Cholesky factor ---


def _cholesky_solve_factor(m: Any, g: Any, L: Any, out: Any, upper: bool) -> Any:
    gB = m.cholesky_solve(g, L, upper)
    both = m.matmul(gB, mT(m, out))
    both = both + mT(m, both)
    return -m.matmul(L, both) if upper else -m.matmul(both, L)


CHOLESKY_SOLVE = Op(
    "cholesky_solve",
    lambda m, B, L, upper: m.cholesky_solve(B, L, upper),
    tensors=2,
    B=lambda m, g, L, upper: m.cholesky_solve(g, L, upper),
    L=_cholesky_solve_factor,
    formula=r"LL^\top X = B:\quad \bar B = (LL^\top)^{-1}\bar X,\quad \bar L = -(\bar B X^\top + X \bar B^\top)\,L",
)


@takes_out
@CHOLESKY_SOLVE
def cholesky_solve(B: TensorT, L: TensorT, upper: bool = False, *, out: Any = None) -> TensorT:
    """The X of ``A X = B`` where ``A = L Lᵀ`` (``Uᵀ U`` if ``upper``).

    Args:
        B: shape (*, n, k).
        L: the Cholesky factor, shape (*, n, n).
    """
    _older("cholesky_solve", B, L, "cholesky_solve_cpu")
    broadcast_batch("cholesky_solve", B, L)
    return apply(CHOLESKY_SOLVE, (B, L), (bool(upper),))


def _cholesky_inverse_factor(m: Any, g: Any, L: Any, out: Any, upper: bool) -> Any:
    both = m.matmul(out, m.matmul(g + mT(m, g), out))
    return -m.matmul(L, both) if upper else -m.matmul(both, L)


CHOLESKY_INVERSE = Op(
    "cholesky_inverse",
    lambda m, L, upper: m.cholesky_inverse(L, upper),
    L=_cholesky_inverse_factor,
    formula=r"Y = (LL^\top)^{-1}:\quad \bar L = -Y(\bar Y + \bar Y^\top)Y\,L",
)


@takes_out
@CHOLESKY_INVERSE
def cholesky_inverse(L: TensorT, upper: bool = False, *, out: Any = None) -> TensorT:
    """The inverse of ``L Lᵀ`` (of ``Uᵀ U`` if ``upper``) from its Cholesky factor, shape (*, n, n).

    Raises:
        LinAlgError: for a zero on the diagonal.
    """
    require_matrix("cholesky_inverse", L, square=True)
    require_real("cholesky_inverse", L, "cholesky_inverse_out_cpu", ints=True)
    m = L._backend
    zero = m.to_host(m.diagonal(L._array, 0, L._array.ndim - 2, L._array.ndim - 1)) == 0
    info = np.where(zero.any(-1), zero.argmax(-1) + 1, 0) if zero.size else np.zeros(zero.shape[:-1])
    raise_where_failed("cholesky_inverse", wrap(m.from_host(info), m), INVERSION)
    return apply(CHOLESKY_INVERSE, (L,), (bool(upper),))


# -- tensors as matrices ---


@takes_out
def linalg_tensorinv(A: TensorT, ind: int = 2, *, out: Any = None) -> TensorT:
    """The inverse of A as a linear map from its last dimensions to its first ``ind``.

    Raises:
        RuntimeError: where both sides have not equally many elements, or ``ind`` is not positive.
        LinAlgError: where the map is singular.
    """
    require_tensor("linalg.tensorinv", "A", A)
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    shape = tuple(A._array.shape)
    rows, columns = math.prod(shape[:ind]), math.prod(shape[ind:])
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{columns} != {rows}\n  got: shape {shape} and ind={ind}"
        )
    Y = linalg_inv(A.reshape(rows, columns))  # type: ignore[attr-defined]
    return Y.reshape((*shape[ind:], *shape[:ind]))


@takes_out
def linalg_tensorsolve(A: TensorT, B: TensorT, dims: Any = None, *, out: Any = None) -> TensorT:
    """The X of ``tensordot(A, X, X.ndim) = B``.

    Args:
        A: shape of B followed by shape of X.
        dims: dimensions of A to move to its end first.

    Raises:
        RuntimeError: where the shapes make no square system.
        LinAlgError: where the system is singular.
    """
    require_tensor("linalg.tensorsolve", "A", A)
    require_tensor("linalg.tensorsolve", "B", B)
    moved: Any = A
    if dims is not None:
        ndim = A._array.ndim
        chosen = normalize_dims(dims, ndim, "linalg.tensorsolve")
        moved = moved.permute([d for d in range(ndim) if d not in chosen] + list(chosen))
    shape = tuple(moved._array.shape)
    result = shape[B._array.ndim :]
    n = math.prod(result)
    if n != math.prod(shape[: B._array.ndim]):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {n} != {math.prod(shape[: B._array.ndim])}"
        )
    X = linalg_solve(moved.reshape(n, n), B.reshape(-1 if B._array.size else n))  # type: ignore[attr-defined]
    return X.reshape(result)


class SolvingMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    def inverse(self: TensorT) -> TensorT:
        """As ``torch.inverse``."""
        return linalg_inv(self)

    def triangular_solve(self, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False) -> Any:
        """As ``torch.triangular_solve``."""
        return triangular_solve(self, A, upper, transpose, unitriangular)

    def cholesky_solve(self: TensorT, input2: TensorT, upper: bool = False) -> TensorT:
        """As ``torch.cholesky_solve``."""
        return cholesky_solve(self, input2, upper)

    def cholesky_inverse(self: TensorT, upper: bool = False) -> TensorT:
        """As ``torch.cholesky_inverse``."""
        return cholesky_inverse(self, upper)
