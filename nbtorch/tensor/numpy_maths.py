"""NumPy's products, linear algebra, calculus and comparisons on tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..autograd.variable import Variable
from .numpy_table import FUNCTIONS, NoCounterpart, converted, into, o, of, refuse, t


def pair(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands as tensors of one dtype, the one that promotion gives."""
    x, y = t(a, b), t(b, a)
    if x._array.dtype != y._array.dtype:
        both = o.add(x.reshape(-1)[:0], y.reshape(-1)[:0])._dtype()
        x, y = x.to(both), y.to(both)
    return x, y


# -- products ---


@of("dot")
def dot(a: Any, b: Any, out: Any = None) -> Any:
    """Over the last dimension of ``a`` and the last but one of ``b``."""
    x, y = pair(a, b)
    if not x.ndim or not y.ndim:
        return into(out, x * y)
    if y.ndim == 1 or (x.ndim <= 2 and y.ndim <= 2):
        return into(out, o.matmul(x, y))
    return into(out, o.tensordot(x, y, ([x.ndim - 1], [y.ndim - 2])))


@of("inner")
def inner(a: Any, b: Any, /) -> Any:
    x, y = pair(a, b)
    return o.tensordot(x, y, ([x.ndim - 1], [y.ndim - 1])) if x.ndim and y.ndim else x * y


@of("vdot")
def vdot(a: Any, b: Any, /) -> Any:
    x, y = pair(a, b)
    return o.dot(x.reshape(-1), y.reshape(-1))


@of("outer", "linalg.outer")
def outer(a: Any, b: Any, out: Any = None) -> Any:
    x, y = pair(a, b)
    return into(out, o.outer(x.reshape(-1), y.reshape(-1)))


@of("matmul", "linalg.matmul")
def matmul(x1: Any, x2: Any, /) -> Any:
    return o.matmul(*pair(x1, x2))


@of("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    x, y = pair(a, b)
    if isinstance(axes, (int, np.integer)):
        return o.tensordot(x, y, int(axes))
    left, right = ([d] if isinstance(d, (int, np.integer)) else list(d) for d in axes)
    return o.tensordot(x, y, (left, right))


@of("einsum")
def einsum(
    *operands: Any, out: Any = None, dtype: Any = None, order: str = "K", casting: str = "safe", optimize: Any = False
) -> Any:
    equation, *arrays = operands
    if not isinstance(equation, str):
        raise NoCounterpart("the form einsum(array, indices, ...) is not there: give an equation such as 'ij,jk->ik'")
    first = next(a for a in arrays if isinstance(a, Variable))
    return into(out, o.einsum(equation, *[converted(t(a, first), dtype) for a in arrays]))


@of("kron")
def kron(a: Any, b: Any) -> Any:
    x, y = pair(a, b)
    n = max(x.ndim, y.ndim)
    x = x.reshape([v for s in (*(1,) * (n - x.ndim), *x.shape) for v in (s, 1)])
    y = y.reshape([v for s in (*(1,) * (n - y.ndim), *y.shape) for v in (1, s)])
    made = x * y
    return made.reshape([made.shape[2 * i] * made.shape[2 * i + 1] for i in range(n)])


@of("cross", "linalg.cross")
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = pair(a, b)
    (a1, a2, a3), (b1, b2, b3) = o.unbind(x, axisa), o.unbind(y, axisb)
    return o.stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], axisc)


@of("linalg.vecdot")
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    x, y = pair(x1, x2)
    return o.sum(x * y, axis)


@of("linalg.multi_dot")
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    result = t(arrays[0])
    for following in arrays[1:]:
        result = dot(result, following)
    return into(out, result)


@of("vander")
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    v = t(x)
    powers = range(v.shape[0] if N is None else N)
    return o.stack([v**p for p in (powers if increasing else reversed(powers))], -1)


# -- linear algebra ---


def _as_tuple(name: str, *fields: str) -> Any:
    return NamedTuple(name, [(field, Any) for field in fields])


_SVD = _as_tuple("SVDResult", "U", "S", "Vh")
_QR = _as_tuple("QRResult", "Q", "R")
_EIGH = _as_tuple("EighResult", "eigenvalues", "eigenvectors")
_SLOGDET = _as_tuple("SlogdetResult", "sign", "logabsdet")


def _linalg(name: str) -> Callable[..., Any]:
    def function(a: Any) -> Any:
        return getattr(o, f"linalg_{name}")(t(a))

    return function


for _name in ("inv", "det", "svdvals"):
    of(f"linalg.{_name}")(_linalg(_name))


@of("linalg.solve")
def solve(a: Any, b: Any) -> Any:
    A, B = pair(a, b)
    # In NumPy b is one vector where it has one dimension, and matrices otherwise.
    return o.linalg_solve(A, B.unsqueeze(-1)).squeeze(-1) if B.ndim == 1 else o.linalg_solve(A, B)


@of("linalg.cholesky")
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    return o.linalg_cholesky(t(a), upper=upper)


