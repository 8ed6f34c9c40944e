"""Norms of vectors and matrices, and what is measured with them: condition, distance, the norm kept in bounds.

The derivative of a p-norm is ``sign(x) |x|^(p-1) / norm^(p-1)``. Where a norm has none, 0 is given at the origin and
equal shares to equal maxima: subgradients, and PyTorch's choice among them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import TensorT, Variable
from ..backends.dtypes import dtype as DType
from ..backends.dtypes import promote_types
from ..backends.layouts import in_rows
from .conversion import to_dtype
from .decompositions import linalg_svdvals
from .exact_out import takes_exact_out
from .matrices import require_matrix, require_real, type_name
from .operands import normalize_dim, numpy_names, require_tensor
from .ordering import amax, amin
from .pointwise import where
from .record import Op, apply
from .reduction import Dim, reduce_dims
from .solving import linalg_inv_ex
from .writing import become, takes_out

__all__ = ["dist", "frobenius_norm", "norm", "nuclear_norm", "renorm"]


# -- vectors ---


def _vector_norm(m: Any, input: Any, ord: float, dim: Any, keepdim: bool) -> Any:
    if ord == 2:
        return m.sqrt(m.sum(input * input, dim, keepdim))
    size = m.as_array(m.abs(input))
    if ord == math.inf:
        return m.amax(size, dim, keepdim)
    if ord == -math.inf:
        return m.amin(size, dim, keepdim)
    if ord == 0:
        return m.sum(m.as_array(m.astype(m.as_array(size != 0), input.dtype)), dim, keepdim)
    if ord == 1:
        return m.sum(size, dim, keepdim)
    return m.as_array(m.sum(m.as_array(size**ord), dim, keepdim)) ** (1 / ord)


def _norm_input(m: Any, g: Any, input: Any, out: Any, ord: float, dim: Any, keepdim: bool, shape: Any) -> Any:
    if ord == 0:
        return input * 0
    if not keepdim and dim is not None:
        kept = tuple([1 if i in dim else n for i, n in enumerate(shape)])
        g, norm = m.reshape(g, kept), m.reshape(out, kept)
    else:
        norm = out
    if ord == 1:
        return g * m.direction(input)
    if ord == 2:
        return g * m.masked_fill(input / norm, m.expand(norm == 0, shape), 0)
    if ord in (math.inf, -math.inf):
        size = m.abs(input)
        extreme = (size == norm) | ((size != size) & (norm != norm))
        count = m.sum(extreme, dim, True)
        return extreme * m.direction(input) * (g / count)
    if ord < 1:
        scaled = m.sign(input) * m.masked_fill(m.abs(input) ** (ord - 1), input == 0, 0)
        return scaled * g * norm ** (1 - ord)
    scale = m.masked_fill(g / norm ** (ord - 1), norm == 0, 0)
    if ord < 2:
        return m.sign(input) * m.abs(input) ** (ord - 1) * scale
    return input * m.abs(input) ** (ord - 2) * scale


VECTOR_NORM = Op(
    "linalg_vector_norm",
    _vector_norm,
    input=_norm_input,
    formula=r"\frac{\partial \lVert x\rVert_p}{\partial x_i} = \mathrm{sign}(x_i)\left(\frac{|x_i|}{\lVert x\rVert_p}"
    r"\right)^{p-1}",
    layout=in_rows,
)


def _in_dtype(function: str, A: Any, dtype: DType | None) -> Any:
    """``A`` in the dtype asked for, which must hold it."""
    if dtype is None:
        return A
    if not dtype.is_floating_point:
        name = type_name(_Named(dtype))
        raise RuntimeError(f"{function}: dtype should be floating point or complex, but got {name}")
    if promote_types(A._dtype(), dtype) is not dtype:
        raise RuntimeError(
            f"{function}: the dtype of the input ({type_name(A)}) should be convertible without narrowing to the "
            f"specified dtype ({type_name(_Named(dtype))})"
        )
    return to_dtype(A, dtype)


class _Named:
    def __init__(self, dtype: DType) -> None:
        self._d = dtype

    def _dtype(self) -> DType:
        return self._d


@takes_exact_out
@VECTOR_NORM
@numpy_names
def linalg_vector_norm(
    x: TensorT,
    ord: float = 2,
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Any = None,
) -> TensorT:
    """``(sum |x|**ord) ** (1/ord)`` over all elements, or over ``dim``.

    Args:
        ord: any number; inf for the largest, -inf for the smallest, 0 for the count of those that aren't zero.
        dtype: convert to it first; it must be as wide as that of x.

    Raises:
        RuntimeError: for what is not floating, and where no element is there to give the norm of that order.
        TypeError: where ``ord`` is not a number.
    """
    function = "linalg.vector_norm"
    require_tensor(function, "x", x)
    require_real(function, x, low=True)
    if isinstance(ord, np.generic):
        ord = ord.item()
    if isinstance(ord, Variable) and not ord._array.ndim:
        ord = ord.item()  # type: ignore[attr-defined]
    if not isinstance(ord, (bool, int, float)):
        raise TypeError(f"linalg_vector_norm(): argument 'ord' must be Number, not {type(ord).__name__}")
    ord = float(ord)
    x = _in_dtype(function, x, dtype)
    dims = reduce_dims(dim, x, function)
    if ord < 0 or ord == math.inf:
        shape = x._array.shape
        reduced = range(len(shape)) if dims is None else dims
        for d in reduced:
            if not shape[d]:
                where_empty = (
                    "an empty tensor because"
                    if dim is None
                    else f"the dimension {d} because this dimension is empty and"
                )
                raise RuntimeError(
                    f"{function} cannot compute the {ord:g} norm on {where_empty} the operation does not have an "
                    "identity"
                )
    if dims is None and keepdim:
        dims = tuple(range(x._array.ndim))
    low = type_name(x)
    if low in ("Half", "BFloat16"):  # summed in float32: half precision holds neither the squares nor their sum
        result = apply(VECTOR_NORM, (x.float(),), (ord, dims, keepdim))  # type: ignore[attr-defined]
        return result.to(x._dtype())
    return apply(VECTOR_NORM, (x,), (ord, dims, keepdim))


# -- matrices ---


@takes_exact_out
def linalg_matrix_norm(
    A: Any,
    ord: Any = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Any = None,
) -> Any:
    """A norm of matrices (*, m, n): shape (*).

    Args:
        ord: "fro" (all elements as a vector), "nuc" (the sum of the singular values), 2 or -2 (the largest or smallest
            of them), 1 or -1 (the largest or smallest sum of a column's sizes), inf or -inf (of a row's).
        dim: the two dimensions of the matrices.
        dtype: convert to it first.

    Raises:
        RuntimeError: for another order, and for dims that aren't two different ones.
    """
    function = "linalg.matrix_norm"
    require_matrix(function, A)
    if isinstance(ord, Variable):
        ord = ord.item()  # type: ignore[attr-defined]
    numeric = isinstance(ord, (int, float, np.generic)) and not isinstance(ord, bool)
    if not (abs(float(ord)) in (1, 2, math.inf) if numeric else ord in ("fro", "nuc")):
        raise RuntimeError(
            f"{function}: Order {ord} not supported.\n  expected: 'fro', 'nuc', 1, -1, 2, -2, inf or -inf"
        )
    require_real(function, A, low=(numeric and abs(float(ord)) != 2) or ord == "fro")
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) != 2:
        raise RuntimeError(f"{function}: dim must be a 2-tuple. Got {' '.join(map(str, dims))}")
    ndim = A._array.ndim
    first, second = normalize_dim(dims[0], ndim, function), normalize_dim(dims[1], ndim, function)
    if first == second:
        raise RuntimeError(f"{function}: dims must be different. Got ({dims[0]}, {dims[1]})")
    if ord == "fro":
        return linalg_vector_norm(A, 2, (first, second), keepdim, dtype=dtype)
    A = _in_dtype(function, A, dtype)
    if ord == "nuc" or abs(float(ord)) == 2:
        rest = [d for d in range(ndim) if d not in (first, second)]
        S = linalg_svdvals(A.permute([*rest, first, second]))
        result = S.sum(-1) if ord == "nuc" else _extreme(S, -1, ord)
        if keepdim:
            for d in sorted((first, second)):
                result = result.unsqueeze(d)
        return result
    summed, picked = (second, first) if abs(float(ord)) == math.inf else (first, second)
    sums = linalg_vector_norm(A, 1, summed, True)
    result = _extreme(sums, picked, ord, keepdim=True)
    return result if keepdim else result.squeeze((first, second))


def _extreme(x: Any, dim: int, ord: float, keepdim: bool = False) -> Any:
    """The largest for a positive order, the smallest for a negative; the largest of nothing is 0."""
    if ord > 0 and not x._array.shape[dim]:
        return x.sum(dim, keepdim)
    return amax(x, dim, keepdim) if ord > 0 else amin(x, dim, keepdim)


@takes_exact_out
def linalg_norm(
    A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None, out: Any = None
) -> Any:
    """A vector's norm or a matrix's, by what is given.

    Args:
        ord: as for ``vector_norm`` and ``matrix_norm``; None for the 2-norm of all elements.
        dim: one dimension for vectors, two for matrices; None for all of a tensor with 1 or 2 dimensions.

    Raises:
        RuntimeError: where it can't be told which of the two is meant.
    """
    require_tensor("linalg.norm", "A", A)
    ndim = A._array.ndim
    dims = None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    if dims is None and ord is not None and ndim not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {ndim}D.")
    count = ndim if dims is None else len(dims)
    if ord is not None and (count == 2 or isinstance(ord, str)):
        return linalg_matrix_norm(
            A, ord, (0, 1) if dims is None and ndim == 2 else dims or (-2, -1), keepdim, dtype=dtype
        )
    return linalg_vector_norm(A, 2 if ord is None else ord, dims, keepdim, dtype=dtype)


# -- the older names ---


@takes_exact_out
@numpy_names
def norm(
    input: Any,
    p: float | str | None = "fro",
    dim: Dim = None,
    keepdim: bool = False,
    out: Any = None,
    dtype: DType | None = None,
) -> Any:
    """The p-norm over all elements, or over ``dim``; "fro" is the 2-norm, "nuc" the sum of singular values.

    Raises:
        RuntimeError: for what is not floating, and for an unknown ``p``.
    """
    require_tensor("norm", "input", input)
    if isinstance(p, str) and p != "fro":
        if p != "nuc":
            raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.\n  expected: a number, 'fro' or 'nuc'")
        dims = tuple(range(input._array.ndim)) if dim is None else dim
        return linalg_matrix_norm(input, "nuc", dims, keepdim, dtype=dtype)
    if p == "fro" and isinstance(dim, (tuple, list)) and len(dim) > 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    return linalg_vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)  # type: ignore[arg-type]


@takes_exact_out
def nuclear_norm(input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The sum of the singular values of matrices, whose dimensions are ``dim``."""
    return linalg_matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim)


