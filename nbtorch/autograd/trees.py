"""Nested tuples, lists and dicts, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """The leaves of a tree, and its form for :func:`unflatten`; forms compare with ``==``."""
    leaves: list[Any] = []
    return leaves, _take(tree, leaves)


def _take(tree: Any, leaves: list[Any]) -> Any:
    if isinstance(tree, (tuple, list)):
        return (type(tree), None, tuple(_take(x, leaves) for x in tree))
    if isinstance(tree, dict):
        return (type(tree), tuple(tree), tuple(_take(tree[key], leaves) for key in tree))
    leaves.append(tree)
    return None


def unflatten(leaves: Any, form: Any) -> Any:
    """The tree of that form with those leaves."""
    return _put(iter(leaves), form)


def _put(leaves: Any, form: Any) -> Any:
    if form is None:
        return next(leaves)
    kind, keys, parts = form
    children = [_put(leaves, part) for part in parts]
    if keys is not None:
        made = zip(keys, children, strict=True)
        return dict(made) if kind is dict else kind(made)
    make = getattr(kind, "_make", None)
    return make(children) if make is not None else kind(children)


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with ``function`` of each leaf."""
    leaves, form = flatten(tree)
    return unflatten([function(x) for x in leaves], form)


def spread(prefix: Any, form: Any) -> list[Any] | None:
    """A tree with one entry for each leaf of ``form``, from one that may be less deep; None where they don't fit."""
    if form is None:
        return None if isinstance(prefix, (tuple, list, dict)) else [prefix]
    if not isinstance(prefix, (tuple, list, dict)):
        return [prefix] * _count(form)
    kind, keys, parts = form
    if type(prefix) is not kind or len(prefix) != len(parts):
        return None
    if keys is not None and set(prefix) != set(keys):
        return None
    out: list[Any] = []
    values = [prefix[key] for key in keys] if keys is not None else list(prefix)
    for value, part in zip(values, parts, strict=True):
        found = spread(value, part)
        if found is None:
            return None
        out += found
    return out


def _count(form: Any) -> int:
    return 1 if form is None else sum(_count(part) for part in form[2])
