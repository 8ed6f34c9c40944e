"""Tensors in the notebook: what is read of them, what of them travels, and what is left of them without a front end."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from nbtorch_widgets import BroadcastBoard, StrideTape, TensorView
from nbtorch_widgets.tensorview import pages
from nbtorch_widgets.tensorview.shapes import unbroadcast


def unpack(widget: Any) -> tuple[dict[str, Any], bytes]:
    packed = bytes(widget.shown)
    length = int.from_bytes(packed[:4], "little")
    return json.loads(packed[4 : 4 + length]), packed[4 + length :]


def ask(view: TensorView, **message: Any) -> tuple[dict[str, Any], bytes]:
    """What the view answers to a message of the front end."""
    sent: list[tuple[dict[str, Any], bytes]] = []
    view.send = lambda content, buffers=(): sent.append((content, b"".join(buffers)))
    view._receive(view, message, [])
    [answer] = sent
    return answer


def sound(svg: str) -> str:
    """The words of a picture, all of whose rectangles lie on it."""
    root = ET.fromstring(svg)
    for box in root.findall("{http://www.w3.org/2000/svg}rect"):
        assert float(box.attrib["x"]) + float(box.attrib["width"]) <= float(root.attrib["width"]) + 0.5
        assert float(box.attrib["y"]) + float(box.attrib["height"]) <= float(root.attrib["height"]) + 0.5
    texts = (element for element in root.iter() if element.tag.endswith("text"))
    return " ".join(" ".join(element.itertext()) for element in texts)


def test_value_and_gradient(lib: Any) -> None:
    weight = lib.tensor([[1.0, -2.0], [0.0, 4.0]], requires_grad=True)
    (weight * weight).sum().backward()
    view = TensorView(weight, names=["w"])
    assert repr(view) == "TensorView(w: float32 (2, 2), -2 to 4, max|grad| 8)"
    np.testing.assert_array_equal(view.values, [[1, -2], [0, 4]])
    np.testing.assert_array_equal(view.gradient, [[2, -4], [0, 8]])
    header, payload = unpack(view)
    value, gradient = header["tensors"][0]["panels"]
    assert (value["role"], gradient["role"], value["code"]) == ("value", "gradient", "f4")
    assert payload == view.values.tobytes() + view.gradient.tobytes()
    assert header["tensors"][0]["strides"] == [2, 1]


def test_refresh_shows_what_changed_and_only_then(lib: Any) -> None:
    x = lib.zeros(3)
    view = TensorView(x)
    x += 1
    assert view.values.tolist() == [0, 0, 0]
    assert view.refresh().values.tolist() == [1, 1, 1]


def test_computed_tensors_are_not_asked_for_a_gradient(lib: Any, recwarn: pytest.WarningsRecorder) -> None:
    x = lib.ones(2, requires_grad=True)
    hidden, kept = x * 2, x * 3
    kept.retain_grad()
    (hidden + kept).sum().backward()
    view = TensorView(hidden=hidden, kept=kept)
    assert view.gradient["hidden"] is None and view.gradient["kept"].tolist() == [1, 1]
    assert not recwarn.list


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "int64", "uint8", "bool"])
def test_dtypes(lib: Any, dtype: str) -> None:
    view = TensorView(lib.tensor([[1.0, 0.0, 1.0]]).to(getattr(lib, dtype)))
    assert view.values.astype(float).tolist() == [[1, 0, 1]]
    assert unpack(view)[0]["tensors"][0]["dtype"] == dtype
    assert "value" in sound(view.to_svg())


def test_what_has_no_numbers_says_why() -> None:
    torch = pytest.importorskip("torch")
    view = TensorView(meta=torch.empty(3, device="meta"), sparse=torch.eye(2).to_sparse())
    assert view.values == {"meta": None, "sparse": None}
    notes = [tensor["note"] for tensor in unpack(view)[0]["tensors"]]
    assert "meta" in notes[0] and "sparse" in notes[1]
    assert "meta" in sound(view.to_svg())


def test_a_learners_own_class() -> None:
    own = SimpleNamespace(data=np.array([1.0, 2.0]), grad=np.array([3.0, 4.0]))
    view = TensorView(own)
    assert view.values.tolist() == [1, 2] and view.gradient.tolist() == [3, 4]
    own.grad = np.zeros((2, 2))
    assert view.refresh().gradient is None
    assert "shape (2, 2)" in unpack(view)[0]["tensors"][0]["note"]


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (7,), (2, 3, 4), (2, 1, 3, 2, 2), (40, 2, 2)])
def test_any_shape(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) - 1
    view = TensorView(array)
    header, payload = unpack(view)
    assert payload == array.tobytes()
    facets, rows, columns = header["tensors"][0]["grid"]
    sliders = np.prod([shape[axis] for axis in header["tensors"][0]["sliders"]])
    assert facets * rows * columns * sliders == array.size
    sound(view.to_svg())


def test_a_large_tensor_travels_in_little_and_is_asked_for_regions() -> None:
    array = np.random.default_rng(0).standard_normal((3, 700, 900)).astype(np.float32)
    array[1, 1, 1], array[1, 2, 3] = np.nan, np.inf
    view = TensorView(array)
    assert len(view.shown) <= (1 << 16) + 2000
    assert repr(view).endswith("1 NaN, 1 infinite)")
    answer, payload = ask(view, op="page", id=4, tensor=0, lead=[1], window=[0, 8, 0, 16])
    assert answer["op"] == "page" and answer["id"] == 4 and answer["panels"][0]["block"] == [1, 1]
    np.testing.assert_array_equal(np.frombuffer(payload, "<f4").reshape(8, 16), array[1, :8, :16])
    answer, payload = ask(view, op="page", id=5, tensor=0, lead=[1], window=[0, 700, 0, 900])
    assert answer["panels"][0]["image"] and len(payload) <= 1 << 16
    tall, wide = answer["panels"][0]["block"]
    planes = np.frombuffer(payload, np.uint8).reshape(3, -(-700 // tall), -(-900 // wide))
    assert planes[2, 0, 0] == 3
    block = array[1, tall : 2 * tall, wide : 2 * wide]
    scale = np.nanmax(np.where(np.isfinite(array), abs(array), 0))
    assert planes[0, 1, 1] == 128 + round(block.min() / scale * 127)
    assert planes[1, 1, 1] == 128 + round(block.max() / scale * 127)


@pytest.mark.parametrize(
    "message",
    [
        None,
        {"op": "page"},
        {"op": "page", "tensor": 9, "lead": [], "window": [0, 1, 0, 1]},
        {"op": "page", "tensor": 0, "lead": [], "window": [0, 99, 0, 1]},
        {"op": "page", "tensor": 0, "lead": [1], "window": [0, 1, 0, 1]},
        {"op": "page", "tensor": 0, "lead": [], "window": [0, 1, "0", True]},
        {"op": "page", "tensor": True, "lead": None, "window": {}},
    ],
)
def test_malformed_requests_are_answered_and_change_nothing(message: Any) -> None:
    view = TensorView(np.ones((2, 2)))
    before = bytes(view.shown)
    sent: list[Any] = []
    view.send = lambda content, buffers=(): sent.append(content)
    view._receive(view, message, [])
    assert [content["op"] for content in sent] == ["error"] and bytes(view.shown) == before


def test_exact_zeros_alone_look_like_zero() -> None:
    levels = pages._levels(np.array([0.0, 1e-30, -1e-30, 1.0, -1.0, np.inf]), 1.0)
    assert levels.tolist() == [128, 129, 127, 255, 1, 0]


def test_arguments_that_make_no_sense() -> None:
    with pytest.raises(TypeError, match="at least one"):
        TensorView()
    with pytest.raises(TypeError, match="'w' is of type object"):
        TensorView(w=object())
    with pytest.raises(ValueError, match="1 names"):
        TensorView(np.ones(1), names=[])
    with pytest.raises(ValueError, match="op to be one of"):
        BroadcastBoard((2,), (2,), op="@")
    with pytest.raises(TypeError, match="strides"):
        StrideTape(object())


def test_views_lie_on_the_tape_of_their_storage(lib: Any) -> None:
    x = lib.arange(12.0).reshape(3, 4)
    tape = TensorView.tape(x, x.T, x[1:, ::2], x[0].expand(3, 4), x.T.contiguous())
    assert [placed.tape for placed in tape.placed.values()] == [0, 0, 0, 0, 1]
    assert [placed.contiguous for placed in tape.placed.values()] == [True, False, False, False, True]
    assert tape.offsets["view 2"].tolist() == [[4, 6], [8, 10]]
    assert tape.offsets["view 3"].tolist() == [[0, 1, 2, 3]] * 3
    assert tape.storage.tolist() == list(range(12))
    for name, offsets in tape.offsets.items():
        cells = tape.tapes[tape.placed[name].tape].cells
        np.testing.assert_array_equal(cells[offsets], tape._tensors[name].numpy())
    assert "view 1 shape (4, 3) strides (1, 4) offset 0 not contiguous" in sound(tape.to_svg()).replace("  ", " ")


def test_numpy_memory_backwards_and_in_foreign_hands(lib: Any) -> None:
    base = np.arange(10)
    tape = StrideTape(base[2:8], base[::-2], names=["piece", "backwards"])
    assert len(tape.tapes) == 1 and tape.tapes[0].size == 10
    assert tape.offsets["backwards"].tolist() == [9, 7, 5, 3, 1] and tape.offsets["piece"][0] == 2
    x = lib.arange(6.0)
    shared = StrideTape(x[2:], x.numpy())
    assert len(shared.tapes) == 1 and shared.placed["view 1"].offset == 0


def test_a_long_tape_shows_the_piece_around_the_view() -> None:
    x = np.zeros(100_000, np.float32)
    tape = StrideTape(x[50_000:50_010])
    assert tape.tapes[0].first == 50_000 and len(tape.shown) < 1 << 16


@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
def test_broadcasting_and_its_way_back_are_the_librarys(lib: Any, op: str) -> None:
    a = lib.arange(1.0, 7.0).reshape(2, 3, 1)
    b = lib.arange(1.0, 13.0).reshape(3, 4)
    a.requires_grad_(), b.requires_grad_()
    out = {"+": a + b, "-": a - b, "*": a * b, "/": a / b}[op]
    grad = lib.arange(24.0).reshape(2, 3, 4)
    out.backward(grad)
    board = TensorView.broadcast(a, b, op=op, backward=True, grad=grad)
    np.testing.assert_allclose(board.result, out.detach().numpy(), rtol=1e-6)
    assert board.gradients is not None
    np.testing.assert_allclose(board.gradients[0], a.grad.numpy(), rtol=1e-5)
    np.testing.assert_allclose(board.gradients[1], b.grad.numpy(), rtol=1e-5)
    assert [axis.kind for axis in board.axes] == ["new b", "same", "stretch a"]
    assert repr(board) == f"BroadcastBoard(a (2, 3, 1) {op} b (3, 4) -> (2, 3, 4), backward)"
    sound(board.to_svg())


def test_shapes_that_do_not_fit() -> None:
    board = BroadcastBoard((4, 3), (4,), backward=True)
    assert not board.fits and board.shape is None and not board.backward
    assert repr(board) == "BroadcastBoard(a (4, 3) + b (4,): axis -1 has sizes 3 and 4, neither equal nor 1)"
    assert "neither equal nor 1" in sound(board.to_svg())


@pytest.mark.parametrize("shape", [(), (0, 3), (200, 300), (3, 1, 30, 40)])
def test_boards_of_any_size(shape: tuple[int, ...]) -> None:
    board = BroadcastBoard(shape, shape[-1:])
    assert board.shape == shape and len(board.shown) < 1 << 17
    sound(board.to_svg())


def test_unbroadcast() -> None:
    grad = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(unbroadcast(grad, (3, 1)), grad.sum(axis=(0, 2)).reshape(3, 1))
    np.testing.assert_array_equal(unbroadcast(grad, ()), grad.sum())


def test_hostile_names_and_equal_pictures() -> None:
    name = "<b>&\"'\n\x00\ud800]]>"
    one, other = (TensorView({name: np.eye(3) * (1 + bits)}) for bits in (0, 1e-16))
    assert one.to_svg() == other.to_svg() and "<b>" not in one.to_svg()
    for widget in (StrideTape(np.eye(2), names=[name]), BroadcastBoard((2,), (2, 1), names=(name, "b"))):
        assert "<b>" not in widget.to_svg()
        sound(widget.to_svg())


def test_figures() -> None:
    pytest.importorskip("matplotlib")
    assert len(TensorView(np.ones((2, 3, 4)), np.zeros(0)).plot().axes) == 3
    assert TensorView.tape(np.ones((2, 3))).plot().axes
    assert BroadcastBoard((2, 1), (3,)).plot().axes
