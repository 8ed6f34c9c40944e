"""What runs in a worker process of a loader, and what it sends back.

A worker has one connection to the main process and three threads. The reader takes tasks off the connection at once,
so that the main process never waits to hand one over; the main thread makes batches; the sender gives them away, so
that batches are made in advance while the main process is busy. No lock is shared between processes: a worker that is
killed in the middle of a message can't block the others.
"""

from __future__ import annotations

import io
import os
import pickle
import queue
import random
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from ...ops.generator import manual_seed
from ...switches import set_num_threads
from ...tensor import Tensor
from .fetch import fetcher

__all__ = ["NEW_PASS", "NUMBER_BYTES", "Failure", "Job", "StreamEnded", "WorkerInfo", "get_worker_info", "run_worker"]

NEW_PASS = -1  # in place of a batch's number: the dataset is read from its beginning again
NUMBER_BYTES = 8  # a batch's number stands before its pickle
_PARENT_CHECK = 2.0  # seconds between two looks whether the main process is still there


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker process knows of itself.

    Args:
        id: its number, from 0.
        num_workers: how many workers the loader has.
        seed: what its random numbers were seeded with.
        dataset: its own copy of the dataset.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process of a :class:`DataLoader`, what it knows of itself; None in the main process."""
    return _info


@dataclass(frozen=True)
class Job:
    """All that a worker is told when it starts."""

    dataset: Any
    collate_fn: Callable[[Any], Any]
    init_fn: Callable[[int], None] | None
    stream: bool
    batched: bool
    drop_last: bool
    base_seed: int
    num_workers: int


@dataclass(frozen=True)
class StreamEnded:
    """Sent in place of a batch when a worker's copy of the stream is at its end."""


class _Text(str):
    """Text whose ``repr`` is the text itself: KeyError shows the ``repr`` of what it is given."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Failure:
    """An exception as it travels from a worker: its class and its traceback as text."""

    def __init__(self, error: BaseException, where: str, advice: str = "") -> None:
        self.kind = _sendable(type(error))
        name = type(error).__name__
        text = "".join(traceback.format_exception(error))
        self.message = f"Caught {name} {where}.\n{advice}Original {text}"

    def reraise(self) -> NoReturn:
        """Raises an exception of the class it was, or RuntimeError where that can't be made of a text alone."""
        kind: Any = self.kind
        try:
            if getattr(kind, "message", None):
                error = kind(message=self.message)
            else:
                error = kind(_Text(self.message) if issubclass(kind, KeyError) else self.message)
        except Exception:
            error = RuntimeError(self.message)
        raise error from None


def _sendable(kind: type[BaseException]) -> type[BaseException]:
    """The class itself or, if the main process could not find it by its name, the nearest class above."""
    base: type[BaseException]
    for base in kind.__mro__:
        try:
            found_by_name = bool(pickle.loads(pickle.dumps(base)) is base)
        except Exception:  # pickling a class raises whatever its metaclass raises
            continue
        if found_by_name:
            return base
    return RuntimeError


class _Tasks(queue.SimpleQueue[Any]):
    """Tasks that have arrived; None means to stop."""

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self.stopping = False
        self._connection = connection
        threading.Thread(target=self._read, name="nbtorch-data-reader", daemon=True).start()

    def _read(self) -> None:
        parent = os.getppid()
        while True:
            try:
                task = self._connection.recv() if self._connection.poll(_PARENT_CHECK) else ()
            except (EOFError, OSError):
                os._exit(1)  # The main process is gone: nobody waits for a batch, nor for a dataset that hangs.
            if task == ():
                if os.getppid() != parent:
                    os._exit(1)
                continue
            if task is None:
                self.stopping = True
            self.put(task)
            if task is None:
                return


class _BatchPickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Tensor) and obj.requires_grad and not obj.is_leaf:
            raise RuntimeError(
                "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support "
                "crossing process boundaries.\n  fix: return x.detach() from the dataset or collate_fn"
            )
        return NotImplemented


def _sender(connection: Any) -> Callable[[int, Any], None]:
    """Gives ``send(number, batch)``. The batch is pickled at once, so it may be changed afterwards."""
    outgoing: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def give_away() -> None:
        while True:
            try:
                connection.send_bytes(outgoing.get())
            except OSError:
                return  # The main process doesn't read any more; the reader notices why.

    threading.Thread(target=give_away, name="nbtorch-data-sender", daemon=True).start()

    def send(number: int, batch: Any) -> None:
        message = io.BytesIO()
        message.write(number.to_bytes(NUMBER_BYTES, "little"))
        _BatchPickler(message, pickle.HIGHEST_PROTOCOL).dump(batch)
        outgoing.put(message.getbuffer())

    return send


def _seed_everything(base_seed: int, worker: int) -> int:
    """Seeds Python's, nbtorch's and NumPy's random numbers as PyTorch does; gives the worker's seed."""
    seed = base_seed + worker
    random.seed(seed)
    manual_seed(seed)
    # Python's and NumPy's generators are of one kind: with the same seed they would give the same numbers.
    words = [worker, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(words).generate_state(4))
    return seed


def run_worker(parcel: Any, number: int, connection: Any, others: list[Any]) -> None:
    """The life of a worker process.

    Args:
        parcel: ``open()`` gives the :class:`Job`.
        number: which worker this is.
        connection: to the main process.
        others: connections that came along by forking and belong to the main process.
    """
    for other in others:
        other.close()
    # The main process decides what Ctrl-C means. Its own handlers must not run here, or a worker could not be ended.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    where = f"in DataLoader worker process {number}"
    tasks = _Tasks(connection)
    send = _sender(connection)
    set_num_threads(1)

    fetch = None
    failed: Failure | None = None
    try:
        job: Job = parcel.open()
    except Exception as error:
        failed = Failure(error, where, _cannot_open())
    else:
        try:
            _begin(job, number)
            fetch = _fetch_of(job)
        except Exception as error:
            failed = Failure(error, where)

    ended = False
    while True:
        task = tasks.get()
        if task is None or tasks.stopping:
            break
        index, packed = task
        if index == NEW_PASS:
            ended = False
            if fetch is not None:
                try:
                    fetch = _fetch_of(job)
                except Exception as error:
                    failed = Failure(error, where)
            continue
        if ended:
            continue
        result: Any = failed
        if fetch is not None and failed is None:
            try:
                result = fetch(pickle.loads(packed))
            except StopIteration as error:
                ended = job.stream
                result = StreamEnded() if ended else Failure(error, where)
            except Exception as error:
                result = Failure(error, where)
        try:
            send(index, result)
        except Exception as error:
            send(index, Failure(error, where, "The batch can't be sent to the main process.\n"))
        del result


def _begin(job: Job, number: int) -> None:
    global _info
    seed = _seed_everything(job.base_seed, number)
    _info = WorkerInfo(number, job.num_workers, seed, job.dataset)
    if job.init_fn is not None:
        job.init_fn(number)


def _fetch_of(job: Job) -> Callable[[Any], Any]:
    return fetcher(job.dataset, stream=job.stream, batched=job.batched, collate=job.collate_fn, drop_last=job.drop_last)


def _cannot_open() -> str:
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    where = f" ({program})" if program else ", as in a notebook"
    return (
        "The worker could not rebuild the dataset, collate_fn or worker_init_fn: it was started afresh and imports "
        f"classes and functions by name, which fails for those defined in __main__ without a module file{where}.\n"
        "  fix: put them in a .py file and import them, or pass multiprocessing_context='fork' (Linux, macOS), or "
        "num_workers=0\n"
    )
