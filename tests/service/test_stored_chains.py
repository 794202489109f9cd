"""Chains that a server keeps: what becomes of one when it is begun again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpusmith.service import stored_chains
from corpusmith.service.studio import Studio


@pytest.fixture
def studio(store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Studio]:
    monkeypatch.setenv("CORPUSMITH_HOME", str(tmp_path / "home"))
    with Studio(store_url) as found:
        yield found


def imports(folder: Path, *names: str) -> dict[str, Any]:
    """A chain of imports that need nothing of each other."""
    file = folder / "rows.jsonl"
    file.write_text('{"text": "一"}\n{"text": "二"}\n', "utf-8")
    return {
        "name": "c",
        "steps": [
            {"name": one, "recipe": "import", "file": str(file), "dataset": one} for one in names
        ],
    }


def linked(studio: Studio, chain: int) -> list[bool]:
    """Of each step whether it has a task."""
    return [one.task is not None for one in studio.stored_chains.get(chain).steps]


def test_one_that_is_begun_again_is_stopped_and_its_copies_are_replaced(
    studio: Studio, tmp_path: Path
) -> None:
    wish, kept = imports(tmp_path, "a", "b"), studio.stored_chains
    first = kept.add(wish)
    kept.run(first.id)
    kept.advance(first.id, "me")
    assert linked(studio, first.id) == [True, False] and first.id in kept.wanted()
    fresh = kept.add(wish, again=True)
    assert fresh.id != first.id and first.id not in kept.wanted()
    assert linked(studio, fresh.id) == [False, False]
    kept.run(fresh.id)
    for _ in range(3):
        kept.advance(fresh.id, "me")
    assert kept.get(fresh.id).state == "finished"
    assert studio.datasets.counts(["a", "b"]) == {"a": 2, "b": 2}


def test_a_driver_of_the_former_makes_no_step_of_the_one_that_is_begun_again(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish, kept = imports(tmp_path, "a", "b"), studio.stored_chains
    first = kept.add(wish)
    kept.run(first.id)
    kept.advance(first.id, "me")
    planned = stored_chains.plan_of
    begun: list[int] = []

    def between(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(stored_chains, "plan_of", planned)
        begun.append(kept.add(wish, again=True).id)
        return planned(*given, **more)

    monkeypatch.setattr(stored_chains, "plan_of", between)
    kept.advance(first.id, "me")
    assert linked(studio, begun[0]) == [False, False]
    assert linked(studio, first.id) == [True, False]
    view = kept.get(first.id)
    assert view.state == "stopped" and view.cause is not None
    assert view.cause.code == "chain_replaced"
