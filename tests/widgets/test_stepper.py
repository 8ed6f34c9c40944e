"""The backprop stepper: its gradients are the library's, its mistakes are wrong exactly where they must be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("anywidget")

from nbtorch_widgets import BackpropStepper
from nbtorch_widgets.stepper import tape as tapes
from nbtorch_widgets.stepper.layout import BOX, arrange
from nbtorch_widgets.stepper.widget import StepperError

EXPRESSIONS: dict[str, Callable[..., Any]] = {
    "shared": lambda a, b: (a * b) * (a * b + 3) + a,
    "division": lambda a, b: a / (b * b + 1) - 2 / a,
    "powers": lambda a, b: a**3 + (b * b) ** 0.5 - 1 / b,
    "chain": lambda a, b: (a.tanh() * b.exp()).sigmoid() - (-a).relu(),
    "logarithm": lambda a, b: (a * a).log() + (b * b).sqrt() + a.sin() * b.cos(),
    "twice": lambda a, b: a + a * a + b,
    "constants": lambda a, b: 3 - 2 * a + b / 4 - 1,
}


def expected(lib: Any, function: Callable[..., Any], values: list[Any]) -> tuple[float, list[Any]]:
    leaves = [lib.tensor(v, dtype=lib.float64, requires_grad=True) for v in values]
    loss = function(*leaves)
    loss.backward()
    return float(loss.item()), [leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_gradients_are_the_librarys_and_slopes_agree(lib: Any, name: str) -> None:
    function = EXPRESSIONS[name]
    stepper = BackpropStepper(function, *(lib.tensor(v, dtype=lib.float64) for v in (2.0, -1.5)))
    _, gradients = expected(lib, function, [2.0, -1.5])
    found = stepper.gradients()
    np.testing.assert_allclose([found["a"], found["b"]], gradients, rtol=1e-9)
    assert {check["state"] for check in stepper.tape["checks"]} == {"agrees"}
    # Incoming × local is what each operation hands on, wherever there is a local derivative.
    passes = [(step["incoming"], p) for step in stepper.history if step["phase"] == "backward" for p in step["passes"]]
    for incoming, step in passes:
        assert step["local"] is not None
        np.testing.assert_allclose(incoming * step["local"], step["product"], rtol=1e-6)
        before = 0 if step["before"] is None else step["before"]
        np.testing.assert_allclose(before + step["product"], step["after"], rtol=1e-9)


def test_tensors_of_any_shape_and_broadcasting(lib: Any) -> None:
    draw = np.random.default_rng(0)
    data = lib.tensor(draw.standard_normal((4, 2)))
    values = [draw.standard_normal((2, 3)), draw.standard_normal(3), draw.standard_normal((3, 2))]
    targets = lib.tensor([0, 1, 0, 1])

    def network(w: Any, b: Any, v: Any) -> Any:
        return lib.nn.functional.cross_entropy((data @ w + b).tanh() @ v, targets) + 0.1 * (w * b).mean()

    stepper = BackpropStepper(network, *(lib.tensor(v) for v in values))
    for name, gradient in zip("wbv", expected(lib, network, values)[1], strict=True):
        np.testing.assert_allclose(stepper.gradients()[name], gradient, rtol=1e-9)
    assert {check["state"] for check in stepper.tape["checks"]} == {"agrees"}
    assert stepper.mistaken("assign") == ["w", "b"]


def test_mistakes_are_wrong_exactly_where_they_must_be(lib: Any) -> None:
    a, b = (lib.tensor(v, dtype=lib.float64, requires_grad=True) for v in (2.0, 5.0))
    c = a * b
    d = c + 1
    loss = c * d  # c gets d from here at once, and c from d later
    stepper = BackpropStepper(loss)
    assert stepper.mistaken("order") == ["a", "b"]
    assert stepper.gradients("order")["a"] == pytest.approx(11 * 5)  # only what had arrived at c, times b
    assert stepper.gradients("order")["c"] == pytest.approx(21)  # the rest arrives, and goes no further
    assert stepper.mistaken("assign") == ["a", "b", "c"]
    assert stepper.gradients("assign")["c"] == pytest.approx(10)
    assert stepper.gradients()["a"] == pytest.approx(21 * 5)
    assert a.grad is None and loss.grad_fn is not None


def test_without_a_shared_value_no_mistake_does_harm(lib: Any) -> None:
    stepper = BackpropStepper(lambda a, b: (a * 2).tanh() + b, lib.tensor(0.5), lib.tensor(1.0))
    assert [stepper.mistaken(v) for v in tapes.VARIANTS] == [[], [], [], []]
    assert stepper.tape["unordered"] is False


def test_a_plain_loss_can_be_edited_where_its_tape_holds_all(lib: Any) -> None:
    a, b = (lib.tensor(v, requires_grad=True) for v in (2.0, -3.0))
    loss = (a * b + 3) ** 2 + a / 7
    stepper = BackpropStepper(loss)
    stepper.edit("a", 0.5)
    value, gradients = expected(lib, lambda a, b: (a * b + 3) ** 2 + a / 7, [0.5, -3.0])
    assert float(stepper.history[-5]["incoming"]) == 1.0
    assert repr(stepper) == f"BackpropStepper(loss = {value:.4g}, 5 operations, 2 leaves)"
    np.testing.assert_allclose(stepper.gradients()["a"], gradients[0], rtol=1e-5)
    assert float(a.item()) == 2.0 and a.grad is None


def test_an_edit_calls_the_function_again(lib: Any) -> None:
    stepper = BackpropStepper(lambda a: a * a if a.item() > 0 else -a, lib.tensor(3.0))
    stepper.edit("a", -2)
    assert stepper.gradients()["a"] == pytest.approx(-1)
    assert stepper.history[0]["op"] == "neg"


@pytest.mark.parametrize(
    "message",
    [
        {"node": 0, "value": "2"},
        {"node": 0, "value": math.nan},
        {"node": 0, "value": math.inf},
        {"node": 0, "value": True},
        {"node": 0, "value": None},
        {"node": 0, "value": 1.0, "element": 1},
        {"node": 0, "value": 1.0, "element": -1},
        {"node": 0, "value": 1.0, "element": "0"},
        {"node": 2, "value": 1.0},
        {"node": 99, "value": 1.0},
        {"node": -1, "value": 1.0},
        {"node": "a", "value": 1.0},
        {"node": None, "value": 1.0},
        {},
    ],
)
def test_malformed_edits_are_refused_and_change_nothing(message: dict[str, Any]) -> None:
    import nbtorch

    stepper = BackpropStepper(lambda a, b: a * b, nbtorch.tensor(2.0), nbtorch.tensor(3.0))
    sent: list[Any] = []
    stepper.send = lambda content, buffers=None: sent.append(content)
    before = (stepper.tape, stepper.numbers)
    stepper._receive(stepper, {"op": "edit", "id": 4, **message}, [])
    assert [(answer["op"], answer["id"]) for answer in sent] == [("refused", 4)]
    assert (stepper.tape, stepper.numbers) == before
    for nonsense in ("edit", None, {"op": "other"}, []):
        stepper._receive(stepper, nonsense, [])
    stepper._receive(stepper, {"op": "edit", "id": 5, "node": 0, "value": 4}, [])
    assert sent[-1] == {"op": "edited", "id": 5}
    assert stepper.gradients()["b"] == 4


def test_what_cannot_be_evaluated_again_says_so(lib: Any) -> None:
    a = lib.tensor([1.0, 2.0, 3.0], requires_grad=True)
    stepper = BackpropStepper(a.cumsum(0).sum())
    assert stepper.tape["editable"] is False and "cumsum" in stepper.tape["reason"]
    np.testing.assert_allclose(stepper.gradients()["a"], [3, 2, 1])
    with pytest.raises(StepperError, match="evaluated again"):
        stepper.edit("a", 1.0)
    noisy = BackpropStepper(lambda x: (x * lib.rand(3)).sum(), lib.ones(3))
    assert noisy.tape["reason"] == "again"


def test_a_long_tape_is_cut_and_says_so(lib: Any) -> None:
    x = result = lib.tensor(1.0, requires_grad=True)
    for _ in range(300):
        result = result * 1.01
    stepper = BackpropStepper(result)
    assert len(stepper.history) == 2 * 240
    assert "longer" in stepper.tape["reason"]
    assert float(x.item()) == 1.0


def test_what_is_not_finite_is_shown_as_such(lib: Any) -> None:
    stepper = BackpropStepper(lambda a: (a - 1).log(), lib.tensor(0.0))
    assert repr(stepper) == "BackpropStepper(L = nan, 2 operations, 1 leaves)"
    assert "NaN" in stepper.to_svg()


def test_a_kink_is_told_from_a_mistake(lib: Any) -> None:
    stepper = BackpropStepper(lambda a: (a * 2).relu(), lib.tensor(0.0, dtype=lib.float64))
    assert next(c for c in stepper.tape["checks"] if c["node"] == 0)["state"] == "kink"


def test_wrong_arguments_are_told(lib: Any) -> None:
    a = lib.tensor(2.0, requires_grad=True)
    with pytest.raises(StepperError, match="requires_grad"):
        BackpropStepper(lib.tensor(1.0))
    with pytest.raises(StepperError, match="one number"):
        BackpropStepper(a * lib.ones(2))
    with pytest.raises(TypeError, match="expected a scalar tensor"):
        BackpropStepper(3)
    with pytest.raises(TypeError, match="leaves are the arguments"):
        BackpropStepper(a * a, a)
    used = a * a
    used.backward()
    with pytest.raises(StepperError, match="used up"):
        BackpropStepper(used)


class Value:
    """A learner's scalar, as in a first course."""

    accumulates = True

    def __init__(self, data: float, children: tuple[Value, ...] = (), op: str = "") -> None:
        self.data, self.grad, self._op = data, 0.0, op
        self._prev = set(children)
        self._backward: Callable[[], None] = lambda: None

    def _give(self, amount: float) -> None:
        self.grad = self.grad + amount if self.accumulates else amount

    def __add__(self, other: Value) -> Value:
        out = Value(self.data + other.data, (self, other), "+")
        out._backward = lambda: (self._give(out.grad), other._give(out.grad))[0]  # type: ignore[func-returns-value]
        return out

    def __mul__(self, other: Value) -> Value:
        out = Value(self.data * other.data, (self, other), "*")

        def backward() -> None:
            self._give(other.data * out.grad)
            other._give(self.data * out.grad)

        out._backward = backward
        return out

    def tanh(self) -> Value:
        out = Value(math.tanh(self.data), (self,), "tanh")
        out._backward = lambda: self._give((1 - out.data**2) * out.grad)
        return out


