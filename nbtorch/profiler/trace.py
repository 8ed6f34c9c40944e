"""A profile as files that other programs read: Chrome's trace format, and stacks for flame graphs.

The trace format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU (complete events
``X``, flow events ``s`` and ``f``, metadata ``M``).
"""

from __future__ import annotations

import gzip
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from typing import Any

__all__ = ["write_stacks", "write_trace"]

_SPACES = str.maketrans(" ;\t\n", "____")


def trace_events(events: Sequence[Any], process: int, thread: int, begin: int) -> list[dict[str, Any]]:
    """The complete events of a profile, and the arrows from each operation to its node in backward.

    Args:
        begin: what is added to the events' times, in microseconds.
    """
    place = {"pid": process, "tid": thread}
    found: list[dict[str, Any]] = []
    forward: dict[int, Any] = {}
    flows: list[dict[str, Any]] = []
    for event in events:
        args: dict[str, Any] = {"External id": event.id}
        if event.sequence_nr >= 0:
            args["Sequence number"] = event.sequence_nr
            args["Fwd thread id"] = event.fwd_thread
        if event.input_shapes:
            args["Input Dims"] = event.input_shapes
        if event.structured_input_strides:
            args["Input Strides"] = event.structured_input_strides
        if event.input_dtypes:
            args["Input type"] = event.input_dtypes
        if event.cpu_memory_usage:
            args["Bytes"] = event.cpu_memory_usage
        if event.flops:
            args["FLOPs"] = event.flops
        if event.stack:
            args["Call stack"] = ";".join(reversed(event.stack))
        kind = "user_annotation" if event.is_user_annotation else "cpu_op"
        if event.is_python_function:
            kind = "python_function"
        start = round(begin + event.time_range.start, 3)
        found.append(
            {
                "ph": "X", "cat": kind, "name": event.trace_name, **place, "ts": start,
                "dur": round(event.time_range.elapsed_us(), 3), "args": args,
            }
        )  # fmt: skip
        if event.sequence_nr < 0:
            continue
        if not event.fwd_thread:
            forward.setdefault(event.sequence_nr, start)
        elif event.scope and event.sequence_nr in forward:
            arrow = {"id": event.sequence_nr, **place, "cat": "fwdbwd", "name": "fwdbwd"}
            flows.append({"ph": "s", **arrow, "ts": forward[event.sequence_nr]})
            flows.append({"ph": "f", **arrow, "ts": start, "bp": "e"})
    return found + flows


def write_trace(path: Any, events: Any, metadata: dict[str, Any], *, thread: int = 0, begin_ns: int = 0) -> None:
    """Writes a trace as JSON, compressed where ``path`` ends in ``.gz``.

    Args:
        metadata: further entries at the top.
        thread: the thread's number in the system.
        begin_ns: when the profile began, on ``time.perf_counter_ns``.
    """
    name = os.fspath(path)
    process = os.getpid()
    thread = thread or process
    told = {
        "process_name": {"name": os.path.basename(sys.executable) or "python"},
        "process_labels": {"labels": "CPU"},
        "process_sort_index": {"sort_index": 0},
        "thread_name": {"name": f"thread {thread} (python)"},
    }
    head = [
        {"ph": "M", "name": key, "pid": process, "tid": thread, "ts": begin_ns / 1000, "args": args}
        for key, args in told.items()
    ]
    contents = {
        "schemaVersion": 1,
        "deviceProperties": [],
        "host_name": platform.node(),
        "displayTimeUnit": "ms",
        "baseTimeNanoseconds": time.time_ns() - time.perf_counter_ns(),
        **metadata,
        "traceEvents": head + trace_events(events, process, thread, begin_ns // 1000),
        "traceName": name,
    }
    text = json.dumps(contents, allow_nan=False, default=str)
    if name.endswith(".gz"):
        with gzip.open(name, "wt", encoding="utf-8") as packed:
            packed.write(text)
    else:
        with open(name, "w", encoding="utf-8") as plain:
            plain.write(text)


def write_stacks(path: Any, events: Sequence[Any], metric: str) -> None:
    """One line for each call that took a microsecond or more: its stack from the outermost, and the number."""
    with open(path, "w", encoding="utf-8") as file:
        for event in events:
            value = int(getattr(event, metric))
            if event.stack and value > 0:
                file.write(";".join(line.translate(_SPACES) for line in reversed(event.stack)) + f" {value}\n")
