"""Hostile and damaged files: nothing of them runs, nothing is loaded by half, memory and time stay in bounds."""

from __future__ import annotations

import io
import random
import time
import tracemalloc
from pathlib import Path

import hostile_files as hostile
import pytest

import nbtorch
from nbtorch import serialization

pytestmark = pytest.mark.cpu_only("about files: the same for every device")
REFUSALS = (serialization.CorruptFileError, serialization.UnpicklingError)
IN_GOOD_TIME = 20.0  # seconds for one file; the slowest takes one


@pytest.mark.parametrize("weights_only", [None, False])
def test_every_hostile_file_is_refused(weights_only: bool | None, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    wrong = []
    count = 0
    for name, data in hostile.checkpoints(str(mark)):
        count += 1
        start = time.perf_counter()
        try:
            found = nbtorch.load(io.BytesIO(data), weights_only=weights_only)
        except REFUSALS as error:
            if len(str(error)) < 20:
                wrong.append(f"{name}: says only {error}")
        except Exception as error:
            wrong.append(f"{name}: {error!r}")
        else:
            wrong.append(f"{name}: loaded {found!r}")
        if mark.exists():
            wrong.append(f"{name}: ran")
            mark.unlink()
        if time.perf_counter() - start > IN_GOOD_TIME:
            wrong.append(f"{name}: too slow")
    assert wrong == []
    assert count > 500


def test_the_files_are_hostile_only_in_what_was_changed() -> None:
    assert nbtorch.load(io.BytesIO(hostile.healthy()))["epoch"] == 3
    eight = {"data/0": b"\0" * 8}
    assert nbtorch.load(io.BytesIO(hostile.archive(hostile.tensor(), eight))).tolist() == [0, 0]
    plain = hostile.rezipped(lambda z, info, was: z.writestr(info, was))
    assert nbtorch.load(io.BytesIO(plain))["names"] == ["a", "b"]


def test_memory_is_bounded_by_the_file() -> None:
    """A fixed multiple of the file: an empty set, 216 bytes, takes one byte in a pickle."""
    sets = b"\x80\x04](" + b"\x8f" * 100_000 + b"e."
    bombs = {
        n: d for n, d in hostile.checkpoints("") if any(w in n for w in ("again", "bomb", "laughs", "longer", "huge"))
    }
    assert len(bombs) > 10
    for name, data in {**bombs, "many sets": hostile.archive(sets)}.items():
        tracemalloc.start()
        try:
            nbtorch.load(io.BytesIO(data))
        except REFUSALS:
            pass
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 4_000_000 + 600 * len(data), f"{name}: {peak} bytes for a file of {len(data)}"


def test_files_with_bytes_changed_at_random() -> None:
    whole = hostile.healthy()
    expected = nbtorch.load(io.BytesIO(whole))
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
        except REFUSALS as error:
            assert len(str(error)) > 20
        else:  # bytes that mean nothing were hit, such as padding
            assert (found["epoch"], found["names"]) == (3, ["a", "b"])
            for name, t in expected["model"].items():
                assert found["model"][name].tolist() == t.tolist()


def test_pickles_with_bytes_changed_at_random() -> None:
    """No checksum stands before these: what is changed gets to the machine."""
    buffer = io.BytesIO()
    model = nbtorch.nn.Linear(2, 2)
    content = {
        "model": model,
        "state": model.state_dict(),
        "more": [1, 2.5, "text", None, (True,), {3}],
        "size": (2**70,),
    }
    nbtorch.save(content, buffer, _use_new_zipfile_serialization=False)
    whole = buffer.getvalue()
    numbers = random.Random(1)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(numbers.randrange(1, 4)):
            data[numbers.randrange(len(data))] = numbers.randrange(256)
        try:
            nbtorch.load(io.BytesIO(bytes(data)), weights_only=False)
        except REFUSALS:
            pass
        except RuntimeError as error:  # the place "cpu" has become another
            assert "data location" in str(error) or "device" in str(error)


def test_every_hostile_file_of_safetensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    count = 0
    for name, data in hostile.safetensors():
        count += 1
        path.write_bytes(data)
        with pytest.raises(serialization.CorruptFileError):
            raise AssertionError(f"{name}: loaded {nbtorch.load(path)!r}")
    assert count > 100


def test_a_model_is_not_touched_by_a_file_that_is_refused(tmp_path: Path) -> None:
    model = nbtorch.nn.Linear(3, 3)
    before = {name: t.clone() for name, t in model.state_dict().items()}
    path = tmp_path / "model.pt"
    nbtorch.save({name: t + 1 for name, t in before.items()}, path)
    whole = path.read_bytes()
    for cut in range(1, len(whole), 97):
        path.write_bytes(whole[:cut])
        with pytest.raises(REFUSALS):
            model.load_state_dict(nbtorch.load(path))
    assert all((model.state_dict()[name] == t).all() for name, t in before.items())
