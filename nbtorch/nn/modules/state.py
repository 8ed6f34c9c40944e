"""Writing a module's state into a dictionary and reading it back."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ...autograd import no_grad
from ...tensor import Tensor
from ..parameter import Parameter, is_lazy

__all__ = ["EXTRA_STATE", "ModuleBoundHook", "_IncompatibleKeys", "load_module_tree", "load_own_tensors"]

#: The key under which ``get_extra_state`` is stored.
EXTRA_STATE = "_extra_state"


class _KeyLists(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class _IncompatibleKeys(_KeyLists):
    """What :meth:`Module.load_state_dict` returns: ``missing_keys`` and ``unexpected_keys``, lists of names."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def load_own_tensors(
    module: Any,
    state_dict: Mapping[str, Any],
    prefix: str,
    *,
    assign: bool,
    strict: bool,
    missing_keys: list[str],
    unexpected_keys: list[str],
    error_msgs: list[str],
) -> None:
    """Take the parameters and buffers of ``module`` itself, without its children, out of ``state_dict``.

    Everything that does not fit is collected in the three lists, and what fits is loaded, as PyTorch does.
    """
    persistent = {k: v for k, v in module._buffers.items() if k not in module._non_persistent_buffers_set}
    local = {k: v for k, v in (*module._parameters.items(), *persistent.items()) if v is not None}
    for name, own in local.items():
        key = prefix + name
        if key not in state_dict:
            if strict:
                missing_keys.append(key)
            continue
        problem = _load_one(module, name, own, key, state_dict[key], assign)
        if problem is not None:
            error_msgs.append(problem)

    extra_key = prefix + EXTRA_STATE
    takes_extra = module._takes_extra_state()
    if takes_extra and extra_key in state_dict:
        module.set_extra_state(state_dict[extra_key])
    elif takes_extra and strict:
        missing_keys.append(extra_key)

    if strict:
        for key in state_dict:
            if not key.startswith(prefix):
                continue
            head, _, rest = key[len(prefix) :].partition(".")
            known = head in module._modules if rest else head in local or (takes_extra and head == EXTRA_STATE)
            if not known:
                unexpected_keys.append(key)


def _load_one(module: Any, name: str, own: Tensor, key: str, loaded: Any, assign: bool) -> str | None:
    """Load one tensor; returns a message if it cannot be."""
    if not isinstance(loaded, Tensor):
        return (
            f'While copying the parameter named "{key}", expected nbtorch.Tensor or Tensor-like object from checkpoint '
            f"but received {type(loaded)}. Convert NumPy arrays with nbtorch.from_numpy before loading."
        )
    if is_lazy(own) and is_lazy(loaded):
        return None
    if own.dim() == 0 and tuple(loaded.shape) == (1,):  # checkpoints older than 0-dimensional tensors
        loaded = loaded[0]
    if loaded.shape != own.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {loaded.shape} from checkpoint, "
            f"the shape in current model is {own.shape}."
        )
    try:
        with no_grad():
            if not assign:
                own.copy_(loaded)
            elif not isinstance(own, Parameter):
                setattr(module, name, loaded)
            elif isinstance(loaded, Parameter):
                setattr(module, name, loaded.requires_grad_(own.requires_grad))
            else:
                setattr(module, name, Parameter(loaded, requires_grad=own.requires_grad))
    except Exception as error:
        return (
            f'While copying the parameter named "{key}", whose dimensions in the model are {own.shape} and whose '
            f"dimensions in the checkpoint are {loaded.shape}, an exception occurred : {error.args}."
        )
    return None


def load_module_tree(root: Any, state_dict: Mapping[str, Any], *, strict: bool, assign: bool) -> _IncompatibleKeys:
    """Load ``state_dict`` into ``root`` and all its descendants; raises one RuntimeError that lists every problem."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    missing: list[str] = []
    unexpected: list[str] = []
    errors: list[str] = []
    metadata = getattr(state_dict, "_metadata", None)
    whole = OrderedDict(state_dict)
    if metadata is not None:
        whole._metadata = metadata  # type: ignore[attr-defined]

    _load_subtree(root, whole, "", metadata, assign, missing, unexpected, errors)

    if strict:
        # The order of the message: what is missing, what is too much, what does not fit.
        if unexpected:
            errors.insert(0, "Unexpected key(s) in state_dict: {}. ".format(", ".join(f'"{k}"' for k in unexpected)))
        if missing:
            errors.insert(0, "Missing key(s) in state_dict: {}. ".format(", ".join(f'"{k}"' for k in missing)))
    if errors:
        raise RuntimeError(
            "Error(s) in loading state_dict for {}:\n\t{}".format(type(root).__name__, "\n\t".join(errors))
        )
    return _IncompatibleKeys(missing, unexpected)


def _load_subtree(
    module: Any,
    state_dict: OrderedDict[str, Any],
    prefix: str,
    metadata: Mapping[str, dict[str, Any]] | None,
    assign: bool,
    missing: list[str],
    unexpected: list[str],
    errors: list[str],
) -> None:
    local_metadata = dict(metadata.get(prefix[:-1], {})) if metadata is not None else {}
    if assign:
        local_metadata["assign_to_params_buffers"] = True
    # Strict here collects the keys; whether they are an error is decided once, at the end.
    module._load_from_state_dict(state_dict, prefix, local_metadata, True, missing, unexpected, errors)
    for name, child in module._modules.items():
        if child is not None:
            child_prefix = f"{prefix}{name}."
            child_state = OrderedDict((k, v) for k, v in state_dict.items() if k.startswith(child_prefix))
            _load_subtree(child, child_state, child_prefix, metadata, assign, missing, unexpected, errors)
    for hook in module._load_state_dict_post_hooks.values():
        if hook(module, _IncompatibleKeys(missing, unexpected)) is not None:
            raise AssertionError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values; "
                "change incompatible_keys in place instead."
            )


class ModuleBoundHook:
    """A hook that is given its module first, which it does not keep alive."""

    def __init__(self, hook: Callable[..., Any], module: Any) -> None:
        self.hook = hook
        self.module = weakref.ref(module)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return {"hook": self.hook, "module": self.module()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.hook = state["hook"]
        self.module = weakref.ref(state["module"])
