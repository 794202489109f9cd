"""What a server keeps, over REST: reports, backups, calls; and what is wrong with its records.

Owns: the twins of these nouns. Does not own: how long anything stays, putting a backup back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from corpusmith.errors import UsageError
from corpusmith.places import given_output
from corpusmith.reports.report import Report
from corpusmith.service import cleaning, kept_backups, kept_reports, retention
from corpusmith.service.backups import Show, bring, nothing
from corpusmith.service.cleaning import NO_CHECKS, Looked, Sample, Signals
from corpusmith.service.kept_backups import Beside, KeptBackup, Look
from corpusmith.service.kept_reports import KeptReport
from corpusmith.service.remote.call import Over, call, cursor, filters, pages, place_in, plain
from corpusmith.service.remote.faults import fault
from corpusmith.service.remote.wire import adapter
from corpusmith.service.remote.works import work
from corpusmith.service.retention import DAY_S, Pruned
from corpusmith.store.pruning import Prunable, Size
from corpusmith.values import Selection

_LOOK = "look-at-server.txt"
"""In the folder of a look: which job it was there."""


class KeptReports(Over, kept_reports.KeptReports):
    """`studio.kept_reports`, of a server: it makes what it keeps."""

    list = call("GET datasets/{dataset}/reports", Sequence[KeptReport], of="items")
    delete = call("DELETE datasets/{dataset}/reports/{kept}")

    def make(
        self,
        dataset: str,
        *,
        only: Selection | None = None,
        seed: int = 0,
        show: Callable[[int, int], None] | None = None,
    ) -> KeptReport:
        body = {**({} if only is None else filters(only)), "seed": seed}
        told = None if show is None else lambda done, total: show(done, total or done)
        job = work(self._wire, "datasets", dataset, "reports", body=body, show=told)
        found: KeptReport = adapter(KeptReport).validate_python(job["result"])
        return found

    def get(self, dataset: str, kept: str) -> Report:
        body = self._wire.whole("GET", "datasets", dataset, "reports", kept)
        found: Report = adapter(Report).validate_json(body)
        return found


class Backups(Over, kept_backups.KeptBackups):
    """`studio.backups`, of a server."""

    list = call("GET backups", Sequence[KeptBackup], of="items")
    take = call("POST backups/take", KeptBackup)
    delete = call("DELETE backups/{name}")

    def get(self, name: str) -> KeptBackup:
        return self.look(name).file

    def make(self, *, show: Show = nothing) -> KeptBackup:
        told = None if show is nothing else lambda done, total: show(done, total or done)
        job = work(self._wire, "backups", body={}, show=told)
        found: KeptBackup = adapter(KeptBackup).validate_python(job["result"])
        return found

    def save(self, name: str, to: str | Path) -> Path:
        chunks = self._wire.read("GET", "backups", name, "file")
        return bring(chunks, given_output(to).expanduser())

    def look(self, name: str) -> Look:
        found = self._wire.ask("GET", "backups", name)
        own = {
            "file": adapter(KeptBackup).validate_python(found["file"]),
            "tables": adapter(Sequence[Beside]).validate_python(found["tables"]),
            "obstacle": found["obstacle"] and fault(found["obstacle"], self._wire.language),
        }
        return Look(**{**found, **own})


class Retention(Over, retention.Retention):
    """`studio.retention`, of a server: whole days, and its own clock."""

    def prune_journal(
        self,
        older_than_s: float,
        *,
        ended_only: bool = False,
        dry_run: bool = False,
        compact: bool = False,
        now: float | None = None,
        told: Callable[[int], None] = lambda done: None,
    ) -> Pruned:
        days = round(older_than_s / DAY_S)
        if days * DAY_S != older_than_s:
            raise UsageError("not_over_rest", method="retention.prune_journal(hours)")
        if now is not None:
            raise UsageError("not_over_rest", method="retention.prune_journal(now=…)")
        wish = {"days": days, "deleted": not ended_only}
        found = self._wire.ask("GET", "journal", query=wish)
        seen: Prunable = adapter(Prunable).validate_python(found["found"])
        size: Size = adapter(Size).validate_python(found["size"])
        if dry_run:
            return Pruned(found=seen, deleted=0, size_before=size, size_after=size)
        body = {**wish, "compact": compact}
        done = work(
            self._wire, "journal", "prune", body=body, show=lambda count, total: told(count)
        )["result"]
        return Pruned(
            found=seen,
            deleted=done["calls"],
            size_before=adapter(Size).validate_python(done["before"]),
            size_after=adapter(Size).validate_python(done["after"]),
        )


class Cleaning(Over, cleaning.Cleaning):
    """`studio.cleaning`, of a server, which keeps what a look found for an hour. What is done about
    it is done by `studio.records` and `studio.checking`."""

    def look(
        self,
        dataset: str,
        *,
        folder: Path,
        signals: Signals | None = None,
        checks: Any = NO_CHECKS,
        show: cleaning.Show | None = None,
    ) -> Looked:
        wished = plain(signals or Signals())
        wish = None if tuple(checks) == NO_CHECKS else plain(checks)
        body = {"dataset": dataset, **wished, "checks": wish}
        job = work(self._wire, "cleanings", body=body, show=show)
        (folder / _LOOK).write_text(job["id"], "ascii")
        found: Looked = adapter(Looked).validate_python(job["result"])
        return found

    def findings(
        self, folder: Path, group: int, *, limit: int = 50, after: int = 0
    ) -> tuple[Sequence[Sample], int | None]:
        query = {"limit": limit, "after": cursor(after) if after else None}
        page = self._wire.ask("GET", *_group(folder, group), query=query)
        return [*map(_sample, page["items"])], place_in(page.get("next"))

    def found(self, folder: Path, groups: Sequence[int]) -> Any:
        each = (one for group in groups for one in pages(self._wire, *_group(folder, group)))
        return list(dict.fromkeys(one["record"] for one in each))


def _group(folder: Path, group: int) -> tuple[object, ...]:
    return "cleanings", (folder / _LOOK).read_text("ascii"), "groups", group


def _sample(found: Any) -> Sample:
    return Sample(record=found["record"], detail=found["detail"], preview=found["preview"])
