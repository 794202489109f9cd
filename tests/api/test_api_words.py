"""Names that look like words of the API, and what is rationed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from api_kit import code_of
from fastapi.routing import APIRoute

from corpusmith.api.app import ROUTES
from corpusmith.api.limits import _counted
from corpusmith.service.studio import Studio
from corpusmith.web.nav import PAGES

API = "/api/v1"
DEAR = {
    *("test_unsaved_connection", "models_of_unsaved_connection", "test_connection"),
    *("connection_models", "chat_with_model", "chat_with_character", "import_characters"),
    *("test_template", "test_unsaved_template", "add_upload", "import_upload", "preview_import"),
    *("export", "preview_export", "download_export", "download_backup", "restore_backup"),
}
"""Operations that ask a model, or carry much."""
DEAR_PAGES = {
    *("try_connection_form", "models_of_connection_form", "try_connection_by_page"),
    *("test_template_form", "say_to_character", "say_to_connection", "import_characters_by_page"),
    "models_for_task",
}
CHEAP = {"check_template", "schema_of_sample", "preview_character", "preview_task"}
"""They look costly and call nothing."""


def routes() -> Iterator[APIRoute]:
    for name in ROUTES:
        for one in import_module(f"corpusmith.api.routes.{name}").router.routes:
            if isinstance(one, APIRoute):
                yield one


def page_routes() -> Iterator[APIRoute]:
    for group in PAGES:
        for one in import_module(f"corpusmith.web.pages.{group.name}").router.routes:
            if isinstance(one, APIRoute):
                yield one


def rationed(route: APIRoute) -> bool:
    return any(one.dependency is _counted for one in route.dependencies)


def test_no_fixed_word_of_the_api_hides_a_name() -> None:
    hidden = []
    for named in routes():
        pieces = named.path.split("/")
        for other in routes():
            others = other.path.split("/")
            if len(others) != len(pieces) or not (other.methods & named.methods):
                continue
            differ = [(a, b) for a, b in zip(pieces, others, strict=True) if a != b]
            if differ and all(":noun}" in a and "{" not in b for a, b in differ):
                hidden.append((named.path, other.path))
    assert hidden == []


@pytest.mark.parametrize("word", ["shipped", "import", "preview", "chat", "test", "presets", "-"])
def test_nouns_may_be_called_like_words_of_the_api(client: httpx2.Client, word: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "scenarios": {"name": word},
        "characters": {"name": word},
        "templates": {"name": word, "prompt": "x {topic}"},
        "connections": {"name": word, "base_url": "http://127.0.0.1:9/v1", "model": "m"},
        "datasets": {"name": word},
    }
    for noun, body in bodies.items():
        made = client.post(f"{API}/{noun}", json=body)
        assert made.status_code == 201, made.text
        place = f"{API}/{noun}/{quote(word, safe='')}"
        assert client.get(place).json()["name"] == word
        assert [one["name"] for one in client.get(f"{API}/{noun}").json()["items"]] == [word]
        change = {"model": "n"} if noun == "connections" else {"description": "changed"}
        assert client.patch(place, json=change).status_code == 200
        assert client.delete(place).status_code == 204
        assert client.get(place).status_code == 404


def test_what_is_shipped_has_a_place_of_its_own(sqlite_client: httpx2.Client) -> None:
    for noun in ("characters", "scenarios", "templates", "endpoints"):
        items = sqlite_client.get(f"{API}/shipped/{noun}").json()["items"]
        assert len(items) > 3 and all(one["name"] for one in items)
    spoken = [
        sqlite_client.get(f"{API}/shipped/templates", params={"language": language}).json()
        for language in ("en", "zh")
    ]
    assert spoken[0] != spoken[1]
    assert code_of(sqlite_client.get(f"{API}/shipped/nothing"), 404) == "no_such_page"


def test_everything_dear_is_rationed() -> None:
    known = {one.name: one for one in routes()}
    assert set(known) >= DEAR | CHEAP
    assert {name for name in DEAR if not rationed(known[name])} == set()
    assert {name for name in CHEAP if rationed(known[name])} == set()
    pages = {one.name: one for one in page_routes()}
    assert set(pages) >= DEAR_PAGES
    assert {name for name in DEAR_PAGES if not rationed(pages[name])} == set()


def test_old_versions_come_back_over_rest(client: httpx2.Client) -> None:
    client.post(f"{API}/templates", json={"name": "a", "prompt": "one"})
    client.patch(f"{API}/templates/a", json={"prompt": "two"})
    back = client.post(f"{API}/templates/a/restore", json={"version": 1}).json()
    assert (back["version"], back["prompt"]) == (3, "one")
    missing = client.post(f"{API}/templates/a/restore", json={"version": 9})
    assert code_of(missing, 404) == "unknown_template_version"
    sample = {"sample": '{"q": "…", "n": 1-5} // so'}
    schema = client.post(f"{API}/templates/schema", json=sample).json()
    assert {name: one["type"] for name, one in schema["properties"].items()} == {
        "q": "string",
        "n": "integer",
    }
    bad = client.post(f"{API}/templates/schema", json={"sample": "nothing"})
    assert code_of(bad, 422) == "template_sample_unreadable"
    told = client.post(f"{API}/templates/check", json={"prompt": "{ a } {b}"}).json()
    assert [one["kind"] for one in told["doubts"]] == ["blank"]


def test_a_test_of_a_template_is_nobodys_to_take(store_url: str, opened: Any) -> None:
    """A worker beside the server, on the same database, leaves it alone."""
    from answering import answering, chat
    from running_kit import working

    asked: list[bytes] = []
    seen: list[int] = []
    store = opened(store_url)
    studio = Studio.over(store, "en")

    def endpoint(headers: Any, body: bytes) -> Any:
        import time

        asked.append(body)
        # Longer than a worker waits between two looks at the queue.
        time.sleep(1.5)
        seen.append(len(store.queue.waiting()))
        return chat('{"q": "a"}')

    with answering(endpoint) as address, working(store_url):
        studio.connections.add("c", base_url=f"{address}/v1", model="m")
        made = studio.templates.test(
            studio.templates.unsaved({"name": "n", "prompt": 'say {"q": "…"}'}), connection="c"
        )
    assert (made.sample, made.spend.calls) == ({"q": "a"}, 1)
    assert (len(asked), seen) == (1, [0])
    assert store.tasks.list(limit=5) == []
