"""Checks of lesson 05: the order, the leaf, the walk. The authority is differentiation by hand, in the forward direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nbtorch.course.checking import Checks, Mistake, Names, Text, Wrong, call, close, defined

CHECKS = Checks("engine")

#: Looking at a node's arrows more often than this, for each node, means that ways are walked again and again.
_LOOKS = 50


class _Fake:
    """A node of a graph that is only there to be ordered."""

    def __init__(self, label: str, *targets: Any, count: list[int]) -> None:
        self.label = label
        self._targets = targets
        self._count = count

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        self._count[0] -= 1
        if self._count[0] < 0:
            raise Wrong(
                "topological_order walks the same ways again and again: the number of ways doubles at each step. Is a node "
                "that was seen already left out?",
                "topological_order가 같은 길을 자꾸 다시 걷습니다. 길의 수는 한 걸음마다 두 배가 됩니다. 이미 본 노드를 건너뛰나요?",
                "again",
            )
        return tuple((target, 0) for target in self._targets)

    def name(self) -> str:
        return self.label

    def __repr__(self) -> str:
        return self.label


def _graphs() -> list[tuple[str, list[_Fake]]]:
    """Graphs by name, each with all of its nodes, the root first."""
    count = [_LOOKS * 100]
    leaf = _Fake("leaf", count=count)
    lone = [leaf]
    chain = [_Fake("b", a := _Fake("a", leaf, count=count), count=count), a, leaf]
    a = _Fake("a", leaf, None, count=count)
    square = _Fake("a*a", a, a, count=count)
    diamond = [_Fake("a + a*a", a, square, count=count), square, a, leaf]
    mirrored = [_Fake("a*a + a", square, a, count=count), square, a, leaf]
    short = _Fake("short", leaf, count=count)
    long = _Fake("long", _Fake("longer", short, count=count), count=count)
    ways = [_Fake("root", short, long, None, count=count), long, long._targets[0], short, leaf]
    rungs = [_Fake("leaf", count=count)]
    for number in range(40):
        rungs.insert(0, _Fake(f"y{number}", rungs[0], rungs[0], count=count))
    return [("a lone leaf", lone), ("a chain of three", chain), ("a + a*a", diamond), ("a*a + a", mirrored),
            ("a short way and a long one", ways), ("a ladder of 40 rungs", rungs)]  # fmt: skip


@CHECKS.exercise(
    "topological_order",
    hints=[
        Text(
            "while stack: take a pair off with stack.pop(). Two cases: finished, or not seen yet.",
            "while stack: 아래에서 stack.pop()으로 쌍을 꺼냅니다. 경우는 둘입니다. finished이거나, 아직 보지 않았거나.",
        ),
        Text(
            "In the second: seen.add(node), then stack.append((node, True)), and the functions it sends to on top of that.",
            "둘째 경우: seen.add(node), 그다음 stack.append((node, True)), 그 위에 그 노드가 보낼 함수들을 쌓습니다.",
        ),
        Text(
            "stack += [(function, False) for function, _ in node.next_functions if function is not None]",
            "stack += [(function, False) for function, _ in node.next_functions if function is not None]",
        ),
    ],
    symptoms={
        "recursion": Text(
            "Python allows some 1,000 nested calls. Keep the nodes that are still to do on a list of your own, the stack.",
            "파이썬은 호출이 1,000번쯤 겹치는 것까지만 허용합니다. 할 일을 직접 만든 리스트, 곧 스택에 담아 두세요.",
        ),
        "again": Text("`seen` is there to visit each node once.", "노드마다 한 번만 들르라고 `seen`이 있습니다."),
        "turned": Text(
            "Each node was appended after what lies behind it, so `order` must be turned round in the end: order[::-1].",
            "노드는 자기 뒤에 있는 것 다음에 붙었으므로 마지막에 뒤집어야 합니다. order[::-1]입니다.",
        ),
        "early": Text(
            "A node may be appended only when everything behind it is there: that is what (node, True) is for.",
            "자기 뒤의 것이 모두 적힌 다음에야 붙일 수 있습니다. (node, True)는 그러라고 있습니다.",
        ),
        "missing": Text(
            "Every function in next_functions goes onto the stack, not only the first.",
            "next_functions의 함수는 첫째만이 아니라 모두 스택에 올라가야 합니다.",
        ),
        "None": Text("Where nothing learns there is None: leave it out.", "배우는 것이 없는 곳은 None입니다. 빼세요."),
    },
)
def topological_order(names: Names) -> None:
    """Each node once, before all those that it sends to; long chains too."""
    function = defined(names, "topological_order")
    for text, nodes in _graphs():
        _ordered(
            f"topological_order(root) of {text}", call(f"topological_order(root) of {text}", function, nodes[0]), nodes
        )
    _real_nodes(names, function)
    node = None
    links: list[_Fake] = []
    for number in range(5000):
        node = _Fake(f"n{number}", *([node] if node is not None else []), count=[_LOOKS])
        links.insert(0, node)
    shown = "topological_order(root) of a chain of 5,000 nodes"
    _ordered(shown, call(shown, function, node), links)


def _real_nodes(names: Names, function: Any) -> None:
    """A graph of the learner's own operations, in which two nodes have the same name, and one is a leaf."""
    a = names["tensor"](3.0, requires_grad=True) * 2
    root = ((a * a) * a).grad_fn
    shown = "topological_order(root) of the graph of (a * a) * a, a = w * 2"
    listed = call(shown, function, root)
    todo, nodes = [root], {}
    while todo:
        node = todo.pop()
        nodes[id(node)] = node
        todo += [target for target, _ in node.next_functions if target is not None]
    left_out = [node.name() for key, node in nodes.items() if all(node_ is not nodes[key] for node_ in listed)]
    if left_out:
        raise Wrong(
            f"{shown} leaves out {', '.join(left_out)}. Every node counts: leaves too, and several of one name.",
            f"{shown}에 {', '.join(left_out)}이(가) 빠졌습니다. 잎도, 이름이 같은 다른 노드도 모두 노드입니다.",
            "missing",
        )


