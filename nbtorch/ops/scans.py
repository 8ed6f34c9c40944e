"""Running results along a dimension: sums, products, extremes, and the sum of exponentials."""

from __future__ import annotations

import builtins
from typing import Any

from ..autograd.variable import TensorT, Variable
from ..backends.dtypes import dtype as DType
from ..backends.layouts import in_rows
from .exact_out import takes_exact_out, takes_out_as_dtype
from .named import pair
from .operands import normalize_dim, numpy_names, require_tensor
from .record import Op, apply
from .reduction import for_sum, narrow, widen
from .writing import become

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "logcumsumexp"]

CUMSUM = Op(
    "cumsum",
    lambda m, input, dim: narrow(m, m.cumsum(widen(m, input), dim), input),
    input=lambda m, g, dim: m.flip(m.cumsum(m.flip(g, (dim,)), dim), (dim,)),
    formula=r"\frac{\partial L}{\partial x_i} = \sum_{j \ge i} g_j",
    layout=in_rows,
)


@takes_out_as_dtype
@CUMSUM
@numpy_names
def cumsum(input: TensorT, dim: int, *, dtype: DType | None = None, out: Any = None) -> TensorT:
    """The running sum along ``dim``; integers and bools as int64."""
    return _scan(CUMSUM, _not_bools(for_sum(input, dtype, "cumsum"), "cumsum"), dim)


def _not_bools(input: Any, function: str) -> Any:
    if input._array.dtype.kind == "b" and input._array.size and input._array.ndim:
        raise NotImplementedError(f'"{function}" not implemented for torch.bool\n  fix: another dtype=')
    return input


def _scan(op: Op, input: Any, dim: int) -> Any:
    d = normalize_dim(dim, input._array.ndim, op.name)
    return apply(op, (input,), (d,)) if input._array.ndim else input.clone()


def _cumprod_input(m: Any, g: Any, input: Any, out: Any, dim: Any) -> Any:
    zero = input == 0
    if not builtins.bool(getattr(zero, "_array", zero).any()):
        return m.flip(m.cumsum(m.flip(g * out, (dim,)), dim), (dim,)) / input

    # Nothing can be divided by 0: the product before i, times s_i with s_i = g_i + x_(i+1) s_(i+1).
    def part(x: Any, start: int, end: int) -> Any:
        return m.index(x, (slice(None),) * dim + (slice(start, end),))

    n = input.shape[dim]
    after = [part(g, n - 1, n)]
    for i in range(n - 2, -1, -1):
        after.append(part(g, i, i + 1) + part(input, i + 1, i + 2) * after[-1])
    before = m.cat([part(out, 0, 1) * 0 + 1, part(out, 0, n - 1)], dim)
    return before * m.cat(after[::-1], dim)


CUMPROD = Op(
    "cumprod",
    lambda m, input, dim: narrow(m, m.cumprod(widen(m, input), dim), input),
    input=_cumprod_input,
    formula=r"\frac{\partial L}{\partial x_i} = \frac{1}{x_i}\sum_{j \ge i} g_j\,y_j",
    layout=in_rows,
)


@takes_out_as_dtype
@CUMPROD
@numpy_names
def cumprod(input: TensorT, dim: int, *, dtype: DType | None = None, out: Any = None) -> TensorT:
    """The running product along ``dim``; integers and bools as int64."""
    return _scan(CUMPROD, _not_bools(for_sum(input, dtype, "cumprod"), "cumprod"), dim)


# -- running extremes ---


def _reached(m: Any, input: Any, dim: int, function: str) -> Any:
    """For each place the last one up to it where the extreme so far was met, a NaN being more extreme than all."""
    top = m.running(function, input, dim)
    met = (input == top) | (input != input)
    places = m.arange(0, input.shape[dim], 1, "int64").reshape((-1,) + (1,) * (input.ndim - 1 - dim))
    return m.running("maximum", m.where(met, places, m.zeros((), "int64")), dim)


