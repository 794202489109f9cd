"""The journal over REST: what may go is told before it goes, and nothing else goes."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from api_kit import code_of
from data_kit import API, ended
from machine_kit import got, said
from machine_tasks_kit import Model, fields_of, work, worker_of

from corpusmith.store.store import SqlStore

WAIT = {"wait": 30}


def ran(client: httpx2.Client, url: str, *seeds: int) -> list[int]:
    """Finished tasks of three records each, every one with calls of its own."""
    numbers = [
        said(client, "/tasks", fields_of(3, seed=seed, dataset="d"), 201)["id"] for seed in seeds
    ]
    with worker_of(url) as studio:
        work(studio)
    assert {got(client, f"/tasks/{one}")["task"]["state"] for one in numbers} == {"finished"}
    return numbers


def calls(client: httpx2.Client, number: int) -> int:
    return len(got(client, f"/tasks/{number}/calls", limit=500)["items"])


def prune(client: httpx2.Client, **body: Any) -> Any:
    return ended(client.post(f"{API}/journal/prune", json=body, params=WAIT))


def test_what_goes_is_what_was_told_and_records_stay(client: httpx2.Client, store_url: str) -> None:
    number, paused = ran(client, store_url, 1, 2)
    # More is wanted of this one, so that it can be run again: its calls are not to be lost.
    said(client, f"/tasks/{paused}/extend", {"count": 5})
    said(client, f"/tasks/{paused}/pause", {})
    own, others = calls(client, number), calls(client, paused)
    young = got(client, "/journal")["found"]
    assert (young["tasks"], young["calls"], young["bytes"]) == (0, 0, 0)
    look = got(client, "/journal", days=0)
    assert (look["found"]["tasks"], look["found"]["deleted_tasks"]) == (1, 0)
    assert look["found"]["calls"] == own > 0
    assert look["found"]["tokens"] == 8 * own and look["found"]["bytes"] > 0
    assert look["size"]["total"] > 0
    assert got(client, "/journal", days=0) == look, "looking takes nothing"

    job = prune(client, days=0, compact=True)
    assert (job["kind"], job["result"]["calls"], job["progress"]["done"]) == ("prune", own, own)
    assert job["result"]["before"]["total"] > 0 and job["result"]["after"]["total"] > 0
    assert (calls(client, number), calls(client, paused)) == (0, others)
    assert got(client, "/records/count", dataset="d")["count"] == 6
    assert got(client, "/journal", days=0)["found"]["calls"] == 0
    assert prune(client, days=0)["result"]["calls"] == 0


def test_calls_of_a_deleted_task_go_only_when_asked_for(
    sqlite_client: httpx2.Client, sqlite_url: str
) -> None:
    client = sqlite_client
    (number,) = ran(client, sqlite_url, 3)
    paid = calls(client, number)
    assert client.delete(f"{API}/tasks/{number}").status_code == 204
    assert got(client, "/journal", days=0)["found"]["calls"] == 0
    assert prune(client, days=0)["result"]["calls"] == 0
    found = got(client, "/journal", days=0, deleted=True)["found"]
    assert (found["tasks"], found["deleted_tasks"], found["calls"]) == (0, 1, paid)
    asked = Model.calls
    ran(client, sqlite_url, 3)
    assert Model.calls == asked, "what was paid is found again while it is there"
    client.delete(f"{API}/tasks/2")
    assert prune(client, days=0, deleted=True)["result"]["calls"] == paid
    ran(client, sqlite_url, 3)
    assert Model.calls == asked + paid, "and is paid anew once it went"


def test_only_what_is_old_enough_goes(
    sqlite_client: httpx2.Client, sqlite_url: str, opened: Any
) -> None:
    client = sqlite_client
    old, young = ran(client, sqlite_url, 4, 5)
    store: SqlStore = opened(sqlite_url)
    with store._database.write() as connection:
        # Neither its task nor its calls were touched for ten days.
        for table, name in (("tasks", "id"), ("calls", "task_id")):
            columns = {one["name"] for one in _columns(connection, table)}
            for moment in columns & {"created_at", "updated_at", "used_at", "saved_at"}:
                connection.exec_driver_sql(
                    f"UPDATE {table} SET {moment} = {moment} - 864000 WHERE {name} = {old}"
                )
    kept, gone = calls(client, young), calls(client, old)
    assert got(client, "/journal", days=11)["found"]["calls"] == 0
    assert got(client, "/journal", days=9)["found"]["calls"] == gone
    assert prune(client, days=9)["result"]["calls"] == gone
    assert (calls(client, old), calls(client, young)) == (0, kept)


def _columns(connection: Any, table: str) -> Any:
    return connection.exec_driver_sql(f"PRAGMA table_info({table})").mappings()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"days": -1},
        {"days": 1.5},
        {"days": "90"},
        {"days": 36_501},
        {"days": 1, "deleted": "yes"},
        {"days": 1, "tables": "users"},
    ],
)
def test_what_makes_no_sense_prunes_nothing(
    sqlite_client: httpx2.Client, body: dict[str, Any]
) -> None:
    answer = sqlite_client.post(f"{API}/journal/prune", json=body)
    assert code_of(answer, 422) == "spec_fields"
    assert got(sqlite_client, "/jobs")["items"] == []


@pytest.mark.parametrize("query", [{"days": -1}, {"days": "x"}, {"days": 10**9}, {"deleted": 7}])
def test_a_look_that_makes_no_sense_is_refused(
    sqlite_client: httpx2.Client, query: dict[str, Any]
) -> None:
    assert code_of(sqlite_client.get(f"{API}/journal", params=query), 422) == "spec_fields"
