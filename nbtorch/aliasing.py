"""nbtorch under the name ``torch``, for programs whose imports say so."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import os
import runpy
import sys
import types
from collections.abc import Iterable, Sequence
from types import ModuleType, TracebackType
from typing import Any, ClassVar

from .annex import spec_of
from .version import as_pytorch

__all__ = ["as_torch", "run_script"]

_HERE = os.path.dirname(os.path.abspath(__file__))
_STANDIN = os.path.join(_HERE, "standin")  # what other Pythons, started by the program, find under the name


class _Distribution(importlib.metadata.Distribution):
    """What ``importlib.metadata.version("torch")`` asks."""

    def read_text(self, filename: str) -> str | None:
        return f"Metadata-Version: 2.1\nName: torch\nVersion: {as_pytorch()}\n" if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        return os.path.join(_STANDIN, path)


class _Finder(importlib.abc.MetaPathFinder):
    """Answers ``import torch.x`` with ``nbtorch.x`` itself, not with a copy of it."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != "torch" and not fullname.startswith("torch."):
            return None
        ours = "nb" + fullname
        try:
            module = importlib.import_module(ours)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{ours}.".startswith(f"{error.name}."):
                raise
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: nbtorch stands in for torch here and has no such module",
                name=fullname,
            ) from None
        return spec_of(fullname, module)

    def find_distributions(self, context: Any = None) -> Iterable[importlib.metadata.Distribution]:
        name = getattr(context, "name", None)
        return [_Distribution()] if name is None or name.lower() == "torch" else []


class as_torch:
    """From here on ``import torch`` gives nbtorch; as a context manager, until the end of the block.

    ::

        import nbtorch
        nbtorch.as_torch()
        import torch                    # nbtorch

        with nbtorch.as_torch():
            import their_program        # whose imports say torch

    It holds for the whole process, all its threads, and the Pythons that it starts. What was imported before under the
    name ``torch`` comes back at the end of the block; blocks may stand inside each other. Modules that were imported
    inside keep what they have imported.
    """

    _active: ClassVar[list[as_torch]] = []

    def __init__(self) -> None:
        self._finder = _Finder()
        self._before = _take_away()
        self._version = sys.modules["nbtorch"].__version__
        self._path = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([_STANDIN, os.path.dirname(_HERE), *filter(None, [self._path])])
        sys.path.insert(1, _STANDIN)  # multiprocessing hands this list on; here the finder comes before it
        sys.meta_path.insert(0, self._finder)
        nbtorch = importlib.import_module("nbtorch")
        sys.modules["torch"] = nbtorch
        nbtorch.__version__ = as_pytorch()  # type: ignore[attr-defined]
        self._active.append(self)

    def undo(self) -> None:
        """``import torch`` means what it meant before."""
        if self not in self._active:
            return
        at = self._active.index(self)
        self._active.remove(self)
        sys.meta_path.remove(self._finder)
        sys.path.remove(_STANDIN)
        if at < len(self._active):  # a younger one goes on: what was before this one is then what was before that
            younger = self._active[at]
            younger._before, younger._version, younger._path = self._before, self._version, self._path
            return
        _take_away()
        sys.modules.update(self._before)
        sys.modules["nbtorch"].__version__ = self._version  # type: ignore[attr-defined]
        if self._path is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = self._path

    def __enter__(self) -> ModuleType:
        return sys.modules["torch"]

    def __exit__(self, *exc: object) -> None:
        self.undo()


def _take_away() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == "torch" or name.startswith("torch.")]
    return {name: sys.modules.pop(name) for name in names}


_USAGE = """usage: python -m nbtorch script.py [arguments]
       python -m nbtorch -m module [arguments]
       python -m nbtorch -c command [arguments]
       python -m nbtorch - [arguments]          (the program comes from standard input)"""


def run_script(arguments: Sequence[str]) -> None:
    """Runs a program whose imports say ``torch`` under nbtorch: ``python -m nbtorch script.py args…``.

    The program is ``__main__``, sees its own arguments and its own folder first on the path, and its tracebacks and
    exit codes are those it has under Python alone.

    Args:
        arguments: the script (or ``-m`` and a module, ``-c`` and a program, ``-``), and its own arguments.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_USAGE)
        raise SystemExit(0 if arguments else 2)
    what, rest = arguments[0], list(arguments[1:])
    if what in ("-m", "-c") and not rest:
        print(f"Argument expected for the {what} option\n{_USAGE}", file=sys.stderr)
        raise SystemExit(2)
    as_torch()
    sys.excepthook = _without_our_frames
    if what == "-m":
        sys.argv = ["-m", *rest[1:]]
        sys.path[0] = os.getcwd()
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif what == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.path[0] = ""
        _run(rest[0], "<string>", None)
    elif what == "-":
        sys.argv = ["-", *rest]
        sys.path[0] = ""
        _run(sys.stdin.read(), "<stdin>", None)
    else:
        sys.argv = list(arguments)
        if os.path.isdir(what) or what.endswith((".zip", ".pyz", ".pyc")):
            runpy.run_path(what, run_name="__main__")
            return
        try:
            with open(what, "rb") as file:
                source = file.read()
        except OSError as error:
            print(
                f"{sys.executable}: can't open file {os.path.abspath(what)!r}: [Errno {error.errno}] {error.strerror}",
                file=sys.stderr,
            )
            raise SystemExit(2) from None
        sys.path[0] = os.path.dirname(os.path.realpath(what))
        _run(source, what, os.path.abspath(what))


def _run(source: str | bytes, name: str, path: str | None) -> None:
    """Executes a program in a new module ``__main__``, which stays: classes are pickled by it, threads run on in it."""
    main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = __builtins__
    if path is not None:
        main.__file__ = path
        main.__loader__ = importlib.machinery.SourceFileLoader("__main__", path)
        main.__dict__["__cached__"] = None
    sys.modules["__main__"] = main
    exec(compile(source, path or name, "exec", dont_inherit=True), main.__dict__)


def _without_our_frames(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
    """Prints an exception as Python does, from the program's own first line on."""
    ours = (os.path.join(_HERE, "__main__.py"), os.path.abspath(__file__))
    at = trace
    while at is not None and (at.tb_frame.f_code.co_filename in ours or "<frozen " in at.tb_frame.f_code.co_filename):
        at = at.tb_next
    # An error of the program's text (or of its start) has no line of its own.
    sys.__excepthook__(kind, value.with_traceback(at), at)
