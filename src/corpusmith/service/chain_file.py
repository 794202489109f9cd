"""A chain as people write it: steps, each the fields of a task, that take each other's records.

Owns: a chain's own fields, defaults of steps, which step takes whose records, what makes a step the
same step as before. Does not own: a step's fields (its form), tasks (`chains.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
from pydantic import Field, ValidationError

from corpusmith.errors import CorpusmithError, SpecError, UsageError
from corpusmith.messages import say
from corpusmith.service.fields import FieldsError
from corpusmith.service.forms.form import from_folder
from corpusmith.service.input_part import input_part
from corpusmith.service.sample_file import is_sampling, sample_file
from corpusmith.service.task_file import EndpointPart, Part, TaskFile, recipe_in, task_file
from corpusmith.service.tasks import CHANGEABLE
from corpusmith.service.yaml_file import fields_from_folder, read_fields
from corpusmith.values import Json, Language

Fields = dict[str, Json]
Numbers = Callable[[str], int]
"""A step's name → its task."""

ENDPOINT = ("connection", "model")
_NOT_THE_STEP = CHANGEABLE | {"output_file"}
"""What may change without making it another step: no record would be another."""


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
        return _BIND.get(self.recipe, _nothing_to_bind)(self, number)

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
    file = Path(path)
    given = {**read_fields(file), **fields}
    return plan_of(given, folder=file.absolute().parent, source=str(file.absolute()))


def plan_of(fields: Mapping[str, Json], *, folder: Path, source: str = "") -> Plan:
    """The checked chain. Raises FieldsError, StepError."""
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
            steps.append(_step(name, one, defaults, folder, steps))
        except FieldsError as error:
            problems = error.data["problems"]
            raise FieldsError(source=f"{shown}, {name}", problems=problems) from None
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


def _step(name: str, given: Fields, defaults: Fields, folder: Path, before: Sequence[Step]) -> Step:
    fields = _written_out({key: value for key, value in given.items() if key != "name"})
    recipe = _recipe(fields)
    fields = _from_folder(recipe, {**_defaults(recipe, fields, defaults), **fields}, folder)
    known = {one.name: one for one in before}
    needs = tuple(dict.fromkeys(_steps_in(fields)))
    for needed in needs:
        if needed not in known:
            raise SpecError("chain_unknown_step", name=needed, known=", ".join(known) or "–")
    named = set(_datasets_in(recipe, fields))
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
        digest=_digest(recipe, fields, inputs),
    )
    checked_fields(step)
    return step


def _recipe(fields: Fields) -> str:
    if "recipe" not in fields and is_sampling(_with_sources(fields, lambda name: 1)):
        return "sample"
    return recipe_in(fields)


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


def _digest(recipe: str, fields: Fields, inputs: Sequence[str]) -> str:
    own = {key: value for key, value in fields.items() if key not in _NOT_THE_STEP}
    text = orjson.dumps([recipe, own, inputs], option=orjson.OPT_SORT_KEYS, default=str)
    return blake2b(text, digest_size=16).hexdigest()


# ---------------------------------------------------------------- whose records it takes


def _written_out(fields: Fields) -> Fields:
    """`step:NAME` as a mapping, which nobody takes for a path."""
    changed = {key: _mapping(value) for key, value in fields.items() if key in ("input", "of")}
    categories = fields.get("categories")
    if isinstance(categories, list | tuple):
        changed["categories"] = [
            {**one, "input": _mapping(one["input"])}
            if isinstance(one, Mapping) and "input" in one
            else one
            for one in categories
        ]
    return fields | changed


def _mapping(value: Json) -> Json:
    if not isinstance(value, str) or not value.startswith("step:"):
        return value
    return {"step": value.removeprefix("step:").strip()}


def _named_step(value: Json) -> str | None:
    """The step that an input names."""
    if isinstance(value, Mapping) and isinstance(value.get("step"), str):
        return str(value["step"])
    return None


def _inputs(fields: Mapping[str, Json]) -> Iterator[Json]:
    yield fields.get("input")
    yield fields.get("of")
    categories = fields.get("categories")
    for one in categories if isinstance(categories, list | tuple) else ():
        if isinstance(one, Mapping):
            yield one.get("input")


