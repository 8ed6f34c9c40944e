"""PyTorch's own database of operations as the oracle: its sample inputs, run on both libraries and compared.

``torch.testing._internal.common_methods_invocations.op_db`` holds for each operation of PyTorch a generator of samples
and one of wrong calls. ``find`` gives nbtorch's operation of the same name; ``compare_sample`` runs one sample on
both sides and compares the values, dtypes and shapes, the gradients and the gradients of the gradients.
"""

from __future__ import annotations

import functools
import operator
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import helpers
import numpy as np

STAGES = ("value", "gradient", "second gradient", "error")

SEED = 42  # what the database's own wrapper of random functions sets
SUPPORTED = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")


class OutOfScope(Exception):
    """A sample that uses something nbtorch leaves out on purpose, such as a complex dtype."""


@functools.cache
def database() -> tuple[Any, ...]:
    """PyTorch's records of its operations."""
    from torch.testing._internal.common_methods_invocations import op_db

    return tuple(op_db)


def label(info: Any) -> str:
    """The name of a record, with its variant where there are several."""
    return f"{info.name}.{info.variant_test_name}" if info.variant_test_name else str(info.name)


def _along(x: Any, dim: int, index: Any) -> Any:
    return (slice(None),) * (dim % x.ndim) + (index,)


# Operators that PyTorch's database names by their Python method.
_OPERATORS: dict[str, Callable[..., Any]] = {
    "__getitem__": operator.getitem,
    "__radd__": lambda x, other: other + x,
    "__rsub__": lambda x, other: other - x,
    "__rmul__": lambda x, other: other * x,
    "__rdiv__": lambda x, other: other / x,
    "__rpow__": lambda x, other: other**x,
    "__rmod__": lambda x, other: other % x,
    "__rand__": lambda x, other: other & x,
    "__ror__": lambda x, other: other | x,
    "__rxor__": lambda x, other: other ^ x,
    "__rmatmul__": lambda x, other: other @ x,
    "slice": lambda x, dim=0, start=None, end=None, step=1: x[_along(x, dim, slice(start, end, step))],
}


def find(info: Any) -> Callable[..., Any] | None:
    """nbtorch's operation of the record's name: a function of the package or a method of its tensors."""
    import nbtorch
    from nbtorch.absent import is_left_out

    if info.name in _OPERATORS:
        return _OPERATORS[info.name]
    found: Any = nbtorch
    for part in info.name.split("."):
        found = getattr(found, part, None)
        if found is None:
            break
    if callable(found) and not is_left_out(found):
        return found  # type: ignore[no-any-return]
    method = getattr(nbtorch.Tensor, info.name, None)
    if isinstance(method, property):
        return method.fget
    if method is None:  # PyTorch names some records after the method that fills in place, without its underscore
        method = getattr(nbtorch.Tensor, f"{info.name}_", None)
    return method if callable(method) and not is_left_out(method) else None


def known() -> Iterator[tuple[Any, Callable[..., Any]]]:
    """The records that nbtorch has an operation for."""
    for info in database():
        function = find(info)
        if function is not None:
            yield info, function


def laid_out(x: Any) -> Any:
    """An nbtorch leaf with the numbers of a torch tensor, and strides of the same kind: expanded, permuted, with "
    "gaps."""
    if x.is_sparse or x.is_meta or x.is_complex() or helpers.dtype_name(x) not in SUPPORTED:
        raise OutOfScope(f"dtype {x.dtype}")
    if x.dim() > 64:
        raise OutOfScope("more dimensions than NumPy holds")
    host = helpers.to_numpy(x.detach().contiguous())
    if x.is_contiguous() and x.numel() and x.untyped_storage().nbytes() > x.nbytes:
        memory = x.detach().new_empty(0).set_(x.untyped_storage())
        t = helpers.to_nbtorch(helpers.to_numpy(memory)).as_strided(x.shape, x.stride(), x.storage_offset()).detach()
    elif x.is_contiguous() or not x.numel():
        t = helpers.to_nbtorch(host)
    else:
        strides = x.stride()
        repeated = [d for d in range(x.dim()) if strides[d] == 0 and x.shape[d] > 1]
        core = host[tuple(slice(0, 1) if d in repeated else slice(None) for d in range(x.dim()))]
        order = sorted(range(x.dim()), key=lambda d: -strides[d])
        core = core.transpose(order)
        gapped = min((s for s, n in zip(strides, x.shape, strict=True) if s and n > 1), default=1) > 1
        if gapped:
            wide = np.zeros((*core.shape[:-1], core.shape[-1] * 2), core.dtype)
            wide[..., ::2] = core
            t = helpers.to_nbtorch(wide)[..., ::2]
        else:
            t = helpers.to_nbtorch(np.ascontiguousarray(core))
        t = t.permute(*np.argsort(order).tolist()).expand(*x.shape).detach()
    return t.requires_grad_(x.requires_grad)


