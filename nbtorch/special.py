"""Special functions: ``torch.special``."""

from __future__ import annotations

__all__: list[str] = []
