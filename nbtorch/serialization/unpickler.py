"""Reads pickles without executing anything: a small machine that knows the opcodes of data, and a short list of names.

Python's own unpickler calls whatever a file names. This one calls nothing but the functions in this room, and what the
caller has added to the list. What a hostile file can still do is waste a fixed multiple of its own length: an object
that the file copies or hashes again and again is paid for out of a budget in proportion to the file.
"""

from __future__ import annotations

import enum
import functools
import pickletools
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from pickle import UnpicklingError
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..tensor import Size
from . import trust
from .names import DTYPES, STORAGES, Global, why_not
from .numpy_parts import NUMPY_PARTS, set_state

__all__ = ["UnpicklingError", "names_in", "refused", "unpickle"]

_MARK = object()
_FACTORIES = {f"builtins.{kind.__name__}": kind for kind in (dict, float, int, list, set, str, tuple)}

# Names that stand for a container or number: how one is made of a file's arguments.
_PLAIN: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": lambda m, items=(): m.mapping(OrderedDict(), items),
    "collections.Counter": lambda m, items=(): m.mapping(Counter(), items),
    "collections.defaultdict": lambda m, factory=None: defaultdict(m.factory(factory)),
    "builtins.set": lambda m, items=(): set(m.members(items)),
    "builtins.frozenset": lambda m, items=(): frozenset(m.members(items)),
    "builtins.bytearray": lambda m, data=b"", encoding="latin-1": bytearray(m.encoded(data, encoding)),
    "builtins.bytes": lambda m: b"",  # none at all, before protocol 3
    "builtins.complex": lambda m, re=0.0, im=0.0: complex(float(re), float(im)),
    "builtins.slice": lambda m, *a: slice(*a),
    "builtins.range": lambda m, *a: range(*a),
    "_codecs.encode": lambda m, text, encoding="latin-1": m.encoded(text, encoding),  # bytes, before protocol 3
    "torch.Size": lambda m, sizes=(): Size(m.copied(sizes)),
}
_MORE: dict[str, Callable[..., Any]] = {  # with weights_only=False
    "builtins.getattr": lambda m, kind, name: m.member(kind, name),  # how Python 3.11.0 to 3.11.3 write an Enum's
    "collections.deque": lambda m, items=(), length=None: deque(m.copied(items), length),
    "functools.partial": lambda m, function: _Partial(function),
    **{name: functools.partial(lambda make, m, *a: make(*a), make) for name, make in NUMPY_PARTS.items()},
}


def unpickle(
    file: Any, size: int, storage: Callable[[Any], Any], rebuild: dict[str, Callable[..., Any]], source: str,
    weights_only: bool = True,
) -> Any:  # fmt: skip
    """The object in a pickle.

    Args:
        file: where the pickle begins; it is left where the pickle ends. Reads no more than is there.
        size: how many bytes the file has, which bounds the work.
        storage: from a persistent id to a storage.
        rebuild: further functions that a file may call, by their full names.
        source: the file's name, for errors.
        weights_only: False adds the kinds of :mod:`nbtorch.serialization.trust`.

    Raises:
        UnpicklingError: for a name that is not on the list, and for a pickle that is damaged.
    """
    return _guarded(_Machine(storage, rebuild, source, size, weights_only), file)


def names_in(file: Any, size: int, source: str) -> tuple[set[str], list[Any]]:
    """All names in a pickle and all its persistent ids; nothing is rebuilt, neither trusted nor plain."""
    survey = _Survey(source, size)
    _guarded(survey, file)
    return survey.names, survey.references


def refused(names: set[str], rebuild: dict[str, Callable[..., Any]]) -> set[str]:
    """Those of the names that a file may not have with ``weights_only=True``."""
    machine = _Machine(lambda reference: None, rebuild, "the file", 0, True)
    out = set()
    for full in names:
        module, _, name = full.rpartition(".")
        try:
            machine.find(module, name)
        except UnpicklingError:
            out.add(full)
    return out


def _guarded(machine: _Machine, file: Any) -> Any:
    source = machine.source
    try:
        return machine.run(file)
    except UnpicklingError:
        raise
    except RecursionError:
        raise UnpicklingError(f"{source}: its objects are nested too deeply") from None
    except MemoryError:
        raise UnpicklingError(f"{source}: there is not enough memory for what it claims to hold") from None
    except Exception as error:
        if error is machine.outside:
            raise
        raise UnpicklingError(
            f"{source} is damaged: its pickle can't be read ({type(error).__name__}: {error}); nothing was loaded"
        ) from None


