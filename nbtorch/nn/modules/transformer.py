"""Transformers: stacks of attention and of small networks for each position (Vaswani et al. 2017)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from ...autograd import is_grad_enabled
from ...backends.dtypes import dtype as DType
from ...ops.creation import full
from ...tensor import Tensor, zeros_like
from .. import functional as F
from .. import init
from .activation import GELU, ReLU
from .attention import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer",
]  # fmt: skip

Activation = str | Callable[[Tensor], Tensor]


def _get_clones(module: Module, N: int) -> ModuleList:
    return ModuleList([copy.deepcopy(module) for _ in range(N)])


def _get_activation_fn(activation: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


def _causal(size: int, device: Any = None, dtype: DType | None = None) -> Tensor:
    result: Tensor = full((size, size), -math.inf, device=device, dtype=dtype).triu(1)
    return result


def _is_causal(mask: Tensor | None, said: bool | None, x: Tensor, batch_first: bool) -> bool:
    """Whether the mask is the causal one: as the caller said, else found out by looking."""
    if said is not None or mask is None:
        return bool(said)
    length = x.size(0 if x.dim() == 2 else int(batch_first))
    if tuple(mask.shape) != (length, length):
        return False
    return bool((mask == _causal(length, mask.device, mask.dtype)).all())


def _additive(mask: Tensor | None, like: Tensor, name: str) -> Tensor | None:
    """A mask as what is added to the scores."""
    if mask is None or mask.is_floating_point():
        return mask
    if not str(mask.dtype).endswith("bool"):
        raise AssertionError(f"only bool and floating types of {name} are supported")
    filled: Tensor = zeros_like(mask, dtype=like.dtype).masked_fill(mask, -math.inf)
    return filled


class _Layer(Module):
    """What the layers of encoder and decoder share.

    Args:
        d_model: the number of features of a position, E.
        nhead: how many heads the attention has.
        dim_feedforward: the width of the network for each position.
        dropout: the share dropped in training.
        activation: ``"relu"``, ``"gelu"``, or a function.
        layer_norm_eps: of the normalisations.
        batch_first: whether the batch is the first dimension, and not the second.
        norm_first: normalise what goes into a part, and not what comes out.
        bias: whether linear maps and normalisations have shifts.
        device: where the parameters are made.
        dtype: their floating-point type.

    Raises:
        RuntimeError: for an activation of unknown name.
    """

    _parts = 2
    activation: Callable[[Tensor], Tensor]

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        if self._parts == 3:
            self.multihead_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        for i in range(1, self._parts + 1):
            setattr(self, f"norm{i}", LayerNorm(d_model, eps=layer_norm_eps, **made))
        for i in range(1, self._parts + 1):
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation = _get_activation_fn(activation)

    def _step(self, number: int, x: Tensor, part: Callable[[Tensor], Tensor]) -> Tensor:
        """``x`` and what a part adds to it, normalised before or after."""
        norm = getattr(self, f"norm{number}")
        result: Tensor = x + part(norm(x)) if self.norm_first else norm(x + part(x))
        return result

    def _sa_block(
        self, x: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None, is_causal: bool = False
    ) -> Tensor:
        found = self.self_attn(
            x, x, x, attn_mask=attn_mask, key_padding_mask=key_padding_mask, need_weights=False, is_causal=is_causal
        )
        result: Tensor = self.dropout1(found[0])
        return result

    def _ff_block(self, x: Tensor) -> Tensor:
        last = getattr(self, f"dropout{self._parts}")
        result: Tensor = last(self.linear2(self.dropout(self.activation(self.linear1(x)))))
        return result


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a network for each position.

    Args:
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device,
            dtype: sizes and choices, as PyTorch names them.

    Shape:
        src ``(S, N, E)``, ``(N, S, E)`` with ``batch_first``, or ``(S, E)``; output as src.
    """

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        padding = _additive(src_key_padding_mask, src, "src_key_padding_mask")
        mask = _additive(src_mask, src, "src_mask")
        x = self._step(1, src, lambda x: self._sa_block(x, mask, padding, is_causal))
        return self._step(2, x, self._ff_block)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to the encoder's result, then a network for each position.

    Args:
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device,
            dtype: sizes and choices, as PyTorch names them.

    Shape:
        tgt ``(T, N, E)``, memory ``(S, N, E)``, with ``batch_first`` the batch first, or without N; output as tgt.
    """

    _parts = 3

    def _mha_block(
        self, x: Tensor, mem: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None, is_causal: bool = False
    ) -> Tensor:
        found = self.multihead_attn(
            x, mem, mem, attn_mask=attn_mask, key_padding_mask=key_padding_mask, is_causal=is_causal, need_weights=False
        )
        result: Tensor = self.dropout2(found[0])
        return result

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        x = self._step(1, tgt, lambda x: self._sa_block(x, tgt_mask, tgt_key_padding_mask, tgt_is_causal))
        x = self._step(
            2, x, lambda x: self._mha_block(x, memory, memory_mask, memory_key_padding_mask, memory_is_causal)
        )
        return self._step(3, x, self._ff_block)


class TransformerEncoder(Module):
    """Several encoder layers one after the other.

    Args:
        encoder_layer: copied ``num_layers`` times.
        num_layers: how many.
        norm: applied to the last result, or None.
        enable_nested_tensor: as in PyTorch, where positions that are padding come out as zeros when nothing is
            trained and the layers allow it.
        mask_check: accepted; masks are always looked at.
    """

    norm: Module | None

    def __init__(
        self,
        encoder_layer: Any,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor and _packs(encoder_layer)
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        padding = _additive(src_key_padding_mask, src, "src_key_padding_mask")
        bars = _additive(mask, src, "mask")
        first: Any = self.layers[0]
        causal = _is_causal(bars, is_causal, src, first.self_attn.batch_first)
        output = src
        for layer in self.layers:
            output = layer(output, src_mask=bars, is_causal=causal, src_key_padding_mask=padding)
        if padding is not None and bars is None and self._skips_padding(src, padding):
            output = output.masked_fill((padding != 0).unsqueeze(-1), 0.0)
        return output if self.norm is None else self.norm(output)

    def _skips_padding(self, src: Tensor, padding: Tensor) -> bool:
        """Whether PyTorch would leave the padding out, by its faster way for a model that isn't trained."""
        first: Any = self.layers[0]
        if not self.use_nested_tensor or first.training or src.dim() != 3:
            return False
        if is_grad_enabled() and (src.requires_grad or any(p.requires_grad for p in first.parameters())):
            return False
        # Padding stands at the end of each sequence.
        there = (padding == 0).long()
        return bool((there[:, 1:] <= there[:, :-1]).all())


