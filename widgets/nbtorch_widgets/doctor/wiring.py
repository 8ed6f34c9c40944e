"""Rules on how the loop is wired: which gradients arrive, who clears them, and what the optimizer holds."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nbtorch_widgets.doctor.chart import Chart, Parameter, median
from nbtorch_widgets.doctor.findings import Evidence, Finding

_MOST_NAMES = 3


def names_of(parameters: list[Parameter]) -> str:
    """A few names, and how many more there are."""
    shown = ", ".join(p.name for p in parameters[:_MOST_NAMES])
    return shown + (f" +{len(parameters) - _MOST_NAMES}" if len(parameters) > _MOST_NAMES else "")


def gradients(chart: Chart) -> Iterator[Finding]:
    """Parameters without a gradient, and why."""
    parameters = chart.parameters
    bent = [p for p in parameters if not p.leaf and p.requires_grad]
    if bent:
        yield Finding("non-leaf", "error", None, bent[0].name, {"names": names_of(bent)})
    frozen = [p for p in parameters if not p.requires_grad and p.owned]
    if frozen:
        yield Finding("frozen", "warning", None, frozen[0].module or frozen[0].name, {"names": names_of(frozen)})
    samples = chart.samples or ([chart.pending] if chart.pending is not None else [])
    trainable = [i for i, p in enumerate(parameters) if p.requires_grad and p.leaf]
    if not samples or not trainable:
        return
    tables = [s.has_grad for s in samples if len(s.has_grad) == len(parameters)]
    ever = np.zeros(len(parameters), bool)
    for table in tables:
        ever |= table
    arrived = any(s.backward for s in samples) or chart.idle_backwards > 0
    if not ever[trainable].any() and not arrived:
        yield from _nothing_arrives(chart, trainable)
        return
    if not tables or len(tables) < 2:
        return
    called = set().union(*(s.called for s in samples))
    silent = set().union(*(s.no_graph for s in samples))
    missing: dict[tuple[str, str], list[Parameter]] = {}
    for index in trainable:
        p = parameters[index]
        if ever[index] or (chart.optimizers and not p.owned):
            continue  # neither trained nor meant to be: a frozen part run under no_grad
        code = "unused" if p.module not in called and called else "no-grad" if p.module in silent else "detached"
        missing.setdefault((code, p.module), []).append(p)
    merged: dict[str, list[Parameter]] = {}
    for (code, _), found in missing.items():
        merged.setdefault(code, []).extend(found)
    for code, found in merged.items():
        # The cut is behind the last of the layers in front of it.
        layer = found[-1 if code == "detached" else 0].module or found[0].name
        numbers: Evidence = {"names": names_of(found), "samples": len(tables), "layer": layer}
        yield Finding(code, "warning" if code == "unused" else "error", samples[0].step, layer, numbers)


def _nothing_arrives(chart: Chart, trainable: list[int]) -> Iterator[Finding]:
    samples = chart.samples or ([chart.pending] if chart.pending is not None else [])
    if any(s.forwards for s in samples) and any(s.finding.get("loss is a leaf") for s in samples):
        why, why_ko = "the loss tensor has no graph behind it", "손실 텐서 뒤에 그래프가 없습니다"
    elif any(s.no_graph for s in samples):
        layer = sorted(set().union(*(s.no_graph for s in samples)))[0]
        why, why_ko = f"the output of {layer} requires no gradient", f"{layer}의 출력이 그래디언트를 요구하지 않습니다"
    elif chart.iterations >= 4 and chart.steps:
        yield Finding("no-backward", "error", samples[0].step, None, {"iterations": chart.iterations})
        return
    elif chart.iterations <= 1 and any(s.forwards for s in samples) and not chart.steps and not chart.samples:
        why, why_ko = "the loop ended in its first iteration", "첫 반복에서 학습이 끝났습니다"
        if not any("loss is a leaf" in s.finding for s in samples):
            return
    else:
        return
    yield Finding("loss-cut", "error", samples[0].step, None, {"count": len(trainable), "why": why, "why_ko": why_ko})


def optimizer(chart: Chart) -> Iterator[Finding]:
    """Parameters that the optimizer doesn't have; steps that are never made."""
    trainable = [p for p in chart.parameters if p.requires_grad]
    if chart.optimizers and trainable and chart.foreign and not any(p.owned for p in trainable):
        yield Finding("other-model", "error", None, None, {"count": len(trainable), "foreign": chart.foreign})
        return
    still = not any((s.update > 0).any() for s in chart.samples)
    if still and not chart.steps and chart.optimizers and chart.idle_backwards >= 4:
        yield Finding("no-step", "error", None, None, {"count": chart.idle_backwards})
        return
    if not chart.optimizers or len(chart.samples) < 2:
        return
    moved = np.nanmax(chart.table("update"), axis=0, initial=0.0) > 0
    gradient = chart.table("grad")
    left = [
        i
        for i, p in enumerate(chart.parameters)
        if p.requires_grad and p.leaf and not p.owned and not moved[i] and np.nanmax(gradient[:, i]) > 0
    ]
    if left:
        found = [chart.parameters[i] for i in left]
        first = int(np.argmax((gradient[:, left] > 0).any(axis=1)))
        numbers: Evidence = {
            "names": names_of(found),
            "grad": float(np.nanmax(gradient[first, left])),
            "step": chart.samples[first].step,
            "samples": len(chart.samples),
        }
        layer = found[0].module or found[0].name
        yield Finding("not-in-optimizer", "error", chart.samples[first].step, layer, numbers)


