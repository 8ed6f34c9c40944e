"""The extension's line magics: ``%graph``, ``%whatgrad``, ``%device``, ``%seed`` and ``%nbtorch``."""

from __future__ import annotations

import inspect
import platform
import random
import re
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from .. import cuda
from .._version import __version__
from ..backends.device import get_default_device, set_default_device
from ..ops import initial_seed, manual_seed
from .graph import Graph, graph
from .trace import is_tensor
from .whatgrad import WhatGrad

_GRAPH_USAGE = "usage: %graph [-p PARAMS] [-n MAX_NODES] EXPRESSION"
_WHATGRAD_USAGE = "usage: %whatgrad [-o RESULT] NAME"
_DEVICE_USAGE = "usage: %device [cpu | cuda | cuda:N]"
_SEED_USAGE = "usage: %seed [NUMBER]"
_SEED_LIMIT = 1 << 32  # NumPy takes no larger one


def line_magics(ip: Any) -> dict[str, Callable[[str], Any]]:
    """The magics by name, for a shell."""
    return {
        "graph": _graph_magic(ip),
        "whatgrad": _whatgrad_magic(ip),
        "device": _device_magic(),
        "seed": _seed_magic(),
    }


def _usage_error(message: str) -> Exception:
    from IPython.core.error import UsageError

    error: Exception = UsageError(message)
    return error


def _evaluate(ip: Any, expression: str, usage: str) -> Any:
    """The value of an expression in the notebook; a missing name is an error of the magic's caller."""
    try:
        return ip.ev(expression)
    except NameError as error:
        raise _usage_error(f"{usage}: {error}") from None
    except SyntaxError as error:
        raise _usage_error(f"{usage}: {expression!r} is not an expression ({error.msg})") from None


def _options(line: str, letters: str) -> tuple[dict[str, str], str]:
    """The options `-x VALUE` at the beginning of a line, and the rest, which may be any expression."""
    options: dict[str, str] = {}
    while option := re.match(rf"\s*-([{letters}])\s+(\S+)", line):
        options[option[1]] = option[2]
        line = line[option.end() :]
    return options, line.strip()


def _graph_magic(ip: Any) -> Callable[[str], Graph]:
    def graph_magic(line: str) -> Graph:
        options, expression = _options(line, "pn")
        if not expression:
            raise _usage_error(_GRAPH_USAGE)
        keywords: dict[str, Any] = {}
        if "p" in options:
            keywords["params"] = _evaluate(ip, options["p"], "%graph -p")
        if "n" in options:
            if not options["n"].isdecimal():
                raise _usage_error(f"{_GRAPH_USAGE}; MAX_NODES is a number, not {options['n']!r}")
            keywords["max_nodes"] = int(options["n"])
        return graph(_evaluate(ip, expression, "%graph"), **keywords)

    graph_magic.__doc__ = f"""Draw the computation behind a tensor: %graph loss

    {_GRAPH_USAGE}

    -p PARAMS     a module, or a dict from names to tensors, that names the leaves (else: the notebook's variables)
    -n MAX_NODES  summarise a graph with more nodes than this instead of drawing it
    """
    return graph_magic


def _whatgrad_magic(ip: Any) -> Callable[[str], WhatGrad]:
    def whatgrad_magic(line: str) -> WhatGrad:
        options, name = _options(line, "o")
        if not name:
            raise _usage_error(_WHATGRAD_USAGE)
        tensor = _evaluate(ip, name, "%whatgrad")
        if not is_tensor(tensor):
            raise _usage_error(f"%whatgrad: expected a tensor; {name} is of type {type(tensor).__name__}")
        result_name = options.get("o", "loss")
        if "o" in options:
            result = _evaluate(ip, result_name, "%whatgrad -o")
            if not is_tensor(result):
                raise _usage_error(f"%whatgrad -o: expected a tensor; {result_name} is of type {type(result).__name__}")
        else:
            result = ip.user_ns.get(result_name)
            result = result if is_tensor(result) and type(result).__module__ == type(tensor).__module__ else None
        return WhatGrad(name, tensor, result_name, result)

    whatgrad_magic.__doc__ = f"""Explain a tensor's gradient, or why it has none: %whatgrad model[0].weight

    {_WHATGRAD_USAGE}

    -o RESULT  the tensor that backward() is called on (else: the variable `loss`, if there is one); the operations
               between the two are named
    """
    return whatgrad_magic


