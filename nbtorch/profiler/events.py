"""What a profile consists of: one ``FunctionEvent`` for each call, and their averages by name, as PyTorch has them."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import Enum
from types import CodeType
from typing import Any

from .recorder import FUNCTION, NODE, OP, USER, Span
from .sites import EVALUATE
from .table import build_table, format_time
from .trace import write_stacks, write_trace

__all__ = [
    "DeviceType",
    "EventList",
    "FormattedTimesMixin",
    "FunctionEvent",
    "FunctionEventAvg",
    "Interval",
    "Kernel",
    "MemRecordsAcc",
    "StringTable",
    "make_events",
]


class DeviceType(Enum):
    """Kinds of devices."""

    CPU = 0
    CUDA = 1


class Interval:
    """A stretch of time, in microseconds since the profile began."""

    def __init__(self, start: float, end: float) -> None:
        self.start, self.end = start, end

    def elapsed_us(self) -> float:
        """Its length."""
        return self.end - self.start


class FormattedTimesMixin:
    """Times as text, and the average of a call."""

    cpu_time_total: float
    device_time_total: float
    self_cpu_time_total: float
    self_device_time_total: float
    count: int

    @property
    def cpu_time(self) -> float:
        """Microseconds a call."""
        return 0.0 if self.count == 0 else self.cpu_time_total / self.count

    @property
    def device_time(self) -> float:
        """Microseconds a call on the device; times are the host's, so it is 0."""
        return 0.0 if self.count == 0 else self.device_time_total / self.count

    cuda_time = device_time

    cpu_time_str = property(lambda self: format_time(self.cpu_time))
    device_time_str = property(lambda self: format_time(self.device_time))
    cpu_time_total_str = property(lambda self: format_time(self.cpu_time_total))
    device_time_total_str = property(lambda self: format_time(self.device_time_total))
    self_cpu_time_total_str = property(lambda self: format_time(self.self_cpu_time_total))
    self_device_time_total_str = property(lambda self: format_time(self.self_device_time_total))


class FunctionEvent(FormattedTimesMixin):
    """One call.

    Attributes:
        name: such as ``aten::mul``, ``MulBackward0``; steps of a profiler are all ``ProfilerStep*``.
        trace_name: with the step's number.
        time_range: an :class:`Interval`.
        cpu_parent, cpu_children: the call it was made in, and those made in it.
        sequence_nr: the same for an operation and its node in backward; -1 where nothing was recorded.
        cpu_memory_usage: bytes of its results and of those of the operations called in it.
        input_shapes, stack, flops: where they were asked for.
    """

    device_type = DeviceType.CPU
    use_device = None
    device_index = node_id = -1
    is_async = is_remote = is_legacy = is_python_function = False
    device_time_total = self_device_time_total = 0.0
    device_memory_usage = self_device_memory_usage = 0
    overload_name = ""
    count = 1

    def __init__(self, id: int, name: str, start_us: float, end_us: float, thread: int = 1, **known: Any) -> None:
        self.id, self.name, self.trace_name = id, name, name
        self.time_range = Interval(start_us, end_us)
        self.thread, self.fwd_thread = thread, 0
        self.scope = 0
        self.sequence_nr = -1
        self.input_shapes: Any = []
        self.structured_input_strides: Any = []
        self.input_dtypes: Any = []
        self.stack: list[str] = []
        self.flops = 0
        self.cpu_memory_usage = 0
        self.is_user_annotation = False
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []
        self.kernels: list[Kernel] = []
        self.__dict__.update(known)

    @property
    def key(self) -> str:
        """What calls are gathered by: the name."""
        return self.name

    @property
    def cpu_time_total(self) -> float:  # type: ignore[override]
        """Microseconds, with what was called in it."""
        return self.time_range.elapsed_us()

    @property
    def self_cpu_time_total(self) -> float:  # type: ignore[override]
        """Microseconds without what was called in it."""
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    @property
    def self_cpu_memory_usage(self) -> int:
        """Bytes of its results alone."""
        return self.cpu_memory_usage - sum(child.cpu_memory_usage for child in self.cpu_children)

    def append_cpu_child(self, child: FunctionEvent) -> None:
        """Adds a call that was made in this one."""
        self.cpu_children.append(child)

    def set_cpu_parent(self, parent: FunctionEvent) -> None:
        """Sets the call that this was made in."""
        self.cpu_parent = parent

    def __repr__(self) -> str:
        children = [child.id for child in self.cpu_children]
        return (
            f"<FunctionEvent id={self.id} name={self.name} device_type={self.device_type} cpu_time={self.cpu_time_str} "
            f"start_us={self.time_range.start:.3f} end_us={self.time_range.end:.3f} cpu_children={children} "
            f"thread={self.thread} input_shapes={self.input_shapes} cpu_memory_usage={self.cpu_memory_usage} "
            f"seq_nr={self.sequence_nr}>"
        )


