"""Whatever happens while a file is saved, there is the whole old file or the whole new one, and nothing beside it."""

from __future__ import annotations

import errno
import multiprocessing
import os
import pickle
import random
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nbtorch
from nbtorch import serialization

pytestmark = pytest.mark.cpu_only("about files: the same for every device")
WAYS: dict[str, tuple[Callable[[Any, Any], None], Callable[[Any], Any]]] = {
    "zip": (nbtorch.save, nbtorch.load),
    "old": (lambda x, f: nbtorch.save(x, f, _use_new_zipfile_serialization=False), nbtorch.load),
    "safetensors": (serialization.save_file, serialization.load_file),
}


def saves_for_ever(path: str, way: str, ready: Any) -> None:
    save = WAYS[way][0]
    k = 0
    while True:
        k += 1
        save({"k": nbtorch.tensor(float(k)), "x": nbtorch.full((100_000,), float(k))}, path)
        ready.set()


def killed_while_saving(folder: Path, way: str, times: int, seed: int) -> int:
    """Kills a process that saves; gives how many of the kills left an unfinished file beside."""
    path = folder / "checkpoint.pt"
    numbers = random.Random(seed)
    unfinished = 0
    start = multiprocessing.get_context("fork")
    for _ in range(times):
        ready = start.Event()
        process = start.Process(target=saves_for_ever, args=(str(path), way, ready), daemon=True)
        process.start()
        assert ready.wait(60)
        time.sleep(numbers.uniform(0.0, 0.03))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        found = WAYS[way][1](path)
        assert (found["x"] == found["k"]).all()
        left = [p for p in folder.iterdir() if p != path]
        unfinished += len(left)
        for p in left:
            p.unlink()
    return unfinished


@pytest.mark.parametrize("way", WAYS)
def test_killed_while_saving(way: str, tmp_path: Path) -> None:
    killed_while_saving(tmp_path, way, 4, seed=len(way))


@pytest.mark.parametrize("way", WAYS)
def test_a_disk_that_is_full_leaves_the_old_file(way: str, tmp_path: Path) -> None:
    """A limit on the length of files stands for the disk: writing past it fails at once, in the middle of a record."""
    save, load = WAYS[way]
    path = tmp_path / "checkpoint.pt"
    save({"k": nbtorch.ones(3)}, path)
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for limit in (1, 100, 4_000, 50_000, 399_000):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
            with pytest.raises(OSError) as caught:
                save({"k": nbtorch.zeros(100_000)}, path)
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            assert caught.value.errno == errno.EFBIG
            assert load(path)["k"].tolist() == [1, 1, 1]
            assert os.listdir(tmp_path) == ["checkpoint.pt"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_device_that_is_full_says_so() -> None:
    with pytest.raises(OSError) as caught:
        nbtorch.save(nbtorch.zeros(100_000), "/dev/full")
    assert caught.value.errno == errno.ENOSPC


class Breaks:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self) -> Any:
        raise self.error


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), MemoryError()])
def test_an_error_while_pickling_leaves_the_old_file(error: BaseException, old: bool, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    nbtorch.save({"k": 1}, path)
    with pytest.raises(type(error)):
        content = {"x": nbtorch.ones(10), "no": Breaks(error)}
        nbtorch.save(content, path, _use_new_zipfile_serialization=not old)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        nbtorch.save({"no": lambda: 0}, path)
    assert nbtorch.load(path) == {"k": 1}
    assert os.listdir(tmp_path) == ["checkpoint.pt"]


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.pt", tmp_path / "link.pt"
    nbtorch.save(1, real)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(real.stat().st_mode) == 0o666 & ~mask
    real.chmod(0o640)
    link.symlink_to("real.pt")
    nbtorch.save(2, link)
    assert link.is_symlink() and nbtorch.load(real) == 2
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    dangling = tmp_path / "dangling.pt"
    dangling.symlink_to("later.pt")
    nbtorch.save(3, dangling)
    assert dangling.is_symlink() and nbtorch.load(tmp_path / "later.pt") == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dangling.pt", "later.pt", "link.pt", "real.pt"]


def test_places_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Parent directory"):
        nbtorch.save(1, tmp_path / "nowhere" / "x.pt")
    with pytest.raises(IsADirectoryError):
        nbtorch.save(1, tmp_path)
    with pytest.raises(AttributeError, match="expected 'f' to be string, path, or a file-like object"):
        nbtorch.save(1, 3)
    with pytest.raises(OSError):
        nbtorch.save(1, tmp_path / ("x" * 300))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        nbtorch.load(tmp_path / "nothing.pt")
    with pytest.raises(AttributeError, match="seekable"):
        nbtorch.load(3)


READ_ONLY = """
import os, sys, nbtorch
nbtorch.save(1, os.path.join(sys.argv[1], "..", "before.pt"))  # imports all it needs, while it may
if os.getuid() == 0:
    os.setuid(65534)
for name in ("new.pt", "old.pt"):
    try:
        nbtorch.save(1, os.path.join(sys.argv[1], name))
    except PermissionError as error:
        print("refused", "writable" in str(error) or "read-only" in str(error))
"""


def test_a_folder_that_is_read_only(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old.pt").write_bytes(b"old")
    folder.chmod(0o555)
    for parent in (tmp_path, *tmp_path.parents):  # so that another user gets there
        if parent.owner() == Path.home().owner() and str(parent).startswith("/tmp/"):
            parent.chmod(parent.stat().st_mode | 0o555)
    try:
        out = subprocess.run([sys.executable, "-c", READ_ONLY, str(folder)], capture_output=True, text=True, timeout=60)
    finally:
        folder.chmod(0o755)
    assert out.stdout.split() == ["refused", "True"] * 2, out.stderr
    assert [p.name for p in folder.iterdir()] == ["old.pt"]
