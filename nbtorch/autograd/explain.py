"""``tensor.why_no_grad()``: why a gradient is missing, in words, with the lines of the user's program."""

from __future__ import annotations

from typing import Any

from .modes import grad_mode
from .variable import Variable, describe_where


class Explanation(str):
    """An answer of :func:`why_no_grad`: the text itself, shown without quotation marks.

    Attributes:
        reason: in one word: ``has_grad``, ``dtype``, ``not_leaf``, ``retained``, ``no_requires_grad``, ``detached``,
            ``no_grad``, ``inference_mode``, ``not_called``, ``freed``, ``cut``, ``not_reached``, ``not_connected`` or
            ``connected``.
    """

    reason: str

    def __new__(cls, reason: str, text: str) -> Explanation:
        made = super().__new__(cls, text)
        made.reason = reason
        return made

    def __repr__(self) -> str:
        return str(self)


def why_no_grad(t: Any, of: Any = None) -> Explanation:
    """Why ``t.grad`` is None; see ``Tensor.why_no_grad``."""
    name = f"This tensor of shape {tuple(t._array.shape)}"
    if t._grad is not None:
        return Explanation("has_grad", f"{name} has a gradient: look at .grad.")
    if not t._dtype().is_floating_point:
        return Explanation(
            "dtype",
            f"{name} has dtype {t._dtype()!r}: only floating dtypes have gradients.\n"
            "  fix: convert it before the forward pass, with x.float(), and call requires_grad_() on the result",
        )
    if t.grad_fn is not None:
        return _of_a_computed(t, name)
    if not t.requires_grad:
        return _of_a_constant(t, name)
    return _of_a_leaf(t, name, of)


def _of_a_computed(t: Any, name: str) -> Explanation:
    node = t.grad_fn
    made = f"{node.name()}, at {describe_where(node.where)}"
    hooks = node.hooks
    if hooks is not None and t._output_nr in hooks.retain:
        return Explanation(
            "retained",
            f"{name} keeps its gradient (retain_grad), but no backward has reached it.\n"
            f"  made by: {made}\n  fix: call backward() on something computed from it, after retain_grad()",
        )
    return Explanation(
        "not_leaf",
        f"{name} is not a leaf: it was computed, and only leaves keep their gradient.\n"
        f"  made by: {made}\n"
        "  fix: call x.retain_grad() on it before backward(), or ask for the gradient: torch.autograd.grad(loss, x)",
    )


def _of_a_constant(t: Any, name: str) -> Explanation:
    storage = t._storage
    if storage is not None and storage.detached is not None:
        return Explanation(
            "detached",
            f"{name} shares its memory with one that was detached, at {describe_where(storage.detached)}: what is "
            "detached stands outside the graph.\n"
            "  fix: look at the gradient of the tensor that was detached, or call requires_grad_() to start anew here",
        )
    text = (
        f"{name} requires no gradient (requires_grad is False), and no operation that was recorded made it.\n"
        "  usual causes: it was made of plain data; it was computed under no_grad() or inference_mode(), or from "
        "tensors that require none; it went through detach(), .data, numpy(), item() or torch.tensor(x); or the "
        "operation has no gradient (argmax, a comparison, round trips through integers)\n"
    )
    if grad_mode.inference:
        return Explanation("inference_mode", text + "  now: inference_mode() is on: nothing made here can be recorded")
    if not grad_mode.enabled:
        return Explanation("no_grad", text + "  now: no_grad() is on: what is computed here is not recorded")
    return Explanation("no_requires_grad", text + "  fix: x.requires_grad_() before the forward pass")


def _of_a_leaf(t: Any, name: str, of: Any) -> Explanation:
    storage = t._storage
    if isinstance(of, Variable):
        return _between(t, name, of)
    if not grad_mode.backwards:
        return Explanation(
            "not_called",
            f"{name} requires a gradient, but backward() has not been called in this thread.\n"
            "  fix: loss.backward() (torch.autograd.grad returns gradients and leaves .grad alone)",
        )
    if storage is not None and storage.freed:
        return Explanation(
            "freed",
            f"{name} had a gradient, which was set to None since: optimizer.zero_grad() does that (set_to_none=True), "
            "and so does x.grad = None.\n"
            "  fix: read .grad between backward() and zero_grad()",
        )
    return Explanation(
        "not_reached",
        f"{name} requires a gradient, but no backward has reached it.\n"
        "  usual causes: the loss was computed without it (from a copy, or from another tensor of the same name); the "
        "way was cut by detach(), .data, item(), numpy() or no_grad(); or requires_grad_() came after the forward "
        "pass\n"
        "  fix: x.why_no_grad(of=loss) looks at the way between the two",
    )


def _between(t: Any, name: str, of: Any) -> Explanation:
    root = of.grad_fn
    if of is t:
        return Explanation("connected", f"{name} is the very tensor asked about: its gradient is 1.")
    if root is None:
        why = "it requires no gradient" if not of.requires_grad else "it is a leaf itself"
        return Explanation(
            "cut",
            f"{name} has no part in the result: {why}, so nothing was recorded on the way to it.\n"
            f"  {why_no_grad(of).splitlines()[0] if not of.requires_grad else 'The result was not computed from it.'}\n"
            "  fix: compute the result from this tensor outside no_grad(), without detach(), item() or numpy() on the "
            "way",
        )
    seen, stack, leaves = {root}, [root], []
    while stack:
        for e in stack.pop().edges:
            if e is None or e in seen:
                continue
            seen.add(e)
            if e._is_node:
                stack.append(e)
            elif e is t:
                return Explanation(
                    "connected",
                    f"{name} is connected to the result: backward() on it will reach it.\n"
                    "  so: backward() was not called on this result, its gradient was set to None since, or the "
                    "gradient was taken by torch.autograd.grad, which leaves .grad alone",
                )
            else:
                leaves.append(e)
    shapes = ", ".join(str(tuple(e._array.shape)) for e in leaves[:6]) or "none"
    return Explanation(
        "not_connected",
        f"{name} is not in the graph of the result, which {root.name()} made at {describe_where(root.where)}.\n"
        f"  the leaves in that graph: {len(leaves)}, of shapes {shapes}{', …' if len(leaves) > 6 else ''}\n"
        "  usual causes: the result was computed from a copy or before requires_grad_(); or the way was cut by "
        "detach(), .data, item(), numpy(), torch.tensor(x) or no_grad()",
    )
