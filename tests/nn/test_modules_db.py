"""The layers against PyTorch's own database of modules: weights of the same seed, results, gradients, repr, state."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import helpers
import numpy as np
import pytest

torch = helpers.import_torch()

from conformance import oracle  # noqa: E402

import nbtorch  # noqa: E402

NAMES = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d",
    "LazyConv1d", "LazyConv2d", "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
    "TransformerEncoder", "TransformerEncoderLayer", "TransformerDecoderLayer", "Transformer",
    "LayerNorm", "RMSNorm", "MultiheadAttention", "Embedding", "EmbeddingBag", "L1Loss", "MSELoss", "SmoothL1Loss",
    "HuberLoss", "NLLLoss", "CrossEntropyLoss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss", "PoissonNLLLoss",
    "GaussianNLLLoss", "SoftMarginLoss", "MultiMarginLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss",
    "MarginRankingLoss", "HingeEmbeddingLoss", "CosineEmbeddingLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss", "CTCLoss", "CosineSimilarity", "PairwiseDistance",
    "MaxPool1d", "MaxPool2d", "MaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d",
    "FractionalMaxPool2d", "FractionalMaxPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d",
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "Upsample", "Fold", "Unfold", "CircularPad1d",
    "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d", "ReflectionPad1d",
    "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d",
    "ZeroPad2d", "ZeroPad3d", "PixelShuffle", "PixelUnshuffle", "ChannelShuffle", "LocalResponseNorm", "CrossMapLRN2d",
    "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d", "UpsamplingNearest2d", "UpsamplingBilinear2d",
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d",
    "RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell",
]  # fmt: skip


@functools.cache
def database() -> dict[str, Any]:
    from torch.testing._internal.common_modules import module_db

    return {info.name.removeprefix("nn."): info for info in module_db}


def inputs(name: str, training: bool) -> list[Any]:
    if name not in database():
        return []
    info = database()[name]
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made: list[Any] = info.module_inputs_func(
            info, device="cpu", dtype=torch.float64, requires_grad=True, training=training
        )
    return made


def counterparts(given: Any) -> Any:
    """Functions and modules of PyTorch's among the arguments, as nbtorch's."""
    if isinstance(given, dict):
        return {name: counterparts(v) for name, v in given.items()}
    if isinstance(given, (tuple, list)):
        return type(given)(counterparts(v) for v in given)
    if isinstance(given, torch.nn.TransformerEncoderLayer):
        attention, eps = given.self_attn, given.norm1.eps
        layer = nbtorch.nn.TransformerEncoderLayer(
            attention.embed_dim, attention.num_heads, given.linear1.out_features, given.dropout.p,
            counterparts(given.activation), eps, attention.batch_first, given.norm_first,
            given.linear1.bias is not None,
        )  # fmt: skip
        if given.linear1.weight.dtype == torch.float64:
            layer.double()
        layer.load_state_dict({k: helpers.to_nbtorch(v.numpy()) for k, v in given.state_dict().items()})
        return layer
    if getattr(given, "__name__", "") in ("relu", "gelu"):
        return getattr(nbtorch.nn.functional, given.__name__)
    return given


def compared(made: Any, name: str, training: bool) -> bool:
    """One example of the database on both sides; False where it can't be given to nbtorch."""
    arguments, keywords = made.constructor_input.args, made.constructor_input.kwargs
    try:
        mine_args, mine_kwargs = oracle.translate(counterparts(arguments)), oracle.translate(counterparts(keywords))
    except oracle.OutOfScope:
        return False
    if any(callable(v) and getattr(v, "__name__", "") not in ("relu", "gelu") for v in keywords.values()):
        return False  # a module of PyTorch's as an argument
    torch.manual_seed(1)
    theirs = getattr(torch.nn, name)(*arguments, **keywords)
    nbtorch.manual_seed(1)
    mine = getattr(nbtorch.nn, name)(*mine_args, **mine_kwargs).to(helpers.device_name())
    assert repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    assert list(dict(mine.named_parameters())) == list(dict(theirs.named_parameters()))
    if not name.startswith("Lazy"):
        for a, b in zip(mine.state_dict().values(), theirs.state_dict().values(), strict=True):
            helpers.same(a, b)
    theirs.double().train(training)
    mine.double().train(training)
    if made.forward_input is None:
        return True
    # Leaves of their own: the database may give one tensor twice.
    given = [
        t.detach().clone().requires_grad_(t.requires_grad) if isinstance(t, torch.Tensor) else t
        for t in made.forward_input.args
    ]
    given_kwargs = made.forward_input.kwargs
    x, kwargs = oracle.translate(given), oracle.translate(given_kwargs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(2)
        nbtorch.manual_seed(2)
        expected, result = theirs(*given, **given_kwargs), mine(*x, **kwargs)
    oracle.compare_values(result, expected)
    their_outs = [o for o in oracle.tensors(expected, torch.Tensor) if o.requires_grad]
    my_outs = [o for o in oracle.tensors(result, nbtorch.Tensor) if o.requires_grad]
    assert len(my_outs) == len(their_outs)
    if their_outs:
        their_leaves = [*theirs.parameters(), *[t for t in oracle.tensors(given, torch.Tensor) if t.requires_grad]]
        my_leaves = [*mine.parameters(), *[t for t in oracle.tensors(x, nbtorch.Tensor) if t.requires_grad]]
        total, my_total = (sum((o * o).sum() for o in outs) for outs in (their_outs, my_outs))
        their_grads = torch.autograd.grad(total, their_leaves, allow_unused=True)
        my_grads = nbtorch.autograd.grad(my_total, my_leaves, allow_unused=True)
        oracle.compare_gradients(my_grads, their_grads, their_leaves, {})
    for a, b in zip(mine.buffers(), theirs.buffers(), strict=True):
        helpers.same(a, b)
    return True


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_against_pytorch(name: str, training: bool) -> None:
    examples = inputs(name, training)
    if not examples:
        pytest.skip("not in the database")
    assert sum(compared(made, name, training) for made in examples)


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