@of("linalg.eigh")
def eigh(a: Any, UPLO: str = "L") -> Any:
    return _EIGH(*o.linalg_eigh(t(a), UPLO))


@of("linalg.eigvalsh")
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return o.linalg_eigvalsh(t(a), UPLO)


@of("linalg.svd")
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    return _SVD(*o.linalg_svd(t(a), full_matrices)) if compute_uv else o.linalg_svdvals(t(a))


@of("linalg.qr")
def qr(a: Any, mode: str = "reduced") -> Any:
    Q, R = o.linalg_qr(t(a), mode)
    return R if mode == "r" else _QR(Q, R)


@of("linalg.slogdet")
def slogdet(a: Any) -> Any:
    return _SLOGDET(*o.linalg_slogdet(t(a)))


@of("linalg.pinv")
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    rtol = rcond if rtol is None or rtol is np._NoValue else rtol
    return o.linalg_pinv(t(a), rtol=1e-15 if rtol is None else rtol, hermitian=hermitian)


@of("linalg.matrix_power")
def matrix_power(a: Any, n: int) -> Any:
    return o.linalg_matrix_power(t(a), n)


@of("linalg.matrix_rank")
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    return o.linalg_matrix_rank(t(A), atol=tol, rtol=rtol, hermitian=hermitian)


@of("linalg.cond")
def cond(x: Any, p: Any = None) -> Any:
    return o.linalg_cond(t(x), p)


@of("linalg.tensorinv")
def tensorinv(a: Any, ind: int = 2) -> Any:
    return o.linalg_tensorinv(t(a), ind)


@of("linalg.tensorsolve")
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    return o.linalg_tensorsolve(*pair(a, b), axes)


@of("linalg.norm")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    v = t(x)
    v = v if v._dtype().is_floating_point else v.double()
    if (ord is None and (axis is None or isinstance(axis, int))) or (ord == 2 and isinstance(axis, int)):
        # Written out for the norm that is used most: its gradient at 0 is 0.
        return o.norm(v, 2, axis, keepdims)
    return o.linalg_norm(v, ord, axis, keepdims)


@of("linalg.vector_norm")
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return o.linalg_vector_norm(t(x), ord, axis, keepdims)


@of("linalg.matrix_norm")
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return o.linalg_matrix_norm(t(x), ord, keepdim=keepdims)


# -- calculus and statistics ---


@of("diff")
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    x = t(a)
    absent = np._NoValue
    ends: list[Any] = []
    for end in (prepend, append):
        if end is None or end is absent:
            ends.append(None)
            continue
        e = t(end, x)
        ends.append(e if e.ndim else o.broadcast_to(e, [1 if d == axis % x.ndim else k for d, k in enumerate(x.shape)]))
    return o.diff(x, n, axis, *ends)


@of("ediff1d")
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    parts = [None if p is None else t(p, ary).reshape(-1) for p in (to_begin, o.diff(t(ary).reshape(-1)), to_end)]
    return o.cat([p for p in parts if p is not None], 0)


@of("gradient")
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    x = t(f)
    dims = list(range(x.ndim)) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    spacing: Any = 1 if not varargs else varargs[0] if len(varargs) == 1 else list(varargs)
    if isinstance(spacing, (np.ndarray, Variable)):
        spacing = [t(spacing, x)]
    made = o.gradient(x, spacing=spacing, dim=dims, edge_order=edge_order)
    return made[0] if len(made) == 1 else tuple(made)


@of("trapezoid", "trapz")
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    return o.trapezoid(t(y), dx=dx, dim=axis) if x is None else o.trapezoid(t(y), t(x, y), dim=axis)


@of("interp")
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    refuse(period=(period, None))
    like = next(v for v in (x, fp, xp) if isinstance(v, Variable))
    at, places, values = (t(v, like) for v in (x, xp, fp))
    where = o.clamp(o.searchsorted(places, at.detach(), right=True), 1, places.shape[0] - 1)
    low, high = places[where - 1], places[where]
    share = o.clamp((at - low) / (high - low), 0.0, 1.0)
    result = values[where - 1] + share * (values[where] - values[where - 1])
    if left is not None:
        result = o.where(at < places[0], left, result)
    return result if right is None else o.where(at > places[-1], right, result)


@of("cov")
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    refuse(fweights=(fweights, None), aweights=(aweights, None))
    x = o.atleast_2d(converted(t(m), dtype))
    if not rowvar and t(m).ndim > 1:
        x = o.transpose(x, 0, 1)
    if y is not None:
        x = o.cat([x, o.atleast_2d(t(y, x))], 0)
    centered = x - o.mean(x, 1, True)
    made = o.matmul(centered, o.transpose(centered, 0, 1)) / (
        x.shape[1] - ((0 if bias else 1) if ddof is None else ddof)
    )
    return o.squeeze(made)


@of("corrcoef")
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    deviation = o.sqrt(o.diagonal(c))
    return o.clamp(c / deviation.unsqueeze(0) / deviation.unsqueeze(1), -1.0, 1.0)


