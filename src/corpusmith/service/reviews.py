"""Use-cases of review: what people say of records, queues, edits, undo, agreement.

Owns: the one door for every face. Does not own: what may be said (`review_input.py`), many records
at once (`review_bulk.py`), contents (`review_content.py`), agreement (`review_agreement.py`), a
judge's scores (`review_scores.py`), rows (store).

A record's `state` is the newest decision of its reviewers, `pending` while nobody has decided; its
`rating` is the mean of theirs. Tags belong to the record, all else to the review.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from corpusmith.errors import Conflict, NotFound, UsageError
from corpusmith.service.review_bulk import Show, batches_of, portions, said_of_all
from corpusmith.service.review_content import refuse_misfit
from corpusmith.service.review_input import (
    change_of,
    page_size,
    queue_of,
    reviewer_of,
    scope_of,
    way_of,
)
from corpusmith.store.review_values import (
    Changed,
    Event,
    Place,
    Queue,
    QueuePage,
    QueueProgress,
    RecordVersion,
    Review,
    ReviewStatistics,
    Undone,
)
from corpusmith.store.text_words import query_of as words_in
from corpusmith.store.values import Task
from corpusmith.values import Json, Record, Selection

if TYPE_CHECKING:
    from corpusmith.service.review_agreement import JudgeAgreement, ReviewAgreement
    from corpusmith.service.review_diff import VersionDiff
    from corpusmith.service.studio import Studio

PAGE = 50
MOST_REVIEWERS = 20
"""Compared with each other at once; those with the most reviews."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A record as one reviewer sees it: what others say of it stays hidden.

    `state` and `rating` of the record are the reviewer's own: those of all would say what others
    decided.
    """

    record: Record
    review: Review | None
    """The reviewer's own."""


