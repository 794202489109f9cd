"""The form of an evaluation.

Owns: its fields, the judges' endpoints, and which rubric and rows are meant. Does not own: reading
rows (`service/judged.py`), prompts (`recipes/evaluate_prompts.py`), the report
(`service/evaluations.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from corpusmith.errors import UsageError
from corpusmith.recipes.evaluate_spec import MOST_JUDGES, RubricPart
from corpusmith.service.endpoints import endpoints_of
from corpusmith.service.evaluations import rubric
from corpusmith.service.fields import FieldsError
from corpusmith.service.forms.form import Resolved, deliver_file, from_folder
from corpusmith.service.judged import Judged, file_rows, record_rows
from corpusmith.service.task_file import EndpointPart, Part, TaskFile
from corpusmith.service.yaml_file import read_fields
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Connection, Json, Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

RUBRIC_SUFFIXES = (".yaml", ".yml", ".json")


class OfPart(Part):
    """What is judged: exactly one of these."""

    dataset: str | None = None
    task: int | None = Field(default=None, ge=1)
    file: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [self.dataset, self.task, self.file]
        if sum(one is not None for one in given) != 1:
            raise PydanticCustomError("evaluate_of", "exactly one", {})
        return self

    @property
    def title(self) -> str:
        """`dataset:NAME`, `task:3`, `file:NAME`"""
        if self.dataset is not None:
            return f"dataset:{self.dataset}"
        return f"task:{self.task}" if self.file is None else f"file:{Path(self.file).name}"


class JudgePart(Part):
    """One judge and its weight next to the others."""

    connection: str | EndpointPart
    name: str | None = Field(default=None, min_length=1, max_length=100)
    """What it is called in results; None: as its connection."""
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class EvaluateFile(TaskFile):
    """One evaluation. Every field is also a flag of `corpusmith evaluate`.

    `dataset` is what other recipes write to: here `of` says what is read, and nothing is written
    to any dataset.
    """

    recipe: Literal["evaluate"] = "evaluate"
    of: OfPart
    rubric: str | RubricPart = "general"
    """A shipped rubric's name, a file, or a rubric on the spot."""
    judges: tuple[JudgePart, ...] = Field(default=(), max_length=MOST_JUDGES)
    """Empty: one judge, at the task's endpoint."""
    where: dict[str, str] = Field(default_factory=dict)
    """Only rows whose label or field is this text."""
    sample: int | None = Field(default=None, ge=1)
    """So many rows, drawn with `seed` (0 without one); None: all."""
    max_row_tokens: int = Field(default=8000, ge=100)
    fresh: bool = False
    """Ask again what has been asked and paid before."""
    checks: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _dataset_is_read(cls, value: Any) -> Any:
        """`dataset` alone means the one to judge: there is no other meaning that it could have."""
        if not isinstance(value, Mapping) or value.get("dataset") is None or "of" in value:
            return value
        rest = {name: one for name, one in value.items() if name != "dataset"}
        return {**rest, "of": {"dataset": value["dataset"]}}

    @field_validator("of", mode="before")
    @classmethod
    def _of(cls, value: Any) -> Any:
        """`dataset:NAME`, `task:3`, else a file."""
        if not isinstance(value, str):
            return value
        kind, colon, name = value.partition(":")
        return {kind: name} if colon and kind in ("dataset", "task") else {"file": value}

    @field_validator("judges", mode="before")
    @classmethod
    def _judges(
    file: EvaluateFile, store: SqlStore
) -> tuple[dict[str, Connection], list[dict[str, Json]]]:
    """The judges' endpoints by role, and the judges as the recipe knows them."""
    if file.judges and file.roles:
        raise UsageError("evaluate_judges_and_roles")
    wished = {_role(place): one for place, one in enumerate(file.judges)}
    own = file.roles or {role: one.connection for role, one in wished.items()}
    roles = [role for role in map(_role, range(MOST_JUDGES)) if role == _role(0) or role in own]
    endpoints = endpoints_of(file.model_copy(update={"roles": own}), store, roles)
    judges: list[dict[str, Json]] = []
    for role, connection in endpoints.items():
        one = wished.get(role)
        stored = isinstance(own.get(role, file.connection), str)
        name = (one and one.name) or (connection.name if stored else role)
        judges.append({"role": role, "name": name, "weight": one.weight if one else 1.0})
    _refuse_twice(endpoints, judges)
    return endpoints, judges


def _role(place: int) -> str:
    """`judge`, `judge2`, `judge3`, …"""
    return f"judge{place + 1}" if place else "judge"


def _refuse_twice(
    endpoints: Mapping[str, Connection], judges: list[dict[str, Json]]
) -> None:
    """The same model is no second opinion: equal questions share one reply."""
    seen: dict[tuple[str, str, str | None], str] = {}
    names: set[str] = set()
    for judge, connection in zip(judges, endpoints.values(), strict=True):
        name = str(judge["name"])
        same = (connection.protocol, connection.base_url, connection.model)
        if same in seen:
            raise UsageError("judge_same", name=name, other=seen[same])
        if name in names:
            raise UsageError("judge_twice", name=name)
        seen[same] = name
        names.add(name)
