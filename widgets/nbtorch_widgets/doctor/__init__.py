"""The gradient doctor: what is wrong with a training, with the numbers that show it.

`probe.py` gathers evidence at a few steps of every watched run, `chart.py` holds it, the rules (`wiring.py`,
`numeric.py`, `data.py`, `flow.py`, `pace.py`) read the chart and nothing else, `rules.py` puts causes before effects.
"""

from __future__ import annotations

from typing import Any

from nbtorch_widgets.doctor.findings import Finding, Report

__all__ = ["Finding", "Report", "doctor"]


def doctor(thing: Any) -> Report:
    """Examine a run (what `watch` returned, or a widget of it), or a model as it is now.

        run = watch(model, optimizer, loader)
        ...
        nbtorch_widgets.doctor(run)

    Of a model without a run, only what can be seen at rest is examined: parameters without gradients, numbers that are
    not finite, layers whose units are all the same.

    Raises:
        TypeError: for anything else.
    """
    from nbtorch_widgets.doctor.model import examine_model
    from nbtorch_widgets.doctor.probe import DoctorProbe
    from nbtorch_widgets.doctor.rules import examine

    telemetry = getattr(thing, "telemetry", thing)
    probe = next((p for p in getattr(telemetry, "probes", ()) if isinstance(p, DoctorProbe)), None)
    if probe is not None:
        return examine(probe.chart)
    if callable(getattr(thing, "parameters", None)):
        return examine_model(thing)
    raise TypeError(
        "doctor() expected a run, as nbtorch_widgets.watch(model, optimizer, loader) returns it, or a model with "
        f"parameters(); got {type(thing).__name__}"
    )
