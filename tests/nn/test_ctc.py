"""The CTC loss, against PyTorch, where its database doesn't reach."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest

torch = helpers.import_torch()

import nbtorch  # noqa: E402

LABELS = np.array([[1, 2, 2], [3, 1, 0]])

CALLS: dict[str, dict[str, Any]] = {
    "one after the other": {"targets": np.array([1, 2, 2, 3, 1]), "target_lengths": (3, 2)},
    "another blank": {"targets": np.array([[0, 1, 1], [0, 1, 0]]), "target_lengths": (3, 2), "blank": 3},
    "lengths as tensors": {"target_lengths": np.array([3, 2]), "input_lengths": np.array([6, 4])},
    "int32": {"targets": LABELS.astype(np.int32), "target_lengths": (3, 2)},
    "too short": {"target_lengths": (3, 2), "input_lengths": (2, 6), "reduction": "none"},
    "too short, counted as 0": {"target_lengths": (3, 2), "input_lengths": (2, 6), "zero_infinity": True},
    "no labels": {"target_lengths": (0, 0), "reduction": "none"},
    "no labels for one": {"target_lengths": (0, 2), "reduction": "sum"},
    "too many steps": {"target_lengths": (3, 2), "input_lengths": (7, 6)},
    "too few labels": {"target_lengths": (4, 2)},
    "lengths that are missing": {"target_lengths": (3,)},
    "blank out of range": {"target_lengths": (3, 2), "blank": 4},
    "a reduction of no name": {"target_lengths": (3, 2), "reduction": "most"},
}


@pytest.mark.parametrize("name", CALLS)
def test_against_pytorch(name: str) -> None:
    numbers = np.random.default_rng(0).normal(size=(6, 2, 4))
    numbers -= np.log(np.exp(numbers).sum(2, keepdims=True))
    given = {"targets": LABELS, "input_lengths": (6, 5), **CALLS[name]}

    def run(lib: Any, make: Any) -> tuple[Any, Any]:
        x = make(numbers, requires_grad=True)
        loss = lib.nn.functional.ctc_loss(x, **{k: make(v) if hasattr(v, "dtype") else v for k, v in given.items()})
        loss.sum().backward()
        return loss, x.grad

    try:
        expected = run(torch, helpers.to_torch)
    except Exception as error:
        with pytest.raises(type(error)):
            run(nbtorch, helpers.to_nbtorch)
        return
    result = run(nbtorch, helpers.to_nbtorch)
    for a, b in zip(result, expected, strict=True):
        helpers.same(a, b)


def test_a_single_sample() -> None:
    numbers = np.log(np.full((4, 3), 1 / 3))
    theirs = torch.nn.functional.ctc_loss(
        helpers.to_torch(numbers), torch.tensor([1, 2]), torch.tensor(4), torch.tensor(2), reduction="none"
    )
    mine = nbtorch.nn.functional.ctc_loss(
        helpers.to_nbtorch(numbers), helpers.to_nbtorch(np.array([1, 2])), 4, 2, reduction="none"
    )
    helpers.same(mine, theirs)
