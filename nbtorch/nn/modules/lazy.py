"""Layers that learn the size of their input from the first one that they see."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from ...autograd import no_grad
from ...backends.dtypes import dtype as DType
from ...backends.dtypes import int64
from ...tensor import Tensor, zeros
from ..parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .linear import Linear
from .module import Module

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
    "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
    "LazyInstanceNorm3d", "LazyLinear", "LazyModuleMixin",
]  # fmt: skip


class LazyModuleMixin(Module):
    """Makes a layer lazy: before its first forward it has :meth:`initialize_parameters` called with the input.

    Afterwards the layer is one of the class ``cls_to_become``.
    """

    cls_to_become: type[Module] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        members = dict(self._parameters)
        members.update({k: b for k, b in self._buffers.items() if k not in self._non_persistent_buffers_set})  # type: ignore[misc]
        for name, member in members.items():
            if member is not None:
                destination[prefix + name] = member if keep_vars or is_lazy(member) else member.detach()

    def _lazy_load_hook(self, state_dict: Mapping[str, Any], prefix: str, *others: Any) -> None:
        """What is loaded says the shape."""
        for name, member in self._members():
            given = state_dict.get(prefix + name)
            if given is not None and is_lazy(member) and not is_lazy(given):
                with no_grad():
                    member.materialize(given.shape)

    def _members(self) -> list[tuple[str, Any]]:
        return list(itertools.chain(self._parameters.items(), self._buffers.items()))

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give parameters and buffers their shapes, from the arguments of the first forward."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer has no shape yet."""
        return any(is_lazy(member) for _, member in self._members())

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        for name in ("_initialize_hook", "_load_hook"):
            getattr(module, name).remove()
            delattr(module, name)
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become


class LazyLinear(LazyModuleMixin, Linear):
    """A :class:`Linear` that learns ``in_features`` from its first input; the other arguments are the same."""

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: DType | None = None) -> None:
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        if self.has_uninitialized_params():
            with no_grad():
                self.in_features = input.shape[-1]
                _shape(self.weight, (self.out_features, self.in_features))
                _shape(self.bias, (self.out_features,))
                self.reset_parameters()
        if self.in_features == 0:  # the weights were loaded
            if input.shape[-1] != self.weight.shape[-1]:
                raise AssertionError(
                    f"The in_features inferred from input: {input.shape[-1]} is not equal to in_features from "
                    f"self.weight: {self.weight.shape[-1]}"
                )
            self.in_features = input.shape[-1]


def _shape(member: Any, shape: tuple[int, ...]) -> None:
    if is_lazy(member):
        member.materialize(shape)


class _LazyConv(LazyModuleMixin):
    """Arguments are those of the convolution without ``in_channels``."""

    _dims: int
    # Where ``bias`` stands among the arguments after ``out_channels``.
    _bias_place: int

    def __init__(self, out_channels: int, *args: Any, **kwargs: Any) -> None:
        place = self._bias_place
        bias = args[place] if len(args) > place else kwargs.get("bias", True)
        if len(args) > place:
            args = (*args[:place], False, *args[place + 1 :])
        else:
            kwargs["bias"] = False
        super().__init__(0, 0, *args, **kwargs)
        own: Any = self
        made = {"device": own.weight.device, "dtype": own.weight.dtype}
        own.weight = UninitializedParameter(**made)
        own.out_channels = out_channels
        if bias:
            own.bias = UninitializedParameter(**made)

    def reset_parameters(self) -> None:
        parent: Any = super()
        if not self.has_uninitialized_params() and self.in_channels != 0:
            parent.reset_parameters()

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        if not self.has_uninitialized_params():
            return
        own: Any = self
        if input.dim() not in (self._dims + 1, self._dims + 2):
            raise RuntimeError(
                f"Expected {self._dims + 1}D (unbatched) or {self._dims + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {input.shape}"
            )
        own.in_channels = input.shape[-self._dims - 1]
        if own.in_channels % own.groups:
            raise ValueError("in_channels must be divisible by groups")
        channels = (own.in_channels, own.out_channels // own.groups)
        if not own.transposed:
            channels = (own.out_channels, own.in_channels // own.groups)
        _shape(own.weight, (*channels, *own.kernel_size))
        _shape(own.bias, (own.out_channels,))
        self.reset_parameters()


class _LazyNorm(LazyModuleMixin):
    """Arguments are those of the normalisation without ``num_features``."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: DType | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, device, dtype, bias=False)
        own: Any = self
        own.affine = affine
        own.track_running_stats = track_running_stats
        if own.affine:
            own.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                own.bias = UninitializedParameter(device=device, dtype=dtype)
        if own.track_running_stats:
            own.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            own.running_var = UninitializedBuffer(device=device, dtype=dtype)
            own.num_batches_tracked = zeros((), dtype=int64, device=device)

    def reset_parameters(self) -> None:
        parent: Any = super()
        if not self.has_uninitialized_params() and self.num_features != 0:
            parent.reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        if self.has_uninitialized_params():
            self.num_features = input.shape[self._channels(input)]
            for name in ("weight", "bias", "running_mean", "running_var"):
                _shape(getattr(self, name), (self.num_features,))
            self.reset_parameters()

    def _channels(self, input: Tensor) -> int:
        return 1


class LazyConv1d(_LazyConv, Conv1d):
    """A :class:`Conv1d` that learns ``in_channels`` from its first input."""

    cls_to_become = Conv1d
    _dims = 1
    _bias_place = 6


class LazyConv2d(_LazyConv, Conv2d):
    """A :class:`Conv2d` that learns ``in_channels`` from its first input."""

    cls_to_become = Conv2d
    _dims = 2
    _bias_place = 6


class LazyConv3d(_LazyConv, Conv3d):
    """A :class:`Conv3d` that learns ``in_channels`` from its first input."""

    cls_to_become = Conv3d
    _dims = 3
    _bias_place = 6


class LazyConvTranspose1d(_LazyConv, ConvTranspose1d):
    """A :class:`ConvTranspose1d` that learns ``in_channels`` from its first input."""

    cls_to_become = ConvTranspose1d
    _dims = 1
    _bias_place = 6


class LazyConvTranspose2d(_LazyConv, ConvTranspose2d):
    """A :class:`ConvTranspose2d` that learns ``in_channels`` from its first input."""

    cls_to_become = ConvTranspose2d
    _dims = 2
    _bias_place = 6


class LazyConvTranspose3d(_LazyConv, ConvTranspose3d):
    """A :class:`ConvTranspose3d` that learns ``in_channels`` from its first input."""

    cls_to_become = ConvTranspose3d
    _dims = 3
    _bias_place = 6


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """A :class:`BatchNorm1d` that learns ``num_features`` from its first input."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """A :class:`BatchNorm2d` that learns ``num_features`` from its first input."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """A :class:`BatchNorm3d` that learns ``num_features`` from its first input."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """An :class:`InstanceNorm1d` that learns ``num_features`` from its first input."""

    cls_to_become = InstanceNorm1d

    def _channels(self, input: Tensor) -> int:
        return input.dim() - 2


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """An :class:`InstanceNorm2d` that learns ``num_features`` from its first input."""

    cls_to_become = InstanceNorm2d

    def _channels(self, input: Tensor) -> int:
        return input.dim() - 3


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """An :class:`InstanceNorm3d` that learns ``num_features`` from its first input."""

    cls_to_become = InstanceNorm3d

    def _channels(self, input: Tensor) -> int:
        return input.dim() - 4
