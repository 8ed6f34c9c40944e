"""Datasets, samplers, collating and loading: as PyTorch's."""

from __future__ import annotations

import collections
import warnings
from typing import Any

import numpy as np
import pytest
from helpers import same, to_numpy
from hypothesis import given
from hypothesis import strategies as st
from sides import as_torch, nbtorch_side

CASES: list[Any] = []
Pair = collections.namedtuple("Pair", "left right")


def case(function: Any) -> Any:
    CASES.append(pytest.param(function, id=function.__name__))
    return function


@pytest.mark.parametrize("function", CASES)
def test_as_torch(function: Any, torch_ref: Any) -> None:
    as_torch(function)


def table(lib: Any, n: int = 10) -> Any:
    return lib.utils.data.TensorDataset(lib.arange(n, 3), lib.make(np.arange(n)))


def squares(lib: Any, n: int = 10) -> Any:
    class Squares(lib.utils.data.Dataset):
        def __len__(self) -> int:
            return n

        def __getitem__(self, i: int) -> Any:
            if i >= n:
                raise IndexError(i)
            return i, float(i * i)

    return Squares()


def stream(lib: Any, n: int = 10) -> Any:
    class Stream(lib.utils.data.IterableDataset):
        def __iter__(self) -> Any:
            return iter(range(n))

    return Stream()


def sized_stream(lib: Any, n: int = 10) -> Any:
    class Sized(lib.utils.data.IterableDataset):
        def __iter__(self) -> Any:
            return iter(range(n))

        def __len__(self) -> int:
            return n

    return Sized()


# -- datasets ----------------------------------------------------------------------------------------------------------


@case
def tensor_dataset(lib: Any) -> Any:
    d = table(lib)
    return len(d), d[3], d[-1], d[2:4], len(d.tensors)


@case
def subset(lib: Any) -> Any:
    d = lib.utils.data.Subset(table(lib), [4, 1, 7])
    return len(d), d[1], d.__getitems__([0, 2]), list(lib.utils.data.Subset(squares(lib), [2, 3])), d[[0, 1]]


@case
def concatenated(lib: Any) -> Any:
    d = squares(lib, 3) + squares(lib, 2) + squares(lib, 4)
    return len(d), [d[i] for i in range(-9, 9)], type(d).__name__


@case
def chained(lib: Any) -> Any:
    d = stream(lib, 3) + stream(lib, 2)
    return list(d), type(d).__name__, len(lib.utils.data.ChainDataset([sized_stream(lib, 3), sized_stream(lib, 4)]))


@case
def stacked(lib: Any) -> Any:
    data = lib.utils.data
    return (
        data.StackDataset(squares(lib), table(lib))[2],
        data.StackDataset(a=squares(lib), b=squares(lib))[3],
        len(data.StackDataset(table(lib))),
        list(data.DataLoader(data.StackDataset(a=squares(lib, 4)), batch_size=3)),
    )


@case
def stacked_many_at_once(lib: Any) -> Any:
    data = lib.utils.data
    tens = type("Tens", (list,), {"__getitems__": lambda self, indices: [10 * i for i in indices]})([0] * 3)
    return data.StackDataset(range(3), tens).__getitems__([2, 0]), data.StackDataset(a=tens).__getitems__([1])


