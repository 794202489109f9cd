"""Whose records a step of a chain takes, and how its recipe is told.

Owns: `{step: NAME}` in a step's fields, and what becomes of it once that step has a task. Does not
own: the chain's file (`chain_file.py`), reading records (`inputs.py` and the forms).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from corpusmith.errors import SpecError
from corpusmith.service.input_part import input_part
from corpusmith.values import Json

Fields = dict[str, Json]
Numbers = Callable[[str], int]
"""A step's name → its task."""


def written_out(fields: Fields) -> Fields:
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


def steps_in(fields: Mapping[str, Json]) -> Iterator[str]:
    for value in _inputs(fields):
        name = _named_step(value)
        if name is not None:
            yield name


def datasets_in(recipe: str, fields: Mapping[str, Json]) -> Iterator[Json]:
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


def bind(recipe: str, fields: Fields, number: Numbers) -> Fields:
    """The fields of the step's task: each step that is named stands for its task now.

    Raises SpecError for an input that the recipe cannot take.
    """
    binder = _BIND.get(recipe)
    if binder is not None:
        return binder(fields, number)
    if next(steps_in(fields), None) is not None:
        raise SpecError("chain_no_input", recipe=recipe)
    return dict(fields)


def _template(given: Fields, number: Numbers) -> Fields:
    fields = dict(given)
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


def _rounds(given: Fields, number: Numbers) -> Fields:
    fields = dict(given)
    if _named_step(fields.get("input")) is None:
        return fields
    made = _input_fields(fields["input"], number)
    _only(made, ("map", "sample"), "rounds")
    fields["input"] = f"task:{made['task']}"
    return fields | {name: made[name] for name in ("map", "sample") if name in made}


def _evaluate(given: Fields, number: Numbers) -> Fields:
    fields = dict(given)
    if _named_step(fields.get("input")) is not None:
        fields.setdefault("of", fields["input"])
        del fields["input"]
    if _named_step(fields.get("of")) is None:
        return fields
    made = _input_fields(fields["of"], number)
    _only(made, ("where", "sample"), "evaluate")
    fields["of"] = {"task": made["task"]}
    return fields | {name: made[name] for name in ("where", "sample") if name in made}


def with_sources(fields: Fields, number: Numbers) -> Fields:
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


_BIND: dict[str, Callable[[Fields, Numbers], Fields]] = {
    "template": _template,
    "rounds": _rounds,
    "evaluate": _evaluate,
    "sample": with_sources,
}
"""How a recipe takes another step's records; one that is not here takes none."""
