from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from outline import Outline

from nbtorch.notebook.display import module_html, tensor_html
from nbtorch.notebook.heatmap import heatmap, statistics
from nbtorch.notebook.markup import number_text
from nbtorch.notebook.palette import STEPS, color, contrast, hex_color, ink


def text(html: str) -> str:
    return Outline(html).text


def test_header_names_class_shape_dtype_device_and_gradient_state(lib: Any) -> None:
    assert text(tensor_html(lib.zeros(2, 3))).startswith("Tensor (2, 3) · float32 · cpu ")
    assert "· requires_grad " in text(tensor_html(lib.zeros(2, requires_grad=True)))
    assert "· grad_fn=MulBackward0 " in text(tensor_html(lib.ones(2, requires_grad=True) * 2))
    assert text(tensor_html(lib.nn.Parameter(lib.zeros(2)))).startswith("Parameter (2,)")


def test_a_scalar_shows_its_number(lib: Any) -> None:
    assert text(tensor_html(lib.tensor(0.6931471))).endswith("0.6931")
    assert text(tensor_html(lib.tensor(True))).endswith("True")
    assert text(tensor_html(lib.tensor(-3))).endswith("−3")
    assert text(tensor_html(lib.tensor(float("nan")))).endswith("nan")


def test_a_single_element_needs_no_map_and_no_statistics(lib: Any) -> None:
    w = lib.tensor([[2.0]], requires_grad=True)
    (w * w).sum().backward()
    assert text(tensor_html(w)) == "Tensor (1, 1) · float32 · cpu · requires_grad values 2 gradient 4"


def test_small_tensors_carry_their_numbers_and_statistics(lib: Any) -> None:
    shown = text(tensor_html(lib.tensor([[-1.0, 0.0], [0.12345, 2.0]])))
    for word in ("−1", "0.123", "min −1 · mean 0.281 · max 2"):
        assert word in shown


def test_the_gradient_stands_beside_the_values(lib: Any) -> None:
    w = lib.tensor([1.0, 2.0], requires_grad=True)
    assert "gradient" not in text(tensor_html(w))
    (w * w).sum().backward()
    shown = text(tensor_html(w))
    assert "values" in shown and "gradient 2 4" in shown


def test_a_retained_gradient_is_shown_and_asking_never_warns(lib: Any) -> None:
    w = lib.ones(2, requires_grad=True)
    h, k = w * 3, w * 5
    h.retain_grad()
    (h + k).sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "gradient" in text(tensor_html(h))
        assert "gradient" not in text(tensor_html(k))


@pytest.mark.parametrize(
    ("shape", "note"),
    [
        ((5,), ""),
        ((500,), "showing 64 of 500 elements"),
        ((28, 28), ""),
        ((128, 64), "showing 28 of 128 rows, 28 of 64 columns"),
        ((1000, 3), "showing 64 of 1,000 rows"),
        ((3, 8, 8), ""),
        ((64, 1, 28, 28), "showing 2 of 64 slices"),
        ((2, 2, 2, 2, 2), ""),
        ((9, 100, 100), "showing 2 of 9 slices, 28 of 100 rows, 28 of 100 columns"),
    ],
)
def test_every_rank_is_shown_and_what_is_left_out_is_said(lib: Any, shape: tuple[int, ...], note: str) -> None:
    html = tensor_html(lib.ones(*shape))
    shown = text(html)
    assert note in shown if note else "showing" not in shown
    if len(shape) > 2:
        assert f"[{', '.join('0' for _ in shape[:-2])}]" in shown


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0, 2)])
def test_empty_tensors(lib: Any, shape: tuple[int, ...]) -> None:
    assert text(tensor_html(lib.zeros(*shape))).endswith("no elements")


def test_twenty_kilobytes_at_most(lib: Any) -> None:
    lib.manual_seed(0)
    for shape in ((500,), (300, 300), (28, 28), (8, 28, 28), (1, 1, 64, 64), (100, 10, 10)):
        w = lib.randn(*shape, requires_grad=True)
        (w * lib.randn(*shape)).sum().backward()
        assert len(tensor_html(w).encode()) < 20_000
        assert len(tensor_html(w.detach()).encode()) < 20_000


