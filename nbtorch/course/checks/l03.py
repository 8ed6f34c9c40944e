"""Checks of lesson 03: nodes, where their arrows lead, and operations that take notes."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbtorch.course.checking import Checks, Names, Text, Wrong, call, close, defined

CHECKS = Checks("graph")


def _leaf(names: Names, value: Any, learns: bool) -> Any:
    made = names["Tensor"](value)
    made.requires_grad = learns
    return made


@CHECKS.exercise(
    "source",
    hints=[
        Text(
            "The order of the questions matters: is it a tensor? was it computed? does it want a gradient?",
            "묻는 순서가 중요합니다. 텐서인가? 계산된 것인가? 그래디언트가 필요한가?",
        ),
        Text(
            "isinstance(value, Tensor), value.grad_fn is not None, value.requires_grad, in this order.",
            "isinstance(value, Tensor), value.grad_fn is not None, value.requires_grad를 이 순서로 물으세요.",
        ),
        Text(
            "not a tensor: None. grad_fn there: return it. Otherwise AccumulateGrad(value) if value.requires_grad else None.",
            "텐서가 아니면 None, grad_fn이 있으면 그것, 아니면 AccumulateGrad(value) if value.requires_grad else None입니다.",
        ),
    ],
    symptoms={
        "constant": Text(
            "A tensor that doesn't require a gradient has no place to collect one. Its arrow leads nowhere: None.",
            "그래디언트가 필요 없는 텐서에는 모을 곳도 없습니다. 화살표는 어디로도 가지 않으니 None입니다.",
        ),
        "computed": Text(
            "A computed tensor requires a gradient too, but its gradient must travel on: ask for grad_fn first.",
            "계산된 텐서도 그래디언트가 필요하지만 그 그래디언트는 더 거슬러 가야 합니다. grad_fn을 먼저 물으세요.",
        ),
    },
)
def source(names: Names) -> None:
    """The four cases."""
    function = defined(names, "source")
    end = names["AccumulateGrad"]
    learns, constant, computed = _leaf(names, 1.0, True), _leaf(names, 1.0, False), _leaf(names, 1.0, True)
    computed.grad_fn = marker = object()
    made = call("source(w)", function, learns)
    if isinstance(made, end) and made.variable is not learns:
        raise Wrong(
            "source(w) of a leaf w is an AccumulateGrad of something else. It must know the tensor itself, to put the gradient there.",
            "source(w)가 w가 아닌 다른 것의 AccumulateGrad입니다. 그래디언트를 넣어 줄 텐서 자체를 알아야 합니다.",
        )
    if not isinstance(made, end):
        raise Wrong(
            f"source(w) of a leaf w with requires_grad should be AccumulateGrad(w); it is {made!r}.",
            f"w가 requires_grad인 잎일 때 source(w)는 AccumulateGrad(w)여야 하는데 {made!r}입니다.",
        )
    made = call("source(c)", function, computed)
    if made is not marker:
        raise Wrong(
            "source(c) of a computed tensor c should be its node, c.grad_fn; it is "
            + ("an AccumulateGrad: the way back would end half-way." if isinstance(made, end) else f"{made!r}."),
            "c가 계산된 텐서일 때 source(c)는 그 노드인 c.grad_fn이어야 하는데 "
            + (
                "AccumulateGrad입니다. 되돌아가는 길이 중간에서 끝나 버립니다."
                if isinstance(made, end)
                else f"{made!r}입니다."
            ),
            "computed",
        )
    for shown, value in (("source(x)", constant), ("source(2.0)", 2.0), ("source(None)", None)):
        made = call(shown, function, value)
        if made is not None:
            what = "a tensor without requires_grad" if value is constant else "something that is no tensor"
            raise Wrong(
                f"{shown} of {what} should be None; it is {made!r}.",
                f"{shown}은(는) None이어야 하는데 {made!r}입니다. "
                + ("그래디언트가 필요 없는 텐서입니다." if value is constant else "텐서가 아닙니다."),
                "constant",
            )


@CHECKS.exercise(
    "Function.apply",
    hints=[
        Text(
            "Go through the four steps above; each is one line, the last one an if with two.",
            "위의 네 단계를 차례로 옮기세요. 하나가 한 줄이고, 마지막은 두 줄짜리 if입니다.",
        ),
        Text(
            "The arrays: [v.data if isinstance(v, Tensor) else v for v in inputs], handed over with a star.",
            "배열은 [v.data if isinstance(v, Tensor) else v for v in inputs]이고, 별표를 붙여 넘깁니다.",
        ),
        Text(
            "any(isinstance(v, Tensor) and v.requires_grad for v in inputs) decides; then out.requires_grad = True and out.grad_fn = ctx.",
            "any(isinstance(v, Tensor) and v.requires_grad for v in inputs)이면 out.requires_grad = True, out.grad_fn = ctx입니다.",
        ),
    ],
    symptoms={
        "all": Text(
            "One learning input is enough: any(...), not all(...).",
            "배우는 입력이 하나라도 있으면 됩니다. all(...)이 아니라 any(...)입니다.",
        ),
        "always": Text(
            "If no input learns, the note is of no use and would keep memory alive: grad_fn stays None.",
            "배우는 입력이 없으면 기록은 쓸모없이 메모리만 붙들고 있습니다. grad_fn은 None으로 둡니다.",
        ),
        "node": Text(
            "The node that forward got as ctx and the one in grad_fn must be the same, or what was saved is lost.",
            "forward가 ctx로 받은 노드와 grad_fn의 노드는 같은 것이어야 합니다. 아니면 저장한 것을 잃어버립니다.",
        ),
    },
)
def apply(names: Names) -> None:
    """Runs forward on arrays, and keeps the node exactly when an input learns."""
    defined(names, "Function.apply")
    seen: list[Any] = []

    def forward(ctx: Any, a: Any, b: Any) -> Any:
        seen.append((ctx, a, b))
        ctx.save_for_backward(a)
        return a * 2 + b

    probe: Any = type("Probe", (names["Function"],), {"forward": staticmethod(forward)})
    tensor = names["Tensor"]
    cases = [(True, True), (True, False), (False, True), (False, False)]
    for first, second in cases:
        a, b = _leaf(names, [1.0, 2.0], first), _leaf(names, 10.0, second)
        shown = f"apply(a, b) with requires_grad = {first}, {second}"
        seen.clear()
        out = call(shown, probe.apply, a, b)
        if not isinstance(out, tensor):
            raise Wrong(
                f"{shown} should be a Tensor; it is a {type(out).__name__}.",
                f"{shown}의 결과는 Tensor여야 하는데 {type(out).__name__}입니다.",
            )
        if len(seen) != 1:
            raise Wrong(
                f"{shown} should call forward once; it called it {len(seen)} times.",
                f"{shown}에서 forward를 한 번 불러야 하는데 {len(seen)}번 불렀습니다.",
            )
        ctx, *arrays = seen[0]
        if any(isinstance(value, tensor) for value in arrays):
            raise Wrong(
                "forward should get arrays; it got tensors. Hand over value.data.",
                "forward는 배열을 받아야 하는데 텐서를 받았습니다. value.data를 넘기세요.",
            )
        close(f"{shown}.data", out.data, [12.0, 14.0])
        learns = first or second
        if (a.requires_grad, b.requires_grad) != (first, second):
            raise Wrong(
                f"{shown} changed requires_grad of an input. Only the result is told that it learns.",
                f"{shown}이(가) 입력의 requires_grad를 바꾸었습니다. 배운다는 표시는 결과에만 합니다.",
            )
        kept = bool(out.requires_grad), out.grad_fn is not None
        if kept != (learns, learns):
            raise Wrong(
                f"{shown}: the result's requires_grad is {out.requires_grad} and its grad_fn is {_named(out.grad_fn)}; expected "
                + (_LEARNS[kept].en if learns else "False and None: nothing here learns."),
                f"{shown}: 결과의 requires_grad가 {out.requires_grad}, grad_fn이 {_named(out.grad_fn)}입니다. "
                + (_LEARNS[kept].ko if learns else "배우는 것이 없으니 False와 None이어야 합니다."),
                ("" if any(kept) else "all") if learns else "always",
            )
        if learns:
            _check_node(names, shown, out.grad_fn, ctx, probe, (a, b))
    try:
        out = call("apply(a, 3.0)", probe.apply, _leaf(names, [1.0], True), 3.0)
    except Wrong as wrong:
        plain = Text("What is no tensor is handed over as it is.", "텐서가 아닌 것은 그대로 넘깁니다.")
        raise Wrong(f"{wrong.text.en}. {plain.en}", f"{wrong.text.ko}. {plain.ko}", wrong.symptom) from None
    close("apply(a, 3.0).data", out.data, [5.0])
    for dtype in (np.float32, np.float64):
        out = call("apply(a, b)", probe.apply, tensor(np.array([1.0], dtype)), tensor(np.array([2.0], dtype)))
        why = Text("The result has the dtype that forward gives it.", "결과의 dtype은 forward가 낸 그대로입니다.")
        close(f"apply(a, b).data, with a and b of {np.dtype(dtype)},", out.data, [4.0], dtype=dtype, why=why)


#: What the result of an input that learns lacks, by what it has: (requires_grad, grad_fn).
_LEARNS = {
    (False, False): Text(
        "True and the node: one input that learns is enough.", "배우는 입력이 하나라도 있으니 True와 노드여야 합니다."
    ),
    (True, False): Text(
        "True and the node: keep it, out.grad_fn = ctx.", "True와 노드여야 합니다. out.grad_fn = ctx로 남겨 두세요."
    ),
    (False, True): Text(
        "True and the node: what is made of an input that learns learns too, out.requires_grad = True.",
        "True와 노드여야 합니다. 배우는 입력으로 만든 결과도 배웁니다. out.requires_grad = True입니다.",
    ),
}


def _named(node: Any) -> str:
    return "None" if node is None else "a node"


def _check_node(names: Names, shown: str, node: Any, ctx: Any, operation: Any, inputs: tuple[Any, ...]) -> None:
    if node is not ctx:
        raise Wrong(
            f"{shown}: grad_fn and the ctx that forward got should be the same node; they are two.",
            f"{shown}: grad_fn과 forward가 받은 ctx는 같은 노드여야 하는데 서로 다릅니다.",
            "node",
        )
    if not isinstance(node, names["Node"]) or node.operation is not operation:
        raise Wrong(
            f"{shown}: grad_fn should be Node(cls, inputs), so that it knows its operation; it is {node!r}.",
            f"{shown}: grad_fn은 자기 연산을 아는 Node(cls, inputs)여야 하는데 {node!r}입니다.",
            "node",
        )
    ends = [getattr(function, "variable", None) for function, _ in node.next_functions]
    expected = [value if value.requires_grad else None for value in inputs]
    if any(end is not want for end, want in zip(ends, expected, strict=False)) or len(ends) != len(expected):
        raise Wrong(
            f"{shown}: the node's arrows don't lead to the inputs. Was it made of `inputs`, the tensors themselves?",
            f"{shown}: 노드의 화살표가 입력으로 가지 않습니다. 텐서인 `inputs`로 노드를 만들었나요?",
            "node",
        )


def _forward(
    names: Names, name: str, arguments: tuple[Any, ...], expected: Any, saved: list[Any], symptom: str, why: Text
) -> None:
    operation = names[name]
    if not hasattr(operation, "forward"):
        raise Wrong(
            f"{name} has no forward yet: run the cell above.",
            f"{name}에 아직 forward가 없습니다. 위의 셀을 실행하세요.",
        )
    ctx = names["Node"](operation, ())
    shown = f"{name}.forward(ctx, {', '.join(str(a.tolist()) for a in arguments)})"
    before = [a.copy() for a in arguments]
    narrow = Text("As many bits must come out as went in.", "들어간 비트 수 그대로 나와야 합니다.")
    made = call(shown, operation.forward, ctx, *arguments)
    if isinstance(made, names["Tensor"]):
        raise Wrong(
            f"{shown} should be an array, but it is a Tensor. apply puts the result into a Tensor; forward sees arrays only.",
            f"{shown}의 결과는 배열이어야 하는데 Tensor입니다. Tensor에 담는 것은 apply이고, forward는 배열만 다룹니다.",
            "tensor",
        )
    close(
        shown,
        made,
        expected,
        dtype=arguments[0].dtype,
        why=None if made is None or np.asarray(made).dtype == arguments[0].dtype else narrow,
    )
    if any(not np.array_equal(a, b) for a, b in zip(arguments, before, strict=True)):
        raise Wrong(f"{shown} changed its input.", f"{shown}이(가) 입력을 바꾸었습니다.", "in place")
    if len(ctx.saved_tensors) == 1 and isinstance(ctx.saved_tensors[0], (tuple, list)):
        raise Wrong(
            f"{shown} saved one {type(ctx.saved_tensors[0]).__name__}. Without the second pair of brackets: save_for_backward(a, b).",
            f"{shown}이(가) {type(ctx.saved_tensors[0]).__name__} 하나를 저장했습니다. 괄호를 한 겹만 쓰세요. save_for_backward(a, b).",
            symptom,
        )
    kept = [np.asarray(value) for value in ctx.saved_tensors]
    if len(kept) != len(saved) or any(
        k.shape != np.shape(s) or not np.allclose(k, s) for k, s in zip(kept, saved, strict=True)
    ):
        listed = [k.tolist() for k in kept]
        raise Wrong(
            f"{shown} saved {listed}, but backward will need {[np.asarray(s).tolist() for s in saved]}. {why.en}",
            f"{shown}이(가) {listed}을(를) 저장했는데, backward에는 {[np.asarray(s).tolist() for s in saved]}이(가) 필요합니다. {why.ko}",
            symptom,
        )


@CHECKS.exercise(
    "Mul.forward",
    hints=[
        Text(
            "The slope in one direction is the number of the other. So which numbers are needed?",
            "한쪽 방향의 기울기는 다른 쪽의 수입니다. 그러면 어떤 수가 필요할까요?",
        ),
        Text("Both: ctx.save_for_backward(a, b).", "둘 다입니다. ctx.save_for_backward(a, b)."),
        Text("Then return a * b. Both are arrays already.", "그런 다음 return a * b. 둘 다 이미 배열입니다."),
    ],
    symptoms={
        "saved": Text(
            "Saving happens by ctx.save_for_backward(a, b), both in one call.",
            "저장은 ctx.save_for_backward(a, b) 한 번으로 둘 다 합니다.",
        )
    },
)
def mul_forward(names: Names) -> None:
    """Computes the product and saves both factors, in their order."""
    why = Text(
        "The slope of a·b is b in the direction of a, and a in that of b.",
        "a·b의 기울기는 a 방향으로 b, b 방향으로 a입니다.",
    )
    for a, b in (([2.0, 3.0], [5.0, 7.0]), (2.0, 4.0)):
        dtype = np.float32 if isinstance(a, list) else np.float64
        left: Any = np.array(a, dtype)
        right: Any = np.array(b, dtype)
        _forward(names, "Mul", (left, right), left * right, [left, right], "saved", why)


@CHECKS.exercise(
    "Exp.forward",
    hints=[
        Text(
            "np.exp computes it. Keep the result in a variable; it is needed twice.",
            "np.exp로 계산합니다. 결과를 변수에 담으세요. 두 번 필요합니다.",
        ),
        Text(
            "Save the result, not the input: the slope of e^a is e^a.",
            "입력이 아니라 결과를 저장하세요. e^a의 기울기는 e^a입니다.",
        ),
        Text(
            "out = np.exp(a); ctx.save_for_backward(out); return out",
            "out = np.exp(a); ctx.save_for_backward(out); return out",
        ),
    ],
    symptoms={
        "saved": Text(
            "Did you save `a`? It would work, but e^a would be computed a second time.",
            "`a`를 저장했나요? 그래도 되지만 e^a를 한 번 더 계산해야 합니다.",
        )
    },
)
def exp_forward(names: Names) -> None:
    """Computes the exponential and saves it."""
    why = Text("The slope of e^a is e^a: the result itself.", "e^a의 기울기는 e^a, 곧 결과 자신입니다.")
    for a in ([0.0, 1.0, -2.0], 3.0):
        value = np.array(a, np.float32 if isinstance(a, list) else np.float64)
        _forward(names, "Exp", (value,), np.exp(value), [np.exp(value)], "saved", why)