ERRORS = {
    "stream without iter": lambda lib, d: d.IterableDataset(),
    "stack many": lambda lib, d: d.StackDataset(
        type("Few", (list,), {"__getitems__": lambda self, indices: [1]})([1, 2])
    ).__getitems__([0, 1]),
    "sizes": lambda lib, d: d.TensorDataset(lib.arange(3), lib.arange(4)),
    "abstract": lambda lib, d: d.Dataset()[0],
    "concat nothing": lambda lib, d: d.ConcatDataset([]),
    "concat stream": lambda lib, d: d.ConcatDataset([stream(lib)]),
    "concat below": lambda lib, d: (squares(lib, 2) + squares(lib, 2))[-5],
    "concat above": lambda lib, d: (squares(lib, 2) + squares(lib, 2))[4],
    "chain map": lambda lib, d: list(d.ChainDataset([squares(lib)])),
    "stack nothing": lambda lib, d: d.StackDataset(),
    "stack both": lambda lib, d: d.StackDataset(squares(lib), a=squares(lib)),
    "stack sizes": lambda lib, d: d.StackDataset(squares(lib, 2), squares(lib, 3)),
    "split sum": lambda lib, d: d.random_split(squares(lib), [3, 3]),
    "split fraction": lambda lib, d: d.random_split(squares(lib), [-0.5, 1.5]),
    "abstract sampler": lambda lib, d: iter(d.Sampler()),
    "random: replacement": lambda lib, d: d.RandomSampler([1], replacement=1),
    "random: number": lambda lib, d: d.RandomSampler([1], num_samples=0),
    "random: empty": lambda lib, d: d.RandomSampler([]),
    "weighted: number": lambda lib, d: d.WeightedRandomSampler([1.0], 0),
    "weighted: replacement": lambda lib, d: d.WeightedRandomSampler([1.0], 1, replacement=1),
    "weighted: matrix": lambda lib, d: d.WeightedRandomSampler([[1.0]], 1),
    "batch: size": lambda lib, d: d.BatchSampler([1], 0, False),
    "batch: float": lambda lib, d: d.BatchSampler([1], 1.5, False),
    "batch: drop": lambda lib, d: d.BatchSampler([1], 1, 1),
    "loader: workers": lambda lib, d: d.DataLoader(squares(lib), num_workers=-1),
    "loader: timeout": lambda lib, d: d.DataLoader(squares(lib), timeout=-1),
    "loader: prefetch": lambda lib, d: d.DataLoader(squares(lib), prefetch_factor=2),
    "loader: persistent": lambda lib, d: d.DataLoader(squares(lib), persistent_workers=True),
    "loader: context": lambda lib, d: d.DataLoader(squares(lib), multiprocessing_context="fork"),
    "loader: sampler and shuffle": lambda lib, d: d.DataLoader(squares(lib), sampler=[1], shuffle=True),
    "loader: batch sampler and size": lambda lib, d: d.DataLoader(squares(lib), 2, batch_sampler=[[1]]),
    "loader: no batches but drop": lambda lib, d: d.DataLoader(squares(lib), None, drop_last=True),
    "loader: size": lambda lib, d: d.DataLoader(squares(lib), 0),
    "loader: shuffled stream": lambda lib, d: d.DataLoader(stream(lib), shuffle=True),
    "loader: sampled stream": lambda lib, d: d.DataLoader(stream(lib), sampler=[1]),
    "loader: batch-sampled stream": lambda lib, d: d.DataLoader(stream(lib), batch_sampler=[[1]]),
    "loader: shuffle nothing": lambda lib, d: d.DataLoader([], shuffle=True),
    "loader: changed": lambda lib, d: setattr(d.DataLoader(squares(lib)), "batch_size", 3),
    "loader: length of a stream": lambda lib, d: len(d.DataLoader(stream(lib))),
    "collate: object": lambda lib, d: d.default_collate([object()]),
    "collate: none": lambda lib, d: d.default_collate([None]),
    "collate: shapes": lambda lib, d: d.default_collate([lib.arange(2), lib.arange(3)]),
    "collate: lengths": lambda lib, d: d.default_collate([[1, 2], [1]]),
    "collate: array of text": lambda lib, d: d.default_collate([np.array(["a"])]),
    "subset half overridden": lambda lib, d: type("S", (d.Subset,), {"__getitem__": lambda s, i: 1})([1], [0]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_as_torch(name: str, torch_ref: Any) -> None:
    as_torch(lambda lib: ERRORS[name](lib, lib.utils.data))


# -- collating ---------------------------------------------------------------------------------------------------------


@case
def collate_everything(lib: Any) -> Any:
    samples = [
        {
            "tensor": lib.arange(2) + k, "int": k, "float": k + 0.5, "bool": bool(k), "text": f"t{k}", "bytes": b"b",
            "array": np.arange(3) * k, "scalar": np.float32(k), "tuple": (k, float(k)), "list": [k, [k]],
            "pair": Pair(k, "x"), "dict": {"deep": lib.arange(1) * k}, "0-d": np.array(k),
        }
        for k in range(3)
    ]  # fmt: skip
    out = lib.utils.data.default_collate(samples)
    kinds = {k: type(v).__name__ for k, v in out.items()}
    return out, kinds, str(out["float"].dtype), str(out["bool"].dtype)


@case
def collate_keeps_container_types(lib: Any) -> Any:
    batch = [collections.OrderedDict(a=collections.UserList([k, k])) for k in range(2)]
    out = lib.utils.data.default_collate(batch)
    return type(out).__name__, type(out["a"]).__name__, list(out["a"])


@case
def convert(lib: Any) -> Any:
    data = {"a": np.arange(3), "b": [np.float32(1), "t"], "c": (1, np.arange(2)), "p": Pair(np.arange(1), 2),
            "s": np.array(["x"]), "n": None}  # fmt: skip
    out = lib.utils.data.default_convert(data)
    return out["a"], out["b"], out["c"], type(out["c"]).__name__, out["p"], out["n"], type(out["s"]).__name__


# -- loading -----------------------------------------------------------------------------------------------------------


@case
def batches(lib: Any) -> Any:
    loader = lib.utils.data.DataLoader(table(lib), batch_size=4)
    return list(loader), len(loader), [type(b).__name__ for b in loader]


@case
def batches_of_samples(lib: Any) -> Any:
    data = lib.utils.data
    return [
        [list(loader), len(loader)]
        for loader in (
            data.DataLoader(squares(lib)),
            data.DataLoader(squares(lib), batch_size=4, drop_last=True),
            data.DataLoader(squares(lib), batch_size=None),
            data.DataLoader(squares(lib), batch_size=3, sampler=[5, 1, 1, 7]),
            data.DataLoader(squares(lib), batch_sampler=[[1, 2], [3]]),
            data.DataLoader(squares(lib), batch_size=20),
            data.DataLoader(squares(lib), batch_size=4, collate_fn=lambda samples: [s[0] for s in samples]),
            data.DataLoader(data.Subset(table(lib), [8, 2, 5]), batch_size=2),
            data.DataLoader([1, 2, 3], batch_size=2),
            data.DataLoader([np.arange(2), np.arange(2)], batch_size=None),
        )
    ]


@case
def batches_of_a_stream(lib: Any) -> Any:
    data = lib.utils.data
    return (
        list(data.DataLoader(stream(lib), batch_size=4)),
        list(data.DataLoader(stream(lib), batch_size=4, drop_last=True)),
        list(data.DataLoader(stream(lib), batch_size=None)), len(data.DataLoader(sized_stream(lib), batch_size=4)),
        len(data.DataLoader(sized_stream(lib), batch_size=4, drop_last=True)),
        len(data.DataLoader(sized_stream(lib), batch_size=None)), list(data.DataLoader(stream(lib, 0), batch_size=4)),
    )  # fmt: skip


@case
def dataset_that_reads_whole_batches(lib: Any) -> Any:
    class Reads(lib.utils.data.Dataset):
        def __len__(self) -> int:
            return 5

        def __getitems__(self, indices: list[int]) -> list[int]:
            return [10 * i for i in indices]

    data = lib.utils.data
    return list(data.DataLoader(Reads(), batch_size=2)), list(
        data.DataLoader(data.Subset(Reads(), [3, 1]), batch_size=2)
    )


@case
def loader_attributes(lib: Any) -> Any:
    loader = lib.utils.data.DataLoader(squares(lib), batch_size=4, shuffle=True)
    return (loader.batch_size, loader.drop_last, loader.num_workers, loader.pin_memory, loader.timeout,
            type(loader.sampler).__name__, type(loader.batch_sampler).__name__, loader.collate_fn.__name__,
            len(iter(loader)), lib.utils.data.get_worker_info())  # fmt: skip


@case
def two_passes_at_once(lib: Any) -> Any:
    loader = lib.utils.data.DataLoader(squares(lib, 4), batch_size=2)
    return [(a, b) for a in loader for b in loader]


@case
def exceptions_arrive(lib: Any) -> Any:
    class Breaks(lib.utils.data.Dataset):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, i: int) -> int:
            if i == 2:
                raise KeyError("broken sample")
            return i

    return list(lib.utils.data.DataLoader(Breaks()))


def test_a_subclass_of_tensor_dataset_is_read_by_its_own_getitem() -> None:
    lib = nbtorch_side()

    class Doubled(lib.utils.data.TensorDataset):
        def __getitem__(self, i: int) -> Any:
            return tuple(2 * t for t in super().__getitem__(i))

    (batch,) = lib.utils.data.DataLoader(Doubled(lib.arange(4)), batch_size=4)
    same(batch[0], lib.arange(4) * 2)


def test_gradients_flow_to_the_tensors_of_a_dataset(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        x = lib.arange(4, 2, requires_grad=True)
        for (batch,) in lib.utils.data.DataLoader(lib.utils.data.TensorDataset(x), batch_size=3):
            (batch * batch).sum().backward()
        return x.grad

    as_torch(run)


# -- random orders -----------------------------------------------------------------------------------------------------


def test_shuffling() -> None:
    lib = nbtorch_side()
    loader = lib.utils.data.DataLoader(table(lib, 50), batch_size=8, shuffle=True)
    passes = []
    lib.manual_seed(7)
    for _ in range(2):
        passes.append(np.concatenate([to_numpy(labels) for _, labels in loader]))
    assert sorted(passes[0]) == sorted(passes[1]) == list(range(50))
    assert list(passes[0]) != list(passes[1]) and list(passes[0]) != list(range(50))
    lib.manual_seed(7)
    again = np.concatenate([to_numpy(labels) for _, labels in loader])
    assert list(again) == list(passes[0])


def test_shuffling_by_a_generator() -> None:
    lib = nbtorch_side()

    def order(seed: int) -> list[Any]:
        generator = lib.Generator()
        generator.manual_seed(seed)
        loader = lib.utils.data.DataLoader(squares(lib), shuffle=True, generator=generator)
        return [i.item() for i, _ in loader]

    assert order(1) == order(1) != order(2)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=5), st.integers(0, 3))
