"""`watch`: an ordinary training loop, seen and steered.

A `Run` yields the batches of a loader and looks at the model between them. A look costs something, so not every step
gets one: some steps are sampled because of their numbers (`Overview`), the same in every run; while somebody watches,
as many more as fit into two percent of the time. At a sampled step the gradients are read when the optimizer's `step`
begins: after `backward` and clipping, before `zero_grad`, and before an optimizer may overwrite them (fused Nesterov
does).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from types import FrameType, TracebackType
from typing import Any, Generic, TypeVar

import numpy as np

from nbtorch_widgets.control import RunControl, RunStopped
from nbtorch_widgets.gradients import GradientReader, named_parameters, scalar
from nbtorch_widgets.history import Samples
from nbtorch_widgets.probe import Probe, Watched
from nbtorch_widgets.show import Show, mode, present
from nbtorch_widgets.telemetry import Phase, Telemetry

Batch = TypeVar("Batch")

_MAX_FRAMES = 8
_SHARE = 0.02  # of the time goes into samples for those who watch
CO_OPTIMIZED = 0x1  # inspect.CO_OPTIMIZED: the code of a function


class Run(Generic[Batch]):
    """A training loop under watch; made by `watch`."""

    def __init__(
        self,
        model: Any,
        optimizer: Any = None,
        loader: Iterable[Batch] | None = None,
        *,
        epochs: int = 1,
        every: int = 1,
        loss: Any = "loss",
        show: Show = True,
    ) -> None:
        self._model = model
        self._reader = GradientReader(named_parameters(model))
        self._optimizers = _optimizers(optimizer)
        self._loader = _checked_loader(loader, epochs)
        self._epochs = _positive("epochs", epochs)
        self._loss_variable, self._criterion = _loss_source(loss)
        self._show = mode(show)
        self.telemetry = Telemetry(
            self._reader.names, every=_positive("every", every), loss_name=self._loss_variable or "loss"
        )
        self._presentation: Any = None
        self._hooks: list[Any] = []
        self._probes: list[Probe] = []  # those that are installed
        self._gradient_hooks: list[Any] = []
        self._counts_steps = False
        self._iterating = False
        self._due = False
        self._stepped = False
        self._logged: dict[str, Any] = {}
        self._stale_loss: int | None = None
        self._cost = 0.0
        self._next_sample = 0.0

    # ---- what a user reads and calls ----

    @property
    def control(self) -> RunControl:
        """The buttons: `run.control.command("pause")`."""
        return self.telemetry.control

    @property
    def state(self) -> str:
        """ready, running, paused, finished, stopped, left, interrupted or failed."""
        return self.telemetry.state

    @property
    def stopped(self) -> bool:
        """True once Stop was pressed."""
        return self.control.mode == "stopped"

    @property
    def step(self) -> int:
        """Steps completed."""
        return self.telemetry.step

    @property
    def names(self) -> list[str]:
        """The watched parameters."""
        return list(self.telemetry.names)

    @property
    def history(self) -> Samples:
        """The samples kept: steps [R], loss [R], norms [R, P], flags [R, P] for P parameters."""
        return self.telemetry.rows()

    def log(self, **values: Any) -> None:
        """Show numbers of the current step: `run.log(loss=loss, accuracy=acc)`.

        Values are floats or one-element tensors. They are read only if the step is sampled, so this never waits for a
        device in between.
        """
        self._logged.update(values)

    def __len__(self) -> int:
        """Steps that iterating takes; TypeError if the loader has no length."""
        if self._loader is None:
            raise TypeError("this run has no loader, so it has no length")
        return len(self._loader) * self._epochs  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Batch]:
        """The loader's batches, `epochs` times over. Iterating again goes on with the same run."""
        if self._loader is None:
            raise TypeError(
                "this run has no loader to take batches from. Expected: for batch in watch(model, optimizer, loader). "
                "Or write your own loop inside: with watch(model, optimizer): ..."
            )
        return self.over(self._loader, epochs=self._epochs)

    def __enter__(self) -> Run[Batch]:
        if self._loader is None:
            if not any(_has_hooks(optimizer) for optimizer in self._optimizers):
                raise TypeError(
                    "without a loader, watch() counts the optimizer's steps: expected an optimizer with "
                    "register_step_pre_hook and register_step_post_hook, as PyTorch's have; got "
                    + (", ".join(type(o).__name__ for o in self._optimizers) or "none")
                    + ". Give a loader instead: for batch in watch(model, optimizer, loader)."
                )
            self._begin(None)
            self._hooks += [
                optimizer.register_step_post_hook(self._after_optimizer)
                for optimizer in self._optimizers
                if _has_hooks(optimizer)
            ]
            self._choose()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._loader is None:
            self._end("stopped" if kind is RunStopped else "finished" if kind is None else _phase_of(kind))
        elif kind is not None and self.telemetry.phase == "left":
            self.telemetry.end(_phase_of(kind))
        return kind is RunStopped

    def over(self, batches: Iterable[Batch], *, epochs: int = 1, total: int | None = None) -> Generator[Batch]:
        """The batches of any iterable, as a part of this run: what `for batch in run` does with the run's own loader.

        `total` is the number of steps that the whole run will have, if the caller knows better than `len(batches)`.
        """
        if self.stopped:  # an outer loop over epochs should come to its end at once
            return
        per_epoch = length(batches)
        if total is None and per_epoch is not None:
            total = self.step + per_epoch * epochs
        self._begin(total)
        if self.telemetry.epochs is None or self.telemetry.epoch >= self.telemetry.epochs:
            self.telemetry.epochs = self.telemetry.epoch + epochs
        phase: Phase = "failed"
        try:
            for _ in range(epochs):
                self.telemetry.epoch += 1
                for batch in batches:
                    if not self._advance():
                        phase = "stopped"
                        return
                    yield batch
                    self._finish_step()
            phase = "finished"
        except GeneratorExit:
            # The loop's body was left by break or by an exception, which can't be told apart from here.
            phase = "left"
            if self._stepped:
                self._finish_step()
            raise
        except BaseException as error:
            phase = _phase_of(type(error))
            raise
        finally:
            self._end(phase)

    def __repr__(self) -> str:
        count = len(self.telemetry.names)
        return f"Run({self.telemetry.summary()}, {count} parameter{'s' if count != 1 else ''})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from nbtorch_widgets.svg import run_svg

        return {"text/plain": repr(self), "image/svg+xml": run_svg(self.telemetry)}

    def prepare(self) -> None:
        """Show the run, if it will be shown and isn't yet. Iterating does this by itself."""
        if self._presentation is None:
            self._presentation = present(self.telemetry, self._show)
        self._presentation.begin()

    # ---- a pass ----

    def _begin(self, total: int | None) -> None:
        if self._iterating:
            raise RuntimeError(
                "this run is already being iterated. Expected one loop over it at a time; "
                "for an inner loop call watch() again with show=False, or iterate the loader itself."
            )
        self._iterating = True
        try:
            self._install_hooks()
            self._stale_loss = self._identity_of_old_loss()
            self.telemetry.begin(total)
            self.prepare()
        except BaseException:
            self._remove_hooks()
            self._iterating = False
            raise

    def _end(self, phase: Phase) -> None:
        try:
            self._remove_hooks()
            self._reader.forget()
            self._logged.clear()
        finally:
            self._iterating = False
            self.telemetry.end(phase)
            self._presentation.end()

    def _advance(self) -> bool:
        """Before a step: wait while paused, then decide whether to sample it. False if the loop should end."""
        if not self.control.checkpoint(self.telemetry.wait):
            return False
        self._stepped = False
        self._choose()
        return True

    def _choose(self) -> None:
        """Decide whether the step that begins will be sampled, and prepare for that."""
        self._due = self._is_due()
        if not self._due:
            return
        if not self._counts_steps:
            self._hook_gradients()
        for probe in self.telemetry.probes[len(self._probes) :]:
            self._probes.append(probe)
            self._attempt(probe, lambda new: new.install(Watched(self._model, self._reader.named, self._optimizers)))
        self._tell(lambda probe: probe.before_step(self.telemetry.step + 1))

    def _tell(self, event: Callable[[Probe], object]) -> None:
        for probe in tuple(self._probes):
            if probe.wanted_by:
                self._attempt(probe, event)
            self._cost += probe.spent()

    def _attempt(self, probe: Probe, event: Callable[[Probe], object]) -> None:
        probe.attempt(event, probe)
        if probe.failed:
            self._probes.remove(probe)
            self.telemetry.probes.remove(probe)

    def _is_due(self) -> bool:
        telemetry = self.telemetry
        step = telemetry.step + 1
        return (
            telemetry.overview.due(step)
            or step == telemetry.total
            or (telemetry.next_look != math.inf and telemetry.overview.allows(step) and self._is_affordable())
            or self.control.mode != "running"
        )

    def _is_affordable(self) -> bool:
        return time.perf_counter() >= self._next_sample

    def _finish_step(self) -> None:
        telemetry = self.telemetry
        telemetry.step += 1
        if self._due:
            self._sample()
        if telemetry.next_look != math.inf:
            now = time.perf_counter()
            if now >= telemetry.next_look:
                telemetry.look(now)
        self._logged.clear()

    def _sample(self) -> None:
        began = time.perf_counter()
        self._unhook_gradients()
        self._read_values()
        # An iteration in which the optimizer made no step (gradients are being accumulated) gets no column; since the
        # overview still wants one, the next iteration is due.
        recorded = self._stepped or not self._counts_steps or self.telemetry.step == self.telemetry.total
        if recorded:
            self.telemetry.record(*self._reader.take())
        self._cost += time.perf_counter() - began
        if recorded:
            self._tell(lambda probe: probe.after_step(self.telemetry.step))
        self._next_sample = time.perf_counter() + self._cost / _SHARE
        self._cost = 0.0

    def _read_values(self) -> None:
        values = self._logged
        if "loss" not in values and self._loss_variable is not None:
            found = self._find_loss(sys._getframe(1))
            if found is not None:
                values["loss"] = found
        for name, value in values.items():
            measured = scalar(value)
            if measured is None:
                continue
            if name == "loss":
                self.telemetry.loss = measured
            else:
                self.telemetry.metrics[name] = measured

    # ---- hooks ----

    def _install_hooks(self) -> None:
        for optimizer in self._optimizers:
            if not _has_hooks(optimizer):
                continue
            owned = [p for group in getattr(optimizer, "param_groups", ()) for p in group["params"]]
            positions = self._reader.positions(owned)
            self._hooks.append(optimizer.register_step_pre_hook(self._before_optimizer(positions)))
            self._counts_steps = True
        if self._criterion is not None:
            self._hooks.append(self._criterion.register_forward_hook(self._after_criterion))

    def _remove_hooks(self) -> None:
        self._unhook_gradients()
        for probe in tuple(self._probes):
            self._attempt(probe, lambda installed: installed.remove())
        self._probes.clear()
        while self._hooks:
            self._hooks.pop().remove()
        self._counts_steps = False

    def _before_optimizer(self, positions: Sequence[int]) -> Callable[..., None]:
        def before_step(_optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self._stepped = True
            # With a closure (LBFGS) the gradients don't exist yet; they are read when the step is over.
            if self._due and not any(map(callable, (*args, *kwargs.values()))):
                began = time.perf_counter()
                self._reader.capture(positions)
                self._cost += time.perf_counter() - began
                self._tell(lambda probe: probe.before_update())

        return before_step

    def _after_optimizer(self, *_: Any) -> None:
        self._finish_step()
        if not self._advance():
            raise RunStopped("Stop was pressed")

    def _after_criterion(self, _module: Any, _inputs: Any, output: Any) -> None:
        if self._due:
            self._logged.setdefault("loss", output)

    def _hook_gradients(self) -> None:
        """For optimizers without hooks: read each gradient as soon as `backward` has accumulated it."""
        for index, parameter in enumerate(self._reader.parameters):
            register = getattr(parameter, "register_post_accumulate_grad_hook", None)
            if register is None or not getattr(parameter, "requires_grad", True):
                continue
            self._gradient_hooks.append(register(self._capture_one(index)))

    def _capture_one(self, index: int) -> Callable[[Any], None]:
        return lambda _parameter: self._reader.capture((index,))

    def _unhook_gradients(self) -> None:
        while self._gradient_hooks:
            self._gradient_hooks.pop().remove()

    # ---- the loss, found by its variable's name ----

    def _find_loss(self, frame: FrameType | None) -> Any:
        found = _variable(self._loss_variable, frame)
        if self._stale_loss is not None:
            if id(found) == self._stale_loss:  # left over from an earlier cell
                return None
            self._stale_loss = None
        return found

    def _identity_of_old_loss(self) -> int | None:
        if self._loss_variable is None:
            return None
        found = _variable(self._loss_variable, sys._getframe(1))
        return None if found is None else id(found)


def watch(
    model: Any,
    optimizer: Any = None,
    loader: Iterable[Batch] | None = None,
    *,
    epochs: int = 1,
    every: int = 1,
    loss: Any = "loss",
    show: Show = True,
) -> Run[Batch]:
    """Watch a training loop: progress, loss and every parameter's gradient, with pause, step, resume and stop.

        for inputs, targets in watch(model, optimizer, loader, epochs=5):
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()

    Nothing else is needed. The loop works with PyTorch, with nbtorch and with one's own classes that follow their
    names; outside a notebook it runs the same, without widgets.

    Args:
        model: has `named_parameters()`; or a dict of named tensors.
        optimizer: the optimizer, several in a list, or None. With `register_step_pre_hook` gradients are read when its
            step begins; without, as soon as `backward` has accumulated them.
        loader: any iterable of batches. Without one, `with watch(model, optimizer):` counts the optimizer's steps in a
            loop of one's own.
        epochs: how many times to go through the loader.
        every: sample at most every this many steps.
        loss: where the loss comes from: the name of a variable in the loop (default "loss"), a criterion module whose
            output is it, or None. `run.log(loss=...)` goes before both.
        show: False for no display; "live" or "static" to choose between the widget and a picture at the end; True lets
            the environment decide (see `nbtorch_widgets.show`).

    Returns:
        The run: iterate it, or use it in `with`. After Stop was pressed, `run.stopped` is True and the loop has ended.

    Raises:
        TypeError: for a model, optimizer, loader or loss that can't be used.
        ValueError: for a model without parameters, or numbers below 1.
    """
    return Run(model, optimizer, loader, epochs=epochs, every=every, loss=loss, show=show)


def _phase_of(kind: type[BaseException]) -> Phase:
    return "interrupted" if issubclass(kind, KeyboardInterrupt) else "failed"


def _has_hooks(optimizer: Any) -> bool:
    return hasattr(optimizer, "register_step_pre_hook") and hasattr(optimizer, "register_step_post_hook")


def length(batches: Iterable[Any]) -> int | None:
    """`len(batches)` where it has one."""
    try:
        return len(batches)  # type: ignore[arg-type]
    except TypeError:
        return None


def _positive(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"watch() expected {name} to be an int, got {type(value).__name__}: {value!r}")
    if value < 1:
        raise ValueError(f"watch() expected {name} to be at least 1, got {value}")
    return int(value)


def _optimizers(optimizer: Any) -> list[Any]:
    if optimizer is None:
        return []
    optimizers = list(optimizer) if isinstance(optimizer, (list, tuple)) else [optimizer]
    for each in optimizers:
        if not callable(getattr(each, "step", None)):
            raise TypeError(
                "watch() expected an optimizer with a step() method (or a list of them, or None) as its second "
                f"argument; got {type(each).__name__}. The order is watch(model, optimizer, loader)."
            )
    return optimizers


def _checked_loader(loader: Iterable[Batch] | None, epochs: int) -> Iterable[Batch] | None:
    if loader is None:
        return None
    if isinstance(loader, (int, np.integer)):
        raise TypeError(f"watch() expected an iterable of batches as loader, got the number {loader}: range({loader})?")
    if not hasattr(loader, "__iter__") and not hasattr(loader, "__getitem__"):
        raise TypeError(
            "watch() expected an iterable of batches (a DataLoader, a list, a range) as its third argument; "
            f"got {type(loader).__name__}. The order is watch(model, optimizer, loader)."
        )
    if hasattr(loader, "__next__") and epochs > 1:
        raise TypeError(
            f"watch() expected a loader that can be iterated {epochs} times; got {type(loader).__name__}, which is "
            "used up after the first. Give a DataLoader or a list, or use epochs=1."
        )
    return loader


def _loss_source(loss: Any) -> tuple[str | None, Any]:
    """The name of the loss's variable and the module whose output it is; one of them at most."""
    if loss is None:
        return None, None
    if isinstance(loss, str):
        return loss, None
    if hasattr(loss, "register_forward_hook"):
        return None, loss
    raise TypeError(
        "watch() expected loss to be the name of a variable in the loop, a criterion module, or None; got "
        f"{type(loss).__name__}. For a plain function, call run.log(loss=loss) in the loop."
    )


def _variable(name: str | None, frame: FrameType | None) -> Any:
    """The nearest variable of this name in the frames outside this package: a local of a function, or a global."""
    depth = 0
    while name is not None and frame is not None and depth < _MAX_FRAMES:
        if frame.f_globals.get("__name__") != __name__:
            depth += 1
            value = _local(frame, name)
            if value is not None:
                return value
        frame = frame.f_back
    return None


def _local(frame: FrameType, name: str) -> Any:
    code = frame.f_code
    if not code.co_flags & CO_OPTIMIZED:  # a module, a notebook's cell or a class body: the names are a real dict
        return frame.f_locals.get(name, frame.f_globals.get(name))
    if name not in code.co_varnames and name not in code.co_cellvars and name not in code.co_freevars:
        return frame.f_globals.get(name)
    names = frame.f_locals
    value = names.get(name)
    if sys.version_info < (3, 13):
        # Before Python 3.13 this is a copy that the frame keeps, and the copy would keep every tensor in it alive.
        names.clear()
    return value
