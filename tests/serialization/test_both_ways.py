"""Every kind of content between nbtorch and PyTorch, in both formats: what one writes the other reads, alike."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import enum
import functools
import io
import os
import subprocess
import sys
import textwrap
import types
from pathlib import Path
from typing import Any

import helpers
import numpy as np
import pytest

import nbtorch
from nbtorch import serialization

torch = helpers.import_torch()
LIBRARIES = {"nbtorch": nbtorch, "torch": torch}
DIRECTIONS = [("nbtorch", "torch"), ("torch", "nbtorch"), ("nbtorch", "nbtorch")]


def described(x: Any) -> Any:
    """Comparable across the libraries: types by name, numbers, strides, which tensors share memory."""
    memory: dict[int, int] = {}

    def one(x: Any) -> Any:
        if hasattr(x, "requires_grad"):
            start = x.data_ptr() - x.storage_offset() * x.element_size()
            place = memory.setdefault(start, len(memory)) if x.numel() else None
            numbers = x.detach().double().tolist()
            told = (str(x.dtype), tuple(x.shape), numbers, x.requires_grad, sorted(x.__dict__))
            return (type(x).__name__, *told, x.stride() if x.numel() else None, x.storage_offset(), place)
        if isinstance(x, dict):
            return (
                type(x).__name__,
                [(one(k), one(v)) for k, v in x.items()],
                sorted(vars(x)) if hasattr(x, "__dict__") else [],
            )
        if isinstance(x, (list, tuple)):
            return type(x).__name__, [one(v) for v in x]
        return (type(x).__name__, str(x)) if type(x).__module__.partition(".")[0] in ("torch", "nbtorch") else x

    return one(x)


def trained(lib: Any) -> Any:
    lib.manual_seed(0)
    model = lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.BatchNorm1d(3), lib.nn.Linear(3, 1))
    optimizer = lib.optim.AdamW(model.parameters(), lr=0.1, amsgrad=True)
    scheduler = lib.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=10)
    model(lib.ones(4, 2)).sum().backward()
    optimizer.step()
    scheduler.step()
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}


def views(lib: Any) -> Any:
    base = lib.arange(24.0).reshape(2, 3, 4)
    return [
        base,
        base[1],
        base.permute(2, 0, 1),
        base[:, ::2, 1:3],
        base.unfold(2, 2, 1),
        base.expand(2, 2, 3, 4),
        base[0, 0, 0],
    ]


class OfTheUser:
    def __init__(self) -> None:
        self.size = 3


CONTENT: dict[str, Any] = {
    **{f"dtype {d}": (lambda lib, d=d: lib.tensor([[0, 1], [1, 0]]).to(getattr(lib, d)))
       for d in ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")},
    "views": views,
    "0-d": lambda lib: [lib.tensor(2.5), lib.tensor(True), lib.tensor(3)],
    "empty": lambda lib: [lib.zeros(0), lib.zeros(0, 3), lib.zeros(3, 0, 2)],
    "special numbers": lambda lib: lib.tensor([float("inf"), -float("inf"), -0.0, 1e-45]),
    "computed": lambda lib: lib.ones(2, requires_grad=True) * 2,
    "parameters": lambda lib: [lib.nn.Parameter(lib.ones(2)), lib.nn.Parameter(lib.ones(1), requires_grad=False)],
    "tied": lambda lib: (lambda w: {"a": w, "b": w, "c": w.data})(lib.nn.Parameter(lib.ones(2))),
    "state dicts": trained,
    "sizes and names": lambda lib: [lib.ones(2, 3).shape, lib.float16, lib.bool, lib.device("cpu"), lib.Size([])],
    "containers": lambda lib: {
        1: [None, True, 2**70, -1, -(2**40), 1.5, "텍스트", b"bytes", {1, 2}, (), [], {}, (1, (2,)), complex(1, 2)],
        "o": collections.OrderedDict(b=1, a=2), "c": collections.Counter("aab"), "b": bytearray(b"ab"), (1, "k"): 0,
    },
    "attributes": lambda lib: (lambda t: (setattr(t, "note", "kept"), t)[1])(lib.ones(2)),
    "random state": lambda lib: lib.manual_seed(3).get_state(),
}  # fmt: skip


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old"])
@pytest.mark.parametrize(("writer", "reader"), DIRECTIONS, ids=lambda name: name)
@pytest.mark.parametrize("name", CONTENT)
def test_content_comes_through(name: str, writer: str, reader: str, old: bool) -> None:
    content = CONTENT[name](LIBRARIES[writer])
    buffer = io.BytesIO()
    LIBRARIES[writer].save(content, buffer, _use_new_zipfile_serialization=not old)
    buffer.seek(0)
    found = LIBRARIES[reader].load(buffer, weights_only=True)
    expected = CONTENT[name](LIBRARIES[writer])
    if name == "computed":
        expected = expected.detach().requires_grad_()
    assert described(found) == described(expected)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_protocols_of_pickle(protocol: int) -> None:
    for lib in (nbtorch, torch):
        buffer = io.BytesIO()
        lib.save(CONTENT["containers"](lib), buffer, pickle_protocol=protocol)
        buffer.seek(0)
        assert described(nbtorch.load(buffer)) == described(CONTENT["containers"](nbtorch))


@pytest.mark.parametrize("old", [False, True])
def test_paths_files_and_positions(old: bool, tmp_path: Path) -> None:
    path = tmp_path / "한글 x.pt"
    for name in (path, str(path)):
        nbtorch.save([1], name, _use_new_zipfile_serialization=not old)
        assert nbtorch.load(name) == torch.load(name) == [1]
    with open(path, "wb") as file:
        nbtorch.save([2], file, _use_new_zipfile_serialization=not old)
    with open(path, "rb") as file:
        assert nbtorch.load(file) == [2]
    if old:  # several objects one after the other
        buffer = io.BytesIO()
        for k in range(3):
            torch.save(torch.tensor(k), buffer, _use_new_zipfile_serialization=False)
        buffer.seek(0)
        assert [nbtorch.load(buffer).item() for _ in range(3)] == [0, 1, 2]


def test_map_location(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    nbtorch.save(nbtorch.ones(2), path)
    asked = []

    def function(storage: Any, location: str) -> Any:
        asked.append((location, storage.device.type, storage.nbytes()))
        return storage

    forms: list[Any] = [
        "cpu", b"cpu", nbtorch.device("cpu"), {"cpu": "cpu"}, {"cuda:0": "cpu"}, function,
        {"cpu": nbtorch.device("cpu")}, lambda storage, location: None, lambda storage, location: storage.cpu(), None,
        lambda storage, location: serialization.default_restore_location(storage, "cpu"),
    ]  # fmt: skip
    for where in forms:
        assert nbtorch.load(path, map_location=where).device.type == "cpu"
    assert asked == [("cpu", "cpu", 8)]
    for where in ("strict", {"cpu": "strict"}, lambda storage, location: storage.to("strict")):
        assert nbtorch.load(path, map_location=where).device.type == "strict"
    for where, error in (
        ("tpu", RuntimeError),
        (lambda storage, location: 3, TypeError),
        (3, TypeError),
    ):
        with pytest.raises(error):
            nbtorch.load(path, map_location=where)


@pytest.mark.parametrize("old", [False, True])
def test_tensors_of_a_device(old: bool, device: str) -> None:
    base = nbtorch.arange(6.0, device=device).reshape(2, 3)
    content = {"views": [base, base[1], base.t()], "model": nbtorch.nn.Linear(2, 2).to(device).state_dict()}
    buffer = io.BytesIO()
    nbtorch.save(content, buffer, _use_new_zipfile_serialization=not old)
    found = nbtorch.load(io.BytesIO(buffer.getvalue()), map_location=device)
    assert all(t.device.type == device for t in (*found["views"], *found["model"].values()))
    helpers.same(found, content)
    found["views"][0][1, 0] = 9  # they share their memory still
    assert found["views"][1][0].item() == found["views"][2][0, 1].item() == 9
    helpers.same(torch.load(io.BytesIO(buffer.getvalue()), map_location="cpu"), content)


def on_a_gpu(device: str) -> io.BytesIO:
    """A checkpoint as PyTorch writes it on a machine with GPUs: the same bytes with another place in them."""
    buffer = io.BytesIO()
    torch.save([torch.ones(2)], buffer)
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            place = b"X" + len(device).to_bytes(4, "little") + device.encode()
            data = source.read(info).replace(b"X\x03\0\0\0cpu", place)
            target.writestr(zipfile.ZipInfo(info.filename), data)
    out.seek(0)
    return out


def test_a_checkpoint_of_a_gpu() -> None:
    for where in ("cpu", nbtorch.device("cpu"), {"cuda:1": "cpu"}, lambda storage, location: storage.cpu()):
        assert nbtorch.load(on_a_gpu("cuda:1"), map_location=where)[0].tolist() == [1, 1]
    if not nbtorch.cuda.is_available():
        for where in (None, {"cpu": "cpu"}, "cuda", "cuda:0", lambda storage, location: None):
            with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device"):
                nbtorch.load(on_a_gpu("cuda:1"), map_location=where)
    with pytest.raises(RuntimeError, match="don't know how to restore"):
        nbtorch.load(on_a_gpu("mps"))


@pytest.mark.cpu_only("maps files into the host's memory")
@pytest.mark.parametrize("writer", LIBRARIES)
def test_mapped_files(writer: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    content = {
        "views": views(LIBRARIES[writer]),
        "half": LIBRARIES[writer].ones(3).half(),
        "none": LIBRARIES[writer].zeros(0),
    }
    LIBRARIES[writer].save(content, path)
    before = path.read_bytes()
    found = nbtorch.load(path, mmap=True)
    assert described(found) == described(content)
    found["views"][0].add_(1)  # changes stay here
    assert found["views"][1][0, 0].item() == 13
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="file path"):
        nbtorch.load(io.BytesIO(before), mmap=True)
    nbtorch.save(1, path, _use_new_zipfile_serialization=False)
    with pytest.raises(RuntimeError, match="mmap can only be used"):
        nbtorch.load(path, mmap=True)


def test_one_memory_with_two_dtypes_is_refused() -> None:
    for lib in (nbtorch, torch):
        x = lib.zeros(4)
        with pytest.raises(RuntimeError, match="view the same data as different types"):
            lib.save([x, x.view(lib.int32)], io.BytesIO())


# -- with weights_only=False: put together without running anything ---


@dataclasses.dataclass
class Config:
    n: int = 3
    names: list[str] = dataclasses.field(default_factory=list)


class Kind(enum.Enum):
    A = 1
    B = "b"


class Attributes(dict[str, Any]):
    def __getattr__(self, name: str) -> Any:
        return self[name]


Point = collections.namedtuple("Point", "x y")


def own_activation(x: Any) -> Any:
    return x * 2


class Restores:
    def __setstate__(self, state: Any) -> None:
        raise AssertionError("this ran")


class Net(nbtorch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        nn = nbtorch.nn
        self.config, self.kind, self.point = Config(5, ["a"]), Kind.B, Point(1, 2)
        self.body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 4))
        self.encoder = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True, activation="gelu")
        self.rnn = nn.LSTM(4, 4)
        self.activation, self.own = nbtorch.nn.functional.relu, own_activation
        self.norm = functools.partial(nn.LayerNorm, eps=1e-3)
        self.register_buffer("counter", nbtorch.arange(3))

    def forward(self, x: Any) -> Any:
        h = self.encoder(self.activation(self.body(x))[:, None])
        return self.own(self.rnn(h)[0]) + self.config.n + self.norm(4)(h)


OTHERS: dict[str, Any] = {
    "numpy": [np.float32(2.5), np.int64(3), np.bool_(True), np.arange(6).reshape(2, 3), np.ones((2, 3)).T],
    "numpy text": [np.array(["a", "bc"]), np.array(3.0), np.zeros((0, 2), np.float16)],
    "namespaces": [argparse.Namespace(lr=0.1, k=[1]), types.SimpleNamespace(a=1)],
    "classes": [Config(1, ["x"]), Kind.A, Point(1, [2]), Attributes(a=1)],
    "collections": [collections.deque([1, 2], 5), collections.defaultdict(list, {1: [2]}), range(3), {3: b""}],
}  # fmt: skip


class ByName:
    """Pickled as Python 3.11.0 to 3.11.3 pickle the members of an Enum."""

    def __init__(self, home: Any, name: str) -> None:
        self.call = home, name

    def __reduce__(self) -> Any:
        return getattr, self.call


def test_members_of_an_enum_by_name() -> None:
    buffer = io.BytesIO()
    torch.save([ByName(Kind, "B")], buffer)
    buffer.seek(0)
    assert nbtorch.load(buffer, weights_only=False) == [Kind.B]
    for home, name in ((Kind, "mro"), (Config, "n"), (io.StringIO, "write"), ([], "append")):
        buffer = io.BytesIO()
        torch.save([ByName(home, name)], buffer)
        buffer.seek(0)
        with pytest.raises(serialization.UnpicklingError):
            nbtorch.load(buffer, weights_only=False)


def test_a_whole_model(tmp_path: Path) -> None:
    model = Net().eval()
    x = nbtorch.rand(2, 1, 4, 4)
    expected = model(x)
    optimizer = nbtorch.optim.Adam(model.parameters(), lr=0.5)
    for old in (False, True):
        path = tmp_path / "model.pt"
        nbtorch.save({"model": model, "optimizer": optimizer}, path, _use_new_zipfile_serialization=not old)
        with pytest.raises(serialization.UnpicklingError, match="weights_only=False"):
            nbtorch.load(path)
        found = nbtorch.load(path, weights_only=False)
        helpers.same(found["model"](x), expected)
        assert (found["model"].config, found["model"].kind, found["model"].point) == (model.config, Kind.B, Point(1, 2))
        assert found["optimizer"].param_groups[0]["params"][0] is next(found["model"].parameters())
        assert found["optimizer"].param_groups[0]["lr"] == 0.5
    assert "nbtorch.nn.modules.conv" not in path.read_bytes().decode("latin-1")


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("name", OTHERS)
def test_other_objects(name: str, lib: str) -> None:
    buffer = io.BytesIO()
    LIBRARIES[lib].save(OTHERS[name], buffer)
    buffer.seek(0)
    with pytest.raises(serialization.UnpicklingError):
        nbtorch.load(io.BytesIO(buffer.getvalue()))
    found = nbtorch.load(buffer, weights_only=False)
    for a, e in zip(found, OTHERS[name], strict=True):
        assert type(a) is type(e)
        np.testing.assert_array_equal(a, e) if isinstance(e, np.ndarray) else None
        assert isinstance(e, np.ndarray) or a == e


def test_what_would_run_code_is_refused_even_then() -> None:
    for thing in (
        Restores(),
        collections.namedtuple("Gone", "x")(1),
        functools.partial(print, 1),
        Exception("x"),
        io.StringIO,
    ):
        buffer = io.BytesIO()
        if type(thing).__name__ == "Gone":
            globals()["Gone"] = type(thing)
        nbtorch.save([thing], buffer)
        globals().pop("Gone", None)
        with pytest.raises(serialization.UnpicklingError):
            nbtorch.load(buffer, weights_only=False)


def test_what_the_caller_trusts(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    nbtorch.save({"x": OfTheUser(), "n": np.float64(2)}, path)
    names = ["numpy._core.multiarray.scalar", "numpy.dtype", f"{__name__}.OfTheUser"]
    assert serialization.get_unsafe_globals_in_checkpoint(path) == sorted(names)
    trusted = [OfTheUser, np._core.multiarray.scalar, np.dtype, type(np.dtype("float64"))]
    with serialization.safe_globals(trusted):
        assert len(serialization.get_safe_globals()) == 4
        found = nbtorch.load(path)
        assert (found["x"].size, found["n"]) == (3, 2.0)
    assert serialization.get_safe_globals() == []
    serialization.add_safe_globals([(OfTheUser, "elsewhere.Name")])
    with pytest.raises(serialization.UnpicklingError, match="add_safe_globals"):
        nbtorch.load(path)
    serialization.clear_safe_globals()
    for bad, error in ((("a", "b", "c"), ValueError), ((OfTheUser, 3), TypeError)):
        with pytest.raises(error):
            serialization.add_safe_globals([bad])
    with pytest.raises(RuntimeError, match="pickle_module"):
        nbtorch.load(path, weights_only=True, pickle_module=types)
    module = nbtorch.nn.Linear(2, 2)
    nbtorch.save(module, path)
    assert nbtorch.load(path, pickle_module=types).weight.tolist() == module.weight.tolist()


PROGRAM = """
import os, sys
if sys.argv[1] == "nbtorch":
    import nbtorch
    nbtorch.as_torch()
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 3), nn.GELU(), nn.LayerNorm(3))
        self.attention = nn.MultiheadAttention(3, 1, batch_first=True)
    def forward(self, x):
        h = self.layers(x)[None]
        return self.attention(h, h, h)[0]

