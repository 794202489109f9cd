"""What a domain of self-play is: who asks about what, in which words the four prompts are put.

Owns: the fields of a domain file, checked to the last place of the last prompt. Does not own:
reading files (`service/domains.py`), drawing from the lists (`selfplay_variety.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from corpusmith.template_text import variables
from corpusmith.values import Language

NEEDS: Mapping[str, tuple[str, ...]] = {
    "learner": (),
    "expert": ("question",),
    "judge": ("question", "answer"),
    "refine": ("question", "answer", "critique"),
}
"""What each prompt is given, and must hand on, besides what is drawn from the lists."""
TAKEN = (*NEEDS["refine"], "domain")
"""Names of what was said, and of a record's first label; no list may be called so."""
MARKS: Mapping[Language, Mapping[str, str]] = {
    "zh": {"initial": "初始回答", "final": "最终优化版本"},
    "en": {"initial": "Initial answer", "final": "Final refined version"},
}
_NAME = re.compile(r"\w(?:[\w-]{0,62}\w)?")
_NO_FILE_NAME = re.compile(r"[/\\\x00-\x1f]")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Entry(_Part):
    """One line of a list. `weight`: how often it is dealt, next to the others."""

    text: str = Field(min_length=1, max_length=2000)
    weight: int = Field(default=1, ge=1, le=100)


class PromptPair(_Part):
    """A system message (empty: none) and a user message, with `{places}`."""

    system: str = ""
    user: str = Field(min_length=1)


class JudgePair(PromptPair):
    """`verdict`: what is added when the judge is to say whether it is satisfied."""

    verdict: str = ""


class Prompts(_Part):
    """The four prompts. The expert answers `expert` and `refine`."""

    learner: PromptPair
    expert: PromptPair
    judge: JudgePair
    refine: PromptPair


class Marks(_Part):
    """What stands for a critique where nobody criticised."""

    initial: str = Field(min_length=1)
    final: str = Field(min_length=1)


class Domain(_Part):
    """A field of knowledge to play in."""

    version: Literal[1]
    name: str
    """Letters, digits, `_` and `-`: it can be a file's name."""
    title: str = Field(default="", max_length=100)
    language: Language
    description: str = ""
    output: str = Field(default="", max_length=200)
    """File name that the records go to when none is given; empty: `<name>.json`."""
    spread: str = ""
    """The list that is dealt evenly, each entry once before one comes again; empty: the first."""
    axes: dict[str, tuple[Entry, ...]]
    """Lists by name: from each one entry is drawn for an item, and put where `{name}` stands."""
    prompts: Prompts
    marks: Marks

    @model_validator(mode="before")
    @classmethod
    def _marks_of_language(cls, given: Any) -> Any:
        """Without marks of its own, a domain has those of its language."""
        if not isinstance(given, dict) or "marks" in given:
            return given
        found = [marks for language, marks in MARKS.items() if language == given.get("language")]
        # A language that is none is complained of by itself.
        return {**given, "marks": found[0] if found else MARKS["en"]}

    @field_validator("axes", mode="before")
    @classmethod
    def _plain_entries(cls, value: Any) -> Any:
        """An entry without a weight may be written as the text alone."""
        if not isinstance(value, dict):
            return value
        return {
            name: [one if isinstance(one, dict | Entry) else {"text": one} for one in entries]
            if isinstance(entries, list | tuple)
            else entries
            for name, entries in value.items()
        }

    @field_validator("name")
    @classmethod
    def _can_be_a_file(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise PydanticCustomError("domain_name", "letters, digits, _ and -")
        return value

    @field_validator("output")
    @classmethod
    def _only_a_name(cls, value: str) -> str:
        if _NO_FILE_NAME.search(value) or value in (".", "..", "-"):
            raise PydanticCustomError("domain_output", "a file name without a folder")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Domain:
        # Without lists every place would be an unknown one.
        faults = [*_list_faults(self), *(_place_faults(self) if self.axes else ())]
        if faults:
            raise ValidationError.from_exception_data("Domain", faults)
        return self

    @property
    def shown(self) -> str:
        """What people read: the title, else the name."""
        return self.title or self.name

    @property
    def file_name(self) -> str:
        """Where the records go when nobody says it."""
        return self.output or f"{self.name}.json"


# ---------------------------------------------------------------- what does not fit together


def is_name(text: str) -> bool:
    """Whether a domain, and so its file, can be called so."""
    return _NAME.fullmatch(text) is not None


def _list_faults(domain: Domain) -> Iterator[InitErrorDetails]:
    if not domain.axes:
        yield _fault(("axes",), "domain_no_list")
    for name, entries in domain.axes.items():
        if not name.isidentifier() or name in TAKEN:
            yield _fault(("axes", name), "domain_list_name", taken=", ".join(TAKEN))
        if not entries:
            yield _fault(("axes", name), "domain_list_empty")
        texts = [entry.text for entry in entries]
        for at, text in enumerate(texts):
            if text in texts[:at]:
                yield _fault(("axes", name, at), "domain_twice")
    if domain.spread and domain.spread not in domain.axes:
        yield _fault(("spread",), "domain_spread", known=", ".join(domain.axes))


def _place_faults(domain: Domain) -> Iterator[InitErrorDetails]:
    used: set[str] = set()
    for name, needed in NEEDS.items():
        pair: PromptPair = getattr(domain.prompts, name)
        known = (*domain.axes, *needed)
        texts = pair.model_dump()
        always = {*variables(pair.system), *variables(pair.user)}
        used |= always
        for part, text in texts.items():
            for place in variables(text):
                if place not in known:
                    yield _unknown_place(("prompts", name, part), place, known)
        for place in needed:
            if place not in always:
                yield _fault(
                    ("prompts", name, "user"), "domain_place_missing", place=_braced(place)
                )
    for axis in domain.axes:
        if axis not in used and axis.isidentifier():
            yield _fault(("axes", axis), "domain_list_unused", place=_braced(axis))


def _unknown_place(loc: tuple[str, ...], place: str, known: tuple[str, ...]) -> InitErrorDetails:
    near = get_close_matches(place, known, n=1)
    code = "domain_place_near" if near else "domain_place"
    listed = ", ".join(map(_braced, known))
    return _fault(loc, code, place=_braced(place), known=listed, guess=_braced("".join(near)))


def _fault(loc: tuple[str | int, ...], code: str, **data: str) -> InitErrorDetails:
    error = PydanticCustomError(code, "does not fit", data)
    return InitErrorDetails(type=error, loc=loc, input=None)


def _braced(place: str) -> str:
    return "{" + place + "}"
