"""Use-cases of checks over what exists: a dataset, a task's records, a file.

Owns: walking the records or rows through the checks, and what becomes of those that fail: nothing
(a dry run), a flag, out of the dataset, or left out of a copy of the file. Does not own: the checks
(quality), removals and flags (store), reading and writing files (readers, exports).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from corpusmith import registry
from corpusmith.contracts import CheckContext, Container
from corpusmith.errors import NotFound, UsageError
from corpusmith.service.checks import chain_of, context_of, copied, options_of, roles_of
from corpusmith.service.suffixes import format_of
from corpusmith.store.records import draft_of
from corpusmith.store.values import Removal
from corpusmith.values import Draft, Json, Language, Miss, Selection, Verdict

if TYPE_CHECKING:
    from corpusmith.quality.chain import Chain
    from corpusmith.service.studio import Studio

USUAL = ("format", "placeholders", "refusal", "length", "repetition", "duplicates")
"""What is looked for when nothing is said."""
LISTED = 20
AT_ONCE = 500
Look = Callable[[int], None]
"""Told now and then how many have been looked at."""
Apply = Literal["flag", "remove"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A record or row that does not pass everything."""

    record: int
    """The record's number; of a file, the line or place of the row, from 1."""
    check: str
    action: Literal["flag", "mask", "reject"]
    reason: str
    detail: Mapping[str, Json]


@dataclass(slots=True, kw_only=True)
class Checked:
    """What the checks say. looked == passed + failed; a flagged one has passed."""

    target: str
    looked: int = 0
    failed: int = 0
    flagged: int = 0
    """Records that passed, with a flag or a mask of at least one check."""
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(check, action, reason) → records. One that fails is counted where it fails."""
    first: list[Finding] = field(default_factory=list)
    """The first findings of each check."""
    removal: Removal | None = None
    noted: int = 0
    """Records whose flags were written."""
    written: Path | None = None
    rejected_file: Path | None = None

    @property
    def passed(self) -> int:
        return self.looked - self.failed


class Checking:
    """`studio.checking`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def records(
        self,
        selection: Selection,
        *,
        checks: Any = None,
        apply: Apply | None = None,
        agree: Callable[[Checked], bool] = lambda found: True,
        look: Look = lambda looked: None,
    ) -> Checked:
        """Puts the records of a dataset or task through `checks`; without `apply` nothing changes.

        `flag` writes what each check says to the record. `remove` takes those that fail out of
        their dataset, after `agree` has seen the counts; `studio.removals.restore` puts them back.
        Raises NotFound, UsageError, SpecError.
        """
        if apply == "remove" and selection.dataset is None:
            raise UsageError("check_remove_dataset")
        context = self._context(selection)
        run = self._chain(checks, context)
        found = Checked(target=_target(selection))
        failed: list[int] = []
        notes: dict[int, dict[str, Verdict | None]] = {}
        for record in self._studio.store.records.iterate(selection):
            verdicts = _tell(run, found, record.id, f"#{record.id}", draft_of(record))
            if any(not one.passed for one in verdicts.values()):
                failed.append(record.id)
            if apply == "flag":
                notes[record.id] = {**_forgotten(record.verdicts, run), **verdicts}
                if len(notes) >= AT_ONCE:
                    found.noted += self._studio.store.records.note(notes)
                    notes = {}
            _heartbeat(look, found.looked)
        if notes:
            found.noted += self._studio.store.records.note(notes)
        if apply == "remove" and failed and agree(found):
            names = (check for check, action, _ in found.counts if action == "reject")
            reason = ", ".join(dict.fromkeys(names))
            found.removal = self._studio.store.removals.remove(
                str(selection.dataset), failed, reason=reason
            )
        return found

    def file(
        self,
        path: str | Path,
        *,
        checks: Any = None,
        language: Language | None = None,
        output: str | Path | None = None,
        look: Look = lambda looked: None,
    ) -> Checked:
        """Puts a file's rows through `checks`. `output`: a copy with those that pass, in the form
        its suffix says; those that do not go, with their reasons, into a file beside it.

        Rows that cannot be read count as failed. Raises UsageError, SpecError.
        """
        if output is not None:
            _refuse_output(Path(path), Path(output))
        run = self._chain(checks, CheckContext(language=language or self._studio.language))
        found = Checked(target=str(path))
        failed: dict[int, Finding] = {}
        for line, draft in _drafts(Path(path), found, failed):
            verdicts = _tell(run, found, line, f"{line}", draft)
            for name, verdict in verdicts.items():
                if not verdict.passed:
                    failed[line] = _finding(line, name, verdict)
            _heartbeat(look, found.looked)
        if output is not None:
            _write_copies(Path(path), Path(output), found, failed)
        return found

    def _chain(self, checks: Any, context: CheckContext) -> Chain:
        wished = options_of(checks, {name: {} for name in USUAL})
        if roles := roles_of(wished):
            asking = [name for name in wished if roles_of({name: wished[name]})]
            raise UsageError("check_asks", name=asking[0], role=roles[0])
        return chain_of(copied(wished, context.language), context)

    def _context(self, selection: Selection) -> CheckContext:
        """The language and boilerplate of the tasks that made the records."""
        store = self._studio.store
        if selection.task_id is not None:
            return context_of(store.tasks.get(selection.task_id))
        if selection.dataset is None:
            raise UsageError("task_or_dataset")
        language = store.datasets.get(selection.dataset).language
        given = chain.from_iterable(map(self._boilerplate, store.records.tasks(selection)))
        return CheckContext(language=language, boilerplate=tuple(dict.fromkeys(given)))

    def _boilerplate(self, task_id: int) -> Sequence[str]:
        try:
            return context_of(self._studio.store.tasks.get(task_id)).boilerplate
        except NotFound:
            return ()  # its records outlive a deleted task


