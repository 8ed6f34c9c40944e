"""``vmap``: tensors into a batch and out of it, with gradients and tangents on the way.

A tensor inside ``vmap`` is an ordinary tensor whose backend computes on batches (``backends.batched``): it has the
shape of one example, and whatever is done with it is done for all. Tensors from outside that meet it are lifted: the
same for every example, their gradient the sum over the examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from ..backends.base import Backend
from ..backends.batched import BatchedBackend
from .engine import maths
from .function import Function
from .modes import grad_mode
from .variable import Variable, wrap


class Batch:
    """One ``vmap`` while it runs."""

    def __init__(self, size: int, randomness: str) -> None:
        self.size, self.randomness = size, randomness
        self.level = 1 + len(grad_mode.batches)
        self._backends: dict[int, tuple[Backend, BatchedBackend]] = {}

    def __enter__(self) -> Batch:
        grad_mode.batches = (*grad_mode.batches, self)
        return self

    def __exit__(self, *exc: object) -> None:
        grad_mode.batches = grad_mode.batches[:-1]

    def backend(self, base: Backend) -> BatchedBackend:
        """The backend of this batch over ``base``, which is the same object each time."""
        found = self._backends.get(id(base))
        if found is None:
            found = self._backends[id(base)] = (base, BatchedBackend(base, self.size, self.level))
        return found[1]


def level_of(t: Variable) -> int:
    """In how many batches ``t`` is."""
    return getattr(t._backend, "level", 0)


def _device_backend(backend: Any) -> Any:
    while hasattr(backend, "level"):
        backend = backend.base
    return backend


def lift_to(t: Any, backend: Any) -> Any:
    """``t`` as a tensor of ``backend``, a batch around the one that ``t`` is in; itself where it is there already."""
    if t._backend is backend:
        return t
    return Lift.apply(lift_to(t, backend.base), backend)


def meet(inputs: Sequence[Any]) -> list[Any] | None:
    """The inputs of an operation as tensors of one batch; None where they aren't of one device."""
    tensors = [t for t in inputs if isinstance(t, Variable)]
    deepest = max((t._backend for t in tensors), key=lambda b: getattr(b, "level", 0))
    if not hasattr(deepest, "level"):
        return None
    chain = []
    backend: Any = deepest
    while True:
        chain.append(backend)
        if not hasattr(backend, "level"):
            break
        backend = backend.base
    if any(t._backend not in chain for t in tensors):
        return None
    return [lift_to(t, deepest) if isinstance(t, Variable) else t for t in inputs]


def enter(t: Any, dim: int, batch: Batch) -> Any:
    """``t`` with its dimension ``dim`` as the batch."""
    for outer in grad_mode.batches:
        if outer.level < batch.level and level_of(t) < outer.level:
            t = lift_to(t, outer.backend(t._backend))
    return Enter.apply(t, dim, batch.backend(t._backend))


def leave(t: Any, dim: int, batch: Batch) -> Any:
    """The tensor of all examples, the batch as dimension ``dim``."""
    if level_of(t) < batch.level:
        t = lift_to(t, batch.backend(t._backend))
    return Leave.apply(t, dim)


class Enter(Function):
    """A dimension becomes the batch."""

    @staticmethod
    def forward(ctx: Any, input: Any, dim: int, backend: Any) -> Any:
        ctx.dim, ctx.batch = dim, backend
        return wrap(backend.enter(input._array, dim), backend, input._result_class)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return Leave.apply(lift_to(grads[0], ctx.batch), ctx.dim), None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return Enter.apply(tangents[0], ctx.dim, ctx.batch)


class Leave(Function):
    """The batch becomes a dimension."""

    @staticmethod
    def forward(ctx: Any, input: Any, dim: int) -> Any:
        batch = input._backend
        ctx.dim, ctx.batch = dim, batch
        return wrap(batch.leave(input._array, dim), batch.base, input._result_class)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return Enter.apply(grads[0], ctx.dim, ctx.batch), None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return Leave.apply(lift_to(tangents[0], ctx.batch), ctx.dim)


class Lift(Function):
    """The same tensor for every example."""

    @staticmethod
    def forward(ctx: Any, input: Any, backend: Any) -> Any:
        ctx.batch = backend
        return wrap(backend.lift(input._array), backend, input._result_class)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return SumOut.apply(lift_to(grads[0], ctx.batch)), None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return Lift.apply(tangents[0], ctx.batch)


class SumOut(Function):
    """The sum over the examples."""

    @staticmethod
    def forward(ctx: Any, input: Any) -> Any:
        batch = ctx.batch = input._backend
        return wrap(batch.sum_out(input._array), batch.base, input._result_class)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return Lift.apply(grads[0], ctx.batch)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return SumOut.apply(lift_to(tangents[0], ctx.batch))


def apply_own_rule(cls: Any, args: tuple[Any, ...]) -> Any:
    """A ``Function`` with a ``vmap`` of its own, on the innermost batch among its arguments."""
    level = max(level_of(a) for a in args if isinstance(a, Variable))
    batch = next(b for b in grad_mode.batches if b.level == level)
    inside = [isinstance(a, Variable) and level_of(a) == level for a in args]
    outside = [Leave.apply(a, 0) if i else a for a, i in zip(args, inside, strict=True)]
    info = SimpleNamespace(batch_size=batch.size, randomness=batch.randomness)
    result = cls.vmap(info, tuple(0 if i else None for i in inside), *outside)
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(
            f"{cls.__name__}: expected the vmap staticmethod to have two returns, (output, out_dims)\n"
            f"  got: {type(result).__name__}"
        )
    output, out_dims = result
    if not isinstance(output, (tuple, list)):
        return output if out_dims is None else enter(output, out_dims, batch)
    dims = out_dims if isinstance(out_dims, (tuple, list)) else (out_dims,) * len(output)
    return tuple(t if d is None else enter(t, d, batch) for t, d in zip(output, dims, strict=True))


# A Function finds it here, since this file stands above those of functions.
maths.apply_own_rule = apply_own_rule
