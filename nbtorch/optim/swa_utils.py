"""Averages of a model's parameters over training: the names are those of ``torch.optim.swa_utils``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

from ..autograd import no_grad
from ..backends.device import device as Device
from ..nn import Module
from ..nn.modules.batchnorm import _BatchNorm
from ..ops import tensor
from ..tensor import Tensor
from .lr_scheduler import LRScheduler
from .lr_scheduler.base import _warn_get_lr_called_within_step, per_group
from .optimizer import Optimizer

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
    "update_bn",
]  # fmt: skip

Count = Tensor | int


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Tensor, Tensor, Count], Tensor]:
    """The exponential mean of one parameter: ``decay * mean + (1 - decay) * current``.

    Raises:
        ValueError: unless ``0 <= decay <= 1``.
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Count) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Callable[[Tensor, Tensor, Count], Tensor]:
    """The plain mean of one parameter: ``mean + (current - mean) / (n + 1)``."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Count) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def _go(means: Sequence[Tensor], current: Sequence[Tensor], share: float) -> None:
    """Moves each mean by a share of the way, in place; integers are rounded towards zero."""
    for mean, now in zip(means, current, strict=True):
        if mean.is_floating_point():
            mean.lerp_(now, share)
        else:
            mean.copy_(mean * (1 - share) + now * share)


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Sequence[Tensor], Sequence[Tensor], Count], None]:
    """The exponential mean of all parameters at once, in place; see :func:`get_ema_avg_fn`."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list: Sequence[Tensor], current_param_list: Sequence[Tensor], _: Count) -> None:
        _go(ema_param_list, current_param_list, 1 - decay)

    return ema_update


def get_swa_multi_avg_fn() -> Callable[[Sequence[Tensor], Sequence[Tensor], Count], None]:
    """The plain mean of all parameters at once, in place; see :func:`get_swa_avg_fn`."""

    @no_grad()
    def swa_update(
        averaged_param_list: Sequence[Tensor], current_param_list: Sequence[Tensor], num_averaged: Count
    ) -> None:
        _go(averaged_param_list, current_param_list, 1 / (int(num_averaged) + 1))

    return swa_update


class AveragedModel(Module):
    """A copy of a model whose parameters are the mean of what the model's were at each :meth:`update_parameters`.

    Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, 2018.

    Args:
        model: it is copied.
        device: where the copy is to be; where the model is by default.
        avg_fn: makes a parameter's new mean from ``(mean, current, number averaged)``; the plain mean by default.
        multi_avg_fn: the same for lists of parameters, in place.
        use_buffers: average buffers too; else they are copied from the model.

    Raises:
        AssertionError: if both functions are given.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: int | str | Device | None = None,
        avg_fn: Callable[[Tensor, Tensor, Count], Tensor] | None = None,
        multi_avg_fn: Callable[[Sequence[Tensor], Sequence[Tensor], Count], None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged copy makes of the input."""
        return self.module(*args, **kwargs)

    def _averaged(self, model: Module) -> list[Tensor]:
        return list(chain(model.parameters(), model.buffers()) if self.use_buffers else model.parameters())

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Takes the model's present parameters into the mean; the first time they are copied."""
        means = [p.detach() for p in self._averaged(self.module)]
        current = [p.detach().to(mean.device) for p, mean in zip(self._averaged(model), means, strict=True)]
        if int(self.n_averaged) == 0:
            for mean, now in zip(means, current, strict=True):
                mean.copy_(now)
        elif self.multi_avg_fn is not None:
            together: dict[Any, tuple[list[Tensor], list[Tensor]]] = {}
            for mean, now in zip(means, current, strict=True):
                pair = together.setdefault((mean.device, mean.dtype), ([], []))
                pair[0].append(mean)
                pair[1].append(now)
            for (where, _), (some, others) in together.items():
                self.multi_avg_fn(some, others, self.n_averaged.to(where))
        else:
            function = get_swa_avg_fn() if self.avg_fn is None else self.avg_fn
            for mean, now in zip(means, current, strict=True):
                mean.copy_(function(mean, now, self.n_averaged.to(mean.device)))
        if not self.use_buffers:
            for kept, now in zip(self.module.buffers(), model.buffers(), strict=True):
                kept.detach().copy_(now.detach().to(kept.device))
        self.n_averaged += 1


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: int | str | Device | None = None) -> None:
    """Computes the running statistics of a model's batch normalisations anew, in one pass over the data.

    Args:
        loader: batches; of tuples and lists the first item is the model's input.
        model: without batch normalisation nothing is done.
        device: where to put the input.
    """
    momenta = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None  # the mean over all batches
    for batch in loader:
        first = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(first if device is None else first.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the present learning rate to a constant one, which averaging of weights wants.

    Args:
        optimizer: whose learning rates to set.
        swa_lr: the constant one, or one for each group.
        anneal_epochs: how many epochs the way there takes.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: for an unknown strategy, or a number of epochs that is negative or not whole.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = per_group("swa_lr", swa_lr, optimizer)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        for rate, group in zip(rates, optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """Which share of the way is behind after ``step`` steps."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[Any]:
        _warn_get_lr_called_within_step(self)
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        found = []
        for group in self.optimizer.param_groups:
            end = group["swa_lr"]
            start = end if before == 1 else (group["lr"] - before * end) / (1 - before)
            found.append(end * now + start * (1 - now))
        return found
