"""The `grounding` check: an answer says what its source says.

Owns: which text of a record is the source and which are answers, and how much must be found there.
Does not own: reading numbers and quotations (`facts.py`). Reasons: ungrounded, ungrounded_number,
ungrounded_quote, ungrounded_evidence.

It compares words, so it is cheap and knows its limits: two names that change places, a `not` put in
or left out, a figure that is another one of the source, are not seen. A judge sees those. An answer
in another script than its source cannot be compared, and passes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

from corpusmith.quality.facts import (
    contents,
    letters_of,
    numbers_stated,
    numbers_there,
    quotations,
)
from corpusmith.quality.languages import language_of
from corpusmith.quality.options import (
    ACTIONS,
    Action,
    chosen,
    field_names,
    found_fault,
    number,
    one_of,
    switch,
)
from corpusmith.quality.shapes import Passage, passages
from corpusmith.values import Draft, Verdict

SOURCES = ("text", "context", "passage", "source_text", "document")
ANSWERS = ("answer", "summary", "output", "response")
EVIDENCE = ("evidence",)
SUPPORT = 0.3
_LEAST_SOURCE_CHARS = 20
_FEWEST_CONTENTS = 4
_EXCERPT_CHARS = 60
_PIECE = 5
_EVIDENCE_SHARE = 0.9
"""Of the pieces of a passage that is said to be copied: it may lack a bracket or a footnote."""
# That a source says nothing of a thing cannot be found in it.
_SAYS_NOTHING = re.compile(
    r"(?:没有?|未|并未)(?:明确)?(?:提到|提及|说明|给出|涉及|写明)|无法(?:得知|确定|判断)"
    r"|not (?:mentioned|stated|specified|given|covered)"
    r"|(?:does|did) not (?:say|mention|state|specify)|doesn't (?:say|mention|state|specify)",
    re.IGNORECASE,
)


class Grounding:
    """Fails a draft whose answer states what its source does not hold.

    `source`: the field with the source, among what the record was given; `answer` and `evidence`:
    fields that must follow from it, and fields that must be copied from it. `support`: the share of
    an answer's words that the source, or the question, must have, from 0 to 1. `numbers`, `quotes`:
    whether each number and each quotation must be there. `action`: reject or flag.
    """

    name: ClassVar[str] = "grounding"

    def __init__(
        self,
        *,
        source: str | Sequence[str] = SOURCES,
        answer: str | Sequence[str] = ANSWERS,
        evidence: str | Sequence[str] = EVIDENCE,
        support: float = SUPPORT,
        numbers: bool = True,
        quotes: bool = True,
        action: str = "reject",
    ) -> None:
        self._sources = field_names(self.name, "source", source)
        self._answers = field_names(self.name, "answer", answer)
        self._evidence = field_names(self.name, "evidence", evidence)
        self._support = number(self.name, "support", support, 0, 1)
        self._numbers = switch(self.name, "numbers", numbers)
        self._quotes = switch(self.name, "quotes", quotes)
        self._action: Action = one_of(self.name, "action", action, ACTIONS)

    def __call__(self, draft: Draft) -> Verdict:
        source = self._source(draft)
        if source is None:
            return Verdict(passed=True, detail={"source": None})
        own = [one for one in passages(draft) if one.path != source.path]
        asked = "\n".join(one.text for one in own if not self._is_judged(one))
        ground = _Ground(source.text, asked)
        for one in chosen(own, self._evidence) if self._evidence else ():
            if not ground.holds_copy(one.text):
                return self._fail("ungrounded_evidence", one)
        for one in chosen(own, self._answers) if self._answers else ():
            verdict = self._of_answer(one, ground)
            if verdict is not None:
                return verdict
        return Verdict(passed=True, detail={"source": source.path})

    def _is_judged(self, one: Passage) -> bool:
        fields = (*self._answers, *self._evidence)
        return bool(fields) and bool(chosen((one,), fields))

    def _source(self, draft: Draft) -> Passage | None:
        """The first of the fields that holds one. What a template's model wrote itself is none."""
        if not isinstance(draft.content, dict):
            return None
        given = draft.provenance.get("given_fields", ())
        for name in self._sources:
            text = draft.content.get(name)
            if draft.provenance.get("recipe") == "template" and name not in given:
                continue
            if isinstance(text, str) and len(text.strip()) >= _LEAST_SOURCE_CHARS:
                return Passage(f"$.{name}", text)
        return None

    def _of_answer(self, one: Passage, ground: _Ground) -> Verdict | None:
        if self._numbers and (missing := ground.missing_number(one.text)) is not None:
            return self._fail("ungrounded_number", one, missing=missing)
        if self._quotes and (missing := ground.missing_quotation(one.text)) is not None:
            return self._fail("ungrounded_quote", one, missing=missing)
        share = ground.support(one.text)
        if share < self._support and ground.speaks_like(one.text):
            return self._fail("ungrounded", one, support=round(share, 2), wanted=self._support)
        return None

    def _fail(self, reason: str, one: Passage, **detail: Any) -> Verdict:
        excerpt = one.text.strip()[:_EXCERPT_CHARS]
        return found_fault(self._action, reason, path=one.path, **detail, found=excerpt)


