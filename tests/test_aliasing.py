"""nbtorch under the name ``torch``: programs run unmodified, and what is missing says so when it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import nbtorch

PROGRAM = """
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.distributed as dist
import torch.utils.data
from torch import optim
from torch.utils.data import DataLoader, TensorDataset
from torch.optim.lr_scheduler import StepLR

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=3)
args = parser.parse_args()
torch.manual_seed(0)
torch.backends.cudnn.benchmark = True
device = torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 8)
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        return self.out(F.relu(self.layer(x)))

model = torch.compile(nn.DataParallel(Net()).to(device))
data = DataLoader(TensorDataset(torch.randn(12, 4), torch.randint(3, (12,))), batch_size=4, shuffle=True)
optimizer = optim.Adam(model.parameters(), lr=0.01)
scheduler = StepLR(optimizer, 1, 0.9)
scaler = torch.amp.GradScaler(enabled=False)
for epoch in range(args.steps):
    for x, y in data:
        optimizer.zero_grad()
        with torch.autocast(device_type="cpu", enabled=False):
            loss = F.cross_entropy(model(x.to(device)), y.to(device))
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    scheduler.step()
    if not dist.is_available() or not dist.is_initialized():
        print(f"{epoch} {loss.item():.5f} {scheduler.get_last_lr()[0]:.5f}")
print(torch.__name__, __name__, torch.FloatTensor([1, 2]).sum().item())
"""


def output(*command: str) -> str:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_program_prints_what_it_prints_under_pytorch(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    ours = output("-m", "nbtorch", str(script), "--steps", "4").splitlines()
    theirs = output(str(script), "--steps", "4").splitlines()
    if not theirs[0].startswith("0 "):
        theirs = [line for line in theirs if line]
    assert ours[-1] == "nbtorch __main__ 3.0"
    assert ours[:-1] == theirs[:-1] or "distributed" in "".join(theirs)


def test_context_and_return() -> None:
    code = """
import sys, nbtorch
assert "torch" not in sys.modules
with nbtorch.as_torch() as torch:
    import torch.nn.functional as F
    from torch.utils.data import DataLoader
    import torch.optim.lr_scheduler as schedules
    assert torch is nbtorch and F is nbtorch.nn.functional and DataLoader is nbtorch.utils.data.DataLoader
    assert schedules is nbtorch.optim.lr_scheduler
    assert nbtorch.nn.functional.__name__ == "nbtorch.nn.functional"
    assert nbtorch.nn.functional.__spec__.name == "nbtorch.nn.functional"
assert "torch" not in sys.modules and "torch.nn.functional" not in sys.modules
print("well")
"""
    assert output("-c", code) == "well\n"


def test_absent_parts_raise_on_use_and_not_on_import() -> None:
    code = """
import nbtorch
nbtorch.as_torch()
import torch.distributed as dist
import torch.onnx, torch.fx, torch.utils.tensorboard
from torch.nn.parallel import DataParallel
from torch.distributed import init_process_group
from torch.utils.tensorboard import SummaryWriter
for use in (lambda: init_process_group("gloo"), lambda: SummaryWriter(), lambda: torch.onnx.export(1),
            lambda: torch.fft.fft(torch.ones(2))):
    try:
        use()
    except NotImplementedError as error:
        assert "not part of nbtorch" in str(error) and "fix:" in str(error), error
    else:
        raise AssertionError("went through")
assert torch.jit.script(len) is len and not dist.is_available()
try:
    import torch.nothing_of_the_kind
except ModuleNotFoundError as error:
    print(str(error)[:45])