def test_random_split_covers_everything_once(lengths: list[int], seed: int) -> None:
    lib = nbtorch_side()
    total = sum(lengths)
    generator = lib.Generator()
    generator.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = lib.utils.data.random_split(range(total), lengths, generator)
    assert [len(p) for p in parts] == lengths
    assert sorted(i for part in parts for i in part.indices) == list(range(total))


@pytest.mark.parametrize("fractions", [[0.7, 0.3], [0.33, 0.33, 0.34], [1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0.0]])
@pytest.mark.parametrize("n", [1, 10, 11])
def test_random_split_by_fractions(n: int, fractions: list[float], torch_ref: Any) -> None:
    as_torch(lambda lib: [len(p) for p in lib.utils.data.random_split(range(n), fractions)], warn=True)


def test_samplers() -> None:
    lib = nbtorch_side()
    data = lib.utils.data
    assert list(data.SequentialSampler("abc")) == [0, 1, 2]
    assert sorted(data.RandomSampler(range(40))) == list(range(40))
    drawn = list(data.RandomSampler(range(5), replacement=True, num_samples=70))
    assert len(drawn) == 70 and set(drawn) == set(range(5))
    twice = list(data.RandomSampler(range(5), num_samples=12))
    assert sorted(twice[:5]) == sorted(twice[5:10]) == list(range(5)) and len(twice) == 12
    assert sorted(data.SubsetRandomSampler([3, 5, 9])) == [3, 5, 9]
    weighted = list(data.WeightedRandomSampler([0.0, 1.0, 3.0], 400))
    assert set(weighted) == {1, 2} and 200 < weighted.count(2) < 380
    assert sorted(data.WeightedRandomSampler([1.0, 1.0, 1.0], 3, replacement=False)) == [0, 1, 2]
    assert list(data.BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(data.BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert len(data.BatchSampler(range(5), 2, False)) == 3 and len(data.BatchSampler(range(5), 2, True)) == 2
