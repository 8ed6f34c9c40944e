"""Products of matrices and vectors.

The derivative of a matrix product C = A B is dA = dC Bᵀ and dB = Aᵀ dC (Giles 2008, "An extended collection of matrix
derivative results", section 2.2.2).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ..autograd.variable import TensorT, Variable
from ..backends.layouts import in_rows
from .exact_out import write_exact_out
from .operands import broadcast_shapes, is_operand, normalize_dim, operand, refuse_scalar, require_tensor, type_name
from .record import Op, apply, apply_view, check_same_device
from .reduction import sum as sum_over
from .shape import reshape

__all__ = [
    "bmm", "diagonal", "dot", "einsum", "linear", "matmul", "mm", "mv", "trace",
]  # fmt: skip

MM = Op(
    "mm",
    lambda m, input, mat2: m.matmul(input, mat2),
    tensors=2,
    input=lambda m, g, mat2: m.matmul(g, m.transpose(mat2, 0, 1)),
    mat2=lambda m, g, input: m.matmul(m.transpose(input, 0, 1), g),
    formula=r"\frac{\partial L}{\partial A} = G\,B^\top,\quad \frac{\partial L}{\partial B} = A^\top G",
)
BMM = Op(
    "bmm",
    lambda m, input, mat2: m.matmul(input, mat2),
    tensors=2,
    input=lambda m, g, mat2: m.matmul(g, m.transpose(mat2, 1, 2)),
    mat2=lambda m, g, input: m.matmul(m.transpose(input, 1, 2), g),
    formula=r"\frac{\partial L}{\partial A_b} = G_b B_b^\top,\quad \frac{\partial L}{\partial B_b} = A_b^\top G_b",
    layout=in_rows,
)
MV = Op(
    "mv",
    lambda m, input, vec: m.matmul(input, vec),
    tensors=2,
    input=lambda m, g, vec: m.reshape(g, (*g.shape, 1)) * vec,
    vec=lambda m, g, input: m.matmul(m.transpose(input, 0, 1), g),
    formula=r"\frac{\partial L}{\partial A} = g\,x^\top,\quad \frac{\partial L}{\partial x} = A^\top g",
)
DOT = Op(
    "dot",
    lambda m, input, tensor: m.matmul(input, tensor),
    tensors=2,
    input=lambda g, tensor: g * tensor,
    tensor=lambda g, input: g * input,
    formula=r"\frac{\partial\, x\cdot y}{\partial x} = y,\quad \frac{\partial\, x\cdot y}{\partial y} = x",
)


def _swap(m: Any, x: Any) -> Any:
    return m.transpose(x, x.ndim - 2, x.ndim - 1)


MATMUL = Op(
    "matmul",
    lambda m, input, other: m.matmul(input, other),
    tensors=2,
    node="UnsafeViewBackward0",
    input=lambda m, g, other: m.matmul(g, _swap(m, other)),
    other=lambda m, g, input: m.matmul(_swap(m, input), g),
    formula=r"\frac{\partial L}{\partial A} = G\,B^\top,\quad \frac{\partial L}{\partial B} = A^\top G",
    layout=in_rows,
)


def _factors(function: str, a: Any, b: Any) -> tuple[Any, Any]:
    both = isinstance(a, Variable) and isinstance(b, Variable)
    if both and a._backend is b._backend and a._array.dtype is b._array.dtype:
        return a, b
    require_tensor(function, "input", a)
    require_tensor(function, "other", b)
    check_same_device(MM, (a, b))
    if a._array.dtype != b._array.dtype:
        if function == "dot":
            said = f"dot : expected both vectors to have same dtype, but found {type_name(a)} and {type_name(b)}"
        elif function == "mv":
            said = (
                f"addmv input tensors must have the same dtype, but got {type_name(b)}, {type_name(a)}, and "
                f"{type_name(b)}"
            )
        elif function == "bmm":
            said = f"expected scalar type {type_name(a)} but found {type_name(b)}"
        else:
            said = f"expected m1 and m2 to have the same dtype, but got: {a._dtype()!r} != {b._dtype()!r}"
        raise RuntimeError(f"{said}\n  operation: {function}\n  fix: convert one of them, for example x.to(w.dtype)")
    return a, b


_KERNELS = {"mm": "addmm_impl_cpu_", "mv": "addmv_impl_cpu", "matmul": "bmm"}


def _product(op: Op, a: Any, b: Any) -> Any:
    if a._array.dtype.kind == "b":
        kernel = _KERNELS.get(op.name, op.name)
        raise NotImplementedError(
            f"\"{kernel}\" not implemented for 'Bool'\n  fix: convert first, for example x.float()"
        )
    return apply(op, (a, b))


def _sizes(a: Any, b: Any) -> str:
    return f"  got: shapes {tuple(a._array.shape)} and {tuple(b._array.shape)}"


@MM
def mm(input: TensorT, mat2: TensorT, *, out: Any = None) -> TensorT:
    """The product of two matrices, (n, k) and (k, p).

    Raises:
        RuntimeError: where they aren't matrices, or their inner sizes or dtypes differ.
    """
    if out is not None:
        return write_exact_out("mm", out, mm(input, mat2))
    return _mm(*_factors("mm", input, mat2))


def _mm(a: Any, b: Any) -> Any:
    if a._array.ndim != 2 or b._array.ndim != 2:
        which = "self" if a._array.ndim != 2 else "mat2"
        raise RuntimeError(
            f"{which} must be a matrix\n{_sizes(a, b)}\n  fix: matmul() multiplies batches and vectors too"
        )
    (n, k), (k2, p) = a._array.shape, b._array.shape
    if k != k2:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({n}x{k} and {k2}x{p})\n"
            f"  expected: the columns of the first ({k}) to be the rows of the second ({k2})\n"
            "  fix: transpose one of them (.T), or check the layer's in_features"
        )
    return _product(MM, a, b)


@BMM
def bmm(input: TensorT, mat2: TensorT, *, out: Any = None) -> TensorT:
    """The products of two batches of matrices, (b, n, k) and (b, k, p)."""
    if out is not None:
        return write_exact_out("bmm", out, bmm(input, mat2))
    a, b = _factors("bmm", input, mat2)
    if a._array.ndim != 3 or b._array.ndim != 3:
        which = "batch1" if a._array.ndim != 3 else "batch2"
        raise RuntimeError(f"{which} must be a 3D tensor\n{_sizes(a, b)}")
    if a._array.shape[0] != b._array.shape[0] or a._array.shape[2] != b._array.shape[1]:
        expected = [a._array.shape[0], a._array.shape[2]]
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {expected} but got: "
            f"{list(b._array.shape[:2])}.\n{_sizes(a, b)}"
        )
    return _product(BMM, a, b)


@MV
def mv(input: TensorT, vec: TensorT, *, out: Any = None) -> TensorT:
    """A matrix (n, k) times a vector (k)."""
    if out is not None:
        return write_exact_out("mv", out, mv(input, vec))
    a, b = _factors("mv", input, vec)
    refuse_scalar("mv", "input", a)
    refuse_scalar("mv", "vec", b)
    if a._array.ndim != 2 or b._array.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {a._array.ndim}, {b._array.ndim}")
    (n, k), (m,) = a._array.shape, b._array.shape
    if k != m:
        raise RuntimeError(
            f"size mismatch, got input ({n}), mat ({n}x{k}), vec ({m})\n  expected: a vector of {k} elements, as many "
            "as the matrix has columns"
        )
    return _product(MV, a, b)


@DOT
def dot(input: TensorT, tensor: TensorT, *, out: Any = None) -> TensorT:
    """The inner product of two vectors."""
    if out is not None:
        return write_exact_out("dot", out, dot(input, tensor))
    a, b = _factors("dot", input, tensor)
    if a._array.ndim != 1 or b._array.ndim != 1:
        raise RuntimeError(
            f"1D tensors expected, but got {a._array.ndim}D and {b._array.ndim}D tensors\n{_sizes(a, b)}"
        )
    if a._array.shape != b._array.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a._array.size}] and src [{b._array.size}] to have the same "
            "number "
            f"of elements, but got {a._array.size} and {b._array.size} elements respectively\n{_sizes(a, b)}"
        )
    return _product(DOT, a, b)


@MATMUL
def matmul(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The product of vectors, matrices or batches of matrices; batch dimensions broadcast.

    Raises:
        RuntimeError: for 0-d tensors, differing dtypes, or shapes that don't fit.
    """
    if out is not None:
        return write_exact_out("matmul", out, matmul(input, other))
    a, b = _factors("matmul", input, other)
    na, nb = a._array.ndim, b._array.ndim
    if na == 2 and nb == 2:
        return _mm(a, b)
    if not na or not nb:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {na}D and {nb}D\n"
            f"{_sizes(a, b)}\n  fix: * multiplies by a number"
        )
    if na == 1 and nb == 1:
        return dot(a, b)
    if na == 2 and nb == 1:
        return mv(a, b)
    if na == 1:
        return reshape(matmul(reshape(a, 1, -1), b), (*b._array.shape[:-2], b._array.shape[-1]))
    if nb == 1:
        return reshape(matmul(a, reshape(b, -1, 1)), tuple(a._array.shape[:-1]))
    if a._array.shape[-1] != b._array.shape[-2]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: "
            f"{[math.prod(a._array.shape[:-2]), a._array.shape[-1]]} but got: "
            f"{[math.prod(b._array.shape[:-2]), b._array.shape[-2]]}.\n{_sizes(a, b)}"
        )
    if na == 3 and nb == 3 and a._array.shape[0] == b._array.shape[0]:
        return _product(BMM, a, b)
    if nb == 2:
        # One matrix for the whole batch: a single product of two matrices, as PyTorch folds it.
        rows = reshape(a, (math.prod(a._array.shape[:-1]), a._array.shape[-1]))
        return reshape(mm(rows, b), (*a._array.shape[:-1], b._array.shape[-1]))
    broadcast_shapes("matmul", tuple(a._array.shape[:-2]), tuple(b._array.shape[:-2]))
    return _product(MATMUL, a, b)


