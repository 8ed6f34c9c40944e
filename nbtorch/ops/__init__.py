"""The differentiable operations, by family. Each is one record (see ``record``) with one public function.

Families that few programs use, or only networks, are loaded late.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

from ..autograd.engine import maths
from . import (
    activation,
    comparison,
    conversion,
    creation,
    elementary,
    indexing,
    inplace,
    joining,
    layouts,
    linalg,
    memory,
    numeric,
    pieces,
    piecewise,
    pointwise,
    random,
    reduction,
    shape,
)
from .activation import *
from .comparison import *
from .conversion import *
from .creation import *
from .elementary import *
from .indexing import *
from .inplace import *
from .joining import *
from .layouts import *
from .linalg import *
from .memory import *
from .numeric import *
from .pieces import *
from .piecewise import *
from .pointwise import *
from .random import *
from .record import registry as registry
from .reduction import *
from .shape import *

if TYPE_CHECKING:
    from . import (
        attention,
        bags,
        batch_normalization,
        calculus,
        class_loss,
        convolution,
        counting,
        covariance,
        ctc,
        decompositions,
        distances,
        dropouts,
        gamma,
        gathering,
        grids,
        inplace_functions,
        layers,
        loss,
        margin_loss,
        matrixfunctions,
        moments,
        normalization,
        norms,
        ordering,
        padding,
        pools,
        products,
        pseudoinverse,
        rearranging,
        recurrence,
        recurrent,
        sampling,
        scans,
        scattering,
        searching,
        selection,
        solving,
        special,
        triangular,
        windows,
    )
    from .attention import *
    from .bags import *
    from .batch_normalization import *
    from .calculus import *
    from .class_loss import *
    from .convolution import *
    from .counting import *
    from .covariance import *
    from .ctc import *
    from .decompositions import *
    from .distances import *
    from .dropouts import *
    from .gamma import *
    from .gathering import *
    from .grids import *
    from .inplace_functions import *
    from .layers import *
    from .loss import *
    from .margin_loss import *
    from .matrixfunctions import *
    from .moments import *
    from .normalization import *
    from .norms import *
    from .ordering import *
    from .padding import *
    from .pools import *
    from .products import *
    from .pseudoinverse import *
    from .rearranging import *
    from .recurrence import *
    from .recurrent import *
    from .sampling import *
    from .scans import *
    from .scattering import *
    from .searching import *
    from .selection import *
    from .solving import *
    from .special import *
    from .triangular import *
    from .windows import *

__all__: list[str] = []
__all__ += activation.__all__
__all__ += comparison.__all__
__all__ += conversion.__all__
__all__ += creation.__all__
__all__ += elementary.__all__
__all__ += indexing.__all__
__all__ += inplace.__all__
__all__ += joining.__all__
__all__ += layouts.__all__
__all__ += linalg.__all__
__all__ += memory.__all__
__all__ += numeric.__all__
__all__ += piecewise.__all__
__all__ += pieces.__all__
__all__ += pointwise.__all__
__all__ += random.__all__
__all__ += reduction.__all__
__all__ += shape.__all__

# Loaded when one of their names is first asked for, which spares ``import nbtorch`` a third of its time; their
# methods are in ``later``.
_LATER = (
    "attention", "bags", "batch_normalization", "calculus", "class_loss", "convolution", "counting", "covariance",
    "ctc", "decompositions", "distances", "dropouts", "gamma", "gathering", "grids", "inplace_functions", "layers",
    "loss", "margin_loss", "matrixfunctions", "moments", "normalization", "norms", "ordering", "padding", "pools",
    "products", "pseudoinverse", "rearranging", "recurrence", "recurrent", "sampling", "scans", "scattering",
    "searching", "selection", "solving", "special", "triangular", "windows",
)  # fmt: skip

if TYPE_CHECKING:
    __all__ += attention.__all__
    __all__ += bags.__all__
    __all__ += batch_normalization.__all__
    __all__ += calculus.__all__
    __all__ += class_loss.__all__
    __all__ += convolution.__all__
    __all__ += counting.__all__
    __all__ += covariance.__all__
    __all__ += ctc.__all__
    __all__ += decompositions.__all__
    __all__ += distances.__all__
    __all__ += dropouts.__all__
    __all__ += gamma.__all__
    __all__ += gathering.__all__
    __all__ += grids.__all__
    __all__ += inplace_functions.__all__
    __all__ += layers.__all__
    __all__ += loss.__all__
    __all__ += margin_loss.__all__
    __all__ += matrixfunctions.__all__
    __all__ += moments.__all__
    __all__ += normalization.__all__
    __all__ += norms.__all__
    __all__ += ordering.__all__
    __all__ += padding.__all__
    __all__ += pools.__all__
    __all__ += products.__all__
    __all__ += pseudoinverse.__all__
    __all__ += rearranging.__all__
    __all__ += recurrence.__all__
    __all__ += recurrent.__all__
    __all__ += sampling.__all__
    __all__ += scans.__all__
    __all__ += scattering.__all__
    __all__ += searching.__all__
    __all__ += selection.__all__
    __all__ += solving.__all__
    __all__ += special.__all__
    __all__ += triangular.__all__
    __all__ += windows.__all__
else:

    def __getattr__(name: str) -> Any:
        found = None if name.startswith("__") else load_all().get(name)
        if found is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return found


@functools.cache
def load_all() -> dict[str, Any]:
    """Loads the late families; their functions by name."""
    found = {}
    for family in _LATER:
        module = importlib.import_module(f".{family}", __name__)
        found.update({name: getattr(module, name) for name in module.__all__})
    globals().update(found)
    return found


maths.load_more = load_all
