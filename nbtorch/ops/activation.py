"""Activation functions of neural networks, elementwise.

Sources: GELU, Hendrycks and Gimpel 2016; SiLU/Swish, Elfwing et al. 2017; ELU, Clevert et al. 2015; SELU, Klambauer et
al. 2017.
"""

from __future__ import annotations

from typing import Any

from ..autograd.variable import TensorT, Variable
from ..backends.layouts import in_rows
from .dispatch import FLOATS_ONLY, PROMOTE, unary
from .elementary import abs as size_of
from .elementary import is_bool, tanh
from .inplace import unary_
from .operands import normalize_dim, require_tensor
from .piecewise import hardshrink, prelu
from .pointwise import add, div
from .record import Op, apply

__all__ = [
    "celu", "elu", "gelu", "glu", "leaky_relu", "logsigmoid", "relu", "selu", "silu", "softplus", "softsign",
    "tanhshrink",
]  # fmt: skip

RELU = Op(
    "relu",
    lambda m, input: m.relu(input),
    input=lambda m, g, out: m.relu_backward(g, out),
    formula=r"\mathrm{ReLU}'(x) = [x>0]",
)


@RELU
def relu(input: TensorT) -> TensorT:
    """``max(input, 0)``; its derivative at 0 is taken as 0."""
    if is_bool(input):
        raise RuntimeError("Boolean inputs not supported for relu\n  fix: a mask is its own relu; x.int() to count")
    return unary(RELU, input, PROMOTE)


LEAKY_RELU = Op(
    "leaky_relu",
    lambda m, input, negative_slope: m.leaky_relu(input, negative_slope),
    input=lambda m, g, input, negative_slope: m.leaky_relu_backward(g, input, negative_slope),
    formula=r"f'(x) = [x>0] + a\,[x\le 0]",
)


@LEAKY_RELU
def leaky_relu(input: TensorT, negative_slope: float = 0.01) -> TensorT:
    """``input`` where positive, ``negative_slope * input`` elsewhere."""
    return unary(LEAKY_RELU, input, FLOATS_ONLY, (negative_slope,))


ELU = Op(
    "elu",
    lambda m, input, alpha, scale, input_scale: m.elu(input, alpha, scale, input_scale),
    input=lambda m, g, input, alpha, scale, input_scale: m.elu_backward(g, input, alpha, scale, input_scale),
    formula=r"f'(x) = [x>0] + \alpha e^{x}\,[x\le 0]",
)


@ELU
def elu(input: TensorT, alpha: float = 1.0) -> TensorT:
    """``input`` where positive, ``alpha * (exp(input) - 1)`` elsewhere."""
    return unary(ELU, input, FLOATS_ONLY, (alpha, 1.0, 1.0))


_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def selu(input: TensorT) -> TensorT:
    """A scaled ``elu`` whose outputs keep zero mean and unit variance."""
    return unary(ELU, input, FLOATS_ONLY, (_SELU_ALPHA, _SELU_SCALE, 1.0))


def celu(input: TensorT, alpha: float = 1.0) -> TensorT:
    """``max(0, x) + min(0, alpha * (exp(x / alpha) - 1))``."""
    return unary(ELU, input, FLOATS_ONLY, (alpha, 1.0, 1.0 / alpha))


GELU = Op(
    "gelu",
    lambda m, input: m.gelu(input),
    input=lambda m, g, input: m.gelu_backward(g, input),
    formula=r"f(x) = x\,\Phi(x):\quad f'(x) = \Phi(x) + x\,\varphi(x)",
)
GELU_TANH = Op(
    "gelu_tanh",
    lambda m, input: m.gelu_tanh(input),
    node="GeluBackward0",
    input=lambda m, g, input: m.gelu_tanh_backward(g, input),
    formula=r"f(x) \approx \tfrac x2\bigl(1+\tanh\sqrt{2/\pi}\,(x+0.044715x^3)\bigr)",
)


