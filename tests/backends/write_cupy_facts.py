"""Writes ``nbtorch/backends/cupy_facts.json``: what CuPy's front end has, for the strict device to hold programs to.

Run it where CuPy is installed (a GPU is not needed) and say for which file, when the supported CuPy changes::

    python tests/backends/write_cupy_facts.py nbtorch/backends/cupy_facts.json

The file holds, as found in the installed CuPy:

- ``functions``, ``ndarray``: for each function and method its parameters. ``*args`` and ``**kwargs`` stand as such,
  and ``*`` alone starts those that go by keyword only. Methods come without ``self``.
- ``properties``: the attributes of an array that are not methods.
- ``ufuncs``: for each ufunc its loops, in the order in which CuPy tries them.
- ``linalg``: the functions of ``cupy.linalg``.
- ``values``: the names of dtypes and constants.
"""

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any


def parameters(function: Any) -> list[str]:
    """The parameter names of a Python function, or of a Cython method from the first line of its docstring."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return _parameters_in_text((function.__doc__ or "").partition("\n")[0])
    names = []
    starred = False
    for p in found:
        if p.kind is p.VAR_POSITIONAL:
            starred = True
        elif p.kind is p.KEYWORD_ONLY and not starred:
            names.append("*")
            starred = True
        prefix = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        names.append(prefix + p.name)
    return names


def _parameters_in_text(line: str) -> list[str]:
    inside = re.search(r"\((.*)\)", line)
    if inside is None:
        return []
    names = []
    for part in inside.group(1).split(","):
        name = part.split("=")[0].strip().split(" ")[-1]
        if name and name != "self":
            names.append(name)
    return names


def facts() -> dict[str, Any]:
    """What the installed CuPy has."""
    import cupy

    found: dict[str, Any] = {"version": cupy.__version__, "functions": {}, "ufuncs": {}, "values": []}
    for name in sorted(n for n in dir(cupy) if not n.startswith("_")):
        value = getattr(cupy, name)
        if isinstance(value, cupy.ufunc):
            found["ufuncs"][name] = " ".join(value.types)
        elif inspect.ismodule(value):
            continue
        elif isinstance(value, type) or not callable(value):
            found["values"].append(name)
        else:
            found["functions"][name] = ", ".join(parameters(value))
    found["ndarray"], found["properties"] = {}, []
    for name in sorted(n for n in dir(cupy.ndarray) if not n.startswith("_")):
        value = getattr(cupy.ndarray, name)
        if callable(value):
            found["ndarray"][name] = ", ".join(p for p in parameters(value) if p != "self")
        else:
            found["properties"].append(name)
    found["linalg"] = {
        n: ", ".join(parameters(getattr(cupy.linalg, n)))
        for n in sorted(dir(cupy.linalg))
        if inspect.isfunction(getattr(cupy.linalg, n))
    }
    return found


def main() -> None:
    target = Path(sys.argv[1])
    target.write_text(json.dumps(facts(), indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
