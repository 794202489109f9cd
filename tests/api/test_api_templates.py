"""Templates over REST, and what there is to choose from."""

from __future__ import annotations

import json
from email.message import Message
from typing import Any

import httpx2
import pytest
from api_kit import code_of

from answering import Answer, answering, chat
from corpusmith import registry

ALL = "/api/v1/templates"
PROMPT = 'Write about {topic}: {"question": "…", "answer": "…"}'


def test_a_template_has_versions_and_differences(client: httpx2.Client) -> None:
    made = client.post(ALL, json={"name": "问答", "prompt": PROMPT, "keep": ["topic"]})
    assert made.status_code == 201, made.text
    assert (made.json()["version"], made.json()["language"]) == (1, "en")
    changed = client.patch(f"{ALL}/问答", json={"temperature": 0.5, "description": "x"})
    assert changed.json()["version"] == 2 and changed.json()["prompt"] == PROMPT
    assert client.patch(f"{ALL}/问答", json={"temperature": 0.5}).json()["version"] == 2
    away = client.patch(f"{ALL}/问答", json={"temperature": None}).json()
    assert (away["version"], away["temperature"]) == (3, None)
    versions = client.get(f"{ALL}/问答/versions").json()["items"]
    assert [one["version"] for one in versions] == [1, 2, 3]
    diff = client.get(f"{ALL}/问答/diff", params={"old": 1, "new": 2}).json()
    assert "+temperature: 0.5" in diff["diff"] and (diff["old"], diff["new"]) == (1, 2)
    assert client.get(f"{ALL}/问答", params={"version": 1}).json()["temperature"] is None
    assert client.post(f"{ALL}/问答@1/copy", json={"name": "again"}).json()["version"] == 1
    assert client.post(f"{ALL}/again/rename", json={"name": "qa2"}).json()["name"] == "qa2"
    assert code_of(client.post(f"{ALL}/qa2/rename", json={"name": "问答"}), 409)
    assert "prompt:" in client.get(f"{ALL}/qa2/file").text
    assert [one["name"] for one in client.get(ALL).json()["items"]] == ["qa2", "问答"]
    assert client.delete(f"{ALL}/问答").status_code == 204
    assert code_of(client.get(f"{ALL}/问答"), 404) == "unknown_template"


def test_shipped_ones_are_copied_and_stay_as_they_are(sqlite_client: httpx2.Client) -> None:
    names = [one["name"] for one in sqlite_client.get("/api/v1/shipped/templates").json()["items"]]
    assert "qa" in names
    assert code_of(sqlite_client.patch(f"{ALL}/qa", json={"prompt": "x"}), 422)
    assert code_of(sqlite_client.delete(f"{ALL}/qa"), 422) == "template_shipped"
    assert sqlite_client.post(f"{ALL}/qa.zh/copy", json={"name": "mine"}).status_code == 201
    assert sqlite_client.get(f"{ALL}/qa.zh/about").json()["variables"]


