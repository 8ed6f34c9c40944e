"""Random numbers: no gradient flows to what a sample was drawn from, or to what it overwrites."""

from __future__ import annotations

import nbtorch
from programs.draw import Program

PROGRAMS: dict[str, Program] = {
    # Measured, a sample moves with its mean; PyTorch says that it does not. The sign stands still either way.
    "normal": lambda d: nbtorch.normal(d(), d().abs() + 1).sign(),
    "uniform": lambda d: (d() * 2).uniform_(),
    "random": lambda d: (d() * 2).random_(),
    "normal_fill": lambda d: (d() * 2).normal_(),
    "bernoulli": lambda d: nbtorch.bernoulli(d().sigmoid()),
    "bernoulli_fill": lambda d: (d() * 2).bernoulli_(),
    "exponential": lambda d: (d() * 2).exponential_(),
    "geometric": lambda d: (d() * 2).geometric_(0.5),
    "cauchy": lambda d: (d() * 2).cauchy_(),
    "log_normal": lambda d: (d() * 2).log_normal_(),
    "poisson": lambda d: nbtorch.poisson(d().abs()),
    "binomial": lambda d: (lambda x: nbtorch.binomial(x, nbtorch.full_like(x, 0.5)))(d().abs().round()),
}
