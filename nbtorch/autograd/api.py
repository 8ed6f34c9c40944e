"""``backward`` and ``grad``: starting the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .engine import edge_of, run_backward
from .node import AccumulateGrad, GradientEdge
from .variable import Variable, wrap


def _as_tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) and not isinstance(x, GradientEdge) else (x,)


def _roots(tensors: Sequence[Any], grads: Sequence[Any] | None, create_graph: bool) -> list[tuple[Any, int, Any]]:
    """Where to start and with which gradients; 1 for scalars without one."""
    if grads is None:
        grads = [None] * len(tensors)
    if len(grads) < len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(grads)} gradients")
    roots = []
    for i, (t, g) in enumerate(zip(tensors, grads, strict=False)):
        if isinstance(t, GradientEdge):
            roots.append(_root_of_edge(t, g, i))
            continue
        if not isinstance(t, Variable):
            raise TypeError(f"expected a tensor to differentiate, but element {i} is {type(t).__name__}")
        if not t.requires_grad:
            raise RuntimeError(
                f"element {i} of tensors does not require grad and does not have a grad_fn\n"
                f"  got: a tensor of shape {tuple(t._array.shape)} that no recorded operation made\n"
                "  usual causes: no input has requires_grad=True; it was computed under no_grad(); it went through "
                ".detach(), .item() or NumPy\n  fix: make the parameters with requires_grad=True and use torch "
                "functions only"
            )
        if g is None:
            if t._array.size != 1:
                raise RuntimeError(
                    "grad can be implicitly created only for scalar outputs\n"
                    f"  got: a tensor of shape {tuple(t._array.shape)}\n"
                    "  fix: reduce it first, as in loss.mean().backward(), or give the gradient of each element, "
                    "y.backward(torch.ones_like(y))"
                )
            if not t._dtype().is_floating_point:
                raise RuntimeError(f"grad can be computed only for real scalar outputs but got {t._dtype()!r}")
            g = wrap(t._backend.ones(t._array.shape, t._array.dtype), t._backend)
        elif not isinstance(g, Variable):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        elif g._array.shape != t._array.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{i}] has a shape of {_size(g)} and output[{i}] has a shape of "
                f"{_size(t)}.\n"
                f"  expected: one gradient element for each element of the output"
            )
        elif g._backend.device != t._backend.device:
            raise RuntimeError(
                f"Expected all tensors to be on the same device: the output is on {t._backend.device}, its gradient on "
                f"{g._backend.device}"
            )
        edge, nr = edge_of(t)
        roots.append((edge, nr, g))
    return roots


def _root_of_edge(place: GradientEdge, g: Any, i: int) -> tuple[Any, int, Any]:
    edge, nr = _edge_at(place)
    if not edge._is_node:
        shape, dtype, backend = edge._array.shape, edge._array.dtype, edge._backend
    elif edge.outputs == 1:
        shape, dtype, backend = edge.shape, edge.dtype, edge.backend
    else:
        shape, dtype, backend = edge.shape[nr], edge.dtype[nr], edge.backend
    if g is None:
        if backend.numel(shape) != 1:
            raise RuntimeError(
                "grad can be implicitly created only for scalar outputs\n"
                f"  got: a gradient edge of shape {tuple(shape)}\n  fix: give the gradient of each element"
            )
        g = wrap(backend.ones(shape, dtype), backend)
    elif not isinstance(g, Variable):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    elif g._array.shape != shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {_size(g)} and output[{i}] has a shape of "
            f"torch.Size({list(shape)})."
        )
    return edge, nr, g


def _edge_at(place: GradientEdge) -> tuple[Any, int]:
    """The node (or the leaf) and its output number."""
    node = place.node
    return (node.variable, 0) if isinstance(node, AccumulateGrad) else (node, place.output_nr)


def _batched_differently(roots: list[tuple[Any, int, Any]]) -> bool:
    """Whether a gradient carries a batch that its output does not: then only tensors can carry it on."""
    return any(g._backend is not (e.backend if e._is_node else e._backend) for e, _, g in roots)


def _size(t: Variable) -> str:
    return f"torch.Size({list(t._array.shape)})"


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Adds the gradients of ``tensors`` to the ``.grad`` of the leaves they were computed from.

    Args:
        tensors: one tensor or several; those with more than one element need a gradient each.
        grad_tensors: the gradients to start from, of the tensors' shapes.
        retain_graph: keep the graph for another backward; as ``create_graph`` unless given.
        create_graph: record the computation of the gradients, to differentiate it in turn.
        inputs: add only to these tensors, which need not be leaves.

    Raises:
        RuntimeError: for a tensor without history, a missing or misshapen gradient, a graph already freed, or a saved
            tensor changed in place since.
    """
    outputs = _as_tuple(tensors)
    grads = None if grad_tensors is None else _as_tuple(grad_tensors)
    retain = create_graph if retain_graph is None else retain_graph
    roots = _roots(outputs, grads, create_graph)
    if inputs is None:
        run_backward(roots, retain_graph=retain, create_graph=create_graph)
        return
    chosen = _as_tuple(inputs)
    if not chosen:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    edges = [_target(t, i) for i, t in enumerate(chosen)]
    found = run_backward(roots, retain_graph=retain, create_graph=create_graph, targets=edges, accumulate=True)
    for t, edge in zip(chosen, edges, strict=True):
        if edge[0]._is_node and edge in found and isinstance(t, Variable):
            t._grad = found[edge] if t._grad is None else t._grad + found[edge]


