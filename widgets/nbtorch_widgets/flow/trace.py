"""What runs through a model in one step: hooks on its modules find the graph and measure gradients at its places.

A module's forward hook sees its output's `grad_fn`. Every autograd node that is reached from there, and that no module
had before, was made by that module; what is made between two calls belongs to the module whose `forward` made both. So
each node of autograd gets an owner in one walk over all of them. A module that called no other becomes a vertex; what
containers compute themselves is left out, except where branches meet.

A gradient's norm at a vertex is taken by a hook on the module's output, and on an edge by a hook on the autograd node
at its end, where several edges share a start. All hooks are on for a sampled step only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nbtorch_widgets.flow.graph import Graph, sign
from nbtorch_widgets.gradients import Norm, norm_of

_MOST_TENSORS = 16  # of one output
_MOST_JOINS = 48  # of one sign in one module, before they are taken for the same
#: Calls of a module in one call of its container that are drawn one by one; a module with more is one vertex.
MOST_CALLS = 3
_OPAQUE = ("ScriptModule", "OptimizedModule")


def tensors(value: Any, depth: int = 4) -> Iterator[Any]:
    """The tensors in what a module was given or returned: tuples, lists and dicts of them."""
    if hasattr(value, "grad_fn") and hasattr(value, "shape"):
        yield value
    elif depth and isinstance(value, (tuple, list)):
        for item in value[:_MOST_TENSORS]:
            yield from tensors(item, depth - 1)
    elif depth and isinstance(value, Mapping):
        for item in list(value.values())[:_MOST_TENSORS]:
            yield from tensors(item, depth - 1)


def hookable(model: Any) -> list[tuple[str, Any]]:
    """The modules of `model` that can be followed, outermost first; compiled and scripted ones without their inside."""
    if not callable(getattr(model, "named_modules", None)):
        return []
    found: list[tuple[str, Any]] = []
    closed: list[str] = []
    for path, module in model.named_modules():
        if any(path.startswith(prefix) for prefix in closed) or not hasattr(module, "register_forward_hook"):
            continue
        compiled = getattr(module, "_compiled_call_impl", None) is not None
        if compiled or any(base.__name__ in _OPAQUE for base in type(module).__mro__):
            closed.append(f"{path}." if path else "")
        if not compiled:
            found.append((str(path), module))
    return found


def _class_name(module: Any) -> str:
    inner = getattr(module, "_orig_mod", None) or module
    return str(getattr(inner, "original_name", None) or type(inner).__name__)


class _Call:
    """A module's forward that is under way."""

    def __init__(self, module: int, inputs: list[Any], ordinal: int) -> None:
        self.module = module
        self.inputs = inputs
        self.ordinal = ordinal
        #: How often it has called each module so far.
        self.children: dict[int, int] = {}


