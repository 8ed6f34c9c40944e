"""Averages of a model's parameters, beside PyTorch's."""

from __future__ import annotations

from typing import Any

import pytest
from sides import as_torch, set_weights


def utils(lib: Any) -> Any:
    import importlib

    return importlib.import_module(lib.optim.__name__ + ".swa_utils")


def net(lib: Any, seed: int = 0) -> Any:
    nn = lib.nn
    return set_weights(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).to(lib.device), seed)


MEANS: dict[str, Any] = {
    "default": lambda u: {},
    "ema": lambda u: {"avg_fn": u.get_ema_avg_fn(0.9)},
    "ema of all": lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(0.9)},
    "swa": lambda u: {"avg_fn": u.get_swa_avg_fn()},
    "swa of all": lambda u: {"multi_avg_fn": u.get_swa_multi_avg_fn()},
    "own": lambda u: {"avg_fn": lambda mean, now, n: 0.1 * mean + 0.9 * now},
}


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("mean", MEANS)
def test_averaged_model(mean: str, use_buffers: bool, torch_ref: Any) -> None:
    if use_buffers and mean == "swa of all":
        pytest.skip("PyTorch fails on the buffer of whole numbers")

    def run(lib: Any) -> Any:
        model = net(lib)
        averaged = utils(lib).AveragedModel(model, use_buffers=use_buffers, **MEANS[mean](utils(lib)))
        found = [repr(averaged)]
        for seed in range(1, 5):
            set_weights(model, seed)
            model(lib.arange(5, 3))
            averaged.update_parameters(model)
            found += [dict(averaged.state_dict())]
        averaged.eval()
        return [*found, averaged(lib.arange(2, 3))]

    as_torch(run, rtol=1e-5)


def test_training_with_averages(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        model, u = net(lib), utils(lib)
        optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
        averaged = u.AveragedModel(model)
        before, after = lib.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5), u.SWALR(optimizer, 0.05, 4)
        x, found = lib.arange(6, 3), []
        for epoch in range(10):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            if epoch > 4:
                averaged.update_parameters(model)
                after.step()
            else:
                before.step()
            found += [loss.item(), optimizer.param_groups[0]["lr"]]
        averaged.eval()
        u.update_bn([(x, None), [x * 2]], averaged)
        return found, dict(averaged.state_dict()), averaged.training, dict(after.state_dict())

    as_torch(run, rtol=1e-4, atol=1e-6)


def swalr(lib: Any, rate: Any, **options: Any) -> Any:
    groups = [{"params": [lib.arange(2)]}, {"params": [lib.arange(3)], "lr": 0.3}]
    optimizer = lib.optim.SGD(groups, lr=0.1)
    scheduler, found = utils(lib).SWALR(optimizer, rate, **options), []
    for _ in range(14):
        found += [group["lr"] for group in optimizer.param_groups]
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(
    "case",
    [
        lambda lib: swalr(lib, 0.05),
        lambda lib: swalr(lib, [0.05, 0.01], anneal_epochs=5, anneal_strategy="linear"),
        lambda lib: swalr(lib, 0.05, anneal_epochs=0),
        lambda lib: swalr(lib, 0.05, anneal_epochs=-1),
        lambda lib: swalr(lib, 0.05, anneal_strategy="square"),
        lambda lib: swalr(lib, [0.05]),
        lambda lib: utils(lib).get_ema_avg_fn(1.5),
        lambda lib: utils(lib).get_ema_multi_avg_fn(-0.1),
        lambda lib: utils(lib).AveragedModel(net(lib), avg_fn=max, multi_avg_fn=max),
        lambda lib: utils(lib).update_bn([1, 2], lib.nn.Linear(2, 2)),
    ],
)
def test_rates_and_refusals(case: Any, torch_ref: Any) -> None:
    as_torch(case)
