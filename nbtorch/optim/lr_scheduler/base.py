"""The base class of all schedules of learning rates."""

from __future__ import annotations

import functools
import warnings
import weakref
from typing import Any

from ...autograd import no_grad
from ...tensor import Tensor
from ..optimizer import Optimizer

__all__ = ["EPOCH_DEPRECATION_WARNING", "LRScheduler", "per_group", "set_option"]

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed "
    "form is used instead of the new chainable form, where available."
)


def per_group(name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """One value for each parameter group.

    Raises:
        ValueError: for a list of another length.
    """
    count = len(optimizer.param_groups)
    if isinstance(value, (list, tuple)):
        if len(value) != count:
            raise ValueError(
                f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
                f"param_groups has {count}."
            )
        return list(value)
    return [value] * count


def _plain(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def set_option(group: dict[str, Any], name: str, value: Any) -> None:
    """Sets an option of a group; one that is a tensor stays that tensor."""
    if isinstance(group[name], Tensor):
        with no_grad():
            group[name].fill_(float(value))
    else:
        group[name] = value


class _set_flag:
    """Sets one of a scheduler's flags until the end of the block."""

    def __init__(self, scheduler: LRScheduler, name: str) -> None:
        self._scheduler, self._name = scheduler, name

    def __enter__(self) -> None:
        setattr(self._scheduler, self._name, True)

    def __exit__(self, *exc: object) -> None:
        setattr(self._scheduler, self._name, False)


def _enable_get_lr_call(scheduler: LRScheduler) -> _set_flag:
    """A block in which ``get_lr()`` is called on purpose; a user's own schedules know it too."""
    return _set_flag(scheduler, "_get_lr_called_within_step")


def _warn_get_lr_called_within_step(scheduler: LRScheduler) -> None:
    """Warns where a program asks ``get_lr()``, which computes a step's learning rate, for the present one."""
    if not scheduler._get_lr_called_within_step:
        warnings.warn(
            "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.", stacklevel=3
        )


class LRScheduler:
    """Changes the learning rates of an optimiser's groups; subclasses define :meth:`get_lr`.

    Args:
        optimizer: whose ``param_groups`` to change.
        last_epoch: how many steps were taken already when training goes on; -1 at the start.

    Attributes:
        base_lrs: the learning rates to start from, ``"initial_lr"`` of each group.
        last_epoch: how many steps were taken.

    Raises:
        TypeError: if ``optimizer`` is none.
        KeyError: if training goes on and a group has no ``"initial_lr"``.
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        if last_epoch == -1:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", _plain(group["lr"]))
        else:
            for place, group in enumerate(optimizer.param_groups):
                if "initial_lr" not in group:
                    raise KeyError(
                        f"param 'initial_lr' is not specified in param_groups[{place}] when resuming scheduler with "
                        "last_epoch >= 0.\nThis typically happens when:\n"
                        "1. You're trying to resume training from a checkpoint but haven't properly loaded the "
                        "optimizer state\n2. You're using last_epoch >= 0 for a fresh training run (not recommended)"
                    )
        self.base_lrs = [_plain(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        _note_steps(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        """Sets the learning rates of the first epoch."""
        self._step_count = 0
        with _set_flag(self, "_is_initial"):
            self.step()

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser, as a dictionary."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from what :meth:`state_dict` gave."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """The learning rates that the last step set, one for each group."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The learning rates of the present epoch, from those of the one before."""
        raise NotImplementedError(f"{type(self).__name__} has to define get_lr(), the list of learning rates")

    def _current(self) -> list[Any]:
        """The learning rates as they are."""
        rates = [group["lr"] for group in self.optimizer.param_groups]
        return [rate if type(rate) is float else _plain(rate) for rate in rates]

    def step(self, epoch: int | None = None) -> None:
        """Sets the learning rates of the next epoch.

        Args:
            epoch: deprecated: go to this epoch instead.
        """
        self._warn_of_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed_form = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        self._get_lr_called_within_step = True
        try:
            values = self.get_lr() if closed_form is None else closed_form()
        finally:
            self._get_lr_called_within_step = False
        groups = self.optimizer.param_groups
        for group, lr in zip(groups, values, strict=True):
            if type(group["lr"]) is float:
                group["lr"] = lr
            else:
                set_option(group, "lr", lr)
        self._last_lr = self._current()

    def _warn_of_order(self) -> None:
        if self._step_count != 1:
            return
        if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. "
                "Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`.",
                UserWarning,
                stacklevel=3,
            )
        elif not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. You should call them in the "
                "opposite order: `optimizer.step()` before `lr_scheduler.step()`. Failure to do this will result in "
                "skipping the first value of the learning rate schedule.",
                UserWarning,
                stacklevel=3,
            )


def _note_steps(optimizer: Optimizer) -> None:
    """Makes the optimiser remember that it has stepped, so that calls in the wrong order can be warned of."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    reference = weakref.ref(optimizer)
    step = optimizer.step.__func__  # type: ignore[attr-defined]

    @functools.wraps(step)
    def noted(*args: Any, **kwargs: Any) -> Any:
        own: Any = reference()
        own._opt_called = True
        return step(own, *args, **kwargs)

    noted._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = noted  # type: ignore[method-assign]
