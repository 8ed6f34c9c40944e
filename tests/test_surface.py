"""Everyday names of PyTorch: asked of both libraries, where both have no GPU; and import paths that programs use."""

from __future__ import annotations

import importlib
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from helpers import device_name, import_torch

import nbtorch
from nbtorch.absent import NotInNbtorchError, is_left_out
from nbtorch.absent_names import NAMES, SHELVES
from nbtorch.annex import Shelf

# Import paths that public programs use, beside those of the parts that are here by the same name.
PATHS = """
autograd.grad_mode autograd.profiler autograd.variable backends.cudnn backends.mps backends.cuda backends.mkldnn
cuda.amp cuda.amp.grad_scaler cuda.nvtx cuda.memory cuda.nccl cuda.comm distributed distributed.fsdp distributed.rpc
distributed.tensor.parallel distributed._tensor.device_mesh distributed.algorithms._checkpoint.checkpoint_wrapper
distributed.checkpoint.state_dict distributed.optim distributions.multinomial fx fx.node hub jit mps multiprocessing
nn.attention nn.attention.flex_attention nn.common_types nn.grad nn.modules.activation nn.modules.instancenorm
nn.modules.linear nn.parallel nn.parallel.distributed nn.parallel.scatter_gather nn.utils.stateless onnx optim.adamw
optim.optimizer optim.sgd overrides profiler quantization quasirandom return_types storage
testing._internal.common_utils torch_version types utils._pytree utils._python_dispatch utils.benchmark
utils.collect_env utils.cpp_extension utils.data._utils.collate utils.data.datapipes utils.data.dataset
utils.data.distributed utils.data.sampler utils.model_zoo utils.tensorboard utils.tensorboard.writer utils.weak xpu
_C _decomp _dynamo.backends.registry _functorch.aot_autograd _inductor _jit_internal _tensor _utils _vmap_internals
functional ao.quantization export
"""


