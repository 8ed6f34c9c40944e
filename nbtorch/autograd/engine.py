"""Backward: walks the graph from the outputs to the leaves, each node once, in the reverse order of its making.

No recursion anywhere. A first pass counts how many gradients each node will receive; the second runs a node when it
has them all, hands its gradients on, and frees what it saved. Gradients are plain arrays, so that nothing is recorded
and nothing is wrapped; with ``create_graph`` they are tensors and the same derivatives record themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from sys import getrefcount
from typing import Any

from ..backends.activations import Slopes
from ..backends.quiet import SILENT, hush, unhush
from . import anomaly
from .hooks import Hooks
from .modes import grad_mode, switch_recording
from .node import FREED, Node
from .variable import Variable, wrap


class TensorMath(Slopes):
    """The functions that derivatives call, on tensors: ``ops`` puts each of its functions here under its name.

    Attributes:
        load_more: brings those of ``ops`` that are loaded late.
    """

    load_more: Callable[[], object] | None = None

    def __getattr__(self, name: str) -> Any:
        load, self.load_more = self.load_more, None
        if load is not None:
            load()
            return getattr(self, name)
        raise AttributeError(f"no differentiable function {name!r} is registered; is it defined in nbtorch.ops?")


maths: Any = TensorMath()

Edge = tuple[Any, int]

# How many listen to backward: while somebody does, each node is run by ``_run`` and the gradient of each leaf kept by
# ``accumulate_grad``, whose code a profiler swaps.
listeners = 0


def edge_of(t: Variable) -> Edge:
    """The place in the graph where the gradient of ``t`` arrives: its node and output number, or the leaf itself."""
    node = t.grad_fn
    return (t, 0) if node is None else (node, t._output_nr)


def run_backward(
    roots: Sequence[tuple[Any, int, Any]],
    *,
    retain_graph: bool,
    create_graph: bool,
    targets: Sequence[Edge] | None = None,
    accumulate: bool = True,
    as_tensors: bool = False,
) -> dict[Edge, Any]:
    """Propagates gradients from ``roots``.

    Args:
        roots: (node or leaf, output number, gradient) triples; the gradients are tensors.
        retain_graph: keep what the nodes saved, so that backward can run again.
        create_graph: compute with tensors, recorded in turn.
        targets: where given, only the way to these edges is walked and their gradients are returned.
        accumulate: add to the ``.grad`` of the leaves reached; with ``targets``, of those leaves only.
        as_tensors: compute with tensors even where nothing is recorded, for gradients that carry more than numbers: a
            batch, or (this is seen without asking) tangents.

    Returns:
        For each reached target its gradient, a tensor; empty without ``targets``.
    """
    mine = grad_mode.__dict__  # the settings of this thread
    mine["backwards"] = mine.get("backwards", 0) + 1
    tensors = create_graph or as_tensors or bool(mine.get("levels"))
    starts, seen, waiting = _count(roots)
    needed = None if targets is None else _on_the_way(seen, targets)
    # Nothing is asked for but the leaves' gradients, and nobody listens.
    plainly = not tensors and targets is None and accumulate and not listeners and not anomaly.noting
    if plainly:
        run = _KEEPING if retain_graph else _FREEING
    else:
        run = _Run(needed, targets, accumulate, tensors, create_graph, retain_graph)
    grads: dict[Any, Any] = {}
    heap: list[tuple[int, Node]] = []
    node: Any = None
    # The user's code runs in hooks and custom functions alone: until one of them is met, the mode needn't be switched.
    before_mode: bool | None = None
    before_run = mine.get("running")
    token = hush(SILENT)
    try:
        if plainly and len(roots) == 1 and roots[0][0]._is_node and roots[0][0].outputs == 1:
            node, g = roots[0][0], roots[0][2]._array
        else:
            before_mode = _enter(mine, create_graph, (seen, needed))
            for e, nr, g in roots:
                _receive(grads, e, nr, g if tensors else g._array)
            for e in starts:
                if e._is_node:
                    heappush(heap, (-e.sequence_nr, e))
                else:
                    _finish_leaf(e, grads.pop(e, None), False, run)

        # The hot loop of every training step: the ordinary case is written out, for nodes and leaves. A chain has one
        # node ready at a time: it is then kept out of the heap, and its gradient out of ``grads``.
        while node is not None or heap:
            if node is None:
                node = heappop(heap)[1]
                g = grads.pop(node, None)
            plan = node.plan
            if not plainly or g is None or plan is None or node.hooks is not None or node.outputs > 1:
                if before_mode is None:
                    before_mode = _enter(mine, create_graph, (seen, needed))
                outs, g = _visit(node, g, run)
                _hand_on(node, outs, g, grads, waiting, heap, run)
                node = outs = None
                continue
            saved = node.saved
            if saved is FREED:
                node.check()
            guards = node.guards
            for storage, version in guards:
                if storage.version != version or storage.exports is not None:
                    node.check()
                    break
            outs = plan.run(node.backend, g, saved)
            saved = None
            # What saved no tensor has nothing to free, and can run again.
            if not retain_graph and (guards or plan.guarded):
                node.saved = FREED
                node.guards = ()
            if node.nrs is not None:
                if before_mode is None:
                    before_mode = _enter(mine, create_graph, (seen, needed))
                _hand_on(node, outs, g, grads, waiting, heap, run)
                node = outs = None
                continue
            following: Any = None
            arriving: Any = None
            for e, o in zip(node.edges, outs, strict=True):
                if e is None:
                    continue
                left = waiting.get(e)
                if left is not None:
                    waiting[e] = left = left - 1
                if e._is_node:
                    if o is not None:
                        if e.outputs > 1:
                            if o.shape != e.shape[0] or o.dtype is not e.dtype[0]:
                                o = fit(o, e.shape[0], e.dtype[0], e.backend, node, False)
                            _receive(grads, e, 0, o)
                        else:
                            if o.shape != e.shape or o.dtype is not e.dtype:
                                o = fit(o, e.shape, e.dtype, e.backend, node, False)
                            if not left and following is None and e not in grads:
                                following, arriving = e, o
                                continue
                            grads[e] = o if e not in grads else _added(grads, e, o, e.backend, False)
                    if not left:
                        if following is None:
                            following, arriving = e, grads.pop(e, None)
                        else:
                            heappush(heap, (-e.sequence_nr, e))
                elif o is not None and (left or (e._grad is None and e._hooks is None)):
                    m = e._backend
                    array = e._array
                    if o.shape != array.shape or o.dtype is not array.dtype:
                        o = fit(o, array.shape, array.dtype, m, node, False)
                    several = e in grads
                    if several:
                        o = _added(grads, e, o, m, False)
                    if left:
                        grads[e] = o
                        continue
                    if several:
                        del grads[e]
                    if e._requires_grad:
                        if type(o) is not m.ndarray:
                            o = m.as_array(o)
                        # A derivative may hand on the gradient it got, or a view: that is not the leaf's to keep.
                        elif not several and (o is g or getattr(o, "base", None) is not None):
                            o = m.copy(o)
                        e._grad = wrap(o, m)
                else:
                    if before_mode is None:
                        before_mode = _enter(mine, create_graph, (seen, needed))
                    _hand_to_leaf(e, o, left, node, g, grads, run)
            o = outs = None  # what was handed on need not live while the next is computed
            if following is not None and heap and -heap[0][0] > following.sequence_nr:
                if arriving is not None:
                    grads[following] = arriving
                heappush(heap, (-following.sequence_nr, following))
                following = None
            node, g = following, arriving
    finally:
        unhush(token)
        if before_mode is not None:
            mine["running"] = before_run
            switch_recording(before_mode)
    return run.captured


def _enter(mine: dict[str, Any], create_graph: bool, running: Any) -> bool:
    """Switches to the mode of a backward, and says what it reaches. Returns the mode before."""
    mine["running"] = running
    return switch_recording(create_graph)


class _Run:
    """What one backward is to do: the arguments of :func:`run_backward`."""

    __slots__ = ("accumulate", "captured", "create_graph", "needed", "retain_graph", "tensors", "wanted")

    def __init__(
        self,
        needed: dict[Any, bool] | None,
        targets: Sequence[Edge] | None,
        accumulate: bool,
        tensors: bool,
        create_graph: bool,
        retain_graph: bool,
    ) -> None:
        self.needed = needed
        self.wanted: Any = () if targets is None else set(targets)
        self.captured: dict[Edge, Any] = {}
        self.accumulate = accumulate
        self.tensors = tensors
        self.create_graph = create_graph
        self.retain_graph = retain_graph


# Runs without targets, which capture nothing, are all alike.
_FREEING = _Run(None, None, True, False, False, False)
_KEEPING = _Run(None, None, True, False, False, True)


def _visit(node: Any, g: Any, run: _Run) -> tuple[Any, Any]:
    """Runs a node where that is wanted: hooks, captured gradients and all.

    Returns:
        The gradients of its inputs, and what the node was given; None where its gradients may be anybody's.
    """
    needed = run.needed
    if g is None or (needed is not None and node not in needed):
        return None, None
    runs = needed is None or needed[node]
    if node.hooks is not None or run.wanted or node.outputs > 1:
        g = _before(node, g, run.tensors, run.wanted, run.captured, runs)
    outs = None
    if runs:
        if node.saved is FREED:
            node.check()
        for storage, version in node.guards:
            if storage.version != version or storage.exports is not None:
                node.check()
                break
        outs = _run(node, g, run.tensors)
    if not run.retain_graph and (node.guards or (node.plan is not None and node.plan.guarded)):
        node.saved = FREED
        node.guards = ()
    return outs, None if node.plan is None or node.hooks is not None else g


def _hand_on(
    node: Any, outs: Any, g: Any, grads: dict[Any, Any], waiting: dict[Any, int], heap: list[Any], run: _Run
) -> None:
    """Hands the gradients of a node's inputs on, in general; inputs that have all of theirs are put on the heap.

    Args:
        g: what the node was given; None where its gradients may be anybody's, so that leaves take copies.
    """
    tensors = run.tensors
    for i, e in enumerate(node.edges):
        if e is None:
            continue
        o = None if outs is None else outs[i]
        left = waiting.get(e)
        if left is not None:
            waiting[e] = left = left - 1
        if not e._is_node:
            _hand_to_leaf(e, o, left, node, g, grads, run)
            continue
        if o is not None:
            several = e.outputs > 1
            nr = 0 if node.nrs is None else node.nrs[i]
            shape, dtype = (e.shape[nr], e.dtype[nr]) if several else (e.shape, e.dtype)
            if o.shape != shape or o.dtype is not dtype:
                o = fit(o, shape, dtype, e.backend, node, tensors)
            if several or e not in grads:
                _receive(grads, e, nr, o)
            else:
                grads[e] = _added(grads, e, o, e.backend, tensors)
        if not left:
            heappush(heap, (-e.sequence_nr, e))


def _hand_to_leaf(e: Any, o: Any, left: int | None, node: Any, g: Any, grads: dict[Any, Any], run: _Run) -> None:
    """Hands a gradient to a leaf; ``left`` more are to come."""
    if o is None:
        if not left:
            _finish_leaf(e, grads.pop(e, None), False, run)
        return
    array = e._array
    if o.shape != array.shape or o.dtype is not array.dtype:
        o = fit(o, array.shape, array.dtype, e._backend, node, run.tensors)
    fresh = g is not None and not run.tensors and getattr(o, "base", None) is None
    if fresh and (o is g or (type(g) is list and any(o is given for given in g))):
        fresh = False  # a derivative may hand on a gradient that it got
    if e in grads:
        o, fresh = _added(grads, e, o, e._backend, run.tensors), True
    if left:
        grads[e] = o
    else:
        grads.pop(e, None)
        _finish_leaf(e, o, fresh, run)


def _references(grads: dict[Any, Any], e: Any) -> int:
    grad = grads[e]
    return getrefcount(grad)


_ALONE = _references({None: object()}, None)  # where the dict has the only one


def _added(grads: dict[Any, Any], e: Any, o: Any, m: Any, tensors: bool) -> Any:
    """What ``e`` has received with ``o`` added: in its memory where that is large and nobody else knows of it."""
    alone = not tensors and _references(grads, e) == _ALONE
    before = grads[e]
    if alone and before is not None and before.size > 4096 and m.owns_memory(before):
        before += o
        return before
    return o if before is None else before + o


def _receive(grads: dict[Any, Any], e: Any, nr: int, grad: Any) -> None:
    """Adds a gradient to what ``e`` has already; it may be None, which counts as zero."""
    if e._is_node and e.outputs > 1:
        slots = grads.get(e)
        if slots is None:
            slots = grads[e] = [None] * e.outputs
        if grad is not None:
            slots[nr] = grad if slots[nr] is None else slots[nr] + grad
    else:
        before = grads.get(e)
        if before is None:
            grads[e] = grad
        elif grad is not None:
            grads[e] = before + grad


def _finish_leaf(leaf: Any, grad: Any, fresh: bool, run: _Run) -> None:
    """Gives a leaf its whole gradient, where it is wanted."""
    needed, wanted, tensors, create_graph = run.needed, run.wanted, run.tensors, run.create_graph
    if grad is None or (needed is not None and leaf not in needed):
        return
    hooks = leaf._hooks
    if hooks is not None and hooks.tensor:
        grad = _run_tensor_hooks(hooks, 0, leaf._backend, grad, tensors)
        fresh = False
    if (leaf, 0) in wanted:
        run.captured[leaf, 0] = grad if tensors else wrap(leaf._backend.as_array(grad), leaf._backend)
    if run.accumulate and leaf._requires_grad and (needed is None or (leaf, 0) in wanted):
        if tensors and not create_graph:
            grad = wrap(grad._array, grad._backend)  # as PyTorch: what is added up has no history and no tangents
        if hooks is not None:
            _accumulate_with_hooks(leaf, hooks, grad, tensors)
        else:
            accumulate_grad(leaf, grad, tensors, fresh)


def will_reach(run: Any, node: Any) -> bool:
    """Whether a gradient arrives at ``node`` in the given run of backward."""
    e = node if node._is_node else node.variable
    seen, needed = run
    return e in seen and (needed is None or e in needed)


def _count(roots: Sequence[tuple[Any, int, Any]]) -> tuple[set[Any], set[Any], dict[Any, int]]:
    """How many gradients each node and leaf will receive from other nodes.

    Returns:
        The roots that receive none, all that is reachable, and the numbers of those that receive more than one.
    """
    if len(roots) == 1:
        root = roots[0][0]
        starts, seen, stack = {root}, {root}, [root] if root._is_node else []
    else:
        starts = {e for e, _, _ in roots}
        seen = set(starts)
        stack = [e for e in starts if e._is_node]
    waiting: dict[Any, int] = {}
    while stack:
        for e in stack.pop().edges:
            if e is None:
                continue
            if e not in seen:
                seen.add(e)
                if e._is_node:
                    stack.append(e)
            elif e in starts:
                starts.remove(e)
            else:
                waiting[e] = waiting.get(e, 1) + 1
    return starts, seen, waiting


def _on_the_way(seen: set[Any], targets: Sequence[Edge]) -> dict[Any, bool]:
    """The nodes from which a target can be reached; True where the node itself has to run for that."""
    consumers: dict[Any, list[Any]] = {}
    for node in seen:
        if node._is_node:
            for e in node.edges:
                if e is not None:
                    consumers.setdefault(e, []).append(node)
    needed: dict[Any, bool] = {e: False for e, _ in targets if e in seen}
    stack = list(needed)
    while stack:
        for node in consumers.get(stack.pop(), ()):
            if node not in needed:
                needed[node] = True
                stack.append(node)
            else:
                needed[node] = True
    return needed


def _before(node: Any, g: Any, create_graph: bool, wanted: set[Edge], captured: dict[Edge, Any], runs: bool) -> Any:
    """Hooks on the node's outputs, the gradients that were asked for, and hooks before the node if it runs.

    As in PyTorch, a gradient that is asked for is taken after the hooks where the way ends here, before them where it
    goes on.
    """
    if runs and wanted:
        _capture(node, g if node.outputs > 1 else [g], create_graph, wanted, captured)
    several = node.outputs > 1
    grads = list(g) if several else [g]
    backend = node.backend
    hooks: Hooks | None = node.hooks
    if hooks is not None:
        for nr in list(hooks.tensor):
            if grads[nr] is not None:
                grads[nr] = _run_tensor_hooks(hooks, nr, backend, grads[nr], create_graph)
        for nr, keeper in hooks.retain.items():
            tensor = keeper()
            if tensor is not None and grads[nr] is not None:
                kept = grads[nr] if create_graph else wrap(backend.as_array(grads[nr]), backend)
                tensor._grad = kept if tensor._grad is None else tensor._grad + kept
    if wanted and not runs:
        _capture(node, grads, create_graph, wanted, captured)
    if hooks is not None and hooks.pre and runs:
        offered = tuple(_as_tensor(x, backend, create_graph) for x in grads)
        grads = [_as_grad(x, create_graph) for x in _run_pre_hooks(hooks, offered)]
    if not several:
        return grads[0]
    if not node.materializes:
        return grads
    for nr, grad in enumerate(grads):
        if grad is None:
            zeros = backend.zeros(node.shape[nr], node.dtype[nr])
            grads[nr] = wrap(zeros, backend) if create_graph else zeros
    return grads


def _capture(node: Any, grads: Any, create_graph: bool, wanted: set[Edge], captured: dict[Edge, Any]) -> None:
    for nr, grad in enumerate(grads):
        if (node, nr) in wanted and grad is not None:
            captured[node, nr] = grad if create_graph else wrap(node.backend.as_array(grad), node.backend)


def _run_pre_hooks(hooks: Hooks, offered: tuple[Any, ...]) -> tuple[Any, ...]:
    for hook in list(hooks.pre.values()):
        replaced = hook(offered)
        if replaced is not None:
            offered = _replacement(hook, replaced, offered)
    return offered


def _replacement(hook: Any, replaced: Any, offered: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a hook of a node returned, as a tuple.

    Raises:
        RuntimeError: for another number of gradients, or a gradient of another shape.
        TypeError: for what is no tensor.
    """
    name = getattr(hook, "__name__", hook)
    if not isinstance(replaced, (tuple, Variable)):
        raise TypeError(f"expected tuple, but hook {name!r} returned {type(replaced).__name__!r}")
    several = replaced if isinstance(replaced, tuple) else (replaced,)
    if len(several) != len(offered):
        raise RuntimeError(
            f"hook {name!r} has returned an incorrect number of values (got {len(several)}, but expected "
            f"{len(offered)})"
        )
    for new, old in zip(several, offered, strict=True):
        _check_replaced(name, new, old)
    return several


