"""Layers that learn their input's size, beside PyTorch."""

from __future__ import annotations

import copy
from typing import Any

import helpers
import numpy as np
import pytest

torch = helpers.import_torch()

import nbtorch  # noqa: E402

CASES: dict[str, Any] = {
    "LazyLinear": (lambda s: s.nn.LazyLinear(3), (2, 5)),
    "LazyLinear plain": (lambda s: s.nn.LazyLinear(3, bias=False), (2, 5)),
    "LazyConv2d": (lambda s: s.nn.LazyConv2d(4, 3, padding=1), (2, 3, 5, 5)),
    "LazyConvTranspose1d": (lambda s: s.nn.LazyConvTranspose1d(4, 3, bias=False), (2, 3, 5)),
    "LazyBatchNorm1d": (lambda s: s.nn.LazyBatchNorm1d(), (4, 3)),
    "LazyBatchNorm2d": (lambda s: s.nn.LazyBatchNorm2d(affine=False), (4, 3, 2, 2)),
    "LazyInstanceNorm1d": (lambda s: s.nn.LazyInstanceNorm1d(affine=True), (4, 3, 2)),
}


@pytest.mark.parametrize("case", CASES)
def test_like_pytorch(case: str) -> None:
    make, shape = CASES[case]
    theirs, mine = make(torch), make(nbtorch).to(helpers.device_name())
    assert repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    copied = copy.deepcopy(mine)
    host = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    torch.manual_seed(3)
    expected = theirs(torch.from_numpy(host))
    nbtorch.manual_seed(3)
    got = mine(helpers.to_nbtorch(host))
    helpers.same(got, expected, 1e-5, 1e-5)
    assert type(mine).__name__ == type(theirs).__name__
    assert repr(mine) == repr(theirs)
    # A copy made before takes its shapes from a state dict.
    copied.load_state_dict(mine.state_dict())
    for a, b in zip(copied.state_dict().values(), theirs.state_dict().values(), strict=True):
        helpers.same(a, b, 1e-5, 1e-6)


def test_uninitialized() -> None:
    for side in (nbtorch, torch):
        layer = side.nn.LazyLinear(2)
        assert repr(layer.weight) == "<UninitializedParameter>"
        with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized"):
            _ = layer.weight.shape
        assert isinstance(layer.weight, side.nn.parameter.UninitializedParameter)
        side.optim.SGD(layer.parameters(), lr=0.1)
