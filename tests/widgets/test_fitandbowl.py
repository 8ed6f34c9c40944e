"""The line and the bowl of its loss: what is refused, what is inferred, the picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from nbtorch_widgets import FitAndBowl

import nbtorch

X, Y = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 4.0, 6.0, 8.0])


def descent(lr: float, steps: int) -> list[tuple[float, float]]:
    path = [(0.0, 0.0)]
    for _ in range(steps):
        w, b = path[-1]
        error = w * X + b - Y
        path.append((w - lr * 2 * (error * X).mean(), b - lr * 2 * error.mean()))
    return path


def test_the_learning_rate_is_read_off_the_first_step() -> None:
    assert FitAndBowl(X, Y, descent(0.03, 5)).lr == pytest.approx(0.03)
    assert FitAndBowl(X, Y, [(0.0, 0.0), (1.0, -1.0)]).lr is None
    assert FitAndBowl(X, Y, [(0.0, 0.0)], lr=0.5).fit["lr"] == 0.5


def test_tensors_columns_and_losses() -> None:
    x, y = (nbtorch.tensor(values.reshape(4, 1), dtype=nbtorch.float32) for values in (X, Y))
    fit = FitAndBowl(x, y, [(nbtorch.tensor(0.0), 0.0), (1.0, 1.0)])
    np.testing.assert_allclose(fit.losses(), [30.0, 3.5])
    assert repr(FitAndBowl(X, Y, descent(0.01, 100))) == (
        "FitAndBowl(4 points, step 100 of 100: y = 1.85 x +0.45, loss 0.034)"
    )


def test_a_path_that_runs_away_ends_where_it_is_no_longer_finite() -> None:
    with np.errstate(all="ignore"):
        fit = FitAndBowl(X, Y, descent(0.5, 2000))
    json.dumps(fit.fit, allow_nan=False)
    assert 1 < len(fit.history) < 2000
    ET.fromstring(fit.to_svg())


def test_its_picture_is_xml_in_both_languages() -> None:
    for language, words in (("en", "the loss over w and b"), ("ko", "손실")):
        fit = FitAndBowl(X, Y, descent(0.01, 30), step=3, language=language)
        ET.fromstring(fit.to_svg())
        assert words in fit.to_svg() and fit.to_svg() == fit.to_svg()
    assert len(fit.plot().axes) == 2


@pytest.mark.parametrize(
    ("x", "y", "path", "words"),
    [
        (X, Y[:3], descent(0.01, 2), "as many x as y"),
        (X, Y, [1.0, 2.0], "shape"),
        (np.ones((4, 2)), Y, descent(0.01, 2), "FitAndBowl expected x of shape"),
        (np.full(4, np.nan), Y, descent(0.01, 2), "finite"),
        (X, Y, [(np.nan, 0.0)], "begins with finite"),
        (np.ones(100), np.ones(100), descent(0.01, 2), "1 to 60"),
    ],
)
def test_what_it_cannot_show_is_refused_with_a_reason(x: object, y: object, path: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FitAndBowl(x, y, path)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises((TypeError, ValueError)):
        FitAndBowl("abcd", Y, descent(0.01, 2))
