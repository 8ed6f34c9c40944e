"""How much memory the arrays of a step take, and how many are made: the same questions put to both libraries.

What is counted are the buffers that hold the elements of arrays and tensors, all those made since the workload began
to be built: its data, parameters, gradients, what the optimizer keeps, activations, temporaries. The *peak* is the
greatest number of their bytes alive at one moment of a step; what *stays* are those alive after it; *allocations* is
how many buffers the step asked for. The interpreter, the libraries' code, the graph's nodes and the work space of
matrix products are not in it; nor is that of PyTorch's convolutions, which oneDNN gets for itself; that of ours is.

The *process* figure has them in: by how much the process grows at most when the workload is built and trained anew in
it, after it was built and trained there once and given back. It is the operating system's word, to the page, with what
the allocators keep.

The libraries are asked, not changed: NumPy reports the memory of its arrays to ``tracemalloc``, PyTorch's profiler
writes down every block that its allocator gives out or takes back, CuPy's pool has hooks, and PyTorch's own for the
GPU keeps statistics.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Step = Callable[[], float]
Build = Callable[[], Step]

WARM = 3  # steps before the one that is counted: the optimizer has its state, caches are full


@dataclass
class Memory:
    """What one step took, in bytes and buffers; ``process`` is None where the system doesn't tell."""

    peak: int
    stays: int
    allocations: int
    process: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def count(torch: Any, device: str, build: Build) -> Memory:
    """Builds a workload, trains ``WARM`` steps and counts over the next one, with the garbage collector off.

    Args:
        torch: nbtorch, or PyTorch; imported already.
        device: ``"cpu"`` or ``"cuda"``.
    """
    theirs = torch.__name__ == "torch"
    kind = "cuda" if device == "cuda" else "cpu"
    counter = _COUNTERS[theirs, kind]
    collecting = gc.isenabled()
    build()()  # what the library makes once and keeps, such as the state of its random numbers, is none of the step's
    gc.collect()
    gc.disable()
    try:
        return counter(torch, build)
    finally:
        if collecting:
            gc.enable()


# -- NumPy ---


def _of_numpy(torch: Any, build: Build) -> Memory:
    with only_arrays_traced(), _asked_for() as asked:
        base, _ = tracemalloc.get_traced_memory()  # a few objects from the moment between the two
        step = build()
        for _ in range(WARM):
            step()
        tracemalloc.reset_peak()
        before = asked[0]
        step()
        allocations = asked[0] - before
        stays, peak = tracemalloc.get_traced_memory()
    return Memory(peak - base, stays - base, allocations)


@contextlib.contextmanager
def only_arrays_traced() -> Iterator[None]:
    """``tracemalloc`` for the data of NumPy's arrays, which NumPy reports itself, and for nothing else.

    Tracing puts itself before the three allocators of Python's objects; putting back those that were there leaves only
    what is reported.
    """
    api = ctypes.pythonapi
    plain = [ctypes.create_string_buffer(5 * ctypes.sizeof(ctypes.c_void_p)) for _ in range(3)]
    for domain, allocator in enumerate(plain):
        api.PyMem_GetAllocator(domain, allocator)
    tracemalloc.start()
    for domain, allocator in enumerate(plain):
        api.PyMem_SetAllocator(domain, allocator)
    try:
        yield
    finally:
        tracemalloc.stop()


_VOID, _SIZE = ctypes.c_void_p, ctypes.c_size_t
# Functions that keep Python's lock while they run, as the allocator expects it.
_MALLOC = ctypes.PYFUNCTYPE(_VOID, _VOID, _SIZE)
_CALLOC = ctypes.PYFUNCTYPE(_VOID, _VOID, _SIZE, _SIZE)


