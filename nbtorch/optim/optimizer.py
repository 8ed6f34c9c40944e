"""The base class of all optimisers: parameter groups, state, hooks, saving and loading."""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

from ..tensor import Tensor
from ..utils.gradients import clear_gradients
from ..utils.hooks import RemovableHandle, add_hook
from .inner import _capturable_doc as _capturable_doc
from .inner import _default_to_fused_or_foreach as _default_to_fused_or_foreach
from .inner import _device_dtype_check_for_fused as _device_dtype_check_for_fused
from .inner import _differentiable_doc as _differentiable_doc
from .inner import _disable_dynamo_if_unsupported as _disable_dynamo_if_unsupported
from .inner import _foreach_doc as _foreach_doc
from .inner import _fused_doc as _fused_doc
from .inner import _get_capturable_supported_devices as _get_capturable_supported_devices
from .inner import _get_scalar_dtype as _get_scalar_dtype
from .inner import _get_value as _get_value
from .inner import _group_tensors
from .inner import _maximize_doc as _maximize_doc
from .inner import _params_doc as _params_doc
from .inner import _stack_if_compiling as _stack_if_compiling
from .inner import _to_scalar as _to_scalar
from .inner import _use_grad_for_differentiable as _use_grad_for_differentiable
from .inner import _view_as_real as _view_as_real

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook", "required"]

ParamsT = Iterable[Any]
Hook = Callable[..., Any]
ParamGroup = dict[str, Any]
StateDict = dict[str, Any]
DeviceDict = DeviceDtypeDict = dict[Any, Tensor]
TensorListList = list[list[Tensor | None]]
Indices = list[int]


class _RequiredParameter:
    """The default of an option that has none: every parameter group must give it."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _RequiredParameter()

_GLOBAL_PRE_HOOKS: OrderedDict[int, Hook] = OrderedDict()
_GLOBAL_POST_HOOKS: OrderedDict[int, Hook] = OrderedDict()


def register_optimizer_step_pre_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(optimizer, args, kwargs)`` before every step of every optimiser."""
    return add_hook(_GLOBAL_PRE_HOOKS, hook)


