"""Trainings that the doctor's rules were not tuned on: python tests/widgets/doctor_heldout.py [nbtorch torch]

Written by an author who had read the table of thresholds and the rules on the pace, but had not run the doctor on any
of these. Expectations stay as they were first written; a training that is used to change a rule is no longer held out.
"""

from __future__ import annotations

import importlib
import pathlib
import sys
import warnings
from collections.abc import Callable
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from nbtorch_widgets import watch
from widgets.doctor_measure import measure
from widgets.doctor_support import Bench

Training = Callable[[Bench], Any]
BROKEN: dict[str, tuple[tuple[str, ...], Training]] = {}
HEALTHY: dict[str, Training] = {}


def case(*codes: str) -> Callable[[Training], Training]:
    """Register a broken training by its findings; without any, a healthy one."""

    def register(training: Training) -> Training:
        if codes:
            BROKEN[training.__name__] = codes, training
        else:
            HEALTHY[training.__name__] = training
        return training

    return register


def resnet(b: Bench) -> Any:
    nn = b.nn

    class Block(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
            self.norm1, self.norm2, self.act = nn.BatchNorm2d(8), nn.BatchNorm2d(8), nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.act(x + self.norm2(self.two(self.act(self.norm1(self.one(x))))))

    stem = nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()
    return nn.Sequential(*stem, Block(), Block(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))


def sequence_net(b: Bench, kind: str = "LSTM", detach: bool = False) -> Any:
    nn = b.nn

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.cells, self.head = getattr(nn, kind)(4, 16, batch_first=True), nn.Linear(16, 1)

        def forward(self, x: Any) -> Any:
            last = self.cells(x)[0][:, -1]
            return self.head(last.detach() if detach else last)

    return Net()


def sequences(b: Bench, length: int = 12) -> list[Any]:
    xs = [b.draw.standard_normal((16, length, 4)) for _ in range(30)]
    return [(b.tensor(x), b.tensor(x[:, -3:].mean((1, 2))[:, None] * 3)) for x in xs]


def words(b: Bench, embedding: Any = None) -> tuple[Any, list[Any]]:
    nn = b.nn
    model = nn.Sequential(
        embedding or nn.Embedding(20, 8), nn.Flatten(), nn.Linear(40, 16), nn.GELU(), nn.Linear(16, 2)
    )
    xs = [b.draw.integers(0, 20, (32, 5)) for _ in range(40)]
    return model, [(b.tensor(x), b.tensor((x.mean(1) > 9.5).astype(int))) for x in xs]


def autoencoder(b: Bench) -> tuple[Any, list[Any]]:
    return b.mlp(8, 16, 3, 16, 8, act="SiLU"), [(x, x) for x, _ in b.classes(40)]


def two_towers(b: Bench, cut: bool = False) -> Any:
    nn = b.nn

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right, self.head = nn.Linear(8, 16), nn.Linear(8, 16), nn.Linear(16, 3)

        def forward(self, x: Any) -> Any:
            right = self.right(x)
            return self.head((self.left(x) + (right.detach() if cut else right)).tanh())

    return Net()


def loop(b: Bench, model: Any, optimizer: Any, batches: list[Any], loss_of: Any, **how: Any) -> Any:
    """A loop with the habits of real ones: clipping, a schedule, accumulation."""
    every, clip, schedule = how.get("every", 1), how.get("clip"), how.get("schedule")
    run = watch(model, optimizer, batches, show=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i, (x, y) in enumerate(run):
            loss = loss_of(model(x), y) / every
            loss.backward()
            if (i + 1) % every == 0:
                if clip:
                    b.nn.utils.clip_grad_norm_(model.parameters(), clip)
                optimizer.step()
                if schedule:
                    schedule.step()
                if not how.get("keep"):
                    optimizer.zero_grad()
    return run


@case("zero-grad")
def lstm_never_cleared(b: Bench) -> Any:
    m = sequence_net(b)
    return loop(b, m, b.adam(m), sequences(b), b.F.mse_loss, keep=True)


@case("zero-grad")
def autoencoder_never_cleared(b: Bench) -> Any:
    m, data = autoencoder(b)
    return loop(b, m, b.sgd(m, 0.05), data, b.F.mse_loss, keep=True)


@case("lr-high")
def resnet_rate_100_times(b: Bench) -> Any:
    m = resnet(b)
    return b.fit(m, b.adam(m, 1.0), b.images(30), b.F.cross_entropy)


@case("lr-high")
def gelu_net_rmsprop_too_fast(b: Bench) -> Any:
    m = b.mlp(8, 32, 32, 1, act="GELU")
    return b.fit(m, b.optim.RMSprop(m.parameters(), lr=1.0), b.numbers(), b.F.mse_loss)


@case("lr-high", "exploding")
def autoencoder_rate_diverges(b: Bench) -> Any:
    m, data = autoencoder(b)
    return b.fit(m, b.sgd(m, 10.0), data, b.F.mse_loss)


@case("lr-low")
def lstm_rate_too_low(b: Bench) -> Any:
    m = sequence_net(b)
    return b.fit(m, b.adam(m, 1e-8), sequences(b), b.F.mse_loss)


@case("detached")
def lstm_detached(b: Bench) -> Any:
    m = sequence_net(b, detach=True)
    return b.fit(m, b.adam(m), sequences(b), b.F.mse_loss)


@case("detached")
def one_tower_detached(b: Bench) -> Any:
    m = two_towers(b, cut=True)
    return b.fit(m, b.sgd(m), b.classes(), b.F.cross_entropy)


@case("not-in-optimizer")
def embedding_not_in_optimizer(b: Bench) -> Any:
    m, data = words(b)
    return b.fit(m, b.optim.AdamW([p for layer in m[2:] for p in layer.parameters()], lr=1e-2), data, b.F.cross_entropy)


@case("dead-relu")
def wide_net_all_biases_negative(b: Bench) -> Any:
    m = b.mlp(8, 64, 64, 1)
    b.fill(m[0].bias, -8.0)
    b.fill(m[2].bias, -8.0)
    return b.fit(m, b.adam(m, 1e-3), b.numbers(), b.F.mse_loss)


@case("saturated")
def tanh_large_normal_init(b: Bench) -> Any:
    m = b.mlp(8, 64, 64, 3, act="Tanh")
    for i in (0, 2):
        b.scale(m[i].weight, 25.0)
    return b.fit(m, b.adam(m, 1e-3), b.classes(), b.F.cross_entropy)


@case("vanishing")
def twelve_sigmoids_adam(b: Bench) -> Any:
    m = b.mlp(8, *[24] * 12, 1, act="Sigmoid")
    return b.fit(m, b.adam(m, 1e-3), b.numbers(), b.F.mse_loss)


@case("exploding")
def fourteen_relus_explode(b: Bench) -> Any:
    m = b.mlp(8, *[24] * 14, 1)
    for p in m.parameters():
        b.scale(p, 5.0)
    return b.fit(m, b.sgd(m, 1e-4), b.numbers(), b.F.mse_loss)


@case("nan-loss", "nan-forward")
def log_of_a_relu(b: Bench) -> Any:
    m = b.mlp(8, 32, 1, end=b.nn.ReLU())
    return b.fit(m, b.adam(m), b.numbers(), lambda o, y: -(o.log() * y.abs()).mean())


@case("nan-backward")
def distance_of_equal_towers(b: Bench) -> Any:
    m = b.mlp(8, 16, 4, act="Tanh")
    return b.fit(m, b.sgd(m), b.classes(), lambda o, y: ((o - o) ** 2).sum(1).sqrt().mean() + (o**2).mean())


@case("softmax-twice")
def resnet_softmax_twice(b: Bench) -> Any:
    m = b.nn.Sequential(resnet(b), b.nn.Softmax(dim=1))
    return b.fit(m, b.adam(m, 1e-3), b.images(), b.F.cross_entropy)


@case("input-scale")
def gelu_inputs_in_thousands(b: Bench) -> Any:
    m = b.mlp(8, 32, 3, act="GELU")
    return b.fit(m, b.sgd(m), [(x * 1000, y) for x, y in b.classes()], b.F.cross_entropy)


@case("symmetric")
def gelu_all_zero(b: Bench) -> Any:
    m = b.mlp(8, 32, 32, 3, act="GELU")
    for p in m.parameters():
        b.fill(p, 0.0)
    return b.fit(m, b.adam(m), b.classes(), b.F.cross_entropy)


@case("uphill")
def autoencoder_wrong_sign(b: Bench) -> Any:
    m, data = autoencoder(b)
    return b.fit(m, b.sgd(m, 0.05, maximize=True), data, b.F.mse_loss)


@case("frozen")
def lstm_frozen_by_accident(b: Bench) -> Any:
    m = sequence_net(b)
    for p in m.cells.parameters():
        p.requires_grad = False
    return b.fit(m, b.adam(m), sequences(b), b.F.mse_loss)


@case()
def small_resnet(b: Bench) -> Any:
    m = resnet(b)
    return b.fit(m, b.sgd(m, 0.05, momentum=0.9, weight_decay=1e-4), b.images(30), b.F.cross_entropy)


@case()
def lstm_clipped(b: Bench) -> Any:
    m = sequence_net(b)
    return loop(b, m, b.adam(m), sequences(b), b.F.mse_loss, clip=1.0)


@case()
def gru_sum(b: Bench) -> Any:
    m = sequence_net(b, "GRU")
    return b.fit(m, b.optim.RMSprop(m.parameters(), lr=3e-3), sequences(b), b.F.mse_loss)


@case()
def silu_autoencoder(b: Bench) -> Any:
    m, data = autoencoder(b)
    return b.fit(m, b.adam(m), data, b.F.mse_loss)


@case()
def word_classifier(b: Bench) -> Any:
    m, data = words(b)
    return b.fit(m, b.optim.AdamW(m.parameters(), lr=1e-2), data, b.F.cross_entropy)


@case()
def frozen_embedding(b: Bench) -> Any:
    m, data = words(b)
    m[0].weight.requires_grad = False
    return b.fit(m, b.optim.AdamW([p for p in m.parameters() if p.requires_grad], lr=1e-2), data, b.F.cross_entropy)


@case()
def accumulation_of_three(b: Bench) -> Any:
    m = b.mlp(8, 32, 3, act="GELU")
    return loop(b, m, b.sgd(m), b.classes(45), b.F.cross_entropy, every=3)


@case()
def accumulation_of_eight_with_adam(b: Bench) -> Any:
    m = b.mlp(8, 32, 1, act="SiLU")
    return loop(b, m, b.adam(m), b.numbers(64), b.F.mse_loss, every=8)


@case()
def label_smoothing(b: Bench) -> Any:
    m = b.mlp(8, 32, 3, act="Tanh")
    return b.fit(m, b.adam(m), b.classes(), lambda o, y: b.F.cross_entropy(o, y, label_smoothing=0.1))


@case()
def fine_tuning_rate(b: Bench) -> Any:
    m = b.mlp(8, 32, 3)
    data = b.classes(60)
    b.fit(m, b.adam(m), data, b.F.cross_entropy)
    return b.fit(m, b.optim.AdamW(m.parameters(), lr=2e-5), data[:30], b.F.cross_entropy)


@case()
def warm_up_and_clipping(b: Bench) -> Any:
    m = b.mlp(8, 64, 64, 3, act="GELU")
    o = b.optim.AdamW(m.parameters(), lr=3e-3)
    s = b.optim.lr_scheduler.LambdaLR(o, lambda i: min(1.0, (i + 1) / 10))
    return loop(b, m, o, b.classes(40), b.F.cross_entropy, clip=1.0, schedule=s)


@case()
def siamese(b: Bench) -> Any:
    m = b.mlp(8, 32, 4, act="Tanh")

    def contrast(o: Any, y: Any) -> Any:
        far, same = ((o[:16] - o[16:]) ** 2).sum(1), (y[:16] == y[16:]).float()
        return (same * far + (1 - same) * b.F.relu(1 - far)).mean()

    return b.fit(m, b.adam(m, 3e-3), b.classes(40), contrast)


@case()
def two_towers_whole(b: Bench) -> Any:
    m = two_towers(b)
    return b.fit(m, b.sgd(m, 0.1, momentum=0.9, nesterov=True), b.classes(), b.F.cross_entropy)


@case()
def layer_norm_with_adamw(b: Bench) -> Any:
    nn = b.nn
    m = nn.Sequential(nn.Linear(8, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 32), nn.LayerNorm(32), nn.GELU(),
                      nn.Linear(32, 3))  # fmt: skip
    return b.fit(m, b.optim.AdamW(m.parameters(), lr=1e-3, weight_decay=0.1), b.classes(40), b.F.cross_entropy)


@case()
def large_batches_of_adagrad(b: Bench) -> Any:
    m = b.mlp(8, 16, 1, act="Tanh")
    return b.fit(m, b.optim.Adagrad(m.parameters(), lr=0.05), b.numbers(30, 256), b.F.mse_loss)


if __name__ == "__main__":
    for name in [a for a in sys.argv[1:] if a in ("nbtorch", "torch")] or ["nbtorch", "torch"]:
        print(name)
        named, count, quiet, sound = measure(importlib.import_module(name), BROKEN, HEALTHY)
        print(f"  named first {named} of {count}, nothing said on {quiet} of {sound} healthy")
