"""An LSTM reads the names of minerals, letter by letter, and then invents new ones.

    python examples/names_lstm.py

At every letter the model says how likely each letter is to come next. Trained on some five hundred names, it has picked
up the stems, the syllables and the endings, and when asked to go on by itself it makes names that nobody has given to a
stone yet. Names differ in length: a batch is padded, and the padding left out of the loss. One name in ten is kept
aside, to see when the model stops learning and begins to know the list by heart.
"""

from __future__ import annotations

import copy
from pathlib import Path

import matplotlib.pyplot as plt
from common import BLUE, GREY, arguments, finish, smooth
from matplotlib.figure import Figure
from tqdm import tqdm

import nbtorch as torch

nn = torch.nn
F = torch.nn.functional
Tensor = torch.Tensor

State = tuple[Tensor, Tensor]

EDGE = "."  # before the first letter and after the last
ALPHABET = EDGE + "abcdefghijklmnopqrstuvwxyz"
PADDING = -1
NAMES = Path(__file__).parent / "data" / "minerals.txt"


class NameModel(nn.Module):
    def __init__(self, letters: int = len(ALPHABET), width: int = 24, hidden: int = 128) -> None:
        super().__init__()
        self.embedding = nn.Embedding(letters, width)
        self.lstm = nn.LSTM(width, hidden, batch_first=True)
        self.dropout = nn.Dropout(0.4)
        self.head = nn.Linear(hidden, letters)

    def forward(
        self, letters: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Scores of the letter after each one, (names, length, letters), and what the model remembers at the end."""
        outputs, state = self.lstm(self.embedding(letters), state)
        return self.head(self.dropout(outputs)), state


def encode(name: str) -> Tensor:
    return torch.tensor([ALPHABET.index(letter) for letter in EDGE + name + EDGE])


def name_loss(model: NameModel, names: list[Tensor], device: str) -> Tensor:
    """The mean over all letters of −log p(letter | the letters before it)."""
    read = nn.utils.rnn.pad_sequence([name[:-1] for name in names], batch_first=True).to(device)
    expected = nn.utils.rnn.pad_sequence([name[1:] for name in names], batch_first=True, padding_value=PADDING)
    scores, _ = model(read)
    return F.cross_entropy(scores.flatten(0, 1), expected.flatten().to(device), ignore_index=PADDING)


def pair_loss(train: list[Tensor], test: list[Tensor]) -> float:
    """What a table of pairs of letters reaches: the mark that a model with a memory has to beat."""
    counts = torch.full((len(ALPHABET), len(ALPHABET)), 0.1)
    for name in train:
        for this, following in zip(name[:-1].tolist(), name[1:].tolist(), strict=True):
            counts[this, following] += 1
    log_p = (counts / counts.sum(1, keepdim=True)).log()
    return -torch.cat([log_p[name[:-1], name[1:]] for name in test]).mean().item()


@torch.no_grad()
def invent(model: NameModel, device: str, longest: int = 16) -> list[tuple[str, float]]:
    """One new name: its letters and how likely each one was."""
    name: list[tuple[str, float]] = []
    letter, state = torch.zeros(1, 1, dtype=torch.int64, device=device), None
    while len(name) < longest:
        scores, state = model(letter, state)
        probabilities = F.softmax(scores[0, -1] / 0.7, dim=0)  # below 1: a little more careful than it learned
        letter = torch.multinomial(probabilities, 1).reshape(1, 1)
        if letter.item() == ALPHABET.index(EDGE):
            break
        name.append((ALPHABET[letter.item()], probabilities[letter.item()].item()))
    return name


def main() -> None:
    args = arguments(__doc__, steps=300)
    torch.manual_seed(args.seed)
    known = NAMES.read_text().split()
    names = [encode(known[i]) for i in torch.randperm(len(known)).tolist()]
    test, train = names[: len(names) // 10], names[len(names) // 10 :]

    model = NameModel().to(args.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses: list[float] = []
    test_losses: dict[int, float] = {}
    for step in (progress := tqdm(range(args.steps), unit="step")):
        batch = [train[i] for i in torch.randint(len(train), (64,)).tolist()]
        loss = name_loss(model, batch, args.device)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if step % 10 == 0 or step == args.steps - 1:
            model.eval()
            with torch.no_grad():
                test_losses[step] = name_loss(model, test, args.device).item()
            model.train()
            if test_losses[step] == min(test_losses.values()):
                best = copy.deepcopy(model.state_dict())
            progress.set_postfix(loss=f"{losses[-1]:.3f}", test=f"{test_losses[step]:.3f}")

    model.load_state_dict(best)  # as it was before it began to know the list by heart
    model.eval()
    invented: list[list[tuple[str, float]]] = []
    while len(invented) < 14:
        name = invent(model, args.device)
        if name and "".join(letter for letter, _ in name) not in known:
            invented.append(name)

    pairs = pair_loss(train, test)
    figure = draw(losses, test_losses, pairs, invented)
    words = ", ".join("".join(letter for letter, _ in name) for name in invented[:5])
    summary = f"test loss {min(test_losses.values()):.3f} nats per letter (a table of pairs: {pairs:.3f}); new: {words}"
    finish(args, figure, losses, summary)


def draw(
    losses: list[float], test_losses: dict[int, float], pairs: float, invented: list[list[tuple[str, float]]]
) -> Figure:
    figure, (curve, page) = plt.subplots(1, 2, figsize=(11, 4.4), width_ratios=[1, 1])
    curve.plot(smooth(losses, 10), label="names it learns from")
    curve.plot(list(test_losses), list(test_losses.values()), label="names kept aside")
    curve.axhline(pairs, color=GREY, linewidth=1, linestyle="--", label="a table of pairs of letters")
    curve.set(title="Loss, nats per letter", xlabel="step")
    curve.legend()

    page.set_title("Invented; the darker, the surer")
    page.axis("off")
    page.set(xlim=(0, 14), ylim=(len(invented), 0))
    for row, name in enumerate(invented):
        for column, (letter, probability) in enumerate(name):
            page.add_patch(
                plt.Rectangle((column, row + 0.08), 0.94, 0.84, color=BLUE, alpha=0.9 * probability, linewidth=0)
            )
            colour = "white" if probability > 0.6 else "black"
            page.text(column + 0.47, row + 0.52, letter, ha="center", va="center", color=colour, family="monospace")
    return figure


if __name__ == "__main__":
    main()
