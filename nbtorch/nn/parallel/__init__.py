"""``torch.nn.parallel``: one device, so one copy of the model."""

from ...annex import name_what_is_missing
from .data_parallel import DataParallel

__all__ = ["DataParallel"]

name_what_is_missing(globals())