def _check_replaced(name: Any, new: Any, old: Any) -> None:
    if new is None and old is None:
        return
    if new is not None and not isinstance(new, Variable):
        raise TypeError(
            f"expected Variable, but hook {name!r} returned {type(new).__name__}\n"
            "  expected: the new gradient as a tensor, or None to keep the old one"
        )
    if old is None or new is None:
        if old is None:
            raise RuntimeError(f"can't replace a None gradient with a non-None value\n  hook: {name!r}")
        raise RuntimeError(f"hook {name!r} can't replace a gradient with None")
    if new._array.shape != old._array.shape:
        raise RuntimeError(
            f"hook {name!r} has changed the size of value\n"
            f"  expected: shape {tuple(old._array.shape)}\n  got: shape {tuple(new._array.shape)}"
        )


def _accumulate_with_hooks(leaf: Any, hooks: Hooks, grad: Any, create_graph: bool) -> None:
    """Adds to the ``.grad`` of a leaf, with what runs before and after that."""
    backend = leaf._backend
    offered = (_as_tensor(grad, backend, create_graph),)
    if hooks.pre:
        offered = _run_pre_hooks(hooks, offered)
        grad = _as_grad(offered[0], create_graph)
    accumulate_grad(leaf, grad, create_graph, False)
    for hook in list(hooks.post.values()):
        hook(leaf)
    for hook in list(hooks.after.values()):
        hook((), offered)


