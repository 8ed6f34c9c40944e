"""Operations of the user's own: ``class Square(Function)`` with a ``forward`` and a ``backward``."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from .engine import edge_of, maths
from .modes import grad_mode, is_grad_enabled, no_grad, switch_recording
from .node import Node, saved_tensor
from .packing import Packed
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
        self.saved_for_forward: tuple[Variable | None, ...] = ()
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

    def save_for_forward(self, *tensors: Variable | None) -> None:
        """Keeps tensors for ``jvp``, where they are ``ctx.saved_tensors``."""
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, Variable):
                raise TypeError(
                    f"save_for_forward can only save tensors, but argument {i} is of type {type(t).__name__}\n"
                    "  fix: keep it as an attribute, ctx.name = value"
                )
        self.saved_for_forward = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors that ``save_for_backward`` kept, in order; in ``jvp`` those of ``save_for_forward``."""
        if self._in_jvp:
            return self.saved_for_forward
        if self._node is None:
            return self._to_save
        return self._node.unpack()

    _in_jvp = False

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
            if type(array) is Packed:
                array = array.tensor()._array
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
        function = self.function
        try:
            if function.backward is not Function.backward:
                results = function.backward(self.ctx, *tensors)
            else:
                results = function.vjp(self.ctx, *tensors)
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
                raise RuntimeError(
                    f"{self.name()}: expected Variable or None (got {type(g).__name__}) as gradient {position}"
                )
            out.append(None if g is None or edge is None else g if create_graph else g._array)
        return out

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``forward`` saved, as tensors."""
        return self.unpack()

    def __getattr__(self, name: str) -> Any:
        # In PyTorch the context is the node: what forward put on it can be asked of grad_fn.
        if not name.startswith("__") and name not in _NODE_SLOTS:
            held = vars(self.ctx)
            if name in held:
                return held[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


_NODE_SLOTS = frozenset((*Node.__slots__, *FunctionNode.__slots__))
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
        """The gradients of the inputs of ``forward``, from those of its outputs; ``vjp`` is another name for it."""
        raise NotImplementedError(_NO_BACKWARD)

    @staticmethod
    def vjp(ctx: Any, *grad_outputs: Any) -> Any:
        """``backward`` under its other name."""
        raise NotImplementedError(_NO_BACKWARD)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        """The tangents of the outputs of ``forward``, from those of its inputs: what forward mode needs."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    # Under vmap, forward and backward run on the batch as they are; a class may give a rule of its own instead.
    generate_vmap_rule = False

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> Any:
        """What ``forward`` is on a batch: takes whole tensors, returns ``(output, out_dims)``."""
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or set "
            "generate_vmap_rule=True."
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should "
            "invoke them on the class itself.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd "
            f"function with static forward method.\n  fix: {type(self).__name__}.apply(...)"
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Runs ``forward`` and records the operation where an input requires a gradient."""
        has_context = cls.setup_context is not Function.setup_context
        if has_context:
            args, kwargs = with_defaults(cls.forward, args, kwargs)
        if cls.vmap is not Function.vmap and any(isinstance(a, Variable) and is_batched(a) for a in args):
            return maths.apply_own_rule(cls, args)
        ctx = FunctionCtx()
        inputs = [(i, a) for i, a in enumerate(args) if isinstance(a, Variable)]
        ctx.needs_input_grad = tuple(isinstance(a, Variable) and a.requires_grad for a in args)
        recording = is_grad_enabled() and any(ctx.needs_input_grad)
        levels, interceptor = grad_mode.levels, grad_mode.interceptor
        # Nothing inside is recorded, and no tangent follows: backward and jvp speak for it.
        grad_mode.levels, grad_mode.interceptor = (), None
        before = switch_recording(False)
        try:
            if has_context:
                result = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args, **kwargs)
        finally:
            grad_mode.levels, grad_mode.interceptor = levels, interceptor
            switch_recording(before)
        if not recording and not levels:
            return result
        arriving: Any = ()
        if levels:
            from .forward import follow, tangents_of

            arriving = [tangents_of(a) if isinstance(a, Variable) else {} for a in args]
        if recording:
            result = _record(cls, ctx, inputs, result)
        if any(arriving):
            result = follow(cls, ctx, args, arriving, result)
        return result


_NO_BACKWARD = (
    "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward "
    "mode AD."
)


def with_defaults(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The arguments of a call with those filled in that have defaults."""
    code = getattr(function, "__code__", None)
    defaults = getattr(function, "__defaults__", None) or ()
    if code is None or (not kwargs and len(args) >= code.co_argcount):
        return args, kwargs
    names = code.co_varnames[: code.co_argcount]
    filled = list(args)
    kwargs = dict(kwargs)
    for i in range(len(args), len(names)):
        back = i - len(names)
        if names[i] in kwargs:
            filled.append(kwargs.pop(names[i]))
        elif -back <= len(defaults):
            filled.append(defaults[back])
        else:
            break
    return tuple(filled), kwargs


def is_batched(t: Variable) -> bool:
    """Whether ``t`` is inside a ``vmap``."""
    return hasattr(t._backend, "level")


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
    saved: list[Any] = []
    save_edges, guards = [], []
    packing = bool(grad_mode.hooks)
    own = {id(t): nr for nr, t in enumerate(t for t in outputs if isinstance(t, Variable))}
    for t in ctx._to_save:
        saved.append(None if t is None else Packed(t) if packing else t._array)
        place: Any = None
        if t is not None:
            if id(t) in own and (id(t) not in by_id or id(t) in dirty):
                place = (SELF, own[id(t)])
            elif t.requires_grad:
                place = edge_of(t)
            if packing:
                save_edges.append(place)
                continue
            storage = shared_storage(t)
            storage.refresh()
            guards.append((storage, storage.version + (id(t) in dirty)))
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

    @functools.wraps(function)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            results = function(ctx, *grads)
        if not is_grad_enabled() or not any(isinstance(g, Variable) and g.requires_grad for g in grads):
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


class InplaceFunction(Function):
    """A function that remembers whether it works in place; kept for programs written for old PyTorch."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace
