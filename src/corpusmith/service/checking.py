"""Use-cases of checks over what exists: a dataset, a task's records, a file.

Owns: which checks and records, and what becomes of those that fail or are to be masked: nothing (a
dry run), a flag, a masked version, out of the dataset, or left out of a copy of the file. Does not
own: the checks (quality), one record's verdicts (`check_findings.py`), files (`check_files.py`),
removals, versions and flags (store).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence, Set
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from corpusmith import registry
from corpusmith.contracts import CheckContext
from corpusmith.errors import NotFound, UsageError
from corpusmith.places import given_output, given_path
from corpusmith.service.check_findings import Checked, Finding, verdicts_on
from corpusmith.service.checks import (
    Options,
    chain_of,
    compares,
    context_of,
    copied,
    options_of,
    roles_of,
)
from corpusmith.store.records import draft_of
from corpusmith.values import Draft, Json, Language, Record, Selection, Verdict

if TYPE_CHECKING:
    from corpusmith.quality.chain import Chain
    from corpusmith.service.check_changes import Edits
    from corpusmith.service.studio import Studio

__all__ = ["Apply", "Checked", "Checking", "Finding", "Look"]

USUAL = ("format", "placeholders", "refusal", "length", "repetition", "duplicates")
"""What is looked for when nothing is said."""
MASKED: Options = {"personal_data": {}}
"""What is masked when nothing is said."""
Look = Callable[[Checked], None]
"""Told of each record that has been looked at."""
Apply = Literal["flag", "mask", "remove"]


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
        reviewer: str | None = None,
        without: Set[int] = frozenset(),
        agree: Callable[[Checked], bool] = lambda found: True,
        look: Look = lambda found: None,
        each: Callable[[Finding], None] | None = None,
    ) -> Checked:
        """Puts the records of a dataset or task through `checks`; without `apply` nothing changes.

        `flag` writes what each check says to the record. `mask` saves each record that holds
        something to be masked as a new version, by `reviewer` as in a review, whose undo takes it
        back. `remove` takes those that fail out of their dataset; `studio.datasets.restore` puts
        them back. The last two do it after `agree` has seen the counts. Each is done whole or not
        at all. `each` is told of every finding. `without`: records that are as if they were not
        there. Raises NotFound, UsageError, SpecError.
        """
        from corpusmith.service.check_changes import Edits, Notes

        if apply == "remove" and selection.dataset is None:
            raise UsageError("check_remove_dataset")
        wished = _wished(checks, apply)
        total = self._studio.store.records.count(selection)
        run = self._chain(wished, self._context(selection, total if compares(wished) else 0))
        found = Checked(target=_target(selection), total=total, each=each)
        failed, notes, edits = array("q"), Notes(), Edits()
        for record in self._studio.store.records.iterate(selection):
            if record.id in without:
                continue
            draft = draft_of(record)
            verdicts = verdicts_on(run, found, record.id, f"#{record.id}", draft)
            if apply == "remove" and any(not one.passed for one in verdicts.values()):
                failed.append(record.id)
            elif apply == "flag":
                notes.add(record.id, {**_forgotten(record.verdicts, run), **verdicts})
            elif apply == "mask":
                _mask(run, record, draft, edits)
            look(found)
        found.maskable = len(edits)
        if apply == "flag":
            found.noted = self._studio.store.records.note(notes)
        if failed and agree(found):
            self._remove(str(selection.dataset), failed, found)
        if edits and agree(found):
            self._save(edits, reviewer, found)
        return found

    def file(
        self,
        path: str | Path,
        *,
        checks: Any = None,
        apply: Literal["mask"] | None = None,
        language: Language | None = None,
        output: str | Path | None = None,
        look: Look = lambda found: None,
        each: Callable[[Finding], None] | None = None,
    ) -> Checked:
        """Puts a file's rows through `checks`. `output`: a copy with those that pass, in the form
        its suffix says; those that do not go, with their reasons, into a file beside it. `mask`:
        in both, what is to be masked is.

        Rows that cannot be read count as failed. Raises UsageError, SpecError.
        """
        from corpusmith.service import check_files

        if output is not None:
            check_files.refuse_output(given_path(path), given_output(output))
        elif apply == "mask":
            raise UsageError("check_mask_output")
        context = CheckContext(language=language or self._studio.language)
        run = self._chain(_wished(checks, apply), context)
        found = Checked(target=str(path), each=each)
        failed = check_files.check_rows(run, given_path(path), found, look)
        if output is not None:
            mask = _masker(run) if apply == "mask" else _as_it_is
            check_files.write_copies(given_path(path), given_output(output), found, failed, mask)
        return found

    def refuse_wrong(self, checks: Any, language: Language) -> None:
        """Raises SpecError, NotFound, UsageError for checks that cannot be run as they are asked
        for; nothing is looked at."""
        self._chain(_wished(checks, None), CheckContext(language=language))

    def can_mask(self, checks: Any) -> bool:
        """Whether one of these checks masks what it finds. Raises SpecError, NotFound."""
        wished = _wished(checks, None)
        return any(hasattr(registry.load("check", name), "masked") for name in wished)

    def _remove(self, dataset: str, failed: array[int], found: Checked) -> None:
        names = (check for check, action, _ in found.counts if action == "reject")
        reason = ", ".join(dict.fromkeys(names))
        found.removal = self._studio.store.removals.remove(dataset, failed, reason=reason)

    def _save(self, edits: Edits, reviewer: str | None, found: Checked) -> None:
        from corpusmith.service.review_input import reviewer_of

        name = reviewer_of(reviewer)
        found.masked = self._studio.store.versions.edit_many(edits, name, kind="mask")

    def _chain(self, wished: Options, context: CheckContext) -> Chain:
        if roles := roles_of(wished):
            asking = [name for name in wished if roles_of({name: wished[name]})]
            raise UsageError("check_asks", name=asking[0], role=roles[0])
        return chain_of(copied(wished, context.language), context)

    def _context(self, selection: Selection, expected: int) -> CheckContext:
        """The language and boilerplate of the tasks that made the records."""
        store = self._studio.store
        if selection.task_id is not None:
            return context_of(store.tasks.get(selection.task_id), expected=expected)
        if selection.dataset is None:
            raise UsageError("task_or_dataset")
        language = store.datasets.get(selection.dataset).language
        given = chain.from_iterable(map(self._boilerplate, store.records.tasks(selection)))
        boilerplate = tuple(dict.fromkeys(given))
        return CheckContext(language=language, boilerplate=boilerplate, expected=expected)

    def _boilerplate(self, task_id: int) -> Sequence[str]:
        try:
            return context_of(self._studio.store.tasks.get(task_id)).boilerplate
        except NotFound:
            return ()  # its records outlive a deleted task


def _wished(checks: Any, apply: Apply | None) -> Options:
    """The checks and their options. To mask, those that can do it where nothing else is said.

    Raises SpecError, NotFound; UsageError when none of them masks anything.
    """
    if apply != "mask":
        return options_of(checks, {name: {} for name in USUAL})
    wished = MASKED if checks is None else options_of(checks, {name: {} for name in USUAL})
    masking = [name for name in wished if hasattr(registry.load("check", name), "masked")]
    if not masking:
        raise UsageError("check_mask_none")
    return {
        name: {"action": "mask", **own} if name in masking else own for name, own in wished.items()
    }


def _masker(run: Chain) -> Callable[[Json], Json]:
    return lambda row: run.masked(Draft(content=row)).content


def _as_it_is(row: Json) -> Json:
    return row


def _mask(run: Chain, record: Record, draft: Draft, edits: Edits) -> None:
    """A record that fails may hold something to be masked as well as any other."""
    masked = run.masked(draft).content
    if masked != record.content:
        edits.add(record.id, record.version, masked)


def _forgotten(known: Mapping[str, Json], run: Chain) -> dict[str, Verdict | None]:
    """Earlier words of the checks that are run again."""
    names = {check.name for checks in (run.plain, run.askers, run.comparers) for check in checks}
    return {name: None for name in known if name in names}


def _target(selection: Selection) -> str:
    if selection.dataset is not None:
        return f"dataset:{selection.dataset}"
    return f"task:{selection.task_id}"
