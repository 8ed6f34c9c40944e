"""The states of all random streams that a training loop may draw from."""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np

#: Puts one stream back.
_Restore: TypeAlias = Callable[[], object]

# Where a loader keeps what draws: a sampler, a dataset with its transforms, or a dataset around a dataset.
_PARTS = ("sampler", "batch_sampler", "dataset", "datasets", "transform", "transforms", "collate_fn")
_DEPTH = 6


class Randomness:
    """The streams' states now: Python's, NumPy's, PyTorch's and nbtorch's, and those of the given generators."""

    def __init__(self, generators: Iterable[Any] = ()) -> None:
        python, numpy = random.getstate(), np.random.get_state()
        self._restores: list[_Restore] = [lambda: random.setstate(python), lambda: np.random.set_state(numpy)]
        for name in ("torch", "nbtorch"):
            library = sys.modules.get(name)
            if hasattr(library, "get_rng_state"):
                self._restores += _of_library(library)
        for generator in generators:
            self._restores.append(_of_generator(generator))

    def restore(self) -> None:
        """Put all streams back to these states."""
        for restore in self._restores:
            restore()


def _of_library(library: Any) -> Iterator[_Restore]:
    state = library.get_rng_state()
    yield lambda: library.set_rng_state(state)
    cuda = getattr(library, "cuda", None)
    # Asking a library that hasn't begun to use its device would make it begin.
    if cuda is not None and cuda.is_available() and getattr(cuda, "is_initialized", lambda: True)():
        states = cuda.get_rng_state_all()
        yield lambda: cuda.set_rng_state_all(states)
    mps = getattr(library, "mps", None)
    backend = getattr(getattr(library, "backends", None), "mps", None)
    if mps is not None and backend is not None and backend.is_available():
        mps_state = mps.get_rng_state()
        yield lambda: mps.set_rng_state(mps_state)


def _of_generator(generator: Any) -> _Restore:
    if isinstance(generator, random.Random):
        python = generator.getstate()
        return lambda: generator.setstate(python)
    if isinstance(generator, np.random.Generator):
        bits = generator.bit_generator
        numpy = copy.deepcopy(bits.state)

        def restore_bits() -> None:
            bits.state = numpy

        return restore_bits
    state = generator.get_state()
    return lambda: generator.set_state(state)


def _is_generator(value: Any) -> bool:
    if isinstance(value, (random.Random, np.random.Generator, np.random.RandomState)):
        return True
    return type(value).__name__ == "Generator" and hasattr(value, "get_state") and hasattr(value, "set_state")


def generators_of(loader: Any, modules: Iterable[Any] = ()) -> list[Any]:
    """The random generators that a loader or its parts, or modules, keep as attributes; each once."""
    found: dict[int, Any] = {}
    for owner in (*_parts(loader, _DEPTH), *modules):
        for value in _attributes(owner).values():
            if _is_generator(value):
                found[id(value)] = value
    return list(found.values())


def _parts(owner: Any, depth: int) -> Iterator[Any]:
    if owner is None or depth == 0 or isinstance(owner, (str, bytes, np.ndarray)):
        return
    yield owner
    attributes = _attributes(owner)
    for name in _PARTS:
        part = attributes.get(name)
        for each in part if isinstance(part, (list, tuple)) else (part,):
            yield from _parts(each, depth - 1)


def _attributes(owner: Any) -> dict[str, Any]:
    return getattr(owner, "__dict__", None) or {}
