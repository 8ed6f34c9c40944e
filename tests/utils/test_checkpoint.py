"""Checkpointing: the same numbers, the same runs of the function and the same errors as PyTorch's, and less memory."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest
from sides import as_torch

import nbtorch
from nbtorch.utils.checkpoint import checkpoint

M = np.linspace(-1.5, 2.0, 12).reshape(4, 3)


def _checkpoint(lib: Any) -> Any:
    import torch.utils.checkpoint

    return checkpoint if lib.library is nbtorch else torch.utils.checkpoint.checkpoint


def dropout_inside(lib: Any, reentrant: bool) -> Any:
    x, w = lib.make(M, requires_grad=True), lib.make(M, requires_grad=True)
    runs: list[int] = []

    def function(a: Any, b: Any) -> Any:
        runs.append(1)
        return lib.dropout((a * b).tanh().exp(), 0.5, True)

    lib.manual_seed(3)
    y = _checkpoint(lib)(function, x, w, use_reentrant=reentrant)
    (y * y).sum().backward()
    return y, x.grad, w.grad, len(runs)


def only_some_inputs(lib: Any, reentrant: bool) -> Any:
    w = lib.make(M, requires_grad=True)
    y = _checkpoint(lib)(lambda a: (a * 2).exp(), w, use_reentrant=reentrant)
    return lib.autograd.grad(y.sum(), w)


def several_outputs(lib: Any, reentrant: bool) -> Any:
    w = lib.make(M, requires_grad=True)
    a, b, c = _checkpoint(lib)(lambda z: (z.exp(), z.sin() * 2, 3), w, use_reentrant=reentrant)
    (a * b).sum().backward()
    return a, b, c, w.grad


def nested(lib: Any, reentrant: bool) -> Any:
    w = lib.make(M, requires_grad=True)

    def outer(a: Any) -> Any:
        c = _checkpoint(lib)(lambda z: z.sin().exp().cos(), a.exp(), use_reentrant=reentrant)
        return c.tanh()

    _checkpoint(lib)(outer, w, use_reentrant=reentrant).sum().backward()
    return w.grad


def changed_in_place(lib: Any, reentrant: bool) -> Any:
    w = lib.make(M, requires_grad=True)
    a = w * 1
    y = _checkpoint(lib)(lambda z: z.exp().sin(), a, use_reentrant=reentrant)
    a.mul_(2)
    y.sum().backward()
    return w.grad


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("case", [dropout_inside, only_some_inputs, several_outputs, nested, changed_in_place])
def test_as_torch(case: Any, reentrant: bool, torch_ref: Any) -> None:
    as_torch(lambda lib: case(lib, reentrant))


@pytest.mark.parametrize("second", ["fewer", "smaller"])
def test_another_second_run_is_told(second: str) -> None:
    w = nbtorch.ones(4, requires_grad=True)
    runs: list[int] = []

    def function(a: Any) -> Any:
        runs.append(1)
        if len(runs) == 1:
            return (a * 2).exp().sin()
        return (a * 2).exp() if second == "fewer" else (a[:2] * 2).exp().sin()

    y = checkpoint(function, w, use_reentrant=False)
    with pytest.raises(nbtorch.utils.checkpoint.CheckpointError, match="different"):
        y.sum().backward()


def test_what_is_inside_is_not_kept() -> None:
    seen: list[Any] = []

    def function(a: Any) -> Any:
        middle = a.exp()
        seen.append(weakref.ref(middle._array))
        return middle.sin().sum()

    w = nbtorch.ones(1000, requires_grad=True)
    y = checkpoint(function, w, use_reentrant=False)
    assert seen[0]() is None
    y.backward()
    assert seen[1]() is None and w.grad is not None
