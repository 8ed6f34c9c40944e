"""The names of ``torch.backends`` that programs set or ask: what there is, and switches that change nothing here."""

from __future__ import annotations

from types import SimpleNamespace

__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]


def _is(answer: bool) -> object:
    return lambda: answer


cudnn = SimpleNamespace(
    enabled=False, benchmark=False, deterministic=False, allow_tf32=True, is_available=_is(False), version=lambda: None
)
cuda = SimpleNamespace(
    matmul=SimpleNamespace(allow_tf32=False, allow_fp16_reduced_precision_reduction=True), is_built=_is(False)
)
mps = SimpleNamespace(is_available=_is(False), is_built=_is(False))
mkl = SimpleNamespace(is_available=_is(False))
mkldnn = SimpleNamespace(is_available=_is(False), enabled=False)
openmp = SimpleNamespace(is_available=_is(False))
