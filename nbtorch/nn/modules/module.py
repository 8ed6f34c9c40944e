"""The base class of everything that has parameters."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self, TypeVar

from ...autograd import no_grad
from ...backends.dtypes import bfloat16, float16, float32, float64
from ...backends.dtypes import dtype as DType
from ...ops.conversion import parse_to
from ...tensor import Tensor, empty_like
from ...utils.gradients import clear_gradients
from ...utils.hooks import RemovableHandle, add_hook
from ..parameter import Buffer, Parameter, is_lazy, replace_values
from .calls import (
    GLOBAL_HOOKS,
    HookMethods,
    call_with_hooks,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
    registered,
)
from .naming import MissingAttribute, indent, typename
from .state import EXTRA_STATE, ModuleBoundHook, _IncompatibleKeys, load_module_tree, load_own_tensors

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

Hook = Callable[..., Any]


class Module(HookMethods):
    """A part of a model: it owns parameters, buffers and smaller modules, and computes something with them.

    Subclasses call ``super().__init__()``, assign :class:`Parameter` and :class:`Module` objects as attributes, and
    define :meth:`forward`. What is assigned is registered in the order of assignment, which is the order of
    :meth:`parameters`, :meth:`state_dict` and the printed form.

    Example:
        >>> class Line(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.weight = nn.Parameter(torch.zeros(1))
        ...     def forward(self, x):
        ...         return self.weight * x
    """

    #: Written into the metadata of a state dict; raise it in a subclass whose stored names or shapes change.
    _version: int = 1
    #: Set to True in a subclass that has further base classes whose ``__init__`` has to run too.
    call_super_init: bool = False

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _is_full_backward_hook: bool | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            if kwargs:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
                )
            if args:
                raise TypeError(
                    f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
                )
        self.__dict__.update(training=True, _parameters={}, _buffers={}, _non_persistent_buffers_set=set())
        self.__dict__.update(_no_hooks())
        self.__dict__["_modules"] = {}
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def _missing_forward(self, *input: Any) -> Any:
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function. Define forward(self, ...); '
            "if it is there, check its name and its indentation."
        )

    #: What the module computes; every subclass defines its own. Call the module, not ``forward``: that runs the hooks.
    forward: Callable[..., Any] = _missing_forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or GLOBAL_HOOKS
        ):
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # Names that programs override, wrap or look for; PyTorch calls its modules through them.
    _call_impl = _wrapped_call_impl = _slow_forward = __call__
    _compiled_call_impl: Any = None
    dump_patches: bool = False
    T_destination = TypeVar("T_destination", bound=dict[str, Any])

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Accepted: nothing is compiled."""

    # -- registration --------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        # Only reached where ordinary lookup found nothing; parameters come first, for they are asked for in every step.
        own = self.__dict__
        for table in ("_parameters", "_modules", "_buffers"):
            try:
                return own[table][name]
            except KeyError:
                continue
        raise MissingAttribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            if "_parameters" not in own:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif "_parameters" not in own:
            if isinstance(value, Module):
                raise AttributeError("cannot assign module before Module.__init__() call")
            super().__setattr__(name, value)
        elif name in self._parameters:
            self._only_none(name, value, "parameter", "nn.Parameter")
            self._parameters[name] = None
        elif isinstance(value, Module):
            self._forget(name, "_buffers")
            self._modules[name] = registered("module", self, name, value)
        elif name in self._modules:
            self._only_none(name, value, "child module", "nn.Module")
            self._modules[name] = registered("module", self, name, None)
        elif name in self._buffers or isinstance(value, Buffer):
            if value is not None and not isinstance(value, Tensor):
                self._only_none(name, value, "buffer", "nn.Buffer, nbtorch.Tensor")
            persistent = value.persistent if isinstance(value, Buffer) else name not in self._non_persistent_buffers_set
            self.register_buffer(name, value, persistent)
        else:
            super().__setattr__(name, value)

    @staticmethod
    def _only_none(name: str, value: Any, what: str, expected: str) -> None:
        if value is not None:
            hint = " Wrap the values: nn.Parameter(...)." if what == "parameter" and isinstance(value, Tensor) else ""
            raise TypeError(
                f"cannot assign '{typename(value)}' as {what} '{name}' (nbtorch.{expected} or None expected).{hint}"
            )

    def _forget(self, name: str, *tables: str) -> None:
        """Take ``name`` out of the other places an attribute may stand in, before it is registered anew."""
        own = self.__dict__
        own.pop(name, None)
        for table in tables:
            own[table].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def _check_name(self, kind: str, name: str, table: Mapping[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            got = f", got: {name}" if kind == "module" else ""
            raise KeyError(f'{kind} name can\'t contain "."{got}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in table and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under ``name``; None keeps the name for a parameter that is absent."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' "
                "(nbtorch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. "
                f"To express '{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        self._parameters[name] = None if param is None else registered("parameter", self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not trained.

        Args:
            name: the attribute it is reached by.
            tensor: the values, or None for a buffer that is absent.
            persistent: whether :meth:`state_dict` contains it.
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (nbtorch Tensor or None required)"
            )
        self._buffers[name] = registered("buffer", self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module under ``name``; the same as assigning it as an attribute."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("module", name, self._modules)
        self._modules[name] = registered("module", self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Another name of :meth:`add_module`."""
        self.add_module(name, module)

    # -- looking around ------------------------------------------------------------------------------------------------

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path, such as ``"encoder.0"``; the module itself for ``""``."""
        module = self
        for part in target.split(".") if target else ():
            if not hasattr(module, part):
                raise AttributeError(f"{module._get_name()} has no attribute `{part}`")
            module = getattr(module, part)
            if not isinstance(module, Module):
                raise AttributeError(f"`{part}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put ``module`` at a dotted path; with ``strict`` only where there is a module already."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path."""
        found = self._get_tensor(target)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{target.rpartition('.')[2]}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path."""
        found = self._get_tensor(target)
        path, _, name = target.rpartition(".")
        if name not in self.get_submodule(path)._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return found  # type: ignore[no-any-return]

    def _get_tensor(self, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        return getattr(module, name)

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """``(dotted name, module)`` of this module and all below it, parents first, each once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """``(name, module)`` of the modules directly below, each once."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self,
        get_members_fn: Callable[[Module], Iterable[tuple[str, Any]]],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        modules: Iterable[tuple[str, Module]] = [(prefix, self)]
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        seen: set[int] = set()  # by identity: == between tensors compares values
        for path, module in modules:
            for name, member in get_members_fn(module):
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield f"{path}.{name}" if path else name, member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """``(dotted name, parameter)`` in the order of registration; a shared parameter once, under its first name."""
        return self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, as an optimiser wants them; with ``recurse=False`` only the module's own."""
        if type(self).named_parameters is not Module.named_parameters or not recurse:
            for _, parameter in self.named_parameters(recurse=recurse):
                yield parameter
            return
        seen: set[int] = set()
        for module in _tree(self, set(), []):
            for own in module._parameters.values():
                if own is not None and id(own) not in seen:
                    seen.add(id(own))
                    yield own

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """``(dotted name, buffer)`` in the order of registration."""
        return self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    # -- changing everything at once -----------------------------------------------------------------------------------

    def apply(self, fn: Callable[[Module], None]) -> Self:
        """Call ``fn`` on every module, children first; for initialising weights, say."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the values of all parameters, gradients and buffers by ``fn`` of them.

        Parameters stay the same objects, so that an optimiser made before goes on training them.
        """
        if recurse:
            for module in self.children():
                module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    replace_values(parameter, fn)
            for name, buffer in self._buffers.items():
                if is_lazy(buffer):
                    replace_values(buffer, fn)  # type: ignore[arg-type]
                elif buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move to a device, convert floating-point parameters and buffers to a dtype, or both.

        Accepts ``to(device, dtype)``, ``to(dtype)``, ``to(tensor)`` (like that tensor) and the keywords ``device``,
        ``dtype``, ``non_blocking``, ``memory_format``; the last is for the parameters that have as many dimensions.

        Raises:
            TypeError: if ``dtype`` is not a floating-point type.
        """
        if "tensor" in kwargs:
            args = (kwargs.pop("tensor"), *args)
        format = kwargs.get("memory_format")
        device, dtype, _ = parse_to(args, kwargs)
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )

        def convert(t: Tensor) -> Tensor:
            fits = format is not None and format.order is not None and t.dim() == len(format.order)
            wanted = dtype if t.is_floating_point() else None
            return t.to(device=device, dtype=wanted, memory_format=format if fits else None)

        return self._apply(convert)

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Move to a device without the values: they are left as they happen to be."""
        return self._apply(lambda t: empty_like(t, device=device), recurse=recurse)

    def cpu(self) -> Self:
        """Move to the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Self:
        """Move to a GPU, the current one if none is named."""
        return self._apply(lambda t: t.cuda(device))

    def share_memory(self) -> Self:
        """Accepted: tensors travel to other processes by pickling.

        Raises:
            RuntimeError: where a parameter has no shape yet.
        """
        for tensor in (*self.parameters(), *self.buffers()):
            if is_lazy(tensor):
                raise RuntimeError(
                    "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the "
                    "parameters before calling `module.share_memory()`."
                )
        return self

    def type(self, dst_type: Any) -> Self:
        """Convert all parameters and buffers, integers too."""
        return self._apply(lambda t: t.type(dst_type))

    def _floating_to(self, dtype: DType) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Convert floating-point parameters and buffers to float32."""
        return self._floating_to(float32)

    def double(self) -> Self:
        """Convert floating-point parameters and buffers to float64."""
        return self._floating_to(float64)

    def half(self) -> Self:
        """Convert floating-point parameters and buffers to float16."""
        return self._floating_to(float16)

    def bfloat16(self) -> Self:
        """Convert floating-point parameters and buffers to bfloat16."""
        return self._floating_to(bfloat16)

    def train(self, mode: bool = True) -> Self:
        """Put this module and all below it in training mode (dropout and the like are active), or out of it."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in dict.fromkeys(self._modules.values()):
            if module is not None:
                module.train(mode)
        return self

    def eval(self) -> Self:
        """The same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let all parameters be trained, or freeze them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        clear_gradients(self.parameters(), set_to_none)

    # -- state dictionaries --------------------------------------------------------------------------------------------

    def get_extra_state(self) -> Any:
        """Override to store something besides tensors in the state dict."""
        raise RuntimeError("Define get_extra_state() in the subclass before asking for extra state.")

    def set_extra_state(self, state: Any) -> None:
        """Override, together with :meth:`get_extra_state`, to take it back out."""
        raise RuntimeError("Define set_extra_state() in the subclass before loading extra state.")

    def _takes_extra_state(self) -> bool:
        return type(self).set_extra_state is not Module.set_extra_state

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """Write the module's own parameters and persistent buffers, without its children's."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                destination[prefix + name] = parameter if keep_vars else parameter.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Any]:
        """All parameters and persistent buffers by their dotted names.

        The tensors share memory with the model: copy them (``copy.deepcopy``) to keep a moment of training.

        Args:
            destination: a dictionary to write into; a new one when left out.
            prefix: put before every name.
            keep_vars: keep the parameters themselves instead of tensors detached from the graph.
        """
        if args:
            warnings.warn(
                "Positional arguments of state_dict() are deprecated; use destination=, prefix= and keep_vars=.",
                FutureWarning,
                stacklevel=2,
            )
            given = [destination, prefix, keep_vars]
            given[: len(args)] = args
            destination, prefix, keep_vars = given
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            changed = hook(self, destination, prefix, metadata)
            if changed is not None:
                if getattr(hook, "_from_public_api", False):
                    raise RuntimeError("state_dict post-hook must return None")
                destination = changed
        return destination  # type: ignore[no-any-return]

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy the tensors of ``state_dict`` into this module and all below it.

        Args:
            state_dict: tensors by dotted name, as :meth:`state_dict` gives them.
            strict: raise unless the names match exactly.
            assign: take the tensors themselves, with their dtype and device, instead of copying their values.

        Returns:
            The names that were missing and those that were not expected.

        Raises:
            RuntimeError: lists every missing and unexpected name (when ``strict``) and every wrong shape.
        """
        return load_module_tree(self, state_dict, strict=strict, assign=assign)

    def _load_from_state_dict(
        self,
        state_dict: Mapping[str, Any],
        prefix: str,
        local_metadata: Mapping[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load the module's own tensors, without its children's; a subclass may override it to read older formats."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        load_own_tensors(
            self,
            state_dict,
            prefix,
            assign=bool(local_metadata.get("assign_to_params_buffers", False)),
            strict=strict,
            missing_keys=missing_keys,
            unexpected_keys=unexpected_keys,
            error_msgs=error_msgs,
        )

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Run ``hook(module, prefix, keep_vars)`` before the module's state is written."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Run ``hook(module, state_dict, prefix, local_metadata)`` after it; it may change ``state_dict`` in place."""
        hook._from_public_api = True  # type: ignore[attr-defined]
        return add_hook(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Hook) -> RemovableHandle:
        return add_hook(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Run ``hook(module, state_dict, prefix, metadata, strict, missing, unexpected, errors)`` before loading."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook: Hook, with_module: bool = False) -> RemovableHandle:
        return add_hook(self._load_state_dict_pre_hooks, ModuleBoundHook(hook, self) if with_module else hook)

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Run ``hook(module, incompatible_keys)`` after loading; it may change the lists of keys in place."""
        return add_hook(self._load_state_dict_post_hooks, hook)

    # -- printing, copying ---------------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the brackets of the printed form besides the children; override it in a layer."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {indent(repr(module), 2)}" for name, module in self._modules.items()]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({lines[0]})"
        body = "\n  ".join([*lines, *children])
        return f"{self._get_name()}(\n  {body}\n)" if body else f"{self._get_name()}()"

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__}
        for table in ("_parameters", "_modules", "_buffers"):
            names.update(self.__dict__.get(table, ()))
        return sorted(name for name in names if not name[:1].isdigit())

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__.copy()

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Modules pickled by an older version may lack the newer tables.
        self.__dict__.update({"_non_persistent_buffers_set": set(), **_no_hooks(), **state})


def _tree(module: Module, seen: set[Module], found: list[Module]) -> list[Module]:
    """What :meth:`Module.modules` gives, put at the end of ``found``; a subclass' own way is gone."""
    if type(module).named_modules is not Module.named_modules:
        found.extend(below for _, below in module.named_modules(seen))
    elif module not in seen:
        seen.add(module)
        found.append(module)
        for child in module._modules.values():
            if child is not None:
                _tree(child, seen, found)
    return found


_HOOK_TABLES = (
    "_backward_pre_hooks",
    "_backward_hooks",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


def _no_hooks() -> dict[str, Any]:
    tables: dict[str, Any] = {name: OrderedDict() for name in _HOOK_TABLES}
    tables["_is_full_backward_hook"] = None
    return tables
