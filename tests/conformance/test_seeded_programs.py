"""Seeded programs: the same text runs under both libraries, no weight is copied, and the printed losses are equal."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import pytest

import nbtorch

pytestmark = pytest.mark.cpu_only(
    "PyTorch's programs on the CPU; random numbers are drawn on the host for every device"
)

PROGRAMS: list[Any] = []


def program(function: Callable[[Any], None]) -> Callable[[Any], None]:
    PROGRAMS.append(pytest.param(function, id=function.__name__))
    return function


def printed(function: Callable[[Any], None], torch: Any) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        function(torch)
    return out.getvalue()


@pytest.mark.parametrize("function", PROGRAMS)
def test_prints_what_pytorch_prints(function: Any, torch_ref: Any) -> None:
    ours, theirs = printed(function, nbtorch), printed(function, torch_ref)
    assert ours == theirs
    assert len(ours.splitlines()) >= 5


@program
def mlp_with_dropout(torch: Any) -> None:
    from types import SimpleNamespace  # stands for `import torch.nn as nn`

    nn = SimpleNamespace(**{name: getattr(torch.nn, name) for name in ("Sequential", "Linear", "ReLU", "Dropout")})
    torch.manual_seed(0)
    x, y = torch.randn(64, 10), torch.randint(0, 3, (64,))
    model = nn.Sequential(
        nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 3)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for step in range(10):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        print(f"{step} {loss.item():.4f}")


@program
def embedding_model(torch: Any) -> None:
    torch.manual_seed(7)
    corpus = torch.randint(0, 50, (200,))
    embedding, head = torch.nn.Embedding(50, 16), torch.nn.Linear(32, 50)
    parameters = [*embedding.parameters(), *head.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.5)
    for _ in range(8):
        at = torch.randperm(198)[:32]
        context = torch.stack([corpus[at], corpus[at + 1]], 1)
        logits = head(embedding(context).reshape(32, 32))
        loss = torch.nn.functional.cross_entropy(logits, corpus[at + 2])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f}")


@program
def variational_autoencoder(torch: Any) -> None:
    torch.manual_seed(1)
    data = torch.rand(40, 12)
    encoder, decoder = torch.nn.Linear(12, 8), torch.nn.Linear(4, 12)
    optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.05)
    for _ in range(8):
        mean, log_variance = encoder(data).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        rebuilt = torch.sigmoid(decoder(z))
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1).mean()
        loss = torch.nn.functional.binary_cross_entropy(rebuilt, data) + 0.1 * divergence
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f} {divergence.item():.4f}")


@program
def shuffled_batches(torch: Any) -> None:
    torch.manual_seed(2)
    x = torch.randn(50, 3)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.1 * torch.randn(50, 1)
    data = torch.utils.data
    train, test = data.random_split(data.TensorDataset(x, y), [40, 10])
    loader = data.DataLoader(train, batch_size=8, shuffle=True)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(3):
        for inputs, targets in loader:
            loss = torch.nn.functional.mse_loss(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            print(f"{epoch} {loss.item():.4f}")
    print(list(test.indices))


@program
def reinforce(torch: Any) -> None:
    torch.manual_seed(3)
    policy = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3))
    optimizer = torch.optim.SGD(policy.parameters(), lr=0.2)
    pays = torch.tensor([0.1, 1.0, 0.3])
    for _ in range(10):
        states = torch.rand(20, 4)
        logs = torch.log_softmax(policy(states), 1)
        actions = torch.multinomial(logs.exp(), 1)
        rewards = pays[actions.squeeze(1)] + 0.01 * torch.randn(20)
        loss = -(logs.gather(1, actions).squeeze(1) * (rewards - rewards.mean())).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{rewards.mean().item():.4f} {loss.item():.4f} {actions.flatten().tolist()}")


@program
def adversaries(torch: Any) -> None:
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(4)
    forger = nn.Sequential(nn.Linear(4, 16), nn.LeakyReLU(0.2), nn.Linear(16, 2))
    critic = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(16, 1))
    optimizers = [torch.optim.SGD(part.parameters(), lr=0.1) for part in (forger, critic)]
    ones, zeros = torch.ones(32, 1), torch.zeros(32, 1)
    for _ in range(8):
        real = torch.empty(32, 2).normal_(2.0, 0.5)
        fake = forger(torch.randn(32, 4))
        doubt = F.binary_cross_entropy_with_logits(critic(real), ones) + F.binary_cross_entropy_with_logits(
            critic(fake.detach()), zeros
        )
        optimizers[1].zero_grad()
        doubt.backward()
        optimizers[1].step()
        deceit = F.binary_cross_entropy_with_logits(critic(fake), ones)
        optimizers[0].zero_grad()
        deceit.backward()
        optimizers[0].step()
        print(f"{doubt.item():.4f} {deceit.item():.4f}")


@program
def initialised_by_hand(torch: Any) -> None:
    init = torch.nn.init
    torch.manual_seed(5)
    shapes = [(20, 30), (5,), (7, 3)]
    for name in ("xavier_uniform_", "kaiming_normal_", "trunc_normal_", "orthogonal_"):
        weight = getattr(init, name)(torch.empty(20, 30))
        print(name, f"{weight.sum().item():.4f} {weight.std().item():.4f}")
    for shape in shapes:
        noise = torch.empty(shape).exponential_(2.0) + torch.empty(shape).uniform_(-1, 1)
        print(f"{noise.sum().item():.4f}", torch.bernoulli(torch.full(shape, 0.3)).sum().item())


@program
def noisy_networks_in_double(torch: Any) -> None:
    generator = torch.Generator().manual_seed(11)
    torch.manual_seed(6)
    weight = torch.randn(6, 6, dtype=torch.float64, requires_grad=True)
    for step in range(8):
        x = torch.randn(9, 6, dtype=torch.float64, generator=generator)
        hidden = torch.nn.functional.alpha_dropout(torch.nn.functional.selu(x @ weight), 0.2, training=True)
        slopes = torch.nn.functional.rrelu(hidden - torch.poisson(torch.full((9, 6), 0.5)).double(), training=True)
        loss = (slopes**2).mean()
        (grad,) = torch.autograd.grad(loss, weight)
        with torch.no_grad():
            weight -= 0.1 * grad + 1e-3 * torch.normal(torch.zeros_like(weight), 1.0)
        print(step, f"{loss.item():.10f}")


@program
def annealed_by_a_saved_state(torch: Any) -> None:
    torch.manual_seed(8)
    position, energy = torch.zeros(3), float("inf")
    start = torch.get_rng_state()
    for again in range(2):
        torch.set_rng_state(start)
        position, energy = torch.zeros(3), 10.0
        for step in range(6):
            proposal = position + torch.empty(3).cauchy_(0.0, 0.1)
            cost = ((proposal - 1) ** 2).sum().item()
            if cost < energy or torch.rand(()).item() < 0.1:
                position, energy = proposal, cost
            print(again, step, f"{energy:.4f}", torch.randint(0, 100, (3,)).tolist())
