"""Which endpoint a task takes that names none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from corpusmith.errors import UsageError
from corpusmith.providers.connect import connection_of
from corpusmith.service.endpoints import VARIABLES, endpoints_of
from corpusmith.service.task_file import task_file
from corpusmith.store.store import SqlStore
from corpusmith.values import Json

LOCAL, OTHER = "http://127.0.0.1:9/v1", "http://127.0.0.1:8/v1"
OPENAI = "https://api.openai.com/v1"
GEMINI = "https://generativelanguage.googleapis.com"
KEY = {"OPENAI_API_KEY": "k-12345678"}
NAMED = {"CORPUSMITH_MODEL": "named"}


@pytest.fixture
def store(
    sqlite_url: str, opened: Callable[[str], SqlStore], monkeypatch: pytest.MonkeyPatch
) -> SqlStore:
    for name in (*VARIABLES, "CORPUSMITH_MODEL", "OPENAI_MODEL", "GEMINI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    return opened(sqlite_url)


Found = tuple[str, str | None, str | None]
"""Address, model, and why."""


def found(store: SqlStore, **fields: Json) -> Found:
    file = task_file({"count": 1, "recipe": "template", "template": "x", **fields}, source="test")
    one = endpoints_of(file, store, ("writer",))["writer"]
    return one.base_url, one.model, one.chosen_by


def stored(store: SqlStore, *names: str) -> None:
    for name in names:
        store.connections.add(connection_of(name=name, base_url=LOCAL, model="own"))


@pytest.mark.parametrize(
    ("names", "variables", "fields", "expected"),
    [
        (("a",), {}, {}, (LOCAL, "own", "only")),
        (("a",), KEY, {}, (LOCAL, "own", "only")),
        (("a",), {**KEY, "OPENAI_BASE_URL": OTHER}, {}, (LOCAL, "own", "only")),
        (("a",), KEY | NAMED, {}, (LOCAL, "named", "only")),
        (("a",), KEY | NAMED, {"model": "asked"}, (LOCAL, "asked", "only")),
        (("a",), KEY | NAMED, {"connection": "a"}, (LOCAL, "own", None)),
        (("a",), KEY, {"connection": {"base_url": OTHER, "model": "m"}}, (OTHER, "m", None)),
        (("a", "b"), KEY, {}, (OPENAI, None, "OPENAI_API_KEY")),
        ((), KEY | NAMED, {}, (OPENAI, "named", "OPENAI_API_KEY")),
        ((), {**KEY, "OPENAI_BASE_URL": OTHER}, {}, (OTHER, None, "OPENAI_BASE_URL")),
        (
            (),
            {"OPENAI_BASE_URL": "", "OPENAI_MODEL": "m", **KEY},
            {},
            (OPENAI, "m", "OPENAI_API_KEY"),
        ),
        ((), {"GEMINI_API_KEY": "k-12345678"}, {}, (GEMINI, None, "GEMINI_API_KEY")),
    ],
)
def test_what_was_stored_for_corpusmith_wins_over_what_lies_in_the_environment(
    store: SqlStore,
    monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, ...],
    variables: dict[str, str],
    fields: dict[str, Json],
    expected: Found,
) -> None:
    stored(store, *names)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert found(store, **fields) == expected


def test_several_stored_connections_and_no_variable_are_no_endpoint(store: SqlStore) -> None:
    stored(store, "a", "b")
    with pytest.raises(UsageError) as caught:
        found(store)
    assert caught.value.reason == "no_connection"
