"""A model as it is now: its weights and the gradients that lie in it, without a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbtorch_widgets.doctor import reading
from nbtorch_widgets.doctor.findings import Finding, Report
from nbtorch_widgets.gradients import host_norm, named_parameters, on_host


def examine_model(model: Any) -> Report:
    """Parameters without gradients and why, numbers that are not finite, units that are all the same."""
    found: list[Finding] = []
    named = named_parameters(model)
    missing, zero, trainable = [], [], []
    for name, parameter in named:
        gradient = getattr(parameter, "grad", None) if getattr(parameter, "is_leaf", True) else None
        if not reading.finite(reading.host(parameter)):
            found.append(Finding("nan-weights", "error", None, name, {"layer": name}))
        if not getattr(parameter, "requires_grad", True):
            continue
        if not getattr(parameter, "is_leaf", True):
            found.append(Finding("non-leaf", "error", None, name, {"names": name}))
            continue
        trainable.append(name)
        if len(parameter.shape) >= 2 and reading.rows_equal(parameter) and name != named[-1][0]:
            value = float(np.abs(reading.host(parameter)).max())
            found.append(Finding("symmetric-now", "warning", None, name, {"names": name, "value": value}))
        if gradient is None:
            missing.append(name)
            continue
        norm = (
            host_norm(reading.part(gradient)) if getattr(gradient, "is_sparse", False) else host_norm(on_host(gradient))
        )
        if not np.isfinite(norm):
            found.append(Finding("nan-gradient", "error", None, name, {"layer": name}))
        elif norm == 0 and len(parameter.shape) >= 2:
            zero.append(name)
    if trainable and len(missing) == len(trainable):
        found.append(Finding("no-gradients-yet", "note", None, None, {"count": len(trainable)}))
    else:
        if missing:
            found.append(Finding("no-gradient", "error", None, missing[0], {"names": _some(missing)}))
        if zero:
            found.append(Finding("zero-now", "warning", None, zero[-1], {"names": _some(zero)}))
    return Report(found, f"{len(named)} parameters examined")


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" +{len(names) - 3}" if len(names) > 3 else "")
