"""Functions that make derivatives of functions: ``torch.func``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .annex import name_what_is_missing
from .autograd.engine import maths
from .autograd.transforms import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp
from .autograd.vmap import vmap

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize",
    "stack_module_state", "vjp", "vmap",
]  # fmt: skip


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Calls a module with other parameters and buffers than its own, which stay as they are.

    Args:
        module: a ``nn.Module``.
        parameter_and_buffer_dicts: a dict from their names to tensors, or several with different names.
        args: the positional argument, or the tuple of them.
        kwargs: the keyword arguments.
        tie_weights: what replaces a parameter replaces it wherever else the module uses it, too.
        strict: the names must be exactly those of the module.

    Raises:
        ValueError: for a name in two dicts, or two different values for a tied parameter.
        RuntimeError: with ``strict``, for missing and unexpected names.
    """
    if isinstance(parameter_and_buffer_dicts, dict):
        given = parameter_and_buffer_dicts
    elif isinstance(parameter_and_buffer_dicts, Sequence):
        if not all(isinstance(d, dict) for d in parameter_and_buffer_dicts):
            raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
        names = [name for d in parameter_and_buffer_dicts for name in d]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ValueError(
                f"{sorted(repeated)} appeared in multiple dictionaries; behavior of functional call is ambiguous"
            )
        given = {name: value for d in parameter_and_buffer_dicts for name, value in d.items()}
    else:
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(parameter_and_buffer_dicts)}"
        )
    places = {
        f"{prefix}.{name}" if prefix else name: (owner, kind, name)
        for prefix, owner in module.named_modules(remove_duplicate=False)
        for kind in ("_parameters", "_buffers")
        for name in getattr(owner, kind)
    }
    if strict:
        missing = [n for n, (o, k, name) in places.items() if n not in given and getattr(o, k)[name] is not None]
        unexpected = [n for n in given if n not in places]
        if missing or unexpected:
            raise RuntimeError(
                "Error(s) in loading for functional call: "
                + (f"Missing key(s): {', '.join(missing)}. " if missing else "")
                + (f"Unexpected key(s): {', '.join(unexpected)}." if unexpected else "")
            )
    values = {name: value for name, value in given.items() if name in places}
    if tie_weights:
        by_identity: dict[int, list[str]] = {}
        for full, (owner, kind, name) in places.items():
            held = getattr(owner, kind)[name]
            if held is not None:
                by_identity.setdefault(id(held), []).append(full)
        for together in by_identity.values():
            named = [n for n in together if n in values]
            if len({id(values[n]) for n in named}) > 1:
                raise ValueError(
                    f"functional_call got multiple values for keys {sorted(named)}, which are tied. Consider using "
                    "tie_weights=False"
                )
            for n in together if named else ():
                values[n] = values[named[0]]
    positional = () if args is None else args if isinstance(args, tuple) else (args,)
    before = []
    try:
        for full, value in values.items():
            owner, kind, name = places[full]
            table = getattr(owner, kind)
            before.append((table, name, table[name]))
            table[name] = value
        return module(*positional, **(kwargs or {}))
    finally:
        for table, name, value in reversed(before):
            table[name] = value


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of several modules of one kind, each stacked along a new first dimension.

    Together with ``vmap`` and ``functional_call`` they run the modules as one.

    Raises:
        RuntimeError: for no modules, modules of different classes, or in different modes.
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if not (all(m.training for m in models) or all(not m.training for m in models)):
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if any(type(m) is not type(models[0]) for m in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    params = _stacked([dict(m.named_parameters()) for m in models])
    for name, stacked in params.items():
        if any(dict(m.named_parameters())[name].requires_grad for m in models):
            params[name] = stacked.detach().requires_grad_()
    return params, _stacked([dict(m.named_buffers()) for m in models])


def _stacked(tables: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: maths.stack([t[name] for t in tables]) for name in tables[0]}


name_what_is_missing(globals())