class FunctionEventAvg(FormattedTimesMixin):
    """All calls of one name (and shape, and place, where that was asked for) together."""

    device_type = DeviceType.CPU
    use_device = None
    node_id = -1
    is_async = is_remote = is_legacy = False
    device_memory_usage = self_device_memory_usage = 0
    overload_name = ""

    def __init__(self) -> None:
        self.key: str | None = None
        self.count = 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.device_time_total = self.self_device_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0
        self.flops = 0
        self.input_shapes: Any = None
        self.stack: list[str] = []
        self.scope = 0
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []
        self.is_user_annotation = False

    def add(self, other: Any) -> FunctionEventAvg:
        """Counts one more call, or all of another average."""
        if self.key is None:
            self.key = other.key
            self.scope, self.is_user_annotation = other.scope, other.is_user_annotation
            self.cpu_parent, self.cpu_children = other.cpu_parent, other.cpu_children
            self.input_shapes, self.stack = other.input_shapes, other.stack
        for name in (
            "cpu_time_total", "self_cpu_time_total", "device_time_total", "self_device_time_total",
            "cpu_memory_usage", "self_cpu_memory_usage", "count", "flops",
        ):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    __iadd__ = add

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} input_shapes={self.input_shapes} cpu_memory_usage={self.cpu_memory_usage}>"
        )


class EventList(list[Any]):
    """Events, or averages of them, with the table and the exports.

    Args:
        profile_memory, with_flops: whether the table has these columns.
    """

    def __init__(
        self,
        events: Iterable[Any] = (),
        *,
        use_device: str | None = None,
        profile_memory: bool = False,
        with_flops: bool = False,
        spans: Any = None,
    ) -> None:
        super().__init__(events)
        self._use_device = use_device
        self._profile_memory, self._with_flops = profile_memory, with_flops
        self._spans = spans

    def __str__(self) -> str:
        return self.table()

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all calls, each microsecond once."""
        return float(sum(event.self_cpu_time_total for event in self))

    def key_averages(
        self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """Averages by name, and by the inputs' shapes and the innermost ``group_by_stack_n`` lines if asked for.

        Returns:
            A list of :class:`FunctionEventAvg`, in the order in which each first occurred.
        """
        groups: defaultdict[Any, FunctionEventAvg] = defaultdict(FunctionEventAvg)
        for event in self:
            key = [event.key, event.is_user_annotation]
            key.append(str(event.input_shapes) if group_by_input_shapes else "")
            key.append(tuple(event.stack[:group_by_stack_n]) if group_by_stack_n > 0 else ())
            groups[tuple(key)].add(event)
        for average in groups.values():
            average.stack = average.stack[:group_by_stack_n] if group_by_stack_n > 0 else []
            average.input_shapes = average.input_shapes if group_by_input_shapes else ""
        return EventList(groups.values(), profile_memory=self._profile_memory, with_flops=self._with_flops)

    def total_average(self) -> FunctionEventAvg:
        """All calls together, under the name ``Total``."""
        total = FunctionEventAvg()
        for event in self:
            total.add(event)
        total.key, total.input_shapes, total.stack = "Total", [], []
        total.cpu_parent, total.cpu_children = None, []
        return total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:
        """The events as a table of text.

        Args:
            sort_by: an attribute such as ``"cpu_time_total"``, ``"self_cpu_time_total"``, ``"cpu_memory_usage"`` or
                ``"count"``; the largest first. None keeps the order.
            row_limit: at most so many rows; -1 for all.
            header: a line above.
            top_level_events_only: leave out what was called in something else.
            time_unit: ``"us"``, ``"ms"`` or ``"s"`` for all times.

        Raises:
            AttributeError: for a ``sort_by`` that events haven't.
        """
        return build_table(
            self,
            sort_by=sort_by,
            row_limit=row_limit,
            max_src_column_width=max_src_column_width,
            max_name_column_width=max_name_column_width,
            max_shapes_column_width=max_shapes_column_width,
            header=header,
            top_level_events_only=top_level_events_only,
            time_unit=time_unit,
            profile_memory=self._profile_memory,
            with_flops=self._with_flops,
        )

    def export_chrome_trace(self, path: Any) -> None:
        """Writes the events for ``chrome://tracing`` and https://ui.perfetto.dev; compressed where it ends in .gz."""
        write_trace(path, self, {})

    @property
    def supported_export_stacks_metrics(self) -> list[str]:
        """What :meth:`export_stacks` can write."""
        return [
            "self_cpu_time_total", "self_cuda_time_total", "self_xpu_time_total", "self_privateuse1_time_total",
        ]  # fmt: skip

    def export_stacks(self, path: Any, metric: str = "self_cpu_time_total") -> None:
        """Writes stacks with their time, as flame graphs are drawn from.

        Raises:
            ValueError: for another metric.
        """
        if metric not in self.supported_export_stacks_metrics:
            raise ValueError(f"metric should be one of: {self.supported_export_stacks_metrics}")
        write_stacks(path, self, "self_cpu_time_total" if metric.startswith("self_cpu") else "self_device_time_total")


