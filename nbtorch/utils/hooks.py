"""The handle that registering a hook on a module or an optimiser returns."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from ..autograd.hooks import RemovableHandle as TensorHookHandle

__all__ = ["RemovableHandle"]


class RemovableHandle(TensorHookHandle):
    """Removes one hook again: by :meth:`remove`, or at the end of a ``with`` block.

    A handle refers weakly to the table of hooks, so keeping it does not keep a module alive. Unlike the handle of a
    tensor's hook it can be copied and pickled, together with the module that keeps it as an attribute.

    Args:
        hooks_dict: the table the hook stands in, by the handle's ``id``.
        extra_dict: further tables that may hold the same key, such as flags of the hook.
    """

    __slots__ = ("_extra",)

    def __init__(
        self, hooks_dict: OrderedDict[int, Any], *, extra_dict: Sequence[OrderedDict[int, Any]] = ()
    ) -> None:
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
