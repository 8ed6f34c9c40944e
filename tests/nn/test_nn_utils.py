"""Pruning, fusion, parametrizations and the smaller helpers of ``nn.utils``, beside PyTorch's from equal seeds."""

from __future__ import annotations

import importlib
import pickle
import warnings
from typing import Any

import helpers
import pytest
from sides import as_torch

helpers.import_torch()
for _name in ("attention", "utils.prune", "utils.stateless"):  # PyTorch opens these only when asked
    importlib.import_module(f"torch.nn.{_name}")

import nbtorch  # noqa: E402


def layer(lib: Any, kind: str = "Conv2d", *args: Any) -> Any:
    lib.manual_seed(0)
    return getattr(lib.nn, kind)(*args or (3, 4, 2)).to(lib.device)


def state(module: Any) -> Any:
    return {k: v.detach() for k, v in module.state_dict().items()}, module.weight.detach()


PRUNINGS: dict[str, Any] = {
    "identity": lambda p, m: p.identity(m, "weight"),
    "random": lambda p, m: p.random_unstructured(m, "weight", 0.3),
    "random, a number": lambda p, m: p.random_unstructured(m, "bias", 2),
    "l1": lambda p, m: p.l1_unstructured(m, "weight", 0.5),
    "l1, nothing": lambda p, m: p.l1_unstructured(m, "weight", 0),
    "random slices": lambda p, m: p.random_structured(m, "weight", 1, 0),
    "random slices, another dim": lambda p, m: p.random_structured(m, "weight", 0.5, -1),
    "norms of slices": lambda p, m: p.ln_structured(m, "weight", 0.5, 2, 0),
    "largest of slices": lambda p, m: p.ln_structured(m, "weight", 1, float("inf"), 1),
    "twice": lambda p, m: p.l1_unstructured(p.random_unstructured(m, "weight", 0.3), "weight", 0.5),
    "slices, then entries, then slices": lambda p, m: p.ln_structured(
        p.l1_unstructured(p.random_structured(m, "weight", 1, 0), "weight", 7), "weight", 1, 1, -3
    ),
    "too many": lambda p, m: p.l1_unstructured(m, "bias", 5),
    "more than all": lambda p, m: p.l1_unstructured(m, "bias", 1.5),
    "negative": lambda p, m: p.l1_unstructured(m, "bias", -1),
    "no number": lambda p, m: p.l1_unstructured(m, "bias", "a"),
    "slices of a vector": lambda p, m: p.ln_structured(m, "bias", 1, 2, 0),
    "no such dimension": lambda p, m: p.ln_structured(m, "weight", 1, 2, 4),
    "no such parameter": lambda p, m: p.l1_unstructured(m, "wight", 1),
    "remove what isn't": lambda p, m: p.remove(m, "weight"),
    "scores of another shape": lambda p, m: p.l1_unstructured(m, "weight", 1, m.bias),
    "scores": lambda p, m: p.l1_unstructured(m, "weight", 5, -m.weight.detach().abs()),
    "removed": lambda p, m: p.remove(p.l1_unstructured(m, "weight", 0.5), "weight"),
    "by the class": lambda p, m: p.L1Unstructured.apply(m, "weight", 3) and m,
}


@pytest.mark.parametrize("case", PRUNINGS)
def test_pruning(case: str) -> None:
    def act(lib: Any) -> Any:
        module = layer(lib)
        prune = lib.nn.utils.prune
        pruned = PRUNINGS[case](prune, module)
        hooks = list(module._forward_pre_hooks.values())
        kinds = [(type(h).__name__, [type(x).__name__ for x in h] if hasattr(h, "__iter__") else []) for h in hooks]
        x = lib.arange(2, 3, 4, 4)
        (module(x) ** 2).sum().backward()
        grads = {k: v.grad for k, v in module.named_parameters()}
        optimizer = lib.optim.SGD(module.parameters(), lr=0.1)
        optimizer.step()
        after = module(x).detach()
        return pruned is module, state(module), kinds, prune.is_pruned(lib.nn.Sequential(module)), grads, after

    as_torch(act, atol=1e-5)


