"""The matrix product, cell by cell: its numbers, its refusals and its picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from nbtorch_widgets import MatmulFlow

import nbtorch

A, B = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]]), np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]])


def test_its_gradients_are_those_of_backward() -> None:
    a, b = (nbtorch.tensor(value, requires_grad=True) for value in (A, B))
    grad = nbtorch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=a.dtype)
    (a @ b).backward(grad)
    flow = MatmulFlow(a, b, grad=grad)
    assert a.grad is not None and b.grad is not None
    assert np.array_equal(flow.history["da"], a.grad.numpy()) and np.array_equal(flow.history["db"], b.grad.numpy())
    assert flow.shown["ga"] == flow.shown["da"] and flow.shown["gb"] == flow.shown["db"]


def test_the_chosen_sum_is_written_out() -> None:
    assert repr(MatmulFlow(A, B)) == "MatmulFlow(A (2, 3) @ B (3, 2) -> (2, 2): (A @ B)[0, 0] = 1·1 + 2·2 + 0·0 = 5)"
    assert "grad A[1, 2] = 1·0 + 1·3 = 3" in repr(MatmulFlow(A, B, cell=("a", 1, 2)))
    assert "grad B[2, 0] = 0·1 + (-1)·1 = -1" in repr(MatmulFlow(A, B, cell=("b", 2, 0)))


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (A, A, "a row of A has 3 numbers and a column of B has 2"),
        (A[0], B, "reshape a row to"),
        (np.ones((9, 3)), B, "at most 8 rows and columns"),
        (np.ones((2, 0)), np.ones((0, 2)), "at most 8"),
    ],
)
def test_what_it_cannot_show_is_refused_with_a_reason(a: object, b: object, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        MatmulFlow(a, b)


def test_other_refusals() -> None:
    with pytest.raises(TypeError, match="matrix of numbers"):
        MatmulFlow(A, "B")
    with pytest.raises(ValueError, match="the product's"):
        MatmulFlow(A, B, grad=A)
    with pytest.raises(ValueError, match="in its grid"):
        MatmulFlow(A, B, cell=("c", 2, 0))


def test_its_picture_is_xml_and_json_has_no_nan() -> None:
    flow = MatmulFlow(np.array([[np.nan, np.inf]]), np.eye(2), names=("<x>", "&y"), language="ko")
    ET.fromstring(flow.to_svg())
    assert "그래디언트" in flow.to_svg() and flow.to_svg() == flow.to_svg()
    json.dumps(flow.shown, allow_nan=False)
