"""The datasets that come with the package."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import to_numpy

import nbtorch
from nbtorch import datasets

EXPECTED_TEST_DIGEST = "208645cd23e83018"
FOLDER = Path(datasets.__file__).parent / "data"


def test_digits() -> None:
    images, labels = datasets.digits()
    assert images.shape == (1797, 64) and images.dtype is nbtorch.float32
    assert labels.shape == (1797,) and labels.dtype is nbtorch.int64
    x, y = to_numpy(images), to_numpy(labels)
    assert x.min() == 0 and x.max() == 1 and np.array_equal(x * 16, np.round(x * 16))
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert y[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_digits_split_is_fixed_and_complete() -> None:
    everything, train, test = (to_numpy(datasets.digits(s)[0]) for s in ("all", "train", "test"))
    assert (len(train), len(test)) == (1442, 355)
    rows = {row.tobytes() for row in everything}
    assert {row.tobytes() for row in np.concatenate([train, test])} == rows
    assert np.bincount(to_numpy(datasets.digits("test")[1])).min() >= 34
    digest = hashlib.sha256(np.round(test * 16).astype(np.uint8).tobytes()).hexdigest()
    assert digest.startswith(EXPECTED_TEST_DIGEST)


def test_digits_as_images() -> None:
    images, _ = datasets.digits("test", flat=False)
    assert images.shape == (355, 1, 8, 8)
    np.testing.assert_array_equal(to_numpy(images).reshape(355, 64), to_numpy(datasets.digits("test")[0]))


def test_digits_unknown_split() -> None:
    with pytest.raises(ValueError, match="'all', 'train' or 'test'"):
        datasets.digits("validation")  # type: ignore[arg-type]


def test_digits_tensors_are_the_callers_own() -> None:
    images, _ = datasets.digits()
    images.zero_()
    assert to_numpy(datasets.digits()[0]).max() == 1


def test_digits_file_is_small_and_its_source_and_licence_are_stated() -> None:
    assert (FOLDER / "digits.npz").stat().st_size <= 60_000
    text = (FOLDER / "DIGITS.txt").read_text(encoding="utf-8")
    for fact in ("Alpaydin", "Kaynak", "UCI", "scikit-learn", "CC BY 4.0", "build_digits.py"):
        assert fact in text


def test_digits_can_be_built_again(tmp_path: Path) -> None:
    """The script gives the committed arrays when fed with what they were made from."""
    from nbtorch.datasets.build_digits import build

    with np.load(FOLDER / "digits.npz") as archive:
        images, labels = archive["images"], archive["labels"]
    source = tmp_path / "digits.csv.gz"
    np.savetxt(source, np.column_stack([images.reshape(-1, 64), labels]), fmt="%d", delimiter=",")
    build(source, tmp_path / "again.npz")
    with np.load(tmp_path / "again.npz") as again:
        np.testing.assert_array_equal(again["images"], images)
        np.testing.assert_array_equal(again["labels"], labels)


POINTS: dict[str, Any] = {
    "moons": (lambda **k: datasets.moons(101, **k), 101, 2),
    "spirals": (lambda **k: datasets.spirals(100, classes=3, **k), 100, 3),
    "blobs": (lambda **k: datasets.blobs(50, 4, **k), 50, 4),
    "blobs at centres": (lambda **k: datasets.blobs(9, [[0, 0], [9, 9]], **k), 9, 2),
}


@pytest.mark.parametrize("name", POINTS)
def test_points(name: str) -> None:
    make, n, classes = POINTS[name]
    points, labels = make(seed=1)
    assert points.shape == (n, 2) and points.dtype is nbtorch.float32
    assert labels.shape == (n,) and labels.dtype is nbtorch.int64
    counts = np.bincount(to_numpy(labels))
    assert len(counts) == classes and counts.max() - counts.min() <= 1
    assert list(to_numpy(labels)) != sorted(to_numpy(labels))


@pytest.mark.parametrize("name", [*POINTS, "lines"])
def test_seeds(name: str) -> None:
    make = datasets.lines if name == "lines" else POINTS[name][0]
    first, second, other = (to_numpy(make(seed=s)[0]) for s in (1, 1, 2))
    assert np.array_equal(first, second) and not np.array_equal(first, other)
    generator = nbtorch.Generator()
    generator.manual_seed(1)
    assert np.array_equal(to_numpy(make(generator=generator)[0]), first)
    nbtorch.manual_seed(3)
    drawn = to_numpy(make()[0])
    nbtorch.manual_seed(3)
    assert np.array_equal(to_numpy(make()[0]), drawn)
    with pytest.raises(ValueError, match="not both"):
        make(seed=1, generator=generator)


def test_points_without_noise_lie_where_they_should() -> None:
    points, labels = (to_numpy(t) for t in datasets.moons(200, noise=0.0))
    np.testing.assert_allclose(np.hypot(*points[labels == 0].T), 1, rtol=1e-5)
    np.testing.assert_allclose(np.hypot(*(points[labels == 1] - [1, 0.5]).T), 1, rtol=1e-5)
    points, _ = (to_numpy(t) for t in datasets.spirals(60, noise=0.0))
    assert abs(np.hypot(*points.T).max() - 1) < 1e-5
    points, labels = (to_numpy(t) for t in datasets.blobs(12, 3, std=0.0))
    np.testing.assert_allclose(np.hypot(*points.T), 2, rtol=1e-5)


def test_lines() -> None:
    x, y = (to_numpy(t) for t in datasets.lines(500, slope=-3.0, intercept=1.0, noise=0.0, low=2.0, high=4.0))
    assert x.shape == y.shape == (500, 1) and x.dtype == np.float32 and x.min() >= 2 and x.max() <= 4
    np.testing.assert_allclose(y, 1 - 3 * x, rtol=1e-5)
    x, y = (to_numpy(t) for t in datasets.lines(5000, noise=0.5, seed=0))
    assert abs((y - 2 * x).std() - 0.5) < 0.03


@pytest.mark.parametrize("make", [datasets.moons, datasets.spirals, datasets.blobs, datasets.lines])
def test_no_points(make: Any) -> None:
    with pytest.raises(ValueError, match="at least one point"):
        make(0)


def test_no_classes() -> None:
    with pytest.raises(ValueError, match="at least one class"):
        datasets.spirals(10, classes=0)