class Kernel:
    """A program on a device that a call started; none are seen, times are the host's."""

    def __init__(self, name: str, device: int, duration: float) -> None:
        self.name, self.device, self.duration = name, device, duration


class StringTable(defaultdict[str, str]):
    """Strings by themselves; PyTorch undoes the mangling of C++ names here, of which there are none."""

    def __missing__(self, key: str) -> str:
        self[key] = key
        return key


class MemRecordsAcc:
    """Allocations by time, to sum those of an interval.

    Args:
        mem_records: pairs whose first has ``start_ns()`` and ``nbytes()``.
    """

    def __init__(self, mem_records: Sequence[Any]) -> None:
        self._records = sorted(mem_records, key=lambda record: record[0].start_ns())

    def in_interval(self, start_us: float, end_us: float) -> Iterable[Any]:
        """Those that happened from ``start_us`` to ``end_us``."""
        return (r for r in self._records if start_us * 1000 <= r[0].start_ns() <= end_us * 1000)


@functools.cache
def _line_of(code: CodeType, offset: int) -> str:
    """A place in the user's code, as PyTorch writes it: ``train.py(12): step``."""
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= offset < end and number is not None:
            line = number
    return f"{code.co_filename}({line}): {code.co_name}"


# How PyTorch's traces name dtypes.
_TYPES = {
    "float32": "float", "float64": "double", "int64": "long int", "int32": "int", "int16": "short int",
    "int8": "signed char", "uint8": "unsigned char", "float16": "c10::Half", "bfloat16": "c10::BFloat16",
}  # fmt: skip


def _inputs_of(described: Sequence[Any]) -> tuple[list[Any], list[Any], list[str]]:
    """Shapes, strides and dtypes as PyTorch writes them: nothing for what is no tensor."""
    shapes: list[Any] = []
    strides: list[Any] = []
    types: list[str] = []
    for one in described:
        if isinstance(one, tuple):
            shape, steps, dtype = one
            shapes.append(list(shape))
            strides.append([step // (dtype.itemsize or 1) for step in steps])
            types.append(_TYPES.get(dtype.name, dtype.name))
        elif isinstance(one, list) and one:
            shapes.append([list(shape) for shape, _, _ in one])
            strides.append([])
            types.append("TensorList")
        else:
            shapes.append([])
            strides.append([])
            types.append("Scalar" if one in (bool, int, float) else "")
    return shapes, strides, types


def make_events(spans: Sequence[Span], begin: int, end: int, first_id: int = 1) -> list[FunctionEvent]:
    """Events of spans, a tree: a span's node is there twice, as what the engine evaluates and as the node, as in
    PyTorch.

    Args:
        begin, end: of the profile, on the clock of the spans; what still runs at the end is cut there.
    """
    made: dict[int, FunctionEvent] = {}
    events: list[FunctionEvent] = []
    forward: dict[int, list[str]] = {}  # the program's lines by sequence number
    number = first_id

    def add(span: Span, name: str, parent: FunctionEvent | None) -> FunctionEvent:
        nonlocal number
        event = FunctionEvent(
            number, name, (span.begin - begin) / 1000, ((span.end or end) - begin) / 1000, sequence_nr=span.sequence_nr
        )
        number += 1
        event.is_user_annotation = span.kind == USER
        event.is_python_function = span.kind == FUNCTION
        event.cpu_parent = parent
        if parent is not None:
            parent.cpu_children.append(event)
        events.append(event)
        return event

    for span in spans:
        parent = None if span.parent is None else made.get(id(span.parent))
        if parent is not None and parent.name == span.name and span.kind == USER and parent.is_user_annotation:
            made[id(span)] = parent
            continue
        event = add(span, EVALUATE + span.name if span.kind == NODE else span.name, parent)
        if span.kind == NODE:
            event.fwd_thread = 1
            event = add(span, span.name, event)
            event.scope = event.fwd_thread = 1
        event.input_shapes, event.structured_input_strides, event.input_dtypes = _inputs_of(span.inputs)
        event.flops = max(span.flops, 0)
        event.cpu_memory_usage = span.bytes
        event.stack = [_line_of(code, offset) for code, offset in span.stack]
        if span.kind == OP and span.sequence_nr >= 0:
            forward.setdefault(span.sequence_nr, event.stack)
        elif span.kind == NODE:  # of which the program's line is the one that made it
            event.stack = forward.get(span.sequence_nr, event.stack)
        if span.name.startswith("ProfilerStep#"):
            event.name = "ProfilerStep*"
        made[id(span)] = event
    for event in reversed(events):  # the innermost come last: now each has also what was called in it
        event.cpu_memory_usage += sum(child.cpu_memory_usage for child in event.cpu_children)
    return events
