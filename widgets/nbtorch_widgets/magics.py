"""`%%gradflow`: put the widgets over a cell's training loop without changing the loop.

The cell's code is read as a syntax tree. The innermost `for` whose body calls `.backward()` or an optimizer's `.step()`
is the training loop; what it iterates over goes through a run, and everything else stays as it was written, line
numbers included. Model and optimizer are looked up when the loop begins, so the same cell may have made them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, TypeVar, cast

from IPython.core import magic_arguments
from IPython.core.magic import Magics, cell_magic, magics_class

from nbtorch_widgets.arguments import length
from nbtorch_widgets.control import RunStopped
from nbtorch_widgets.run import Run

Method = TypeVar("Method", bound=Callable[..., Any])

_WATCHER = "__nbtorch_watcher__"
_TRAINING_CALLS = frozenset({"backward", "step"})


class GradFlowError(ValueError):
    """What `%%gradflow` needs couldn't be found, or not for certain."""


def _cell_magic_with_options(method: Method) -> Method:
    """Makes the method a cell magic with these options, which `%%gradflow?` also shows."""
    arguments: Any = magic_arguments
    options = (
        arguments.argument("-m", "--model", help="the variable of the model; found through the optimizer if left out"),
        arguments.argument("-o", "--optimizer", help="the variable of the optimizer; what the loop steps if left out"),
        arguments.argument("-l", "--loss", default="loss", help="the loop's variable of the loss (default: loss)"),
        arguments.argument("-e", "--every", type=int, default=1, metavar="N", help="sample at most every N steps"),
        arguments.argument("--static", action="store_true", help="a picture at the end, no live widgets"),
    )
    method = cast(Any, cell_magic)(method)
    for option in reversed(options):
        method = option(method)
    return cast(Method, arguments.magic_arguments()(method))


@magics_class
class GradFlowMagics(Magics):
    """The magics of the widgets."""

    @_cell_magic_with_options
    def gradflow(self, line: str, cell: str) -> None:
        """Run a cell with an ordinary training loop under the live widgets: progress, loss and every gradient.

        The loop is the innermost `for` of the cell that calls `.backward()` or `.step()`. Without such a loop, every
        step of the optimizer found by --optimizer counts, wherever the loop is.
        """
        options = cast(Any, magic_arguments).parse_argstring(self.gradflow, line)
        shell: Any = self.shell
        source = shell.transform_cell(cell)
        name = shell.compile.cache(source, shell.execution_count, raw_code=cell)
        tree = shell.transform_ast(ast.parse(source, filename=name))
        loop = find_training_loop(tree)
        watcher = Watcher(shell.user_ns, options, loop)
        if loop is not None:
            instrument(tree, loop)
        namespace = shell.user_ns
        namespace[_WATCHER] = watcher
        try:
            with watcher.around():
                _execute(shell, tree, name)
        finally:
            namespace.pop(_WATCHER, None)


class TrainingLoop:
    """Where a cell's training loop is: `inner` goes over batches, `outer` is the loop around it, if there is one."""

    def __init__(self, inner: ast.For, outer: ast.For | None) -> None:
        self.inner = inner
        self.outer = outer

    def stepped(self) -> list[str]:
        """The names on which the loop calls `step`."""
        return [name for name, method in _method_calls(self.inner) if method == "step"]

    def called(self) -> set[str]:
        """The names that the loop calls."""
        calls = (node.func for node in ast.walk(self.inner) if isinstance(node, ast.Call))
        return {function.id for function in calls if isinstance(function, ast.Name)}


def _method_calls(node: ast.AST) -> Iterator[tuple[str, str]]:
    for child in ast.walk(node):
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute):
            owner = child.func.value
            yield (owner.id if isinstance(owner, ast.Name) else ""), child.func.attr


def find_training_loop(tree: ast.AST) -> TrainingLoop | None:
    """The first innermost `for` that trains, or None."""

    def search(node: ast.AST, outer: ast.For | None) -> TrainingLoop | None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
                found = search(child, None)
            elif isinstance(child, ast.For):
                found = search(child, child)
                if found is None and any(method in _TRAINING_CALLS for _, method in _method_calls(child)):
                    found = TrainingLoop(child, outer)
            else:
                found = search(child, outer)
            if found is not None:
                return found
        return None

    return search(tree, None)


def instrument(tree: ast.AST, loop: TrainingLoop) -> None:
    """Send what the loops iterate over through the watcher."""
    _wrap(loop.inner, "batches")
    if loop.outer is not None:
        _wrap(loop.outer, "epochs")
    ast.fix_missing_locations(tree)


def _wrap(loop: ast.For, method: str) -> None:
    function = ast.Attribute(ast.Name(_WATCHER, ast.Load()), method, ast.Load())
    loop.iter = ast.copy_location(ast.Call(function, [loop.iter], []), loop.iter)