def test_a_class_of_ones_own() -> None:
    a, b = Value(2.0), Value(-3.0)
    c = a * b
    loss = (c * c + c).tanh() + a
    stepper = BackpropStepper(loss)
    gradients = stepper.gradients()
    assert gradients["c"] == pytest.approx((1 - math.tanh(30) ** 2) * -11)
    assert gradients["a"] == pytest.approx(1, abs=1e-6)
    assert (a.grad, b.grad, c.grad) == (0.0, 0.0, 0.0)
    stepper.edit("a", 0.1)
    assert stepper.gradients()["b"] == pytest.approx((1 - math.tanh(-0.21) ** 2) * 0.4 * 0.1)
    assert a.data == 2.0
    assert {check["state"] for check in stepper.tape["checks"]} == {"agrees"}


def test_a_class_that_overwrites_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Value, "accumulates", False)
    a, b = Value(2.0), Value(-3.0)
    assert BackpropStepper(a * b + b).tape["overwrites"] is True
    monkeypatch.setattr(Value, "accumulates", True)
    assert BackpropStepper(a * b + b).tape["overwrites"] is False


def test_pictures_are_the_same_each_time_and_keep_names_as_text(lib: Any) -> None:
    def make() -> BackpropStepper:
        x = lib.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        y = lib.tensor(2.0, requires_grad=True)
        return BackpropStepper((x * y).tanh().sum() / y, names={"<script>": x, r"\name{0}": y})

    first, second = make(), make()
    assert first.to_svg() == second.to_svg() and repr(first) == repr(second)
    assert "<script>" not in first.to_svg() and "&lt;script&gt;" in first.to_svg()
    assert "0x" not in repr(first)
    bundle = first._repr_mimebundle_()[0]
    assert bundle["text/plain"] == repr(first) and bundle["image/svg+xml"] == first.to_svg()


