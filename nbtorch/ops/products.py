"""Products of vectors, matrices and tensors beyond ``matmul``: scaled and added, outer, cross, Kronecker, chains.

The ``add...`` functions compute ``beta * input + alpha * (a @ b)``; with ``beta=0`` what ``input`` holds, NaN included,
doesn't matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.variable import TensorT, Variable
from ..backends.dtypes import promote_types
from .exact_out import takes_exact_out
from .joining import cat
from .linalg import dot, mm
from .matrices import mT, require_real, require_same, type_name
from .oldorder import once_took
from .operands import Number, broadcast_shapes, normalize_dim, normalize_dims, refuse_scalar, require_tensor
from .record import Op, apply, check_same_device
from .reduction import sum as sum_over
from .writing import become, takes_out

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "chain_matmul", "cross", "ger", "inner", "kron", "outer",
    "tensordot", "vdot",
]  # fmt: skip

# -- scaled and added ---


def _scaled(m: Any, input: Any, product: Callable[[], Any], shape: Any, beta: Any, alpha: Any) -> Any:
    """``beta * input + alpha * product`` in the dtype of ``input``; what is multiplied by 0 isn't looked at."""
    dtype = input.dtype
    out = product() if alpha else m.zeros(shape, dtype)
    if alpha not in (0, 1):
        out = out * alpha
    if beta:
        out = out + (input if beta == 1 else input * beta)
    out = m.as_array(out)
    return out if out.dtype == dtype else m.astype(out, dtype)


def _outer(m: Any, a: Any, b: Any) -> Any:
    return a[:, None] * b[None, :]


def _sum_of_products(m: Any, batch1: Any, batch2: Any) -> Any:
    """The sum over a batch of products: one product of matrices, the batch beside what is summed anyway."""
    b, n, k = batch1.shape
    return m.matmul(batch1.swapaxes(0, 1).reshape(n, b * k), batch2.reshape(b * k, batch2.shape[2]))


ADDMM = Op(
    "addmm",
    lambda m, input, mat1, mat2, beta, alpha: _scaled(
        m, input, lambda: m.matmul(mat1, mat2), (mat1.shape[0], mat2.shape[1]), beta, alpha
    ),
    tensors=3,
    input=lambda g, beta: g * beta,
    mat1=lambda m, g, mat2, alpha: m.matmul(g, mT(m, mat2)) * alpha,
    mat2=lambda m, g, mat1, alpha: m.matmul(mT(m, mat1), g) * alpha,
    formula=r"\bar C = \beta G,\quad \bar A = \alpha\,G B^\top,\quad \bar B = \alpha\,A^\top G",
)
ADDMV = Op(
    "addmv",
    lambda m, input, mat, vec, beta, alpha: _scaled(m, input, lambda: m.matmul(mat, vec), (mat.shape[0],), beta, alpha),
    tensors=3,
    input=lambda g, beta: g * beta,
    mat=lambda m, g, vec, alpha: _outer(m, g, vec) * alpha,
    vec=lambda m, g, mat, alpha: m.matmul(mT(m, mat), g) * alpha,
    formula=r"\bar y = \beta g,\quad \bar A = \alpha\,g x^\top,\quad \bar x = \alpha\,A^\top g",
)
ADDBMM = Op(
    "addbmm",
    lambda m, input, batch1, batch2, beta, alpha: _scaled(
        m, input, lambda: _sum_of_products(m, batch1, batch2), (batch1.shape[1], batch2.shape[2]), beta, alpha
    ),
    tensors=3,
    input=lambda g, beta: g * beta,
    batch1=lambda m, g, batch2, alpha: m.matmul(g[None], mT(m, batch2)) * alpha,
    batch2=lambda m, g, batch1, alpha: m.matmul(mT(m, batch1), g[None]) * alpha,
    formula=r"\bar C = \beta G,\quad \bar A_b = \alpha\,G B_b^\top,\quad \bar B_b = \alpha\,A_b^\top G",
)
BADDBMM = Op(
    "baddbmm",
    lambda m, input, batch1, batch2, beta, alpha: _scaled(
        m, input, lambda: m.matmul(batch1, batch2), (*batch1.shape[:2], batch2.shape[2]), beta, alpha
    ),
    tensors=3,
    input=lambda g, beta: g * beta,
    batch1=lambda m, g, batch2, alpha: m.matmul(g, mT(m, batch2)) * alpha,
    batch2=lambda m, g, batch1, alpha: m.matmul(mT(m, batch1), g) * alpha,
    formula=r"\bar C_b = \beta G_b,\quad \bar A_b = \alpha\,G_b B_b^\top,\quad \bar B_b = \alpha\,A_b^\top G_b",
)
ADDR = Op(
    "addr",
    lambda m, input, vec1, vec2, beta, alpha: _scaled(
        m, input, lambda: _outer(m, vec1, vec2), (vec1.shape[0], vec2.shape[0]), beta, alpha
    ),
    tensors=3,
    input=lambda g, beta: g * beta,
    vec1=lambda m, g, vec2, alpha: m.matmul(g, vec2) * alpha,
    vec2=lambda m, g, vec1, alpha: m.matmul(mT(m, g), vec1) * alpha,
    formula=r"\bar C = \beta G,\quad \bar x = \alpha\,G y,\quad \bar y = \alpha\,G^\top x",
)


