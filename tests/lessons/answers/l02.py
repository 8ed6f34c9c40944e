"""Answers to lesson 02: right ones that must pass, wrong ones with the words that the message must have."""


def method(name: str, body: str, arguments: str = "self, other") -> str:
    return f"@method(Tensor)\ndef {name}({arguments}):\n    " + body.replace("\n", "\n    ")


RIGHT = {
    "as_tensor": [
        "def as_tensor(value):\n    if isinstance(value, Tensor):\n        return value\n    return Tensor(value)",
        "def as_tensor(value):\n    return Tensor(value) if not isinstance(value, Tensor) else value",
    ],
    "Tensor.__add__": [
        method("__add__", "a, b = pair(self, other)\nreturn Tensor(np.add(a.data, b.data))"),
        method(
            "__add__",
            "both = pair(self, other)\nout = both[0].data.copy()\nout = out + both[1].data\nreturn Tensor(out)",
        ),
    ],
    "Tensor.__mul__": [
        method("__mul__", "a, b = pair(self, other)\nreturn Tensor(np.multiply(a.data, b.data))"),
        method("__mul__", "a, b = pair(self, other)\nreturn as_tensor(b.data * a.data)"),
    ],
    "Tensor.__rsub__": [
        method("__rsub__", "return -self + other"),
        method("__rsub__", "return as_tensor(other).__sub__(self)"),
    ],
    "Tensor.__truediv__": [
        method(
            "__truediv__", "a, b = pair(self, other)\nb = b if b.dtype.kind == 'f' else b.float()\nreturn a * b ** -1.0"
        ),
        method(
            "__truediv__",
            "a, b = pair(self, other)\nif b.dtype.kind != 'f':\n    a, b = a.float(), b.float()\nreturn Tensor(a.data / b.data)",
        ),
    ],
}

WRONG = {
    "as_tensor": {
        "always new": (
            "def as_tensor(value):\n    return Tensor(getattr(value, 'data', value) if isinstance(value, Tensor) else value)",
            "the very same object; it is another one",
        ),
        "an array": (
            "def as_tensor(value):\n    return value if isinstance(value, Tensor) else np.array(value)",
            "Put the array into one",
        ),
        "no return": ("def as_tensor(value):\n    Tensor(value)", "should be a Tensor, but it is a NoneType"),
        "the data": (
            "def as_tensor(value):\n    return value.data if isinstance(value, Tensor) else Tensor(value)",
            "should be a Tensor, but it is a ndarray",
        ),
    },
    "Tensor.__add__": {
        "in place": (
            method("__add__", "a, b = pair(self, other)\na.data = a.data + b.data\nreturn a"),
            "gave one of its operands back",
        ),
        "in place, hidden": (
            method("__add__", "a, b = pair(self, other)\nout = a.data + b.data\na.data *= 2\nreturn Tensor(out)"),
            "changed its left operand",
        ),
        "an array": (method("__add__", "a, b = pair(self, other)\nreturn a.data + b.data"), "Put the array into one"),
        "no pair": (
            method("__add__", "return Tensor(self.data + as_tensor(other).data)"),
            "Did both sides go through pair()?",
        ),
        "no number": (method("__add__", "return Tensor(self.data + other.data)"), "raised AttributeError"),
    },
    "Tensor.__mul__": {
        "matmul": (method("__mul__", "a, b = pair(self, other)\nreturn Tensor(a.data @ b.data)"), "raised ValueError"),
        "added": (
            method("__mul__", "a, b = pair(self, other)\nreturn Tensor(a.data + b.data)"),
            "should be 6.0, but it is 5.0",
        ),
        "an array": (method("__mul__", "a, b = pair(self, other)\nreturn a.data * b.data"), "should be a Tensor"),
    },
    "Tensor.__rsub__": {
        "swapped": (method("__rsub__", "return self - other"), "the other way round"),
        "added": (method("__rsub__", "return as_tensor(other) + self"), "should be"),
        "for ever": (method("__rsub__", "return other - self"), "called itself more often"),
        "without the tensor": (method("__rsub__", "return other - self.data"), "should be a Tensor"),
    },
    "Tensor.__truediv__": {
        "whole": (method("__truediv__", "a, b = pair(self, other)\nreturn a * b ** -1"), "negative integer powers"),
        "floor": (
            method("__truediv__", "a, b = pair(self, other)\nreturn Tensor(a.data // b.data)"),
            "Was it divided with //?",
        ),
        "the wrong way": (
            method("__truediv__", "a, b = pair(self, other)\nreturn b.float() * a.float() ** -1"),
            "should be 2.0, but it is 0.5",
        ),
        "no power": (method("__truediv__", "a, b = pair(self, other)\nreturn a * b"), "should be 2.0, but it is 18.0"),
    },
}
