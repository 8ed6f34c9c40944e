"""Comparisons, logic and bits: results that no gradient flows through."""

from __future__ import annotations

import builtins
from typing import Any

from ..autograd.variable import TensorT, Variable
from .dispatch import BOOLEAN, NO_BOOLS, PROMOTE, binary, unary
from .operands import Number, is_operand, require_tensor
from .record import Op
from .writing import write_out

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "eq", "equal", "ge", "greater", "greater_equal", "gt", "isclose", "isfinite", "isinf", "isnan",
    "le", "less", "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "ne", "not_equal",
]  # fmt: skip

EQ = Op("eq", lambda m, input, other: m.eq(input, other), tensors=2)
NE = Op("ne", lambda m, input, other: m.ne(input, other), tensors=2)
LT = Op("lt", lambda m, input, other: m.lt(input, other), tensors=2)
LE = Op("le", lambda m, input, other: m.le(input, other), tensors=2)
GT = Op("gt", lambda m, input, other: m.gt(input, other), tensors=2)
GE = Op("ge", lambda m, input, other: m.ge(input, other), tensors=2)
LOGICAL_AND = Op("logical_and", lambda m, input, other: m.logical_and(input, other), tensors=2)
LOGICAL_OR = Op("logical_or", lambda m, input, other: m.logical_or(input, other), tensors=2)
LOGICAL_XOR = Op("logical_xor", lambda m, input, other: m.logical_xor(input, other), tensors=2)
LOGICAL_NOT = Op("logical_not", lambda m, input: m.logical_not(input) if input.dtype.kind == "b" else input == 0)
BITWISE_AND = Op("bitwise_and", lambda m, input, other: m.bitwise_and(input, other), tensors=2)
BITWISE_OR = Op("bitwise_or", lambda m, input, other: m.bitwise_or(input, other), tensors=2)
BITWISE_XOR = Op("bitwise_xor", lambda m, input, other: m.bitwise_xor(input, other), tensors=2)
BITWISE_NOT = Op("bitwise_not", lambda m, input: m.bitwise_not(input))
BITWISE_LEFT_SHIFT = Op("bitwise_left_shift", lambda m, input, other: m.bitwise_left_shift(input, other), tensors=2)
BITWISE_RIGHT_SHIFT = Op("bitwise_right_shift", lambda m, input, other: m.bitwise_right_shift(input, other), tensors=2)
ISNAN = Op("isnan", lambda m, input: m.isnan(input))
ISINF = Op("isinf", lambda m, input: m.isinf(input))
ISFINITE = Op("isfinite", lambda m, input: m.isfinite(input))