def test_import_paths() -> None:
    lines = "\n".join(f"import torch.{path}" for path in PATHS.split())
    code = f"""
import nbtorch
nbtorch.as_torch()
{lines}
from torch.optim.adamw import AdamW
from torch.autograd.grad_mode import no_grad
from torch.distributed import init_process_group, ReduceOp
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.cuda.amp import autocast, GradScaler
from torch.utils.data.distributed import DistributedSampler
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear
from torch.fx import Node
import torch.backends.cudnn as cudnn
cudnn.benchmark = True
torch._dynamo.config.suppress_errors = True
torch._C._jit_set_profiling_executor(False)
torch.backends.cuda.matmul.allow_tf32 = True
assert torch._dynamo.config.suppress_errors is True and torch.backends.cudnn.benchmark is True
assert AdamW is torch.optim.AdamW and no_grad is torch.no_grad
class Tracer(Node):
    def f(self, x: Node | None = None, y: "torch.Tensor | Node" = None): ...
assert not isinstance(1, Node) and not isinstance(torch.nn.Linear(1, 1), (DDP, FSDP))
@torch.jit.script
def f(x: torch.jit.Final[int]): return x
@torch.compiler.disable
@torch.jit.ignore
def g(): return torch.jit.is_scripting() or torch._dynamo.is_compiling()
assert f(2) == 2 and not g()
with torch.profiler.record_function("a"), torch.autograd.profiler.record_function("b"): pass
for use in (Tracer, lambda: DDP(1), lambda: init_process_group("gloo"), lambda: ReduceOp.SUM(), torch.stft,
            lambda: torch.ones(1).to_sparse(), lambda: torch.jit.trace(f, 1), torch.profiler.ExecutionTraceObserver,
            torch.profiler.itt.mark, torch.autograd.profiler.load_nvprof.__get__(1),
            lambda: torch.autograd.profiler.emit_itt().__enter__()):
    try:
        use()
    except NotImplementedError as error:
        assert "not part of nbtorch" in str(error) and "fix:" in str(error), error
    else:
        raise AssertionError(f"{{use}} went through")
for name in ("torch.nn.nonsense", "torch.nonsense", "torch.optim.nonsense"):
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        assert error.name == name
    else:
        raise AssertionError(name)
print("well")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "well\n", done.stderr


MODULES = """
nn nn.functional nn.init nn.utils nn.utils.rnn optim optim.lr_scheduler utils.data distributions autograd amp
cuda.amp linalg func random backends.cudnn backends.mps accelerator cpu version
"""
# Accidents: what a module imports for itself, and PyTorch's inside.
_INSIDE = """
Graph empty_host_cache get_core_count get_name _DatasetKind blas_workspace_size cublas_workspace_size
cublaslt_workspace_size factory_kwargs common_notes m enforce_grad_layout_policy amp_definitely_not_available
thread_safe_generator reproducibility_notes sparse_support_notes tf32_notes grad assert_int_or_pair boolean_dispatch
ScalingType SwizzleType handle_torch_function has_torch_function has_torch_function_unary
has_torch_function_variadic BroadcastingList1 BroadcastingList2 BroadcastingList3 GRID_SAMPLE_INTERPOLATION_MODES
GRID_SAMPLE_PADDING_MODES dataclasses importlib math np torch warnings Callable DType Optional TYPE_CHECKING Tensor
"""


@pytest.mark.parametrize("name", MODULES.split())
def test_every_public_name_is_there_or_says_that_it_is_not(name: str) -> None:
    theirs: Any = import_torch()
    ours: Any = nbtorch
    for part in name.split("."):
        theirs, ours = getattr(theirs, part), getattr(ours, part)
    public = getattr(theirs, "__all__", None) or [n for n in dir(theirs) if not n.startswith("_")]
    assert [n for n in public if not hasattr(ours, n) and n not in _INSIDE.split()] == []


def test_the_front_door() -> None:
    torch = import_torch()
    gone = [n for n in torch.__all__ if not n.startswith("_") and not hasattr(nbtorch, n)]
    # Types of the compiler's inside, and operators of others' libraries.
    assert [n for n in gone if n[0].islower() and not n.startswith(("cudnn_", "miopen_", "mkldnn_", "fbgemm_"))] == []


QUESTIONS = """
torch.cuda.is_available() | torch.cuda.device_count() | torch.cuda.current_device() | torch.cuda.manual_seed_all(0)
torch.cuda.get_rng_state_all() | torch.cuda.set_rng_state_all([]) | torch.cuda.Event() | torch.cuda.Stream()
torch.cuda.stream(None).__enter__() | torch.cuda.synchronize() | torch.cuda.empty_cache()
torch.cuda.memory_stats() | torch.cuda.is_bf16_supported() | torch.cuda.memory_allocated()
torch.cuda.max_memory_reserved() | torch.cuda.init() | torch.cuda.mem_get_info()
torch.cuda.get_device_properties(0) | torch.cuda.get_device_name() | torch.cuda.set_device(-1)
torch.cuda.device(-1).__enter__() | torch.cuda.get_arch_list() | torch.cuda.nvtx.range_push("a")
torch.version.cuda | torch.cuda.amp.GradScaler(4.0).get_scale() | torch.cuda.FloatTensor(2)
torch.cuda.OutOfMemoryError.__name__ | torch.accelerator.is_available() | torch.accelerator.current_accelerator()
torch.accelerator.synchronize() | torch.cpu.synchronize() | torch.cpu.current_device() | torch.cpu.device_count()
torch.mps.is_available() | torch.xpu.is_available() | torch.xpu.device_count() | torch.mtia.is_available()
torch.backends.mps.is_available() | torch.backends.cudnn.is_available() | torch.backends.cudnn.version()
torch.backends.cudnn.benchmark | torch.backends.cuda.matmul.allow_tf32 | torch.backends.cuda.flash_sdp_enabled()
torch.backends.cuda.is_built() | torch.distributed.is_initialized() | torch.jit.is_tracing()
torch.compiler.is_compiling() | torch.is_warn_always_enabled() | torch.get_default_device()
torch.get_deterministic_debug_mode() | torch.set_deterministic_debug_mode("foo") | torch.is_autocast_enabled()
torch.newaxis | torch.has_mps | str(torch.complex64) | torch.uint16.itemsize | torch.float8_e4m3fn.is_floating_point
torch.complex64.is_complex | torch.ones(1).layout == torch.sparse_coo | torch.ones(2, 2).new(3, 1).shape
torch.ones(2).new([1, 2]) | torch.ones(2, 3).resize(3, 2) | torch.ones(2).resize(3) | torch.ones(2).name
torch.ones(2).volatile | torch.ones(2).to_dense() | torch.ones(2).dense_dim() | torch.device("mps")
torch.ones(2).storage().tolist() | torch.ones(2, 3)[1].storage().size() | repr(torch.FloatStorage([1, 2]))
torch.FloatTensor(torch.FloatStorage([1, 2])) | torch.is_storage(torch.ones(1).untyped_storage())
torch.ones(2).untyped_storage().nbytes() | torch.ones(1).is_shared() | torch.ones(1).share_memory_()
torch.zeros(1, device="cuda") | torch.ones(1).to("cuda") | torch.get_autocast_dtype("cuda") | torch.autocast("foo")
torch.asarray([1, 2], dtype=torch.float64) | torch.asarray(torch.ones(2), copy=True)
torch.asarray([1.0], copy=False) | torch.tensor([torch.ones(1), torch.tensor(2.5)])
torch.tensor([torch.ones(2), torch.ones(2)]) | torch.tensor("a")
torch.tensor([torch.tensor(1, dtype=torch.int32)]) | torch.Tensor(3.5) | torch.Size([2.5])
torch.iinfo(torch.int32)
__import__("pickle").loads(__import__("pickle").dumps(torch.ones(2, requires_grad=True) * 2))
torch.set_num_threads("a") | list(reversed(torch.tensor([1, 2]))) | torch.hub.get_dir()
torch.device("cpu").__enter__().__exit__(None, None, None)
"""


def _answer(question: str, torch: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return eval(question, {"torch": torch})
        except Exception as error:
            return error


@pytest.mark.parametrize(
    "question", [q.strip() for line in QUESTIONS.split("\n") for q in line.split("|") if q.strip()]
)
@pytest.mark.skipif(nbtorch.cuda.is_available(), reason="the answers without a GPU")
def test_questions(question: str) -> None:
    ours, theirs = _answer(question, nbtorch), _answer(question, import_torch())
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), ours
    elif hasattr(theirs, "detach"):
        assert ours.tolist() == theirs.tolist() and str(ours.dtype) == str(theirs.dtype)
    else:
        assert str(ours) == str(theirs)


def test_default_device() -> None:
    try:
        nbtorch.set_default_device("strict")
        assert nbtorch.zeros(1).device == nbtorch.nn.Linear(1, 1).weight.device == nbtorch.device("strict", 0)
        with nbtorch.device("cpu"):
            assert nbtorch.randn(2).device.type == nbtorch.tensor([1.0]).device.type == "cpu"
        assert nbtorch.get_default_device() == nbtorch.device("strict")
        assert nbtorch.Tensor([1.0]).device.type == nbtorch.FloatTensor(2).device.type == "cpu"
    finally:
        nbtorch.set_default_device(None)

    @nbtorch.device("strict")
    def make() -> Any:
        return nbtorch.arange(3)

    assert (make().device.type, nbtorch.arange(3).device.type) == ("strict", "cpu")


def test_versions() -> None:
    v = nbtorch.version.TorchVersion("2.13.0+nbtorch0.1.0")
    assert v >= "2.4" and v > (1, 9) and v < "3" and v >= "2.13.0" and v != "2.13.0" and v > "2.13.0rc1"
    assert nbtorch.version.TorchVersion("2.0") == (2, 0, 0) and not v < "2.4.1"
    with pytest.raises(ValueError, match="Invalid version"):
        v.__lt__("new")


def test_absent_names_are_recognised() -> None:
    assert is_left_out(nbtorch.fx.Node) and is_left_out(nbtorch.Tensor.to_sparse) and not is_left_out(nbtorch.relu)
    with pytest.raises(NotInNbtorchError, match=r"torch.Tensor.to_sparse[\s\S]*dense"):
        nbtorch.ones(1, device=device_name()).to_sparse()
    with pytest.raises(TypeError, match=r"complex64 is not supported[\s\S]*fix:"):
        nbtorch.zeros(1, dtype=nbtorch.complex64)


def test_the_lists_of_what_is_missing_are_true() -> None:
    import_torch()
    package = Path(nbtorch.__file__).parent
    assert not [name for name in SHELVES if (package / f"{name.replace('.', '/')}.py").exists()]
    for room, reasons in NAMES.items():
        theirs, ours = (importlib.import_module(f"{lib}.{room}".rstrip(".")) for lib in ("torch", "nbtorch"))
        names = [name for listed in reasons.values() for name in listed.split()]
        assert not [name for name in names if not hasattr(theirs, name)], room
        found = {name: getattr(ours, name) for name in names}
        assert not [name for name, it in found.items() if not (is_left_out(it) or isinstance(it, Shelf))], room


def test_distributed_sampler() -> None:
    torch = import_torch()
    for options in ({}, {"shuffle": False}, {"drop_last": True, "seed": 5}):
        for rank in (0, 1, 2):
            both = []
            for lib in (nbtorch, torch):
                sampler = lib.utils.data.DistributedSampler(range(10), num_replicas=3, rank=rank, **options)
                sampler.set_epoch(2)
                both.append((list(sampler), len(sampler)))
            assert both[0] == both[1]
    with pytest.raises(RuntimeError, match="fix:"):
        nbtorch.utils.data.DistributedSampler(range(3))


PROGRAM = """
import multiprocessing, pickle, subprocess, sys
import torch
from beside import double
from torch.utils.data import DataLoader