@takes_exact_out
def frobenius_norm(input: Any, dim: Any, keepdim: bool = False, *, out: Any = None) -> Any:
    """The 2-norm of all elements over ``dim``."""
    return linalg_vector_norm(input, 2, dim, keepdim)


# -- what is measured with norms ---


@takes_out
def linalg_cond(A: Any, p: Any = None, *, out: Any = None) -> Any:
    """How much a matrix stretches some directions more than others: ``norm(A) * norm(A⁻¹)``; inf for singular A.

    Args:
        A: shape (*, m, n), square unless p is None, 2 or -2.
        p: the order of the norm, as for ``matrix_norm``; None means 2.

    Raises:
        RuntimeError: for another order, and where a square matrix is needed.
    """
    require_tensor("linalg.cond", "A", A)
    if A._array.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    numeric = isinstance(p, (int, float, np.generic)) and not isinstance(p, bool)
    if p is not None and not (abs(float(p)) in (1, 2, math.inf) if numeric else p in ("fro", "nuc")):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if p is None or (numeric and abs(float(p)) == 2):
        S = linalg_svdvals(A)
        if not S._array.shape[-1]:
            return S.sum(-1)
        return S[..., -1] / S[..., 0] if p is not None and p < 0 else S[..., 0] / S[..., -1]
    require_matrix(f"linalg.cond(ord={p})", A, square=True)
    if p == "nuc":
        require_real("linalg.svd", A, "linalg_svd_cpu")
    require_real("linalg.cond", A)
    if not A._array.shape[-1]:
        return A.sum((-2, -1))
    inverse, info = linalg_inv_ex(A)
    product = linalg_matrix_norm(A, p) * linalg_matrix_norm(inverse, p)
    return where(info > 0, math.inf, product)


