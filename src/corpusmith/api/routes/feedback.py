"""Feedback: training files from what people said of a model's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import Body
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.router import rest
from corpusmith.api.routes.checks_runs import Upload
from corpusmith.api.selecting import Mark, Name
from corpusmith.feedback.ranking import Choice
from corpusmith.feedback.samples import WRITERS, Format, KtoFormat, PairFormat
from corpusmith.feedback.tally import FeedbackResult, ModelCounts
from corpusmith.service.feedback_file import feedback_file
from corpusmith.service.studio import Studio

router = rest("/feedback", tags=["feedback"])


class FeedbackBody(Body):
    """Where ratings come from, and what is made of them: a file, or the ratings given in review."""

    upload: Upload | None = None
    dataset: Name | None = Field(default=None, examples=["客服对话"])
    min_rating: Mark = 4
    formats: Annotated[Sequence[Format], Field(max_length=10)] = tuple(WRITERS)
    model_name: Name | None = None
    map: Annotated[Mapping[Name, Name], Field(max_length=50)] = Field(
        default_factory=dict,
        description="Our field → the file's.",
        examples=[{"user_input": "问题"}],
    )
    map_values: Annotated[Mapping[Name, Mapping[str, Any]], Field(max_length=50)] = Field(
        default_factory=dict,
        description="Field → its values → what they mean.",
        examples=[{"rating": {"好": 5, "差": 1}}],
    )
    pairs: bool = False
    pairs_choose: Choice = "best-worst"
    pairs_margin: Annotated[float, Field(gt=0, le=4, allow_inf_nan=False)] = 1
    pairs_format: PairFormat = "llamafactory"
    kto: bool = False
    kto_format: KtoFormat = "llamafactory"
    kto_max: Mark = 2
    merge_with: Upload | None = Field(
        default=None, description="A training set that is gone on with, without duplicates."
    )
    dataset_info: bool = False

    def fields(self) -> dict[str, Any]:
        """As the service takes it."""
        given = self.model_dump(exclude_unset=True)
        if "upload" in given:
            given["feedback_file"] = given.pop("upload")
        return given


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackView:
    """What a run brought. read == kept + sum(dropped) + sum(bad), always."""

    read: int
    kept: int
    dropped: Mapping[str, int]
    bad: Mapping[str, int]
    mean_rating: float | None
    mean_rating_read: float | None
    models: Sequence[ModelCounts]
    words: Mapping[str, int]
    existing: int
    pairs: int | None
    kto: Mapping[str, int] | None
    files: Mapping[str, str]
    """By kind; `bad_rows`: the rows that are no feedback. `GET /jobs/{id}/files` has them all."""


@router.post("", responses=JOB, dependencies=[needs("read")])
def make_feedback(start: StartJob, body: FeedbackBody) -> Job:
    """Make training files: samples, preference pairs, KTO rows. The job's files are the result:
    `GET /jobs/{id}/files`. Its result: `FeedbackView`."""
    options = feedback_file(body.fields(), source="the request")

    def work(studio: Studio, run: Run) -> FeedbackView:
        found = studio.feedback.run_file(
            options,
            folder=run.folder(),
            show=lambda seen: run.show(seen.read, None, "rows"),
        )
        return _view(found)

    return start("feedback", work)


def _view(found: FeedbackResult) -> FeedbackView:
    files = {kind: path.name for kind, path in found.files.items()}
    if found.bad_rows is not None:
        files["bad_rows"] = found.bad_rows.name
    return FeedbackView(
        read=found.read,
        kept=found.kept,
        dropped=found.dropped,
        bad=found.bad,
        mean_rating=found.mean_rating,
        mean_rating_read=found.mean_rating_read,
        models=found.models,
        words=found.words,
        existing=found.existing,
        pairs=found.pairs,
        kto=found.kto,
        files=files,
    )
