"""Use-cases of finding records: lists, one record, counts, and what is done to many at once.

Owns: what a list shows of a record, and bulk actions with their way back. Does not own: which
records fit (`store/record_pages.py`), broken ones (`broken_records.py`), the index of texts
(`store/record_text.py`), reviews and edits (`reviews.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from corpusmith.errors import Conflict, UsageError
from corpusmith.service.broken_records import (
    BrokenList,
    BrokenSum,
    Show,
    broken_among,
    broken_in_all,
)
from corpusmith.service.record_previews import preview_of
from corpusmith.store.finding_values import CappedCount, Facets
from corpusmith.store.record_walk import ORDERS, Place, RecordOrder
from corpusmith.store.review_values import RecordVersion, Review
from corpusmith.store.text_words import length_of
from corpusmith.store.values import Removal
from corpusmith.values import Record, ReviewState, Selection

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

BulkAction = Literal["approve", "reject", "reset", "tag", "untag", "delete"]
_STATES: dict[str, ReviewState] = {
    "approve": "approved",
    "reject": "rejected",
    "reset": "pending",
}
_TAGS = {"tag": "add_tags", "untag": "remove_tags"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """A record as a list shows it."""

    id: int
    task_id: int
    category: str
    scenario: str | None
    character: str | None
    models: Sequence[str]
    state: ReviewState
    score: float | None
    rating: float | None
    tags: Sequence[str]
    flags: Sequence[str]
    length: int
    """Characters of all its texts."""
    version: int
    committed: bool
    simulated: bool
    created_at: str
    preview: str
    """The beginning of its texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordList:
    """Some of the records that fit."""

    items: Sequence[RecordRow]
    after: Place | None
    before: Place | None
    missing: int
    """Records that the search does not know yet, as they are now; above 2,000 no more are
    counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDetail:
    """A record with everything that is known of it."""

    record: Record
    dataset: str | None
    models: Sequence[str]
    length: int
    reviews: Sequence[Review]
    versions: Sequence[RecordVersion]
    previous: int | None
    """The record before it in the list that was asked for; None: it is the first."""
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """What became of many records. count == changed + unchanged + gone + left_out; of a dry run
    only `count` is known."""

    action: BulkAction
    dry_run: bool
    count: int
    """Records that were asked for, or fitted when it began."""
    changed: int = 0
    unchanged: int = 0
    """They had the tag already, or had it not."""
    gone: int = 0
    """Numbers without a record."""
    left_out: int = 0
    """In no dataset, so there is nothing to take them out of: a task's results are discarded."""
    action_id: int | None = None
    """What undo takes back; None: nothing, or it is a removal."""
    removals: Sequence[Removal] = ()
    """What was taken out, by dataset: each can be put back."""


