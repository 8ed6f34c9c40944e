"""Checks of lesson 01: where a number lies in memory, and how shapes are broadcast. The authority is NumPy."""

from __future__ import annotations

import itertools

import numpy as np

from nbtorch.course.checking import Checks, Mistake, Names, Text, Wrong, call, defined, equal

CHECKS = Checks("numbers")

_NO_STRIDES = Text("The indices are added up without their strides.", "인덱스를 스트라이드 없이 그대로 더했습니다.")
_ADD_START = Text(
    "`start` is where the walk begins: it is added, not multiplied.",
    "`start`는 걷기 시작하는 곳이므로 곱하지 않고 더합니다.",
)
_ADD_ONCE = Text("`start` is added once, not for every axis.", "`start`는 축마다가 아니라 한 번만 더합니다.")
_ALL_AXES = Text(
    "Only one axis was counted. Is there a return inside the loop?",
    "축 하나만 셌습니다. 반복문 안에 return이 있지 않나요?",
)
_PAIRS = Text(
    "Each index belongs to the stride at its own place.", "각 인덱스는 같은 자리의 스트라이드와 짝을 이룹니다."
)
_LAST_IS_ONE = Text(
    "The last axis always has the stride 1: its neighbours lie side by side.",
    "마지막 축의 스트라이드는 언제나 1입니다. 그 축의 이웃은 바로 옆에 있으니까요.",
)


