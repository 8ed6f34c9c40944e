"""Answers to lesson 05: right ones that must pass, wrong ones with the words that the message must have."""


def order(body: str, end: str = "return order[::-1]") -> str:
    head = "order, seen, stack = [], set(), [(root, False)]\n"
    return "def topological_order(root):\n    " + (head + body + "\n" + end).replace("\n", "\n    ")


def leaf(body: str) -> str:
    head = "@method(AccumulateGrad)\ndef backward(self, gradient):\n    "
    return head + ("leaf = self.variable\n" + body).replace("\n", "\n    ")


def walk(body: str, nodes: str = "topological_order(root)", asks: str = "node.backward(arrived.pop(node))") -> str:
    head = f"arrived = {{root: gradient}}\nfor node in {nodes}:\n    parts = {asks}\n    for (function, _), part in zip(node.next_functions, parts):\n        "
    return "def run_backward(root, gradient):\n    " + (head + body.replace("\n", "\n        ")).replace("\n", "\n    ")


TURN = "while stack:\n    node, finished = stack.pop()\n"
AHEAD = "stack += [(function, False) for function, _ in node.next_functions if function is not None]"
ADD = "if function is not None:\n    arrived[function] = arrived[function] + part if function in arrived else part"

RIGHT = {
    "topological_order": [
        order(
            TURN
            + "    if finished:\n        order.append(node)\n    elif node not in seen:\n        seen.add(node)\n        stack.append((node, True))\n        for function, _ in node.next_functions:\n            if function is not None:\n                stack.append((function, False))"
        ),
        "def topological_order(root):\n    waiting, todo = {}, [root]\n    seen = {root}\n    while todo:\n        node = todo.pop()\n        for f, _ in node.next_functions:\n            if f is not None:\n                waiting[f] = waiting.get(f, 0) + 1\n                if f not in seen:\n                    seen.add(f)\n                    todo.append(f)\n"
        "    order, ready = [], [root]\n    while ready:\n        node = ready.pop()\n        order.append(node)\n        for f, _ in node.next_functions:\n            if f is not None:\n                waiting[f] -= 1\n                if not waiting[f]:\n                    ready.append(f)\n    return order",
    ],
    "AccumulateGrad.backward": [
        leaf(
            "if leaf.grad is None:\n    leaf.grad = tensor(gradient)\nelse:\n    leaf.grad = leaf.grad + tensor(gradient)\nreturn ()"
        ),
        leaf(
            "total = np.array(gradient)\nif leaf.grad is not None:\n    total = total + leaf.grad.data\nself.variable.grad = Tensor(total)\nreturn ()"
        ),
    ],
    "run_backward": [
        walk("if function is not None:\n    arrived[function] = arrived.get(function, 0) + part"),
        walk(
            "if function is None:\n    continue\nif function in arrived:\n    arrived[function] = np.add(arrived[function], part)\nelse:\n    arrived[function] = part",
            asks="node.backward(arrived[node])",
        ),
    ],
}

