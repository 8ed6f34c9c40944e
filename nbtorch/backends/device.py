"""Where a tensor's numbers live: ``device("cpu")``, ``device("cuda", 0)``."""

from __future__ import annotations

from typing import Any

KINDS = ("cpu", "cuda", "strict")


class device:
    """A device type with an optional index, equal to PyTorch's ``torch.device``.

    ``cpu`` is NumPy, ``cuda`` is CuPy, ``strict`` is the stand-in that refuses on the CPU what CuPy refuses.

    Raises:
        RuntimeError: for an unknown type, a malformed string or a negative index.
        TypeError: for anything but a name, a GPU's number or a device.
    """

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, device: str | int | device, index: int | None = None) -> None:
        if index is not None and type(index) is not int:
            raise TypeError(f"device(): argument 'index' (position 2) must be int, not {type(index).__name__}")
        if isinstance(device, str):
            kind, colon, suffix = device.partition(":")
            if colon:
                if index is not None:
                    raise RuntimeError(
                        f"type (string) must not include an index because index was passed explicitly: {device}\n"
                        f"  fix: device({device!r}) or device({kind!r}, {index})"
                    )
                if not (suffix.isascii() and suffix.isdecimal()) or (suffix[0] == "0" and suffix != "0"):
                    raise RuntimeError(f"Invalid device string: {device!r}\n  expected: a type and a number, as cuda:0")
                index = int(suffix)
        elif type(device) is int:
            if index is not None:
                raise TypeError("device(): argument 'type' (position 1) must be str, not int")
            kind, index = "cuda", device
        elif isinstance(device, _device):
            kind, index = device.type, device.index
        else:
            raise TypeError(
                f"device() received an invalid combination of arguments - got ({type(device).__name__})\n"
                "  expected: a name such as 'cpu' or 'cuda:0', or the number of a GPU"
            )
        if index is not None and index < 0:
            raise RuntimeError(f"Device index must not be negative\n  got: {index}")
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


_device = device  # under a name that no argument hides
