"""Turning indices into batches."""

from ..fetch import fetcher

__all__ = ["fetcher"]
