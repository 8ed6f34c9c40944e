"""Checks of lesson 06: gradients in the shape of their input. The authority is the derivative written out with loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbtorch.course.checking import Checks, Mistake, Names, Text, Wrong, call, close, defined

CHECKS = Checks("shapes")

_COPIED_ADDED = Text(
    "What was copied forwards is added up backwards.", "앞으로 갈 때 복사한 것은 거슬러 올 때 더합니다."
)


def _folded(gradient: Any, shape: tuple[int, ...]) -> Any:
    """What comes back to each number of `shape`: the sum over the places that it was copied to."""
    origin = np.broadcast_to(np.arange(int(np.prod(shape))).reshape(shape), gradient.shape)
    return np.bincount(origin.ravel(), gradient.ravel(), int(np.prod(shape))).reshape(shape)


@CHECKS.exercise(
    "unbroadcast",
    hints=[
        Text(
            "First the axes in front: while gradient.ndim > len(shape), sum the first one away.",
            "먼저 앞의 축들입니다. gradient.ndim > len(shape)인 동안 첫 축을 더해 없애세요.",
        ),
        Text(
            "Now both have the same number of axes. Where shape has a 1 and gradient hasn't: gradient.sum(axis=axis, keepdims=True).",
            "이제 축의 수가 같습니다. shape가 1인데 gradient는 1이 아닌 곳에서 gradient.sum(axis=axis, keepdims=True)를 하세요.",
        ),
        Text(
            "for axis, length in enumerate(shape): if length == 1 and gradient.shape[axis] != 1: … and return gradient.",
            "for axis, length in enumerate(shape): length == 1이고 gradient.shape[axis] != 1이면 … 마지막에 return gradient.",
        ),
    ],
    symptoms={
        "mean": Text("Six gradients come back, and the bias has caused all six: their sum, not their mean.",
                     "그래디언트 여섯 개가 돌아왔고 여섯 모두 편향 때문입니다. 평균이 아니라 합입니다."),
        "cut": Text("Taking one of the copies forgets the others. Add them up.", "복사본 하나만 취하면 나머지를 잊습니다. 더하세요."),
        "keepdims": Text("A stretched axis stays, with length 1: keepdims=True.", "늘어난 축은 길이 1로 남습니다. keepdims=True입니다."),
        "front": Text("Axes that were put in front are summed away entirely.", "앞에 붙은 축은 더해서 아예 없앱니다."),
        "stretched": Text("An axis of length 1 may have been stretched, too.", "길이 1짜리 축도 늘어났을 수 있습니다."),
    },
)  # fmt: skip
def unbroadcast(names: Names) -> None:
    """The gradient in the input's shape, with the copies added up."""
    function = defined(names, "unbroadcast")
    cases = [((2, 3), (2, 3)), ((2, 3), (1, 3)), ((2, 3), (2, 1)), ((2, 3), (3,)), ((2, 3), (1,)), ((2, 3), ()),
             ((4, 2, 3), (2, 1)), ((4, 2, 3), (1, 3)), ((4, 1, 3), (3,)), ((4, 1, 3), (1, 3)), ((2, 1), (2, 1)),
             ((5, 4, 2, 3), (1, 2, 1)), ((1, 3), (3,)), ((3, 3), (1, 3)), ((3, 3), (3, 1)), ((), ())]  # fmt: skip
    for whole, shape in cases:
        for dtype in (np.float32, np.float64):
            gradient = np.arange(1, int(np.prod(whole)) + 1, dtype=dtype).reshape(whole)
            before = gradient.copy()
            shown = f"unbroadcast(gradient, {shape}) of a gradient of shape {whole}"
            value = call(shown, function, gradient, shape)
            _shape(shown, value, whole, shape)
            expected = _folded(gradient, shape)
            copies = gradient.size // max(expected.size, 1)
            axes = tuple(range(len(whole) - len(shape)))
            first = gradient[(0,) * len(axes)]
            one = first[tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)]
            known = [] if copies == 1 else [
                Mistake(expected / copies, Text("That is the mean of what comes back, not the sum.", "돌아온 것의 합이 아니라 평균입니다."), "mean"),
                Mistake(one, Text("Only one of the copies was kept.", "복사본 하나만 남겼습니다."), "cut"),
                Mistake(gradient.max(axis=axes).reshape(one.shape) if one.shape == gradient.max(axis=axes).shape else one,
                        Text("That is the largest, not the sum.", "합이 아니라 가장 큰 값입니다.")),
            ]  # fmt: skip
            close(shown, value, expected, dtype=dtype, why=_COPIED_ADDED, mistakes=known)
            if not np.array_equal(gradient, before):
                raise Wrong(
                    f"{shown} changed the gradient it was given.",
                    f"{shown}이(가) 받은 그래디언트를 바꾸었습니다.",
                    "in place",
                )


