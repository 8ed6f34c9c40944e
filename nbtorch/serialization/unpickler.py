"""Reads pickles without executing anything: a small machine that knows the opcodes of data, and a short list of names.

Python's own unpickler calls whatever a file names. This one calls nothing but the functions in this file. What a
hostile file can still do is waste as much memory as it is long.
"""

from __future__ import annotations

import contextlib
import pickletools
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from pickle import UnpicklingError
from typing import Any

from ..tensor import Size
from .names import DTYPES, STORAGES, Global

__all__ = [
    "UnpicklingError", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals", "unpickle",
]  # fmt: skip

_user_globals: dict[str, Any] = {}


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Lets files rebuild objects of these classes (or call these functions): they become trusted.

    Args:
        safe_globals: classes and functions, or ``(object, "module.name")`` pairs.
    """
    for entry in safe_globals:
        found, name = entry if isinstance(entry, tuple) else (entry, f"{entry.__module__}.{entry.__qualname__}")
        _user_globals[name] = found


def get_safe_globals() -> list[Any]:
    """What was added."""
    return list(_user_globals.values())


def clear_safe_globals() -> None:
    """Forgets what was added."""
    _user_globals.clear()


@contextlib.contextmanager
def safe_globals(safe_globals: list[Any]) -> Iterator[None]:
    """``add_safe_globals`` for the length of a block."""
    before = dict(_user_globals)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _user_globals.clear()
        _user_globals.update(before)


_MARK = object()

# Names that stand for a container or number, and how one is made of a file's arguments.
_PLAIN: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": lambda items=(): OrderedDict(items),
    "collections.Counter": lambda items=(): Counter(items),
    "collections.defaultdict": lambda *a: defaultdict(),
    "builtins.set": lambda items=(): set(items),
    "builtins.frozenset": lambda items=(): frozenset(items),
    "builtins.bytearray": lambda *a: bytearray(*a) if a and isinstance(a[0], bytes) else bytearray(),
    "_codecs.encode": lambda text, encoding="latin1": text.encode("latin-1"),  # bytes, before protocol 3
    "builtins.complex": lambda re=0.0, im=0.0: complex(float(re), float(im)),
    "builtins.slice": lambda *a: slice(*a),
    "torch.Size": lambda sizes=(): Size(int(n) for n in sizes),
}
_PLAIN |= {name.replace("builtins", "__builtin__"): make for name, make in _PLAIN.items() if "builtins" in name}


def unpickle(
    data: bytes, storage: Callable[[Any], Any], rebuild: dict[str, Callable[..., Any]], source: str
) -> Any:  # fmt: skip
    """The object in a pickle.

    Args:
        data: the pickle.
        storage: from a persistent id to a storage.
        rebuild: further functions that a file may call, by their full names.
        source: the file's name, for errors.

    Raises:
        UnpicklingError: for a name that is not on the list, and for a pickle that is damaged.
    """
    try:
        return _Machine(storage, rebuild, source).run(data)
    except UnpicklingError:
        raise
    except RecursionError:
        raise UnpicklingError(f"{source}: its objects are nested too deeply") from None
    except MemoryError:
        raise UnpicklingError(f"{source}: there is not enough memory for what it claims to hold") from None
    except Exception as error:
        raise UnpicklingError(
            f"{source} is damaged: its pickle can't be read ({type(error).__name__}: {error})"
        ) from None


class _Machine:
    def __init__(self, storage: Callable[[Any], Any], rebuild: dict[str, Callable[..., Any]], source: str) -> None:
        self.storage = storage
        self.rebuild = rebuild
        self.source = source
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def to_mark(self) -> list[Any]:
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise UnpicklingError(f"{self.source} is damaged: a mark is missing")
        found = self.stack[place + 1 :]
        del self.stack[place:]
        return found

    def run(self, data: bytes) -> Any:
        for opcode, argument, position in pickletools.genops(data):
            name = opcode.name
            if name == "STOP":
                if len(self.stack) != 1 or self.stack[0] is _MARK:
                    raise UnpicklingError(f"{self.source} is damaged: its pickle ends too early")
                return self.stack[0]
            step = _STEPS.get(name)
            if step is None:
                raise UnpicklingError(
                    f"{self.source}: unsupported operand {name} at byte {position} of its pickle\n  why: only data is "
                    "read from checkpoints, and nothing that runs code"
                )
            step(self, argument)
        raise UnpicklingError(f"{self.source} is damaged: its pickle has no end")

    def find(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in _user_globals:
            return _user_globals[full]
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        if full in _PLAIN or full in self.rebuild or (module == "torch" and name in (*STORAGES, "Tensor")):
            return Global(module, name)
        raise UnpicklingError(
            f"Weights only load failed. {self.source} names {full}, which is not among what may be rebuilt from a "
            "file: tensors, parameters, containers, numbers, dtypes, sizes and devices\n"
            "  why: a pickle can run any code, and this could be such code; nothing was executed\n"
            "  fix: save model.state_dict() instead of the model; or, for a class of your own that you trust, "
            "torch.serialization.add_safe_globals([TheClass])"
        )

    def call(self, function: Any, arguments: Any) -> Any:
        if not isinstance(arguments, tuple):
            raise UnpicklingError(f"{self.source} is damaged: a call without its arguments")
        if isinstance(function, Global):
            full = f"{function.module}.{function.name}"
            make = self.rebuild.get(full) or _PLAIN.get(full)
            if make is not None:
                return make(*arguments)
        elif any(function is known for known in _user_globals.values()):
            return function(*arguments)
        raise UnpicklingError(f"{self.source}: a call of something that may not be called")

    def put(self, key: int) -> None:
        self.memo[int(key)] = self.stack[-1]

    def set_items(self, target: Any, pairs: list[Any]) -> None:
        if not isinstance(target, dict):
            raise UnpicklingError(f"{self.source} is damaged: items for a {type(target).__name__}")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            target[key] = value

    def append(self, target: Any, values: list[Any]) -> None:
        if not isinstance(target, list):
            raise UnpicklingError(f"{self.source} is damaged: elements for a {type(target).__name__}")
        target.extend(values)

    def add(self, target: Any, values: list[Any]) -> None:
        if not isinstance(target, set):
            raise UnpicklingError(f"{self.source} is damaged: members for a {type(target).__name__}")
        target.update(values)

    def new_object(self, cls: Any, arguments: Any) -> Any:
        if isinstance(cls, Global):
            return self.call(cls, arguments)
        if any(cls is known for known in _user_globals.values()) and isinstance(cls, type):
            return cls.__new__(cls, *arguments)
        raise UnpicklingError(f"{self.source}: an object of a class that may not be rebuilt")

    def build(self, target: Any, state: Any) -> None:
        if isinstance(target, OrderedDict) and type(target) is OrderedDict:
            if isinstance(state, dict):  # attributes such as a state_dict's _metadata
                target.__dict__.update({k: v for k, v in state.items() if isinstance(k, str)})
            return
        if any(type(target) is known for known in _user_globals.values()):
            set_state = getattr(target, "__setstate__", None)
            if set_state is not None:
                set_state(state)
            else:
                target.__dict__.update(state)
            return
        raise UnpicklingError(f"{self.source}: state for a {type(target).__name__}, which takes none")


def _pushes(value: Any) -> Callable[[_Machine, Any], None]:
    return lambda m, a: m.stack.append(value)


def _pushes_new(make: Callable[[], Any]) -> Callable[[_Machine, Any], None]:
    return lambda m, a: m.stack.append(make())


def _argument(m: _Machine, a: Any) -> None:
    m.stack.append(a)


def _ignore(m: _Machine, a: Any) -> None:
    pass


def _tuple_of(count: int) -> Callable[[_Machine, Any], None]:
    def step(m: _Machine, a: Any) -> None:
        items = tuple(m.stack[-count:])
        if len(items) != count:
            raise UnpicklingError(f"{m.source} is damaged: its stack is empty")
        del m.stack[-count:]
        m.stack.append(items)

    return step


def _with_two(action: Callable[[_Machine, Any, Any], Any]) -> Callable[[_Machine, Any], None]:
    def step(m: _Machine, a: Any) -> None:
        second = m.stack.pop()
        m.stack.append(action(m, m.stack.pop(), second))

    return step


def _stack_global(m: _Machine, module: Any, name: Any) -> Any:
    if not (isinstance(module, str) and isinstance(name, str)):
        raise UnpicklingError(f"{m.source} is damaged: a name that is no text")
    return m.find(module, name)


def _global(m: _Machine, argument: str) -> None:
    module, _, name = argument.partition(" ")
    m.stack.append(m.find(module, name))


def _set_item(m: _Machine, a: Any) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    m.set_items(m.stack[-1], [key, value])


def _append(m: _Machine, a: Any) -> None:
    value = m.stack.pop()
    m.append(m.stack[-1], [value])


def _on_marked(action: Callable[[_Machine, Any, list[Any]], None]) -> Callable[[_Machine, Any], None]:
    def step(m: _Machine, a: Any) -> None:
        values = m.to_mark()
        action(m, m.stack[-1], values)

    return step


def _build(m: _Machine, a: Any) -> None:
    state = m.stack.pop()
    m.build(m.stack[-1], state)


def _pop(m: _Machine, a: Any) -> None:
    m.stack.pop()


def _pop_mark(m: _Machine, a: Any) -> None:
    m.to_mark()


def _marked(make: Callable[[list[Any]], Any]) -> Callable[[_Machine, Any], None]:
    return lambda m, a: m.stack.append(make(m.to_mark()))


_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME"), _ignore),
    **dict.fromkeys(
        (
            "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "INT", "LONG", "BINFLOAT", "FLOAT", "BINUNICODE",
            "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
        ),
        _argument,
    ),
    "NONE": _pushes(None),
    "NEWTRUE": _pushes(True),
    "NEWFALSE": _pushes(False),
    "MARK": _pushes(_MARK),
    "EMPTY_TUPLE": _pushes(()),
    "EMPTY_DICT": _pushes_new(dict),
    "EMPTY_LIST": _pushes_new(list),
    "EMPTY_SET": _pushes_new(set),
    "TUPLE": _marked(tuple),
    "LIST": _marked(list),
    "FROZENSET": _marked(frozenset),
    "DICT": _marked(lambda pairs: dict(zip(pairs[::2], pairs[1::2], strict=True))),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "APPEND": _append,
    "APPENDS": _on_marked(_Machine.append),
    "SETITEM": _set_item,
    "SETITEMS": _on_marked(_Machine.set_items),
    "ADDITEMS": _on_marked(_Machine.add),
    "GLOBAL": _global,
    "STACK_GLOBAL": _with_two(_stack_global),
    "REDUCE": _with_two(_Machine.call),
    "NEWOBJ": _with_two(_Machine.new_object),
    "BUILD": _build,
    "BINPERSID": lambda m, a: m.stack.append(m.storage(m.stack.pop())),
    "POP": _pop,
    "POP_MARK": _pop_mark,
    "DUP": lambda m, a: m.stack.append(m.stack[-1]),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.put),
    "MEMOIZE": lambda m, a: m.put(len(m.memo)),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda m, a: m.stack.append(m.memo[int(a)])),
}  # fmt: skip
