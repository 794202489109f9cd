"""The rows of an input's files: which files a path means, and each by its kind.

Owns: folders and globs, rows or document by suffix, a bad file among good ones. Does not own:
reading (readers, documents), which rows are taken (`inputs.py`).
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from corpusmith.documents.read import SUFFIXES as DOCUMENTS
from corpusmith.documents.read import read_document
from corpusmith.documents.split import split
from corpusmith.errors import CorpusmithError, SpecError, UsageError
from corpusmith.messages import say
from corpusmith.readers.bad import BadRow
from corpusmith.readers.rows import SUFFIXES as ROWS
from corpusmith.readers.rows import read_rows
from corpusmith.service.input_part import InputPart
from corpusmith.values import Json, Language

Row = dict[str, Json]

_SETUP = frozenset(("document_extra_missing", "rows_need_tables", "document_unknown_encoding"))
"""Errors that are not a file's own: with them no file of the kind can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadInput:
    """A row, or a whole file, that cannot be read."""

    file: str
    line: int = 0
    """Line or number of the row; 0: the file as a whole."""
    reason: str
    """A stable code: of a row `reason.<reason>`, of a file `error.<reason>`."""
    detail: Mapping[str, Json] = field(default_factory=dict)
    raw: str = ""
    """The row's first characters."""

    def text(self, language: Language) -> str:
        """What is wrong, and where."""
        if not self.line:
            return say(f"error.{self.reason}", language, **self.detail)
        problem = say(f"reason.{self.reason}", language, **self.detail)
        return say("error.input_bad_row", language, file=self.file, line=self.line, problem=problem)


def rows_of_files(part: InputPart, bad: Callable[[BadInput], None]) -> Iterator[Row]:
    """Each row and chunk of the files that `part.path` means, in the order of their names.

    A bad file among several is told to `bad`; the only one is raised. Raises UsageError.
    """
    files, base, named = _files(part.path or "")
    for file in files:
        try:
            yield from _rows(file, base, part, bad)
        except CorpusmithError as error:
            if named or error.reason in _SETUP:
                raise
            bad(BadInput(file=str(file), reason=error.reason, detail=error.data))


def _files(path: str) -> tuple[list[Path], Path, bool]:
    """(files, the folder that they are named from, whether it is one file named by the user)"""
    place = Path(path).expanduser()
    if os.path.isdir(place):
        found, base = place.rglob("*"), place
    elif os.path.exists(place):
        return [place], place.parent, True
    elif glob.has_magic(path):
        base, pattern = _fixed(place)
        found = base.glob(pattern)
    else:
        raise UsageError("input_nothing", path=path)
    files = sorted(file for file in found if _is_input(file, base))
    if not files:
        raise UsageError("input_no_files", path=path, known=_known())
    return files, base, False


def _fixed(place: Path) -> tuple[Path, str]:
    """A glob's folders before the first sign, and the rest as a pattern."""
    first = next(at for at, part in enumerate(place.parts) if glob.has_magic(part))
    return Path(*place.parts[:first]), str(Path(*place.parts[first:]))


def _is_input(file: Path, base: Path) -> bool:
    """A file of a known kind that is not hidden and no lock file of Word."""
    inside = file.relative_to(base).parts
    hidden = any(part.startswith((".", "~$")) for part in inside)
    return not hidden and _suffix(file) in (*ROWS, *DOCUMENTS) and file.is_file()


def _suffix(file: Path) -> str:
    return Path(file.name.lower().removesuffix(".gz")).suffix


def _known() -> str:
    return " ".join((*ROWS, *DOCUMENTS))


def _rows(
    file: Path, base: Path, part: InputPart, bad: Callable[[BadInput], None]
) -> Iterator[Row]:
    if file.suffix.lower() in DOCUMENTS:
        yield from _chunks(file, base, part)
        return

    def bad_row(row: BadRow) -> None:
        bad(
            BadInput(
                file=str(file), line=row.line, reason=row.reason, detail=row.detail, raw=row.raw
            )
        )

    try:
        yield from (row for _, row in read_rows(file, bad=bad_row))
    except SpecError as error:
        if error.reason != "rows_unknown":
            raise
        raise UsageError("input_unknown_suffix", file=str(file), known=_known()) from error


def _chunks(file: Path, base: Path, part: InputPart) -> Iterator[Row]:
    document = read_document(file, encoding=part.encoding)
    chunks = list(
        split(
            document,
            size=part.chunk_size,
            overlap=part.chunk_overlap,
            by=part.split_by,
            unit=part.chunk_unit,
            level=part.heading_level,
        )
    )
    source = file.relative_to(base).as_posix()
    for chunk in chunks:
        yield {
            "text": chunk.text,
            "source": source,
            "title": document.title,
            "heading": " > ".join(chunk.headings),
            "chunk": chunk.index + 1,
            "chunks": len(chunks),
        }
