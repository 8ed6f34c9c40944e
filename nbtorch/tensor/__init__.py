"""``Tensor`` and the functions that make tensors."""

from ..ops.creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from ..ops.joining import cat, stack
from ..ops.pointwise import where
from ..ops.random import Generator, default_generator, manual_seed, multinomial, rand, randint, randn, randperm
from .printing import set_printoptions
from .size import Size
from .tensor import Tensor

__all__ = [
    "Generator", "Size", "Tensor", "arange", "as_tensor", "cat", "default_generator", "empty", "empty_like", "eye",
    "from_numpy", "full", "full_like", "linspace", "manual_seed", "multinomial", "ones", "ones_like", "rand", "randint",
    "randn", "randperm", "set_printoptions", "stack", "tensor", "where", "zeros", "zeros_like",
]  # fmt: skip
