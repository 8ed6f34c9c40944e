"""The Python objects that a step can reach: what may make it another step, and what it may change besides tensors."""

from __future__ import annotations

import functools
import sys
from collections import deque
from collections.abc import Callable
from itertools import chain
from operator import is_
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ..autograd.variable import Variable
from ..nn import Module
from ..optim import Optimizer

__all__ = ["Guards", "Reach", "equal", "hooks_of"]

_ENTRIES = 20000
_BYTES = 1 << 20  # of a larger array of NumPy's the numbers are not looked at
_MOST = 256  # of a longer container only the length is looked at
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_MISSING = object()
# Of a module's attributes: the tables of what it consists of, and what is of no concern to a call.
_PARTS = ("_parameters", "_buffers", "_modules")
_SAVING = frozenset((
    "_forward_hooks_always_called", "_forward_hooks_with_kwargs", "_forward_pre_hooks_with_kwargs",
    "_load_state_dict_post_hooks", "_load_state_dict_pre_hooks", "_non_persistent_buffers_set", "_state_dict_hooks",
    "_state_dict_pre_hooks",
))  # fmt: skip


class Guards:
    """What has to be as it was for a replay, gathered so that looking at it takes little time.

    Attributes:
        cells: cells of functions, with what they held.
        globals: tables of globals, with a name and what it held.
        empty: containers that were empty.
        sizes: those that were not.
        views: of these, those whose items have to be the same objects, or views of their values.
        held: these objects, one after the other.
        attributes: tables of attributes, with a name and what it held.
        arrays: NumPy arrays, with their bytes.
    """

    def __init__(self) -> None:
        self.cells: list[tuple[CellType, Any]] = []
        self.globals: list[tuple[dict[str, Any], str, Any]] = []
        self.empty: list[Any] = []
        self.sizes: list[Any] = []
        self.views: list[Any] = []
        self.held: list[Any] = []
        self.attributes: list[tuple[dict[str, Any], str, Any]] = []
        self.arrays: list[tuple[np.ndarray[Any, Any], bytes]] = []

    def conditions(self, give: Any) -> list[str]:
        """The same as Python, where ``give`` names an object."""
        found = [f"{give(cell)}.cell_contents is {give(held)}" for cell, held in self.cells]
        found += [f"{give(table)}.get({name!r}) is {give(held)}" for table, name, held in self.globals]
        if self.empty:
            found.append(f"not any({give(self.empty)})")
        if self.sizes:
            sizes = [len(x) for x in self.sizes]
            found.append(f"[*map(len, {give(self.sizes)})] == {give(sizes)}")
        if self.views:
            found.append(f"all(map({give(is_)}, {give(chain.from_iterable)}({give(self.views)}), {give(self.held)}))")
        if self.attributes:
            tables, names, held = (give(list(column)) for column in zip(*self.attributes, strict=True))
            found.append(f"all(map({give(is_)}, map({give(dict.get)}, {tables}, {names}), {held}))")
        return found + [f"{give(array)}.tobytes() == {give(held)}" for array, held in self.arrays]


class _Cell:
    """A variable of an enclosing function, or a global one."""

    __slots__ = ("cell", "held", "name")

    def __init__(self, cell: CellType, name: str) -> None:
        self.cell, self.name = cell, name
        self.refresh()

    def refresh(self) -> None:
        self.held = _contents(self.cell)

    def changed(self) -> str | None:
        now = _contents(self.cell)
        return None if now is self.held or equal(now, self.held) else f"the variable {self.name!r}"

    def guard(self, guards: Guards) -> None:
        if self.held is not _MISSING:
            guards.cells.append((self.cell, self.held))


class _Global:
    """A global variable that a function names."""

    __slots__ = ("held", "name", "table")

    def __init__(self, table: dict[str, Any], name: str) -> None:
        self.table, self.name = table, name
        self.refresh()

    def refresh(self) -> None:
        self.held = self.table.get(self.name, _MISSING)

    def changed(self) -> str | None:
        now = self.table.get(self.name, _MISSING)
        return None if now is self.held or equal(now, self.held) else f"the global variable {self.name!r}"

    def guard(self, guards: Guards) -> None:
        guards.globals.append((self.table, self.name, self.held))


class _Table:
    """A dictionary: the attributes of an object, or one that the program has."""

    __slots__ = ("guarded", "held", "name", "table")

    def __init__(self, table: dict[Any, Any], name: str, guarded: bool = True) -> None:
        self.table, self.name, self.guarded = table, name, guarded
        self.held: dict[Any, Any] = {}
        self.refresh()

    def refresh(self) -> None:
        self.held = dict(self._now())

    def _now(self) -> dict[Any, Any]:
        return self.table

    def changed(self) -> str | None:
        now, held = self._now(), self.held
        if len(now) == len(held) and all(map(is_, now.values(), held.values())):
            return None
        for key in {**held, **now}:
            a, b = now.get(key, _MISSING), held.get(key, _MISSING)
            if a is not b and not equal(a, b):
                return f"{self.name}{_attribute(key)}"
        return None

    def guard(self, guards: Guards) -> None:
        if not self.guarded:
            return
        if not self.held:
            guards.empty.append(self.table)
        else:
            guards.sizes.append(self.table)
            guards.views.append(self.table.values())
            guards.held += self.held.values()


