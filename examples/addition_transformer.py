"""A transformer learns to add numbers of three digits, from examples alone.

    python examples/addition_transformer.py

It reads "347+285=" and writes "2360": the sum, 632, from its last digit on, because that is the way the carries travel.
The pairs are drawn afresh at every step, from a million, so there is nothing to learn by heart: the model has to find
the method. The figure shows how suddenly it does, and where it looks while it writes: at the two digits of the column,
and at the columns to their right, from which a carry may come.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
from common import GREY, arguments, finish, smooth
from matplotlib.figure import Figure
from tqdm import tqdm

import nbtorch as torch

nn = torch.nn
F = torch.nn.functional
Tensor = torch.Tensor

DIGITS = 3
SYMBOLS = "0123456789+="
QUESTION = 2 * DIGITS + 2  # "347+285="
ANSWER = DIGITS + 1  # "2360", the sum 632 from its last digit on


class Block(nn.Module):
    """Look around, then think: attention and a small network, each added to what was there."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, future: Tensor, need_weights: bool = False) -> tuple[Tensor, Tensor | None]:
        y = self.norm_1(x)
        seen, weights = self.attention(y, y, y, attn_mask=future, need_weights=need_weights)
        x = x + seen
        return x + self.network(self.norm_2(x)), weights


class Transformer(nn.Module):
    def __init__(self, width: int = 64, heads: int = 4, layers: int = 2) -> None:
        super().__init__()
        self.symbol = nn.Embedding(len(SYMBOLS), width)
        self.place = nn.Embedding(QUESTION + ANSWER, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, len(SYMBOLS))

    def forward(self, symbols: Tensor, need_weights: bool = False) -> tuple[Tensor, list[Tensor | None]]:
        """Scores of the symbol after each one, and each layer's attention (batch, from, to) if it is asked for."""
        places = torch.arange(symbols.shape[1], device=symbols.device)
        future = places[:, None] < places[None, :]
        x, attention = self.symbol(symbols) + self.place(places), []
        for block in self.blocks:
            x, weights = block(x, future, need_weights)
            attention.append(weights)
        return self.head(self.norm(x)), attention

    @torch.no_grad()
    def answer(self, questions: Tensor) -> Tensor:
        """The most likely answer, digit by digit: each one is read again before the next is written."""
        symbols = questions
        for _ in range(ANSWER):
            scores, _ = self(symbols)
            symbols = torch.cat([symbols, scores[:, -1:].argmax(2)], 1)
        return symbols[:, QUESTION:]


def encode(text: str) -> Tensor:
    """One line as numbers of symbols, (1, length)."""
    return torch.tensor([[SYMBOLS.index(symbol) for symbol in text]])


def digits_of(numbers: Tensor, count: int) -> Tensor:
    """(N,) → (N, count), the last digit first."""
    return numbers[:, None] // 10 ** torch.arange(count) % 10


def exercises(count: int) -> tuple[Tensor, Tensor]:
    """Whole lines, question and answer, as numbers of symbols; and how many carries each has."""
    a, b = torch.randint(0, 10**DIGITS, (2, count))
    plus, equals = encode("+").expand(count, 1), encode("=").expand(count, 1)
    line = [digits_of(a, DIGITS).flip(1), plus, digits_of(b, DIGITS).flip(1), equals, digits_of(a + b, ANSWER)]
    # A column carries where the two numbers, cut off to the left of it, overflow it together.
    powers = 10 ** torch.arange(1, DIGITS + 1)
    carries = (a[:, None] % powers + b[:, None] % powers >= powers).sum(1)
    return torch.cat(line, 1), carries


def main() -> None:
    args = arguments(__doc__, steps=450)
    torch.manual_seed(args.seed)
    test_lines, test_carries = exercises(1000)
    test_lines = test_lines.to(args.device)

    model = Transformer().to(args.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=args.steps, pct_start=0.15)

    losses: list[float] = []
    accuracies: dict[int, list[float]] = {}
    for step in (progress := tqdm(range(args.steps), unit="step")):
        lines = exercises(64)[0].to(args.device)
        scores, _ = model(lines[:, :-1])
        # Only what it writes counts: nobody can guess the question.
        loss = F.cross_entropy(scores[:, QUESTION - 1 :].flatten(0, 1), lines[:, QUESTION:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())

        if step % 25 == 24 or step == args.steps - 1:
            right = (model.answer(test_lines[:, :QUESTION]) == test_lines[:, QUESTION:]).all(1).cpu().float()
            accuracies[step + 1] = [right[test_carries == n].mean().item() for n in range(DIGITS + 1)]
            progress.set_postfix(loss=f"{losses[-1]:.4f}", accuracy=f"{right.mean().item():.1%}")

    line = encode("347+285=2360").to(args.device)
    with torch.no_grad():
        _, attention = model(line[:, :-1], need_weights=True)
    looks = torch.cat(attention).mean(0)[QUESTION - 1 :].cpu()
    summary = f"{right.mean().item():.1%} of 1000 sums it has not been shown are right in every digit"
    finish(args, draw(losses, accuracies, looks), losses, summary)


def draw(losses: list[float], accuracies: dict[int, list[float]], looks: Tensor) -> Figure:
    figure, (curve, carries, image) = plt.subplots(1, 3, figsize=(12, 3.6), width_ratios=[1, 1, 1.4])
    curve.semilogy(losses, color=GREY, alpha=0.3, linewidth=0.8)
    curve.semilogy(smooth(losses, 20))
    curve.set(title="Loss, nats per digit", xlabel="step")

    shades = plt.get_cmap("Blues")
    for n, label in enumerate(("no carry", "one carry", "two carries", "three carries")):
        values = [accuracy[n] for accuracy in accuracies.values()]
        carries.plot(list(accuracies), values, color=shades(0.35 + 0.2 * n), label=label)
    carries.set(title="Right in every digit", xlabel="step", ylim=(-0.02, 1.02))
    carries.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    carries.legend()

    image.imshow(looks, cmap="Blues", aspect="auto", vmin=0)
    image.set(title="347 + 285 = 632: where it looks", xlabel="symbols read so far", ylabel="digit to write")
    image.set_xticks(range(QUESTION + ANSWER - 1), list("347+285=236"))
    image.set_yticks(range(ANSWER), ["2", "3", "6", "0"])
    image.tick_params(length=0)
    return figure


if __name__ == "__main__":
    main()
