"""Elementwise operations between operands: arithmetic, powers, choosing and bounding.

Each takes tensors of any shape (or numbers) and gives one of the broadcast shape. At ties of ``maximum`` and
``minimum``, where there is no derivative, PyTorch's choice is taken.
"""

from __future__ import annotations

import functools
from typing import Any

from ..autograd.variable import TensorT, Variable, wrap
from ..backends.dtypes import dtype, promote_types
from ..backends.layouts import like_operands
from .conversion import to_dtype
from .dispatch import FLOAT, FLOATS_ONLY, NO_BOOLS, PROMOTE, binary, refuse_dtype, unary
from .elementary import is_bool, reciprocal
from .exact_out import write_exact_out
from .oldorder import old_mask, once_took
from .operands import (
    NUMBERS,
    Number,
    broadcast_shapes,
    float_of,
    is_operand,
    number_dtype,
    operand,
    require_tensor,
    result_type,
)
from .powers import power, power_exponent, power_input
from .record import Op, apply, check_same_device
from .writing import write_out

__all__ = [
    "add", "addcdiv", "addcmul", "arctan2", "atan2", "clamp", "clamp_max", "clamp_min", "clip", "div", "divide",
    "floor_divide", "fmod", "frac", "lerp", "logaddexp", "maximum", "minimum", "mul", "multiply", "pow", "remainder",
    "sub", "subtract", "true_divide", "where",
]  # fmt: skip

# -- arithmetic ---

ADD = Op(
    "add",
    lambda m, input, other: m.add(input, other),
    tensors=2,
    input=lambda g: g,
    other=lambda g: g,
    formula=r"\frac{\partial (x+y)}{\partial x} = 1,\quad \frac{\partial (x+y)}{\partial y} = 1",
)


@once_took(2, "alpha")
@ADD
def add(input: TensorT, other: TensorT | Number, *, alpha: Number = 1, out: Any = None) -> TensorT:
    """``input + alpha * other``, elementwise with broadcasting."""
    return binary(ADD, input, other if alpha == 1 and alpha is not True else scaled(input, other, alpha), out=out)


SUB = Op(
    "sub",
    lambda m, input, other: m.sub(input, other),
    tensors=2,
    input=lambda g: g,
    other=lambda g: -g,
    numbers={"input": "RsubBackward1"},
    formula=r"\frac{\partial (x-y)}{\partial x} = 1,\quad \frac{\partial (x-y)}{\partial y} = -1",
)


@once_took(2, "alpha")
@SUB
def sub(input: TensorT, other: TensorT | Number, *, alpha: Number = 1, out: Any = None) -> TensorT:
    """``input - alpha * other``, elementwise with broadcasting.

    Raises:
        RuntimeError: for bool tensors; use ``logical_xor`` or ``~``.
    """
    if is_bool(input) or is_bool(other):
        raise refuse_bool_difference(input, other)
    return binary(SUB, input, other if alpha == 1 and alpha is not True else scaled(input, other, alpha), out=out)


def refuse_bool_difference(input: Any, other: Any) -> RuntimeError:
    """The error for a difference in which one side is bool."""
    if is_bool(input) and is_bool(other):
        return RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead.\n  fix: a ^ b where they differ, a & ~b for those in a alone"
        )
    return RuntimeError(
        "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use "
        "the `~` or `logical_not()` operator instead.\n  fix: ~mask to invert it, mask.float() to count with it"
    )


def scaled(input: Any, other: Any, alpha: Number) -> Any:
    """``alpha * other``, to be added to ``input``.

    Raises:
        RuntimeError: for a bool ``alpha`` unless all is bool, and a floating one where all are integers.
    """
    operands = [x for x in (input, other) if not isinstance(x, bool)]
    if isinstance(alpha, bool) and not all(is_bool(x) for x in operands):
        raise RuntimeError(f"Boolean alpha only supported for Boolean results.\n  got: alpha={alpha}")
    if isinstance(alpha, float) and not any(
        x._array.dtype.kind in "fV" if isinstance(x, Variable) else isinstance(x, float) for x in operands
    ):
        raise RuntimeError(
            f"For integral input tensors, argument alpha must not be a floating point number.\n  got: alpha={alpha}\n"
            "  fix: x.float()"
        )
    return other * alpha if isinstance(other, NUMBERS) else mul(other, alpha)


