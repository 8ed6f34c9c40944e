"""What a file may name: the caller's own list, and what ``weights_only=False`` adds to it.

With ``weights_only=False`` PyTorch runs whatever a file says. Here it adds kinds of objects that can be put together
without running any code of theirs: modules and optimizers of nbtorch, classes that the program has already imported,
functions that a model only refers to, and NumPy's numbers. What has to run code to come back (``__setstate__``,
``__new__``, ``__del__`` of a class of one's own) is trusted by name: ``add_safe_globals``.
"""

from __future__ import annotations

import collections
import contextlib
import enum
import importlib
import sys
import types
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any

__all__ = [
    "add_safe_globals", "clear_safe_globals", "get_safe_globals", "is_trusted", "public_name", "rebuildable",
    "safe_globals", "trusted",
]  # fmt: skip

_trusted: dict[str, Any] = {}


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Lets files rebuild objects of these classes (or call these functions): they become trusted.

    Args:
        safe_globals: classes and functions, or ``(object, "module.name")`` pairs.

    Raises:
        ValueError: for a tuple that is no pair.
        TypeError: for a pair without a name.
    """
    named = {}
    for entry in safe_globals:
        found, name = entry, None
        if isinstance(entry, tuple):
            if len(entry) != 2:
                raise ValueError(
                    "Expected tuple of length 2 (global, str of callable full path), but got tuple of length: "
                    f"{len(entry)}"
                )
            found, name = entry
            if type(name) is not str:
                raise TypeError(f"Expected second item in tuple to be str of callable full path, but got: {type(name)}")
        named[name or f"{found.__module__}.{found.__qualname__}"] = found
    _trusted.update(named)


def get_safe_globals() -> list[Any]:
    """What was added."""
    return list(_trusted.values())


def clear_safe_globals() -> None:
    """Forgets what was added."""
    _trusted.clear()


@contextlib.contextmanager
def safe_globals(safe_globals: list[Any]) -> Iterator[None]:
    """``add_safe_globals`` for the length of a block."""
    before = dict(_trusted)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _trusted.clear()
        _trusted.update(before)


def trusted(full: str) -> Any:
    """What the caller has added under a full name, or None. Processes and files are never handed out."""
    return None if full.partition(".")[0] in ("os", "sys", "posix", "nt") else _trusted.get(full)


def is_trusted(found: Any) -> bool:
    """Whether the caller has added this very object."""
    return any(found is known for known in _trusted.values())


_ROOMS = ("nbtorch.nn", "nbtorch.optim")  # whose classes and functions a file may name
# Classes of the standard library that hold nothing but what they are given.
_HARMLESS_BASES = (
    object, dict, list, tuple, set, types.SimpleNamespace, defaultdict, OrderedDict, collections.Counter,
)  # fmt: skip
_HARMLESS_HOMES = ("abc", "typing", "enum", "nbtorch")
_RUNS = ("__new__", "__del__", "__setstate__")


def public_name(obj: Any) -> tuple[str, str] | None:
    """PyTorch's name for a class or function of nbtorch's: the shortest module of its that has it."""
    home, name = getattr(obj, "__module__", None), getattr(obj, "__qualname__", None)
    if not isinstance(home, str) or home.partition(".")[0] != "nbtorch" or not isinstance(name, str):
        return None
    parts = home.split(".")
    for length in range(1, len(parts) + 1):
        module = sys.modules.get(".".join(parts[:length]))
        if module is not None and getattr(module, name, None) is obj:
            return ".".join(["torch", *parts[1:length]]), name
    return None


def rebuildable(module: str, name: str) -> Any:
    """What ``module.name`` is, if ``weights_only=False`` may hand it to a file; else None.

    Nothing is imported for a file's sake but nbtorch's own rooms.
    """
    if module.partition(".")[0] in ("torch", "nbtorch"):
        return _of_nbtorch(module, name)
    found: Any = sys.modules.get(module)
    if found is None or "<" in name:
        return None
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, (types.ModuleType, type)) else None
    if found is types.SimpleNamespace or (module, name) == ("argparse", "Namespace"):
        return found
    home = module.partition(".")[0]
    if home in sys.stdlib_module_names and home != "__main__":
        return None
    if isinstance(found, type):
        return found if _is_inert(found) else None
    return found if isinstance(found, types.FunctionType) else None


def _of_nbtorch(module: str, name: str) -> Any:
    if module == "torch._C._nn":  # where PyTorch keeps some functions of nn.functional
        module = "torch.nn.functional"
    parts = ["nbtorch", *module.split(".")[1:]]
    if len(parts) > 1 and f"nbtorch.{parts[1]}" not in _ROOMS:
        return None
    rooms = _ROOMS if len(parts) > 1 else ("nbtorch.ops",)  # torch.tanh, as an activation
    # The file's module may be divided differently here: a room above it has the name too.
    while parts:
        with contextlib.suppress(ImportError):
            found = getattr(importlib.import_module(".".join(parts)), name, None)
            home = getattr(found, "__module__", None)
            if isinstance(found, (type, types.FunctionType)) and f"{home}.".startswith(tuple(f"{r}." for r in rooms)):
                return found
        if len(parts) <= 2:
            return None
        parts.pop()
    return None


def _is_inert(cls: type) -> bool:
    """Whether an object of the class can be put together from its parts without running code of the class."""
    for base in cls.__mro__:
        if base in _HARMLESS_BASES or base.__module__.partition(".")[0] in _HARMLESS_HOMES:
            continue
        if base.__module__.partition(".")[0] in sys.stdlib_module_names and base.__module__ != "__main__":
            return False
        of_a_tuple = "_fields" in base.__dict__ or issubclass(base, enum.Enum)  # whose __new__ Python has written
        if any(name in base.__dict__ for name in _RUNS if not (of_a_tuple and name == "__new__")):
            return False
    return True
