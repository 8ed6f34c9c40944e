"""The CuPy backend as far as a machine without a GPU can tell: what it refuses, and how it uses CuPy's interface."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nbtorch import cuda
from nbtorch.backends import cupy as backend_module
from nbtorch.backends import device, get_backend
from nbtorch.backends.cupy import CupyBackend, load_cupy, why_unavailable
from nbtorch.backends.strict_module import xp as strict


@pytest.fixture(autouse=True)
def forget_what_is_installed() -> Any:
    """The answer of ``why_unavailable`` is kept for the process; these tests change it."""
    why_unavailable.cache_clear()
    yield
    why_unavailable.cache_clear()


@pytest.fixture
def without_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)


def fake_cupy(monkeypatch: pytest.MonkeyPatch, count: int | Exception) -> list[str]:
    """Puts a CuPy in place that computes as the strict device does, and notes what happens to its GPUs."""
    log: list[str] = []
    current = [0]

    class Device:
        def __init__(self, index: int) -> None:
            self.id = index
            self._before: list[int] = []

        def __enter__(self) -> Device:
            self._before.append(current[0])
            current[0] = self.id
            return self

        def __exit__(self, *error: object) -> None:
            current[0] = self._before.pop()

        def use(self) -> None:
            current[0] = self.id

        def synchronize(self) -> None:
            log.append(f"synchronize {self.id}")

    def get_device_count() -> int:
        if isinstance(count, Exception):
            raise count
        return count

    class FakeCupy(ModuleType):
        __version__ = "14.2.0"

        def __getattr__(self, name: str) -> Any:
            if name == "add":
                log.append(f"add on {current[0]}")
            return getattr(strict, name)

    pool = SimpleNamespace(
        used_bytes=lambda: 100 + current[0], total_bytes=lambda: 200 + current[0],
        free_all_blocks=lambda: log.append("freed"),
    )  # fmt: skip
    cupy = FakeCupy("cupy")
    runtime = SimpleNamespace(
        getDeviceCount=get_device_count,
        getDevice=lambda: current[0],
        getDeviceProperties=lambda i: {"name": f"GPU number {i}".encode()},
    )
    vars(cupy).update(
        cuda=SimpleNamespace(Device=Device, runtime=runtime),
        get_default_memory_pool=lambda: pool,
        get_default_pinned_memory_pool=lambda: pool,
    )
    special = ModuleType("cupyx.scipy.special")
    vars(special)["erf"] = lambda x: get_backend("strict").erf(x).astype("float64")
    cupyx, scipy = ModuleType("cupyx"), ModuleType("cupyx.scipy")
    vars(scipy)["special"] = special
    vars(cupyx).update(scipy=scipy, rsqrt=lambda x: 1 / strict.sqrt(x))
    for module in (cupy, cupyx, scipy, special):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return log


@pytest.mark.usefixtures("without_cupy")
def test_without_cupy_the_error_says_what_to_install() -> None:
    with pytest.raises(
        RuntimeError, match=r"CuPy can't be imported[\s\S]*expected:[\s\S]*pip install 'nbtorch\[cuda13\]'"
    ):
        CupyBackend(device("cuda:0"))


@pytest.mark.usefixtures("without_cupy")
def test_without_cupy_questions_are_answered() -> None:
    assert cuda.is_available() is False
    assert cuda.device_count() == 0
    assert cuda.memory_allocated() == cuda.memory_reserved() == cuda.max_memory_allocated() == 0
    cuda.empty_cache()
    for ask in (cuda.current_device, cuda.get_device_name, cuda.synchronize, lambda: cuda.set_device(0)):
        with pytest.raises(RuntimeError, match="CuPy can't be imported"):
            ask()


def test_a_broken_cupy_is_told_from_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
            if name == "cupy":
                raise OSError("libnvrtc.so: cannot open shared object file\nmore")

    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    assert "fails to load (OSError: libnvrtc.so: cannot open shared object file)" in (cuda.why_unavailable() or "")
    assert cuda.is_available() is False


def test_cupy_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cupy(monkeypatch, RuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient"))
    assert "cudaErrorInsufficientDriver" in (cuda.why_unavailable() or "")
    assert "nvidia-smi" in (cuda.why_unavailable() or "")
    assert not cuda.is_available()
    with pytest.raises(RuntimeError, match="finds no usable GPU"):
        load_cupy()


def test_no_gpu_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cupy(monkeypatch, 0)
    assert not cuda.is_available()
    with pytest.raises(RuntimeError, match="no NVIDIA GPU in this machine"):
        CupyBackend(device("cuda"))


def test_an_index_beyond_the_last_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cupy(monkeypatch, 2)
    with pytest.raises(RuntimeError, match=r"invalid device ordinal[\s\S]*'cuda:2'[\s\S]*from 0 to 1[\s\S]*fix"):
        CupyBackend(device("cuda:2"))
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        cuda.set_device(5)


def test_a_failed_start_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    import nbtorch.backends as backends

    monkeypatch.setattr(backends, "_backends", dict(backends._backends))
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "cupy", None)
        with pytest.raises(RuntimeError):
            get_backend("cuda:0")
    why_unavailable.cache_clear()
    fake_cupy(monkeypatch, 1)
    assert isinstance(get_backend("cuda:0"), CupyBackend)
    assert get_backend("cuda") is get_backend("cuda:0")


def test_numbers_go_there_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    log = fake_cupy(monkeypatch, 1)
    backend = CupyBackend(device("cuda"))
    x = backend.from_host(np.array([0.0, 1.0], np.float32))
    assert type(x) is backend.ndarray
    assert backend.to_host(backend.add(x, x)).tolist() == [0, 2]
    assert backend.erf(x).dtype == np.float32
    assert backend.rsqrt(x + 1).dtype == np.float32
    backend.synchronize()
    assert log[-1] == "synchronize 0"


def test_the_second_gpu_is_current_inside_each_primitive(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cupy(monkeypatch, 2)
    first, second = CupyBackend(device("cuda:0")), CupyBackend(device("cuda:1"))
    seen = []

    def current(x: Any, *args: Any) -> Any:
        seen.append(cuda.current_device())
        return x

    for backend in (first, second):
        monkeypatch.setattr(backend.xp, "tril", current, raising=False)
        backend.tril(backend.from_host(np.eye(2)))
    assert seen == [0, 1]
    assert cuda.current_device() == 0


def test_the_surface_of_torch_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    log = fake_cupy(monkeypatch, 2)
    assert cuda.is_available() and cuda.why_unavailable() is None
    assert cuda.device_count() == 2
    assert cuda.get_device_name() == "GPU number 0"
    assert cuda.get_device_name("cuda:1") == cuda.get_device_name(1) == "GPU number 1"
    with cuda.device(1):
        assert cuda.current_device() == 1
        assert cuda.memory_allocated() == 101
    assert cuda.current_device() == 0
    assert (cuda.memory_allocated("cuda:0"), cuda.memory_reserved(1), cuda.max_memory_allocated()) == (100, 201, 200)
    cuda.set_device("cuda:1")
    assert cuda.current_device() == 1
    cuda.synchronize()
    cuda.synchronize(0)
    cuda.empty_cache()
    assert log == ["synchronize 1", "synchronize 0", "freed", "freed"]
    with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
        cuda.synchronize("cpu")


def test_cupy_is_not_imported_before_it_is_asked_for() -> None:
    code = "import sys, nbtorch.cuda, nbtorch.backends.cupy; assert 'cupy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_real_cupy_front_end_has_what_the_backend_uses() -> None:
    pytest.importorskip("cupy", reason="no CuPy whose names could be checked")
    import cupy
    import cupyx
    import cupyx.scipy.special

    from nbtorch.backends.base import UFUNCS

    for name in UFUNCS.values():
        assert isinstance(getattr(cupy, name), cupy.ufunc), name
    assert isinstance(cupyx.scipy.special.erf, cupy.ufunc) and isinstance(cupyx.rsqrt, cupy.ufunc)
    assert hasattr(cupy.add, "at")
    assert backend_module.why_unavailable() is None or "CuPy" in (why_unavailable() or "")


def test_seeding_a_gpu_that_is_not_there_leaves_the_stream_alone() -> None:
    """As in PyTorch: a program that seeds both goes on with the numbers it had."""
    import nbtorch

    numbers = []
    for seed in (lambda _: None, cuda.manual_seed, cuda.manual_seed_all):
        nbtorch.manual_seed(3)
        nbtorch.rand(3)
        seed(3)
        numbers.append(nbtorch.rand(3).tolist())
    if not cuda.is_available():
        assert numbers[0] == numbers[1] == numbers[2]
    else:
        assert numbers[0] != numbers[1] == numbers[2]
