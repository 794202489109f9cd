"""The form of an evaluation.

Owns: its fields, the judges' endpoints, and which rubric and rows are meant. Does not own: reading
rows (`service/judged.py`), prompts (`judging/prompts.py`), the report
(`service/evaluations.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from corpusmith.errors import UsageError
from corpusmith.judging.rubric import RubricPart
from corpusmith.places import from_folder, given_path, means_file
from corpusmith.recipes.evaluate_spec import MOST_JUDGES
from corpusmith.service.checks import only_refusal
from corpusmith.service.endpoints import endpoints_of
from corpusmith.service.evaluations import rubric
from corpusmith.service.fields import FieldsError
from corpusmith.service.forms.form import Resolved, deliver_file
from corpusmith.service.input_part import InputPart, input_from_folder
from corpusmith.service.judged import judged
from corpusmith.service.task_file import EndpointPart, Part, TaskFile
from corpusmith.service.yaml_file import read_fields
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Connection, Json, Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

RUBRIC_SUFFIXES = (".yaml", ".yml", ".json")


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
    of: InputPart
    """What is judged: `dataset:NAME`, `task:3`, a file, or the fields of an input."""
    rubric: str | RubricPart = "general"
    """A shipped rubric's name, a file, or a rubric on the spot."""
    judges: tuple[JudgePart, ...] = Field(default=(), max_length=MOST_JUDGES)
    """Empty: one judge, at the task's endpoint."""
    max_row_tokens: int = Field(default=8000, ge=100)
    fresh: bool = False
    """Ask again what has been asked and paid before."""
    checks: dict[str, dict[str, Any]] = Field(default_factory=only_refusal)
    """A judge that will not judge gives scores all the same where a schema demands them."""

    @model_validator(mode="before")
    @classmethod
    def _dataset_is_read(cls, value: Any) -> Any:
        """`dataset` alone means the one to judge: no other meaning would make sense."""
        if not isinstance(value, Mapping) or value.get("dataset") is None or "of" in value:
            return value
        rest = {name: one for name, one in value.items() if name != "dataset"}
        return {**rest, "of": {"dataset": value["dataset"]}}

    @field_validator("judges", mode="before")
    @classmethod
    def _judges(cls, value: Any) -> Any:
        """Names, a mapping name → weight, or full judges."""
        if isinstance(value, str):
            value = [value]
        if isinstance(value, Mapping):
            return tuple({"connection": name, "weight": share} for name, share in value.items())
        if isinstance(value, list | tuple):
            return tuple({"connection": one} if isinstance(one, str) else one for one in value)
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for field in ("dataset", "count"):
            if getattr(self, field) is not None:
                raise PydanticCustomError("evaluate_no_field", "unknown", {"field": field})
        if self.of.map and (self.of.dataset is not None or self.of.task is not None):
            raise PydanticCustomError("evaluate_no_map", "unknown", {})
        return self


class EvaluateForm:
    """Fits forms.form.Form."""

    file_model: ClassVar[type[TaskFile]] = EvaluateFile

    def resolve(self, file: TaskFile, store: SqlStore, language: Language) -> Resolved:
        """See Form. The language is the file's, else that of what is judged, else the session's."""
        given = cast(EvaluateFile, file)
        spoken = given.language or _language(given.of, store) or language
        chosen = find_rubric(given.rubric, spoken)
        spoken = given.language or chosen.language or spoken
        rows = judged(given.of, store, given.seed or 0)
        endpoints, judges = _judges(given, store)
        return Resolved(
            language=spoken,
            recipe_spec={
                "of": _title(given.of),
                "rubric": chosen.model_dump(mode="json"),
                "judges": judges,
                "language": spoken,
                "max_row_tokens": given.max_row_tokens,
                "fresh": given.fresh,
            },
            endpoints=endpoints,
            count=len(rows),
            inputs=rows,
        )

    def from_folder(self, fields: dict[str, Json], folder: Path) -> dict[str, Json]:
        """See Form."""
        changed = dict(fields)
        if "of" in fields:
            changed["of"] = input_from_folder(fields["of"], folder)
        if isinstance(wish := fields.get("rubric"), str):
            changed["rubric"] = rubric_from_folder(wish, folder)
        return changed

    def deliver(self, studio: Studio, task: Task) -> Path | None:
        """See Form. The records that were judged learn their scores, which review goes by."""
        studio.reviews.take_scores(task)
        return deliver_file(studio, task)


def find_rubric(wish: str | RubricPart, language: Language) -> RubricPart:
    """A rubric on the spot, in a file, or shipped, in this order. Raises NotFound, SpecError."""
    if isinstance(wish, RubricPart):
        return wish
    if not means_file(wish, RUBRIC_SUFFIXES):
        return rubric(wish, language)
    try:
        return RubricPart.model_validate({"name": given_path(wish).stem, **read_fields(wish)})
    except ValidationError as error:
        raise FieldsError.of(error, RubricPart, wish) from None


def rubric_from_folder(wish: str, folder: Path) -> str:
    """A rubric's path from the file's folder; a rubric's name stays as it is."""
    return from_folder(wish, folder) if means_file(wish, RUBRIC_SUFFIXES, folder=folder) else wish


def _title(of: InputPart) -> str:
    """`dataset:NAME`, `task:3`, `file:NAME`: without the folders, which say nothing of the data."""
    return of.shown if of.path is None else f"file:{given_path(of.path).name}"


def _language(of: InputPart, store: SqlStore) -> Language | None:
    if of.dataset is not None:
        return store.datasets.get(of.dataset).language
    if of.task is not None:
        return cast(Language, store.tasks.get(of.task).spec["language"])
    return None


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


def _refuse_twice(endpoints: Mapping[str, Connection], judges: list[dict[str, Json]]) -> None:
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
