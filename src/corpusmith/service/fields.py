"""What is wrong with the fields of a task, a connection or another form, in people's words.

Owns: turning pydantic's findings into ours. Does not own: the fields (`task_file.py`).
A message never holds a value: one may be a key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, cast, get_args

from pydantic import BaseModel, ValidationError

from corpusmith.errors import SpecError
from corpusmith.messages import catalog, say
from corpusmith.values import Json, Language

COMMAND_LINE = "source.command_line"
"""The source of fields that were options: their names tell where they come from."""

# pydantic names the branch of a union that it tried: `connection.EndpointPart.base_url`.
_BRANCH = re.compile(
    r"[A-Z]\w*Part|str|int|float|constrained-[a-z]+|literal\[.*\]|function-.*|tuple\[.*\]|dict\[.*\]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One field that does not fit. `type` is pydantic's stable name of what is wrong."""

    place: str
    """`count`, `scenarios.0.weight`"""
    type: str
    context: Mapping[str, Json] = field(default_factory=dict)
    near: str = ""
    """The known field that an unknown one looks like."""

    def text(self, language: Language) -> str:
        """What is wrong, without the place."""
        key = f"problem.{self.type}"
        if self.near:
            key += "_near"
        if key not in catalog(language):
            key = "problem.other"
        filled = {name: _plain(value) for name, value in self.context.items()}
        if key == "problem.literal_error" and ", " not in str(filled["expected"]):
            key = "problem.literal_one"
        return say(key, language, **{**filled, "near": self.near, "type": self.type})


class FieldsError(SpecError):
    """Data: `source`, `problems` (a list of `Problem`)."""

    code = "spec_fields"

    @classmethod
    def of(cls, error: ValidationError, model: type[BaseModel], source: str) -> FieldsError:
        """Ours for pydantic's."""
        return cls(source=source, problems=_problems(error, model))

    @classmethod
    def of_errors(cls, errors: Iterable[Mapping[str, Any]], source: str) -> FieldsError:
        """Ours for findings as pydantic lists them (`loc`, `type`, `ctx`), without their model."""
        return cls(source=source, problems=_listed(errors, None))

    def message(self, language: Language) -> str:
        return self.listed(language, _counted)

    def listed(self, language: Language, name: Callable[[str], str]) -> str:
        """The message, with each place called what `name` says."""
        problems: Sequence[Problem] = self.data["problems"]
        lines = [
            say(
                "problem.line" if one.place else "problem.line_whole",
                language,
                place=name(one.place),
                problem=one.text(language),
            )
            for one in problems
        ]
        source = self.data["source"]
        if source == COMMAND_LINE and len(lines) == 1:
            return lines[0].strip()
        head = "error.spec_flags" if source == COMMAND_LINE else "error.spec_fields"
        return "\n".join([say(head, language, source=source), *lines])


def _counted(place: str) -> str:
    """`judges.0.weight` as people count: `judges #1.weight`."""
    return re.sub(r"\.(\d+)(?=\.|$)", lambda at: f" #{int(at[1]) + 1}", place)


def _problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    errors = error.errors(include_url=False, include_input=False)
    return _listed(cast(Iterable[Mapping[str, Any]], errors), model)


def _listed(errors: Iterable[Mapping[str, Any]], model: type[BaseModel] | None) -> list[Problem]:
    found: dict[str, Problem] = {}
    for one in errors:
        steps = [str(step) for step in one["loc"] if not _BRANCH.fullmatch(str(step))]
        problem = Problem(
            place=".".join(steps),
            type=one["type"],
            context={k: v for k, v in one.get("ctx", {}).items() if k != "error"},
            near=_near(steps, model) if model and one["type"] == "extra_forbidden" else "",
        )
        found[problem.place] = _joined(found.get(problem.place), problem)
    # Of a union, the branch that looked deepest into the value is the one that was meant.
    return [one for one in found.values() if not _has_deeper(one.place, found)]


def _joined(first: Problem | None, other: Problem) -> Problem:
    """Of two findings at one place the first, unless both together say more."""
    if first is None:
        return other
    if first.type == "int_parsing" and other.type == "literal_error":
        return replace(first, type="number_or_word", context=other.context)
    return first


def _plain(value: Json) -> Json:
    """A bound or a list of words as people write them: `2`, not `2.0`; without quotes."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        parts = re.split(", | or ", value.replace("'", ""))
        return ", ".join(part for part in parts if part.strip())
    return value


def _has_deeper(place: str, found: Mapping[str, Problem]) -> bool:
    return any(other.startswith(f"{place}.") for other in found)


def _near(steps: Sequence[str], model: type[BaseModel]) -> str:
    """The field of the same part that looks most like the last step; empty: none does."""
    for step in steps[:-1]:
        inner = model.model_fields.get(step)
        model = _part_in(inner.annotation if inner else None) or model
    names = [info.alias or name for name, info in model.model_fields.items()]
    names += getattr(model, "other_names", ())
    return "".join(get_close_matches(steps[-1], names, n=1))


def _part_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside an annotation such as `str | Part | None` or `dict[str, Part]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        if found := _part_in(inner):
            return found
    return None
