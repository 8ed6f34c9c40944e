"""Array primitives of linear algebra: factorisations and the solves made from them, on batches of matrices.

Every argument is an array of floating dtype with any number of batch dimensions in front; the last two are the
matrix. What the array module's own ``linalg`` has (QR, SVD, eigh, solve, inv, Cholesky) comes from there. It has no LU,
LDL or triangular solve: the triangular solve is built from matrix products and runs where the arrays live; the two
pivoted factorisations choose their next step by the numbers found in the last, so they run on the host.
Nothing here raises for singular input: ``info`` counts from 1 the step that failed, 0 where all went well, as LAPACK's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any
_BLOCK = 64  # the size of the triangles that are solved at once


def transposed(x: Array) -> Array:
    """The matrices of a batch, transposed: a view."""
    return x.swapaxes(-2, -1)


def _flat(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A batch of matrices with one batch dimension, for an algorithm that writes into it: always a copy."""
    return np.array(x.reshape((math.prod(x.shape[:-2]), *x.shape[-2:])), order="C")


class Decompositions:
    """The part of a backend that factors and solves."""

    # What the rest of the backend has.
    xp: Any
    to_host: Callable[[Array], np.ndarray[Any, Any]]
    from_host: Callable[[np.ndarray[Any, Any]], Array]
    diagonal: Callable[[Array, int, int, int], Array]

    def eye(self, n: int, columns: int, dtype: Any) -> Array:
        """The identity matrix, with ones on the diagonal of ``n`` rows."""
        return self.xp.eye(n, columns, 0, dtype)

    def _hosted(self, function: Any, *arrays: Array) -> tuple[Array, ...]:
        """A function of NumPy arrays, run on the host."""
        return tuple(self.from_host(x) for x in function(*(self.to_host(x) for x in arrays)))

    # -- triangular systems ---
    def linalg_solve_triangular(
        self, A: Array, B: Array, *, upper: bool, left: bool = True, unitriangular: bool = False
    ) -> Array:
        """The X of ``A X = B`` (or ``X A = B``) by substitution, halves first; only one triangle of A is read."""
        if not left:
            flipped = self.linalg_solve_triangular(transposed(A), transposed(B), upper=not upper,
                                                   unitriangular=unitriangular)  # fmt: skip
            return transposed(flipped)
        if upper:  # from the last row up: the lower case with both orders reversed
            backwards = self._substitute(A[..., ::-1, ::-1], B[..., ::-1, :], unitriangular)
            return backwards[..., ::-1, :]
        return self._substitute(A, B, unitriangular)

    def _substitute(self, L: Array, B: Array, unit: bool) -> Array:
        n = L.shape[-1]
        batch = np.broadcast_shapes(L.shape[:-2], B.shape[:-2])
        X = self.xp.empty((*batch, *B.shape[-2:]), B.dtype)
        X[...] = B
        # Blocks of rows: what earlier blocks contribute is one product, the block itself is solved at once.
        for start in range(0, n, _BLOCK):
            end = min(start + _BLOCK, n)
            block = X[..., start:end, :]
            if start:
                block -= self.xp.matmul(L[..., start:end, :start], X[..., :start, :])
            self._substitute_block(L[..., start:end, start:end], block, unit)
        return X

    def _substitute_block(self, L: Array, X: Array, unit: bool) -> None:
        """Solves one block in place. Elimination finds nothing to do in an upper triangle and exchanges no rows, so
        the array module's solve substitutes and no more; a zero on the diagonal it refuses, and rows go one by one."""
        if not X.size:
            return
        upper = self.xp.triu(L[..., ::-1, ::-1])
        n = upper.shape[-1]
        if unit:
            self.diagonal(upper, 0, upper.ndim - 2, upper.ndim - 1)[...] = 1
        try:
            upper = self.xp.broadcast_to(upper, (*X.shape[:-2], n, n))
            X[...] = self.xp.linalg.solve(upper, X[..., ::-1, :])[..., ::-1, :]
        except np.linalg.LinAlgError:
            for i in range(n):
                row = X[..., i : i + 1, :]
                if i:
                    row -= self.xp.matmul(L[..., i : i + 1, :i], X[..., :i, :])
                if not unit:
                    row /= L[..., i : i + 1, i : i + 1]

    # -- Cholesky ---
    def linalg_cholesky_ex(self, A: Array) -> tuple[Array, Array]:
        """The lower factor, and ``info``: the order of the first leading minor that is not positive."""
        try:
            L = self.xp.linalg.cholesky(A) if A.size else self.xp.zeros(A.shape, A.dtype)
        except np.linalg.LinAlgError:
            L = None
        # CuPy doesn't raise, and neither of the two where there is a NaN: what failed is not finite.
        if L is None or not bool(self.xp.isfinite(L).all()):
            L, info = self._hosted(_cholesky, A)
            return L, info
        return L, self.xp.zeros(A.shape[:-2], np.int32)

    # -- LU ---
    def linalg_lu_factor_ex(self, A: Array) -> tuple[Array, Array, Array]:
        """LU with partial pivoting: both factors in one matrix, the row exchanged with each (from 1), and ``info``."""
        LU, pivots, info = self._hosted(_lu, A)
        return LU, pivots, info

    def pivots_to_permutation(self, pivots: Array, rows: int) -> Array:
        """The permutation that a sequence of row exchanges makes: row ``p[i]`` of the matrix came to place i."""
        return self._hosted(lambda p: (_permutation(p, rows),), pivots)[0]

    # -- LDL ---
    def linalg_ldl_factor_ex(self, A: Array) -> tuple[Array, Array, Array]:
        """Bunch and Kaufman's LDLᵀ of symmetric matrices, of which the lower triangle is read."""
        LD, pivots, info = self._hosted(_ldl, A)
        return LD, pivots, info

    def linalg_ldl_solve(self, LD: Array, pivots: Array, B: Array) -> Array:
        return self._hosted(_ldl_solve, LD, pivots, B)[0]

    # -- dense systems ---
    def linalg_solve_ex(self, A: Array, B: Array) -> tuple[Array, Array]:
        """The X of ``A X = B`` for matrices B, and ``info``: the first pivot that is exactly zero."""
        batch = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
        shape = (*batch, *B.shape[-2:])
        if not math.prod(shape):
            return self.xp.zeros(shape, B.dtype), self.xp.zeros(A.shape[:-2], np.int32)
        try:
            # Both with the whole batch: CuPy doesn't broadcast here.
            X = self.xp.linalg.solve(self.xp.broadcast_to(A, (*batch, *A.shape[-2:])), self.xp.broadcast_to(B, shape))
        except np.linalg.LinAlgError:
            X = None
        if X is None or (self.xp is not np and not bool(self.xp.isfinite(X).all())):
            LU, pivots, info = self.linalg_lu_factor_ex(A)
            permutation = self.pivots_to_permutation(pivots, A.shape[-1])
            permuted = self.xp.take_along_axis(
                self.xp.broadcast_to(B, shape),
                self.xp.broadcast_to(permutation[..., None], (*batch, A.shape[-1], B.shape[-1])), -2
            )  # fmt: skip
            Y = self.linalg_solve_triangular(LU, permuted, upper=False, unitriangular=True)
            return self.linalg_solve_triangular(LU, Y, upper=True), info
        return X, self.xp.zeros(A.shape[:-2], np.int32)

    def solve_matrices(self, A: Array, B: Array) -> Array:
        """The X of ``A X = B`` for matrices B; what can't be solved is not finite."""
        return self.linalg_solve_ex(A, B)[0]

    def linalg_inv_ex(self, A: Array) -> tuple[Array, Array]:
        return self.linalg_solve_ex(A, self.xp.broadcast_to(self.eye(A.shape[-1], A.shape[-1], A.dtype), A.shape))

    def cholesky_solve(self, B: Array, L: Array, upper: bool) -> Array:
        """The X of ``L Lᵀ X = B``, or of ``Uᵀ U X = B``."""
        first, second = (transposed(L), L) if upper else (L, transposed(L))
        half = self.linalg_solve_triangular(first, B, upper=False)
        return self.linalg_solve_triangular(second, half, upper=True)

    def cholesky_inverse(self, L: Array, upper: bool) -> Array:
        return self.cholesky_solve(self.eye(L.shape[-1], L.shape[-1], L.dtype), L, upper)

    # -- orthogonal factorisations ---
    def linalg_qr(self, A: Array, mode: str) -> tuple[Array, Array]:
        """Q and R; with mode "r" an empty Q."""
        *batch, rows, columns = A.shape
        k = min(rows, columns)
        if not A.size:
            width = rows if mode == "complete" else k
            Q = self.xp.broadcast_to(self.eye(rows, width, A.dtype), (*batch, rows, width)).copy()
            R = self.xp.zeros((*batch, width, columns), A.dtype)
            return (self.xp.zeros((0,), A.dtype) if mode == "r" else Q), R
        found = self.xp.linalg.qr(A, mode)
        return (self.xp.zeros((0,), A.dtype), found) if mode == "r" else (found[0], found[1])

    def geqrf(self, A: Array) -> tuple[Array, Array]:
        """QR as LAPACK keeps it: R above, the Householder vectors below the diagonal, and their factors tau."""
        a, tau = self._hosted(_geqrf, A)
        return a, tau

    def linalg_svd(self, A: Array, full_matrices: bool) -> tuple[Array, Array, Array]:
        *batch, rows, columns = A.shape
        k = min(rows, columns)
        if not A.size:
            m, n = (rows, columns) if full_matrices else (k, k)
            U = self.xp.broadcast_to(self.eye(rows, m, A.dtype), (*batch, rows, m)).copy()
            Vh = self.xp.broadcast_to(self.eye(n, columns, A.dtype), (*batch, n, columns)).copy()
            return U, self.xp.zeros((*batch, k), A.dtype), Vh
        U, S, Vh = self.xp.linalg.svd(A, full_matrices)
        return U, S, Vh

    def linalg_svdvals(self, A: Array) -> Array:
        if not A.size:
            return self.xp.zeros((*A.shape[:-2], min(A.shape[-2:])), A.dtype)
        return self.xp.linalg.svd(A, False, False)

    def linalg_eigh(self, A: Array, UPLO: str) -> tuple[Array, Array]:
        if not A.size:
            return self.xp.zeros(A.shape[:-1], A.dtype), self.xp.zeros(A.shape, A.dtype)
        L, V = self.xp.linalg.eigh(A, UPLO)
        return L, V

    # -- functions of a matrix ---
    def linalg_det(self, A: Array) -> Array:
        return self.xp.asarray(self.xp.linalg.det(A)) if A.size else self.xp.ones(A.shape[:-2], A.dtype)

    def linalg_slogdet(self, A: Array) -> tuple[Array, Array]:
        if not A.size:
            return self.xp.ones(A.shape[:-2], A.dtype), self.xp.zeros(A.shape[:-2], A.dtype)
        sign, size = self.xp.linalg.slogdet(A)
        sign, size = self.xp.asarray(sign), self.xp.asarray(size)
        return self.xp.where(self.xp.isnan(size), self.xp.zeros_like(sign), sign), size

    def matrix_exp(self, A: Array) -> Array:
        """Scaling, a Padé approximant of degree 13, and squaring (Higham 2005)."""
        if not A.size:
            return A.copy()
        n = A.shape[-1]
        xp = self.xp
        # The 1-norm says how often each matrix is halved before, and its exponential squared afterwards.
        norm = xp.abs(A).sum(-2).max(-1)
        halvings = xp.ceil(xp.log2(xp.maximum(norm / _THETA, 1)))
        halvings = xp.where(xp.isfinite(halvings), halvings, xp.zeros_like(halvings))
        A = A / xp.exp2(halvings)[..., None, None]
        b = _PADE
        one = self.eye(n, n, A.dtype)
        A2 = xp.matmul(A, A)
        A4 = xp.matmul(A2, A2)
        A6 = xp.matmul(A2, A4)
        odd = xp.matmul(A6, b[13] * A6 + b[11] * A4 + b[9] * A2) + b[7] * A6 + b[5] * A4 + b[3] * A2 + b[1] * one
        odd = xp.matmul(A, odd)
        even = xp.matmul(A6, b[12] * A6 + b[10] * A4 + b[8] * A2) + b[6] * A6 + b[4] * A4 + b[2] * A2 + b[0] * one
        result = self.solve_matrices(even - odd, even + odd)
        for i in range(int(self.to_host(halvings).max())):
            result = xp.where((halvings > i)[..., None, None], xp.matmul(result, result), result)
        return result

    def linalg_cross(self, x: Array, y: Array, *, dim: int) -> Array:
        roll = self.xp.roll
        return roll(x, -1, dim) * roll(y, -2, dim) - roll(x, -2, dim) * roll(y, -1, dim)


