"""The section of examples: records and drafts as people read them. All of it is foreign text.

Owns: what of a text is shown at once, and what on a click. Does not own: choosing them.
"""

from __future__ import annotations

from collections.abc import Sequence

from corpusmith.reports.figures import decimal
from corpusmith.reports.markup import Markup, element, foreign, joined
from corpusmith.reports.report import Example, Report
from corpusmith.reports.words import Words, folded, hint, missing, section

SHOWN_CHARS = 280
"""Of a text, before a click."""
SHOWN_LINES = 4
MOST_CHARS = 4_000
"""Of a text, after it."""
_MOST_NAME = 40


def examples(report: Report, words: Words) -> Markup:
    """Best, worst, or some at random; then what was turned down."""
    found = report.examples
    parts: list[Markup] = []
    if found.basis is not None:
        parts.append(hint(words(f"basis.{found.basis}")))
        parts += _kind("best", found.best, words)
        parts += _kind("worst", found.worst, words)
    else:
        parts.append(hint(words("basis.none")))
        parts += _kind("drawn", found.drawn, words)
    parts += _kind("turned_down", found.rejected, words)
    if not found.rejected:
        parts.append(missing(words("none_turned_down")))
    return section(words, "examples", *parts)


def _kind(name: str, some: Sequence[Example], words: Words) -> list[Markup]:
    if not some:
        return []
    cards = [_card(one, name, words) for one in some]
    return [element("h3", words(f"examples.{name}")), element("div", cards, class_="cards")]


def _card(one: Example, name: str, words: Words) -> Markup:
    said = [_line(who, text, words) for who, text in one.lines]
    rest = joined(said[SHOWN_LINES:])
    more = words("more_texts", n=len(said) - SHOWN_LINES)
    return element(
        "article",
        element("header", _head(one, words)),
        said[:SHOWN_LINES],
        folded(more, rest) if len(said) > SHOWN_LINES else None,
        class_=f"card {name}",
    )


def _head(one: Example, words: Words) -> list[Markup]:
    number = words("draft_of", task=one.task_id)
    if one.record is not None:
        number = words("record_n", n=one.record)
    parts = [element("span", number)]
    if one.score is not None:
        parts.append(element("b", words("points", n=decimal(one.score))))
    if one.reason:
        parts.append(element("b", words.of("short", one.reason)))
    return parts


def _line(who: str, text: str, words: Words) -> Markup:
    name = element("span", words.of("report.part", who[:_MOST_NAME]), class_="who")
    text = text.strip()
    if len(text) <= SHOWN_CHARS:
        return element("p", name, foreign(text), class_="said")
    whole = foreign(text[:MOST_CHARS])
    left = len(text) - MOST_CHARS
    cut_off = hint(words("cut_off", n=f"{left:,}")) if left > 0 else None
    start = element("p", name, foreign(text[:SHOWN_CHARS] + "…"), class_="said")
    body = element("p", whole, class_="said whole")
    return joined(start, folded(words("whole_text", n=f"{len(text):,}"), body, cut_off))
