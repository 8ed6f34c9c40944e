"""Files go between nbtorch and PyTorch in both directions; nothing in a file runs; what is damaged is refused."""

from __future__ import annotations

import collections
import io
import os
import pickle
import random
import signal
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import helpers
import numpy as np
import pytest

import nbtorch
from nbtorch import serialization

torch = helpers.import_torch()
DTYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")


def content(lib: Any) -> Any:
    base = lib.arange(12.0).reshape(3, 4)
    named = lib.ones(2)
    named.note = "kept"
    return {
        "dtypes": [lib.tensor([0, 1, 1]).to(getattr(lib, d)) for d in DTYPES],
        "views": (base, base[1], base.t(), base[:, ::2], base[1:1]),
        "scalar": lib.tensor(2.5),
        "empty": lib.zeros(0, 3),
        "parameter": lib.nn.Parameter(lib.ones(2, 2)),
        "frozen": lib.nn.Parameter(lib.ones(2), requires_grad=False),
        "leaf": lib.ones(3, requires_grad=True),
        "named": named,
        "ordered": collections.OrderedDict(b=1, a=[None, True, 2**70, -1, 1.5, "텍스트", b"bytes", {1, 2}]),
        "size": lib.ones(2, 3).shape,
        "dtype": lib.float16,
        "device": lib.device("cpu"),
    }


def check(found: Any, expected: Any) -> None:
    assert list(found) == list(expected)
    for name in ("dtypes", "views", "scalar", "empty", "leaf", "named", "parameter", "frozen"):
        helpers.same(found[name], expected[name])
    assert found["ordered"] == expected["ordered"]
    assert type(found["ordered"]) is collections.OrderedDict
    assert tuple(found["size"]) == (2, 3)
    assert str(found["dtype"]) == "torch.float16"
    assert str(found["device"]) == "cpu"
    assert found["named"].note == "kept"
    assert type(found["parameter"]).__name__ == "Parameter"
    assert [found[n].requires_grad for n in ("parameter", "frozen", "leaf", "scalar")] == [True, False, True, False]
    whole, row, *_ = found["views"]
    row[0] = 100  # views share their memory still
    assert float(whole[1, 0]) == 100


def test_pytorch_reads_ours(tmp_path: Path) -> None:
    path = tmp_path / "ours.pt"
    nbtorch.save(content(nbtorch), path)
    check(torch.load(path, weights_only=True), content(torch))


def test_we_read_pytorchs(tmp_path: Path) -> None:
    path = tmp_path / "theirs.pt"
    torch.save(content(torch), path)
    found = nbtorch.load(path)
    assert isinstance(found["scalar"], nbtorch.Tensor)
    assert isinstance(found["parameter"], nbtorch.nn.Parameter)
    check(found, content(nbtorch))


def test_we_read_ours_from_a_buffer() -> None:
    buffer = io.BytesIO()
    nbtorch.save(content(nbtorch), buffer)
    buffer.seek(0)
    check(nbtorch.load(buffer), content(nbtorch))


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "RMSprop"])
def test_training_goes_on_in_the_other_library(tmp_path: Path, optimizer: str) -> None:
    def trained(lib: Any, steps: int, start: str | None, path: Path) -> list[float]:
        model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Linear(4, 1))
        options = {"momentum": 0.9} if optimizer == "SGD" else {}
        opt = getattr(lib.optim, optimizer)(model.parameters(), lr=0.05, **options)
        if start is not None:
            checkpoint = lib.load(start)
            model.load_state_dict(checkpoint["model"])
            opt.load_state_dict(checkpoint["optimizer"])
        x = lib.arange(12.0).reshape(4, 3) / 10
        losses = []
        for _ in range(steps):
            opt.zero_grad()
            loss = ((model(x) - 1) ** 2).mean()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        lib.save({"model": model.state_dict(), "optimizer": opt.state_dict(), "epoch": steps}, path)
        return losses

    for first, second in ((nbtorch, torch), (torch, nbtorch)):
        start = tmp_path / "start.pt"
        trained(first, 5, None, start)
        ours = trained(second, 5, str(start), tmp_path / "b.pt")
        theirs = trained(first, 5, str(start), tmp_path / "c.pt")
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_map_location(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    nbtorch.save(nbtorch.ones(2), path)
    for where in ("cpu", nbtorch.device("cpu"), {"cpu": "cpu"}, lambda storage, location: storage):
        assert nbtorch.load(path, map_location=where).device.type == "cpu"


# -- hostile files ---


class Boom:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> Any:
        return self.function, self.arguments


def archive(pickled: bytes, records: dict[str, bytes] | None = None, compress: int = zipfile.ZIP_STORED) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compress) as z:
        z.writestr("archive/data.pkl", pickled)
        z.writestr("archive/version", b"3\n")
        for name, data in (records or {}).items():
            z.writestr(f"archive/{name}", data)
    buffer.seek(0)
    return buffer


