"""Initialisers and nn.utils."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from helpers import same, to_nbtorch
from sides import as_torch, nbtorch_side

DRAWN: dict[str, Any] = {
    "uniform_": lambda i, t: i.uniform_(t, -2.0, 3.0),
    "normal_": lambda i, t: i.normal_(t, 1.0, 2.0),
    "trunc_normal_": lambda i, t: i.trunc_normal_(t, 0.5, 2.0, -1.0, 2.0),
    "trunc_normal_ in the tail": lambda i, t: i.trunc_normal_(t, 0.0, 1.0, 1.0, 2.0),
    "xavier_uniform_": lambda i, t: i.xavier_uniform_(t, gain=2.0),
    "xavier_normal_": lambda i, t: i.xavier_normal_(t),
    "kaiming_uniform_": lambda i, t: i.kaiming_uniform_(t, a=math.sqrt(5)),
    "kaiming_uniform_ fan_out": lambda i, t: i.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu"),
    "kaiming_normal_": lambda i, t: i.kaiming_normal_(t, nonlinearity="tanh"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_distribution_as_torch(name: str, torch_ref: Any) -> None:
    """Mean, deviation and range of 20,000 values agree with PyTorch's."""
    own, other = to_nbtorch(np.zeros((100, 200), np.float32)), torch_ref.zeros(100, 200)
    torch_ref.manual_seed(0)
    nbtorch_side().manual_seed(0)
    assert DRAWN[name](nbtorch_side().nn.init, own) is own
    DRAWN[name](torch_ref.nn.init, other)
    a, b = own.cpu().numpy(), other.numpy()
    spread = b.std()
    assert abs(a.mean() - b.mean()) < 0.05 * spread
    assert abs(a.std() / spread - 1) < 0.03
    if name not in ("normal_", "xavier_normal_", "kaiming_normal_"):
        assert abs(a.min() - b.min()) < 0.05 * spread and abs(a.max() - b.max()) < 0.05 * spread


@pytest.mark.parametrize("name", DRAWN)
def test_generator_decides(name: str, device: str) -> None:
    lib = nbtorch_side()
    if name.startswith(("uniform_", "normal_", "trunc")):
        run = {"uniform_": lib.nn.init.uniform_, "normal_": lib.nn.init.normal_}.get(name, lib.nn.init.trunc_normal_)
    else:
        run = getattr(lib.nn.init, name.split()[0])
    drawn = []
    for seed in (3, 3, 4):
        g = lib.Generator(device=device)
        g.manual_seed(seed)
        drawn.append(run(lib.arange(5, 6), generator=g).cpu().numpy())
    assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])


FIXED: dict[str, Any] = {
    "constant_": lambda lib, i: i.constant_(lib.arange(3), 2.5),
    "ones_": lambda lib, i: i.ones_(lib.arange(3, 2)),
    "zeros_": lambda lib, i: i.zeros_(lib.arange(3, 2)),
    "eye_": lambda lib, i: i.eye_(lib.arange(3, 5)),
    "eye_ tall": lambda lib, i: i.eye_(lib.arange(5, 3)),
    "dirac_ 1d": lambda lib, i: i.dirac_(lib.arange(4, 3, 3)),
    "dirac_ 2d": lambda lib, i: i.dirac_(lib.arange(3, 4, 2, 5)),
    "dirac_ 3d in groups": lambda lib, i: i.dirac_(lib.arange(4, 2, 3, 3, 1), groups=2),
}
WRONG: dict[str, Any] = {
    "eye_ of a vector": lambda lib, i: i.eye_(lib.arange(3)),
    "dirac_ of a matrix": lambda lib, i: i.dirac_(lib.arange(3, 3)),
    "dirac_ with odd groups": lambda lib, i: i.dirac_(lib.arange(3, 3, 3), groups=2),
    "sparse_ of a vector": lambda lib, i: i.sparse_(lib.arange(3), 0.5),
    "orthogonal_ of a vector": lambda lib, i: i.orthogonal_(lib.arange(3)),
    "xavier of a vector": lambda lib, i: i.xavier_uniform_(lib.arange(3)),
    "kaiming mode": lambda lib, i: i.kaiming_normal_(lib.arange(3, 3), mode="fan"),
    "kaiming nonlinearity": lambda lib, i: i.kaiming_normal_(lib.arange(3, 3), nonlinearity="bend"),
    "slope": lambda lib, i: i.calculate_gain("leaky_relu", "steep"),
    "slope true": lambda lib, i: i.calculate_gain("leaky_relu", True),
}


