"""How many threads the host's arithmetic may use: BLAS for matrix products, and large elementwise work in shares.

NumPy lets go of the interpreter while a ufunc runs, so that threads of Python can each compute a share of a large
array. A share is a piece of the vector that the memory is, computed by the same function into its part of the result:
the numbers are those of one thread, bit for bit. The calling thread takes a share itself. ``benchmarks/threads.py``
measures from how many elements that pays.
"""

from __future__ import annotations

import contextvars
import ctypes
import functools
import math
import os
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["SHARED", "count_shares", "default_threads", "openblas", "shared", "use_threads", "used_threads"]

Array = Any

# Variables by which a user (or the batch system of a cluster) says how many threads BLAS is to use.
_SAID = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
_NUMBERS = (int, float, type(None))
_SMALL = 2  # cores of a small machine, on which a second thread waits for other programs more than it helps

# What is computed in shares, and from how many elements: functions that cost ten times what reading and writing does.
# Sums and products don't gain enough to pay for asking at each of them how large it is.
SHARED_FROM = 300_000
SHARED = ("acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "exp", "exp2", "expm1", "fmod",
          "log", "log10", "log1p", "log2", "logaddexp", "pow", "remainder", "sin", "sinh", "tan", "tanh",
          "elu", "elu_backward", "gelu_tanh", "gelu_tanh_backward", "logsigmoid", "sigmoid", "silu", "silu_backward",
          "softplus", "softplus_backward")  # fmt: skip


@functools.cache
def openblas() -> Any:
    """NumPy's own OpenBLAS, as a library of C functions; None where NumPy has another BLAS."""
    site = os.path.dirname(os.path.dirname(np.__file__))
    for folder in ("numpy.libs", os.path.join("numpy", ".dylibs")):
        try:
            found = [name for name in os.listdir(os.path.join(site, folder)) if "openblas" in name]
        except OSError:
            continue
        for name in found:
            try:
                return ctypes.CDLL(os.path.join(site, folder, name))
            except OSError:
                continue
    return None


@functools.cache
def _blas() -> tuple[Any, Any] | None:
    """The functions of NumPy's own OpenBLAS that set and tell its threads; None where NumPy has another BLAS."""
    library = openblas()
    for form in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads"):
        if library is not None and hasattr(library, form.format("set")):
            return getattr(library, form.format("set")), getattr(library, form.format("get"))
    return None


def _cores() -> int:
    """The cores that this process may use: those it may run on, or fewer where a container's share is smaller."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        cores = os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        if quota != "max":
            cores = min(cores, max(math.ceil(int(quota) / int(period)), 1))
    except (OSError, ValueError):
        pass
    return cores


def default_threads() -> int:
    """The number of threads to begin with: what the environment says to BLAS, or what suits the machine.

    One on a machine of two cores or fewer: BLAS makes as many threads as there are cores, and each product then waits
    until the system runs all of them at once. Beside other programs that made the training step of a small network 10
    to 100 times slower. On larger machines as many as there are cores for this process.
    """
    for name in _SAID:
        if os.environ.get(name, "").isdecimal():
            return max(int(os.environ[name]), 1)
    cores = _cores()
    wanted = 1 if cores <= _SMALL else cores
    if wanted != os.cpu_count():  # otherwise it is what BLAS does by itself
        use_threads(wanted)
    return wanted


class _Shares:
    """How many threads elementwise work uses, and who runs it."""

    count = 1
    pool: Any = None


class _Here(threading.local):
    busy = False  # in a share: its work is not shared once more


_here = _Here()


def used_threads() -> int:
    """How many threads are used."""
    return _Shares.count


def use_threads(count: int) -> None:
    """Sets the number of threads for matrix products, and for what is made by :func:`shared`."""
    found = _blas()
    if found is not None:
        found[0](count)
    count_shares(count)


def count_shares(count: int) -> None:
    """Sets the number of threads for what is made by :func:`shared` alone."""
    pool, _Shares.pool, _Shares.count = _Shares.pool, None, count
    if pool is not None:
        pool.shutdown(wait=False)


def _forget() -> None:
    """In a forked process, which has no thread but its own."""
    _Shares.pool = None
    _here.busy = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _submit(work: Callable[[], None]) -> Any:
    """Has ``work`` run by another thread, under this thread's settings; None where none can be had any more."""
    pool = _Shares.pool
    if pool is None:
        from concurrent.futures import ThreadPoolExecutor

        pool = _Shares.pool = ThreadPoolExecutor(max(_Shares.count - 1, 1), "nbtorch-share")
    try:
        # NumPy keeps its error handling in a context variable.
        return pool.submit(contextvars.copy_context().run, work)
    except RuntimeError:  # the interpreter is going down, or the number of threads was changed
        return None


def shared(function: Callable[..., Array], least: int = SHARED_FROM) -> Callable[..., Array]:
    """An elementwise function that has arrays of ``least`` elements and more computed in shares.

    Args:
        function: takes arrays of one shape, and numbers, and gives a result of the first array's dtype; if a ufunc,
            ``out`` too.
    """
    into = isinstance(function, np.ufunc)
    takes: float = function.nin if isinstance(function, np.ufunc) else math.inf

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Array:
        first = args[0]
        if getattr(first, "size", 0) < least or kwargs or _here.busy or len(args) > takes:
            return function(*args, **kwargs)
        flat = _flattened(args) if _Shares.count > 1 else None
        if flat is None:
            return function(*args)
        return _in_shares(function, into, flat, first)

    return run


def _flattened(args: Any) -> list[Any] | None:
    """Arrays as vectors along their memory; None where they don't fit together so."""
    first = args[0]
    flat: list[Any] = []
    for a in args:
        if type(a) is not np.ndarray:
            if type(a) not in _NUMBERS:
                return None
            flat.append(a)
        elif not a.ndim and a.dtype == first.dtype:
            flat.append(a)
        elif a.dtype != first.dtype or a.shape != first.shape or a.dtype.kind != "f" or a.itemsize < 4:
            return None
        elif a.flags.c_contiguous:
            flat.append(a.reshape(-1))
        elif not any(a.strides):  # one number for all: the gradient of a sum
            flat.append(np.broadcast_to(a[(0,) * a.ndim], (a.size,)))
        else:
            return None
    return flat


def _in_shares(function: Any, into: bool, flat: list[Any], first: Array) -> Array:
    out = np.empty(first.shape, first.dtype)
    target, n = out.reshape(-1), first.size
    size = -(-n // used_threads())
    size = -(-size // 64) * 64  # whole lines of the cache

    def compute(start: int) -> None:
        stop = min(start + size, n)
        pieces = [a[start:stop] if type(a) is np.ndarray and a.ndim else a for a in flat]
        _here.busy = True
        try:
            if into:
                function(*pieces, out=target[start:stop])
            else:
                target[start:stop] = function(*pieces)
        finally:
            _here.busy = False

    waiting = []
    try:
        for start in range(size, n, size):
            waiting.append((start, _submit(functools.partial(compute, start))))
        compute(0)
        for start, future in waiting:
            if future is None or future.cancel():  # nobody has begun with it
                compute(start)
            else:
                future.result()
    except BaseException:
        # An error in a share, or Ctrl-C: shares take milliseconds, and afterwards nobody reads or writes the memory.
        for _, future in waiting:
            if future is not None and not future.cancel():
                future.exception()
        raise
    return out
