"""Rules on the flow of gradients through the layers: vanishing, exploding, dead, saturated, symmetric."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nbtorch_widgets.doctor.chart import Chart, Floats, Sample, median
from nbtorch_widgets.doctor.findings import Evidence, Finding
from nbtorch_widgets.doctor.wiring import names_of

_VANISHED = 1e-4  # the lowest layers' gradient as a share of the upper ones'
_EXPLODED = 1e3
_DEAD = 0.6  # share of units that are zero for every example of every batch
_SATURATED = 0.6  # share of values at the flat ends
_SATURATED_AT_START = 0.4


def symmetric(chart: Chart) -> Iterator[Finding]:
    """Layers whose units are all the same and stay so."""
    samples = chart.samples
    if len(samples) < 2:
        return
    weights = chart.weights()
    found = [i for i in weights if samples[0].symmetric[i] and samples[-1].symmetric[i]]
    # A last layer of zeros is a common start; what feeds other layers makes them the same.
    if found and (len(weights) == 1 or found != [weights[-1]] or samples[-1].update[found].max() == 0):
        parameters = [chart.parameters[i] for i in found]
        if all(p.kind == "Embedding" for p in parameters):
            return
        value = samples[0].weight[found[0]]
        numbers: Evidence = {
            "names": names_of(parameters),
            "value": "0" if value == 0 else f"±{value:.2g}",
            "step": samples[0].step,
            "samples": len(samples),
        }
        yield Finding("symmetric", "error", samples[0].step, parameters[0].module or parameters[0].name, numbers)


def dead(chart: Chart) -> Iterator[Finding]:
    """Units after a ReLU that no example switches on."""
    samples = [s for s in chart.samples if s.activations]
    if not samples:
        return
    late = samples[len(samples) // 2 :] if len(samples) >= 6 else samples
    shares: dict[str, tuple[float, int]] = {}
    for position, activation in enumerate(samples[-1].activations):
        if activation.kind != "relu":
            continue
        masks = [
            s.activations[position].dead
            for s in late
            if position < len(s.activations) and s.activations[position].dead.shape == activation.dead.shape
        ]
        share = float(np.mean(np.logical_and.reduce(masks)))
        if share > shares.get(activation.module, (-1.0, 0))[0]:
            shares[activation.module] = share, activation.dead.size
    bad = {layer: found for layer, found in shares.items() if found[0] >= _DEAD and found[1] >= 2}
    if not bad or chart.learned:
        return
    layer, (share, units) = max(bad.items(), key=lambda item: item[1][0])
    if share < 0.85 and chart.course() == "better":
        return
    step = _since(samples, lambda s: _dead_share(s, layer) >= min(share, 0.95) * 0.9)
    severity = "error" if share >= 0.85 else "warning"
    numbers: Evidence = {"percent": round(100 * share), "units": units, "layer": layer, "step": step}
    yield Finding("dead-relu", severity, step, layer, numbers)  # type: ignore[arg-type]


def _dead_share(sample: Sample, layer: str) -> float:
    return max((float(a.dead.mean()) for a in sample.activations if a.module == layer and a.kind == "relu"), default=0)


def dead_from_start(chart: Chart, layer: str | None) -> bool:
    """Whether the units of a layer were dead before the first step."""
    return bool(chart.samples) and _dead_share(chart.samples[0], layer or "") >= _DEAD


def saturated(chart: Chart) -> Iterator[Finding]:
    """tanh and sigmoid at their flat ends, hidden layers only."""
    samples = [s for s in chart.samples if s.activations]
    if not samples or chart.learned:
        return
    weighted = [p.module for p in chart.parameters if p.is_weight]
    last = weighted[-1] if weighted else ""
    shares: dict[tuple[str, str], list[float]] = {}
    for sample in samples:
        for a in sample.activations:
            if a.kind != "relu" and a.module != last:
                shares.setdefault((a.module, a.kind), []).append(a.saturated)
    scores = {key: (median(v[:3]), median(v[-max(1, len(v) // 2) :])) for key, v in shares.items()}
    bad = {
        key: max(score)
        for key, score in scores.items()
        if score[1] >= _SATURATED or (min(score) >= _SATURATED_AT_START and chart.course() != "better")
    }
    if not bad:
        return
    (layer, kind), share = max(bad.items(), key=lambda item: item[1])
    step = _since(samples, lambda s: any(a.module == layer and a.saturated >= share * 0.8 for a in s.activations))
    numbers: Evidence = {"kind": kind, "percent": round(100 * share), "layer": layer, "step": step}
    yield Finding("saturated", "error" if share >= 0.8 else "warning", step, layer, numbers)


def _since(samples: list[Sample], holds: object) -> int:
    """The step from which on a condition holds at every sample; the first where it holds if none."""
    step = samples[-1].step
    for sample in reversed(samples):
        if not holds(sample):  # type: ignore[operator]
            break
        step = sample.step
    return step


def gradient_rms(chart: Chart) -> tuple[list[int], Floats]:
    """The trainable matrices with gradients (no embeddings: most of their rows get none) and [R, W] rms gradients."""
    chosen = [i for i in chart.weights() if chart.parameters[i].kind not in ("Embedding", "EmbeddingBag")]
    sizes = np.array([math.sqrt(chart.parameters[i].size) for i in chosen])
    grads = chart.table("grad")[:, chosen]
    has = np.array([s.has_grad[chosen] & s.grad_finite[chosen] for s in chart.samples]).reshape(grads.shape)
    with np.errstate(all="ignore"):
        return chosen, np.where(has, grads / np.maximum(sizes, 1), np.nan)


def vanishing(chart: Chart) -> Iterator[Finding]:
    """Gradients that shrink on their way back; and gradients that are tiny everywhere."""
    if len(chart.samples) < 2:
        return
    chosen, rms = gradient_rms(chart)
    if not chosen:
        return
    typical = np.array([median(column) for column in rms[: max(3, len(rms) // 2)].T])
    if len(chosen) >= 4 and not chart.learned:
        third = max(1, len(chosen) // 3)
        low_at, high_at = int(np.nanargmin(_known(typical[:third]))), int(np.nanargmax(_known(typical[-third:])))
        low, high = typical[low_at], typical[len(typical) - third + high_at]
        falls = np.diff(np.log10(np.maximum(_known(typical), 1e-45)))
        if high > 0 and low / high < _VANISHED and (falls > -0.3).mean() >= 0.6 and (falls > 0.05).sum() >= 3:
            layer = chart.parameters[chosen[low_at]].name
            top = chart.parameters[chosen[len(chosen) - third + high_at]].name
            numbers: Evidence = {"layer": layer, "low": low, "factor": low / high, "top": top, "high": high}
            yield Finding("vanishing", "error", chart.samples[0].step, layer, numbers)
            return
    relative = _relative(chart, chosen, typical)
    if relative < 1e-5 and chart.course() == "flat" and chart.ratio() < 1e-5 and not _near_zero(chart):
        numbers = {"relative": relative, "start": chart.initial_loss(), "end": chart.final_loss()}
        yield Finding("tiny-gradient", "error", chart.samples[0].step, None, numbers)


def _near_zero(chart: Chart) -> bool:
    return abs(chart.final_loss()) < 1e-3


def _known(values: Floats) -> Floats:
    return np.where(np.isnan(values), 0.0, values)


def _relative(chart: Chart, chosen: list[int], typical: Floats) -> float:
    """The median gradient as a share of its weight."""
    weight = np.array([median(column) for column in chart.table("weight")[:, chosen].T])
    with np.errstate(all="ignore"):
        return median(np.where(weight > 0, typical / weight, np.nan))


def one_layer(chart: Chart) -> Iterator[Finding]:
    """A layer whose gradient is exactly zero although others' are not."""
    samples = chart.samples
    if len(samples) < 3:
        return
    grads = chart.table("grad")
    has = np.array([s.has_grad for s in samples])
    zero = has.all(axis=0) & (grads == 0).all(axis=0)
    alive = has.any(axis=0) & (grads > 0).any(axis=0)
    found = [i for i in chart.weights() if zero[i]]
    if not found or not alive.any():
        return
    # The layer nearest to the loss: what is in front of it gets nothing because it does.
    parameter = chart.parameters[found[-1]]
    others = float(np.median(grads[-1][alive]))
    numbers: Evidence = {
        "names": names_of([chart.parameters[i] for i in found]),
        "samples": len(samples),
        "other": others,
    }
    yield Finding("zero-gradient", "error", samples[0].step, parameter.module or parameter.name, numbers)


