"""``torch.utils.tensorboard``: the writer of the package tensorboardX, where that is installed."""

from __future__ import annotations

from typing import Any

from ..absent import NotInNbtorchError

__all__ = ["SummaryWriter"]

__path__: list[str] = []  # PyTorch has a package here


def _missing() -> Any:
    raise NotInNbtorchError(
        "torch.utils.tensorboard is not part of nbtorch, but tensorboardX can stand for it\n"
        "  fix: pip install tensorboardX, or watch the training with nbtorch_widgets.watch(model)"
    )


class SummaryWriter:
    """tensorboardX' ``SummaryWriter``, which writes what TensorBoard shows.

    Raises:
        NotInNbtorchError: where tensorboardX is not installed.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        try:
            from tensorboardX import SummaryWriter as writer
        except ImportError:
            return _missing()
        return writer(*args, **kwargs)
