"""SGD and the Optimizer base class: the same trajectories, state and errors as PyTorch's."""

from __future__ import annotations

import copy
import importlib
import itertools
import pickle
from typing import Any

import numpy as np
import pytest
from helpers import same, to_nbtorch
from sides import as_torch, nbtorch_side, set_weights

OPTIONS: list[dict[str, Any]] = [
    {},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"lr": 0.1, "weight_decay": 0.1},
    {"lr": 0.01, "weight_decay": 0.1, "momentum": 0.5, "nesterov": True, "maximize": True},
    {"lr": 0.01, "maximize": True},
    {"lr": 0.0},
    {"lr": 0.1, "foreach": True},
    {"lr": 0.1, "foreach": False, "momentum": 0.9},
    {"lr": 0.1, "fused": True, "momentum": 0.9},
]


def base(lib: Any) -> Any:
    """The module of the base class; PyTorch hides it behind a name that is not an attribute of ``optim``."""
    return importlib.import_module(lib.optim.__name__ + ".optimizer")


def model(lib: Any) -> Any:
    nn = lib.nn
    return set_weights(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).to(lib.device))


def train(lib: Any, m: Any, optimizer: Any, steps: int) -> list[Any]:
    losses = []
    for k in range(steps):
        optimizer.zero_grad()
        loss = ((m(lib.arange(5, 3) + 0.1 * k) - 1) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_trajectory(options: dict[str, Any], torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = model(lib)
        optimizer = lib.optim.SGD(m.parameters(), **options)
        losses = train(lib, m, optimizer, 20)
        return losses, list(m.parameters()), optimizer.state_dict()["state"]

    as_torch(run, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_dtypes_are_kept(dtype: str, torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        p = lib.nn.Parameter(lib.arange(4).to(getattr(lib, dtype)))
        optimizer = lib.optim.SGD([p], lr=0.1, momentum=0.9, weight_decay=0.01)
        for _ in range(3):
            p.grad = p.detach() * 2 + 1
            optimizer.step()
        return p, optimizer.state[p]["momentum_buffer"]

    as_torch(run)


def test_tensor_learning_rate(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = model(lib)
        optimizer = lib.optim.SGD(m.parameters(), lr=lib.make(np.float32(0.1)), momentum=0.9)
        return train(lib, m, optimizer, 5), list(m.parameters())

    as_torch(run, rtol=1e-5, atol=1e-6)


def test_differentiable_step(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        start = lib.arange(3, requires_grad=True)
        p = start.clone()
        p.grad = start * start
        optimizer = lib.optim.SGD([p], lr=0.5, differentiable=True)
        optimizer.step()
        p.sum().backward()
        return p, start.grad

    as_torch(run)


def test_differentiable_learning_rate(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        lr = lib.make(np.float32(0.5), requires_grad=True)
        p = lib.arange(3, requires_grad=True).clone()
        p.grad = lib.arange(3) + 1
        lib.optim.SGD([p], lr=lr, differentiable=True).step()
        p.sum().backward()
        return p, lr.grad

    as_torch(run)


def test_parameters_without_gradient_are_passed_over(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        a, b = lib.nn.Parameter(lib.arange(2)), lib.nn.Parameter(lib.arange(2))
        optimizer = lib.optim.SGD([a, b], lr=0.1, momentum=0.9, weight_decay=0.5)
        a.grad = lib.arange(2)
        optimizer.step()
        return a, b, len(optimizer.state)

    as_torch(run)


def test_gradients_are_left_alone(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        p = lib.nn.Parameter(lib.arange(2))
        p.grad = lib.arange(2) + 1
        optimizer = lib.optim.SGD([p], lr=0.1, momentum=0.9, weight_decay=0.5, maximize=True)
        for _ in range(3):
            optimizer.step()
        return p.grad, p

    as_torch(run)


def test_step_counts_as_a_change_in_place(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        p = lib.nn.Parameter(lib.arange(3) + 2)
        loss = (p * p).sum()
        loss.backward(retain_graph=True)
        lib.optim.SGD([p], lr=0.1).step()
        loss.backward()

    as_torch(run)


def test_views_see_the_step(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        p = lib.nn.Parameter(lib.arange(2, 2))
        row = p.detach()[1]
        p.grad = lib.arange(2, 2) + 1
        lib.optim.SGD([p], lr=0.1).step()
        return row

    as_torch(run)


def test_groups(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = model(lib)
        optimizer = lib.optim.SGD([{"params": m[0].parameters(), "lr": 0.5}, {"params": m[2].weight}], lr=0.1)
        optimizer.add_param_group({"params": [m[2].bias], "momentum": 0.9})
        losses = train(lib, m, optimizer, 5)
        optimizer.param_groups[0]["lr"] = 0.01
        losses += train(lib, m, optimizer, 5)
        return losses, list(m.parameters()), repr(optimizer)

    as_torch(run, rtol=1e-5, atol=1e-6)


def test_names(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        optimizer = lib.optim.SGD(model(lib).named_parameters(), lr=0.1)
        state = optimizer.state_dict()
        other = lib.optim.SGD(model(lib).parameters(), lr=0.1)
        other.load_state_dict(state)
        return state["param_groups"], other.param_groups[0].get("param_names")

    as_torch(run)


def test_closure(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = model(lib)
        optimizer = lib.optim.SGD(m.parameters(), lr=0.1)

        def closure() -> Any:
            optimizer.zero_grad()
            loss = m(lib.arange(5, 3)).square().mean()
            loss.backward()
            return loss

        with lib.no_grad():
            losses = [optimizer.step(closure).item() for _ in range(3)]
        return losses, lib.is_grad_enabled()

    as_torch(run, rtol=1e-5)


def test_zero_grad(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = model(lib)
        optimizer = lib.optim.SGD(m.parameters())
        m(lib.arange(5, 3)).sum().backward()
        optimizer.zero_grad(set_to_none=False)
        zeros = [p.grad.clone() for p in m.parameters()]
        optimizer.zero_grad()
        return zeros, [p.grad for p in m.parameters()]

    as_torch(run)


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9, "nesterov": True, "lr": 0.5, "weight_decay": 1e-4}])
def test_printed(options: dict[str, Any], torch_ref: Any) -> None:
    as_torch(lambda lib: repr(lib.optim.SGD(model(lib).parameters(), **options)))
    as_torch(lambda lib: repr(lib.optim.SGD([{"params": [p]} for p in model(lib).parameters()], **options)))


def test_state_dict_round_trip(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = model(lib)
        optimizer = lib.optim.SGD(m.parameters(), lr=0.1, momentum=0.9)
        train(lib, m, optimizer, 5)
        saved = copy.deepcopy((m.state_dict(), optimizer.state_dict()))
        rest = train(lib, m, optimizer, 5)

        fresh = model(lib)
        again = lib.optim.SGD(fresh.parameters(), lr=0.7)
        fresh.load_state_dict(saved[0])
        again.load_state_dict(saved[1])
        assert train(lib, fresh, again, 5) == rest
        return rest, saved[1]["param_groups"], saved[1]["state"], again.param_groups[0]["lr"]

    as_torch(run, rtol=1e-5, atol=1e-6)


def test_loaded_state_takes_the_dtype_of_the_parameter(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = model(lib)
        optimizer = lib.optim.SGD(m.parameters(), lr=0.1, momentum=0.9)
        train(lib, m, optimizer, 2)
        m64 = model(lib).double()
        other = lib.optim.SGD(m64.parameters(), lr=0.1, momentum=0.9)
        other.load_state_dict(optimizer.state_dict())
        return [str(s["momentum_buffer"].dtype) for s in other.state.values()]

    as_torch(run)


def test_pickle_and_deepcopy() -> None:
    lib = nbtorch_side()
    m = model(lib)
    optimizer = lib.optim.SGD(m.parameters(), lr=0.1, momentum=0.9)
    train(lib, m, optimizer, 3)
    for twin_model, twin in (pickle.loads(pickle.dumps((m, optimizer))), copy.deepcopy((m, optimizer))):
        assert repr(twin) == repr(optimizer) and twin.param_groups[0]["params"][0] is twin_model[0].weight
        expected = train(lib, *copy.deepcopy((m, optimizer)), 3)
        assert train(lib, twin_model, twin, 3) == expected


def test_hooks(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = model(lib)
        optimizer = lib.optim.SGD(m.parameters(), lr=0.1)
        order: list[Any] = []
        handles = [
            optimizer.register_step_pre_hook(lambda o, args, kwargs: order.append(("pre", o is optimizer, len(args)))),
            optimizer.register_step_post_hook(lambda o, args, kwargs: order.append(("post", dict(kwargs)))),
            optimizer.register_state_dict_pre_hook(lambda o: order.append("state pre")),
            optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1}),
            optimizer.register_load_state_dict_pre_hook(lambda o, state: order.append(state.pop("more"))),
            optimizer.register_load_state_dict_post_hook(lambda o: order.append("loaded"), prepend=True),
        ]
        train(lib, m, optimizer, 2)
        state = optimizer.state_dict()
        optimizer.load_state_dict(state)
        for handle in handles:
            handle.remove()
        train(lib, m, optimizer, 1)
        return order, list(state)

    as_torch(run)


def test_step_pre_hook_changes_arguments(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        p = lib.nn.Parameter(lib.arange(2))
        optimizer = lib.optim.SGD([p], lr=0.1)
        optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: 7), kwargs))
        return optimizer.step()

    as_torch(run)


def test_step_pre_hook_with_wrong_result(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        optimizer = lib.optim.SGD([lib.nn.Parameter(lib.arange(2))], lr=0.1)
        optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
        return optimizer.step()

    as_torch(run)


def test_global_hooks(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        calls: list[str] = []
        before = base(lib).register_optimizer_step_pre_hook(lambda *_: calls.append("pre"))
        after = base(lib).register_optimizer_step_post_hook(lambda *_: calls.append("post"))
        optimizer = lib.optim.SGD([lib.nn.Parameter(lib.arange(2))])
        optimizer.step()
        before.remove()
        after.remove()
        optimizer.step()
        return calls

    as_torch(run)


def test_a_users_own_optimizer(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        class SignDescent(lib.optim.Optimizer):
            def __init__(self, params: Any, lr: float = 0.1) -> None:
                super().__init__(params, {"lr": lr})

            def step(self, closure: Any = None) -> Any:
                with lib.no_grad():
                    for group in self.param_groups:
                        for p in group["params"]:
                            if p.grad is not None:
                                p.add_(p.grad.sign(), alpha=-group["lr"])

        m = model(lib)
        optimizer = SignDescent(m.parameters())
        calls: list[int] = []
        optimizer.register_step_post_hook(lambda *_: calls.append(1))
        return train(lib, m, optimizer, 5), len(calls), repr(optimizer)

    as_torch(run, rtol=1e-5)


ERRORS = {
    "a tensor": lambda lib: lib.optim.SGD(lib.arange(2, requires_grad=True)),
    "nothing": lambda lib: lib.optim.SGD([]),
    "a number": lambda lib: lib.optim.SGD([1.0]),
    "computed": lambda lib: lib.optim.SGD([lib.arange(2, requires_grad=True) * 2]),
    "a set": lambda lib: lib.optim.SGD([{"params": {lib.arange(2, requires_grad=True)}}]),
    "group without parameters": lambda lib: lib.optim.SGD([{"lr": 1.0}]),
    "group no dictionary": lambda lib: lib.optim.SGD(model(lib).parameters()).add_param_group([1]),
    "in two groups": lambda lib: lib.optim.SGD([{"params": p} for p in [*model(lib).parameters()][:1] * 2]),
    "some names": lambda lib: lib.optim.SGD([("a", lib.arange(1)), lib.arange(2)]),
    "names in one group": lambda lib: lib.optim.SGD([{"params": [("a", lib.arange(1))]}, {"params": [lib.arange(1)]}]),
    "negative lr": lambda lib: lib.optim.SGD(model(lib).parameters(), lr=-1.0),
    "large tensor lr": lambda lib: lib.optim.SGD(model(lib).parameters(), lr=lib.arange(2)),
    "negative momentum": lambda lib: lib.optim.SGD(model(lib).parameters(), momentum=-1.0),
    "negative decay": lambda lib: lib.optim.SGD(model(lib).parameters(), weight_decay=-1.0),
    "nesterov alone": lambda lib: lib.optim.SGD(model(lib).parameters(), nesterov=True),
    "nesterov dampened": lambda lib: lib.optim.SGD(model(lib).parameters(), momentum=0.9, dampening=0.1, nesterov=True),
    "fused and differentiable": lambda lib: lib.optim.SGD(model(lib).parameters(), fused=True, differentiable=True),
    "fused and foreach": lambda lib: lib.optim.SGD(model(lib).parameters(), fused=True, foreach=True),
    "no step": lambda lib: lib.optim.Optimizer(model(lib).parameters(), {}).step(),
    "groups differ": lambda lib: lib.optim.SGD(model(lib).parameters()).load_state_dict(
        {"state": {}, "param_groups": []}
    ),
    "group sizes differ": lambda lib: lib.optim.SGD(model(lib).parameters()).load_state_dict(
        lib.optim.SGD([lib.arange(1)]).state_dict()
    ),
    "required option": lambda lib: lib.optim.Optimizer(model(lib).parameters(), {"lr": base(lib).required}),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_as_torch(name: str, torch_ref: Any) -> None:
    as_torch(ERRORS[name])


def test_duplicates_are_warned_of(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        p = lib.nn.Parameter(lib.arange(2))
        return len(lib.optim.SGD([p, p]).param_groups[0]["params"])

    as_torch(run, warn=True)


def test_empty_list_tells_of_plain_containers() -> None:
    lib = nbtorch_side()
    m = lib.nn.Module()
    m.layers = [lib.nn.Linear(1, 1)]
    with pytest.raises(ValueError, match="ModuleList"):
        lib.optim.SGD(m.parameters())


def test_linear_regression_of_the_article(torch_ref: Any) -> None:
    """The program the project started from: every printed loss equal, from equal weights."""

    def run(lib: Any) -> Any:
        x_train = lib.make(np.array([[1.0], [2.0], [3.0], [4.0]], np.float32))
        y_train = lib.make(np.array([[2.0], [4.0], [6.0], [8.0]], np.float32))
        m = set_weights(lib.nn.Linear(1, 1).to(lib.device))
        criterion = lib.nn.MSELoss()
        optimizer = lib.optim.SGD(m.parameters(), lr=0.01)
        printed = []
        for epoch in range(100):
            optimizer.zero_grad()
            outputs = m(x_train)
            loss = criterion(outputs, y_train)
            loss.backward()
            optimizer.step()
            printed.append(f"Epoch {epoch + 1}/{100}, Loss: {loss.item():.4f}")
        return printed

    as_torch(run)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_digits_mlp_as_torch(momentum: float, torch_ref: Any) -> None:
    """50 steps of a digits classifier from equal weights: losses equal to 1e-5 relative."""
    from nbtorch.datasets import digits

    pixels, labels = (t.numpy() for t in digits("train"))

    def run(lib: Any) -> Any:
        nn = lib.nn
        m = set_weights(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).to(lib.device))
        optimizer = lib.optim.SGD(m.parameters(), lr=0.1, momentum=momentum)
        criterion = nn.CrossEntropyLoss()
        losses = []
        for k in range(50):
            rows = slice(64 * k % 1400, 64 * k % 1400 + 64)
            optimizer.zero_grad()
            loss = criterion(m(lib.make(pixels[rows])), lib.make(labels[rows]))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    as_torch(run, rtol=1e-5)


def test_memory_stays_flat_over_steps() -> None:
    """With the garbage collector off nothing is left behind by a step."""
    import gc

    lib = nbtorch_side()
    m = model(lib)
    optimizer = lib.optim.SGD(m.parameters(), lr=0.01, momentum=0.9)
    train(lib, m, optimizer, 3)
    gc.collect()
    gc.disable()
    try:
        train(lib, m, optimizer, 3)
        before = len(gc.get_objects())
        train(lib, m, optimizer, 50)
        assert len(gc.get_objects()) - before < 60
    finally:
        gc.enable()


def test_options_in_combination(torch_ref: Any) -> None:
    """A coarse grid over all options at once; the buffers too."""

    def run(lib: Any) -> Any:
        out = []
        for momentum, decay, nesterov, maximize in itertools.product(
            [0.0, 0.5], [0.0, 0.1], [False, True], [False, True]
        ):
            if nesterov and momentum == 0:
                continue
            p = lib.nn.Parameter(lib.arange(3))
            optimizer = lib.optim.SGD(
                [p], lr=0.1, momentum=momentum, weight_decay=decay, nesterov=nesterov, maximize=maximize
            )
            for _ in range(3):
                optimizer.zero_grad()
                (p * p * p).sum().backward()
                optimizer.step()
            out.append(p)
        return out

    as_torch(run)


def test_gradient_of_another_kind_is_refused_before_anything_changes() -> None:
    lib = nbtorch_side()
    p = lib.nn.Parameter(lib.arange(3))
    with pytest.raises(RuntimeError):
        p.grad = lib.arange(2)
    lib.optim.SGD([p], lr=1.0).step()
    same(p, to_nbtorch(lib.arange(3)))
