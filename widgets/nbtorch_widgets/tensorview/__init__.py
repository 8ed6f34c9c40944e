"""Tensors to look at: `TensorView` (values, gradients), `StrideTape` (memory), `BroadcastBoard` (shapes)."""

from nbtorch_widgets.tensorview.board import BroadcastBoard
from nbtorch_widgets.tensorview.tape import StrideTape
from nbtorch_widgets.tensorview.view import TensorView

__all__ = ["BroadcastBoard", "StrideTape", "TensorView"]
