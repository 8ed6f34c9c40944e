"""Results with names: tuples of tensors whose places can be read by name too, as in ``torch.return_types``."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any


class NamedResult(tuple[Any, ...]):
    """A tuple of a fixed number of results, each with a name. Its classes are made by :func:`named`.

    Attributes:
        fields: the names, in order.
        n_fields: how many there are.
    """

    __slots__ = ()
    fields: tuple[str, ...] = ()
    n_fields = n_sequence_fields = n_unnamed_fields = 0

    def __new__(cls, values: Iterable[Any]) -> Any:
        made = tuple.__new__(cls, values)
        if len(made) != cls.n_fields:
            raise TypeError(
                f"torch.return_types.{cls.__name__}() takes a {cls.n_fields}-sequence ({len(made)}-sequence given)"
            )
        return made

    # What write_out makes the result of: PyTorch's class of results that were written into out=.
    @classmethod
    def _make(cls, values: Iterable[Any]) -> Any:
        return named(cls.__name__.removesuffix("_out") + "_out", *cls.fields)(values)

    def __repr__(self) -> str:
        lines = ",\n".join(f"{name}={value!r}" for name, value in zip(self.fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{lines})"

    def __reduce__(self) -> Any:
        return _rebuild, (type(self).__name__, self.fields, tuple(self))


_made: dict[str, Any] = {}


def named(name: str, *fields: str) -> Any:
    """The class of the results of the function ``name``; called with a sequence it makes one.

    Args:
        name: the class's name, as in ``torch.return_types``.
        fields: the names of the results, in order; those that the class has already, or none, from the second time on.
    """
    made = _made.get(name)
    if made is None:
        body: dict[str, Any] = {field: property(itemgetter(i)) for i, field in enumerate(fields)}
        count = len(fields)
        body |= {"__slots__": (), "__module__": "torch.return_types", "fields": fields, "n_fields": count}
        body["n_sequence_fields"] = count
        made = _made[name] = type(name, (NamedResult,), body)
    return made


def _rebuild(name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    return named(name, *fields)(values)


def pair(name: str, values: Any, indices: Any) -> Any:
    """What was found along a dimension, and where: ``(values, indices)``."""
    return named(name, "values", "indices")((values, indices))
