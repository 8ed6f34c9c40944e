"""Seeded programs with images: convolutional networks train under both libraries and print the same losses."""

from __future__ import annotations

from typing import Any

import pytest

import nbtorch

from .test_seeded_programs import printed

pytestmark = pytest.mark.cpu_only(
    "PyTorch's programs on the CPU; random numbers are drawn on the host for every device"
)


def train(torch: Any, model: Any, x: Any, y: Any, optimizer: Any) -> None:
    model.train()
    for _ in range(5):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        print(f"{loss.item():.4f} {norm.item():.3f}")
    model.eval()
    with torch.no_grad():
        print([round(v, 3) for v in model(x)[0].tolist()])


def lenet(torch: Any) -> None:
    nn = torch.nn

    class LeNet(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv2d(1, 6, 5, padding=2),
                nn.Tanh(),
                nn.AvgPool2d(2),
                nn.Conv2d(6, 16, 5),
                nn.Tanh(),
                nn.MaxPool2d(2),
            )
            self.classifier = nn.Sequential(nn.Linear(16 * 5 * 5, 84), nn.Tanh(), nn.Linear(84, 10))

        def forward(self, x: Any) -> Any:
            return self.classifier(torch.flatten(self.features(x), 1))

    torch.manual_seed(0)
    model = LeNet()
    print(model)
    x, y = torch.randn(8, 1, 28, 28), torch.randint(0, 10, (8,))
    train(torch, model, x, y, torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9))


def vgg_with_batch_norm(torch: Any) -> None:
    nn = torch.nn
    torch.manual_seed(1)
    layers: list[Any] = []
    channels = 3
    for width in (8, "M", 16, 16, "M"):
        if width == "M":
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        else:
            layers += [
                nn.Conv2d(channels, width, kernel_size=3, padding=1),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            channels = width
    model = nn.Sequential(
        *layers,
        nn.AdaptiveAvgPool2d((2, 2)),
        nn.Flatten(),
        nn.Linear(64, 32),
        nn.ReLU(True),
        nn.Dropout(),
        nn.Linear(32, 5),
    )
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            nn.init.constant_(m.bias, 0)
    x, y = torch.randn(8, 3, 16, 16), torch.randint(0, 5, (8,))
    train(torch, model, x, y, torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=5e-4))
    print({name: tuple(value.shape) for name, value in model.state_dict().items()})


def separable_with_shuffles(torch: Any) -> None:
    nn = torch.nn
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.ReflectionPad2d(1), nn.Conv2d(3, 8, 3, stride=2, bias=False), nn.BatchNorm2d(8), nn.ReLU6(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.ChannelShuffle(2), nn.Conv2d(8, 16, 1), nn.PixelShuffle(2),
        nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1), nn.Upsample(scale_factor=0.5, mode="bilinear"),
        nn.LocalResponseNorm(3), nn.AdaptiveMaxPool2d(2), nn.Flatten(), nn.Linear(24, 5),
    )  # fmt: skip
    print(model)
    x, y = torch.randn(6, 3, 12, 12), torch.randint(0, 5, (6,))
    train(torch, model, x, y, torch.optim.SGD(model.parameters(), lr=0.1))


def convolutional_autoencoder(torch: Any) -> None:
    nn = torch.nn
    torch.manual_seed(3)
    encoder = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 8, 3, stride=2, padding=1))
    decoder = nn.Sequential(
        nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1), nn.ReLU(),
        nn.ConvTranspose2d(4, 1, 2, stride=2), nn.Sigmoid(),
    )  # fmt: skip
    optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.5)
    x = torch.rand(4, 1, 16, 16)
    for _ in range(5):
        loss = nn.functional.binary_cross_entropy(decoder(encoder(x)), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


@pytest.mark.parametrize("function", [lenet, vgg_with_batch_norm, separable_with_shuffles, convolutional_autoencoder])
def test_prints_what_pytorch_prints(function: Any, torch_ref: Any) -> None:
    assert printed(function, nbtorch) == printed(function, torch_ref)
