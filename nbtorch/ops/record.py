"""An operation is one record: its forward on arrays, the derivative for each input, the formula.

The derivative of an input is a function that names what it needs::

    MUL = Op("mul", lambda m, input, other: m.mul(input, other), tensors=2,
             input=lambda g, other: g * other,
             other=lambda g, input: g * input,
             formula=r"\\frac{\\partial (x\\,y)}{\\partial x} = y")

Of the parameters, ``g`` is the gradient of the output and ``m`` the mathematics to use: a backend's primitives when
gradients are arrays, the functions of ``ops`` when they are tensors (``create_graph=True``); their names agree. An
input's name asks for its value, ``shape`` for the first input's shape, ``out`` for the result, another name for a
static argument. Only what is named is
saved, and only if the gradient that names it is wanted: the idea of PyTorch's ``derivatives.yaml``. A gradient may
come back larger than its input where the input was broadcast; the engine sums it down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..autograd.engine import maths
from ..autograd.modes import grad_mode, intercepted, off
from ..autograd.node import Node
from ..autograd.variable import (
    SEVERAL,
    UNRECORDED,
    Variable,
    View,
    _new,
    shared_storage,
    sync_view,
    wrap,
)
from ..backends.quiet import SILENT, hush, unhush
from .plan import Plan, gatherer, parameters

F = TypeVar("F", bound=Callable[..., Any])

# Every operation by its name, for tests, docs and the widgets.
registry: dict[str, Op] = {}


class Op:
    """The record of one operation.

    Attributes:
        name: as in ``nbtorch.<name>``.
        forward: ``forward(m, *arrays, *static)``, the result as an array (a tuple of them for several outputs).
        inputs: the names of the tensor inputs.
        outputs: how many results it has; 0 where the arguments decide that.
        static: the names of the arguments that are not tensors.
        derivatives: for each differentiable input its derivative.
        formula: the derivative in LaTeX.
        layout: ``layout(m, out, arrays)``, the result with its dimensions in memory in PyTorch's order (views, dropout
            and random numbers depend on it); None where the arrays come out so.
        materializes: whether an output that nobody used gives zeros to the derivative; None otherwise.
        shows: the inputs that PyTorch's node of the same name shows, in its order; ``.T`` where it transposes first.
        number_nodes: by input, the node's name where that input is a Python number.
        function: the public function made from it.
        samples: for tests and docs: argument tuples as functions of a tensor maker.
    """

    __slots__ = (
        "classes",
        "derivatives",
        "formula",
        "forward",
        "function",
        "inputs",
        "joint",
        "layout",
        "materializes",
        "name",
        "node_class",
        "node_name",
        "number_nodes",
        "outputs",
        "plans",
        "recorders",
        "shows",
        "static",
        "variadic",
    )

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        *,
        tensors: int | None = 1,
        outputs: int = 1,
        node: str | None = None,
        shows: tuple[str, ...] | None = None,
        numbers: dict[str, str] | None = None,
        formula: str = "",
        joint: Callable[..., Sequence[Any]] | None = None,
        materializes: bool = True,
        layout: Callable[..., Any] | None = None,
        **derivatives: Callable[..., Any],
    ) -> None:
        names = parameters(forward)[1:]
        self.variadic = tensors is None
        count = 0 if tensors is None else tensors
        self.name = name
        self.forward = forward
        self.inputs = names[:count]
        self.static = names[1:] if self.variadic else names[count:]
        self.outputs = outputs
        self.formula = formula
        self.joint = joint
        self.materializes = materializes
        self.layout = layout
        self.derivatives = derivatives
        self.node_name = node or "".join(part.capitalize() for part in name.split("_")) + "Backward0"
        self.node_class: type[Node] | None = None
        self.classes: dict[int, type[Node]] = {}
        self.number_nodes: dict[int, Any] | None = None
        if numbers is not None:
            self.number_nodes = {self.inputs.index(i): name for i, name in numbers.items()}
        self.shows = (
            shows if shows is not None else () if self.variadic else tuple(i for i in self.inputs if i in derivatives)
        )
        self.plans: dict[int, Plan] = {}
        self.recorders: dict[int, Callable[..., Node]] = {}
        self.function: Callable[..., Any] | None = None
        if name in registry:
            raise ValueError(f"an operation named {name!r} is registered already; names are unique")
        registry[name] = self

    def __call__(self, function: F) -> F:
        """As a decorator: ``function`` is the public face of the record, and what derivatives call on tensors."""
        self.function = function
        setattr(maths, function.__name__, function)
        return function

    def __repr__(self) -> str:
        return f"Op({self.name!r})"

    def make_node_class(self, name: str, numbers: tuple[int, ...]) -> type[Node]:
        """The class of this operation's nodes, where the inputs in ``numbers`` are Python numbers."""
        shown = None
        if not self.variadic and self.joint is None:
            places = [(self.inputs.index(i.removesuffix(".T")), i.endswith(".T")) for i in self.shows]
            shown = tuple(place for place in places if place[0] not in numbers)
        members = {"__slots__": (), "outputs": self.outputs, "materializes": self.materializes, "shown": shown}
        # Properties rather than __getattr__, which would slow down every look at a node.
        for saved in self.saved_names():
            members[f"_saved_{saved}"] = _saved_attribute(saved)
        return type(name, (Node,), members)

    def saved_names(self) -> set[str]:
        """What a node may have saved, by PyTorch's names: ``self``, ``result``, those of the other arguments."""
        derivatives = [self.joint] if self.joint is not None else list(self.derivatives.values())
        names = {p for d in derivatives for p in parameters(d)} - {"m", "g", "needs"}
        aliases = {"out": "result"} if self.variadic or not self.inputs else {"out": "result", self.inputs[0]: "self"}
        return names | {alias for name, alias in aliases.items() if name in names}

    def class_of(self, count: int) -> type[Node]:
        """The node class where the arguments decide that there are ``count`` outputs."""
        made = self.classes.get(count)
        if made is None:
            plain = self.make_node_class(self.node_name, ())
            made = self.classes[count] = type(self.node_name, (plain,), {"__slots__": (), "outputs": count})
        return made

    def class_for(self, inputs: Sequence[Any]) -> type[Node] | None:
        """The node class where a Python number stands among the inputs, since PyTorch names such nodes otherwise."""
        assert self.number_nodes is not None
        for i, made in self.number_nodes.items():
            if not isinstance(inputs[i], Variable):
                if isinstance(made, str):
                    made = self.number_nodes[i] = self.make_node_class(made, (i,))
                return made
        return None

    def base_class(self) -> type[Node]:
        """The node class where no Python number stands among the inputs."""
        if self.node_class is None:
            self.node_class = self.make_node_class(self.node_name, ())
        return self.node_class

    def run(self, input: Variable, static: tuple[Any, ...]) -> Any:
        """The operation on one tensor, recorded."""
        return apply(self, (input,), static)

    def plan(self, mask: int, count: int) -> Plan:
        plan = self.plans.get(mask if not self.variadic else mask | count << 64)
        if plan is None:
            plan = self.plans[mask if not self.variadic else mask | count << 64] = Plan(self, mask, count)
        return plan

    def recorder(self, mask: int, count: int) -> Callable[..., Node]:
        """What makes the node for this choice of inputs: see ``make_node``."""
        record = self.plan(mask, count).record
        if not self.variadic:
            self.recorders[mask] = record
        return record


