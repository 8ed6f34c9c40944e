"""Evaluating somebody's model without a trace: weights, buffers, gradients, mode and random numbers stay."""

from __future__ import annotations

import contextlib
import copy
import importlib
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nbtorch_widgets.gradients import parameters_by_attribute

_LIBRARIES = ("nbtorch", "torch")


def library_of(tensors: Sequence[Any]) -> Any:
    """The library (the module nbtorch or torch) that the tensors belong to; None for a class of one's own."""
    for tensor in tensors:
        for base in type(tensor).__mro__:
            root = base.__module__.partition(".")[0]
            if root in _LIBRARIES:
                return importlib.import_module(root)
    return None


@contextlib.contextmanager
def without_grad(library: Any) -> Iterator[None]:
    """No graph is recorded inside."""
    with library.no_grad() if library is not None else contextlib.nullcontext():
        yield


class RandomState:
    """The random numbers of Python, NumPy, nbtorch and PyTorch (with its devices) as they were when this was made."""

    def __init__(self) -> None:
        self._python = random.getstate()
        self._numpy = np.random.get_state()
        self._libraries: list[tuple[Any, Any]] = []
        self._devices: list[tuple[Any, Any]] = []
        for name in _LIBRARIES:
            library = sys.modules.get(name)
            if library is None or not hasattr(library, "get_rng_state"):
                continue
            self._libraries.append((library, library.get_rng_state()))
            cuda: Any = getattr(library, "cuda", None)
            initialized = getattr(cuda, "is_initialized", None)
            if initialized is not None and initialized():
                self._devices.append((cuda, cuda.get_rng_state_all()))

    def restore(self) -> None:
        """Go back to it."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        for library, state in self._libraries:
            library.set_rng_state(state)
        for cuda, states in self._devices:
            cuda.set_rng_state_all(states)

    def same_as(self, other: RandomState) -> bool:
        """Whether no random number was drawn between the two."""
        return (
            self._python == other._python
            and all(np.array_equal(a, b) for a, b in zip(self._numpy, other._numpy, strict=True))
            and all(
                np.array_equal(np.asarray(a), np.asarray(b))
                for (_, a), (_, b) in zip(self._libraries, other._libraries, strict=False)
            )
            and all(
                all(np.array_equal(a.cpu().numpy(), b.cpu().numpy()) for a, b in zip(ours, theirs, strict=True))
                for (_, ours), (_, theirs) in zip(self._devices, other._devices, strict=False)
            )
        )


def named_tensors(model: Any, kind: str) -> list[tuple[str, Any]]:
    """The model's parameters or buffers with their names; a mapping of tensors is a model of parameters."""
    if isinstance(model, Mapping):
        return [(str(name), each) for name, each in model.items()] if kind == "parameters" else []
    method = getattr(model, f"named_{kind}", None)
    if method is None and kind == "parameters" and callable(getattr(model, "parameters", None)):
        return parameters_by_attribute(model)
    return [(str(name), each) for name, each in method()] if callable(method) else []


def write(target: Any, values: Any) -> None:
    """Give a tensor these values, in its own memory where it can; call it where no graph is recorded."""
    if hasattr(target, "copy_"):
        target.copy_(values)
    else:
        target.data = values


def clone(tensor: Any) -> Any:
    """A copy of a tensor's values that belongs to no graph."""
    for method in ("detach", "clone"):
        if hasattr(tensor, method):
            tensor = getattr(tensor, method)()
            continue
        return copy.deepcopy(getattr(tensor, "data", tensor))
    return tensor


@contextlib.contextmanager
def untouched(model: Any) -> Iterator[None]:
    """Whatever happens inside, an exception or the kernel's interrupt too, the model is afterwards as it was before.

    That is its parameters, their gradients (which tensor, and its values), its buffers, the mode (train or eval) of
    each module, and the state of the random numbers.
    """
    parameters = named_tensors(model, "parameters")
    tensors = [tensor for _, tensor in (*parameters, *named_tensors(model, "buffers"))]
    library = library_of(tensors)
    randomness = RandomState()
    values = [clone(tensor) for tensor in tensors]
    gradients = [(p, g, None if g is None else clone(g)) for _, p in parameters for g in [getattr(p, "grad", None)]]
    modules = getattr(model, "modules", None)
    modes = (
        [(module, module.training) for module in modules() if hasattr(module, "training")] if callable(modules) else []
    )
    try:
        yield
    finally:
        with without_grad(library):
            for tensor, value in zip(tensors, values, strict=True):
                write(tensor, value)
            for parameter, gradient, value in gradients:
                if gradient is not None:
                    write(gradient, value)
                if getattr(parameter, "grad", None) is not gradient:
                    parameter.grad = gradient
        for module, training in modes:
            module.training = training
        randomness.restore()


def set_eval(model: Any) -> None:
    """Evaluation mode, where the model has modes."""
    if callable(getattr(model, "eval", None)):
        model.eval()


def twin(model: Any) -> Any | None:
    """A copy of the model to try things on; None if it can't be copied, or if the copy shares something with it."""
    try:
        with untouched(model):
            copied = copy.deepcopy(model)
            ours = {id(tensor) for kind in ("parameters", "buffers") for _, tensor in named_tensors(model, kind)}
            theirs = {id(tensor) for kind in ("parameters", "buffers") for _, tensor in named_tensors(copied, kind)}
            if ours & theirs or len(ours) != len(theirs):
                return None
    except Exception:  # locks, open files, tensors inside a graph: whatever can't be copied
        return None
    return copied