class Data(torch.utils.data.Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, i):
        return torch.tensor(i)

if __name__ == "__main__":
    print(sys.argv[1:], __file__ == sys.argv[0], pickle.loads(pickle.dumps(Data())).__class__ is Data, double(2))
    from importlib.metadata import version
    assert version("torch") == torch.__version__ and torch.__version__ >= "2.4"
    print([b.tolist() for b in DataLoader(Data(), num_workers=1, multiprocessing_context="spawn")])
    child = "import torch.nn, torch; print(torch.__name__)"
    print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout.strip())
    raise SystemExit(7) if "leave" in sys.argv else ValueError("here")
"""


def test_a_script_is_main(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    (tmp_path / "beside.py").write_text("import torch\ndouble = lambda x: int(torch.tensor(x) * 2)\n")
    done = subprocess.run([sys.executable, "-m", "nbtorch", str(script), "a", "--b"], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["['a', '--b'] True True 4", "[[0], [1]]", "nbtorch"]
    lines = done.stderr.splitlines()
    assert done.returncode == 1 and lines[0].startswith("Traceback") and "program.py" in lines[1], done.stderr
    assert lines[-1] == "ValueError: here" and len(lines) <= 5
    run = subprocess.run([sys.executable, "-m", "nbtorch", "-c", "import torch; raise SystemExit(3)"])
    assert run.returncode == 3
    done = subprocess.run([sys.executable, "-m", "nbtorch", "nowhere.py"], capture_output=True, text=True)
    assert done.returncode == 2 and "can't open file" in done.stderr


def test_blocks_inside_each_other_leave_no_trace() -> None:
    code = """
