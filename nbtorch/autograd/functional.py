"""Jacobians, Hessians and their products with vectors: ``torch.autograd.functional``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .api import grad
from .engine import maths
from .forward import Level, relabel, tangent_of, tangents_of
from .modes import enable_grad, is_grad_enabled, set_grad_enabled
from .transforms import jacobian_columns, make_dual, unit_vectors, without
from .variable import Variable, alias, wrap
from .vmap import vmap

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

_STRATEGIES = ("forward-mode", "reverse-mode")


class _Call:
    """One call of a function on fresh copies of its inputs, recorded, with the checks that all of these make.

    Attributes:
        inputs: the copies, which nobody else uses: the function may have caught the originals in a closure.
        outputs: what it returned, as a tuple.
        several_inputs, several_outputs: whether they were tuples.
    """

    def __init__(self, name: str, func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool) -> None:
        self.name, self.create_graph, self.strict = name, create_graph, strict
        self.several_inputs, given = _tensors(inputs, "inputs", name)
        self.inputs = _fresh(given, create_graph, True)
        with enable_grad():
            result = func(*self.inputs)
        self.several_outputs, self.outputs = _tensors(result, "outputs of the user-provided function", name)
        if strict:
            for i, out in enumerate(self.outputs):
                if not out.requires_grad:
                    raise RuntimeError(
                        f"Output {i} of the user-provided function does not require gradients. The outputs must be "
                        "computed in a differentiable manner from the input when running in strict mode."
                    )

    def vector(self, v: Any, like: Sequence[Any], several: bool) -> tuple[Any, ...]:
        """The vector of a product, checked against what it multiplies."""
        _, given = _tensors(v, "v", self.name)
        if len(given) != len(like):
            raise RuntimeError(
                f"v is a tuple of invalid length: should be {len(like)} but got {len(given)}."
                if several
                else "The given v should contain a single Tensor."
            )
        for i, (x, other) in enumerate(zip(given, like, strict=True)):
            if x._array.shape != other._array.shape:
                where = f"Entry {i} in " if several else ""
                raise RuntimeError(
                    f"{where}v has invalid size: should be torch.Size({list(other._array.shape)}) but got "
                    f"torch.Size({list(x._array.shape)})."
                )
        return _fresh(given, self.create_graph, False)

    def vector_of_scalar(self, tensors: Sequence[Any], what: str) -> None:
        """Without a vector there must be nothing to choose."""
        if len(tensors) != 1 or tensors[0]._array.size != 1:
            raise RuntimeError(f"The vector v can only be None if {what} a single Tensor with a single element.")

    def zeros_for(
        self, grads: Sequence[Any], like: Sequence[Any], message: str, order: str = "jacobian"
    ) -> tuple[Any, ...]:
        """Zeros in the place of gradients that are None; in strict mode an error."""
        out = []
        for i, (g, x) in enumerate(zip(grads, like, strict=True)):
            if g is None:
                if self.strict:
                    raise RuntimeError(message.format(i) + " This is not allowed in strict mode.")
                g = _zeros(x)
            elif self.strict and self.create_graph and not g.requires_grad:
                raise RuntimeError(
                    f"The {order} of the user-provided function is independent of input {i}. This is not allowed in "
                    "strict mode when create_graph=True."
                )
            out.append(g)
        return tuple(out)

    def shown(self, values: Sequence[Any], several: bool) -> Any:
        """Results for the caller: without history unless that was asked for."""
        out = tuple(values) if self.create_graph else tuple(alias(t) for t in values)
        return out if several else out[0]


def _tensors(given: Any, what: str, name: str) -> tuple[bool, tuple[Any, ...]]:
    several = isinstance(given, tuple)
    values = given if several else (given,)
    for i, x in enumerate(values):
        if not isinstance(x, Variable):
            which = f"value at index {i}" if several else f"given {what}"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the {which} has type "
                f"{type(x)}."
            )
    return several, values


def _fresh(tensors: Sequence[Any], linked: bool, recorded: bool) -> tuple[Any, ...]:
    with enable_grad():
        return tuple(
            relabel(t, tangents_of(t), linked=True) if linked and t.requires_grad else alias(t).requires_grad_(recorded)
            for t in tensors
        )


def _zeros(t: Any) -> Any:
    return wrap(t._backend.zeros(t._array.shape, t._array.dtype), t._backend)


def _gradients(outputs: Any, inputs: Any, starts: Any = None, **options: Any) -> tuple[Any, ...]:
    """``grad``, where outputs that need no gradient and None among them count as constants."""
    starts = [None] * len(outputs) if starts is None else starts
    pairs = [(o, g) for o, g in zip(outputs, starts, strict=True) if o is not None and o.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    return grad([o for o, _ in pairs], inputs, [g for _, g in pairs], allow_unused=True, **options)


_INDEPENDENT = "The output of the user-provided function is independent of input {}."


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of ``func`` and the product of ``v`` with its Jacobian.

    Args:
        func: takes tensors, returns a tensor or a tuple of them.
        inputs: its arguments, a tensor or a tuple of them.
        v: of the structure of the outputs; may be left out for a single number.
        create_graph: record it, to be differentiated further.
        strict: raise where an output does not depend on an input, rather than giving zeros.

    Raises:
        TypeError: for inputs or outputs that are not tensors.
        RuntimeError: for a ``v`` that doesn't fit, and in strict mode.
    """
    call = _Call("vjp", func, inputs, create_graph, strict)
    starts = None
    if v is None:
        call.vector_of_scalar(call.outputs, "the user-provided function returns")
    else:
        starts = call.vector(v, call.outputs, call.several_outputs)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        grads = _gradients(call.outputs, call.inputs, starts, create_graph=create_graph)
        found = call.zeros_for(grads, call.inputs, _INDEPENDENT)
    return call.shown(call.outputs, call.several_outputs), call.shown(found, call.several_inputs)


