"""``torch.autograd.profiler``: the older profiler, and the names of its neighbours."""

from __future__ import annotations

from typing import Any, NoReturn

from ..absent import NotInNbtorchError
from ..cuda import synchronize
from .annotations import record_function
from .events import EventList, FunctionEvent, FunctionEventAvg, MemRecordsAcc, make_events
from .profiler import ProfilerActivity, kineto_available, supported_activities
from .recorder import Wishes
from .sites import Session
from .trace import write_trace

__all__ = [
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "MemRecordsAcc",
    "ProfilerActivity",
    "emit_itt",
    "emit_nvtx",
    "kineto_available",
    "load_nvprof",
    "parse_nvprof_trace",
    "profile",
    "record_function",
    "supported_activities",
]


class profile:
    """Profiles a block. :class:`torch.profiler.profile` is the newer one, with steps.

    Args:
        enabled: False does nothing.
        record_shapes, with_flops, profile_memory, with_stack, with_modules: what else to note.
        use_cuda, use_device, use_kineto, use_cpu, experimental_config, custom_trace_id_callback,
            post_processing_timeout_s, activity_filters: taken for PyTorch's sake; times are the host's.
        acc_events: keep the events of earlier runs.

    Attributes:
        function_events: every call, once the block has ended.
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        use_device: str | None = None,
        record_shapes: bool = False,
        with_flops: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
        use_kineto: bool = False,
        use_cpu: bool = True,
        experimental_config: Any = None,
        acc_events: bool = False,
        custom_trace_id_callback: Any = None,
        post_processing_timeout_s: float | None = None,
        activity_filters: Any = None,
    ) -> None:
        self.enabled, self.acc_events = enabled, acc_events
        self.record_shapes, self.profile_memory = record_shapes or with_flops, profile_memory
        self.with_stack, self.with_flops, self.with_modules = with_stack, with_flops, with_modules
        self.entered = False
        self._function_events: EventList | None = None
        self._session: Session | None = None

    def __enter__(self) -> profile | None:
        if not self.enabled:
            return None
        if self.entered:
            raise RuntimeError("Profiler context manager is not reentrant\n  fix: make another profile()")
        self.entered = True
        self._session = Session(
            Wishes(self.record_shapes, self.profile_memory, self.with_stack, self.with_flops, self.with_modules)
        )
        return self

    def __exit__(self, *exc: Any) -> None:
        session = self._session
        if session is not None:
            session.end()
            events = make_events(session.spans, session.begin, session.end_time)
            session.spans = []
            self._function_events = EventList(events, profile_memory=self.profile_memory, with_flops=self.with_flops)

    def _finished(self) -> EventList:
        if self._function_events is None:
            raise RuntimeError("Profiler didn't finish running\n  fix: ask after the with block")
        return self._function_events

    @property
    def function_events(self) -> EventList:
        """Every call, in the order of beginning."""
        return self._finished()

    def __repr__(self) -> str:
        return "<unfinished torch.autograd.profile>" if self._function_events is None else repr(self._function_events)

    def __str__(self) -> str:
        return "<unfinished torch.autograd.profile>" if self._function_events is None else str(self._function_events)

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
        """See :meth:`nbtorch.profiler.events.EventList.table`."""
        return self._finished().table(
            sort_by, row_limit, max_src_column_width, max_name_column_width, max_shapes_column_width, header,
            top_level_events_only, time_unit,
        )  # fmt: skip

    def export_chrome_trace(self, path: Any) -> None:
        """Writes a trace for ``chrome://tracing`` and https://ui.perfetto.dev; compressed where it ends in ``.gz``."""
        events, session = self._finished(), self._session
        assert session is not None
        write_trace(path, events, {}, thread=session.recorder.native_thread, begin_ns=session.begin)

    def export_stacks(self, path: Any, metric: str = "self_cpu_time_total") -> None:
        """Writes the program's lines with their time; needs ``with_stack``.

        Raises:
            AssertionError: without ``with_stack``.
            ValueError: for another metric.
        """
        events = self._finished()
        if not self.with_stack:
            raise AssertionError("export_stacks() requires with_stack=True")
        events.export_stacks(path, metric)

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """The calls gathered by name."""
        return self._finished().key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def total_average(self) -> FunctionEventAvg:
        """All calls together."""
        return self._finished().total_average()

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of all calls, each once."""
        return self._finished().self_cpu_time_total


def _refuse(name: str, instead: str) -> NoReturn:
    raise NotInNbtorchError(f"torch.autograd.profiler.{name} is not part of nbtorch\n  fix: {instead}")


class emit_nvtx:
    """PyTorch's names for every operation in NVIDIA's profilers, which nbtorch does not give.

    Raises:
        RuntimeError: when entered without a GPU.
        NotInNbtorchError: when entered with one.
    """

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled, self.record_shapes = enabled, record_shapes

    def __enter__(self) -> emit_nvtx | None:
        if not self.enabled:
            return None
        synchronize()
        _refuse("emit_nvtx", "name the stretches that matter with torch.cuda.nvtx.range")

    def __exit__(self, *exc: Any) -> None:
        pass


class emit_itt:
    """PyTorch's names for every operation in Intel's profiler, which nbtorch does not give.

    Raises:
        NotInNbtorchError: when entered.
    """

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled, self.record_shapes = enabled, record_shapes

    def __enter__(self) -> emit_itt | None:
        if not self.enabled:
            return None
        _refuse("emit_itt", "profile with torch.profiler.profile, and look at export_chrome_trace")

    def __exit__(self, *exc: Any) -> None:
        pass


def load_nvprof(path: Any) -> EventList:
    """Reads what NVIDIA's old profiler wrote: not here.

    Raises:
        NotInNbtorchError: always.
    """
    _refuse("load_nvprof", "profile with torch.profiler.profile")


def parse_nvprof_trace(path: Any) -> EventList:
    """Reads what NVIDIA's old profiler wrote: not here.

    Raises:
        NotInNbtorchError: always.
    """
    _refuse("parse_nvprof_trace", "profile with torch.profiler.profile")
