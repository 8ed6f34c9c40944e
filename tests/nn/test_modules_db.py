"""The layers against PyTorch's own database of modules: weights of the same seed, results, gradients, repr, state."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest

torch = helpers.import_torch()

from conformance import module_report, modules  # noqa: E402

import nbtorch  # noqa: E402

PUBLISHED = module_report.rows()


@pytest.mark.parametrize("name", sorted(set(modules.database()) - set(modules.OUT_OF_SCOPE)))
def test_certified(name: str) -> None:
    """A part of what ``docs/modules.md`` says, made again; the whole takes five minutes."""
    failures = modules.certify(name, only=2).failures
    assert name in modules.RED or not failures, f"{len(failures)} failures; the first: {failures[0]}"
    assert PUBLISHED[name].startswith(f"| `{name}` | {modules.count(name)} |")


def test_the_page_names_every_class_and_the_red_list_gives_reasons() -> None:
    assert set(PUBLISHED) | set(modules.OUT_OF_SCOPE) == set(modules.database())
    assert {name for name, line in PUBLISHED.items() if not module_report.complete(line)} == set(modules.RED)
    assert module_report.PAGE.read_text(encoding="utf-8") == module_report.page(PUBLISHED)


VECTORS: dict[str, Any] = {
    "TripletMarginLoss": ({"margin": 0.5, "p": 1.0, "swap": True}, 3),
    "TripletMarginWithDistanceLoss": ({"margin": 0.5}, 3),
    "PairwiseDistance": ({"p": 1.5, "keepdim": True}, 2),
    "CosineSimilarity": ({"dim": 0}, 2),
}


@pytest.mark.parametrize("name", VECTORS)
def test_layers_of_vectors(name: str) -> None:
    """Those that the database lacks."""
    options, count = VECTORS[name]
    hosts = [np.random.default_rng(i).normal(size=(4, 3)) for i in range(count)]
    theirs, mine = getattr(torch.nn, name)(**options), getattr(nbtorch.nn, name)(**options)
    assert repr(mine) == repr(theirs)
    helpers.same(mine(*map(helpers.to_nbtorch, hosts)), theirs(*map(helpers.to_torch, hosts)))


def on_both_sides(act: Any) -> tuple[Any, Any]:
    """What ``act`` gives with nbtorch and with torch, from equal seeds."""
    outcomes = []
    for library in (nbtorch, torch):
        library.manual_seed(0)
        outcomes.append(act(library))
    return outcomes[0], outcomes[1]


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", ["same", "valid", 1, (2, 1)])
def test_edges_of_a_convolution(mode: str, padding: Any) -> None:
    def act(library: Any) -> Any:
        layer = library.nn.Conv2d(2, 4, (3, 2), padding=padding, dilation=(1, 2), groups=2, padding_mode=mode)
        return repr(layer), layer.double(), library.rand(2, 2, 6, 5, dtype=library.float64)

    (mine, layer, x), (theirs, their_layer, their_x) = on_both_sides(act)
    assert mine == theirs
    helpers.same(layer.to(helpers.device_name())(x.to(helpers.device_name())), their_layer(their_x))


@pytest.mark.parametrize("size", [(7, 9), (8, 10), [2, 4, 8, 9]])
def test_sizes_of_a_transposed_convolution(size: Any) -> None:
    def act(library: Any) -> Any:
        layer = library.nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1)
        return layer, library.rand(2, 3, 4, 5)

    (layer, x), (their_layer, their_x) = on_both_sides(act)
    result = layer.to(helpers.device_name())(x.to(helpers.device_name()), output_size=size)
    helpers.same(result, their_layer(their_x, output_size=size))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_maxima_go_back(n: int) -> None:
    def act(library: Any) -> Any:
        x = library.rand(2, 3, *(6, 7, 8)[:n]).to(helpers.device_name() if library is nbtorch else "cpu")
        pool, back = (getattr(library.nn, f"{name}{n}d")(2) for name in ("MaxPool", "MaxUnpool"))
        pool.return_indices = True
        return repr(back), back(*pool(x), output_size=x.size())

    (mine, result), (theirs, expected) = on_both_sides(act)
    assert mine == theirs
    helpers.same(result, expected)


@pytest.mark.parametrize("options", [{"size": (5, 6)}, {"scale_factor": 2}, {"scale_factor": (1.5, 2.0)}])
@pytest.mark.parametrize("name", ["UpsamplingNearest2d", "UpsamplingBilinear2d"])
def test_older_upsampling(name: str, options: Any) -> None:
    theirs, mine = getattr(torch.nn, name)(**options), getattr(nbtorch.nn, name)(**options)
    assert repr(mine) == repr(theirs)
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    helpers.same(mine(helpers.to_nbtorch(x)), theirs(helpers.to_torch(x)))


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("Upsample", ((5, 6),), (2, 4, 3, 4)),
        ("Upsample", (None, (2, 1.5), "bicubic", True), (2, 4, 3, 4)),
        ("Fold", ((4, 5), (2, 3), 1, 1, 2), (2, 12, 9)),
        ("Unfold", ((2, 3), 1, 1, 2), (2, 4, 4, 5)),
        ("PixelShuffle", (2,), (2, 8, 3, 4)),
        ("PixelUnshuffle", (2,), (2, 3, 4, 6)),
        ("ChannelShuffle", (2,), (2, 4, 3)),
    ],
)
def test_layers_of_images(name: str, arguments: Any, shape: Any) -> None:
    theirs, mine = getattr(torch.nn, name)(*arguments), getattr(nbtorch.nn, name)(*arguments)
    assert repr(mine) == repr(theirs)
    x = np.random.default_rng(0).normal(size=shape)
    helpers.same(mine(helpers.to_nbtorch(x)), theirs(helpers.to_torch(x)))


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_neighbouring_channels(size: int) -> None:
    theirs, mine = torch.nn.LocalResponseNorm(size, alpha=0.5), nbtorch.nn.LocalResponseNorm(size, alpha=0.5)
    x = np.random.default_rng(0).normal(size=(2, 7, 3, 2))
    helpers.same(mine(helpers.to_nbtorch(x)), theirs(helpers.to_torch(x)))
    # PyTorch's other layer sums wrongly once its window has left the first channel, so few channels here.
    theirs, mine = torch.nn.CrossMapLRN2d(size, alpha=0.5), nbtorch.nn.CrossMapLRN2d(size, alpha=0.5)
    x = x[:, : int((size + 1) / 2)]
    helpers.same(mine(helpers.to_nbtorch(x)), theirs(helpers.to_torch(x)))


MISTAKES: list[Any] = [
    lambda nn: nn.Conv2d(3, 4, 3, groups=2),
    lambda nn: nn.Conv2d(4, 3, 3, groups=2),
    lambda nn: nn.Conv2d(4, 4, 3, groups=0),
    lambda nn: nn.Conv1d(4, 4, 3, padding="full"),
    lambda nn: nn.Conv3d(4, 4, 3, padding="same", stride=2),
    lambda nn: nn.Conv2d(4, 4, 3, padding_mode="mirror"),
    lambda nn: nn.ConvTranspose2d(4, 4, 3, padding_mode="reflect"),
    lambda nn: nn.FractionalMaxPool2d(2),
    lambda nn: nn.FractionalMaxPool2d(2, output_size=2, output_ratio=0.5),
    lambda nn: nn.FractionalMaxPool3d(2, output_ratio=1.5),
    lambda nn: nn.FractionalMaxPool3d((2, 0, 2), output_size=3),
]
MISTAKEN_CALLS: list[Any] = [
    (lambda nn: nn.Conv2d(3, 4, 3), (1, 2, 5, 5)),
    (lambda nn: nn.Conv2d(3, 4, 3), (3, 5)),
    (lambda nn: nn.Conv2d(3, 4, 7), (1, 3, 5, 5)),
    (lambda nn: nn.CircularPad2d(1), (5, 5)),
    (lambda nn: nn.ReflectionPad1d(5), (1, 3, 4)),
    (lambda nn: nn.ReplicationPad2d((1, 2)), (1, 3, 4, 4)),
    (lambda nn: nn.CrossMapLRN2d(2), (3, 4, 4)),
    (lambda nn: nn.LocalResponseNorm(2), (4, 4)),
    (lambda nn: nn.PixelShuffle(2), (1, 3, 4, 4)),
    (lambda nn: nn.PixelUnshuffle(2), (1, 3, 5, 4)),
    (lambda nn: nn.MaxPool2d(2, padding=2), (1, 3, 5, 4)),
    (lambda nn: nn.AvgPool2d(8), (1, 3, 5, 4)),
    (lambda nn: nn.Fold(4, 2), (1, 3, 5)),
    (lambda nn: nn.Upsample(), (1, 3, 5, 4)),
    (lambda nn: nn.Upsample(scale_factor=2, mode="bilinear"), (1, 3, 5)),
]


def classes_of_errors(act: Any) -> list[type[BaseException]]:
    found: list[type[BaseException]] = []
    for library in (nbtorch, torch):
        with pytest.raises(Exception) as caught:
            act(library)
        found.append(caught.type)
    return found


@pytest.mark.parametrize("make", MISTAKES)
def test_mistakes_in_making(make: Any) -> None:
    mine, theirs = classes_of_errors(lambda library: make(library.nn))
    assert mine is theirs


@pytest.mark.parametrize(("make", "shape"), MISTAKEN_CALLS)
def test_mistakes_in_calling(make: Any, shape: Any) -> None:
    mine, theirs = classes_of_errors(lambda library: make(library.nn)(library.zeros(shape)))
    assert mine is theirs


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 1, 1), (2, 1, 1), (3, 0, 2), ((1, 2), (2, 0), (2, 1))])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_channels_of_their_own(multiplier: int, stride: Any, padding: Any, dilation: Any) -> None:
    def act(library: Any) -> Any:
        layer = library.nn.Conv2d(4, 4 * multiplier, 3, stride, padding, dilation, groups=4)
        x = library.rand(2, 4, 9, 8)
        if library is nbtorch:
            layer, x = layer.to(helpers.device_name()), x.to(helpers.device_name())
        leaves = [x.requires_grad_(), *layer.parameters()]
        y = layer(x)
        return [y, *library.autograd.grad((y * y).sum(), leaves)]

    for mine, theirs in zip(*on_both_sides(act), strict=True):
        helpers.same(mine.detach(), theirs.detach(), rtol=1e-5, atol=1e-5)