def _transposed(call: _Call, grads: Sequence[Any], starts: Sequence[Any], v: Any, message: str) -> tuple[Any, ...]:
    """The derivative forwards, as the derivative of the derivative backwards by what it starts from."""
    if call.create_graph:
        with enable_grad():
            found = _gradients(grads, starts, v, create_graph=True)
            return call.zeros_for(found, starts, message)
    found = _gradients(grads, starts, v)
    return call.zeros_for(found, starts, message)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of ``func`` and the product of its Jacobian with ``v``.

    See :func:`vjp` for the arguments; ``v`` has the structure of the inputs here.
    """
    call = _Call("jvp", func, inputs, create_graph, strict)
    if v is None:
        call.vector_of_scalar(call.inputs, "the input to the user-provided function is")
        given = None
    else:
        given = call.vector(v, call.inputs, call.several_inputs)
    with enable_grad():
        starts = tuple(_zeros(out).requires_grad_() for out in call.outputs)
        grads = call.zeros_for(
            _gradients(call.outputs, call.inputs, starts, create_graph=True), call.inputs, _INDEPENDENT
        )
    found = _transposed(
        call, grads, starts, given,
        "The gradient with respect to the input is independent of entry {} in the grad_outputs when using the double "
        "backward trick to compute forward mode gradients.",
    )  # fmt: skip
    return call.shown(call.outputs, call.several_outputs), call.shown(found, call.several_outputs)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The derivatives of all elements of the outputs by all elements of the inputs.

    Args:
        func: takes tensors, returns a tensor or a tuple of them.
        inputs: its arguments, a tensor or a tuple of them.
        create_graph: record it, to be differentiated further.
        strict: raise where an output does not depend on an input, rather than giving zeros.
        vectorize: compute all rows at once.
        strategy: "reverse-mode" or, with ``vectorize``, "forward-mode".

    Returns:
        Shape (*output's, *input's); a tuple of them for several inputs, a tuple of those for several outputs.
    """
    if strategy not in _STRATEGIES:
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
            'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not '
                "supported together (yet).\n  fix: torch.func.jacfwd is differentiable"
            )
        return _forwards(func, inputs, strict, vectorize)
    call = _Call("jacobian", func, inputs, create_graph, strict)
    if vectorize:
        if strict:
            raise RuntimeError(
                "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together."
            )
        rows = _rows_at_once(call)
    else:
        rows = [_rows_one_by_one(call, i, out) for i, out in enumerate(call.outputs)]
    shown = [call.shown(per_input, call.several_inputs) for per_input in rows]
    return tuple(shown) if call.several_outputs else shown[0]


