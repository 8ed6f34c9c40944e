"""The widgets: views of a run's telemetry in the notebook.

A view sends at most thirty messages a second, and only while a page shows it: the front end sends a heartbeat each
second, and when the beats stop nothing more is sent until one comes again. A kernel that can't hear its front end while
a cell runs (no subshells) never gets a beat; then a view sends all it has four times a second.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import traitlets

from nbtorch_widgets import protocol, steering
from nbtorch_widgets.doctor.feed import FindingsFeed
from nbtorch_widgets.feed import Feed
from nbtorch_widgets.flow.feed import FlowFeed
from nbtorch_widgets.histograms import HistogramsFeed
from nbtorch_widgets.svg import run_svg, seismograph_svg
from nbtorch_widgets.telemetry import NEVER, Telemetry
from nbtorch_widgets.updates import UpdatesFeed
from nbtorch_widgets.widget import PROCESS, NotebookWidget

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FRAMES_PER_SECOND = 30
_BEAT_LASTS = 3.0  # seconds after which a page that sent no beat counts as gone
_DEAF_PERIOD = 0.25  # seconds between messages to a front end that was never heard
_UNHEARD_PERIOD = 1.0  # seconds between messages of a feed to such a front end; each holds everything
_DEAF_LIMIT = 1 << 16  # bytes up to which such a message holds everything
_ROWS_PER_FRAME = 64
_SAVED_LIMIT = 1 << 15  # bytes up to which everything is saved with the notebook, else the overview


class RunView(NotebookWidget):
    """Base of the views of a run. `run` is what `watch` returned, or its telemetry."""

    kind = traitlets.Unicode("monitor").tag(sync=True)
    #: What doesn't change: names of the parameters, fields of the wire.
    meta = traitlets.Dict().tag(sync=True)
    #: The run at rest, in one value (`protocol.pack_file`), so that a saved notebook shows it without a kernel.
    snapshot = traitlets.Bytes(b"").tag(sync=True)
    #: The last message of each feed of the run at rest: its name to `{"header": ..., "buffers": [...]}`.
    saved = traitlets.Dict().tag(sync=True)

    #: The streams that this view can send beside the norms.
    feeds: ClassVar[tuple[type[Feed], ...]] = ()
    #: Names of the feeds that are measured while nobody looks too, at the steps of the overview: they are what the view
    #: is about, and its still picture needs them. A front end that was never heard gets these.
    always: ClassVar[tuple[str, ...]] = ()

    def __init__(self, run: Any) -> None:
        telemetry = getattr(run, "telemetry", run)
        if not isinstance(telemetry, Telemetry):
            raise TypeError(
                f"{type(self).__name__} expected a run, as nbtorch_widgets.watch(model, optimizer, loader) returns it; "
                f"got {type(run).__name__}"
            )
        self.telemetry = telemetry
        self._sending = threading.Lock()
        self._beat: float | None = None
        self._next = 0.0
        self._sequence = 0
        self._sent_rows = 0  # of those that the history ever got
        self._sent_branch = 0
        self._sent_chapter = -1
        self._sent_state: tuple[object, ...] = ()
        self._feeds = {feed.name: feed(telemetry) for feed in self.feeds}
        self._wanted: tuple[str, ...] = ()
        self._feed_due: dict[str, float] = {}
        super().__init__(
            meta={
                "v": protocol.VERSION,
                "run": telemetry.run,
                "key": f"{PROCESS}-{telemetry.run}",
                "names": telemetry.names,
                "loss": telemetry.loss_name,
                "fields": [list(field) for field in protocol.FIELDS],
            }
        )
        self.on_msg(self._receive)
        self._measure(False)
        telemetry.attach(self)
        if telemetry.phase not in ("ready", "running"):
            self.settle()

    def close(self) -> None:
        if hasattr(self, "telemetry"):  # not if it was refused a run
            self.telemetry.detach(self)
            for feed in self._feeds.values():
                feed.want(False)
        super().close()

    # ---- the loop's side ----

    def look(self, now: float) -> float:
        """Send what is new if it is time; when to look next."""
        period = self._period(now)
        self._measure(period is not None)
        if period is None:
            return NEVER
        if now >= self._next:
            self._next = now + period
            self._send_news()
            self._send_feeds(now)
        return self._next

    def begin(self, now: float) -> None:
        """A pass begins: expect that the page that showed the last one is still there until its beats say so."""
        if self._beat is not None:
            self._beat = now

    def settle(self) -> None:
        """Send the final state and keep it in the trait that is saved with the notebook."""
        self._send_news()
        self._measure(False)
        telemetry = self.telemetry
        rows = telemetry.rows() if self._size_of_all() <= _SAVED_LIMIT else telemetry.all_overview_rows()
        header = {**telemetry.header(), "story": telemetry.story(), "rows": len(rows)}
        self.snapshot = protocol.pack_file(header, protocol.pack_rows(rows))
        saved = {}
        for name, feed in self._feeds.items():
            message = feed.news(everything=True)
            if message is not None:
                self.send({"op": name, **message[0]}, buffers=message[1])
                saved[name] = {"header": message[0], "buffers": message[1]}
        self.saved = saved

    def _measure(self, watched: bool) -> None:
        """Have measured what a page wants, if there is one."""
        for name, feed in self._feeds.items():
            feed.want(name in self.always or (watched and name in self._wanted))

    def _send_feeds(self, now: float) -> None:
        unheard = self._beat is None and not self._wanted
        for name in self.always if unheard else self._wanted:
            if now < self._feed_due.get(name, 0.0):
                continue
            feed = self._feeds[name]
            with self._sending:  # a page that opens asks from another thread
                message = feed.news(everything=unheard or name not in self._feed_due)
                self._feed_due[name] = now + (max(feed.period, _UNHEARD_PERIOD) if unheard else feed.period)
                if message is not None:
                    self.send({"op": name, **message[0]}, buffers=message[1])

    def _period(self, now: float) -> float | None:
        if self._beat is None:
            return _DEAF_PERIOD
        return 1 / _FRAMES_PER_SECOND if now - self._beat < _BEAT_LASTS else None

    def _send_news(self) -> None:
        telemetry = self.telemetry
        with self._sending:
            if self._state() == self._sent_state and self._beat is not None:
                return
            if self._sent_branch != telemetry.branch or (self._beat is None and self._size_of_all() <= _DEAF_LIMIT):
                self._send_rows("snapshot")
            else:
                self._send_rows("frame")

    def _state(self) -> tuple[object, ...]:
        telemetry = self.telemetry
        return (telemetry.step, telemetry.epoch, telemetry.state, telemetry.branch, telemetry.chapter)

    def _size_of_all(self) -> int:
        rows = len(self.telemetry.history) + len(self.telemetry.overview)
        return rows * (protocol.ROW_BYTES + protocol.CELL_BYTES * len(self.telemetry.names))

    def _send_rows(self, op: Literal["frame", "snapshot"]) -> None:
        telemetry = self.telemetry
        if self._sent_branch != telemetry.branch:
            self._feed_due.clear()  # so that feeds send everything
        self._sent_state, self._sent_branch = self._state(), telemetry.branch
        rows, self._sent_rows = telemetry.rows_since(self._sent_rows, _ROWS_PER_FRAME)
        if op == "snapshot":
            rows = telemetry.rows()
        self._send_header(op, len(rows), [protocol.pack_rows(rows)])

    def _send_header(self, op: str, rows: int, buffers: list[bytes]) -> None:
        telemetry = self.telemetry
        self._sequence += 1
        header = {"op": op, "seq": self._sequence, **telemetry.header(), "rows": rows}
        if op != "frame" or self._sent_chapter != telemetry.chapter:
            self._sent_chapter = telemetry.chapter
            header["story"] = telemetry.story()
        self.send(header, buffers=buffers)

    # ---- the front end's side: another thread, while a cell runs ----

    def _receive(self, _widget: Any, message: Any, _buffers: Any) -> None:
        op = message.get("op") if isinstance(message, dict) else None
        now = time.perf_counter()
        if op in ("hello", "beat"):
            returned = self._beat is None or now - self._beat >= _BEAT_LASTS
            self._beat = now
            if op == "hello" or returned:
                with self._sending:
                    self._send_rows("snapshot")
                self._feed_due.clear()
                self.telemetry.wake()
        elif op == "want":
            names = message.get("feeds")
            self._wanted = tuple(n for n in names if n in self._feeds) if isinstance(names, list) else ()
            for name in self._wanted:
                self._feed_due.pop(name, None)
            self.telemetry.wake()
            if self.telemetry.phase != "running":
                self._send_feeds(now)
        elif isinstance(op, str) and op in self._feeds:
            self._feeds[op].receive(message)
            self._feed_due.pop(op, None)
            self.telemetry.wake()
            if self.telemetry.phase != "running":
                self._send_feeds(now)
        elif isinstance(op, str) and self._obey(op, message):
            self._beat = now
            self.telemetry.wake()
            with self._sending:
                self._send_header("state", 0, [])
        else:
            self.send({"op": "error", "message": f"expected an operation, got {str(message)[:80]!r}"})

    def _obey(self, op: str, message: dict[str, Any]) -> bool:
        """Have the run do it; False if it can't be understood, and then nothing changes."""
        control = self.telemetry.control
        if op in ("lr", "clip", "rewind"):
            try:
                request = steering.checked(op, message)
            except (TypeError, ValueError, OverflowError):
                return False
            if self.telemetry.phase == "running":
                control.request(op, request)
            return True
        return control.command(op)

    # ---- outside a live page ----

    def freeze(self) -> None:
        if self.telemetry.step > 0:
            self.settle()
            self.telemetry.wake()

    def to_svg(self) -> str:
        """A still picture of the run; the same for the same run, whatever time it took."""
        return run_svg(self.telemetry, language=self.language)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.telemetry.summary()})"

    @property
    def history(self) -> Any:
        """The data shown: `Samples` with steps, loss, branch [R], norms, flags [R, P] for R steps and P parameters."""
        return self.telemetry.rows()

    def plot(self) -> Figure:
        """The run as a Matplotlib figure: the loss, and the norm of every gradient."""
        from nbtorch_widgets.figure import run_figure

        return cast("Figure", run_figure(self.telemetry, loss=True, gradients=True))

    @property
    def has_picture(self) -> bool:
        return self.telemetry.step > 0


