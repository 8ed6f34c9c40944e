"""Bringing values to mean 0 and variance 1: over the last dimensions, or over groups of channels.

Sources: layer normalisation, Ba, Kiros and Hinton 2016; group normalisation, Wu and He 2018; root-mean-square
normalisation, Zhang and Sennrich 2019. Batch normalisation is in ``batch_normalization``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..autograd.variable import TensorT, Variable, wrap
from ..backends.dtypes import finfo, float32
from ..backends.layouts import in_image_order, in_rows
from ..backends.quiet import SILENT, hush, unhush
from .conversion import contiguous, to_dtype, to_numpy_dtype, widened
from .elementary import rsqrt
from .operands import require_tensor
from .record import Op, apply
from .reduction import mean

__all__ = ["group_norm", "layer_norm", "native_group_norm", "native_layer_norm", "rms_norm"]


def statistics(m: Any, x: Any, dims: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    """The mean over ``dims``, and 1 over the deviation; the dimensions are kept."""
    center = m.mean(x, dims, True)
    apart = x - center
    if isinstance(x, Variable):
        apart = apart * apart
    else:
        apart *= apart  # arrays of this function's own are changed in place: fresh memory costs more than the sum
    return center, m.rsqrt(m.mean(apart, dims, True) + eps)


def normalized(
    m: Any, input: Any, weight: Any, bias: Any, center: Any, scale: Any, inner: tuple[int, ...], affine: tuple[int, ...]
) -> Any:
    """``(input - center) * scale * weight + bias``.

    Args:
        inner: the shape of the input in which the statistics broadcast.
        affine: the shape of weight and bias in which they broadcast to the input.
    """
    shape = tuple(input.shape)
    x = widened(m, input)
    y = x - center if inner == shape else m.reshape(x, inner) - center
    y *= scale
    y = y if inner == shape else m.reshape(y, shape)
    if weight is not None:
        y *= m.reshape(widened(m, weight), affine)
    if bias is not None:
        y += m.reshape(widened(m, bias), affine)
    return y if y.dtype == input.dtype else m.astype(y, input.dtype)


def normalized_backward(
    m: Any,
    g: Any,
    input: Any,
    weight: Any,
    center: Any,
    scale: Any,
    inner: tuple[int, ...],
    affine: tuple[int, ...],
    outer: tuple[int, ...],
    dims: tuple[int, ...],
    eps: float,
    needs: tuple[bool, ...],
    fixed: bool = False,
) -> tuple[Any, ...]:
    """The gradients of input, weight and bias of :func:`normalized`.

    Args:
        outer: the dimensions of the input along which weight and bias were broadcast.
        dims: the dimensions of ``inner`` that the statistics are over.
        eps: added to the variance.
        needs: which of the three are wanted.
        fixed: the statistics don't depend on the input.
    """
    shape = tuple(input.shape)
    g = widened(m, g)
    x = m.reshape(widened(m, input), inner)
    if isinstance(g, Variable) and not fixed:
        # To be differentiated again: the statistics as functions of the input.
        center, scale = statistics(m, x, dims, eps)
    y = None if fixed and not needs[1] else (x - center) * scale
    of_weight = of_bias = of_input = None
    if needs[1]:
        of_weight = _summed(m, g * m.reshape(y, shape), outer, affine)
    if needs[2]:
        of_bias = _summed(m, g, outer, affine)
    if needs[0]:
        h = g if weight is None else g * m.reshape(widened(m, weight), affine)
        h = m.reshape(h, inner)
        if not fixed:
            # Without its mean and its part along y: neither changes the standardized values.
            along = m.mean(h * y, dims, True)
            h = h - m.mean(h, dims, True)
            if isinstance(h, Variable):
                h = h - y * along
            else:
                y *= along
                h -= y
        of_input = m.reshape(h * scale, shape)
    return of_input, of_weight, of_bias, None, None


def _summed(m: Any, x: Any, dims: tuple[int, ...], affine: tuple[int, ...]) -> Any:
    """The sum over what weight and bias were broadcast along, in their own shape."""
    total = m.sum(x, dims) if dims else x
    wanted = tuple(n for i, n in enumerate(affine) if i not in dims)
    return m.reshape(total, wanted)


_FORMULA = (
    r"y = \frac{x-\mu}{\sigma}:\quad "
    r"\frac{\partial L}{\partial x} = \tfrac1\sigma\,(h - \bar h - y\,\overline{h y}),\quad h = g\,w"
)


def _layer_norm(m: Any, input: Any, weight: Any, bias: Any, inner: int, eps: float, kept: list[Any]) -> Any:
    x, w, b = (None if a is None else widened(m, a) for a in (input, weight, bias))
    y, center, scale = m.layer_norm(x, w, b, inner, eps)
    kept += (center, scale)
    return y if y.dtype == input.dtype else m.astype(y, input.dtype)


def _layer_norm_inputs(
    m: Any, g: Any, input: Any, weight: Any, inner: int, eps: float, kept: list[Any], needs: tuple[bool, ...]
) -> tuple[Any, ...]:
    if not isinstance(g, Variable):
        x, w, h = (None if a is None else widened(m, a) for a in (input, weight, g))
        return m.layer_norm_backward(h, x, w, *kept, inner, needs)
    shape = tuple(input.shape)
    outer, dims = tuple(range(len(shape) - inner)), tuple(range(len(shape) - inner, len(shape)))
    affine = (1,) * len(outer) + shape[len(outer) :]
    # To be differentiated again: the statistics as functions of the input.
    center, scale = statistics(m, widened(m, input), dims, eps)
    return normalized_backward(m, g, input, weight, center, scale, shape, affine, outer, dims, eps, needs)[:3]


LAYER_NORM = Op(
    "layer_norm",
    _layer_norm,
    tensors=3,
    node="NativeLayerNormBackward0",
    joint=_layer_norm_inputs,
    formula=_FORMULA,
    layout=in_rows,
)


def require_normalizable(kernel: str, input: Any) -> None:
    """Raises the NotImplementedError of PyTorch for integers and bools."""
    if input._array.dtype.kind in "iub":
        raise NotImplementedError(
            f'"{kernel}" not implemented for {input._dtype()!r}\n  expected: a floating dtype\n  fix: x.float()'
        )


def check_factor_dtype(function: str, name: str, factor: Any, input: Any) -> None:
    """Weight, bias and running statistics have the input's dtype; those of a half precision input may be float32.

    Raises:
        RuntimeError: where that isn't so.
    """
    if factor is None or factor._array.dtype == input._array.dtype:
        return
    if input._array.dtype.itemsize < 4 and factor._dtype() is float32:
        return
    raise RuntimeError(
        f"mixed dtype (CPU): expect parameter to have scalar type of Float\n  operation: {function}\n"
        f"  expected: {name} of the input's dtype, {input._dtype()!r}\n  got: {factor._dtype()!r}"
    )


def measure(input: Any, inner: tuple[int, ...], dims: tuple[int, ...], eps: float) -> Any:
    """The statistics of a tensor, as tensors outside the graph."""
    m = input._backend
    token = hush(SILENT)
    try:
        found = statistics(m, m.reshape(widened(m, input._array), inner), dims, eps)
    finally:
        unhush(token)
    return tuple([wrap(x, m) for x in found])


def _last_dims(function: str, input: Any, normalized_shape: Sequence[int]) -> tuple[int, ...]:
    """The dimensions that ``normalized_shape`` names.

    Raises:
        TypeError: where it is no sequence.
        RuntimeError: where it doesn't fit the input.
    """
    require_tensor(function, "input", input)
    if isinstance(normalized_shape, (int, str)) or not hasattr(normalized_shape, "__iter__"):
        raise TypeError(
            f"{function}(): argument 'normalized_shape' (position 2) must be tuple of ints, not "
            f"{type(normalized_shape).__name__}\n  fix: ({normalized_shape},)"
        )
    shape, size = tuple(normalized_shape), tuple(input._array.shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            f"normalized_shape = []\n  operation: {function}"
        )
    if size[-len(shape) :] != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {', '.join(map(str, shape))}], but "
            f"got input of size{list(size)}\n  operation: {function}"
        )
    return tuple(range(len(size) - len(shape), len(size)))


def _check_factor(function: str, name: str, factor: Any, normalized_shape: Sequence[int]) -> None:
    if factor is None:
        return
    require_tensor(function, name, factor)
    if tuple(factor._array.shape) != tuple(normalized_shape):
        raise RuntimeError(
            f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
            f"{list(factor._array.shape)} and normalized_shape = {list(normalized_shape)}\n  operation: {function}"
        )


@LAYER_NORM
def layer_norm(
    input: TensorT,
    normalized_shape: Sequence[int],
    weight: Variable | None = None,
    bias: Variable | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> TensorT:
    """Subtracts the mean and divides by the deviation over the last dimensions, then scales and shifts.

    Args:
        input: shape (*, *normalized_shape), of a floating dtype.
        normalized_shape: the sizes of these dimensions.
        weight: the scale, of shape ``normalized_shape``, or None.
        bias: the shift, of shape ``normalized_shape``, or None.
        eps: added to the variance.
        cudnn_enable: accepted for PyTorch's sake.

    Raises:
        RuntimeError: where shapes or dtypes don't fit.
    """
    return native_layer_norm(input, normalized_shape, weight, bias, eps)[0]


def native_layer_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any, bias: Any, eps: float
) -> tuple[Any, Any, Any]:
    """:func:`layer_norm`, the means, and 1 over the deviations (both outside the graph)."""
    dims = _last_dims("layer_norm", input, normalized_shape)
    _check_factor("layer_norm", "weight", weight, normalized_shape)
    _check_factor("layer_norm", "bias", bias, normalized_shape)
    require_normalizable("LayerNormKernelImpl", input)
    check_factor_dtype("layer_norm", "weight", weight, input)
    check_factor_dtype("layer_norm", "bias", bias, input)
    kept: list[Any] = []
    out = apply(LAYER_NORM, (input, weight, bias), (len(dims), eps, kept))
    return out, *_kept(tuple([wrap(x, out._backend) for x in kept]), input, weight, bias)


def _kept(found: tuple[Any, ...], input: Any, *factors: Any) -> tuple[Any, ...]:
    """Statistics as PyTorch returns them: in the dtype of the parameters, or else of the input."""
    d = next((f._array.dtype for f in factors if f is not None), input._array.dtype)
    return tuple([x if x._array.dtype == d else to_numpy_dtype(x, d) for x in found])


# -- groups of channels ---


def channel_sums(shape: Sequence[int]) -> tuple[int, ...]:
    """All dimensions but that of the channels."""
    return (0, *range(2, len(shape)))


GROUP_NORM = Op(
    "group_norm",
    lambda m, input, weight, bias, center, scale, inner, affine, eps: normalized(
        m, input, weight, bias, center, scale, inner, affine
    ),
    tensors=5,
    node="NativeGroupNormBackward0",
    joint=lambda m, g, input, weight, center, scale, inner, affine, eps, needs: normalized_backward(
        m, g, input, weight, center, scale, inner, affine, channel_sums(affine), (2,), eps, needs
    ),
    formula=_FORMULA,
    layout=in_image_order,
)


def native_group_norm(
    input: Any, weight: Any, bias: Any, N: int, C: int, HxW: int, group: int, eps: float
) -> tuple[Any, Any, Any]:
    """:func:`group_norm` of ``N`` samples of ``C`` channels with ``HxW`` values; also means and 1 over deviations."""
    out = group_norm(input, group, weight, bias, eps)
    x = widened(None, input).reshape(N, group, C // group * HxW)
    center = mean(x, 2, True)
    apart = x - center
    scale = rsqrt(mean(apart * apart, 2) + eps)
    return out, *_kept((center.reshape(N, group), scale), input, weight, bias)


def _check_groups(function: str, input: Any, weight: Any, bias: Any, groups: int) -> None:
    require_tensor(function, "input", input)
    shape = tuple(input._array.shape)
    if len(shape) < 2:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-max(len(shape), 1)}, {max(len(shape), 1) - 1}], "
            f"but got 1)\n  operation: {function}, which wants (N, C, *), on shape {shape}"
        )
    if groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {groups}\n  operation: {function}")
    if shape[1] % groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(shape)} and num_groups={groups}\n  operation: {function}"
        )
    for name, factor in (("weight", weight), ("bias", bias)):
        if factor is None:
            continue
        require_tensor(function, name, factor)
        if tuple(factor._array.shape) != shape[1:2]:
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(factor._array.shape)} and input of shape {list(shape)}\n  operation: {function}"
            )
        check_factor_dtype(function, name, factor, input)


@GROUP_NORM
def group_norm(
    input: TensorT,
    num_groups: int,
    weight: Variable | None = None,
    bias: Variable | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> TensorT:
    """Standardizes each sample over groups of its channels, then scales and shifts each channel.

    Args:
        input: shape (N, C, *), of a floating dtype.
        num_groups: into how many groups the channels are split; it divides C.
        weight: the scale of each channel, shape (C,), or None.
        bias: the shift of each channel, shape (C,), or None.
        eps: added to the variance.
        cudnn_enabled: accepted for PyTorch's sake.

    Raises:
        RuntimeError: where shapes or dtypes don't fit.
    """
    _check_groups("group_norm", input, weight, bias, num_groups)
    require_normalizable("GroupNormKernelImpl", input)
    n, c, *rest = input._array.shape
    inner = (n, num_groups, c // num_groups * math.prod(rest))
    affine = (1, c) + (1,) * len(rest)
    center, scale = measure(input, inner, (2,), eps)
    return apply(GROUP_NORM, (input, weight, bias, center, scale), (inner, affine, eps))


def rms_norm(
    input: TensorT, normalized_shape: Sequence[int], weight: Variable | None = None, eps: float | None = None
) -> TensorT:
    """Divides by the root of the mean square over the last dimensions, then scales.

    Args:
        input: shape (*, *normalized_shape), of a floating dtype.
        normalized_shape: the sizes of these dimensions.
        weight: the scale, of shape ``normalized_shape``, or None.
        eps: added to the mean square; the machine epsilon of the dtype computed in where None.

    Raises:
        RuntimeError: where shapes or dtypes don't fit.
    """
    dims = _last_dims("rms_norm", input, normalized_shape)
    _check_factor("rms_norm", "weight", weight, normalized_shape)
    require_normalizable("rms_norm", input)
    x: Any = widened(None, input)
    scaled = x * rsqrt(mean(x * x, dims, True) + (finfo(x._dtype()).eps if eps is None else eps))
    if weight is not None:
        scaled = scaled * weight
    return contiguous(to_dtype(scaled, input._dtype()))
