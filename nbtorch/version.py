"""``torch.version``, and versions that compare as numbers: ``torch.__version__ >= (2, 4)``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ._version import PYTORCH, __version__

__all__ = ["TorchVersion", "cuda", "debug", "git_version", "hip", "rocm", "xpu"]

cuda: str | None = None
hip: str | None = None
rocm: str | None = None
xpu: str | None = None
git_version = "unknown"
debug = False

_FORM = re.compile(r"v?(\d+(?:\.\d+)*)[-_.]?((?:a|alpha|b|beta|rc|dev|post)\w*)?(.*)", re.IGNORECASE)


def _key(version: Any) -> tuple[Any, ...]:
    """What versions are ordered by: the numbers without trailing zeros, before or after the release, what is local."""
    text = ".".join(map(str, version)) if isinstance(version, Iterable) and not isinstance(version, str) else version
    found = _FORM.fullmatch(str(text).strip())
    if found is None:
        raise ValueError(f"Invalid version: {version!r}\n  expected: numbers with points between, such as '2.4.1'")
    numbers = [int(n) for n in found[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    label = (found[2] or "").lower()
    return tuple(numbers), 1 if label.startswith("post") else -1 if label else 0, label, found[3]


class TorchVersion(str):
    """A version as text that compares with text, tuples and lists by its numbers, as PyTorch's does."""

    __slots__ = ()

    def __lt__(self, other: Any) -> bool:
        return _key(self) < _key(other)

    def __le__(self, other: Any) -> bool:
        return _key(self) <= _key(other)

    def __gt__(self, other: Any) -> bool:
        return _key(self) > _key(other)

    def __ge__(self, other: Any) -> bool:
        return _key(self) >= _key(other)

    def __eq__(self, other: Any) -> bool:
        try:
            return _key(self) == _key(other)
        except ValueError:
            return False

    __hash__ = str.__hash__


def as_pytorch() -> TorchVersion:
    """What ``torch.__version__`` says while that name means nbtorch: the PyTorch that is followed, and by whom."""
    return TorchVersion(f"{PYTORCH}+nbtorch{__version__}")
