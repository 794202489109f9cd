"""Which place on the disk a name stands for that somebody gave us, and whether it may be one.

Owns: the one gate between a text in a file, a flag or a request and the disk. Does not own: reading
what is there (readers, cards, documents, …), keeping uploads (`service/uploads.py`).
On the command line and in Python a text is a path, as everywhere. In a server a request could name
any file of the machine with it: inside `uploads_only` a text is `upload:<id>` or nothing. A `Path`
is a place that our own code chose; it is never what somebody sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from corpusmith.config import home
from corpusmith.errors import NotFound, SpecError

PREFIX = "upload:"
_ID = re.compile(r"[0-9a-f]{32}")
_MOST_SHOWN = 80

# Threads that are started with a copy of the context, and tasks of an event loop, inherit it.
_GATED: ContextVar[bool] = ContextVar("corpusmith_uploads_only", default=False)


@contextmanager
def uploads_only() -> Iterator[None]:
    """Inside, no text opens or writes a file, except `upload:<id>`."""
    token = _GATED.set(True)
    try:
        yield
    finally:
        _GATED.reset(token)


def gated() -> bool:
    """Whether the texts that are read here come from a request."""
    return _GATED.get()


def given_path(wish: str | Path) -> Path:
    """The place that `wish` stands for; whether anything is there is not looked at.

    Raises SpecError `path_not_here` for a path in a request, NotFound for an unknown upload.
    """
    if isinstance(wish, Path) or not gated():
        return Path(wish)
    if not wish.startswith(PREFIX):
        raise SpecError("path_not_here", name=wish[:_MOST_SHOWN])
    found = upload_path(wish.removeprefix(PREFIX))
    os.utime(found.parent)  # it was used: see `service/uploads.py`
    return found


def given_output(wish: str | Path) -> Path:
    """Where something is to be written. Raises SpecError `output_not_here` in a request."""
    if isinstance(wish, str) and gated():
        raise SpecError("output_not_here", name=wish[:_MOST_SHOWN])
    return Path(wish)


def means_file(wish: str, suffixes: Sequence[str], *, folder: Path | None = None) -> bool:
    """Whether a text that may be a thing's name or a file means a file: by its suffix, else because
    there is one (seen from `folder`)."""
    if gated():
        return wish.startswith(PREFIX) or wish.lower().endswith(tuple(suffixes))
    place = Path(wish).expanduser()
    found = place if folder is None else folder / place
    return wish.lower().endswith(tuple(suffixes)) or os.path.isfile(found)


def from_folder(path: str, folder: Path) -> str:
    """A path in a file of `folder`; `~` is the user's home. What a request says is no path."""
    return path if gated() else str(folder / Path(path).expanduser())


# ---------------------------------------------------------------- uploads


def uploads_folder() -> Path:
    """Where uploads lie, each in a folder of its own that is called by its id."""
    return home() / "uploads"


def upload_path(upload: str) -> Path:
    """The file of an upload. Raises NotFound."""
    folder = uploads_folder() / upload
    try:
        found = sorted(folder.iterdir()) if _ID.fullmatch(upload) else []
    except OSError:
        found = []
    if len(found) != 1:
        raise NotFound("unknown_upload", kind="upload", name=upload[:_MOST_SHOWN])
    return found[0]


def shown(text: str) -> str:
    """`text` as it may leave the server: an upload's place is the name that it came with, and the
    data folder has no other name."""
    base = str(home())
    if base not in text:
        return text
    text = re.sub(re.escape(f"{base}/uploads/") + r"[0-9a-f]{32}/", "", text)
    return text.replace(base, "…")
