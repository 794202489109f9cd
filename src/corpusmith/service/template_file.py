"""A template as people write it: a YAML or JSON file, or the same fields from Python.

Owns: names, types and ranges of a template's fields; reading and writing its file. Does not own:
what the fields must be to each other (`template_check.py`), the prompt's notation
(`template_text.py`), rows (store).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from corpusmith.cards.fields import language_of
from corpusmith.nouns import Template, TemplateType
from corpusmith.places import given_path
from corpusmith.service.fields import FieldsError
from corpusmith.service.yaml_file import read_fields
from corpusmith.values import Json, Language

TEMPLATE_SUFFIXES = (".yaml", ".yml", ".json")


class TemplateFile(BaseModel):
    """One template. `nouns.Template` says what each field means."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, protected_namespaces=()
    )

    name: str | None = Field(default=None, min_length=1, max_length=200)
    description: str = ""
    type: TemplateType = "custom"
    language: Language | None = None
    """None: the prompt's own."""
    prompt: str = Field(min_length=1)
    system: str = ""
    # BaseModel has a method of that name.
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    vars: dict[str, Any] = Field(default_factory=dict)
    keep: tuple[str, ...] = ()
    preset: Literal["", "high_quality", "fast", "creative"] = ""
    model: str | None = Field(default=None, min_length=1)
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    max_tokens: int | None = Field(default=None, ge=1)

    @field_validator("keep", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("schema_", "vars")
    @classmethod
    def _json(cls, value: Any) -> Any:
        """YAML makes a date of `2025-01-31` and a number of a key; JSON wants their text."""
        return _as_json(value)


def read_template(path: str | Path) -> Template:
    """The template of a YAML or JSON file; its name is the file's own unless the file gives one.

    Raises SpecError naming the file and every field that does not fit.
    """
    file = given_path(path)
    return template_of(read_fields(file), source=str(path), name=file.stem)


def template_of(given: Mapping[str, Json], *, source: str, name: str = "") -> Template:
    """The checked template of `given` fields; `name` when they hold none. Raises FieldsError.

    `source`: where the fields come from, for the message.
    """
    try:
        made = TemplateFile.model_validate(dict(given))
    except ValidationError as error:
        raise FieldsError.of(error, TemplateFile, source) from None
    own = made.model_dump(by_alias=True, exclude={"name", "language"})
    return Template(
        **{**own, "keep": tuple(own["keep"]), "schema": own["schema"] or None},
        name=made.name or name,
        language=made.language or language_of(made.prompt),
    )


def template_fields(template: Template) -> dict[str, Json]:
    """A template's fields as its file holds them: what is as usual is left out, and the version.

    `template_of` reads them back to the same template, `language` included.
    """
    kept: dict[str, Json] = {}
    for one in fields(Template):
        value = getattr(template, one.name)
        if one.name == "version" or value in _USUAL.get(one.name, ()):
            continue
        kept[one.name] = _plain(value)
    return {name: kept[name] for name in _ORDER if name in kept}


def dump_template(template: Template) -> str:
    """The template as YAML, its texts as blocks; `read_template` reads it back to the same."""
    return yaml.dump(
        template_fields(template),
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        width=10_000,
    )


_ORDER = tuple(name.removesuffix("_") for name in TemplateFile.model_fields)
_USUAL: Mapping[str, tuple[Any, ...]] = {
    name.removesuffix("_"): ("", None, (), {})
    for name in TemplateFile.model_fields
    if name != "prompt"
}


class _Dumper(yaml.SafeDumper):
    """Several lines stand as a block, so that a prompt can be read and edited."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def analyze_scalar(self, scalar: str) -> Any:
        found = super().analyze_scalar(scalar)
        # PyYAML forbids blocks with blanks at a line's end: folded they would be lost, literal
        # they are not.
        if _shows_as_block(scalar):
            found.allow_block = True
        return found


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if _shows_as_block(text) else None
    # Unquoted, PyYAML loses which sign parted two lines (NEL, LS, PS).
    if not text.replace("\n", "").isprintable():
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _shows_as_block(text: str) -> bool:
    return "\n" in text and text == text.strip() and text.replace("\n", "").isprintable()


_Dumper.add_representer(str, _text)


def _plain(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _as_json(value: Any) -> Json:
    """Raises PydanticCustomError for what JSON cannot hold."""
    if isinstance(value, dict):
        return {str(name): _as_json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("finite_number", "finite")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise PydanticCustomError("string_type", "not JSON")
