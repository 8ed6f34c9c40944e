"""Checks of lesson 07: the way back through a matrix product, and the manners of a training loop."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import numpy.typing as npt

from nbtorch.course.checking import Checks, Mistake, Names, Text, Wrong, call, close, defined

CHECKS = Checks("manners")

Array = npt.NDArray[Any]

_SHAPES = Text(
    "Write the shapes beside each other: only gradient @ Bᵀ has the shape of A, only Aᵀ @ gradient that of B.",
    "모양을 나란히 써 보세요. A의 모양이 되는 것은 gradient @ Bᵀ뿐이고, B의 모양이 되는 것은 Aᵀ @ gradient뿐입니다.",
)
_STACKS = Text(
    "In a stack only the last two axes change places: .swapaxes(-1, -2), not .T, which turns them all round.",
    "쌓은 행렬에서는 마지막 두 축만 바꿉니다. 모든 축을 뒤집는 .T가 아니라 .swapaxes(-1, -2)를 쓰세요.",
)
_REPEATED = Text(
    "It was repeated along the stack, so its gradients are added up: unbroadcast(gradient, its shape).",
    "쌓은 행렬마다 되풀이해 쓰였으니 그래디언트를 더해야 합니다. unbroadcast(그래디언트, 원래 모양)을 쓰세요.",
)
_NOT_REPEATED = Text(
    "Nothing was repeated here, so nothing may be summed. unbroadcast knows when.",
    "여기서는 되풀이해 쓴 것이 없으니 더하면 안 됩니다. 언제 더할지는 unbroadcast가 압니다.",
)
_SWAPPED = Text(
    "The two gradients are the other way round: A's first.", "두 그래디언트의 순서가 바뀌었습니다. A가 먼저입니다."
)
_TURNED = Text(
    "That is the gradient of the transposed matrix: turn it round.",
    "그것은 전치한 행렬의 그래디언트입니다. 뒤집으세요.",
)
_IGNORED = Text(
    "Was the gradient that arrived left out? This is right only where it is all ones.",
    "도착한 gradient를 빠뜨리지 않았나요? 이것은 gradient가 모두 1일 때만 맞습니다.",
)
_RESHAPED = Text(
    "reshape keeps the order of the numbers; a transpose changes it: .swapaxes(-1, -2).",
    "reshape은 수의 순서를 그대로 둡니다. 전치는 순서를 바꿉니다. .swapaxes(-1, -2)를 쓰세요.",
)
_MEAN = Text(
    "The gradients of all uses are added up, not averaged.", "쓰인 곳마다 온 그래디언트는 평균이 아니라 합을 냅니다."
)
_WIDER = Text(
    "The dtype is that of A and B: was an array made anew, or the numbers converted?",
    "dtype은 A, B와 같아야 합니다. 배열을 새로 만들었거나 수를 변환하지 않았나요?",
)
_SIGN = Text("The sign is wrong: nothing is subtracted here.", "부호가 틀렸습니다. 여기에는 뺄 것이 없습니다.")
_UNTURNED = Text("A transpose is missing.", "전치를 빠뜨렸습니다.")


def _turn(array: Array) -> Array:
    return array.swapaxes(-1, -2)


def _fold(gradient: Array, shape: tuple[int, ...]) -> Array:
    lacking = gradient.ndim - len(shape)
    gradient = gradient.sum(axis=tuple(range(lacking)))
    axes = tuple(i for i, size in enumerate(shape) if size == 1 and gradient.shape[i] != 1)
    return gradient.sum(axis=axes, keepdims=True) if axes else gradient


def _causes(a: Array, b: Array, g: Array, which: int, right: Array) -> list[Mistake]:
    """What known mistakes give for the gradient of A (0) or of B (1)."""
    own, ones = (a, b)[which], np.ones_like(g)
    whole = (g @ _turn(b), _turn(a) @ g)[which]
    found = [
        Mistake((_turn(a) @ g, g @ _turn(b))[which], _SWAPPED, "order"),
        Mistake(_fold((ones @ _turn(b), _turn(a) @ ones)[which], own.shape), _IGNORED, "ignored"),
        Mistake(_turn(right), _TURNED, "turned"),
        Mistake(-right, _SIGN, "sign"),
        Mistake(whole, _REPEATED, "unbroadcast"),
    ]
    reshaped = (
        g @ b.reshape(*b.shape[:-2], b.shape[-1], b.shape[-2]) if which == 0
        else a.reshape(*a.shape[:-2], a.shape[-1], a.shape[-2]) @ g
    )  # fmt: skip
    found.append(Mistake(_fold(reshaped, own.shape), _RESHAPED, "reshaped"))
    if a.shape[-1] == a.shape[-2] == b.shape[-1]:
        found.append(Mistake((g @ b, a @ g)[which], _UNTURNED, "shapes"))
        found.append(Mistake((_turn(b) @ g, g @ _turn(a))[which], _SHAPES, "shapes"))
    if whole.size != right.size:
        found.append(Mistake(right * (right.size / whole.size), _MEAN, "mean"))
    return found


@CHECKS.exercise(
    "MatMul.backward",
    hints=[
        Text(
            "Write the shapes of A, B and gradient on paper, and what shape you owe. Then look which product has it.",
            "A, B, gradient의 모양과 보내야 할 모양을 종이에 쓰세요. 그런 다음 어떤 곱이 그 모양인지 찾으세요.",
        ),
        Text(
            "gradient @ Bᵀ and Aᵀ @ gradient, where ᵀ is .swapaxes(-1, -2).",
            "gradient @ Bᵀ와 Aᵀ @ gradient입니다. ᵀ는 .swapaxes(-1, -2)로 씁니다.",
        ),
        Text(
            "Return unbroadcast(gradient @ b.swapaxes(-1, -2), a.shape), and likewise for b.",
            "unbroadcast(gradient @ b.swapaxes(-1, -2), a.shape)와 b에 대한 같은 식을 반환하세요.",
        ),
    ],
    symptoms={"shapes": _SHAPES, "stacks": _STACKS, "unbroadcast": _REPEATED, "not repeated": _NOT_REPEATED},
)
def matmul_backward(names: Names) -> None:
    """Two matrices, then stacks of which one is repeated."""
    function = defined(names, "MatMul.backward")
    draw = np.random.default_rng(0)
    cases = [
        ((2, 3), (3, 4)),
        ((3, 3), (3, 3)),
        ((1, 3), (3, 1)),
        ((5, 2, 3), (5, 3, 4)),
        ((5, 2, 3), (3, 4)),
        ((2, 3), (5, 3, 4)),
        ((5, 1, 2, 3), (2, 3, 4)),
        ((3, 2, 2), (1, 2, 2)),
    ]
    for one, two in cases:
        a, b = (draw.integers(-4, 5, shape).astype(np.float32) for shape in (one, two))
        g = draw.integers(1, 6, (a @ b).shape).astype(np.float32)
        _one_product(names, function, a, b, g)


def _one_product(names: Names, function: Any, a: Array, b: Array, g: Array) -> None:
    ctx = names["Node"](names["MatMul"], ())
    ctx.save_for_backward(a, b)
    before = a.copy(), b.copy(), g.copy()
    shown = f"with A {a.shape}, B {b.shape} and gradient {g.shape}, backward"
    stack = max(a.ndim, b.ndim) > 2
    try:
        parts = call(shown, function, ctx, g)
    except Wrong as wrong:
        if not isinstance(wrong.__cause__, (ValueError, IndexError)):
            raise
        why = _STACKS if stack else _SHAPES
        raise Wrong(
            f"{wrong.text.en}. {why.en}", f"{wrong.text.ko}. {why.ko}", "stacks" if stack else "shapes"
        ) from None
    if not isinstance(parts, (tuple, list)) or len(parts) != 2:
        raise Wrong(
            f"{shown} should give two gradients, A's and B's; it gave "
            + (f"{len(parts)}." if isinstance(parts, (tuple, list)) else f"a {type(parts).__name__}. Is a return there?"),
            f"{shown}의 결과는 A와 B의 그래디언트 둘이어야 하는데 "
            + (f"{len(parts)}개입니다." if isinstance(parts, (tuple, list)) else f"{type(parts).__name__}입니다. return이 있나요?"),
            "two",
        )  # fmt: skip
    if any(not np.array_equal(now, old) for now, old in zip((a, b, g), before, strict=True)):
        raise Wrong(
            f"{shown} changed A, B or the gradient that arrived. Others still need them: make new arrays.",
            f"{shown}이(가) A나 B, 또는 도착한 그래디언트를 바꾸었습니다. 다른 곳에서도 필요하니 새 배열을 만드세요.",
            "in place",
        )
    rights = _fold(g @ _turn(b), a.shape), _fold(_turn(a) @ g, b.shape)
    for which, (part, right) in enumerate(zip(parts, rights, strict=True)):
        name = f"{shown}: the gradient of {'AB'[which]}"
        if isinstance(part, names["Tensor"]):
            raise Wrong(
                f"{name} should be an array; it is a Tensor. backward works on arrays, as forward does.",
                f"{name}은(는) 배열이어야 하는데 Tensor입니다. forward처럼 backward도 배열로 계산합니다.",
                "tensor",
            )
        # What is wrong about the shape when nothing more special is known.
        try:
            have, dtype = np.shape(part), np.asarray(part).dtype
        except ValueError:
            raise Wrong(
                f"{name} should be an array; its rows aren't equally long.",
                f"{name}은(는) 배열이어야 하는데 행의 길이가 서로 다릅니다.",
                "type",
            ) from None
        why = _STACKS if stack else _SHAPES
        symptom = "stacks" if stack else "shapes"
        if stack and len(have) < right.ndim:
            why, symptom = _NOT_REPEATED, "not repeated"
        elif stack and have != right.shape and have[-2:] == right.shape[-2:]:
            why, symptom = _REPEATED, "unbroadcast"
        elif have == right.shape and dtype != np.float32:
            why, symptom = _WIDER, "dtype"
        causes = _causes(a, b, g, which, right)
        close(name, part, right, dtype=np.float32, why=why, symptom=symptom, mistakes=causes)


_ON_SELF = Text(
    "Set no_grad.recording, of the class: everybody looks there. self.recording is known to this object alone.",
    "모두가 들여다보는 클래스의 no_grad.recording을 바꾸세요. self.recording은 이 객체 혼자만 압니다.",
)


@CHECKS.exercise(
    "no_grad",
    hints=[
        Text(
            "Two values to look after: what holds now (no_grad.recording) and what held before (in self).",
            "돌볼 값이 둘입니다. 지금의 값(no_grad.recording)과 전의 값(self에 둡니다).",
        ),
        Text(
            "__enter__: self.before = no_grad.recording, then no_grad.recording = False.",
            "__enter__: self.before = no_grad.recording, 그다음 no_grad.recording = False.",
        ),
        Text("__exit__: no_grad.recording = self.before.", "__exit__: no_grad.recording = self.before."),
    ],
    symptoms={
        "self": _ON_SELF,
        "nested": Text(
            "After an inner block, the outer one still holds. Put back what __enter__ found, not True.",
            "안쪽 블록이 끝나도 바깥쪽은 아직 남아 있습니다. True가 아니라 __enter__에서 본 값을 되돌리세요.",
        ),
        "swallowed": Text(
            "Python takes a true result of __exit__ for 'the error is dealt with'. Return nothing.",
            "파이썬은 __exit__가 참을 반환하면 오류가 처리되었다고 여깁니다. 아무것도 반환하지 마세요.",
        ),
    },
)
def no_grad(names: Names) -> None:
    """One block, a block in a block, a block that an error ends."""
    made = defined(names, "no_grad", type)
    if not hasattr(made, "recording"):
        raise Wrong(
            "no_grad has no `recording` any more. The line `recording = True` belongs to the class.",
            "no_grad에 `recording`이 없습니다. `recording = True` 줄은 클래스에 있어야 합니다.",
        )
    if not (callable(getattr(made, "__enter__", None)) and callable(getattr(made, "__exit__", None))):
        raise Wrong(
            "no_grad needs two methods, __enter__ and __exit__, or `with` can't use it.",
            "no_grad에는 __enter__와 __exit__ 두 메서드가 필요합니다. 없으면 `with`로 쓸 수 없습니다.",
        )
    try:
        _blocks(made)
    finally:
        made.recording = True


def _blocks(made: Any) -> None:
    made.recording = True
    block = call("no_grad()", made)
    _recording(
        made, True, "after no_grad() alone, before the block begins", "블록이 시작되기 전 no_grad()만 만들었을 때",
        Text("That belongs into __enter__, not into __init__.", "__init__이 아니라 __enter__에서 할 일입니다."),
    )  # fmt: skip
    call("__enter__", made.__enter__, block)
    _recording(made, False, "inside `with no_grad():`", "`with no_grad():` 안에서", block=block)
    _leave(made, block)
    _recording(made, True, "after the block", "블록이 끝난 뒤")
    outer, inner = made(), made()
    call("__enter__", made.__enter__, outer)
    call("__enter__", made.__enter__, inner)
    _recording(
        made, False, "inside a block in another block", "블록 안의 블록에서",
        Text(
            "Set it to False; turning it round switches the notes on again.",
            "False로 하세요. 반대로 뒤집으면 다시 기록하게 됩니다.",
        ),
    )  # fmt: skip
    _leave(made, inner)
    _recording(
        made, False, "after the inner of two blocks, still inside the outer one", "두 블록 가운데 안쪽이 끝나고 아직 바깥쪽 안일 때",
        Text("Put back what __enter__ found, not True.", "True가 아니라 __enter__에서 본 값을 되돌리세요."), "nested",
    )  # fmt: skip
    _leave(made, outer)
    _recording(
        made, True, "after both blocks", "두 블록이 모두 끝난 뒤",
        Text(
            "Each block must remember what it found itself: in self, not in the class or a variable that all share.",
            "블록마다 자기가 본 값을 따로 기억해야 합니다. 클래스나 함께 쓰는 변수가 아니라 self에 두세요.",
        ),
    )  # fmt: skip
    failing = made()
    call("__enter__", made.__enter__, failing)
    error = ValueError("on purpose")
    swallowed = _leave(made, failing, ValueError, error, None)
    _recording(
        made, True, "after an error in the block", "블록이 오류로 끝난 뒤",
        Text("__exit__ is called then too: put it back in any case.", "이때도 __exit__가 불립니다. 어떤 경우에도 되돌리세요."),
    )  # fmt: skip
    if swallowed:
        raise Wrong(
            "an error inside the block is swallowed: __exit__ returns something true. Return nothing.",
            "블록 안의 오류가 삼켜집니다. __exit__가 참인 값을 반환합니다. 아무것도 반환하지 마세요.",
            "swallowed",
        )


def _leave(made: Any, block: Any, *error: Any) -> Any:
    try:
        return call("__exit__", made.__exit__, block, *(error or (None, None, None)))
    except Wrong as wrong:
        if isinstance(wrong.__cause__, TypeError) and "positional argument" in str(wrong.__cause__):
            raise Wrong(
                "__exit__ gets three things about an error (or three None): keep `*error` in its first line.",
                "__exit__는 오류에 대한 값 세 개를 받습니다(오류가 없으면 None 세 개). 첫 줄의 `*error`를 그대로 두세요.",
            ) from None
        raise


def _recording(
    made: Any, want: bool, en: str, ko: str, why: Text | None = None, symptom: str = "", block: Any = None
) -> None:
    found = getattr(made, "recording", None)
    if isinstance(found, (bool, int, np.bool_)) and bool(found) == want:
        return
    if block is not None and "recording" in vars(block):
        why, symptom = _ON_SELF, "self"
    elif why is None:
        why = Text(
            "__exit__ has to put back what it was." if want else "__enter__ has to set it to False.",
            "__exit__에서 전의 값으로 되돌려야 합니다." if want else "__enter__에서 False로 해야 합니다.",
        )
    raise Wrong(
        f"{en}, no_grad.recording should be {want}; it is {found!r}. {why.en}",
        f"{ko} no_grad.recording은 {want}여야 하는데 {found!r}입니다. {why.ko}",
        symptom or "recording",
    )


@CHECKS.exercise(
    "zero_grad",
    hints=[
        Text("A loop over the parameters, and one line in it.", "파라미터를 도는 반복문이고, 그 안은 한 줄입니다."),
        Text(
            "The gradient stands in parameter.grad. The parameter's own numbers stay.",
            "그래디언트는 parameter.grad에 있습니다. 파라미터 자신의 수는 그대로 둡니다.",
        ),
        Text("parameter.grad = None", "parameter.grad = None"),
    ],
    symptoms={
        "first": Text("Every parameter, also the last. Is a return inside the loop?", "마지막까지 모든 파라미터입니다. 반복문 안에 return이 있지 않나요?"),
        "zeros": Text("None says that nothing has arrived; zeros say that something did.", "None은 아무것도 오지 않았다는 뜻이고, 0은 무언가 왔다는 뜻입니다."),
    },
)  # fmt: skip
def zero_grad(names: Names) -> None:
    """A list, none of it, some without a gradient, and parameters that can be walked through only once."""
    function = defined(names, "zero_grad")
    for shown, wrap in (("zero_grad([a, b, c])", list), ("zero_grad(parameters), of a generator,", _once)):
        parameters = [_parameter(names, value) for value in ([1.0, 2.0], [3.0], [4.0, 5.0])]
        gradients = [parameter.grad for parameter in parameters]
        given: Any = wrap(parameters)
        _call_zero_grad(shown, function, given)
        _forgotten(names, shown, parameters, gradients)
        if isinstance(given, list) and len(given) != 3:
            raise Wrong(f"{shown} changed the list itself.", f"{shown}이(가) 리스트 자체를 바꾸었습니다.")
    fresh = names["Tensor"]([1.0])
    fresh.requires_grad = True
    _call_zero_grad("zero_grad([a]), before any backward,", function, [fresh])
    call("zero_grad([])", function, [])


def _once(values: Any) -> Any:
    return (value for value in values)


def _parameter(names: Names, value: Any) -> Any:
    made = names["Tensor"](value)
    made.requires_grad, made.grad = True, names["Tensor"]([7.0] * len(value))
    return made


def _call_zero_grad(shown: str, function: Any, parameters: Any) -> None:
    try:
        call(shown, function, parameters)
    except Wrong as wrong:
        if isinstance(wrong.__cause__, (AttributeError, TypeError)):
            why = Text(
                "Go through them with `for parameter in parameters`; a gradient may be None already.",
                "`for parameter in parameters`로 하나씩 도세요. 그래디언트가 이미 None일 수도 있습니다.",
            )
            raise Wrong(f"{wrong.text.en}. {why.en}", f"{wrong.text.ko}. {why.ko}", "raised") from None
        raise


def _forgotten(names: Names, shown: str, parameters: list[Any], gradients: list[Any]) -> None:
    for parameter, numbers in zip(parameters, ([1.0, 2.0], [3.0], [4.0, 5.0]), strict=True):
        if not np.array_equal(np.asarray(parameter.data, dtype=object), np.asarray(numbers, dtype=object)):
            raise Wrong(
                f"{shown} changed the parameters' own numbers: all that was learned is lost. Only .grad is to be forgotten.",
                f"{shown}이(가) 파라미터 자신의 수를 바꾸었습니다. 배운 것이 사라집니다. 잊을 것은 .grad뿐입니다.",
                "data",
            )
        if not parameter.requires_grad:
            raise Wrong(
                f"{shown} switched requires_grad off: the parameter would never learn again.",
                f"{shown}이(가) requires_grad를 껐습니다. 파라미터가 다시는 배우지 못합니다.",
                "requires_grad",
            )
    left = [parameter.grad is not None for parameter in parameters]
    if not any(left):
        return
    first = parameters[left.index(True)].grad
    kept = [p.grad is g and np.array_equal(np.asarray(g.data), [7.0] * g.data.size) for p, g in zip(parameters, gradients, strict=True)]  # fmt: skip
    if left == [False, True, True]:
        en, ko, symptom = "only the first was forgotten. Is a return inside the loop?", "첫 번째만 잊었습니다. 반복문 안에 return이 있지 않나요?", "first"  # fmt: skip
    elif all(kept):
        en, ko, symptom = "every gradient is still there. Is parameter.grad set, with its dot?", "그래디언트가 모두 그대로입니다. 점을 찍어 parameter.grad에 넣었나요?", "still"  # fmt: skip
    elif all(left):
        there = np.asarray(first.data if isinstance(first, names["Tensor"]) else first)
        said = there.tolist() if there.dtype.kind in "fiub" else type(first).__name__
        en, ko, symptom = f".grad is {said}. Zeros say that something arrived; None says that nothing has.", f".grad가 {said}입니다. 0은 무언가 왔다는 뜻이고, None은 아직 아무것도 오지 않았다는 뜻입니다.", "zeros"  # fmt: skip
    else:
        en, ko, symptom = "some were forgotten and some weren't. Go through all of them.", "잊은 것도 있고 남은 것도 있습니다. 모두 도세요.", "first"  # fmt: skip
    raise Wrong(
        f"after {shown} every .grad should be None: {en}",
        f"{shown} 뒤에는 모든 .grad가 None이어야 합니다. {ko}",
        symptom,
    )


@CHECKS.exercise(
    "Node.free",
    hints=[
        Text(
            "Ask first whether anything was saved: an empty tuple counts as false in an if.",
            "저장한 것이 있는지 먼저 물으세요. if에서 빈 튜플은 거짓입니다.",
        ),
        Text("if self.saved_tensors: let go of them.", "if self.saved_tensors: 이면 놓아줍니다."),
        Text("self.saved_tensors = None, inside that if.", "그 if 안에서 self.saved_tensors = None."),
    ],
    symptoms={
        "empty": Text(
            "A node that saved nothing has nothing to lose: leave its empty tuple.",
            "저장한 것이 없는 노드는 잃을 것도 없습니다. 빈 튜플을 그대로 두세요.",
        ),
        "not None": Text(
            "None is the mark by which backward will see that the numbers are gone.",
            "None은 수가 사라졌음을 backward가 알아보는 표시입니다.",
        ),
    },
)
def node_free(names: Names) -> None:
    """A node with saved numbers, and one without."""
    function = defined(names, "Node.free")
    array = np.array([1.0, 2.0])
    node = names["Node"](names["MatMul"], ())
    node.shape, arrows = (2,), node.next_functions
    node.save_for_backward(array, array + 1)
    watched = weakref.ref(node.saved_tensors[1])
    shown = "node.free()"
    call(shown, function, node)
    if not hasattr(node, "saved_tensors"):
        raise Wrong(
            f"after {shown} there is no saved_tensors at all. Don't delete it, set it to None: backward will ask for it.",
            f"{shown} 뒤에 saved_tensors가 아예 없습니다. 지우지 말고 None으로 두세요. backward가 물어볼 것입니다.",
            "not None",
        )
    if not np.array_equal(array, [1.0, 2.0]):
        raise Wrong(
            f"{shown} changed the saved numbers; they belong to the tensors. Let go of them, and leave them as they are.",
            f"{shown}이(가) 저장한 수를 바꾸었습니다. 그 수는 텐서의 것입니다. 바꾸지 말고 놓아주기만 하세요.",
            "in place",
        )
    if node.saved_tensors is not None:
        kept = isinstance(node.saved_tensors, tuple) and len(node.saved_tensors) == 2
        raise Wrong(
            f"after {shown} saved_tensors should be None; "
            + ("the numbers are still there. Was self.saved_tensors set, with its `self.`?" if kept
               else f"it is {node.saved_tensors!r}. A node that saved nothing looks like that too; None says that they are gone."),
            f"{shown} 뒤에 saved_tensors는 None이어야 하는데 "
            + ("수가 아직 그대로 있습니다. `self.`를 붙여 self.saved_tensors에 넣었나요?" if kept
               else f"{node.saved_tensors!r}입니다. 저장한 적이 없는 노드도 그런 모습입니다. None은 사라졌다는 표시입니다."),
            "still" if kept else "not None",
        )  # fmt: skip
    if (
        node.operation is not names["MatMul"]
        or node.next_functions is not arrows
        or getattr(node, "shape", None) != (2,)
    ):
        raise Wrong(
            f"{shown} changed more than saved_tensors. The operation, the arrows and the rest stay.",
            f"{shown}이(가) saved_tensors 말고 다른 것도 바꾸었습니다. 연산과 화살표 등은 그대로 두세요.",
            "more",
        )
    if watched() is not None:
        raise Wrong(
            f"after {shown} somebody still holds the saved numbers: were they put into another variable?",
            f"{shown} 뒤에도 누군가 저장한 수를 붙들고 있습니다. 다른 변수에 넣어 두지 않았나요?",
            "held",
        )
    empty = names["Node"](names["MatMul"], ())
    call(shown, function, empty)
    if getattr(empty, "saved_tensors", None) != ():
        raise Wrong(
            "a node that saved nothing should keep its empty tuple; after node.free() it is "
            f"{getattr(empty, 'saved_tensors', 'gone')}. Then even a sum couldn't be walked through twice.",
            "저장한 것이 없는 노드는 빈 튜플을 그대로 두어야 하는데, node.free() 뒤에 "
            f"{getattr(empty, 'saved_tensors', '없음')}입니다. 그러면 덧셈조차 두 번 지나갈 수 없습니다.",
            "empty",
        )
