"""Answers that are kept for a moment."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import text

from corpusmith.store import kept
from corpusmith.store.database import Database
from corpusmith.store.kept import Kept
from corpusmith.store.open import parse_url


class Question:
    """Something dear to find; says how often it was."""

    def __init__(self, took_s: float) -> None:
        self.took_s, self.asked = took_s, 0

    def __call__(self) -> int:
        time.sleep(self.took_s)
        self.asked += 1
        return self.asked


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(parse_url(f"sqlite:///{tmp_path / 'a.db'}"))


def test_what_was_dear_is_kept_until_this_process_writes(database: Database) -> None:
    kept, dear, other = Kept(database), Question(0.06), Question(0.06)
    assert [kept.or_found("a", dear) for _ in range(3)] == [1, 1, 1]
    assert kept.or_found("b", other) == 1
    with database.write() as connection:
        connection.execute(text("CREATE TABLE a (id INTEGER)"))
    assert kept.or_found("a", dear) == 2
    database.close()


def test_what_came_quickly_is_asked_again(database: Database) -> None:
    kept, quick = Kept(database), Question(0)
    assert [kept.or_found("a", quick) for _ in range(3)] == [1, 2, 3]
    database.close()


def test_what_others_write_is_seen_after_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "STAY_S", 0.1)
    answers, dear = Kept(database), Question(0.06)
    assert answers.or_found("a", dear) == answers.or_found("a", dear) == 1
    time.sleep(0.12)
    assert answers.or_found("a", dear) == 2
    database.close()


def test_a_write_while_it_is_found_makes_it_old(database: Database) -> None:
    answers = Kept(database)

    def find() -> str:
        with database.write() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS a (id INTEGER)"))
        time.sleep(0.06)
        return "before" if database.writes == 1 else "after"

    assert answers.or_found("a", find) == "before"
    assert answers.or_found("a", find) == "after"
    database.close()


def test_there_are_never_many(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "DEAR_S", 0.0)
    answers = Kept(database)
    for number in range(kept.MOST * 3):
        answers.or_found(number, lambda: 1)
    assert len(answers._answers) <= kept.MOST
    database.close()