def _rows_one_by_one(call: _Call, i: int, out: Any) -> list[Any]:
    rows: list[list[Any]] = [[] for _ in call.inputs]
    with enable_grad():
        flat = maths.reshape(out, (-1,))
        for j in range(int(out._array.size)):
            grads = _gradients((flat[j],), call.inputs, retain_graph=True, create_graph=call.create_graph)
            for n, (g, x) in enumerate(zip(grads, call.inputs, strict=True)):
                if g is None and call.strict:
                    raise RuntimeError(
                        f"Output {i} of the user-provided function is independent of input {n}. This is not allowed "
                        "in strict mode."
                    )
                if g is not None and call.strict and call.create_graph and not g.requires_grad:
                    raise RuntimeError(
                        f"The jacobian of the user-provided function is independent of input {i}. This is not allowed "
                        "in strict mode when create_graph=True."
                    )
                rows[n].append(_zeros(x) if g is None else g)
        return [
            maths.reshape(maths.stack(row), (*out._array.shape, *x._array.shape))
            for row, x in zip(rows, call.inputs, strict=True)
        ]


def _rows_at_once(call: _Call) -> list[list[Any]]:
    with enable_grad():
        units = unit_vectors(call.outputs)
        total = units[0]._array.shape[0]
        grads = _gradients(
            call.outputs, call.inputs, units, create_graph=call.create_graph, retain_graph=True, is_grads_batched=True
        )
        whole = [
            wrap(x._backend.zeros((total, *x._array.shape), x._array.dtype), x._backend) if g is None else g
            for g, x in zip(grads, call.inputs, strict=True)
        ]
        columns = [jacobian_columns(g, call.outputs) for g in whole]
    return [list(per_input) for per_input in zip(*columns, strict=True)]


def _forwards(func: Any, inputs: Any, strict: bool, vectorize: bool) -> Any:
    if strict:
        raise RuntimeError(
            'torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported '
            "together (yet)."
        )
    several, given = _tensors(inputs, "inputs", "jacobian")
    if not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only implemented for "
            "`vectorize=True`."
        )
    several_outputs = [False]

    def push(*units: Any) -> Any:
        with Level() as level:
            n = level.number
            result = func(*[make_dual(x, u, n) for x, u in zip(given, units, strict=True)])
            several_outputs[0], outputs = _tensors(result, "outputs", "jacobian")
            tangents = [tangent_of(out, n) for out in outputs]
            return tuple(_zeros(without(out, n)) if t is None else t for out, t in zip(outputs, tangents, strict=True))

    columns = vmap(push)(*unit_vectors(given))
    result = []
    for column in columns:
        parts = []
        for part, x in zip(jacobian_columns(column, given), given, strict=True):
            k = x._array.ndim
            parts.append(maths.permute(part, (*range(k, part._array.ndim), *range(k))))
        result.append(tuple(parts) if several else parts[0])
    return tuple(result) if several_outputs[0] else result[0]


def _scalar(func: Callable[..., Any], name: str, strict: bool) -> Callable[..., Any]:
    """``func``, checked to return a single number."""

    def checked(*inputs: Any) -> Any:
        out = func(*inputs)
        several, outputs = _tensors(out, "outputs of the user-provided function", name)
        if strict and not all(t.requires_grad for t in outputs):
            raise RuntimeError(
                "Output 0 of the user-provided function does not require gradients. The outputs must be computed in a "
                "differentiable manner from the input when running in strict mode."
            )
        _check_scalar(name, several, outputs)
        return out if not out._array.ndim else maths.reshape(out, ())

    return checked