def test_plot_gives_a_figure() -> None:
    pytest.importorskip("matplotlib")
    import nbtorch

    figure = BackpropStepper(lambda a: a * a + a, nbtorch.tensor(2.0)).plot()
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "a" in texts and "∇ 5" in texts


def test_what_is_sent_stays_small_and_finite() -> None:
    import json

    import nbtorch

    big = nbtorch.full((300, 300), 1e30, requires_grad=True)
    stepper = BackpropStepper((big * big).sum() - (big * 1e30).sum())  # inf - inf
    json.dumps(stepper.tape, allow_nan=False)
    assert len(stepper.numbers) < 1 << 20
    shapes = {tuple(entry[4]) for entry in stepper.tape["arrays"] if entry[3] == [300, 300]}
    assert shapes == {(64, 64)}


def test_boxes_never_overlap() -> None:
    draw = np.random.default_rng(1)
    for count in (1, 2, 9, 40):
        inputs = [
            sorted({int(draw.integers(i)) for _ in range(draw.integers(0, 4))}) if i else [] for i in range(count)
        ]
        corners, lines, width, height = arrange(inputs)
        assert set(lines) == {(source, node) for node, sources in enumerate(inputs) for source in sources}
        for i, (x, y) in enumerate(corners):
            assert 0 <= x <= width - BOX[0] + 0.2 and 0 <= y <= height - BOX[1]
            for u, v in corners[:i]:
                assert abs(x - u) >= BOX[0] or abs(y - v) >= BOX[1]


