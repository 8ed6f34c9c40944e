"""Answers to lesson 06: right ones that must pass, wrong ones with the words that the message must have."""


def fold(body: str) -> str:
    return "def unbroadcast(gradient, shape):\n    " + body.replace("\n", "\n    ")


def rule(cls: str, body: str) -> str:
    return f"@method({cls})\n@staticmethod\ndef backward(ctx, gradient):\n    " + body.replace("\n", "\n    ")


FRONT = "while gradient.ndim > len(shape):\n    gradient = gradient.sum(axis=0)\n"
BACK = "if ctx.dim is not None and not ctx.keepdim:\n    gradient = np.expand_dims(gradient, ctx.dim)\n"

RIGHT = {
    "unbroadcast": [
        fold(
            "extra = gradient.ndim - len(shape)\ngradient = gradient.sum(axis=tuple(range(extra)))\naxes = tuple(i for i, n in enumerate(shape) if n == 1)\nreturn gradient.sum(axis=axes, keepdims=True) if axes else gradient"
        ),
        fold(
            "padded = (1,) * (gradient.ndim - len(shape)) + shape\naxes = tuple(i for i in range(gradient.ndim) if padded[i] < gradient.shape[i])\nreturn gradient.sum(axes, keepdims=True).reshape(shape)"
        ),
    ],
    "Sum.backward": [
        rule(
            "Sum",
            "g = np.asarray(gradient)\nif not ctx.keepdim and ctx.dim is not None:\n    g = np.expand_dims(g, ctx.dim)\nreturn g * np.ones(ctx.shape, g.dtype), None, None",
        ),
        rule(
            "Sum",
            "shape = np.empty(ctx.shape).sum(axis=ctx.dim, keepdims=True).shape\nreturn np.broadcast_to(gradient.reshape(shape), ctx.shape).copy(), None, None",
        ),
    ],
    "Transpose.backward": [
        rule("Transpose", "return np.swapaxes(gradient, ctx.dims[0], ctx.dims[1]), None, None"),
        rule("Transpose", "first, second = ctx.dims\nreturn [gradient.swapaxes(second, first), None, None]"),
    ],
    "GetItem.backward": [
        rule(
            "GetItem",
            "whole = np.zeros(ctx.shape, dtype=gradient.dtype)\nnp.add.at(whole, ctx.index, gradient)\nreturn (whole, None)",
        ),
        rule(
            "GetItem",
            "places = np.arange(np.prod(ctx.shape, dtype=int)).reshape(ctx.shape)[ctx.index]\nflat = np.bincount(np.ravel(places), np.ravel(gradient), minlength=int(np.prod(ctx.shape)))\nreturn flat.reshape(ctx.shape).astype(gradient.dtype), None",
        ),
    ],
}

WRONG = {
    "unbroadcast": {
        "mean": (fold(FRONT.replace("sum", "mean") + "for i, n in enumerate(shape):\n    if n == 1:\n        gradient = gradient.mean(axis=i, keepdims=True)\nreturn gradient"), "the mean of what comes back"),
        "first copy": (fold("while gradient.ndim > len(shape):\n    gradient = gradient[0]\nreturn gradient[tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)]"), "Only one of the copies"),
        "no keepdims": (fold(FRONT + "for i, n in enumerate(shape):\n    if n == 1:\n        gradient = gradient.sum(axis=i)\nreturn gradient"), "keepdims=True keeps it"),
        "front only": (fold(FRONT + "return gradient"), "An axis of length 1 was stretched"),
        "stretched only": (fold("for i, n in enumerate(shape):\n    if n == 1:\n        gradient = gradient.sum(axis=i, keepdims=True)\nreturn gradient"), "axes in front are still there"),
        "unchanged": (fold("return gradient"), "should have the shape"),
        "reshape": (fold("return gradient.reshape(shape)"), "raised ValueError"),
        "all": (fold("return gradient.sum()"), "should have the shape"),
        "no return": (fold(FRONT), "gave None"),
    },
    "Sum.backward": {
        "no axis": (rule("Sum", "return np.broadcast_to(gradient, ctx.shape), None, None"), "must be put back, at its own place"),
        "ones": (rule("Sum", "return np.ones(ctx.shape, gradient.dtype), None, None"), "Those are ones"),
        "divided": (rule("Sum", BACK + "return np.broadcast_to(gradient, ctx.shape) / (np.prod(ctx.shape, dtype=np.float32) / gradient.size), None, None"), "the mean's gradient"),
        "strung": (rule("Sum", "return np.resize(gradient, ctx.shape), None, None"), "strung together"),
        "added again": (rule("Sum", "return np.full(ctx.shape, gradient.sum()), None, None"), "added up once more"),
        "one part": (rule("Sum", BACK + "return np.broadcast_to(gradient, ctx.shape)"), "a tuple of 3 parts"),
        "not copied": (rule("Sum", BACK + "return gradient, None, None"), "should have the shape"),
        "always expanded": (rule("Sum", "return np.broadcast_to(np.expand_dims(gradient, ctx.dim), ctx.shape), None, None"), "raised TypeError"),
        "last axis": (rule("Sum", "g = gradient if ctx.keepdim or ctx.dim is None else gradient[..., None]\nreturn np.broadcast_to(g, ctx.shape), None, None"), "must be put back, at its own place"),
    },
    "Transpose.backward": {
        "unchanged": (rule("Transpose", "return gradient, None, None"), "should have the shape"),
        "T": (rule("Transpose", "return gradient.T, None, None"), "should have the shape"),
        "reshape": (rule("Transpose", "return gradient.reshape(gradient.shape[::-1]), None, None"), "reshape keeps the order"),
        "one part": (rule("Transpose", "return gradient.swapaxes(*ctx.dims)"), "a tuple of 3 parts"),
        "first two": (rule("Transpose", "return gradient.swapaxes(0, 1), None, None"), "should have the shape"),
    },
    "GetItem.backward": {
        "assign": (rule("GetItem", "whole = np.zeros(ctx.shape, gradient.dtype)\nwhole[ctx.index] = gradient\nreturn whole, None"), "only one of its gradients"),
        "add in place": (rule("GetItem", "whole = np.zeros(ctx.shape, gradient.dtype)\nwhole[ctx.index] += gradient\nreturn whole, None"), "only one of its gradients"),
        "64 bits": (rule("GetItem", "whole = np.zeros(ctx.shape)\nnp.add.at(whole, ctx.index, gradient)\nreturn whole, None"), "64 bits"),
        "the gradient": (rule("GetItem", "return gradient, None"), "should have the shape"),
        "taken again": (rule("GetItem", "return gradient[ctx.index], None"), "the input's shape"),
        "one part": (rule("GetItem", "whole = np.zeros(ctx.shape, gradient.dtype)\nnp.add.at(whole, ctx.index, gradient)\nreturn whole"), "a tuple of 2 parts"),
        "ones": (rule("GetItem", "whole = np.zeros(ctx.shape, gradient.dtype)\nwhole[ctx.index] = 1\nreturn whole, None"), "Those are ones"),
        "nothing added": (rule("GetItem", "return np.zeros(ctx.shape, gradient.dtype), None"), "Nothing was added"),
        "from ones": (rule("GetItem", "whole = np.ones(ctx.shape, gradient.dtype)\nnp.add.at(whole, ctx.index, gradient)\nreturn whole, None"), "It began with ones"),
        "nothing returned": (rule("GetItem", "np.add.at(np.zeros(ctx.shape), ctx.index, gradient)"), "it is a NoneType"),
    },
}  # fmt: skip
