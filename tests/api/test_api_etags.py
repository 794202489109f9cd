"""`ETag` and `If-Match`: a change is not put over another one that nobody looked at."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from api_kit import code_of

API = "/api/v1"
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "scenarios": ({"name": "甲/乙"}, {"description": "新"}),
    "characters": ({"name": "甲/乙"}, {"personality": "新"}),
    "templates": ({"name": "甲 乙", "prompt": "写{x}"}, {"prompt": "再写{x}"}),
    "connections": ({"name": "甲/乙", "base_url": "https://a.example/v1"}, {"model": "新"}),
    "datasets": ({"name": "甲/乙", "language": "zh"}, {"description": "新"}),
}


def place_of(noun: str) -> str:
    return f"{API}/{noun}/{CHANGES[noun][0]['name'].replace('/', '%2F')}"


@pytest.mark.parametrize("noun", CHANGES)
def test_what_changed_since_it_was_read_is_neither_changed_nor_deleted(
    sqlite_client: httpx2.Client, noun: str
) -> None:
    client, place = sqlite_client, place_of(noun)
    new, change = CHANGES[noun]
    assert client.post(f"{API}/{noun}", json=new).status_code == 201
    read = client.get(place)
    old = {"If-Match": read.headers["etag"]}
    assert client.get(place).headers["etag"] == read.headers["etag"]
    done = client.patch(place, json=change, headers=old)
    assert done.status_code == 200, done.text
    fresh = client.get(place)
    assert done.headers["etag"] == fresh.headers["etag"] != read.headers["etag"]

    late = client.patch(place, json=change, headers=old)
    assert code_of(late, 412) == "changed_since"
    assert late.headers["corpusmith-error"] == "ChangedSince"
    assert code_of(client.delete(place, headers=old), 412) == "changed_since"
    assert client.get(place).json() == fresh.json()

    assert client.delete(place, headers={"If-Match": fresh.headers["etag"]}).status_code == 204
    assert client.delete(place, headers={"If-Match": "*"}).status_code == 404


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [("", "", 200), ("W/", "", 200), ('"x", ', "", 200), ("x", "", 412), ('"x" W/"y"', None, 412)],
)
def test_a_tag_is_read_as_proxies_and_lists_write_it(
    sqlite_client: httpx2.Client, before: str, after: str | None, status: int
) -> None:
    client, place = sqlite_client, place_of("scenarios")
    tag = client.post(f"{API}/scenarios", json=CHANGES["scenarios"][0]) and client.get(place)
    own = "" if after is None else tag.headers["etag"]
    wish = before + (own.strip('"') if before == "x" else own)
    answer = client.patch(place, json={"weight": 3}, headers={"If-Match": wish})
    assert answer.status_code == status, answer.text


def test_bindings_count_as_a_change_and_records_do_not(sqlite_client: httpx2.Client) -> None:
    client, place = sqlite_client, place_of("datasets")
    client.post(f"{API}/datasets", json=CHANGES["datasets"][0])
    old = {"If-Match": client.get(place).headers["etag"]}
    rows = b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n'
    upload = client.post(f"{API}/uploads", files={"file": ("r.jsonl", rows)}).json()["id"]
    body = {"upload": f"upload:{upload}", "dataset": CHANGES["datasets"][0]["name"]}
    client.post(f"{API}/imports", json=body, params={"wait": 30})
    assert client.get(place).json()["records"] == 1
    bound = client.put(f"{place}/bindings", json={"scenarios": {"日常对话": 2}}, headers=old)
    assert bound.status_code == 200
    late = client.put(f"{place}/bindings", json={"scenarios": {}}, headers=old)
    assert code_of(late, 412) == "changed_since"
    assert client.get(place).headers["etag"] == bound.headers["etag"] != old["If-Match"]


def test_the_document_tells_of_the_tag_and_the_refusal(sqlite_client: httpx2.Client) -> None:
    paths = sqlite_client.get(f"{API}/openapi.json").json()["paths"]
    for noun in CHANGES:
        methods = paths[f"{API}/{noun}/{{name}}"]
        assert "ETag" in methods["get"]["responses"]["200"]["headers"]
        assert "412" not in methods["get"]["responses"]
        for method in ("patch", "delete"):
            names = [one["name"] for one in methods[method]["parameters"]]
            assert "If-Match" in names and "412" in methods[method]["responses"], (noun, method)
