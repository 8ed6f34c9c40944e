"""Bringing each channel to mean 0 and variance 1, with the statistics of the batch or those gathered in training.

Sources: batch normalisation, Ioffe and Szegedy 2015; instance normalisation, Ulyanov et al. 2016.
"""

from __future__ import annotations

from typing import Any

from ..autograd.variable import TensorT, Variable, wrap
from ..backends.layouts import in_image_order
from ..backends.quiet import SILENT, hush, unhush
from .conversion import widened
from .normalization import (
    channel_sums,
    check_factor_dtype,
    normalized_backward,
    require_normalizable,
)
from .operands import require_tensor
from .record import Op, apply
from .writing import takes_out

__all__ = ["batch_norm", "instance_norm", "native_batch_norm"]


def _standardized(m: Any, input: Any, weight: Any, bias: Any, center: Any, scale: Any, eps: float, fixed: bool) -> Any:
    x, w, b = (None if a is None else widened(m, a) for a in (input, weight, bias))
    y = m.batch_norm(x, w, b, center, scale)
    return y if y.dtype == input.dtype else m.astype(y, input.dtype)


def _gradients(
    m: Any, g: Any, input: Any, weight: Any, center: Any, scale: Any, eps: float, fixed: bool, needs: tuple[bool, ...]
) -> tuple[Any, ...]:
    if not isinstance(g, Variable):
        x, w, h = (None if a is None else widened(m, a) for a in (input, weight, g))
        return (*m.batch_norm_backward(h, x, w, center, scale, fixed, needs[:3]), None, None)
    shape = tuple(input.shape)
    affine, dims = (1, shape[1], *(1,) * (len(shape) - 2)), channel_sums(shape)
    return normalized_backward(m, g, input, weight, center, scale, shape, affine, dims, dims, eps, needs, fixed)


BATCH_NORM = Op(
    "batch_norm",
    _standardized,
    tensors=5,
    node="NativeBatchNormBackward0",
    joint=_gradients,
    formula=r"y = \frac{x-\mu}{\sigma}\,w + b:\quad "
    r"\frac{\partial L}{\partial x} = \tfrac1\sigma\,(h - \bar h - y\,\overline{h y}),\quad h = g\,w",
    layout=in_image_order,
)


