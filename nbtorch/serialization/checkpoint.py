"""``save`` and ``load``: PyTorch's checkpoints."""

from __future__ import annotations

import io
import os
import warnings
from typing import IO, Any

from . import legacy
from .archive import Reader, Writer, replacing
from .pickler import Pickler
from .safe_tensors import load_file
from .tensors import Tensors
from .unpickler import UnpicklingError, names_in, refused, unpickle

__all__ = ["get_unsafe_globals_in_checkpoint", "load", "save"]


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Saves an object: a tensor, a ``state_dict``, any nest of containers of them, a module. PyTorch can load the file.

    A file given by its path is replaced only once the new one is complete and on the disk: whatever happens meanwhile,
    there is either the old file or the new one. Its permissions stay, and so do symbolic links to it. What is written
    to an open file is written there and then: nobody but its owner can take that back.

    Args:
        obj: what to save. Tensors that share memory share it in the file too.
        f: a path, or a file that is open for writing.
        pickle_module: accepted for PyTorch's sake.
        pickle_protocol: the version of the pickle; PyTorch reads 2.
        _use_new_zipfile_serialization: False writes the format from before PyTorch 1.6.

    Raises:
        RuntimeError: where the folder does not exist, or tensors show the same memory as numbers of different kinds.
        OSError: where the file can't be written: a full disk, a folder without permission.
        AttributeError: for anything else than a path or a file.
        PicklingError: for an object without a name to find it by, as a lambda (``AttributeError`` if it is local).
    """
    if isinstance(f, (str, os.PathLike)):
        with replacing(f) as file:
            root = os.path.splitext(os.path.basename(os.fspath(f)))[0]
            _write(obj, file, root, pickle_protocol, _use_new_zipfile_serialization)
    elif hasattr(f, "write"):
        _write(obj, f, "archive", pickle_protocol, _use_new_zipfile_serialization)
    else:
        raise AttributeError(
            f"expected 'f' to be string, path, or a file-like object with a 'write' attribute, got {f!r}"
        )


def _write(obj: Any, file: Any, root: str, protocol: int, as_zip: bool) -> None:
    if not as_zip:
        legacy.write(obj, file, protocol)
        return
    pickled = io.BytesIO()
    pickler = Pickler(pickled, protocol)
    pickler.dump(obj)
    # The name of a folder: PyTorch's zip reader knows only letters without accents.
    with Writer(file, root if root.isascii() and root else "archive") as writer:
        writer.write("data.pkl", pickled.getvalue())
        writer.write(".format_version", b"1")
        writer.write(".storage_alignment", b"64")
        writer.write("byteorder", b"little")
        for storage in pickler.storages:
            writer.write(f"data/{storage.key}", storage.data())
        writer.write("version", b"3\n")


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Loads what ``save`` of nbtorch or of PyTorch has written, of any age, or safetensors: all of it, or none.

    Nothing in a file is executed. Memory is bounded by a multiple of the file's length, and so is time.

    Args:
        f: a path, or a file that is open for reading and can be searched.
        map_location: where the tensors go: a device, a dictionary from saved locations to devices, or a function of a
            storage and its location; None for where they were.
        pickle_module: accepted for PyTorch's sake, with ``weights_only=False``, which it makes the default.
        weights_only: True (the default): tensors, parameters, containers, numbers, dtypes, sizes, devices, and what was
            added by ``add_safe_globals``. False adds whole modules and optimizers, objects of classes that the program
            has imported already, and NumPy's numbers: all that can be put together without running code of theirs.
        mmap: True leaves the numbers in the file until they are looked at; changes are not written back.
        pickle_load_args: accepted for PyTorch's sake, with ``weights_only=False``.

    Raises:
        FileNotFoundError: where there is no such file.
        CorruptFileError: for a file that is truncated or damaged (a ``RuntimeError``).
        UnpicklingError: for a file that names something that may not be rebuilt, or whose contents don't fit together.
        RuntimeError: for tensors of a device that is not there; for a file that can't be mapped.
        ValueError: for ``mmap`` of anything but a path.
    """
    weights_only = pickle_module is None if weights_only is None else bool(weights_only)
    if weights_only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    if weights_only and pickle_load_args:
        warnings.warn("pickle_load_args only works if `weights_only=False`.", stacklevel=2)
    if isinstance(f, (str, os.PathLike)):
        path = os.fspath(f)
        if path.endswith(".safetensors"):
            return load_file(path, "cpu" if map_location is None else map_location)
        with open(path, "rb") as file:
            return _read(file, path, path if mmap else None, map_location, weights_only)
    if not (hasattr(f, "read") and hasattr(f, "seek") and hasattr(f, "tell")):
        raise AttributeError(
            "You can only torch.load from a file that is seekable. Please pre-load the data into a buffer like "
            f"io.BytesIO and try to load from it instead.\n  got: {type(f).__name__}"
        )
    if mmap:
        raise ValueError("f must be a file path in order to use the mmap argument")
    return _read(f, str(getattr(f, "name", "the file")), None, map_location, weights_only)


def _read(file: IO[bytes], source: str, mapped: Any, map_location: Any, weights_only: bool) -> Any:
    start = file.tell()
    beginning = file.read(4)
    if not beginning and start:  # as it was left after writing
        start = file.seek(0)
        beginning = file.read(4)
    if beginning[:2] != b"PK":
        if mapped is not None:
            raise RuntimeError(
                "mmap can only be used with files saved with `torch.save(_use_new_zipfile_serialization=True), please "
                f"torch.save your checkpoint with this option in order to use mmap.\n  got: {source}"
            )
        file.seek(start)
        return legacy.read(file, source, map_location, weights_only)
    reader = Reader(file, source)
    order = reader.read("byteorder", 16) if "byteorder" in reader else b"little"
    if order not in (b"little", b"big"):
        raise reader.corrupt(f"its byte order is {order!r}")

    def storage(key: str, count: int) -> Any:
        name = f"data/{key}"
        there = reader.length(name)
        if there != count:  # before anything is read
            raise UnpicklingError(
                f"{source} is damaged: storage {key} has {there} bytes where {count} were expected; nothing was loaded"
            )
        return reader.array(name) if mapped is None else reader.mapped(name, mapped)

    tensors = Tensors(storage, source, map_location, "<" if order == b"little" else ">")
    pickled = reader.read("data.pkl")
    return unpickle(io.BytesIO(pickled), len(pickled), tensors.storage, tensors.rebuild, source, weights_only)


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The names in a file that ``load`` refuses unless they are added by ``add_safe_globals``.

    Args:
        f: a path, or a file that is open for reading and can be searched.
    """
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return get_unsafe_globals_in_checkpoint(file)
    source = str(getattr(f, "name", "the file"))
    if f.read(2) != b"PK":
        raise ValueError(f"Expected input to be a checkpoint returned by torch.save\n  got: {source}")
    pickled = Reader(f, source).read("data.pkl")
    names, _ = names_in(io.BytesIO(pickled), len(pickled), source)
    tensors = Tensors(lambda key, count: None, source, None, "<")
    return sorted(refused(names, tensors.rebuild))
