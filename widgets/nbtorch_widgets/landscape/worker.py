"""Work beside the notebook's cells: one thread, the newest wish only."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable

#: Work that looks now and then whether it is still wanted.
Job = Callable[[Callable[[], bool]], None]

_workers: weakref.WeakSet[Worker] = weakref.WeakSet()
_LAST_SECONDS = 5.0  # that the interpreter's end waits for a job to notice that it isn't wanted any more


@atexit.register
def _stop_all() -> None:
    """A thread inside a library of compiled code, when the interpreter ends, would abort the process."""
    for worker in list(_workers):
        worker.cancel()
        worker.wait(_LAST_SECONDS)


class Worker:
    """Does the job that was asked for last; an earlier one that isn't finished is told to stop.

    The thread lives only while there is something to do, so an idle widget costs nothing.
    """

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        self._lock = threading.Lock()
        self._wish: Job | None = None
        self._number = 0
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()
        self._idle.set()
        _workers.add(self)

    def submit(self, job: Job) -> None:
        """Do this, and nothing that was asked for before."""
        with self._lock:
            self._wish = job
            self._number += 1
            self._idle.clear()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="nbtorch-landscape", daemon=True)
                self._thread.start()

    def cancel(self) -> None:
        """Stop what is being done."""
        with self._lock:
            self._wish = None
            self._number += 1

    @property
    def busy(self) -> bool:
        """Whether there is work."""
        return not self._idle.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Until there is no work left, or `timeout` seconds; whether it is done. The kernel's interrupt ends it."""
        waited = 0.0
        while not self._idle.wait(0.1):
            waited += 0.1
            if timeout is not None and waited >= timeout:
                return False
        return True

    def _work(self) -> None:
        while True:
            with self._lock:
                job, number = self._wish, self._number
                self._wish = None
                if job is None:
                    self._thread = None
                    self._idle.set()
                    return
            try:
                job(lambda number=number: number != self._number)  # type: ignore[misc]
            except Exception as error:
                self._failed(error)
