"""The mixture of distributions of one family."""

from __future__ import annotations

from typing import Any, ClassVar

from ..autograd import no_grad
from . import constraints
from .categorical import Categorical
from .distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """One of the last batch dimension's distributions, chosen by a ``Categorical``, gives the sample."""

    arg_constraints: ClassVar[Any] = {}

    def __init__(
        self, mixture_distribution: Any, component_distribution: Any, validate_args: bool | None = None
    ) -> None:
        mixture, component = mixture_distribution, component_distribution
        if not isinstance(mixture, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component, Distribution):
            raise ValueError("The Component distribution needs to be an instance of torch.distributions.Distribution")
        inner = component.batch_shape[:-1]
        for a, b in zip(reversed(mixture.batch_shape), reversed(inner), strict=False):
            if a not in (1, b) and b != 1:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({mixture.batch_shape}) is not compatible with "
                    f"`component_distribution.batch_shape`({inner})"
                )
        n = mixture.logits.shape[-1]
        if n != component.batch_shape[-1]:
            raise ValueError(
                f"`mixture_distribution component` ({n}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({component.batch_shape[-1]})"
            )
        self._mixture_distribution, self._component_distribution, self._num_component = mixture, component, n
        super().__init__(inner, component.event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(MixtureSameFamily, _instance)
        new._component_distribution = self._component_distribution.expand((*batch_shape, self._num_component))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._num_component = self._num_component
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def mixture_distribution(self) -> Any:
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        return self._component_distribution

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    def _weighted(self, values: Any) -> Any:
        """The mean over the components, by their probabilities."""
        dims = len(self.event_shape)
        probs = self._mixture_distribution.probs
        return (probs.reshape(*probs.shape, *(1,) * dims) * values).sum(-1 - dims)

    @property
    def mean(self) -> Any:
        return self._weighted(self._component_distribution.mean)

    @property
    def variance(self) -> Any:
        means = self._component_distribution.mean
        between = (means - self.mean.unsqueeze(-1 - len(self.event_shape))).pow(2.0)
        return self._weighted(self._component_distribution.variance) + self._weighted(between)

    def _padded(self, x: Any) -> Any:
        return x.unsqueeze(-1 - len(self.event_shape))

    def cdf(self, x: Any) -> Any:
        return (self._component_distribution.cdf(self._padded(x)) * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, x: Any) -> Any:
        if self._validate_args:
            self._validate_sample(x)
        logs = self._component_distribution.log_prob(self._padded(x))
        return (logs + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def sample(self, sample_shape: Any = ()) -> Any:
        dims, axis = len(self.event_shape), len(sample_shape) + len(self.batch_shape)
        with no_grad():
            chosen = self._mixture_distribution.sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            places = chosen.reshape(*chosen.shape, *(1,) * (dims + 1))
            return drawn.gather(axis, places.expand(*chosen.shape, 1, *self.event_shape)).squeeze(axis)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