MUL = Op(
    "mul",
    lambda m, input, other: m.mul(input, other),
    tensors=2,
    input=lambda g, other: g * other,
    other=lambda g, input: g * input,
    formula=r"\frac{\partial (x\,y)}{\partial x} = y,\quad \frac{\partial (x\,y)}{\partial y} = x",
)


@MUL
def mul(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """``input * other``, elementwise with broadcasting."""
    return binary(MUL, input, other, out=out)


DIV = Op(
    "div",
    lambda m, input, other: m.div(input, other),
    tensors=2,
    input=lambda g, other: g / other,
    other=lambda g, input, other: -g * (input / other) / other,  # the result may be changed in place
    formula=r"\frac{\partial}{\partial x}\frac{x}{y} = \frac{1}{y},\quad "
    r"\frac{\partial}{\partial y}\frac{x}{y} = -\frac{x}{y^2}",
)


@DIV
def div(input: TensorT, other: TensorT | Number, *, rounding_mode: str | None = None, out: Any = None) -> TensorT:
    """``input / other``, elementwise with broadcasting.

    Args:
        rounding_mode: None for true division (integers give floats), ``"floor"`` or ``"trunc"``.

    Raises:
        RuntimeError: for another rounding mode, and for an integer division by zero.
    """
    if rounding_mode is None:
        return binary(DIV, input, other, FLOAT, out=out)
    if rounding_mode == "floor":
        return floor_divide(input, other, out=out)
    if rounding_mode == "trunc":
        no_zero_divisor(input, other)
        return binary(TRUNC_DIVIDE, input, other, NO_BOOLS, out=out)
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
        + repr(rounding_mode)
        + "\n  expected: 'floor' rounds down, 'trunc' towards 0"
    )


def _trunc_divide(m: Any, input: Any, other: Any) -> Any:
    quotient = m.div(input, other)
    return m.astype(m.trunc(quotient), m.add(input, other).dtype)


TRUNC_DIVIDE = Op(
    "trunc_divide",
    _trunc_divide,
    tensors=2,
    node="DivBackward1",
    input=lambda g: g * 0,
    other=lambda g: g * 0,
    formula=r"\operatorname{trunc}(x/y)' = 0",
)
FLOOR_DIVIDE = Op(
    "floor_divide",
    lambda m, input, other: m.floor_divide(input, other),
    tensors=2,
    node="FloorDivideBackward0",
    input=lambda g: g * 0,
    other=lambda g: g * 0,
    formula=r"\lfloor x/y \rfloor' = 0",
)


