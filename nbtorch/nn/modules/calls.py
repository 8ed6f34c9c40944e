"""Calling a module that has hooks.

:meth:`Module.__call__` goes straight to ``forward`` when there are no hooks; everything else happens here:
the tables of hooks that hold for all modules, the order in which hooks run, and the pair of identity nodes through
which backward hooks see the gradients that enter and leave a module.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from ...autograd import Function, is_grad_enabled
from ...tensor import Tensor
from ...utils.hooks import RemovableHandle, add_hook

__all__ = [
    "GLOBAL_HOOKS",
    "REGISTRATION_HOOKS",
    "HookMethods",
    "call_with_hooks",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
    "registered",
]

Hook = Callable[..., Any]


class _GlobalHook(NamedTuple):
    """One hook that holds for every module: when it runs, what runs, and how it wants to be called."""

    moment: str
    hook: Hook
    with_kwargs: bool = False
    always_call: bool = False


#: All global hooks in one table, so that a call has a single thing to look at when there are none.
GLOBAL_HOOKS: OrderedDict[int, _GlobalHook] = OrderedDict()


def _register_global(entry: _GlobalHook) -> RemovableHandle:
    return add_hook(GLOBAL_HOOKS, entry)


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, args)`` before the forward of every module; it may return changed arguments."""
    return _register_global(_GlobalHook("forward_pre", hook))


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Run ``hook(module, args, output)`` after the forward of every module; it may return another output."""
    return _register_global(_GlobalHook("forward", hook, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, grad_output)`` before gradients enter any module; it may return changed gradients."""
    return _register_global(_GlobalHook("backward_pre", hook))


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, grad_input, grad_output)`` when gradients leave any module."""
    _refuse_mixture("plain_backward")
    return _register_global(_GlobalHook("backward", hook))


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """The older form of :func:`register_module_full_backward_hook`: sees only the module's last operation."""
    _refuse_mixture("backward")
    return _register_global(_GlobalHook("plain_backward", hook))


#: What runs whenever something is registered in any module, by its kind.
REGISTRATION_HOOKS: dict[str, OrderedDict[int, Hook]] = {
    kind: OrderedDict() for kind in ("buffer", "module", "parameter")
}


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, name, buffer)`` for every buffer that is registered; it may return another to take."""
    return add_hook(REGISTRATION_HOOKS["buffer"], hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, name, submodule)`` for every module that is registered; it may return another to take."""
    return add_hook(REGISTRATION_HOOKS["module"], hook)


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, name, parameter)`` for every parameter that is registered; it may return another to take."""
    return add_hook(REGISTRATION_HOOKS["parameter"], hook)


def registered(kind: str, module: Any, name: str, value: Any) -> Any:
    """``value``, or what the hooks make of it."""
    for hook in REGISTRATION_HOOKS[kind].values():
        changed = hook(module, name, value)
        if changed is not None:
            value = changed
    return value


def _refuse_mixture(other: str) -> None:
    if any(entry.moment == other for entry in GLOBAL_HOOKS.values()):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. "
            "Please use only one of them."
        )


def _global(moment: str) -> list[_GlobalHook]:
    return [entry for entry in GLOBAL_HOOKS.values() if entry.moment == moment]


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run ``module.forward`` with all hooks around it, in PyTorch's order: global hooks, then the module's own."""
    called: set[int] = set()
    result: Any = None
    try:
        args, kwargs = _run_forward_pre_hooks(module, args, kwargs)
        boundary = _backward_boundary(module)
        if boundary is not None:
            args = boundary.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for hook_id, hook, with_kwargs, _ in _forward_hooks(module):
            called.add(hook_id)
            changed = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
            if changed is not None:
                result = changed
        if boundary is not None:
            result = boundary.watch_outputs(result)
        _attach_plain_backward_hooks(module, result)
        return result
    except Exception:
        _run_always_called_hooks(module, args, kwargs, result, called)
        raise


