"""With equal seeds the same numbers as PyTorch: weights, splits, orders and masks, one after the other.

Every case draws once more at its end, so that what was drawn before must have taken the same number of random words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sides import as_torch

CASES: list[Any] = []


def case(function: Any) -> Any:
    CASES.append(pytest.param(function, id=function.__name__))
    return function


@pytest.mark.parametrize("seed", [0, 12345])
@pytest.mark.parametrize("function", CASES)
def test_as_torch(function: Any, seed: int, torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        lib.manual_seed(seed)
        return function(lib), lib.rand(2)

    as_torch(run)


@case
def weights(lib: Any) -> Any:
    nn = lib.nn
    layers = (nn.Linear(7, 33), nn.Linear(3, 2, bias=False), nn.Bilinear(3, 4, 5), nn.Embedding(10, 6), nn.PReLU(3))
    return [p for layer in layers for p in layer.parameters()]


INITIALISERS = (
    "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "trunc_normal_", "orthogonal_",
    "uniform_", "normal_",
)  # fmt: skip


@case
def initialisers(lib: Any) -> Any:
    drawn = [getattr(lib.nn.init, name)(lib.zeros(20, 30)) for name in INITIALISERS]
    drawn.append(lib.nn.init.trunc_normal_(lib.zeros(20, 30), 0.0, 1.0, 1.0, 2.0))
    drawn.append(lib.nn.init.sparse_(lib.zeros(20, 30), 0.3))
    return drawn


@case
def shuffled_batches(lib: Any) -> Any:
    data = lib.utils.data
    loader = data.DataLoader(data.TensorDataset(lib.make(np.arange(37))), batch_size=8, shuffle=True)
    return [list(loader) for _ in range(2)]


@case
def shuffled_batches_by_a_generator(lib: Any) -> Any:
    data = lib.utils.data
    generator = lib.Generator()
    generator.manual_seed(5)
    loader = data.DataLoader(data.TensorDataset(lib.make(np.arange(37))), 8, shuffle=True, generator=generator)
    return [list(loader) for _ in range(2)]


@case
def an_unshuffled_loader_draws_too(lib: Any) -> Any:
    return list(lib.utils.data.DataLoader([1, 2, 3]))


@case
def splits_and_samplers(lib: Any) -> Any:
    data = lib.utils.data
    return [
        [list(part.indices) for part in data.random_split(range(30), [10, 20])],
        list(data.RandomSampler(range(9), replacement=True, num_samples=40)),
        list(data.RandomSampler(range(9), num_samples=12)),
        list(data.WeightedRandomSampler([1.0, 2.0, 3.0], 40)),
        list(data.WeightedRandomSampler([1.0, 2.0, 3.0, 5.0], 4, replacement=False)),
        list(data.SubsetRandomSampler(range(9))),
    ]


@case
def masks(lib: Any) -> Any:
    """PyTorch draws dropout's mask in another way where Intel's library does it; then only its share is the same."""
    F, ones = lib.nn.functional, lib.ones(1000)
    dropped = F.dropout(ones, 0.3), F.alpha_dropout(ones, 0.3, training=True)
    if _intel():
        lib.manual_seed(1)
        return [], F.rrelu(-ones, training=True)
    return dropped, F.rrelu(lib.make(np.linspace(-1, 1, 50, dtype=np.float32)), training=True)


def _intel() -> bool:
    try:
        with open("/proc/cpuinfo", encoding="ascii") as file:
            return "GenuineIntel" in file.read()
    except OSError:
        return True


@case
def training(lib: Any) -> Any:
    """Nothing but the seed: weights, order and losses of a whole run."""
    nn, data = lib.nn, lib.utils.data
    m = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3)).to(lib.device)
    dataset = data.TensorDataset(lib.arange(40, 4), lib.make(np.arange(40) % 3))
    optimizer = lib.optim.SGD(m.parameters(), lr=0.1, momentum=0.9)
    criterion, losses = nn.CrossEntropyLoss(), []
    for _ in range(3):
        for x, y in data.DataLoader(dataset, batch_size=16, shuffle=True):
            optimizer.zero_grad()
            loss = criterion(m(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses
