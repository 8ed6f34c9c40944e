"""The format from before PyTorch 1.6: pickles one after the other, then the bytes of the storages.

Fields in order: a magic number, the version 1001, what the machine was like, the object (its storages by reference),
the storages' keys, and for each key the number of elements in 8 bytes and the elements.
Source: the files that ``torch.save(..., _use_new_zipfile_serialization=False)`` writes.
"""

from __future__ import annotations

import os
import pickle
from typing import IO, Any

import numpy as np

from .archive import CorruptFileError
from .names import STORAGES, Global
from .pickler import Pickler
from .tensors import Tensors
from .unpickler import UnpicklingError, names_in, unpickle

__all__ = ["read", "write"]

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_TAR = b"ustar"


def write(obj: Any, file: IO[bytes], protocol: int) -> None:
    """Writes an object in the old format; the arguments as for ``save``."""
    machine = {
        "protocol_version": _VERSION,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    for value in (_MAGIC, _VERSION, machine):
        pickle.dump(value, file, protocol)
    pickler = Pickler(file, protocol, old=True)
    pickler.dump(obj)
    storages = sorted(pickler.storages, key=lambda storage: storage.key)
    pickle.dump([storage.key for storage in storages], file, protocol)
    for storage in storages:
        file.write(storage.array.size.to_bytes(8, "little"))
        file.write(storage.data())


class _Within:
    """A file that never asks for more than there is: a claimed length costs no memory."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._size = file, size
        self.tell, self.readline = file.tell, file.readline

    def read(self, count: int) -> bytes:
        return self._file.read(min(count, self._size - self._file.tell()))


def read(file: IO[bytes], source: str, map_location: Any, weights_only: bool) -> Any:
    """The object in an old file, which begins where the file stands.

    Raises:
        CorruptFileError: for what is no such file, or is cut off.
        UnpicklingError: as for ``load``.
    """
    start = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(start)
    head = file.read(512)
    if head[257:262] == _TAR:
        raise CorruptFileError(
            f"{source} is a tar file, the format of PyTorch before 0.1.10, which is not read\n"
            "  fix: load it with PyTorch (weights_only=False) and save it again"
        )
    if not head[:1] or head[0] != 0x80:
        raise CorruptFileError(
            f"{source} can't be read as a checkpoint: it begins neither like a zip file nor like a pickle.\n"
            + ("  got: an empty file\n" if not head else "")
            + "  fix: copy the file again, or take an older one; nothing was loaded"
        )
    file.seek(start)
    return _Old(file, size, source).load(map_location, weights_only)


class _Old:
    def __init__(self, file: IO[bytes], size: int, source: str) -> None:
        self.file, self.size, self.source = file, size, source
        self.places: dict[str, tuple[int, int]] = {}  # of storages: where their bytes begin, and how many there are

    def corrupt(self, why: str) -> CorruptFileError:
        return CorruptFileError(
            f"{self.source} can't be read as a checkpoint: {why}.\n  fix: copy the file again, or take an older one; "
            "nothing was loaded"
        )

    def plain(self) -> Any:
        """The next pickle, which has nothing but numbers, text and containers."""
        return unpickle(_Within(self.file, self.size), self.size, self.refuse, {}, self.source)

    def refuse(self, reference: Any) -> Any:
        raise UnpicklingError(f"{self.source} is damaged: a reference to a storage out of place")

    def load(self, map_location: Any, weights_only: bool) -> Any:
        """Reads the file twice: its storages stand behind the object that refers to them."""
        try:
            magic = self.plain()
        except UnpicklingError as error:
            raise self.corrupt(f"it begins like a pickle that is no checkpoint ({error})") from None
        if type(magic) is not int or magic != _MAGIC:
            raise self.corrupt("Invalid magic number; corrupt file?")
        version = self.plain()
        if version != _VERSION:
            raise self.corrupt(f"Invalid protocol version: {version!r:.40}")
        machine = self.plain()
        if not isinstance(machine, dict) or machine.get("little_endian") is not True:
            raise self.corrupt("its numbers have the bytes of another kind of machine")
        start = self.file.tell()
        _, references = names_in(_Within(self.file, self.size), self.size, self.source)
        keys = self.plain()
        self.find_storages(keys, references)
        end = self.file.tell()
        tensors = Tensors(self.storage, self.source, map_location, "<")
        self.file.seek(start)
        within = _Within(self.file, self.size)
        result = unpickle(within, self.size, self.persistent(tensors), tensors.rebuild, self.source, weights_only)
        self.file.seek(end)  # another object may follow
        return result

    def persistent(self, tensors: Tensors) -> Any:
        def found(reference: Any) -> Any:
            if isinstance(reference, tuple) and len(reference) == 4 and reference[0] == "module":
                return reference[1]  # a class, with its source beside it to compare
            return tensors.storage(reference)

        return found

    def find_storages(self, keys: Any, references: list[Any]) -> None:
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise self.corrupt("the list of its storages is damaged")
        widths = {
            r[2]: STORAGES[r[1].name].numpy.itemsize
            for r in references
            if isinstance(r, tuple) and len(r) == 6 and r[0] == "storage" and isinstance(r[2], str)
            and isinstance(r[1], Global) and r[1].name in STORAGES
        }  # fmt: skip
        for key in keys:
            if key not in widths or key in self.places:
                raise self.corrupt(f"its storage {key!r:.40} belongs to no tensor")
            count = self.file.read(8)
            bytes_ = int.from_bytes(count, "little") * widths[key]
            place = self.file.tell()
            if len(count) < 8 or place + bytes_ > self.size:
                raise self.corrupt(f"the storage {key!r:.40} is cut off")
            self.places[key] = place, bytes_
            self.file.seek(place + bytes_)

    def storage(self, key: str, count: int) -> Any:
        place, there = self.places.get(key, (0, -1))
        if there != count:
            raise self.corrupt(f"the storage {key!r:.40} has {there} bytes where {count} were expected")
        here = self.file.tell()
        self.file.seek(place)
        data = np.frombuffer(bytearray(self.file.read(count)), np.uint8)
        self.file.seek(here)
        if len(data) != count:
            raise self.corrupt(f"the storage {key!r:.40} is cut off")
        return data
