"""Reading the arguments of :meth:`Module.to`."""

from __future__ import annotations

from typing import Any

from ...backends.device import device as Device
from ...backends.dtypes import dtype as DType
from ...tensor import Tensor

__all__ = ["device_and_dtype"]


def device_and_dtype(
    *args: Any,
    device: Any = None,
    dtype: DType | None = None,
    tensor: Tensor | None = None,
    non_blocking: bool = False,
    memory_format: Any = None,
) -> tuple[Any, DType | None]:
    """The device and the dtype asked for by ``to(device, dtype)``, ``to(dtype)``, ``to(tensor)`` or keywords.

    ``non_blocking`` and ``memory_format`` are accepted and have no effect: copies are in order, memory is row-major.

    Raises:
        TypeError: for an argument that is none of these.
    """
    for arg in (*args, tensor):
        if isinstance(arg, Tensor):
            device, dtype = arg.device, arg.dtype
        elif isinstance(arg, DType):
            dtype = arg
        elif isinstance(arg, bool) or arg is None:
            continue
        elif isinstance(arg, (str, int, Device)):
            device = arg
        else:
            raise TypeError(
                f"to() received an invalid argument of type {type(arg).__name__}\n"
                "  expected: a device, a dtype or a tensor\n"
                '  fix: write to("cpu"), to(torch.float64) or to(other_tensor)'
            )
    return device, dtype
