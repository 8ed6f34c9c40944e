"""The wrapper that splits batches over GPUs; here there is one device, and the batch goes through whole."""

from __future__ import annotations

from typing import Any

from ..modules.module import Module

__all__ = ["DataParallel"]


class DataParallel(Module):
    """Runs ``module`` on the one device it lives on; the wrapped module stays under ``module``, as in PyTorch.

    Args:
        module: the model.
        device_ids: accepted.
        output_device: accepted.
        dim: accepted.
    """

    module: Module

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.dim = dim
        self.module = module
        self.device_ids = list(device_ids) if device_ids is not None else []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """``module(*inputs, **kwargs)``."""
        return self.module(*inputs, **kwargs)
