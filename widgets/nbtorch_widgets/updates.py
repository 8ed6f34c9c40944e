"""How far each step moves the weights: the measurement behind `UpdateRatio`, also shown by others.

The ratio of a parameter is the standard deviation of its change in one step over the standard deviation of its weights
before that step. Andrej Karpathy's rule of thumb is about 1e-3, so -3 as a logarithm: much above, and steps tear the
weights about; much below, and they hardly learn ("makemore, part 3" of his lectures "Neural Networks: Zero to Hero"; in
the notes to Stanford's CS231n, "Neural Networks 3", with norms for deviations).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from nbtorch_widgets import protocol
from nbtorch_widgets.feed import Feed, Message
from nbtorch_widgets.gradients import fetch, is_on_device, on_host, scalar
from nbtorch_widgets.history import Float32s
from nbtorch_widgets.probe import Probe, Watched
from nbtorch_widgets.table import Array, Table
from nbtorch_widgets.telemetry import Telemetry

#: log10 of the ratio that the rule of thumb asks for, and of the ends of the band that counts as near it.
GUIDE = -3.0
BAND = (-4.0, -2.0)

_CHUNK = 1 << 16  # elements worked on at once: they stay in the processor's cache
_SPARSE_LIMIT = 1 << 22  # elements up to which a sparse parameter is written out
_MESSAGE_LIMIT = 1 << 19  # bytes of a message with the whole history
_NEAR = 0.3  # decades from the guide that count as on it
_ADVICE_ROWS = 16  # samples that advice is about: the median over them


class Updates(NamedTuple):
    """Measured steps, oldest first. R rows, P parameters; NaN where a number isn't known."""

    steps: npt.NDArray[np.uint32]
    """[R] the step, counted from 1."""
    weight: Float32s
    """[R, P] the L2 norm of each parameter after the step."""
    update: Float32s
    """[R, P] the L2 norm of what the step changed."""
    ratio: Float32s
    """[R, P] std of the change over std of the weights before it."""

    def __len__(self) -> int:
        return len(self.steps)


class Advice(NamedTuple):
    """What the newest ratios say, as numbers; `sentence` puts them into words."""

    median: float
    """log10 of the ratio: the median over the parameters of at least two dimensions, or all if there are none."""
    rate: float | None
    """The learning rate now, if the optimizer has one for all."""
    wanted: float | None
    """The learning rate that would bring the median to the guide, if the change is proportional to it."""
    fast: list[int]
    """Parameters above the band, the fastest first."""
    slow: list[int]
    """Parameters below the band, the slowest first."""


# ---- measuring ----


def host_moments(values: npt.NDArray[Any], minus: npt.NDArray[Any] | None = None) -> tuple[float, float]:
    """L2 norm and standard deviation (of the population) of an array, or of its difference from another.

    In double precision, a piece that fits into the cache at a time.
    """
    flat = values.reshape(-1)
    other = None if minus is None else minus.reshape(-1)
    wide = np.complex128 if flat.dtype.kind == "c" else np.float64
    count, mean, spread, square = 0, wide(0), 0.0, 0.0
    with np.errstate(all="ignore"):
        for first in range(0, len(flat), _CHUNK):
            piece = flat[first : first + _CHUNK].astype(wide)
            if other is not None:
                piece -= other[first : first + _CHUNK]
            square += float(np.vdot(piece, piece).real)
            here = piece.mean()
            piece -= here
            # Chan, Golub, LeVeque: the moments of two parts give those of the whole.
            gap = here - mean
            total = count + len(piece)
            spread += float(np.vdot(piece, piece).real) + float(abs(gap)) ** 2 * count * len(piece) / total
            mean += gap * (len(piece) / total)
            count = total
        return float(np.sqrt(square)), float(np.sqrt(spread / count)) if count else math.nan


def _plain(tensor: Any) -> Any:
    """The tensor without its history; a sparse one written out, None if that would be too much."""
    if hasattr(tensor, "detach"):
        tensor = tensor.detach()
    if getattr(tensor, "is_sparse", False) or not str(getattr(tensor, "layout", "strided")).endswith("strided"):
        return tensor.to_dense() if math.prod(tensor.shape) <= _SPARSE_LIMIT else None
    return tensor


def _copy(tensor: Any) -> Any:
    """The weights as they are now, on the device where they live."""
    tensor = _plain(tensor)
    if tensor is None:
        return None
    return tensor.clone() if is_on_device(tensor) else on_host(tensor).copy()


def _wide(tensor: Any) -> Any:
    return tensor.float() if getattr(tensor.dtype, "itemsize", 4) < 4 else tensor


def _device_moments(new: Any, old: Any) -> list[Any]:
    """Sum of squares of the new weights and of the change, and the variances of the change and of the old ones."""
    new, old = _wide(new), _wide(old)
    change = new - old
    spread = [((x - x.mean()).abs() ** 2).mean() for x in (change, old)]
    return [(new.abs() ** 2).sum(), (change.abs() ** 2).sum(), *spread]


