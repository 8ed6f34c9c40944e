"""Answers to lesson 07: right ones that must pass, wrong ones with the words that the message must have."""


def matmul(body: str) -> str:
    return (
        "@method(MatMul)\n@staticmethod\ndef backward(ctx, gradient):\n    a, b = ctx.saved_tensors\n    "
        + body.replace("\n", "\n    ")
    )


def block(enter: str, leave: str, arguments: str = "self, *error") -> str:
    return (
        f"class no_grad:\n    recording = True\n\n    def __enter__(self):\n        {enter}\n\n"
        f"    def __exit__({arguments}):\n        {leave}"
    )


def zero(body: str) -> str:
    return "def zero_grad(parameters):\n    " + body.replace("\n", "\n    ")


def free(body: str) -> str:
    return "@method(Node)\ndef free(self):\n    " + body.replace("\n", "\n    ")


REMEMBER = "self.before = no_grad.recording; no_grad.recording = False"

RIGHT = {
    "MatMul.backward": [
        matmul(
            "t = lambda m: np.swapaxes(m, -1, -2)\n"
            "return unbroadcast(np.matmul(gradient, t(b)), a.shape), unbroadcast(np.matmul(t(a), gradient), b.shape)"
        ),
        matmul(
            "to_a = np.einsum('...ij,...kj->...ik', gradient, b)\nto_b = np.einsum('...ik,...ij->...kj', a, gradient)\n"
            "return [unbroadcast(to_a, a.shape), unbroadcast(to_b, b.shape)]"
        ),
    ],
    "no_grad": [
        block(REMEMBER, "no_grad.recording = self.before"),
        block(
            "self.stack = getattr(self, 'stack', []) + [type(self).recording]; type(self).recording = False; return self",
            "type(self).recording = self.stack.pop(); return False",
            "self, kind, error, trace",
        ),
    ],
    "zero_grad": [
        zero("for p in parameters:\n    p.grad = None"),
        zero("for p in list(parameters):\n    if p.grad is not None:\n        setattr(p, 'grad', None)"),
    ],
    "Node.free": [
        free("if len(self.saved_tensors) > 0:\n    self.saved_tensors = None"),
        free("self.saved_tensors = None if self.saved_tensors else ()"),
    ],
}

