"""Records to be reviewed, and a plain model of what review makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from store_rows import new_task, outcome, write

from corpusmith.contracts import Quota
from corpusmith.errors import NotFound
from corpusmith.nouns import Dataset
from corpusmith.store.lease import owner_id
from corpusmith.store.review_values import Change
from corpusmith.store.schema import records, removed
from corpusmith.store.store import SqlStore


def reviewable(store: SqlStore, count: int, dataset: str = "语料") -> list[int]:
    """So many records in a dataset; their numbers, in the dataset's order."""
    try:
        store.datasets.get(dataset)
    except NotFound:
        store.datasets.add(Dataset(name=dataset, description="", language="zh"))
    task = new_task(store, (Quota(name="日常", count=count),))
    lease = store.acquire(task.id, owner_id(), 60, 0.0)
    saves = [outcome(task.id, lease.fence, ordinal) for ordinal in range(count)]
    assert set(write(store, *saves)) == {None}
    store.release(lease, "finished", None)
    store.records.commit(task.id, dataset)
    return [record.id for record in store.records.iterate(task_id=task.id)]


def take_out(store: SqlStore, record_id: int) -> int:
    """Takes a record out of its dataset; returns the removal's number."""
    removal = store.removals.remove("语料", [record_id], reason="test")
    assert removal.count == 1
    return removal.number


def columns(store: SqlStore, record_id: int) -> dict[str, Any] | None:
    """What a record's row says of its review, wherever it lies; None: it is deleted."""
    names = ("state", "rating", "disagreement", "tags", "version", "content", "score")
    with store._database.read() as connection:
        for table in (records, removed):
            row = connection.execute(select(table).where(table.c.id == record_id)).mappings()
            if found := row.first():
                return {name: found[name] for name in names}
    return None


@dataclass
class Said:
    """A review, as we believe it to be."""

    state: str = "pending"
    rating: int | None = None
    note: str = ""
    version: int = 1
    decided: int = 0
    settled: bool = False


@dataclass
class Believed:
    """A record, as we believe it to be."""

    contents: list[Any]
    tags: set[str] = field(default_factory=set)
    reviews: dict[str, Said] = field(default_factory=dict)
    scores: list[float | None] = field(default_factory=lambda: [None])
    """What a judge gave each content."""
    lies: str = "records"
    removal: int = 0

    @property
    def score(self) -> float | None:
        return self.scores[-1]

    def write(self, content: Any) -> None:
        """A content that stood there before has its score again; another one has none."""
        known = [
            score
            for old, score in zip(self.contents, self.scores, strict=True)
            if old == content and score is not None
        ]
        self.contents.append(content)
        self.scores.append(known[-1] if known else None)

    def summary(self) -> tuple[str, float | None]:
        decided = [one for one in self.reviews.values() if one.state != "pending"]
        state = max(decided, key=lambda one: one.decided).state if decided else "pending"
        ratings = [one.rating for one in self.reviews.values() if one.rating]
        return state, sum(ratings) / len(ratings) if ratings else None

    def disagreement(self) -> float | None:
        state, rating = self.summary()
        if self.score is None or (rating is None and state == "pending"):
            return None
        points = [0.0]
        points += [abs(self.score - rating)] if rating is not None else []
        points += [4 - self.score] if state == "approved" else []
        points += [self.score - 2] if state == "rejected" else []
        return max(points)


@dataclass
class Act:
    """An action and how the records were before it: (record, review, tags, version) each."""

    reviewer: str
    action_id: int
    before: dict[int, tuple[Any, set[str], Any]]
    after: dict[int, tuple[Any, set[str], Any]]


def changes(
    state: str | None = None,
    rating: int | None = None,
    note: str | None = None,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
) -> Change:
    return Change(
        state=state,  # type: ignore[arg-type]
        rating=rating,
        note=note,
        add_tags=tuple(add),
        remove_tags=tuple(remove),
    )