class _Attributes(_Table):
    """The attributes of an object, as far as code that the step can reach names them."""

    __slots__ = ("named",)

    def __init__(self, table: dict[str, Any], name: str, named: Callable[[str], bool]) -> None:
        self.named = named
        super().__init__(table, name)

    def _now(self) -> dict[str, Any]:
        return {key: value for key, value in self.table.items() if self.named(key)}

    def guard(self, guards: Guards) -> None:
        # Tables and sets are looked at apart, and what is of no concern to a call is None.
        for key, value in self.held.items():
            if not isinstance(value, (dict, set)) and (value is not None or key[:1] != "_"):
                guards.attributes.append((self.table, key, value))


class _Items:
    """A list, or another container with a length."""

    __slots__ = ("held", "items", "name")

    def __init__(self, items: Any, name: str) -> None:
        self.items, self.name = items, name
        self.refresh()

    def refresh(self) -> None:
        self.held = list(self.items) if len(self.items) <= _MOST else len(self.items)

    def changed(self) -> str | None:
        if isinstance(self.held, int):
            return None if len(self.items) == self.held else self.name
        if len(self.items) != len(self.held):
            return self.name
        same = all(a is b or equal(a, b) for a, b in zip(self.items, self.held, strict=True))
        return None if same else self.name

    def guard(self, guards: Guards) -> None:
        if not self.items:
            guards.empty.append(self.items)
        else:
            guards.sizes.append(self.items)
            if not isinstance(self.held, int) and not isinstance(self.items, (set, frozenset)):
                guards.views.append(self.items)
                guards.held += self.held


class _Numbers:
    """A NumPy array of the program's, of which the step may make tensors."""

    __slots__ = ("array", "held", "name")

    def __init__(self, array: np.ndarray[Any, Any], name: str) -> None:
        self.array, self.name = array, name
        self.refresh()

    def refresh(self) -> None:
        self.held = self.array.tobytes()

    def changed(self) -> str | None:
        return None if self.array.tobytes() == self.held else self.name

    def guard(self, guards: Guards) -> None:
        guards.arrays.append((self.array, self.held))


def _contents(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING


def equal(a: Any, b: Any) -> bool:
    """Whether two plain values, numbers and strings, are the same."""
    if type(a) is not type(b):
        return False
    if isinstance(a, _PLAIN):
        return bool(a == b) or (a != a and b != b)
    if type(a) is tuple:
        return len(a) == len(b) and all(x is y or equal(x, y) for x, y in zip(a, b, strict=True))
    return isinstance(a, MethodType) and a.__func__ is b.__func__ and a.__self__ is b.__self__


def hooks_of(t: Any) -> list[Any]:
    """The hooks of a tensor."""
    hooks = t._hooks
    if hooks is None:
        return []
    tables = (*hooks.tensor.values(), hooks.pre, hooks.post, hooks.after)
    return [hook for table in tables for hook in table.values()]


def _attribute(key: Any) -> str:
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"


def _ours(module: str | None) -> bool:
    """Whether a module belongs to the library, to Python or to NumPy: its functions are not looked into."""
    top = (module or "").partition(".")[0]
    return top in ("nbtorch", "numpy", "builtins") or (top in sys.stdlib_module_names and top != "__main__")


def _names(code: CodeType) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, str) and constant.isidentifier():  # for getattr and setattr
            found.add(constant)
        elif isinstance(constant, CodeType):
            found |= _names(constant)
    return found


