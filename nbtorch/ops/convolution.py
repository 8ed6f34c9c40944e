"""Convolution in one to three dimensions, its transpose, and the windows it looks through (``unfold``, ``fold``).

The three maps of a convolution (output, gradient of the input, gradient of the weight) are one record each, and the
derivative of each is made of the other two; so every order of derivative is there, and a transposed convolution is the
second of the three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.variable import TensorT, Variable
from ..backends.layouts import in_convolution_order
from ..backends.windows import Windows
from .dispatch import FLOATS_ONLY, FLOATS_OR_INT64, NO_BOOLS, refuse_dtype
from .operands import refuse_scalar, require_tensor
from .record import Op, apply, check_same_device
from .shape import reshape

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip

Sizes = int | Sequence[int]


def _bias(m: Any, g: Any) -> Any:
    """The gradient of what was added to each channel of a batch."""
    return m.sum(g, (0, *range(2, g.ndim)))


CONVOLUTION = Op(
    "convolution",
    lambda m, input, weight, bias, at, groups: m.convolution(input, weight, bias, at, groups),
    tensors=3,
    input=lambda m, g, weight, at, groups: m.convolution_input(g, weight, None, at, groups),
    weight=lambda m, g, input, at, groups: m.convolution_weight(g, input, at, groups),
    bias=_bias,
    formula=r"y_p = \textstyle\sum_t w_t\,x_{sp+t}:\quad \frac{\partial L}{\partial x_q} = \sum_{sp+t=q} w_t\,g_p,\quad"
    r" \frac{\partial L}{\partial w_t} = \sum_p g_p\,x_{sp+t}",
    layout=in_convolution_order,
)
CONVOLUTION_INPUT = Op(
    "convolution_input",
    lambda m, input, weight, bias, at, groups: m.convolution_input(input, weight, bias, at, groups),
    tensors=3,
    node="ConvolutionBackward0",
    input=lambda m, g, weight, at, groups: m.convolution(g, weight, None, at, groups),
    weight=lambda m, g, input, at, groups: m.convolution_weight(input, g, at, groups),
    bias=_bias,
    formula=r"x_q = \textstyle\sum_{sp+t=q} w_t\,y_p:\quad \frac{\partial L}{\partial y_p} = \sum_t w_t\,g_{sp+t},\quad"
    r" \frac{\partial L}{\partial w_t} = \sum_p y_p\,g_{sp+t}",
    layout=in_convolution_order,
)
CONVOLUTION_WEIGHT = Op(
    "convolution_weight",
    lambda m, grad, input, at, groups: m.convolution_weight(grad, input, at, groups),
    tensors=2,
    node="ConvolutionBackwardBackward0",
    grad=lambda m, g, input, at, groups: m.convolution(input, g, None, at, groups),
    input=lambda m, g, grad, at, groups: m.convolution_input(grad, g, None, at, groups),
    formula=r"w_t = \textstyle\sum_p h_p\,x_{sp+t}:\quad \frac{\partial L}{\partial h_p} = \sum_t g_t\,x_{sp+t},\quad"
    r" \frac{\partial L}{\partial x_q} = \sum_{sp+t=q} g_t\,h_p",
)


@CONVOLUTION
def convolution(input: TensorT, weight: Variable, bias: Variable | None, at: Windows, groups: int) -> TensorT:
    """The correlation of ``(n, channels, *size)`` with ``(out, channels/groups, *kernel)`` over the windows ``at``."""
    return apply(CONVOLUTION, (input, weight, bias), (at, groups))


@CONVOLUTION_INPUT
def convolution_input(input: TensorT, weight: Variable, bias: Variable | None, at: Windows, groups: int) -> TensorT:
    """The gradient of a convolution's input: the transposed convolution."""
    return apply(CONVOLUTION_INPUT, (input, weight, bias), (at, groups))


@CONVOLUTION_WEIGHT
def convolution_weight(grad: TensorT, input: Variable, at: Windows, groups: int) -> TensorT:
    """The gradient of a convolution's weight."""
    return apply(CONVOLUTION_WEIGHT, (grad, input), (at, groups))


# -- arguments ---


def per_dim(function: str, name: str, value: Any, n: int) -> tuple[int, ...]:
    """An int for all dimensions, or one for each, as a tuple.

    Raises:
        TypeError: for anything but ints.
        RuntimeError: for another number of them.
    """
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    out = []
    for v in given:
        if isinstance(v, (bool, float, str)) or not hasattr(v, "__index__"):
            raise TypeError(f"{function}(): argument '{name}' must be tuple of ints, not {type(v).__name__}")
        out.append(int(v.__index__()))
    if len(out) not in (1, n):
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {n} values to match the convolution "
            f"dimensions, but got {name}={list(out)}\n  operation: {function}"
        )
    return tuple(out) * n if len(out) == 1 else tuple(out)


