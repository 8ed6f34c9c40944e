"""The methods that end in an underscore, of the operations that every program uses.

Those of the other families stand in their own files, made with :func:`~nbtorch.ops.writing.become`.
"""

from __future__ import annotations

from typing import Any

from ..autograd.modes import grad_mode
from ..autograd.variable import TensorT, Variable
from ..backends.quiet import SILENT, hush, unhush
from .comparison import (
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    eq,
    ge,
    gt,
    le,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
)  # fmt: skip
from .dispatch import FLOAT, NO_BOOLS, PROMOTE, refuse_dtype
from .elementary import (
    ABS,
    ACOS,
    ACOSH,
    ASIN,
    ASINH,
    ATAN,
    ATANH,
    CEIL,
    COS,
    COSH,
    ERF,
    EXP,
    EXP2,
    EXPM1,
    FLOOR,
    LOG,
    LOG1P,
    LOG2,
    LOG10,
    NEG,
    RECIPROCAL,
    RSQRT,
    SIGMOID,
    SIN,
    SINH,
    SQRT,
    SQUARE,
    TAN,
    TANH,
    TRUNC,
    is_bool,
    neg,
    round,
    sign,
    square,
)  # fmt: skip
from .oldorder import once_took
from .operands import (
    NUMBERS,
    Number,
    broadcast_shapes,
    cast,
    float_of,
    is_operand,
    operand,
    require_tensor,
    result_type,
)
from .pointwise import (
    ADD,
    ATAN2,
    CLAMP,
    DIV,
    FLOOR_DIVIDE,
    FMOD,
    MUL,
    POW,
    REMAINDER,
    SUB,
    check_lerp,
    clamp,
    div,
    frac,
    lerp,
    no_zero_divisor,
    refuse_bool_difference,
    refuse_whole_quotient,
    scaled,
)
from .record import Op, gradient_mask, of_one_backend
from .writing import become, check_same_batch, check_writable, overwrite, takes_out

__all__ = ["fill"]


def binary_(op: Op, target: TensorT, other: Any, rule: int = PROMOTE, static: tuple[Any, ...] = ()) -> TensorT:
    """``target = op(target, other)`` in place."""
    check_writable(target)
    m = target._backend
    other = operand(other, m, op.name + "_", "other")
    if isinstance(other, Variable) and other._backend is not m:
        both, other = of_one_backend(op, (target, other))
        check_same_batch(both, m)
    d = result_type(target, other)
    if rule == FLOAT:
        d = float_of(d)
    a, b = cast(target, d, m), cast(other, d, m)
    if isinstance(other, Variable):
        shape = broadcast_shapes(op.name, tuple(a.shape), tuple(b.shape))
        if shape != tuple(a.shape):
            raise RuntimeError(
                f"output with shape {list(a.shape)} doesn't match the broadcast shape {list(shape)}\n"
                f"  operation: {op.name}, in place\n  fix: the out-of-place form gives the larger result"
            )
    return overwrite(target, op, (other,), static, (a, b))


def unary_(op: Op, target: TensorT, rule: int = FLOAT, static: tuple[Any, ...] = ()) -> TensorT:
    """``target = op(target)`` in place."""
    check_writable(target)
    refuse_dtype(op.name, target._dtype(), rule)
    d = float_of(target._dtype()) if rule == FLOAT else target._dtype()
    return overwrite(target, op, (), static, (cast(target, d, target._backend),))


def _plain(target: Any, other: Any) -> bool:
    """Whether target and other can be handed to a ufunc with ``out=`` as they are: nothing to record or convert."""
    if target._array.dtype.kind != "f" or (grad_mode.enabled and gradient_mask((target, other))):
        return False
    if isinstance(other, Variable):
        a, b = target._array, other._array
        return a.dtype is b.dtype and a.shape == b.shape and target._backend is other._backend
    return isinstance(other, NUMBERS)


