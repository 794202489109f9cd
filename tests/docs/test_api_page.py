"""The page of the REST API: made anew it is the same, in both languages, and says what is so."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import api_page  # noqa: E402
import api_walk  # noqa: E402

_HEADING = re.compile(r"^### (\w+) (\S+)$", re.M)
_STATUS = re.compile(r"^`(\d{3})`", re.M)


def texts(name: str) -> Any:
    return json.loads((ROOT / "docs/api" / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def spec() -> Any:
    return api_page.description()[0]


def operations(spec: Any) -> dict[str, tuple[str, str, Any]]:
    return {
        one["operationId"]: (method.upper(), path.removeprefix("/api/v1"), one)
        for path, methods in spec["paths"].items()
        for method, one in methods.items()
    }


@pytest.mark.timeout(240)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_what_the_server_says(language: str) -> None:
    made = api_page.page(language)
    assert made == api_page.PAGES[language].read_text("utf-8"), "run scripts/api-page"


def test_every_operation_has_a_chinese_text_and_no_other_does(spec: Any) -> None:
    assert set(texts("operations.zh.json")) == set(operations(spec))
    assert all(re.search(r"[\u4e00-\u9fff]", one) for one in texts("operations.zh.json").values())
    assert all(re.search(r"[\u4e00-\u9fff]", one) for one in texts("fields.zh.json").values())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_operation_is_there_with_a_status_that_it_may_have(spec: Any, language: str) -> None:
    page = api_page.PAGES[language].read_text("utf-8")
    parts = _HEADING.split(page)[1:]
    found = {(parts[n], parts[n + 1]): parts[n + 2] for n in range(0, len(parts), 3)}
    wanted = {(method, path): one for method, path, one in operations(spec).values()}
    assert set(found) == set(wanted)
    shown = 0
    for place, text in found.items():
        for status in _STATUS.findall(text.partition("\n## ")[0]):
            assert status in wanted[place]["responses"], (place, status)
            assert status < "400"
            shown += 1
    assert shown > 140


def test_groups_have_a_name_in_both_languages(spec: Any) -> None:
    assert {one["tags"][0] for _, _, one in operations(spec).values()} <= set(api_page.TITLES)


def test_nothing_of_this_machine_stands_on_the_page() -> None:
    for page in api_page.PAGES.values():
        text = page.read_text("utf-8")
        assert "/tmp/" not in text and "corpusmith-api-" not in text
        assert not re.search(r"csm_\w", text)
        assert set(re.findall(r"127\.0\.0\.1:(\d+)", text)) <= {"8321", "8099"}


def test_values_are_fixed() -> None:
    walk = api_walk.Walk(1, "http://127.0.0.1:5", "en")
    told = {"at": "2031-05-06T07:08:09.123Z", "id": "ab" * 10, "latency_s": 3.2, "n": 3}
    assert walk.fixed(told) == {
        "at": api_walk.MOMENT,
        "id": "0" * 19 + "1",
        "latency_s": 0.01,
        "n": 3,
    }
