"""What a server keeps and forgets, beside the store and over REST; one scenario on Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from remote_kit import site
from test_remote_same import chats, fields

from corpusmith import Studio
from corpusmith.errors import NotFound, UsageError
from corpusmith.service.archive import opened
from corpusmith.service.chain_file import StepError
from corpusmith.service.cleaning import Signals
from corpusmith.service.cleaning_acts import by_checks, by_hand
from corpusmith.simulator.thread import Running
from corpusmith.values import HIDDEN, Selection

DAY_S = 86_400.0


@pytest.fixture
def over_postgres(postgres_url: str) -> Iterator[Studio]:
    """A Studio that asks a server, whose store is Postgres."""
    with site(postgres_url) as server, server.studio() as found:
        yield found


def test_reports_are_kept(studio: Studio, tmp_path: Path) -> None:
    studio.imports.run(chats(tmp_path / "rows.jsonl", 6), "d/雨")
    seen: list[tuple[int, int]] = []
    first = studio.kept_reports.make("d/雨", show=lambda done, total: seen.append((done, total)))
    second = studio.kept_reports.make("d/雨", only=Selection(state="approved"), seed=3)
    assert list(studio.kept_reports.list("d/雨")) == [second, first]
    whole, part = (studio.kept_reports.get("d/雨", one.id) for one in (first, second))
    assert (whole.records, whole.name, part.records) == (6, "d/雨", 0) and whole.findings
    assert studio.reports.page(whole).startswith("<!")
    studio.kept_reports.delete("d/雨", first.id)
    assert [one.id for one in studio.kept_reports.list("d/雨")] == [second.id]
    for name, kept in (("d/雨", first.id), ("x", second.id)):
        with pytest.raises(NotFound):
            studio.kept_reports.get(name, kept)


def test_bad_records_are_found_and_dealt_with(studio: Studio, tmp_path: Path) -> None:
    studio.imports.run(chats(tmp_path / "rows.jsonl", 6), "d")
    with pytest.raises(UsageError) as nothing:
        studio.cleaning.look("d", folder=tmp_path)
    assert nothing.value.reason == "clean_nothing_asked"
    checks = {"length": {"min_chars": 60}}
    found = studio.cleaning.look(
        "d", folder=tmp_path, signals=Signals(shorter_than=40), checks=checks
    )
    assert (found.looked, found.good + found.found) == (6, 6)
    assert sum(one.counted for one in found.groups) == found.found > 0
    assert [one.signal for one in found.groups] == [True, False]
    short = found.groups[0]
    rows, more = studio.cleaning.findings(tmp_path, short.number, limit=1)
    assert len(rows) == 1 and rows[0].preview and rows[0].record == short.samples[0].record
    if more is not None:
        rest, _ = studio.cleaning.findings(tmp_path, short.number, after=more)
        assert len(rest) == short.records - 1
    ids = studio.cleaning.found(tmp_path, [one.number for one in found.groups])
    assert len(ids) == len(set(ids)) == found.found
    gone = by_hand(studio, "delete", ids)
    assert (gone.count, gone.changed, len(gone.removals)) == (len(ids), len(ids), 1)
    assert studio.records.count(Selection(dataset="d")).count == found.good
    flagged = by_checks(studio, "flag", "d", {"length": {"min_chars": 500}})
    assert flagged.count == found.good


def test_backups_of_the_server_are_made_and_looked_at(studio: Studio, tmp_path: Path) -> None:
    studio.imports.run(chats(tmp_path / "rows.jsonl", 3), "d")
    made = studio.backups.make()
    assert studio.backups.list() == [made] and studio.backups.get(made.name) == made
    look = studio.backups.look(made.name)
    rows = {one.table: (one.there, one.here) for one in look.tables}
    assert rows["records"] == (3, 3) and look.obstacle is None and look.file == made
    here = studio.backups.save(made.name, tmp_path / "here.zip")
    assert here.stat().st_size == made.bytes and here.stat().st_mode & 0o777 == 0o600
    with opened(here) as archive:
        assert {one.about: one.rows for one in archive.contents.tables}["records"] == 3
    before = here.read_bytes()
    with pytest.raises(UsageError) as caught:
        studio.backups.save(made.name, here)
    assert caught.value.reason == "backup_exists" and here.read_bytes() == before
    studio.backups.delete(made.name)
    assert studio.backups.list() == []
    for gone in (studio.backups.look, lambda name: studio.backups.save(name, tmp_path / "no.zip")):
        with pytest.raises(NotFound):
            gone(made.name)
    assert sorted(one.name for one in tmp_path.iterdir() if "zip" in one.name) == ["here.zip"]


def test_paid_calls_are_let_go(studio: Studio, simulator: Running) -> None:
    task = studio.generate(**fields(simulator, count=2)).task_id
    look = studio.retention.prune_journal(0, dry_run=True)
    assert look.found.calls > 0 and (look.deleted, look.found.tasks) == (0, 1)
    assert studio.retention.prune_journal(30 * DAY_S).deleted == 0
    gone = studio.retention.prune_journal(0, compact=True)
    assert gone.deleted == gone.found.calls == look.found.calls and gone.size_after.total > 0
    assert studio.tasks.get(task).counts.accepted == 2


def test_a_server_tells_whole_days_and_its_own_time() -> None:
    with Studio("http://127.0.0.1:9") as studio:
        for given in ({"older_than_s": 3600.0}, {"older_than_s": 0, "now": 1.0}):
            with pytest.raises(UsageError) as refused:
                studio.retention.prune_journal(**given)
            assert refused.value.reason == "not_over_rest"


def chain(simulator: Running, tmp_path: Path) -> dict[str, Any]:
    own = {name: one for name, one in fields(simulator, count=3).items() if name != "connection"}
    return {
        "name": "night shift",
        "connection": {
            "base_url": f"{simulator.url}/v1",
            "model": "any",
            "headers": {"X-Api-Key": "hdr-canary"},
        },
        "steps": [
            {
                "name": "old",
                "recipe": "import",
                "file": str(chats(tmp_path / "old.jsonl", 2)),
                "dataset": "d",
            },
            {"name": "new", **own, "dataset": "d"},
            {
                "name": "few",
                "total": 2,
                "dataset": "few",
                "categories": [{"name": "all", "share": 1, "dataset": "d"}],
            },
        ],
    }


def test_a_chain_runs_to_its_end_and_is_kept(
    studio: Studio, simulator: Running, tmp_path: Path
) -> None:
    seen: list[int] = []
    wish = chain(simulator, tmp_path)
    done = studio.chains.run(wish, show=lambda one: seen.append(one.counts.accepted))
    assert (done.finished, done.shortfall, done.name) == (True, 0, "night shift")
    assert [(one.name, one.recipe, one.status, one.kept) for one in done.steps] == [
        ("old", "import", "finished", False),
        ("new", "dialogue", "finished", False),
        ("few", "sample", "finished", False),
    ]
    assert [one.counts.accepted for one in done.steps] == [2, 3, 2] and seen
    assert studio.datasets.counts(["d", "few"]) == {"d": 5, "few": 2}
    with pytest.raises(StepError):
        studio.chains.run({"name": "x", "steps": [{"name": "a", "recipe": "nope"}]})


def test_files_of_a_chains_steps_are_written_here(
    studio: Studio, simulator: Running, tmp_path: Path
) -> None:
    wish, place = chain(simulator, tmp_path), tmp_path / "here" / "new.jsonl"
    wish["steps"] = [*wish["steps"][:1], {**wish["steps"][1], "output": str(place)}]
    assert studio.chains.run(wish).finished
    lines = place.read_bytes().splitlines()
    assert len(lines) == 3
    place.write_bytes(b"changed by hand")
    again = studio.chains.run(wish)
    assert again.finished and [one.kept for one in again.steps] == [True, True]
    assert place.read_bytes() == b"changed by hand"
    place.unlink()
    assert studio.chains.run(wish).finished
    assert place.read_bytes().splitlines() == lines
    chats(tmp_path / "old.jsonl", 4)
    assert not studio.chains.run(wish).steps[0].kept


def test_a_chain_begins_again_and_writes_its_samples_here(
    studio: Studio, simulator: Running, tmp_path: Path
) -> None:
    wish, place = chain(simulator, tmp_path), tmp_path / "here" / "few.jsonl"
    few = {key: one for key, one in wish["steps"][2].items() if key != "dataset"}
    wish["steps"] = [*wish["steps"][:2], {**few, "output": str(place)}]
    first = studio.chains.run(wish)
    assert first.finished and len(place.read_bytes().splitlines()) == 2
    fresh = studio.chains.run(wish, again=True)
    assert fresh.finished and [one.kept for one in fresh.steps] == [False, False, False]
    assert {one.task_id for one in fresh.steps}.isdisjoint(one.task_id for one in first.steps)
    assert [one.kept for one in studio.chains.run(wish).steps] == [True, True, True]


async def test_over_postgres(over_postgres: Studio, simulator: Running, tmp_path: Path) -> None:
    """The ways of this file and some more, over a server whose store is Postgres."""
    studio = over_postgres
    studio.connections.add(
        "here", base_url=f"{simulator.url}/v1", model="any", headers={"X-Team": "quiet"}
    )
    moved = studio.connections.change("here", {"headers": {"X-Team": HIDDEN, "X-New": "b"}})
    assert dict(moved.headers) == {"X-Team": HIDDEN, "X-New": HIDDEN}
    result = await studio.generate_async(
        **{**fields(simulator), "connection": "here", "dataset": "d"}
    )
    assert (result.status, result.counts.accepted) == ("finished", 4)
    test_reports_are_kept(studio, tmp_path)
    done = studio.chains.run(chain(simulator, tmp_path))
    assert done.finished and done.steps[1].counts.accepted == 3
    page = studio.records.page(Selection(dataset="d", text="回答"), limit=10)
    assert page.items
    backup = studio.backups.make()
    assert studio.backups.look(backup.name).database == "postgresql"
    assert studio.retention.prune_journal(0).deleted > 0