def _shape(shown: str, value: Any, whole: tuple[int, ...], shape: tuple[int, ...]) -> None:
    have = np.shape(value)
    if value is None or have == shape:
        return
    if have == whole:
        why, symptom = Text("It came back unchanged.", "그대로 돌아왔습니다."), "stretched"
        if len(whole) > len(shape):
            why, symptom = Text("The axes in front are still there.", "앞에 붙은 축이 그대로 있습니다."), "front"
        elif len(whole) == len(shape):
            why = Text(
                "An axis of length 1 was stretched; sum along it.",
                "길이 1짜리 축이 늘어났습니다. 그 축을 따라 더하세요.",
            )
    elif len(have) < len(shape):
        why, symptom = (
            Text(
                "A summed axis has vanished: keepdims=True keeps it.",
                "더한 축이 사라졌습니다. keepdims=True가 남겨 줍니다.",
            ),
            "keepdims",
        )
    elif len(have) > len(shape):
        why, symptom = Text("Axes in front are still there.", "앞에 붙은 축이 아직 있습니다."), "front"
    else:
        why, symptom = Text("Which axes were of length 1 before?", "원래 길이가 1이던 축은 어느 것인가요?"), "stretched"
    raise Wrong(
        f"{shown} should have the shape {shape}, but it has {have}. {why.en}",
        f"{shown}의 모양은 {shape}이어야 하는데 {have}입니다. {why.ko}",
        symptom,
    )


def _context(names: Names, name: str) -> Any:
    """A context as forward leaves it."""
    operation = names[name]
    if "backward" not in vars(operation):
        raise Wrong(
            f"{name} has no backward yet: run the cell above.",
            f"{name}에 아직 backward가 없습니다. 위의 셀을 실행하세요.",
        )
    return type("Context", (), {"saved_tensors": (), "save_for_backward": lambda self, *arrays: None})()


def _back(
    names: Names, name: str, shown: str, forward: tuple[Any, ...], gradient: Any, count: int, misfit: Text, symptom: str
) -> Any:
    """The first part that an operation's backward gives, after its forward; the others must be None.

    `misfit` and `symptom` say what it means here when NumPy finds that shapes or axes don't fit.
    """
    ctx = _context(names, name)
    operation = names[name]
    operation.forward(ctx, *forward)
    before = gradient.copy()
    try:
        parts = call(shown, operation.backward, ctx, gradient)
    except Wrong as wrong:
        if not any(kind in wrong.text.en for kind in ("ValueError", "AxisError", "IndexError")):
            raise
        raise Wrong(f"{wrong.text.en}. {misfit.en}", f"{wrong.text.ko}. {misfit.ko}", symptom) from None
    if not isinstance(parts, (tuple, list)) or len(parts) != count:
        have = f"it has {len(parts)}" if isinstance(parts, (tuple, list)) else f"it is a {type(parts).__name__}"
        nones = ", ".join(["None"] * (count - 1))
        raise Wrong(
            f"{shown} should be a tuple of {count} parts, one for each input of forward: (…, {nones}); {have}.",
            f"{shown}의 결과는 forward의 입력마다 하나씩 {count}개를 담은 튜플 (…, {nones})이어야 합니다.",
            "tuple",
        )
    if any(part is not None for part in parts[1:]):
        raise Wrong(
            f"{shown}: the parts after the first should be None; those inputs are no numbers that learn.",
            f"{shown}: 둘째부터는 None이어야 합니다. 배우는 수가 아닌 입력입니다.",
            "tuple",
        )
    if not np.array_equal(gradient, before):
        raise Wrong(
            f"{shown} changed the gradient it was given.", f"{shown}이(가) 받은 그래디언트를 바꾸었습니다.", "in place"
        )
    return parts[0]