def _check_scalar(name: str, several: bool, outputs: Sequence[Any]) -> None:
    if several:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if outputs[0]._array.size != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function that returns a single number.

    Args:
        func: takes tensors, returns a tensor of one element.
        inputs: its arguments, a tensor or a tuple of them.
        create_graph: record it, to be differentiated further.
        strict: raise where the second derivatives don't depend on an input, rather than giving zeros.
        vectorize: compute all rows at once.
        outer_jacobian_strategy: "reverse-mode" or, with ``vectorize``, "forward-mode".

    Returns:
        Shape (*input's, *input's); for several inputs a tuple of tuples.
    """
    several, _ = _tensors(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in _STRATEGIES:
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    checked = _scalar(func, "hessian", strict)

    def gradient(*given: Any) -> Any:
        if outer_jacobian_strategy == "forward-mode":
            given = tuple(t if t.requires_grad else relabel_recorded(t) for t in given)
        first = jacobian(checked, given, create_graph=True)
        if strict:
            for i, g in enumerate(first):
                if not g.requires_grad:
                    raise RuntimeError(
                        "While computing the hessian, found that the jacobian of the user-provided function with "
                        f"respect to input {i} is independent of the input. This is not allowed in strict mode. You "
                        "should ensure that your function is twice differentiable and that the jacobian depends on the "
                        "inputs (this would be violated by a linear function for example)."
                    )
        return first

    found = jacobian(
        gradient, inputs if several else (inputs,), create_graph=create_graph, strict=strict, vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )  # fmt: skip
    return found if several else found[0][0]


def relabel_recorded(t: Any) -> Any:
    """``t`` with its tangents, as a tensor to differentiate by."""
    return relabel(t, tangents_of(t), object())


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of a function that returns a single number, and the product of ``v`` with its Hessian.

    See :func:`vjp` for the arguments; ``v`` has the structure of the inputs.
    """
    call, gradient, given = _first_gradient("vhp", func, inputs, v, create_graph, strict)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = call.zeros_for(
            _gradients(gradient, call.inputs, given, create_graph=create_graph),
            call.inputs,
            "The jacobian of the user-provided function is independent of input {}.",
            "hessian",
        )
    return call.shown(call.outputs, False), call.shown(found, call.several_inputs)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of a function that returns a single number, and the product of its Hessian with ``v``.

    The same numbers as :func:`vhp`, which is faster, since the Hessian is symmetric.
    """
    call, gradient, given = _first_gradient("hvp", func, inputs, v, create_graph, strict)
    with enable_grad():
        starts = tuple(_zeros(x).requires_grad_() for x in call.inputs)
        grads = call.zeros_for(
            _gradients(gradient, call.inputs, starts, create_graph=True),
            call.inputs,
            "The jacobian of the user-provided function is independent of input {}.",
            "hessian",
        )
    found = _transposed(
        call, grads, starts, given,
        "The hessian of the user-provided function is independent of entry {} in the grad_jacobian.",
    )  # fmt: skip
    return call.shown(call.outputs, False), call.shown(found, call.several_inputs)


def _first_gradient(
    name: str, func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[_Call, tuple[Any, ...], Any]:
    call = _Call(name, func, inputs, create_graph, strict)
    if v is None:
        call.vector_of_scalar(call.inputs, "the input to the user-provided function is")
        given = None
    else:
        given = call.vector(v, call.inputs, call.several_inputs)
    _check_scalar(name, call.several_outputs, call.outputs)
    with enable_grad():
        gradient = _gradients(call.outputs, call.inputs, create_graph=True)
        recorded, call.create_graph = call.create_graph, True
        gradient = call.zeros_for(gradient, call.inputs, _INDEPENDENT)
        call.create_graph = recorded
    return call, gradient, given
