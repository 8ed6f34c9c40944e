"""Checks of lesson 04: slopes by nudging, the first rules, and when two slopes agree. The authority is the formula."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbtorch.course.checking import Checks, Mistake, Names, Text, Wrong, call, close, defined

CHECKS = Checks("slope")

_ONE_SIDED = Text(
    "That is the difference of one side: f(x + h) - f(x). Nudge down as well, and divide by 2h.",
    "그것은 한쪽만 본 차이 f(x + h) - f(x)입니다. 아래로도 밀고 2h로 나누세요.",
)
_ALL_AT_ONCE = Text(
    "Were all numbers nudged at once? Only the one at `place` may move.",
    "모든 수를 한꺼번에 밀지 않았나요? `place`에 있는 수만 움직여야 합니다.",
)


def _reference(f: Any, x: Any, eps: float) -> Any:
    slopes = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += eps
        down[place] -= eps
        slopes[place] = (f(up) - f(down)).sum() / (2 * eps)
    return slopes


def _nudging_mistakes(f: Any, x: Any, eps: float) -> list[Mistake]:
    right = _reference(f, x, eps)
    one, other, together = np.zeros(x.shape), np.zeros(x.shape), f(x + eps) - f(x - eps)
    sizes, alone = np.zeros(x.shape), np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += eps
        down[place] -= eps
        one[place] = (f(up) - f(x)).sum() / eps
        other[place] = (f(x) - f(down)).sum() / eps
        sizes[place] = abs(f(up) - f(down)).sum() / (2 * eps)
        alone[place] = (f(up) - f(down))[place] / (2 * eps) if together.shape == x.shape else np.nan
    left_out = Text("Between x - h and x + h lie 2h, not h.", "x - h와 x + h 사이의 거리는 h가 아니라 2h입니다.")
    undivided = Text("The difference was not divided by 2h.", "차이를 2h로 나누지 않았습니다.")
    stale = Text(
        "Was a number nudged up and never put back, or nudged in the same copy again? Take a fresh copy for each nudge.",
        "민 수를 되돌리지 않았거나 같은 복사본을 다시 밀지 않았나요? 밀 때마다 새로 복사하세요.",
    )
    found = [
        Mistake(2 * right, left_out, "two"),
        Mistake(right / 2, Text("Divide by 2h only once.", "2h로는 한 번만 나누세요."), "two"),
        Mistake(
            -right, Text("The two sides are swapped: up minus down.", "위와 아래가 바뀌었습니다. 위에서 아래를 빼세요.")
        ),
        Mistake(2 * eps * right, undivided, "two"),
        Mistake(
            eps * eps * right,
            Text(
                "`/ 2 * eps` divides by 2 and then multiplies by eps: / (2 * eps).",
                "`/ 2 * eps`는 2로 나눈 다음 eps를 곱합니다. / (2 * eps)라고 쓰세요.",
            ),
            "two",
        ),
        Mistake(one, _ONE_SIDED, "one side"),
        Mistake(other, _ONE_SIDED, "one side"),
        Mistake(np.zeros(x.shape), Text("Nothing was written into `slopes`.", "`slopes`에 아무것도 쓰지 않았습니다.")),
        Mistake(_drifting(f, x, eps), stale, "copy"),
        Mistake(
            right / max(x.size, 1),
            Text("That is the mean. What is watched is the sum.", "평균입니다. 지켜볼 것은 합입니다."),
        ),
        Mistake(sizes, Text("A slope has a sign: no abs() here.", "기울기에는 부호가 있습니다. abs()를 쓰지 마세요.")),
        Mistake(
            alone,
            Text(
                "Only the result at the same place was looked at, but a number can move others too: take the sum of all.",
                "같은 자리의 결과만 보았습니다. 수 하나가 다른 결과도 움직일 수 있으니 모두 더하세요.",
            ),
        ),
    ]
    if eps != 1e-6:
        used = Text("Was `eps` used? It is an argument.", "`eps`를 썼나요? 인자로 받은 것입니다.")
        found += [Mistake(_reference(f, x, h), used) for h in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)]
    if together.shape == x.shape:
        found.append(Mistake(together / (2 * eps), _ALL_AT_ONCE, "together"))
    return [*found, Mistake(np.full(x.shape, together.sum() / (2 * eps)), _ALL_AT_ONCE, "together")]


def _drifting(f: Any, x: Any, eps: float) -> Any:
    """One pair of copies for all the nudges, never put back."""
    slopes, up, down = np.zeros(x.shape), x.copy(), x.copy()
    for place in np.ndindex(x.shape):
        up[place] += eps
        down[place] -= eps
        slopes[place] = (f(up) - f(down)).sum() / (2 * eps)
    return slopes


@CHECKS.exercise(
    "numerical_grad",
    hints=[
        Text(
            "A loop over every place: for place in np.ndindex(values.shape). Inside, two copies of `values`.",
            "모든 자리를 도는 반복문입니다. for place in np.ndindex(values.shape). 그 안에서 `values`의 복사본을 둘 만듭니다.",
        ),
        Text(
            "up = values.copy(); up[place] += eps. The same downwards. f(Tensor(up)).data.sum() is what is watched.",
            "up = values.copy(); up[place] += eps. 아래쪽도 마찬가지입니다. 지켜볼 것은 f(Tensor(up)).data.sum()입니다.",
        ),
        Text(
            "slopes[place] = (f(Tensor(up)).data - f(Tensor(down)).data).sum() / (2 * eps)",
            "slopes[place] = (f(Tensor(up)).data - f(Tensor(down)).data).sum() / (2 * eps)",
        ),
    ],
    symptoms={
        "one side": Text(
            "Exact to a tenth, not to a hundredth: that is how the difference of one side errs. Look at part 1 again.",
            "한쪽만 본 차이는 이만큼 틀립니다. 1장을 다시 보세요.",
        ),
        "two": Text("Write the formula of part 1 out, with its 2h.", "1장의 식을 2h까지 그대로 옮기세요."),
        "together": Text(
            "`values + eps` moves every number. Copy, and change the copy at `place` only.",
            "`values + eps`는 모든 수를 움직입니다. 복사한 다음 복사본의 `place`만 바꾸세요.",
        ),
        "copy": Text(
            "values.copy() belongs inside the loop, or each nudge is added to the one before.",
            "values.copy()는 반복문 안에 있어야 합니다. 아니면 앞서 민 것 위에 또 밀게 됩니다.",
        ),
        "narrow": Text(
            "With 32 bits a nudge of 0.000001 drowns in rounding. Take `values`, which has 64.",
            "32비트에서 0.000001만큼 민 것은 반올림에 묻힙니다. 64비트인 `values`를 쓰세요.",
        ),
        "in place": Text(
            "Did you nudge `values` (or x.data) itself? Nudge a copy.",
            "`values`(또는 x.data)를 직접 밀지 않았나요? 복사본을 미세요.",
        ),
    },
)
def numerical_grad(names: Names) -> None:
    """Central differences in every number, in 64 bits, x unchanged."""
    function = defined(names, "numerical_grad")
    tensor = names["Tensor"]
    cases: list[tuple[str, Any, Any, float]] = [
        ("x * x * x", lambda x: x * x * x, 2.0, 0.1),
        ("x * x * x", lambda x: x * x * x, [1.0, 2.0, -1.0], 0.1),
        ("x * x[::-1] * x", lambda x: x * x[::-1] * x, [1.0, 2.0, 4.0], 0.1),
        ("x * (4 - x)", lambda x: x * (4 - x), [1.0, 3.5], 0.1),
        ("x * x * x", lambda x: x * x * x, [[1.0, 2.0], [3.0, 4.0]], 1e-6),
        ("x * x", lambda x: x * x, [[0.5], [1.5]], 1e-6),
    ]
    for text, formula, numbers, eps in cases:
        shown = f"numerical_grad(lambda x: {text}, Tensor({numbers}){'' if eps == 1e-6 else f', eps={eps}'})"
        x = tensor(numbers)
        before = x.data.copy()
        f = _on_tensors(tensor, formula)
        value = call(shown, function, f, x) if eps == 1e-6 else call(shown, function, f, x, eps)
        if isinstance(value, tensor):
            raise Wrong(
                f"{shown} should be an array of numbers; it is a Tensor. Return `slopes` as it is.",
                f"{shown}의 결과는 배열이어야 하는데 Tensor입니다. `slopes`를 그대로 돌려주세요.",
            )
        exact = before.astype(np.float64)
        expected = _reference(formula, exact, eps)
        tolerance = 1e-4 if eps == 1e-6 else 1e-6
        if not np.array_equal(x.data, before):
            raise Wrong(
                f"{shown} changed x from {before.tolist()} to {x.data.tolist()}. Nudge copies.",
                f"{shown}이(가) x를 {before.tolist()}에서 {x.data.tolist()}(으)로 바꾸었습니다. 복사본을 미세요.",
                "in place",
            )
        mistakes = _nudging_mistakes(formula, exact, eps)
        noisy = eps == 1e-6 and not any(np.allclose(value, m.value, rtol=1e-3, atol=1e-3) for m in mistakes)
        why = (
            Text("So far off, it looks like 32 bits.", "이렇게 크게 틀린 것을 보니 32비트로 잰 듯합니다.")
            if noisy
            else None
        )
        close(shown, value, expected, dtype=np.float64, tolerance=tolerance, why=why,
              symptom="narrow" if noisy else "", mistakes=mistakes)  # fmt: skip


def _on_tensors(tensor: Any, formula: Any) -> Any:
    def f(x: Any) -> Any:
        if not isinstance(x, tensor):
            raise TypeError(f"f takes a Tensor, and was given a {type(x).__name__}")
        return tensor(formula(x.data))

    return f


_TUPLE = Text(
    "backward returns a tuple, one part for each input, in their order.",
    "backward는 입력마다 하나씩, 순서대로 담은 튜플을 돌려줍니다.",
)
_IGNORED = Text(
    "The gradient that comes in has no part in it. It must be multiplied in, or all that lies behind is cut off.",
    "들어온 그래디언트가 쓰이지 않았습니다. 곱하지 않으면 그 뒤에 있는 것이 모두 잘려 나갑니다.",
)


def _parts(
    names: Names, name: str, saved: tuple[Any, ...], gradient: Any, expected: list[Any], mistakes: list[list[Mistake]]
) -> None:
    operation = names[name]
    if "backward" not in vars(operation):
        raise Wrong(
            f"{name} has no backward yet: run the cell above.",
            f"{name}에 아직 backward가 없습니다. 위의 셀을 실행하세요.",
        )
    ctx = names["Node"](operation, ()) if "Node" in names else _Context()
    ctx.saved_tensors = saved
    before = [np.copy(a) for a in (*saved, gradient)]
    values = ", ".join(str(np.asarray(a).tolist()) for a in saved)
    shown = f"{name}.backward(ctx, {np.asarray(gradient).tolist()}), with {values} saved,"
    parts = call(shown, operation.backward, ctx, gradient)
    if not isinstance(parts, (tuple, list)):
        raise Wrong(
            f"{shown} should be a tuple with {len(expected)} part{'s' * (len(expected) > 1)}; it is a "
            f"{type(parts).__name__}. {_TUPLE.en}" + (" One part is written (part,)." if len(expected) == 1 else ""),
            f"{shown}의 결과는 {len(expected)}개를 담은 튜플이어야 하는데 {type(parts).__name__}입니다. {_TUPLE.ko}"
            + (" 하나짜리 튜플은 (값,)이라고 씁니다." if len(expected) == 1 else ""),
            "tuple",
        )
    if len(parts) != len(expected):
        raise Wrong(
            f"{shown} should have {len(expected)} part{'s' * (len(expected) > 1)}, one for each input; it has {len(parts)}.",
            f"{shown}의 결과는 입력마다 하나씩 {len(expected)}개여야 하는데 {len(parts)}개입니다.",
            "tuple",
        )
    for place, (part, want, known) in enumerate(zip(parts, expected, mistakes, strict=True)):
        at = f"{shown} part {place}" if len(expected) > 1 else f"{shown} its part"
        close(at, part, want, dtype=np.asarray(want).dtype, mistakes=known)
    if any(not np.array_equal(a, b) for a, b in zip((*saved, gradient), before, strict=True)):
        raise Wrong(
            f"{shown} changed what was saved, or the gradient itself. Others need them too: compute new arrays.",
            f"{shown}이(가) 저장된 값이나 그래디언트 자체를 바꾸었습니다. 다른 곳에서도 쓰이므로 새 배열을 계산하세요.",
            "in place",
        )


class _Context:
    """Stands for a node where the notebook doesn't hold the class."""

    saved_tensors: tuple[Any, ...] = ()