_LOST = Text(
    "The axis that was summed away must be put back, at its own place, before the copying; a kept axis, or a sum of "
    "everything, needs nothing.",
    "더해서 사라진 축을 복사하기 전에 제자리에 되돌려야 합니다. 남겨 둔 축이나 전부 더한 경우에는 필요 없습니다.",
)
_AXES = Text("Which two axes were swapped? ctx.dims says it.", "어느 두 축을 바꾸었나요? ctx.dims에 있습니다.")
_ZEROS = Text(
    "Begin with zeros of the input's shape, ctx.shape, and add the gradient at ctx.index.",
    "입력의 모양인 ctx.shape의 0에서 시작해 ctx.index 자리에 그래디언트를 더하세요.",
)
_TUPLE = Text(
    "Three inputs, three parts: (gradient, None, None).", "입력이 셋이니 결과도 셋입니다. (그래디언트, None, None)."
)


@CHECKS.exercise(
    "Sum.backward",
    hints=[
        Text(
            "If an axis is gone (a dim was given and not kept), put it back: np.expand_dims(gradient, ctx.dim).",
            "축이 사라졌다면(dim을 주었고 남기지 않았다면) np.expand_dims(gradient, ctx.dim)으로 되돌립니다.",
        ),
        Text("Then np.broadcast_to(gradient, ctx.shape) copies it.", "그다음 np.broadcast_to(gradient, ctx.shape)가 복사합니다."),
        Text(
            "if ctx.dim is not None and not ctx.keepdim: gradient = np.expand_dims(gradient, ctx.dim); "
            "return np.broadcast_to(gradient, ctx.shape), None, None",
            "ctx.dim is not None이고 ctx.keepdim이 아니면 gradient = np.expand_dims(gradient, ctx.dim). "
            "return np.broadcast_to(gradient, ctx.shape), None, None",
        ),
    ],
    symptoms={
        "tuple": _TUPLE,
        "axis": Text(
            "NumPy lines shapes up at the right, so a (3,) fits (3, 3) along the wrong axis without a word. Put the axis back.",
            "NumPy는 모양을 오른쪽에 맞추므로 (3,)은 (3, 3)에 엉뚱한 축으로도 말없이 들어맞습니다. 축을 되돌리세요.",
        ),
        "ones": Text("Copy the gradient that came in, not ones.", "1이 아니라 들어온 그래디언트를 복사하세요."),
        "divided": Text("A sum gives each the whole gradient. Dividing is the mean's part.", "합은 저마다 그래디언트 전부를 줍니다. 나누는 것은 평균의 몫입니다."),
    },
)  # fmt: skip
def sum_backward(names: Names) -> None:
    """The gradient, copied to every place."""
    cases: list[tuple[tuple[int, ...], Any, bool]] = [
        ((2, 3), None, False), ((2, 3), 1, False), ((2, 3), 0, False), ((2, 3), 1, True), ((3, 3), 1, False), ((3, 3), 0, False),
        ((2, 3, 4), 1, False), ((2, 3, 4), (0, 2), False), ((2, 3, 4), -1, False), ((2, 3, 4), (0, 2), True), ((3,), None, True),
        ((), None, False),
    ]  # fmt: skip
    for shape, dim, keepdim in cases:
        a = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)
        out = np.asarray(a.sum(axis=dim, keepdims=keepdim))
        gradient = np.arange(2, out.size + 2, dtype=np.float32).reshape(out.shape)
        shown = f"Sum.backward after a sum of {shape} with dim={dim}" + (", keepdim=True" if keepdim else "")
        part = _back(names, "Sum", shown, (a, dim, keepdim), gradient, 3, _LOST, "axis")
        kept = gradient if keepdim or dim is None else np.expand_dims(gradient, dim)
        expected = np.broadcast_to(kept, shape)
        count = a.size // max(out.size, 1)
        known = [
            Mistake(np.ones(shape), Text("Those are ones: what came in is lost.", "1뿐입니다. 들어온 것을 잃었습니다."), "ones"),
            Mistake(np.zeros(shape), Text("Those are zeros: what came in is lost.", "0뿐입니다. 들어온 것을 잃었습니다."), "ones"),
            Mistake(np.full(shape, gradient.sum()), Text("The gradients were added up once more.", "그래디언트를 한 번 더 더했습니다."), "ones"),
            Mistake(np.resize(gradient, shape), Text("The numbers were strung together in their order, not copied along the lost axis.", "수를 차례로 늘어놓았습니다. 사라진 축을 따라 복사해야 합니다."), "axis"),
            Mistake(expected / max(count, 1), Text("It was divided by the count: that is the mean's gradient.", "개수로 나누었습니다. 그것은 평균의 그래디언트입니다."), "divided"),
            Mistake(a, Text("Those are the numbers of the input.", "그것은 입력의 수입니다.")),
        ]  # fmt: skip
        if shape == (3, 3) and dim == 1 and not keepdim:
            wrong = np.broadcast_to(gradient, shape)
            known.append(
                Mistake(wrong, Text("It was copied along the wrong axis.", "엉뚱한 축을 따라 복사했습니다."), "axis")
            )
        close(
            f"{shown}: the part for the input",
            part,
            expected,
            dtype=np.float32,
            mistakes=known,
            why=_same_shape(part, shape),
        )


