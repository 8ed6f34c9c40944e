"""Histograms of gradients, weights and activations by step: the measurement behind `Ridgelines`.

Activations are what modules return. A hook sees a module, not a function: an activation called as
`torch.relu(x)` or `x.tanh()` can't be measured, only `nn.ReLU()` and its like, and the layers around it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from nbtorch_widgets.feed import Feed, Message
from nbtorch_widgets.gradients import is_on_device, on_host
from nbtorch_widgets.history import Float32s
from nbtorch_widgets.probe import Probe, Watched
from nbtorch_widgets.table import Array, Table
from nbtorch_widgets.telemetry import Telemetry

BINS = 64
MOST = 12  # tensors that are picked where nobody picks

Kind: TypeAlias = Literal["gradients", "weights", "activations"]
KINDS: tuple[Kind, ...] = ("gradients", "weights", "activations")
Item: TypeAlias = tuple[Kind, str]

#: A unit of tanh counts as saturated beyond the first, one of the sigmoid outside of the other two.
TANH, SIGMOID = 0.97, (0.03, 0.97)
#: A unit is dead if all its outputs are zero, saturated if more than this share of them is.
SATURATED = 0.5

_SAMPLE = 1 << 18  # elements of a tensor that go into its histogram; of larger ones every k-th
_ROWS = 128
_TABLES = 64  # tensors whose histories are kept
_RECENT = 8  # samples over which units are counted
_UNITS = 1024  # units of a layer that a map shows
_MESSAGE_ROWS = 64

_RELUS = ("relu", "relu6", "threshold")
_TANHS = ("tanh", "hardtanh")
_SIGMOIDS = ("sigmoid", "hardsigmoid")
_PLAIN = ("dropout", "flatten", "identity", "unflatten", "loss")  # show nothing that others don't
_CHANNELS_FIRST = ("conv", "batchnorm", "instancenorm", "groupnorm")


class Histograms(NamedTuple):
    """Histograms of one tensor, oldest first. R rows of 64 bins of equal width."""

    steps: npt.NDArray[np.uint32]
    """[R] the step, counted from 1."""
    counts: npt.NDArray[np.uint32]
    """[R, 64] as `np.histogram` counts them between the least and the greatest finite value."""
    ranges: Float32s
    """[R, 2] the least and the greatest finite value; NaN if there is none."""
    odd: npt.NDArray[np.uint32]
    """[R] how many values are NaN or infinite."""


class Units(NamedTuple):
    """The units of one layer over the recent samples."""

    kind: Literal["dead", "saturated"]
    share: Float32s
    """[U] the share of each unit's outputs that are zero, or saturated."""
    bad: int
    """How many units are dead, or saturated."""


class Layer(NamedTuple):
    """A module whose outputs can be measured."""

    name: str
    type: str
    counted: str
    """What is counted of its units: "relu", "tanh", "sigmoid" or "" for nothing."""
    axis: int | None
    """Where its units are in an output of three dimensions: 1 behind a convolution, else the last."""


# ---- measuring ----


