"""What the doctor looks at: a probe that every run has, at the steps of the run's overview (64 of a run).

At such a step it puts hooks on the layers and takes them off again, compares the weights before and after, and follows
a few tracked parameters until the optimizer's next step, which shows whether gradients are cleared and whether they
swing. In between only a sentinel remains, which reads one gradient in the optimizer's step.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from nbtorch_widgets.doctor import reading
from nbtorch_widgets.doctor.chart import Activation, Chart, Group, Parameter, Sample
from nbtorch_widgets.doctor.comparing import compare
from nbtorch_widgets.gradients import INF, NAN, NO_GRAD, scalar
from nbtorch_widgets.probe import Probe, Watched
from nbtorch_widgets.telemetry import Telemetry

Hook = TypeVar("Hook", bound=Callable[..., None])

_TRACKED = 2  # parameters of each optimizer that are followed from step to step
_ALARMED = 12  # steps that are looked at once gradients are not finite
_ALL_OF_THE_FIRST = 16  # steps of the overview that are all looked at; then every other one
_ALLOWANCE = 0.25  # seconds that looking may take in any run; in a long one this share of its time:
_SHARE = 0.01
_SOMETIMES = 6  # samples after which batches and outputs are summarised at every fourth only
_SENTINEL_ALWAYS = 128  # steps after which the sentinel reads only every eighth
_MOST_LAYERS = 256  # layers that get hooks
_FLAGGED_MODES = ("Dropout", "BatchNorm", "InstanceNorm")
_GETS_PARAMETERS = ("Linear", "Conv", "RNN", "LSTM", "GRU", "Bilinear", "Attention")

Part = npt.NDArray[np.float32]


def _guarded(hook: Hook) -> Hook:
    """A method that a hook calls: what it raises must not end somebody's training."""

    @functools.wraps(hook)
    def guarded(self: DoctorProbe, *arguments: Any) -> None:
        if self._watched is not None:
            self.attempt(hook, self, *arguments)

    return cast(Hook, guarded)


class _Tracked:
    """A parameter that is followed."""

    def __init__(self, index: int, parameter: Any, optimizer: Any) -> None:
        self.index = index
        self.parameter = parameter
        self.optimizer = optimizer
        self.handle: Any = None
        self.arrived: list[Part] = []
        """What backward brought in this iteration."""
        self.before: Part | None = None
        self.used: Part | None = None
        # Of the last sampled step, until the optimizer's next one:
        self.step: Part | None = None
        self.then: Part | None = None
        self.waiting = False
        self.done = False
        self.cleared = False
        self.events = 0
        self.next: Part | None = None


