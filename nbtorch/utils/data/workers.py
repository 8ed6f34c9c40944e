"""A pass through a loader whose batches are made by worker processes."""

from __future__ import annotations

import itertools
import time
from typing import Any

from .passes import LoaderIterator
from .pool import Pool
from .worker import NEW_PASS, Job, StreamEnded

__all__ = ["InWorkers"]


class InWorkers(LoaderIterator):
    """Gives out numbered tasks in turn, a few ahead, and hands back the batches in the order of their tasks."""

    def __init__(self, loader: Any) -> None:
        self._timeout = loader.timeout
        self._in_order = loader.in_order
        self._persistent = loader.persistent_workers
        self._ahead = max(loader.prefetch_factor or 1, 1) * loader.num_workers
        self._numbers = itertools.count()
        super().__init__(loader)
        job = Job(
            dataset=loader.dataset,
            collate_fn=loader.collate_fn,
            init_fn=loader.worker_init_fn,
            stream=loader._is_stream,
            batched=loader.batch_sampler is not None,
            drop_last=loader.drop_last,
            base_seed=self._base_seed,
            num_workers=loader.num_workers,
        )
        self._pool = Pool(job, loader.multiprocessing_context)
        self._workers = self._pool.processes
        # PyTorch asks its sampler for a second iterator here and uses that one; a sampler that draws random numbers
        # as soon as it is asked has then drawn them twice.
        self._indices = iter(self._index_sampler)
        self._fill()

    def _begin_pass(self, loader: Any) -> None:
        super()._begin_pass(loader)
        self._tasks: dict[int, int] = {}  # number of a task: its worker
        self._arrived: dict[int, Any] = {}  # number of a task: its batch
        self._active = [True] * self._num_workers
        self._turn = 0

    @property
    def closed(self) -> bool:
        """Whether the workers are gone."""
        return not self._pool.close.alive

    def restart(self, loader: Any) -> None:
        """Begins another pass with the same workers; what they are still making of the last one is dropped."""
        self._begin_pass(loader)
        self._indices = iter(self._index_sampler)
        for worker in range(self._num_workers):
            self._pool.give(worker, NEW_PASS, None)
        self._fill()

    def _fill(self) -> None:
        while len(self._tasks) < self._ahead:
            worker = self._next_worker()
            if worker is None:
                return
            try:
                wanted = next(self._indices)
            except StopIteration:
                return
            number = next(self._numbers)
            self._tasks[number] = worker
            self._pool.give(worker, number, wanted)

    def _next_worker(self) -> int | None:
        """Whose turn it is; out of order, it is only the turn of workers that have few tasks."""
        most = self._ahead
        if not self._in_order and any(self._active):
            most = max(self._ahead // sum(self._active), 1)
        loads = list(self._tasks.values())
        for step in range(self._num_workers):
            worker = (self._turn + step) % self._num_workers
            if self._active[worker] and (self._in_order or loads.count(worker) < most):
                self._turn = worker + 1
                return worker
        return None

    def _next_batch(self) -> Any:
        try:
            batch = self._wait()
        except Exception:
            raise
        except BaseException:
            # Ctrl-C while waiting: the traceback keeps this iterator alive, in a notebook for long.
            self._pool.hurry()
            self._pool.close()
            raise
        if batch is _END:
            if not self._persistent:
                self._pool.close()
            raise StopIteration
        return batch

    def _wait(self) -> Any:
        until = time.monotonic() + self._timeout if self._timeout > 0 else None
        while True:
            number = self._first_due()
            if number is None:
                return _END
            if self.closed:
                raise RuntimeError("the DataLoader's workers have ended: begin a new pass over the loader")
            if number in self._arrived:
                self._pool.check()
                del self._tasks[number]
                batch = self._arrived.pop(number)
                self._fill()
                return batch
            sent = self._pool.take(until)
            if not sent:
                self._pool.hurry()
                raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
            for number, batch in sent:
                if number not in self._tasks:
                    continue  # of a pass that was broken off
                if isinstance(batch, StreamEnded):
                    self._retire(self._tasks[number])
                else:
                    self._arrived[number] = batch

    def _first_due(self) -> int | None:
        if not self._in_order and self._arrived:
            earliest: int = next(iter(self._arrived))
            return earliest
        return min(self._tasks) if self._tasks else None

    def _retire(self, worker: int) -> None:
        """A worker's stream has ended: what it was still asked for will never come."""
        self._active[worker] = False
        for number in [n for n, w in self._tasks.items() if w == worker and n not in self._arrived]:
            del self._tasks[number]
        self._fill()


_END = object()
