"""Checks over what exists: first a dry run, then flags, masks, or out of the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field

from corpusmith.api.access import Asker, needs
from corpusmith.api.asking import After, Limit, Page, StudioOf, page_of, place_in
from corpusmith.api.jobs import JOB, Job, JobsOf, Run, StartJob
from corpusmith.api.router import rest
from corpusmith.api.routes.reviews import Reviewer
from corpusmith.api.selecting import Where
from corpusmith.api.speaking import LanguageOf
from corpusmith.errors import NotFound, UsageError
from corpusmith.messages import catalog, say
from corpusmith.service.check_findings import Checked, Finding
from corpusmith.service.studio import Studio
from corpusmith.store.review_values import Changed
from corpusmith.store.values import Removal
from corpusmith.values import Json, Language, Selection

router = rest("/checks", tags=["checks"])

Upload = Annotated[str, Field(pattern="^upload:[0-9a-f]{32}$", examples=["upload:" + "0" * 32])]
FINDINGS = "findings.jsonl"
PASSED = "passed.jsonl"
KIND = "check"


class CheckBody(Where):
    """What is checked: a dataset, a task's records, or an upload's rows."""

    upload: Upload | None = None
    checks: str | Sequence[str | Mapping[str, Any]] | Mapping[str, Any] | None = Field(
        default=None,
        description="A name, `all`, a list, or check → its options; null: the usual ones.",
        examples=[["refusal", "length"], {"personal_data": {}}],
    )
    apply: Literal["flag", "mask", "remove"] | None = Field(
        default=None,
        description="null: a dry run. `flag` notes it at the records, `mask` saves masked "
        "versions, `remove` takes those that fail out of the dataset; each can be undone.",
    )
    language: Language | None = Field(default=None, description="Of an upload's rows.")
    copy_passed: bool = Field(
        default=False, description="Of an upload: two files, of rows that pass and that do not."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCount:
    """How many records one check says one thing of."""

    check: str
    action: str
    reason: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What the checks say. looked == passed + failed; a flagged one has passed."""

    looked: int
    passed: int
    failed: int
    flagged: int
    counts: Sequence[CheckCount]
    removal: Removal | None
    """What was taken out; `POST /removals/{number}/restore` puts it back."""
    noted: int
    maskable: int
    masked: Changed | None
    """What was masked; `POST /reviews/undo` takes it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """A record or row that does not pass everything."""

    record: int
    check: str
    action: str
    reason: str
    text: str
    """The reason in words."""
    detail: Mapping[str, Json]


@router.post("/runs", responses=JOB, dependencies=[needs("edit")])
def run_checks(start: StartJob, studio: StudioOf, reviewer: Reviewer, body: CheckBody) -> Job:
    """Put records or rows through checks. Without `apply` nothing changes. All findings: `GET
    /checks/runs/{id}/findings`. Its result: `CheckResult`."""
    if body.upload is not None:
        return start(KIND, _of_upload(body))
    if body.copy_passed or body.language is not None:
        raise UsageError("check_upload_only")
    selection = body.selection()
    studio.reviews.count(selection)

    def work(studio: Studio, run: Run) -> CheckResult:
        return _of_records(studio, run, body, selection, reviewer)

    return start(KIND, work)


@router.get("/runs/{id}/findings", dependencies=[needs("read")])
def check_findings(
    jobs: JobsOf,
    asker: Asker,
    language: LanguageOf,
    id: str,
    limit: Limit = 50,
    after: After = None,
) -> Page[FindingView]:
    """Everything that a run found, in the order of the records."""
    begin = place_in(after, int) or 0
    folder, _ = jobs.files(id, asker)
    place = folder / FINDINGS
    if begin < 0 or not place.is_file():
        raise NotFound("job_no_files", kind="job", name=id[:60])
    found: list[tuple[int, FindingView]] = []
    with place.open("rb") as file:
        file.seek(begin)
        for line in islice(file, limit + 1):
            begin += len(line)
            found.append((begin, _shown(line, language)))
    page = page_of(found, limit, lambda one: one[0])
    return Page(items=[one for _, one in page.items], next=page.next)


def _of_upload(body: CheckBody) -> Any:
    if body.dataset is not None or body.task is not None or body.filters() != {"unflagged": False}:
        raise UsageError("check_upload_alone")
    if body.apply not in (None, "mask"):
        raise UsageError("check_upload_apply")

    def work(studio: Studio, run: Run) -> CheckResult:
        copies = body.copy_passed or body.apply == "mask"
        with (run.folder() / FINDINGS).open("wb") as out:
            found = studio.checking.file(
                str(body.upload),
                checks=body.checks,
                apply="mask" if body.apply else None,
                language=body.language,
                output=run.folder() / PASSED if copies else None,
                look=lambda found: run.show(found.looked, found.total, "rows"),
                each=lambda one: _write(out, one),
            )
        return _result(found)

    return work


def _of_records(
    studio: Studio, run: Run, body: CheckBody, selection: Selection, reviewer: str
) -> CheckResult:
    with (run.folder() / FINDINGS).open("wb") as out:
        found = studio.checking.records(
            selection,
            checks=body.checks,
            apply=body.apply,
            reviewer=reviewer,
            look=lambda found: run.show(found.looked, found.total),
            each=lambda one: _write(out, one),
        )
    return _result(found)


def _write(out: Any, one: Finding) -> None:
    row = {
        "record": one.record,
        "check": one.check,
        "action": one.action,
        "reason": one.reason,
        "detail": dict(one.detail),
    }
    out.write(orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE))


def _shown(line: bytes, language: Language) -> FindingView:
    one = orjson.loads(line)
    key = f"reason.{one['reason']}"
    known = key in catalog(language)
    text = say(key, language, **one["detail"]) if known else str(one["reason"])
    return FindingView(**one, text=text)


def _result(found: Checked) -> CheckResult:
    return CheckResult(
        looked=found.looked,
        passed=found.passed,
        failed=found.failed,
        flagged=found.flagged,
        counts=[
            CheckCount(check=check, action=action, reason=reason, records=count)
            for (check, action, reason), count in found.counts.most_common()
        ],
        removal=found.removal,
        noted=found.noted,
        maskable=found.maskable,
        masked=found.masked,
    )
