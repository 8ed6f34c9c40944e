"""Files go between nbtorch and PyTorch in both directions; nothing in a file runs; what is damaged is refused."""

from __future__ import annotations

import collections
import io
from pathlib import Path
from typing import Any

import helpers
import numpy as np
import pytest

import nbtorch
from nbtorch import serialization

torch = helpers.import_torch()
DTYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")


def content(lib: Any) -> Any:
    base = lib.arange(12.0).reshape(3, 4)
    named = lib.ones(2)
    named.note = "kept"
    return {
        "dtypes": [lib.tensor([0, 1, 1]).to(getattr(lib, d)) for d in DTYPES],
        "views": (base, base[1], base.t(), base[:, ::2], base[1:1]),
        "scalar": lib.tensor(2.5),
        "empty": lib.zeros(0, 3),
        "parameter": lib.nn.Parameter(lib.ones(2, 2)),
        "frozen": lib.nn.Parameter(lib.ones(2), requires_grad=False),
        "leaf": lib.ones(3, requires_grad=True),
        "named": named,
        "ordered": collections.OrderedDict(b=1, a=[None, True, 2**70, -1, 1.5, "텍스트", b"bytes", {1, 2}]),
        "size": lib.ones(2, 3).shape,
        "dtype": lib.float16,
        "device": lib.device("cpu"),
    }


def check(found: Any, expected: Any) -> None:
    assert list(found) == list(expected)
    for name in ("dtypes", "views", "scalar", "empty", "leaf", "named", "parameter", "frozen"):
        helpers.same(found[name], expected[name])
    assert found["ordered"] == expected["ordered"]
    assert type(found["ordered"]) is collections.OrderedDict
    assert tuple(found["size"]) == (2, 3)
    assert str(found["dtype"]) == "torch.float16"
    assert str(found["device"]) == "cpu"
    assert found["named"].note == "kept"
    assert type(found["parameter"]).__name__ == "Parameter"
    assert [found[n].requires_grad for n in ("parameter", "frozen", "leaf", "scalar")] == [True, False, True, False]
    whole, row, *_ = found["views"]
    row[0] = 100  # views share their memory still
    assert float(whole[1, 0]) == 100


def test_pytorch_reads_ours(tmp_path: Path) -> None:
    path = tmp_path / "ours.pt"
    nbtorch.save(content(nbtorch), path)
    check(torch.load(path, weights_only=True), content(torch))


def test_we_read_pytorchs(tmp_path: Path) -> None:
    path = tmp_path / "theirs.pt"
    torch.save(content(torch), path)
    found = nbtorch.load(path)
    assert isinstance(found["scalar"], nbtorch.Tensor)
    assert isinstance(found["parameter"], nbtorch.nn.Parameter)
    check(found, content(nbtorch))


def test_we_read_ours_from_a_buffer() -> None:
    buffer = io.BytesIO()
    nbtorch.save(content(nbtorch), buffer)
    buffer.seek(0)
    check(nbtorch.load(buffer), content(nbtorch))


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "RMSprop"])
def test_training_goes_on_in_the_other_library(tmp_path: Path, optimizer: str) -> None:
    def trained(lib: Any, steps: int, start: str | None, path: Path) -> list[float]:
        lib.manual_seed(0)
        model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Linear(4, 1))
        options = {"momentum": 0.9} if optimizer == "SGD" else {}
        opt = getattr(lib.optim, optimizer)(model.parameters(), lr=0.05, **options)
        if start is not None:
            checkpoint = lib.load(start)
            model.load_state_dict(checkpoint["model"])
            opt.load_state_dict(checkpoint["optimizer"])
        x = lib.arange(12.0).reshape(4, 3) / 10
        losses = []
        for _ in range(steps):
            opt.zero_grad()
            loss = ((model(x) - 1) ** 2).mean()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        lib.save({"model": model.state_dict(), "optimizer": opt.state_dict(), "epoch": steps}, path)
        return losses

    for first, second in ((nbtorch, torch), (torch, nbtorch)):
        start = tmp_path / "start.pt"
        trained(first, 5, None, start)
        ours = trained(second, 5, str(start), tmp_path / "b.pt")
        theirs = trained(first, 5, str(start), tmp_path / "c.pt")
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def test_classes_of_ones_own_have_to_be_trusted() -> None:
    buffer = io.BytesIO()
    nbtorch.save({"x": Settings(3)}, buffer)
    with pytest.raises(serialization.UnpicklingError, match="add_safe_globals"):
        nbtorch.load(buffer)
    with serialization.safe_globals([Settings]):
        assert nbtorch.load(buffer)["x"].size == 3
    with pytest.raises(serialization.UnpicklingError):
        nbtorch.load(buffer)


class Settings:
    def __init__(self, size: int) -> None:
        self.size = size
