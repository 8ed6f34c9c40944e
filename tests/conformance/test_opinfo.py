"""Every operation in scope, against PyTorch on PyTorch's own sample inputs and wrong calls."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import helpers
import pytest

torch = helpers.import_torch()

from conformance import oracle, report, table  # noqa: E402
from conformance.certify import certify, compare, ours, samples, scope, spread, text  # noqa: E402

import nbtorch  # noqa: E402

RECORDS = {oracle.label(info): info for info in oracle.database() if scope(info) is None}
KNOWN = {label: info for label, info in RECORDS.items() if oracle.find(info) is not None and label not in table.RED}
PUBLISHED = report.rows()


@pytest.mark.parametrize("label", RECORDS)
def test_certified(label: str) -> None:
    """Everything agrees, or as much as the published page says of a record in the red list."""
    info = RECORDS[label]
    score = certify(info)
    if label not in table.RED:
        assert not score.failures, f"{len(score.failures)} failures; the first: {score.failures[0]}"
    if helpers.device_name() == "cpu":
        assert PUBLISHED.get(label) == report.row(info, score), (
            "the operation agrees with PyTorch, only docs/conformance.md is older; python tests/conformance/report.py "
            "writes it"
        )


def test_the_page_names_every_record() -> None:
    assert set(PUBLISHED) == set(RECORDS)


def test_the_red_list_is_what_does_not_agree_and_gives_reasons() -> None:
    counts = {name: re.findall(r"(\d+)/(\d+)", row) for name, row in PUBLISHED.items()}
    assert {name for name, pairs in counts.items() if any(a != b for a, b in pairs)} == set(table.RED)


def variants() -> Iterator[tuple[str, Any, str]]:
    for label, info in KNOWN.items():
        if info.name in table.UNINITIALISED or info.name in table.ARGUMENTS or label in table.NO_METHODS:
            continue
        for kind in ("method", "inplace"):
            theirs = info.get_method() if kind == "method" else info.get_inplace()
            name = getattr(theirs, "__name__", "")
            if theirs is not None and hasattr(torch.Tensor, name):
                yield label, theirs, name


@pytest.mark.parametrize(("label", "theirs", "name"), [pytest.param(*v, id=f"{v[0]}-{v[2]}") for v in variants()])
def test_methods(label: str, theirs: Callable[..., Any], name: str) -> None:
    """The method and the in-place method of the operation do the same as PyTorch's."""
    info = RECORDS[label]
    inplace = name.endswith("_") and not name.endswith("__")
    for sample in spread(list(samples(info, torch.float64, 24)), 4):
        if inplace and sample.broadcasts_input:
            continue

        def on(method: Callable[..., Any]) -> Callable[..., Any]:
            return lambda x, *args, **kwargs: method(x.clone() if inplace else x, *args, **kwargs)

        try:
            oracle.compare_sample(
                on(theirs),
                on(getattr(nbtorch.Tensor, name)),
                sample,
                second=info.supports_gradgrad,
                positions=info.name not in table.ANY_ORDER_AMONG_EQUALS,
            )
        except oracle.OutOfScope:
            continue
        except Exception as error:
            error.add_note(f"{name} on {text((sample.input, *sample.args, sample.kwargs))}")
            raise


def aliases() -> Iterator[Any]:
    for label, info in KNOWN.items():
        for alias in info.aliases:
            yield pytest.param(label, alias.name, id=f"{label}-{alias.name}")


@pytest.mark.parametrize(("label", "alias"), aliases())
def test_aliases(label: str, alias: str) -> None:
    """PyTorch's other names of the operation are there too."""
    found: Any = nbtorch
    for part in alias.removeprefix("torch.").split("."):
        found = getattr(found, part)
    for sample in spread(list(samples(RECORDS[label], torch.float64, 24)), 1):
        try:
            compare(RECORDS[label], found, sample, torch.float32, None)
        except oracle.OutOfScope:
            continue


@pytest.mark.parametrize("label", [n for n, info in KNOWN.items() if info.supports_out and n not in table.OUT_LEFT])
def test_out(label: str) -> None:
    """``out=`` receives the result; what is too small grows, what has another kind of dtype is refused."""
    info = RECORDS[label]
    function = ours(info, oracle.find(info))  # type: ignore[arg-type]
    for sample in spread(list(samples(info, torch.float64, 24)), 2):
        try:
            arguments = oracle.translate((sample.input, *sample.args))
            keywords = oracle.translate(sample.kwargs)
        except oracle.OutOfScope:
            continue
        with nbtorch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nbtorch.manual_seed(0)
            expected = function(*arguments, **keywords)
            results = oracle.tensors(expected, nbtorch.Tensor)
            if not results:
                continue
            for shapes in ([t.shape for t in results], [(0,)] * len(results)):
                made = [
                    nbtorch.empty(shape, dtype=t.dtype, device=t.device)
                    for shape, t in zip(shapes, results, strict=True)
                ]
                out = tuple(made) if isinstance(expected, (tuple, list)) else made[0]
                nbtorch.manual_seed(0)
                returned = function(*arguments, **keywords, out=out)
                assert all(a is b for a, b in zip(oracle.tensors(returned, nbtorch.Tensor), made, strict=True))
                if info.name not in table.UNINITIALISED:
                    helpers.same([helpers.to_numpy(t) for t in made], [helpers.to_numpy(t) for t in results])
            refusal = refusal_of_bools(info, sample, results) if results[0].is_floating_point() else None
            if refusal is not None:
                wrong = [nbtorch.empty(t.shape, dtype=nbtorch.bool, device=t.device) for t in results]
                # Which operation inside refuses the dtype decides between RuntimeError and NotImplementedError.
                with pytest.raises(RuntimeError if issubclass(refusal, RuntimeError) else refusal):
                    function(*arguments, **keywords, out=tuple(wrong) if isinstance(expected, tuple) else wrong[0])


def refusal_of_bools(info: Any, sample: Any, results: list[Any]) -> type[Exception] | None:
    """The class that PyTorch raises when the results of a sample are to be written into tensors of bools."""
    wrong = [torch.empty(tuple(t.shape), dtype=torch.bool) for t in results]
    try:
        with torch.no_grad():
            info.op(sample.input, *sample.args, **sample.kwargs, out=tuple(wrong) if len(wrong) > 1 else wrong[0])
    except Exception as error:
        return type(error)
    return None
