"""The check of lesson 00: there to show how checks work."""

from __future__ import annotations

from nbtorch.course.checking import Checks, Names, Text, Wrong, call, defined, equal

CHECKS = Checks("start")


@CHECKS.exercise(
    "answer",
    hints=[
        Text("A function gives back what stands after `return`.", "함수는 `return` 뒤에 적힌 것을 돌려줍니다."),
        Text("Replace the line `raise NotImplementedError` by a line that returns a number.",
             "`raise NotImplementedError` 줄을 수를 돌려주는 줄로 바꾸세요."),
        Text("return 42", "return 42"),
    ],
    symptoms={
        "no return": Text("print shows a number; return gives it back.", "print는 수를 보여 주고, return은 돌려줍니다."),
        "text": Text("Without the quotation marks it is a number.", "따옴표를 빼면 수가 됩니다."),
    },
)  # fmt: skip
def answer(names: Names) -> None:
    """42."""
    value = call("answer()", defined(names, "answer"))
    if isinstance(value, str):
        raise Wrong(
            f"answer() should be the number 42; {value!r} is a text.",
            f"answer()의 결과는 수 42여야 하는데 {value!r}은(는) 문자열입니다.",
            "text",
        )
    equal("answer()", value, 42)
