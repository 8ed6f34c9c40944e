"""The worker processes of one pass: started, watched, ended."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import time
import weakref
from collections.abc import Iterator
from multiprocessing import connection as pipes
from multiprocessing.context import BaseContext
from multiprocessing.reduction import ForkingPickler
from typing import Any, NoReturn

from .worker import NUMBER_BYTES, Failure, Job, run_worker

__all__ = ["Pool", "checked_context"]

_GRACE = 2.0  # seconds a worker gets to finish its batch before it is ended
_LAST_MOMENT = 20.0  # seconds for a process that has closed its connection to be gone
_LOOK = 1.0  # seconds between two looks at workers that say nothing


def checked_context(context: Any) -> Any:
    """A multiprocessing context, given or named.

    Raises:
        ValueError: for a name that is not a start method here.
        TypeError: for anything else.
    """
    if isinstance(context, str):
        methods = multiprocessing.get_all_start_methods()
        if context not in methods:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {methods!r}, "
                f"but got multiprocessing_context={context!r}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start "
            f"method, but got multiprocessing_context={context}"
        )
    return context


def _usual_context() -> Any:
    # Forking is what makes a dataset from a notebook cell reach the workers; Python 3.14 no longer does it by itself.
    if multiprocessing.get_start_method(allow_none=True) is None and sys.platform == "linux":
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context()


@contextlib.contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """A process that is started here is not interrupted before it can say that it leaves Ctrl-C to the main process."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Parcel:
    """A job on its way to a worker. Where workers don't fork, it stays packed until the worker opens it by itself.

    So a class that the worker can't find is reported like any other error of a worker.
    """

    def __init__(self, job: Any, packed: bytes | None = None) -> None:
        self._job = job
        self._packed = packed

    def __reduce__(self) -> tuple[Any, ...]:
        return _Parcel, (None, bytes(ForkingPickler.dumps(self._job)))

    def open(self) -> Any:
        return self._job if self._packed is None else pickle.loads(self._packed)


class Pool:
    """The workers of an iterator, each with a connection of its own.

    They are ended by :meth:`close`, when the pool is deleted, and when the interpreter exits.

    Args:
        job: what every worker is told.
        context: how they are started, or None for the usual way.
    """

    def __init__(self, job: Job, context: Any) -> None:
        context = context or _usual_context()
        self._forked = context.get_start_method() == "fork"
        self.processes: list[Any] = []
        self.connections: list[Any] = []
        self._grace = [_GRACE]
        self.close = weakref.finalize(self, _end, os.getpid(), self.processes, self.connections, self._grace)
        try:
            for number in range(job.num_workers):
                self._start(context, job, number)
        except BaseException:
            self.close()
            raise

    def _start(self, context: Any, job: Job, number: int) -> None:
        ours, theirs = multiprocessing.Pipe()
        self.connections.append(ours)
        # A forked worker gets copies of the main process's ends; while it held them, no end of the main process could
        # be noticed by the others.
        others = list(self.connections) if self._forked else []
        process = context.Process(target=run_worker, args=(_Parcel(job), number, theirs, others), daemon=True)
        try:
            with _ctrl_c_waits():
                process.start()
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            if self._forked:
                raise
            raise _cannot_send(error) from error
        finally:
            theirs.close()  # so that the end of the worker is the end of the connection
        self.processes.append(process)

    def hurry(self) -> None:
        """From now on nobody waits for a worker to finish its batch."""
        self._grace[0] = 0.0

    def give(self, worker: int, number: int, wanted: Any) -> None:
        """Hands a task to a worker: its number and the index or indices.

        Raises:
            RuntimeError: if it is gone.
        """
        task = number, pickle.dumps(wanted, pickle.HIGHEST_PROTOCOL)
        try:
            self.connections[worker].send(task)
        except OSError:
            self._report([worker])

    def check(self) -> None:
        """Raises RuntimeError if a worker is gone."""
        gone = pipes.wait([p.sentinel for p in self.processes], 0)
        if gone:
            self._report([i for i, p in enumerate(self.processes) if p.sentinel in gone])

    def take(self, until: float | None) -> list[tuple[int, Any]]:
        """What the workers have sent, each with the number of its task.

        Waits for something to come, at most until a time of :func:`time.monotonic`.

        Raises:
            RuntimeError: if a worker is gone.
        """
        while True:
            left = _LOOK if until is None else min(_LOOK, until - time.monotonic())
            ready = pipes.wait([*self.connections, *(p.sentinel for p in self.processes)], max(left, 0))
            sent = []
            for worker, end in enumerate(self.connections):
                if end in ready:
                    try:
                        message = end.recv_bytes()
                    except (EOFError, OSError):
                        self._report([worker])
                    sent.append(_opened(message, worker))
            if sent:
                return sent
            self.check()
            if until is not None and time.monotonic() >= until:
                return []

    def _report(self, workers: list[int]) -> NoReturn:
        gone = [self.processes[w] for w in workers]
        for process in gone:
            process.join(_LAST_MOMENT)  # The connection may end before the process does, on a busy machine long before.
        self.close()
        first = gone[0]
        code = first.exitcode
        if code is not None and code < 0:
            name = signal.strsignal(-code) or str(-code)
            note = " The system may have run out of memory." if -code == getattr(signal, "SIGKILL", None) else ""
            raise RuntimeError(f"DataLoader worker (pid {first.pid}) is killed by signal: {name}.{note}")
        pids = ", ".join(str(process.pid) for process in gone)
        advice = "" if self._forked else (
            " If the program has no `if __name__ == '__main__':` around what it runs, a worker that is started afresh "
            "runs it again: add it."
        )  # fmt: skip
        raise RuntimeError(
            f"DataLoader worker (pid(s) {pids}) exited unexpectedly with exit code {code}. Its own message, if any, "
            f"is in the program's error output; num_workers=0 shows the error in place.{advice}"
        )


def _opened(message: bytes, worker: int) -> tuple[int, Any]:
    number = int.from_bytes(message[:NUMBER_BYTES], "little")
    try:
        return number, pickle.loads(memoryview(message)[NUMBER_BYTES:])
    except Exception as error:
        return number, Failure(error, f"while receiving a batch from DataLoader worker process {worker}")


def _cannot_send(error: Exception) -> Exception:
    text = (
        f"a worker process can't be given the dataset, collate_fn or worker_init_fn: {error}\n"
        "  why: workers that are not forked get them by pickling, which needs classes and functions that can be "
        "imported by name; lambdas and what is defined inside a function can't\n"
        "  fix: define them at the top of a module, or pass multiprocessing_context='fork' (Linux, macOS), or "
        "num_workers=0"
    )
    return type(error)(text)


def _end(owner: int, processes: list[Any], connections: list[Any], grace: list[float]) -> None:
    """Ends workers: asked first, then terminated, then killed; only in the process that started them."""
    if os.getpid() != owner:
        return
    for end in connections:
        with contextlib.suppress(OSError):  # This one is gone already.
            end.send(None)
    _join(processes, grace[0])
    for last_word in ("terminate", "kill"):
        alive = [process for process in processes if process.is_alive()]
        for process in alive:
            getattr(process, last_word)()
        _join(alive, _GRACE)
    for end in connections:
        end.close()


def _join(processes: list[Any], seconds: float) -> None:
    until = time.monotonic() + seconds
    for process in processes:
        process.join(max(until - time.monotonic(), 0))
