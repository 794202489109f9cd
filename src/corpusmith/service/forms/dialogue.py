"""The form of character dialogues.

Owns: its fields, and which characters and scenarios they stand for. Does not own: what is common
to all tasks (`task_file.py`), prompts (`recipes/dialogue_prompts.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from pydantic import Field, field_validator

from corpusmith.errors import UsageError
from corpusmith.messages import language_of
from corpusmith.nouns import Character
from corpusmith.places import from_folder, means_file
from corpusmith.presets import load as presets
from corpusmith.service.cards import CARD_SUFFIXES, find_character, has
from corpusmith.service.endpoints import endpoints_of
from corpusmith.service.forms.form import Resolved, deliver_file
from corpusmith.service.task_file import Part, TaskFile, one_or_many
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Json, Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio


class ScenarioPart(Part):
    """A scenario given on the spot."""

    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)


class DialogueFile(TaskFile):
    """One dialogue task. Every field is also a flag of `corpusmith generate`."""

    recipe: Literal["dialogue"] = "dialogue"
    count: int = Field(ge=1, le=100_000_000)
    characters: tuple[str, ...] = ()
    """Card files, or names of stored or shipped characters; empty: the dataset's."""
    scenarios: tuple[ScenarioPart, ...] = ()
    """Empty: the dataset's, else all shipped ones."""
    mode: Literal["single", "turns"] = "single"
    turns: int = Field(default=3, ge=1, le=20)
    dialogues_per_request: int = Field(default=1, ge=1, le=20)
    share: Literal["weight", "even"] = "weight"
    variation: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @field_validator("scenarios", mode="before")
    @classmethod
    def _scenarios(cls, value: Any) -> Any:
        """A mapping name → weight, a list of names, or a list of full scenarios."""
        if isinstance(value, Mapping):
            return tuple({"name": name, "weight": weight} for name, weight in value.items())
        if isinstance(value, list | tuple):
            return tuple({"name": one} if isinstance(one, str) else one for one in value)
        return value

    @field_validator("characters", mode="before")
    @classmethod
    def _one_or_many_characters(cls, value: Any) -> Any:
        return one_or_many(value)


class DialogueForm:
    """Fits forms.form.Form."""

    file_model: ClassVar[type[TaskFile]] = DialogueFile

    def resolve(self, file: TaskFile, store: SqlStore, language: Language) -> Resolved:
        """See Form."""
        given = cast(DialogueFile, file)
        characters = _characters(given, store)
        scenarios = _scenarios(given, store, characters[0].language)
        spoken = given.language or _language(characters)
        roles = ("writer",) if given.mode == "single" else ("user", "character")
        return Resolved(
            language=spoken,
            recipe_spec={
                "characters": [part_of(character) for character in characters],
                "scenarios": [part.model_dump() for part in scenarios],
                "mode": given.mode,
                "turns": given.turns,
                "dialogues_per_request": given.dialogues_per_request,
                "share": given.share,
                "language": spoken,
                "variation": {name: list(values) for name, values in given.variation.items()},
            },
            endpoints=endpoints_of(given, store, roles),
            count=given.count,
        )

    def from_folder(self, fields: dict[str, Json], folder: Path) -> dict[str, Json]:
        """See Form."""
        characters = one_or_many(fields.get("characters"))
        if not isinstance(characters, list | tuple):
            return fields
        return {**fields, "characters": [_card(one, folder) for one in characters]}

    def deliver(self, studio: Studio, task: Task) -> Path | None:
        """See Form."""
        return deliver_file(studio, task)


def _card(wish: Json, folder: Path) -> Json:
    """A card's path from the file's folder; a character's name stays as it is."""
    if not isinstance(wish, str):
        return wish
    return from_folder(wish, folder) if means_file(wish, CARD_SUFFIXES, folder=folder) else wish


def _characters(file: DialogueFile, store: SqlStore) -> list[Character]:
    if file.characters:
        found = [find_character(wish, store) for wish in file.characters]
    elif file.dataset and has(store.datasets, file.dataset):
        found = store.datasets.bindings(file.dataset)[0]
        if not found:
            raise UsageError("dataset_no_character", dataset=file.dataset)
    else:
        raise UsageError("no_character")
    names = [character.name for character in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError("character_twice", name=twice)
    return found


def _scenarios(file: DialogueFile, store: SqlStore, language: Language) -> list[ScenarioPart]:
    if file.scenarios:
        found = [_described(part, store) for part in file.scenarios]
    elif file.dataset and has(store.datasets, file.dataset):
        bound = store.datasets.bindings(file.dataset)[1]
        found = [
            ScenarioPart(name=one.name, description=one.description, weight=weight)
            for one, weight in bound
        ]
        if not found:
            raise UsageError("dataset_no_scenario", dataset=file.dataset)
    else:
        found = [
            ScenarioPart(name=one.name, description=one.description, weight=one.weight)
            for one in presets.scenarios(language)
        ]
    names = [part.name for part in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError("scenario_twice", name=twice)
    if not any(part.weight for part in found):
        raise UsageError("scenario_weights_zero")
    return found


def _described(part: ScenarioPart, store: SqlStore) -> ScenarioPart:
    """A scenario given by name alone takes its description from the store or the shipped ones.

    A name that nobody knows is a label of the user's own: it stands for itself.
    """
    if part.description:
        return part
    for known in [*store.scenarios.list(), *presets.scenarios("zh"), *presets.scenarios("en")]:
        if known.name == part.name:
            return part.model_copy(update={"description": known.description})
    return part


def _language(characters: Sequence[Character]) -> Language:
    languages = {character.language for character in characters}
    return languages.pop() if len(languages) == 1 else language_of()


def part_of(character: Character) -> dict[str, Json]:
    fields = (
        "name",
        "description",
        "personality",
        "background",
        "speaking_style",
        "example_dialogues",
        "greeting",
        "system_prompt",
    )
    return {field: getattr(character, field) for field in fields}
