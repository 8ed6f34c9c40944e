"""``torch.utils.dlpack``: memory shared with other libraries; see :mod:`nbtorch.tensor.dlpack`."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from ..tensor.dlpack import from_dlpack

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor: Tensor) -> Any:
    """A capsule over the memory of a tensor, for another library's ``from_dlpack``."""
    return tensor.__dlpack__()
