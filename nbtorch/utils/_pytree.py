"""``torch.utils._pytree``: nested tuples, lists and dicts, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.trees import flatten, unflatten

__all__ = [
    "PyTree", "TreeSpec", "tree_all", "tree_any", "tree_flatten", "tree_leaves", "tree_map", "tree_map_",
    "tree_map_only", "tree_structure", "tree_unflatten",
]  # fmt: skip

PyTree = Any


class TreeSpec:
    """The form of a tree, without its leaves."""

    def __init__(self, form: Any, num_leaves: int) -> None:
        self._form, self.num_leaves = form, num_leaves

    def unflatten(self, leaves: Any) -> Any:
        """The tree of this form with those leaves."""
        return unflatten(leaves, self._form)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and self._form == other._form

    def __hash__(self) -> int:
        return hash(self._form)


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], TreeSpec]:
    """The leaves of a tree, and its form.

    Args:
        is_leaf: asked first; what is no leaf for it, nor a tuple, list or dict, is one too.
    """
    leaves, form = flatten(tree if is_leaf is None else _covered(tree, is_leaf))
    return [x.inside if isinstance(x, _Leaf) else x for x in leaves], TreeSpec(form, len(leaves))


class _Leaf:
    """Something that is not to be taken apart."""

    def __init__(self, inside: Any) -> None:
        self.inside = inside


def _covered(tree: Any, is_leaf: Callable[[Any], bool]) -> Any:
    if is_leaf(tree):
        return _Leaf(tree)
    if isinstance(tree, dict):
        return type(tree)((key, _covered(x, is_leaf)) for key, x in tree.items())
    if isinstance(tree, (tuple, list)):
        parts = [_covered(x, is_leaf) for x in tree]
        return type(tree)._make(parts) if hasattr(tree, "_make") else type(tree)(parts)
    return tree


def tree_unflatten(leaves: Any, treespec: TreeSpec) -> Any:
    """The tree of that form with those leaves."""
    return treespec.unflatten(leaves)


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves of a tree."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> TreeSpec:
    """The form of a tree."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """The tree with ``func`` of each leaf, and of the leaves at the same places of other trees."""
    leaves, form = tree_flatten(tree, is_leaf)
    others = [tree_leaves(rest, is_leaf) for rest in rests]
    return form.unflatten([func(*row) for row in zip(leaves, *others, strict=True)])


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """Calls ``func`` for each leaf; returns the tree itself."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only(
    type_or_types_or_pred: Any, func: Any = None, tree: Any = None, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """The tree with ``func`` of each leaf of a type (or for which a question says yes); the others stay."""
    wanted = type_or_types_or_pred
    asks = callable(wanted) and not isinstance(wanted, type)
    return tree_map(lambda x: func(x) if (wanted(x) if asks else isinstance(x, wanted)) else x, tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether all leaves are so."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether one leaf is so."""
    return any(map(pred, tree_leaves(tree, is_leaf)))
