"""Connections over REST: their keys never come back and go nowhere unasked."""

from __future__ import annotations

import json
from email.message import Message
from typing import Any

import httpx2
import pytest
from api_kit import code_of

from answering import Answer, answering, as_json, chat
from corpusmith.api.access import Scope
from corpusmith.api.app import create_app
from corpusmith.api.serving import Serving
from corpusmith.service.studio import Studio

ALL = "/api/v1/connections"
CANARY = "sk-canary-9f8e7d6c5b4a"


def _endpoint(headers: Message, body: bytes) -> Answer:
    if headers.get("Authorization") != f"Bearer {CANARY}":
        return as_json({"error": {"message": "no", "code": "invalid_api_key"}}, 401)
    if not body:
        return as_json({"object": "list", "data": [{"id": "m1"}, {"id": "m2"}]})
    asked = json.loads(body)
    return chat('{"word": "ready"}' if "response_format" in asked else "ready")


def test_a_connection_lives_and_its_key_is_never_seen(client: httpx2.Client) -> None:
    with answering(_endpoint) as address:
        fields = {"name": "深度/求索", "base_url": f"{address}/v1", "model": "m1", "rpm": 60}
        fields["headers"] = {"X-Secret": CANARY + "-header"}
        made = client.post(ALL, json={**fields, "key": CANARY})
        assert made.status_code == 201, made.text
        assert made.json()["key"] == "stored" and made.json()["key_present"] is True
        assert made.json()["headers"] == ["X-Secret"]
        place = f"{ALL}/%E6%B7%B1%E5%BA%A6%2F%E6%B1%82%E7%B4%A2"
        answers = [
            made,
            client.get(ALL),
            client.get(place),
            client.patch(place, json={"rpm": None, "model": "m2"}),
            client.post(f"{place}/test"),
            client.get(f"{place}/models"),
            client.put(f"{place}/key", json={"key": CANARY}),
            client.post(ALL, json={**fields, "key": CANARY}),
            client.put(f"{place}/key", json={"key": [CANARY]}),
            client.put(f"{place}/key", json={"kye": CANARY, "key": ""}),
            client.patch(place, json={"base_url": "http://127.0.0.1:9/v1"}),
        ]
    assert [one.status_code for one in answers] == [
        201,
        200,
        200,
        200,
        200,
        200,
        204,
        409,
        422,
        422,
        409,
    ]
    for one in answers:
        assert CANARY not in one.text and CANARY not in str(one.headers)
    changed = answers[3].json()
    assert changed["limits"]["requests_per_min"] is None and changed["model"] == "m2"
    assert answers[5].json() == {"items": ["m1", "m2"]}
    steps = {step["name"]: step["status"] for step in answers[4].json()["steps"]}
    assert steps == dict.fromkeys(
        ("reachable", "key", "models", "reply", "structured", "speed"), "ok"
    )
    assert answers[4].json()["ok"] is True
    assert client.delete(f"{place}/key").status_code == 204
    assert client.get(place).json()["key"] == "none"
    assert client.delete(place).status_code == 204
    assert code_of(client.get(place), 404) == "unknown_connection"


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "http://127.0.0.1:9/v1"},
        {"provider": "deepseek"},
        {"proxy": "http://127.0.0.1:9"},
    ],
)
def test_a_key_goes_nowhere_else_unasked(
    sqlite_client: httpx2.Client, change: dict[str, Any]
) -> None:
    client = sqlite_client
    client.post(ALL, json={"name": "a", "base_url": "http://127.0.0.1:1/v1", "key": CANARY})
    assert code_of(client.patch(f"{ALL}/a", json=change), 409) == "key_again"
    assert client.get(f"{ALL}/a").json()["base_url"] == "http://127.0.0.1:1/v1"
    assert client.patch(f"{ALL}/a", json={"model": "other"}).status_code == 200
    assert client.patch(f"{ALL}/a", json={**change, "key": "sk-another"}).status_code == 200
    assert client.get(f"{ALL}/a").json()["key"] == "stored"


