"""Live widgets for training in a notebook: see the gradients of every layer, pause the loop, step through it.

    for inputs, targets in nbtorch_widgets.watch(model, optimizer, loader):
        ...                                     # an ordinary training loop's body

Works with PyTorch's models, nbtorch's, and one's own that follow the names. Importing this loads NumPy and the standard
library only; `anywidget` is needed when a widget is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbtorch_widgets.background import train
from nbtorch_widgets.control import RunControl, RunStopped
from nbtorch_widgets.extension import load as load_ipython_extension
from nbtorch_widgets.extension import unload as unload_ipython_extension
from nbtorch_widgets.run import Run, watch

if TYPE_CHECKING:
    from nbtorch_widgets.views import Monitor, RunBar, Seismograph

__all__ = [
    "Monitor",
    "Run",
    "RunBar",
    "RunControl",
    "RunStopped",
    "Seismograph",
    "load_ipython_extension",
    "train",
    "unload_ipython_extension",
    "watch",
]

_VIEWS = frozenset({"Monitor", "RunBar", "Seismograph"})


def __getattr__(name: str) -> Any:
    if name not in _VIEWS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from nbtorch_widgets import views
    except ImportError as error:
        raise ImportError(
            f"{name} needs anywidget, which can't be imported ({error}). Install it with: pip install nbtorch[widgets]"
        ) from error
    return getattr(views, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_VIEWS})