class Reviews:
    """`studio.reviews`. Where `reviewer` is None, it is CORPUSMITH_REVIEWER or the login name."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    # ------------------------------------------------------------ looking

    def get(self, record_id: int) -> Record:
        """A record. Raises NotFound."""
        found = self._studio.store.records.some([record_id])
        if not found:
            raise NotFound("unknown_record", kind="record", name=record_id)
        return found[0]

    def look(self, ids: Sequence[int], *, reviewer: str | None = None) -> Sequence[Look]:
        """The records of these numbers that there are, in this order, each with the own review."""
        name = reviewer_of(reviewer)
        there = {one.id: one for one in self._studio.store.records.some(ids)}
        said = self._studio.store.reviews.of(list(there))
        own = {
            record_id: next((one for one in found if one.reviewer == name), None)
            for record_id, found in said.items()
        }
        return [_look(there[one], own.get(one)) for one in ids if one in there]

    def of(self, record_id: int) -> Sequence[Review]:
        """All reviews of a record."""
        return self._studio.store.reviews.of([record_id]).get(record_id, ())

    def history(self, record_id: int) -> Sequence[Event]:
        """Everything that was done to a record, oldest first; also of one that is deleted."""
        return self._studio.store.reviews.history(record_id)

    # ------------------------------------------------------------ saying

    def review(
        self,
        record_id: int,
        *,
        reviewer: str | None = None,
        version: int | None = None,
        expected: int | None = None,
        **said: Any,
    ) -> Record:
        """Says something of a record; what is not given stays. Returns the record as it is now.

        `said`: `state`, `rating` (1 to 5, `none`), `note`, `add_tags`, `remove_tags`, `settled`.
        `version`: the one that was looked at; None: the newest. `expected`: the one that it must be
        at still. Raises UsageError, NotFound; Conflict when it was edited since.
        """
        name, change = reviewer_of(reviewer), change_of(**said)
        found = self._studio.store.reviews.change(
            [record_id], name, change, version=version, expected=expected
        )
        if found.gone:
            raise NotFound("unknown_record", kind="record", name=record_id)
        return self.get(record_id)

    def apply(
        self,
        selection: Selection | None = None,
        *,
        ids: Sequence[int] | None = None,
        reviewer: str | None = None,
        dataset: str | None = None,
        task: int | None = None,
        show: Show | None = None,
        **said: Any,
    ) -> Changed:
        """Says the same of many records: one action, which one undo takes back.

        Either `ids`, or a selection of one dataset or task. `said` as of `review`. A thousand
        records are one transaction: what was said before a crash stands, and can be undone.
        Raises UsageError, NotFound.
        """
        name, change = reviewer_of(reviewer), change_of(**said)
        if ids is None:
            batches = batches_of(self._studio.store, scope_of(selection, dataset, task))
        elif selection is not None or dataset is not None or task is not None:
            raise UsageError("review_ids_or_selection")
        else:
            batches = portions(list(dict.fromkeys(ids)))
        return said_of_all(self._studio.store, batches, name, change, show or (lambda done: None))

    def ready_to_apply(
        self,
        selection: Selection | None,
        *,
        ids: Sequence[int] | None = None,
        expected: int | None = None,
        **said: Any,
    ) -> int:
        """How many records `apply` would speak of; everything that it would refuse is told.

        `expected`: how many they must be. Raises UsageError, NotFound; Conflict when they are
        others by now.
        """
        change_of(**said)
        count = self.count(selection) if ids is None else len(set(ids))
        if expected not in (None, count):
            raise Conflict("selection_changed", kind="record", count=count, expected=expected)
        return count

    def undo(self, *, reviewer: str | None = None, action: int | None = None) -> Undone:
        """Takes back the reviewer's last action; again: the one before.

        `action`: it must be this one. Raises NotFound, Conflict.
        """
        return self._studio.store.review_undo.undo(reviewer_of(reviewer), action)

    def last_action(self, *, reviewer: str | None = None) -> int | None:
        """What `undo` would take back; None: nothing."""
        return self._studio.store.review_undo.last(reviewer_of(reviewer))

    # ------------------------------------------------------------ editing

    def edit(
        self,
        record_id: int,
        content: Json,
        *,
        reviewer: str | None = None,
        version: int | None = None,
    ) -> Record:
        """Saves an edited content as the record's next version; the same content changes nothing.

        `version`: the one that was edited. Raises NotFound, BadContent (it does not keep the
        record's shape), Conflict when somebody has edited the record since.
        """
        name = reviewer_of(reviewer)
        refuse_misfit(self.get(record_id), content)
        self._studio.store.versions.edit(record_id, content, name, expected=version)
        return self.get(record_id)

    def restore(
        self,
        record_id: int,
        version: int,
        *,
        reviewer: str | None = None,
        expected: int | None = None,
    ) -> Record:
        """Makes an older version's content the newest one. Raises NotFound, Conflict."""
        name = reviewer_of(reviewer)
        old = self._studio.store.versions.get(record_id, version)
        self._studio.store.versions.edit(
            record_id, old.content, name, expected=expected, kind="restore"
        )
        return self.get(record_id)

    def versions(self, record_id: int) -> Sequence[RecordVersion]:
        """All versions of a record, oldest first. Raises NotFound."""
        return self._studio.store.versions.of(record_id)

    def diff(self, record_id: int, old: int, new: int | None = None) -> VersionDiff:
        """What differs between two versions; `new` None: the newest. Raises NotFound."""
        from corpusmith.service.review_diff import VersionDiff, compared

        there = self.versions(record_id)
        versions = (old, there[-1].version if new is None else new)
        before, after = (self._studio.store.versions.get(record_id, one) for one in versions)
        texts, other = compared(before.content, after.content)
        return VersionDiff(
            record_id=record_id, old=before.version, new=after.version, texts=texts, other=other
        )

    # ------------------------------------------------------------ queues

    def queue_of(
        self,
        *,
        dataset: str | None = None,
        task: int | None = None,
        selection: Selection | None = None,
        reviewer: str | None = None,
        **given: Any,
    ) -> Queue:
        """A queue: `kind`, `percent` and `seed` (of a sample). Raises UsageError."""
        return queue_of(given, scope_of(selection, dataset, task), reviewer_of(reviewer))

    def queue(
        self,
        queue: Queue | None = None,
        *,
        limit: int = PAGE,
        after: Place | str | None = None,
        before: Place | str | None = None,
        **given: Any,
    ) -> QueuePage:
        """The next records that the reviewer has not done, in a stable order.

        `queue`, or the fields of `queue_of`. `after`: of the page before, to go past what was
        skipped; `before`: of the page after, to go back; as they are, or as `cursor` text. Raises
        UsageError, NotFound.
        """
        wanted = queue or self.queue_of(**given)
        start, end = way_of(after, before)
        self._know(wanted.selection)
        found = self._studio.store.review_queues.page(
            wanted, limit=page_size(limit), after=start, before=end
        )
        return self._sure(found, wanted.selection)

    def page(
        self,
        selection: Selection | None = None,
        *,
        dataset: str | None = None,
        task: int | None = None,
        limit: int = PAGE,
        after: Place | str | None = None,
        before: Place | str | None = None,
    ) -> QueuePage:
        """Records of a selection in their own order, whoever did them; else as `queue`."""
        wanted, (start, end) = scope_of(selection, dataset, task), way_of(after, before)
        self._know(wanted)
        found = self._studio.store.review_queues.members(
            wanted, limit=page_size(limit), after=start, before=end
        )
        return self._sure(found, wanted)

    def _know(self, selection: Selection) -> None:
        """Before words are looked for: the index has every record."""
        if selection.text is not None:
            self._studio.records.index()

    def _sure(self, page: QueuePage, selection: Selection) -> QueuePage:
        """The page without what the index alone took for a long phrase; it may be shorter then."""
        query = None if selection.text is None else words_in(selection.text)
        if query is None or not query.loose:
            return page
        there = self._studio.store.records.some(page.ids)
        fit = {one.id for one in there if query.fits(one.content)}
        return replace(page, ids=[one for one in page.ids if one in fit])

    def progress(self, queue: Queue | None = None, **given: Any) -> QueueProgress:
        """How far the reviewer is with it. Counts: of a million records up to a second; of a
        phrase of three words or more, those that hold its words in pairs."""
        wanted = queue or self.queue_of(**given)
        self._know(wanted.selection)
        return self._studio.store.review_queues.progress(wanted)

    def count(
        self,
        selection: Selection | None = None,
        *,
        dataset: str | None = None,
        task: int | None = None,
    ) -> int:
        """How many records `apply` would speak of; nothing is changed. Raises UsageError,
        NotFound."""
        return self._studio.store.records.count(scope_of(selection, dataset, task))

    # ------------------------------------------------------------ numbers

    def statistics(
        self,
        selection: Selection | None = None,
        *,
        dataset: str | None = None,
        task: int | None = None,
    ) -> ReviewStatistics:
        """States, ratings and reviewers. Raises UsageError, NotFound."""
        wanted = scope_of(selection, dataset, task)
        return self._studio.store.review_numbers.statistics(wanted)

    def agreement(
        self,
        selection: Selection | None = None,
        *,
        dataset: str | None = None,
        task: int | None = None,
        reviewers: Sequence[str] = (),
    ) -> ReviewAgreement:
        """How far `reviewers` agree; none named: all of them, at most `MOST_REVIEWERS`.

        Raises UsageError, NotFound.
        """
        from corpusmith.service.review_agreement import between

        wanted = scope_of(selection, dataset, task)
        names = [reviewer_of(one) for one in dict.fromkeys(reviewers)]
        if not names:
            known = self.statistics(wanted).reviewers
            names = sorted(one.reviewer for one in known[:MOST_REVIEWERS])
        opinions = self._studio.store.review_numbers.opinions(wanted, names)
        return between(names, opinions)

    def judge(
        self,
        selection: Selection | None = None,
        *,
        dataset: str | None = None,
        task: int | None = None,
    ) -> JudgeAgreement:
        """How far the judge and the people agree. Raises UsageError, NotFound."""
        from corpusmith.service.review_agreement import with_judge

        wanted = scope_of(selection, dataset, task)
        return with_judge(self._studio.store.review_numbers.judged(wanted))

    def take_scores(self, task: Task | int) -> int:
        """Gives the records that an evaluation judged its scores, in place of earlier ones.

        Returns how many records have one now; of a file's rows none. A record that was edited after
        it was judged keeps none for it: the judge did not see what it says now. Doing it again
        changes nothing. Raises NotFound, UsageError for a task that is no evaluation.
        """
        from corpusmith.service.review_scores import taken_over

        return taken_over(self._studio, task if isinstance(task, int) else task.id)


def _look(record: Record, own: Review | None) -> Look:
    state, rating = (own.state, own.rating) if own else ("pending", None)
    return Look(record=replace(record, state=state, rating=rating), review=own)
