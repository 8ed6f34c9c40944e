"""``Generator``: the Mersenne Twister that all random numbers come from, word for word PyTorch's on the CPU.

The engine is mt19937 (Matsumoto and Nishimura 1998), seeded as C++'s ``std::mt19937``. Its state can be exchanged with
PyTorch's: ``get_state`` gives the same 5056 bytes. What is made of its words stands in :mod:`.distributions`.
"""

from __future__ import annotations

import os
import struct
from typing import Any

import numpy as np

from ..autograd.modes import grad_mode
from ..autograd.variable import Variable, wrap
from ..backends import get_backend
from ..backends.device import device as Device

__all__ = [
    "Generator", "default_generator", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state",
]  # fmt: skip

_DEFAULT_SEED = 67280421310721  # PyTorch's
_WORDS = 624
# PyTorch's CPUGeneratorImplState: the seed, how many words are left, whether seeded, the next word, the words (each in
# 64 bits), three doubles of which the second is the normal number in store, whether there is one; then the same as
# a float, which nothing on the CPU sets.
_STATE = struct.Struct(f"<Qii Q {_WORDS}Q ddd i4x f?3x")


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
        # Nothing drawn since the seed: PyTorch's state tells that apart from "all words of a block drawn".
        self._untouched = True
        self.spare: float | None = None  # the second normal number of a pair
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
        """Where the stream stands: the 5056 bytes of PyTorch's own state, as a uint8 tensor."""
        state: Any = self._bits.state["state"]
        position = int(state["pos"])
        following, left = (0, 1) if self._untouched else (position, _WORDS + 1 - position)
        spare = 0.0 if self.spare is None else self.spare
        raw = _STATE.pack(
            self._seed, left, 1, following, *state["key"].tolist(), 0.0, spare, 0.0, self.spare is not None, 0.0, False
        )
        return wrap(np.frombuffer(raw, np.uint8).copy(), get_backend(None))

    def set_state(self, new_state: Any) -> Generator:
        """Puts the stream where ``get_state`` found it, here or in PyTorch.

        Raises:
            TypeError: for anything but a uint8 tensor on the CPU.
            RuntimeError: for one that is not such a state.
        """
        if not isinstance(new_state, Variable):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        raw = new_state._array
        if raw.dtype != np.uint8 or new_state._backend.device.type != "cpu":
            raise TypeError("RNG state must be a torch.ByteTensor\n  expected: what get_state() returned")
        if raw.size != _STATE.size:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE.size} but found the input RNG state size to be "
                f"{raw.size}\n  expected: what get_state() returned"
            )
        seed, left, seeded, following, *rest = _STATE.unpack(np.ascontiguousarray(raw).tobytes())
        words, (_, spare, _, has_spare, _, _) = rest[:_WORDS], rest[_WORDS:]
        if not (seeded and 0 < left <= _WORDS and 0 <= following <= _WORDS):
            raise RuntimeError("Invalid mt19937 state\n  expected: what get_state() returned")
        self.manual_seed(seed)
        self._untouched = left == 1 and following == 0
        self.spare = spare if has_spare else None
        key = np.array(words, np.uint64).astype(np.uint32)
        self._bits.state = {
            "bit_generator": "MT19937",
            "state": {"key": key, "pos": _WORDS if left == 1 else following},
        }
        return self

    def clone_state(self) -> Generator:
        """A new generator that stands where this one stands."""
        return Generator(self._device).set_state(self.get_state())

    def get_offset(self) -> int:
        """The offset of a generator on a GPU.

        Raises:
            RuntimeError: always: the stream on the host has none.
        """
        raise RuntimeError("CPU Generator does not use offset\n  fix: get_state() and set_state()")

    def set_offset(self, offset: int) -> None:
        """Sets the offset of a generator on a GPU.

        Raises:
            RuntimeError: always: the stream on the host has none.
        """
        self.get_offset()

    def __getstate__(self) -> Any:
        return str(self._device), self.get_state()._array

    def __setstate__(self, state: Any) -> None:
        where, raw = state
        self.__init__(where)  # type: ignore[misc]
        self.set_state(wrap(raw, get_backend(None)))

    # -- draws, on the host ---
    def words(self, n: int) -> np.ndarray[Any, Any]:
        """``n`` draws of 32 bits, as uint64.

        Raises:
            RuntimeError: inside a ``vmap`` that was not told what random numbers mean there.
        """
        if any(batch.randomness == "error" for batch in grad_mode.batches):
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
                "'different' randomness flags on vmap or perform the randomness operation out of vmap"
            )
        bits = self._bits
        if n:
            self._untouched = False
        return bits.random_raw(n)

    def double_words(self, n: int) -> np.ndarray[Any, Any]:
        """``n`` draws of 64 bits, the first half of each the higher."""
        pairs = self.words(2 * n).reshape(n, 2)
        joined = pairs[:, 0] << np.uint64(32)
        joined |= pairs[:, 1]
        return joined


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


def chosen(generator: Generator | None, function: str) -> Generator:
    """The generator to draw from.

    Raises:
        TypeError: for anything but a generator or None.
    """
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(
            f"{function}(): argument 'generator' must be torch.Generator, not {type(generator).__name__}\n"
            "  fix: torch.Generator().manual_seed(0)"
        )
    return generator
