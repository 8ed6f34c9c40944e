"""Weights computed from others, beside PyTorch."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import helpers
import numpy as np
import pytest

torch = helpers.import_torch()

import nbtorch  # noqa: E402

CASES: dict[str, Any] = {
    "weight": lambda s, m: s.nn.utils.parametrizations.weight_norm(m),
    "weight of all": lambda s, m: s.nn.utils.parametrizations.weight_norm(m, dim=None),
    "spectral": lambda s, m: s.nn.utils.parametrizations.spectral_norm(m),
    "old weight": lambda s, m: s.nn.utils.weight_norm(m),
    "old spectral": lambda s, m: s.nn.utils.spectral_norm(m, n_power_iterations=2),
}
REMOVED: dict[str, Any] = {
    "old weight": lambda s, m: s.nn.utils.remove_weight_norm(m),
    "old spectral": lambda s, m: s.nn.utils.remove_spectral_norm(m),
}


@pytest.mark.parametrize("case", CASES)
def test_like_pytorch(case: str) -> None:
    host = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    found: dict[Any, list[Any]] = {}
    for side, x in ((torch, helpers.to_torch(host)), (nbtorch, helpers.to_nbtorch(host))):
        side.manual_seed(0)
        model = side.nn.Linear(4, 5)
        if side is nbtorch:
            model.to(helpers.device_name())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = CASES[case](side, model)
        optimizer = side.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (model(x) ** 2).sum().backward()
            optimizer.step()
        twin = copy.deepcopy(model.eval()) if "old" not in case else model.eval()
        out = twin(x)
        state = model.state_dict()
        remove = REMOVED.get(case, lambda s, m: s.nn.utils.parametrize.remove_parametrizations(m, "weight"))
        text = repr(model)
        found[side] = [text, list(state), [*state.values(), out, remove(side, model).weight, model(x)], repr(model)]
    assert found[nbtorch][0] == found[torch][0]
    assert found[nbtorch][1] == found[torch][1]
    assert found[nbtorch][3] == found[torch][3]
    for a, b in zip(found[nbtorch][2], found[torch][2], strict=True):
        helpers.same(a, b, 1e-4, 1e-5)


def test_own_parametrization() -> None:
    for side in (torch, nbtorch):

        class Symmetric(side.nn.Module):  # type: ignore[name-defined, misc]
            def forward(self, x: Any) -> Any:
                return x.triu() + x.triu(1).T

            def right_inverse(self, x: Any) -> Any:
                return x.triu()

        layer = side.nn.Linear(3, 3)
        parametrize = side.nn.utils.parametrize
        parametrize.register_parametrization(layer, "weight", Symmetric())
        assert parametrize.is_parametrized(layer, "weight") and not parametrize.is_parametrized(layer, "bias")
        assert side.equal(layer.weight, layer.weight.T)
        with parametrize.cached():
            assert layer.weight is layer.weight
        layer.weight = side.ones(3, 3)
        assert side.equal(layer.weight, side.ones(3, 3))
        assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
        assert parametrize.type_before_parametrizations(layer) is side.nn.Linear
        parametrize.remove_parametrizations(layer, "weight")
        assert type(layer) is side.nn.Linear and isinstance(layer.weight, side.nn.Parameter)
        with pytest.raises(ValueError, match="does not have a parameter"):
            parametrize.register_parametrization(layer, "nothing", Symmetric())
