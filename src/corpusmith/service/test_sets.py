"""The texts of test sets, for telling whether training data holds them.

Owns: which files, and which texts of them. Does not own: reading rows (`readers`), comparing
(`quality/contamination.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from corpusmith.errors import SpecError
from corpusmith.places import from_folder, given_path

if TYPE_CHECKING:
    from corpusmith.readers.bad import BadRow

MOST_CHARACTERS = 50_000_000
"""Of all test sets together: a task keeps a copy of them."""
PLAIN_SUFFIXES = (".txt", ".md")


def with_tests(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the check `contamination` with the texts of its `files` as `tests`.

    Raises SpecError for a file that cannot be read, or holds no text.
    """
    if "files" not in options:
        return dict(options)
    files = options["files"]
    listed = (files,) if isinstance(files, str) else files
    if not isinstance(listed, Sequence) or not all(isinstance(one, str) for one in listed):
        raise SpecError("contamination_files")
    places = [given_path(one).expanduser() for one in listed]
    tests = {one.name: list(dict.fromkeys(_texts(one))) for one in places}
    if sum(len(text) for texts in tests.values() for text in texts) > MOST_CHARACTERS:
        raise SpecError("contamination_too_large", most=f"{MOST_CHARACTERS:,}")
    rest = {name: value for name, value in options.items() if name != "files"}
    return {**rest, "tests": {**rest.get("tests", {}), **tests}}


def tests_from_folder(options: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The options with the paths in them made to start from `folder`."""
    files = options.get("files")
    listed = (files,) if isinstance(files, str) else files
    if not isinstance(listed, list | tuple):
        return dict(options)
    moved = [from_folder(one, folder) if isinstance(one, str) else one for one in listed]
    return {**options, "files": moved}


def _texts(path: Path) -> Iterator[str]:
    found = list(_lines(path) if path.suffix.lower() in PLAIN_SUFFIXES else _values(path))
    if not found:
        raise SpecError("test_set_empty", file=str(path))
    return iter(found)


def _lines(path: Path) -> Iterator[str]:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError("file_not_text", file=str(path)) from None
    except OSError as error:
        raise SpecError("file_unreadable", file=str(path), problem=error.strerror) from None
    return (line for line in text.splitlines() if line.strip())


def _values(path: Path) -> Iterator[str]:
    """Every text of every row, whatever its field: questions, choices and answers alike."""
    from corpusmith.quality.shapes import strings
    from corpusmith.readers.rows import read_rows

    def refused(bad: BadRow) -> NoReturn:
        raise SpecError("test_set_row", file=str(path), line=bad.line)

    for _, row in read_rows(path, bad=refused):
        yield from (text for _, text in strings(row) if text.strip())
