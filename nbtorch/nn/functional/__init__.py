"""The functions behind the layers, with the signatures of ``torch.nn.functional``.

What computes is in :mod:`nbtorch.ops`; here are the arguments that only PyTorch's functions have (``inplace``, the
older ways to say ``reduction``, defaults), and the checks whose messages say how to go on.
"""

from ...annex import name_what_is_missing
from . import (
    activations,
    affine,
    arrangements,
    attention,
    convolutions,
    distances,
    dropouts,
    embeddings,
    losses,
    margins,
    normalizations,
    poolings,
    vision,
)
from .activations import *
from .affine import *
from .arrangements import *
from .attention import *
from .convolutions import *
from .distances import *
from .dropouts import *
from .embeddings import *
from .losses import *
from .margins import *
from .normalizations import *
from .poolings import *
from .vision import *

__all__: list[str] = []
__all__ += activations.__all__
__all__ += affine.__all__
__all__ += attention.__all__
__all__ += arrangements.__all__
__all__ += convolutions.__all__
__all__ += distances.__all__
__all__ += dropouts.__all__
__all__ += embeddings.__all__
__all__ += losses.__all__
__all__ += margins.__all__
__all__ += normalizations.__all__
__all__ += poolings.__all__
__all__ += vision.__all__

name_what_is_missing(globals())
