"""Functions that make derivatives of functions: ``torch.func``."""

from __future__ import annotations

__all__: list[str] = []
