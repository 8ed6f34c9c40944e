"""Broken trainings: what each does wrong, and the findings that name it (any of them first is right)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from nbtorch_widgets import watch
from widgets.doctor_support import Bench

Training = Callable[[Bench], Any]
BROKEN: dict[str, tuple[tuple[str, ...], Training]] = {}


def broken(*codes: str) -> Callable[[Training], Training]:
    def register(training: Training) -> Training:
        BROKEN[training.__name__] = codes, training
        return training

    return register


@broken("vanishing")
def deep_sigmoid(b: Bench) -> Any:
    model = b.mlp(8, *[16] * 8, 3, act="Sigmoid")
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@broken("vanishing")
def deep_tanh_small_weights(b: Bench) -> Any:
    model = b.mlp(8, *[16] * 8, 1, act="Tanh")
    for p in model.parameters():
        b.scale(p, 0.3)
    return b.fit(model, b.sgd(model), b.numbers(), b.F.mse_loss)


@broken("exploding")
def deep_relu_large_weights(b: Bench) -> Any:
    model = b.mlp(8, *[32] * 8, 1)
    for p in model.parameters():
        b.scale(p, 6.0)
    return b.fit(model, b.sgd(model, 1e-3), b.numbers(), b.F.mse_loss)


class Recurrent:
    """A plain recurrent network by hand."""

    def __new__(cls, b: Bench, scale: float, size: int = 16) -> Any:
        nn, lib = b.nn, b.lib

        class Net(nn.Module):  # type: ignore[misc,name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.rnn = nn.RNN(4, size, batch_first=True, nonlinearity="relu")
                self.head = nn.Linear(size, 1)

            def forward(self, x: Any) -> Any:
                out, _ = self.rnn(x)
                return self.head(out[:, -1])

        net = Net()
        b.scale(net.rnn.weight_hh_l0, scale)
        assert lib is not None
        return net


@broken("exploding")
def recurrent_explodes(b: Bench) -> Any:
    model = Recurrent(b, 3.0)
    batches = [
        (b.tensor(b.draw.standard_normal((8, 20, 4))), b.tensor(b.draw.standard_normal((8, 1)))) for _ in range(15)
    ]
    return b.fit(model, b.sgd(model, 1e-3), batches, b.F.mse_loss)


@broken("dead-relu")
def dead_by_bias(b: Bench) -> Any:
    model = b.mlp(8, 32, 32, 3)
    b.fill(model[2].bias, -20.0)
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@broken("dead-relu")
def dead_functional(b: Bench) -> Any:
    nn, F = b.nn, b.F

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(8, 32), nn.Linear(32, 3)

        def forward(self, x: Any) -> Any:
            return self.two(F.relu(self.one(x)))

    model = Net()
    b.fill(model.one.bias, -30.0)
    return b.fit(model, b.adam(model, 1e-3), b.classes(), F.cross_entropy)


@broken("dead-relu")
def dead_convolution(b: Bench) -> Any:
    nn = b.nn
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 3))
    b.fill(model[0].bias, -30.0)
    return b.fit(model, b.sgd(model, 0.01), b.images(), b.F.cross_entropy)


@broken("saturated")
def saturated_tanh(b: Bench) -> Any:
    model = b.mlp(8, 32, 32, 3, act="Tanh")
    for p in (model[0].weight, model[2].weight):
        b.scale(p, 50.0)
    return b.fit(model, b.sgd(model, 0.01), b.classes(), b.F.cross_entropy)


@broken("saturated")
def saturated_sigmoid(b: Bench) -> Any:
    model = b.mlp(8, 32, 32, 1, act="Sigmoid")
    b.fill(model[2].bias, 12.0)
    return b.fit(model, b.sgd(model, 0.01), b.numbers(), b.F.mse_loss)


@broken("nan-data")
def nan_in_inputs(b: Bench) -> Any:
    batches = b.classes()
    x = batches[11][0].numpy().copy()
    x[3, 2] = np.nan
    batches[11] = b.tensor(x), batches[11][1]
    model = b.mlp(8, 16, 3)
    return b.fit(model, b.sgd(model), batches, b.F.cross_entropy)


@broken("nan-data")
def nan_in_inputs_of_a_long_run(b: Bench) -> Any:
    batches = b.numbers(40, 8)
    x = batches[17][0].numpy().copy()
    x[3, 2] = np.nan
    batches[17] = b.tensor(x), batches[17][1]
    model = b.mlp(8, 8, 1)
    return b.fit(model, b.sgd(model, 0.05), batches, b.F.mse_loss, epochs=5)


@broken("nan-data")
def inf_in_targets(b: Bench) -> Any:
    batches = b.numbers()
    y = batches[5][1].numpy().copy()
    y[0] = np.inf
    batches[5] = batches[5][0], b.tensor(y)
    model = b.mlp(8, 16, 1)
    return b.fit(model, b.sgd(model), batches, b.F.mse_loss)


@broken("nan-loss")
def log_of_zero(b: Bench) -> Any:
    model = b.mlp(8, 16, 3)
    b.scale(model[2].weight, 600.0)

    def loss_of(out: Any, y: Any) -> Any:
        p = b.F.softmax(out, dim=1)
        one_hot = b.F.one_hot(y, 3).to(p.dtype)
        return -(one_hot * b.lib.log(p)).sum(1).mean()

    return b.fit(model, b.sgd(model, 1e-4), b.classes(), loss_of)


@broken("nan-forward")
def root_of_a_negative(b: Bench) -> Any:
    class Root(b.nn.Module):  # type: ignore[misc,name-defined]
        def forward(self, x: Any) -> Any:
            return x.sqrt()

    model = b.nn.Sequential(b.nn.Linear(8, 8), Root(), b.nn.Linear(8, 1))
    return b.fit(model, b.sgd(model), b.numbers(), b.F.mse_loss)


@broken("nan-backward")
def slope_of_root_at_zero(b: Bench) -> Any:
    model = b.mlp(8, 16, 1)

    def loss_of(out: Any, y: Any) -> Any:
        return ((out - out.detach()) ** 2).sum().sqrt() + b.F.mse_loss(out, y)

    return b.fit(model, b.sgd(model, 0.01), b.numbers(), loss_of)


@broken("nan-weights")
def nan_at_the_start(b: Bench) -> Any:
    model = b.mlp(8, 16, 3)
    b.fill(model[0].bias, float("nan"))
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@broken("zero-grad")
def zero_grad_forgotten(b: Bench) -> Any:
    model = b.mlp(8, 16, 3)
    optimizer = b.sgd(model, 0.05)
    run = watch(model, optimizer, b.classes(), show=False)
    for x, y in run:
        loss = b.F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    return run


@broken("zero-grad")
def zero_grad_forgotten_adam(b: Bench) -> Any:
    model = b.mlp(8, 16, 1)
    optimizer = b.adam(model, 1e-2)
    with watch(model, optimizer, show=False) as run:
        for x, y in b.numbers(40):
            loss = b.F.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
    return run


@broken("zeroed")
def cleared_before_the_step(b: Bench) -> Any:
    model = b.mlp(8, 16, 3)
    optimizer = b.sgd(model)
    run = watch(model, optimizer, b.classes(), show=False)
    for x, y in run:
        loss = b.F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
    return run


@broken("step-first")
def step_before_backward(b: Bench) -> Any:
    model = b.mlp(8, 16, 3)
    optimizer = b.sgd(model)
    run = watch(model, optimizer, b.classes(), show=False)
    for x, y in run:
        optimizer.zero_grad()
        loss = b.F.cross_entropy(model(x), y)
        optimizer.step()
        loss.backward()
    return run


@broken("no-step")
def step_never_called(b: Bench) -> Any:
    model = b.mlp(8, 16, 3)
    optimizer = b.sgd(model)
    run = watch(model, optimizer, b.classes(), show=False)
    for x, y in run:
        optimizer.zero_grad()
        loss = b.F.cross_entropy(model(x), y)
        loss.backward()
    return run


@broken("no-backward")
def backward_never_called(b: Bench) -> Any:
    model = b.mlp(8, 16, 3)
    optimizer = b.sgd(model)
    run = watch(model, optimizer, b.classes(), show=False)
    for x, y in run:
        optimizer.zero_grad()
        loss = b.F.cross_entropy(model(x), y)
        assert loss is not None
        optimizer.step()
    return run


@broken("other-model")
def optimizer_of_another_model(b: Bench) -> Any:
    optimizer = b.sgd(b.mlp(8, 16, 3))
    model = b.mlp(8, 16, 3)
    return b.fit(model, optimizer, b.classes(), b.F.cross_entropy)


@broken("not-in-optimizer")
def head_replaced_afterwards(b: Bench) -> Any:
    model = b.mlp(8, 16, 2)
    optimizer = b.sgd(model)
    model[2] = b.nn.Linear(16, 3)
    return b.fit(model, optimizer, b.classes(), b.F.cross_entropy)


@broken("frozen")
def frozen_in_the_optimizer(b: Bench) -> Any:
    model = b.mlp(8, 16, 16, 3)
    model[2].weight.requires_grad = False
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@broken("unused")
def layer_not_used(b: Bench) -> Any:
    nn = b.nn

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.spare = nn.Linear(8, 16), nn.Linear(16, 3), nn.Linear(16, 16)

        def forward(self, x: Any) -> Any:
            return self.two(self.one(x).relu())

    model = Net()
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@broken("detached")
def detached_in_the_middle(b: Bench) -> Any:
    nn = b.nn

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(8, 16), nn.Linear(16, 3)

        def forward(self, x: Any) -> Any:
            return self.two(self.one(x).relu().detach())

    model = Net()
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@broken("no-grad")
def encoder_under_no_grad(b: Bench) -> Any:
    nn, lib = b.nn, b.lib

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(8, 16), nn.Linear(16, 3)

        def forward(self, x: Any) -> Any:
            with lib.no_grad():
                x = self.one(x).relu()
            return self.two(x)

    model = Net()
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@broken("loss-cut")
def loss_made_of_a_number(b: Bench) -> Any:
    model = b.mlp(8, 16, 1)
    lib = b.lib

    def loss_of(out: Any, y: Any) -> Any:
        return lib.tensor(b.F.mse_loss(out, y).item(), requires_grad=True)

    return b.fit(model, b.sgd(model), b.numbers(), loss_of)


@broken("loss-cut")
def loss_under_no_grad_fails(b: Bench) -> Any:
    model = b.mlp(8, 16, 1)
    run = watch(model, b.sgd(model), b.numbers(), show=False)
    try:
        for x, y in run:
            with b.lib.no_grad():
                out = model(x)
            loss = b.F.mse_loss(out, y)
            loss.backward()
    except RuntimeError:
        pass
    return run


@broken("non-leaf")
def weight_is_not_a_leaf(b: Bench) -> Any:
    w = b.lib.randn(8, 1, requires_grad=True) / 10
    bias = b.lib.zeros(1, requires_grad=True)
    optimizer = b.optim.SGD([bias], lr=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = watch({"w": w, "b": bias}, optimizer, b.numbers(), show=False)
        for x, y in run:
            optimizer.zero_grad()
            loss = b.F.mse_loss(x @ w.detach() + bias, y)
            loss.backward()
            optimizer.step()
    return run


@broken("lr-high")
def rate_far_too_high(b: Bench) -> Any:
    model = b.mlp(8, 16, 1)
    return b.fit(model, b.sgd(model, 10.0), b.numbers(), b.F.mse_loss)


@broken("lr-high")
def rate_over_the_edge(b: Bench) -> Any:
    model = b.nn.Linear(8, 1)
    return b.fit(model, b.sgd(model, 1.6), b.numbers(40, 64), b.F.mse_loss)


@broken("lr-high")
def adam_rate_too_high(b: Bench) -> Any:
    model = b.mlp(8, 32, 32, 3)
    return b.fit(model, b.adam(model, 3.0), b.classes(), b.F.cross_entropy)


@broken("lr-low")
def rate_far_too_low(b: Bench) -> Any:
    model = b.mlp(8, 16, 3)
    return b.fit(model, b.sgd(model, 1e-6), b.classes(), b.F.cross_entropy)


@broken("lr-low")
def adam_rate_far_too_low(b: Bench) -> Any:
    model = b.mlp(8, 16, 3)
    return b.fit(model, b.adam(model, 1e-8), b.classes(), b.F.cross_entropy)


@broken("lr-collapsed")
def scheduler_called_too_often(b: Bench) -> Any:
    model = b.mlp(8, 16, 3)
    optimizer = b.sgd(model)
    scheduler = b.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.3)
    run = watch(model, optimizer, b.classes(40), show=False)
    for x, y in run:
        optimizer.zero_grad()
        loss = b.F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
    return run


@broken("softmax-twice")
def softmax_before_cross_entropy(b: Bench) -> Any:
    model = b.mlp(8, 16, 3, end=b.nn.Softmax(dim=1))
    return b.fit(model, b.sgd(model), b.classes(), b.nn.CrossEntropyLoss())


@broken("sigmoid-twice")
def sigmoid_before_logits_loss(b: Bench) -> Any:
    model = b.mlp(8, 16, 1, end=b.nn.Sigmoid())
    batches = [(x, b.tensor((y.numpy() > 0) * 1.0)) for x, y in b.numbers()]
    return b.fit(model, b.sgd(model), batches, b.F.binary_cross_entropy_with_logits)


@broken("nll-input")
def probabilities_to_nll(b: Bench) -> Any:
    model = b.mlp(8, 16, 3, end=b.nn.Softmax(dim=1))
    return b.fit(model, b.sgd(model), b.classes(), b.F.nll_loss)


@broken("broadcast")
def column_against_row(b: Bench) -> Any:
    model = b.mlp(8, 16, 1)
    batches = [(x, y.reshape(-1)) for x, y in b.numbers()]
    return b.fit(model, b.sgd(model, 0.05), batches, b.F.mse_loss)


@broken("input-scale")
def pixels_not_divided(b: Bench) -> Any:
    model = b.mlp(8, 32, 3)
    batches = [(b.tensor((x.numpy() * 40 + 128).clip(0, 255)), y) for x, y in b.classes()]
    return b.fit(model, b.sgd(model, 0.01), batches, b.F.cross_entropy)


@broken("target-scale")
def targets_in_thousands(b: Bench) -> Any:
    model = b.mlp(8, 16, 1)
    batches = [(x, y * 3000 + 20000) for x, y in b.numbers()]
    return b.fit(model, b.adam(model, 1e-3), batches, b.F.mse_loss)


@broken("constant-input")
def inputs_overwritten(b: Bench) -> Any:
    model = b.mlp(8, 16, 3)
    batches = [(x * 0, y) for x, y in b.classes()]
    return b.fit(model, b.sgd(model), batches, b.F.cross_entropy)


@broken("evaluation")
def left_in_evaluation(b: Bench) -> Any:
    nn = b.nn
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))
    model.eval()
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@broken("dropout")
def dropout_of_almost_all(b: Bench) -> Any:
    nn = b.nn
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.97), nn.Linear(32, 3))
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@broken("symmetric")
def all_zeros(b: Bench) -> Any:
    model = b.mlp(8, 16, 16, 3)
    for p in model.parameters():
        b.fill(p, 0.0)
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@broken("symmetric")
def all_the_same(b: Bench) -> Any:
    model = b.mlp(8, 16, 3, act="Tanh")
    b.fill(model[0].weight, 0.1)
    b.fill(model[0].bias, 0.0)
    b.fill(model[2].weight, 0.1)
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@broken("decay")
def weight_decay_wins(b: Bench) -> Any:
    model = b.mlp(8, 32, 3)
    return b.fit(model, b.sgd(model, 0.05, weight_decay=5.0), b.classes(40), b.F.cross_entropy)


@broken("uphill")
def gradient_ascent(b: Bench) -> Any:
    model = b.mlp(8, 16, 1)
    return b.fit(model, b.sgd(model, 0.01, maximize=True), b.numbers(), b.F.mse_loss)


@broken("clipped")
def clipped_to_nothing(b: Bench) -> Any:
    model = b.mlp(8, 16, 3)
    optimizer = b.sgd(model)
    run = watch(model, optimizer, b.classes(), show=False)
    for x, y in run:
        optimizer.zero_grad()
        loss = b.F.cross_entropy(model(x), y)
        loss.backward()
        b.nn.utils.clip_grad_norm_(model.parameters(), 1e-6)
        optimizer.step()
    return run


@broken("zero-gradient")
def multiplied_by_zero(b: Bench) -> Any:
    nn = b.nn

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.one, self.side, self.two = nn.Linear(8, 16), nn.Linear(8, 16), nn.Linear(16, 3)

        def forward(self, x: Any) -> Any:
            return self.two((self.one(x) + 0.0 * self.side(x)).tanh())

    model = Net()
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)