"""
    assert output("-c", code).startswith("No module named 'torch.nothing_of_the_kind'")


def test_switches() -> None:
    assert nbtorch.compile(len) is len
    assert nbtorch.compile(mode="max-autotune")(len) is len
    before = nbtorch.get_num_threads()
    nbtorch.set_num_threads(1)
    assert nbtorch.get_num_threads() == 1
    nbtorch.set_num_threads(before)
    with pytest.raises(RuntimeError, match="positive"):
        nbtorch.set_num_threads(0)
    with pytest.raises(RuntimeError):
        nbtorch.set_float32_matmul_precision("low")
    with pytest.raises(AttributeError):
        nbtorch.no_such_name  # noqa: B018
    with pytest.raises(NotImplementedError, match="one process"):
        nbtorch.distributed.init_process_group("nccl")


def test_legacy_constructors() -> None:
    x = nbtorch.LongTensor([1, 2])
    assert x.dtype is nbtorch.int64
    assert isinstance(x, nbtorch.LongTensor)
    assert not isinstance(x, nbtorch.FloatTensor)
    assert nbtorch.FloatTensor(2, 3).shape == (2, 3)
    assert nbtorch.FloatTensor([[1, 2]]).dtype is nbtorch.float32
    with pytest.raises(TypeError):
        nbtorch.FloatTensor(x)
    for refused in (3.0, "ab", None):
        with pytest.raises(TypeError):
            nbtorch.FloatTensor(refused)
    assert nbtorch.FloatTensor(size=(2, 3)).shape == (2, 3)
    assert repr(nbtorch.cuda.FloatTensor) == "<class 'torch.cuda.FloatTensor'>"
    assert not isinstance(nbtorch.ones(2, device="cpu"), nbtorch.cuda.FloatTensor)
    for kind in (nbtorch.LongTensor, "torch.LongTensor", nbtorch.int64):
        assert nbtorch.ones(2).type(kind).dtype is nbtorch.int64
    assert nbtorch.nn.Linear(2, 2).type(nbtorch.DoubleTensor).weight.dtype is nbtorch.float64
    with pytest.raises(ValueError, match="invalid type"):
        nbtorch.ones(2).type("FooTensor")


PYTHON_TYPES = {
    "ones": lambda d: nbtorch.ones(2, dtype=d),
    "tensor": lambda d: nbtorch.tensor([1], dtype=d),
    "as_tensor": lambda d: nbtorch.as_tensor([1], dtype=d),
    "arange": lambda d: nbtorch.arange(3, dtype=d),
    "linspace": lambda d: nbtorch.linspace(0, 1, 3, dtype=d),
    "full": lambda d: nbtorch.full((2,), 1, dtype=d),
    "like": lambda d: nbtorch.zeros_like(nbtorch.ones(2), dtype=d),
    "new": lambda d: nbtorch.ones(2).new_zeros(2, dtype=d),
    "to": lambda d: nbtorch.ones(2).to(d),
    "to, by name": lambda d: nbtorch.ones(2).to(dtype=d),
    "rand": lambda d: nbtorch.rand(2, dtype=d),
    "randn": lambda d: nbtorch.randn(2, dtype=d),
    "sum": lambda d: nbtorch.ones(2).sum(dtype=d),
    "softmax": lambda d: nbtorch.ones(2).softmax(0, dtype=d),
}


@pytest.mark.parametrize("name", PYTHON_TYPES)
def test_number_types_of_python_are_dtypes(name: str) -> None:
    assert PYTHON_TYPES[name](float).dtype is nbtorch.float64
    if name not in ("rand", "randn", "linspace", "softmax"):
        assert PYTHON_TYPES[name](int).dtype is nbtorch.int64
    if name == "ones":
        assert PYTHON_TYPES[name](bool).dtype is nbtorch.bool
        with pytest.raises(TypeError, match="dtype"):
            PYTHON_TYPES[name](str)


def test_default_tensor_type() -> None:
    for kind, dtype in ((nbtorch.DoubleTensor, nbtorch.float64), ("torch.FloatTensor", nbtorch.float32)):
        with pytest.warns(UserWarning, match="deprecated"):
            nbtorch.set_default_tensor_type(kind)
        assert nbtorch.zeros(1).dtype is dtype
    for refused in (nbtorch.LongTensor, nbtorch.cuda.FloatTensor, "Foo"):
        with pytest.raises(TypeError), pytest.warns(UserWarning):
            nbtorch.set_default_tensor_type(refused)


def test_variables_of_old_programs() -> None:
    x = nbtorch.ones(3, requires_grad=True)
    made = nbtorch.autograd.Variable(x * 2)
    assert not made.requires_grad
    assert isinstance(made, nbtorch.autograd.Variable)
    assert isinstance(made, nbtorch.Tensor)
    assert nbtorch.autograd.Variable(made, requires_grad=True).requires_grad
    with pytest.warns(UserWarning, match="volatile"):
        nbtorch.autograd.Variable(made, volatile=True)
    with pytest.raises(TypeError, match="has to be a tensor, but got list"):
        nbtorch.autograd.Variable([1.0])


def test_backends_are_modules() -> None:
    import nbtorch.backends.cudnn as cudnn

    with cudnn.flags(enabled=False):
        assert not cudnn.enabled
    assert cudnn.enabled


def test_grad_scaler_leaves_out_steps_that_overflow() -> None:
    p = nbtorch.ones(2, requires_grad=True)
    optimizer = nbtorch.optim.SGD([p], lr=1.0)
    scaler = nbtorch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=1)
    scaler.scale(p.sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert p.tolist() == [0, 0]
    assert scaler.get_scale() == 8
    p.grad = nbtorch.tensor([float("inf"), 1.0])
    scaler.step(optimizer)
    scaler.update()
    assert p.tolist() == [0, 0]
    assert scaler.get_scale() == 4
