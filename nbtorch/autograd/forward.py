"""Forward mode: tangents that follow the values, node by node, with the derivatives that backward uses.

The derivative in a record is linear in the incoming gradient: ``v = Jᵀ g``. So the tangent of the result, ``J t``, is
the gradient of ``v`` with respect to ``g`` when ``v`` gets the gradient ``t``: one rule serves both directions.

A tangent lives on the node that made the tensor. Where no gradient is wanted besides, the node is a :class:`Carrier`,
which ``requires_grad`` and ``grad_fn`` don't show. While a level is open, operations on such tensors are recorded like
any other, and :func:`intercept` makes their nodes; closed levels leave nothing behind and cost nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from .engine import edge_of, fit, maths, run_backward
from .modes import grad_mode, switch_recording
from .node import Node
from .packing import pack_saved
from .sequence import next_sequence_nr
from .variable import Variable, _new, alias, wrap

next_level = count(1).__next__


class Level:
    """An open level of forward mode, a context manager; ``number`` tells it from those around it."""

    def __init__(self) -> None:
        self.number = next_level()
        self._carriers: list[weakref.ref[Any]] = []
        self._limit = 64

    def __enter__(self) -> Level:
        open_level(self)
        return self

    def __exit__(self, *exc: object) -> None:
        close_level(self)

    def carries(self, t: Variable) -> None:
        """Notes a tensor whose only history is its tangents, to be dropped with the level."""
        self._carriers.append(weakref.ref(t))
        if len(self._carriers) > self._limit:
            self._carriers = [r for r in self._carriers if r() is not None]
            self._limit = max(64, 2 * len(self._carriers))

    def drop(self) -> None:
        for ref in self._carriers:
            t = ref()
            node = None if t is None else t._grad_fn
            if t is None or node is None or node.receives:
                continue
            node.tangents.pop(self.number, None)
            if not any(level in node.tangents for level in grad_mode.levels):
                t._grad_fn, t._output_nr, t._requires_grad = None, 0, False
            else:
                node.level.carries(t)
        self._carriers = []


_open: dict[int, Level] = {}


def open_level(level: Level) -> None:
    grad_mode.levels = (*grad_mode.levels, level.number)
    _open[level.number] = level
    grad_mode.enabled = True
    grad_mode.interceptor = intercept


def close_level(level: Level) -> None:
    recording = grad_mode.enabled and grad_mode.backward
    grad_mode.levels = tuple(n for n in grad_mode.levels if n != level.number)
    _open.pop(level.number, None)
    level.drop()
    switch_recording(recording)
    _choose_interceptor()


def _choose_interceptor() -> None:
    grad_mode.interceptor = intercept if grad_mode.levels else pack_new if grad_mode.hooks else None


class Carrier(Node):
    """In the place of a node where a tensor has tangents and no gradient to receive."""

    __slots__ = ("level", "outputs")
    receives = False

    outputs: int
    level: Any

    def backward(self, grads: Any, create_graph: bool) -> Sequence[Any]:
        return ()


class AliasBackward0(Node):
    """The same tensor at another level of a transform. ``source`` marks where a transform's differentiation ends."""

    __slots__ = ("source",)
    source: Any

    def backward(self, grads: Any, create_graph: bool) -> Sequence[Any]:
        return [grads] * len(self.edges)


def _fill(node: Any, t: Variable, edges: tuple[Any, ...] = (), nrs: Any = None) -> Any:
    node.op = node.plan = node.saved = node.hooks = node._next = node.where = None
    node.edges, node.nrs, node.guards = edges, nrs, ()
    node.backend, node.shape, node.dtype = t._backend, t._array.shape, t._array.dtype
    node.sequence_nr = next_sequence_nr()
    return node


def carrier(t: Variable, tangents: dict[int, list[Any]], outputs: int = 1) -> Any:
    """A node for ``t`` that holds tangents and nothing else."""
    node: Any = _fill(_new(Carrier), t)
    node.outputs, node.tangents = outputs, tangents
    level = _open.get(max((n for n in grad_mode.levels if n in tangents), default=0))
    node.level = level if level is not None else _open[grad_mode.levels[-1]] if grad_mode.levels else Level()
    return node


def tangents_of(t: Variable) -> dict[int, Any]:
    """For each open level at which ``t`` has a tangent that tangent, None standing for zeros."""
    node = t.grad_fn if t._view is not None else None  # brings a view's history up to date
    node = t._grad_fn
    held = None if node is None else getattr(node, "tangents", None)
    if not held:
        return {}
    return {level: held[level][t._output_nr] for level in grad_mode.levels if level in held}


def tangent_of(t: Variable, level: int) -> Any:
    """The tangent at ``level``, zeros where the derivative is zero; None where ``t`` does not depend on it."""
    held = tangents_of(t)
    if level not in held:
        return None
    tangent = held[level]
    if tangent is None:
        return wrap(t._backend.zeros(t._array.shape, t._array.dtype), t._backend)
    return tangent


