"""Rules on numbers that are not finite: where the first of them was born."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nbtorch_widgets.doctor.chart import Chart, Sample
from nbtorch_widgets.doctor.findings import Evidence, Finding

_GROWTH = 30.0  # growth of loss or gradients before the first NaN that makes it a divergence


def diverged_before(chart: Chart, sample: Sample) -> bool:
    """Whether loss, gradients or weights had grown out of proportion before this sample."""
    earlier = [s for s in chart.samples if s.step < sample.step]
    losses = [abs(s.loss) for s in earlier if s.loss is not None and math.isfinite(s.loss)]
    peaks = [float(np.nanmax(s.grad, initial=0.0)) for s in earlier if s.grad_finite.all()]
    weights = [float(np.nanmax(s.weight, initial=0.0)) for s in [*earlier, sample] if s.weight_finite.all()]
    if sample.loss is not None and math.isfinite(sample.loss):
        losses.append(abs(sample.loss))

    def grew(values: list[float], least: float) -> bool:
        return len(values) >= 2 and values[0] >= 0 and max(values[1:]) > _GROWTH * max(values[0], least)

    return grew(losses, 1e-3) or grew(peaks, 1e-3) or grew(weights, 1e-2)


def first_broken(chart: Chart) -> Sample | None:
    """The first sample in which something is not finite."""
    for sample in chart.samples:
        loss_broken = sample.loss is not None and not math.isfinite(sample.loss)
        gradients_broken = bool((~sample.grad_finite & sample.has_grad).any())
        if loss_broken or gradients_broken or not sample.weight_finite.all() or sample.batch_finite is False:
            return sample
    return None


def births(chart: Chart) -> Iterator[Finding]:
    """Where the first NaN or Inf was born: data, weights, forward, loss or backward."""
    sample = first_broken(chart)
    if sample is None:
        return
    names = [p.name for p in chart.parameters]
    if chart.alarm_part:
        yield _in_data(chart.alarm_part, chart.alarm or sample.step)
        return
    later = [s for s in chart.samples if s.step >= sample.step and s.batch_finite is False]
    inputs = sample.inputs is not None and sample.inputs.real and not sample.inputs.finite
    if later and (sample.batch_finite is False or not sample.weight_finite.all()):
        bad = later[0]
        yield _in_data(bad.batch_part, bad.step)
        return
    if inputs and sample.weight_finite.all():
        yield _in_data("inputs", sample.step)
        return
    if not sample.weight_finite.all():
        if sample.step == 1:
            layer = names[int(np.argmin(sample.weight_finite))]
            yield Finding("nan-weights", "error", sample.step, layer, {"layer": layer})
            return
        if diverged_before(chart, sample):
            return
        # Born in a step that nobody saw: the sentinel knows which one.
        layer = [n for n, ok in zip(names, sample.weight_finite, strict=True) if not ok][-1]
        step = chart.alarm or sample.step
        if chart.alarm_loss is not None and not math.isfinite(chart.alarm_loss):
            yield Finding("nan-loss", "error", step, None, {"loss": chart.alarm_loss, "step": step})
            return
        loss = "?" if chart.alarm_loss is None else chart.alarm_loss
        yield Finding("nan-backward", "error", step, layer, {"step": step, "loss": loss, "layer": layer})
        return
    if diverged_before(chart, sample):
        return
    if sample.born is not None:
        layer = sample.born or "the model"
        yield Finding("nan-forward", "error", sample.step, layer, {"layer": layer, "step": sample.step})
        return
    outputs_broken = sample.outputs is not None and not sample.outputs.finite
    if outputs_broken:
        numbers: Evidence = {"layer": "the model", "layer_ko": "모델", "step": sample.step}
        yield Finding("nan-forward", "error", sample.step, None, numbers)
    elif sample.loss is not None and not math.isfinite(sample.loss):
        yield Finding("nan-loss", "error", sample.step, None, {"loss": sample.loss, "step": sample.step})
    else:
        broken = [n for n, ok, has in zip(names, sample.grad_finite, sample.has_grad, strict=True) if has and not ok]
        numbers = {"loss": math.nan if sample.loss is None else sample.loss, "layer": broken[-1], "step": sample.step}
        if sample.loss is None:
            numbers["loss"] = "?"
        yield Finding("nan-backward", "error", sample.step, broken[-1], numbers)


def _in_data(part: str, step: int) -> Finding:
    words = {"inputs": ("inputs", "입력"), "targets": ("targets", "목푯값")}[part or "inputs"]
    return Finding("nan-data", "error", step, None, {"part": words[0], "part_ko": words[1], "step": step})


RULES = (births,)
