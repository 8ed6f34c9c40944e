"""Checks of lesson 08: a step of gradient descent, the linear layer, the loss and the optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nbtorch.course.checking import Checks, Mistake, Names, Text, Wrong, call, close, defined

CHECKS = Checks("training")

_SIGN = Text("It went along the gradient, uphill: subtract.", "그래디언트를 따라 올라갔습니다. 빼야 합니다.")
_NO_RATE = Text("Was lr left out?", "lr을 빠뜨리지 않았나요?")
_UNMOVED = Text(
    "It did not move. `w = w - …` makes a new tensor; `w -= …` inside no_grad changes the old one.",
    "움직이지 않았습니다. `w = w - …`는 새 텐서를 만듭니다. no_grad 안의 `w -= …`는 원래 텐서를 바꿉니다.",
)
_ONLY_GRADIENT = Text(
    "That is the step alone, not the old value less the step.", "전의 값에서 뺀 것이 아니라 뺄 값 자체입니다."
)
_NO_GRAD = Text(
    "An update isn't part of the formula: put it inside `with no_grad():`.",
    "갱신은 식의 일부가 아닙니다. `with no_grad():` 안에 넣으세요.",
)


_GOES_ON = Text(
    "It did not move, though those before it did. A parameter without a gradient is skipped; the next ones go on.",
    "앞의 것은 움직였는데 이것은 그대로입니다. 그래디언트가 없는 파라미터는 건너뛰고, 다음 것으로 계속 가야 합니다.",
)


def _leaf(names: Names, value: Any, gradient: Any) -> Any:
    made = names["Tensor"](np.array(value, np.float32))
    made.requires_grad = True
    made.grad = None if gradient is None else names["Tensor"](np.array(gradient, np.float32))
    return made


def _update(shown: str, function: Any, *arguments: Any) -> None:
    try:
        call(shown, function, *arguments)
    except Wrong as wrong:
        if "in-place" in wrong.text.en or "in-place" in str(wrong.__cause__):
            raise Wrong(f"{wrong.text.en} {_NO_GRAD.en}", f"{wrong.text.ko} {_NO_GRAD.ko}", "notes") from None
        if "NoneType" in wrong.text.en:
            raise Wrong(
                f"{wrong.text.en}. Is a gradient of None used, or forgotten too early?",
                f"{wrong.text.ko}. None인 그래디언트를 쓰거나 너무 일찍 잊지 않았나요?",
                "none",
            ) from None
        raise


def _moved(
    shown: str, leaf: Any, old: Any, gradient: Any, lr: float, unmoved: Text = _UNMOVED, more: Sequence[Mistake] = ()
) -> None:
    before, slope = np.array(old, np.float32), np.array(gradient, np.float32)
    mistakes = [
        Mistake(before, unmoved, "unmoved"),
        Mistake(before + lr * slope, _SIGN, "sign"),
        Mistake(before - slope, _NO_RATE, "rate"),
        Mistake(lr * slope, _ONLY_GRADIENT, "step alone"),
        Mistake(before - slope / lr, Text("lr multiplies the gradient; it doesn't divide it.", "그래디언트에 lr을 곱합니다. 나누지 않습니다.")),
        Mistake(before - lr * np.sign(slope), Text("The size of the gradient counts too, not only its sign.", "부호만이 아니라 그래디언트의 크기도 쓰입니다.")),
        *more,
    ]  # fmt: skip
    used = Text("Is it the learning rate that was given?", "주어진 학습률을 썼나요?")
    mistakes += [Mistake(before - rate * slope, used, "rate") for rate in (0.001, 0.01, 0.1, 0.2) if rate != lr]
    close(shown, leaf.data, before - lr * slope, dtype=np.float32, mistakes=mistakes)
    if not leaf.requires_grad or leaf.grad_fn is not None:
        raise Wrong(
            f"{shown} can't learn any more. {_NO_GRAD.en}", f"{shown}은(는) 더 배울 수 없습니다. {_NO_GRAD.ko}", "notes"
        )


@CHECKS.exercise(
    "gradient_step",
    hints=[
        Text("Two updates inside one with block, then two gradients to forget.", "with 블록 하나 안에서 갱신 둘, 그다음 잊을 그래디언트 둘입니다."),
        Text("with no_grad(): w -= lr * w.grad, and the same for b.", "with no_grad(): w -= lr * w.grad, b도 마찬가지입니다."),
        Text("After the block: w.grad = None; b.grad = None.", "블록 다음에 w.grad = None; b.grad = None."),
    ],
    symptoms={"notes": _NO_GRAD, "unmoved": _UNMOVED, "sign": _SIGN},
)  # fmt: skip
def gradient_step(names: Names) -> None:
    """Both move by their own gradient, and forget it."""
    function = defined(names, "gradient_step")
    for lr in (0.5, 0.1):
        w, b = _leaf(names, 3.0, 4.0), _leaf(names, -1.0, 3.0)
        shown = f"after gradient_step(w, b, {lr}), w from 3 with the gradient 4"
        _update(f"gradient_step(w, b, {lr})", function, w, b, lr)
        _moved(shown, w, 3.0, 4.0, lr)
        other = [Mistake(-1 - lr * 4, Text("That is w's gradient; b has its own.", "그것은 w의 그래디언트입니다. b에는 b의 것이 있습니다."))]  # fmt: skip
        _moved(f"after gradient_step(w, b, {lr}), b from -1 with the gradient 3", b, -1.0, 3.0, lr, more=other)
        if w.grad is not None or b.grad is not None:
            raise Wrong(
                "after the step a gradient is still there; the next one would be added to it. Set both to None.",
                "스텝 뒤에도 그래디언트가 남아 있어 다음 것이 거기에 더해집니다. 둘 다 None으로 두세요.",
                "stale",
            )


def _tensor(shown: str, names: Names, value: Any) -> None:
    if not isinstance(value, names["Tensor"]):
        raise Wrong(
            f"{shown} should be a Tensor; it is a {type(value).__name__}. Is a return there, and no .data or .item()?",
            f"{shown}의 결과는 Tensor여야 하는데 {type(value).__name__}입니다. return이 있고 .data나 .item()은 없나요?",
            "type",
        )
    if value.grad_fn is None:
        raise Wrong(
            f"{shown} has no graph behind it, so nothing can be learned. Use the tensors themselves, without no_grad.",
            f"{shown}의 뒤에 그래프가 없어 아무것도 배울 수 없습니다. no_grad 없이 텐서 자체를 쓰세요.",
            "graph",
        )


_TURN = Text("x is (N, in) and the weight (out, in): x @ weight.T fits.", "x는 (N, 입력), 가중치는 (출력, 입력)입니다. x @ weight.T가 맞습니다.")  # fmt: skip


@CHECKS.exercise(
    "Linear.forward",
    hints=[
        Text("(N, in) @ ? = (N, out). What is the shape of ?", "(N, 입력) @ ? = (N, 출력). ?의 모양은 무엇일까요?"),
        Text("The weight, transposed: self.weight.T.", "전치한 가중치 self.weight.T입니다."),
        Text("return x @ self.weight.T + self.bias", "return x @ self.weight.T + self.bias"),
    ],
    symptoms={"turn": _TURN},
)
def linear_forward(names: Names) -> None:
    """Layers of several shapes, a square one among them."""
    function = defined(names, "Linear.forward")
    draw = np.random.default_rng(0)
    for n, inputs, outputs in ((4, 3, 2), (2, 2, 2), (3, 1, 1)):
        x, w, b = (
            draw.integers(1, 6, shape).astype(np.float32) for shape in ((n, inputs), (outputs, inputs), (outputs,))
        )
        layer: Any = object.__new__(names["Linear"])
        layer.weight, layer.bias = names["Parameter"](w), names["Parameter"](b)
        shown = f"Linear({inputs}, {outputs}) of an x of the shape {x.shape}"
        try:
            out = call(shown, function, layer, names["Tensor"](x))
        except Wrong as wrong:
            if isinstance(wrong.__cause__, ValueError):
                raise Wrong(f"{wrong.text.en}. {_TURN.en}", f"{wrong.text.ko}. {_TURN.ko}", "turn") from None
            raise
        _tensor(shown, names, out)
        mistakes = [
            Mistake(x @ w.T, Text("The bias is missing.", "편향이 빠졌습니다."), "bias"),
            Mistake(x @ w.T - b, Text("The bias is added.", "편향은 더합니다."), "bias"),
        ]
        if inputs == outputs:
            mistakes.append(Mistake(x @ w + b, _TURN, "turn"))
        close(shown, out.data, x @ w.T + b, dtype=np.float32, why=_TURN, mistakes=mistakes)


@CHECKS.exercise(
    "MSELoss.forward",
    hints=[
        Text("From the inside out: difference, square, mean.", "안에서 밖으로, 차이, 제곱, 평균입니다."),
        Text("(input - target) ** 2 is a tensor with a method mean.", "(input - target) ** 2는 mean 메서드가 있는 텐서입니다."),
        Text("return ((input - target) ** 2).mean()", "return ((input - target) ** 2).mean()"),
    ],
)  # fmt: skip
def mse_forward(names: Names) -> None:
    """One column and several, with differences of both signs."""
    function = defined(names, "MSELoss.forward")
    for one, two in (
        ([[1.0], [5.0], [2.0]], [[3.0], [1.0], [8.0]]),
        ([[1.0, 2.0], [4.0, 9.0]], [[2.0, 5.0], [3.0, 1.0]]),
    ):
        a, t = np.array(one, np.float32), np.array(two, np.float32)
        shown = f"MSELoss of {one} and {two}"
        out = call(shown, function, object.__new__(names["MSELoss"]), names["Parameter"](a), names["Tensor"](t))
        _tensor(shown, names, out)
        d = a - t
        mistakes = [
            Mistake((d**2).sum(), Text("That is the sum, not the mean.", "평균이 아니라 합입니다."), "sum"),
            Mistake(d.mean() ** 2, Text("Square first, then take the mean.", "먼저 제곱하고 평균을 냅니다."), "order"),
            Mistake(d.mean(), Text("The square is missing.", "제곱이 빠졌습니다."), "square"),
            Mistake((d**2).mean() / 2, Text("There is no half in it.", "반으로 나누지 않습니다."), "half"),
            Mistake(np.sqrt((d**2).mean()), Text("No square root is taken.", "제곱근은 씌우지 않습니다."), "root"),
            Mistake((d**2).sum() / len(d), Text("The mean is over all numbers, not over the rows alone.", "행의 수가 아니라 모든 수의 개수로 나눕니다."), "sum"),
            Mistake(((a + t) ** 2).mean(), Text("The difference: subtract.", "차이이므로 빼야 합니다.")),
            Mistake((a**2 - t**2).mean(), Text("First the difference, then its square.", "먼저 빼고 그다음 제곱합니다."), "order"),
            Mistake(d**2, Text("The mean is missing.", "평균이 빠졌습니다."), "mean"),
        ]  # fmt: skip
        close(shown, out.data, (d**2).mean(), mistakes=mistakes)


@CHECKS.exercise(
    "SGD.step",
    hints=[
        Text("Exercise 1, in a loop over self.params.", "연습 1을 self.params를 도는 반복문 안에 쓰세요."),
        Text("Skip a parameter whose grad is None.", "grad가 None인 파라미터는 건너뜁니다."),
        Text("with no_grad(): parameter -= self.lr * parameter.grad", "with no_grad(): parameter -= self.lr * parameter.grad"),
    ],
    symptoms={"notes": _NO_GRAD, "unmoved": _UNMOVED, "sign": _SIGN},
)  # fmt: skip
def sgd_step(names: Names) -> None:
    """Three parameters, the middle one without a gradient."""
    function = defined(names, "SGD.step")
    for lr in (0.5, 0.1):
        a, skipped, c = _leaf(names, [1.0, 2.0], [3.0, -4.0]), _leaf(names, 7.0, None), _leaf(names, 5.0, 6.0)
        optimizer: Any = object.__new__(names["SGD"])
        optimizer.params, optimizer.lr = [a, skipped, c], lr
        _update(f"step() with three parameters, the middle one without a gradient, and lr {lr},", function, optimizer)
        _moved(f"after step() with lr {lr}, [1, 2] with the gradient [3, -4]", a, [1.0, 2.0], [3.0, -4.0], lr)
        _moved(f"after step() with lr {lr}, the last parameter, 5 with the gradient 6,", c, 5.0, 6.0, lr, _GOES_ON)
        close("a parameter without a gradient, after step(),", skipped.data, 7.0)
        if a.grad is None or c.grad is None:
            raise Wrong(
                "step() took the gradients away. Forgetting is the business of zero_grad.",
                "step()이 그래디언트를 치웠습니다. 잊는 것은 zero_grad의 일입니다.",
                "forgot",
            )
