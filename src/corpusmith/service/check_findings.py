"""What the checks say of records that exist, and of a file's rows: findings, counted.

Owns: these values, and putting one record through the checks into them. Does not own: the checks
(quality), which records (`checking.py`), rows of files (`check_files.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from corpusmith.store.review_values import Changed
from corpusmith.store.values import Removal
from corpusmith.values import Draft, Json, Miss, Verdict

if TYPE_CHECKING:
    from corpusmith.quality.chain import Chain

LISTED = 20


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
    total: int | None = None
    """How many there are to look at; None: nobody knows before the end of the file."""
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
    maskable: int = 0
    """Records or rows of which something is to be masked, those that fail included."""
    masked: Changed | None = None
    """What became of the records that were to be masked."""
    written: Path | None = None
    rejected_file: Path | None = None
    each: Callable[[Finding], None] | None = field(default=None, repr=False)
    """Told of every finding, where somebody wants them all."""

    @property
    def passed(self) -> int:
        return self.looked - self.failed


def verdicts_on(
    run: Chain, found: Checked, number: int, place: str, draft: Draft
) -> dict[str, Verdict]:
    """The verdicts on a record, into `found` too; the last one may have turned it down.

    `place`: its name for those that come later and are compared with it.
    """
    part = _through(run, replace(draft, verdicts={}), place)
    found.looked += 1
    if isinstance(part, Miss):
        name = str(part.detail["check"])
        detail = {key: value for key, value in part.detail.items() if key != "check"}
        verdict = Verdict(passed=False, reason=part.reason, detail=detail)
        found.failed += 1
        count(found, finding(number, name, verdict))
        return {name: verdict}
    noted = [(name, one) for name, one in part.verdicts.items() if one.action != "pass"]
    found.flagged += bool(noted)
    for name, verdict in noted:
        count(found, finding(number, name, verdict))
    return {name: replace(one, content=None) for name, one in part.verdicts.items()}


def count(found: Checked, one: Finding) -> None:
    """Into the counts, and among the first of its kind."""
    key = (one.check, one.action, one.reason)
    found.counts[key] += 1
    if found.counts[key] <= LISTED:
        found.first.append(one)
    if found.each is not None:
        found.each(one)


def finding(number: int, name: str, verdict: Verdict) -> Finding:
    """Of a verdict that is no pass."""
    action: Any = verdict.action
    return Finding(
        record=number, check=name, action=action, reason=verdict.reason, detail=verdict.detail
    )


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
