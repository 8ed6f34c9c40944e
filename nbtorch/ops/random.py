"""Random tensors: with equal seeds the numbers that PyTorch draws on the CPU, bit for bit.

Numbers for other devices are drawn on the host and copied, so that a seed means the same everywhere. How words become
numbers stands in :mod:`.distributions`; in which order a tensor is filled, here: along its memory, as in PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.variable import Variable, wrap
from ..backends import Backend, get_backend, host, new_on
from ..backends.dtypes import dtype as DType
from ..backends.dtypes import get_default_dtype, int64, of_python
from ..backends.layouts import memory_order
from . import distributions
from .creation import as_numpy_dtype, shape_of
from .distributions import Array
from .generator import (
    Generator,
    chosen,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from .operands import broadcast_shapes, require_tensor
from .record import Op, apply, check_same_device
from .writing import takes_out, write_out

__all__ = [
    "Generator", "bernoulli", "binomial", "default_generator", "get_rng_state", "initial_seed", "manual_seed",
    "multinomial", "normal", "poisson", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like",
    "randperm", "seed", "set_rng_state",
]  # fmt: skip


def in_one_block(array: Any) -> bool:
    """Whether a new tensor with the order in memory of ``array`` is contiguous."""
    if array.flags.c_contiguous:
        return True
    order = [d for d in memory_order(array.shape, array.strides) if array.shape[d] != 1]
    return order == sorted(order)


def along_memory(flat: Array, array: Any) -> Array:
    """``flat``, which was drawn along the memory of ``array``, in the shape of ``array``."""
    shape = tuple(array.shape)
    if flat.size < 2 or in_one_block(array):
        return flat.reshape(shape)
    order = memory_order(shape, array.strides)
    return flat.reshape([shape[i] for i in order]).transpose(np.argsort(order))


def _new(shape: tuple[int, ...], d: Any, backend: Backend, requires_grad: bool, draw: Callable[[int], Array]) -> Any:
    host = draw(math.prod(shape)).reshape(shape).astype(d, copy=False)
    t = wrap(backend.from_host(host), backend)
    return t.requires_grad_(True) if requires_grad else t


def _new_like(
    function: str,
    input: Any,
    dtype: DType | None,
    device: Any,
    requires_grad: bool,
    draw: Callable[[int, Any, bool], Array],
) -> Any:
    """A tensor of the shape and the order in memory of ``input``."""
    require_tensor(function, "input", input)
    d = input._array.dtype if dtype is None else as_numpy_dtype(dtype)
    backend = input._backend if device is None else get_backend(device)
    array = input._array
    host = draw(math.prod(array.shape), d, in_one_block(array))
    t = wrap(backend.from_host(along_memory(distributions.narrowed(host, d), array)), backend)
    return t.requires_grad_(True) if requires_grad else t


def floating(function: str, dtype: DType | None, out: Any = None) -> Any:
    found = dtype if dtype is not None else out._dtype() if isinstance(out, Variable) else get_default_dtype()
    found = of_python(found)
    if not isinstance(found, DType) or not found.is_floating_point:
        raise NotImplementedError(f'"{function}" not implemented for {found!r}\n  expected: a floating dtype')
    return found.numpy


# -- new tensors ---


@takes_out
def _rand(shape: tuple[int, ...], d: Any, g: Generator, device: Any, requires_grad: bool, *, out: Any = None) -> Any:
    return _new(shape, d, new_on(device), requires_grad, lambda n: distributions.uniform(g, n, d))


def rand(
    *args: Any,
    size: Any = None,
    generator: Generator | None = None,
    out: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """Uniform numbers in [0, 1)."""
    d, g = floating("check_uniform_bounds", dtype, out), chosen(generator, "rand")
    return _rand(shape_of(args, size, "rand"), d, g, device, requires_grad, out=out)


@takes_out
def _randn(shape: tuple[int, ...], d: Any, g: Generator, device: Any, requires_grad: bool, *, out: Any = None) -> Any:
    return _new(shape, d, new_on(device), requires_grad, lambda n: distributions.normal(g, n, d))


def randn(
    *args: Any,
    size: Any = None,
    generator: Generator | None = None,
    out: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """Normal numbers with mean 0 and variance 1."""
    d, g = floating("normal_kernel_cpu", dtype, out), chosen(generator, "randn")
    return _randn(shape_of(args, size, "randn"), d, g, device, requires_grad, out=out)


@takes_out
def _randint(
    shape: tuple[int, ...], bounds: tuple[int, int], d: Any, g: Generator, device: Any, requires_grad: bool,
    *, out: Any = None,
) -> Any:  # fmt: skip
    low, span = bounds
    return _new(shape, d, new_on(device), requires_grad, lambda n: distributions.below(g, n, low, span).astype(d))


def randint(
    *args: Any,
    low: Any = None,
    high: Any = None,
    size: Any = None,
    generator: Generator | None = None,
    out: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """Whole numbers in [low, high), all equally likely: ``randint(low, high, size)`` or ``randint(high, size)``.

    Raises:
        RuntimeError: where ``low`` is not below ``high``, or the dtype can't hold them.
        TypeError: where bounds or size are missing.
    """
    given = list(args)
    if size is None and given:
        size = given.pop()
    if high is None and given:
        high = given.pop()
    if low is None:
        low = given.pop() if given else 0
    if given or high is None or size is None:
        raise TypeError(
            "randint() received an invalid combination of arguments\n  expected: randint(high, size) or randint(low, "
            "high, size), where size is a tuple of ints"
        )
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint(): argument 'size' must be tuple of ints, not {type(size).__name__}")
    if dtype is None and isinstance(out, Variable):
        dtype = out._dtype()
    d, g = as_numpy_dtype(dtype, int64), chosen(generator, "randint")
    bounds = int_bounds(whole(low), whole(high), d)
    return _randint(shape_of((), tuple(size), "randint"), bounds, d, g, device, requires_grad, out=out)


@takes_out
def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    out: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """The numbers 0 to n - 1 in random order, int64 unless ``dtype`` is given.

    Raises:
        RuntimeError: for a negative ``n``, or one that the dtype can't count to.
    """
    if n < 0:
        raise RuntimeError(f"n must be non-negative, got {n}")
    d = as_numpy_dtype(dtype, int64)
    if d.kind in "iu" and n - 1 > np.iinfo(d).max:
        raise RuntimeError(f"n is too large for result tensor type: '{dtype!r}'\n  got: n={n}")
    g = chosen(generator, "randperm")
    return _new((n,), d, new_on(device), requires_grad, lambda n: distributions.permutation(g, n))


def rand_like(
    input: Any,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """``rand`` with the shape, dtype and device of ``input``."""
    require_tensor("rand_like", "input", input)
    floating("check_uniform_bounds", dtype or input._dtype())
    g = chosen(generator, "rand_like")
    return _new_like("rand_like", input, dtype, device, requires_grad, lambda n, d, _: distributions.uniform(g, n, d))


def randn_like(
    input: Any,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """``randn`` with the shape, dtype and device of ``input``."""
    require_tensor("randn_like", "input", input)
    floating("normal_kernel_cpu", dtype or input._dtype())
    g = chosen(generator, "randn_like")
    return _new_like(
        "randn_like",
        input,
        dtype,
        device,
        requires_grad,
        lambda n, d, block: distributions.normal(g, n, d, blocks=block),
    )


def randint_like(
    input: Any,
    low: Any = None,
    high: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """``randint`` with the shape, dtype and device of ``input``."""
    require_tensor("randint_like", "input", input)
    if high is None:
        low, high = 0, low
    d = input._array.dtype if dtype is None else as_numpy_dtype(dtype)
    start, span = int_bounds(whole(low or 0), whole(high), d)
    g = chosen(generator, "randint_like")
    return _new_like(
        "randint_like",
        input,
        dtype,
        device,
        requires_grad,
        lambda n, d, _: distributions.below(g, n, start, span),
    )


def whole(x: Any) -> int:
    if isinstance(x, float) or not hasattr(x, "__index__"):
        raise TypeError(f"random_(): a bound must be an int, not {type(x).__name__}: {x!r}")
    return int(x.__index__())


def int_bounds(low: int, high: int, d: Any) -> tuple[int, int]:
    """The first number and how many are possible.

    Raises:
        RuntimeError: where there is none, or the dtype can't hold one.
    """
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if d.kind in "iub":
        least, most = (0, 1) if d.kind == "b" else (int(np.iinfo(d).min), int(np.iinfo(d).max))
        for name, value in (("from", low), ("to - 1", high - 1)):
            if not least <= value <= most:
                raise RuntimeError(
                    f"{name} is out of bounds for {d.name}\n  got: {value}\n  expected: {least} to {most}"
                )
    else:
        # The nearest numbers inside that the dtype can hold.
        while int(np.array(low).astype(d)) < low:
            low += 1
        while high - 1 > low and int(np.array(high - 1).astype(d)) >= high:
            high -= 1
    return low, high - low


# -- normal numbers around tensors ---

NORMAL = Op(
    "normal",
    lambda m, mean, std, drawn: drawn,
    tensors=2,
    node="NormalBackward3",
    numbers={"std": "NormalBackward1", "mean": "NormalBackward2"},
    mean=lambda m, g: m.new_zeros(g, g.shape),
    std=lambda m, g: m.new_zeros(g, g.shape),
    formula=r"0:\ \text{a sample is a constant; for a derivative write } \mu + \sigma \cdot \text{randn}",
)


@takes_out
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Any = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """Normal numbers with a mean and a standard deviation that are numbers or tensors.

    As in PyTorch, no gradient flows to ``mean`` and ``std`` (it is zeros): ``mean + std * randn_like(std)`` has one.

    Raises:
        RuntimeError: for a negative standard deviation.
        TypeError: where neither is a tensor and ``size`` is not given.
    """
    g = chosen(generator, "normal")
    like = mean if isinstance(mean, Variable) else std if isinstance(std, Variable) else None
    if like is None:
        check_deviation(std)
        if size is None:
            raise TypeError("normal() missing size\n  expected: normal(mean, std, size), or a tensor as mean or std")
        d = floating("normal_kernel_cpu", dtype)
        shape = shape_of((size,), None, "normal")
        return _new(
            shape,
            d,
            new_on(device),
            requires_grad,
            lambda n: distributions.normal(g, n, d, float(mean), float(std)),
        )
    m = like._backend
    d = floating("normal_kernel_cpu", like._dtype())
    shape = broadcast_shapes("normal", *[tuple(x._array.shape) for x in (mean, std) if isinstance(x, Variable)])
    if isinstance(std, Variable):
        host = m.to_host(std._array)
        if host.size and not bool((host >= 0).all()):
            raise RuntimeError("normal expects all elements of std >= 0.0")
        drawn = m.from_host(distributions.normal(g, math.prod(shape), d).reshape(shape))
        drawn = m.astype(m.as_array(drawn * std._array), d)
    else:
        check_deviation(std)
        drawn = m.from_host(distributions.normal(g, math.prod(shape), d, 0.0, float(std)).reshape(shape))
    drawn = m.astype(m.as_array(drawn + (mean._array if isinstance(mean, Variable) else d.type(mean))), d)
    return apply(NORMAL, (mean, std), (drawn,))


def check_deviation(std: Any) -> None:
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")


# -- drawn according to a tensor ---


def _fill_record(name: str, node: str) -> Op:
    """Filling a tensor with random numbers: what it held before has no influence, so its gradient is zeros."""
    return Op(
        name,
        lambda m, input, drawn: drawn,
        node=node,
        input=lambda m, g: m.new_zeros(g, g.shape),
        formula=r"\frac{\partial L}{\partial x} = 0",
    )


FILLS = {
    name: _fill_record(name, node)
    for name, node in {
        "uniform": "UniformBackward0",
        "random": "RandomBackward0",
        "normal_fill": "NormalBackward0",
        "bernoulli": "BernoulliBackward0",
        "bernoulli_fill": "BernoulliBackward2",
        "exponential": "ExponentialBackward0",
        "geometric": "GeometricBackward0",
        "cauchy": "CauchyBackward0",
        "log_normal": "LogNormalBackward0",
        "poisson": "PoissonBackward0",
        "binomial": "BinomialBackward0",
    }.items()
}


def check_probabilities(host: Any) -> None:
    if host.size and not (host.min() >= 0 and host.max() <= 1):
        raise RuntimeError(
            f"Expected p_in >= 0 && p_in <= 1 to be true\n  got: values from {host.min()} to {host.max()}"
        )


def successes(g: Generator, p: Array, n: int) -> Array:
    """Which of ``n`` trials succeed; PyTorch compares doubles where p is double (or one number), singles otherwise."""
    if p.dtype == np.float64:
        return distributions.unit(g, n) < p
    return distributions.uniform(g, n, np.dtype(np.float32)) < p.astype(np.float32)


@takes_out
def bernoulli(input: Any, p: float | None = None, *, generator: Generator | None = None, out: Any = None) -> Any:
    """1 with the probability that ``input`` says (or ``p`` everywhere), else 0; in the dtype of ``input``.

    Raises:
        RuntimeError: for a probability outside [0, 1].
    """
    require_tensor("bernoulli", "input", input)
    g, m, array = chosen(generator, "bernoulli"), input._backend, input._array
    n = math.prod(array.shape)
    if p is None:
        if not input._dtype().is_floating_point:
            raise NotImplementedError(f'"bernoulli_tensor_cpu_p_" not implemented for {input._dtype()!r}')
        host = m.to_host(array)
        check_probabilities(host)
        flat = successes(g, host.reshape(-1), n)
    else:
        check_probabilities(np.asarray(p))
        flat = distributions.unit_below(g, n, float(p))
    drawn = m.from_host(flat.astype(array.dtype).reshape(array.shape))
    return apply(FILLS["bernoulli"], (input,), (drawn,))


def poisson(input: Any, generator: Generator | None = None) -> Any:
    """Poisson-distributed whole numbers, in the dtype of ``input``, which holds the rates.

    Raises:
        RuntimeError: for a negative rate.
    """
    require_tensor("poisson", "input", input)
    d = floating("poisson_cpu", input._dtype())
    g, m = chosen(generator, "poisson"), input._backend
    rates = m.to_host(input._array).astype(np.float64)
    if not (rates >= 0).all():
        raise RuntimeError(f"invalid Poisson rate, expected rate to be non-negative\n  got: {rates.min()}")
    drawn = distributions.poisson(g, rates.reshape(-1)).reshape(rates.shape).astype(d)
    return apply(FILLS["poisson"], (input,), (m.from_host(drawn),))


def binomial(count: Any, prob: Any, generator: Generator | None = None) -> Any:
    """Successes among ``count`` trials of probability ``prob`` (floating tensors that broadcast)."""
    require_tensor("binomial", "count", count)
    require_tensor("binomial", "prob", prob)
    d = floating("binomial_cpu", count._dtype())
    if d.itemsize == 2:
        raise NotImplementedError(f'"binomial_cpu" not implemented for {count._dtype()!r}')
    if prob._array.dtype != d:
        raise RuntimeError(f"Found dtype {prob._dtype()!r} but expected {count._dtype()!r}")
    g, m = chosen(generator, "binomial"), check_same_device(FILLS["binomial"], (count, prob))
    hosts = np.broadcast_arrays(m.to_host(count._array).astype(np.float64), m.to_host(prob._array).astype(np.float64))
    drawn = distributions.binomial(g, hosts[0].reshape(-1), hosts[1].reshape(-1))
    return apply(FILLS["binomial"], (count,), (m.from_host(drawn.reshape(hosts[0].shape).astype(d)),))


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None, out: Any = None
) -> Any:
    """Indices drawn with probabilities proportional to ``input`` (n) or to each of its rows (m, n).

    Raises:
        RuntimeError: for weights that are negative, not finite or all 0, or more samples than weights.
    """
    require_tensor("multinomial", "input", input)
    if not input._dtype().is_floating_point:
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {input._dtype()!r}\n  fix: input.float()"
        )
    if num_samples <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples\n  got: num_samples={num_samples}")
    m, array = input._backend, input._array
    weights = m.to_host(array)
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim\n  got: shape {weights.shape}")
    if not replacement and num_samples > weights.shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    wide = weights.astype(np.float64)
    if not np.isfinite(wide).all() or (wide < 0).any():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if (wide.sum(-1) <= 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    if isinstance(out, Variable) and out._dtype() is not int64:
        raise RuntimeError(f"multinomial expects Long tensor out, got: {out._dtype()!r}\n  fix: dtype=torch.int64")
    g = chosen(generator, "multinomial")
    if replacement and num_samples > 1:
        picks = np.stack([_with_replacement(g, row, num_samples) for row in np.atleast_2d(weights)])
        picks = picks.reshape(*weights.shape[:-1], num_samples)
    else:
        # The longest of races: p / q with q exponential (Efraimidis and Spirakis 2006).
        waits = distributions.narrowed(distributions.exponential(g, weights.size), weights.dtype)
        waits = along_memory(waits, array)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = (weights / waits).astype(weights.dtype).astype(np.float64)
        if np.isnan(ratios).any():  # 0 / 0, which stands last
            picks = np.argsort(-ratios, -1, kind="stable")[..., :num_samples]
        else:
            picks = host.topk(ratios, num_samples, ratios.ndim - 1, True)
    picked = wrap(m.from_host(picks.astype(np.int64)), m)
    return picked if out is None else write_out("multinomial", out, picked)


def _with_replacement(g: Generator, row: Array, n: int) -> Array:
    ends = np.cumsum(row if row.dtype == np.float64 else row.astype(np.float32))
    ends = ends / ends[-1]
    ends[-1] = 1
    return np.searchsorted(ends.astype(np.float64), distributions.unit(g, n), side="left")