import os, sys, nbtorch
before = dict(sys.modules), list(sys.path), list(sys.meta_path), os.environ.get("PYTHONPATH"), nbtorch.__version__
a = nbtorch.as_torch()
with nbtorch.as_torch():
    import torch.nn.functional as F, torch.distributed
    a.undo()
    import torch.optim
    assert torch.optim is nbtorch.optim and torch.__version__ >= (2, 0)
gone = {n for n in sys.modules if n.startswith("torch")} - set(before[0])
after = list(sys.path), list(sys.meta_path), os.environ.get("PYTHONPATH"), nbtorch.__version__
assert not gone and after == before[1:], (gone, after)
print("well")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "well\n", done.stderr


def test_reversible_networks_note_the_states_of_the_devices_there_are():
    from nbtorch.utils.checkpoint import get_device_states, set_device_states

    assert nbtorch.cuda._initialized == nbtorch.cuda.is_initialized()
    set_device_states(*get_device_states(nbtorch.ones(2)))


def test_safetensors_own_module_for_torch(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    code = f"""
import torch
from safetensors.torch import load_file, save_file
save_file({{"a": torch.arange(6.0).view(2, 3), "b": torch.tensor([True])}}, {str(tmp_path / "x.safetensors")!r})
back = load_file({str(tmp_path / "x.safetensors")!r})
assert back["a"].tolist() == [[0, 1, 2], [3, 4, 5]] and back["b"].dtype is torch.bool, back
print(torch.__name__)
"""
    done = subprocess.run([sys.executable, "-m", "nbtorch", "-c", code], capture_output=True, text=True)
    assert done.stdout == "nbtorch\n", done.stderr