CUMMAX_INDICES = Op("cummax_indices", lambda m, input, dim: _reached(m, input, dim, "maximum"))
CUMMIN_INDICES = Op("cummin_indices", lambda m, input, dim: _reached(m, input, dim, "minimum"))
CUMMAX = Op(
    "cummax",
    lambda m, input, index, dim: m.gather(input, dim, index),
    tensors=2,
    input=lambda m, g, index, dim, shape: m.gather_backward(g, dim, index, shape),
    formula=r"\text{each gradient goes to the largest element so far}",
)
CUMMIN = Op(
    "cummin",
    lambda m, input, index, dim: m.gather(input, dim, index),
    tensors=2,
    input=lambda m, g, index, dim, shape: m.gather_backward(g, dim, index, shape),
    formula=r"\text{each gradient goes to the smallest element so far}",
)


def _extreme_so_far(op: Op, indices: Op, input: Any, dim: int) -> Any:
    require_tensor(op.name, "input", input)
    d = normalize_dim(dim, input._array.ndim, op.name)
    if not input._array.ndim:
        found = _extreme_so_far(op, indices, input.reshape(1), 0)
        return pair(op.name, found[0].reshape(()), found[1].reshape(()))
    index = apply(indices, (input,), (d,))
    return pair(op.name, apply(op, (input, index), (d,)), index)


@takes_exact_out
@CUMMAX
@numpy_names
def cummax(input: Any, dim: int, *, out: Any = None) -> Any:
    """The largest element so far along ``dim``: a pair (values, indices), the last index among equals."""
    return _extreme_so_far(CUMMAX, CUMMAX_INDICES, input, dim)


@takes_exact_out
@CUMMIN
@numpy_names
def cummin(input: Any, dim: int, *, out: Any = None) -> Any:
    """The smallest element so far along ``dim``: a pair (values, indices), the last index among equals."""
    return _extreme_so_far(CUMMIN, CUMMIN_INDICES, input, dim)


# -- the running sum of exponentials ---


# A number whose exponential is 0, and which stays finite where an infinity would give inf - inf; by itemsize.
_LOWEST = {2: -6e4, 4: -1e38, 8: -1e300}


def _logcumsumexp_input(m: Any, g: Any, input: Any, out: Any, dim: Any) -> Any:
    # sum over j >= i of g_j exp(x_i - y_j), through logarithms: exp(-y_j) alone could overflow. Signs are apart.
    def half(absent: Any, size: Any) -> Any:
        logs = m.masked_fill(m.log(m.masked_fill(size, absent, 1)), absent, _LOWEST[g.dtype.itemsize])
        behind = m.flip(m.logcumsumexp(m.flip(logs - out, (dim,)), dim), (dim,))
        return m.exp(behind + input)

    return half(g <= 0, g) - half(g >= 0, -g)


LOGCUMSUMEXP = Op(
    "logcumsumexp",
    lambda m, input, dim: m.logcumsumexp(input, dim),
    input=_logcumsumexp_input,
    formula=r"\frac{\partial L}{\partial x_i} = \sum_{j \ge i} g_j\,e^{x_i - y_j}",
    layout=in_rows,
)


@takes_exact_out
@LOGCUMSUMEXP
@numpy_names
def logcumsumexp(input: TensorT, dim: int, *, out: Any = None) -> TensorT:
    """The logarithm of the running sum of ``exp(input)`` along ``dim``, without overflow.

    Raises:
        NotImplementedError: for integers and bools, as in PyTorch.
    """
    require_tensor("logcumsumexp", "input", input)
    normalize_dim(dim, input._array.ndim, "logcumsumexp")
    if input._array.dtype.kind in "iub":
        raise NotImplementedError(
            f'"logcumsumexp" not implemented for {input._dtype()!r}\n  expected: a floating dtype\n  fix: x.float()'
        )
    return _scan(LOGCUMSUMEXP, input, dim)


class ScanMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    cumsum = cumsum
    cumprod = cumprod
    cummax = cummax
    cummin = cummin
    logcumsumexp = logcumsumexp

    def cumsum_(self: TensorT, dim: int, *, dtype: DType | None = None) -> TensorT:
        """``cumsum`` in place."""
        return become(self, cumsum, dim, dtype=dtype)

    def cumprod_(self: TensorT, dim: int, *, dtype: DType | None = None) -> TensorT:
        """``cumprod`` in place."""
        return become(self, cumprod, dim, dtype=dtype)
