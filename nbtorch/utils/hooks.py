"""The handle that registering a hook on a module or an optimiser returns."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from ..autograd.hooks import RemovableHandle as TensorHookHandle

__all__ = ["RemovableHandle", "add_hook"]


class RemovableHandle(TensorHookHandle):
    """Removes one hook again: by :meth:`remove`, or at the end of a ``with`` block.

    A handle refers weakly to the table of hooks, so keeping it does not keep a module alive. Unlike the handle of a
    tensor's hook it can be copied and pickled, together with the module that keeps it as an attribute.

    Args:
        hooks_dict: the table the hook stands in, by the handle's ``id``.
        extra_dict: further tables that may hold the same key, such as flags of the hook.
    """

    __slots__ = ("_extra",)

    def __init__(self, hooks_dict: OrderedDict[int, Any], *, extra_dict: Sequence[OrderedDict[int, Any]] = ()) -> None:
        super().__init__(hooks_dict)
        self._extra = tuple(weakref.ref(table) for table in extra_dict)

    def remove(self) -> None:
        """Take the hook out; calling it again does nothing."""
        super().remove()
        for ref in self._extra:
            table = ref()
            if table is not None:
                table.pop(self.id, None)

    def __getstate__(self) -> tuple[Any, ...]:
        return self._table(), self.id, tuple(ref() for ref in self._extra)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        table, self.id, extra = state
        self._table = weakref.ref(OrderedDict() if table is None else table)
        self._extra = tuple(weakref.ref(t) for t in extra if t is not None)


def add_hook(
    table: OrderedDict[int, Any],
    hook: Any,
    prepend: bool = False,
    *flags: tuple[OrderedDict[int, bool], bool],
) -> RemovableHandle:
    """Put ``hook`` at the end of ``table`` (or its start), and its id into every table of flags whose flag is set."""
    handle = RemovableHandle(table, extra_dict=[flag_table for flag_table, _ in flags])
    table[handle.id] = hook
    if prepend:
        table.move_to_end(handle.id, last=False)
    for flag_table, is_set in flags:
        if is_set:
            flag_table[handle.id] = True
    return handle
