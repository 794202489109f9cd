"""Scenarios over REST."""

from __future__ import annotations

import httpx2
import pytest
from api_kit import code_of

ALL = "/api/v1/scenarios"


def test_a_scenario_lives_and_dies(client: httpx2.Client) -> None:
    made = client.post(ALL, json={"name": "深夜/食堂", "weight": 0})
    assert made.status_code == 201
    expected = {"name": "深夜/食堂", "description": "", "weight": 0.0, "language": "zh"}
    assert made.json() == expected
    place = f"{ALL}/%E6%B7%B1%E5%A4%9C%2F%E9%A3%9F%E5%A0%82"
    assert client.get(place).json() == expected
    changed = client.patch(place, json={"description": "打烊前"})
    assert changed.json() == {**expected, "description": "打烊前"}
    assert client.delete(place).status_code == 204
    assert code_of(client.get(place), 404) == "unknown_scenario"


def test_lists_go_on_where_a_page_ended(client: httpx2.Client) -> None:
    for number in range(7):
        client.post(ALL, json={"name": f"s{number}", "description": "odd" if number % 2 else ""})
    first = client.get(ALL, params={"limit": 3}).json()
    assert [one["name"] for one in first["items"]] == ["s0", "s1", "s2"]
    second = client.get(ALL, params={"limit": 3, "after": first["next"]}).json()
    assert [one["name"] for one in second["items"]] == ["s3", "s4", "s5"]
    last = client.get(ALL, params={"limit": 3, "after": second["next"]}).json()
    assert [one["name"] for one in last["items"]] == ["s6"]
    assert last["next"] is None
    odd = client.get(ALL, params={"search": "ODD"}).json()
    assert [one["name"] for one in odd["items"]] == ["s1", "s3", "s5"]
    assert code_of(client.get(ALL, params={"after": "x"}), 422) == "bad_cursor"


def test_what_does_not_fit_is_said_by_field(client: httpx2.Client) -> None:
    wrong = client.post(ALL, json={"name": "", "weight": -1, "wieght": 2})
    assert code_of(wrong, 422) == "spec_fields"
    problems = wrong.json()["error"]["details"]["problems"]
    assert {one["place"] for one in problems} == {"name", "weight", "wieght"}
    client.post(ALL, json={"name": "a"})
    assert code_of(client.post(ALL, json={"name": "a"}), 409) == "scenario_exists"


@pytest.mark.parametrize("body", [{"name": "a\0b"}, {"name": "a", "description": "\0"}])
def test_what_no_database_keeps_is_refused_and_not_left_out(
    sqlite_client: httpx2.Client, body: dict[str, str]
) -> None:
    assert code_of(sqlite_client.post(ALL, json=body), 422) == "body_nul"
    assert sqlite_client.get(ALL).json()["items"] == []


@pytest.mark.parametrize("depth", [50, 300, 600, 800, 900, 980, 5000])
def test_however_deep_it_is_it_has_an_answer(sqlite_client: httpx2.Client, depth: int) -> None:
    body = '{"name": "a", "description": ' + "[" * depth + "]" * depth + "}"
    answer = sqlite_client.post(ALL, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert "Traceback" not in answer.text and answer.json()["error"]["message"]
