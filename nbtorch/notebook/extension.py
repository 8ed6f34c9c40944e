"""The kernel extension: ``%load_ext nbtorch``.

Loading adds rich displays of nbtorch's tensors, modules and optimizers, the magics of ``magics.py``, ``%%profile``, and
whatever the installed packages offer in the entry point group ``nbtorch.extensions`` (such as ``%%gradflow`` of the
widgets), each a function ``load(ip)`` in a module that may also have ``unload(ip)``. Loading twice changes nothing;
unloading leaves the shell as it was found.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

from ..nn import Module
from ..optim import Optimizer
from ..tensor import Tensor
from .display import module_html, optimizer_html, tensor_html
from .magics import line_magics, overview
from .profile_magic import profile_magic

_GROUP = "nbtorch.extensions"
_STATE = "_nbtorch_extension"
_HTML = "text/html"
# Cell magics that come with optional packages, and the extra that installs them: so that using one without its package
# gives a sentence instead of "not found".
_OPTIONAL_MAGICS = {"gradflow": "widgets"}

_ABSENT = object()


class _Loaded(NamedTuple):
    """What this extension changed in a shell, and so has to undo."""

    formatters: dict[type, Any]
    """The HTML formatter that each class had before (``_ABSENT``: none)."""
    magics: list[tuple[str, str, Any]]
    """Kind and name of each magic, and what had the name before."""
    unloaders: list[Callable[[Any], object]]


def load_ipython_extension(ip: Any) -> None:
    """Add displays, magics and installed extensions to a shell; a second call does nothing."""
    if getattr(ip, _STATE, None) is not None:
        return
    loaded = _Loaded({}, [], [])
    setattr(ip, _STATE, loaded)
    _add_displays(ip, loaded)
    for name, magic in line_magics(ip).items():
        _add_magic(ip, loaded, "line", name, magic)
    _add_magic(ip, loaded, "line", "nbtorch", _nbtorch_magic(ip))
    _add_magic(ip, loaded, "cell", "profile", profile_magic(ip))
    problems = {point.name: _load_entry_point(ip, point, loaded) for point in entry_points(group=_GROUP)}
    for name, extra in _OPTIONAL_MAGICS.items():
        if name not in ip.magics_manager.magics["cell"]:
            _add_magic(ip, loaded, "cell", name, _missing_magic(name, extra, problems.get(extra, "")))


def unload_ipython_extension(ip: Any) -> None:
    """Undo ``load_ipython_extension``; without it, nothing happens."""
    loaded: _Loaded | None = getattr(ip, _STATE, None)
    if loaded is None:
        return
    delattr(ip, _STATE)
    for unload in reversed(loaded.unloaders):
        unload(ip)
    for kind, name, before in reversed(loaded.magics):
        magics = ip.magics_manager.magics[kind]
        if before is _ABSENT:
            magics.pop(name, None)
        else:
            magics[name] = before
    html = ip.display_formatter.formatters[_HTML]
    for cls, before in loaded.formatters.items():
        html.pop(cls, None)
        if before is not _ABSENT:
            html.for_type(cls, before)


def _add_displays(ip: Any, loaded: _Loaded) -> None:
    html = ip.display_formatter.formatters[_HTML]
    displays: tuple[tuple[type, Callable[[Any], str]], ...] = (
        (Tensor, tensor_html),
        (Module, module_html),
        (Optimizer, optimizer_html),
    )
    for cls, function in displays:
        loaded.formatters[cls] = html.type_printers.get(cls, _ABSENT)
        html.for_type(cls, _unless_own_display(function))


def _unless_own_display(function: Callable[[Any], str]) -> Callable[[Any], str | None]:
    """A user's subclass with its own ``_repr_html_`` keeps it."""

    def display(value: Any) -> str | None:
        own = getattr(type(value), "_repr_html_", None)
        if own is None:
            return function(value)
        text: str | None = own(value)
        return text

    return display


def _add_magic(ip: Any, loaded: _Loaded, kind: str, name: str, function: Callable[..., object]) -> None:
    loaded.magics.append((kind, name, ip.magics_manager.magics[kind].get(name, _ABSENT)))
    ip.register_magic_function(function, magic_kind=kind, magic_name=name)


def _load_entry_point(ip: Any, point: EntryPoint, loaded: _Loaded) -> str:
    """Load one installed extension. What keeps it from loading is returned, in one line: it must not stop the rest."""
    try:
        point.load()(ip)
    except ImportError as error:  # an optional package is not installed
        return str(error)
    except Exception as error:
        warnings.warn(
            f"nbtorch: the extension {point.name!r} ({point.value}) failed to load: {type(error).__name__}: {error}",
            stacklevel=2,
        )
        return f"{type(error).__name__}: {error}"
    unload = getattr(importlib.import_module(point.module), "unload", None)
    if unload is not None:
        loaded.unloaders.append(unload)
    return ""


def _missing_magic(name: str, extra: str, problem: str) -> Callable[[str, str], None]:
    from IPython.core.error import UsageError

    reason = f" ({problem})" if problem else ""

    def missing(line: str, cell: str) -> None:
        raise UsageError(
            f"%%{name} needs the optional packages of nbtorch[{extra}]{reason}: "
            f"run  %pip install 'nbtorch[{extra}]'  and restart the kernel, or remove the first line of this cell"
        )

    missing.__doc__ = f"Comes with the optional packages of nbtorch[{extra}], which are not installed."
    return missing


def _nbtorch_magic(ip: Any) -> Callable[[str], None]:
    def nbtorch_magic(line: str) -> None:
        """Print versions, devices, and what the extension offers: %nbtorch"""
        print(overview(ip.magics_manager.magics))

    return nbtorch_magic