def _device_magic() -> Callable[[str], None]:
    def device_magic(line: str) -> None:
        wish = line.strip()
        if wish:
            try:
                set_default_device(_checked_device(wish))
            except (RuntimeError, ValueError) as error:
                raise _usage_error(f"%device {wish}: {error}\n{_DEVICE_USAGE}") from None
        reason = cuda.why_unavailable()
        usable = "cpu, cuda" if reason is None else f"cpu (no usable GPU: {' '.join(str(reason).split())})"
        print(f"new tensors live on {get_default_device()}; usable devices: {usable}")

    device_magic.__doc__ = f"""Say where new tensors live, or have them live elsewhere from now on: %device cuda

    {_DEVICE_USAGE}

    Tensors and models that exist already stay where they are: move them with .to(device).
    """
    return device_magic


def _checked_device(wish: str) -> str:
    if wish.partition(":")[0] == "cuda":
        reason = cuda.why_unavailable()
        if reason is not None:
            raise RuntimeError(f"no GPU can be used here: {' '.join(str(reason).split())}")
    return wish


def _seed_magic() -> Callable[[str], None]:
    def seed_magic(line: str) -> None:
        wish = line.strip()
        if not wish:
            print(f"nbtorch's random numbers started from the seed {initial_seed()}")
            return
        if not wish.isdecimal() or int(wish) >= _SEED_LIMIT:
            raise _usage_error(f"{_SEED_USAGE}; a whole number from 0 to {_SEED_LIMIT - 1:,}, not {wish!r}")
        print(f"seeded {', '.join(_seed_all(int(wish)))} with {int(wish)}")

    seed_magic.__doc__ = f"""Seed every source of random numbers of this notebook: %seed 0

    {_SEED_USAGE}

    These are nbtorch's, Python's `random`, NumPy's global one, and PyTorch's if it has been imported. Without a number
    it prints the seed that nbtorch's started from.
    """
    return seed_magic


def _seed_all(seed: int) -> list[str]:
    manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    seeded = ["nbtorch", "random", "NumPy"]
    torch = sys.modules.get("torch")
    if torch is not None and not str(getattr(torch, "__name__", "")).startswith("nbtorch"):
        torch.manual_seed(seed)
        seeded.append("PyTorch")
    return seeded


def overview(magics: Mapping[str, Mapping[str, Callable[..., object]]]) -> str:
    """Versions, devices, displays and every magic of ours that the shell has, a line each."""
    devices = "cpu, cuda" if cuda.is_available() else "cpu (no usable GPU: run  !nbtorch doctor  to see why)"
    rows = {
        "versions": f"nbtorch {__version__} · numpy {version('numpy')} · Python {platform.python_version()}",
        "devices": devices,
        "displays": "the last line of a cell shows a tensor (with its gradient), a module or an optimizer as a picture",
    }
    for kind, sign, names in (
        ("line", "%", ("graph", "whatgrad", "device", "seed", "doctor", "nbtorch")),
        ("cell", "%%", ("gradflow", "step", "profile")),
    ):
        for name in names:
            if name in magics[kind]:
                rows[f"{sign}{name}"] = _first_line(magics[kind][name])
    rows["help"] = "a question mark after a magic, as in %graph?"
    width = max(map(len, rows))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows.items())


def _first_line(magic: Callable[..., object]) -> str:
    """What a magic says of itself, without the indented usage that IPython's ``magic_arguments`` puts above it."""
    lines = inspect.cleandoc(magic.__doc__ or "").splitlines()
    return next((line for line in lines if line and line != "::" and not line.startswith(" ")), "")
