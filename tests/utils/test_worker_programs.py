"""Programs that load by worker processes: however they end, their workers end with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="worker processes are tested on POSIX systems"),
    pytest.mark.cpu_only("programs of their own, which make their tensors on the host"),
]
LIMIT = 120.0  # seconds for one program; far more than any takes, so that a hang fails and a slow machine doesn't

PROGRAM = """
import os, signal, sys, time
import nbtorch as torch
from nbtorch.utils.data import DataLoader, Dataset

# A shell that runs the tests in the background (as CI does) has them ignore Ctrl-C, and so their children.
signal.signal(signal.SIGINT, signal.default_int_handler)

class Slow(Dataset):
    def __len__(self): return 1000
    def __getitem__(self, i):
        if i == 5 and 'hang' in sys.argv: time.sleep(1000)
        return i

def start(context=None, **options):
    iterator = iter(DataLoader(Slow(), num_workers=2, multiprocessing_context=context, **options))
    print(next(iterator).item(), *(w.pid for w in iterator._workers), flush=True)
    return iterator

if __name__ == '__main__':
"""


def started(body: str, tmp_path: Path, *arguments: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A program in a process group of its own, and the pids of its workers."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM + textwrap.indent(textwrap.dedent(body), "    "))
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(path), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline().split()
    return process, [int(pid) for pid in line[1:]]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    # One that nobody has collected yet is dead all the same.
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def ended(process: subprocess.Popen[str], workers: list[int]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=LIMIT / 2)
    assert len(workers) == 2
    until = time.monotonic() + LIMIT / 4
    while any(alive(pid) for pid in workers) and time.monotonic() < until:
        time.sleep(0.02)
    left = [pid for pid in workers if alive(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []
    return process.returncode, errors


@pytest.mark.parametrize("arguments", [(), ("hang",)])
def test_the_end_of_the_program_is_the_end_of_the_workers(arguments: tuple[str, ...], tmp_path: Path) -> None:
    code, errors = ended(*started("kept = start()", tmp_path, *arguments))
    assert (code, errors) == (0, "")


def test_an_error_of_the_program_is_the_end_of_the_workers(tmp_path: Path) -> None:
    code, errors = ended(*started("kept = start(persistent_workers=True); 1 / 0", tmp_path))
    assert code == 1 and errors.count("Traceback") == 1


def test_ctrl_c_ends_everything_with_one_traceback(tmp_path: Path) -> None:
    process, workers = started("for _ in start(): pass", tmp_path, "hang")
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)  # to all of them, as a terminal does
    code, errors = ended(process, workers)
    assert code == -signal.SIGINT and errors.count("Traceback") == 1 and "KeyboardInterrupt" in errors


def test_ctrl_c_that_is_caught_leaves_no_worker_although_the_traceback_is_kept(tmp_path: Path) -> None:
    body = """
    import multiprocessing
    try:
        for _ in start(): pass
    except KeyboardInterrupt as error:
        sys.last_traceback = error.__traceback__
    sys.exit(7 if multiprocessing.active_children() == [] else 1)
    """
    process, workers = started(body, tmp_path, "hang")
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    assert ended(process, workers)[0] == 7


def test_workers_do_not_outlive_a_program_that_is_killed(tmp_path: Path) -> None:
    process, workers = started("it = start(); time.sleep(1000)", tmp_path, "hang")
    process.kill()
    ended(process, workers)


@pytest.mark.parametrize("context", ["spawn", "forkserver"])
def test_workers_that_are_started_afresh(context: str, tmp_path: Path) -> None:
    code, errors = ended(*started(f"assert len(list(start({context!r}))) == 999", tmp_path))
    assert (code, errors) == (0, "")


def test_a_dataset_of_a_notebook_cannot_be_spawned_and_the_error_says_what_to_do() -> None:
    cell = """
import nbtorch
class Cell:
    def __len__(self): return 3
    def __getitem__(self, i): return i
try:
    list(nbtorch.utils.data.DataLoader(Cell(), num_workers=1, multiprocessing_context="spawn"))
except AttributeError as error:
    assert "defined in __main__" in str(error) and "multiprocessing_context='fork'" in str(error), error
    print("told")
print(len(list(nbtorch.utils.data.DataLoader(Cell(), num_workers=1))))
"""
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", cell], capture_output=True, text=True, env=env, timeout=LIMIT / 2
    )
    assert out.stdout.split() == ["told", "3"], out.stderr
