"""``vmap``: tensors into a batch and out of it, with gradients and tangents on the way.

A tensor inside ``vmap`` is an ordinary tensor whose backend computes on batches (``backends.batched``): it has the
shape of one example, and whatever is done with it is done for all. Tensors from outside that meet it are lifted: the
same for every example, their gradient the sum over the examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from ..backends import batched
from ..backends.batched import Batch, batches_of, inserted, removed
from .engine import maths
from .function import Function, is_batched
from .modes import grad_mode
from .variable import Variable, wrap


class Vmap(Batch):
    """A batch, open while its function runs."""

    def __enter__(self) -> Vmap:
        grad_mode.batches = (*grad_mode.batches, self)
        return self

    def __exit__(self, *exc: object) -> None:
        grad_mode.batches = grad_mode.batches[:-1]


def is_in(t: Variable, batch: Batch) -> bool:
    """Whether ``t`` is in the batch."""
    return batch in batches_of(t._backend)


def lift_to(t: Any, backend: Any) -> Any:
    """``t`` in all the batches of ``backend``; itself where it is there already."""
    mine = batches_of(t._backend)
    for batch in reversed(batches_of(backend)):
        if batch not in mine:
            t = Lift.apply(t, batch)
    return t


def meet(inputs: Sequence[Any]) -> list[Any] | None:
    """The inputs of an operation as tensors in the same batches; None where they aren't of one device."""
    tensors = [t for t in inputs if isinstance(t, Variable)]
    if any(t._backend.device != tensors[0]._backend.device for t in tensors):
        return None
    target: Any = tensors[0]._backend
    for t in tensors[1:]:
        for batch in reversed(batches_of(t._backend)):
            if batch not in batches_of(target):
                target = inserted(target, batch)
    return [lift_to(t, target) if isinstance(t, Variable) else t for t in inputs]


def enter(t: Any, dim: int, batch: Batch) -> Any:
    """``t`` with its dimension ``dim`` as the batch."""
    return Enter.apply(t, dim, batch)


def leave(t: Any, dim: int, batch: Batch) -> Any:
    """The tensor of all examples, the batch as dimension ``dim``."""
    return Leave.apply(into(t, batch), dim, batch)


def into(t: Any, batch: Batch) -> Any:
    """``t`` as a tensor of the batch; where it isn't one it is the same for every example."""
    return t if is_in(t, batch) else Lift.apply(t, batch)


class Enter(Function):
    """A dimension becomes the batch."""

    @staticmethod
    def forward(ctx: Any, input: Any, dim: int, batch: Batch) -> Any:
        ctx.dim, ctx.batch = dim, batch
        backend = inserted(input._backend, batch)
        return wrap(batched.enter(input._array, input._backend, dim, batch), backend, input._result_class)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return leave(grads[0], ctx.dim, ctx.batch), None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return Enter.apply(tangents[0], ctx.dim, ctx.batch)


class Leave(Function):
    """The batch becomes a dimension."""

    @staticmethod
    def forward(ctx: Any, input: Any, dim: int, batch: Batch) -> Any:
        ctx.dim, ctx.batch = dim, batch
        backend = removed(input._backend, batch)
        return wrap(batched.leave(input._array, input._backend, dim, batch), backend, input._result_class)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return Enter.apply(grads[0], ctx.dim, ctx.batch), None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return leave(tangents[0], ctx.dim, ctx.batch)


class Lift(Function):
    """The same tensor for every example."""

    @staticmethod
    def forward(ctx: Any, input: Any, batch: Batch) -> Any:
        ctx.batch = batch
        backend = inserted(input._backend, batch)
        return wrap(batched.lift(input._array, input._backend, batch), backend, input._result_class)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return SumOut.apply(into(grads[0], ctx.batch), ctx.batch), None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return into(tangents[0], ctx.batch)


class SumOut(Function):
    """The sum over the examples."""

    @staticmethod
    def forward(ctx: Any, input: Any, batch: Batch) -> Any:
        ctx.batch = batch
        backend = removed(input._backend, batch)
        return wrap(batched.sum_out(input._array, input._backend, batch), backend, input._result_class)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return into(grads[0], ctx.batch), None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return SumOut.apply(into(tangents[0], ctx.batch), ctx.batch)


def _level(batch: Batch) -> int:
    return batch.level


def apply_own_rule(cls: Any, args: tuple[Any, ...]) -> Any:
    """A ``Function`` with a ``vmap`` of its own, on the innermost batch among its arguments."""
    batch = max((batches_of(a._backend)[0] for a in args if isinstance(a, Variable) and is_batched(a)), key=_level)
    inside = [isinstance(a, Variable) and is_in(a, batch) for a in args]
    outside = [leave(a, 0, batch) if i else a for a, i in zip(args, inside, strict=True)]
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
