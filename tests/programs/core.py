"""Programs of the operations that every model uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import helpers

import nbtorch
from nbtorch.nn import functional as F
from programs.draw import Draw, Program

# Elementwise operations of one tensor: the name of the function and where it is defined.
ELEMENTWISE: dict[str, tuple[float, float]] = {
    **dict.fromkeys(
        [
            "neg", "abs", "sign", "square", "exp", "exp2", "expm1", "sin", "cos", "atan", "sinh", "cosh", "tanh",
            "asinh", "sigmoid", "erf", "floor", "ceil", "trunc", "round", "clone", "relu",
        ],
        (-2.0, 2.0),
    ),
    **dict.fromkeys(["sqrt", "rsqrt", "reciprocal", "log", "log2", "log10"], (0.4, 3.0)),
    **dict.fromkeys(["asin", "acos", "atanh", "tan"], (-0.8, 0.8)),
    "log1p": (-0.5, 2.0),
    "acosh": (1.3, 3.0),
}  # fmt: skip
ACTIVATIONS = ["silu", "gelu", "logsigmoid", "mish", "hardsigmoid", "hardswish"]


def _shape_or(d: Draw, *default: int) -> tuple[int, ...]:
    return d.shape if len(d.shape) >= len(default) and 0 not in d.shape else default


def _zero_and_one() -> Any:
    return nbtorch.tensor([0.0, 1.0], device=helpers.device_name())


def _changed_slice(d: Draw) -> Any:
    x = d(3, 2) * 1
    x[0].copy_(d(2))
    return x


def _filled(d: Draw) -> Any:
    x = d() * 1
    return x.fill_(3.0) + d()


def _copied(d: Draw) -> Any:
    x = d() * 1
    return x.copy_(d())


def _assigned(d: Draw) -> Any:
    x = d(3, 2) * 1
    x[1:, 0] = d(2)
    return x


def _read_and_differentiated(d: Draw, read: Callable[[Any], Any], *shape: int) -> Any:
    with nbtorch.enable_grad():
        x = nbtorch.zeros(3, 2, dtype=nbtorch.float64, device=helpers.device_name(), requires_grad=True)
        return nbtorch.autograd.grad(read(x), x, d(*shape), create_graph=True)[0]


# The other records: a program that runs each.
PROGRAMS: dict[str, Program] = {
    **{name: (lambda d, name=name, at=at: getattr(nbtorch, name)(d(low=at[0], high=at[1])) if hasattr(nbtorch, name)
              else getattr(d(low=at[0], high=at[1]), name)()) for name, at in ELEMENTWISE.items()},
    **{name: (lambda d, name=name: getattr(F, name)(d(low=-5.0, high=5.0))) for name in ACTIVATIONS},
    "gelu_tanh": lambda d: F.gelu(d(), approximate="tanh"),
    "leaky_relu": lambda d: F.leaky_relu(d(), 0.2),
    "elu": lambda d: F.elu(d(), 1.3) + F.selu(d()) + F.celu(d(), 0.7),
    "softplus": lambda d: F.softplus(d(), 2.0),
    "prelu": lambda d: F.prelu(d(3, 2), d(2)),
    "glu": lambda d: F.glu(d(3, 4)) + F.glu(d(6, 2), 0),
    "rrelu": lambda d: F.rrelu(d(), training=True),
    "hardtanh": lambda d: F.hardtanh(d(), -1.0, 0.5),
    "threshold": lambda d: F.threshold(d(), 0.2, 7.0),
    "softshrink": lambda d: F.softshrink(d()),
    "hardshrink": lambda d: F.hardshrink(d()),
    "clamp": lambda d: d().clamp(-1.0, 1.0) + d().clamp(max=0.2),
    "clamp_by": lambda d: d().clamp(d(1, low=-1.0, high=0.0), d(low=0.1, high=1.0)) + d().clamp(max=d(low=0.1)),
    "to_copy": lambda d: d().to(nbtorch.float64, copy=True).double() + d().to(nbtorch.float32).double() * 0,
    "contiguous": lambda d: d(3, 2).t().contiguous() * d(2, 3),
    "add": lambda d: d() + d(1),
    "sub": lambda d: d() - d(1) + (3 - d()),
    "mul": lambda d: d() * d(1) * 2.5,
    "div": lambda d: d() / d(1, low=0.5, high=2.0) + 1 / d(low=0.5, high=2.0),
    "trunc_divide": lambda d: nbtorch.div(d(), d(low=0.6, high=1.2), rounding_mode="trunc") + d() * 0,
    "floor_divide": lambda d: d() // 0.7 + d() * 0,
    "remainder": lambda d: d() % 0.7 + d() % d(low=5.0, high=6.0),
    "fmod": lambda d: nbtorch.fmod(d(), 0.7) + nbtorch.fmod(d(), d(low=5.0, high=6.0)),
    "pow": lambda d: d(low=0.3, high=2.0) ** d() + d() ** 3 + d(low=0.3, high=2.0) ** 0.5 + 2 ** d(),
    "atan2": lambda d: nbtorch.atan2(d(), d(1, low=0.5, high=2.0)),
    "logaddexp": lambda d: nbtorch.logaddexp(d(), d(1)),
    "maximum": lambda d: nbtorch.maximum(d(), d(low=-2.05, high=1.95)),
    "minimum": lambda d: nbtorch.minimum(d(), d(low=-2.05, high=1.95)),
    "where": lambda d: nbtorch.where(d.mask(), d(), d(1)),
    "copy_slices": _changed_slice,
    "fill": _filled,
    "copy": _copied,
    "set_slice": _assigned,
    "view": lambda d: d(3, 2).view(2, -1),
    "reshape": lambda d: d(3, 2).t().reshape(3, 2),
    "alias": lambda d: d().as_subclass(nbtorch.Tensor),
    "permute": lambda d: d(3, 2, 1).permute(2, 0, 1),
    "transpose": lambda d: d(3, 2, 2).transpose(0, 2),
    "t": lambda d: d(3, 2).t(),
    "expand": lambda d: d(3, 1).expand(2, 3, 4),
    "squeeze": lambda d: d(1, 3, 1).squeeze(),
    "squeeze_dim": lambda d: d(1, 3, 1).squeeze(0),
    "unsqueeze": lambda d: d().unsqueeze(0),
    "flip": lambda d: d(3, 2).flip(0, 1),
    "roll": lambda d: d(3, 2).roll((1, -1), (0, 1)) + d(3, 2).roll(2),
    "cat": lambda d: nbtorch.cat([d(2, 3), d(1, 3), d(3, 3)], 0),
    "stack": lambda d: nbtorch.stack([d(), d(), d()], -1),
    "slice": lambda d: d(5, 3)[1:4, ::2],
    "select": lambda d: d(3, 2).select(1, 0) + d(3, 2)[:, 1],
    "getitem_none": lambda d: d(3, 2)[:, None, ..., None],
    "sum": lambda d: d().sum(),
    "sum_dim": lambda d: d(3, 2).sum(0) + d(3, 2).sum(0, keepdim=True),
    "sum_to_size": lambda d: d(3, 2).sum_to_size(1, 2),
    "mean": lambda d: d(*_shape_or(d, 3)).mean(),
    "mean_dim": lambda d: d(3, 2).mean(1) + d(3, 3).mean((0,)),
    "prod": lambda d: d(3, 2).prod() + (d(2, 2) * _zero_and_one()).prod(),
    "prod_dim": lambda d: d(3, 2).prod(0),
    "var": lambda d: d(3, 2).var(0) + d(4, 2).var(0, correction=0),
    "std": lambda d: d(3, 2).std(1, keepdim=True) + d(4).std(),
    "cumsum": lambda d: d(3, 2).cumsum(0),
    "cumprod": lambda d: d(3, 2).cumprod(0) + (d(3, 2) * _zero_and_one()).cumprod(1),
    "logsumexp": lambda d: d(3, 2).logsumexp((0, 1)) + d(3, 2).logsumexp(1, keepdim=True),
    "softmax": lambda d: d(3, 2).softmax(0),
    "log_softmax": lambda d: d(3, 2).log_softmax(1),
    "index": lambda d: d(3, 2)[d.whole(4, below=3), d.whole(4, below=2)] + d(4, 3)[d.mask(4, 3)].sum(),
    "index_backward": lambda d: _read_and_differentiated(d, lambda x: x[[0, 0, 2]], 3, 2),
    "index_put": lambda d: nbtorch.index_put(d(3, 2), (d.whole(4, below=3), d.whole(4, below=2)), d(4), True),
    "masked_fill": lambda d: d(3, 2).masked_fill(d.mask(3, 2), d.make(())),
    "diagonal": lambda d: d(3, 4).diagonal(1) + d(2, 3, 3).diagonal(-1, 1, 2).sum(),
    "diagonal_backward": lambda d: _read_and_differentiated(d, lambda x: x.diagonal(), 2),
    "tril": lambda d: d(3, 3).tril(-1),
    "triu": lambda d: d(2, 3, 2).triu(),
    "gather": lambda d: d(3, 2).gather(0, d.whole(4, 2, below=3)),
    "scatter_add": lambda d: d(3, 2).scatter_add(0, d.whole(4, 2, below=3), d(4, 2)),
    "scatter": lambda d: d(3, 2).scatter(1, nbtorch.tensor([[0], [1]], device=helpers.device_name()), d(2, 1)),
    "index_select": lambda d: d(3, 2).index_select(0, d.whole(4, below=3)),
    "index_add": lambda d: d(3, 2).index_add(0, d.whole(4, below=3), d(4, 2), alpha=2),
    "embedding": lambda d: F.embedding(d.whole(2, 3, below=4), d(4, 2)),
    "mm": lambda d: d(3, 2) @ d(2, 4),
    "bmm": lambda d: d(2, 3, 2) @ d(2, 2, 4),
    "mv": lambda d: d(3, 2) @ d(2),
    "dot": lambda d: d(3) @ d(3),
    "matmul": lambda d: d(2, 1, 3, 2) @ d(3, 2, 1),
    "linear": lambda d: F.linear(d(2, 3, 2), d(4, 2), d(4)),
    "linear_no_bias": lambda d: F.linear(d(3, 2), d(4, 2)),
    "amax": lambda d: d(3, 2).amax(0) + d(3, 2).amax(),
    "amin": lambda d: d(3, 2).amin((0, 1)) + d(3, 2).amin(1, keepdim=True),
    "max": lambda d: d(3, 2).max(),
    "min": lambda d: d(3, 2).min(),
    "max_dim": lambda d: d(3, 2).max(1)[0],
    "min_dim": lambda d: d(3, 2).min(0, keepdim=True)[0],
    "sort": lambda d: d(3, 2).sort(0, descending=True)[0],
    "topk": lambda d: d(5).topk(3)[0],
    "dropout": lambda d: F.dropout(d(3), 0.5),
}  # fmt: skip

# Inputs that no gradient flows to, by record: classes, positions, and the weights of classes.
CONSTANT = {"rrelu": {"slopes"}, "embedding": {"input"}}
