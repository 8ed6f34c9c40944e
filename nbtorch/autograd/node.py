"""The nodes of the graph. A node points to the nodes it got its inputs from and to what its derivative needs of them.

A node never points to a whole tensor, with one exception: the edge to a leaf is the leaf itself, whose ``.grad``
backward adds to. So tensors die as soon as the user lets go of them, and no reference cycle arises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .hooks import Hook, Hooks, RemovableHandle, add_hook
from .variable import Variable, Where, describe_where, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence


class Freed:
    """Stands in the place of what a node saved once backward has used it."""

    __slots__ = ()


FREED = Freed()


class Node:
    """One recorded operation: PyTorch's ``grad_fn``.

    Attributes:
        op: the record of the operation (see ``nbtorch.ops.record``).
        plan: which derivatives are wanted and what they need; None where ``backward`` is overridden.
        edges: for each input the node it came from, the leaf tensor itself, or None where no gradient is wanted.
        nrs: for each input which output of its node it was; None where all are 0.
        saved: what the derivative needs, in the order that ``plan`` says.
        guards: pairs of a storage and its version at saving.
        shape, dtype: of the output; tuples of them where there are several.
        sequence_nr: nodes made later have larger numbers; backward runs them from large to small.
        where: the user's line that called the operation.
        tangents: set while forward mode is on: for each open level the tangent of each output, None for zero.
    """

    __slots__ = (
        "__weakref__", "_next", "backend", "dtype", "edges", "guards", "hooks", "nrs", "op", "plan", "saved",
        "sequence_nr", "shape", "tangents", "where",
    )  # fmt: skip
    _is_node = True
    receives = True  # a gradient may arrive here; not so where the node only carries tangents
    outputs = 1
    materializes = True  # an output that nobody used gives zeros to backward, not None

    # Which inputs PyTorch's node shows, and whether it transposes them first; None for all as they are.
    shown: tuple[tuple[int, bool], ...] | None = None

    _next: tuple[tuple[Any, int], ...] | None
    op: Any
    plan: Any
    edges: tuple[Any, ...]
    nrs: tuple[int, ...] | None
    saved: Any
    guards: tuple[Any, ...]
    shape: Any
    dtype: Any
    backend: Any
    sequence_nr: int
    hooks: Hooks | None
    tangents: dict[int, list[Any]]
    where: Where | None

    def name(self) -> str:
        """PyTorch's name of the node, such as ``MulBackward0``."""
        return type(self).__name__

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """For each input, the node it came from and which of its outputs it was; (None, 0) where none is wanted."""
        if self._next is None:
            self._next = tuple(self._shown())
        return self._next

    def _shown(self) -> Iterator[tuple[Any, int]]:
        """The edges as PyTorch's node of the same name has them: not all inputs, and not always in our order."""
        for i, transposed in ((i, False) for i in range(len(self.edges))) if self.shown is None else self.shown:
            e = self.edges[i]
            nr = 0 if self.nrs is None else self.nrs[i]
            if e is not None and not e._is_node:
                e = AccumulateGrad(e)
            yield (e, nr) if e is None or not transposed else (TBackward0(e, nr), 0)

    @property
    def metadata(self) -> dict[str, Any]:
        """A dict for notes about the node. The line that made it is in ``where``."""
        return self._hooks().metadata

    def _hooks(self) -> Hooks:
        if self.hooks is None:
            self.hooks = Hooks()
        return self.hooks

    def register_hook(self, hook: Hook) -> RemovableHandle:
        """``hook(grad_inputs, grad_outputs)`` runs after the node; what it returns replaces ``grad_inputs``."""
        return add_hook(self._hooks().post, hook)

    def register_prehook(self, hook: Hook) -> RemovableHandle:
        """``hook(grad_outputs)`` runs before the node; what it returns replaces ``grad_outputs``."""
        return add_hook(self._hooks().pre, hook)

    def check(self) -> None:
        """Raises if what was saved is gone, or was changed in place since it was saved."""
        if self.saved is FREED:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved tensors after they "
                "have already been freed).\n"
                f"  node: {self.name()}, recorded at {describe_where(self.where)}\n"
                "  why: backward frees what each node saved, to save memory\n"
                "  fix: run the forward pass again, or call backward(retain_graph=True) the first time"
            )
        for which, (storage, version) in enumerate(self.guards):
            if storage.exports is not None:
                storage.refresh()
            if storage.version != version:
                self._raise_changed(storage, version, which)

    def _raise_changed(self, storage: Any, version: int, which: int) -> None:
        what, shape = self.plan.describe_saved(self, which) if self.plan is not None else (f"tensor {which}", "?")
        if storage.changed is not None:
            changed = f"at {describe_where(storage.changed)}"
        else:
            changed = "by writing to a NumPy array that shares its memory"
            if storage.handed is not None:
                changed += f", which was handed out at {describe_where(storage.handed)}"
        raise RuntimeError(
            "one of the variables needed for gradient computation has been modified by an inplace operation\n"
            f"  tensor: the {what} of {self.name()}, shape {shape}, at version {storage.version}; "
            f"expected version {version}\n"
            f"  saved for backward at {describe_where(self.where)}\n"
            f"  changed {changed}\n"
            "  fix: use the out-of-place form (x = x + 1 for x += 1), change it after backward(), "
            "or give the graph a copy with x.clone()"
        )

    def backward(self, grads: Any, create_graph: bool) -> Sequence[Any]:
        """The gradients of the inputs. Nodes made from records are run by their plan; others override this."""
        raise NotImplementedError(f"{self.name()} has no derivative of its own")


