"""The form of self-play.

Owns: its fields, under the names of the tool that it grew from too, and which domain they mean.
Does not own: domains (`service/domains.py`), prompts (`recipes/selfplay_prompts.py`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from corpusmith.errors import UsageError
from corpusmith.places import from_folder, means_file
from corpusmith.recipes.selfplay import SelfPlay
from corpusmith.recipes.selfplay_spec import SelfPlaySpec
from corpusmith.service.domains import DEFAULT, find_domain, is_file
from corpusmith.service.endpoints import endpoints_of
from corpusmith.service.forms.form import Resolved, deliver_file
from corpusmith.service.task_file import TaskFile
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Connection, Json, Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

SATISFIED_SCORE = 9
"""The score that satisfies, unless another is given."""
OTHER_NAMES = {"num_entries": "count", "output_file": "output"}
"""Names of the tool that this job comes from → ours."""


class SelfPlayFile(TaskFile):
    """One self-play task. Every field is also a flag of `corpusmith selfplay`."""

    other_names: ClassVar[tuple[str, ...]] = tuple(OTHER_NAMES)
    recipe: Literal["selfplay"] = "selfplay"
    count: int = Field(default=20, ge=1, le=100_000_000)
    domain: str = Field(default=DEFAULT, min_length=1)
    """A shipped domain's name, or a domain file."""
    refinement_iterations: int = Field(default=3, ge=0, le=100)
    temperature: float | None = Field(default=0.7, ge=0, le=2, allow_inf_nan=False)
    max_tokens_answer: int = Field(default=16_000, ge=1)
    max_tokens_other: int = Field(default=512, ge=1)
    max_attempts_multiplier: float = Field(default=2.0, ge=1, le=1000, allow_inf_nan=False)
    models: dict[str, str] = Field(default_factory=dict)
    """Role → its model, where it is not the task's own."""
    stop_when_satisfied: bool = False
    satisfied_score: int | None = Field(default=None, ge=1, le=10)
    """None: 9, if the judge may end the refinement at all."""

    @model_validator(mode="before")
    @classmethod
    def _under_our_names(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        for old, name in OTHER_NAMES.items():
            if old in given and name in given:
                raise PydanticCustomError("selfplay_twice", "one field", {"old": old, "name": name})
        return _our_names(given)

    @field_validator("max_tokens")
    @classmethod
    def _which_tokens(cls, value: int | None) -> int | None:
        if value is not None:
            raise PydanticCustomError("selfplay_max_tokens", "one of the two others")
        return value

    @field_validator("satisfied_score")
    @classmethod
    def _only_with_the_switch(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and not info.data.get("stop_when_satisfied", True):
            raise PydanticCustomError("selfplay_score_alone", "with stop_when_satisfied")
        return value


class SelfPlayForm:
    """Fits forms.form.Form."""

    file_model: ClassVar[type[TaskFile]] = SelfPlayFile

    def resolve(self, file: TaskFile, store: SqlStore, language: Language) -> Resolved:
        """See Form. The language is the domain's."""
        given = cast(SelfPlayFile, file)
        domain = find_domain(given.domain, given.language)
        spec = SelfPlaySpec(
            domain=domain,
            refinement_iterations=given.refinement_iterations,
            max_tokens_answer=given.max_tokens_answer,
            max_tokens_other=given.max_tokens_other,
            satisfied_score=_score(given),
        )
        return Resolved(
            language=domain.language,
            recipe_spec=spec.model_dump(mode="json"),
            endpoints=_endpoints(given, store),
            count=given.count,
        )

    def from_folder(self, fields: dict[str, Json], folder: Path) -> dict[str, Json]:
        """See Form. Under our names: an option of the line replaces the field by its name."""
        changed = dict(fields)
        domain, output = fields.get("domain"), fields.get("output_file")
        if isinstance(domain, str) and (is_file(domain) or means_file(domain, (), folder=folder)):
            changed["domain"] = from_folder(domain, folder)
        if isinstance(output, str) and output != "-":
            changed["output_file"] = from_folder(output, folder)
        return _our_names(changed)

    def deliver(self, studio: Studio, task: Task) -> Path | None:
        """See Form."""
        return deliver_file(studio, task)


def _our_names(given: dict[str, Any]) -> dict[str, Any]:
    """The fields under our names; one that is given under both keeps both."""
    free = {old: name for old, name in OTHER_NAMES.items() if name not in given}
    return {free.get(key, key): value for key, value in given.items()}


def _score(file: SelfPlayFile) -> int | None:
    if not file.stop_when_satisfied:
        return None
    return SATISFIED_SCORE if file.satisfied_score is None else file.satisfied_score


def _endpoints(file: SelfPlayFile, store: SqlStore) -> dict[str, Connection]:
    found = endpoints_of(file, store, SelfPlay.roles)
    unknown = sorted(set(file.models) - set(found))
    if unknown:
        raise UsageError("role_unknown", role=unknown[0], roles=", ".join(found))
    return {
        role: replace(one, model=file.models.get(role, one.model)) for role, one in found.items()
    }
