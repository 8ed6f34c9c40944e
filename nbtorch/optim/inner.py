"""Inner names of ``torch.optim.optimizer`` that programs use whose optimiser began as a copy of one of PyTorch's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..backends.dtypes import dtype as DType
from ..backends.dtypes import float32, float64, get_default_dtype
from ..tensor import Tensor
from .recording import recording

# PyTorch puts these into the docstrings of its classes.
_params_doc = _foreach_doc = _fused_doc = _capturable_doc = _differentiable_doc = _maximize_doc = ""


def _use_grad_for_differentiable(step: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a ``step`` record gradients only if the optimiser's option ``differentiable`` says so."""

    @functools.wraps(step)
    def stepping(self: Any, *args: Any, **kwargs: Any) -> Any:
        with recording(self.defaults["differentiable"]):
            return step(self, *args, **kwargs)

    return stepping


def _get_value(x: Any) -> Any:
    """A number from a 1-element tensor or a number."""
    return x.item() if isinstance(x, Tensor) else x


_to_scalar = _get_value


def _stack_if_compiling(x: Any) -> Any:
    """The list as it is: nothing is compiled."""
    return x


def _view_as_real(params: list[Tensor], *state_and_grads: list[Tensor]) -> None:
    """Nothing to do: there are no complex numbers."""


def _default_to_fused_or_foreach(
    params: list[Tensor], differentiable: bool, use_fused: bool = False
) -> tuple[bool, bool]:
    """Whether to take a fused or a grouped step: there are none."""
    return False, False


def _device_dtype_check_for_fused(p: Tensor, cuda_unsupported: bool = False) -> None:
    """Nothing to check: there are no fused steps."""


def _disable_dynamo_if_unsupported(single_tensor_fn: Any = None) -> Callable[[Any], Any]:
    """A decorator that leaves the function as it is: nothing is compiled."""
    return lambda function: function


def _get_capturable_supported_devices(supports_xla: bool = True) -> list[str]:
    """Devices with graphs of their own."""
    return ["cuda"]


def _get_scalar_dtype(is_fused: bool | None = None) -> DType:
    """The dtype of a count of steps."""
    return float64 if get_default_dtype() is float64 and not is_fused else float32


def _group_tensors(lists: list[list[Any]], with_indices: bool = False) -> dict[Any, tuple[list[list[Any]], list[int]]]:
    """Lists that belong together, parted by the device and dtype of the first's tensors, and their places if wanted."""
    found: dict[Any, tuple[list[list[Any]], list[int]]] = {}
    for place, first in enumerate(lists[0]):
        parts, places = found.setdefault((first.device, first.dtype), ([[] for _ in lists], []))
        for part, values in zip(parts, lists, strict=True):
            if values:
                part.append(values[place])
        if with_indices:
            places.append(place)
    return found