def _add(op: Op, kernel: str, input: Any, a: Any, b: Any, shape: tuple[int, ...], beta: Any, alpha: Any) -> Any:
    """Runs one of the records; ``shape`` is that of the product, which ``input`` must broadcast to."""
    check_same_device(op, (input, a, b))
    function = op.name
    if a._array.dtype != b._array.dtype:
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {type_name(a)} and {type_name(b)}\n"
            f"  operation: {function}\n  fix: convert one of them, for example x.to(w.dtype)"
        )
    if input._array.dtype != b._array.dtype:
        raise RuntimeError(
            f"self and mat2 must have the same dtype, but got {type_name(input)} and {type_name(b)}\n"
            f"  operation: {function}"
        )
    kind = a._array.dtype.kind
    if kind == "b":
        raise NotImplementedError(
            f"\"{kernel}\" not implemented for 'Bool'\n  fix: convert first, for example x.float()"
        )
    _require_expandable(function, input, shape)
    if kind in "iu":
        beta, alpha = int(beta), int(alpha)
    return apply(op, (input, a, b), (_number(beta), _number(alpha)))


def _number(x: Any) -> Any:
    if isinstance(x, Variable):
        x = x.item()  # type: ignore[attr-defined]
    return x.item() if isinstance(x, np.generic) else x


def _require_expandable(function: str, input: Any, shape: tuple[int, ...]) -> None:
    have = tuple(input._array.shape)
    if len(have) > len(shape):
        raise RuntimeError(
            f"expand({function}, size={list(shape)}): the number of sizes provided ({len(shape)}) must be greater or "
            f"equal to the number of dimensions in the tensor ({len(have)})"
        )
    for d in range(1, len(have) + 1):
        if have[-d] not in (1, shape[-d]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[-d]}) must match the existing size ({have[-d]}) at "
                f"non-singleton dimension {len(shape) - d}.  Target sizes: {list(shape)}.  Tensor sizes: {list(have)}\n"
                f"  operation: {function}"
            )


def _require_tensors(function: str, **tensors: Any) -> None:
    for name, x in tensors.items():
        require_tensor(function, name, x)


@once_took(3, "beta", "alpha")
@takes_exact_out
@ADDMM
def addmm(
    input: TensorT, mat1: TensorT, mat2: TensorT, *, beta: Number = 1, alpha: Number = 1, out: Any = None
) -> TensorT:
    """``beta * input + alpha * (mat1 @ mat2)`` for matrices (n, k) and (k, p); ``input`` broadcasts to (n, p).

    Raises:
        RuntimeError: where shapes or dtypes don't fit.
    """
    _require_tensors("addmm", input=input, mat1=mat1, mat2=mat2)
    for name, x in (("mat1", mat1), ("mat2", mat2)):
        if x._array.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {x._array.ndim}-D tensor")
    (n, k), (k2, p) = mat1._array.shape, mat2._array.shape
    if k != k2:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({n}x{k} and {k2}x{p})")
    return _add(ADDMM, "addmm_impl_cpu_", input, mat1, mat2, (n, p), beta, alpha)


