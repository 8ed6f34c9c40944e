"""Recording a training step and replaying it."""

from __future__ import annotations

from .step import Captured, capture

__all__ = ["Captured", "capture"]
