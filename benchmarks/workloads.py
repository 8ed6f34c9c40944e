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


def _classifier(torch: Any, sizes: list[int], batch: int, optimizer: str = "SGD", **options: Any) -> Step:
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=(batch, sizes[0])).astype(np.float32))
    y = torch.tensor(rng.integers(0, sizes[-1], batch))
    layers: list[Any] = []
    for n, m in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(n, m), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    _seeded(torch, model, rng)
    chosen = getattr(torch.optim, optimizer)(model.parameters(), **options)
    return _training(model, torch.nn.CrossEntropyLoss(), chosen, x, y)


def small_mlp(torch: Any) -> Step:
    """MLP 64-128-128-10, batch 64, SGD with momentum: the size of the digits lesson."""
    return _classifier(torch, [64, 128, 128, 10], 64, lr=0.05, momentum=0.9)


def adam_mlp(torch: Any) -> Step:
    """The same with Adam."""
    return _classifier(torch, [64, 128, 128, 10], 64, "Adam", lr=1e-3)


def large_mlp(torch: Any) -> Step:
    """MLP 784-512-512-10, batch 128, SGD with momentum."""
    return _classifier(torch, [784, 512, 512, 10], 128, lr=0.05, momentum=0.9)


def _images(torch: Any, layers: list[Any], shape: tuple[int, ...], **options: Any) -> Step:
    """A step of a network of ``layers`` over random images of ``shape`` (N, C, H, W) with 10 classes, SGD."""
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=shape).astype(np.float32))
    y = torch.tensor(rng.integers(0, 10, shape[0]))
    model = torch.nn.Sequential(*layers)
    _seeded(torch, model, rng)
    return _training(model, torch.nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), **options), x, y)


def lenet(torch: Any) -> Step:
    """A network like LeNet-5, batch 64, 28x28, SGD with momentum."""
    nn = torch.nn
    layers = [nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
              nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
              nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]  # fmt: skip
    return _images(torch, layers, (64, 1, 28, 28), lr=0.01, momentum=0.9)


def vgg(torch: Any) -> Step:
    """A small VGG with batch normalisation, batch 32, 32x32, SGD with momentum."""
    nn = torch.nn
    layers: list[Any] = []
    channels = 3
    for width in (16, 32, 64):
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    layers += [nn.Flatten(), nn.Linear(64 * 4 * 4, 128), nn.ReLU(), nn.Linear(128, 10)]
    return _images(torch, layers, (32, 3, 32, 32), lr=0.01, momentum=0.9)


def lstm(torch: Any) -> Step:
    """One LSTM layer 32 -> 64 over 20 steps, batch 32, and a linear layer over the last output, Adam."""
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=(32, 20, 32)).astype(np.float32))
    y = torch.tensor(rng.integers(0, 10, 32))

    class Reader(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.rnn = torch.nn.LSTM(32, 64, batch_first=True)
            self.head = torch.nn.Linear(64, 10)

        def forward(self, x: Any) -> Any:
            return self.head(self.rnn(x)[0][:, -1])

    model = Reader()
    _seeded(torch, model, rng)
    return _training(model, torch.nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), x, y)


def gpt(torch: Any) -> Step:
    """A GPT of 4 layers, width 128, 4 heads, 64 tokens, batch 8, vocabulary 65, AdamW."""
    nn, functional = torch.nn, torch.nn.functional
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 65, (8, 65))
    x, y = torch.tensor(tokens[:, :-1].copy()), torch.tensor(tokens[:, 1:].copy())

    class Block(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(128), nn.LayerNorm(128)
            self.project, self.merge = nn.Linear(128, 384), nn.Linear(128, 128)
            self.mlp = nn.Sequential(nn.Linear(128, 512), nn.GELU(), nn.Linear(512, 128))

        def forward(self, x: Any) -> Any:
            n, length, width = x.shape
            q, k, v = (
                part.view(n, length, 4, width // 4).transpose(1, 2)
                for part in self.project(self.norm1(x)).split(width, dim=2)
            )
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.merge(mixed.transpose(1, 2).reshape(n, length, width))
            return x + self.mlp(self.norm2(x))

    class Gpt(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.token, self.position = nn.Embedding(65, 128), nn.Embedding(64, 128)
            self.blocks = nn.Sequential(*[Block() for _ in range(4)])
            self.norm, self.head = nn.LayerNorm(128), nn.Linear(128, 65, bias=False)

        def forward(self, x: Any) -> Any:
            at = torch.arange(x.shape[1])
            logits = self.head(self.norm(self.blocks(self.token(x) + self.position(at))))
            return logits.view(-1, 65)

    model = Gpt()
    _seeded(torch, model, rng)
    return _training(model, nn.CrossEntropyLoss(), torch.optim.AdamW(model.parameters(), lr=1e-3), x, y.view(-1))


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
    "adam_mlp": (adam_mlp, 100, 0.6),
    "large_mlp": (large_mlp, 15, 1.0),
    "lenet": (lenet, 4, 1.0),
    "vgg": (vgg, 2, 1.2),
    "lstm": (lstm, 20, 1.0),
    "gpt": (gpt, 2, 1.2),
    "elementwise": (elementwise, 5, 0.8),
    "long_chain": (long_chain, 1, 1.0),
}
