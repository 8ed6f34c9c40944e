"""A generative adversarial network learns to throw points onto a ring of eight clouds.

    python examples/ring_gan.py

Two networks play against each other (Goodfellow et al., "Generative adversarial nets", 2014): the generator turns noise
into points, the critic tells real points from made ones, and each learns from the other's mistakes. Nobody measures a
distance to the data. Eight clouds are a classical test: a generator likes to settle for a few of them.
"""

from __future__ import annotations

import copy
import math

import matplotlib.pyplot as plt
from common import BLUE, GREY, arguments, finish, smooth
from matplotlib.figure import Figure
from tqdm import tqdm

import nbtorch as torch

nn = torch.nn
F = torch.nn.functional
Tensor = torch.Tensor

CLOUDS, SPREAD, NOISE = 8, 0.08, 8


def centres() -> Tensor:
    angles = 2 * math.pi * torch.arange(CLOUDS) / CLOUDS
    return torch.stack([angles.cos(), angles.sin()], 1)


def real_points(count: int) -> Tensor:
    return centres()[torch.randint(CLOUDS, (count,))] + SPREAD * torch.randn(count, 2)


def network(inputs: int, outputs: int, hidden: int = 96) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.LeakyReLU(0.2),
        nn.Linear(hidden, hidden), nn.LeakyReLU(0.2),
        nn.Linear(hidden, outputs),
    )  # fmt: skip


def main() -> None:
    args = arguments(__doc__, steps=2000)
    torch.manual_seed(args.seed)
    generator, critic = network(NOISE, 2).to(args.device), network(2, 1).to(args.device)
    # Little momentum: the opponent has changed since the last step.
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
    # The generator that is kept is a slow mean of all the ones before: they circle around what they look for.
    steady = copy.deepcopy(generator).requires_grad_(False)

    losses: list[float] = []
    critic_losses: list[float] = []
    for _ in (progress := tqdm(range(args.steps), unit="step")):
        real = real_points(128).to(args.device)
        made = generator(torch.randn(128, NOISE).to(args.device))

        # softplus(-s) is −log of the probability that the critic's score s gives to "real", softplus(s) to "made".
        critic_loss = F.softplus(-critic(real)).mean() + F.softplus(critic(made.detach())).mean()
        critic_optimizer.zero_grad()
        critic_loss.backward()
        critic_optimizer.step()

        generator_loss = F.softplus(-critic(made)).mean()
        generator_optimizer.zero_grad()
        generator_loss.backward()
        generator_optimizer.step()
        with torch.no_grad():
            for kept, now in zip(steady.parameters(), generator.parameters(), strict=True):
                kept.lerp_(now, 0.01)

        critic_losses.append(critic_loss.item())
        losses.append(generator_loss.item())
        progress.set_postfix(generator=f"{losses[-1]:.2f}", critic=f"{critic_losses[-1]:.2f}")

    with torch.no_grad():
        made = steady(torch.randn(2000, NOISE).to(args.device)).cpu()
    distance, cloud = torch.cdist(made, centres()).min(1)
    close = distance < 3 * SPREAD
    share = torch.bincount(cloud[close], minlength=CLOUDS) / len(made)
    summary = (
        f"{close.float().mean().item():.0%} of the points lie in a cloud (of real ones 99%); "
        f"{int((share > 0.02).sum())} of {CLOUDS} clouds are filled"
    )
    finish(args, draw(losses, critic_losses, made, critic.cpu()), losses, summary)


def draw(losses: list[float], critic_losses: list[float], made: Tensor, critic: nn.Sequential) -> Figure:
    figure, (curve, points, field) = plt.subplots(1, 3, figsize=(12, 3.8))
    curve.plot(smooth(critic_losses, 50), label="critic")
    curve.plot(smooth(losses, 50), label="generator")
    curve.axhline(2 * math.log(2), color=GREY, linewidth=1, linestyle="--", label="a critic that can't tell")
    curve.set(title="Losses", xlabel="step")
    curve.legend()

    axis = torch.linspace(-1.6, 1.6, 121)
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)
    density = (-((grid[:, :, None] - centres()) ** 2).sum(-1) / (2 * SPREAD**2)).exp().sum(-1)
    points.contourf(axis, axis, density, levels=[0.05, 0.3, 0.6, 1.0], cmap="Greys", alpha=0.45)
    points.scatter(*made.T, s=3, color=BLUE, alpha=0.5, linewidth=0)
    points.set(title="Made points over the real density")

    with torch.no_grad():
        believed = torch.sigmoid(critic(grid)[..., 0])
    picture = field.imshow(believed, origin="lower", extent=(-1.6, 1.6, -1.6, 1.6), cmap="PuOr_r", vmin=0, vmax=1)
    field.set(title="What the critic takes for real")
    figure.colorbar(picture, ax=field, shrink=0.9, label="probability").outline.set_visible(False)
    for axes in (points, field):
        axes.set(aspect="equal", xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    return figure


if __name__ == "__main__":
    main()
