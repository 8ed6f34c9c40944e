from __future__ import annotations

import gc
import re
import sys
import time
import weakref
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from nbtorch.notebook import graph_svg
from nbtorch.notebook.graph import Graph, graph
from nbtorch.notebook.palette import contrast
from nbtorch.notebook.trace import friendly_name


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def regression(lib: Any) -> tuple[Any, dict[str, Any]]:
    x, y = lib.ones(4, 1), lib.zeros(4, 1)
    w = lib.zeros(1, 1, requires_grad=True)
    b = lib.zeros(1, requires_grad=True)
    pred = x @ w + b
    error = pred - y
    return (error * error).mean(), {"w": w, "b": b, "pred": pred}


def texts(svg: str) -> list[str]:
    """The texts of a drawing, which has to be well-formed XML for that."""
    return ["".join(e.itertext()) for e in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_regression_is_listed_as_it_was_computed(lib: Any) -> None:
    loss, names = regression(lib)
    listing = repr(graph(loss, params=names)).splitlines()
    assert listing[0] == "Graph of loss: 5 operations, 2 leaves, depth 5"
    assert [" ".join(line.split()) for line in listing[1:]] == [
        "w: leaf (1, 1)",
        "%2 = matmul(·, w) (4, 1)",
        "b: leaf (1,)",
        "pred = add(%2, b) (4, 1)",
        "%5 = sub(pred, ·) (4, 1)",
        "%6 = mul(%5, %5) (4, 1)",
        "%7 = mean(%6) scalar",
        "loss = %7 scalar",
    ]


def test_regression_is_drawn(lib: Any) -> None:
    loss, names = regression(lib)
    g = graph(loss, params=names)
    words = texts(g._repr_svg_())
    for word in ("w", "b", "@ matmul", "pred = add", "− sub", "× mul", "mean", "loss", "(4, 1)", "scalar"):
        assert word in words
    assert (g.counts, g.leaves, g.depth, g.is_drawn) == (
        {"add": 1, "matmul": 1, "mean": 1, "mul": 1, "sub": 1},
        2,
        5,
        True,
    )


def test_a_mime_bundle_carries_drawing_and_text(lib: Any) -> None:
    g = graph(regression(lib)[0])
    assert g._repr_mimebundle_() == {"text/plain": repr(g), "image/svg+xml": g._repr_svg_()}


def test_a_module_names_its_parameters(lib: Any) -> None:
    model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.ReLU(), lib.nn.Linear(4, 2))
    loss = model(lib.ones(5, 3)).sum()
    words = texts(graph(loss, params=model)._repr_svg_())
    assert {"0.weight", "0.bias", "2.weight", "2.bias", "relu"} <= set(words)
    assert "net.2.bias" in texts(graph(loss, params={"net": model})._repr_svg_())


def test_shared_nodes_are_drawn_once_and_each_use_is_an_edge(lib: Any) -> None:
    x = lib.ones(3, requires_grad=True)
    h = lib.tanh(x)
    g = graph((h * h + h).sum(), params={"x": x})
    assert g.counts == {"add": 1, "mul": 1, "sum": 1, "tanh": 1}
    svg = g._repr_svg_()
    assert texts(svg).count("tanh") == 1
    arrows = svg.count("l-4 -7h8z")
    assert arrows == 1 + 2 + 2 + 1 + 1  # x-tanh, tanh-mul twice, mul-add, tanh-add, add-sum, sum-loss


def test_sixty_doublings_are_sixty_nodes(lib: Any) -> None:
    x = y = lib.ones(1, requires_grad=True)
    for _ in range(60):
        y = y + y
    g = graph(y, params={"x": x})
    assert g.counts == {"add": 60} and g.depth == 60


def test_one_leaf_used_by_many_is_one_leaf(lib: Any) -> None:
    w = lib.ones(2, requires_grad=True)
    loss = ((w * 2) + (w * 3) + w.exp()).sum()
    assert graph(loss, params={"w": w}).leaves == 1


def test_several_results(lib: Any) -> None:
    w = lib.ones(2, requires_grad=True)
    g = graph({"total": (w * 2).sum(), "penalty": (w * w).sum(), "weight": w})
    assert {"total", "penalty", "weight"} <= set(texts(g._repr_svg_()))
    assert repr(g).startswith("Graph of total, penalty, weight: 4 operations, 1 leaf, depth 2")


