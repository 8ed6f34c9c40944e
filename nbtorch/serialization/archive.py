"""The zip file around a checkpoint: records by name, each uncompressed, as PyTorch lays them out."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

__all__ = ["CorruptFileError", "Reader", "Writer", "replacing"]

_ALIGNMENT = 64  # PyTorch starts the bytes of every record at a multiple of this, so that files can be mapped
_VERSIONS = range(1, 11)  # of the format, that PyTorch reads
_SMALL = 1 << 16  # more than a record that only names a version or a byte order has


class CorruptFileError(RuntimeError):
    """A checkpoint that is truncated, damaged, or no checkpoint at all."""


@contextlib.contextmanager
def replacing(path: Any) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of ``path`` only once it is complete and on the disk.

    An error, a full disk or a killed process leaves the previous file as it was. A symbolic link stays one: the file
    that it leads to is replaced. What is no ordinary file (``/dev/stdout``, a pipe) is written to directly.

    Raises:
        RuntimeError: where the folder does not exist.
        OSError: where it can't be written to, or the disk is full.
    """
    path = os.path.realpath(os.fspath(path))
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    before = os.stat(path) if os.path.exists(path) else None
    if before is not None and not stat.S_ISREG(before.st_mode):
        with open(path, "wb") as file:
            yield file
        return
    if before is not None and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "Permission denied: the file that is there is read-only", path)
    temporary = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(6)}.tmp")
    try:
        handle, named = _unfinished(folder, temporary)
    except PermissionError:
        why = "a checkpoint is written beside the old one first, so its folder must be writable"
        raise PermissionError(errno.EACCES, f"Permission denied: {why}", folder) from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.chmod(handle if os.chmod in os.supports_fd else temporary, _mode(before))
            if before is not None and hasattr(os, "fchown"):
                with contextlib.suppress(OSError):  # only root may give files away
                    os.fchown(handle, before.st_uid, before.st_gid)
            os.fsync(handle)
            if not named:
                _give_name(handle, temporary)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    with contextlib.suppress(OSError), _open_folder(folder) as opened:  # The new name is to be on the disk too.
        os.fsync(opened)


def _mode(before: os.stat_result | None) -> int:
    """The permissions of the old file, or those that ``open`` would have given."""
    if before is not None:
        return before.st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextlib.contextmanager
def _open_folder(folder: str) -> Iterator[int]:
    opened = os.open(folder, os.O_RDONLY)
    try:
        yield opened
    finally:
        os.close(opened)


def _unfinished(folder: str, temporary: str) -> tuple[int, bool]:
    """A new file for writing, and whether it has its name already; one without vanishes with a killed process."""
    if hasattr(os, "O_TMPFILE") and os.path.isdir("/proc/self/fd"):
        try:
            return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600), False
        except PermissionError:
            raise
        except OSError:  # not on every file system
            pass
    return os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o600), True


def _give_name(handle: int, name: str) -> None:
    with _open_folder(os.path.dirname(name)) as opened:  # with it, Python's link follows /proc's link to the file
        os.link(f"/proc/self/fd/{handle}", name, src_dir_fd=opened)


class Writer:
    """Writes the records of one checkpoint."""

    def __init__(self, file: IO[bytes], root: str) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True)
        self._file = file
        self._start = 0
        with contextlib.suppress(OSError, AttributeError):
            self._start = file.tell()
        self._root = root

    def write(self, name: str, data: Any) -> None:
        """Adds a record; its bytes start at a multiple of 64."""
        info = zipfile.ZipInfo(f"{self._root}/{name}", (1980, 1, 1, 0, 0, 0))
        info.external_attr = 0o600 << 16
        header = 30 + len(info.filename.encode())
        place = self._zip.fp.tell() - self._start + header if self._zip.fp is not None else header
        padding = -(place + 4) % _ALIGNMENT
        info.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
        self._zip.writestr(info, data)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        """Writes the table of contents; after an error never, or half a file would look like a whole one."""
        if kind is not None:
            self._zip.fp = None
        self._zip.close()


