"""Checks of lesson 02: a tensor that can be used like a number. The authority is NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbtorch.course.checking import Checks, Mistake, Names, Text, Wrong, call, close, defined

CHECKS = Checks("tensor")

_OPERANDS: list[tuple[Any, Any]] = [
    (2.0, 3.0),
    ([1.0, 2.0], 10),
    ([1.0, -2.0], [3.0, 4.0]),
    ([[1.0, 2.0], [3.0, 4.0]], [10.0, 100.0]),
    ([[1.0], [2.0]], [3.0, 4.0, 5.0]),
]


def _is_new_tensor(names: Names, shown: str, value: Any, *operands: Any) -> None:
    tensor = names["Tensor"]
    if not isinstance(value, tensor):
        raise Wrong(
            f"{shown} should be a Tensor, but it is a {type(value).__name__}."
            + (" Put the array into one: Tensor(...)." if isinstance(value, (np.ndarray, np.generic)) else ""),
            f"{shown}의 결과는 Tensor여야 하는데 {type(value).__name__}입니다."
            + (" 배열을 Tensor(...)에 담으세요." if isinstance(value, (np.ndarray, np.generic)) else ""),
            "not a tensor",
        )
    if any(value is operand or value.data is operand.data for operand in operands if isinstance(operand, tensor)):
        raise Wrong(
            f"{shown} gave one of its operands back, changed. Make a new tensor: the old value may still be needed.",
            f"{shown}이(가) 피연산자 자신을 바꾸어 돌려주었습니다. 옛 값이 아직 필요할 수 있으니 새 텐서를 만드세요.",
            "in place",
        )


def _binary(names: Names, method: str, sign: str, operation: Any) -> None:
    """Compare an operator with NumPy's on every pair of operands, with a tensor and with plain numbers beside it."""
    defined(names, f"Tensor.{method}")
    tensor = names["Tensor"]
    for left, right in _OPERANDS:
        for other in (tensor(right), right):
            mine = tensor(left)
            before = mine.data.copy()
            shown = f"Tensor({left}) {sign} {f'Tensor({right})' if isinstance(other, tensor) else right}"
            value = call(shown, getattr(mine, method), other)
            _is_new_tensor(names, shown, value, mine, other)
            expected = operation(np.array(left, np.float32), np.array(right, np.float32))
            wide = getattr(value.data, "dtype", None) == np.float64
            why = Text("Did both sides go through pair()?", "양쪽이 모두 pair()를 거쳤나요?") if wide else None
            mistakes = [] if wide else _mistakes(sign, np.array(left, np.float32), np.array(right, np.float32))
            close(
                shown,
                value.data,
                expected,
                dtype=np.float32,
                why=why,
                symptom="wide" if wide else "",
                mistakes=mistakes,
            )
            if not np.array_equal(mine.data, before):
                raise Wrong(
                    f"{shown} changed its left operand from {before.tolist()} to {mine.data.tolist()}. Compute a new array.",
                    f"{shown}이(가) 왼쪽 피연산자를 {before.tolist()}에서 {mine.data.tolist()}(으)로 바꾸었습니다. 새 배열을 계산하세요.",
                    "in place",
                )


def _mistakes(sign: str, a: Any, b: Any) -> list[Mistake]:
    """What other operations give for the same operands."""
    others = {"+": a + b, "-": a - b, "*": a * b, "the other way round, -": b - a}
    found = [
        Mistake(
            value,
            Text(
                f"That is what {name} gives.",
                f"그것은 {name.replace('the other way round, ', '순서를 바꾼 ')}의 결과입니다.",
            ),
        )
        for name, value in others.items()
        if name != sign
    ]
    found += [
        Mistake(-b, Text("That is only the negative of the right side.", "오른쪽의 부호만 바꾼 값입니다.")),
        Mistake(-a - b, Text("Both sides were subtracted.", "양쪽을 모두 뺐습니다.")),
    ]
    only = Text("The other side has no part in it.", "상대편이 계산에 들어가지 않았습니다.")
    return [*found, Mistake(a, only), Mistake(b, only)]


_IN_PLACE = Text(
    "`+=` on an array changes the array itself. `a + b` makes a new one.",
    "배열에 `+=`를 쓰면 그 배열이 바뀝니다. `a + b`는 새 배열을 만듭니다.",
)
_NOT_A_TENSOR = Text(
    "NumPy gives an array. A tensor is needed around it, or the next operation has nothing to build on.",
    "NumPy가 주는 것은 배열입니다. 텐서로 감싸야 다음 연산이 이어질 수 있습니다.",
)
_WIDE = Text(
    "The result has 64 bits. An array of whole numbers widens the other side; pair() keeps both at the same dtype.",
    "결과가 64비트입니다. 정수 배열을 만나면 상대가 64비트로 넓어집니다. pair()는 양쪽의 dtype을 같게 맞춥니다.",
)
_SYMPTOMS = {"in place": _IN_PLACE, "not a tensor": _NOT_A_TENSOR, "wide": _WIDE}