def _ratio(change: float, before: float, elements: int) -> float:
    """NaN for a single number, which has no deviation, and for weights that are all equal (biases that start as 0)."""
    return change / before if elements > 1 and before > 0 else math.nan


class UpdateProbe(Probe):
    """Norms of weights and of what a step changes in them, and the ratio of their deviations.

    The weights are copied when the optimizer's step begins if all optimizers have hooks, else when the loop's body
    begins; only at sampled steps, on the device where they are. Frozen parameters aren't copied: what they weigh is
    measured once a pass, their change is unknown.
    """

    def __init__(self, telemetry: Telemetry, capacity: int = 512) -> None:
        super().__init__()
        self.parameters = len(telemetry.names)
        row = (np.float32, (self.parameters,))
        self.table = Table([row, row, row], capacity, landmarks=lambda: telemetry.overview_rows().steps)
        #: The learning rate of each of the optimizers' groups at the newest row.
        self.rates: list[float] = []
        #: Dimensions of each parameter.
        self.dimensions: list[int] = []
        self._tensors: list[Any] = []
        self._frozen: dict[int, float] = {}
        self._before: dict[int, Any] | None = None
        self._optimizers: Sequence[Any] = ()
        self._hooks: list[Any] = []

    def install(self, watched: Watched) -> None:
        self._tensors = [tensor for _, tensor in watched.parameters]
        self._optimizers = watched.optimizers

    def before_step(self, step: int) -> None:
        self._before = None
        if self._optimizers and all(hasattr(each, "register_step_pre_hook") for each in self._optimizers):
            if not self._hooks:
                self._hooks = [each.register_step_pre_hook(self._before_optimizer) for each in self._optimizers]
        else:
            self._take_copies()

    def _before_optimizer(self, *_: Any) -> None:
        if self.wanted_by:
            self.attempt(self._take_copies)
        else:  # nobody wants the step that this was put on for; a hook can't be taken off from within
            self._before = None

    def _take_copies(self) -> None:
        if self._before is None:  # of several steps in one iteration, or several optimizers, the first
            self._before = {
                id(tensor): _copy(_values(tensor)) for tensor in self._tensors if getattr(tensor, "requires_grad", True)
            }

    def after_step(self, step: int) -> None:
        self._unhook()
        before, self._before = self._before, None
        if before is None:  # the optimizer made no step
            return
        measured: dict[int, tuple[float, float, float]] = {}
        pending: list[tuple[int, int, list[Any]]] = []
        for tensor in self._tensors:
            key = id(tensor)
            if key in measured:  # shared: one tensor with several names
                continue
            measured[key] = (math.nan, math.nan, math.nan)
            if key not in before:
                measured[key] = (self._weight_of_frozen(tensor), math.nan, math.nan)
                continue
            old, new = before.pop(key), _plain(_values(tensor))
            if old is None or new is None or tuple(old.shape) != tuple(new.shape):
                continue
            elements = math.prod(new.shape)
            if isinstance(old, np.ndarray):
                values = on_host(new)
                update, change = host_moments(values, old)
                measured[key] = (host_moments(values)[0], update, _ratio(change, host_moments(old)[1], elements))
            elif elements:
                pending.append((key, elements, _device_moments(new, old)))
        if pending:
            numbers = np.array(fetch([number for _, _, moments in pending for number in moments])).reshape(-1, 4)
            with np.errstate(all="ignore"):
                roots = np.sqrt(numbers)
            for (key, elements, _), (weight, update, change, deviation) in zip(pending, roots.tolist(), strict=True):
                measured[key] = (weight, update, _ratio(change, deviation, elements))
        # Not known before the first step for the parameters of lazy modules.
        self.dimensions = [len(getattr(_values(tensor), "shape", ())) for tensor in self._tensors]
        with np.errstate(all="ignore"):
            columns = np.array([measured[id(tensor)] for tensor in self._tensors]).astype(np.float32)
        self.rates = [
            rate
            for optimizer in self._optimizers
            for group in getattr(optimizer, "param_groups", ())
            if (rate := scalar(group.get("lr"))) is not None
        ]
        self.table.append(step, *columns.T)

    def _weight_of_frozen(self, tensor: Any) -> float:
        if id(tensor) not in self._frozen:
            values = _plain(_values(tensor))
            if values is None:
                weight = math.nan
            elif is_on_device(values):
                weight = math.sqrt(fetch([(_wide(values).abs() ** 2).sum()])[0])
            else:
                weight = host_moments(on_host(values))[0]
            self._frozen[id(tensor)] = weight
        return self._frozen[id(tensor)]

    def _unhook(self) -> None:
        while self._hooks:
            self._hooks.pop().remove()

    def remove(self) -> None:
        self._unhook()
        self._tensors = []
        self._optimizers = ()
        self._before = None
        self._frozen.clear()

    # ---- for the views ----

    def updates(self) -> Updates:
        """All rows there are."""
        return Updates(*self.table.since())

    def overview(self) -> Updates:
        """The rows at the overview's steps, which depend on step numbers only."""
        return Updates(*self.table.landmarks())

    def advice(self) -> Advice | None:
        """What the newest rows say; None if nothing is known."""
        return advise(Updates(*self.table.since(limit=_ADVICE_ROWS)).ratio, self.dimensions, self.rates)


