"""How an export's file will begin, as its bytes, without walking through all of it.

Owns: the first rows, written by the container itself; what sorts of records there are, as far as
the first ones tell. Does not own: counts (`export_preview.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

import orjson

from corpusmith.errors import UsageError
from corpusmith.exports.formats import format_of
from corpusmith.exports.lines import dump
from corpusmith.service.export_files import Wish, walk_of
from corpusmith.values import Json, Record, Selection

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

SAMPLE_ROWS = 2_000
"""Rows that are written to see how the file begins and how large a row is."""
SHOWN_BYTES = 6_000
LOOKED_AT = 20
"""Records that tell what sorts there are."""
_BINARY = ("parquet",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The beginning of the data file; of several, of the first."""

    text: str
    """What a person sees of it; of a file whose bytes are no text, its first rows as JSON lines."""
    is_text: bool
    """Whether `text` is what the file begins with."""
    more: bool
    """Whether it goes on behind `text`."""
    records: int
    """Those that the rows were made of."""
    rows: int
    """Rows that were written, at most SAMPLE_ROWS."""
    bytes: int
    """What they take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorts:
    """Which options of an export mean anything for these records."""

    chat: bool
    """The first one makes a chat, as most trainers want it."""
    rounds: bool
    """Some hold several rounds of question, answer and correction."""
    refined: bool
    """Some hold an answer that was improved step by step."""


def sorts(studio: Studio, selection: Selection) -> Sorts:
    """By the first records."""
    found = list(islice(studio.store.records.iterate(selection), LOOKED_AT))
    contents = [one.content for one in found if isinstance(one.content, dict)]
    return Sorts(
        chat=bool(found) and _makes_chat(found[0]),
        rounds=any("rounds" in one for one in contents),
        refined=any("refinement_process" in one for one in contents),
    )


def _makes_chat(record: Record) -> bool:
    exporter = format_of("messages", "", {"mend": True, "greeting": "opener"}).exporter
    try:
        exporter.rows(record)
    except UsageError:
        return False
    return True


def head(studio: Studio, wish: Wish, path: str) -> Head:
    """The first rows that there are. Raises UsageError for what the container cannot hold."""
    form = format_of(wish.form, path, wish.options)
    walk = walk_of(studio, replace(wish, on_refused="skip"), form, wish.made_balance())
    shown = None if wish.split is None else wish.split.names[0]
    rows = (row for part, row in walk.rows() if shown in (None, part))
    out = _Beginning()
    is_text = form.container.name not in _BINARY
    kept = out if is_text else _Beginning()
    taken = islice(rows if is_text else _told(rows, kept), SAMPLE_ROWS)
    try:
        count = form.container.write(taken, cast(BinaryIO, out))
    except UsageError:
        if walk.facts.records or not (walk.refusals.count or walk.passed_over.count):
            raise
        count, out.size = 0, 0
    return Head(
        text=kept.kept.decode("utf-8", "ignore"),  # the end may cut a letter in two
        is_text=is_text,
        more=count == SAMPLE_ROWS or kept.size > len(kept.kept),
        records=walk.facts.records,
        rows=count,
        bytes=out.size,
    )


def _told(rows: Iterable[Json], lines: _Beginning) -> Iterator[Json]:
    """The rows, each told as a JSON line too while there is room."""
    for number, row in enumerate(rows, 1):
        if len(lines.kept) < SHOWN_BYTES:
            lines.write(dump(row, number, orjson.OPT_APPEND_NEWLINE))
        yield row


class _Beginning:
    """Counts everything and keeps the first of it."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        room = SHOWN_BYTES - len(self.kept)
        if room > 0:
            self.kept += data[:room]
        return len(data)