def _same_shape(part: Any, shape: tuple[int, ...]) -> Text | None:
    if np.shape(part) == shape:
        return None
    return Text("The gradient of an input has the input's shape.", "입력의 그래디언트는 입력과 모양이 같습니다.")


@CHECKS.exercise(
    "Transpose.backward",
    hints=[
        Text("Which swap undoes a swap?", "두 축을 맞바꾼 것을 되돌리려면 무엇을 맞바꿔야 할까요?"),
        Text("The same one. ctx.dims holds the two axes.", "같은 두 축입니다. ctx.dims에 들어 있습니다."),
        Text("return gradient.swapaxes(*ctx.dims), None, None", "return gradient.swapaxes(*ctx.dims), None, None"),
    ],
    symptoms={
        "tuple": _TUPLE,
        "axes": Text(
            "`.T` turns all axes round; only two are to be swapped.",
            "`.T`는 축을 모두 뒤집습니다. 두 축만 바꾸어야 합니다.",
        ),
    },
)
def transpose_backward(names: Names) -> None:
    """The same two axes, swapped back."""
    for shape, dims in (
        ((2, 3), (0, 1)),
        ((3, 3), (0, 1)),
        ((2, 3, 4), (0, 2)),
        ((2, 3, 4), (1, 2)),
        ((2, 3, 4), (0, 1)),
        ((2, 2, 2), (0, -1)),
    ):
        a = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)
        gradient = a.swapaxes(*dims) * 10
        shown = f"Transpose.backward after transpose{dims} of a shape {shape}"
        part = _back(names, "Transpose", shown, (a, *dims), gradient, 3, _AXES, "axes")
        known = [
            Mistake(gradient, Text("It came back as it was: swap the axes back.", "그대로 돌아왔습니다. 축을 도로 바꾸세요.")),
            Mistake(gradient.T, Text("All axes were turned round, not the two.", "두 축이 아니라 모든 축을 뒤집었습니다."), "axes"),
            Mistake(gradient.reshape(shape), Text("reshape keeps the order of the numbers; swapping axes doesn't.", "reshape는 수의 순서를 그대로 둡니다. 축 바꾸기는 다릅니다."), "axes"),
        ]  # fmt: skip
        close(
            f"{shown}: the part for the input",
            part,
            a * 10,
            dtype=np.float32,
            mistakes=known,
            why=_same_shape(part, shape),
        )


