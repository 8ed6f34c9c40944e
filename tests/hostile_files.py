"""Mutilated and hostile checkpoints, each by name, made from a healthy one or written by hand.

    for name, data in checkpoints(mark):    # files that ``load`` has to refuse
    for name, data in safetensors():        # files that ``load_file`` has to refuse

``mark`` is the path of a file that a pickle would make if any of its code ran.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import subprocess
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import nbtorch
from nbtorch import serialization

TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"
PROTO = b"\x80\x02"


def archive(pickled: bytes, records: dict[str, bytes] | None = None, compress: int = zipfile.ZIP_STORED) -> bytes:
    """A zip file with this pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compress) as z:
        for name, data in {"data.pkl": pickled, "version": b"3\n", **(records or {})}.items():
            z.writestr(f"archive/{name}", data)
    return buffer.getvalue()


def old(pickled: bytes, keys: list[str] | None = None, tail: bytes = b"") -> bytes:
    """A file of the format from before PyTorch 1.6 with this pickle."""
    head = (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}})
    return b"".join(pickle.dumps(h, 2) for h in head) + pickled + pickle.dumps(keys or [], 2) + tail


def text(s: str) -> bytes:
    return b"X" + struct.pack("<I", len(s.encode())) + s.encode()


def number(n: int) -> bytes:
    return pickle.dumps(n, 2)[2:-1]