class _Ground:
    """A source, ready to be looked things up in. What the question says needs no proof."""

    def __init__(self, source: str, asked: str) -> None:
        self._source = source
        self._asked = asked
        self._letters = letters_of(source)
        self._numbers = numbers_there(source) | numbers_there(asked)
        self._contents = contents(source)

    def missing_number(self, text: str) -> str | None:
        """The first number that is not there, as it is written; None: all are."""
        stated = numbers_stated(text)
        return next((shown for shown, value in stated if not value & self._numbers), None)

    def missing_quotation(self, text: str) -> str | None:
        """The first quotation that is in neither the source nor the question; None: all are."""
        asked = letters_of(self._asked)
        for quoted in dict.fromkeys(quotations(text)):
            letters = letters_of(quoted)
            if not (self._holds(letters) or letters in asked):
                return quoted[:_EXCERPT_CHARS]
        return None

    def _holds(self, letters: str) -> bool:
        """Whether the source has them in a row. Looks from where their first two stand: of many
        quotations none is looked for from the start."""
        start = self._pairs.get(letters[:2], -1) if len(letters) > 1 else 0
        return start >= 0 and self._letters.find(letters, start) >= 0

    @cached_property
    def _pairs(self) -> dict[str, int]:
        """Two letters → where they first stand in the source."""
        last = len(self._letters) - 1
        return {self._letters[at : at + 2]: at for at in reversed(range(last))}

    @cached_property
    def _pieces(self) -> frozenset[str]:
        return frozenset(_pieces(self._letters))

    def holds_copy(self, text: str) -> bool:
        """Whether `text` is copied from the source, but for signs and a slip."""
        letters = letters_of(text)
        if letters in self._letters:
            return True
        pieces = _pieces(letters)
        return bool(pieces) and len(pieces & self._pieces) >= _EVIDENCE_SHARE * len(pieces)

    def support(self, text: str) -> float:
        """The share of what `text` is about that the source is about; 1 for too little to tell."""
        said = contents(text) - (contents(self._asked) - self._contents)
        if len(said) < _FEWEST_CONTENTS or _SAYS_NOTHING.search(text):
            return 1.0
        return len(said & self._contents) / len(said)

    def speaks_like(self, text: str) -> bool:
        """Whether the source is in the language of `text`, as far as one can tell."""
        languages = {language_of(text), language_of(self._source)} - {None}
        return len(languages) < 2


def _pieces(letters: str) -> set[str]:
    return {letters[at : at + _PIECE] for at in range(len(letters) - _PIECE + 1)}
