"""Every distribution draws PyTorch's own numbers, bit for bit: all sizes, dtypes and layouts, and states exchanged."""

from __future__ import annotations

import copy
import itertools
import pickle
from collections.abc import Callable
from typing import Any

import helpers
import numpy as np
import pytest
from sides import as_torch

import nbtorch

pytestmark = pytest.mark.cpu_only("drawn on the host for every device; compared once")

FLOATS = ("float32", "float64", "float16", "bfloat16")
# Blocks of 16 are drawn in another way than single numbers; a remainder is drawn twice.
SHAPES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (15,), (16,), (17,), (100,), (4, 5), (3, 4, 5))


def laid_out(lib: Any, shape: tuple[int, ...], dtype: str, layout: str) -> Any:
    """Zeros of a shape: contiguous, with dimensions reversed in memory, with gaps, or stretched from size 1."""
    d = getattr(lib, dtype)
    if layout == "reversed" and shape:
        return lib.zeros(shape[::-1], dtype=d).permute(*range(len(shape))[::-1])
    if layout == "gaps" and shape:
        return lib.zeros((*shape[:-1], shape[-1] * 2), dtype=d)[..., ::2]
    if layout == "stretched" and shape:
        return lib.zeros((*shape[:-1], 1), dtype=d).expand(shape)
    return lib.zeros(shape, dtype=d)


def bits(x: Any) -> Any:
    """Nested results as NumPy arrays, so that they are compared to the last bit."""
    if isinstance(x, (tuple, list)):
        return [bits(v) for v in x]
    array = helpers.to_numpy(x)
    return str(array.dtype), array.shape, array.tobytes()


def both(draw: Callable[[Any], Any], torch: Any, what: Any) -> None:
    """Draws twice and once more, so that what was drawn before must have taken the same number of words."""
    found = []
    for lib in (nbtorch, torch):
        lib.manual_seed(11)
        found.append(bits([draw(lib), draw(lib), lib.rand(2)]))
    assert found[0] == found[1], what


