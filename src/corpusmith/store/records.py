"""Records: reading, committing to a dataset, discarding.

A record is committed exactly when it has a dataset. Does not own: making them (`transaction.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)

from corpusmith.contracts import Earlier
from corpusmith.errors import NotFound
from corpusmith.store.codec import flags_of, from_json, iso, plain, to_json, verdict_json
from corpusmith.store.database import Database
from corpusmith.store.kept import Kept
from corpusmith.store.record_kinds import ANY_FLAG, kind_conditions, renamed
from corpusmith.store.record_text import RecordText, holds
from corpusmith.store.schema import datasets, record_kinds, records, tasks
from corpusmith.store.text_words import Query, query_of
from corpusmith.values import Draft, Record, Selection, Verdict

ALL = Selection()
_AT_ONCE = 1000
_IDS_AT_ONCE = 20_000
_ORDER = (records.c.task_id, records.c.ordinal, records.c.position, records.c.sample)
_OF_TASK = records.c.task_id == bindparam("task_id")
_FIRST = select(records).where(_OF_TASK).order_by(*_ORDER).limit(bindparam("count"))
_SOME = select(records).where(records.c.id.in_(bindparam("ids"))).order_by(records.c.id)
# All but the committed: both are counted inside an index, and those are in no index.
_ALL = select(func.count()).select_from(records).where(_OF_TASK)
_COMMITTED = _ALL.where(records.c.dataset_id.in_(select(datasets.c.id)))
_UNCOMMITTED = select(_ALL.scalar_subquery() - _COMMITTED.scalar_subquery())


class Records:
    """The `records` table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._texts = RecordText(database)
        self._kept = Kept(database)

    def iterate(self, selection: Selection = ALL, **fields: Any) -> Iterator[Record]:
        """Those of the selection, by task, ordinal, category and sample; `fields` of it go first.

        Streams: each page is a read of its own, and memory stays flat. Raises NotFound (dataset).
        """
        query = select(records).where(*self._where(selection, fields)).order_by(*_ORDER)
        found = self._pages(query.limit(_AT_ONCE))
        if (words := self._last_word(selection, fields)) is None:
            return found
        return (record for record in found if words.fits(record.content))

    def _pages(self, query: Select[Any]) -> Iterator[Record]:
        rows = self._page(query)
        while rows:
            yield from map(record_of, rows)
            if len(rows) < _AT_ONCE:
                return
            last = tuple(rows[-1][column.name] for column in _ORDER)
            rows = self._page(query.where(tuple_(*_ORDER) > tuple_(*last)))

    def earlier(self, task_id: int) -> Iterator[Earlier]:
        """Those that others put in the task's dataset, then the task's own. Streams.

        In this order also for a task that has none yet: what a record is like does not change.
        """
        dataset_of_task = select(tasks.c.dataset_id).where(tasks.c.id == task_id)
        others = (
            select(records)
            .where(records.c.dataset_id == dataset_of_task.scalar_subquery())
            .where(records.c.task_id != task_id)
        )
        for record in self._pages(others.order_by(*_ORDER).limit(_AT_ONCE)):
            yield Earlier(place=f"#{record.id}", draft=draft_of(record), own=False)
        for record in self.iterate(task_id=task_id):
            yield Earlier(place=place_of(record), draft=draft_of(record), own=True)

    def tasks(self, selection: Selection = ALL, **fields: Any) -> Sequence[int]:
        """The tasks that made the records of the selection, deleted ones too. Raises NotFound."""
        if self._last_word(selection, fields) is not None:
            return sorted({one.task_id for one in self.iterate(selection, **fields)})
        query = select(records.c.task_id).distinct().where(*self._where(selection, fields))
        with self._database.read() as connection:
            return list(connection.scalars(query.order_by(records.c.task_id)))

    def first(self, task_id: int, count: int) -> Sequence[Record]:
        """The first `count` of a task, in the order of `iterate`."""
        given = {"task_id": task_id, "count": count}
        with self._database.read() as connection:
            return [record_of(row) for row in connection.execute(_FIRST, given).mappings()]

    def some(self, ids: Sequence[int]) -> Sequence[Record]:
        """The records of these numbers that there are, in the order of the numbers."""
        return [record for record, _ in self.measured(ids)]

    def measured(self, ids: Sequence[int]) -> Sequence[tuple[Record, int]]:
        """`some`, each with the characters of all its texts."""
        found: list[tuple[Record, int]] = []
        for start in range(0, len(ids), _AT_ONCE):
            given = {"ids": ids[start : start + _AT_ONCE]}
            with self._database.read() as connection:
                rows = connection.execute(_SOME, given).mappings().all()
            found += [(record_of(row), row["length"]) for row in rows]
        return found

    def ids(self, selection: Selection = ALL, **fields: Any) -> Iterator[int]:
        """The numbers of those that `iterate` would give, ascending. Streams. Raises NotFound."""
        if self._last_word(selection, fields) is not None:
            yield from sorted(one.id for one in self.iterate(selection, **fields))
            return
        query = select(records.c.id).where(*self._where(selection, fields)).order_by(records.c.id)
        last = 0
        while True:
            with self._database.read() as connection:
                some = list(
                    connection.scalars(query.where(records.c.id > last).limit(_IDS_AT_ONCE))
                )
            yield from some
            if len(some) < _IDS_AT_ONCE:
                return
            last = some[-1]

    def count(self, selection: Selection = ALL, **fields: Any) -> int:
        """How many `iterate` would give. Raises NotFound (dataset)."""
        if self._last_word(selection, fields) is not None:
            return sum(1 for _ in self.iterate(selection, **fields))
        query = select(func.count()).select_from(records).where(*self._where(selection, fields))
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def uncommitted(self, task_id: int) -> int:
        """How many of a task are in no dataset. Of a large one it may be some seconds old
        (`kept`)."""
        return self._kept.or_found(task_id, lambda: self._uncommitted(task_id))

    def _uncommitted(self, task_id: int) -> int:
        with self._database.read() as connection:
            return connection.scalar(_UNCOMMITTED, {"task_id": task_id}) or 0

    def commit(self, task_id: int, dataset: str) -> int:
        """Puts the task's uncommitted records into the dataset, all or none; returns how many.

        Raises NotFound (dataset).
        """
        dataset_id = self._dataset_id(dataset)
        with self._database.write() as connection:
            return connection.execute(
                update(records).where(*_uncommitted(task_id)).values(dataset_id=dataset_id)
            ).rowcount

    def discard(self, task_id: int) -> int:
        """Deletes the task's uncommitted records; returns how many. Its counts stay."""
        with self._database.write() as connection:
            return connection.execute(delete(records).where(*_uncommitted(task_id))).rowcount

    def note(self, said: Iterable[tuple[int, Mapping[str, Verdict | None]]]) -> int:
        """Adds what checks say of records that are there, all or none: record number, check →
        verdict, None to forget an earlier one. Returns how many records there were. The content
        never changes."""
        noted = 0
        waiting = iter(said)
        with self._database.write() as connection:
            while some := dict(islice(waiting, _AT_ONCE)):
                noted += self._note(connection, some)
        return noted

    def _note(
        self, connection: Connection, some: Mapping[int, Mapping[str, Verdict | None]]
    ) -> int:
        query = select(records.c.id, records.c.verdicts, records.c.kind)
        found = connection.execute(query.where(records.c.id.in_(some))).all()
        rows = [_noted(number, from_json(text) or {}, some[number]) for number, text, _ in found]
        there = {number: kind for number, _, kind in found}
        changes = {row["b_id"]: {"flags": row["b_flags"]} for row in rows}
        kinds = renamed(connection, self._database, there, changes)
        if rows:
            named = [{**row, "b_kind": kinds.get(row["b_id"], there[row["b_id"]])} for row in rows]
            connection.execute(_NOTE, named)
        return len(rows)

    def delete(self, ids: Sequence[int]) -> int:
        """Deletes these records; returns how many there were."""
        deleted = 0
        with self._database.write() as connection:
            for start in range(0, len(ids), _AT_ONCE):
                some = records.c.id.in_(ids[start : start + _AT_ONCE])
                deleted += connection.execute(delete(records).where(some)).rowcount
        return deleted

    def _page(self, query: Select[Any]) -> Sequence[RowMapping]:
        with self._database.read() as connection:
            return connection.execute(query).mappings().all()

    def _dataset_id(self, name: str) -> int:
        query = select(datasets.c.id).where(datasets.c.name == plain(name))
        with self._database.read() as connection:
            found = connection.scalar(query)
        if found is None:
            raise NotFound("unknown_dataset", kind="dataset", name=name)
        return int(found)

    def _last_word(self, selection: Selection, fields: Mapping[str, Any]) -> Query | None:
        """What each content is to be asked besides the index; None: the index knows it all."""
        text = fields.get("text", selection.text)
        query = None if text is None else query_of(text)
        return query if query is not None and query.loose else None

    def _where(
        self, selection: Selection, fields: Mapping[str, Any]
    ) -> Sequence[ColumnElement[bool]]:
        wanted = replace(selection, **fields) if fields else selection
        if wanted.text is not None:
            self._texts.catch_up()
        dataset_id = None if wanted.dataset is None else self._dataset_id(wanted.dataset)
        return conditions(wanted, dataset_id)