torch.manual_seed(0)
for path in sys.argv[2:]:
    if not os.path.exists(path):
        torch.save(Net(), path)
    model = torch.load(path, weights_only=False)
    print([round(v, 4) for v in model(torch.ones(1, 2)).flatten().tolist()])
"""


@pytest.mark.cpu_only("about files: the same for every device")
def test_a_whole_model_of_a_program_goes_between_the_libraries(tmp_path: Path) -> None:
    """In fresh processes, under each library's own name for the classes."""
    script, ours, theirs = tmp_path / "program.py", tmp_path / "ours.pt", tmp_path / "theirs.pt"
    script.write_text(textwrap.dedent(PROGRAM))
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}

    def run(*arguments: Any) -> list[str]:
        command = [sys.executable, str(script), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    lines = [*run("nbtorch", ours), *run("torch", ours, theirs), *run("nbtorch", theirs)]
    assert len(lines) == 4 and len(set(lines)) == 1


# -- safetensors ---


def test_safetensors_with_and_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = pytest.importorskip("safetensors.torch")
    base = nbtorch.arange(12.0).reshape(3, 4)
    ours = {
        d: nbtorch.tensor([[0, 1], [1, 0]]).to(getattr(nbtorch, d))
        for d in ("float64", "bfloat16", "float16", "bool", "int8")
    }
    ours |= {"t": base.t(), "0-d": nbtorch.tensor(2.5), "empty": nbtorch.zeros(0, 3), "이름": base[1]}
    a, b = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    serialization.save_file(ours, a, {"made": "here", "이름": "값"})
    theirs = package.load_file(a)
    with pytest.importorskip("safetensors").safe_open(a, "pt") as opened:
        assert opened.metadata() == {"made": "here", "이름": "값"}
    package.save_file(theirs, b, {"x": "y"})
    monkeypatch.setitem(sys.modules, "safetensors", None)  # as where it is not installed
    for found in (serialization.load_file(b), nbtorch.load(a), nbtorch.load(str(b), map_location="cpu")):
        assert set(found) == set(ours)
        for name, t in ours.items():
            helpers.same(found[name], t)
    for bad, error in (({"x": 1}, TypeError), ({3: base}, TypeError), ({"__metadata__": base}, ValueError)):
        with pytest.raises(error):
            serialization.save_file(bad, a)
    with pytest.raises(TypeError, match="metadata"):
        serialization.save_file(ours, a, {"x": 1})
    assert set(serialization.load_file(a)) == set(ours)
