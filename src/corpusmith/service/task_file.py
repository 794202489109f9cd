"""A task as people write it: the same fields in YAML, flags and Python.

Owns: names, types, ranges and defaults of everything that can be asked of a task. Does not own:
what the names stand for (`resolve.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from corpusmith.service.fields import FieldsError
from corpusmith.values import Json, Language

DEFAULT_CHECKS = ("format", "placeholders", "refusal")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class PricePart(_Part):
    """US dollars per million tokens."""

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class EndpointPart(_Part):
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


class ScenarioPart(_Part):
    """A scenario given on the spot."""

    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)


class TaskFile(_Part):
    """One dialogue task. Every field is also a flag of `corpusmith generate`."""

    recipe: Literal["dialogue"] = "dialogue"
    name: str | None = Field(default=None, max_length=200)
    language: Language | None = None
    count: int = Field(ge=1, le=100_000_000)
    seed: int | None = Field(default=None, ge=0, le=2**53 - 1)

    dataset: str | None = None
    characters: tuple[str, ...] = ()
    """Card files, or names of stored or shipped characters; empty: the dataset's."""
    scenarios: tuple[ScenarioPart, ...] = ()
    """Empty: the dataset's, else all shipped ones."""
    mode: Literal["single", "turns"] = "single"
    turns: int = Field(default=3, ge=1, le=20)
    dialogues_per_request: int = Field(default=1, ge=1, le=20)
    share: Literal["weight", "even"] = "weight"
    variation: dict[str, tuple[str, ...]] = Field(default_factory=dict)

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
    checks: tuple[str, ...] = DEFAULT_CHECKS

    output: str | None = None
    format: str = "json"
    commit: bool = True
    """Put the records into `dataset` when the task is finished."""

    @field_validator("scenarios", mode="before")
    @classmethod
    def _scenarios(cls, value: Any) -> Any:
        """A mapping name → weight, a list of names, or a list of full scenarios."""
        if isinstance(value, Mapping):
            return tuple({"name": name, "weight": weight} for name, weight in value.items())
        if isinstance(value, list | tuple):
            return tuple({"name": one} if isinstance(one, str) else one for one in value)
        return value

    @field_validator("characters", "checks", "stop", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("checks")
    @classmethod
    def _no_checks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return () if value == ("none",) else value

    @field_validator("concurrency")
    @classmethod
    def _at_least_one(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise PydanticCustomError("greater_than_equal", "at least 1", {"ge": 1})
        return value


def task_file(fields: Mapping[str, Json], *, source: str) -> TaskFile:
    """The checked task. Raises FieldsError naming every field that does not fit.

    `source`: where the fields come from, for the message: a file's name, or `COMMAND_LINE`.
    """
    try:
        return TaskFile.model_validate(dict(fields))
    except ValidationError as error:
        raise FieldsError.of(error, TaskFile, source) from None


def endpoint_part(fields: Mapping[str, Json], *, source: str) -> EndpointPart:
    """The checked endpoint. Raises FieldsError."""
    try:
        return EndpointPart.model_validate(dict(fields))
    except ValidationError as error:
        raise FieldsError.of(error, EndpointPart, source) from None
