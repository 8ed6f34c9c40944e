"""A slope by nudging: the numbers, what the page may ask for, what is refused, the picture."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from nbtorch_widgets import Nudge

import nbtorch


def cube(x: Any) -> Any:
    return x * x * x


def test_slopes_are_those_of_the_two_formulas() -> None:
    nudge = Nudge(cube, 2.0, rule=lambda x: 3 * x * x)
    assert nudge.slope(0.5, "one") == pytest.approx((2.5**3 - 8) / 0.5)
    assert nudge.slope(0.5, "both") == pytest.approx((2.5**3 - 1.5**3) / 1)
    errors = nudge.history
    assert errors.shape == (33, 4)
    np.testing.assert_allclose(errors[-1], [1, 7, 1, 1], rtol=1e-6)
    # The best sizes of the textbooks: about the root, and the third root, of the precision.
    best = errors[errors[:, 1:].argmin(0), 0]
    assert 1e-9 < best[0] < 1e-7 and 1e-7 < best[1] < 1e-4 and best[2] > 1e-4
    assert repr(nudge) == "Nudge(x = 2, h = 0.5, one side: slope 15.25, rule 12, error 3.2)"


@pytest.mark.parametrize(("f", "slope"), [(np.sin, math.cos(0.7)), (np.exp, math.exp(0.7)), (np.log, 1 / 0.7)])
def test_without_a_rule_slopes_are_extrapolated(f: Any, slope: float) -> None:
    assert Nudge(f, 0.7).expected == pytest.approx(slope, rel=1e-9)


def test_a_function_of_tensors() -> None:
    nudge = Nudge(lambda x: nbtorch.tanh(nbtorch.tensor(float(x), dtype=nbtorch.float64)), 0.3)
    assert nudge.expected == pytest.approx(1 - math.tanh(0.3) ** 2)


def test_the_page_asks_and_the_kernel_measures() -> None:
    nudge = Nudge(cube, 2.0, rule=lambda x: 3 * x * x)
    nudge.wish = {"x": 1.0, "h": 0.1, "method": "both"}
    assert nudge.measured["slope"] == pytest.approx(3.01) and nudge.measured["expected"] == 3
    for nonsense in ({"x": "far", "h": 0.1, "method": "one"}, {"x": 99.0, "h": 0.1, "method": "one"}, {}, {"x": 1.0}):
        nudge.wish = nonsense
        assert nudge.measured["x"] == 1.0
    nudge.wish = {"x": 1.0, "h": 0.1, "method": "sideways"}
    assert nudge.method == "both"


def test_where_the_function_has_no_value_there_is_a_gap() -> None:
    for f in (math.log, np.log, lambda x: 1 / x if x else 1 / 0):
        nudge = Nudge(f, 1.0)
        json.dumps([nudge.curve, nudge.measured], allow_nan=False)
        ET.fromstring(nudge.to_svg())
    assert Nudge(math.log, 1.0).curve["y"][0] is None


def test_its_picture_is_the_same_each_time_in_both_languages() -> None:
    for language, words in (("en", "error of the slope"), ("ko", "기울기의 오차")):
        nudge = Nudge(cube, 2.0, 1e-3, "both", language=language)
        ET.fromstring(nudge.to_svg())
        assert words in nudge.to_svg() and nudge.to_svg() == nudge.to_svg()
    assert len(nudge.plot().axes) == 2


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((3.0,), {}, TypeError, "f to be a function"),
        ((cube, 1.0), {"rule": 3}, TypeError, "rule to be a function"),
        ((lambda x: "abc",), {}, TypeError, "one number; got str"),
        ((lambda x: nbtorch.ones(2),), {}, TypeError, "one number; got Tensor"),
        ((cube, 1.0, 2.0), {}, ValueError, "h from 1e-16 to 1"),
        ((cube, math.nan), {}, ValueError, "x from"),
        ((cube, 1.0, 0.1, "left"), {}, ValueError, "methods one, both, both32"),
        ((cube, 1.0), {"span": (2, 3)}, ValueError, "around x = 1"),
        ((lambda x: x - math.inf,), {}, ValueError, "finite"),
    ],
)
def test_what_it_cannot_show_is_refused_with_a_reason(
    arguments: tuple[Any, ...], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        Nudge(*arguments, **options)
