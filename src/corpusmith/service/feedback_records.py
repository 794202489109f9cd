"""A dataset's records as feedback: what people rated in review, and feedback that was imported.

Owns: which question and which answer of a record a rating speaks of. Does not own: the shapes of
records (`exports/shapes.py`), ratings (`store/reviews.py`).

A rating given in review speaks of the last answer, as an answer to all that was said before it. A
record that nobody rated in review may be feedback itself, with a rating of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from corpusmith.errors import UsageError
from corpusmith.exports.shapes import Ways, shape_of
from corpusmith.exports.turns import ASKING, Turns
from corpusmith.feedback.fields import Feedback, Reader
from corpusmith.messages import say
from corpusmith.readers.bad import Bad, BadRow
from corpusmith.values import Json, Language, Record

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

AT_ONCE = 500
Rows = Iterator[tuple[int, dict[str, Any] | Feedback | None]]


def rated_rows(studio: Studio, dataset: str, reader: Reader, bad: Bad) -> Rows:
    """Each record's number with its feedback; None: nobody rated it. `bad` is told of others."""
    store = studio.store
    language = store.datasets.get(dataset).language
    records = enumerate(store.records.iterate(dataset=dataset), 1)
    while some := list(islice(records, AT_ONCE)):
        rated = [record.id for _, record in some if record.rating is not None]
        times = store.review_numbers.rated_at(rated) if rated else {}
        for number, record in some:
            try:
                yield number, _row(record, times.get(record.id), reader, language)
            except _NoFeedback as problem:
                bad(BadRow(number, problem.reason, problem.detail, ""))


class _NoFeedback(Exception):
    """Why a record cannot be used."""

    def __init__(self, reason: str, **detail: Json) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def _row(
    record: Record, rated_at: str | None, reader: Reader, language: Language
) -> dict[str, Any] | Feedback | None:
    content = record.content
    if rated_at is None and isinstance(content, dict) and reader.has_rating(content):
        return content
    if record.rating is not None:
        return _feedback(record, rated_at or record.created_at, language)
    return None


def _feedback(record: Record, rated_at: str, language: Language) -> Feedback:
    prompt, answer = _exchange(record, language)
    rating = record.rating or 0.0
    return Feedback(
        record.id,
        prompt,
        answer,
        int(rating) if rating.is_integer() else rating,
        _model(record.provenance),
        rated_at,
    )


def _exchange(record: Record, language: Language) -> tuple[str, str]:
    """All that was said up to the last question, and the last answer. Raises _NoFeedback."""
    shape = shape_of(record.content)
    if shape is None:
        raise _NoFeedback("record_no_exchange", record=record.id)
    try:
        turns = list(shape.chats(record, record.content, Ways()))[-1].turns
    except UsageError as error:
        why = error.message(language)
        raise _NoFeedback("record_broken", record=record.id, why=why) from None
    at = max((n for n, turn in enumerate(turns) if turn.role == "assistant"), default=0)
    before = [turn for turn in turns[:at] if turn.text.strip()]
    asked = at and turns[at].text.strip() and any(turn.role in ASKING for turn in before)
    if not asked:
        raise _NoFeedback("record_no_exchange", record=record.id)
    return _told(before, language), turns[at].text


def _told(turns: Turns, language: Language) -> str:
    """One question as it is; a conversation as lines that begin with who speaks."""
    if len(turns) == 1:
        return turns[0].text
    return "\n".join(
        say("feedback.line", language, who=say(f"feedback.who.{one.role}", language), text=one.text)
        for one in turns
    )


def _model(provenance: Mapping[str, Json]) -> str | None:
    """The model that wrote the answer; of several all, in one name."""
    by_role: Mapping[str, Json] = provenance.get("model_of_role") or provenance.get("roles") or {}
    for role in ANSWERERS:
        if role in by_role:
            return str(by_role[role])
    models: Sequence[Json] = provenance.get("models") or ()
    return " + ".join(str(one) for one in models) or None


ANSWERERS = ("correct", "expert")
"""Roles that write the last answer, where several models work together."""
