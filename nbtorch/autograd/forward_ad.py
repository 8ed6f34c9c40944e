"""Forward mode by hand: tensors with a tangent, inside a ``dual_level``."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from .forward import Level, close_level, open_level, tangent_of
from .modes import grad_mode
from .transforms import make_dual as _make_dual
from .transforms import without
from .variable import Variable

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]

_levels: dict[int, list[Level]] = {}


class UnpackedDualTensor(NamedTuple):
    """A tensor and its tangent, None where it has none."""

    primal: Any
    tangent: Any


def _mine() -> list[Level]:
    return _levels.setdefault(threading.get_ident(), [])


def enter_dual_level() -> int:
    """Opens a level, at which tensors can have tangents; ``dual_level`` does it for a block.

    Raises:
        RuntimeError: where one is open already.
    """
    if _mine():
        raise RuntimeError("Nested forward mode AD is not supported at the moment\n  fix: nest torch.func.jvp instead")
    level = Level()
    open_level(level)
    _mine().append(level)
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Closes the level; tensors keep their values and lose their tangents.

    Raises:
        RuntimeError: where none is open, or ``level`` is another one.
    """
    if not _mine():
        raise RuntimeError("Dual level must be a positive number.\n  why: no dual level is open")
    if level not in (None, 0):
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is not supported."
        )
    close_level(_mine().pop())


class dual_level:
    """Inside, ``make_dual`` gives tensors tangents, and operations carry them along."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exc: object) -> None:
        exit_dual_level()


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Any:
    """``tensor`` with a tangent: the same memory, a new tensor.

    Raises:
        RuntimeError: outside of a ``dual_level``, and for a tangent of another shape.
        ValueError: for tensors of integer dtype.
    """
    if not _mine():
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    for t, name in ((tensor, "tensor"), (tangent, "tangent")):
        if not isinstance(t, Variable):
            raise AttributeError(f"make_dual: {name} must be a tensor, got {type(t).__name__!r}")
    return _make_dual(tensor, tangent, _mine()[-1].number)


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """A tensor's value and its tangent; None where it has none."""
    if not _mine() or not grad_mode.levels:
        return UnpackedDualTensor(tensor, None)
    number = _mine()[-1].number
    return UnpackedDualTensor(without(tensor, number), tangent_of(tensor, number))