@once_took(3, "beta", "alpha")
@takes_exact_out
@ADDMV
def addmv(
    input: TensorT, mat: TensorT, vec: TensorT, *, beta: Number = 1, alpha: Number = 1, out: Any = None
) -> TensorT:
    """``beta * input + alpha * (mat @ vec)`` for a matrix (n, k) and a vector (k); ``input`` broadcasts to (n)."""
    _require_tensors("addmv", input=input, mat=mat, vec=vec)
    x, a, v = input._array, mat._array, vec._array
    for name, operand in (("mat", mat), ("vec", vec)):
        refuse_scalar("addmv", name, operand)
    if a.ndim != 2 or v.ndim != 1 or x.ndim > 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {x.ndim}, {a.ndim}, {v.ndim}")
    if a.shape[1] != v.shape[0] or (x.ndim and x.shape[0] not in (1, a.shape[0])):
        size = x.shape[0] if x.ndim else 1
        raise RuntimeError(f"size mismatch, got input ({size}), mat ({a.shape[0]}x{a.shape[1]}), vec ({v.shape[0]})")
    return _add(ADDMV, "addmv_impl_cpu", input, mat, vec, (a.shape[0],), beta, alpha)


def _require_batches(function: str, batch1: Any, batch2: Any) -> None:
    a, b = batch1._array, batch2._array
    refuse_scalar(function, "batch1", batch1)
    refuse_scalar(function, "batch2", batch2)
    for name, x in (("batch1", a), ("batch2", b)):
        if x.ndim != 3:
            kind = IndexError if function == "baddbmm" and x.ndim < 3 and name == "batch2" else RuntimeError
            raise kind(f"{name} must be a 3D tensor\n  operation: {function}\n  got: shape {tuple(x.shape)}")
    if a.shape[0] != b.shape[0] and function == "addbmm":
        raise RuntimeError(f"batch1 and batch2 must have same number of batches, got {a.shape[0]} and {b.shape[0]}")
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {[a.shape[0], a.shape[2]]} but got: "
            f"{list(b.shape[:2])}."
        )


@once_took(3, "beta", "alpha")
@takes_exact_out
@ADDBMM
def addbmm(
    input: TensorT, batch1: TensorT, batch2: TensorT, *, beta: Number = 1, alpha: Number = 1, out: Any = None
) -> TensorT:
    """``beta * input + alpha * sum_b(batch1[b] @ batch2[b])``: (b, n, k) and (b, k, p) give (n, p)."""
    _require_tensors("addbmm", input=input, batch1=batch1, batch2=batch2)
    _require_batches("addbmm", batch1, batch2)
    shape = (batch1._array.shape[1], batch2._array.shape[2])
    return _add(ADDBMM, "addbmm", input, batch1, batch2, shape, beta, alpha)


@once_took(3, "beta", "alpha")
@takes_exact_out
@BADDBMM
def baddbmm(
    input: TensorT, batch1: TensorT, batch2: TensorT, *, beta: Number = 1, alpha: Number = 1, out: Any = None
) -> TensorT:
    """``beta * input + alpha * bmm(batch1, batch2)``: (b, n, k) and (b, k, p) give (b, n, p)."""
    _require_tensors("baddbmm", input=input, batch1=batch1, batch2=batch2)
    _require_batches("baddbmm", batch1, batch2)
    shape = (*batch1._array.shape[:2], batch2._array.shape[2])
    return _add(BADDBMM, "baddbmm", input, batch1, batch2, shape, beta, alpha)


@once_took(3, "beta", "alpha")
@takes_out
@ADDR
def addr(
    input: TensorT, vec1: TensorT, vec2: TensorT, *, beta: Number = 1, alpha: Number = 1, out: Any = None
) -> TensorT:
    """``beta * input + alpha * outer(vec1, vec2)``: vectors (n) and (p) give (n, p); dtypes are promoted.

    Raises:
        RuntimeError: for what aren't vectors, shapes that don't fit, and fractions as factors of integers.
    """
    _require_tensors("addr", input=input, vec1=vec1, vec2=vec2)
    for name, x in (("vec1", vec1), ("vec2", vec2)):
        if x._array.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {x._array.ndim}-D")
    shape = (vec1._array.shape[0], vec2._array.shape[0])
    _require_expandable("addr", input, shape)
    dtype = promote_types(vec1._dtype(), vec2._dtype())
    if input._array.ndim or input._dtype().category > dtype.category:
        dtype = promote_types(dtype, input._dtype())
    beta, alpha = _number(beta), _number(alpha)
    if not dtype.is_floating_point:
        for name, factor in (("beta", beta), ("alpha", alpha)):
            if isinstance(factor, float):
                raise RuntimeError(f"For integral input tensors, argument {name} must not be a floating point number.")
    check_same_device(ADDR, (input, vec1, vec2))
    input, vec1, vec2 = (x if x._dtype() is dtype else x.to(dtype) for x in (input, vec1, vec2))  # type: ignore[attr-defined]
    if dtype._name == "bool":
        beta, alpha = bool(beta), bool(alpha)
    return apply(ADDR, (input, vec1, vec2), (beta, alpha))