def _check_operands(function: str, n: int, input: Any, weight: Any, bias: Any) -> None:
    require_tensor(function, "input", input)
    require_tensor(function, "weight", weight)
    given: tuple[Any, ...] = (input, weight)
    if bias is not None:
        require_tensor(function, "bias", bias)
        given = (input, weight, bias)
    check_same_device(CONVOLUTION, given)
    for name, t in (("bias", bias), ("weight", weight)):
        if t is not None and t._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"Input type ({input._dtype()!r}) and {name} type ({t._dtype()!r}) should be the same\n"
                f"  operation: {function}\n  fix: convert one of them, for example x.to(weight.dtype)"
            )
    refuse_dtype(function, input._dtype(), FLOATS_OR_INT64 if "transpose" in function else NO_BOOLS)
    shape, sizes = tuple(weight._array.shape), tuple(input._array.shape)
    if len(shape) < 3:
        raise RuntimeError(
            f"weight should have at least three dimensions\n  operation: {function}\n  got: shape {list(shape)}"
        )
    if len(shape) != n + 2:
        raise RuntimeError(
            f"Expected {len(shape)}-dimensional input for {len(shape)}-dimensional weight{list(shape)}, but got "
            f"{len(sizes)}-dimensional input of size {list(sizes)} instead\n"
            f"  expected: for {function} a weight with {n + 2} dimensions, (out, in / groups, *kernel)"
        )
    if len(sizes) not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {function}, but got input of size: "
            f"{list(sizes)}"
        )


def _check_numbers(stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int], groups: int) -> None:
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported\n  got: " + str(groups))
    if min(padding) < 0:
        raise RuntimeError(f"negative padding is not supported\n  got: {list(padding)}")
    if min(stride) <= 0:
        raise RuntimeError(f"non-positive stride is not supported\n  got: {list(stride)}")
    if min(dilation) <= 0:
        raise RuntimeError(f"dilation should be greater than zero\n  got: {list(dilation)}")


def _check_channels(sizes: Sequence[int], shape: Sequence[int], bias: Any, groups: int, transposed: bool) -> None:
    if shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{list(shape)} instead"
        )
    if shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size {list(shape)} instead"
        )
    channels = shape[0] if transposed else shape[1] * groups
    if sizes[1] != channels:
        of = "transposed=1, " if transposed else f"groups={groups}, "
        raise RuntimeError(
            f"Given {of}weight of size {list(shape)}, expected input{list(sizes)} to have {channels} channels, but got "
            f"{sizes[1]} channels instead"
        )
    planes = shape[1] * groups if transposed else shape[0]
    if bias is not None and tuple(bias._array.shape) != (planes,):
        raise RuntimeError(
            f"Given weight of size {list(shape)}, expected bias to be 1-dimensional with {planes} elements, but got "
            f"bias of size {list(bias._array.shape)} instead"
        )


def _batched(input: Any, n: int) -> tuple[Any, bool]:
    if input._array.ndim == n + 2:
        return input, False
    return reshape(input, (1, *input._array.shape)), True


