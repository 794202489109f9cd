"""A chain as people write it: steps, each the fields of a task, that take each other's records.

Owns: a chain's own fields, defaults of steps, which step takes whose records, what makes a step the
same step as before. Does not own: a step's fields (its form), tasks (`chains.py`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Any

import orjson
from pydantic import Field, ValidationError

from corpusmith import registry
from corpusmith.errors import CorpusmithError, NotFound, SpecError, UsageError
from corpusmith.messages import say
from corpusmith.places import PREFIX, from_folder, gated, given_path, upload_path
from corpusmith.service.bulk import RECIPES
from corpusmith.service.chain_inputs import (
    Fields,
    Numbers,
    bind,
    datasets_in,
    steps_in,
    with_sources,
    written_out,
)
from corpusmith.service.fields import FieldsError
from corpusmith.service.sample_file import is_sampling, sample_file
from corpusmith.service.task_file import EndpointPart, Part, TaskFile, recipe_in, task_file
from corpusmith.service.tasks import CHANGEABLE
from corpusmith.service.yaml_file import fields_from_folder, read_fields
from corpusmith.values import Json, Language

ENDPOINT = ("connection", "model")
_NOT_THE_STEP = CHANGEABLE | {"output_file"}
"""What may change without making it another step: no record would be another."""
_ENDPOINTS = ("connection", "roles", "models")
"""Their files are certificates: a renewed one changes no record."""


NO_UPLOADS: Mapping[str, str] = {}


class ChainFile(Part):
    """A chain. What stands here besides the steps is a default of each of them."""

    name: str | None = Field(default=None, min_length=1, max_length=100)
    """None: the file's name."""
    description: str = ""
    connection: str | EndpointPart | None = None
    model: str | None = None
    language: Language | None = None
    seed: int | None = Field(default=None, ge=0, le=2**53 - 1)
    max_cost: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """US dollars for all steps together."""
    steps: tuple[dict[str, Any], ...] = Field(min_length=1)


class ImportStep(Part):
    """A step that reads a file into a dataset."""

    recipe: str
    file: str = Field(min_length=1)
    dataset: str = Field(min_length=1, max_length=200)
    format: str = "auto"
    map: dict[str, str] = Field(default_factory=dict)
    limit: int | None = Field(default=None, ge=1)
    skip_duplicates: bool = False
    name: str | None = None
    """The task's; set by the chain."""


