"""Bringing values to a common scale over the last dimensions.

Sources: layer normalisation, Ba, Kiros and Hinton 2016; root-mean-square normalisation, Zhang and Sennrich 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.variable import TensorT, Variable
from ..backends.dtypes import finfo, float32
from .conversion import to_dtype
from .elementary import rsqrt
from .operands import require_tensor
from .record import Op, apply
from .reduction import mean, require_floating

__all__ = ["layer_norm", "rms_norm"]


def _standardize(m: Any, input: Any, dims: Any, eps: Any) -> tuple[Any, Any]:
    """``input`` with mean 0 and variance 1 over ``dims``, and the factor that it was multiplied by."""
    centred = input - m.mean(input, dims, True)
    scale = m.rsqrt(m.mean(centred * centred, dims, True) + eps)
    return centred * scale, scale


def _gradient(m: Any, h: Any, y: Any, scale: Any, dims: Any) -> Any:
    """From ``h``, the gradient of the standardized values ``y``: what is left without its mean and its part along y."""
    return scale * (h - m.mean(h, dims, True) - y * m.mean(h * y, dims, True))


def _standardize_input(m: Any, g: Any, input: Any, dims: Any, eps: Any) -> Any:
    return _gradient(m, g, *_standardize(m, input, dims, eps), dims)


def _layer_norm(m: Any, input: Any, weight: Any, bias: Any, dims: Any, eps: Any) -> Any:
    return _in_dtype(m, _standardize(m, input, dims, eps)[0] * weight + bias, input)


def _in_dtype(m: Any, out: Any, input: Any) -> Any:
    """bfloat16 widens where it meets the number ``eps``."""
    return out if out.dtype == input.dtype else m.astype(out, input.dtype)


def _layer_norm_inputs(m: Any, g: Any, input: Any, weight: Any, dims: Any, eps: Any, needs: Any) -> tuple[Any, ...]:
    y, scale = _standardize(m, input, dims, eps)
    return (
        _gradient(m, g * weight, y, scale, dims) if needs[0] else None,
        g * y if needs[1] else None,
        g if needs[2] else None,
    )


_FORMULA = (
    r"y = \frac{x-\mu}{\sigma}:\quad "
    r"\frac{\partial L}{\partial x} = \tfrac1\sigma\,(h - \bar h - y\,\overline{h y})"
)

STANDARDIZE = Op(
    "standardize",
    lambda m, input, dims, eps: _in_dtype(m, _standardize(m, input, dims, eps)[0], input),
    node="NativeLayerNormBackward0",
    input=_standardize_input,
    formula=_FORMULA,
)
LAYER_NORM = Op(
    "layer_norm",
    _layer_norm,
    tensors=3,
    node="NativeLayerNormBackward0",
    joint=_layer_norm_inputs,
    formula=_FORMULA + r",\quad h = g \cdot w",
)


def _last_dims(function: str, input: Any, normalized_shape: Sequence[int]) -> tuple[int, ...]:
    """The dimensions that ``normalized_shape`` names, counted from the end."""
    require_tensor(function, "input", input)
    require_floating(function, input)
    shape, size = tuple(normalized_shape), tuple(input._array.shape)
    if not shape or size[-len(shape) :] != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape {['*', *shape]}, but got input of "
            f"size{list(size)}\n  operation: {function}".replace("'*'", "*")
        )
    return tuple(range(-len(shape), 0))


def _check_factor(function: str, name: str, factor: Any, input: Any, normalized_shape: Sequence[int]) -> None:
    if not isinstance(factor, Variable):
        return
    if tuple(factor._array.shape) != tuple(normalized_shape):
        raise RuntimeError(
            f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
            f"{list(factor._array.shape)} and normalized_shape = {list(normalized_shape)}\n  operation: {function}"
        )
    if factor._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"{function}: expected {name} to have the dtype of the input, {input._dtype()!r}, got {factor._dtype()!r}"
        )


@LAYER_NORM
def layer_norm(
    input: TensorT,
    normalized_shape: Sequence[int],
    weight: Variable | None = None,
    bias: Variable | None = None,
    eps: float = 1e-5,
) -> TensorT:
    """Subtracts the mean and divides by the deviation over the last dimensions, then scales and shifts.

    Args:
        input: shape (*, *normalized_shape), of a floating dtype.
        normalized_shape: the sizes of these dimensions.
        weight: the scale, of shape ``normalized_shape``, or None.
        bias: the shift, of shape ``normalized_shape``, or None.
        eps: added to the variance.

    Raises:
        RuntimeError: where shapes or dtypes don't fit.
    """
    dims = _last_dims("layer_norm", input, normalized_shape)
    _check_factor("layer_norm", "weight", weight, input, normalized_shape)
    _check_factor("layer_norm", "bias", bias, input, normalized_shape)
    if weight is not None and bias is not None:
        return apply(LAYER_NORM, (input, weight, bias), (dims, eps))
    result = apply(STANDARDIZE, (input,), (dims, eps))
    if weight is not None:
        result = result * weight
    return result if bias is None else result + bias


def rms_norm(
    input: TensorT, normalized_shape: Sequence[int], weight: Variable | None = None, eps: float | None = None
) -> TensorT:
    """Divides by the root of the mean square over the last dimensions, then scales.

    Args:
        input: shape (*, *normalized_shape), of a floating dtype.
        normalized_shape: the sizes of these dimensions.
        weight: the scale, of shape ``normalized_shape``, or None.
        eps: added to the mean square; the machine epsilon of the input's dtype where None.

    Raises:
        RuntimeError: where shapes or dtypes don't fit.
    """
    dims = _last_dims("rms_norm", input, normalized_shape)
    _check_factor("rms_norm", "weight", weight, input, normalized_shape)
    # Squares of half precision overflow soon: they are computed in float32.
    x: Any = to_dtype(input, float32) if input._array.dtype.itemsize == 2 else input
    scaled = x * rsqrt(mean(x * x, dims, True) + (finfo(x._dtype()).eps if eps is None else eps))
    return to_dtype(scaled if weight is None else scaled * weight, input._dtype())
