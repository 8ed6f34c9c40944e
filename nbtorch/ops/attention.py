"""Attention: each query looks at all keys and gets the mean of the values, weighted by how well they fit.

Source: Vaswani et al. 2017; grouped queries, Ainslie et al. 2023.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..autograd.variable import Variable, wrap
from ..backends.dtypes import bool_, float32
from ..backends.layouts import in_rows, like_first
from ..backends.neural import shares_backward, shares_of_keys
from .conversion import narrowed, to_dtype, widened
from .dropouts import dropout
from .operands import broadcast_shapes, require_tensor
from .record import Op, apply, check_same_device

__all__: list[str] = ["scaled_dot_product_attention"]


def _attention(
    m: Any, query: Any, key: Any, value: Any, bias: Any, alive: Any, drop: Any, scale: float, causal: bool,
    kept: list[Any],
) -> Any:  # fmt: skip
    wide = (widened(m, x) for x in (query, key, value))
    out, found = m.attention(*wide, bias, alive, drop, scale, causal)
    kept.append(found)
    return narrowed(m, out, query)


def _attention_inputs(
    m: Any, g: Any, query: Any, key: Any, value: Any, bias: Any, alive: Any, drop: Any, scale: float, causal: bool,
    kept: list[Any], needs: Any,
) -> tuple[Any, ...]:  # fmt: skip
    differentiated = isinstance(g, Variable)
    g, query, key, value = (widened(m, x) for x in (g, query, key, value))
    if differentiated:  # what forward found is found again, as a function of the inputs
        b = g._backend
        late = wrap(b.later(query.shape[-2], key.shape[-2]), b) if causal else None
        shares = shares_of_keys(m, query, key, bias, alive, late, scale)
        return *shares_backward(m, g, query, key, value, drop, scale, shares, needs), None, None
    found = m.attention_backward(g, query, key, value, bias, alive, drop, scale, causal, kept[0], needs)
    return *found, None, None


def _like_query(m: Any, out: Any, arrays: Sequence[Any]) -> Any:
    """The result in the order in memory that PyTorch's kernels give it: the fused one the query's, the other rows."""
    query, key, value, _, _, drop = arrays
    if (
        out.ndim == 4
        and drop is None
        and query.shape[:2] == key.shape[:2] == value.shape[:2]
        and query.shape[-1] == value.shape[-1]
        and query.strides[-1] == key.strides[-1] == value.strides[-1] == query.itemsize
    ):
        return like_first(m, out, arrays)
    return in_rows(m, out, arrays)


ATTENTION = Op(
    "scaled_dot_product_attention",
    _attention,
    tensors=6,
    node="ScaledDotProductFlashAttentionForCpuBackward0",
    layout=_like_query,
    joint=_attention_inputs,
    formula=r"P = \mathrm{softmax}(s\,QK^\top + B),\ Y = PV:\quad \frac{\partial L}{\partial V} = P^\top G,\quad "
    r"H = P\odot(GV^\top - (P\odot GV^\top)\mathbf 1),\quad \frac{\partial L}{\partial Q} = s\,HK,\quad "
    r"\frac{\partial L}{\partial K} = s\,H^\top Q",
)


@ATTENTION
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """``softmax(scale * query @ key.T + mask) @ value``: for each query a weighted mean of the values.

    A query that may look at no key gets zeros.

    Args:
        query: shape (*, L, E).
        key: shape (*, S, E).
        value: shape (*, S, F).
        attn_mask: shape (*, L, S): bool, True where a query may look; or floating, added to the scores.
        dropout_p: the share of weights set to 0 at random; 0 in evaluation is up to the caller.
        is_causal: query i looks at the keys 0 to i only.
        scale: what the products are multiplied by; ``1 / sqrt(E)`` where None.
        enable_gqa: several heads of queries share one head of keys and values.

    Raises:
        RuntimeError: where shapes or dtypes don't fit, or for a mask together with ``is_causal``.
    """
    _check("scaled_dot_product_attention", query, key, value, attn_mask, is_causal)
    if enable_gqa:
        key, value = (_shared_heads(query, x) for x in (key, value))
    m = query._backend
    length, keys = query._array.shape[-2], key._array.shape[-2]
    broadcast_shapes("scaled_dot_product_attention", *(tuple(x._array.shape[:-2]) for x in (query, key, value)))
    bias = alive = drop = None
    wide = widened(m, query._array).dtype
    if is_causal and attn_mask is not None:
        late = wrap(m.later(length, keys), m)
        barred = ~late & attn_mask if attn_mask._dtype() is bool_ else attn_mask.masked_fill(late, -math.inf)
        bias, alive = _as_bias(m, barred, wide)
    elif attn_mask is not None:
        bias, alive = _as_bias(m, attn_mask, wide)
    if dropout_p > 0:
        lead = broadcast_shapes("scaled_dot_product_attention", *(tuple(x._array.shape[:-2]) for x in (query, key)))
        drop = dropout(wrap(m.ones((*lead, length, keys), query._array.dtype), m), dropout_p, True)
    if scale is None:
        scale = 1 / math.sqrt(query._array.shape[-1]) if query._array.shape[-1] else 1.0
    return apply(ATTENTION, (query, key, value, bias, alive, drop), (float(scale), is_causal and attn_mask is None, []))


def _as_bias(m: Any, mask: Any, wide: Any) -> tuple[Any, Any]:
    """A mask as what is added to the scores, and 0 for the queries that may look at no key (None: there is none)."""
    if mask._dtype() is bool_:
        barred = ~mask._array
    else:
        barred = mask._array == -math.inf
    dead = m.all(barred, (barred.ndim - 1,), True)
    if m.device.type == "cpu" and not dead.any():
        dead = None
    if mask._dtype() is bool_:
        if dead is not None:
            barred = barred & ~dead
        bias = wrap(m.where(barred, m.full((), -math.inf, wide), m.zeros((), wide)), m)
    else:
        bias = mask if mask._array.dtype == wide else to_dtype(mask, float32)
        if dead is not None:
            bias = bias.masked_fill(wrap(m.expand(dead, barred.shape), m), 0)
    return bias, None if dead is None else wrap(m.astype(~dead, wide), m)


def _shared_heads(query: Any, x: Any) -> Any:
    """Keys or values with each head repeated for the queries' heads that share it."""
    heads, own = query._array.shape[-3], x._array.shape[-3]
    if heads == own:
        return x
    shape = tuple(x._array.shape)
    spread = x.unsqueeze(-3).expand(*shape[:-2], heads // own, *shape[-2:])
    return spread.reshape(*shape[:-3], heads, *shape[-2:])


def _check(function: str, query: Any, key: Any, value: Any, mask: Any, is_causal: bool) -> None:
    for name, x in (("query", query), ("key", key), ("value", value)):
        require_tensor(function, name, x)
    if not query._array.dtype == key._array.dtype == value._array.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{query._dtype()!r} key.dtype: {key._dtype()!r} and value.dtype: {value._dtype()!r} instead."
        )
    check_same_device(ATTENTION, (query, key, value))
    if min(query._array.ndim, key._array.ndim, value._array.ndim) < 2:
        raise RuntimeError(
            f"{function}: Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query._array.ndim}, key.dim: {key._array.ndim} and value.dim: {value._array.ndim} instead."
        )
    if query._array.dtype.kind in "iub":
        raise RuntimeError(f"{function}: expected a floating dtype, got {query._dtype()!r}\n  fix: x.float()")
    if query._array.shape[-1] != key._array.shape[-1] or key._array.shape[-2] != value._array.shape[-2]:
        raise RuntimeError(
            f"{function}: the shapes of query {tuple(query._array.shape)}, key {tuple(key._array.shape)} and value "
            f"{tuple(value._array.shape)} don't fit\n  expected: (*, L, E), (*, S, E) and (*, S, F)"
        )
    if mask is None:
        return
    require_tensor(function, "attn_mask", mask)
    if mask._dtype() is not bool_ and mask._dtype() not in (query._dtype(), float32):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{mask._dtype()!r} and  query.dtype: {query._dtype()!r} instead."
        )
    if is_causal and query._array.ndim != 4:  # of four dimensions PyTorch takes both
        raise RuntimeError(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True\n"
            "  fix: leave one of them out"
        )
    scores = (*query._array.shape[:-2], query._array.shape[-2], key._array.shape[-2])
    broadcast_shapes(function, scores[-2:], tuple(mask._array.shape)[-2:])
