"""Batches of sequences of unequal lengths: padded, or packed without padding."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..backends.dtypes import int64
from ..ops.conversion import parse_to
from ..ops.creation import arange, as_tensor, full, tensor
from ..ops.joining import cat
from ..ops.pointwise import where
from ..tensor import Tensor

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class PackedSequence_(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(PackedSequence_):
    """Sequences without padding: the first elements of all, then the second ones, and so on.

    Made by :func:`pack_sequence` and :func:`pack_padded_sequence`; recurrent layers take it and return it.

    Attributes:
        data: shape (sum of lengths, *).
        batch_sizes: int64 on the CPU: how many sequences have an element at each step.
        sorted_indices: the order of the sequences here, longest first; None where they came in it.
        unsorted_indices: the way back.
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. A PackedSequence is made by pack_sequence or "
                "pack_padded_sequence, not by hand."
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        made: PackedSequence = super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)
        return made

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with ``data`` of another dtype or on another device, and the indices on that device."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        device = parse_to(args, dict(kwargs))[0]
        moved = [t if t is None or device is None else t.to(device) for t in self[2:]]
        return type(self)(data, self.batch_sizes, *moved)

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        return self.to("cpu")

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        return self.to(*args, **{"device": "cuda", **kwargs}) if not args else self.to(*args, **kwargs)

    def double(self) -> PackedSequence:
        return type(self)(self.data.double(), *self[1:])

    def float(self) -> PackedSequence:
        return type(self)(self.data.float(), *self[1:])

    def half(self) -> PackedSequence:
        return type(self)(self.data.half(), *self[1:])

    def long(self) -> PackedSequence:
        return type(self)(self.data.long(), *self[1:])

    def int(self) -> PackedSequence:
        return type(self)(self.data.int(), *self[1:])

    def pin_memory(self) -> PackedSequence:
        return self

    def is_pinned(self) -> bool:
        return False

    @property
    def is_cuda(self) -> bool:
        return self.data.device.type == "cuda"


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes ``permutation``, int64 of shape (N,); None for None."""
    if permutation is None:
        return None
    return permutation.argsort()


def _lengths_of(lengths: Any) -> list[Any]:
    given = lengths if isinstance(lengths, Tensor) else as_tensor(lengths, dtype=int64, device="cpu")
    if given.device.type != "cpu":
        raise RuntimeError(
            "'lengths' argument should be a 1D CPU int64 tensor, but got "
            f"{given.dim()}D {given.device} {str(given.dtype).removeprefix('torch.').capitalize()} tensor"
        )
    return given.to(int64).tolist()  # type: ignore[no-any-return]


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """A padded batch without its padding.

    Args:
        input: shape (T, N, *), or (N, T, *) with ``batch_first``.
        lengths: how long each sequence is; a list or a tensor on the CPU.
        batch_first: which of the first two dimensions is the batch.
        enforce_sorted: refuse lengths that don't decrease; otherwise the sequences are sorted.

    Raises:
        RuntimeError: for lengths that are not positive, not sorted, or not as many as sequences.
    """
    if batch_first:
        input = input.transpose(0, 1)
    numbers = _lengths_of(lengths)
    order = None
    if not enforce_sorted:
        host = sorted(range(len(numbers)), key=lambda i: -numbers[i])
        numbers = [numbers[i] for i in host]
        order = tensor(host, dtype=int64).to(input.device)
        input = input.index_select(1, order)
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    if len(numbers) != input.shape[1]:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(numbers)} (batch_size={input.shape[1]})"
        )
    if numbers[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if any(a < b for a, b in itertools.pairwise(numbers)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you "
            "do not need ONNX exportability."
        )
    if numbers[0] > input.shape[0]:
        raise RuntimeError(
            f"Expected every length to be at most the number of steps, got {numbers[0]} for {input.shape[0]} steps"
        )
    sizes = [sum(n > t for n in numbers) for t in range(numbers[0])]
    # One gather: step by step the rows of the sequences that reach it.
    flat = input[: numbers[0]].reshape(-1, *input.shape[2:])
    batch = len(numbers)
    rows = [t * batch + i for t, n in enumerate(sizes) for i in range(n)]
    data = flat if len(rows) == flat.shape[0] else flat[tensor(rows, dtype=int64).to(input.device)]
    return PackedSequence(data, tensor(sizes, dtype=int64), order)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """Undoes :func:`pack_padded_sequence`.

    Args:
        sequence: what was packed.
        batch_first: whether the result is (N, T, *) instead of (T, N, *).
        padding_value: what stands after the end of a sequence.
        total_length: T, where it is to be more than the longest length.

    Returns:
        The padded sequences in their first order, and their lengths (int64, on the CPU).

    Raises:
        ValueError: where ``total_length`` is less than the longest length.
    """
    sizes = sequence.batch_sizes.tolist()
    steps = len(sizes)
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {steps}"
            )
        steps = total_length
    data, batch = sequence.data, sizes[0]
    # A gather from the rows and, behind them, one row of padding.
    rest = tuple(data.shape[1:])
    padded = cat([data, full((1, *rest), padding_value, dtype=data.dtype, device=data.device)], 0)
    rows, start = [], 0
    for n in [*sizes, *[0] * (steps - len(sizes))]:
        rows += [start + i if i < n else data.shape[0] for i in range(batch)]
        start += n
    out = padded[tensor(rows, dtype=int64).to(data.device)].reshape(steps, batch, *rest)
    lengths = tensor([sum(n > i for n in sizes) for i in range(batch)], dtype=int64)
    if sequence.unsorted_indices is not None:
        out = out.index_select(1, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices.cpu()]
    return (out.transpose(0, 1) if batch_first else out), lengths


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (L, *) as one tensor (T, N, *), or (N, T, *) with ``batch_first``, filled up to the longest.

    Raises:
        RuntimeError: where ``sequences`` can't be iterated over, is empty, or ``padding_side`` is unknown.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    listed = list(sequences)
    if not listed:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    if any(s.ndim == 0 for s in listed):
        raise RuntimeError("pad_sequence: expected sequences of at least one dimension, but got a 0-d tensor")
    first, lengths = listed[0], [s.shape[0] for s in listed]
    longest, rest = max(lengths), tuple(first.shape[1:])
    pieces = [s if s.shape[1:] == rest else s.expand(s.shape[0], *rest) for s in listed]
    # One gather from all rows and, behind them, one row of padding.
    padding = full((1, *rest), padding_value, dtype=first.dtype, device=first.device)
    rows = cat([*(s.to(first.dtype) for s in pieces), padding], 0)
    length = tensor(lengths, dtype=int64).unsqueeze(1)
    step = arange(longest) - (longest - length if padding_side == "left" else 0)
    source = where((step >= 0) & (step < length), length.cumsum(0) - length + step, sum(lengths))
    padded: Tensor = rows[(source if batch_first else source.t()).to(first.device)]
    return padded


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded batch, each at its own length."""
    batch = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    steps = arange(batch.shape[1], device=lengths.device)
    return [row[(steps < n).to(row.device)] for row, n in zip(batch, lengths, strict=True)]


def pack_sequence(sequences: Any, enforce_sorted: bool = True) -> PackedSequence:
    """Packs sequences (L, *) of any lengths; see :func:`pack_padded_sequence`."""
    lengths = [s.shape[0] for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Undoes :func:`pack_sequence`."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
