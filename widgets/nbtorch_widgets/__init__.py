"""Live widgets for training in a notebook: see the gradients of every layer, pause the loop, step through it.

    for inputs, targets in nbtorch_widgets.watch(model, optimizer, loader):
        ...                                     # an ordinary training loop's body

Works with PyTorch's models, nbtorch's, and one's own that follow the names. Importing this loads NumPy and the standard
library only; `anywidget` is needed when a widget is made.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nbtorch_widgets.background import train
from nbtorch_widgets.control import RunControl, RunStopped
from nbtorch_widgets.doctor import doctor
from nbtorch_widgets.extension import load as load_ipython_extension
from nbtorch_widgets.extension import unload as unload_ipython_extension
from nbtorch_widgets.run import Run, watch
from nbtorch_widgets.snapshots import RewindError, Snapshots

if TYPE_CHECKING:
    from nbtorch_widgets.export import export_notebook, save_html
    from nbtorch_widgets.fitandbowl import FitAndBowl
    from nbtorch_widgets.flow.view import GradFlow
    from nbtorch_widgets.landscape import Landscape
    from nbtorch_widgets.landscape.boundary import DecisionBoundary
    from nbtorch_widgets.matmulflow import MatmulFlow
    from nbtorch_widgets.nudge import Nudge
    from nbtorch_widgets.ridgelines import Ridgelines
    from nbtorch_widgets.stepper.widget import BackpropStepper
    from nbtorch_widgets.tensorview import BroadcastBoard, StrideTape, TensorView
    from nbtorch_widgets.updateratio import UpdateRatio
    from nbtorch_widgets.views import Monitor, RunBar, Seismograph

__all__ = [
    "BackpropStepper",
    "BroadcastBoard",
    "DecisionBoundary",
    "FitAndBowl",
    "GradFlow",
    "Landscape",
    "MatmulFlow",
    "Monitor",
    "Nudge",
    "RewindError",
    "Ridgelines",
    "Run",
    "RunBar",
    "RunControl",
    "RunStopped",
    "Seismograph",
    "Snapshots",
    "StrideTape",
    "TensorView",
    "UpdateRatio",
    "doctor",
    "export_notebook",
    "load_ipython_extension",
    "save_html",
    "train",
    "unload_ipython_extension",
    "watch",
]

# The widgets, what else needs anywidget, and the modules they are in, imported when they are first used.
_VIEWS = {
    "BackpropStepper": "stepper.widget",
    "BroadcastBoard": "tensorview",
    "GradFlow": "flow.view",
    "DecisionBoundary": "landscape.boundary",
    "Landscape": "landscape",
    "FitAndBowl": "fitandbowl",
    "MatmulFlow": "matmulflow",
    "Monitor": "views",
    "Nudge": "nudge",
    "Ridgelines": "ridgelines",
    "RunBar": "views",
    "Seismograph": "views",
    "StrideTape": "tensorview",
    "TensorView": "tensorview",
    "UpdateRatio": "updateratio",
    "export_notebook": "export",
    "save_html": "export",
}


def __getattr__(name: str) -> Any:
    if name not in _VIEWS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"nbtorch_widgets.{_VIEWS[name]}")
    except ImportError as error:
        raise ImportError(
            f"{name} needs anywidget, which can't be imported ({error}). Install it with: pip install nbtorch[widgets]"
        ) from error
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_VIEWS})
