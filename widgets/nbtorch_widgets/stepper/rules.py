"""What is known of common operations: how to run one again, its derivative as a formula and as numbers.

The gradients that the stepper shows come from the library itself; the rules explain them. A rule is found by the name
of a node (`MulBackward0` is "mul", as in PyTorch and nbtorch) or by the sign that a learner's own class keeps ("*").
In the templates `#1`, `#2` stand for the operands, `#0` for the result and `#g` for the incoming gradient.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Local = Callable[..., Any]


@dataclass(frozen=True)
class Rule:
    """One operation.

    Attributes:
        shows: the operation as a formula.
        derivatives: for each operand the local derivative as a formula; for a rule without `locals` the whole product
            of incoming gradient and derivative.
        locals: for each operand the local derivative as NumPy's numbers, `local(out, *operands)`, of the result's
            shape. None where an output depends on more than the element at its own place.
        run: the operation on tensors of any library by its operators and methods; `run(*operands)`.
        names: the names under which a node saves its operands.
        solve: finds a constant operand from the result: by position, `solve(out, other operand)`.
    """

    shows: str
    derivatives: tuple[str, ...]
    locals: tuple[Local, ...] | None
    run: Callable[..., Any] | None
    names: tuple[str, ...] = ("self", "other")
    solve: dict[int, Callable[[Any, Any], Any]] = field(default_factory=dict)


def _one(shows: str, derivative: str, local: Local, run: Callable[..., Any] | None) -> Rule:
    return Rule(shows, (derivative,), (local,), run, ("self",))


def _method(name: str) -> Callable[..., Any]:
    return lambda x, *rest: getattr(x, name)(*rest)


def library(x: Any) -> Any:
    """The library that a tensor is of."""
    return importlib.import_module(type(x).__module__.split(".")[0])


def _functional(name: str) -> Callable[..., Any]:
    def run(x: Any, *rest: Any) -> Any:
        lib = library(x) if library(x).__name__ in ("torch", "nbtorch") else library(rest[0])
        return getattr(lib.nn.functional, name)(x, *rest)

    return run


def _relu(x: Any) -> Any:
    return x.relu()


def _ones(out: Any, *operands: Any) -> Any:
    return np.ones_like(out)


_SIGMOID = r"\frac{1}{1+e^{-#1}}"


def _logistic(x: Any) -> Any:
    return 0.5 * (1 + np.tanh(0.5 * x))


RULES: dict[str, Rule] = {
    "add": Rule("#1 + #2", ("1", "1"), (_ones, _ones), lambda x, y: x + y,
                solve={0: lambda z, y: z - y, 1: lambda z, x: z - x}),
    "sub": Rule("#1 - #2", ("1", "-1"), (_ones, lambda z, x, y: -np.ones_like(z)), lambda x, y: x - y,
                solve={0: lambda z, y: z + y, 1: lambda z, x: x - z}),
    "mul": Rule(r"#1 \cdot #2", ("#2", "#1"), (lambda z, x, y: y + 0 * z, lambda z, x, y: x + 0 * z),
                lambda x, y: x * y, solve={0: lambda z, y: z / y, 1: lambda z, x: z / x}),
    "div": Rule(r"\frac{#1}{#2}", (r"\frac{1}{#2}", r"-\frac{#1}{#2^{2}}"),
                (lambda z, x, y: 1 / y + 0 * z, lambda z, x, y: -x / y**2 + 0 * z), lambda x, y: x / y,
                solve={0: lambda z, y: z * y, 1: lambda z, x: x / z}),
    "pow": Rule("#1^{#2}", (r"#2 \cdot #1^{#2-1}", r"#0 \cdot \ln #1"),
                (lambda z, x, y: y * x ** (y - 1) + 0 * z, lambda z, x, y: z * np.log(x)), lambda x, y: x**y,
                ("self", "exponent")),
    "neg": _one("-#1", "-1", lambda z, x: -np.ones_like(z), lambda x: -x),
    "exp": _one("e^{#1}", "e^{#1}", lambda z, x: z, _method("exp")),
    "log": _one(r"\ln #1", r"\frac{1}{#1}", lambda z, x: 1 / x, _method("log")),
    "log1p": _one(r"\ln(1+#1)", r"\frac{1}{1+#1}", lambda z, x: 1 / (1 + x), _method("log1p")),
    "sqrt": _one(r"\sqrt{#1}", r"\frac{1}{2\sqrt{#1}}", lambda z, x: 0.5 / z, _method("sqrt")),
    "rsqrt": _one(r"\frac{1}{\sqrt{#1}}", r"-\frac{1}{2} #0^{3}", lambda z, x: -0.5 * z**3, _method("rsqrt")),
    "reciprocal": _one(r"\frac{1}{#1}", r"-\frac{1}{#1^{2}}", lambda z, x: -(z**2), _method("reciprocal")),
    "abs": _one("|#1|", r"\operatorname{sign}(#1)", lambda z, x: np.sign(x), _method("abs")),
    "sin": _one(r"\sin(#1)", r"\cos(#1)", lambda z, x: np.cos(x), _method("sin")),
    "cos": _one(r"\cos(#1)", r"-\sin(#1)", lambda z, x: -np.sin(x), _method("cos")),
    "tanh": _one(r"\tanh(#1)", "1 - #0^{2}", lambda z, x: 1 - z**2, _method("tanh")),
    "sigmoid": _one(r"\sigma(#1)", r"#0 \cdot (1 - #0)", lambda z, x: z * (1 - z), _method("sigmoid")),
    "relu": _one(r"\max(0, #1)", r"[#1 > 0]", lambda z, x: (x > 0) * 1.0, _relu),
    "softplus": _one(r"\ln(1+e^{#1})", _SIGMOID, lambda z, x: _logistic(x), None),
    "silu": _one(r"#1 \cdot \sigma(#1)", r"\sigma(#1) \cdot (1 + #1 \cdot (1 - \sigma(#1)))",
                 lambda z, x: _logistic(x) * (1 + x * (1 - _logistic(x))), _functional("silu")),
    "maximum": Rule(r"\max(#1, #2)", ("[#1 > #2]", "[#2 > #1]"),
                    (lambda z, x, y: (x > y) + 0.5 * (x == y), lambda z, x, y: (y > x) + 0.5 * (x == y)), None),
    "minimum": Rule(r"\min(#1, #2)", ("[#1 < #2]", "[#2 < #1]"),
                    (lambda z, x, y: (x < y) + 0.5 * (x == y), lambda z, x, y: (y < x) + 0.5 * (x == y)), None),
    "clone": _one("#1", "1", lambda z, x: np.ones_like(z), _method("clone")),
    # From here on an output depends on several inputs: the formula is that of the whole product.
    "sum": Rule(r"\sum #1", (r"#g \cdot 1",), None, _method("sum"), ("self",)),
    "mean": Rule(r"\operatorname{mean}(#1)", (r"\frac{1}{n} #g",), None, _method("mean"), ("self",)),
    "mm": Rule(r"#1 \, #2", (r"#g \, #2^{T}", r"#1^{T} \, #g"), None, lambda x, y: x @ y, ("self", "mat2")),
    "bmm": Rule(r"#1 \, #2", (r"#g \, #2^{T}", r"#1^{T} \, #g"), None, lambda x, y: x @ y, ("self", "mat2")),
    "mv": Rule(r"#1 \, #2", (r"#g \, #2^{T}", r"#1^{T} \, #g"), None, lambda x, y: x @ y, ("self", "vec")),
    "dot": Rule(r"#1 \cdot #2", (r"#g \cdot #2", r"#g \cdot #1"), None, lambda x, y: x @ y, ("self", "tensor")),
    "addmm": Rule(r"#2 \, #3 + #1", (r"\sum_{rows} #g", r"#g \, #3^{T}", r"#2^{T} \, #g"), None,
                  lambda b, x, w: x @ w + b, ("self", "mat1", "mat2")),
    "linear": Rule(r"#1 \, #2^{T} + #3", (r"#g \, #2", r"#g^{T} \, #1", r"\sum_{rows} #g"), None,
                   lambda x, w, b: x @ w.T + b, ("input", "weight", "bias")),
    "t": Rule("#1^{T}", ("#g^{T}",), None, lambda x: x.t(), ("self",)),
    "log_softmax": Rule(r"\ln \operatorname{softmax}(#1)", (r"#g - e^{#0} \sum #g",), None, None, ("self",)),
    "softmax": Rule(r"\operatorname{softmax}(#1)", (r"#0 \cdot (#g - \sum #g \cdot #0)",), None, None, ("self",)),
    "nll_loss": Rule(r"-\operatorname{mean}(#1_{i, #2_i})",
                     (r"-\frac{1}{n} #g \text{ at the targets}", "0"), None, None,
                     ("self", "target")),
    "mse_loss": Rule(r"\operatorname{mean}((#1 - #2)^{2})", (r"\frac{2}{n}(#1 - #2) \cdot #g",
                     r"-\frac{2}{n}(#1 - #2) \cdot #g"), None, None, ("self", "target")),
}  # fmt: skip
RULES["rsub"] = Rule("#2 - #1", ("-1", "1"), (lambda z, x, y: -np.ones_like(z), _ones), lambda x, y: y - x,
                     solve={0: lambda z, y: y - z, 1: lambda z, x: z + x})  # fmt: skip
RULES["square"] = _one("#1^{2}", r"2 \cdot #1", lambda z, x: 2 * x, lambda x: x**2)

#: How a class of a learner may call an operation, beside the names above.
SIGNS = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow", "@": "mm", "matmul": "mm", "ReLU": "relu",
    "truediv": "div", "ln": "log", "logistic": "sigmoid", "negate": "neg",
}  # fmt: skip


def snake(node: str) -> str:
    """The operation that a node's name tells: "log_softmax" of `LogSoftmaxBackward0`."""
    plain = re.sub(r"Backward\d*$", "", node.rsplit("::", 1)[-1])
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower().lstrip("_")


