"""Groups: which people reviewed a record, as one number beside it.

Owns: the `review_groups` rows. Does not own: the column of a record (`reviews.py` writes it), what
a queue makes of them (`review_queue.py`).

Of a million records that somebody reviewed, what is left for him can be found by looking at them
all, or by knowing where the others begin. People review in sequence and in samples, so there are
few groups; the records of those without him are what is left, each group in order in an index.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Column, Connection, func, select

from corpusmith.store.codec import from_json, to_json
from corpusmith.store.database import Database
from corpusmith.store.schema import records, review_groups

NOBODY = 0
Members = Mapping[str, bool]
"""Reviewer → whether he has settled the record in sight of the judge's score."""


def members_text(there: Mapping[str, Mapping[str, Any]]) -> str:
    """Those who reviewed a record, from its reviews by name: equal texts for equal groups."""
    return to_json({name: bool(there[name]["settled"]) for name in sorted(there)})


def group_numbers(
    connection: Connection, database: Database, texts: Iterable[str]
) -> dict[str, int]:
    """Text → number; new groups are added."""
    wanted = {_digest(text): text for text in texts if text != "{}"}
    numbers = {"{}": NOBODY}
    if not wanted:
        return numbers
    # In order, so that two processes that add the same ones do not wait for each other in a circle.
    rows = [{"digest": one, "members": wanted[one]} for one in sorted(wanted)]
    known = select(review_groups.c.digest, review_groups.c.id)
    known = known.where(review_groups.c.digest.in_(wanted))
    found = _by_digest(connection, known)
    if missing := [row for row in rows if row["digest"] not in found]:
        connection.execute(database.insert(review_groups).on_conflict_do_nothing(), missing)
        found = _by_digest(connection, known)
    return {**numbers, **{text: found[digest] for digest, text in wanted.items()}}


def groups_of(connection: Connection, column: Column[Any], value: int) -> dict[int, Members]:
    """The groups of the records whose `column`, their dataset or task, is `value`."""
    # One step into the index a group, not a walk along all records.
    own = column == value
    first = select(func.min(records.c.review_group).label("number")).where(own)
    steps = first.cte("steps", recursive=True)
    later = select(func.min(records.c.review_group))
    later = later.where(own, records.c.review_group > steps.c.number)
    steps = steps.union_all(
        select(later.correlate(steps).scalar_subquery()).where(steps.c.number.is_not(None))
    )
    here = list(connection.scalars(select(steps.c.number).where(steps.c.number.is_not(None))))
    query = select(review_groups.c.id, review_groups.c.members)
    rows = connection.execute(query.where(review_groups.c.id.in_(here)))
    found: dict[int, Members] = {number: from_json(members) for number, members in rows}
    return {number: found.get(number, {}) for number in here}


def _by_digest(connection: Connection, query: Any) -> dict[bytes, int]:
    return {bytes(digest): number for digest, number in connection.execute(query)}


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
