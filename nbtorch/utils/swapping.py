"""Exchanging two tensors."""

from __future__ import annotations

from typing import Any

from ..autograd.variable import Variable

__all__ = ["swap_tensors"]


def swap_tensors(t1: Any, t2: Any) -> None:
    """Exchanges two tensors with everything they are: numbers, class, gradient, attributes. Names that stand for one
    afterwards stand for what was the other.

    Raises:
        RuntimeError: where a tensor has weak references, or another is a view of it.
    """
    for t, name in ((t1, "t1"), (t2, "t2")):
        if getattr(t, "__weakref__", None) is not None:
            raise RuntimeError(f"Cannot swap {name} because it has weakref associated with it")
        if t._view is not None or t.grad_fn is not None:
            raise RuntimeError(f"swap_tensors: {name} was computed, or is a view\n  fix: detach().clone() it")
    slots = [name for name in Variable.__slots__ if not name.startswith("__")]
    held = [[getattr(t, name, None) for name in slots] for t in (t1, t2)]
    t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    t1.__dict__, t2.__dict__ = t2.__dict__, t1.__dict__
    for t, values in zip((t2, t1), held, strict=True):
        for name, value in zip(slots, values, strict=True):
            setattr(t, name, value)
