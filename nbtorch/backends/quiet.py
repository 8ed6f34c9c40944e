"""Arithmetic without NumPy's floating-point warnings, as in PyTorch: ``log(0)`` is ``-inf`` and says nothing.

``np.errstate`` costs more than a small operation does, and ``np.seterr`` would change the user's own NumPy. NumPy 2
keeps the setting in a context variable, so setting and resetting that variable is both cheap and local.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["SILENT", "hush", "unhush"]

# ``token = hush(SILENT)`` silences floating-point warnings in this thread and task until ``unhush(token)``. Both are
# the variable's own methods, so that no Python frame stands around every operation.
SILENT: Any
hush: Callable[[Any], Any]
unhush: Callable[[Any], None]

try:
    from numpy._core.umath import _extobj_contextvar, _make_extobj
except ImportError:  # a NumPy that keeps the setting elsewhere: the public way, slower
    SILENT = {"all": "ignore"}

    def hush(settings: Any) -> Any:
        state = np.errstate(**settings)
        state.__enter__()
        return state

    def unhush(token: Any) -> None:
        token.__exit__(None, None, None)

else:
    SILENT = _make_extobj(all="ignore")
    hush = _extobj_contextvar.set
    unhush = _extobj_contextvar.reset