def histogram(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], tuple[float, float], int]:
    """Counts [64] of the finite values between their least and greatest, these two, and how many aren't finite."""
    flat = values.reshape(-1)
    if flat.dtype.kind == "c":
        flat = np.abs(flat)
    if flat.dtype.kind != "f" or flat.dtype.itemsize < 4:
        flat = flat.astype(np.float32)
    with np.errstate(all="ignore"):
        low, high = float(flat.min(initial=math.inf)), float(flat.max(initial=-math.inf))
        odd = 0
        if not (math.isfinite(low) and math.isfinite(high)):
            finite = flat[np.isfinite(flat)]
            odd = len(flat) - len(finite)
            flat = finite
            low, high = float(flat.min(initial=math.inf)), float(flat.max(initial=-math.inf))
        counts = np.zeros(BINS, np.int64)
        if low > high:
            return counts, (math.nan, math.nan), odd
        if low == high or not math.isfinite(high - low):
            counts[BINS // 2] = len(flat)
        else:
            try:
                counts = np.histogram(flat, BINS, (low, high))[0]
            except ValueError:  # too narrow for 64 bins
                counts[BINS // 2] = len(flat)
    return counts, (low, high), odd


def _sampled(tensor: Any) -> Any:
    """The tensor's elements, of large ones every k-th, copied; on the device where they are."""
    if hasattr(tensor, "detach"):
        tensor = tensor.detach()
    if getattr(tensor, "is_sparse", False):
        tensor = tensor.coalesce().values()
    values = tensor if is_on_device(tensor) else on_host(tensor)
    flat = values.reshape(-1)
    every = -(-math.prod(flat.shape) // _SAMPLE)
    flat = flat[::every] if every > 1 else flat
    return flat.copy() if isinstance(flat, np.ndarray) else flat.clone()


def _first_tensor(output: Any) -> Any:
    """The tensor of real numbers in what a module returned: the first in a tuple, list or dict."""
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, (tuple, list)):
        return next((found for each in output if (found := _first_tensor(each)) is not None), None)
    if getattr(output, "shape", None) is None:
        return None
    name = str(getattr(output, "dtype", ""))
    return output if "float" in name else None


def unit_shares(output: Any, counts: str, axis: int | None = None) -> Float32s | None:
    """[U] for each unit the share of its outputs that are zero ("relu") or saturated ("tanh", "sigmoid").

    Units are the last dimension of outputs [N, U] or [N, T, U], and the channels of images [N, U, H, W]; `axis` says
    where they are in three dimensions if not at the end.
    """
    values = output.detach() if hasattr(output, "detach") else output
    values = values if is_on_device(values) else on_host(values)
    rank = len(values.shape)
    if rank == 0 or 0 in tuple(values.shape):
        return None
    if rank == 3 and axis is not None:
        unit = axis
    else:
        unit = 1 if rank > 3 else rank - 1
    if counts == "relu":
        hits = values == 0
    elif counts == "tanh":
        hits = abs(values) > TANH
    else:
        hits = (values < SIGMOID[0]) | (values > SIGMOID[1])
    others = tuple(dimension for dimension in range(rank) if dimension != unit)
    if isinstance(hits, np.ndarray):
        return np.asarray(hits.mean(axis=others) if others else hits, np.float32)
    hits = hits.float()
    return np.asarray(on_host(hits.mean(dim=others) if others else hits), np.float32)


def _layers(model: Any) -> tuple[list[Layer], dict[str, Any]]:
    """The modules without submodules, in the model's order."""
    found: list[Layer] = []
    modules: dict[str, Any] = {}
    named = getattr(model, "named_modules", None)
    before = ""
    for name, module in named() if callable(named) else ():
        if not hasattr(module, "register_forward_hook") or next(iter(module.children()), None) is not None:
            continue
        type_name = type(module).__name__
        lower = type_name.lower()
        counts = ""
        for kind, words in (("relu", _RELUS), ("tanh", _TANHS), ("sigmoid", _SIGMOIDS)):
            # A class of one's own is known by its name too: MyReLU, FastSigmoid.
            if lower in words or (lower.endswith(kind) and not lower.endswith(_NOT_THESE)):
                counts = kind
        axis = 1 if before.startswith(_CHANNELS_FIRST) else None
        label = str(name) or type_name
        found.append(Layer(label, type_name, counts, axis))
        modules[label] = module
        if next(iter(module.parameters()), None) is not None:
            before = lower
    return found, modules


_NOT_THESE = ("leakyrelu", "prelu", "rrelu", "logsigmoid")


def _dimensions(tensor: Any) -> int:
    try:
        return len(getattr(tensor, "shape", ()))
    except RuntimeError:  # a parameter of a lazy module that hasn't seen its input
        return 2


def evenly(names: Sequence[str], most: int = MOST) -> list[str]:
    """At most so many of the names, evenly chosen, the first and last among them."""
    if len(names) <= most:
        return list(names)
    return [names[index] for index in np.linspace(0, len(names) - 1, most).round().astype(int)]


class HistogramProbe(Probe):
    """Histograms of the tensors that somebody has picked, and the dead and saturated units of the picked layers.

    Gradients are read when the optimizer's step begins, or as `backward` accumulates them if it has no hooks; weights
    when the step is over; activations as the modules return them, those of all calls in a step together. Hooks are on
    the picked modules only, and only during sampled steps.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__()
        self.names = list(telemetry.names)
        self.layers: list[Layer] = []
        #: What each feed shows: a kind, and the names if they were picked.
        self.picks: dict[object, tuple[Kind | None, tuple[str, ...] | None]] = {}
        self.tables: dict[Item, Table] = {}
        self._landmarks = lambda: telemetry.overview_rows().steps
        self._shares: dict[str, deque[Float32s]] = {}
        self._parameters: dict[str, Any] = {}
        self._matrices: list[str] = []
        self._optimizers: Sequence[Any] = ()
        self._modules: dict[str, Any] = {}
        self._hooks: list[Any] = []
        self._taken: dict[Item, list[Any]] = {}
        self._units: dict[str, list[Float32s]] = {}

    def install(self, watched: Watched) -> None:
        self._parameters = dict(watched.parameters)
        self._matrices = [name for name, parameter in watched.parameters if _dimensions(parameter) >= 2]
        self._optimizers = watched.optimizers
        self.layers, self._modules = _layers(watched.model)

    def defaults(self, kind: Kind) -> list[str]:
        """The tensors that are shown where nobody picks: weights of at least two dimensions; activations first."""
        if kind == "activations":
            counted = [layer.name for layer in self.layers if layer.counted]
            others = [layer.name for layer in self.layers if not layer.type.lower().startswith(_PLAIN)]
            return evenly(counted or others)
        if len(self.names) <= MOST:
            return list(self.names)
        return evenly(self._matrices or self.names)

    def pick(self, feed: object) -> tuple[Kind, tuple[str, ...] | None]:
        """What `feed` shows: a kind, by default activations if the model has layers to count, and the names picked."""
        kind, picked = self.picks.get(feed, (None, None))
        return kind or ("activations" if any(layer.counted for layer in self.layers) else "gradients"), picked

    def items(self, feed: object) -> list[Item]:
        """What `feed` shows, in the model's order."""
        kind, picked = self.pick(feed)
        known = [layer.name for layer in self.layers] if kind == "activations" else self.names
        names = self.defaults(kind) if picked is None else [name for name in known if name in picked]
        return [(kind, name) for name in names]

    def _wanted(self) -> set[Item]:
        return {item for feed in self.wanted_by for item in self.items(feed)}

    def before_step(self, step: int) -> None:
        self._let_go()
        wanted = self._wanted()
        by_name = {layer.name: layer for layer in self.layers}
        hooked = self._optimizers and all(hasattr(each, "register_step_pre_hook") for each in self._optimizers)
        for kind, name in wanted:
            if kind == "activations" and name in self._modules:
                self._hooks.append(self._modules[name].register_forward_hook(self._listener(by_name[name])))
            elif kind == "gradients" and not hooked:
                parameter = self._parameters.get(name)
                register = getattr(parameter, "register_post_accumulate_grad_hook", None)
                if register is not None and getattr(parameter, "requires_grad", True):
                    self._hooks.append(register(lambda _p, name=name: self.attempt(self._take_gradient, name)))

    def before_update(self) -> None:
        for kind, name in self._wanted():
            if kind == "gradients":
                self._take_gradient(name)

    def after_step(self, step: int) -> None:
        wanted = self._wanted()
        for kind, name in wanted:
            if kind == "weights" and name in self._parameters:
                parameter = self._parameters[name]
                value = parameter if hasattr(parameter, "detach") else getattr(parameter, "data", parameter)
                self._taken[kind, name] = [_sampled(value)]
            elif kind == "gradients" and (kind, name) not in self._taken:
                self._take_gradient(name)
        for item, pieces in self._taken.items():
            arrays = [piece if isinstance(piece, np.ndarray) else on_host(piece) for piece in pieces]
            counts, ends, odd = histogram(arrays[0] if len(arrays) == 1 else np.concatenate(arrays))
            with np.errstate(over="ignore"):
                self._table(item).append(step, counts, np.array(ends).astype(np.float32), odd)
        for name, shares in self._units.items():
            if len({len(share) for share in shares}) == 1:
                self._shares.setdefault(name, deque(maxlen=_RECENT)).append(np.mean(shares, axis=0, dtype=np.float32))
        self._let_go()

    def remove(self) -> None:
        self._let_go()
        self._parameters, self._modules, self._optimizers = {}, {}, ()

    def _let_go(self) -> None:
        while self._hooks:
            self._hooks.pop().remove()
        self._taken.clear()
        self._units.clear()

    def _take_gradient(self, name: str) -> None:
        gradient = getattr(self._parameters.get(name), "grad", None)
        if gradient is not None:
            self._taken["gradients", name] = [_sampled(gradient)]

    def _listener(self, layer: Layer) -> Any:
        def listen(_module: Any, _inputs: Any, output: Any) -> None:
            self.attempt(self._take_output, layer, output)

        return listen

    def _take_output(self, layer: Layer, output: Any) -> None:
        tensor = _first_tensor(output)
        if tensor is None:
            return
        pieces = self._taken.setdefault(("activations", layer.name), [])
        if sum(math.prod(piece.shape) for piece in pieces) < 4 * _SAMPLE:
            pieces.append(_sampled(tensor))
        if layer.counted:
            shares = unit_shares(tensor, layer.counted, layer.axis)
            if shares is not None:
                self._units.setdefault(layer.name, []).append(shares)

    def _table(self, item: Item) -> Table:
        if item not in self.tables:
            if len(self.tables) >= _TABLES:
                self.tables.pop(min(self.tables, key=lambda each: self.tables[each].last_step))
            columns = [(np.uint32, (BINS,)), (np.float32, (2,)), (np.uint32, ())]
            self.tables[item] = Table(cast(Any, columns), _ROWS, self._landmarks)
        return self.tables[item]

    # ---- for the views ----

    def histograms(self, item: Item, *, overview: bool = False) -> Histograms:
        """The rows of a tensor; those of the overview's steps alone, which depend on step numbers only."""
        table = self.tables.get(item) or Table(
            cast(Any, [(np.uint32, (BINS,)), (np.float32, (2,)), (np.uint32, ())]), 8
        )
        return Histograms(*(table.landmarks() if overview else table.since()))

    def units(self, name: str) -> Units | None:
        """The units of a layer over its recent samples; None if they aren't counted."""
        recent = list(self._shares.get(name, ()))
        layer = next((each for each in self.layers if each.name == name), None)
        if not recent or layer is None:
            return None
        alike = np.stack([each for each in recent if len(each) == len(recent[-1])])
        share: Float32s = np.asarray(alike.mean(axis=0), np.float32)
        dead = layer.counted == "relu"
        return Units("dead" if dead else "saturated", share, int((share >= 1 if dead else share > SATURATED).sum()))


# ---- the wire ----


class HistogramsFeed(Feed):
    """The histograms of what its page has picked. `src/ridgelines/history.ts` is the other half.

    Header: `show`, the kind; `names` of the T tensors; `rows` R; `all`, whether these are all there are; `picked`,
    whether somebody picked the names; `layers`, name and class of all there are; `units`, for the tensors whose units
    are counted: `of` (position of the tensor), `kind`, `bad`, `total`, `share` (of all outputs) and `shown`, the length
    of their map. Buffer: step u32[R], counts u32[R, T, 64], ranges f32[R, T, 2], odd u32[R, T], then the maps,
    u8[shown] each: the share of a unit's outputs that are zero or saturated, 255 for all. A tensor that wasn't measured
    at a step has NaN for its range.

    From the front end comes `{"op": "histograms", "show": kind, "names": [...] or null}`.
    """

    name: ClassVar[str] = "histograms"
    period: ClassVar[float] = 0.2

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__(telemetry)
        self.probe: HistogramProbe = telemetry.add_probe(HistogramProbe(telemetry))
        self._sent = 0
        self._anew = True
        self.pick(None, None)

    def pick(self, show: Kind | None, names: Sequence[str] | None) -> None:
        """Show these tensors: of this kind, by name, or the default ones."""
        self.probe.picks[self] = (show, None if names is None else tuple(names))
        self._anew = True

    @property
    def show(self) -> Kind:
        return self.probe.pick(self)[0]

    def receive(self, message: dict[str, Any]) -> None:
        show, names = message.get("show"), message.get("names")
        if show in KINDS and (names is None or (isinstance(names, list) and all(isinstance(n, str) for n in names))):
            self.pick(cast(Kind, show), None if names is None else names[:_TABLES])

    def news(self, *, everything: bool) -> Message | None:
        everything = everything or self._anew
        items = self.probe.items(self)
        tables = [self.probe.tables.get(item) for item in items]
        newest = max((table.last_step for table in tables if table is not None), default=0)
        if not items or (not everything and newest <= self._sent):
            return None
        columns = [None if table is None else table.since(0 if everything else self._sent) for table in tables]
        packed = _pack(columns, _MESSAGE_ROWS if everything else 4)
        self._sent, self._anew = newest, False
        units, maps = [], []
        for position, (kind, name) in enumerate(items):
            counted = self.probe.units(name) if kind == "activations" else None
            if counted is not None:
                shown = counted.share[:_UNITS]
                maps.append(np.round(shown * 255).astype(np.uint8).tobytes())
                units.append(
                    {
                        "of": position,
                        "kind": counted.kind,
                        "bad": counted.bad,
                        "total": len(counted.share),
                        "share": round(float(counted.share.mean()), 4),
                        "shown": len(shown),
                    }
                )
        show, picked = self.probe.pick(self)
        header: dict[str, Any] = {
            "show": show,
            "names": [name for _, name in items],
            "rows": len(packed[0]),
            "all": everything,
            "picked": picked is not None,
            "units": units,
        }
        if everything:
            header["layers"] = [[layer.name, layer.type] for layer in self.probe.layers]
        return header, [b"".join([*(column.tobytes() for column in packed), *maps])]


def _pack(columns: Sequence[Sequence[Array] | None], limit: int) -> list[Array]:
    """The tables of T tensors side by side, at most `limit` steps of them, the newest and evenly chosen older ones."""
    steps = np.unique(np.concatenate([np.zeros(0, np.uint32), *(c[0] for c in columns if c is not None)]))
    if len(steps) > limit:
        steps = steps[np.linspace(0, len(steps) - 1, limit).round().astype(np.intp)]
    count, tensors = len(steps), len(columns)
    packed: list[Array] = [
        steps.astype("<u4"),
        np.zeros((count, tensors, BINS), "<u4"),
        np.full((count, tensors, 2), np.nan, "<f4"),
        np.zeros((count, tensors), "<u4"),
    ]
    for position, column in enumerate(columns):
        if column is None:
            continue
        at = np.searchsorted(column[0], steps)
        found = at < len(column[0])
        found[found] = column[0][at[found]] == steps[found]
        for target, source in zip(packed[1:], column[1:], strict=True):
            target[found, position] = source[at[found]]
    return packed
