"""The workloads: each builds a model with the library it is given and returns a function that takes one step.

A step returns its loss, so that both libraries can be seen to do the same work. Numbers come from NumPy's generator
with a fixed seed, so that both start from the same weights and data. Tensors are made on the default device, which the
caller chooses with ``with torch.device(...)``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Step = Callable[[], float]
Make = Callable[[Any], Step]


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


def classifier(torch: Any, sizes: list[int], batch: int, optimizer: str = "SGD", **options: Any) -> Step:
    """A step of an MLP with ReLU between layers of ``sizes``, over random points of random classes."""
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
    return classifier(torch, [64, 128, 128, 10], 64, lr=0.05, momentum=0.9)


def adam_mlp(torch: Any) -> Step:
    """The same with Adam."""
    return classifier(torch, [64, 128, 128, 10], 64, "Adam", lr=1e-3)


def large_mlp(torch: Any) -> Step:
    """MLP 784-512-512-10, batch 128, SGD with momentum."""
    return classifier(torch, [784, 512, 512, 10], 128, lr=0.05, momentum=0.9)


def images(torch: Any, layers: list[Any], shape: tuple[int, ...], **options: Any) -> Step:
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
    return images(torch, layers, (64, 1, 28, 28), lr=0.01, momentum=0.9)


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
    return images(torch, layers, (32, 3, 32, 32), lr=0.01, momentum=0.9)


def recurrent(torch: Any, layer: Any, width: int, length: int, batch: int) -> Step:
    """A step of a recurrent layer over random sequences, and a linear layer over its last output, Adam."""
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=(batch, length, layer.input_size)).astype(np.float32))
    y = torch.tensor(rng.integers(0, 10, batch))

    class Reader(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.rnn = layer
            self.head = torch.nn.Linear(width, 10)

        def forward(self, x: Any) -> Any:
            return self.head(self.rnn(x)[0][:, -1])

    model = Reader()
    _seeded(torch, model, rng)
    return _training(model, torch.nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), x, y)


def lstm(torch: Any) -> Step:
    """One LSTM layer 32 -> 64 over 20 steps, batch 32, and a linear layer over the last output, Adam."""
    return recurrent(torch, torch.nn.LSTM(32, 64, batch_first=True), 64, 20, 32)


def gru(torch: Any) -> Step:
    """Two GRU layers 16 -> 48 over 40 steps, batch 16."""
    return recurrent(torch, torch.nn.GRU(16, 48, num_layers=2, batch_first=True), 48, 40, 16)


def transformer(torch: Any, layers: int, width: int, heads: int, length: int, batch: int) -> Step:
    """A step of a GPT over random text of 65 letters, AdamW."""
    nn, functional = torch.nn, torch.nn.functional
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 65, (batch, length + 1))
    x, y = torch.tensor(tokens[:, :-1].copy()), torch.tensor(tokens[:, 1:].copy())

    class Block(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.project, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any) -> Any:
            n, length, _ = x.shape
            q, k, v = (
                part.view(n, length, heads, width // heads).transpose(1, 2)
                for part in self.project(self.norm1(x)).split(width, dim=2)
            )
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.merge(mixed.transpose(1, 2).reshape(n, length, width))
            return x + self.mlp(self.norm2(x))

    class Gpt(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.token, self.position = nn.Embedding(65, width), nn.Embedding(length, width)
            self.blocks = nn.Sequential(*[Block() for _ in range(layers)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 65, bias=False)

        def forward(self, x: Any) -> Any:
            at = torch.arange(x.shape[1], device=x.device)
            logits = self.head(self.norm(self.blocks(self.token(x) + self.position(at))))
            return logits.view(-1, 65)

    model = Gpt()
    _seeded(torch, model, rng)
    return _training(model, nn.CrossEntropyLoss(), torch.optim.AdamW(model.parameters(), lr=1e-3), x, y.view(-1))


def gpt(torch: Any) -> Step:
    """A GPT of 4 layers, width 128, 4 heads, 64 tokens, batch 8, vocabulary 65, AdamW."""
    return transformer(torch, 4, 128, 4, 64, 8)


def encoder(torch: Any) -> Step:
    """Two of the library's own transformer layers, width 64, 4 heads, 32 places, batch 16, no dropout, Adam."""
    nn = torch.nn
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=(16, 32, 64)).astype(np.float32))
    y = torch.tensor(rng.normal(size=(16, 32, 64)).astype(np.float32))
    layer = nn.TransformerEncoderLayer(64, 4, dim_feedforward=256, dropout=0.0, batch_first=True, norm_first=True)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    _seeded(torch, model, rng)
    return _training(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=1e-3), x, y)


