"""What the comparison with PyTorch's database leaves out or does in another way, each entry with its reason."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

# The red list: records in scope that don't agree in everything, and why.
RED: dict[str, str] = {
    "as_strided_scatter": "PyTorch gives input the gradient of the places written over, and 0 elsewhere",
    "cat": "out= is one of the inputs and has no elements: NumPy can't tell that empty arrays share memory",
    "gather": "out= is part of the index' memory but not of what is read; PyTorch refuses it, it is harmless here",
    "nn.functional.soft_margin_loss": "PyTorch overflows in float16, where the loss is finite",
}

# The numbers mean nothing; shape and dtype are compared.
UNINITIALISED = {"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "empty_permuted"}

# PyTorch does not say which of several equal elements comes first, so positions are not compared.
ANY_ORDER_AMONG_EQUALS = {"topk", "sort", "argsort", "kthvalue", "mode"}

# Vectors that are unique only up to a factor of -1.
GAUGE = {"linalg.eigh", "linalg.svd", "svd", "svd_lowrank", "pca_lowrank"}

# Gradients in float32 that are nothing but rounding on PyTorch's side.
ROUNDED = {
    "nn.functional.layer_norm": "PyTorch's own gradient of a single element is 2e-4 instead of 0",
    "native_layer_norm": "as nn.functional.layer_norm",
    "linalg.eigh": "eigenvectors of float32 that lie close rotate by more than the tolerance",
    "linalg.lstsq": "the derivative is a product of four ill-conditioned factors",
    "cov": "PyTorch's own gradient of two equal columns is 6e-5 instead of 0",
    "nn.functional.ctc_loss": "differences of logarithms beyond 100 keep four digits",
}

# Second gradients that PyTorch says it doesn't have, and that are nevertheless zeros or an error of another kind.
NO_SECOND = {
    "nn.functional.linear_cross_entropy.chunked": "the chunked path computes its gradient in forward; here it is right",
    "nn.functional.linear_cross_entropy.chunked_none": "as above",
}

# What PyTorch itself gets wrong in half precision: not compared there.
HALF = {
    "matrix_exp": "inf and NaN, also where every element of the result is below 1",
    "nn.functional.normalize": "negative p: the power of a small element overflows",
    "linalg.vector_norm": "the gradient is 0 where the norm to the power of ord - 1 overflows",
}

# Sums of many products: in coarse dtypes they may differ by so many units in the last place of the largest of them.
# The slope of a cubic is a small difference of large terms, in PyTorch too.
SUMS = {
    "triangular_solve": 32,
    **dict.fromkeys(("addbmm", "baddbmm", "matrix_exp", "nn.functional.scaled_dot_product_attention"), 4),
    **{f"nn.functional.conv{kind}{n}d": 4 for kind in ("", "_transpose") for n in (1, 2, 3)},
    **dict.fromkeys(("nn.functional.grid_sample", "grid_sampler_2d", "grid_sampler_3d"), 32),
}

# Samples whose arguments PyTorch's database gives in an order of its own.
ARGUMENTS: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "einsum": lambda lib: lambda operands, equation: lib.einsum(equation, *operands),
    "where": lambda lib: lambda input, condition, other, **kw: lib.where(condition, input, other, **kw),
    "nn.functional.embedding": lambda lib: lambda weight, index, **kw: lib.nn.functional.embedding(index, weight, **kw),
    "nn.functional.embedding_bag": lambda lib: (
        lambda weight, index, **kw: lib.nn.functional.embedding_bag(index, weight, **kw)
    ),
    "polygamma": lambda lib: lambda input, n, **kw: lib.polygamma(n, input, **kw),
    "special.polygamma": lambda lib: lambda input, n, **kw: lib.special.polygamma(n, input, **kw),
    # The sample's distance is a module of PyTorch's.
    "nn.functional.triplet_margin_with_distance_loss": lambda lib: (
        lambda *args, distance_function=None, **kw: lib.nn.functional.triplet_margin_with_distance_loss(
            *args, distance_function=distance_function and (lambda a, b: (a - b + 1e-6).norm(2, -1)), **kw
        )
    ),
    "svd_lowrank": lambda lib: lambda a, b, **kw: lib.svd_lowrank(a @ b.mT, **kw),
    "pca_lowrank": lambda lib: lambda a, b, **kw: lib.pca_lowrank(a @ b.mT, **kw),
    "linalg.lstsq.grad_oriented": lambda lib: lambda a, b, driver: lib.linalg.lstsq(a, b, driver=driver)[:2],
    "linalg.pinv.singular": lambda lib: lambda a, b: lib.linalg.pinv(a @ b.mT),
    "zero_": lambda lib: lambda x: x.clone().zero_(),
    "__rpow__": lambda lib: lambda x, other: operator.pow(other, x),
    "normal.number_mean": lambda lib: lambda std, mean, *args, **kw: lib.normal(mean, std, *args, **kw),
    "normal.in_place": lambda lib: lambda x, *args, **kw: x.normal_(*args, **kw),
    "rand_like": lambda lib: lib.randn_like,  # what PyTorch's record calls
}

# Records that nbtorch leaves out, by name; the first that fits gives the reason.
OUT_OF_SCOPE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        (
            r"fft\..*|stft|istft|view_as_(real|complex)|complex|polar|cdouble|cfloat|chalf|imag"
            r"|linalg\.eig|linalg\.eigvals|nn\.functional\.silu\.complex",
            "complex numbers",
        ),
        (r"sparse\..*|to_sparse", "sparse tensors"),
        (r"jiterator_.*", "CUDA source at run time (jiterator)"),
        (
            r"special\.(airy_ai|.*bessel.*|.*polynomial.*)",
            "Bessel and Airy functions, orthogonal polynomials",
        ),
        (
            r"_[^_].*|torch\._.*|torch\.ops\.aten\..*|.*_backward|max_pool2d_with_indices_backward|hash_tensor",
            "private names of PyTorch's implementation",
        ),
    )
)

# The database says that they have out=, and PyTorch refuses it.
OUT_LEFT = {"histogramdd"}
# A copy has memory of its own, so that windows into the rest of the memory mean another thing.
NO_METHODS = {"as_strided.partial_views"}