def _run_forward_pre_hooks(
    module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    wants_kwargs = module._forward_pre_hooks_with_kwargs
    hooks = [(entry.hook, False) for entry in _global("forward_pre")]
    hooks += [(hook, hook_id in wants_kwargs) for hook_id, hook in list(module._forward_pre_hooks.items())]
    for hook, with_kwargs in hooks:
        if with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                )
            args, kwargs = changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _forward_hooks(module: Any) -> Iterator[tuple[int, Hook, bool, bool]]:
    """``(id, hook, with_kwargs, always_call)`` of every forward hook, in the order they run."""
    for hook_id, entry in list(GLOBAL_HOOKS.items()):
        if entry.moment == "forward":
            yield hook_id, entry.hook, entry.with_kwargs, entry.always_call
    with_kwargs, always = module._forward_hooks_with_kwargs, module._forward_hooks_always_called
    for hook_id, hook in list(module._forward_hooks.items()):
        yield hook_id, hook, hook_id in with_kwargs, hook_id in always


def _run_always_called_hooks(
    module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, called: set[int]
) -> None:
    """After an exception, run the hooks with ``always_call`` that have not run yet; their errors are warned of."""
    for hook_id, hook, with_kwargs, always in _forward_hooks(module):
        if not always or hook_id in called:
            continue
        try:
            changed = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
            if changed is not None:
                result = changed
        except Exception as error:
            warnings.warn(
                f"a forward hook registered with always_call=True raised {type(error).__name__}: {error}; "
                "it is silenced, because the forward itself failed first and its error is the one to see",
                stacklevel=4,
            )


# -- backward hooks ----------------------------------------------------------------------------------------------------