@CHECKS.exercise(
    "as_tensor",
    hints=[
        Text(
            "There are two cases. Which question tells them apart?",
            "경우는 둘입니다. 무엇을 물어보면 구별할 수 있을까요?",
        ),
        Text("isinstance(value, Tensor) answers it.", "isinstance(value, Tensor)가 답해 줍니다."),
        Text(
            "return value if isinstance(value, Tensor) else Tensor(value)",
            "return value if isinstance(value, Tensor) else Tensor(value)",
        ),
    ],
    symptoms={
        "copied": Text(
            "A tensor must come back as the very same object, not as a copy: later it will carry its history with it.",
            "텐서는 복사본이 아니라 바로 그 객체로 돌아와야 합니다. 나중에는 자기 내력을 지니게 되니까요.",
        )
    },
)
def as_tensor(names: Names) -> None:
    """The same object, or a new tensor."""
    function = defined(names, "as_tensor")
    tensor = names["Tensor"]
    for value in (2.5, 3, [1.0, 2.0], np.ones(3)):
        shown = f"as_tensor({value!r})"
        made = call(shown, function, value)
        _is_new_tensor(names, shown, made)
        close(f"{shown}.data", made.data, np.asarray(value))
    mine = tensor([1.0, 2.0])
    same = call("as_tensor(x)", function, mine)
    if same is not mine:
        _is_new_tensor(names, "as_tensor(x)", same)
        raise Wrong(
            "as_tensor(x) of a tensor x should be x itself, the very same object; it is another one.",
            "x가 텐서일 때 as_tensor(x)는 바로 x 자신이어야 하는데 다른 객체입니다.",
            "copied",
        )


@CHECKS.exercise(
    "Tensor.__add__",
    hints=[
        Text(
            "First `a, b = pair(self, other)`. The arithmetic is NumPy's, on a.data and b.data.",
            "먼저 `a, b = pair(self, other)`입니다. 계산은 NumPy가 a.data와 b.data로 합니다.",
        ),
        Text("What must be put around the sum of the two arrays?", "두 배열의 합을 무엇으로 감싸야 할까요?"),
        Text("return Tensor(a.data + b.data)", "return Tensor(a.data + b.data)"),
    ],
    symptoms=_SYMPTOMS,
)
def add(names: Names) -> None:
    """`x + y`."""
    _binary(names, "__add__", "+", lambda a, b: a + b)


@CHECKS.exercise(
    "Tensor.__mul__",
    hints=[
        Text("As with +, only with another sign.", "+와 같습니다. 기호만 다릅니다."),
        Text(
            "`*` of two arrays multiplies element by element, which is what is wanted; `@` is another thing (lesson 07).",
            "배열 사이의 `*`는 원소끼리 곱합니다. 바로 그것이 필요합니다. `@`는 다른 연산입니다(07번 수업).",
        ),
        Text(
            "a, b = pair(self, other); return Tensor(a.data * b.data)",
            "a, b = pair(self, other); return Tensor(a.data * b.data)",
        ),
    ],
    symptoms=_SYMPTOMS,
)
def mul(names: Names) -> None:
    """`x * y`."""
    _binary(names, "__mul__", "*", lambda a, b: a * b)


@CHECKS.exercise(
    "Tensor.__rsub__",
    hints=[
        Text(
            "Read it aloud: in `2 - x` the other one, the 2, stands on the left.",
            "소리 내어 읽어 보세요. `2 - x`에서 왼쪽에 있는 것은 상대, 곧 2입니다.",
        ),
        Text("Make a tensor of the 2; then it knows how to subtract.", "2를 텐서로 만들면 빼기를 할 줄 알게 됩니다."),
        Text("return as_tensor(other) - self", "return as_tensor(other) - self"),
    ],
    symptoms={
        **_SYMPTOMS,
        "swapped": Text(
            "You computed x - 2. The reflected method is there because the order is the other way round.",
            "x - 2를 계산했습니다. 뒤집힌 메서드가 있는 까닭은 순서가 반대이기 때문입니다.",
        ),
    },
)
def rsub(names: Names) -> None:
    """`2 - x`."""
    defined(names, "Tensor.__rsub__")
    tensor = names["Tensor"]
    for number, numbers in [(2, [1.0, 5.0]), (0.5, 3.0), (10, [[1.0, 2.0], [3.0, 4.0]])]:
        mine = tensor(numbers)
        shown = f"{number} - Tensor({numbers})"
        value = call(shown, mine.__rsub__, number)
        _is_new_tensor(names, shown, value, mine)
        expected = number - np.array(numbers, np.float32)
        swapped = np.shape(value.data) == expected.shape and np.allclose(value.data, -expected)
        why = Text("That is x - 2, the other way round.", "그것은 순서가 반대인 x - 2입니다.") if swapped else None
        mistakes = [] if swapped else _mistakes("-", np.array(number, np.float32), np.array(numbers, np.float32))
        if getattr(value.data, "dtype", None) == np.float64:
            why = Text("Did the number become a tensor of 64 bits?", "수가 64비트 텐서가 되지 않았나요?")
        close(
            shown,
            value.data,
            expected,
            dtype=np.float32,
            why=why,
            symptom="swapped" if swapped else "",
            mistakes=mistakes,
        )