def test_pruning_by_a_mask_and_of_several() -> None:
    def act(lib: Any) -> Any:
        prune = lib.nn.utils.prune
        model = lib.nn.Sequential(layer(lib), layer(lib, "Conv2d", 4, 2, 3))
        pairs = [(model[0], "weight"), (model[1], "weight"), (model[1], "bias")]
        prune.custom_from_mask(model[0], "bias", lib.make([1.0, 0.0, 1.0, 1.0]))
        prune.l1_unstructured(model[0], "weight", 5)
        prune.global_unstructured(pairs, prune.L1Unstructured, amount=0.4)
        whole = {k: v.detach() for k, v in model.state_dict().items()}
        method = prune.L1Unstructured(3)
        loose = method.prune(lib.arange(3, 4))
        first = model[0]._forward_pre_hooks.values()
        return whole, loose, [len(h) if hasattr(h, "__len__") else 0 for h in first]

    as_torch(act)


@pytest.mark.parametrize(
    "act",
    [
        lambda p, m: p.global_unstructured(3, p.L1Unstructured, amount=1),
        lambda p, m: p.global_unstructured([(m, "weight")], p.L1Unstructured, importance_scores=[1], amount=1),
        lambda p, m: p.global_unstructured([(m, "weight")], p.LnStructured, amount=1, n=2),
        lambda p, m: p.PruningContainer(3),
        lambda p, m: p.PruningContainer().add_pruning_method(3),
        lambda p, m: p.PruningContainer().add_pruning_method(p.L1Unstructured.apply(m, "weight", 1)),
        lambda p, m: p.custom_from_mask(m, "weight", m.bias),
        lambda p, m: p.BasePruningMethod(),
    ],
)
def test_mistakes_in_pruning(act: Any) -> None:
    as_torch(lambda lib: act(lib.nn.utils.prune, layer(lib)))


def test_a_mistake_in_pruning_leaves_the_module_as_it_was() -> None:
    module = nbtorch.nn.Linear(3, 4)
    nbtorch.nn.utils.prune.l1_unstructured(module, "weight", 2)
    before = [k for k, _ in module.state_dict().items()], list(module._forward_pre_hooks)
    with pytest.raises(ValueError, match="should be smaller"):
        nbtorch.nn.utils.prune.l1_unstructured(module, "weight", 100)
    assert ([k for k, _ in module.state_dict().items()], list(module._forward_pre_hooks)) == before


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_fusion(bias: bool, affine: bool) -> None:
    def act(lib: Any) -> Any:
        lib.manual_seed(0)
        utils, results = lib.nn.utils, []
        for made, transpose in ((lib.nn.Conv2d, False), (lib.nn.ConvTranspose2d, True)):
            conv, norm = made(3, 4, 2, bias=bias).to(lib.device), lib.nn.BatchNorm2d(4, affine=affine).to(lib.device)
            x = lib.arange(2, 3, 4, 4)
            norm(conv(x))
            fused = utils.fuse_conv_bn_eval(conv.eval(), norm.eval(), transpose)
            results += [fused(x).detach(), (fused(x) - norm(conv(x))).abs().max().item() < 1e-5, repr(fused)]
        linear, norm = lib.nn.Linear(3, 4, bias=bias).to(lib.device), lib.nn.BatchNorm1d(4).to(lib.device)
        norm(linear(lib.arange(5, 3)))
        fused = utils.fuse_linear_bn_eval(linear.eval(), norm.eval())
        return [*results, state(fused), fused.weight.requires_grad]

    as_torch(act, atol=1e-6)


