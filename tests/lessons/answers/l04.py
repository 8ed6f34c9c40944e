"""Answers to lesson 04: right ones that must pass, wrong ones with the words that the message must have."""


def nudge(body: str, head: str = "values = x.data.astype(np.float64)\nslopes = np.zeros_like(values)\n") -> str:
    return "def numerical_grad(f, x, eps=1e-6):\n    " + (head + body + "\nreturn slopes").replace("\n", "\n    ")


def rule(cls: str, body: str) -> str:
    return f"@method({cls})\n@staticmethod\ndef backward(ctx, gradient):\n    " + body.replace("\n", "\n    ")


def agree(body: str) -> str:
    return "def agree(claimed, nudged, rtol=1e-3, atol=1e-5):\n    " + body.replace("\n", "\n    ")


LOOP = "for place in np.ndindex(values.shape):\n    up, down = values.copy(), values.copy()\n    up[place] += eps\n    down[place] -= eps\n"
SHAPES = "if claimed.shape != nudged.shape:\n    return False\n"

RIGHT = {
    "numerical_grad": [
        nudge(LOOP + "    slopes[place] = (f(Tensor(up)).data.sum() - f(Tensor(down)).data.sum()) / (2 * eps)"),
        nudge(
            "flat = slopes.reshape(-1)\nfor i in range(values.size):\n    nudge = np.zeros(values.size)\n    nudge[i] = eps\n    nudge = nudge.reshape(values.shape)\n"
            "    flat[i] = np.sum(f(Tensor(values + nudge)).data - f(Tensor(values - nudge)).data) / 2 / eps"
        ),
    ],
    "Mul.backward": [
        rule("Mul", "a, b = ctx.saved_tensors\nreturn (gradient * b, gradient * a)"),
        rule("Mul", "return tuple(gradient * other for other in ctx.saved_tensors[::-1])"),
    ],
    "Exp.backward": [
        rule("Exp", "return gradient * ctx.saved_tensors[0],"),
        rule("Exp", "out, = ctx.saved_tensors\nreturn [np.multiply(out, gradient)]"),
    ],
    "agree": [
        agree("return claimed.shape == nudged.shape and np.allclose(claimed, nudged, rtol=rtol, atol=atol)"),
        agree(
            SHAPES
            + "for c, n in zip(claimed.ravel(), nudged.ravel()):\n    if not abs(c - n) <= atol + rtol * abs(n):\n        return False\nreturn True"
        ),
    ],
}

