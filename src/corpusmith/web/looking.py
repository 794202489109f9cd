"""From what a person ticked on a page of quality to checks with options, and signals.

Owns: which options a form asks for and how each is written there. Does not own: what they mean
(quality), finding (`service/cleaning.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from corpusmith.errors import CorpusmithError
from corpusmith.service.about import CheckAbout, OptionAbout
from corpusmith.service.cleaning import NO_CHECKS
from corpusmith.values import Json
from corpusmith.web.form import Form
from corpusmith.web.making import value_of

Kind = Literal["action", "switch", "number", "list", "text", "upload"]

CLEANING = (
    *("format", "placeholders", "refusal", "repetition", "duplicates", "near_duplicates"),
    *("language", "sensitive", "personal_data"),
)
"""Checks that the page of finding and cleaning offers, as they usually are."""
TICKED = CLEANING[:5]
_NOT_ASKED = {"context", "total", "tests", "mask", "min_scores", "turns"}
_MASKING = ("sensitive", "personal_data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of a check, as a form asks for it."""

    name: str
    field: str
    """The form's."""
    kind: Kind
    usual: str
    """What holds where nothing is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A check to choose."""

    name: str
    help: str
    masks: bool
    options: Sequence[Option]


def offers(checks: Sequence[CheckAbout]) -> list[Offer]:
    """Those that ask no model: scores for what exists are an evaluation's."""
    return [
        Offer(
            name=one.name,
            help=one.help,
            masks=one.masks,
            options=[_option(one, option) for option in _asked(one)],
        )
        for one in checks
        if not one.asks
    ]


def _asked(check: CheckAbout) -> list[OptionAbout]:
    own = [one for one in check.options if one.name not in _NOT_ASKED and _simple(one)]
    if check.name == "contamination":
        own.insert(0, OptionAbout(name="files", type="upload", required=True, default=None))
    return own


def _simple(option: OptionAbout) -> bool:
    return not option.type.startswith(("Mapping", "CheckContext"))


def _option(check: CheckAbout, option: OptionAbout) -> Option:
    usual = option.default
    text = ", ".join(map(str, usual)) if isinstance(usual, list) else _plain(usual)
    return Option(
        name=option.name,
        field=f"check.{check.name}.{option.name}",
        kind=_kind(option),
        usual=text,
    )


def _plain(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _kind(option: OptionAbout) -> Kind:
    if option.name in ("action", "prompt_leak"):
        return "action"
    if option.type == "upload":
        return "upload"
    if option.type == "bool":
        return "switch"
    if "Sequence" in option.type:
        return "list"
    return "number" if option.type.startswith(("int", "float")) else "text"


def checks_in(form: Form, checks: Sequence[Offer]) -> Any:
    """The ticked checks with the options that were given: these and no others."""
    ticked = set(form.texts("checks"))
    found = [{one.name: _options_in(form, one)} for one in checks if one.name in ticked]
    return found or list(NO_CHECKS)


def _options_in(form: Form, offer: Offer) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for option in offer.options:
        # A choice is always sent; what is as usual is not asked for.
        if (text := form.text(option.field)) and text != option.usual:
            found[option.name] = _value(option, text)
    return found


def _value(option: Option, text: str) -> Json:
    if option.kind in ("list", "upload"):
        parts = text.replace("，", ",").replace("、", ",").replace("\n", ",").split(",")
        return [one for part in parts if (one := part.strip())]
    return value_of(text) if option.kind in ("number", "switch") else text


def beside(error: CorpusmithError, checks: Sequence[Offer]) -> str:
    """The field that an error speaks of; empty: none of them."""
    data: Mapping[str, Any] = error.data
    field = f"check.{data.get('name')}.{data.get('option')}"
    known = {option.field for one in checks for option in one.options}
    return field if field in known else ""
