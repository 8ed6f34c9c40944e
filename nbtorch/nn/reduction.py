"""How a loss is reduced: the argument ``reduction``, and the two older arguments that said the same."""

from __future__ import annotations

import warnings

__all__ = ["resolve_reduction"]


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
