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
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from types import FrameType, TracebackType
from typing import Any, Generic, TypeVar

from nbtorch_widgets import rewind, steering
from nbtorch_widgets.arguments import (
    checked_loader,
    has_hooks,
    length,
    loss_source,
    optimizers_of,
    phase_of,
    positive,
    schedulers_of,
    variable,
)
from nbtorch_widgets.batches import Batches, is_one_shot
from nbtorch_widgets.control import Request, RunControl, RunStopped
from nbtorch_widgets.doctor.findings import Report
from nbtorch_widgets.doctor.probe import DoctorProbe
from nbtorch_widgets.doctor.rules import examine
from nbtorch_widgets.gradients import GradientReader, named_parameters, scalar
from nbtorch_widgets.history import Branch, Samples
from nbtorch_widgets.probe import Probe, Watched
from nbtorch_widgets.show import Show, mode, present
from nbtorch_widgets.snapshots import RewindError, Snapshot, Snapshots, Subject
from nbtorch_widgets.telemetry import Phase, Telemetry

Batch = TypeVar("Batch")

_SHARE = 0.02  # of the time goes into samples for those who watch

# The telemetry of the run that began last, for `%doctor` without a name. It holds numbers, never the model.
_last: list[Telemetry] = []


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
        snapshots: int | Snapshots | None = None,
        scheduler: Any = None,
    ) -> None:
        self._model = model
        self._reader = GradientReader(named_parameters(model))
        self._optimizers = optimizers_of(optimizer)
        self._loader = checked_loader(loader, epochs)
        self._epochs = positive("epochs", epochs)
        self._loss_variable, self._criterion = loss_source(loss)
        self._show = mode(show)
        self.telemetry = Telemetry(
            self._reader.names, every=positive("every", every), loss_name=self._loss_variable or "loss"
        )
        schedulers = schedulers_of(scheduler)
        self._rates = steering.LearningRates(self._optimizers, schedulers)
        self._rewinder: rewind.Rewinder | None = None
        limits = rewind.limits_of(snapshots)
        if limits is not None:
            subject = Subject(model, self._reader.named, self._optimizers, schedulers)
            self._rewinder = rewind.Rewinder(self.telemetry, subject, limits)
        self._batches: Batches[Batch] | None = None
        self._jumped: Snapshot | None = None
        if not any(has_hooks(each) for each in self._optimizers):
            self.telemetry.clip_problem = "hooks"
        self._read_rates()
        self._doctor = self.telemetry.add_probe(DoctorProbe(self.telemetry))
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
        """The samples kept, of all branches: steps, loss, branch [R], norms, flags [R, P] for P parameters."""
        return self.telemetry.rows()

    @property
    def branches(self) -> list[Branch]:
        """Every way that the run went, the present one last: one more for each time that it was rewound."""
        return self.telemetry.all_branches()

    @property
    def snapshots(self) -> list[tuple[int, int]]:
        """Where the run can go back to: [branch, step]."""
        return list(self.telemetry.snapshots)

    def set_lr(self, lr: float) -> None:
        """Set the learning rate, from the loop's next checkpoint on.

        With several groups (or optimizers) `lr` is that of the first, and all are scaled with it. What a scheduler
        given to `watch` computes rates from is scaled too.
        """
        value = steering.checked_lr(lr)
        if self._rates.read()[0] is None:
            raise ValueError("there is no learning rate to set: the optimizer has neither param_groups nor lr")
        self._ask("lr", value)

    def set_clip(self, max_norm: float | None) -> None:
        """Clip each optimizer's gradients to this total norm just before its step, as `clip_grad_norm_` does.

        None ends that. It begins at the loop's next checkpoint.
        """
        value = steering.checked_clip(max_norm)
        if self.telemetry.clip_problem == "hooks":
            raise ValueError(
                "clipping isn't available: the optimizer has no register_step_pre_hook, so the moment before its step "
                "can't be found. Clip in the loop, between backward() and step()"
            )
        self._ask("clip", value)

    def rewind(self, step: int, *, branch: int | None = None) -> int:
        """Go back to the last snapshot at or before `step`, and go on from there as a new branch; the snapshot's step.

        Model, optimizer, scheduler, gradients, random streams and the place in the data become as they were, in the
        same objects, so that the steps done again unchanged give the same numbers. Variables of the loop itself stay as
        they are. While the loop runs this happens at its next checkpoint; at rest it happens now, and iterating the run
        again goes on from there. In a loop of one's own (`with watch(model, optimizer):`) the data goes on where it is.

        Args:
            step: the step to go back to.
            branch: the branch whose past is meant; by default the present one.

        Raises:
            RewindError: if there is no snapshot, the loop's data can't be gone through again, or the model has changed.
        """
        rewinder = self._rewinder
        if rewinder is None:
            raise RewindError(rewind.NO_SNAPSHOTS)
        snapshot = rewinder.find(*steering.checked("rewind", {"step": step, "branch": branch}))
        if self._iterating:
            if self.telemetry.rewind_kind == "no":
                raise RewindError(rewind.ONE_SHOT)
            self._ask("rewind", (step, branch))
        else:
            rewinder.go(snapshot, None)
            rewinder.resume = snapshot
            self.control.reopen()
            self._read_rates()
            self.telemetry.rest()
        return snapshot.step

    def plot(self) -> Any:
        """The loss and every gradient's norm as a `matplotlib.figure.Figure`."""
        from nbtorch_widgets.figure import run_figure

        return run_figure(self.telemetry, loss=True, gradients=True)

    def log(self, **values: Any) -> None:
        """Show numbers of the current step: `run.log(loss=loss, accuracy=acc)`.

        Values are floats or one-element tensors. They are read only if the step is sampled, so this never waits for a
        device in between.
        """
        self._logged.update(values)

    def doctor(self) -> Report:
        """What is wrong with this training, as far as it went: see `nbtorch_widgets.doctor`."""
        return examine(self._doctor.chart)

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
            if not any(has_hooks(optimizer) for optimizer in self._optimizers):
                raise TypeError(
                    "without a loader, watch() counts the optimizer's steps: expected an optimizer with "
                    "register_step_pre_hook and register_step_post_hook, as PyTorch's have; got "
                    + (", ".join(type(o).__name__ for o in self._optimizers) or "none")
                    + ". Give a loader instead: for batch in watch(model, optimizer, loader)."
                )
            self._begin(None)
            if self._rewinder is not None:
                self._rewinder.begin(None, "model")
                if not len(self._rewinder.keeper):
                    self._rewinder.take(None)
            self._hooks += [
                optimizer.register_step_post_hook(self._after_optimizer)
                for optimizer in self._optimizers
                if has_hooks(optimizer)
            ]
            self._choose()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._loader is None:
            self._end("stopped" if kind is RunStopped else "finished" if kind is None else phase_of(kind))
        elif kind is not None and self.telemetry.phase == "left":
            self.telemetry.end(phase_of(kind))
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
        telemetry, rewinder = self.telemetry, self._rewinder
        remember = rewinder.randomness if rewinder is not None and not is_one_shot(batches) else None
        feeder = Batches(batches, telemetry.epoch, epochs, per_epoch, remember)
        resumed = rewinder is not None and rewinder.resumes(batches)
        self._begin(telemetry.total if resumed else total)
        if not resumed and (telemetry.epochs is None or telemetry.epoch >= telemetry.epochs):
            telemetry.epochs = telemetry.epoch + epochs
        phase: Phase = "failed"
        try:
            self._start_data(feeder)
            while self._next_batch(feeder):
                if not self._advance():
                    phase = "stopped"
                    return
                if self._jumped is not None:
                    self._land()
                    if not self._next_batch(feeder):
                        break
                self._doctor.batch = feeder.batch
                yield feeder.batch
                self._finish_step()
            phase = "finished"
        except GeneratorExit:
            # The loop's body was left by break or by an exception, which can't be told apart from here.
            phase = "left"
            if self._stepped:
                self._finish_step()
            raise
        except BaseException as error:
            phase = phase_of(type(error))
            raise
        finally:
            self._end(phase)

    def _start_data(self, feeder: Batches[Batch]) -> None:
        """The pass begins: at the loader's beginning, or where the run was rewound to at rest."""
        rewinder = self._rewinder
        if rewinder is None:
            return
        rewinder.begin(feeder.source, "full" if feeder.can_go_back else "no")
        self._batches = feeder
        resumed = rewinder.resumes(feeder.source)
        snapshot, rewinder.resume = rewinder.resume, None
        if resumed and snapshot is not None and snapshot.place is not None:
            feeder.use(snapshot.place, feeder.open(snapshot.place))
            snapshot.state.randomness.restore()
        elif not len(rewinder.keeper):
            rewinder.take(feeder.place if feeder.can_go_back else None)

    def _next_batch(self, feeder: Batches[Batch]) -> bool:
        """Have the feeder hold the next batch. At the end, what was asked for in the last step is done first."""
        while not feeder.advance():
            if self.control.mode == "stopped" or not self.control.requested:
                return False
            self.control.serve(self._obey)
            if self._jumped is None:
                return False
            self._land()
        self.telemetry.epoch = feeder.epoch
        return True

    def _land(self) -> None:
        """Just before the first batch after a rewind: the random streams, which others may have used meanwhile."""
        assert self._jumped is not None
        self._jumped.state.randomness.restore()
        self._jumped = None

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
        _last[:] = [self.telemetry]
        self._doctor.find_loss = lambda: self._find_loss(sys._getframe(1))  # until its `remove`
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
            self._batches = self._jumped = None
            if self.control.mode != "stopped":
                self.control.serve(self._obey)
        finally:
            self._iterating = False
            self.telemetry.end(phase)
            self._presentation.end()

    def _advance(self) -> bool:
        """Before a step: wait while paused, then decide whether to sample it. False if the loop should end."""
        if not self.control.checkpoint(self.telemetry.wait, self._obey):
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

    # ---- what was asked for from outside, done at a checkpoint ----

    def _ask(self, word: str, value: Any) -> None:
        """Have it done at the next checkpoint; at rest, now."""
        if self._iterating:
            self.control.request(word, value)
            self.telemetry.wake()
        else:
            self._do(word, value)

    def _obey(self, request: Request) -> None:
        word, value = request
        try:
            self._do(word, value)
        except Exception as error:  # what was asked for fails, the training doesn't
            self.telemetry.tell("not rewound" if word == "rewind" else "not changed", str(error))
            warnings.warn(f"{word} failed and nothing was changed: {error}", stacklevel=2)

    def _do(self, word: str, value: Any) -> None:
        telemetry = self.telemetry
        if word == "lr":
            old = telemetry.lr
            self._rates.set(value)
            self._read_rates()
            telemetry.change("lr", old, telemetry.lr)
        elif word == "clip" and telemetry.clip_problem != "hooks":
            old, telemetry.clip = telemetry.clip, value
            telemetry.clip_norm = None
            telemetry.change("clip", old, value)
        elif word == "rewind":
            self._go_back(*value)

    def _go_back(self, step: int, branch: int | None) -> None:
        rewinder = self._rewinder
        if rewinder is None:
            raise RewindError(rewind.NO_SNAPSHOTS)
        if self.telemetry.rewind_kind == "no":
            raise RewindError(rewind.ONE_SHOT)
        snapshot = rewinder.find(step, branch)
        rewinder.go(snapshot, self._batches)
        self._reader.forget()
        self._unhook_gradients()
        self._logged.clear()
        self._read_rates()
        if self._batches is not None:
            self._jumped = snapshot
        else:
            rewinder.resume = snapshot

    def _read_rates(self) -> None:
        self.telemetry.lr, self.telemetry.lr_range = self._rates.read()

    def _is_due(self) -> bool:
        telemetry = self.telemetry
        step = telemetry.step + 1
        return (
            telemetry.overview.due(step)
            or step == telemetry.total
            or (telemetry.next_look != math.inf and telemetry.overview.allows(step) and self._is_affordable())
            or self.control.mode != "running"
            or any(probe.eager for probe in self._probes)
        )

    def _is_affordable(self) -> bool:
        return time.perf_counter() >= self._next_sample

    def _finish_step(self) -> None:
        telemetry = self.telemetry
        telemetry.step += 1
        if self._due:
            self._sample()
        rewinder = self._rewinder
        if rewinder is not None and telemetry.step % rewinder.every == 0:
            feeder = self._batches
            rewinder.take(feeder.place if feeder is not None and feeder.can_go_back else None)
        if telemetry.next_look != math.inf:
            now = time.perf_counter()
            if now >= telemetry.next_look:
                telemetry.look(now)
        self._logged.clear()

    def _sample(self) -> None:
        began = time.perf_counter()
        self._unhook_gradients()
        self._read_values()
        self._read_rates()
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
            if name == "loss":
                self._tell(lambda probe, seen=value: probe.see_loss(seen))  # type: ignore[misc]
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
            if not has_hooks(optimizer):
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
        def before_step(optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self._stepped = True
            telemetry = self.telemetry
            if not self._due and telemetry.clip is None:
                return
            # With a closure (LBFGS) the gradients don't exist yet; they are read when the step is over.
            closure = any(map(callable, (*args, *kwargs.values())))
            if telemetry.clip is not None:
                if closure and not telemetry.clip_problem:
                    telemetry.clip_problem = "closure"
                    telemetry.chapter += 1
                elif not closure:
                    norm = steering.clip([p for g in optimizer.param_groups for p in g["params"]], telemetry.clip)
                    if self._due:
                        telemetry.clip_norm = scalar(norm)
            if self._due and not closure:
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
        found = variable(self._loss_variable, frame)
        if self._stale_loss is not None:
            if id(found) == self._stale_loss:  # left over from an earlier cell
                return None
            self._stale_loss = None
        return found

    def _identity_of_old_loss(self) -> int | None:
        if self._loss_variable is None:
            return None
        found = variable(self._loss_variable, sys._getframe(1))
        return None if found is None else id(found)


def last_run() -> Telemetry | None:
    """The telemetry of the run that began last in this process."""
    return _last[0] if _last else None


def watch(
    model: Any,
    optimizer: Any = None,
    loader: Iterable[Batch] | None = None,
    *,
    epochs: int = 1,
    every: int = 1,
    loss: Any = "loss",
    show: Show = True,
    snapshots: int | Snapshots | None = None,
    scheduler: Any = None,
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
        model: has `named_parameters()` or `parameters()`; or a dict of named tensors.
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
        snapshots: keep a snapshot every this many steps, so that `run.rewind(step)` or the widget can go back to it;
            `Snapshots(every, keep, megabytes)` bounds their number and memory (32 and 1 GB). None: none, at no cost.
        scheduler: the learning-rate scheduler, or several in a list: kept in snapshots, and scaled with the learning
            rate when that is changed by hand. Anything with `state_dict` and `load_state_dict` is kept (a GradScaler,
            averaged weights).

    While it runs, the learning rate and clipping can be changed in the widget or by `run.set_lr(x)` and
    `run.set_clip(x)`; both take effect at the next checkpoint, which is before each batch.

    A snapshot holds a copy of model, gradients and optimizer in host memory: four times the parameters with Adam. It
    took 1 ms for 8 thousand parameters and 4 to 17 ms for a million on one core.
    Rewinding goes through the epoch's batches again to find its place in the data. Variables of the loop's own (a list
    of losses, a counter) don't go back, nor do random generators that neither the loader nor the model holds, such as
    those in a DataLoader's persistent workers; of a model without `state_dict` only the parameters go back. The history
    keeps every branch (`run.branches`).

    Returns:
        The run: iterate it, or use it in `with`. After Stop was pressed, `run.stopped` is True and the loop has ended.

    Raises:
        TypeError: for a model, optimizer, loader or loss that can't be used.
        ValueError: for a model without parameters, or numbers below 1.
    """
    return Run(
        model,
        optimizer,
        loader,
        epochs=epochs,
        every=every,
        loss=loss,
        show=show,
        snapshots=snapshots,
        scheduler=scheduler,
    )
