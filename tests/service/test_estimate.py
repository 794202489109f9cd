"""The estimate of a task: exact in calls, and near in tokens where the rows differ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpusmith.service.studio import Studio

ENDPOINT = {"base_url": "http://127.0.0.1:9/v1", "model": "any"}
PROMPT = 'Sum up: {text} {"summary": "…"}'


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with Studio(db=f"sqlite:///{tmp_path / 'store.db'}", language="en") as one:
        yield one


def _estimate(studio: Studio, **fields: Any) -> Any:
    found = studio.tasks.preview({"recipe": "template", "connection": ENDPOINT, **fields})
    return found.estimate


def test_a_short_first_row_does_not_speak_for_the_long_ones(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    texts = ["short", *["word " * 800] * 999]
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    found = _estimate(studio, template={"prompt": PROMPT}, input=str(file))
    assert found.calls == 1000
    assert 900_000 < found.prompt_tokens < 1_100_000


def test_a_last_request_for_less_is_counted_as_less(studio: Studio) -> None:
    prompt = 'Write {count} riddles: [{"text": "…"}]'
    one, several = (
        _estimate(studio, template={"prompt": prompt}, count=count, per_request=10)
        for count in (1, 21)
    )
    assert (several.calls, several.completion_tokens) == (3, 21 * one.completion_tokens)


def test_every_combination_of_values_is_in_the_estimate(studio: Studio) -> None:
    values = {"text": [f"{n} " * n for n in range(1, 601)]}
    found = _estimate(studio, template={"prompt": PROMPT}, vars=values, count=1200)
    assert found.calls == 1200
    assert found.prompt_tokens > 1200 * 100
