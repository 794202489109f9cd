"""Connections that are lent one after the other: none keeps what its last user saw."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from sqlalchemy import Connection, CursorResult, select

from corpusmith.nouns import Scenario
from corpusmith.store.database import Database
from corpusmith.store.schema import scenarios
from corpusmith.store.store import SqlStore

NAMES = select(scenarios.c.name).order_by(scenarios.c.id)
MANY = 12
"""More connections than a store keeps."""


def add(store: SqlStore, *names: str) -> None:
    for name in names:
        store.scenarios.add(Scenario(name=name, description="", weight=1.0))


def unread(connection: Connection) -> CursorResult[tuple[str]]:
    """An answer of which one row of two was taken."""
    found = connection.execute(NAMES)
    assert found.fetchone() is not None
    return found


def seen(database: Database) -> list[list[str]]:
    """What each connection sees, all being lent at once."""
    with ExitStack() as lent:
        connections = [lent.enter_context(database.read()) for _ in range(MANY)]
        return [list(one.scalars(NAMES)) for one in connections]


def test_an_answer_that_was_not_read_to_its_end_keeps_no_old_view(store: SqlStore) -> None:
    add(store, "a", "b")
    with store.database.read() as connection:
        kept = unread(connection)
    add(store, "c")
    assert seen(store.database) == [["a", "b", "c"]] * MANY
    assert kept


def test_nor_does_an_error_that_is_kept(store: SqlStore) -> None:
    def look() -> None:
        with store.database.read() as connection:
            found = unread(connection)
            raise ValueError(found.keys())

    add(store, "a", "b")
    with pytest.raises(ValueError) as kept:  # and with it the frame that holds the answer
        look()
    add(store, "c")
    assert seen(store.database) == [["a", "b", "c"]] * MANY
    assert kept


@pytest.mark.parametrize("fails", [False, True])
def test_the_writer_writes_on_after_an_answer_that_was_not_read(
    store: SqlStore, store_url: str, opened: Callable[[str], SqlStore], fails: bool
) -> None:
    add(store, "a", "b")
    kept = []
    try:
        with store.database.write() as connection:
            kept.append(unread(connection))
            if fails:
                raise ValueError
    except ValueError:
        assert fails
    other = opened(store_url)
    add(other, "c")
    add(store, "d")
    assert seen(store.database) == seen(other.database) == [["a", "b", "c", "d"]] * MANY