def _arrays(dtype: Any, *values: Any) -> list[Any]:
    return [np.array(value, dtype) for value in values]


_RULE_SYMPTOMS = {
    "tuple": _TUPLE,
    "ignored": _IGNORED,
    "swapped": Text(
        "In the direction of a the slope is b. You have a · there.",
        "a 방향의 기울기는 b입니다. 그 자리에 a를 곱했습니다.",
    ),
    "in place": Text(
        "`*=` changes the array itself. Write `gradient * b`.",
        "`*=`는 배열 자체를 바꿉니다. `gradient * b`라고 쓰세요.",
    ),
}


@CHECKS.exercise(
    "Mul.backward",
    hints=[
        Text(
            "a, b = ctx.saved_tensors. Two inputs, so two parts.",
            "a, b = ctx.saved_tensors. 입력이 둘이니 결과도 둘입니다.",
        ),
        Text(
            "Each part is the incoming gradient times the own slope. In the direction of a that is b.",
            "각각은 들어온 그래디언트에 자신의 기울기를 곱한 것입니다. a 방향의 기울기는 b입니다.",
        ),
        Text("return gradient * b, gradient * a", "return gradient * b, gradient * a"),
    ],
    symptoms=_RULE_SYMPTOMS,
)
def mul_backward(names: Names) -> None:
    """Two parts: the gradient times the other factor."""
    swapped = Text(
        "The two parts are swapped: in the direction of a the slope is b.",
        "둘이 바뀌었습니다. a 방향의 기울기는 b입니다.",
    )
    product = Text("That is the product itself, not its slope.", "그것은 곱 자체이지 기울기가 아닙니다.")
    added = Text(
        "The gradient is multiplied by the slope, not added to it.", "그래디언트는 기울기에 더하지 않고 곱합니다."
    )
    passed = Text(
        "That is what Add does: its slope is 1. Mul's is the other factor.",
        "그것은 기울기가 1인 Add의 규칙입니다. Mul의 기울기는 다른 쪽 인수입니다.",
    )
    cases = [([2.0, 3.0], [5.0, 7.0], [10.0, 100.0]), (2.0, 4.0, 1.5)]
    for left, right, arrives in cases:
        for dtype in (np.float32, np.float64):
            a, b, g = _arrays(dtype, left, right, arrives)
            known = [
                [Mistake(g * mine, swapped, "swapped"), Mistake(other, _IGNORED, "ignored"), Mistake(mine, _IGNORED, "ignored"),
                 Mistake(a * b, product), Mistake(g * a * b, product), Mistake(g + other, added), Mistake(g, passed)]
                for mine, other in ((a, b), (b, a))
            ]  # fmt: skip
            _parts(names, "Mul", (a, b), g, [g * b, g * a], known)


