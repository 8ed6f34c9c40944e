"""Tensors that a :class:`~nbtorch.nn.Module` registers by itself when they are assigned to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..autograd.variable import shared_storage, wrap
from ..tensor import Tensor, empty

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy", "replace_values"]


TensorT = TypeVar("TensorT", bound=Tensor)


def _over_the_memory_of(data: Tensor, cls: type[TensorT]) -> TensorT:
    """A leaf of class ``cls`` with the array of ``data``, and with its count of changes in place."""
    leaf: TensorT = wrap(data._array, data._backend, cls)
    leaf._storage = shared_storage(data)
    return leaf


class Parameter(Tensor):
    """A tensor that is a parameter of the module it is assigned to.

    Assigning it as an attribute of a module adds it to :meth:`Module.parameters`, and so to what an optimiser trains.

    Args:
        data: the values, of any shape and dtype; shared, not copied. An empty tensor when left out.
        requires_grad: whether gradients are recorded; only floating-point values can have them.
    """

    # What is computed from a parameter is an ordinary tensor.
    _result_class = Tensor

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = empty(0)
        elif not isinstance(data, Tensor):
            raise TypeError(
                f"Parameter: expected a Tensor as data, got {type(data).__name__}. "
                "Make a tensor of it first: nn.Parameter(nbtorch.tensor(...))."
            )
        return _over_the_memory_of(data, cls).requires_grad_(requires_grad)

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        """The work is done in ``__new__``; ``Tensor`` has an initialiser of its own that must not run."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) in memo:
            return memo[id(self)]  # type: ignore[no-any-return]
        copied = type(self)(self.data.clone(), self.requires_grad)
        memo[id(self)] = copied
        return copied

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that is part of a module's state but is not trained, such as a running mean.

    Args:
        data: the values; shared, not copied. An empty tensor when left out.
        persistent: whether the buffer is part of :meth:`Module.state_dict`.
    """

    _result_class = Tensor
    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        source = empty(0) if data is None else data
        buffer = _over_the_memory_of(source, cls).requires_grad_(source.requires_grad)
        buffer.persistent = persistent
        return buffer

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        """The work is done in ``__new__``."""


def replace_values(parameter: Parameter, fn: Callable[[Tensor], Tensor]) -> None:
    """Give a parameter, and its gradient, the values that ``fn`` makes of them; nothing happens where it makes none."""
    values = fn(parameter.data)
    if values._array is parameter._array:
        return
    grad = parameter.grad
    parameter.grad = None  # values and gradient change their type together
    parameter.data = values
    if grad is not None:
        parameter.grad = fn(grad.detach()).requires_grad_(grad.requires_grad)


class _Uninitialized:
    """A tensor whose shape isn't known yet; a lazy module gives it one at its first input."""

    _becomes: type[Tensor]

    def __new__(cls, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> Any:
        made: Any = _over_the_memory_of(empty(0, device=device, dtype=dtype), cls)  # type: ignore[type-var]
        made._requires_grad = requires_grad
        return made

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> None:
        """The work is done in ``__new__``."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        this: Any = self
        if id(self) not in memo:
            memo[id(self)] = type(self)(this.requires_grad, this.data.device, this.data.dtype)
        return memo[id(self)]

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Give the tensor its shape; the values are left as they happen to be."""
        this: Any = self
        data = this.data
        this.data = empty(
            tuple(shape), device=data.device if device is None else device, dtype=data.dtype if dtype is None else dtype
        )
        self.__class__ = self._becomes  # type: ignore[assignment]

    @property
    def shape(self) -> Any:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    def __repr__(self, *args: Any, **kwargs: Any) -> str:
        return f"<{type(self).__name__}>"


def _refuse(name: str) -> Callable[..., Any]:
    def refused(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise ValueError(
            f"Attempted to use an uninitialized parameter in {name}. This error happens when you are using a "
            "`LazyModule` or explicitly manipulating an uninitialized parameter or buffer. Call `forward` with a dummy "
            "batch to initialize the parameters before calling torch functions"
        )

    return refused


# What needs neither numbers nor a shape; everything else that tensors can do is refused.
_WITHOUT_SHAPE = {
    "size", "copy_", "is_complex", "is_floating_point", "half", "float", "double", "bfloat16", "char", "short", "int",
    "long", "cuda", "cpu", "to", "get_device", "share_memory_", "register_hook",
}  # fmt: skip
_OPERATORS = ("add", "sub", "mul", "truediv", "matmul", "pow", "neg", "getitem", "len")
for _name in {name for name in dir(Tensor) if not name.startswith("_")} - _WITHOUT_SHAPE:
    if callable(getattr(Tensor, _name)):
        setattr(_Uninitialized, _name, _refuse(_name))
for _name in _OPERATORS:
    setattr(_Uninitialized, f"__{_name}__", _refuse(_name))


class UninitializedParameter(_Uninitialized, Parameter):  # type: ignore[misc]
    """A parameter whose shape isn't known yet.

    Args:
        requires_grad: whether gradients are recorded.
        device: where it is made.
        dtype: its floating-point type.
    """

    _becomes = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> UninitializedParameter:
        return super().__new__(cls, requires_grad, device, dtype)  # type: ignore[no-any-return]


class UninitializedBuffer(_Uninitialized, Tensor):
    """A buffer whose shape isn't known yet; arguments as for :class:`UninitializedParameter`."""

    _becomes = Tensor
    _result_class = Tensor


def is_lazy(param: Any) -> bool:
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(param, _Uninitialized)