def _today(module: str, name: str) -> tuple[str, str]:
    """Where a thing is now: protocol 2 has the names of Python 2."""
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name


def _hash_of(kind: type) -> Any:
    return kind.__hash__


class _Partial:
    """A ``functools.partial`` whose arguments have not come yet."""

    def __init__(self, function: Any) -> None:
        self.function = function


class _Machine:
    def __init__(
        self, storage: Callable[[Any], Any], rebuild: dict[str, Callable[..., Any]], source: str, size: int,
        weights_only: bool,
    ) -> None:  # fmt: skip
        self.storage = storage
        self.rebuild = rebuild
        self.source = source
        self.plain = _PLAIN if weights_only else {**_PLAIN, **_MORE}
        self.weights_only = weights_only
        self.approved: set[Any] = set()  # classes and functions that this file may have with weights_only=False
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.budget = 10_000 + 4 * size
        self.hashes: Counter[int] = Counter()
        self.outside: Exception | None = None

    def damaged(self, why: str) -> UnpicklingError:
        return UnpicklingError(f"{self.source} is damaged: {why}; nothing was loaded")

    # -- work that a short file can ask for again and again ---
    def charge(self, cost: int) -> None:
        self.budget -= cost
        if self.budget < 0:
            raise UnpicklingError(f"{self.source}: it asks for far more work than a file of its length needs")

    def copied(self, items: Any) -> Any:
        if not isinstance(items, (list, tuple, set, frozenset, dict)):
            raise self.damaged(f"the elements of a container are a {type(items).__name__}")
        self.charge(len(items))
        return items

    def members(self, items: Any) -> list[Any]:
        return [self.key(item) for item in self.copied(items)]

    def mapping(self, made: Any, items: Any) -> Any:
        pairs = items.items() if isinstance(items, dict) else items
        self.copied(items)
        for key, value in pairs:
            made[self.key(key)] = value
        return made

    def encoded(self, text: Any, encoding: Any) -> bytes:
        if encoding not in ("latin1", "latin-1"):
            raise self.damaged(f"bytes in the encoding {encoding!r}")
        if not isinstance(text, (str, bytes)):
            raise self.damaged("bytes that are no text")
        self.charge(len(text))
        return text.encode("latin-1") if isinstance(text, str) else text

    def factory(self, found: Any) -> Any:
        """What a ``defaultdict`` makes of a missing key."""
        if found is None:
            return None
        full = f"{found.module}.{found.name}" if isinstance(found, Global) else ""
        if full not in _FACTORIES:
            raise UnpicklingError(f"{self.source}: a defaultdict of something that may not be called")
        return _FACTORIES[full]

    def key(self, key: Any) -> Any:
        """A key of a dictionary or member of a set: one whose hash runs no code of a file's choice, in bounded time."""
        if type(key) is str:
            return key
        waiting = [(key, 0)]
        while waiting:
            one, depth = waiting.pop()
            kind = type(one)
            if kind is int:
                if one.bit_length() > 60:
                    self._count_hash(one)
            elif isinstance(one, (tuple, frozenset)) and _hash_of(kind) in (tuple.__hash__, frozenset.__hash__):
                self.charge(len(one))
                if depth > 100:
                    raise UnpicklingError(f"{self.source}: its objects are nested too deeply")
                waiting += [(item, depth + 1) for item in one]
            elif _hash_of(kind) is None:
                raise self.damaged(f"a {kind.__name__} as a key")
            elif kind in self.approved and _hash_of(kind) is not object.__hash__ and not isinstance(one, enum.Enum):
                raise UnpicklingError(f"{self.source}: a {kind.__name__} as a key, whose hash would run code")
        return key

    def _count_hash(self, number: int) -> None:
        """Numbers whose hashes agree are cheap to find, and make a dictionary slow."""
        self.charge(number.bit_length() >> 9)
        self.hashes[hash(number)] += 1
        if self.hashes[hash(number)] > 1000:
            raise UnpicklingError(f"{self.source}: its keys are chosen to be slow")

    # -- the stack ---
    def pop(self) -> Any:
        item = self.stack.pop()
        if item is _MARK:
            raise self.damaged("a mark where an object should be")
        return item

    def to_mark(self) -> list[Any]:
        place = len(self.stack) - 1
        while place >= 0 and self.stack[place] is not _MARK:
            place -= 1
        if place < 0:
            raise self.damaged("a mark is missing")
        found = self.stack[place + 1 :]
        del self.stack[place:]
        return found

    def run(self, file: Any) -> Any:
        for opcode, argument, position in pickletools.genops(file):
            name = opcode.name
            if name == "STOP":
                if len(self.stack) != 1 or self.stack[0] is _MARK:
                    raise self.damaged("its pickle ends too early")
                return self.finished(self.stack[0])
            step = _STEPS.get(name)
            if step is None:
                raise UnpicklingError(
                    f"{self.source}: unsupported operand {name} at byte {position} of its pickle\n  why: only data is "
                    "read from checkpoints, and nothing that runs code"
                )
            step(self, argument)
        raise self.damaged("its pickle has no end")

    def finished(self, result: Any) -> Any:
        if isinstance(result, (Global, _Partial)):
            raise self.damaged("a name where an object should be")
        return result

    def refer(self, reference: Any) -> Any:
        """A storage; what goes wrong with its record or its device is told as it is."""
        try:
            return self.storage(reference)
        except Exception as error:
            self.outside = error
            raise

    # -- names ---
    def find(self, module: str, name: str) -> Any:
        module, name = _today(module, name)
        full = f"{module}.{name}"
        found = trust.trusted(full)
        if found is not None:
            return found
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        if full in self.plain or full in self.rebuild or full in _FACTORIES:
            return Global(module, name)
        if (module == "torch" and (name in STORAGES or name == "Tensor")) or full == "torch.nn.parameter.Parameter":
            return Global(module, name)
        if not self.weights_only:
            found = trust.rebuildable(module, name)
            if found is not None:
                self.approved.add(found)
                return found
        raise UnpicklingError(
            f"Weights only load failed. {self.source}: Unsupported global: GLOBAL {full} was not an allowed global by "
            f"default. {why_not(module, name, self.weights_only)}"
        )

    def call(self, function: Any, arguments: Any) -> Any:
        if not isinstance(arguments, tuple):
            raise self.damaged("a call without its arguments")
        if isinstance(function, Global):
            full = f"{function.module}.{function.name}"
            if full in self.rebuild:
                return self.rebuild[full](*arguments)
            if full in self.plain:
                return self.plain[full](self, *arguments)
        elif trust.is_trusted(function):
            return function(*arguments)
        elif function in self.approved and isinstance(function, type):
            if issubclass(function, enum.Enum) and len(arguments) == 1:
                return function._value2member_map_[self.key(arguments[0])]
            if function is SimpleNamespace and not arguments:
                return SimpleNamespace()
        raise UnpicklingError(f"{self.source}: Trying to call reduce for unrecognized function {function!r}")

    def member(self, kind: Any, name: Any) -> Any:
        if isinstance(kind, type) and kind in self.approved and issubclass(kind, enum.Enum) and isinstance(name, str):
            found = kind._member_map_.get(name)
            if found is not None:
                return found
        raise UnpicklingError(f"{self.source}: getattr is for the members of an Enum alone\n  got: {kind!r}")

    def new_object(self, cls: Any, arguments: Any) -> Any:
        if not isinstance(arguments, tuple):
            raise self.damaged("an object without its arguments")
        if isinstance(cls, Global):
            return self.call(cls, arguments)
        if isinstance(cls, type) and trust.is_trusted(cls):
            return cls.__new__(cls, *arguments)
        if isinstance(cls, type) and cls in self.approved:
            if issubclass(cls, tuple):
                return tuple.__new__(cls, self.copied(arguments if hasattr(cls, "_fields") else arguments[0]))
            bases: tuple[Any, ...] = (OrderedDict, defaultdict, dict, list, set)
            return next((base for base in bases if issubclass(cls, base)), object).__new__(cls)
        raise UnpicklingError(
            f"{self.source}: Can only create new object for classes that are allowed, but got {cls!r}"
        )

    def build(self, target: Any, state: Any) -> None:
        kind = type(target)
        if kind is OrderedDict:
            if isinstance(state, dict):  # attributes such as a state_dict's _metadata
                self._set_attributes(target, state)
            return
        if trust.is_trusted(kind):
            self._set_trusted(target, state)
        elif isinstance(target, (np.dtype, np.ndarray)) and not self.weights_only:
            set_state(target, state)
        elif kind is _Partial:
            self._finish_partial(target, state)
        elif kind in self.approved and not isinstance(target, enum.Enum):
            own = getattr(kind, "__setstate__", None)
            if own is not None:  # of nbtorch's own: see trust
                own(target, state)
                return
            slots = None
            if isinstance(state, tuple) and len(state) == 2:
                state, slots = state
            if state:
                self._set_attributes(target, state)
            for name, value in (slots or {}).items():
                vars(kind)[name].__set__(target, value)
        else:
            raise UnpicklingError(f"{self.source}: Can only build what is allowed, but got {kind.__name__}")

    def _set_attributes(self, target: Any, state: Any) -> None:
        if not isinstance(state, dict):
            raise self.damaged(f"attributes that are a {type(state).__name__}")
        self.charge(len(state))
        object.__getattribute__(target, "__dict__").update({k: v for k, v in state.items() if isinstance(k, str)})

    def _set_trusted(self, target: Any, state: Any) -> None:
        set_state = getattr(target, "__setstate__", None)
        if set_state is not None:
            set_state(state)
            return
        slots = None
        if isinstance(state, tuple) and len(state) == 2:
            state, slots = state
        if state:
            self._set_attributes(target, state)
        for name, value in (slots or {}).items():
            setattr(target, name, value)

    def _finish_partial(self, target: _Partial, state: Any) -> None:
        function, arguments, keywords, attributes = state
        if function not in self.approved or not isinstance(arguments, tuple) or attributes:
            raise UnpicklingError(f"{self.source}: a partial of something that may not be rebuilt")
        made = functools.partial(function, *arguments, **(keywords or {}))
        # The file goes on with what it has built: wherever the unfinished one stands by now.
        self.stack = [made if item is target else item for item in self.stack]
        self.memo.update({key: made for key, item in self.memo.items() if item is target})

    # -- containers ---
    def put(self, key: int) -> None:
        self.memo[int(key)] = self.stack[-1]

    def set_items(self, target: Any, pairs: list[Any]) -> None:
        if not isinstance(target, dict):
            raise self.damaged(f"items for a {type(target).__name__}")
        put = (OrderedDict if isinstance(target, OrderedDict) else dict).__setitem__
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            put(target, self.key(key), value)

    def append(self, target: Any, values: list[Any]) -> None:
        if isinstance(target, deque):
            target.extend(values)
        elif isinstance(target, list):
            list.extend(target, values)
        else:
            raise self.damaged(f"elements for a {type(target).__name__}")

    def add(self, target: Any, values: list[Any]) -> None:
        if not isinstance(target, set):
            raise self.damaged(f"members for a {type(target).__name__}")
        set.update(target, [self.key(value) for value in values])


