"""``torch.compiler``: nothing is compiled, so its marks return what they are given."""

from __future__ import annotations

from typing import Any

from .annex import name_what_is_missing
from .switches import compile as compile

__all__ = [
    "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable",
    "get_default_backend", "is_compiling", "is_dynamo_compiling", "is_exporting", "list_backends",
    "nested_compile_region", "reset", "set_default_backend", "set_stance", "wrap_numpy",
]  # fmt: skip
__path__: list[str] = []  # PyTorch has a package here


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function itself; as a decorator with and without arguments."""
    return disable if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """The function itself (or the list of them)."""
    return fn


assume_constant_result = nested_compile_region = wrap_numpy = allow_in_graph


def is_compiling() -> bool:
    """Never."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def reset() -> None:
    """There is nothing to forget."""


def cudagraph_mark_step_begin() -> None:
    """Nothing is captured."""


def list_backends(exclude_tags: Any = ()) -> list[str]:
    """There are none."""
    return []


def get_default_backend() -> str:
    """The name of what runs a function: Python."""
    return "eager"


def set_default_backend(backend: Any) -> None:
    """Accepted."""


class set_stance:
    """Accepted, as a call, a block and a decorator."""

    def __init__(self, stance: str = "default", **options: Any) -> None:
        self.stance = stance

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: Any) -> None:
        pass

    def __call__(self, fn: Any) -> Any:
        return fn


name_what_is_missing(globals())
