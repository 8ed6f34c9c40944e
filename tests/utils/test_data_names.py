"""The other names of torch.utils and torch.utils.data: shares of a dataset, old import paths, what is left out."""

from __future__ import annotations

import importlib
import itertools
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
from helpers import device_name
from sides import as_torch

import nbtorch
from nbtorch.absent import NotInNbtorchError

PLACES = list(itertools.product((0, 1, 7, 10), (1, 2, 3, 12), (False, True), (False, True)))


@pytest.mark.parametrize(("n", "replicas", "shuffle", "drop_last"), PLACES)
def test_shares_of_a_dataset(n: int, replicas: int, shuffle: bool, drop_last: bool, torch_ref: Any) -> None:
    def shares(lib: Any) -> Any:
        out = []
        for rank in range(replicas):
            sampler = lib.utils.data.distributed.DistributedSampler(
                range(n), replicas, rank, shuffle=shuffle, seed=4, drop_last=drop_last
            )
            out.append((list(sampler), len(sampler), sampler.num_samples, sampler.total_size))
            sampler.set_epoch(2)
            out.append((list(sampler), sampler.epoch))
        return out

    as_torch(shares)


@pytest.mark.parametrize("rank", [-1, 2, None])
def test_ranks_that_are_none(rank: int | None, torch_ref: Any) -> None:
    if rank is not None:
        as_torch(lambda lib: lib.utils.data.DistributedSampler(range(3), 2, rank))
    with pytest.raises((ValueError, RuntimeError), match=r"rank should be in|Requires distributed package"):
        nbtorch.utils.data.DistributedSampler(range(3), 2, rank)


def test_a_loader_of_one_share(torch_ref: Any) -> None:
    def batches(lib: Any) -> Any:
        data = lib.utils.data.TensorDataset(lib.arange(9, 2))
        sampler = lib.utils.data.distributed.DistributedSampler(data, num_replicas=2, rank=1)
        return [list(lib.utils.data.DataLoader(data, 2, sampler=sampler)) for _ in range(2)]

    as_torch(batches)


@pytest.mark.parametrize(
    "path",
    ["dataset.Subset", "dataset.random_split", "dataset.IterableDataset", "dataloader.DataLoader", "sampler.Sampler",
     "dataloader.default_collate", "dataloader.get_worker_info", "sampler.SubsetRandomSampler",
     "distributed.DistributedSampler",
     "_utils.collate.default_collate", "_utils.collate.default_convert", "_utils.collate.default_collate_fn_map",
     "_utils.worker.get_worker_info", "_utils.pin_memory.pin_memory"],
)  # fmt: skip
def test_import_paths(path: str) -> None:
    module, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(f"nbtorch.utils.data.{module}"), name)
    with nbtorch.as_torch():
        assert getattr(importlib.import_module(f"torch.utils.data.{module}"), name) is found


class Own:
    def __init__(self, value: int) -> None:
        self.value = value


def test_a_type_of_ones_own_is_collated_by_the_table(torch_ref: Any) -> None:
    def collated(lib: Any) -> Any:
        table = importlib.import_module(f"{lib.library.__name__}.utils.data._utils.collate").default_collate_fn_map
        table[Own] = lambda batch, *, collate_fn_map=None: [own.value for own in batch]
        try:
            return lib.utils.data.default_collate([{"own": Own(1), "x": 1}, {"own": Own(2), "x": 2}])
        finally:
            del table[Own]

    as_torch(collated)


def test_data_pipes_say_that_they_are_not_here() -> None:
    with pytest.raises(NotInNbtorchError, match="IterableDataset"):
        type("Mine", (nbtorch.nn.Module,), {"x": nbtorch.utils.data.functional_datapipe("x")})

    class Mine(nbtorch.utils.data.IterDataPipe):  # type: ignore[misc]
        """A class of a program's that it may never use."""

    with pytest.raises(NotInNbtorchError):
        Mine()
    with nbtorch.as_torch():
        pipes = importlib.import_module("torch.utils.data.datapipes.iter")
    with pytest.raises(NotInNbtorchError):
        pipes.IterableWrapper([1])
    with pytest.raises(FileNotFoundError, match="downloads nothing"):
        nbtorch.utils.model_zoo.load_url("https://example.org/x.pt")


def test_two_tensors_change_places(torch_ref: Any) -> None:
    def swapped(lib: Any) -> Any:
        a, b = lib.arange(2, requires_grad=True), lib.arange(3, 2)
        (a * 2).sum().backward()
        b.note = "b"
        kept = OrderedDict(a=a, b=b)
        lib.utils.swap_tensors(a, b)
        return a, b, a.note, hasattr(b, "note"), b.grad, a.grad is None, b.requires_grad, kept["a"].shape == (3, 2)

    as_torch(swapped)
    p = nbtorch.nn.Parameter(nbtorch.ones(2, device=device_name()))
    t = nbtorch.zeros(3)
    nbtorch.utils.swap_tensors(p, t)
    assert (type(p), type(t)) == (nbtorch.Tensor, nbtorch.nn.Parameter)
    with pytest.raises(RuntimeError, match="computed"):
        nbtorch.utils.swap_tensors(t * 2, p)


def test_a_report_of_the_environment(capsys: Any) -> None:
    nbtorch.utils.collect_env.main()
    assert f"NumPy version: {np.__version__}" in capsys.readouterr().out
    assert nbtorch.utils.deterministic.fill_uninitialized_memory is True
