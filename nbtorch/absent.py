"""The parts of PyTorch that nbtorch leaves out: they can be imported and named, and say so when they are used."""

from __future__ import annotations

import contextlib
import types
import typing
from collections.abc import Callable
from typing import Any, NoReturn

__all__ = [
    "ABSENT",
    "AbsentFeature",
    "AbsentModule",
    "NotInNbtorchError",
    "absent_feature",
    "is_absent",
    "is_left_out",
    "why_absent",
]

_DISTRIBUTED = "there is one process; run the model without distribution, on one device"
_COMPILED = "there is no compiler: call the function or module itself"
_UNDERNEATH = "there is no C++ underneath: use the public functions"
_QUANTISED = "there are no quantised tensors: keep float32"
_TIMING = "use torch.profiler, or time it with time.perf_counter()"
_DEVICES = "devices are cpu and cuda"

# Packages that are left out whole, with what to do instead.
ABSENT: dict[str, str] = {
    "_C": _UNDERNEATH,
    "_dynamo": _COMPILED,
    "_inductor": _COMPILED,
    "_export": _COMPILED,
    "export": _COMPILED,
    "jit": _COMPILED,
    "nativert": _COMPILED,
    "_functorch": "use torch.func",
    "_higher_order_ops": _COMPILED,
    "_subclasses": "make the tensors for real: there are no fake ones",
    **dict.fromkeys(
        (
            "_decomp",
            "_dispatch",
            "_guards",
            "_jit_internal",
            "_lazy",
            "_library",
            "_logging",
            "_meta_registrations",
            "_native",
            "_numpy",
            "_ops",
            "_prims",
            "_prims_common",
            "_python_dispatcher",
            "_refs",
            "_strobelight",
            "_vendor",
            "_VF",
            "_custom_op",
            "_custom_ops",
            "_awaits",
            "contrib",
            "monitor",
            "numa",
            "classes",
            "lib",
            "utils.hipify",
            "utils.jit",
            "utils.viz",
            "utils.backend_registration",
            "utils.cpp_backtrace",
        ),
        _UNDERNEATH,
    ),
    "distributed": _DISTRIBUTED,
    "nn.parallel.distributed": _DISTRIBUTED,
    "nn.parallel.comm": _DISTRIBUTED,
    "cuda.nccl": _DISTRIBUTED,
    "cuda.comm": _DISTRIBUTED,
    "fx": "the graph is recorded as it runs: look at it with nbtorch.graph(result)",
    "library": "write an operation as a torch.autograd.Function",
    "nested": "tensors are dense and rectangular: pad them, as nn.utils.rnn.pad_sequence does",
    "masked.maskedtensor": "use the functions of torch.masked, with a mask beside the tensor",
    "onnx": "save the weights with torch.save and load them in PyTorch to export from there",
    "utils.mobile_optimizer": "save the weights with torch.save and load them in PyTorch to export from there",
    "utils.bundled_inputs": "save the weights with torch.save and load them in PyTorch to export from there",
    "ops": "call the public function of the operation instead",
    "package": "save the weights with torch.save",
    **dict.fromkeys(
        ("profiler._memory_profiler", "profiler._pattern_matcher", "profiler.itt", "profiler.python_tracer"),
        "use torch.profiler.profile",
    ),
    "autograd.profiler_legacy": _TIMING,
    "cuda.profiler": _TIMING,
    "utils.benchmark": _TIMING,
    "utils.bottleneck": _TIMING,
    "utils.throughput_benchmark": _TIMING,
    "utils.flop_counter": _TIMING,
    "quantization": _QUANTISED,
    "ao": _QUANTISED,
    "nn.quantized": _QUANTISED,
    "nn.quantizable": _QUANTISED,
    "nn.qat": _QUANTISED,
    "nn.intrinsic": _QUANTISED,
    "sparse": "tensors are dense",
    "cuda.sparse": "tensors are dense",
    "futures": "use concurrent.futures",
    "fft": "there are no complex numbers; NumPy's numpy.fft works on t.numpy()",
    "xpu": _DEVICES,
    "mps": _DEVICES,
    "mtia": _DEVICES,
    "cuda.graphs": "call the function itself: nothing is captured",
    "cuda.gds": "read the file with torch.load",
    "cuda.jiterator": "write the operation with torch's functions",
    "cuda.tunable": "there is nothing to tune",
    "cuda.green_contexts": "the whole GPU is used",
    "accelerator.graphs": "call the function itself: nothing is captured",
    "nn.attention.flex_attention": "use nn.functional.scaled_dot_product_attention with a mask",
    "nn.attention.varlen": "use nn.functional.scaled_dot_product_attention with a mask",
    "nn.attention.bias": "use nn.functional.scaled_dot_product_attention with a mask",
    "nn.attention.experimental": "use nn.functional.scaled_dot_product_attention with a mask",
    "utils.cpp_extension": _UNDERNEATH,
    "utils._python_dispatch": "subclass torch.autograd.Function, or patch the methods of a subclass of Tensor",
    "utils.data.datapipes": "use Dataset, IterableDataset and DataLoader",
    "testing._internal": "use torch.testing",
}


