"""Containers, each case run on PyTorch and on nbtorch."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
from sides import as_torch, set_weights

CASES: list[Any] = []


def case(function: Any) -> Any:
    CASES.append(pytest.param(function, id=function.__name__))
    return function


@pytest.mark.parametrize("function", CASES)
def test_as_torch(function: Any, torch_ref: Any) -> None:
    as_torch(function)


def sequence(lib: Any) -> Any:
    nn = lib.nn
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


@case
def sequential_runs_in_order(lib: Any) -> Any:
    m = set_weights(sequence(lib).to(lib.device))
    return m(lib.arange(5, 3)), repr(m), len(m), list(m.state_dict())


@case
def sequential_by_name(lib: Any) -> Any:
    m = lib.nn.Sequential(OrderedDict([("in", lib.nn.Linear(3, 4)), ("act", lib.nn.ReLU())]))
    return repr(m), list(m.state_dict()), repr(m[1]), repr(m.act), repr(m[:1])


@case
def sequential_index(lib: Any) -> Any:
    m = sequence(lib)
    return repr(m[0]), repr(m[-1]), repr(m[1:]), repr(m[::2]), type(m[:1]).__name__, [type(x).__name__ for x in m]


@case
def sequential_edit(lib: Any) -> Any:
    m = sequence(lib)
    m[1] = lib.nn.Tanh()
    m.append(lib.nn.Sigmoid()).extend([lib.nn.ReLU(), lib.nn.Tanh()])
    m.insert(0, lib.nn.Flatten())
    m.insert(-1, lib.nn.Identity())
    seen = [repr(m)]
    del m[0]
    seen.append(repr(m.pop(-1)))
    del m[1:3]
    return [*seen, repr(m), list(m.state_dict())]


@case
def sequential_arithmetic(lib: Any) -> Any:
    a, b = sequence(lib), lib.nn.Sequential(lib.nn.Tanh())
    c = a + b
    a += b
    a *= 2
    return repr(c), repr(a), repr(b * 2), repr(2 * b), type(a).__name__, c[0] is a[0]


SEQUENTIAL_ERRORS = {
    "index": lambda lib: sequence(lib)[3],
    "negative index": lambda lib: sequence(lib)[-4],
    "text index": lambda lib: sequence(lib)["0"],
    "number inside": lambda lib: lib.nn.Sequential(3),
    "add list": lambda lib: sequence(lib).__add__([lib.nn.ReLU()]),
    "iadd list": lambda lib: sequence(lib).__iadd__([lib.nn.ReLU()]),
    "times zero": lambda lib: sequence(lib) * 0,
    "times float": lambda lib: sequence(lib) * 1.5,
    "insert number": lambda lib: sequence(lib).insert(0, 3),
    "insert far": lambda lib: sequence(lib).insert(9, lib.nn.ReLU()),
    "set number": lambda lib: sequence(lib).__setitem__(0, 3),
    "wrong input": lambda lib: sequence(lib)([1.0, 2.0]),
    "list index": lambda lib: lib.nn.ModuleList()[0],
    "list of numbers": lambda lib: lib.nn.ModuleList([1]),
    "list from number": lambda lib: lib.nn.ModuleList().extend(3),
    "list call": lambda lib: lib.nn.ModuleList()(1),
    "dict key": lambda lib: lib.nn.ModuleDict()["a"],
    "dict of numbers": lambda lib: lib.nn.ModuleDict({"a": 1}),
    "dict from number": lambda lib: lib.nn.ModuleDict().update(3),
    "dict from singles": lambda lib: lib.nn.ModuleDict([[1]]),
    "dict from numbers": lambda lib: lib.nn.ModuleDict([1]),
    "dict reserved name": lambda lib: lib.nn.ModuleDict({"forward": lib.nn.ReLU()}),
    "dict dotted name": lambda lib: lib.nn.ModuleDict({"a.b": lib.nn.ReLU()}),
    "parameter list of tensor": lambda lib: lib.nn.ParameterList(lib.arange(2)),
    "parameter list call": lambda lib: lib.nn.ParameterList()(),
    "parameter list index": lambda lib: lib.nn.ParameterList()[0],
    "parameter dict key": lambda lib: lib.nn.ParameterDict()["a"],
    "parameter dict number key": lambda lib: lib.nn.ParameterDict({1: 2}),
    "parameter dict from number": lambda lib: lib.nn.ParameterDict(3),
    "parameter dict call": lambda lib: lib.nn.ParameterDict()(1),
}


@pytest.mark.parametrize("name", SEQUENTIAL_ERRORS)
def test_errors_as_torch(name: str, torch_ref: Any) -> None:
    as_torch(SEQUENTIAL_ERRORS[name])


@case
def module_list(lib: Any) -> Any:
    nn = lib.nn
    m = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()])
    m += [nn.Tanh()]
    m.append(nn.Linear(2, 3))
    m.insert(0, nn.Sequential(nn.ReLU(), nn.ReLU()))
    joined = m + nn.ModuleList([nn.Flatten()])
    seen = [repr(m), repr(m[1:3]), repr(m[-1]), repr(joined), len(m), list(m.state_dict())]
    m[0] = nn.Tanh()
    del m[1]
    removed = m.pop(0)
    del m[1:]
    return [*seen, repr(m), repr(removed), repr(nn.ModuleList()), repr(nn.ModuleList([nn.ReLU()]))]


@case
def module_list_prints_equal_neighbours_once(lib: Any) -> Any:
    nn = lib.nn
    layers = [nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(3)]
    return repr(nn.ModuleList([*layers, nn.ReLU(), *layers])), repr(nn.Sequential(nn.ModuleList(layers)))


@case
def module_dict(lib: Any) -> Any:
    nn = lib.nn
    m = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Linear(1, 2)})
    m["c"] = nn.Tanh()
    m.update([("d", nn.ReLU())])
    m.update(nn.ModuleDict({"a": nn.Flatten()}))
    seen = [repr(m), list(m), list(m.keys()), [type(v).__name__ for v in m.values()], "b" in m, len(m),
            [k for k, _ in m.items()], list(m.state_dict())]  # fmt: skip
    del m["a"]
    removed = m.pop("b")
    seen += [repr(m), repr(removed)]
    m.clear()
    return [*seen, repr(m)]


@case
def parameter_list(lib: Any) -> Any:
    p = lib.nn.ParameterList([lib.arange(2), lib.nn.Parameter(lib.arange(2, 3)), "text"])
    p.append(lib.arange(1))
    p += [lib.arange(4)]
    p[0] = lib.arange(5)
    return (
        len(p), list(p.state_dict()), [type(x).__name__ for x in p], repr(p[2]), [tuple(x.shape) for x in p[3:]],
        tuple(p[-1].shape), [x.requires_grad for x in p.parameters()],
    )  # fmt: skip


@case
def parameter_dict(lib: Any) -> Any:
    p = lib.nn.ParameterDict({"b": lib.arange(2), "a": lib.arange(1)})
    p["z"] = 3
    p.update(OrderedDict([("y", lib.arange(3)), ("c", lib.arange(1))]))
    other = lib.nn.ParameterDict([("n", lib.arange(1))])
    seen = [list(p), list(p.keys()), [k for k, _ in p.items()], len(p), "a" in p, p.get("q", 5), list(reversed(p)),
            list(p.state_dict()), list(p | other), list(p.copy()), p.setdefault("z", 9)]  # fmt: skip
    p |= other
    seen += [p.popitem()[0], tuple(p.pop("b").shape), list(p), list(p.fromkeys(["u", "v"], 1).values())]
    p.clear()
    return [*seen, list(p)]


@pytest.mark.cpu_only("the device is part of the printed form elsewhere")
def test_parameter_containers_print_as_torch(torch_ref: Any) -> None:
    as_torch(lambda lib: repr(lib.nn.ParameterList([lib.arange(2), lib.arange(2, 3), "text"])))
    as_torch(lambda lib: repr(lib.nn.ParameterDict({"a": lib.arange(2), "b": 1})))


@case
def layers_in_a_plain_list_are_not_registered(lib: Any) -> Any:
    m = lib.nn.Module()
    m.layers = [lib.nn.Linear(1, 1)]
    return list(m.parameters())
