"""Answers to lesson 01: right ones that must pass, wrong ones with the words that the message must have."""

RIGHT = {
    "contiguous_strides": [
        """
def contiguous_strides(shape):
    result = ()
    for k in range(len(shape)):
        product = 1
        for size in shape[k + 1:]:
            product = product * size
        result = result + (product,)
    return result
""",
        """
def contiguous_strides(shape):
    import math
    return tuple(math.prod(shape[k + 1:]) for k in range(len(shape)))
""",
    ],
    "index_to_offset": [
        """
def index_to_offset(index, strides, start=0):
    place = start
    for k in range(len(index)):
        place += index[k] * strides[k]
    return place
""",
        """
def index_to_offset(index, strides, start=0):
    return int(np.dot(np.array(index, int), np.array(strides, int))) + start
""",
    ],
    "broadcast_shapes": [
        """
def broadcast_shapes(a, b):
    if len(a) < len(b):
        a, b = b, a
    out = list(a)
    for k in range(1, len(b) + 1):
        if a[-k] == 1:
            out[-k] = b[-k]
        elif b[-k] != 1 and a[-k] != b[-k]:
            raise ValueError("no")
    return tuple(out)
""",
        """
def broadcast_shapes(a, b):
    return np.broadcast_shapes(a, b)
""",
    ],
}

WRONG = {
    "contiguous_strides": {
        "order": (
            "def contiguous_strides(shape):\n    s, step = [], 1\n    for n in reversed(shape):\n        s.append(step)\n        step *= n\n    return tuple(s)",
            "wrong order",
        ),
        "own size": (
            "def contiguous_strides(shape):\n    s, step = [], 1\n    for n in reversed(shape):\n        step *= n\n        s.append(step)\n    return tuple(reversed(s))",
            "only the sizes *behind* an axis",
        ),
        "a list": (
            "def contiguous_strides(shape):\n    s, step = [], 1\n    for n in reversed(shape):\n        s.insert(0, step)\n        step *= n\n    return s",
            "it is a list",
        ),
        "bytes": (
            "def contiguous_strides(shape):\n    return tuple(np.empty(shape).strides)",
            "always has the stride 1",
        ),
        "the shape": ("def contiguous_strides(shape):\n    return shape", "should be (1,), but it is (4,)"),
        "no return": ("def contiguous_strides(shape):\n    strides = (1,)", "gave None"),
        "not for a number": (
            "def contiguous_strides(shape):\n    s = [1]\n    for n in reversed(shape[1:]):\n        s.insert(0, s[0] * n)\n    return tuple(s)",
            "contiguous_strides(()) should be ()",
        ),
    },
    "index_to_offset": {
        "no start": (
            "def index_to_offset(index, strides, start=0):\n    return sum(i * s for i, s in zip(index, strides))",
            "Was `start` left out?",
        ),
        "no strides": (
            "def index_to_offset(index, strides, start=0):\n    return start + sum(index)",
            "should be 6, but it is 1",
        ),
        "first axis only": (
            "def index_to_offset(index, strides, start=0):\n    for i, s in zip(index, strides):\n        return start + i * s",
            "should be",
        ),
        "start times": (
            "def index_to_offset(index, strides, start=1):\n    return start * sum(i * s for i, s in zip(index, strides))",
            "should be",
        ),
        "wrong argument": (
            "def index_to_offset(index, strides):\n    return sum(i * s for i, s in zip(index, strides))",
            "raised TypeError",
        ),
    },
    "broadcast_shapes": {
        "from the left": (
            "def broadcast_shapes(a, b):\n    n = max(len(a), len(b))\n    a, b = a + (1,) * (n - len(a)), b + (1,) * (n - len(b))\n    out = []\n    for p, q in zip(a, b):\n        if p != q and 1 not in (p, q):\n            raise ValueError\n        out.append(q if p == 1 else p)\n    return tuple(out)",
            "aligned at the right",
        ),
        "max": (
            "def broadcast_shapes(a, b):\n    n = max(len(a), len(b))\n    a, b = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b\n    for p, q in zip(a, b):\n        if p != q and 1 not in (p, q):\n            raise ValueError\n    return tuple(max(p, q) for p, q in zip(a, b))",
            "The 0 must win over the 1",
        ),
        "never refuses": (
            "def broadcast_shapes(a, b):\n    n = max(len(a), len(b))\n    a, b = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b\n    return tuple(q if p == 1 else p for p, q in zip(a, b))",
            "should raise ValueError",
        ),
        "short ones cut off": (
            "def broadcast_shapes(a, b):\n    out = []\n    for p, q in zip(a[::-1], b[::-1]):\n        if p != q and 1 not in (p, q):\n            raise ValueError\n        out.append(q if p == 1 else p)\n    return tuple(out[::-1])",
            "should be (1,), but it is ()",
        ),
        "another error": (
            "def broadcast_shapes(a, b):\n    n = max(len(a), len(b))\n    a, b = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b\n    for p, q in zip(a, b):\n        assert p == q or 1 in (p, q)\n    return tuple(q if p == 1 else p for p, q in zip(a, b))",
            "raised AssertionError",
        ),
    },
}
