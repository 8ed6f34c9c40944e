"""Optimisers: they change parameters so that a loss becomes smaller; the names are PyTorch's."""

from . import optimizer as optimizer
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Optimizer", "optimizer"]