def test_a_leaf_alone_is_a_graph(lib: Any) -> None:
    w = lib.ones(2, requires_grad=True)
    g = graph(w, params={"w": w})
    assert (g.leaves, g.depth, g.counts) == (1, 0, {})
    assert texts(g._repr_svg_()).count("w") == 2


def test_a_result_without_a_name_is_the_loss_if_it_has_one_element(lib: Any) -> None:
    x = lib.ones(2, requires_grad=True)
    assert repr(graph((x * 2).sum())).startswith("Graph of loss:")
    assert repr(graph(x * 2)).startswith("Graph of output:")


def test_in_a_notebook_its_variables_give_the_names(lib: Any, shell: InteractiveShell) -> None:
    model = lib.nn.Linear(2, 1)
    objective = model(lib.ones(3, 2)).sum()
    p = next(model.parameters())  # a leftover of a loop: the module's name for it says more
    shell.user_ns.update(model=model, p=p, objective=objective, _=objective, _1=p, strange=type("S", (), {}))
    words = texts(graph(objective)._repr_svg_())
    assert {"model.weight", "model.bias", "objective"} <= set(words)
    assert "p" not in words


def test_custom_functions_keep_their_class_name(lib: Any) -> None:
    class Twice(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.variable = "no leaf, whatever its attributes"
            return x * 2

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * 2

    x = lib.ones(2, requires_grad=True)
    assert graph(Twice.apply(x).sum()).counts == {"Twice": 1, "sum": 1}


@pytest.mark.parametrize(
    ("name", "friendly"),
    [
        ("AddBackward0", "add"),
        ("MseLossBackward0", "mse_loss"),
        ("BinaryCrossEntropyWithLogitsBackward0", "binary_cross_entropy_with_logits"),
        ("TBackward0", "transpose"),
        ("MmBackward0", "matmul"),
        ("torch::autograd::CopySlices", "CopySlices"),
        ("MyExpBackward", "MyExp"),
        ("Backward", "Backward"),
    ],
)
def test_friendly_names(name: str, friendly: str) -> None:
    assert friendly_name(name) == friendly


def test_names_are_escaped_and_long_ones_shortened(lib: Any) -> None:
    x = lib.ones(2, requires_grad=True)
    names = {"<script>&\"'\x00": x}
    svg = graph({"a" * 80: (x * 2).sum()}, params=names)._repr_svg_()
    assert "<script>" not in svg and "\x00" not in svg
    words = texts(svg)
    assert "<script>&\"'\ufffd" in words
    assert not any(len(word) > 60 for word in words)


def test_wide_letters_get_room(lib: Any) -> None:
    x = lib.ones(2, requires_grad=True)
    narrow, wide = (graph((x * 2).sum(), params={name: x})._repr_svg_() for name in ("w" * 10, "가중치가중치가중치가"))
    leaf_width = re.compile(r'width="([0-9.]+)" height="38" rx="19"')
    assert float(leaf_width.findall(wide)[0]) > 1.6 * float(leaf_width.findall(narrow)[0])


def test_large_graphs_are_summarised(lib: Any) -> None:
    x = y = lib.ones(2, requires_grad=True)
    for _ in range(300):
        y = y * 1.01
    g = graph(y.sum(), params={"x": x})
    assert not g.is_drawn and g.depth == 301 and g.counts == {"mul": 300, "sum": 1}
    assert repr(g).splitlines() == [
        "Graph of loss: 301 operations, 1 leaf, depth 301 (too large to draw: more than max_nodes=200 nodes)",
        "  mul        300",
        "  sum          1",
        "  longest path: x → mul → mul → mul → mul → …",
        "                … 292 more … → mul → mul → mul → mul → sum",
    ]
    assert "300" in texts(g._repr_svg_())
    assert graph(y.sum(), max_nodes=1000).is_drawn


def test_wide_graph_with_a_short_path_is_summarised(lib: Any) -> None:
    x = lib.ones(2, requires_grad=True)
    g = graph({str(k): x * k for k in range(9)}, params={"x": x}, max_nodes=5)
    assert "longest path: x → mul" in repr(g) and "more …" not in repr(g)


def test_a_long_listing_is_elided_in_the_middle(lib: Any) -> None:
    y = lib.ones(2, requires_grad=True)
    for _ in range(150):
        y = y * 1.01
    assert "  … 92 more lines …" in repr(graph(y)).splitlines()


def test_a_deep_graph_is_summarised_in_seconds_without_recursion(lib: Any) -> None:
    # PyTorch 2.13 crashes when it deletes a chain of 100,000 nodes that Python has looked at, with or without us.
    length = 200_000 if lib.__name__ == "nbtorch" else 10_000
    x = y = lib.ones(1, requires_grad=True)
    for _ in range(length):
        y = y * 1.0
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        start = time.process_time()
        g = graph(y, params={"x": x})
        seconds = time.process_time() - start
        assert f"{length:,}" in g._repr_svg_()
    finally:
        sys.setrecursionlimit(limit)
    assert g.depth == length and g.leaves == 1
    assert seconds < 10  # about 1 s; a generous bound for a busy machine


def test_the_picture_keeps_nothing_alive(lib: Any) -> None:
    loss, names = regression(lib)
    leaf = weakref.ref(names["w"])
    g = graph(loss, params=names)
    del loss, names
    gc.collect()
    assert leaf() is None
    assert isinstance(g, Graph) and "mean" in repr(g)


def test_the_graph_can_still_run_backward_after_it_was_drawn(lib: Any) -> None:
    loss, names = regression(lib)
    graph(loss)
    loss.backward()
    assert names["w"].grad is not None
    assert graph(loss, params=names).depth == 5  # and be drawn once more


PROGRAM = """
import sys, importlib
lib = importlib.import_module(sys.argv[1])
from nbtorch.notebook.graph import graph
model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Linear(4, 2))
h = model(lib.ones(5, 3))
print(graph({"a": (h * h + h).sum(), "b": h.mean()}, params=model)._repr_svg_())
"""


def test_equal_programs_give_equal_drawings_in_every_process(
    outputs_in_new_processes: Callable[[str], set[str]],
) -> None:
    (svg,) = outputs_in_new_processes(PROGRAM)
    assert "0x" not in svg and " id=" not in svg


def test_save_writes_the_drawing(lib: Any, tmp_path: Path) -> None:
    g = graph(regression(lib)[0])
    g.save(tmp_path / "loss.svg")
    assert (tmp_path / "loss.svg").read_text(encoding="utf-8") == g._repr_svg_()


def test_what_is_no_tensor_is_refused(lib: Any) -> None:
    with pytest.raises(TypeError, match="expected a tensor, but got float"):
        graph(3.0)
    with pytest.raises(TypeError, match="expected a tensor, but got Linear: call the module and pass its result"):
        graph(lib.nn.Linear(2, 2))
    with pytest.raises(TypeError, match="expected a tensor for 'a', but got list"):
        graph({"a": []})
    with pytest.raises(ValueError, match="got an empty dict"):
        graph({})
    x = lib.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match=r"params\['x'\] to be a tensor or module, but got int"):
        graph(x * 2, params={"x": 1})
    with pytest.raises(TypeError, match="a dict from names to tensors, or a module, but got list"):
        graph(x * 2, params=[x])
    with pytest.raises(ValueError, match="max_nodes >= 0, but got -1"):
        graph(x * 2, max_nodes=-1)


def test_a_tensor_without_a_graph_is_explained(lib: Any) -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 3\) with requires_grad=False and no grad_fn: compute it from"):
        graph(lib.ones(2, 3))


def rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def test_colours_are_readable_on_both_themes() -> None:
    for fill, stroke, ink in graph_svg._COLORS.values():
        if fill != "none":
            assert contrast(rgb(fill), rgb(ink)) >= 7
        for page in ("#ffffff", "#111111"):
            assert max(contrast(rgb(stroke), rgb(page)), contrast(rgb(fill), rgb(page)) if fill != "none" else 0) >= 3
    for page in ("#ffffff", "#111111"):
        assert contrast(rgb(graph_svg._LINE), rgb(page)) >= 3.5
    assert contrast(rgb(graph_svg._PANEL), rgb(graph_svg._PANEL_MUTED)) >= 4.5
