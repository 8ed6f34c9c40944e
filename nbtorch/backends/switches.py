"""``torch.backends``: what there is, and switches that are remembered and change nothing here.

Each is a module, so that ``import torch.backends.cudnn as cudnn`` works; anything may be assigned to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

__all__ = [
    "cpu", "cuda", "cudnn", "cusparselt", "flags", "kleidiai", "mha", "miopen", "mkl", "mkldnn", "mps", "nnpack",
    "openmp", "opt_einsum", "python_native", "quantized", "xeon", "xnnpack",
]  # fmt: skip


def _no(*args: Any) -> bool:
    """There is none."""
    return False


def _yes() -> bool:
    """There is one."""
    return True


def _none() -> None:
    """There is none."""


class _Precision:
    """``fp32_precision`` and the older switches of one kind of operation."""

    def __init__(self, **switches: Any) -> None:
        self.fp32_precision = "none"
        self.__dict__.update(switches)


def _module(name: str, doc: str, **names: Any) -> ModuleType:
    module = ModuleType(f"nbtorch.backends.{name}", doc)
    module.__dict__.update(names, __path__=[])
    return module


def _flags_of(module: ModuleType, names: tuple[str, ...]) -> Any:
    """``flags(enabled=…)`` of a module: its switches for the length of a block; and ``set_flags``, for good."""

    def set_flags(*values: Any, **named: Any) -> tuple[Any, ...]:
        given = {**dict(zip((f"_{n}" for n in names), values, strict=False)), **named}
        before = tuple(getattr(module, n) for n in names)
        for n in names:
            value = given.get(f"_{n}", given.get(n))
            if value is not None:
                setattr(module, n, value)
        return before

    @contextmanager
    def flags(*values: Any, **named: Any) -> Iterator[None]:
        before = set_flags(*values, **named)
        try:
            yield
        finally:
            set_flags(*before)

    return {"flags": flags, "set_flags": set_flags}


cpu = _module("cpu", "The processor.", get_cpu_capability=lambda: "DEFAULT")
cudnn = _module(
    "cudnn", "There is no cuDNN: switches are remembered.",
    enabled=True, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True, fp32_precision="none",
    is_available=_no, is_acceptable=_no, version=_none, conv=_Precision(), rnn=_Precision(),
)  # fmt: skip
cudnn.__dict__.update(_flags_of(cudnn, ("enabled", "benchmark", "benchmark_limit", "deterministic", "allow_tf32")))
mkldnn = _module(
    "mkldnn", "There is no oneDNN: switches are remembered.",
    enabled=True, deterministic=False, allow_tf32=True, fp32_precision="none", VERBOSE_OFF=0, VERBOSE_ON=1,
    is_available=_no, matmul=_Precision(), conv=_Precision(), rnn=_Precision(),
)  # fmt: skip
mkldnn.__dict__.update(_flags_of(mkldnn, ("enabled", "deterministic", "allow_tf32")))
nnpack = _module("nnpack", "There is no NNPACK.", enabled=False, is_available=_no)
nnpack.__dict__.update(_flags_of(nnpack, ("enabled",)))


class _Verbose:
    """``with mkl.verbose(…)``: says nothing."""

    def __init__(self, enable: int = 0) -> None:
        self.enable = enable

    def __enter__(self) -> _Verbose:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


mkldnn.__dict__["verbose"] = _Verbose
mkl = _module(
    "mkl", "Products are computed by NumPy's own library.",
    is_available=_no, verbose=_Verbose, VERBOSE_OFF=0, VERBOSE_ON=1,
)  # fmt: skip
openmp = _module("openmp", "Loops run in one thread.", is_available=_no)
mps = _module(
    "mps", "There are no Apple GPUs.",
    is_available=_no, is_built=_no, is_macos_or_newer=_no, is_macos13_or_newer=_no, fp32_precision="none",
)  # fmt: skip
cusparselt = _module("cusparselt", "There are no sparse tensors.", is_available=_no, version=_none,
                     get_max_alg_id=_none)  # fmt: skip
kleidiai = _module("kleidiai", "There is no KleidiAI.", is_available=_no)
miopen = _module("miopen", "There is no MIOpen.", immediate=False, is_available=_no)
xnnpack = _module("xnnpack", "There is no XNNPACK.", enabled=False)
xeon = _module("xeon", "Nothing is tuned for a processor.")
python_native = _module("python_native", "Operations are Python's and NumPy's.")
quantized = _module("quantized", "There are no quantised tensors.", engine="none", supported_engines=["none"])
opt_einsum = _module(
    "opt_einsum", "The order of an einsum's products is found without opt_einsum.",
    enabled=False, strategy=None, is_available=_no, get_opt_einsum=_none,
)  # fmt: skip
mha = _module("mha", "Attention has one path.", get_fastpath_enabled=_yes)
mha.__dict__["set_fastpath_enabled"] = lambda value: mha.__dict__.update(get_fastpath_enabled=lambda: bool(value))

_kernels = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True, "fp16_bf16_reduction_math": False}


def _enabler(kind: str) -> Any:
    return lambda enabled: _kernels.update({kind: bool(enabled)})


def _enabled(kind: str) -> Any:
    return lambda: _kernels[kind]


@contextmanager
def _sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
) -> Iterator[dict[Any, Any]]:
    """Which kernels attention may use, for a block: remembered."""
    before = dict(_kernels)
    _kernels.update(flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn)
    try:
        yield {}
    finally:
        _kernels.update(before)


def _preferred(backend: Any = None) -> Any:
    """Which library computes: accepted; there is one."""
    return SimpleNamespace(name="Default", value=0)


cuda = _module(
    "cuda", "Products and attention on a GPU: switches are remembered.",
    is_built=_no, is_flash_attention_available=_no, is_ck_sdpa_available=_no, fp32_precision="none",
    matmul=_Precision(
        allow_tf32=False, allow_fp16_reduced_precision_reduction=True, allow_bf16_reduced_precision_reduction=True,
        allow_fp16_accumulation=False,
    ),
    cufft_plan_cache=SimpleNamespace(size=0, max_size=0, clear=_none),
    sdp_kernel=_sdp_kernel,
    enable_flash_sdp=_enabler("flash"), flash_sdp_enabled=_enabled("flash"),
    enable_mem_efficient_sdp=_enabler("mem_efficient"), mem_efficient_sdp_enabled=_enabled("mem_efficient"),
    enable_math_sdp=_enabler("math"), math_sdp_enabled=_enabled("math"),
    enable_cudnn_sdp=_enabler("cudnn"), cudnn_sdp_enabled=_enabled("cudnn"),
    allow_fp16_bf16_reduction_math_sdp=_enabler("fp16_bf16_reduction_math"),
    fp16_bf16_reduction_math_sdp_allowed=_enabled("fp16_bf16_reduction_math"),
    preferred_linalg_library=_preferred, preferred_blas_library=_preferred, preferred_rocm_fa_library=_preferred,
    can_use_flash_attention=_no, can_use_efficient_attention=_no, can_use_cudnn_attention=_no,
)  # fmt: skip

fp32_precision = "none"


@contextmanager
def flags(fp32_precision: str = "none") -> Iterator[None]:
    """The precision of float32 products for a block: accepted."""
    yield


disable_global_flags = _none