def _run(node: Any, g: Any, create_graph: bool) -> Any:
    """The gradients of the node's inputs, one per edge, None where none is wanted."""
    plan = node.plan
    if plan is None:
        outs = node.backward(g, create_graph)
    elif create_graph:
        outs = plan.run(maths, g, plan.saved_tensors(node))
    else:
        outs = plan.run(node.backend, g, node.saved)
    hooks = node.hooks
    if hooks is not None and hooks.post:
        outs = _run_post_hooks(node, hooks, outs, g, create_graph)
    if grad_mode.anomaly:
        anomaly.check_gradients(node, outs, g)
    return outs


def _run_post_hooks(node: Any, hooks: Hooks, outs: Any, g: Any, create_graph: bool) -> Any:
    backend = node.backend
    grad_inputs = tuple(_as_tensor(o, backend, create_graph) for o in outs)
    grads = g if node.outputs > 1 else [g]
    grad_outputs = tuple(_as_tensor(x, backend, create_graph) for x in grads)
    for hook in list(hooks.post.values()):
        replaced = hook(grad_inputs, grad_outputs)
        if replaced is not None:
            grad_inputs = _replacement(hook, replaced, grad_inputs)
    return [_as_grad(x, create_graph) for x in grad_inputs]


def _run_tensor_hooks(hooks: Hooks, nr: int, backend: Any, grad: Any, create_graph: bool) -> Any:
    offered = _as_tensor(grad, backend, create_graph)
    for hook in list(hooks.tensor.get(nr, {}).values()):
        replaced = hook(offered)
        if replaced is not None:
            _check_replaced(getattr(hook, "__name__", hook), replaced, offered)
            offered = replaced
    return _as_grad(offered, create_graph)


