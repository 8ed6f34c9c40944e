"""Modules that PyTorch has and nbtorch has not as a file: left out, or their names stand elsewhere here.

``import nbtorch.optim.adamw`` (or ``torch.optim.adamw``, under that name) gives a shelf on which the names of
``nbtorch.optim`` stand; ``import nbtorch.distributed`` gives a module that says on use what is missing.
"""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

from .absent import AbsentModule, absent_feature, is_absent
from .absent_names import NAMES, SHELVES, SOURCES

__all__ = ["Loader", "Shelf", "find_spec", "missing", "name_what_is_missing", "spec_of"]

_made: dict[str, ModuleType] = {}


class Shelf(ModuleType):
    """A file of PyTorch's whose names stand elsewhere here; names that nbtorch has not say so when they are used."""

    def __init__(self, name: str) -> None:
        super().__init__(f"nbtorch.{name}", f"torch.{name}: the names of that file, wherever they stand in nbtorch.")
        self.__dict__.update(_name=name, __path__=[])

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        parts = self._name.split(".")
        above = [".".join(parts[:n]) for n in range(len(parts) - 1, -1, -1)]
        for place in (*SOURCES.get(self._name, ()), *above):
            room = importlib.import_module(f"nbtorch.{place}" if place else "nbtorch")
            found = room.__dict__.get(attribute) if isinstance(room, Shelf) else getattr(room, attribute, None)
            if found is not None and not isinstance(found, ModuleType):
                return found
        return absent_feature(f"{self._name}.{attribute}")


def missing(package: str, name: str) -> Any:
    """What a package of nbtorch answers when it is asked for a name that it hasn't: the last line of ``__getattr__``.

    Args:
        package: its ``__name__``.
        name: the attribute.

    Raises:
        AttributeError: for a name that PyTorch hasn't either.
    """
    room = package.removeprefix("nbtorch").removeprefix(".")
    full = f"{room}.{name}" if room else name
    if full in SHELVES or is_absent(full):
        return importlib.import_module(f"nbtorch.{full}")
    for why, names in NAMES.get(room, {}).items():
        if name in names.split():
            return absent_feature(full, why)
    raise AttributeError(f"module '{package}' has no attribute {name!r}")


def name_what_is_missing(module: dict[str, Any]) -> None:
    """Gives a module (its ``globals()``) the ``__getattr__`` that answers for PyTorch's names that it hasn't.

    It is written into the module here, so that type checkers still know which names there are.
    """
    module["__getattr__"] = functools.partial(missing, module["__name__"])


class Loader:
    """Answers an import with a module that is there already, and leaves that as it was."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module: ModuleType = spec.loader_state[0]
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just written the alias' spec into the module: it keeps its own.
        found = module.__spec__
        if found is not None and found.loader_state is not None and found.loader_state[1] is not None:
            module.__spec__ = found.loader_state[1]


def spec_of(fullname: str, module: ModuleType) -> importlib.machinery.ModuleSpec:
    """What makes ``import fullname`` give ``module``."""
    spec = importlib.machinery.ModuleSpec(fullname, Loader(), is_package=hasattr(module, "__path__"))  # type: ignore[arg-type]
    spec.loader_state = module, module.__dict__.get("__spec__")
    return spec


def find_spec(fullname: str) -> importlib.machinery.ModuleSpec | None:
    """For ``import nbtorch.x`` where there is no file of that name; None where PyTorch hasn't one either."""
    name = fullname.removeprefix("nbtorch.")
    above, _, last = fullname.rpartition(".")
    if above == "nbtorch.backends":  # its modules have no files: they are made all at once
        above = "nbtorch.backends.switches"
        importlib.import_module(above)
    beside = sys.modules[above].__dict__.get(last) if above in sys.modules else None
    if isinstance(beside, ModuleType):
        return spec_of(fullname, beside)
    if name not in _made:
        if is_absent(name):
            _made[name] = AbsentModule(name)
        elif name in SHELVES:
            _made[name] = Shelf(name)
        else:
            return None
    return spec_of(fullname, _made[name])