def conditions(wanted: Selection, dataset_id: int | None) -> Sequence[ColumnElement[bool]]:
    """What a row must be to be in the selection; `dataset_id`: of the dataset that it names."""
    found: list[ColumnElement[bool]] = []
    if dataset_id is not None:
        found.append(records.c.dataset_id == dataset_id)
    for name in ("task_id", "category", "scenario", "character", "state"):
        if (value := getattr(wanted, name)) is not None:
            found.append(records.c[name] == (plain(value) if isinstance(value, str) else value))
    for name in ("rating", "score", "length"):
        if (least := getattr(wanted, f"min_{name}")) is not None:
            found.append(records.c[name] >= least)
        if (most := getattr(wanted, f"max_{name}")) is not None:
            found.append(records.c[name] <= most)
    if wanted.committed is not None:
        has = records.c.dataset_id
        found.append(has.is_not(None) if wanted.committed else has.is_(None))
    if wanted.tag is not None:
        found.append(records.c.tags.contains(to_json(wanted.tag), autoescape=True))
    return [*found, *_index_conditions(wanted), *_flag_conditions(wanted)]


def _index_conditions(wanted: Selection) -> Iterator[ColumnElement[bool]]:
    if wanted.model is not None:
        # A sum, so that no index by kind is taken for it: the order of the others is worth more.
        kinds = select(record_kinds.c.id).where(*kind_conditions(Selection(model=wanted.model)))
        yield (records.c.kind + 0).in_(kinds)
    if wanted.text is not None:
        yield holds(records.c.id, query_of(wanted.text))


