"""Tasks over REST, run by a worker beside the server, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import orjson
import pytest
from api_kit import code_of

from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from running_kit import dialogue, until, working

TASKS = "/api/v1/tasks"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(latency_ms=40)) as running:
        yield running


def made(client: httpx2.Client, fields: dict[str, Any]) -> int:
    answer = client.post(TASKS, json=fields)
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["id"]
    return number


def state(client: httpx2.Client, number: int) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{TASKS}/{number}").json()["task"]
    return found


def ended(client: httpx2.Client, number: int) -> dict[str, Any]:
    """The task, once nothing more comes of it by itself."""
    rest = ("finished", "failed", "cancelled", "paused")
    until(lambda: state(client, number)["state"] in rest)
    return state(client, number)


def events_of(
    client: httpx2.Client, path: str, last: str | None = None, most: int = 1000
) -> list[dict[str, Any]]:
    """What a stream told until it closed, or `most` events of it."""
    headers = {} if last is None else {"Last-Event-ID": last}
    found: list[dict[str, Any]] = []
    event: dict[str, Any] = {}
    with client.stream("GET", path, headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if line == "" and event:
                found.append({**event, "data": orjson.loads(event["data"])})
                event = {}
                if len(found) == most:
                    break
            elif name in {"event", "id", "data"}:
                event[name] = value
    return found


def test_a_task_is_made_run_and_looked_at(
    client: httpx2.Client, store_url: str, simulator: Running
) -> None:
    with working(store_url):
        fields = dialogue(simulator, 6, dataset="夜谈", name="夜谈-一")
        number = made(client, fields)
        task = ended(client, number)
    assert (task["state"], task["cause"], task["shortfall"]) == ("finished", None, 0)
    assert task["counts"]["accepted"] == 6
    assert task["queued_at"] is None and task["live"] is None
    assert task["can"] == ["change", "extend", "commit", "discard", "delete"]
    detail = client.get(f"{TASKS}/{number}").json()
    assert [(one["count"], one["accepted"]) for one in detail["categories"]] == [(6, 6)]
    assert "lease" not in orjson.dumps(detail).decode()

    (run,) = client.get(f"{TASKS}/{number}/executions").json()["items"]
    assert (run["number"], run["status"], run["counts"]["accepted"]) == (1, "finished", 6)
    records = client.get(f"{TASKS}/{number}/records", params={"count": 4}).json()["items"]
    assert len(records) == 4 and all(one["committed"] for one in records)
    first = client.get(f"{TASKS}/{number}/calls", params={"limit": 5}).json()
    rest = client.get(f"{TASKS}/{number}/calls", params={"limit": 5, "after": first["next"]}).json()
    rows = [*first["items"], *rest["items"]]
    assert len(rows) == task["spend"]["calls"] and len({one["id"] for one in rows}) == len(rows)
    one = client.get(f"{TASKS}/{number}/calls/{rows[0]['id']}").json()
    assert one["request"]["messages"] and one["reply"]["text"]
    of_item = client.get(f"{TASKS}/{number}/calls", params={"item": rows[0]["item"]}).json()
    assert {call["item"] for call in of_item["items"]} == {rows[0]["item"]}
    of_record = client.get(f"/api/v1/records/{records[0]['id']}/calls").json()["items"]
    assert of_record and all(call["call"]["task_id"] == number for call in of_record)


def test_the_same_key_is_the_same_task(client: httpx2.Client, simulator: Running) -> None:
    fields = dialogue(simulator, 3, start=False)

    def send(_: int) -> httpx2.Response:
        return client.post(TASKS, json=fields, headers={"Idempotency-Key": "once"})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert sorted(one.status_code for one in answers) == [200] * 5 + [201], answers[0].text
    assert len({one.json()["id"] for one in answers}) == 1
    replays = [one.headers.get("idempotent-replay") for one in answers if one.status_code == 200]
    assert replays == ["true"] * 5
    other = client.post(TASKS, json={**fields, "count": 4}, headers={"Idempotency-Key": "once"})
    assert code_of(other, 422) == "key_reused"
    assert len(client.get(TASKS).json()["items"]) == 1


def test_a_running_task_is_paused_changed_and_goes_on(
    client: httpx2.Client, store_url: str, simulator: Running
) -> None:
    with working(store_url):
        number = made(client, dialogue(simulator, 20_000, concurrency=2))
        live = until(lambda: state(client, number)["live"])
        assert live["paces"][0]["limit"] == 2
        changed = client.patch(f"{TASKS}/{number}", json={"concurrency": 24})
        assert changed.json()["state"] == "running"
        until(lambda: (state(client, number)["live"] or live)["paces"][0]["limit"] == 24, 8)

        assert client.post(f"{TASKS}/{number}/pause").status_code == 200
        paused = ended(client, number)
        assert (paused["state"], paused["cause"]["code"]) == ("paused", "paused")
        # The simulator saw it all: nothing starts while it is paused.
        calls = simulator.stats()["requests"]
        client.patch(f"{TASKS}/{number}", json={"max_calls": paused["spend"]["calls"] + 10})
        client.post(f"{TASKS}/{number}/run")
        poor = until(lambda: (one := state(client, number))["cause"] and one)
        assert poor["cause"]["code"] == "budget_calls" and poor["cause_text"]
        assert simulator.stats()["requests"] <= calls + 10

        client.patch(f"{TASKS}/{number}", json={"max_calls": None})
        client.post(f"{TASKS}/{number}/run")
        had = poor["counts"]["accepted"]
        until(lambda: state(client, number)["counts"]["accepted"] > had)
        assert client.post(f"{TASKS}/{number}/cancel").status_code == 200
        task = ended(client, number)
    assert (task["state"], task["cause"]["code"]) == ("cancelled", "cancelled")
    runs = client.get(f"{TASKS}/{number}/executions").json()["items"]
    assert sum(one["counts"]["accepted"] for one in runs) == task["counts"]["accepted"]
    assert [one["status"] for one in runs] == ["paused", "paused", "cancelled"]


def test_a_lower_budget_holds_while_it_runs(
    client: httpx2.Client, store_url: str, simulator: Running
) -> None:
    with working(store_url):
        number = made(client, dialogue(simulator, 5000, concurrency=2))
        until(lambda: state(client, number)["live"])
        client.patch(f"{TASKS}/{number}", json={"max_calls": 1})
        task = until(lambda: (one := state(client, number))["cause"] and one, 8)
        assert task["cause"]["code"] == "budget_calls"
        client.post(f"{TASKS}/{number}/cancel")
        assert state(client, number)["state"] == "cancelled"
        assert code_of(client.post(f"{TASKS}/{number}/run"), 422) == "task_cancelled"


def test_progress_is_told_to_the_end(
    client: httpx2.Client, store_url: str, simulator: Running
) -> None:
    with working(store_url):
        number = made(client, dialogue(simulator, 120, concurrency=4))
        told = events_of(client, f"{TASKS}/{number}/events")
    assert told[-1]["event"] == "ended"
    assert told[-1]["data"]["state"] == "finished"
    assert {one["event"] for one in told[:-1]} == {"progress"} and len(told) > 2
    accepted = [one["data"]["counts"]["accepted"] for one in told]
    assert accepted == sorted(accepted) and accepted[-1] == 120
    # Whoever was away meanwhile hears of the end, whatever they saw last.
    for last in (told[0]["id"], told[-1]["id"], "unknown"):
        (only,) = events_of(client, f"{TASKS}/{number}/events", last)
        assert (only["event"], only["id"]) == ("ended", told[-1]["id"])
    (present,) = events_of(client, "/api/v1/events", most=1)
    assert [one["id"] for one in present["data"]["tasks"]] == [number]
    assert code_of(client.get(f"{TASKS}/77/events"), 404) == "unknown_task"


def test_a_deleted_task_is_gone_for_who_watches(client: httpx2.Client, simulator: Running) -> None:
    number = made(client, dialogue(simulator, 3, start=False))
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(events_of, client, f"{TASKS}/{number}/events")
        until(lambda: client.get("/api/v1/health").status_code == 200)
        assert not watching.done()
        assert client.delete(f"{TASKS}/{number}").status_code == 204
        told = watching.result(10)
    assert told[-1]["event"] == "gone"


def test_lists_filter_and_bulk_tells_of_each(client: httpx2.Client, simulator: Running) -> None:
    numbers = [made(client, dialogue(simulator, 1, start=False, name=f"n{at}")) for at in range(5)]
    page = client.get(TASKS, params={"limit": 2, "search": "N"}).json()
    assert [one["id"] for one in page["items"]] == numbers[:2:-1]
    rest = client.get(TASKS, params={"limit": 9, "after": page["next"]}).json()["items"]
    assert [one["id"] for one in rest] == numbers[2::-1]
    done = client.post(f"{TASKS}/bulk", json={"action": "run", "ids": [*numbers[:2], 999]}).json()
    assert done["done"] == numbers[:2]
    assert [(one["id"], one["code"]) for one in done["refused"]] == [(999, "unknown_task")]
    queued = client.get(TASKS, params={"status": "queued"}).json()["items"]
    assert {one["id"] for one in queued} == set(numbers[:2])
    wish = {"action": "pause", "filter": {"status": "queued"}}
    assert sorted(client.post(f"{TASKS}/bulk", json=wish).json()["done"]) == numbers[:2]
    assert {one["state"] for one in client.get(TASKS).json()["items"]} == {"created", "paused"}
    gone = client.post(f"{TASKS}/bulk", json={"action": "delete", "filter": {}}).json()
    assert sorted(gone["done"]) == numbers
    assert client.get(TASKS).json()["items"] == []


def test_what_is_missing_is_said_beside_its_field(sqlite_client: httpx2.Client) -> None:
    shown = sqlite_client.post(f"{TASKS}/preview", json={"count": 5}).json()
    assert shown["ready"] is False
    places = {(one["place"], one["code"]) for one in shown["problems"]}
    assert places == {("characters", "no_character"), ("connection", "no_connection")}
    assert all("corpusmith " not in one["message"] for one in shown["problems"])
    wrong = sqlite_client.post(f"{TASKS}/preview", json={"count": 0, "turns": "x"}).json()
    assert {one["place"] for one in wrong["problems"]} == {"count", "turns"}


def test_a_preview_has_the_prompts_and_sends_nothing(
    sqlite_client: httpx2.Client, simulator: Running
) -> None:
    before = simulator.stats()["requests"]
    shown = sqlite_client.post(f"{TASKS}/preview", json=dialogue(simulator, 8)).json()
    assert (shown["ready"], shown["problems"]) == (True, [])
    assert "贺三娘" in shown["prompts"][0]["messages"][0]["content"]
    assert shown["estimate"]["calls"] >= 8
    assert simulator.stats()["requests"] == before


WRONG: list[tuple[str, str, Any, int, str]] = [
    ("POST", "", {"recipe": "nothing"}, 422, "unknown_recipe"),
    ("POST", "", {"count": "many"}, 422, "spec_fields"),
    ("POST", "", {"start": "yes?"}, 422, "spec_fields"),
    ("POST", "", [1], 422, "spec_fields"),
    ("POST", "/bulk", {"action": "run"}, 422, "spec_fields"),
    ("POST", "/bulk", {"action": "explode", "ids": [1]}, 422, "spec_fields"),
    ("POST", "/1/retry", {"kinds": []}, 422, "spec_fields"),
    ("POST", "/1/extend", {}, 422, "spec_fields"),
    ("PATCH", "/1", {"count": 5}, 422, "spec_fields"),
    ("POST", "/1/run", None, 422, "unknown_task"),
    ("GET", "/1/misses?after=eA", None, 422, "bad_cursor"),
    ("GET", "?status=odd", None, 422, "spec_fields"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), WRONG)
def test_bad_input_is_one_clear_error(
    sqlite_client: httpx2.Client, method: str, path: str, body: Any, status: int, code: str
) -> None:
    sent = {} if body is None else {"json": body}
    answer = sqlite_client.request(method, f"{TASKS}{path}", **sent)
    if code == "unknown_task":
        status = 404
    assert code_of(answer, status) == code
