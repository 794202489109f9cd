"""The form of template tasks and ratio tasks.

Owns: their fields. Does not own: what the fields stand for (`template_parts.py`), templates
(`service/templates.py`), prompts and rows (`recipes/template.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from pydantic import Field, field_validator, model_validator

from corpusmith.places import from_folder, means_file
from corpusmith.service.forms.form import (
    Resolved,
    deliver_file,
    endpoint_from_folder,
)
from corpusmith.service.forms.template_writers import PARAMETERS, ModelPart, Preset
from corpusmith.service.input_part import InputPart, input_from_folder
from corpusmith.service.task_file import EndpointPart, Part, TaskFile, one_or_many
from corpusmith.service.template_file import TEMPLATE_SUFFIXES
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Json, Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

MOST_PER_REQUEST = 100
TemplateWish = str | dict[str, Any]
"""A file, a stored or shipped name, or the fields of a template on the spot."""


def _models(value: Any) -> Any:
    """Names, a mapping name → weight, or full parts."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, Mapping):
        return tuple({"name": name, "weight": weight} for name, weight in value.items())
    if isinstance(value, list | tuple):
        return tuple({"name": one} if isinstance(one, str) else one for one in value)
    return value


class CategoryFile(Part):
    """A category of a ratio task. What it does not say, the task says."""

    name: str = Field(min_length=1, max_length=200)
    share: float | str | None = None
    """`40%`, or a number; no category with a share: even."""
    template: TemplateWish | None = None
    vars: dict[str, Any] = Field(default_factory=dict)
    input: InputPart | None = None
    keep: tuple[str, ...] = ()
    connection: str | EndpointPart | None = None
    model: str | None = Field(default=None, min_length=1)
    models: tuple[ModelPart, ...] = ()
    preset: Preset | None = None
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    max_tokens: int | None = Field(default=None, ge=1)

    @field_validator("keep", mode="before")
    @classmethod
    def _one_or_many_fields(cls, value: Any) -> Any:
        return one_or_many(value)

    @field_validator("models", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return _models(value)


class TemplateFile(TaskFile):
    """One template task, or with `categories` a ratio task.

    Every field is also a flag of `corpusmith template`, the categories apart.
    """

    recipe: Literal["template"] = "template"
    template: TemplateWish | None = None
    vars: dict[str, Any] = Field(default_factory=dict)
    """Variable → a value, a list, value → weight, or `{column: NAME}`."""
    input: InputPart | None = None
    """Rows whose columns are values; without `count`, each of them gets its records."""
    per_request: int = Field(default=1, ge=1, le=MOST_PER_REQUEST)
    preset: Preset | None = None
    models: tuple[ModelPart, ...] = ()
    system: str = ""
    """In place of the templates' own system messages."""
    keep: tuple[str, ...] = ()
    """Variables or columns whose values stand in the records, besides the template's own."""
    categories: tuple[CategoryFile, ...] = ()
    total: int | None = Field(default=None, ge=1, le=100_000_000)
    """Records of all categories; `count` means the same and goes first."""

    @field_validator("keep", mode="before")
    @classmethod
    def _one_or_many_fields(cls, value: Any) -> Any:
        return one_or_many(value)

    @field_validator("models", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return _models(value)

    @model_validator(mode="before")
    @classmethod
    def _nearest_first(cls, value: Any) -> Any:
        """Where a category has a parameter of its own, the task's is only for the others.

        A task's parameters are laid over every call; so it hands this one down, and keeps none.
        """
        if not isinstance(value, Mapping) or not isinstance(value.get("categories"), list | tuple):
            return value
        categories = value["categories"]
        if not all(isinstance(one, Mapping) for one in categories):
            return value
        names = [
            name
            for name in PARAMETERS
            if value.get(name) is not None and any(one.get(name) is not None for one in categories)
        ]
        shared = {name: value[name] for name in names}
        rest = {name: one for name, one in value.items() if name not in names}
        return {**rest, "categories": [{**shared, **one} for one in categories]}


class TemplateForm:
    """Fits forms.form.Form."""

    file_model: ClassVar[type[TaskFile]] = TemplateFile

    def resolve(self, file: TaskFile, store: SqlStore, language: Language) -> Resolved:
        """See Form. The language is the file's, else the first template's."""
        from corpusmith.service.forms.template_parts import Parts

        return Parts(cast(TemplateFile, file), store, language).resolved()

    def from_folder(self, fields: dict[str, Json], folder: Path) -> dict[str, Json]:
        """See Form."""
        changed = _own_paths(fields, folder)
        categories = fields.get("categories")
        if isinstance(categories, list):
            changed["categories"] = [
                _category(one, folder) if isinstance(one, dict) else one for one in categories
            ]
        return changed

    def deliver(self, studio: Studio, task: Task) -> Path | None:
        """See Form."""
        return deliver_file(studio, task)


def _category(fields: dict[str, Json], folder: Path) -> dict[str, Json]:
    changed = _own_paths(fields, folder)
    if "connection" in changed:
        changed["connection"] = endpoint_from_folder(changed["connection"], folder)
    return changed


def _own_paths(fields: dict[str, Json], folder: Path) -> dict[str, Json]:
    """A task's or a category's paths from the file's folder."""
    changed = dict(fields)
    if isinstance(template := fields.get("template"), str):
        changed["template"] = _template(template, folder)
    if fields.get("input") is not None:
        changed["input"] = input_from_folder(fields["input"], folder)
    if isinstance(models := fields.get("models"), list):
        changed["models"] = [
            {**one, "connection": endpoint_from_folder(one.get("connection"), folder)}
            if isinstance(one, dict)
            else one
            for one in models
        ]
    return changed


def _template(wish: str, folder: Path) -> str:
    """A template's path from the file's folder; a template's name stays as it is."""
    return from_folder(wish, folder) if means_file(wish, TEMPLATE_SUFFIXES, folder=folder) else wish
