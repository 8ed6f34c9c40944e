"""``torch.multiprocessing``: Python's own, whose names it has; tensors travel between processes by pickling."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from multiprocessing import *  # noqa: F403
from multiprocessing import connection
from typing import Any

from .annex import name_what_is_missing

__all__ = [
    "ProcessContext", "ProcessExitedException", "ProcessRaisedException", "SpawnContext", "get_all_sharing_strategies",
    "get_sharing_strategy", "set_sharing_strategy", "spawn", "start_processes",
]  # fmt: skip
__path__: list[str] = []  # PyTorch has a package here
__all__ += multiprocessing.__all__

_strategy = "file_descriptor"


def get_all_sharing_strategies() -> set[str]:
    """The words that :func:`set_sharing_strategy` takes."""
    return {"file_descriptor", "file_system"}


def get_sharing_strategy() -> str:
    """What was set."""
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    """Accepted: tensors are pickled."""
    global _strategy
    assert new_strategy in get_all_sharing_strategies()
    _strategy = new_strategy


class _ProcessError(Exception):
    def __init__(self, msg: str, error_index: int, pid: int) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.pid = msg, error_index, pid


class ProcessRaisedException(_ProcessError):
    """A process ended with an exception; the message has its traceback."""


class ProcessExitedException(_ProcessError):
    """A process ended with an exit code or a signal."""

    def __init__(
        self, msg: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name


def _run(fn: Callable[..., Any], index: int, args: tuple[Any, ...], errors: Any) -> None:
    try:
        with contextlib.suppress(KeyboardInterrupt):  # the parent was interrupted too
            fn(index, *args)
    except Exception:
        import sys
        import traceback

        errors.put(traceback.format_exc())
        sys.exit(1)


class ProcessContext:
    """The processes of :func:`start_processes`."""

    def __init__(self, processes: list[Any], errors: list[Any]) -> None:
        self.processes, self.error_queues = processes, errors
        self._waiting = {process.sentinel: i for i, process in enumerate(processes)}

    def pids(self) -> list[int]:
        """Their numbers in the system."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Waits for one to fail or all to end; after a failure the others are ended.

        Returns:
            whether all have ended.

        Raises:
            ProcessRaisedException: where one raised, with its traceback.
            ProcessExitedException: where one ended with another exit code than 0, or by a signal.
        """
        if not self._waiting:
            return True
        failed = None
        for sentinel in connection.wait(list(self._waiting), timeout):
            index = self._waiting.pop(sentinel)
            process = self.processes[index]
            process.join()
            if process.exitcode:
                failed = index
                break
        if failed is None:
            return not self._waiting
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        for process in self.processes:
            process.join(grace_period)
        code, pid = self.processes[failed].exitcode, self.processes[failed].pid
        if self.error_queues[failed].empty():
            name = signal.Signals(-code).name if code < 0 else None
            how = f"terminated with signal {name}" if name else f"terminated with exit code {code}"
            raise ProcessExitedException(f"process {failed} {how}", failed, pid, code, name)
        trace = self.error_queues[failed].get()
        raise ProcessRaisedException(
            f"\n\n-- Process {failed} terminated with the following error:\n{trace}", failed, pid
        )


SpawnContext = ProcessContext


def start_processes(
    fn: Callable[..., Any], args: Sequence[Any] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn", **options: Any,
) -> ProcessContext | None:  # fmt: skip
    """Runs ``fn(i, *args)`` in ``nprocs`` processes, ``i`` from 0.

    Args:
        join: wait for all, and raise what one raised; else return a :class:`ProcessContext`.
        start_method: "spawn", "fork" or "forkserver".
    """
    context: Any = multiprocessing.get_context(start_method)
    processes, errors = [], []
    for index in range(nprocs):
        queue = context.SimpleQueue()
        process = context.Process(target=_run, args=(fn, index, tuple(args), queue), daemon=daemon)
        process.start()
        processes.append(process)
        errors.append(queue)
    running = ProcessContext(processes, errors)
    if not join:
        return running
    while not running.join():
        pass
    return None


def spawn(
    fn: Callable[..., Any], args: Sequence[Any] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:  # fmt: skip
    """:func:`start_processes` with the method "spawn"."""
    return start_processes(fn, args, nprocs, join, daemon, start_method)


name_what_is_missing(globals())
