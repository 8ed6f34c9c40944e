"""Functions of the user's that run when a gradient passes: kept in order, removable by handle."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType
from typing import Any

Hook = Callable[..., Any]


class RemovableHandle:
    """Removes a hook: by ``remove()``, or at the end of a ``with`` block."""

    _next_id = 0
    __slots__ = ("__weakref__", "_table", "id")

    def __init__(self, table: OrderedDict[int, Any]) -> None:
        self._table = weakref.ref(table)
        self.id = RemovableHandle._next_id
        RemovableHandle._next_id += 1

    def remove(self) -> None:
        """Takes the hook out; a second call does nothing."""
        table = self._table()
        if table is not None:
            table.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.remove()


def add_hook(table: OrderedDict[int, Any], hook: Any, prepend: bool = False) -> RemovableHandle:
    """Puts ``hook`` at the end (or the start) of ``table`` and returns its handle."""
    handle = RemovableHandle(table)
    table[handle.id] = hook
    if prepend:
        table.move_to_end(handle.id, last=False)
    return handle


class Hooks:
    """The hooks of one node or one leaf, made when the first is registered.

    Attributes:
        tensor: per output number, ``hook(grad) -> grad or None``.
        retain: per output number, the tensor whose ``.grad`` is kept.
        pre: ``hook(grad_outputs) -> grad_outputs or None``.
        post: ``hook(grad_inputs, grad_outputs) -> grad_inputs or None``; on a leaf ``hook(tensor)``.
        metadata: what the user noted about the node.
        after: on a leaf, ``hook((), grad_outputs)`` when all else is done.
    """

    __slots__ = ("after", "metadata", "post", "pre", "retain", "tensor")

    def __init__(self) -> None:
        self.tensor: dict[int, OrderedDict[int, Hook]] = {}
        self.retain: dict[int, weakref.ref[Any]] = {}
        self.pre: OrderedDict[int, Hook] = OrderedDict()
        self.post: OrderedDict[int, Hook] = OrderedDict()
        self.metadata: dict[str, Any] = {}
        self.after: OrderedDict[int, Hook] = OrderedDict()

    def on_tensor(self, output_nr: int, hook: Hook) -> RemovableHandle:
        return add_hook(self.tensor.setdefault(output_nr, OrderedDict()), hook)