def _ordered(shown: str, value: Any, nodes: list[_Fake]) -> None:
    if isinstance(value, (tuple, list)):
        value = list(value)
    else:
        raise Wrong(
            f"{shown} should be a list of nodes, but it is a {type(value).__name__}.",
            f"{shown}의 결과는 노드의 리스트여야 하는데 {type(value).__name__}입니다.",
            "type",
        )
    if any(v is None for v in value):
        raise Wrong(
            f"{shown} has None in it. An arrow to None leads nowhere.",
            f"{shown}에 None이 들어 있습니다. None으로 가는 화살표는 갈 곳이 없는 화살표입니다.",
            "None",
        )
    if any(not isinstance(v, _Fake) for v in value):
        raise Wrong(
            f"{shown} should hold the nodes themselves; it holds a {type(next(v for v in value if not isinstance(v, _Fake))).__name__}.",
            f"{shown}에는 노드 자체가 들어 있어야 하는데 다른 것이 들어 있습니다.",
            "type",
        )
    listed = ", ".join(v.label for v in value[:6]) + ("…" if len(value) > 6 else "")
    place = {id(v): index for index, v in enumerate(value)}
    if len(place) < len(value):
        raise Wrong(
            f"{shown} lists a node more than once: {listed}. A gradient would be sent on twice.",
            f"{shown}에 같은 노드가 두 번 이상 있습니다: {listed}. 그래디언트를 두 번 보내게 됩니다.",
            "again",
        )
    left_out = [node.label for node in nodes if id(node) not in place]
    if left_out:
        raise Wrong(
            f"{shown} leaves out {', '.join(left_out[:3])}; it lists {listed or 'nothing'}. Every arrow must be followed.",
            f"{shown}에 {', '.join(left_out[:3])}이(가) 빠졌습니다. 적힌 것: {listed or '없음'}. 화살표를 모두 따라가야 합니다.",
            "missing",
        )
    pairs = [(node, target) for node in nodes for target in node._targets if target is not None]
    wrong = [(a, b) for a, b in pairs if place[id(a)] > place[id(b)]]
    if wrong and len(wrong) == len(pairs):
        raise Wrong(
            f"{shown} is the wrong way round: {listed}. The root comes first; each node before those that it sends to.",
            f"{shown}의 순서가 거꾸로입니다: {listed}. root가 맨 앞이고, 어떤 노드든 자기가 보낼 노드들보다 먼저입니다.",
            "turned",
        )
    if wrong:
        first, second = wrong[0]
        raise Wrong(
            f"{shown} puts {second.label} before {first.label}, which still has to send to it: {listed}. The {second.label} would "
            "send on before everything has arrived.",
            f"{shown}에서 {second.label}이(가) {first.label}보다 먼저 나옵니다: {listed}. {first.label}이(가) 아직 보낼 것이 있는데, "
            f"{second.label}은(는) 다 받기도 전에 보내게 됩니다.",
            "early",
        )


