"""Methods of ``Tensor`` whose families are loaded when one of them is first looked at.

That spares ``import nbtorch`` a third of its time. Whoever looks at such a method, by a call, ``help`` or an editor's
question, gets the method itself; a test compares the names with the families.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..autograd.variable import Variable

__all__ = ["METHODS", "LaterMethods", "methods_of"]

# The methods of each late family.
METHODS = {
    "calculus": "diff",
    "counting": "bincount histc histogram",
    "covariance": "cov corrcoef",
    "decompositions": "cholesky qr svd geqrf",
    "gamma": (
        "lgamma digamma mvlgamma igamma igammac polygamma lgamma_ digamma_ mvlgamma_ igamma_ igammac_ "
        "polygamma_"
    ),
    "gathering": (
        "gather scatter_add scatter index_select index_add take_along_dim repeat_interleave scatter_add_ "
        "scatter_ index_add_"
    ),
    "matrixfunctions": "det logdet matrix_exp slogdet matrix_power orgqr ormqr",
    "moments": "nansum nanmean",
    "norms": "norm dist renorm renorm_",
    "ordering": "amax amin max min argmax argmin argsort sort topk",
    "products": "addmm addmv addbmm baddbmm addr vdot outer ger inner kron cross addmm_ addmv_ addbmm_ baddbmm_ addr_",
    "pseudoinverse": "pinverse",
    "rearranging": (
        "fliplr flipud rot90 diag diag_embed diagflat diagonal_scatter select_scatter slice_scatter "
        "narrow_copy"
    ),
    "scans": "cumsum cumprod cummax cummin logcumsumexp cumsum_ cumprod_",
    "scattering": (
        "index_copy index_fill index_reduce masked_scatter put scatter_reduce take index_copy_ index_fill_ "
        "index_reduce_ masked_scatter_ put_ scatter_reduce_"
    ),
    "searching": "unique unique_consecutive argwhere nonzero_static",
    "selection": "aminmax msort median nanmedian kthvalue mode quantile nanquantile",
    "solving": "inverse triangular_solve cholesky_solve cholesky_inverse",
    "special": "erfc erfinv i0 logit sinc xlogy erfc_ erfinv_ i0_ logit_ sinc_ xlogy_",
    "triangular": "lu lu_solve",
}  # fmt: skip


def methods_of(family: str) -> type:
    """The class of methods of a late family, which is loaded."""
    module = importlib.import_module(f".{family}", __package__)
    found = (c for name, c in vars(module).items() if name.endswith("Methods") and c.__module__ == module.__name__)
    return next(found)


if TYPE_CHECKING:
    from .calculus import CalculusMethods
    from .counting import CountingMethods
    from .covariance import CovarianceMethods
    from .decompositions import DecompositionMethods
    from .gamma import GammaMethods
    from .gathering import GatheringMethods
    from .matrixfunctions import MatrixFunctionMethods
    from .moments import MomentMethods
    from .norms import NormMethods
    from .ordering import OrderingMethods
    from .products import ProductMethods
    from .pseudoinverse import PseudoinverseMethods
    from .rearranging import RearrangingMethods
    from .scans import ScanMethods
    from .scattering import ScatteringMethods
    from .searching import SearchingMethods
    from .selection import SelectionMethods
    from .solving import SolvingMethods
    from .special import SpecialMethods
    from .triangular import TriangularMethods

    class LaterMethods(
        CalculusMethods,
        CountingMethods,
        CovarianceMethods,
        DecompositionMethods,
        GammaMethods,
        GatheringMethods,
        MatrixFunctionMethods,
        MomentMethods,
        NormMethods,
        OrderingMethods,
        ProductMethods,
        PseudoinverseMethods,
        RearrangingMethods,
        ScanMethods,
        ScatteringMethods,
        SearchingMethods,
        SelectionMethods,
        SolvingMethods,
        SpecialMethods,
        TriangularMethods,
    ):
        """The methods of the late families."""

else:

    class LaterMethods(Variable):
        """The methods of the late families."""

        __slots__ = ()

    class _Later:
        """Stands for a method until somebody looks at it; then its family's methods take their places."""

        __slots__ = ("family", "name")

        def __init__(self, family: str, name: str) -> None:
            self.family, self.name = family, name

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            module = importlib.import_module(f".{self.family}", __package__)
            methods = next(
                c for n, c in vars(module).items() if n.endswith("Methods") and c.__module__ == module.__name__
            )
            for name in METHODS[self.family].split():
                if isinstance(vars(LaterMethods)[name], _Later):  # not what a program has put there
                    setattr(LaterMethods, name, vars(methods)[name])
            method = vars(methods)[self.name]
            return method.__get__(instance, owner)

    for _family, _names in METHODS.items():
        for _name in _names.split():
            setattr(LaterMethods, _name, _Later(_family, _name))
