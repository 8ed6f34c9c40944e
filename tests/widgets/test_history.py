from __future__ import annotations

import numpy as np
import pytest
from nbtorch_widgets import protocol
from nbtorch_widgets.history import History, Overview, Samples


def fill(history: History, steps: range, parameters: int = 2) -> None:
    for step in steps:
        history.append(
            step, float(step), np.full(parameters, step, np.float32), np.full(parameters, step % 5, np.uint8)
        )


def check_rows(samples: Samples) -> None:
    """Every row still belongs together."""
    assert list(samples.steps) == sorted(set(samples.steps.tolist()))
    np.testing.assert_array_equal(samples.loss, samples.steps.astype(np.float32))
    np.testing.assert_array_equal(samples.norms[:, 0], samples.steps.astype(np.float32))
    np.testing.assert_array_equal(samples.flags[:, 1], samples.steps % 5)


def test_history_is_bounded_and_keeps_both_ends() -> None:
    history = History(2, capacity=64)
    fill(history, range(1, 10_001))
    samples = history.samples()
    assert len(samples) <= 64
    assert samples.steps[0] == 1
    assert list(samples.steps[-16:]) == list(range(9985, 10_001))
    check_rows(samples)


def test_since_gives_what_is_new() -> None:
    history = History(2)
    fill(history, range(1, 21))
    assert list(history.since(17).steps) == [18, 19, 20]
    assert list(history.since(0, 2).steps) == [19, 20]
    assert len(history.since(20)) == 0


def test_a_copy_does_not_change_later() -> None:
    history = History(2, capacity=8)
    fill(history, range(1, 9))
    samples = history.samples()
    fill(history, range(9, 50))
    check_rows(samples)
    assert list(samples.steps) == list(range(1, 9))


def test_an_overview_of_a_known_run_is_even_and_fits() -> None:
    for total in (1, 5, 126, 127, 500, 12_345):
        overview = Overview(2, capacity=128)
        overview.expect(total)
        for step in range(1, total + 1):
            if overview.due(step) or step == total:
                fill(overview, range(step, step + 1))
        samples = overview.samples()
        assert len(samples) <= 128
        assert samples.steps[0] == 1 and samples.steps[-1] == total
        assert set(np.diff(samples.steps[:-1]).tolist()) <= {overview.stride}
        check_rows(samples)


def test_an_overview_of_an_unknown_run_doubles_its_stride() -> None:
    overview = Overview(2, capacity=16)
    for step in range(1, 1001):
        if overview.due(step):
            fill(overview, range(step, step + 1))
    samples = overview.samples()
    assert overview.stride == 64
    assert list(samples.steps) == list(range(1, 1001, 64))
    check_rows(samples)


def test_an_overview_waits_for_steps_that_could_not_be_sampled() -> None:
    overview = Overview(2, capacity=128)
    overview.expect(1000)  # every eighth step
    assert overview.due(1)
    fill(overview, range(3, 4))
    assert next(step for step in range(4, 20) if overview.due(step)) == 9


def test_every_is_a_lower_bound() -> None:
    overview = Overview(2, capacity=128, every=5)
    overview.expect(100)
    assert overview.stride == 5
    overview.expect(2000)
    assert overview.stride == 20


def test_merging_keeps_each_step_once() -> None:
    one, two = History(2), History(2)
    fill(one, range(1, 10, 2))
    fill(two, range(3, 7))
    merged = one.samples().merge(two.samples())
    assert list(merged.steps) == [1, 3, 4, 5, 6, 7, 9]
    check_rows(merged)


def test_a_tiny_capacity_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        History(1, capacity=4)


def test_the_wire_is_little_endian_columns() -> None:
    history = History(2)
    history.append(258, 0.5, np.array([1, 2], np.float32), np.array([0, 9], np.uint8), branch=3)
    packed = protocol.pack_rows(history.samples())
    assert packed == bytes.fromhex("02010000 0000003f 0000803f 00000040 0009 03000000".replace(" ", ""))


def test_numbers_that_json_lacks_are_words() -> None:
    values = [1.5, None, float("nan"), float("inf"), -float("inf")]
    assert [protocol.number(value) for value in values] == [1.5, None, "NaN", "Infinity", "-Infinity"]


def test_a_file_has_a_padded_header() -> None:
    file = protocol.pack_file({"a": "é"}, b"rows")
    length = int.from_bytes(file[:4], "little")
    assert (
        length % 4 == 0
        and file[4 : 4 + length].decode().rstrip() == '{"a":"\\u00e9"}'
        and file[4 + length :] == b"rows"
    )