def _steps_in(fields: Mapping[str, Json]) -> Iterator[str]:
    for value in _inputs(fields):
        name = _named_step(value)
        if name is not None:
            yield name


def _datasets_in(recipe: str, fields: Mapping[str, Json]) -> Iterator[Json]:
    """Datasets that are read by their names."""
    for value in _inputs(fields):
        if isinstance(value, str) and value.startswith("dataset:"):
            yield value.removeprefix("dataset:")
        elif isinstance(value, Mapping):
            yield value.get("dataset")
    if recipe == "evaluate" and "of" not in fields:
        yield fields.get("dataset")
    if recipe == "sample" and isinstance(fields.get("categories"), list | tuple):
        for one in fields["categories"]:
            yield one.get("dataset") if isinstance(one, Mapping) else None


def _input_fields(value: Json, number: Numbers) -> Fields:
    """What else is said of a step's records, and the task instead of the step."""
    more = dict(value)
    name = str(more.pop("step"))
    if "fields" in more:
        more["map"] = more.pop("fields")
    return {"task": number(name), **more}


def _only(given: Fields, allowed: Sequence[str], recipe: str) -> None:
    unknown = sorted(set(given) - {"task", *allowed})
    if unknown:
        raise SpecError(
            "chain_input_field", field=unknown[0], recipe=recipe, known=", ".join(allowed) or "–"
        )


# ---------------------------------------------------------------- by recipe


def _nothing_to_bind(step: Step, number: Numbers) -> Fields:
    if step.needs:
        raise SpecError("chain_no_input", recipe=step.recipe)
    return dict(step.fields)


def _template(step: Step, number: Numbers) -> Fields:
    fields = dict(step.fields)
    if _named_step(fields.get("input")) is not None:
        fields["input"] = _template_input(fields["input"], number)
    if isinstance(fields.get("categories"), list | tuple):
        fields["categories"] = [
            {**one, "input": _template_input(one["input"], number)}
            if isinstance(one, Mapping) and _named_step(one.get("input")) is not None
            else one
            for one in fields["categories"]
        ]
    return fields


def _template_input(value: Json, number: Numbers) -> Fields:
    made = _input_fields(value, number)
    input_part(made, source="input")
    return made


def _rounds(step: Step, number: Numbers) -> Fields:
    fields = dict(step.fields)
    if _named_step(fields.get("input")) is None:
        return fields
    made = _input_fields(fields["input"], number)
    _only(made, ("map", "sample"), step.recipe)
    fields["input"] = f"task:{made['task']}"
    return fields | {name: made[name] for name in ("map", "sample") if name in made}


def _evaluate(step: Step, number: Numbers) -> Fields:
    fields = dict(step.fields)
    if _named_step(fields.get("input")) is not None:
        fields.setdefault("of", fields["input"])
        del fields["input"]
    if _named_step(fields.get("of")) is None:
        return fields
    made = _input_fields(fields["of"], number)
    _only(made, ("where", "sample"), step.recipe)
    fields["of"] = {"task": made["task"]}
    return fields | {name: made[name] for name in ("where", "sample") if name in made}


def _sample(step: Step, number: Numbers) -> Fields:
    return _with_sources(step.fields, number)


def _with_sources(fields: Fields, number: Numbers) -> Fields:
    """Categories that name a step draw from its task."""
    if not isinstance(fields.get("categories"), list | tuple):
        return dict(fields)
    return {**fields, "categories": [_source(one, number) for one in fields["categories"]]}


def _source(category: Json, number: Numbers) -> Json:
    if not isinstance(category, Mapping) or _named_step(category.get("input")) is None:
        return category
    made = _input_fields(category["input"], number)
    _only(made, ("where",), "sample")
    rest = {key: value for key, value in category.items() if key != "input"}
    return {**rest, **made}


_BIND: dict[str, Callable[[Step, Numbers], Fields]] = {
    "template": _template,
    "rounds": _rounds,
    "evaluate": _evaluate,
    "sample": _sample,
}
"""How a recipe takes another step's records; one that is not here takes none."""
