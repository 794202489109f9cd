"""Records, reviews and evaluations over REST."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any

from corpusmith.errors import NotFound, UsageError
from corpusmith.service import evaluations, records, reviews
from corpusmith.service.broken_records import BrokenList, BrokenRecord, BrokenSum
from corpusmith.service.evaluations import Evaluation
from corpusmith.service.records import BulkAction, BulkResult, RecordDetail, RecordList, RecordRow
from corpusmith.service.remote.call import Over, call, cursor, filters, number, pages, place_in
from corpusmith.service.remote.wire import adapter
from corpusmith.service.remote.works import Told, work
from corpusmith.service.review_agreement import JudgeAgreement, ReviewAgreement
from corpusmith.service.review_diff import VersionDiff
from corpusmith.service.review_input import cursor as place_text
from corpusmith.service.review_input import queue_of, scope_of, way_of
from corpusmith.service.reviews import Look
from corpusmith.store.finding_values import CappedCount, Facets
from corpusmith.store.record_walk import Place, RecordOrder
from corpusmith.store.review_values import (
    Changed,
    Event,
    Queue,
    QueuePage,
    QueueProgress,
    RecordVersion,
    Review,
    ReviewStatistics,
    Undone,
)
from corpusmith.store.values import Task
from corpusmith.values import Json, Record, Selection

_HISTORY = "GET reviews/records/{record_id}/history"
ME = ""
"""The reviewer of a queue over REST: whoever asks."""


class Chosen(list[int]):
    """Records that were found by filters: a bulk action is told the filters, and that they are as
    many still, so that one undo takes it back."""

    def __init__(self, ids: Sequence[int], where: Mapping[str, Json]) -> None:
        super().__init__(ids)
        self.where = where


class Records(Over, records.Records):
    """`studio.records`, of a server."""

    count = call("GET records/count", CappedCount)
    facets = call("GET records/facets", Facets)
    get = call("GET records/{number}", RecordDetail)

    def page(
        self,
        selection: Selection,
        *,
        order: RecordOrder = "own",
        limit: int = 50,
        after: Place | None = None,
        before: Place | None = None,
    ) -> RecordList:
        query = {
            **filters(selection),
            "order": order,
            "limit": limit,
            "after": None if after is None else cursor(list(after)),
            "before": None if before is None else cursor(list(before)),
        }
        found = self._wire.ask("GET", "records", query=query)
        return RecordList(
            items=[adapter(RecordRow).validate_python(one) for one in found["items"]],
            after=place_in(found["next"]),
            before=place_in(found["previous"]),
            missing=found["missing"],
        )

    def broken(self, dataset: str, *, limit: int = 50, after: Place | None = None) -> BrokenList:
        query = {"limit": limit, "after": None if after is None else cursor(list(after))}
        found = self._wire.ask("GET", "datasets", dataset, "broken", query=query)
        return BrokenList(
            items=[adapter(BrokenRecord).validate_python(one) for one in found["items"]],
            looked=found["looked"],
            after=place_in(found["next"]),
        )

    def clean(
        self,
        dataset: str,
        *,
        apply: bool = False,
        show: Callable[[int], None] = lambda done: None,
    ) -> BrokenSum:
        body = {"dry_run": not apply}
        done = work(self._wire, "datasets", dataset, "broken", body=body, show=_done(show))
        found: BrokenSum = adapter(BrokenSum).validate_python(done["result"])
        return found

    def chosen(
        self,
        selection: Selection | None,
        ids: Sequence[int] | None,
        *,
        expected: int | None = None,
        force: bool = False,
    ) -> list[int]:
        if (selection is None) == (ids is None):
            raise UsageError("review_ids_or_selection")
        if selection is None:
            return list(dict.fromkeys(ids or ()))
        where = filters(selection)
        body = {"action": "approve", "where": where, "expected": expected, "force": force}
        work(self._wire, "records", "bulk", body={**body, "dry_run": True})  # told now
        return Chosen([one["id"] for one in pages(self._wire, "records", query=where)], where)

    def bulk(
        self,
        action: BulkAction,
        ids: Sequence[int],
        *,
        tags: Sequence[str] = (),
        reviewer: str | None = None,
        show: Callable[[int], None] = lambda done: None,
    ) -> BulkResult:
        self._told("reviewer", reviewer)
        body: dict[str, Any] = {"action": action, "tags": [*tags]}
        if isinstance(ids, Chosen):
            body.update(where=ids.where, expected=len(ids))
        else:
            body.update(ids=[*ids])
        done = work(self._wire, "records", "bulk", body=body, show=_done(show))
        found: BulkResult = adapter(BulkResult).validate_python(done["result"])
        return found


class Reviews(Over, reviews.Reviews):
    """`studio.reviews`, of a server: the reviewer is whoever the token belongs to, so none is
    named."""

    history = call(_HISTORY, Sequence[Event], of="events")
    versions = call(_HISTORY, Sequence[RecordVersion], of="versions")
    of = call(_HISTORY, Sequence[Review], of="reviews")
    edit = call("PUT reviews/records/{record_id}/content", Record)
    restore = call("POST reviews/records/{record_id}/restore", Record)
    diff = call("GET reviews/records/{record_id}/diff", VersionDiff)
    last_action = call("GET reviews/last", of="action")
    undo = call("POST reviews/undo", Undone)

    # ------------------------------------------------------------ one record

    def get(self, record_id: int) -> Record:
        detail = self._wire.ask("GET", "records", record_id)
        found: Record = adapter(Record).validate_python(detail["record"])
        return found

    def look(self, ids: Sequence[int], *, reviewer: str | None = None) -> Sequence[Look]:
        self._told("reviewer", reviewer)
        some = []
        for one in ids:
            try:
                found = self._wire.ask("GET", "reviews", "records", one)
            except NotFound:
                continue
            some.append(_look(found))
        return some

    def review(
        self,
        record_id: int,
        *,
        reviewer: str | None = None,
        version: int | None = None,
        expected: int | None = None,
        **said: Any,
    ) -> Record:
        self._told("reviewer", reviewer)
        body = {**said, "version": version if expected is None else expected}
        self._wire.ask("POST", "reviews", "records", record_id, body=_said(body))
        return self.get(record_id)

    # ------------------------------------------------------------ many

    def apply(
        self,
        selection: Selection | None = None,
        *,
        ids: Sequence[int] | None = None,
        reviewer: str | None = None,
        dataset: str | None = None,
        task: int | None = None,
        show: Callable[[int], None] | None = None,
        **said: Any,
    ) -> Changed:
        self._told("reviewer", reviewer)
        body = _said(said)
        if ids is None:
            body["where"] = filters(scope_of(selection, dataset, task))
        elif selection is not None or dataset is not None or task is not None:
            raise UsageError("review_ids_or_selection")
        else:
            body["ids"] = list(dict.fromkeys(ids))
        done = work(self._wire, "reviews", "apply", body=body, show=_done(show))
        found: Changed = adapter(Changed).validate_python(done["result"])
        return found

    def count(
        self,
        selection: Selection | None = None,
        *,
        dataset: str | None = None,
        task: int | None = None,
    ) -> int:
        return self._studio.exports.count(scope_of(selection, dataset, task))

    def take_scores(self, task: Task | int) -> int:
        done = work(self._wire, "evaluations", number(task), "take", body=None)
        count: int = done["result"]["records"]
        return count

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
        self._told("reviewer", reviewer)
        return queue_of(given, scope_of(selection, dataset, task), ME)

    def queue(
        self,
        queue: Queue | None = None,
        *,
        limit: int = 50,
        after: Place | str | None = None,
        before: Place | str | None = None,
        **given: Any,
    ) -> QueuePage:
        way = zip(("after", "before"), map(place_text, way_of(after, before)), strict=True)
        query = {**_queue(queue or self.queue_of(**given)), "limit": limit, **dict(way)}
        found = self._wire.ask("GET", "reviews", "queue", query=query)
        start, end = (way_of(found[name], None)[0] for name in ("after", "before"))
        ids = [one["record"]["id"] for one in found["items"]]
        return QueuePage(ids=ids, after=start, before=end)

    def page(
        self,
        selection: Selection | None = None,
        *,
        dataset: str | None = None,
        task: int | None = None,
        limit: int = 50,
        after: Place | str | None = None,
        before: Place | str | None = None,
    ) -> QueuePage:
        """Places here are those of `studio.records.page`."""
        start, end = way_of(after, before)
        scope = scope_of(selection, dataset, task)
        found = self._studio.records.page(scope, limit=limit, after=start, before=end)
        ids = [one.id for one in found.items]
        return QueuePage(ids=ids, after=found.after, before=found.before)

    def progress(self, queue: Queue | None = None, **given: Any) -> QueueProgress:
        query = _queue(queue or self.queue_of(**given))
        found = self._wire.ask("GET", "reviews", "progress", query=query)
        read: QueueProgress = adapter(QueueProgress).validate_python(found)
        return read

    # ------------------------------------------------------------ numbers

    def statistics(
        self,
        selection: Selection | None = None,
        *,
        dataset: str | None = None,
        task: int | None = None,
    ) -> ReviewStatistics:
        query = filters(scope_of(selection, dataset, task))
        found = self._wire.ask("GET", "reviews", "statistics", query=query)
        read: ReviewStatistics = adapter(ReviewStatistics).validate_python(found)
        return read

    def agreement(
        self,
        selection: Selection | None = None,
        *,
        dataset: str | None = None,
        task: int | None = None,
        reviewers: Sequence[str] = (),
    ) -> ReviewAgreement:
        if reviewers:
            raise UsageError("not_over_rest", method="reviews.agreement(reviewers=…)")
        found = self._agreement(scope_of(selection, dataset, task))
        read: ReviewAgreement = adapter(ReviewAgreement).validate_python(found["reviewers"])
        return read

    def judge(
        self,
        selection: Selection | None = None,
        *,
        dataset: str | None = None,
        task: int | None = None,
    ) -> JudgeAgreement:
        found = self._agreement(scope_of(selection, dataset, task))
        read: JudgeAgreement = adapter(JudgeAgreement).validate_python(found["judge"])
        return read

    def _agreement(self, scope: Selection) -> Json:
        return self._wire.ask("GET", "reviews", "agreement", query=filters(scope))


def _done(show: Callable[[int], None] | None) -> Told | None:
    return None if show is None else lambda done, total: show(done)


def _said(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: [*one] if isinstance(one, tuple) else one for name, one in given.items()}


def _queue(queue: Queue) -> dict[str, Any]:
    sample = {"percent": queue.percent, "seed": queue.seed} if queue.kind == "sample" else {}
    return {**filters(queue.selection), "kind": queue.kind, **sample}


def _look(found: Mapping[str, Json]) -> Look:
    record: Record = adapter(Record).validate_python(found["record"])
    own: Review | None = adapter(Review | None).validate_python(found["own"])
    return Look(record=record, review=own)


class Evaluations(Over, evaluations.Evaluations):
    """`studio.evaluations`, of a server."""

    def of(
        self,
        task: Task | int,
        *,
        note: Callable[[Mapping[str, Json]], None] | None = None,
        only: Container[Json] | None = None,
    ) -> Evaluation:
        if only is not None:
            raise UsageError("not_over_rest", method="evaluations.of(only=…)")
        if note is not None:
            for row in self.scores(task):
                note(row)
        found: Evaluation = self._wire.value(Evaluation, "GET", "evaluations", number(task))
        return found

    def scores(self, task: Task | int) -> Iterator[Mapping[str, Json]]:
        return pages(self._wire, "evaluations", number(task), "scores")

    def page(
        self, task: Task | int, *, limit: int, after: Any = None
    ) -> tuple[Sequence[Mapping[str, Json]], Any]:
        begin = after if isinstance(after, str) or after is None else place_text(after)
        query = {"limit": limit, "after": None if begin is None else cursor(begin)}
        found = self._wire.ask("GET", "evaluations", number(task), "scores", query=query)
        end = place_in(found["next"])
        return found["items"], None if end is None else way_of(end, None)[0]