@of("convolve")
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    return _slid(t(a, v), o.flip(t(v, a), (0,)), mode)


@of("correlate")
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    return _slid(t(a, v), t(v, a), mode)


def _slid(a: Any, v: Any, mode: str) -> Any:
    """Products of ``v`` with every stretch of ``a`` that it overlaps, as ``mode`` says how far."""
    a, v = pair(a, v)
    n, k = a.shape[0], v.shape[0]
    zeros = a.new_zeros(k - 1)
    padded = o.cat([zeros, a, zeros], 0)
    places = np.arange(n + k - 1)[:, None] + np.arange(k)
    full = o.matmul(padded[t(places, a)], v)
    if mode == "full":
        return full
    size = max(n, k) if mode == "same" else max(n, k) - min(n, k) + 1
    start = (n + k - 1 - size) // 2 if mode == "same" else min(n, k) - 1
    return full[start : start + size]


@of("polyval")
def polyval(p: Any, x: Any) -> Any:
    like = p if isinstance(p, Variable) else x
    coefficients, at = t(p, like), t(x, like)
    result = at * 0
    for c in o.unbind(coefficients, 0):
        result = result * at + c
    return result


@of("histogram")
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    x = t(a)
    edges = bins if isinstance(bins, int) else t(bins, x)
    counts, edges = o.histogram(x.reshape(-1), edges, range=range, weight=weights, density=bool(density))
    return (counts if density or weights is not None else counts.long()), edges


# -- elementwise, and comparisons ---


@of("round", "around")
def around(a: Any, decimals: int = 0, out: Any = None) -> Any:
    x = t(a)
    return into(out, x if not x._dtype().is_floating_point else o.round(x, decimals=decimals))


def _elementwise(name: str) -> Callable[..., Any]:
    def function(x: Any, out: Any = None) -> Any:
        return into(out, getattr(o, name)(t(x)))

    return function


for _name, _ours in {
    "fix": "trunc",
    "sinc": "sinc",
    "i0": "i0",
    "isneginf": "isneginf",
    "isposinf": "isposinf",
}.items():
    of(_name)(_elementwise(_ours))


@of("nan_to_num")
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    result = o.nan_to_num(t(x), nan, posinf, neginf)
    return result if copy else into(x, result)


@of("real", "real_if_close")
def real(val: Any, tol: Any = None) -> Any:
    return t(val)


@of("imag")
def imag(val: Any) -> Any:
    return FUNCTIONS[np.zeros_like](val)


@of("angle")
def angle(z: Any, deg: bool = False) -> Any:
    x = t(z)
    return o.where(x < 0, 180.0 if deg else math.pi, o.where(o.isnan(x), x, 0.0))


@of("isreal")
def isreal(x: Any) -> Any:
    return o.eq(t(x), t(x)) | True


@of("iscomplexobj")
def iscomplexobj(x: Any) -> bool:
    return False


@of("isrealobj")
def isrealobj(x: Any) -> bool:
    return True


@of("isclose")
def isclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    return o.isclose(*pair(a, b), rtol, atol, equal_nan)


@of("allclose")
def allclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    return bool(o.all(isclose(a, b, rtol, atol, equal_nan)))


@of("array_equal")
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    x, y = t(a1, a2), t(a2, a1)
    if x.shape != y.shape:
        return False
    same = x == y
    return bool(o.all(same | (o.isnan(x) & o.isnan(y)) if equal_nan else same))


@of("array_equiv")
def array_equiv(a1: Any, a2: Any) -> bool:
    x, y = t(a1, a2), t(a2, a1)
    try:
        return bool(o.all(x == y))
    except RuntimeError:  # shapes that don't broadcast
        return False


# -- what is asked about a tensor ---


@of("shape")
def shape(a: Any) -> tuple[int, ...]:
    return tuple(t(a).shape)


@of("ndim")
def ndim(a: Any) -> int:
    return int(t(a).ndim)


@of("size")
def size(a: Any, axis: int | None = None) -> int:
    return int(t(a).numel() if axis is None else t(a).shape[axis])


@of("result_type")
def result_type(*arrays_and_dtypes: Any) -> Any:
    return np.result_type(*[x._array.dtype if isinstance(x, Variable) else x for x in arrays_and_dtypes])


@of("apply_along_axis")
def apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    x = o.movedim(t(arr), axis, -1)
    rows = [t(func1d(row, *args, **kwargs), x) for row in o.unbind(x.reshape(-1, x.shape[-1]), 0)]
    made = o.stack(rows).reshape(*x.shape[:-1], *rows[0].shape)
    return made if not rows[0].ndim else o.movedim(made, -1, axis)


@of("apply_over_axes")
def apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    x = t(a)
    for axis in (axes,) if isinstance(axes, int) else axes:
        made = func(x, axis)
        x = made if made.ndim == x.ndim else FUNCTIONS[np.expand_dims](made, axis)
    return x
