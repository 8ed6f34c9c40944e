"""Answers to lesson 03: right ones that must pass, wrong ones with the words that the message must have."""


def method(cls: str, kind: str, name: str, arguments: str, body: str) -> str:
    return f"@method({cls})\n@{kind}\ndef {name}({arguments}):\n    " + body.replace("\n", "\n    ")


def apply(body: str) -> str:
    return method("Function", "classmethod", "apply", "cls, *inputs", body)


ARRAYS = "arrays = [v.data if isinstance(v, Tensor) else v for v in inputs]\n"
LEARNS = "if any(isinstance(v, Tensor) and v.requires_grad for v in inputs):\n    out.requires_grad, out.grad_fn = True, ctx\nreturn out"

RIGHT = {
    "source": [
        "def source(value):\n    if isinstance(value, Tensor):\n        if value.grad_fn:\n            return value.grad_fn\n        if value.requires_grad:\n            return AccumulateGrad(value)",
        "def source(value):\n    made = getattr(value, 'grad_fn', None)\n    return made or (AccumulateGrad(value) if getattr(value, 'requires_grad', False) else None)",
    ],
    "Function.apply": [
        apply("ctx = Node(cls, inputs)\n" + ARRAYS + "out = Tensor(cls.forward(ctx, *arrays))\n" + LEARNS),
        apply(
            "ctx = Node(cls, inputs)\narrays, learns = [], False\nfor v in inputs:\n    if isinstance(v, Tensor):\n        learns = learns or v.requires_grad\n        v = v.data\n    arrays.append(v)\n"
            "out = Tensor(cls.forward(ctx, *arrays))\nout.requires_grad = learns\nout.grad_fn = ctx if learns else None\nreturn out"
        ),
    ],
    "Mul.forward": [
        method("Mul", "staticmethod", "forward", "ctx, a, b", "out = a * b\nctx.save_for_backward(a, b)\nreturn out"),
        method("Mul", "staticmethod", "forward", "ctx, a, b", "ctx.saved_tensors = (a, b)\nreturn np.multiply(a, b)"),
    ],
    "Exp.forward": [
        method(
            "Exp", "staticmethod", "forward", "ctx, a", "ctx.save_for_backward(np.exp(a))\nreturn ctx.saved_tensors[0]"
        ),
        method("Exp", "staticmethod", "forward", "ctx, a", "y = np.e ** a\nctx.save_for_backward(y)\nreturn y"),
    ],
}