WRONG = {
    "MatMul.backward": {
        "no transposes": (matmul("return gradient @ b, a @ gradient"), "only gradient @ Bᵀ has the shape of A"),
        "the wrong side": (matmul("return b.T @ gradient, gradient @ a.T"), "only gradient @ Bᵀ has the shape of A"),
        "elementwise": (matmul("return gradient * b, gradient * a"), "only gradient @ Bᵀ has the shape of A"),
        "swapped": (matmul("return a.T @ gradient, gradient @ b.T"), "A's first"),
        "turned round": (matmul("return gradient @ b.T, gradient.T @ a"), "the gradient of the transposed matrix"),
        "reshaped": (
            matmul("return gradient @ b.reshape(b.shape[::-1]), a.reshape(a.shape[::-1]) @ gradient"),
            "reshape keeps the order",
        ),
        "gradient left out": (
            matmul("one = np.ones_like(gradient)\nreturn one @ b.T, a.T @ one"),
            "Was the gradient that arrived left out",
        ),
        "only for matrices": (matmul("return gradient @ b.T, a.T @ gradient"), ".swapaxes(-1, -2), not .T"),
        "nothing folded": (
            matmul("return gradient @ b.swapaxes(-1, -2), a.swapaxes(-1, -2) @ gradient"),
            "It was repeated along the stack",
        ),
        "always folded": (
            matmul(
                "x, y = gradient @ b.swapaxes(-1, -2), a.swapaxes(-1, -2) @ gradient\n"
                "return (x.sum(0), y.sum(0)) if x.ndim > 2 else (x, y)"
            ),
            "nothing may be summed",
        ),
        "the sign": (
            matmul("t = lambda m: m.swapaxes(-1, -2)\nreturn -(gradient @ t(b)), -(t(a) @ gradient)"),
            "The sign is wrong",
        ),
        "ragged": (matmul("return [[1, 2], [3]], b"), "aren't equally long"),
        "one alone": (matmul("return gradient @ b.T"), "should give two gradients"),
        "tensors": (matmul("return Tensor(gradient @ b.T), Tensor(a.T @ gradient)"), "it is a Tensor"),
        "no return": (matmul("gradient @ b.T, a.T @ gradient"), "Is a return there"),
        "float64": (
            matmul("g = gradient.astype(np.float64)\nreturn g @ b.T, a.T @ g"),
            "should be of dtype float32",
        ),
        "in place": (
            matmul("out = gradient @ b.T, a.T @ gradient\ngradient *= 2\nreturn out"),
            "changed A, B or the gradient",
        ),
    },
    "no_grad": {
        "always True after": (block("no_grad.recording = False", "no_grad.recording = True"), "not True"),
        "on self": (
            block("self.before, self.recording = self.recording, False", "self.recording = self.before"),
            "everybody looks there",
        ),
        "never put back": (block("no_grad.recording = False", "pass"), "has to put back what it was"),
        "turned round": (
            block("no_grad.recording = not no_grad.recording", "no_grad.recording = not no_grad.recording"),
            "switches the notes on again",
        ),
        "remembered in the class": (
            block(
                "no_grad.before = no_grad.recording; no_grad.recording = False", "no_grad.recording = no_grad.before"
            ),
            "in self, not in the class",
        ),
        "swallows": (block(REMEMBER, "no_grad.recording = self.before; return True"), "swallowed"),
        "not after an error": (
            block(REMEMBER, "no_grad.recording = self.before if error[0] is None else False"),
            "after an error in the block",
        ),
        "nothing": (
            block("self.before = no_grad.recording", "no_grad.recording = self.before"),
            "__enter__ has to set",
        ),
        "no arguments": (block(REMEMBER, "no_grad.recording = self.before", "self"), "keep `*error`"),
        "at once": (
            "class no_grad:\n    recording = True\n\n    def __init__(self):\n        self.before = no_grad.recording\n"
            "        no_grad.recording = False\n\n    def __enter__(self):\n        pass\n\n"
            "    def __exit__(self, *error):\n        no_grad.recording = self.before",
            "not into __init__",
        ),
        "a local name": (block("self.before = True; recording = False", "recording = True"), "__enter__ has to set"),
    },
    "zero_grad": {
        "zeros": (zero("for p in parameters:\n    p.grad = Tensor(np.zeros(p.shape))"), "None says that nothing has"),
        "the weights": (zero("for p in parameters:\n    p.zero_()"), "the parameters' own numbers"),
        "a local name": (zero("for p in parameters:\n    p = None"), "every gradient is still there"),
        "only the first": (zero("for p in parameters:\n    p.grad = None\n    return"), "Is a return inside the loop"),
        "of the list": (zero("parameters.grad = None"), "for parameter in parameters"),
        "by index": (zero("for i in range(len(parameters)):\n    parameters[i].grad = None"), "of a generator"),
        "never again": (zero("for p in parameters:\n    p.grad, p.requires_grad = None, False"), "never learn again"),
        "a zero": (zero("for p in parameters:\n    p.grad = 0"), "Zeros say that something arrived"),
        "grad.zero_": (zero("for p in parameters:\n    p.grad.zero_()"), "Zeros say that something arrived"),
    },
    "Node.free": {
        "always": (free("self.saved_tensors = None"), "should keep its empty tuple"),
        "empty instead": (free("self.saved_tensors = ()"), "None says that they are gone"),
        "deleted": (free("del self.saved_tensors"), "Don't delete it"),
        "a local name": (free("saved_tensors = None"), "with its `self.`"),
        "numbers wiped": (
            free("for a in self.saved_tensors:\n    a[...] = 0\nif self.saved_tensors:\n    self.saved_tensors = None"),
            "belong to the tensors",
        ),
        "kept elsewhere": (
            free("self.old = self.saved_tensors\nif self.saved_tensors:\n    self.saved_tensors = None"),
            "somebody still holds",
        ),
        "the arrows too": (
            free("if self.saved_tensors:\n    self.saved_tensors, self.next_functions = None, None"),
            "changed more than saved_tensors",
        ),
    },
}
