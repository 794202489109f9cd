"""Options of checks, as people write them: proved, or one clear error.

Owns: what a number, a word, a list of fields may be, and the errors that say so. Does not own:
which options a check has (the checks). All raise SpecError, naming the check and the option.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

from corpusmith.errors import SpecError
from corpusmith.quality.shapes import Passage
from corpusmith.values import Json, Verdict

Action = Literal["reject", "flag"]
ACTIONS: tuple[Action, ...] = get_args(Action)
W = TypeVar("W", bound=str)

_INDEX = re.compile(r"\[\d+\]")


def whole(check: str, option: str, value: Any, low: int, high: int) -> int:
    """A whole number from `low` to `high`."""
    if type(value) is int and low <= value <= high:
        return value
    raise SpecError("check_whole", name=check, option=option, low=low, high=high)


def number(check: str, option: str, value: Any, low: float, high: float) -> float:
    """A number from `low` to `high`."""
    if type(value) in (int, float) and low <= value <= high:
        return float(value)
    raise SpecError("check_number", name=check, option=option, low=low, high=high)


def one_of(check: str, option: str, value: Any, known: Sequence[W]) -> W:
    """One of the words of `known`."""
    for word in known:
        if value == word and isinstance(value, str):
            return word
    raise SpecError("check_word", name=check, option=option, known=", ".join(known))


def switch(check: str, option: str, value: Any) -> bool:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    raise SpecError("check_word", name=check, option=option, known="true, false")


def field_names(check: str, option: str, value: Any) -> tuple[str, ...]:
    """One name of a field or several, each once; an empty list: none."""
    names = (value,) if isinstance(value, str) else value
    if isinstance(names, Mapping) or not isinstance(names, Iterable):
        raise SpecError("check_fields", name=check, option=option)
    found = tuple(names)
    if not all(isinstance(name, str) and name.strip() for name in found):
        raise SpecError("check_fields", name=check, option=option)
    return tuple(dict.fromkeys(name.strip() for name in found))


def is_in(passage: Passage, field: str) -> bool:
    """Whether a text belongs to a field: by its path without places in lists, such as `answer`,
    `rounds.answer` or all of `dialogues`, or by who says it, such as `assistant`."""
    if passage.speaker == field:
        return True
    path = _INDEX.sub("", passage.path[2:]) if "[" in passage.path else passage.path[2:]
    return path == field or path.startswith((f"{field}.", f"{field}["))


def chosen(found: Iterable[Passage], fields: Sequence[str]) -> list[Passage]:
    """Those of `fields`; all, if there are none."""
    if not fields:
        return list(found)
    return [one for one in found if any(is_in(one, field) for field in fields)]


def found_fault(action: Action, reason: str, **detail: Json) -> Verdict:
    """The verdict on a draft with a fault."""
    return Verdict(passed=action == "flag", reason=reason, detail=detail)