class _Something(dict[Any, Any]):
    """What stands in a survey for everything that would be called or built."""

    __hash__ = object.__hash__  # type: ignore[assignment]


class _Survey(_Machine):
    def __init__(self, source: str, size: int) -> None:
        super().__init__(self._refer, {}, source, size, True)
        self.names: set[str] = set()
        self.references: list[Any] = []

    def _refer(self, reference: Any) -> Any:
        self.references.append(reference)
        return _Something()

    def find(self, module: str, name: str) -> Any:
        module, name = _today(module, name)
        self.names.add(f"{module}.{name}")
        return Global(module, name)

    def finished(self, result: Any) -> Any:
        return result

    def call(self, function: Any, arguments: Any) -> Any:
        return _Something()

    def member(self, kind: Any, name: Any) -> Any:
        if isinstance(kind, type) and kind in self.approved and issubclass(kind, enum.Enum) and isinstance(name, str):
            found = kind._member_map_.get(name)
            if found is not None:
                return found
        raise UnpicklingError(f"{self.source}: getattr is for the members of an Enum alone\n  got: {kind!r}")

    def new_object(self, cls: Any, arguments: Any) -> Any:
        return _Something()

    def build(self, target: Any, state: Any) -> None:
        pass

    def append(self, target: Any, values: list[Any]) -> None:
        if isinstance(target, list):
            target.extend(values)


