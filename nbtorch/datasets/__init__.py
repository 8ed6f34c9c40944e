"""Small datasets that need no network: handwritten digits, and points made on the spot.

Every function returns a pair of tensors, inputs and targets; ``TensorDataset(*digits("train"))`` makes a dataset of
them.
"""

from .digits import digits
from .points import blobs, lines, moons, spirals

__all__ = ["blobs", "digits", "lines", "moons", "spirals"]
