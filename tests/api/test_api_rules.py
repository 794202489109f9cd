"""What holds for every route: hosts, origins, headers, errors, languages."""

from __future__ import annotations

import httpx2
import pytest
from api_kit import code_of

SCENARIOS = "/api/v1/scenarios"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.", ""])
def test_a_foreign_host_is_refused(sqlite_client: httpx2.Client, host: str) -> None:
    assert code_of(sqlite_client.get(SCENARIOS, headers={"Host": host}), 400) == "foreign_host"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
    ],
)
def test_what_changes_things_from_elsewhere_is_refused(
    sqlite_client: httpx2.Client, headers: dict[str, str]
) -> None:
    answer = sqlite_client.post(SCENARIOS, json={"name": "a"}, headers=headers)
    assert code_of(answer, 403) == "foreign_origin"
    assert sqlite_client.get(SCENARIOS).json()["items"] == []


def test_our_own_pages_may(sqlite_client: httpx2.Client) -> None:
    headers = {"Origin": str(sqlite_client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert sqlite_client.post(SCENARIOS, json={"name": "a"}, headers=headers).status_code == 201


def test_answers_bind_the_browser(sqlite_client: httpx2.Client) -> None:
    for path in (SCENARIOS, "/nowhere"):
        headers = sqlite_client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_a_wrong_value_never_comes_back(sqlite_client: httpx2.Client) -> None:
    canary = "sk-canary-0123456789"
    for body in ({"name": [canary]}, {"name": "a", "weight": canary}, {"name": "a", canary: 1}):
        answer = sqlite_client.post(SCENARIOS, json=body)
        assert answer.status_code == 422
        assert canary not in answer.text or canary in body  # a field's own name is told
    assert canary not in sqlite_client.get(SCENARIOS, params={"limit": canary}).text
    broken = sqlite_client.post(
        SCENARIOS,
        content=b'{"name": "' + canary.encode(),
        headers={"Content-Type": "application/json"},
    )
    assert code_of(broken, 422) == "body_no_json"
    assert canary not in broken.text


def test_errors_speak_the_language_that_was_asked_for(sqlite_client: httpx2.Client) -> None:
    def said(**given: dict[str, str]) -> str:
        text: str = sqlite_client.get(f"{SCENARIOS}/x", **given).json()["error"]["message"]  # type: ignore[arg-type]
        return text

    english = said()
    assert ("x" in english and english.isascii() is False) or "There is no" in english
    chinese = said(headers={"Accept-Language": "fr, zh-CN;q=0.9, en;q=0.5"})
    assert "x" in chinese and chinese != english
    assert said(params={"lang": "zh"}) == chinese
    assert said(headers={"Cookie": "corpusmith_lang=zh"}) == chinese


def test_a_large_body_is_refused(sqlite_client: httpx2.Client) -> None:
    large = {"name": "a", "description": "x" * (17 * 1024 * 1024)}
    assert code_of(sqlite_client.post(SCENARIOS, json=large), 413) == "body_too_large"


def test_an_unknown_place_and_method(sqlite_client: httpx2.Client) -> None:
    assert code_of(sqlite_client.get("/api/v1/nothing"), 404) == "no_such_page"
    assert code_of(sqlite_client.put(SCENARIOS), 405) == "wrong_method"
