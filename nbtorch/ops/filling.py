"""Filling a tensor with random numbers in place, bit for bit as PyTorch; see :mod:`.distributions`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.variable import Variable
from ..backends.dtypes import bool_
from ..backends.layouts import memory_order
from . import distributions
from .distributions import Array
from .generator import Generator, chosen
from .operands import broadcast_shapes
from .random import (
    FILLS,
    along_memory,
    bernoulli,
    check_deviation,
    check_probabilities,
    floating,
    int_bounds,
    multinomial,
    successes,
    whole,
)
from .record import gradient_mask
from .writing import check_writable, overwrite

__all__: list[str] = []

# What draws ``n`` numbers on the host; the second argument says whether the target is one contiguous block.
Draw = Callable[[int, bool], Array]


def fill_along_memory(target: Any, name: str, draw: Draw) -> Any:
    """Fills ``target`` with random numbers; ``name`` is the record in ``FILLS``, for the graph."""
    check_writable(target)
    array = target._array
    flat = distributions.narrowed(draw(math.prod(array.shape), bool(array.flags.c_contiguous)), array.dtype)
    drawn = target._backend.from_host(along_memory(flat, array))
    if gradient_mask((target,)):
        return overwrite(target, FILLS[name], (), (drawn,), (array,))
    array[...] = drawn
    target._touch()
    return target


def _continuous(target: Any, distribution: str) -> None:
    if not target._dtype().is_floating_point:
        raise RuntimeError(
            f"{distribution} distribution is a continuous probability distribution. dtype must be a floating point but "
            f"you specified {target._dtype()!r}"
        )


def _kind(function: str, target: Any) -> Any:
    """The dtype to draw in, which must be a floating one; where nothing is drawn, any will do, as in PyTorch."""
    return floating(function, target._dtype()) if target._array.size else target._array.dtype


class RandomMethods(Variable):
    """Filling with random numbers in place, and drawing, as methods of ``Tensor``."""

    __slots__ = ()

    def bernoulli(self, p: float | None = None, *, generator: Generator | None = None) -> Any:
        """1 with the probability that each element says (or ``p`` everywhere), else 0."""
        return bernoulli(self, p, generator=generator)

    def multinomial(self, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Any:
        """Indices drawn with probabilities proportional to this vector, or to the rows of this matrix."""
        return multinomial(self, num_samples, replacement, generator=generator)

    def uniform_(self, a: float = 0.0, to: float = 1.0, *, generator: Generator | None = None, **named: float) -> Any:
        """Uniform numbers in [from, to): ``x.uniform_(-1, 1)``.

        Raises:
            RuntimeError: where ``from`` exceeds ``to``.
        """
        a = named.pop("from", a)
        b = named.pop("b", to)
        _no_more("uniform_", named)
        d = floating("check_uniform_bounds", self._dtype())
        if a > b:
            raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={a} > to={b}")
        g = chosen(generator, "uniform_")
        return fill_along_memory(self, "uniform", lambda n, _: distributions.uniform(g, n, d, float(a), float(b)))

    def normal_(self, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Any:
        """Normal numbers.

        Raises:
            RuntimeError: for a negative standard deviation.
        """
        check_deviation(std)
        d, g = _kind("normal_kernel_cpu", self), chosen(generator, "normal_")
        return fill_along_memory(
            self, "normal_fill", lambda n, block: distributions.normal(g, n, d, float(mean), float(std), block)
        )

    def random_(self, *args: Any, generator: Generator | None = None, to: Any = None, **named: Any) -> Any:
        """Whole numbers in [from, to); ``random_(to)`` counts from 0, ``random_()`` to what the dtype can hold.

        Raises:
            RuntimeError: where ``from`` is not below ``to``, or the dtype can't hold them.
        """
        low = named.pop("from", None)
        _no_more("random_", named)
        if len(args) == 2:
            low, to = args
        elif args and low is None and to is None:
            to = args[0]
        elif args:
            low = args[0]
        d, g, wide = self._array.dtype, chosen(generator, "random_"), None
        if to is not None:
            start, span = int_bounds(whole(low or 0), whole(to), d)
        else:
            if d.kind == "b":
                top = 2
            elif d.kind in "iu":
                top = int(np.iinfo(d).max) + 1
            else:
                digits = {"float64": 53, "float32": 24, "float16": 11}.get(d.name, 8)
                top = 2**digits + 1
            if low is None:
                start, span, wide = 0, top, d.itemsize == 8
            else:
                start, span = int_bounds(whole(low), top, d) if low > -(2**63) else (0, 2**64)
                if span == 2**64 and self._array.size and d.name not in ("int64", "float64", "float32", "bfloat16"):
                    raise (NotImplementedError if d.kind == "b" else RuntimeError)(
                        "random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16"
                    )
        return fill_along_memory(self, "random", lambda n, _: distributions.below(g, n, start, span, wide))

    def bernoulli_(self, p: Any = 0.5, *, generator: Generator | None = None) -> Any:
        """1 with probability ``p`` (a number, or a tensor with one for each element), else 0.

        Raises:
            RuntimeError: for a probability outside [0, 1].
        """
        g = chosen(generator, "bernoulli_")
        if not isinstance(p, Variable):
            if not 0 <= p <= 1:
                raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
            return fill_along_memory(self, "bernoulli_fill", lambda n, _: distributions.unit_below(g, n, p))
        host = p._backend.to_host(p._array)
        check_probabilities(host)
        shape = tuple(self._array.shape)
        if broadcast_shapes("bernoulli_", shape, host.shape) != shape:
            raise RuntimeError(f"output with shape {list(shape)} doesn't match the shape of p, {list(host.shape)}")
        array = self._array
        order = memory_order(shape, array.strides) if not array.flags.c_contiguous else list(range(array.ndim))
        along = np.broadcast_to(host, shape).transpose(order).reshape(-1)
        return fill_along_memory(self, "bernoulli_fill", lambda n, _: successes(g, along, n))

    def exponential_(self, lambd: float = 1.0, *, generator: Generator | None = None) -> Any:
        """Exponentially distributed numbers of rate ``lambd``.

        Raises:
            RuntimeError: for a rate that is not positive, and for whole-number dtypes.
        """
        if self._array.size:
            _continuous(self, "Exponential")
        if not lambd > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
        g = chosen(generator, "exponential_")
        return fill_along_memory(self, "exponential", lambda n, _: distributions.exponential(g, n, float(lambd)))

    def geometric_(self, p: float, *, generator: Generator | None = None) -> Any:
        """How many trials of probability ``p`` it takes until the first success.

        Raises:
            RuntimeError: for a probability outside (0, 1).
        """
        if not 0 < p < 1:
            raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
        if self._array.size and self._dtype() is bool_:
            raise NotImplementedError("\"geometric_cpu\" not implemented for 'Bool'")
        g = chosen(generator, "geometric_")
        return fill_along_memory(self, "geometric", lambda n, _: distributions.geometric(g, n, float(p)))

    def cauchy_(self, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Any:
        """Numbers of the Cauchy distribution.

        Raises:
            RuntimeError: for a ``sigma`` that is not positive, and for whole-number dtypes.
        """
        _continuous(self, "Cauchy")
        if not sigma > 0:
            raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
        g = chosen(generator, "cauchy_")
        return fill_along_memory(self, "cauchy", lambda n, _: distributions.cauchy(g, n, float(median), float(sigma)))

    def log_normal_(self, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Any:
        """Numbers whose logarithm is normal with this mean and deviation.

        Raises:
            RuntimeError: for a deviation that is not positive.
        """
        if not std > 0:
            raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
        _kind("log_normal_cpu", self)
        g = chosen(generator, "log_normal_")
        return fill_along_memory(
            self, "log_normal", lambda n, _: distributions.log_normal(g, n, float(mean), float(std))
        )


def _no_more(function: str, named: Any) -> None:
    if named:
        raise TypeError(f"{function}() got an unexpected keyword argument {next(iter(named))!r}")
