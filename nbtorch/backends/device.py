"""Where a tensor's numbers live: ``device("cpu")``, ``device("cuda", 0)``."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
KINDS = ("cpu", "cuda", "strict")
# PyTorch's other kinds: such a device can be named and compared, and no tensor lives on it.
ELSEWHERE = ("fpga", "hip", "hpu", "ideep", "ipu", "lazy", "maia", "meta", "mkldnn", "mps", "mtia", "opengl", "opencl",
             "privateuseone", "ve", "vulkan", "xla", "xpu")  # fmt: skip


class device:
    """A device type with an optional index, equal to PyTorch's ``torch.device``.

    ``cpu`` is NumPy, ``cuda`` is CuPy, ``strict`` is the stand-in that refuses on the CPU what CuPy refuses. With
    ``with device("cuda"):``, or as a decorator, new tensors live there unless they are told another place.

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
        if kind not in KINDS and kind not in ELSEWHERE:
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

    def __enter__(self) -> device:
        chosen.before = (chosen.device, chosen.before)
        chosen.device = self
        return self

    def __exit__(self, *exc: object) -> None:
        chosen.device, chosen.before = chosen.before

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


_device = device  # under a name that no argument hides


class _Chosen(threading.local):
    """For each thread, where new tensors live that are told no place: None means the CPU."""

    device: device | None = None
    before: Any = None  # what it was outside the innermost block, and that of the next outer one


chosen = _Chosen()


def get_default_device() -> device:
    """Where new tensors of this thread live that are told no place."""
    return device("cpu") if chosen.device is None else chosen.device


def set_default_device(device: str | int | device | None) -> None:
    """From now on new tensors of this thread live on ``device`` unless they are told another place.

    Args:
        device: None for the CPU.
    """
    chosen.device = None if device is None else _device(device)
