"""Which records: the fields that review, checks, reports and exports share.

Owns: those fields, and from them to a Selection. Does not own: reading records.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import ConfigDict, Field

from corpusmith import registry
from corpusmith.api.asking import MOST_NUMBER, Body
from corpusmith.errors import UsageError
from corpusmith.values import ReviewState, Selection

Name = Annotated[str, Field(min_length=1, max_length=200)]
Mark = Annotated[float, Field(ge=1, le=5, allow_inf_nan=False)]
Number = Annotated[int, Field(ge=1, le=MOST_NUMBER)]


class Only(Body):
    """Records that fit all of what is given; null: whatever it is."""

    scenario: Name | None = Field(default=None, examples=["日常对话"])
    character: Name | None = None
    category: Name | None = None
    state: ReviewState | None = None
    min_rating: Mark | None = None
    max_rating: Mark | None = None
    min_score: Mark | None = None
    max_score: Mark | None = None
    tag: Name | None = None
    flag: Name | None = Field(
        default=None, description="A check that flagged it; `any`: at least one did."
    )
    unflagged: bool = Field(default=False, description="Only those that no check flagged.")
    text: Name | None = Field(default=None, description="What its content holds.")
    model: Name | None = Field(default=None, description="The model that wrote it.")
    min_length: int | None = Field(default=None, ge=0, description="Characters of its text.")
    max_length: int | None = Field(default=None, ge=0)

    def filters(self) -> dict[str, Any]:
        """Those that were given. Raises UsageError for a check that there is not."""
        _refuse_unknown_check(self.flag)
        given = {name: getattr(self, name) for name in Only.model_fields}
        return {name: one for name, one in given.items() if one is not None}

    def only(self) -> Selection:
        """Of whatever dataset or task. Raises UsageError."""
        return Selection(**self.filters())


class Where(Only):
    """Records of one dataset or of one task."""

    dataset: Name | None = Field(default=None, examples=["客服对话"])
    task: Number | None = None

    def selection(self) -> Selection:
        """Raises UsageError when it is neither of a dataset nor of a task, or both."""
        if (self.dataset is None) == (self.task is None):
            raise UsageError("task_or_dataset")
        return Selection(dataset=self.dataset, task_id=self.task, **self.filters())


class WhereAsked(Where):
    """The same in an address, where every value is a text."""

    model_config = ConfigDict(**{**Where.model_config, "strict": False})

    lang: str | None = Field(default=None, max_length=20, description="Language of the answer.")


WhereQuery = Annotated[WhereAsked, Query()]


def _refuse_unknown_check(name: str | None) -> None:
    """A name that is mistyped would find nothing, and look as if nothing were flagged."""
    known = registry.names("check")
    if name is not None and name != "any" and name not in known:
        raise UsageError("flag_unknown", value=name[:60], known=", ".join(known))