@pytest.mark.parametrize(
    "act",
    [
        lambda nn: nn.utils.fuse_conv_bn_eval(nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4).eval()),
        lambda nn: nn.utils.fuse_linear_bn_eval(nn.Linear(3, 4).eval(), nn.BatchNorm1d(3).eval()),
        lambda nn: nn.utils.fuse_linear_bn_eval(
            nn.Linear(3, 4).eval(), nn.BatchNorm1d(4, track_running_stats=False).eval()
        ),
        lambda nn: nn.utils.skip_init(dict, 3),
        lambda nn: nn.utils.skip_init(nn.ReLU),
        lambda nn: nn.utils.parametrizations.orthogonal(nn.Linear(3, 4), "wight"),
        lambda nn: nn.utils.parametrizations.orthogonal(nn.Linear(3, 4), "bias"),
        lambda nn: nn.utils.parametrizations.orthogonal(nn.Linear(3, 4), orthogonal_map="qr"),
        lambda nn: setattr(
            nn.utils.parametrizations.orthogonal(nn.Linear(3, 3), use_trivialization=False), "weight", nn.Linear(3, 3)
        ),
        lambda nn: nn.factory_kwargs({"a": 1}),
        lambda nn: nn.factory_kwargs({"device": 1, "factory_kwargs": {"device": 2}}),
        lambda nn: nn.factory_kwargs({"device": 1, "factory_kwargs": {"dtype": 2}}),
        lambda nn: nn.attention.sdpa_kernel(3).__enter__(),
        lambda nn: [(b.name, int(b), str(b), repr(b)) for b in nn.attention.SDPBackend.__members__.values()],
        lambda nn: nn.attention.sdpa_kernel([nn.attention.SDPBackend.MATH]).__enter__(),
        lambda nn: str(nn.Module.T_destination),
        lambda nn: (nn.Module.dump_patches, nn.Linear(2, 2)._get_backward_hooks()),
    ],
)
def test_smaller_things(act: Any) -> None:
    as_torch(lambda lib: act(lib.nn))


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5)])
@pytest.mark.parametrize("chosen", ["matrix_exp", "cayley", "householder", None])
@pytest.mark.parametrize("trivial", [True, False])
def test_orthogonal(shape: Any, chosen: str | None, trivial: bool) -> None:
    def act(lib: Any) -> Any:
        module = layer(lib, "Linear", *shape).double()
        lib.nn.utils.parametrizations.orthogonal(module, orthogonal_map=chosen, use_trivialization=trivial)
        start = module.weight.detach()
        x = lib.make([[0.3] * shape[0], [0.1 * i for i in range(shape[0])]]).double()
        optimizer = lib.optim.SGD(module.parameters(), lr=0.1)
        losses = []
        for _ in range(3):
            optimizer.zero_grad()
            loss = (module(x) ** 3).sum()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        product = module.weight @ module.weight.mT if shape[0] >= shape[1] else module.weight.mT @ module.weight
        return start, losses, repr(module), list(module.state_dict()), product.detach()

    as_torch(act, rtol=1e-6, atol=1e-7)


def test_assigning_an_orthogonal_matrix() -> None:
    def act(lib: Any) -> Any:
        results = []
        for trivial in (True, False):
            module = layer(lib, "Linear", 3, 3).double()
            kwargs = {} if trivial else {"orthogonal_map": "householder", "use_trivialization": False}
            lib.nn.utils.parametrizations.orthogonal(module, **kwargs)
            module.weight = lib.make([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]).double()
            results.append(module.weight.detach())
        return results

    as_torch(act, atol=1e-7)


def test_parametrizations_go_to_another_module() -> None:
    def act(lib: Any) -> Any:
        utils = lib.nn.utils
        source, target = layer(lib, "Linear", 3, 4), lib.nn.Linear(3, 4).to(lib.device)
        utils.parametrizations.weight_norm(source)
        utils.parametrizations.spectral_norm(source, "weight")
        utils.parametrize.transfer_parametrizations_and_params(source, target)
        other = lib.nn.Module()
        utils.parametrize.transfer_parametrizations_and_params(source, other, "weight")
        same = target.parametrizations.weight.original0 is source.parametrizations.weight.original0
        return state(target.eval()), same, list(other.state_dict()), repr(target), repr(other)

    as_torch(act)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "groups": 2}])
