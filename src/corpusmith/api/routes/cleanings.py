"""Finding bad records of a dataset: what is wrong with which, and doing something about it.

A look is a job; what it found is kept with it, for an hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast, get_args

from fastapi import Path
from pydantic import Field

from corpusmith.api.access import Asker, Principal, needs
from corpusmith.api.asking import After, Body, Limit, Page, StudioOf, cursor, place_in
from corpusmith.api.jobs import JOB, Job, Jobs, JobsOf, Run, StartJob
from corpusmith.api.limits import costly
from corpusmith.api.router import rest
from corpusmith.api.routes.reviews import Reviewer, Tags
from corpusmith.api.selecting import Mark, Name
from corpusmith.errors import NotFound, UsageError
from corpusmith.messages import catalog, say
from corpusmith.service.cleaning import NO_CHECKS, Looked, Signals
from corpusmith.service.cleaning_acts import ByChecks, ByHand, Cleaned, by_checks, by_hand
from corpusmith.service.studio import Studio
from corpusmith.values import Json, Language

router = rest("/cleanings", tags=["checks"])

KIND = "clean"
ACT = "clean_apply"
_BY_HAND: tuple[ByHand, ...] = get_args(ByHand)
_NOTHING: tuple[Any, ...] = (None, "none", [], ["none"])

Chars = Annotated[int | None, Field(ge=1, le=10_000_000, description="Characters of its texts.")]
Group = Annotated[int, Field(ge=1, le=999)]


class SignalsBody(Body):
    """What tells a bad record without a check."""

    max_score: Mark | None = Field(default=None, description="A judge's score of at most so much.")
    max_rating: Mark | None = Field(default=None, description="People's rating of at most so much.")
    shorter_than: Chars = None
    longer_than: Chars = None
    tag: Name | None = None
    flagged: bool = Field(default=False, description="A check flagged it before.")
    rejected: bool = Field(default=False, description="A person rejected it.")

    def signals(self) -> Signals:
        """The same for the service."""
        return Signals(**{name: getattr(self, name) for name in SignalsBody.model_fields})


class LookBody(SignalsBody):
    """What is looked for: signals, checks, or both."""

    dataset: Name = Field(examples=["客服对话"])
    checks: str | Sequence[str | Mapping[str, Any]] | Mapping[str, Any] | None = Field(
        default=None,
        description="As in `POST /checks/runs`; null: none.",
        examples=[["refusal", "duplicates"]],
    )

    def wanted(self) -> Any:
        """The checks, as the service takes them."""
        wish = list(self.checks) if isinstance(self.checks, tuple) else self.checks
        return NO_CHECKS if wish in _NOTHING else wish


class CleaningBody(Body):
    """What is done about what was found."""

    action: ByHand | ByChecks = Field(
        description="`reject`, `tag` or `delete` the records of `groups`; `flag`: note what the "
        "checks say at all records; `mask`: save masked versions."
    )
    groups: Annotated[Sequence[Group], Field(max_length=999)] = Field(
        default=(), description="Numbers of groups, with `reject`, `tag` and `delete`."
    )
    tags: Tags = Field(default=(), description="Of `tag`.", examples=[["待修改"]])

    def refuse_wrong(self) -> None:
        """Raises UsageError."""
        if (self.action == "tag") != bool(self.tags):
            raise UsageError("clean_tags")
        if (self.action in _BY_HAND) != bool(self.groups):
            raise UsageError("clean_groups")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRecord:
    """A record of which this is wrong."""

    record: int
    text: str
    """What is wrong, in words."""
    detail: Mapping[str, Json]
    preview: str
    """The beginning of its texts; empty: it is gone by now."""


@router.post("", responses=JOB, dependencies=[needs("edit"), costly()])
def look_for_bad_records(start: StartJob, studio: StudioOf, body: LookBody) -> Job:
    """Look for bad records of a dataset; nothing is changed. Its result: `Looked`, in which every
    record counts once."""
    dataset = studio.datasets.get(body.dataset)
    signals, checks = body.signals(), body.wanted()
    if checks != NO_CHECKS:
        studio.checking.refuse_wrong(checks, dataset.language)
    elif not any(True for _ in signals.selections(body.dataset)):
        raise UsageError("clean_nothing_asked")

    def work(studio: Studio, run: Run) -> Looked:
        return studio.cleaning.look(
            body.dataset, folder=run.folder(), signals=signals, checks=checks, show=run.show
        )

    return start(KIND, work)


@router.get("/{id}/groups/{group:int}", dependencies=[needs("edit")])
def found_records(
    studio: StudioOf,
    jobs: JobsOf,
    asker: Asker,
    id: str,
    group: Annotated[int, Path(ge=1)],
    limit: Limit = 50,
    after: After = None,
) -> Page[FoundRecord]:
    """All records of one group of a look, in the order in which they were met."""
    begin = place_in(after, int) or 0
    known = {one["number"]: one for one in _looked(studio, jobs, asker, id)["groups"]}
    if begin < 0 or group not in known:
        raise NotFound("unknown_group", kind="group", name=str(group))
    folder, _ = jobs.files(id, asker)
    rows, following = studio.cleaning.findings(folder, group, limit=limit, after=begin)
    items = [
        FoundRecord(
            record=one.record,
            text=_text(known[group], one.detail, studio.language),
            detail=one.detail,
            preview=one.preview,
        )
        for one in rows
    ]
    return Page(items=items, next=None if following is None else cursor(following))


@router.post("/{id}/apply", responses=JOB, dependencies=[needs("edit"), costly()])
def clean_found_records(
    start: StartJob,
    studio: StudioOf,
    jobs: JobsOf,
    asker: Asker,
    reviewer: Reviewer,
    id: str,
    body: CleaningBody,
) -> Job:
    """Do something about what a look found. Its result: `Cleaned`; `POST /records/undo` takes it
    back, by its `removals` or its `action_id`."""
    body.refuse_wrong()
    looked = _looked(studio, jobs, asker, id)
    known = {one["number"] for one in looked["groups"]}
    if unknown := [one for one in body.groups if one not in known]:
        raise NotFound("unknown_group", kind="group", name=str(unknown[0]))
    if body.action in _BY_HAND:
        ids = studio.cleaning.found(jobs.files(id, asker)[0], body.groups)
        return start(ACT, _by_hand(body, ids, reviewer))
    return start(ACT, _by_checks(body, looked, reviewer))


def _by_hand(body: CleaningBody, ids: Sequence[int], reviewer: str) -> Any:
    def work(studio: Studio, run: Run) -> Cleaned:
        action = cast(ByHand, body.action)
        return by_hand(studio, action, ids, tags=body.tags, reviewer=reviewer, show=run.show)

    return work


def _by_checks(body: CleaningBody, looked: Mapping[str, Any], reviewer: str) -> Any:
    def work(studio: Studio, run: Run) -> Cleaned:
        action, dataset = cast(ByChecks, body.action), looked["dataset"]
        checks = looked["checks"]
        return by_checks(studio, action, dataset, checks, reviewer=reviewer, show=run.show)

    return work


def _looked(studio: Studio, jobs: Jobs, asker: Principal, id: str) -> Mapping[str, Any]:
    """What a look found. Raises NotFound: it is no look, or has not ended well."""
    found = jobs.get(id, asker, studio.language)
    if found.kind != KIND or found.status != "done":
        raise NotFound("unknown_job", kind="job", name=id[:60])
    return cast(Mapping[str, Any], found.result)


def _text(group: Mapping[str, Any], detail: Mapping[str, Json], language: Language) -> str:
    if group["signal"]:
        return say(f"web.quality.told.{group['check']}", language, **group["asked"])
    key = f"reason.{group['reason']}"
    return say(key, language, **detail) if key in catalog(language) else str(group["reason"])