class NotInNbtorchError(NotImplementedError):
    """A part of PyTorch was used that nbtorch has not."""


def why_absent(name: str) -> str:
    """What to do instead of a part that is left out, by its name without ``torch.``."""
    root = next((r for r in sorted(ABSENT, key=len, reverse=True) if f"{name}.".startswith(f"{r}.")), None)
    return "PyTorch has it, nbtorch has not: see docs/differences.md" if root is None else ABSENT[root]


def is_absent(name: str) -> bool:
    """Whether a module of PyTorch's, by its name without ``torch.``, is one of those left out (or inside one)."""
    return any(f"{name}.".startswith(f"{known}.") for known in ABSENT)


def is_left_out(obj: Any) -> bool:
    """Whether something is a stand-in of a part that is left out."""
    return isinstance(obj, (AbsentFeature, AbsentModule)) or getattr(obj, "_left_out", False) is True


class AbsentFeature:
    """A name inside an absent part: it may be passed around, stand in annotations and ``isinstance`` and be a base
    class, and raises when it is called, looked into for numbers, or made an object of.

    Raises:
        NotInNbtorchError: on use.
    """

    def __init__(self, name: str, instead: str) -> None:
        self.__dict__.update(_name=name, _instead=instead, __name__=name.rpartition(".")[2], __module__="torch")

    def _refuse(self) -> NoReturn:
        raise NotInNbtorchError(f"torch.{self._name} is not part of nbtorch\n  fix: {self._instead}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse()

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return absent_feature(f"{self._name}.{attribute}", self._instead)

    def __setattr__(self, attribute: str, value: Any) -> None:
        self._refuse()

    def __enter__(self) -> Any:
        self._refuse()

    def __exit__(self, *exc: object) -> None:
        self._refuse()

    def __iter__(self) -> Any:
        self._refuse()

    # As a type: nothing is one of these.
    def __instancecheck__(self, instance: object) -> bool:
        return False

    def __subclasscheck__(self, cls: type) -> bool:
        return False

    def __or__(self, other: Any) -> Any:
        return typing.Union[self, other]  # noqa: UP007

    def __ror__(self, other: Any) -> Any:
        return typing.Union[other, self]  # noqa: UP007

    def __getitem__(self, parameters: Any) -> AbsentFeature:
        return self

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        feature = self

        def __new__(cls: type, *args: Any, **kwargs: Any) -> Any:
            feature._refuse()

        return (type(self.__name__, (), {"__new__": __new__, "__doc__": f"torch.{self._name}, which is not here."}),)

    def __repr__(self) -> str:
        return f"<torch.{self._name}: not part of nbtorch>"


_features: dict[str, Any] = {}


def absent_feature(name: str, instead: str | None = None) -> Any:
    """The stand-in of a name that is left out, the same one each time.

    Exceptions are real classes, so that ``except`` clauses can name them.
    """
    if name not in _features:
        last = name.rpartition(".")[2]
        if last[0].isupper() and last.endswith(("Error", "Exception")):
            _features[name] = type(last, (RuntimeError,), {"__module__": "torch", "__doc__": "Never raised here."})
        else:
            _features[name] = AbsentFeature(name, why_absent(name) if instead is None else instead)
    return _features[name]


# -- questions whose honest answer lets a program go on without the absent part, and marks that mean nothing here ---


def _none(*args: Any, **kwargs: Any) -> None:
    """Accepted: there is nothing to do."""


def _false(*args: Any, **kwargs: Any) -> bool:
    """No."""
    return False


def _zero(*args: Any, **kwargs: Any) -> int:
    """None, or none of it."""
    return 0


def _same(function: Any = None, *args: Any, **options: Any) -> Any:
    """The function itself; as a decorator with and without arguments."""
    if function is None or not (callable(function) or isinstance(function, type)):
        return _same
    return function


def _optimize(*args: Any, **options: Any) -> Callable[[Any], Any]:
    """A decorator that returns what it is given."""
    return _same


_NULL = contextlib.nullcontext
_ANSWERS: dict[str, Any] = {
    "distributed.get_rank": _zero,
    "distributed.get_world_size": lambda group=None: 1,
    **{
        f"distributed.{name}": _false
        for name in (
            "is_available", "is_initialized", "is_nccl_available", "is_mpi_available", "is_gloo_available",
            "is_ucc_available", "is_xccl_available", "is_torchelastic_launched", "is_backend_available",
        )
    },
    "distributed.elastic.multiprocessing.errors.record": _same,
    **{f"jit.{name}": _false for name in ("is_scripting", "is_tracing", "onednn_fusion_enabled")},
    **{
        f"jit.{name}": _same
        for name in (
            "script", "ignore", "unused", "export", "interface", "script_if_tracing", "script_method", "_overload",
            "_overload_method", "_script_if_tracing",
        )
    },
    "jit.annotate": lambda the_type, the_value: the_value,
    "jit.isinstance": lambda obj, target_type: isinstance(obj, target_type),
    "jit.Final": typing.Final,
    "jit.set_fusion_strategy": _none,
    "jit.enable_onednn_fusion": _none,
    "jit.optimized_execution": _NULL,
    "jit.fuser": _NULL,
    "_jit_internal.is_scripting": _false,
    **{f"_jit_internal.{name}": _same for name in ("ignore", "unused", "export", "_overload", "_overload_method")},
    "_jit_internal.Final": typing.Final,
    "_dynamo.is_compiling": _false,
    **{f"_dynamo.{name}": _same for name in ("disable", "allow_in_graph", "disallow_in_graph", "forbid_in_graph")},
    **{f"_dynamo.{name}": _none for name in ("reset", "mark_dynamic", "mark_static", "maybe_mark_dynamic",
                                             "graph_break", "mark_static_address")},
    "_dynamo.optimize": _optimize,
    "fx.wrap": _same,
    "onnx.is_in_onnx_export": _false,
    **{f"{place}.{name}": _false for place in ("xpu", "mps", "mtia") for name in ("is_available", "is_initialized")},
    **{f"{place}.device_count": _zero for place in ("xpu", "mps", "mtia")},
    **{f"xpu.{name}": _zero for name in ("memory_allocated", "max_memory_allocated", "memory_reserved")},
    **{f"xpu.{name}": _none for name in ("manual_seed", "manual_seed_all", "empty_cache")},
    "xpu.is_bf16_supported": _false,
    "mps.manual_seed": _none,
    "mps.seed": _none,
    "_C._get_tracing_state": _none,
    "_C._GLIBCXX_USE_CXX11_ABI": True,
    "utils.cpp_extension.CUDA_HOME": None,
    "utils.cpp_extension.ROCM_HOME": None,
}  # fmt: skip
# Switches of the C++ underneath, which programs throw at their start.
_SWITCHES = ("_C._jit_set_", "_C._jit_override_", "_C._set_", "_C._log_api_", "_logging.set_logs")


class AbsentModule(types.ModuleType):
    """A module of PyTorch that is not here, for ``import torch.distributed`` and the like.

    What is assigned to it stays, so that ``torch._dynamo.config.suppress_errors = True`` is as good as in PyTorch.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"nbtorch.{name}", f"Not part of nbtorch: {why_absent(name)}.")
        self.__dict__.update(_name=name, __path__=[])

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        full = f"{self._name}.{attribute}"
        if full in _ANSWERS:
            return _ANSWERS[full]
        if full.startswith(_SWITCHES):
            return _none
        if attribute == "config":
            self.__dict__[attribute] = AbsentModule(full)
            return self.__dict__[attribute]
        return absent_feature(full)

    def __repr__(self) -> str:
        return f"<module 'torch.{self._name}': not part of nbtorch>"
