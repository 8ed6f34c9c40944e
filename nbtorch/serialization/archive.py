"""The zip file around a checkpoint: records by name, each uncompressed, as PyTorch lays them out."""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any

__all__ = ["CorruptFileError", "Reader", "Writer", "replacing"]

_ALIGNMENT = 64  # PyTorch starts the bytes of every record at a multiple of this, so that files can be mapped


class CorruptFileError(RuntimeError):
    """A checkpoint that is truncated, damaged, or no checkpoint at all."""


@contextlib.contextmanager
def replacing(path: Any) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of ``path`` only once it is complete and on the disk.

    An error, a full disk or a killed process leaves the previous file as it was.
    """
    path = os.fspath(path)
    folder, name = os.path.split(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    handle, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp lets nobody else read; the new file gets the permissions that open() would have given.
        mask = os.umask(0)
        os.umask(mask)
        mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o666 & ~mask
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


class Writer:
    """Writes the records of one checkpoint."""

    def __init__(self, file: IO[bytes], root: str) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True)
        self._file = file
        self._start = 0
        with contextlib.suppress(OSError, AttributeError):
            self._start = file.tell()
        self._root = root
        self._names: list[str] = []

    def write(self, name: str, data: Any) -> None:
        """Adds a record; its bytes start at a multiple of 64."""
        info = zipfile.ZipInfo(f"{self._root}/{name}", (1980, 1, 1, 0, 0, 0))
        info.external_attr = 0o600 << 16
        header = 30 + len(info.filename.encode())
        place = self._zip.fp.tell() - self._start + header if self._zip.fp is not None else header
        padding = -(place + 4) % _ALIGNMENT
        info.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
        self._zip.writestr(info, data)

    def close(self) -> None:
        """Writes the table of contents."""
        self._zip.close()


class Reader:
    """Reads the records of one checkpoint; each at most once more than it is asked for, and no more than the file has.

    Raises:
        CorruptFileError: for what is no zip file, is truncated, or would unpack to more than its own size.
    """

    def __init__(self, file: IO[bytes], source: str) -> None:
        self._source = source
        file.seek(0, os.SEEK_END)
        size = file.tell()
        file.seek(0)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError) as error:
            raise self._corrupt(f"it is not a complete zip file ({error})") from None
        total = 0
        self._records: dict[str, zipfile.ZipInfo] = {}
        roots = set()
        for info in self._zip.infolist():
            if info.compress_type != zipfile.ZIP_STORED:
                raise self._corrupt(f"record {info.filename!r} is compressed, which checkpoints never are")
            total += info.file_size
            root, _, name = info.filename.partition("/")
            if name in self._records:
                raise self._corrupt(f"record {name!r} is there twice")
            roots.add(root)
            self._records[name] = info
        if total > size:
            raise self._corrupt(f"its records claim {total} bytes, the file has {size}")
        if len(roots) != 1:
            raise self._corrupt("its records don't lie in one folder, as those of a checkpoint do")

    def _corrupt(self, why: str) -> CorruptFileError:
        return CorruptFileError(
            f"{self._source} can't be read as a checkpoint: {why}.\n  fix: copy the file again, or take an older one; "
            "nothing was loaded"
        )

    def __contains__(self, name: str) -> bool:
        return name in self._records

    def read(self, name: str) -> bytes:
        """The bytes of a record, checked against their checksum."""
        info = self._records.get(name)
        if info is None:
            raise self._corrupt(f"the record {name!r} is missing")
        try:
            data = self._zip.read(info)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
            raise self._corrupt(f"the record {name!r} is damaged ({error})") from None
        if len(data) != info.file_size:
            raise self._corrupt(f"the record {name!r} is cut off")
        return data