class Watcher:
    """What the instrumented cell talks to."""

    def __init__(self, namespace: dict[str, Any], options: Any, loop: TrainingLoop | None) -> None:
        self._namespace = namespace
        self._options = options
        self._loop = loop
        self._run: Run[Any] | None = None
        self._epochs: int | None = None

    def around(self) -> AbstractContextManager[Any]:
        """What the cell runs in: a run that counts the optimizer's steps if the cell has no loop of its own."""
        return nullcontext() if self._loop is not None else self._begin()

    def epochs(self, iterable: Iterable[Any]) -> Iterator[Any]:
        """Goes around the outer loop, and ends it after Stop."""
        self._epochs = length(iterable)
        for item in iterable:
            yield item
            if self._run is not None and self._run.stopped:
                return

    def batches(self, iterable: Iterable[Any]) -> Iterator[Any]:
        """Goes around the training loop."""
        if self._run is None:
            self._run = self._begin()
        run = self._run
        telemetry = run.telemetry
        total = None
        steps = length(iterable)
        if self._epochs is not None and steps is not None:
            telemetry.epochs = max(self._epochs, telemetry.epoch + 1)
            total = telemetry.step + steps * (telemetry.epochs - telemetry.epoch)
        return run.over(iterable, total=total)

    def _begin(self) -> Run[Any]:
        optimizer = self._find_optimizer()
        model = self._find_model(optimizer)
        return Run(
            model,
            optimizer,
            loss=self._options.loss,
            every=self._options.every,
            show="static" if self._options.static else True,
        )

    def _named(self, option: str) -> Any:
        name = getattr(self._options, option)
        if name is None:
            return None
        if name not in self._namespace:
            raise GradFlowError(f"%%gradflow --{option} {name}: there is no variable of that name")
        return self._namespace[name]

    def _candidates(self) -> Iterator[tuple[str, Any]]:
        return ((name, value) for name, value in self._namespace.items() if not name.startswith("_"))

    def _find_optimizer(self) -> Any:
        chosen = self._named("optimizer")
        if chosen is not None:
            return chosen
        in_loop = self._loop.stepped() if self._loop is not None else []
        for name in in_loop:
            if _is_optimizer(self._namespace.get(name)):
                return self._namespace[name]
        found = _distinct(pair for pair in self._candidates() if _is_optimizer(pair[1]))
        return _only(found, "optimizer", "an object with step() and param_groups (or params)")

    def _find_model(self, optimizer: Any) -> Any:
        chosen = self._named("model")
        if chosen is not None:
            return chosen
        models = _distinct(pair for pair in self._candidates() if _is_model(pair[1]))
        owned = {id(parameter) for parameter in _parameters_of(optimizer)}
        shares = {name: sum(id(p) in owned for p in model.parameters()) for name, model in models.items()}
        best = max(shares.values(), default=0)
        fitting = {name: models[name] for name, share in shares.items() if share == best and best > 0}
        if not fitting and owned:
            return self._loose_parameters(optimizer)
        called = self._loop.called() if self._loop is not None else set()
        in_loop = {name: model for name, model in fitting.items() if name in called}
        return _only(in_loop or fitting, "model", "an object with parameters() that it updates")

    def _loose_parameters(self, optimizer: Any) -> dict[str, Any]:
        """Parameters of no model, by the names of their variables."""
        names = {id(value): name for name, value in self._candidates()}
        return {names.get(id(p), f"parameter {index}"): p for index, p in enumerate(_parameters_of(optimizer))}


def _is_optimizer(value: Any) -> bool:
    return (
        not isinstance(value, type)
        and callable(getattr(value, "step", None))
        and (hasattr(value, "param_groups") or isinstance(getattr(value, "params", None), list))
    )


def _parameters_of(optimizer: Any) -> list[Any]:
    """What an optimizer updates; a first one of one's own keeps them in `params`."""
    groups = getattr(optimizer, "param_groups", None)
    if groups is None:
        return list(getattr(optimizer, "params", ()))
    return [parameter for group in groups for parameter in group["params"]]


def _is_model(value: Any) -> bool:
    return not isinstance(value, type) and callable(value) and callable(getattr(value, "parameters", None))


def _distinct(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """One name for each object."""
    names: dict[str, Any] = {}
    seen: set[int] = set()
    for name, value in pairs:
        if id(value) not in seen:
            seen.add(id(value))
            names[name] = value
    return names


def _only(found: dict[str, Any], what: str, description: str) -> Any:
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise GradFlowError(f"%%gradflow expected {description} among the notebook's variables and found none")
    names = ", ".join(sorted(found))
    raise GradFlowError(f"%%gradflow found more than one {what} ({names}). Say which: %%gradflow --{what} NAME")


def _execute(shell: Any, tree: ast.Module, name: str) -> None:
    """Run the cell in the notebook's namespace; the value of a last expression is displayed as usual."""
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with suppress(RunStopped):  # Stop was pressed: the cell ends there
        exec(shell.compile(tree, name, "exec"), shell.user_global_ns, shell.user_ns)
        if isinstance(last, ast.Expr):
            expression = ast.Expression(last.value)
            shell.displayhook(eval(shell.compile(expression, name, "eval"), shell.user_global_ns, shell.user_ns))