def _arithmetic_(op: Op, primitive: str, target: Any, other: Any, rule: int = PROMOTE) -> Any:
    if not _plain(target, other):
        return binary_(op, target, other, rule)
    check_writable(target)
    array = target._array
    token = hush(SILENT)
    try:
        getattr(target._backend, primitive)(array, other._array if isinstance(other, Variable) else other, array)
    finally:
        unhush(token)
    target._touch()
    return target


def _divide_(op: Op, target: TensorT, other: Any) -> TensorT:
    """A division with a rest, which bools have none of and integers none by 0."""
    refuse_dtype(op.name, result_type(target, other) if is_operand(other) else target._dtype(), NO_BOOLS)
    no_zero_divisor(target, other)
    return binary_(op, target, other)


FILL = Op(
    "fill",
    lambda m, input, value: m.full(input.shape, value, input.dtype),
    tensors=1,
    node="FillBackward0",
    input=lambda g: g * 0,
    formula=r"\text{the old value no longer matters: } 0",
)
COPY = Op(
    "copy",
    lambda m, input, src: m.expand(m.astype(src, input.dtype), input.shape),
    tensors=2,
    node="CopyBackwards",
    input=lambda g: g * 0,
    src=lambda g: g,
    formula=r"\text{the gradient goes to the source}",
)


@takes_out
@FILL
def fill(input: TensorT, value: Any, *, out: Any = None) -> TensorT:
    """A tensor like ``input`` whose elements are all ``value``, a number or a 0-d tensor."""
    require_tensor("fill", "input", input)
    return input.clone().fill_(value)  # type: ignore[attr-defined]


