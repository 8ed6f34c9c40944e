"""The landscape of a loss: a function of two parameters, or a slice through a model's loss, with optimizers' paths."""

from nbtorch_widgets.landscape.widget import Landscape

__all__ = ["Landscape"]