def several(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def storage(count: Any = 2, key: bytes = text("0"), kind: bytes = b"ctorch\nFloatStorage\n", **other: bytes) -> bytes:
    """The opcodes of a reference to a storage."""
    counted = number(count) if isinstance(count, int) else count
    first, place = other.get("first", text("storage")), other.get("place", text("cpu"))
    return several(first, kind, key, place, counted) + b"Q"


def tensor(
    count: int = 2, offset: Any = 0, size: Any = (2,), stride: Any = (1,), memory: bytes | None = None,
    hooks: bytes = b"ccollections\nOrderedDict\n)R", requires_grad: bytes = b"\x89",
) -> bytes:  # fmt: skip
    """The pickle of a tensor with any numbers in it."""

    def shown(value: Any) -> bytes:
        return value if isinstance(value, bytes) else pickle.dumps(value, 2)[2:-1]

    memory = storage(count) if memory is None else memory
    arguments = several(memory, shown(offset), shown(size), shown(stride), requires_grad, hooks)
    return PROTO + TENSOR + arguments + b"R."


class Boom:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> Any:
        return self.function, self.arguments


def calls(mark: str) -> dict[str, bytes]:
    """Pickles that would run something."""
    touch, code = f"echo ran > {mark}", f"open({mark!r}, 'w').write('ran')"
    arm, write = text(touch), text(code)
    objects: dict[str, Any] = {
        "system": Boom(os.system, touch),
        "eval": Boom(eval, code),
        "exec": Boom(exec, code),
        "open": Boom(open, mark, "w"),
        "popen": Boom(subprocess.Popen, ["touch", mark]),
        "check_output": Boom(subprocess.check_output, ["touch", mark]),
        "getattr": Boom(getattr, (1,), "count"),
        "import": Boom(__import__, "os"),
        "makedirs": Boom(os.makedirs, mark),
        "nested": {"a": [1, Boom(os.system, touch)]},
        "partial": __import__("functools").partial(os.system, touch),
        "compile": Boom(compile, code, "x", "exec"),
        "setattr": Boom(setattr, [], "x", 1),
        "bytes of many": Boom(bytes, 10**9),
        "list of a range": Boom(list, range(10)),
        "numpy load": Boom(__import__("numpy").load, mark),
        "numpy fromfile": Boom(__import__("numpy").fromfile, mark),
        "load itself": Boom(nbtorch.load, mark),
        "save itself": Boom(nbtorch.save, 1, mark),
        "trust itself": Boom(serialization.add_safe_globals, [os.system]),
        "a method": Boom([].append, 1),
    }
    made = {f"{name}, protocol {p}": pickle.dumps(o, p) for name, o in objects.items() for p in (2, 4)}
    raw = {
        "INST": b"(" + b"S'" + touch.encode() + b"'\nios\nsystem\n.",
        "OBJ": b"(cos\nsystem\n" + arm + b"o.",
        "NEWOBJ": b"cos\nsystem\n" + several(arm) + b"\x81.",
        "NEWOBJ_EX": b"cos\nsystem\n" + several(arm) + b"}\x92.",
        "EXT1": b"\x82\x01)R.",
        "EXT2": b"\x83\x01\x00)R.",
        "EXT4": b"\x84\x01\x00\x00\x00)R.",
        "STACK_GLOBAL": text("os") + text("system") + b"\x93" + several(arm) + b"R.",
        "STACK_GLOBAL with dots": text("nbtorch") + text("os.system") + b"\x93" + several(arm) + b"R.",
        "GLOBAL with dots": b"ctorch\nserialization.load\n" + several(arm) + b"R.",
        "GLOBAL of another room": b"ctorch.serialization\nload\n" + several(arm) + b"R.",
        "GLOBAL of nbtorch": b"cnbtorch.serialization.checkpoint\nload\n" + several(arm) + b"R.",
        "GLOBAL of builtins": b"c__builtin__\neval\n" + several(write) + b"R.",
        "GLOBAL alone": b"cos\nsystem\n.",
        "GLOBAL through numpy": b"cnumpy.testing._private.utils\nrunstring\n" + several(write, b"}") + b"R.",
        "GLOBAL of runpy": b"crunpy\nrun_path\n" + several(arm) + b"R.",
        "a function of nn called": b"ctorch.nn.functional\nrelu\n" + several(arm) + b"R.",
        "a class of nn called": b"ctorch.nn\nLinear\n" + several(number(10**6), number(10**6)) + b"R.",
        "a dtype called": b"ctorch\nfloat32\n" + several(arm) + b"R.",
        "a storage called": b"ctorch\nFloatStorage\n" + several(number(10**9)) + b"R.",
        "text called": text("os.system") + several(arm) + b"R.",
        "BUILD of a list": b"]}" + text("append") + b"Nsb.",
        "BUILD of a number": number(3) + b"}b.",
        "BUILD of a tensor": tensor()[2:-1] + b"}" + text("_array") + b"Nsb.",
        "BUILD of a size": b"ctorch\nSize\n))R}b.",
        "BUILD of a name": b"ctorch\nTensor\n}" + text("x") + b"Nsb.",
        "TemporaryDirectory": b"ctempfile\nTemporaryDirectory\n)\x81}" + text("name") + arm + b"sb.",
        "a Popen without its start": b"csubprocess\nPopen\n)\x81}b.",
        "defaultdict of a call": b"ccollections\ndefaultdict\ncos\nsystem\n\x85R.",
        "encode through another codec": b"c_codecs\nencode\n" + several(arm, text("rot13")) + b"R.",
        "PERSID": b"Pstorage\n.",
        "a reference to a module": several(text("module"), b"cos\nsystem\n", text("f"), text("s")) + b"Q.",
    }
    return made | {name: PROTO + body for name, body in raw.items()}


def odd_pickles() -> dict[str, bytes]:
    """Pickles that are no data, or claim more than there is."""
    one = PROTO + tensor()[2:]
    deep = 50_000
    laughs = [b"q%c0h%ch%c\x86" % (k, k, k) for k in range(1, 100)]
    another = TENSOR[:-3] + b"x\n"
    made = {
        "empty": b"",
        "no STOP": PROTO + b"}",
        "nothing on the stack": PROTO + b".",
        "a mark on the stack": PROTO + b"(.",
        "two on the stack": PROTO + b"NN.",
        "a mark in a tuple": PROTO + b"(N\x86.",
        "a mark as a key": PROTO + b"}(Ns.",
        "missing mark": PROTO + b"NNt.",
        "odd number of items": PROTO + b"}(Nu.",
        "items for a list": PROTO + b"](NNu.",
        "elements for a dict": PROTO + b"}(Ne.",
        "unknown opcode": PROTO + b"\xff.",
        "protocol 9": b"\x80\x09\xfe.",
        "GET of nothing": PROTO + b"h\x05.",
        "LONG_BINGET far away": PROTO + b"j\xff\xff\xff\x7f.",
        "PUT of a negative": PROTO + b"Np-5\ng-5\n" + b"0" + b"0.",
        "PUT of a word": PROTO + b"Npx\n.",
        "POP of nothing": PROTO + b"0.",
        "DUP of nothing": PROTO + b"2.",
        "text longer than the file": PROTO + b"X\xff\xff\xff\x7fabc.",
        "text8 longer than the file": PROTO + b"\x8d" + struct.pack("<Q", 2**50) + b".",
        "bytes8 longer than the file": PROTO + b"\x8e" + struct.pack("<Q", 2**50) + b".",
        "bytearray8 longer than the file": PROTO + b"\x96" + struct.pack("<Q", 2**62) + b".",
        "negative length": PROTO + b"T\xff\xff\xff\xff.",
        "LONG4 longer than the file": PROTO + b"\x8b\xff\xff\xff\x7f\x01.",
        "LONG4 negative": PROTO + b"\x8b\xff\xff\xff\xff\x01.",
        "a number of many digits": PROTO + b"L" + b"9" * 100_000 + b"L\n.",
        "text that is no UTF-8": PROTO + b"X\x02\x00\x00\x00\xff\xfe.",
        "a frame longer than the file": b"\x80\x04\x95" + struct.pack("<Q", 2**40),
        "NEXT_BUFFER": b"\x80\x05\x97.",
        "READONLY_BUFFER": b"\x80\x05\x98.",
        "a list as a key": PROTO + b"}]Ns.",
        "a list in a set": b"\x80\x04\x8f(]\x90.",
        "a tuple of a list as a key": PROTO + b"}]\x85Ns.",
        "a deep tuple as a key": PROTO + b"}" + b"N" + b"\x85" * deep + b"Ns.",
        "laughs as a key": PROTO + b"}N" + b"".join(laughs) + b"Ns.",
        "laughs in a frozenset": b"\x80\x04(N" + b"".join(laughs) + b"\x91.",
        "a set copied again and again": PROTO
        + b"c__builtin__\nset\nq\x00](" + b"".join(number(k) for k in range(5000)) + b"e\x85q\x010"
        + b"](" + b"h\x00h\x01R" * 5000 + b"e.",
        "bytes copied again and again": PROTO
        + b"c_codecs\nencode\nq\x00" + text("x" * 100_000) + text("latin1") + b"\x86q\x010](" + b"h\x00h\x01R" * 20_000
        + b"e.",
        "keys with one hash": PROTO + b"}(" + b"".join(number(k * (2**61 - 1)) + b"N" for k in range(1, 5000)) + b"u.",
        "Size of text": PROTO + b"ctorch\nSize\n" + several(text("abc")) + b"R.",
        "device of a number": PROTO + b"ctorch\ndevice\n" + several(b"N") + b"R.",
        "device of nothing known": PROTO + b"ctorch\ndevice\n" + several(text("tpu")) + b"R.",
        "bytearray of a size": PROTO + b"c__builtin__\nbytearray\n" + several(number(2**40)) + b"R.",
        "Counter of text": PROTO + b"ccollections\nCounter\n" + several(text("abc")) + b"R.",
        "a parameter without a tensor": PROTO + b"ctorch._utils\n_rebuild_parameter\n(N\x88}tR.",
        "a tensor of no class": PROTO + b"ctorch._tensor\n_rebuild_from_type_v2\n(NNN}tR.",
        "a tensor of another function": PROTO + b"ctorch._tensor\n_rebuild_from_type_v2\n(" + another + b"N)}tR.",
        "a complex tensor": tensor(memory=storage(kind=b"ctorch\nComplexFloatStorage\n")),
        "a sparse tensor": PROTO + b"ctorch._utils\n_rebuild_sparse_tensor\n)R.",
        "a quantised tensor": PROTO + b"ctorch._utils\n_rebuild_qtensor\n)R.",
        "garbage": bytes(range(256)),
    }  # fmt: skip
    for cut in range(1, len(one), 7):
        made[f"tensor's pickle cut at {cut}"] = one[:cut]
    return made


def odd_tensors() -> dict[str, bytes]:
    """Tensors that don't fit their storage of eight bytes, or are no tensors."""
    far = 2**62
    return {
        "size beyond": tensor(size=(3,)),
        "offset beyond": tensor(offset=1),
        "negative offset": tensor(offset=-1, size=(1,)),
        "negative stride": tensor(size=(2,), stride=(-1,)),
        "negative size": tensor(size=(-2,)),
        "fewer strides": tensor(size=(2, 1)),
        "more strides": tensor(stride=(1, 1)),
        "count too large": tensor(5),
        "count too small": tensor(1, size=(1,)),
        "count negative": tensor(-2),
        "count huge": tensor(far),
        "count a float": tensor(memory=storage(pickle.dumps(2.0, 2)[2:-1])),
        "stride far": tensor(stride=(2**40,)),
        "stride overflows": tensor(size=(5, 5), stride=(far, far)),
        "sizes overflow": tensor(size=(far, far), stride=(0, 0)),
        "size overflows bytes": tensor(size=(far,), stride=(0,)),
        "empty but huge": tensor(size=(0, far, far), stride=(1, 1, 1)),
        "eighty dimensions": tensor(size=(1,) * 80, stride=(0,) * 80),
        "size of floats": tensor(size=(2.0,)),
        "size of booleans": tensor(size=(True,)),
        "size is None": tensor(size=None),
        "stride is text": tensor(stride="12"),
        "offset is None": tensor(offset=None),
        "offset is huge": tensor(offset=2**100),
        "no memory": tensor(memory=b"N"),
        "memory is a list": tensor(memory=b"]"),
        "memory is a tensor": tensor(memory=tensor()[2:-1]),
        "no arguments": PROTO + TENSOR + b")R.",
        "arguments are a list": PROTO + TENSOR + b"]R.",
        "storage missing": tensor(memory=storage(key=text("1"))),
        "storage key a number": tensor(memory=storage(key=number(0))),
        "storage key a path": tensor(memory=storage(key=text("../../../../etc/passwd"))),
        "storage of no kind": tensor(memory=storage(kind=b"N")),
        "storage of a wrong kind": tensor(memory=storage(kind=b"ctorch\nfloat32\n")),
        "storage of another dtype": tensor(memory=storage(kind=b"ctorch\nDoubleStorage\n")),
        "storage with two dtypes": PROTO + b"(" + tensor()[2:-1]
        + tensor(memory=storage(8, kind=b"ctorch\nByteStorage\n"))[2:-1] + b"t.",
        "reference of another kind": tensor(memory=storage(first=text("module"))),
        "reference on no place": tensor(memory=storage(place=b"N")),
        "reference too short": tensor(memory=several(text("storage")) + b"Q"),
        "reference a text": tensor(memory=text("storage") + b"Q"),
        "reference a list": tensor(memory=b"]Q"),
        "reference empty": tensor(memory=b")Q"),
        "integers that require grad": tensor(
            memory=storage(1, kind=b"ctorch\nLongStorage\n"), size=(1,), requires_grad=b"\x88"
        ),
    }  # fmt: skip


def healthy() -> bytes:
    """A checkpoint as it should be."""
    buffer = io.BytesIO()
    model = OrderedDict(weight=nbtorch.arange(60.0).reshape(6, 10), bias=nbtorch.ones(6, dtype=nbtorch.float64))
    nbtorch.save({"model": model, "epoch": 3, "names": ["a", "b"]}, buffer)
    return buffer.getvalue()


def rezipped(change: Callable[[zipfile.ZipFile, zipfile.ZipInfo, bytes], None]) -> bytes:
    """The healthy checkpoint with each record written by ``change(new file, header, bytes)``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(healthy())) as source, zipfile.ZipFile(buffer, "w") as target:
        for info in source.infolist():
            plain = zipfile.ZipInfo(info.filename)
            change(target, plain, source.read(info))
    return buffer.getvalue()


def odd_archives() -> dict[str, bytes]:
    """Zip files that are damaged, or no checkpoints."""
    whole = healthy()

    def record(name: str, data: bytes | None) -> bytes:
        def change(z: zipfile.ZipFile, info: zipfile.ZipInfo, was: bytes) -> None:
            if not info.filename.endswith(name):
                z.writestr(info, was)
            elif data is not None:
                z.writestr(info, data)

        return rezipped(change)

    def named(rule: Callable[[str], str]) -> bytes:
        def change(z: zipfile.ZipFile, info: zipfile.ZipInfo, was: bytes) -> None:
            info.filename = rule(info.filename)
            z.writestr(info, was)

        return rezipped(change)

    def twice(z: zipfile.ZipFile, info: zipfile.ZipInfo, was: bytes) -> None:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            z.writestr(info, was)
            if info.filename.endswith("data/0"):
                z.writestr(info.filename, was[::-1])

    def squeezed(method: int) -> bytes:
        return rezipped(lambda z, info, was: z.writestr(info, was, method))

    made = {
        "record missing": record("data/0", None),
        "pickle missing": record("data.pkl", None),
        "record empty": record("data/0", b""),
        "record shorter": record("data/0", b"\0" * 4),
        "record longer": record("data/1", b"\0" * 400),
        "byte order unknown": record("byteorder", b"middle"),
        "byte order endless": record("byteorder", b"little" * 10_000),
        "version 0": record("version", b"0\n"),
        "version 99": record("version", b"99\n"),
        "version negative": record("version", b"-3\n"),
        "version text": record("version", b"three"),
        "version empty": record("version", b""),
        "version long": record("version", b"3" * 100_000),
        "duplicate names": rezipped(twice),
        "two folders": named(lambda n: n.replace("archive", "other") if "data/" in n else n),
        "names going up": named(lambda n: n.replace("archive/", "archive/../../")),
        "names from the root": named(lambda n: n.replace("archive/", "/")),
        "names without a folder": named(lambda n: n.removeprefix("archive/")),
        "deflated": squeezed(zipfile.ZIP_DEFLATED),
        "bzip2": squeezed(zipfile.ZIP_BZIP2),
        "lzma": squeezed(zipfile.ZIP_LZMA),
        "zip bomb": archive(pickle.dumps(b"0" * 20_000_000), compress=zipfile.ZIP_DEFLATED),
        "a zip of nothing": archive(b"")[-22:],
        "PK and nothing": b"PK\x03\x04",
        "an empty file": b"",
        "one byte": b"P",
        "text": b"this is no checkpoint\n" * 20,
        "html": b"<!DOCTYPE html><html><body>404</body></html>",
        "zeros": b"\0" * 1000,
        "tar": b"storages".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 300,
        "a compiled model": archive(pickle.dumps(1, 2), {"constants.pkl": b"", "code/x.py": b""}),
        "png": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    }
    # Wherever the structure has an edge, and beside it.
    edges = {0, len(whole)}
    for sign in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"data.pkl", b"FB"):
        place = whole.find(sign)
        while place >= 0:
            edges.add(place)
            place = whole.find(sign, place + 1)
    for edge in sorted(edges):
        for cut in (edge - 1, edge, edge + 3):
            if 0 < cut < len(whole):
                made[f"cut at {cut}"] = whole[:cut]
    ends = whole.rfind(b"PK\x05\x06")
    lies = {12: 4, 16: 4}  # length and place of the table of contents
    for field, width in lies.items():
        made[f"end field {field} is full"] = whole[: ends + field] + b"\xff" * width + whole[ends + field + width :]
    first = whole.find(b"PK\x01\x02")
    for field, width in {10: 2, 16: 4, 20: 4, 24: 4, 28: 2, 42: 4}.items():
        for value in (b"\xff", b"\x7f"):
            place = first + field
            made[f"entry field {field} is {value!r}"] = whole[:place] + value * width + whole[place + width :]
    for record_name in ("archive/data.pkl", "archive/data/0", "archive/data/1"):
        with zipfile.ZipFile(io.BytesIO(whole)) as z:
            info = z.getinfo(record_name)
        local = whole[info.header_offset + 28 : info.header_offset + 30]
        start = info.header_offset + 30 + len(info.filename) + int.from_bytes(local, "little")
        for step in range(0, info.file_size, max(info.file_size // 4, 1)):
            flipped = bytearray(whole)
            flipped[start + step] ^= 0x55
            made[f"{record_name} flipped at {step}"] = bytes(flipped)
    return made


def odd_old_files() -> dict[str, bytes]:
    """The same for the format from before PyTorch 1.6."""
    buffer = io.BytesIO()
    nbtorch.save([nbtorch.arange(4.0), nbtorch.ones(2)], buffer, _use_new_zipfile_serialization=False)
    whole = buffer.getvalue()
    view = several(text("storage"), b"ctorch\nFloatStorage\n", text("0"), text("cpu"), number(2), b"%s") + b"Q"

    def viewed(metadata: bytes) -> bytes:
        return old(tensor(memory=view.replace(b"%s", metadata)), ["0"], b"\2" + b"\0" * 15)

    made = {f"old cut at {cut}": whole[:cut] for cut in range(1, len(whole), 23)}
    good = tensor(memory=view.replace(b"%s", b"N"))
    made |= {
        "old, other magic": pickle.dumps(12345, 2),
        "old, other version": pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1002, 2),
        "old, big-endian": pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
        + pickle.dumps({"little_endian": False}, 2),
        "old, no machine": pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps(None, 2),
        "old, count huge": old(good, ["0"], b"\xff" * 8),
        "old, count other": old(good, ["0"], b"\1" + b"\0" * 15),
        "old, key unknown": old(good, ["1"], b"\2" + b"\0" * 15),
        "old, key twice": old(good, ["0", "0"], (b"\2" + b"\0" * 15) * 2),
        "old, keys no list": old(good)[: -len(pickle.dumps([], 2))] + pickle.dumps({}, 2),
        "old, no keys": old(good),
        "old, view beyond": viewed(several(text("v"), number(1), number(2))),
        "old, view negative": viewed(several(text("v"), number(-1), number(2))),
        "old, view no tuple": viewed(text("v")),
    }  # fmt: skip
    return made


def checkpoints(mark: str) -> Iterator[tuple[str, bytes]]:
    """Every checkpoint that has to be refused."""
    eight = {"data/0": b"\0" * 8}
    for name, pickled in {**calls(mark), **odd_pickles(), **odd_tensors()}.items():
        yield name, archive(pickled, eight)
    for name, pickled in calls(mark).items():
        yield f"old, {name}", old(pickled)
        yield f"{name}, plain pickle", pickled
    yield from odd_archives().items()
    yield from odd_old_files().items()


def _tensors_file(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    described = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(described) if length is None else length) + described + data


def safetensors() -> Iterator[tuple[str, bytes]]:
    """Every file of safetensors that has to be refused."""

    def one(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8), **more: Any) -> dict[str, Any]:
        return {"x": {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}}

    eight = b"\0" * 8
    headers: dict[str, Any] = {
        "dtype unknown": one("F128"),
        "dtype a number": one(3),
        "dtype a list": one(["F32"]),
        "shape a number": one(shape=2),
        "shape negative": one(shape=(-2,)),
        "shape of floats": one(shape=(2.0,)),
        "shape huge": one(shape=(2**62, 2**62)),
        "shape too large": one(shape=(3,)),
        "shape too small": one(shape=(1,)),
        "shape None": one(shape=None),
        "shape of true": one(shape=(True, 2)),
        "many dimensions": one(shape=(1,) * 100_000),
        "offsets reversed": one(offsets=(8, 0)),
        "offsets negative": one(offsets=(-8, 0)),
        "offsets beyond": one(offsets=(8, 16)),
        "offsets three": one(offsets=(0, 8, 8)),
        "offsets one": one(offsets=(0,)),
        "offsets text": one(offsets="08"),
        "offsets huge": one(offsets=(2**64, 2**64 + 8)),
        "a field more": one(more=1),
        "a field less": {"x": {"dtype": "F32", "shape": [2]}},
        "an entry a list": {"x": []},
        "an entry None": {"x": None},
        "a list": [],
        "a number": 3,
        "text": "x",
        "none": None,
        "metadata a list": {"__metadata__": []},
        "metadata of numbers": {"__metadata__": {"a": 1}, **one()},
        "nothing, but bytes": {},
        "overlapping": {"a": one()["x"], "b": one()["x"]},
        "a gap": {"a": one(offsets=(0, 4), shape=(1,))["x"], "b": one(offsets=(5, 9), shape=(1,))["x"]},
    }
    for name, header in headers.items():
        yield name, _tensors_file(header, eight)
    whole = _tensors_file(one(), eight)
    for cut in range(len(whole)):
        yield f"cut at {cut}", whole[:cut]
    yield "longer", whole + b"\0"
    yield "header longer than the file", _tensors_file(one(), eight, 10**9)
    yield "header of 2**63", _tensors_file(one(), eight, 2**63)
    yield "header of nothing", _tensors_file(b"", eight)
    yield "header no JSON", _tensors_file(b"{x:1}", eight)
    yield "header no UTF-8", _tensors_file(b'{"\xff": 1}', eight)
    yield "header twice the same", _tensors_file(b'{"x":' + json.dumps(one()["x"]).encode() + b',"x":1}', eight)
    yield "header with NaN", _tensors_file(b'{"x":NaN}', eight)
    yield "header deeply nested", _tensors_file(b'{"x":' + b"[" * 100_000, eight)
    yield "header of many digits", _tensors_file(b'{"x":{"dtype":"F32","shape":[' + b"9" * 100_000 + b"]}}", eight)
    yield "a pickle", pickle.dumps({"x": 1})
