"""Rich displays of tensors, modules and optimizers as HTML: no script, no network, both themes, the same each time.

They work through PyTorch's public surface, so they show nbtorch's and PyTorch's own alike. The
kernel extension registers them for nbtorch's classes; ``text/plain`` stays the ``repr``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .heatmap import MAX_CELLS, Array, Statistics, heatmap, statistics
from .markup import escape, number_text
from .palette import STEPS, hex_color
from .trace import function_name

_BOX = 'style="font-size:13px;line-height:1.6;margin:2px 0"'
_CODE = "font-family:var(--jp-code-font-family,monospace)"
_MUTED = "opacity:.75"
_MAX_MODULES = 200
_OPEN_DEPTH = 2


def tensor_html(tensor: Any) -> str:
    """Shape, dtype, device and gradient state of a tensor, a heat map, and its gradient beside it."""
    facts = [escape(str(tensor.dtype).rpartition(".")[2]), escape(str(tensor.device))]
    if tensor.grad_fn is not None:
        facts.append(f"grad_fn={escape(function_name(tensor.grad_fn))}")
    elif tensor.requires_grad:
        facts.append("requires_grad")
    head = (
        f'<div><b>{escape(type(tensor).__name__)}</b> <span style="{_CODE}">{tuple(tensor.shape)}</span> '
        f'<span style="{_MUTED}">· {" · ".join(facts)}</span></div>'
    )
    array = host_array(tensor)
    if array is None:
        return f"<div {_BOX}>{head}</div>"
    # Asking a computed tensor for its gradient is an error in a user's program, and PyTorch warns: do not ask.
    has_grad = tensor.is_leaf or getattr(tensor, "retains_grad", False)
    grad = host_array(tensor.grad) if has_grad and tensor.grad is not None else None
    if grad is None:
        panels = _panel("", array, MAX_CELLS)
    else:
        panels = _panel("values", array, MAX_CELLS // 2) + _panel("gradient", grad, MAX_CELLS // 2)
    return (
        f'<div {_BOX}>{head}<div style="display:flex;flex-wrap:wrap;gap:8px 28px;align-items:flex-start">'
        f"{panels}</div></div>"
    )


def host_array(tensor: Any) -> Array | None:
    """The numbers of a tensor in host memory, or None where they are not plain numbers (complex, sparse, meta …)."""
    try:
        host = tensor.detach().cpu()
        try:
            array = np.asarray(host.numpy())
        except TypeError:  # PyTorch's bfloat16 has no NumPy counterpart
            array = np.asarray(host.float().numpy())
        if array.dtype.kind == "V":  # ml_dtypes' bfloat16
            array = array.astype(np.float32)
    except (TypeError, RuntimeError, ValueError, NotImplementedError):
        return None
    return array if array.dtype.kind in "biuf" else None


def _panel(title: str, array: Array, max_cells: int) -> str:
    heading = f'<div style="{_MUTED}">{title}</div>' if title else ""
    if not array.size:
        return f'<div>{heading}<div style="{_MUTED}">no elements</div></div>'
    if array.size == 1:
        value = array.item()
        text = str(value) if isinstance(value, bool) else number_text(float(value))
        return f'<div>{heading}<div style="{_CODE};font-size:16px">{text}</div></div>'
    facts = statistics(array)
    drawn = heatmap(array, facts.scale, f"heat map of the {title or 'values'}: {_facts_text(facts)}", max_cells)
    note = f'<div style="{_MUTED};font-size:11px">{drawn.note}</div>' if drawn.note else ""
    return f"<div>{heading}{drawn.svg}{_legend(facts)}{note}</div>"


def _facts_text(facts: Statistics) -> str:
    text = (
        f"min {number_text(facts.minimum)} · mean {number_text(_steady_mean(facts))} · max {number_text(facts.maximum)}"
    )
    if math.isnan(facts.minimum):
        text = "no finite values"
    if facts.nans:
        text += f" · ✕ {facts.nans:,} NaN"
    if facts.infinities:
        text += f" · ▲ {facts.infinities:,} Inf"
    return text


def _steady_mean(facts: Statistics) -> float:
    """The mean to four digits of the largest magnitude: where terms cancel, what is below is noise of the machine."""
    if not facts.scale or not math.isfinite(facts.mean):
        return facts.mean
    return round(facts.mean, 3 - math.floor(math.log10(facts.scale)))


def _legend(facts: Statistics) -> str:
    """The palette from end to end with its numbers, and the statistics; only the half that occurs is shown."""
    bar = _palette_bar(facts)
    return (
        f'<div style="{_CODE};font-size:11px;line-height:1.5">{f"<div>{bar}</div>" if bar else ""}'
        f'<div style="{_MUTED}">{_facts_text(facts)}</div></div>'
    )


def _palette_bar(facts: Statistics) -> str:
    if not facts.scale:
        return ""
    end = number_text(facts.scale, 3)
    levels = [-STEPS, -STEPS // 2, -1, 0, 1, STEPS // 2, STEPS]
    low, high = f"−{end}", end
    if facts.minimum >= 0:
        levels, low = levels[3:], "0"
    elif facts.maximum <= 0:
        levels, high = levels[:4], "0"
    stops = ",".join(map(hex_color, levels))
    return (
        f'{low} <span style="display:inline-block;width:72px;height:8px;'
        f'background:linear-gradient(90deg,{stops})"></span> {high}'
    )


def module_html(module: Any) -> str:
    """A module as a tree that folds: names, classes, parameters with their sizes, frozen and shared ones marked."""
    total = trainable = 0
    for _, parameter in module.named_parameters():  # each shared parameter once
        total += _size(parameter)
        trainable += _size(parameter) if parameter.requires_grad else 0
    state = "" if trainable == total else f", {trainable:,} trainable, {total - trainable:,} frozen"
    mode = "training mode" if module.training else "evaluation mode"
    head = (
        f'<div><b>{escape(type(module).__name__)}</b> <span style="{_MUTED}">· {_parameters(total)}{state} · {mode}'
        "</span></div>"
    )
    tree = f'<div style="{_CODE};font-size:12px">{"".join(_tree(module, total))}</div>'
    return f"<div {_BOX}>{head}{tree}</div>"


def optimizer_html(optimizer: Any) -> str:
    """An optimizer as a table: a column a parameter group, with its options and how much it updates and remembers."""
    groups = optimizer.param_groups
    shared: dict[str, Any] = dict(groups[0]) if groups else {}
    names = [name for name in shared if name not in ("params", "param_names") and _is_option(shared[name])]
    rows = [
        ("tensors", [f"{len(group['params']):,}" for group in groups]),
        ("parameters", [f"{sum(map(_size, group['params'])):,}" for group in groups]),
        ("without gradient", [_without_gradient(group["params"]) for group in groups]),
        *((name, [_option_text(group.get(name)) for group in groups]) for name in names),
    ]
    total = sum(_size(parameter) for group in groups for parameter in group["params"])
    kept = sorted({key for state in optimizer.state.values() for key in state if isinstance(key, str)})
    memory = f" · remembers {', '.join(kept)}" if kept else " · no step yet, or nothing to remember"
    head = (
        f'<div><b>{escape(type(optimizer).__name__)}</b> <span style="{_MUTED}">· {_parameters(total)} in '
        f"{len(groups)} group{'' if len(groups) == 1 else 's'}{escape(memory)}</span></div>"
    )
    cell = "padding:1px 14px 1px 0;text-align:left;border:0;background:none"
    body = "".join(
        f'<tr style="background:none"><th style="{cell};font-weight:400;{_MUTED}">{escape(name)}</th>'
        + "".join(f'<td style="{cell};{_CODE}">{escape(text)}</td>' for text in texts)
        + "</tr>"
        for name, texts in rows
    )
    table = f'<table style="border:0;border-collapse:collapse;font-size:12px;margin:2px 0">{body}</table>'
    return f"<div {_BOX}>{head}{table}</div>"


def _is_option(value: Any) -> bool:
    """Whether a group's entry says something: most flags are off and most alternatives None."""
    return value is not None and value is not False


