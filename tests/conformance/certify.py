"""Every operation of PyTorch's database, on its samples and its wrong calls: what agrees, counted."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import helpers

torch = helpers.import_torch()

from conformance import oracle, table  # noqa: E402

import nbtorch  # noqa: E402

# How many samples of one record are run in each dtype, spread over all of them, the same ones each time. None is all.
SAMPLES: dict[Any, int | None] = {
    torch.float64: 100,
    torch.float32: 8,
    torch.int64: 8,
    torch.bool: 5,
    **dict.fromkeys((torch.float16, torch.bfloat16, torch.int32, torch.int16, torch.int8, torch.uint8), 3),
}


def ours(info: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """nbtorch's function, taking its arguments in the order of the database's samples."""
    arguments = table.ARGUMENTS.get(oracle.label(info), table.ARGUMENTS.get(info.name))
    return function if arguments is None else arguments(nbtorch)


def spread(samples: list[Any], count: int | None) -> list[Any]:
    """``count`` samples from the first to the last, evenly; all for None."""
    return samples if count is None else samples[:: max(1, -(-len(samples) // count))]


def samples(info: Any, dtype: Any, count: int | None) -> Iterator[Any]:
    """Some of the samples of a record in one dtype."""
    if not info.supports_dtype(dtype, "cpu"):
        return
    torch.default_generator.manual_seed(
        0
    )  # torch.manual_seed formats the stack three times, for devices that are not here
    requires_grad = dtype.is_floating_point and info.supports_autograd
    made = info.sample_inputs("cpu", dtype, requires_grad=requires_grad)
    # A few records have thousands of samples, and making them takes longer than comparing them.
    yield from spread(list(made if count is None else itertools.islice(made, 20 * count)), count)


def text(x: Any) -> str:
    """A sample's arguments in short, for the report of a failure."""
    if isinstance(x, torch.Tensor):
        return f"{helpers.dtype_name(x)}{list(x.shape)}"
    if isinstance(x, (list, tuple)):
        return f"({', '.join(map(text, x))})"
    if isinstance(x, dict):
        return f"{{{', '.join(f'{k}={text(v)}' for k, v in x.items())}}}"
    return repr(x)


def compare(info: Any, function: Callable[..., Any], sample: Any, dtype: Any, score: oracle.Score | None) -> None:
    """One sample in one dtype, with what the table says of its record."""
    oracle.compare_sample(
        info.op,
        function,
        sample,
        # Where equal elements may change places, so may their gradients; coarse dtypes have many of them.
        first=info.name not in (table.ROUNDED if dtype.itemsize > 2 else {*table.ANY_ORDER_AMONG_EQUALS, "msort"})
        or dtype == torch.float64,
        second=info.supports_gradgrad and dtype == torch.float64 and oracle.label(info) not in table.NO_SECOND,
        uninitialised=info.name in table.UNINITIALISED,
        positions=info.name not in table.ANY_ORDER_AMONG_EQUALS,
        gauge=info.name in table.GAUGE,
        sums=0 if dtype == torch.float64 else table.SUMS.get(info.name, 0),
        score=score,
    )


def certify(info: Any, *, every: bool = False) -> oracle.Score:
    """Runs the samples and the wrong calls of one record; with ``every``, all of them in each dtype."""
    score = oracle.Score()
    function = oracle.find(info)
    if function is None:
        score.tried["value"] = 1
        score.failures.append("missing")
        return score
    function = ours(info, function)
    for dtype, count in SAMPLES.items():
        if info.name in table.HALF and dtype in (torch.float16, torch.bfloat16):
            continue
        for sample in samples(info, dtype, None if every else count):
            try:
                compare(info, function, sample, dtype, score)
            except oracle.OutOfScope:
                continue
            except Exception as error:
                where = f"{oracle.label(info)} on {text((sample.input, *sample.args, sample.kwargs))}"
                notes = " ".join(getattr(error, "__notes__", []))
                score.failures.append(f"{where}\n    {notes}: {type(error).__name__}: {error}")
    for wrong in wrong_calls(info):
        score.tried["error"] += 1
        problem = refuse(info, function, wrong)
        if problem is None:
            score.passed["error"] += 1
        else:
            score.failures.append(problem)
    return score


def wrong_calls(info: Any) -> Iterator[Any]:
    """The calls that PyTorch refuses and that nbtorch can be given."""
    if info.error_inputs_func is None:
        return
    for wrong in info.error_inputs("cpu"):
        sample = wrong.sample_input
        if wrong.error_type is Exception or not isinstance(sample.input, (torch.Tensor, list, tuple)):
            continue  # PyTorch refuses a Python number on one side; nbtorch takes it on either
        try:
            oracle.translate(((sample.input, *sample.args), sample.kwargs))
        except oracle.OutOfScope:
            continue
        yield wrong


def refuse(info: Any, function: Callable[..., Any], wrong: Any) -> str | None:
    """Makes a wrong call: None where it raises PyTorch's class and leaves its arguments alone, else what went wrong."""
    sample = wrong.sample_input
    arguments = (sample.input, *sample.args)
    known = oracle.sharing((arguments, sample.kwargs))  # an output over the memory of an input is so here too
    mine, keywords = oracle.translate(arguments, known), oracle.translate(sample.kwargs, known)
    where = f"{oracle.label(info)} wrongly called with {text((sample.input, *sample.args, sample.kwargs))}"
    # Indices are not looked at on a device: what is out of range shows when the device gets there.
    classes = (wrong.error_type,) if helpers.device_name() == "cpu" else (wrong.error_type, IndexError)
    before = [helpers.to_numpy(t) for t in oracle.tensors((mine, keywords), nbtorch.Tensor)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            function(*mine, **keywords)
        except classes:
            pass
        except Exception as error:
            return f"{where}\n    {type(error).__name__} ({error}) where PyTorch raises {wrong.error_type.__name__}"
        else:
            return f"{where}\n    went through; PyTorch raises {wrong.error_type.__name__}: {wrong.error_regex}"
    after = [helpers.to_numpy(t) for t in oracle.tensors((mine, keywords), nbtorch.Tensor)]
    try:
        helpers.same(after, before)
    except AssertionError:
        return f"{where}\n    changed its arguments"
    return None


def scope(info: Any) -> str | None:
    """Why a record is out of scope; None where it is in scope."""
    name = oracle.label(info)
    for pattern, reason in table.OUT_OF_SCOPE:
        if pattern.fullmatch(name):
            return reason
    return None
