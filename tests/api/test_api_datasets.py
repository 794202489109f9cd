"""Datasets over REST."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from api_kit import code_of
from data_kit import API, chat, dialogue, imported

ALL = f"{API}/datasets"


def test_a_dataset_lives_and_dies(client: httpx2.Client) -> None:
    made = client.post(ALL, json={"name": "客服/对话", "description": "第一批", "language": "zh"})
    assert made.status_code == 201
    expected = {
        "name": "客服/对话",
        "description": "第一批",
        "language": "zh",
        "records": 0,
        "characters": [],
        "scenarios": [],
    }
    assert made.json() == expected
    place = f"{ALL}/%E5%AE%A2%E6%9C%8D%2F%E5%AF%B9%E8%AF%9D"
    renamed = client.patch(place, json={"name": "客服", "description": "改过"})
    assert renamed.json() == {**expected, "name": "客服", "description": "改过"}
    assert code_of(client.get(place), 404) == "unknown_dataset"
    assert client.delete(f"{ALL}/客服").status_code == 204
    assert client.get(ALL).json()["items"] == []


def test_characters_and_scenarios_are_bound_and_unbound(client: httpx2.Client) -> None:
    client.post(f"{API}/characters", json={"name": "林"})
    for name in ("日常", "雨天"):
        client.post(f"{API}/scenarios", json={"name": name})
    body = {"name": "d", "characters": ["林"], "scenarios": {"日常": 2}}
    made = client.post(ALL, json=body).json()
    assert (made["characters"], made["scenarios"]) == (["林"], [{"name": "日常", "weight": 2.0}])
    more = client.post(f"{ALL}/d/bind", json={"scenarios": {"雨天": 0.5, "日常": 3}}).json()
    assert more["scenarios"] == [{"name": "日常", "weight": 3.0}, {"name": "雨天", "weight": 0.5}]
    less = client.post(f"{ALL}/d/unbind", json={"scenarios": ["日常"], "characters": ["林"]})
    assert (less.json()["characters"], len(less.json()["scenarios"])) == ([], 1)
    gone = client.post(f"{ALL}/d/unbind", json={"characters": ["林"]})
    assert code_of(gone, 404) == "not_bound"
    fresh = client.put(f"{ALL}/d/bindings", json={"characters": ["林"]}).json()
    assert (fresh["characters"], fresh["scenarios"]) == (["林"], [])


def test_lists_count_records_and_go_on(client: httpx2.Client) -> None:
    imported(client, [chat("一"), chat("二")], "b")
    for name in ("a", "c"):
        client.post(ALL, json={"name": name})
    first = client.get(ALL, params={"limit": 2}).json()
    assert [(one["name"], one["records"]) for one in first["items"]] == [("a", 0), ("b", 2)]
    last = client.get(ALL, params={"limit": 2, "after": first["next"]}).json()
    assert [one["name"] for one in last["items"]] == ["c"]
    assert last["next"] is None


def test_statistics_add_up(client: httpx2.Client) -> None:
    rows = [dialogue(f"问{n}", "日常" if n % 3 else "雨天") for n in range(9)]
    ids = imported(client, rows, "d")
    for number in ids[:4]:
        client.post(f"{API}/reviews/records/{number}", json={"state": "approved", "rating": 4})
    found = client.get(f"{ALL}/d/statistics").json()
    assert found["total"] == 9
    assert found["by_state"] == {"pending": 5, "approved": 4, "rejected": 0}
    assert found["scenarios"] == [{"name": "日常", "count": 6}, {"name": "雨天", "count": 3}]
    assert {one["start"]: one["count"] for one in found["ratings"] if one["count"]} == {4.0: 4}
    assert sum(one["count"] for one in found["lengths"]) == 9
    assert found["flagged"] == 0


def test_a_dataset_with_records_goes_only_with_them(client: httpx2.Client) -> None:
    imported(client, [chat("一")], "d")
    # The import's task writes to it.
    assert code_of(client.delete(f"{ALL}/d"), 409) == "in_use"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "spec_fields"),
        ({"name": ""}, "spec_fields"),
        ({"name": "a\u0000b"}, "body_nul"),
        ({"name": "a", "scenarios": {"x": -1}}, "spec_fields"),
        ({"name": "a", "scenarios": ["x"]}, "spec_fields"),
        ({"name": "a", "language": "fr"}, "spec_fields"),
        ({"name": "a", "more": 1}, "spec_fields"),
    ],
)
def test_what_does_not_fit_is_refused(
    sqlite_client: httpx2.Client, body: dict[str, Any], code: str
) -> None:
    assert code_of(sqlite_client.post(ALL, json=body), 422) == code
    assert sqlite_client.get(ALL).json()["items"] == []


def test_a_taken_name_and_an_unknown_scenario(sqlite_client: httpx2.Client) -> None:
    for name in ("a", "b"):
        sqlite_client.post(ALL, json={"name": name})
    assert code_of(sqlite_client.post(ALL, json={"name": "a"}), 409) == "dataset_exists"
    assert code_of(sqlite_client.patch(f"{ALL}/a", json={"name": "b"}), 409) == "dataset_exists"
    unknown = sqlite_client.post(f"{ALL}/a/bind", json={"scenarios": {"没有": 1}})
    assert code_of(unknown, 404) == "unknown_scenario"
