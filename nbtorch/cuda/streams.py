"""Queues of work on a GPU and marks in them: ``torch.cuda.Stream`` and ``Event``, over CuPy's."""

from __future__ import annotations

from typing import Any

from ..backends.device import device as _Device
from ._gpu import Where, gpu, is_available

__all__ = ["Event", "ExternalStream", "Stream", "StreamContext", "current_stream", "default_stream", "set_stream",
           "stream"]  # fmt: skip


class Stream:
    """A queue of work; ``with torch.cuda.stream(s):`` queues what follows there.

    Args:
        device: whose queue; the current GPU's unless given.
        priority: below 0 for one that goes first.

    Raises:
        RuntimeError: without a GPU.
    """

    def __init__(self, device: Where = None, priority: int = 0, *, _cupy_stream: Any = None, **kwargs: Any) -> None:
        cupy, self.device_index = gpu(device)
        self.priority = priority
        if _cupy_stream is None:
            with cupy.cuda.Device(self.device_index):
                _cupy_stream = cupy.cuda.Stream(non_blocking=True)
        self._stream = _cupy_stream

    @property
    def device(self) -> _Device:
        """Whose queue it is."""
        return _Device("cuda", self.device_index)

    @property
    def cuda_stream(self) -> int:
        """The driver's handle."""
        return int(self._stream.ptr)

    stream_id = cuda_stream

    def synchronize(self) -> None:
        """Waits until everything queued is done."""
        self._stream.synchronize()

    def query(self) -> bool:
        """Whether everything queued is done."""
        return bool(self._stream.done)

    def record_event(self, event: Event | None = None) -> Event:
        """Puts a mark at the end of the queue."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """What is queued from now on waits for the mark."""
        if event._event is not None:
            self._stream.wait_event(event._event)

    def wait_stream(self, stream: Stream) -> None:
        """What is queued from now on waits for what is in another queue now."""
        self.wait_event(stream.record_event())

    def __enter__(self) -> Stream:
        self._stream.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        self._stream.__exit__(*exc)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and (self.device_index, self.cuda_stream) == (
            other.device_index, other.cuda_stream,
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.device_index, self.cuda_stream))

    def __repr__(self) -> str:
        return f"<torch.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class ExternalStream(Stream):
    """A queue that another library made, by the driver's handle."""

    def __init__(self, stream_ptr: int, device: Where = None, **kwargs: Any) -> None:
        cupy, _ = gpu(device)
        super().__init__(device, _cupy_stream=cupy.cuda.ExternalStream(stream_ptr))


class Event:
    """A mark in a queue of work, to wait for and to measure time between two.

    Args:
        enable_timing: needed for :meth:`elapsed_time`.
        blocking: let the processor sleep while it waits.
        interprocess: accepted.

    Raises:
        RuntimeError: without a GPU.
    """

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False, external: bool = False
    ) -> None:
        self._cupy, self._index = gpu(None)
        self._timing, self._blocking = enable_timing, blocking
        self._event: Any = None

    def record(self, stream: Stream | None = None) -> None:
        """Puts the mark at the end of a queue; the current one unless given."""
        if self._event is None:
            self._event = self._cupy.cuda.Event(block=self._blocking, disable_timing=not self._timing)
        self._event.record(self._cupy.cuda.get_current_stream() if stream is None else stream._stream)

    def wait(self, stream: Stream | None = None) -> None:
        """What is queued from now on waits for the mark."""
        (current_stream() if stream is None else stream).wait_event(self)

    def query(self) -> bool:
        """Whether everything before the mark is done."""
        return self._event is None or bool(self._event.done)

    def synchronize(self) -> None:
        """Waits until everything before the mark is done."""
        if self._event is not None:
            self._event.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds between this mark and a later one.

        Raises:
            ValueError: where one of them was not recorded, or not made with ``enable_timing=True``.
        """
        if not (self._timing and end_event._timing):
            raise ValueError(
                "Both events must be created with argument 'enable_timing=True'\n"
                "  fix: torch.cuda.Event(enable_timing=True)"
            )
        if self._event is None or end_event._event is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.\n  fix: event.record()")
        return float(self._cupy.cuda.get_elapsed_time(self._event, end_event._event))

    def __repr__(self) -> str:
        return "<torch.cuda.Event uninitialized>" if self._event is None else f"<torch.cuda.Event {self._event.ptr:#x}>"


class StreamContext:
    """``with torch.cuda.stream(s):`` queues what follows on ``s``; does nothing for None."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            self.stream.__enter__()

    def __exit__(self, *exc: Any) -> None:
        if self.stream is not None:
            self.stream.__exit__(*exc)


def stream(stream: Stream | None) -> StreamContext:
    """A block in which work is queued on ``stream``; None for no change."""
    return StreamContext(stream)


def current_stream(device: Where = None) -> Stream:
    """The queue that work goes to now.

    Raises:
        RuntimeError: without a GPU.
    """
    cupy, index = gpu(device)
    with cupy.cuda.Device(index):
        return Stream(index, _cupy_stream=cupy.cuda.get_current_stream())


def default_stream(device: Where = None) -> Stream:
    """The queue that work goes to unless told otherwise.

    Raises:
        RuntimeError: without a GPU.
    """
    cupy, index = gpu(device)
    return Stream(index, _cupy_stream=cupy.cuda.Stream.null)


def set_stream(stream: Stream | None) -> None:
    """Work goes to ``stream`` from now on; nothing changes for None."""
    if stream is not None and is_available():
        stream._stream.use()