def test_nan_and_infinities_are_marked_counted_and_kept_out_of_the_scale(lib: Any) -> None:
    small = lib.tensor([[1.0, float("nan")], [float("inf"), -float("inf")]])
    shown = text(tensor_html(small))
    for word in ("✕ nan", "▲ inf", "▼ −inf", "✕ 1 NaN", "▲ 2 Inf", "max 1"):
        assert word in shown
    large = lib.zeros(20, 20)
    large[3, 4] = float("nan")
    large[5, 6] = float("inf")
    html = tensor_html(large)
    assert "M4.2 3.2l.6 .6m0 -.6l-.6 .6" in html and "M6.2 5.8h.6l-.3 -.6z" in html
    assert "no finite values" in text(tensor_html(lib.full((2,), float("nan"))))


def test_exact_zero_differs_from_almost_zero(lib: Any) -> None:
    html = tensor_html(lib.tensor([[0.0, 1e-12, 1.0, -1e-12]]))
    for level in (0, 1, STEPS, -1):
        assert f'stroke="{hex_color(level)}"' in html


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int32", "int64", "float16", "float32", "float64"])
def test_every_dtype(lib: Any, dtype: str) -> None:
    assert f"· {dtype} ·" in text(tensor_html(lib.ones(2, 2, dtype=getattr(lib, dtype))))


def test_strange_kinds_of_tensors_show_their_header() -> None:
    import torch

    assert "bfloat16" in text(tensor_html(torch.ones(2, dtype=torch.bfloat16)))
    for tensor in (torch.zeros(2, dtype=torch.complex64), torch.eye(2).to_sparse(), torch.empty(3, device="meta")):
        assert text(tensor_html(tensor)).startswith("Tensor (")


def test_looking_at_a_tensor_changes_nothing(lib: Any) -> None:
    w = lib.ones(3, requires_grad=True)
    h = w * w
    before = w._version
    tensor_html(w)
    tensor_html(h)
    assert w._version == before
    h.sum().backward()
    assert w.grad.tolist() == [2, 2, 2]


def test_no_script_and_no_address_in_anything(lib: Any) -> None:
    html = tensor_html(lib.ones(3, 3)) + module_html(lib.nn.Sequential(lib.nn.Linear(2, 2)))
    assert not {"script", "link", "img", "iframe"} & set(Outline(html).tags)
    assert "http" not in html and "url(" not in html and "0x" not in html


PROGRAM = """
import sys, importlib
lib = importlib.import_module(sys.argv[1])
from nbtorch.notebook.display import module_html, tensor_html
w = (lib.arange(600.0).reshape(20, 30) * 0.7).sin().requires_grad_()
(w * w).sum().backward()
model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Linear(4, 2))
print(tensor_html(w) + module_html(model))
"""


def test_equal_programs_give_equal_displays_in_every_process(
    outputs_in_new_processes: Callable[[str], set[str]],
) -> None:
    assert len(outputs_in_new_processes(PROGRAM)) == 1


def test_last_digits_of_a_float_do_not_change_the_display(lib: Any) -> None:
    values = lib.tensor([[0.1, -0.7, 0.25], [0.33, 0.5, 1.0]], dtype=lib.float64)
    noisy = values * (1 + 1e-12)
    assert tensor_html(values) == tensor_html(noisy)


def test_a_mean_that_is_zero_but_for_rounding_is_shown_as_zero(lib: Any) -> None:
    logits = lib.arange(12.0).reshape(3, 4).sin().requires_grad_()
    lib.nn.functional.cross_entropy(logits, lib.tensor([0, 1, 2])).backward()
    assert "mean 0 ·" in text(tensor_html(logits.grad))


# --- modules


def test_a_module_is_a_tree_with_counts(lib: Any) -> None:
    nn = lib.nn
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Sequential(nn.Linear(32, 10), nn.Tanh()))
    html = module_html(model)
    shown = text(html)
    assert shown.startswith("Sequential · 2,410 parameters · training mode")
    for line in (
        "1 Linear 2,080 in_features=64, out_features=32, bias=True",
        "weight (32, 64) 2,048 · float32",
        "2 ReLU",
    ):
        assert line in shown
    assert Outline(html).tags.count("details") == 3
    assert html.count('<details style="margin-left:18px" open>') == 1  # the inner Sequential; leaves are folded


