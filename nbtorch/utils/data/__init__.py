"""Datasets, the order in which they are read, and the loader that makes batches; the names are PyTorch's."""

from __future__ import annotations

from typing import Any

from ...absent import ABSENT, AbsentFeature, AbsentModule
from . import distributed as distributed
from .collate import default_collate, default_convert
from .dataloader import DataLoader, WorkerInfo, get_worker_info
from .dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from .distributed import DistributedSampler
from .sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "WorkerInfo",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "random_split",
]

_PIPES = (
    "DFIterDataPipe", "DataChunk", "IterDataPipe", "MapDataPipe", "argument_validation", "functional_datapipe",
    "guaranteed_datapipes_determinism", "non_deterministic", "runtime_validation", "runtime_validation_disabled",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _PIPES:
        return AbsentFeature(f"utils.data.{name}", ABSENT["utils.data.datapipes"])
    if name == "datapipes":
        return AbsentModule("utils.data.datapipes")
    raise AttributeError(f"module 'nbtorch.utils.data' has no attribute {name!r}")
