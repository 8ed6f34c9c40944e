"""Operations of the user's own: ``class Square(Function)`` with a ``forward`` and a ``backward``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .engine import edge_of, maths
from .modes import grad_mode, no_grad
from .node import Node, saved_tensor
from .sequence import next_sequence_nr
from .variable import Variable, _new, alias, shared_storage, where_called, wrap


class FunctionCtx:
    """What ``forward`` leaves for ``backward``: ``ctx.save_for_backward(x)`` for tensors, attributes for the rest.

    Attributes:
        needs_input_grad: for each input of ``forward`` whether its gradient is wanted.
    """

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self.materialize_grads = True
        self._to_save: tuple[Variable | None, ...] = ()
        self._dirty: tuple[Variable, ...] = ()
        self._non_differentiable: tuple[Variable, ...] = ()
        self._node: FunctionNode | None = None

    def save_for_backward(self, *tensors: Variable | None) -> None:
        """Keeps tensors (inputs, outputs or others) for ``backward``, guarded against changes in place.

        Raises:
            TypeError: for anything that is neither a tensor nor None; keep such things as attributes of ``ctx``.
        """
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, Variable):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {i} is of type {type(t).__name__}\n"
                    "  fix: keep it as an attribute, ctx.name = value"
                )
        self._to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors that ``save_for_backward`` kept, in order."""
        if self._node is None:
            return self._to_save
        return self._node.unpack()

    def mark_dirty(self, *args: Variable) -> None:
        """Says which inputs ``forward`` changed in place."""
        self._dirty = args

    def mark_non_differentiable(self, *args: Variable) -> None:
        """Says which outputs have no gradient, such as indices."""
        self._non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether an output nobody used gives zeros to ``backward`` (True) or None."""
        self.materialize_grads = value


class FunctionNode(Node):
    """The node of a ``Function``; its derivative is the user's ``backward``."""

    __slots__ = ("ctx", "function", "outputs", "positions", "save_backends", "save_edges", "tensor_outputs")

    ctx: FunctionCtx
    function: type[Function]
    outputs: int
    positions: tuple[int, ...]
    save_backends: tuple[Any, ...]
    save_edges: list[tuple[Any, int] | None]
    tensor_outputs: tuple[bool, ...]

    @property
    def materializes(self) -> bool:  # type: ignore[override]
        """What ``ctx.set_materialize_grads`` said."""
        return self.ctx.materialize_grads

    def unpack(self) -> tuple[Any, ...]:
        self.check()
        out: list[Any] = []
        for array, backend, place in zip(self.saved, self.save_backends, self.save_edges, strict=True):
            if array is None:
                out.append(None)
            elif place is None:
                out.append(wrap(array, backend))
            else:
                edge, nr = place
                out.append(saved_tensor(array, backend, self if edge is SELF else edge, nr))
        return tuple(out)

    def backward(self, grads: Any, create_graph: bool) -> Sequence[Any]:
        known = iter(grads if self.outputs > 1 else [grads])
        # An output that is no tensor has a place among the arguments of backward too, and no gradient.
        offered = [next(known) if is_tensor else None for is_tensor in self.tensor_outputs]
        tensors = [g if create_graph or g is None else wrap(self.backend.as_array(g), self.backend) for g in offered]
        # The context knows its node only while it is needed: a lasting reference would be a cycle.
        self.ctx._node = self
        try:
            results = self.function.backward(self.ctx, *tensors)
        finally:
            self.ctx._node = None
        if not isinstance(results, tuple):
            results = (results,)
        count = len(self.ctx.needs_input_grad)
        if (len(results) > count and any(r is not None for r in results[count:])) or len(results) < count:
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {count}, got "
                f"{len(results)})\n  fix: return one gradient for each input of forward, None where there is none"
            )
        out: list[Any] = []
        for position, edge in zip(self.positions, self.edges, strict=True):
            g = results[position]
            if g is not None and not isinstance(g, Variable):
                raise TypeError(
                    f"{self.name()}: expected Variable or None (got {type(g).__name__}) as gradient {position}"
                )
            out.append(None if g is None or edge is None else g if create_graph else g._array)
        return out

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``forward`` saved, as tensors."""
        return self.unpack()


SELF = object()


class FunctionMeta(type):
    """Gives every ``Function`` a node class of its own, named as PyTorch names it."""

    def __init__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> None:
        super().__init__(name, bases, attrs)
        cls._node_class = type(name + "Backward", (FunctionNode,), {"__slots__": ()})


class Function(metaclass=FunctionMeta):
    """A differentiable operation with a derivative of the user's own.

    Subclass it with two static methods, ``forward(ctx, *args)`` and ``backward(ctx, *grad_outputs)`` (or ``forward``
    without ``ctx`` and ``setup_context(ctx, inputs, output)``), and call ``Square.apply(x)``.
    """

    _node_class: type[FunctionNode]

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Runs ``forward`` and records the operation where an input requires a gradient."""
        ctx = FunctionCtx()
        inputs = [(i, a) for i, a in enumerate(args) if isinstance(a, Variable)]
        ctx.needs_input_grad = tuple(isinstance(a, Variable) and a.requires_grad for a in args)
        recording = grad_mode.enabled and any(ctx.needs_input_grad)
        with no_grad():
            if cls.setup_context is Function.setup_context:
                result = cls.forward(ctx, *args)
            else:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
        if not recording:
            return result
        return _record(cls, ctx, inputs, result)


