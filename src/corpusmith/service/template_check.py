"""Whether a template makes sense, and what of it a person should see before using it.

Owns: what a template's fields must be to each other; its variables with where their values come
from, and the shape of its samples. Does not own: types and ranges of single fields
(`template_file.py`), how a task fills variables (recipes).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from corpusmith.errors import SpecError, UsageError
from corpusmith.nouns import Template
from corpusmith.recipes.template_cell import BUILT_IN
from corpusmith.recipes.template_example import example_in
from corpusmith.recipes.template_schema import checker, kinds_of, shape_of
from corpusmith.service.forms.template_vars import assigned
from corpusmith.service.template_doubts import Doubt, doubts
from corpusmith.service.template_file import TEMPLATE_SUFFIXES
from corpusmith.template_text import variables
from corpusmith.values import Json

_VERSIONED = re.compile(r".*@\d+")

Source = Literal["given", "default", "task", "built_in"]
"""Where a variable's value comes from: the user must give it, the template has one, the task's
number of samples, or every task has it of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a template asks for and brings."""

    variables: Mapping[str, Source]
    """In the order of their first places, the system message first."""
    schema: Mapping[str, Json] | None
    """JSON Schema of one sample; None: free text."""
    shape: Literal["given", "example", "type", "text"]
    """Where the schema comes from: the template, the example in its prompt, its type, nowhere."""
    several: bool
    """One reply may hold several samples."""
    doubts: Sequence[Doubt] = ()
    """What looks as if it were meant as a variable, and is text."""


def about(template: Template) -> About:
    """Raises SpecError for a schema that cannot be one."""
    _refuse_odd_schema(template)
    shape = shape_of(template)
    names = variables(f"{template.system}\n{template.prompt}")
    return About(
        variables={name: _source(name, template) for name in names},
        schema=shape.schema,
        shape=shape.origin,
        several=shape.many,
        doubts=doubts(f"{template.system}\n{template.prompt}"),
    )


def check(template: Template) -> About:
    """`about` a template that may be stored. Raises UsageError, SpecError."""
    check_name(template.name)
    found = about(template)
    for name in template.vars:
        _refuse_unused(name, template, found)
    _refuse_odd_values(template, found)
    own = (found.schema or {}).get("properties", {})
    for name in template.keep:
        if not name.strip():
            raise UsageError("template_keep_empty", template=template.name)
        if name in own:
            raise UsageError("template_keep_own", template=template.name, field=name)
    return found


def schema_like(sample: str) -> dict[str, Json]:
    """The JSON Schema of samples that look like this one, written as people write examples.

    Raises SpecError for a text in which no example is found.
    """
    found = example_in(sample)
    if found is None:
        raise SpecError("template_sample_unreadable")
    return {"type": "array", "items": found.schema} if found.many else dict(found.schema)


def check_name(name: str) -> None:
    """A name has 1 to 200 visible characters and looks like no file and no version.

    Raises UsageError.
    """
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise UsageError("bad_name", kind="template", name=name[:60])
    if _VERSIONED.fullmatch(name) or name.lower().endswith(TEMPLATE_SUFFIXES) or "/" in name:
        raise UsageError("template_name_taken", name=name[:60])


def _source(name: str, template: Template) -> Source:
    if name == "count":
        return "task"
    if name in BUILT_IN:
        return "built_in"
    return "default" if name in template.vars else "given"


def _refuse_unused(name: str, template: Template, found: About) -> None:
    if name in BUILT_IN:
        raise UsageError("template_default_built_in", template=template.name, variable=name)
    if name not in found.variables:
        near = get_close_matches(name, list(found.variables), n=1)
        code = "template_default_unused_near" if near else "template_default_unused"
        raise UsageError(code, template=template.name, variable=name, near="".join(near))


def _refuse_odd_values(template: Template, found: About) -> None:
    """Values are read as a task will read them; what a task must give is made up."""
    given = {name: "x" for name, source in found.variables.items() if source == "given"}
    named = [one.get("column") for one in template.vars.values() if isinstance(one, Mapping)]
    columns = [name for name in named if isinstance(name, str)]
    assigned(template, given, keep=(), columns=columns or None)


def _refuse_odd_schema(template: Template) -> None:
    """A sample is an object (or, for lists of texts, a text); a list of samples may be given."""
    if template.schema is None:
        return
    checker(template.schema, template.name)
    kind = template.schema.get("type")
    items = template.schema.get("items", {})
    if isinstance(kind, list) or not isinstance(items, Mapping):
        raise SpecError("template_schema_kind", template=template.name, kind=kinds_of(kind))
