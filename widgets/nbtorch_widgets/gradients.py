"""Reading gradients through PyTorch's public surface: real PyTorch, nbtorch, or a learner's own classes.

A norm is computed where the gradient lives. For gradients in host memory NumPy does it at once; for gradients on an
accelerator the sums stay there until `GradientReader.take`, which fetches all of them with one synchronisation.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nbtorch_widgets.history import Flags, Float32s

#: Marks of one parameter at one step.
NAN, INF, ZERO, NO_GRAD, FROZEN = 1, 2, 4, 8, 16

# Squares of float32 numbers outside this range over- or underflow, or are near it.
_SAFE_SQUARES = (1e-30, 1e30)

# A norm on a device, not fetched yet: the sum of squares and the largest magnitude, each a tensor of no dimensions.
_DeviceNorm: TypeAlias = tuple[Any, Any]
#: What `norm_of` gives, and `fetch_norms` turns into numbers.
Norm: TypeAlias = float | _DeviceNorm


def named_parameters(model: Any) -> list[tuple[str, Any]]:
    """The parameters of `model` with their names, in the model's own order.

    `model` is anything with `named_parameters()`, or with `parameters()` alone, as in a first version of one's own
    `Module` (the names are then those of its attributes), or a mapping of names to tensors where it is no class.

    Raises:
        TypeError: if it is neither.
        ValueError: if it has no parameters.
    """
    if isinstance(model, Mapping):
        pairs = [(str(name), parameter) for name, parameter in model.items()]
    elif callable(getattr(model, "named_parameters", None)):
        pairs = [(str(name), parameter) for name, parameter in model.named_parameters()]
    elif callable(getattr(model, "parameters", None)):
        pairs = parameters_by_attribute(model)
    else:
        raise TypeError(
            "watch() expected a model with parameters(), or a dict of named tensors, as its first argument; "
            f"got {type(model).__name__}. For loose tensors pass them with names: watch({{'w': w, 'b': b}}, ...)."
        )
    if not pairs:
        raise ValueError(
            f"{type(model).__name__} has no parameters, so there are no gradients to watch. "
            "Are the layers attributes of the module (self.layer = ...), and lists of them in an nn.ModuleList?"
        )
    return pairs


def parameters_by_attribute(model: Any) -> list[tuple[str, Any]]:
    """The parameters that `model.parameters()` gives, by the attributes that lead to them."""
    paths: dict[int, str] = {}
    seen: set[int] = set()

    def look(owner: Any, prefix: str) -> None:
        for name, value in getattr(owner, "__dict__", {}).items():
            paths.setdefault(id(value), prefix + name)
            if callable(getattr(value, "parameters", None)) and id(value) not in seen:
                seen.add(id(value))
                look(value, f"{prefix}{name}.")

    look(model, "")
    return [(paths.get(id(p), f"parameters.{index}"), p) for index, p in enumerate(model.parameters())]


def host_norm(values: npt.ArrayLike) -> float:
    """The L2 norm of an array, without over- or underflow; NaN if an element is NaN, else inf if one is infinite."""
    array = np.asarray(values)
    if array.dtype.kind not in "fc" or array.dtype.itemsize < 4:
        array = array.astype(np.float32)
    flat = array.ravel("K")
    square = float(np.vdot(flat, flat).real)
    if 1e-30 < square < 1e30:  # _SAFE_SQUARES, by far the most frequent case
        return math.sqrt(square)
    with np.errstate(all="ignore"):
        peak = float(np.abs(flat).max(initial=0.0))
        if peak == 0.0 or not math.isfinite(peak):
            return peak
        scaled = flat.astype(np.complex128 if flat.dtype.kind == "c" else np.float64) / peak
        return peak * math.sqrt(float(np.vdot(scaled, scaled).real))


def on_host(tensor: Any) -> npt.NDArray[Any]:
    """The numbers of a tensor in host memory as an array, shared where possible."""
    if isinstance(tensor, (np.ndarray, np.generic, int, float)):
        return np.asarray(tensor)
    for method in ("detach", "cpu"):
        if hasattr(tensor, method):
            tensor = getattr(tensor, method)()
    if not hasattr(tensor, "numpy"):
        return np.asarray(getattr(tensor, "data", tensor), dtype=float)
    try:
        return np.asarray(tensor.numpy())
    except TypeError:  # a dtype that NumPy doesn't have, such as bfloat16
        return np.asarray(tensor.float().numpy())


def scalar(value: Any) -> float | None:
    """A loss or metric as a float (this waits for its device), or None if it isn't one number."""
    if isinstance(value, (int, float)):
        return float(value)
    if getattr(value, "shape", None) is None or math.prod(value.shape) != 1:
        return None
    try:
        return float(value.item()) if hasattr(value, "item") else float(on_host(value).reshape(()))
    except (TypeError, ValueError, RuntimeError):
        return None


