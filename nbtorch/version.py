"""``torch.version``."""

from __future__ import annotations

from ._version import __version__ as __version__

cuda: str | None = None
hip: str | None = None
git_version = "unknown"
debug = False