class BackwardHookFunction(Function):
    """The identity, with a look at the gradients that pass: its backward hands them to a callback.

    At the outputs of a module a gradient that is missing is None, at its inputs zeros; so it is in PyTorch.
    """

    @staticmethod
    def forward(ctx: Any, callback: Hook, zeros_for_none: bool, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.callback = callback
        ctx.set_materialize_grads(zeros_for_none)
        ctx.mark_non_differentiable(*(t for t in tensors if not t.requires_grad))
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        return (None, None, *ctx.callback(grads))


class _Boundary:
    """The two places where gradients cross the border of one module during one call.

    Gradients cross the outputs first: pre-hooks run there, and the gradients are remembered. When they cross the
    inputs, the full backward hooks run with both. Where no input needs a gradient, they run at the outputs.
    """

    def __init__(self, module: Any, hooks: list[Hook], pre_hooks: list[Hook]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.inputs_watched = False
        self.n_inputs = 0
        self.grad_outputs: tuple[Tensor | None, ...] | None = None

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.n_inputs = len(args)
        watched = _route(args, self._on_grad_inputs, zeros_for_none=True)
        self.inputs_watched = watched is not None
        return args if watched is None else watched

    def watch_outputs(self, result: Any) -> Any:
        outputs = result if isinstance(result, tuple) else (result,)
        watched = _route(outputs, self._on_grad_outputs, zeros_for_none=False)
        if watched is None:
            return result
        return watched if isinstance(result, tuple) else watched[0]

    def _on_grad_outputs(self, grads: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        for hook in self.pre_hooks:
            changed = hook(self.module, grads)
            if changed is not None:
                grads = _same_length("Backward pre hook", "grad_output", _as_tuple(changed), grads)
        if self.inputs_watched:
            self.grad_outputs = grads
        else:
            self._run_hooks_without_grad_inputs(grads)
        return grads

    def _run_hooks_without_grad_inputs(self, grads: tuple[Tensor | None, ...]) -> None:
        if self.hooks:
            warnings.warn(
                f"the full backward hook of {type(self.module).__name__} runs when gradients reach the module's "
                "outputs, since none of its inputs requires a gradient; grad_input is None for each of them",
                stacklevel=2,
            )
        for hook in self.hooks:
            changed = hook(self.module, (None,) * self.n_inputs, grads)
            if changed is not None and any(g is not None for g in _as_tuple(changed)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or "
                    "None for all gradients."
                )

    def _on_grad_inputs(self, grads: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        if self.grad_outputs is None:  # the gradients come round the module, not through its outputs
            return grads
        for hook in self.hooks:
            changed = hook(self.module, grads, self.grad_outputs)
            if changed is not None:
                grads = _same_length("Backward hook", "grad_input", _as_tuple(changed), grads)
        self.grad_outputs = None
        return grads


def _route(values: tuple[Any, ...], callback: Hook, *, zeros_for_none: bool) -> tuple[Any, ...] | None:
    """``values`` with its tensors led through one identity node; None when no gradient will flow there.

    The callback sees, and returns, one gradient for each entry of ``values``: None at the places of non-tensors.
    """
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not is_grad_enabled() or not any(values[i].requires_grad for i in places):
        return None

    def spread(grads: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        full: list[Tensor | None] = [None] * len(values)
        for place, grad in zip(places, grads, strict=True):
            full[place] = grad
        changed = callback(tuple(full))
        return tuple(changed[place] for place in places)

    routed = list(values)
    passed = BackwardHookFunction.apply(spread, zeros_for_none, *(values[i] for i in places))
    for place, tensor in zip(places, passed, strict=True):
        routed[place] = tensor
    return tuple(routed) if type(values) is tuple else type(values)(*routed)


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else tuple(value) if isinstance(value, list) else (value,)


def _same_length(who: str, what: str, got: tuple[Any, ...], expected: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(got) != len(expected):
        raise RuntimeError(f"{who} returned an invalid number of {what}, got {len(got)}, but expected {len(expected)}")
    return got


def _backward_boundary(module: Any) -> _Boundary | None:
    hooks, _ = module._get_backward_hooks()
    pre_hooks = module._get_backward_pre_hooks()
    return _Boundary(module, hooks, pre_hooks) if hooks or pre_hooks else None


def _attach_plain_backward_hooks(module: Any, result: Any) -> None:
    """The older backward hooks: on the node that made the (first) output."""
    _, hooks = module._get_backward_hooks()
    if not hooks:
        return
    first = result
    while not isinstance(first, Tensor):
        if isinstance(first, dict):
            first = next((value for value in first.values() if isinstance(value, Tensor)), None)
        else:
            first = first[0] if isinstance(first, (tuple, list)) and first else None
        if first is None:
            return
    if first.grad_fn is not None:
        for hook in hooks:
            first.grad_fn.register_hook(partial(hook, module))


class HookMethods:
    """How hooks get into a module: the part of :class:`Module` that fills its tables of hooks."""

    _forward_pre_hooks: OrderedDict[int, Hook]
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks: OrderedDict[int, Hook]
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _backward_pre_hooks: OrderedDict[int, Hook]
    _backward_hooks: OrderedDict[int, Hook]
    _is_full_backward_hook: bool | None

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Run ``hook(module, args)`` before every forward; a result other than None replaces the arguments.

        Args:
            hook: the function to run.
            prepend: run it before the hooks registered so far.
            with_kwargs: call ``hook(module, args, kwargs)`` and take ``(args, kwargs)`` back.
        """
        return add_hook(self._forward_pre_hooks, hook, prepend, (self._forward_pre_hooks_with_kwargs, with_kwargs))

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Run ``hook(module, args, output)`` after every forward; a result other than None replaces the output.

        Args:
            hook: the function to run.
            prepend: run it before the hooks registered so far.
            with_kwargs: call ``hook(module, args, kwargs, output)``.
            always_call: run it even when the forward raises.
        """
        return add_hook(
            self._forward_hooks,
            hook,
            prepend,
            (self._forward_hooks_with_kwargs, with_kwargs),
            (self._forward_hooks_always_called, always_call),
        )

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Run ``hook(module, grad_output)`` when gradients reach the outputs; a result replaces them."""
        return add_hook(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Run ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are there.

        ``grad_input`` and ``grad_output`` are tuples with one entry for each positional argument and each output. A
        result other than None replaces ``grad_input``.
        """
        self._set_backward_kind(full=True)
        return add_hook(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """The older form of :meth:`register_full_backward_hook`: it sees only the module's last operation."""
        self._set_backward_kind(full=False)
        return add_hook(self._backward_hooks, hook)

    def _set_backward_kind(self, *, full: bool) -> None:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. "
                "Please use only one of them."
            )
        self._is_full_backward_hook = full

    def _get_backward_hooks(self) -> tuple[list[Hook], list[Hook]]:
        """The full backward hooks that run for the module, global ones first, and the older ones."""
        own = list(self._backward_hooks.values())
        full = [entry.hook for entry in _global("backward")] + (own if self._is_full_backward_hook else [])
        plain = [entry.hook for entry in _global("plain_backward")]
        return full, plain + (own if self._is_full_backward_hook is False else [])

    def _get_backward_pre_hooks(self) -> list[Hook]:
        """The hooks that run before the backward of the module, global ones first."""
        return [entry.hook for entry in _global("backward_pre")] + list(self._backward_pre_hooks.values())