def exploding(chart: Chart) -> Iterator[Finding]:
    """Gradients that grow on their way back, or in leaps; not those of a training that diverges by its steps."""
    samples = chart.samples
    if not samples or chart.learned:
        return
    chosen, rms = gradient_rms(chart)
    if not chosen:
        return
    totals = np.array([float(np.sqrt(np.nansum(row**2))) for row in chart.table("grad")])
    first = _known(rms[0])
    peak_at = int(np.nanargmax(np.where(np.isfinite(totals), totals, -1)))
    peak = totals[peak_at]
    layer = chart.parameters[chosen[int(np.argmax(_known(rms[peak_at])))]].name
    recurrent = any(word in kind for kind in chart.kinds.values() for word in ("RNN", "LSTM", "GRU"))
    recurrent = recurrent or any(".weight_hh" in p.name or p.name.startswith("weight_hh") for p in chart.parameters)
    step = samples[peak_at].step
    third = max(1, len(chosen) // 3)
    back, front = float(first[:third].max()), float(first[-third:].max())
    weight = _known(samples[0].weight[chosen])
    start = totals[0]
    with np.errstate(all="ignore"):
        relative = float(np.nanmax(np.where(weight > 0, first / weight, np.nan))) if (weight > 0).any() else 0.0
    if len(chosen) >= 4 and front > 0 and back / front > _EXPLODED and start > 10:
        how, how_ko = (
            f"it grows {back / front:.0e} times from the last layers to the first",
            (f"마지막 층에서 첫 층까지 {back / front:.0e}배 커집니다"),
        )
    elif start > 1e3 and (relative > 10 or not math.isfinite(start)):
        how, how_ko = f"it is {start:.1e} before the first update", f"첫 갱신 전에 이미 {start:.1e}입니다"
    elif not math.isfinite(start):
        how, how_ko = "it is not finite before the first update", "첫 갱신 전에 이미 유한하지 않습니다"
    elif recurrent and peak > 100 and peak > 50 * median(totals) and chart.course() != "better":
        how, how_ko = f"its median is {median(totals):.1e}", f"중앙값은 {median(totals):.1e}입니다"
    else:
        return
    yield Finding("exploding", "error", step, layer, {"peak": peak, "step": step, "how": how, "how_ko": how_ko})


RULES = (symmetric, dead, saturated, vanishing, one_layer, exploding)
