"""Outputs, targets and loss held against each other: is it the loss that was meant?

What a loss would be if outputs and targets met in the usual way, or in one of the wrong ways, is computed here, and the
run's own loss says which it was. The graph of the loss tells of functions that were applied twice.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from nbtorch_widgets.doctor import reading
from nbtorch_widgets.doctor.chart import Sample

_MOST = 4096
_CLOSE = 2e-3


def compare(sample: Sample, loss: Any, value: float | None, output: Any, batch: Any) -> None:
    """Put what is found into `sample.finding` (name to 1.0) and `sample.target`."""
    found = sample.finding
    names = [name.rstrip("0123456789").removesuffix("Backward") for name in reading.chain(loss)]
    _read_names(found, names)
    if output is None or value is None or not math.isfinite(value):
        return
    outputs = reading.host(output).astype(float)
    found["probabilities"] = float(_are_probabilities(outputs))
    tensors = list(reading.tensors(batch))
    targets = [t for t in tensors[1:] if hasattr(t, "shape")]
    if not targets or outputs.ndim < 1 or outputs.size > _MOST * 64:
        return
    target = targets[-1]
    sample.target = reading.summary(target)
    numbers = reading.host(target)
    _compare_classes(found, value, outputs, numbers)
    _compare_shapes(found, value, outputs, numbers)


def _read_names(found: dict[str, float], names: list[str]) -> None:
    kept = [n for n in names if not n.startswith(("View", "Mean", "Squeeze", "Div", "Unsafe"))]
    pairs = list(itertools.pairwise(kept))
    if any(a == "LogSoftmax" and b == "Softmax" for a, b in pairs[:3]):
        found["softmax twice"] = 1.0
    if any(a.startswith("NllLoss") and b == "Softmax" for a, b in pairs[:2]):
        found["nll of probabilities"] = 1.0
    if any(a.startswith("NllLoss") and b.startswith(("Addmm", "Mm", "Linear", "Add", "Relu")) for a, b in pairs[:2]):
        found["nll of scores"] = 1.0
    if any(a.startswith("BinaryCrossEntropyWithLogits") and b == "Sigmoid" for a, b in pairs[:2]):
        found["sigmoid twice"] = 1.0
    if any(a == "LogSoftmax" and b == "Relu" for a, b in pairs[:3]):
        found["relu scores"] = 1.0


def _are_probabilities(outputs: npt.NDArray[Any]) -> bool:
    if outputs.ndim < 2 or outputs.shape[-1] < 2 or not outputs.size:
        return False
    rows = outputs.reshape(-1, outputs.shape[-1])[:256]
    return bool((rows >= 0).all() and np.allclose(rows.sum(-1), 1, atol=1e-4))


def _compare_classes(
    found: dict[str, float], value: float, outputs: npt.NDArray[Any], target: npt.NDArray[Any]
) -> None:
    if outputs.ndim != 2 or target.dtype.kind not in "iu" or target.shape != outputs.shape[:1]:
        return
    if not found["probabilities"] or target.min(initial=0) < 0 or target.max(initial=0) >= outputs.shape[1]:
        return
    chosen = outputs[np.arange(len(target)), target]
    again = float((np.log(np.exp(outputs).sum(1)) - chosen).mean())
    if _close(value, again):
        found["softmax twice"] = 1.0
    if _close(value, -float(chosen.mean())):
        found["nll of probabilities"] = 1.0


def _compare_shapes(found: dict[str, float], value: float, outputs: npt.NDArray[Any], target: npt.NDArray[Any]) -> None:
    """A column of outputs and a row of targets make a table of all pairs, silently."""
    if outputs.shape == target.shape or target.dtype.kind not in "fiu" or outputs.size != target.size:
        return
    if outputs.size < 2 or outputs.size > 2048 or min(outputs.ndim, target.ndim) < 1:
        return
    try:
        pairs = outputs - target.astype(float)
    except ValueError:
        return
    if pairs.size <= outputs.size or pairs.size > 1 << 20:
        return
    straight = outputs.ravel() - target.astype(float).ravel()
    for loss in (np.square, np.abs, _huber):
        wrong, right = loss(pairs), loss(straight)
        for reduce in (np.mean, np.sum):
            if _close(value, float(reduce(wrong))) and not _close(value, float(reduce(right))):
                found["broadcast"] = 1.0
                found["pairs"], found["outputs"] = float(pairs.size), float(outputs.size)
                return


def _huber(difference: npt.NDArray[Any]) -> npt.NDArray[Any]:
    size = np.abs(difference)
    loss: npt.NDArray[Any] = np.where(size < 1, 0.5 * size**2, size - 0.5)
    return loss


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= _CLOSE * max(abs(a), abs(b), 1e-9)