WRONG = {
    "numerical_grad": {
        "one side": (
            nudge(LOOP + "    slopes[place] = (f(Tensor(up)).data - f(Tensor(values)).data).sum() / eps"),
            "the difference of one side",
        ),
        "h for 2h": (
            nudge(LOOP + "    slopes[place] = (f(Tensor(up)).data - f(Tensor(down)).data).sum() / eps"),
            "lie 2h, not h",
        ),
        "precedence": (
            nudge(LOOP + "    slopes[place] = (f(Tensor(up)).data - f(Tensor(down)).data).sum() / 2 * eps"),
            "multiplies by eps",
        ),
        "all at once": (
            nudge("slopes[...] = (f(Tensor(values + eps)).data - f(Tensor(values - eps)).data) / (2 * eps)"),
            "nudged at once",
        ),
        "never put back": (
            nudge(
                "up, down = values.copy(), values.copy()\nfor place in np.ndindex(values.shape):\n    up[place] += eps\n    down[place] -= eps\n    slopes[place] = (f(Tensor(up)).data - f(Tensor(down)).data).sum() / (2 * eps)"
            ),
            "fresh copy for each nudge",
        ),
        "no copies": (
            nudge(LOOP.replace("values.copy(), values.copy()", "values, values") + "    slopes[place] = (f(Tensor(up)).data - f(Tensor(down)).data).sum() / (2 * eps)"),
            "Nothing was written",
        ),
        "32 bits": (
            nudge(
                LOOP + "    slopes[place] = (f(Tensor(up)).data - f(Tensor(down)).data).sum() / (2 * eps)",
                "values = x.data\nslopes = np.zeros(values.shape)\n",
            ),
            "looks like 32 bits",
        ),
        "x itself": (
            nudge(
                "for place in np.ndindex(values.shape):\n    x.data[place] += eps\n    high = f(x).data.sum()\n    x.data[place] -= 2 * eps\n    slopes[place] = (high - f(x).data.sum()) / (2 * eps)"
            ),
            "changed x from",
        ),
        "an array for f": (
            nudge(LOOP + "    slopes[place] = (f(up) - f(down)).sum() / (2 * eps)"),
            "f takes a Tensor",
        ),
        "the mean": (
            nudge(LOOP + "    slopes[place] = (f(Tensor(up)).data - f(Tensor(down)).data).mean() / (2 * eps)"),
            "What is watched is the sum",
        ),
        "no sign": (
            nudge(LOOP + "    slopes[place] = abs(f(Tensor(up)).data - f(Tensor(down)).data).sum() / (2 * eps)"),
            "A slope has a sign",
        ),
        "its own result": (
            nudge(LOOP + "    slopes[place] = (f(Tensor(up)).data - f(Tensor(down)).data)[place] / (2 * eps)"),
            "a number can move others too",
        ),
        "a step of one's own": (
            nudge("eps = 1e-3\n" + LOOP + "    slopes[place] = (f(Tensor(up)).data - f(Tensor(down)).data).sum() / (2 * eps)"),
            "Was `eps` used?",
        ),
        "swapped": (
            nudge(LOOP + "    slopes[place] = (f(Tensor(down)).data - f(Tensor(up)).data).sum() / (2 * eps)"),
            "up minus down",
        ),
    },
    "Mul.backward": {
        "swapped": (rule("Mul", "a, b = ctx.saved_tensors\nreturn gradient * a, gradient * b"), "swapped"),
        "ignored": (rule("Mul", "a, b = ctx.saved_tensors\nreturn b, a"), "The gradient that comes in has no part"),
        "one part": (rule("Mul", "a, b = ctx.saved_tensors\nreturn gradient * b"), "should be a tuple with 2 parts"),
        "one sum": (rule("Mul", "a, b = ctx.saved_tensors\nreturn (gradient * b + gradient * a,)"), "it has 1"),
        "like Add": (rule("Mul", "return gradient, gradient"), "That is what Add does"),
        "in place": (
            rule("Mul", "a, b = ctx.saved_tensors\nb *= gradient\na *= gradient\nreturn b, a"),
            "changed what was saved",
        ),
        "the product": (rule("Mul", "a, b = ctx.saved_tensors\nreturn gradient * a * b, gradient * a * b"), "not its slope"),
        "unpacked wrongly": (rule("Mul", "a = ctx.saved_tensors\nreturn gradient * a[1], gradient * a"), "should"),
    },
    "Exp.backward": {
        "exp again": (rule("Exp", "(a,) = ctx.saved_tensors\nreturn (gradient * np.exp(a),)"), "e^a already"),
        "ignored": (rule("Exp", "return ctx.saved_tensors"), "has no part in it"),
        "no tuple": (rule("Exp", "return gradient * ctx.saved_tensors[0]"), "One part is written (part,)"),
        "passed on": (rule("Exp", "return (gradient,)"), "a slope of 1"),
        "added": (rule("Exp", "return (gradient + ctx.saved_tensors[0],)"), "Multiply, don't add"),
        "no return": (rule("Exp", "(gradient * ctx.saved_tensors[0],)"), "it is a NoneType"),
    },
    "agree": {
        "any": (agree(SHAPES + "return bool((abs(claimed - nudged) <= atol + rtol * abs(nudged)).any())"), "far apart"),
        "no abs": (agree(SHAPES + "return bool((claimed - nudged <= atol + rtol * abs(nudged)).all())"), "was abs() left out"),
        "no shapes": (agree("return bool((abs(claimed - nudged) <= atol + rtol * abs(nudged)).all())"), "The shapes differ"),
        "equal": (agree(SHAPES + "return bool((claimed == nudged).all())"), "less than a thousandth"),
        "absolute only": (agree(SHAPES + "return bool((abs(claimed - nudged) <= atol).all())"), "rtol * |nudged|"),
        "relative only": (
            agree(SHAPES + "return bool((abs(claimed - nudged) <= rtol * abs(nudged)).all())"),
            "the absolute tolerance counts",
        ),
        "of the claimed": (agree(SHAPES + "return bool((abs(claimed - nudged) <= atol + rtol * abs(claimed)).all())"), "goes by the nudged slope"),
        "sums": (agree(SHAPES + "return bool(abs(claimed - nudged).sum() <= atol + rtol * abs(nudged).sum())"), "Each pair counts by itself"),
        "an array": (agree(SHAPES + "return abs(claimed - nudged) <= atol + rtol * abs(nudged)"), "one answer"),
        "NumPy's own": (agree(SHAPES + "return np.allclose(claimed, nudged)"), "less than a thousandth"),
    },
}  # fmt: skip
