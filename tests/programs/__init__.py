"""Programs that run each differentiable record, by family: what the derivative tests differentiate.

A family's file has ``PROGRAMS``, from a record's name to a program of a :class:`~programs.draw.Draw`, and may have
``CONSTANT``: inputs of a record that no gradient flows to, such as indices.
"""

from __future__ import annotations

import importlib
import pkgutil

from programs.draw import Program as Program

PROGRAMS: dict[str, Program] = {}
CONSTANT: dict[str, set[str]] = {}
for _found in pkgutil.iter_modules(__path__):
    _family = importlib.import_module(f"{__name__}.{_found.name}")
    for _name, _program in getattr(_family, "PROGRAMS", {}).items():
        assert _name not in PROGRAMS, f"{_name} has a program in two files"
        PROGRAMS[_name] = _program
    CONSTANT |= getattr(_family, "CONSTANT", {})
