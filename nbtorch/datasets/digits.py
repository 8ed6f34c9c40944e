"""Handwritten digits."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from ..tensor import from_numpy
from ..utils.data import TensorDataset

__all__ = ["digits"]

_FILE = Path(__file__).parent / "data" / "digits.npz"


def digits(split: Literal["train", "test", "all"] = "train") -> TensorDataset:
    """1797 images of handwritten digits, 8×8 pixels, shipped with the package.

    The division is always the same: in the order of the file, every fifth image of each digit is for testing.

    Args:
        split: ``"train"`` (1442 images), ``"test"`` (355) or ``"all"``.

    Returns:
        A dataset of ``(image, label)``. Its tensors are the images, ``(N, 1, 8, 8)`` float32 from 0 (paper) to 1 (ink),
        and the labels, ``(N,)`` int64 from 0 to 9.

    Raises:
        ValueError: for another split.

    Source:
        The test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (1998), UCI Machine
        Learning Repository, CC BY 4.0, in the copy that scikit-learn ships. ``data/DIGITS.txt`` beside this file has
        the details.

    Example:
        >>> images, labels = digits("test").tensors
        >>> images.shape
        torch.Size([355, 1, 8, 8])
    """
    if split not in ("train", "test", "all"):
        raise ValueError(f"digits: expected split to be 'train', 'test' or 'all', got {split!r}")
    with np.load(_FILE, allow_pickle=False) as archive:
        images, labels = archive["images"], archive["labels"]
    if split != "all":
        is_test = np.zeros(len(labels), dtype=bool)
        for digit in range(10):
            is_test[np.flatnonzero(labels == digit)[4::5]] = True
        chosen = is_test if split == "test" else ~is_test
        images, labels = images[chosen], labels[chosen]
    grey = images[:, np.newaxis].astype(np.float32) / np.float32(16)
    return TensorDataset(from_numpy(grey), from_numpy(labels.astype(np.int64)))
