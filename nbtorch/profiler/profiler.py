"""``torch.profiler.profile``: what ran, how long, how often, with how much memory."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
import warnings
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from ..cuda import is_available as cuda_is_available
from .annotations import record_function
from .events import EventList, make_events
from .recorder import Wishes
from .schedules import ProfilerAction, always, schedule
from .sites import Session
from .trace import write_trace

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "_KinetoProfile",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(Enum):
    """What can be profiled."""

    CPU = 0
    XPU = 1
    CUDA = 2
    MTIA = 3
    HPU = 4
    PrivateUse1 = 5


def supported_activities() -> set[ProfilerActivity]:
    """What can be profiled here: the host, and with a GPU the calls that start work on it."""
    return {ProfilerActivity.CPU, *({ProfilerActivity.CUDA} if cuda_is_available() else ())}


def kineto_available() -> bool:
    """Whether :class:`profile` can be used: always. (PyTorch's is named after the library that it's built on.)"""
    return True


class _KinetoProfile:
    """A profile without steps: recorded from :meth:`start` to :meth:`stop`.

    Args:
        activities: what to profile; all that is supported by default. Times are always the host's.
        record_shapes: note the shapes of the inputs.
        profile_memory: note how many bytes the results take.
        with_stack: note the lines of the program.
        with_flops: count multiplications and additions of products, convolutions, additions.
        with_modules: note the calls of modules.
        acc_events: keep the events of earlier cycles.
        experimental_config, execution_trace_observer, custom_trace_id_callback, post_processing_timeout_s: taken for
            PyTorch's sake; of them the third is used.

    Raises:
        AssertionError: where none of the activities is supported.
    """

    def __init__(
        self,
        *,
        activities: Iterable[Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: Any = None,
        execution_trace_observer: Any = None,
        acc_events: bool = False,
        custom_trace_id_callback: Callable[[], str] | None = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:
        supported = supported_activities()
        self.activities = supported if activities is None else {a for a in activities if a in supported}
        if not self.activities:
            raise AssertionError(
                "No valid profiler activities found\n"
                f"  expected: of torch.profiler.ProfilerActivity, {' or '.join(a.name for a in supported)}"
            )
        self.record_shapes, self.profile_memory, self.with_stack = record_shapes, profile_memory, with_stack
        self.with_flops, self.with_modules, self.acc_events = with_flops, with_modules, acc_events
        self.custom_trace_id_callback = custom_trace_id_callback
        self._wishes = Wishes(record_shapes or with_flops, profile_memory, with_stack, with_flops, with_modules)
        self._session: Session | None = None
        self._events: EventList | None = None
        self._metadata: dict[str, Any] = {}
        self._trace_id = ""

    # -- recording -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Records from here on."""
        self.prepare_trace()
        self.start_trace()

    def stop(self) -> None:
        """Records no longer."""
        self.stop_trace()

    def prepare_trace(self) -> None:
        """Makes ready: the next trace has a name of its own."""
        make = self.custom_trace_id_callback
        self._trace_id = make() if make is not None else uuid.uuid4().hex.upper()

    def start_trace(self) -> None:
        """Records from here on, until :meth:`stop_trace`."""
        if self._session is None or self._session.end_time:
            self._session = Session(self._wishes)

    def stop_trace(self) -> None:
        """Records no longer; then there are :meth:`events`.

        Raises:
            AssertionError: where nothing was started.
        """
        session = self._session
        if session is None:
            raise AssertionError("Profiler must be initialized before stopping trace\n  fix: call start() first")
        if session.end_time:
            return
        session.end()
        before = self._events if self.acc_events and self._events is not None else []
        made = make_events(session.spans, session.begin, session.end_time, len(before) + 1)
        session.spans = []
        self._events = EventList([*before, *made], profile_memory=self.profile_memory, with_flops=self.with_flops)

    def toggle_collection_dynamic(self, enable: bool, activities: Iterable[ProfilerActivity]) -> None:
        """Goes on (or stops) listening in the middle of a trace.

        Raises:
            NotImplementedError: it can't be done here.
        """
        raise NotImplementedError(
            "toggle_collection_dynamic is not part of nbtorch\n  fix: use a schedule, or several profilers"
        )

    # -- what was recorded ---------------------------------------------------------------------------------------------

    def _recorded(self, what: str) -> EventList:
        if self._events is None:
            raise AssertionError(
                f"Profiler must be initialized before {what}\n"
                "  expected: a profile that has ended\n  fix: leave the with block, or call stop(), first"
            )
        return self._events

    def events(self) -> EventList:
        """Every call, in the order of beginning.

        Raises:
            AssertionError: before the first recording has ended.
        """
        return self._recorded("accessing events")

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """The calls gathered by name; ``.table(sort_by="self_cpu_time_total")`` prints them.

        Args:
            group_by_input_shape: tell shapes apart; needs ``record_shapes``.
            group_by_stack_n: tell the innermost so many lines of the program apart; needs ``with_stack``.

        Raises:
            AssertionError: before the first recording has ended.
        """
        events = self._recorded("getting key averages")
        return events.key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def export_chrome_trace(self, path: Any) -> None:
        """Writes a trace for ``chrome://tracing`` and https://ui.perfetto.dev; compressed where it ends in ``.gz``.

        Raises:
            AssertionError: before the first recording has ended.
        """
        events = self._recorded("exporting chrome trace")
        session = self._session
        assert session is not None
        options = ("profile_memory", "record_shapes", "with_stack", "with_flops", "with_modules")
        told = {name: 1 for name in options if getattr(self, name)}
        write_trace(
            path, events, {"trace_id": self._trace_id, **told, **self._metadata},
            thread=session.recorder.native_thread, begin_ns=session.begin,
        )  # fmt: skip

    def export_stacks(self, path: Any, metric: str = "self_cpu_time_total") -> None:
        """Writes the program's lines with their time, as flame graphs are drawn from; needs ``with_stack``.

        Raises:
            AssertionError: without ``with_stack``, and before the first recording has ended.
            ValueError: for another metric.
        """
        events = self._recorded("exporting stacks")
        if not self.with_stack:
            raise AssertionError("export_stacks() requires with_stack=True")
        events.export_stacks(path, metric)

    def export_memory_timeline(self, path: Any, device: Any = None) -> None:
        """Not drawn here.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "export_memory_timeline is not part of nbtorch\n"
            "  fix: sort key_averages() by self_cpu_memory_usage, with profile_memory=True"
        )

    def add_metadata(self, key: str, value: str) -> None:
        """An entry of text at the top of the trace."""
        self._metadata[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        """An entry at the top of the trace, given as JSON.

        Raises:
            json.JSONDecodeError: where it is none.
        """
        self._metadata[key] = json.loads(value)

    preset_metadata_json = add_metadata_json

    def get_trace_id(self) -> str | None:
        """The name of the last trace."""
        return self._trace_id or None

    def set_custom_trace_id_callback(self, callback: Callable[[], str]) -> None:
        """Sets what names traces."""
        self.custom_trace_id_callback = callback


_RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class profile(_KinetoProfile):
    """Profiles a block, or chosen steps of a loop that calls :meth:`step` at the end of each.

    Args:
        activities: see :func:`supported_activities`.
        schedule: what to do in each step, as :func:`schedule` makes it; every step is recorded by default.
        on_trace_ready: called with the profile whenever a cycle of the schedule has ended.
        record_shapes, profile_memory, with_stack, with_flops, with_modules, acc_events: what else to note.
        use_cuda: older name of an activity.

    Attributes:
        step_num: how often :meth:`step` was called.
        current_action: what is done now.
    """

    def __init__(
        self,
        *,
        activities: Iterable[Any] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[..., Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: Any = None,
        execution_trace_observer: Any = None,
        acc_events: bool = False,
        use_cuda: bool | None = None,
        custom_trace_id_callback: Callable[[], str] | None = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:
        super().__init__(
            activities=activities,
            record_shapes=record_shapes,
            profile_memory=profile_memory,
            with_stack=with_stack,
            with_flops=with_flops,
            with_modules=with_modules,
            acc_events=acc_events,
            custom_trace_id_callback=custom_trace_id_callback,
        )
        if use_cuda is not None:
            warnings.warn("`use_cuda` is deprecated, use `activities` argument instead", FutureWarning, stacklevel=2)
        self.schedule = schedule if schedule is not None else always
        self.record_steps = schedule is not None
        self.on_trace_ready = on_trace_ready
        self.step_num = 0
        self.current_action = self.schedule(0)
        self.step_rec_fn: record_function | None = None

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exc: Any) -> None:
        self.stop()

    def start(self) -> None:
        """Begins with the first step."""
        self._go(ProfilerAction.NONE, self.current_action)
        self._name_step()

    def stop(self) -> None:
        """Ends, in whichever step it is."""
        self._end_step()
        self._go(self.current_action, None)

    def step(self) -> None:
        """The next step of the program begins."""
        self._end_step()
        before = self.current_action
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        self._go(before, self.current_action)
        self._name_step()

    def _name_step(self) -> None:
        if self.record_steps:
            self.step_rec_fn = record_function(f"ProfilerStep#{self.step_num}")
            self.step_rec_fn.__enter__()

    def _end_step(self) -> None:
        named, self.step_rec_fn = self.step_rec_fn, None
        if named is not None:
            named.__exit__(None, None, None)

    def _go(self, before: ProfilerAction, after: ProfilerAction | None) -> None:
        """From what was done to what is to be done; None at the end."""
        if before in _RECORDING:
            ready = before is ProfilerAction.RECORD_AND_SAVE or after is None
            if not ready and after in _RECORDING:
                return
            if not ready:
                warnings.warn(f"Incorrect schedule: RECORD followed by {_name(after)}", stacklevel=4)
            self.stop_trace()
            if ready and self.on_trace_ready is not None:
                self.on_trace_ready(self)
        elif before is ProfilerAction.WARMUP and after is ProfilerAction.NONE:
            warnings.warn("Incorrect schedule: WARMUP followed by NONE", stacklevel=4)
        if after in _RECORDING:
            if before is not ProfilerAction.WARMUP:
                self.prepare_trace()
            if self._events is not None and not self.acc_events and self.on_trace_ready is None:
                warnings.warn(
                    "Warning: Profiler clears events at the end of each cycle. Only events from the current cycle will "
                    "be reported. To keep events across cycles, set acc_events=True.",
                    stacklevel=4,
                )
            self.start_trace()
        elif after is ProfilerAction.WARMUP:
            self.prepare_trace()


def _name(action: Any) -> str:
    return str(getattr(action, "name", action))


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False, use_python_export: bool = False
) -> Callable[[Any], None]:
    """What writes each cycle's trace into a folder, to be given as ``on_trace_ready``.

    Args:
        dir_name: made if it isn't there.
        worker_name: the beginning of the files' names; that of the machine and process by default.
        use_gzip: compress them.
        use_python_export: taken for PyTorch's sake.

    Raises:
        RuntimeError: where the folder can't be made.
    """

    def handler_fn(prof: Any) -> None:
        try:
            os.makedirs(dir_name, exist_ok=True)
        except OSError as error:
            raise RuntimeError(f"Can't create directory: {dir_name}") from error
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json{'.gz' if use_gzip else ''}"
        prof.export_chrome_trace(os.path.join(dir_name, name))

    return handler_fn