@GELU
def gelu(input: TensorT, approximate: str = "none", *, out: Any = None) -> TensorT:
    """``input`` times the standard normal distribution function of it; ``approximate="tanh"`` for the cheaper form."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return unary(GELU if approximate == "none" else GELU_TANH, input, FLOATS_ONLY, out=out)


SILU = Op(
    "silu",
    lambda m, input: m.silu(input),
    input=lambda m, g, input: m.silu_backward(g, input),
    formula=r"f(x) = x\,\sigma(x):\quad f'(x) = \sigma(x)\,\bigl(1 + x\,(1-\sigma(x))\bigr)",
)


@SILU
def silu(input: TensorT) -> TensorT:
    """``input * sigmoid(input)``."""
    return unary(SILU, input, FLOATS_ONLY)


SOFTPLUS = Op(
    "softplus",
    lambda m, input, beta, threshold: m.softplus(input, beta, threshold),
    input=lambda m, g, input, beta, threshold: m.softplus_backward(g, input, beta, threshold),
    formula=r"\tfrac1\beta\ln(1+e^{\beta x})' = \sigma(\beta x)",
)


@SOFTPLUS
def softplus(input: TensorT, beta: float = 1.0, threshold: float = 20.0, *, out: Any = None) -> TensorT:
    """``log(1 + exp(beta * input)) / beta``; the input itself where ``beta * input`` exceeds ``threshold``."""
    return unary(SOFTPLUS, input, FLOATS_ONLY, (beta, threshold), out=out)


LOGSIGMOID = Op(
    "logsigmoid",
    lambda m, input: m.logsigmoid(input),
    node="LogSigmoidBackward0",
    input=lambda m, g, input: g * m.sigmoid(-input),
    formula=r"\ln\sigma(x)' = \sigma(-x)",
    layout=in_rows,
)


@LOGSIGMOID
def logsigmoid(input: TensorT, *, out: Any = None) -> TensorT:
    """``log(sigmoid(input))`` without overflow."""
    return unary(LOGSIGMOID, input, FLOATS_ONLY, out=out)


def softsign(input: TensorT) -> TensorT:
    """``input / (1 + |input|)``."""
    return div(input, add(size_of(input), 1))


def tanhshrink(input: TensorT) -> TensorT:
    """``input - tanh(input)``."""
    return input - tanh(input)  # type: ignore[operator]


def _glu(m: Any, input: Any, dim: int) -> Any:
    a, b = _halves(input, dim)
    return a * m.sigmoid(b)


def _halves(x: Any, dim: int) -> tuple[Any, Any]:
    half = x.shape[dim] // 2
    before = (slice(None),) * dim
    return x[(*before, slice(None, half))], x[(*before, slice(half, None))]


def _glu_input(m: Any, g: Any, input: Any, dim: int) -> Any:
    a, b = _halves(input, dim)
    gate = m.sigmoid(b)
    open_ = g * gate
    return m.cat([open_, open_ * (1 - gate) * a], dim)


GLU = Op(
    "glu",
    _glu,
    input=_glu_input,
    formula=r"y = a\,\sigma(b):\quad \frac{\partial L}{\partial a} = g\,\sigma(b),\quad "
    r"\frac{\partial L}{\partial b} = g\,a\,\sigma(b)\,(1-\sigma(b))",
)


@GLU
def glu(input: TensorT, dim: int = -1) -> TensorT:
    """The first half along ``dim`` times the sigmoid of the second.

    Raises:
        NotImplementedError: for integers.
        RuntimeError: where the size along ``dim`` is odd, and for a tensor without dimensions.
    """
    require_tensor("glu", "input", input)
    if not input._array.ndim:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    d = normalize_dim(dim, input._array.ndim, "glu")
    if input._array.shape[d] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {d} is size {input._array.shape[d]}")
    if input._array.dtype.kind in "iub":
        raise NotImplementedError(f'"glu_cpu" not implemented for {input._dtype()!r}\n  fix: x.float()')
    return apply(GLU, (input,), (d,))


RRELU = Op(
    "rrelu",
    lambda m, input, slopes: m.mul(input, slopes),
    tensors=2,
    node="RreluWithNoiseBackward0",
    input=lambda g, slopes: g * slopes,
    formula=r"f'(x) = [x>0] + a_i\,[x\le 0],\quad a_i \sim U(l, u)",
    layout=in_rows,
)


@RRELU
def with_slopes(input: TensorT, slopes: Variable) -> TensorT:
    """Each value times a slope of its own: ``rrelu`` in training, which draws them."""
    return apply(RRELU, (input, slopes))


class ActivationMethods(Variable):
    """Those of this file that PyTorch has as methods of ``Tensor``."""

    __slots__ = ()

    relu = relu
    prelu = prelu
    hardshrink = hardshrink

    def relu_(self: TensorT) -> TensorT:
        """``relu`` in place."""
        return unary_(RELU, self, PROMOTE)
