"""``%%profile``: a cell under the profiler."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from ..profiler import profile
from .profile_view import SORTS, ProfileView

__all__ = ["profile_magic"]


def profile_magic(ip: Any) -> Callable[[str, str], None]:
    """The magic's function for a shell."""
    from IPython import display
    from IPython.core import magic_arguments
    from IPython.core.error import UsageError

    arguments: Any = magic_arguments
    show: Any = display.display

    def profile_cell(line: str, cell: str) -> None:
        """Run a cell and show where its time went: operations, forward and backward, with calls and memory."""
        __tracebackhide__ = True  # a traceback shows the cell's own lines
        options = arguments.parse_argstring(profile_cell, line)
        if options.limit < 1:
            raise UsageError(f"%%profile --limit: a number of rows from 1 on, not {options.limit}")
        if options.name is not None and (not options.name.isidentifier() or keyword.iskeyword(options.name)):
            raise UsageError(f"%%profile --name: a variable's name, not {options.name!r}")
        target = None if options.trace is None else Path(options.trace).expanduser()
        if target is not None and (not target.parent.is_dir() or target.is_dir()):
            raise UsageError(f"%%profile --trace: {options.trace!r} is not a file in a folder that is there")
        prof = profile(profile_memory=True, with_modules=options.modules)
        tree, name = _parse(ip, cell)
        wall = 0.0
        try:
            with prof:
                begun = perf_counter_ns()
                try:
                    _execute(ip, tree, name)
                finally:
                    wall = (perf_counter_ns() - begun) / 1000
        finally:  # what ran before an error, or before the kernel was interrupted, is worth seeing as well
            if options.name is not None:
                ip.user_ns[options.name] = prof
            note = "" if target is None else _write(prof, target, options.trace)
            show(ProfileView(prof, sort=options.sort, limit=options.limit, wall=wall, note=note))

    function: Any = profile_cell
    for option in (
        arguments.argument("--name", metavar="VAR", help="keep the profile (of torch.profiler) in this variable"),
        arguments.argument("--trace", type=_unquoted, metavar="FILE", help="write a Chrome trace (.json, or .json.gz)"),
        arguments.argument("--modules", action="store_true", help="a row for each class of modules, too"),
        arguments.argument("--limit", type=int, default=15, metavar="N", help="show N rows (default: 15)"),
        arguments.argument("--sort", choices=list(SORTS), default="self", help="the column to sort by (default: self)"),
    ):
        function = option(function)
    made: Callable[[str, str], None] = arguments.magic_arguments("%profile")(function)
    return made


def _unquoted(text: str) -> str:
    """A file's name; IPython leaves the quotes around one with spaces."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _parse(ip: Any, cell: str) -> tuple[ast.Module, str]:
    """The cell's syntax tree, and the name under which tracebacks find its lines."""
    source = ip.transform_cell(cell)
    name = ip.compile.cache(source, ip.execution_count, raw_code=cell)
    return ip.transform_ast(ast.parse(source, filename=name)), name


def _execute(ip: Any, tree: ast.Module, name: str) -> None:
    """Run the cell in the notebook's namespace; the value of a last expression is displayed as usual."""
    __tracebackhide__ = True
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(ip.compile(tree, name, "exec"), ip.user_global_ns, ip.user_ns)
    if isinstance(last, ast.Expr):
        value = eval(ip.compile(ast.Expression(last.value), name, "eval"), ip.user_global_ns, ip.user_ns)
        ip.displayhook(value)


def _write(prof: Any, target: Path, given: str) -> str:
    try:
        prof.export_chrome_trace(target)
    except OSError as error:
        return f"no trace was written: {error}"
    return f"trace written to {given}: open it at https://ui.perfetto.dev or chrome://tracing"
