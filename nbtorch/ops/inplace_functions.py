"""The in-place methods that PyTorch has as functions too: ``torch.exp_(x)`` is ``x.exp_()``."""

from __future__ import annotations

from ..autograd.variable import TensorT
from .activation import ActivationMethods, celu, selu
from .indexing import IndexingMethods
from .inplace import InplaceMethods
from .memory import MemoryMethods
from .numeric import NumericMethods
from .piecewise import threshold as _threshold
from .products import ProductMethods
from .special import SpecialMethods
from .writing import become

__all__ = [
    "abs_",
    "acos_",
    "acosh_",
    "addmv_",
    "arccos_",
    "arccosh_",
    "arcsin_",
    "arcsinh_",
    "arctan_",
    "arctanh_",
    "as_strided_",
    "asin_",
    "asinh_",
    "atan_",
    "atanh_",
    "ceil_",
    "celu_",
    "clamp_",
    "clamp_max_",
    "clamp_min_",
    "clip_",
    "conj_physical_",
    "cos_",
    "cosh_",
    "deg2rad_",
    "detach_",
    "erf_",
    "erfc_",
    "exp2_",
    "exp_",
    "expm1_",
    "fill_",
    "fix_",
    "floor_",
    "frac_",
    "gcd_",
    "i0_",
    "index_put_",
    "lcm_",
    "ldexp_",
    "log1p_",
    "log2_",
    "log10_",
    "log_",
    "logit_",
    "nan_to_num_",
    "neg_",
    "negative_",
    "rad2deg_",
    "reciprocal_",
    "relu_",
    "resize_as_",
    "round_",
    "rsqrt_",
    "selu_",
    "sigmoid_",
    "sin_",
    "sinc_",
    "sinh_",
    "sqrt_",
    "square_",
    "tan_",
    "tanh_",
    "threshold_",
    "trunc_",
    "xlogy_",
    "zero_",
]  # fmt: skip

abs_ = InplaceMethods.abs_
acos_ = InplaceMethods.acos_
acosh_ = InplaceMethods.acosh_
addmv_ = ProductMethods.addmv_
arccos_ = InplaceMethods.arccos_
arccosh_ = InplaceMethods.arccosh_
arcsin_ = InplaceMethods.arcsin_
arcsinh_ = InplaceMethods.arcsinh_
arctan_ = InplaceMethods.arctan_
arctanh_ = InplaceMethods.arctanh_
as_strided_ = MemoryMethods.as_strided_
asin_ = InplaceMethods.asin_
asinh_ = InplaceMethods.asinh_
atan_ = InplaceMethods.atan_
atanh_ = InplaceMethods.atanh_
ceil_ = InplaceMethods.ceil_
clamp_ = InplaceMethods.clamp_
clamp_max_ = InplaceMethods.clamp_max_
clamp_min_ = InplaceMethods.clamp_min_
clip_ = InplaceMethods.clip_
conj_physical_ = NumericMethods.conj_physical_
cos_ = InplaceMethods.cos_
cosh_ = InplaceMethods.cosh_
deg2rad_ = NumericMethods.deg2rad_
detach_ = InplaceMethods.detach_
erf_ = InplaceMethods.erf_
erfc_ = SpecialMethods.erfc_
exp2_ = InplaceMethods.exp2_
exp_ = InplaceMethods.exp_
expm1_ = InplaceMethods.expm1_
fill_ = InplaceMethods.fill_
fix_ = InplaceMethods.fix_
floor_ = InplaceMethods.floor_
frac_ = InplaceMethods.frac_
gcd_ = NumericMethods.gcd_
i0_ = SpecialMethods.i0_
index_put_ = IndexingMethods.index_put_
lcm_ = NumericMethods.lcm_
ldexp_ = NumericMethods.ldexp_
log10_ = InplaceMethods.log10_
log1p_ = InplaceMethods.log1p_
log2_ = InplaceMethods.log2_
log_ = InplaceMethods.log_
logit_ = SpecialMethods.logit_
nan_to_num_ = NumericMethods.nan_to_num_
neg_ = InplaceMethods.neg_
negative_ = InplaceMethods.negative_
rad2deg_ = NumericMethods.rad2deg_
reciprocal_ = InplaceMethods.reciprocal_
relu_ = ActivationMethods.relu_
resize_as_ = MemoryMethods.resize_as_
round_ = InplaceMethods.round_
rsqrt_ = InplaceMethods.rsqrt_
sigmoid_ = InplaceMethods.sigmoid_
sin_ = InplaceMethods.sin_
sinc_ = SpecialMethods.sinc_
sinh_ = InplaceMethods.sinh_
sqrt_ = InplaceMethods.sqrt_
square_ = InplaceMethods.square_
tan_ = InplaceMethods.tan_
tanh_ = InplaceMethods.tanh_
trunc_ = InplaceMethods.trunc_
xlogy_ = SpecialMethods.xlogy_
zero_ = InplaceMethods.zero_

# PyTorch has these as functions alone.


def celu_(input: TensorT, alpha: float = 1.0) -> TensorT:
    """``celu`` in place."""
    return become(input, celu, alpha)


def selu_(input: TensorT) -> TensorT:
    """``selu`` in place."""
    return become(input, selu)


def threshold_(input: TensorT, threshold: float, value: float) -> TensorT:
    """``threshold`` in place."""
    return become(input, _threshold, threshold, value)
