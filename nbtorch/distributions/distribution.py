"""What all distributions have in common: shapes, validation, expansion, and what follows from ``rsample``."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

from ..autograd import no_grad
from ..ops import exp
from ..tensor import Size, Tensor
from . import constraints
from .utils import lazy_property

__all__ = ["Distribution"]


class Distribution:
    """A distribution over tensors: ``batch_shape`` independent ones, each over events of ``event_shape``.

    A subclass names its parameters in ``arg_constraints``; those whose leading dimensions are the batch's are
    expanded by ``expand``.
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__
    # What expand() expands besides the parameters.
    _expanding: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether parameters and values are checked where ``validate_args`` is left out."""
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None) -> None:
        self._batch_shape = Size(batch_shape)
        self._event_shape = Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            try:
                wanted = self.arg_constraints
            except NotImplementedError:
                wanted = {}
                warnings.warn(
                    f"{self.__class__} does not define `arg_constraints`. "
                    "Please set `arg_constraints = {}` or initialize the distribution with `validate_args=False` to "
                    "turn off validation.",
                    stacklevel=2,
                )
            for param, constraint in wanted.items():
                if constraints.is_dependent(constraint):
                    continue
                if param not in self.__dict__ and isinstance(getattr(type(self), param), lazy_property):
                    continue  # computed from another parameter, which is checked itself
                value = getattr(self, param)
                if not constraint.check(value).all():
                    raise ValueError(
                        f"Expected parameter {param} ({type(value).__name__} of shape {tuple(value.shape)}) of "
                        f"distribution {self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n"
                        f"{value}"
                    )

    if TYPE_CHECKING:  # the constraint of each parameter, and the one that samples satisfy
        arg_constraints: ClassVar[Any]
        support: Any
    else:

        @property
        def arg_constraints(self) -> dict[str, Any]:
            """The constraint of each parameter."""
            raise self._lacks("arg_constraints")

        @property
        def support(self) -> Any:
            """The constraint that samples satisfy."""
            raise self._lacks("support")

    @property
    def batch_shape(self) -> Size:
        """The shape of the parameters."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one sample of one of the distributions."""
        return self._event_shape

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with its batch expanded to ``batch_shape``; parameters keep their memory.

        Raises:
            NotImplementedError: for a user's own ``__init__``, which may keep more than the parameters.
        """
        if _instance is None and type(self).__init__.__module__.rpartition(".")[0] != __package__:
            family = next(c for c in type(self).__mro__ if c.__module__.rpartition(".")[0] == __package__)
            self._get_checked_instance(family)
        new = self._get_checked_instance(type(self), _instance)
        shape, own = Size(batch_shape), len(self._batch_shape)
        for name in (*self.arg_constraints, *self._expanding):
            value = self.__dict__.get(name)
            if isinstance(value, Tensor):
                setattr(new, name, value.expand(*shape, *value.shape[own:]))
        Distribution.__init__(new, shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _lacks(self, what: str) -> NotImplementedError:
        """The error for what a family does not have: no formula is known, or it is not there yet."""
        return NotImplementedError(f"{type(self).__name__} does not implement {what}")

    @property
    def mean(self) -> Any:
        """The expected value."""
        raise self._lacks("mean")

    @property
    def mode(self) -> Any:
        """The likeliest value."""
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self) -> Any:
        """The expected squared distance from the mean."""
        raise self._lacks("variance")

    @property
    def stddev(self) -> Any:
        """The square root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Any:
        """Samples of shape ``sample_shape + batch_shape + event_shape``, without gradients."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Samples that are differentiable functions of the parameters, where ``has_rsample``."""
        raise NotImplementedError(
            f"{type(self).__name__} has no rsample: its samples are not differentiable functions of its parameters\n"
            "  fix: sample(), and weigh log_prob(sample) by the reward (REINFORCE)"
        )

    def sample_n(self, n: int) -> Any:
        """``sample((n,))``, by its old name."""
        warnings.warn(
            "`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", category=FutureWarning, stacklevel=2
        )
        return self.sample((n,))

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density or probability at ``value``."""
        raise self._lacks("log_prob")

    def cdf(self, value: Any) -> Any:
        """The probability of at most ``value``."""
        raise self._lacks("cdf")

    def icdf(self, value: Any) -> Any:
        """The inverse of ``cdf``."""
        raise self._lacks("icdf")

    def enumerate_support(self, expand: bool = True) -> Any:
        """All values of a discrete distribution along a new first dimension."""
        raise self._lacks("enumerate_support")

    def entropy(self) -> Any:
        """The expected ``-log_prob``."""
        raise self._lacks("entropy")

    def perplexity(self) -> Any:
        """``exp(entropy())``."""
        return exp(self.entropy())

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        dims = len(self._event_shape)
        if value.shape[value.dim() - dims :] != self._event_shape:
            raise ValueError(
                f"The right-most size of value must match event_shape: {value.size()} vs {self._event_shape}."
            )
        expected = Size((*self._batch_shape, *self._event_shape))
        for i, j in zip(reversed(value.shape), reversed(expected), strict=False):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: {value.size()} vs {expected}."
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `support` to enable sample validation. "
                "Please initialize the distribution with `validate_args=False` to turn off validation.",
                stacklevel=2,
            )
            return
        if not support.check(value).all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the "
                f"support ({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _get_checked_instance(self, cls: Any, _instance: Any = None) -> Any:
        if _instance is None and type(self).__init__ is not cls.__init__:
            raise NotImplementedError(
                f"Subclass {self.__class__.__name__} of {cls.__name__} that defines a custom __init__ method must "
                "also define a custom .expand() method."
            )
        return self.__new__(type(self)) if _instance is None else _instance

    def __repr__(self) -> str:
        shown = {name: self.__dict__[name] for name in self.arg_constraints if name in self.__dict__}
        args = ", ".join(f"{name}: {value if value.numel() == 1 else value.size()}" for name, value in shown.items())
        return f"{type(self).__name__}({args})"