def number(value: float, digits: int = 4) -> str:
    """A number as a formula shows it."""
    if math.isnan(value):
        return r"\text{NaN}"
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    text = f"{value + 0.0:.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return "0" if mantissa == "-0" else mantissa
    factor = "" if mantissa == "1" else "-" if mantissa == "-1" else rf"{mantissa} \times "
    return rf"{factor}10^{{{int(exponent)}}}"


_PLACE = re.compile(r"#([0-9g])")


def fill(template: str, parts: dict[str, str]) -> str:
    """The template with its places filled; a part that isn't one sign or one number gets brackets where it stands."""

    def part(found: re.Match[str]) -> str:
        text = parts.get(found[1], "?")
        alone = found.start() == 0 and found.end() == len(template)
        fenced = (
            template[found.start() - 1 : found.start()] in "({[|" and template[found.end() : found.end() + 1] in ")}]|"
        )
        simple = re.fullmatch(r"[\d.]+|\\[a-z]+\{\w+\}|\\bar\{\\name\{\d+\}\}|[^-\s\\]", text)
        if alone or simple or (fenced and found.start() > 0):
            return text
        return rf"({text})"

    return _ONE_LESS.sub(_lower, _PLACE.sub(part, template))


_ONE_LESS = re.compile(r"\^\{(\d+)-1\}")


def _lower(found: re.Match[str]) -> str:
    """x^{3-1} as x^{2}, and x^{2-1} as x."""
    power = int(found[1]) - 1
    return "" if power == 1 else f"^{{{power}}}"
