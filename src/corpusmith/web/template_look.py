"""A template's form as it stands: what it asks for, what does not fit and beside which field, and
what its test needs.

Owns: these answers. Does not own: the way from the form to a template (`template_form.py`), what
fits (`service/template_check.py`), pages (`pages/templates.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpusmith.api.errors import message_of
from corpusmith.errors import Conflict, CorpusmithError
from corpusmith.nouns import Template
from corpusmith.recipes.template_schema import sketch
from corpusmith.service.fields import FieldsError
from corpusmith.service.template_check import About
from corpusmith.values import Language
from corpusmith.web import template_form as editor
from corpusmith.web.form import Filled, Form
from corpusmith.web.view import View

BESIDE = {
    **dict.fromkeys(("template_exists", "bad_name", "template_name_taken"), "name"),
    **dict.fromkeys(("template_keep_empty", "template_keep_own"), "keep"),
    **dict.fromkeys(("template_keep_unknown",), "keep"),
    **dict.fromkeys(("template_schema_no_json", "template_schema_no_object"), "schema_text"),
    "template_sample_unreadable": "sample",
}
_BEGINNINGS = (
    *(("template_schema_", "schema_text"), ("template_default_", "usual")),
    *(("template_var_", "usual"), ("template_column_", "usual")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A form as it stands."""

    about: About | None
    chips: Sequence[tuple[str, str]] = ()
    """Variable, where its value comes from."""
    sketch: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    usual: Sequence[editor.Slot] = ()
    empty: bool = False


def look_at(view: View, form: Form, stored: Template | None, *, whole: bool = False) -> Look:
    """What the form describes; `whole`: the template itself, nothing of it stands in the form."""
    if whole and stored is not None:
        return looked_at(view.studio.templates.about(stored))
    fields = editor.fields(form, stored)
    name = str(fields.pop("name", ""))
    problems: dict[str, str] = {}
    try:
        if (schema := editor.schema_in(form)) is not None:
            fields["schema"] = dict(schema)
    except CorpusmithError as error:
        problems[slot_of(error)] = message_of(error, view.language)
    empty = not fields.get("prompt")
    known = {**fields, "name": "x", "prompt": fields.get("prompt") or "…"}
    about, wrong = view.studio.templates.look(known)
    if wrong is not None and not problems:
        problems |= told(wrong, view.language, form)
    if name and stored is None and _taken(view, name):
        taken = Conflict("template_exists", kind="template", name=name)
        problems["name"] = message_of(taken, view.language)
    usual = editor.slots(about, editor.texts_in(form, editor.USUAL), {})
    looked = looked_at(about)
    return Look(
        about=about,
        chips=looked.chips,
        sketch=looked.sketch,
        problems=problems,
        usual=usual,
        empty=empty,
    )


def looked_at(about: About | None) -> Look:
    """Of a template that is as it is."""
    if about is None:
        return Look(about=None)
    shape = "" if about.schema is None else sketch(about.schema)
    return Look(about=about, chips=list(about.variables.items()), sketch=shape)


def told(error: CorpusmithError, language: Language, form: Form) -> dict[str, str]:
    """Field → what is wrong with it."""
    if not isinstance(error, FieldsError):
        place = slot_of(error)
        if place == "schema_text" and form.text("shape") == "sample":
            place = "sample"
        return {place: message_of(error, language)}
    return {one.place.partition(".")[0]: one.text(language) for one in error.data["problems"]}


def slot_of(error: CorpusmithError) -> str:
    """The field that an error speaks of; empty: none."""
    if error.reason in BESIDE:
        return BESIDE[error.reason]
    return next((to for start, to in _BEGINNINGS if error.reason.startswith(start)), "")


def _taken(view: View, name: str) -> bool:
    try:
        view.studio.templates.get(name)
    except CorpusmithError:
        return False
    return True


def trying(view: View, about: About | None, filled: Filled, one: Template | None) -> dict[str, Any]:
    """What the panel of a test is made of."""
    stored = view.studio.connections.list()
    only = stored[0].name if len(stored) == 1 else ""
    texts = {
        name.removeprefix(editor.TRIED): str(text)
        for name, text in filled.values.items()
        if name.startswith(editor.TRIED)
    }
    hints = {} if one is None else one.vars
    variables = editor.slots(about, texts, hints)
    return {
        "connections": [
            (each.name, f"{each.name} · {each.model}" if each.model else each.name)
            for each in stored
        ],
        "try_form": Filled(values={"connection": only, **filled.values}),
        "try_variables": [each for each in variables if each.used],
        "may": view.may("edit"),
    }


def pretty(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)
