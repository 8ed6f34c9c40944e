"""Functions that make derivatives of functions, and may be nested: what ``nbtorch.func`` offers.

Each transform gives the function fresh tensors that begin at a source node of its own, and differentiates by those.
So two transforms never mistake each other's derivatives, and the history of the arguments goes on around them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .batching import into, lift_to
from .engine import edge_of, maths, run_backward
from .forward import Level, relabel, tangent_of, tangents_of
from .modes import enable_grad, grad_mode, is_grad_enabled
from .trees import flatten, tree_map, unflatten
from .variable import Variable, wrap
from .vmap import vmap

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp"]

Argnums = int | tuple[int, ...]


class _Transform:
    """One use of a transform.

    Attributes:
        open: its sources may still be differentiated by somebody around it.
        linked: its results are to have a history outside of it; not so where it is used under ``no_grad``.
    """

    __slots__ = ("linked", "open")

    def __init__(self) -> None:
        self.open, self.linked = True, is_grad_enabled()


def _argnum(argnum: Any, count: int) -> int:
    if not isinstance(argnum, int):
        raise RuntimeError(f"argnum must be int, got: {type(argnum)}")
    if not -count <= argnum < count:
        raise RuntimeError(f"Got argnum={argnum}, but only {count} positional inputs")
    return argnum % count


def _chosen(argnums: Any, count: int) -> list[int]:
    """The positions to differentiate by.

    Raises:
        RuntimeError: for positions that aren't there, are named twice, or aren't numbers.
    """
    if isinstance(argnums, int):
        return [_argnum(argnums, count)]
    if not isinstance(argnums, tuple):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if not argnums:
        raise RuntimeError("argnums must be non-empty")
    found = [_argnum(n, count) for n in argnums]
    if len(set(found)) != len(found):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return found


def _sources(values: Any, transform: _Transform) -> Any:
    """Fresh tensors to differentiate by, in the structure of ``values``."""

    def fresh(t: Any) -> Any:
        if not isinstance(t, Variable):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(t)}")
        if not t._dtype().is_floating_point:
            raise RuntimeError(
                f"only Tensors of floating point dtype can require gradients\n  got: {t._dtype()!r}\n  fix: x.float()"
            )
        # Inside vmap each example has a gradient of its own, also by a tensor that is the same for all.
        for batch in grad_mode.batches:
            t = into(t, batch)
        return relabel(t, tangents_of(t), transform, transform.linked)

    return tree_map(fresh, values)


def _depends(t: Any, transform: _Transform) -> bool:
    """Whether the history of ``t`` leads anywhere but to the sources of ``transform`` and of what has ended."""
    if not isinstance(t, Variable) or not t.requires_grad:
        return False
    start, _ = edge_of(t)
    if not start._is_node:
        return True
    seen, stack = {start}, [start]
    while stack:
        node = stack.pop()
        source = getattr(node, "source", None)
        if isinstance(source, _Transform) and source is not transform and source.open and not node.edges:
            return True
        for e in node.edges:
            if e is None or e in seen:
                continue
            if not e._is_node:
                return True
            seen.add(e)
            stack.append(e)
    return False


def _outward(t: Any, transform: _Transform) -> Any:
    """``t`` as seen from outside of ``transform``: with a history only where that leads further."""
    if not isinstance(t, Variable) or not t.requires_grad or (transform.linked and _depends(t, transform)):
        return t
    return relabel(t, tangents_of(t), linked=False)


def _derive(
    outputs: Sequence[Any], inputs: Sequence[Any], cotangents: Sequence[Any], transform: _Transform, retain: bool
) -> list[Any]:
    """The gradients of ``outputs`` by the sources ``inputs``, zeros where there is no dependence."""
    roots = [
        (*edge_of(out), g)
        for out, g in zip(outputs, cotangents, strict=True)
        if g is not None and isinstance(out, Variable) and out.requires_grad
    ]
    batched = any(g._backend is not out._backend for out, g in zip(outputs, cotangents, strict=True) if g is not None)
    # Only what is to be differentiated further, by a transform around this one or by backward, is recorded.
    record = is_grad_enabled() and (
        any(_depends(out, transform) for out in outputs) or any(g is not None and g.requires_grad for g in cotangents)
    )
    targets = [edge_of(x) for x in inputs]
    found = run_backward(
        roots, retain_graph=retain or record, create_graph=record, targets=targets, accumulate=False,
        as_tensors=batched,
    )  # fmt: skip
    grads = []
    for x, target in zip(inputs, targets, strict=True):
        g = found.get(target)
        if g is None:
            g = wrap(x._backend.zeros(x._array.shape, x._array.dtype), x._backend)
        grads.append(_outward(g, transform))
    return grads


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of ``func`` and its value.

    Args:
        func: returns a 0-d tensor; with ``has_aux`` the tuple of it and of what else is to be handed on.
        argnums: by which argument to differentiate, or by which ones; each a tensor or a tree of tensors.
        has_aux: the new function then returns ``gradient, (value, aux)``.

    Raises:
        RuntimeError: where ``func`` gives something else, or ``argnums`` don't fit its arguments.
    """

    @functools.wraps(func)
    def derived(*args: Any, **kwargs: Any) -> Any:
        positions = _chosen(argnums, len(args))
        transform = _Transform()
        try:
            with enable_grad():
                inside = list(args)
                for n in positions:
                    inside[n] = _sources(args[n], transform)
                output = func(*inside, **kwargs)
                aux = None
                if has_aux:
                    if not (isinstance(output, tuple) and len(output) == 2):
                        raise RuntimeError(
                            "grad_and_value(f)(*args): output of function f should be a tuple: (output, aux) if "
                            "has_aux is True"
                        )
                    output, aux = output
                if not isinstance(output, Variable):
                    raise RuntimeError(
                        f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(output)}"
                    )
                if output._array.ndim:
                    raise RuntimeError(
                        "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with "
                        f"{output._array.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                    )
                leaves, form = flatten(inside[positions[0]] if isinstance(argnums, int) else _pick(inside, positions))
                one = wrap(output._backend.ones((), output._array.dtype), output._backend)
                grads = _derive([output], leaves, [one], transform, False)
                value = _outward(output, transform)
                aux = tree_map(lambda t: _outward(t, transform), aux)
        finally:
            transform.open = False
        return unflatten(grads, form), ((value, aux) if has_aux else value)

    return derived


def _pick(values: Sequence[Any], positions: Sequence[int]) -> tuple[Any, ...]:
    return tuple(values[n] for n in positions)


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of ``func``; with ``has_aux``, ``gradient, aux``.

    See :func:`grad_and_value`.
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def derived(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return derived


def _tensor_leaves(tree: Any, call: str, what: str) -> list[Any]:
    leaves, _ = flatten(tree)
    if not leaves:
        raise RuntimeError(f"{call}: Expected {what} to contain at least one Tensor.")
    for t in leaves:
        if not isinstance(t, Variable):
            raise RuntimeError(f"{call}: Expected {what} to only contain Tensors, got unsupported type {type(t)}")
    return leaves


def _output_leaves(output: Any, call: str) -> tuple[list[Any], Any]:
    leaves, form = flatten(output)
    if not leaves:
        raise RuntimeError(f"{call}: Expected f to be a function that has non-empty output (got output = {output!r})")
    for t in leaves:
        if not isinstance(t, Variable):
            raise RuntimeError(f"{call}: expected f(*primals) to return only tensors, got unsupported type {type(t)}")
    return leaves, form


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of ``func`` at ``primals``, and a function from cotangents of the value to those of the primals.

    Args:
        func: returns tensors of floating dtype; with ``has_aux`` the tuple of them and of what else is to be handed on.
        primals: tensors, or trees of them.

    Returns:
        ``value, vjp_fn`` or ``value, vjp_fn, aux``; ``vjp_fn`` gives a tuple of one result for each primal.
    """
    output, function, aux = _vjp(func, primals, None, has_aux)
    return (output, function, aux) if has_aux else (output, function)


def _vjp(func: Any, primals: tuple[Any, ...], argnums: Any, has_aux: bool) -> tuple[Any, Any, Any]:
    call = "vjp(f, *primals)"
    positions = list(range(len(primals))) if argnums is None else _chosen(argnums, len(primals))
    transform = _Transform()
    with enable_grad():
        inside = list(primals)
        for n in positions:
            inside[n] = _sources(primals[n], transform)
        result = func(*inside)
        aux = None
        if has_aux:
            if not (isinstance(result, tuple) and len(result) == 2):
                raise RuntimeError(f"{call}: output of function f should be a tuple: (output, aux) if has_aux is True")
            result, aux = result
        outputs, out_form = _output_leaves(result, call)
        for t in outputs:
            if not t._dtype().is_floating_point:
                raise RuntimeError(
                    "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype "
                    f"{t._dtype()!r}"
                )
        picked = _pick(inside, positions)
        leaves, form = flatten(picked[0] if isinstance(argnums, int) else picked)
        shown = unflatten([_outward(t, transform) for t in outputs], out_form)
        aux = tree_map(lambda t: _outward(t, transform), aux)

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given, given_form = flatten(cotangents)
        if given_form != out_form:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function."
            )
        for g, out in zip(given, outputs, strict=True):
            if g is not None and g._array.shape != out._array.shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output has a shape of {list(g._array.shape)} and output has a shape of "
                    f"{list(out._array.shape)}."
                )
        return unflatten(_derive(outputs, leaves, given, transform, retain_graph), form)

    transform.open = False
    return shown, vjp_fn, aux


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """The value of ``func`` and the derivative of it in the direction of ``tangents``, in forward mode.

    Args:
        func: returns tensors; with ``has_aux`` the tuple of them and of what else is to be handed on.
        primals: the tuple of its arguments.
        tangents: the tuple of their tangents, of the same structure and shapes.
        strict: raise where an output doesn't depend on the primals, rather than giving zeros.

    Returns:
        ``value, tangent`` or ``value, tangent, aux``.
    """
    out = _jvp(func, primals, tangents, None, strict, has_aux)
    return out if has_aux else out[:2]


def _jvp(func: Any, primals: Any, tangents: Any, argnums: Any, strict: bool, has_aux: bool) -> tuple[Any, Any, Any]:
    call = "jvp(f, primals, tangents)"
    if not isinstance(primals, tuple):
        raise RuntimeError(f"{call}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals).")
    positions = list(range(len(primals))) if argnums is None else _chosen(argnums, len(primals))
    chosen = _pick(primals, positions)
    _, form = flatten(chosen)
    directions, directions_form = flatten(tangents)
    if form != directions_form:
        raise RuntimeError(
            f"{call}: Expected primals and tangents to have the same python structure. For example, if primals is a "
            "tuple of 3 tensors, tangents also must be."
        )
    values = _tensor_leaves(chosen, call, "primals")
    _tensor_leaves(tangents, call, "tangents")
    with Level() as level:
        number = level.number
        duals = [make_dual(v, t, number) for v, t in zip(values, directions, strict=True)]
        inside = list(primals)
        for n, dual in zip(positions, unflatten(duals, form), strict=True):
            inside[n] = dual
        result = func(*inside)
        aux = None
        if has_aux:
            if not (isinstance(result, tuple) and len(result) == 2):
                raise RuntimeError(f"{call}: output of function f should be a tuple: (output, aux) if has_aux is True")
            result, aux = result
            aux = tree_map(lambda t: without(t, number), aux)
        outputs, out_form = _output_leaves(result, call)
        found = []
        for out in outputs:
            t = tangent_of(out, number)
            if t is None:
                if strict:
                    raise RuntimeError(
                        "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is "
                        "not allowed with strict=True."
                    )
                t = wrap(out._backend.zeros(out._array.shape, out._array.dtype), out._backend)
            found.append(t)
        shown = [without(out, number) for out in outputs]
    return unflatten(shown, out_form), unflatten(found, out_form), aux


def make_dual(primal: Any, tangent: Any, level: int) -> Any:
    """``primal`` with ``tangent`` at ``level``.

    Raises:
        RuntimeError: for a tangent of another shape or dtype.
        ValueError: for a tensor or a tangent of integer dtype.
    """
    for t, name in ((primal, "primal"), (tangent, "tangent")):
        if not t._dtype().is_floating_point:
            raise ValueError(f"Expected {name} to be floating point or complex, but got: {t._dtype()!r}")
    if tangent._array.shape != primal._array.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
            f"supported. Tensor is of size {list(primal._array.shape)} while the given forward gradient is of size "
            f"{list(tangent._array.shape)}."
        )
    if tangent._array.dtype != primal._array.dtype:
        tangent = tangent.to(primal._dtype())
    if tangent._backend.device != primal._backend.device:
        raise RuntimeError(
            f"Expected all tensors to be on the same device: the primal is on {primal._backend.device}, its tangent on "
            f"{tangent._backend.device}"
        )
    if hasattr(primal._backend, "level"):
        tangent = lift_to(tangent, primal._backend)
    return relabel(primal, {**tangents_of(primal), level: tangent})


def without(t: Any, level: int) -> Any:
    """``t`` without its tangent at ``level``."""
    if not isinstance(t, Variable):
        return t
    held = tangents_of(t)
    if level not in held:
        return t
    return relabel(t, {n: v for n, v in held.items() if n != level})


def unit_vectors(tensors: Sequence[Any]) -> list[Any]:
    """For each tensor the unit vectors of all of them: shape (elements of all, *its own shape)."""
    sizes = [int(t._array.size) for t in tensors]
    total = sum(sizes)
    out, start = [], 0
    for t, n in zip(tensors, sizes, strict=True):
        m = _plain_backend(t)
        unit = m.zeros((total, n), t._array.dtype)
        rows = m.arange(0, n, 1, "int64")
        unit[rows + start, rows] = 1
        out.append(wrap(unit.reshape((total, *t._array.shape)), m))
        start += n
    return out


def _plain_backend(t: Any) -> Any:
    m = t._backend
    while hasattr(m, "level"):
        m = m.base
    return m


def jacobian_columns(jacobian: Any, tensors: Sequence[Any]) -> list[Any]:
    """A first dimension that counts the elements of all tensors, taken apart into their shapes."""
    out, start = [], 0
    for t in tensors:
        n = int(t._array.size)
        part = jacobian[start : start + n]
        out.append(maths.reshape(part, (*t._array.shape, *jacobian._array.shape[1:])))
        start += n
    return out


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """A function that gives the Jacobian of ``func`` in reverse mode, one backward for all rows at once.

    Args:
        func: returns tensors, or a tree of them.
        argnums: by which argument to differentiate, or by which ones.
        has_aux: ``func`` returns ``(output, aux)``; the new function then returns ``jacobian, aux``.
        chunk_size: at most so many rows at once.

    Returns:
        For each output, in its structure, the Jacobian by each argument: shape (*output's, *argument's).
    """
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def derived(*args: Any) -> Any:
        positions = _chosen(argnums, len(args))
        output, vjp_fn, aux = _vjp(func, args, argnums, has_aux)
        outputs, out_form = _output_leaves(output, "jacrev(f, ...)(*args)")
        _, in_form = flatten(args[positions[0]] if isinstance(argnums, int) else _pick(args, positions))
        basis = unit_vectors(outputs)
        rows = vmap(lambda *g: tuple(flatten(vjp_fn(unflatten(g, out_form)))[0]), chunk_size=chunk_size)(*basis)
        columns = [jacobian_columns(j, outputs) for j in rows]
        jacobian = unflatten(
            [unflatten(list(per_input), in_form) for per_input in zip(*columns, strict=True)], out_form
        )
        return (jacobian, aux) if has_aux else jacobian

    return derived


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """A function that gives the Jacobian of ``func`` in forward mode, all columns at once.

    See :func:`jacrev` for the arguments and the result.
    """

    @functools.wraps(func)
    def derived(*args: Any) -> Any:
        positions = _chosen(argnums, len(args))
        chosen = _pick(args, positions)
        inputs, form = flatten(chosen)
        _tensor_leaves(chosen, "jvp(f, primals, tangents)", "primals")
        kept: list[Any] = []

        def push(*units: Any) -> Any:
            _, tangents, aux = _jvp(func, args, unflatten(units, form), positions_tuple, False, has_aux)
            leaves, out_form = flatten(tangents)
            aux_leaves, aux_form = flatten(aux) if has_aux else ([], None)
            kept[:] = [out_form, aux_form, len(leaves)]
            return (*leaves, *aux_leaves)

        positions_tuple = tuple(positions)
        columns = vmap(push, randomness=randomness)(*unit_vectors(inputs))
        out_form, aux_form, count = kept
        jacobians = []
        for column in columns[:count]:
            ndim = column._array.ndim
            per_input = []
            for part, x in zip(jacobian_columns(column, inputs), inputs, strict=True):
                k = x._array.ndim  # the input's dimensions come first and belong last
                order = (*range(k, k + ndim - 1), *range(k))
                per_input.append(maths.permute(part, order))
            parts = unflatten(per_input, form)
            jacobians.append(parts[0] if isinstance(argnums, int) else parts)
        jacobian = unflatten(jacobians, out_form)
        if has_aux:
            return jacobian, unflatten([a[0] for a in columns[count:]], aux_form)
        return jacobian

    return derived


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that gives the second derivatives of ``func``: ``jacfwd(jacrev(func))``."""
    return jacfwd(jacrev(func, argnums), argnums)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of ``func`` at ``primals``, and its derivative there as a function of the tangents.

    ``func`` runs once; the function that is returned can be called often.

    Raises:
        RuntimeError: for primals that are no tensors; when called, for tangents of another structure.
    """
    values = _tensor_leaves(primals, "linearize", "primals")
    _, form = flatten(primals)
    output, vjp_fn, _ = _vjp(func, primals, tuple(range(len(primals))), False)
    outputs, out_form = _output_leaves(output, "linearize")
    # The derivative backwards is linear in the cotangents; its own transpose is the derivative forwards.
    zeros = [wrap(t._backend.zeros(t._array.shape, t._array.dtype), t._backend) for t in outputs]
    _, transpose = vjp(lambda *g: vjp_fn(unflatten(g, out_form)), *zeros)

    def jvp_fn(*tangents: Any) -> Any:
        given, given_form = flatten(tangents)
        if given_form != form:
            raise RuntimeError(
                "Expected the tangents to have the same python structure as the primals of linearize\n"
                f"  got: {len(given)} tangents for {len(values)} primals"
            )
        for t, v in zip(given, values, strict=True):
            if t._array.shape != v._array.shape or t._array.dtype != v._array.dtype:
                raise RuntimeError(
                    f"Expected a tangent of shape {tuple(v._array.shape)} and {v._dtype()!r}, got "
                    f"{tuple(t._array.shape)} and {t._dtype()!r}"
                )
        found = transpose(unflatten(given, form))
        return unflatten(list(found) if isinstance(found, tuple) else [found], out_form)

    return output, jvp_fn