@CHECKS.exercise(
    "contiguous_strides",
    hints=[
        Text(
            "Begin at the last axis: there the stride is 1. How far is the next one in the axis before it?",
            "마지막 축부터 시작하세요. 그 축의 스트라이드는 1입니다. 그 앞 축에서 다음 칸은 얼마나 멀리 있을까요?",
        ),
        Text(
            "Each stride is the stride behind it times the size behind it. Walk the shape backwards: reversed(shape).",
            "각 스트라이드는 바로 뒤 축의 스트라이드에 그 축의 크기를 곱한 값입니다. reversed(shape)로 뒤에서부터 걸어 보세요.",
        ),
        Text(
            "Keep `step = 1`. For each size from the back: put step in front of the strides, then step *= size.",
            "`step = 1`에서 시작합니다. 뒤에서부터 크기마다 step을 스트라이드 맨 앞에 넣고, step *= size를 하세요.",
        ),
    ],
    symptoms={
        "reversed": Text(
            "Your numbers are right, but in the order in which you found them, from the back. Turn them round.",
            "수는 맞는데 뒤에서부터 찾은 순서 그대로입니다. 순서를 뒤집으세요.",
        ),
        "off by one": Text(
            "An axis's own size doesn't enter into its stride, only the sizes behind it. Is `step` multiplied too early?",
            "축의 스트라이드에는 그 축 자신의 크기가 아니라 그 뒤 축들의 크기만 곱합니다. `step`을 너무 일찍 곱하지 않았나요?",
        ),
    },
)
def contiguous_strides(names: Names) -> None:
    """Strides of a row-major array, counted in numbers."""
    function = defined(names, "contiguous_strides")
    for shape in [(4,), (2, 3), (2, 3, 4), (1,), (5, 1, 2), ()]:
        shown = f"contiguous_strides({shape})"
        expected = tuple(s // 8 for s in np.empty(shape, np.float64).strides)
        value = call(shown, function, shape)
        if isinstance(value, list):
            raise Wrong(
                f"{shown} should be a tuple, like the shape; it is a list. Put tuple(...) around it.",
                f"{shown}의 결과는 모양처럼 튜플이어야 하는데 리스트입니다. tuple(...)로 감싸세요.",
                "type",
            )
        why, symptom = None, ""
        if isinstance(value, tuple) and value != expected:
            if value == expected[::-1]:
                why = Text("They stand in the wrong order.", "순서가 거꾸로입니다.")
                symptom = "reversed"
            elif value == tuple(e * s for e, s in zip(expected, shape, strict=True)):
                why = Text(
                    "Each is too large by its own axis's size: only the sizes *behind* an axis count.",
                    "모두 자기 축의 크기만큼 큽니다. 그 축의 **뒤에 있는** 크기만 곱해야 합니다.",
                )
                symptom = "off by one"
            elif value in (tuple(8 * e for e in expected), tuple(4 * e for e in expected)):
                why = Text(
                    "Those are bytes, as NumPy counts. The last axis always has the stride 1: count in numbers.",
                    "그것은 NumPy처럼 바이트로 센 값입니다. 마지막 축의 스트라이드는 언제나 1입니다. 수의 개수로 세세요.",
                )
            elif value == _first_fastest(shape):
                why = Text(
                    "There the first axis lies side by side, which is another order (column-major). Here it is the last.",
                    "첫 축이 바로 옆에 놓이는 다른 순서(열 우선)입니다. 여기서는 마지막 축이 바로 옆에 놓입니다.",
                )
            elif value == shape:
                why = Text(
                    "That is the shape itself. A stride says how far apart two neighbours lie, not how many there are.",
                    "그것은 모양 그대로입니다. 스트라이드는 몇 개인지가 아니라 이웃이 얼마나 떨어져 있는지입니다.",
                )
            elif value and value[-1] != 1:
                why = _LAST_IS_ONE
        equal(shown, value, expected, why, symptom)


def _first_fastest(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(itertools.accumulate((1, *shape[:-1]), lambda a, b: a * b)) if shape else ()


@CHECKS.exercise(
    "index_to_offset",
    hints=[
        Text(
            "Moving one place along an axis moves as many places in the storage as that axis's stride.",
            "어떤 축을 따라 한 칸 움직이면 저장소에서는 그 축의 스트라이드만큼 움직입니다.",
        ),
        Text(
            "The formula above, as code: one product for each axis, all added up, beginning at `start`.",
            "위의 식을 그대로 코드로 옮기면 됩니다. 축마다 곱을 하나씩 만들어 모두 더하고, `start`에서 시작하세요.",
        ),
        Text(
            "start + sum(i * s for i, s in zip(index, strides))",
            "start + sum(i * s for i, s in zip(index, strides))",
        ),
    ],
    symptoms={
        "start": Text(
            "A view may begin in the middle of the storage. Where does `start` come in?",
            "뷰는 저장소 중간에서 시작할 수도 있습니다. `start`는 어디에 들어가야 할까요?",
        )
    },
)
def index_to_offset(names: Names) -> None:
    """The place in the storage, for every index of several arrays and views."""
    function = defined(names, "index_to_offset")
    base = np.arange(24)
    views = [base.reshape(4, 6), base.reshape(4, 6).T, base.reshape(2, 3, 4)[:, ::2], base[3:9].reshape(2, 3)]
    for view in views:
        strides = tuple(s // view.itemsize for s in view.strides)
        start = int(view.ravel()[0])
        for index in itertools.product(*map(range, view.shape)):
            arguments = (index, strides, start) if start else (index, strides)
            shown = f"index_to_offset({', '.join(map(str, arguments))})"
            value = call(shown, function, *arguments)
            forgot = start and value == int(view[index]) - start
            why = Text("Was `start` left out?", "`start`를 빠뜨리지 않았나요?") if forgot else None
            mistakes = [
                Mistake(start + sum(index), _NO_STRIDES),
                Mistake(start * sum(i * s for i, s in zip(index, strides, strict=True)), _ADD_START),
                Mistake(sum((i + start) * s for i, s in zip(index, strides, strict=True)), _ADD_ONCE),
                Mistake(start + index[0] * strides[0], _ALL_AXES),
                Mistake(start + index[-1] * strides[-1], _ALL_AXES),
                Mistake(start + sum(i * s for i, s in zip(index, strides[::-1], strict=True)), _PAIRS),
            ]
            known = () if forgot else mistakes
            equal(shown, value, int(view[index]), why, "start" if forgot else "", known)
    equal("index_to_offset((), ())", call("index_to_offset((), ())", function, (), ()), 0)


@CHECKS.exercise(
    "broadcast_shapes",
    hints=[
        Text(
            "Shapes are compared from the right. A shape that is too short counts as having 1s in front.",
            "모양은 오른쪽부터 견줍니다. 짧은 쪽은 앞에 1이 있는 것으로 봅니다.",
        ),
        Text(
            "Put 1s in front of the shorter one until both have the same length; then go through them in pairs.",
            "짧은 쪽 앞에 1을 채워 길이를 같게 만든 다음, 둘씩 짝지어 살펴보세요.",
        ),
        Text(
            "For a pair (m, n): if m == n or n == 1 take m, if m == 1 take n, otherwise raise ValueError. Careful with 0: "
            "max(m, n) is not the rule.",
            "쌍 (m, n)에서 m == n이거나 n == 1이면 m, m == 1이면 n, 그 밖에는 ValueError입니다. 0을 조심하세요. "
            "max(m, n)은 규칙이 아닙니다.",
        ),
    ],
    symptoms={
        "left": Text(
            "(3,) and (2, 3): whose 3 is it? Compare from the right, not from the left.",
            "(3,)과 (2, 3)에서 3은 어느 축일까요? 왼쪽이 아니라 오른쪽부터 견주세요.",
        ),
        "zero": Text(
            "An axis of size 0 is no axis of size 1: (0,) with (1,) is (0,). max() gives the 1.",
            "크기 0인 축은 크기 1인 축과 다릅니다. (0,)과 (1,)은 (0,)입니다. max()를 쓰면 1이 나옵니다.",
        ),
        "no error": Text(
            "Two different sizes fit only if one of them is 1. Anything else must raise ValueError, or a wrong program "
            "goes on with wrong numbers.",
            "서로 다른 두 크기는 하나가 1일 때만 맞습니다. 그 밖에는 ValueError를 일으켜야 합니다. 그러지 않으면 잘못된 "
            "프로그램이 잘못된 수로 계속 돌아갑니다.",
        ),
    },
)
def broadcast_shapes(names: Names) -> None:
    """The common shape of two shapes, or ValueError."""
    function = defined(names, "broadcast_shapes")
    sizes = [(), (1,), (3,), (2, 3), (2, 1), (1, 3), (4, 1, 3), (4, 2, 1), (0,), (2, 0), (3, 2)]
    for a, b in itertools.product(sizes, sizes):
        shown = f"broadcast_shapes({a}, {b})"
        try:
            expected = np.broadcast_shapes(a, b)
        except ValueError:
            _must_refuse(shown, function, a, b)
            continue
        try:
            value = function(a, b)
        except ValueError:
            raise Wrong(
                f"{shown} raised ValueError, but the two fit: the result is {expected}. Shapes are aligned at the right.",
                f"{shown}에서 ValueError가 났지만 두 모양은 맞습니다. 결과는 {expected}입니다. 모양은 오른쪽에 맞춥니다.",
                "" if _fits_from_the_left(a, b) else "left",
            ) from None
        except Exception:  # once more, for the sentence
            value = call(shown, function, a, b)
        value = tuple(value) if isinstance(value, list) else value
        symptom = "zero" if 0 in expected and value != expected else ""
        why = Text("The 0 must win over the 1.", "0과 1이 만나면 0이어야 합니다.") if symptom else None
        if isinstance(value, tuple) and len(value) < len(expected):
            why = Text(
                "The longer shape lost its front axes: the shorter one counts as having 1s there.",
                "긴 쪽의 앞 축이 사라졌습니다. 짧은 쪽은 그 자리에 1이 있는 것으로 봅니다.",
            )
        elif isinstance(value, tuple) and value == expected[::-1]:
            why = Text("It is the right shape from back to front.", "맞는 모양인데 앞뒤가 뒤집혔습니다.")
        equal(shown, value, expected, why, symptom)


def _must_refuse(shown: str, function: object, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        value = function(a, b)  # type: ignore[operator]
    except ValueError:
        return
    except Exception:  # once more, for the sentence
        value = call(shown, function, a, b)  # type: ignore[arg-type]
    raise Wrong(
        f"{shown} should raise ValueError, because the two don't fit; it gave {value!r}.",
        f"{shown}은(는) 두 모양이 맞지 않으므로 ValueError를 일으켜야 하는데 {value!r}이(가) 나왔습니다.",
        "no error",
    )


def _fits_from_the_left(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(a, b, strict=False))