def test_an_editor_is_told_as_one_types(sqlite_client: httpx2.Client) -> None:
    def told(**fields: Any) -> Any:
        answer = sqlite_client.post(f"{ALL}/check", json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    good = told(name="a", prompt=PROMPT + " {count} {current_date}", vars={"topic": ["tea"]})
    assert good["variables"] == {"topic": "default", "count": "task", "current_date": "built_in"}
    assert good["problem"] is None and good["shape"] == "example"
    assert set(good["sample"]["properties"]) == {"question", "answer"}
    nameless = told(prompt="About {topic}")
    assert nameless["variables"] == {"topic": "given"} and nameless["problem"]["code"]
    assert told()["problem"]["code"] == "spec_fields"
    unused = told(name="a", prompt="About {topic}", vars={"topik": 1})
    assert unused["problem"]["code"].startswith("template_default_unused")
    assert unused["variables"] == {"topic": "given"}
    assert told(name="a", prompt="x", schema={"type": 7})["problem"]["code"]


def test_one_sample_is_made_of_a_template_that_is_not_saved(client: httpx2.Client) -> None:
    asked: list[Any] = []

    def endpoint(headers: Message, body: bytes) -> Answer:
        asked.append(json.loads(body))
        return chat('{"question": "q", "answer": "a"}')

    with answering(endpoint) as address:
        connection = {"name": "c", "base_url": f"{address}/v1", "model": "m"}
        client.post("/api/v1/connections", json=connection)
        template = {"name": "new", "prompt": PROMPT}
        body = {"template": template, "connection": "c", "vars": {"topic": "tea"}}
        made = client.post(f"{ALL}/test", json=body)
        missing = client.post(f"{ALL}/test", json={**body, "vars": {}})
        shipped = client.post(f"{ALL}/qa/test", json={"connection": "c", "vars": {"topic": "tea"}})
    assert made.status_code == 200, made.text
    assert made.json()["sample"] == {"question": "q", "answer": "a"}
    assert made.json()["messages"][-1]["content"].startswith("Write about tea")
    assert made.json()["message"] is None and made.json()["spend"]["calls"] == 1
    assert missing.status_code == 422 and "topic" in missing.json()["error"]["message"]
    assert shipped.status_code == 200


def test_lists_without_a_limit_have_everything(opened: Any, store_url: str) -> None:
    from corpusmith.service.studio import Studio

    studio = Studio.over(opened(store_url), "en")
    for number in range(60):
        studio.templates.add({"name": f"t{number:02}", "prompt": "x"})
        studio.store.datasets.add(_dataset(f"d{number:02}"))
    assert len(studio.templates.list()) == len(studio.datasets.list()) == 60
    assert [one.name for one in studio.datasets.list(limit=2, after="d57")] == ["d58", "d59"]
    assert [one.name for one in studio.templates.list(limit=1, after="t58")] == ["t59"]


def _dataset(name: str) -> Any:
    from corpusmith.nouns import Dataset

    return Dataset(name=name)


# ---------------------------------------------------------------- what there is to choose from


@pytest.mark.parametrize("language", ["en", "zh"])
def test_recipes_checks_and_formats_are_all_described(
    sqlite_client: httpx2.Client, language: str
) -> None:
    for place, kind in (("recipes", "recipe"), ("checks", "check"), ("formats", "exporter")):
        items = sqlite_client.get(f"/api/v1/{place}", params={"lang": language}).json()["items"]
        assert set(registry.names(kind)) <= {one["name"] for one in items}  # type: ignore[arg-type]
        for one in items:
            chinese = any("\u4e00" <= sign <= "\u9fff" for sign in one["help"])
            assert one["help"] and chinese == (language == "zh"), one
    length = next(
        one
        for one in sqlite_client.get("/api/v1/checks").json()["items"]
        if one["name"] == "length"
    )
    assert {"min_chars", "max_chars"} <= {one["name"] for one in length["options"]}


@pytest.mark.parametrize("recipe", registry.names("form"))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_recipes_form_says_each_field(
    sqlite_client: httpx2.Client, recipe: str, language: str
) -> None:
    place = f"/api/v1/recipes/{recipe}/fields"
    found = sqlite_client.get(place, params={"lang": language}).json()
    fields = found["fields"]["properties"]
    assert "output" not in fields and "output_dir" not in fields
    assert [name for name, one in fields.items() if not one.get("description")] == []
    assert fields["temperature"]["anyOf"][0]["maximum"] == 2
    assert set(found["presets"]) == {"high_quality", "fast", "creative"}
    for one in fields.values():
        assert "corpusmith " not in one["description"] and "--" not in one["description"]


def test_domains_and_rubrics_and_their_starters(sqlite_client: httpx2.Client) -> None:
    domains = sqlite_client.get("/api/v1/domains").json()["items"]
    assert domains[0]["name"] == "short_video"
    assert sqlite_client.get("/api/v1/domains/short_video").json()["name"] == "short_video"
    started = sqlite_client.get("/api/v1/starters/domain", params={"name": "tea"})
    assert started.headers["content-type"].startswith("text/plain") and "tea" in started.text
    assert code_of(sqlite_client.get("/api/v1/domains/nothing"), 404) == "domain_unknown"
    rubrics = sqlite_client.get("/api/v1/rubrics").json()["items"]
    name = rubrics[0]["name"]
    assert sqlite_client.get(f"/api/v1/rubrics/{name}").json() == rubrics[0]
    assert "dimensions" in sqlite_client.get(f"/api/v1/rubrics/{name}/file").text
    assert code_of(sqlite_client.get("/api/v1/rubrics/nothing"), 404) == "unknown_rubric"
    assert code_of(sqlite_client.get("/api/v1/recipes/nothing/fields"), 422) == "unknown_recipe"


def test_an_uploaded_domain_and_card_are_used_by_their_number(
    sqlite_client: httpx2.Client,
) -> None:
    starter = sqlite_client.get("/api/v1/starters/domain", params={"name": "tea"}).content
    up = sqlite_client.post("/api/v1/uploads", files={"file": ("tea.yaml", starter)}).json()
    found = sqlite_client.get(f"/api/v1/domains/upload:{up['id']}")
    assert found.status_code == 200 and found.json()["name"] == "tea"
