"""Recurrent layers and packed sequences beside PyTorch."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest

torch = helpers.import_torch()

from conformance import oracle  # noqa: E402

import nbtorch  # noqa: E402

HOST = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)
LENGTHS = [2, 5, 3]

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "projected": ("LSTM", {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
    "dropout": ("LSTM", {"num_layers": 3, "dropout": 0.4}),
    "both ways": ("GRU", {"num_layers": 2, "bidirectional": True, "dropout": 0.3}),
    "relu": ("RNN", {"nonlinearity": "relu", "num_layers": 2, "bias": False}),
}


def pair(name: str, options: dict[str, Any]) -> tuple[Any, Any]:
    torch.manual_seed(3)
    nbtorch.manual_seed(3)
    theirs = getattr(torch.nn, name)(4, 6, **options)
    mine = getattr(nbtorch.nn, name)(4, 6, **options).to(helpers.device_name())
    assert repr(mine) == repr(theirs)
    for a, b in zip(mine.state_dict().values(), theirs.state_dict().values(), strict=True):
        helpers.same(a, b)
    return mine, theirs


def run(side: Any, model: Any, x: Any, packed: bool) -> tuple[list[Any], list[Any]]:
    side.manual_seed(5)
    rnn = side.nn.utils.rnn
    given = rnn.pack_padded_sequence(x, LENGTHS, enforce_sorted=False) if packed else x
    out, ends = model(given)
    if packed:
        out, lengths = rnn.pad_packed_sequence(out, padding_value=0.5, total_length=7)
        assert lengths.tolist() == LENGTHS
    outs = [out, *(ends if isinstance(ends, tuple) else (ends,))]
    sum((o * o).sum() for o in outs).backward()
    return outs, [x.grad, *[p.grad for p in model.parameters()]]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_like_pytorch(case: str, packed: bool) -> None:
    name, options = CASES[case]
    mine, theirs = pair(name, options)
    xs = helpers.to_nbtorch(HOST, requires_grad=True), helpers.to_torch(HOST, requires_grad=True)
    got, expected = run(nbtorch, mine, xs[0], packed), run(torch, theirs, xs[1], packed)
    for a, b in zip(got[0] + got[1], expected[0] + expected[1], strict=True):
        np.testing.assert_allclose(a.detach().cpu().numpy(), b.detach().numpy(), rtol=2e-4, atol=2e-6, err_msg=case)


def test_sequences() -> None:
    for side, make in ((nbtorch, helpers.to_nbtorch), (torch, helpers.to_torch)):
        rnn = side.nn.utils.rnn
        pieces = [make(HOST[:n, 0]) for n in LENGTHS]
        padded = rnn.pad_sequence(pieces, batch_first=True, padding_value=-1.0, padding_side="left")
        packed = rnn.pack_sequence(pieces, enforce_sorted=False)
        back = rnn.unpack_sequence(packed)
        found = [padded, *packed, *back, packed.double().data]
        if side is nbtorch:
            mine = found
    for a, b in zip(mine, found, strict=True):
        helpers.same(a, b)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_padding(batch_first: bool, side: str) -> None:
    """Values and gradients; the first sequence says which dtype, one may be empty, one row may stand for several."""
    results = []
    for lib, make in ((nbtorch, helpers.to_nbtorch), (torch, helpers.to_torch)):
        pieces = [make(HOST[:n, 0], requires_grad=True) for n in (2, 0, 5)]
        padded = lib.nn.utils.rnn.pad_sequence(pieces, batch_first, -1.0, side)
        (padded**2).sum().backward()
        mixed = lib.nn.utils.rnn.pad_sequence([make(np.arange(3)), make(np.ones(1))], batch_first, 1.7, side)
        row = lib.nn.utils.rnn.pad_sequence([make(HOST[:, 0]), make(HOST[:2, 0, :1])], batch_first, 0, side)
        results.append([padded, *(piece.grad for piece in pieces), mixed, row])
    helpers.same(*results)


WRONG: dict[str, Any] = {
    "mode": lambda s: s.nn.RNN(2, 3, nonlinearity="sin"),
    "projection": lambda s: s.nn.GRU(2, 3, proj_size=1),
    "large projection": lambda s: s.nn.LSTM(2, 3, proj_size=3),
    "dropout": lambda s: s.nn.LSTM(2, 3, dropout=1.5),
    "size": lambda s: s.nn.LSTM(0, 3),
    "kind": lambda s: s.nn.LSTM(2, 3.0),
    "bias": lambda s: s.nn.LSTM(2, 3, bias=1),
    "dims": lambda s: s.nn.LSTM(2, 3)(s.zeros(2)),
    "features": lambda s: s.nn.LSTM(2, 3)(s.zeros(2, 2, 3)),
    "dtype": lambda s: s.nn.LSTM(2, 3)(s.zeros(2, 2, 2, dtype=s.float64)),
    "steps": lambda s: s.nn.LSTM(2, 3)(s.zeros(0, 2, 2)),
    "hidden": lambda s: s.nn.GRU(2, 3)(s.zeros(2, 2, 2), s.zeros(1, 2, 4)),
    "hidden dims": lambda s: s.nn.LSTM(2, 3)(s.zeros(2, 2), (s.zeros(1, 2, 3), s.zeros(1, 2, 3))),
    "cell dims": lambda s: s.nn.LSTMCell(2, 3)(s.zeros(2, 2, 2)),
    "cell hidden": lambda s: s.nn.GRUCell(2, 3)(s.zeros(2, 2), s.zeros(2, 4)),
    "cell batch": lambda s: s.nn.RNNCell(2, 3)(s.zeros(2, 2), s.zeros(3, 3)),
    "unsorted": lambda s: s.nn.utils.rnn.pack_padded_sequence(s.zeros(3, 2, 1), [1, 2]),
    "nothing": lambda s: s.nn.utils.rnn.pack_padded_sequence(s.zeros(3, 2, 1), [2, 0]),
    "how many": lambda s: s.nn.utils.rnn.pack_padded_sequence(s.zeros(3, 2, 1), [2]),
    "total": lambda s: s.nn.utils.rnn.pad_packed_sequence(
        s.nn.utils.rnn.pack_padded_sequence(s.zeros(3, 2, 1), [2, 1]), total_length=1
    ),
    "not many": lambda s: s.nn.utils.rnn.pad_sequence(3),
    "none": lambda s: s.nn.utils.rnn.pad_sequence([]),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors(case: str) -> None:
    with pytest.raises(Exception) as theirs:
        WRONG[case](torch)
    with pytest.raises(type(theirs.value)) as mine:
        WRONG[case](nbtorch)
    assert str(mine.value).split(".")[0][:30] == str(theirs.value).split(".")[0][:30]


def test_functions() -> None:
    """The functions below the layers, in both signatures."""
    torch.manual_seed(0)
    model = torch.nn.LSTM(4, 6).double()
    x, h = torch.randn(5, 3, 4, dtype=torch.float64), torch.randn(2, 1, 3, 6, dtype=torch.float64)
    sizes = torch.tensor([3, 2])
    for arguments in (
        (x, (h[0], h[1]), list(model.parameters()), True, 1, 0.0, True, False, False),
        (x.reshape(15, 4)[:5], sizes, (h[0], h[1]), list(model.parameters()), True, 1, 0.0, True, False),
    ):
        oracle.compare_values(nbtorch.lstm(*oracle.translate(arguments)), torch.lstm(*arguments))