def _record(cls: type[Function], ctx: FunctionCtx, inputs: list[tuple[int, Variable]], result: Any) -> Any:
    several = isinstance(result, (tuple, list))
    outputs = list(result) if several else [result]
    if not any(isinstance(out, Variable) for out in outputs):
        return result
    node: Any = _new(cls._node_class)
    edges = [edge_of(t) if t.requires_grad else (None, 0) for _, t in inputs]
    node.op, node.plan, node.hooks, node._next = None, None, None, None
    node.ctx, node.function = ctx, cls
    node.positions = tuple(i for i, _ in inputs)
    node.edges = tuple(e for e, _ in edges)
    node.nrs = tuple(nr for _, nr in edges) if any(nr for _, nr in edges) else None
    node.sequence_nr, node.where = next_sequence_nr(), where_called()
    dirty = {id(t) for t in ctx._dirty}
    constant = {id(t) for t in ctx._non_differentiable}
    by_id = {id(t): t for _, t in inputs}

    tensors = []
    for out in outputs:
        if isinstance(out, Variable) and id(out) in by_id and id(out) not in dirty:
            out = alias(out)  # forward returned an input: the output is another tensor with the same values
        tensors.append(out)
    numbered = [t for t in tensors if isinstance(t, Variable)]
    node.outputs = len(numbered)
    node.backend = numbered[0]._backend  # that of the gradients that will arrive
    node.tensor_outputs = tuple(isinstance(t, Variable) for t in tensors)
    shapes, dtypes = [t._array.shape for t in numbered], [t._array.dtype for t in numbered]
    node.shape, node.dtype = (shapes[0], dtypes[0]) if len(numbered) == 1 else (tuple(shapes), tuple(dtypes))

    # What is saved is noted before the outputs get their history: an input keeps the edge that it came with.
    saved, save_edges, guards = [], [], []
    own = {id(t): nr for nr, t in enumerate(t for t in outputs if isinstance(t, Variable))}
    for t in ctx._to_save:
        saved.append(None if t is None else t._array)
        place: Any = None
        if t is not None:
            if id(t) in own and (id(t) not in by_id or id(t) in dirty):
                place = (SELF, own[id(t)])
            elif t.requires_grad:
                place = edge_of(t)
            storage = shared_storage(t)
            storage.refresh()
            guards += [storage, storage.version + (id(t) in dirty)]
        save_edges.append(place)
    node.saved, node.save_edges, node.guards = tuple(saved), save_edges, tuple(guards)
    node.save_backends = tuple(None if t is None else t._backend for t in ctx._to_save)
    ctx._to_save = ()

    for t in ctx._dirty:
        t._touch()
    nr = 0
    for out, t in zip(outputs, tensors, strict=True):
        if not isinstance(t, Variable):
            continue
        if id(out) not in constant and t._dtype().is_floating_point:
            if t._requires_grad and t._grad_fn is None and id(t) in dirty:
                raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
            if t._view is not None and id(t) in dirty:
                if len(numbered) > 1:
                    raise RuntimeError(
                        f"{cls.__name__}: a view that is changed in place must be the only output\n"
                        "  fix: give the function a copy, x.clone()"
                    )
                maths.rebase(t, node)
            else:
                t._grad_fn, t._output_nr, t._requires_grad = node, nr, True
        nr += 1
    if several:
        return type(result)(tensors) if isinstance(result, list) else tuple(tensors)
    return tensors[0]


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a ``backward`` that can't be differentiated in turn: a second derivative through it raises."""

    def wrapper(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            results = function(ctx, *grads)
        if not any(isinstance(g, Variable) and g.requires_grad for g in grads):
            return results
        single = not isinstance(results, tuple)
        outs = (results,) if single else results
        blocked = tuple(
            _Blocked.apply(g, *[x for x in grads if x is not None]) if g is not None else None for g in outs
        )
        return blocked[0] if single else blocked

    return wrapper


class _Blocked(Function):
    @staticmethod
    def forward(ctx: Any, value: Any, *grads: Any) -> Any:
        return alias(value)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")
