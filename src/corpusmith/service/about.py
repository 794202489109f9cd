"""What there is to choose from: recipes with their fields, checks, formats. For pages and programs
that build forms.

Owns: describing them in a person's language. Does not own: any of them (forms, quality, exports).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from corpusmith import registry
from corpusmith.exports.formats import TOLD, option_names
from corpusmith.messages import catalog, say_page
from corpusmith.service.checks import ALL_CHECKS, DEFAULT_CHECKS
from corpusmith.service.forms.template_writers import PRESETS
from corpusmith.service.hf_layout import Layout
from corpusmith.service.task_file import form_of
from corpusmith.values import Json, Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

HF = "hf"
_AT_HOME = frozenset({"output", "output_dir", "format", "recipe"})
"""Fields that name a place of the user's own machine, or the form itself: no form asks for them."""
_NOT_ASKED: Mapping[str, frozenset[str]] = {
    "selfplay": frozenset({"max_tokens"}),
    "rounds": frozenset({"count"}),
    "evaluate": frozenset({"count"}),
}
"""Recipe → common fields that it refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeAbout:
    """A way to produce records."""

    name: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeFields:
    """A recipe's form."""

    name: str
    help: str
    fields: Mapping[str, Json]
    """JSON Schema of what creates a task: types, ranges, defaults; `description` in the asked
    language where there is one."""
    presets: Mapping[str, Mapping[str, Json]]
    """Name → parameters that go well together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionAbout:
    """An option of a check or a format."""

    name: str
    type: str
    """As Python writes it: `int`, `float | None`, `Literal['a', 'b']`."""
    required: bool
    default: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAbout:
    """A check."""

    name: str
    help: str
    usual: bool
    """Part of what a task has when nothing is said."""
    in_all: bool
    """Part of `all`: it asks no model and needs nothing."""
    asks: Sequence[str]
    """Roles whose models it asks."""
    compares: bool
    """It looks at records beside each other."""
    masks: bool
    """It can mask what it finds."""
    options: Sequence[OptionAbout]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatAbout:
    """A format of exports."""

    name: str
    help: str
    container: str
    """How its rows stand in a file, unless the file's name says otherwise."""
    pairs: bool
    """It can be made of two records: a better and a worse answer."""
    options: Sequence[OptionAbout]


class Catalogue:
    """`studio.catalogue`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def recipes(self) -> Sequence[RecipeAbout]:
        """All, with what each is for."""
        names = registry.names("recipe")
        return [RecipeAbout(name=one, help=self._help("recipe", one)) for one in names]

    def recipe(self, name: str) -> RecipeFields:
        """Its form. Raises SpecError for an unknown one."""
        schema = _schema(form_of(name).file_model)
        return RecipeFields(
            name=name,
            help=self._help("recipe", name),
            fields=_described(schema, name, self._studio.language),
            presets=PRESETS,
        )

    def checks(self) -> Sequence[CheckAbout]:
        """All, from cheap to dear: the order in which they look."""
        return [self._check(name) for name in registry.names("check")]

    def formats(self) -> Sequence[FormatAbout]:
        """All, and `hf`: a folder in the hub's layout."""
        found = [self._format(name) for name in registry.names("exporter")]
        options = _options(Layout, tuple(inspect.signature(Layout).parameters))
        hub = FormatAbout(
            name=HF,
            help=self._help("format", HF),
            container="folder",
            pairs=False,
            options=options,
        )
        return [*found, hub]

    def _check(self, name: str) -> CheckAbout:
        made = registry.load("check", name)
        roles = getattr(made, "roles", ())
        return CheckAbout(
            name=name,
            help=self._help("check", name),
            usual=name in DEFAULT_CHECKS,
            in_all=name in ALL_CHECKS,
            asks=tuple(roles),
            compares=hasattr(made, "compare"),
            masks=hasattr(made, "masked"),
            options=_options(made, tuple(inspect.signature(made).parameters)),
        )

    def _format(self, name: str) -> FormatAbout:
        made = registry.load("exporter", name)
        return FormatAbout(
            name=name,
            help=self._help("format", name),
            container=made.container,
            pairs=hasattr(made, "compared"),
            options=_options(made, option_names(made)),
        )

    def _help(self, kind: str, name: str) -> str:
        """What it is for; of one from another package its own words."""
        key = f"about.{kind}.{name}"
        language = self._studio.language
        if key in catalog(language):
            return say_page(key, language)
        table: Mapping[str, registry.Kind] = {
            "recipe": "recipe",
            "check": "check",
            "format": "exporter",
        }
        return (inspect.getdoc(registry.load(table[kind], name)) or name).partition("\n")[0]


# ---------------------------------------------------------------- pure parts


def _options(made: Any, names: Sequence[str]) -> list[OptionAbout]:
    parameters = inspect.signature(made).parameters
    return [_option(parameters[name]) for name in names if name not in TOLD]


def _option(parameter: inspect.Parameter) -> OptionAbout:
    required = parameter.default is inspect.Parameter.empty
    kind = parameter.annotation
    return OptionAbout(
        name=parameter.name,
        type=kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind)),
        required=required,
        default=None if required else _plain(parameter.default),
    )


def _plain(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


@lru_cache
def _schema(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = model.model_json_schema()
    return found


def _described(schema: Mapping[str, Any], recipe: str, language: Language) -> dict[str, Json]:
    """The schema without what no form asks for, its fields said in `language`."""
    fields = {
        name: {**_without_words(one), **_words(name, recipe, language)}
        for name, one in schema["properties"].items()
        if name not in _AT_HOME | _NOT_ASKED.get(recipe, frozenset())
    }
    required = [name for name in schema.get("required", ()) if name in fields]
    parts = {name: _without_words(one) for name, one in schema.get("$defs", {}).items()}
    return {"type": "object", "properties": fields, "required": required, "$defs": parts}


def _without_words(part: Mapping[str, Any]) -> dict[str, Any]:
    """Docstrings are for those who read the code."""
    return {name: one for name, one in part.items() if name not in ("description", "title")}


def _words(name: str, recipe: str, language: Language) -> dict[str, str]:
    """The field's help, the recipe's own words for it first; empty: there is none."""
    known = catalog(language)
    keys = (
        *(f"about.field.{recipe}.{name}", f"about.field.{name}"),
        *(f"help.option.{recipe}_{name}", f"help.option.{name}"),
    )
    found = next((key for key in keys if key in known), None)
    return {} if found is None else {"description": say_page(found, language)}