class Reader:
    """Reads the records of one checkpoint: each as long as the file says, and all of them no longer than the file.

    Raises:
        CorruptFileError: for what is no zip file, is truncated, or would unpack to more than its own size.
    """

    def __init__(self, file: IO[bytes], source: str) -> None:
        self._source = source
        self._file = file
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError, EOFError) as error:
            raise self.corrupt(f"it is not a complete zip file ({error})") from None
        total = 0
        self._records: dict[str, zipfile.ZipInfo] = {}
        roots = set()
        for info in self._zip.infolist():
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
                raise self.corrupt(f"record {info.filename!r} is compressed, which checkpoints never are")
            if info.flag_bits & 1:
                raise self.corrupt(f"record {info.filename!r} is encrypted")
            total += info.file_size
            root, _, name = info.filename.partition("/")
            if name in self._records:
                raise self.corrupt(f"record {name!r} is there twice")
            roots.add(root)
            self._records[name] = info
        if total > self.size:
            raise self.corrupt(f"its records claim {total} bytes, the file has {self.size}")
        if len(roots) != 1 or "" in roots:
            raise self.corrupt("its records don't lie in one folder, as those of a checkpoint do")
        self._check_version()

    def _check_version(self) -> None:
        if "constants.pkl" in self and "data.pkl" in self:
            raise CorruptFileError(
                f"{self._source} can't be read as a checkpoint: it is a TorchScript archive, a compiled model\n"
                "  fix: load it in PyTorch and save its state_dict()"
            )
        for record in ("version", ".data/version"):
            if record in self:
                text = self.read(record, _SMALL).strip()
                if not (text.isdigit() and len(text) < 4 and int(text) in _VERSIONS):
                    raise self.corrupt(f"it says that its format has the version {text[:20]!r}")

    def corrupt(self, why: str) -> CorruptFileError:
        """The error for this file."""
        return CorruptFileError(
            f"{self._source} can't be read as a checkpoint: {why}.\n  fix: copy the file again, or take an older one; "
            "nothing was loaded"
        )

    def __contains__(self, name: str) -> bool:
        return name in self._records

    def length(self, name: str) -> int:
        """How many bytes a record has."""
        return self._find(name).file_size

    def _find(self, name: str) -> zipfile.ZipInfo:
        info = self._records.get(name)
        if info is None:
            raise self.corrupt(f"the record {name!r} is missing")
        return info

    def read(self, name: str, limit: int | None = None) -> bytes:
        """The bytes of a record, checked against their checksum."""
        if limit is not None and self.length(name) > limit:
            raise self.corrupt(f"the record {name!r} is far too long")
        return self.array(name).tobytes()

    def _start(self, info: zipfile.ZipInfo) -> int:
        """Where the bytes of a record begin."""
        try:
            with self._zip.open(info):  # compares the two headers of the record
                pass
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
            raise self.corrupt(f"the record {info.filename!r} is damaged ({error})") from None
        self._file.seek(info.header_offset + 26)
        lengths = self._file.read(4)
        start = info.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        if start + info.file_size > self.size:
            raise self.corrupt(f"the record {info.filename!r} is cut off")
        return start

    def array(self, name: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The bytes of a record as an array of its own, checked against their checksum."""
        info = self._find(name)
        start = self._start(info)
        out = np.empty(info.file_size, np.uint8)
        into, done = memoryview(out), 0  # type: ignore[arg-type]
        self._file.seek(start)
        if not hasattr(self._file, "readinto"):
            into[:] = self._file.read(len(out)).ljust(len(out), b"\0")
            done = len(out)
        while done < len(out) and (more := self._file.readinto(into[done:])):  # type: ignore[attr-defined]
            done += more
        if done != len(out) or zlib.crc32(into) != info.CRC:
            raise self.corrupt(f"the record {name!r} is damaged (its checksum is another)")
        return out

    def mapped(self, name: str, path: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The bytes of a record where they lie in the file: read when they are looked at, and never written back."""
        info = self._find(name)
        start = self._start(info)
        if info.file_size == 0:
            return np.empty(0, np.uint8)
        return np.memmap(path, np.uint8, "c", start, (info.file_size,)).view(np.ndarray)
