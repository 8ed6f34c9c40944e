"""Rules on the pace: learning rates over the edge or far below it, and weight decay that wins."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nbtorch_widgets.doctor.chart import Chart, Floats, median
from nbtorch_widgets.doctor.findings import Evidence, Finding

_USUAL = 1e-3  # update over weight: Karpathy's rule of thumb
_TOO_SLOW = 1e-5
_TOO_FAST = 0.1
_BLOWN_UP = 5.0  # the loss at its worst, over its start
_OVER_THE_EDGE = 2.0  # gradient descent diverges where lr times curvature is more than this


def rates(chart: Chart) -> list[float]:
    """The greatest learning rate of each sample."""
    return [max((abs(g.lr) for g in s.groups if not math.isnan(g.lr)), default=math.nan) for s in chart.samples]


def too_high(chart: Chart) -> Iterator[Finding]:
    """Steps that are too large: the loss rises or jumps about."""
    samples = chart.samples
    course = chart.course()
    if len(samples) < 3 or (course == "better" and chart.fallen_to() < 0.7):
        return
    loss = chart.losses[1]
    start, end = chart.initial_loss(), chart.final_loss()
    whole = loss[np.isfinite(loss)]
    peak = _peak(whole)
    begun = float(loss[0]) if len(loss) and math.isfinite(loss[0]) else start
    rate = median(rates(chart))
    ratio = _ratio(chart)
    swing = median([s.swing for s in samples])
    edge = median([r * s.sharpness for r, s in zip(rates(chart), samples, strict=True)])
    base = max(abs(begun), 1e-9)
    blown = (len(loss) and not np.isfinite(loss).all()) or peak > _BLOWN_UP * base + 0.5
    blown = blown or any(not s.weight_finite.all() for s in samples)
    weights = chart.table("weight")
    grown = float(np.nanmax(weights[-1] / np.maximum(weights[0], 1e-3), initial=0.0)) if len(weights) else 0.0
    fast = ratio > _TOO_FAST
    swings = swing < -0.5 and ratio > 3e-3
    over = edge > 0.9 * _OVER_THE_EDGE and ratio > 3e-3 and swing < -0.2
    several = chart.optimizers > 1
    if not (
        (blown and (ratio > 0.02 or grown > 10))
        or (fast and course in ("flat", "worse", "broken") and not several)
        or ((swings or over) and course in ("flat", "worse", "broken"))
        or (course == "worse" and ratio > 0.03 and not several)
    ):
        return
    first = next((s for s in samples if s.loss is not None and not s.loss <= 1.5 * base), samples[0])
    divide = 10 if ratio < 1 else min(1000, 10 ** math.ceil(math.log10(max(ratio, 1) / 0.01)))
    more = more_ko = ""
    if swing < -0.2:
        more, more_ko = (
            f"; successive gradients point back (cosine {swing:.2f})",
            f"; 이어지는 그래디언트가 반대 방향입니다(코사인 {swing:.2f})",
        )
    if edge > 1:
        more += f"; lr × curvature is {edge:.2g}, and 2 is the edge"
        more_ko += f"; 학습률 × 곡률이 {edge:.2g}이고 2가 한계입니다"
    numbers: Evidence = {
        "lr": rate,
        "start": begun,
        "peak": peak if np.isfinite(loss).all() else math.inf,
        "end": end,
        "ratio": ratio,
        "divide": divide,
        "more": more,
        "more_ko": more_ko,
    }
    yield Finding("lr-high", "error", first.step, None, numbers)


def _peak(loss: Floats) -> float:
    """The greatest of medians of three neighbours: one noisy batch is no peak."""
    if loss.size < 5:
        return float(loss.max()) if loss.size else math.nan
    return float(np.median(np.stack([loss[:-2], loss[1:-1], loss[2:]]), axis=0).max())


def _ratio(chart: Chart) -> float:
    """How fast weights change: the median over the early samples or all, whichever is greater."""
    rows = chart.ratios()
    if not rows.size:
        weight, update = chart.table("weight"), chart.table("update")
        with np.errstate(all="ignore"):
            rows = np.where(weight > 0, update / weight, np.nan)
    early = median(rows[:3])
    return float(np.nanmax([early, median(rows), 0.0]))


def too_low(chart: Chart) -> Iterator[Finding]:
    """Steps that are too small, and schedules that end them."""
    samples = chart.samples
    known = [r for r in rates(chart) if not math.isnan(r)]
    if len(samples) < 5 or not known:
        return
    top, last = max(known), known[-1]
    tiny = [s for s, r in zip(samples, rates(chart), strict=True) if r < 1e-3 * top]
    if top > 0 and last < 1e-3 * top and len(tiny) >= 0.5 * len(samples) and tiny[-1] is samples[-1]:
        if not chart.learned:
            numbers: Evidence = {"first": known[0], "last": last, "step": tiny[0].step}
            yield Finding("lr-collapsed", "error", tiny[0].step, None, numbers)
        return
    rows = chart.ratios()
    by_sample = np.array([median(row) for row in rows]) if rows.size else np.zeros(0)
    by_sample = by_sample[np.isfinite(by_sample)]
    if not by_sample.size:
        return
    ratio = float(np.quantile(by_sample, 0.9))
    start, end = chart.initial_loss(), chart.final_loss()
    if ratio < _TOO_SLOW and chart.course() in ("flat", "unknown") and not abs(end) < 1e-4:
        factor = "∞" if ratio == 0 else f"{10 ** round(math.log10(_USUAL / ratio)):.0e}".replace("e+0", "e")
        numbers = {"lr": top, "ratio": ratio, "start": start, "end": end, "factor": factor}
        yield Finding("lr-low", "error", samples[0].step, None, numbers)


def decay(chart: Chart) -> Iterator[Finding]:
    """Weight decay that pulls harder than the gradient."""
    samples = chart.samples
    if len(samples) < 4 or chart.learned:
        return
    strongest = max((g for s in samples for g in s.groups), key=lambda g: g.weight_decay, default=None)
    if strongest is None or strongest.weight_decay <= 0:
        return
    chosen = [i for i in chart.weights() if chart.parameters[i].owned]
    weight, grad = chart.table("weight")[:, chosen], chart.table("grad")[:, chosen]
    sizes = np.array([math.sqrt(chart.parameters[i].size) for i in chosen])
    with np.errstate(all="ignore"):
        pull = median(
            np.where(grad > 0, strongest.weight_decay * weight * sizes / grad, np.nan)[: len(samples) // 2 + 1]
        )
        left = median(weight[-1] / weight[0])
    if left < 0.5 and pull > 1 and strongest.weight_decay > 0.02:
        numbers: Evidence = {"decay": strongest.weight_decay, "pull": pull, "left": left}
        yield Finding("decay", "error", samples[0].step, None, numbers)


RULES = (too_high, too_low, decay)
