"""Makes ``data/digits.npz`` from the file ``digits.csv.gz`` of a scikit-learn wheel.

    pip download --no-deps scikit-learn && unzip -j scikit_learn-*.whl sklearn/datasets/data/digits.csv.gz
    python -m nbtorch.datasets.build_digits digits.csv.gz

The entries of the archive carry a fixed date, so that the result is the same whenever it is made.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parent / "data" / "digits.npz"


def build(source: Path, target: Path = TARGET) -> None:
    """Write ``images`` (1797, 8, 8) and ``labels`` (1797,), both uint8, in the order of the source.

    Args:
        source: ``digits.csv.gz``: one line for an image, 64 pixels from 0 to 16, then the digit.
        target: the archive to write.
    """
    table = np.loadtxt(source, delimiter=",").astype(np.uint8)
    arrays = {"images": table[:, :64].reshape(-1, 8, 8), "labels": table[:, 64]}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue(), compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