class StepError(UsageError):
    """Something about one step. Data: `step`, `error` (what is wrong)."""

    code = "chain_step"

    def message(self, language: Language) -> str:
        error: CorpusmithError = self.data["error"]
        text = error.message(language)
        return say("error.chain_step", language, step=self.data["step"], problem=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step, with the chain's defaults in it and its paths made absolute."""

    name: str
    recipe: str
    fields: Fields
    needs: tuple[str, ...]
    """Earlier steps whose records it takes."""
    after: tuple[str, ...]
    """Earlier steps that write a dataset which it reads by name."""
    digest: str

    def bound(self, number: Numbers) -> Fields:
        """The fields of its task. Raises UsageError for an input that its recipe cannot take."""
        return bind(self.recipe, self.fields, number)

    @property
    def dataset(self) -> str | None:
        """Where its records go."""
        name = self.fields.get("dataset")
        return name if isinstance(name, str) and self.recipe != "evaluate" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A checked chain."""

    name: str
    source: str
    """Its file; empty: it came from Python."""
    max_cost: float | None
    steps: tuple[Step, ...]


def read_chain(path: str | Path, **fields: Any) -> Plan:
    """The chain of a YAML file, with `fields` in place of its own; its paths start from its folder.

    Raises SpecError, StepError.
    """
    file = given_path(path)
    given = {**read_fields(file), **fields}
    return plan_of(given, folder=file.absolute().parent, source=str(file.absolute()))


def plan_of(
    fields: Mapping[str, Json],
    *,
    folder: Path,
    source: str = "",
    held: Mapping[str, str] = NO_UPLOADS,
) -> Plan:
    """The checked chain; `held`: what `held_uploads` said of it when it came. Raises FieldsError,
    StepError."""
    shown = source or "the chain"
    try:
        given = ChainFile.model_validate(dict(fields))
    except ValidationError as error:
        raise FieldsError.of(error, ChainFile, shown) from None
    # As they were written: pydantic would fill in what nobody said.
    defaults = {
        name: fields[name]
        for name in (*ENDPOINT, "language", "seed")
        if fields.get(name) is not None
    }
    steps: list[Step] = []
    for place, one in enumerate(given.steps, 1):
        name = _name(one, place, steps)
        try:
            steps.append(_step(name, one, defaults, folder, steps, held))
        except FieldsError as error:
            problems = error.data["problems"]
            raise FieldsError(source=f"{shown} [{name}]", problems=problems) from None
        except CorpusmithError as error:
            raise StepError(step=name, error=error) from error
    return Plan(
        name=given.name or (Path(source).stem if source else "chain"),
        source=source,
        max_cost=given.max_cost,
        steps=tuple(steps),
    )


def checked_fields(step: Step) -> TaskFile | None:
    """The step's fields, with the number 1 for every task that is not made yet.

    None: an import or a sample. Raises FieldsError and its kinds.
    """
    return _checked(step.recipe, step.bound(lambda name: 1))


# ---------------------------------------------------------------- one step


def _name(fields: Mapping[str, Json], place: int, before: Sequence[Step]) -> str:
    name = fields.get("name")
    if not isinstance(name, str) or not name.strip():
        raise SpecError("chain_step_name", place=place)
    if name in {one.name for one in before}:
        raise SpecError("chain_step_twice", step=name)
    return name


def _step(
    name: str,
    given: Fields,
    defaults: Fields,
    folder: Path,
    before: Sequence[Step],
    held: Mapping[str, str],
) -> Step:
    fields = written_out({key: value for key, value in given.items() if key != "name"})
    recipe = _recipe(fields)
    fields = _from_folder(recipe, {**_defaults(recipe, fields, defaults), **fields}, folder)
    known = {one.name: one for one in before}
    needs = tuple(dict.fromkeys(steps_in(fields)))
    for needed in needs:
        if needed not in known:
            code = "chain_unknown_step" if known else "chain_first_step"
            raise SpecError(code, name=needed, known=", ".join(known))
    named = set(datasets_in(recipe, fields))
    after = tuple(
        one.name
        for one in before
        if one.dataset is not None and one.dataset in named and one.name not in needs
    )
    inputs = [known[one].digest for one in (*needs, *after)]
    step = Step(
        name=name,
        recipe=recipe,
        fields={**fields, "recipe": recipe},
        needs=needs,
        after=after,
        digest=_digest(recipe, fields, inputs, held),
    )
    checked_fields(step)
    return step


def _recipe(fields: Fields) -> str:
    if "recipe" not in fields and is_sampling(with_sources(fields, lambda name: 1)):
        return "sample"
    recipe = recipe_in(fields)
    known = (*registry.names("form"), *RECIPES)
    if recipe not in known:
        raise SpecError("unknown_recipe", name=recipe[:60], known=", ".join(known))
    return recipe


def _defaults(recipe: str, own: Fields, defaults: Fields) -> Fields:
    """What of the chain's defaults this step can take; a model belongs to its endpoint."""
    if recipe == "import":
        return {}
    left_out = ENDPOINT if recipe == "sample" else ("model",) if "connection" in own else ()
    return {name: value for name, value in defaults.items() if name not in left_out}


def _from_folder(recipe: str, fields: Fields, folder: Path) -> Fields:
    if recipe in ("import", "sample"):
        paths = {
            name: from_folder(fields[name], folder)
            for name in ("file", "output")
            if isinstance(fields.get(name), str)
        }
        return {**fields, **paths}
    return fields_from_folder(fields, folder)


def _checked(recipe: str, fields: Fields) -> TaskFile | None:
    """Raises FieldsError."""
    if recipe == "import":
        try:
            ImportStep.model_validate(fields)
        except ValidationError as error:
            raise FieldsError.of(error, ImportStep, "") from None
        return None
    if recipe == "sample":
        sample_file(fields, source="")
        return None
    return task_file(fields, source="")


def held_uploads(fields: Mapping[str, Json]) -> dict[str, str]:
    """Upload → its name and a digest of what it holds, for each that the chain names: a file that
    is sent once more is another upload, and makes no other step. Kept with the chain, it outlives
    the upload."""
    found, left = {}, [*fields.values()]
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            left += one.values()
        elif isinstance(one, list | tuple):
            left += one
        elif isinstance(one, str) and one.startswith(PREFIX):
            with suppress(NotFound), upload_path(one.removeprefix(PREFIX)).open("rb") as file:
                digest = file_digest(file, "blake2b").hexdigest()
                found[one] = f"{Path(file.name).name} {digest}"
    return found


def _digest(recipe: str, fields: Fields, inputs: Sequence[str], held: Mapping[str, str]) -> str:
    own = {k: _with(value, held) for k, value in fields.items() if k not in _NOT_THE_STEP}
    parts = [recipe, own, [*_contents(own)], inputs]
    text = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS, default=str)
    return blake2b(text, digest_size=16).hexdigest()


def _with(value: Json, held: Mapping[str, str]) -> Json:
    """The same, with what each upload holds in place of its number."""
    if isinstance(value, Mapping):
        return {key: _with(one, held) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_with(one, held) for one in value]
    return held.get(value, value) if isinstance(value, str) else value


def _contents(value: Json) -> Iterator[str]:
    """A digest of each file that a step names: with an edited template it is another step."""
    if isinstance(value, Mapping):
        for key in sorted(value, key=str):
            if key not in _ENDPOINTS:
                yield from _contents(value[key])
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _contents(one)
    elif isinstance(value, str) and _is_file(value):
        with open(value, "rb") as file:
            yield file_digest(file, "blake2b").hexdigest()


def _is_file(path: str) -> bool:
    """Whether a text is the place of a file that can be read; paths of steps are absolute."""
    return not gated() and os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.R_OK)
