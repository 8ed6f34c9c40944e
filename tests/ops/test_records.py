"""Every operation's record is complete, and its derivatives are right: first and second, over many shapes."""

from __future__ import annotations

import inspect
import re
from typing import Any

import hypothesis
import pytest
from helpers import device_name
from hypothesis import strategies as st
from programs import CONSTANT, PROGRAMS
from programs.draw import Draw

import nbtorch
from nbtorch.nn import functional as F
from nbtorch.ops import load_all, registry
from nbtorch.ops.decompositions import no_derivative


def refuses(op: Any) -> bool:
    """Whether backward through the record raises: PyTorch has no derivative for it either."""
    return no_derivative in op.derivatives.values()


load_all()
DIFFERENTIABLE = {name for name, op in registry.items() if (op.derivatives or op.joint is not None) and not refuses(op)}


def used(t: Any) -> set[str]:
    """The names of the records in the graph of ``t``."""
    names, stack = set(), [t.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None and getattr(node, "op", None) is not None:
            names.add(node.op.name)
        if node is not None:
            stack.extend(n for n, _ in node.next_functions)
    return names


def test_every_differentiable_record_has_a_program() -> None:
    assert set(PROGRAMS) == DIFFERENTIABLE


shapes = st.lists(st.integers(0, 3), max_size=2).map(tuple)
# Programs of hundreds of operations, whose second derivatives take seconds a shape.
LARGE = {"gru_layer", "lstm_layer", "rnn_layer", "scaled_dot_product_attention", "scatter_reduce", "with_slope"}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_first_and_second_derivatives(name: str) -> None:
    # On another device than the host the derivatives are the same; what can differ are its primitives.
    most = 4 if device_name() == "cpu" else 2

    @hypothesis.settings(max_examples=1 if name in LARGE else most, derandomize=True, deadline=None, database=None)
    @hypothesis.given(shapes, st.integers(0, 100))
    def check(shape: tuple[int, ...], seed: int) -> None:
        program = PROGRAMS[name]
        first = Draw(shape, seed)
        nbtorch.manual_seed(seed)
        assert name in used(program(first))

        def again(*leaves: Any) -> Any:
            replay = Draw(shape, seed)
            given = iter(leaves)
            original = replay.make
            replay.make = lambda *a, **k: (original(*a, **k), next(given))[1]  # type: ignore[method-assign]
            nbtorch.manual_seed(seed)
            return program(replay)

        leaves = tuple(first.leaves)
        assert nbtorch.autograd.gradcheck(again, leaves)
        assert nbtorch.autograd.gradgradcheck(again, leaves)

    check()


@pytest.mark.parametrize("name", sorted(DIFFERENTIABLE))
def test_a_record_has_a_formula_and_a_derivative_for_each_input(name: str) -> None:
    op = registry[name]
    assert op.formula.strip(), "the derivative in LaTeX is missing"
    assert op.formula.count("{") == op.formula.count("}")
    if op.joint is None:
        constant = {"index", "mask", "condition"} | CONSTANT.get(name, set())
        assert set(op.derivatives) == set(op.inputs) - constant
    assert re.search(r"(Backward\d+|Backwards|CopySlices)$", op.node_name)


@pytest.mark.parametrize("name", sorted(registry))
def test_public_functions_are_documented(name: str) -> None:
    function = registry[name].function
    if function is None:
        return
    assert function.__doc__ and function.__doc__.strip()
    signature = inspect.signature(function)
    assert signature.parameters
    assert inspect.getsourcefile(function) is not None


def public_operations() -> list[Any]:
    found = []
    for holder, prefix in ((nbtorch, "nbtorch"), (F, "F"), (nbtorch.Tensor, "Tensor")):
        for attribute in dir(holder):
            value = getattr(holder, attribute)
            if not attribute.startswith("_") and inspect.isfunction(value) and value.__module__.startswith("nbtorch"):
                found.append(pytest.param(value, id=f"{prefix}.{attribute}"))
    return found


@pytest.mark.parametrize("function", public_operations())
def test_every_public_function_says_what_it_does(function: Any) -> None:
    assert function.__doc__ and len(function.__doc__.strip()) > 6
    assert inspect.signature(function) is not None


def test_names_are_unique_and_records_say_their_name() -> None:
    assert repr(registry["mul"]) == "Op('mul')"
    with pytest.raises(ValueError, match="registered already"):
        type(registry["mul"])("mul", lambda m, input: input)
