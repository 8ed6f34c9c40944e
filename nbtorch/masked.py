"""Reductions and normalisations of the elements under a mask: ``torch.masked``."""

from __future__ import annotations

__all__: list[str] = []
