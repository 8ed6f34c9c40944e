"""A multilayer perceptron learns to read handwritten digits.

    python examples/digits_mlp.py

The whole of supervised learning in its smallest form: batches, a model, a loss, its gradient, a step. The figure shows
how it went, and the images that the model still gets wrong: some of them a person would get wrong as well.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
from common import GREY, RED, arguments, digits, finish, show_image, smooth
from matplotlib.figure import Figure
from tqdm import tqdm

import nbtorch as torch

nn = torch.nn
F = torch.nn.functional


def main() -> None:
    args = arguments(__doc__, epochs=40)
    torch.manual_seed(args.seed)
    images, labels = (torch.from_numpy(array).to(args.device) for array in digits("train"))
    test_images, test_labels = (torch.from_numpy(array).to(args.device) for array in digits("test"))
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=64, shuffle=True)

    model = nn.Sequential(
        nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(128, 10),
    ).to(args.device)  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    losses: list[float] = []
    accuracies: list[float] = []
    for _ in (progress := tqdm(range(args.epochs), unit="epoch")):
        model.train()
        for x, y in loader:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

        model.eval()  # dropout is for training only
        with torch.no_grad():
            predictions = model(test_images).argmax(1)
        accuracies.append((predictions == test_labels).float().mean().item())
        progress.set_postfix(loss=f"{losses[-1]:.3f}", accuracy=f"{accuracies[-1]:.1%}")

    figure = draw(losses, accuracies, test_images.cpu(), test_labels.cpu(), predictions.cpu())
    finish(args, figure, losses, f"test accuracy {accuracies[-1]:.1%} on images it has never seen")


def draw(losses: list[float], accuracies: list[float], images: Any, labels: Any, predictions: Any) -> Figure:
    figure = plt.figure(figsize=(11, 3.6))
    left, right = figure.subfigures(1, 2, width_ratios=[1.7, 1])
    curve, share = left.subplots(1, 2)
    curve.semilogy(losses, color=GREY, alpha=0.3, linewidth=0.8)
    curve.semilogy(smooth(losses, 50))
    curve.set(title="Loss", xlabel="step")
    share.plot(range(1, len(accuracies) + 1), accuracies)
    share.set(title="Accuracy on the test set", xlabel="epoch", ylim=(min(0.8, *accuracies), 1))
    share.yaxis.set_major_locator(plt.MaxNLocator(5, steps=[1, 2, 5]))
    share.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")

    wrong = (predictions != labels).nonzero().flatten().tolist()
    right.suptitle(f"Read wrongly: {len(wrong)} of {len(labels)}", x=0.02, ha="left", size=11, weight="bold")
    places = right.subplots(2, 4).flatten()
    for axes in places:
        axes.axis("off")
    for axes, i in zip(places, wrong, strict=False):
        axes.axis("on")
        show_image(axes, images[i].reshape(8, 8), f"{labels[i]}, not {predictions[i]}", RED)
    return figure


if __name__ == "__main__":
    main()
