"""What all widgets have in common: their code in the browser, their route to the kernel, and their life outside it.

A notebook saves the module of each widget in it. So each carries a loader of one kilobyte (`static/loader.js`), and the
code they share (`static/nbtorch.js`) lies in one model of its own, which the loader finds through the widget manager.
"""

from __future__ import annotations

import os
import pathlib
import uuid
from typing import Any, cast

import anywidget
import ipywidgets
import traitlets

_STATIC = pathlib.Path(__file__).parent / "static"
_LANGUAGE = "NBTORCH_LANGUAGE"

#: Tells this process's runs from those of others whose widgets stand in the same page.
PROCESS = uuid.uuid4().hex[:12]


def keep_comm_route(comm: Any) -> None:
    """Let messages of `comm` be handled while a cell runs, on ipykernel 7.4 too.

    That version hands a comm's messages to the shell that last sent on the comm. A widget made or updated by a running
    cell is then deaf until the cell ends, because that shell is busy with the cell. Here each message keeps the route
    that the kernel would choose by itself, which in JupyterLab is a subshell. Earlier versions lack the attribute and
    the problem. Must be called before the front end's first message, so right when the comm opens.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default: default


class Code(ipywidgets.Widget):  # type: ignore[misc]
    """The front end's code: one model that all widgets of a kernel refer to. It is never displayed."""

    source = traitlets.Unicode().tag(sync=True)

    _shared: Code | None = None

    @classmethod
    def shared(cls) -> Code:
        """The one of this kernel; a new one if it was closed (`Widget.close_all()`)."""
        if cls._shared is None or cls._shared.comm is None:
            cls._shared = cls(source=(_STATIC / "nbtorch.js").read_text(encoding="utf-8"))
        return cls._shared


class NotebookWidget(anywidget.AnyWidget):
    """Base of all widgets: `kind` says which of the shared code's widgets this one is.

    A subclass sets `kind` and says what the widget is without a front end: `__repr__`, `to_svg`, `plot` and `history`.
    """

    _esm = _STATIC / "loader.js"

    code = traitlets.Instance(Code).tag(sync=True, **ipywidgets.widget_serialization)
    #: Which of the shared code's widgets this is.
    kind = traitlets.Unicode().tag(sync=True)
    #: "en", "ko", or "" for the page's own.
    language = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(code=Code.shared(), **{"language": os.environ.get(_LANGUAGE, ""), **traits})

    def open(self) -> None:
        super().open()
        keep_comm_route(self.comm)

    @property
    def has_picture(self) -> bool:
        """Whether there is something to draw. An output that was displayed doesn't change any more."""
        return True

    def to_svg(self) -> str:
        """A still picture of the widget as it is now; the same for the same numbers."""
        raise NotImplementedError(f"{type(self).__name__} has no still picture: a widget's class defines to_svg()")

    def freeze(self) -> None:
        """Bring what is saved with the widget up to date."""

    def save_html(self, path: str | os.PathLike[str], *, title: str = "") -> None:
        """Write the widget as it is now to one HTML file in which it works, without a kernel and without the network.

        `nbtorch_widgets.save_html` writes several into one file.
        """
        from nbtorch_widgets.export import save_html

        save_html(path, self, title=title)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        picture = {"image/svg+xml": self.to_svg()} if self.has_picture else {}
        return cast(Any, ({**data, "text/plain": repr(self), **picture}, metadata))
