"""How a profiler gets between a function and whoever calls it, and away again: by the function's code.

A function is known under many names, in modules, classes and users' programs; putting another in its place would reach
only some of them. Python lets a function's *code* be replaced, and that is seen by all who hold the function. So an
operation that nobody profiles is exactly the function that was written, with nothing to ask and nothing to skip.

Swapping concerns the process; whether a call is recorded is decided by thread, in the wrapper.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

__all__ = ["Swap"]

_templates: dict[int, CodeType] = {}


def _template(cells: int) -> CodeType:
    """The code that takes a function's place: it hands the arguments to the wrapper, a keyword default of its own.

    A function's code must have as many free variables as the function has cells, so there is one for each number.
    """
    if cells not in _templates:
        names = ", ".join(f"cell{i}" for i in range(cells))
        lines = [f"def make({names}):", "    def profiled(*args, _profiled_call=None, **kwargs):"]
        lines += [f"        if 0: {names}"] if cells else []
        lines += ["        return _profiled_call(args, kwargs)", "    return profiled"]
        namespace: dict[str, Any] = {}
        exec(compile("\n".join(lines), __file__, "exec"), namespace)
        _templates[cells] = namespace["make"](*[None] * cells).__code__
    return _templates[cells]


class Swap:
    """One function whose calls go through a wrapper, until :meth:`undo`.

    Args:
        function: a function written in Python; it stays the same object.
        wrap: gets a function that does what ``function`` did, and returns the wrapper ``call(args, kwargs)``.
    """

    __slots__ = ("_before", "_function")

    def __init__(self, function: FunctionType, wrap: Callable[[FunctionType], Callable[[Any, Any], Any]]) -> None:
        self._function = function
        self._before = function.__code__, function.__defaults__, function.__kwdefaults__
        plain = FunctionType(
            function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
        )
        plain.__kwdefaults__ = function.__kwdefaults__
        plain.__qualname__ = function.__qualname__
        call = wrap(plain)
        # Another thread may call in between: each of the three steps leaves a function that works.
        function.__kwdefaults__ = {**(function.__kwdefaults__ or {}), "_profiled_call": call}
        function.__code__ = _template(len(function.__code__.co_freevars))
        function.__defaults__ = None

    def undo(self) -> None:
        """The function is as it was."""
        code, defaults, keyword_defaults = self._before
        self._function.__defaults__ = defaults
        self._function.__code__ = code
        self._function.__kwdefaults__ = keyword_defaults