def _target(t: Any, i: int) -> tuple[Any, int]:
    if isinstance(t, GradientEdge):
        return _edge_at(t)
    if not isinstance(t, Variable):
        raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(t).__name__}")
    if not t.requires_grad:
        raise RuntimeError(
            "One of the differentiated Tensors does not require grad\n"
            f"  which: element {i} of the inputs, shape {tuple(t._array.shape)}\n  fix: x.requires_grad_() before the "
            "forward pass"
        )
    return edge_of(t)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``; no ``.grad`` is touched.

    Args:
        outputs: one tensor or several; those with more than one element need an entry in ``grad_outputs``.
        inputs: one tensor or several, leaves or not.
        grad_outputs: the gradients to start from.
        retain_graph: keep the graph for another backward; as ``create_graph`` unless given.
        create_graph: record the computation of the gradients, for second derivatives.
        allow_unused: give None for inputs that the outputs do not depend on, rather than raising.
        materialize_grads: give zeros for them instead.

    Returns:
        One gradient for each input.

    Raises:
        RuntimeError: as ``backward``; and for unused inputs unless allowed.
        ValueError: for options that contradict each other.
    """
    outs, ins = _as_tuple(outputs), _as_tuple(inputs)
    if materialize_grads:
        if allow_unused is False:
            raise ValueError(
                "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
                "allow_unused=False."
            )
        allow_unused = True
    if is_grads_batched:
        return _batched(
            outs, ins, _as_tuple(grad_outputs), retain_graph, create_graph, bool(allow_unused), materialize_grads
        )
    if not ins:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    grads = None if grad_outputs is None else _as_tuple(grad_outputs)
    roots = _roots(outs, grads, create_graph)
    edges = [_target(t, i) for i, t in enumerate(ins)]
    found = run_backward(
        roots,
        retain_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
        targets=edges,
        accumulate=False,
        as_tensors=_batched_differently(roots),
    )
    result = []
    for i, (t, edge) in enumerate(zip(ins, edges, strict=True)):
        g = found.get(edge)
        if g is None and not allow_unused:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True "
                "if "
                f"this is the desired behavior.\n  which: element {i} of the inputs"
            )
        if g is None and materialize_grads:
            g = wrap(t._backend.zeros(t._array.shape, t._array.dtype), t._backend)
        result.append(g)
    return tuple(result)


def _batched(
    outs: tuple[Any, ...],
    ins: tuple[Any, ...],
    batches: tuple[Any, ...],
    retain: bool | None,
    create: bool,
    unused: bool,
    materialize: bool,
) -> tuple[Any, ...]:
    """All entries along the first dimension of ``batches`` at once."""
    from .vmap import vmap

    used: list[int] = []

    def one(*rows: Any) -> Any:
        given = iter(rows)
        starts = [None if b is None else next(given) for b in batches]
        found = grad(outs, ins, starts, retain, create, allow_unused=unused)
        used[:] = [i for i, g in enumerate(found) if g is not None]
        return tuple(found[i] for i in used)

    rows = vmap(one)(*[b for b in batches if b is not None])
    found = dict(zip(used, rows, strict=True))
    result = []
    for i, t in enumerate(ins):
        g = found.get(i)
        if g is None and materialize:
            g = wrap(t._backend.zeros(t._array.shape, t._array.dtype), t._backend)
        result.append(g)
    return tuple(result)


def tensor_backward(
    self: Variable,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """``Tensor.backward``; the plain call takes the short way."""
    plain = gradient is None and inputs is None and not create_graph and self._array.size == 1
    if plain and self._requires_grad and self._grad_fn is not None and self._view is None:
        backend = self._backend
        start = wrap(backend.ones(self._array.shape, self._array.dtype), backend)
        run_backward(((self._grad_fn, self._output_nr, start),), retain_graph=bool(retain_graph), create_graph=False)
        return
    backward(self, gradient, retain_graph, create_graph, inputs)
