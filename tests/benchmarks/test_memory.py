"""The memory of training steps: at its peak about PyTorch's at most, the same after many steps, and no cycles."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import memory
import pytest
import workloads as w

import nbtorch

pytestmark = pytest.mark.cpu_only("NumPy's memory is counted")

REACH = 1.2


def _convolutions(torch: Any) -> w.Step:
    nn = torch.nn
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3),
              nn.BatchNorm2d(16), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(16 * 100, 10)]  # fmt: skip
    return w.images(torch, layers, (16, 3, 24, 24), lr=0.01, momentum=0.9)


def _dropped(torch: Any) -> w.Step:
    x = torch.ones(300, 200, requires_grad=True)

    def step() -> float:
        x.grad = None
        total = (torch.nn.functional.dropout(x, 0.5) * x).sum()
        total.backward()
        return float(total.item())

    return step


MODELS: dict[str, w.Make] = {
    "wide MLP, Adam": lambda torch: w.classifier(torch, [100, 400, 400, 10], 16, "Adam", lr=1e-3),
    "convolutions": _convolutions,
    "transformer": lambda torch: w.transformer(torch, 2, 64, 4, 32, 4),
    "LSTM": lambda torch: w.recurrent(torch, torch.nn.LSTM(16, 32, batch_first=True), 32, 20, 16),
    "deep chain": lambda torch: w.chained_layers(torch, 40, 32, 128),
    "dropout": _dropped,
}


@pytest.mark.parametrize("name", MODELS)
def test_peak_of_a_step(name: str, torch_ref: Any) -> None:
    ours = memory.count(nbtorch, "cpu", lambda: MODELS[name](nbtorch))
    theirs = memory.count(torch_ref, "cpu", lambda: MODELS[name](torch_ref))
    assert ours.peak <= REACH * theirs.peak, (ours, theirs)


SMALL: dict[str, Callable[[Any], w.Step]] = {
    "MLP, AdamW": lambda torch: w.classifier(torch, [4, 8, 8, 3], 8, "AdamW", lr=0.01),
    "convolutions": lambda torch: w.images(
        torch,
        [torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
         torch.nn.Dropout(0.5), torch.nn.Flatten(), torch.nn.Linear(18, 10)],
        (2, 1, 8, 8), lr=0.01,
    ),
    "transformer": lambda torch: w.transformer(torch, 1, 8, 2, 6, 2),
    "LSTM": lambda torch: w.recurrent(torch, torch.nn.LSTM(3, 4, batch_first=True), 4, 5, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_nothing_grows_and_nothing_waits_for_the_garbage_collector(name: str) -> None:
    steps = 15
    arrays, objects, cycles = left_behind(SMALL[name](nbtorch), steps)
    assert cycles == 0, f"{cycles} objects hung in cycles"
    assert arrays == 0, f"{steps} steps left {arrays} bytes of arrays behind"
    assert objects < 3 * steps, f"{steps} steps left {objects} objects behind"  # the pools breathe


def left_behind(step: w.Step, steps: int) -> tuple[int, int, int]:
    """What many steps leave: bytes of arrays, blocks of Python's memory, and objects that hang in cycles.

    The least of two spans: what the library or the interpreter keeps once is in the first alone.
    """
    gc.collect()
    gc.freeze()  # what other tests left need not be looked through
    gc.disable()
    try:
        with memory.only_arrays_traced():
            for _ in range(10):
                step()
            gc.collect()  # empties the interpreter's own pools too
            spans = []
            for _ in range(2):
                before = tracemalloc.get_traced_memory()[0], sys.getallocatedblocks()
                for _ in range(steps):
                    step()
                cycles = gc.collect()
                spans.append((tracemalloc.get_traced_memory()[0] - before[0], sys.getallocatedblocks() - before[1]))
    finally:
        gc.unfreeze()
        gc.enable()
    return min(a for a, _ in spans), min(b for _, b in spans), cycles


def test_arrays_are_counted_to_the_byte() -> None:
    def build() -> memory.Step:
        kept = nbtorch.zeros(1000)

        def step() -> float:
            doubled = kept * 2
            tripled = doubled + kept
            del doubled
            return float((tripled * tripled)[0].item())

        return step

    counted = memory.count(nbtorch, "cpu", build)
    assert (counted.stays, counted.peak) == (4000, 12000)
    assert 3 <= counted.allocations <= 5