@CHECKS.exercise(
    "AccumulateGrad.backward",
    hints=[
        Text(
            "Two cases: leaf.grad is None, or there is something already.",
            "경우는 둘입니다. leaf.grad가 None이거나, 이미 무언가 있거나.",
        ),
        Text(
            "The sum is leaf.grad.data + gradient, an array; tensor(...) makes a tensor of it, with a copy.",
            "합은 배열 leaf.grad.data + gradient입니다. tensor(...)가 복사해서 텐서로 만듭니다.",
        ),
        Text(
            "leaf.grad = tensor(gradient if leaf.grad is None else leaf.grad.data + gradient); return ()",
            "leaf.grad = tensor(gradient if leaf.grad is None else leaf.grad.data + gradient); return ()",
        ),
    ],
    symptoms={
        "overwritten": Text(
            "`=` forgets what came by the other arrow. Add to what is there.",
            "`=`를 쓰면 다른 화살표로 온 것을 잊습니다. 있던 것에 더하세요.",
        ),
        "shared": Text(
            "Another leaf may hold the very same array. Without a copy, changing one changes both.",
            "다른 잎이 바로 그 배열을 들고 있을 수 있습니다. 복사하지 않으면 하나를 바꿀 때 둘 다 바뀝니다.",
        ),
        "array": Text(
            "PyTorch's .grad is a tensor: wrap it, tensor(...).",
            "PyTorch의 .grad는 텐서입니다. tensor(...)로 감싸세요.",
        ),
        "tuple": Text(
            "The walk goes through what backward returns: give it ().",
            "걷는 쪽에서 backward의 결과를 훑습니다. ()를 돌려주세요.",
        ),
        "in place": Text(
            "`+=` changes the array that was sent. Write a + b.", "`+=`는 보내온 배열을 바꿉니다. a + b라고 쓰세요."
        ),
    },
)
def accumulate(names: Names) -> None:
    """Adds to the leaf's own gradient, a tensor of the leaf's dtype."""
    node_class = defined(names, "AccumulateGrad")
    defined(names, "AccumulateGrad.backward")
    tensor = names["tensor"]
    for numbers, first, second in (([1.0, 2.0], [10.0, 20.0], [1.0, 1.0]), (3.0, 5.0, 0.5)):
        leaf, other = tensor(numbers, requires_grad=True), tensor(numbers, requires_grad=True)
        sent, more = np.array(first, np.float32), np.array(second, np.float32)
        shown = f"AccumulateGrad(w).backward({first})"
        result = call(shown, node_class(leaf).backward, sent)
        if leaf.grad is None:
            raise Wrong(
                f"after {shown} w.grad is still None. Was it written to self.variable.grad?",
                f"{shown} 뒤에도 w.grad가 None입니다. self.variable.grad에 썼나요?",
                "nothing",
            )
        _is_gradient(names, f"w.grad after {shown}", leaf.grad, sent)
        if not isinstance(result, (tuple, list)) or len(result):
            raise Wrong(
                f"{shown} should return (), because nothing is sent on; it returned {result!r}.",
                f"{shown}은(는) 더 보낼 것이 없으니 ()를 돌려주어야 하는데 {result!r}을(를) 돌려주었습니다.",
                "tuple",
            )
        call(shown, node_class(other).backward, sent)
        again = f"a second AccumulateGrad(w).backward({second})"
        kept = sent.copy()
        call(again, node_class(leaf).backward, more)
        known = [
            Mistake(more, Text("The first gradient was forgotten: add to it.", "앞의 그래디언트를 잊었습니다. 거기에 더하세요."), "overwritten"),
            Mistake(sent, Text("The second gradient has got lost.", "둘째 그래디언트가 사라졌습니다."), "overwritten"),
            Mistake(kept - more, Text("Gradients are added, not subtracted.", "그래디언트는 빼지 않고 더합니다.")),
            Mistake((kept + more) / 2, Text("Gradients are added, not averaged.", "그래디언트는 평균을 내지 않고 더합니다.")),
            Mistake(2 * more, Text("The second was added to itself.", "둘째를 자기 자신에 더했습니다.")),
        ]  # fmt: skip
        close(f"w.grad after {again}", leaf.grad.data, kept + more, dtype=np.float32, mistakes=known)
        if not np.array_equal(sent, kept) or not np.array_equal(more, np.array(second, np.float32)):
            raise Wrong(
                "the array that was sent has been changed. It may have been sent to others as well.",
                "보내온 배열이 바뀌었습니다. 다른 곳에도 보냈을 수 있는 배열입니다.",
                "in place",
            )
        close(
            "the .grad of another leaf that was sent the same array", other.grad.data, kept, why=_OWN, symptom="shared"
        )
        if np.shares_memory(other.grad.data, sent):
            raise Wrong(
                f"w.grad holds the very array that was sent. {_OWN.en}",
                f"w.grad가 보내온 바로 그 배열을 들고 있습니다. {_OWN.ko}",
                "shared",
            )
        close("w itself", leaf.data, numbers, why=Text("Only w.grad may change.", "w.grad만 바뀌어야 합니다."))


