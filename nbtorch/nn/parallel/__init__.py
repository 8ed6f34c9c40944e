"""``torch.nn.parallel``: one device, so one copy of the model."""

from .data_parallel import DataParallel

__all__ = ["DataParallel"]
