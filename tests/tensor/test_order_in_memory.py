"""In which order results lie in memory, beside PyTorch: ``view``, dropout and random numbers depend on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import import_torch, to_nbtorch, to_torch

import nbtorch as nt

# How the input of shape (2, 4, 6, 8) lies in memory.
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "rows": lambda make: make(2, 4, 6, 8),
    "transposed": lambda make: make(2, 6, 4, 8).transpose(1, 2),
    "batch second": lambda make: make(4, 2, 6, 8).transpose(0, 1),
    "permuted": lambda make: make(4, 8, 2, 6).permute(2, 0, 3, 1),
    "channels last": lambda make: make(2, 6, 8, 4).permute(0, 3, 1, 2),
    "stretched": lambda make: make(6, 8).expand(2, 4, 6, 8),
    "a part": lambda make: make(2, 6, 9, 8)[:, :, :4].transpose(1, 2),
}

# What is done with it: ``lib`` is the library, ``make`` makes a tensor of a shape.
CASES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add, the first operand decides": lambda lib, x, make: x + make(2, 4, 6, 8),
    "add, the second is rows": lambda lib, x, make: make(2, 4, 6, 8) + x,
    "add, stretched first": lambda lib, x, make: make(8) + x,
    "mul by a column": lambda lib, x, make: x * make(4, 1, 1),
    "compare": lambda lib, x, make: x > make(2, 4, 6, 8),
    "where": lambda lib, x, make: lib.where(x > 0, make(2, 4, 6, 8), x),
    "lerp": lambda lib, x, make: lib.lerp(x, make(2, 4, 6, 8), 0.3),
    "clamp by tensors": lambda lib, x, make: x.clamp(min=make(2, 4, 6, 8)),
    "relu": lambda lib, x, make: x.relu(),
    "logsigmoid": lambda lib, x, make: lib.nn.functional.logsigmoid(x),
    "softmax": lambda lib, x, make: x.softmax(-1),
    "log_softmax": lambda lib, x, make: x.log_softmax(1),
    "layer_norm": lambda lib, x, make: lib.nn.functional.layer_norm(x, (8,)),
    "batch_norm": lambda lib, x, make: lib.nn.functional.batch_norm(x, None, None, training=True),
    "group_norm": lambda lib, x, make: lib.nn.functional.group_norm(x, 2),
    "dropout": lambda lib, x, make: lib.nn.functional.dropout(x, 0.5),
    "dropout2d": lambda lib, x, make: lib.nn.functional.dropout2d(x, 0.5),
    "linear": lambda lib, x, make: lib.nn.functional.linear(x, make(3, 8)),
    "matmul": lambda lib, x, make: x @ x.transpose(-1, -2),
    "matmul from the left": lambda lib, x, make: make(3, 6) @ x,
    "conv2d": lambda lib, x, make: lib.nn.functional.conv2d(x, make(3, 4, 3, 3)),
    "conv_transpose2d": lambda lib, x, make: lib.nn.functional.conv_transpose2d(x, make(4, 3, 3, 3)),
    "conv2d, weight by channels": lambda lib, x, make: (
        lib.nn.Conv2d(4, 3, 3).to(x.device, memory_format=lib.channels_last)(x).detach() * 0
    ),
    "cat of the same": lambda lib, x, make: lib.cat([x, x], 1),
    "pad": lambda lib, x, make: lib.nn.functional.pad(x, (1, 1, 1, 1)),
    "max_pool2d": lambda lib, x, make: lib.nn.functional.max_pool2d(x, 2),
    "avg_pool2d": lambda lib, x, make: lib.nn.functional.avg_pool2d(x, 2),
    "attention": lambda lib, x, make: lib.nn.functional.scaled_dot_product_attention(x, x, x),
    "einsum of heads": lambda lib, x, make: lib.einsum("bhij,hg->bgij", x, make(4, 3)),
    "einsum to another order": lambda lib, x, make: lib.einsum("bhid,ed->beih", x, make(3, 8)),
    "einsum from the right": lambda lib, x, make: lib.einsum("bhid,eb->iehd", x, make(3, 2)),
    "einsum without a sum": lambda lib, x, make: lib.einsum("bhid,hd->bhid", x, make(4, 8)),
    "sum": lambda lib, x, make: x.sum(1),
    "mean of two": lambda lib, x, make: x.mean((2, 3)),
    "max": lambda lib, x, make: x.max(1)[0],
    "var": lambda lib, x, make: x.var(-1),
    "norm": lambda lib, x, make: x.norm(dim=-1),
    "logsumexp": lambda lib, x, make: x.logsumexp(-1),
    "cumsum": lambda lib, x, make: x.cumsum(1),
    "sort": lambda lib, x, make: x.sort(1)[0],
    "topk": lambda lib, x, make: x.topk(2, 1)[1],
    "masked_fill": lambda lib, x, make: x.masked_fill(x > 0, 0.0),
    "tril": lambda lib, x, make: x.tril(),
    "flip": lambda lib, x, make: x.flip(1),
    "clone": lambda lib, x, make: x.clone(),
    "to another dtype": lambda lib, x, make: x.double(),
    "to integers": lambda lib, x, make: x.long(),
    "zeros_like": lambda lib, x, make: lib.zeros_like(x),
    "one_hot": lambda lib, x, make: lib.nn.functional.one_hot((x > 0).long(), 3),
    "a list as index": lambda lib, x, make: x[:, [0, 2]],
    "a list as last index": lambda lib, x, make: x[..., [0, 1]],
    "two lists": lambda lib, x, make: x[[0, 1], [0, 3]],
    "two lists apart": lambda lib, x, make: x[[0, 1], :, [0, 3]],
    "a mask": lambda lib, x, make: x[:, lib.arange(4, device=x.device) > 1],
    "cumprod": lambda lib, x, make: x.cumprod(-1),
    "any": lambda lib, x, make: (x > 0).any(1),
}  # fmt: skip
# Of channels-last images these give rows here.
JOINED: dict[str, Callable[[Any, Any, Any], Any]] = {
    "cat": lambda lib, x, make: lib.cat([x, x], 1),
    "stack": lambda lib, x, make: lib.stack([x, x], -1),
    "rms_norm": lambda lib, x, make: lib.nn.functional.rms_norm(x, (8,)),
    "roll": lambda lib, x, make: x.roll(1, 2),
}


def _strides(lib: Any, to: Callable[..., Any], layout: str, case: Callable[[Any, Any, Any], Any]) -> Any:
    def make(*shape: int) -> Any:
        n = int(np.prod(shape))
        return to(((np.arange(n) * 37 % 101) - 50.0).reshape(shape).astype(np.float32) / 50)

    out = case(lib, LAYOUTS[layout](make), make)
    # Along a dimension of size 1 no step is ever made.
    return tuple(out.shape), [s for n, s in zip(out.shape, out.stride(), strict=True) if n > 1]


@pytest.mark.parametrize("name", [*CASES, *JOINED])
def test_strides_are_those_of_torch(name, torch_ref):
    case = CASES.get(name) or JOINED[name]
    for layout in LAYOUTS:
        if name in CASES or layout != "channels last":
            expected = _strides(import_torch(), to_torch, layout, case)
            assert _strides(nt, to_nbtorch, layout, case) == expected, layout


def test_dropout_of_a_transposed_result_draws_the_same_mask(torch_ref):
    def drawn(lib, to):
        lib.manual_seed(0)
        x = to(np.ones((3, 4, 5), np.float32)).transpose(0, 1)
        mixed = x + to(np.ones((4, 3, 5), np.float32))  # in the order of its first operand
        return [lib.nn.functional.dropout(y, 0.5).tolist() for y in (mixed, mixed.softmax(-1), mixed[:, [0, 2]])]

    assert drawn(nt, to_nbtorch) == drawn(import_torch(), to_torch)


def test_gathered_and_joined_results_can_be_viewed():
    x = to_nbtorch(np.arange(24, dtype=np.float32).reshape(2, 3, 4)).transpose(1, 2)
    for y in (nt.cat([x, x], 1), x.softmax(1), x.contiguous()[:, [0, 2]], x.cumsum(2), x.topk(2)[1]):
        assert y.view(-1).shape == (y.numel(),)