@FLOOR_DIVIDE
def floor_divide(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """The quotient rounded towards minus infinity. Its derivative is 0.

    Raises:
        RuntimeError: for an integer division by zero.
    """
    no_zero_divisor(input, other)
    return binary(FLOOR_DIVIDE, input, other, NO_BOOLS, out=out)


def no_zero_divisor(input: Any, other: Any) -> None:
    """Integer division by zero has no value to give; NumPy would give 0."""
    if isinstance(input, float) or isinstance(other, float):
        return
    if any(isinstance(x, Variable) and x._array.dtype.kind in "fV" for x in (input, other)):
        return
    if is_bool(input) and is_bool(other):
        return  # refused for its dtype
    zero = bool((other._array == 0).any()) if isinstance(other, Variable) else other == 0
    if zero:
        raise RuntimeError(
            "ZeroDivisionError\n  got: an integer division by 0\n  fix: divide floats, or mask the zeros"
        )


REMAINDER = Op(
    "remainder",
    lambda m, input, other: m.remainder(input, other),
    tensors=2,
    input=lambda g: g,
    other=lambda m, g, input, other: -g * m.floor(input / other),
    numbers={"other": "RemainderBackward0"},
    formula=r"\frac{\partial (x \bmod y)}{\partial x} = 1,\quad "
    r"\frac{\partial (x \bmod y)}{\partial y} = -\lfloor x/y \rfloor",
)


@REMAINDER
def remainder(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """The remainder with the sign of the divisor: Python's ``%``."""
    no_zero_divisor(input, other)
    return binary(REMAINDER, input, other, NO_BOOLS, out=out)


FMOD = Op(
    "fmod",
    lambda m, input, other: m.fmod(input, other),
    tensors=2,
    input=lambda g: g,
    other=lambda m, g, input, other: -g * m.trunc(input / other),
    numbers={"other": "FmodBackward0"},
    formula=r"\frac{\partial\,\mathrm{fmod}(x, y)}{\partial y} = -\operatorname{trunc}(x/y)",
)


@FMOD
def fmod(input: TensorT, other: TensorT | Number, *, out: Any = None) -> TensorT:
    """The remainder with the sign of the dividend: C's ``fmod``."""
    no_zero_divisor(input, other)
    return binary(FMOD, input, other, NO_BOOLS, out=out)


POW = Op(
    "pow",
    power,
    tensors=2,
    input=power_input,
    exponent=power_exponent,
    node="PowBackward1",
    numbers={"exponent": "PowBackward0", "input": "PowBackward2"},
    formula=r"\frac{\partial x^y}{\partial x} = y\,x^{y-1},\quad \frac{\partial x^y}{\partial y} = x^y \ln x",
)


@POW
def pow(input: TensorT | Number, exponent: TensorT | Number, *, out: Any = None) -> TensorT:
    """``input ** exponent``, elementwise with broadcasting; one of the two may be a number.

    Raises:
        RuntimeError: for an integer tensor to a negative whole power.
    """
    if isinstance(exponent, int) and exponent < 0 and isinstance(input, Variable) and input._array.dtype.kind in "iub":
        raise RuntimeError(
            "Integers to negative integer powers are not allowed.\n  fix: convert first, x.float() ** -1"
        )
    return binary(POW, input, exponent, NO_BOOLS, out=out)


def _by_squares(m: Any, g: Any, input: Any, other: Any) -> Any:
    """``g / (input**2 + other**2)``; 0 at the origin, which has no angle."""
    squares = input * input + other * other
    return m.where(squares == 0, g * 0, g / m.where(squares == 0, squares + 1, squares))


ATAN2 = Op(
    "atan2",
    lambda m, input, other: m.atan2(input, other),
    tensors=2,
    input=lambda m, g, input, other: _by_squares(m, g * other, input, other),
    other=lambda m, g, input, other: _by_squares(m, -g * input, input, other),
    formula=r"\frac{\partial\,\mathrm{atan2}(y,x)}{\partial y} = \frac{x}{x^2+y^2},\quad "
    r"\frac{\partial\,\mathrm{atan2}(y,x)}{\partial x} = -\frac{y}{x^2+y^2}",
)


@ATAN2
def atan2(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The angle of the point (other, input), in radians within [-pi, pi]."""
    return binary(ATAN2, input, other, FLOAT, out=out)


LOGADDEXP = Op(
    "logaddexp",
    lambda m, input, other: m.logaddexp(input, other),
    tensors=2,
    input=lambda m, g, input, other: g / (1 + m.exp(other - input)),
    other=lambda m, g, input, other: g / (1 + m.exp(input - other)),
    formula=r"\frac{\partial}{\partial x}\ln(e^x+e^y) = \frac{e^x}{e^x+e^y}",
)


@LOGADDEXP
def logaddexp(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """``log(exp(input) + exp(other))`` without overflow."""
    return binary(LOGADDEXP, input, other, FLOATS_ONLY, out=out)


def _chosen(m: Any, g: Any, tied: Any, lost: Any) -> Any:
    """The gradient of the side that won; half of it at a tie, as in PyTorch, and all of it beside a NaN."""
    return m.masked_fill(m.where(tied, g * 0.5, g), lost, 0)


MAXIMUM = Op(
    "maximum",
    lambda m, input, other: m.maximum(input, other),
    tensors=2,
    input=lambda m, g, input, other: _chosen(m, g, input == other, input < other),
    other=lambda m, g, input, other: _chosen(m, g, input == other, other < input),
    formula=r"\frac{\partial \max(x,y)}{\partial x} = [x>y] + \tfrac12[x=y]",
)


@MAXIMUM
def maximum(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The larger of two, elementwise; NaN wins. A tie sends half of the gradient to each side."""
    return binary(MAXIMUM, input, other, out=out)


MINIMUM = Op(
    "minimum",
    lambda m, input, other: m.minimum(input, other),
    tensors=2,
    input=lambda m, g, input, other: _chosen(m, g, input == other, input > other),
    other=lambda m, g, input, other: _chosen(m, g, input == other, other > input),
    formula=r"\frac{\partial \min(x,y)}{\partial x} = [x<y] + \tfrac12[x=y]",
)


@MINIMUM
def minimum(input: TensorT, other: TensorT, *, out: Any = None) -> TensorT:
    """The smaller of two, elementwise; NaN wins. A tie sends half of the gradient to each side."""
    return binary(MINIMUM, input, other, out=out)


# -- choosing and bounding ---

WHERE = Op(
    "where",
    lambda m, condition, input, other: m.where(condition, input, other),
    tensors=3,
    input=lambda m, g, condition: m.masked_fill(g, ~condition, 0),
    other=lambda m, g, condition: m.masked_fill(g, condition, 0),
    formula=r"\frac{\partial\,\mathrm{where}(c,x,y)}{\partial x} = c",
    layout=like_operands,
)


@WHERE
def where(condition: Any, input: Any = None, other: Any = None, *, out: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``; elementwise with broadcasting.

    With ``condition`` alone: the indices where it holds, as ``nonzero(as_tuple=True)``.
    A NaN or infinity on the side not chosen still spoils that side's gradient if it came from an operation outside
    its domain (0 times infinity is NaN); clamp the input of that operation first.

    Raises:
        RuntimeError: where ``condition`` is not a bool tensor (or, with a warning, one of uint8).
    """
    if out is not None:
        return write_exact_out("where", out, where(condition, input, other))
    require_tensor("where", "condition", condition)
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    condition = old_mask(condition)
    if condition._array.dtype.kind != "b":
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition._dtype()!r}\n"
            "  fix: compare first, as in torch.where(x > 0, a, b)"
        )
    m = condition._backend
    input, other = operand(input, m, "where", "input"), operand(other, m, "where", "other")
    d = result_type(input, other) if any(isinstance(x, Variable) for x in (input, other)) else _common(input, other)
    sides = [to_dtype(x, d) if isinstance(x, Variable) else wrap(m.full((), x, d.numpy), m) for x in (input, other)]
    inputs = (condition, *sides)
    check_same_device(WHERE, inputs)
    broadcast_shapes("where", *[tuple(t._array.shape) for t in inputs])
    return apply(WHERE, inputs)


def _common(a: Number, b: Number) -> dtype:
    return promote_types(number_dtype(a), number_dtype(b))


def _inside(input: Any, min: Any, max: Any) -> Any:
    inside = True
    if min is not None:
        inside = input >= min
    if max is not None:
        inside = (input <= max) if inside is True else inside & (input <= max)
    return inside


CLAMP = Op(
    "clamp",
    lambda m, input, min, max: m.clamp(input, min, max),
    input=lambda m, g, input, min, max: m.masked_fill(g, ~_inside(input, min, max), 0),
    node="ClampBackward1",
    formula=r"\frac{\partial\,\mathrm{clamp}(x,a,b)}{\partial x} = [a \le x \le b]",
)


CLAMP_BY = Op(
    "clamp_by",
    lambda m, input, min, max: m.clamp(input, min, max),
    tensors=3,
    input=lambda m, g, input, min, max: m.masked_fill(g, ~_inside(input, min, max), 0),
    min=lambda m, g, input, min, max: m.masked_fill(
        g, ~(input < min if max is None else (input < min) & (min < max)), 0
    ),
    max=lambda m, g, input, min, max: m.masked_fill(
        g, ~(input > max if min is None else (input > max) | (max < min)), 0
    ),
    node="ClampBackward0",
    formula=r"g\,[a \le x \le b],\quad g\,[x < a < b],\quad g\,[x > b\ \text{or}\ b < a]",
    layout=like_operands,
)


@CLAMP
def clamp(input: TensorT, min: Any = None, max: Any = None, *, out: Any = None) -> TensorT:
    """``input`` bounded from below by ``min`` and from above by ``max``, numbers or tensors.

    The gradient passes where the value lies within the bounds, the bounds included.

    Raises:
        RuntimeError: where neither bound is given.
    """
    if out is not None:
        return write_out("clamp", out, clamp(input, min, max))
    require_tensor("clamp", "input", input)
    if min is None and max is None:
        raise RuntimeError(
            "torch.clamp: At least one of 'min' or 'max' must not be None\n"
            "  fix: x.clamp(min=0), x.clamp(max=1) or both"
        )
    if isinstance(min, Variable) or isinstance(max, Variable):
        m = input._backend
        low, high = (None if b is None else operand(b, m, "clamp", "bound") for b in (min, max))
        d = functools.reduce(_joint, [x for x in (input, low, high) if x is not None])._dtype()
        given = [x if x is None else to_dtype(_as_tensor(x, d, m), d) for x in (input, low, high)]
        check_same_device(CLAMP_BY, given)
        broadcast_shapes("clamp", *[tuple(x._array.shape) for x in given if x is not None])
        return apply(CLAMP_BY, tuple(given))
    numbers = [b for b in (min, max) if b is not None]
    for b in numbers:
        if not isinstance(operand(b, input._backend, "clamp", "min or max"), NUMBERS):
            raise TypeError(f"clamp(): argument 'min' must be a number or Tensor, not {type(b).__name__}")
    if any(isinstance(b, float) for b in numbers) and input._array.dtype.kind in "iub":
        input = to_dtype(input, float_of(input._dtype()))
    return unary(CLAMP, input, PROMOTE, (min, max))


def _as_tensor(x: Any, d: dtype, m: Any) -> Any:
    return x if isinstance(x, Variable) else wrap(m.full((), x, d.numpy), m)


def _joint(a: Any, b: Any) -> Any:
    """An empty tensor that promotes as ``a`` and ``b`` together: of their dtype, with dimensions if one has them."""
    m = (a if isinstance(a, Variable) else b)._backend
    deep = any(isinstance(x, Variable) and x._array.ndim for x in (a, b))
    return wrap(m.zeros((0,) if deep else (), result_type(a, b).numpy), m)


def clip(input: TensorT, min: Any = None, max: Any = None, *, out: Any = None) -> TensorT:
    """Alias of ``clamp``."""
    return clamp(input, min, max, out=out)


def clamp_min(input: TensorT, min: Any, *, out: Any = None) -> TensorT:
    """``clamp(input, min=min)``."""
    return clamp(input, min, out=out)


def clamp_max(input: TensorT, max: Any, *, out: Any = None) -> TensorT:
    """``clamp(input, max=max)``."""
    return clamp(input, None, max, out=out)


# -- compositions ---


FRAC = Op(
    "frac", lambda m, input: input - m.trunc(input), input=lambda g: g, formula=r"(x - \operatorname{trunc} x)' = 1"
)


@FRAC
def frac(input: TensorT, *, out: Any = None) -> TensorT:
    """The part after the point, with the sign of ``input``."""
    return unary(FRAC, input, FLOATS_ONLY, out=out)


def check_lerp(input: Any, end: Any, weight: Any) -> None:
    """Raises where PyTorch does not interpolate."""
    weighted = isinstance(weight, Variable) and weight._array.ndim > 0
    for name, x in (("input", input), ("end", end), ("weight", weight))[: 3 if weighted else 2]:
        require_tensor("lerp", name, x)
        if x._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"expected dtype {input._dtype()!r} for `{name}` but got dtype {x._dtype()!r}\n  operation: lerp\n"
                f"  fix: {name}.to({input._dtype()!r})"
            )
    refuse_dtype("lerp", input._dtype(), FLOATS_ONLY)


def lerp(input: TensorT, end: TensorT, weight: TensorT | float, *, out: Any = None) -> TensorT:
    """``input + weight * (end - input)``.

    Raises:
        NotImplementedError: for integers and bools.
        RuntimeError: where the dtypes differ; a 0-d weight may be of another.
    """
    check_lerp(input, end, weight)
    if not isinstance(weight, Variable) and weight >= 0.5:  # from the nearer end, so that weight 1 gives just that
        return sub(end, mul(sub(end, input), 1 - weight), out=out)
    return add(input, mul(sub(end, input), weight), out=out)


@once_took(3, "value")
def addcmul(input: TensorT, tensor1: TensorT, tensor2: TensorT, *, value: Number = 1, out: Any = None) -> TensorT:
    """``input + value * tensor1 * tensor2``."""
    if is_bool(input) and is_bool(tensor1) and is_bool(tensor2):
        refuse_dtype("addcmul", input._dtype(), NO_BOOLS)
    return add(input, mul(mul(tensor1, tensor2), value), out=out)


def refuse_whole_quotient(tensor1: Any, tensor2: Any) -> None:
    """Raises for a quotient of integers, which might mean either of two things."""
    if all(isinstance(x, Variable) and x._array.dtype.kind in "iub" for x in (tensor1, tensor2)):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future release addcdiv will perform a true "
            "division of tensor1 and tensor2.\n  fix: input + value * torch.trunc(tensor1 / tensor2).to(input.dtype), "
            "or input + value * tensor1 / tensor2"
        )


@once_took(3, "value")
def addcdiv(input: TensorT, tensor1: TensorT, tensor2: TensorT, *, value: Number = 1, out: Any = None) -> TensorT:
    """``input + value * tensor1 / tensor2``.

    Raises:
        RuntimeError: for a quotient of integers.
    """
    refuse_whole_quotient(tensor1, tensor2)
    return add(input, mul(div(tensor1, tensor2), value), out=out)


# -- other names that PyTorch gives ---

multiply, subtract, divide, true_divide, arctan2 = mul, sub, div, div, atan2


class PointwiseMethods(Variable):
    """The functions of this file as methods of ``Tensor``, and the arithmetic operators."""

    __slots__ = ()

    add = add
    sub = sub
    mul = mul
    div = div
    floor_divide = floor_divide
    remainder = remainder
    fmod = fmod
    pow = pow
    atan2 = atan2
    logaddexp = logaddexp
    maximum = maximum
    minimum = minimum
    frac = frac
    clamp = clamp
    clip = clip
    clamp_min = clamp_min
    clamp_max = clamp_max
    lerp = lerp
    addcmul = addcmul
    addcdiv = addcdiv
    multiply = multiply
    subtract = subtract
    divide = divide
    true_divide = true_divide
    arctan2 = arctan2

    def where(self: TensorT, condition: Any, other: Any) -> TensorT:
        """``self`` where ``condition`` holds, else ``other``."""
        return where(condition, self, other)

    def __add__(self: TensorT, other: Any) -> TensorT:
        return binary(ADD, self, other) if is_operand(other) else NotImplemented

    def __radd__(self: TensorT, other: Any) -> TensorT:
        return binary(ADD, self, other) if is_operand(other) else NotImplemented

    def __sub__(self: TensorT, other: Any) -> TensorT:
        return sub(self, other) if is_operand(other) else NotImplemented

    def __rsub__(self: TensorT, other: Any) -> TensorT:
        return sub(other, self) if is_operand(other) else NotImplemented

    def __mul__(self: TensorT, other: Any) -> TensorT:
        return binary(MUL, self, other) if is_operand(other) else NotImplemented

    def __rmul__(self: TensorT, other: Any) -> TensorT:
        return binary(MUL, self, other) if is_operand(other) else NotImplemented

    def __truediv__(self: TensorT, other: Any) -> TensorT:
        return binary(DIV, self, other, FLOAT) if is_operand(other) else NotImplemented

    def __rtruediv__(self: TensorT, other: Any) -> TensorT:
        if isinstance(other, NUMBERS):  # as PyTorch computes it, to the last bit
            return mul(reciprocal(self), other)
        return binary(DIV, other, self, FLOAT) if is_operand(other) else NotImplemented

    __div__, __rdiv__ = __truediv__, __rtruediv__

    def __floordiv__(self: TensorT, other: Any) -> TensorT:
        return floor_divide(self, other) if is_operand(other) else NotImplemented

    def __rfloordiv__(self: TensorT, other: Any) -> TensorT:
        return floor_divide(other, self) if is_operand(other) else NotImplemented

    def __mod__(self: TensorT, other: Any) -> TensorT:
        return remainder(self, other) if is_operand(other) else NotImplemented

    def __rmod__(self: TensorT, other: Any) -> TensorT:
        return remainder(other, self) if is_operand(other) else NotImplemented

    def __pow__(self: TensorT, other: Any) -> TensorT:
        return pow(self, other) if is_operand(other) else NotImplemented

    def __rpow__(self: TensorT, other: Any) -> TensorT:
        return pow(other, self) if is_operand(other) else NotImplemented
