"""The group commit: many calls, charges and outcomes in one transaction.

Owns: how a batch of writes becomes few statements, and which writes are refused.
Does not own: when to commit (the engine's writer).

This is the hot path. Each kind of row goes in one `executemany`, and each touched quota and task
is updated once a batch, whatever the batch's size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Table, bindparam, select, update

from corpusmith.contracts import Charge, JournalEntry, Save, Write
from corpusmith.errors import Conflict, LeaseLost, NotFound, StoreError
from corpusmith.store.codec import flags_text, plain, to_json, verdicts_text
from corpusmith.store.database import Database
from corpusmith.store.foreign import translated
from corpusmith.store.modes import Modes
from corpusmith.store.record_kinds import Kind, kind_numbers, models_text
from corpusmith.store.review_rules import given_rating
from corpusmith.store.schema import calls, items, quotas, records, tasks
from corpusmith.store.tally import BILL, COUNTERS, Bill, Counters
from corpusmith.store.text_words import length_of
from corpusmith.values import Draft, Miss, Verdict

Row = dict[str, Any]
Place = tuple[int, int, int]
"""(task id, category position, ordinal): an item's primary key."""


class SqlTransaction:
    """One group commit. Bound to no thread; used by one at a time."""

    def __init__(self, database: Database, statements: Statements, modes: Modes) -> None:
        self._database = database
        self._modes = modes
        self._sql = statements
        self._connection: Connection | None = None

    def begin(self) -> None:
        """Take the write lock. Waits for other writers. Raises StoreError."""
        self._connection = self._database.begin()

    def apply(self, writes: Sequence[Write]) -> list[Exception | None]:
        """Write all; for each, None or why it was refused, by itself. May be called repeatedly.

        Refused: LeaseLost (another process took the task), Conflict `item_done` (saved before),
        NotFound (a category that the task does not have), StoreError `not_storable` (what JSON
        cannot hold, or samples that do not add up). Raises StoreError when the database fails.
        """
        connection = self._open
        with translated(self._database.url):
            batch = _Batch(connection, self._sql, self._database)
            refusals = batch.collect(writes)
            batch.write()
        return refusals

    def commit(self) -> None:
        """Make it last: on the disk when this returns. Raises StoreError; then nothing is kept."""
        connection = self._open
        with translated(self._database.url):
            learned = self._modes.write(connection)
        self._connection = None
        self._database.end(connection, commit=True)
        self._modes.saved(learned)

    def rollback(self) -> None:
        """Forget it. Does nothing when there is no open transaction."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._database.end(connection, commit=False)

    @property
    def _open(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("begin() comes first")
        return self._connection


class Statements:
    """The statements of a batch, built once for a dialect, so that they are compiled once."""

    def __init__(self, database: Database) -> None:
        insert = database.insert
        call = insert(calls).on_conflict_do_nothing(index_elements=["key"])
        self.call = _Rows(call, calls, database)
        item = insert(items)
        key = ("task_id", "position", "ordinal")
        item = item.on_conflict_do_update(
            index_elements=key,
            set_={c.name: item.excluded[c.name] for c in items.c if c.name not in key},
        )
        self.item = _Rows(item, items, database)
        self.record = _Rows(insert(records), records, database)
        self.quota = (
            update(quotas)
            .where(quotas.c.task_id == bindparam("b_task"))
            .where(quotas.c.position == bindparam("b_position"))
            .values({name: quotas.c[name] + bindparam(f"b_{name}") for name in COUNTERS})
        )
        self.task = (
            update(tasks)
            .where(tasks.c.id == bindparam("b_task"))
            .values(
                {name: tasks.c[name] + bindparam(f"b_{name}") for name in (*COUNTERS, *BILL)}
                | {"updated_at": bindparam("b_now")}
            )
        )
        # FOR UPDATE (nothing on SQLite, whose writer is alone): no other process can take the
        # task over between this look and our commit.
        self.fence = select(tasks.c.fence).where(tasks.c.id == bindparam("b_task"))
        self.fence = self.fence.with_for_update()
        self.positions = select(quotas.c.name, quotas.c.position).where(
            quotas.c.task_id == bindparam("b_task")
        )
        self.done = select(items.c.ordinal).where(
            items.c.task_id == bindparam("b_task"),
            items.c.position == bindparam("b_position"),
            items.c.ordinal.in_(bindparam("b_ordinals", expanding=True)),
            items.c.done,
        )


class _Rows:
    """An INSERT of many whole rows (but for `id` and `dataset_id`, which come later).

    Compiled once and handed to the driver as it is: SQLAlchemy's own work for each row is a third
    of the time of an `apply`.
    """

    def __init__(self, statement: Insert, table: Table, database: Database) -> None:
        columns = [c.name for c in table.c if c.name not in ("id", "dataset_id")]
        compiled = statement.compile(dialect=database.dialect, column_keys=columns)
        self._sql = str(compiled)
        order = compiled.positiontup
        self._bind = itemgetter(*order) if order else None
        """None: the driver takes rows by name."""

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        bind = self._bind
        values = list(rows) if bind is None else [bind(row) for row in rows]
        connection.exec_driver_sql(self._sql, values)


class _Batch:
    """The rows and sums of one `apply`."""

    def __init__(self, connection: Connection, sql: Statements, database: Database) -> None:
        self._connection = connection
        self._sql = sql
        self._database = database
        self._now = database.now()
        self._url = database.shown_url
        self._fences: dict[int, int | None] = {}
        self._positions: dict[int, dict[str, int]] = {}
        self._done: set[Place] = set()
        self._calls: list[Row] = []
        self._items: list[Row] = []
        self._records: list[Row] = []
        self._quotas: dict[tuple[int, int], Counters] = {}
        self._tasks: dict[int, Counters] = {}
        self._bills: dict[int, Bill] = {}

    def collect(self, writes: Sequence[Write]) -> list[Exception | None]:
        """Turn writes into rows and sums; for each, None or why it is refused."""
        self._look([write for write in writes if isinstance(write, Save)])
        return [self._take(write) for write in writes]

    def write(self) -> None:
        """Run the statements, rows in the order of their keys: so two processes that write the
        same ones on Postgres cannot wait for each other in a circle."""
        execute = self._connection.execute
        if self._calls:
            self._sql.call.run(self._connection, sorted(self._calls, key=itemgetter("key")))
        if self._items:
            self._sql.item.run(self._connection, self._items)
        if self._records:
            # Asked anew each time: a number that this process remembered would be another one
            # after a restore.
            kinds = {row["kind"] for row in self._records}
            numbers = kind_numbers(self._connection, self._database, kinds)
            for row in self._records:
                row["kind"] = numbers[row["kind"]]
            self._sql.record.run(self._connection, self._records)
        if self._quotas:
            execute(self._sql.quota, [self._quota_row(key) for key in sorted(self._quotas)])
        if touched := sorted(self._tasks.keys() | self._bills.keys()):
            execute(self._sql.task, [self._task_row(task_id) for task_id in touched])

    # ------------------------------------------------------------ what is there already

    def _look(self, saves: Sequence[Save]) -> None:
        """Fences, category positions and finished items of what `saves` touch."""
        for task_id in sorted({save.task_id for save in saves}):
            self._look_at_task(task_id)
        ordinals: dict[tuple[int, int], list[int]] = {}
        for save in saves:
            position = self._positions[save.task_id].get(save.outcome.item.category)
            if position is not None:
                ordinals.setdefault((save.task_id, position), []).append(save.outcome.item.ordinal)
        for (task_id, position), wanted in ordinals.items():
            names = {"b_task": task_id, "b_position": position, "b_ordinals": wanted}
            for ordinal in self._connection.scalars(self._sql.done, names):
                self._done.add((task_id, position, ordinal))

    def _look_at_task(self, task_id: int) -> None:
        names = {"b_task": task_id}
        self._fences[task_id] = self._connection.scalar(self._sql.fence, names)
        rows = self._connection.execute(self._sql.positions, names)
        self._positions[task_id] = {name: position for name, position in rows}

    # ------------------------------------------------------------ one write

    def _take(self, write: Write) -> Exception | None:
        try:
            match write:
                case Charge():
                    self._bill(write.task_id).add(write.calls, write.usage, write.cost_usd)
                case JournalEntry():
                    self._take_call(write)
                case Save():
                    return self._take_outcome(write)
        except (TypeError, ValueError) as error:
            # One poison item is refused by itself; it must not take its neighbours along.
            return StoreError("not_storable", url=self._url, cause=str(error))
        return None

    def _take_call(self, entry: JournalEntry) -> None:
        usage = entry.reply.usage
        # Paid, whatever comes of the row.
        self._bill(entry.task_id).add(1, usage, entry.cost_usd)
        self._calls.append(
            {
                "task_id": entry.task_id,
                "key": entry.key,
                "item": plain(entry.item),
                "role": entry.role,
                "endpoint": entry.endpoint,
                "model": entry.model,
                "mode": entry.mode,
                "request": entry.request.decode(),
                "reply": to_json(entry.reply),
                "prompt_tokens": usage.prompt_tokens if usage else 0,
                "completion_tokens": usage.completion_tokens if usage else 0,
                "cost_usd": entry.cost_usd,
                "latency_s": entry.latency_s,
                "created_at": self._now,
            }
        )

    def _take_outcome(self, save: Save) -> Exception | None:
        item = save.outcome.item
        if self._fences[save.task_id] != save.fence:
            return LeaseLost(task=save.task_id)
        position = self._positions[save.task_id].get(item.category)
        if position is None:
            return NotFound("unknown_category", kind="category", name=item.category)
        place = (save.task_id, position, item.ordinal)
        if place in self._done:
            return Conflict("item_done", kind="item", name=item.key)
        if len(save.accepted) + len(save.misses) != item.want:
            raise ValueError(f"{item.key}: {item.want} samples wanted, not as many saved")
        drafts = self._record_rows(save, place)
        row = self._item_row(save, place)
        self._done.add(place)
        self._records += drafts
        self._items.append(row)
        self._count(row)
        return None

    def _record_rows(self, save: Save, place: Place) -> list[Row]:
        task_id, position, ordinal = place
        kinds = [_kind(save.outcome.item.category, draft) for draft in save.accepted]
        return [
            {
                "task_id": task_id,
                "position": position,
                "ordinal": ordinal,
                "sample": sample,
                "category": kind.category,
                "scenario": kind.scenario,
                "character": kind.character,
                "kind": kind,  # its number, once all are known
                "length": length_of(draft.content),
                "content": to_json(draft.content),
                "provenance": to_json(draft.provenance),
                "labels": to_json(draft.labels),
                "state": "pending",
                "created_at": self._now,
                "verdicts": verdicts_text(draft.verdicts),
                "flags": kind.flags,
                "score": _score(draft.verdicts),
                **_UNREVIEWED,
                "rating": given_rating(draft.provenance),
            }
            for sample, (draft, kind) in enumerate(zip(save.accepted, kinds, strict=True))
        ]

    def _item_row(self, save: Save, place: Place) -> Row:
        rejected = sum(miss.kind == "rejected" for miss in save.misses)
        return {
            "task_id": place[0],
            "position": place[1],
            "ordinal": place[2],
            "generation": save.outcome.item.generation,
            "done": True,
            "want": save.outcome.item.want,
            "accepted": len(save.accepted),
            "rejected": rejected,
            "failed": len(save.misses) - rejected,
            "misses": to_json(save.misses) if save.misses else None,
            "reasons": _reasons(save.misses) if save.misses else None,
            "fresh": any(miss.fresh for miss in save.misses),
            "saved_at": self._now,
        }

    # ------------------------------------------------------------ sums

    def _count(self, row: Row) -> None:
        task_id = row["task_id"]
        for counters in (
            self._quotas.setdefault((task_id, row["position"]), Counters()),
            self._tasks.setdefault(task_id, Counters()),
        ):
            counters.add(want=row["want"], accepted=row["accepted"], rejected=row["rejected"])

    def _bill(self, task_id: int) -> Bill:
        return self._bills.setdefault(task_id, Bill())

    def _quota_row(self, key: tuple[int, int]) -> Row:
        counters = self._quotas[key]
        sums = {f"b_{name}": getattr(counters, name) for name in COUNTERS}
        return {"b_task": key[0], "b_position": key[1], **sums}

    def _task_row(self, task_id: int) -> Row:
        counters = self._tasks.get(task_id, _NOTHING)
        bill = self._bills.get(task_id, _FREE)
        sums = {f"b_{name}": getattr(counters, name) for name in COUNTERS}
        paid = {f"b_{name}": getattr(bill, name) for name in BILL}
        return {"b_task": task_id, "b_now": self._now, **sums, **paid}


_UNREVIEWED: Row = {"disagreement": None, "tags": None, "version": 1, "review_group": 0}
_NOTHING = Counters()
_FREE = Bill()


def _reasons(misses: Sequence[Miss]) -> str:
    """`[[kind, reason, n], …]`, sorted: equal texts for equal reasons."""
    counts = Counter((miss.kind, miss.reason) for miss in misses)
    return to_json(sorted((kind, reason, n) for (kind, reason), n in counts.items()))


def _score(verdicts: Mapping[str, Verdict]) -> float | None:
    return next((one.score for one in verdicts.values() if one.score is not None), None)


def _kind(category: str, draft: Draft) -> Kind:
    labels = draft.labels
    return Kind(
        category,
        _label(labels.get("scenario")),
        _label(labels.get("character")),
        models_text(draft.provenance),
        None,
        flags_text(draft.verdicts),
    )


def _label(text: str | None) -> str | None:
    return None if text is None else plain(text)