def _option_text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _without_gradient(parameters: list[Any]) -> str:
    count = sum(parameter.grad is None for parameter in parameters)
    return "all" if count and count == len(parameters) else f"{count:,}" if count else "none"


def _tree(root: Any, total: int) -> Iterator[str]:
    """The pieces of the tree, depth first; an explicit stack holds the modules to come and the tags to close."""
    first_names: dict[int, str] = {}
    visited = 0
    stack: list[tuple[str, str, Any, int] | str] = [("", "", root, 0)]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
            continue
        name, path, module, depth = item
        visited += 1
        if visited > _MAX_MODULES:
            rest = sum(not isinstance(other, str) for other in stack) + 1
            yield f'<div style="{_MUTED};margin-left:18px">… more: {rest:,} modules here are not shown</div>'
            yield from (tag for tag in reversed(stack) if isinstance(tag, str))
            return
        rows = _tensor_rows(module, path, first_names)
        children = list(module.named_children())
        if depth == 0:
            yield from rows
        else:
            summary = _module_line(name, module, total)
            if not rows and not children:
                yield f'<div style="margin-left:18px;padding-left:14px">{summary}</div>'
            else:
                opened = " open" if children and depth < _OPEN_DEPTH else ""
                yield f'<details style="margin-left:18px"{opened}><summary>{summary}</summary>'
                yield from rows
                stack.append("</details>")
        stack += [(child, f"{path}{child}.", inner, depth + 1) for child, inner in reversed(children)]


def _module_line(name: str, module: Any, total: int) -> str:
    count = sum(_size(parameter) for _, parameter in module.named_parameters())
    line = f"{escape(name)} <b>{escape(type(module).__name__)}</b>"
    if count:
        bar = f"display:inline-block;height:7px;background:#3e7cb1;width:{max(1, round(80 * count / total))}px"
        line += f' &nbsp;<span style="{bar}"></span> {count:,}'
    extra = str(module.extra_repr()) if hasattr(module, "extra_repr") else ""
    return f'{line} &nbsp;<span style="{_MUTED}">{escape(extra)}</span>' if extra else line


def _tensor_rows(module: Any, path: str, first_names: dict[int, str]) -> list[str]:
    rows = []
    for name, parameter in module.named_parameters(recurse=False):
        first = first_names.setdefault(id(parameter), path + name)
        marks = [] if parameter.requires_grad else ["frozen"]
        marks += [f"shared with {first}"] if first != path + name else []
        rows.append(_tensor_row(name, parameter, marks))
    rows += [_tensor_row(name, buffer, ["buffer"]) for name, buffer in module.named_buffers(recurse=False)]
    return rows


def _tensor_row(name: str, tensor: Any, marks: list[str]) -> str:
    dtype = str(tensor.dtype).rpartition(".")[2]
    notes = " · ".join([f"{_size(tensor):,}", dtype, *marks])
    return (
        f'<div style="margin-left:32px">{escape(name)} {tuple(tensor.shape)} '
        f'<span style="{_MUTED}">{escape(notes)}</span></div>'
    )


def _size(tensor: Any) -> int:
    return math.prod(tensor.shape)


def _parameters(count: int) -> str:
    return f"{count:,} parameter{'' if count == 1 else 's'}"
