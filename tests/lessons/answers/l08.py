"""Answers to lesson 08: right ones that must pass, wrong ones with the words that the message must have."""


def grad(body: str) -> str:
    return "def gradient_step(w, b, lr):\n    " + body.replace("\n", "\n    ")


def own(cls: str, head: str, body: str) -> str:
    return f"@method({cls})\ndef {head}:\n    " + body.replace("\n", "\n    ")


def linear(body: str) -> str:
    return own("Linear", "forward(self, x)", body)


def mse(body: str) -> str:
    return own("MSELoss", "forward(self, input, target)", body)


def sgd(body: str) -> str:
    return own("SGD", "step(self)", body)


FORGET = "\nw.grad = b.grad = None"
LOOP = "with no_grad():\n    for p in self.params:\n        if p.grad is not None:\n            "

RIGHT = {
    "gradient_step": [
        grad("with no_grad():\n    for p in (w, b):\n        p -= p.grad * lr\n        p.grad = None"),
        grad("w.data -= lr * w.grad.data\nb.data -= lr * b.grad.data\nzero_grad([w, b])"),
    ],
    "Linear.forward": [
        linear("return self.bias + x.matmul(self.weight.T)"),
        linear("y = x @ self.weight.T\nreturn y + self.bias"),
    ],
    "MSELoss.forward": [
        mse("d = input - target\nreturn (d * d).mean()"),
        mse("return ((target - input) ** 2).mean()"),
    ],
    "SGD.step": [
        sgd(LOOP + "p -= p.grad * self.lr"),
        sgd(
            "for p in self.params:\n    if p.grad is None:\n        continue\n    with no_grad():\n        p -= self.lr * p.grad"
        ),
    ],
}

WRONG = {
    "gradient_step": {
        "uphill": (grad("with no_grad():\n    w -= -lr * w.grad\n    b -= -lr * b.grad" + FORGET), "uphill"),
        "new names": (grad("with no_grad():\n    w = w - lr * w.grad\n    b = b - lr * b.grad"), "did not move"),
        "no rate": (grad("with no_grad():\n    w -= w.grad\n    b -= b.grad" + FORGET), "lr left out"),
        "noted": (grad("w -= lr * w.grad\nb -= lr * b.grad" + FORGET), "with no_grad()"),
        "stale": (grad("with no_grad():\n    w -= lr * w.grad\n    b -= lr * b.grad"), "still there"),
        "too early": (grad("w.grad = b.grad = None\nwith no_grad():\n    w -= lr * w.grad"), "forgotten too early"),
        "by the other": (
            grad("with no_grad():\n    w -= lr * w.grad\n    b -= lr * w.grad" + FORGET),
            "That is w's gradient",
        ),
        "divided": (grad("with no_grad():\n    w -= w.grad / lr\n    b -= b.grad / lr" + FORGET), "doesn't divide"),
        "a rate of one's own": (
            grad("with no_grad():\n    w -= 0.1 * w.grad\n    b -= 0.1 * b.grad" + FORGET),
            "that was given",
        ),
        "only w": (grad("with no_grad():\n    w -= lr * w.grad" + FORGET), "b from -1"),
    },
    "Linear.forward": {
        "not turned": (linear("return x @ self.weight + self.bias"), "x @ weight.T fits"),
        "other side": (linear("return self.weight @ x + self.bias"), "x @ weight.T fits"),
        "no bias": (linear("return x @ self.weight.T"), "The bias is missing"),
        "no graph": (linear("return Tensor(x.data @ self.weight.data.T + self.bias.data)"), "no graph"),
        "no return": (linear("x @ self.weight.T + self.bias"), "Is a return there"),
    },
    "MSELoss.forward": {
        "sum": (mse("return ((input - target) ** 2).sum()"), "not the mean"),
        "mean first": (mse("return (input - target).mean() ** 2"), "Square first"),
        "no square": (mse("return (input - target).mean()"), "square is missing"),
        "by rows": (mse("return ((input - target) ** 2).sum() / len(input.data)"), "not over the rows alone"),
        "squares first": (mse("return (input ** 2 - target ** 2).mean()"), "First the difference"),
        "no mean": (mse("return (input - target) ** 2"), "mean is missing"),
        "a number": (mse("return ((input - target) ** 2).mean().item()"), "should be a Tensor"),
    },
    "SGD.step": {
        "uphill": (sgd(LOOP + "p -= -self.lr * p.grad"), "uphill"),
        "a new tensor": (sgd(LOOP + "p = p - self.lr * p.grad"), "did not move"),
        "no rate": (sgd(LOOP + "p -= p.grad"), "lr left out"),
        "none": (sgd("with no_grad():\n    for p in self.params:\n        p -= self.lr * p.grad"), "gradient of None"),
        "noted": (
            sgd("for p in self.params:\n    if p.grad is not None:\n        p -= self.lr * p.grad"),
            "with no_grad()",
        ),
        "stops": (
            sgd(
                "with no_grad():\n    for p in self.params:\n        if p.grad is None:\n            return\n        p -= self.lr * p.grad"
            ),
            "the next ones go on",
        ),
        "forgets": (sgd(LOOP + "p -= self.lr * p.grad\n            p.grad = None"), "zero_grad"),
    },
}