@CHECKS.exercise(
    "GetItem.backward",
    hints=[
        Text(
            "Zeros in the shape of the input: np.zeros(ctx.shape, gradient.dtype).",
            "입력 모양의 0에서 시작합니다. np.zeros(ctx.shape, gradient.dtype).",
        ),
        Text(
            "np.add.at(whole, ctx.index, gradient) adds at the places that were taken, repeated ones as often as they occur.",
            "np.add.at(whole, ctx.index, gradient)는 가져온 자리에 더합니다. 겹친 자리에는 나온 횟수만큼 더합니다.",
        ),
        Text(
            "whole = np.zeros(ctx.shape, gradient.dtype); np.add.at(whole, ctx.index, gradient); return whole, None",
            "whole = np.zeros(ctx.shape, gradient.dtype); np.add.at(whole, ctx.index, gradient); return whole, None",
        ),
    ],
    symptoms={
        "tuple": Text("Two inputs, two parts: (whole, None).", "입력이 둘이니 결과도 둘입니다. (whole, None)."),
        "repeated": Text(
            "A place that was taken twice gets both gradients; `+=` and `=` keep only one. np.add.at adds one by one.",
            "두 번 가져온 자리는 그래디언트를 둘 다 받습니다. `+=`나 `=`는 하나만 남깁니다. np.add.at은 하나씩 더합니다.",
        ),
        "zeros": Text(
            "Three lines: zeros of ctx.shape, np.add.at, return.", "세 줄입니다. ctx.shape 모양의 0, np.add.at, return."
        ),
        "dtype": Text(
            "np.zeros(shape) has 64 bits. Say gradient.dtype.",
            "np.zeros(shape)는 64비트입니다. gradient.dtype을 주세요.",
        ),
    },
)
def getitem_backward(names: Names) -> None:
    """Zeros, with the gradient added where it was taken from."""
    grid = (3, 4)
    indices: list[tuple[tuple[int, ...], Any]] = [
        (grid, 1), (grid, (2, 3)), (grid, slice(0, 2)), (grid, (slice(None), 1)), ((3,), [2, 0]), ((3,), [0, 0, 2]),
        (grid, [1, 1, 1]), (grid, ([0, 0, 2], [1, 1, 3])), (grid, (slice(None), None)), ((5,), slice(None, None, 2)),
    ]  # fmt: skip
    for shape, index in indices:
        a = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)
        taken = np.asarray(a[index])
        gradient = np.arange(1, taken.size + 1, dtype=np.float32).reshape(taken.shape)
        shown = f"GetItem.backward after x[{_written(index)}] of a shape {shape}"
        part = _back(names, "GetItem", shown, (a, index), gradient, 2, _ZEROS, "zeros")
        expected = np.zeros(shape, np.float32)
        np.add.at(expected, index, gradient)
        once = np.zeros(shape, np.float32)
        once[index] = gradient
        known = [
            Mistake(once, Text("A place that was taken several times has got only one of its gradients.", "여러 번 가져온 자리가 그래디언트를 하나만 받았습니다."), "repeated"),
            Mistake(np.zeros(shape), Text("Nothing was added into the zeros.", "0에 아무것도 더하지 않았습니다."), "zeros"),
            Mistake(expected + 1, Text("It began with ones; what wasn't taken gets 0.", "1에서 시작했습니다. 가져오지 않은 것은 0을 받습니다."), "zeros"),
            Mistake(np.full(shape, gradient.sum()), Text("The sum of all gradients went everywhere.", "그래디언트의 합이 모든 자리에 들어갔습니다."), "zeros"),
            Mistake(np.asarray(a), Text("Those are the numbers of the input.", "그것은 입력의 수입니다.")),
            Mistake((expected != 0) * 1.0, Text("Those are ones: what came in is lost.", "1뿐입니다. 들어온 것을 잃었습니다.")),
        ]  # fmt: skip
        why = _same_shape(part, shape)
        if getattr(part, "dtype", None) == np.float64:
            why = Text("np.zeros(shape) has 64 bits.", "np.zeros(shape)는 64비트입니다.")
        close(f"{shown}: the part for the input", part, expected, dtype=np.float32, mistakes=known, why=why,
              symptom="dtype" if getattr(part, "dtype", None) == np.float64 else "")  # fmt: skip


def _written(index: Any) -> str:
    if isinstance(index, tuple):
        return ", ".join(map(_written, index))
    if isinstance(index, slice):
        text = ":".join("" if v is None else str(v) for v in (index.start, index.stop))
        return text if index.step is None else f"{text}:{index.step}"
    return str(index)