_OWN = Text(
    "A leaf needs numbers of its own: tensor(...) copies.",
    "잎은 자기만의 수를 가져야 합니다. tensor(...)는 복사합니다.",
)


def _is_gradient(names: Names, shown: str, grad: Any, expected: Any) -> None:
    if not isinstance(grad, names["Tensor"]):
        raise Wrong(
            f"{shown} should be a Tensor; it is a {type(grad).__name__}.",
            f"{shown}은(는) Tensor여야 하는데 {type(grad).__name__}입니다.",
            "array",
        )
    if getattr(grad, "requires_grad", False):
        raise Wrong(
            f"{shown} requires a gradient itself. It is a plain tensor: tensor(...), without requires_grad.",
            f"{shown}이(가) 스스로 그래디언트를 필요로 합니다. requires_grad 없는 보통 텐서여야 합니다.",
        )
    nothing = Text("The first gradient has nothing to be added to: leaf.grad is None.", "첫 그래디언트는 더할 데가 없습니다. leaf.grad가 None입니다.")  # fmt: skip
    twice = Text("The first gradient was added to itself.", "첫 그래디언트를 자기 자신에 더했습니다.")
    known = [Mistake(np.full(np.shape(expected), np.nan), nothing), Mistake(2 * expected, twice)]
    close(shown, grad.data, expected, dtype=np.float32, mistakes=known)


Formula = Callable[[Any, Any], Any]

#: Programs of two numbers, and what a broken walk makes of the gradient of w.
_PROGRAMS: list[tuple[str, Formula]] = [
    ("w * x", lambda w, x: w * x),
    ("(w * 2) * (w * 2)", lambda w, x: (w * 2) * (w * 2)),
    ("w * w", lambda w, x: w * w),
    ("w + w + x", lambda w, x: w + w + x),
    ("(w * x + w).exp()", lambda w, x: (w * x + w).exp()),
    ("w**3 + x * 5", lambda w, x: w**3 + x * 5),
]


@CHECKS.exercise(
    "run_backward",
    hints=[
        Text(
            "for node in topological_order(root): first parts = node.backward(arrived.pop(node)).",
            "for node in topological_order(root): 먼저 parts = node.backward(arrived.pop(node))입니다.",
        ),
        Text(
            "Then for (function, _), part in zip(node.next_functions, parts): leave out None, and add to arrived[function].",
            "그다음 for (function, _), part in zip(node.next_functions, parts): None은 빼고 arrived[function]에 더합니다.",
        ),
        Text(
            "arrived[function] = arrived[function] + part if function in arrived else part",
            "arrived[function] = arrived[function] + part if function in arrived else part",
        ),
    ],
    symptoms={
        "assign": Text(
            "Where ways meet, what comes back is added. You keep only the last.",
            "길이 만나는 곳에서는 돌아온 것을 더합니다. 지금은 마지막 것만 남습니다.",
        ),
        "hasty": Text(
            "A node sent on before everything had arrived. Visit the nodes in topological_order(root).",
            "다 도착하기도 전에 보낸 노드가 있습니다. topological_order(root)의 순서로 들르세요.",
        ),
        "in place": Text(
            "`arrived[function] += part` changes an array that was sent to two nodes. Write a + b.",
            "`arrived[function] += part`는 두 노드에 보낸 배열을 바꿉니다. a + b라고 쓰세요.",
        ),
        "ones": Text(
            "The walk begins with `gradient`, which needn't be 1.",
            "`gradient`에서 출발해야 합니다. 1이 아닐 수도 있습니다.",
        ),
        "recursion": Text(
            "Go through topological_order(root) in a loop.", "topological_order(root)를 반복문으로 훑으세요."
        ),
        "again": Text(
            "Ask each node once, when everything has arrived.", "노드마다 모두 도착한 뒤에 한 번만 물어보세요."
        ),
    },
)
def run_backward(names: Names) -> None:
    """Every leaf gets the right gradient, whatever the graph."""
    function = defined(names, "run_backward")
    _diamond(names, function)
    for text, formula in _PROGRAMS:
        for start in (1.0, 2.0):
            _program(names, function, text, formula, start)
    _shared_arrays(names, function)
    random = np.random.default_rng(5)
    for number in range(20):
        _random_graph(names, function, random, number)
    _deep(names, function)
    _ladder(names, function)


