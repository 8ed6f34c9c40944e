"""Rules on what goes in and comes out: inputs, targets, and the loss that was taken of them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nbtorch_widgets.doctor.chart import Chart, Sample, median
from nbtorch_widgets.doctor.findings import Evidence, Finding

_LARGE = 10.0  # rms of inputs that are surely not normalised
_HUGE = 25.0


def _share(samples: list[Sample], name: str) -> float:
    compared = [s for s in samples if s.finding.get("compared")]
    return sum(s.finding.get(name, 0.0) for s in compared) / max(1, len(compared))


def losses(chart: Chart) -> Iterator[Finding]:
    """Functions applied twice or not at all before the loss, and shapes that were broadcast."""
    samples = chart.samples
    if not samples:
        return
    step = samples[0].step
    wide = next((s.outputs.shape[-1] for s in samples if s.outputs is not None and s.outputs.shape), 2)
    if _share(samples, "broadcast") > 0.5:
        sample = next(s for s in samples if s.finding.get("broadcast"))
        assert sample.outputs is not None and sample.target is not None
        numbers: Evidence = {
            "outputs": str(list(sample.outputs.shape)),
            "targets": str(list(sample.target.shape)),
            "pairs": sample.finding["pairs"],
            "count": sample.finding["outputs"],
        }
        yield Finding("broadcast", "error", step, None, numbers)
    if _share(samples, "softmax twice") > 0.5:
        floor = math.log(1 + (wide - 1) / math.e)  # one output is 1, the others 0
        yield Finding("softmax-twice", "error", step, None, {"floor": floor})
    if _share(samples, "sigmoid twice") > 0.5:
        yield Finding("sigmoid-twice", "error", step, None, {})
    if _share(samples, "nll of probabilities") > 0.5:
        numbers = {"loss": chart.final_loss(), "what": "probabilities", "what_ko": "확률"}
        yield Finding("nll-input", "error", step, None, numbers)
    elif _share(samples, "nll of scores") > 0.5:
        numbers = {"loss": chart.final_loss(), "what": "raw scores", "what_ko": "점수"}
        yield Finding("nll-input", "error", step, None, numbers)
    if _share(samples, "relu scores") > 0.5 and not chart.learned:
        yield Finding("relu-scores", "warning", step, None, {})


def inputs(chart: Chart) -> Iterator[Finding]:
    """Inputs that are not normalised or all the same; targets far from where outputs start."""
    samples = [s for s in chart.samples if s.inputs is not None and s.inputs.finite]
    if not samples:
        return
    step = samples[0].step
    first = samples[0]
    values = [s.inputs for s in samples if s.inputs is not None]
    embedded = bool(first.finding.get("first is embedding")) or not values[0].real
    if len(samples) >= 3 and all(v.constant for v in values):
        means = [v.mean for v in values]
        if max(means) - min(means) <= 1e-6 * max(1.0, abs(means[0])):
            yield Finding("constant-input", "error", step, None, {"samples": len(samples), "mean": means[0]})
            return
    size = median([v.rms for v in values])
    trouble = chart.course() != "better" or chart.fallen_to() > 0.7
    large = size > _HUGE or (size > _LARGE and trouble and not chart.learned)
    if large and not embedded and not first.finding.get("first is norm"):
        v = values[0]
        numbers: Evidence = {"mean": v.mean, "std": v.std, "low": v.low, "high": v.high}
        yield Finding("input-scale", "error" if trouble else "warning", step, None, numbers)
    target, out = first.target, first.outputs
    if target is None or out is None or not target.real or chart.learned:
        return
    if target.rms > 30 and target.rms > 30 * max(out.rms, 1e-3):
        numbers = {"mean": target.mean, "std": target.std, "out": out.std, "start": chart.initial_loss()}
        yield Finding("target-scale", "warning", step, None, numbers)


RULES = (losses, inputs)