class InplaceMethods(Variable):
    """Methods of ``Tensor`` that end in an underscore: they change the tensor itself and return it."""

    __slots__ = ()

    @once_took(2, "alpha")
    def add_(self: TensorT, other: Any, *, alpha: Number = 1) -> TensorT:
        """``self += alpha * other``."""
        if alpha != 1 or alpha is True:
            other = scaled(self, other, alpha)
        return _arithmetic_(ADD, "add", self, other)

    @once_took(2, "alpha")
    def sub_(self: TensorT, other: Any, *, alpha: Number = 1) -> TensorT:
        """``self -= alpha * other``."""
        if alpha != 1 or alpha is True:
            other = scaled(self, other, alpha)
        if is_bool(self) or is_bool(other):
            raise refuse_bool_difference(self, other)
        return _arithmetic_(SUB, "sub", self, other)

    def mul_(self: TensorT, other: Any) -> TensorT:
        """``self *= other``."""
        return _arithmetic_(MUL, "mul", self, other)

    def div_(self: TensorT, other: Any, *, rounding_mode: str | None = None) -> TensorT:
        """``self /= other``, rounded as ``div`` does it."""
        if rounding_mode is not None:
            return become(self, div, other, rounding_mode=rounding_mode)
        return _arithmetic_(DIV, "div", self, other, FLOAT)

    def pow_(self: TensorT, exponent: Any) -> TensorT:
        """``self **= exponent``."""
        return binary_(POW, self, exponent)

    def floor_divide_(self: TensorT, other: Any) -> TensorT:
        """``self //= other``."""
        return _divide_(FLOOR_DIVIDE, self, other)

    def remainder_(self: TensorT, other: Any) -> TensorT:
        """``self %= other``."""
        return _divide_(REMAINDER, self, other)

    @once_took(3, "value")
    def addcmul_(self: TensorT, tensor1: Any, tensor2: Any, *, value: Number = 1) -> TensorT:
        """``self += value * tensor1 * tensor2``."""
        return _arithmetic_(ADD, "add", self, tensor1 * tensor2 if value == 1 else tensor1 * tensor2 * value)

    @once_took(3, "value")
    def addcdiv_(self: TensorT, tensor1: Any, tensor2: Any, *, value: Number = 1) -> TensorT:
        """``self += value * tensor1 / tensor2``."""
        refuse_whole_quotient(tensor1, tensor2)
        return _arithmetic_(ADD, "add", self, tensor1 / tensor2 if value == 1 else tensor1 / tensor2 * value)

    def lerp_(self: Any, end: Any, weight: Any) -> Any:
        """``self += weight * (end - self)``."""
        check_lerp(self, end, weight)
        if isinstance(weight, NUMBERS) and weight >= 0.5:
            return become(self, lerp, end, weight)
        return self.add_((end - self) * weight)

    def clamp_(self: TensorT, min: Any = None, max: Any = None) -> TensorT:
        """Bounds the elements by ``min`` and ``max``, numbers or tensors."""
        if not all(b is None or isinstance(b, NUMBERS) for b in (min, max)) or (min is None and max is None):
            return become(self, clamp, min, max)
        return unary_(CLAMP, self, PROMOTE, (min, max))

    def fill_(self: TensorT, value: Any) -> TensorT:
        """Every element becomes ``value``, a number or a 0-d tensor."""
        if isinstance(value, Variable):
            if value._array.ndim:
                raise RuntimeError(
                    f"fill_ only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
                )
            return self.copy_(value)  # type: ignore[attr-defined]
        check_writable(self, one_value=True)
        return overwrite(self, FILL, (), (value,), (self._array,))

    def zero_(self: TensorT) -> TensorT:
        """Every element becomes 0."""
        check_writable(self, one_value=True)
        return overwrite(self, FILL, (), (0,), (self._array,))

    def copy_(self: TensorT, src: Any, non_blocking: bool = False) -> TensorT:
        """Takes the elements of ``src``, broadcast and converted to this dtype and device."""
        check_writable(self)
        if not isinstance(src, Variable):
            raise TypeError(
                f"copy_(): argument 'src' must be Tensor, not {type(src).__name__}\n  fix: torch.tensor(...) of it"
            )
        if src._backend is not self._backend:
            src = src.to(self._backend.device)  # type: ignore[attr-defined]
        shape = broadcast_shapes("copy_", tuple(self._array.shape), tuple(src._array.shape))
        if shape != tuple(self._array.shape):
            raise RuntimeError(
                f"output with shape {list(self._array.shape)} doesn't match the broadcast shape {list(shape)}\n"
                "  operation: copy_"
            )
        return overwrite(self, COPY, (src,), (), (self._array, src._array))

    def detach_(self: TensorT) -> TensorT:
        """Forgets its history and becomes a leaf."""
        if self._view is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._grad_fn, self._output_nr, self._requires_grad = None, 0, False
        return self

    def abs_(self: TensorT) -> TensorT:
        """``abs`` in place."""
        return unary_(ABS, self, NO_BOOLS)

    def neg_(self: TensorT) -> TensorT:
        """``neg`` in place."""
        return become(self, neg) if is_bool(self) else unary_(NEG, self, PROMOTE)

    def exp_(self: TensorT) -> TensorT:
        """``exp`` in place."""
        return unary_(EXP, self)

    def log_(self: TensorT) -> TensorT:
        """``log`` in place."""
        return unary_(LOG, self)

    def sqrt_(self: TensorT) -> TensorT:
        """``sqrt`` in place."""
        return unary_(SQRT, self)

    def rsqrt_(self: TensorT) -> TensorT:
        """``rsqrt`` in place."""
        return unary_(RSQRT, self)

    def square_(self: TensorT) -> TensorT:
        """``square`` in place."""
        return become(self, square) if is_bool(self) else unary_(SQUARE, self, PROMOTE)

    def reciprocal_(self: TensorT) -> TensorT:
        """``reciprocal`` in place."""
        return unary_(RECIPROCAL, self)

    def sin_(self: TensorT) -> TensorT:
        """``sin`` in place."""
        return unary_(SIN, self)

    def cos_(self: TensorT) -> TensorT:
        """``cos`` in place."""
        return unary_(COS, self)

    def tanh_(self: TensorT) -> TensorT:
        """``tanh`` in place."""
        return unary_(TANH, self)

    def sigmoid_(self: TensorT) -> TensorT:
        """``sigmoid`` in place."""
        return unary_(SIGMOID, self)

    def erf_(self: TensorT) -> TensorT:
        """``erf`` in place."""
        return unary_(ERF, self)

    def floor_(self: TensorT) -> TensorT:
        """``floor`` in place."""
        return unary_(FLOOR, self, NO_BOOLS)

    def ceil_(self: TensorT) -> TensorT:
        """``ceil`` in place."""
        return unary_(CEIL, self, NO_BOOLS)

    def round_(self: TensorT, *, decimals: int = 0) -> TensorT:
        """``round`` in place."""
        return become(self, round, decimals=decimals)

    def trunc_(self: TensorT) -> TensorT:
        """``trunc`` in place."""
        return unary_(TRUNC, self, NO_BOOLS)

    def asin_(self: TensorT) -> TensorT:
        """``asin`` in place."""
        return unary_(ASIN, self)

    def acos_(self: TensorT) -> TensorT:
        """``acos`` in place."""
        return unary_(ACOS, self)

    def atan_(self: TensorT) -> TensorT:
        """``atan`` in place."""
        return unary_(ATAN, self)

    def tan_(self: TensorT) -> TensorT:
        """``tan`` in place."""
        return unary_(TAN, self)

    def sinh_(self: TensorT) -> TensorT:
        """``sinh`` in place."""
        return unary_(SINH, self)

    def cosh_(self: TensorT) -> TensorT:
        """``cosh`` in place."""
        return unary_(COSH, self)

    def asinh_(self: TensorT) -> TensorT:
        """``asinh`` in place."""
        return unary_(ASINH, self)

    def acosh_(self: TensorT) -> TensorT:
        """``acosh`` in place."""
        return unary_(ACOSH, self)

    def atanh_(self: TensorT) -> TensorT:
        """``atanh`` in place."""
        return unary_(ATANH, self)

    def exp2_(self: TensorT) -> TensorT:
        """``exp2`` in place."""
        return unary_(EXP2, self)

    def expm1_(self: TensorT) -> TensorT:
        """``expm1`` in place."""
        return unary_(EXPM1, self)

    def log2_(self: TensorT) -> TensorT:
        """``log2`` in place."""
        return unary_(LOG2, self)

    def log10_(self: TensorT) -> TensorT:
        """``log10`` in place."""
        return unary_(LOG10, self)

    def log1p_(self: TensorT) -> TensorT:
        """``log1p`` in place."""
        return unary_(LOG1P, self)

    def sign_(self: TensorT) -> TensorT:
        """``sign`` in place."""
        return become(self, sign)

    def frac_(self: TensorT) -> TensorT:
        """``frac`` in place."""
        return become(self, frac)

    def clamp_min_(self: TensorT, min: Any) -> TensorT:
        """``clamp_min`` in place."""
        return self.clamp_(min)  # type: ignore[attr-defined]

    def clamp_max_(self: TensorT, max: Any) -> TensorT:
        """``clamp_max`` in place."""
        return self.clamp_(None, max)  # type: ignore[attr-defined]

    def fmod_(self: TensorT, other: Any) -> TensorT:
        """``fmod`` in place."""
        return _divide_(FMOD, self, other)

    def atan2_(self: TensorT, other: Any) -> TensorT:
        """``atan2`` in place."""
        return binary_(ATAN2, self, other, FLOAT)

    def eq_(self: TensorT, other: Any) -> TensorT:
        """1 where equal, 0 elsewhere: ``eq`` in place."""
        return become(self, eq, other)

    def ne_(self: TensorT, other: Any) -> TensorT:
        """1 where different, 0 elsewhere: ``ne`` in place."""
        return become(self, ne, other)

    def lt_(self: TensorT, other: Any) -> TensorT:
        """1 where less, 0 elsewhere: ``lt`` in place."""
        return become(self, lt, other)

    def le_(self: TensorT, other: Any) -> TensorT:
        """1 where less or equal, 0 elsewhere: ``le`` in place."""
        return become(self, le, other)

    def gt_(self: TensorT, other: Any) -> TensorT:
        """1 where greater, 0 elsewhere: ``gt`` in place."""
        return become(self, gt, other)

    def ge_(self: TensorT, other: Any) -> TensorT:
        """1 where greater or equal, 0 elsewhere: ``ge`` in place."""
        return become(self, ge, other)

    def logical_and_(self: TensorT, other: Any) -> TensorT:
        """1 where both are nonzero, 0 elsewhere: ``logical_and`` in place."""
        return become(self, logical_and, other)

    def logical_or_(self: TensorT, other: Any) -> TensorT:
        """1 where one of two is nonzero, 0 elsewhere: ``logical_or`` in place."""
        return become(self, logical_or, other)

    def logical_xor_(self: TensorT, other: Any) -> TensorT:
        """1 where exactly one of two is nonzero, 0 elsewhere: ``logical_xor`` in place."""
        return become(self, logical_xor, other)

    def bitwise_and_(self: TensorT, other: Any) -> TensorT:
        """``bitwise_and`` in place."""
        return become(self, bitwise_and, other)

    def bitwise_or_(self: TensorT, other: Any) -> TensorT:
        """``bitwise_or`` in place."""
        return become(self, bitwise_or, other)

    def bitwise_xor_(self: TensorT, other: Any) -> TensorT:
        """``bitwise_xor`` in place."""
        return become(self, bitwise_xor, other)

    def bitwise_left_shift_(self: TensorT, other: Any) -> TensorT:
        """``bitwise_left_shift`` in place."""
        return become(self, bitwise_left_shift, other)

    def bitwise_right_shift_(self: TensorT, other: Any) -> TensorT:
        """``bitwise_right_shift`` in place."""
        return become(self, bitwise_right_shift, other)

    def logical_not_(self: TensorT) -> TensorT:
        """``logical_not`` in place."""
        return become(self, logical_not)

    def bitwise_not_(self: TensorT) -> TensorT:
        """``bitwise_not`` in place."""
        return become(self, bitwise_not)

    # The other names that PyTorch gives.
    absolute_, negative_, fix_, clip_ = abs_, neg_, trunc_, clamp_
    arcsin_, arccos_, arctan_, arctan2_ = asin_, acos_, atan_, atan2_
    arcsinh_, arccosh_, arctanh_ = asinh_, acosh_, atanh_
    subtract_, multiply_, divide_, true_divide_ = sub_, mul_, div_, div_
    not_equal_, less_, less_equal_, greater_, greater_equal_ = ne_, lt_, le_, gt_, ge_

    def __iand__(self: TensorT, other: Any) -> TensorT:
        return become(self, bitwise_and, other)

    def __ior__(self: TensorT, other: Any) -> TensorT:
        return become(self, bitwise_or, other)

    def __ixor__(self: TensorT, other: Any) -> TensorT:
        return become(self, bitwise_xor, other)

    def __ilshift__(self: TensorT, other: Any) -> TensorT:
        return become(self, bitwise_left_shift, other)

    def __irshift__(self: TensorT, other: Any) -> TensorT:
        return become(self, bitwise_right_shift, other)

    def __iadd__(self: TensorT, other: Any) -> TensorT:
        return _arithmetic_(ADD, "add", self, other)

    def __isub__(self: TensorT, other: Any) -> TensorT:
        if is_bool(self) or is_bool(other):
            raise refuse_bool_difference(self, other)
        return _arithmetic_(SUB, "sub", self, other)

    def __imul__(self: TensorT, other: Any) -> TensorT:
        return _arithmetic_(MUL, "mul", self, other)

    def __itruediv__(self: TensorT, other: Any) -> TensorT:
        return _arithmetic_(DIV, "div", self, other, FLOAT)

    __idiv__ = __itruediv__

    def __ifloordiv__(self: TensorT, other: Any) -> TensorT:
        return _divide_(FLOOR_DIVIDE, self, other)

    def __imod__(self: TensorT, other: Any) -> TensorT:
        return _divide_(REMAINDER, self, other)

    def __ipow__(self: TensorT, other: Any) -> TensorT:
        return binary_(POW, self, other)
