"""Headers and secret body fields of connections: sealed where they are kept, sent as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from corpusmith.cli.main import main
from corpusmith.errors import Conflict, SpecError, UsageError
from corpusmith.hidden import looks_secret, secrets_in, shown
from corpusmith.providers.failures import Failures
from corpusmith.service.restoring import upgrade
from corpusmith.service.sealing import opened, sealed
from corpusmith.service.studio import Studio
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from corpusmith.store.store import SqlStore
from corpusmith.values import HIDDEN, Connection, Sealed

HEADER, FIELD = "hdr-canary-5d0e71", "fld-canary-a61d3e"
OWN: dict[str, Any] = {
    "headers": {"X-Gateway": HEADER, "X-Team": "blue"},
    "extra": {"gateway": {"accessToken": FIELD, "region": "east"}, "top_k": 3},
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CORPUSMITH_SECRET_KEY", raising=False)
    monkeypatch.setenv("CORPUSMITH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(record=100)) as running:
        yield running


@pytest.fixture
def studio(sqlite_url: str) -> Iterator[Studio]:
    with Studio(sqlite_url) as found:
        yield found


def rows(store: SqlStore) -> str:
    """All that the tables hold."""
    with store.database.read() as connection:
        skipped = {"record_text"} if connection.dialect.name == "sqlite" else set()
        tables = set(inspect(connection).get_table_names()) - skipped
        return str([[*connection.execute(text(f'SELECT * FROM "{one}"'))] for one in tables])


def unseen(*places: object) -> bool:
    return not any(one in f"{place} {place!r}" for one in (HEADER, FIELD) for place in places)


def plain_as_before(store: SqlStore, connection: Connection) -> None:
    """What a version stored that knew of no sealing."""
    store.connections.update(connection)
    store.settings.set("values_sealed", False)


# ---------------------------------------------------------------- what is secret


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("api_key", "x", True),
        ("apiKey", "x", True),
        ("X-Auth-Token", "x", True),
        ("clientSecret", "x", True),
        ("password", "x", True),
        ("note", "Bearer abcdef", True),
        ("note", "sk-0123456789abcdef", True),
        ("max_tokens", "4096", False),
        ("max_tokens_field", "max_completion_tokens", False),
        ("monkey", "x", False),
        ("enable_thinking", False, False),
        ("api_key", 7, False),
        ("api_key", "", False),
    ],
)
def test_what_looks_secret(name: str, value: object, secret: bool) -> None:
    assert looks_secret(name, value) is secret


def test_what_anybody_may_see_of_body_fields() -> None:
    assert shown({"a": [{"token": "x", "n": 1}], "password": Sealed("y")}) == {
        "a": [{"token": HIDDEN, "n": 1}],
        "password": HIDDEN,
    }
    assert [*secrets_in({"H": "h", "S": Sealed("s")}, {"token": "x", "n": "y"})] == ["h", "x"]


def test_an_endpoint_that_repeats_a_body_field_is_not_quoted() -> None:
    connection = Connection(
        name="c", provider="openai", protocol="openai", base_url="http://h/v1", **OWN
    )
    assert unseen(connection, Failures(connection, None).clean(f"no: {FIELD} {HEADER}"))


# ---------------------------------------------------------------- kept and sent


def test_they_are_sent_and_nowhere_else(
    store: SqlStore, store_url: str, simulator: Running, tmp_path: Path
) -> None:
    store.close()
    with Studio(store_url) as studio:
        made = studio.connections.add(
            "mine", base_url=f"{simulator.url}/v1", model="any", api_key_env=None, **OWN
        )
        endpoint = {"base_url": f"{simulator.url}/v1", "model": "any", **OWN}
        for wish in ("mine", endpoint):
            done = studio.generate(
                characters=["贺三娘"],
                scenarios=["日常对话"],
                turns=1,
                count=2,
                connection=wish,
                extra={"session_token": FIELD, "min_p": 0.1},
            )
            assert done.counts.accepted == 2
        task = studio.tasks.last()
        assert task is not None
        assert studio.connections.trial("mine").answered
        assert unseen(made, studio.connections.list(), task, studio.task_views.get(task.id))
        assert unseen(rows(studio.store))
        view = studio.task_views.detail(task.id)
        assert unseen(view)
        assert view.spec["extra"] == {"session_token": HIDDEN, "min_p": 0.1}
        (shown_one,) = view.connections.values()
        assert shown_one["extra"]["gateway"] == {"accessToken": HIDDEN, "region": "east"}
    sent = [one for one in simulator.requests() if one["body"].get("session_token") == FIELD]
    assert len(sent) >= 4
    for one in sent:
        headers = {name.lower(): value for name, value in one["headers"].items()}
        assert (headers["x-gateway"], headers["x-team"]) == (HEADER, "blue")
        assert one["body"]["gateway"] == OWN["extra"]["gateway"]
    assert unseen(*(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()))


def test_what_is_left_hidden_stays_and_what_is_given_changes(studio: Studio) -> None:
    studio.connections.add("a", base_url="http://127.0.0.1:9/v1", **OWN)
    given = {
        "headers": {"X-Gateway": HIDDEN, "X-Team": "red"},
        "extra": {"gateway": {"accessToken": HIDDEN, "region": "west"}},
    }
    ways: list[Callable[[], Connection]] = [
        lambda: studio.connections.change("a", {"model": "m"}),
        lambda: studio.connections.update("a", model="n"),
        lambda: studio.connections.change("a", given),
        lambda: studio.connections.update("a", **given),
    ]
    for at, way in enumerate(ways):
        found = opened(way())
        old = at < 2
        assert found.headers == {"X-Gateway": HEADER, "X-Team": "blue" if old else "red"}
        assert found.extra["gateway"] == {
            "accessToken": FIELD,
            "region": "east" if old else "west",
        }
    fewer = studio.connections.change("a", {"headers": {"X-Team": HIDDEN}, "extra": {}})
    assert (opened(fewer).headers, fewer.extra) == ({"X-Team": "red"}, {})
    for refused in (
        lambda: studio.connections.change("a", {"headers": {"X-New": HIDDEN}}),
        lambda: studio.connections.add(
            "b", base_url="http://127.0.0.1:9/v1", headers={"X-New": HIDDEN}
        ),
    ):
        with pytest.raises(SpecError) as odd:
            refused()
        assert odd.value.reason == "bad_header"
    with pytest.raises(SpecError) as odd:
        studio.connections.change("a", {"extra": {"gateway": {"accessToken": HIDDEN}}})
    assert (odd.value.reason, odd.value.data["field"]) == ("hidden_unsaid", "gateway/accessToken")


def test_what_is_tried_before_it_is_stored_may_mean_what_is_hidden(studio: Studio) -> None:
    there = "http://127.0.0.1:9/v1"
    studio.connections.add("a", base_url=there, **OWN)
    given = {"base_url": there, "headers": {"X-Gateway": HIDDEN}, "extra": {"n": 1}}
    found = opened(studio.connections.unsaved("new", given, like="a"))
    assert (found.headers, found.extra) == ({"X-Gateway": HEADER}, {"n": 1})
    for elsewhere in ({"base_url": "http://127.0.0.1:8/v1"}, {"proxy": "http://127.0.0.1:7"}):
        with pytest.raises(SpecError) as odd:
            studio.connections.unsaved("new", given | elsewhere, like="a")
        assert odd.value.reason == "bad_header"


def test_they_go_to_no_other_address_unasked(studio: Studio) -> None:
    there, other = "http://127.0.0.1:9/v1", "http://127.0.0.1:8/v1"
    studio.connections.add("a", base_url=there, **OWN)
    for fields in ({}, {"headers": {"X-Gateway": HIDDEN}, "extra": {}}, {"headers": {}}):
        with pytest.raises(Conflict) as again:
            studio.connections.change("a", {"base_url": other, **fields})
        assert again.value.reason == "key_again"
    # Whoever writes to the database moves a ciphertext in vain.
    kept = studio.store.connections.get("a")
    with pytest.raises(UsageError) as wrong:
        opened(replace(kept, base_url=other))
    assert wrong.value.reason == "sealed_value_wrong"
    with pytest.raises(UsageError):
        opened(replace(kept, headers={"X-Other": kept.headers["X-Gateway"]}))
    with pytest.raises(UsageError):
        opened(replace(kept, headers={"X-Gateway": Sealed("no base64")}))
    # The machine's owner, at the command line, takes them along.
    moved = studio.connections.update("a", base_url=other)
    assert opened(moved).headers == OWN["headers"] and opened(moved).extra == OWN["extra"]


def test_without_the_key_a_task_says_so_and_lists_are_still_there(
    studio: Studio, home: Path
) -> None:
    studio.connections.add("a", base_url="http://127.0.0.1:9/v1", model="m", **OWN)
    step = {"name": "s", "characters": ["贺三娘"], "count": 1, "turns": 1}
    inline = {"base_url": "http://127.0.0.1:9/v1", "model": "m", **OWN}
    chain = studio.stored_chains.add({"name": "c", "connection": inline, "steps": [step]})
    studio.stored_chains.run(chain.id)
    assert unseen(rows(studio.store))
    (home / "secret.key").unlink()
    assert [one.name for one in studio.connections.list()] == ["a"]
    with pytest.raises(UsageError) as missing:
        studio.connections.trial("a")
    assert missing.value.reason == "secret_key_missing"
    studio.stored_chains.advance(chain.id, "me")
    stopped = studio.stored_chains.get(chain.id)
    assert stopped.cause is not None and stopped.cause.code == "secret_key_missing"
    assert [one.recipe for one in stopped.steps] == ["dialogue"]


def test_the_command_line_shows_names_alone(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CORPUSMITH_DATABASE_URL", sqlite_url)
    line = ["connections", "add", "a", "--base-url", "http://127.0.0.1:9/v1"]
    line += ["--header", f"X-Gateway={HEADER}", "--extra", f'gateway={{"token": "{FIELD}"}}']
    for command in (line, ["connections", "show", "a"], ["connections", "list"]):
        assert main(["--json", *command]) == 0
    assert main(["connections", "show", "a"]) == 0
    said = capsys.readouterr().out
    assert unseen(said) and "corpusmith_sealed" not in said
    assert said.count("X-Gateway") >= 3 and said.count(HIDDEN) >= 4


# ---------------------------------------------------------------- what was stored before


def test_what_was_stored_as_it_was_is_sealed_once(store: SqlStore, store_url: str) -> None:
    with Studio(store_url) as studio:
        studio.connections.add("a", base_url="http://127.0.0.1:9/v1", model="m", **OWN)
        old = opened(studio.connections.get("a"))
        plain_as_before(studio.store, old)
        task = studio.store.tasks.create(
            name="t", recipe="dialogue", spec={"extra": {"token": FIELD}}, dataset=None,
            requested=1, seed=1, quotas=[], connections={"writer": old},
        )  # fmt: skip
        studio.store.settings.set("chain:7", {"fields": {"connection": {**OWN}}, "wish": "all"})
        assert not unseen(rows(studio.store))
        assert opened(studio.connections.get("a")) == old  # it is read all the same
    with Studio(store_url) as studio:
        assert unseen(rows(studio.store))
        assert opened(studio.connections.get("a")) == old
        assert opened(studio.store.tasks.get(task.id).connections["writer"] and old) == old
        assert studio.store.settings.get("chain:7")["wish"] == "all"
        before = rows(studio.store)
    Studio(store_url).close()
    assert rows(store) == before


def test_an_upgrade_seals_too(sqlite_url: str) -> None:
    with Studio(sqlite_url) as studio:
        studio.connections.add("a", base_url="http://127.0.0.1:9/v1", **OWN)
        plain_as_before(studio.store, opened(studio.connections.get("a")))
        with studio.store.database.write() as connection:
            connection.execute(text("DROP TABLE reports"))
            connection.execute(text("UPDATE alembic_version SET version_num = '0007'"))
    assert upgrade(sqlite_url, save=False).done
    from corpusmith.store.open import open_store

    store = open_store(sqlite_url)
    assert unseen(rows(store))
    store.close()


def test_sealing_twice_changes_nothing() -> None:
    one = Connection(name="c", provider="openai", protocol="openai", base_url="http://h", **OWN)
    once = sealed(one)
    assert sealed(once) == once and opened(once) == one and opened(one) == one
