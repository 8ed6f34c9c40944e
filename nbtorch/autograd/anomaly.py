"""Finding where a NaN was born: ``detect_anomaly`` and ``set_detect_anomaly``."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from .modes import grad_mode
from .variable import Variable, describe_where


class set_detect_anomaly:
    """Switches anomaly detection for this thread; as a context manager, until its end.

    Args:
        mode: look at every gradient for NaN (slow: each look waits for the device).
        check_nan: accepted for PyTorch's sake; the check is what this does.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = grad_mode.anomaly
        grad_mode.anomaly = bool(mode) and check_nan

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        grad_mode.anomaly = self._before


class detect_anomaly(set_detect_anomaly):
    """Inside, backward raises at the first node that returns a NaN, and names the user's line that recorded it."""

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on in this thread."""
    return grad_mode.anomaly


def check_gradients(node: Any, grads: Any) -> None:
    """Raises if a gradient has a NaN.

    Raises:
        RuntimeError: naming the node and the line of the forward pass that made it.
    """
    for i, grad in enumerate(grads):
        if grad is None:
            continue
        array = grad._array if isinstance(grad, Variable) else grad
        if array.dtype.kind != "f" or not bool((array != array).any()):
            continue
        raise RuntimeError(
            f"Function '{node.name()}' returned nan values in its {i}th output.\n"
            f"  recorded at {describe_where(node.where)}\n"
            "  usual causes: log or sqrt or a division at 0, or inf - inf; where() does not hide it, since 0 * inf is "
            "NaN too\n"
            "  fix: keep the input in the domain before the operation, for example x.clamp(min=1e-12).log()"
        )
