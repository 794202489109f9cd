"""A task as people write it: the same fields in YAML, flags and Python.

Owns: names, types, ranges and defaults of what can be asked of every task, and finding the form of
a recipe. Does not own: a recipe's own fields, and what names stand for (`forms/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from corpusmith import registry
from corpusmith.errors import SpecError
from corpusmith.service.checks import options_of, usual_checks
from corpusmith.service.fields import FieldsError
from corpusmith.service.suffixes import format_of
from corpusmith.values import Json, Language

if TYPE_CHECKING:
    from corpusmith.service.forms.form import Form


class Part(BaseModel):
    """Unknown fields are refused, never passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class PricePart(Part):
    """US dollars per million tokens."""

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class EndpointPart(Part):
    """An endpoint given on the spot, instead of a stored connection's name."""

    provider: str = "openai"
    base_url: str | None = None
    model: str | None = None
    api_key_env: str | None = None
    proxy: str | None = None
    ca_file: str | None = None
    connect_timeout_s: float | None = Field(default=None, gt=0, le=600)
    timeout_s: float | None = Field(default=None, gt=0, le=86_400)
    price: PricePart | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    extra: dict[str, Any] = Field(default_factory=dict)


class TaskFile(Part):
    """What every task can be asked. A recipe's own fields are in its form."""

    recipe: str
    name: str | None = Field(default=None, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    language: Language | None = None
    count: int | None = Field(default=None, ge=1, le=100_000_000)
    """Records wanted; None: as many as the form finds in what it is given."""
    seed: int | None = Field(default=None, ge=0, le=2**53 - 1)
    dataset: str | None = None
    """Where the records are put when the task is finished."""

    connection: str | EndpointPart | None = None
    model: str | None = None
    roles: dict[str, str | EndpointPart] = Field(default_factory=dict)

    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    max_tokens: int | None = Field(default=None, ge=1)
    stop: tuple[str, ...] = ()
    extra: dict[str, Any] = Field(default_factory=dict)

    concurrency: int | Literal["auto"] = "auto"
    rpm: int | None = Field(default=None, ge=1)
    tpm: int | None = Field(default=None, ge=1)
    max_cost: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_total_tokens: int | None = Field(default=None, ge=0)
    max_calls: int | None = Field(default=None, ge=0)
    max_attempts_multiplier: float = Field(default=3.0, ge=1, le=1000, allow_inf_nan=False)
    checks: dict[str, dict[str, Any]] = Field(default_factory=usual_checks)
    """Check → its options. Also written as a list of names, or `default`, `all`, `none`."""

    output: str | None = None
    format: str = "json"
    commit: bool = True
    """Put the records into `dataset` when the task is finished."""

    @model_validator(mode="before")
    @classmethod
    def _format_by_suffix(cls, given: Any) -> Any:
        """`output: qa.jsonl` says the format, unless `format` does."""
        if not isinstance(given, Mapping) or "format" in given:
            return given
        output = given.get("output")
        found = format_of(output) if isinstance(output, str) else None
        return {**given, "format": found} if found else given

    @field_validator("stop", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return one_or_many(value)

    @field_validator("checks", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return options_of(value, cls.model_fields["checks"].get_default(call_default_factory=True))

    @field_validator("concurrency")
    @classmethod
    def _at_least_one(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise PydanticCustomError("greater_than_equal", "at least 1", {"ge": 1})
        return value


def one_or_many(value: Any) -> Any:
    """A list of one may be written without its brackets."""
    return (value,) if isinstance(value, str) else value


IMPLIED = {"template": "template", "categories": "template"}
"""A field that only one recipe has says which one is meant."""


def form_of(recipe: str) -> Form:
    """The form of a recipe. Raises SpecError."""
    if recipe not in (known := registry.names("form")):
        raise SpecError("unknown_recipe", name=recipe, known=", ".join(known))
    found: Form = registry.load("form", recipe)()
    return found


def recipe_in(fields: Mapping[str, Json]) -> str:
    """The recipe that the fields name or imply; dialogues are what this house began with.

    Raises SpecError for a name that is no text.
    """
    if "recipe" in fields:
        if not isinstance(named := fields["recipe"], str):
            raise SpecError("recipe_word", known=", ".join(registry.names("form")))
        return named
    return next((recipe for field, recipe in IMPLIED.items() if field in fields), "dialogue")


def task_file(fields: Mapping[str, Json], *, source: str) -> TaskFile:
    """The checked task. Raises FieldsError naming every field that does not fit, SpecError.

    `source`: where the fields come from, for the message: a file's name, or `COMMAND_LINE`.
    """
    recipe = recipe_in(fields)
    return _checked(form_of(recipe).file_model, {**fields, "recipe": recipe}, source)


def common_fields(fields: Mapping[str, Json], *, source: str) -> TaskFile:
    """Fields that every task has, checked by themselves. Raises FieldsError."""
    return _checked(TaskFile, {"recipe": "", **fields}, source)


def _checked(model: type[TaskFile], fields: Mapping[str, Json], source: str) -> TaskFile:
    try:
        return model.model_validate(dict(fields))
    except ValidationError as error:
        raise FieldsError.of(error, model, source) from None


def endpoint_part(fields: Mapping[str, Json], *, source: str) -> EndpointPart:
    """The checked endpoint. Raises FieldsError."""
    try:
        return EndpointPart.model_validate(dict(fields))
    except ValidationError as error:
        raise FieldsError.of(error, EndpointPart, source) from None