# ---- %%step ----


@pytest.fixture
def shell(lib: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    interactive = pytest.importorskip("IPython.core.interactiveshell")
    from nbtorch_widgets import extension
    from nbtorch_widgets.stepper import magic

    shell = interactive.InteractiveShell()
    shown: list[Any] = []
    monkeypatch.setattr(magic, "display", shown.append)
    shell.shown = shown
    extension.load(shell)
    shell.user_ns["torch"] = lib
    yield shell
    interactive.InteractiveShell.clear_instance()


TRAINING = """
w = torch.tensor([1.0, 2.0], requires_grad=True)
x = torch.tensor([0.5, -1.0])
optimizer = torch.optim.SGD([w], lr=0.5)
for step in range(3):
    optimizer.zero_grad()
    error = (w * x).sum() - 1
    loss = error ** 2
    loss.backward()
    before = w.grad.tolist()
    optimizer.step()
"""


def test_step_walks_over_the_loss_of_a_training_loop(shell: Any) -> None:
    shell.run_cell_magic("step", "", TRAINING)
    (stepper,) = shell.shown
    np.testing.assert_allclose(stepper.gradients()["w"], shell.user_ns["before"], rtol=1e-6)
    assert repr(stepper).startswith("BackpropStepper(loss = ")
    stepper.edit("w", 0.0, 1)
    assert stepper.tape["reason"] == ""
    assert set(shell.user_ns) >= {"w", "loss"} and not [name for name in shell.user_ns if name.startswith("__nbtorch")]


@pytest.mark.parametrize(
    ("line", "cell", "name"),
    [
        ("", "a = torch.tensor(2.0, requires_grad=True)\nloss = a * 3\na * 5", "L"),
        ("", "a = torch.tensor(2.0, requires_grad=True)\nloss = a * 3\nprint", "loss"),
        ("-v other", "a = torch.tensor(2.0, requires_grad=True)\nloss = a * 3\nother = a * 4", "other"),
        ("", "a = torch.tensor(2.0, requires_grad=True)\nmse = a * 3\nmse.backward()", "mse"),
    ],
)
def test_step_chooses_the_loss(shell: Any, line: str, cell: str, name: str) -> None:
    shell.run_cell_magic("step", line, cell)
    assert re.match(rf"BackpropStepper\({name} = ", repr(shell.shown[-1]))


@pytest.mark.parametrize(
    ("line", "cell", "message"),
    [
        ("-v nothing", "1", "no variable of that name"),
        ("-v number", "number = 3", "isn't a scalar"),
        ("-v 3x", "1", "name of a variable"),
        ("", "1", "found no loss"),
        ("--unknown", "1", "unrecognized"),
    ],
)
def test_step_says_what_is_wrong(shell: Any, line: str, cell: str, message: str) -> None:
    with pytest.raises(Exception, match=message):
        shell.run_cell_magic("step", line, cell)
    assert shell.shown == []


def test_step_has_help_and_leaves_the_cells_errors_alone(shell: Any) -> None:
    assert "--variable" in shell.magics_manager.magics["cell"]["step"].__doc__
    with pytest.raises(ZeroDivisionError):
        shell.run_cell_magic("step", "", "1 / 0")
    assert "__nbtorch_backward__" not in shell.user_ns
