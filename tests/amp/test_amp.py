"""``torch.amp``: GradScaler's numbers and refusals, and what ``autocast`` tells of itself, beside PyTorch's."""

from __future__ import annotations

import importlib
import pickle
from typing import Any

import numpy as np
import pytest
from helpers import device_name
from sides import as_torch, nbtorch_side


def scaler_of(lib: Any, **options: Any) -> Any:
    return lib.amp.GradScaler(lib.device, **{"init_scale": 8.0, "growth_interval": 2, **options})


def parts(lib: Any, name: str = "SGD") -> tuple[Any, Any]:
    p = lib.arange(3).requires_grad_()
    return p, getattr(lib.optim, name)([p], lr=0.1)


def losses(lib: Any, p: Any, overflow: bool = False) -> Any:
    return (p * p * (lib.make(np.float32(np.inf)) if overflow else 1)).sum()


def scaled_training(lib: Any, name: str = "SGD", clip: bool = False, **options: Any) -> Any:
    (p, optimizer), scaler = parts(lib, name), scaler_of(lib, **options)
    found = []
    for k in range(12):
        optimizer.zero_grad()
        scaler.scale(losses(lib, p, k in (1, 4, 5))).backward()
        if clip:
            scaler.unscale_(optimizer)
            lib.nn.utils.clip_grad_norm_([p], 0.5)
        scaler.step(optimizer)
        scaler.update()
        found += [scaler.get_scale(), p.detach().clone(), scaler.state_dict()]
    return found


@pytest.mark.parametrize("options", [{}, {"growth_factor": 3.0, "backoff_factor": 0.25}, {"enabled": False}], ids=str)
@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_scaled_training(name: str, clip: bool, options: dict[str, Any], torch_ref: Any) -> None:
    as_torch(lambda lib: scaled_training(lib, name, clip, **options))


def twice(lib: Any, what: str) -> None:
    (p, optimizer), scaler = parts(lib), scaler_of(lib)
    scaler.scale(losses(lib, p)).backward()
    for _ in range(2):
        getattr(scaler, what)(optimizer)


def unscale_after_step(lib: Any) -> None:
    (p, optimizer), scaler = parts(lib), scaler_of(lib)
    scaler.scale(losses(lib, p)).backward()
    scaler.step(optimizer)
    scaler.unscale_(optimizer)


def without_gradients(lib: Any) -> None:
    (p, optimizer), scaler = parts(lib), scaler_of(lib)
    scaler.scale(losses(lib, p))
    scaler.step(optimizer)


def update_alone(lib: Any) -> None:
    scaler = scaler_of(lib)
    scaler.scale(lib.arange(1))
    scaler.update()


def half(lib: Any) -> None:
    p = lib.arange(3).half().requires_grad_()
    optimizer, scaler = lib.optim.SGD([p], lr=0.1), scaler_of(lib)
    scaler.scale(p.float().sum()).backward()
    scaler.unscale_(optimizer)


REFUSED: dict[str, Any] = {
    "step twice": lambda lib: twice(lib, "step"),
    "unscale twice": lambda lib: twice(lib, "unscale_"),
    "unscale after step": unscale_after_step,
    "no gradients": without_gradients,
    "update alone": update_alone,
    "nothing scaled": lambda lib: scaler_of(lib).update(),
    "step before scale": lambda lib: scaler_of(lib).step(parts(lib)[1]),
    "closure": lambda lib: scaler_of(lib).step(parts(lib)[1], closure=lambda: 0),
    "half precision": half,
    "not tensors": lambda lib: scaler_of(lib).scale(1.0),
    "growth": lambda lib: scaler_of(lib, growth_factor=1.0),
    "backoff": lambda lib: scaler_of(lib, backoff_factor=1.0),
    "empty state": lambda lib: scaler_of(lib).load_state_dict({}),
    "autocast of a device object": lambda lib: lib.autocast(lib.library.device("cpu")),
    "autocast of an unknown device": lambda lib: lib.autocast("abacus"),
    "autocast of a number": lambda lib: lib.autocast("cpu")(3),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, torch_ref: Any) -> None:
    as_torch(REFUSED[case])


