"""Bags of rows, against PyTorch, where its database doesn't reach."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest

torch = helpers.import_torch()

import nbtorch  # noqa: E402

CALLS: dict[str, dict[str, Any]] = {
    "a last offset": {"offsets": [0, 2, 4], "include_last_offset": True},
    "an empty bag": {"offsets": [0, 2, 2]},
    "an empty bag, largest": {"offsets": [0, 2, 2], "mode": "max"},
    "nothing but padding": {"offsets": [0, 1], "mode": "max", "padding_idx": 1},
    "padding from the end": {"offsets": [0, 2], "padding_idx": -1},
    "shortened rows": {"offsets": [0, 2], "max_norm": 0.5},
    "offsets that don't begin at 0": {"offsets": [1, 2]},
    "offsets beyond the end": {"offsets": [0, 7]},
    "padding out of range": {"offsets": [0, 2], "padding_idx": 5},
    "no offsets": {},
    "another mode": {"offsets": [0], "mode": "most"},
    "weights of a mean": {"offsets": [0], "per_sample_weights": [1.0, 1.0, 1.0, 1.0]},
}


@pytest.mark.parametrize("name", CALLS)
def test_against_pytorch(name: str) -> None:
    numbers, index = np.random.default_rng(0).normal(size=(5, 3)), np.array([1, 2, 4, 1])

    def run(lib: Any, make: Any) -> tuple[Any, Any]:
        weight = make(numbers, requires_grad="max_norm" not in CALLS[name])
        given = dict(CALLS[name])
        if "offsets" in given:
            given["offsets"] = make(np.array(given["offsets"], np.int64))
        if "per_sample_weights" in given:
            given["per_sample_weights"] = make(np.array(given["per_sample_weights"]))
        result = lib.nn.functional.embedding_bag(make(index), weight, **given)
        if weight.requires_grad:
            result.sum().backward()
        return result, weight.grad if weight.requires_grad else weight

    try:
        expected = run(torch, helpers.to_torch)
    except Exception as error:
        with pytest.raises(type(error)):
            run(nbtorch, helpers.to_nbtorch)
        return
    for mine, theirs in zip(run(nbtorch, helpers.to_nbtorch), expected, strict=True):
        helpers.same(mine, theirs)


def test_gradients_divided_by_frequency() -> None:
    """PyTorch's CPU divides by another row's frequency here; its documentation means this."""
    weight = helpers.to_nbtorch(np.zeros((5, 2)), requires_grad=True)
    index, offsets = helpers.to_nbtorch(np.array([1, 2, 4, 1])), helpers.to_nbtorch(np.array([0, 2]))
    nbtorch.nn.functional.embedding_bag(index, weight, offsets, scale_grad_by_freq=True, mode="sum").sum().backward()
    helpers.same(weight.grad, np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]))
