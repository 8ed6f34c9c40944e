"""Activation functions made of pieces: bounded, shrunk or switched between formulas by the size of the input.

At the ends of a piece the derivative is PyTorch's. Sources: hard swish, Howard et al. 2019; PReLU, He et al. 2015;
Mish, Misra 2019.
"""

from __future__ import annotations

from typing import Any

from ..autograd.variable import TensorT
from .dispatch import FLOATS_ONLY, NO_BOOLS, PROMOTE, refuse_dtype, unary
from .operands import require_tensor
from .pointwise import clamp
from .record import Op, apply

__all__ = ["hardshrink", "hardsigmoid", "hardswish", "hardtanh", "mish", "prelu", "relu6", "softshrink", "threshold"]


def _floating(op: Op, input: Any, *static: Any, out: Any = None) -> Any:
    return unary(op, input, FLOATS_ONLY, static, out)


PRELU = Op(
    "prelu",
    lambda m, input, weight: m.where(input > 0, input, input * weight),
    tensors=2,
    node="PreluKernelBackward0",
    input=lambda m, g, input, weight: m.where(input > 0, g, g * weight),
    weight=lambda m, g, input: m.masked_fill(g * input, input > 0, 0),
    formula=r"\frac{\partial L}{\partial x} = g\,([x>0] + a\,[x\le 0]),\quad "
    r"\frac{\partial L}{\partial a} = g\,x\,[x\le 0]",
)


@PRELU
def prelu(input: TensorT, weight: Any) -> TensorT:
    """``leaky_relu`` with a learnt slope: one for all, or one for each channel (dimension 1).

    Raises:
        RuntimeError: where the slopes don't fit the channels.
    """
    require_tensor("prelu", "input", input)
    require_tensor("prelu", "weight", weight)
    dims = input._array.ndim
    if weight._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {input._dtype()!r} and {weight._dtype()!r}\n"
            "  fix: weight.to(input.dtype)"
        )
    if weight._array.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight._array.ndim}\n"
            "  expected: one slope for all, or one for each channel"
        )
    if weight._array.size != 1 and (dims < 2 or input._array.shape[1] != weight._array.size):
        raise RuntimeError(
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
            f"{weight._array.size} and channel size = {input._array.shape[1] if dims > 1 else 1}."
        )
    refuse_dtype("prelu", input._dtype(), FLOATS_ONLY)
    slopes = weight.reshape((1, -1) + (1,) * (dims - 2) if dims > 1 else () if not dims else (1,))
    return apply(PRELU, (input, slopes))


HARDTANH = Op(
    "hardtanh",
    lambda m, input, min_val, max_val: m.clamp(input, min_val, max_val),
    input=lambda m, g, input, min_val, max_val: m.masked_fill(g, ~((input > min_val) & (input < max_val)), 0),
    formula=r"f'(x) = [a < x < b]",
)


@HARDTANH
def hardtanh(input: TensorT, min_val: float = -1.0, max_val: float = 1.0) -> TensorT:
    """``input`` bounded to [min_val, max_val]; the derivative at the bounds is 0."""
    require_tensor("hardtanh", "input", input)
    if input._array.dtype.kind in "iu":
        if input._array.dtype.kind == "u" and (min_val < 0 or max_val < 0):
            raise RuntimeError(
                f"cannot do hardtanh on an unsigned type with negative limits\n  got: [{min_val}, {max_val}]"
            )
        return clamp(input, int(min_val), int(max_val))
    return _floating(HARDTANH, input, min_val, max_val)


def relu6(input: TensorT) -> TensorT:
    """``hardtanh(input, 0, 6)``."""
    return hardtanh(input, 0.0, 6.0)


HARDSIGMOID = Op(
    "hardsigmoid",
    lambda m, input: m.clamp(input + 3, 0, 6) / 6,
    input=lambda m, g, input: m.masked_fill(g / 6, ~((input > -3) & (input < 3)), 0),
    formula=r"f'(x) = \tfrac16\,[-3 < x < 3]",
)


@HARDSIGMOID
def hardsigmoid(input: TensorT) -> TensorT:
    """``relu6(input + 3) / 6``."""
    return _floating(HARDSIGMOID, input)


HARDSWISH = Op(
    "hardswish",
    lambda m, input: input * m.clamp(input + 3, 0, 6) / 6,
    input=lambda m, g, input: m.masked_fill(m.where(input >= 3, g, g * (input / 3 + 0.5)), input <= -3, 0),
    formula=r"f'(x) = [x\ge 3] + \left(\tfrac x3 + \tfrac12\right)[-3 < x < 3]",
)


@HARDSWISH
def hardswish(input: TensorT) -> TensorT:
    """``input * relu6(input + 3) / 6``."""
    return _floating(HARDSWISH, input)


def _mish_input(m: Any, g: Any, input: Any) -> Any:
    bend = m.tanh(m.softplus(input, 1.0, 20.0))
    return g * (bend + input * m.sigmoid(input) * (1 - bend * bend))


MISH = Op(
    "mish",
    lambda m, input: input * m.tanh(m.softplus(input, 1.0, 20.0)),
    input=_mish_input,
    formula=r"t = \tanh\ln(1+e^x):\quad f'(x) = t + x\,\sigma(x)\,(1-t^2)",
)


@MISH
def mish(input: TensorT) -> TensorT:
    """``input * tanh(softplus(input))``."""
    return _floating(MISH, input)


THRESHOLD = Op(
    "threshold",
    lambda m, input, threshold, value: m.masked_fill(input, input <= threshold, value),
    input=lambda m, g, input, threshold: m.masked_fill(g, input <= threshold, 0),
    formula=r"f'(x) = [x > \theta]",
)


@THRESHOLD
def threshold(input: TensorT, threshold: float, value: float, *, out: Any = None) -> TensorT:
    """``input`` where above ``threshold``, ``value`` elsewhere; integers take both rounded towards 0."""
    require_tensor("threshold", "input", input)
    if input._array.dtype.kind in "iub":
        refuse_dtype("threshold", input._dtype(), NO_BOOLS)
        threshold, value = int(threshold), int(value)
    return unary(THRESHOLD, input, PROMOTE, (threshold, value), out)


SOFTSHRINK = Op(
    "softshrink",
    lambda m, input, lambd: input - m.clamp(input, -lambd, lambd),
    input=lambda m, g, input, lambd: m.masked_fill(g, ~(m.abs(input) > lambd), 0),
    formula=r"f'(x) = [|x| > \lambda]",
)


@SOFTSHRINK
def softshrink(input: TensorT, lambd: float = 0.5, *, out: Any = None) -> TensorT:
    """``input`` moved towards 0 by ``lambd``, 0 within it."""
    return _floating(SOFTSHRINK, input, lambd, out=out)


HARDSHRINK = Op(
    "hardshrink",
    lambda m, input, lambd: m.masked_fill(input, m.abs(input) <= lambd, 0),
    input=lambda m, g, input, lambd: m.masked_fill(g, ~(m.abs(input) > lambd), 0),
    formula=r"f'(x) = [|x| > \lambda]",
)


@HARDSHRINK
def hardshrink(input: TensorT, lambd: float = 0.5, *, out: Any = None) -> TensorT:
    """``input`` where its size exceeds ``lambd``, 0 elsewhere."""
    return _floating(HARDSHRINK, input, lambd, out=out)
