"""Small trainings for the doctor, on nbtorch and PyTorch: data, models, and a loop that can be broken."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from nbtorch_widgets import watch


class Bench:
    """One library with a fixed seed and some data."""

    def __init__(self, lib: Any, seed: int = 0) -> None:
        self.lib, self.nn, self.F, self.optim = lib, lib.nn, lib.nn.functional, lib.optim
        self.draw = np.random.default_rng(seed)
        lib.manual_seed(seed)

    def tensor(self, values: Any) -> Any:
        array = np.asarray(values)
        return self.lib.tensor(array.astype(np.int64 if array.dtype.kind in "iu" else np.float32))

    def classes(self, batches: int = 30, size: int = 32, features: int = 8, count: int = 3) -> list[Any]:
        """Gaussian blobs, one per class."""
        centres = self.draw.standard_normal((count, features)) * 1.5
        made = []
        for _ in range(batches):
            y = self.draw.integers(0, count, size)
            made.append((self.tensor(centres[y] + self.draw.standard_normal((size, features))), self.tensor(y)))
        return made

    def numbers(self, batches: int = 30, size: int = 32, features: int = 8, noise: float = 0.1) -> list[Any]:
        """A linear function with noise, targets in a column."""
        w = self.draw.standard_normal((features, 1)) / features**0.5
        made = []
        for _ in range(batches):
            x = self.draw.standard_normal((size, features))
            made.append((self.tensor(x), self.tensor(x @ w + noise * self.draw.standard_normal((size, 1)))))
        return made

    def images(self, batches: int = 12, size: int = 16, count: int = 3) -> list[Any]:
        made = []
        patterns = self.draw.standard_normal((count, 1, 8, 8))
        for _ in range(batches):
            y = self.draw.integers(0, count, size)
            made.append((self.tensor(patterns[y] + self.draw.standard_normal((size, 1, 8, 8))), self.tensor(y)))
        return made

    def mlp(self, *sizes: int, act: str = "ReLU", end: Any = None) -> Any:
        layers: list[Any] = []
        for a, b in itertools.pairwise(sizes):
            layers += [self.nn.Linear(a, b), getattr(self.nn, act)()]
        layers.pop()
        return self.nn.Sequential(*layers, *([end] if end is not None else []))

    def fill(self, parameter: Any, value: float) -> None:
        with self.lib.no_grad():
            parameter.fill_(value)

    def scale(self, parameter: Any, factor: float) -> None:
        with self.lib.no_grad():
            parameter.mul_(factor)

    def sgd(self, model: Any, lr: float = 0.1, **options: Any) -> Any:
        return self.optim.SGD(model.parameters(), lr=lr, **options)

    def adam(self, model: Any, lr: float = 1e-2, **options: Any) -> Any:
        return self.optim.Adam(model.parameters(), lr=lr, **options)

    def fit(self, model: Any, optimizer: Any, batches: list[Any], loss_of: Callable[..., Any], epochs: int = 1) -> Any:
        """The ordinary loop."""
        run = watch(model, optimizer, batches, epochs=epochs, show=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for x, y in run:
                optimizer.zero_grad()
                loss = loss_of(model(x), y)
                loss.backward()
                optimizer.step()
        return run
