"""The variables of a template: where each value comes from.

Owns: reading values as people give them (one, a list, weights, a column), and matching them with
the variables that a prompt has. Does not own: the prompt's notation (`template_text.py`), rows
(`template_rows.py`). Pure; everything that does not fit is refused here, before any call.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches

from corpusmith.errors import UsageError
from corpusmith.nouns import Template
from corpusmith.recipes.template_cell import BUILT_IN, text_of
from corpusmith.recipes.template_spec import ChoicePart
from corpusmith.template_text import variables
from corpusmith.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Where each variable of a category takes its values."""

    values: dict[str, Json] = field(default_factory=dict)
    choices: tuple[ChoicePart, ...] = ()
    variety: tuple[ChoicePart, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()

    @property
    def needed(self) -> set[str]:
        """The columns that the category reads."""
        named = {*self.values, *self.columns}
        named |= {one.name for one in (*self.choices, *self.variety)}
        return {*self.columns.values(), *(name for name in self.keep if name not in named)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One variable as it was given: its values with their weights, or a column."""

    values: tuple[Json, ...] = ()
    weights: tuple[float, ...] = ()
    column: str | None = None


def used_by(template: Template) -> list[str]:
    """The variables of a template, in the order of their first places."""
    return variables(template.prompt + "\n" + template.system)


def assigned(
    template: Template,
    given: Mapping[str, Json],
    keep: Sequence[str],
    columns: Iterable[str] | None,
) -> Assigned:
    """Matches a template with the task's values: `given`, else a column of that name, else the
    template's own.

    A list of the task is a quota for each value; a list of the template's own is for variety.
    `keep`: the task's own wishes, besides the template's. `columns` None: there are no rows.
    Raises UsageError for a variable that is missing, unknown, built in, or badly given.
    """
    names = used_by(template)
    known = list(columns or ())
    _refuse_strangers(template, given, [*names, *keep, *template.keep])
    own = {n: v for n, v in template.vars.items() if n not in given and n not in known}
    wanted = [n for n in dict.fromkeys([*names, *keep, *template.keep]) if n not in BUILT_IN]
    read = {n: _value(n, given[n], template) for n in given}
    read |= {n: _value(n, own[n], template) for n in wanted if n in own}
    read |= {n: _Read(column=n) for n in wanted if n not in read and n in known}
    _refuse_missing(template, [n for n in names if n not in read and n not in BUILT_IN], columns)
    for name, one in read.items():
        _refuse_stray_column(name, one, template, columns)
    for name in keep:
        if name not in read:
            raise UsageError("template_keep_unknown", template=template.name, field=name)
    several = {n: one for n, one in read.items() if len(one.values) > 1}
    return Assigned(
        values={n: one.values[0] for n, one in read.items() if len(one.values) == 1},
        choices=tuple(_choice(n, one) for n, one in several.items() if n in given),
        variety=tuple(_choice(n, one) for n, one in several.items() if n not in given),
        columns={n: one.column for n, one in read.items() if one.column is not None},
        keep=tuple(n for n in dict.fromkeys([*template.keep, *keep]) if n in read),
    )


def _choice(name: str, one: _Read) -> ChoicePart:
    return ChoicePart(name=name, values=one.values, weights=one.weights)


# ---------------------------------------------------------------- reading one value


def _value(name: str, value: Json, template: Template) -> _Read:
    place = {"variable": name, "template": template.name}
    if isinstance(value, Mapping):
        return _mapping(value, place)
    if not isinstance(value, list | tuple):
        return _Read(values=(_single(value, place),), weights=(1.0,))
    if not value:
        raise UsageError("template_var_empty", **place)
    values = [_single(one, place) for one in value]
    texts = [text_of(one) for one in values]
    if len(values) > 1 and not all(text.strip() for text in texts):
        raise UsageError("template_var_blank", **place)
    if twice := next((text for text in texts if texts.count(text) > 1), None):
        raise UsageError("template_var_twice", **place, value=twice[:60])
    return _Read(values=tuple(values), weights=(1.0,) * len(values))


def _mapping(value: Mapping[str, Json], place: Mapping[str, str]) -> _Read:
    """`{column: NAME}`, or value → weight."""
    column = value.get("column")
    if len(value) == 1 and isinstance(column, str) and _weight(column) is None:
        return _Read(column=column)
    if not value:
        raise UsageError("template_var_empty", **place)
    weights = [_weight(one) for one in value.values()]
    known = tuple(one for one in weights if one is not None)
    if len(known) < len(weights):
        raise UsageError("template_var_weights", **place)
    return _Read(values=tuple(str(name) for name in value), weights=known)


def _weight(value: Json) -> float | None:
    """A weight above zero, `3` or `40%`; None: it is none."""
    text = value.strip().removesuffix("%") if isinstance(value, str) else value
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return None
    try:
        weight = float(text)
    except ValueError:
        return None
    return weight if weight > 0 and math.isfinite(weight) else None


def _single(value: Json, place: Mapping[str, str]) -> Json:
    """YAML makes dates of texts that look like one."""
    if isinstance(value, date):
        return value.isoformat()
    if value is None:
        raise UsageError("template_var_empty", **place)
    if not isinstance(value, str | int | float):
        raise UsageError("template_var_value", **place)
    return value


# ---------------------------------------------------------------- what is refused


def refuse_built_in(given: Mapping[str, Json], template: str) -> None:
    """Raises UsageError for a value of a variable that every task has of itself."""
    for name in given:
        if name in BUILT_IN:
            code = "template_var_count" if name == "count" else "template_var_built_in"
            raise UsageError(code, variable=name, template=template)


def unknown_variable(name: str, templates: Sequence[str], known: Sequence[str]) -> UsageError:
    """What to say of a value that no prompt has a place for."""
    near = get_close_matches(name, known, n=1)
    code = "template_var_unused_near" if near else "template_var_unused"
    return UsageError(
        code, variable=name, template=", ".join(dict.fromkeys(templates)), near="".join(near)
    )


def _refuse_strangers(template: Template, given: Mapping[str, Json], places: Sequence[str]) -> None:
    refuse_built_in(given, template.name)
    for name in given:
        if name not in places:
            raise unknown_variable(name, [template.name], places)


def _refuse_missing(
    template: Template, missing: Sequence[str], columns: Iterable[str] | None
) -> None:
    if not missing:
        return
    code = "template_var_missing" if columns is None else "template_var_missing_column"
    raise UsageError(
        code,
        template=template.name,
        variables=", ".join(missing),
        variable=missing[0],
        columns=", ".join(columns or ()),
    )


def _refuse_stray_column(
    name: str, one: _Read, template: Template, columns: Iterable[str] | None
) -> None:
    if one.column is None or (columns is not None and one.column in columns):
        return
    place = {"template": template.name, "variable": name, "column": one.column}
    if columns is None:
        raise UsageError("template_column_no_input", **place)
    raise UsageError("template_column_unknown", **place, columns=", ".join(columns))
