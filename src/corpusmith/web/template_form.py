"""From what stands in the template editor to a template's fields, and back.

Owns: the form's texts: values one a line, a schema as JSON or as a sample. Does not own: which
fields fit (`service/template_check.py`), what stands on the page (`pages/templates.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpusmith.api.routes.templates import NewTemplate
from corpusmith.errors import SpecError
from corpusmith.nouns import Template
from corpusmith.recipes.template_cell import text_of
from corpusmith.service.template_check import About, schema_like
from corpusmith.values import Json
from corpusmith.web.form import Filled, Form
from corpusmith.web.making import values_of

USUAL, TRIED = "usual.", "var."
"""Before a variable's name: its value in the template; the one of a test."""
SHAPES = ("auto", "sample", "schema")
_PLAIN = ("name", "description", "type", "language", "system", "prompt", "preset", "model")
_NUMBERS = ("temperature", "top_p", "max_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A variable that a value may be typed for."""

    name: str
    text: str
    hint: str
    used: bool
    """The prompt has it (still)."""
    needed: bool


def read(form: Form, stored: Template | None = None) -> NewTemplate:
    """The template that the form describes. Raises FieldsError, SpecError.

    `stored`: what it was before: a value that was not touched stays exactly as it is.
    """
    more: dict[str, Any] = {
        "vars": _values(form, stored),
        "keep": _listed(form.text("keep")),
    }
    schema = schema_in(form)
    if schema is not None:
        more["schema"] = schema
    return form.checked(NewTemplate, **more)


def fields(form: Form, stored: Template | None = None) -> dict[str, Json]:
    """What stands in the form, as far as it can be read: for looking while it is typed."""
    given: dict[str, Json] = {}
    for name in _PLAIN:
        if text := form.text(name):
            given[name] = text
    given["vars"] = _values(form, stored)
    if keep := _listed(form.text("keep")):
        given["keep"] = keep
    for name in _NUMBERS:
        if text := form.text(name):
            given[name] = text
    return given


def schema_in(form: Form) -> Mapping[str, Json] | None:
    """The template's own schema; None: it has none. Raises SpecError."""
    shape = form.text("shape")
    if shape == "sample":
        return schema_like(form.text("sample"))
    if shape != "schema":
        return None
    try:
        found = json.loads(form.text("schema_text"))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise SpecError("template_schema_no_json", line=line) from None
    if not isinstance(found, dict):
        raise SpecError("template_schema_no_object")
    return found


def filled(template: Template) -> Filled:
    """The editor over a stored template."""
    values: dict[str, Any] = {name: getattr(template, name) for name in (*_PLAIN, *_NUMBERS)}
    values["keep"] = ", ".join(template.keep)
    values["shape"] = "auto" if template.schema is None else "schema"
    if template.schema is not None:
        values["schema_text"] = json.dumps(template.schema, ensure_ascii=False, indent=2)
    values |= {USUAL + name: typed(one) for name, one in template.vars.items()}
    return Filled(values=values)


def typed(value: Json) -> str:
    """A variable's value as a person writes it: one value a line, `难 * 2` with a weight."""
    if isinstance(value, Mapping):
        if isinstance(column := value.get("column"), str) and len(value) == 1:
            return f"{{column: {column}}}"
        return "\n".join(f"{name} * {weight}" for name, weight in value.items())
    if isinstance(value, list | tuple):
        return "\n".join(text_of(one) for one in value)
    return text_of(value)


def _values(form: Form, stored: Template | None) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key in form.data:
        name, text = key.removeprefix(USUAL), _plain(form.text(key))
        if not key.startswith(USUAL) or not text:
            continue
        before = None if stored is None else stored.vars.get(name)
        same = before is not None and typed(before).strip() == text
        found[name] = before if same else values_of(text)
    return found


def tried(form: Form) -> dict[str, Json]:
    """Variable → the value to test with. One text is one value, however many lines it has."""
    names = [one for one in form.data if one.startswith(TRIED)]
    texts = {one.removeprefix(TRIED): _plain(form.text(one)) for one in names}
    return {name: text for name, text in texts.items() if text}


def slots(about: About | None, texts: Mapping[str, str], hints: Mapping[str, Json]) -> list[Slot]:
    """Every variable of the prompt, and those that have a value and are not in it any more."""
    known = {} if about is None else about.variables
    free = {name: one for name, one in known.items() if one in ("given", "default")}
    strays = [name for name, text in texts.items() if text and name not in free]
    return [
        Slot(
            name=name,
            text=texts.get(name, ""),
            hint=" / ".join(typed(hints[name]).splitlines()) if name in hints else "",
            used=name in free,
            needed=free.get(name) == "given" and name not in hints,
        )
        for name in (*free, *strays)
    ]


def texts_in(form: Form, prefix: str) -> dict[str, str]:
    """Variable → what stands beside it."""
    names = [one for one in form.data if one.startswith(prefix)]
    return {one.removeprefix(prefix): _plain(form.text(one)) for one in names}


def _listed(text: str) -> list[str]:
    parts = text.replace("，", ",").replace("、", ",").split(",")
    return [one.strip().strip("{}").strip() for one in parts if one.strip()]


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