def regression(torch: Any) -> Step:
    """A curve fitted by an MLP 1-64-64-1 with tanh, 256 points, Adam: the first lesson about depth."""
    nn = torch.nn
    rng = np.random.default_rng(0)
    points = np.linspace(-3, 3, 256, dtype=np.float32)[:, None]
    x, y = torch.tensor(points), torch.tensor(np.sin(2 * points))
    model = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
    _seeded(torch, model, rng)
    return _training(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=1e-3), x, y)


def wide_mlp(torch: Any) -> Step:
    """MLP 256-1024-1024-10, batch 32, Adam: the parameters outweigh the activations."""
    return classifier(torch, [256, 1024, 1024, 10], 32, "Adam", lr=1e-4)


def residual(torch: Any) -> Step:
    """Three residual blocks with batch normalisation of 16 channels, batch 32, 16x16, SGD with momentum."""
    nn = torch.nn

    class Block(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
                nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16),
            )  # fmt: skip

        def forward(self, x: Any) -> Any:
            return (x + self.body(x)).relu()

    layers = [nn.Conv2d(3, 16, 3, padding=1), *[Block() for _ in range(3)],
              nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)]  # fmt: skip
    return images(torch, layers, (32, 3, 16, 16), lr=0.01, momentum=0.9)


def autoencoder(torch: Any) -> Step:
    """Strided and transposed convolutions that give an image back, batch 32, 1x16x16, Adam."""
    nn = torch.nn
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.uniform(size=(32, 1, 16, 16)).astype(np.float32))
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1), nn.Sigmoid(),
    )  # fmt: skip
    _seeded(torch, model, rng)
    return _training(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=1e-3), x, x)


def chained_layers(torch: Any, depth: int, width: int = 32, batch: int = 32) -> Step:
    """A step of ``depth`` linear layers, tanh after each, towards random numbers, SGD."""
    nn = torch.nn
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=(batch, width)).astype(np.float32))
    y = torch.tensor(rng.normal(size=(batch, width)).astype(np.float32))
    layers: list[Any] = []
    for _ in range(depth):
        layers += [nn.Linear(width, width), nn.Tanh()]
    model = nn.Sequential(*layers)
    _seeded(torch, model, rng)
    return _training(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.01), x, y)


def deep_elementwise(torch: Any) -> Step:
    """Sixty elementwise functions in a chain on 100,000 elements, each keeping what its derivative needs."""
    x = torch.tensor(np.random.default_rng(0).normal(size=10**5).astype(np.float32), requires_grad=True)

    def step() -> float:
        x.grad = None
        z = x
        for _ in range(15):
            z = (z * x + 0.5).tanh().relu()
        total = z.mean()
        total.backward()
        return float(total.item())

    return step


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


class Workload(NamedTuple):
    """A row of the table.

    Attributes:
        make: builds it.
        steps: how many steps one measurement takes.
        reach: the ratio to PyTorch's time that is meant to be reached; None where none was set.
        losses: how many steps are compared before.
        graph_only: whether its memory is the graph's nodes, and its arrays are too many and too small to be counted.
    """

    make: Make
    steps: int
    reach: float | None = None
    losses: int = 20
    graph_only: bool = False


WORKLOADS: dict[str, Workload] = {
    "linear_regression": Workload(linear_regression, 300, 0.25, losses=300),
    "chain": Workload(chain, 300, 0.8),
    "small_mlp": Workload(small_mlp, 100, 1.0, losses=100),
    "adam_mlp": Workload(adam_mlp, 100, 0.6, losses=100),
    "large_mlp": Workload(large_mlp, 15, 1.0),
    "lenet": Workload(lenet, 4, 1.0),
    "vgg": Workload(vgg, 2, 1.2, losses=10),
    "gpt": Workload(gpt, 2, 1.2, losses=10),
    "lstm": Workload(lstm, 20, 1.0, losses=40),
    "elementwise": Workload(elementwise, 5, 0.8, losses=3),
    "long_chain": Workload(long_chain, 1, 1.0, losses=2, graph_only=True),
    "regression": Workload(regression, 60, losses=100),
    "wide_mlp": Workload(wide_mlp, 5),
    "residual": Workload(residual, 4),
    "autoencoder": Workload(autoencoder, 15, losses=40),
    "gru": Workload(gru, 6),
    "encoder": Workload(encoder, 5),
    "deep_elementwise": Workload(deep_elementwise, 10, losses=3),
}