def test_gradients_of_convolutions_alone(dims: int, options: Any) -> None:
    def act(lib: Any) -> Any:
        groups = options.get("groups", 1)
        x, w = lib.arange(2, 4, *[7] * dims), lib.arange(4, 4 // groups, *[3] * dims)
        g = lib.arange(*getattr(lib.nn.functional, f"conv{dims}d")(x, w, **options).shape)
        grads = lib.nn.grad
        return (
            getattr(grads, f"conv{dims}d_input")(x.shape, w, g, **options),
            getattr(grads, f"conv{dims}d_weight")(x, w.shape, g, **options),
        )

    as_torch(act, rtol=1e-5, atol=1e-4)


def test_deprecated_names() -> None:
    def act(lib: Any) -> Any:
        lib.manual_seed(0)
        module = layer(lib, "Linear", 3, 2)
        module(lib.arange(4, 3)).sum().backward()
        norm = lib.nn.utils.clip_grad_norm(module.parameters(), 0.5)
        given = {"weight": lib.arange(2, 3), "bias": lib.arange(2)}
        stateless = lib.nn.utils.stateless.functional_call(module, given, lib.arange(4, 3))
        loss = lib.nn.NLLLoss2d(reduction="sum")
        container, bounds = lib.nn.Container(a=lib.nn.ReLU()), lib.nn.Hardtanh(min_value=-2.0, max_value=1.0)
        return norm, module.weight.grad, stateless, repr(loss), repr(container), repr(bounds)

    as_torch(act, warn=True)


def test_prefixes_are_taken_off() -> None:
    def act(lib: Any) -> Any:
        wrapped = lib.nn.Sequential()
        wrapped.add_module("module", lib.nn.Sequential(layer(lib, "Linear", 2, 2)))
        given = wrapped.state_dict()
        lib.nn.modules.utils.consume_prefix_in_state_dict_if_present(given, "module.")
        return list(given), dict(given._metadata)

    as_torch(act)


def test_skipped_starting_values_draw_no_numbers() -> None:
    nbtorch.manual_seed(0)
    expected = nbtorch.rand(3)
    nbtorch.manual_seed(0)
    module = nbtorch.nn.utils.skip_init(nbtorch.nn.Linear, 3, 4, dtype=nbtorch.float64)
    assert module.weight.shape == (4, 3) and module.weight.dtype == nbtorch.float64
    helpers.same(nbtorch.rand(3), expected)


FUNCTIONS: list[Any] = [
    lambda lib: lib.bilinear(lib.arange(4, 3), lib.arange(4, 2), lib.arange(5, 3, 2), lib.arange(5)),
    lambda lib: lib.cosine_similarity(lib.arange(4, 3), lib.arange(4, 3), -1, 1e-3),
    lambda lib: lib.poisson_nll_loss(lib.arange(5), lib.arange(5).abs() * 3, True, True, 1e-8, 1),
    lambda lib: lib.poisson_nll_loss(lib.arange(5).abs(), lib.arange(5).abs(), False, False, 1e-8, 2),
    lambda lib: lib.embedding_renorm_(lib.arange(4, 3), lib.make([1, 1, 3]), 0.5, 2.0),
    lambda lib: lib.embedding_renorm_(lib.arange(4, 3), lib.make([0.5]), 0.5, 2.0),
    lambda lib: lib.native_channel_shuffle(lib.arange(1, 4, 2), 2),
    lambda lib: [lib.norm_except_dim(lib.arange(2, 3, 4), p, d) for p in (1, 2) for d in (0, 1, 2, -1)],
    lambda lib: lib.conv_tbc(lib.arange(6, 2, 3), lib.arange(2, 3, 5), lib.arange(5), 1),
    lambda lib: lib.conv_tbc(lib.arange(6, 2, 3), lib.arange(2, 4, 5), lib.arange(5), 1),
    lambda lib: lib.nn.functional.conv_tbc(lib.arange(6, 2, 3), lib.arange(2, 3, 5), lib.arange(4)),
    lambda lib: [lib.vander(lib.make([1, 2, 4]), n, up) for n in (None, 0, 1, 2, 5) for up in (False, True)],
    lambda lib: lib.vander(lib.make([[1.0]])),
    lambda lib: lib.vander(lib.make([1.0]), -1),
    lambda lib: lib.index_put_(lib.arange(3), (lib.make([1]),), lib.arange(1), True),
    lambda lib: lib.select_copy(lib.arange(3, 2), 1, -1),
    lambda lib: lib.slice_copy(lib.arange(5, 2), 0, 1, None, 2),
    lambda lib: lib.slice_copy(lib.arange(5, 2), 1, -5, 1),
    lambda lib: lib.slice_copy(lib.arange(5, 2), 0, 0, 3, 0),
    lambda lib: lib.split_copy(lib.arange(5, 2), 2),
    lambda lib: lib.detach_copy(lib.arange(5, 2)),
    lambda lib: lib.addmv_(lib.arange(3), lib.arange(3, 2), lib.arange(2), beta=2, alpha=0.5),
    lambda lib: lib.as_strided_(lib.arange(6), (2, 2), (1, 2), 1),
    lambda lib: lib.resize_as_(lib.arange(6), lib.arange(2, 2)),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_that_pytorch_has_at_its_door(function: Any) -> None:
    as_torch(function)


@pytest.mark.parametrize("training", [True, False])
def test_random_ones_draw_the_same(training: bool) -> None:
    def act(lib: Any) -> Any:
        lib.manual_seed(3)
        x = lib.arange(6, 4, requires_grad=True)
        y = lib.rrelu(x, 0.1, 0.4, training)
        z, kept = lib.native_dropout(x, 0.4, training)
        (y * z).sum().backward()
        return y, z, kept, x.grad, lib.rrelu_(lib.arange(5), 0.2, 0.3, training)

    as_torch(act)


def test_adaptive_softmax() -> None:
    def act(lib: Any) -> Any:
        lib.manual_seed(0)
        module = lib.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 8, 15], div_value=2.0, head_bias=True).to(lib.device)
        x, target = lib.arange(6, 8, requires_grad=True), lib.make([0, 2, 5, 9, 10, 1])
        result = module(x, target)
        result.loss.backward()
        one = module(lib.arange(8), lib.make(4))
        grads = [p.grad for p in (x, *module.parameters())]
        names = list(module.state_dict()), repr(module), module.cutoffs, module.head_size
        return result.output, grads, module.predict(x), module.log_prob(x), one.output, one.loss, names

    as_torch(act, atol=1e-5)


