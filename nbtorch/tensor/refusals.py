"""Methods of PyTorch's tensors that tensors here have not: each says so, and what to do instead."""

from __future__ import annotations

from typing import Any

from ..autograd.variable import Variable

__all__ = ["AbsentMethods"]

_ABSENT = {
    "there are no complex numbers: keep real and imaginary parts in two tensors": "cdouble cfloat chalf stft istft",
    "tensors are dense": "ccol_indices coalesce col_indices crow_indices indices is_coalesced resize_as_sparse_ "
    "row_indices smm sparse_mask sparse_resize_ sparse_resize_and_clear_ sspaddmm to_sparse to_sparse_bsc "
    "to_sparse_bsr to_sparse_coo to_sparse_csc to_sparse_csr values",
    "there are no quantised tensors: keep float32": "dequantize int_repr q_per_channel_axis q_per_channel_scales "
    "q_per_channel_zero_points q_scale q_zero_point qscheme",
    "tensors are dense and rectangular": "to_padded_tensor",
    "devices are cpu and cuda": "ipu mtia xpu to_mkldnn",
    "see docs/differences.md": "hash_tensor slice_inverse module_load map2_ reinforce",
    "use torch.linalg": "eig lstsq solve symeig",
}


def _refusal(name: str, instead: str) -> Any:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        from ..absent import absent_feature

        return absent_feature(f"Tensor.{name}", instead)()

    refuse.__name__ = name
    refuse.__doc__ = f"Not part of nbtorch: {instead}."
    refuse._left_out = True  # type: ignore[attr-defined]
    return refuse


class AbsentMethods(Variable):
    """The methods that refuse."""

    __slots__ = ()


for _why, _names in _ABSENT.items():
    for _name in _names.split():
        setattr(AbsentMethods, _name, _refusal(_name, _why))