def trace(input: TensorT) -> TensorT:
    """The sum of the diagonal of a matrix."""
    if input._array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input._array.ndim}")
    return sum_over(diagonal(input))


DIAGONAL = Op(
    "diagonal",
    lambda m, input, offset, dim1, dim2: m.diagonal(input, offset, dim1, dim2),
    input=lambda m, g, offset, dim1, dim2, shape: m.diagonal_backward(g, shape, offset, dim1, dim2),
    formula=r"\text{zeros, with } g \text{ on the diagonal}",
)
DIAGONAL_BACKWARD = Op(
    "diagonal_backward",
    lambda m, g, shape, offset, dim1, dim2: m.diagonal_backward(g, shape, offset, dim1, dim2),
    g=lambda m, g, offset, dim1, dim2: m.diagonal(g, offset, dim1, dim2),
    formula=r"\text{read again from the diagonal}",
)


@DIAGONAL_BACKWARD
def diagonal_backward(g: Any, shape: Any, offset: int, dim1: int, dim2: int) -> Any:
    """Zeros of ``shape`` with ``g`` on the diagonal."""
    return apply(DIAGONAL_BACKWARD, (g,), (tuple(shape), offset, dim1, dim2))


@DIAGONAL
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A view of the elements whose positions along ``dim1`` and ``dim2`` differ by ``offset``, as a last dimension.

    Raises:
        IndexError: for a dimension out of range.
        RuntimeError: where both dimensions are the same.
    """
    require_tensor("diagonal", "input", input)
    ndim = input._array.ndim
    d1, d2 = normalize_dim(dim1, ndim, "diagonal"), normalize_dim(dim2, ndim, "diagonal")
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return apply_view(DIAGONAL, input, (offset, d1, d2))


# -- linear layers ---


def _linear(m: Any, input: Any, weight: Any, bias: Any) -> Any:
    if input.ndim != 2:
        rows = input.reshape(-1 if input.size else math.prod(input.shape[:-1]), input.shape[-1])
        return _linear(m, rows, weight, bias).reshape((*input.shape[:-1], weight.shape[0]))
    out = m.matmul(input, weight.T)
    if bias is not None:
        out += bias
    return out


def _linear_weight(m: Any, g: Any, input: Any) -> Any:
    if len(input.shape) != 2:
        n = math.prod(input.shape[:-1])
        g, input = m.reshape(g, (n, g.shape[-1])), m.reshape(input, (n, input.shape[-1]))
    return m.matmul(m.transpose(g, 0, 1), input)


LINEAR = Op(
    "linear",
    _linear,
    tensors=3,
    node="AddmmBackward0",
    input=lambda m, g, weight: m.matmul(g, weight),
    weight=_linear_weight,
    bias=lambda g: g,
    shows=("bias", "input", "weight.T"),
    formula=r"y = xW^\top + b:\quad \frac{\partial L}{\partial x} = G\,W,\quad "
    r"\frac{\partial L}{\partial W} = G^\top x,\quad \frac{\partial L}{\partial b} = \textstyle\sum_n G_n",
)


@LINEAR
def linear(input: TensorT, weight: TensorT, bias: TensorT | None = None, *, out: Any = None) -> TensorT:
    """``input @ weight.T + bias``.

    Args:
        input: shape (*, in_features).
        weight: shape (out_features, in_features).
        bias: shape (out_features), or None.

    Raises:
        RuntimeError: where the sizes or dtypes don't fit.
    """
    if out is not None:
        return write_exact_out("linear", out, linear(input, weight, bias))
    if not (isinstance(input, Variable) and isinstance(weight, Variable)):
        require_tensor("linear", "input", input)
        require_tensor("linear", "weight", weight)
    x, w = input._array, weight._array
    if not x.ndim or w.ndim != 2 or x.shape[-1] != w.shape[1]:
        rows = f"{math.prod(x.shape[:-1])}x{x.shape[-1]}" if x.ndim else "a 0-d tensor"
        columns = "x".join(str(n) for n in w.shape[::-1])
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows} and {columns})\n"
            f"  expected: an input whose last size is in_features = {w.shape[-1] if w.ndim else '?'}\n"
            f"  got: an input of shape {tuple(x.shape)} and a weight of shape {tuple(w.shape)}\n"
            "  fix: flatten or transpose the input, or set the layer's in_features"
        )
    if x.dtype is not w.dtype:
        _factors("linear", input, weight)
    if bias is None:
        return apply(LINEAR_NO_BIAS, (input, weight))
    if bias._array.dtype != w.dtype:
        raise RuntimeError(f"linear: weight is {weight._dtype()!r} but bias is {bias._dtype()!r}; they must agree")
    have = bias._array.shape
    if have != (w.shape[0],):
        shape = (*x.shape[:-1], w.shape[0])
        if broadcast_shapes("linear", tuple(have), shape) != shape:
            raise RuntimeError(
                f"linear: bias of shape {list(have)} doesn't broadcast to the output's {list(shape)}\n"
                f"  expected: a bias of shape [{w.shape[0]}]"
            )
    return apply(LINEAR, (input, weight, bias))


LINEAR_NO_BIAS = Op(
    "linear_no_bias",
    lambda m, input, weight: _linear(m, input, weight, None),
    tensors=2,
    node="MmBackward0",
    input=lambda m, g, weight: m.matmul(g, weight),
    weight=_linear_weight,
    shows=("input", "weight.T"),
    formula=r"y = xW^\top:\quad \frac{\partial L}{\partial x} = G\,W,\quad \frac{\partial L}{\partial W} = G^\top x",
)


# -- Einstein summation ---


def einsum(equation: str, *operands: Any) -> Any:
    """Sums of products in Einstein's notation: ``einsum("bij,bjk->bik", a, b)``.

    Operands are contracted from left to right, each pair as one batched matrix product.

    Raises:
        RuntimeError: for a malformed equation, or operands that don't fit it.
    """
    tensors = list(operands[0]) if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else list(operands)
    if not tensors:
        raise ValueError("einsum(): must specify the equation string and at least one operand")
    for x in tensors:
        require_tensor("einsum", "operands", x)
    labels, output = _parse_equation(equation, tensors)
    tensors = [_diagonals(x, subscripts) for x, subscripts in zip(tensors, labels, strict=True)]
    terms = ["".join(dict.fromkeys(subscripts)) for subscripts in labels]
    total, subscripts = tensors[0], terms[0]
    for i in range(1, len(tensors)):
        later = set(output).union(*terms[i + 1 :])
        total, subscripts = _contract(total, subscripts, tensors[i], terms[i], later, output)
    total, subscripts = _sum_out(total, subscripts, set(output))
    return total.permute(*[subscripts.index(c) for c in output]) if subscripts != output else total


def _parse_equation(equation: str, tensors: Sequence[Any]) -> tuple[list[str], str]:
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(tensors):
        raise RuntimeError(
            f"einsum(): {'more' if len(tensors) > len(terms) else 'fewer'} operands were provided than specified in "
            "the "
            f"equation\n  equation: {equation}\n  got: {len(tensors)} operands for {len(terms)} terms"
        )
    for c in left.replace("...", "").replace(",", "") + right.replace("...", ""):
        if not (c.isascii() and c.isalpha()):
            raise RuntimeError(
                f"einsum(): invalid subscript given: {c!r}, subscripts must be in [a-zA-Z]\n  equation: {equation}"
            )
    depth = 0
    for k, (term, x) in enumerate(zip(terms, tensors, strict=True)):
        named = len(term.replace("...", ""))
        if "..." in term:
            depth = max(depth, x._array.ndim - named)
        if named > x._array.ndim or ("..." not in term and named != x._array.ndim):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) does not match the number of dimensions "
                f"({x._array.ndim}) for operand {k} and no ellipsis was given\n  equation: {equation}"
            )
    dots = "".join(chr(0x1000 + i) for i in range(depth))  # names that no equation can use
    full = []
    for term, x in zip(terms, tensors, strict=True):
        missing = x._array.ndim - len(term.replace("...", ""))
        full.append(term.replace("...", dots[depth - missing :] if missing else ""))
    if arrow:
        output = right.replace("...", dots)
        for c in output:
            if not any(c in term for term in full):
                raise RuntimeError(
                    f"einsum(): output subscript {c} does not appear in the equation for any input operand\n"
                    f"  equation: {equation}"
                )
            if output.count(c) > 1:
                raise RuntimeError(f"einsum(): output subscript {c} appears more than once in the output")
    else:
        joined = "".join(full)
        output = dots + "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c not in dots))
    sizes: dict[str, int] = {}
    for term, x in zip(full, tensors, strict=True):
        for c, n in zip(term, x._array.shape, strict=True):
            if sizes.setdefault(c, n) != n:
                if sizes[c] != 1 and n != 1:
                    raise RuntimeError(
                        "einsum(): operands do not broadcast with remapped shapes [original->remapped]: subscript "
                        f"{c} has "
                        f"sizes {sizes[c]} and {n}\n  equation: {equation}"
                    )
                sizes[c] = max(sizes[c], n)
    return full, output


def _diagonals(x: Any, subscripts: str) -> Any:
    """A letter that stands twice in one term means the diagonal."""
    for c in dict.fromkeys(subscripts):
        while subscripts.count(c) > 1:
            first = subscripts.index(c)
            second = subscripts.index(c, first + 1)
            if x._array.shape[first] != x._array.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {c} is repeated for one operand but the sizes don't match, "
                    f"{x._array.shape[second]} != {x._array.shape[first]}"
                )
            x = diagonal(x, 0, first, second).movedim(-1, first)
            subscripts = subscripts[:second] + subscripts[second + 1 :]
    return x


def _sum_out(x: Any, subscripts: str, keep: set[str]) -> tuple[Any, str]:
    gone = tuple(i for i, c in enumerate(subscripts) if c not in keep)
    return (sum_over(x, gone), "".join(c for c in subscripts if c in keep)) if gone else (x, subscripts)


def _contract(a: Any, sa: str, b: Any, sb: str, later: set[str], output: str) -> tuple[Any, str]:
    """Two operands as one batched product; letters that nothing later needs are summed.

    The letters of the result stand in the order of ``output``, and the operand whose own letters come first there
    stands on the left, so that it lies in memory as PyTorch's does.
    """
    a, sa = _sum_out(a, sa, set(sb) | later)
    b, sb = _sum_out(b, sb, set(sa) | later)
    if a._array.dtype != b._array.dtype and a._array.dtype.kind in "iu":  # a sum of small integers is an int64
        a, b = a.long(), b.long()
    size_a, size_b = dict(zip(sa, a._array.shape, strict=True)), dict(zip(sb, b._array.shape, strict=True))

    def sort(letters: Iterable[str]) -> list[str]:
        return sorted(letters, key=lambda c: (output.find(c) if c in output else len(output), c))

    both = sort(c for c in sa if c in size_b)
    for c in both:  # a size of 1 stretches
        if size_a[c] != size_b[c]:
            n = max(size_a[c], size_b[c])
            size_a[c] = size_b[c] = n
    a, b = a.expand([size_a[c] for c in sa]), b.expand([size_b[c] for c in sb])
    batch = [c for c in both if c in later]
    inner = [c for c in both if c not in later]
    free_a = sort(c for c in sa if c not in size_b)
    free_b = sort(c for c in sb if c not in size_a)
    if inner and free_a and free_b and sort((free_a[0], free_b[0]))[0] == free_b[0]:
        a, sa, size_a, free_a, b, sb, size_b, free_b = b, sb, size_b, free_b, a, sa, size_a, free_a
    if not inner:  # with nothing to sum it is a plain product
        letters = sort(both + free_a + free_b)

        def spread(x: Any, s: str) -> Any:
            x = x.permute([s.index(c) for c in letters if c in s])
            return x[tuple(slice(None) if c in s else None for c in letters)]

        return spread(a, sa) * spread(b, sb), "".join(letters)

    def arrange(x: Any, s: str, order: list[list[str]], size: dict[str, int]) -> Any:
        x = x.permute([s.index(c) for group in order for c in group])
        return x.reshape([math.prod(size[c] for c in group) for group in order])

    left, right = arrange(a, sa, [batch, free_a, inner], size_a), arrange(b, sb, [batch, inner, free_b], size_b)
    shape = [size_a[c] for c in batch + free_a] + [size_b[c] for c in free_b]
    return bmm(left, right).reshape(shape), "".join(batch + free_a + free_b)


class LinalgMethods(Variable):
    """The functions of this file as methods of ``Tensor``, and ``@``."""

    __slots__ = ()

    mm = mm
    bmm = bmm
    mv = mv
    dot = dot
    matmul = matmul
    trace = trace
    diagonal = diagonal

    def __matmul__(self: TensorT, other: Any) -> TensorT:
        if type(other) is type(self):
            return matmul(self, other)
        return matmul(self, operand(other, self._backend, "matmul", "other")) if is_operand(other) else NotImplemented

    def __rmatmul__(self: TensorT, other: Any) -> TensorT:
        return matmul(operand(other, self._backend, "matmul", "input"), self) if is_operand(other) else NotImplemented