def is_on_device(tensor: Any) -> bool:
    """Whether the tensor's numbers are somewhere else than in host memory."""
    device = getattr(tensor, "device", None)
    return str(getattr(device, "type", device or "cpu")) != "cpu"


def norm_of(gradient: Any) -> Norm:
    """The L2 norm of a tensor; on a device it stays there until `fetch_norms`."""
    if getattr(gradient, "is_sparse", False):
        gradient = gradient.coalesce().values()
    if not is_on_device(gradient):
        return host_norm(on_host(gradient))
    gradient = gradient.detach()
    if getattr(gradient.dtype, "itemsize", 4) < 4:
        gradient = gradient.float()
    return (gradient * gradient).sum(), gradient.abs().max()


def fetch(pending: Sequence[Any]) -> list[float]:
    """The values of tensors of no dimensions, with one synchronisation where their library has `stack`."""
    library = sys.modules.get(type(pending[0]).__module__.partition(".")[0])
    stack = getattr(library, "stack", None)
    try:
        if stack is not None:
            return [float(value) for value in on_host(stack([tensor.float() for tensor in pending]))]
    except (TypeError, ValueError, RuntimeError):  # on more than one device
        pass
    return [float(tensor.item()) for tensor in pending]


def fetch_norms(norms: Sequence[Norm]) -> list[float]:
    """The numbers of norms that `norm_of` gave, those on devices with one synchronisation."""
    pending = [norm for norm in norms if isinstance(norm, tuple)]
    values = iter(fetch([tensor for pair in pending for tensor in pair]) if pending else ())
    return [_joined(next(values), next(values)) if isinstance(norm, tuple) else norm for norm in norms]


def _joined(square: float, peak: float) -> float:
    return math.sqrt(square) if _SAFE_SQUARES[0] < square < _SAFE_SQUARES[1] else peak


class GradientReader:
    """Takes the norms of a model's gradients: `capture` while they exist, `take` when a row is wanted."""

    def __init__(self, named: Sequence[tuple[str, Any]]) -> None:
        self.named = list(named)
        self.names = [name for name, _ in named]
        self._parameters = [parameter for _, parameter in named]
        self._position = {id(parameter): index for index, parameter in enumerate(self._parameters)}
        self._captured: dict[int, float | _DeviceNorm | None] = {}

    @property
    def parameters(self) -> Sequence[Any]:
        return self._parameters

    def positions(self, parameters: Iterable[Any]) -> list[int]:
        """Where the given parameters stand among the watched ones; others are left out."""
        return [self._position[id(p)] for p in parameters if id(p) in self._position]

    def capture(self, positions: Iterable[int] | None = None) -> None:
        """Read the gradients of the parameters at `positions` (all by default) as they are now."""
        for index in range(len(self._parameters)) if positions is None else positions:
            gradient = getattr(self._parameters[index], "grad", None)
            self._captured[index] = None if gradient is None else norm_of(gradient)

    def forget(self) -> None:
        """Drop what was captured."""
        self._captured.clear()

    def take(self) -> tuple[Float32s, Flags]:
        """The row of norms and the row of marks; what wasn't captured is read now. Forgets what was captured."""
        captured = self._captured
        self.capture(index for index in range(len(self._parameters)) if index not in captured)
        pending = [(index, norm) for index, norm in captured.items() if isinstance(norm, tuple)]
        if pending:
            values = fetch([tensor for _, pair in pending for tensor in pair])
            for (index, _), square, peak in zip(pending, values[::2], values[1::2], strict=True):
                captured[index] = _joined(square, peak)
        norms = np.zeros(len(self._parameters), np.float32)
        flags = np.zeros(len(self._parameters), np.uint8)
        with np.errstate(over="ignore", under="ignore"):
            for index, parameter in enumerate(self._parameters):
                norm = captured[index]
                flag = 0 if getattr(parameter, "requires_grad", True) else FROZEN
                if norm is None or isinstance(norm, tuple):
                    flag |= NO_GRAD
                else:
                    norms[index] = norm
                    flag |= NAN if norm != norm else ZERO if norm == 0 else 0 if math.isfinite(norms[index]) else INF
                flags[index] = flag
        captured.clear()
        return norms, flags
