"""Healthy trainings with features that look odd: the doctor has nothing to say about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from nbtorch_widgets import watch
from widgets.doctor_support import Bench

Training = Callable[[Bench], Any]
HEALTHY: dict[str, Training] = {}


def healthy(training: Training) -> Training:
    HEALTHY[training.__name__] = training
    return training


@healthy
def plain_classifier(b: Bench) -> Any:
    model = b.mlp(8, 32, 32, 3)
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@healthy
def adam_regression(b: Bench) -> Any:
    model = b.mlp(8, 32, 1, act="Tanh")
    return b.fit(model, b.adam(model), b.numbers(), b.F.mse_loss)


@healthy
def plateau_at_the_logarithm_of_classes(b: Bench) -> Any:
    model = b.mlp(8, 32, 10)
    batches = [(x, b.tensor(b.draw.integers(0, 10, 32))) for x, _ in b.classes()]
    return b.fit(model, b.adam(model, 1e-3), batches, b.F.cross_entropy)


@healthy
def few_slow_steps(b: Bench) -> Any:
    model = b.mlp(8, 32, 3)
    return b.fit(model, b.sgd(model, 0.01), b.classes(8), b.F.cross_entropy)


@healthy
def small_net_to_zero_loss(b: Bench) -> Any:
    model = b.mlp(2, 8, 1, act="Tanh", end=None)
    x = b.tensor([[0, 0], [0, 1], [1, 0], [1, 1.0]])
    y = b.tensor([[0.0], [1], [1], [0]])
    return b.fit(model, b.adam(model, 0.1), [(x, y)] * 150, b.F.mse_loss)


@healthy
def exclusive_or_of_relus(b: Bench) -> Any:
    model = b.mlp(2, 16, 1)
    x = b.tensor([[0, 0], [0, 1], [1, 0], [1, 1.0]])
    y = b.tensor([[0.0], [1], [1], [0]])
    return b.fit(model, b.adam(model, 0.03), [(x, y)] * 150, b.F.binary_cross_entropy_with_logits)


@healthy
def batch_norm_with_biases(b: Bench) -> Any:
    nn = b.nn
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Flatten(), nn.Linear(128, 3),
    )  # fmt: skip
    return b.fit(model, b.sgd(model, 0.05, momentum=0.9), b.images(), b.F.cross_entropy)


@healthy
def frozen_on_purpose(b: Bench) -> Any:
    model = b.mlp(8, 32, 32, 3)
    for p in model[0].parameters():
        p.requires_grad = False
    optimizer = b.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    return b.fit(model, optimizer, b.classes(), b.F.cross_entropy)


@healthy
def gradients_of_four_batches(b: Bench) -> Any:
    model = b.mlp(8, 32, 3)
    optimizer = b.sgd(model)
    run = watch(model, optimizer, b.classes(60), show=False)
    for index, (x, y) in enumerate(run):
        loss = b.F.cross_entropy(model(x), y) / 4
        loss.backward()
        if index % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()
    return run


def _adversaries(b: Bench) -> Any:
    return b.mlp(4, 16, 2), b.mlp(2, 16, 1)


@healthy
def two_adversaries(b: Bench) -> Any:
    generator, critic = _adversaries(b)
    both = b.nn.ModuleDict({"generator": generator, "critic": critic})
    first, second = b.adam(generator, 1e-3), b.adam(critic, 1e-3)
    bce = b.F.binary_cross_entropy_with_logits
    batches = [b.tensor(b.draw.standard_normal((16, 2)) + 2) for _ in range(30)]
    run = watch(both, [first, second], batches, show=False)
    for real in run:
        fake = generator(b.tensor(b.draw.standard_normal((16, 4))))
        second.zero_grad()
        loss_c = bce(critic(real), b.lib.ones(16, 1)) + bce(critic(fake.detach()), b.lib.zeros(16, 1))
        loss_c.backward()
        second.step()
        first.zero_grad()
        loss = bce(critic(fake), b.lib.ones(16, 1))
        loss.backward()
        first.step()
    return run


@healthy
def two_adversaries_in_a_loop_of_ones_own(b: Bench) -> Any:
    generator, critic = _adversaries(b)
    both = b.nn.ModuleDict({"generator": generator, "critic": critic})
    first, second = b.adam(generator, 1e-3), b.adam(critic, 1e-3)
    bce = b.F.binary_cross_entropy_with_logits
    with watch(both, [first, second], show=False) as run:
        for _ in range(40):
            real = b.tensor(b.draw.standard_normal((16, 2)) + 2)
            fake = generator(b.tensor(b.draw.standard_normal((16, 4))))
            second.zero_grad()
            loss = bce(critic(real), b.lib.ones(16, 1)) + bce(critic(fake.detach()), b.lib.zeros(16, 1))
            loss.backward()
            second.step()
            first.zero_grad()
            loss = bce(critic(fake), b.lib.ones(16, 1))
            loss.backward()
            first.step()
    return run


@healthy
def warm_up(b: Bench) -> Any:
    model = b.mlp(8, 32, 3)
    optimizer = b.adam(model, 1e-2)
    scheduler = b.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, step / 20))
    run = watch(model, optimizer, b.classes(40), show=False)
    for x, y in run:
        optimizer.zero_grad()
        loss = b.F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
    return run


@healthy
def cosine_schedule(b: Bench) -> Any:
    model = b.mlp(8, 32, 3)
    optimizer = b.sgd(model, 0.2)
    scheduler = b.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
    run = watch(model, optimizer, b.classes(40), show=False)
    for x, y in run:
        optimizer.zero_grad()
        loss = b.F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
    return run


@healthy
def second_order(b: Bench) -> Any:
    model = b.mlp(4, 8, 1, act="Tanh")
    optimizer = b.optim.LBFGS(model.parameters(), lr=0.5, max_iter=5)
    batches = b.numbers(1, 64, 4) * 15
    run = watch(model, optimizer, batches, show=False)
    for x, y in run:

        def closure(x: Any = x, y: Any = y) -> Any:
            optimizer.zero_grad()
            loss = b.F.mse_loss(model(x), y)
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        assert loss is not None
    return run


@healthy
def embedding_of_rare_words(b: Bench) -> Any:
    nn = b.nn
    model = nn.Sequential(nn.Embedding(500, 8), nn.Flatten(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 2))
    batches = []
    for _ in range(30):
        words = b.draw.integers(0, 500, (16, 4))
        batches.append((b.tensor(words), b.tensor((words[:, 0] > 250) * 1)))
    return b.fit(model, b.adam(model), batches, b.F.cross_entropy)


@healthy
def tied_weights(b: Bench) -> Any:
    nn = b.nn

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.words, self.mix, self.out = nn.Embedding(20, 16), nn.Linear(16, 16), nn.Linear(16, 20, bias=False)
            self.out.weight = self.words.weight

        def forward(self, x: Any) -> Any:
            return self.out(self.mix(self.words(x)).tanh())

    model = Net()
    batches = []
    for _ in range(30):
        x = b.draw.integers(0, 20, 32)
        batches.append((b.tensor(x), b.tensor((x + 1) % 20)))
    return b.fit(model, b.adam(model), batches, b.F.cross_entropy)


@healthy
def little_gpt(b: Bench) -> Any:
    nn, F, lib = b.nn, b.F, b.lib

    class Block(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.qkv, self.proj = nn.LayerNorm(16), nn.Linear(16, 48), nn.Linear(16, 16)
            self.norm2, self.up, self.down = nn.LayerNorm(16), nn.Linear(16, 64), nn.Linear(64, 16)
            nn.init.zeros_(self.proj.weight)
            nn.init.zeros_(self.down.weight)

        def forward(self, x: Any) -> Any:
            q, k, v = self.qkv(self.norm1(x)).chunk(3, dim=-1)
            mask = lib.tril(lib.ones(x.shape[1], x.shape[1])) == 0
            scores = (q @ k.transpose(1, 2) / 4).masked_fill(mask, float("-inf"))
            x = x + self.proj(F.softmax(scores, dim=-1) @ v)
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    class GPT(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.words, self.places = nn.Embedding(12, 16), nn.Embedding(8, 16)
            self.blocks = nn.ModuleList([Block(), Block()])
            self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 12, bias=False)

        def forward(self, x: Any) -> Any:
            h = self.words(x) + self.places(lib.arange(x.shape[1]))
            for block in self.blocks:
                h = block(h)
            return self.head(self.norm(h)).reshape(-1, 12)

    model = GPT()
    batches = []
    for _ in range(12):
        x = b.draw.integers(0, 12, (4, 9))
        batches.append((b.tensor(x[:, :-1]), b.tensor(x[:, 1:].reshape(-1))))
    return b.fit(model, b.optim.AdamW(model.parameters(), lr=1e-3), batches, F.cross_entropy)


@healthy
def dropout_in_training(b: Bench) -> Any:
    nn = b.nn
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 3))
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@healthy
def noisy_single_examples(b: Bench) -> Any:
    model = b.mlp(8, 16, 1)
    return b.fit(model, b.sgd(model, 0.005), b.numbers(120, 1, noise=1.0), b.F.mse_loss)


@healthy
def recurrent_with_clipping(b: Bench) -> Any:
    nn = b.nn

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.head = nn.GRU(4, 16, batch_first=True), nn.Linear(16, 1)

        def forward(self, x: Any) -> Any:
            return self.head(self.rnn(x)[0][:, -1])

    model = Net()
    optimizer = b.adam(model)
    batches = []
    for _ in range(15):
        x = b.draw.standard_normal((16, 6, 4))
        batches.append((b.tensor(x), b.tensor(x[:, -1, :1] + x[:, -2, :1])))
    run = watch(model, optimizer, batches, show=False)
    for x, y in run:
        optimizer.zero_grad()
        loss = b.F.mse_loss(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return run


@healthy
def a_last_layer_of_zeros(b: Bench) -> Any:
    model = b.mlp(8, 32, 3)
    for p in model[2].parameters():
        b.fill(p, 0.0)
    return b.fit(model, b.sgd(model), b.classes(), b.F.cross_entropy)


@healthy
def features_under_no_grad(b: Bench) -> Any:
    nn, lib = b.nn, b.lib
    body, head = b.mlp(8, 32), nn.Linear(32, 3)

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = body, head

        def forward(self, x: Any) -> Any:
            with lib.no_grad():
                x = self.body(x).relu()
            return self.head(x)

    model = Net()
    return b.fit(model, b.sgd(head), b.classes(), b.F.cross_entropy)


@healthy
def log_likelihood_by_hand(b: Bench) -> Any:
    model = b.mlp(8, 16, 3, end=b.nn.Softmax(dim=1))
    return b.fit(model, b.sgd(model, 0.2), b.classes(), lambda p, y: b.F.nll_loss(p.log(), y))


@healthy
def an_update_by_hand(b: Bench) -> Any:
    w, bias = b.lib.zeros(8, 1, requires_grad=True), b.lib.zeros(1, requires_grad=True)
    run = watch({"w": w, "b": bias}, None, b.numbers(), show=False)
    for x, y in run:
        loss = ((x @ w + bias - y) ** 2).mean()
        loss.backward()
        with b.lib.no_grad():
            for p in (w, bias):
                p -= 0.1 * p.grad
                p.grad = None
    return run


@healthy
def four_sigmoid_layers(b: Bench) -> Any:
    model = b.mlp(8, 32, 32, 3, act="Sigmoid")
    return b.fit(model, b.adam(model, 0.01), b.classes(40), b.F.cross_entropy)


@healthy
def moderate_weight_decay(b: Bench) -> Any:
    model = b.mlp(8, 32, 3)
    optimizer = b.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    return b.fit(model, optimizer, b.classes(40), b.F.cross_entropy)


@healthy
def counts_as_inputs(b: Bench) -> Any:
    model = b.mlp(8, 32, 1)
    batches = []
    for _ in range(30):
        x = b.draw.poisson(3.0, (32, 8)).astype(np.float64)
        batches.append((b.tensor(x), b.tensor(x[:, :1] - x[:, 1:2])))
    return b.fit(model, b.adam(model, 1e-2), batches, b.F.mse_loss)
