"""A training step keeps a GPU busy: nothing waits for a number, nothing is copied between host and device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import nbtorch as torch
from nbtorch import nn
from nbtorch.testing import count_syncs, forbid_sync


def classes(*shape: int) -> Any:
    return torch.randint(0, 3, shape, device="strict")


def numbers(*shape: int) -> Any:
    return torch.randn(*shape, device="strict")


STEPS: dict[str, Callable[[], tuple[Any, Any, Any, Any]]] = {
    "classifier": lambda: (
        nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)), nn.CrossEntropyLoss(), numbers(8, 5), classes(8)
    ),
    "regression": lambda: (
        nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)), nn.MSELoss(), numbers(8, 5), numbers(8, 3)
    ),
    "labels": lambda: (
        nn.Sequential(nn.Linear(5, 3), nn.Sigmoid(), nn.Linear(3, 3)),
        nn.BCEWithLogitsLoss(), numbers(8, 5), numbers(8, 3).sigmoid(),
    ),
    "embedding": lambda: (
        nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.GELU(), nn.Linear(8, 3)),
        nn.CrossEntropyLoss(label_smoothing=0.1), torch.randint(0, 9, (8, 2), device="strict"), classes(8),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_a_training_step_neither_waits_nor_copies(name: str) -> None:
    model, loss_function, inputs, targets = STEPS[name]()
    model.to("strict")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    for _ in range(2):
        with count_syncs() as counts, forbid_sync("a training step"):
            optimizer.zero_grad()
            loss = loss_function(model(inputs), targets)
            loss.backward()
            optimizer.step()
        assert counts.transfers == 0
    with count_syncs() as counts:
        assert loss.item() > 0
    assert counts.syncs == 1


def test_reading_a_number_waits_once_and_says_why() -> None:
    x = torch.ones(3, device="strict")
    reads: dict[str, Callable[[], Any]] = {
        "item": lambda: x.sum().item(),
        "float": lambda: float(x.sum()),
        "bool": lambda: bool(x.sum() > 0),
        "tolist": lambda: x.tolist(),
        "cpu": lambda: x.cpu(),
    }
    for name, read in reads.items():
        with count_syncs() as counts:
            read()
        assert counts.syncs == 1, name


WITHOUT_COPIES: dict[str, Callable[[Any], Any]] = {
    "masked_fill": lambda x: x.masked_fill(x > 0, 2.0),
    "where with a number": lambda x: torch.where(x > 0, x, 0.0),
    "clamp": lambda x: x.clamp(0, 1),
    "a number on the left": lambda x: 2.0 - x / 3,
    "slices": lambda x: x[1:, ::2] + x[0, 0],
    "an index of tensors": lambda x: x[torch.zeros(3, dtype=torch.int64, device="strict")],
    "in-place": lambda x: x.detach().clone().mul_(2).add_(1).zero_(),
    "zeros_like": lambda x: torch.zeros_like(x) + torch.full_like(x, 3),
    "max": lambda x: x.max(1).values.sum() + x.amax(),
    "variance": lambda x: x.var(0) / (x.std() + 1),
    "sorting": lambda x: x.sort(1).values + x.topk(2, 0).values.sum(),
    "triangles": lambda x: x.tril() + x.triu(1),
}


@pytest.mark.parametrize("name", WITHOUT_COPIES)
def test_operations_that_stay_on_the_device(name: str) -> None:
    x = numbers(3, 4).requires_grad_()
    with count_syncs() as counts, forbid_sync():
        result = WITHOUT_COPIES[name](x)
        if result.requires_grad:
            result.sum().backward()
    assert (counts.transfers, counts.syncs) == (0, 0)


@pytest.mark.parametrize("accumulate", [False, True])
def test_a_recorded_derivative_takes_its_index_again(accumulate: bool) -> None:
    second = []
    for where in ("cpu", "strict"):
        x = torch.arange(6.0, device=where).reshape(3, 2).requires_grad_()
        values = torch.ones(2, 2, device=where)
        out = torch.index_put(x * x, (torch.tensor([0, 2], device=where),), values, accumulate)
        (first,) = torch.autograd.grad((out * out).sum(), x, create_graph=True)
        second.append(torch.autograd.grad(first.sum(), x)[0].tolist())
    assert second[0] == second[1]


def test_the_cpu_is_not_watched() -> None:
    x = torch.ones(3)
    with count_syncs() as counts, forbid_sync():
        assert (x * 2).sum().item() == 6
    assert (counts.launches, counts.transfers, counts.syncs) == (0, 0, 0)
