"""Where a tensor's numbers live: ``device("cpu")``, ``device("cuda", 0)``."""

from __future__ import annotations

from typing import Any

KINDS = ("cpu", "cuda", "strict")


class device:
    """A device type with an optional index, equal to PyTorch's ``torch.device``.

    ``cpu`` is NumPy, ``cuda`` is CuPy, ``strict`` is the stand-in that refuses on the CPU what CuPy refuses.

    Raises:
        RuntimeError: for an unknown type or a malformed string.
    """

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, device: str | int | device, index: int | None = None) -> None:
        if isinstance(device, int):
            kind, index = "cuda", device
        elif isinstance(device, str):
            kind, _, suffix = device.partition(":")
            if suffix:
                if index is not None:
                    raise RuntimeError(f"device string {device!r} has an index already; leave index={index} out")
                if not suffix.isdecimal():
                    raise RuntimeError(f"Invalid device string: {device!r}\n  expected: a type and a number, as cuda:0")
                index = int(suffix)
        else:
            kind, index = device.type, device.index
        if kind not in KINDS:
            raise RuntimeError(
                f"Expected one of cpu, cuda device type at start of device string: {kind}\n"
                f"  got: {device!r}\n  fix: use 'cpu', or 'cuda' where CuPy and an NVIDIA GPU are present"
            )
        self.type, self.index = kind, index

    def __repr__(self) -> str:
        if self.index is None:
            return f"device(type='{self.type}')"
        return f"device(type='{self.type}', index={self.index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        return (device, (str(self),))
