"""``vmap``: a function of one example, made a function of a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .batching import Vmap, enter, is_in, leave
from .engine import maths
from .trees import flatten, spread, unflatten
from .variable import Variable

__all__ = ["vmap"]

_RANDOMNESS = ("error", "different", "same")


def name_of(function: Any) -> str:
    """What to call ``function`` in a message."""
    if hasattr(function, "__name__"):
        return str(function.__name__)
    if isinstance(function, functools.partial):
        return f"functools.partial({name_of(function.func)}, ...)"
    return repr(function)


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that applies ``func`` to each entry of a batch and gives the batch of the results.

    Inside, tensors have the shape of one example and operations work on all examples at once. What can't be known for
    all at once, such as ``.item()`` or ``if`` on a tensor, raises.

    Args:
        func: takes tensors (nested in tuples, lists and dicts as it likes) and returns tensors.
        in_dims: for each argument which dimension is the batch, None for an argument that is the same for all; an
            int for all arguments, or a tuple that follows their structure.
        out_dims: where the batch stands in the results; None for a result that is the same for all.
        randomness: "error", random numbers raise; "same" for all examples; "different", for which the examples are
            computed one after the other.
        chunk_size: at most so many examples at once; None for all.

    Raises:
        ValueError: for dims that don't fit the arguments or results.
        RuntimeError: for another word for ``randomness``.
    """
    if randomness not in _RANDOMNESS:
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def batched(*args: Any, **kwargs: Any) -> Any:
        leaves, form = flatten(out_dims)
        if any(not isinstance(d, int) and d is not None for d in leaves):
            raise ValueError(
                f"vmap({name_of(func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python "
                "collection of ints representing where in the outputs the vmapped dimension should appear."
            )
        values, dims, form = _inputs(func, in_dims, args)
        sizes = [v._array.shape[d] for v, d in zip(values, dims, strict=True) if d is not None]
        if not sizes:
            raise ValueError("vmap: Expected at least one Tensor to vmap over")
        if any(n != sizes[0] for n in sizes):
            raise ValueError(
                f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
                "mapped dimension"
            )
        size = int(sizes[0])
        step = 1 if randomness == "different" else size if chunk_size is None else chunk_size
        if step >= size:
            return _run(func, values, dims, form, size, out_dims, randomness, kwargs)
        parts = []
        for start in range(0, size, step):
            part = [
                v if d is None else v[(slice(None),) * d + (slice(start, start + step),)]
                for v, d in zip(values, dims, strict=True)
            ]
            parts.append(_run(func, part, dims, form, min(step, size - start), out_dims, randomness, kwargs))
        flat = [flatten(p) for p in parts]
        places = spread(out_dims, flat[0][1]) or [out_dims]
        return unflatten(
            [
                column[0] if d is None else maths.cat(list(column), d)
                for column, d in zip(zip(*[p[0] for p in flat], strict=True), places, strict=True)
            ],
            flat[0][1],
        )

    return batched


def _inputs(func: Any, in_dims: Any, args: tuple[Any, ...]) -> tuple[list[Any], list[Any], Any]:
    call = f"vmap({name_of(func)}, in_dims={in_dims}, ...)(<inputs>): "
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"{call}expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
            f"got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name_of(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to "
            "vmap over a function with no inputs. The latter is unsupported."
        )
    values, form = flatten(args)
    dims = spread(in_dims, form)
    if dims is None:
        raise ValueError(
            f"{call}in_dims is not compatible with the structure of `inputs`: {len(args)} arguments with "
            f"{len(values)} leaves"
        )
    for i, (value, dim) in enumerate(zip(values, dims, strict=True)):
        if dim is None:
            continue
        if not isinstance(dim, int):
            raise ValueError(
                f"{call}Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
            )
        if not isinstance(value, Variable):
            raise ValueError(
                f"{call}Got in_dim={dim} for an input but the input is of type {type(value)}. We cannot vmap over "
                "non-Tensor arguments, please use None as the respective in_dim"
            )
        ndim = value._array.ndim
        if not -ndim <= dim < ndim:
            raise ValueError(
                f"{call}Got in_dim={dim} for some input, but that input is a Tensor of dimensionality {ndim} so "
                f"expected in_dim to satisfy -{ndim} <= in_dim < {ndim}."
            )
        dims[i] = dim % ndim
    return values, dims, form


def _run(
    func: Any, values: Any, dims: Any, form: Any, size: int, out_dims: Any, randomness: str, kwargs: dict[str, Any]
) -> Any:
    name = name_of(func)
    with Vmap(size, randomness) as batch:
        inside = [v if d is None else enter(v, d, batch) for v, d in zip(values, dims, strict=True)]
        results, out_form = flatten(func(*unflatten(inside, form), **kwargs))
        if out_form is None and isinstance(out_dims, tuple) and len(out_dims) == 1:
            places: list[Any] | None = list(out_dims)
        else:
            places = spread(out_dims, out_form)
        if places is None:
            raise ValueError(
                f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of "
                "`outputs`."
            )
        outside = []
        for result, dim in zip(results, places, strict=True):
            if dim is None:
                if isinstance(result, Variable) and is_in(result, batch):
                    raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
                outside.append(result)
                continue
            if not isinstance(result, Variable):
                raise ValueError(
                    f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(result)}. Did you mean to "
                    "set out_dims= to None for output?"
                )
            ndim = result._array.ndim + 1
            if not -ndim <= dim < ndim:
                raise IndexError(
                    f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})"
                )
            outside.append(leave(result, dim % ndim, batch))
        return unflatten(outside, out_form)
