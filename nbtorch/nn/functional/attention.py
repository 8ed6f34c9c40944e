"""Attention, plain and with several heads."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ... import ops
from ...ops import scaled_dot_product_attention
from ...tensor import Tensor, zeros, zeros_like
from .affine import linear
from .dropouts import dropout

__all__ = [
    "multi_head_attention_forward", "scaled_dot_product_attention",
]  # fmt: skip


def _require(condition: object, text: str) -> None:
    if not condition:
        raise AssertionError(text)


def _check_dims(
    query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None, attn_mask: Tensor | None, heads: int
) -> bool:
    """Whether the inputs are batched.

    Raises:
        AssertionError: where their numbers of dimensions don't fit together.
    """
    dims = query.dim()
    _require(dims in (2, 3), f"query should be unbatched 2D or batched 3D tensor but received {dims}-D query tensor")
    kind = "batched (3-D)" if dims == 3 else "unbatched (2-D)"
    _require(
        key.dim() == value.dim() == dims,
        f"For {kind} `query`, expected `key` and `value` to be {dims}-D but found {key.dim()}-D and {value.dim()}-D "
        "tensors respectively",
    )
    if key_padding_mask is not None:
        _require(
            key_padding_mask.dim() == dims - 1,
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {dims - 1}-D but found "
            f"{key_padding_mask.dim()}-D tensor instead",
        )
    if attn_mask is not None:
        _require(
            attn_mask.dim() in (2, 3),
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.dim()}-D tensor "
            "instead",
        )
        if dims == 2 and attn_mask.dim() == 3:
            wanted = (heads, query.size(0), key.size(0))
            _require(
                tuple(attn_mask.shape) == wanted,
                f"Expected `attn_mask` shape to be {wanted} but got {attn_mask.shape}",
            )
    return dims == 3


def _additive(mask: Tensor | None, name: str, like: Tensor, other: Tensor | None = None) -> Tensor | None:
    """A mask as what is added to the scores: bool masks bar where they are True (other than in the plain function)."""
    if mask is None:
        return None
    if other is not None and other.dtype != mask.dtype:
        warnings.warn(
            f"Support for mismatched {name} and attn_mask is deprecated. Use same type for both instead.", stacklevel=3
        )
    if mask.is_floating_point():
        return mask
    _require(str(mask.dtype).endswith("bool"), f"only bool and floating types of {name} are supported")
    return zeros_like(mask, dtype=like.dtype).masked_fill(mask, -math.inf)  # type: ignore[no-any-return]


def _project(
    query: Tensor, key: Tensor, value: Tensor, in_weight: Tensor | None, in_bias: Tensor | None, separate: Any
) -> list[Tensor]:
    """Queries, keys and values after their linear maps."""
    biases: Any = (None, None, None) if in_bias is None else in_bias.chunk(3)
    if separate is None:
        if in_weight is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        if key is value and query is key:
            return list(linear(query, in_weight, in_bias).chunk(3, -1))
        separate = in_weight.chunk(3)
    else:
        size = query.size(-1)
        for name, x, w in zip(("query", "key", "value"), (query, key, value), separate, strict=True):
            _require(w is not None, f"use_separate_proj_weight is True but {name[0]}_proj_weight is None")
            wanted = (size, x.size(-1))
            _require(tuple(w.shape) == wanted, f"expecting {name} weights shape of {wanted}, but got {w.shape}")
    return [linear(x, w, b) for x, w, b in zip((query, key, value), separate, biases, strict=True)]


def _widened(mask: Tensor | None) -> Tensor | None:
    """A mask with one more key, which everybody may look at."""
    return None if mask is None else ops.cat([mask, mask.new_zeros(*mask.shape[:-1], 1)], -1)


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What :class:`nbtorch.nn.MultiheadAttention` computes; its parameters are given.

    Args:
        query: ``(L, N, E)`` or ``(L, E)``.
        key: ``(S, N, E)`` or ``(S, E)``.
        value: as ``key``.
        embed_dim_to_check: E.
        num_heads: into how many heads E is split.
        in_proj_weight: ``(3 E, E)``, the three input maps in one.
        in_proj_bias: ``(3 E,)``.
        bias_k: ``(1, 1, E)``, a learnt key added to each sequence.
        bias_v: ``(1, 1, E)``, its value.
        add_zero_attn: add a key and a value of zeros.
        dropout_p: the share of weights dropped in training.
        out_proj_weight: ``(E, E)``.
        out_proj_bias: ``(E,)``.
        training: whether to drop.
        key_padding_mask: ``(N, S)`` or ``(S,)``: True (or -inf) for keys that nobody may look at.
        need_weights: return the weights too.
        attn_mask: ``(L, S)`` or ``(N * num_heads, L, S)``: True (or -inf) where a query may not look.
        use_separate_proj_weight: take the three following weights instead of ``in_proj_weight``.
        q_proj_weight: ``(E, E)``.
        k_proj_weight: ``(E, size of a key)``.
        v_proj_weight: ``(E, size of a value)``.
        static_k: ``(N * num_heads, S, E / num_heads)``, taken instead of the projected keys.
        static_v: the same for values.
        average_attn_weights: whether the weights returned are the mean over the heads.
        is_causal: says that ``attn_mask`` is the causal one.

    Returns:
        The result, shaped as ``query``, and the weights ``(N, L, S)`` (or ``(N, num_heads, L, S)``), or None.

    Raises:
        AssertionError: where shapes don't fit, as in PyTorch.
        RuntimeError: for a mask of the wrong shape.
    """
    batched = _check_dims(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same = key is value, query is key
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        value = key if same[0] else value
        query = key if same[1] else query
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, size = query.shape
    keys = key.size(0)
    padding = _additive(key_padding_mask, "key_padding_mask", query, attn_mask)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and padding is None and not need_weights:
        mask = None  # the plain function makes its own
    else:
        mask, is_causal = _additive(attn_mask, "attn_mask", query), is_causal and padding is None
    _require(size == embed_dim_to_check, f"was expecting embedding dimension of {embed_dim_to_check}, but got {size}")
    head = size // num_heads
    _require(head * num_heads == size, f"embed_dim {size} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        _require(
            key.shape[:2] == value.shape[:2],
            f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}",
        )
    else:
        _require(key.shape == value.shape, f"key shape {key.shape} does not match value shape {value.shape}")
    separate = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    q, k, v = _project(query, key, value, in_proj_weight, in_proj_bias, separate)
    if mask is not None:
        wanted = (length, keys) if mask.dim() == 2 else (batch * num_heads, length, keys)
        if tuple(mask.shape) != wanted:
            raise RuntimeError(f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {wanted}.")
        mask = mask.unsqueeze(0) if mask.dim() == 2 else mask
    if bias_k is not None and bias_v is not None:
        _require(static_k is None, "bias cannot be added to static key.")
        _require(static_v is None, "bias cannot be added to static value.")
        k = ops.cat([k, bias_k.expand(1, batch, size)], 0)
        v = ops.cat([v, bias_v.expand(1, batch, size)], 0)
        mask, padding = _widened(mask), _widened(padding)
    else:
        _require(bias_k is None, "bias_k is set but bias_v is None")
        _require(bias_v is None, "bias_v is set but bias_k is None")

    def heads(x: Tensor) -> Tensor:
        return x.reshape(x.size(0), batch * num_heads, head).transpose(0, 1)

    q = heads(q)
    k, v = (
        _static(name, static, batch * num_heads, head) if static is not None else heads(x)
        for name, x, static in (("static_k", k, static_k), ("static_v", v, static_v))
    )
    if add_zero_attn:
        nothing = zeros(batch * num_heads, 1, head, dtype=k.dtype, device=k.device)
        k, v = ops.cat([k, nothing], 1), ops.cat([v, nothing], 1)
        mask, padding = _widened(mask), _widened(padding)
    keys = k.size(1)
    if padding is not None:
        _require(
            tuple(padding.shape) == (batch, keys),
            f"expecting key_padding_mask shape of {(batch, keys)}, but got {tuple(padding.shape)}",
        )
        padding = padding.reshape(batch, 1, 1, keys).expand(batch, num_heads, 1, keys)
        padding = padding.reshape(batch * num_heads, 1, keys)
        mask = padding if mask is None else mask + padding
    share = dropout_p if training else 0.0
    weights: Any = None
    if need_weights:
        scores = (q * math.sqrt(1.0 / head)) @ k.transpose(-2, -1)
        weights = ops.softmax(scores if mask is None else scores + mask, -1)
        if share > 0.0:
            weights = dropout(weights, share)
        result = (weights @ v).transpose(0, 1).reshape(length * batch, size)
    else:
        q, k, v = (x.reshape(batch, num_heads, x.size(1), head) for x in (q, k, v))
        if mask is not None:
            mask = mask.unsqueeze(0) if mask.size(0) == 1 else mask.reshape(batch, num_heads, -1, keys)
        result = scaled_dot_product_attention(q, k, v, mask, share, is_causal)
        result = result.permute(2, 0, 1, 3).reshape(length * batch, size)
    result = linear(result, out_proj_weight, out_proj_bias)
    result = result.reshape(length, batch, result.size(1))
    if need_weights:
        weights = weights.reshape(batch, num_heads, length, keys)
        weights = weights.mean(1) if average_attn_weights else weights
    if not batched:
        result = result.squeeze(1)
        weights = weights.squeeze(0) if need_weights else None
    return result, weights


def _static(name: str, x: Tensor, rows: int, head: int) -> Tensor:
    _require(x.size(0) == rows, f"expecting {name}.size(0) of {rows}, but got {x.size(0)}")
    _require(x.size(2) == head, f"expecting {name}.size(2) of {head}, but got {x.size(2)}")
    return x