def _pushes(value: Any) -> Callable[[_Machine, Any], None]:
    return lambda m, a: m.stack.append(value)


def _pushes_new(make: Callable[[], Any]) -> Callable[[_Machine, Any], None]:
    return lambda m, a: m.stack.append(make())


def _argument(m: _Machine, a: Any) -> None:
    m.stack.append(a)


def _text_of_python2(m: _Machine, a: str) -> None:
    m.stack.append(a.encode("latin-1").decode())


def _ignore(m: _Machine, a: Any) -> None:
    pass


def _tuple_of(count: int) -> Callable[[_Machine, Any], None]:
    def step(m: _Machine, a: Any) -> None:
        items = tuple(m.stack[-count:])
        if len(items) != count or any(item is _MARK for item in items):
            raise m.damaged("its stack is empty")
        del m.stack[-count:]
        m.stack.append(items)

    return step


def _with_two(action: Callable[[_Machine, Any, Any], Any]) -> Callable[[_Machine, Any], None]:
    def step(m: _Machine, a: Any) -> None:
        second = m.pop()
        m.stack.append(action(m, m.pop(), second))

    return step


def _stack_global(m: _Machine, module: Any, name: Any) -> Any:
    if not (isinstance(module, str) and isinstance(name, str)):
        raise m.damaged("a name that is no text")
    return m.find(module, name)


