"""A variational autoencoder learns to draw digits from a plane.

    python examples/vae.py

An encoder says where in a plane an image lies, and how sure it is; a decoder draws the image of any point. The loss is
the negative evidence lower bound of Kingma and Welling, "Auto-Encoding Variational Bayes" (2014): the price of the
drawing, plus the distance of what the encoder says from a standard normal distribution, which keeps the plane dense.
Nobody tells the model which digit is which, yet the figure shows them sorted.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
from common import GREY, arguments, digits, finish, show_image, smooth
from matplotlib.figure import Figure
from tqdm import tqdm

import nbtorch as torch

nn = torch.nn
F = torch.nn.functional
Tensor = torch.Tensor


class VAE(nn.Module):
    def __init__(self, pixels: int = 64, hidden: int = 128, plane: int = 2) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.mean = nn.Linear(hidden, plane)
        self.log_variance = nn.Linear(hidden, plane)
        self.decoder = nn.Sequential(
            nn.Linear(plane, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, pixels)
        )

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.encoder(images)
        return self.mean(hidden), self.log_variance(hidden)

    def decode(self, points: Tensor) -> Tensor:
        return torch.sigmoid(self.decoder(points))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.encode(images)
        # Drawing noise and shifting it, instead of drawing the point, lets the gradient through to the encoder.
        points = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.decode(points), mean, log_variance


def evidence_loss(images: Tensor, drawn: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """The negative evidence lower bound of one image, the mean over the batch."""
    drawing = F.binary_cross_entropy(drawn, images, reduction="sum")
    divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
    return (drawing + divergence) / len(images)


def main() -> None:
    args = arguments(__doc__, epochs=100)
    torch.manual_seed(args.seed)
    images, _ = (torch.from_numpy(array).to(args.device) for array in digits("train"))
    test_images, test_labels = (torch.from_numpy(array).to(args.device) for array in digits("test"))
    loader = torch.utils.data.DataLoader(images, batch_size=64, shuffle=True)

    model = VAE().to(args.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    losses: list[float] = []
    for _ in (progress := tqdm(range(args.epochs), unit="epoch")):
        for batch in loader:
            loss = evidence_loss(batch, *model(batch))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        progress.set_postfix(loss=f"{losses[-1]:.2f}")

    with torch.no_grad():
        points, _ = model.encode(test_images)
        drawn = model.decode(points)
        test_loss = evidence_loss(test_images, *model(test_images)).item()
        # Where a normal distribution has its quantiles: a grid that visits the plane as often as the model was there.
        at = torch.distributions.Normal(0.0, 1.0).icdf(torch.linspace(0.03, 0.97, 12))
        grid = torch.cartesian_prod(-at, at).flip(1).to(args.device)
        tiles = F.pad(model.decode(grid).reshape(12, 12, 8, 8), (1, 1, 1, 1))
        plane = tiles.permute(0, 2, 1, 3).reshape(120, 120)
        nearest = torch.cdist(points, model.encode(images)[0]).argmin(1)
    train_labels = torch.from_numpy(digits("train")[1]).to(args.device)
    sorted_well = (train_labels[nearest] == test_labels).float().mean().item()

    figure = draw(losses, points.cpu(), test_labels.cpu(), plane.cpu(), test_images.cpu(), drawn.cpu())
    summary = (
        f"test loss {test_loss:.2f} nats per image; "
        f"{sorted_well:.0%} of the test images lie beside a training image of the same digit"
    )
    finish(args, figure, losses, summary)


def draw(losses: list[float], points: Any, labels: Any, plane: Any, images: Any, drawn: Any) -> Figure:
    figure = plt.figure(figsize=(12, 4))
    curve_and_pairs, sorted_plane, drawn_plane = figure.subfigures(1, 3, width_ratios=[1, 1.05, 1])
    top, bottom = curve_and_pairs.subfigures(2, 1, height_ratios=[1.3, 1])
    curve = top.subplots()
    curve.plot(losses, color=GREY, alpha=0.3, linewidth=0.8)
    curve.plot(smooth(losses, 50))
    curve.set(title="Loss, nats per image", xlabel="step")
    for column, pair in enumerate(zip(bottom.subplots(2, 7).T, strict=True)):
        (image, copy), i = pair[0], column * 11
        show_image(image, images[i].reshape(8, 8))
        show_image(copy, drawn[i].reshape(8, 8))

    axes, colours = sorted_plane.subplots(), plt.get_cmap("tab10")
    for digit in range(10):
        axes.scatter(*points[labels == digit].T, marker=f"${digit}$", s=28, color=colours(digit), linewidth=0.3)
    axes.set(title="Test images in the plane", xlim=(-3, 3), ylim=(-3, 3), aspect="equal")

    axes = drawn_plane.subplots()
    show_image(axes, plane)
    axes.set_title("The plane, drawn by the decoder", loc="left")
    return figure


if __name__ == "__main__":
    main()
