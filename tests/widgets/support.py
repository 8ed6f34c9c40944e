"""Training loops for the tests of the widgets, on nbtorch and on PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np


class Training:
    """A small model with its optimizer and batches; `loop` is an ordinary training loop over what it is given."""

    def __init__(self, lib: Any, steps: int = 12, **optimizer_options: Any) -> None:
        lib.manual_seed(0)
        self.lib = lib
        self.model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Linear(4, 1))
        self.optimizer = lib.optim.SGD(self.model.parameters(), **{"lr": 0.1, **optimizer_options})
        self.criterion = lib.nn.MSELoss()
        draw = np.random.default_rng(0)
        self.batches = [
            (lib.tensor(draw.standard_normal((5, 3)).astype(np.float32)), lib.tensor(np.ones((5, 1), np.float32)))
            for _ in range(steps)
        ]
        #: What the loop saw: the loss and the norm of each gradient when the optimizer's step began.
        self.losses: list[float] = []
        self.norms: list[list[float]] = []

    def forward(self, batch: Any) -> Any:
        inputs, targets = batch
        return self.criterion(self.model(inputs), targets)

    def see(self, loss: Any) -> None:
        self.losses.append(float(loss.item()))
        gradients = [p.grad for p in self.model.parameters()]
        self.norms.append([float(np.linalg.norm(g.numpy())) for g in gradients if g is not None])

    def loop(self, batches: Iterable[Any], zero: str = "top", set_to_none: bool = True) -> None:
        """`zero` says where the gradients are cleared: at the top of the body or at its bottom."""
        for batch in batches:
            if zero == "top":
                self.optimizer.zero_grad(set_to_none=set_to_none)
            loss = self.forward(batch)
            loss.backward()
            self.see(loss)
            self.optimizer.step()
            if zero == "bottom":
                self.optimizer.zero_grad(set_to_none=set_to_none)

    def hooks(self) -> int:
        """How many hooks there are on the model, its parameters, the criterion and the optimizer."""
        owners = [self.optimizer, self.criterion, *self.model.modules(), *self.model.parameters()]
        return sum(_count_hooks(owner) for owner in owners)

    def weights(self) -> list[Any]:
        return [p.detach().numpy().copy() for p in self.model.parameters()]


def _count_hooks(owner: Any) -> int:
    names = (
        "_optimizer_step_pre_hooks",
        "_optimizer_step_post_hooks",
        "_forward_hooks",
        "_forward_pre_hooks",
        "_backward_hooks",
        "_post_accumulate_grad_hooks",
    )
    leaf_hooks = getattr(getattr(owner, "_hooks", None), "post", ())  # where nbtorch's tensors keep them
    return sum(len(getattr(owner, name, None) or ()) for name in names) + len(leaf_hooks)


class OwnOptimizer:
    """A learner's optimizer: it has `step` and `zero_grad` and no hooks."""

    def __init__(self, parameters: Iterable[Any], lr: float = 0.1) -> None:
        self.parameters = list(parameters)
        self.lr = lr

    def zero_grad(self, set_to_none: bool = True) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        for parameter in self.parameters:
            parameter.data = parameter.data - self.lr * parameter.grad


class OwnModel:
    """A learner's model of NumPy arrays, without any framework."""

    def __init__(self) -> None:
        self.parameters = {"w": SimpleNamespace(grad=None), "b": SimpleNamespace(grad=None)}

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        return iter(self.parameters.items())