def _saved_attribute(name: str) -> property:
    return property(lambda node: node.plan.saved_attribute(node, name))


def mathematical(function: F) -> F:
    """Lets derivatives call a composite function (one without a record of its own) on tensors."""
    setattr(maths, function.__name__, function)
    return function


def make_node(op: Op, mask: int, inputs: Sequence[Any], arrays: Any, out: Any, static: Any, result: Any) -> Node:
    """Records an operation.

    Args:
        mask: bit i says that input i wants a gradient.
        inputs: tensors, or Python numbers among them.
        arrays: the inputs' arrays, as ``forward`` got them.
        out: the result's array.
        result: the result as a tensor (a tuple of several), whose memory is guarded if the derivative needs it; None
            where ``out`` is nobody's memory but the node's.
    """
    if intercepted and grad_mode.interceptor is not None:
        made: Node = grad_mode.interceptor(make_node, op, mask, inputs, arrays, out, static, result)
        return made
    made = (op.recorders.get(mask) or op.recorder(mask, len(inputs)))(op, mask, inputs, arrays, out, static, result)
    return made


def arrays_backend(inputs: Sequence[Any]) -> Any:
    for t in inputs:
        if isinstance(t, Variable):
            return t._backend
    raise TypeError("an operation needs a tensor among its inputs")


def gradient_mask(inputs: Sequence[Any]) -> int:
    """Bit i set where input i requires a gradient; 0 where nothing is recorded now."""
    mask = 0
    if grad_mode.enabled:
        bit = 1
        for t in inputs:
            if isinstance(t, Variable):
                if t._view is not None:
                    sync_view(t)
                if t._requires_grad:
                    mask |= bit
            bit <<= 1
    return mask


def result_class(inputs: Sequence[Any]) -> Any:
    """The class of a result: the most derived of the inputs' result classes, so that subclasses are kept."""
    cls = None
    for t in inputs:
        if isinstance(t, Variable):
            c = t._result_class
            if cls is None or (c is not cls and issubclass(c, cls)):
                cls = c
    return cls


def of_one_backend(op: Op, inputs: Sequence[Any]) -> Sequence[Any]:
    """The inputs of an operation, those from outside a ``vmap`` lifted into it where they meet what is inside.

    Raises:
        RuntimeError: where they live on different devices.
    """
    if any(hasattr(t._backend, "level") for t in inputs if isinstance(t, Variable)):
        from ..autograd.batching import meet

        met = meet(inputs)
        if met is not None:
            return met
    if check_same_device(op, inputs) is not arrays_backend(inputs):
        raise RuntimeError(f"a tensor of a vmap that has ended can't be used any more\n  operation: {op.name}")
    return inputs


