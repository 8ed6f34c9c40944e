"""Special functions: ``torch.special``."""

from __future__ import annotations

from .annex import name_what_is_missing
from .ops.elementary import erf, exp2, expm1, log1p, round
from .ops.elementary import sigmoid as expit
from .ops.gamma import digamma, polygamma, zeta
from .ops.gamma import igamma as gammainc
from .ops.gamma import igammac as gammaincc
from .ops.gamma import lgamma as gammaln
from .ops.gamma import mvlgamma as multigammaln
from .ops.reduction import log_softmax, logsumexp, softmax
from .ops.special import (
    entr,
    erfc,
    erfcx,
    erfinv,
    i0,
    i0e,
    i1,
    i1e,
    log_ndtr,
    logit,
    ndtr,
    ndtri,
    sinc,
    xlog1py,
    xlogy,
)

psi = digamma

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln",
    "i0", "i0e", "i1", "i1e", "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "multigammaln", "ndtr",
    "ndtri", "polygamma", "psi", "round", "sinc", "softmax", "xlog1py", "xlogy", "zeta",
]  # fmt: skip

name_what_is_missing(globals())