def _leaves(names: Names, *values: Any) -> list[Any]:
    return [names["tensor"](value, requires_grad=True) for value in values]


def _grad(names: Names, shown: str, leaf: Any) -> Any:
    if leaf.grad is None:
        raise Wrong(
            f"after {shown} a leaf's .grad is still None: nothing arrived there.",
            f"{shown} 뒤에도 잎의 .grad가 None입니다. 거기까지 도착한 것이 없습니다.",
            "nothing",
        )
    return leaf.grad.data


def _walk(shown: str, function: Any, loss: Any, gradient: Any) -> None:
    call(shown, function, loss.grad_fn, gradient)


_ADDED = Text("Where ways meet, parts are added, not multiplied.", "길이 만나는 곳에서는 곱하지 않고 더합니다.")


def _diamond(names: Names, function: Any) -> None:
    late = Text("`a` sent on before everything had arrived at it.", "`a`가 다 받기도 전에 보냈습니다.")
    known = [
        Mistake(12.0, Text("Of what came to `a` only the last part was kept: add.", "`a`에 온 것 가운데 마지막 것만 남았습니다. 더하세요."), "assign"),
        Mistake(2.0, late, "hasty"),
        Mistake(24.0, late, "hasty"),
        Mistake(14.0, late, "hasty"),
        Mistake(1.0, Text("Each node is asked with what has arrived at it: arrived.pop(node).", "노드에는 그 노드에 도착한 것, 곧 arrived.pop(node)를 주어야 합니다.")),
        Mistake(0.0, _ADDED),
        Mistake(72.0, _ADDED),
        Mistake(39.0, Text("The parts belong to the functions in the same order: zip(node.next_functions, parts).", "parts는 함수들과 순서가 같습니다. zip(node.next_functions, parts)입니다.")),
        Mistake(38.0, Text("Something was sent on twice.", "같은 것을 두 번 보냈습니다."), "again"),
    ]  # fmt: skip
    programs: list[tuple[str, Callable[[Any], Any]]] = [
        ("a + a * a", lambda a: a + a * a),
        ("a * a + a", lambda a: a * a + a),
    ]
    for text, formula in programs:
        (w,) = _leaves(names, 3.0)
        shown = f"run_backward of {text} with a = w * 2, w = 3"
        _walk(shown, function, formula(w * 2), np.ones((), np.float32))
        close(f"w.grad after {shown}", _grad(names, shown, w), 26.0, dtype=np.float32, mistakes=known)


def _program(names: Names, function: Any, text: str, formula: Formula, start: float) -> None:
    w, x = _leaves(names, 1.5, 0.5)
    shown = f"run_backward of {text} with w = 1.5, x = 0.5" + (f", beginning with {start}" if start != 1 else "")
    _walk(shown, function, formula(w, x), np.full((), start, np.float32))
    for name, leaf, seed in (("w", w, (1.0, 0.0)), ("x", x, (0.0, 1.0))):
        slope = formula(_Dual(1.5, seed[0]), _Dual(0.5, seed[1])).slope
        if slope == 0.0 and leaf.grad is None:
            continue
        known = (
            [
                Mistake(
                    slope,
                    Text("It began with 1, not with `gradient`.", "`gradient`가 아니라 1에서 출발했습니다."),
                    "ones",
                )
            ]
            if start != 1
            else []
        )
        close(f"{name}.grad after {shown}", _grad(names, shown, leaf), start * slope, tolerance=1e-4, mistakes=known)