def sharing(x: Any) -> dict[int, Any]:
    """For the torch tensors in a nest that share memory with another: nbtorch's, which share theirs, by id."""
    import torch

    found = [t for t in tensors(x, torch.Tensor) if not t.is_sparse and not t.is_meta and t.numel()]
    memories: dict[int, Any] = {}
    out = {}
    for t in found:
        place = t.untyped_storage().data_ptr()
        if sum(u.untyped_storage().data_ptr() == place for u in found) > 1:
            if place not in memories:
                memories[place] = laid_out(t.detach().new_empty(0).set_(t.untyped_storage()))
            shown = memories[place].as_strided(t.shape, t.stride(), t.storage_offset()).detach()
            out[id(t)] = shown.requires_grad_(t.requires_grad)
    return out


def translate(x: Any, known: dict[int, Any] | None = None) -> Any:
    """Arguments for PyTorch as arguments for nbtorch; ``known`` has tensors that are there already."""
    import torch

    import nbtorch

    if isinstance(x, torch.Tensor):
        return known[id(x)] if known is not None and id(x) in known else laid_out(x)
    if isinstance(x, torch.dtype):
        name = str(x).removeprefix("torch.")
        if name not in SUPPORTED:
            raise OutOfScope(f"dtype {x}")
        return getattr(nbtorch, name)
    if isinstance(x, torch.device):
        return helpers.device_name()
    if any(x is known for known in (torch.contiguous_format, torch.preserve_format, torch.strided)):
        return None  # the only layouts there are
    if isinstance(x, (torch.memory_format, torch.layout)):
        raise OutOfScope(f"{x} as an argument")
    if isinstance(x, complex):
        raise OutOfScope("complex number")
    if isinstance(x, torch.Size):
        return tuple(x)
    if isinstance(x, (list, tuple)):
        return type(x)(translate(v, known) for v in x)
    if isinstance(x, dict):
        return {k: translate(v, known) for k, v in x.items()}
    if isinstance(x, slice):
        return slice(translate(x.start), translate(x.stop), translate(x.step))
    return x


def tensors(x: Any, kind: type) -> list[Any]:
    """All tensors in a nest of tuples, lists and dicts, in order."""
    if isinstance(x, kind):
        return [x]
    if isinstance(x, (list, tuple)):
        return [t for v in x for t in tensors(v, kind)]
    if isinstance(x, dict):
        return [t for v in x.values() for t in tensors(v, kind)]
    return []


def _differentiable(outputs: list[Any]) -> list[int]:
    return [i for i, o in enumerate(outputs) if o.requires_grad]


def _numbers(shape: tuple[int, ...], seed: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).uniform(0.5, 1.5, shape)


# Rounding adds up on the way: the first derivative is compared less closely than the value, the second still less.
_VALUE = {"float16": (5e-3, 5e-3), "bfloat16": (4e-2, 4e-2)}
_GRADIENT = {"float64": (1e-7, 1e-7), "float32": (2e-5, 2e-5), "float16": (3e-2, 3e-2), "bfloat16": (0.15, 0.15)}
_SECOND = {"float64": (1e-6, 1e-7), "float32": (5e-4, 5e-4)}


