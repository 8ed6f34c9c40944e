"""Attention, against PyTorch: masks, shared heads, rows that may look nowhere, and wrong calls."""

from __future__ import annotations

from typing import Any

import helpers
import numpy as np
import pytest

torch = helpers.import_torch()

import nbtorch  # noqa: E402
from nbtorch.nn import functional as F  # noqa: E402

SHAPE = (2, 4, 3, 6)
BARRED = np.array([[True, False, True], [False, False, False], [True, True, True]])

CALLS: dict[str, Any] = {
    "plain": lambda f, q, k, v, b: f(q, k, v),
    "causal": lambda f, q, k, v, b: f(q, k, v, is_causal=True),
    "causal with fewer keys": lambda f, q, k, v, b: f(q, k[:, :, :2], v[:, :, :2], is_causal=True),
    "a query that looks nowhere": lambda f, q, k, v, b: f(q, k, v, b),
    "the same in two dimensions": lambda f, q, k, v, b: f(q[0, 0], k[0, 0], v[0, 0], b),
    "a mask for each sample": lambda f, q, k, v, b: f(q, k, v, b[:2, None, None]),
    "floating, with -inf": lambda f, q, k, v, b: f(q, k, v, (b * 1.0).to(q.dtype).log()),
    "floating of 32 bits": lambda f, q, k, v, b: f(q, k, v, (b * 1.0).to(q.dtype) * 3),
    "scale": lambda f, q, k, v, b: f(q, k, v, scale=0.3),
    "shared heads": lambda f, q, k, v, b: f(q, k[:, :2], v[:, :2], enable_gqa=True),
    "broadcast": lambda f, q, k, v, b: f(q[:1], k, v[:, :1]),
    "no keys": lambda f, q, k, v, b: f(q, k[:, :, :0], v[:, :, :0]),
    "transposed": lambda f, q, k, v, b: f(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)),
    "mask and causal": lambda f, q, k, v, b: f(q, k, v, b, is_causal=True),
    "mask and causal of three dimensions": lambda f, q, k, v, b: f(q[0], k[0], v[0], b, is_causal=True),
    "floating mask and causal": lambda f, q, k, v, b: f(q, k, v, (b * 1.0).to(q.dtype), is_causal=True),
    "two dtypes": lambda f, q, k, v, b: f(q, k.float() if q.dtype != k.float().dtype else k.double(), v),
    "one dimension": lambda f, q, k, v, b: f(q[0, 0, 0], k, v),
    "sizes that differ": lambda f, q, k, v, b: f(q[..., :2], k, v),
    "a mask that doesn't fit": lambda f, q, k, v, b: f(q, k, v, b[:2]),
    "a mask of integers": lambda f, q, k, v, b: f(q, k, v, b.long()),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CALLS)
def test_against_pytorch(name: str, dtype: str) -> None:
    numbers = np.random.default_rng(0)
    hosts = [numbers.normal(size=SHAPE).astype(dtype) for _ in range(3)]
    theirs = [helpers.to_torch(h, requires_grad=True) for h in hosts]
    mine = [helpers.to_nbtorch(h, requires_grad=True) for h in hosts]
    function = torch.nn.functional.scaled_dot_product_attention
    try:
        expected = CALLS[name](function, *theirs, helpers.to_torch(BARRED))
    except Exception as error:
        with pytest.raises(type(error)):
            CALLS[name](F.scaled_dot_product_attention, *mine, helpers.to_nbtorch(BARRED))
        return
    result = CALLS[name](F.scaled_dot_product_attention, *mine, helpers.to_nbtorch(BARRED))
    helpers.same(result, expected, *((None, None) if dtype == "float64" else (1e-5, 1e-5)))
    expected.sum().backward()
    result.sum().backward()
    for a, b in zip(mine, theirs, strict=True):
        helpers.same(a.grad, b.grad, 1e-5, 1e-6)


MANY: dict[str, Any] = {
    "plain": {},
    "no weights": {"need_weights": False},
    "each head's weights": {"average_attn_weights": False},
    "padding": {"key_padding_mask": np.array([[False, False, True]] * 2)},
    "mask": {"attn_mask": np.triu(np.ones((3, 3), bool), 1)},
    "both masks, no weights": {
        "attn_mask": np.triu(np.ones((3, 3), bool), 1),
        "key_padding_mask": np.array([[False, False, True]] * 2),
        "need_weights": False,
    },
    "causal": {"attn_mask": np.triu(np.ones((3, 3), bool), 1), "is_causal": True, "need_weights": False},
    "a mask for each head": {"attn_mask": np.random.default_rng(1).normal(size=(4, 3, 3))},
    "zeros": {"add_zero_attn": True, "attn_mask": np.triu(np.ones((3, 3), bool), 1)},
}


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("name", MANY)
@pytest.mark.filterwarnings("ignore")
def test_several_heads(name: str, separate: bool) -> None:
    results = []
    for lib, make in ((torch, helpers.to_torch), (nbtorch, helpers.to_nbtorch)):
        numbers = np.random.default_rng(0)

        def leaf(*shape: int, numbers: Any = numbers, make: Any = make) -> Any:
            return make(numbers.normal(size=shape), requires_grad=True)

        leaves = [leaf(3, 2, 4) for _ in range(3)] + [leaf(12, 4), leaf(12), leaf(1, 1, 4), leaf(1, 1, 4)]
        leaves += [leaf(4, 4), leaf(4)]
        q, k, v, w, b, bias_k, bias_v, out_w, out_b = leaves
        given: dict[str, Any] = {"add_zero_attn": False, **MANY[name]}
        given = {key: make(x) if isinstance(x, np.ndarray) else x for key, x in given.items()}
        if separate:
            parts = w.chunk(3)
            given |= dict(zip(("q_proj_weight", "k_proj_weight", "v_proj_weight"), parts, strict=True))
            given["use_separate_proj_weight"] = True
        result, weights = lib.nn.functional.multi_head_attention_forward(
            q, k, v, 4, 2, None if separate else w, b, bias_k if separate else None, bias_v if separate else None,
            dropout_p=0.0, out_proj_weight=out_w, out_proj_bias=out_b, **given,
        )  # fmt: skip
        result.sum().backward()
        results.append((result, weights, [t.grad for t in leaves]))
    (expected, their_weights, their_grads), (result, weights, grads) = results
    helpers.same(result, expected)
    assert (weights is None) == (their_weights is None)
    if weights is not None:
        helpers.same(weights, their_weights)
    for a, t in zip(grads, their_grads, strict=True):
        assert (a is None) == (t is None)
        if a is not None:
            helpers.same(a, t, 1e-6, 1e-9)
