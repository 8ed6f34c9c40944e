"""The parts of PyTorch that nbtorch leaves out: they can be imported, and say so when they are used."""

from __future__ import annotations

import contextlib
import types
from typing import Any, NoReturn

__all__ = ["ABSENT", "AbsentFeature", "AbsentModule", "NotInNbtorchError"]

_DISTRIBUTED = "there is one process; run the model without distribution, on one device"
_COMPILED = "there is no compiler: call the function or module itself"
ABSENT: dict[str, str] = {
    "_C": "there is no C++ underneath",
    "_dynamo": _COMPILED,
    "_inductor": _COMPILED,
    "distributed": _DISTRIBUTED,
    "export": _COMPILED,
    "fx": "the graph is recorded as it runs: look at it with nbtorch.graph(result)",
    "hub": "nothing is downloaded: load a checkpoint with torch.load(path)",
    "jit": _COMPILED,
    "library": "write an operation as a torch.autograd.Function",
    "multiprocessing": "use Python's multiprocessing; tensors travel between processes by pickling",
    "nested": "tensors are dense and rectangular: pad them, as nn.utils.rnn.pad_sequence does",
    "onnx": "save the weights with torch.save and load them in PyTorch to export from there",
    "ops": "call the public function of the operation instead",
    "package": "save the weights with torch.save",
    "profiler": "time it with Python's own profilers",
    "quantization": "there are no quantised tensors",
    "ao": "there are no quantised tensors",
    "sparse": "tensors are dense",
    "futures": "use concurrent.futures",
    "fft": "there are no complex numbers; NumPy's numpy.fft works on t.numpy()",
    "xpu": "devices are cpu and cuda",
    "mps": "devices are cpu and cuda",
    "utils.tensorboard": "use the widgets: nbtorch_widgets.watch(model)",
    "utils.cpp_extension": "there is no C++ underneath",
    "utils.bottleneck": "time it with Python's own profilers",
    "nn.parallel.distributed": _DISTRIBUTED,
    "nn.quantized": "there are no quantised tensors",
    "nn.intrinsic": "there are no quantised tensors",
    "utils.data.datapipes": "a stream is an IterableDataset; map and filter in its __iter__",
    "utils.model_zoo": "nothing is downloaded: load a checkpoint with torch.load(path)",
    "utils.benchmark": "time it with Python's own timeit",
}


class NotInNbtorchError(NotImplementedError):
    """A part of PyTorch was used that nbtorch has not."""


class AbsentFeature:
    """A name inside an absent module: it may be passed around, and raises when it is called or looked into."""

    def __init__(self, name: str, instead: str) -> None:
        self.__dict__.update(_name=name, _instead=instead)

    def _refuse(self) -> NoReturn:
        raise NotInNbtorchError(f"torch.{self._name} is not part of nbtorch\n  fix: {self._instead}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse()

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return AbsentFeature(f"{self._name}.{attribute}", self._instead)

    def __setattr__(self, attribute: str, value: Any) -> None:
        self._refuse()

    def __mro_entries__(self, bases: tuple[Any, ...]) -> Any:  # class Mine(IterDataPipe)
        self._refuse()

    def __enter__(self) -> Any:
        self._refuse()

    def __exit__(self, *exc: object) -> None:
        self._refuse()

    def __iter__(self) -> Any:
        self._refuse()

    def __repr__(self) -> str:
        return f"<torch.{self._name}: not part of nbtorch>"


# Questions whose honest answer lets a program go on without the absent part.
_ANSWERS: dict[str, Any] = {
    "distributed.is_available": lambda: False,
    "distributed.is_initialized": lambda: False,
    "distributed.get_rank": lambda group=None: 0,
    "distributed.get_world_size": lambda group=None: 1,
    "distributed.is_nccl_available": lambda: False,
    "distributed.is_mpi_available": lambda: False,
    "jit.is_scripting": lambda: False,
    "jit.is_tracing": lambda: False,
    "jit.script": lambda function=None, **options: function if function is not None else lambda f: f,
    "profiler.record_function": lambda name, args=None: contextlib.nullcontext(),
    "jit.ignore": lambda function=None, **options: function if function is not None else lambda f: f,
    "jit.unused": lambda function: function,
    "jit.export": lambda function: function,
    "xpu.is_available": lambda: False,
    "mps.is_available": lambda: False,
    "_dynamo.is_compiling": lambda: False,
}


class AbsentModule(types.ModuleType):
    """A module of PyTorch that is not here, for ``import torch.distributed`` and the like."""

    def __init__(self, name: str) -> None:
        root = next(known for known in sorted(ABSENT, key=len, reverse=True) if f"{name}.".startswith(f"{known}."))
        super().__init__(f"torch.{name}", f"Not part of nbtorch: {ABSENT[root]}.")
        self.__dict__.update(_name=name, _instead=ABSENT[root], __path__=[])

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        full = f"{self._name}.{attribute}"
        return _ANSWERS[full] if full in _ANSWERS else AbsentFeature(full, self._instead)


def is_absent(name: str) -> bool:
    """Whether a module of PyTorch's, by its name without ``torch.``, is one of those left out (or inside one)."""
    return any(f"{name}.".startswith(f"{known}.") for known in ABSENT)
