"""Attention with several heads."""

from __future__ import annotations

from typing import Any

from ...backends.dtypes import dtype as DType
from ...tensor import Tensor, empty
from .. import functional as F
from .. import init
from ..parameter import Parameter
from .linear import NonDynamicallyQuantizableLinear
from .module import Module

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Several attentions side by side, each on a part of the features (Vaswani et al. 2017).

    Args:
        embed_dim: the size E of queries and of the result.
        num_heads: into how many heads E is split.
        dropout: the share of attention weights dropped in training.
        bias: whether the linear maps have a shift.
        add_bias_kv: whether each sequence gets one more key and value, both learnt.
        add_zero_attn: whether each sequence gets one more key and value of zeros.
        kdim: the size of keys; E where None.
        vdim: the size of values; E where None.
        batch_first: whether the batch is the first dimension, and not the second.
        device: where the parameters are made.
        dtype: their floating-point type.

    Shape:
        query ``(L, N, E)``, key ``(S, N, kdim)``, value ``(S, N, vdim)`` (``(N, L, E)`` and so on with
        ``batch_first``), or without N; output as query, and weights ``(N, L, S)``.

    Raises:
        AssertionError: where the heads don't divide E.
        ValueError: for sizes that are not positive.
    """

    bias_k: Parameter | None
    bias_v: Parameter | None
    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError(
                f"embed_dim must be divisible by num_heads\n  got: embed_dim={embed_dim}, num_heads={num_heads}"
            )

        def made(wanted: bool, *shape: int) -> Parameter | None:
            return Parameter(empty(shape, device=device, dtype=dtype)) if wanted else None

        apart = not self._qkv_same_embed_dim
        self.register_parameter("q_proj_weight", made(apart, embed_dim, embed_dim))
        self.register_parameter("k_proj_weight", made(apart, embed_dim, self.kdim))
        self.register_parameter("v_proj_weight", made(apart, embed_dim, self.vdim))
        self.register_parameter("in_proj_weight", made(not apart, 3 * embed_dim, embed_dim))
        self.register_parameter("in_proj_bias", made(bias, 3 * embed_dim))
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        if add_bias_kv:
            self.bias_k = made(True, 1, 1, embed_dim)
            self.bias_v = made(True, 1, 1, embed_dim)
        else:
            self.bias_k = self.bias_v = None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The result and, if ``need_weights``, the attention weights.

        Args:
            query: what asks.
            key: what is compared with.
            value: what is averaged.
            key_padding_mask: ``(N, S)``: True (or -inf) for keys that nobody may look at.
            need_weights: return the weights too.
            attn_mask: ``(L, S)`` or ``(N * num_heads, L, S)``: True (or -inf) where a query may not look.
            average_attn_weights: whether the weights returned are the mean over the heads.
            is_causal: says that ``attn_mask`` is the causal one.
        """
        swapped = self.batch_first and query.dim() == 3
        if swapped:
            # What is the same tensor stays the same, so that it is projected at once.
            turned: dict[int, Tensor] = {}
            for x in (query, key, value):
                turned.setdefault(id(x), x.transpose(0, 1))
            query, key, value = turned[id(query)], turned[id(key)], turned[id(value)]
        result, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return result.transpose(0, 1) if swapped else result, weights