def _as_tensor(grad: Any, backend: Any, create_graph: bool) -> Any:
    return grad if create_graph or grad is None else wrap(backend.as_array(grad), backend)


def _as_grad(tensor: Any, create_graph: bool) -> Any:
    return tensor if create_graph or tensor is None else tensor._array


def fit(o: Any, shape: Any, dtype: Any, backend: Any, node: Any, create_graph: bool) -> Any:
    """A gradient brought to the shape, dtype and device of what it is the gradient of."""
    if create_graph:
        if o._array.shape != shape:
            o = maths.sum_to_size(o, shape)
        if o._array.dtype != dtype:
            o = maths.to_numpy_dtype(o, dtype)
        return o
    if o.shape != shape:
        try:
            o = backend.sum_to_size(o, shape)
        except (ValueError, IndexError):
            raise RuntimeError(
                f"Function {node.name()} returned an invalid gradient\n"
                f"  expected: a shape that broadcasts from {tuple(shape)}\n  got: shape {tuple(o.shape)}"
            ) from None
    if o.dtype != dtype:
        o = backend.astype(backend.as_array(o), dtype)
    return o


def accumulate_grad(leaf: Any, grad: Any, create_graph: bool, fresh: bool) -> None:
    """Adds ``grad`` (an array, or a tensor with ``create_graph``) to ``leaf.grad``; copies it unless ``fresh``."""
    held = leaf._grad
    if create_graph:
        # In the graph, to be differentiated again; a copy, since another leaf may be given the same tensor.
        leaf._grad = grad.clone() if held is None else held + grad
    elif held is None:
        backend = leaf._backend
        grad = backend.as_array(grad)
        leaf._grad = wrap(grad if fresh else backend.copy(grad), backend)
    elif held._requires_grad:
        leaf._grad = held + wrap(leaf._backend.as_array(grad), leaf._backend)
    else:
        held._array += grad
        if held._storage is not None:
            held._touch()