# ---------------------------------------------------------------- one record


def _tell(run: Chain, found: Checked, number: int, place: str, draft: Draft) -> dict[str, Verdict]:
    """The verdicts on a record, into `found` too; the last one may have turned it down."""
    part = _through(run, replace(draft, verdicts={}), place)
    found.looked += 1
    if isinstance(part, Miss):
        name = str(part.detail["check"])
        detail = {key: value for key, value in part.detail.items() if key != "check"}
        verdict = Verdict(passed=False, reason=part.reason, detail=detail)
        found.failed += 1
        _count(found, _finding(number, name, verdict))
        return {name: verdict}
    noted = [(name, one) for name, one in part.verdicts.items() if one.action != "pass"]
    found.flagged += bool(noted)
    for name, verdict in noted:
        _count(found, _finding(number, name, verdict))
    return {name: replace(one, content=None) for name, one in part.verdicts.items()}


def _through(run: Chain, draft: Draft, place: str) -> Draft | Miss:
    part = run.own(draft)
    if isinstance(part, Draft) and run.asking:
        part = _at_once(run.asked(part, _ask_nobody))
    if isinstance(part, Draft) and run.comparing:
        part = _at_once(run.compared(part, place, _ask_nobody))
    return part


def _at_once(step: Coroutine[Any, Any, Draft | Miss]) -> Draft | Miss:
    """The result of a coroutine that waits for nobody: no check here asks a model."""
    try:
        step.send(None)
    except StopIteration as ended:
        result: Draft | Miss = ended.value
        return result
    raise RuntimeError("a check waited for something")


_ask_nobody: Any = None


def _count(found: Checked, one: Finding) -> None:
    key = (one.check, one.action, one.reason)
    found.counts[key] += 1
    if found.counts[key] <= LISTED:
        found.first.append(one)


def _finding(number: int, name: str, verdict: Verdict) -> Finding:
    action: Any = verdict.action
    return Finding(
        record=number, check=name, action=action, reason=verdict.reason, detail=verdict.detail
    )


def _forgotten(known: Mapping[str, Json], run: Chain) -> dict[str, Verdict | None]:
    """Earlier words of the checks that are run again."""
    names = {check.name for checks in (run.plain, run.askers, run.comparers) for check in checks}
    return {name: None for name in known if name in names}


def _heartbeat(look: Look, looked: int) -> None:
    if looked % AT_ONCE == 0:
        look(looked)


def _target(selection: Selection) -> str:
    if selection.dataset is not None:
        return f"dataset:{selection.dataset}"
    return f"task:{selection.task_id}"


# ---------------------------------------------------------------- files


def _drafts(path: Path, found: Checked, failed: dict[int, Finding]) -> Iterator[tuple[int, Draft]]:
    from corpusmith.service.import_rows import Refused, Rows

    for one in Rows(path, "auto", {}, None):
        if isinstance(one, Refused):
            verdict = Verdict(passed=False, reason=one.reason, detail=one.detail)
            failed[one.line] = _finding(one.line, "row", verdict)
            found.looked += 1
            found.failed += 1
            _count(found, failed[one.line])
        else:
            yield one.line, Draft(content=one.content)


def _refuse_output(path: Path, output: Path) -> None:
    """The copies are made from the file, which must be there to the end."""
    if format_of(str(output)) is None:
        raise UsageError("check_output", path=str(output))
    for one in (output, _beside(output)):
        if one.exists() and path.exists() and one.samefile(path):
            raise UsageError("check_output_same", path=str(output), file=str(one))


def _beside(output: Path) -> Path:
    """The file for the rows that do not pass."""
    return output.with_name(f"{output.stem}.rejected.jsonl")


def _write_copies(path: Path, output: Path, found: Checked, failed: Mapping[int, Finding]) -> None:
    """The rows as they stand in the file, in two new ones."""
    from corpusmith.exports.files import write_file

    form = format_of(str(output)) or "jsonl"
    good = (row for line, row in _rows(path) if line not in failed)
    write_file(output, _container(form), good)
    found.written = output
    beside = _beside(output)
    # One of an earlier run would be taken for this run's.
    if failed or beside.exists():
        write_file(beside, _container("jsonl"), _left_out(path, failed))
        found.rejected_file = beside


def _container(form: str) -> Container:
    made: Container = registry.load("container", form)()
    return made


def _rows(path: Path) -> Iterator[tuple[int, Json]]:
    from corpusmith.readers.rows import read_rows

    return read_rows(path, bad=lambda row: None)


def _left_out(path: Path, failed: Mapping[int, Finding]) -> Iterator[Json]:
    """Each row that does not pass, with why; one that cannot be read has only its line."""
    told: set[int] = set()
    for line, row in _rows(path):
        if line in failed:
            told.add(line)
            yield {**_why(failed[line]), "row": row}
    yield from (_why(one) for line, one in failed.items() if line not in told)


def _why(one: Finding) -> dict[str, Json]:
    return {
        "line": one.record,
        "check": one.check,
        "reason": one.reason,
        "detail": dict(one.detail),
    }
