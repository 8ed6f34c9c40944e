"""``torch.hub``: what lies in its folder is found there; nothing is downloaded."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlparse

from .annex import name_what_is_missing
from .serialization import load as _load

__all__ = ["get_dir", "load_state_dict_from_url", "set_dir"]

_folder: str | None = None


def get_dir() -> str:
    """The folder: what was set, else ``$TORCH_HOME/hub``, else ``hub`` in the user's cache."""
    if _folder is not None:
        return _folder
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.join(os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Chooses the folder."""
    global _folder
    _folder = os.path.expanduser(d)


def load_state_dict_from_url(
    url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True, check_hash: bool = False,
    file_name: str | None = None, weights_only: bool = False,
) -> Any:  # fmt: skip
    """Loads a checkpoint that was downloaded before.

    Args:
        url: where it came from; the last part is the file's name.
        model_dir: where it lies; ``checkpoints`` in :func:`get_dir` unless given.

    Raises:
        FileNotFoundError: where it isn't there, with the place to put it.
    """
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    path = os.path.join(folder, file_name or os.path.basename(urlparse(url).path))
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"nbtorch downloads nothing, and {path} is not there\n  fix: download {url} to that place"
        )
    return _load(path, map_location=map_location)


load_url = load_state_dict_from_url

name_what_is_missing(globals())
