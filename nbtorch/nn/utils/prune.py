"""Pruning: some entries of a parameter are held at zero by a mask, while the others go on being trained.

A pruned ``weight`` becomes ``weight_orig`` (the parameter), ``weight_mask`` (a buffer) and ``weight``, their product,
which a hook computes anew before each forward.
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from ...ops import kthvalue, norm, rand, rand_like, topk, zeros_like
from ...tensor import ones_like
from ..modules.module import Module
from .convert_parameters import parameters_to_vector

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
    "RandomStructured", "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned",
    "l1_unstructured", "ln_structured", "random_structured", "random_unstructured", "remove",
]  # fmt: skip


class BasePruningMethod(ABC):
    """How a mask is computed; it is also the hook that applies it.

    Subclasses define :meth:`compute_mask` and ``PRUNING_TYPE``: ``"unstructured"`` (single entries), ``"structured"``
    (whole slices along ``dim``) or ``"global"``.
    """

    PRUNING_TYPE: str
    _tensor_name: Any

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask of what stays, of the shape of ``t``: the method's own on top of ``default_mask``."""

    def apply_mask(self, module: Any) -> Any:
        """The parameter times its mask."""
        mask, original = (getattr(module, f"{self._tensor_name}_{end}") for end in ("mask", "orig"))
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(cls, module: Any, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any) -> Any:
        """Prune ``module.name``, on top of what has been pruned of it already.

        Args:
            module: the owner.
            name: the parameter.
            args: what the method is made with.
            importance_scores: decide in the parameter's place what is pruned; of its shape.
            kwargs: what the method is made with.

        Returns:
            The method, or the :class:`PruningContainer` of all that were applied.
        """
        earlier = _hooks_of(module, name)
        if len(earlier) > 1:
            raise AssertionError(
                f"Avoid adding multiple pruning hooks to the same tensor {name} of module {module}. "
                "Use a PruningContainer."
            )
        made = cls(*args, **kwargs)
        made._tensor_name = name
        present = getattr(module, name)
        scores = present if importance_scores is None else importance_scores
        if scores.shape != present.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got {scores.shape} vs "
                f"{present.shape}"
            )
        if not earlier:
            mask = made.compute_mask(scores, default_mask=ones_like(present))
            module.register_parameter(f"{name}_orig", present)
            del module._parameters[name]
            hook: Any = made
        else:
            ((key, hook),) = earlier
            hook = PruningContainer(*hook, made) if isinstance(hook, PruningContainer) else PruningContainer(hook, made)
            mask = hook.compute_mask(scores, default_mask=getattr(module, f"{name}_mask").detach().clone())
            del module._forward_pre_hooks[key]
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, hook.apply_mask(module))
        module.register_forward_pre_hook(hook)
        return hook

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """``t`` times the mask that the method computes for it; nothing is registered."""
        if importance_scores is not None and importance_scores.shape != t.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as tensor t, got {importance_scores.shape} vs {t.shape}"
            )
        scores = t if importance_scores is None else importance_scores
        return t * self.compute_mask(scores, default_mask=ones_like(t) if default_mask is None else default_mask)

    def remove(self, module: Any) -> None:
        """Make the parameter a plain one again, with the pruned entries at zero."""
        name = self._tensor_name
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(f"{name}_orig")
        original.data = weight.data
        del module._buffers[f"{name}_mask"]
        setattr(module, name, original)


def _hooks_of(module: Any, name: str | None = None) -> list[tuple[int, BasePruningMethod]]:
    return [
        (key, hook)
        for key, hook in module._forward_pre_hooks.items()
        if isinstance(hook, BasePruningMethod) and (name is None or hook._tensor_name == name)
    ]