def test_frozen_and_shared_parameters_and_modes(lib: Any) -> None:
    nn = lib.nn
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    model[0].bias.requires_grad_(False)
    shown = text(module_html(model.eval()))
    assert shown.startswith("Sequential · 15 parameters, 12 trainable, 3 frozen · evaluation mode")
    assert "bias (3,) 3 · float32 · frozen" in shown
    assert "weight (3, 3) 9 · float32 · shared with 0.weight" in shown


def test_buffers_and_own_parameters_of_the_root(lib: Any) -> None:
    class Scale(lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = lib.nn.Parameter(lib.ones(2))
            self.register_buffer("offset", lib.zeros(3))

    shown = text(module_html(Scale()))
    assert "factor (2,) 2 · float32" in shown and "offset (3,) 3 · float32 · buffer" in shown
    assert text(module_html(lib.nn.ReLU())) == "ReLU · 0 parameters · training mode"


def test_names_in_a_module_are_escaped(lib: Any) -> None:
    class Loud(lib.nn.Module):
        def extra_repr(self) -> str:
            return "<b onclick=alert(1)>"

    Loud.__name__ = "<script>"
    model = lib.nn.ModuleDict({"<i>": Loud()})
    html = module_html(model)
    assert "<script>" not in html and "<b onclick" not in html and "<i>" not in html
    assert "<script>" in text(html)


def test_enormous_and_deep_modules_are_cut_with_a_word(lib: Any) -> None:
    nn = lib.nn
    html = module_html(nn.ModuleList(nn.Linear(1, 1) for _ in range(300)))
    assert "… more: 101 modules here are not shown" in text(html)
    deep = nn.Linear(1, 1)
    for _ in range(150):
        deep = nn.Sequential(deep)
    assert Outline(module_html(deep)).tags.count("details") == 150


# --- the pieces


@settings(deadline=None)
@given(arrays.array_shapes(max_dims=4, max_side=30), st.lists(st.floats(width=64), min_size=1, max_size=30))
def test_any_array_is_drawn(shape: tuple[int, ...], elements: list[float]) -> None:
    array = np.resize(np.array(elements), shape)
    facts = statistics(array)
    drawn = heatmap(array, facts.scale, "label")
    Outline(drawn.svg)
    assert len(drawn.svg) < 24_000 and "nan" not in drawn.svg.replace("✕ nan", "")
    finite = array[np.isfinite(array)]
    assert facts.nans == np.isnan(array).sum() and facts.nans + facts.infinities == array.size - finite.size
    if finite.size:
        assert (facts.minimum, facts.maximum) == (finite.min(), finite.max())


def test_statistics_in_pieces_equal_statistics_at_once() -> None:
    array = np.random.default_rng(0).standard_normal((1500, 1000)).astype(np.float32)
    facts = statistics(array)
    assert facts.minimum == array.min() and facts.maximum == array.max()
    assert facts.mean == pytest.approx(array.mean(dtype=np.float64), rel=1e-12, abs=1e-12)
    assert statistics(np.array([True, False, True])).mean == pytest.approx(2 / 3)
    assert math.isnan(statistics(np.array([np.nan])).mean)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (-0.0, "0"), (1.0, "1"), (-1.5, "−1.5"), (1234567.0, "1.235e+06"), (2e-7, "2e−07"), (1 / 3, "0.3333")],
)
def test_numbers_have_four_digits_at_most(value: float, shown: str) -> None:
    assert number_text(value) == shown


def test_the_palette_is_ordered_and_readable() -> None:
    distances = [sum(abs(a - b) for a, b in zip(color(k), color(0), strict=True)) for k in range(STEPS + 1)]
    assert distances == sorted(distances) and distances[1] > 10
    for level in range(-STEPS, STEPS + 1):
        assert re.fullmatch("#[0-9a-f]{6}", hex_color(level))
        letters = (255, 255, 255) if ink(level) == "#fff" else (17, 17, 17)
        assert contrast(color(level), letters) >= 4.5
    for strength in range(1, STEPS + 1):  # blue stays blue and orange orange: told apart without red and green cones
        assert color(-strength)[2] > color(-strength)[0] and color(strength)[0] > color(strength)[2]