def _flag_conditions(wanted: Selection) -> Iterator[ColumnElement[bool]]:
    if wanted.unflagged:
        yield records.c.flags.is_(None)
    if wanted.flag == ANY_FLAG:
        yield records.c.flags.is_not(None)
    elif wanted.flag is not None:
        yield records.c.flags.contains(f" {wanted.flag} ", autoescape=True)


def place_of(record: Record) -> str:
    """The record's name within its task, such as `日常对话#12`; of an item's further samples
    `日常对话#12.2`."""
    name = f"{record.category}#{record.ordinal}"
    return f"{name}.{record.sample + 1}" if record.sample else name


def draft_of(record: Record) -> Draft:
    """The record as the checks see it."""
    return Draft(content=record.content, provenance=record.provenance, labels=record.labels)


_NOTE = (
    update(records)
    .where(records.c.id == bindparam("b_id"))
    .values(verdicts=bindparam("b_verdicts"), flags=bindparam("b_flags"), kind=bindparam("b_kind"))
)


def _noted(
    number: int, known: Mapping[str, Any], fresh: Mapping[str, Verdict | None]
) -> dict[str, Any]:
    """The row's new columns: the verdicts that are known, with the fresh ones in their place."""
    told = {name: verdict_json(one) for name, one in fresh.items() if one is not None}
    kept = {name: one for name, one in known.items() if name not in fresh}
    whole = {**kept, **told}
    flagged = sorted(
        name for name, one in whole.items() if one != "pass" and one["action"] in ("flag", "reject")
    )
    return {
        "b_id": number,
        "b_verdicts": to_json(whole) if whole else None,
        "b_flags": flags_of(flagged),
    }


def _uncommitted(task_id: int) -> tuple[ColumnElement[bool], ...]:
    return records.c.task_id == task_id, records.c.dataset_id.is_(None)


def record_of(row: RowMapping) -> Record:
    return Record(
        id=row["id"],
        task_id=row["task_id"],
        dataset_id=row["dataset_id"],
        category=row["category"],
        ordinal=row["ordinal"],
        sample=row["sample"],
        content=from_json(row["content"]),
        provenance=from_json(row["provenance"]),
        labels=from_json(row["labels"]),
        state=row["state"],
        committed=row["dataset_id"] is not None,
        created_at=iso(row["created_at"]),
        verdicts=from_json(row["verdicts"]) or {},
        flags=tuple((row["flags"] or "").split()),
        score=row["score"],
        rating=row["rating"],
        tags=tuple(from_json(row["tags"]) or ()),
        version=row["version"],
    )