def _rounding(expected: Any, units: int) -> float:
    """So many units in the last place of the largest number."""
    import torch

    if not (expected.dtype.is_floating_point and expected.numel()):
        return 0.0
    return units * torch.finfo(expected.dtype).eps * float(expected.detach().abs().max())


def compare_values(
    actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None, sums: int = 0
) -> None:
    """Equal structure, shapes, dtypes and numbers."""
    import torch

    if isinstance(expected, torch.Tensor):
        if rtol is None and atol is None:
            rtol, atol = _VALUE.get(helpers.dtype_name(expected), (None, None))
        if sums and _rounding(expected, sums):
            rtol, atol = rtol or 1e-5, max(atol or 1e-5, _rounding(expected, sums))
        helpers.same(actual, expected, rtol, atol)
    elif isinstance(expected, (list, tuple)):
        assert isinstance(actual, (list, tuple)), (
            f"{type(actual).__name__} where a {type(expected).__name__} was expected"
        )
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected, strict=True):
            compare_values(a, e, rtol, atol, sums)
    elif isinstance(expected, torch.dtype):
        assert str(actual) == str(expected)
    else:
        assert actual == expected, f"{actual!r} where {expected!r} was expected"


def compare_sample(
    theirs: Callable[..., Any],
    ours: Callable[..., Any],
    sample: Any,
    *,
    first: bool = True,
    second: bool = True,
    uninitialised: bool = False,
    positions: bool = True,
    gauge: bool = False,
    rtol: float | None = None,
    atol: float | None = None,
    sums: int = 0,
    score: Score | None = None,
) -> None:
    """Runs one sample on both libraries.

    Args:
        theirs: PyTorch's operation.
        ours: nbtorch's.
        sample: a ``SampleInput`` of PyTorch's.
        first: compare derivatives.
        second: compare second derivatives too.
        uninitialised: the numbers of the result mean nothing.
        positions: compare integer results, which say where something was found.
        gauge: vectors are unique only up to their sign: compare what the sample's own function makes of the results.
        rtol: relative tolerance of the value; by dtype unless given.
        atol: absolute tolerance of the value.
        sums: the numbers are sums of products: by how many units in the last place of the largest they may differ.
        score: counts the stages that were reached and passed.

    Raises:
        AssertionError: where they differ; the message says whether in the value, the gradient or the second gradient.
        OutOfScope: for a sample that nbtorch leaves out on purpose.
    """
    import torch

    import nbtorch

    arguments = (sample.input, *sample.args)
    mine, my_kwargs = translate(arguments), translate(sample.kwargs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.default_generator.manual_seed(SEED)
        nbtorch.manual_seed(SEED)
        expected = theirs(*arguments, **sample.kwargs)
        if any(o.is_complex() for o in tensors(expected, torch.Tensor)):
            raise OutOfScope("complex result")
    with Stage(score, "value"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            actual = ours(*mine, **my_kwargs)
        if not positions:
            expected, actual = (r[0] if isinstance(r, tuple) else () for r in (expected, actual))
        if gauge:
            assert [tuple(t.shape) for t in actual] == [tuple(t.shape) for t in expected]
            expected, actual = (sample.output_process_fn_grad(r) for r in (expected, actual))
        if not uninitialised:
            compare_values(actual, expected, rtol, atol, sums)
        assert [tuple(t.shape) for t in tensors(actual, nbtorch.Tensor)] == [
            tuple(t.shape) for t in tensors(expected, torch.Tensor)
        ]
        their_outs, my_outs = tensors(expected, torch.Tensor), tensors(actual, nbtorch.Tensor)
        assert _differentiable(my_outs) == _differentiable(their_outs), "requires_grad differs"
    wanted = _differentiable(their_outs)
    if not wanted or not first:
        return
    their_ins = [t for t in tensors((arguments, sample.kwargs), torch.Tensor) if t.requires_grad]
    my_ins = [t for t in tensors((mine, my_kwargs), nbtorch.Tensor) if t.requires_grad]
    their_outs, my_outs = [their_outs[i] for i in wanted], [my_outs[i] for i in wanted]
    hosts = [_numbers(tuple(o.shape), i).astype(helpers.dtype_name(o)) for i, o in enumerate(their_outs)]
    their_starts = [helpers.to_torch(h, requires_grad=second) for h in hosts]
    my_starts = [
        helpers.to_nbtorch(h, device=str(o.device), requires_grad=second) for h, o in zip(hosts, my_outs, strict=True)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            their_grads = torch.autograd.grad(
                their_outs, their_ins, their_starts, create_graph=second, allow_unused=True
            )
        except NotImplementedError as error:
            raise OutOfScope(f"PyTorch: {error}") from None
    with Stage(score, "gradient"):
        my_grads = nbtorch.autograd.grad(my_outs, my_ins, my_starts, create_graph=second, allow_unused=True)
        compare_gradients(my_grads, their_grads, their_ins, _GRADIENT, sums)
    if not second:
        return
    pairs = [(m, t) for m, t in zip(my_grads, their_grads, strict=True) if t is not None and m is not None]
    pairs = [(m, t) for m, t in pairs if t.requires_grad]
    if not pairs:
        return
    with Stage(score, "second gradient"):
        weights = [_numbers(tuple(t.shape), 7 + i).astype(helpers.dtype_name(t)) for i, (_, t) in enumerate(pairs)]
        try:
            their_second = torch.autograd.grad(
                [t for _, t in pairs],
                [*their_ins, *their_starts],
                [helpers.to_torch(w) for w in weights],
                allow_unused=True,
            )
        except RuntimeError as error:
            if "undefined Tensor" not in str(error) and "is not implemented" not in str(error):
                raise
            # PyTorch has no answer here: layer_norm without weight, attention that it fuses.
            raise OutOfScope(f"PyTorch: {error}") from None
        # A gradient that doesn't depend on the input need not be in the graph here.
        kept = [(m, w) for (m, _), w in zip(pairs, weights, strict=True) if m.requires_grad]
        assert kept, "the gradient was not recorded"
        my_second = nbtorch.autograd.grad(
            [m for m, _ in kept],
            [*my_ins, *my_starts],
            [helpers.to_nbtorch(w) for _, w in kept],
            allow_unused=True,
        )
        compare_gradients(my_second, their_second, [*their_ins, *their_starts], _SECOND)


def compare_gradients(
    mine: Any, theirs: Any, inputs: Any, tolerances: dict[str, tuple[float, float]], sums: int = 0
) -> None:
    """Gradients agree; None counts as zeros, since the two libraries may know of independence in different ways."""
    for m, t, x in zip(mine, theirs, inputs, strict=True):
        if m is None and t is None:
            continue
        zeros = np.zeros(tuple(x.shape), helpers.dtype_name(x))
        known = t is not None and not t._is_zerotensor()
        rtol, atol = tolerances.get(helpers.dtype_name(x), (None, None))
        if sums and known and atol is not None:
            atol = max(atol, _rounding(t, sums))
        helpers.same(zeros if m is None else m, t.detach() if known else zeros, rtol, atol)


class Score:
    """How many samples of an operation were compared and agreed, stage by stage."""

    def __init__(self, stages: tuple[str, ...] = STAGES) -> None:
        self.tried = dict.fromkeys(stages, 0)
        self.passed = dict.fromkeys(stages, 0)
        self.failures: list[str] = []

    def text(self, stage: str) -> str:
        """``passed/tried``, or a dash where there was nothing to try."""
        return f"{self.passed[stage]}/{self.tried[stage]}" if self.tried[stage] else "–"

    @property
    def complete(self) -> bool:
        """Whether everything that was tried agreed."""
        return self.passed == self.tried


class Stage:
    """Counts one stage of a comparison, and says at which an error came up."""

    def __init__(self, score: Score | None, name: str) -> None:
        self.score = score
        self.name = name

    def __enter__(self) -> None:
        if self.score is not None:
            self.score.tried[self.name] += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: Any) -> None:
        if error is None:
            if self.score is not None:
                self.score.passed[self.name] += 1
        elif isinstance(error, OutOfScope):
            if self.score is not None:
                self.score.tried[self.name] -= 1
        else:
            error.add_note(f"at: {self.name}")
