"""All rules, in the order of causes, and which finding another one explains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from nbtorch_widgets.doctor import data, flow, numeric, pace, wiring
from nbtorch_widgets.doctor.chart import Chart
from nbtorch_widgets.doctor.findings import Finding, Report

Rule = Callable[[Chart], Iterable[Finding]]

RULES: tuple[Rule, ...] = (*numeric.RULES, *wiring.RULES, *data.RULES, *flow.RULES, *pace.RULES)

_FLOW = {"dead-relu", "saturated", "vanishing", "tiny-gradient", "zero-gradient", "exploding", "symmetric"}
_PACE = {"lr-high", "lr-low", "lr-collapsed", "decay"}
_DATA = {"input-scale", "target-scale"}
_NAN = {"nan-data", "nan-weights", "nan-forward", "nan-loss", "nan-backward"}

#: What follows from a finding and isn't told beside it.
EXPLAINS: Mapping[str, set[str]] = {
    **{code: _FLOW | _PACE | _DATA | {"uphill", "zero-grad"} for code in _NAN},
    "loss-cut": _FLOW | _PACE | _DATA | {"no-step", "no-backward", "unused", "detached", "no-grad"},
    "no-backward": _FLOW | _PACE | {"no-step", "unused", "detached"},
    "no-step": _FLOW | _PACE | {"zero-grad", "not-in-optimizer"},
    "other-model": _FLOW | _PACE | {"not-in-optimizer", "no-step", "zero-grad"},
    "zeroed": _FLOW | _PACE | {"no-step", "unused", "detached", "no-backward"},
    "step-first": _FLOW | _PACE | {"zero-grad", "uphill", "unused", "detached", "no-grad"},
    "zero-grad": _FLOW | _PACE | {"uphill"},
    "uphill": _FLOW | _PACE | _DATA,
    "clipped": _PACE | _FLOW,
    "dropout": _FLOW | _PACE,
    "non-leaf": _PACE | {"unused", "detached", "not-in-optimizer"},
    "broadcast": _FLOW | _PACE,
    "softmax-twice": _FLOW | _PACE,
    "sigmoid-twice": _FLOW | _PACE,
    "nll-input": _FLOW | _PACE,
    "constant-input": _FLOW | _PACE | _DATA,
    "input-scale": _FLOW | _PACE | {"target-scale"},
    "target-scale": _FLOW | _PACE,
    "symmetric": _FLOW | _PACE,
    "dead-relu": {"vanishing", "tiny-gradient", "zero-gradient", "relu-scores", "lr-low", "decay"},
    "saturated": {"vanishing", "tiny-gradient", "zero-gradient", "lr-low"},
    "vanishing": {"lr-low", "tiny-gradient", "zero-gradient", "decay"},
    "tiny-gradient": {"lr-low"},
    "zero-gradient": {"vanishing", "tiny-gradient"},
    "exploding": {"lr-high", "saturated", "dead-relu"},
    "lr-high": {"dead-relu", "saturated", "vanishing", "tiny-gradient", "zero-gradient", "decay"},
    "decay": {"lr-low", "dead-relu", "vanishing", "tiny-gradient"},
    "lr-collapsed": {"lr-low"},
}


def examine(chart: Chart) -> Report:
    """Apply every rule to a chart: the causes first, without what they explain."""
    found = [finding for rule in RULES for finding in rule(chart)]
    # Units that were dead, or values at the flat ends, before any step: no learning rate did that.
    early = {f.code for f in found if f.code in ("dead-relu", "saturated") and f.step == chart.samples[0].step}
    if early:
        found = [f for f in found if f.code != "lr-high"]
    if any(f.code == "decay" for f in found):  # the pull makes steps large, and not along the gradient
        found = [f for f in found if f.code not in ("lr-high", "uphill")]
    explained: set[str] = set()
    for finding in found:
        if finding.code not in explained:
            explained |= EXPLAINS.get(finding.code, set()) - {finding.code}
    kept = [f for f in found if f.code not in explained]
    steps = f"{len(chart.samples)} of {chart.steps_seen} steps examined"
    return Report(kept, steps)
