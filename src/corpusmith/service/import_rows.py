"""A file's rows as an import stores them, or as it refuses them.

Owns: finding the shape, renaming fields, one verdict a row. Does not own: reading (`readers`),
the shapes (`readers/shapes.py`), records (`imports.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from corpusmith.errors import UsageError
from corpusmith.readers.bad import BadRow
from corpusmith.readers.parts import Misfit
from corpusmith.readers.rows import read_rows
from corpusmith.readers.shapes import SHAPES, Detected, convert, detect
from corpusmith.service.import_ratings import Ratings
from corpusmith.service.recipes import DATE_FORMAT
from corpusmith.store.codec import to_json
from corpusmith.values import Json

HEAD_ROWS = 100
"""A file's shape is known by these."""

LISTED = 20
"""Refused rows that are told one by one; all of them are counted."""

PROBLEM_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A row that is not imported, and why."""

    line: int
    reason: str
    detail: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Good:
    """A row as it will be stored."""

    line: int
    content: dict[str, Json]
    rest: dict[str, Json]
    """What of the row is not in the content."""
    text: str
    """`content` as the store writes it: equal texts are equal records."""
    rating: float | None
    """What people rated it, as the row tells; None: it tells nothing."""


class Refusals:
    """All are counted, the first are kept."""

    def __init__(self) -> None:
        self.count = 0
        self.listed: list[Refused] = []

    def add(self, one: Refused) -> None:
        self.count += 1
        if len(self.listed) < LISTED:
            self.listed.append(one)


class Rows:
    """Walk it once."""

    def __init__(
        self, path: Path, form: str, mapping: Mapping[str, str], limit: int | None
    ) -> None:
        """Reads the first rows. Raises SpecError, UsageError."""
        if form != "auto" and form not in SHAPES:
            raise UsageError("import_format", format=form, known=", ".join(["auto", *SHAPES]))
        self.path = path
        self.mapping = mapping
        self.limit = limit
        self.count = 0
        """Rows that have been walked."""
        self._bad: deque[BadRow] = deque()
        self._rows = read_rows(path, bad=self._bad.append)
        self._head = list(islice(self._rows, min(HEAD_ROWS, limit or HEAD_ROWS)))
        self.columns = tuple({key: None for _, row in self._head for key in row})
        """The file's own fields, as far as its first rows tell."""
        self._check_mapping()
        self.detected = self._detect(form)
        self.ratings = Ratings(self.detected.shape, [self._mapped(row) for _, row in self._head])
        self._made = _made(path)

    def __iter__(self) -> Iterator[Good | Refused]:
        for line, row in chain(self._head, self._rows):
            yield from self._lost()
            if self._full():
                return
            self.count += 1
            yield self._stored(line, row)
        yield from self._lost()

    def _lost(self) -> Iterator[Refused]:
        """Rows that could not be read, in the order they were met."""
        while self._bad and not self._full():
            self.count += 1
            bad = self._bad.popleft()
            yield Refused(line=bad.line, reason=bad.reason, detail=bad.detail)

    def _full(self) -> bool:
        return self.limit is not None and self.count >= self.limit

    def _stored(self, line: int, row: Mapping[str, Json]) -> Good | Refused:
        try:
            mapped = self._mapped(row)
            content, rest = convert(self.detected.shape, mapped)
            content = self._filled(content)
            text = to_json(content)  # refused before its rating is counted
            return Good(line, content, rest, text, self.ratings.of(mapped))
        except Misfit as error:
            return Refused(line=line, reason=error.reason, detail=error.detail)
        except (TypeError, ValueError) as error:
            problem = str(error)[:PROBLEM_CHARACTERS]
            return Refused(line=line, reason="row_value", detail={"problem": problem})

    def _filled(self, content: dict[str, Json]) -> dict[str, Json]:
        """A dialogue that does not say when it was made is as old as its file."""
        if self.detected.shape != "dialogue":
            return content
        return content | {key: content.get(key) or text for key, text in self._made.items()}

    def _mapped(self, row: Mapping[str, Json]) -> Mapping[str, Json]:
        if not self.mapping:
            return row
        taken = set(self.mapping.values())
        kept = {key: value for key, value in row.items() if key not in taken}
        return kept | {ours: row[theirs] for ours, theirs in self.mapping.items() if theirs in row}

    def _check_mapping(self) -> None:
        known = ", ".join(self.columns)
        for theirs in self.mapping.values():
            if theirs not in self.columns and self._head:
                raise UsageError("import_map", key=theirs, file=str(self.path), known=known)

    def _detect(self, form: str) -> Detected:
        rows = [self._mapped(row) for _, row in self._head]
        if form == "auto":
            return detect(rows)
        return Detected(shape=form, looked=len(rows), fitting=sum(_fits(form, one) for one in rows))


def _fits(shape: str, row: Mapping[str, Json]) -> bool:
    try:
        convert(shape, row)
    except Misfit:
        return False
    return True


def _made(path: Path) -> dict[str, Json]:
    """What a dialogue's record says of its making."""
    moment = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    return {
        "batch_id": f"batch_{moment:%Y%m%d_%H%M%S}",
        "generation_time": moment.strftime(DATE_FORMAT),
    }
