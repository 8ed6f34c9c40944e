"""The Module protocol, each case run on PyTorch and on nbtorch."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
from helpers import same
from sides import as_torch, nbtorch_side, set_weights

CASES: list[Any] = []


def case(function: Any) -> Any:
    CASES.append(pytest.param(function, id=function.__name__))
    return function


@pytest.mark.parametrize("function", CASES)
def test_as_torch(function: Any, torch_ref: Any) -> None:
    as_torch(function)


def net(lib: Any) -> Any:
    """Two levels, a shared layer, a buffer of each kind, an absent parameter."""
    nn = lib.nn

    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(lib.arange(3))
            self.register_parameter("absent", None)
            self.register_buffer("count", lib.arange(2))
            self.register_buffer("scratch", lib.arange(1), persistent=False)

        def forward(self, x: Any) -> Any:
            return x * self.scale

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(3, 3)
            self.inner = Inner()
            self.again = self.first
            self.last = nn.Linear(3, 2, bias=False)

        def forward(self, x: Any, *, double: bool = False) -> Any:
            y = self.last(self.again(self.inner(self.first(x))))
            return y * 2 if double else y

    return set_weights(Net().to(lib.device))


# -- registration ------------------------------------------------------------------------------------------------------


@case
def names_of_parameters(lib: Any) -> Any:
    m = net(lib)
    return [[n for n, _ in m.named_parameters()], [n for n, _ in m.named_parameters(prefix="p", recurse=False)],
            [n for n, _ in m.named_parameters(remove_duplicate=False)], len(list(m.parameters()))]  # fmt: skip


@case
def names_of_modules(lib: Any) -> Any:
    m = net(lib)
    return [[n for n, _ in m.named_modules()], [n for n, _ in m.named_modules(remove_duplicate=False)],
            [n for n, _ in m.named_children()], len(list(m.modules())), len(list(m.children()))]  # fmt: skip


@case
def names_of_buffers(lib: Any) -> Any:
    m = net(lib)
    return [[n for n, _ in m.named_buffers()], len(list(m.buffers())), len(list(m.buffers(recurse=False)))]


@case
def printed(lib: Any) -> Any:
    return repr(net(lib))


@case
def printed_extra_lines(lib: Any) -> Any:
    class Odd(lib.nn.Module):
        def extra_repr(self) -> str:
            return "first\nsecond"

    m = Odd()
    alone = repr(m)
    m.child = Odd()
    m.nothing = None
    m.add_module("none", None)
    return alone, repr(m), repr(lib.nn.Module())


@case
def reassigning(lib: Any) -> Any:
    m = net(lib)
    m.inner = lib.nn.ReLU()
    m.first = None
    m.last.weight = None
    m.last.weight = lib.nn.Parameter(lib.arange(1))
    m.extra = 3
    m.late = lib.nn.Parameter(lib.arange(2))
    return list(m.state_dict()), repr(m), m.extra


@case
def parameter_replaces_plain_attribute(lib: Any) -> Any:
    m = lib.nn.Module()
    m.a = 1
    m.a = lib.nn.Parameter(lib.arange(1))
    m.b = lib.nn.ReLU()
    m.b = lib.nn.Parameter(lib.arange(1))
    m.register_buffer("c", lib.arange(1), persistent=False)
    m.c = lib.nn.Parameter(lib.arange(1))
    return "a" in m.__dict__, list(m._parameters), list(m._modules), list(m._buffers), sorted(m.state_dict())


@case
def buffer_assignment_keeps_persistence(lib: Any) -> Any:
    m = net(lib).inner
    m.count = lib.arange(4)
    m.scratch = lib.arange(4)
    m.plain = lib.arange(2)
    return list(m.state_dict()), [n for n, _ in m.named_buffers()], "plain" in m.__dict__


@case
def buffer_class(lib: Any) -> Any:
    m = lib.nn.Module()
    m.a = lib.nn.Buffer(lib.arange(2))
    m.b = lib.nn.Buffer(lib.arange(2), persistent=False)
    return list(m.state_dict()), [n for n, _ in m.named_buffers()]


@case
def deleting(lib: Any) -> Any:
    m = net(lib)
    del m.first
    del m.inner.scale
    del m.inner.count
    m.plain = 1
    del m.plain
    return list(m.state_dict()), hasattr(m, "plain"), hasattr(m, "first")


@case
def dir_lists_members(lib: Any) -> Any:
    names = dir(lib.nn.Sequential(lib.nn.Linear(1, 1)))
    return "forward" in names, "training" in names, "0" in names, "bias" in dir(net(lib).first)


@case
def submodule_paths(lib: Any) -> Any:
    m = net(lib)
    m.set_submodule("inner", lib.nn.Sequential(lib.nn.ReLU()))
    m.set_submodule("inner.0", lib.nn.Tanh())
    return (m.get_submodule("") is m, repr(m.get_submodule("inner.0")), tuple(m.get_parameter("last.weight").shape))


@case
def get_buffer(lib: Any) -> Any:
    return net(lib).get_buffer("inner.count")


ERRORS = {
    "unknown attribute": lambda lib: net(lib).frist,
    "unknown submodule": lambda lib: net(lib).get_submodule("inner.nothing"),
    "path through a tensor": lambda lib: net(lib).get_submodule("first.weight"),
    "parameter path to module": lambda lib: net(lib).get_parameter("first"),
    "buffer path to parameter": lambda lib: net(lib).get_buffer("first.weight"),
    "unknown parameter": lambda lib: net(lib).get_parameter("first.nothing"),
    "set_submodule without name": lambda lib: net(lib).set_submodule("", lib.nn.ReLU()),
    "tensor as parameter": lambda lib: setattr(net(lib).first, "weight", lib.arange(3, 3)),
    "module as parameter": lambda lib: setattr(net(lib).first, "weight", lib.nn.ReLU()),
    "number as parameter": lambda lib: setattr(net(lib).first, "weight", 3),
    "tensor as child": lambda lib: setattr(net(lib), "first", lib.arange(1)),
    "number as buffer": lambda lib: setattr(net(lib).inner, "count", 3),
    "register existing": lambda lib: net(lib).register_parameter("first", None),
    "register existing buffer": lambda lib: net(lib).first.register_buffer("weight", None),
    "register with dot": lambda lib: net(lib).register_parameter("a.b", None),
    "register empty": lambda lib: net(lib).register_buffer("", None),
    "register number as name": lambda lib: net(lib).register_buffer(3, None),
    "register tensor as parameter": lambda lib: net(lib).register_parameter("p", lib.arange(1)),
    "register computed parameter": lambda lib: net(lib).register_parameter("p", (lib.nn.Parameter(lib.arange(1)) * 1)),
    "register number as buffer": lambda lib: net(lib).register_buffer("p", 3),
    "add number as module": lambda lib: net(lib).add_module("p", 3),
    "add module under method": lambda lib: net(lib).add_module("forward", lib.nn.ReLU()),
    "delete unknown": lambda lib: delattr(net(lib), "nothing"),
    "no forward": lambda lib: lib.nn.Module()(1),
    "arguments for Module": lambda lib: lib.nn.Module(1),
    "keywords for Module": lambda lib: lib.nn.Module(a=1),
    "train with number": lambda lib: net(lib).train(1),
    "to integer": lambda lib: net(lib).to(lib.int64),
    "to nonsense": lambda lib: net(lib).to([1]),
    "load no mapping": lambda lib: net(lib).load_state_dict([1]),
    "mixing backward hooks": lambda lib: (
        lambda m: (m.register_full_backward_hook(print), m.register_backward_hook(print))
    )(net(lib)),
    "parameter without init": lambda lib: _without_init(lib, lambda self: setattr(self, "p", lib.nn.Parameter())),
    "module without init": lambda lib: _without_init(lib, lambda self: setattr(self, "p", lib.nn.ReLU())),
    "buffer without init": lambda lib: _without_init(lib, lambda self: self.register_buffer("p", None)),
}


def _without_init(lib: Any, body: Any) -> Any:
    class Hasty(lib.nn.Module):
        def __init__(self) -> None:
            body(self)

    return Hasty()


@pytest.mark.parametrize("name", ERRORS)
def test_errors_as_torch(name: str, torch_ref: Any) -> None:
    as_torch(ERRORS[name])


def test_typo_is_explained() -> None:
    m = net(nbtorch_side())
    with pytest.raises(AttributeError, match=r"^'Net' object has no attribute 'frist'. Did you mean: 'first'\?$"):
        _ = m.frist
    with pytest.raises(AttributeError, match=r"^'Net' object has no attribute 'qqqqqq'$"):
        _ = m.qqqqqq
    assert getattr(m, "frist", None) is None and not hasattr(m, "frist")


def test_missing_super_init_is_explained() -> None:
    lib = nbtorch_side()
    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
        _without_init(lib, lambda self: None)(1)


def test_error_inside_a_property_is_told_apart_from_a_missing_name() -> None:
    lib = nbtorch_side()

    class Broken(lib.nn.Module):
        @property
        def size(self) -> Any:
            return self.nothing

    with pytest.raises(AttributeError, match="its property 'size' exists"):
        _ = Broken().size


def test_missing_attribute_error_can_be_pickled() -> None:
    with pytest.raises(AttributeError) as caught:
        _ = net(nbtorch_side()).frist
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


# -- conversion and modes ----------------------------------------------------------------------------------------------


@case
def dtypes(lib: Any) -> Any:
    m = net(lib)
    m.inner.register_buffer("steps", lib.make(np.array([1, 2])))
    seen = []
    for convert in (m.double, m.half, m.float, lambda: m.to(lib.float64), lambda: m.to(dtype=lib.float32),
                    lambda: m.to(lib.arange(1).double()), lambda: m.type(lib.float32)):  # fmt: skip
        convert()
        seen.append([str(v.dtype) for v in m.state_dict().values()])
    return seen


@case
def conversion_keeps_parameters_the_same_objects(lib: Any) -> Any:
    m = net(lib)
    before = [id(p) for p in m.parameters()]
    m(lib.arange(2, 3)).sum().backward()
    m.double()
    return before == [id(p) for p in m.parameters()], [str(p.grad.dtype) for p in m.parameters()], [
        p.is_leaf and p.requires_grad for p in m.parameters()
    ]  # fmt: skip


@case
def converting_to_what_it_is_already_leaves_graphs_alone(lib: Any) -> Any:
    m = net(lib)
    loss = (m(lib.arange(2, 3)) ** 2).sum()
    m.float().to(lib.device)
    loss.backward()
    return [p.grad for p in m.parameters()]


@case
def training_mode(lib: Any) -> Any:
    m = net(lib)
    seen = [m.training]
    seen += [x.training for x in m.eval().modules()]
    seen += [x.training for x in m.train().modules()]
    return seen


@case
def freezing(lib: Any) -> Any:
    m = net(lib).requires_grad_(False)
    m.last.requires_grad_()
    return [(n, p.requires_grad) for n, p in m.named_parameters()]


@case
def zero_grad(lib: Any) -> Any:
    m = net(lib)
    m(lib.arange(2, 3)).sum().backward()
    m.zero_grad(set_to_none=False)
    zeros = [p.grad.clone() for p in m.parameters()]
    m.zero_grad()
    return zeros, [p.grad is None for p in m.parameters()]


@case
def apply_visits_children_first(lib: Any) -> Any:
    seen: list[str] = []
    net(lib).apply(lambda m: seen.append(type(m).__name__))
    return seen


@case
def forward_and_gradients(lib: Any) -> Any:
    m = net(lib)
    x = lib.arange(4, 3, requires_grad=True)
    y = m(x, double=True)
    y.sum().backward()
    return y, x.grad, [p.grad for p in m.parameters()]


# -- state dictionaries ------------------------------------------------------------------------------------------------


@case
def state_dict(lib: Any) -> Any:
    m = net(lib)
    state = m.state_dict()
    return dict(state), type(state) is OrderedDict, dict(state._metadata), [v.requires_grad for v in state.values()], [
        v.requires_grad for v in m.state_dict(keep_vars=True, prefix="m.").values()
    ]  # fmt: skip


@case
def state_dict_shares_memory(lib: Any) -> Any:
    m = net(lib)
    state = m.state_dict()
    with lib.no_grad():
        m.last.weight.fill_(7)
    return state["last.weight"]


@case
def loading(lib: Any) -> Any:
    m, other = net(lib), set_weights(net(lib), seed=5)
    result = m.load_state_dict(other.state_dict())
    return dict(m.state_dict()), repr(result), [list(keys) for keys in result]


@case
def loading_not_strict(lib: Any) -> Any:
    m = net(lib)
    state = m.state_dict()
    del state["last.weight"]
    state["unknown"] = state["first.bias"]
    state["inner.unknown.deep"] = state["first.bias"]
    result = m.load_state_dict(state, strict=False)
    return repr(result), result.missing_keys, result.unexpected_keys


@case
def loading_assign(lib: Any) -> Any:
    m = net(lib)
    state = {k: v.double() for k, v in net(lib).state_dict().items()}
    m.load_state_dict(state, assign=True)
    return [(str(p.dtype), p.requires_grad, type(p).__name__) for p in m.parameters()]


def _loading_error(lib: Any, change: Any) -> str:
    m = net(lib)
    state = m.state_dict()
    change(state)
    try:
        m.load_state_dict(state)
    except RuntimeError as error:
        return str(error)
    return "no error"


@case
def loading_errors_are_collected(lib: Any) -> Any:
    def change(state: Any) -> None:
        del state["first.weight"]
        state["more"] = state["first.bias"]
        state["last.weight"] = lib.arange(4)

    return _loading_error(lib, change)


@case
def loading_old_scalars(lib: Any) -> Any:
    m = lib.nn.Module()
    m.register_buffer("n", lib.make(np.float32(1)))
    m.load_state_dict({"n": lib.arange(1)})
    return m.n


@case
def extra_state(lib: Any) -> Any:
    class Keeper(lib.nn.Module):
        kept = 0

        def get_extra_state(self) -> Any:
            return {"kept": self.kept}

        def set_extra_state(self, state: Any) -> None:
            self.kept = state["kept"]

    a, b = Keeper(), Keeper()
    a.kept = 5
    state = a.state_dict()
    b.load_state_dict(state)
    return b.kept, list(state)


@case
def state_dict_hooks(lib: Any) -> Any:
    m = net(lib)
    seen: list[Any] = []
    m.register_state_dict_pre_hook(lambda module, prefix, keep: seen.append(("pre", prefix, keep)))
    m.register_state_dict_post_hook(lambda module, state, prefix, local: state.__delitem__("first.bias"))
    m.inner._register_state_dict_hook(lambda module, state, prefix, local: seen.append((prefix, dict(local))))
    m.register_load_state_dict_pre_hook(lambda module, state, prefix, *rest: seen.append(("load", prefix, len(rest))))
    m.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
    state = m.state_dict()
    result = m.load_state_dict(state)
    return list(state), seen, repr(result)


@case
def older_load_hook_without_module(lib: Any) -> Any:
    m = net(lib)

    def rename(state: Any, prefix: str, *rest: Any) -> None:
        state[prefix + "weight"] = state.pop(prefix + "w")

    m.last._register_load_state_dict_pre_hook(rename)
    state = m.state_dict()
    state["last.w"] = state.pop("last.weight")
    return repr(m.load_state_dict(state))


# -- copying -----------------------------------------------------------------------------------------------------------


@case
def deepcopy(lib: Any) -> Any:
    m = net(lib)
    m(lib.arange(2, 3)).sum().backward()
    c = copy.deepcopy(m)
    with lib.no_grad():
        m.first.weight.fill_(0)
    return dict(c.state_dict()), c.again is c.first, [type(p).__name__ for p in c.parameters()], c(lib.arange(2, 3))


def test_pickle(device: str) -> None:
    lib = nbtorch_side()
    m = set_weights(lib.nn.Sequential(lib.nn.Linear(3, 2), lib.nn.ReLU()).to(device)).eval()
    handle = m.register_forward_hook(_keep)
    m.handle = handle
    back = pickle.loads(pickle.dumps(m))
    same(back(lib.arange(1, 3)), m(lib.arange(1, 3)))
    assert repr(back) == repr(m) and not back.training and len(back._forward_hooks) == 1
    assert type(back[0].weight) is lib.nn.Parameter and back[0].weight.requires_grad
    back.handle.remove()
    assert len(back._forward_hooks) == 0 and len(m._forward_hooks) == 1
    assert len(copy.deepcopy(m)._forward_hooks) == 1


def test_pickled_parameters_keep_class_and_attributes(device: str) -> None:
    lib = nbtorch_side()
    p = lib.nn.Parameter(lib.arange(3), requires_grad=False)
    p.tag = "decay"
    back = pickle.loads(pickle.dumps(p))
    assert type(back) is lib.nn.Parameter and not back.requires_grad and back.tag == "decay"
    assert str(back.device) == str(p.device)
    same(back, p)


@case
def a_weight_that_is_no_parameter_any_more(lib: Any) -> Any:
    m = net(lib).first
    weight, bias = m.weight, m.bias
    del m.weight
    m.weight = weight * 2
    doubled = m(lib.arange(2, 3))
    del m.bias
    m.bias = bias.detach() * 3
    return doubled, m(lib.arange(2, 3))


def _keep(module: Any, args: Any, output: Any) -> None:
    pass


@case
def parameters(lib: Any) -> Any:
    p = lib.nn.Parameter(lib.arange(2))
    frozen = lib.nn.Parameter(lib.arange(2), requires_grad=False)
    result = p * 2
    return (p.requires_grad, frozen.requires_grad, p.is_leaf, type(p).__name__, type(result).__name__,
            type(copy.deepcopy(p)).__name__, lib.nn.Parameter().shape == (0,), type(p.detach()).__name__,
            type(p.data).__name__, isinstance(p, lib.Tensor))  # fmt: skip


@pytest.mark.cpu_only("the device is part of the printed form elsewhere")
def test_parameter_prints_as_torch(torch_ref: Any) -> None:
    as_torch(lambda lib: repr(lib.nn.Parameter(lib.arange(2, 2))))


@case
def parameter_shares_memory(lib: Any) -> Any:
    source = lib.arange(2)
    p = lib.nn.Parameter(source)
    source.fill_(3)
    return p


def test_computed_parameters_are_leaves() -> None:
    lib = nbtorch_side()
    p = lib.nn.Parameter(lib.arange(2, requires_grad=True) * 2)
    assert p.is_leaf and p.requires_grad


def test_parameter_of_a_list_is_refused() -> None:
    with pytest.raises(TypeError, match=r"nn\.Parameter"):
        nbtorch_side().nn.Parameter([1.0])


def test_multiple_inheritance(torch_ref: Any) -> None:
    def both_bases(lib: Any) -> Any:
        class Mixin:
            def __init__(self, size: int) -> None:
                self.size = size

        class Net(lib.nn.Module, Mixin):
            call_super_init = True

            def __init__(self) -> None:
                super().__init__(size=3)

        return Net().size

    as_torch(both_bases)