@takes_exact_out
def dist(input: TensorT, other: TensorT, p: float = 2, *, out: Any = None) -> TensorT:
    """The p-norm of ``input - other``."""
    require_tensor("dist", "input", input)
    require_tensor("dist", "other", other)
    difference: Any = input - other  # type: ignore[operator]
    if difference._array.dtype.kind in "iub":
        raise RuntimeError(
            f"norm(): input dtype should be either floating point or complex. Got {type_name(difference)} instead."
        )
    return linalg_vector_norm(difference, p)


@takes_exact_out
def renorm(input: TensorT, p: float, dim: int, maxnorm: float, *, out: Any = None) -> TensorT:
    """Each slice along ``dim`` whose p-norm is larger than ``maxnorm`` scaled down to it.

    Raises:
        RuntimeError: for fewer than 2 dimensions, ``p <= 0``, or a negative ``maxnorm``.
    """
    require_tensor("renorm", "input", input)
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    ndim = input._array.ndim
    if ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {ndim} dimensions")
    d = normalize_dim(dim, ndim, "renorm")
    others = tuple(i for i in range(ndim) if i != d)
    require_real("linalg.vector_norm", input, low=True)
    wide: Any = input.float() if type_name(input) in ("Half", "BFloat16") else input  # type: ignore[attr-defined]
    size = linalg_vector_norm(wide, p, others, True)
    factor = where(size > maxnorm, maxnorm / (size + 1e-7), 1.0)
    return input * (factor if wide is input else factor.to(input._dtype()))


class NormMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    def norm(
        self, p: float | str | None = "fro", dim: Dim = None, keepdim: bool = False, dtype: DType | None = None
    ) -> Any:
        """As ``torch.norm``."""
        return norm(self, p, dim, keepdim, dtype=dtype)

    def dist(self: TensorT, other: TensorT, p: float = 2) -> TensorT:
        """As ``torch.dist``."""
        return dist(self, other, p)

    def renorm(self: TensorT, p: float, dim: int, maxnorm: float) -> TensorT:
        """As ``torch.renorm``."""
        return renorm(self, p, dim, maxnorm)

    def renorm_(self: TensorT, p: float, dim: int, maxnorm: float) -> TensorT:
        """As ``torch.renorm``, in place."""
        return become(self, renorm, p, dim, maxnorm)
