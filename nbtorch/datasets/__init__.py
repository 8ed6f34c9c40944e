"""Small datasets that need no network: handwritten digits, and points made on the spot.

Every function returns a :class:`~nbtorch.utils.data.TensorDataset`, ready for a loader; its tensors are reached by
unpacking ``dataset.tensors``.
"""

from .digits import digits
from .points import blobs, lines, moons, spirals

__all__ = ["blobs", "digits", "lines", "moons", "spirals"]
