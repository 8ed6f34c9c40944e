"""``%whatgrad``: where a tensor's gradient comes from, what it looks like, or why there is none.

It goes by PyTorch's public surface, so it explains PyTorch's tensors too; nbtorch's know more (``why_no_grad``).
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np

from .display import host_array, tensor_html
from .markup import escape, number_text
from .trace import friendly_name, function_name, leaf_variable, shape_text

_MAX_NODES = 100_000  # of a graph that is searched for the way to a tensor
_MAX_STEPS = 12  # of that way that are named


class Way(NamedTuple):
    """How a result depends on a tensor."""

    steps: list[str]
    """The operations from the result down to the tensor, by the shortest way."""
    arrivals: int
    """How many gradients arrive at the tensor, to be added up; 0: the graph doesn't lead there."""
    complete: bool
    """False where the graph has more than a hundred thousand operations, of which the nearest were searched."""


class WhatGrad:
    """An explanation; as text, or with a picture of the tensor and its gradient in a notebook."""

    def __init__(self, name: str, tensor: Any, result_name: str, result: Any) -> None:
        self._tensor = tensor
        #: The explanation, a sentence a line.
        self.lines = _explain(name, tensor, result_name, result)

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        words = "".join(f"<div>{escape(line)}</div>" for line in self.lines[1:])
        return (
            f'{tensor_html(self._tensor)}<div style="font-size:13px;line-height:1.6;white-space:pre-wrap">{words}</div>'
        )


def way(result: Any, tensor: Any) -> Way:
    """The way from ``result`` back to ``tensor``, breadth first, so that the first found is a shortest one."""
    root, target = result.grad_fn, tensor.grad_fn
    if root is None:
        return Way([], 0, True)
    if target is root:
        return Way([], 1, True)
    before: dict[Any, Any] = {root: None}
    queue = deque([root])
    arrivals, last = 0, None
    while queue and len(before) <= _MAX_NODES:
        node = queue.popleft()
        for following, _ in node.next_functions:
            if following is None:
                continue
            if following is target if target is not None else leaf_variable(following) is tensor:
                arrivals += 1
                last = node if last is None else last
            elif following not in before:
                before[following] = node
                queue.append(following)
    steps = []
    while last is not None:
        steps.append(friendly_name(function_name(last)))
        last = before[last]
    return Way(steps[::-1], arrivals, not queue)


def _explain(name: str, tensor: Any, result_name: str, result: Any) -> list[str]:
    dtype = str(tensor.dtype).rpartition(".")[2]
    role = "a leaf" if tensor.is_leaf else f"computed by {friendly_name(function_name(tensor.grad_fn))}"
    lines = [f"{name}: {type(tensor).__name__} {shape_text(tuple(tensor.shape))} {dtype} on {tensor.device}, {role}"]
    kept = tensor.is_leaf or getattr(tensor, "retains_grad", False)
    gradient = tensor.grad if kept else None
    if gradient is not None:
        lines.append(_numbers(gradient))
    elif hasattr(tensor, "why_no_grad"):
        lines.append(f"No gradient. {tensor.why_no_grad(result) if result is not None else tensor.why_no_grad()}")
    else:
        lines.append(f"No gradient. {_why_not(tensor)}")
    if result is not None and result is not tensor:
        lines += _journey(name, tensor, result_name, result)
    return lines


def _numbers(gradient: Any) -> str:
    array = host_array(gradient)
    if array is None:
        return f"The gradient is a {type(gradient).__name__} whose numbers can't be read here."
    values = np.asarray(array, np.float64).ravel()
    if not values.size:
        return "The gradient is empty, like the tensor."
    finite = values[np.isfinite(values)]
    broken = values.size - finite.size
    zeros = int((values == 0).sum())
    parts = []
    if finite.size:
        norm = float(np.linalg.norm(finite))
        parts.append(f"norm {number_text(norm)}, from {number_text(finite.min())} to {number_text(finite.max())}")
    if zeros:
        parts.append("all zero" if zeros == values.size else f"{zeros:,} of {values.size:,} are zero")
    if broken:
        parts.append(f"{broken:,} of {values.size:,} are NaN or infinite")
    return f"Its gradient: {'; '.join(parts)}."


def _why_not(tensor: Any) -> str:
    if not tensor.is_leaf:
        return (
            "It was computed, and only leaves keep their gradient. "
            "Call retain_grad() on it before backward(), or ask with torch.autograd.grad(loss, x)."
        )
    if not tensor.requires_grad:
        return "It doesn't require one: call requires_grad_() before the forward pass, or make it an nn.Parameter."
    return (
        "It requires one, but no backward has reached it since it was made or cleared: backward() wasn't called, "
        "zero_grad() came after it, or the loss doesn't depend on it."
    )


def _journey(name: str, tensor: Any, result_name: str, result: Any) -> list[str]:
    found = way(result, tensor)
    if not found.arrivals:
        if not found.complete:
            return [
                f"The {_MAX_NODES:,} operations nearest to {result_name} don't use {name}; the rest wasn't searched."
            ]
        cause = "has no graph" if result.grad_fn is None else f"doesn't depend on {name}"
        return [f"{result_name} {cause}: backward() on it brings {name} nothing."]
    steps = found.steps
    if len(steps) > _MAX_STEPS:
        half = _MAX_STEPS // 2
        steps = [*steps[:half], f"({len(steps) - 2 * half} more)", *steps[-half:]]
    lines = [f"The gradient's way: {' → '.join([result_name, *steps, name])}."]
    if found.arrivals > 1:
        lines.append(f"{name} is used {found.arrivals} times: that many gradients arrive and are added up.")
    return lines
