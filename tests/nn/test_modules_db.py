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
    "LayerNorm", "RMSNorm", "MultiheadAttention", "Embedding", "EmbeddingBag", "L1Loss", "MSELoss", "SmoothL1Loss",
    "HuberLoss", "NLLLoss", "CrossEntropyLoss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss", "PoissonNLLLoss",
    "GaussianNLLLoss", "SoftMarginLoss", "MultiMarginLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss",
    "MarginRankingLoss", "HingeEmbeddingLoss", "CosineEmbeddingLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss", "CTCLoss", "CosineSimilarity", "PairwiseDistance",
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d",
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


def compared(made: Any, name: str, training: bool) -> bool:
    """One example of the database on both sides; False where it can't be given to nbtorch."""
    arguments, keywords = made.constructor_input.args, made.constructor_input.kwargs
    try:
        mine_args, mine_kwargs = oracle.translate(arguments), oracle.translate(keywords)
    except oracle.OutOfScope:
        return False
    if any(callable(v) for v in keywords.values()):
        return False  # a module of PyTorch's as an argument
    torch.manual_seed(1)
    theirs = getattr(torch.nn, name)(*arguments, **keywords)
    nbtorch.manual_seed(1)
    mine = getattr(nbtorch.nn, name)(*mine_args, **mine_kwargs).to(helpers.device_name())
    assert repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    assert list(dict(mine.named_parameters())) == list(dict(theirs.named_parameters()))
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
