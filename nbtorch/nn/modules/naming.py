"""How a module speaks of itself: the indentation of its repr, and what it says about an attribute that it lacks."""

from __future__ import annotations

from typing import Any

__all__ = ["MissingAttribute", "indent", "typename"]


def indent(text: str, spaces: int) -> str:
    """``text`` with every line but the first moved right; blank lines stay empty."""
    first, *rest = text.split("\n")
    pad = " " * spaces
    return "\n".join([first, *(pad + line if line.strip() else "" for line in rest)])


def typename(value: object) -> str:
    """The type of ``value`` as messages name it: ``int``, ``nbtorch.FloatTensor``, ``pkg.module.Class``."""
    named = getattr(value, "type", None)
    if callable(named) and hasattr(value, "dtype"):
        return str(named())
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


class MissingAttribute(AttributeError):
    """Raised for an unknown attribute of a module; suggests near names, but only once somebody reads the message.

    ``hasattr`` and ``getattr`` with a default raise and drop this error in the middle of training loops, so making it
    must stay cheap: the search for a near name waits until the text is asked for.
    """

    def __init__(self, owner: Any, missing: str) -> None:
        super().__init__(f"'{type(owner).__name__}' object has no attribute '{missing}'")
        self._owner = owner
        self._missing = missing

    def __str__(self) -> str:
        return f"{self.args[0]}{self._advice()}"

    def _advice(self) -> str:
        owner, missing = self._owner, self._missing
        if "_parameters" not in owner.__dict__:
            return f". Call super().__init__() first in {type(owner).__name__}.__init__."
        if isinstance(getattr(type(owner), missing, None), property):
            return f" (its property '{missing}' exists, but computing it raised an AttributeError)"
        import difflib

        names = [name for name in dir(owner) if not name.startswith("_")]
        near = difflib.get_close_matches(missing, names, n=1, cutoff=0.7)
        return f". Did you mean: '{near[0]}'?" if near else ""

    def __reduce__(self) -> tuple[type[AttributeError], tuple[str]]:
        return AttributeError, (str(self),)


# Readers of a traceback see the class that they know and would catch.
MissingAttribute.__name__ = MissingAttribute.__qualname__ = "AttributeError"
MissingAttribute.__module__ = "builtins"