# -- of vectors ---


@takes_exact_out
def vdot(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The inner product of two vectors; as ``dot``, since there are no complex numbers to conjugate."""
    return dot(input, other)


@takes_out
def outer(input: TensorT, vec2: TensorT, *, out: Any = None) -> TensorT:
    """The outer product of two vectors, (n) and (p): shape (n, p)."""
    _require_tensors("outer", input=input, vec2=vec2)
    for name, x in (("self", input), ("vec2", vec2)):
        if x._array.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {x._array.ndim}-D")
    return input.unsqueeze(1) * vec2  # type: ignore[attr-defined]


@takes_out
def ger(input: TensorT, vec2: TensorT, *, out: Any = None) -> TensorT:
    """As ``outer``."""
    return outer(input, vec2)


@takes_exact_out
def inner(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The inner products over the last dimension of both: (*a, k) and (*b, k) give (*a, *b); a number scales."""
    _require_tensors("inner", input=input, other=other)
    a, b = input._array, other._array
    if not a.ndim or not b.ndim:
        return input * other  # type: ignore[operator]
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {list(a.shape)} and "
            f"{list(b.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


CROSS = Op(
    "linalg_cross",
    lambda m, input, other, dim: m.linalg_cross(input, other, dim=dim),
    tensors=2,
    input=lambda m, g, other, dim: m.linalg_cross(other, g, dim=dim),
    other=lambda m, g, input, dim: m.linalg_cross(g, input, dim=dim),
    formula=r"\bar a = b \times g,\quad \bar b = g \times a",
)


@takes_exact_out
@CROSS
def linalg_cross(input: TensorT, other: TensorT, *, dim: int = -1, out: Any = None) -> TensorT:
    """The cross product of vectors with 3 elements along ``dim``; the other dimensions broadcast.

    Raises:
        RuntimeError: where the size along ``dim`` isn't 3, or the numbers of dimensions differ.
    """
    _require_tensors("linalg.cross", input=input, other=other)
    a: Any = input
    b: Any = other
    refuse_scalar("linalg.cross", "input", a)
    refuse_scalar("linalg.cross", "other", b)
    if a._array.ndim != b._array.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    d = normalize_dim(dim, a._array.ndim, "linalg.cross")
    sizes = [x._array.shape[d] if x._array.ndim else 1 for x in (a, b)]
    if sizes != [3, 3]:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {sizes[0]} and {sizes[1]}")
    check_same_device(CROSS, (a, b))
    if a._array.dtype.kind == "b":
        raise NotImplementedError("\"cross\" not implemented for 'Bool'")
    shape = broadcast_shapes("linalg.cross", tuple(a._array.shape), tuple(b._array.shape))
    if a._array.dtype != b._array.dtype:
        raise RuntimeError(
            f"expected scalar type {type_name(a)} but found {type_name(b)}\n  operation: linalg.cross\n"
            "  fix: other.to(input.dtype)"
        )
    return apply(CROSS, (a.expand(shape), b.expand(shape)), (d,))


@takes_exact_out
def cross(input: TensorT, other: TensorT, dim: int | None = None, *, out: Any = None) -> TensorT:
    """As ``linalg.cross``; the first dimension of size 3 unless ``dim`` is given.

    Raises:
        RuntimeError: where there is none.
    """
    _require_tensors("cross", input=input, other=other)
    if dim is None:
        found = [d for d, n in enumerate(input._array.shape) if n == 3]
        if not found:
            raise RuntimeError(f"no dimension of size 3 in input\n  got: shape {tuple(input._array.shape)}")
        dim = found[0]
    return linalg_cross(input, other, dim=dim)


@takes_exact_out
def linalg_vecdot(x: TensorT, y: TensorT, *, dim: int = -1, out: Any = None) -> TensorT:
    """The inner products of vectors along ``dim``; the other dimensions broadcast."""
    _require_tensors("linalg.vecdot", x=x, y=y)
    require_real("linalg.vecdot", x, low=True)
    require_same("linalg.vecdot", x, y, "x", "y")
    return sum_over(x * y, dim)  # type: ignore[operator]


def linalg_vander(x: Any, N: int | None = None) -> Any:
    """Vandermonde matrices: the powers 0 to N - 1 of the elements of x, shape (*, n): shape (*, n, N).

    Raises:
        RuntimeError: for bools and half precision, and for fewer than 2 powers.
    """
    require_tensor("linalg.vander", "x", x)
    if type_name(x) in ("Bool", "Half", "BFloat16"):
        raise RuntimeError(
            f"linalg.vander supports floating point, complex, and integer tensors, but got {type_name(x)}"
        )
    if not x._array.ndim:
        x = x.reshape(1) if N is not None else x
    count = N if N is not None else x._array.shape[-1] if x._array.ndim else 0
    if count <= 1:
        raise RuntimeError(f"N must be greater than 1.\n  got: {count}")
    powers = x.unsqueeze(-1).expand((*x._array.shape, count - 1)).cumprod(-1)
    return cat((powers.new_ones((*x._array.shape, 1)), powers), -1)


# -- of tensors ---


@takes_exact_out
def tensordot(a: Any, b: Any, dims: Any = 2, *, out: Any = None) -> Any:
    """The sum of products over the last ``dims`` dimensions of ``a`` and the first of ``b``, or over the pairs given.

    Args:
        dims: a number of dimensions, or two lists of them of equal length, or a tensor of either.

    Raises:
        RuntimeError: where sizes or dtypes don't fit.
    """
    _require_tensors("tensordot", a=a, b=b)
    if isinstance(dims, Variable):
        dims = dims.item() if dims._array.size == 1 else dims.tolist()  # type: ignore[attr-defined]
    na, nb = a._array.ndim, b._array.ndim
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(na, nb):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        over_a, over_b = tuple(range(na - dims, na)), tuple(range(dims))
    else:
        first, second = ([d] if isinstance(d, int) else list(d) for d in dims)
        if len(first) != len(second):
            raise RuntimeError("both dimension lists should have same length")
        over_a = normalize_dims(tuple(first), na, "tensordot")
        over_b = normalize_dims(tuple(second), nb, "tensordot")
    require_same("tensordot", a, b, sentence="both inputs should have same dtype")
    for i, j in zip(over_a, over_b, strict=True):
        if a._array.shape[i] != b._array.shape[j]:
            if 1 not in (a._array.shape[i], b._array.shape[j]):
                raise RuntimeError(
                    f"contracted dimensions need to match, but first has size {a._array.shape[i]} in dim {i} and "
                    f"second has size {b._array.shape[j]} in dim {j}"
                )
            # A size of 1 stands for the same number everywhere: sum the other side first.
            if a._array.shape[i] == 1:
                b = b.sum(j, keepdim=True, dtype=b._dtype())
            else:
                a = a.sum(i, keepdim=True, dtype=a._dtype())
    free_a = [i for i in range(na) if i not in over_a]
    free_b = [j for j in range(nb) if j not in over_b]
    shape = [a._array.shape[i] for i in free_a] + [b._array.shape[j] for j in free_b]
    inner_size = math.prod(a._array.shape[i] for i in over_a)
    rows = a.permute([*free_a, *over_a]).reshape(math.prod(a._array.shape[i] for i in free_a), inner_size)
    columns = b.permute([*over_b, *free_b]).reshape(inner_size, math.prod(b._array.shape[j] for j in free_b))
    return mm(rows, columns).reshape(shape)


@takes_out
def kron(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The Kronecker product: a block ``input[i] * other`` for each element of ``input``; sizes multiply."""
    _require_tensors("kron", input=input, other=other)
    a: Any = input
    b: Any = other
    n = max(a._array.ndim, b._array.ndim)
    left, right = ((1,) * (n - x._array.ndim) + tuple(x._array.shape) for x in (a, b))
    a = a.reshape([size for pair in zip(left, (1,) * n, strict=True) for size in pair])
    b = b.reshape([size for pair in zip((1,) * n, right, strict=True) for size in pair])
    return (a * b).reshape([i * j for i, j in zip(left, right, strict=True)])


# -- chains ---


def _cheapest(sizes: Sequence[int]) -> list[list[int]]:
    """Where to split each stretch of a chain of matrices so that it costs least (Cormen et al., section 15.2)."""
    n = len(sizes) - 1
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], split[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return split


@takes_exact_out
def linalg_multi_dot(tensors: Sequence[Any], *, out: Any = None) -> Any:
    """The product of two or more matrices, in the order that costs least; the first and the last may be vectors.

    Raises:
        RuntimeError: for fewer than two, or where shapes or dtypes don't fit.
    """
    chain = list(tensors)
    for x in chain:
        require_tensor("multi_dot", "tensors", x)
    if len(chain) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(chain)}")
    for place, x in (("first", chain[0]), ("last", chain[-1])):
        if x._array.ndim not in (1, 2):
            raise RuntimeError(f"multi_dot(): the {place} tensor must be 1D or 2D but got {x._array.ndim}D")
    for i, x in enumerate(chain[1:-1], 1):
        if x._array.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {x._array.ndim}D")
    for i, x in enumerate(chain[1:], 1):
        if x._array.dtype != chain[0]._array.dtype:
            raise RuntimeError(
                f"multi_dot(): all tensors must have be the same dtype but tensor 0 is {chain[0]._dtype()._name} and "
                f"tensor {i} {x._dtype()._name}"
            )
        if x._backend is not chain[0]._backend:
            raise RuntimeError(
                f"multi_dot(): all tensors must be on the same device but tensor 0 is on {chain[0]._backend.device} "
                f"and tensor {i} on {x._backend.device}"
            )
    row, column = chain[0]._array.ndim == 1, chain[-1]._array.ndim == 1
    if row:
        chain[0] = chain[0].unsqueeze(0)
    if column:
        chain[-1] = chain[-1].unsqueeze(-1)
    for i in range(len(chain) - 1):
        a, b = chain[i]._array.shape, chain[i + 1]._array.shape
        if a[1] != b[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(a)} and {list(b)} cannot be multiplied"
            )
    split = _cheapest([chain[0]._array.shape[0], *(x._array.shape[1] for x in chain)])

    def product(i: int, j: int) -> Any:
        return chain[i] if i == j else mm(product(i, split[i][j]), product(split[i][j] + 1, j))

    result = product(0, len(chain) - 1)
    shape = [] if row else [result._array.shape[0]]
    return result.reshape(shape if column else [*shape, result._array.shape[1]]) if row or column else result


def chain_matmul(*matrices: Any, out: Any = None) -> Any:
    """As ``linalg.multi_dot``, with the matrices as arguments; one alone is returned as it is."""
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    if len(matrices) == 1:
        return matrices[0]
    return linalg_multi_dot(matrices, out=out)


class ProductMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    addmm = addmm
    addmv = addmv
    addbmm = addbmm
    baddbmm = baddbmm
    addr = addr
    vdot = vdot
    outer = outer
    ger = ger
    inner = inner
    kron = kron
    cross = cross

    @once_took(3, "beta", "alpha")
    def addmm_(self: TensorT, mat1: TensorT, mat2: TensorT, *, beta: Number = 1, alpha: Number = 1) -> TensorT:
        """As ``addmm``, in place."""
        return become(self, addmm, mat1, mat2, beta=beta, alpha=alpha)

    @once_took(3, "beta", "alpha")
    def addmv_(self: TensorT, mat: TensorT, vec: TensorT, *, beta: Number = 1, alpha: Number = 1) -> TensorT:
        """As ``addmv``, in place."""
        return become(self, addmv, mat, vec, beta=beta, alpha=alpha)

    @once_took(3, "beta", "alpha")
    def addbmm_(self: TensorT, batch1: TensorT, batch2: TensorT, *, beta: Number = 1, alpha: Number = 1) -> TensorT:
        """As ``addbmm``, in place."""
        return become(self, addbmm, batch1, batch2, beta=beta, alpha=alpha)

    @once_took(3, "beta", "alpha")
    def baddbmm_(self: TensorT, batch1: TensorT, batch2: TensorT, *, beta: Number = 1, alpha: Number = 1) -> TensorT:
        """As ``baddbmm``, in place."""
        return become(self, baddbmm, batch1, batch2, beta=beta, alpha=alpha)

    @once_took(3, "beta", "alpha")
    def addr_(self: TensorT, vec1: TensorT, vec2: TensorT, *, beta: Number = 1, alpha: Number = 1) -> TensorT:
        """As ``addr``, in place."""
        return become(self, addr, vec1, vec2, beta=beta, alpha=alpha)
