"""Every operation's record: what it says of itself, and its first and second derivatives against measured slopes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import device_name
from hypothesis import given
from hypothesis import strategies as st

import nbtorch as torch
import nbtorch.nn.functional as F
from nbtorch.autograd import gradcheck, gradgradcheck
from nbtorch.ops import registry

DIFFERENTIABLE = {name: op for name, op in registry.items() if op.derivatives or op.joint is not None}


class Maker:
    """Makes float64 inputs that require grad, on the device of the run, the same for each case."""

    def __init__(self, seed: int = 0) -> None:
        self.numbers = np.random.default_rng(seed)

    def __call__(self, *shape: int, low: float = -2.0, high: float = 2.0, apart: bool = False) -> Any:
        """Numbers in [low, high]; with ``apart`` all different by more than any nudge, so that no order changes."""
        n = int(np.prod(shape))
        if apart:
            values = self.numbers.permutation(np.linspace(low, high, n) if n > 1 else np.full(n, high)).reshape(shape)
        else:
            values = self.numbers.uniform(low, high, shape)
        t = torch.tensor(np.asarray(values, np.float64), device=device_name())
        return t.requires_grad_()

    def index(self, *shape: int, below: int) -> Any:
        return torch.tensor(self.numbers.integers(0, below, shape), device=device_name())

    def mask(self, *shape: int) -> Any:
        return torch.tensor(self.numbers.random(shape) < 0.5, device=device_name())


Case = Callable[[Maker], tuple[Callable[..., Any], list[Any]]]

# One input: the domain to draw from, where a nudge crosses no kink.
UNARY: dict[str, tuple[float, float]] = {
    "neg": (-2, 2), "abs": (0.1, 2), "sign": (0.1, 2), "square": (-2, 2), "reciprocal": (0.3, 2), "sqrt": (0.2, 2),
    "rsqrt": (0.3, 2), "exp": (-2, 2), "exp2": (-2, 2), "expm1": (-1, 1), "log": (0.2, 3), "log2": (0.2, 3),
    "log10": (0.2, 3), "log1p": (-0.5, 2), "sin": (-3, 3), "cos": (-3, 3), "tan": (-1, 1), "asin": (-0.8, 0.8),
    "acos": (-0.8, 0.8), "atan": (-2, 2), "sinh": (-2, 2), "cosh": (-2, 2), "tanh": (-2, 2), "asinh": (-2, 2),
    "acosh": (1.3, 3), "atanh": (-0.8, 0.8), "sigmoid": (-3, 3), "erf": (-2, 2), "floor": (0.1, 0.9),
    "ceil": (0.1, 0.9), "trunc": (0.1, 0.9), "round": (0.1, 0.4), "relu": (0.1, 2), "leaky_relu": (-2, -0.1),
    "elu": (-2, -0.1), "gelu": (-3, 3), "silu": (-3, 3), "softplus": (-3, 3), "logsigmoid": (-3, 3), "mish": (-3, 3),
    "hardtanh": (-0.9, 0.9), "hardsigmoid": (-2.9, 2.9), "hardswish": (-2.9, 2.9), "softshrink": (0.6, 2),
    "hardshrink": (0.6, 2), "clone": (-2, 2), "contiguous": (-2, 2),
}  # fmt: skip

CASES: dict[str, Case] = {
    "add": lambda make: (lambda a, b: a + b, [make(2, 3), make(3)]),
    "add, alpha": lambda make: (lambda a, b: torch.add(a, b, alpha=0.5), [make(2, 3), make(2, 1)]),
    "sub": lambda make: (lambda a, b: a - b, [make(2, 1), make(1, 3)]),
    "number minus": lambda make: (lambda a: 1 - a, [make(3)]),
    "mul": lambda make: (lambda a, b: a * b, [make(2, 3), make()]),
    "div": lambda make: (lambda a, b: a / b, [make(2, 3), make(3, low=0.5)]),
    "number over": lambda make: (lambda a: 2 / a, [make(3, low=0.5)]),
    "trunc_divide": lambda make: (
        lambda a, b: torch.div(a, b, rounding_mode="trunc"),
        [make(3, low=3.1, high=3.9), make(3, low=1, high=1.01)],
    ),
    "floor_divide": lambda make: (lambda a, b: a // b, [make(3, low=3.1, high=3.9), make(3, low=1, high=1.01)]),
    "remainder": lambda make: (lambda a, b: a % b, [make(3, low=3.1, high=3.9), make(3, low=1, high=1.01)]),
    "fmod": lambda make: (torch.fmod, [make(3, low=-3.9, high=-3.1), make(3, low=1, high=1.01)]),
    "pow": lambda make: (torch.pow, [make(3, low=0.5), make(2, 3)]),
    "pow, numbers": lambda make: (lambda a: a**3 + a**2.5 + a**2 + a**-1 + a**0.5 + 2**a + a**0, [make(3, low=0.5)]),
    "atan2": lambda make: (torch.atan2, [make(3), make(3, low=0.5)]),
    "logaddexp": lambda make: (torch.logaddexp, [make(3), make(2, 3)]),
    "maximum": lambda make: (torch.maximum, [make(6, apart=True), make(6, apart=True) + 0.1]),
    "minimum": lambda make: (torch.minimum, [make(6, apart=True), make(6, apart=True) + 0.1]),
    "where": lambda make: (lambda a, b, c=make.mask(2, 3): torch.where(c, a, b), [make(2, 3), make(3)]),
    "clamp": lambda make: (lambda a: a.clamp(-1.1, 1.05), [make(9, apart=True)]),
    "clamp, tensors": lambda make: (lambda a, b: a.clamp(min=b), [make(5, apart=True), make(5, low=-0.1, high=0.1)]),
    "lerp": lambda make: (torch.lerp, [make(3), make(3), make(3)]),
    "to_copy": lambda make: (lambda a: a.to(torch.float64, copy=True) + (a * 2).to(torch.float64), [make(3)]),
    "view": lambda make: (lambda a: a.view(3, 2), [make(2, 3)]),
    "reshape": lambda make: (lambda a: a.t().reshape(-1), [make(2, 3)]),
    "permute": lambda make: (lambda a: a.permute(2, 0, 1), [make(2, 3, 2)]),
    "transpose": lambda make: (lambda a: a.transpose(0, 2), [make(2, 3, 2)]),
    "t": lambda make: (lambda a: a.t(), [make(2, 3)]),
    "expand": lambda make: (lambda a: a.expand(4, 2, 3), [make(2, 1)]),
    "squeeze": lambda make: (lambda a: a.squeeze(), [make(2, 1, 3)]),
    "squeeze_dim": lambda make: (lambda a: a.squeeze(1), [make(2, 1, 3)]),
    "unsqueeze": lambda make: (lambda a: a.unsqueeze(1), [make(2, 3)]),
    "alias": lambda make: (lambda a: a.as_subclass(torch.Tensor) * a, [make(3)]),
    "flip": lambda make: (lambda a: a.flip(0, 1), [make(2, 3)]),
    "roll": lambda make: (lambda a: a.roll((1, 2), (0, 1)) + a.roll(1), [make(2, 3)]),
    "cat": lambda make: (lambda a, b: torch.cat([a, b, a], 1), [make(2, 3), make(2, 1)]),
    "stack": lambda make: (lambda a, b: torch.stack([a, b], 1), [make(2, 3), make(2, 3)]),
    "split": lambda make: (lambda a: a.split(2, 1), [make(2, 3)]),
    "unbind": lambda make: (lambda a: a.unbind(1), [make(2, 3)]),
    "slice": lambda make: (lambda a: a[1:, ::2], [make(3, 4)]),
    "select": lambda make: (lambda a: a[1, :, -1], [make(2, 3, 2)]),
    "getitem_none": lambda make: (lambda a: a[None], [make(3)]),
    "index": lambda make: (lambda a, i=make.index(4, below=3): a[:, i], [make(2, 3)]),
    "index, mask": lambda make: (lambda a, c=make.mask(2, 3): a[c], [make(2, 3)]),
    "index_put": lambda make: (
        lambda a, b, i=torch.tensor([0, 2], device=device_name()): a.index_put((i,), b),
        [make(3, 2), make(2, 2)],
    ),
    "index_put, added": lambda make: (
        lambda a, b, i=make.index(4, below=3): a.index_put((i,), b, accumulate=True),
        [make(3, 2), make(4, 2)],
    ),
    "gather": lambda make: (lambda a, i=make.index(2, 4, below=3): a.gather(1, i), [make(2, 3)]),
    "scatter_add": lambda make: (
        lambda a, b, i=make.index(2, 3, below=4): a.scatter_add(1, i, b),
        [make(2, 4), make(2, 3)],
    ),
    "scatter": lambda make: (
        lambda a, b, i=torch.tensor([[2, 0]], device=device_name()): a.scatter(1, i, b),
        [make(2, 3), make(1, 2)],
    ),
    "index_select": lambda make: (lambda a, i=make.index(4, below=3): a.index_select(0, i), [make(3, 2)]),
    "index_add": lambda make: (lambda a, b, i=make.index(4, below=3): a.index_add(0, i, b), [make(3, 2), make(4, 2)]),
    "masked_fill": lambda make: (lambda a, v, c=make.mask(2, 3): a.masked_fill(c, v), [make(2, 3), make()]),
    "tril": lambda make: (lambda a: a.tril(-1), [make(3, 3)]),
    "triu": lambda make: (lambda a: a.triu(1), [make(2, 3, 3)]),
    "embedding": lambda make: (lambda w, i=make.index(2, 3, below=4): F.embedding(i, w), [make(4, 2)]),
    "in place on a view": lambda make: (_write_into_a_view, [make(3, 2), make(2)]),
    "fill": lambda make: (_fill_a_part, [make(3, 2)]),
    "sum": lambda make: (lambda a: a.sum(), [make(2, 3)]),
    "sum_dim": lambda make: (lambda a: a.sum((0, 2)) + a.sum(1, keepdim=True).sum(), [make(2, 3, 2)]),
    "sum_to_size": lambda make: (lambda a: a.sum_to_size(3, 1), [make(2, 3, 2)]),
    "mean": lambda make: (lambda a: a.mean(), [make(2, 3)]),
    "mean_dim": lambda make: (lambda a: a.mean((0, 2), keepdim=True), [make(2, 3, 2)]),
    "prod": lambda make: (lambda a: a.prod(), [make(2, 3)]),
    "prod_dim": lambda make: (lambda a: a.prod(1), [make(2, 3)]),
    "set_slice": lambda make: (_set_a_slice, [make(3, 2), make(2)]),
    "prod of zeros": lambda make: (
        lambda a: (a * torch.tensor([0.0, 1, 1], dtype=torch.float64, device=device_name())).prod(-1),
        [make(2, 3)],
    ),
    "var": lambda make: (lambda a: a.var(1, correction=0), [make(2, 4)]),
    "std": lambda make: (lambda a: a.std((0, 1)), [make(2, 4)]),
    "amax": lambda make: (lambda a: a.amax(1), [make(2, 4, apart=True)]),
    "amin": lambda make: (lambda a: a.amin((0, 1)), [make(2, 4, apart=True)]),
    "max": lambda make: (lambda a: a.max(), [make(2, 4, apart=True)]),
    "min": lambda make: (lambda a: a.min(), [make(2, 4, apart=True)]),
    "max_dim": lambda make: (lambda a: a.max(1).values, [make(2, 4, apart=True)]),
    "min_dim": lambda make: (lambda a: a.min(0, keepdim=True)[0], [make(2, 4, apart=True)]),
    "sort": lambda make: (lambda a: a.sort(1, descending=True)[0], [make(2, 4, apart=True)]),
    "topk": lambda make: (lambda a: a.topk(2, 1)[0], [make(2, 4, apart=True)]),
    "norm": lambda make: (lambda a: a.norm(dim=1) + a.norm(3) + a.norm(1), [make(2, 4, low=0.2)]),
    "cumsum": lambda make: (lambda a: a.cumsum(1), [make(2, 4)]),
    "cumprod": lambda make: (lambda a: a.cumprod(1), [make(2, 4, low=0.5)]),
    "logsumexp": lambda make: (lambda a: a.logsumexp((0, 1)) + a.logsumexp(1, keepdim=True).sum(), [make(2, 4)]),
    "softmax": lambda make: (lambda a: a.softmax(1), [make(2, 4)]),
    "log_softmax": lambda make: (lambda a: a.log_softmax(0), [make(2, 4)]),
    "mm": lambda make: (torch.mm, [make(2, 3), make(3, 4)]),
    "bmm": lambda make: (torch.bmm, [make(2, 2, 3), make(2, 3, 2)]),
    "mv": lambda make: (torch.mv, [make(2, 3), make(3)]),
    "dot": lambda make: (torch.dot, [make(3), make(3)]),
    "matmul": lambda make: (torch.matmul, [make(2, 1, 2, 3), make(3, 3, 2)]),
    "einsum": lambda make: (
        lambda a, b: torch.einsum("bij,kj->bki", a, b) + torch.einsum("bii->b", a[:, :, :2])[:, None, None],
        [make(2, 2, 3), make(2, 3)],
    ),
    "linear": lambda make: (F.linear, [make(2, 2, 3), make(4, 3), make(4)]),
    "linear_no_bias": lambda make: (F.linear, [make(2, 3), make(4, 3)]),
    "prelu": lambda make: (F.prelu, [make(2, 3, apart=True) + 0.05, make(3)]),
    "threshold": lambda make: (lambda a: F.threshold(a, 0.05, 0.3), [make(8, apart=True)]),
    "gelu_tanh": lambda make: (lambda a: F.gelu(a, approximate="tanh"), [make(5)]),
    "layer_norm": lambda make: (lambda a, w, b: F.layer_norm(a, (4,), w, b), [make(2, 4), make(4), make(4)]),
    "standardize": lambda make: (lambda a: F.layer_norm(a, (2, 4)), [make(3, 2, 4)]),
    "dropout": lambda make: (_dropout, [make(3, 4)]),
    "mse_loss": lambda make: (F.mse_loss, [make(2, 3), make(2, 3)]),
    "nll_loss": lambda make: (lambda a, y=make.index(3, below=4): F.nll_loss(a, y), [make(3, 4)]),
    "cross_entropy": lambda make: (
        lambda a, y=make.index(3, below=4), w=make(4, low=0.5).detach(): (
            F.cross_entropy(a, y, w, label_smoothing=0.1) + F.cross_entropy(a, y)
        ),
        [make(3, 4)],
    ),
    "binary_cross_entropy": lambda make: (
        F.binary_cross_entropy,
        [make(3, low=0.2, high=0.8), make(3, low=0.2, high=0.8)],
    ),
    "binary_cross_entropy_with_logits": lambda make: (
        F.binary_cross_entropy_with_logits,
        [make(3), make(3, low=0.1, high=0.9)],
    ),
    **{
        name: (lambda make, name=name, low=low, high=high: (_function(name), [make(2, 3, low=low, high=high)]))
        for name, (low, high) in UNARY.items()
    },
}


# A nudge can't be seen through these; tests/conformance compares their gradients with PyTorch's.
ELSEWHERE = ("to_copy",)


def _function(name: str) -> Callable[..., Any]:
    if name == "contiguous":
        return lambda a: a.t().contiguous()
    function = registry[name].function
    assert function is not None
    return function


def _write_into_a_view(a: Any, b: Any) -> Any:
    y = a * 2
    y[1:, 0].mul_(b)
    return y


def _set_a_slice(a: Any, b: Any) -> Any:
    y = a * 2
    y[1:, 0] = b
    return y


def _fill_a_part(a: Any) -> Any:
    y = a * 2
    y[0].zero_()
    y[1].copy_(a[2] * 3)
    return y


def _dropout(a: Any) -> Any:
    torch.manual_seed(0)
    return F.dropout(a, 0.4)


@pytest.mark.parametrize("name", sorted(registry))
def test_a_record_says_what_it_is(name: str) -> None:
    op = registry[name]
    assert op.name == name
    if name in DIFFERENTIABLE:
        assert op.formula, "its derivative has no formula"
        assert op.variadic or op.joint is not None or set(op.derivatives) <= set(op.inputs)
    if op.function is not None:
        assert inspect.getdoc(op.function), "its function has no docstring"
        assert inspect.signature(op.function).parameters
        assert inspect.getsourcefile(op.function), "its function can't be found in a source file"


def _ops_in_the_graph(outputs: Any) -> set[str]:
    found, stack = set(), [t.grad_fn for t in (outputs if isinstance(outputs, tuple) else (outputs,))]
    while stack:
        node = stack.pop()
        if node is None:
            continue
        if getattr(node, "op", None) is not None:
            found.add(node.op.name)
            stack += [e for e in node.edges if e is not None and e._is_node]
    return found


def test_every_differentiable_record_has_a_case() -> None:
    seen: set[str] = set()
    for case in CASES.values():
        function, inputs = case(Maker())
        outputs = function(*inputs)
        seen |= _ops_in_the_graph(outputs)
        first = (outputs[0] if isinstance(outputs, tuple) else outputs).sum()
        grads = torch.autograd.grad(first, inputs, create_graph=True, allow_unused=True)
        for g in grads:
            if g is not None and g.grad_fn is not None:
                seen |= _ops_in_the_graph(g)
    assert not set(DIFFERENTIABLE) - seen - set(ELSEWHERE), "records that no case reaches"


@pytest.mark.parametrize("name", list(CASES))
def test_derivatives_are_the_measured_slopes(name: str) -> None:
    function, inputs = CASES[name](Maker())
    assert gradcheck(function, inputs)


@pytest.mark.parametrize("name", list(CASES))
def test_second_derivatives_are_the_measured_slopes(name: str) -> None:
    function, inputs = CASES[name](Maker())
    assert gradgradcheck(function, inputs)


@pytest.mark.parametrize("name", list(UNARY))
@given(shape=st.lists(st.integers(0, 3), max_size=3), seed=st.integers(0, 2**16))
def test_elementwise_derivatives_on_any_shape(name: str, shape: list[int], seed: int) -> None:
    low, high = UNARY[name]
    x = Maker(seed)(*shape, low=low, high=high)
    function = (lambda a: a.contiguous()) if name == "contiguous" else _function(name)
    y = function(x)
    assert y.shape == x.shape and y.dtype == x.dtype
    assert gradcheck(function, [x])
