"""Layers and their functions: outputs, gradients, printed forms and errors as PyTorch's, from equal weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import same, to_nbtorch
from sides import as_torch, nbtorch_side, set_weights

# name: (constructor arguments, keywords), printed and run
ACTIVATIONS: dict[str, list[tuple[Any, ...]]] = {
    "ReLU": [()], "LeakyReLU": [(), (0.2,)], "PReLU": [(), (3,), (1, 0.5)], "ELU": [(), (2.0,)], "CELU": [(), (2.0,)],
    "SELU": [()], "GELU": [(), ("tanh",)], "SiLU": [()], "Sigmoid": [()], "Tanh": [()], "Softplus": [(), (2.0, 5.0)],
    "Softmax": [(1,), (-1,), (0,)], "Softmin": [(1,)], "LogSoftmax": [(1,), (0,)], "Hardtanh": [(), (-2.0, 2.0)],
    "ReLU6": [()], "Hardsigmoid": [()], "Hardswish": [()], "Mish": [()], "LogSigmoid": [()], "Softsign": [()],
    "Tanhshrink": [()], "Softshrink": [(), (1.0,)], "Hardshrink": [(), (1.0,)], "Threshold": [(0.5, -1.0)],
    "Identity": [()], "RReLU": [()],
}  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), [(n, a) for n, many in ACTIVATIONS.items() for a in many])
def test_activation(name: str, arguments: tuple[Any, ...], torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = getattr(lib.nn, name)(*arguments).to(lib.device).eval()
        x = lib.arange(5, 3, 2, scale=0.8, requires_grad=True)
        y = m(x)
        (y * lib.arange(5, 3, 2)).sum().backward()
        return y, x.grad, repr(m), [p.grad for p in m.parameters()]

    as_torch(run, rtol=2e-5, atol=2e-6)


INPLACE = ("ReLU", "LeakyReLU", "ELU", "CELU", "SELU", "SiLU", "Hardtanh", "ReLU6", "Hardsigmoid", "Hardswish", "Mish")


@pytest.mark.parametrize("name", INPLACE)
def test_inplace(name: str, torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = getattr(lib.nn, name)(inplace=True)
        x = lib.arange(4, 3, scale=0.8, requires_grad=True)
        z = x * 1
        y = m(z)
        (y * y).sum().backward()
        return y, z, x.grad, repr(m)

    as_torch(run, rtol=2e-5, atol=2e-6)


LAYERS = {
    "linear": lambda nn: nn.Linear(3, 4),
    "linear without bias": lambda nn: nn.Linear(3, 4, bias=False),
    "flatten": lambda nn: nn.Flatten(),
    "flatten from 0": lambda nn: nn.Flatten(0, 1),
    "unflatten": lambda nn: nn.Unflatten(-1, (3, 1)),
    "glu": lambda nn: nn.GLU(0),
    "layer norm": lambda nn: nn.LayerNorm(3),
    "layer norm of two": lambda nn: nn.LayerNorm([2, 3], eps=1e-3),
    "layer norm without bias": lambda nn: nn.LayerNorm(3, bias=False),
    "layer norm fixed": lambda nn: nn.LayerNorm(3, elementwise_affine=False),
    "rms norm": lambda nn: nn.RMSNorm(3),
    "rms norm of two": lambda nn: nn.RMSNorm([2, 3], eps=1e-3, elementwise_affine=False),
    "dropout in evaluation": lambda nn: nn.Dropout(0.5).eval(),
    "dropout of nothing": lambda nn: nn.Dropout(0.0),
    "dropout of everything": lambda nn: nn.Dropout(1.0),
    "alpha dropout in evaluation": lambda nn: nn.AlphaDropout(0.5).eval(),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name: str, torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = set_weights(LAYERS[name](lib.nn).to(lib.device))
        x = lib.arange(4, 2, 3, requires_grad=True)
        y = m(x)
        (y * lib.arange(*y.shape)).sum().backward()
        return y, x.grad, repr(m), list(m.state_dict()), [p.grad for p in m.parameters()]

    as_torch(run, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3), (2, 0, 3)])
def test_linear_shapes(shape: tuple[int, ...], torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = set_weights(lib.nn.Linear(3, 4).to(lib.device))
        x = lib.arange(*shape, requires_grad=True)
        y = m(x)
        y.sum().backward()
        return y, x.grad, m.weight.grad, m.bias.grad

    as_torch(run)


def test_bilinear(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = set_weights(lib.nn.Bilinear(3, 2, 4).to(lib.device))
        a, b = lib.arange(5, 3, requires_grad=True), lib.arange(5, 2, requires_grad=True)
        y = m(a, b)
        y.sum().backward()
        return y, a.grad, b.grad, m.weight.grad, repr(m)

    as_torch(run)


@pytest.mark.parametrize("options", [{}, {"padding_idx": 1}, {"padding_idx": -1}, {"max_norm": 0.5},
                                     {"scale_grad_by_freq": True}, {"max_norm": 0.5, "norm_type": 1.0}])  # fmt: skip
def test_embedding(options: dict[str, Any], torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        m = set_weights(lib.nn.Embedding(5, 3, **options).to(lib.device))
        i = lib.make(np.array([[1, 4, 1], [0, 2, 1]]))
        y = m(i)
        (y * lib.arange(2, 3, 3)).sum().backward()
        return y, m.weight, m.weight.grad, repr(m)

    as_torch(run)


def test_embedding_table(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        fresh = lib.nn.Embedding(4, 2, padding_idx=1)
        given = lib.nn.Embedding.from_pretrained(lib.arange(3, 2), padding_idx=0)
        return fresh.weight[1], given.weight, given.weight.requires_grad, repr(given)

    as_torch(run)


LOSSES = {
    "MSELoss": ({}, "real"), "L1Loss": ({}, "real"), "SmoothL1Loss": ({"beta": 0.5}, "real"),
    "HuberLoss": ({"delta": 0.7}, "real"), "BCEWithLogitsLoss": ({}, "binary"), "BCELoss": ({}, "probability"),
    "CrossEntropyLoss": ({}, "class"), "NLLLoss": ({}, "log class"), "KLDivLoss": ({}, "divergence"),
    "PoissonNLLLoss": ({"full": True}, "count"), "GaussianNLLLoss": ({"full": True}, "variance"),
}  # fmt: skip


def loss_inputs(lib: Any, kind: str) -> tuple[Any, ...]:
    x = lib.arange(4, 3, scale=0.2, requires_grad=True)
    classes = lib.make(np.array([2, 0, 1, 1]))
    half = lib.make((np.arange(12).reshape(4, 3) % 3 / 2).astype(np.float32))
    if kind == "real":
        return x, x, half
    if kind == "binary":
        return x, x, half
    if kind == "probability":
        return x, x.sigmoid(), half
    if kind == "class":
        return x, x, classes
    if kind == "log class":
        return x, x.log_softmax(1), classes
    if kind == "divergence":
        return x, x.log_softmax(1), (half + 0.1).softmax(1)
    if kind == "count":
        return x, x, half * 6
    return x, x, half, half + 0.1


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_loss(name: str, reduction: str, torch_ref: Any) -> None:
    options, kind = LOSSES[name]

    def run(lib: Any) -> Any:
        m = getattr(lib.nn, name)(reduction=reduction, **options)
        x, *inputs = loss_inputs(lib, kind)
        y = m(*inputs)
        (y * lib.arange(*y.shape) if y.dim() else y).sum().backward()
        return y, x.grad, repr(m)

    as_torch(run, rtol=1e-5, atol=1e-6)


CROSS_ENTROPY = {
    "weight": {"weight": [1.0, 2.0, 0.5]},
    "ignored": {"ignore_index": 1},
    "smoothing": {"label_smoothing": 0.2},
    "all": {"weight": [1.0, 2.0, 0.5], "ignore_index": 1, "label_smoothing": 0.2},
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(4, 3), (3,), (4, 3, 2), (2, 3, 2, 2)])
@pytest.mark.parametrize("options", CROSS_ENTROPY.values(), ids=CROSS_ENTROPY)
def test_cross_entropy_options(options: dict[str, Any], shape: tuple[int, ...], reduction: str, torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        given = {k: lib.make(np.array(v, np.float32)) if k == "weight" else v for k, v in options.items()}
        m = lib.nn.CrossEntropyLoss(reduction=reduction, **given)
        x = lib.arange(*shape, requires_grad=True)
        target_shape = () if len(shape) == 1 else (shape[0], *shape[2:])
        count = int(np.prod(target_shape))
        y = m(x, lib.make((np.arange(count) % 3).reshape(target_shape)))
        y.sum().backward()
        return y, x.grad

    as_torch(run, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_of_probabilities(reduction: str, smoothing: float, weighted: bool, torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        weight = lib.make(np.array([1.0, 2.0, 0.5], np.float32)) if weighted else None
        x = lib.arange(4, 3, requires_grad=True)
        p = lib.arange(4, 3).softmax(1).detach().requires_grad_()
        y = lib.nn.CrossEntropyLoss(weight, reduction=reduction, label_smoothing=smoothing)(x, p)
        y.sum().backward()
        return y, x.grad, p.grad

    as_torch(run, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [{"weight": [1.0, 2.0, 0.5]}, {"ignore_index": 1}], ids=["weight", "ignored"])
def test_nll_options(options: dict[str, Any], torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        given = {k: lib.make(np.array(v, np.float32)) if k == "weight" else v for k, v in options.items()}
        x = lib.arange(4, 3, 2, requires_grad=True)
        y = lib.nn.NLLLoss(**given)(x.log_softmax(1), lib.make(np.arange(8).reshape(4, 2) % 3))
        y.backward()
        return y, x.grad

    as_torch(run)


def test_everything_ignored_gives_nan(torch_ref: Any) -> None:
    as_torch(lambda lib: lib.nn.CrossEntropyLoss()(lib.arange(2, 3), lib.make(np.array([-100, -100]))))


def test_binary_weights(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        x = lib.arange(4, 3, scale=2.0, requires_grad=True)
        target, weight = (lib.arange(4, 3).sigmoid() > 0.5).float(), lib.arange(4, 3).abs()
        y = lib.nn.BCEWithLogitsLoss(weight, pos_weight=lib.make(np.array([1, 2, 3], np.float32)))(x, target)
        z = lib.nn.BCELoss(weight)(x.sigmoid(), target)
        (y + z).backward()
        return y, z, x.grad

    as_torch(run, rtol=1e-5, atol=1e-6)


def test_logits_that_saturate(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        x = lib.make(np.array([-200.0, -90.0, 0.0, 90.0, 200.0], np.float32), requires_grad=True)
        ones = lib.make(np.ones(5, np.float32))
        y = lib.nn.BCEWithLogitsLoss(reduction="none")(x, ones)
        y.sum().backward()
        edge = lib.make(np.array([0.0, 1.0, 0.0, 1.0, 0.5], np.float32), requires_grad=True)
        z = lib.nn.BCELoss(reduction="none")(edge, ones)
        z.sum().backward()
        big = lib.make(np.array([[1e4, 0.0, -1e4]], np.float32), requires_grad=True)
        w = lib.nn.CrossEntropyLoss()(big, lib.make(np.array([1])))
        w.backward()
        return y, x.grad, z, w, big.grad

    as_torch(run)


def test_weighted_regression_losses(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        F, x, y, w = lib.nn.functional, lib.arange(4, 3), lib.arange(4, 3) * 2, lib.arange(4, 3).abs() + 1
        return [f(x, y, weight=w, reduction=r) for f in (F.mse_loss, F.l1_loss, F.huber_loss)
                for r in ("mean", "sum", "none")]  # fmt: skip

    as_torch(run)


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"])
def test_shapes_that_only_broadcast_are_warned_of(name: str, torch_ref: Any) -> None:
    as_torch(lambda lib: getattr(lib.nn, name)()(lib.arange(4, 1), lib.arange(4)), warn=True)
    lib = nbtorch_side()
    with pytest.warns(UserWarning, match=r"target size .*4.* different to the input size .*4, 1"):
        getattr(lib.nn, name)()(lib.arange(4, 1), lib.arange(4))


@pytest.mark.parametrize(
    "arguments", [{"size_average": False}, {"reduce": False}, {"size_average": True, "reduce": True}]
)
def test_older_reduction_arguments(arguments: dict[str, bool], torch_ref: Any) -> None:
    as_torch(lambda lib: lib.nn.MSELoss(**arguments)(lib.arange(3), lib.arange(3) * 2), warn=True)
    as_torch(lambda lib: lib.nn.functional.l1_loss(lib.arange(3), lib.arange(3) * 2, **arguments), warn=True)


def test_implicit_softmax_dim(torch_ref: Any) -> None:
    for shape in ((3,), (2, 3), (2, 3, 2), (1, 2, 3, 2)):
        as_torch(lambda lib, shape=shape: lib.nn.Softmax()(lib.arange(*shape)), warn=True)
        as_torch(lambda lib, shape=shape: lib.nn.functional.log_softmax(lib.arange(*shape)), warn=True)


FUNCTIONS = {
    "normalize": lambda lib, F: F.normalize(lib.arange(4, 3)),
    "normalize 1-norm": lambda lib, F: F.normalize(lib.arange(4, 3), p=1.0, dim=0),
    "cosine similarity": lambda lib, F: F.cosine_similarity(lib.arange(4, 3), lib.arange(4, 3) + 1),
    "one hot": lambda lib, F: F.one_hot(lib.make(np.array([0, 2, 1])), 4),
    "one hot, own number": lambda lib, F: F.one_hot(lib.make(np.array([[0, 2], [1, 1]]))),
    "softmax dtype": lambda lib, F: F.softmax(lib.make(np.array([1, 2, 3])), 0, dtype=lib.float64),
    "kl batchmean": lambda lib, F: F.kl_div(lib.arange(4, 3), lib.arange(4, 3).exp(), reduction="batchmean"),
    "kl log target": lambda lib, F: F.kl_div(lib.arange(4, 3), lib.arange(4, 3), log_target=True, reduction="sum"),
    "kl of zeros": lambda lib, F: F.kl_div(lib.arange(4), lib.arange(4) * 0, reduction="sum"),
    "poisson of rates": lambda lib, F: F.poisson_nll_loss(lib.arange(4).abs(), lib.arange(4).abs(), log_input=False),
    "gaussian, number": lambda lib, F: F.gaussian_nll_loss(lib.arange(4), lib.arange(4) + 1, 0.5),
    "gaussian, last": lambda lib, F: F.gaussian_nll_loss(lib.arange(4, 3), lib.arange(4, 3), lib.arange(4).abs() + 1),
    "linear": lambda lib, F: F.linear(lib.arange(4, 3), lib.arange(2, 3), lib.arange(2)),
    "dropout off": lambda lib, F: F.dropout(lib.arange(4), 0.5, training=False),
    "layer norm": lambda lib, F: F.layer_norm(lib.arange(4, 3), (3,), eps=0.1),
    "relu_": lambda lib, F: F.relu_(lib.arange(4)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name: str, torch_ref: Any) -> None:
    as_torch(lambda lib: FUNCTIONS[name](lib, lib.nn.functional), rtol=1e-5, atol=1e-6)


def index(lib: Any, *values: Any) -> Any:
    return lib.make(np.array(values))


ERRORS = {
    "linear: width": lambda lib, nn: nn.Linear(3, 2).to(lib.device)(lib.arange(4, 2)),
    "linear: vector width": lambda lib, nn: nn.Linear(3, 2).to(lib.device)(lib.arange(4)),
    "linear: list": lambda lib, nn: nn.Linear(3, 2).to(lib.device)([[1.0, 2.0, 3.0]]),
    "linear: array": lambda lib, nn: nn.Linear(3, 2).to(lib.device)(np.ones((1, 3), np.float32)),
    "linear: float64": lambda lib, nn: nn.Linear(3, 2).to(lib.device)(lib.arange(4, 3).double()),
    "linear: integers": lambda lib, nn: nn.Linear(3, 2).to(lib.device)(index(lib, [1, 2, 3])),
    "linear: text size": lambda lib, nn: nn.Linear("3", 2),
    "linear: negative size": lambda lib, nn: nn.Linear(-1, 2),
    "linear: float size": lambda lib, nn: nn.Linear(2.5, 2),
    "linear: no size": lambda lib, nn: nn.Linear(3),
    "dropout: 2": lambda lib, nn: nn.Dropout(2),
    "dropout: negative": lambda lib, nn: lib.nn.functional.dropout(lib.arange(3), -0.1),
    "flatten: number": lambda lib, nn: nn.Flatten()(lib.make(np.float32(1))),
    "flatten: dims": lambda lib, nn: nn.Flatten(2, 1)(lib.arange(2, 2, 2)),
    "unflatten: product": lambda lib, nn: nn.Unflatten(1, (2, 3))(lib.arange(2, 5)),
    "unflatten: floats": lambda lib, nn: nn.Unflatten(1, (2.0, 3)),
    "softmax: dim": lambda lib, nn: nn.Softmax(3)(lib.arange(2)),
    "glu: odd": lambda lib, nn: nn.GLU()(lib.arange(3)),
    "hardtanh: order": lambda lib, nn: nn.Hardtanh(2.0, 1.0),
    "prelu: channels": lambda lib, nn: nn.PReLU(3).to(lib.device)(lib.arange(2, 2)),
    "softshrink: negative": lambda lib, nn: nn.Softshrink(-1.0)(lib.arange(2)),
    "gelu: word": lambda lib, nn: nn.GELU("sigmoid")(lib.arange(2)),
    "relu: list": lambda lib, nn: nn.ReLU()([1.0]),
    "layer norm: shape": lambda lib, nn: nn.LayerNorm(3).to(lib.device)(lib.arange(2, 4)),
    "embedding: range": lambda lib, nn: nn.Embedding(3, 2).to(lib.device)(index(lib, 5)),
    "embedding: negative": lambda lib, nn: nn.Embedding(3, 2).to(lib.device)(index(lib, -1)),
    "embedding: floats": lambda lib, nn: nn.Embedding(3, 2).to(lib.device)(lib.arange(2)),
    "embedding: padding": lambda lib, nn: nn.Embedding(3, 2, padding_idx=5),
    "mse: shapes": lambda lib, nn: nn.MSELoss()(lib.arange(3), lib.arange(4)),
    "mse: reduction": lambda lib, nn: nn.MSELoss(reduction="average")(lib.arange(3), lib.arange(3)),
    "huber: delta": lambda lib, nn: nn.HuberLoss(delta=0)(lib.arange(3), lib.arange(3)),
    "smooth: beta": lambda lib, nn: nn.SmoothL1Loss(beta=-1)(lib.arange(3), lib.arange(3)),
    "ce: float labels": lambda lib, nn: nn.CrossEntropyLoss()(lib.arange(3, 2), lib.arange(3)),
    "ce: class": lambda lib, nn: nn.CrossEntropyLoss()(lib.arange(3, 2), index(lib, 0, 1, 2)),
    "ce: negative class": lambda lib, nn: nn.CrossEntropyLoss()(lib.arange(3, 2), index(lib, 0, 1, -1)),
    "ce: batch": lambda lib, nn: nn.CrossEntropyLoss()(lib.arange(3, 2), index(lib, 0, 1)),
    "ce: one-hot ints": lambda lib, nn: nn.CrossEntropyLoss()(lib.arange(2, 2), index(lib, [0, 1], [1, 0])),
    "ce: smoothing": lambda lib, nn: nn.CrossEntropyLoss(label_smoothing=2.0)(lib.arange(2, 2), index(lib, 0, 1)),
    "ce: weight": lambda lib, nn: nn.CrossEntropyLoss(lib.arange(3))(lib.arange(2, 2), index(lib, 0, 1)),
    "ce: reduction": lambda lib, nn: nn.CrossEntropyLoss(reduction="m")(lib.arange(2, 2), index(lib, 0, 1)),
    "nll: batch": lambda lib, nn: nn.NLLLoss()(lib.arange(3, 2), index(lib, 0, 1)),
    "nll: class": lambda lib, nn: nn.NLLLoss()(lib.arange(2, 2), index(lib, 0, 7)),
    "nll: float labels": lambda lib, nn: nn.NLLLoss()(lib.arange(2, 2), lib.arange(2)),
    "bce: range": lambda lib, nn: nn.BCELoss()(lib.arange(3) + 5, lib.arange(3).sigmoid()),
    "bce: shapes": lambda lib, nn: nn.BCELoss()(lib.arange(3).sigmoid(), lib.arange(3, 1)),
    "bce logits: shapes": lambda lib, nn: nn.BCEWithLogitsLoss()(lib.arange(3), lib.arange(3, 1)),
    "gaussian: negative": lambda lib, nn: nn.GaussianNLLLoss()(lib.arange(3), lib.arange(3), lib.arange(3)),
    "gaussian: shape": lambda lib, nn: nn.GaussianNLLLoss()(lib.arange(3), lib.arange(3), lib.arange(2).abs()),
    "one hot: floats": lambda lib, nn: nn.functional.one_hot(lib.arange(3)),
    "one hot: classes": lambda lib, nn: nn.functional.one_hot(index(lib, 0, 5), 3),
    "one hot: negative": lambda lib, nn: nn.functional.one_hot(index(lib, 0, -5), 3),
}


# Whether these are wrong is a matter of the values: asking a GPU for them would make every call wait.
BY_VALUE = (
    "embedding: range", "embedding: negative", "ce: class", "ce: negative class", "nll: class", "bce: range",
    "one hot: classes", "one hot: negative",
)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.cpu_only("values are not read on a device")) if n in BY_VALUE else n
        for n in ERRORS
    ],
)
def test_errors_as_torch(name: str, torch_ref: Any) -> None:
    as_torch(lambda lib: ERRORS[name](lib, lib.nn))


@pytest.mark.parametrize("target", [[0.0, 1.0, 1.0], [0, 1, 1]], ids=["float", "int32"])
def test_labels_of_the_wrong_type_say_how_to_fix(target: list[Any]) -> None:
    lib = nbtorch_side()
    kind = np.float32 if isinstance(target[0], float) else np.int32
    with pytest.raises(RuntimeError, match=r"(?s)Long.*\.long\(\)"):
        lib.nn.CrossEntropyLoss()(lib.arange(3, 2), lib.make(np.array(target, kind)))


def test_dropout_drops_and_scales(device: str) -> None:
    lib = nbtorch_side()
    lib.manual_seed(1)
    x = lib.make(np.ones((100, 100), np.float32), requires_grad=True)
    y = lib.nn.Dropout(0.3)(x)
    values = y.detach().cpu().numpy()
    assert set(np.unique(values)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((values == 0).mean() - 0.3) < 0.02
    y.sum().backward()
    same(x.grad, values)


def test_alpha_dropout_keeps_mean_and_variance(device: str) -> None:
    lib = nbtorch_side()
    lib.manual_seed(1)
    x = np.random.default_rng(0).standard_normal((300, 300)).astype(np.float32)
    y = lib.nn.AlphaDropout(0.2)(to_nbtorch(x)).cpu().numpy()
    assert abs(y.mean()) < 0.02 and abs(y.std() - 1) < 0.02


def test_random_leaky_relu_in_training(device: str) -> None:
    lib = nbtorch_side()
    x = to_nbtorch(-np.ones((100, 100), np.float32), requires_grad=True)
    y = lib.nn.RReLU(0.1, 0.3)(x)
    values = -y.detach().cpu().numpy()
    assert values.min() >= 0.1 and values.max() <= 0.3 and values.std() > 0.03
    y.sum().backward()
    same(x.grad, values)


@pytest.mark.parametrize("make", [lambda nn: nn.Linear(50, 40), lambda nn: nn.Bilinear(20, 10, 30),
                                  lambda nn: nn.Embedding(50, 40)])  # fmt: skip
def test_initial_range_as_torch(make: Any, torch_ref: Any) -> None:
    """Not the same numbers, but from the same distribution: range and deviation agree."""
    nbtorch_module, torch_module = make(nbtorch_side().nn), make(torch_ref.nn)
    for (name, own), (_, other) in zip(nbtorch_module.named_parameters(), torch_module.named_parameters(), strict=True):
        a, b = own.detach().cpu().numpy(), other.detach().numpy()
        assert a.dtype == b.dtype and a.shape == b.shape, name
        assert abs(a.std() / b.std() - 1) < 0.25, name
        if "Embedding" not in type(nbtorch_module).__name__:
            assert abs(np.abs(a).max() / np.abs(b).max() - 1) < 0.15, name