class Reach:
    """What a step can reach, as it is now.

    Starting with the step itself: the variables of functions, the items of containers, the attributes of objects, and
    the methods behind them. Of the program's own objects only those attributes and methods count whose names stand in
    code that was reached: what else an object keeps, a list of losses for example, is no concern of the step's.

    Attributes:
        tensors: the tensors among it.
    """

    def __init__(self, step: Any) -> None:
        self.entries: list[Any] = []
        self.tensors: list[Any] = []
        self._names: set[str] = {"__call__", "forward"}
        self._objects: list[tuple[dict[str, Any], type, str, set[str]]] = []
        self._seen: set[int] = set()
        self._queue: deque[tuple[Any, str]] = deque([(step, "the step")])
        while self._queue and len(self.entries) < _ENTRIES:
            self._look(*self._queue.popleft())
            if not self._queue:
                self._look_for_names()
        self.refresh()

    def changed(self) -> str | None:
        """The name of what isn't any more as it was at the last :meth:`refresh`; None where all is."""
        for entry in self.entries:
            changed: str | None = entry.changed()
            if changed is not None:
                return changed
        return None

    def guards(self) -> Guards:
        """What has to be as it is now for a replay."""
        guards = Guards()
        for entry in self.entries:
            entry.guard(guards)
        return guards

    def refresh(self) -> None:
        """What is now counts from now on."""
        for entry in self.entries:
            entry.refresh()

    def _add(self, x: Any, name: str) -> None:
        if not isinstance(x, (*_PLAIN, type, ModuleType, BuiltinFunctionType)) and id(x) not in self._seen:
            self._seen.add(id(x))
            self._queue.append((x, name))

    def _look(self, x: Any, name: str) -> None:
        if isinstance(x, Variable):
            self.tensors.append(x)
            for hook in hooks_of(x):
                self._add(hook, "a hook")
        elif isinstance(x, FunctionType):
            self._look_at_function(x)
        elif isinstance(x, MethodType):
            self._add(x.__self__, name)
            self._add(x.__func__, name)
        elif isinstance(x, np.ndarray):
            if not x.dtype.hasobject and x.nbytes <= _BYTES:
                self.entries.append(_Numbers(x, name))
        elif isinstance(x, functools.partial):
            for part in (x.func, x.args, x.keywords):
                self._add(part, name)
        elif isinstance(x, dict):
            self._look_at_table(x, name)
        elif isinstance(x, (list, tuple, set, frozenset, deque)):
            if not isinstance(x, (tuple, frozenset)):
                self.entries.append(_Items(x, name))
            if len(x) <= _MOST:
                for item in x:
                    self._add(item, f"an item of {name}")
        elif isinstance(x, Optimizer):
            self.entries.append(_Items(x.param_groups, f"{name}.param_groups"))
            for i, group in enumerate(x.param_groups):
                self.entries.append(_Table(group, f"{name}.param_groups[{i}]", guarded=False))
                self.entries.append(_Items(group["params"], f"{name}.param_groups[{i}]['params']"))
        elif isinstance(x, Module) or not _ours(type(x).__module__):
            self._look_at_object(x, name)

    def _look_at_function(self, function: FunctionType) -> None:
        if _ours(function.__module__):
            return
        code = function.__code__
        self._names |= _names(code)
        for variable, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
            self.entries.append(_Cell(cell, variable))
            self._add(_contents(cell), variable)
        for global_name in sorted(_names(code)):
            if not isinstance(function.__globals__.get(global_name), (ModuleType, type(None))):
                self.entries.append(_Global(function.__globals__, global_name))
                self._add(function.__globals__[global_name], global_name)
        positional = code.co_varnames[: code.co_argcount][::-1]
        for parameter, default in zip(positional, (function.__defaults__ or ())[::-1], strict=False):
            self._add(default, parameter)
        for parameter, default in (function.__kwdefaults__ or {}).items():
            self._add(default, parameter)

    def _look_at_object(self, x: Any, name: str) -> None:
        own = getattr(x, "__dict__", None)
        if not isinstance(own, dict):
            return
        if isinstance(x, Module):
            self._look_at_module(x, own, name)
        else:
            self.entries.append(_Attributes(own, name, self._names.__contains__))
        self._objects.append((own, type(x), name, set()))

    def _look_at_module(self, x: Module, own: dict[str, Any], name: str) -> None:
        layer = next(cls for cls in type(x).__mro__ if cls.__module__.startswith("nbtorch."))
        if layer is Module:  # the program's own, all of whose code can be looked at
            self.entries.append(_Attributes(own, name, lambda key: key == "training" or key in self._names))
        else:
            self.entries.append(_Attributes(own, name, lambda key: key not in _SAVING))
        for key, value in own.items():
            if key in _PARTS:
                self._add(value, name)
            elif key not in _SAVING and (layer is not Module or key.endswith("_hooks")):
                self._add(value, f"{name}{_attribute(key)}")

    def _look_for_names(self) -> None:
        """Attributes and methods whose names have come up since."""
        for own, cls, name, done in self._objects:
            for key in self._names & own.keys() - done:
                done.add(key)
                self._add(own[key], f"{name}{_attribute(key)}")
            for base in cls.__mro__:
                if not _ours(base.__module__):
                    for key in self._names & vars(base).keys() - done:
                        member = vars(base)[key]
                        self._add(getattr(member, "fget", None) or getattr(member, "__func__", member), name)

    def _look_at_table(self, table: dict[Any, Any], name: str) -> None:
        if len(table) > _MOST:
            self.entries.append(_Items(table, name))
            return
        self.entries.append(_Table(table, name))
        for key, value in table.items():
            self._add(value, f"{name}{_attribute(key)}")
