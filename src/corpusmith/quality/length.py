"""The `length` check: texts that are neither too short nor too long.

Owns: limits in characters and tokens, of each text, of fields, of the whole record. Does not own:
how tokens are estimated (`tokens.py`), numbers of turns (`format.py`). Reasons: too_short,
too_long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from corpusmith.errors import SpecError
from corpusmith.quality.options import (
    ACTIONS,
    Action,
    chosen,
    field_names,
    found_fault,
    one_of,
    whole,
)
from corpusmith.quality.shapes import Passage, passages
from corpusmith.tokens import tokens_of
from corpusmith.values import PASS, Draft, Json, Verdict

MIN_CHARS = 1
MAX_CHARS = 100_000
"""Without limits of one's own. A novel's chapter has 10,000; what has more than this is a model
that did not stop."""
_MOST = 100_000_000
_LIMITS = ("min_chars", "max_chars", "min_tokens", "max_tokens")
# Texts that may be empty in a good record, as for the format check.
_MAY_BE_EMPTY = frozenset({"$.input", "$.system"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None: no limit. Characters are counted without blanks around a text."""

    min_chars: int | None = None
    max_chars: int | None = None
    min_tokens: int | None = None
    max_tokens: int | None = None

    def fault(self, texts: Sequence[str]) -> tuple[str, dict[str, Json]] | None:
        """The reason and its numbers, or None."""
        chars = sum(len(text.strip()) for text in texts)
        found = _outside("chars", chars, self.min_chars, self.max_chars)
        if found is None and (self.min_tokens, self.max_tokens) != (None, None):
            tokens = sum(map(tokens_of, texts))
            found = _outside("tokens", tokens, self.min_tokens, self.max_tokens)
        return found


def _outside(
    unit: str, found: int, low: int | None, high: int | None
) -> tuple[str, dict[str, Json]] | None:
    if low is not None and found < low:
        return "too_short", {"unit": unit, "found": found, "allowed": low}
    if high is not None and found > high:
        return "too_long", {"unit": unit, "found": found, "allowed": high}
    return None


class Length:
    """Fails a draft with a text outside the limits.

    `min_chars`, `max_chars`, `min_tokens`, `max_tokens`: of each text. `fields`: limits of their
    own for single fields, such as `answer`, `dialogues` or `assistant`; the others keep the
    general ones. `total`: limits of all texts of a record together. `action`: reject or flag.
    """

    name: ClassVar[str] = "length"

    def __init__(
        self,
        *,
        min_chars: int | None = None,
        max_chars: int | None = None,
        min_tokens: int | None = None,
        max_tokens: int | None = None,
        fields: Mapping[str, Mapping[str, int]] | None = None,
        total: Mapping[str, int] | None = None,
        action: str = "reject",
    ) -> None:
        given = (min_chars, max_chars, min_tokens, max_tokens)
        self._each = _limits("", dict(zip(_LIMITS, given, strict=True)), usual=True)
        self._fields = _of_fields(fields)
        self._total = None if total is None else _limits("total", total)
        self._action: Action = one_of(self.name, "action", action, ACTIONS)

    def __call__(self, draft: Draft) -> Verdict:
        found = passages(draft)
        named: set[str] = set()
        for field, limits in self._fields:
            of_field = chosen(found, (field,))
            named.update(one.path for one in of_field)
            if (verdict := self._verdict(limits, of_field)) is not None:
                return verdict
        others = [one for one in found if one.path not in named] if named else found
        verdict = self._verdict(self._each, others)
        if verdict is None and self._total is not None and found:
            fault = self._total.fault([one.text for one in found])
            verdict = fault and self._fail("$", fault)
        return verdict or PASS

    def _verdict(self, limits: Limits, found: Iterable[Passage]) -> Verdict | None:
        for one in found:
            fault = limits.fault((one.text,))
            if fault is None or (not one.text and one.path in _MAY_BE_EMPTY):
                continue
            return self._fail(one.path, fault)
        return None

    def _fail(self, path: str, fault: tuple[str, dict[str, Json]]) -> Verdict:
        reason, detail = fault
        return found_fault(self._action, reason, path=path, **detail)


def _of_fields(given: Any) -> tuple[tuple[str, Limits], ...]:
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        raise SpecError("check_limits_fields", name=Length.name, known=", ".join(_LIMITS))
    names = field_names(Length.name, "fields", tuple(given))
    return tuple((name, _limits(f"fields.{name}", given[name])) for name in names)


def _limits(option: str, given: Any, *, usual: bool = False) -> Limits:
    """Limits as they are written under `option`. Raises SpecError."""
    if not isinstance(given, Mapping) or not set(given) <= set(_LIMITS):
        raise SpecError("check_limits", name=Length.name, option=option, known=", ".join(_LIMITS))
    place = f"{option}." if option else ""
    found = {
        name: whole(Length.name, place + name, value, 0, _MOST)
        for name, value in given.items()
        if value is not None
    }
    for unit in ("chars", "tokens"):
        low, high = found.get(f"min_{unit}", 0), found.get(f"max_{unit}", _MOST)
        if low > high:
            names = {"option": f"{place}min_{unit}", "most": f"{place}max_{unit}"}
            raise SpecError("check_least_most", name=Length.name, low=low, high=high, **names)
    if usual:
        found.setdefault("min_chars", min(MIN_CHARS, found.get("max_chars", MIN_CHARS)))
        found.setdefault("max_chars", max(MAX_CHARS, found["min_chars"]))
    return Limits(**found)
