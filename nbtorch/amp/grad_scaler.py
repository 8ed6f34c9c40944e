"""Scaling of losses, so that small gradients don't vanish in half precision (Micikevicius et al. 2018)."""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import Any

from ..autograd import no_grad
from ..autograd.outside import arrays_of, note_changes
from ..backends.cupy import why_unavailable
from ..backends.dtypes import float16, float32, int32
from ..backends.quiet import SILENT, hush, unhush
from ..ops import tensor
from ..tensor import Tensor

__all__ = ["GradScaler", "OptState"]


class OptState(Enum):
    """What was done with an optimiser since the last :meth:`GradScaler.update`."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


class _Progress:
    """An optimiser's state of the iteration, and whether a gradient overflowed; None before gradients were seen."""

    def __init__(self) -> None:
        self.stage = OptState.READY
        self.overflow: bool | None = None


def _scaled(m: Any, array: Any, factor: float) -> bool:
    """Multiplies an array in place; whether all that comes out is finite."""
    token = hush(SILENT)
    try:
        array *= factor
        # One sum tells of most arrays that they are finite; only where it is not, they are looked through.
        return math.isfinite(m.sum(array)) or bool(m.isfinite(array).all())
    finally:
        unhush(token)


class GradScaler:
    """Multiplies losses, divides gradients, and leaves out steps whose gradients overflowed.

    Args:
        device: without a GPU, ``"cuda"`` switches scaling off with a warning, as in PyTorch.
        init_scale: the first factor.
        growth_factor: the factor grows by this after ``growth_interval`` steps without overflow; above 1.
        backoff_factor: and shrinks by this after an overflow; below 1.
        growth_interval: see ``growth_factor``.
        enabled: False makes every method do nothing but what it must.

    Raises:
        AssertionError: if a factor is out of its range.
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        self._device = device
        if enabled and device == "cuda" and why_unavailable() is not None:
            warnings.warn("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2)
            enabled = False
        if enabled and growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if enabled and backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._enabled = enabled
        self._init_scale = init_scale
        self._init_growth_tracker = 0
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        # Made by the first scale(), where its losses are.
        self._scale: Tensor | None = None
        self._growth_tracker: Tensor | None = None
        self._progress: defaultdict[int, _Progress] = defaultdict(_Progress)  # by the optimiser's id

    def _started(self, function: str) -> tuple[Tensor, Tensor]:
        if self._scale is None or self._growth_tracker is None:
            raise AssertionError(
                f"Attempted {function} but _scale is None.  This may indicate your script did not use "
                "scaler.scale(loss or outputs) earlier in the iteration."
            )
        return self._scale, self._growth_tracker

    def scale(self, outputs: Any) -> Any:
        """``outputs`` (a tensor, or tensors in lists, tuples or iterators) times the factor.

        Raises:
            ValueError: for anything else.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                self._scale = tensor(self._init_scale, dtype=float32, device=outputs.device)
                self._growth_tracker = tensor(self._init_growth_tracker, dtype=int32, device=outputs.device)
            return outputs * self._scale.to(outputs.device)
        if isinstance(outputs, (list, tuple)):
            return type(outputs)(map(self.scale, outputs))
        if isinstance(outputs, Iterable):
            return map(self.scale, outputs)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divides the gradients of an optimiser's parameters, for example before they are clipped.

        Raises:
            RuntimeError: the second time before :meth:`update`, or after :meth:`step`.
            ValueError: for gradients in half precision: they overflow when they are divided here.
        """
        if not self._enabled:
            return
        scale, _ = self._started("unscale_")
        progress = self._progress[id(optimizer)]
        if progress.stage is OptState.UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if progress.stage is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if any(grad.dtype is float16 for grad in grads):
            raise ValueError("Attempting to unscale FP16 gradients.")
        factor = 1.0 / scale.item()
        with no_grad():
            arrays = arrays_of(grads) if grads and grads[0].device.type == "cpu" else None
            for place, grad in enumerate(grads):
                if arrays is None:
                    grad.mul_(factor)
                    finite = bool(grad.isfinite().all())
                else:
                    finite = _scaled(grad._backend, arrays[place], factor)
                progress.overflow = bool(progress.overflow) or not finite
            if arrays is not None:
                note_changes(grads)
        progress.stage = OptState.UNSCALED

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step()``, unless a gradient overflowed; gradients are divided first where that is not done.

        Raises:
            RuntimeError: for a closure, or the second time before :meth:`update`.
            AssertionError: if there are no gradients.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._started("step")
        progress = self._progress[id(optimizer)]
        if progress.stage is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if progress.stage is OptState.READY:
            self.unscale_(optimizer)
        if progress.overflow is None:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = None if progress.overflow else optimizer.step(*args, **kwargs)
        progress.stage = OptState.STEPPED
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Changes the factor for the next step: to ``new_scale``, or by what happened in this one.

        Raises:
            AssertionError: if nothing was scaled, or no gradient looked at.
        """
        if not self._enabled:
            return
        scale, tracker = self._started("update")
        if new_scale is not None:
            if isinstance(new_scale, Tensor) and (new_scale.numel() != 1 or new_scale.requires_grad):
                raise AssertionError("new_scale should be a float or a 1-element tensor with requires_grad=False.")
            scale.fill_(float(new_scale))
        else:
            seen = [p.overflow for p in self._progress.values() if p.overflow is not None]
            if not seen:
                raise AssertionError("No inf checks were recorded prior to update.")
            if any(seen):
                scale.mul_(self._backoff_factor)
                tracker.zero_()
            else:
                tracker.add_(1)
                if int(tracker.item()) == self._growth_interval:
                    grown = tensor(scale.item() * self._growth_factor, dtype=float32).item()
                    if math.isfinite(grown):
                        scale.fill_(grown)
                    tracker.zero_()
        self._progress = defaultdict(_Progress)

    def get_scale(self) -> float:
        """The factor; 1 where scaling is off."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else float(self._scale.item())

    def get_growth_factor(self) -> float:
        """By what the factor grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Sets by what the factor grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """By what the factor shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Sets by what the factor shrinks."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many steps without overflow the factor grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Sets after how many steps without overflow the factor grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growth_tracker is None else int(self._growth_tracker.item())

    def is_enabled(self) -> bool:
        """Whether losses are scaled."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on later; empty where scaling is off."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(), "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval, "_growth_tracker": self._get_growth_tracker(),
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from what :meth:`state_dict` gave.

        Raises:
            RuntimeError: for an empty dictionary, from a scaler that was off.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        scale, tracker = state_dict["scale"], state_dict["_growth_tracker"]
        self._growth_factor, self._backoff_factor, self._growth_interval = (
            state_dict[name] for name in ("growth_factor", "backoff_factor", "growth_interval")
        )
        self._init_scale, self._init_growth_tracker = scale, tracker
        if self._scale is not None and self._growth_tracker is not None:
            self._scale.fill_(scale)
            self._growth_tracker.fill_(tracker)

    def __getstate__(self) -> dict[str, Any]:
        if self._enabled and self._progress:
            raise AssertionError(
                "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after "
                "scaler.update()."
            )
        state = self.__dict__.copy()
        state.update(
            _init_scale=self.get_scale(), _init_growth_tracker=self._get_growth_tracker(), _scale=None,
            _growth_tracker=None,
        )  # fmt: skip
        return state
