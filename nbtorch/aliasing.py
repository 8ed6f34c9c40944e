"""nbtorch under the name ``torch``, for programs whose imports say so."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import runpy
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from .absent import AbsentModule, is_absent

__all__ = ["as_torch", "run_script"]


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers ``import torch.x`` with ``nbtorch.x`` itself, not with a copy of it."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != "torch" and not fullname.startswith("torch."):
            return None
        name = fullname.removeprefix("torch").removeprefix(".")
        if is_absent(name):
            module: ModuleType = AbsentModule(name)
        else:
            try:
                module = importlib.import_module(f"nbtorch.{name}" if name else "nbtorch")
            except ModuleNotFoundError as error:
                if error.name is not None and not error.name.startswith("nbtorch"):
                    raise
                raise ModuleNotFoundError(
                    f"No module named {fullname!r}: nbtorch stands in for torch here and has no such module",
                    name=fullname,
                ) from None
        spec = importlib.machinery.ModuleSpec(fullname, self, is_package=hasattr(module, "__path__"))
        spec.loader_state = module, module.__dict__.get("__spec__")
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module: ModuleType = spec.loader_state[0]
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just written the alias' spec into the module: it keeps its own.
        found = module.__spec__
        if found is not None and found.loader_state is not None and found.loader_state[1] is not None:
            module.__spec__ = found.loader_state[1]


class as_torch:
    """From here on ``import torch`` gives nbtorch; as a context manager, until the end of the block.

    ::

        import nbtorch
        nbtorch.as_torch()
        import torch                    # nbtorch

        with nbtorch.as_torch():
            import their_program        # whose imports say torch

    What was imported before under the name ``torch`` comes back at the end of the block. Modules that were imported
    inside keep what they have imported.
    """

    def __init__(self) -> None:
        self._finder = _Finder()
        self._before = _take_away()
        sys.meta_path.insert(0, self._finder)
        importlib.import_module("torch")

    def undo(self) -> None:
        """``import torch`` means what it meant before."""
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
            _take_away()
            sys.modules.update(self._before)

    def __enter__(self) -> ModuleType:
        return sys.modules["torch"]

    def __exit__(self, *exc: object) -> None:
        self.undo()


def _take_away() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == "torch" or name.startswith("torch.")]
    return {name: sys.modules.pop(name) for name in names}


def run_script(arguments: Sequence[str]) -> None:
    """Runs a program whose imports say ``torch`` under nbtorch: ``python -m nbtorch script.py args…``.

    Args:
        arguments: the script (or ``-m`` and a module), and its own arguments.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: python -m nbtorch script.py [arguments]\n       python -m nbtorch -m module [arguments]")
        raise SystemExit(0 if arguments else 2)
    as_torch()
    if arguments[0] == "-m":
        sys.argv = list(arguments[1:])
        sys.path[0] = ""
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        import os

        sys.argv = list(arguments)
        sys.path[0] = os.path.dirname(os.path.abspath(arguments[0]))
        runpy.run_path(arguments[0], run_name="__main__")
