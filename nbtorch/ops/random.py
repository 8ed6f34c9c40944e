"""Random numbers: with equal seeds the same ones as PyTorch draws on the CPU, up to the last bits of log, sin and cos.

The engine is the Mersenne Twister mt19937 (Matsumoto and Nishimura 1998), seeded as C++'s ``std::mt19937``. A float32
in [0, 1) takes the low 24 bits of one 32-bit draw, a float64 the low 53 bits of two. Normal numbers come from the
Box-Muller transform, in blocks of 16 where 16 or more are wanted and in pairs of doubles below that, as PyTorch does
it. Numbers for other devices are drawn on the host and copied, so that a seed means the same everywhere.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.variable import TensorT, Variable, wrap
from ..backends import Backend, get_backend
from ..backends.device import device as Device
from ..backends.dtypes import dtype as DType
from ..backends.dtypes import get_default_dtype, int64
from .creation import as_numpy_dtype, shape_of
from .operands import require_tensor
from .record import Op, apply
from .writing import check_writable

__all__ = [
    "Generator", "bernoulli", "default_generator", "dropout", "get_rng_state", "initial_seed", "manual_seed",
    "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm",
    "seed", "set_rng_state",
]  # fmt: skip

_DEFAULT_SEED = 67280421310721  # PyTorch's


class Generator:
    """A stream of random numbers: ``Generator().manual_seed(0)``.

    Args:
        device: accepted for PyTorch's sake; numbers are drawn on the host.
    """

    def __init__(self, device: str | Device = "cpu") -> None:
        self._device = Device(device)
        self.manual_seed(_DEFAULT_SEED)

    @property
    def device(self) -> Device:
        return self._device

    def manual_seed(self, seed: int) -> Generator:
        """Starts the stream anew; returns the generator itself.

        Raises:
            ValueError: for a seed that does not fit 64 bits.
            RuntimeError: for one that is not an integer.
        """
        if isinstance(seed, (bool, float, str)) or not hasattr(seed, "__index__"):
            raise RuntimeError(
                f"manual_seed expected a long, but got {type(seed).__name__}\n  expected: a whole number"
            )
        seed = seed.__index__()
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"Overflow when unpacking long long\n  expected: a seed of 64 bits\n  got: {seed}")
        self._seed = seed % 2**64
        self._engine: np.random.MT19937 | None = None
        self._spare: float | None = None
        return self

    @property
    def _bits(self) -> np.random.MT19937:
        """The engine, made at the first draw: ``numpy.random`` takes long to import, and many programs draw nothing."""
        if self._engine is None:
            self._engine = np.random.MT19937()
            # The legacy seeding is the one of the C++ standard library.
            state: Any = np.random.RandomState(self._seed & 0xFFFFFFFF).get_state(legacy=False)
            self._engine.state = {"bit_generator": "MT19937", "state": state["state"]}
        return self._engine

    def initial_seed(self) -> int:
        """The seed the stream was started with."""
        return self._seed

    def seed(self) -> int:
        """Seeds the stream from the operating system and returns the seed."""
        seed = int.from_bytes(os.urandom(8), "little") >> 1
        self.manual_seed(seed)
        return seed

    def get_state(self) -> Any:
        """Where the stream stands, as a uint8 tensor for ``set_state``."""
        state = self._bits.state["state"]
        spare = np.array([math.nan if self._spare is None else self._spare])
        words = np.concatenate([state["key"].astype("<u4"), np.array([state["pos"]], "<u4")])
        raw = np.concatenate(
            [np.array([self._seed], "<u8").view(np.uint8), words.view(np.uint8), spare.astype("<f8").view(np.uint8)]
        )
        return wrap(raw, get_backend(None))

    def set_state(self, new_state: Any) -> Generator:
        """Puts the stream where ``get_state`` found it.

        Raises:
            RuntimeError: for a state that does not come from ``get_state``.
        """
        raw = new_state._array if isinstance(new_state, Variable) else None
        if raw is None or raw.dtype != np.uint8 or raw.size != 8 + 625 * 4 + 8:
            raise RuntimeError("RNG state is wrong size or type\n  expected: what get_state() returned")
        words = raw[8:-8].copy().view("<u4")
        self._seed = int(raw[:8].copy().view("<u8")[0])
        spare = float(raw[-8:].copy().view("<f8")[0])
        self._spare = None if math.isnan(spare) else spare
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": words[:624], "pos": int(words[624])}}
        return self

    # -- draws, on the host ---
    def words(self, n: int) -> np.ndarray[Any, Any]:
        """``n`` draws of 32 bits, as uint64."""
        return self._bits.random_raw(n)

    def double_words(self, n: int) -> np.ndarray[Any, Any]:
        """``n`` draws of 64 bits, the first half of each the higher."""
        pairs = self._bits.random_raw(2 * n).reshape(n, 2)
        return (pairs[:, 0] << np.uint64(32)) | pairs[:, 1]

    def uniform(self, n: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        """``n`` numbers in [0, 1)."""
        if dtype == np.float64:
            return (self.double_words(n) & np.uint64(2**53 - 1)).astype(np.float64) * 2.0**-53
        numbers = (self.words(n) & np.uint64(2**24 - 1)).astype(np.float32) * np.float32(2.0**-24)
        if dtype.itemsize == 4:
            return numbers
        rounded = numbers.astype(dtype)
        rounded[rounded == 1] = 0  # what half precision rounds up to 1 starts again, as in PyTorch
        return rounded

    def normal(self, n: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        """``n`` standard normal numbers."""
        if n < 16:
            return np.array([self._one_normal() for _ in range(n)], np.float64).astype(dtype)
        wide = np.dtype(np.float64) if dtype == np.float64 else np.dtype(np.float32)
        flat = self.uniform(n, wide)
        blocks = n // 16
        head = _box_muller(flat[: blocks * 16].reshape(blocks, 16))
        if n % 16 == 0:
            return head.astype(dtype)
        out = np.empty(n, wide)
        out[: blocks * 16] = head
        # The last 16 are drawn again, so that the remainder is part of a whole block.
        out[n - 16 :] = _box_muller(self.uniform(16, wide).reshape(1, 16))
        return out.astype(dtype)

    def _one_normal(self) -> float:
        if self._spare is not None:
            value, self._spare = self._spare, None
            return value
        u1, u2 = self.uniform(2, np.dtype(np.float64))
        radius = math.sqrt(-2.0 * math.log1p(-u2))
        angle = 2.0 * math.pi * u1
        self._spare = radius * math.sin(angle)
        return radius * math.cos(angle)

    def below(self, n: int, low: int, high: int, wide: bool | None = None) -> np.ndarray[Any, Any]:
        """``n`` whole numbers in [low, high), int64, each from 64 bits (``wide``) or 32; by the span unless given."""
        span = high - low
        # From 2**28 on, the remainder of 32 bits would prefer small numbers too much: PyTorch's bound.
        draws = self.double_words(n) if (span >= 2**28 if wide is None else wide) else self.words(n)
        return (draws % np.uint64(span)).astype(np.int64) + low

    def permutation(self, n: int) -> np.ndarray[Any, Any]:
        """The numbers 0 to n - 1 in random order (Fisher and Yates), int64."""
        steps = (self.words(max(n - 1, 0)) % np.arange(n, 1, -1, dtype=np.uint64)).tolist()
        order = list(range(n))
        for i, step in enumerate(steps):
            j = i + step
            order[i], order[j] = order[j], order[i]
        return np.array(order, np.int64)


def _box_muller(u: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Blocks of 16 uniform numbers as normal ones: the first eight give radii, the last eight angles."""
    radius = np.sqrt(-2 * np.log(1 - u[:, :8]))
    angle = u.dtype.type(2.0 * math.pi) * u[:, 8:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seeds the default generator of every device and returns it."""
    return default_generator.manual_seed(int(seed))


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def seed() -> int:
    """Seeds the default generator from the operating system; returns the seed."""
    return default_generator.seed()


def get_rng_state() -> Any:
    """The state of the default generator."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Sets the state of the default generator."""
    default_generator.set_state(new_state)


def _chosen(generator: Generator | None) -> Generator:
    return default_generator if generator is None else generator


def _make(
    shape: tuple[int, ...], d: Any, backend: Backend, requires_grad: bool, draw: Callable[[int], np.ndarray[Any, Any]]
) -> Any:
    host = draw(math.prod(shape)).reshape(shape).astype(d, copy=False)
    t = wrap(backend.from_host(host), backend)
    return t.requires_grad_(True) if requires_grad else t


def _floating(function: str, d: DType | None) -> Any:
    found = get_default_dtype() if d is None else d
    if not isinstance(found, DType) or not found.is_floating_point:
        raise NotImplementedError(f'"{function}" not implemented for {found!r}\n  expected: a floating dtype')
    return found.numpy


def rand(
    *args: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Uniform numbers in [0, 1)."""
    d, g = _floating("rand", dtype), _chosen(generator)
    return _make(
        shape_of(args, size, "rand"),
        d,
        get_backend(device),
        requires_grad,
        lambda n: g.uniform(n, d),
    )


def randn(
    *args: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Normal numbers with mean 0 and variance 1."""
    d, g = _floating("randn", dtype), _chosen(generator)
    return _make(
        shape_of(args, size, "randn"),
        d,
        get_backend(device),
        requires_grad,
        lambda n: g.normal(n, d),
    )


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Whole numbers in [low, high), all equally likely; ``randint(high, size)`` counts from 0.

    Raises:
        RuntimeError: where ``low`` is not below ``high``.
    """
    if size is None:
        low, high, size = 0, low, high
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    d, g = as_numpy_dtype(dtype, int64), _chosen(generator)
    return _make(shape_of((), size, "randint"), d, get_backend(device), requires_grad, lambda n: g.below(n, low, high))


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """The numbers 0 to n - 1 in random order, int64 unless ``dtype`` is given."""
    if n < 0:
        raise RuntimeError(f"n must be non-negative, got {n}")
    backend = get_backend(device)
    order = _chosen(generator).permutation(n).astype(as_numpy_dtype(dtype, int64))
    return wrap(backend.from_host(order), backend)


def rand_like(input: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False) -> Any:
    """``rand`` with the shape, dtype and device of ``input``."""
    return rand(
        tuple(input._array.shape),
        dtype=dtype or input._dtype(),
        device=device or input._backend.device,
        requires_grad=requires_grad,
    )


def randn_like(input: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False) -> Any:
    """``randn`` with the shape, dtype and device of ``input``."""
    return randn(
        tuple(input._array.shape),
        dtype=dtype or input._dtype(),
        device=device or input._backend.device,
        requires_grad=requires_grad,
    )


def randint_like(input: Any, low: int, high: Any = None, *, dtype: DType | None = None, device: Any = None) -> Any:
    """``randint`` with the shape, dtype and device of ``input``."""
    if high is None:
        low, high = 0, low
    return randint(
        low, high, tuple(input._array.shape), dtype=dtype or input._dtype(), device=device or input._backend.device
    )


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DType | None = None,
    device: Any = None,
) -> Any:
    """Normal numbers with a mean and a standard deviation that are numbers or tensors.

    Raises:
        RuntimeError: for a negative standard deviation.
    """
    if not isinstance(std, Variable) and std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    like = mean if isinstance(mean, Variable) else std if isinstance(std, Variable) else None
    if like is None:
        return randn(() if size is None else size, generator=generator, dtype=dtype, device=device) * std + mean
    shape = np.broadcast_shapes(*[tuple(x._array.shape) for x in (mean, std) if isinstance(x, Variable)])
    return randn(shape, generator=generator, dtype=like._dtype(), device=like._backend.device) * std + mean


def bernoulli(input: Any, p: float | None = None, *, generator: Generator | None = None) -> Any:
    """1 with the probability that ``input`` says (or ``p`` everywhere), else 0; in the dtype of ``input``.

    Raises:
        RuntimeError: for a probability outside [0, 1].
    """
    require_tensor("bernoulli", "input", input)
    m = input._backend
    host = m.to_host(input._array) if p is None else np.asarray(p)
    if host.size and not (host.min() >= 0 and host.max() <= 1):
        raise RuntimeError(
            f"Expected p_in >= 0 && p_in <= 1 to be true\n  got: values from {host.min()} to {host.max()}"
        )
    n = math.prod(input._array.shape)
    # PyTorch compares singles where each element has its own probability, doubles where one holds for all.
    wide = p is not None or input._array.dtype == np.float64
    draws = _chosen(generator).uniform(n, np.dtype(np.float64 if wide else np.float32)).reshape(input._array.shape)
    return wrap(m.from_host((draws < host).astype(input._array.dtype)), m)


def multinomial(input: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Any:
    """Indices drawn with probabilities proportional to ``input`` (n) or to each of its rows (m, n).

    Raises:
        RuntimeError: for weights that are negative, not finite or all 0, or more samples than nonzero weights.
    """
    require_tensor("multinomial", "input", input)
    if input._array.dtype.kind in "iub":
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {input._dtype()!r}\n  fix: input.float()"
        )
    if num_samples <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples\n  got: num_samples={num_samples}")
    m = input._backend
    weights = m.to_host(input._array).astype(np.float64)
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, got shape {weights.shape}")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    rows = np.atleast_2d(weights)
    if (rows.sum(1) <= 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    if not replacement and num_samples > rows.shape[1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    g = _chosen(generator)
    if replacement:
        ends = np.cumsum(rows, 1)
        draws = g.uniform(rows.shape[0] * num_samples, np.dtype(np.float64)).reshape(rows.shape[0], num_samples)
        picks = np.stack([np.searchsorted(e, d * e[-1], side="right") for e, d in zip(ends, draws, strict=True)])
    else:
        # The smallest of exponential waiting times: Efraimidis and Spirakis 2006.
        waits = -np.log1p(-g.uniform(rows.size, np.dtype(np.float64)).reshape(rows.shape))
        with np.errstate(divide="ignore"):
            picks = np.argsort(np.where(rows > 0, waits / rows, np.inf), 1, kind="stable")[:, :num_samples]
    picks = np.minimum(picks, rows.shape[1] - 1).astype(np.int64)
    return wrap(m.from_host(picks if weights.ndim == 2 else picks[0]), m)


# -- dropout ---

DROPOUT = Op(
    "dropout",
    lambda m, input, mask: m.mul(input, mask),
    tensors=2,
    node="MulBackward0",
    input=lambda g, mask: g * mask,
    formula=r"\frac{\partial L}{\partial x} = g \cdot \mathrm{mask}/(1-p)",
)


@DROPOUT
def dropout(input: TensorT, p: float = 0.5, training: bool = True) -> TensorT:
    """Sets elements to 0 with probability ``p`` and scales the rest by 1 / (1 - p) (Srivastava et al. 2014).

    Raises:
        ValueError: for a probability outside [0, 1].
    """
    require_tensor("dropout", "input", input)
    if not 0.0 <= p <= 1.0:
        raise ValueError(
            f"dropout probability has to be between 0 and 1, but got {p}\n  expected: the share of elements to drop"
        )
    if not training or p == 0.0:
        return input
    m = input._backend
    n = math.prod(input._array.shape)
    keep = default_generator.uniform(n, np.dtype(np.float64)).reshape(input._array.shape) < 1 - p
    scale = 0.0 if p == 1.0 else 1.0 / (1.0 - p)
    mask = wrap(m.from_host(keep.astype(input._array.dtype) * input._array.dtype.type(scale)), m)
    return apply(DROPOUT, (input, mask))


class RandomMethods(Variable):
    """Filling with random numbers in place, and drawing, as methods of ``Tensor``."""

    __slots__ = ()

    bernoulli = bernoulli
    multinomial = multinomial

    def _fill_random(self: Any, draw: Callable[[int], np.ndarray[Any, Any]]) -> Any:
        check_writable(self)
        host = draw(math.prod(self._array.shape)).reshape(self._array.shape)
        self._array[...] = self._backend.from_host(host.astype(self._array.dtype, copy=False))
        self._touch()
        return self

    def uniform_(self, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None) -> Any:
        """Uniform numbers in [a, b).

        Raises:
            RuntimeError: where ``a`` exceeds ``b``.
        """
        if a > b:
            raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={a} > to={b}")
        g, d = _chosen(generator), self._array.dtype
        # Scaled in double and rounded once, as a fused multiply-add does it.
        return self._fill_random(lambda n: g.uniform(n, d).astype(np.float64) * float(d.type(b - a)) + float(d.type(a)))

    def normal_(self, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Any:
        """Normal numbers.

        Raises:
            RuntimeError: for a negative standard deviation.
        """
        if std < 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
        g, d = _chosen(generator), self._array.dtype
        return self._fill_random(lambda n: g.normal(n, d).astype(np.float64) * std + mean)

    def random_(self, low: int = 0, high: int | None = None, *, generator: Generator | None = None) -> Any:
        """Whole numbers in [low, high); ``random_(high)`` counts from 0, ``random_()`` to what the dtype can hold."""
        dtype = self._array.dtype
        wide = None if high is not None or low else dtype.itemsize == 8
        if high is None and low:
            low, high = 0, low
        elif high is None and dtype.kind == "f":
            high = 2 ** (np.finfo(dtype).nmant + 1) + 1
        elif high is None:
            high = 2 if dtype.kind == "b" else int(np.iinfo(dtype).max) + 1
        top = high
        return self._fill_random(lambda n: _chosen(generator).below(n, low, top, wide))

    def bernoulli_(self, p: float = 0.5, *, generator: Generator | None = None) -> Any:
        """1 with probability ``p``, else 0."""
        return self._fill_random(lambda n: _chosen(generator).uniform(n, np.dtype(np.float64)) < p)

    def exponential_(self, lambd: float = 1.0, *, generator: Generator | None = None) -> Any:
        """Exponentially distributed numbers of rate ``lambd``."""
        g = _chosen(generator)
        return self._fill_random(lambda n: -np.log1p(-g.uniform(n, np.dtype(np.float64))) / lambd)