@EQ
def eq(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """Whether equal, elementwise: a bool tensor."""
    return binary(EQ, input, other, out=out)


@NE
def ne(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """Whether different, elementwise: a bool tensor."""
    return binary(NE, input, other, out=out)


@LT
def lt(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """Whether less, elementwise: a bool tensor."""
    return binary(LT, input, other, out=out)


@LE
def le(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """Whether less or equal, elementwise: a bool tensor."""
    return binary(LE, input, other, out=out)


@GT
def gt(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """Whether greater, elementwise: a bool tensor."""
    return binary(GT, input, other, out=out)


@GE
def ge(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """Whether greater or equal, elementwise: a bool tensor."""
    return binary(GE, input, other, out=out)


@LOGICAL_AND
def logical_and(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """Whether both are nonzero: a bool tensor."""
    return binary(LOGICAL_AND, input, other, BOOLEAN, out=out)


@LOGICAL_OR
def logical_or(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """Whether one of two is nonzero: a bool tensor."""
    return binary(LOGICAL_OR, input, other, BOOLEAN, out=out)


@LOGICAL_XOR
def logical_xor(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """Whether exactly one of two is nonzero: a bool tensor."""
    return binary(LOGICAL_XOR, input, other, BOOLEAN, out=out)


@LOGICAL_NOT
def logical_not(input: TensorT, *, out: Any = None) -> TensorT:
    """Whether zero: a bool tensor."""
    result: TensorT = unary(LOGICAL_NOT, input, PROMOTE)
    return result if out is None else write_out("logical_not", out, result)


def _bits(op: Op, input: Any, other: Any, out: Any, rule: int = PROMOTE) -> Any:
    for x in (input, other):
        if isinstance(x, builtins.float) or (isinstance(x, Variable) and x._array.dtype.kind in "fV"):
            got = x._dtype() if isinstance(x, Variable) else type(x).__name__
            raise NotImplementedError(
                f"{op.name} is not supported for floating point\n  expected: integers or bools\n  got: {got}"
            )
    return binary(op, input, other, rule, out=out)


@BITWISE_AND
def bitwise_and(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """The and of the bits of integers, or of bools."""
    return _bits(BITWISE_AND, input, other, out)


@BITWISE_OR
def bitwise_or(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """The or of the bits of integers, or of bools."""
    return _bits(BITWISE_OR, input, other, out)


@BITWISE_XOR
def bitwise_xor(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """The exclusive or of the bits of integers, or of bools."""
    return _bits(BITWISE_XOR, input, other, out)


@BITWISE_LEFT_SHIFT
def bitwise_left_shift(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """``input`` times 2 to the power ``other``, on integers."""
    return _bits(BITWISE_LEFT_SHIFT, input, other, out, NO_BOOLS)


@BITWISE_RIGHT_SHIFT
def bitwise_right_shift(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """``input`` divided by 2 to the power ``other``, rounded down, on integers."""
    return _bits(BITWISE_RIGHT_SHIFT, input, other, out, NO_BOOLS)


@BITWISE_NOT
def bitwise_not(input: TensorT, *, out: Any = None) -> TensorT:
    """The bits of integers turned round; for bools, not."""
    if isinstance(input, Variable) and input._array.dtype.kind in "fV":
        raise NotImplementedError(
            f'"bitwise_not_cpu" not implemented for {input._dtype()!r}\n  expected: integers or bools\n'
            "  fix: compare first, as in ~(x > 0)"
        )
    return unary(BITWISE_NOT, input, PROMOTE, out=out)


@ISNAN
def isnan(input: TensorT) -> TensorT:
    """Whether NaN, elementwise."""
    return unary(ISNAN, input, PROMOTE)


@ISINF
def isinf(input: TensorT) -> TensorT:
    """Whether plus or minus infinity, elementwise."""
    return unary(ISINF, input, PROMOTE)


@ISFINITE
def isfinite(input: TensorT) -> TensorT:
    """Whether neither NaN nor infinite, elementwise."""
    return unary(ISFINITE, input, PROMOTE)


def equal(input: Variable, other: Variable) -> builtins.bool:
    """Whether two tensors have the same shape and the same elements."""
    require_tensor("equal", "input", input)
    require_tensor("equal", "other", other)
    if input._array.shape != other._array.shape:
        return False
    return builtins.bool(eq(input, other)._array.all())


def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: builtins.bool = False) -> Any:
    """Whether ``|input - other| <= atol + rtol * |other|``, elementwise; equal infinities are close.

    Raises:
        RuntimeError: where the dtypes differ.
    """
    require_tensor("isclose", "input", input)
    require_tensor("isclose", "other", other)
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(
            f"{input._dtype()!r} did not match {other._dtype()!r}\n  expected: two tensors of one dtype\n"
            "  fix: convert one of them, for example other.to(input.dtype)"
        )
    a, b = input.detach(), other.detach()
    same = eq(a, b)
    if equal_nan:
        same = same | (isnan(a) & isnan(b))
    if a._array.dtype.kind not in "fV":
        a, b = a.double(), b.double()
    near = le((a - b).abs(), atol + rtol * b.abs())
    return same | (near & isfinite(a) & isfinite(b))


def allclose(
    input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: builtins.bool = False
) -> builtins.bool:
    """Whether all elements are close (see ``isclose``)."""
    return builtins.bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge


class ComparisonMethods(Variable):
    """The functions of this file as methods of ``Tensor``, and the operators."""

    __slots__ = ()
    __hash__ = object.__hash__

    eq = eq
    ne = ne
    lt = lt
    le = le
    gt = gt
    ge = ge
    logical_and = logical_and
    logical_or = logical_or
    logical_xor = logical_xor
    logical_not = logical_not
    bitwise_and = bitwise_and
    bitwise_or = bitwise_or
    bitwise_xor = bitwise_xor
    bitwise_not = bitwise_not
    bitwise_left_shift = bitwise_left_shift
    bitwise_right_shift = bitwise_right_shift
    isnan = isnan
    isinf = isinf
    isfinite = isfinite
    equal = equal
    isclose = isclose
    allclose = allclose
    not_equal = not_equal
    less = less
    less_equal = less_equal
    greater = greater
    greater_equal = greater_equal

    def __eq__(self: Any, other: Any) -> Any:
        return eq(self, other) if is_operand(other) else NotImplemented

    def __ne__(self: Any, other: Any) -> Any:
        return ne(self, other) if is_operand(other) else NotImplemented

    def __lt__(self: TensorT, other: Any) -> TensorT:
        return lt(self, other) if is_operand(other) else NotImplemented

    def __le__(self: TensorT, other: Any) -> TensorT:
        return le(self, other) if is_operand(other) else NotImplemented

    def __gt__(self: TensorT, other: Any) -> TensorT:
        return gt(self, other) if is_operand(other) else NotImplemented

    def __ge__(self: TensorT, other: Any) -> TensorT:
        return ge(self, other) if is_operand(other) else NotImplemented

    def __and__(self: TensorT, other: Any) -> TensorT:
        return bitwise_and(self, other) if is_operand(other) else NotImplemented

    def __rand__(self: TensorT, other: Any) -> TensorT:
        return bitwise_and(self, other) if is_operand(other) else NotImplemented

    def __or__(self: TensorT, other: Any) -> TensorT:
        return bitwise_or(self, other) if is_operand(other) else NotImplemented

    def __ror__(self: TensorT, other: Any) -> TensorT:
        return bitwise_or(self, other) if is_operand(other) else NotImplemented

    def __xor__(self: TensorT, other: Any) -> TensorT:
        return bitwise_xor(self, other) if is_operand(other) else NotImplemented

    def __rxor__(self: TensorT, other: Any) -> TensorT:
        return bitwise_xor(self, other) if is_operand(other) else NotImplemented

    def __lshift__(self: TensorT, other: Any) -> TensorT:
        return bitwise_left_shift(self, other) if is_operand(other) else NotImplemented

    def __rshift__(self: TensorT, other: Any) -> TensorT:
        return bitwise_right_shift(self, other) if is_operand(other) else NotImplemented

    def __rlshift__(self: TensorT, other: Any) -> TensorT:
        return bitwise_left_shift(other, self) if is_operand(other) else NotImplemented

    def __rrshift__(self: TensorT, other: Any) -> TensorT:
        return bitwise_right_shift(other, self) if is_operand(other) else NotImplemented

    def __invert__(self: TensorT) -> TensorT:
        if self._array.dtype.kind in "fV":
            raise TypeError(
                f"~ (operator.invert) is only implemented on integer and Boolean-type tensors, got {self._dtype()!r}\n"
                "  fix: compare first, as in ~(x > 0)"
            )
        return bitwise_not(self)