@pytest.mark.parametrize("name", [*FIXED, *WRONG])
def test_as_torch(name: str, torch_ref: Any) -> None:
    as_torch(lambda lib: {**FIXED, **WRONG}[name](lib, lib.nn.init))


@pytest.mark.parametrize(
    "name",
    ["linear", "conv1d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"],
)
def test_gain(name: str, torch_ref: Any) -> None:
    as_torch(lambda lib: lib.nn.init.calculate_gain(name))
    as_torch(lambda lib: lib.nn.init.calculate_gain(name, 0.3))


def test_fans_count_the_kernel(torch_ref: Any) -> None:
    as_torch(lambda lib: lib.nn.init._calculate_fan_in_and_fan_out(lib.arange(4, 3, 5, 2)))


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (4, 2, 3)])
def test_orthogonal(shape: tuple[int, ...], device: str) -> None:
    lib = nbtorch_side()
    drawn = lib.nn.init.orthogonal_(lib.arange(*shape), gain=2.0).cpu().numpy().reshape(shape[0], -1)
    gram = drawn.T @ drawn if drawn.shape[0] > drawn.shape[1] else drawn @ drawn.T
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-5)


def test_sparse(device: str) -> None:
    lib = nbtorch_side()
    drawn = lib.nn.init.sparse_(lib.arange(10, 4), 0.25, std=3.0).cpu().numpy()
    assert ((drawn == 0).sum(0) == 3).all() and drawn.std() > 1


def test_nothing_is_recorded(device: str) -> None:
    lib = nbtorch_side()
    weight = lib.nn.Parameter(lib.arange(4, 4))
    for name in ("uniform_", "normal_", "trunc_normal_", "ones_", "eye_", "xavier_normal_", "orthogonal_"):
        getattr(lib.nn.init, name)(weight)
        assert weight.is_leaf and weight.grad_fn is None and weight.requires_grad


def test_names_without_underscore_warn(torch_ref: Any) -> None:
    as_torch(lambda lib: lib.nn.init.constant(lib.arange(3), 1.0), warn=True)


def test_empty_tensors_are_warned_of(torch_ref: Any) -> None:
    as_torch(lambda lib: lib.nn.init.kaiming_uniform_(lib.arange(0, 3)), warn=True)
    as_torch(lambda lib: lib.nn.init.trunc_normal_(lib.arange(3) * 0, 10.0).shape == (3,), warn=True)


# -- nn.utils ----------------------------------------------------------------------------------------------------------


def with_gradients(lib: Any) -> list[Any]:
    parameters = [lib.nn.Parameter(lib.arange(3)), lib.nn.Parameter(lib.arange(2, 2)), lib.nn.Parameter(lib.arange(1))]
    for p in parameters[:2]:
        p.grad = lib.arange(*p.shape) * 10
    return parameters


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, math.inf, 0.0, -math.inf])
@pytest.mark.parametrize("max_norm", [0.5, 1e6])
def test_clip_grad_norm(norm_type: float, max_norm: float, torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        parameters = with_gradients(lib)
        total = lib.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type)
        return total, [p.grad for p in parameters]

    as_torch(run, rtol=1e-5)


def test_clipping_other_forms(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        parameters, utils = with_gradients(lib), lib.nn.utils
        one = utils.clip_grad_norm_(parameters[0], 1.0)
        utils.clip_grad_value_(parameters, 0.1)
        norm = utils.get_total_norm([p.grad for p in parameters[:2]])
        utils.clip_grads_with_norm_(parameters, 0.01, norm)
        return one, norm, [p.grad for p in parameters], utils.clip_grad_norm_([], 1.0)

    as_torch(run, rtol=1e-5)


def test_clipping_infinite_gradients(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        parameters = with_gradients(lib)
        parameters[0].grad = parameters[0].grad * math.inf
        return lib.nn.utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)

    as_torch(run)


def test_parameters_as_a_vector(torch_ref: Any) -> None:
    def run(lib: Any) -> Any:
        utils, parameters = lib.nn.utils, with_gradients(lib)
        vector = utils.parameters_to_vector(parameters)
        utils.vector_to_parameters(vector * 2, parameters)
        (vector * vector).sum().backward()
        return vector, parameters, [p.grad for p in parameters], [p.is_leaf for p in parameters]

    as_torch(run)
    as_torch(lambda lib: lib.nn.utils.vector_to_parameters([1.0], with_gradients(lib)))


def test_an_empty_generator_is_warned_of(torch_ref: Any) -> None:
    as_torch(lambda lib: lib.nn.utils.clip_grad_norm_((p for p in ()), 1.0), warn=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(nbtorch_side().nn.utils.clip_grad_norm_([], 1.0).cpu(), np.float32(0))