def relabel(t: Any, tangents: dict[int, Any], source: Any = None, linked: bool = True) -> Any:
    """The same values with other tangents.

    Args:
        tangents: by level.
        source: marks the new tensor as one to differentiate by, in the name of this transform.
        linked: keep the history of ``t``, where there is one.
    """
    out = alias(t)
    held = {level: [tangent] for level, tangent in tangents.items()}
    edges: tuple[Any, ...]
    if linked and is_recorded(t):
        edge, nr = edge_of(t)
        edges, nrs = (edge,), (nr,) if nr else None
    else:
        edges, nrs = (), None
    if edges or source is not None:
        node: Any = _fill(_new(AliasBackward0), t, edges, nrs)
        node.source = source
        if held:
            node.tangents = held
    elif held:
        node = carrier(t, held)
    else:
        return out
    out._grad_fn, out._output_nr, out._requires_grad = node, 0, True
    if not node.receives:
        node.level.carries(out)
    return out


def is_recorded(t: Variable) -> bool:
    """Whether a gradient is wanted for ``t`` and recorded now."""
    return grad_mode.backward and grad_mode.enabled and bool(t.requires_grad)


def pack_new(
    make: Callable[..., Any], op: Any, mask: int, inputs: Any, arrays: Any, out: Any, static: Any, result: Any
) -> Any:
    """Makes the node of an operation while saved tensors are packed."""
    grad_mode.interceptor = None
    try:
        node = make(op, mask, inputs, arrays, out, static, result)
        if node.guards or (node.plan is not None and node.plan.guarded):
            pack_saved(node, inputs, result)
    finally:
        _choose_interceptor()
    return node


def intercept(
    make: Callable[..., Any], op: Any, mask: int, inputs: Any, arrays: Any, out: Any, static: Any, result: Any
) -> Any:
    """Makes the node of an operation while a level is open: with the tangents of its outputs."""
    levels = grad_mode.levels
    held: list[dict[int, Any]] = []
    recorded, dual, bit = 0, 0, 1
    for t in inputs:
        mine: dict[int, Any] = {}
        if mask & bit:
            node = t._grad_fn
            if node is None or node.receives:
                recorded |= bit
            tangents = None if node is None else getattr(node, "tangents", None)
            if tangents:
                nr = t._output_nr
                mine = {level: tangents[level][nr] for level in levels if level in tangents}
                if mine:
                    dual |= bit
        held.append(mine)
        bit <<= 1
    if not grad_mode.backward:
        recorded = 0
    template = result if result is not None else next(t for t in inputs if isinstance(t, Variable))
    if not recorded and not dual:
        return carrier(template, {}, op.outputs)
    grad_mode.interceptor = None
    try:
        whole = make(op, recorded | dual, inputs, arrays, out, static, result)
    finally:
        grad_mode.interceptor = intercept
    made: dict[int, list[Any]] = {}
    if dual:
        whole.tangents = made
        for level in levels:
            if any(level in mine for mine in held):
                arriving = [mine.get(level) for mine in held]
                # A tangent of zero leaves zero behind.
                made[level] = (
                    push(whole, arriving, level) if any(t is not None for t in arriving) else [None] * op.outputs
                )
    if not recorded:
        node = carrier(template, made, op.outputs)
        if result is not None:
            node.level.carries(result)
        return node
    node = whole
    if dual & ~recorded:
        grad_mode.interceptor = None
        try:
            node = make(op, recorded, inputs, arrays, out, static, result)
        finally:
            grad_mode.interceptor = intercept
        # The edges to carriers stay: what was saved finds its tangents there.
        node.edges, node.nrs = whole.edges, whole.nrs
        if made:
            node.tangents = made
    if grad_mode.hooks and (node.guards or (node.plan is not None and node.plan.guarded)):
        pack_saved(node, inputs, result)
    return node


class _Below:
    """Inside, only the levels below ``level`` are open, and everything is recorded."""

    __slots__ = ("_before", "_level")

    def __init__(self, level: int) -> None:
        self._level = level

    def __enter__(self) -> None:
        m = grad_mode
        self._before = (m.levels, m.interceptor, m.enabled, m.backward, m.hooks)
        m.levels = tuple(n for n in m.levels if n < self._level)
        m.interceptor = intercept if m.levels else None
        m.hooks = ()
        m.enabled = m.backward = True

    def __exit__(self, *exc: object) -> None:
        m = grad_mode
        m.levels, m.interceptor, m.enabled, m.backward, m.hooks = self._before