class _Handler(ctypes.Structure):
    """``PyDataMem_Handler`` of NumPy's C interface, version 1 (NEP 49)."""

    _fields_ = (
        ("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("ctx", _VOID),
        ("malloc", _MALLOC), ("calloc", _CALLOC), ("realloc", _VOID), ("free", _VOID),
    )  # fmt: skip


# Places in the table of NumPy's C interface (numpy/__multiarray_api.h).
_SET_HANDLER, _DEFAULT_HANDLER = 304, 306
_handlers: list[_Handler] = []  # an array gives its memory back through the handler it was made by, whenever that is


@contextlib.contextmanager
def _asked_for() -> Iterator[list[int]]:
    """How many buffers NumPy has asked for since the block began, in a list of one number.

    Giving back isn't watched: it may happen while an exception is on its way, when no Python may run.
    """
    import numpy as np

    api: Any = ctypes.pythonapi
    pointer = ctypes.PYFUNCTYPE(_VOID, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", api))
    capsule = ctypes.PYFUNCTYPE(ctypes.py_object, _VOID, ctypes.c_char_p, _VOID)(("PyCapsule_New", api))
    module: Any = np
    table = ctypes.cast(pointer(module._core._multiarray_umath._ARRAY_API, None), ctypes.POINTER(_VOID))
    default = ctypes.cast(table[_DEFAULT_HANDLER], ctypes.POINTER(ctypes.py_object))[0]
    plain = ctypes.cast(pointer(default, b"mem_handler"), ctypes.POINTER(_Handler))[0]
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[_SET_HANDLER] or 0)
    asked = [0]

    def malloc(ctx: Any, size: int) -> Any:
        asked[0] += 1
        return plain.malloc(ctx, size)

    def calloc(ctx: Any, elements: int, size: int) -> Any:
        asked[0] += 1
        return plain.calloc(ctx, elements, size)

    handler = _Handler(b"asked_for", 1, plain.ctx, _MALLOC(malloc), _CALLOC(calloc), plain.realloc, plain.free)
    _handlers.append(handler)
    before = set_handler(capsule(ctypes.addressof(handler), b"mem_handler", None))
    try:
        yield asked
    finally:
        set_handler(before)


# -- PyTorch on the CPU ---


def _of_torch(torch: Any, build: Build) -> Memory:
    profiler = torch.profiler
    label = "the step that counts"
    with profiler.profile(activities=[profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        step = build()
        for _ in range(WARM):
            step()
        with profiler.record_function(label):
            step()
    begin = end = 0
    blocks = []  # when, and how many bytes were given out or, negative, taken back
    for event in profile.profiler.kineto_results.events():
        if event.name() == "[memory]":
            blocks.append((event.start_ns(), event.nbytes()))
        elif event.name() == label:
            begin, end = event.start_ns(), event.end_ns()
    alive = peak = allocations = 0
    for time, size in sorted(blocks, key=lambda block: block[0]):
        if time > end:
            break
        if time >= begin:
            peak = max(peak, alive)  # as it was before this block
            allocations += size > 0
        alive += size
    return Memory(max(peak, alive), alive, allocations)


# -- On a GPU ---


def _of_cupy(torch: Any, build: Build) -> Memory:
    import cupy

    class Hook(cupy.cuda.MemoryHook):  # type: ignore[misc]
        name = "count"
        alive = peak = made = 0

        def malloc_postprocess(self, **block: Any) -> None:
            self.made += 1
            self.alive += block["mem_size"]
            self.peak = max(self.peak, self.alive)

        def free_postprocess(self, **block: Any) -> None:
            self.alive -= block["mem_size"]

    with Hook() as hook:
        step = build()
        for _ in range(WARM):
            step()
        torch.cuda.synchronize()
        hook.peak, hook.made = hook.alive, 0
        step()
        torch.cuda.synchronize()
    return Memory(hook.peak, hook.alive, hook.made)


def _of_torch_cuda(torch: Any, build: Build) -> Memory:
    cuda = torch.cuda
    start = cuda.memory_allocated()
    step = build()
    for _ in range(WARM):
        step()
    cuda.synchronize()
    cuda.reset_peak_memory_stats()
    before = cuda.memory_stats()["allocation.all.allocated"]
    step()
    cuda.synchronize()
    stats = cuda.memory_stats()
    return Memory(
        stats["allocated_bytes.all.peak"] - start,
        stats["allocated_bytes.all.current"] - start,
        stats["allocation.all.allocated"] - before,
    )


_COUNTERS: dict[tuple[bool, str], Callable[[Any, Build], Memory]] = {
    (False, "cpu"): _of_numpy,
    (True, "cpu"): _of_torch,
    (False, "cuda"): _of_cupy,
    (True, "cuda"): _of_torch_cuda,
}


# -- The process ---


def growth(build: Build) -> int | None:
    """By how many bytes the process grows at most while a workload is built and trained ``WARM`` + 1 steps.

    It is built and trained once before, so that the code it needs is there, and given back. None where the system keeps
    no such record (it is Linux that does).
    """
    if sys.platform != "linux":
        return None
    _train(build)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = _status("VmRSS")
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    except OSError:
        return None
    _train(build)
    return max(0, _status("VmHWM") - before)


def _train(build: Build) -> None:
    step = build()
    for _ in range(WARM + 1):
        step()


def _status(what: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/self/status has no {what}")