@CHECKS.exercise(
    "Exp.backward",
    hints=[
        Text("What was saved? (out,) = ctx.saved_tensors", "무엇을 저장했었나요? (out,) = ctx.saved_tensors"),
        Text(
            "The slope of e^a is e^a, and that is `out` already: no np.exp is needed.",
            "e^a의 기울기는 e^a이고, 그것이 이미 `out`입니다. np.exp는 필요 없습니다.",
        ),
        Text("return (gradient * out,)", "return (gradient * out,)"),
    ],
    symptoms={
        **_RULE_SYMPTOMS,
        "again": Text(
            "What is saved is e^a already. exp of it would be e to the power of e^a.",
            "저장된 것은 이미 e^a입니다. 거기에 exp를 또 하면 e의 e^a제곱이 됩니다.",
        ),
    },
)
def exp_backward(names: Names) -> None:
    """One part: the gradient times the saved result."""
    again = Text("np.exp was taken of what is e^a already.", "이미 e^a인 것에 np.exp를 또 했습니다.")
    for saved, arrives in (([1.0, 2.5], [10.0, -2.0]), (3.0, 0.5)):
        for dtype in (np.float32, np.float64):
            out, g = _arrays(dtype, saved, arrives)
            known = [
                Mistake(out, _IGNORED, "ignored"),
                Mistake(g * np.exp(out), again, "again"),
                Mistake(np.exp(out), again, "again"),
                Mistake(g, Text("Passed on unchanged: that is a slope of 1.", "그대로 넘겼습니다. 기울기가 1이라는 뜻입니다.")),
                Mistake(g * np.log(out), Text("That is the slope times a. e^a's slope is e^a.", "기울기로 a를 썼습니다. e^a의 기울기는 e^a입니다.")),
                Mistake(g + out, Text("Multiply, don't add.", "더하지 말고 곱하세요.")),
                Mistake(g * out * out, Text("`out` once is enough.", "`out`은 한 번만 곱합니다.")),
            ]  # fmt: skip
            _parts(names, "Exp", (out,), g, [g * out], [known])


