"""Normalisations."""

from __future__ import annotations

from collections.abc import Sequence

from ... import ops
from ...ops import batch_normalization, normalization
from ...tensor import Tensor

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "normalize", "rms_norm",
]  # fmt: skip


def _require_several(sizes: Sequence[int], what: str, shown: object) -> None:
    """One value is its own mean: what is left of it is 0, whatever it was.

    Raises:
        ValueError: where the product of ``sizes`` is 1.
    """
    count = 1
    for n in sizes:
        count *= n
    if count == 1:
        raise ValueError(
            f"Expected more than 1 {what} when training, got input size {shown}\n"
            "  why: a single value minus its own mean is always 0\n"
            "  fix: a larger batch (DataLoader(drop_last=True) leaves a last batch of one out), or model.eval()"
        )


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Standardizes each channel over the batch, then scales and shifts it; see :class:`nbtorch.nn.BatchNorm2d`.

    Args:
        input: ``(N, C, *)``.
        running_mean: ``(C,)``: taken where not ``training``, else moved towards the mean of the batch, in place.
        running_var: the same for the (unbiased) variance.
        weight: the scale, ``(C,)``.
        bias: the shift, ``(C,)``.
        training: take the statistics of the batch.
        momentum: the weight of this batch in the running statistics.
        eps: added to the variance.

    Raises:
        ValueError: for a single value per channel in training, or an ``eps`` that isn't positive.
        RuntimeError: where shapes or dtypes don't fit.
    """
    if training:
        size = tuple(input.shape)
        _require_several((size[0], *size[2:]), "value per channel", input.size())
    if training and eps <= 0.0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    return batch_normalization.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Standardizes each channel of each sample, then scales and shifts it; see :class:`nbtorch.nn.InstanceNorm2d`.

    Args:
        input: ``(N, C, *)``.
        running_mean: ``(C,)``: taken where not ``use_input_stats``, else moved towards what was seen, in place.
        running_var: the same for the (unbiased) variance.
        weight: the scale, ``(C,)``.
        bias: the shift, ``(C,)``.
        use_input_stats: take the statistics of each sample.
        momentum: the weight of this batch in the running statistics.
        eps: added to the variance.

    Raises:
        ValueError: for a single value in a channel.
        RuntimeError: where shapes or dtypes don't fit.
    """
    if use_input_stats:
        _require_several(tuple(input.shape)[2:], "spatial element", input.size())
    return batch_normalization.instance_norm(
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps
    )


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Standardizes each sample over groups of channels, then scales and shifts each channel.

    Args:
        input: ``(N, C, *)``.
        num_groups: how many groups; divides C.
        weight: the scale, ``(C,)``.
        bias: the shift, ``(C,)``.
        eps: added to the variance.

    Raises:
        RuntimeError: where shapes or dtypes don't fit.
        ValueError: for a single value in a group.
    """
    if input.dim() < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.dim()}")
    n, c, *rest = tuple(input.shape)
    sizes = [n * c // num_groups, num_groups, *rest]
    _require_several((sizes[0], *rest), "value per channel", sizes)
    return normalization.group_norm(input, num_groups, weight, bias, eps)


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Subtracts the mean and divides by the deviation over the last dimensions, then scales and shifts."""
    return normalization.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Divides by the root of the mean square over the last dimensions, then scales."""
    return normalization.rms_norm(input, normalized_shape, weight, eps)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """Divides by the p-norm along ``dim``, which is taken as ``eps`` where it is smaller; the shape stays."""
    result = input / input.norm(p, dim, keepdim=True).clamp_min(eps)
    return result if out is None else ops.writing.write_out("normalize", out, result)  # type: ignore[no-any-return]