@BATCH_NORM
def batch_norm(
    input: TensorT,
    weight: Variable | None,
    bias: Variable | None,
    running_mean: Variable | None,
    running_var: Variable | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> TensorT:
    """Standardizes each channel, then scales and shifts it.

    Args:
        input: shape (N, C, *), of a floating dtype.
        weight: the scale of each channel, shape (C,), or None.
        bias: the shift of each channel, shape (C,), or None.
        running_mean: what is taken where not ``training``, and else brought towards the mean of this batch, in place.
        running_var: the same for the variance.
        training: whether the statistics are those of this batch.
        momentum: the weight of this batch in the running statistics.
        eps: added to the variance.
        cudnn_enabled: accepted for PyTorch's sake.

    Raises:
        RuntimeError: where shapes or dtypes don't fit, or without running statistics where not ``training``.
        ValueError: for only one of the two running statistics.
    """
    check_batch("batch_norm", input, weight, bias, running_mean, running_var, training, momentum)
    if not input._array.size:
        # Nothing to standardize; weight and bias stay in the graph, with gradients of 0.
        factors: Any = (weight, bias)
        out: Any = input.clone()  # type: ignore[attr-defined]
        return out if weight is None else out * factors[0].sum() + (0 if bias is None else factors[1].sum())
    return _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


def _batch_norm(
    input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool, momentum: float, eps: float
) -> tuple[Any, Any, Any]:
    """The result, and the statistics that it was computed with, of shape (1, C, 1, ...)."""
    m = input._backend
    shape = tuple(input._array.shape)
    affine = (1, shape[1]) + (1,) * (len(shape) - 2)
    token = hush(SILENT)
    try:
        if training:
            x = widened(m, input._array)
            center, var = m.channel_statistics(x)
            if running_mean is not None:
                n = x.size // shape[1]
                _move(running_mean, center, momentum)
                _move(running_var, var * (n / (n - 1)) if n > 1 else var / 0.0, momentum)
        else:
            # Copies: the running statistics may move on before backward.
            center = m.copy(widened(m, running_mean._array)).reshape(affine)
            var = widened(m, running_var._array).reshape(affine)
        scale = m.rsqrt(var + eps)
    finally:
        unhush(token)
    center, scale = wrap(center, m), wrap(scale, m)
    return apply(BATCH_NORM, (input, weight, bias, center, scale), (eps, not training)), center, scale


def _move(running: Any, seen: Any, momentum: float) -> None:
    """Brings a running statistic towards one that was just seen, in place."""
    array = running._array
    array[...] = array * (1 - momentum) + seen.reshape(array.shape) * momentum
    running._touch()


def check_batch(
    function: str, input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool,
    momentum: Any,
) -> None:  # fmt: skip
    """Raises what PyTorch raises for arguments of a batch normalisation that don't fit."""
    require_tensor(function, "input", input)
    if not isinstance(momentum, (int, float)):
        raise TypeError(f"{function}(): argument 'momentum' (position 7) must be float, not {type(momentum).__name__}")
    if (running_mean is None) != (running_var is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")
    if not training and running_mean is None:
        raise RuntimeError(
            "running_mean must be defined in evaluation mode\n  fix: training=True takes the statistics of the batch"
        )
    shape = tuple(input._array.shape)
    if len(shape) < 2 and input._array.size:
        raise IndexError(
            "Dimension out of range (expected to be in range of [-1, 0], but got 1)\n"
            f"  operation: {function}, which wants (N, C, *), on shape {shape}"
        )
    require_normalizable("batch_norm", input)
    channels = shape[1] if len(shape) > 1 else 0
    for name, factor in (
        ("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias),
    ):  # fmt: skip
        if factor is None:
            continue
        require_tensor(function, name, factor)
        if factor._array.size != channels:
            raise RuntimeError(
                f"{name} should contain {channels} elements not {factor._array.size}\n  operation: {function} on an "
                f"input of shape {shape}: one for each channel, dimension 1"
            )
        check_factor_dtype(function, name, factor, input)


@takes_out
def native_batch_norm(
    input: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: bool,
    momentum: float,
    eps: float,
    *,
    out: Any = None,
) -> tuple[Any, Any, Any]:
    """:func:`batch_norm`, the means, and 1 over the deviations of the batch; these are empty where not ``training``."""
    check_batch("native_batch_norm", input, weight, bias, running_mean, running_var, training, momentum)
    if not input._array.size:
        raise RuntimeError(
            f"input tensor must have at least one element, but got input_sizes = {list(input._array.shape)}"
        )
    out, center, scale = _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)
    m = input._backend
    d = next((f._array.dtype for f in (weight, bias, running_mean) if f is not None), input._array.dtype)
    shape = (input._array.shape[1],)
    if not training:
        return out, wrap(m.zeros((0,), d), m), wrap(m.zeros((0,), d), m)
    return out, *(wrap(m.astype(x._array.reshape(shape), d), m) for x in (center, scale))


def instance_norm(
    input: TensorT,
    weight: Variable | None,
    bias: Variable | None,
    running_mean: Variable | None,
    running_var: Variable | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> TensorT:
    """Standardizes each channel of each sample: :func:`batch_norm` of a batch of one with N times as many channels.

    Args:
        input: shape (N, C, *), of a floating dtype.
        weight: the scale of each channel, shape (C,), or None.
        bias: the shift of each channel, shape (C,), or None.
        running_mean: what is taken where not ``use_input_stats``; else moved towards the mean over the samples.
        running_var: the same for the variance.
        use_input_stats: whether the statistics are those of each sample.
        momentum: the weight of this batch in the running statistics.
        eps: added to the variance.
        cudnn_enabled: accepted for PyTorch's sake.

    Raises:
        RuntimeError: where shapes or dtypes don't fit, or without running statistics where they are needed.
        ValueError: for only one of the two running statistics.
    """
    require_tensor("instance_norm", "input", input)
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    x: Any = input
    n, c, *rest = x._array.shape
    m = x._backend

    def repeated(t: Any) -> Any:
        return None if t is None else t.expand(n, *t._array.shape).reshape(-1)

    def copied(t: Any) -> Any:
        return None if t is None else wrap(m.copy(repeated(t)._array), m)

    mean, var = copied(running_mean), copied(running_var)
    out = batch_norm(
        x.reshape(1, n * c, *rest), repeated(weight), repeated(bias), mean, var, use_input_stats, momentum, eps
    )
    if use_input_stats and n:
        for running, found in ((running_mean, mean), (running_var, var)):
            if running is not None:
                running._array[...] = m.mean(found._array.reshape(n, c), (0,))
                running._touch()
    return out.reshape(x._array.shape)
