"""The rows of an input's files: which files a path means, and each by its kind.

Owns: folders and globs, rows or document by suffix, a bad file among good ones. Does not own:
reading (readers, documents), which rows are taken (`inputs.py`).
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from corpusmith.archives import MOST_BYTES, Archive, is_archive
from corpusmith.documents.read import SUFFIXES as DOCUMENTS
from corpusmith.documents.read import read_document
from corpusmith.documents.split import split
from corpusmith.errors import CorpusmithError, SpecError, UsageError
from corpusmith.messages import say
from corpusmith.places import PREFIX, given_path
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
    with ExitStack() as open_:
        files, named = _places(part.path or "", open_)
        for one in files:
            try:
                yield from _rows(one, part, bad)
            except CorpusmithError as error:
                if named or error.reason in _SETUP:
                    raise
                bad(BadInput(file=one.label, reason=error.reason, detail=error.data))


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file, and what it is called."""

    path: Path
    label: str
    """As messages name it."""
    source: str
    """As rows name it: seen from what was given."""


def _places(path: str, open_: ExitStack) -> tuple[list[_File], bool]:
    """(files, whether it is one that was named); those of a zip live as long as `open_`."""
    if (zipped := _zip(path)) is not None:
        return open_.enter_context(unpacked(zipped, _wanted)), False
    files, base, named = _files(path)
    return [
        _File(path=file, label=str(file), source=file.relative_to(base).as_posix())
        for file in files
    ], named


def _zip(path: str) -> Path | None:
    """The zip file that a path means; None: another thing."""
    if not path.startswith(PREFIX) and not path.lower().endswith(".zip"):
        return None
    place = given_path(path).expanduser()
    try:
        with place.open("rb") as file:
            return place if is_archive(file.read(4)) and _suffix(place) != ".docx" else None
    except OSError:
        return None  # the reader of files says what is wrong


@contextmanager
def unpacked(path: Path, wanted: Callable[[str], bool]) -> Iterator[list[_File]]:
    """The files of a zip that `wanted` takes, in a temporary folder of numbers, by their names.

    Raises UsageError for what no archive may be, and when it holds nothing wanted.
    """
    with (
        TemporaryDirectory(prefix="corpusmith-") as folder,
        path.open("rb") as file,
        Archive(file, path.name) as archive,
    ):
        names = sorted(one.name for one in archive.members() if wanted(one.name))
        if not names:
            raise UsageError("input_no_files", path=path.name, known=_known())
        found = []
        for number, name in enumerate(names, 1):
            # Its path is a label: what is written is a number of ours with a suffix that we know.
            place = Path(folder) / f"{number:06d}{_suffixes(name)}"
            place.write_bytes(archive.read(name, MOST_BYTES))
            found.append(_File(path=place, label=f"{path.name}/{name}", source=name))
        yield found


def _wanted(name: str) -> bool:
    return _suffix(Path(name)) in (*ROWS, *DOCUMENTS)


def _suffixes(name: str) -> str:
    return Path(name).suffix.lower()


def _files(path: str) -> tuple[list[Path], Path, bool]:
    """(files, the folder that they are named from, whether it is one file named by the user)"""
    place = given_path(path).expanduser()
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


def _rows(file: _File, part: InputPart, bad: Callable[[BadInput], None]) -> Iterator[Row]:
    if file.path.suffix.lower() in DOCUMENTS:
        yield from _chunks(file, part)
        return

    def bad_row(row: BadRow) -> None:
        bad(
            BadInput(
                file=file.label, line=row.line, reason=row.reason, detail=row.detail, raw=row.raw
            )
        )

    try:
        yield from (row for _, row in read_rows(file.path, bad=bad_row))
    except SpecError as error:
        if error.reason != "rows_unknown":
            raise
        raise UsageError("input_unknown_suffix", file=file.label, known=_known()) from error


def _chunks(file: _File, part: InputPart) -> Iterator[Row]:
    document = read_document(file.path, encoding=part.encoding)
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
    title = document.title
    if title == file.path.stem:  # it has none of its own
        title = Path(file.source).stem
    for chunk in chunks:
        yield {
            "text": chunk.text,
            "source": file.source,
            "title": title,
            "heading": " > ".join(chunk.headings),
            "chunk": chunk.index + 1,
            "chunks": len(chunks),
        }
