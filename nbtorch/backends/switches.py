"""The modules of ``torch.backends`` that programs set or ask: what there is, and switches that change nothing here."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]


def _says(answer: Any) -> Callable[..., Any]:
    return lambda *args, **kwargs: answer


def _module(name: str, doc: str, **contents: Any) -> ModuleType:
    """A module without a file: ``import torch.backends.cudnn as cudnn`` finds it."""
    module = ModuleType(f"{__package__}.{name}", doc)
    module.__dict__.update(contents)
    sys.modules[module.__name__] = module
    return module


@contextlib.contextmanager
def _flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
    **others: Any,
) -> Iterator[None]:
    """Sets the switches for the length of a block."""
    before = dict(vars(cudnn))
    vars(cudnn).update(
        enabled=enabled, benchmark=benchmark, benchmark_limit=benchmark_limit, deterministic=deterministic,
        allow_tf32=allow_tf32,
    )  # fmt: skip
    try:
        yield
    finally:
        vars(cudnn).update(before)


def _sdp_kernel(*args: Any, **kwargs: Any) -> contextlib.AbstractContextManager[None]:
    """Accepted: attention is computed one way."""
    return contextlib.nullcontext()


cudnn = _module(
    "cudnn",
    "Switches of a library that is not used here.",
    enabled=True, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True,
    is_available=_says(False), is_acceptable=_says(False), version=_says(None), flags=_flags,
)  # fmt: skip
cuda = _module(
    "cuda",
    "What is said of the GPU's libraries.",
    matmul=SimpleNamespace(
        allow_tf32=False,
        allow_fp16_reduced_precision_reduction=True,
        allow_bf16_reduced_precision_reduction=True,
        allow_fp16_accumulation=False,
    ),
    is_built=_says(False), sdp_kernel=_sdp_kernel,
    flash_sdp_enabled=_says(False), mem_efficient_sdp_enabled=_says(False), cudnn_sdp_enabled=_says(False),
    math_sdp_enabled=_says(True), enable_flash_sdp=_says(None), enable_mem_efficient_sdp=_says(None),
    enable_cudnn_sdp=_says(None), enable_math_sdp=_says(None),
)  # fmt: skip
mps = _module("mps", "Apple's GPU: not used here.", is_available=_says(False), is_built=_says(False))
mkl = _module("mkl", "Not used here.", is_available=_says(False))
mkldnn = _module("mkldnn", "Not used here.", is_available=_says(False), enabled=False)
openmp = _module("openmp", "Not used here.", is_available=_says(False))
