"""Figures of matplotlib, which is needed for `.plot()` only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figure(width: float, height: float, **subplots: Any) -> tuple[Figure, Any]:
    """A figure of so many inches, which no window or notebook shows by itself, and its axes.

    Raises:
        ImportError: without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"plot() needs matplotlib ({error}). Install it with: pip install matplotlib") from error
    drawn = Figure(figsize=(width, height), layout="constrained")
    return drawn, drawn.subplots(**subplots)