class Trace:
    """The hooks of one sampled step, and what they measured."""

    def __init__(
        self,
        graph: Graph,
        modules: Sequence[tuple[str, Any]],
        parameters: Sequence[tuple[str, Any]],
        repeated: set[str],
    ) -> None:
        self.graph = graph
        #: Paths of modules with more calls than are drawn one by one; found here, and kept by the caller.
        self.repeated = repeated
        self.modules = modules
        self.seconds = 0.0
        self.error: Exception | None = None
        #: Norms that were measured at vertices, on edges, and of outputs, by their numbers in the graph.
        self.at_vertex: dict[int, list[Norm]] = {}
        self.on_edge: dict[int, list[Norm]] = {}
        self.forward: dict[int, list[Norm]] = {}
        self.calls: dict[int, int] = {}  # of a vertex
        self._parameters = {id(p): (index, name) for index, (name, p) in enumerate(parameters)}
        self._known_edges = len(graph.edges)
        self._shared = graph.outgoing()
        self._owner: dict[Any, int] = {}  # of an autograd node: position of a module, -1 for none
        self._vertex_of: dict[Any, int | None] = {}
        self._stack: list[_Call] = []
        self._joins: dict[tuple[int, str], list[int]] = {}
        self._cold: list[tuple[int, list[Any]]] = []
        self._made: list[tuple[Any, int]] = []  # outputs without a gradient, and their vertices' modules
        self._handles: list[Any] = []

    # ---- hooks on modules ----

    def install(self) -> None:
        for index, (_, module) in enumerate(self.modules):
            self._handles.append(_register(module, "register_forward_pre_hook", self._before(index)))
            self._handles.append(_register(module, "register_forward_hook", self._after(index)))

    def remove(self) -> None:
        while self._handles:
            self._handles.pop().remove()

    def _guard(self, action: Callable[..., None], *values: Any) -> None:
        """Hooks are in somebody's training: whatever goes wrong here stays here, and ends the trace."""
        if self.error is not None:
            return
        began = time.perf_counter()
        try:
            action(*values)
        except Exception as error:
            self.error = error
        self.seconds += time.perf_counter() - began

    def _before(self, index: int) -> Callable[..., None]:
        def before(_module: Any, args: Any = (), kwargs: Any = None) -> None:
            self._guard(self._enter, index, (args, kwargs))

        return before

    def _after(self, index: int) -> Callable[..., None]:
        def after(_module: Any, _args: Any, *rest: Any) -> None:
            self._guard(self._leave, index, rest[-1])

        return after

    def _enter(self, index: int, given: Any) -> None:
        inputs = list(tensors(given))
        parent, ordinal = -1, 1
        if self._stack:
            caller = self._stack[-1]
            parent = caller.module
            ordinal = caller.children[index] = caller.children.get(index, 0) + 1
        if ordinal > MOST_CALLS:
            self.repeated.add(self.modules[index][0])
        self._claim(inputs, parent, 0)
        self._stack.append(_Call(index, inputs, 1 if self.modules[index][0] in self.repeated else ordinal))

    def _leave(self, index: int, output: Any) -> None:
        while self._stack and self._stack[-1].module != index:
            self._stack.pop()  # calls that ended by an exception
        if not self._stack:
            return
        call = self._stack.pop()
        outputs = list(tensors(output))
        atom = not call.children
        new = self._claim(outputs, index, call.ordinal if atom else 0)
        if not atom:
            return
        if not new:
            if outputs and not any(t.requires_grad for t in outputs):
                self._cold.append((index, call.inputs))
                self._made += [(t, index) for t in outputs]
            return
        vertex = self._module_vertex(index, call.ordinal)
        self.calls[vertex] = self.calls.get(vertex, 0) + 1
        self.graph.vertices[vertex].shape = " · ".join(_shape(t) for t in outputs[:3])
        for tensor in call.inputs:
            source = next((m for made, m in self._made if made is tensor), None)
            if source is not None:
                self.graph.edge(self._module_vertex(source), vertex)
        for tensor in outputs:
            if tensor.requires_grad and tensor.grad_fn in new:
                self.forward.setdefault(vertex, []).append(norm_of(tensor))
                tensor.register_hook(self._taker(self.at_vertex, vertex))

    def _module_vertex(self, index: int, ordinal: int = 1) -> int:
        path, module = self.modules[index]
        vertex = self.graph.vertex(("module", path, ordinal), "module", path, _class_name(module))
        self.graph.vertices[vertex].ordinal = ordinal
        return vertex

    # ---- autograd's nodes ----

    def _claim(self, values: Sequence[Any], owner: int, ordinal: int) -> set[Any]:
        """Make `owner` the owner of all nodes that lead to `values` and have none; they are returned.

        `ordinal` is that of the call of a module that is a vertex, 0 for a container.
        """
        new: list[Any] = []
        stack: list[tuple[Any, bool]] = [(t.grad_fn, False) for t in values if t.grad_fn is not None]
        while stack:  # children first, so that what a node depends on is known when its turn comes
            node, done = stack.pop()
            if done:
                new.append(node)
            elif node not in self._owner and not hasattr(node, "variable"):
                self._owner[node] = owner
                stack.append((node, True))
                stack += [(following, False) for following, _ in node.next_functions if following is not None]
        if ordinal and new:
            vertex = self._module_vertex(owner, ordinal)
            for node in new:
                self._vertex_of[node] = vertex
            for node in new:
                self._connect(node, vertex, [self._source(f, None) for f, _ in node.next_functions], inside=vertex)
        elif not ordinal:
            for node in new:
                self._reduce(node, owner)
        return set(new)

    def _source(self, node: Any, of_container: int | None) -> int | None:
        """The vertex that `node`, which something depends on, stands for."""
        if node is None:
            return None
        if not hasattr(node, "variable"):
            return self._vertex_of.get(node)
        known = self._parameters.get(id(node.variable))
        if known is None or of_container is None:
            return None
        return self.graph.vertex(("parameter", known[0]), "parameter", known[1], "Parameter")

    def _reduce(self, node: Any, owner: int) -> None:
        """A node between modules stands for the one vertex behind it, or is a vertex if there are several."""
        sources = [self._source(following, owner) for following, _ in node.next_functions]
        distinct = sorted({s for s in sources if s is not None})
        if len(distinct) < 2:
            self._vertex_of[node] = distinct[0] if distinct else None
            return
        path = self.modules[owner][0] if owner >= 0 else ""
        short = sign(node.name() if callable(getattr(node, "name", None)) else type(node).__name__)
        key = ("join", path, short, tuple(distinct))
        known = self._joins.setdefault((owner, short), [])
        vertex = self.graph.find(key)
        if vertex is None and len(known) >= _MOST_JOINS:
            vertex = known[-1]
        if vertex is None:
            vertex = self.graph.vertex(key, "join", path, short)
        if vertex not in known:
            known.append(vertex)
        self._vertex_of[node] = vertex
        self._connect(node, vertex, sources, inside=None)

    def _connect(self, node: Any, target: int, sources: Sequence[int | None], inside: int | None) -> None:
        """Draw the edges that end at `node`, and have measured what goes back along them."""
        wanted: list[tuple[int, int]] = []
        for position, source in enumerate(sources):
            if source is None or source == target:
                continue
            edge = self.graph.edge(source, target)
            # Where a vertex has one edge only, its gradient is that edge's.
            if edge >= self._known_edges or self._shared[source] > 1:
                wanted.append((position, edge))
        if (not wanted and inside is not None) or not hasattr(node, "register_hook"):
            return

        def read(grad_inputs: Any, grad_outputs: Any) -> None:
            for position, edge in wanted:
                if position < len(grad_inputs) and grad_inputs[position] is not None:
                    self.on_edge.setdefault(edge, []).append(norm_of(grad_inputs[position]))
            if inside is None:
                for gradient in grad_outputs:
                    if gradient is not None:
                        self.at_vertex.setdefault(target, []).append(norm_of(gradient))

        node.register_hook(lambda inputs, outputs: self._guard(read, inputs, outputs))

    def _taker(self, values: dict[int, list[Norm]], key: int) -> Callable[[Any], None]:
        def read(gradient: Any) -> None:
            values.setdefault(key, []).append(norm_of(gradient))

        return lambda gradient: self._guard(read, gradient)

    # ---- the end of the step ----

    def finish(self) -> None:
        """Complete the graph by what no gradient passes: frozen modules, input and loss. Lets go of autograd."""
        self.remove()
        graph = self.graph
        before: int | None = None
        for index, inputs in self._cold:
            known = graph.find(("module", self.modules[index][0], 1))
            if known is not None and (known in graph.warm or known in self.forward):
                continue
            vertex = self._module_vertex(index)
            self.calls[vertex] = 1
            sources = {m for t in inputs for made, m in self._made if made is t and m != index}
            for source in sources:
                graph.edge(self._module_vertex(source), vertex)
            if not sources and before is not None and before != vertex:
                graph.edge(before, vertex)
            before = vertex
        for number, count in self.calls.items():
            graph.vertices[number].calls = count
        graph.warm.update(v for v in self.at_vertex if graph.vertices[v].kind != "parameter")
        graph.close(before)
        for path, module in self.modules:
            if path and graph.find(("module", path, 1)) is None:
                graph.groups.setdefault(path, _class_name(module))
        self._owner.clear()
        self._vertex_of.clear()
        self._cold.clear()
        self._made.clear()


def _shape(tensor: Any) -> str:
    return "×".join(str(int(size)) for size in tensor.shape) or "scalar"


def _register(module: Any, method: str, hook: Callable[..., None]) -> Any:
    """Register a hook that gets keyword arguments too, where the library has that."""
    try:
        return getattr(module, method)(hook, with_kwargs=True)
    except TypeError:
        return getattr(module, method)(hook)
