"""Handwritten digits."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from ..ops.creation import tensor
from ..tensor import Tensor

__all__ = ["digits"]

_FILE = Path(__file__).parent / "data" / "digits.npz"


def digits(split: Literal["all", "train", "test"] = "all", *, flat: bool = True) -> tuple[Tensor, Tensor]:
    """1797 images of handwritten digits, 8×8 pixels, shipped with the package.

    The division is always the same: in the order of the file, every fifth image of each digit is for testing.

    Args:
        split: ``"all"``, ``"train"`` (1442 images) or ``"test"`` (355).
        flat: rows of 64 pixels for a linear layer, or with False images of one channel for a convolution.

    Returns:
        The images, ``(N, 64)`` or ``(N, 1, 8, 8)``, float32 from 0 (paper) to 1 (ink), and the labels, ``(N,)`` int64
        from 0 to 9; on the CPU.

    Raises:
        ValueError: for another split.

    Source:
        The test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (1998), UCI Machine
        Learning Repository, CC BY 4.0, in the copy that scikit-learn ships. ``data/DIGITS.txt`` beside this file has
        the details.

    Example:
        >>> images, labels = digits("test")
        >>> images.shape
        torch.Size([355, 64])
    """
    if split not in ("all", "train", "test"):
        raise ValueError(f"digits: expected split to be 'all', 'train' or 'test', got {split!r}")
    with np.load(_FILE, allow_pickle=False) as archive:
        images, labels = archive["images"], archive["labels"]
    if split != "all":
        is_test = np.zeros(len(labels), dtype=bool)
        for digit in range(10):
            is_test[np.flatnonzero(labels == digit)[4::5]] = True
        chosen = is_test if split == "test" else ~is_test
        images, labels = images[chosen], labels[chosen]
    shape = (len(images), 64) if flat else (len(images), 1, 8, 8)
    grey = images.reshape(shape).astype(np.float32) / np.float32(16)
    return tensor(grey), tensor(labels.astype(np.int64))
