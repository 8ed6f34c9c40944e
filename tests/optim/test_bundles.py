"""Small parameters step together; whatever a program exchanges between steps, each goes as if by itself."""

from __future__ import annotations

import copy
import io
from typing import Any

import numpy as np
import pytest
from sides import as_torch, nbtorch_side

SHAPES = ((4, 3), (3,), (), (2, 3, 2), (1,), (0, 2), (200, 100))
OPTIMIZERS = {
    "SGD": {"lr": 0.05},
    "SGD momentum": {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "Adam": {"lr": 0.01, "amsgrad": True},
    "AdamW": {"lr": 0.01},
    "NAdam": {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True},
    "ASGD": {"lr": 0.05, "t0": 3},
    "RMSprop": {"lr": 0.01, "centered": True, "momentum": 0.5, "maximize": True},
    "Rprop": {"lr": 0.01},
}


def made(lib: Any, name: str, params: Any) -> Any:
    return getattr(lib.optim, name.split()[0])(params, **OPTIMIZERS[name])


def parameters(lib: Any) -> Any:
    rng = np.random.default_rng(1)
    return [lib.nn.Parameter(lib.make(rng.normal(size=s).astype(np.float32))) for s in SHAPES]


def give_gradients(lib: Any, params: Any, rng: Any, missing: Any = ()) -> None:
    for i, p in enumerate(params):
        grad = lib.make(np.asarray(rng.normal(size=tuple(p.shape)), np.float32))
        p.grad = None if i in missing else grad


def buffers(state: Any) -> Any:
    return [t for t in state.values() if getattr(t, "shape", ())]


def replaced_data(lib: Any, params: Any, o: Any) -> Any:
    params[0].data = params[0].data * 2
    return o


def changed_in_place(lib: Any, params: Any, o: Any) -> Any:
    with lib.no_grad():
        params[1].mul_(0.5)
    for state in o.state.values():
        for t in buffers(state):
            t.mul_(0.5)
    return o


def replaced_state(lib: Any, params: Any, o: Any) -> Any:
    for p in params[:2]:
        for key, t in list(o.state[p].items()):
            if key != "step":
                o.state[p][key] = t * 0.5
    return o


def cleared_state(lib: Any, params: Any, o: Any) -> Any:
    o.state.clear()
    return o


def forgotten_by_one(lib: Any, params: Any, o: Any) -> Any:
    o.state.pop(params[3], None)
    return o


def other_count(lib: Any, params: Any, o: Any) -> Any:
    if "step" in o.state[params[0]]:
        o.state[params[0]]["step"].fill_(7.0)
    return o


def copied(lib: Any, params: Any, o: Any) -> Any:
    """Another optimiser with a copy of the state."""
    other = type(o)(params, lr=0.5)
    other.load_state_dict(copy.deepcopy(o.state_dict()))
    return other


def shared(lib: Any, params: Any, o: Any) -> Any:
    """Another optimiser with the very same state; both take a step."""
    other = type(o)(params, lr=0.5)
    other.load_state_dict(o.state_dict())
    o.step()
    other.step()
    return o


def saved(lib: Any, params: Any, o: Any) -> Any:
    file = io.BytesIO()
    lib.save(o.state_dict(), file)
    file.seek(0)
    other = type(o)(params, lr=0.5)
    other.load_state_dict(lib.load(file))
    return other


def regrouped(lib: Any, params: Any, o: Any) -> Any:
    o.param_groups[0]["params"].remove(params[4])
    o.add_param_group({"params": [params[4]], "lr": 0.02})
    return o


def slower(lib: Any, params: Any, o: Any) -> Any:
    o.param_groups[0]["lr"] *= 0.5
    o.param_groups[0]["weight_decay"] = 0.03
    return o


def with_momentum_or_without(lib: Any, params: Any, o: Any) -> Any:
    if type(o).__name__ == "SGD":
        o.param_groups[0]["momentum"] = 0.0 if o.param_groups[0]["momentum"] else 0.9
    return o


def kept_views(lib: Any, params: Any, o: Any) -> Any:
    """Views of the state, taken before the next steps, are views after them."""
    o.kept = [t.detach().reshape(-1) for state in o.state.values() for t in buffers(state)]
    return o


EVENTS = (replaced_data, changed_in_place, replaced_state, cleared_state, forgotten_by_one, other_count, copied, shared,
          saved, regrouped, slower, with_momentum_or_without, kept_views)  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_whatever_happens_between_steps(name: str, torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        found = []
        for event in EVENTS:
            params, rng = parameters(lib), np.random.default_rng(2)
            o = made(lib, name, params)
            for k in range(8):
                give_gradients(lib, params, rng, {3: (1, 4), 5: (0,)}.get(k, ()))
                o.step()
                if k in (0, 2, 4):
                    o = event(lib, params, o)
            states = [[*o.state[p]] + [t.detach() for t in buffers(o.state[p])] for p in o.state]
            found += [event.__name__, [p.detach() for p in params], states, getattr(o, "kept", None)]
        return found

    as_torch(run, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_together_as_one_by_one(name: str) -> None:
    lib = nbtorch_side()
    runs = []
    for bundled in (True, False):
        params, rng = parameters(lib), np.random.default_rng(3)
        o = made(lib, name, params if bundled else [{"params": [p]} for p in params])
        for _ in range(5):
            give_gradients(lib, params, rng)
            o.step()
        runs.append([p.detach().cpu().numpy() for p in params])
        if bundled:
            assert sum(len(bundle.params) for bundle in o._plans[0].bundles) == 5
    for a, b in zip(*runs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_memory_shared_by_two_parameters(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        p = lib.nn.Parameter(lib.arange(4))
        q = lib.nn.Parameter(p.data)
        o = lib.optim.SGD([p, q, lib.nn.Parameter(lib.arange(2))], lr=0.1, momentum=0.9, weight_decay=0.1)
        for _ in range(4):
            p.grad, q.grad = lib.arange(4), lib.arange(4) + 1
            o.step()
        return p, q

    as_torch(run, rtol=1e-5)


def test_the_state_is_its_own_memory() -> None:
    """A piece passes for a whole: what is saved of it is itself, its storage begins with it, a copy stands alone."""
    lib = nbtorch_side()
    if lib.device != "cpu":
        pytest.skip("pieces on a device are views")
    params = parameters(lib)
    o = lib.optim.Adam(params)
    for _ in range(3):
        give_gradients(lib, params, np.random.default_rng(0))
        o.step()
    t = o.state[params[1]]["exp_avg"]
    assert t.storage_offset() == 0
    assert t.untyped_storage().nbytes() == 12
    assert t._base is None
    assert copy.deepcopy(o).state_dict()["state"][1]["exp_avg"].tolist() == t.tolist()


def test_a_graph_that_saved_the_state_is_warned() -> None:
    lib = nbtorch_side()
    params = parameters(lib)
    o = lib.optim.Adam(params)
    for _ in range(3):
        give_gradients(lib, params, np.random.default_rng(0))
        o.step()
    x = lib.make(np.ones(3, np.float32), requires_grad=True)
    loss = (o.state[params[1]]["exp_avg"] * x).sum()
    o.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_steps_are_silent() -> None:
    """Numbers that overflow give infinities and no warning of NumPy's."""
    lib = nbtorch_side()
    p = lib.nn.Parameter(lib.make(np.ones(3, np.float32)))
    p.grad = lib.make(np.full(3, 3e38, np.float32))
    lib.optim.Adam([p]).step()
    lib.optim.SGD([p], lr=1e9).step()
    assert p.isinf().all()
