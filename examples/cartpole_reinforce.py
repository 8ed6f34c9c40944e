"""REINFORCE learns to balance a pole on a cart, from nothing but how long it stayed up.

    python examples/cartpole_reinforce.py

A policy says how likely it is to push left or right; after the episodes, pushes that went better than expected are made
more likely, the others less (Williams, "Simple statistical gradient-following algorithms", 1992). What is expected is
learned beside it. The cart is the one of Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve
difficult learning control problems" (1983), its equations written out below, and thirty-two of them run side by side.
"""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
from common import BLUE, GREY, arguments, finish
from matplotlib.figure import Figure
from tqdm import tqdm

import nbtorch as torch

nn = torch.nn
F = torch.nn.functional
Tensor = torch.Tensor

GRAVITY, CART_MASS, POLE_MASS, HALF_POLE, PUSH, TICK = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
EDGE, TILT = 2.4, math.radians(12)  # further than this and the episode is over
LONGEST = 200  # ticks: four seconds


def move(state: Tensor, right: Tensor) -> Tensor:
    """One tick of every cart: (carts, 4) positions, speeds, angles and turning speeds; pushed right (1) or left (0)."""
    position, speed, angle, turning = state.unbind(1)
    force = PUSH * (2 * right - 1)
    mass = CART_MASS + POLE_MASS
    shared = (force + POLE_MASS * HALF_POLE * turning**2 * angle.sin()) / mass
    turn = (GRAVITY * angle.sin() - angle.cos() * shared) / (HALF_POLE * (4 / 3 - POLE_MASS * angle.cos() ** 2 / mass))
    push = shared - POLE_MASS * HALF_POLE * turn * angle.cos() / mass
    return torch.stack([position + TICK * speed, speed + TICK * push, angle + TICK * turning, turning + TICK * turn], 1)


class Player(nn.Module):
    """What to do, as the score of left and right, and how many more ticks the pole is expected to stay up."""

    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, hidden), nn.Tanh())
        self.policy = nn.Linear(hidden, 2)
        self.value = nn.Linear(hidden, 1)

    def forward(self, states: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.body(states)
        return self.policy(seen), self.value(seen).squeeze(-1)


@torch.no_grad()
def play(player: Player, carts: int, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """One episode of every cart: states (ticks, carts, 4), actions and whether the pole was still up (ticks, carts)."""
    state = 0.1 * torch.rand(carts, 4) - 0.05
    state = state.to(device)
    up = torch.ones(carts, device=device)
    states, actions, ups = [], [], []
    while len(states) < LONGEST and up.any():
        action = torch.distributions.Categorical(logits=player(state)[0]).sample()
        states.append(state)
        actions.append(action)
        ups.append(up)
        state = move(state, action)
        up = up * (state[:, 0].abs() <= EDGE) * (state[:, 2].abs() <= TILT)
    return torch.stack(states), torch.stack(actions), torch.stack(ups)


def ticks_to_come(up: Tensor, discount: float = 0.98) -> Tensor:
    """At every tick the sum of the rewards from here on, each later one counting a little less."""
    total, totals = torch.zeros_like(up[0]), []
    for reward in up.flip(0):
        total = reward + discount * total
        totals.append(total)
    return torch.stack(totals).flip(0)


def main() -> None:
    args = arguments(__doc__, steps=40)
    torch.manual_seed(args.seed)
    player = Player().to(args.device)
    optimizer = torch.optim.Adam(player.parameters(), lr=0.02)

    losses: list[float] = []
    lengths: list[list[float]] = []
    for _ in (progress := tqdm(range(args.steps), unit="step")):
        states, actions, up = play(player, 32, args.device)
        scores, expected = player(states)
        gained = ticks_to_come(up)
        surprise = (gained - expected).detach()
        log_p = torch.distributions.Categorical(logits=scores).log_prob(actions)
        policy_loss = -(log_p * surprise * up).sum() / up.sum()
        value_loss = (F.smooth_l1_loss(expected, gained, reduction="none") * up).sum() / up.sum()
        loss = policy_loss + value_loss
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(player.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        lengths.append(sorted(up.sum(0).tolist()))
        progress.set_postfix(ticks=f"{sum(lengths[-1]) / 32:.0f}")

    states, _, up = play(player, 200, args.device)
    ticks = up.sum(0)
    summary = (
        f"up for {ticks.mean().item():.0f} of {LONGEST} ticks on average, "
        f"to the end in {(ticks == LONGEST).float().mean().item():.0%} of 200 new episodes"
    )
    finish(args, draw(player.cpu(), lengths, states[:, :12].cpu(), up[:, :12].cpu()), losses, summary)


def draw(player: Player, lengths: list[list[float]], states: Tensor, up: Tensor) -> Figure:
    figure, (curve, paths, plan) = plt.subplots(1, 3, figsize=(12, 3.6))
    steps, counts = range(len(lengths)), torch.tensor(lengths)
    low, middle, high = counts[:, 3], counts[:, 16], counts[:, 28]
    curve.fill_between(steps, low, high, color=BLUE, alpha=0.15, linewidth=0)
    curve.plot(steps, middle)
    curve.axhline(LONGEST, color=GREY, linewidth=1, linestyle="--")
    curve.set(title="Ticks until it falls, 32 carts", xlabel="step", ylim=(0, LONGEST * 1.05))

    for cart in range(states.shape[1]):
        alive = int(up[:, cart].sum())
        paths.plot(torch.rad2deg(states[:alive, cart, 2]), linewidth=0.9, color=BLUE, alpha=0.6)
    paths.set(title="Twelve new episodes", xlabel="tick", ylabel="angle of the pole, degrees", ylim=(-13, 13))

    # The policy over angle and turning speed, with the cart at rest in the middle.
    angle, turning = torch.linspace(-TILT, TILT, 81), torch.linspace(-2, 2, 81)
    grid = torch.zeros(81, 81, 4)
    grid[..., 2], grid[..., 3] = angle, turning[:, None]
    with torch.no_grad():
        right = F.softmax(player(grid)[0], -1)[..., 1]
    picture = plan.imshow(right, origin="lower", aspect="auto", cmap="RdBu", vmin=0, vmax=1, extent=(-12, 12, -2, 2))
    plan.set(title="What it does", xlabel="angle, degrees", ylabel="turning, radians per second")
    figure.colorbar(picture, ax=plan, label="probability of a push to the right").outline.set_visible(False)
    return figure


if __name__ == "__main__":
    main()
