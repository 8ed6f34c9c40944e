"""`%%step`: run a cell and walk back over its last loss.

The cell runs as it is, with two differences that no result depends on: operations are noted as they are recorded, and
`backward()` on a tensor of one element keeps the graph, of which the walk is taken at that moment, before an optimizer
changes the leaves.
"""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

from IPython.core import magic_arguments
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.display import display

from nbtorch_widgets.stepper.graph_reader import Calls, functions_in, is_graph_tensor
from nbtorch_widgets.stepper.graph_reader import recording as recording_calls
from nbtorch_widgets.stepper.own_reader import is_own
from nbtorch_widgets.stepper.program import Recording, names_in
from nbtorch_widgets.stepper.torch_reader import Trace, is_tensor, leading_to, tracing
from nbtorch_widgets.stepper.widget import BackpropStepper, StepperError

Method = TypeVar("Method", bound=Callable[..., Any])

_HELPER = "__nbtorch_backward__"


class StepError(ValueError):
    """What `%%step` needs isn't there."""


def _with_options(method: Method) -> Method:
    """Makes the method a cell magic with these options, which `%%step?` also shows."""
    arguments: Any = magic_arguments
    option = arguments.argument(
        "-v", "--variable", metavar="NAME", help="the variable of the loss; else the cell's last value, else `loss`"
    )
    return cast(Method, arguments.magic_arguments()(option(cast(Any, cell_magic)(method))))


@magics_class
class StepMagics(Magics):
    """The magic of the backprop stepper."""

    @_with_options
    def step(self, line: str, cell: str) -> None:
        """Run a cell and open the stepper over its last loss: every operation, forward and backward, with its numbers.

        The loss is the value of the cell's last expression if that is a scalar tensor with a grad_fn, else the variable
        `loss`, else what the cell called `backward()` on last. Leaves can be edited: the recorded operations are
        done again, the cell isn't.
        """
        options = cast(Any, magic_arguments).parse_argstring(self.step, line)
        shell: Any = self.shell
        name = options.variable
        if name is not None and not name.isidentifier():
            raise StepError(f"%%step --variable expected the name of a variable, got {name!r}")
        source = shell.transform_cell(cell)
        filename = shell.compile.cache(source, shell.execution_count, raw_code=cell)
        tree = shell.transform_ast(ast.parse(source, filename=filename))
        before = shell.user_ns.get("loss")
        kept = _Kept(shell.user_ns)
        value = kept.run(shell, tree, filename)
        recording = self._choose(shell.user_ns, kept, value, name, before)
        cast(Any, display)(BackpropStepper(recording))

    @staticmethod
    def _choose(namespace: dict[str, Any], kept: _Kept, value: Any, name: str | None, before: Any) -> Recording:
        if name is not None:
            if name not in namespace:
                raise StepError(f"%%step --variable {name}: there is no variable of that name after the cell")
            if not _is_loss(namespace[name]):
                raise StepError(f"%%step --variable {name}: it isn't a scalar with a tape behind it, as a loss is")
            return kept.recording(namespace[name])
        loss = namespace.get("loss")
        # A `loss` that an earlier cell left behind comes last.
        for candidate in (value, loss if loss is not before else None, kept.last, loss):
            if _is_loss(candidate):
                return kept.recording(candidate)
        raise StepError(
            "%%step found no loss: end the cell with a scalar tensor that requires a gradient, call it `loss`, or name "
            "its variable: %%step -v NAME"
        )


def _is_loss(value: Any) -> bool:
    if is_tensor(value):
        return value.grad_fn is not None and value.numel() == 1
    if is_graph_tensor(value):
        return value.grad_fn is not None and value.data.size == 1
    return is_own(value)


class _Kept:
    """What is noted while the cell runs."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._traces: dict[str, Trace] = {}
        self._calls: Calls | None = None
        self._taken: tuple[Any, Recording] | None = None

    @property
    def last(self) -> Any:
        """What `backward()` was called on last."""
        return self._taken[0] if self._taken is not None else None

    def run(self, shell: Any, tree: ast.Module, filename: str) -> Any:
        """Run the cell; its last expression's value, which isn't displayed if the stepper shows it."""
        for call in [n for n in ast.walk(tree) if isinstance(n, ast.Call)]:
            if isinstance(call.func, ast.Attribute) and call.func.attr == "backward":
                owner = call.func.value
                helper = ast.copy_location(ast.Name(_HELPER, ast.Load()), owner)
                call.func = ast.copy_location(ast.Call(helper, [owner], []), call.func)
        ast.fix_missing_locations(tree)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        self._namespace[_HELPER] = self._backward
        try:
            with contextlib.ExitStack() as stack:
                # A library that this cell is the first to import isn't there yet; its values are found otherwise.
                for name in ("torch", "nbtorch"):
                    if name in sys.modules:
                        self._traces[name] = stack.enter_context(tracing(sys.modules[name]))
                self._calls = stack.enter_context(recording_calls(functions_in(self._namespace)))
                exec(shell.compile(tree, filename, "exec"), shell.user_global_ns, shell.user_ns)
                value = None
                if isinstance(last, ast.Expr):
                    compiled = shell.compile(ast.Expression(last.value), filename, "eval")
                    value = eval(compiled, shell.user_global_ns, shell.user_ns)
        finally:
            self._namespace.pop(_HELPER, None)
        if value is not None and not _is_loss(value):
            shell.displayhook(value)
        return value

    def recording(self, loss: Any) -> Recording:
        """The recording of a loss: the one of its `backward()`, else one of now."""
        if self._taken is not None and self._taken[0] is loss:
            return self._taken[1]
        return self._record(loss)

    def _record(self, loss: Any) -> Recording:
        names = names_in(self._namespace)
        if is_graph_tensor(loss):
            return Recording(loss, names, calls=self._calls)
        trace = self._traces.get(type(loss).__module__.split(".")[0])
        trace = leading_to(trace, loss) if trace is not None else None
        return Recording(loss, names, trace if trace is not None and trace.calls else None)

    def _backward(self, owner: Any) -> Any:
        """`owner.backward`, which keeps the tape where `owner` is a loss."""
        if not _is_loss(owner):
            return owner.backward
        if not is_tensor(owner):
            recording = self._record(owner)
            if is_graph_tensor(owner):  # of which backward may use up the graph
                with contextlib.suppress(StepperError):
                    recording.take()
            self._taken = (owner, recording)
            return owner.backward

        def backward(*arguments: Any, **named: Any) -> Any:
            recording = self._record(owner)
            with contextlib.suppress(StepperError):  # the cell goes on; it is said when the stepper opens
                recording.take()
            self._taken = (owner, recording)
            if len(arguments) < 2:
                named["retain_graph"] = True
            return owner.backward(*arguments, **named)

        return backward


__all__ = ["StepError", "StepMagics", "StepperError"]
