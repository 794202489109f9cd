"""An evaluation from Python, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from corpusmith import Studio
from corpusmith.errors import UsageError
from corpusmith.service.judged import Judged
from corpusmith.simulator import Running, SimulatorConfig, run_in_thread
from corpusmith.values import Json

CARD = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig()) as running:
        yield running


def test_an_evaluation_gives_the_records_of_a_dataset_their_scores_and_changes_nothing_else(
    store_url: str, endpoint: Running
) -> None:
    connection = {"base_url": f"{endpoint.url}/v1", "model": "any"}
    with Studio(store_url, language="en") as studio:
        studio.generate(characters=[str(CARD)], count=6, seed=1, connection=connection, dataset="d")
        before = list(studio.store.records.iterate(dataset="d"))
        result = studio.generate(
            recipe="evaluate",
            of={"dataset": "d", "sample": 4},
            rubric="dialogue",
            connection=connection,
        )
        found = studio.evaluations.of(result.task_id)
        assert (found.of, found.requested, found.scored, found.simulated) == (
            "dataset:d", 4, 4, True,
        )  # fmt: skip
        scores = {row["id"]: row["overall"] for row in studio.evaluations.scores(result.task_id)}
        places = [[record.id for record in before].index(one) for one in scores]
        assert (len(places), places) == (4, sorted(places))
        after = list(studio.store.records.iterate(dataset="d"))
        assert after == [replace(one, score=scores.get(one.id)) for one in before]
        with pytest.raises(UsageError) as caught:
            studio.evaluations.of(1)
        assert caught.value.data == {"task": 1, "recipe": "dialogue"}


def test_rows_that_become_fewer_while_they_are_read_are_said_to() -> None:
    counted: list[Json] = [{"id": n, "content": {}} for n in range(100)]
    rows = Judged(lambda: iter(counted))
    assert (len(rows), rows[-1]["id"], rows[99]["id"]) == (100, 99, 99)
    assert [row["id"] for row in rows[30:34]] == [30, 31, 32, 33]
    with pytest.raises(IndexError):
        rows[100]
    del counted[50:]
    with pytest.raises(UsageError) as caught:
        list(rows)
    assert caught.value.data == {"counted": 100, "now": 50}
