"""Every operation that nbtorch has, against PyTorch on PyTorch's own sample inputs and wrong calls."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import helpers
import pytest

torch = helpers.import_torch()

from conformance import oracle, table  # noqa: E402

import nbtorch  # noqa: E402

DTYPES = (torch.float64, torch.float32, torch.int64, torch.bool)
# How many samples of one record are run: spread over all of them, the same ones each time.
SAMPLES = {torch.float64: 24, torch.float32: 4, torch.int64: 4, torch.bool: 3}

RECORDS = {oracle.label(info): (info, function) for info, function in oracle.known()}


def ours(info: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    arguments = table.ARGUMENTS.get(info.name)
    return function if arguments is None else arguments(nbtorch)


def spread(samples: list[Any], count: int) -> list[Any]:
    """``count`` samples from the first to the last, evenly."""
    step = max(1, -(-len(samples) // count))
    return samples[::step]


def samples(info: Any, dtype: Any) -> Iterator[Any]:
    if not info.supports_dtype(dtype, "cpu"):
        return
    torch.manual_seed(0)
    requires_grad = dtype.is_floating_point and info.supports_autograd
    # A few records have thousands of samples, and making them takes longer than comparing them.
    made = itertools.islice(info.sample_inputs("cpu", dtype, requires_grad=requires_grad), 200)
    yield from spread(list(made), SAMPLES[dtype])


def text(x: Any) -> str:
    """A sample's arguments in short, for the report of a failure."""
    if isinstance(x, torch.Tensor):
        return f"{helpers.dtype_name(x)}{list(x.shape)}"
    if isinstance(x, (list, tuple)):
        return f"({', '.join(map(text, x))})"
    if isinstance(x, dict):
        return f"{{{', '.join(f'{k}={text(v)}' for k, v in x.items())}}}"
    return repr(x)


@pytest.mark.parametrize("label", RECORDS)
def test_values_and_gradients(label: str) -> None:
    if label in table.LEFT_OUT:
        pytest.skip(table.LEFT_OUT[label])
    info, function = RECORDS[label]
    compared = 0
    for dtype in DTYPES:
        for sample in samples(info, dtype):
            if set(sample.kwargs) & set(table.KEYWORDS):
                continue
            try:
                oracle.compare_sample(
                    info.op,
                    ours(info, function),
                    sample,
                    first=info.name not in table.ROUNDED or dtype == torch.float64,
                    second=info.supports_gradgrad,
                    uninitialised=info.name in table.UNINITIALISED,
                    positions=info.name not in table.ANY_ORDER_AMONG_EQUALS,
                )
            except oracle.OutOfScope:
                continue
            except Exception as error:
                error.add_note(f"{label} on {text((sample.input, *sample.args, sample.kwargs))}")
                raise
            compared += 1
    assert compared, "not one sample is in scope: the entry belongs into the table of what is left out"


def variants() -> Iterator[tuple[str, Any, str]]:
    for label, (info, _) in RECORDS.items():
        if label in table.LEFT_OUT or info.name in table.UNINITIALISED or info.name in table.ARGUMENTS:
            continue
        for kind in ("method", "inplace"):
            theirs = info.get_method() if kind == "method" else info.get_inplace()
            name = getattr(theirs, "__name__", "")
            if theirs is not None and hasattr(nbtorch.Tensor, name):
                yield label, theirs, name


@pytest.mark.parametrize(("label", "theirs", "name"), [pytest.param(*v, id=f"{v[0]}-{v[2]}") for v in variants()])
def test_methods(label: str, theirs: Callable[..., Any], name: str) -> None:
    """The method and the in-place method of the operation do the same as PyTorch's."""
    info, _ = RECORDS[label]
    inplace = name.endswith("_") and not name.endswith("__")
    for sample in spread(list(samples(info, torch.float64)), 4):
        if inplace and sample.broadcasts_input:
            continue

        def on(library: Any, method: Callable[..., Any]) -> Callable[..., Any]:
            return lambda x, *args, **kwargs: method(x.clone() if inplace else x, *args, **kwargs)

        try:
            oracle.compare_sample(
                on(torch, theirs),
                on(nbtorch, getattr(nbtorch.Tensor, name)),
                sample,
                second=info.supports_gradgrad,
                positions=info.name not in table.ANY_ORDER_AMONG_EQUALS,
            )
        except oracle.OutOfScope:
            continue
        except Exception as error:
            error.add_note(f"{name} on {text((sample.input, *sample.args, sample.kwargs))}")
            raise


def wrong_calls() -> Iterator[Any]:
    for label, (info, function) in RECORDS.items():
        if info.error_inputs_func is not None and label not in table.LEFT_OUT:
            yield pytest.param(info, function, id=label)


@pytest.mark.parametrize(("info", "function"), wrong_calls())
def test_wrong_calls(info: Any, function: Callable[..., Any]) -> None:
    """The class of the exception that PyTorch raises; the arguments are as before."""
    for wrong in info.error_inputs("cpu"):
        sample = wrong.sample_input
        arguments = (sample.input, *sample.args)
        if "out" in sample.kwargs:
            continue  # nbtorch has no out=
        if wrong.error_type is Exception or not isinstance(sample.input, (torch.Tensor, list, tuple)):
            continue  # PyTorch refuses a Python number on one side; nbtorch takes it on either
        try:
            mine, keywords = oracle.translate(arguments), oracle.translate(sample.kwargs)
        except oracle.OutOfScope:
            continue
        # Indices are not looked at on a device: what is out of range shows when the device gets there.
        classes = (wrong.error_type,) if helpers.device_name() == "cpu" else (wrong.error_type, IndexError)
        before = [helpers.to_numpy(t) for t in oracle.tensors((mine, keywords), nbtorch.Tensor)]
        with warnings.catch_warnings(), pytest.raises(classes):
            warnings.simplefilter("ignore")
            ours(info, function)(*mine, **keywords)
            pytest.fail(f"{text((arguments, sample.kwargs))} went through")
        after = [helpers.to_numpy(t) for t in oracle.tensors((mine, keywords), nbtorch.Tensor)]
        helpers.same(after, before)
