"""A convolutional network learns to read handwritten digits, from images that are shifted about while it learns.

    python examples/digits_cnn.py

The same few weights look at every place of the image, and shifting every image by a random pixel shows the model that a
digit stays itself wherever it stands. Batch normalisation keeps the scales in order, and the learning rate rises and
falls once over the run. The figure shows which digits are taken for which, and what the first layer looks for.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
from common import GREY, INK, arguments, digits, finish, show_image, smooth
from matplotlib.figure import Figure
from tqdm import tqdm

import nbtorch as torch

nn = torch.nn
F = torch.nn.functional
Tensor = torch.Tensor


class Net(nn.Module):
    """Two convolutions at full size, one at half, then the mean over the image: 8×8 → 4×4 → one vector → ten scores."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        # The normalisation after each convolution would take a bias away again, so there is none.
        self.first = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.features = nn.Sequential(
            nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(2 * width, 4 * width, 3, padding=1, bias=False), nn.BatchNorm2d(4 * width), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(4 * width, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(self.first(images)))


def shifted(images: Tensor) -> Tensor:
    """The whole batch moved by up to one pixel in both directions; what comes in from outside is paper."""
    down, right = torch.randint(0, 3, (2,)).tolist()
    return F.pad(images, (1, 1, 1, 1))[:, :, down : down + 8, right : right + 8]


def main() -> None:
    args = arguments(__doc__, epochs=15)
    torch.manual_seed(args.seed)
    images, labels = (torch.from_numpy(array).to(args.device) for array in digits("train", flat=False))
    test_images, test_labels = (torch.from_numpy(array).to(args.device) for array in digits("test", flat=False))
    data = torch.utils.data.TensorDataset(images, labels)
    loader = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)

    model = Net().to(args.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=args.epochs * len(loader))

    losses: list[float] = []
    accuracies: list[float] = []
    for _ in (progress := tqdm(range(args.epochs), unit="epoch")):
        model.train()
        for x, y in loader:
            loss = F.cross_entropy(model(shifted(x)), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())

        model.eval()  # batch normalisation now uses the means that it gathered
        with torch.no_grad():
            predictions = model(test_images).argmax(1)
        accuracies.append((predictions == test_labels).float().mean().item())
        progress.set_postfix(loss=f"{losses[-1]:.3f}", accuracy=f"{accuracies[-1]:.1%}")

    confusion = torch.zeros(10, 10, dtype=torch.int64)
    for truth, guess in zip(test_labels.tolist(), predictions.tolist(), strict=True):
        confusion[truth, guess] += 1
    figure = draw(losses, accuracies, confusion, model.first.weight.detach().cpu())
    finish(args, figure, losses, f"test accuracy {accuracies[-1]:.1%} on images it has never seen")


def draw(losses: list[float], accuracies: list[float], confusion: Tensor, filters: Tensor) -> Figure:
    figure = plt.figure(figsize=(11, 3.6))
    left, right = figure.subfigures(1, 2, width_ratios=[2.6, 1])
    curve, table = left.subplots(1, 2)
    curve.semilogy(losses, color=GREY, alpha=0.3, linewidth=0.8)
    curve.semilogy(smooth(losses, 25))
    curve.set(title=f"Loss; accuracy at the end {accuracies[-1]:.1%}", xlabel="step")

    counts = confusion.float()
    table.imshow((counts / counts.sum(1, keepdim=True)) ** 0.5, cmap="Blues", vmin=0, vmax=1.2)
    for truth in range(10):
        for guess in range(10):
            if count := int(confusion[truth, guess]):
                colour = "white" if truth == guess else INK
                table.text(guess, truth, count, ha="center", va="center", color=colour, fontsize=8)
    table.set(title="Digits of the test set", xlabel="read as", ylabel="is a", xticks=range(10), yticks=range(10))
    table.tick_params(length=0)

    right.suptitle("What the first layer looks for", x=0.02, ha="left", size=11, weight="bold")
    for axes, kernel in zip(right.subplots(4, 4).flat, filters[:, 0], strict=True):
        show_image(axes, 0.5 + 0.5 * kernel / kernel.abs().max())
    return figure


if __name__ == "__main__":
    main()