def check_same_device(op: Op, inputs: Sequence[Any]) -> Any:
    """The backend of the inputs.

    Raises:
        RuntimeError: where they live on different devices.
    """
    backend = arrays_backend(inputs)
    for t in inputs:
        if isinstance(t, Variable) and t._backend is not backend:
            if t._backend.device == backend.device:  # one of them is inside a vmap, whose arrays take others in
                if getattr(t._backend, "level", 0) > getattr(backend, "level", 0):
                    backend = t._backend
                continue
            raise RuntimeError(
                f"Expected all tensors to be on the same device, but found at least two devices, {backend.device} and "
                f"{t._backend.device}!\n  operation: {op.name}\n  fix: move one of them with "
                f".to({str(backend.device)!r})"
            )
    return backend


_GATHERERS: dict[int, Callable[..., Any]] = {}  # by the number of inputs, made when first needed


def _gatherer(count: int) -> Callable[..., Any]:
    made = gatherer(count) if 0 < count < 8 else lambda inputs, recording: None
    return _GATHERERS.setdefault(count, made)


def apply(op: Op, inputs: Sequence[Any], static: tuple[Any, ...] = ()) -> Any:
    """Runs an operation on tensors and records it where a gradient is wanted.

    Args:
        op: the record.
        inputs: its tensor inputs, of one device; Python numbers may stand among them.
        static: its other arguments, in the order of ``forward``.

    Returns:
        A new tensor, or a tuple of them where the record has several outputs.
    """
    # This is the way of every operation that isn't elementwise: the inputs are looked at by code written out for them.
    gather = _GATHERERS.get(len(inputs)) or _gatherer(len(inputs))
    try:
        gathered = gather(inputs, not off or grad_mode.enabled)
    except AttributeError:  # a number among them
        gathered = None
    if gathered is None:
        inputs = of_one_backend(op, inputs)
        arrays = tuple([t._array if isinstance(t, Variable) else t for t in inputs])
        gathered = arrays_backend(inputs), None, gradient_mask(inputs), arrays
    m, cls, mask, arrays = gathered
    if cls is None:
        cls = result_class(inputs)
    token = hush(SILENT)
    try:
        out = op.forward(m, list(arrays), *static) if op.variadic else op.forward(m, *arrays, *static)
    finally:
        unhush(token)
    if op.outputs != 1:
        return _wrap_several(op, inputs, arrays, out, static, m, cls, mask)
    if type(out) is not m.ndarray:
        out = m.as_array(out)
    if op.layout is not None and out.ndim > 1:
        out = op.layout(m, out, arrays)
    result: Any = _new(cls)  # written out: what wrap does
    result._array = out
    result._backend = m
    result._grad = result._grad_fn = result._hooks = result._storage = result._view = None
    result._output_nr = 0
    result._requires_grad = False
    if mask and (op.derivatives or op.joint is not None):
        record = make_node if intercepted else op.recorders.get(mask)
        if record is None:
            record = op.recorder(mask, len(inputs))
        result._grad_fn = record(op, mask, inputs, arrays, out, static, result)
        result._requires_grad = True
    return result


def _wrap_several(
    op: Op, inputs: Any, arrays: Any, out: Any, static: Any, m: Any, cls: Any, mask: int
) -> tuple[Any, ...]:
    out = tuple([m.as_array(o) for o in out])
    if op.layout is not None:
        out = tuple([op.layout(m, o, arrays) if o.ndim > 1 else o for o in out])
    tensors = tuple([wrap(o, m, cls) for o in out])
    if mask and out:
        node: Any = make_node(op, mask, inputs, arrays, out, static, tensors)
        for nr, t in enumerate(tensors):
            if t._dtype().is_floating_point:
                t._grad_fn, t._output_nr, t._requires_grad = node, nr, True
                if not node.receives:
                    node.level.carries(t)
    return tensors


def apply_view(op: Op, input: Any, static: tuple[Any, ...] = (), shares: bool | None = None) -> Any:
    """Runs an operation whose result shares memory with its input, and remembers how to run it again.

    Where the array module had to copy after all, the result is an ordinary tensor.

    Args:
        shares: whether it shares memory, where that is known; else the arrays are asked.
    """
    t = apply(op, (input,), static)
    if input._backend.shares_memory(input._array, t._array) if shares is None else shares:
        _make_view(t, input, (op, static), 0 if not off or grad_mode.enabled else UNRECORDED)
    return t


def apply_views(op: Op, input: Any, static: tuple[Any, ...] = ()) -> tuple[Any, ...]:
    """Runs an operation with several results that all share memory with its input.

    They have one node in common. As in PyTorch, none of them may be changed in place where a gradient is recorded.
    """
    pieces: tuple[Any, ...] = apply(op, (input,), static)
    for t in pieces:
        _make_view(t, input, (op, static), SEVERAL)
    return pieces


def _make_view(t: Any, input: Any, step: tuple[Op, tuple[Any, ...]], kind: int) -> None:
    t._storage = shared_storage(input)
    view = input._view
    if view is None:
        t._view = View(input, (step,), kind)
    else:
        t._view = View(view.base, (*view.replay, step), kind or view.kind)
