"""Question–answer–correction rounds: their files. Making rounds is a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import MOST_NUMBER, Body, StudioOf
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.router import rest
from corpusmith.api.selecting import Name, Number
from corpusmith.service.studio import Studio

router = rest("/rounds", tags=["rounds"])


class PrepareBody(Body):
    """Single triples of question, answer and correction."""

    input: str = Field(
        min_length=1,
        max_length=300,
        pattern="^(upload|dataset|hub|task):",
        examples=["upload:" + "0" * 32, "dataset:客服对话"],
    )
    sample: int | None = Field(default=None, ge=1, le=10_000_000, description="null: all.")
    seed: int = Field(default=0, ge=0, le=MOST_NUMBER)
    map: Annotated[Mapping[Name, Name], Field(max_length=10)] = Field(
        default_factory=dict, examples=[{"question": "prompt"}]
    )


class RoundsBody(Body):
    """Whose rounds."""

    task: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedView:
    """What the first round holds."""

    conversations: int
    read: int
    complete: int
    skipped: Mapping[str, int]
    asked: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundsView:
    """How many files there are."""

    files: int


@router.post("/prepare", responses=JOB, dependencies=[needs("read")])
def prepare_rounds(start: StartJob, body: PrepareBody) -> Job:
    """The files of round 1 from single triples; no model is asked. The job's files are the result.
    Its result: `PreparedView`."""

    def work(studio: Studio, run: Run) -> PreparedView:
        found = studio.rounds.prepare(
            body.input,
            sample=body.sample,
            seed=body.seed,
            map=body.map,
            output_dir=run.folder(),
        )
        return PreparedView(
            conversations=found.conversations,
            read=found.read,
            complete=found.complete,
            skipped=found.skipped,
            asked=found.asked,
        )

    return start("rounds_prepare", work)


@router.post("/files", responses=JOB, dependencies=[needs("read")])
def rounds_files(start: StartJob, studio: StudioOf, body: RoundsBody) -> Job:
    """The files of each round of a task, and of what failed. The job's files are the result. Its
    result: `RoundsView`."""
    studio.rounds.refuse_other(body.task)

    def work(studio: Studio, run: Run) -> RoundsView:
        studio.rounds.write(body.task, run.folder())
        return RoundsView(files=sum(one.is_file() for one in run.files()))

    return start("rounds_files", work)