class _Dual:
    """A number with its slope: differentiation in the forward direction."""

    def __init__(self, value: float, slope: float = 0.0) -> None:
        self.value, self.slope = value, slope

    def __add__(self, other: Any) -> _Dual:
        other = other if isinstance(other, _Dual) else _Dual(other)
        return _Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Any) -> _Dual:
        other = other if isinstance(other, _Dual) else _Dual(other)
        return _Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __pow__(self, n: float) -> _Dual:
        return _Dual(self.value**n, self.slope * n * self.value ** (n - 1))

    def exp(self) -> _Dual:
        return _Dual(float(np.exp(self.value)), self.slope * float(np.exp(self.value)))


def _shared_arrays(names: Names, function: Any) -> None:
    """A sum sends the same array to both sides; whoever adds in place changes it for the other."""
    for swap in (False, True):
        p, q = _leaves(names, [1.0, 2.0], [3.0, 4.0])
        a, b = p * 1, q * 1
        loss = (a + b) + a if swap else a + (a + b)
        sent = np.array([1.0, 10.0], np.float32)
        shown = "run_backward of (a + b) + a" if swap else "run_backward of a + (a + b)"
        _walk(shown, function, loss, sent)
        in_place = Text(
            "A sum sends one array to both sides. Was it changed by `+=`?",
            "덧셈은 같은 배열을 양쪽에 보냅니다. `+=`로 바꾸지 않았나요?",
        )
        start = np.array([1.0, 10.0])
        close(f"the gradient of a after {shown}", _grad(names, shown, p), 2 * start, why=in_place, symptom="in place")
        close(f"the gradient of b after {shown}", _grad(names, shown, q), start, why=in_place, symptom="in place")
        close(f"the array given to {shown}", sent, start, why=in_place, symptom="in place")


def _random_graph(names: Names, function: Any, random: Any, number: int) -> None:
    values = random.uniform(-1.0, 1.0, 3).round(2).tolist()
    leaves = _leaves(names, *values)
    nodes: list[Any] = list(leaves)
    duals = [[_Dual(v, float(i == j)) for j, v in enumerate(values)] for i in range(3)]
    for _ in range(8):
        i, j, plus = int(random.integers(len(nodes))), int(random.integers(len(nodes))), bool(random.integers(2))
        nodes.append(nodes[i] + nodes[j] if plus else nodes[i] * nodes[j])
        for row in duals:
            row.append(row[i] + row[j] if plus else row[i] * row[j])
    total = nodes[-1]
    for node in nodes[3:-1]:
        total = total + node
    shown = f"run_backward of a random graph (number {number})"
    _walk(shown, function, total, np.ones((), np.float32))
    for leaf, row in zip(leaves, duals, strict=True):
        slope = sum(d.slope for d in row[3:])
        if leaf.grad is None and slope == 0:
            continue
        why = Text("Do ways meet there, or part?", "길이 만나거나 갈라지는 곳을 살펴보세요.")
        close(f"a gradient after {shown}", _grad(names, shown, leaf), slope, tolerance=1e-4, why=why, symptom="assign")


def _deep(names: Names, function: Any) -> None:
    (w,) = _leaves(names, 1.0)
    y = w
    for _ in range(5000):
        y = y + 0.0
    shown = "run_backward of a chain of 5,000 operations"
    _walk(shown, function, y, np.ones((), np.float32))
    close(f"w.grad after {shown}", _grad(names, shown, w), 1.0)


def _ladder(names: Names, function: Any) -> None:
    """25 times y = y + y: whoever sends on at once needs 2^25 calls, and is stopped."""
    (w,) = _leaves(names, 1.0)
    y = w * 1
    asked = [0]
    operation: Any = type(y.grad_fn)
    original: Any = operation.backward

    def counted(node: Any, gradient: Any) -> Any:
        asked[0] += 1
        if asked[0] > 500:
            raise Wrong(
                "run_backward asks the nodes of 25 lines y = y + y again and again: each must be asked once, when everything "
                "has arrived.",
                "run_backward가 y = y + y 25줄의 노드들에 자꾸 다시 물어봅니다. 모두 도착한 뒤에 한 번씩만 물어야 합니다.",
                "again",
            )
        return original(node, gradient)

    for _ in range(25):
        y = y + y
    shown = "run_backward of 25 lines y = y + y"
    operation.backward = counted
    try:
        function(y.grad_fn, np.ones((), np.float32))
    except Wrong:
        raise
    except Exception:  # once more, for the sentence
        operation.backward = original
        _walk(shown, function, y, np.ones((), np.float32))
    finally:
        operation.backward = original
    close(f"w.grad after {shown}", _grad(names, shown, w), 2.0**25)
