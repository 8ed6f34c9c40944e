"""The IPython extension: `%%gradflow`. nbtorch's kernel extension loads it; `%load_ext nbtorch_widgets` does too."""

from __future__ import annotations

from typing import Any

_MAGIC = "gradflow"


def load(ipython: Any) -> None:
    """Register the magics; calling it again changes nothing."""
    if _MAGIC in ipython.magics_manager.magics["cell"]:
        return
    from nbtorch_widgets.magics import GradFlowMagics

    ipython.register_magics(GradFlowMagics)


def unload(ipython: Any) -> None:
    """Take the magics out again; calling it again changes nothing."""
    ipython.magics_manager.magics["cell"].pop(_MAGIC, None)
    ipython.magics_manager.registry.pop("GradFlowMagics", None)
