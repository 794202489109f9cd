"""Review over REST: queues, one record, many records, taking back."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from api_kit import code_of
from data_kit import API, chat, ended, imported

ALL = f"{API}/reviews"


def say(client: httpx2.Client, number: int, **said: Any) -> Any:
    answer = client.post(f"{ALL}/records/{number}", json=said)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_queue_goes_on_and_back_and_empties(client: httpx2.Client) -> None:
    ids = imported(client, [chat(f"问{n}") for n in range(5)], "d")
    where = {"dataset": "d", "kind": "pending", "limit": 2}
    first = client.get(f"{ALL}/queue", params=where).json()
    assert [one["record"]["id"] for one in first["items"]] == ids[:2]
    second = client.get(f"{ALL}/queue", params={**where, "after": first["after"]}).json()
    assert [one["record"]["id"] for one in second["items"]] == ids[2:4]
    back = client.get(f"{ALL}/queue", params={**where, "before": second["before"]}).json()
    assert [one["record"]["id"] for one in back["items"]] == ids[:2]
    for number in ids:
        say(client, number, state="approved")
    assert client.get(f"{ALL}/queue", params=where).json()["items"] == []
    everything = {"dataset": "d", "kind": "all"}
    assert client.get(f"{ALL}/progress", params=everything).json() == {"done": 5, "total": 5}


def test_what_is_said_of_a_record_is_kept_and_taken_back(client: httpx2.Client) -> None:
    (number,) = imported(client, [chat("问")], "d")
    look = say(client, number, state="rejected", rating=2, note="太短", add_tags=["改"])
    assert (look["own"]["state"], look["own"]["rating"], look["own"]["note"]) == (
        "rejected",
        2,
        "太短",
    )
    assert look["record"]["tags"] == ["改"]
    assert say(client, number, rating="none", remove_tags=["改"])["own"]["rating"] is None
    action = client.get(f"{ALL}/last").json()["action"]
    assert code_of(client.post(f"{ALL}/undo", json={"action": action + 1}), 409) == "undo_not_last"
    undone = client.post(f"{ALL}/undo", json={"action": action}).json()
    assert (undone["undone"], undone["first"]) == (1, number)
    assert client.get(f"{ALL}/records/{number}").json()["own"]["rating"] == 2
    client.post(f"{ALL}/undo", json={})
    assert client.get(f"{ALL}/records/{number}").json()["own"] is None
    assert code_of(client.post(f"{ALL}/undo", json={}), 404) == "nothing_to_undo"


def test_an_edit_of_somebody_else_meanwhile_is_a_conflict(client: httpx2.Client) -> None:
    (number,) = imported(client, [chat("问")], "d")
    content = {**client.get(f"{ALL}/records/{number}").json()["record"]["content"]}
    content["messages"] = [
        {"role": "user", "content": "问"},
        {"role": "assistant", "content": "新"},
    ]
    place = f"{ALL}/records/{number}"
    edited = client.put(f"{place}/content", json={"content": content, "version": 1}).json()
    assert (edited["version"], edited["content"]) == (2, content)
    content["messages"][1]["content"] = "更新"
    late = client.put(f"{place}/content", json={"content": content, "version": 1})
    assert code_of(late, 409) == "record_edited"
    review = client.post(place, json={"state": "approved", "version": 1})
    assert code_of(review, 409) == "record_edited"
    assert client.get(place).json()["own"] is None
    assert say(client, number, state="approved", version=2)["own"]["version"] == 2


def test_versions_are_listed_compared_and_restored(client: httpx2.Client) -> None:
    (number,) = imported(client, [chat("问", "旧")], "d")
    place = f"{ALL}/records/{number}"
    content = client.get(place).json()["record"]["content"]
    content["messages"][1]["content"] = "新"
    client.put(f"{place}/content", json={"content": content})
    history = client.get(f"{place}/history").json()
    assert [one["version"] for one in history["versions"]] == [1, 2]
    assert [one["action"] for one in history["events"]] == ["edit"]
    diff = client.get(f"{place}/diff", params={"old": 1}).json()
    assert (diff["old"], diff["new"]) == (1, 2)
    assert "旧" in str(diff["texts"]) and "新" in str(diff["texts"])
    back = client.post(f"{place}/restore", json={"version": 1, "expected": 2}).json()
    assert (back["version"], back["content"]["messages"][1]["content"]) == (3, "旧")
    late = client.post(f"{place}/restore", json={"version": 1, "expected": 2})
    assert code_of(late, 409) == "record_edited"
    assert code_of(client.get(f"{place}/diff", params={"old": 9}), 404) == "unknown_version"


def test_many_records_are_one_action(client: httpx2.Client) -> None:
    ids = imported(client, [chat(f"问{n}") for n in range(6)], "d")
    said = {"where": {"dataset": "d"}, "state": "approved", "expected": 6}
    job = ended(client.post(f"{ALL}/apply", json=said))
    assert (job["result"]["changed"], job["progress"]["done"]) == (6, 6)
    numbers = client.get(f"{ALL}/statistics", params={"dataset": "d"}).json()
    assert numbers["by_state"] == {"pending": 0, "approved": 6, "rejected": 0}
    some = {"ids": ids[:2], "add_tags": ["x"]}
    assert ended(client.post(f"{ALL}/apply", json=some))["result"]["changed"] == 2
    assert client.post(f"{ALL}/undo", json={}).json()["undone"] == 2
    assert client.post(f"{ALL}/undo", json={}).json()["undone"] == 6
    stale = {"where": {"dataset": "d", "state": "approved"}, "state": "rejected", "expected": 6}
    refused = client.post(f"{ALL}/apply", json=stale)
    assert code_of(refused, 409) == "selection_changed"
    assert refused.json()["error"]["details"]["count"] == 0


def test_blind_shows_nothing_of_others(client: httpx2.Client, monkeypatch: Any) -> None:
    (number,) = imported(client, [chat("问")], "d")
    monkeypatch.setenv("CORPUSMITH_REVIEWER", "anna")
    say(client, number, state="rejected", rating=1)
    monkeypatch.setenv("CORPUSMITH_REVIEWER", "bert")
    blind = client.get(f"{ALL}/records/{number}").json()
    assert (blind["record"]["state"], blind["record"]["rating"]) == ("pending", None)
    assert (blind["own"], blind["others"]) == (None, None)
    seeing = client.get(f"{ALL}/records/{number}", params={"blind": False}).json()
    assert seeing["record"]["state"] == "rejected"
    assert [one["reviewer"] for one in seeing["others"]] == ["anna"]
    say(client, number, state="rejected", rating=2)
    found = client.get(f"{ALL}/agreement", params={"dataset": "d"}).json()
    assert found["reviewers"]["reviewers"] == ["anna", "bert"]
    assert found["reviewers"]["common"] == 1


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        ({}, "review_nothing", 422),
        ({"rating": 6}, "spec_fields", 422),
        ({"rating": "3"}, "spec_fields", 422),
        ({"state": "good"}, "spec_fields", 422),
        ({"add_tags": ["a,b"]}, "review_tag", 422),
        ({"add_tags": ["a"], "remove_tags": ["a"]}, "review_tag_both", 422),
        ({"note": "x" * 5001}, "spec_fields", 422),
        ({"state": "approved", "reviewer": "boss"}, "spec_fields", 422),
    ],
)
def test_what_cannot_be_said_is_refused(
    sqlite_client: httpx2.Client, body: dict[str, Any], code: str, status: int
) -> None:
    (number,) = imported(sqlite_client, [chat("问")], "d")
    assert code_of(sqlite_client.post(f"{ALL}/records/{number}", json=body), status) == code
    assert sqlite_client.get(f"{ALL}/last").json() == {"action": None}


@pytest.mark.parametrize(
    ("params", "code", "status"),
    [
        ({}, "task_or_dataset", 422),
        ({"dataset": "d", "task": 1}, "task_or_dataset", 422),
        ({"dataset": "no"}, "unknown_dataset", 404),
        ({"dataset": "d", "kind": "best"}, "spec_fields", 422),
        ({"dataset": "d", "kind": "sample"}, "review_percent_needed", 422),
        ({"dataset": "d", "percent": 5}, "review_percent_only", 422),
        ({"dataset": "d", "after": "'; drop"}, "review_cursor", 422),
        ({"dataset": "d", "flag": "nothing"}, "flag_unknown", 422),
        ({"dataset": "d", "limit": 0}, "spec_fields", 422),
    ],
)
def test_a_queue_that_makes_no_sense_is_refused(
    sqlite_client: httpx2.Client, params: dict[str, Any], code: str, status: int
) -> None:
    sqlite_client.post(f"{API}/datasets", json={"name": "d"})
    assert code_of(sqlite_client.get(f"{ALL}/queue", params=params), status) == code


def test_a_record_that_is_not_there(sqlite_client: httpx2.Client) -> None:
    for answer in (
        sqlite_client.get(f"{ALL}/records/7"),
        sqlite_client.post(f"{ALL}/records/7", json={"state": "approved"}),
        sqlite_client.put(f"{ALL}/records/7/content", json={"content": {}}),
        sqlite_client.get(f"{ALL}/records/7/history"),
        sqlite_client.get(f"{ALL}/records/{10**18 - 1}"),
    ):
        assert code_of(answer, 404) == "unknown_record"
    assert code_of(sqlite_client.get(f"{ALL}/records/{10**20}"), 404) == "no_such_page"