class DoctorProbe(Probe):
    """Fills the chart of a run."""

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__()
        self.wanted_by.add(self)  # a run is always examined, also when nobody looks
        self.telemetry = telemetry
        self.chart = Chart([])
        self._handles: list[Any] = []
        self._layer_handles: list[Any] = []
        self._tracked: list[_Tracked] = []
        self._sample: Sample | None = None
        self._previous: Sample | None = None  # still waiting for what the next step shows
        self._armed = 0
        self._watched: Watched | None = None
        self._sentinel: Any = None
        self._steps = 0
        self._before: list[Part] = []
        self._after: list[Part] = []
        self._after_step = -1
        self._total = 0.0
        self._began = 0.0
        self._symmetric: list[int] | None = None
        #: The batch that the loop's body has now, and how to find its loss: for the moment of an alarm.
        self.batch: Any = None
        self.find_loss: Callable[[], Any] | None = None
        self._output: Any = None
        self._loss: Any = None
        self._producer = ""
        self._last: Any = None

    # ---- a pass ----

    def install(self, watched: Watched) -> None:
        self._watched = watched
        self._began = time.perf_counter()
        owned = {id(p) for o in watched.optimizers for g in getattr(o, "param_groups", ()) for p in g["params"]}
        own = {id(p) for _, p in watched.parameters}
        chart = self.chart
        chart.optimizers = len(watched.optimizers)
        chart.foreign = len(owned - own)
        modules = dict(_modules(watched.model))
        owners = {id(p): name for name, m in modules.items() for p in (getattr(m, "_parameters", None) or {}).values()}
        chart.kinds = {name: type(module).__name__ for name, module in modules.items()}
        chart.dropout = {
            name: float(module.p)
            for name, module in modules.items()
            if "Dropout" in type(module).__name__ and isinstance(getattr(module, "p", None), (int, float))
        }
        chart.parameters = [
            Parameter(
                name,
                module := owners.get(id(p), name.rpartition(".")[0]),
                chart.kinds.get(module, ""),
                tuple(int(n) for n in getattr(p, "shape", ())),
                bool(getattr(p, "requires_grad", True)),
                bool(getattr(p, "is_leaf", True)),
                id(p) in owned,
            )
            for name, p in watched.parameters
        ]
        self._choose_tracked(watched)
        self._handles += self._hook_steps(watched)

    def _choose_tracked(self, watched: Watched) -> None:
        self._tracked = []
        positions = {id(p): index for index, (_, p) in enumerate(watched.parameters)}
        optimizers = list(watched.optimizers) or [None]
        for optimizer in optimizers:
            groups = getattr(optimizer, "param_groups", None)
            owned = [p for g in groups for p in g["params"]] if groups else [p for _, p in watched.parameters]
            able = [
                p
                for p in owned
                if id(p) in positions and getattr(p, "requires_grad", True) and hasattr(p, "register_hook")
            ]
            # Matrices first: the gradient of a bias may be zero for good reasons. One near the input, one near the end.
            matrices = [p for p in able if len(p.shape) >= 2] or able
            chosen = {id(p): p for p in (matrices[:1] + matrices[-1:])}
            self._tracked += [_Tracked(positions[key], p, optimizer) for key, p in list(chosen.items())[:_TRACKED]]
        small = [p for _, p in reversed(watched.parameters) if getattr(p, "requires_grad", True)]
        self._sentinel = min(small, key=lambda p: math.prod(getattr(p, "shape", ()))) if small else None
        if str(getattr(getattr(self._sentinel, "device", None), "type", "cpu")) != "cpu":
            self._sentinel = None  # reading one number would wait for the device

    def _hook_steps(self, watched: Watched) -> list[Any]:
        handles = []
        for optimizer in watched.optimizers:
            if hasattr(optimizer, "register_step_pre_hook") and hasattr(optimizer, "register_step_post_hook"):
                handles.append(optimizer.register_step_pre_hook(self._before_optimizer))
                handles.append(optimizer.register_step_post_hook(self._after_optimizer))
        return handles

    def remove(self) -> None:
        self._finish_previous()
        self._leave_open()
        self._unhook_layers()
        self.batch = self._output = self.find_loss = None
        self._before = self._after = []
        self._after_step = -1
        for tracked in self._tracked:
            _take_off(tracked)
        while self._handles:
            self._handles.pop().remove()
        self._tracked = []
        self._watched = None
        self._sentinel = None

    def _leave_open(self) -> None:
        """An iteration that was looked at is over and the optimizer made no step in it."""
        self._unhook_layers()
        if self._sample is not None:
            self.chart.pending = self._sample
            self.chart.idle += 1
            self.chart.idle_backwards += self._sample.backward
            self._sample = None

    # ---- a step ----

    def before_step(self, step: int) -> None:
        watched = self._watched
        self._leave_open()
        if watched is None or not self._looks_at(step):
            return
        self._sample = sample = Sample(step)
        self._loss = None
        self.chart.iterations += 1
        root = watched.model
        sample.training = bool(getattr(root, "training", True))
        sample.modes = self._all_in_evaluation(root)
        sample.groups = [_group(o, g) for o in watched.optimizers for g in getattr(o, "param_groups", ())]
        # What the step before left is what this one finds, if that was looked at.
        parts = self._after if self._after_step == step - 1 else [_part(p) for _, p in watched.parameters]
        self._before = parts
        sample.weight = np.array([_rms(p) for p in parts])
        sample.weight_finite = np.array([bool(np.isfinite(p).all()) for p in parts])
        self._hook_layers(watched)
        for tracked in self._tracked:
            tracked.arrived = []
            tracked.used = None
            tracked.before = parts[tracked.index]
            _put_on(tracked, self._on_gradient(tracked))

    def _read_batch(self, sample: Sample) -> None:
        if self.batch is not None:
            sample.batch_part = _broken_part(self.batch)
            sample.batch_finite = not sample.batch_part

    def _looks_at(self, step: int) -> bool:
        """The steps of the overview; of these every other one once there were a few; fewer where time is short."""
        last = step == self.telemetry.total
        if self._armed or last:
            return True
        if not self.telemetry.overview.due(step):
            return False
        rows = len(self.telemetry.overview)
        if rows >= _ALL_OF_THE_FIRST and rows % 2:
            return False
        most = max(_ALLOWANCE, _SHARE * (time.perf_counter() - self._began))
        return self._total < most or rows < _ALL_OF_THE_FIRST // 2

    def spent(self) -> float:
        seconds = super().spent()
        self._total += seconds
        return seconds

    def see_loss(self, loss: Any) -> None:
        sample = self._sample
        if sample is None:
            return
        if not self._summarises:
            return
        if hasattr(loss, "requires_grad"):
            sample.finding["loss is a leaf"] = float(getattr(loss, "grad_fn", None) is None)
        self._loss = loss

    def after_step(self, step: int) -> None:
        sample, watched = self._sample, self._watched
        if sample is None or watched is None or sample.step != step:
            return
        self._unhook_layers()
        self._sample = None
        if self._loss is not None:
            sample.finding["compared"] = 1.0
            with suppress(TypeError, ValueError, RuntimeError, AttributeError):  # a loss of a kind nobody foresaw
                compare(sample, self._loss, self.telemetry.loss, self._output, self.batch)
        self._output = self._loss = None
        self._read_batch(sample)
        rows, _ = self.telemetry.rows_since(0, 1)  # the newest
        if not len(rows):
            return
        loss, flags = rows.loss[-1], rows.flags[-1]
        sample.loss = None if self.telemetry.loss is None else float(loss)
        sample.grad = rows.norms[-1].astype(float)
        sample.has_grad = (flags & NO_GRAD) == 0
        sample.grad_finite = (flags & (NAN | INF)) == 0
        after = [_part(p) for _, p in watched.parameters]
        self._after, self._after_step = after, step
        with np.errstate(all="ignore"):
            sample.update = np.array(
                [_rms(b - a) if a.shape == b.shape else math.nan for a, b in zip(self._before, after, strict=True)]
            )
        # Units that differ once differ for good.
        suspects = range(len(after)) if self._symmetric is None else self._symmetric
        self._symmetric = [i for i in suspects if _symmetric(watched.parameters[i][1])]
        sample.symmetric = np.zeros(len(after), bool)
        sample.symmetric[self._symmetric] = True
        sample.stepped = self._steps > 0 or bool((sample.update > 0).any())
        self._finish_previous()
        self._follow(sample, after)
        if self._previous is not sample:
            self.chart.add(sample)
        self._armed = max(0, self._armed - 1)
        self.eager = self._armed > 0
        if self.chart.alarm is None and not (sample.grad_finite | ~sample.has_grad).all():
            self._alarm(step)
        self._steps = 0

    # ---- what is seen in between ----

    def _on_gradient(self, tracked: _Tracked) -> Callable[[Any], None]:
        return lambda gradient: self._gradient_arrived(tracked, gradient)

    @_guarded
    def _gradient_arrived(self, tracked: _Tracked, gradient: Any) -> None:
        if getattr(gradient, "is_sparse", False):  # rows that differ from step to step can't be compared
            self._tracked = [other for other in self._tracked if other is not tracked]
            _take_off(tracked)
            return
        part = reading.part(gradient)
        if tracked.waiting and not tracked.done:
            tracked.events += 1
            present = tracked.parameter.grad
            if present is None or not np.any(reading.part(present)):
                tracked.cleared = True
            if tracked.next is None:
                tracked.next = part
        if self._sample is not None:
            tracked.arrived.append(part)
            self._sample.backward = True
            self._note("B")

    @property
    def _summarises(self) -> bool:
        count = len(self.chart.samples)
        return count < _SOMETIMES or count % 4 == 0 or self._armed > 0

    def _note(self, letter: str) -> None:
        sample = self._sample
        if sample is not None and not sample.order.endswith(letter) and len(sample.order) < 16:
            sample.order += letter

    def _before_optimizer(self, optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """At every step of every optimizer, so nothing but the sentinel where nothing is followed."""
        if self._watched is None:
            return
        chart = self.chart
        chart.steps += 1
        self._steps += 1
        if self._sample is not None or self._previous is not None:
            self.attempt(self._see_step, optimizer, any(map(callable, (*args, *kwargs.values()))))
        sentinel = self._sentinel
        if sentinel is None or chart.alarm is not None or (chart.steps > _SENTINEL_ALWAYS and chart.steps % 8):
            return
        gradient = sentinel.grad
        if gradient is not None and not _sound(gradient):
            self.attempt(self._alarm, self.telemetry.step + 1)

    def _see_step(self, optimizer: Any, closure: bool) -> None:
        self._mark(optimizer)
        if self._sample is not None and not closure:
            self._note("S")
            self._read_gradients(self._sample, optimizer)
        elif self._sample is None:
            self._finish_if_done()

    def _after_optimizer(self, optimizer: Any, *_: Any) -> None:
        if self._previous is not None and self._watched is not None:
            self._mark(optimizer)
            if self._sample is None:
                self.attempt(self._finish_if_done)

    def _finish_if_done(self) -> None:
        if self._previous is not None and all(tracked.done for tracked in self._tracked if tracked.waiting):
            self._finish_previous()

    def _read_gradients(self, sample: Sample, optimizer: Any) -> None:
        """The tracked gradients as the optimizer gets them."""
        own, used = [], []
        for tracked in self._tracked:
            if tracked.optimizer is not optimizer:
                continue
            gradient = tracked.parameter.grad
            tracked.used = None if gradient is None else reading.part(gradient)
            if not tracked.arrived:
                continue
            total = np.sum(tracked.arrived, axis=0) if len(tracked.arrived) > 1 else tracked.arrived[0]
            own.append(total)
            used.append(np.zeros_like(total) if tracked.used is None else tracked.used)
        if own:
            sample.own, sample.used = math.sqrt(reading.square(own)), math.sqrt(reading.square(used))
            sample.zeroed = sample.zeroed or (sample.own > 0 and sample.used == 0)

    def _mark(self, optimizer: Any) -> None:
        """The optimizer's next step has come for its tracked parameters, if a gradient has come before it."""
        for tracked in self._tracked:
            if tracked.optimizer is optimizer and tracked.waiting and tracked.events:
                tracked.done = True

    def _follow(self, sample: Sample, after: list[Part]) -> None:
        """Keep the hooks of the tracked parameters until the next step has shown what becomes of their gradients."""
        steps, gradients = [], []
        for tracked in self._tracked:
            tracked.step = None
            if tracked.used is None and self._steps == 0:  # an optimizer without hooks
                gradient = getattr(tracked.parameter, "grad", None)
                tracked.used = None if gradient is None else reading.part(gradient)
            if tracked.before is None or tracked.used is None or not np.any(tracked.used):
                _take_off(tracked)
                continue
            tracked.step = after[tracked.index] - tracked.before
            if not np.any(tracked.step):
                _take_off(tracked)
                continue
            tracked.then = np.sum(tracked.arrived, axis=0) if tracked.arrived else tracked.used
            tracked.waiting, tracked.done, tracked.cleared, tracked.events, tracked.next = True, False, False, 0, None
            steps.append(tracked.step)
            gradients.append(tracked.used)
        if steps:
            sample.descent = reading.cosine(steps, gradients)
            self._previous = sample

    def _finish_previous(self) -> None:
        """The optimizer's next step has come: what happened since the sampled one."""
        sample, self._previous = self._previous, None
        if sample is None:
            return
        hooked = [t for t in self._tracked if t.waiting and t.events]
        seen = [t for t in hooked if t.done or not hasattr(t.optimizer, "register_step_pre_hook")]
        if seen:
            sample.cleared = all(t.cleared for t in seen)
            now = [t.next for t in seen if t.next is not None]
            before = [t.then for t in seen if t.then is not None]
            steps = [t.step for t in seen if t.step is not None]
            if len(before) == len(now) == len(steps):
                sample.swing = reading.cosine(before, now)
                change = reading.square(steps)
                if change > 0 and math.isfinite(change):
                    with np.errstate(all="ignore"):
                        dot = sum(
                            float(np.dot(s.astype(float), (n - b).astype(float)))
                            for s, n, b in zip(steps, now, before, strict=True)
                        )
                    sample.sharpness = dot / change
        for tracked in self._tracked:
            tracked.waiting = False
            if self._sample is None:
                _take_off(tracked)
        self.chart.add(sample)

    def _alarm(self, step: int) -> None:
        """Gradients are not finite: look at every step for a while."""
        chart = self.chart
        chart.alarm = step
        if self._watched is not None:
            chart.alarm_weights = all(np.isfinite(_part(p)).all() for _, p in self._watched.parameters)
        if self.batch is not None:
            chart.alarm_part = _broken_part(self.batch)
        chart.alarm_loss = scalar(self.find_loss()) if self.find_loss is not None else None
        self._armed = _ALARMED
        self.eager = True

    # ---- layers ----

    def _hook_layers(self, watched: Watched) -> None:
        self._producer = ""
        self._last = self._output = None
        modules = _modules(watched.model)
        root = watched.model
        leaves = [(n, m) for n, m in modules if n and not _children(m) and hasattr(m, "register_forward_hook")]
        if hasattr(root, "register_forward_hook"):
            self._layer_handles.append(root.register_forward_hook(self._after_model))
            if not leaves:
                leaves = [("", root)]
        for name, module in leaves[:_MOST_LAYERS]:
            self._layer_handles.append(module.register_forward_hook(self._after_layer(name)))

    def _unhook_layers(self) -> None:
        while self._layer_handles:
            self._layer_handles.pop().remove()
        self._last = None

    @_guarded
    def _after_model(self, _module: Any, _inputs: Any, output: Any) -> None:
        sample = self._sample
        if sample is None:
            return
        sample.forwards += 1
        self._note("F")
        tensor = reading.first_tensor(output)
        if tensor is not None and getattr(tensor, "requires_grad", True) and self._summarises:
            self._output = tensor
            sample.outputs = reading.summary(tensor)

    def _after_layer(self, name: str) -> Callable[..., None]:
        return lambda module, inputs, output: self._layer_ran(name, module, inputs, output)

    @_guarded
    def _layer_ran(self, name: str, module: Any, inputs: Any, output: Any) -> None:
        sample = self._sample
        if sample is None:
            return
        sample.called.add(name)
        given, made = reading.first_tensor(inputs), reading.first_tensor(output)
        if made is None:
            return
        kind = type(module).__name__
        own = [p for p in (getattr(module, "_parameters", None) or {}).values() if p is not None]
        if any(getattr(p, "requires_grad", False) for p in own) and not getattr(made, "requires_grad", True):
            sample.no_graph.add(name)
        if given is not None and sample.inputs is None and self._summarises:
            sample.inputs = reading.summary(given)
            sample.finding["first is norm"] = float("Norm" in kind)
            sample.finding["first is embedding"] = float("Embedding" in kind)
        # What a layer with parameters gets from a function that is no layer (F.relu in forward).
        if given is not None and given is not self._last and any(word in kind for word in _GETS_PARAMETERS):
            self._read_activation(sample, given, self._producer)
        if own:
            self._producer = name
        array = reading.host(made)
        if sample.born is None and given is not None and not reading.finite(array):
            sources = [given, *own]
            if all(reading.finite(reading.host(source)) for source in sources):
                sample.born = name
        self._read_activation(sample, made, self._producer or name)
        self._last = made

    def _read_activation(self, sample: Sample, tensor: Any, layer: str) -> None:
        kind = reading.nonlinearity(tensor)
        if kind is None:
            return
        values = reading.units(reading.host(tensor))
        if values.size:
            dead = np.zeros(values.shape[1], bool)
            if kind == "relu":
                dead |= (values <= 0).all(axis=0)
            sample.activations.append(Activation(kind, layer, reading.flat_share(values, kind), dead))

    def _all_in_evaluation(self, root: Any) -> bool:
        """Whether layers that differ between training and evaluation are all in evaluation."""
        modes = [
            bool(getattr(m, "training", True))
            for _, m in _modules(root)
            if any(word in type(m).__name__ for word in _FLAGGED_MODES)
            or ("Dropout" not in type(m).__name__ and float(getattr(m, "dropout", 0) or 0) > 0 if _plain(m) else False)
        ]
        return bool(modes) and not any(modes)


def _plain(module: Any) -> bool:
    return isinstance(getattr(module, "dropout", None), (int, float))


def _modules(model: Any) -> list[tuple[str, Any]]:
    named = getattr(model, "named_modules", None)
    return list(named()) if callable(named) else []


def _children(module: Any) -> bool:
    children = getattr(module, "children", None)
    return callable(children) and next(iter(children()), None) is not None


def _put_on(tracked: _Tracked, hook: Callable[[Any], None]) -> None:
    if tracked.handle is None:
        tracked.handle = tracked.parameter.register_hook(hook)


def _take_off(tracked: _Tracked) -> None:
    if tracked.handle is not None:
        tracked.handle.remove()
        tracked.handle = None


def _group(optimizer: Any, group: dict[str, Any]) -> Group:
    def value(name: str, otherwise: float) -> float:
        found = group.get(name, otherwise)
        if isinstance(found, (tuple, list)):
            found = found[0]
        try:
            return float(found)
        except (TypeError, ValueError):
            return otherwise

    return Group(
        value("lr", math.nan),
        value("weight_decay", 0.0),
        value("momentum", 0.0),
        bool(group.get("maximize", False)),
        "AdamW" in type(optimizer).__name__ or bool(group.get("decoupled_weight_decay", False)),
    )


def _part(parameter: Any) -> Part:
    try:
        return reading.part(parameter)
    except (TypeError, ValueError, AttributeError):  # a learner's own object without numbers
        return np.zeros(0, np.float32)


def _rms(values: Part) -> float:
    if not values.size:
        return math.nan
    with np.errstate(all="ignore"):
        square = float(np.dot(values, values)) / values.size
        if not 1e-30 < square < 1e30:  # squares of single precision end there
            square = float(np.mean(values.astype(float) ** 2))
    return math.sqrt(square)


def _symmetric(parameter: Any) -> bool:
    try:
        return reading.rows_equal(parameter)
    except (TypeError, ValueError, AttributeError):
        return False


def _broken_part(batch: Any) -> str:
    """Which part of a batch is not finite; "" if all of it is."""
    for position, tensor in enumerate(reading.tensors(batch)):
        if not reading.finite(reading.host(tensor)):
            return "inputs" if position == 0 else "targets"
    return ""


def _sound(gradient: Any) -> bool:
    try:
        return reading.finite(reading.host(gradient))
    except (TypeError, ValueError, AttributeError):
        return True