class AccumulateGrad(Node):
    """The end of the graph at a leaf, as PyTorch shows it: ``variable`` is the leaf whose ``.grad`` is added to."""

    __slots__ = ("variable",)
    next_functions: tuple[tuple[Any, int], ...] = ()
    _is_node = False

    def __init__(self, variable: Variable) -> None:
        self.variable = variable

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"

    @property
    def metadata(self) -> dict[str, Any]:
        return leaf_hooks(self.variable).metadata

    # One leaf has one accumulator in the eyes of code that keeps a set of the nodes it has seen.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return hash(self.variable)

    def register_hook(self, hook: Hook) -> RemovableHandle:
        """``hook((), (grad,))`` runs when the gradient that arrived was added to the leaf's ``.grad``."""
        return add_hook(leaf_hooks(self.variable).after, hook)

    def register_prehook(self, hook: Hook) -> RemovableHandle:
        """``hook(grad_outputs)`` runs before the gradient is added; what it returns replaces it."""
        return add_hook(leaf_hooks(self.variable).pre, hook)


class GradientEdge(NamedTuple):
    """A place in the graph where a gradient arrives: a node, and which of its outputs.

    ``autograd.grad`` and ``backward`` take one in the place of a tensor, so that the tensor need not be kept.
    """

    node: Any
    output_nr: int
    ownership_token: Any = None


class TBackward0:
    """A transposition that PyTorch records as a node and nbtorch does within another; it is there to be looked at."""

    __slots__ = ("__weakref__", "next_functions")
    _is_node = False

    def __init__(self, e: Any, nr: int) -> None:
        self.next_functions = ((e, nr),)

    def name(self) -> str:
        return "TBackward0"

    def __repr__(self) -> str:
        return f"<TBackward0 object at {id(self):#x}>"

    def register_hook(self, hook: Hook) -> RemovableHandle:
        raise RuntimeError(
            "this TBackward0 is part of the linear node above it, which has no gradient of its own to give a hook\n"
            "  fix: register the hook on the weight, or on the linear node (its grad_inputs hold the weight's gradient)"
        )


def leaf_hooks(leaf: Variable) -> Hooks:
    hooks = leaf._hooks
    if hooks is None:
        hooks = leaf._hooks = Hooks()
    return hooks


def saved_tensor(array: Any, backend: Any, edge: Any, nr: int) -> Any:
    """An array that a node saved, as the tensor it was: with the history that ``edge`` gives it."""
    if edge is not None and not edge._is_node:
        return edge
    t = wrap(array, backend)
    if edge is not None:
        t._grad_fn, t._output_nr, t._requires_grad = edge, nr, True
    return t
