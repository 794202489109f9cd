"""Cleaning, kept reports, kept backups, one's sessions and the journal over REST."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from access_kit import WORD, House, house
from api_kit import code_of
from data_kit import API, chat, ended, imported

from corpusmith.store.store import SqlStore

REFUSAL = "抱歉，我无法回答这个问题。"
WAIT = {"wait": 30}


@pytest.fixture
def home(store: SqlStore) -> Iterator[House]:
    with house(store) as found:
        yield found


def rows() -> list[dict[str, Any]]:
    """Eight: two refusals, two alike, one with a phone number."""
    good = [chat(f"第{n}个问题", f"这是第{n}个回答，说得很清楚。") for n in range(3)]
    bad = [chat("甲", REFUSAL), chat("乙", REFUSAL)]
    alike = [chat("同样的问题", "同样的回答，一字不差。")] * 2
    return [*good, *bad, *alike, chat("电话", "请打 13812345678 找我。")]


def looked(client: httpx2.Client, **body: Any) -> dict[str, Any]:
    answer = client.post(f"{API}/cleanings", json={"dataset": "d", **body}, params=WAIT)
    job: dict[str, Any] = ended(answer)
    return job


def count(client: httpx2.Client, dataset: str) -> Any:
    """How many records it has, whoever reviewed them."""
    return client.get(f"{API}/records/count", params={"dataset": dataset}).json()["count"]


def told_of(client: httpx2.Client, number: int) -> str:
    """Its content as it is now."""
    return json.dumps(client.get(f"{API}/records/{number}").json()["record"]["content"])


def state_of(client: httpx2.Client, number: int) -> Any:
    return client.get(f"{API}/records/{number}").json()["record"]["state"]


# ---------------------------------------------------------------- cleaning


def test_bad_records_are_found_rejected_and_taken_back(client: httpx2.Client) -> None:
    ids = imported(client, rows(), "d")
    client.post(f"{API}/reviews/records/{ids[0]}", json={"state": "rejected", "rating": 1})
    job = looked(client, rejected=True, max_rating=2, checks=["refusal", "duplicates"])
    found = job["result"]
    assert (found["looked"], found["good"], found["found"]) == (8, 4, 4)
    assert sum(one["counted"] for one in found["groups"]) == 4
    by_name = {one["check"]: one for one in found["groups"]}
    assert {name: one["records"] for name, one in by_name.items()} == {
        "rejected": 1,
        "max_rating": 1,
        "refusal": 2,
        "duplicates": 1,
    }
    place = f"{API}/cleanings/{job['id']}"
    group = by_name["refusal"]["number"]
    page = client.get(f"{place}/groups/{group}", params={"limit": 1}).json()
    rest = client.get(f"{place}/groups/{group}", params={"after": page["next"]}).json()
    assert [one["record"] for one in (*page["items"], *rest["items"])] == ids[3:5]
    assert rest["next"] is None and REFUSAL in page["items"][0]["preview"]
    said = client.get(f"{place}/groups/{by_name['max_rating']['number']}").json()["items"]
    assert [(one["record"], one["text"]) for one in said] == [(ids[0], "A rating of at most 2.0.")]

    body = {"action": "reject", "groups": [group]}
    done = ended(client.post(f"{place}/apply", json=body, params=WAIT))["result"]
    assert (done["count"], done["changed"], done["unchanged"], done["gone"]) == (2, 2, 0, 0)
    assert [state_of(client, one) for one in ids[3:5]] == ["rejected", "rejected"]
    client.post(f"{API}/records/undo", json={"action": done["action_id"]})
    assert [state_of(client, one) for one in ids[3:5]] == ["pending", "pending"]

    both = {"action": "delete", "groups": [group, by_name["duplicates"]["number"]]}
    done = ended(client.post(f"{place}/apply", json=both, params=WAIT))["result"]
    assert (done["count"], done["changed"]) == (3, 3)
    assert count(client, "d") == 5
    (removal,) = done["removals"]
    assert client.post(f"{API}/records/undo", json={"removal": removal}).status_code == 200
    assert count(client, "d") == 8


@pytest.mark.parametrize("checks", [["personal_data"], {"personal_data": {"action": "flag"}}])
def test_what_checks_find_is_noted_and_masked(sqlite_client: httpx2.Client, checks: Any) -> None:
    client = sqlite_client
    ids = imported(client, rows(), "d")
    place = f"{API}/cleanings/{looked(client, checks=checks)['id']}/apply"
    done = ended(client.post(place, json={"action": "flag"}, params=WAIT))["result"]
    assert (done["count"], done["changed"], done["unchanged"]) == (8, 8, 0)
    done = ended(client.post(place, json={"action": "mask"}, params=WAIT))["result"]
    assert (done["count"], done["changed"]) == (1, 1)
    assert "13812345678" not in told_of(client, ids[7])
    client.post(f"{API}/reviews/undo", json={"action": done["action_id"]})
    assert "13812345678" in told_of(client, ids[7])


def test_what_a_look_and_its_deeds_refuse(sqlite_client: httpx2.Client) -> None:
    client = sqlite_client
    imported(client, rows(), "d")
    place = f"{API}/cleanings"
    refused: list[tuple[dict[str, Any], str]] = [
        ({"dataset": "d"}, "clean_nothing_asked"),
        ({"dataset": "d", "checks": "none"}, "clean_nothing_asked"),
        ({"dataset": "d", "checks": []}, "clean_nothing_asked"),
        ({"dataset": "d", "checks": ["judge"]}, "check_asks"),
        ({"dataset": "d", "shorter_than": 0}, "spec_fields"),
        ({"dataset": "d", "checks": {"length": {"min": "few"}}}, ""),
    ]
    for body, code in refused:
        found = code_of(client.post(place, json=body), 422)
        assert found == code or not code
    assert code_of(client.post(place, json={"dataset": "x", "flagged": True}), 404)
    number = looked(client, checks="refusal")["id"]
    deeds: list[tuple[dict[str, Any], int, str]] = [
        ({"action": "reject"}, 422, "clean_groups"),
        ({"action": "flag", "groups": [1]}, 422, "clean_groups"),
        ({"action": "tag", "groups": [1]}, 422, "clean_tags"),
        ({"action": "reject", "groups": [1], "tags": ["x"]}, 422, "clean_tags"),
        ({"action": "reject", "groups": [9]}, 404, "unknown_group"),
        ({"action": "remove", "groups": [1]}, 422, "spec_fields"),
    ]
    for body, status, code in deeds:
        assert code_of(client.post(f"{place}/{number}/apply", json=body), status) == code
    nowhere = client.post(f"{place}/{'0' * 20}/apply", json={"action": "flag"})
    assert code_of(nowhere, 404) == "unknown_job"
    assert code_of(client.get(f"{place}/{number}/groups/9"), 404) == "unknown_group"
    other = ended(client.post(f"{API}/reports", json={"dataset": "d"}, params=WAIT))["id"]
    assert code_of(client.get(f"{place}/{other}/groups/1"), 404) == "unknown_job"


# ---------------------------------------------------------------- reports that are kept


def test_a_report_is_kept_read_in_three_forms_and_forgotten(client: httpx2.Client) -> None:
    imported(client, rows(), "客服/对话")
    place = f"{API}/datasets/%E5%AE%A2%E6%9C%8D%2F%E5%AF%B9%E8%AF%9D/reports"
    assert client.get(place).json()["items"] == []
    kept = ended(client.post(place, json={"state": "pending", "seed": 3}, params=WAIT))["result"]
    assert client.get(place).json()["items"] == [kept]
    told = client.get(f"{place}/{kept['id']}")
    assert told.headers["content-type"] == "application/json"
    assert (told.json()["records"], told.json()["seed"]) == (8, 3)
    page = client.get(f"{place}/{kept['id']}", params={"form": "html", "lang": "zh"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-disposition"].startswith("attachment; ")
    assert "客服/对话" in page.text
    assert client.get(f"{place}/{kept['id']}", params={"form": "md"}).text.startswith("#")
    for wrong in ("nothing", "..%2F..%2Fx", "20260101T000000000000-00000000"):
        assert code_of(client.get(f"{place}/{wrong}"), 404) == "unknown_report"
    assert client.delete(f"{place}/{kept['id']}").status_code == 204
    assert code_of(client.delete(f"{place}/{kept['id']}"), 404) == "unknown_report"
    assert client.get(place).json()["total"] == 0


# ---------------------------------------------------------------- backups that are kept


def test_a_backup_is_made_looked_into_put_back_and_deleted(client: httpx2.Client) -> None:
    imported(client, rows(), "d")
    place = f"{API}/backups"
    kept = ended(client.post(place, params=WAIT))["result"]
    assert (kept["origin"], client.get(place).json()["items"]) == ("made", [kept])
    name = f"{place}/{kept['name']}"
    look = client.get(name).json()
    assert (look["file"], look["obstacle"]) == (kept, None)
    rows_of = {one["table"]: (one["there"], one["here"]) for one in look["tables"]}
    assert rows_of["records"] == (8, 8)
    body = client.get(f"{name}/file").content
    assert len(body) == kept["bytes"] and zipfile.ZipFile(io.BytesIO(body)).testzip() is None

    imported(client, [chat("新的")], "later")
    done = ended(client.post(f"{name}/restore", params=WAIT))["result"]
    assert {one["name"] for one in client.get(f"{API}/datasets").json()["items"]} == {"d"}
    assert count(client, "d") == 8
    saved = client.get(f"{place}/{done['saved']}").json()
    assert (saved["file"]["origin"], saved["users"]) == ("before_restore", 0)
    ended(client.post(f"{place}/{done['saved']}/restore", params=WAIT))
    assert count(client, "later") == 1

    upload = client.post(f"{API}/uploads", files={"file": ("b.zip", body)}).json()["id"]
    taken = client.post(f"{place}/take", json={"upload": upload})
    assert (taken.status_code, taken.json()["origin"]) == (201, "uploaded")
    assert client.get(f"{API}/uploads/{upload}").status_code == 404
    assert client.delete(name).status_code == 204
    assert code_of(client.delete(name), 404) == "unknown_backup"


def test_what_is_no_backup_is_not_kept(sqlite_client: httpx2.Client) -> None:
    client = sqlite_client
    sent = client.post(f"{API}/uploads", files={"file": ("b.zip", b"no zip at all")}).json()["id"]
    assert client.post(f"{API}/backups/take", json={"upload": sent}).status_code == 422
    assert client.get(f"{API}/backups").json()["items"] == []
    assert code_of(client.get(f"{API}/backups/..%2Fstore.db"), 404) == "unknown_backup"
    assert code_of(client.post(f"{API}/backups/x.zip/restore"), 404) == "unknown_backup"


# ---------------------------------------------------------------- sessions


def test_one_sees_and_ends_ones_own_sessions_and_no_others(home: House) -> None:
    first, second, other = home.log_in("emil"), home.log_in("emil"), home.log_in("rosa")
    own = first.get(f"{API}/me/sessions").json()["items"]
    assert sorted(one["this"] for one in own) == [False, True]
    assert set(own[0]) == {"key", "created_at", "used_at", "this"}
    (strange,) = other.get(f"{API}/me/sessions").json()["items"]
    origin = {"Origin": str(first.base_url).rstrip("/")}
    place = f"{API}/me/sessions"
    wrong = first.delete(f"{place}/{strange['key']}", headers=origin)
    assert code_of(wrong, 404) == "unknown_session"
    (away,) = [one["key"] for one in own if not one["this"]]
    assert first.delete(f"{place}/{away}", headers=origin).status_code == 204
    assert second.get(f"{API}/me").status_code == 401
    (mine,) = first.get(place).json()["items"]
    ended_now = first.delete(f"{place}/{mine['key']}", headers=origin)
    assert ended_now.status_code == 204 and "Max-Age=0" in ended_now.headers["set-cookie"]
    assert first.get(place).status_code == 401
    assert other.get(f"{API}/me").json()["name"] == "rosa"
    made = other.post(f"{API}/tokens", json={"name": "t", "scope": "read"}, headers=origin)
    token = {"Authorization": f"Bearer {made.json()['secret']}"}
    assert home.client.get(place, headers=token).json()["items"] == []
    assert WORD not in json.dumps(own)


# ---------------------------------------------------------------- many reviews by number


def test_many_reviews_by_number_are_as_many_as_were_seen(client: httpx2.Client) -> None:
    ids = imported(client, rows(), "d")
    place = f"{API}/reviews/apply"
    body = {"ids": [*ids[:3], ids[0]], "state": "approved"}
    for wrong in (0, 2, 4):
        refused = client.post(place, json={**body, "expected": wrong})
        assert code_of(refused, 409) == "selection_changed"
        details = refused.json()["error"]["details"]
        assert (details["count"], details["expected"]) == (3, wrong)
    assert {state_of(client, one) for one in ids} == {"pending"}
    done = ended(client.post(place, json={**body, "expected": 3}, params=WAIT))["result"]
    assert (done["changed"], done["unchanged"], done["gone"]) == (3, 0, 0)
