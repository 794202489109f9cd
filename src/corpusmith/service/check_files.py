"""A file's rows through the checks, and the copies that come of it.

Owns: reading the rows twice (to check them, to copy them), the file of those that pass, the file of
those that do not. Does not own: the checks (quality), reading and writing files (readers, exports).

Memory is flat: of a row that fails its line stays in memory and its finding in a temporary file.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from corpusmith import registry
from corpusmith.contracts import Container
from corpusmith.errors import UsageError
from corpusmith.service.check_findings import Checked, Finding, count, finding, verdicts_on
from corpusmith.service.suffixes import format_of
from corpusmith.values import Draft, Json, Verdict

if TYPE_CHECKING:
    from corpusmith.quality.chain import Chain
    from corpusmith.quality.spool import Spool

Mask = Callable[[Json], Json]
UNREADABLE = "row"
"""Stands for a check where a row cannot be read."""


class Failed:
    """The rows that do not pass, by line: 24 bytes of memory each."""

    def __init__(self) -> None:
        from corpusmith.quality.spool import Spool

        self._lines = array("Q")
        self._findings: Spool = Spool()

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, one: Finding) -> None:
        self._lines.append(one.record)
        self._findings.extend([orjson.dumps(_why(one), default=str).decode()])

    def by_line(self) -> Iterator[tuple[int, dict[str, Json]]]:
        """(line, why) in the order of the file; rows that cannot be read are met early."""
        lines = self._lines
        places: range | array[int] = range(len(lines))
        if any(later < earlier for earlier, later in pairwise(lines)):
            places = array("Q", sorted(places, key=lines.__getitem__))
        for place in places:
            yield lines[place], orjson.loads(self._findings[place])


def check_rows(run: Chain, path: Path, found: Checked, look: Callable[[Checked], None]) -> Failed:
    """Puts every row through the checks. Raises UsageError, SpecError for the file."""
    from corpusmith.service.import_rows import Refused, Rows

    failed = Failed()
    for one in Rows(path, "auto", {}, None):
        if isinstance(one, Refused):
            verdict = Verdict(passed=False, reason=one.reason, detail=one.detail)
            found.looked += 1
            found.failed += 1
            count(found, finding(one.line, UNREADABLE, verdict))
            failed.add(finding(one.line, UNREADABLE, verdict))
        else:
            draft = Draft(content=one.content)
            for name, said in verdicts_on(run, found, one.line, f"{one.line}", draft).items():
                if not said.passed:
                    failed.add(finding(one.line, name, said))
        look(found)
    return failed


def refuse_output(path: Path, output: Path) -> None:
    """The copies are made from the file, which must be there to the end. Raises UsageError."""
    if format_of(str(output)) is None:
        raise UsageError("check_output", path=str(output))
    for one in (output, beside(output)):
        if one.exists() and path.exists() and one.samefile(path):
            raise UsageError("check_output_same", path=str(output), file=str(one))


def beside(output: Path) -> Path:
    """The file for the rows that do not pass."""
    return output.with_name(f"{output.stem}.rejected.jsonl")


def write_copies(path: Path, output: Path, found: Checked, failed: Failed, mask: Mask) -> None:
    """The rows as they stand in the file, with what is to be masked masked, in two new ones.

    First those that do not pass: where the other file is new, all is done. Raises UsageError.
    """
    from corpusmith.exports.files import write_file

    left = beside(output)
    # One of an earlier run would be taken for this run's.
    if len(failed) or left.exists():
        write_file(left, _container("jsonl"), _left_out(path, failed, mask))
        found.rejected_file = left
    form = format_of(str(output)) or "jsonl"
    write_file(output, _container(form), _good(path, found, failed, mask))
    found.written = output


def write_rows(output: Path, rows: Iterable[Json]) -> None:
    """Rows that pass, in the form that the suffix says."""
    from corpusmith.exports.files import write_file

    write_file(output, _container(format_of(str(output)) or "jsonl"), rows)


def _container(form: str) -> Container:
    made: Container = registry.load("container", form)()
    return made


def _rows(path: Path) -> Iterator[tuple[int, Json]]:
    from corpusmith.readers.rows import read_rows

    return read_rows(path, bad=lambda row: None)


def _good(path: Path, found: Checked, failed: Failed, mask: Mask) -> Iterator[Json]:
    bad = failed.by_line()
    next_bad, _ = next(bad, (0, {}))
    written = 0
    for line, row in _rows(path):
        while next_bad and next_bad < line:
            next_bad, _ = next(bad, (0, {}))
        if line != next_bad:
            safe = mask(row)
            found.maskable += safe != row
            written += 1
            yield safe
    if written != found.passed:
        raise UsageError("check_file_changed", file=str(path))


def _left_out(path: Path, failed: Failed, mask: Mask) -> Iterator[Json]:
    """Each row that does not pass, with why; one that cannot be read has only its line."""
    rows = _rows(path)
    at, row = next(rows, (0, None))
    for line, why in failed.by_line():
        while at and at < line:
            at, row = next(rows, (0, None))
        yield {**why, "row": mask(row)} if at == line else why


def _why(one: Finding) -> dict[str, Json]:
    return {
        "line": one.record,
        "check": one.check,
        "reason": one.reason,
        "detail": dict(one.detail),
    }