WRONG = {
    "source": {
        "leaf first": (
            "def source(value):\n    if not isinstance(value, Tensor):\n        return None\n    return AccumulateGrad(value) if value.requires_grad else value.grad_fn",
            "the way back would end half-way",
        ),
        "every tensor": (
            "def source(value):\n    return (value.grad_fn or AccumulateGrad(value)) if isinstance(value, Tensor) else None",
            "of a tensor without requires_grad should be None",
        ),
        "numbers forgotten": (
            "def source(value):\n    if value.grad_fn is not None:\n        return value.grad_fn\n    return AccumulateGrad(value) if value.requires_grad else None",
            "raised AttributeError",
        ),
        "the tensor itself": (
            "def source(value):\n    if isinstance(value, Tensor):\n        return value.grad_fn or (value if value.requires_grad else None)",
            "should be AccumulateGrad(w)",
        ),
        "of its numbers": (
            "def source(value):\n    if not isinstance(value, Tensor):\n        return None\n    return value.grad_fn or (AccumulateGrad(value.data) if value.requires_grad else None)",
            "It must know the tensor itself",
        ),
        "nothing at leaves": (
            "def source(value):\n    return getattr(value, 'grad_fn', None)",
            "should be AccumulateGrad(w); it is None",
        ),
    },
    "Function.apply": {
        "all": (
            apply(
                "ctx = Node(cls, inputs)\n"
                + ARRAYS
                + "out = Tensor(cls.forward(ctx, *arrays))\n"
                + LEARNS.replace("any(", "all(")
            ),
            "one input that learns is enough",
        ),
        "always": (
            apply(
                "ctx = Node(cls, inputs)\n"
                + ARRAYS
                + "out = Tensor(cls.forward(ctx, *arrays))\nout.requires_grad, out.grad_fn = True, ctx\nreturn out"
            ),
            "nothing here learns",
        ),
        "tensors handed over": (
            apply("ctx = Node(cls, inputs)\nout = Tensor(0.0)\ncls.forward(ctx, *inputs)\n" + LEARNS),
            "it got tensors",
        ),
        "two nodes": (
            apply(ARRAYS + "out = Tensor(cls.forward(Node(cls, inputs), *arrays))\nctx = Node(cls, inputs)\n" + LEARNS),
            "should be the same node; they are two",
        ),
        "an array": (
            apply("ctx = Node(cls, inputs)\n" + ARRAYS + "return cls.forward(ctx, *arrays)"),
            "should be a Tensor; it is a ndarray",
        ),
        "forgot requires_grad": (
            apply(
                "ctx = Node(cls, inputs)\n"
                + ARRAYS
                + "out = Tensor(cls.forward(ctx, *arrays))\nout.grad_fn = ctx\nreturn out"
            ),
            "requires_grad is False",
        ),
        "no grad_fn": (
            apply(
                "ctx = Node(cls, inputs)\n"
                + ARRAYS
                + "out = Tensor(cls.forward(ctx, *arrays))\nout.requires_grad = any(isinstance(v, Tensor) and v.requires_grad for v in inputs)\nreturn out"
            ),
            "keep it, out.grad_fn = ctx",
        ),
        "no numbers": (
            apply("ctx = Node(cls, inputs)\nout = Tensor(cls.forward(ctx, *[v.data for v in inputs]))\n" + LEARNS),
            "What is no tensor is handed over as it is",
        ),
        "32 bits": (
            apply(
                "ctx = Node(cls, inputs)\n" + ARRAYS + "out = Tensor(cls.forward(ctx, *arrays), np.float32)\n" + LEARNS
            ),
            "the dtype that forward gives it",
        ),
        "marks the inputs": (
            apply(
                "ctx = Node(cls, inputs)\n"
                + ARRAYS
                + "out = Tensor(cls.forward(ctx, *arrays))\nfor v in inputs:\n    if isinstance(v, Tensor):\n        v.requires_grad = True\n"
                + LEARNS
            ),
            "changed requires_grad of an input",
        ),
        "arrays in the node": (
            apply(ARRAYS + "ctx = Node(cls, arrays)\nout = Tensor(cls.forward(ctx, *arrays))\n" + LEARNS),
            "arrows don't lead to the inputs",
        ),
    },
    "Mul.forward": {
        "saved nothing": (
            method("Mul", "staticmethod", "forward", "ctx, a, b", "return a * b"),
            "saved [], but backward will need",
        ),
        "saved the result": (
            method("Mul", "staticmethod", "forward", "ctx, a, b", "ctx.save_for_backward(a * b)\nreturn a * b"),
            "but backward will need",
        ),
        "the other way round": (
            method("Mul", "staticmethod", "forward", "ctx, a, b", "ctx.save_for_backward(b, a)\nreturn a * b"),
            "but backward will need",
        ),
        "a sum": (
            method("Mul", "staticmethod", "forward", "ctx, a, b", "ctx.save_for_backward(a, b)\nreturn a + b"),
            "should be [10.0, 21.0]",
        ),
        "a tuple": (
            method("Mul", "staticmethod", "forward", "ctx, a, b", "ctx.save_for_backward((a, b))\nreturn a * b"),
            "Without the second pair of brackets",
        ),
        "a Tensor": (
            method("Mul", "staticmethod", "forward", "ctx, a, b", "ctx.save_for_backward(a, b)\nreturn Tensor(a * b)"),
            "forward sees arrays only",
        ),
        "in place": (
            method("Mul", "staticmethod", "forward", "ctx, a, b", "ctx.save_for_backward(a, b)\na *= b\nreturn a"),
            "changed its input",
        ),
    },
    "Exp.forward": {
        "saved the input": (
            method("Exp", "staticmethod", "forward", "ctx, a", "ctx.save_for_backward(a)\nreturn np.exp(a)"),
            "The slope of e^a is e^a",
        ),
        "saved nothing": (method("Exp", "staticmethod", "forward", "ctx, a", "return np.exp(a)"), "saved []"),
        "another base": (
            method(
                "Exp", "staticmethod", "forward", "ctx, a", "out = 2.0 ** a\nctx.save_for_backward(out)\nreturn out"
            ),
            "should be [1.0, 2.71828",
        ),
        "64 bits": (
            method(
                "Exp",
                "staticmethod",
                "forward",
                "ctx, a",
                "out = np.exp(a.astype(np.float64))\nctx.save_for_backward(out)\nreturn out",
            ),
            "As many bits must come out",
        ),
        "no return": (
            method("Exp", "staticmethod", "forward", "ctx, a", "ctx.save_for_backward(np.exp(a))"),
            "gave None",
        ),
    },
}