def _packs(layer: Any) -> bool:
    """Whether PyTorch has a faster way for a layer of this kind."""
    if not isinstance(layer, TransformerEncoderLayer):
        return False
    attention = layer.self_attn
    known = layer.activation in (F.relu, F.gelu) or isinstance(layer.activation, (ReLU, GELU))
    return bool(
        not layer.norm_first
        and attention.batch_first
        and attention.in_proj_bias is not None
        and known
        and attention.num_heads % 2 == 0
    )


class TransformerDecoder(Module):
    """Several decoder layers one after the other.

    Args:
        decoder_layer: copied ``num_layers`` times.
        num_layers: how many.
        norm: applied to the last result, or None.
    """

    norm: Module | None

    def __init__(self, decoder_layer: Any, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _get_clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        first: Any = self.layers[0]
        causal = _is_causal(tgt_mask, tgt_is_causal, tgt, first.self_attn.batch_first)
        output = tgt
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)


class Transformer(Module):
    """An encoder and a decoder that looks at its result.

    Args:
        d_model: the number of features of a position.
        nhead: how many heads each attention has.
        num_encoder_layers: how many layers the encoder has.
        num_decoder_layers: how many the decoder has.
        dim_feedforward: the width of the network for each position.
        dropout: the share dropped in training.
        activation: ``"relu"``, ``"gelu"``, or a function.
        custom_encoder: taken instead of the encoder made here.
        custom_decoder: taken instead of the decoder made here.
        layer_norm_eps: of the normalisations.
        batch_first: whether the batch is the first dimension, and not the second.
        norm_first: normalise what goes into a part, and not what comes out.
        bias: whether linear maps and normalisations have shifts.
        device: where the parameters are made.
        dtype: their floating-point type.

    Shape:
        src ``(S, N, E)``, tgt ``(T, N, E)``, with ``batch_first`` the batch first, or without N; output as tgt.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        layer: tuple[Any, ...] = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device,
            dtype,
        )  # fmt: skip
        made: dict[str, Any] = {"eps": layer_norm_eps, "bias": bias, "device": device, "dtype": dtype}
        if custom_encoder is None:
            encoder_layer = TransformerEncoderLayer(*layer)
            custom_encoder = TransformerEncoder(encoder_layer, num_encoder_layers, LayerNorm(d_model, **made))
        self.encoder = custom_encoder
        if custom_decoder is None:
            decoder_layer = TransformerDecoderLayer(*layer)
            custom_decoder = TransformerDecoder(decoder_layer, num_decoder_layers, LayerNorm(d_model, **made))
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.dim() > 1:
                init.xavier_uniform_(parameter)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: DType | None = None) -> Tensor:
        """The causal mask, ``(sz, sz)``: 0 where a position may look, -inf at what comes later."""
        return _causal(sz, device, dtype)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        batch = 0 if self.batch_first else 1
        if src.dim() == 3 and src.size(batch) != tgt.size(batch):
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        result: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return result
