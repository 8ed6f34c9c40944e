"""bfloat16 stays bfloat16 through operations and gradients as in PyTorch, though array modules widen it at a number."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from helpers import same, to_nbtorch, to_torch

import nbtorch

ml_dtypes = pytest.importorskip("ml_dtypes")
X = np.array([[0.5, -1.0, 2.0], [1.5, 3.0, -0.25]], np.float32).astype(ml_dtypes.bfloat16)

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "times a number": lambda lib, x: x * 2.5,
    "a number times": lambda lib, x: 2.5 * x,
    "plus a whole number": lambda lib, x: x + 1,
    "a number minus": lambda lib, x: 1 - x,
    "divided by a number": lambda lib, x: x / 3,
    "a square": lambda lib, x: x**2,
    "a root": lambda lib, x: x.abs() ** 0.5,
    "a number to the power": lambda lib, x: 2.0**x,
    "clamp": lambda lib, x: x.clamp(0.0, 1.0),
    "where": lambda lib, x: lib.where(x > 0, x, 0.0),
    "sum": lambda lib, x: x.sum(0),
    "mean": lambda lib, x: x.mean(),
    "softmax": lambda lib, x: x.softmax(1),
    "matmul": lambda lib, x: x @ x.T,
    "batched matmul": lambda lib, x: x[None] @ x.T,
    "linear": lambda lib, x: lib.nn.functional.linear(x, x),
    "relu": lambda lib, x: lib.nn.functional.relu(x),
    "gelu": lambda lib, x: lib.nn.functional.gelu(x),
    "elu": lambda lib, x: lib.nn.functional.elu(x),
    "sigmoid": lambda lib, x: lib.sigmoid(x),
    "mse_loss": lambda lib, x: lib.nn.functional.mse_loss(x, x * 2),
    "in place": lambda lib, x: x.clone().mul_(2.5).add_(1),
    "comparison": lambda lib, x: x > 0.5,
    "with float32": lambda lib, x: x + lib.ones(3, dtype=lib.float32, device=x.device),
    "with integers": lambda lib, x: x * lib.ones(3, dtype=lib.int64, device=x.device),
    "to float32": lambda lib, x: x.float(),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_as_torch(name: str, torch_ref: ModuleType) -> None:
    results = []
    for lib, make in ((nbtorch, to_nbtorch), (torch_ref, to_torch)):
        x = make(X, requires_grad=True)
        out = OPERATIONS[name](lib, x)
        if out.requires_grad:
            out.sum().backward()
        results.append((out, x.grad))
    (ours, our_grad), (theirs, their_grad) = results
    same(ours, theirs, rtol=3e-2, atol=3e-2)
    same(our_grad, their_grad, rtol=3e-2, atol=3e-2)