def test_headers_and_a_variables_key_go_nowhere_else_unasked(
    sqlite_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sqlite_client
    monkeypatch.setenv("MY_API_KEY", CANARY)
    client.post(ALL, json={"name": "a", "base_url": "http://127.0.0.1:1/v1", "headers": {"X": "s"}})
    moved = {"base_url": "http://127.0.0.1:2/v1"}
    assert code_of(client.patch(f"{ALL}/a", json=moved), 409) == "key_again"
    assert client.patch(f"{ALL}/a", json={**moved, "headers": {}}).status_code == 200
    fields = {"name": "b", "base_url": "http://127.0.0.1:1/v1", "api_key_env": "MY_API_KEY"}
    made = client.post(ALL, json=fields).json()
    assert (made["key"], made["key_present"]) == ("environment", True)
    assert code_of(client.patch(f"{ALL}/b", json=moved), 409) == "key_again"


def test_a_trial_says_which_step_failed_and_why(sqlite_client: httpx2.Client) -> None:
    with answering(_endpoint) as address:
        body = {"base_url": f"{address}/v1", "model": "m1"}
        wrong = sqlite_client.post(f"{ALL}/test", json={**body, "key": "sk-wrong-key"}).json()
        right = sqlite_client.post(f"{ALL}/test", json={**body, "key": CANARY}).json()
        models = sqlite_client.post(f"{ALL}/models", json={**body, "key": CANARY}).json()
    away = sqlite_client.post(f"{ALL}/test", json={**body, "base_url": "http://127.0.0.1:1/v1"})
    assert right["ok"] is True and right["models"] == models["items"] == ["m1", "m2"]
    found = {step["name"]: (step["status"], step["error"]) for step in wrong["steps"]}
    assert wrong["ok"] is False
    assert found["reachable"] == ("ok", None)
    assert found["key"][0] == "failed" and found["key"][1]["code"]
    assert found["structured"] == ("skipped", None)
    statuses = [step["status"] for step in away.json()["steps"]]
    assert statuses == ["failed", "skipped", "failed", "failed", "skipped", "skipped"]
    missing = sqlite_client.post(f"{ALL}/test", json={"provider": "deepseek"}).json()
    assert [step["status"] for step in missing["steps"]][1] == "failed"
    assert "sk-wrong-key" not in str(wrong)


def test_an_editor_names_no_variable_of_the_server_for_an_address_of_theirs(
    opened: Any, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api_kit import served

    monkeypatch.setenv("SERVER_SECRET", CANARY)
    store = opened(sqlite_url)
    tokens = Studio.over(store, "en").tokens
    evil = {"base_url": "http://127.0.0.1:1/v1", "api_key_env": "SERVER_SECRET"}

    def come_as(scope: Scope) -> None:
        client.headers["Authorization"] = f"Bearer {tokens.add(scope, scope=scope).secret}"

    with served(create_app(Serving(store=store, language="en"))) as client:
        come_as("edit")
        for path in (ALL, f"{ALL}/test", f"{ALL}/models"):
            body = {**evil, "name": "a"} if path == ALL else evil
            assert code_of(client.post(path, json=body), 422) == "variable_not_here"
        assert client.post(ALL, json={"name": "usual", "provider": "deepseek"}).status_code == 201
        told = client.patch(f"{ALL}/usual", json={"api_key_env": "SERVER_SECRET"})
        assert code_of(told, 422) == "variable_not_here"
        again = client.patch(f"{ALL}/usual", json={**evil, "api_key_env": "DEEPSEEK_API_KEY"})
        assert code_of(again, 422) == "variable_not_here"
        del client.headers["Authorization"]
        assert client.post(ALL, json={**evil, "name": "mine"}).status_code == 201
        come_as("read")
        assert code_of(client.post(ALL, json={"name": "b"}), 403) == "not_allowed"
        assert client.get(ALL).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": ""}, "spec_fields"),
        ({"name": "a", "provider": "nobody"}, "unknown_provider"),
        ({"name": "a", "base_url": "file:///etc/passwd"}, None),
        ({"name": "a", "base_url": "http://user:pw@x/v1"}, None),
        ({"name": "a", "proxy": "http://user:pw@x:1"}, "bad_proxy"),
        ({"name": "a", "headers": {"X: y\r\nZ": "1"}}, "spec_fields"),
        ({"name": "a", "headers": {"X": "1\r\nZ: 2"}}, "spec_fields"),
        ({"name": "a", "ca_file": "/etc/hostname"}, "spec_fields"),
        ({"name": "a", "rpm": 0}, "spec_fields"),
        ({"name": "a\u0007"}, "bad_name"),
    ],
)
def test_what_is_no_connection_is_refused(
    sqlite_client: httpx2.Client, body: dict[str, Any], code: str | None
) -> None:
    answer = sqlite_client.post(ALL, json=body)
    assert 400 <= answer.status_code < 500, answer.text
    assert code is None or answer.json()["error"]["code"] == code
    assert "pw" not in answer.text
    assert sqlite_client.get(ALL).json()["items"] == []


def test_presets_are_told(sqlite_client: httpx2.Client) -> None:
    found = sqlite_client.get("/api/v1/shipped/endpoints").json()["items"]
    assert {"openai", "gemini", "anthropic"} <= {one["name"] for one in found}
    assert all(one["base_url"].startswith("http") for one in found)


@pytest.mark.parametrize("number", ["9" * 400, "-" + "9" * 30, "1e400", "NaN"])
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (ALL, '{"name": "a", "base_url": "http://127.0.0.1:9/v1", "extra": {"b": [%s]}}'),
        ("/api/v1/tasks", '{"recipe": "dialogue", "count": 1, "start": false, "extra": {"b": %s}}'),
    ],
)
def test_a_number_that_cannot_be_kept_is_refused_and_hides_no_others(
    sqlite_client: httpx2.Client, path: str, fields: str, number: str
) -> None:
    answer = sqlite_client.post(
        path, content=fields % number, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    if path == ALL:
        assert code_of(answer, 422) == "body_number"
    assert sqlite_client.get(path).json()["items"] == []
