"""Random numbers: with equal seeds the streams of PyTorch."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest
from sides import as_torch, nbtorch_side, torch_side

import nbtorch

SIZES = [0, 1, 2, 5, 15, 16, 17, 32, 100, 1000]
SEEDS = [0, 1, 42, 2**31, 2**63 - 1, -1]


def drawn(lib: Any, seed: int, draw: Any) -> Any:
    lib.manual_seed(seed)
    return draw(lib)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rand_is_equal(seed: int, dtype: str, torch_ref: Any) -> None:
    for n in SIZES:
        ours, theirs = (
            helpers.to_numpy(drawn(lib, seed, lambda lib, n=n: lib.rand(n, dtype=getattr(lib, dtype))))
            for lib in (nbtorch_side(), torch_side())
        )
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_randn_is_equal(seed: int, dtype: str, torch_ref: Any) -> None:
    for n in SIZES:
        ours, theirs = (
            helpers.to_numpy(drawn(lib, seed, lambda lib, n=n: lib.randn(n, dtype=getattr(lib, dtype))))
            for lib in (nbtorch_side(), torch_side())
        )
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("seed", SEEDS[:3])
@pytest.mark.parametrize(
    "bounds",
    [(0, 2), (0, 10), (-5, 5), (0, 256), (0, 2**28 - 1), (0, 2**28), (0, 2**31), (0, 2**33), (-(2**40), 2**40)],
)
def test_randint_is_equal(seed: int, bounds: tuple[int, int], torch_ref: Any) -> None:
    for n in SIZES:
        as_torch(lambda lib, n=n: drawn(lib, seed, lambda lib: lib.randint(*bounds, (n,))))


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_randperm_is_equal(seed: int, torch_ref: Any) -> None:
    for n in SIZES:
        as_torch(lambda lib, n=n: drawn(lib, seed, lambda lib: lib.randperm(n)))


STREAMS = {
    "one after another": lambda lib: [
        lib.rand(3),
        lib.randn(2),
        lib.randint(0, 9, (4,)),
        lib.randperm(5),
        lib.randn(20),
    ],
    "an odd number of normals": lambda lib: [lib.randn(3), lib.rand(1), lib.randn(2)],
    "one normal at a time": lambda lib: [lib.randn(()) for _ in range(5)],
    "uniform_": lambda lib: lib.empty(20).uniform_(-3, 5),
    "uniform_ float64": lambda lib: lib.empty(7, dtype=lib.float64).uniform_(0.1, 0.2),
    "normal_": lambda lib: lib.empty(20).normal_(3, 0.5),
    "normal_ small": lambda lib: lib.empty(5).normal_(-1, 2),
    "normal of tensors": lambda lib: lib.normal(lib.zeros(20) + 2, lib.ones(20) * 3),
    "normal of numbers": lambda lib: lib.normal(1.0, 2.0, (20,)),
    "rand_like": lambda lib: lib.rand_like(lib.zeros(2, 3)),
    "randn_like": lambda lib: lib.randn_like(lib.zeros(2, 3, dtype=lib.float64)),
    "randint_like": lambda lib: lib.randint_like(lib.zeros(2, 3), 2, 9),
    "shapes": lambda lib: [lib.rand(2, 3), lib.rand((2, 3)), lib.rand([2, 3]), lib.rand(()), lib.rand(size=(2,))],
    "linear layer": lambda lib: lib.nn.Linear(5, 3).weight.detach(),
    **{
        f"random_ {dtype}": lambda lib, dtype=dtype: lib.zeros(5, dtype=getattr(lib, dtype)).random_()
        for dtype in ("float32", "float64", "int64", "int32", "int16", "uint8", "bool")
    },
    "random_ below": lambda lib: lib.zeros(5).random_(10),
    "random_ between": lambda lib: lib.zeros(5).random_(-3, 10),
    "own generator": lambda lib: lib.rand(3, generator=lib.Generator().manual_seed(7)),
    "state": lambda lib: (lib.rand(3), lib.set_rng_state(lib.get_rng_state()), lib.rand(3))[2],
    "initial seed": lambda lib: lib.initial_seed(),
}


@pytest.mark.cpu_only("drawn on the host for every device; compared once")
@pytest.mark.parametrize("draw", STREAMS.values(), ids=STREAMS.keys())
def test_streams_are_equal(draw: Any, torch_ref: Any) -> None:
    as_torch(lambda lib: drawn(lib, 12345, draw))


def test_a_state_brings_back_the_stream(device: str) -> None:
    nbtorch.manual_seed(3)
    nbtorch.randn(5)
    state = nbtorch.get_rng_state()
    first = [nbtorch.randn(3, device=device).tolist(), nbtorch.rand(2, device=device).tolist()]
    nbtorch.set_rng_state(state)
    assert [nbtorch.randn(3, device=device).tolist(), nbtorch.rand(2, device=device).tolist()] == first


def test_generators_are_independent(device: str) -> None:
    a, b = nbtorch.Generator().manual_seed(1), nbtorch.Generator().manual_seed(1)
    nbtorch.manual_seed(5)
    expected = nbtorch.rand(3).tolist()
    nbtorch.manual_seed(5)
    first = nbtorch.rand(3, generator=a).tolist()
    assert nbtorch.rand(3).tolist() == expected
    assert nbtorch.rand(3, generator=b).tolist() == first


def test_the_same_numbers_on_every_device() -> None:
    drawn_on = []
    for where in ("cpu", "strict"):
        nbtorch.manual_seed(0)
        drawn_on.append([nbtorch.randn(20, device=where).tolist(), nbtorch.randint(0, 9, (3,), device=where).tolist()])
    assert drawn_on[0] == drawn_on[1]


def test_distributions(device: str) -> None:
    """Means within five standard errors."""
    nbtorch.manual_seed(0)
    n = 20_000
    ones = nbtorch.ones(n, device=device)

    def within(t: nbtorch.Tensor, mean: float, deviation: float) -> None:
        assert abs(t.double().mean().item() - mean) < 5 * deviation / n**0.5

    within(nbtorch.bernoulli(ones * 0.3), 0.3, 0.46)
    within((ones * 0).bernoulli_(0.7), 0.7, 0.46)
    within((ones * 0).exponential_(2.0), 0.5, 0.5)
    dropped = nbtorch.nn.functional.dropout(ones, 0.25)
    within(dropped, 1.0, 0.58)
    assert set(dropped.unique().tolist() if hasattr(dropped, "unique") else np.unique(helpers.to_numpy(dropped))) <= {
        0.0,
        float(np.float32(1 / 0.75)),
    }
    weights = nbtorch.tensor([1.0, 2.0, 0.0, 1.0], device=device)
    picks = helpers.to_numpy(nbtorch.multinomial(weights, n, replacement=True))
    np.testing.assert_allclose(np.bincount(picks, minlength=4) / n, [0.25, 0.5, 0.0, 0.25], atol=0.02)
    orders = [nbtorch.multinomial(weights, 3).tolist() for _ in range(50)]
    assert all(sorted(o) == [0, 1, 3] for o in orders)


WRONG = {
    "rand of ints": lambda lib: lib.rand(2, dtype=lib.int64),
    "negative size": lambda lib: lib.rand(-1),
    "randint of nothing": lambda lib: lib.randint(5, 5, (2,)),
    "randint backwards": lambda lib: lib.randint(5, 2, (2,)),
    "randperm of a negative": lambda lib: lib.randperm(-1),
    "seed as text": lambda lib: lib.manual_seed("a"),
    "seed of a generator as text": lambda lib: lib.Generator().manual_seed("a"),
    "negative deviation": lambda lib: lib.empty(3).normal_(0, -1),
    "uniform backwards": lambda lib: lib.empty(3).uniform_(2, 1),
    "probability above 1": lambda lib: lib.bernoulli(lib.make(np.array([1.5]))),
    "dropout above 1": lambda lib: lib.nn.functional.dropout(lib.make(np.ones(2)), 1.5),
    "multinomial of negatives": lambda lib: lib.multinomial(lib.make(np.array([-1.0, 2.0])), 1),
    "multinomial of too many": lambda lib: lib.multinomial(lib.make(np.array([1.0, 2.0])), 3),
    "multinomial of nothing": lambda lib: lib.multinomial(lib.make(np.array([0.0, 0.0])), 1),
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG.keys())
def test_wrong_calls(program: Any, torch_ref: Any) -> None:
    as_torch(program)
