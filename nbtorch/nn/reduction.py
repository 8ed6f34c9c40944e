"""How a loss is reduced: the argument ``reduction``, and the two older arguments that said the same."""

from __future__ import annotations

import warnings

__all__ = ["check_reduction", "resolve_reduction"]


def resolve_reduction(reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> str:
    """``reduction``, unless one of the older arguments is given, which wins and is warned of."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        meant = "none"
    else:
        meant = "sum" if size_average is False else "mean"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{meant}' instead.", stacklevel=4
    )
    return meant


def check_reduction(reduction: str) -> None:
    """Raises ValueError unless ``reduction`` is one of the three."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction; expected 'none', 'mean' or 'sum'")