class RunBar(RunView):
    """Progress, loss and speed of a run, with its buttons: pause, step, resume, stop."""

    kind = traitlets.Unicode("runbar").tag(sync=True)

    def to_svg(self) -> str:
        return run_svg(self.telemetry, gradients=False, language=self.language)

    def plot(self) -> Figure:
        """The loss over the steps as a Matplotlib figure."""
        from nbtorch_widgets.figure import run_figure

        return cast("Figure", run_figure(self.telemetry, loss=True, gradients=False))


class Seismograph(RunView):
    """Every parameter's norm at every sampled step, as a heat map on a logarithmic scale: of its gradient, its weights,
    or what a step changes in them."""

    kind = traitlets.Unicode("seismograph").tag(sync=True)
    feeds = (UpdatesFeed,)

    def to_svg(self) -> str:
        return seismograph_svg(self.telemetry, language=self.language)

    def plot(self) -> Figure:
        """The norm of every gradient at every sampled step as a Matplotlib figure."""
        from nbtorch_widgets.figure import run_figure

        return cast("Figure", run_figure(self.telemetry, loss=False, gradients=True))

    def __repr__(self) -> str:
        from nbtorch_widgets.svg import magnitude_range

        count = len(self.telemetry.names)
        return (
            f"Seismograph({count} parameter{'s' if count != 1 else ''}, {self.telemetry.summary()}, "
            f"{magnitude_range(self.telemetry.overview_rows())})"
        )


class Monitor(RunView):
    """A `RunBar` above everything else there is about a run, in one widget: what `watch` displays."""

    feeds = (UpdatesFeed, FlowFeed, HistogramsFeed, FindingsFeed)
