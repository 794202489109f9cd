"""An export of more records than are counted unasked: its page begins at once, and counts all when
it is asked to."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from api_kit import served
from data_kit import API, chat, imported
from machine_kit import said

from corpusmith.api.serving import Serving
from corpusmith.service.export_head import SAMPLE_ROWS
from corpusmith.web.app import create_app
from corpusmith.web.pages import transfer

MOST = SAMPLE_ROWS + 500
"""In place of 20,000: what is counted unasked. More than what is looked at to see how it begins."""
LOOK = "/datasets/d/export/look"
TWICE = [{"role": "user", "content": "问"}, {"role": "user", "content": "还是问"}]


@pytest.fixture
def many(opened: Any, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx2.Client]:
    """Two records more than are counted unasked; the last one is what no trainer takes."""
    monkeypatch.setattr(transfer, "COUNTED_MOST", MOST)
    app = create_app(Serving(store=opened(sqlite_url), language="en"))
    with served(app) as client:
        imported(client, [chat("问"), {"messages": TWICE}], "d")
        _repeat(Path(sqlite_url.removeprefix("sqlite:///")), MOST)
        yield client


def _repeat(path: Path, times: int) -> None:
    """The first record, so many times more, before the second one."""
    with closing(sqlite3.connect(path)) as file:
        names = [row[1] for row in file.execute("PRAGMA table_info(records)")]
        file.execute("UPDATE records SET ordinal = ?, id = ? WHERE id = 2", [10**6, 10**6])
        apart = {"id": "n + 1", "ordinal": "n"}
        columns = ", ".join(f'"{one}"' for one in names)
        values = ", ".join(apart.get(one, f'"{one}"') for one in names)
        file.execute(
            "WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < ?)"
            f" INSERT INTO records ({columns}) SELECT {values} FROM records, more WHERE id = 1",
            [times],
        )
        file.commit()


def tiles(page: str) -> list[str]:
    return [re.sub(r"<[^>]*>", "", one).strip() for one in re.findall(r"<dd.*?</dd>", page, re.S)]


def test_a_page_counts_all_rows_when_it_is_asked_to(many: httpx2.Client) -> None:
    asked = {"format": "messages", "state": "any", "on_refused": "stop"}
    first = many.get(LOOK, params=asked)
    assert first.status_code == 200
    # The head says nothing of a record that stands behind it, and does not pretend to.
    assert f"{LOOK}?every=1" in first.text and 'id="download"' in first.text
    assert "#1000000" not in first.text
    assert tiles(first.text)[1] == "—"

    whole = many.get(LOOK, params={**asked, "every": "1"})
    assert whole.status_code == 200
    assert f"{LOOK}?every=1" not in whole.text
    assert "#1000000" in whole.text and 'id="download"' not in whole.text
    assert tiles(whole.text)[:2] == [f"{MOST + 1:,}"] * 2

    skipping = many.get(LOOK, params={**asked, "on_refused": "skip", "every": "1"})
    assert 'id="download"' in skipping.text
    assert tiles(skipping.text)[1] == f"{MOST + 1:,}"

    # The preview over REST and the file agree.
    body = {"dataset": "d", "format": "messages", "on_refused": "skip"}
    counts = said(many, "/exports/preview", body)["counts"]
    assert (counts["records"], counts["rows"]) == (MOST + 1, MOST + 1)
    assert sum(counts["refused"].values()) == 1
    assert list(counts["refused_records"].values()) == [[10**6]]
    lines = many.post(f"{API}/exports", json=body).text.splitlines()
    assert len(lines) == MOST + 1 > SAMPLE_ROWS