class PruningContainer(BasePruningMethod):
    """Several methods that were applied to one parameter, one after the other.

    Args:
        args: the methods.
    """

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[Any, ...] = ()
        if args:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add a method for the same parameter.

        Raises:
            TypeError: for something else.
            ValueError: for a method of another parameter.
        """
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and method._tensor_name != self._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to "
                f"PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """``default_mask``, with what the last method prunes of the part that it leaves."""
        method = self._pruning_methods[-1]
        part = _left_over(method, t, default_mask)
        mask = default_mask.to(dtype=t.dtype).clone()
        mask[part] = method.compute_mask(t[part], default_mask=default_mask[part]).to(dtype=mask.dtype)
        return mask


def _left_over(method: Any, t: Any, mask: Any) -> Any:
    """An index of the part of ``t`` that is not pruned yet, as ``method`` sees it."""
    if method.PRUNING_TYPE == "unstructured":
        return mask == 1
    if method.PRUNING_TYPE == "global":
        return ()
    if method.PRUNING_TYPE != "structured":
        raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
    if not hasattr(method, "dim"):
        raise AttributeError('Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.')
    dims = t.dim()
    dim = method.dim + dims if method.dim < 0 else method.dim
    if dim < 0:
        raise IndexError(f"Index is out of bounds for tensor with dimensions {dims}")
    kept = mask.sum(dim=[d for d in range(dims) if d != dim]) != 0
    return (*[slice(None)] * dim, kept)


class Identity(BasePruningMethod):
    """Prunes nothing; it gives the parameter its mask."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """``default_mask``."""
        return default_mask

    @classmethod
    def apply(cls, module: Any, name: str) -> Any:  # type: ignore[override]
        """Give ``module.name`` a mask of ones."""
        return super().apply(module, name)


class _Amount(BasePruningMethod):
    """Methods that prune a number of entries or slices, or a share of them.

    Raises:
        TypeError: if ``amount`` is no number.
        ValueError: if it is negative, or a fraction above 1.
    """

    def __init__(self, amount: Any) -> None:
        if not isinstance(amount, numbers.Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        if amount < 0 or (not isinstance(amount, numbers.Integral) and float(amount) > 1.0):
            raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
        self.amount = amount

    def _count(self, size: int) -> int:
        """How many of ``size`` are pruned."""
        if not isinstance(self.amount, numbers.Integral):
            return round(float(self.amount) * size)
        count = int(self.amount)
        if count > size:
            raise ValueError(f"amount={count} should be smaller than the number of parameters to prune={size}")
        return count


def _without(default_mask: Any, entries: Any) -> Any:
    """The mask with zeros at these places of its memory."""
    mask = default_mask.clone().reshape(-1)
    mask[entries] = 0
    return mask.reshape(default_mask.shape)


class RandomUnstructured(_Amount):
    """Prunes entries drawn at random.

    Args:
        amount: how many, or which share.
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """``default_mask`` without the entries that get the largest random numbers."""
        count = self._count(t.numel())
        return _without(default_mask, topk(rand_like(t).reshape(-1), count)[1]) if count else default_mask.clone()

    @classmethod
    def apply(cls, module: Any, name: str, amount: Any) -> Any:  # type: ignore[override]
        """Prune ``amount`` entries of ``module.name``."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Amount):
    """Prunes the entries with the smallest absolute values.

    Args:
        amount: how many, or which share.
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """``default_mask`` without the smallest entries of ``t``."""
        count = self._count(t.numel())
        if not count:
            return default_mask.clone()
        return _without(default_mask, topk(t.abs().reshape(-1), count, largest=False)[1])

    @classmethod
    def apply(cls, module: Any, name: str, amount: Any, importance_scores: Any = None) -> Any:  # type: ignore[override]
        """Prune ``amount`` entries of ``module.name``."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class _Structured(_Amount):
    PRUNING_TYPE = "structured"
    dim: int

    def _checked_count(self, t: Any) -> tuple[int, int]:
        """How many slices there are along ``dim``, and how many of them are pruned."""
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{t.shape} with {t.dim()} dims"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        size = t.shape[self.dim]
        return size, self._count(size)

    def _keeping(self, t: Any, slices: Any, default_mask: Any) -> Any:
        mask = zeros_like(t)
        mask[(*[slice(None)] * (self.dim % t.dim()), slices)] = 1
        return mask * default_mask.to(dtype=mask.dtype)


class RandomStructured(_Structured):
    """Prunes slices drawn at random.

    Args:
        amount: how many slices, or which share.
        dim: the dimension they are counted along.
    """

    def __init__(self, amount: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """``default_mask`` without the slices that get the smallest random numbers."""
        size, count = self._checked_count(t)
        if not count:
            return default_mask
        drawn = rand(size)
        return self._keeping(t, (drawn > kthvalue(drawn, count)[0]).to(t.device), default_mask)

    @classmethod
    def apply(cls, module: Any, name: str, amount: Any, dim: int = -1) -> Any:  # type: ignore[override]
        """Prune ``amount`` slices of ``module.name``."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Structured):
    """Prunes the slices with the smallest norms.

    Args:
        amount: how many slices, or which share.
        n: which norm, as in :func:`nbtorch.norm`.
        dim: the dimension they are counted along.
    """

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.n = n
        self.dim = dim

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """``default_mask`` without the slices of ``t`` that have the smallest norms."""
        size, count = self._checked_count(t)
        if not count:
            return default_mask
        others = [d for d in range(t.dim()) if d != self.dim % t.dim()]
        return self._keeping(t, topk(norm(t, p=self.n, dim=others), size - count)[1], default_mask)

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Any, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None
    ) -> Any:
        """Prune ``amount`` slices of ``module.name``."""
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prunes what a given mask says.

    Args:
        mask: zeros where to prune.
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """``default_mask`` and the mask."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module: Any, name: str, mask: Any) -> Any:  # type: ignore[override]
        """Prune ``module.name`` by ``mask``."""
        return super().apply(module, name, mask=mask)


def identity(module: Any, name: str) -> Any:
    """Gives ``module.name`` a mask without pruning anything; returns the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: Any) -> Any:
    """Prunes ``amount`` (a number or a share) of the entries of ``module.name`` at random; returns the module."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Any, name: str, amount: Any, importance_scores: Any = None) -> Any:
    """Prunes the ``amount`` entries of ``module.name`` with the smallest absolute values; returns the module."""
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: Any, dim: int) -> Any:
    """Prunes ``amount`` slices of ``module.name`` along ``dim`` at random; returns the module."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: Any, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None) -> Any:
    """Prunes the ``amount`` slices of ``module.name`` along ``dim`` with the smallest norms; returns the module."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Any, name: str, mask: Any) -> Any:
    """Prunes ``module.name`` where ``mask`` is 0; returns the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters: Any, pruning_method: Any, importance_scores: Any = None, **kwargs: Any) -> None:
    """Prunes entries of several parameters as if they stood in one vector.

    Args:
        parameters: pairs of a module and a parameter's name.
        pruning_method: an unstructured method, such as :class:`L1Unstructured`.
        importance_scores: by pair, what decides in the parameter's place.
        kwargs: what the method is made with.

    Raises:
        TypeError: for arguments of another kind.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    given = {} if importance_scores is None else importance_scores
    if not isinstance(given, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    places = list(parameters)
    present = [getattr(module, name) for module, name in places]
    scores = parameters_to_vector([given.get(place, t) for place, t in zip(places, present, strict=True)])
    masks = parameters_to_vector(
        [getattr(module, f"{name}_mask", ones_like(t)) for (module, name), t in zip(places, present, strict=True)]
    )
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of '
            f"type {method.PRUNING_TYPE}"
        )
    method._tensor_name = "temp"
    whole = PruningContainer(method).compute_mask(scores, masks)
    for (module, name), mask in zip(places, whole.split([t.numel() for t in present]), strict=True):
        custom_from_mask(module, name, mask=mask.view_as(getattr(module, name)))


def remove(module: Any, name: str) -> Any:
    """Makes a pruned parameter a plain one again, with the pruned entries at zero; returns the module.

    Raises:
        ValueError: where it isn't pruned.
    """
    hooks = _hooks_of(module, name)
    if not hooks:
        raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")
    key, hook = hooks[0]
    hook.remove(module)
    del module._forward_pre_hooks[key]
    return module


def is_pruned(module: Module) -> bool:
    """Whether a parameter of the module, or of a module below it, is pruned."""
    return any(_hooks_of(part) for part in module.modules())
