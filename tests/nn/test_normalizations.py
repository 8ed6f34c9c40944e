"""Batch and instance normalisation keep running statistics as PyTorch does."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest

torch = helpers.import_torch()

import nbtorch  # noqa: E402


def both(array: Any) -> tuple[Any, Any]:
    return helpers.to_torch(array), helpers.to_nbtorch(array)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("momentum", [0.1, 0.0, 1.0, -0.5])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
def test_running_statistics(name: str, training: bool, momentum: float, dtype: str) -> None:
    numbers = np.random.default_rng(0)
    x, wide = numbers.normal(2, 3, (4, 3, 5)).astype(dtype), "float32" if dtype == "float16" else dtype
    mean, var = numbers.normal(size=3).astype(wide), numbers.uniform(0.5, 2, 3).astype(wide)
    results = []
    for lib, side in ((torch, 0), (nbtorch, 1)):
        a, m, v = both(x)[side], both(mean.copy())[side], both(var.copy())[side]
        function: Any = getattr(lib.nn.functional, name)
        flag = "training" if name == "batch_norm" else "use_input_stats"
        results.append((function(a, m, v, momentum=momentum, **{flag: training}), m, v))
    (out, m, v), (my_out, my_m, my_v) = results
    close = (6e-3, 6e-3) if dtype == "float16" else (None, None)
    helpers.same(my_m, m, *close)
    helpers.same(my_v, v, *close)
    helpers.same(my_out, out, *close)


def test_a_change_of_running_statistics_after_an_evaluation_does_not_reach_its_gradient() -> None:
    mean, var = helpers.to_nbtorch(np.zeros(2)), helpers.to_nbtorch(np.full(2, 4.0))
    x = helpers.to_nbtorch(np.ones((3, 2)), requires_grad=True)
    y = nbtorch.nn.functional.batch_norm(x, mean, var, eps=0.0)
    var.fill_(1.0)
    y.sum().backward()
    helpers.same(x.grad, np.full((3, 2), 0.5))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda F, x, c: F.batch_norm(x, None, None), RuntimeError, "running_mean must be defined"),
        (lambda F, x, c: F.batch_norm(x, c, None, training=True), ValueError, "either both be None"),
        (lambda F, x, c: F.batch_norm(x, c[:2], c), RuntimeError, "running_mean should contain 3 elements not 2"),
        (lambda F, x, c: F.batch_norm(x, c, c, c[:2]), RuntimeError, "weight should contain 3 elements not 2"),
        (lambda F, x, c: F.batch_norm(x, c.double(), c), RuntimeError, "mixed dtype"),
        (lambda F, x, c: F.batch_norm(x.long(), c, c), NotImplementedError, "not implemented for"),
        (lambda F, x, c: F.batch_norm(x[:1, :, 0], c, c, training=True), ValueError, "more than 1 value per channel"),
        (lambda F, x, c: F.batch_norm(x, c, c, eps=-1.0), ValueError, "eps must be non-negative"),
        (lambda F, x, c: F.instance_norm(x[:, :, :1]), ValueError, "more than 1 spatial element"),
        (lambda F, x, c: F.instance_norm(x, use_input_stats=False), RuntimeError, "to be defined when"),
        (lambda F, x, c: F.group_norm(x, 2), RuntimeError, "divisible by num_groups"),
        (lambda F, x, c: F.group_norm(x, -1), RuntimeError, "greater than 0, got -1"),
        (lambda F, x, c: F.group_norm(x, 3, c[:2]), RuntimeError, "Expected weight to be a vector"),
        (lambda F, x, c: F.layer_norm(x, 5), TypeError, "must be tuple of ints, not int"),
        (lambda F, x, c: F.layer_norm(x, []), RuntimeError, "at least 1-dimensional"),
    ],
)
def test_wrong_calls(call: Any, error: type[Exception], text: str) -> None:
    x, c = both(np.ones((2, 3, 5), np.float32)), both(np.ones(3, np.float32))
    for lib, side in ((torch, 0), (nbtorch, 1)):
        with pytest.raises(error, match=text):
            call(lib.nn.functional, x[side], c[side])