def _convolve(
    n: int, input: Any, weight: Any, bias: Any, stride: Sizes, padding: Sizes | str, dilation: Sizes, groups: int
) -> Any:
    function = f"conv{n}d"
    _check_operands(function, n, input, weight, bias)
    steps, spread = per_dim(function, "stride", stride, n), per_dim(function, "dilation", dilation, n)
    around = (0,) * n if isinstance(padding, str) else per_dim(function, "padding", padding, n)
    _check_numbers(steps, around, spread, groups)
    input, alone = _batched(input, n)
    sizes, shape = tuple(input._array.shape), tuple(weight._array.shape)
    _check_channels(sizes, shape, bias, groups, False)
    size, kernel = sizes[2:], shape[2:]
    reach = tuple(d * (k - 1) + 1 for d, k in zip(spread, kernel, strict=True))
    if isinstance(padding, str) and padding != "valid":
        if padding != "same":
            raise RuntimeError(f"Invalid padding string: '{padding}'\n  expected: 'valid', 'same', or numbers")
        if max(steps) > 1:
            raise RuntimeError(f"padding='same' is not supported for strided convolutions\n  got: stride {list(steps)}")
        around, out = tuple((r - 1) // 2 for r in reach), size
    else:
        padded = tuple(s + 2 * p for s, p in zip(size, around, strict=True))
        if any(r > p for r, p in zip(reach, padded, strict=True)) or 0 in kernel:
            raise RuntimeError(
                f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). Kernel size: "
                f"({' x '.join(map(str, reach))}). Kernel size can't be greater than actual input size"
            )
        out = tuple((p - r) // s + 1 for p, r, s in zip(padded, reach, steps, strict=True))
    result = convolution(input, weight, bias, Windows(size, out, kernel, steps, around, spread), groups)
    return reshape(result, tuple(result._array.shape[1:])) if alone else result


def conv1d(
    input: TensorT,
    weight: Variable,
    bias: Variable | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> TensorT:
    """The correlation of ``input`` ``(n, channels, length)`` with ``weight`` ``(out, channels/groups, kernel)``.

    Args:
        input: the signals; without ``n`` a single one.
        weight: one kernel for each output channel.
        bias: a number added to each output channel.
        stride: the step of the kernel.
        padding: zeros on both sides, or ``"same"`` or ``"valid"``.
        dilation: the step between the kernel's elements.
        groups: input and output channels are split into this many groups that don't meet.

    Raises:
        RuntimeError: where shapes or dtypes don't fit.
    """
    return _convolve(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: TensorT,
    weight: Variable,
    bias: Variable | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> TensorT:
    """The correlation of ``input`` ``(n, channels, h, w)`` with ``weight`` ``(out, channels/groups, kh, kw)``.

    The arguments are those of :func:`conv1d`; each may be one number or one for each dimension.
    """
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: TensorT,
    weight: Variable,
    bias: Variable | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> TensorT:
    """The correlation of ``input`` ``(n, channels, d, h, w)`` with ``weight`` ``(out, channels/groups, kd, kh, kw)``.

    The arguments are those of :func:`conv1d`; each may be one number or one for each dimension.
    """
    return _convolve(3, input, weight, bias, stride, padding, dilation, groups)


def _convolve_transposed(
    n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, extra: Any, groups: int, dilation: Any
) -> Any:
    function = f"conv_transpose{n}d"
    _check_operands(function, n, input, weight, bias)
    steps, spread = per_dim(function, "stride", stride, n), per_dim(function, "dilation", dilation, n)
    around, more = per_dim(function, "padding", padding, n), per_dim(function, "output_padding", extra, n)
    _check_numbers(steps, around, spread, groups)
    if min(more) < 0:
        raise RuntimeError(f"negative output_padding is not supported\n  got: {list(more)}")
    if any(e >= s and e >= d for e, s, d in zip(more, steps, spread, strict=True)):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got output_padding {list(more)}, "
            f"stride {list(steps)}, dilation {list(spread)}"
        )
    input, alone = _batched(input, n)
    sizes, shape = tuple(input._array.shape), tuple(weight._array.shape)
    _check_channels(sizes, shape, bias, groups, True)
    kernel = shape[2:]
    size = tuple(
        (o - 1) * s - 2 * p + d * (k - 1) + e + 1
        for o, s, p, d, k, e in zip(sizes[2:], steps, around, spread, kernel, more, strict=True)
    )
    if min(size) <= 0:
        raise RuntimeError(
            f"Given input size per channel: ({' x '.join(map(str, sizes[2:]))}). Calculated output size per channel: "
            f"({' x '.join(map(str, size))}). Output size is too small"
        )
    at = Windows(size, sizes[2:], kernel, steps, around, spread)
    result = convolution_input(input, weight, bias, at, groups)
    return reshape(result, tuple(result._array.shape[1:])) if alone else result


def conv_transpose1d(
    input: TensorT,
    weight: Variable,
    bias: Variable | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> TensorT:
    """The transpose of :func:`conv1d`, from its output's shape to its input's: upsampling with learned weights.

    Args:
        input: ``(n, channels, length)``, or without ``n``.
        weight: ``(channels, out/groups, kernel)``.
        bias: a number added to each output channel.
        stride: the step of the kernel in the output.
        padding: what is cut off on both sides of the output.
        output_padding: what the output is longer at its end; decides between the sizes that the stride leaves open.
        groups: channels are split into this many groups that don't meet.
        dilation: the step between the kernel's elements.
    """
    return _convolve_transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: TensorT,
    weight: Variable,
    bias: Variable | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> TensorT:
    """The transpose of :func:`conv2d`; the arguments are those of :func:`conv_transpose1d`."""
    return _convolve_transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: TensorT,
    weight: Variable,
    bias: Variable | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> TensorT:
    """The transpose of :func:`conv3d`; the arguments are those of :func:`conv_transpose1d`."""
    return _convolve_transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


# -- the windows themselves ---

IM2COL = Op(
    "im2col",
    lambda m, input, at: m.im2col(input, at),
    node="Im2ColBackward0",
    input=lambda m, g, at: m.col2im(g, at),
    formula=r"\text{the columns' gradients are added where their elements came from}",
)
COL2IM = Op(
    "col2im",
    lambda m, input, at: m.col2im(input, at),
    node="Col2ImBackward0",
    input=lambda m, g, at: m.im2col(g, at),
    formula=r"\text{each column gets the gradient from where it was added}",
)


@IM2COL
def im2col(input: TensorT, at: Windows) -> TensorT:
    """The windows of each plane as columns: ``(..., elements of a window, windows)``."""
    return apply(IM2COL, (input,), (at,))


@COL2IM
def col2im(input: TensorT, at: Windows) -> TensorT:
    """Columns added up where they came from."""
    return apply(COL2IM, (input,), (at,))


def _refuse_integers(function: str, input: Any) -> None:
    if input._array.dtype.kind in "iu":
        refuse_dtype(function, input._dtype(), FLOATS_ONLY)


def _window_numbers(function: str, kernel: Any, dilation: Any, padding: Any, stride: Any) -> list[tuple[int, ...]]:
    kernel = per_dim(function, "kernel_size", kernel, 2)
    spread, around = per_dim(function, "dilation", dilation, 2), per_dim(function, "padding", padding, 2)
    steps = per_dim(function, "stride", stride, 2)
    for name, values in (("kernel size", kernel), ("stride", steps), ("dilation", spread)):
        if min(values) <= 0:
            raise RuntimeError(f"{name} should be greater than zero, but got {list(values)}\n  operation: {function}")
    if min(around) < 0:
        raise RuntimeError(f"padding should be non-negative, but got {list(around)}\n  operation: {function}")
    return [kernel, spread, around, steps]


def unfold(input: TensorT, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1) -> TensorT:
    """The windows of ``(n, channels, h, w)`` as columns ``(n, channels * kh * kw, windows)``; also without ``n``.

    Raises:
        RuntimeError: for another number of dimensions, or where no window fits.
    """
    require_tensor("unfold", "input", input)
    kernel, spread, around, steps = _window_numbers("unfold", kernel_size, dilation, padding, stride)
    shape = tuple(input._array.shape)
    refuse_scalar("unfold", "input", input)
    if len(shape) not in (3, 4) or 0 in shape[len(shape) - 3 :]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(shape)}"
        )
    size = shape[-2:]
    out = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(size, around, spread, kernel, steps, strict=True)
    )
    if min(out) < 1:
        raise RuntimeError(
            f"Given input with spatial size {size}, kernel_size={kernel}, dilation={spread}, padding={around}, "
            f"calculated shape of the array of sliding blocks as {out}, but its components must be at least one."
        )
    at = Windows(size, out, kernel, steps, around, spread)
    _refuse_integers("im2col_out", input)
    columns = im2col(input, at)
    return reshape(columns, (*shape[:-3], shape[-3] * at.elements, at.number))