@CHECKS.exercise(
    "Tensor.__truediv__",
    hints=[
        Text("a / b is a · b⁻¹, and both * and ** are there.", "a / b는 a · b⁻¹이고, *와 **는 이미 있습니다."),
        Text(
            'First `a, b = pair(self, other)`. If b holds whole numbers (b.dtype.kind is not "f"), call float() on it.',
            '먼저 `a, b = pair(self, other)`입니다. b가 정수라면(b.dtype.kind가 "f"가 아니면) float()를 부르세요.',
        ),
        Text(
            'a, b = pair(self, other); if b.dtype.kind != "f": b = b.float(); return a * b**-1',
            'a, b = pair(self, other); b.dtype.kind != "f"이면 b = b.float(); return a * b**-1',
        ),
    ],
    symptoms={
        **_SYMPTOMS,
        "whole": Text(
            "A whole number to the power -1 is refused. Turn whole numbers into floating-point ones first, with float().",
            "정수의 -1제곱은 거절됩니다. 정수는 먼저 float()로 실수로 바꾸세요.",
        ),
        "floor": Text(
            "The result was cut down to whole numbers: `//` is not `/`.",
            "결과가 정수로 잘렸습니다. `//`는 `/`와 다릅니다.",
        ),
    },
)
def truediv(names: Names) -> None:
    """`x / y`, whole numbers included."""
    defined(names, "Tensor.__truediv__")
    tensor = names["Tensor"]
    pairs: list[tuple[Any, Any]] = [
        (6.0, 3.0),
        ([1.0, 2.0], 4.0),
        ([[1.0], [3.0]], [2.0, 4.0]),
        ([7.0], 2),
        ([7, 8], 2),
        ([1, 2], [2, 4]),
    ]
    for left, right in pairs:
        for other in (right, tensor(right)):
            mine = tensor(left)
            shown = f"Tensor({left}) / {f'Tensor({right})' if isinstance(other, tensor) else right}"
            try:
                value = call(shown, mine.__truediv__, other)
            except Wrong as wrong:
                whole = "negative integer powers" in wrong.text.en
                raise Wrong(*wrong.text, "whole" if whole else wrong.symptom) from None
            _is_new_tensor(names, shown, value, mine, other)
            expected = np.array(left, np.float64) / np.array(right, np.float64)
            floored = np.shape(value.data) == expected.shape and np.array_equal(value.data, np.floor(expected))
            why = Text("Was it divided with //?", "//로 나누지 않았나요?") if floored else None
            a, b = np.array(left, np.float64), np.array(right, np.float64)
            mistakes = [
                Mistake(b / a, Text("That is b / a, the other way round.", "그것은 순서가 반대인 b / a입니다.")),
                Mistake(a * b, Text("That is the product.", "그것은 곱입니다.")),
                Mistake(1 / b, Text("That is 1 / b; where is a?", "그것은 1 / b입니다. a는 어디에 있나요?")),
                Mistake(-a * b, Text("-b is not the inverse of b.", "-b는 b의 역수가 아닙니다.")),
                Mistake(a - b, Text("That is the difference.", "그것은 차입니다.")),
            ]
            known = [] if floored else mistakes
            close(shown, value.data, expected, why=why, symptom="floor" if floored else "", mistakes=known)
            if value.data.dtype == np.float64:
                raise Wrong(
                    f"{shown} has 64 bits; PyTorch's answer has 32. Did NumPy divide the whole numbers itself?",
                    f"{shown}의 결과가 64비트입니다. PyTorch의 답은 32비트입니다. NumPy가 정수를 직접 나누지 않았나요?",
                    "wide",
                )
            if value.data.dtype.kind != "f":
                raise Wrong(
                    f"{shown} should hold floating-point numbers, but its dtype is {value.data.dtype}.",
                    f"{shown}의 수는 실수여야 하는데 dtype이 {value.data.dtype}입니다.",
                    "whole",
                )
