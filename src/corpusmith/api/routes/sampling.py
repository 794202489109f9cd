"""Samples: a new dataset out of others, by shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import MOST_NUMBER, Body
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.router import rest
from corpusmith.api.selecting import Name, Number
from corpusmith.service.sample_file import sample_file
from corpusmith.service.sampling import Sampled
from corpusmith.service.studio import Studio
from corpusmith.values import Counts, Language

router = rest("/samples", tags=["samples"])

Scalar = str | int | float | bool | None


class SampleSource(Body):
    """Records of one dataset, or of one task."""

    name: Name = Field(examples=["情感"])
    share: (
        Annotated[str, Field(pattern=r"^\s*[0-9]{1,12}(\.[0-9]{1,12})?\s*[%％]?\s*$")]
        | Annotated[int | float, Field(ge=0)]
    ) = Field(description="`40%`, or a number next to the others'.")
    dataset: Name | None = Field(default=None, examples=["客服对话"])
    task: Number | None = None
    where: Annotated[Mapping[Name, Scalar | Sequence[Scalar]], Field(max_length=50)] = Field(
        default_factory=dict,
        description="What its records must say: `state`, a label, or a field of the content.",
        examples=[{"scenario": "情感交流"}],
    )


class SampleBody(Body):
    """A dataset to be."""

    total: int = Field(ge=1, le=10_000_000, examples=[1000])
    categories: Annotated[Sequence[SampleSource], Field(min_length=1, max_length=200)]
    dataset: Name | None = Field(
        default=None, description="The new dataset; null: the records stay with the task."
    )
    name: Name | None = None
    description: str = Field(default="", max_length=20_000)
    language: Language | None = None
    seed: int | None = Field(default=None, ge=0, le=MOST_NUMBER)
    strict: bool = Field(default=False, description="Refuse to sample less than `total`.")

    def fields(self) -> dict[str, Any]:
        """As the service takes it. Raises SpecError naming what does not fit."""
        given = self.model_dump(exclude_unset=True)
        sample_file(given, source="the request")
        return given


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleResult:
    """What a sample holds. `task` null: it was only looked at."""

    task: int | None
    dataset: str | None
    seed: int
    counts: Counts
    wanted: Mapping[str, int]
    found: Mapping[str, int]
    shortfalls: Mapping[str, int]


@router.post("/preview", responses=JOB, dependencies=[needs("read")])
def preview_sample(start: StartJob, body: SampleBody) -> Job:
    """How many records each category would get. Nothing is stored. Its result: `SampleResult`."""
    fields = body.fields()

    def work(studio: Studio, run: Run) -> SampleResult:
        return _result(studio.sampling.preview(fields, show=run.show))

    return start("sample_preview", work)


@router.post("", responses=JOB, dependencies=[needs("edit")])
def make_sample(start: StartJob, body: SampleBody) -> Job:
    """Draw records without replacement and copy them, all or none. Its result: `SampleResult`."""
    fields = body.fields()

    def work(studio: Studio, run: Run) -> SampleResult:
        return _result(studio.sampling.run(fields, show=run.show))

    return start("sample", work)


def _result(found: Sampled) -> SampleResult:
    return SampleResult(
        task=found.task_id,
        dataset=found.dataset,
        seed=found.seed,
        counts=found.counts,
        wanted=found.wanted,
        found=found.found,
        shortfalls=found.shortfalls,
    )
