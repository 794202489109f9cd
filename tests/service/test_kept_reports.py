"""Reports that are kept: in the database, so that whoever shares it sees them, a backup holds them
and they go with their dataset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from corpusmith.errors import NotFound
from corpusmith.service import kept_reports
from corpusmith.service.backups import backup
from corpusmith.service.restoring import restore
from corpusmith.service.studio import Studio


@pytest.fixture
def studio(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setenv("CORPUSMITH_HOME", str(tmp_path / "home"))
    with Studio(store_url) as found:
        for name in ("一", "二"):
            found.datasets.add(name)
        yield found


def ids(studio: Studio, dataset: str) -> list[str]:
    return [one.id for one in studio.kept_reports.list(dataset)]


def test_another_host_on_the_database_reads_what_one_kept(
    studio: Studio, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = studio.reports.of(dataset="一")
    kept = studio.kept_reports.keep("一", report)
    assert kept.made_at.endswith("Z") and kept.id.startswith(kept.made_at[:4])
    assert not (tmp_path / "home" / "reports").exists()
    monkeypatch.setenv("CORPUSMITH_HOME", str(tmp_path / "elsewhere"))
    with Studio(store_url) as other:
        assert list(other.kept_reports.list("一")) == [kept]
        assert other.kept_reports.get("一", kept.id) == report
        other.kept_reports.delete("一", kept.id)
    assert ids(studio, "一") == []


def test_of_a_dataset_only_so_many_are_kept(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_reports, "MOST", 2)
    report = studio.reports.of(dataset="一")
    alone = studio.kept_reports.keep("二", report).id
    made = [studio.kept_reports.keep("一", report).id for _ in range(4)]
    assert ids(studio, "一") == made[:1:-1] and ids(studio, "二") == [alone]


def test_a_report_stays_with_its_dataset_and_goes_with_it(studio: Studio) -> None:
    report = studio.reports.of(dataset="一")
    first, other = (studio.kept_reports.keep(name, report).id for name in ("一", "二"))
    studio.datasets.update("一", new_name="三")
    assert ids(studio, "三") == [first]
    studio.datasets.delete("三")
    studio.datasets.add("三")
    assert (ids(studio, "三"), ids(studio, "二")) == ([], [other])


def test_what_is_not_there_is_said_so(studio: Studio) -> None:
    kept = studio.kept_reports.keep("一", studio.reports.of(dataset="一")).id
    for dataset, name in (("没有", kept), ("二", kept), ("一", "../secret"), ("一", "a\0b")):
        for ask in (studio.kept_reports.get, studio.kept_reports.delete):
            with pytest.raises(NotFound):
                ask(dataset, name)
    with pytest.raises(NotFound):
        studio.kept_reports.list("没有")
    assert ids(studio, "一") == [kept]


def test_a_backup_brings_reports_back(studio: Studio, tmp_path: Path) -> None:
    report = studio.reports.of(dataset="一")
    kept = studio.kept_reports.keep("一", report)
    file = tmp_path / "all.zip"
    backup(studio.store.database, file)
    target = f"sqlite:///{tmp_path / 'other.db'}"
    restore(target, file)
    with Studio(target) as again:
        assert list(again.kept_reports.list("一")) == [kept]
        assert again.kept_reports.get("一", kept.id) == report