@CHECKS.exercise(
    "agree",
    hints=[
        Text(
            "First the shapes: if claimed.shape != nudged.shape the answer is False. Then the formula, for all pairs.",
            "먼저 모양입니다. claimed.shape != nudged.shape이면 False입니다. 그다음 모든 쌍에 식을 적용하세요.",
        ),
        Text(
            "abs(claimed - nudged) <= atol + rtol * abs(nudged) is an array of True and False. Are all of them true?",
            "abs(claimed - nudged) <= atol + rtol * abs(nudged)는 True와 False의 배열입니다. 모두 참인가요?",
        ),
        Text(
            "return bool((abs(claimed - nudged) <= atol + rtol * abs(nudged)).all())",
            "return bool((abs(claimed - nudged) <= atol + rtol * abs(nudged)).all())",
        ),
    ],
    symptoms={
        "shape": Text(
            "NumPy broadcasts (2, 1) against (2,) without a word. Compare the shapes first.",
            "NumPy는 (2, 1)과 (2,)를 말없이 브로드캐스트합니다. 모양부터 비교하세요.",
        ),
        "any": Text(
            "One wrong slope is enough to refuse: .all(), not .any().",
            "하나라도 틀리면 안 됩니다. .any()가 아니라 .all()입니다.",
        ),
        "sign": Text(
            "Without abs() a difference of -4 is smaller than any tolerance.",
            "abs()가 없으면 -4라는 차이도 어떤 허용 오차보다 작습니다.",
        ),
        "relative": Text(
            "What does rtol * |nudged| do for a slope of 1000?",
            "기울기가 1000일 때 rtol * |nudged|는 무슨 일을 하나요?",
        ),
        "absolute": Text("What is left of the tolerance if nudged is 0?", "nudged가 0이면 허용 오차는 얼마가 남나요?"),
    },
)
def agree(names: Names) -> None:
    """All pairs close, relative and absolute; the same shape."""
    function = defined(names, "agree")
    cases: list[tuple[Any, Any, bool, str, str, str]] = [
        ([1.0, 2.0], [1.0, 2.0], True, "They are equal.", "둘은 같습니다.", ""),
        ([1.0, 2.5], [1.0, 2.0], False, "One of the pairs is far apart.", "한 쌍이 멀리 떨어져 있습니다.", "any"),
        ([1.0], [5.0], False, "The difference is -4: was abs() left out?", "차이가 -4입니다. abs()를 빠뜨리지 않았나요?", "sign"),
        ([5.0], [1.0], False, "The difference is 4.", "차이가 4입니다.", ""),
        ([-3.0], [3.0], False, "The signs differ.", "부호가 다릅니다.", "sign"),
        ([3.0], [-3.0], False, "The signs differ: rtol * |nudged|, with abs().", "부호가 다릅니다. rtol * |nudged|에도 abs()가 있습니다.", "sign"),
        ([1000.4], [1000.0], True, "0.4 of 1000 is less than a thousandth: rtol * |nudged|.", "1000에서 0.4는 1000분의 1보다 작습니다. rtol * |nudged|입니다.", "relative"),
        ([-1000.4], [-1000.0], True, "Less than a thousandth: abs() around nudged as well.", "1000분의 1보다 작습니다. nudged에도 abs()가 필요합니다.", "relative"),
        ([1002.0], [1000.0], False, "2 of 1000 is more than a thousandth.", "1000에서 2는 1000분의 1보다 큽니다.", "relative"),
        ([1001.0005], [1000.0], False, "The tolerance goes by the nudged slope, not by the claimed one.", "허용 오차의 기준은 주장한 기울기가 아니라 밀어서 잰 기울기입니다.", "relative"),
        ([1.5, 1000.0], [1.0, 1000.0], False, "Each pair counts by itself: a large slope doesn't excuse a small one.", "쌍마다 따로 봅니다. 큰 기울기가 작은 기울기의 잘못을 덮어 주지 않습니다.", "any"),
        ([0.000001], [0.0], True, "Beside a slope of 0 the absolute tolerance counts: atol.", "기울기가 0이면 절대 허용 오차 atol이 있어야 합니다.", "absolute"),
        ([0.001], [0.0], False, "0.001 is more than atol, and rtol * 0 is 0.", "0.001은 atol보다 크고 rtol * 0은 0입니다.", "absolute"),
        ([float("nan")], [1.0], False, "NaN is close to nothing.", "NaN은 어떤 수와도 가깝지 않습니다.", "any"),
        ([[1.0], [1.0]], [1.0, 1.0], False, "The shapes differ: (2, 1) and (2,).", "모양이 다릅니다. (2, 1)과 (2,)입니다.", "shape"),
        ([1.0, 1.0], 1.0, False, "The shapes differ: (2,) and ().", "모양이 다릅니다. (2,)와 ()입니다.", "shape"),
        ([1.0, 2.0, 3.0], [1.0, 2.0], False, "The shapes differ: (3,) and (2,).", "모양이 다릅니다. (3,)과 (2,)입니다.", "shape"),
    ]  # fmt: skip
    for claimed, nudged, expected, en, ko, symptom in cases:
        shown = f"agree({claimed}, {nudged})"
        with np.errstate(invalid="ignore"):
            value = call(shown, function, np.array(claimed), np.array(nudged))
        _verdict(shown, value, expected, Text(en, ko), symptom)
    loose = call("agree(…, rtol=0.5)", function, np.array([1.2]), np.array([1.0]), rtol=0.5)
    own = Text("The tolerances are arguments; use rtol and atol.", "허용 오차는 인자입니다. rtol과 atol을 쓰세요.")
    _verdict("agree([1.2], [1.0], rtol=0.5)", loose, True, own, "relative")
    wide = call("agree(…, atol=0.5)", function, np.array([0.2]), np.array([0.0]), atol=0.5)
    _verdict("agree([0.2], [0.0], atol=0.5)", wide, True, own, "absolute")


def _verdict(shown: str, value: Any, expected: bool, why: Text, symptom: str) -> None:
    if isinstance(value, np.ndarray) and value.ndim:
        raise Wrong(
            f"{shown} should be one answer, True or False; it is an array of {value.size}. Are all of them true?",
            f"{shown}의 결과는 True나 False 하나여야 하는데 {value.size}개의 배열입니다. 모두 참인지 물어야 합니다.",
            "any",
        )
    if value is None or not isinstance(value, (bool, np.bool_, np.ndarray)):
        said = "None: does every way end with return?" if value is None else f"a {type(value).__name__}"
        raise Wrong(
            f"{shown} should be True or False, but it is {said}.",
            f"{shown}의 결과는 True나 False여야 하는데 "
            + ("None입니다. 모든 갈래가 return으로 끝나나요?" if value is None else f"{type(value).__name__}입니다."),
            "no return",
        )
    if bool(value) is not expected:
        raise Wrong(
            f"{shown} should be {expected}, but it is {bool(value)}. {why.en}",
            f"{shown}의 결과는 {expected}여야 하는데 {bool(value)}입니다. {why.ko}",
            symptom,
        )
