"""The journal: calls that were paid, and letting old ones go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import Body, StudioOf
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.limits import costly
from corpusmith.api.router import rest
from corpusmith.service.retention import DAY_S
from corpusmith.service.studio import Studio
from corpusmith.store.pruning import Prunable, Size

router = rest("/journal", tags=["settings"])

MOST_DAYS = 36_500


class PruneBody(Body):
    """Which calls go."""

    days: int = Field(ge=0, le=MOST_DAYS, description="Untouched for at least so long.")
    deleted: bool = Field(default=False, description="Also calls of deleted tasks.")
    compact: bool = Field(default=False, description="Give the space back to the disk.")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLook:
    """What would go, and how large the database is."""

    found: Prunable
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneResult:
    """What went."""

    calls: int
    before: Size
    after: Size


@router.get("", dependencies=[needs("admin"), costly()])
def look_at_journal(
    studio: StudioOf,
    days: Annotated[int, Query(ge=0, le=MOST_DAYS)] = 90,
    deleted: Annotated[bool, Query(description="Also calls of deleted tasks.")] = False,
) -> JournalLook:
    """What `POST /journal/prune` would let go, before anything does."""
    found = studio.retention.prune_journal(days * DAY_S, ended_only=not deleted, dry_run=True)
    return JournalLook(found=found.found, size=found.size_before)


@router.post("/prune", responses=JOB, dependencies=[needs("admin"), costly()])
def prune_journal(start: StartJob, body: PruneBody) -> Job:
    """Let calls of ended tasks go: run again, such a task costs what it cost. Records stay. Its
    result: `PruneResult`."""

    def work(studio: Studio, run: Run) -> PruneResult:
        done = studio.retention.prune_journal(
            body.days * DAY_S,
            ended_only=not body.deleted,
            compact=body.compact,
            told=lambda count: run.show(count, counted="calls"),
        )
        return PruneResult(calls=done.deleted, before=done.size_before, after=done.size_after)

    return start("prune", work)