def push(node: Any, tangents: Sequence[Any], level: int) -> list[Any]:
    """The tangents of a node's outputs from those of its inputs: ``J t`` as the transpose of ``Jᵀ g``.

    Args:
        node: a recorded operation that still has what it saved.
        tangents: for each input its tangent, or None for zero.
    """
    backend, outputs = node.backend, node.outputs
    recording = grad_mode.enabled and grad_mode.backward
    with _Below(level):
        # Where nothing else is to be differentiated and no batch is carried, arrays do for the second half.
        record = recording and (
            any(e is not None and (not e._is_node or e.receives) for e in node.edges)
            or any(t is not None and t.requires_grad for t in tangents)
        )
        history = record or bool(grad_mode.levels)
        wide = any(t is not None and t._backend is not backend for t in tangents)
        shapes, dtypes = ((node.shape,), (node.dtype,)) if outputs == 1 else (node.shape, node.dtype)
        starts = []
        for shape, dtype in zip(shapes, dtypes, strict=True):
            start = wrap(backend.zeros(shape, dtype), backend)
            start._grad_fn, start._requires_grad = _fill(_new(AliasBackward0), start), True
            start._grad_fn.source = level
            starts.append(start)
        saved = node.plan.saved_tensors(node) if history else node.plan.plain_tensors(node)
        results = node.plan.run(maths, starts[0] if outputs == 1 else starts, saved)
        roots = []
        for i, (v, t) in enumerate(zip(results, tangents, strict=True)):
            if v is None or t is None:
                continue
            shape, dtype = _place(node, i)
            v = fit(v, shape, dtype, backend, node, True)
            if v._requires_grad:
                roots.append((v._grad_fn, v._output_nr, t))
        targets = [(s._grad_fn, 0) for s in starts]
        if not recording:
            switch_recording(False)
        found = run_backward(
            roots, retain_graph=history, create_graph=record, targets=targets, accumulate=False,
            as_tensors=history or wide,
        )  # fmt: skip
    return [found.get(target) for target in targets]


def _place(node: Any, i: int) -> tuple[Any, Any]:
    """Shape and dtype of a node's ``i``-th input."""
    e = node.edges[i]
    if not e._is_node:
        return e._array.shape, e._array.dtype
    if e.outputs == 1:
        return e.shape, e.dtype
    nr = 0 if node.nrs is None else node.nrs[i]
    return e.shape[nr], e.dtype[nr]


def follow(cls: Any, ctx: Any, args: Sequence[Any], arriving: Sequence[dict[int, Any]], result: Any) -> Any:
    """Gives the outputs of a ``Function`` their tangents, by its ``jvp``."""
    several = isinstance(result, (tuple, list))
    outputs = list(result) if several else [result]
    constant = {id(t) for t in ctx._non_differentiable}
    shared = {id(a) for a in args} - {id(t) for t in ctx._dirty}
    outputs = [alias(t) if isinstance(t, Variable) and id(t) in shared else t for t in outputs]
    made: dict[int, list[Any]] = {}
    for level in grad_mode.levels:
        if not any(level in mine for mine in arriving):
            continue
        tangents = []
        for a, mine in zip(args, arriving, strict=True):
            t = mine.get(level)
            if t is None and isinstance(a, Variable) and ctx.materialize_grads and a._dtype().is_floating_point:
                t = wrap(a._backend.zeros(a._array.shape, a._array.dtype), a._backend)
            tangents.append(t)
        recording = grad_mode.enabled and grad_mode.backward
        with _Below(level):
            if not recording:
                switch_recording(False)
            ctx._in_jvp = True
            try:
                found = cls.jvp(ctx, *tangents)
            finally:
                del ctx._in_jvp
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(found) != len(outputs):
            raise RuntimeError(
                f"{cls.__name__}: jvp returned {len(found)} tangents for {len(outputs)} outputs\n"
                "  fix: return one tangent for each output of forward, None where there is none"
            )
        for t, tangent in zip(outputs, found, strict=True):
            _check_tangent(cls.__name__, t, tangent)
        made[level] = found
    for i, t in enumerate(outputs):
        if not isinstance(t, Variable) or id(t) in constant or not t._dtype().is_floating_point:
            continue
        held = {level: found[i] for level, found in made.items()}
        node = t._grad_fn
        if node is None or not node.receives or not t._requires_grad:
            t._grad_fn, t._output_nr, t._requires_grad = carrier(t, {k: [v] for k, v in held.items()}), 0, True
            t._grad_fn.level.carries(t)
            continue
        if getattr(node, "tangents", None) is None:
            node.tangents = {}
        for level, tangent in held.items():
            node.tangents.setdefault(level, [None] * node.outputs)[t._output_nr] = tangent
    if several:
        return type(result)(outputs) if isinstance(result, list) else tuple(outputs)
    return outputs[0]


def _check_tangent(function: str, t: Any, tangent: Any) -> None:
    if tangent is None:
        return
    if not isinstance(tangent, Variable):
        raise TypeError(f"{function}: expected a tensor or None as a tangent, but jvp gave {type(tangent).__name__}")
    if isinstance(t, Variable) and tangent._array.shape != t._array.shape:
        raise RuntimeError(
            f"{function}: jvp returned a tangent of shape {tuple(tangent._array.shape)} for an output of shape "
            f"{tuple(t._array.shape)}"
        )