_THETA = 5.371920351148152  # up to this norm the approximant is exact to double precision
_PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip


# -- on the host ---


def _cholesky(A: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    """Column by column, the whole batch at once; a matrix that fails keeps what it had."""
    a = np.tril(_flat(A))
    info = np.zeros(len(a), np.int32)
    for j in range(a.shape[-1]):
        pivot = a[:, j, j] - (a[:, j, :j] ** 2).sum(-1)
        info[(info == 0) & ~(pivot > 0)] = j + 1
        alive = info == 0
        root = np.sqrt(np.where(alive, pivot, 1))
        column = (a[:, j + 1 :, j] - np.matmul(a[:, j + 1 :, :j], a[:, j, :j, None])[..., 0]) / root[:, None]
        a[:, j, j] = np.where(alive, root, a[:, j, j])
        a[:, j + 1 :, j] = np.where(alive[:, None], column, a[:, j + 1 :, j])
    return a.reshape(A.shape), info.reshape(A.shape[:-2])


def _lu(A: np.ndarray[Any, Any]) -> tuple[Any, Any, Any]:
    """Right-looking, in panels of columns: within a panel column by column, beyond it two products per panel."""
    a = _flat(A)
    count, rows, columns = a.shape
    k = min(rows, columns)
    pivots = np.zeros((count, k), np.int32)
    info = np.zeros(count, np.int32)
    for start in range(0, k, _PANEL):
        end = min(start + _PANEL, k)
        panel = np.array(a[:, start:, start:end])
        found = pivots[:, start:end]
        _lu_panel(panel, found, info, start)
        if start or end < columns:  # the other columns' rows follow the panel's
            order = _permutation(found, rows - start)
            below = a[:, start:]
            below[...] = below[:, order[0]] if count == 1 else np.take_along_axis(below, order[:, :, None], 1)
        a[:, start:, start:end] = panel
        found += start
        if end < columns:
            width = end - start  # the panel's unit triangle into the columns beyond
            unit = np.tril(panel[:, :width], -1) + np.eye(width, dtype=a.dtype)
            beyond = a[:, start:end, end:]
            beyond[...] = np.linalg.solve(unit[:, ::-1, ::-1], beyond[:, ::-1])[:, ::-1]
            if end < rows:
                a[:, end:, end:] -= np.matmul(panel[:, end - start :], a[:, start:end, end:])
    batch = A.shape[:-2]
    return a.reshape(A.shape), pivots.reshape((*batch, k)), info.reshape(batch)


_PANEL = 16


def _lu_panel(panel: Any, pivots: Any, info: Any, start: int) -> None:
    """LU of tall panels (batch, rows, few columns), in place; ``pivots`` counts from the panel's first row, from 1."""
    columns = np.array(panel.swapaxes(1, 2), order="C")  # a column's elements beside each other
    each = np.arange(len(panel))
    for j in range(columns.shape[1]):
        chosen = np.abs(columns[:, j, j:]).argmax(1) + j
        pivots[:, j] = chosen + 1
        if len(each) == 1:
            i = int(chosen[0])
            row = columns[:, :, i].copy()
            if i != j:
                columns[:, :, i] = columns[:, :, j]
        else:
            row = columns[each, :, chosen]
            columns[each, :, chosen] = columns[:, :, j]
        columns[:, :, j] = row
        pivot = row[:, j]
        zero = pivot == 0
        if zero.any():
            info[(info == 0) & zero] = start + j + 1
            pivot = np.where(zero, panel.dtype.type(1), pivot)
        below = columns[:, j, j + 1 :]
        below /= pivot[:, None]
        columns[:, j + 1 :, j + 1 :] -= row[:, j + 1 :, None] * below[:, None, :]
    panel[...] = columns.swapaxes(1, 2)


def _permutation(pivots: np.ndarray[Any, Any], rows: int) -> Any:
    flat = pivots.reshape(math.prod(pivots.shape[:-1]), pivots.shape[-1])
    if len(flat) == 1:
        places = list(range(rows))
        for i, p in enumerate(flat[0].tolist()):
            places[i], places[p - 1] = places[p - 1], places[i]
        return np.array(places, np.int64).reshape((*pivots.shape[:-1], rows))
    order = np.tile(np.arange(rows), (len(flat), 1))
    each = np.arange(len(flat))
    for i in range(flat.shape[1]):
        other = flat[:, i] - 1
        order[each, i], order[each, other] = order[each, other], order[each, i].copy()
    return order.reshape((*pivots.shape[:-1], rows))


def _geqrf(A: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    k = min(A.shape[-2:])
    if not A.size:
        return A.copy(), np.zeros((*A.shape[:-2], k), A.dtype)
    a, tau = np.linalg.qr(A, "raw")
    return a.swapaxes(-2, -1), tau


_ALPHA = (1 + math.sqrt(17)) / 8  # the threshold that bounds the growth of elements least


def _ldl(A: np.ndarray[Any, Any]) -> tuple[Any, Any, Any]:
    """Bunch and Kaufman 1977, algorithm A: pivots of size 1 and 2, one matrix after another, each rank at once."""
    a = np.tril(_flat(A))
    n = a.shape[-1]
    pivots = np.zeros((len(a), n), np.int32)
    info = np.zeros(len(a), np.int32)
    for b in range(len(a)):
        info[b] = _ldl_one(a[b], pivots[b], n)
    batch = A.shape[:-2]
    return a.reshape(A.shape), pivots.reshape((*batch, n)), info.reshape(batch)


def _ldl_one(a: Any, pivots: Any, n: int) -> int:
    failed = k = 0
    while k < n:
        step, chosen = 1, k
        here = abs(a[k, k])
        below = np.abs(a[k + 1 :, k])
        largest = below.max() if len(below) else 0.0
        if max(here, largest) == 0 or np.isnan(here):
            failed = failed or k + 1
            pivots[k] = k + 1
            k += 1
            continue
        if here < _ALPHA * largest:
            row = k + 1 + int(below.argmax())
            across = np.abs(a[row, k:row]).max()
            if row + 1 < n:
                across = max(across, np.abs(a[row + 1 :, row]).max())
            if here < _ALPHA * largest * (largest / across):
                chosen = row
                step = 1 if abs(a[row, row]) >= _ALPHA * across else 2
        last = k + step - 1
        if chosen != last:  # exchange rows and columns `last` and `chosen` of the part that is left, lower triangle
            a[chosen + 1 :, [last, chosen]] = a[chosen + 1 :, [chosen, last]]
            between = a[last + 1 : chosen, last].copy()
            a[last + 1 : chosen, last] = a[chosen, last + 1 : chosen]
            a[chosen, last + 1 : chosen] = between
            a[last, last], a[chosen, chosen] = a[chosen, chosen], a[last, last].copy()
            if step == 2:
                a[last, k], a[chosen, k] = a[chosen, k], a[last, k].copy()
        rest = slice(k + step, n)
        lower = np.tril_indices(n - k - step)
        if step == 1:
            column = a[rest, k].copy()
            scaled = column / a[k, k]
            update = np.outer(scaled, column)
            a[rest, rest][lower] -= update[lower]
            a[rest, k] = scaled
            pivots[k] = chosen + 1
        else:
            block = np.array([[a[k, k], a[k + 1, k]], [a[k + 1, k], a[k + 1, k + 1]]], np.float64)
            columns = a[rest, k : k + 2].copy()
            scaled = np.linalg.solve(block, columns.T.astype(np.float64)).T.astype(a.dtype)
            update = scaled @ columns.T
            a[rest, rest][lower] -= update[lower]
            a[rest, k : k + 2] = scaled
            pivots[k] = pivots[k + 1] = -(chosen + 1)
        k += step
    return failed


def _ldl_solve(LD: np.ndarray[Any, Any], pivots: np.ndarray[Any, Any], B: np.ndarray[Any, Any]) -> tuple[Any]:
    """Exchanges, the unit triangle, the blocks of D, the triangle transposed, the exchanges undone."""
    batch = np.broadcast_shapes(LD.shape[:-2], B.shape[:-2])
    n = LD.shape[-1]
    ld = _flat(np.broadcast_to(LD, (*batch, n, n)))
    ipiv = np.broadcast_to(pivots, (*batch, n)).reshape(len(ld), n)
    x = _flat(np.broadcast_to(B, (*batch, *B.shape[-2:])))
    for a, p, y in zip(ld, ipiv, x, strict=True):
        _ldl_solve_one(a, p, y, n)
    return (x.reshape((*batch, *B.shape[-2:])),)


def _ldl_solve_one(a: Any, p: Any, y: Any, n: int) -> None:
    def exchange(i: int, j: int) -> None:
        if i != j:
            y[[i, j]] = y[[j, i]]

    k, steps = 0, []
    while k < n:
        step = 1 if p[k] > 0 else 2
        steps.append((k, step))
        exchange(k + step - 1, abs(int(p[k])) - 1)
        y[k + step :] -= a[k + step :, k : k + step] @ y[k : k + step]
        if step == 1:
            y[k] /= a[k, k]
        else:
            block = np.array([[a[k, k], a[k + 1, k]], [a[k + 1, k], a[k + 1, k + 1]]])
            y[k : k + 2] = np.linalg.solve(block, y[k : k + 2])
        k += step
    for k, step in reversed(steps):
        y[k : k + step] -= a[k + step :, k : k + step].T @ y[k + step :]
        exchange(k + step - 1, abs(int(p[k])) - 1)
