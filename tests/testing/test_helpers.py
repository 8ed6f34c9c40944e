"""The tests' own helpers move numbers without changing them, and notice what differs."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import helpers
import numpy as np
import pytest
from helpers import same, to_nbtorch, to_numpy, to_torch

import nbtorch

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]


@pytest.mark.parametrize("name", DTYPES)
def test_there_and_back(name: str, torch_ref: ModuleType, device: str) -> None:
    if name == "bfloat16":
        pytest.importorskip("ml_dtypes")
    theirs = torch_ref.tensor([[0, 1], [1, 0]], dtype=getattr(torch_ref, name))
    ours = to_nbtorch(theirs)
    assert ours.dtype is getattr(nbtorch, name)
    assert ours.device.type == device
    assert to_torch(ours).dtype == theirs.dtype
    same(ours, theirs)
    same(to_torch(ours), theirs)
    same(to_numpy(ours), to_numpy(theirs))


def test_nothing_is_shared(torch_ref: ModuleType) -> None:
    source = np.zeros(2, np.float32)
    ours, theirs = to_nbtorch(source), to_torch(source)
    source += 1
    same(ours, [0.0, 0.0], check_dtype=False)
    same(theirs, ours)
    to_numpy(ours)[:] = 5
    same(ours, theirs)


def test_gradients_are_asked_for_and_dropped(torch_ref: ModuleType) -> None:
    x = to_nbtorch(np.ones(2), requires_grad=True)
    assert x.requires_grad and x.is_leaf
    assert to_torch(x, requires_grad=True).requires_grad
    same(x * 2, [2.0, 2.0], check_dtype=False)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (np.ones(2), np.ones(3)),
        (np.ones(2), np.ones((1, 2))),
        (np.ones(2), np.ones(2, np.float32)),
        (np.ones(2), np.ones(2) + 1e-5),
        (np.array([1]), np.array([2])),
        (np.array([np.nan]), np.array([1.0])),
        (None, np.ones(1)),
        ([np.ones(1)], [np.ones(1), np.ones(1)]),
        ({"a": np.ones(1)}, {"b": np.ones(1)}),
    ],
)
def test_differences_are_noticed(actual: Any, expected: Any) -> None:
    with pytest.raises(AssertionError):
        same(actual, expected)


def test_what_counts_as_the_same() -> None:
    same(np.array([np.nan, np.inf]), np.array([np.nan, np.inf]))
    same(np.ones(2, np.float32), np.ones(2, np.float32) + np.float32(1e-6))
    same(np.ones(2), np.ones(2, np.float32), check_dtype=False)
    same({"a": [None, (1.0, 2)]}, {"a": [None, (1.0, 2)]})


def test_a_missing_torch_skips_but_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helpers, "_torch", lambda: ImportError("No module named 'torch'"))
    monkeypatch.setenv("CI", "false")
    with pytest.raises(pytest.skip.Exception, match="no PyTorch to compare with: No module named 'torch'"):
        helpers.import_torch()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needed for the comparison"):
        helpers.import_torch()


def test_an_unusable_gpu_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbtorch.cuda.why_unavailable", lambda: "no driver")
    with pytest.raises(pytest.UsageError, match="--device cuda: no driver"):
        helpers.use_device("cuda")
