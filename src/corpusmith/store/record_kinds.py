"""Kinds: what names a record goes by, as one number beside it.

Owns: the `record_kinds` rows, and which of them a filter asks for. Does not own: the column of a
record (who writes the names writes the number too).

Scenario, character, models, tags: records share them, so there are few combinations. A filter by
name looks at these alone; the records are then told from an index of numbers, and so is how many
there are of each name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from corpusmith.store.codec import plain, to_json
from corpusmith.store.database import Database
from corpusmith.store.schema import record_kinds
from corpusmith.values import Selection

ANY_FLAG = "any"
"""Of `Selection.flag`: flagged by at least one check."""
_IN_A_STATEMENT = 500


class Kind(NamedTuple):
    """The names of a record as its columns hold them."""

    category: str | None
    scenario: str | None
    character: str | None
    models: str | None
    tags: str | None
    flags: str | None


COLUMNS = tuple(record_kinds.c[name] for name in Kind._fields)


def kind_numbers(
    connection: Connection, database: Database, kinds: Iterable[Kind]
) -> dict[Kind, int]:
    """Kind → number; new ones are added."""
    digests = {_digest(kind): kind for kind in kinds}
    found = _by_digest(connection, digests)
    # In order, so that two processes that add the same ones do not wait for each other in a circle.
    missing = sorted(digest for digest in digests if digest not in found)
    if missing:
        rows = [{"digest": digest, **digests[digest]._asdict()} for digest in missing]
        new = database.insert(record_kinds).on_conflict_do_nothing()
        connection.execute(new, rows)
        found |= _by_digest(connection, missing)
    return {kind: found[digest] for digest, kind in digests.items()}


def kinds_of(connection: Connection, numbers: Iterable[int]) -> dict[int, Kind]:
    """Number → kind, of those that there are."""
    wanted = sorted(set(numbers))
    found: dict[int, Kind] = {}
    for start in range(0, len(wanted), _IN_A_STATEMENT):
        some = record_kinds.c.id.in_(wanted[start : start + _IN_A_STATEMENT])
        query = select(record_kinds.c.id, *COLUMNS).where(some)
        found |= {row[0]: Kind(*row[1:]) for row in connection.execute(query)}
    return found


def renamed(
    connection: Connection,
    database: Database,
    rows: Mapping[int, int],
    changes: Mapping[int, Mapping[str, Any]],
) -> dict[int, int]:
    """Record → number of its kind after a change. `rows`: record → number before; `changes`:
    record → the names that are others now. Of numbers that are not known nothing is said."""
    there = kinds_of(connection, rows.values())
    fresh = {
        record: there[number]._replace(**changes[record])
        for record, number in rows.items()
        if number in there
    }
    numbers = kind_numbers(connection, database, set(fresh.values())) if fresh else {}
    return {record: numbers[kind] for record, kind in fresh.items()}


def kind_conditions(wanted: Selection) -> list[ColumnElement[bool]]:
    """What a kind must be for its records to be in the selection; none: it does not matter."""
    found: list[ColumnElement[bool]] = []
    for name in ("category", "scenario", "character"):
        if (value := getattr(wanted, name)) is not None:
            found.append(record_kinds.c[name] == plain(value))
    if wanted.tag is not None:
        found.append(record_kinds.c.tags.contains(to_json(wanted.tag), autoescape=True))
    if wanted.model is not None:
        found.append(record_kinds.c.models.contains(to_json(wanted.model), autoescape=True))
    if wanted.unflagged:
        found.append(record_kinds.c.flags.is_(None))
    if wanted.flag == ANY_FLAG:
        found.append(record_kinds.c.flags.is_not(None))
    elif wanted.flag is not None:
        found.append(record_kinds.c.flags.contains(f" {wanted.flag} ", autoescape=True))
    return found


def models_text(provenance: Mapping[str, Any]) -> str | None:
    """The models of a provenance as the column holds them; None: it names none."""
    models = provenance.get("models")
    return _named_text(tuple(map(str, models))) if isinstance(models, (list, tuple)) else None


@lru_cache
def _named_text(models: tuple[str, ...]) -> str | None:
    # Nearly all records of a task are by the same few.
    named = sorted({one for one in models if one})
    return to_json(named) if named else None


@lru_cache
def _digest(kind: Kind) -> bytes:
    return hashlib.blake2b(to_json(list(kind)).encode(), digest_size=16).digest()


def _by_digest(connection: Connection, digests: Iterable[bytes]) -> dict[bytes, int]:
    # In the write path of the engine, once a group commit: said to the driver as it is, a tenth of
    # the time that a statement of SQLAlchemy's takes.
    sign = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    wanted = list(digests)
    found: dict[bytes, int] = {}
    for start in range(0, len(wanted), _IN_A_STATEMENT):
        some = wanted[start : start + _IN_A_STATEMENT]
        signs = ",".join([sign] * len(some))
        query = f"SELECT digest, id FROM record_kinds WHERE digest IN ({signs})"  # noqa: S608
        rows = connection.exec_driver_sql(query, tuple(some))
        found |= {bytes(digest): number for digest, number in rows}
    return found