FILLS: dict[str, list[tuple[Any, ...]]] = {
    "uniform_": [(), (-2.0, 3.0), (0.1, 0.3)],
    "normal_": [(), (1.5, 0.3)],
    "exponential_": [(), (2.5,)],
    "cauchy_": [(), (1.0, 3.0)],
    "log_normal_": [(), (0.5, 0.7)],
    "geometric_": [(0.3,), (0.9,)],
    "bernoulli_": [(), (0.3,)],
    "random_": [(), (7,), (-3, 9), (5, None), (-(2**63), None)],
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", FILLS)
def test_filling_a_tensor(name: str, dtype: str, torch_ref: Any) -> None:
    for shape, layout, args in itertools.product(SHAPES, ("contiguous", "reversed", "gaps"), FILLS[name]):
        if dtype == "float16" and args == (-(2**63), None):
            continue  # PyTorch has no half precision there
        both(lambda lib: getattr(laid_out(lib, shape, dtype, layout), name)(*args), torch_ref, (shape, layout, args))  # noqa: B023


@pytest.mark.parametrize("dtype", FLOATS)
def test_many_numbers_are_the_same_as_a_few_at_a_time(dtype: str, torch_ref: Any) -> None:
    n = (1 << 15) + 1001  # more than are drawn at once
    for draw in (
        lambda lib, d: lib.rand(n, dtype=d),
        lambda lib, d: lib.empty(n, dtype=d).uniform_(-3, 7),
        lambda lib, d: lib.empty(n, dtype=d).bernoulli_(0.3),
        lambda lib, d: lib.nn.functional.dropout(lib.ones(n, dtype=d), 0.3),
    ):
        both(lambda lib, draw=draw: draw(lib, getattr(lib, dtype)), torch_ref, dtype)


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8", "bool"])
def test_filling_a_tensor_of_whole_numbers(dtype: str, torch_ref: Any) -> None:
    calls: dict[str, list[tuple[Any, ...]]] = {
        "random_": [(), (2,), (1, 2), (-3, 9), (300,), (2**28,), (2**33,), (-(2**63), None), (5, None)],
        "geometric_": [(0.3,)],
        "bernoulli_": [(0.4,)],
        "uniform_": [()], "normal_": [()], "exponential_": [()], "cauchy_": [()], "log_normal_": [()],
    }  # fmt: skip
    for name, shape, layout in itertools.product(calls, ((0,), (17,), (3, 4, 5)), ("contiguous", "reversed")):
        for args in calls[name]:

            def draw(lib: Any) -> Any:
                lib.manual_seed(5)
                return getattr(laid_out(lib, shape, dtype, layout), name)(*args), lib.rand(1)  # noqa: B023

            as_torch(draw)


DRAWS: dict[str, Callable[[Any, Any], Any]] = {
    "rand_like": lambda lib, x: lib.rand_like(x),
    "randn_like": lambda lib, x: lib.randn_like(x),
    "randint_like": lambda lib, x: lib.randint_like(x, 3, 9),
    "bernoulli": lambda lib, x: [lib.bernoulli(x + 0.3), lib.bernoulli(x, 0.3)],
    "bernoulli_ by a tensor": lambda lib, x: (x + 0).bernoulli_(x.double() + 0.4),
    "poisson": lambda lib, x: [lib.poisson(x + rate) for rate in (0, 0.5, 3, 9.9, 10, 50)],
    "normal": lambda lib, x: [lib.normal(x + 2, 1.5), lib.normal(2.0, x + 3), lib.normal(x + 2, x + 3)],
    "new": lambda lib, x: [
        lib.rand(x.shape, dtype=x.dtype), lib.randn(x.shape, dtype=x.dtype), lib.randint(3, 9, x.shape, dtype=x.dtype),
        lib.normal(1.0, 2.0, x.shape, dtype=x.dtype),
    ],
    "dropout": lambda lib, x: [lib.nn.functional.dropout(x + 1.5, p) for p in (0.0, 0.3, 0.5, 1.0)],
    "dropout as it lies": lambda lib, x: lib.nn.functional.dropout(x, 0.3),
    "alpha_dropout": lambda lib, x: lib.nn.functional.alpha_dropout(x + 1.5, 0.3, training=True),
}  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", DRAWS)
def test_drawing_like_a_tensor(name: str, dtype: str, torch_ref: Any) -> None:
    for shape, layout in itertools.product(SHAPES, ("contiguous", "reversed", "gaps", "stretched")):
        both(lambda lib: DRAWS[name](lib, laid_out(lib, shape, dtype, layout)), torch_ref, (shape, layout))  # noqa: B023


@pytest.mark.parametrize("name", ["dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout", "rrelu"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.filterwarnings("ignore")
def test_functions_that_draw(name: str, dtype: str, torch_ref: Any) -> None:
    for shape in ((4,), (4, 5), (3, 4, 5), (2, 3, 4, 5), (2, 3, 2, 2, 2)):

        def draw(lib: Any) -> Any:
            x = laid_out(lib, shape, dtype, "reversed") - 1.5  # noqa: B023
            lib.manual_seed(3)
            function = getattr(lib.nn.functional, name)
            return [
                function(x, training=True),
                function(x),
                function(x.clone(), training=True, inplace=True),
                lib.rand(1),
            ]

        as_torch(draw)


@pytest.mark.parametrize("dtype", FLOATS)
def test_multinomial(dtype: str, torch_ref: Any) -> None:
    for rows, columns, count, replacement in itertools.product((0, 1, 3), (1, 5, 40), (1, 2, 5, 100), (False, True)):
        if not replacement and count > columns:
            continue

        def draw(lib: Any) -> Any:
            weights = lib.arange(max(rows, 1) * columns, dtype=getattr(lib, dtype)) + 1  # noqa: B023
            weights = weights.reshape(rows, columns) if rows else weights  # noqa: B023
            return lib.multinomial(weights, count, replacement)  # noqa: B023

        both(draw, torch_ref, (rows, columns, count, replacement))


def test_binomial_and_randperm(torch_ref: Any) -> None:
    for dtype, n, p in itertools.product(FLOATS[:2], (0, 1, 5, 30, 200), (0.0, 0.1, 0.5, 0.7, 0.95, 1.0)):
        both(
            lambda lib: lib.binomial(*(lib.full((50,), float(x), dtype=getattr(lib, dtype)) for x in (n, p))),  # noqa: B023
            torch_ref,
            (dtype, n, p),
        )
    for n, dtype in itertools.product((0, 1, 2, 10, 200), ("int64", "int32", "uint8", "float32", "bfloat16")):
        both(lambda lib: lib.randperm(n, dtype=getattr(lib, dtype)), torch_ref, (n, dtype))  # noqa: B023


def test_large_tensors(torch_ref: Any) -> None:
    for n in (16 * 1024, 100_003):
        both(lambda lib: [lib.randn(n), lib.empty(n).normal_(0.5, 2.0), lib.rand(n)], torch_ref, n)  # noqa: B023


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda lib: None,
    "one word": lambda lib: lib.rand(1),
    "an odd normal": lambda lib: lib.randn(1),
    "all but one of a block": lambda lib: lib.rand(623),
    "a block": lambda lib: lib.rand(624),
    "a block and one": lambda lib: lib.rand(625),
    "many": lambda lib: lib.randn(2001),
}


@pytest.mark.parametrize("seed", [0, 7, -1, 2**40 + 3])
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_states_are_pytorchs_own_bytes(program: Any, seed: int, torch_ref: Any) -> None:
    states = []
    for lib in (nbtorch, torch_ref):
        lib.manual_seed(seed)
        program(lib)
        states.append(lib.get_rng_state().numpy().copy())
    np.testing.assert_array_equal(*states)
    nbtorch.manual_seed(99)
    nbtorch.set_rng_state(nbtorch.from_numpy(states[1]))
    torch_ref.set_rng_state(torch_ref.from_numpy(states[0]))
    assert nbtorch.initial_seed() == torch_ref.initial_seed()
    for draw in (lambda lib: lib.randn(5), lambda lib: lib.rand(700)):
        assert draw(nbtorch).tolist() == draw(torch_ref).tolist()
    assert nbtorch.get_rng_state().numpy().tobytes() == torch_ref.get_rng_state().numpy().tobytes()


def test_copies_of_a_generator_go_on_alike() -> None:
    g = nbtorch.Generator().manual_seed(3)
    nbtorch.randn(1, generator=g)
    copies = [g.clone_state(), copy.deepcopy(g), pickle.loads(pickle.dumps(g))]
    first = nbtorch.randn(20, generator=g).tolist()
    assert [nbtorch.randn(20, generator=c).tolist() for c in copies] == [first] * 3


def test_fork_rng(torch_ref: Any) -> None:
    def program(lib: Any) -> Any:
        lib.random.manual_seed(4)
        first = lib.rand(1)
        with lib.random.fork_rng():
            lib.random.manual_seed(9)
            inside = lib.rand(3)
        with lib.random.fork_rng(enabled=False):
            lib.rand(3)
        return first, inside, lib.rand(2), lib.random.initial_seed()

    as_torch(program)


WRONG: dict[str, Callable[[Any], Any]] = {
    "a short state": lambda lib: lib.set_rng_state(lib.zeros(3, dtype=lib.uint8)),
    "a state of floats": lambda lib: lib.set_rng_state(lib.zeros(5056)),
    "a state that is a list": lambda lib: lib.Generator().set_state([1]),
    "a state of zeros": lambda lib: lib.set_rng_state(lib.zeros(5056, dtype=lib.uint8)),
    "offset": lambda lib: lib.Generator().get_offset(),
    "generator that is none": lambda lib: lib.rand(2, generator=3),
    "exponential of no rate": lambda lib: lib.empty(3).exponential_(0.0),
    "geometric of certainty": lambda lib: lib.empty(3).geometric_(1.0),
    "cauchy without width": lambda lib: lib.empty(3).cauchy_(0.0, 0.0),
    "log_normal without width": lambda lib: lib.empty(3).log_normal_(0.0, 0.0),
    "bernoulli_ above 1": lambda lib: lib.empty(3).bernoulli_(1.5),
    "bernoulli of whole numbers": lambda lib: lib.bernoulli(lib.ones(3, dtype=lib.int64)),
    "poisson of a negative": lambda lib: lib.poisson(-lib.ones(3)),
    "randint without size": lambda lib: lib.randint(5),
    "randint with too many": lambda lib: lib.randint(1, 2, 3, 4, 5),
    "randint too wide": lambda lib: lib.randint(0, 300, (2,), dtype=lib.uint8),
    "random_ below its dtype": lambda lib: lib.zeros(3, dtype=lib.uint8).random_(-3, 3),
    "normal without size": lambda lib: lib.normal(0.0, 1.0),
    "normal of negative deviations": lambda lib: lib.normal(lib.zeros(2), -lib.ones(2)),
    "normal of whole numbers": lambda lib: lib.normal(lib.zeros(2, dtype=lib.int64), 1.0),
    "a leaf": lambda lib: lib.zeros(3, requires_grad=True).normal_(),
    "an expanded tensor": lambda lib: lib.zeros(1).expand(3).normal_(),
    "dropout1d of 4 dimensions": lambda lib: lib.nn.functional.dropout1d(lib.zeros(1, 2, 3, 4)),
    "feature_dropout of 1 dimension": lambda lib: lib.feature_dropout(lib.zeros(4), 0.5, True),
    "multinomial into floats": lambda lib: lib.multinomial(lib.ones(3), 2, out=lib.zeros(2)),
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG.keys())
def test_wrong_calls(program: Any, torch_ref: Any) -> None:
    as_torch(program)


@pytest.mark.parametrize(
    "fill", ["uniform_", "normal_", "random_", "bernoulli_", "exponential_", "cauchy_", "log_normal_"]
)
def test_what_was_overwritten_gets_no_gradient(fill: str, torch_ref: Any) -> None:
    def program(lib: Any) -> Any:
        x = lib.make(np.ones(3, np.float32), requires_grad=True)
        y = x * 3
        view = (x * 2)[1:]
        (getattr(y, fill)().sum() + getattr(view, fill)().sum() + view.sum()).backward()
        return x.grad, type(y.grad_fn).__name__.rstrip("0123456789")

    as_torch(program)


def test_samples_are_constants(torch_ref: Any) -> None:
    def program(lib: Any) -> Any:
        lib.manual_seed(0)
        mean, std = (lib.make(np.ones(20, np.float32), requires_grad=True) for _ in range(2))
        samples = [lib.normal(mean, std), lib.normal(mean, 2.0), lib.normal(1.0, std), lib.bernoulli(mean * 0.5)]
        sum(s.sum() for s in samples).backward()
        return samples, mean.grad, std.grad, [type(s.grad_fn).__name__ for s in samples]

    as_torch(program)


def test_out(torch_ref: Any) -> None:
    def program(lib: Any) -> Any:
        lib.manual_seed(0)
        wide = lib.empty(3, dtype=lib.float64)
        return [
            lib.rand(3, out=wide).clone(), lib.randn(3, out=wide).clone(), lib.randint(9, (3,), out=wide).clone(),
            lib.randperm(4, out=lib.empty(4, dtype=lib.int64)), lib.bernoulli(wide * 0 + 0.5, out=lib.empty(3)),
            lib.multinomial(lib.ones(4), 2, out=lib.empty(2, dtype=lib.int64)),
            lib.normal(lib.zeros(3), lib.ones(3), out=lib.empty(3)),
        ]  # fmt: skip

    as_torch(program)
