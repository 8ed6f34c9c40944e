"""Times single functions of nbtorch against PyTorch's, in turn in one process, with one thread each.

Usage: python benchmarks/primitives.py [NAMES] [--size N ...] [--above RATIO] [--repeats N]

Each function runs on arrays of about N elements, forward alone and forward with backward. The figures are the least
processor time of many repeats, in microseconds; the ratio is nbtorch / PyTorch (below 1 is faster). A name stands for
all functions that begin with it. Both libraries share the C library's memory here, so that PyTorch, too, gains from
what ``nbtorch.backends.host_memory`` does; ``benchmarks/run.py`` measures each in a process of its own.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

Function = Callable[..., Any]


def _vector(rng: np.random.Generator, n: int) -> list[Any]:
    return [rng.normal(size=n).astype(np.float32)]


def _pair(rng: np.random.Generator, n: int) -> list[Any]:
    return _vector(rng, n) + _vector(rng, n)


def _positive(rng: np.random.Generator, n: int) -> list[Any]:
    return [rng.uniform(0.1, 0.9, n).astype(np.float32)]


def _positive_pair(rng: np.random.Generator, n: int) -> list[Any]:
    return _positive(rng, n) + _positive(rng, n)


def _matrix(rng: np.random.Generator, n: int) -> list[Any]:
    side = max(int(n**0.5), 1)
    return [rng.normal(size=(side, side)).astype(np.float32)]


def _tall(rng: np.random.Generator, n: int) -> list[Any]:
    return [rng.normal(size=(max(n // 32, 1), 32)).astype(np.float32)]


def _block(rng: np.random.Generator, n: int) -> list[Any]:
    """(batch, rows, 64): a tensor whose middle dimension is reduced."""
    side = max(int((n / 64) ** 0.5), 1)
    return [rng.normal(size=(side, side, 64)).astype(np.float32)]


def _masked(rng: np.random.Generator, n: int) -> list[Any]:
    return [*_vector(rng, n), rng.random(n) < 0.5]


def _masked_pair(rng: np.random.Generator, n: int) -> list[Any]:
    return [*_pair(rng, n), rng.random(n) < 0.5]


def _rows(rng: np.random.Generator, n: int) -> list[Any]:
    """A table of 64 columns, and as many numbers of rows as it has, with repetitions."""
    rows = max(n // 64, 1)
    return [rng.normal(size=(rows, 64)).astype(np.float32), rng.integers(0, rows, rows)]


def _rows_and_source(rng: np.random.Generator, n: int) -> list[Any]:
    table, index = _rows(rng, n)
    return [table, rng.normal(size=table.shape).astype(np.float32), index]


def _cells(rng: np.random.Generator, n: int) -> list[Any]:
    """A table, and for each of its cells the number of a column."""
    table = _matrix(rng, n)[0]
    return [table, rng.integers(0, table.shape[1], table.shape)]


def _cells_and_source(rng: np.random.Generator, n: int) -> list[Any]:
    table, index = _cells(rng, n)
    return [table, rng.normal(size=table.shape).astype(np.float32), index]


def _places(rng: np.random.Generator, n: int) -> list[Any]:
    return [*_vector(rng, n), rng.integers(0, n, n)]


def _places_and_source(rng: np.random.Generator, n: int) -> list[Any]:
    return [*_pair(rng, n), rng.integers(0, n, n)]


def _integers(rng: np.random.Generator, n: int) -> list[Any]:
    return [rng.integers(-100, 100, n)]


def _bools(rng: np.random.Generator, n: int) -> list[Any]:
    return [rng.random(max(int(n**0.5), 1) ** 2).reshape(max(int(n**0.5), 1), -1) < 0.5]


def _size(rng: np.random.Generator, n: int) -> list[Any]:
    return [n]


# name -> (what makes the operands, the function: of the library and the operands)
CASES: dict[str, tuple[Function, Function]] = {
    **{
        name: (_vector, lambda t, x, name=name: getattr(t, name)(x))
        for name in ("abs", "exp", "sin", "cos", "tanh", "sigmoid", "neg", "square", "relu", "erf", "expm1", "sign",
                     "floor", "round", "atan", "sinh", "clone", "isnan", "isfinite", "logical_not")
    },
    **{
        name: (_positive, lambda t, x, name=name: getattr(t, name)(x))
        for name in ("sqrt", "rsqrt", "log", "log1p", "log2", "reciprocal", "asin", "acos", "tan")
    },
    **{
        f"nn_{name}": (_vector, lambda t, x, name=name: getattr(t.nn.functional, name)(x))
        for name in ("softplus", "silu", "leaky_relu", "elu", "selu", "celu", "relu6", "hardswish", "hardsigmoid",
                     "mish", "logsigmoid", "softsign", "hardtanh", "softshrink", "hardshrink", "tanhshrink")
    },
    "nn_gelu_tanh": (_vector, lambda t, x: t.nn.functional.gelu(x, approximate="tanh")),
    "nn_glu": (_tall, lambda t, x: t.nn.functional.glu(x)),
    "nn_threshold": (_vector, lambda t, x: t.nn.functional.threshold(x, 0.1, 0.2)),
    "nn_mse_loss": (_pair, lambda t, x, y: t.nn.functional.mse_loss(x, y)),
    "nn_l1_loss": (_pair, lambda t, x, y: t.nn.functional.l1_loss(x, y)),
    "nn_smooth_l1_loss": (_pair, lambda t, x, y: t.nn.functional.smooth_l1_loss(x, y)),
    "nn_bce_loss": (_positive_pair, lambda t, x, y: t.nn.functional.binary_cross_entropy(x, y.detach())),
    "nn_bce_logits": (_pair, lambda t, x, y: t.nn.functional.binary_cross_entropy_with_logits(x, y.detach().sigmoid())),
    "nn_dropout": (_vector, lambda t, x: t.nn.functional.dropout(x, 0.3)),
    **{
        name: (_pair, lambda t, x, y, name=name: getattr(t, name)(x, y))
        for name in ("add", "sub", "mul", "div", "maximum", "minimum", "atan2", "gt", "eq")
    },
    "logaddexp": (_pair, lambda t, x, y: t.logaddexp(x, y)),
    "pow_tensor": (_positive_pair, lambda t, x, y: x**y),
    "add_number": (_vector, lambda t, x: x + 1.5),
    "mul_number": (_vector, lambda t, x: x * 1.5),
    "div_number": (_vector, lambda t, x: x / 1.5),
    "rdiv_number": (_positive, lambda t, x: 1.5 / x),
    "rsub_number": (_vector, lambda t, x: 1.5 - x),
    "gt_number": (_vector, lambda t, x: x > 0.5),
    "eq_number": (_vector, lambda t, x: x == 0.5),
    "pow_2": (_vector, lambda t, x: x**2),
    "pow_3": (_vector, lambda t, x: x**3),
    "pow_4": (_vector, lambda t, x: x**4),
    "pow_minus_2": (_positive, lambda t, x: x**-2),
    "pow_half": (_positive, lambda t, x: x**0.5),
    "pow_1.5": (_positive, lambda t, x: x**1.5),
    "remainder_number": (_vector, lambda t, x: x % 0.7),
    "floor_divide_number": (_vector, lambda t, x: x.detach() // 0.7),
    "fmod_number": (_vector, lambda t, x: t.fmod(x, 0.7)),
    "clamp": (_vector, lambda t, x: x.clamp(-0.5, 0.5)),
    "clamp_min": (_vector, lambda t, x: x.clamp(min=0)),
    "where": (_masked_pair, lambda t, x, y, mask: t.where(mask, x, y)),
    "where_number": (_masked, lambda t, x, mask: t.where(mask, x, 0.0)),
    "masked_fill": (_masked, lambda t, x, mask: x.masked_fill(mask, 0.0)),
    "masked_fill_inf": (_masked, lambda t, x, mask: x.masked_fill(mask, float("-inf"))),
    "masked_select": (_masked, lambda t, x, mask: x[mask]),
    "lerp": (_pair, lambda t, x, y: t.lerp(x, y, 0.3)),
    "addcmul": (_pair, lambda t, x, y: t.addcmul(x, x, y, value=0.5)),
    "broadcast_row": (_matrix, lambda t, x: x + x[0]),
    "broadcast_column": (_matrix, lambda t, x: x * x[:, :1]),
    "chain_polynomial": (_vector, lambda t, x: x * x + 3 * x - 1),
    "chain_variance": (_vector, lambda t, x: ((x - x.mean()) ** 2).mean()),
    "chain_waves": (_vector, lambda t, x: (x * 0.5).tanh() * x.sigmoid() + (-x * x).exp()),
    "chain_gaussian": (_pair, lambda t, x, y: (-((x - y) ** 2) / 2).exp() / 2.5),
    "chain_norm": (_matrix, lambda t, x: x / (x * x).sum(1, keepdim=True).sqrt()),
    "chain_standardize": (_matrix, lambda t, x: (x - x.mean(0)) / (x.std(0) + 1e-5)),
    # reductions
    "sum": (_vector, lambda t, x: x.sum()),
    "mean": (_vector, lambda t, x: x.mean()),
    "prod": (_positive, lambda t, x: (x + 0.5).prod()),
    "norm": (_vector, lambda t, x: x.norm()),
    "norm_1": (_vector, lambda t, x: x.norm(p=1)),
    "var": (_vector, lambda t, x: x.var()),
    "std": (_vector, lambda t, x: x.std()),
    "max": (_vector, lambda t, x: x.max()),
    "min": (_vector, lambda t, x: x.min()),
    "argmax": (_vector, lambda t, x: x.argmax()),
    "logsumexp_vector": (_vector, lambda t, x: x.logsumexp(0)),
    **{
        f"{name}_{dim}{suffix}": (make, lambda t, x, name=name, dim=dim: getattr(x, name)(dim))
        for name in ("sum", "mean", "var", "std", "amax", "argmax", "cumsum", "prod", "norm1")[:-1]
        for make, dim, suffix in ((_matrix, 0, ""), (_matrix, 1, ""), (_tall, 0, "_tall"), (_tall, 1, "_tall"),
                                  (_block, 1, "_block"))
    },
    "sum_keepdim": (_matrix, lambda t, x: x.sum(1, keepdim=True)),
    "sum_0_2_block": (_block, lambda t, x: x.sum((0, 2))),
    "mean_0_1_block": (_block, lambda t, x: x.mean((0, 1))),
    "max_values_0": (_matrix, lambda t, x: x.max(0)[0]),
    "max_values_1": (_matrix, lambda t, x: x.max(1)[0]),
    "max_values_tall": (_tall, lambda t, x: x.max(1)[0]),
    "min_values_1": (_matrix, lambda t, x: x.min(1)[0]),
    "norm_dim_0": (_matrix, lambda t, x: x.norm(dim=0)),
    "norm_dim_1": (_matrix, lambda t, x: x.norm(dim=1)),
    "logsumexp_1": (_matrix, lambda t, x: x.logsumexp(1)),
    "any": (_bools, lambda t, x: x.any()),
    "all_1": (_bools, lambda t, x: x.all(1)),
    "any_0": (_bools, lambda t, x: x.any(0)),
    "sum_bools": (_bools, lambda t, x: x.sum()),
    "sum_bools_1": (_bools, lambda t, x: x.sum(1)),
    "sum_integers": (_integers, lambda t, x: x.sum()),
    "max_integers": (_integers, lambda t, x: x.max()),
    "count_nonzero": (_vector, lambda t, x: t.count_nonzero(x)),
    "cumsum": (_vector, lambda t, x: x.cumsum(0)),
    "cumprod": (_positive, lambda t, x: (x + 0.5).cumprod(0)),
    "cummax": (_vector, lambda t, x: x.cummax(0)[0]),
    "transposed_sum_0": (_matrix, lambda t, x: x.t().sum(0)),
    "transposed_sum_1": (_matrix, lambda t, x: x.t().sum(1)),
    # picking and placing
    "gather_0": (_cells, lambda t, x, i: x.gather(0, i)),
    "gather_1": (_cells, lambda t, x, i: x.gather(1, i)),
    "scatter_0": (_cells_and_source, lambda t, x, y, i: x.scatter(0, i, y)),
    "scatter_add_0": (_cells_and_source, lambda t, x, y, i: x.scatter_add(0, i, y)),
    "scatter_add_1": (_cells_and_source, lambda t, x, y, i: x.scatter_add(1, i, y)),
    "scatter_add_vector": (_places_and_source, lambda t, x, y, i: x.scatter_add(0, i, y)),
    "index_select_0": (_rows, lambda t, x, i: x.index_select(0, i)),
    "index_select_1": (_cells, lambda t, x, i: x.index_select(1, i[0])),
    "index_add_0": (_rows_and_source, lambda t, x, y, i: x.index_add(0, i, y)),
    "index_copy_0": (_rows_and_source, lambda t, x, y, i: x.index_copy(0, i, y)),
    "take": (_places, lambda t, x, i: x.take(i)),
    "getitem_rows": (_rows, lambda t, x, i: x[i]),
    "getitem_vector": (_places, lambda t, x, i: x[i]),
    "getitem_pairs": (_cells, lambda t, x, i: x[i[0], i[1]]),
    "getitem_slice": (_matrix, lambda t, x: x[1:-1, ::2] * 1.0),
    "getitem_mask_rows": (_matrix, lambda t, x: x[x[:, 0] > 0]),
    "cat_0": (_pair, lambda t, x, y: t.cat([x, y])),
    "cat_1": (_matrix, lambda t, x: t.cat([x, x], 1)),
    "stack_0": (_pair, lambda t, x, y: t.stack([x, y])),
    "stack_1": (_pair, lambda t, x, y: t.stack([x, y], 1)),
    "split_mul": (_matrix, lambda t, x: x.chunk(2, 1)[0] * x.chunk(2, 1)[1] if x.shape[1] % 2 == 0 else x[:, 1:]),
    "flip": (_matrix, lambda t, x: x.flip(0)),
    "roll": (_matrix, lambda t, x: x.roll(3, 0)),
    "repeat": (_matrix, lambda t, x: x.repeat(2, 1)),
    "tril": (_matrix, lambda t, x: x.tril()),
    "transpose_copy": (_matrix, lambda t, x: x.t().contiguous()),
    "transpose_add": (_matrix, lambda t, x: x + x.t()),
    "permute_copy": (_block, lambda t, x: x.permute(2, 0, 1).contiguous()),
    "permute_inner": (_block, lambda t, x: x.transpose(0, 1).contiguous()),
    "diff": (_vector, lambda t, x: t.diff(x)),
    "sort": (_vector, lambda t, x: x.sort()[0]),
    "sort_1": (_matrix, lambda t, x: x.sort(1)[0]),
    "argsort": (_vector, lambda t, x: x.argsort()),
    "topk": (_vector, lambda t, x: x.topk(10)[0]),
    "topk_1": (_matrix, lambda t, x: x.topk(5, 1)[0]),
    "unique": (_integers, lambda t, x: t.unique(x)),
    "bincount": (_integers, lambda t, x: t.bincount(x + 100)),
    "median": (_vector, lambda t, x: x.median()),
    "nonzero": (_masked, lambda t, x, mask: mask.nonzero()),
    "one_hot": (_integers, lambda t, x: t.nn.functional.one_hot(x[: max(len(x) // 200, 1)] + 100, 200)),
    # conversions and creation
    "to_double": (_vector, lambda t, x: x.double()),
    "to_half": (_vector, lambda t, x: x.half()),
    "to_bfloat16": (_vector, lambda t, x: x.bfloat16()),
    "to_long": (_vector, lambda t, x: x.long()),
    "to_bool": (_vector, lambda t, x: x.bool()),
    "bool_to_float": (_masked, lambda t, x, mask: mask.float()),
    "long_to_float": (_integers, lambda t, x: x.float()),
    "mixed_integers": (_integers, lambda t, x: x * 2 + 1),
    "integer_divide": (_integers, lambda t, x: x // 7),
    "integer_remainder": (_integers, lambda t, x: x % 7),
    "zeros": (_size, lambda t, n: t.zeros(n)),
    "ones": (_size, lambda t, n: t.ones(n)),
    "full": (_size, lambda t, n: t.full((n,), 2.5)),
    "arange": (_size, lambda t, n: t.arange(n)),
    "linspace": (_size, lambda t, n: t.linspace(0, 1, n)),
    "rand": (_size, lambda t, n: t.rand(n)),
    "randn": (_size, lambda t, n: t.randn(n)),
    "randint": (_size, lambda t, n: t.randint(0, 100, (n,))),
    "randperm": (_size, lambda t, n: t.randperm(n)),
    "bernoulli": (_positive, lambda t, x: t.bernoulli(x.detach())),
    "multinomial": (_positive, lambda t, x: t.multinomial(x.detach(), 10)),
    # in place
    "in_place_add": (_pair, lambda t, x, y: x.detach().add_(y.detach(), alpha=0.0)),
    "in_place_mul": (_vector, lambda t, x: x.detach().mul_(1.0)),
    "in_place_relu": (_vector, lambda t, x: (x * 1.0).relu_()),
    "in_place_fill": (_vector, lambda t, x: x.detach().clone().fill_(1.0)),
}  # fmt: skip


def _programs(torch: Any, name: str, size: int) -> tuple[Function, Function | None]:
    """The function forward alone, and with backward where it is differentiable."""
    make, function = CASES[name]
    operands = [
        (torch.tensor(a).requires_grad_(a.dtype == np.float32) if isinstance(a, np.ndarray) else a)
        for a in make(np.random.default_rng(0), size)
    ]
    leaves = [a for a in operands if hasattr(a, "requires_grad") and a.requires_grad]

    def forward() -> Any:
        with torch.no_grad():
            return function(torch, *operands)

    out = function(torch, *operands)
    if not getattr(out, "requires_grad", False):
        return forward, None
    g = torch.tensor(np.random.default_rng(1).normal(size=tuple(out.shape)).astype(np.float32)).to(out.dtype)
    if not out.shape:
        g = None

    def both() -> None:
        for leaf in leaves:
            leaf.grad = None
        function(torch, *operands).backward(g)

    return forward, both


def _least(ours: Function, theirs: Function, repeats: int) -> tuple[float, float]:
    """The least processor time of each, in microseconds, measured in turn."""
    clock = time.thread_time
    least = [1e99, 1e99]
    counts = []
    for f in (ours, theirs):
        f()
        start = clock()
        f()
        counts.append(max(1, min(50, int(2e-3 / max(clock() - start, 1e-7)))))
    spent, turns = 0.0, 0
    while turns < repeats and (spent < 1.0 or turns < 4):
        for k, f in enumerate((ours, theirs)):
            start = clock()
            for _ in range(counts[k]):
                f()
            took = clock() - start
            spent += took
            least[k] = min(least[k], took / counts[k])
        turns += 1
    return least[0] * 1e6, least[1] * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="functions, or beginnings of their names (all unless given)")
    parser.add_argument("--size", type=int, nargs="+", default=[1000, 100_000, 1_000_000], help="numbers of elements")
    parser.add_argument("--above", type=float, default=0.0, help="print only rows with a ratio above this")
    parser.add_argument("--repeats", type=int, default=15, help="measurements of each, the least of which counts (15)")
    options = parser.parse_args()
    if any(os.environ.get(k) != v for k, v in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    chosen = [n for n in CASES if not options.names or any(n.startswith(p) for p in options.names)]
    if not chosen:
        parser.error(f"no function begins with {options.names[0]!r}; there are {', '.join(CASES)}")
    # nbtorch first, so that both have what it asks of the C library.
    nbtorch, torch = importlib.import_module("nbtorch"), importlib.import_module("torch")
    torch.set_num_threads(1)
    print("| function | elements | nbtorch | PyTorch | forward | nbtorch | PyTorch | with backward |")
    print("|---|---|---|---|---|---|---|---|")
    for name in chosen:
        for size in options.size:
            ours, theirs = _programs(nbtorch, name, size), _programs(torch, name, size)
            cells, worst = [], 0.0
            for a, b in zip(ours, theirs, strict=True):
                if a is None or b is None:
                    cells += ["", "", ""]
                    continue
                mine, other = _least(a, b, options.repeats)
                worst = max(worst, mine / other)
                cells += [f"{mine:,.1f}", f"{other:,.1f}", f"**{mine / other:.2f}**"]
            if worst >= options.above:
                print(f"| {name} | {size:,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
