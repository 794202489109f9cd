"""Use-cases of finding bad records of a dataset: what is wrong with which, and how many there are.

Owns: the signals, counting each record once, keeping what was found until somebody acts on it. Does
not own: the checks (`checking.py`), which records a filter fits (store), what is done to those that
were found (`records.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import orjson

from corpusmith.errors import UsageError
from corpusmith.service.check_findings import Checked, Finding
from corpusmith.service.record_previews import preview_of
from corpusmith.values import Json, Selection

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

SAMPLES = 3
"""Of each group, shown at once; all of them are kept."""
NO_CHECKS: Sequence[str] = ("none",)


class Show(Protocol):
    """Told now and then: (records looked at, records in all)."""

    def __call__(self, done: int, total: int | None = None, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What tells a bad record without a check. None, False: it does not matter."""

    max_score: float | None = None
    """A judge's score of at most so much."""
    max_rating: float | None = None
    """People's rating of at most so much."""
    shorter_than: int | None = None
    """Characters of text."""
    longer_than: int | None = None
    tag: str | None = None
    flagged: bool = False
    """A check flagged it before."""
    rejected: bool = False
    """A person rejected it."""

    def selections(self, dataset: str) -> Iterator[tuple[str, Selection, Mapping[str, Json]]]:
        """(signal, the records that have it, what it was asked with)"""
        if self.rejected:
            yield "rejected", Selection(dataset=dataset, state="rejected"), {}
        if self.max_score is not None:
            fit = Selection(dataset=dataset, max_score=self.max_score)
            yield "max_score", fit, {"n": self.max_score}
        if self.max_rating is not None:
            fit = Selection(dataset=dataset, max_rating=self.max_rating)
            yield "max_rating", fit, {"n": self.max_rating}
        if self.shorter_than is not None:
            fit = Selection(dataset=dataset, max_length=self.shorter_than - 1)
            yield "shorter_than", fit, {"n": self.shorter_than}
        if self.longer_than is not None:
            fit = Selection(dataset=dataset, min_length=self.longer_than + 1)
            yield "longer_than", fit, {"n": self.longer_than}
        if self.tag is not None:
            yield "tag", Selection(dataset=dataset, tag=self.tag), {"tag": self.tag}
        if self.flagged:
            yield "flagged", Selection(dataset=dataset, flag="any"), {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A record of a group."""

    record: int
    detail: Mapping[str, Json]
    preview: str
    """The beginning of its texts; empty: it is gone by now."""


@dataclass(slots=True, kw_only=True)
class Group:
    """Records of which one thing is wrong."""

    number: int
    """From 1, in the order in which groups were met."""
    check: str
    """A check, or a signal."""
    signal: bool
    action: str
    """`reject`, `flag` or `mask`; of a signal `reject`."""
    reason: str
    asked: Mapping[str, Json] = field(default_factory=dict)
    """Of a signal: what it was asked with."""
    records: int = 0
    """All that have it, of those that were looked at for it."""
    counted: int = 0
    """Those that no group met earlier had: over all groups they add up to `found`."""
    samples: Sequence[Sample] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found. looked == good + found; the groups' `counted` add up to `found`."""

    dataset: str
    looked: int
    good: int
    found: int
    groups: Sequence[Group]
    checks: Any
    """The checks as they were asked for."""
    masks: bool
    """Whether one of them can mask what it finds."""


class Cleaning:
    """`studio.cleaning`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def look(
        self,
        dataset: str,
        *,
        folder: Path,
        signals: Signals | None = None,
        checks: Any = NO_CHECKS,
        show: Show = lambda done, total=None, /: None,
    ) -> Looked:
        """What is wrong with which records; nothing is changed. All findings go into `folder`.

        The checks look at those that no signal found: of two alike the one stays that is good
        otherwise. Raises NotFound, UsageError when nothing is to be looked for, SpecError.
        """
        self._studio.datasets.get(dataset)
        wished = signals or Signals()
        checking = tuple(checks) != NO_CHECKS
        if not checking and not any(True for _ in wished.selections(dataset)):
            raise UsageError("clean_nothing_asked")
        with ExitStack() as stack:
            book = _Book(folder, stack)
            for name, selection, asked in wished.selections(dataset):
                self._signal(book, name, selection, asked)
                show(0)
            found = len(book.seen)
            total = self._studio.store.records.count(Selection(dataset=dataset))
            looked = max(total, found)
            if checking:
                done = self._checked(book, dataset, checks, total - found, show)
                looked = found + done.looked
        groups = [self._sampled(one) for one in book.groups.values()]
        return Looked(
            dataset=dataset,
            looked=looked,
            good=looked - len(book.seen),
            found=len(book.seen),
            groups=groups,
            checks=checks,
            masks=checking and self._studio.checking.can_mask(checks),
        )

    def _signal(
        self, book: _Book, name: str, selection: Selection, asked: Mapping[str, Json]
    ) -> None:
        for number in self._studio.store.record_pages.ids(selection):
            book.note((name, "reject", name), number, {}, signal=True, asked=asked)

    def _checked(self, book: _Book, dataset: str, checks: Any, total: int, show: Show) -> Checked:
        known = frozenset(book.seen)

        def each(one: Finding) -> None:
            book.note((one.check, one.action, one.reason), one.record, one.detail)

        return self._studio.checking.records(
            Selection(dataset=dataset),
            checks=checks,
            without=known,
            look=lambda found: show(found.looked, total),
            each=each,
        )

    def _sampled(self, group: Group) -> Group:
        wanted = {one.record: one for one in group.samples}
        there = self._studio.store.records.some(list(wanted))
        previews = {one.id: preview_of(one.content) for one in there}
        group.samples = [
            Sample(record=one.record, detail=one.detail, preview=previews.get(one.record, ""))
            for one in group.samples
        ]
        return group

    # ------------------------------------------------------------ what was found

    def findings(
        self, folder: Path, group: int, *, limit: int = 50, after: int = 0
    ) -> tuple[Sequence[Sample], int | None]:
        """Some findings of a group, and where the next ones begin; None: there are none."""
        found: list[tuple[int, Mapping[str, Any]]] = []
        place = after
        with _file(folder, group).open("rb") as file:
            file.seek(after)
            for line in islice(file, limit + 1):
                place += len(line)
                found.append((place, orjson.loads(line)))
        shown = found[:limit]
        there = self._studio.store.records.some([one["record"] for _, one in shown])
        previews = {one.id: preview_of(one.content) for one in there}
        rows = [
            Sample(
                record=one["record"],
                detail=one["detail"],
                preview=previews.get(one["record"], ""),
            )
            for _, one in shown
        ]
        return rows, shown[-1][0] if len(found) > limit else None

    def found(self, folder: Path, groups: Sequence[int]) -> list[int]:
        """The records of these groups, each once."""
        numbers: dict[int, None] = {}
        for group in groups:
            with _file(folder, group).open("rb") as file:
                numbers.update((orjson.loads(line)["record"], None) for line in file)
        return list(numbers)


class _Book:
    """Findings as they come: counted here, written to a file a group."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._files: dict[int, BinaryIO] = {}
        self.seen: set[int] = set()
        self.groups: dict[tuple[str, str, str], Group] = {}

    def note(
        self,
        key: tuple[str, str, str],
        record: int,
        detail: Mapping[str, Json],
        *,
        signal: bool = False,
        asked: Mapping[str, Json] | None = None,
    ) -> None:
        group = self.groups.get(key) or self._begun(key, signal, asked or {})
        group.records += 1
        group.counted += record not in self.seen
        self.seen.add(record)
        if group.records <= SAMPLES:
            group.samples = [*group.samples, Sample(record=record, detail=detail, preview="")]
        row = orjson.dumps(
            {"record": record, "detail": dict(detail)},
            default=str,
            option=orjson.OPT_APPEND_NEWLINE,
        )
        self._files[group.number].write(row)

    def _begun(self, key: tuple[str, str, str], signal: bool, asked: Mapping[str, Json]) -> Group:
        check, action, reason = key
        number = len(self.groups) + 1
        self.groups[key] = group = Group(
            number=number, check=check, signal=signal, action=action, reason=reason, asked=asked
        )
        self._files[number] = self._stack.enter_context(_file(self._folder, number).open("wb"))
        return group


def _file(folder: Path, group: int) -> Path:
    return folder / f"found-{group:03}.jsonl"
