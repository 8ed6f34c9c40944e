"""How PyTorch may cut a batch whose logits would not fit into memory; checked here, and without effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...backends.dtypes import bfloat16, float16, float32, float64

__all__ = ["LinearCrossEntropyOptions"]


@dataclass(frozen=True, slots=True)
class LinearCrossEntropyOptions:
    """Options of :class:`nbtorch.nn.LinearCrossEntropyLoss`: they save memory in PyTorch and change no numbers.

    Args:
        allow_retain_graph: allow a second backward.
        batch_chunk_size: how many rows are computed at once.
        chunking_method: ``"auto"``, ``"aspect_ratio"``, ``"aspect_ratio:N"`` or None.
        acc_policy: ``"auto"``, ``"accurate"``, ``"balanced"`` or ``"compact"``.
        acc_dtype: the floating-point type of sums.

    Raises:
        ValueError: for anything else.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, colon, count = str(self.chunking_method).partition(":")
            if name != "aspect_ratio" or (colon and not (count.isdigit() and int(count))):
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype is not None and self.acc_dtype not in (float16, bfloat16, float32, float64):
            raise ValueError(
                "acc_dtype must be one of {None, torch.float16, torch.bfloat16, torch.float32, torch.float64}, "
                f"got {self.acc_dtype!r}."
            )