def register_optimizer_step_post_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(optimizer, args, kwargs)`` after every step of every optimiser."""
    return add_hook(_GLOBAL_POST_HOOKS, hook)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step``, with the hooks around it; straight through when there are none."""

    @functools.wraps(step)
    def hooked_step(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        # A wrapper of optimisers may leave out the base class' __init__, and a step calls its base class' step.
        own = self.__dict__
        before, after = own.get("_optimizer_step_pre_hooks", {}), own.get("_optimizer_step_post_hooks", {})
        outermost = type(self).step is hooked_step
        if not (outermost and (before or after or _GLOBAL_PRE_HOOKS or _GLOBAL_POST_HOOKS)):
            return step(self, *args, **kwargs)
        # As in PyTorch, hooks see the optimiser as the first positional argument.
        hook_args: tuple[Any, ...] = (self, *args)
        for hook in chain(list(_GLOBAL_PRE_HOOKS.values()), list(before.values())):
            changed = hook(self, hook_args, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(f"{hook} must return None or a tuple of (new_args, new_kwargs), but got {changed}.")
            hook_args, kwargs = changed
        result = step(*hook_args, **kwargs)
        for hook in chain(list(after.values()), list(_GLOBAL_POST_HOOKS.values())):
            hook(self, hook_args, kwargs)
        return result

    return hooked_step


class Optimizer:
    """Changes parameters by their gradients; subclasses define :meth:`step`.

    Args:
        params: the tensors to change, or ``(name, tensor)`` pairs, or dictionaries that each describe a group: its
            tensors under ``"params"``, and the options in which it differs from the defaults.
        defaults: the options, by name, for groups that don't say otherwise.

    Attributes:
        param_groups: a list of dictionaries, one for each group; options may be changed there at any time.
        state: for each parameter what the optimiser remembers of it.

    Raises:
        TypeError: if ``params`` is a single tensor or holds something else than tensors.
        ValueError: if there are no parameters, or one was computed from others, or one is in two groups.
    """

    defaults: dict[str, Any]
    state: defaultdict[Any, Any]
    param_groups: list[ParamGroup]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got a Tensor. "
                "Put it in a list: [tensor]."
            )
        self.defaults = defaults
        self.state = defaultdict(dict)
        self.param_groups = []
        self.__dict__.update(_no_hooks())
        groups = list(params)
        if not groups:
            raise ValueError(
                "optimizer got an empty parameter list. If the model keeps its layers in a plain list or dict, "
                "put them in an nn.ModuleList or nn.ModuleDict: only then are their parameters registered."
            )
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters once.

        Args:
            closure: computes the loss and its gradients anew; run with gradients recorded.

        Returns:
            What the closure returned, or None.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define step()")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros if ``set_to_none=False``."""
        for group in self.param_groups:
            clear_gradients(group["params"], set_to_none)

    def add_param_group(self, param_group: ParamGroup) -> None:
        """Train further parameters, with options of their own where the dictionary gives some.

        Raises:
            TypeError: if it is not a dictionary, or its parameters are a set or not tensors.
            ValueError: if a parameter was computed, is in another group already, or an option is missing.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
                "sets will change between runs. Please use a list instead."
            )
        _separate_names(param_group, [params] if isinstance(params, Tensor) else list(params))
        for parameter in param_group["params"]:
            self._check_parameter(parameter)
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        self._check_against_other_groups(param_group)
        self.param_groups.append(param_group)

    def _check_parameter(self, parameter: Any) -> None:
        if not isinstance(parameter, Tensor):
            raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(parameter).__name__}")
        if not self.defaults.get("differentiable") and not (parameter.is_leaf or parameter.retains_grad):
            raise ValueError(
                "can't optimize a non-leaf Tensor: one of the parameters was computed by "
                f"{parameter.grad_fn.name()}. Make it a leaf with .detach().requires_grad_(), "
                "or optimize the tensor it was computed from."
            )

    def _check_against_other_groups(self, param_group: ParamGroup) -> None:
        ids = {id(parameter) for parameter in param_group["params"]}
        if len(ids) != len(param_group["params"]):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error",
                stacklevel=4,
            )
        for group in self.param_groups:
            if ("param_names" in param_group) != ("param_names" in group):
                kind = "with names" if "param_names" in param_group else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {kind} to the optimizer"
                )
            if any(id(parameter) in ids for parameter in group["params"]):
                raise ValueError("some parameters appear in more than one parameter group")

    # -- hooks ---------------------------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Run ``hook(optimizer, args, kwargs)`` before every step; it may return changed ``(args, kwargs)``."""
        return add_hook(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Hook) -> RemovableHandle:
        """Run ``hook(optimizer, args, kwargs)`` after every step."""
        return add_hook(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Run ``hook(optimizer)`` before :meth:`state_dict`."""
        return add_hook(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Run ``hook(optimizer, state_dict)`` after :meth:`state_dict`; it may return another dictionary."""
        return add_hook(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Run ``hook(optimizer, state_dict)`` before :meth:`load_state_dict`; it may return another dictionary."""
        return add_hook(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Run ``hook(optimizer)`` after :meth:`load_state_dict`."""
        return add_hook(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    # -- saving and loading --------------------------------------------------------------------------------------------

    def state_dict(self) -> StateDict:
        """What is needed to go on later.

        Returns:
            ``{"state": …, "param_groups": …}``; parameters are replaced by their numbers, counted through all groups.
            Tensors share memory with the optimiser: copy them to keep a moment of training.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers: dict[int, int] = {}  # of a parameter that a group has twice, the last
        for place, parameter in enumerate(chain.from_iterable(group["params"] for group in self.param_groups)):
            numbers[id(parameter)] = place
        groups = [
            {**{name: option for name, option in group.items() if name != "params"},
             "params": [numbers[id(parameter)] for parameter in group["params"]]}
            for group in self.param_groups
        ]  # fmt: skip
        state = {numbers[id(key)] if isinstance(key, Tensor) else key: value for key, value in self.state.items()}
        result: StateDict = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            changed = hook(self, result)
            if changed is not None:
                result = changed
        return result

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Take over options and state; parameters are matched by their numbers.

        Raises:
            ValueError: if the number of groups, or of parameters in a group, differs.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            if changed is not None:
                state_dict = changed
        saved_groups = deepcopy(state_dict["param_groups"])
        if len(saved_groups) != len(self.param_groups):
            raise ValueError(
                "loaded state dict has a different number of parameter groups "
                f"({len(saved_groups)}; the optimizer has {len(self.param_groups)})"
            )
        for place, (own, saved) in enumerate(zip(self.param_groups, saved_groups, strict=True)):
            if len(own["params"]) != len(saved["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group "
                    f"(group {place}: {len(saved['params'])} parameters; the optimizer has {len(own['params'])})"
                )

        parameters = dict(
            zip(
                chain.from_iterable(group["params"] for group in saved_groups),
                chain.from_iterable(group["params"] for group in self.param_groups),
                strict=True,
            )
        )
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in parameters:
                state[parameters[key]] = self._fitted(parameters[key], value, None)
            else:
                state[key] = value
        for own, saved in zip(self.param_groups, saved_groups, strict=True):
            saved["params"] = own["params"]
            if "param_names" in own:
                saved.setdefault("param_names", own["param_names"])
        self.__setstate__({"state": state, "param_groups": saved_groups})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    @classmethod
    def _fitted(cls, parameter: Tensor, value: Any, key: Any) -> Any:
        """Saved state with the dtype and device of its parameter; counters of steps stay as they are."""
        if isinstance(value, Tensor):
            if key == "step":
                return value
            return value.to(device=parameter.device, dtype=parameter.dtype if parameter.is_floating_point() else None)
        if isinstance(value, dict):
            return {name: cls._fitted(parameter, item, name) for name, item in value.items()}
        if isinstance(value, (list, tuple, set)):
            return type(value)(cls._fitted(parameter, item, None) for item in value)
        return value

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**_no_hooks(), **self.__dict__, **state})
        for group in self.param_groups:
            for name, value in _NEWER_OPTIONS.items():
                if name in self.defaults:
                    group.setdefault(name, value)
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for place, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {place}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
            lines.append("")
        return "\n".join(lines)[:-1] + "\n)" if self.param_groups else f"{type(self).__name__} ()"

    # What copies of PyTorch's own optimisers call.
    _group_tensors_by_device_and_dtype = staticmethod(_group_tensors)

    def _cuda_graph_capture_health_check(self) -> None:
        """Nothing to check: steps are not captured."""

    _accelerator_graph_capture_health_check = _cuda_graph_capture_health_check

    # The tables of hooks, made by _no_hooks().
    _optimizer_step_pre_hooks: OrderedDict[int, Hook]
    _optimizer_step_post_hooks: OrderedDict[int, Hook]
    _optimizer_state_dict_pre_hooks: OrderedDict[int, Hook]
    _optimizer_state_dict_post_hooks: OrderedDict[int, Hook]
    _optimizer_load_state_dict_pre_hooks: OrderedDict[int, Hook]
    _optimizer_load_state_dict_post_hooks: OrderedDict[int, Hook]


# What groups in files of older versions of PyTorch lack, and how those versions behaved.
_NEWER_OPTIONS: dict[str, Any] = {
    "amsgrad": False, "capturable": False, "centered": False, "decoupled_weight_decay": False, "differentiable": False,
    "foreach": None, "fused": None, "maximize": False, "momentum": 0, "nesterov": False,
}  # fmt: skip


def _no_hooks() -> dict[str, Any]:
    return {name: OrderedDict() for name in Optimizer.__annotations__ if name.endswith("_hooks")}


def _separate_names(param_group: ParamGroup, params: list[Any]) -> None:
    """Split ``(name, tensor)`` pairs: tensors go to ``"params"``, names to ``"param_names"``."""
    names = [item[0] for item in params if isinstance(item, tuple)]
    param_group["params"] = [item[1] if isinstance(item, tuple) else item for item in params]
    if not names:
        return
    if len(names) != len(params):
        raise ValueError("all optimizer params should be with/without names. Some param names are missing")
    param_group["param_names"] = names
