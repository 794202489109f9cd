"""A sample of datasets as people write it, in YAML or Python.

Owns: names, types and ranges of its fields, and telling it from a ratio task that asks a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from corpusmith.service.fields import FieldsError
from corpusmith.service.forms.template_shares import PERCENT_SLACK
from corpusmith.service.task_file import Part
from corpusmith.values import Json, Language

Scalar = str | int | float | bool | None


class SampleCategory(Part):
    """Records of one dataset, or of one task."""

    name: str = Field(min_length=1, max_length=200)
    share: float = Field(ge=0, allow_inf_nan=False)
    """`40%`, or a number next to the other categories' numbers."""
    dataset: str | None = Field(default=None, min_length=1)
    task: int | None = Field(default=None, ge=1)
    where: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    """What its records must say: `state`, a label, or a field of the content (`a.b` inside `a`);
    of a list of values any one."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.dataset is None) == (self.task is None):
            raise PydanticCustomError("sample_source", "dataset or task", {})
        return self

    @property
    def source(self) -> dict[str, Any]:
        """What the store is asked for."""
        return {"dataset": self.dataset} if self.task is None else {"task_id": self.task}

    @property
    def shown(self) -> str:
        """The dataset's name, or the task's number."""
        return f"#{self.task}" if self.dataset is None else self.dataset


class SampleFile(Part):
    """A new dataset out of others, by shares."""

    recipe: Literal["sample"] = "sample"
    name: str | None = Field(default=None, max_length=200)
    description: str = ""
    language: Language | None = None
    total: int = Field(ge=1, le=100_000_000)
    seed: int | None = Field(default=None, ge=0, le=2**53 - 1)
    """None: drawn, and said afterwards."""
    dataset: str | None = Field(default=None, min_length=1, max_length=200)
    """The new dataset; None: the records stay with the task."""
    strict: bool = False
    """Refuse to sample less than `total`."""
    output: str | None = None
    format: str | None = None
    """None: by the suffix of `output`."""
    categories: tuple[SampleCategory, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _percent(cls, value: Any) -> Any:
        """Percents must say them all: 40% and 30% are no whole."""
        shares = _shares(value)
        percents = [share for share in shares if isinstance(share, str) and share.endswith("%")]
        if percents and len(percents) < len(shares):
            raise PydanticCustomError("shares_mixed", "percents and numbers", {})
        try:
            whole = sum(float(share.rstrip("% ")) for share in percents)
        except ValueError:
            return value
        if percents and abs(whole - 100) > PERCENT_SLACK:
            raise PydanticCustomError("shares_whole", "not 100%", {"whole": f"{whole:g}"})
        return value

    @field_validator("categories", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return tuple({**one, **_number(one)} if isinstance(one, Mapping) else one for one in value)

    @field_validator("categories")
    @classmethod
    def _distinct(cls, value: tuple[SampleCategory, ...]) -> tuple[SampleCategory, ...]:
        names = [one.name for one in value]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise PydanticCustomError("name_twice", "twice", {"name": twice})
        if not any(one.share for one in value):
            raise PydanticCustomError("shares_zero", "nothing to share", {})
        return value


def is_sampling(fields: Mapping[str, Json]) -> bool:
    """True for fields whose categories draw from datasets and ask no model."""
    if "recipe" in fields:
        return bool(fields["recipe"] == "sample")
    categories = fields.get("categories")
    if not isinstance(categories, list | tuple) or not categories:
        return False
    return all(
        isinstance(one, Mapping) and ("dataset" in one or "task" in one) and "template" not in one
        for one in categories
    )


def sample_file(fields: Mapping[str, Json], *, source: str) -> SampleFile:
    """The checked fields. Raises FieldsError naming every one that does not fit."""
    try:
        return SampleFile.model_validate(dict(fields))
    except ValidationError as error:
        raise FieldsError.of(error, SampleFile, source) from None


def _shares(value: Any) -> list[Any]:
    categories = value.get("categories") if isinstance(value, Mapping) else None
    if not isinstance(categories, list | tuple):
        return []
    shares = [one.get("share") for one in categories if isinstance(one, Mapping)]
    return [_plain(share) if isinstance(share, str) else share for share in shares]


def _plain(share: str) -> str:
    return share.strip().replace("％", "%")


def _number(category: Mapping[str, Any]) -> dict[str, Any]:
    share = category.get("share")
    return {"share": _plain(share).removesuffix("%").strip()} if isinstance(share, str) else {}