def fold(
    input: TensorT,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> TensorT:
    """Columns ``(n, channels * kh * kw, windows)`` added up to ``(n, channels, *output_size)``; also without ``n``.

    Raises:
        RuntimeError: where the number of rows or columns is not that of the windows.
    """
    require_tensor("fold", "input", input)
    kernel, spread, around, steps = _window_numbers("fold", kernel_size, dilation, padding, stride)
    size = per_dim("fold", "output_size", output_size, 2)
    shape = tuple(input._array.shape)
    if len(shape) not in (2, 3) or 0 in shape[len(shape) - 2 :]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(shape)}"
        )
    out = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(size, around, spread, kernel, steps, strict=True)
    )
    at = Windows(size, out, kernel, steps, around, spread)
    if shape[-2] % at.elements:
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={shape[-2]} and kernel_size={kernel}."
        )
    if min(out) < 1 or shape[-1] != at.number:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={spread}, padding={around}, stride={steps}, "
            f"expected size of input's dimension 2 to match the calculated number of sliding blocks {out[0]} * "
            f"{out[1]} = {out[0] * out[1]}, but got input.size(2)={shape[-1]}."
        )
    _refuse_integers("col2im_out", input)
    return col2im(reshape(input, (*shape[:-2], shape[-2] // at.elements, at.elements, at.number)), at)
