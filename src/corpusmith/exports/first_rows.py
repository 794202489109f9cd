"""What loaders make of the first rows of a training file, which say the types of all.

Hugging Face's datasets, and with it TRL, LLaMA-Factory and axolotl, takes the types of JSON lines
from the first 10 MiB, and of a CSV from the first 10,000 rows: a field that is empty there (no
tools, no history, no input) and filled later stops it at the later one. A field of which all texts
look like times becomes times, and LLaMA-Factory drops such rows in silence.
Owns: the order of rows by which every type is told in time; refusing times. Does not own: what a
CSV's cells are taken for (`untyped.py`), bytes (the containers).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sized
from tempfile import SpooledTemporaryFile
from typing import Any, Protocol

from corpusmith.contracts import Kind
from corpusmith.errors import UsageError
from corpusmith.values import Json

ROOM_BYTES = 8 << 20
"""Of JSON lines, after which a row that tells a type comes first: inside datasets' 10 MiB."""
_IN_MEMORY_BYTES = 8 << 20
_TIME = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d(:\d\d(:\d\d)?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII)
"""What Arrow takes for a time in JSON; fractions of a second stay a text."""
_ITEMS = object()
"""The step of a path into a list."""

Path = tuple[Any, ...]
"""Where a value stands in a row: names, and `_ITEMS` for whatever a list holds."""


class Untold(Sized, Container[Any], Protocol):
    """What no row has told the type of yet; shrinks as rows pass."""


def arranged(
    lines: Iterable[tuple[bytes, bool]], untold: Untold, room: int, size: Callable[[bytes], int]
) -> Iterator[bytes]:
    """The lines in their order; but once `room` is used up (a line takes `size`) and there is
    something untold, a line that tells of it comes before those that do not.

    A line ends with the only line feed in it, and comes with whether it told something new. Lines
    that are overtaken wait in a temporary file.
    """
    waiting, used = iter(lines), 0
    for line, _ in waiting:
        yield line
        used += size(line)
        if not untold or used >= room:
            break
    if untold:
        with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as held:
            for line, tells in waiting:
                if not tells:
                    held.write(line)
                    continue
                yield line
                if not untold:
                    break
            held.seek(0)
            yield from held
    for line, _ in waiting:
        yield line


class Places:
    """The places of a row, as its columns have them, and which of them are untold."""

    def __init__(self, columns: Mapping[str, Kind]) -> None:
        self.untold: set[Path] = set(_paths(dict(columns)))
        self._times: set[Path] = set()

    def see(self, row: Json) -> bool:
        """Whether the row tells a type that was untold."""
        told = {path for path in self.untold if self._tells(row, path)} if self.untold else None
        if not told:
            return False
        self.untold -= told
        return True

    def _tells(self, row: Json, path: Path) -> bool:
        for value in _values(row, path):
            if not isinstance(value, str) or not _TIME.fullmatch(value):
                return True
            self._times.add(path)
        return False

    def end(self) -> None:
        """Raises UsageError for a place that held times and no other text."""
        for path in self.untold & self._times:
            name = ".".join(step for step in path if step is not _ITEMS)
            raise UsageError("export_json_times", column=name)


def _paths(kind: Any) -> Iterator[Path]:
    if isinstance(kind, list):
        yield from ((_ITEMS, *path) for path in _paths(kind[0]))
    elif isinstance(kind, dict):
        yield from ((name, *path) for name, one in kind.items() for path in _paths(one))
    else:
        yield ()


def _values(value: Json, path: Path) -> Iterator[Json]:
    """What stands there; a list may hold several, or nothing."""
    if value is None:
        return
    if not path:
        yield value
    elif path[0] is _ITEMS:
        for one in value:
            yield from _values(one, path[1:])
    else:
        yield from _values(value.get(path[0]), path[1:])
