"""Arithmetic without NumPy's floating-point warnings, as in PyTorch: ``log(0)`` is ``-inf`` and says nothing.

``np.errstate`` costs more than a small operation does, and ``np.seterr`` would change the user's own NumPy. NumPy 2
keeps the setting in a context variable, so setting and resetting that variable is both cheap and local.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["hush", "unhush"]

hush: Callable[[], Any]
unhush: Callable[[Any], None]

try:
    from numpy._core.umath import _extobj_contextvar, _make_extobj
except ImportError:  # a NumPy that keeps the setting elsewhere: the public way, slower

    def hush() -> Any:
        state = np.errstate(all="ignore")
        state.__enter__()
        return state

    def unhush(token: Any) -> None:
        token.__exit__(None, None, None)

else:
    _silent = _make_extobj(all="ignore")
    _set = _extobj_contextvar.set
    unhush = _extobj_contextvar.reset

    def hush() -> Any:
        """Silences floating-point warnings in this thread and task; hand the token to ``unhush``."""
        return _set(_silent)
