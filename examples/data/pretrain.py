"""Writes clean_digits.pt, the checkpoint that examples/fine_tuning.py starts from, with real PyTorch (2.13).

    python examples/data/pretrain.py

A small convolutional network learns to read digits on clean paper. It takes a few seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from nbtorch import datasets

TARGET = Path(__file__).parent / "clean_digits.pt"


class Reader(nn.Module):
    """What fine_tuning.py has under the same names: the two share nothing but the file."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(16 * 4 * 4, 32), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(32, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(images))


def pretrain(epochs: int = 8) -> dict[str, object]:
    torch.manual_seed(0)
    torch.set_num_threads(1)  # sums in the same order on every machine
    images, labels = (torch.from_numpy(part.numpy()) for part in datasets.digits("train", flat=False))
    data = torch.utils.data.TensorDataset(images, labels)
    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    for _ in range(epochs):
        for x, y in torch.utils.data.DataLoader(data, batch_size=64, shuffle=True):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return {"epochs": epochs, "model": model.state_dict()}


if __name__ == "__main__":
    torch.save(pretrain(), Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