WRONG = {
    "topological_order": {
        "not turned": (
            order(TURN + "    if finished:\n        order.append(node)\n    elif node not in seen:\n        seen.add(node)\n        stack.append((node, True))\n        " + AHEAD, "return order"),
            "the wrong way round",
        ),
        "as met": (
            order(TURN + "    if node not in seen:\n        seen.add(node)\n        order.append(node)\n        " + AHEAD, "return order"),
            "before everything has arrived",
        ),
        "recursion": (
            "def topological_order(root):\n    order, seen = [], set()\n    def visit(node):\n        if node is None or node in seen:\n            return\n        seen.add(node)\n        for f, _ in node.next_functions:\n            visit(f)\n        order.append(node)\n    visit(root)\n    return order[::-1]",
            "called itself more often",
        ),
        "nothing seen": (
            "def topological_order(root):\n    def visit(node):\n        return [n for f, _ in node.next_functions if f is not None for n in visit(f)] + [node]\n    return visit(root)[::-1]",
            "more than once",
        ),
        "twice": (
            order(TURN + "    order.append(node)\n    if node not in seen:\n        seen.add(node)\n        " + AHEAD, "return order"),
            "more than once",
        ),
        "first arrow only": (
            "def topological_order(root):\n    order = []\n    while root is not None:\n        order.append(root)\n        root = root.next_functions[0][0] if root.next_functions else None\n    return order",
            "leaves out",
        ),
        "no leaves": (
            order(TURN + "    if finished:\n        if not isinstance(node, AccumulateGrad):\n            order.append(node)\n    elif node not in seen:\n        seen.add(node)\n        stack.append((node, True))\n        " + AHEAD),
            "leaves out AccumulateGrad",
        ),
        "by name": (
            order(TURN + "    if finished:\n        order.append(node)\n    elif node.name() not in seen:\n        seen.add(node.name())\n        stack.append((node, True))\n        " + AHEAD),
            "several of one name",
        ),
        "None": (
            order(TURN + "    if finished:\n        order.append(node)\n    elif node not in seen:\n        seen.add(node)\n        stack.append((node, True))\n        if node is not None:\n            stack += [(f, False) for f, _ in node.next_functions]"),
            "has None in it",
        ),
        "None asked": (
            order(TURN + "    if finished:\n        order.append(node)\n    elif node not in seen:\n        seen.add(node)\n        stack.append((node, True))\n        stack += [(f, False) for f, _ in node.next_functions]"),
            "raised AttributeError",
        ),
        "the pairs": (
            order(TURN + "    if finished:\n        order.append((node, 0))\n    elif node not in seen:\n        seen.add(node)\n        stack.append((node, True))\n        " + AHEAD),
            "should hold the nodes themselves",
        ),
    },
    "AccumulateGrad.backward": {
        "overwrites": (leaf("leaf.grad = tensor(gradient)\nreturn ()"), "The first gradient was forgotten"),
        "an array": (leaf("leaf.grad = gradient if leaf.grad is None else leaf.grad + gradient\nreturn ()"), "should be a Tensor"),
        "shared": (
            leaf("leaf.grad = Tensor(gradient if leaf.grad is None else leaf.grad.data + gradient)\nreturn ()"),
            "the very array that was sent",
        ),
        "in place": (
            leaf("if leaf.grad is None:\n    leaf.grad = Tensor(gradient)\nelse:\n    leaf.grad.data += gradient\nreturn ()"),
            "array that was sent has been changed",
        ),
        "no return": (leaf("leaf.grad = tensor(gradient if leaf.grad is None else leaf.grad.data + gradient)"), "should return ()"),
        "no first": (leaf("leaf.grad = tensor(leaf.grad.data + gradient)\nreturn ()"), "raised AttributeError"),
        "learns itself": (leaf("leaf.grad = tensor(gradient if leaf.grad is None else leaf.grad.data + gradient, requires_grad=True)\nreturn ()"), "requires a gradient itself"),
        "averaged": (leaf("leaf.grad = tensor(gradient if leaf.grad is None else (leaf.grad.data + gradient) / 2)\nreturn ()"), "not averaged"),
        "the first twice": (leaf("if leaf.grad is None:\n    leaf.grad = tensor(gradient)\nleaf.grad = leaf.grad + tensor(gradient)\nreturn ()"), "added to itself"),
        "the data": (leaf("leaf.data = leaf.data + gradient\nreturn ()"), "still None"),
    },
    "run_backward": {
        "assign": (walk("if function is not None:\n    arrived[function] = part"), "only the last part was kept"),
        "as met": (
            "def run_backward(root, gradient):\n    arrived, order = {root: gradient}, [root]\n    for node in order:\n        parts = node.backward(arrived[node])\n        for (f, _), part in zip(node.next_functions, parts):\n            if f is not None:\n                arrived[f] = arrived.get(f, 0) + part\n                if f not in order:\n                    order.append(f)",
            "before everything had arrived",
        ),
        "in place": (
            walk("if function is None:\n    continue\nif function in arrived:\n    arrived[function] += part\nelse:\n    arrived[function] = part"),
            "changed by `+=`",
        ),
        "ones": (
            walk(ADD).replace("{root: gradient}", "{root: np.ones_like(gradient)}"),
            "began with 1",
        ),
        "hasty": (
            "def run_backward(root, gradient):\n    parts = root.backward(gradient)\n    for (f, _), part in zip(root.next_functions, parts):\n        if f is not None:\n            run_backward(f, part)",
            "called itself more often",
        ),
        "hasty, with a stack": (
            "def run_backward(root, gradient):\n    stack = [(root, gradient)]\n    while stack:\n        node, arrived = stack.pop()\n        for (f, _), part in zip(node.next_functions, node.backward(arrived)):\n            if f is not None:\n                stack.append((f, part))",
            "again and again",
        ),
        "without None": (walk("arrived[function] = arrived[function] + part if function in arrived else part", asks="node.backward(arrived.pop(node)) if node else None").replace("zip(node.next_functions, parts)", "[((f, 0), p) for (f, _), p in zip(node.next_functions, parts)]").replace("arrived[function] = arr", "function.name()\n            arrived[function] = arr"), "raised AttributeError"),
        "the operation": (walk(ADD, asks="node.operation.backward(node, arrived.pop(node))"), "raised AttributeError"),
        "the same everywhere": (walk(ADD, asks="node.backward(gradient)"), "what has arrived at it"),
        "multiplied": (walk("if function is not None:\n    arrived[function] = arrived.get(function, 1) * part"), "added, not multiplied"),
        "not on": (walk("pass"), "raised KeyError"),
    },
}  # fmt: skip