def _global(m: _Machine, argument: str) -> None:
    module, _, name = argument.partition(" ")
    m.stack.append(m.find(module, name))


def _set_item(m: _Machine, a: Any) -> None:
    value, key = m.pop(), m.pop()
    m.set_items(m.stack[-1], [key, value])


def _append(m: _Machine, a: Any) -> None:
    value = m.pop()
    m.append(m.stack[-1], [value])


def _on_marked(action: Callable[[_Machine, Any, list[Any]], None]) -> Callable[[_Machine, Any], None]:
    def step(m: _Machine, a: Any) -> None:
        values = m.to_mark()
        action(m, m.stack[-1], values)

    return step


def _build(m: _Machine, a: Any) -> None:
    state = m.pop()
    m.build(m.stack[-1], state)


def _pop(m: _Machine, a: Any) -> None:
    m.stack.pop()


def _pop_mark(m: _Machine, a: Any) -> None:
    m.to_mark()


def _marked(make: Callable[[_Machine, list[Any]], Any]) -> Callable[[_Machine, Any], None]:
    return lambda m, a: m.stack.append(make(m, m.to_mark()))


def _dict_of(m: _Machine, pairs: list[Any]) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    m.set_items(made, pairs)
    return made


_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME"), _ignore),
    **dict.fromkeys(
        (
            "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "INT", "LONG", "BINFLOAT", "FLOAT", "BINUNICODE",
            "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
        ),
        _argument,
    ),
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), _text_of_python2),
    "BYTEARRAY8": lambda m, a: m.stack.append(bytearray(a)),
    "NONE": _pushes(None),
    "NEWTRUE": _pushes(True),
    "NEWFALSE": _pushes(False),
    "MARK": _pushes(_MARK),
    "EMPTY_TUPLE": _pushes(()),
    "EMPTY_DICT": _pushes_new(dict),
    "EMPTY_LIST": _pushes_new(list),
    "EMPTY_SET": _pushes_new(set),
    "TUPLE": _marked(lambda m, items: tuple(items)),
    "LIST": _marked(lambda m, items: items),
    "FROZENSET": _marked(lambda m, items: frozenset(m.key(item) for item in items)),
    "DICT": _marked(_dict_of),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "APPEND": _append,
    "APPENDS": _on_marked(lambda m, target, values: m.append(target, values)),
    "SETITEM": _set_item,
    "SETITEMS": _on_marked(lambda m, target, pairs: m.set_items(target, pairs)),
    "ADDITEMS": _on_marked(lambda m, target, values: m.add(target, values)),
    "GLOBAL": _global,
    "STACK_GLOBAL": _with_two(_stack_global),
    "REDUCE": _with_two(lambda m, function, arguments: m.call(function, arguments)),
    "NEWOBJ": _with_two(lambda m, cls, arguments: m.new_object(cls, arguments)),
    "BUILD": _build,
    "BINPERSID": lambda m, a: m.stack.append(m.refer(m.pop())),
    "POP": _pop,
    "POP_MARK": _pop_mark,
    "DUP": lambda m, a: m.stack.append(m.stack[-1]),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), lambda m, a: m.put(a)),
    "MEMOIZE": lambda m, a: m.put(len(m.memo)),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda m, a: m.stack.append(m.memo[int(a)])),
}  # fmt: skip
