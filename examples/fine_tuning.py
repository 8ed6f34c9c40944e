"""A network that reads digits on clean paper learns to read them on ruled paper, from three images of each.

    python examples/fine_tuning.py

The checkpoint data/clean_digits.pt was written by real PyTorch (data/pretrain.py is the program). What it knows about
strokes is still true when lines run across the page, so a few small steps are enough. A twin that starts from random
weights sees the same images. All is repeated with several choices of them, because with so few images luck matters.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
from common import arguments, digits, finish, show_image
from matplotlib.figure import Figure
from tqdm import tqdm

import nbtorch as torch

nn = torch.nn
F = torch.nn.functional
Tensor = torch.Tensor

CHECKPOINT = Path(__file__).parent / "data" / "clean_digits.pt"
SHOTS = 3  # images of each digit
ROUNDS = 5  # choices of the images


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(16 * 4 * 4, 32), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(32, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.body(images))


def on_ruled_paper(images: Tensor) -> Tensor:
    """A grey line in every third row; the ink of a digit is darker and stays."""
    images = images.clone()
    images[:, :, 1::3] = images[:, :, 1::3].clamp(min=0.6)
    return images


def main() -> None:
    args = arguments(__doc__, steps=60)
    torch.manual_seed(args.seed)
    images, labels = (torch.from_numpy(array).to(args.device) for array in digits("train", flat=False))
    test_images, test_labels = (torch.from_numpy(array).to(args.device) for array in digits("test", flat=False))
    images, test_images = on_ruled_paper(images), on_ruled_paper(test_images)
    checkpoint = torch.load(CHECKPOINT, map_location=args.device, weights_only=True)

    def accuracy(model: Reader) -> float:
        with torch.no_grad():
            return (model(test_images).argmax(1) == test_labels).float().mean().item()

    losses: list[float] = []
    curves: dict[str, list[list[float]]] = {"from the checkpoint": [], "from nothing": []}
    progress = tqdm(total=ROUNDS * len(curves) * args.steps, unit="step")
    for _ in range(ROUNDS):
        order = torch.randperm(len(labels)).to(args.device)
        chosen = torch.cat([order[labels[order] == digit][:SHOTS] for digit in range(10)])
        for start, rounds in curves.items():
            model = Reader().to(args.device)
            if start == "from the checkpoint":
                model.load_state_dict(checkpoint["model"])
            # What is known already is moved with care.
            rate = 1e-3 if start == "from the checkpoint" else 3e-3
            optimizer = torch.optim.Adam(model.parameters(), lr=rate)
            rounds.append([accuracy(model)])
            for _ in range(args.steps):
                loss = F.cross_entropy(model(images[chosen]), labels[chosen])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                rounds[-1].append(accuracy(model))
                progress.set_postfix(loss=f"{losses[-1]:.3f}", accuracy=f"{rounds[-1][-1]:.1%}")
                progress.update()
    progress.close()

    tables = {start: torch.tensor(rounds) for start, rounds in curves.items()}
    before = tables["from the checkpoint"][0, 0].item()
    after, alone = (table[:, -1].mean().item() for table in tables.values())
    summary = f"test accuracy {before:.1%} before, {after:.1%} after fine-tuning; {alone:.1%} from nothing"
    finish(args, draw(tables, images[chosen].cpu()), losses, summary)


def draw(tables: dict[str, Tensor], shown: Tensor) -> Figure:
    figure = plt.figure(figsize=(10, 3.8))
    left, right = figure.subfigures(1, 2, width_ratios=[1.4, 1])
    axes = left.subplots()
    for start, table in tables.items():
        (line,) = axes.plot(table.mean(0), label=f"{start}: {table[:, -1].mean().item():.0%} at the end")
        low, high = table.min(0).values, table.max(0).values
        axes.fill_between(range(table.shape[1]), low, high, color=line.get_color(), alpha=0.12, linewidth=0)
    axes.set(title=f"Test accuracy, mean and range of {ROUNDS} choices", xlabel="step", ylim=(0, 1))
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.legend(loc="lower right")

    right.suptitle("All that it was shown, in the last choice", x=0.02, ha="left", size=11, weight="bold")
    for place, image in zip(right.subplots(5, 2 * SHOTS).flat, shown[:, 0], strict=True):
        show_image(place, image)
    return figure


if __name__ == "__main__":
    main()
