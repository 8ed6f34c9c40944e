"""nbtorch: PyTorch's principle, made visible, in Jupyter.

``import nbtorch as torch`` runs ordinary PyTorch programs on NumPy (CPU) and CuPy (GPU).
"""

from __future__ import annotations

import builtins
import importlib
import sys
from math import e, inf, nan, pi
from typing import TYPE_CHECKING, Any

from . import autograd, backends
from ._version import __version__
from .autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .backends.device import device, get_default_device, set_default_device
from .backends.dtypes import (
    bfloat16,
    double,
    dtype,
    finfo,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
)
from .backends.dtypes import bool_ as bool
from .backends.dtypes import float32 as float
from .backends.dtypes import int32 as int
from .ops.memory import UntypedStorage
from .tensor import Size, Tensor, set_printoptions
from .tensor.dlpack import from_dlpack
from .tensor.legacy import *
from .tensor.questions import *

# Only after the room of that name: importing it binds nbtorch.tensor to the module, and this to the function.
# isort: split
from .ops import *
from .ops import load_all as _load_all
from .ops import operands

_ROOMS = (
    "__config__", "_utils", "accelerator", "amp", "compiler", "cpu", "cuda", "datasets", "distributions", "func", "hub",
    "linalg", "masked", "multiprocessing", "nn", "notebook", "optim", "overrides", "profiler", "random",
    "serialization", "signal", "special", "testing", "types", "utils", "version",
)  # fmt: skip
# Functions of rooms that are part of the front door, by room.
_FROM_ROOMS = {
    "as_torch": "aliasing", "capture": "replay", "load": "serialization", "save": "serialization", "vmap": "func",
    **dict.fromkeys(("GradScaler", "autocast"), "amp"),
    **dict.fromkeys(
        (
            "clear_autocast_cache", "get_autocast_cpu_dtype", "get_autocast_dtype", "get_autocast_gpu_dtype",
            "is_autocast_cache_enabled", "is_autocast_cpu_enabled", "is_autocast_enabled",
            "set_autocast_cache_enabled", "set_autocast_cpu_dtype", "set_autocast_cpu_enabled", "set_autocast_dtype",
            "set_autocast_enabled", "set_autocast_gpu_dtype",
        ),
        "amp.autocast_mode",
    ),
    **dict.fromkeys(("Event", "Stream"), "cpu"),
    **dict.fromkeys(
        (
            "BFloat16Storage", "BoolStorage", "ByteStorage", "CharStorage", "DoubleStorage", "FloatStorage",
            "HalfStorage", "IntStorage", "LongStorage", "ShortStorage", "TypedStorage",
        ),
        "tensor.storage",
    ),
    "is_anomaly_enabled": "autograd",
    **dict.fromkeys(("OutOfMemoryError",), "cuda"),
    **dict.fromkeys(
        (
            "are_deterministic_algorithms_enabled", "compile", "get_deterministic_debug_mode", "get_device_module",
            "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads",
            "is_deterministic_algorithms_warn_only_enabled",
            "is_warn_always_enabled", "set_deterministic_debug_mode", "set_float32_matmul_precision",
            "set_flush_denormal", "set_num_interop_threads", "set_num_threads", "set_warn_always",
            "use_deterministic_algorithms",
        ),
        "switches",
    ),
}  # fmt: skip
# What PyTorch was built with, as programs ask it.
newaxis = None
has_lapack = has_spectral = True
has_mkl = has_mkldnn = has_openmp = has_mps = has_cuda = has_cudnn = False

if TYPE_CHECKING:
    from . import (
        accelerator,
        amp,
        cuda,
        datasets,
        distributions,
        func,
        linalg,
        masked,
        nn,
        notebook,
        optim,
        profiler,
        random,
        serialization,
        signal,
        special,
        testing,
        utils,
        version,
    )
    from .aliasing import as_torch
    from .amp import autocast
    from .func import vmap
    from .replay import capture
    from .serialization import load, save
    from .switches import compile, get_num_threads, set_num_threads


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS, *_FROM_ROOMS, *_load_all()})


def graph(value: Any, **options: Any) -> Any:
    """The computation behind a tensor, drawn: ``nbtorch.graph(loss)`` as the last line of a cell.

    See ``nbtorch.notebook.graph.graph`` for the options.
    """
    from .notebook.graph import graph as draw

    return draw(value, **options)


def load_ipython_extension(ipython: Any) -> None:
    """``%load_ext nbtorch``: rich displays and magics."""
    from .notebook.extension import load_ipython_extension as load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """``%unload_ext nbtorch``: as if it had never been loaded."""
    from .notebook.extension import unload_ipython_extension as unload

    unload(ipython)


def __getattr__(name: str) -> Any:
    if name == "__all__":  # for ``from nbtorch import *``
        return sorted(name for name in {*globals(), *_load_all()} if not name.startswith("_"))
    # These rooms are opened when first asked for, so that importing nbtorch takes little longer than importing NumPy.
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    if name in _FROM_ROOMS:
        return getattr(importlib.import_module(f".{_FROM_ROOMS[name]}", __name__), name)
    from .backends.dtypes import OTHERS
    from .backends.layouts import SPARSE

    if name in (late := _load_all()):
        globals().update(late)
        return late[name]
    if name in OTHERS or name in SPARSE:  # for tables and comparisons; no tensor is of these
        return OTHERS.get(name) or SPARSE[name]
    from .annex import missing

    return missing(__name__, name)


class _Annex:
    """Asked when nothing else finds ``nbtorch.x``: perhaps PyTorch has a module of that name."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if not fullname.startswith("nbtorch."):
            return None
        from .annex import find_spec

        return find_spec(fullname)


sys.meta_path[:] = [f for f in sys.meta_path if type(f).__qualname__ != "_Annex"] + [_Annex()]