class Records:
    """`studio.records`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    # ------------------------------------------------------------ looking

    def page(
        self,
        selection: Selection,
        *,
        order: RecordOrder = "own",
        limit: int = 50,
        after: Place | None = None,
        before: Place | None = None,
    ) -> RecordList:
        """Some of the records that fit. Raises NotFound, UsageError (a place that is none)."""
        if after is not None and before is not None:
            raise UsageError("after_and_before")
        found = self._studio.store.record_pages.page(
            selection, order=order_of(order), limit=limit, after=after, before=before
        )
        measured = self._studio.store.records.measured(found.ids)
        there = {one.id: _row(one, length) for one, length in measured}
        return RecordList(
            items=[there[one] for one in found.ids if one in there],
            after=found.after,
            before=found.before,
            missing=found.missing,
        )

    def count(self, selection: Selection) -> CappedCount:
        """How many fit; more than ten thousand are not counted, and what holds words for a moment
        only. Raises NotFound."""
        return self._studio.store.record_pages.count(selection)

    def facets(self, dataset: str) -> Facets:
        """What a dataset's records are named after, with counts. Raises NotFound."""
        return self._studio.store.record_pages.facets(dataset)

    def get(
        self, number: int, selection: Selection | None = None, *, order: RecordOrder = "own"
    ) -> RecordDetail:
        """A record, and its neighbours in a list of that selection and order. Raises NotFound."""
        record = self._studio.reviews.get(number)
        previous, following = (
            (None, None)
            if selection is None
            else self._neighbours(number, selection, order_of(order))
        )
        return RecordDetail(
            record=record,
            dataset=self._dataset_of(record),
            models=_models(record),
            length=length_of(record.content),
            reviews=self._studio.reviews.of(number),
            versions=self._studio.reviews.versions(number),
            previous=previous,
            next=following,
        )

    def _neighbours(
        self, number: int, selection: Selection, order: RecordOrder
    ) -> tuple[int | None, int | None]:
        pages = self._studio.store.record_pages
        place = pages.place(number, order, selection)
        found = [
            pages.page(selection, order=order, limit=1, **{side: place}).ids
            for side in ("before", "after")
        ]
        return found[0][0] if found[0] else None, found[1][0] if found[1] else None

    def _dataset_of(self, record: Record) -> str | None:
        if record.dataset_id is None:
            return None
        return self._studio.store.record_pages.dataset_names([record.dataset_id])[record.dataset_id]

    # ------------------------------------------------------------ the index of texts

    def index(self, show: Show = lambda done: None) -> bool:
        """Has the search know every record; False: another process's long transaction keeps some
        back. `show`: told how many are done."""
        return self._studio.store.record_text.catch_up(show)

    def index_some(self, most: int = 200) -> bool:
        """The same for a few, while there is nothing else to do; True: more is waiting."""
        return self._studio.store.record_text.index(most).more

    # ------------------------------------------------------------ many at once

    def chosen(
        self,
        selection: Selection | None,
        ids: Sequence[int] | None,
        *,
        expected: int | None = None,
        force: bool = False,
    ) -> list[int]:
        """The records that a bulk action is about: those of `ids`, or all that fit now.

        `expected`: how many the person saw. Raises UsageError, NotFound; Conflict
        `selection_changed` when they are others by now, unless `force`.
        """
        if (selection is None) == (ids is None):
            raise UsageError("review_ids_or_selection")
        if ids is not None:
            found = list(dict.fromkeys(ids))
        else:
            found = self._studio.store.record_pages.ids(selection or Selection())
        if expected not in (None, len(found)) and not force:
            raise Conflict("selection_changed", kind="record", count=len(found), expected=expected)
        return found

    def bulk(
        self,
        action: BulkAction,
        ids: Sequence[int],
        *,
        tags: Sequence[str] = (),
        reviewer: str | None = None,
        show: Show = lambda done: None,
    ) -> BulkResult:
        """Does it to these records (`chosen`). Raises UsageError.

        What people say of them is one action that `undo` takes back; a deletion is a removal for
        each dataset, which can be put back.
        """
        if action == "delete":
            return self._take_out(ids, show)
        said: dict[str, Any] = (
            {"state": _STATES[action]} if action in _STATES else {_TAGS[action]: tags}
        )
        found = self._studio.reviews.apply(ids=ids, reviewer=reviewer, show=show, **said)
        return BulkResult(
            action=action,
            dry_run=False,
            count=len(ids),
            changed=found.changed,
            unchanged=found.unchanged,
            gone=found.gone,
            action_id=found.action_id,
        )

    def _take_out(self, ids: Sequence[int], show: Show) -> BulkResult:
        pages, removals = self._studio.store.record_pages, self._studio.store.removals
        by_dataset = pages.by_dataset(ids)
        names = pages.dataset_names([one for one in by_dataset if one is not None])
        made = []
        for dataset_id, own in by_dataset.items():
            if dataset_id is not None:
                made.append(removals.remove(names[dataset_id], own, reason="by_hand"))
                show(sum(one.count for one in made))
        taken, left_out = sum(one.count for one in made), len(by_dataset.get(None, ()))
        return BulkResult(
            action="delete",
            dry_run=False,
            count=len(ids),
            changed=taken,
            gone=len(ids) - taken - left_out,
            left_out=left_out,
            removals=made,
        )

    # ------------------------------------------------------------ broken ones

    def broken(self, dataset: str, *, limit: int = 50, after: Place | None = None) -> BrokenList:
        """Records that break their format, among the next ones of the dataset; nothing is
        changed. Raises NotFound, UsageError."""
        return broken_among(self._studio.store, dataset, limit=limit, after=after)

    def clean(
        self, dataset: str, *, apply: bool = False, show: Show = lambda done: None
    ) -> BrokenSum:
        """Counts the records of a dataset that break their format; `apply` takes them out.

        Raises NotFound.
        """
        self._studio.datasets.get(dataset)
        return broken_in_all(self._studio.store, dataset, apply=apply, show=show)


def order_of(order: str) -> RecordOrder:
    """Raises UsageError for an order that there is not."""
    for known in ORDERS:
        if order == known:
            return known
    raise UsageError("record_order", value=order[:60], known=", ".join(ORDERS))


def _row(record: Record, length: int) -> RecordRow:
    return RecordRow(
        id=record.id,
        task_id=record.task_id,
        category=record.category,
        scenario=record.labels.get("scenario"),
        character=record.labels.get("character"),
        models=_models(record),
        state=record.state,
        score=record.score,
        rating=record.rating,
        tags=record.tags,
        flags=record.flags,
        length=length,
        version=record.version,
        committed=record.committed,
        simulated=bool(record.provenance.get("simulated")),
        created_at=record.created_at,
        preview=preview_of(record.content),
    )


def _models(record: Record) -> list[str]:
    models = record.provenance.get("models")
    return [str(one) for one in models] if isinstance(models, list) else []