def _values(parameter: Any) -> Any:
    """A parameter's numbers: itself if it is a tensor, else what it carries as `data`."""
    return parameter if hasattr(parameter, "detach") else getattr(parameter, "data", parameter)


# ---- advice ----


def advise(ratio: Array, dimensions: Sequence[int], rates: Sequence[float]) -> Advice | None:
    """Numbers for a sentence on the ratios [R, P] of some samples.

    The median is that of the weights, which have at least two dimensions; biases and scales, which start at one value,
    move by other laws. They count where there is nothing else.
    """
    known = np.isfinite(ratio) & (ratio > 0)
    logs = np.log10(ratio, where=known, out=np.full(ratio.shape, np.nan))
    typical = np.array(
        [np.median(column[at]) if at.any() else np.nan for column, at in zip(logs.T, known.T, strict=True)]
    )
    weights = np.array([n >= 2 for n in dimensions] or [False] * len(typical), bool)
    chosen = ~np.isnan(typical) & weights
    if not chosen.any():
        chosen = ~np.isnan(typical)
    if not chosen.any():
        return None
    median = float(np.median(typical[chosen]))
    order = [int(index) for index in np.argsort(typical, kind="stable") if chosen[index]]
    rate = rates[0] if rates and all(each == rates[0] for each in rates) else None
    wanted = rate * 10 ** (GUIDE - median) if rate else None
    return Advice(
        median,
        rate,
        wanted,
        [index for index in reversed(order) if typical[index] > BAND[1]],
        [index for index in order if typical[index] < BAND[0]],
    )


def sentence(advice: Advice | None, names: Sequence[str]) -> str:
    """Advice in words; `src/updateratio/words.ts` says the same."""
    if advice is None:
        return "Nothing is known about the updates yet."
    distance = advice.median - GUIDE
    median = f"{advice.median:.1f}".replace("-", "−")
    if abs(distance) <= _NEAR:
        text = f"Median {median}: the weights move about as fast as the rule of thumb asks"
    else:
        times = float(f"{10 ** abs(distance):.{1 if abs(distance) < 1 else 2}g}")
        speed = "faster" if distance > 0 else "more slowly"
        text = f"Median {median}: the weights move about {times:g}× {speed} than the rule of thumb asks"
        if advice.wanted is not None and advice.rate is not None:
            text += f"; a learning rate near {advice.wanted:.2g} (now {advice.rate:.2g}) would bring the median to −3"
    for word, indices in (("too fast", advice.fast), ("too slow", advice.slow)):
        if indices:
            more = f" and {len(indices) - 3} more" if len(indices) > 3 else ""
            text += f"; {word}: " + ", ".join(_shorter(names[index]) for index in indices[:3]) + more
    return text + "."


def _shorter(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:13]}…{name[-26:]}"


# ---- the wire ----


def pack_updates(rows: Sequence[Array]) -> bytes:
    """Columns one after another, little-endian: step u32[R], weight, update and ratio f32[R, P]."""
    steps, *others = rows
    return b"".join([steps.astype("<u4").tobytes(), *(column.astype("<f4").tobytes() for column in others)])


class UpdatesFeed(Feed):
    """The rows of `UpdateProbe`; with them what they say. `src/updates.ts` is the other half.

    Header: `rows`, their number R; `all`, whether these are all there are rather than the ones since the last message;
    `dimensions` of each parameter; `advice` as `Advice` names it, or null.
    """

    name: ClassVar[str] = "updates"
    period: ClassVar[float] = 0.1

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__(telemetry)
        self.probe: UpdateProbe = telemetry.add_probe(UpdateProbe(telemetry))
        self._sent = 0

    def news(self, *, everything: bool) -> Message | None:
        table = self.probe.table
        limit = max(16, _MESSAGE_LIMIT // (4 + 12 * self.probe.parameters))
        rows = table.spread(limit) if everything else table.since(self._sent, limit)
        if not len(rows[0]):
            return None
        self._sent = int(rows[0][-1])
        advice = self.probe.advice()
        header: dict[str, Any] = {"rows": len(rows[0]), "all": everything, "advice": None}
        if everything:
            header["dimensions"] = list(self.probe.dimensions)
        if advice is not None:
            header["advice"] = {
                **advice._asdict(),
                "rate": protocol.number(advice.rate),
                "wanted": protocol.number(advice.wanted),
            }
        return header, [pack_updates(rows)]