def order(chart: Chart) -> Iterator[Finding]:
    """zero_grad, backward and step in the wrong order, or one of them missing."""
    samples = [s for s in chart.samples if s.stepped]
    zeroed = [s for s in samples if s.zeroed]
    if len(zeroed) >= max(2, 0.6 * len(samples)):
        numbers: Evidence = {"own": zeroed[0].own, "count": len(zeroed), "samples": len(samples)}
        yield Finding("zeroed", "error", zeroed[0].step, None, numbers)
        return
    first = [s for s in samples if s.order.startswith("FSB")]
    if len(first) >= max(2, 0.6 * len(samples)):
        yield Finding("step-first", "error", first[0].step, None, {"count": len(first), "samples": len(samples)})
        return
    seen = [s for s in chart.samples if s.cleared is not None]
    kept = [s for s in seen if s.cleared is False]
    if len(kept) >= 2 and len(kept) >= 0.7 * len(seen):
        worst = max(
            (s for s in chart.samples if s.own > 0 and math.isfinite(s.used)),
            key=lambda s: s.used / s.own,
            default=kept[0],
        )
        numbers = {
            "share": f"{len(kept)}",
            "count": len(seen),
            "step": worst.step,
            "used": worst.used,
            "own": worst.own,
        }
        yield Finding("zero-grad", "error", kept[0].step, None, numbers)


def modes(chart: Chart) -> Iterator[Finding]:
    """Evaluation mode, and dropout that leaves nothing."""
    samples = chart.samples
    wrong = [s for s in samples if not s.training and s.modes]
    if len(wrong) >= max(2, 0.5 * len(samples)):
        yield Finding("evaluation", "error", wrong[0].step, None, {"count": len(wrong), "samples": len(samples)})
    harsh = {name: p for name, p in chart.dropout.items() if p >= 0.9}
    if harsh and samples and samples[-1].training:
        layer, p = max(harsh.items(), key=lambda item: item[1])
        yield Finding("dropout", "error", samples[0].step, layer, {"layer": layer, "p": p})


def direction(chart: Chart) -> Iterator[Finding]:
    """Steps that go up instead of down, or that clipping has made too small."""
    samples = chart.samples
    cosine = median([s.descent for s in samples])
    start, end = chart.initial_loss(), chart.final_loss()
    if len(samples) >= 3 and cosine > 0.3 and chart.course() != "better":
        yield Finding("uphill", "error", samples[0].step, None, {"cosine": cosine, "start": start, "end": end})
    shares = [s.used / s.own for s in samples if s.own > 0 and s.used > 0]
    ratio = chart.ratio()
    if len(shares) >= 3 and median(shares) < 0.02 and ratio < 1e-4 and chart.course() in ("flat", "unknown"):
        own, used = median([s.own for s in samples]), median([s.used for s in samples])
        yield Finding("clipped", "error", samples[0].step, None, {"own": own, "used": used, "ratio": ratio})


RULES = (optimizer, order, gradients, modes, direction)