def hostile(mark: str) -> dict[str, Any]:
    """Objects whose pickles would leave a file ``mark``, or call what should not be called."""
    return {
        "system": Boom(os.system, f"echo ran > {mark}"),
        "eval": Boom(eval, f"open({mark!r}, 'w').write('ran')"),
        "exec": Boom(exec, f"open({mark!r}, 'w').write('ran')"),
        "open": Boom(open, mark, "w"),
        "popen": Boom(subprocess.Popen, ["touch", mark]),
        "getattr": Boom(getattr, (1,), "count"),
        "import": Boom(__import__, "os"),
        "nested": {"a": [1, Boom(os.system, f"echo ran > {mark}")]},
        "partial": __import__("functools").partial(os.system, f"echo ran > {mark}"),
    }


@pytest.mark.parametrize("name", hostile(""))
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("weights_only", [True, False])
def test_nothing_is_executed(name: str, protocol: int, weights_only: bool, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    pickled = pickle.dumps(hostile(str(mark))[name], protocol=protocol)
    with pytest.raises(serialization.UnpicklingError):
        nbtorch.load(archive(pickled), weights_only=weights_only)
    assert not mark.exists()


def tensor_pickle(count: int, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    writer = serialization.pickler.Pickler(buffer, 2)
    kind = serialization.names.Global("torch", "FloatStorage")

    class Reference:
        pass

    reference = Reference()
    writer.persistent_id = lambda o: ("storage", kind, "0", "cpu", count) if o is reference else None
    rebuild = serialization.names.Global("torch._utils", "_rebuild_tensor_v2")
    arguments = (reference, offset, size, stride, False, collections.OrderedDict())
    writer.dump(serialization.pickler._Reduced(rebuild, arguments))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("count", "offset", "size", "stride"),
    [
        (2, 0, (3,), (1,)),
        (2, 1, (2,), (1,)),
        (2, -1, (1,), (1,)),
        (2, 0, (1,), (-1,)),
        (2, 0, (2, 2), (1,)),
        (5, 0, (2,), (1,)),
        (2, 0, (2,), (2**40,)),
        (2, 0, (2**62, 2**62), (0, 0)),
        (2, 0, tuple([1] * 80), tuple([0] * 80)),
    ],
)
def test_tensors_stay_inside_their_storage(count: int, offset: int, size: Any, stride: Any) -> None:
    with pytest.raises(serialization.UnpicklingError):
        nbtorch.load(archive(tensor_pickle(count, offset, size, stride), {"data/0": b"\0" * 8}))
    assert nbtorch.load(archive(tensor_pickle(2, 0, (2,), (1,)), {"data/0": b"\0" * 8})).tolist() == [0, 0]


def test_memory_is_bounded_by_the_file() -> None:
    huge = b"\x80\x02" + b"r\xff\xff\xff\x7f"  # a place in the memo two thousand million further on
    bomb = archive(pickle.dumps(b"0" * 10_000_000), compress=zipfile.ZIP_DEFLATED)
    for file in (archive(huge), bomb, archive(b"\x80\x04\x8e" + struct.pack("<Q", 2**50))):
        with pytest.raises((serialization.UnpicklingError, serialization.CorruptFileError)):
            nbtorch.load(file)


def test_two_hundred_mutilated_files() -> None:
    buffer = io.BytesIO()
    nbtorch.save({"weight": nbtorch.arange(200.0), "epoch": 3, "names": ["a", "b"]}, buffer)
    whole = buffer.getvalue()
    numbers = random.Random(0)
    for k in range(200):
        data = bytearray(whole)
        if k % 3 == 0:
            data = data[: numbers.randrange(len(data))]
        elif k % 3 == 1:
            place = numbers.randrange(len(data))
            data[place : place + numbers.randrange(1, 40)] = b""
        else:
            for _ in range(numbers.randrange(1, 20)):
                data[numbers.randrange(len(data))] = numbers.randrange(256)
        try:
            found = nbtorch.load(io.BytesIO(bytes(data)))
        except (serialization.CorruptFileError, serialization.UnpicklingError) as error:
            assert len(str(error)) > 20
        else:  # bytes that mean nothing were hit, such as padding
            assert found["epoch"] == 3
            assert found["weight"].tolist() == list(range(200))


def test_classes_of_ones_own_have_to_be_trusted() -> None:
    buffer = io.BytesIO()
    nbtorch.save({"x": Settings(3)}, buffer)
    with pytest.raises(serialization.UnpicklingError, match="add_safe_globals"):
        nbtorch.load(buffer)
    with serialization.safe_globals([Settings]):
        assert nbtorch.load(buffer)["x"].size == 3
    with pytest.raises(serialization.UnpicklingError):
        nbtorch.load(buffer)


class Settings:
    def __init__(self, size: int) -> None:
        self.size = size


# -- atomic ---

_SAVER = """
import sys, nbtorch
print("ready", flush=True)
k = 0
while True:
    k += 1
    nbtorch.save({"k": k, "x": nbtorch.full((200_000,), float(k))}, sys.argv[1])
"""


def test_killed_while_saving(tmp_path: Path) -> None:
    """After each kill there is a whole file: the old one or the new one."""
    path = tmp_path / "checkpoint.pt"
    nbtorch.save({"k": 0, "x": nbtorch.zeros(200_000)}, path)
    numbers = random.Random(1)
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", _SAVER, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(numbers.uniform(0.0, 0.15))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found = nbtorch.load(path)
        assert (found["x"] == found["k"]).all()


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    nbtorch.save({"k": 1}, path)
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        nbtorch.save({"k": 2, "no": lambda: 0}, path)
    assert nbtorch.load(path) == {"k": 1}
    assert os.listdir(tmp_path) == ["checkpoint.pt"]
    with pytest.raises(RuntimeError, match="does not exist"):
        nbtorch.save(1, tmp_path / "nowhere" / "x.pt")
    with pytest.raises(FileNotFoundError):
        nbtorch.load(tmp_path / "nothing.pt")
    (tmp_path / "old.pt").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(serialization.CorruptFileError, match="corrupt file"):
        nbtorch.load(tmp_path / "old.pt")


def test_safetensors_both_ways(tmp_path: Path) -> None:
    package = pytest.importorskip("safetensors.torch")
    ours = {d: nbtorch.tensor([[0, 1], [1, 0]]).to(getattr(nbtorch, d)) for d in DTYPES}
    serialization.save_file(ours, tmp_path / "a.safetensors", {"made": "here"})
    theirs = package.load_file(tmp_path / "a.safetensors")
    package.save_file(theirs, tmp_path / "b.safetensors")
    back = serialization.load_file(tmp_path / "b.safetensors")
    for name, t in ours.items():
        helpers.same(theirs[name], t)
        helpers.same(back[name], t)
    (tmp_path / "b.safetensors").write_bytes(b"1234567890")
    with pytest.raises(serialization.CorruptFileError):
        serialization.load_file(tmp_path / "b.safetensors")