@pytest.mark.parametrize(
    "case",
    [
        lambda lib: scaler_of(lib).scale([lib.arange(2), (lib.arange(3),)]),
        lambda lib: list(scaler_of(lib).scale(iter([lib.arange(2)]))),
        lambda lib: scaler_of(lib).scale(lib.arange(1).bfloat16().sum()),
        lambda lib: [scaler_of(lib).get_growth_factor(), scaler_of(lib).get_backoff_factor()],
        lambda lib: lib.amp.GradScaler(lib.device, enabled=False).scale("anything"),
        lambda lib: lib.GradScaler(lib.device).get_scale(),
    ],
)  # fmt: skip
def test_scale(case: Any, torch_ref: Any) -> None:
    as_torch(case)


def test_state_goes_over_from_pytorch(torch_ref: Any) -> None:
    theirs = torch_ref.amp.GradScaler("cpu", init_scale=4.0, growth_interval=7)
    scaler = scaler_of(nbtorch_side())
    scaler.load_state_dict(theirs.state_dict())
    assert scaler.state_dict() == theirs.state_dict()
    theirs.load_state_dict(scaler.state_dict())
    assert pickle.loads(pickle.dumps(scaler)).state_dict() == scaler.state_dict()


def told(lib: Any) -> list[Any]:
    return [
        lib.is_autocast_enabled("cpu"), lib.is_autocast_enabled(),
        str(lib.get_autocast_dtype("cpu")).split(".")[-1], str(lib.get_autocast_dtype("cuda")).split(".")[-1],
        lib.is_autocast_cache_enabled(),
    ]  # fmt: skip


def blocks(lib: Any) -> Any:
    found = [told(lib)]
    with lib.autocast("cpu", dtype=lib.float16, cache_enabled=False):
        found.append(told(lib))
        with lib.autocast("cpu", enabled=False):
            found.append(told(lib))
        found.append(told(lib))

    @lib.autocast("cpu", dtype=lib.bfloat16)
    def inside() -> Any:
        return told(lib)

    found += [inside(), inside.__name__, told(lib)]
    lib.set_autocast_dtype("cpu", lib.float16)
    lib.set_autocast_enabled("cpu", True)
    found.append(told(lib))
    lib.set_autocast_dtype("cpu", lib.bfloat16)
    lib.set_autocast_enabled("cpu", False)
    return [*found, told(lib)]


def wrong_dtype(lib: Any) -> Any:
    with lib.autocast("cpu", dtype=lib.float64):
        return told(lib)


def no_gpu(lib: Any) -> Any:
    with lib.autocast("cuda"):
        return told(lib), lib.amp.GradScaler("cuda").is_enabled()


@pytest.mark.parametrize("case", [blocks, wrong_dtype, no_gpu])
@pytest.mark.skipif("device_name() == 'cuda'")
def test_what_autocast_tells(case: Any, torch_ref: Any) -> None:
    as_torch(case, warn=True)


def marked_function(lib: Any) -> Any:
    class Square(lib.autograd.Function):
        @staticmethod
        @lib.amp.custom_fwd(device_type=lib.device, cast_inputs=lib.float32)
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @lib.amp.custom_bwd(device_type=lib.device)
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * g * ctx.saved_tensors[0] + lib.is_autocast_enabled(lib.device)

    x = lib.arange(3).half().requires_grad_()
    outside = Square.apply(x)
    with lib.autocast(lib.device):
        inside = Square.apply(x)
    inside.sum().backward()
    return outside, inside, x.grad


def test_custom_function(torch_ref: Any) -> None:
    as_torch(marked_function)


def test_numbers_stay_as_they_are() -> None:
    lib = nbtorch_side()
    x = lib.arange(2, 3)
    with lib.autocast(device_name()):
        assert (x @ x.T).dtype is lib.float32


def older_names(lib: Any) -> Any:
    found = []
    for device in ("cpu", "cuda"):
        amp = importlib.import_module(f"{lib.library.__name__}.{device}.amp")
        with amp.autocast(), amp.autocast(enabled=False):
            found.append(told(lib))
        found.append(amp.GradScaler(4.0).get_scale())
    return found


@pytest.mark.skipif("device_name() == 'cuda'")
def test_older_names(torch_ref: Any) -> None:
    as_torch(older_names, warn=True)
