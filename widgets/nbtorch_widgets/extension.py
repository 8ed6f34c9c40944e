"""The magics of the widgets. nbtorch's kernel extension loads them; `%load_ext nbtorch_widgets` does too."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple


class _Magic(NamedTuple):
    kind: str  # "cell" or "line"
    name: str
    module: str  # imported when the magics are loaded
    group: str  # its class of magics


_MAGICS = (
    _Magic("cell", "gradflow", "magics", "GradFlowMagics"),
    _Magic("cell", "step", "stepper.magic", "StepMagics"),
    _Magic("line", "doctor", "doctor.magic", "DoctorMagics"),
)


def load(ipython: Any) -> None:
    """Register the magics; calling it again changes nothing."""
    magics = ipython.magics_manager.magics
    for magic in _MAGICS:
        if magic.name not in magics[magic.kind]:
            module = importlib.import_module(f"nbtorch_widgets.{magic.module}")
            ipython.register_magics(getattr(module, magic.group))


def unload(ipython: Any) -> None:
    """Take the magics out again; calling it again changes nothing."""
    for magic in _MAGICS:
        ipython.magics_manager.magics[magic.kind].pop(magic.name, None)
        ipython.magics_manager.registry.pop(magic.group, None)
