"""The workloads: each builds a model with the library it is given and returns a function that takes one step.

A step returns its loss, so that both libraries can be seen to do the same work. Numbers come from NumPy's generator
with a fixed seed, so that both start from the same weights and data.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

Step = Callable[[], float]


def _seeded(torch: Any, module: Any, rng: np.random.Generator) -> None:
    """Gives every parameter numbers that do not depend on the library's own random stream."""
    with torch.no_grad():
        for p in module.parameters():
            bound = 1 / np.sqrt(p.shape[-1])
            p.copy_(torch.tensor(rng.uniform(-bound, bound, tuple(p.shape)).astype(np.float32)))


def _training(model: Any, criterion: Any, optimizer: Any, x: Any, y: Any) -> Step:
    def step() -> float:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def linear_regression(torch: Any) -> Step:
    """The article's program: 4 points, 1 weight, 1 bias, mean squared error, SGD."""
    x = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    y = torch.tensor([[2.0], [4.0], [6.0], [8.0]])
    model = torch.nn.Linear(1, 1)
    _seeded(torch, model, np.random.default_rng(0))
    return _training(model, torch.nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.01), x, y)


def chain(torch: Any) -> Step:
    """Ten multiplications of 4 elements, a sum, and backward."""
    rng = np.random.default_rng(0)
    a = torch.tensor(rng.normal(size=4).astype(np.float32), requires_grad=True)
    b = torch.tensor(rng.uniform(0.9, 1.1, 4).astype(np.float32))

    def step() -> float:
        a.grad = None
        z = a
        for _ in range(10):
            z = z * b
        total = z.sum()
        total.backward()
        return float(total.item())

    return step


def _classifier(torch: Any, sizes: list[int], batch: int, **options: Any) -> Step:
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=(batch, sizes[0])).astype(np.float32))
    y = torch.tensor(rng.integers(0, sizes[-1], batch))
    layers: list[Any] = []
    for n, m in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(n, m), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    _seeded(torch, model, rng)
    return _training(model, torch.nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), **options), x, y)


def small_mlp(torch: Any) -> Step:
    """MLP 64-128-128-10, batch 64, SGD with momentum: the size of the digits lesson."""
    return _classifier(torch, [64, 128, 128, 10], 64, lr=0.05, momentum=0.9)


def large_mlp(torch: Any) -> Step:
    """MLP 784-512-512-10, batch 128, SGD with momentum."""
    return _classifier(torch, [784, 512, 512, 10], 128, lr=0.05, momentum=0.9)


def elementwise(torch: Any) -> Step:
    """A chain of elementwise functions of a million elements, forward and backward."""
    x = torch.tensor(np.random.default_rng(0).normal(size=10**6).astype(np.float32), requires_grad=True)

    def step() -> float:
        x.grad = None
        total = ((x * 0.5).tanh() * x.sigmoid() + (-x * x).exp()).mean()
        total.backward()
        return float(total.item())

    return step


def long_chain(torch: Any) -> Step:
    """A chain of 100,000 additions and backward."""
    x = torch.tensor([1.0], requires_grad=True)

    def step() -> float:
        x.grad = None
        z = x
        for _ in range(100_000):
            z = z + 1e-6
        z.backward()
        return float(z.item())

    return step


# name -> (workload, steps in one measurement, the ratio to reach)
WORKLOADS: dict[str, tuple[Callable[[Any], Step], int, float]] = {
    "linear_regression": (linear_regression, 300, 0.25),
    "chain": (chain, 300, 0.8),
    "small_mlp": (small_mlp, 100, 1.0),
    "large_mlp": (large_mlp, 15, 1.0),
    "elementwise": (elementwise, 5, 0.8),
    "long_chain": (long_chain, 1, 1.0),
}