@pytest.mark.parametrize(
    "act",
    [
        lambda nn, lib: nn.AdaptiveLogSoftmaxWithLoss(8, 20, []),
        lambda nn, lib: nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 3]),
        lambda nn, lib: nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 3]),
        lambda nn, lib: nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 20]),
        lambda nn, lib: nn.AdaptiveLogSoftmaxWithLoss(8, 20, [0, 2]),
        lambda nn, lib: nn.AdaptiveLogSoftmaxWithLoss(8, 20, [2.5]),
        lambda nn, lib: nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(lib.zeros(2, 8), lib.tensor([1, 20])),
        lambda nn, lib: nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(lib.zeros(2, 8), lib.tensor([1, 2, 3])),
        lambda nn, lib: nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(lib.zeros(2, 8), lib.tensor(1)),
        lambda nn, lib: nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(lib.zeros(2, 8), lib.tensor([[1], [2]])),
        lambda nn, lib: nn.LinearCrossEntropyOptions(acc_policy="x"),
        lambda nn, lib: nn.LinearCrossEntropyOptions(chunking_method="aspect_ratio:0"),
        lambda nn, lib: nn.LinearCrossEntropyOptions(batch_chunk_size=0),
        lambda nn, lib: nn.LinearCrossEntropyOptions(acc_dtype=lib.int64),
        lambda nn, lib: repr(nn.LinearCrossEntropyOptions(True, 3, None, "compact", lib.float32)),
    ],
)
def test_mistakes_in_large_softmaxes(act: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        as_torch(lambda lib: act(lib.nn, lib.library))


def test_hooks_of_registration() -> None:
    def act(lib: Any) -> Any:
        seen: list[Any] = []
        module = lib.nn.modules.module
        kinds = ("parameter", "module", "buffer")
        handles = [
            getattr(module, f"register_module_{kind}_registration_hook")(
                lambda m, name, value, kind=kind: seen.append((kind, type(m).__name__, name, value is None))
            )
            for kind in kinds
        ]
        try:
            lib.nn.Sequential(lib.nn.BatchNorm1d(2), lib.nn.Linear(2, 2, bias=False)).extra = lib.nn.ReLU()
        finally:
            for handle in handles:
                handle.remove()
        lib.nn.Linear(2, 2)
        return seen

    as_torch(act)


def test_batch_normalisations_become_synchronised_ones() -> None:
    def act(lib: Any) -> Any:
        nn = lib.nn
        inner = nn.Sequential(nn.BatchNorm1d(3, affine=False), nn.InstanceNorm1d(2))
        model = nn.Sequential(nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4, momentum=0.3), inner).eval()
        weight = model[1].weight
        made = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        same = made is model and made[1].weight is weight
        return repr(made), list(made.state_dict()), same, made[1].training, made[1](lib.arange(2, 4, 2).cpu())

    as_torch(act)


PATHS = [
    "activation.MultiheadAttention", "batchnorm._BatchNorm", "batchnorm.LazyBatchNorm1d",
    "channelshuffle.ChannelShuffle", "container.ParameterList", "conv._ConvNd", "conv.LazyConv2d",
    "dropout._DropoutNd", "instancenorm._InstanceNorm", "linear.LazyLinear", "loss._Loss", "loss._WeightedLoss",
    "loss.TripletMarginLoss", "loss.CTCLoss", "transformer._get_clones", "transformer._get_activation_fn",
    "utils._pair", "module.Module", "rnn.RNNBase", "pooling.MaxPool2d",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_programs_import(path: str) -> None:
    file, name = path.split(".")
    for library in ("torch", "nbtorch"):
        assert hasattr(importlib.import_module(f"{library}.nn.modules.{file}"), name)


def test_the_older_spectral_norm_notes_its_version() -> None:
    def act(lib: Any) -> Any:
        module = lib.nn.utils.spectral_norm(layer(lib, "Linear", 3, 2))
        copied = pickle.loads(pickle.dumps(module)).state_dict()._metadata
        noted = module.state_dict()._metadata
        plain = lib.nn.utils.remove_spectral_norm(module).state_dict()._metadata
        return dict(noted), dict(copied), dict(plain), len(module._state_dict_hooks)

    as_torch(act)
