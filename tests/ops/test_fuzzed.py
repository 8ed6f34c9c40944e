"""What a differential fuzzer found, beside PyTorch: refused dtypes, shapes at their edges, special numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import nbtorch

INF, NAN = math.inf, math.nan


def ints(T: Any, *shape: int) -> Any:
    return T.ones(*shape, dtype=T.int32)


def doubles(T: Any, *numbers: float) -> Any:
    return T.tensor(numbers, dtype=T.float64)


REFUSED = {
    "prelu": lambda T: T.nn.functional.prelu(ints(T, 4), ints(T, 1)),
    "threshold": lambda T: T.nn.functional.threshold(ints(T, 4).bool(), 0, 1),
    "avg_pool2d": lambda T: T.nn.functional.avg_pool2d(ints(T, 1, 3, 3), 2),
    "avg_pool2d_scalar": lambda T: T.nn.functional.avg_pool2d(T.tensor(1.0), 2),
    "max_pool1d": lambda T: T.nn.functional.max_pool1d(ints(T, 1, 3), 2),
    "adaptive_avg_pool1d": lambda T: T.nn.functional.adaptive_avg_pool1d(ints(T, 1, 3), 2),
    "adaptive_avg_pool1d_scalar": lambda T: T.nn.functional.adaptive_avg_pool1d(T.tensor(1.0), 2),
    "adaptive_max_pool2d": lambda T: T.nn.functional.adaptive_max_pool2d(ints(T, 1, 3, 3), 2),
    "max_unpool1d": lambda T: T.nn.functional.max_unpool1d(ints(T, 1, 1), T.zeros(1, 1, dtype=T.int64), 2),
    "max_unpool1d_scalar": lambda T: T.nn.functional.max_unpool1d(T.tensor(1.0), T.tensor(0), 2),
    "conv_transpose1d": lambda T: T.nn.functional.conv_transpose1d(ints(T, 1, 1, 3), ints(T, 1, 1, 2)),
    "interpolate_area": lambda T: T.nn.functional.interpolate(ints(T, 1, 1, 3), size=2, mode="area"),
    "local_response_norm": lambda T: T.nn.functional.local_response_norm(ints(T, 1, 2, 3), 2),
    "unfold": lambda T: T.nn.functional.unfold(ints(T, 1, 1, 3, 3), 2),
    "unfold_scalar": lambda T: T.nn.functional.unfold(T.tensor(1.0), 2),
    "fold": lambda T: T.nn.functional.fold(ints(T, 1, 4, 4), 3, 2),
    "grid_sample": lambda T: T.nn.functional.grid_sample(ints(T, 1, 1, 3, 3), ints(T, 1, 2, 2, 2), align_corners=False),
    "cosine_similarity": lambda T: T.nn.functional.cosine_similarity(ints(T, 2, 3), ints(T, 2, 3)),
    "dropout": lambda T: T.nn.functional.dropout(ints(T, 4)),
    "lerp": lambda T: T.lerp(ints(T, 3), ints(T, 3), 0.5),
    "lerp_mixed": lambda T: T.lerp(T.ones(3), doubles(T, 1, 2, 3), 0.5),
    "addcdiv": lambda T: T.addcdiv(ints(T, 3), ints(T, 3), ints(T, 3)),
    "addcdiv_": lambda T: T.ones(3).addcdiv_(ints(T, 3), ints(T, 3)),
    "addcmul": lambda T: T.addcmul(*[ints(T, 3).bool()] * 3),
    "round": lambda T: T.round(ints(T, 3), decimals=2),
    "add_alpha": lambda T: T.add(ints(T, 3), ints(T, 3), alpha=0.5),
    "add_alpha_bool": lambda T: T.add(ints(T, 3), ints(T, 3), alpha=True),
    "cross": lambda T: T.linalg.cross(T.ones(3), doubles(T, 1, 2, 3)),
    "cross_scalars": lambda T: T.linalg.cross(T.tensor(1.0), T.tensor(1.0)),
    "mv_scalars": lambda T: T.mv(T.tensor(1.0), T.tensor(1.0)),
    "meshgrid": lambda T: T.meshgrid(T.ones(2), ints(T, 3), indexing="ij"),
    "cartesian_prod": lambda T: T.cartesian_prod(T.ones(2), ints(T, 3)),
    "einsum_diagonal": lambda T: T.einsum("ii->i", T.ones(1, 3)),
    "linear_bias": lambda T: T.nn.functional.linear(T.ones(2), T.ones(4, 2), T.ones(3)),
    "index_put": lambda T: T.ones(4, 3).index_put((T.tensor([0, 1]),), T.ones(2, 2), True),
    "index_put_of_nothing": lambda T: T.ones(4, 0).index_put((T.tensor([], dtype=T.int64),), T.ones(2, 0), True),
    "index_select_scalar": lambda T: T.tensor(1.0).index_select(0, T.tensor([], dtype=T.int64)),
    "repeat_interleave": lambda T: T.ones(2, 2).repeat_interleave(T.tensor([1, 2]), 0, output_size=6),
    "repeat_interleave_scalar": lambda T: T.tensor(1.0).repeat_interleave(T.tensor([2]), 0),
    "diff_scalar": lambda T: T.diff(T.tensor(1.0), dim=1),
    "diag_embed_scalar": lambda T: T.diag_embed(T.tensor(1.0)),
    "bilinear": lambda T: T.nn.functional.bilinear(T.ones(1), T.ones(1), T.ones(1, 3, 4)),
    "masked_logaddexp": lambda T: T.masked.logaddexp(ints(T, 2), ints(T, 2), input_mask=T.tensor([True, False])),
    "embedding_scalar": lambda T: T.nn.functional.embedding(T.tensor([0]), T.tensor(1.0)),
    "sub_alpha": lambda T: ints(T, 3).sub_(ints(T, 3), alpha=0.5),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_refused_in_pytorchs_class(call: Any) -> None:
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(theirs.type):
        call(nbtorch)


TAKEN = {
    "threshold_of_integers": lambda T: T.nn.functional.threshold(T.tensor([-9, -8, -7]), -8.6, -0.5),
    "max_pool1d_with_indices": lambda T: T.nn.functional.max_pool1d(ints(T, 1, 3), 2, return_indices=True)[1],
    "lerp_at_its_end": lambda T: T.lerp(doubles(T, 1e20, INF, 0), doubles(T, 1, 1, 3), 1.0),
    "lerp_with_a_0d_weight": lambda T: T.lerp(doubles(T, 1, 2), doubles(T, 5, 6), T.tensor(0.25)),
    "clamp_by_nan": lambda T: T.clamp(doubles(T, 1, NAN, 3), doubles(T, NAN, 2, 4), doubles(T, 5, 5, 2)),
    "clamp_promotes": lambda T: T.clamp(T.tensor([1, 2, 3]), T.tensor(1.5)),
    "std_of_nothing": lambda T: T.std(T.ones(0, 2), correction=-5),
    "einsum_outer_of_two_dtypes": lambda T: T.einsum("i,j->ij", T.ones(2), doubles(T, 1, 2, 3)),
    "view_copy": lambda T: T.view_copy(T.ones(2, 3).t(), (2, 3)),
    "matrix_rank_of_nothing": lambda T: T.linalg.matrix_rank(T.ones(0, 5), hermitian=True),
    "pinv_of_nothing": lambda T: T.linalg.pinv(T.ones(0, 5), hermitian=True),
    "unsafe_chunk_of_nothing": lambda T: T.unsafe_chunk(T.ones(0, 5), 2)[1],
    "grid_sample_at_nan": lambda T: T.nn.functional.grid_sample(
        T.arange(9, dtype=T.float64).reshape(1, 1, 3, 3),
        doubles(T, NAN, 0, 0, INF, -INF, NAN, 0.1, 0.2).reshape(1, 2, 2, 2),
        mode="nearest",
        align_corners=False,
    ),
}


@pytest.mark.parametrize("call", TAKEN.values(), ids=TAKEN)
def test_same_as_pytorch(call: Any) -> None:
    theirs, ours = call(torch), call(nbtorch)
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


# At NaN some of PyTorch's slopes depend on the loop that the element falls into: 48 numbers fill the vectorised one, be
# the registers of 256 bits or of 512.
SLOPES = {
    "elu": (lambda T, x: T.nn.functional.elu(x), (NAN, INF, -1) * 16),
    "selu": (lambda T, x: T.nn.functional.selu(x), (NAN, INF, -1) * 16),
    "abs": (lambda T, x: x.abs(), (NAN, INF, -1)),
    "clamp": (lambda T, x: x.clamp(doubles(T, 1, 2, 3), doubles(T, 5, INF, 4)), (NAN, INF, 3)),
    "clamp_bounds": (lambda T, x: doubles(T, 1, 2, 9).clamp(x, x - 1), (NAN, 1, 3)),
    "vector_norm": (lambda T, x: T.linalg.vector_norm(x, INF), (NAN, INF, 3)),
    "hardtanh": (lambda T, x: T.nn.functional.hardtanh(x), (NAN, INF, 0.5) * 16),
    "softshrink": (lambda T, x: T.nn.functional.softshrink(x), (NAN, INF, 0.1) * 16),
    "threshold": (lambda T, x: T.nn.functional.threshold(x, 0.1, 20.0), (NAN, INF, -1)),
}


@pytest.mark.parametrize(("function", "numbers"), SLOPES.values(), ids=SLOPES)
def test_same_gradient_at_special_numbers(function: Any, numbers: Any) -> None:
    slopes = []
    for T in (torch, nbtorch):
        x = doubles(T, *numbers).requires_grad_()
        y = function(T, x)
        y.backward(T.ones_like(y))
        slopes.append(x.grad.numpy())
    np.testing.assert_allclose(slopes[1], slopes[0])
