"""What a form would put over somebody else's work, or take from another dataset; and the words of a
task that waits. Asked without a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from web_kit import furnished, listening

from corpusmith.api.serving import Serving
from corpusmith.nouns import Dataset
from corpusmith.service.studio import Studio
from corpusmith.store.open import open_store
from corpusmith.store.store import SqlStore
from corpusmith.web.pages.transfer import _lines

House = tuple[httpx2.Client, SqlStore]
ONE, OTHER = "one/甲", "other"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("covering")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORPUSMITH_HOME", str(folder / "home"))
        store = open_store(f"sqlite:///{folder / 'covering.db'}")
        for name in (ONE, OTHER):
            store.datasets.add(Dataset(name=name, description="first", language="en"))
        with (
            furnished(Serving(store=store, language="en")) as app,
            listening(app) as url,
            httpx2.Client(base_url=url, trust_env=False, timeout=30) as client,
        ):
            client.headers["Origin"] = url
            yield client, store
        store.close()


def seen(client: httpx2.Client, path: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]{32})"', client.get(path).text)
    assert found, path
    return found[1]


@pytest.mark.parametrize(
    ("path", "fields", "field", "values"),
    [
        (f"/datasets/{quote(OTHER)}", {"name": OTHER, "language": "en"}, "description", "ab"),
        ("/settings/storage", {}, "journal_days", ("40", "50")),
    ],
)
def test_what_somebody_else_changed_is_not_covered_unasked(
    house: House, path: str, fields: dict[str, str], field: str, values: tuple[str, str]
) -> None:
    client, _ = house
    old = seen(client, path)
    first = client.post(path, data={**fields, field: values[0], "seen": old})
    assert first.status_code == 303, first.text[:2000]
    late = client.post(path, data={**fields, field: values[1], "seen": old})
    assert late.status_code in (409, 422) and "changed since you opened" in late.text
    assert re.search(rf'(>\s*|value="){values[1]}[<"]', late.text)  # what was typed
    now = re.search(r'name="seen" value="([0-9a-f]{32})"', late.text)
    assert now and now[1] == seen(client, path) != old
    again = client.post(path, data={**fields, field: values[1], "seen": now[1]})
    assert again.status_code == 303


def test_a_look_is_of_its_own_dataset(house: House) -> None:
    client, _ = house
    place = f"/datasets/{quote(ONE, safe='')}/quality/clean"
    made = client.post(place, data={"shorter_than": "5"})
    address = made.headers["location"]
    assert made.status_code == 303 and client.get(address).status_code == 200
    wrong = address.replace(quote(ONE, safe=""), OTHER)
    for answer in (
        client.get(wrong),
        client.get(f"{wrong}/group/1"),
        client.post(f"{wrong}/apply", data={"action": "flag"}),
    ):
        assert answer.status_code == 409
        assert "looked at the dataset “one/甲”, not at “other”" in answer.text
    said = client.get(wrong, headers={"Accept-Language": "zh"})
    assert "查看的是数据集“one/甲”，不是“other”" in said.text


def test_a_task_that_waits_says_so_at_home_and_is_watched(house: House) -> None:
    client, store = house
    assert 'hx-trigger="every 2s"' not in client.get("/home/live").text
    studio = Studio.over(store, "en")
    fields = {
        "connection": {"base_url": "http://127.0.0.1:9/v1", "model": "m"},
        "characters": ["贺三娘"],
        "scenarios": ["日常对话"],
        "count": 1,
    }
    first, _ = studio.tasks.submit(fields, start=False)
    for _ in range(12):
        studio.tasks.submit(fields, start=False)
    look = studio.overview.look()
    assert [one.state for one in look.recent] == ["created"] * 5 and not look.queued
    studio.tasks.queue(first.id)
    live = client.get("/home/live").text
    assert 'hx-trigger="every 2s"' in live
    assert live.count("Waiting") == 1 and live.count("Not started") == 5
    told = client.get("/api/v1/overview").json()
    assert [one["id"] for one in told["queued"]] == [first.id] and told["running"] == []
    assert first.id not in [one["id"] for one in told["recent"]]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "'=1"])
def test_a_list_of_refused_rows_has_no_formula(text: str) -> None:
    assert b"'" + text.encode() in _lines([text])
